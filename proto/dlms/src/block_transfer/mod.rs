//! General block transfer: any APDU, plain or ciphered, in blocks, several in a row, lost ones sent again
//! (IEC 62056-5-3, 6.13).
//!
//! Both ends run the same machine, [`Transfer`]: one exchange, in which each may send one APDU. Every block says how
//! many blocks its sender takes in a row (its window), its own number, and the last number received in turn. A sender
//! marks all blocks of a window but the last as *streaming*; at the last the receiver answers with what it has, and
//! the sender goes on, or goes back to the first block that was lost. An acknowledgement is a block without data. The
//! answer acknowledges the request: nobody waits for more.
//!
//! ```text
//! client                                                 meter
//!   last, window 3, number 1, acknowledges 0: request  ->
//!        <-  streaming, number 1, acknowledges 1: answer ...
//!        <-  streaming, number 2    (lost)
//!        <-  number 3
//!   last, number 2, acknowledges 1, no data            ->
//!        <-  streaming, number 2
//!        <-  last, number 3: ... answer
//! ```
//!
//! A sender that wants no acknowledgement (a push) says window 0 and does not stream; who misses a block then has lost
//! the APDU. See [`push`](crate::push).
//!
//! Numbers: peers differ in whether a new exchange begins at 1 again; either is taken.

mod outgoing;
#[cfg(test)]
mod tests;

use outgoing::Outgoing;

use thiserror::Error;

use crate::apdu::{BlockWindow, GeneralBlock};
use crate::octets::length_size;

/// How one end takes part in general block transfers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TransferSettings {
    /// Blocks this end takes in a row.
    pub(crate) window: BlockWindow,
    /// Longest APDU taken.
    pub(crate) max_apdu: usize,
}

/// Octets of a block before the length of its data.
const HEADER: usize = 6;
/// Octets of a block for a far end that names no limit.
const UNLIMITED: u16 = 1024;
/// Times in a row the same block may be asked for, or sent, again.
const RECOVERIES: u32 = 8;

/// Why a general block transfer cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The APDU grows beyond what this end takes.
    #[error("an APDU of more than {limit} octets in blocks; raise the limit if it is really that long")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// The far end acknowledges a block that was not sent.
    #[error("block {found} is acknowledged, but {sent} was the last sent")]
    NotSent {
        /// The number acknowledged.
        found: u16,
        /// The last number sent.
        sent: u16,
    },
    /// The same block was lost again and again.
    #[error("block {number} did not come through in {times} attempts")]
    NoProgress {
        /// The block.
        number: u16,
        /// How often it was asked for or sent.
        times: u32,
    },
    /// There are more blocks than numbers.
    #[error("{octets} octets do not fit 65535 blocks of {block}")]
    TooManyBlocks {
        /// Octets of the APDU.
        octets: usize,
        /// Octets in a block.
        block: usize,
    },
    /// A block is missing where nobody sends it again.
    #[error("block {found} arrived, expected block {expected}; the message is lost")]
    Gap {
        /// The number found.
        found: u16,
        /// The number expected.
        expected: u16,
    },
}

/// What a block led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Nothing yet: more of this window is to come.
    Nothing,
    /// Blocks to send, in this order.
    Send(Vec<GeneralBlock>),
    /// The far end's APDU is complete.
    Complete(Vec<u8>),
}

/// One exchange.
#[derive(Debug)]
pub(crate) struct Transfer {
    settings: TransferSettings,
    outgoing: Option<Outgoing>,
    /// The last number this end used, for data or acknowledgement.
    number: u16,
    /// The last number of this end that the far end says it has. What it has not, it does not know of: the number is
    /// used again, so that an acknowledgement lost is no gap in the numbers, and one doubled is known for it.
    known: u16,
    /// Blocks the far end takes in a row.
    far_window: u8,
    received: Vec<u8>,
    /// The number the far end's next block of data must have; `None` before the first block.
    next: Option<u16>,
    /// The highest number of the far end taken in turn, acknowledgements among them.
    seen: u16,
    /// Recoveries since the last progress.
    recoveries: u32,
}

impl Transfer {
    pub(crate) fn new(settings: TransferSettings) -> Self {
        Self {
            settings,
            outgoing: None,
            number: 0,
            known: 0,
            far_window: 1,
            received: Vec::new(),
            next: None,
            seen: 0,
            recoveries: 0,
        }
    }

    /// Octets of data in a block, for a far end that takes APDUs of so many octets; 0 means no limit.
    pub(crate) fn block_size(max_pdu: u16) -> usize {
        let limit = usize::from(if max_pdu == 0 { UNLIMITED } else { max_pdu });
        limit.saturating_sub(HEADER + length_size(limit)).max(1)
    }

    /// Starts sending an APDU in blocks of so many octets of data: the first window.
    pub(crate) fn send(&mut self, apdu: Vec<u8>, block: usize) -> Result<Vec<GeneralBlock>, TransferError> {
        let outgoing = Outgoing::new(apdu, block.max(1), self.known)?;
        self.outgoing = Some(outgoing);
        self.recoveries = 0;
        Ok(self.window())
    }

    /// Takes a block of the far end.
    pub(crate) fn receive(&mut self, block: GeneralBlock) -> Result<Taken, TransferError> {
        if block.window != BlockWindow::NONE {
            self.far_window = block.window.get();
        }
        self.known = self.known.max(block.acknowledged);
        if self.is_request_again(&block) {
            return self.answer_again(&block);
        }
        match &mut self.outgoing {
            Some(outgoing) if !outgoing.is_all_sent() || block.data.is_empty() && self.next.is_none() => {
                if block.number <= self.seen {
                    // The line doubled it.
                    return Ok(Taken::Nothing);
                }
                let progress = outgoing.acknowledge(block.acknowledged)?;
                self.seen = self.seen.max(block.number);
                self.go_on(progress)
            }
            // Data is the answer, which acknowledges the whole request.
            _ => self.take(block),
        }
    }

    /// Whether the far end has not heard our answer and sends its request again.
    fn is_request_again(&self, block: &GeneralBlock) -> bool {
        self.outgoing.is_some() && self.next.is_none() && block.number <= self.seen && !block.data.is_empty()
    }

    fn answer_again(&mut self, block: &GeneralBlock) -> Result<Taken, TransferError> {
        if block.streaming && !block.last {
            return Ok(Taken::Nothing);
        }
        let number = self.outgoing.as_mut().map_or(1, |outgoing| {
            outgoing.rewind();
            outgoing.next_number()
        });
        self.note(false, number)?;
        Ok(Taken::Send(self.window()))
    }

    /// Sends the next window, or the one that was lost again.
    fn go_on(&mut self, progress: bool) -> Result<Taken, TransferError> {
        let Some(outgoing) = &self.outgoing else { return Ok(Taken::Nothing) };
        if outgoing.is_all_acknowledged() {
            return Ok(Taken::Nothing);
        }
        let number = outgoing.next_number();
        self.note(progress, number)?;
        Ok(Taken::Send(self.window()))
    }

    fn take(&mut self, block: GeneralBlock) -> Result<Taken, TransferError> {
        let next = self.next.unwrap_or_else(|| self.first(block.number));
        let window_ends = !block.streaming || block.last;
        if block.number != next {
            return if window_ends { self.recover(next) } else { Ok(Taken::Nothing) };
        }
        if self.received.len() + block.data.len() > self.settings.max_apdu {
            return Err(TransferError::TooLong { limit: self.settings.max_apdu });
        }
        self.received.extend_from_slice(&block.data);
        self.recoveries = 0;
        self.seen = next;
        self.next = Some(next.wrapping_add(1));
        if block.last {
            self.next = None;
            return Ok(Taken::Complete(std::mem::take(&mut self.received)));
        }
        Ok(if window_ends { Taken::Send(vec![self.acknowledgement(self.known)]) } else { Taken::Nothing })
    }

    /// The number a far end's first block of data has: behind its acknowledgements, where it sent any; else 1.
    fn first(&self, found: u16) -> u16 {
        let following = self.seen.wrapping_add(1);
        if found == following || self.seen > 0 { following } else { 1 }
    }

    /// Asks again for the block that is missing.
    fn recover(&mut self, missing: u16) -> Result<Taken, TransferError> {
        self.note(false, missing)?;
        Ok(Taken::Send(vec![self.acknowledgement(self.known)]))
    }

    fn note(&mut self, progress: bool, number: u16) -> Result<(), TransferError> {
        self.recoveries = if progress { 0 } else { self.recoveries + 1 };
        match self.recoveries {
            times if times > RECOVERIES => Err(TransferError::NoProgress { number, times }),
            _ => Ok(()),
        }
    }

    /// What to send when nothing more came in time: the last window again, or what was received. Safe at any time, for
    /// the far end knows a block it has had.
    pub(crate) fn repeat(&mut self) -> Result<Vec<GeneralBlock>, TransferError> {
        let unanswered = match &mut self.outgoing {
            Some(outgoing) if self.next.is_none() => outgoing.rewind(),
            _ => false,
        };
        let number = self.next.unwrap_or(1);
        self.note(false, number)?;
        Ok(if unanswered { self.window() } else { vec![self.acknowledgement(self.known.max(self.number))] })
    }

    /// The blocks of a window from the first that is not acknowledged.
    fn window(&mut self) -> Vec<GeneralBlock> {
        let (window, acknowledged) = (self.settings.window, self.seen);
        let Some(outgoing) = &mut self.outgoing else { return Vec::new() };
        let blocks: Vec<_> = outgoing
            .window(usize::from(self.far_window.max(1)))
            .map(|(number, last, streaming, data)| GeneralBlock {
                last,
                streaming,
                window,
                number,
                acknowledged,
                data,
            })
            .collect();
        self.number = blocks.last().map_or(self.number, |block| block.number.max(self.number));
        blocks
    }

    fn acknowledgement(&mut self, behind: u16) -> GeneralBlock {
        self.number = behind.wrapping_add(1);
        GeneralBlock {
            last: true,
            streaming: false,
            window: self.settings.window,
            number: self.number,
            acknowledged: self.seen,
            data: Vec::new(),
        }
    }
}
