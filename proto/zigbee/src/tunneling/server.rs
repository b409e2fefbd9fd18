//! The end of tunnels that has the protocol: a meter.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::client::SendError;
use super::{
    DEFAULT_CLOSE_TIMEOUT, DEFAULT_MAX_TRANSFER, NO_TUNNEL, Protocol, RequestTunnel, RequestTunnelResponse,
    STANDARD_PROTOCOL, SupportedProtocol, SupportedProtocolsResponse, ToClient, ToServer,
    TransferErrorToClient, TransferStatus, TransferToClient, TunnelClosureNotification, TunnelStatus,
};
use crate::field::{Counted, ToEnd};
use crate::zcl::{Command, Direction, Frame, FrameType, Status};

/// Frames that wait to be sent; where more come up the oldest is lost, as on a radio.
const QUEUED: usize = 64;
/// Protocols one answer names.
const PROTOCOLS_AN_ANSWER: usize = 16;

/// A device that asks, as its own network knows it.
pub type Peer = [u8; 8];

/// What a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// Manufacturer code and protocol of each it carries.
    pub protocols: Vec<(u16, Protocol)>,
    /// Tunnels at once.
    pub tunnels: usize,
    /// The largest transfer taken in, in octets.
    pub max_incoming: u16,
    /// Time without traffic after which a tunnel is closed.
    pub close: Duration,
}

impl Default for ServerSettings {
    /// DLMS/COSEM, four tunnels, 1,500 octets, the standard's close time-out.
    fn default() -> Self {
        Self {
            protocols: vec![(STANDARD_PROTOCOL, Protocol::DlmsCosem)],
            tunnels: 4,
            max_incoming: DEFAULT_MAX_TRANSFER,
            close: DEFAULT_CLOSE_TIMEOUT,
        }
    }
}

/// What has happened at a server's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerEvent {
    /// A tunnel is open.
    Opened {
        /// Which.
        tunnel: u16,
        /// Whose.
        peer: Peer,
        /// What it carries.
        protocol: Protocol,
    },
    /// Octets have come.
    Data {
        /// By which tunnel.
        tunnel: u16,
        /// The octets.
        data: Vec<u8>,
    },
    /// A tunnel is closed, by its client or for want of use.
    Closed {
        /// Which.
        tunnel: u16,
    },
}

#[derive(Debug)]
struct Tunnel {
    peer: Peer,
    max_outgoing: u16,
    used: Instant,
}

/// The server's end of all tunnels to it.
#[derive(Debug)]
pub struct Server {
    settings: ServerSettings,
    tunnels: BTreeMap<u16, Tunnel>,
    next: u16,
    sequence: u8,
    out: VecDeque<(Peer, Frame)>,
    events: VecDeque<ServerEvent>,
}

impl Server {
    /// A server without tunnels.
    pub fn new(settings: ServerSettings) -> Self {
        Self {
            settings,
            tunnels: BTreeMap::new(),
            next: 0,
            sequence: 0,
            out: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Number of open tunnels.
    pub fn open(&self) -> usize {
        self.tunnels.len()
    }

    /// Takes in a frame of the cluster that a device has sent.
    pub fn receive(&mut self, peer: Peer, frame: &Frame, now: Instant) {
        let status = match ToServer::of(frame) {
            Ok(command) => self.take(peer, frame, command, now),
            Err(_) if frame.frame_type == FrameType::Foundation => None,
            Err(_) if frame.direction == Direction::ToClient => Some(Status::UNSUPPORTED_CLUSTER_COMMAND),
            Err(_) => Some(Status::MALFORMED_COMMAND),
        };
        let wanted = status.filter(|status| *status != Status::SUCCESS || !frame.disable_default_response);
        if let Some(status) = wanted {
            self.put(peer, frame.answer(&Command::DefaultResponse { command: frame.command, status }));
        }
    }

    /// Carries a command out; the status of the default response, where it has no answer of its own.
    fn take(&mut self, peer: Peer, frame: &Frame, command: ToServer, now: Instant) -> Option<Status> {
        match command {
            ToServer::RequestTunnel(request) => {
                let answer = self.request(peer, &request, now);
                self.respond(peer, frame.sequence, &answer.into());
                None
            }
            ToServer::CloseTunnel(close) => Some(self.close(peer, close.tunnel)),
            ToServer::TransferToServer(transfer) => {
                self.take_data(peer, transfer.tunnel, transfer.data.0, now);
                Some(Status::SUCCESS)
            }
            ToServer::TransferErrorToServer(error) => {
                if self.owned(peer, error.tunnel) && error.status != TransferStatus::DataOverflow {
                    self.forget(error.tunnel);
                }
                Some(Status::SUCCESS)
            }
            ToServer::GetSupportedProtocols(from) => {
                let answer = self.supported(from.offset.into());
                self.respond(peer, frame.sequence, &answer.into());
                None
            }
            // Flow control is never agreed to, so there is nothing to acknowledge.
            ToServer::AckTransferToServer(_) | ToServer::ReadyToServer(_) | ToServer::Other { .. } => {
                Some(Status::UNSUPPORTED_CLUSTER_COMMAND)
            }
        }
    }

    fn request(&mut self, peer: Peer, request: &RequestTunnel, now: Instant) -> RequestTunnelResponse {
        let known = (request.manufacturer, request.protocol);
        let refused = if request.flow_control != 0 {
            Some(TunnelStatus::FlowControlNotSupported)
        } else if !self.settings.protocols.contains(&known) {
            Some(TunnelStatus::ProtocolNotSupported)
        } else if self.tunnels.len() >= self.settings.tunnels {
            Some(TunnelStatus::NoMoreTunnelIds)
        } else {
            None
        };
        let tunnel = match refused {
            Some(_) => NO_TUNNEL,
            None => self.open_for(peer, request, now),
        };
        let status = refused.unwrap_or(TunnelStatus::Success);
        RequestTunnelResponse { tunnel, status, max_incoming: Some(self.settings.max_incoming) }
    }

    fn open_for(&mut self, peer: Peer, request: &RequestTunnel, now: Instant) -> u16 {
        let tunnel = self.unused();
        let max_outgoing = request.max_incoming.unwrap_or(DEFAULT_MAX_TRANSFER);
        self.tunnels.insert(tunnel, Tunnel { peer, max_outgoing, used: now });
        self.tell(ServerEvent::Opened { tunnel, peer, protocol: request.protocol });
        tunnel
    }

    /// The next identifier not in use. There is one: fewer tunnels than identifiers are ever open.
    fn unused(&mut self) -> u16 {
        while self.next == NO_TUNNEL || self.tunnels.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let tunnel = self.next;
        self.next = tunnel.wrapping_add(1);
        tunnel
    }

    fn take_data(&mut self, peer: Peer, tunnel: u16, data: Vec<u8>, now: Instant) {
        let limit = usize::from(self.settings.max_incoming);
        let refused = match self.tunnels.get_mut(&tunnel) {
            None => Some(TransferStatus::NoSuchTunnel),
            Some(known) if known.peer != peer => Some(TransferStatus::WrongDevice),
            Some(known) => {
                known.used = now;
                (data.len() > limit).then_some(TransferStatus::DataOverflow)
            }
        };
        match refused {
            Some(status) => self.say(peer, &TransferErrorToClient { tunnel, status }.into()),
            None => self.tell(ServerEvent::Data { tunnel, data }),
        }
    }

    fn close(&mut self, peer: Peer, tunnel: u16) -> Status {
        if !self.owned(peer, tunnel) {
            return Status::NOT_FOUND;
        }
        self.forget(tunnel);
        Status::SUCCESS
    }

    fn owned(&self, peer: Peer, tunnel: u16) -> bool {
        self.tunnels.get(&tunnel).is_some_and(|known| known.peer == peer)
    }

    fn forget(&mut self, tunnel: u16) {
        if self.tunnels.remove(&tunnel).is_some() {
            self.tell(ServerEvent::Closed { tunnel });
        }
    }

    fn supported(&self, offset: usize) -> SupportedProtocolsResponse {
        let all = &self.settings.protocols;
        let page = all.iter().skip(offset).take(PROTOCOLS_AN_ANSWER);
        let protocols = page.map(|(manufacturer, protocol)| SupportedProtocol {
            manufacturer: *manufacturer,
            protocol: *protocol,
        });
        let complete = u8::from(all.len() <= offset.saturating_add(PROTOCOLS_AN_ANSWER));
        SupportedProtocolsResponse { complete, protocols: Counted(protocols.collect()) }
    }

    /// Sends octets through a tunnel.
    ///
    /// # Errors
    /// [`SendError`]: nothing was sent.
    pub fn send(&mut self, tunnel: u16, data: &[u8], now: Instant) -> Result<(), SendError> {
        let known = self.tunnels.get_mut(&tunnel).ok_or(SendError::NotOpen)?;
        if data.len() > usize::from(known.max_outgoing) {
            return Err(SendError::TooLong { octets: data.len(), limit: known.max_outgoing });
        }
        if self.out.len() >= QUEUED {
            return Err(SendError::Full);
        }
        known.used = now;
        let peer = known.peer;
        self.say(peer, &TransferToClient { tunnel, data: ToEnd(data.to_vec()) }.into());
        Ok(())
    }

    /// When [`Server::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.tunnels.values().map(|tunnel| tunnel.used + self.settings.close).min()
    }

    /// Closes the tunnels that have not been used for too long, and tells their clients.
    pub fn handle_timeout(&mut self, now: Instant) {
        let close = self.settings.close;
        let idle = |known: &Tunnel| now.saturating_duration_since(known.used) >= close;
        let over: Vec<(u16, Peer)> = self
            .tunnels
            .iter()
            .filter(|(_, known)| idle(known))
            .map(|(id, known)| (*id, known.peer))
            .collect();
        for (tunnel, peer) in over {
            self.forget(tunnel);
            self.say(peer, &TunnelClosureNotification { tunnel }.into());
        }
    }

    /// The next frame to send, and to which device.
    pub fn poll_transmit(&mut self) -> Option<(Peer, Frame)> {
        self.out.pop_front()
    }

    /// The next thing that has happened.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        self.events.pop_front()
    }

    fn say(&mut self, peer: Peer, command: &ToClient) {
        self.sequence = self.sequence.wrapping_add(1);
        self.respond(peer, self.sequence, command);
    }

    fn respond(&mut self, peer: Peer, sequence: u8, command: &ToClient) {
        let mut frame = command.frame(sequence);
        frame.disable_default_response = true;
        self.put(peer, frame);
    }

    fn put(&mut self, peer: Peer, frame: Frame) {
        if self.out.len() >= QUEUED {
            self.out.pop_front();
        }
        self.out.push_back((peer, frame));
    }

    fn tell(&mut self, event: ServerEvent) {
        if self.events.len() >= QUEUED {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}
