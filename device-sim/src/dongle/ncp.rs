//! The co-processor: frames in, frames out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use proto_zigbee::Eui64;
use proto_zigbee::aps::ApsFrame;
use proto_zigbee::ash::{self, Link, Role};
use proto_zigbee::ezsp::commands::{
    AskVersion, AskVersionResponse, Callback, Command, INVALID_COMMAND, IncomingMessage, MessageSent,
    StackStatusChanged, TrustCentreJoin,
};
use proto_zigbee::ezsp::{
    ApsHeader, Direction, Format, Frame, InitialSecurityState, NetworkParameters, ProtocolStatus,
    StackStatus, security_bits,
};
use proto_zigbee::zdo::{self, Node};

use super::radio::Radio;
use super::stack::{COORDINATOR, Counter, Network, Stack};

/// The version of the protocol it speaks.
const VERSION: u8 = 8;
/// Kind of stack: a mesh.
const MESH: u8 = 2;
/// Version of the stack, a nibble a part: 6.10.3.0.
pub(super) const STACK_VERSION: u16 = 0x6a30;
/// Devices join one by one, so far apart.
const JOINING: Duration = Duration::from_millis(50);
/// Callbacks that wait for the line; where more come up the oldest is lost.
const CALLBACKS: usize = 64;
/// A unicast.
const UNICAST: u8 = 0x00;
/// The network of a co-processor that has formed one earlier.
const FORMED_PAN: u16 = 0x1a62;
const FORMED_CHANNEL: u8 = 15;

/// What a co-processor is, whatever it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its EUI-64.
    pub eui64: Eui64,
    /// Who made it, up to 16 octets.
    pub manufacturer: String,
    /// What its board is called, up to 16 octets.
    pub board: String,
}

/// A co-processor. It acts on its line alone; what is within reach of its radio is handed to it each time.
#[derive(Debug)]
pub struct Ncp {
    pub(super) identity: Identity,
    pub(super) stack: Stack,
    link: Link,
    callbacks: VecDeque<Callback>,
    permitted_until: Option<Instant>,
    next_join: Option<Instant>,
}

impl Ncp {
    /// A co-processor that has never formed a network, on a line that is down.
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            stack: Stack::new(),
            link: Link::new(Role::Ncp, ash::Settings::default()),
            callbacks: VecDeque::new(),
            permitted_until: None,
            next_join: None,
        }
    }

    /// It with a network it formed earlier, in which is every device within reach.
    #[must_use]
    pub fn with_network(mut self, radio: &dyn Radio) -> Self {
        let Eui64(own) = self.identity.eui64;
        let parameters = NetworkParameters {
            extended_pan_id: own,
            pan_id: FORMED_PAN,
            tx_power: 8,
            channel: FORMED_CHANNEL,
            join_method: 0,
            manager: COORDINATOR,
            update_id: 0,
            channels: 0x07ff_f800,
        };
        let mut key = [0; 16];
        key.iter_mut().zip(own.iter().cycle()).for_each(|(octet, of)| *octet = *of);
        let security = InitialSecurityState {
            bitmask: security_bits::HAVE_NETWORK_KEY | security_bits::HASHED_LINK_KEY,
            preconfigured_key: key,
            network_key: key,
            key_sequence: 0,
            trust_centre: self.identity.eui64,
        };
        let mut network = Network { parameters, security, joined: Vec::new() };
        for device in radio.in_reach() {
            let _ = network.join(device.eui64, device.sleepy);
        }
        self.stack.network = Some(network);
        self
    }

    /// Takes octets from the line.
    pub fn receive(&mut self, octets: &[u8], now: Instant, radio: &mut dyn Radio) {
        self.link.receive(octets, now);
        self.turn(now, radio);
    }

    /// When [`Ncp::handle_timeout`] has something to do. What devices report by themselves comes whenever it is called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.link.poll_timeout(), self.permitted_until, self.next_join].into_iter().flatten().min()
    }

    /// Does what the time has come for, and takes in what devices report.
    pub fn handle_timeout(&mut self, now: Instant, radio: &mut dyn Radio) {
        self.link.handle_timeout(now);
        if self.permitted_until.is_some_and(|until| now >= until) {
            self.permit(Some(Duration::ZERO), now);
        }
        if self.next_join.is_some_and(|due| now >= due) {
            self.let_one_join(now, radio);
        }
        for (device, frame) in radio.overheard() {
            self.hear(device, &frame);
        }
        self.turn(now, radio);
    }

    /// The next octets for the line.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.link.poll_transmit()
    }

    fn turn(&mut self, now: Instant, radio: &mut dyn Radio) {
        while let Some(event) = self.link.poll_event() {
            match event {
                ash::Event::Up { .. } => self.restart(),
                ash::Event::Payload(payload) => self.take(&payload, now, radio),
                // It waits for a reset, which the link says to whatever comes.
                ash::Event::Down(_) => self.callbacks.clear(),
            }
        }
        self.send_callbacks(now);
    }

    fn restart(&mut self) {
        self.stack.reset();
        self.callbacks.clear();
        self.permitted_until = None;
        self.next_join = None;
    }

    /// A command; its response goes before any callback it brings about.
    fn take(&mut self, payload: &[u8], now: Instant, radio: &mut dyn Radio) {
        let legacy = Frame::parse(Format::Legacy, payload).ok();
        let is_first = !self.stack.volatile.agreed;
        let legacy = legacy.filter(|frame| is_first && frame.id == AskVersion::ID && payload.len() == 4);
        let Some(frame) = legacy.or_else(|| Frame::parse(Format::Extended, payload).ok()) else { return };
        if frame.direction != Direction::Command {
            return self.respond(&frame, Err(ProtocolStatus::WrongDirection), now);
        }
        let answer = if frame.id == AskVersion::ID {
            self.agree(&frame)
        } else if is_first {
            Err(ProtocolStatus::VersionNotSet)
        } else {
            self.answer(frame.id, &frame.parameters, now, radio)
        };
        self.respond(&frame, answer, now);
    }

    /// The version is agreed on once it was asked for in the extended format.
    fn agree(&mut self, frame: &Frame) -> Result<Vec<u8>, ProtocolStatus> {
        AskVersion::parse(&frame.parameters).map_err(|_| ProtocolStatus::CommandTooShort)?;
        self.stack.volatile.agreed |= frame.format == Format::Extended;
        let response =
            AskVersionResponse { version: VERSION, stack_type: MESH, stack_version: STACK_VERSION };
        Ok(AskVersion::response_to_bytes(&response))
    }

    fn respond(&mut self, command: &Frame, answer: Result<Vec<u8>, ProtocolStatus>, now: Instant) {
        let (id, parameters) = match answer {
            Ok(parameters) => (command.id, parameters),
            Err(status) => (INVALID_COMMAND, vec![status.octet()]),
        };
        let response = Frame { direction: Direction::Response, id, parameters, ..command.clone() };
        self.put(&response, now);
    }

    fn send_callbacks(&mut self, now: Instant) {
        while let Some(callback) = self.callbacks.pop_front() {
            let frame = Frame {
                format: Format::Extended,
                sequence: 0,
                direction: Direction::Callback,
                id: callback.id(),
                parameters: callback.to_bytes(),
            };
            if self.stack.volatile.agreed {
                self.put(&frame, now);
            }
        }
    }

    /// A frame the line does not take is lost, as in a co-processor without buffers.
    fn put(&mut self, frame: &Frame, now: Instant) {
        if let Err(error) = self.link.send(&frame.to_bytes(), now) {
            tracing::debug!(id = frame.id, %error, "the co-processor lost a frame");
        }
    }

    pub(super) fn call_back(&mut self, callback: Callback) {
        if self.callbacks.len() >= CALLBACKS {
            self.callbacks.pop_front();
        }
        self.callbacks.push_back(callback);
    }

    pub(super) fn network_is(&mut self, status: StackStatus) {
        self.stack.volatile.up = status == StackStatus::NetworkUp;
        self.call_back(Callback::StackStatus(StackStatusChanged { status }));
    }
}

/// Joining.
impl Ncp {
    /// Lets devices join for a time; none is without end, nought is no longer.
    pub(super) fn permit(&mut self, time: Option<Duration>, now: Instant) {
        let permits = time != Some(Duration::ZERO);
        self.stack.volatile.permits = permits;
        self.permitted_until = time.filter(|_| permits).map(|time| now + time);
        self.next_join = permits.then(|| now + JOINING);
    }

    fn let_one_join(&mut self, now: Instant, radio: &mut dyn Radio) {
        let in_reach = radio.in_reach();
        let joined = self
            .stack
            .running_mut()
            .and_then(|network| in_reach.iter().find_map(|device| network.join(device.eui64, device.sleepy)));
        self.next_join = joined.map(|_| now + JOINING);
        if let Some(joined) = joined {
            self.stack.count(Counter::Joined);
            self.call_back(Callback::TrustCentreJoin(TrustCentreJoin {
                address: joined.address,
                eui64: joined.eui64,
                status: 1,
                decision: 0,
                parent: COORDINATOR,
            }));
        }
    }
}

/// Messages.
impl Ncp {
    /// Sends a message to one device; callbacks say what became of it and what the device answered.
    pub(super) fn unicast(
        &mut self,
        to: u16,
        aps: &ApsHeader,
        tag: u8,
        message: &[u8],
        radio: &mut dyn Radio,
    ) {
        let device = self.stack.running().and_then(|network| network.by_address(to));
        let answer = match device {
            Some(device) if !radio.hears(device.eui64) => Err(StackStatus::DeliveryFailed),
            Some(device) => Ok(answer_of(device.eui64, to, aps, message, radio)),
            None if to == COORDINATOR => Ok(self.answer_of_itself(aps, message)),
            None => Err(StackStatus::DeliveryFailed),
        };
        let status = answer.as_ref().map_or_else(|status| *status, |_| StackStatus::Success);
        let sent = status == StackStatus::Success;
        self.stack.count(if sent { Counter::UnicastSent } else { Counter::UnicastFailed });
        self.sent(UNICAST, to, aps, tag, status);
        if let Ok(Some((aps, message))) = answer {
            self.incoming(to, aps, message);
        }
    }

    /// A message to all: devices take it in and owe no answer.
    pub(super) fn broadcast(&mut self, message: &[u8], aps: &ApsHeader, radio: &mut dyn Radio) {
        self.stack.count(Counter::BroadcastSent);
        let joined = self.stack.running().map(|network| network.joined.clone()).unwrap_or_default();
        for device in joined.iter().filter(|_| aps.profile != zdo::PROFILE) {
            let _ = radio.send(device.eui64, &aps_frame(aps, message).to_bytes());
        }
    }

    pub(super) fn sent(&mut self, kind: u8, destination: u16, aps: &ApsHeader, tag: u8, status: StackStatus) {
        let aps = aps.clone();
        self.call_back(Callback::MessageSent(MessageSent {
            kind,
            destination,
            aps,
            tag,
            status,
            message: vec![],
        }));
    }

    /// A device in the network has sent something by itself.
    fn hear(&mut self, device: Eui64, octets: &[u8]) {
        let Some(joined) = self.stack.running().and_then(|network| network.by_eui64(device)) else { return };
        let Ok(frame) = ApsFrame::parse(octets) else { return };
        let header = ApsHeader {
            profile: frame.profile,
            cluster: frame.cluster,
            source_endpoint: frame.source_endpoint,
            destination_endpoint: frame.destination_endpoint,
            options: 0,
            group: 0,
            sequence: frame.counter,
        };
        self.incoming(joined.address, header, frame.payload);
    }

    fn incoming(&mut self, sender: u16, aps: ApsHeader, message: Vec<u8>) {
        self.stack.count(Counter::UnicastReceived);
        self.call_back(Callback::IncomingMessage(IncomingMessage {
            kind: UNICAST,
            aps,
            lqi: 0xff,
            rssi: -40,
            sender,
            binding: 0xff,
            address: 0xff,
            message,
        }));
    }

    /// What the co-processor answers to a question about itself.
    fn answer_of_itself(&self, aps: &ApsHeader, message: &[u8]) -> Option<(ApsHeader, Vec<u8>)> {
        let node = Node {
            address: COORDINATOR,
            eui64: self.identity.eui64,
            coordinator: true,
            sleepy: false,
            manufacturer: self.stack.volatile.manufacturer,
            endpoints: self.stack.volatile.endpoints.clone(),
        };
        zdo_answer(&node, aps, message)
    }
}

/// What a device answers: to questions about itself at endpoint 0, else by its clusters.
fn answer_of(
    device: Eui64,
    address: u16,
    aps: &ApsHeader,
    message: &[u8],
    radio: &mut dyn Radio,
) -> Option<(ApsHeader, Vec<u8>)> {
    if aps.profile == zdo::PROFILE {
        let in_reach = radio.in_reach().into_iter().find(|known| known.eui64 == device)?;
        return zdo_answer(&in_reach.node(address), aps, message);
    }
    let answer = radio.send(device, &aps_frame(aps, message).to_bytes())?;
    let frame = ApsFrame::parse(&answer).ok()?;
    Some((back(aps, frame.cluster), frame.payload))
}

fn zdo_answer(node: &Node, aps: &ApsHeader, message: &[u8]) -> Option<(ApsHeader, Vec<u8>)> {
    let (cluster, answer) = node.answer(aps.cluster, message).filter(|_| aps.profile == zdo::PROFILE)?;
    Some((back(aps, cluster), answer))
}

fn back(aps: &ApsHeader, cluster: u16) -> ApsHeader {
    ApsHeader {
        cluster,
        source_endpoint: aps.destination_endpoint,
        destination_endpoint: aps.source_endpoint,
        options: 0,
        ..aps.clone()
    }
}

fn aps_frame(aps: &ApsHeader, message: &[u8]) -> ApsFrame {
    ApsFrame {
        ack_request: false,
        destination_endpoint: aps.destination_endpoint,
        cluster: aps.cluster,
        profile: aps.profile,
        source_endpoint: aps.source_endpoint,
        counter: aps.sequence,
        payload: message.to_vec(),
    }
}
