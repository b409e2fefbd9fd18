//! ZigBee frames as they go over the home area network of a SMETS1 installation.
//!
//! Three layers, each a pair of pure functions (bytes to a value, a value to bytes):
//! - [`aps`]: the Application Support sublayer data frame, which names the cluster and the endpoints;
//! - [`zcl`]: the ZigBee Cluster Library frame and the foundation commands (read, write, report, discover);
//! - the clusters the lab uses, each with its attributes and the commands of both directions: [`basic`], [`price`],
//!   [`drlc`], [`metering`] with the mirror of a sleeping meter, [`messaging`], [`tunneling`] with both ends of a
//!   tunnel as state machines, [`prepayment`], [`key_establishment`].
//!
//! Apart from them stands the way to a radio: [`ash`], the serial line to a network co-processor (a dongle), and
//! [`ezsp`], the commands it takes. [`zdo`] has the few questions about a device that every network asks.
//!
//! A command or attribute this crate does not know is kept as octets. Where stacks differ in the identifier of a
//! command, [`metering::CommandIds`] holds the difference.
//!
//! Nothing here does I/O or keeps time. No input makes it panic, and no length on the wire is trusted
//! before the octets are there.
//!
//! ```
//! use proto_zigbee::{aps::ApsFrame, basic, zcl::{Command, Frame}};
//! let request = basic::read_request(7, &[basic::MANUFACTURER_NAME]);
//! let aps = ApsFrame::parse(&request)?;
//! assert_eq!(aps.cluster, basic::CLUSTER);
//! assert!(matches!(Frame::parse(&aps.payload)?.command()?, Command::ReadAttributes(ids) if ids.len() == 1));
//! # Ok::<(), proto_zigbee::ZigbeeError>(())
//! ```

pub mod aps;
pub mod ash;
pub mod basic;
mod bytes;
pub mod drlc;
mod eui64;
pub mod explain;
pub mod ezsp;
mod field;
#[cfg(test)]
mod golden;
pub mod key_establishment;
pub mod messaging;
pub mod metering;
#[doc(hidden)]
pub mod nonsense;
pub mod prepayment;
pub mod price;
pub mod tunneling;
pub mod value;
pub mod zcl;
pub mod zdo;

pub use eui64::Eui64;
pub use field::{Counted, ToEnd, U24, U48, UtcTime};
pub use value::Value;

/// Smart Energy profile identifier.
pub const SMART_ENERGY_PROFILE: u16 = 0x0109;

/// Why octets are not the frame they should be. Offsets count from the start of what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZigbeeError {
    /// The frame ends before the field it announced.
    #[error("{what}: {needed} more octet(s) needed at offset {offset}, {left} left; the frame was cut short")]
    Short {
        /// The field being read.
        what: &'static str,
        /// Where it starts.
        offset: usize,
        /// How many octets it takes.
        needed: usize,
        /// How many there are.
        left: usize,
    },
    /// A data type this crate does not carry.
    #[error("data type {found:#04x} at offset {offset} is not one a value can have there")]
    DataType {
        /// The type octet found.
        found: u8,
        /// Where it stood.
        offset: usize,
    },
    /// A value in a value, too deep.
    #[error("values nest deeper than {limit} at offset {offset}; refused")]
    Nesting {
        /// Where the value too deep begins.
        offset: usize,
        /// How deep values may nest.
        limit: u8,
    },
    /// A frame control octet of another kind of frame.
    #[error("{layer} frame control {found:#04x}: expected {expected}")]
    FrameControl {
        /// APS or ZCL.
        layer: &'static str,
        /// The octet found.
        found: u8,
        /// What would have been right.
        expected: &'static str,
    },
    /// Another kind of command than the one looked for, or one that goes the other way.
    #[error("ZCL command {command:#04x} is not of the kind and direction expected here")]
    Command {
        /// The command identifier found.
        command: u8,
    },
    /// Octets after the end of a command.
    #[error("{count} octet(s) left over after the end of {what}")]
    Trailing {
        /// What had ended.
        what: &'static str,
        /// How many octets follow.
        count: usize,
    },
    /// An answer to another question: other cluster, other sequence number, other command.
    #[error("{what}: found {found:#06x}, expected {expected:#06x}")]
    Mismatch {
        /// Which field differs.
        what: &'static str,
        /// Its value.
        found: u16,
        /// The value asked for.
        expected: u16,
    },
}
