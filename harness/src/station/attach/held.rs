//! A run's end of its rig's leases: taken at each station of the rig, renewed, given back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{ActuatorKind, DeviceKind, LeaseToken, Name, Over, Rig, Topic};
use proto_lab::attach::{
    Actuate, Channel, Fault, FaultKind, Frame, FrameReader, LeaseAsked, MadeSafe, PartName, Says, Token,
    to_octets,
};
use proto_lab::station::{Deed, Mains};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

/// The term asked for; a station may grant less.
const TERM: Duration = Duration::from_secs(60);
/// How long a station may take to grant a lease, or to say that it has none to grant.
const GRANT: Duration = Duration::from_secs(10);
/// How long a station may take to bring its part of a rig to its safe state.
const RELEASE: Duration = Duration::from_secs(30);
/// What a frame may take on its way on top of what the station may.
const PASSAGE: Duration = Duration::from_secs(1);
/// What stations told of themselves that may wait to be recorded; more is dropped and counted by its absence.
const NEWS: usize = 64;
/// The only channel of a connection of one lease or one act.
const ONLY: Channel = Channel(1);

/// Why a station of the rig cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeldError {
    /// There is no way to any station.
    #[error("station {station}: {reason}")]
    NoWay {
        /// The station.
        station: String,
        /// Why.
        reason: String,
    },
    /// The station refuses.
    #[error("station {station} refuses: {reason}")]
    Refused {
        /// The station.
        station: String,
        /// Why.
        reason: String,
    },
    /// The station does not answer.
    #[error("station {station} did not answer within {within:?}")]
    Silent {
        /// The station.
        station: String,
        /// How long it had.
        within: Duration,
    },
}

/// The leases of a rig at the stations it has parts at.
#[derive(Debug)]
pub struct Held {
    token: Token,
    rig: Name,
    keepers: Vec<Keeper>,
    actuators: BTreeMap<(DeviceKind, ActuatorKind), (Name, Topic)>,
    /// How each relay was last switched.
    mains: BTreeMap<DeviceKind, Mains>,
    news: Option<mpsc::Receiver<String>>,
}

#[derive(Debug)]
struct Keeper {
    station: Name,
    lost: watch::Receiver<Option<String>>,
    give_back: Option<oneshot::Sender<oneshot::Sender<Result<MadeSafe, String>>>>,
}

/// The stations that a rig has links to or actuators at, and that dial in.
fn stations(rig: &Rig) -> BTreeSet<Name> {
    let links = rig.devices().flat_map(|device| device.links.values());
    let linked = links.filter_map(|link| link.station().cloned());
    let dialling = rig.stations.iter().filter(|station| station.over == Over::Grpc);
    linked.chain(dialling.map(|station| station.name.clone())).collect()
}

impl Held {
    /// Takes the lease of `rig` at each of its stations, for `holder`; none, for a rig without such stations.
    ///
    /// # Errors
    /// [`HeldError`]: the first station that cannot be had. Leases taken before it run out.
    pub async fn take(rig: &Rig, holder: &str) -> Result<Option<Held>, HeldError> {
        let stations = stations(rig);
        if stations.is_empty() {
            return Ok(None);
        }
        // Whoever takes a rig's lease holds the rig's lock on this machine, so that no other asks for a number meanwhile.
        let token = Token(u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(1).max(1));
        let (tell, news) = mpsc::channel(NEWS);
        let mut keepers = Vec::new();
        for station in stations {
            keepers.push(Keeper::take(station, rig, (token, holder), tell.clone()).await?);
        }
        let dialling = rig.stations.iter().filter(|station| station.over == Over::Grpc);
        let actuators = dialling.flat_map(|station| {
            let named = |(key, topic): (&(DeviceKind, ActuatorKind), &Topic)| {
                (*key, (station.name.clone(), topic.clone()))
            };
            station.actuators.iter().map(named)
        });
        let actuators = actuators.collect();
        let (rig, mains, news) = (rig.name.clone(), BTreeMap::new(), Some(news));
        Ok(Some(Held { token, rig, keepers, actuators, mains, news }))
    }

    /// The rig with the links to its stations under this lease.
    #[must_use]
    pub fn leased(&self, rig: Rig) -> Rig {
        let links: Vec<_> = rig
            .devices()
            .flat_map(|device| device.links.iter().map(|(path, link)| (device.kind, *path, link.clone())))
            .filter(|(_, _, link)| link.station().is_some())
            .collect();
        let lease = LeaseToken(self.token.0);
        links.into_iter().fold(rig, |rig, (kind, path, link)| rig.with_link(kind, path, link.leased(lease)))
    }

    /// The number of the lease.
    pub fn token(&self) -> u64 {
        self.token.0
    }

    /// What stations tell of themselves from now on, in words, to be recorded; given out once.
    pub fn news(&mut self) -> Option<mpsc::Receiver<String>> {
        self.news.take()
    }

    /// Which lease is lost, and why.
    pub fn lost(&self) -> Option<String> {
        let lost = |keeper: &Keeper| {
            keeper.lost.borrow().as_ref().map(|reason| format!("station {}: {reason}", keeper.station))
        };
        self.keepers.iter().find_map(lost)
    }

    /// Whether the rig has an actuator of this kind at this device.
    pub fn has_actuator(&self, device: DeviceKind, kind: ActuatorKind) -> bool {
        self.actuators.contains_key(&(device, kind))
    }

    /// The devices whose mains a relay switches, and how each stands; of a station whose lease is lost nobody knows.
    pub fn relays(&self) -> Vec<(DeviceKind, Option<Mains>)> {
        let is_lost = self.lost().is_some();
        let stands = |device: &DeviceKind| self.mains.get(device).copied().filter(|_| !is_lost);
        let relays = self.actuators.keys().filter(|(_, kind)| *kind == ActuatorKind::MainsRelay);
        relays.map(|(device, _)| (*device, stands(device))).collect()
    }

    /// Has an actuator do something and waits until its station says what came of it, in words.
    ///
    /// # Errors
    /// [`HeldError`].
    pub async fn act(
        &mut self,
        device: DeviceKind,
        deed: Deed,
        within: Duration,
    ) -> Result<String, HeldError> {
        let kind = match deed {
            Deed::Mains(_) => ActuatorKind::MainsRelay,
            Deed::Press(_) => ActuatorKind::Keys,
        };
        let Some((station, topic)) = self.actuators.get(&(device, kind)).cloned() else {
            let reason = format!("it has no {kind} at the {device}");
            return Err(HeldError::NoWay { station: self.rig.to_string(), reason });
        };
        let deadline = Instant::now() + within + PASSAGE;
        let act = async {
            let mut door = Connection::open(&station).await?;
            let actuator = part(&station, topic.as_str())?;
            let act = Actuate { actuator, token: self.token, within, deed: deed.clone() };
            door.say(Frame::new(ONLY, Says::Actuate(act))).await?;
            door.acted().await
        };
        let silent = |_| HeldError::Silent { station: station.to_string(), within };
        let done = timeout_at(deadline, act).await.map_err(silent)??;
        if let Deed::Mains(mains) = deed {
            self.mains.insert(device, mains);
        }
        Ok(done)
    }

    /// Gives the leases back; each station brings its part of the rig to its safe state and says so, in words.
    ///
    /// # Errors
    /// What stands in the way, in words, after every station was asked.
    pub async fn give_back(mut self) -> Result<String, String> {
        let (mut done, mut stuck) = (Vec::new(), Vec::new());
        for keeper in &mut self.keepers {
            match keeper.give_back().await {
                Ok(made) if made.reached => done.push(format!("station {}: {}", keeper.station, made.detail)),
                Ok(made) => stuck.push(format!("station {}: {}", keeper.station, made.detail)),
                Err(reason) => stuck.push(format!("station {}: {reason}", keeper.station)),
            }
        }
        if stuck.is_empty() { Ok(done.join("; ")) } else { Err(stuck.join("; ")) }
    }
}

impl Keeper {
    async fn take(
        station: Name,
        rig: &Rig,
        (token, holder): (Token, &str),
        news: mpsc::Sender<String>,
    ) -> Result<Keeper, HeldError> {
        let lease = LeaseAsked {
            rig: part(&station, rig.name.as_str())?,
            token,
            holder: holder.to_owned(),
            term: TERM,
        };
        let taking = async {
            let mut door = Connection::open(&station).await?;
            door.say(Frame::new(ONLY, Says::Lease(lease.clone()))).await?;
            let term = door.leased().await?;
            Ok((door, term))
        };
        let silent = |_| HeldError::Silent { station: station.to_string(), within: GRANT };
        let (door, term) = timeout_at(Instant::now() + GRANT, taking).await.map_err(silent)??;
        let (tell_lost, lost) = watch::channel(None);
        let (give_back, given_back) = oneshot::channel();
        tokio::spawn(
            Keeping { door, lease, news, lost: tell_lost, station: station.clone() }.run(term, given_back),
        );
        Ok(Keeper { station, lost, give_back: Some(give_back) })
    }

    async fn give_back(&mut self) -> Result<MadeSafe, String> {
        let lost = || self.lost.borrow().clone().unwrap_or_else(|| "its lease is lost".to_owned());
        let (tell, told) = oneshot::channel();
        let asked = self.give_back.take().is_some_and(|give_back| give_back.send(tell).is_ok());
        if !asked {
            return Err(lost());
        }
        match timeout_at(Instant::now() + RELEASE, told).await {
            Ok(Ok(made)) => made,
            Ok(Err(_)) => Err(lost()),
            Err(_) => Err(format!("it did not say within {RELEASE:?} that its part of the rig is safe")),
        }
    }
}

/// The task that keeps one lease.
struct Keeping {
    door: Connection,
    lease: LeaseAsked,
    news: mpsc::Sender<String>,
    lost: watch::Sender<Option<String>>,
    station: Name,
}

type GivenBack = oneshot::Receiver<oneshot::Sender<Result<MadeSafe, String>>>;

impl Keeping {
    async fn run(mut self, term: Duration, mut given_back: GivenBack) {
        let mut term = term;
        let mut renewed = Instant::now();
        loop {
            let step = tokio::select! {
                heard = self.door.next() => heard.map(Some),
                () = sleep_until(renewed + term / 3) => {
                    renewed = Instant::now();
                    self.door.say(Frame::new(ONLY, Says::Lease(self.lease.clone()))).await.map(|()| None)
                }
                () = sleep_until(renewed + term) => {
                    Err(HeldError::Silent { station: self.station.to_string(), within: term })
                }
                asked = &mut given_back => match asked {
                    Ok(tell) => return drop(tell.send(self.give_back().await)),
                    // The run ended without giving it back: it runs out, and the station makes its part safe.
                    Err(_) => return,
                },
            };
            match step {
                Ok(Some(Says::Leased(Ok(granted)))) => term = granted,
                Ok(Some(Says::MadeSafe(made))) => self.tell(made.to_string()),
                Ok(Some(Says::Leased(Err(fault)) | Says::Close(Some(fault)))) => {
                    return self.lose(fault.reason);
                }
                Ok(_) => {}
                Err(error) => return self.lose(error.to_string()),
            }
        }
    }

    fn tell(&self, words: String) {
        // Whoever records them has gone, or there are more than anybody can record.
        let _ = self.news.try_send(format!("station {}: {words}", self.station));
    }

    fn lose(&self, reason: String) {
        self.tell(format!("the lease of {} is lost: {reason}", self.lease.rig));
        self.lost.send_replace(Some(reason));
    }

    async fn give_back(&mut self) -> Result<MadeSafe, String> {
        let words = |error: HeldError| error.to_string();
        self.door.say(Frame::new(ONLY, Says::Release)).await.map_err(words)?;
        loop {
            match self.door.next().await.map_err(words)? {
                Says::Released(made) => return Ok(made),
                Says::Leased(Err(fault)) | Says::Close(Some(fault)) => return Err(fault.reason),
                _ => {}
            }
        }
    }
}

/// A connection to the controller's door, for one station.
#[derive(Debug)]
struct Connection {
    station: Name,
    stream: UnixStream,
    reader: FrameReader,
}

fn part(station: &Name, name: &str) -> Result<PartName, HeldError> {
    let wrong = |error: proto_lab::attach::PartNameError| HeldError::NoWay {
        station: station.to_string(),
        reason: format!("{name}: {error}"),
    };
    name.parse().map_err(wrong)
}

impl Connection {
    async fn open(station: &Name) -> Result<Self, HeldError> {
        let no_way = |reason: String| HeldError::NoWay { station: station.to_string(), reason };
        let nowhere = "no folder for the controller's door: set HARNESS_STATE to one";
        let door: PathBuf = crate::state::stations_door().ok_or_else(|| no_way(nowhere.to_owned()))?;
        let stream = UnixStream::connect(&door).await.map_err(|error| {
            no_way(format!(
                "no controller on this machine takes stations ({}: {error}); start `harness serve`",
                door.display()
            ))
        })?;
        let mut connection = Self { station: station.clone(), stream, reader: FrameReader::default() };
        let call = Says::Call(part(station, station.as_str())?);
        connection.say(Frame::session(call)).await?;
        Ok(connection)
    }

    async fn say(&mut self, frame: Frame) -> Result<(), HeldError> {
        let written = self.stream.write_all(&to_octets(frame)).await;
        written.map_err(|error| self.gone(&error.to_string()))
    }

    fn gone(&self, reason: &str) -> HeldError {
        let reason = format!("the controller's door broke off: {reason}");
        HeldError::NoWay { station: self.station.to_string(), reason }
    }

    /// What is said next. Cancelled, it loses nothing.
    async fn next(&mut self) -> Result<Says, HeldError> {
        let mut buffer = [0; 4096];
        loop {
            match self.reader.next_frame() {
                Ok(Some(frame)) => return Ok(frame.says),
                Ok(None) => {}
                Err(error) => return Err(self.gone(&error.to_string())),
            }
            match self.stream.read(&mut buffer).await {
                Ok(0) => return Err(self.gone("the controller has ended")),
                Ok(count) => self.reader.push(buffer.get(..count).unwrap_or_default()),
                Err(error) => return Err(self.gone(&error.to_string())),
            }
        }
    }

    async fn leased(&mut self) -> Result<Duration, HeldError> {
        loop {
            match self.next().await? {
                Says::Leased(Ok(term)) => return Ok(term),
                Says::Leased(Err(fault)) | Says::Close(Some(fault)) => return Err(self.refused(fault)),
                _ => {}
            }
        }
    }

    async fn acted(&mut self) -> Result<String, HeldError> {
        loop {
            match self.next().await? {
                Says::Actuated(Ok(done)) => return Ok(done),
                Says::Actuated(Err(fault)) | Says::Close(Some(fault)) => return Err(self.refused(fault)),
                _ => {}
            }
        }
    }

    fn refused(&self, fault: Fault) -> HeldError {
        let (station, reason) = (self.station.to_string(), fault.reason);
        match fault.kind {
            FaultKind::Gone | FaultKind::CannotOpen => HeldError::NoWay { station, reason },
            _ => HeldError::Refused { station, reason },
        }
    }
}
