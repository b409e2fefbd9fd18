//! Verdicts and their counts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a step, a script or a run came to. Ordered so that the worst wins: `max` of the parts is the verdict of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Not executed.
    NotRun,
    /// Executed, and everything expected was found.
    Pass,
    /// Executed, but what happened cannot be told: a crash between stimulus and observation, a person who did not answer.
    Inconclusive,
    /// Executed, and something expected was not found.
    Fail,
    /// Stopped by a person before it could end.
    Aborted,
    /// The lab itself failed: a link, a rig that is not as declared, evidence that cannot be written.
    Error,
}

impl Verdict {
    /// All verdicts, best first.
    pub const ALL: [Self; 6] =
        [Self::NotRun, Self::Pass, Self::Inconclusive, Self::Fail, Self::Aborted, Self::Error];

    /// The worst of these; not run when there are none.
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().max().unwrap_or(Self::NotRun)
    }

    /// The verdict in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotRun => "not run",
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Aborted => "aborted",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// How many scripts came to each verdict (9.4(b) to (d)).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Counts {
    /// Planned and not executed.
    pub not_run: u64,
    /// Passed, on whatever attempt.
    pub pass: u64,
    /// Executed without a result that can be told.
    pub inconclusive: u64,
    /// Failed.
    pub fail: u64,
    /// Stopped by a person.
    pub aborted: u64,
    /// Ended by a failure of the lab.
    pub error: u64,
    /// Of those passed, how many did so only after an attempt that did not.
    pub pass_on_retry: u64,
}

impl Counts {
    /// Counts one more of this verdict.
    pub fn add(&mut self, verdict: Verdict) {
        *self.slot(verdict) += 1;
    }

    /// How many of this verdict.
    pub const fn of(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::NotRun => self.not_run,
            Verdict::Pass => self.pass,
            Verdict::Inconclusive => self.inconclusive,
            Verdict::Fail => self.fail,
            Verdict::Aborted => self.aborted,
            Verdict::Error => self.error,
        }
    }

    fn slot(&mut self, verdict: Verdict) -> &mut u64 {
        match verdict {
            Verdict::NotRun => &mut self.not_run,
            Verdict::Pass => &mut self.pass,
            Verdict::Inconclusive => &mut self.inconclusive,
            Verdict::Fail => &mut self.fail,
            Verdict::Aborted => &mut self.aborted,
            Verdict::Error => &mut self.error,
        }
    }

    /// How many were executed.
    pub fn run(&self) -> u64 {
        self.total() - self.not_run
    }

    /// How many were planned.
    pub fn total(&self) -> u64 {
        Verdict::ALL.iter().map(|v| self.of(*v)).sum()
    }

    /// The worst verdict of which there is at least one.
    pub fn worst(&self) -> Verdict {
        Verdict::worst(Verdict::ALL.into_iter().filter(|v| self.of(*v) > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_verdict_wins() {
        assert_eq!(Verdict::worst([]), Verdict::NotRun);
        assert_eq!(Verdict::worst([Verdict::NotRun, Verdict::Pass]), Verdict::Pass);
        assert_eq!(Verdict::worst([Verdict::Fail, Verdict::Inconclusive]), Verdict::Fail);
        assert_eq!(Verdict::worst([Verdict::Error, Verdict::Aborted]), Verdict::Error);
    }

    #[test]
    fn counts_keep_not_run_apart_from_run() {
        let mut counts = Counts::default();
        for verdict in [Verdict::Pass, Verdict::Pass, Verdict::NotRun, Verdict::Fail] {
            counts.add(verdict);
        }
        assert_eq!((counts.total(), counts.run(), counts.pass), (4, 3, 2));
        assert_eq!(counts.worst(), Verdict::Fail);
    }
}
