//! How devices of a model take firmware images.

use std::fmt;
use std::time::Duration;

use crate::document::{FileError, Table};

crate::vocabulary! {
    /// Whether a device takes firmware older than what it runs.
    pub enum Downgrade {
        /// It takes any version its maker signed.
        Allowed = "allowed",
        /// It refuses a version that does not come after its own. Versions of a model are compared as text.
        Refused = "refused",
    }
}

/// How devices of a model take firmware images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageTransferTraits {
    /// Octets of a block (class 18, attribute 2); the last one of an image may be shorter.
    pub block: u16,
    /// Octets of the largest image there is room for.
    pub room: u32,
    /// How long the device starts over once an image is put to work.
    pub start: Duration,
    /// Whether it takes firmware older than its own.
    pub downgrade: Downgrade,
}

impl Default for ImageTransferTraits {
    /// What the simulated devices do where their Device Model says nothing: no published figure is behind it.
    fn default() -> Self {
        let start = Duration::from_secs(10);
        Self { block: 256, room: 1 << 20, start, downgrade: Downgrade::Allowed }
    }
}

impl fmt::Display for ImageTransferTraits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { block, room, start, downgrade } = self;
        write!(f, "blocks of {block} octets, room for {room}, starts in {start:?}, downgrade {downgrade}")
    }
}

pub(super) fn image_transfer(table: &mut Table<'_>) -> Result<ImageTransferTraits, FileError> {
    let usual = ImageTransferTraits::default();
    let block = table.read("block", |item| item.integer(16..=1024, "octets of a block"))?;
    let room = table.read("room", |item| item.integer(1024..=10_240_000, "octets of the largest image"))?;
    let start = table.read("start-seconds", |item| item.integer::<u64>(1..=600, "seconds to start over"))?;
    let downgrade = table.read("downgrade", |item| item.parse("`allowed` or `refused`"))?;
    Ok(ImageTransferTraits {
        block: block.unwrap_or(usual.block),
        room: room.unwrap_or(usual.room),
        start: start.map_or(usual.start, Duration::from_secs),
        downgrade: downgrade.unwrap_or(usual.downgrade),
    })
}
