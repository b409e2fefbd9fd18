//! The lab's signing key: made on first use, kept readable by its owner alone, never shown.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use proto_lab::record::SignerKey;
use rand::RngCore as _;

use super::EvidenceError;
use super::note::{KeyName, NoteKey, VerifierKey};

/// File of the private key within a key folder.
const PRIVATE_FILE: &str = "lab.key";

/// File of the public key within a key folder.
const PUBLIC_FILE: &str = "lab.pub";

/// The key that signs a lab's checkpoints.
#[derive(Debug, Clone)]
pub struct LabKey {
    note: NoteKey,
    ephemeral: bool,
}

impl LabKey {
    /// The key kept in this folder, made now when there is none. `name` names a new key; a kept one keeps its own name.
    ///
    /// # Errors
    /// [`EvidenceError::KeyExposed`] when others can read it, [`EvidenceError::Key`] when it is no key,
    /// [`EvidenceError::Io`].
    pub fn open(folder: &Path, name: &KeyName) -> Result<Self, EvidenceError> {
        let path = folder.join(PRIVATE_FILE);
        if !path.exists() {
            make(folder, name)?;
        }
        let note = load(&path)?;
        publish(folder, &note.verifier())?;
        Ok(Self { note, ephemeral: false })
    }

    /// A key for one run: the run can be checked against itself, but nobody outside can know whose key it was.
    pub fn ephemeral(name: KeyName) -> Self {
        Self { note: fresh(name), ephemeral: true }
    }

    /// A key from a given seed, for tests.
    #[cfg(test)]
    pub(crate) fn from_seed(name: &str, seed: u8) -> Self {
        let name = name.parse().unwrap();
        Self { note: NoteKey::from_seed(name, &[seed; 32]), ephemeral: false }
    }

    /// The public keys kept in this folder, to verify by; none when the folder has none.
    ///
    /// # Errors
    /// [`EvidenceError::Key`] when the file is no key, [`EvidenceError::Io`].
    pub fn trusted(folder: &Path) -> Result<Vec<VerifierKey>, EvidenceError> {
        let path = folder.join(PUBLIC_FILE);
        match fs::read_to_string(&path) {
            Ok(text) => text
                .lines()
                .map(|line| line.parse().map_err(|source| EvidenceError::Key { path: path.clone(), source }))
                .collect(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(e) => Err(EvidenceError::io("read", &path)(e)),
        }
    }

    /// The public half.
    pub fn verifier(&self) -> VerifierKey {
        self.note.verifier()
    }

    /// The key as the first record names it.
    pub fn signer(&self) -> SignerKey {
        SignerKey { verifier: self.verifier().to_string(), ephemeral: self.ephemeral }
    }

    pub(super) const fn note(&self) -> &NoteKey {
        &self.note
    }
}

fn fresh(name: KeyName) -> NoteKey {
    let mut seed = [0; 32];
    rand::rng().fill_bytes(&mut seed);
    NoteKey::from_seed(name, &seed)
}

/// Makes a key. When another process makes one at the same time, the first to be linked into place stays.
fn make(folder: &Path, name: &KeyName) -> Result<(), EvidenceError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(EvidenceError::io("make", folder))?;
    let path = folder.join(PRIVATE_FILE);
    let draft = folder.join(format!(".{PRIVATE_FILE}.{}", rand::rng().next_u64()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(EvidenceError::io("create", &draft))?;
    file.write_all(fresh(name.clone()).to_secret_text().as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(EvidenceError::io("write", &draft))?;
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft).map_err(EvidenceError::io("remove", &draft))?;
    match linked {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(EvidenceError::io("create", &path)(e)),
        _ => Ok(()),
    }
}

fn load(path: &Path) -> Result<NoteKey, EvidenceError> {
    let file = File::open(path).map_err(EvidenceError::io("open", path))?;
    let mode = file.metadata().map_err(EvidenceError::io("inspect", path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(EvidenceError::KeyExposed { path: path.to_path_buf(), mode });
    }
    let text = io::read_to_string(file).map_err(EvidenceError::io("read", path))?;
    NoteKey::from_secret_text(&text).map_err(|source| EvidenceError::Key { path: path.to_path_buf(), source })
}

/// Writes the public half beside the private one, for whoever verifies.
fn publish(folder: &Path, verifier: &VerifierKey) -> Result<(), EvidenceError> {
    let path = folder.join(PUBLIC_FILE);
    if path.exists() {
        return Ok(());
    }
    fs::write(&path, format!("{verifier}\n")).map_err(EvidenceError::io("write", &path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_kept_private_and_trusted_after() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("keys");
        let name: KeyName = "lab".parse().unwrap();
        assert!(LabKey::trusted(&folder).unwrap().is_empty());
        let first = LabKey::open(&folder, &name).unwrap();
        let again = LabKey::open(&folder, &"other".parse().unwrap()).unwrap();
        assert_eq!(first.verifier(), again.verifier());
        assert_eq!(LabKey::trusted(&folder).unwrap(), [first.verifier()]);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn a_key_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let name: KeyName = "lab".parse().unwrap();
        LabKey::open(dir.path(), &name).unwrap();
        fs::set_permissions(dir.path().join(PRIVATE_FILE), fs::Permissions::from_mode(0o644)).unwrap();
        let error = LabKey::open(dir.path(), &name).unwrap_err();
        assert!(matches!(error, EvidenceError::KeyExposed { mode: 0o644, .. }), "{error}");
    }
}
