//! Which services an association may use (`Conformance`).

use std::fmt;
use std::ops::{BitAnd, BitOr};

/// The set of services one side offers, or both have agreed on. 24 bits; bit 0 of the standard is the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conformance(u32);

impl Conformance {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// General protection: any service in a general ciphering envelope.
    pub const GENERAL_PROTECTION: Self = Self(1 << 22);
    /// General block transfer: any service in blocks.
    pub const GENERAL_BLOCK_TRANSFER: Self = Self(1 << 21);
    /// Attribute 0 as all attributes, in a write.
    pub const ATTRIBUTE_0_WITH_SET: Self = Self(1 << 15);
    /// Priorities.
    pub const PRIORITY: Self = Self(1 << 14);
    /// Attribute 0 as all attributes, in a read.
    pub const ATTRIBUTE_0_WITH_GET: Self = Self(1 << 13);
    /// Reading in blocks.
    pub const BLOCK_TRANSFER_WITH_GET: Self = Self(1 << 12);
    /// Writing in blocks.
    pub const BLOCK_TRANSFER_WITH_SET: Self = Self(1 << 11);
    /// Invoking in blocks.
    pub const BLOCK_TRANSFER_WITH_ACTION: Self = Self(1 << 10);
    /// Several attributes or methods in one request.
    pub const MULTIPLE_REFERENCES: Self = Self(1 << 9);
    /// Data notifications.
    pub const DATA_NOTIFICATION: Self = Self(1 << 7);
    /// Several reads, writes and invocations in one request.
    pub const ACCESS: Self = Self(1 << 6);
    /// Reading.
    pub const GET: Self = Self(1 << 4);
    /// Writing.
    pub const SET: Self = Self(1 << 3);
    /// Selective access.
    pub const SELECTIVE_ACCESS: Self = Self(1 << 2);
    /// Event notifications.
    pub const EVENT_NOTIFICATION: Self = Self(1 << 1);
    /// Invoking methods.
    pub const ACTION: Self = Self(1);

    /// All this project speaks.
    pub const SPOKEN: Self = Self(
        Self::USUAL.0
            | Self::GENERAL_PROTECTION.0
            | Self::GENERAL_BLOCK_TRANSFER.0
            | Self::DATA_NOTIFICATION.0
            | Self::ACCESS.0,
    );

    /// What a client offers that has no reason to offer more: what every meter knows.
    pub const USUAL: Self = Self(
        Self::PRIORITY.0
            | Self::BLOCK_TRANSFER_WITH_GET.0
            | Self::BLOCK_TRANSFER_WITH_SET.0
            | Self::BLOCK_TRANSFER_WITH_ACTION.0
            | Self::MULTIPLE_REFERENCES.0
            | Self::GET.0
            | Self::SET.0
            | Self::SELECTIVE_ACCESS.0
            | Self::EVENT_NOTIFICATION.0
            | Self::ACTION.0,
    );

    /// The set with these 24 bits; higher bits are dropped.
    pub fn from_bits(bits: u32) -> Self {
        Self(bits & 0x00FF_FFFF)
    }

    /// The 24 bits.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Whether every service of `other` is in this set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// This set without the services of `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitAnd for Conformance {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Conformance {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06X}", self.0)
    }
}
