//! A station's memory of the commands it has answered, by which a command that comes twice is done once.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::{Acknowledgement, Command, Outcome};

/// Commands remembered. A broker delivers a second time within seconds, and a lab has one command under way at a time.
const REMEMBERED: usize = 64;

/// The latest answers, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Answered(pub(super) VecDeque<Acknowledgement>);

impl Answered {
    /// The acknowledgement of a command: that given before, or what comes of doing it now. A command that comes after its
    /// time is refused and not done.
    pub fn answer(
        &mut self,
        command: &Command,
        now: Timestamp,
        act: impl FnOnce() -> Result<String, String>,
    ) -> Acknowledgement {
        if let Some(before) = self.0.iter().find(|answered| answered.id == command.id) {
            return before.clone();
        }
        let expired = command.expires.filter(|expires| *expires < now);
        let done = match expired {
            Some(expires) => Err(format!("it came at {now}, and was for before {expires}")),
            None => act(),
        };
        let (outcome, detail) = match done {
            Ok(words) => (Outcome::Done, words),
            Err(words) => (Outcome::Refused, words),
        };
        let answer = Acknowledgement { id: command.id.clone(), outcome, detail: Some(detail) };
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(answer.clone());
        answer
    }
}
