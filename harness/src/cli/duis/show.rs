//! `harness duis show`: what each message is, whether it is well-formed, whether its signatures hold.

use std::path::Path;

use proto_duis::{Description, SignatureDescription, describe};
use serde::Serialize;

use super::super::arguments::DuisShow;
use super::super::say::say;
use super::super::{Exit, Failure, print_json};
use super::certificates::trust;
use super::file;
use crate::decode::certificates::END;

#[derive(Debug, Serialize)]
struct Told<'a> {
    file: &'a Path,
    sound: bool,
    #[serde(flatten)]
    description: &'a Description,
}

pub(super) fn show(verb: &DuisShow) -> Result<Exit, Failure> {
    let trust = trust(&verb.certificates)?;
    let mut exit = Exit::Done;
    for file in &verb.files {
        let Some(octets) = file::one_of(file, &mut exit) else { continue };
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
