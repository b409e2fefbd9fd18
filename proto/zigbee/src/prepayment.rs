//! Prepayment cluster (0705): what a display is told of the account.

use crate::zcl::AttributeId;

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0705;
/// Payment control configuration, bitmap of two octets; see [`PREPAYMENT_ENABLED`].
pub const PAYMENT_CONTROL_CONFIGURATION: AttributeId = AttributeId(0x0000);
/// Bit of [`PAYMENT_CONTROL_CONFIGURATION`]: the customer pays in advance.
pub const PREPAYMENT_ENABLED: u16 = 0x0002;
/// Credit remaining, i32, in the smallest unit of currency the device was given.
pub const CREDIT_REMAINING: AttributeId = AttributeId(0x0001);
/// Emergency credit remaining, i32.
pub const EMERGENCY_CREDIT_REMAINING: AttributeId = AttributeId(0x0002);
/// Accumulated debt, i32.
pub const ACCUMULATED_DEBT: AttributeId = AttributeId(0x0005);
/// Cut-off value, i32: the balance at which the supply is disabled.
pub const CUT_OFF_VALUE: AttributeId = AttributeId(0x0040);
