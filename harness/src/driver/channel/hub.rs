//! The connection to a communications hub on the WAN, shared by the hub itself and every device behind it.
//!
//! One task owns the link. Requests go through it one at a time; each device has its own association and its own
//! [`HubPort`]. A device that sleeps may take half an hour to answer: requests to it go one at a time too, and hold up no
//! other device. An APDU for a device wears the DLMS gateway header with its EUI-64; without it, it is for the hub. What a
//! device sends unasked (an EventNotification) comes in on the same connection at any time, in one APDU or in blocks seconds
//! apart, and goes whole to the bounded channel of pushes; of one that stays incomplete, why. A lost connection is made anew
//! when the next request wants it, and, so that pushes can come in, by
//! itself a bounded number of times.
//!
//! Over UDP there is no connection, and any datagram may be lost, doubled or overtaken. What only reads is asked again when
//! no answer comes; an answer that comes twice is taken once; and the association after a request that was asked again or given
//! up is made by another port, so that no late answer can be taken for another.

mod carrier;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use proto_dlms::client::Notification;
use proto_dlms::gateway::{Direction, Envelope};
use proto_dlms::push::PushError;
use proto_duis::Eui64;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::wrapper::wrapped;
use super::{ChannelError, REMEMBERED, Waits, only_reads};
use crate::driver::access::{Access, Deadlines, Sleep};
use crate::driver::error::{Context, DriverError, DriverErrorKind};
use crate::link::{Direction as Way, LinkAddress, LinkError, SharedTap, Target};

/// Jobs waiting for the carrier: one for each port at most.
const JOBS: usize = 32;
/// The tag that begins an association.
const AARQ: u8 = 0x60;
/// Answers waiting for a port: more than one only when late answers trickle in.
const INBOX: usize = 8;

/// What a device or the hub sent unasked.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    /// The device behind the hub, none for the hub itself.
    pub device: Option<Eui64>,
    /// When it was complete, or given up.
    pub at: Timestamp,
    /// The notification, or why there is none: what came cannot be read, or which block of it never came.
    pub received: Result<Notification, PushError>,
}

/// The place of one device and client on the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    device: Option<Eui64>,
    client: u16,
}

enum Job {
    Attach { place: Place, inbox: mpsc::Sender<Incoming> },
    Detach { place: Place },
    Send { message: Vec<u8>, until: Instant, done: oneshot::Sender<Result<(), LinkError>> },
    Renew { done: oneshot::Sender<()> },
}

/// What the carrier hands to a port.
type Incoming = Result<Vec<u8>, LinkError>;

/// A handle on the connection to one communications hub. Clones share the connection; it closes with the last of them.
#[derive(Clone)]
pub struct Hub {
    address: LinkAddress,
    tap: SharedTap,
    jobs: mpsc::Sender<Job>,
    turn: Arc<Semaphore>,
    /// The turns of devices that sleep.
    sleepers: Arc<Mutex<BTreeMap<Eui64, Arc<Semaphore>>>>,
    /// Counts the connections lost so far: associations die with theirs.
    generation: Arc<AtomicU64>,
    /// How often what only reads is asked again where messages are datagrams; none on a connection, which loses none.
    repeats: Option<u8>,
    /// Whether answers may still be under way that nobody waits for any more.
    in_doubt: Arc<AtomicBool>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("link", &self.address.name).finish_non_exhaustive()
    }
}

impl Hub {
    /// Connects to the hub at `address`. Pushes go to `pushes`; when that channel is full they are dropped, counted and
    /// noted in the capture.
    ///
    /// # Errors
    /// The connection cannot be made within the deadlines.
    pub async fn connect(
        address: LinkAddress,
        tap: SharedTap,
        deadlines: &Deadlines,
        pushes: mpsc::Sender<Push>,
    ) -> Result<Hub, DriverError> {
        let link = super::open_link(&address, &tap, deadlines).await.map_err(|error| {
            let context = Context { link: address.name.clone(), ..Context::default() };
            DriverError::new(error, context)
        })?;
        let repeats = matches!(address.target, Target::Udp { .. }).then_some(deadlines.retries);
        let (jobs, queue) = mpsc::channel(JOBS);
        let generation = Arc::new(AtomicU64::new(0));
        let carrier =
            carrier::Carrier::new(link, address.clone(), tap.clone(), *deadlines, pushes, generation.clone());
        tokio::spawn(carrier.run(queue));
        Ok(Hub {
            address,
            tap,
            jobs,
            turn: Arc::new(Semaphore::new(1)),
            sleepers: Arc::default(),
            generation,
            repeats,
            in_doubt: Arc::default(),
        })
    }

    /// Name of the link in records and captures.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.address.name
    }

    /// URL of the link.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.address.url
    }

    /// A place on the connection for requests of `access` to `device`, or to the hub itself.
    pub(in crate::driver) async fn port(
        &self,
        device: Option<Eui64>,
        access: &Access,
        sleep: Sleep,
    ) -> Result<HubPort, ChannelError> {
        let place = Place { device, client: u16::from(access.client.get()) };
        let (inbox, incoming) = mpsc::channel(INBOX);
        self.jobs.send(Job::Attach { place, inbox }).await.map_err(|_| closed())?;
        let hub = self.clone();
        let turn = device
            .filter(|_| sleep != Sleep::Never)
            .map_or_else(|| hub.turn.clone(), |device| hub.own_turn(device));
        Ok(HubPort {
            hub,
            place,
            server: access.server,
            incoming,
            generation: None,
            turn,
            repeat: None,
            answered: VecDeque::new(),
        })
    }

    fn own_turn(&self, device: Eui64) -> Arc<Semaphore> {
        // A map of semaphores is whole at every step, whoever panicked.
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers.entry(device).or_insert_with(|| Arc::new(Semaphore::new(1))).clone()
    }
}

fn closed() -> ChannelError {
    DriverErrorKind::NoAnswer("because the connection to the hub was closed by the harness".into()).into()
}

/// One device's place on the connection to its hub.
#[derive(Debug)]
pub(in crate::driver) struct HubPort {
    hub: Hub,
    place: Place,
    server: u16,
    incoming: mpsc::Receiver<Incoming>,
    /// The connection this port last sent on.
    generation: Option<u64>,
    /// The message that may be asked again, and how often it still may.
    repeat: Option<(Vec<u8>, u8)>,
    /// Answers taken from datagrams, to know a doubled one by.
    answered: VecDeque<Vec<u8>>,
    /// Whose turn it is: the connection's, or that of a device that sleeps.
    turn: Arc<Semaphore>,
}

impl HubPort {
    pub(in crate::driver) async fn send(&mut self, apdu: &[u8], waits: &Waits) -> Result<(), ChannelError> {
        self.drop_late_answers();
        let message = self.message(apdu)?;
        if apdu.first() == Some(&AARQ) && self.hub.in_doubt.swap(false, Ordering::AcqRel) {
            self.take_another_port().await?;
        }
        self.repeat = self.hub.repeats.filter(|_| only_reads(apdu)).map(|left| (message.clone(), left));
        self.put(message, waits).await
    }

    async fn put(&mut self, message: Vec<u8>, waits: &Waits) -> Result<(), ChannelError> {
        let (done, sent) = oneshot::channel();
        let job = Job::Send { message, until: waits.response(), done };
        self.hub.jobs.send(job).await.map_err(|_| closed())?;
        sent.await.map_err(|_| closed())??;
        self.generation = Some(self.hub.generation.load(Ordering::Acquire));
        Ok(())
    }

    pub(in crate::driver) async fn receive(&mut self, waits: &Waits) -> Result<Vec<u8>, ChannelError> {
        let asked = Instant::now();
        let mut deadline = waits.response();
        loop {
            match tokio::time::timeout_at(deadline, self.incoming.recv()).await {
                Ok(Some(Ok(apdu))) if self.came_before(&apdu) => self.note("answer ignored: it came before"),
                Ok(Some(Ok(apdu))) => return Ok(apdu),
                Ok(Some(Err(lost))) => {
                    if !self.ask_after_a_refusal(waits).await? {
                        return Err(lost.into());
                    }
                    deadline = waits.response();
                }
                Ok(None) => return Err(closed()),
                Err(_) => {
                    if !self.ask_again(waits).await? {
                        return Err(self.give_up(asked));
                    }
                    deadline = waits.response();
                }
            }
        }
    }

    /// Whether an answer is one taken before, come twice: only a datagram does.
    fn came_before(&mut self, apdu: &[u8]) -> bool {
        if self.hub.repeats.is_none() {
            return false;
        }
        let known = self.answered.iter().any(|answer| answer == apdu);
        if !known {
            self.repeat = None;
            self.answered.truncate(REMEMBERED - 1);
            self.answered.push_front(apdu.to_vec());
        }
        known
    }

    /// Sends a datagram that only reads once more, while it may be; whether it was.
    async fn ask_again(&mut self, waits: &Waits) -> Result<bool, ChannelError> {
        let Some((message, left)) = self.repeat.take().filter(|(_, left)| *left > 0) else {
            return Ok(false);
        };
        self.note("no answer: the datagram is sent again, for it only reads");
        self.hub.in_doubt.store(true, Ordering::Release);
        self.put(message.clone(), waits).await?;
        self.repeat = Some((message, left - 1));
        Ok(true)
    }

    /// A datagram was turned away: nobody listens. A port that was closed may be open again in a moment, as one that refused
    /// a connection may: what only reads is sent again, with growing pauses. Whether it was.
    async fn ask_after_a_refusal(&mut self, waits: &Waits) -> Result<bool, ChannelError> {
        let (Some((_, left)), Some(all)) = (&self.repeat, self.hub.repeats) else { return Ok(false) };
        let refused = all.saturating_sub(*left);
        tokio::time::sleep(super::pause(refused)).await;
        self.ask_again(waits).await
    }

    /// Over a connection a late answer comes before any later one; a datagram does not keep to that.
    async fn take_another_port(&self) -> Result<(), ChannelError> {
        let (done, renewed) = oneshot::channel();
        self.hub.jobs.send(Job::Renew { done }).await.map_err(|_| closed())?;
        renewed.await.map_err(|_| closed())
    }

    fn give_up(&self, asked: Instant) -> ChannelError {
        self.hub.in_doubt.store(self.hub.repeats.is_some(), Ordering::Release);
        let waited = crate::link::seconds(asked.elapsed());
        DriverErrorKind::NoAnswer(format!("from the device behind the hub after {waited}")).into()
    }

    /// The turn on the connection, to be held until the answer is in: one request at a time. Dropping it, also by no
    /// longer waiting, lets the next one go.
    pub(in crate::driver) async fn turn(&self, until: Instant) -> Result<OwnedSemaphorePermit, ChannelError> {
        let turn = tokio::time::timeout_at(until, self.turn.clone().acquire_owned()).await;
        let busy = || DriverErrorKind::NoAnswer("because the hub is busy with other requests".into());
        turn.map_err(|_| busy())?.map_err(|_| closed())
    }

    pub(super) fn was_renewed(&self) -> bool {
        self.generation.is_some_and(|mine| mine != self.hub.generation.load(Ordering::Acquire))
    }

    pub(super) fn note(&self, note: &str) {
        self.hub.tap.frame(&self.hub.address.name, Way::Received, Timestamp::now(), &[], Some(note));
    }

    /// An answer that came after its request was given up is not the answer to the next one.
    fn drop_late_answers(&mut self) {
        while let Ok(late) = self.incoming.try_recv() {
            if late.is_ok() {
                self.note("late answer ignored: its request was given up");
            }
        }
    }

    fn message(&self, apdu: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let apdu = match self.place.device {
            None => apdu.to_vec(),
            Some(eui) => Envelope {
                direction: Direction::Request,
                network_id: 0,
                physical_address: eui.octets().into(),
                apdu: apdu.to_vec(),
            }
            .encode(),
        };
        wrapped(self.place.client, self.server, apdu)
    }
}

impl Drop for HubPort {
    fn drop(&mut self) {
        // When the queue is full the carrier finds the closed inbox by itself.
        let _ = self.hub.jobs.try_send(Job::Detach { place: self.place });
    }
}
