//! A witness's own check of a run that is watched from elsewhere: every line hashed, the tree grown, every checkpoint's
//! signature and root held against it. The page does the same in the browser.
//!
//! A witness keeps the latest signed head it has checked. A run that does not extend that head has another history than
//! the one the witness saw: that is an alarm, and so is anything signed that the lines do not bear out.

use std::collections::VecDeque;

use proto_lab::Digest;
use proto_lab::record::{LineError, Record, RunId};

use crate::evidence::checkpoint::{Checkpoint, origin, short_leaf};
use crate::evidence::note::{Note, NoteError};
use crate::evidence::tree::{Tree, leaf_hash};
use crate::evidence::{HeldHead, VerifierKey};

/// The evidence is not what it must be.
#[derive(Debug, thiserror::Error)]
pub enum Alarm {
    /// A line is no record.
    #[error("line {number} of the run is no record: {source}")]
    NoRecord {
        /// Its place.
        number: u64,
        /// Why.
        source: LineError,
    },
    /// A record says it stands elsewhere.
    #[error("the line in place {number} says it is record {found}: a record is missing, added or moved")]
    Moved {
        /// Its place.
        number: u64,
        /// What it says.
        found: u64,
    },
    /// A record is not the one that was signed for.
    #[error("record {0} was altered: it is not the one that was signed for")]
    Altered(u64),
    /// The records do not come to the root that was signed.
    #[error("the root of the first {0} records is not the one that was signed")]
    Root(u64),
    /// A checkpoint is not as it must be.
    #[error("checkpoint {place}: {what}")]
    Checkpoint {
        /// Its place.
        place: u64,
        /// What is wrong.
        what: String,
    },
    /// The run has another history than the one seen before.
    #[error(
        "THIS IS ANOTHER HISTORY OF THE RUN: its first {size} records come to the root {found}, and the head you hold says \
         {held}; both are signed"
    )]
    AnotherHistory {
        /// Records that the held head covers.
        size: u64,
        /// The root they come to.
        found: Digest,
        /// The root held.
        held: Digest,
    },
    /// The run has fewer records than it had, or fewer than are signed for.
    #[error("THE RUN IS SHORTER THAN IT WAS: {expected} records were signed for, and {found} are here")]
    Shorter {
        /// Records signed for.
        expected: u64,
        /// Records here.
        found: u64,
    },
    /// Records stand after the end.
    #[error("records stand after the final checkpoint, from record {0} on")]
    AfterTheEnd(u64),
}

/// The head a witness holds, with the note that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Records it covers.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
    /// Whether the run ends there.
    pub is_final: bool,
    /// The signed note, octet for octet.
    pub note: String,
}

/// Who checks a run while it is watched.
#[derive(Debug)]
pub struct Witness {
    key: VerifierKey,
    origin: String,
    held: Option<HeldHead>,
    /// The tree over the records that a checkpoint covers, whose signature and root held.
    tree: Tree,
    /// Leaf hashes of the records after those.
    waiting: VecDeque<[u8; 32]>,
    /// Signed checkpoints that cover more records than have come.
    ahead: VecDeque<(Checkpoint, String)>,
    received: u64,
    checkpoints: u64,
    /// Records covered by the last checkpoint that came, and whether that was the final one.
    last: (u64, bool),
    head: Option<Head>,
}

impl Witness {
    /// Who checks this run by this key, and holds a head of it, perhaps, from before.
    pub fn new(key: VerifierKey, run: &RunId, held: Option<HeldHead>) -> Self {
        let origin = origin(key.name(), run);
        Self {
            key,
            origin,
            held,
            tree: Tree::default(),
            waiting: VecDeque::new(),
            ahead: VecDeque::new(),
            received: 0,
            checkpoints: 0,
            last: (0, false),
            head: None,
        }
    }

    /// How many records have come.
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// How many checkpoints have come.
    pub const fn checkpoints(&self) -> u64 {
        self.checkpoints
    }

    /// Whether the whole run has come, to its final checkpoint.
    pub fn is_complete(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.is_final)
    }

    /// The latest head that was checked.
    pub const fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Takes the next line, line feed included.
    ///
    /// # Errors
    /// [`Alarm`].
    pub fn take_line(&mut self, line: &[u8]) -> Result<Record, Alarm> {
        let number = self.received;
        let record = Record::from_line(line).map_err(|source| Alarm::NoRecord { number, source })?;
        if record.sequence.0 != number {
            return Err(Alarm::Moved { number, found: record.sequence.0 });
        }
        self.waiting.push_back(leaf_hash(line));
        self.received += 1;
        while self.ahead.front().is_some_and(|(ahead, _)| ahead.size <= self.received) {
            if let Some((checkpoint, note)) = self.ahead.pop_front() {
                self.cover(&checkpoint, note)?;
            }
        }
        Ok(record)
    }

    /// Takes whole signed notes, one after the other.
    ///
    /// # Errors
    /// [`Alarm`].
    pub fn take_notes(&mut self, notes: &str) -> Result<(), Alarm> {
        let mut rest = notes;
        while !rest.is_empty() {
            let (note, after) = Note::take(rest).map_err(|e| self.wrong(e))?;
            let whole = rest[..rest.len() - after.len()].to_owned();
            let checkpoint = self.accept(&note)?;
            self.checkpoints += 1;
            self.last = (checkpoint.size, checkpoint.is_final);
            match checkpoint.size <= self.received {
                true => self.cover(&checkpoint, whole)?,
                false => self.ahead.push_back((checkpoint, whole)),
            }
            rest = after;
        }
        Ok(())
    }

    fn wrong(&self, what: impl ToString) -> Alarm {
        Alarm::Checkpoint { place: self.checkpoints, what: what.to_string() }
    }

    fn accept(&self, note: &Note<'_>) -> Result<Checkpoint, Alarm> {
        note.verify(&self.key).map_err(|e: NoteError| self.wrong(e))?;
        let checkpoint = Checkpoint::from_text(note.text)
            .ok_or_else(|| self.wrong("what is signed is not a checkpoint as a lab writes them"))?;
        if checkpoint.origin != self.origin {
            return Err(self.wrong(format!("it belongs to {}, not to {}", checkpoint.origin, self.origin)));
        }
        let (before, was_final) = self.last;
        if was_final {
            return Err(self.wrong("it follows the final checkpoint"));
        }
        let listed = checkpoint.leaves.len() as u64;
        match checkpoint.size.checked_sub(before) == Some(listed) && listed > 0 {
            true => Ok(checkpoint),
            false => Err(self
                .wrong(format!("it covers {} records after {before}, and lists {listed}", checkpoint.size))),
        }
    }

    /// Grows the tree to a signed checkpoint, and holds its leaves and its root against what came.
    fn cover(&mut self, checkpoint: &Checkpoint, note: String) -> Result<(), Alarm> {
        for short in &checkpoint.leaves {
            let number = self.tree.size();
            let leaf = self.waiting.pop_front().filter(|leaf| short_leaf(leaf) == *short);
            self.tree.push(leaf.ok_or(Alarm::Altered(number))?);
            self.meet()?;
        }
        let Checkpoint { size, root, is_final, .. } = *checkpoint;
        if self.tree.root() != root {
            return Err(Alarm::Root(size));
        }
        self.head = Some(Head { size, root, is_final, note });
        Ok(())
    }

    /// Where the run has come to where the held head was, its root must be the same.
    fn meet(&self) -> Result<(), Alarm> {
        let Some(held) = self.held.as_ref().filter(|held| held.size == self.tree.size()) else {
            return Ok(());
        };
        match self.tree.root() {
            found if found == held.root => Ok(()),
            found => Err(Alarm::AnotherHistory { size: held.size, found, held: held.root }),
        }
    }

    /// Everything there is has come: what was signed for, and what was held, must be among it.
    ///
    /// # Errors
    /// [`Alarm`].
    pub fn at_end(&self) -> Result<(), Alarm> {
        let found = self.tree.size();
        let held = self.held.as_ref().map_or(0, |held| held.size);
        let expected = self.last.0.max(held);
        if found < expected {
            return Err(Alarm::Shorter { expected, found });
        }
        match self.last.1 && self.received > self.last.0 {
            true => Err(Alarm::AfterTheEnd(self.last.0)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{LabKey, Recorder, RunEnd, RunFolder};
    use crate::gate::sample;
    use proto_lab::record::{Body, Note as Remark};

    fn key() -> LabKey {
        LabKey::ephemeral("lab".parse().unwrap())
    }

    /// Lines and checkpoints of a finished run of these notes.
    fn run(key: &LabKey, notes: &[&str]) -> (Vec<String>, String) {
        let dir = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(dir.path().join("run-1"));
        let mut recorder = Recorder::create(folder.clone(), sample::first("run-1"), key.clone()).unwrap();
        for what in notes {
            recorder.append(Body::Note(Remark { who: "lab".into(), what: (*what).into() })).unwrap();
        }
        recorder.finish(RunEnd::Completed).unwrap();
        let lines = std::fs::read_to_string(folder.records()).unwrap();
        let lines = lines.split_inclusive('\n').map(str::to_owned).collect();
        (lines, std::fs::read_to_string(folder.checkpoints()).unwrap())
    }

    fn witness(key: &LabKey, held: Option<&Head>) -> Witness {
        let held = held.map(|head| HeldHead::read(&head.note, &key.verifier()).unwrap());
        Witness::new(key.verifier(), &"run-1".parse().unwrap(), held)
    }

    fn seen(mut witness: Witness, (lines, notes): &(Vec<String>, String)) -> Result<Head, Alarm> {
        for line in lines {
            witness.take_line(line.as_bytes())?;
        }
        witness.take_notes(notes)?;
        witness.at_end()?;
        Ok(witness.head().unwrap().clone())
    }

    #[test]
    fn a_sound_run_comes_to_its_final_head_whichever_came_first() {
        let key = key();
        let (lines, notes) = run(&key, &["one", "two"]);
        let head = seen(witness(&key, None), &(lines.clone(), notes.clone())).unwrap();
        assert!(head.is_final && head.size == 4);
        let mut other_way = witness(&key, Some(&head));
        other_way.take_notes(&notes).unwrap();
        assert!(matches!(other_way.at_end(), Err(Alarm::Shorter { expected: 4, found: 0 })));
        for line in &lines {
            other_way.take_line(line.as_bytes()).unwrap();
        }
        other_way.at_end().unwrap();
        assert_eq!(other_way.head(), Some(&head));
    }

    #[test]
    fn what_was_altered_moved_or_cut_is_an_alarm() {
        let key = key();
        let (lines, notes) = run(&key, &["one", "two"]);
        let come_to = |lines: Vec<String>| seen(witness(&key, None), &(lines, notes.clone())).unwrap_err();
        let mut altered = lines.clone();
        altered[2] = altered[2].replace("two", "TWO");
        assert!(matches!(come_to(altered), Alarm::Altered(2)));
        let mut moved = lines.clone();
        moved.swap(1, 2);
        assert!(matches!(come_to(moved), Alarm::Moved { number: 1, found: 2 }));
        assert!(matches!(come_to(lines[..3].to_vec()), Alarm::Shorter { expected: 4, found: 1..=3 }));
        let foreign = run(&self::key(), &["one", "two"]);
        assert!(matches!(seen(witness(&key, None), &foreign), Err(Alarm::Checkpoint { place: 0, .. })));
    }

    #[test]
    fn another_history_is_found_by_whoever_holds_the_head_of_the_first() {
        let key = key();
        let head = seen(witness(&key, None), &run(&key, &["one", "two"])).unwrap();
        let again = |notes: &[&str]| seen(witness(&key, Some(&head)), &run(&key, notes)).unwrap_err();
        assert!(matches!(again(&["one", "2"]), Alarm::AnotherHistory { size: 4, .. }));
        assert!(matches!(again(&["one"]), Alarm::Shorter { expected: 4, found: 3 }));
    }
}
