//! The hub between the wide area network and the home area network.

use std::collections::VecDeque;

use proto_dlms::apdu::{Apdu, ExceptionResponse, ServiceError, StateError};
use proto_dlms::gateway::{Direction as Way, Envelope, PhysicalAddress};
use proto_dlms::push;
use proto_dlms::server::Peer;
use proto_dlms::wrapper::Message;
use proto_duis::{DeviceKind, Eui64};
use proto_zigbee::aps::ApsFrame;
use proto_zigbee::tunneling::{self, TransferData};
use proto_zigbee::zcl::Direction;

use super::display::is_confirmation;
use super::station::{Door, Station};
use super::{HanFrame, Home, QUEUED, TUNNEL, WanId};
use crate::model::journal::Event;
use crate::objects::Hub;

/// The network the hub's devices are on.
const NETWORK: u8 = 0;
/// Requests whose answers may still come; the oldest is forgotten first.
const OUTSTANDING: usize = 64;

/// A request that went into the home area network.
pub(super) struct Asked {
    device: Eui64,
    mark: Mark,
    wan: WanId,
    client: u16,
}

/// By what an answer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// DLMS: the client it is for.
    Client(u16),
    /// ZigBee: the counter of the request.
    Counter(u8),
}

/// The wide area network link.
impl Home {
    /// A connection is made: it gets the alerts that waited.
    pub fn wan_opened(&mut self, wan: WanId) {
        let waiting = std::mem::take(&mut self.stored);
        self.wans.insert(wan, waiting);
        self.note_session(Event::WanUp, "wide area network session up");
    }

    /// Whether the hub keeps its wide area network session: not once it is dark.
    pub fn wan_is_up(&self) -> bool {
        self.hub.as_ref().is_some_and(|hub| !hub.device.core.is_dark())
    }

    /// A connection is gone, and the associations on it.
    pub fn wan_closed(&mut self, wan: WanId) {
        if self.wans.remove(&wan).is_some() {
            self.note_session(Event::WanDown, "wide area network session down");
        }
        self.asked.retain(|asked| asked.wan != wan);
        self.hub.iter_mut().for_each(|hub| hub.forget(Door::Wan(wan)));
        self.proxy.iter_mut().for_each(|proxy| proxy.forget(Door::Wan(wan)));
    }

    fn note_session(&mut self, event: Event, words: &str) {
        self.hub.iter_mut().for_each(|hub| hub.device.core.log(event, words));
    }

    /// The next message for a connection.
    pub fn take_for_wan(&mut self, wan: WanId) -> Option<Message> {
        self.wans.get_mut(&wan)?.pop_front()
    }

    /// Takes a message from a connection. Answers come by [`Home::take_for_wan`], now or later.
    pub fn receive_from_wan(&mut self, wan: WanId, message: &Message) {
        if !self.hub.as_ref().is_some_and(Station::answers) {
            return;
        }
        if Envelope::is_present(&message.apdu) {
            self.route(wan, message);
        } else {
            let peer = Peer::new(message.source, message.destination);
            let hub = self.hub.as_mut();
            let answers = hub.map(|hub| hub.serve(Door::Wan(wan), peer, &message.apdu));
            self.answer(wan, message, answers.unwrap_or_default());
        }
        self.carry();
    }

    fn route(&mut self, wan: WanId, message: &Message) {
        let Ok(envelope) = Envelope::decode(&message.apdu) else { return };
        if envelope.direction != Way::Request {
            return;
        }
        let joined = address(&envelope).filter(|_| envelope.network_id == NETWORK);
        let kind = joined.filter(|eui64| self.is_on_network(*eui64)).and_then(|eui64| self.kind_of(eui64));
        let peer = Peer::new(message.source, message.destination);
        let apdu = &envelope.apdu;
        match (joined, kind) {
            (Some(_), Some(DeviceKind::Chf)) => {
                let answers = self.hub.as_mut().map(|hub| hub.serve(Door::Wan(wan), peer, apdu));
                self.answer(wan, message, wrapped(&envelope, answers));
            }
            (Some(_), Some(DeviceKind::Gpf)) => {
                let answers = self.proxy.as_mut().map(|proxy| proxy.serve(Door::Wan(wan), peer, apdu));
                self.answer(wan, message, wrapped(&envelope, answers));
            }
            (Some(device), Some(DeviceKind::Ppmid | DeviceKind::Ihd)) => {
                self.ask_display(wan, message, device, apdu)
            }
            (Some(device), Some(DeviceKind::Esme | DeviceKind::Gsme)) => {
                self.ask_meter(wan, message, device, apdu)
            }
            _ => self.answer(wan, message, wrapped(&envelope, Some(vec![unreachable_device()]))),
        }
    }

    /// Whether the hub routes to this address: its own, or that of a device that has joined.
    fn is_on_network(&self, eui64: Eui64) -> bool {
        let hub = self.hub.as_ref().map(|hub| &hub.device);
        hub.is_some_and(|hub| hub.core.plate.eui64 == eui64 || hub.has_joined(eui64))
    }

    /// Through the tunnel, with the wrapper in it so that the meter knows the client.
    fn ask_meter(&mut self, wan: WanId, message: &Message, device: Eui64, apdu: &[u8]) {
        let inner = Message { source: message.source, destination: message.destination, apdu: apdu.to_vec() };
        let Ok(data) = inner.encode() else { return };
        self.sequence = self.sequence.wrapping_add(1);
        let frame =
            TransferData { direction: Direction::ToServer, tunnel: TUNNEL, data }.to_bytes(self.sequence);
        self.ask(Asked { device, mark: Mark::Client(message.source), wan, client: message.source }, frame);
    }

    /// A display is sent the APS frame as it is.
    fn ask_display(&mut self, wan: WanId, message: &Message, device: Eui64, octets: &[u8]) {
        let Ok(aps) = ApsFrame::parse(octets) else { return };
        let asked = Asked { device, mark: Mark::Counter(aps.counter), wan, client: message.source };
        self.ask(asked, octets.to_vec());
    }

    fn ask(&mut self, asked: Asked, octets: Vec<u8>) {
        let Some(hub) = &self.hub else { return };
        self.air.push_back(HanFrame { from: hub.device.core.plate.eui64, to: asked.device, octets });
        // What one connection asks is answered in order; a newer connection takes the place of an older one.
        self.asked.retain(|other| {
            (other.device, other.mark) != (asked.device, asked.mark) || other.wan == asked.wan
        });
        push_bounded(&mut self.asked, asked, OUTSTANDING);
    }

    fn answer(&mut self, wan: WanId, to: &Message, apdus: Vec<Vec<u8>>) {
        let Some(queue) = self.wans.get_mut(&wan) else { return };
        for apdu in apdus {
            let answer = Message { source: to.destination, destination: to.source, apdu };
            push_bounded(queue, answer, QUEUED);
        }
    }
}

/// The home area network's side.
impl Home {
    /// A frame for the hub: an answer or an alert from a tunnel, a report for the mirror, a display's answer.
    pub(super) fn hub_hears(&mut self, frame: &HanFrame) {
        let listens = |hub: &&mut Station<Hub>| {
            !hub.silent && hub.device.core.can_send() && hub.device.has_joined(frame.from)
        };
        let Some(hub) = self.hub.as_mut().filter(listens) else { return };
        hub.device.heard(frame.from);
        let waiting = hub.device.store.waiting(frame.from);
        let Ok(aps) = ApsFrame::parse(&frame.octets) else { return };
        if aps.cluster == tunneling::CLUSTER {
            return self.hear_tunnel(frame.from, &aps);
        }
        match self.kind_of(frame.from) {
            Some(DeviceKind::Gsme) => {
                let Some(proxy) = self.proxy.as_mut().filter(|proxy| proxy.device.devices.has(frame.from))
                else {
                    return;
                };
                let before = proxy.device.mirror.refreshed_shown();
                let answer = proxy.device.hear_meter(&frame.octets, waiting);
                let refreshed = proxy.device.mirror.refreshed_shown() != before;
                self.reply(frame, answer);
                if refreshed {
                    self.show_gas();
                }
            }
            Some(DeviceKind::Ppmid | DeviceKind::Ihd) if is_confirmation(&aps) => {
                let apdu = envelope(frame.from, frame.octets.clone()).encode();
                self.alert(Message { source: 1, destination: self.head_end, apdu });
            }
            Some(DeviceKind::Ppmid | DeviceKind::Ihd) => {
                self.forward(frame.from, Mark::Counter(aps.counter), 1, frame.octets.clone());
            }
            _ => {}
        }
    }

    fn hear_tunnel(&mut self, from: Eui64, aps: &ApsFrame) {
        let Ok(transfer) = TransferData::parse(&aps.payload) else { return };
        let Ok(message) = Message::decode(&transfer.data) else { return };
        if push::is_push(&message.apdu) {
            let apdu = envelope(from, message.apdu).encode();
            return self.alert(Message { source: message.source, destination: message.destination, apdu });
        }
        self.forward(from, Mark::Client(message.destination), message.source, message.apdu);
    }

    /// Sends an answer back on the connection its request came from, while that is open. Of an answer in several blocks
    /// the last ends it.
    fn forward(&mut self, from: Eui64, mark: Mark, source: u16, apdu: Vec<u8>) {
        let Some(at) = self.asked.iter().position(|asked| asked.device == from && asked.mark == mark) else {
            return;
        };
        let Some(asked) = self.asked.get(at) else { return };
        let (wan, client) = (asked.wan, asked.client);
        if !more_follow(&apdu) {
            self.asked.remove(at);
        }
        let answer = Message { source, destination: client, apdu: envelope(from, apdu).encode() };
        if let Some(queue) = self.wans.get_mut(&wan) {
            push_bounded(queue, answer, QUEUED);
        }
    }

    /// Alerts of the hub itself carry no header; those of the proxy name it.
    pub(super) fn collect_hub_alerts(&mut self) {
        while let Some(apdu) = self.hub.as_mut().and_then(Station::take_alert) {
            self.alert(Message { source: 1, destination: self.head_end, apdu });
        }
        while let Some(apdu) = self.proxy.as_mut().and_then(Station::take_alert) {
            let from = self.proxy.as_ref().map(|proxy| proxy.device.core.plate.eui64);
            let apdu = from.map_or_else(Vec::new, |from| envelope(from, apdu).encode());
            self.alert(Message { source: 1, destination: self.head_end, apdu });
        }
    }

    fn alert(&mut self, alert: Message) {
        for queue in self.wans.values_mut() {
            push_bounded(queue, alert.clone(), QUEUED);
        }
        if self.wans.is_empty() {
            push_bounded(&mut self.stored, alert, QUEUED);
        }
    }
}

/// What the hub says of an address that never joined.
fn unreachable_device() -> Vec<u8> {
    let exception =
        ExceptionResponse { state: StateError::ServiceUnknown, service: ServiceError::OperationNotPossible };
    Apdu::Exception(exception).encode()
}

pub(super) fn address(envelope: &Envelope) -> Option<Eui64> {
    let octets: [u8; 8] = envelope.physical_address.octets().try_into().ok()?;
    Some(Eui64::new(octets))
}

/// The answers in the header of their request.
fn wrapped(request: &Envelope, answers: Option<Vec<Vec<u8>>>) -> Vec<Vec<u8>> {
    let wrap = |apdu| Envelope { direction: Way::Response, apdu, ..request.clone() }.encode();
    answers.unwrap_or_default().into_iter().map(wrap).collect()
}

/// Whether an APDU is a general block with others behind it before the far end speaks (the streaming bit).
fn more_follow(apdu: &[u8]) -> bool {
    matches!(apdu, [0xe0, control, ..] if control & 0x40 != 0)
}

fn envelope(from: Eui64, apdu: Vec<u8>) -> Envelope {
    let physical_address = PhysicalAddress::from(from.octets());
    Envelope { direction: Way::Response, network_id: NETWORK, physical_address, apdu }
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, limit: usize) {
    queue.push_back(item);
    if queue.len() > limit {
        queue.pop_front();
    }
}
