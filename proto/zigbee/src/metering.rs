//! Metering cluster (0702): what a meter has measured, the mirror of a meter that sleeps, snapshots, and the
//! supply (Smart Energy 1.4, annex D.3).
//!
//! - attributes and their values are here;
//! - the commands of both directions are in [`ToServer`] and [`ToClient`];
//! - [`CommandIds`] says which identifiers a stack uses where it departs from the standard.

use crate::zcl::AttributeId;

mod commands;
mod ids;

pub use commands::*;
pub use ids::{CommandIds, Meaning};

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0702;
/// Current summation delivered, u48, to be multiplied by multiplier over divisor.
pub const CURRENT_SUMMATION_DELIVERED: AttributeId = AttributeId(0x0000);
/// Current summation received, u48.
pub const CURRENT_SUMMATION_RECEIVED: AttributeId = AttributeId(0x0001);
/// Highest demand delivered since its reset, u48.
pub const CURRENT_MAX_DEMAND_DELIVERED: AttributeId = AttributeId(0x0002);
/// Highest demand received since its reset, u48.
pub const CURRENT_MAX_DEMAND_RECEIVED: AttributeId = AttributeId(0x0003);
/// When the summations were last updated, UTC time.
pub const READING_SNAPSHOT_TIME: AttributeId = AttributeId(0x0007);
/// Consumption of the running block period, u48.
pub const CURRENT_BLOCK_PERIOD_CONSUMPTION_DELIVERED: AttributeId = AttributeId(0x000c);
/// The running block, enumeration.
pub const CURRENT_BLOCK: AttributeId = AttributeId(0x000e);
/// Length of the profile's intervals, see [`ProfileInterval`].
pub const PROFILE_INTERVAL_PERIOD: AttributeId = AttributeId(0x000f);
/// The running tier, enumeration.
pub const ACTIVE_REGISTER_TIER_DELIVERED: AttributeId = AttributeId(0x0020);
/// Supply status, see [`SupplyStatus`].
pub const SUPPLY_STATUS: AttributeId = AttributeId(0x0014);
/// Summation in tier 1, u48; tiers follow at every second identifier.
pub const TIER_1_SUMMATION_DELIVERED: AttributeId = AttributeId(0x0100);
/// Meter status, bitmap of one octet; bit 1 is low battery, bit 2 tamper.
pub const STATUS: AttributeId = AttributeId(0x0200);
/// Remaining battery life, u8, percent.
pub const REMAINING_BATTERY_LIFE: AttributeId = AttributeId(0x0201);
/// How high consumption is now, enumeration: 00 low, 01 medium, 02 high.
pub const AMBIENT_CONSUMPTION_INDICATOR: AttributeId = AttributeId(0x0207);
/// Unit of measure, enumeration; 01 is cubic metres.
pub const UNIT_OF_MEASURE: AttributeId = AttributeId(0x0300);
/// Multiplier, u24.
pub const MULTIPLIER: AttributeId = AttributeId(0x0301);
/// Divisor, u24.
pub const DIVISOR: AttributeId = AttributeId(0x0302);
/// Digits of summations before and after the decimal point, bitmap of one octet.
pub const SUMMATION_FORMATTING: AttributeId = AttributeId(0x0303);
/// Digits of demands before and after the decimal point, bitmap of one octet.
pub const DEMAND_FORMATTING: AttributeId = AttributeId(0x0304);
/// Metering device type, bitmap of one octet; see [`GAS_METERING`] and [`MIRRORED_GAS_METERING`].
pub const METERING_DEVICE_TYPE: AttributeId = AttributeId(0x0306);
/// Site identifier, octet string.
pub const SITE_ID: AttributeId = AttributeId(0x0307);
/// Serial number of the meter, octet string.
pub const METER_SERIAL_NUMBER: AttributeId = AttributeId(0x0308);
/// Instantaneous demand, signed, three octets.
pub const INSTANTANEOUS_DEMAND: AttributeId = AttributeId(0x0400);

/// Consumption of the running day, u24.
pub const CURRENT_DAY_CONSUMPTION_DELIVERED: AttributeId = AttributeId(0x0401);
/// Consumption of the day before, u24.
pub const PREVIOUS_DAY_CONSUMPTION_DELIVERED: AttributeId = AttributeId(0x0403);
/// How many intervals one answer of [`GetProfile`] can have, u8.
pub const MAX_NUMBER_OF_PERIODS_DELIVERED: AttributeId = AttributeId(0x0500);
/// Summation of the first block of a tariff without tiers, u48; blocks follow one by one, tiers at every
/// sixteenth identifier.
pub const NO_TIER_BLOCK_1_SUMMATION_DELIVERED: AttributeId = AttributeId(0x0700);

/// [`METERING_DEVICE_TYPE`] of an electricity meter.
pub const ELECTRIC_METERING: u8 = 0;
/// [`METERING_DEVICE_TYPE`] of a gas meter.
pub const GAS_METERING: u8 = 1;
/// [`METERING_DEVICE_TYPE`] of a gas meter's mirror.
pub const MIRRORED_GAS_METERING: u8 = 128;

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
