//! What is done to a device besides its wires: by the rig's station where it has an actuator for it, by a person's hand
//! where it has none; and what a station's sensors read.

use std::time::Duration;

use lab_config::{ActuatorKind, DeviceKind, SensorKind};
use proto_lab::record::{Body, Note};
use proto_lab::station::{Deed, Keys, Mains};
use scenarios::{Act, Value, Values};

use tokio::sync::mpsc;

use super::{Book, Hands};
use crate::execute::{Seen, Trouble};
use crate::link::Direction;
use crate::station::attach::Held;
use crate::station::{StationError, Stations};
use crate::tap::MessageTap as _;

/// Longest wait for one relay when the rig is made safe.
const RELAY: Duration = Duration::from_secs(10);

/// The hands and the stations at a rig.
pub(super) struct Actuators {
    hands: Box<dyn Hands>,
    stations: Option<Stations>,
    /// Stations at other benches, with the lease of the rig there.
    held: Option<Held>,
    book: Book,
}

impl Actuators {
    pub(super) fn new(
        hands: Box<dyn Hands>,
        stations: Option<Stations>,
        mut held: Option<Held>,
        book: Book,
    ) -> Self {
        if let Some(news) = held.as_mut().and_then(Held::news) {
            tokio::spawn(record(news, book.clone()));
        }
        Self { hands, stations, held, book }
    }

    /// The leases, to be given back.
    pub(super) fn held(&mut self) -> Option<Held> {
        self.held.take()
    }

    /// Has an actuator at another bench do something; the command and what came of it are shown as messages are.
    async fn act_there(
        &mut self,
        held_by: DeviceKind,
        deed: Deed,
        within: Duration,
    ) -> Result<String, StationError> {
        let Some(held) = &mut self.held else {
            return Err(StationError::NoActuator { device: held_by, kind: kind_of(&deed) });
        };
        let party = format!("station at the {held_by}");
        let command = deed.to_string();
        self.book.message(Direction::Sent, &party, "command", command.as_bytes());
        let done = held.act(held_by, deed, within).await;
        let words = done.as_ref().map_or_else(ToString::to_string, Clone::clone);
        self.book.message(Direction::Received, &party, "answer", words.as_bytes());
        Ok(done?)
    }

    /// Does what a step asks; `show` is the text for a person.
    pub(super) async fn ask(
        &mut self,
        device: DeviceKind,
        act: &Act,
        show: &str,
        within: Duration,
    ) -> Result<Seen, Trouble> {
        let deed = deed(act)?;
        let (from, said) = match (deed, &mut self.stations) {
            (Some((kind, deed)), Some(stations)) if stations.has_actuator(device, kind) => {
                let done = stations.act(device, deed, within, &self.book).await;
                (format!("a station at the {device}"), done.map_err(trouble)?)
            }
            (Some((kind, deed)), _)
                if self.held.as_ref().is_some_and(|held| held.has_actuator(device, kind)) =>
            {
                let done = self.act_there(device, deed, within).await;
                (format!("a station at the {device}"), done.map_err(trouble)?)
            }
            _ => (format!("a hand at the {device}"), self.hands.ask(device, act, show, within).await?),
        };
        let mut values = Values::new();
        values.set("act.done", true);
        values.set("act.answer", said.as_str());
        Ok(Seen { from, values, ..Seen::default() })
    }

    /// What a sensor reads, from now on.
    pub(super) async fn sense(
        &self,
        device: DeviceKind,
        sensor: SensorKind,
        within: Duration,
    ) -> Result<Seen, Trouble> {
        let Some(stations) = &self.stations else {
            return Err(trouble(StationError::NoSensor { device, kind: sensor }));
        };
        let sensed = stations.sense(device, sensor, within, &self.book).await.map_err(trouble)?;
        let mut values = Values::new();
        let value: Value = sensed
            .reading
            .value
            .to_string()
            .parse::<scenarios::Decimal>()
            .map_or_else(|_| Value::from(sensed.reading.value.to_string().as_str()), Value::from);
        values.set("value", value);
        values.set("unit", sensor.unit());
        Ok(Seen { from: format!("a station's {sensor} sensor at the {device}"), values, ..Seen::default() })
    }

    /// Gives every device its mains back; says what was done, nothing for a rig without relays.
    ///
    /// # Errors
    /// What stands in the way, in words, after every relay was tried.
    pub(super) async fn make_safe(&mut self) -> Option<Result<String, String>> {
        let of_stations = self.stations.iter().flat_map(|stations| {
            stations.relays().into_iter().map(|device| (device, stations.mains(device), false))
        });
        let there = self.held.iter().flat_map(Held::relays).map(|(device, mains)| (device, mains, true));
        let relays: Vec<_> = of_stations.chain(there).collect();
        let (mut done, mut stuck) = (Vec::new(), Vec::new());
        for (device, mains, there) in relays {
            if mains == Some(Mains::On) {
                done.push(format!("{device}: mains on already"));
                continue;
            }
            let on = Deed::Mains(Mains::On);
            let switched = match &mut self.stations {
                Some(stations) if !there => stations.act(device, on, RELAY, &self.book).await,
                _ => self.act_there(device, on, RELAY).await,
            };
            match switched {
                Ok(_) => done.push(format!("{device}: mains on")),
                Err(error) => stuck.push(error.to_string()),
            }
        }
        match (stuck.is_empty(), done.is_empty()) {
            (true, true) => None,
            (true, false) => Some(Ok(done.join(", "))),
            (false, _) => Some(Err(stuck.join("; "))),
        }
    }
}

/// What an actuator is told for an act, and which actuator; none for what only a person can do.
fn deed(act: &Act) -> Result<Option<(ActuatorKind, Deed)>, Trouble> {
    Ok(match act {
        Act::PressKeys(names) => {
            let keys = Keys::try_from(names.clone()).map_err(|error| Trouble::error(error.to_string()))?;
            Some((ActuatorKind::Keys, Deed::Press(keys)))
        }
        Act::SwitchMains { on } => {
            let mains = if *on { Mains::On } else { Mains::Off };
            Some((ActuatorKind::MainsRelay, Deed::Mains(mains)))
        }
        Act::Confirm | Act::Fault(_) | Act::ClearFaults => None,
    })
}

fn kind_of(deed: &Deed) -> ActuatorKind {
    match deed {
        Deed::Mains(_) => ActuatorKind::MainsRelay,
        Deed::Press(_) => ActuatorKind::Keys,
    }
}

/// What stations of other benches tell of themselves goes into the run's records as it comes. Evidence that cannot be written
/// stops the run at its next record.
async fn record(mut news: mpsc::Receiver<String>, book: Book) {
    while let Some(what) = news.recv().await {
        if book.write(Body::Note(Note { who: "stations".to_owned(), what })).is_err() {
            return;
        }
    }
}

/// A station that does not do what it is told is the lab's trouble: it says nothing of the devices or the DCC Systems.
fn trouble(error: StationError) -> Trouble {
    Trouble::error(error.to_string())
}
