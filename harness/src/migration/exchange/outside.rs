//! A party outside, at its seat: reached by a door, and answering when it answers.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use proto_migration::{Address, Arrived, GroupId, Trust};
use tokio::time::Instant;

use super::door::{Came, Door, DoorError, Received, Settled};
use super::{Failure, Said, Seat};
use crate::migration::party::{BoxFuture, Refused};
use crate::migration::{Code, Finding};

/// Files it was handed of which it is remembered which they were.
const REMEMBERED: usize = 256;

/// A party behind a door.
#[derive(Debug)]
pub struct Outside {
    address: Address,
    door: Arc<dyn Door>,
    /// The file that was received and is not settled.
    open: Option<Received>,
    /// What it was handed, the latest last, so that it is known which of them it refuses.
    handed: VecDeque<Arrived>,
}

impl Outside {
    /// The party of this address, behind this door. A door is of one party: whatever comes in by it is taken for the party's.
    pub fn new(address: Address, door: Arc<dyn Door>) -> Self {
        Self { address, door, open: None, handed: VecDeque::new() }
    }

    fn failure(&self, error: &DoorError) -> Failure {
        let finding = match error {
            DoorError::Refused { text, .. } => by_code(text).unwrap_or_else(|| unreached(error)),
            _ => unreached(error),
        };
        Failure { by: self.address, finding, file: None }
    }
}

/// What the other side refused by, as it said it: `CODE: reason`.
fn by_code(text: &str) -> Option<Finding> {
    let (code, reason) = text.split_once(": ")?;
    let is_code =
        (1..=32).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_code.then(|| Finding { code: code.to_owned(), reason: reason.to_owned() })
}

fn unreached(error: &DoorError) -> Finding {
    Refused::new(Code::NoAnswer, error.to_string()).into()
}

impl Seat for Outside {
    fn hand<'a>(
        &'a mut self,
        file: &'a Arrived,
        _: &'a Trust,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.handed.push_back(file.clone());
            if self.handed.len() > REMEMBERED {
                self.handed.pop_front();
            }
            let sent = self.door.send(&file.file.header.name, &file.octets).await;
            sent.map_err(|error| Failure { file: Some(file.file.body.kind()), ..self.failure(&error) })
        })
    }

    fn next(&mut self, deadline: Instant) -> BoxFuture<'_, Result<Option<Said>, Failure>> {
        Box::pin(async move {
            loop {
                match self.door.receive(deadline).await.map_err(|error| self.failure(&error))? {
                    None => return Ok(None),
                    Some(Came::File(received)) => {
                        let octets = received.octets.clone();
                        self.open = Some(received);
                        return Ok(Some(Said::File(octets)));
                    }
                    Some(Came::Refused { name, settled: Settled::Refused { code, reason } }) => {
                        let file = self.handed.iter().find(|file| file.file.header.name == name);
                        if let Some(file) = file.cloned() {
                            return Ok(Some(Said::Refuses(Box::new(file), Finding { code, reason })));
                        }
                    }
                    Some(Came::Refused { .. }) => {}
                }
            }
        })
    }

    fn writes_anew(&self) -> bool {
        true
    }

    fn settle<'a>(&'a mut self, settled: Result<(), &'a Finding>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let Some(received) = self.open.take() else { return };
            let settled = match settled {
                Ok(()) => Settled::Taken,
                Err(finding) => Settled::refused(&finding.code, &finding.reason),
            };
            if let Err(error) = self.door.settle(&received, &settled).await {
                // It comes again then, and is turned away for its number.
                tracing::warn!("a file of {} was not put away: {error}", self.address);
            }
        })
    }

    fn close(&mut self, _: &GroupId) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_party_refuses_by_is_its_own_code() {
        let refused = |text: &str| by_code(text).map(|finding| (finding.code, finding.reason));
        assert_eq!(refused("LAB-F01: it ends"), Some(("LAB-F01".to_owned(), "it ends".to_owned())));
        for none in ["", "no such page", "<html>: x", ": x"] {
            assert_eq!(refused(none), None, "{none:?}");
        }
    }
}
