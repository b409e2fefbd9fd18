//! What a step does.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use lab_config::cosem::AttributeRef;
use lab_config::{ClusterAttribute, DeviceKind, Function, Path, ProfileColumn, SensorKind, UnknownWord};
use proto_duis::{AlertCode, Srv, UserRole};

use crate::{Bindings, Migrate, Operand, Reference, SmsoAttempt, Unbound, Value, Values};

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Sends a Service Request through the service user and waits for its answer.
    Request(Request),
    /// Waits until a User System outside the harness has asked something and has been answered.
    UserSystem(UserSystem),
    /// Waits for an answer that a schedule of the DCC brings.
    Scheduled(Scheduled),
    /// Reads the truth at the device by a second path.
    Observe(Observe),
    /// Waits for a device alert.
    Alert {
        /// The alert's code.
        code: AlertCode,
        /// The device it comes from; the script's device when not said.
        device: Option<DeviceKind>,
    },
    /// Asks a person or an actuator.
    Ask(Ask),
    /// Reads a sensor of the rig's station.
    Sense {
        /// The sensor.
        sensor: SensorKind,
        /// The device it is at; the script's device when not said.
        device: Option<DeviceKind>,
    },
    /// Carries out one operation of a migration.
    Migrate(Migrate),
    /// Has the SMSO try a device.
    Smso(SmsoAttempt),
    /// Lets time pass.
    Wait(Duration),
    /// Compares what is bound already; touches nothing.
    Check,
}

/// A Service Request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The Service Reference Variant.
    pub srv: Srv,
    /// The capacity in which it is sent.
    pub role: UserRole,
    /// The device it is for; the script's device when not said.
    pub device: Option<DeviceKind>,
    /// The elements of its body.
    pub fields: Fields,
    /// What is wrong with it on purpose.
    pub misuse: Option<Misuse>,
    /// How it must end.
    pub outcome: Outcome,
}

/// A Service Request that somebody else's User System sends (SVTAD 5.2(b)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserSystem {
    /// The Service Reference Variant.
    pub srv: Srv,
    /// The device it is for; the script's device when not said.
    pub device: Option<DeviceKind>,
    /// How it must end.
    pub outcome: Outcome,
}

/// An answer to a read that the DCC makes by a schedule (DUIS 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheduled {
    /// What is read.
    pub srv: Srv,
    /// The device that is read; the script's device when not said.
    pub device: Option<DeviceKind>,
    /// How it must end.
    pub outcome: Outcome,
}

lab_config::vocabulary! {
    /// What a misuse script does wrong on purpose (SVTAD 6.2, 6.3(b)). A wrong role is asked for by `as`.
    pub enum Misuse {
        /// A signature that does not hold.
        BadSignature = "bad-signature",
        /// A body changed after it was signed.
        Tampered = "tampered",
        /// The counter of the request before.
        ReplayedCounter = "replayed-counter",
        /// An originator the DCC does not know.
        UnknownUser = "unknown-user",
    }
}

lab_config::vocabulary! {
    /// How a request must end. Each stands for expectations that are checked before those the step writes.
    pub enum Outcome {
        /// Acknowledged (I99), answered (I0), and done by the device. For a request to the DCC itself: answered with I0.
        Success = "success",
        /// Acknowledged and answered, and not done: the device or its service provider refused.
        Failed = "failed",
        /// Refused by the DCC with an error code.
        Refused = "refused",
        /// Nothing but what the step writes.
        Any = "any",
    }
}

/// The fields of a request's body, by the names [`proto_duis::RequestBody::fields`] lists.
pub type Fields = BTreeMap<String, Operand>;

/// Who makes top-up tokens: the vending function of the lab.
pub trait Vending {
    /// A fresh token of so many pence for the meter of this kind.
    ///
    /// # Errors
    /// Why none can be made, in words.
    fn utrn(&mut self, device: DeviceKind, pence: u32) -> Result<String, String>;
}

/// Why the fields of a request could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A reference stands for nothing.
    #[error(transparent)]
    Unbound(#[from] Unbound),
    /// No token could be made.
    #[error("no token could be made: {0}")]
    Vending(String),
}

impl Request {
    /// The device the request is for, in this row.
    pub fn target(&self, bindings: &Bindings) -> Option<DeviceKind> {
        self.device.or(bindings.target())
    }

    /// The fields with every reference replaced; tokens are made here, so this is done once per sending.
    ///
    /// # Errors
    /// [`FieldError`] when a reference stands for nothing or no token can be made.
    pub fn resolve(
        &self,
        bindings: &Bindings,
        vending: &mut dyn Vending,
    ) -> Result<BTreeMap<String, String>, FieldError> {
        let target = self.target(bindings);
        let mut fields = BTreeMap::new();
        for (name, operand) in &self.fields {
            fields.insert(name.clone(), field(operand, target, bindings, vending)?);
        }
        Ok(fields)
    }

    /// Sets the fields as they were sent in the values of the step, under `request`, so that a script may bind them.
    pub fn record(fields: &BTreeMap<String, String>, values: &mut Values) {
        for (name, text) in fields {
            values.set(format!("request.{name}"), text.as_str());
        }
    }
}

fn field(
    operand: &Operand,
    target: Option<DeviceKind>,
    bindings: &Bindings,
    vending: &mut dyn Vending,
) -> Result<String, FieldError> {
    let mut refused = None;
    let resolved = operand.resolve_with(&mut |reference| match (reference, target) {
        (Reference::Utrn(pence), Some(device)) => match vending.utrn(device, *pence) {
            Ok(token) => Ok(Cow::Owned(Value::Text(token))),
            Err(reason) => {
                refused = Some(reason);
                reference.resolve(bindings)
            }
        },
        _ => reference.resolve(bindings),
    });
    let text = resolved.map(|value| value.as_text().into_owned());
    match refused {
        Some(reason) => Err(FieldError::Vending(reason)),
        None => Ok(text?),
    }
}

/// A reading by a second path.
#[derive(Debug, Clone, PartialEq)]
pub struct Observe {
    /// The device; the script's device when not said.
    pub device: Option<DeviceKind>,
    /// The way to it.
    pub through: Path,
    /// What is read.
    pub what: ObservedAttribute,
    /// Which part of a profile or log, when not all of it.
    pub select: Option<Select>,
    /// The columns of a profile or log that are seen by name too, as `value[0].interval`, whatever their order in a Device
    /// Model's meters and the steps they count in.
    pub columns: Vec<Column>,
}

/// A column of a profile or log, by what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// As the half-hourly profile has it; `time` is the first column of every buffer, and `interval` of another profile its
    /// first register.
    Profile(ProfileColumn),
    /// The captured value of the object that the Device Model's profile has for this function.
    Function(Function),
}

impl FromStr for Column {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Column, UnknownWord> {
        if let Ok(column) = word.parse() {
            return Ok(Column::Profile(column));
        }
        word.parse().map(Column::Function)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Column::Profile(column) => column.fmt(f),
            Column::Function(function) => function.fmt(f),
        }
    }
}

/// What an observation reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObservedAttribute {
    /// A function, wherever the profile of the Device Model says it is.
    Function(Function),
    /// A COSEM attribute by class, logical name and number.
    Attribute(AttributeRef),
    /// A ZigBee attribute by cluster and number, on the home area network.
    Cluster(ClusterAttribute),
}

impl fmt::Display for ObservedAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(function) => function.fmt(f),
            Self::Attribute(attribute) => attribute.fmt(f),
            Self::Cluster(attribute) => attribute.fmt(f),
        }
    }
}

/// Selective access to a profile (IEC 62056-62, 4.3.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Select {
    /// Entries by number, from 1, the last 0 for the end.
    Entries {
        /// First entry.
        first: u32,
        /// Last entry.
        last: u32,
    },
    /// Entries by their clock.
    Between {
        /// Not before.
        from: Operand,
        /// Not after.
        to: Operand,
    },
}

/// Something only a hand can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The device; the script's device when not said.
    pub device: Option<DeviceKind>,
    /// What is asked.
    pub act: Act,
    /// The text shown to the person.
    pub show: String,
}

/// What a person or an actuator is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Press these keys together.
    PressKeys(Vec<String>),
    /// Switch the device's mains.
    SwitchMains {
        /// Whether they are to be on.
        on: bool,
    },
    /// Look, and say whether it is so; `act.answer` is then `yes` or `no`.
    Confirm,
    /// Bring a fault about, said in the simulator's grammar of faults, such as `ESME/optical: silence`.
    Fault(String),
    /// Undo every fault brought about.
    ClearFaults,
}
