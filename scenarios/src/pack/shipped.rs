//! The packs shipped inside the program.

use lab_config::{Document, FileError, Name};

use super::Files;

// `SHIPPED`: for each folder of `packs/`, its name and its files, made by the build script.
include!(concat!(env!("OUT_DIR"), "/shipped_packs.rs"));

/// A shipped pack, not read yet.
#[derive(Debug, Clone, Copy)]
pub struct ShippedPack {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
}

impl ShippedPack {
    /// The name of its folder.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its files: name and text.
    pub fn files(&self) -> &'static [(&'static str, &'static str)] {
        self.files
    }
}

/// Every shipped pack, by name.
pub fn shipped_packs() -> impl Iterator<Item = ShippedPack> {
    SHIPPED.iter().map(|(name, files)| ShippedPack { name, files })
}

impl Files for ShippedPack {
    fn open(&self, name: &str) -> Result<Document, FileError> {
        let place = format!("shipped:{}/{name}", self.name);
        match self.files.iter().find(|(file, _)| *file == name) {
            Some((_, text)) => Ok(Document::new(place, *text)),
            None => Err(FileError::whole_file(
                place,
                "no such file",
                "a file of the pack",
                "check the scripts pack.toml lists",
            )),
        }
    }

    fn open_of(&self, pack: &Name, name: &str) -> Result<Document, FileError> {
        let other = shipped_packs().find(|shipped| *pack == *shipped.name);
        let missing = || {
            let place = format!("shipped:{}/pack.toml", self.name);
            FileError::whole_file(
                place,
                format!("scripts of the pack {pack}"),
                "a shipped pack",
                "name another",
            )
        };
        other.ok_or_else(missing)?.open(name)
    }
}
