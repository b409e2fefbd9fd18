//! A ZigBee dongle: another way to look at the devices of a home area network.
//!
//! The dongle forms a network of its own; what joins it can be asked for ZCL attributes. Simulated devices join. Real ones
//! ask for certificates that a lab has not, so a real network answers only to a lab that its owner has let in.
//!
//! Every question has a deadline: the line's own repeats ([`proto_zigbee::ash`]) end in a verdict, a command in
//! [`DongleLine::response`], an answer over the air in [`AIR`].

use std::collections::VecDeque;
use std::time::Duration;

use lab_config::{DongleLine, DongleUrl};
use proto_zigbee::ezsp::commands::{
    Callback, Command, FormNetwork, GetChildData, GetEui64, GetNeighbour, GetNetworkParameters,
    GetNetworkState, IncomingMessage, LeaveNetwork, LookupNodeId, NetworkInit, PermitJoining, SendUnicast,
    SetInitialSecurityState, StackStatusChanged,
};
use proto_zigbee::ezsp::{
    ApsHeader, Host, HostError, HostEvent, HostSettings, InitialSecurityState, NetworkParameters,
    NetworkState, StackStatus, Version, aps_option, security_bits,
};
use proto_zigbee::zcl::{self, AttributeId, Direction, Frame, ReadRecord};
use proto_zigbee::{Eui64, SMART_ENERGY_PROFILE, ZigbeeError};
use tokio::time::Instant;

use crate::link::{DonglePort, DonglePortError, SharedTap};

/// Longest wait for the answer of a device, once the dongle has taken the question.
pub const AIR: Duration = Duration::from_secs(10);
/// Longest wait for a network to come up or go down.
const NETWORK: Duration = Duration::from_secs(10);
/// Entries of a table that are asked for before it must have ended.
const ENTRIES: u8 = 64;
/// Callbacks kept until somebody asks for them; where more come the oldest is lost.
const KEPT: usize = 64;
/// A short address nobody has.
const NO_ADDRESS: u16 = 0xffff;
/// The endpoint the dongle asks from.
const OWN_ENDPOINT: u8 = 1;

/// Why a dongle, or a device by way of it, does not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("dongle {url}: {kind}")]
pub struct DongleError {
    /// The dongle.
    pub url: String,
    /// Why.
    #[source]
    pub kind: DongleErrorKind,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum DongleErrorKind {
    /// `sim:` outside a lab file.
    #[error("a simulated dongle stands only in a lab file; `device-sim serve` prints the line it answers on")]
    Simulated,
    /// The port.
    #[error(transparent)]
    Port(#[from] DonglePortError),
    /// The session with the co-processor.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The co-processor refuses.
    #[error("{what} was refused: {status:?}")]
    Status {
        /// What was asked.
        what: &'static str,
        /// Why.
        status: StackStatus,
    },
    /// The dongle is in no network.
    #[error("the dongle is in no network; form one with `harness zigbee form`")]
    NoNetwork,
    /// A device that is not in the network.
    #[error("{0} is not in the dongle's network; let it join with `harness zigbee devices --permit 60`")]
    NotJoined(Eui64),
    /// Nothing came in time.
    #[error("{what} did not come within {} s", waited.as_secs())]
    Silence {
        /// What.
        what: &'static str,
        /// How long it was waited for.
        waited: Duration,
    },
    /// A device was not reached.
    #[error("{device} was not reached ({status:?}); it may be asleep, out of reach or without power")]
    NotReached {
        /// The device.
        device: Eui64,
        /// What the co-processor says of it.
        status: StackStatus,
    },
    /// An answer that is none.
    #[error("answer of {device}: {error}")]
    Answer {
        /// The device.
        device: Eui64,
        /// What is wrong with it.
        error: ZigbeeError,
    },
}

/// What a dongle is and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DongleState {
    /// What co-processor it is.
    pub version: Version,
    /// Its EUI-64.
    pub eui64: Eui64,
    /// The network it is in.
    pub network: Option<NetworkParameters>,
}

/// Where a question goes: a cluster on an endpoint of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The device.
    pub device: Eui64,
    /// Its endpoint.
    pub endpoint: u8,
    /// The cluster.
    pub cluster: u16,
}

/// A device in the dongle's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JoinedDevice {
    /// Its EUI-64.
    pub eui64: Eui64,
    /// Its short address.
    pub address: u16,
    /// It sleeps between wakes.
    pub sleepy: bool,
}

/// An open dongle. Opening it resets the co-processor; its network, if it has one, comes back up.
#[derive(Debug)]
pub struct Dongle {
    url: String,
    line: DongleLine,
    port: DonglePort,
    host: Host,
    version: Version,
    heard: VecDeque<Callback>,
    sequence: u8,
}

impl Dongle {
    /// The key under which a dongle's line is locked; none for one that is simulated elsewhere.
    pub fn physical_key(url: &DongleUrl) -> Option<String> {
        match url {
            DongleUrl::Serial(line) => Some(DonglePort::physical_key(line)),
            DongleUrl::Simulated(_) => None,
        }
    }

    /// Opens the line, resets the co-processor and agrees on the version.
    ///
    /// # Errors
    /// [`DongleError`]: no port, no co-processor, or one of another version.
    pub async fn open(name: &str, url: &DongleUrl, tap: SharedTap) -> Result<Self, DongleError> {
        let text = url.to_string();
        let failed = |kind| DongleError { url: text.clone(), kind };
        let DongleUrl::Serial(line) = url else { return Err(failed(DongleErrorKind::Simulated)) };
        let port = DonglePort::open(name, &text, line, tap).map_err(|error| failed(error.into()))?;
        let settings = HostSettings { response: line.response, ..HostSettings::default() };
        let mut dongle = Self {
            url: text.clone(),
            line: line.clone(),
            port,
            host: Host::new(settings),
            version: Version { protocol: 0, stack_type: 0, stack: 0 },
            heard: VecDeque::new(),
            sequence: 0,
        };
        dongle.version = dongle.start().await.map_err(failed)?;
        Ok(dongle)
    }

    async fn start(&mut self) -> Result<Version, DongleErrorKind> {
        self.host.start(now());
        loop {
            match self.next_event().await? {
                HostEvent::Ready(version) => return Ok(version),
                HostEvent::Failed(error) => return Err(error.into()),
                HostEvent::Callback(_) | HostEvent::Response(_) => {}
            }
        }
    }

    /// Sends what is to be sent and waits for what happens next. The state machine has a deadline whenever it waits for
    /// something, so this ends.
    async fn next_event(&mut self) -> Result<HostEvent, DongleErrorKind> {
        loop {
            while let Some(octets) = self.host.poll_transmit() {
                self.port.write(&octets).await?;
            }
            if let Some(event) = self.host.poll_event() {
                return Ok(event);
            }
            let due = self.host.poll_timeout().unwrap_or_else(|| now() + self.line.response);
            self.pump(Instant::from_std(due)).await?;
        }
    }

    /// Takes octets in until `until`, or until some have come.
    async fn pump(&mut self, until: Instant) -> Result<(), DongleErrorKind> {
        let octets = self.port.read(until).await?;
        if octets.is_empty() {
            self.host.handle_timeout(now());
        } else {
            self.host.receive(&octets, now());
        }
        Ok(())
    }

    async fn ask<C: Command>(&mut self, command: C) -> Result<C::Response, DongleErrorKind> {
        self.host.send(&command, now())?;
        loop {
            match self.next_event().await? {
                HostEvent::Response(octets) => {
                    return C::parse_response(&octets).map_err(|error| HostError::from(error).into());
                }
                HostEvent::Failed(error) => return Err(error.into()),
                HostEvent::Callback(callback) => self.keep(callback),
                HostEvent::Ready(_) => {}
            }
        }
    }

    fn keep(&mut self, callback: Callback) {
        if self.heard.len() >= KEPT {
            self.heard.pop_front();
        }
        self.heard.push_back(callback);
    }

    /// Waits for a callback that `pick` makes something of.
    async fn hear<T>(
        &mut self,
        what: &'static str,
        limit: Duration,
        mut pick: impl FnMut(&Callback) -> Option<T>,
    ) -> Result<T, DongleErrorKind> {
        let until = Instant::now() + limit;
        loop {
            while let Some(callback) = self.heard.pop_front() {
                if let Some(found) = pick(&callback) {
                    return Ok(found);
                }
            }
            if Instant::now() >= until {
                return Err(DongleErrorKind::Silence { what, waited: limit });
            }
            self.listen(until).await?;
        }
    }

    /// Takes in what comes until `until`, at most until something has happened.
    async fn listen(&mut self, until: Instant) -> Result<(), DongleErrorKind> {
        while let Some(octets) = self.host.poll_transmit() {
            self.port.write(&octets).await?;
        }
        let due = self.host.poll_timeout().map(Instant::from_std);
        self.pump(due.map_or(until, |due| due.min(until))).await?;
        while let Some(event) = self.host.poll_event() {
            match event {
                HostEvent::Callback(callback) => self.keep(callback),
                HostEvent::Failed(error) => return Err(error.into()),
                HostEvent::Response(_) | HostEvent::Ready(_) => {}
            }
        }
        Ok(())
    }

    fn failed(&self, kind: DongleErrorKind) -> DongleError {
        DongleError { url: self.url.clone(), kind }
    }
}

/// Networks.
impl Dongle {
    /// What it is and which network it is in; a network it was in before the reset comes back up.
    ///
    /// # Errors
    /// [`DongleError`].
    pub async fn state(&mut self) -> Result<DongleState, DongleError> {
        self.read_state().await.map_err(|kind| self.failed(kind))
    }

    async fn read_state(&mut self) -> Result<DongleState, DongleErrorKind> {
        let eui64 = self.ask(GetEui64 {}).await?.eui64;
        let network = match self.resume().await? {
            true => Some(self.ask(GetNetworkParameters {}).await?.parameters),
            false => None,
        };
        Ok(DongleState { version: self.version, eui64, network })
    }

    /// Brings the network up, where there is one.
    async fn resume(&mut self) -> Result<bool, DongleErrorKind> {
        if self.ask(GetNetworkState {}).await?.state == NetworkState::Joined {
            return Ok(true);
        }
        match self.ask(NetworkInit { options: 0 }).await?.status {
            StackStatus::Success => {}
            StackStatus::NotJoined => return Ok(false),
            status => return Err(DongleErrorKind::Status { what: "going back into the network", status }),
        }
        self.network_becomes(StackStatus::NetworkUp).await.map(|()| true)
    }

    async fn network_becomes(&mut self, wanted: StackStatus) -> Result<(), DongleErrorKind> {
        self.hear("the state of the network", NETWORK, |callback| match callback {
            Callback::StackStatus(StackStatusChanged { status }) if *status == wanted => Some(()),
            _ => None,
        })
        .await
    }

    async fn need_network(&mut self) -> Result<(), DongleErrorKind> {
        if self.resume().await? { Ok(()) } else { Err(DongleErrorKind::NoNetwork) }
    }

    /// Forms a network on a channel (11 to 26), with a random key; the one it was in is left.
    ///
    /// # Errors
    /// [`DongleError`].
    pub async fn form(&mut self, channel: u8, pan_id: u16) -> Result<DongleState, DongleError> {
        let formed = self.form_network(channel, pan_id).await;
        formed.map_err(|kind| self.failed(kind))?;
        self.state().await
    }

    async fn form_network(&mut self, channel: u8, pan_id: u16) -> Result<(), DongleErrorKind> {
        if self.resume().await? {
            self.leave_network().await?;
        }
        let state = InitialSecurityState {
            bitmask: security_bits::HAVE_PRECONFIGURED_KEY
                | security_bits::HAVE_NETWORK_KEY
                | security_bits::REQUIRE_ENCRYPTED_KEY
                | security_bits::HASHED_LINK_KEY,
            preconfigured_key: rand::random(),
            network_key: rand::random(),
            key_sequence: 0,
            trust_centre: Eui64::NONE,
        };
        done("setting the network's keys", self.ask(SetInitialSecurityState { state }).await?.status)?;
        let parameters = NetworkParameters {
            extended_pan_id: rand::random(),
            pan_id,
            tx_power: 8,
            channel,
            join_method: 0,
            manager: 0,
            update_id: 0,
            channels: 0x07ff_f800,
        };
        done("forming a network", self.ask(FormNetwork { parameters }).await?.status)?;
        self.network_becomes(StackStatus::NetworkUp).await
    }

    /// Leaves the network, which is then no more.
    ///
    /// # Errors
    /// [`DongleError`].
    pub async fn leave(&mut self) -> Result<(), DongleError> {
        let left = match self.need_network().await {
            Ok(()) => self.leave_network().await,
            Err(kind) => Err(kind),
        };
        left.map_err(|kind| self.failed(kind))
    }

    async fn leave_network(&mut self) -> Result<(), DongleErrorKind> {
        done("leaving the network", self.ask(LeaveNetwork {}).await?.status)?;
        self.network_becomes(StackStatus::NetworkDown).await
    }

    /// Lets devices join for a time, and waits until it is over.
    ///
    /// # Errors
    /// [`DongleError`].
    pub async fn permit(&mut self, seconds: u8) -> Result<(), DongleError> {
        let permitted = self.permit_joining(seconds).await;
        permitted.map_err(|kind| self.failed(kind))
    }

    async fn permit_joining(&mut self, seconds: u8) -> Result<(), DongleErrorKind> {
        self.need_network().await?;
        done("letting devices join", self.ask(PermitJoining { seconds }).await?.status)?;
        let until = Instant::now() + Duration::from_secs(seconds.into());
        while Instant::now() < until {
            self.listen(until).await?;
        }
        Ok(())
    }
}

/// Devices.
impl Dongle {
    /// The devices in its network.
    ///
    /// # Errors
    /// [`DongleError`].
    pub async fn devices(&mut self) -> Result<Vec<JoinedDevice>, DongleError> {
        self.list_devices().await.map_err(|kind| self.failed(kind))
    }

    async fn list_devices(&mut self) -> Result<Vec<JoinedDevice>, DongleErrorKind> {
        self.need_network().await?;
        let mut devices = Vec::new();
        for index in 0..ENTRIES {
            let entry = self.ask(GetNeighbour { index }).await?;
            if entry.status != StackStatus::Success {
                break;
            }
            let (eui64, address) = (entry.neighbour.eui64, entry.neighbour.address);
            devices.push(JoinedDevice { eui64, address, sleepy: false });
        }
        for index in 0..ENTRIES {
            let entry = self.ask(GetChildData { index }).await?;
            if entry.status != StackStatus::Success {
                break;
            }
            let (eui64, address) = (entry.child.eui64, entry.child.address);
            devices.push(JoinedDevice { eui64, address, sleepy: true });
        }
        Ok(devices)
    }

    /// Reads attributes of one cluster of a device.
    ///
    /// # Errors
    /// [`DongleError`]: the device is not in the network, was not reached, or gave no answer to this question.
    pub async fn read(&mut self, place: Place, ids: &[AttributeId]) -> Result<Vec<ReadRecord>, DongleError> {
        self.read_attributes(place, ids).await.map_err(|kind| self.failed(kind))
    }

    /// Asks a device a question of a cluster, made with the number that its answer bears.
    ///
    /// # Errors
    /// [`DongleError`]: the device is not in the network, was not reached, or does not answer.
    pub async fn ask_device(
        &mut self,
        place: Place,
        question: impl FnOnce(u8) -> Frame,
    ) -> Result<Frame, DongleError> {
        self.question(place, question).await.map_err(|kind| self.failed(kind))
    }

    async fn question(
        &mut self,
        place: Place,
        question: impl FnOnce(u8) -> Frame,
    ) -> Result<Frame, DongleErrorKind> {
        self.need_network().await?;
        let address = self.ask(LookupNodeId { eui64: place.device }).await?.address;
        if address == NO_ADDRESS {
            return Err(DongleErrorKind::NotJoined(place.device));
        }
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        self.put(address, place, question(sequence).to_bytes()).await?;
        self.await_answer(place, address, sequence).await
    }

    async fn read_attributes(
        &mut self,
        place: Place,
        ids: &[AttributeId],
    ) -> Result<Vec<ReadRecord>, DongleErrorKind> {
        let command = zcl::Command::ReadAttributes(ids.to_vec());
        let question = |sequence| Frame::foundation(Direction::ToServer, sequence, &command);
        let answer = self.question(place, question).await?;
        let device = place.device;
        match answer.command() {
            // A device without the cluster, or without the command, says so of the question and not of each attribute.
            Ok(zcl::Command::DefaultResponse { status, .. }) => {
                Ok(ids.iter().map(|id| ReadRecord { id: *id, value: Err(status) }).collect())
            }
            Ok(zcl::Command::ReadAttributesResponse(records)) => Ok(records),
            Ok(_) => {
                let error = ZigbeeError::Command { command: answer.command };
                Err(DongleErrorKind::Answer { device, error })
            }
            Err(error) => Err(DongleErrorKind::Answer { device, error }),
        }
    }

    async fn put(&mut self, address: u16, place: Place, message: Vec<u8>) -> Result<(), DongleErrorKind> {
        let aps = ApsHeader {
            profile: SMART_ENERGY_PROFILE,
            cluster: place.cluster,
            source_endpoint: OWN_ENDPOINT,
            destination_endpoint: place.endpoint,
            options: aps_option::RETRY | aps_option::ENABLE_ROUTE_DISCOVERY,
            group: 0,
            sequence: 0,
        };
        let tag = self.sequence;
        let sent = self.ask(SendUnicast { kind: 0, destination: address, aps, tag, message }).await?;
        done("sending to a device", sent.status)
    }

    /// The frame that answers a question, or that the device was not reached.
    async fn await_answer(
        &mut self,
        Place { device, cluster, .. }: Place,
        address: u16,
        sequence: u8,
    ) -> Result<Frame, DongleErrorKind> {
        let answered = self.hear("the device's answer", AIR, |callback| match callback {
            Callback::MessageSent(sent) if sent.tag == sequence && sent.status != StackStatus::Success => {
                Some(Err(sent.status))
            }
            Callback::IncomingMessage(incoming) => answers(incoming, address, cluster, sequence).map(Ok),
            _ => None,
        });
        answered.await?.map_err(|status| DongleErrorKind::NotReached { device, status })
    }
}

/// The frame of a message, where it answers this question.
fn answers(incoming: &IncomingMessage, address: u16, cluster: u16, sequence: u8) -> Option<Frame> {
    let ours = incoming.sender == address && incoming.aps.cluster == cluster;
    let frame = Frame::parse(&incoming.message).ok().filter(|_| ours)?;
    (frame.sequence == sequence && frame.direction == Direction::ToClient).then_some(frame)
}

fn done(what: &'static str, status: StackStatus) -> Result<(), DongleErrorKind> {
    match status {
        StackStatus::Success => Ok(()),
        status => Err(DongleErrorKind::Status { what, status }),
    }
}

/// The runtime's time: a test may hold it.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}
