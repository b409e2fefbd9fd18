//! What waits for the broker, and the connection to it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use proto_lab::publish::{Publication, Topics};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::station::session::{Broker as _, Heard, Lost, RumqttBroker, RumqttSession, Session as _};

/// Events kept for a broker that does not take them; the oldest make room.
const EVENTS: usize = 4096;
/// Topics whose last value is kept.
const STATES: usize = 4096;
/// Messages on their way to the broker at a time.
const UNDER_WAY: usize = 32;
/// How long the broker may take to take one.
const TAKEN: Duration = Duration::from_secs(5);
/// Shortest and longest rest before a broker that was lost is looked for again.
const RESTS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// What the follower may have ready; it waits then, and nobody waits for it.
const READY: usize = 4;

/// What is to be published.
#[derive(Debug)]
pub(super) struct Outbox {
    topics: Topics,
    broker: String,
    taken: mpsc::Receiver<Vec<Publication>>,
    /// The last value of every retained topic, for a broker that has forgotten.
    states: BTreeMap<String, Publication>,
    /// In the order they are to go.
    waiting: VecDeque<Publication>,
    /// Sent, and not taken yet.
    under_way: VecDeque<Publication>,
    dropped: u64,
}

impl Outbox {
    pub(super) fn new(topics: Topics, broker: String) -> (Self, mpsc::Sender<Vec<Publication>>) {
        let (give, taken) = mpsc::channel(READY);
        let outbox = Self {
            topics,
            broker,
            taken,
            states: BTreeMap::new(),
            waiting: VecDeque::new(),
            under_way: VecDeque::new(),
            dropped: 0,
        };
        (outbox, give)
    }

    /// Keeps the connection and sends; ends only when dropped.
    pub(super) async fn run(mut self, mut broker: RumqttBroker) {
        let mut rest = RESTS.0;
        loop {
            let connected = broker.connect().await;
            let reason = match connected {
                Ok(Ok(session)) => {
                    rest = RESTS.0;
                    self.begin();
                    self.up(session).await.to_string()
                }
                Ok(Err(lost)) => lost.to_string(),
                Err(error) => error.to_string(),
            };
            tracing::warn!("publication to {}: {reason}; it is tried again", self.broker);
            self.keep_until(Instant::now() + rest).await;
            rest = (rest * 2).min(RESTS.1);
        }
    }

    /// After a connection was made the broker hears that the lab is there, and how everything stands.
    fn begin(&mut self) {
        let again: Vec<Publication> = self.under_way.drain(..).filter(|each| !each.retained).collect();
        again.into_iter().rev().for_each(|each| self.waiting.push_front(each));
        self.waiting.retain(|each| !each.retained);
        let states = self.states.values().cloned().rev();
        states.for_each(|state| self.waiting.push_front(state));
        self.waiting.push_front(self.topics.online(true));
    }

    async fn up(&mut self, mut session: RumqttSession) -> Lost {
        let mut since = Instant::now();
        loop {
            if let Err(lost) = self.send(&mut session) {
                return lost;
            }
            tokio::select! {
                heard = session.next() => match heard {
                    Ok(Heard::Taken) => {
                        self.under_way.pop_front();
                        since = Instant::now();
                    }
                    Ok(_) => {}
                    Err(lost) => return lost,
                },
                Some(all) = self.taken.recv() => {
                    if self.under_way.is_empty() {
                        since = Instant::now();
                    }
                    self.keep(all);
                }
                () = sleep_until(since + TAKEN), if !self.under_way.is_empty() => {
                    return Lost::Broken(format!("it takes nothing within {TAKEN:?}"));
                }
            }
        }
    }

    fn send(&mut self, session: &mut RumqttSession) -> Result<(), Lost> {
        while self.under_way.len() < UNDER_WAY {
            let Some(next) = self.waiting.pop_front() else { return Ok(()) };
            let sent = session.publish_retained(&next.topic, &next.payload, next.retained);
            self.under_way.push_back(next);
            sent?;
        }
        Ok(())
    }

    async fn keep_until(&mut self, until: Instant) {
        loop {
            tokio::select! {
                Some(all) = self.taken.recv() => self.keep(all),
                () = sleep_until(until) => return,
            }
        }
    }

    /// Keeps what came: of a state the last value, of events the latest.
    fn keep(&mut self, all: Vec<Publication>) {
        for each in all {
            if each.retained {
                if self.states.len() >= STATES && !self.states.contains_key(&each.topic) {
                    self.states.pop_first();
                }
                self.states.insert(each.topic.clone(), each.clone());
                // Only the last value of those that wait is worth sending.
                self.waiting.retain(|other| other.topic != each.topic);
            }
            self.waiting.push_back(each);
            self.make_room();
        }
    }

    fn make_room(&mut self) {
        while self.waiting.len() > EVENTS {
            let oldest = self.waiting.iter().position(|each| !each.retained).unwrap_or(0);
            self.waiting.remove(oldest);
            self.dropped += 1;
            if self.dropped.is_power_of_two() {
                tracing::warn!(
                    "publication to {}: {} messages had no room and are not published",
                    self.broker,
                    self.dropped
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication(topic: &str, payload: &str, retained: bool) -> Publication {
        Publication { topic: topic.to_owned(), payload: payload.into(), retained }
    }

    #[test]
    fn of_states_the_last_waits_and_of_events_the_latest() {
        let (mut outbox, _give) = Outbox::new(Topics::of("lab"), "mqtt://nowhere".into());
        outbox.keep(vec![publication("rig", "1", true), publication("rig", "2", true)]);
        let events = (0..EVENTS + 10).map(|n| publication("events", &n.to_string(), false)).collect();
        outbox.keep(events);
        assert_eq!((outbox.waiting.len(), outbox.dropped), (EVENTS, 11));
        assert_eq!(outbox.waiting[0], publication("rig", "2", true), "a state is not dropped for an event");
        assert_eq!(outbox.waiting[1].payload, b"11");
    }

    #[test]
    fn a_broker_that_comes_back_hears_how_everything_stands_and_what_it_did_not_take() {
        let (mut outbox, _give) = Outbox::new(Topics::of("lab"), "mqtt://nowhere".into());
        outbox.keep(vec![publication("rig", "1", true), publication("events", "a", false)]);
        outbox.begin();
        outbox.under_way.extend(outbox.waiting.drain(..));
        outbox.keep(vec![publication("events", "b", false)]);
        outbox.begin();
        let topics: Vec<(&str, &[u8])> =
            outbox.waiting.iter().map(|each| (each.topic.as_str(), each.payload.as_slice())).collect();
        assert_eq!(topics[0].0, "smets1-lab/v1/lab/status");
        assert_eq!(topics[1..], [("rig", &b"1"[..]), ("events", b"a"), ("events", b"b")]);
    }
}
