//! An APDU cut into blocks, and how far it has come.

use super::TransferError;

/// An APDU on its way in blocks.
#[derive(Debug)]
pub(super) struct Outgoing {
    apdu: Vec<u8>,
    /// Octets in every block but the last. At least 1.
    chunk: usize,
    /// The number before that of the first block.
    base: u16,
    /// How many blocks there are. At least 1, and `base + count` is a number.
    count: u16,
    /// Blocks acknowledged in turn.
    acknowledged: u16,
    /// Blocks sent; falls back when some were lost.
    sent: u16,
    /// Blocks ever sent.
    reached: u16,
}

impl Outgoing {
    pub(super) fn new(apdu: Vec<u8>, chunk: usize, base: u16) -> Result<Self, TransferError> {
        let too_many = TransferError::TooManyBlocks { octets: apdu.len(), block: chunk };
        let count = u16::try_from(apdu.len().div_ceil(chunk).max(1)).ok();
        let count = count.filter(|count| base.checked_add(*count).is_some()).ok_or(too_many)?;
        Ok(Self { apdu, chunk, base, count, acknowledged: 0, sent: 0, reached: 0 })
    }

    pub(super) fn is_all_sent(&self) -> bool {
        self.reached == self.count
    }

    pub(super) fn is_all_acknowledged(&self) -> bool {
        self.acknowledged == self.count
    }

    /// The number of the block to send next.
    pub(super) fn next_number(&self) -> u16 {
        self.base + self.sent.min(self.count - 1) + 1
    }

    /// Takes the number of the last block the far end has; whether that is more than before.
    pub(super) fn acknowledge(&mut self, number: u16) -> Result<bool, TransferError> {
        let found = number.saturating_sub(self.base);
        if found > self.reached {
            return Err(TransferError::NotSent { found: number, sent: self.base + self.reached });
        }
        let progress = found > self.acknowledged;
        // An older acknowledgement, late: what is known stays known.
        self.acknowledged = found.max(self.acknowledged);
        self.sent = self.acknowledged;
        Ok(progress)
    }

    /// Goes back to the first block not acknowledged; whether there is one.
    pub(super) fn rewind(&mut self) -> bool {
        self.sent = self.acknowledged;
        !self.is_all_acknowledged()
    }

    /// The next blocks, as many as the far end takes in a row: number, whether last of all, whether more follow in the
    /// window, data.
    pub(super) fn window(&mut self, size: usize) -> impl Iterator<Item = (u16, bool, bool, Vec<u8>)> {
        let size = u16::try_from(size).unwrap_or(u16::MAX);
        let from = self.sent;
        let end = from.saturating_add(size).min(self.count);
        self.sent = end;
        self.reached = self.reached.max(end);
        (from..end).map(move |at| {
            let start = usize::from(at) * self.chunk;
            let data = self.apdu.get(start..).unwrap_or_default();
            let data = data[..data.len().min(self.chunk)].to_vec();
            (self.base + at + 1, at + 1 == self.count, at + 1 < end, data)
        })
    }
}
