//! Certificates in PEM, from files and folders, with the parties their headings name.

use std::fs;
use std::path::{Path, PathBuf};

use proto_duis::{Certificate, Party, TrustStore};

use super::super::Failure;
use super::file::read;

/// Every certificate in these files, or in the files of these folders.
pub(super) fn trust(paths: &[PathBuf]) -> Result<TrustStore, Failure> {
    let mut trust = TrustStore::new();
    for path in paths {
        for file in files(path)? {
            let text = String::from_utf8_lossy(&read(&file)?).into_owned();
            for (party, certificate) in certificates(&file, &text)? {
                trust.add(party, certificate);
            }
        }
    }
    Ok(trust)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let wrong = |e: std::io::Error| Failure::input(format!("{}: {e}", path.display()));
    let entries = fs::read_dir(path).map_err(wrong)?.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    let mut files: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

/// The certificates of a file, each with the party its heading line names, or else its subject.
fn certificates(file: &Path, text: &str) -> Result<Vec<(Party, Certificate)>, Failure> {
    let found = crate::decode::certificates::certificates(text)
        .map_err(|e| Failure::input(format!("{}: {e}", file.display())))?;
    match found.is_empty() {
        true => Err(Failure::input(format!("{}: no certificate in it", file.display()))
            .hint("a certificate is PEM: -----BEGIN CERTIFICATE----- and so on")),
        false => Ok(found),
    }
}
