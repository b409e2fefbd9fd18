//! Optical heads that repeat every octet sent through them.
//!
//! A two-wire head hears itself: what is sent comes back ahead of the meter's answer. A [`EchoCanceller`] finds out
//! whether a head does so, and takes the repetition out of what is received.

use std::collections::VecDeque;

/// What is known of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Echo {
    /// Not known: if what is sent comes back whole, it is taken for a repetition.
    #[default]
    Unknown,
    /// It repeats what is sent.
    Present,
    /// It does not.
    Absent,
}

/// Takes the repetition of what was sent out of what is received.
#[derive(Debug, Clone, Default)]
pub struct EchoCanceller {
    echo: Echo,
    /// Sent, and not yet come back.
    awaited: VecDeque<u8>,
    /// Come back so far. Where the rest does not follow it was an answer after all, and is given out late.
    held: Vec<u8>,
}

impl EchoCanceller {
    /// A canceller for a head of which this much is known.
    pub fn new(echo: Echo) -> Self {
        Self { echo, ..Self::default() }
    }

    /// What is known by now.
    pub fn echo(&self) -> Echo {
        self.echo
    }

    /// Takes note of what is sent.
    pub fn sent(&mut self, octets: &[u8]) {
        if self.echo != Echo::Absent {
            self.awaited.extend(octets);
        }
    }

    /// Takes the repetition out of what is received.
    pub fn received(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut passed = Vec::new();
        for octet in octets {
            match self.awaited.front() {
                Some(awaited) if awaited == octet => self.hold(*octet),
                Some(_) => {
                    passed.append(&mut self.held);
                    self.awaited.clear();
                    passed.push(*octet);
                }
                None => passed.push(*octet),
            }
        }
        passed
    }

    fn hold(&mut self, octet: u8) {
        self.held.push(octet);
        self.awaited.pop_front();
        if self.awaited.is_empty() {
            self.echo = Echo::Present;
            self.held.clear();
        }
    }

    /// Expects no repetition of what has been sent so far: it is too late for it.
    pub fn forget(&mut self) {
        self.awaited.clear();
        self.held.clear();
    }

    /// A whole exchange has gone by: a head that has not repeated it does not repeat.
    pub fn conclude(&mut self) {
        self.forget();
        if self.echo == Echo::Unknown {
            self.echo = Echo::Absent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    #[test]
    fn a_repetition_is_taken_out_and_remembered() {
        let mut canceller = EchoCanceller::default();
        canceller.sent(b"/?!\r\n");
        assert_eq!(canceller.received(b"/?!\r\n/ABC5"), b"/ABC5");
        assert_eq!(canceller.echo(), Echo::Present);
    }

    #[test]
    fn an_answer_that_begins_like_the_question_is_given_out_whole() {
        let mut canceller = EchoCanceller::default();
        canceller.sent(b"/?!\r\n");
        assert_eq!(canceller.received(b"/"), b"");
        assert_eq!(canceller.received(b"ABC5"), b"/ABC5");
        canceller.conclude();
        canceller.sent(b"\x06252\r\n");
        assert_eq!(canceller.received(b"\x06252\r\n"), b"\x06252\r\n");
    }

    proptest! {
        #[test]
        fn an_echoing_head_is_as_good_as_one_that_does_not_echo(
            exchanges in vec((vec(any::<u8>(), 1..20), vec(any::<u8>(), 0..20)), 1..5), cut in 1usize..8
        ) {
            let mut canceller = EchoCanceller::new(Echo::Present);
            for (sent, answer) in exchanges {
                canceller.sent(&sent);
                let line = [sent, answer.clone()].concat();
                let received: Vec<u8> = line.chunks(cut).flat_map(|chunk| canceller.received(chunk)).collect();
                prop_assert_eq!(received, answer);
            }
        }
    }
}
