//! How the program ends: exit codes, and errors with the advice that only the command line can give.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use proto_lab::record::Verdict;

/// What the program exits with. Documented in the README; scripts of other people depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; a run passed, evidence is sound.
    Done,
    /// A verdict against what was examined: a run failed, evidence is not sound, a message's signature does not hold.
    Failed,
    /// The command line, a lab file, a script or a message could not be understood.
    BadInput,
    /// The lab could not do it: a link, a rig that is not as declared, evidence that cannot be written.
    Error,
    /// A run ended and its outcome cannot be told.
    Inconclusive,
    /// Stopped by a person.
    Aborted,
}

impl Exit {
    /// The number the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::BadInput => 2,
            Self::Error => 3,
            Self::Inconclusive => 4,
            Self::Aborted => 130,
        }
    }
}

impl From<Verdict> for Exit {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Done,
            Verdict::Fail => Self::Failed,
            Verdict::Error => Self::Error,
            Verdict::NotRun | Verdict::Inconclusive => Self::Inconclusive,
            Verdict::Aborted => Self::Aborted,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error as the command line shows it: the chain of what went wrong, then what to do.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: Box<dyn Error + Send + Sync>,
    verdict: Option<String>,
    hints: Vec<String>,
}

impl Failure {
    /// An error that ends the program with this exit.
    pub fn new(exit: Exit, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit, error: error.into(), verdict: None, hints: Vec::new() }
    }

    /// Input that could not be understood.
    pub fn input(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Exit::BadInput, error)
    }

    /// Something the lab could not do.
    pub fn lab(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Exit::Error, error)
    }

    /// The same, ending in a verdict.
    #[must_use]
    pub fn verdict(mut self, verdict: impl Into<String>) -> Self {
        self.verdict = Some(verdict.into());
        self
    }

    /// The same with one more piece of advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What the program exits with.
    pub const fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.error)?;
        let mut said = self.error.to_string();
        let mut cause = self.error.source();
        while let Some(next) = cause {
            let text = next.to_string();
            // Libraries that already quote their cause would otherwise say it twice.
            if !said.contains(&text) {
                writeln!(f, "  because: {text}")?;
            }
            said = text;
            cause = next.source();
        }
        if let Some(verdict) = &self.verdict {
            writeln!(f, "  verdict: {verdict}")?;
        }
        for hint in &self.hints {
            writeln!(f, "  hint: {hint}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the run folder cannot be written")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn a_failure_prints_its_chain_then_its_hints() {
        let failure =
            Failure::lab(Outer(std::io::Error::other("disk full"))).hint("free some space, then run again");
        insta::assert_snapshot!(failure.to_string(), @r"
        error: the run folder cannot be written
          because: disk full
          hint: free some space, then run again
        ");
        assert_eq!(failure.exit().code(), 3);
    }

    #[test]
    fn each_verdict_has_an_exit_and_only_a_pass_is_zero() {
        for verdict in Verdict::ALL {
            assert_eq!(Exit::from(verdict).code() == 0, verdict == Verdict::Pass, "{verdict}");
        }
    }
}
