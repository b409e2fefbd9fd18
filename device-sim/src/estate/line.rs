//! A meter's end of a serial line: sign-on where the port begins with one, then HDLC, then the meter.
//!
//! Sans-I/O as the protocols under it: octets and time in, octets out. A pseudo-terminal has no speed; what speed the
//! meter's end is at, as a sign-on changes it, matters to a paced port, which asks for it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use lab_config::{Addressing, FrameLimits, Particulars, Path, Quirk, ServerAddress};
use proto_dlms::hdlc::{Address, AddressSize, Parameters, Server, ServerEvent, ServerSettings};
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
    /// Logical devices behind it.
    pub(super) logical: Vec<u16>,
    /// Physical device address, where the Device Model says one.
    pub(super) physical: Option<u16>,
    /// Octets of the addresses it hears, where the Device Model or the lab file gives it one of its own.
    pub(super) address_size: Option<AddressSize>,
    /// Who it says it is at a sign-on; without one the line speaks HDLC from the start.
    pub(super) identification: Option<Identification>,
    /// Its frames, where the Device Model says more than the standard.
    pub(super) frames: Option<FrameLimits>,
    /// Whether its head gives back every octet sent to it.
    pub(super) echoes: bool,
    /// How long it takes to answer.
    pub(super) delay: Duration,
    /// The speed it begins at, in baud.
    pub(super) baud: u32,
    /// Whether octets take the time on it that they take on a real line.
    pub(super) paced: bool,
}

/// How long a meter that has been signed on to waits for a connection before it waits for a sign-on again.
const UNCONNECTED: Duration = Duration::from_secs(30);

/// How fast a meter whose third letter is small reacts (IEC 62056-21, 6.3.2).
const REACTION: Duration = Duration::from_millis(20);

/// The identification of a meter: as its Device Model says, else that of a lab meter, which offers 9600 baud and is
/// quick to react. Characters that would mean something else in the line are left out of the text.
pub(super) fn identification(text: &str, particulars: &Particulars) -> Identification {
    let text = text.chars().filter(|letter| !['/', '\\', '!'].contains(letter)).collect();
    let said = particulars.sign_on.map(|fact| (fact.value.manufacturer, fact.value.baud));
    let (manufacturer, baud) = said.unwrap_or((*b"LAb", Baud::B9600));
    Identification { manufacturer, baud, mode_e: !particulars.has(Quirk::MissingModeEMarker), text }
}

/// Octets of the addresses a meter hears. One to which nobody gives a physical address hears any; one that has its own
/// hears as many octets as the lab file says, else its Device Model, else the fewest that hold it.
pub(super) fn address_size(given: &Addressing, model: Option<ServerAddress>) -> Option<AddressSize> {
    let said = given.server_address_size.map(octets);
    let model_size =
        model.filter(|server| server.physical.is_some()).and_then(|server| server.size).map(octets);
    let fewest = || {
        let logical = given.server.or(model.map(|server| server.logical)).unwrap_or(1);
        Address::server(logical, given.physical).map(Address::size).ok().filter(|_| given.physical.is_some())
    };
    said.or(model_size).or_else(fewest)
}

fn octets(size: lab_config::AddressSize) -> AddressSize {
    match size {
        lab_config::AddressSize::One => AddressSize::One,
        lab_config::AddressSize::Two => AddressSize::Two,
        lab_config::AddressSize::Four => AddressSize::Four,
    }
}

fn meter(identification: Identification) -> Meter {
    let quick = identification.is_quick();
    let settings = MeterSettings { read_out: true, ..MeterSettings::new(identification) };
    Meter::new(if quick { MeterSettings { reaction: REACTION, ..settings } } else { settings })
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
    /// When a meter that was signed on to, and that nobody connects to, waits for a sign-on again.
    unconnected: Option<Instant>,
    /// The speed of the meter's end.
    baud: u32,
    /// The speed it changes to once what it has said is out.
    next_baud: Option<u32>,
    /// The speed it waits at for a sign-on.
    idle_baud: u32,
    /// What an echoing head has still to give back; none for a head that does not echo.
    echo: Option<Vec<u8>>,
    delay: Duration,
    /// Answers of a meter that takes its time, with when they go out.
    late: VecDeque<(Instant, Vec<u8>)>,
}

impl<'a> Line<'a> {
    pub(super) fn new(site: &'a Site, settings: LineSettings) -> Self {
        let defaults = ServerSettings::default();
        let hdlc = Server::new(ServerSettings {
            logical_devices: settings.logical,
            physical_device: settings.physical.unwrap_or(defaults.physical_device),
            address_size: settings.address_size,
            parameters: settings.frames.map_or(defaults.parameters, |frames| {
                Parameters::symmetric(frames.max_information, frames.window)
            }),
            ..defaults
        });
        Self {
            site,
            kind: settings.kind,
            port: From { port: (settings.kind, settings.path), origin: None },
            outbox: Outbox::default(),
            sign_on: settings.identification.map(meter),
            hdlc,
            peer: None,
            unconnected: None,
            baud: settings.baud,
            next_baud: None,
            idle_baud: settings.baud,
            echo: settings.echoes.then(Vec::new),
            delay: settings.delay,
            late: VecDeque::new(),
        }
    }

    /// Takes octets from the line. What it answers comes by [`Line::poll_transmit`].
    pub(super) fn receive(&mut self, octets: &[u8], now: Instant) {
        // The head is no part of the meter: it gives back also what a dead meter does not hear.
        self.echo.iter_mut().for_each(|echo| echo.extend(octets));
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
        self.settle(now);
    }

    /// The speed of the meter's end, in baud. What [`Line::poll_transmit`] has just given goes out at it.
    pub(super) fn baud(&self) -> u32 {
        self.baud
    }

    fn set_baud(&mut self, settings: proto_dlms::sign_on::LineSettings) {
        let baud = match settings {
            proto_dlms::sign_on::LineSettings::INITIAL => self.idle_baud,
            settings => settings.baud.rate(),
        };
        match self.outbox.poll_timeout() {
            None => (self.baud, self.next_baud) = (baud, None),
            Some(_) => self.next_baud = Some(baud),
        }
    }

    /// What to send now.
    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        let octets = self.poll_outbox(now);
        if octets.is_none() && self.outbox.poll_timeout().is_none() {
            self.baud = self.next_baud.take().unwrap_or(self.baud);
        }
        octets
    }

    fn poll_outbox(&mut self, now: Instant) -> Option<Vec<u8>> {
        if let Some(echo) = self.echo.as_mut().filter(|echo| !echo.is_empty()) {
            return Some(std::mem::take(echo));
        }
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
        self.late.clear();
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
        let late = self.late.front().map(|(due, _)| *due);
        let due = [sign_on, self.hdlc.poll_timeout(), self.outbox.poll_timeout(), late, self.unconnected];
        due.into_iter().flatten().min()
    }

    /// Does what is due.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Some(meter) = &mut self.sign_on {
            meter.handle_timeout(now);
        }
        self.hdlc.handle_timeout(now);
        if self.unconnected.is_some_and(|until| until <= now) {
            self.unconnected = None;
            self.sign_on.iter_mut().for_each(Meter::restart);
        }
        self.settle(now);
    }

    /// Lets events reach the meter and answers the line, until both are quiet.
    fn settle(&mut self, now: Instant) {
        loop {
            let signed_on = self.settle_sign_on(now);
            let linked = self.settle_link(now);
            if !signed_on && !linked {
                break;
            }
        }
        while self.late.front().is_some_and(|(due, _)| *due <= now) {
            let octets = self.late.pop_front().map(|(_, octets)| octets).unwrap_or_default();
            self.site.send(self.port, octets, &mut self.outbox);
        }
    }

    fn settle_sign_on(&mut self, now: Instant) -> bool {
        let Some(meter) = &mut self.sign_on else { return false };
        let mut moved = false;
        while let Some(octets) = meter.poll_transmit() {
            self.site.send(self.port, octets, &mut self.outbox);
            moved = true;
        }
        while let Some(event) = self.sign_on.as_mut().and_then(Meter::poll_event) {
            moved = true;
            match event {
                MeterEvent::SetLine(settings) => self.set_baud(settings),
                MeterEvent::SignedOn { .. } => {
                    self.hdlc.reset();
                    self.unconnected = Some(now + UNCONNECTED);
                }
                MeterEvent::ReadOutAsked { .. } => {
                    let read_out = self.site.with(|home| home.read_out(self.kind));
                    self.sign_on.iter_mut().for_each(|meter| meter.read_out(&read_out, now));
                }
                MeterEvent::Declined { .. } => {}
            }
        }
        moved
    }

    fn settle_link(&mut self, now: Instant) -> bool {
        let mut moved = false;
        while let Some(event) = self.hdlc.poll_event() {
            self.take(event);
            moved = true;
        }
        while let Some(octets) = self.hdlc.poll_transmit() {
            match self.delay {
                Duration::ZERO => self.site.send(self.port, octets, &mut self.outbox),
                delay => self.late.push_back((now + delay, octets)),
            }
            moved = true;
        }
        moved
    }

    fn take(&mut self, event: ServerEvent) {
        match event {
            ServerEvent::Connected { client, server } => {
                self.unconnected = None;
                self.peer = Some(Peer::new(client, server));
                self.site.with(|home| home.local_connected(self.kind));
            }
            ServerEvent::Received(apdu) => {
                let answers = self.peer.map(|peer| self.site.with(|home| home.local(self.kind, peer, &apdu)));
                let answers = answers.unwrap_or_default();
                // A client that fetches nothing loses what it does not fetch.
                let sent = !answers.is_empty() && self.hdlc.send_all(&answers).is_ok();
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

#[cfg(test)]
mod tests;
