//! A rig's stations over MQTT: relays switched, keys pressed, voltages read.
//!
//! ```text
//!  Stations ── orders ──> courier ── publish ──> session (rumqttc) ──> relay ──> broker ──> station
//!     ▲                      │  <── PUBACK, messages ──┘                (TCP or TLS, tapped)
//!     └── answers, board ────┘
//! ```
//!
//! [`Stations`] is what the rest of the harness holds. The courier is one task that owns the connection: it looks for a lost
//! broker again with growing rests, subscribes again by itself, sends what was not acknowledged again, and gives up a
//! connection on which a message is not taken for `courier::TAKEN`. Every command has an identifier, a topic its
//! acknowledgement comes on and a deadline; delivered twice it is done once (see [`proto_lab::station`]), and one whose
//! deadline has passed is not sent any more. The session is behind a trait, so the courier is tested against brokers that
//! misbehave in ways no real one can be asked to.

pub mod attach;
mod board;
mod courier;
mod error;
pub mod publish;
mod relay;
mod session;
mod tls;

pub use board::{Presence, Sensed};
pub use error::StationError;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{ActuatorKind, Broker, DeviceKind, Over, Rig, SensorKind, Station, Topic};
use proto_lab::station::{Acknowledgement, Command, CommandId, Deed, Mains, Outcome};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::link::{Direction, SharedTap};
use crate::tap::MessageTap;
use board::Board;
use courier::{Courier, Order};
use session::RumqttBroker;

/// Commands that may wait for a station at a time; a run has one under way.
const ORDERS: usize = 16;

/// How long a broker and its stations may take to be there when a run begins.
const START: Duration = Duration::from_secs(10);

/// The stations of a rig, as the harness reaches them. Dropped, the connection ends.
#[derive(Debug)]
pub struct Stations {
    stations: Vec<Station>,
    broker: String,
    orders: mpsc::Sender<Order>,
    board: Arc<Board>,
    stop: CancellationToken,
    /// Begins every identifier of a command, so that no other run's is like it.
    mark: u64,
    next: u64,
}

impl Stations {
    /// Connects to the broker and waits until every station of the rig says that it is there; none, for a rig without.
    ///
    /// # Errors
    /// [`StationError`]: what the broker said, or which station is not there.
    pub async fn connect(
        rig: &Rig,
        broker: Option<&Broker>,
        tap: SharedTap,
    ) -> Result<Option<Self>, StationError> {
        let at_broker: Vec<Station> =
            rig.stations.iter().filter(|station| station.over == Over::Mqtt).cloned().collect();
        let Some(broker) = broker.filter(|_| !at_broker.is_empty()) else { return Ok(None) };
        let mark = rand::random::<u64>();
        let name = format!("harness-{}-{mark:016x}", rig.name);
        let session = RumqttBroker::new(rig.name.as_str(), broker, name, tap)?;
        let stations = Self::with(at_broker, broker.url.to_string(), mark, session);
        stations.all_there(START).await?;
        Ok(Some(stations))
    }

    fn with(stations: Vec<Station>, broker: String, mark: u64, session: impl session::Broker) -> Self {
        let board = Arc::new(Board::new(&stations));
        let (orders, waiting) = mpsc::channel(ORDERS);
        let stop = CancellationToken::new();
        let courier = Courier::new(session, Arc::clone(&board), waiting, stop.clone());
        tokio::spawn(courier.run());
        Self { stations, broker, orders, board, stop, mark, next: 0 }
    }

    /// Waits until every station has said that it is there.
    async fn all_there(&self, within: Duration) -> Result<(), StationError> {
        let deadline = Instant::now() + within;
        let mut changed = self.board.changes();
        loop {
            let missing =
                self.stations.iter().find(|station| self.board.presence(station) != Presence::Online);
            let Some(missing) = missing else { return Ok(()) };
            if let Some(reason) = self.board.refusal() {
                return Err(StationError::Refused { broker: self.broker.clone(), reason });
            }
            if timeout_at(deadline, changed.changed()).await.is_err() {
                return Err(self.absent(missing, within));
            }
        }
    }

    fn absent(&self, station: &Station, within: Duration) -> StationError {
        match self.board.trouble() {
            Some(reason) => StationError::Unreached { broker: self.broker.clone(), reason, within },
            None => StationError::Absent {
                station: station.name.to_string(),
                status: station.status.to_string(),
                presence: self.board.presence(station),
                within,
            },
        }
    }

    /// Whether the rig has an actuator of this kind at this device.
    pub fn has_actuator(&self, device: DeviceKind, kind: ActuatorKind) -> bool {
        self.actuator(device, kind).is_some()
    }

    fn actuator(&self, device: DeviceKind, kind: ActuatorKind) -> Option<(&Station, &Topic)> {
        self.stations.iter().find_map(|station| Some((station, station.actuators.get(&(device, kind))?)))
    }

    /// The devices whose mains a relay switches.
    pub fn relays(&self) -> Vec<DeviceKind> {
        let all = self.stations.iter().flat_map(|station| station.actuators.keys());
        all.filter(|(_, kind)| *kind == ActuatorKind::MainsRelay).map(|(device, _)| *device).collect()
    }

    /// How a relay was last said to stand.
    pub fn mains(&self, device: DeviceKind) -> Option<Mains> {
        self.board.mains(device)
    }

    /// Has an actuator do something and waits until its station says what came of it, in words. The command and the
    /// acknowledgement are shown to the tap.
    ///
    /// # Errors
    /// [`StationError`]: no such actuator, no answer within its deadline, or a refusal.
    pub async fn act(
        &mut self,
        device: DeviceKind,
        deed: Deed,
        within: Duration,
        tap: &dyn MessageTap,
    ) -> Result<String, StationError> {
        let kind = match deed {
            Deed::Mains(_) => ActuatorKind::MainsRelay,
            Deed::Press(_) => ActuatorKind::Keys,
        };
        let id = self.next_id();
        let Some((station, topic)) = self.actuator(device, kind) else {
            return Err(StationError::NoActuator { device, kind });
        };
        let within = within.min(station.deadline);
        let expires = Timestamp::now().checked_add(within).ok();
        let command = Command { id: id.clone(), expires, deed };
        let (reply, answer) = oneshot::channel();
        let (payload, deadline) = (command.to_payload(), Instant::now() + within);
        let party = format!("station {}", station.name);
        let what = format!("command {} on {}", command.deed, topic.command());
        tap.message(Direction::Sent, &party, &what, &payload);
        let station_name = station.name.to_string();
        let order = Order {
            id,
            station: station.name.clone(),
            topic: topic.command(),
            quality: station.quality,
            payload,
            deadline,
            reply,
        };
        let silent = |board: &Board, station: &Station| StationError::Silent {
            station: station_name.clone(),
            deed: command.deed.to_string(),
            device,
            within,
            line: board.line_in_words(station),
        };
        if self.orders.try_send(order).is_err() {
            return Err(silent(&self.board, station));
        }
        let Ok(Ok(said)) = timeout_at(deadline, answer).await else {
            return Err(silent(&self.board, station));
        };
        tap.message(
            Direction::Received,
            &party,
            &format!("acknowledgement on {}", topic.acknowledgement()),
            &said.payload,
        );
        judge(said.acknowledgement, &station_name, device)
    }

    fn next_id(&mut self) -> CommandId {
        self.next += 1;
        CommandId::numbered(self.mark, self.next)
    }

    /// What a sensor reads: the first reading that comes from now on, so that none from before a change is taken for one
    /// after it. Shown to the tap.
    ///
    /// # Errors
    /// [`StationError`]: no such sensor, or none of its readings within the time and its station's deadline.
    pub async fn sense(
        &self,
        device: DeviceKind,
        kind: SensorKind,
        within: Duration,
        tap: &dyn MessageTap,
    ) -> Result<Sensed, StationError> {
        let found =
            self.stations.iter().find_map(|station| Some((station, station.sensors.get(&(device, kind))?)));
        let Some((station, topic)) = found else { return Err(StationError::NoSensor { device, kind }) };
        let within = within.min(station.deadline);
        let deadline = Instant::now() + within;
        let mut changed = self.board.changes();
        let before = self.board.sensed(device, kind).map(|sensed| sensed.number);
        loop {
            if let Some(sensed) =
                self.board.sensed(device, kind).filter(|sensed| Some(sensed.number) != before)
            {
                tap.message(
                    Direction::Received,
                    &format!("station {}", station.name),
                    &format!("reading on {topic}"),
                    &sensed.payload,
                );
                return units_agree(sensed, device, kind);
            }
            if timeout_at(deadline, changed.changed()).await.is_err() {
                let (station, line) = (station.name.to_string(), self.board.line_in_words(station));
                return Err(StationError::NoReading {
                    station,
                    device,
                    kind,
                    topic: topic.to_string(),
                    within,
                    line,
                });
            }
        }
    }
}

impl Drop for Stations {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn judge(
    acknowledgement: Acknowledgement,
    station: &str,
    device: DeviceKind,
) -> Result<String, StationError> {
    let detail = acknowledgement.detail.unwrap_or_default();
    match acknowledgement.outcome {
        Outcome::Done => Ok(detail),
        Outcome::Refused => Err(StationError::NotDone { station: station.to_owned(), device, detail }),
    }
}

fn units_agree(sensed: Sensed, device: DeviceKind, kind: SensorKind) -> Result<Sensed, StationError> {
    match &sensed.reading.unit {
        Some(unit) if unit != kind.unit() => {
            Err(StationError::Unit { device, kind, found: unit.clone(), expected: kind.unit() })
        }
        _ => Ok(sensed),
    }
}

/// What the messages on a topic are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Meaning {
    Status(lab_config::Name),
    Acknowledgement,
    Mains(DeviceKind),
    Sensor(DeviceKind, SensorKind),
}

/// Every topic the harness listens on, with what it means.
fn meanings(stations: &[Station]) -> BTreeMap<String, Meaning> {
    let mut all = BTreeMap::new();
    for station in stations {
        all.insert(station.status.to_string(), Meaning::Status(station.name.clone()));
        for ((device, kind), topic) in &station.actuators {
            all.insert(topic.acknowledgement().to_string(), Meaning::Acknowledgement);
            if *kind == ActuatorKind::MainsRelay {
                all.insert(topic.state().to_string(), Meaning::Mains(*device));
            }
        }
        for ((device, kind), topic) in &station.sensors {
            all.insert(topic.to_string(), Meaning::Sensor(*device, *kind));
        }
    }
    all
}

#[cfg(test)]
mod tests;
