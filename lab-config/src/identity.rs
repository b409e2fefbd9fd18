//! Certificates and private keys of the harness: what it shows to servers, what it signs with.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A certificate and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The file of the certificate, and those between it and the authority.
    pub certificate: PathBuf,
    /// Where its key comes from.
    pub key: PrivateKeySource,
}

/// Where a private key in PEM comes from: never the lab file itself, which is evidence and is shown to witnesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrivateKeySource {
    /// `"path"` or `{ file = "path" }`, relative to the lab file.
    File(PathBuf),
    /// `{ env = "NAME" }`: an environment variable that holds the PEM text, read when the key is needed.
    Environment(String),
}

/// A private key in PEM, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKeyPem(String);

/// A private key that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{from}: {reason}")]
pub struct PrivateKeyError {
    /// Where it should come from.
    pub from: String,
    /// Why it does not.
    pub reason: String,
}

impl PrivateKeyPem {
    /// The text, for the one who makes a key of it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKeyPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKeyPem(not shown)")
    }
}

impl PrivateKeySource {
    /// The longest text a key may have, in octets: a longer one is a wrong file.
    pub const LONGEST: u64 = 64 << 10;

    /// The key's text, read now.
    ///
    /// # Errors
    /// [`PrivateKeyError`] when the variable or the file gives none.
    pub fn pem(&self) -> Result<PrivateKeyPem, PrivateKeyError> {
        let wrong = |reason: String| PrivateKeyError { from: self.to_string(), reason };
        let text = match self {
            Self::File(path) => read(path).map_err(|error| wrong(error.to_string()))?,
            Self::Environment(name) => std::env::var(name).unwrap_or_default(),
        };
        match text.contains("-----BEGIN ") {
            true => Ok(PrivateKeyPem(text)),
            false => {
                Err(wrong("expected a private key in PEM, found none: set it before starting".to_owned()))
            }
        }
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(PrivateKeySource::LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

impl fmt::Display for PrivateKeySource {
    /// Where the key comes from, never what it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Environment(name) => write!(f, "environment variable {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_from_its_file_and_is_never_printed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lab.key");
        let source = PrivateKeySource::File(path.clone());
        let missing = source.pem().expect_err("no file").to_string();
        assert!(missing.contains("lab.key"), "{missing}");
        std::fs::write(&path, "not a key").expect("written");
        let wrong = source.pem().expect_err("no key").to_string();
        assert!(wrong.contains("in PEM") && !wrong.contains("not a key"), "{wrong}");
        std::fs::write(&path, "-----BEGIN PRIVATE KEY-----\nMIG\n").expect("written");
        let pem = source.pem().expect("a key");
        assert!(pem.expose().contains("MIG") && !format!("{pem:?}").contains("MIG"));
        let unset = PrivateKeySource::Environment("LAB_NO_SUCH_KEY".to_owned()).pem().expect_err("unset");
        assert!(unset.to_string().contains("LAB_NO_SUCH_KEY"), "{unset}");
    }
}
