//! Metering cluster (0702): attributes a gas meter reports to its mirror (Smart Energy profile, annex D).

use crate::zcl::AttributeId;

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0702;
/// Current summation delivered, u48, to be multiplied by multiplier over divisor.
pub const CURRENT_SUMMATION_DELIVERED: AttributeId = AttributeId(0x0000);
/// Supply status, see [`SupplyStatus`].
pub const SUPPLY_STATUS: AttributeId = AttributeId(0x0014);
/// Summation in tier 1, u48; tiers follow at every second identifier.
pub const TIER_1_SUMMATION_DELIVERED: AttributeId = AttributeId(0x0100);
/// Meter status, bitmap of one octet; bit 1 is low battery, bit 2 tamper.
pub const STATUS: AttributeId = AttributeId(0x0200);
/// Remaining battery life, u8, percent.
pub const REMAINING_BATTERY_LIFE: AttributeId = AttributeId(0x0201);
/// Unit of measure, enumeration; 01 is cubic metres.
pub const UNIT_OF_MEASURE: AttributeId = AttributeId(0x0300);
/// Multiplier, u24.
pub const MULTIPLIER: AttributeId = AttributeId(0x0301);
/// Divisor, u24.
pub const DIVISOR: AttributeId = AttributeId(0x0302);
/// Metering device type; 1 is gas, 128 mirrored gas.
pub const METERING_DEVICE_TYPE: AttributeId = AttributeId(0x0306);
/// Site identifier, octet string.
pub const SITE_ID: AttributeId = AttributeId(0x0307);
/// Instantaneous demand, signed, three octets.
pub const INSTANTANEOUS_DEMAND: AttributeId = AttributeId(0x0400);

/// Low battery bit of [`STATUS`].
pub const STATUS_LOW_BATTERY: u8 = 0x02;
/// Tamper bit of [`STATUS`].
pub const STATUS_TAMPER: u8 = 0x04;

/// Value of [`SUPPLY_STATUS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SupplyStatus {
    /// 00: supply off.
    Off,
    /// 01: supply off, armed.
    OffArmed,
    /// 02: supply on.
    On,
}

impl SupplyStatus {
    /// The octet on the wire.
    pub fn octet(self) -> u8 {
        match self {
            Self::Off => 0,
            Self::OffArmed => 1,
            Self::On => 2,
        }
    }

    /// The status of an octet; none for a reserved one.
    pub fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            0 => Some(Self::Off),
            1 => Some(Self::OffArmed),
            2 => Some(Self::On),
            _ => None,
        }
    }
}
