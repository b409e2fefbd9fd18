//! The task that owns the link to a hub.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use proto_dlms::gateway::{Direction, Envelope};
use proto_dlms::push::{self, Receiver, ReceiverSettings};
use proto_dlms::wrapper::{Deframer, Message};
use proto_duis::Eui64;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Incoming, Job, Place, Push};
use crate::driver::access::Deadlines;
use crate::driver::channel::open_link;
use crate::link::{Framing, Link, LinkAddress, LinkError, LinkErrorKind, SharedTap};

/// Devices whose pushes are put together; those of more than a rig can have are dropped.
const PUSHERS: usize = 64;
/// How often a lost connection is made anew without anybody asking.
const RENEWALS: u32 = 6;
/// The wait before the first of them; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// How long an idle connection is listened to in one go; only the loop turns when it ends.
const IDLE: Duration = Duration::from_secs(3600);

pub(super) struct Carrier {
    state: State,
    address: LinkAddress,
    tap: SharedTap,
    deadlines: Deadlines,
    deframer: Deframer,
    /// Whether each read is one message: datagrams, which have no connection to lose by one that is spoilt.
    datagrams: bool,
    /// Until when the line may be silent: for long between messages, and briefly inside one.
    patience: Instant,
    inboxes: BTreeMap<Place, mpsc::Sender<Incoming>>,
    pushes: mpsc::Sender<Push>,
    /// What each device has begun to push.
    receivers: BTreeMap<Option<Eui64>, Receiver>,
    generation: Arc<AtomicU64>,
}

enum State {
    Connected(Box<Link>),
    /// Lost; the next try by itself is due then, while tries are left.
    Lost {
        tries: u32,
        next: Instant,
    },
}

/// What happened on the line while nobody asked for anything, or while they did.
enum Heard {
    Octets(Vec<u8>),
    Nothing,
    Lost(LinkError),
    RenewalDue,
}

impl Carrier {
    pub(super) fn new(
        mut link: Link,
        address: LinkAddress,
        tap: SharedTap,
        deadlines: Deadlines,
        pushes: mpsc::Sender<Push>,
        generation: Arc<AtomicU64>,
    ) -> Carrier {
        link.set_framing(Framing::Wrapper);
        Carrier {
            datagrams: link.is_datagrams(),
            state: State::Connected(Box::new(link)),
            address,
            tap,
            deadlines,
            deframer: Deframer::default(),
            patience: Instant::now() + IDLE,
            inboxes: BTreeMap::new(),
            pushes,
            receivers: BTreeMap::new(),
            generation,
        }
    }

    /// Serves until every handle is gone.
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        loop {
            let late = self.receivers.values().filter_map(Receiver::poll_timeout).min();
            tokio::select! {
                job = jobs.recv() => match job {
                    Some(job) => self.serve(job).await,
                    None => return,
                },
                heard = self.state.listen(self.patience) => self.hear(heard).await,
                () = reach(late) => self.give_late_pushes_up(),
            }
        }
    }

    async fn serve(&mut self, job: Job) {
        match job {
            Job::Attach { place, inbox } => {
                self.inboxes.insert(place, inbox);
            }
            Job::Detach { place } => {
                // Another port may have taken the place since: only a closed inbox goes.
                self.inboxes.retain(|at, inbox| *at != place || !inbox.is_closed());
            }
            Job::Send { message, until, done } => {
                let sent = self.send(&message, until).await;
                // A caller that is gone has given up waiting.
                let _ = done.send(sent);
            }
            Job::Renew { done } => {
                self.begin_anew();
                let _ = done.send(());
            }
        }
    }

    /// Answers nobody waits for may still come, and no request may take them for its own: they come to a port nobody
    /// listens at any more.
    fn begin_anew(&mut self) {
        self.note("from now on by another port: to this one answers may come late");
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.state = State::Lost { tries: 0, next: Instant::now() };
    }

    async fn send(&mut self, message: &[u8], until: Instant) -> Result<(), LinkError> {
        if let State::Lost { .. } = self.state {
            self.renew().await?;
        }
        let State::Connected(link) = &mut self.state else {
            return Err(self.address.error(LinkErrorKind::Gone, "a connection", "none", Duration::ZERO));
        };
        let sent = link.send(message, until).await;
        if let Err(error) = &sent {
            self.lose(error);
        }
        sent
    }

    async fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Octets(datagram) if self.datagrams => self.take_datagram(&datagram),
            Heard::Octets(octets) => {
                self.deframer.receive(&octets);
                self.route_all();
                self.be_patient();
            }
            Heard::Nothing if self.deframer.is_mid_message() => self.lose_half_a_message(),
            Heard::Nothing => self.be_patient(),
            Heard::Lost(error) => self.lose(&error),
            Heard::RenewalDue => {
                // Failing is counted; the next request tries again and tells its caller.
                let _ = self.renew().await;
            }
        }
    }

    fn take_datagram(&mut self, datagram: &[u8]) {
        match Message::decode(datagram) {
            Ok(message) => self.route(message),
            Err(error) => self.note(&format!("datagram ignored: {error}")),
        }
    }

    fn be_patient(&mut self) {
        let mid = self.deframer.is_mid_message();
        self.patience = Instant::now() + if mid { self.deadlines.inter_octet } else { IDLE };
    }

    /// The rest of a message never came. Whatever comes next would be taken for it, so the connection is made anew.
    fn lose_half_a_message(&mut self) {
        let (expected, waited) = ("the rest of a wrapped APDU", self.deadlines.inter_octet);
        let error = self.address.error(LinkErrorKind::Gone, expected, "nothing", waited);
        self.note("half a message: the connection is made anew");
        self.lose(&error);
    }

    async fn renew(&mut self) -> Result<(), LinkError> {
        match open_link(&self.address, &self.tap, &self.deadlines).await {
            Ok(mut link) => {
                link.set_framing(Framing::Wrapper);
                self.state = State::Connected(Box::new(link));
                self.deframer = Deframer::default();
                self.be_patient();
                Ok(())
            }
            Err(error) => {
                self.state.count_a_failure();
                Err(error)
            }
        }
    }

    fn lose(&mut self, error: &LinkError) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.state = State::Lost { tries: 0, next: Instant::now() + FIRST_PAUSE };
        for inbox in self.inboxes.values() {
            // A full inbox belongs to somebody who is not waiting.
            let _ = inbox.try_send(Err(error.clone()));
        }
    }

    fn route_all(&mut self) {
        loop {
            match self.deframer.next_message() {
                Ok(Some(message)) => self.route(message),
                Ok(None) => return,
                Err(error) => {
                    let found = error.to_string();
                    let error =
                        self.address.error(LinkErrorKind::Gone, "wrapped APDUs", found, Duration::ZERO);
                    self.lose(&error);
                    return;
                }
            }
        }
    }

    fn route(&mut self, message: Message) {
        let Some((device, apdu)) = opened(message.apdu) else {
            return self.note("gateway header malformed: APDU ignored");
        };
        if push::is_push(&apdu) {
            return self.take_push(device, &apdu);
        }
        let place = Place { device, client: message.destination };
        let waiting = self.inboxes.get(&place);
        if waiting.is_none_or(|inbox| inbox.try_send(Ok(apdu)).is_err()) {
            self.note("answer ignored: nobody waits for one from this device and client");
        }
    }

    /// One APDU of a push: whole, or a block of it.
    fn take_push(&mut self, device: Option<Eui64>, apdu: &[u8]) {
        if self.receivers.len() >= PUSHERS && !self.receivers.contains_key(&device) {
            return self.note("push dropped: more devices push than a rig has");
        }
        let receiver =
            self.receivers.entry(device).or_insert_with(|| Receiver::new(ReceiverSettings::default()));
        receiver.receive(apdu, Instant::now().into_std(), None);
        self.hand_pushes_on();
    }

    fn give_late_pushes_up(&mut self) {
        let now = Instant::now().into_std();
        self.receivers.values_mut().for_each(|receiver| receiver.handle_timeout(now));
        self.hand_pushes_on();
    }

    fn hand_pushes_on(&mut self) {
        let mut complete = Vec::new();
        for (device, receiver) in &mut self.receivers {
            while let Some(received) = receiver.poll_event() {
                let received = received.map(|received| received.notification);
                complete.push(Push { device: *device, at: Timestamp::now(), received });
            }
        }
        for push in complete {
            if let Err(error) = &push.received {
                self.note(&error.to_string());
            }
            if self.pushes.try_send(push).is_err() {
                self.note("push dropped: nobody takes pushes, or too many wait");
            }
        }
    }

    fn note(&self, note: &str) {
        if let State::Connected(link) = &self.state {
            link.note(note);
        }
    }
}

impl State {
    /// Waits for the line; may be dropped at any point without losing octets.
    async fn listen(&mut self, until: Instant) -> Heard {
        match self {
            State::Connected(link) => match link.receive("an answer or a push", until).await {
                Ok(octets) => Heard::Octets(octets.to_vec()),
                Err(error) if error.kind == LinkErrorKind::NoAnswer => Heard::Nothing,
                Err(error) => Heard::Lost(error),
            },
            State::Lost { tries, next } if *tries < RENEWALS => {
                tokio::time::sleep_until(*next).await;
                Heard::RenewalDue
            }
            // Out of tries: only a request makes the next one.
            State::Lost { .. } => std::future::pending().await,
        }
    }

    fn count_a_failure(&mut self) {
        if let State::Lost { tries, next } = self {
            *tries = tries.saturating_add(1);
            *next = Instant::now() + FIRST_PAUSE * 2u32.saturating_pow(*tries).min(64);
        }
    }
}

/// Waits until a moment; for ever, where there is none.
async fn reach(due: Option<std::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// The device an APDU is from and the APDU without the gateway header; none when the header is not one of ours.
fn opened(apdu: Vec<u8>) -> Option<(Option<Eui64>, Vec<u8>)> {
    if !Envelope::is_present(&apdu) {
        return Some((None, apdu));
    }
    let envelope = Envelope::decode(&apdu).ok()?;
    let eui: [u8; 8] = envelope.physical_address.octets().try_into().ok()?;
    (envelope.direction == Direction::Response).then_some((Some(eui.into()), envelope.apdu))
}
