//! `harness verify` of a whole folder of runs: each run and book, what they say of one another, and which is missing.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::arguments::Verify;
use super::super::say::say;
use super::super::{Exit, Failure, print_json};
use super::{read_head, trusted_by};
use crate::evidence::{
    Chain, Extends, Link, LinkOf, Missing, RunFolder, Standing, VerifierKey, verify_chain,
};

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Told<'a> {
    sound: bool,
    trusted_by: &'a str,
    heads: &'a [Held],
    #[serde(flatten)]
    chain: &'a Chain,
}

/// A head, and what the runs here are to it.
#[derive(Debug, Serialize)]
struct Held {
    file: PathBuf,
    origin: String,
    size: u64,
    /// Absent when the run is.
    standing: Option<Extends>,
}

/// Whether this is a folder of run folders rather than a run's.
pub(super) fn is_of_runs(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    !RunFolder::new(folder).records().exists()
        && !RunFolder::new(folder).checkpoints().exists()
        && entries.into_iter().any(|entry| RunFolder::new(entry.path()).records().exists())
}

pub(super) fn verify(verb: &Verify, trusted: &[VerifierKey]) -> Result<Exit, Failure> {
    let chain = verify_chain(&verb.run, trusted).map_err(Failure::lab)?;
    let signers = chain.links.iter().filter_map(|link| link.verification.signer.as_ref()?.parse().ok());
    let keys: Vec<VerifierKey> = trusted.iter().cloned().chain(signers).collect();
    let heads =
        verb.heads.iter().map(|file| held(verb, &chain, &keys, file)).collect::<Result<Vec<_>, _>>()?;
    let sound = chain.is_sound() && heads.iter().all(|head| head.standing == Some(Extends::Yes));
    let by = trusted_by(verb);
    if verb.json {
        print_json(&Told { sound, trusted_by: &by, heads: &heads, chain: &chain })?;
    } else {
        tell(&chain, &heads);
        say!("trusted: {by}");
    }
    Ok(if sound { Exit::Done } else { Exit::Failed })
}

/// The head against the run it is of, wherever among the folders that stands.
fn held(verb: &Verify, chain: &Chain, keys: &[VerifierKey], file: &Path) -> Result<Held, Failure> {
    let (head, key) = read_head(file, keys)?;
    let name = head.origin.strip_prefix(&format!("{}/", key.name())).unwrap_or_default();
    let link = chain.of(name);
    let standing = link
        .map(|link| head.is_extended_by(&RunFolder::new(verb.run.join(&link.folder)), &head.origin))
        .transpose()
        .map_err(Failure::lab)?;
    Ok(Held { file: file.to_path_buf(), origin: head.origin, size: head.size, standing })
}

fn tell(chain: &Chain, heads: &[Held]) {
    chain.links.iter().for_each(tell_link);
    for begin in &chain.begins {
        say!(
            "the chain begins with {begin}: it binds nothing before it, so what was before it nobody can tell from here"
        );
    }
    chain.missing.iter().for_each(|missing| say!("{}", said(missing)));
    for head in heads {
        let (file, size) = (head.file.display(), head.size);
        match &head.standing {
            Some(standing) => say!("head {file} over {size} records: {standing}"),
            None => say!("MISSING: {}, of whose first {size} records {file} is a signed head", head.origin),
        }
    }
    if !chain.missing.is_empty() {
        say!(
            "hint: look for a copy of what is missing; without one nobody can say what it came to, nor who removed it"
        );
    }
}

fn tell_link(link: &Link) {
    let what = match link.kind {
        LinkOf::Run => "run",
        LinkOf::Book => "book",
    };
    let verification = &link.verification;
    let verdict = verification.verdict.map(|verdict| format!(", verdict {verdict}")).unwrap_or_default();
    say!("{what} {}: {}{verdict}", link.folder, verification.standing);
    if let Some(finding) = verification.findings.first() {
        say!("  first wrong: {finding}");
    }
    verification.torn.iter().for_each(|torn| say!("  remark: {torn}"));
    if verification.standing == Standing::Broken {
        say!("  hint: harness verify {} says more", link.folder);
    }
}

fn said(missing: &Missing) -> String {
    let what = match missing.kind {
        LinkOf::Run => "run",
        LinkOf::Book => "book",
    };
    let name = missing.name.as_ref().map_or("a run of unknown name", |name| name.as_str());
    let root = missing.root.map(|root| format!(" (root {root})")).unwrap_or_default();
    format!("MISSING: {what} {name}{root}: {} speaks of it, and it is not here as it was", missing.told_by)
}
