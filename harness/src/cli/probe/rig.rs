//! `harness probe` of a whole rig: every device, what it says of itself and what its Device Model says, side by side.

use lab_config::{Function, Lab, Rig, RigDevice};
use serde::Serialize;

use super::super::arguments::Probe;
use super::super::say::say;
use super::super::{Exit, Failure, lab, print_json};
use crate::dispatch::{self, Surveyed};
use crate::driver::prove::han::Stranger;
use crate::driver::prove::{Compared, DeviceFound};
use crate::embedded;

pub(super) async fn probe(verb: &Probe) -> Result<Exit, Failure> {
    let declared = lab::open(verb.lab.lab.as_deref())?;
    let name = lab::rig(&declared, &verb.lab)?.name.to_string();
    let (lab, estate) = embedded::bring_up(declared, &name).await.map_err(Failure::lab)?;
    let told = survey(&lab, &name).await;
    estate.stop().await;
    let told = told?;
    match verb.json {
        true => print_json(&told)?,
        false => told.say(),
    }
    Ok(if told.as_declared { Exit::Done } else { Exit::Error })
}

async fn survey(lab: &Lab, name: &str) -> Result<Told, Failure> {
    let rig = lab.rig(name).ok_or_else(|| Failure::input(format!("the lab has no rig {name}")))?;
    let surveyed = dispatch::prove_alone(lab, rig).await.map_err(super::super::run::hinted)?;
    Ok(Told::of(rig, &surveyed))
}

/// What is told of a rig.
#[derive(Debug, Serialize)]
struct Told {
    rig: String,
    combination: String,
    as_declared: bool,
    devices: Vec<DeviceTold>,
    /// On the home area network, and not in the lab file.
    unknown_devices: Vec<StrangerTold>,
}

#[derive(Debug, Serialize)]
struct DeviceTold {
    kind: String,
    eui64: String,
    model: String,
    simulated: bool,
    path: String,
    /// Whether anything answered.
    answers: bool,
    firmware: Option<String>,
    clock_ahead_seconds: Option<f64>,
    compared: Vec<Compared>,
    differences: Vec<String>,
    remarks: Vec<String>,
    /// Facts of the Device Model that this rests on and nobody has verified on a device.
    unverified: Vec<String>,
}

#[derive(Debug, Serialize)]
struct StrangerTold {
    kind: Option<String>,
    eui64: String,
    last_heard: Option<String>,
    /// The Device Model it is like, by manufacturer and model.
    likely_model: Option<String>,
    said: std::collections::BTreeMap<String, String>,
    unread: Option<String>,
}

impl Told {
    fn of(rig: &Rig, surveyed: &Surveyed) -> Self {
        let device = |found: &DeviceFound| Some(DeviceTold::of(rig.device(found.kind)?, found));
        Self {
            rig: rig.name.to_string(),
            combination: rig.combination.id.to_string(),
            as_declared: surveyed.proof.holds(),
            devices: surveyed.proof.devices.iter().filter_map(device).collect(),
            unknown_devices: surveyed.strangers.iter().map(StrangerTold::of).collect(),
        }
    }

    fn say(&self) {
        for device in &self.devices {
            device.say();
        }
        for stranger in &self.unknown_devices {
            stranger.say();
        }
        let outcome =
            if self.as_declared { "is as declared" } else { "is NOT as declared; a run would stop here" };
        say!("rig {} ({}) {outcome}", self.rig, self.combination);
    }
}

impl DeviceTold {
    fn of(device: &RigDevice, found: &DeviceFound) -> Self {
        Self {
            kind: found.kind.to_string(),
            eui64: found.eui64.to_string(),
            model: device.model.id.to_string(),
            simulated: device.simulated,
            path: found.path.to_string(),
            answers: !found.said.is_empty(),
            firmware: found.said(Function::FirmwareVersion).map(str::to_owned),
            clock_ahead_seconds: found.clock_ahead,
            compared: found.compared(device),
            differences: found.differences.iter().map(ToString::to_string).collect(),
            remarks: found.remarks.clone(),
            unverified: unverified(device, found),
        }
    }

    fn say(&self) {
        let state = if self.differences.is_empty() { "as declared" } else { "DIFFERS" };
        let simulated = if self.simulated { ", simulated" } else { "" };
        say!("{:<5} {}  {:<8} {}{simulated}: {state}", self.kind, self.eui64, self.path, self.model);
        if !self.compared.is_empty() {
            say!("        {:<24} {:<26} found", "", "expected");
        }
        for row in &self.compared {
            let mark = if row.differs { "  <-- DIFFERS" } else { "" };
            let expected = row.expected.as_deref().unwrap_or("-");
            say!("        {:<24} {expected:<26} {}{mark}", row.what, row.found);
        }
        self.remarks.iter().for_each(|words| say!("        {words}"));
        if !self.unverified.is_empty() {
            say!("        rests on facts nobody has verified: {}", self.unverified.join("; "));
        }
    }
}

/// The facts of the Device Model by which the device was reached and asked, as far as nobody has verified them.
fn unverified(device: &RigDevice, found: &DeviceFound) -> Vec<String> {
    let asked = |fact: &str| match fact.split_once(" at ") {
        Some((function, _)) => {
            function == Function::Clock.word() || found.said.iter().any(|(of, _)| of.word() == function)
        }
        // Addresses and clients.
        None => fact.starts_with("server") || fact.contains("client") || fact == "endpoint",
    };
    let facts = device.model.facts();
    facts.into_iter().filter(|(fact, verified)| !verified && asked(fact)).map(|(fact, _)| fact).collect()
}

impl StrangerTold {
    fn of(stranger: &Stranger) -> Self {
        Self {
            kind: stranger.contact.kind.map(|kind| kind.to_string()),
            eui64: stranger.contact.eui64.to_string(),
            last_heard: stranger.contact.last.map(|at| at.to_string()),
            likely_model: stranger.likely.as_ref().map(ToString::to_string),
            said: stranger.said.iter().map(|(of, said)| (of.to_string(), said.clone())).collect(),
            unread: stranger.unread.clone(),
        }
    }

    fn say(&self) {
        let kind = self.kind.as_deref().unwrap_or("?");
        let like = match &self.likely_model {
            Some(model) => format!("like {model}"),
            None => "like no Device Model of the lab".to_owned(),
        };
        say!("{kind:<5} {}  on the network of the hub, and NOT in the lab file; {like}", self.eui64);
        self.said.iter().for_each(|(what, said)| say!("        {what:<24} {said}"));
        if let Some(words) = &self.unread {
            say!("        not read: {words}");
        }
        say!("        add it to the rig as [[rig.device]], or make it leave the hub's network");
    }
}
