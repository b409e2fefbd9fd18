//! Stations: what switches a rig's relays, presses its keys and reads its voltages, over MQTT or by dialling in to the
//! controller.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use proto_duis::DeviceKind;

use crate::Name;

/// The small computer at a rig that a lab's actuators and sensors hang on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Station {
    /// Its name, one of its kind in the rig.
    pub name: Name,
    /// Whether it is simulated, beside the simulated devices it acts on.
    pub simulated: bool,
    /// How the harness and it meet.
    pub over: Over,
    /// Where it says whether it is there.
    pub status: Topic,
    /// How long it may take to acknowledge a command, and between two readings of a sensor.
    pub deadline: Duration,
    /// How commands and acknowledgements are delivered.
    pub quality: QualityOfService,
    /// Its actuators, by the topic all of theirs begin with; of a station that dials in, by the name it offers them under.
    pub actuators: BTreeMap<(DeviceKind, ActuatorKind), Topic>,
    /// Its sensors, by the topic they publish to.
    pub sensors: BTreeMap<(DeviceKind, SensorKind), Topic>,
}

crate::vocabulary! {
    /// How the harness and a station meet.
    #[derive(Default)]
    pub enum Over {
        /// At an MQTT broker.
        #[default]
        Mqtt = "mqtt",
        /// The station dials in to the lab's controller (`harness station`), and offers links besides.
        Grpc = "grpc",
    }
}

crate::vocabulary! {
    /// What acts on a device besides its wires.
    pub enum ActuatorKind {
        /// Switches its mains power.
        MainsRelay = "mains-relay",
        /// Presses its keys.
        Keys = "keys",
    }
}

crate::vocabulary! {
    /// What senses at a device besides its wires.
    pub enum SensorKind {
        /// Voltage at the load terminals, in volts.
        SupplyVoltage = "supply-voltage",
        /// Current through the load terminals, in amperes.
        Current = "current",
        /// Temperature beside the device, in degrees Celsius.
        Temperature = "temperature",
    }
}

impl SensorKind {
    /// The unit it reads in, as observations name it.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::SupplyVoltage => "V",
            Self::Current => "A",
            Self::Temperature => "°C",
        }
    }
}

crate::vocabulary! {
    /// How MQTT delivers (MQTT 3.1.1, 4.3).
    pub enum QualityOfService {
        /// At most once: what the broker or the line loses is lost.
        AtMostOnce = "at-most-once",
        /// At least once. What comes twice is done once, because commands carry an identifier.
        AtLeastOnce = "at-least-once",
    }
}

/// The name of a topic: 1 to 256 octets, levels parted by `/`, without wildcards, not beginning with `$`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Arc<str>);

/// A text that names no topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write levels parted by `/`, such as rig-1/bench, of letters, digits, `-`, `_` and `.`, at most 200 in all"
)]
pub struct TopicError;

impl Topic {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The topic of these two levels, both of our own vocabulary.
    pub(crate) fn of_levels(first: &str, second: &str) -> Self {
        Self(format!("{first}/{second}").into())
    }

    /// The topic below this one.
    pub(crate) fn below(&self, level: &str) -> Self {
        Self(format!("{}/{level}", self.0).into())
    }

    /// Where an actuator with this topic is told what to do.
    #[must_use]
    pub fn command(&self) -> Self {
        self.below("command")
    }

    /// Where it answers.
    #[must_use]
    pub fn acknowledgement(&self) -> Self {
        self.below("acknowledgement")
    }

    /// Where it says how it stands.
    #[must_use]
    pub fn state(&self) -> Self {
        self.below("state")
    }
}

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let level = |level: &str| !level.is_empty() && level.bytes().all(allowed);
        match text.len() <= 200 && text.split('/').all(level) {
            true => Ok(Self(text.into())),
            false => Err(TopicError),
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Station {
    /// How long it may take to acknowledge, when the lab file does not say.
    pub const DEADLINE: Duration = Duration::from_secs(5);

    /// Every topic it publishes to or listens on.
    pub fn topics(&self) -> impl Iterator<Item = Topic> {
        let of_actuator = |topic: &Topic| [topic.command(), topic.acknowledgement(), topic.state()];
        let actuators = self.actuators.values().flat_map(of_actuator);
        std::iter::once(self.status.clone()).chain(actuators).chain(self.sensors.values().cloned())
    }
}

/// Whether devices of this kind have keys a station may press.
pub(crate) const fn has_keys(kind: DeviceKind) -> bool {
    !matches!(kind, DeviceKind::Chf | DeviceKind::Gpf)
}

/// Whether devices of this kind live on the mains: a gas meter has its battery, and a gas proxy is part of its hub.
pub(crate) const fn has_mains(kind: DeviceKind) -> bool {
    !matches!(kind, DeviceKind::Gsme | DeviceKind::Gpf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_levels_and_no_wildcards() {
        let topic: Topic = "lab/rig-1/bench.2".parse().expect("a topic");
        assert_eq!(topic.command().as_str(), "lab/rig-1/bench.2/command");
        for bad in ["", "/a", "a/", "a//b", "a/+", "#", "$SYS/x", "a b", &"x/".repeat(200)] {
            assert_eq!(bad.parse::<Topic>(), Err(TopicError), "{bad}");
        }
    }
}
