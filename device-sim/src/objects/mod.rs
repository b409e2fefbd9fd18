//! The COSEM face of the devices: which attribute shows what, what may be written, what a method does.
//!
//! A [`Device`] answers for the roles of its [`Directory`]; [`Face`] puts it before a `ServerSession`, checks
//! rights first, and serves what is the same in every device: identity, clock, logs, buffers.

mod access;
mod alerts;
mod calendar;
mod chf;
mod configuration;
mod connection;
mod customer;
mod debt;
mod directory;
mod encode;
mod esme;
mod functions;
mod gpf;
mod gsme;
mod image;
mod memory;
mod network;
mod places;
mod read_out;
mod role;
mod settings;

pub use access::{Access, AccessError, KeyRefusal, SecurityShown};
pub use chf::{Contact, Hub, JoinRefusal, ListRefusal, device_type};
pub use directory::{Directory, Spec};
pub use gpf::Proxy;
pub use memory::{MemoryError, StateFolder};
pub use role::Role;

use std::sync::Arc;

use lab_config::{DeviceModel, Particulars, Quirk};
use proto_dlms::apdu::EventNotification;
use proto_dlms::client::Notification;
use proto_dlms::data::{
    ActionResult, AttributeRef, CaptureObject, ClassId, Data, DataAccessResult, DeviationSign, MethodRef,
    Obis, Selective,
};
use proto_dlms::security::{Challenge, KeyTransferError, SecurityContext, SecurityError};
use proto_dlms::server::{AssociationPolicy, Credentials, Denial, ObjectModel, Peer, select};

use crate::model::core::Core;
use crate::model::journal::{Entry, Event};
use crate::model::time::{MeterTime, Moment};
use encode::{column, date_time, meter_time, stamp, text};

/// Longest shift method 6 of a clock takes, in seconds.
const LONGEST_SHIFT: i128 = 900;
/// Passwords a client may set: 1 to this many octets.
const LONGEST_PASSWORD: usize = 32;

/// What stands around a device's model on the wire: its objects, its clients, its way with the clock.
pub struct Shell {
    /// Its objects.
    pub directory: Directory,
    /// Its clients.
    pub access: Access,
    /// Which way it counts the deviation.
    pub sign: DeviationSign,
    /// The logical device it is.
    pub logical: u16,
    /// The application logical device beside it, which has what is measured and nothing of management.
    pub application: Option<u16>,
    /// Its Device Model.
    pub model: Arc<DeviceModel>,
}

impl Shell {
    /// The logical devices, by address.
    pub fn logical_devices(&self) -> impl Iterator<Item = u16> {
        std::iter::once(self.logical).chain(self.application)
    }

    /// What devices of its model do in their own way.
    pub fn particulars(&self) -> Option<&Particulars> {
        self.model.profile.dlms().map(|profile| &*profile.particulars)
    }

    /// Whether it departs from the standards in this way.
    pub fn has(&self, quirk: Quirk) -> bool {
        self.particulars().is_some_and(|particulars| particulars.has(quirk))
    }
}

/// A buffer of a profile: its columns, and a row for each entry.
pub struct Buffer {
    columns: Vec<CaptureObject>,
    rows: Vec<Data>,
    capacity: usize,
    /// Seconds between captures; 0 where an event makes an entry.
    period: u32,
}

/// A device that answers for its own roles.
pub trait Device {
    /// Plate, clock and journal.
    fn core(&self) -> &Core;

    /// The same, to change.
    fn core_mut(&mut self) -> &mut Core;

    /// Lives until a moment.
    fn live(&mut self, to: Moment);

    /// Its mains go, or come back.
    fn set_mains(&mut self, on: bool) {
        if on {
            self.core_mut().regain_mains();
        } else {
            self.core_mut().lose_mains();
        }
    }

    /// Reads an attribute of a role that is the device's own.
    ///
    /// # Errors
    /// Why not, as a meter answers it.
    fn read(&self, spec: &Spec, attribute: i8, shell: &Shell) -> Result<Data, DataAccessResult>;

    /// The buffer of a profile that is the device's own.
    fn buffer(&self, role: Role, shell: &Shell) -> Option<Buffer>;

    /// Writes an attribute the directory has as writable.
    ///
    /// # Errors
    /// Why not, as a meter answers it.
    fn write(&mut self, _: &Spec, _: i8, _: &Data, _: &Shell) -> Result<(), DataAccessResult> {
        Err(DataAccessResult::ReadWriteDenied)
    }

    /// Invokes a method the directory has.
    ///
    /// # Errors
    /// Why not, as a meter answers it.
    fn invoke(&mut self, _: &Spec, _: i8, _: Option<&Data>, _: &Shell) -> Result<(), ActionResult> {
        Err(ActionResult::ObjectUnavailable)
    }
}

/// A device before its server session.
pub struct Face<'a, D> {
    /// The device.
    pub device: &'a mut D,
    /// What stands around it.
    pub shell: &'a mut Shell,
    /// Whether it is asked from afar, not at its own port.
    pub from_afar: bool,
}

impl<D: Device> Face<'_, D> {
    fn spec(&self, peer: Peer, class: ClassId, attribute: AttributeRef) -> Result<Spec, DataAccessResult> {
        let spec = self.find(peer, attribute.obis).ok_or(DataAccessResult::ObjectUndefined)?;
        if spec.class != class {
            return Err(DataAccessResult::ObjectClassInconsistent);
        }
        if self.shell.access.is_public(peer.client) && !spec.is_public() {
            return Err(DataAccessResult::ReadWriteDenied);
        }
        Ok(*spec)
    }

    /// The object of this name in the logical device spoken to.
    fn find(&self, peer: Peer, obis: Obis) -> Option<&Spec> {
        let application = peer.server != self.shell.logical;
        self.shell.directory.find(obis).filter(|spec| !application || spec.role.is_of_application())
    }

    fn read(&self, peer: Peer, spec: &Spec, attribute: i8) -> Result<Data, DataAccessResult> {
        let core = self.device.core();
        let plate = &core.plate;
        match spec.role {
            _ if attribute == 1 => Ok(Data::Octets(spec.obis.0.to_vec())),
            Role::Association => self.association(peer, attribute),
            Role::LogicalDeviceName => Ok(text(&self.logical_device_name(peer.server))),
            Role::SapAssignment => Ok(self.sap_assignment()),
            Role::Identity => Ok(text(&plate.eui64.to_string())),
            Role::Manufacturer => Ok(text(&plate.manufacturer)),
            Role::Model => Ok(text(&plate.model)),
            Role::HardwareVersion => Ok(text(&plate.hardware)),
            Role::FirmwareVersion => Ok(text(&plate.firmware)),
            Role::ConfigurationVersion => Ok(text(&plate.configuration)),
            Role::ConfigurationBlock => self.configuration(peer),
            Role::Clock => clock(core, attribute, self.shell.sign),
            Role::SecuritySetup(client) => self.security_setup(client, attribute),
            Role::InvocationCounter(client) => {
                let shown = self.shell.access.shown(client.into());
                Ok(Data::U32(shown.map_or(0, |shown| shown.counter)))
            }
            Role::ImageTransfer => image::transfer(core, attribute),
            Role::ImageActivation => image::schedule(core, attribute, self.shell),
            Role::AlertConfiguration => Ok(alerts::codes(core.journal.alerted())),
            Role::HanAlerts => Ok(alerts::codes(core.journal.han_alerted())),
            Role::UnloggedEvents => Ok(alerts::codes(core.journal.unlogged())),
            _ => match (spec.scaler, spec.class) {
                (Some(scaler), ClassId(3)) => self.read_rescaled(spec, attribute, scaler),
                _ => self.device.read(spec, attribute, self.shell),
            },
        }
    }

    /// A register whose Device Model gives it in another power of ten than usual.
    fn read_rescaled(&self, spec: &Spec, attribute: i8, scaler: i8) -> Result<Data, DataAccessResult> {
        let usual = self.device.read(spec, 3, self.shell)?;
        let [power, unit] = usual.elements().unwrap_or_default() else {
            return Err(DataAccessResult::HardwareFault);
        };
        if attribute == 3 {
            return Ok(Data::Structure(vec![Data::I8(scaler), unit.clone()]));
        }
        let value = self.device.read(spec, attribute, self.shell)?;
        let number = value.as_i128().and_then(|value| u64::try_from(value).ok());
        let power = power.as_i128().and_then(|power| i8::try_from(power).ok());
        let (number, power) = number.zip(power).ok_or(DataAccessResult::HardwareFault)?;
        Ok(encode::u32_of(encode::rescaled(number, power, scaler)))
    }

    fn read_buffer(
        &self,
        spec: &Spec,
        attribute: i8,
        selective: Option<&Selective>,
    ) -> Option<Result<Data, DataAccessResult>> {
        let buffer = match spec.role {
            Role::EventLog => self.log(self.device.core().journal.events()),
            Role::SecurityLog => self.log(self.device.core().journal.security()),
            role => self.device.buffer(role, self.shell)?,
        };
        let by_range = matches!(selective, Some(Selective::Range { .. }));
        if by_range && self.shell.has(Quirk::NoSelectiveAccessByRange) {
            return Some(Err(DataAccessResult::OtherReason));
        }
        Some(match attribute {
            2 => select(&buffer.rows, &buffer.columns, selective),
            other => buffer.describe(other),
        })
    }

    fn log<'e>(&self, entries: impl Iterator<Item = &'e Entry>) -> Buffer {
        let name = |role| self.shell.directory.name(role);
        let row = |entry: &Entry| {
            let code = Data::U16(entry.event.code());
            Data::Structure(vec![stamp(entry.at, self.shell.sign), code, text(&entry.text)])
        };
        let log = name(Role::EventLog);
        Buffer {
            columns: vec![column(8, name(Role::Clock), 2), column(7, log, -1), column(7, log, -2)],
            rows: entries.map(row).collect(),
            capacity: self.device.core().journal.depth(),
            period: 0,
        }
    }

    /// Class 15: which objects there are, and with whom this association is.
    fn association(&self, peer: Peer, attribute: i8) -> Result<Data, DataAccessResult> {
        let client = i8::try_from(peer.client).unwrap_or(i8::MAX);
        let mechanism = self.shell.access.mechanism(peer.client);
        let policy = self.shell.access.shown(peer.client).map(|shown| shown.policy);
        // Application context 1 is logical names in clear, 3 the same ciphered.
        let context = if policy.is_some_and(|policy| policy.protection().is_some()) { 3 } else { 1 };
        Ok(match attribute {
            2 => {
                let here = self.shell.directory.all().filter(|spec| self.find(peer, spec.obis).is_some());
                Data::Array(here.map(object_list_element).collect())
            }
            3 => Data::Structure(vec![Data::I8(client), Data::U16(peer.server)]),
            4 => Data::Octets(vec![0x60, 0x85, 0x74, 0x05, 0x08, 0x01, context]),
            5 => Data::Structure(vec![
                Data::U16(1024),
                Data::U16(1024),
                Data::U8(6),
                Data::I8(0),
                Data::Octets(Vec::new()),
            ]),
            6 => Data::Octets(vec![0x60, 0x85, 0x74, 0x05, 0x08, 0x02, mechanism]),
            8 => Data::Enum(2),
            _ => return Err(DataAccessResult::ReadWriteDenied),
        })
    }

    /// Class 17: which logical devices there are.
    fn sap_assignment(&self) -> Data {
        let one = |sap| Data::Structure(vec![Data::U16(sap), text(&self.logical_device_name(sap))]);
        Data::Array(self.shell.logical_devices().map(one).collect())
    }

    /// The management logical device has the EUI-64 in its name; the application one the same and its address.
    fn logical_device_name(&self, server: u16) -> String {
        let name = logical_device_name(self.device.core());
        if server == self.shell.logical { name } else { format!("{name}/{server}") }
    }

    /// Class 64: how messages of a client are protected.
    fn security_setup(&self, client: u8, attribute: i8) -> Result<Data, DataAccessResult> {
        let shown = self.shell.access.shown(client.into()).ok_or(DataAccessResult::ObjectUnavailable)?;
        Ok(match attribute {
            2 => Data::Enum(shown.policy.code()),
            // Suite 0: AES-GCM-128 for authentication and encryption.
            3 => Data::Enum(0),
            4 => Data::Octets(shown.client.octets().to_vec()),
            5 => Data::Octets(shown.server.octets().to_vec()),
            _ => return Err(DataAccessResult::ReadWriteDenied),
        })
    }

    fn write(
        &mut self,
        peer: Peer,
        spec: &Spec,
        attribute: i8,
        value: &Data,
    ) -> Result<(), DataAccessResult> {
        match spec.role {
            Role::Clock => {
                let time = meter_time(value, self.shell.sign).ok_or(DataAccessResult::TypeUnmatched)?;
                self.device.core_mut().set_clock(time);
                Ok(())
            }
            Role::Association => self.change_password(peer, value),
            Role::ConfigurationBlock => self.configure(peer, value),
            Role::ImageTransfer => {
                let Data::Boolean(enabled) = *value else { return Err(DataAccessResult::TypeUnmatched) };
                self.device.core_mut().firmware.enable(enabled);
                Ok(())
            }
            Role::ImageActivation => image::set_schedule(self.device.core_mut(), value, self.shell.sign),
            Role::AlertConfiguration | Role::HanAlerts | Role::UnloggedEvents => {
                alerts::set(&mut self.device.core_mut().journal, spec.role, value)
            }
            _ => self.device.write(spec, attribute, value, self.shell),
        }
    }

    fn change_password(&mut self, peer: Peer, value: &Data) -> Result<(), DataAccessResult> {
        let password = value.as_octets().ok_or(DataAccessResult::TypeUnmatched)?;
        if !(1..=LONGEST_PASSWORD).contains(&password.len()) {
            return Err(DataAccessResult::ScopeOfAccessViolated);
        }
        let changed = self.shell.access.change_password(peer.client, password.to_vec());
        if changed { Ok(()) } else { Err(DataAccessResult::ReadWriteDenied) }
    }

    /// Method 2 of class 64: keys for the client that asks, and for no other. A refusal is told in the security log.
    fn transfer_keys(
        &mut self,
        peer: Peer,
        client: u8,
        parameter: Option<&Data>,
    ) -> Result<(), ActionResult> {
        if peer.client != u16::from(client) {
            return Err(ActionResult::ReadWriteDenied);
        }
        let parameter = parameter.ok_or(ActionResult::TypeUnmatched)?;
        let Err(refusal) = self.shell.access.transfer_keys(peer.client, parameter) else { return Ok(()) };
        let words = format!("keys refused, client {}: {refusal}", peer.client);
        self.device.core_mut().log(Event::UnauthorisedAccess, words);
        Err(match refusal {
            KeyRefusal::Transfer(KeyTransferError::NoKeys { .. }) => ActionResult::TypeUnmatched,
            KeyRefusal::Memory(_) => ActionResult::TemporaryFailure,
            KeyRefusal::NoKeys | KeyRefusal::NoMasterKey => ActionResult::ObjectUnavailable,
            _ => ActionResult::OtherReason,
        })
    }

    fn shift_clock(&mut self, parameter: Option<&Data>) -> Result<(), ActionResult> {
        let seconds = parameter.and_then(Data::as_i128).ok_or(ActionResult::TypeUnmatched)?;
        if !(-LONGEST_SHIFT..=LONGEST_SHIFT).contains(&seconds) {
            return Err(ActionResult::ScopeOfAccessViolated);
        }
        let core = self.device.core_mut();
        let to = core.shown().plus(i64::try_from(seconds).unwrap_or_default() * 1000);
        core.set_clock(to);
        Ok(())
    }
}

impl<D: Device> AssociationPolicy for Face<'_, D> {
    fn admit(&mut self, peer: Peer, credentials: Credentials<'_>) -> Result<(), Denial> {
        let admitted = self.shell.access.admit(peer.client, credentials);
        if admitted.is_err() {
            let words = format!("association refused, client {}", peer.client);
            self.device.core_mut().log(Event::UnauthorisedAccess, words);
        }
        admitted
    }

    fn security(&mut self, peer: Peer) -> Option<&mut SecurityContext> {
        self.shell.access.security(peer.client)
    }

    fn challenge(&mut self, _: Peer) -> Option<Challenge> {
        Some(rand::random::<[u8; 16]>().into())
    }

    fn breached(&mut self, peer: Peer, why: &SecurityError) {
        let words = format!("message refused, client {}: {why}", peer.client);
        self.device.core_mut().log(Event::UnauthorisedAccess, words);
    }
}

impl<D: Device> ObjectModel for Face<'_, D> {
    fn get(
        &mut self,
        peer: Peer,
        attribute: AttributeRef,
        selective: Option<&Selective>,
    ) -> Result<Data, DataAccessResult> {
        self.device.core_mut().bench.note(attribute.obis, attribute.attribute);
        let spec = self.spec(peer, attribute.class, attribute)?;
        if !spec.readable.contains(&attribute.attribute) {
            return Err(DataAccessResult::ReadWriteDenied);
        }
        let is_buffer = spec.class == ClassId(7) && attribute.attribute != 1;
        if selective.is_some() && !(is_buffer && attribute.attribute == 2) {
            return Err(DataAccessResult::ScopeOfAccessViolated);
        }
        let value = if is_buffer {
            let read = self.read_buffer(&spec, attribute.attribute, selective);
            read.unwrap_or(Err(DataAccessResult::ObjectUnavailable))?
        } else {
            self.read(peer, &spec, attribute.attribute)?
        };
        let AttributeRef { class, obis, attribute } = attribute;
        let misbehaviour = &self.device.core().bench.misbehaviour;
        Ok(if self.from_afar { misbehaviour.told(class, obis, attribute, value) } else { value })
    }

    fn set(
        &mut self,
        peer: Peer,
        attribute: AttributeRef,
        selective: Option<&Selective>,
        value: Data,
    ) -> Result<(), DataAccessResult> {
        self.device.core_mut().bench.note(attribute.obis, attribute.attribute);
        let spec = self.spec(peer, attribute.class, attribute)?;
        if !spec.writable.contains(&attribute.attribute) || self.shell.access.is_public(peer.client) {
            return Err(DataAccessResult::ReadWriteDenied);
        }
        if selective.is_some() {
            return Err(DataAccessResult::ScopeOfAccessViolated);
        }
        // A clock is set, not stored.
        if self.device.core().bench.memory_full && spec.role != Role::Clock {
            return Err(DataAccessResult::TemporaryFailure);
        }
        if self.device.core().bench.misbehaviour.ignores(attribute.obis) {
            return Ok(());
        }
        self.write(peer, &spec, attribute.attribute, &value)
    }

    fn act(
        &mut self,
        peer: Peer,
        method: MethodRef,
        parameter: Option<Data>,
    ) -> Result<Option<Data>, ActionResult> {
        self.device.core_mut().bench.note(method.obis, method.method);
        let spec = self.find(peer, method.obis).copied().ok_or(ActionResult::ObjectUndefined)?;
        if spec.class != method.class {
            return Err(ActionResult::ObjectClassInconsistent);
        }
        if !spec.methods.contains(&method.method) || self.shell.access.is_public(peer.client) {
            return Err(ActionResult::ReadWriteDenied);
        }
        if self.device.core().bench.misbehaviour.ignores(method.obis) {
            return Ok(None);
        }
        match spec.role {
            Role::Clock => self.shift_clock(parameter.as_ref()),
            Role::ImageTransfer => image::invoke(self.device.core_mut(), method.method, parameter.as_ref()),
            Role::SecuritySetup(client) => self.transfer_keys(peer, client, parameter.as_ref()),
            Role::EventLog => {
                self.device.core_mut().clear_events();
                Ok(())
            }
            _ => self.device.invoke(&spec, method.method, parameter.as_ref(), self.shell),
        }
        .map(|()| None)
    }
}

impl Buffer {
    /// Attributes 3 to 8 of class 7.
    fn describe(&self, attribute: i8) -> Result<Data, DataAccessResult> {
        let count = |count: usize| Data::U32(u32::try_from(count).unwrap_or(u32::MAX));
        Ok(match attribute {
            3 => Data::Array(self.columns.iter().map(|column| column.to_data()).collect()),
            4 => Data::U32(self.period),
            // First in, first out.
            5 => Data::Enum(1),
            6 => self.columns.first().map_or(Data::Null, |column| column.to_data()),
            7 => count(self.rows.len()),
            8 => count(self.capacity),
            _ => return Err(DataAccessResult::ReadWriteDenied),
        })
    }
}

fn logical_device_name(core: &Core) -> String {
    let digits = core.plate.eui64.to_string().replace('-', "");
    format!("LAB{}", digits.get(3..).unwrap_or_default())
}

fn object_list_element(spec: &Spec) -> Data {
    let mode = |attribute: &i8| 1 + 2 * u8::from(spec.writable.contains(attribute));
    let only_written = spec.writable.iter().filter(|attribute| !spec.readable.contains(attribute));
    let readable = spec.readable.iter().map(|attribute| (*attribute, mode(attribute)));
    let attributes = readable.chain(only_written.map(|attribute| (*attribute, 2)));
    let access = |(attribute, mode)| Data::Structure(vec![Data::I8(attribute), Data::Enum(mode), Data::Null]);
    let method = |method: &i8| Data::Structure(vec![Data::I8(*method), Data::Enum(1)]);
    Data::Structure(vec![
        Data::U16(spec.class.0),
        Data::U8(spec.version),
        Data::Octets(spec.obis.0.to_vec()),
        Data::Structure(vec![
            Data::Array(attributes.map(access).collect()),
            Data::Array(spec.methods.iter().map(method).collect()),
        ]),
    ])
}

/// Attributes of class 8.
fn clock(core: &Core, attribute: i8, sign: DeviationSign) -> Result<Data, DataAccessResult> {
    let mut shown = date_time(core.shown(), sign);
    if !core.clock_holds() {
        // Invalid value: it could not be kept through an outage (IEC 62056-6-2, 4.1.6.1).
        shown.status |= 0x01;
    }
    let change = |month: u8| {
        // The last Sunday of the month at 01:00, any year.
        Data::Octets(vec![0xff, 0xff, month, 0xfe, 7, 1, 0, 0, 0, 0x80, 0, 0])
    };
    Ok(match attribute {
        2 => Data::Octets(shown.to_octets().to_vec()),
        3 => Data::I16(0),
        4 => Data::U8(shown.status),
        5 => change(3),
        6 => change(10),
        7 => Data::I8(60),
        8 => Data::Boolean(true),
        9 => Data::Enum(1),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// An alert as it goes to the head end: the event log's newest line, as an event notification.
pub fn alert(entry: &Entry, shell: &Shell) -> Notification {
    let at: MeterTime = entry.at;
    let value =
        Data::Structure(vec![Data::U16(entry.event.code()), stamp(at, shell.sign), text(&entry.text)]);
    let attribute =
        AttributeRef { class: ClassId(7), obis: shell.directory.name(Role::EventLog), attribute: 2 };
    let time = Some(date_time(at, shell.sign));
    Notification::Event(EventNotification { time, attribute, value })
}

#[cfg(test)]
mod security_tests;
#[cfg(test)]
mod tests;
