//! The simulated devices of a lab on real pseudo-terminals and sockets.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use device_sim::{Estate, SimClock};
//! use lab_config::{DeviceKind, Lab};
//!
//! let lab = Lab::embedded()?;
//! let estate = Estate::start(&lab, SimClock::real(), 1).await?;
//! let lab = estate.concrete(lab);
//! estate.hand("rig-1", DeviceKind::Esme)?.press_keys("AB")?;
//! estate.stop().await;
//! # Ok(()) }
//! ```

mod datagrams;
mod device_server;
mod dongle;
mod folder;
mod hand;
mod in_house;
mod line;
mod pace;
mod serial;
mod site;
mod station;
mod strike;
#[cfg(test)]
mod tests;
mod wan;

pub use hand::{DeviceState, Hand, HandError, Pressed};

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use lab_config::contents::Load;
use lab_config::{
    DlmsProfile, DongleUrl, Endpoint, FrameLimits, HdlcSizes, Lab, LinkUrl, LinkUrlError, MaxInfo, Path,
    Quirk, Rig, RigDevice, SignOn, SimulatedNetwork, Transport, Window,
};
use proto_duis::{DeviceKind, Eui64};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::broker::Broker;
use crate::fault::{FaultError, FaultId, FaultPlan, Placed};
use crate::home::{BuildError, Home};
use crate::objects::StateFolder;
use crate::sim_clock::SimClock;
use folder::LinkFolder;
use line::LineSettings;
use serial::Port;
use site::Site;
use station::{BrokerAccess, SimStation};

/// How long stopping waits for the last task.
const STOP: Duration = Duration::from_secs(5);

/// Where a simulated device answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimEndpoint {
    /// The rig.
    pub rig: String,
    /// The device.
    pub kind: DeviceKind,
    /// Its EUI-64.
    pub eui64: Eui64,
    /// The path this link is.
    pub path: Path,
    /// The concrete link, with everything the lab file said of the simulated one.
    pub link: LinkUrl,
}

/// Where the simulated dongle of a rig answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimDongle {
    /// The rig.
    pub rig: String,
    /// Its EUI-64.
    pub eui64: Eui64,
    /// Its line.
    pub url: DongleUrl,
}

/// A fault of a rig, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ArmedFault {
    /// What it is cleared by.
    pub number: u32,
    /// The fault, in the grammar of faults.
    pub fault: String,
    /// `waiting`, `striking` or `over`.
    pub state: &'static str,
    /// How many frames it struck.
    pub struck: u32,
}

/// Why the devices of a lab cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing to start.
    #[error(
        "no link of this lab is simulated; write `sim:` where a device is to be simulated, such as links.wan = \"sim:\""
    )]
    NothingSimulated,
    /// A device cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A path no simulated device of the kind has.
    #[error(
        "rig {rig}: a simulated {kind} has no {path} link; simulated are: wan of a CHF, optical of an ESME, local of a GSME"
    )]
    Path {
        /// The rig.
        rig: String,
        /// The device.
        kind: DeviceKind,
        /// The path.
        path: Path,
    },
    /// A port cannot be opened.
    #[error("rig {rig}, {kind}: cannot open its {path} link: {error}")]
    Port {
        /// The rig.
        rig: String,
        /// The device.
        kind: DeviceKind,
        /// The path.
        path: Path,
        /// Why.
        error: io::Error,
    },
    /// The port of a dongle cannot be opened.
    #[error("rig {rig}: cannot open the line of its dongle: {error}")]
    Dongle {
        /// The rig.
        rig: String,
        /// Why.
        error: io::Error,
    },
    /// A pseudo-terminal whose name is no link URL.
    #[error(
        "rig {rig}, {kind}: {name} cannot stand in a link URL: {error}; set TMPDIR to a folder without blanks"
    )]
    Name {
        /// The rig.
        rig: String,
        /// The device.
        kind: DeviceKind,
        /// The name.
        name: String,
        /// Why.
        error: LinkUrlError,
    },
    /// The broker of the simulated stations.
    #[error("the broker of the lab's stations: {0}")]
    Broker(String),
    /// The building of a device did not end.
    #[error("rig {rig}: building its devices was cut short")]
    CutShort {
        /// The rig.
        rig: String,
    },
}

/// The simulated devices of a lab. Dropped, they stop; [`Estate::stop`] waits until they have.
pub struct Estate {
    sites: BTreeMap<String, Arc<Site>>,
    endpoints: Vec<SimEndpoint>,
    /// How each serial port is, for whoever serves it in another way too.
    lines: BTreeMap<(String, DeviceKind, Path), LineSettings>,
    dongles: Vec<SimDongle>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// The embedded broker, when the lab has one.
    broker: Option<Broker>,
    /// Holds the names of the pseudo-terminals; removed with the estate.
    _folder: Arc<LinkFolder>,
}

impl Estate {
    /// Starts every simulated device of every rig: those with a `sim:` link, and those without a link behind one
    /// of them. The seed fixes what the households consume. Needs a Tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] naming rig and device; nothing is left running then.
    pub async fn start(lab: &Lab, clock: SimClock, seed: u64) -> Result<Self, StartError> {
        Self::start_keeping(lab, clock, seed, &StateFolder::none()).await
    }

    /// The same, keeping in `state` what devices must not lose by a restart: invocation counters.
    ///
    /// # Errors
    /// As [`Estate::start`], or the state cannot be read.
    pub async fn start_keeping(
        lab: &Lab,
        clock: SimClock,
        seed: u64,
        state: &StateFolder,
    ) -> Result<Self, StartError> {
        let folder = Arc::new(LinkFolder::make().map_err(|error| first_port_error(lab, error))?);
        let mut estate = Self {
            sites: BTreeMap::new(),
            endpoints: Vec::new(),
            lines: BTreeMap::new(),
            dongles: Vec::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            broker: None,
            _folder: folder.clone(),
        };
        for rig in lab.rigs.iter().filter(|rig| rig.is_simulated()) {
            estate.start_rig(rig, &clock, (seed, state), &folder).await?;
        }
        estate.start_stations(lab).await?;
        if estate.sites.is_empty() {
            return Err(StartError::NothingSimulated);
        }
        Ok(estate)
    }

    /// Where the simulated devices answer.
    pub fn endpoints(&self) -> &[SimEndpoint] {
        &self.endpoints
    }

    /// Where the embedded broker of the lab's stations listens, when it has one.
    pub fn broker(&self) -> Option<std::net::SocketAddr> {
        self.broker.as_ref().map(Broker::address)
    }

    /// Where the simulated dongles answer.
    pub fn dongles(&self) -> &[SimDongle] {
        &self.dongles
    }

    /// The simulated devices that have no link of their own, with the device that carries their traffic.
    pub fn carried<'l>(&self, lab: &'l Lab) -> impl Iterator<Item = (&'l Rig, &'l RigDevice, DeviceKind)> {
        let rigs: Vec<&Rig> =
            lab.rigs.iter().filter(|rig| self.sites.contains_key(rig.name.as_str())).collect();
        rigs.into_iter().flat_map(|rig| {
            let simulated = rig.devices().filter(move |device| crate::home::is_simulated(rig, device));
            simulated.filter_map(move |device| Some((rig, device, device.via?)))
        })
    }

    /// The same lab with these endpoints in place of the simulated links.
    #[must_use]
    pub fn concrete(&self, lab: Lab) -> Lab {
        let lab = match &self.broker {
            Some(broker) => lab.with_broker_at(broker.address()),
            None => lab,
        };
        let lab =
            self.dongles.iter().fold(lab, |lab, dongle| lab.with_dongle(&dongle.rig, dongle.url.clone()));
        self.endpoints.iter().fold(lab, |lab, endpoint| {
            lab.with_link(&endpoint.rig, endpoint.kind, endpoint.path, endpoint.link.clone())
        })
    }

    /// The hand at a device.
    ///
    /// # Errors
    /// No such rig or device is simulated.
    pub fn hand(&self, rig: &str, kind: DeviceKind) -> Result<Hand, HandError> {
        let site = self.site(rig)?;
        if !site.with(|home| home.has(kind)) {
            return Err(HandError::Device { rig: rig.to_owned(), kind });
        }
        Ok(Hand::new(site.clone(), kind))
    }

    /// Loads what a test data set says into the simulated devices of a rig: into all of them, or into none.
    ///
    /// # Errors
    /// No such rig, or what a device has no room for.
    pub fn load(&self, rig: &str, loads: &[Load]) -> Result<(), HandError> {
        let site = self.site(rig)?.clone();
        // Which of its devices the hand is at makes no difference to a load.
        Hand::new(site, DeviceKind::Chf).load(loads)
    }

    /// Brings a fault about, now or when its time comes; where the fault names no rig, at the only one.
    ///
    /// # Errors
    /// No such rig or device, a fault the device cannot have, or too many of them.
    pub fn arm(&self, placed: &Placed) -> Result<(String, FaultId), FaultError> {
        let rig = self.the_rig(placed.rig.as_ref())?;
        let id = self.hand(&rig, placed.device)?.arm(placed)?;
        Ok((rig, id))
    }

    /// Brings the faults of a plan about.
    ///
    /// # Errors
    /// As [`Estate::arm`], with the fault it is of.
    pub fn arm_all(&self, plan: &FaultPlan) -> Result<(), Box<(Placed, FaultError)>> {
        self.sites.values().for_each(|site| site.with_faults(|board| board.reseed(plan.seed)));
        plan.faults.iter().try_for_each(|placed| match self.arm(placed) {
            Ok(_) => Ok(()),
            Err(error) => Err(Box::new((placed.clone(), error))),
        })
    }

    /// The rig of this name, or the only one.
    ///
    /// # Errors
    /// [`FaultError::WhichRig`], where there are several and none is named.
    pub fn the_rig(&self, named: Option<&lab_config::Name>) -> Result<String, FaultError> {
        if let Some(rig) = named {
            return Ok(rig.to_string());
        }
        let mut rigs = self.sites.keys();
        match (rigs.next(), rigs.next()) {
            (Some(only), None) => Ok(only.clone()),
            (first, _) => Err(FaultError::WhichRig {
                known: self.sites.keys().cloned().collect::<Vec<_>>().join(", "),
                first: first.cloned().unwrap_or_default(),
            }),
        }
    }

    /// Every simulated device, with its rig.
    pub fn devices(&self) -> Vec<(&str, DeviceKind)> {
        let of = |site: &Site| -> Vec<DeviceKind> {
            site.with(|home| DeviceKind::ALL.iter().copied().filter(|kind| home.has(*kind)).collect())
        };
        let rigs = self.sites.iter().map(|(name, site)| (name.as_str(), of(site)));
        rigs.flat_map(|(name, kinds)| kinds.into_iter().map(move |kind| (name, kind))).collect()
    }

    /// Clears one fault of a rig, or all of them; what they did to devices is undone. How many there were.
    ///
    /// # Errors
    /// No such rig.
    pub fn clear(&self, rig: &str, which: Option<FaultId>) -> Result<usize, HandError> {
        Ok(self.site(rig)?.with_faults(|board| match which {
            Some(id) => usize::from(board.clear(id)),
            None => {
                let count = board.armed().count();
                board.clear_all();
                count
            }
        }))
    }

    /// The faults of a rig that were armed and not cleared: number, text, state, and how many frames each struck.
    ///
    /// # Errors
    /// No such rig.
    pub fn faults(&self, rig: &str) -> Result<Vec<ArmedFault>, HandError> {
        let told = |(id, armed): (FaultId, &crate::fault::Armed)| ArmedFault {
            number: id.0,
            fault: armed.placed().to_string(),
            state: armed.state(),
            struck: armed.struck(),
        };
        Ok(self.site(rig)?.with_faults(|board| board.armed().map(told).collect()))
    }

    fn site(&self, rig: &str) -> Result<&Arc<Site>, HandError> {
        self.sites.get(rig).ok_or_else(|| HandError::Rig {
            rig: rig.to_owned(),
            known: self.sites.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    /// Puts a serial device server before a local port: the port is reached over TCP as well, HDLC without a wrapper,
    /// by one client at a time. A port that begins with a sign-on wants one here too, which no `tcp+hdlc` link makes.
    ///
    /// # Errors
    /// No such rig or port, or no socket to be had.
    pub async fn serve_over_tcp(
        &self,
        rig: &str,
        kind: DeviceKind,
        path: Path,
    ) -> Result<LinkUrl, StartError> {
        let missing = || StartError::Path { rig: rig.to_owned(), kind, path };
        let site = self.sites.get(rig).ok_or_else(missing)?.clone();
        let settings = self.lines.get(&(rig.to_owned(), kind, path)).ok_or_else(missing)?.clone();
        let failed = |error| StartError::Port { rig: rig.to_owned(), kind, path, error };
        let (listener, address) = device_server::bind().await.map_err(failed)?;
        let name = || format!("tcp+hdlc://{address}");
        self.tasks.spawn(device_server::serve(site, listener, settings, self.stop.clone()));
        name().parse().map_err(|error| StartError::Name { rig: rig.to_owned(), kind, name: name(), error })
    }

    /// Stops every device and closes every port.
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(STOP, self.tasks.wait()).await.is_err() {
            tracing::warn!("some simulated devices did not stop within {} s", STOP.as_secs());
        }
        if let Some(broker) = self.broker.take() {
            broker.stop().await;
        }
    }

    async fn start_rig(
        &mut self,
        rig: &Rig,
        clock: &SimClock,
        (seed, state): (u64, &StateFolder),
        folder: &Arc<LinkFolder>,
    ) -> Result<(), StartError> {
        let name = rig.name.to_string();
        let home = build(rig.clone(), clock.clone(), seed, state.clone()).await?;
        let links: Vec<(&RigDevice, Path, &LinkUrl)> = simulated_links(rig).collect();
        let ports: Vec<(DeviceKind, Path)> =
            links.iter().map(|(device, path, _)| (device.kind, *path)).collect();
        let site = Arc::new(Site::new(name.clone(), clock.clone(), home, &ports, seed));
        for (device, path, url) in links {
            let link = self.start_port(&site, device, path, url, folder).await?;
            self.endpoints.push(SimEndpoint {
                rig: name.clone(),
                kind: device.kind,
                eui64: device.eui64,
                path,
                link,
            });
        }
        if let Some(DongleUrl::Simulated(network)) = &rig.dongle {
            let dongle = self.start_dongle(&site, folder, *network)?;
            self.dongles.push(dongle);
        }
        let (pacer, stop) = (site.clone(), self.stop.clone());
        self.tasks.spawn(async move { pacer.pace(stop).await });
        self.sites.insert(name, site);
        Ok(())
    }

    /// Brings up the broker if it is embedded, and every simulated station beside simulated devices.
    async fn start_stations(&mut self, lab: &Lab) -> Result<(), StartError> {
        let Some(declared) = &lab.broker else { return Ok(()) };
        let mut access = BrokerAccess::of(declared).map_err(StartError::Broker)?;
        if declared.is_embedded() {
            let (user, password) = access.login.clone().unwrap_or_default();
            let started = Broker::start(0, &user, password.as_bytes()).await;
            let broker = started.map_err(|error| StartError::Broker(error.to_string()))?;
            access = BrokerAccess {
                host: broker.address().ip().to_string(),
                port: broker.address().port(),
                ..access
            };
            self.broker = Some(broker);
        }
        for rig in &lab.rigs {
            let Some(site) = self.sites.get(rig.name.as_str()) else { continue };
            for station in rig.stations.iter().filter(|station| station.simulated) {
                let station = SimStation::new(site.clone(), station.clone());
                self.tasks.spawn(station.serve(access.clone(), self.stop.clone()));
            }
        }
        Ok(())
    }

    /// Opens the line of a rig's dongle and sets a task to serve it.
    fn start_dongle(
        &self,
        site: &Arc<Site>,
        folder: &Arc<LinkFolder>,
        network: SimulatedNetwork,
    ) -> Result<SimDongle, StartError> {
        let rig = site.name.clone();
        let file = folder.path().join(format!("{rig}-dongle"));
        let failed = |error| StartError::Dongle { rig: rig.clone(), error };
        let port = Port::open(&file).map_err(failed)?;
        let name = file.display().to_string();
        let url = DongleUrl::pseudo_terminal(&name)
            .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
        let identity = dongle::identity(&rig);
        let eui64 = identity.eui64.0.into();
        let (site, stop, folder) = (site.clone(), self.stop.clone(), folder.clone());
        self.tasks.spawn(async move {
            dongle::serve(site, port, (identity, network), stop).await;
            drop(folder);
        });
        Ok(SimDongle { rig, eui64, url })
    }

    /// Opens one port and sets a task to serve it; the concrete link.
    async fn start_port(
        &mut self,
        site: &Arc<Site>,
        device: &RigDevice,
        path: Path,
        url: &LinkUrl,
        folder: &Arc<LinkFolder>,
    ) -> Result<LinkUrl, StartError> {
        let (rig, kind) = (site.name.clone(), device.kind);
        let failed = |error| StartError::Port { rig: rig.clone(), kind, path, error };
        let missing = || StartError::Path { rig: rig.clone(), kind, path };
        let (site, stop) = (site.clone(), self.stop.clone());
        let plugged = site.port(kind, path).ok_or_else(missing)?;
        match (kind, path) {
            (DeviceKind::Chf, Path::Wan) => {
                let (listener, socket) = wan::bind().await.map_err(failed)?;
                let address = listener.local_addr().map_err(failed)?;
                let tasks = self.tasks.clone();
                self.tasks.spawn(datagrams::serve(site.clone(), socket, plugged.clone(), stop.clone()));
                self.tasks.spawn(wan::serve(site, listener, plugged, stop, tasks));
                let link = match url.transport() {
                    Transport::Tcp => LinkUrl::tcp(address),
                    Transport::Udp => LinkUrl::udp(address),
                };
                Ok(url.at(link.endpoint))
            }
            (DeviceKind::Esme, Path::Optical) | (DeviceKind::Gsme, Path::Local) => {
                let file = folder.path().join(format!("{rig}-{kind}-{path}"));
                let settings = line_settings(device, path, url);
                self.lines.insert((rig.clone(), kind, path), settings.clone());
                let link = serial_link(&rig, kind, url, &file)?;
                let port = Port::open(&file).map_err(failed)?;
                let folder = folder.clone();
                self.tasks.spawn(async move {
                    serial::serve(site, port, settings, plugged, stop).await;
                    drop(folder);
                });
                Ok(link)
            }
            _ => Err(missing()),
        }
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Off the runtime's threads: a month of half hours takes a moment.
async fn build(rig: Rig, clock: SimClock, seed: u64, state: StateFolder) -> Result<Home, StartError> {
    let name = rig.name.to_string();
    let keeping = move || Home::build_keeping(&rig, clock.now(), seed, &state);
    let built = tokio::task::spawn_blocking(keeping).await;
    Ok(built.map_err(|_| StartError::CutShort { rig: name })??)
}

fn simulated_links(rig: &Rig) -> impl Iterator<Item = (&RigDevice, Path, &LinkUrl)> {
    rig.devices().flat_map(|device| {
        let simulated = device.links.iter().filter(|(_, url)| url.is_simulated());
        simulated.map(move |(path, url)| (device, *path, url))
    })
}

fn line_settings(device: &RigDevice, path: Path, url: &LinkUrl) -> LineSettings {
    let profile = device.model.profile.dlms();
    let server = profile.map(|profile| profile.server.value);
    let particulars = profile.map(|profile| profile.particulars.clone()).unwrap_or_default();
    let firmware = device.model.identity.firmware_version.as_str();
    let signs_on = url.sign_on() != SignOn::None;
    LineSettings {
        kind: device.kind,
        path,
        logical: logical_devices(profile),
        physical: url.addressing.physical.or(server.and_then(|server| server.physical)),
        address_size: line::address_size(&url.addressing, server),
        identification: signs_on.then(|| line::identification(firmware, &particulars)),
        frames: frames(url, particulars.frames.map(|fact| fact.value)),
        echoes: particulars.has(Quirk::EchoingHead),
        delay: Duration::from_millis(particulars.answer_delay.map_or(0, |fact| fact.value).into()),
        baud: match signs_on {
            true => url.line.sign_on_baud.unwrap_or(LinkUrl::SIGN_ON_BAUD),
            false => url.baud(),
        },
        paced: url.is_paced(),
    }
}

/// What the lab file says the meter's frames may be, else the Device Model.
fn frames(url: &LinkUrl, model: Option<FrameLimits>) -> Option<FrameLimits> {
    let HdlcSizes { window, max_info } = url.hdlc;
    if window.is_none() && max_info.is_none() {
        return model;
    }
    Some(FrameLimits {
        max_information: max_info.or(model.map(|model| model.max_information)).unwrap_or(MaxInfo::DEFAULT),
        window: window.or(model.map(|model| model.window)).unwrap_or(Window::ONE),
    })
}

/// The logical devices behind a port: the one spoken to, and an application one where the Device Model has it.
fn logical_devices(profile: Option<&DlmsProfile>) -> Vec<u16> {
    let Some(profile) = profile else { return vec![1] };
    std::iter::once(profile.server.value.logical)
        .chain(profile.application_device.map(|fact| fact.value))
        .collect()
}

/// The simulated link with the pseudo-terminal's name in it.
fn serial_link(
    rig: &str,
    kind: DeviceKind,
    url: &LinkUrl,
    file: &std::path::Path,
) -> Result<LinkUrl, StartError> {
    let name = file.display().to_string();
    let endpoint = format!("serial://{name}").parse::<LinkUrl>().map(|link| link.endpoint);
    match endpoint {
        Ok(endpoint @ Endpoint::Serial(_)) => Ok(url.at(endpoint)),
        Ok(_) => Ok(url.clone()),
        Err(error) => Err(StartError::Name { rig: rig.to_owned(), kind, name, error }),
    }
}

/// The error of the folder all ports share, told of the first simulated device.
fn first_port_error(lab: &Lab, error: io::Error) -> StartError {
    let first = lab.rigs.iter().flat_map(simulated_links).next();
    match first.map(|(device, path, _)| (device.kind, path)) {
        Some((kind, path)) => {
            let rig = lab.rigs.first().map_or_else(String::new, |rig| rig.name.to_string());
            StartError::Port { rig, kind, path, error }
        }
        None => StartError::NothingSimulated,
    }
}
