//! What a station at another bench offers to the lab's controller: ports and actuators, each a part of a rig.
//!
//! The offer file lies on the bench's computer, beside the cables it speaks of. It also says what the station brings its part
//! of a rig to by itself, when nobody holds the rig any more.
//!
//! ```
//! use lab_config::{Document, Offer};
//!
//! let offer = Offer::parse(&Document::new("bench-2.toml", r#"
//!     name = "bench-2"
//!     [[port]]
//!     name = "optical"
//!     rig = "rig-1"
//!     link = "serial:///dev/ttyUSB0"
//!     [[actuator]]
//!     name = "ESME/mains-relay"
//!     rig = "rig-1"
//!     at = "file:///sys/class/gpio/gpio17/value"
//!     on = "1"
//!     off = "0"
//!     safe = "on"
//! "#))?;
//! assert_eq!(offer.lease, Offer::LEASE);
//! assert!(offer.ports.keys().any(|name| name.as_str() == "optical"));
//! # Ok::<(), lab_config::FileError>(())
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Authority, LinkUrl, Name, SerialPath, Switch, Topic};

/// Everything a station offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The station's name, by which links of lab files name it.
    pub name: Name,
    /// The longest time it leaves a rig in the hands of a controller it hears nothing of.
    pub lease: Duration,
    /// Its ports.
    pub ports: BTreeMap<Name, OfferedPort>,
    /// Its actuators, by the names lab files know them under.
    pub actuators: BTreeMap<Topic, OfferedActuator>,
}

/// A port of a station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedPort {
    /// The rig it is a part of.
    pub rig: Name,
    /// What it is: a serial port, a serial server's port, a TCP or a UDP address. Its settings are the controller's to say.
    pub link: LinkUrl,
}

/// An actuator of a station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedActuator {
    /// The rig it is a part of.
    pub rig: Name,
    /// How it is reached.
    pub wiring: Wiring,
    /// What must come back for a signal to count as carried out; nothing is waited for without.
    pub answer: Option<Signal>,
    /// What it does.
    pub does: Does,
}

/// How signals reach an actuator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wiring {
    /// Written to a file, as to a pin of the computer: `/sys/class/gpio/gpio17/value`.
    File(PathBuf),
    /// Sent through a serial port (8N1), as to a relay board.
    Serial {
        /// The port.
        path: SerialPath,
        /// Its speed in baud.
        baud: u32,
    },
    /// Sent over a TCP connection, as to a supply that takes SCPI.
    Tcp(Authority),
}

/// Octets that make an actuator do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal(pub Vec<u8>);

/// What an actuator does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// Switches a device's mains.
    Mains {
        /// Switches it on.
        on: Signal,
        /// Switches it off.
        off: Signal,
        /// What it is left at when nobody holds the rig; left as it is where nothing is declared.
        safe: Option<Switch>,
    },
    /// Presses a device's keys. When nobody holds the rig they are all released.
    Keys {
        /// The keys.
        keys: BTreeMap<String, Key>,
        /// How long a key is held down.
        press: Duration,
    },
}

/// The signals of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Pushes it down.
    pub down: Signal,
    /// Lets it go.
    pub up: Signal,
}

impl Offer {
    /// The longest lease, when the file does not say.
    pub const LEASE: Duration = Duration::from_secs(20);
    /// How long a key is held down, when the file does not say.
    pub const PRESS: Duration = Duration::from_millis(300);

    /// The rigs it has a part of.
    pub fn rigs(&self) -> std::collections::BTreeSet<&Name> {
        let ports = self.ports.values().map(|port| &port.rig);
        ports.chain(self.actuators.values().map(|actuator| &actuator.rig)).collect()
    }

    /// The rig a port is a part of.
    pub fn rig_of_port(&self, port: &str) -> Option<&Name> {
        self.ports.iter().find(|(name, _)| name.as_str() == port).map(|(_, port)| &port.rig)
    }
}
