//! The one task that owns the connection to the broker.

use std::sync::Arc;
use std::time::Duration;

use lab_config::{Name, QualityOfService};
use proto_lab::station::{Acknowledgement, CommandId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Presence;
use super::board::{Board, Heard as Meant, Line as Standing};
use super::session::{Broker, Heard, Lost, Session};

/// How long the broker may take to take a message or a subscription. A client that lost its session can wait for ever for
/// what the broker has forgotten: after this the connection is given up and everything is said again.
pub(super) const TAKEN: Duration = Duration::from_secs(2);

/// Shortest and longest rest before a broker that was lost is looked for again.
const RESTS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Rest before a broker that let nobody in is asked again: somebody may be correcting its passwords.
const REFUSED: Duration = Duration::from_secs(10);

/// Commands under way at a time.
const PENDING: usize = 16;

/// A command on its way.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) id: CommandId,
    pub(super) station: Name,
    pub(super) topic: lab_config::Topic,
    pub(super) quality: QualityOfService,
    pub(super) payload: Vec<u8>,
    pub(super) deadline: Instant,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) acknowledgement: Acknowledgement,
    pub(super) payload: Vec<u8>,
}

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is to be sent, or sent again.
    Waiting,
    /// It was sent, and the broker has not said that it took it.
    Sent(Instant),
    /// The broker took it; the station has not answered.
    Taken,
}

/// The connection.
enum Line<S> {
    Down {
        until: Instant,
    },
    Connecting(JoinHandle<Result<S, Lost>>),
    /// Topics are being subscribed to.
    Subscribing {
        session: S,
        since: Instant,
    },
    Up(S),
}

/// What happened on the connection.
enum LineEvent<S> {
    Retry,
    Connected(Result<S, Lost>),
    Heard(Result<Heard, Lost>),
}

pub(super) struct Courier<B: Broker> {
    broker: B,
    board: Arc<Board>,
    orders: mpsc::Receiver<Order>,
    stop: CancellationToken,
    pending: Vec<(Order, Stage)>,
    line: Line<B::Session>,
    rest: Duration,
}

impl<B: Broker> Courier<B> {
    pub(super) fn new(
        broker: B,
        board: Arc<Board>,
        orders: mpsc::Receiver<Order>,
        stop: CancellationToken,
    ) -> Self {
        let line = Line::Down { until: Instant::now() };
        Self { broker, board, orders, stop, pending: Vec::new(), line, rest: RESTS.0 }
    }

    /// Runs until stopped, or until nobody can ask any more.
    pub(super) async fn run(mut self) {
        loop {
            let strike = self.next_strike();
            tokio::select! {
                () = self.stop.cancelled() => return,
                order = self.orders.recv(), if self.pending.len() < PENDING => match order {
                    Some(order) => self.pending.push((order, Stage::Waiting)),
                    None => return,
                },
                event = self.line.event() => self.line_event(event),
                () = sleep_until(strike) => self.strike(Instant::now()),
            }
            self.send_next();
        }
    }

    fn line_event(&mut self, event: LineEvent<B::Session>) {
        match event {
            LineEvent::Retry => self.line = Line::Connecting(self.broker.connect()),
            LineEvent::Connected(Ok(session)) => self.subscribe(session),
            LineEvent::Connected(Err(lost)) | LineEvent::Heard(Err(lost)) => self.lose(&lost),
            LineEvent::Heard(Ok(heard)) => self.heard(heard),
        }
    }

    fn subscribe(&mut self, mut session: B::Session) {
        match session.subscribe(&self.board.topics()) {
            Ok(()) => self.line = Line::Subscribing { session, since: Instant::now() },
            Err(lost) => self.lose(&lost),
        }
    }

    /// The connection is gone: everything under way is to be said again.
    fn lose(&mut self, lost: &Lost) {
        let rest = match lost {
            Lost::Refused(_) => REFUSED,
            Lost::Broken(_) => self.rest,
        };
        self.rest = (self.rest * 2).min(RESTS.1);
        tracing::info!(%lost, ?rest, "the connection to the broker is lost");
        self.board.set_line(match lost {
            Lost::Refused(reason) => Standing::Refused(reason.clone()),
            Lost::Broken(reason) => Standing::Down(reason.clone()),
        });
        self.line = Line::Down { until: Instant::now() + rest };
        self.pending.iter_mut().for_each(|(_, stage)| *stage = Stage::Waiting);
    }

    fn heard(&mut self, heard: Heard) {
        match heard {
            Heard::Subscribed => self.up(),
            Heard::Taken => self.taken(),
            Heard::Message { topic, payload, retained } => self.message(&topic, &payload, retained),
        }
    }

    fn up(&mut self) {
        let down = Line::Down { until: Instant::now() };
        self.line = match std::mem::replace(&mut self.line, down) {
            Line::Subscribing { session, .. } => Line::Up(session),
            other => other,
        };
        self.rest = RESTS.0;
        self.board.set_line(Standing::Up);
    }

    /// One message is under way at a time, so it is that which was taken.
    fn taken(&mut self) {
        let sent = self.pending.iter_mut().find(|(_, stage)| matches!(stage, Stage::Sent(_)));
        if let Some((_, stage)) = sent {
            *stage = Stage::Taken;
        }
    }

    fn message(&mut self, topic: &str, payload: &[u8], retained: bool) {
        match self.board.hear(topic, payload, retained) {
            Ok(Meant::Acknowledgement) => self.acknowledged(topic, payload),
            Ok(Meant::Returned(station)) => {
                // A station that begins again has no session: what it was told while it was away it never heard.
                let missed = self.pending.iter_mut().filter(|(order, _)| order.station == station);
                missed
                    .filter(|(_, stage)| *stage == Stage::Taken)
                    .for_each(|(_, stage)| *stage = Stage::Waiting);
            }
            Ok(Meant::Noted | Meant::Nothing) => {}
            Err(error) => tracing::warn!(topic, %error, "a station says what does not belong there"),
        }
    }

    fn acknowledged(&mut self, topic: &str, payload: &[u8]) {
        let acknowledgement = match Acknowledgement::parse(payload) {
            Ok(acknowledgement) => acknowledgement,
            Err(error) => {
                return tracing::warn!(topic, %error, "a station answers what is no acknowledgement");
            }
        };
        let of = self.pending.iter().position(|(order, _)| order.id == acknowledgement.id);
        if let Some(place) = of {
            let (order, _) = self.pending.swap_remove(place);
            // Whoever asked may have stopped waiting.
            drop(order.reply.send(Answer { acknowledgement, payload: payload.to_vec() }));
        }
    }

    /// Sends the next command whose station is there, if nothing is under way to the broker.
    fn send_next(&mut self) {
        let Line::Up(session) = &mut self.line else { return };
        if self.pending.iter().any(|(_, stage)| matches!(stage, Stage::Sent(_))) {
            return;
        }
        let there = |order: &Order| self.board.presence_of(&order.station) != Presence::Offline;
        let next = self.pending.iter_mut().find(|(order, stage)| *stage == Stage::Waiting && there(order));
        let Some((order, stage)) = next else { return };
        *stage = match order.quality {
            // The broker says nothing of these.
            QualityOfService::AtMostOnce => Stage::Taken,
            QualityOfService::AtLeastOnce => Stage::Sent(Instant::now()),
        };
        if let Err(lost) = session.publish(order.topic.as_str(), &order.payload, order.quality) {
            self.lose(&lost);
        }
    }

    /// When the next deadline strikes.
    fn next_strike(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        let taken = self.pending.iter().filter_map(|(_, stage)| match stage {
            Stage::Sent(since) => Some(*since + TAKEN),
            _ => None,
        });
        let subscribed = match &self.line {
            Line::Subscribing { since, .. } => Some(*since + TAKEN),
            _ => None,
        };
        let deadlines = self.pending.iter().map(|(order, _)| order.deadline);
        deadlines.chain(taken).chain(subscribed).min().unwrap_or(far)
    }

    /// A command whose deadline has passed is not sent any more; a connection that takes nothing is given up.
    fn strike(&mut self, now: Instant) {
        self.pending.retain(|(order, _)| order.deadline > now);
        let wedged = match &self.line {
            Line::Subscribing { since, .. } => *since + TAKEN <= now,
            _ => self.pending.iter().any(|(_, stage)| matches!(stage, Stage::Sent(at) if *at + TAKEN <= now)),
        };
        if wedged {
            self.lose(&Lost::Broken(format!("the broker did not take a message within {TAKEN:?}")));
        }
    }
}

impl<S: Session> Line<S> {
    /// What happens next. Cancelled, it loses nothing.
    async fn event(&mut self) -> LineEvent<S> {
        match self {
            Self::Down { until } => {
                sleep_until(*until).await;
                LineEvent::Retry
            }
            Self::Connecting(task) => LineEvent::Connected(match task.await {
                Ok(connected) => connected,
                Err(ended) => Err(Lost::Broken(format!("connecting was cut short: {ended}"))),
            }),
            Self::Subscribing { session, .. } | Self::Up(session) => LineEvent::Heard(session.next().await),
        }
    }
}
