//! `harness verify`: the evidence of a run, checked by someone who does not trust the lab.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::arguments::{KeyChoice, Verify};
use super::say::{say, say_text};
use super::{Exit, Failure, print_json};
use crate::evidence::{self, LabKey, RunFolder, Standing, Verification, VerifierKey};

/// What `--json` prints: the verdict on the evidence first, in one word.
#[derive(Debug, Serialize)]
struct Told<'a> {
    sound: bool,
    /// Where the keys came from that were trusted.
    trusted_by: &'a str,
    #[serde(flatten)]
    verification: &'a Verification,
}

pub(super) fn verify(verb: &Verify) -> Result<Exit, Failure> {
    let trusted = trusted(verb)?;
    let by = trusted_by(verb);
    let verification = checked(&verb.run, &trusted)?;
    if verb.json {
        print_json(&Told { sound: verification.is_sound(), trusted_by: &by, verification: &verification })?;
    } else {
        say_text!("{verification}");
        say!("  trusted: {by}");
        if let Some(advice) = advice(verification.standing) {
            say!("  hint: {advice}");
        }
    }
    Ok(if verification.is_sound() { Exit::Done } else { Exit::Failed })
}

/// Checks a run against these keys.
pub(super) fn checked(run: &Path, trusted: &[VerifierKey]) -> Result<Verification, Failure> {
    let folder = RunFolder::new(run);
    if !folder.records().exists() {
        return Err(Failure::input(format!("{} holds no records.jsonl", run.display()))
            .hint("give the folder of one run, such as runs/20261121T210745Z-1f3a"));
    }
    evidence::verify(&folder, trusted).map_err(Failure::lab)
}

/// The lab's own keys: those of the key folder given, or of the one beside the run.
pub(super) fn own_keys(run: &Path, choice: &KeyChoice) -> Result<Vec<VerifierKey>, Failure> {
    LabKey::trusted(&key_folder(run.parent().unwrap_or(Path::new("")), choice)).map_err(Failure::input)
}

/// The key folder given, or the one among the run folders.
pub(super) fn key_folder(runs: &Path, choice: &KeyChoice) -> PathBuf {
    choice.keys.clone().unwrap_or_else(|| runs.join("keys"))
}

/// A key that came with the folder is only as good as whoever handed the folder over.
fn trusted_by(verb: &Verify) -> String {
    if !verb.trusted.is_empty() {
        return "the key given with --key".to_owned();
    }
    let folder = key_folder(verb.run.parent().unwrap_or(Path::new("")), &verb.keys);
    format!("the lab's own key in {}; somebody else's lab: give its key with --key", folder.display())
}

fn trusted(verb: &Verify) -> Result<Vec<VerifierKey>, Failure> {
    if verb.trusted.is_empty() {
        return own_keys(&verb.run, &verb.keys);
    }
    verb.trusted.iter().map(|given| key(given)).collect()
}

/// A key as given: itself, or a file that holds it on its first line.
fn key(given: &str) -> Result<VerifierKey, Failure> {
    let text = match std::fs::read_to_string(given) {
        Ok(text) => text.lines().next().unwrap_or_default().to_owned(),
        Err(_) => given.to_owned(),
    };
    text.parse().map_err(|e| {
        Failure::input(format!("{given}: {e}"))
            .hint("a verifier key reads name+hash+base64; a lab's own is in keys/lab.pub")
    })
}

fn advice(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::Sound => None,
        Standing::SignerUnknown => Some(
            "get the lab's verifier key from the lab itself, not from this folder, and give it with --key",
        ),
        Standing::Open => Some("the run is still going on, or its controller died; it counts as not passed"),
        Standing::Broken => {
            Some("the first wrong record is named above; nothing from there on may be relied on")
        }
    }
}
