//! Price cluster (0700): what gas or electricity costs.

use crate::zcl::AttributeId;

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0700;
/// Price of the only block of a tariff without tiers, u32.
pub const NO_TIER_BLOCK_1_PRICE: AttributeId = AttributeId(0x0400);
/// Standing charge of a day, u32.
pub const STANDING_CHARGE: AttributeId = AttributeId(0x0501);
