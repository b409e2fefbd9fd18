//! The person's hand and the test bench: everything that is done to a device other than on its wire.

use std::sync::Arc;

use lab_config::Path;
use lab_config::contents::Load;
use proto_duis::DeviceKind;
use serde::Serialize;

use super::site::{Site, now};
use super::strike::lacks;
use crate::fault::{Fault, FaultError, FaultId, Placed, Way};
use crate::home::Home;
use crate::model::account::PaymentMode;
use crate::model::connection::Connection;
use crate::model::core::Core;
use crate::model::esme::Esme;
use crate::model::loading::LoadRefusal;
use crate::model::money::Millipence;
use crate::model::ppmid::DisplayRefusal;
use crate::model::supply::{Key, KeyEffect};
use crate::objects::{Device, JoinRefusal, Shell};

/// What a hand cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandError {
    /// No such rig is simulated.
    #[error("no rig {rig} is simulated; simulated rigs: {known}")]
    Rig {
        /// The rig asked for.
        rig: String,
        /// The rigs there are.
        known: String,
    },
    /// No such device is simulated.
    #[error("rig {rig} has no simulated {kind}")]
    Device {
        /// The rig.
        rig: String,
        /// The device asked for.
        kind: DeviceKind,
    },
    /// The device has nothing of the sort.
    #[error("{kind} of rig {rig} has no {what}")]
    Without {
        /// The rig.
        rig: String,
        /// The device.
        kind: DeviceKind,
        /// What it lacks.
        what: &'static str,
    },
    /// The display does not do it.
    #[error(transparent)]
    Display(#[from] DisplayRefusal),
    /// The hub does not let the device onto its network.
    #[error(transparent)]
    Join(#[from] JoinRefusal),
    /// A device cannot be loaded with what a data set says; no device of the rig was.
    #[error("{kind} of rig {rig} is not loaded, nor is any other: {refusal}")]
    Load {
        /// The rig.
        rig: String,
        /// The device.
        kind: DeviceKind,
        /// Why.
        refusal: LoadRefusal,
    },
    /// Not a key of a meter.
    #[error("a meter has keys A and B, found {0:?}")]
    Key(char),
    /// Not a link of this device.
    #[error("{kind} of rig {rig} has no {path} link of its own")]
    Link {
        /// The rig.
        rig: String,
        /// The device.
        kind: DeviceKind,
        /// The path asked for.
        path: Path,
    },
}

/// What pressing keys came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressed {
    /// No key was waited for.
    Nothing,
    /// The other key is waited for.
    Waiting,
    /// The supply is on.
    SupplyOn,
}

/// The hand at one device.
#[derive(Clone)]
pub struct Hand {
    pub(super) site: Arc<Site>,
    pub(super) kind: DeviceKind,
}

/// What a device is like inside, for tests and for the lab engineer's eye. Not on any wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceState {
    /// What its clock shows, RFC 3339; none for a display.
    pub clock: Option<String>,
    /// Its firmware version.
    pub firmware: String,
    /// Supply: 0 off, 1 on, 2 ready; meters only.
    pub supply: Option<u8>,
    /// Why the supply is off: 1 manual, 2 no credit, 4 overload, 8 event; 0 when on.
    pub off_reason: Option<u8>,
    /// Balance in thousandths of a penny; meters only.
    pub balance_millipence: Option<i64>,
    /// Whether the customer pays in advance; meters only.
    pub prepayment: Option<bool>,
    /// Register: watt hours, or litres of gas; of the gas proxy what it mirrors.
    pub register: Option<u64>,
    /// Load in watts, or flow in litres an hour.
    pub load: Option<u32>,
    /// Voltage at the load terminals in tenths of a volt; electricity only.
    pub terminal_decivolts: Option<u16>,
    /// Battery left, percent; gas only.
    pub battery_percent: Option<u8>,
    /// Events in its log, newest last, as hexadecimal code and text.
    pub events: Vec<String>,
    /// What a display shows: messages; of a meter what its own display shows of its supplier.
    pub messages: Vec<String>,
    /// Balance a display shows, in pence.
    pub shown_balance_pence: Option<i64>,
    /// Messages held for devices that sleep; communications hubs only.
    pub held_messages: Option<usize>,
}

impl Hand {
    pub(super) fn new(site: Arc<Site>, kind: DeviceKind) -> Self {
        Self { site, kind }
    }

    /// Presses keys one after the other, such as `"AB"`.
    ///
    /// # Errors
    /// Another letter than A or B, or a device without keys.
    pub fn press_keys(&self, keys: &str) -> Result<Pressed, HandError> {
        let keys: Vec<Key> = keys.chars().map(key).collect::<Result<_, _>>()?;
        let press = |home: &mut Home| {
            let mut effect = KeyEffect::None;
            for key in keys {
                effect = match self.kind {
                    DeviceKind::Esme => home.esme.as_mut()?.device.connection.press(key),
                    DeviceKind::Gsme => home.gsme.as_mut()?.device.press(key),
                    _ => return None,
                };
            }
            Some(effect)
        };
        match self.site.with(press).ok_or_else(|| self.without("supply keys"))? {
            KeyEffect::None => Ok(Pressed::Nothing),
            KeyEffect::Waiting => Ok(Pressed::Waiting),
            KeyEffect::Closed => Ok(Pressed::SupplyOn),
        }
    }

    /// Types a token at the meter; the pence it was worth, or the meter's words of refusal.
    ///
    /// # Errors
    /// A device without token entry.
    pub fn enter_token(&self, digits: &str) -> Result<Result<u32, &'static str>, HandError> {
        let entered = self.connection(|connection| connection.enter_token(digits.as_bytes()))?;
        Ok(entered.map_err(|refusal| refusal.text()))
    }

    /// Puts a load on the meter, in watts or litres of gas an hour; none gives the household back.
    ///
    /// # Errors
    /// A device that meters nothing.
    pub fn set_load(&self, load: Option<u32>) -> Result<(), HandError> {
        let set = |home: &mut Home| match self.kind {
            DeviceKind::Esme => home.esme.as_mut().map(|esme| esme.device.set_load(load)),
            DeviceKind::Gsme => home.gsme.as_mut().map(|gsme| gsme.device.set_flow(load)),
            _ => None,
        };
        self.site.with(set).ok_or_else(|| self.without("load"))
    }

    /// Loads what a test data set says into the devices of the rig: into all of them, or into none.
    ///
    /// # Errors
    /// [`HandError::Load`]: what a device has no room for, or what could not have come about in it.
    pub fn load(&self, loads: &[Load]) -> Result<(), HandError> {
        self.site.with(|home| home.load(loads)).map_err(|(kind, refusal)| HandError::Load {
            rig: self.site.name.clone(),
            kind,
            refusal,
        })
    }

    /// Puts the balance of a meter to so many pence, as a supplier's correction would.
    ///
    /// # Errors
    /// A device without an account.
    pub fn set_balance(&self, pence: i32) -> Result<(), HandError> {
        self.connection(|connection| {
            let wanted = Millipence::new(i64::from(pence) * 1000);
            connection.adjust(wanted - connection.account().balance());
        })
    }

    /// Takes the device's mains away, or gives them back. A hub tells the outage after three minutes and then
    /// closes its wide area network link; a gas meter has none to lose.
    ///
    /// # Errors
    /// A device without mains.
    pub fn mains(&self, on: bool) -> Result<(), HandError> {
        let has = self.site.with(|home| home.set_mains(self.kind, on));
        if has { Ok(()) } else { Err(self.without("mains")) }
    }

    /// Another mains voltage in tenths of a volt; none gives back the usual.
    ///
    /// # Errors
    /// A device that measures no voltage.
    pub fn set_decivolts(&self, decivolts: Option<u16>) -> Result<(), HandError> {
        self.esme(|esme| esme.set_decivolts(decivolts)).ok_or_else(|| self.without("voltage"))
    }

    /// Generation behind the meter in watts; none gives the household's back.
    ///
    /// # Errors
    /// A device that meters no export.
    pub fn set_generation(&self, watts: Option<u32>) -> Result<(), HandError> {
        self.esme(|esme| esme.set_generation(watts)).ok_or_else(|| self.without("export"))
    }

    /// An engineer's supply UTRN opens the supply.
    ///
    /// # Errors
    /// A device without supply.
    pub fn disable_by_token(&self) -> Result<(), HandError> {
        self.connection(Connection::disable_by_token)
    }

    /// Has the device start over: it says nothing for a while, and every association is gone.
    ///
    /// # Errors
    /// A display.
    pub fn restart(&self) -> Result<(), HandError> {
        self.core(Core::restart)
    }

    fn esme<T>(&self, deed: impl FnOnce(&mut Esme) -> T) -> Option<T> {
        let electricity = self.kind == DeviceKind::Esme;
        let find =
            |home: &mut Home| home.esme.as_mut().filter(|_| electricity).map(|esme| deed(&mut esme.device));
        self.site.with(find)
    }

    /// What a voltmeter at the load terminals shows, in tenths of a volt: nought when the supply is off.
    ///
    /// # Errors
    /// A device without load terminals.
    pub fn terminal_decivolts(&self) -> Result<u16, HandError> {
        let electricity = self.kind == DeviceKind::Esme;
        let read =
            |home: &mut Home| Some(home.esme.as_ref().filter(|_| electricity)?.device.terminal_decivolts());
        self.site.with(read).ok_or_else(|| self.without("load terminals"))
    }

    /// Opens the cover.
    ///
    /// # Errors
    /// A device without a tamper switch.
    pub fn tamper(&self) -> Result<(), HandError> {
        self.connection(Connection::tamper)
    }

    /// Pulls a link: a socket and its connections close, a pseudo-terminal is gone.
    ///
    /// # Errors
    /// Not a link of this device.
    pub fn pull_link(&self, path: Path) -> Result<(), HandError> {
        self.plug(path, false)
    }

    /// Plugs a link in again, at the same address or name.
    ///
    /// # Errors
    /// Not a link of this device.
    pub fn restore_link(&self, path: Path) -> Result<(), HandError> {
        self.plug(path, true)
    }

    fn plug(&self, path: Path, plugged: bool) -> Result<(), HandError> {
        let port = self.site.ports.get(&(self.kind, path));
        let missing = || HandError::Link { rig: self.site.name.clone(), kind: self.kind, path };
        port.ok_or_else(missing)?.send_replace(plugged);
        Ok(())
    }

    /// Makes the device say nothing on any path, or speak again.
    pub fn silence(&self, silent: bool) {
        self.site.with(|home| silence(home, self.kind, silent));
    }

    /// Brings a fault about, now or when its time comes.
    ///
    /// # Errors
    /// The device cannot have it, or there are too many.
    pub fn arm(&self, placed: &Placed) -> Result<FaultId, FaultError> {
        self.can_have(&placed.fault)?;
        self.site.with_faults(|board| board.arm(placed.clone(), now()))
    }

    /// Clears one fault of the device's rig, and undoes what it did. Whether there was one.
    pub fn clear_fault(&self, id: FaultId) -> bool {
        self.site.with_faults(|board| board.clear(id))
    }

    /// Clears every fault of the device's rig; what they did is undone. How many there were.
    pub fn clear_faults(&self) -> usize {
        self.site.with_faults(|board| {
            let count = board.armed().count();
            board.clear_all();
            count
        })
    }

    /// On the wide area network a device behind the hub has the hub's link.
    fn can_have(&self, fault: &Fault) -> Result<(), FaultError> {
        let has = |kind, path| self.site.ports.contains_key(&(kind, path));
        let (known, path) = match *fault {
            Fault::Device(fault) => {
                let lacks = self.site.with(|home| lacks(home, self.kind, fault));
                return lacks.map_or(Ok(()), |what| Err(self.without(what).into()));
            }
            Fault::Wire { path: Path::Wan, way: Way::Outward, .. } => {
                (has(DeviceKind::Chf, Path::Wan), Path::Wan)
            }
            Fault::Wire { path, .. } | Fault::Unplug(path) => (has(self.kind, path), path),
        };
        let missing = || FaultError::NoPath { rig: self.site.name.clone(), device: self.kind, path };
        known.then_some(()).ok_or_else(missing)
    }

    /// Puts another firmware version into the device.
    pub fn set_firmware(&self, version: &str) {
        let version = version.to_owned();
        self.site.with(|home| match home.display.as_mut().filter(|_| self.is_display()) {
            Some(display) => display.device.set_firmware(version),
            None => core(home, self.kind).into_iter().for_each(|core| core.plate.firmware = version.clone()),
        });
    }

    /// Changes the password of every client the device has one for; the harness is not told.
    ///
    /// # Errors
    /// A device without passwords.
    pub fn change_password(&self, password: &[u8]) -> Result<(), HandError> {
        let change =
            |home: &mut Home| shell(home, self.kind).map(|shell| shell.access.change_passwords(password));
        self.site.with(change).ok_or_else(|| self.without("passwords"))
    }

    /// Makes the device's clock jump, by milliseconds either way. It notices nothing.
    ///
    /// # Errors
    /// A device without a clock.
    pub fn jump_clock(&self, millis: i64) -> Result<(), HandError> {
        self.core(|core| {
            core.jump_to(core.shown().plus(millis));
        })
    }

    /// Makes the device's clock gain so many millionths from now on, or lose them.
    ///
    /// # Errors
    /// A device without a clock.
    pub fn drift_clock(&self, ppm: i32) -> Result<(), HandError> {
        self.core(|core| core.drift(ppm))
    }

    /// Empties the battery, or fits a new one.
    ///
    /// # Errors
    /// A device without a battery.
    pub fn flat_battery(&self, flat: bool) -> Result<(), HandError> {
        let gas = self.kind == DeviceKind::Gsme;
        let set = |home: &mut Home| home.gsme.as_mut().filter(|_| gas).map(|gsme| gsme.device.set_flat(flat));
        self.site.with(set).ok_or_else(|| self.without("battery"))
    }

    /// What the device is like inside.
    pub fn state(&self) -> DeviceState {
        self.site.with(|home| state(home, self.kind)).unwrap_or_else(DeviceState::nothing)
    }

    fn is_display(&self) -> bool {
        matches!(self.kind, DeviceKind::Ppmid | DeviceKind::Ihd)
    }

    pub(super) fn without(&self, what: &'static str) -> HandError {
        HandError::Without { rig: self.site.name.clone(), kind: self.kind, what }
    }

    fn core<T>(&self, deed: impl FnOnce(&mut Core) -> T) -> Result<T, HandError> {
        self.site.with(|home| core(home, self.kind).map(deed)).ok_or_else(|| self.without("clock"))
    }

    fn connection<T>(&self, deed: impl FnOnce(&mut Connection) -> T) -> Result<T, HandError> {
        let find = |home: &mut Home| connection(home, self.kind).map(deed);
        self.site.with(find).ok_or_else(|| self.without("supply"))
    }
}

fn key(letter: char) -> Result<Key, HandError> {
    match letter {
        'A' | 'a' => Ok(Key::A),
        'B' | 'b' => Ok(Key::B),
        other => Err(HandError::Key(other)),
    }
}

pub(super) fn silence(home: &mut Home, kind: DeviceKind, silent: bool) {
    let place = match kind {
        DeviceKind::Chf => home.hub.as_mut().map(|hub| &mut hub.silent),
        DeviceKind::Gpf => home.proxy.as_mut().map(|proxy| &mut proxy.silent),
        DeviceKind::Esme => home.esme.as_mut().map(|esme| &mut esme.silent),
        DeviceKind::Gsme => home.gsme.as_mut().map(|gsme| &mut gsme.silent),
        DeviceKind::Ppmid | DeviceKind::Ihd => home.display.as_mut().map(|display| &mut display.silent),
    };
    place.into_iter().for_each(|place| *place = silent);
}

pub(super) fn core(home: &mut Home, kind: DeviceKind) -> Option<&mut Core> {
    match kind {
        DeviceKind::Chf => home.hub.as_mut().map(|hub| hub.device.core_mut()),
        DeviceKind::Gpf => home.proxy.as_mut().map(|proxy| proxy.device.core_mut()),
        DeviceKind::Esme => home.esme.as_mut().map(|esme| esme.device.core_mut()),
        DeviceKind::Gsme => home.gsme.as_mut().map(|gsme| gsme.device.core_mut()),
        DeviceKind::Ppmid | DeviceKind::Ihd => None,
    }
}

pub(super) fn shell(home: &mut Home, kind: DeviceKind) -> Option<&mut Shell> {
    match kind {
        DeviceKind::Chf => home.hub.as_mut().map(|hub| &mut hub.shell),
        DeviceKind::Gpf => home.proxy.as_mut().map(|proxy| &mut proxy.shell),
        DeviceKind::Esme => home.esme.as_mut().map(|esme| &mut esme.shell),
        DeviceKind::Gsme => home.gsme.as_mut().map(|gsme| &mut gsme.shell),
        DeviceKind::Ppmid | DeviceKind::Ihd => None,
    }
}

pub(super) fn connection(home: &mut Home, kind: DeviceKind) -> Option<&mut Connection> {
    match kind {
        DeviceKind::Esme => home.esme.as_mut().map(|esme| &mut esme.device.connection),
        DeviceKind::Gsme => home.gsme.as_mut().map(|gsme| &mut gsme.device.connection),
        _ => None,
    }
}

fn state(home: &mut Home, kind: DeviceKind) -> Option<DeviceState> {
    if let DeviceKind::Ppmid | DeviceKind::Ihd = kind {
        return home.display.as_ref().map(|display| DeviceState::of_display(&display.device));
    }
    let common = core(home, kind).map(|core| DeviceState::of_core(core))?;
    let common = match connection(home, kind) {
        Some(connection) => common.with_connection(connection),
        None => common,
    };
    Some(match kind {
        DeviceKind::Esme => home.esme.as_ref().map_or(common.clone(), |esme| DeviceState {
            register: Some(esme.device.import_wh()),
            load: Some(esme.device.watts()),
            terminal_decivolts: Some(esme.device.terminal_decivolts()),
            ..common
        }),
        DeviceKind::Gsme => home.gsme.as_ref().map_or(common.clone(), |gsme| DeviceState {
            register: Some(gsme.device.litres()),
            load: Some(gsme.device.flow()),
            battery_percent: Some(gsme.device.battery_percent()),
            ..common
        }),
        DeviceKind::Gpf => home.proxy.as_ref().map_or(common.clone(), |proxy| DeviceState {
            register: Some(proxy.device.mirror.litres()),
            ..common
        }),
        DeviceKind::Chf => home.hub.as_ref().map_or(common.clone(), |hub| DeviceState {
            held_messages: Some(hub.device.store.all().len()),
            ..common
        }),
        _ => common,
    })
}

impl DeviceState {
    fn nothing() -> Self {
        Self {
            clock: None,
            firmware: String::new(),
            supply: None,
            off_reason: None,
            balance_millipence: None,
            prepayment: None,
            register: None,
            load: None,
            terminal_decivolts: None,
            battery_percent: None,
            events: Vec::new(),
            messages: Vec::new(),
            shown_balance_pence: None,
            held_messages: None,
        }
    }

    fn of_core(core: &Core) -> Self {
        let line =
            |entry: &crate::model::journal::Entry| format!("{:04X} {}", entry.event.code(), entry.text);
        Self {
            clock: Some(core.shown().timestamp().to_string()),
            firmware: core.plate.firmware.clone(),
            events: core.journal.events().map(line).collect(),
            ..Self::nothing()
        }
    }

    fn of_display(display: &crate::model::ppmid::Ppmid) -> Self {
        Self {
            firmware: display.plate().firmware.clone(),
            messages: display.messages().map(str::to_owned).collect(),
            shown_balance_pence: display.balance_pence(),
            ..Self::nothing()
        }
    }

    fn with_connection(self, connection: &Connection) -> Self {
        Self {
            supply: Some(connection.supply().control_state()),
            off_reason: Some(connection.supply().reason_code()),
            balance_millipence: Some(connection.account().balance().get()),
            prepayment: Some(connection.account().mode() == PaymentMode::Prepayment),
            messages: connection.customer.display(),
            ..self
        }
    }
}
