//! Proving a rig before a run (SVTAD 8.5(c)): every device answers on each of its links, says it is what the Device
//! Model Combination names, and keeps time.

pub mod han;

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{DeviceKind, Eui64, Function, ModelIdentity, Path, Rig, RigDevice};
use proto_zigbee::basic;
use proto_zigbee::zcl::AttributeId;
use tokio::time::Instant;

use super::cluster::HanError;
use super::cosem;
use super::error::{Context, DriverError, DriverErrorKind};
use super::rig::{self, Client, ReachError, RigLinks};
use super::session::Session;
use super::values;
use super::withdraw::withdraw;

/// How far a device's clock may be from ours.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(10);
/// How long proving one device on one path may take at most.
const PER_DEVICE: Duration = Duration::from_secs(20);

/// What was found of a rig.
#[derive(Debug, Clone, PartialEq)]
pub struct RigProof {
    /// The rig.
    pub rig: String,
    /// One entry for each device and path.
    pub devices: Vec<DeviceFound>,
    /// Devices on the home area network that the lab file does not have; each is a difference of the hub's too.
    pub strangers: Vec<han::Contact>,
}

/// What was found of one device on one path.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceFound {
    /// Its kind.
    pub kind: DeviceKind,
    /// Its EUI-64 as the lab file has it.
    pub eui64: Eui64,
    /// The path it was asked on.
    pub path: Path,
    /// What it said of itself, by function; only what was answered.
    pub said: Vec<(Function, String)>,
    /// How far its clock is ahead of ours, in seconds.
    pub clock_ahead: Option<f64>,
    /// What is not as the lab file and the Device Model say. Empty means as it should be.
    pub differences: Vec<Difference>,
    /// What is worth knowing and no difference: a gas meter asleep.
    pub remarks: Vec<String>,
}

/// Something found that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs: a function of the device, its clock, its answer.
    pub what: String,
    /// What should have been found.
    pub expected: String,
    /// What was.
    pub found: String,
}

impl Difference {
    fn new(what: impl ToString, expected: impl ToString, found: impl ToString) -> Difference {
        Difference { what: what.to_string(), expected: expected.to_string(), found: found.to_string() }
    }

    /// The device does not answer as it should.
    #[must_use]
    pub fn answer(found: impl ToString) -> Difference {
        Difference::new("answer", "one that the Device Model describes", found)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.what, self.expected, self.found)
    }
}

impl RigProof {
    /// Whether everything is as the lab file says.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.devices.iter().all(|device| device.differences.is_empty())
    }

    /// Every difference with the device and path it was found on.
    pub fn differences(&self) -> impl Iterator<Item = String> + '_ {
        self.devices.iter().flat_map(|device| {
            device
                .differences
                .iter()
                .map(|words| format!("{} {} on {}: {words}", device.kind, device.eui64, device.path))
        })
    }
}

impl DeviceFound {
    fn of(device: &RigDevice, path: Path) -> DeviceFound {
        DeviceFound {
            kind: device.kind,
            eui64: device.eui64,
            path,
            said: Vec::new(),
            clock_ahead: None,
            differences: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// What the device said for `function`.
    #[must_use]
    pub fn said(&self, function: Function) -> Option<&str> {
        self.said.iter().find(|(of, _)| *of == function).map(|(_, text)| text.as_str())
    }
}

/// Asks every device of the rig on every path it has. Never waits longer than `limit` altogether; what was not asked by
/// then is a difference.
pub async fn prove(links: &RigLinks, limit: Duration) -> RigProof {
    let (rig, end) = (links.rig(), Instant::now() + limit);
    let mut devices = Vec::new();
    for device in rig.devices() {
        for path in paths(rig, device) {
            devices.push(prove_one(links, device, path, end).await);
        }
    }
    let strangers = look_round(links, &mut devices, end).await;
    RigProof { rig: rig.name.to_string(), devices, strangers }
}

/// Holds the home area network against the lab file, once the hub answers at all.
async fn look_round(links: &RigLinks, devices: &mut [DeviceFound], end: Instant) -> Vec<han::Contact> {
    let hub = |found: &&mut DeviceFound| found.kind == DeviceKind::Chf && found.path == Path::Wan;
    if devices.iter_mut().find(hub).is_none_or(|hub| hub.said.is_empty()) {
        return Vec::new();
    }
    match tokio::time::timeout_at(end, han::contacts(links)).await {
        Ok(Some(Ok(contacts))) => return han::compare(devices, links, &contacts),
        // No hub, or a log whose place nobody knows: there is nothing to hold against the lab file.
        Ok(None) => {}
        Ok(Some(Err(error))) => devices.iter_mut().find(hub).into_iter().for_each(|hub| {
            hub.differences.push(Difference::new(
                Function::DeviceLog,
                "a list of devices",
                with_hint(&error),
            ));
        }),
        Err(_) => devices.iter_mut().find(hub).into_iter().for_each(|hub| {
            let words = "nothing in the time a proof may take";
            hub.differences.push(Difference::new(Function::DeviceLog, "a list of devices", words));
        }),
    }
    Vec::new()
}

fn paths(rig: &Rig, device: &RigDevice) -> Vec<Path> {
    let leads = |path: &Path| match path {
        Path::Han => rig.has_han(device.kind),
        _ => rig.route(device.kind, *path).is_some(),
    };
    Path::ALL.iter().copied().filter(leads).collect()
}

async fn prove_one(links: &RigLinks, device: &RigDevice, path: Path, end: Instant) -> DeviceFound {
    let mut found = DeviceFound::of(device, path);
    let until = end.min(Instant::now() + PER_DEVICE);
    let asking = ask(&mut found, links, device, path);
    let result = tokio::time::timeout_at(until, asking).await;
    match result {
        Ok(Ok(())) => {}
        Ok(Err(ReachError::Driver(error))) if sleeps(device, path) && error.is_silence() => {
            found
                .remarks
                .push("asleep on the home area network; its mirror in the hub answers for it".into());
            take_back(links, device, end).await;
        }
        Ok(Err(error)) => found.differences.push(Difference::answer(with_hint(&error))),
        Err(_) => {
            let found_so_far = "not all of it was answered in the time a proof may take";
            found.differences.push(Difference::answer(found_so_far));
        }
    }
    found
}

/// Asks one device on one path, and holds what it says against its Device Model.
///
/// # Errors
/// [`ReachError`]: it does not answer, not before `until`, or does not let anybody in.
pub(crate) async fn look(
    links: &RigLinks,
    device: &RigDevice,
    path: Path,
    until: Instant,
) -> Result<DeviceFound, ReachError> {
    let mut found = DeviceFound::of(device, path);
    let asked = tokio::time::timeout_at(until, ask(&mut found, links, device, path)).await;
    let late = || {
        let kind = DriverErrorKind::NoAnswer("in the time one device may take".into());
        ReachError::from(DriverError::new(kind, Context { peer: rig::words(device), ..Context::default() }))
    };
    asked.unwrap_or_else(|_| Err(late()))?;
    Ok(found)
}

/// What was asked of a device asleep lies at the hub, and nobody waits for the answer. Where it cannot be taken back it does
/// no harm: it only reads.
async fn take_back(links: &RigLinks, device: &RigDevice, end: Instant) {
    let taking = async {
        let hub = links.rig().device(DeviceKind::Chf)?;
        let profile = hub.model.profile.dlms()?;
        let mut session = links.open(hub, Path::Wan, Client::Management).await.ok()?;
        let taken = withdraw(&mut session, profile, device.eui64).await.ok();
        session.close().await;
        taken
    };
    let _ = tokio::time::timeout_at(end, taking).await;
}

/// A gas meter sleeps; its local port answers always.
fn sleeps(device: &RigDevice, path: Path) -> bool {
    device.kind == DeviceKind::Gsme && path == Path::Wan && device.links.contains_key(&Path::Local)
}

fn with_hint(error: &ReachError) -> String {
    match error {
        ReachError::Driver(driver) => format!("{driver}; {}", driver.hint()),
        other => other.to_string(),
    }
}

async fn ask(
    found: &mut DeviceFound,
    links: &RigLinks,
    device: &RigDevice,
    path: Path,
) -> Result<(), ReachError> {
    if path == Path::Han {
        return ask_han(found, links, device).await;
    }
    if rig::speaks_zcl(device) {
        return ask_zcl(found, links, device).await;
    }
    let mut session = links.open(device, path, Client::Management).await?;
    let asked = ask_dlms(found, device, &mut session).await;
    session.close().await;
    asked
}

async fn ask_dlms(
    found: &mut DeviceFound,
    device: &RigDevice,
    session: &mut Session,
) -> Result<(), ReachError> {
    let profile = rig::profile(device)?;
    for function in IDENTITY {
        let Some(object) = profile.object(function) else { continue };
        match session.get(cosem::attribute(object), None).await {
            Ok(data) => {
                found.compare(device, function, values::value(&data, cosem::sign(profile)).to_string())
            }
            Err(error) => found.unanswered(function, error)?,
        }
    }
    if let Some(object) = profile.object(Function::Clock) {
        match session.get(cosem::attribute(object), None).await {
            Ok(data) => {
                let shown = data.as_date_time().and_then(|time| values::utc(time, cosem::sign(profile)));
                found.compare_clock(shown, Timestamp::now());
            }
            Err(error) => found.unanswered(Function::Clock, error)?,
        }
    }
    Ok(())
}

const IDENTITY: [Function; 6] = [
    Function::Identity,
    Function::Manufacturer,
    Function::Model,
    Function::HardwareVersion,
    Function::FirmwareVersion,
    Function::ConfigurationVersion,
];

const BASIC: [(AttributeId, Function); 3] = [
    (basic::MANUFACTURER_NAME, Function::Manufacturer),
    (basic::MODEL_IDENTIFIER, Function::Model),
    (basic::SOFTWARE_BUILD, Function::FirmwareVersion),
];

async fn ask_zcl(found: &mut DeviceFound, links: &RigLinks, device: &RigDevice) -> Result<(), ReachError> {
    let mut reader = links.zcl(device).await?;
    let records = reader.read_basic(&BASIC.map(|(id, _)| id)).await?;
    for (id, function) in BASIC {
        match records.iter().find(|record| record.id == id).map(|record| &record.value) {
            Some(Ok(value)) => found.compare(device, function, shown(value)),
            _ => found.differences.push(Difference::new(
                function,
                "a text",
                format!("nothing at attribute {:04X}", id.0),
            )),
        }
    }
    Ok(())
}

/// What the device says of itself on its home area network, as far as its Device Model says where.
async fn ask_han(found: &mut DeviceFound, links: &RigLinks, device: &RigDevice) -> Result<(), ReachError> {
    let mut han = links.open_han(device).await?;
    for function in IDENTITY {
        match han.function(function).await {
            Ok(Some(reading)) => found.compare(device, function, reading.value.to_string()),
            Ok(None) => {}
            Err(HanError::Cluster { error, .. }) => {
                found.differences.push(Difference::new(function, "an answer", error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// A character string as it reads, anything else as Rust shows it.
fn shown(value: &proto_zigbee::Value) -> String {
    value.as_text().map_or_else(|| format!("{value:?}"), str::to_owned)
}

/// One thing held against the Device Model.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Compared {
    /// What: a function of the device, its clock, its answer.
    pub what: String,
    /// What should be found; none where anything is as it should be.
    pub expected: Option<String>,
    /// What was.
    pub found: String,
    /// Whether it is not as it should be.
    pub differs: bool,
}

impl DeviceFound {
    /// Everything that was held against the Device Model, what is as it should be first.
    #[must_use]
    pub fn compared(&self, device: &RigDevice) -> Vec<Compared> {
        let differs = |what: &str| self.differences.iter().any(|difference| difference.what == what);
        let said =
            self.said.iter().filter(|(function, _)| !differs(function.word())).map(|(function, said)| {
                let own = (*function == Function::Identity).then(|| device.eui64.to_string());
                let expected = expected(&device.model.identity, *function).map(str::to_owned).or(own);
                Compared { what: function.to_string(), expected, found: said.clone(), differs: false }
            });
        let clock = self.clock_ahead.filter(|_| !differs("clock")).map(|ahead| Compared {
            what: "clock".to_owned(),
            expected: Some(format!("within {} s", CLOCK_TOLERANCE.as_secs())),
            found: format!("{ahead:+.1} s"),
            differs: false,
        });
        let differing = self.differences.iter().map(|difference| Compared {
            what: difference.what.clone(),
            expected: Some(difference.expected.clone()),
            found: difference.found.clone(),
            differs: true,
        });
        said.chain(clock).chain(differing).collect()
    }

    /// What the device refuses to say differs, and the rest is asked all the same; a session that broke ends the asking.
    fn unanswered(&mut self, function: Function, error: DriverError) -> Result<(), ReachError> {
        if error.breaks_session() {
            return Err(error.into());
        }
        self.differences.push(Difference::new(function, "an answer", error.kind));
        Ok(())
    }

    fn compare(&mut self, device: &RigDevice, function: Function, said: String) {
        let found = device.identity_as_found();
        match expected(&device.model.identity, function) {
            Some(of_model) if of_model != said && expected(&found, function) == Some(&said) => {
                self.remarks.push(format!("{function} {said}, as the lab file has it found; {of_model} once its SMSO has prepared it"));
            }
            Some(expected) if expected != said => {
                self.differences.push(Difference::new(function, expected, &said));
            }
            None if function == Function::Identity && !names(&said, device.eui64) => {
                self.differences.push(Difference::new(function, device.eui64, &said));
            }
            _ => {}
        }
        self.said.push((function, said));
    }

    fn compare_clock(&mut self, shown: Option<Timestamp>, now: Timestamp) {
        let Some(shown) = shown else {
            return self.differences.push(Difference::new("clock", "a time; set it before a run", "none"));
        };
        let ahead = shown.duration_since(now).as_secs_f64();
        self.clock_ahead = Some(ahead);
        if ahead.abs() > CLOCK_TOLERANCE.as_secs_f64() {
            let way = if ahead > 0.0 { "ahead" } else { "behind" };
            let limit = CLOCK_TOLERANCE.as_secs();
            let by = ahead.abs();
            self.differences.push(Difference::new(
                "clock",
                format!("within {limit} s of {now:.0}"),
                format!("{shown:.0}, {by:.0} s {way}"),
            ));
        }
    }
}

fn expected(model: &ModelIdentity, function: Function) -> Option<&str> {
    let text = match function {
        Function::Manufacturer => &model.manufacturer,
        Function::Model => &model.model,
        Function::HardwareVersion => &model.hardware_version,
        Function::FirmwareVersion => &model.firmware_version,
        Function::ConfigurationVersion => &model.configuration_version,
        _ => return None,
    };
    Some(text.as_str())
}

/// Whether what a device says of itself names this EUI-64: its octets, or its digits with or without hyphens.
fn names(said: &str, eui64: Eui64) -> bool {
    let digits = |text: &str| text.replace('-', "").to_ascii_uppercase();
    digits(said) == digits(&eui64.to_string())
}

#[cfg(test)]
mod tests;
