//! `harness verify`: the evidence of a run, or of a whole folder of runs, checked by someone who does not trust the lab.

mod runs;

use std::path::{Path, PathBuf};

use proto_lab::Digest;
use serde::Serialize;

use super::arguments::{KeyChoice, Verify};
use super::say::{say, say_text};
use super::{Exit, Failure, print_json};
use crate::evidence::{
    self, Cosigned, Cosigner, CosignerStanding, Extends, HeldHead, LabKey, RunFolder, Standing, Verification,
    VerifierKey, cosigners,
};

/// What `--json` prints: the verdict on the evidence first, in one word.
#[derive(Debug, Serialize)]
struct Told<'a> {
    sound: bool,
    /// Where the keys came from that were trusted.
    trusted_by: &'a str,
    /// Witnesses who signed for it.
    cosigners: &'a [Cosigner],
    /// Octets behind them that are no cosignature.
    cosignatures_unreadable: u64,
    /// The heads given, and whether the run extends each.
    heads: &'a [Held],
    #[serde(flatten)]
    verification: &'a Verification,
}

pub(super) fn verify(verb: &Verify) -> Result<Exit, Failure> {
    let trusted = trusted(verb)?;
    if runs::is_of_runs(&verb.run) {
        return runs::verify(verb, &trusted);
    }
    let by = trusted_by(verb);
    let witnesses = verb.witnesses.iter().map(|given| key(given, WITNESS)).collect::<Result<Vec<_>, _>>()?;
    let verification = checked(&verb.run, &trusted)?;
    let Cosigned { cosigners, unreadable } =
        cosigners(&RunFolder::new(&verb.run), &witnesses).map_err(Failure::lab)?;
    let heads = heads(verb, &verification, &trusted)?;
    let sound = verification.is_sound()
        && heads.iter().all(|head| head.standing == Extends::Yes)
        && !cosigners.iter().any(|c| c.standing == CosignerStanding::Wrong)
        && unreadable == 0;
    if verb.json {
        let told = Told {
            sound,
            trusted_by: &by,
            cosigners: &cosigners,
            cosignatures_unreadable: unreadable,
            heads: &heads,
            verification: &verification,
        };
        print_json(&told)?;
    } else {
        say_text!("{verification}");
        say!("  trusted: {by}");
        cosigners.iter().for_each(|cosigner| say!("  {}", cosigned(cosigner)));
        if unreadable > 0 {
            say!(
                "  THE COSIGNATURES WERE CHANGED: {unreadable} octets behind those above are no cosignature"
            );
        }
        heads.iter().for_each(|head| {
            say!("  head {} over {} records: {}", head.file.display(), head.size, head.standing);
        });
        advice(&verification).for_each(|advice| say!("  hint: {advice}"));
    }
    Ok(if sound { Exit::Done } else { Exit::Failed })
}

/// What a cosignature says, and what it is worth.
fn cosigned(cosigner: &Cosigner) -> String {
    let Cosigner { key, size, at, standing } = cosigner;
    match standing {
        CosignerStanding::Holds => format!("cosigned by {key} at {at}: {size} records"),
        CosignerStanding::KeyUnknown => {
            format!(
                "cosigned by {key} at {at}: {size} records; that key is not known here, give it with --witness"
            )
        }
        CosignerStanding::Wrong => {
            format!("COSIGNED WRONGLY by {key} at {at}: it does not hold, or is over what is not in this run")
        }
    }
}

/// Each head given, checked by the keys that are trusted or by the one that signs the run, and what the run is to it.
fn heads(verb: &Verify, verification: &Verification, trusted: &[VerifierKey]) -> Result<Vec<Held>, Failure> {
    let signer = verification.signer.as_ref().and_then(|key| key.parse::<VerifierKey>().ok());
    let keys: Vec<VerifierKey> = trusted.iter().cloned().chain(signer).collect();
    let run = verification.run.as_ref().map_or("", |run| run.as_str());
    let held = |file: &PathBuf| {
        let (head, key) = read_head(file, &keys)?;
        let origin = format!("{}/{run}", key.name());
        let standing = head.is_extended_by(&RunFolder::new(&verb.run), &origin).map_err(Failure::lab)?;
        Ok(Held { file: file.clone(), size: head.size, root: head.root, standing })
    };
    verb.heads.iter().map(held).collect()
}

/// The head in a file, and the first of these keys that signed it.
fn read_head<'k>(file: &Path, keys: &'k [VerifierKey]) -> Result<(HeldHead, &'k VerifierKey), Failure> {
    let wrong = |e: &dyn std::fmt::Display| Failure::input(format!("{}: {e}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|e| wrong(&e))?;
    let mut why = None;
    for key in keys {
        match HeldHead::read(&text, key) {
            Ok(head) => return Ok((head, key)),
            Err(e) => why = Some(e.to_string()),
        }
    }
    let why = why.unwrap_or_else(|| "there is no key to check it by".to_owned());
    Err(wrong(&why).hint(
        "a head is what the page saves, or `harness watch URL` keeps: a signed checkpoint of a run of this lab",
    ))
}

/// A head, and what the run is to it.
#[derive(Debug, Serialize)]
struct Held {
    file: PathBuf,
    size: u64,
    root: Digest,
    standing: Extends,
}

/// Checks a run against these keys.
pub(super) fn checked(run: &Path, trusted: &[VerifierKey]) -> Result<Verification, Failure> {
    let folder = RunFolder::new(run);
    if !folder.records().exists() {
        return Err(Failure::input(format!("{} holds no records.jsonl", run.display()))
            .hint("give the folder of one run, such as runs/20261121T210745Z-1f3a, or of all: runs"));
    }
    evidence::verify(&folder, trusted).map_err(Failure::lab)
}

/// The lab's own keys: those of the key folder given, or of the one beside the run.
pub(super) fn own_keys(run: &Path, choice: &KeyChoice) -> Result<Vec<VerifierKey>, Failure> {
    LabKey::trusted(&key_folder(runs_of(run), choice)).map_err(Failure::input)
}

/// The folder of runs that this run is in, or that this is.
fn runs_of(run: &Path) -> &Path {
    if runs::is_of_runs(run) { run } else { run.parent().unwrap_or(Path::new("")) }
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
    let folder = key_folder(runs_of(&verb.run), &verb.keys);
    format!("the lab's own key in {}; somebody else's lab: give its key with --key", folder.display())
}

fn trusted(verb: &Verify) -> Result<Vec<VerifierKey>, Failure> {
    if verb.trusted.is_empty() {
        return own_keys(&verb.run, &verb.keys);
    }
    verb.trusted.iter().map(|given| key(given, LAB)).collect()
}

/// How a key of each kind is spelt, for who gave something else.
pub(super) const LAB: &str = "a verifier key reads name+hash+base64; a lab's own is in keys/lab.pub";
const WITNESS: &str =
    "a cosigner key reads name+hash+base64; the witness has it, and `harness people list --json`";

/// A key as given: itself, or a file that holds it on its first line.
pub(super) fn key<K: std::str::FromStr<Err: std::fmt::Display>>(
    given: &str,
    hint: &str,
) -> Result<K, Failure> {
    let text = match std::fs::read_to_string(given) {
        Ok(text) => text.lines().next().unwrap_or_default().to_owned(),
        Err(_) => given.to_owned(),
    };
    text.parse().map_err(|e| Failure::input(format!("{given}: {e}")).hint(hint))
}

fn advice(verification: &Verification) -> impl Iterator<Item = String> {
    let standing = match verification.standing {
        Standing::Sound => None,
        Standing::SignerUnknown => Some(
            "get the lab's verifier key from the lab itself, not from this folder, and give it with --key",
        ),
        Standing::Open => Some("the run is still going on, or its controller died; it counts as not passed"),
        Standing::Broken => {
            Some("the first wrong record is named above; nothing from there on may be relied on")
        }
    };
    let mend = "`harness run --resume` of the run, or the next `harness serve`, cuts off what never ended, keeps it and \
                records that; a controller that is writing ends it by itself";
    standing.into_iter().chain((!verification.torn.is_empty()).then_some(mend)).map(str::to_owned)
}
