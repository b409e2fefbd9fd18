//! Where the files of a lab come from: a folder, or those shipped inside the program.

use std::path::{Path, PathBuf};

use crate::document::{Document, FileError};
use crate::nearest::nearest;

/// Device Model files as pairs of name and text.
macro_rules! shipped {
    ($($file:literal,)+) => { &[$(($file, include_str!(concat!("../device-models/", $file))),)+] };
}

/// Device Models shipped inside the program; a lab file names them `shipped:NAME`.
const SHIPPED_MODELS: &[(&str, &str)] = shipped![
    "chf-lab-foc.toml",
    "chf-lab-ioc.toml",
    "chf-lab-mds.toml",
    "chf-skyline-510.toml",
    "chf-skyline-moc.toml",
    "esme-as300p.toml",
    "esme-e470.toml",
    "esme-liberty-100.toml",
    "esme-liberty-100-moc.toml",
    "esme-sgm14xx.toml",
    "generic-dlms-meter.toml",
    "gpf-lab-foc.toml",
    "gpf-lab-ioc.toml",
    "gpf-lab-mds.toml",
    "gpf-skyline-510.toml",
    "gpf-skyline-moc.toml",
    "gsme-lab-foc.toml",
    "gsme-lab-g4.toml",
    "gsme-lab-ioc.toml",
    "gsme-lab-mds.toml",
    "gsme-lab-secure.toml",
    "ihd-lab.toml",
    "ppmid-lab-foc.toml",
    "ppmid-lab-mds.toml",
    "ppmid-pipit-500.toml",
];

/// The lab the program brings up when it is told of no other.
pub(crate) const EMBEDDED_LAB: &str = include_str!("../labs/embedded.toml");

/// Where the files a lab file names are looked for.
#[derive(Debug, Clone)]
pub(crate) enum Sources {
    /// Only among the shipped files.
    Shipped,
    /// Relative to this folder, and among the shipped files.
    Folder(PathBuf),
}

impl Sources {
    /// The folder a lab file stands in.
    pub(crate) fn beside(lab_file: &Path) -> Self {
        Self::Folder(lab_file.parent().unwrap_or(Path::new("")).to_owned())
    }

    /// A path as the lab file writes it, from where the program stands.
    pub(crate) fn path(&self, written: &str) -> PathBuf {
        match self {
            Self::Shipped => PathBuf::from(written),
            Self::Folder(folder) => folder.join(written),
        }
    }

    /// Opens a Device Model file by the name the lab file gives it.
    pub(crate) fn open(&self, written: &str) -> Result<Document, FileError> {
        match written.strip_prefix("shipped:") {
            Some(name) => shipped(name),
            None => Document::read(&self.path(written)),
        }
    }
}

fn shipped(name: &str) -> Result<Document, FileError> {
    let found = SHIPPED_MODELS.iter().find(|(known, _)| *known == name);
    if let Some((_, text)) = found {
        return Ok(Document::new(format!("shipped:{name}"), *text));
    }
    let names = || SHIPPED_MODELS.iter().map(|(known, _)| *known);
    let advice = match nearest(name, names()) {
        Some(near) => format!("did you mean `shipped:{near}`?"),
        None => format!("the shipped ones are {}", names().collect::<Vec<_>>().join(", ")),
    };
    Err(FileError::whole_file(
        format!("shipped:{name}"),
        "no such shipped Device Model",
        "the name of a shipped Device Model",
        advice,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DeviceModel;

    #[test]
    fn every_file_of_the_folder_is_shipped_and_sound() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("device-models");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        files.sort();
        let mut names: Vec<&str> = SHIPPED_MODELS.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        assert_eq!(files, names);
        for name in names {
            let document = shipped(name).expect("shipped");
            let model = DeviceModel::parse(&document).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(format!("{}.toml", model.id), name);
        }
    }

    #[test]
    fn a_misspelt_shipped_name_is_corrected() {
        let error = shipped("esme-liberty-10.toml").expect_err("unknown");
        assert_eq!(error.advice, "did you mean `shipped:esme-liberty-100.toml`?");
    }
}
