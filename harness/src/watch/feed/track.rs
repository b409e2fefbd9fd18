//! The two files of a run that are followed, and what stands whole in each.

use std::path::PathBuf;

use crate::evidence::RunFolder;

/// Which file of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Track {
    /// `records.jsonl`, by lines.
    Records,
    /// `checkpoints`, by signed notes.
    Notes,
}

impl Track {
    /// The name of the file.
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Records => "records.jsonl",
            Self::Notes => "checkpoints",
        }
    }

    /// What it is counted by.
    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::Records => "record",
            Self::Notes => "checkpoint",
        }
    }

    pub(super) fn path(self, folder: &RunFolder) -> PathBuf {
        match self {
            Self::Records => folder.records(),
            Self::Notes => folder.checkpoints(),
        }
    }

    /// How many octets of these make whole lines or notes, of `enough` octets or a little more, and how many they are.
    pub(super) fn whole(self, octets: &[u8], enough: usize) -> (usize, u64) {
        let (mut taken, mut number) = (0, 0);
        while taken < enough
            && let Some(next) = octets.get(taken..).and_then(|rest| self.first(rest))
        {
            taken += next;
            number += 1;
        }
        (taken, number)
    }

    /// How long the first so many lines or notes are.
    pub(super) fn octets_of(self, octets: &[u8], number: u64) -> u64 {
        let mut passed = 0;
        for _ in 0..number {
            let Some(next) = octets.get(passed..).and_then(|rest| self.first(rest)) else { break };
            passed += next;
        }
        passed as u64
    }

    /// How long the first line or note is, if it is whole.
    fn first(self, octets: &[u8]) -> Option<usize> {
        let line = |from: usize| octets.get(from..)?.iter().position(|o| *o == b'\n').map(|at| from + at + 1);
        match self {
            Self::Records => line(0),
            // A note is text, an empty line, and a line with its signature.
            Self::Notes => line(octets.windows(2).position(|pair| pair == b"\n\n")? + 2),
        }
    }
}
