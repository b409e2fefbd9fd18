//! The end of a tunnel that asks for it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{
    CloseTunnel, DEFAULT_MAX_TRANSFER, Protocol, RequestTunnel, STANDARD_PROTOCOL, ToClient, ToServer,
    TransferErrorToServer, TransferStatus, TransferToServer, TunnelStatus,
};
use crate::field::ToEnd;
use crate::zcl::{Command, Frame, Status};

/// Frames that wait to be sent; more are refused.
const QUEUED: usize = 16;

/// How a client asks for its tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// What the tunnel will carry.
    pub protocol: Protocol,
    /// Manufacturer code of the protocol.
    pub manufacturer: u16,
    /// The largest transfer taken in, in octets.
    pub max_incoming: u16,
    /// How long to wait for the answer to a request.
    pub response: Duration,
    /// How often to ask before giving up; at least once.
    pub attempts: u8,
}

impl Default for ClientSettings {
    /// DLMS/COSEM, 1,500 octets, three times three seconds.
    fn default() -> Self {
        Self {
            protocol: Protocol::DlmsCosem,
            manufacturer: STANDARD_PROTOCOL,
            max_incoming: DEFAULT_MAX_TRANSFER,
            response: Duration::from_secs(3),
            attempts: 3,
        }
    }
}

/// What has happened at a client's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEvent {
    /// The tunnel is open.
    Open {
        /// Its identifier.
        tunnel: u16,
        /// The largest transfer the server takes, in octets.
        max_outgoing: u16,
    },
    /// Octets have come.
    Data(Vec<u8>),
    /// A transfer was not taken in by the server; the tunnel may stand all the same.
    Refused(TransferStatus),
    /// The server has closed the tunnel for want of use.
    Closed,
    /// There is no tunnel.
    Failed(TunnelError),
}

/// Why a tunnel could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TunnelError {
    /// No answer.
    #[error("the server did not answer {attempts} request(s) for a tunnel")]
    NoAnswer {
        /// How often it was asked.
        attempts: u8,
    },
    /// An answer against it.
    #[error("the server refused a tunnel: {0:?}")]
    Refused(TunnelStatus),
    /// The server does not have the cluster or the command.
    #[error("the server answered the request for a tunnel with ZCL status {:#04x}", .0.0)]
    Status(Status),
}

/// Why octets cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// There is no open tunnel.
    #[error("the tunnel is not open; open it first")]
    NotOpen,
    /// More octets than the other side takes.
    #[error("{octets} octets are more than the {limit} the other side takes at once; send less")]
    TooLong {
        /// Octets given.
        octets: usize,
        /// Octets it takes.
        limit: u16,
    },
    /// Too much waits to be sent.
    #[error("{QUEUED} frames wait to be sent already; let them go first")]
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Asked { attempt: u8, until: Instant },
    Open { tunnel: u16, max_outgoing: u16 },
}

/// The client's end of one tunnel.
#[derive(Debug)]
pub struct Client {
    settings: ClientSettings,
    state: State,
    sequence: u8,
    out: VecDeque<Frame>,
    events: VecDeque<ClientEvent>,
}

impl Client {
    /// An end without a tunnel.
    pub fn new(settings: ClientSettings) -> Self {
        Self { settings, state: State::Idle, sequence: 0, out: VecDeque::new(), events: VecDeque::new() }
    }

    /// Whether the tunnel is open.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Asks for a tunnel, where there is none and none was asked for.
    pub fn open(&mut self, now: Instant) {
        if self.state == State::Idle {
            self.ask(1, now);
        }
    }

    fn ask(&mut self, attempt: u8, now: Instant) {
        self.state = State::Asked { attempt, until: now + self.settings.response };
        let request = RequestTunnel {
            protocol: self.settings.protocol,
            manufacturer: self.settings.manufacturer,
            flow_control: 0,
            max_incoming: Some(self.settings.max_incoming),
        };
        self.put(&request.into());
    }

    /// Sends octets through the tunnel.
    ///
    /// # Errors
    /// [`SendError`]: nothing was sent.
    pub fn send(&mut self, data: &[u8]) -> Result<(), SendError> {
        let State::Open { tunnel, max_outgoing } = self.state else { return Err(SendError::NotOpen) };
        if data.len() > usize::from(max_outgoing) {
            return Err(SendError::TooLong { octets: data.len(), limit: max_outgoing });
        }
        if self.out.len() >= QUEUED {
            return Err(SendError::Full);
        }
        self.put(&TransferToServer { tunnel, data: ToEnd(data.to_vec()) }.into());
        Ok(())
    }

    /// Closes the tunnel, or gives up asking for it.
    pub fn close(&mut self) {
        if let State::Open { tunnel, .. } = self.state {
            self.put(&CloseTunnel { tunnel }.into());
        }
        self.state = State::Idle;
    }

    /// Takes in a frame of the cluster. Frames of other tunnels are answered or passed over.
    pub fn receive(&mut self, frame: &Frame) {
        match ToClient::of(frame) {
            Ok(command) => self.take(command),
            Err(_) => self.take_status(frame),
        }
    }

    fn take(&mut self, command: ToClient) {
        match (command, self.state) {
            (ToClient::RequestTunnelResponse(answer), State::Asked { .. }) => match answer.status {
                TunnelStatus::Success => self.opened(answer.tunnel, answer.max_incoming),
                status => self.fail(TunnelError::Refused(status)),
            },
            (ToClient::TransferToClient(transfer), State::Open { tunnel, .. })
                if transfer.tunnel == tunnel =>
            {
                self.take_data(tunnel, transfer.data.0);
            }
            (ToClient::TransferToClient(transfer), _) => {
                self.refuse(transfer.tunnel, TransferStatus::NoSuchTunnel);
            }
            (ToClient::TransferErrorToClient(error), State::Open { tunnel, .. })
                if error.tunnel == tunnel =>
            {
                if error.status != TransferStatus::DataOverflow {
                    self.state = State::Idle;
                }
                self.tell(ClientEvent::Refused(error.status));
            }
            (ToClient::TunnelClosureNotification(closed), State::Open { tunnel, .. })
                if closed.tunnel == tunnel =>
            {
                self.state = State::Idle;
                self.tell(ClientEvent::Closed);
            }
            _ => {}
        }
    }

    fn opened(&mut self, tunnel: u16, max_incoming: Option<u16>) {
        let max_outgoing = max_incoming.unwrap_or(DEFAULT_MAX_TRANSFER);
        self.state = State::Open { tunnel, max_outgoing };
        self.tell(ClientEvent::Open { tunnel, max_outgoing });
    }

    fn take_data(&mut self, tunnel: u16, data: Vec<u8>) {
        if data.len() > usize::from(self.settings.max_incoming) {
            self.refuse(tunnel, TransferStatus::DataOverflow);
        } else {
            self.tell(ClientEvent::Data(data));
        }
    }

    /// A default response against the request.
    fn take_status(&mut self, frame: &Frame) {
        if let (State::Asked { .. }, Ok(Command::DefaultResponse { command: RequestTunnel::ID, status })) =
            (self.state, frame.command())
            && status != Status::SUCCESS
        {
            self.fail(TunnelError::Status(status));
        }
    }

    fn refuse(&mut self, tunnel: u16, status: TransferStatus) {
        if self.out.len() < QUEUED {
            self.put(&TransferErrorToServer { tunnel, status }.into());
        }
    }

    fn fail(&mut self, error: TunnelError) {
        self.state = State::Idle;
        self.tell(ClientEvent::Failed(error));
    }

    /// When [`Client::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Asked { until, .. } => Some(until),
            _ => None,
        }
    }

    /// Asks again, or gives up, where the time for an answer is over.
    pub fn handle_timeout(&mut self, now: Instant) {
        let State::Asked { attempt, until } = self.state else { return };
        if now < until {
            return;
        }
        if attempt < self.settings.attempts {
            self.ask(attempt.saturating_add(1), now);
        } else {
            self.fail(TunnelError::NoAnswer { attempts: attempt });
        }
    }

    /// The next frame to send.
    pub fn poll_transmit(&mut self) -> Option<Frame> {
        self.out.pop_front()
    }

    /// The next thing that has happened.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    fn put(&mut self, command: &ToServer) {
        self.sequence = self.sequence.wrapping_add(1);
        let mut frame = command.frame(self.sequence);
        frame.disable_default_response = command.id() != RequestTunnel::ID;
        self.out.push_back(frame);
    }

    /// Events nobody takes are not kept for ever: the oldest goes first.
    fn tell(&mut self, event: ClientEvent) {
        if self.events.len() >= QUEUED {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}
