//! Why a station did not do, or did not say, what it was asked.

use std::time::Duration;

use lab_config::{ActuatorKind, DeviceKind, SecretError, SensorKind};

use super::Presence;

/// Why a station did not do, or did not say, what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    /// A station that dials in cannot be had.
    #[error(transparent)]
    Attached(#[from] super::attach::HeldError),
    /// The password of the broker cannot be had.
    #[error("broker {broker}: {error}")]
    Secret {
        /// The broker.
        broker: String,
        /// Why.
        error: SecretError,
    },
    /// The certificates of an `mqtts` broker cannot be used.
    #[error("broker {broker}: {reason}")]
    Certificates {
        /// The broker.
        broker: String,
        /// Which, and why.
        reason: String,
    },
    /// The broker lets nobody in who presents himself so.
    #[error(
        "broker {broker} lets the harness not in: {reason}; correct `user` and `password` under [broker] in the lab file"
    )]
    Refused {
        /// The broker.
        broker: String,
        /// What it said.
        reason: String,
    },
    /// No broker answers there.
    #[error(
        "broker {broker} was not reached within {within:?}: {reason}; check `url` under [broker], and that the broker runs"
    )]
    Unreached {
        /// The broker.
        broker: String,
        /// What the last attempt came to.
        reason: String,
        /// How long it was tried.
        within: Duration,
    },
    /// The broker is there and the station is not.
    #[error(
        "station {station} is {presence}: nothing on {status} says it is online, for {within:?}; check its power, its network and its topic"
    )]
    Absent {
        /// The station.
        station: String,
        /// The topic of its status.
        status: String,
        /// What is known of it.
        presence: Presence,
        /// How long it was waited for.
        within: Duration,
    },
    /// The rig has no such actuator.
    #[error("the rig has no {kind} at the {device}: add it to a [[rig.station]] of the lab file")]
    NoActuator {
        /// The device.
        device: DeviceKind,
        /// The actuator.
        kind: ActuatorKind,
    },
    /// The rig has no such sensor.
    #[error("the rig has no sensor of {kind} at the {device}: add it to a [[rig.station]] of the lab file")]
    NoSensor {
        /// The device.
        device: DeviceKind,
        /// The sensor.
        kind: SensorKind,
    },
    /// No acknowledgement came.
    #[error("station {station} did not acknowledge `{deed}` at the {device} within {within:?}; {line}")]
    Silent {
        /// The station.
        station: String,
        /// What it was told.
        deed: String,
        /// At which device.
        device: DeviceKind,
        /// How long it was waited for.
        within: Duration,
        /// How the line to it stands, in words.
        line: String,
    },
    /// It says it did not do it.
    #[error("station {station} refuses to act on the {device}: {detail}")]
    NotDone {
        /// The station.
        station: String,
        /// The device.
        device: DeviceKind,
        /// Its words.
        detail: String,
    },
    /// No reading came.
    #[error("station {station} read no {kind} at the {device} on {topic} within {within:?}; {line}")]
    NoReading {
        /// The station.
        station: String,
        /// The device.
        device: DeviceKind,
        /// The sensor.
        kind: SensorKind,
        /// Its topic.
        topic: String,
        /// How long it was waited for.
        within: Duration,
        /// How the line to it stands, in words.
        line: String,
    },
    /// It reads in another unit.
    #[error(
        "the sensor of {kind} at the {device} reads in {found:?}, expected {expected:?}: set the station's unit"
    )]
    Unit {
        /// The device.
        device: DeviceKind,
        /// The sensor.
        kind: SensorKind,
        /// What it says.
        found: String,
        /// What is meant.
        expected: &'static str,
    },
}
