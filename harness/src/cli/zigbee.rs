//! `harness zigbee`: look at a home area network by a ZigBee dongle.

use std::path::Path;

use jiff::Timestamp;
use lab_config::DongleUrl;
use proto_zigbee::Eui64;
use proto_zigbee::ezsp::NetworkParameters;
use proto_zigbee::zcl::{AttributeId, ReadRecord};
use serde::Serialize;

use super::arguments::{Probe, Zigbee, ZigbeeDevices, ZigbeeDongle, ZigbeeForm, ZigbeeLeave, ZigbeeRead};
use super::say::say;
use super::{Exit, Failure, print_json, read};
use crate::driver::dongle::{Dongle, DongleError, DongleState, Place};
use crate::link::lock::{Claim, LockFolder};

pub(super) async fn zigbee(verb: &Zigbee) -> Result<Exit, Failure> {
    match verb {
        Zigbee::Form(verb) => form(verb).await,
        Zigbee::Devices(verb) => devices(verb).await,
        Zigbee::Read(verb) => read_attributes(verb).await,
        Zigbee::Leave(verb) => leave(verb).await,
    }
}

/// `harness probe ezsp://...`: what dongle is it, and which network is it in?
pub(super) async fn probe(verb: &Probe, link: &str) -> Result<Exit, Failure> {
    let state = open_at(link, verb.capture.as_deref()).await?.dongle.state().await.map_err(failure)?;
    tell(&state, verb.json)
}

/// An open dongle, and the lock of its line: a run or another verb that has it is not disturbed.
struct Held {
    dongle: Dongle,
    _claim: Claim,
}

async fn open(at: &ZigbeeDongle) -> Result<Held, Failure> {
    open_at(&at.link, at.capture.as_deref()).await
}

async fn open_at(link: &str, capture: Option<&Path>) -> Result<Held, Failure> {
    let url: DongleUrl = link.parse().map_err(|error| Failure::input(format!("dongle {link:?}: {error}")))?;
    let keys: Vec<String> = Dongle::physical_key(&url).into_iter().collect();
    let claim = LockFolder::default().claim(&keys, "zigbee", Timestamp::now()).map_err(Failure::lab)?;
    let dongle = Dongle::open("dongle", &url, read::tap(capture)?).await.map_err(failure)?;
    Ok(Held { dongle, _claim: claim })
}

fn failure(error: DongleError) -> Failure {
    Failure::lab(error)
}

#[derive(Debug, Serialize)]
struct StateTold {
    ezsp_version: u8,
    stack: String,
    eui64: String,
    network: Option<NetworkTold>,
}

#[derive(Debug, Serialize)]
struct NetworkTold {
    pan_id: String,
    extended_pan_id: String,
    channel: u8,
    tx_power_dbm: i8,
}

impl NetworkTold {
    fn of(network: &NetworkParameters) -> Self {
        let mut extended = network.extended_pan_id;
        extended.reverse();
        Self {
            pan_id: format!("{:04X}", network.pan_id),
            extended_pan_id: Eui64(extended).to_string(),
            channel: network.channel,
            tx_power_dbm: network.tx_power,
        }
    }
}

fn tell(state: &DongleState, json: bool) -> Result<Exit, Failure> {
    let network = state.network.as_ref().map(NetworkTold::of);
    if json {
        print_json(&StateTold {
            ezsp_version: state.version.protocol,
            stack: state.version.to_string(),
            eui64: state.eui64.to_string(),
            network,
        })?;
        return Ok(Exit::Done);
    }
    say!("ZigBee dongle {}, {}", state.eui64, state.version);
    match network {
        Some(told) => say!(
            "network       PAN {} ({}), channel {}, {} dBm",
            told.pan_id,
            told.extended_pan_id,
            told.channel,
            told.tx_power_dbm
        ),
        None => say!("network       none; form one with `harness zigbee form`"),
    }
    Ok(Exit::Done)
}

async fn form(verb: &ZigbeeForm) -> Result<Exit, Failure> {
    let state = open(&verb.at).await?.dongle.form(verb.channel, verb.pan_id).await.map_err(failure)?;
    tell(&state, verb.json)
}

async fn leave(verb: &ZigbeeLeave) -> Result<Exit, Failure> {
    open(&verb.at).await?.dongle.leave().await.map_err(failure)?;
    Ok(Exit::Done)
}

#[derive(Debug, Serialize)]
struct DeviceTold {
    eui64: String,
    address: String,
    sleepy: bool,
}

async fn devices(verb: &ZigbeeDevices) -> Result<Exit, Failure> {
    let Held { mut dongle, _claim } = open(&verb.at).await?;
    if let Some(seconds) = verb.permit {
        dongle.permit(seconds).await.map_err(failure)?;
    }
    let devices = dongle.devices().await.map_err(failure)?;
    let told: Vec<DeviceTold> = devices
        .iter()
        .map(|device| DeviceTold {
            eui64: device.eui64.to_string(),
            address: format!("{:04X}", device.address),
            sleepy: device.sleepy,
        })
        .collect();
    if verb.json {
        print_json(&told)?;
        return Ok(Exit::Done);
    }
    for device in &told {
        say!("{}  {}{}", device.eui64, device.address, if device.sleepy { "  sleeps" } else { "" });
    }
    if told.is_empty() {
        say!("no device has joined; let them with --permit 60");
    }
    Ok(Exit::Done)
}

#[derive(Debug, Serialize)]
struct RecordTold {
    attribute: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
}

impl RecordTold {
    fn of(record: &ReadRecord) -> Self {
        let value = record.value.as_ref();
        Self {
            attribute: format!("{:04X}", record.id.0),
            value: value.ok().map(ToString::to_string),
            data_type: value.ok().map(|value| format!("{:02X}", value.data_type())),
            status: value.err().map(|status| format!("{:02X}", status.0)),
        }
    }
}

async fn read_attributes(verb: &ZigbeeRead) -> Result<Exit, Failure> {
    let device: Eui64 = verb.device.parse().map_err(Failure::input)?;
    let place = Place { device, endpoint: verb.endpoint, cluster: verb.cluster };
    let ids: Vec<AttributeId> = verb.attributes.iter().map(|id| AttributeId(*id)).collect();
    let records = open(&verb.at).await?.dongle.read(place, &ids).await.map_err(failure)?;
    let told: Vec<RecordTold> = records.iter().map(RecordTold::of).collect();
    if verb.json {
        print_json(&told)?;
    } else {
        for record in &told {
            let value = record.value.clone();
            let refused = record.status.as_ref().map(|status| format!("refused with status {status}"));
            say!("{:04X}/{}  {}", verb.cluster, record.attribute, value.or(refused).unwrap_or_default());
        }
    }
    let all = records.iter().all(|record| record.value.is_ok());
    Ok(if all { Exit::Done } else { Exit::Error })
}
