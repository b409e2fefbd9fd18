//! A device with its server sessions: what stands behind each of its doors.

use std::collections::VecDeque;

use lab_config::{PushHabit, Quirk};
use proto_dlms::apdu::{Aare, Apdu, Conformance};
use proto_dlms::client::Notification;
use proto_dlms::push;
use proto_dlms::server::{Peer, ServerSettings, Sessions};
use proto_dlms::sign_on::ReadOut;

use super::WanId;
use crate::model::firmware::ImageTransfer;
use crate::model::journal::{Entry, Event};
use crate::model::time::Moment;
use crate::objects::{Device, Face, Shell, alert};

/// Where a client comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Door {
    /// A connection on the wide area network.
    Wan(WanId),
    /// The home area network.
    Han,
    /// A tunnel of a radio that is not the hub's.
    Radio,
    /// The local port.
    Local,
}

/// A device in its place.
pub(crate) struct Station<D> {
    pub(crate) device: D,
    pub(crate) shell: Shell,
    /// It lives but says nothing, on any path.
    pub(crate) silent: bool,
    /// The associations of its clients with its logical devices.
    sessions: Sessions<Door>,
    /// The start of the device its sessions are of.
    start: u32,
    /// What is still to be sent of an alert in blocks, and when the next may go.
    pushing: VecDeque<Vec<u8>>,
    next_push: Moment,
}

impl<D: Device> Station<D> {
    /// A device in its place, set up to tell what its Device Model tells.
    pub(super) fn new(mut device: D, shell: Shell) -> Self {
        if let Some(codes) = shell.particulars().and_then(|particulars| particulars.alerts.as_ref()) {
            let told = Event::ALL.iter().copied().filter(|event| codes.value.contains(&event.code()));
            device.core_mut().journal.set_alerted(told.collect());
        }
        if let Some(particulars) = shell.particulars() {
            device.core_mut().firmware = ImageTransfer::new(particulars.image_transfer());
        }
        let (start, next_push) = (device.core().starts(), device.core().now());
        let sessions = Sessions::new(settings(&shell), shell.logical_devices());
        Self { device, shell, silent: false, sessions, start, pushing: VecDeque::new(), next_push }
    }

    pub(super) fn live(&mut self, to: Moment) {
        self.device.live(to);
    }

    /// Whether it answers at all: it has power and is not silenced.
    pub(super) fn answers(&self) -> bool {
        !self.silent && self.device.core().is_up()
    }

    /// Takes its mains away or gives them back. Every association ends with them.
    pub(super) fn set_mains(&mut self, on: bool) {
        self.device.set_mains(on);
        if !on {
            self.forget_all();
        }
    }

    /// The answer to an APDU, which is several blocks where the client takes them in a row; none from a silent device, for
    /// a logical device that is not there, or where none is due.
    pub(super) fn serve(&mut self, door: Door, peer: Peer, apdu: &[u8]) -> Vec<Vec<u8>> {
        if !self.answers() {
            return Vec::new();
        }
        self.notice_start();
        let from_afar = door != Door::Local;
        let face = &mut Face { device: &mut self.device, shell: &mut self.shell, from_afar };
        let first = self.sessions.receive(door, peer, apdu, face);
        if let Err(error) = self.shell.access.keep() {
            // As a meter whose memory fails: it does nothing it could not remember.
            tracing::error!(%error, "no answer");
            return Vec::new();
        }
        let nameless = self.shell.has(Quirk::AareWithoutMechanismName);
        let first = first.map(|answer| if nameless { without_mechanism(answer) } else { answer });
        let more = std::iter::from_fn(|| self.sessions.poll_transmit(door, peer));
        first.into_iter().chain(more).collect()
    }

    /// Whatever was in progress ends with a start of the device.
    fn notice_start(&mut self) {
        if std::mem::replace(&mut self.start, self.device.core().starts()) != self.start {
            self.forget_all();
        }
    }

    /// What it reads out to anybody at its local port.
    pub(super) fn read_out(&mut self) -> ReadOut {
        Face { device: &mut self.device, shell: &mut self.shell, from_afar: false }.read_out()
    }

    /// It restarts: every association is gone, and what it was in the middle of saying.
    pub(super) fn forget_all(&mut self) {
        self.sessions = Sessions::new(settings(&self.shell), self.shell.logical_devices());
        self.pushing.clear();
    }

    /// The link below a door is gone, and every association with it.
    pub(super) fn forget(&mut self, door: Door) {
        self.sessions.link_lost(door);
    }

    /// The next APDU of an alert; a silent device keeps them, and so does one without power. An alert longer than the
    /// device sends in one piece comes in blocks, with a pause before each but the first.
    pub(super) fn take_alert(&mut self) -> Option<Vec<u8>> {
        self.notice_start();
        if self.silent || !self.device.core().can_send() {
            return None;
        }
        let (habit, now) = (self.push_habit(), self.device.core().now());
        if self.pushing.is_empty() {
            let entry = self.next_alert()?;
            self.pushing = pieces(alert(&entry, &self.shell), habit);
        } else if now < self.next_push {
            return None;
        }
        self.next_push = now.plus(habit.map_or(0, |habit| habit.gap.into()));
        self.pushing.pop_front()
    }

    /// The oldest alert nobody has taken, of those it tells.
    fn next_alert(&mut self) -> Option<Entry> {
        loop {
            let core = self.device.core_mut();
            let entry = core.journal.take_alert()?;
            if !core.bench.misbehaviour.mutes(entry.event.code()) {
                return Some(entry);
            }
        }
    }

    /// When more of an alert is due.
    pub(super) fn more_to_push(&self) -> Option<Moment> {
        let waits = !self.pushing.is_empty() && self.next_push > self.device.core().now();
        waits.then_some(self.next_push)
    }

    fn push_habit(&self) -> Option<PushHabit> {
        Some(self.shell.particulars()?.pushes?.value)
    }
}

/// The APDUs an alert goes in.
fn pieces(alert: Notification, habit: Option<PushHabit>) -> VecDeque<Vec<u8>> {
    let limit = habit.map_or(0, |habit| habit.octets);
    // Alerts are far shorter than what blocks have numbers for.
    push::frames(alert, None, limit).unwrap_or_default().into()
}

fn settings(shell: &Shell) -> ServerSettings {
    let usual = ServerSettings::default();
    let max_pdu = shell.particulars().and_then(|particulars| particulars.max_pdu);
    let settings = ServerSettings { max_pdu: max_pdu.map_or(usual.max_pdu, |fact| fact.value), ..usual };
    match shell.particulars().and_then(|particulars| particulars.general_blocks) {
        Some(window) => ServerSettings { conformance: Conformance::SPOKEN, window: window.value, ..settings },
        None => settings,
    }
}

/// An AARE as meters send it that leave out the name of the mechanism; any other APDU as it is.
fn without_mechanism(apdu: Vec<u8>) -> Vec<u8> {
    match Apdu::decode(&apdu) {
        Ok(Apdu::Aare(aare)) => Apdu::Aare(Aare { mechanism: None, ..aare }).encode(),
        _ => apdu,
    }
}
