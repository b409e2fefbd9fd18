//! What a station tells unasked: whether it is there, how its relays stand, what its sensors read.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PayloadError, read, write};

/// Whether a station is there. Retained, and the station's last will when it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whether it takes commands.
    pub online: bool,
    /// What it is, such as its firmware, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

impl Status {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`PayloadError`] for anything that is no status.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        read(payload, r#"a status such as {"online":true}"#)
    }

    /// The payload.
    pub fn to_payload(&self) -> Vec<u8> {
        write(self)
    }
}

/// Whether a device has mains power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mains {
    /// It has.
    On,
    /// It has not.
    Off,
}

impl fmt::Display for Mains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
        })
    }
}

/// How a mains relay stands. Retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MainsState {
    /// How.
    pub mains: Mains,
}

impl MainsState {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`PayloadError`] for anything that is no state of a relay.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        read(payload, r#"the state of a relay such as {"mains":"on"}"#)
    }

    /// The payload.
    pub fn to_payload(&self) -> Vec<u8> {
        write(self)
    }
}

/// What a sensor reads. Retained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Reading {
    /// The value; JSON has no words for one that is not finite.
    pub value: f64,
    /// Its unit, when the station says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// When it was read, by the station's clock, when it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// How stations write a reading.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Bare(f64),
    Full {
        value: f64,
        #[serde(default)]
        unit: Option<String>,
        #[serde(default)]
        at: Option<Timestamp>,
    },
}

impl From<Written> for Reading {
    fn from(written: Written) -> Self {
        match written {
            Written::Bare(value) => Self { value, unit: None, at: None },
            Written::Full { value, unit, at } => Self { value, unit, at },
        }
    }
}

impl Reading {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`PayloadError`] for anything that is no reading.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        read(payload, r#"a reading such as {"value":239.8,"unit":"V"} or 239.8"#)
    }

    /// The payload.
    pub fn to_payload(&self) -> Vec<u8> {
        write(self)
    }
}
