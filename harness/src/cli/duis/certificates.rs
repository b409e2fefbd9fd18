//! Certificates in PEM, from files and folders, with the parties their headings name.

use std::fs;
use std::path::{Path, PathBuf};

use proto_duis::{Certificate, Eui64, Party, PartyKind, TrustStore};

use super::super::Failure;
use super::file::read;

/// How a certificate in PEM ends.
pub(super) const END: &str = "-----END CERTIFICATE-----";

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
    let blocks = text.split_inclusive(END).filter(|block| block.contains(END));
    let found: Vec<_> = blocks
        .map(|block| {
            let certificate = Certificate::from_pem(block)
                .map_err(|e| Failure::input(format!("{}: {e}", file.display())))?;
            let heading = block.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
            let party = party(heading).unwrap_or_else(|| unnamed(&certificate));
            Ok((party, certificate))
        })
        .collect::<Result<_, Failure>>()?;
    match found.is_empty() {
        true => Err(Failure::input(format!("{}: no certificate in it", file.display()))
            .hint("a certificate is PEM: -----BEGIN CERTIFICATE----- and so on")),
        false => Ok(found),
    }
}

/// `NAME (KIND EUI-64)`, as the certificates of a run are headed.
fn party(heading: &str) -> Option<Party> {
    let (name, rest) = heading.strip_suffix(')')?.rsplit_once(" (")?;
    let (kind, id) = rest.split_once(' ')?;
    let kind = [PartyKind::User, PartyKind::Dsp, PartyKind::S1sp]
        .into_iter()
        .find(|known| known.to_string() == kind)?;
    Some(Party { name: name.to_owned(), kind, id: id.parse().ok()? })
}

fn unnamed(certificate: &Certificate) -> Party {
    Party { name: certificate.subject().to_owned(), kind: PartyKind::User, id: Eui64::new([0; 8]) }
}
