//! A device with its server sessions: what stands behind each of its doors.

use std::collections::BTreeMap;

use lab_config::Quirk;
use proto_dlms::apdu::{Aare, Apdu};
use proto_dlms::server::{Peer, ServerSession, ServerSettings};
use proto_dlms::sign_on::ReadOut;

use super::WanId;
use crate::model::journal::Event;
use crate::model::time::Moment;
use crate::objects::{Device, Face, Shell, alert};

/// Sessions a device keeps; beyond them one that is not associated goes.
const SESSIONS: usize = 16;

/// Where a client comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Door {
    /// A connection on the wide area network.
    Wan(WanId),
    /// The home area network.
    Han,
    /// The local port.
    Local,
}

/// A client at a door, and the logical device it speaks to.
type Place = (Door, u16, u16);

/// A device in its place.
pub(crate) struct Station<D> {
    pub(crate) device: D,
    pub(crate) shell: Shell,
    /// It lives but says nothing, on any path.
    pub(crate) silent: bool,
    sessions: BTreeMap<Place, ServerSession>,
    /// The start of the device its sessions are of.
    start: u32,
}

impl<D: Device> Station<D> {
    /// A device in its place, set up to tell what its Device Model tells.
    pub(super) fn new(mut device: D, shell: Shell) -> Self {
        if let Some(codes) = shell.particulars().and_then(|particulars| particulars.alerts.as_ref()) {
            let told = Event::ALL.iter().copied().filter(|event| codes.value.contains(&event.code()));
            device.core_mut().journal.set_alerted(told.collect());
        }
        let start = device.core().starts();
        Self { device, shell, silent: false, sessions: BTreeMap::new(), start }
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
            self.sessions.clear();
        }
    }

    /// The answer to an APDU; none from a silent device, for another logical device, or where none is due.
    pub(super) fn serve(&mut self, door: Door, peer: Peer, apdu: &[u8]) -> Option<Vec<u8>> {
        if !self.answers() || !self.shell.is_at(peer.server) {
            return None;
        }
        if std::mem::replace(&mut self.start, self.device.core().starts()) != self.start {
            self.sessions.clear();
        }
        let place = (door, peer.client, peer.server);
        self.make_room(place);
        let session =
            self.sessions.entry(place).or_insert_with(|| ServerSession::new(peer, settings(&self.shell)));
        let answer = session.receive(apdu, &mut Face { device: &mut self.device, shell: &mut self.shell })?;
        let nameless = self.shell.has(Quirk::AareWithoutMechanismName);
        Some(if nameless { without_mechanism(answer) } else { answer })
    }

    /// What it reads out to anybody at its local port.
    pub(super) fn read_out(&mut self) -> ReadOut {
        Face { device: &mut self.device, shell: &mut self.shell }.read_out()
    }

    fn make_room(&mut self, place: Place) {
        if self.sessions.len() < SESSIONS || self.sessions.contains_key(&place) {
            return;
        }
        self.sessions.retain(|_, session| session.is_associated());
        if self.sessions.len() >= SESSIONS {
            self.sessions.pop_first();
        }
    }

    /// It restarts: every association is gone.
    pub(super) fn forget_all(&mut self) {
        self.sessions.clear();
    }

    /// The link below a door is gone, and every association with it.
    pub(super) fn forget(&mut self, door: Door) {
        self.sessions.retain(|(of, ..), _| *of != door);
    }

    /// The next alert, as an event notification; a silent device keeps them, and so does one without power.
    pub(super) fn take_alert(&mut self) -> Option<Vec<u8>> {
        if self.silent || !self.device.core().can_send() {
            return None;
        }
        let entry = self.device.core_mut().journal.take_alert()?;
        Some(alert(&entry, &self.shell))
    }
}

fn settings(shell: &Shell) -> ServerSettings {
    let usual = ServerSettings::default();
    let max_pdu = shell.particulars().and_then(|particulars| particulars.max_pdu);
    ServerSettings { max_pdu: max_pdu.map_or(usual.max_pdu, |fact| fact.value), ..usual }
}

/// An AARE as meters send it that leave out the name of the mechanism; any other APDU as it is.
fn without_mechanism(apdu: Vec<u8>) -> Vec<u8> {
    match Apdu::decode(&apdu) {
        Ok(Apdu::Aare(aare)) => Apdu::Aare(Aare { mechanism: None, ..aare }).encode(),
        _ => apdu,
    }
}
