//! A run as it comes from another machine: checked, shown, and its signed head kept.

use std::fs;
use std::path::{Path, PathBuf};

use proto_lab::record::{Record, RunId};
use proto_lab::watch::{CheckpointsResponse, RecordsResponse};

use super::super::Failure;
use super::super::arguments::Watch;
use super::super::say::say;
use super::super::screen::Screen;
use super::super::verify::{LAB, key};
use crate::driver::state_folder;
use crate::evidence::{HeldHead, Opening, VerifierKey};
use crate::watch::{Alarm, Witness};

/// What a witness does with an alarm.
pub(super) const ADVICE: &str = "nothing of this run from there on may be relied on: tell the lab";

/// The key the run is signed by; the one expected, where one was given.
pub(super) fn signer(verb: &Watch, first: &RecordsResponse) -> Result<VerifierKey, Failure> {
    let line = first.lines.split_inclusive(|octet| *octet == b'\n').next().unwrap_or_default();
    let record = Record::from_line(line).map_err(Failure::lab)?;
    let opening = Opening::of(&record.body).ok_or_else(|| Failure::lab("the run has no first record"))?;
    let found: VerifierKey = opening.key().verifier.parse().map_err(Failure::lab)?;
    match &verb.key {
        None => {
            say!("signed by {found}");
            say!(
                "that key came with the run, so anybody could have made it: give the one you expect with --key"
            );
        }
        Some(given) => {
            let expected: VerifierKey = key(given, LAB)?;
            if !expected.same_key(&found) {
                return Err(Failure::lab(format!(
                    "ALARM: the run is signed by {found}, and you expect {expected}"
                )));
            }
        }
    }
    Ok(found)
}

/// A run as it is watched: who checks it, where the head is kept, and the screen.
pub(super) struct Watched {
    witness: Witness,
    screen: Screen,
    file: PathBuf,
    kept: u64,
}

impl Watched {
    /// Begins, with the head that is held from before, if there is one.
    pub(super) fn begin(verb: &Watch, key: VerifierKey, run: &RunId) -> Result<Self, Failure> {
        let state = state_folder().ok_or_else(|| {
            Failure::input("there is no place to keep the head you hold")
                .hint("set HARNESS_STATE to a folder")
        })?;
        let file = state.join("heads").join(format!("{run}.head"));
        let held = held(&file, &key)?;
        let kept = held.as_ref().map_or(0, |head| head.size);
        Ok(Self { witness: Witness::new(key, run, held), screen: Screen::new(verb.json), file, kept })
    }

    /// How many records and how many checkpoints have come.
    pub(super) const fn come_to(&self) -> (u64, u64) {
        (self.witness.received(), self.witness.checkpoints())
    }

    /// Whether the run has come whole, to its final checkpoint.
    pub(super) fn is_complete(&self) -> bool {
        self.witness.is_complete()
    }

    /// Says something that is no record of the run.
    pub(super) fn aside(&self, words: &str) {
        self.screen.aside(words);
    }

    /// Takes the next lines.
    pub(super) fn take_lines(&mut self, lines: &RecordsResponse) -> Result<(), Failure> {
        for line in lines.lines.split_inclusive(|octet| *octet == b'\n') {
            let record = self.witness.take_line(line).map_err(|alarm| self.alarm(&alarm))?;
            self.screen.show(&record)?;
        }
        self.keep()
    }

    /// Takes the next signed checkpoints.
    pub(super) fn take_notes(&mut self, signed: &CheckpointsResponse) -> Result<(), Failure> {
        let text = String::from_utf8_lossy(&signed.notes);
        self.witness.take_notes(&text).map_err(|alarm| self.alarm(&alarm))?;
        self.keep()
    }

    /// Keeps the latest head that was checked, so that another history is found next time.
    fn keep(&mut self) -> Result<(), Failure> {
        let Some(head) = self.witness.head().filter(|head| head.size > self.kept) else { return Ok(()) };
        self.kept = head.size;
        let wrong = |e: std::io::Error| Failure::lab(format!("{}: {e}", self.file.display()));
        fs::create_dir_all(self.file.parent().unwrap_or(Path::new(""))).map_err(wrong)?;
        let draft = self.file.with_extension("new");
        fs::write(&draft, &head.note).and_then(|()| fs::rename(&draft, &self.file)).map_err(wrong)
    }

    /// Whether everything that was signed for has come, where nothing more comes.
    pub(super) fn at_end(&self) -> Result<(), Failure> {
        self.witness.at_end().map_err(|alarm| self.alarm(&alarm))
    }

    /// The run has come whole: says what of it is held now.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.screen.finish();
        self.at_end()?;
        if let Some(head) = self.witness.head() {
            say!("{} records are signed, and the signatures hold; root {}", head.size, head.root);
            say!("the head you hold: {}", self.file.display());
        }
        Ok(())
    }

    fn alarm(&self, alarm: &Alarm) -> Failure {
        let failure = Failure::lab(format!("ALARM: {alarm}"));
        match self.file.exists() {
            true => {
                failure.hint(format!("{ADVICE}; the head you hold is evidence, keep {}", self.file.display()))
            }
            false => failure.hint(ADVICE),
        }
    }
}

/// The head kept from before; one that this key did not sign is an alarm.
fn held(file: &Path, key: &VerifierKey) -> Result<Option<HeldHead>, Failure> {
    let text = match fs::read_to_string(file) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|e| Failure::input(format!("{}: {e}", file.display())))?,
    };
    HeldHead::read(&text, key).map(Some).map_err(|e| {
        Failure::lab(format!("ALARM: the head you hold of this run is not signed by {key}: {e}"))
            .hint(format!("another key signs the run now; the head you hold is {}", file.display()))
    })
}
