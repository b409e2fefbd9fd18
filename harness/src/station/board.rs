//! What is known of the stations: who is there, how relays stand, what sensors last read, how the line to the broker is.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use lab_config::{DeviceKind, Name, SensorKind, Station};
use proto_lab::station::{Mains, MainsState, PayloadError, Reading, Status};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Meaning, meanings};

/// What is known of a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing was heard of it yet.
    Unheard,
    /// It says it is there.
    Online,
    /// Its last will says it is gone.
    Offline,
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unheard => "not heard of",
            Self::Online => "online",
            Self::Offline => "offline",
        })
    }
}

/// One reading as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensed {
    /// What was read.
    pub reading: Reading,
    /// The message.
    pub payload: Vec<u8>,
    /// Counts what came from this sensor and was not told from memory.
    pub(super) number: u64,
}

/// How the connection to the broker stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// It is there, and every topic is listened on.
    Up,
    /// It is not, for this reason.
    Down(String),
    /// The broker lets nobody in who presents himself so.
    Refused(String),
}

/// What is known, shared between the courier, who writes it, and those who ask.
#[derive(Debug)]
pub(super) struct Board {
    meanings: BTreeMap<String, Meaning>,
    known: Mutex<Known>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Known {
    line: Line,
    presence: BTreeMap<Name, (Presence, Instant)>,
    mains: BTreeMap<DeviceKind, Mains>,
    sensed: BTreeMap<(DeviceKind, SensorKind), Sensed>,
}

/// What a message was.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Written on the board.
    Noted,
    /// A station that was not there is: what it may have missed is said again.
    Returned(Name),
    /// For whoever waits for an acknowledgement.
    Acknowledgement,
    /// Nothing of ours.
    Nothing,
}

impl Board {
    pub(super) fn new(stations: &[Station]) -> Self {
        let known = Known {
            line: Line::Down("no connection was tried yet".to_owned()),
            presence: BTreeMap::new(),
            mains: BTreeMap::new(),
            sensed: BTreeMap::new(),
        };
        Self { meanings: meanings(stations), known: Mutex::new(known), changed: watch::Sender::new(()) }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Known) -> T) -> T {
        // Each write is one insertion: a panic leaves nothing half known.
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The topics that are listened on.
    pub(super) fn topics(&self) -> Vec<String> {
        self.meanings.keys().cloned().collect()
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(super) fn set_line(&self, line: Line) {
        self.with(|known| {
            if line != Line::Up {
                // What the stations did meanwhile is not known; a broker that remembers tells it again.
                known.presence.clear();
            }
            known.line = line;
        });
        self.changed.send_replace(());
    }

    /// Takes a message; `retained` when the broker told it from memory.
    ///
    /// # Errors
    /// [`PayloadError`] when it is not what belongs on its topic.
    pub(super) fn hear(&self, topic: &str, payload: &[u8], retained: bool) -> Result<Heard, PayloadError> {
        let heard = match self.meanings.get(topic) {
            None => Heard::Nothing,
            Some(Meaning::Acknowledgement) => Heard::Acknowledgement,
            Some(Meaning::Status(station)) => self.status(station, &Status::parse(payload)?),
            Some(Meaning::Mains(device)) => {
                let state = MainsState::parse(payload)?;
                self.with(|known| known.mains.insert(*device, state.mains));
                Heard::Noted
            }
            // From memory it may be of before a change: whoever asks wants to know how it is now.
            Some(Meaning::Sensor(..)) if retained => Heard::Nothing,
            Some(Meaning::Sensor(device, kind)) => {
                let reading = Reading::parse(payload)?;
                self.with(|known| known.sense((*device, *kind), reading, payload));
                Heard::Noted
            }
        };
        self.changed.send_replace(());
        Ok(heard)
    }

    fn status(&self, station: &Name, status: &Status) -> Heard {
        let presence = if status.online { Presence::Online } else { Presence::Offline };
        let before = self.with(|known| known.presence.insert(station.clone(), (presence, Instant::now())));
        match before {
            Some((Presence::Online, _)) => Heard::Noted,
            _ if presence == Presence::Online => Heard::Returned(station.clone()),
            _ => Heard::Noted,
        }
    }

    pub(super) fn presence(&self, station: &Station) -> Presence {
        self.presence_of(&station.name)
    }

    pub(super) fn presence_of(&self, station: &Name) -> Presence {
        self.with(|known| known.presence.get(station).map_or(Presence::Unheard, |(presence, _)| *presence))
    }

    pub(super) fn mains(&self, device: DeviceKind) -> Option<Mains> {
        self.with(|known| known.mains.get(&device).copied())
    }

    pub(super) fn sensed(&self, device: DeviceKind, kind: SensorKind) -> Option<Sensed> {
        self.with(|known| known.sensed.get(&(device, kind)).cloned())
    }

    /// Why there is no connection, if there is none.
    pub(super) fn trouble(&self) -> Option<String> {
        self.with(|known| match &known.line {
            Line::Up => None,
            Line::Down(reason) | Line::Refused(reason) => Some(reason.clone()),
        })
    }

    /// What the broker said to whoever it does not let in.
    pub(super) fn refusal(&self) -> Option<String> {
        self.with(|known| match &known.line {
            Line::Refused(reason) => Some(reason.clone()),
            _ => None,
        })
    }

    /// How the line to a station stands, in words.
    pub(super) fn line_in_words(&self, station: &Station) -> String {
        self.with(|known| match (&known.line, known.presence.get(&station.name)) {
            (Line::Down(reason), _) => format!("there is no connection to the broker: {reason}"),
            (Line::Refused(reason), _) => format!("the broker lets the harness not in: {reason}"),
            (Line::Up, Some((Presence::Offline, since))) => {
                format!("it went offline {:?} ago", since.elapsed())
            }
            (Line::Up, Some((Presence::Online, since))) => {
                format!(
                    "it is said to be online, last {:?} ago, and the broker is connected",
                    since.elapsed()
                )
            }
            (Line::Up, _) => "the broker is connected, and nothing says the station is online".to_owned(),
        })
    }
}

impl Known {
    fn sense(&mut self, sensor: (DeviceKind, SensorKind), reading: Reading, payload: &[u8]) {
        let number = self.sensed.get(&sensor).map_or(0, |sensed| sensed.number + 1);
        self.sensed.insert(sensor, Sensed { reading, payload: payload.to_vec(), number });
    }
}
