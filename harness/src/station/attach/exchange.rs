//! The controller's side: stations attach here, and programs of this machine find them here.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use proto_lab::attach::{Frame, Hello, MadeSafe, PartName, Says, Station, StationFrame};
use proto_lab::record::ActorName;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Request, Response, Status, Streaming};

use super::door;
use super::session::{AtDoor, Session};

/// How long a station may take for its hello.
const HELLO: Duration = Duration::from_secs(10);
/// Frames that may wait for gRPC to take them.
const OUTBOUND: usize = 8;
/// What programs at the door said that may wait for a station's session.
const FROM_DOORS: usize = 64;
/// Stations attached at a time.
const STATIONS: usize = 64;

/// The longest path of a socket, in octets (`sun_path` of Linux, without its last zero).
const LONGEST_PATH: usize = 107;

/// The name in the certificate that a station showed; whoever mounts the exchange puts it into a request's extensions. Where
/// it is absent nobody is asked for certificates, and a station has the name it gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertifiedName(pub ActorName);

/// Something that came to pass with a station, for the lab's book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StationEvent {
    /// A station attached itself.
    Attached {
        /// The station.
        station: String,
        /// What it is and offers, in words.
        about: String,
        /// The names of its ports and actuators.
        offers: Vec<String>,
    },
    /// A station is no longer attached.
    Lost {
        /// The station.
        station: String,
        /// Why.
        reason: String,
    },
    /// A station brought its part of a rig to its safe state by itself.
    MadeSafe {
        /// The station.
        station: String,
        /// What it says of it.
        made: MadeSafe,
    },
}

impl fmt::Display for StationEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attached { station, about, .. } => write!(f, "station {station} attached: {about}"),
            Self::Lost { station, reason } => write!(f, "station {station} is lost: {reason}"),
            Self::MadeSafe { station, made } => write!(f, "station {station}: {made}"),
        }
    }
}

/// Whoever keeps what came to pass with stations.
pub trait StationLog: Send + Sync {
    /// Takes note of it. Must not wait for anything long.
    fn note(&self, event: &StationEvent);
}

/// Keeps nothing but the program's own log.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoStationLog;

impl StationLog for NoStationLog {
    fn note(&self, event: &StationEvent) {
        tracing::info!("{event}");
    }
}

/// There is no door for programs of this machine.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The environment names no state folder.
    #[error("no folder for the door of the stations: set HARNESS_STATE to one")]
    Nowhere,
    /// The system takes no socket of so long a path.
    #[error("{}: a socket's path of {} octets; the system takes at most {LONGEST_PATH}", path.display(), path.as_os_str().len())]
    Long {
        /// The socket.
        path: PathBuf,
    },
    /// Another controller has it.
    #[error("another controller on this machine takes stations already: {0} answers")]
    Taken(PathBuf),
    /// The socket cannot be made.
    #[error("{path}: {source}")]
    Io {
        /// The socket.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Where stations and programs meet. Clones are the same; when the last is dropped, the door closes and stations are let go.
#[derive(Clone)]
pub struct Exchange {
    shared: Arc<Shared>,
    _open: Arc<DropGuard>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

pub(super) struct Shared {
    attached: Mutex<BTreeMap<PartName, Attached>>,
    log: Arc<dyn StationLog>,
    closed: CancellationToken,
}

/// A station that is attached, or why it is not any more.
enum Attached {
    Now(mpsc::Sender<AtDoor>),
    NoMore(String),
}

impl Exchange {
    /// Opens the door in the state folder.
    ///
    /// # Errors
    /// [`ExchangeError`].
    pub async fn open(log: Arc<dyn StationLog>) -> Result<Self, ExchangeError> {
        let door = crate::state::stations_door().ok_or(ExchangeError::Nowhere)?;
        Self::open_at(&door, log).await
    }

    /// Opens the door at this path.
    ///
    /// # Errors
    /// [`ExchangeError`].
    pub async fn open_at(door: &Path, log: Arc<dyn StationLog>) -> Result<Self, ExchangeError> {
        let listener = bind(door).await?;
        let closed = CancellationToken::new();
        let shared = Arc::new(Shared { attached: Mutex::new(BTreeMap::new()), log, closed: closed.clone() });
        tokio::spawn(door::serve(listener, Arc::clone(&shared), closed.clone()));
        Ok(Self { shared, _open: Arc::new(closed.drop_guard()) })
    }

    /// The stations attached now.
    pub fn stations(&self) -> Vec<String> {
        let attached = self.shared.attached();
        let now = attached.iter().filter(|(_, attached)| matches!(attached, Attached::Now(_)));
        now.map(|(name, _)| name.to_string()).collect()
    }
}

/// A socket that nobody listens at is a dead controller's, and is taken over.
async fn bind(door: &Path) -> Result<UnixListener, ExchangeError> {
    if door.as_os_str().len() > LONGEST_PATH {
        return Err(ExchangeError::Long { path: door.to_owned() });
    }
    let io = |source| ExchangeError::Io { path: door.to_owned(), source };
    if UnixStream::connect(door).await.is_ok() {
        return Err(ExchangeError::Taken(door.to_owned()));
    }
    if let Some(folder) = door.parent() {
        std::fs::create_dir_all(folder).map_err(io)?;
    }
    match std::fs::remove_file(door) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let listener = UnixListener::bind(door).map_err(io)?;
    own(door).map_err(io)?;
    Ok(listener)
}

/// Nobody but this user comes to the door.
fn own(door: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(door, std::fs::Permissions::from_mode(0o600))
}

impl Shared {
    fn attached(&self) -> MutexGuard<'_, BTreeMap<PartName, Attached>> {
        self.attached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session of a station.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(super) fn session(&self, station: &PartName) -> Result<mpsc::Sender<AtDoor>, String> {
        let attached = self.attached();
        match attached.get(station) {
            Some(Attached::Now(session)) => Ok(session.clone()),
            Some(Attached::NoMore(reason)) => Err(format!("station {station} is lost: {reason}")),
            None => {
                let names: Vec<&str> = attached.keys().map(PartName::as_str).collect();
                let known = match names.is_empty() {
                    true => "no station has attached itself yet".to_owned(),
                    false => format!("known are {}", names.join(", ")),
                };
                Err(format!("station {station} is not attached to the controller ({known})"))
            }
        }
    }

    pub(super) fn note(&self, event: &StationEvent) {
        self.log.note(event);
    }

    /// The station is attached no more.
    fn lost(&self, station: PartName, reason: String) {
        self.note(&StationEvent::Lost { station: station.to_string(), reason: reason.clone() });
        self.attached().insert(station, Attached::NoMore(reason));
    }

    /// Takes the station's name; a name is one station's at a time.
    fn attach(&self, hello: &Hello) -> Result<mpsc::Receiver<AtDoor>, Status> {
        let (session, at_doors) = mpsc::channel(FROM_DOORS);
        let mut attached = self.attached();
        let now = |attached: &&Attached| matches!(attached, Attached::Now(session) if !session.is_closed());
        if attached.get(&hello.station).as_ref().is_some_and(now) {
            let words = format!("a station {} is attached already; names are one station's", hello.station);
            return Err(Status::already_exists(words));
        }
        if attached.values().filter(now).count() >= STATIONS {
            return Err(Status::resource_exhausted(format!("{STATIONS} stations are attached already")));
        }
        // Names of stations long gone are not kept for ever.
        attached.retain(|name, other| now(&&*other) || *name == hello.station);
        attached.insert(hello.station.clone(), Attached::Now(session));
        Ok(at_doors)
    }
}

fn in_words(hello: &Hello) -> String {
    let names = |offered: &[proto_lab::attach::Offered]| {
        offered.iter().map(|o| format!("{} ({})", o.name, o.rig)).collect::<Vec<_>>().join(", ")
    };
    let all = [("ports", &hello.ports), ("actuators", &hello.actuators)];
    let all = all.into_iter().filter(|(_, offered)| !offered.is_empty());
    let offers: Vec<String> = all.map(|(what, offered)| format!("{what} {}", names(offered))).collect();
    format!("{}; {}", hello.about, offers.join("; "))
}

#[tonic::async_trait]
impl Station for Exchange {
    type AttachStream = ReceiverStream<Result<StationFrame, Status>>;

    async fn attach(
        &self,
        request: Request<Streaming<StationFrame>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let certified = request.extensions().get::<CertifiedName>().cloned();
        let mut inbound = request.into_inner();
        let hello = hello(&mut inbound).await?;
        is_named(&hello, certified.as_ref())?;
        let at_doors = self.shared.attach(&hello)?;
        let (outbound, stream) = mpsc::channel(OUTBOUND);
        let station = hello.station.clone();
        let offered = hello.ports.iter().chain(&hello.actuators);
        let offers = offered.map(|offered| offered.name.to_string()).collect();
        let (named, about) = (station.to_string(), in_words(&hello));
        self.shared.note(&StationEvent::Attached { station: named, about, offers });
        for made in hello.made_safe {
            self.shared.note(&StationEvent::MadeSafe { station: station.to_string(), made });
        }
        let shared = Arc::clone(&self.shared);
        let session = Session::new(station.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let closed = shared.closed.clone();
            let reason = tokio::select! {
                reason = session.run(inbound, outbound, at_doors) => reason,
                () = closed.cancelled() => "the controller ends".to_owned(),
            };
            shared.lost(station, reason);
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// A station is who its certificate says it is.
#[allow(clippy::result_large_err, reason = "what every method of a service returns")]
fn is_named(hello: &Hello, certified: Option<&CertifiedName>) -> Result<(), Status> {
    match certified {
        Some(CertifiedName(name)) if name.as_str() != hello.station.as_str() => {
            let words = format!(
                "it says it is station {}, and its certificate is for {name}: `name` of its offer file must be that of \
                 its certificate",
                hello.station
            );
            Err(Status::permission_denied(words))
        }
        _ => Ok(()),
    }
}

async fn hello(inbound: &mut Streaming<StationFrame>) -> Result<Hello, Status> {
    let late = |_| Status::deadline_exceeded(format!("no hello within {HELLO:?}"));
    let first = timeout(HELLO, inbound.message()).await.map_err(late)??;
    let first = first.ok_or_else(|| Status::invalid_argument("no hello"))?;
    let frame = Frame::try_from(first).map_err(|error| Status::invalid_argument(error.to_string()))?;
    match frame.says {
        Says::Hello(hello) => Ok(hello),
        _ => Err(Status::invalid_argument("the first frame of a station is its hello")),
    }
}
