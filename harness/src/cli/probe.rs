//! `harness probe`: is the rig what the lab file says; or, on one link, what meter is this.

use std::time::Duration;

use lab_config::SignOn;
use serde::Serialize;

use super::arguments::Probe;
use super::say::{say, say_text};
use super::{Exit, Failure, access, lab, print_json, read};
use crate::dispatch;
use crate::driver::line::{LineFound, find_line};
use crate::driver::meet::{self, MeterFound};
use crate::driver::prove::{DeviceFound, RigProof};
use crate::embedded;

/// How long meeting an unknown meter may take: six clients, each silent for its patience, over a slow sign-on.
const MEETING: Duration = Duration::from_secs(60);

pub(super) async fn probe(verb: &Probe) -> Result<Exit, Failure> {
    match &verb.link {
        Some(link) => meter(verb, link).await,
        None => rig(verb).await,
    }
}

async fn meter(verb: &Probe, link: &str) -> Result<Exit, Failure> {
    let mut url = access::link(link, &verb.access)?;
    let password = access::password(&verb.access)?;
    let tap = read::tap(verb.capture.as_deref())?;
    let mut line = None;
    if url.sign_on() == SignOn::Auto {
        let access = access::access(&url, None, None);
        let found = find_line("probe", &url, &access, tap.clone()).await.map_err(read::driver)?;
        url = found.url.clone();
        line = Some(found);
    }
    if line.is_some() && url.sign_on() == SignOn::ModeC {
        // Nothing more can be asked of it than to read itself out.
        return say_met(verb.json, &Met { line, meter: None }).map(|()| Exit::Done);
    }
    let met = meet::meet("probe", &url, password, tap, MEETING).await.map_err(read::driver)?;
    let is_met = met.is_met();
    say_met(verb.json, &Met { line, meter: Some(met) })?;
    Ok(if is_met { Exit::Done } else { Exit::Error })
}

/// How the line begins, where that was to be found out, and the meter on it.
#[derive(Debug, Serialize)]
struct Met {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<LineFound>,
    #[serde(flatten)]
    meter: Option<MeterFound>,
}

fn say_met(json: bool, met: &Met) -> Result<(), Failure> {
    if json {
        return print_json(met);
    }
    met.line.iter().for_each(|line| say_text!("{line}"));
    met.meter.iter().for_each(|meter| say_text!("{meter}"));
    Ok(())
}

async fn rig(verb: &Probe) -> Result<Exit, Failure> {
    let lab = lab::open(verb.lab.lab.as_deref())?;
    let name = lab::rig(&lab, &verb.lab)?.name.to_string();
    let (lab, estate) = embedded::bring_up(lab, &name).await.map_err(Failure::lab)?;
    let proof = match lab.rig(&name) {
        Some(rig) => dispatch::prove_alone(&lab, rig).await.map_err(Failure::lab)?,
        None => return Err(Failure::input(format!("the lab has no rig {name}"))),
    };
    estate.stop().await;
    say(&proof, verb.json)?;
    Ok(if proof.holds() { Exit::Done } else { Exit::Error })
}

#[derive(Debug, Serialize)]
struct Told {
    rig: String,
    as_declared: bool,
    devices: Vec<DeviceTold>,
}

#[derive(Debug, Serialize)]
struct DeviceTold {
    kind: String,
    eui64: String,
    path: String,
    firmware: Option<String>,
    clock_ahead_seconds: Option<f64>,
    differences: Vec<String>,
    remarks: Vec<String>,
}

impl DeviceTold {
    fn of(found: &DeviceFound) -> Self {
        Self {
            kind: found.kind.to_string(),
            eui64: found.eui64.to_string(),
            path: found.path.to_string(),
            firmware: found.said(lab_config::Function::FirmwareVersion).map(str::to_owned),
            clock_ahead_seconds: found.clock_ahead,
            differences: found.differences.iter().map(ToString::to_string).collect(),
            remarks: found.remarks.clone(),
        }
    }
}

fn say(proof: &RigProof, json: bool) -> Result<(), Failure> {
    let devices: Vec<DeviceTold> = proof.devices.iter().map(DeviceTold::of).collect();
    if json {
        return print_json(&Told { rig: proof.rig.clone(), as_declared: proof.holds(), devices });
    }
    for device in &devices {
        let firmware = device.firmware.as_deref().unwrap_or("-");
        let state = if device.differences.is_empty() { "as declared" } else { "DIFFERS" };
        say!("{:<5} {}  {:<8} firmware {firmware:<9} {state}", device.kind, device.eui64, device.path);
        device.differences.iter().chain(&device.remarks).for_each(|words| say!("      {words}"));
    }
    let outcome = if proof.holds() { "is as declared" } else { "is NOT as declared; a run would stop here" };
    say!("rig {} {outcome}", proof.rig);
    Ok(())
}
