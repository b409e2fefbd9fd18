//! The secondary station: a meter's end of the line.
//!
//! On a line with several meters each hears every frame. A station takes those for its own physical device and one of its
//! logical devices, and keeps quiet about all others: also about frames to all stations, which are never answered, and to
//! the device that has called, which a station on its own line never has (IEC 62056-46, 6.4.2.3).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::window::{Accepted, Receiver, Sender};
use super::{
    Address, AddressSize, Control, Deframer, Frame, FrameReject, Information, LLC_RESPONSE, Parameters,
    Unnumbered, without_llc,
};

/// Segments a server keeps for a client that does not fetch them.
const MAX_SEGMENTS: usize = 4096;

/// How a server behaves on a line.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// The logical devices that answer: upper addresses.
    pub logical_devices: Vec<u16>,
    /// The physical device: the lower address. An address of one octet has none, and is taken whoever it is for.
    pub physical_device: u16,
    /// Octets of the addresses it takes, as meters are that hear no other; any, where not said.
    pub address_size: Option<AddressSize>,
    /// What this server sends and takes at most.
    pub parameters: Parameters,
    /// How long a client may be silent before the link is given up.
    pub inactivity_timeout: Duration,
    /// How long the line may be silent within a frame.
    pub inter_octet_timeout: Duration,
    /// Longest message taken, in octets.
    pub max_message: usize,
}

impl Default for ServerSettings {
    /// Logical device 1 of physical device 17, 128 octets and a window of 1, 120 s of inactivity as the standard has
    /// it, 500 ms between octets.
    fn default() -> Self {
        Self {
            logical_devices: vec![1],
            physical_device: 17,
            address_size: None,
            parameters: Parameters::default(),
            inactivity_timeout: Duration::from_secs(120),
            inter_octet_timeout: Duration::from_millis(500),
            max_message: 1 << 16,
        }
    }
}

/// What happened on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A client has connected. Any link there was is gone.
    Connected {
        /// The client's SAP.
        client: u16,
        /// The logical device it wants.
        server: u16,
    },
    /// A message has arrived: answer it with [`Server::send`], or [`Server::pass`] where there is no answer.
    Received(Vec<u8>),
    /// The link is gone: the client disconnected, or was silent for too long.
    Disconnected,
}

/// Why a message cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ServerSendError {
    /// There is no link.
    #[error("no client is connected")]
    NotConnected,
    /// The client has not fetched what it was sent before.
    #[error("the client has not fetched earlier messages")]
    Full,
}

#[derive(Debug)]
struct Link {
    client: Address,
    /// This server's address as the client wrote it: answers carry it back in the same size.
    server: Address,
    parameters: Parameters,
    sender: Sender,
    receiver: Receiver,
    /// Whether the client has handed this side the turn.
    ours: bool,
    /// Set once a frame had to be rejected: every frame but SNRM and DISC gets the same answer.
    rejected: Option<FrameReject>,
}

/// The secondary station on a line.
#[derive(Debug)]
pub struct Server {
    settings: ServerSettings,
    link: Option<Box<Link>>,
    deframer: Deframer,
    transmit: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
    /// When a silent client is given up.
    deadline: Option<Instant>,
    /// When a frame that has begun counts as cut short.
    octet_deadline: Option<Instant>,
}

impl Server {
    /// A server no client is connected to.
    pub fn new(settings: ServerSettings) -> Self {
        Self {
            settings,
            link: None,
            deframer: Deframer::new(),
            transmit: VecDeque::new(),
            events: VecDeque::new(),
            deadline: None,
            octet_deadline: None,
        }
    }

    /// Whether a client is connected.
    pub fn is_connected(&self) -> bool {
        self.link.is_some()
    }

    /// Forgets link, half-received frames and all that was to be sent: power has failed, or the line was pulled.
    pub fn reset(&mut self) {
        *self = Self::new(self.settings.clone());
    }

    /// Sends a message; it goes out once the client has handed over the turn.
    ///
    /// # Errors
    /// No link, or a client that fetches nothing.
    pub fn send(&mut self, apdu: &[u8]) -> Result<(), ServerSendError> {
        self.send_all(&[apdu])
    }

    /// The same with several messages in one turn.
    ///
    /// # Errors
    /// As [`Server::send`].
    pub fn send_all(&mut self, apdus: &[impl AsRef<[u8]>]) -> Result<(), ServerSendError> {
        let Some(link) = &mut self.link else { return Err(ServerSendError::NotConnected) };
        for apdu in apdus {
            if link.sender.segments() > MAX_SEGMENTS {
                return Err(ServerSendError::Full);
            }
            link.sender.push(&[&LLC_RESPONSE, apdu.as_ref()].concat());
        }
        if link.ours {
            self.take_turn();
        }
        Ok(())
    }

    /// Hands the turn back without an answer.
    pub fn pass(&mut self) {
        if self.link.as_ref().is_some_and(|link| link.ours) {
            self.take_turn();
        }
    }

    /// Takes octets from the line.
    pub fn receive(&mut self, octets: &[u8], now: Instant) {
        self.deframer.receive(octets);
        self.handle_frames(now);
        let timeout = self.settings.inter_octet_timeout;
        self.octet_deadline = self.deframer.is_mid_frame().then(|| now + timeout);
    }

    /// The next octets to send, `None` when there are none.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmit.pop_front()
    }

    /// The next event, `None` when there is none.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Server::handle_timeout`] must be called, unless something is received before.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.deadline, self.octet_deadline].into_iter().flatten().min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.octet_deadline.is_some_and(|deadline| deadline <= now) {
            self.octet_deadline = None;
            while self.deframer.is_mid_frame() {
                self.deframer.give_up();
                self.handle_frames(now);
            }
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.drop_link();
        }
    }

    fn handle_frames(&mut self, now: Instant) {
        while let Some(frame) = self.deframer.next_frame() {
            if self.is_for_us(frame.destination) && is_of_a_client(frame.source) {
                self.handle(&frame, now);
            }
        }
    }

    fn is_for_us(&self, destination: Address) -> bool {
        let settings = &self.settings;
        let nobody = destination.is_of_no_station() || destination.is_of_calling_device();
        let physical = destination.lower().is_none_or(|lower| lower == settings.physical_device);
        let sized = settings.address_size.is_none_or(|size| size == destination.size());
        // What is sent to all stations asks for no answer, and this one has no use for what asks for none.
        !nobody
            && !destination.is_of_all_stations()
            && physical
            && sized
            && settings.logical_devices.contains(&destination.upper())
    }

    fn handle(&mut self, frame: &Frame, now: Instant) {
        match (frame.control, &mut self.link) {
            (Control::Unnumbered { kind: Unnumbered::Connect, .. }, _) => self.connect(frame, now),
            (Control::Unnumbered { kind: Unnumbered::Disconnect, .. }, link) => {
                let of_link = link.as_ref().is_some_and(|link| link.client == frame.source);
                let kind = if of_link { Unnumbered::Acknowledge } else { Unnumbered::Disconnected };
                self.answer(frame, Control::unnumbered(kind), Information::default());
                if of_link {
                    self.drop_link();
                }
            }
            (_, Some(link)) if link.client == frame.source && link.server == frame.destination => {
                self.deadline = Some(now + self.settings.inactivity_timeout);
                self.handle_linked(frame);
            }
            (control, _) if control.poll() => {
                self.answer(frame, Control::unnumbered(Unnumbered::Disconnected), Information::default());
            }
            _ => {}
        }
    }

    fn connect(&mut self, frame: &Frame, now: Instant) {
        let Ok(proposed) = Parameters::decode(&frame.information) else {
            return self.answer(frame, Control::unnumbered(Unnumbered::Disconnected), Information::default());
        };
        self.drop_link();
        let parameters = self.settings.parameters.agreed_with(proposed);
        self.link = Some(Box::new(Link {
            client: frame.source,
            server: frame.destination,
            parameters,
            sender: Sender::new(parameters),
            receiver: Receiver::new(parameters, self.settings.max_message),
            ours: false,
            rejected: None,
        }));
        self.deadline = Some(now + self.settings.inactivity_timeout);
        self.answer(frame, Control::unnumbered(Unnumbered::Acknowledge), parameters.encode());
        let (client, server) = (frame.source.upper(), frame.destination.upper());
        self.events.push_back(Event::Connected { client, server });
    }

    fn drop_link(&mut self) {
        self.deadline = None;
        if self.link.take().is_some() {
            self.events.push_back(Event::Disconnected);
        }
    }

    fn handle_linked(&mut self, frame: &Frame) {
        let Some(link) = &mut self.link else { return };
        if let Some(reject) = link.rejected {
            return self.reject(frame, reject);
        }
        match frame.control {
            Control::Information { nr, ns, poll } => self.handle_information(nr, ns, poll, frame),
            Control::ReceiveReady { nr, poll }
            | Control::ReceiveNotReady { nr, poll }
            | Control::Reject { nr, poll } => {
                if link.sender.acknowledge(nr).is_err() {
                    return self.reject(frame, FrameReject { bad_acknowledgement: true, ..rejecting(frame) });
                }
                if poll {
                    self.take_turn();
                }
            }
            Control::Unknown(_) => {
                self.reject(frame, FrameReject { unknown_control: true, ..rejecting(frame) })
            }
            // UI from a client has no use here, and the other kinds are a server's own.
            Control::Unnumbered { .. } => {}
        }
    }

    fn handle_information(&mut self, nr: u8, ns: u8, poll: bool, frame: &Frame) {
        let Some(link) = &mut self.link else { return };
        if frame.information.octets().len() > usize::from(link.parameters.max_info_rx.get()) {
            return self.reject(frame, FrameReject { too_long: true, ..rejecting(frame) });
        }
        if link.sender.acknowledge(nr).is_err() {
            return self.reject(frame, FrameReject { bad_acknowledgement: true, ..rejecting(frame) });
        }
        match link.receiver.accept(ns, frame) {
            Accepted::TooLong => self.reject(frame, FrameReject { too_long: true, ..rejecting(frame) }),
            Accepted::Whole(message) => {
                // The answer to come hands the turn back.
                link.ours = poll;
                self.events.push_back(Event::Received(without_llc(message)));
            }
            Accepted::Part | Accepted::Duplicate | Accepted::Gap if poll => self.take_turn(),
            Accepted::Part | Accepted::Duplicate | Accepted::Gap => {}
        }
    }

    /// Sends what the window allows, from the first segment not acknowledged, and hands the turn back with the last
    /// frame; with a bare acknowledgement where there is nothing to send.
    fn take_turn(&mut self) {
        let Some(link) = &mut self.link else { return };
        link.ours = false;
        link.sender.rewind();
        let (destination, source) = (link.client, link.server);
        let nr = link.receiver.next_number();
        let round = link.sender.round();
        let last = round.len().saturating_sub(1);
        if round.is_empty() {
            let control = Control::ReceiveReady { nr, poll: true };
            self.put(Frame {
                destination,
                source,
                control,
                segmented: false,
                information: Information::default(),
            });
        }
        for (index, (ns, segment)) in round.into_iter().enumerate() {
            let control = Control::Information { nr, ns, poll: index == last };
            let information = segment.information;
            self.put(Frame { destination, source, control, segmented: segment.more, information });
        }
    }

    fn reject(&mut self, frame: &Frame, reject: FrameReject) {
        let Some(link) = &mut self.link else { return };
        link.rejected = Some(reject);
        let information = reject.encode(link.sender.next_number(), link.receiver.next_number());
        self.answer(frame, Control::unnumbered(Unnumbered::FrameReject), information);
    }

    fn answer(&mut self, frame: &Frame, control: Control, information: Information) {
        let (destination, source) = (frame.source, frame.destination);
        self.put(Frame { destination, source, control, segmented: false, information });
    }

    fn put(&mut self, frame: Frame) {
        self.transmit.push_back(frame.encode());
    }
}

/// Whether a frame is from somebody who can be answered: a client's address has one octet (IEC 62056-46, 6.4.2.2).
fn is_of_a_client(source: Address) -> bool {
    source.size() == AddressSize::One && !source.is_of_no_station() && !source.is_of_all_stations()
}

/// The report on a frame to be rejected, reasons still to be given.
fn rejecting(frame: &Frame) -> FrameReject {
    let control = frame.control.octet();
    FrameReject { control, unknown_control: false, too_long: false, bad_acknowledgement: false }
}
