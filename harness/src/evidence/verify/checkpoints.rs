//! Reading the checkpoint file and holding its signatures, origins and sizes to account.

use super::{Findings, Place};
use crate::evidence::checkpoint::{Checkpoint, origin};
use crate::evidence::folder::read_checkpoints;
use crate::evidence::note::Note;
use crate::evidence::torn::{SIGNED, Torn, is_unfinished_note, utf8_prefix};
use crate::evidence::tree::SHORT_LEAF;
use crate::evidence::{EvidenceError, Opening, RunFolder, VerifierKey};

/// The checkpoints of a run whose signatures hold, up to the first that does not.
#[derive(Debug)]
pub(super) struct SignedCheckpoints {
    checkpoints: Vec<Checkpoint>,
    /// How many notes the file holds, sound or not.
    read: u64,
    /// Octets behind them that a writer left unfinished.
    torn: u64,
}

impl SignedCheckpoints {
    pub(super) fn read(
        folder: &RunFolder,
        key: Option<&VerifierKey>,
        first: Option<&Opening>,
        findings: &mut Findings,
    ) -> Result<Self, EvidenceError> {
        let octets = read_checkpoints(folder)?;
        let mut signed = Self { checkpoints: Vec::new(), read: 0, torn: 0 };
        if octets.is_empty() {
            findings.add(Place::Key, "there is no checkpoint: nothing in this run is signed");
        }
        let expected = key.zip(first).map(|(key, first)| origin(key.name(), first.name()));
        signed.take_all(&octets, key, expected.as_deref(), findings);
        Ok(signed)
    }

    fn take_all(
        &mut self,
        octets: &[u8],
        key: Option<&VerifierKey>,
        expected: Option<&str>,
        findings: &mut Findings,
    ) {
        let (text, damaged) = utf8_prefix(octets);
        let mut rest = text;
        loop {
            let tail = &octets[text.len() - rest.len()..];
            if tail.is_empty() {
                return;
            }
            if self.may_be_unfinished(tail, expected) {
                self.torn = tail.len() as u64;
                return;
            }
            let place = Place::Checkpoint(self.read);
            self.read += 1;
            let taken = Note::take(rest)
                .map_err(|e| match damaged {
                    true => format!("the file is not UTF-8 from octet {}", text.len()),
                    false => e.to_string(),
                })
                .and_then(|(note, after)| Ok((self.accept(&note, key)?, after)));
            match taken {
                Ok((checkpoint, after)) => {
                    // Its leaves are signed for all the same, and may show which record was changed.
                    if expected.is_some_and(|e| e != checkpoint.origin) {
                        let what = format!("it belongs to `{}`, not to this run", checkpoint.origin);
                        findings.add(place, what);
                    }
                    self.checkpoints.push(checkpoint);
                    rest = after;
                }
                Err(what) => {
                    findings.add(place, what);
                    return;
                }
            }
        }
    }

    /// Behind a checkpoint that is not the final one, a writer that died may have left the beginning of another of this run.
    fn may_be_unfinished(&self, tail: &[u8], origin: Option<&str>) -> bool {
        let of_this_run = origin.is_some_and(|origin| {
            let first = tail.split(|b| *b == b'\n').next().unwrap_or_default();
            match first.len() < tail.len() {
                true => first == origin.as_bytes(),
                false => origin.as_bytes().starts_with(first),
            }
        });
        !self.checkpoints.is_empty() && !self.is_final() && of_this_run && is_unfinished_note(tail, SIGNED)
    }

    fn accept(&self, note: &Note<'_>, key: Option<&VerifierKey>) -> Result<Checkpoint, String> {
        let key = key.ok_or("no key to check its signature by")?;
        note.verify(key).map_err(|e| e.to_string())?;
        let checkpoint = Checkpoint::from_text(note.text)
            .ok_or("the signed text is not a checkpoint as this lab writes them")?;
        let before = self.checkpoints.last();
        let start = before.map_or(0, |c| c.size);
        if before.is_some_and(|c| c.is_final) {
            return Err("it follows the final checkpoint".to_owned());
        }
        if checkpoint.size.checked_sub(start) != Some(checkpoint.leaves.len() as u64)
            || checkpoint.leaves.is_empty()
        {
            let listed = checkpoint.leaves.len();
            return Err(format!("it covers {} records after {start}, and lists {listed}", checkpoint.size));
        }
        Ok(checkpoint)
    }

    /// Each covered record's short leaf hash in order, and at the end of a checkpoint that checkpoint and its place.
    pub(super) fn expectations(
        &self,
    ) -> impl Iterator<Item = ([u8; SHORT_LEAF], Option<(u64, &Checkpoint)>)> {
        (0..).zip(&self.checkpoints).flat_map(|(place, checkpoint)| {
            let last = checkpoint.leaves.len() - 1;
            checkpoint
                .leaves
                .iter()
                .enumerate()
                .map(move |(n, leaf)| (*leaf, (n == last).then_some((place, checkpoint))))
        })
    }

    /// The records must reach as far as the checkpoints, and no further than the final one.
    pub(super) fn check_end(&self, records: u64, finished: bool, findings: &mut Findings) {
        let Some(last) = self.checkpoints.last() else { return };
        if records < last.size {
            let what = format!("missing: {} records are signed for, {records} are here", last.size);
            findings.add(Place::Record(records), what);
        }
        if last.is_final && records > last.size {
            findings.add(Place::Record(last.size), "stands after the final checkpoint");
        }
        if last.is_final && !finished && records == last.size {
            let what = "the final checkpoint covers no last record";
            findings.add(Place::Checkpoint(self.read.saturating_sub(1)), what);
        }
    }

    pub(super) fn is_final(&self) -> bool {
        self.checkpoints.last().is_some_and(|c| c.is_final)
    }

    pub(super) const fn len(&self) -> u64 {
        self.read
    }

    /// How many records are signed for.
    pub(super) fn covered(&self) -> u64 {
        self.checkpoints.last().map_or(0, |c| c.size)
    }

    /// The checkpoint that a writer did not finish.
    pub(super) fn torn(&self) -> Option<Torn> {
        (self.torn > 0).then(|| Torn::Checkpoint { after: self.read.saturating_sub(1), octets: self.torn })
    }
}
