//! What a station must not forget: the greatest number of a lease that was ever in force for each rig.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lab_config::Name;
use proto_lab::attach::{PartName, Token};

use super::ProgramError;

/// Longest file read back.
const LONGEST: u64 = 64 * 1024;

/// The file of a station's numbers.
#[derive(Debug)]
pub(super) struct Floors(PathBuf);

impl Floors {
    /// The file of this station in a folder, the state folder where none is given.
    pub(super) fn of(station: &Name, folder: Option<PathBuf>) -> Result<Self, ProgramError> {
        let folder = folder.or_else(|| Some(crate::state::state_folder()?.join("stations")));
        let nowhere = || ProgramError::State {
            path: PathBuf::from(format!("{station}.json")),
            reason: "no folder to keep it in: set HARNESS_STATE to one".to_owned(),
        };
        let folder = folder.ok_or_else(nowhere)?;
        let path = folder.join(format!("{station}.json"));
        std::fs::create_dir_all(&folder).map_err(|error| fault(&path, error))?;
        Ok(Self(path))
    }

    pub(super) fn read(&self) -> Result<BTreeMap<PartName, Token>, ProgramError> {
        use std::io::Read as _;
        let mut text = String::new();
        match std::fs::File::open(&self.0) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(fault(&self.0, error)),
            Ok(file) => {
                file.take(LONGEST).read_to_string(&mut text).map_err(|error| fault(&self.0, error))?
            }
        };
        let read: BTreeMap<String, u64> =
            serde_json::from_str(&text).map_err(|error| fault(&self.0, error))?;
        let one = |(rig, token): (String, u64)| Ok((super::part(&rig)?, Token(token)));
        read.into_iter().map(one).collect()
    }

    /// Written whole to a new file, which then takes the old one's place.
    pub(super) fn write(&self, floors: &BTreeMap<PartName, Token>) -> Result<(), ProgramError> {
        let numbers: BTreeMap<&str, u64> =
            floors.iter().map(|(rig, token)| (rig.as_str(), token.0)).collect();
        let text = serde_json::to_vec(&numbers).map_err(|error| fault(&self.0, error))?;
        let new = self.0.with_extension("new");
        let written = std::fs::File::create(&new).and_then(|mut file| {
            use std::io::Write as _;
            file.write_all(&text)?;
            file.sync_all()
        });
        written.and_then(|()| std::fs::rename(&new, &self.0)).map_err(|error| fault(&self.0, error))
    }
}

fn fault(path: &Path, reason: impl std::fmt::Display) -> ProgramError {
    ProgramError::State { path: path.to_owned(), reason: reason.to_string() }
}
