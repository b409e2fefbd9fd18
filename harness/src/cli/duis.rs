//! `harness duis show`: what each message is, whether it is well-formed, whether its signatures hold.

use std::fs;
use std::path::{Path, PathBuf};

use proto_duis::{
    Certificate, Description, Eui64, Party, PartyKind, SignatureDescription, TrustStore, describe,
};
use serde::Serialize;

use super::arguments::{Duis, DuisShow};
use super::say::{complain, say};
use super::{Exit, Failure, print_json};

/// The longest file read, in octets; no DUIS message comes near it.
const LONGEST: u64 = 8 << 20;

const END: &str = "-----END CERTIFICATE-----";

pub(super) fn duis(verb: &Duis) -> Result<Exit, Failure> {
    match verb {
        Duis::Show(show) => shown(show),
    }
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    file: &'a Path,
    sound: bool,
    #[serde(flatten)]
    description: &'a Description,
}

fn shown(verb: &DuisShow) -> Result<Exit, Failure> {
    let trust = trust(&verb.certificates)?;
    let mut exit = Exit::Done;
    for file in &verb.files {
        let octets = match read(file) {
            Ok(octets) => octets,
            Err(failure) => {
                complain!("{failure}");
                exit = Exit::BadInput;
                continue;
            }
        };
        if octets.windows(END.len()).any(|part| part == END.as_bytes()) {
            say!("{}: certificates, no message", file.display());
            continue;
        }
        let description = describe(&octets, &trust);
        if !description.is_sound() && exit == Exit::Done {
            exit = Exit::Failed;
        }
        match verb.json {
            true => print_json(&Told { file, sound: description.is_sound(), description: &description })?,
            false => say!("{}", line(file, &description)),
        }
    }
    Ok(exit)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let wrong = |e: std::io::Error| Failure::input(format!("{}: {e}", file.display()));
    let length = fs::metadata(file).map_err(wrong)?.len();
    if length > LONGEST {
        return Err(Failure::input(format!(
            "{}: {length} octets, expected a message of at most {LONGEST}",
            file.display()
        )));
    }
    fs::read(file).map_err(wrong)
}

/// One message, one line.
fn line(file: &Path, description: &Description) -> String {
    let mut parts = vec![format!("{}: {}", file.display(), description.summary)];
    parts.extend(description.fault.iter().map(|fault| format!("NOT VALID: {fault}")));
    parts.extend(description.signatures.iter().map(signature));
    if description.signatures.is_empty() {
        parts.push("not signed".to_owned());
    }
    parts.join("; ").replace('\n', " ")
}

fn signature(signature: &SignatureDescription) -> String {
    match (&signature.signer, &signature.fault) {
        (_, Some(fault)) => format!("signature on {} DOES NOT HOLD: {fault}", signature.element),
        (Some(signer), None) => format!("signature on {} by {signer} holds", signature.element),
        (None, None) => format!("signature on {} holds", signature.element),
    }
}

/// Every certificate in these files, or in the files of these folders.
fn trust(paths: &[PathBuf]) -> Result<TrustStore, Failure> {
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
