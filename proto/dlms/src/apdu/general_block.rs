//! One block of a general block transfer (IEC 62056-5-3, 6.13): part of any APDU, plain or ciphered.

use crate::octets::{DecodeError, Reader, put_string};

/// E0: a block, an acknowledgement, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneralBlock {
    /// Whether this is the sender's last block.
    pub last: bool,
    /// Whether more blocks follow before the sender wants an answer.
    pub streaming: bool,
    /// How many blocks the sender of this one takes in a row; 0 says none (an unconfirmed transfer).
    pub window: BlockWindow,
    /// The block's number, counted from 1.
    pub number: u16,
    /// Number of the last block received in turn from the other side; 0 for none.
    pub acknowledged: u16,
    /// Its part of the APDU; empty in a mere acknowledgement.
    pub data: Vec<u8>,
}

/// How many blocks one side takes in a row: 0 to 63.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockWindow(u8);

impl BlockWindow {
    /// None: for a transfer nobody acknowledges.
    pub const NONE: Self = Self(0);
    /// One block at a time.
    pub const ONE: Self = Self(1);
    /// As many as there can be.
    pub const LARGEST: Self = Self(63);

    /// A window of so many blocks; `None` above 63.
    pub fn new(blocks: u8) -> Option<Self> {
        Some(Self(blocks)).filter(|window| *window <= Self::LARGEST)
    }

    /// How many blocks.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl GeneralBlock {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let control = reader.u8("block control")?;
        Ok(Self {
            last: control & 0x80 != 0,
            streaming: control & 0x40 != 0,
            window: BlockWindow(control & 0x3F),
            number: reader.u16("block number")?,
            acknowledged: reader.u16("acknowledged block number")?,
            data: reader.string("block data")?.to_vec(),
        })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        let control = u8::from(self.last) << 7 | u8::from(self.streaming) << 6 | self.window.get();
        out.extend([0xE0, control]);
        out.extend(self.number.to_be_bytes());
        out.extend(self.acknowledged.to_be_bytes());
        put_string(out, &self.data);
    }
}
