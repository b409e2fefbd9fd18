//! A meter's end of a serial line: sign-on where the port begins with one, then HDLC, then the meter.
//!
//! Sans-I/O as the protocols under it: octets and time in, octets out. A pseudo-terminal has no speed, so the
//! changes of speed and parity a sign-on calls for have nothing to act on here.

use std::time::{Duration, Instant};

use lab_config::Path;
use proto_dlms::hdlc::{Server, ServerEvent, ServerSettings};
use proto_dlms::server::Peer;
use proto_dlms::sign_on::{Baud, Identification, Meter, MeterEvent, MeterSettings};
use proto_duis::DeviceKind;

use super::site::Site;
use crate::fault::{From, Outbox, Outgoing};

/// What a port is like.
#[derive(Debug, Clone)]
pub(super) struct LineSettings {
    /// Whose port it is.
    pub(super) kind: DeviceKind,
    /// Which of its ports.
    pub(super) path: Path,
    /// Logical device behind it.
    pub(super) logical: u16,
    /// Physical device address, where the Device Model says one.
    pub(super) physical: Option<u16>,
    /// Who it says it is at a sign-on; without one the line speaks HDLC from the start.
    pub(super) identification: Option<Identification>,
}

/// How fast a meter whose third letter is small reacts (IEC 62056-21, 6.3.2).
const REACTION: Duration = Duration::from_millis(20);

/// The identification of a lab meter: 9600 baud, mode E, quick to react. Characters that would mean something
/// else in the line are left out of the text.
pub(super) fn identification(text: &str) -> Identification {
    let text = text.chars().filter(|letter| !['/', '\\', '!'].contains(letter)).collect();
    Identification { manufacturer: *b"LAb", baud: Baud::B9600, mode_e: true, text }
}

/// The line.
pub(super) struct Line<'a> {
    site: &'a Site,
    kind: DeviceKind,
    port: From,
    /// What waits to go out, as the faults of the port have left it.
    outbox: Outbox,
    sign_on: Option<Meter>,
    hdlc: Server,
    peer: Option<Peer>,
}

impl<'a> Line<'a> {
    pub(super) fn new(site: &'a Site, settings: LineSettings) -> Self {
        let defaults = ServerSettings::default();
        let hdlc = Server::new(ServerSettings {
            logical_devices: vec![settings.logical],
            physical_device: settings.physical.unwrap_or(defaults.physical_device),
            ..defaults
        });
        let sign_on = settings
            .identification
            .map(|text| Meter::new(MeterSettings { reaction: REACTION, ..MeterSettings::new(text) }));
        Self {
            site,
            kind: settings.kind,
            port: From { port: (settings.kind, settings.path), origin: None },
            outbox: Outbox::default(),
            sign_on,
            hdlc,
            peer: None,
        }
    }

    /// Takes octets from the line. What it answers comes by [`Line::poll_transmit`].
    pub(super) fn receive(&mut self, octets: &[u8], now: Instant) {
        if !self.site.with(|home| home.local_port_answers(self.kind)) {
            return;
        }
        let octets = self.site.hear(self.port.port, octets);
        match &mut self.sign_on {
            Some(meter) if !meter.is_signed_on() => meter.receive(&octets, now),
            // A client that went away without a word, and another that begins anew.
            Some(meter) if is_sign_on_request(&octets) => {
                self.hdlc.reset();
                meter.restart();
                meter.receive(&octets, now);
            }
            _ => self.hdlc.receive(&octets, now),
        }
        self.settle();
    }

    /// What to send now.
    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        loop {
            match self.outbox.poll(now)? {
                Outgoing::Octets(octets) => return Some(octets),
                Outgoing::Reset(device) => self.restart(device),
            }
        }
    }

    /// The meter restarts: the link is down, and nobody is signed on or associated.
    fn restart(&mut self, device: DeviceKind) {
        self.outbox.discard();
        self.hdlc.reset();
        self.peer = None;
        if let Some(meter) = &mut self.sign_on {
            meter.restart();
        }
        self.site.with(|home| home.restart(device));
    }

    /// When [`Line::handle_timeout`] must be called.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let sign_on = self.sign_on.as_ref().and_then(Meter::poll_timeout);
        [sign_on, self.hdlc.poll_timeout(), self.outbox.poll_timeout()].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Some(meter) = &mut self.sign_on {
            meter.handle_timeout(now);
        }
        self.hdlc.handle_timeout(now);
        self.settle();
    }

    /// Lets events reach the meter and answers the line, until both are quiet.
    fn settle(&mut self) {
        loop {
            let signed_on = self.settle_sign_on();
            let linked = self.settle_link();
            if !signed_on && !linked {
                return;
            }
        }
    }

    fn settle_sign_on(&mut self) -> bool {
        let Some(meter) = &mut self.sign_on else { return false };
        let mut moved = false;
        while let Some(octets) = meter.poll_transmit() {
            self.site.send(self.port, octets, &mut self.outbox);
            moved = true;
        }
        while let Some(event) = meter.poll_event() {
            if let MeterEvent::SignedOn { .. } = event {
                self.hdlc.reset();
            }
            moved = true;
        }
        moved
    }

    fn settle_link(&mut self) -> bool {
        let mut moved = false;
        while let Some(event) = self.hdlc.poll_event() {
            self.take(event);
            moved = true;
        }
        while let Some(octets) = self.hdlc.poll_transmit() {
            self.site.send(self.port, octets, &mut self.outbox);
            moved = true;
        }
        moved
    }

    fn take(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::Connected { client, server } => {
                self.peer = Some(Peer::new(client, server));
                self.site.with(|home| home.local_connected(self.kind));
            }
            ServerEvent::Received(apdu) => {
                let answer =
                    self.peer.and_then(|peer| self.site.with(|home| home.local(self.kind, peer, &apdu)));
                // A client that fetches nothing loses what it does not fetch.
                let sent = answer.is_some_and(|apdu| self.hdlc.send(&apdu).is_ok());
                if !sent {
                    self.hdlc.pass();
                }
            }
            ServerEvent::Disconnected => {
                self.peer = None;
                self.site.with(|home| home.local_lost(self.kind));
                if let Some(meter) = &mut self.sign_on {
                    meter.restart();
                }
            }
        }
    }
}

/// A whole sign-on request, `/?address!CR LF`, which no HDLC frame begins like.
fn is_sign_on_request(octets: &[u8]) -> bool {
    octets.starts_with(b"/?") && octets.ends_with(b"!\r\n")
}
