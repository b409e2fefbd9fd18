//! The faults of a rig: which are armed, which strike now.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use lab_config::cosem::Obis;
use lab_config::{DeviceKind, Path};

use super::dice::Dice;
use super::outbox::Outbox;
use super::wire::Fate;
use super::{DeviceFault, Extent, Fault, FaultError, Placed, Way};
use crate::model::curve::mix;

/// Faults of a rig that may be armed at a time.
pub const MOST_FAULTS: usize = 256;

/// What an armed fault is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultId(pub u32);

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a frame comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct From {
    /// The port it leaves by.
    pub port: (DeviceKind, Path),
    /// The device that sends it, where that is another than the port's.
    pub origin: Option<DeviceKind>,
}

/// Something to be done to a device, or undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deed {
    /// The fault it is of.
    pub id: FaultId,
    /// The device.
    pub device: DeviceKind,
    /// What is done.
    pub what: DeedKind,
    /// Done, or undone.
    pub on: bool,
}

/// What is done to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeedKind {
    /// Something goes wrong in it.
    Device(DeviceFault),
    /// A cable of it is pulled.
    Unplug(Path),
}

/// A fault that waits, strikes, or is over.
#[derive(Debug, Clone)]
pub struct Armed {
    placed: Placed,
    since: Instant,
    asked: bool,
    /// Frames met since it was ripe.
    seen: u32,
    /// When it began to strike, and how many frames it has had since.
    begun: Option<(Instant, u32)>,
    over: bool,
    /// Frames it struck.
    struck: u32,
    /// What it does to the device itself is done, and not undone.
    done: bool,
    dice: Dice,
}

/// The faults of one rig.
#[derive(Debug)]
pub struct Board {
    seed: u64,
    next: u32,
    armed: BTreeMap<FaultId, Armed>,
    /// What must be undone because its fault was cleared.
    mending: Vec<Deed>,
    /// How often a fault was cleared: what it held back is lost with it.
    cleared: u64,
}

impl Board {
    /// A board without faults. The seed fixes what chance does.
    pub fn new(seed: u64) -> Self {
        Self { seed, next: 1, armed: BTreeMap::new(), mending: Vec::new(), cleared: 0 }
    }

    /// Another seed, for the faults armed from now on.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Arms a fault: its times count from `now`.
    ///
    /// # Errors
    /// [`FaultError::TooMany`].
    pub fn arm(&mut self, placed: Placed, now: Instant) -> Result<FaultId, FaultError> {
        if self.armed.len() >= MOST_FAULTS {
            self.armed.retain(|_, armed| !armed.over);
        }
        if self.armed.len() >= MOST_FAULTS {
            return Err(FaultError::TooMany { most: MOST_FAULTS });
        }
        let id = FaultId(self.next);
        self.next += 1;
        let asked = placed.when.asked.is_none();
        let dice = Dice::new(mix(self.seed ^ u64::from(id.0)));
        let armed = Armed {
            placed,
            since: now,
            asked,
            seen: 0,
            begun: None,
            over: false,
            struck: 0,
            done: false,
            dice,
        };
        self.armed.insert(id, armed);
        Ok(id)
    }

    /// Clears a fault; what it did to a device is undone by the next [`Board::deeds`]. Whether there was one.
    pub fn clear(&mut self, id: FaultId) -> bool {
        let Some(armed) = self.armed.remove(&id) else { return false };
        self.cleared += 1;
        self.mending.extend(armed.deed(id, false).filter(|_| armed.done));
        true
    }

    /// Clears every fault.
    pub fn clear_all(&mut self) {
        let all: Vec<FaultId> = self.armed.keys().copied().collect();
        for id in all {
            self.clear(id);
        }
    }

    /// Every fault that was armed and not cleared, the oldest first.
    pub fn armed(&self) -> impl Iterator<Item = (FaultId, &Armed)> {
        self.armed.iter().map(|(id, armed)| (*id, armed))
    }

    /// Somebody asks a device for an attribute or a method.
    pub fn asked(&mut self, device: DeviceKind, obis: Obis, number: i8) {
        for armed in
            self.armed.values_mut().filter(|armed| armed.placed.device == device || !armed.is_device())
        {
            let fits = armed.placed.when.asked.is_some_and(|asked| {
                asked.obis == obis && asked.number.is_none_or(|wanted| wanted == number)
            });
            armed.asked |= fits;
        }
    }

    /// A frame leaves: what comes of it goes into the outbox of its connection.
    pub fn outward(&mut self, from: From, octets: Vec<u8>, outbox: &mut Outbox, now: Instant) {
        let mut fate = Fate::of(octets);
        let mut reset = None;
        for armed in self.armed.values_mut() {
            if let Some(fault) = armed.on_wire(from, Way::Outward)
                && armed.strikes(now)
            {
                fate.strike(&fault, &mut armed.dice);
                reset = reset.or(fate.reset.then_some(armed.placed.device));
            }
        }
        self.count_for_devices(from, now);
        outbox.forget_before(self.cleared);
        outbox.push(fate, reset, now);
    }

    /// Octets come in at a port: what the device sees of them, each piece by itself.
    pub fn inward(&mut self, port: (DeviceKind, Path), octets: &[u8], now: Instant) -> Vec<Vec<u8>> {
        let mut fate = Fate::of(octets.to_vec());
        for armed in self.armed.values_mut() {
            if let Some(fault) = armed.on_wire(From { port, origin: None }, Way::Inward)
                && armed.strikes(now)
            {
                fate.strike(&fault, &mut armed.dice);
            }
        }
        fate.pieces.into_iter().map(|piece| piece.octets).collect()
    }

    /// Faults of devices themselves count frames too.
    fn count_for_devices(&mut self, from: From, now: Instant) {
        let sender = from.origin.unwrap_or(from.port.0);
        let of = |armed: &&mut Armed| armed.is_device() && armed.placed.device == sender;
        self.armed.values_mut().filter(of).filter(|armed| armed.counts_frames()).for_each(|armed| {
            armed.strikes(now);
        });
    }

    /// What is to be done to devices now, or undone.
    pub fn deeds(&mut self, now: Instant) -> Vec<Deed> {
        let mut deeds = std::mem::take(&mut self.mending);
        deeds.retain(|deed| !self.others_do(deed));
        let all: Vec<FaultId> = self.armed.keys().copied().collect();
        for id in all {
            let turned = self.armed.get_mut(&id).and_then(|armed| armed.turn(id, now));
            deeds.extend(turned.filter(|deed| !self.others_do(deed)));
        }
        deeds
    }

    /// Whether another fault does the same to the same device: it is done once, and undone with the last of them.
    fn others_do(&self, deed: &Deed) -> bool {
        let same = |(id, armed): (&FaultId, &Armed)| {
            let own =
                armed.deed(*id, true).is_some_and(|own| (own.device, own.what) == (deed.device, deed.what));
            *id != deed.id && armed.done && own
        };
        self.armed.iter().any(same)
    }

    /// When [`Board::deeds`] has something next.
    pub fn due(&self) -> Option<Instant> {
        self.armed.values().filter(|armed| armed.is_device()).filter_map(Armed::due).min()
    }
}

impl Armed {
    /// The fault with its place and time.
    pub const fn placed(&self) -> &Placed {
        &self.placed
    }

    /// Whether it waits, strikes, or is over.
    pub const fn state(&self) -> &'static str {
        match (self.over, &self.begun) {
            (true, _) => "over",
            (false, Some(_)) => "striking",
            (false, None) => "waiting",
        }
    }

    /// How many frames it struck.
    pub const fn struck(&self) -> u32 {
        self.struck
    }

    const fn is_device(&self) -> bool {
        !matches!(self.placed.fault, Fault::Wire { .. })
    }

    fn counts_frames(&self) -> bool {
        self.placed.when.frame.is_some() || matches!(self.placed.when.extent, Extent::Frames(_))
    }

    /// The wire fault, if this frame passes where it is.
    fn on_wire(&self, from: From, way: Way) -> Option<super::WireFault> {
        match &self.placed.fault {
            Fault::Wire { path, way: own, fault } if *own == way && *path == from.port.1 => {
                let here = self.placed.device == from.port.0 || Some(self.placed.device) == from.origin;
                here.then(|| fault.clone())
            }
            _ => None,
        }
    }

    fn ripe_at(&self) -> Instant {
        self.since + self.placed.when.at
    }

    /// A frame passes: whether it is struck.
    fn strikes(&mut self, now: Instant) -> bool {
        if self.over || !self.asked || now < self.ripe_at() {
            return false;
        }
        self.seen = self.seen.saturating_add(1);
        if self.placed.when.frame.is_some_and(|first| self.seen < first) {
            return false;
        }
        let (begun, frames) = self.begun.unwrap_or((now, 0));
        self.begun = Some((begun, frames.saturating_add(1)));
        self.over |= match self.placed.when.extent {
            Extent::Ever => false,
            Extent::Time(time) => now >= begun + time,
            Extent::Frames(count) => frames >= count,
        };
        let hit = !self.over && self.placed.when.odds.is_none_or(|odds| self.dice.one_in(odds));
        self.struck = self.struck.saturating_add(u32::from(hit));
        hit
    }

    /// A fault of a device begins or ends.
    fn turn(&mut self, id: FaultId, now: Instant) -> Option<Deed> {
        if !self.is_device() {
            return None;
        }
        self.over |= self.is_past(now);
        if self.over {
            return std::mem::take(&mut self.done).then(|| self.deed(id, false)).flatten();
        }
        let framed = self.placed.when.frame.is_none() || self.begun.is_some();
        if self.done || !self.asked || !framed || now < self.ripe_at() {
            return None;
        }
        self.begun = self.begun.or(Some((now, 0)));
        self.done = true;
        self.deed(id, true)
    }

    fn is_past(&self, now: Instant) -> bool {
        match (self.placed.when.extent, self.begun) {
            (Extent::Time(time), Some((begun, _))) => now >= begun + time,
            _ => false,
        }
    }

    fn deed(&self, id: FaultId, on: bool) -> Option<Deed> {
        let what = match &self.placed.fault {
            Fault::Wire { .. } => return None,
            Fault::Unplug(path) => DeedKind::Unplug(*path),
            Fault::Device(fault) => DeedKind::Device(*fault),
        };
        Some(Deed { id, device: self.placed.device, what, on })
    }

    fn due(&self) -> Option<Instant> {
        match (self.over, self.begun, self.placed.when.extent) {
            (true, ..) => None,
            (false, None, _) if self.asked && self.placed.when.frame.is_none() => Some(self.ripe_at()),
            (false, Some((begun, _)), Extent::Time(time)) => Some(begun + time),
            _ => None,
        }
    }
}

/// How long a frame that is to come after its successor waits for one.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
