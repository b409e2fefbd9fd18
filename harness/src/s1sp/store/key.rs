//! The key that the store's secrets are sealed to: made when it is first needed, and never leaves its file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use lab_config::Eui64;
use proto_migration::{Address, OpeningKey, Sealed, Secrets};
use sha2::Digest as _;

use super::StoreError;
use super::file::{make_folder, sync_folder};

/// Hexadecimal digits of a key's fingerprint.
const FINGERPRINT: usize = 16;

/// What seals secrets, and opens what it has sealed.
pub(crate) trait Seal: Send {
    /// Seals; in words why not.
    fn seal(&self, secrets: &Secrets, installation: Eui64, recipient: Address) -> Result<Sealed, String>;

    /// Opens; in words why not.
    fn open(&self, sealed: &Sealed) -> Result<Secrets, String>;

    /// By what the key is known.
    fn fingerprint(&self) -> String;

    /// Where the key is.
    fn path(&self) -> PathBuf;
}

/// The store's key, in a file for nobody but its owner.
pub(crate) struct StoreKey {
    path: PathBuf,
    key: OpeningKey,
    fingerprint: String,
}

impl StoreKey {
    /// The key of this file, which is made where there is none.
    ///
    /// # Errors
    /// [`StoreError`]: the file cannot be read or made, holds no key, or others may read it.
    pub(crate) fn at(path: &Path) -> Result<Self, StoreError> {
        let fault = |doing| move |error| StoreError::File { path: path.to_owned(), doing, error };
        let pem = match read(path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                make(path)?;
                read(path).map_err(fault("read"))?
            }
            Err(error) => return Err(fault("read")(error)),
        };
        let mode = std::fs::metadata(path).map_err(fault("read"))?.mode() & 0o777;
        if mode & 0o077 != 0 {
            let found = format!("mode {mode:03o}");
            let expected = "0600: nobody else may read the key of the store; run chmod 600 on it";
            return Err(StoreError::Key { path: path.to_owned(), found, expected });
        }
        let no_key = |error: proto_migration::KeyError| StoreError::Key {
            path: path.to_owned(),
            found: error.to_string(),
            expected: "the key of the store of secrets; put back the file as it was",
        };
        let key = OpeningKey::from_pem(&pem).map_err(no_key)?;
        let mut fingerprint = hex::encode(sha2::Sha256::digest(key.sealing_key().to_pem().map_err(no_key)?));
        fingerprint.truncate(FINGERPRINT);
        Ok(Self { path: path.to_owned(), key, fingerprint })
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

/// Makes a key, whole or not at all. Of two who do so at once the first one's stands.
fn make(path: &Path) -> Result<(), StoreError> {
    let fault = |doing| move |error| StoreError::File { path: path.to_owned(), doing, error };
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let none =
        |error: proto_migration::KeyError| fault("make a key for")(std::io::Error::other(error.to_string()));
    let pem = OpeningKey::generate().and_then(|key| key.to_pem()).map_err(none)?;
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    let written = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()));
    let named = written.and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(path),
    });
    let _ = std::fs::remove_file(&draft);
    named.map_err(fault("make"))
}

impl Seal for StoreKey {
    fn seal(&self, secrets: &Secrets, installation: Eui64, recipient: Address) -> Result<Sealed, String> {
        let sealed = proto_migration::seal(secrets, installation, recipient, &self.key.sealing_key());
        sealed.map_err(|error| error.to_string())
    }

    fn open(&self, sealed: &Sealed) -> Result<Secrets, String> {
        proto_migration::unseal(sealed, &self.key).map_err(|error| error.to_string())
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    fn path(&self) -> PathBuf {
        self.path.clone()
    }
}
