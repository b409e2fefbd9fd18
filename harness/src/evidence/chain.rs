//! A folder of runs as a whole: each checked by itself, and all of them held against what they say of one another.
//!
//! A run binds the name and the root of the finished run before it, a lab's book those of the book before it, and a book says
//! which runs ended with a verdict while it was kept. So a run that was deleted whole is still spoken of by what came after
//! it. The chain begins somewhere: of what was before its first link nothing here can speak, and the last link is spoken of by
//! no other; a signed head that a witness kept speaks of that one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proto_lab::Digest;
use proto_lab::record::book::LabEvent;
use proto_lab::record::{Body, RunId};
use serde::Serialize;

use super::{EvidenceError, Opening, Records, RunFolder, Standing, Verification, VerifierKey, verify};

/// What a link of the chain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkOf {
    /// A run.
    Run,
    /// A lab's book.
    Book,
}

/// A run or a book of the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The name of its folder.
    pub folder: String,
    /// Which of the two it is; a folder whose first record cannot be read is taken for a run.
    pub kind: LinkOf,
    /// What it binds: by name where it says one.
    pub previous_name: Option<RunId>,
    /// The check of it by itself, the root it binds among it.
    #[serde(flatten)]
    pub verification: Verification,
    /// Runs that a book says ended with a verdict.
    #[serde(skip)]
    ended: Vec<RunId>,
}

/// A run or a book that is not there, though one that is there speaks of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// What it is.
    pub kind: LinkOf,
    /// Its name, where that is known.
    pub name: Option<RunId>,
    /// Its root, where that is known.
    pub root: Option<Digest>,
    /// The folder that speaks of it.
    pub told_by: String,
}

/// The whole folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// Runs, then books, in the order they began.
    pub links: Vec<Link>,
    /// The folders of links that bind nothing before them.
    pub begins: Vec<String>,
    /// What is missing.
    pub missing: Vec<Missing>,
}

impl Chain {
    /// Whether every link is sound, and none is missing.
    pub fn is_sound(&self) -> bool {
        self.missing.is_empty() && self.links.iter().all(|link| link.verification.is_sound())
    }

    /// The link of this run or book.
    pub fn of(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.verification.run.as_ref().is_some_and(|run| run.as_str() == name))
    }
}

/// Checks every run and book in a folder of runs, and what they say of one another.
///
/// # Errors
/// [`EvidenceError::Io`] when a folder cannot be read; whatever can be read and is wrong is a finding.
pub fn verify_chain(runs: &Path, trusted: &[VerifierKey]) -> Result<Chain, EvidenceError> {
    let mut links = Vec::new();
    for entry in fs::read_dir(runs).map_err(EvidenceError::io("list", runs))? {
        let entry = entry.map_err(EvidenceError::io("list", runs))?;
        let folder = entry.file_name().to_string_lossy().into_owned();
        // What begins so had not begun.
        if !folder.starts_with('.') && RunFolder::new(entry.path()).records().exists() {
            links.push(link(folder, &RunFolder::new(entry.path()), trusted)?);
        }
    }
    links.sort_by(|a, b| (a.kind, &a.folder).cmp(&(b.kind, &b.folder)));
    Ok(chain(links))
}

fn link(folder: String, run: &RunFolder, trusted: &[VerifierKey]) -> Result<Link, EvidenceError> {
    let verification = verify(run, trusted)?;
    let opening = Records::of(run)?.next().and_then(Result::ok).and_then(|first| Opening::of(&first.body));
    let kind = match &opening {
        Some(Opening::Book(_)) => LinkOf::Book,
        _ => LinkOf::Run,
    };
    let previous_name = opening.and_then(|opening| opening.previous_name().cloned());
    // What stands behind a line that is no record, nobody can read; that line is a finding of its own.
    let ended = match kind {
        LinkOf::Run => Vec::new(),
        LinkOf::Book => {
            Records::of(run)?.map_while(Result::ok).filter_map(|record| ended(&record.body)).collect()
        }
    };
    Ok(Link { folder, kind, previous_name, verification, ended })
}

/// The run that ended, as a book has it. One without a verdict may have had no evidence.
fn ended(body: &Body) -> Option<RunId> {
    match body {
        Body::Lab(event) => match &**event {
            LabEvent::RunEnded { run, verdict: Some(_), .. } => Some(run.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// What the links say of one another.
fn chain(links: Vec<Link>) -> Chain {
    let (mut begins, mut missing) = (Vec::new(), Vec::new());
    for link in &links {
        match link.verification.previous {
            None => begins.push(link.folder.clone()),
            Some(root) if !links.iter().any(|other| is_bound(link, root, other)) => missing.push(Missing {
                kind: link.kind,
                name: link.previous_name.clone(),
                root: Some(root),
                told_by: link.folder.clone(),
            }),
            Some(_) => {}
        }
    }
    for book in &links {
        let here = |run: &&RunId| !links.iter().any(|link| link.verification.run.as_ref() == Some(*run));
        missing.extend(book.ended.iter().filter(here).map(|run| Missing {
            kind: LinkOf::Run,
            name: Some(run.clone()),
            root: None,
            told_by: book.folder.clone(),
        }));
    }
    Chain { links, begins, missing: each_once(missing) }
}

/// Whether this is what the link binds: of its kind, with that root, ended, and of that name where one is bound.
fn is_bound(link: &Link, root: Digest, other: &Link) -> bool {
    let named = link.previous_name.is_none() || link.previous_name == other.verification.run;
    let ended = other.verification.standing != Standing::Open;
    other.kind == link.kind && other.verification.root == root && named && ended
}

/// What several speak of is missing once; the root comes from whoever knows it.
fn each_once(missing: Vec<Missing>) -> Vec<Missing> {
    let mut by_name: BTreeMap<RunId, usize> = BTreeMap::new();
    let mut once: Vec<Missing> = Vec::new();
    for next in missing {
        match next.name.as_ref().and_then(|name| by_name.get(name)) {
            Some(known) => {
                if let Some(known) = once.get_mut(*known) {
                    known.root = known.root.or(next.root);
                }
            }
            None => {
                by_name.extend(next.name.clone().map(|name| (name, once.len())));
                once.push(next);
            }
        }
    }
    once
}
