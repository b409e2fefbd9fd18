//! One installation: the devices of a rig, the home area network between them, and the hub's routing.
//!
//! Pure: time is an argument, octets go in and come out. The runtime around it ([`crate::estate`]) owns ptys
//! and sockets and does nothing else.
//!
//! How the hub answers for what is behind it (DLMS gateway header, address an EUI-64, network 0):
//! - an address that never joined, or another network: an exception response (service unknown, operation not
//!   possible) in the header of the request, at once;
//! - a device that is silent or has no power: nothing, as the radio gives nothing; the client's wait decides;
//! - a gas meter asleep: the hub holds the request until it wakes and sends it then. Of what is held there are so many, and
//!   they become so old, as the hub's Device Model says; beyond that a message is dropped, which the hub logs and alerts.
//!   What is held is lost when the hub loses its mains or restarts (see [`crate::model::store`]).
//!
//! The gas proxy is inside the hub and answers at once. What devices send unasked (alerts) goes to every open
//! connection; without one the hub keeps the newest of them for the next.

mod bench;
mod build;
#[cfg(test)]
mod cohort_tests;
mod commands;
mod display;
#[cfg(test)]
mod display_tests;
mod fingerprint;
mod hub;
mod load;
mod station;
#[cfg(test)]
mod store_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;
mod zcl;

pub use build::BuildError;
pub(crate) use build::is_simulated;
pub(crate) use station::Station;
pub(crate) use zcl::{METER_CLUSTERS, PROXY_CLUSTERS};

use std::collections::{BTreeMap, VecDeque};

use proto_dlms::server::Peer;
use proto_dlms::sign_on::ReadOut;
use proto_dlms::wrapper::Message;
use proto_duis::{DeviceKind, Eui64};
use proto_zigbee::aps::ApsFrame;
use proto_zigbee::tunneling::{self, TransferData};
use proto_zigbee::zcl::{Direction, Frame, FrameType};

use crate::model::esme::Esme;
use crate::model::gsme::Gsme;
use crate::model::journal::Event;
use crate::model::ppmid::{Fuel, Ppmid};
use crate::model::store::Held;
use crate::model::time::{MINUTE, Moment};
use crate::objects::{Device, Hub, JoinRefusal, Proxy};
use hub::Asked;
use station::Door;

/// Messages kept for a connection that does not take them, and alerts kept while there is no connection.
const QUEUED: usize = 256;
/// Frames one event may set off. A bound on a loop that ends by itself.
const FRAMES: usize = 4096;
/// The tunnel every device has open with the hub.
const TUNNEL: u16 = 0;

/// A connection on the hub's wide area network link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WanId(pub u64);

/// A frame on the air of the home area network: octets from one device to another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct HanFrame {
    from: Eui64,
    to: Eui64,
    octets: Vec<u8>,
}

/// The display with its silence.
pub(crate) struct Display {
    pub(crate) device: Ppmid,
    pub(crate) silent: bool,
    pub(crate) has_mains: bool,
}

/// The installation.
pub struct Home {
    now: Moment,
    pub(crate) hub: Option<Station<Hub>>,
    pub(crate) proxy: Option<Station<Proxy>>,
    pub(crate) esme: Option<Station<Esme>>,
    pub(crate) gsme: Option<Station<Gsme>>,
    pub(crate) display: Option<Display>,
    /// The client alerts go to.
    head_end: u16,
    air: VecDeque<HanFrame>,
    asked: VecDeque<Asked>,
    wans: BTreeMap<WanId, VecDeque<Message>>,
    stored: VecDeque<Message>,
    /// Frames for a radio that is not the hub's.
    for_radio: VecDeque<(Eui64, Vec<u8>)>,
    /// The endpoint of each device, where its Device Model names one.
    endpoints: BTreeMap<DeviceKind, u8>,
    sequence: u8,
}

impl Home {
    /// Lives until `to`; what happens on the way, such as the gas meter waking, happens at its own moment.
    pub fn advance(&mut self, to: Moment) {
        while let Some(stop) = self.next_stop().filter(|stop| *stop <= to) {
            self.live(stop);
        }
        self.live(to);
    }

    /// The next moment at which one device does something others notice: the gas meter wakes, a device without mains tells
    /// of it, or one goes on with an alert in blocks.
    fn next_stop(&self) -> Option<Moment> {
        let wake = self.gsme.as_ref().map(|gsme| gsme.device.next_wake());
        let hub = self.hub.as_ref().and_then(|hub| hub.device.core.next_in_outage());
        let esme = self.esme.as_ref().and_then(|esme| esme.device.core().next_in_outage());
        let held = self.hub.as_ref().and_then(|hub| hub.device.store.next_expiry());
        [wake, hub, esme, held, self.more_to_push(), self.next_start()].into_iter().flatten().min()
    }

    fn more_to_push(&self) -> Option<Moment> {
        let hub = self.hub.as_ref().and_then(Station::more_to_push);
        let proxy = self.proxy.as_ref().and_then(Station::more_to_push);
        let esme = self.esme.as_ref().and_then(Station::more_to_push);
        let gsme = self.gsme.as_ref().and_then(Station::more_to_push);
        [hub, proxy, esme, gsme].into_iter().flatten().min()
    }

    /// When the next device that starts has started: what it has to say waits until then.
    fn next_start(&self) -> Option<Moment> {
        let hub = self.hub.as_ref().and_then(|hub| hub.device.core.next_start());
        let esme = self.esme.as_ref().and_then(|esme| esme.device.core().next_start());
        let gsme = self.gsme.as_ref().and_then(|gsme| gsme.device.core().next_start());
        [hub, esme, gsme].into_iter().flatten().min()
    }

    /// A device asks the hub to let it onto the network, as a person at it would have it do; none where there is no
    /// hub or no such device.
    pub fn join(&mut self, kind: DeviceKind) -> Option<Result<(), JoinRefusal>> {
        let (_, eui64) = self.plates().find(|(of, _)| *of == kind)?;
        let hub = &mut self.hub.as_mut()?.device;
        let outcome = match kind {
            DeviceKind::Ppmid | DeviceKind::Ihd => self.display_joins(),
            _ => hub.join(eui64, kind),
        };
        self.carry();
        Some(outcome)
    }

    /// A device leaves the network; whether it was on it.
    pub fn leave(&mut self, kind: DeviceKind) -> bool {
        let eui64 = self.plates().find(|(of, _)| *of == kind).map(|(_, eui64)| eui64);
        let hub = self.hub.as_mut().map(|hub| &mut hub.device);
        let left = hub.zip(eui64).is_some_and(|(hub, eui64)| hub.leave(eui64));
        self.carry();
        left
    }

    /// Takes the mains of a device away, or gives them back; the gas proxy lives by the hub's. Whether it has mains
    /// at all.
    pub fn set_mains(&mut self, kind: DeviceKind, on: bool) -> bool {
        let has = match kind {
            DeviceKind::Esme => self.esme.as_mut().map(|esme| esme.set_mains(on)).is_some(),
            DeviceKind::Chf | DeviceKind::Gpf => self.hub.as_mut().map(|hub| hub.set_mains(on)).is_some(),
            DeviceKind::Ppmid | DeviceKind::Ihd => {
                self.display.as_mut().map(|display| display.has_mains = on).is_some()
            }
            DeviceKind::Gsme => false,
        };
        self.carry();
        has
    }

    fn live(&mut self, to: Moment) {
        self.now = self.now.max(to);
        let now = self.now;
        self.hub.iter_mut().for_each(|hub| hub.live(now));
        self.proxy.iter_mut().for_each(|proxy| proxy.live(now));
        self.esme.iter_mut().for_each(|esme| esme.live(now));
        self.gsme.iter_mut().for_each(|gsme| gsme.live(now));
        self.carry();
    }

    /// The moment it was last brought to.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// Whether it has a device of this kind.
    pub fn has(&self, kind: DeviceKind) -> bool {
        self.plates().any(|(of, _)| of == kind)
    }

    /// When something will happen by itself, at the latest a minute from now.
    pub fn next_event(&self) -> Moment {
        let esme = self.esme.as_ref().map(|esme| esme.device.next_event());
        let hub = self.hub.as_ref().map(|hub| &hub.device.core);
        let dark = hub.and_then(|core| core.next_in_outage());
        let activation = hub.and_then(|core| core.next_activation());
        let gsme = self.gsme.as_ref().map(|gsme| gsme.device.next_event());
        let next = [esme, gsme, dark, activation, self.more_to_push(), self.next_start()];
        next.into_iter().flatten().fold(self.now.plus(MINUTE), Moment::min)
    }

    /// Lets everything devices have to say reach whom it is for.
    pub(crate) fn carry(&mut self) {
        self.settle_membership();
        self.collect();
        for _ in 0..FRAMES {
            let Some(frame) = self.air.pop_front() else { break };
            self.deliver(frame);
            self.collect();
        }
    }

    /// Puts on the air what devices have to say by themselves.
    fn collect(&mut self) {
        self.collect_electricity();
        self.collect_gas();
        self.collect_proxy();
        self.collect_display();
        self.collect_hub_alerts();
    }

    fn collect_electricity(&mut self) {
        let (Some(esme), head_end) = (&mut self.esme, self.head_end) else { return };
        let from = esme.device.core().plate.eui64;
        let display = self.display.as_ref().map(|display| display.device.plate().eui64);
        let joined = display.filter(|display| esme.device.connection.devices.has(*display));
        let mut frames: Vec<(Option<Eui64>, Vec<u8>)> = Vec::new();
        while let Some(apdu) = esme.take_alert() {
            self.sequence = self.sequence.wrapping_add(1);
            frames.push((None, upwards(esme.shell.logical, head_end, apdu, self.sequence)));
        }
        if esme.answers() && esme.device.connection.take_balance_to_show() {
            let shown = display::electricity(&esme.device, &mut self.sequence);
            frames.extend(
                joined.into_iter().flat_map(|to| shown.clone().map(move |octets| (Some(to), octets))),
            );
        }
        if esme.answers() {
            let message = esme.device.connection.customer.take_message_to_show();
            let message = message.map(|message| display::message(message, &mut self.sequence));
            frames.extend(joined.zip(message).map(|(to, octets)| (Some(to), octets)));
        }
        frames.extend(joined.into_iter().flat_map(|to| display::alerts(esme, to, &mut self.sequence)));
        self.send_all(from, frames);
    }

    fn collect_gas(&mut self) {
        let (Some(gsme), head_end) = (&mut self.gsme, self.head_end) else { return };
        let from = gsme.device.core().plate.eui64;
        let mut frames = Vec::new();
        let proxy = self.proxy.as_ref().map(|proxy| proxy.device.core.plate.eui64);
        let mirrors = proxy.is_none_or(|proxy| gsme.device.connection.devices.has(proxy));
        while let Some(report) = gsme.device.take_report() {
            frames.extend((mirrors && !gsme.silent).then_some((None, report)));
        }
        while gsme.device.is_awake()
            && let Some(apdu) = gsme.take_alert()
        {
            self.sequence = self.sequence.wrapping_add(1);
            frames.push((None, upwards(gsme.shell.logical, head_end, apdu, self.sequence)));
        }
        let awake = gsme.device.is_awake() && !gsme.silent;
        let display = self.display.as_ref().map(|display| display.device.plate().eui64);
        let joined = display.filter(|display| gsme.device.connection.devices.has(*display));
        if let Some(to) = joined.filter(|_| awake) {
            frames.extend(display::alerts(gsme, to, &mut self.sequence));
            let message = gsme.device.connection.customer.take_message_to_show();
            let message = message.map(|message| display::message(message, &mut self.sequence));
            frames.extend(message.map(|octets| (Some(to), octets)));
        }
        self.send_all(from, frames);
        let hub = self.hub.as_mut().filter(|hub| awake && hub.answers());
        let held = hub.map_or_else(Vec::new, |hub| hub.device.store.fetch(from));
        self.air.extend(held.into_iter().map(|Held { from, to, octets, .. }| HanFrame { from, to, octets }));
    }

    /// Frames of one device: to a device, or to the hub.
    fn send_all(&mut self, from: Eui64, frames: Vec<(Option<Eui64>, Vec<u8>)>) {
        let Some(hub) = self.hub.as_ref().map(|hub| hub.device.core.plate.eui64) else { return };
        let on_air = frames.into_iter().map(|(to, octets)| HanFrame { from, to: to.unwrap_or(hub), octets });
        self.air.extend(on_air);
    }

    fn deliver(&mut self, frame: HanFrame) {
        let fuel = match self.kind_of(frame.from) {
            Some(DeviceKind::Gsme | DeviceKind::Gpf) => Fuel::Gas,
            _ => Fuel::Electricity,
        };
        match self.kind_of(frame.to) {
            Some(DeviceKind::Chf) => self.hub_hears(&frame),
            Some(DeviceKind::Esme) => {
                let answers = self.deliver_electricity(&frame.octets);
                self.reply(&frame, answers);
            }
            Some(DeviceKind::Gsme) => self.deliver_gas(frame),
            Some(DeviceKind::Ppmid | DeviceKind::Ihd) => {
                let of_hub = self.kind_of(frame.from) == Some(DeviceKind::Chf);
                let display = self.display.as_mut().filter(|display| {
                    let heeds = of_hub || display.device.is_bound_to(frame.from);
                    heeds && !display.silent && display.has_mains
                });
                let answer = display.and_then(|display| display.device.receive_of(fuel, &frame.octets));
                self.reply(&frame, answer);
            }
            Some(DeviceKind::Gpf) | None => {}
        }
    }

    fn deliver_electricity(&mut self, octets: &[u8]) -> Vec<Vec<u8>> {
        let Some(esme) = self.esme.as_mut().filter(|esme| esme.answers()) else { return Vec::new() };
        if let Some(answers) = tunnelled(esme, octets) {
            return answers;
        }
        let aps = ApsFrame::parse(octets).ok();
        let frame = aps.and_then(|aps| Frame::parse(&aps.payload).ok());
        let is_command = frame.is_some_and(|frame| frame.frame_type == FrameType::Cluster);
        let answer = if is_command { self.serve_command(DeviceKind::Esme, octets) } else { None };
        Vec::from_iter(answer)
    }

    fn deliver_gas(&mut self, frame: HanFrame) {
        let Some(gsme) = self.gsme.as_mut() else { return };
        // A meter that does not ask its hub what there is for it leaves it there, whatever the reason.
        if gsme.device.is_awake() && !gsme.silent {
            gsme.device.attend();
            let answers = match tunnelled(gsme, &frame.octets) {
                Some(answers) => answers,
                None => Vec::from_iter(gsme.device.receive(&frame.octets)),
            };
            self.reply(&frame, answers);
        } else if let Some(hub) = &mut self.hub {
            let HanFrame { from, to, octets } = frame;
            hub.device.hold(Held { from, to, octets, since: self.now });
        }
    }

    fn reply(&mut self, to: &HanFrame, answers: impl IntoIterator<Item = Vec<u8>>) {
        let replies = answers.into_iter().map(|octets| HanFrame { from: to.to, to: to.from, octets });
        self.air.extend(replies);
    }

    /// Which device of this installation has this EUI-64.
    pub(crate) fn kind_of(&self, eui64: Eui64) -> Option<DeviceKind> {
        self.plates().find(|(_, of)| *of == eui64).map(|(kind, _)| kind)
    }

    fn plates(&self) -> impl Iterator<Item = (DeviceKind, Eui64)> + '_ {
        let hub = self.hub.as_ref().map(|hub| &hub.device.core.plate);
        let proxy = self.proxy.as_ref().map(|proxy| &proxy.device.core.plate);
        let esme = self.esme.as_ref().map(|esme| &esme.device.core().plate);
        let gsme = self.gsme.as_ref().map(|gsme| &gsme.device.core().plate);
        let display = self.display.as_ref().map(|display| display.device.plate());
        [hub, proxy, esme, gsme, display].into_iter().flatten().map(|plate| (plate.kind, plate.eui64))
    }
}

/// The local ports.
impl Home {
    /// The answer of a meter's local port, in one APDU or several; none where none is due.
    pub fn local(&mut self, kind: DeviceKind, peer: Peer, apdu: &[u8]) -> Vec<Vec<u8>> {
        let answers = match kind {
            DeviceKind::Esme => self.esme.as_mut().map(|esme| esme.serve(Door::Local, peer, apdu)),
            DeviceKind::Gsme => self.gsme.as_mut().filter(|gsme| gsme.device.is_alive()).map(|gsme| {
                gsme.device.wake_by_local_port();
                gsme.serve(Door::Local, peer, apdu)
            }),
            _ => None,
        };
        self.carry();
        answers.unwrap_or_default()
    }

    /// What a meter reads out at its local port in IEC 62056-21 mode C; nothing where it is no meter.
    pub fn read_out(&mut self, kind: DeviceKind) -> ReadOut {
        let read = match kind {
            DeviceKind::Esme => self.esme.as_mut().map(Station::read_out),
            DeviceKind::Gsme => self.gsme.as_mut().map(Station::read_out),
            _ => None,
        };
        read.unwrap_or_default()
    }

    /// Whether the local port of a meter answers at all: it has power and is not silenced.
    pub fn local_port_answers(&self, kind: DeviceKind) -> bool {
        match kind {
            DeviceKind::Esme => self.esme.as_ref().is_some_and(Station::answers),
            DeviceKind::Gsme => self.gsme.as_ref().is_some_and(|gsme| !gsme.silent && gsme.device.is_alive()),
            _ => false,
        }
    }

    /// A client has connected at the local port: logged and alerted, and a gas meter wakes.
    pub fn local_connected(&mut self, kind: DeviceKind) {
        if let Some(gsme) = self.gsme.as_mut().filter(|_| kind == DeviceKind::Gsme) {
            gsme.device.wake_by_local_port();
        }
        let core = match kind {
            DeviceKind::Esme => self.esme.as_mut().map(|esme| esme.device.core_mut()),
            DeviceKind::Gsme => self.gsme.as_mut().map(|gsme| gsme.device.core_mut()),
            _ => None,
        };
        core.into_iter().for_each(|core| core.log(Event::LocalPort, "local port used"));
        self.local_lost(kind);
        self.carry();
    }

    /// The link at the local port is gone, and the associations on it.
    pub fn local_lost(&mut self, kind: DeviceKind) {
        match kind {
            DeviceKind::Esme => self.esme.iter_mut().for_each(|esme| esme.forget(Door::Local)),
            DeviceKind::Gsme => self.gsme.iter_mut().for_each(|gsme| gsme.forget(Door::Local)),
            _ => {}
        }
    }
}

/// An APDU of a meter to the head end, in the tunnel to the hub.
fn upwards(logical: u16, client: u16, apdu: Vec<u8>, sequence: u8) -> Vec<u8> {
    let message = Message { source: logical, destination: client, apdu };
    // Alerts are far shorter than the wrapper's limit.
    let data = message.encode().unwrap_or_default();
    TransferData { direction: Direction::ToClient, tunnel: TUNNEL, data }.to_bytes(sequence)
}

/// What a meter answers to a frame from the tunnel; `None` where it is none.
fn tunnelled<D: Device>(station: &mut Station<D>, octets: &[u8]) -> Option<Vec<Vec<u8>>> {
    let aps = ApsFrame::parse(octets).ok().filter(|aps| aps.cluster == tunneling::CLUSTER)?;
    let request = Message::decode(&TransferData::parse(&aps.payload).ok()?.data).ok()?;
    let peer = Peer::new(request.source, request.destination);
    let up = |apdu| upwards(request.destination, request.source, apdu, aps.counter);
    Some(station.serve(Door::Han, peer, &request.apdu).into_iter().map(up).collect())
}
