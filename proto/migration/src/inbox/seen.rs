//! What an inbox keeps of a file: one line of text, so that it can be kept anywhere.

use std::fmt;
use std::str::FromStr;

use crate::{Address, Body, Digest, File, FileKind, GroupId, PartyRole, Step};

/// A file that was taken or written, as far as others depend on it. Its text reads back.
///
/// ```
/// use proto_migration::SeenFile;
/// let line = "smso 90-B3-D5-1F-30-02-00-00 7 G1 results/viability \
///             ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/// let seen: SeenFile = line.parse()?;
/// assert_eq!((seen.number, seen.to_string().as_str()), (7, line));
/// # Ok::<(), proto_migration::SeenFileError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenFile {
    /// Who wrote it.
    pub from: Address,
    /// Its number among its writer's.
    pub number: u64,
    /// Its group.
    pub group: GroupId,
    /// Its kind.
    pub kind: FileKind,
    /// The step that results are of; none for other kinds.
    pub step: Option<Step>,
    /// Its digest.
    pub digest: Digest,
}

impl SeenFile {
    /// What is kept of this file.
    pub fn of(file: &File, digest: Digest) -> Self {
        let step = match &file.body {
            Body::Results { step, .. } => Some(*step),
            _ => None,
        };
        let header = &file.header;
        let (from, number, group) = (header.from, header.number, header.group.clone());
        Self { from, number, group, kind: file.body.kind(), step, digest }
    }

    /// What it is, in words.
    pub(super) fn what(&self) -> String {
        self.step.map_or_else(|| self.kind.to_string(), |step| format!("{} of {step}", self.kind))
    }
}

impl fmt::Display for SeenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, number, group, kind, step, digest } = self;
        write!(f, "{from} {number} {group} {kind}")?;
        step.map_or(Ok(()), |step| write!(f, "/{step}"))?;
        write!(f, " {digest}")
    }
}

/// Text that is not a [`SeenFile`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is no file that was seen; expected role, identity, number, group, kind and digest, each after a space"
)]
pub struct SeenFileError {
    found: String,
}

impl FromStr for SeenFile {
    type Err = SeenFileError;

    fn from_str(text: &str) -> Result<Self, SeenFileError> {
        let read = read(text).filter(|seen| seen.to_string() == text);
        read.ok_or_else(|| SeenFileError { found: text.chars().take(240).collect() })
    }
}

fn read(text: &str) -> Option<SeenFile> {
    let mut words = text.split(' ');
    let mut word = || words.next();
    let role = word()?;
    let role = PartyRole::ALL.into_iter().find(|known| known.word() == role)?;
    let from = Address { role, id: word()?.parse().ok()? };
    let (number, group) = (word()?.parse().ok()?, word()?.parse().ok()?);
    let what = word()?;
    let (kind, step) = what.split_once('/').map_or((what, None), |(kind, step)| (kind, Some(step)));
    let kind = FileKind::ALL.iter().copied().find(|known| known.word() == kind)?;
    let step = match (kind, step) {
        (FileKind::Results, Some(step)) => {
            Some(Step::ALL.iter().copied().find(|known| known.word() == step)?)
        }
        (FileKind::Results, None) | (_, Some(_)) => return None,
        (_, None) => None,
    };
    Some(SeenFile { from, number, group, kind, step, digest: word()?.parse().ok()? })
}
