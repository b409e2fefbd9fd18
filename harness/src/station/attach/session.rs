//! One attached station, as long as it is: frames from its session to the programs at the door, and back.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use proto_lab::attach::{Frame, PartName, Says, StationFrame};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tonic::{Status, Streaming};

use super::exchange::{Shared, StationEvent};
use super::pulse::{Pulse, SILENCE};
use super::routes::{Door, Routes};

/// Something from the door.
#[derive(Debug)]
pub(super) struct AtDoor {
    pub(super) door: Door,
    pub(super) said: DoorSaid,
}

#[derive(Debug)]
pub(super) enum DoorSaid {
    /// A program came; frames for it go there.
    Came(mpsc::Sender<Frame>),
    /// It said something.
    Frame(Frame),
    /// It left.
    Left,
}

/// The session of one station. It waits for nobody: what is for the station is kept until gRPC takes it, which credit bounds,
/// and a program that does not take what is for it is turned out.
pub(super) struct Session {
    station: PartName,
    shared: Arc<Shared>,
    routes: Routes,
    doors: BTreeMap<Door, mpsc::Sender<Frame>>,
    outbox: VecDeque<Frame>,
    pulse: Pulse,
}

type Outbound = mpsc::Sender<Result<StationFrame, Status>>;

impl Session {
    pub(super) fn new(station: PartName, shared: Arc<Shared>) -> Self {
        let outbox = VecDeque::from([Frame::session(Says::Welcome)]);
        let pulse = Pulse::new(Instant::now());
        Self { station, shared, routes: Routes::default(), doors: BTreeMap::new(), outbox, pulse }
    }

    /// Runs until the station is lost, and says why.
    pub(super) async fn run(
        mut self,
        mut inbound: Streaming<StationFrame>,
        outbound: Outbound,
        mut at_doors: mpsc::Receiver<AtDoor>,
    ) -> String {
        let reason = loop {
            let step = tokio::select! {
                message = inbound.message() => match message {
                    Ok(Some(message)) => self.heard(message),
                    Ok(None) => Err("it closed the session".to_owned()),
                    Err(status) => Err(format!("the connection broke off: {}", status.message())),
                },
                place = outbound.reserve(), if !self.outbox.is_empty() => match place {
                    Ok(place) => {
                        self.pulse.said(Instant::now());
                        if let Some(frame) = self.outbox.pop_front() {
                            place.send(Ok(frame.into()));
                        }
                        Ok(())
                    }
                    Err(_) => Err("the connection broke off".to_owned()),
                },
                Some(said) = at_doors.recv() => { self.at_door(said); Ok(()) }
                () = sleep_until(self.pulse.due()), if self.outbox.is_empty() => {
                    self.outbox.push_back(Frame::session(Says::Heartbeat));
                    Ok(())
                }
                () = sleep_until(self.pulse.lost_at()) => Err(format!("nothing was heard for {SILENCE:?}")),
            };
            if let Err(reason) = step {
                break reason;
            }
        };
        let told = format!("station {} is lost: {reason}", self.station);
        for (door, frame) in self.routes.lost(&told) {
            self.tell(door, frame);
        }
        reason
    }

    fn heard(&mut self, message: StationFrame) -> Result<(), String> {
        self.pulse.heard(Instant::now());
        let frame =
            Frame::try_from(message).map_err(|error| format!("it does not keep to the language: {error}"))?;
        match frame.says {
            Says::Heartbeat => {}
            Says::MadeSafe(made) => {
                let doors = self.routes.told_of(&made);
                let station = self.station.to_string();
                self.shared.note(&StationEvent::MadeSafe { station, made: made.clone() });
                for door in doors {
                    self.tell(door, Frame::session(Says::MadeSafe(made.clone())));
                }
            }
            _ => {
                let passed = self.routes.station_says(frame);
                let passed = passed.map_err(|error| format!("it does not keep to the language: {error}"))?;
                if let Some((door, frame)) = passed {
                    self.tell(door, frame);
                }
            }
        }
        Ok(())
    }

    fn at_door(&mut self, AtDoor { door, said }: AtDoor) {
        match said {
            DoorSaid::Came(frames) => {
                self.doors.insert(door, frames);
            }
            DoorSaid::Frame(frame) if self.doors.contains_key(&door) => {
                match self.routes.door_says(door, frame) {
                    Ok(frame) => self.outbox.extend(frame),
                    Err(error) => self.turn_out(door, &error.to_string()),
                }
            }
            DoorSaid::Frame(_) => {}
            DoorSaid::Left => {
                self.doors.remove(&door);
                self.outbox.extend(self.routes.door_closed(door));
            }
        }
    }

    fn tell(&mut self, door: Door, frame: Frame) {
        let Some(frames) = self.doors.get(&door) else { return };
        if let Err(mpsc::error::TrySendError::Full(_)) = frames.try_send(frame) {
            self.turn_out(door, "it does not read");
        }
    }

    fn turn_out(&mut self, door: Door, reason: &str) {
        tracing::warn!("a program at the door of station {} was turned out: {reason}", self.station);
        self.doors.remove(&door);
        self.outbox.extend(self.routes.door_closed(door));
    }
}
