//! The communications hub's own objects: who it is, the time, which devices may join its network, which have, and
//! when it heard them; and what it holds for those that sleep.

use std::collections::BTreeMap;

use proto_dlms::data::{ActionResult, Data, DataAccessResult};
use proto_duis::{DeviceKind, Eui64};

use super::directory::Spec;
use super::encode::{column, stamp};
use super::role::Role;
use super::{Buffer, Device, Shell, network};
use crate::model::core::Core;
use crate::model::journal::Event;
use crate::model::store::{Held, Store};
use crate::model::time::{MeterTime, Moment};

/// Devices a hub keeps in its log.
const LOGGED_DEVICES: usize = 16;
/// Longest time devices may be let in for, in seconds.
const LONGEST_PERMIT: i128 = 3600;

/// A device of the home area network, as the hub knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// What it is.
    pub kind: DeviceKind,
    /// When the hub last heard it; none if never.
    pub last: Option<MeterTime>,
}

/// Octets an install code may have, without its check (ZigBee Smart Energy, 5.4.8.1).
const INSTALL_CODES: [usize; 4] = [6, 8, 12, 16];

/// Why the hub's list is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListRefusal {
    /// The device is on the network already.
    #[error("the device has joined already")]
    Joined,
    /// There is no room.
    #[error("the list has {LOGGED_DEVICES} devices already")]
    Full,
    /// The device is not on the list.
    #[error("the device is not on the hub's join list")]
    NotListed,
    /// No install code has so many octets.
    #[error("an install code of {0} octets")]
    InstallCode(usize),
    /// No time, or longer than devices are let in for.
    #[error("joining for {0} s")]
    Period(i128),
}

/// Why a device did not join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinRefusal {
    /// Nothing may join at this time.
    #[error("the hub lets nothing join now")]
    Closed,
    /// This device is not on the list.
    #[error("the device is not on the hub's join list")]
    NotListed,
}

/// The hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// Plate, clock and journal.
    pub core: Core,
    /// The devices that have joined, by EUI-64.
    pub contacts: BTreeMap<Eui64, Contact>,
    /// What it holds for devices that sleep.
    pub store: Store,
    /// The devices that may join, with what they must be.
    listed: BTreeMap<Eui64, DeviceKind>,
    /// Until when they may.
    permits_until: Moment,
    /// The start of the working memory the store is in.
    start: u32,
}

impl Hub {
    /// A hub on whose network these devices are; they are on its list, and nothing else may join.
    pub fn new(core: Core, contacts: BTreeMap<Eui64, Contact>, store: Store) -> Self {
        let listed = contacts.iter().map(|(eui64, contact)| (*eui64, contact.kind)).collect();
        Self { permits_until: core.now(), start: core.starts(), core, contacts, store, listed }
    }

    /// Lets listed devices join for so many seconds from now on; nought closes the network.
    pub fn permit_join(&mut self, seconds: u16) {
        self.permits_until = self.core.now().plus(i64::from(seconds) * 1000);
    }

    /// Seconds for which listed devices may join.
    pub fn permits_for(&self) -> u16 {
        u16::try_from(self.permits_until.since(self.core.now()).max(0) / 1000).unwrap_or(u16::MAX)
    }

    /// The devices that may join.
    pub const fn listed(&self) -> &BTreeMap<Eui64, DeviceKind> {
        &self.listed
    }

    /// Another list; a device that is no longer on it leaves the network.
    pub fn list(&mut self, listed: BTreeMap<Eui64, DeviceKind>) {
        self.listed = listed;
        let gone: Vec<Eui64> =
            self.contacts.keys().filter(|eui64| !self.listed.contains_key(eui64)).copied().collect();
        gone.into_iter().for_each(|eui64| {
            self.leave(eui64);
        });
        self.core.log(Event::DeviceLogChanged, format!("{} devices may join", self.listed.len()));
    }

    /// Puts a device on the list and lets listed devices join for so many seconds. The key that follows from an install
    /// code is below what is simulated: of the code only its length is judged.
    ///
    /// # Errors
    /// Why not.
    pub fn add(
        &mut self,
        (eui64, kind): (Eui64, DeviceKind),
        install_code: &[u8],
        seconds: i128,
    ) -> Result<(), ListRefusal> {
        if !INSTALL_CODES.contains(&install_code.len()) {
            return Err(ListRefusal::InstallCode(install_code.len()));
        }
        let period = u16::try_from(seconds).ok().filter(|_| (1..=LONGEST_PERMIT).contains(&seconds));
        let period = period.ok_or(ListRefusal::Period(seconds))?;
        if self.has_joined(eui64) {
            return Err(ListRefusal::Joined);
        }
        if self.listed.len() >= LOGGED_DEVICES && !self.listed.contains_key(&eui64) {
            return Err(ListRefusal::Full);
        }
        let mut listed = self.listed.clone();
        listed.insert(eui64, kind);
        self.list(listed);
        self.permit_join(period);
        Ok(())
    }

    /// Takes a device off the list; it leaves the network.
    ///
    /// # Errors
    /// [`ListRefusal::NotListed`].
    pub fn remove(&mut self, eui64: Eui64) -> Result<(), ListRefusal> {
        let mut listed = self.listed.clone();
        listed.remove(&eui64).ok_or(ListRefusal::NotListed)?;
        self.list(listed);
        Ok(())
    }

    /// Whether a device may join now.
    pub fn lets_in(&self, eui64: Eui64, kind: DeviceKind) -> bool {
        self.listed.get(&eui64) == Some(&kind) && self.permits_for() > 0
    }

    /// Methods 1 and 2 of class 104: a device with its install code and the seconds it has to join, or a device alone.
    fn control(&mut self, method: i8, parameter: &Data) -> Result<(), ActionResult> {
        let wrong = ActionResult::TypeUnmatched;
        let changed = if method == network::REGISTER {
            let device = network::named(parameter).ok_or(wrong)?;
            let [_, _, code, seconds] = parameter.elements().unwrap_or_default() else { return Err(wrong) };
            let code = code.as_octets().ok_or(wrong)?;
            self.add(device, code, seconds.as_i128().ok_or(wrong)?)
        } else {
            self.remove(network::eui64(parameter).ok_or(wrong)?)
        };
        changed.map_err(|refusal| {
            self.core.log(Event::CommandRefused, format!("join list: {refusal}"));
            match refusal {
                ListRefusal::Full => ActionResult::TemporaryFailure,
                ListRefusal::NotListed => ActionResult::ObjectUnavailable,
                ListRefusal::InstallCode(_) => ActionResult::OtherReason,
                ListRefusal::Joined | ListRefusal::Period(_) => ActionResult::ScopeOfAccessViolated,
            }
        })
    }

    /// A device asks to join.
    ///
    /// # Errors
    /// Why it may not; told to the head end.
    pub fn join(&mut self, eui64: Eui64, kind: DeviceKind) -> Result<(), JoinRefusal> {
        let refusal = match self.listed.get(&eui64) {
            Some(listed) if *listed == kind => (self.permits_for() == 0).then_some(JoinRefusal::Closed),
            _ => Some(JoinRefusal::NotListed),
        };
        if let Some(refusal) = refusal {
            self.core.log(Event::JoinFailed, format!("{kind} {eui64}: {refusal}"));
            return Err(refusal);
        }
        self.contacts.insert(eui64, Contact { kind, last: Some(self.core.shown()) });
        self.core.log(Event::JoinSucceeded, format!("{kind} {eui64} joined"));
        Ok(())
    }

    /// A device leaves the network; whether it was on it.
    pub fn leave(&mut self, eui64: Eui64) -> bool {
        let left = self.contacts.remove(&eui64).is_some();
        if left {
            self.core.log(Event::UnjoinSucceeded, format!("{eui64} left"));
            let dropped = self.store.fetch(eui64).len();
            self.tell_dropped(dropped, "it left the network");
        }
        left
    }

    /// Holds a message for a device that sleeps; one for which there is no room is dropped, and that is told.
    pub fn hold(&mut self, message: Held) {
        if let Err(refusal) = self.store.hold(message) {
            self.tell_dropped(1, &refusal.to_string());
        }
    }

    /// What it holds is gone: it was in its working memory.
    pub fn lose_held(&mut self, why: &str) {
        let dropped = self.store.clear();
        self.tell_dropped(dropped, why);
    }

    /// Every message that does not reach its device is told, one by one.
    fn tell_dropped(&mut self, count: usize, why: &str) {
        for _ in 0..count {
            let words = format!("message for a sleeping device dropped: {why}");
            self.core.log(Event::MessageNotRetrieved, words);
        }
    }

    /// What somebody on the wide area network sent to this device and it has not fetched is dropped. The head end asked
    /// for it, and is not told again.
    fn withdraw(&mut self, device: &Data) -> Result<(), DataAccessResult> {
        let octets = device.as_octets().ok_or(DataAccessResult::TypeUnmatched)?;
        let device = <[u8; 8]>::try_from(octets).map_err(|_| DataAccessResult::TypeUnmatched)?;
        match self.store.withdraw(self.core.plate.eui64, Eui64::new(device)) {
            0 => Err(DataAccessResult::ObjectUnavailable),
            _ => Ok(()),
        }
    }

    /// Device, and seconds it has waited, of every message held.
    fn held(&self) -> Data {
        let now = self.core.now();
        let entry = |held: &Held| {
            let waited = u32::try_from(now.since(held.since).max(0) / 1000).unwrap_or(u32::MAX);
            Data::Structure(vec![Data::Octets(held.to.octets().to_vec()), Data::U32(waited)])
        };
        Data::Array(self.store.all().map(entry).collect())
    }

    /// Whether a device is on the network.
    pub fn has_joined(&self, eui64: Eui64) -> bool {
        self.contacts.contains_key(&eui64)
    }

    /// Notes that a device was heard now. One that never joined is not noted.
    pub fn heard(&mut self, from: Eui64) {
        let shown = self.core.shown();
        if let Some(contact) = self.contacts.get_mut(&from) {
            contact.last = Some(shown);
        }
    }
}

/// The device type numbers of the device log (after the GBCS device log use case).
pub fn device_type(kind: DeviceKind) -> u8 {
    match kind {
        DeviceKind::Gsme => 0,
        DeviceKind::Esme => 1,
        DeviceKind::Chf => 2,
        DeviceKind::Gpf => 3,
        DeviceKind::Ppmid => 5,
        DeviceKind::Ihd => 6,
    }
}

impl Device for Hub {
    fn core(&self) -> &Core {
        &self.core
    }

    fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    fn live(&mut self, to: Moment) {
        if self.core.wait_out(to) {
            return;
        }
        if let Some(at) = self.core.next_activation().filter(|at| *at <= to) {
            self.core.bring_to(at);
            self.core.activate_due();
        }
        self.core.bring_to(to);
        if std::mem::replace(&mut self.start, self.core.starts()) != self.start {
            self.lose_held("restart");
        }
        let dropped = self.store.expire(to);
        self.tell_dropped(dropped, "not fetched in time");
    }

    fn set_mains(&mut self, on: bool) {
        if on {
            self.core.regain_mains();
        } else {
            // Told with the last of its strength: a hub that comes back does not know what it held.
            self.lose_held("mains lost");
            self.core.lose_mains();
        }
    }

    fn read(&self, spec: &Spec, _: i8, _: &Shell) -> Result<Data, DataAccessResult> {
        match spec.role {
            Role::JoinList => Ok(network::devices(self.listed.iter().map(|(eui64, kind)| (*eui64, *kind)))),
            Role::NetworkControl => {
                Ok(network::devices(self.contacts.iter().map(|(eui64, contact)| (*eui64, contact.kind))))
            }
            Role::PermitJoin => Ok(Data::U16(self.permits_for())),
            Role::HeldMessages => Ok(self.held()),
            _ => Err(DataAccessResult::ObjectUnavailable),
        }
    }

    fn write(&mut self, spec: &Spec, _: i8, value: &Data, _: &Shell) -> Result<(), DataAccessResult> {
        let wrong = DataAccessResult::TypeUnmatched;
        match spec.role {
            Role::JoinList => {
                let entries = value.elements().ok_or(wrong)?;
                if entries.len() > LOGGED_DEVICES {
                    return Err(DataAccessResult::ScopeOfAccessViolated);
                }
                let listed = entries.iter().map(|entry| network::named(entry).ok_or(wrong));
                self.list(listed.collect::<Result<_, _>>()?);
            }
            Role::PermitJoin => {
                let seconds = value.as_i128().ok_or(wrong)?;
                let seconds = Some(seconds).filter(|seconds| (0..=LONGEST_PERMIT).contains(seconds));
                let seconds = seconds.and_then(|seconds| u16::try_from(seconds).ok());
                self.permit_join(seconds.ok_or(DataAccessResult::ScopeOfAccessViolated)?);
            }
            Role::HeldMessages => self.withdraw(value)?,
            _ => return Err(DataAccessResult::ReadWriteDenied),
        }
        Ok(())
    }

    fn invoke(
        &mut self,
        spec: &Spec,
        method: i8,
        parameter: Option<&Data>,
        _: &Shell,
    ) -> Result<(), ActionResult> {
        match spec.role {
            Role::NetworkControl => self.control(method, parameter.ok_or(ActionResult::TypeUnmatched)?),
            _ => Err(ActionResult::ObjectUnavailable),
        }
    }

    fn buffer(&self, role: Role, shell: &Shell) -> Option<Buffer> {
        let log = shell.directory.name(role);
        let row = |(eui64, contact): (&Eui64, &Contact)| {
            let last = contact.last.map_or_else(|| Data::Octets(vec![0xff; 12]), |at| stamp(at, shell.sign));
            let kind = Data::Enum(device_type(contact.kind));
            Data::Structure(vec![Data::Octets(eui64.octets().to_vec()), kind, last])
        };
        (role == Role::DeviceLog).then(|| Buffer {
            columns: vec![column(7, log, -1), column(7, log, -2), column(7, log, -3)],
            rows: self.contacts.iter().map(row).collect(),
            capacity: LOGGED_DEVICES,
            period: 0,
        })
    }
}
