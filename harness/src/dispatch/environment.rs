//! A DCC that is not the harness's own: what is asked of it before scripts run, and what is said of it in the evidence.
//!
//! The harness starts no stub and no S1SP then. Requests go to that DCC and nowhere else; the lab's own eyes on a device are its
//! own ports.

use std::collections::BTreeMap;
use std::time::Duration;

use lab_config::{DccEnvironment, DeviceKind, Eui64, Rig};
use proto_duis::{DeviceStatus, InventoryDevice, RequestBody, Srv};
use tokio::time::Instant;

use crate::execute::Trouble;
use crate::service_user::{ServiceUser, Target};

/// How long the DCC may take to tell its inventory.
const INVENTORY: Duration = Duration::from_secs(60);

/// What a lab with somebody else's DCC does not do, in words for its records.
pub(crate) const NOT_DONE_ELSEWHERE: [&str; 4] = [
    "migrations: they belong to that environment's own parties, and scripts with such steps are not run",
    "test data sets: devices are as that environment prepared them, and a run that names a data set is refused",
    "requests of other User Systems: they go to that DCC themselves, and scripts that wait for them are not run",
    "calling back what a script gave up: a request that nobody waits for any more may still reach its device",
];

/// The DCC and who is believed there, in one line of the evidence.
pub(super) fn words(dcc: &DccEnvironment, listener: &str) -> String {
    let how = if dcc.url.is_secure() { "mutual TLS" } else { "plain HTTP on loopback" };
    format!(
        "requests go to the DCC at {} by {how}, and answers and alerts come in at {listener}; the harness runs no DCC stub and no \
         S1SP. Not done here: {}",
        dcc.url,
        NOT_DONE_ELSEWHERE.join("; ")
    )
}

/// What the first record of a run says of the parts of the system under test.
pub(super) fn parts(dcc: &DccEnvironment) -> BTreeMap<String, String> {
    let interface = format!("{}, not the harness's stub", dcc.url);
    [("DCC interface".to_owned(), interface), ("S1SP".to_owned(), "that environment's".to_owned())].into()
}

/// What keeps two runs from one rig of that DCC's: its devices at that address.
pub(super) fn claim_keys(dcc: &DccEnvironment, rig: &Rig) -> Vec<String> {
    rig.devices().map(|device| format!("dcc {} {}", dcc.url, device.eui64)).collect()
}

/// Asks the DCC for the rig's devices (8.2), and says what it has of them once all are commissioned there.
pub(super) async fn enrolled(user: &ServiceUser, rig: &Rig) -> Result<String, Trouble> {
    let mut found = BTreeMap::new();
    for asked in heads(rig) {
        // Who is told of the hub is told of all it serves.
        if !found.contains_key(&asked) {
            found.extend(inventory(user, asked).await?.into_iter().map(|device| (device.id, device)));
        }
    }
    let wanting: Vec<String> =
        rig.devices().filter_map(|device| wants(device.eui64, device.kind, &found)).collect();
    match wanting.is_empty() {
        true => Ok(format!("the DCC's inventory has the installation: {}", list(rig, &found))),
        false => Err(Trouble::error(format!(
            "the DCC's inventory does not have the installation commissioned: {}; have it enrolled there, or correct the lab file",
            wanting.join("; ")
        ))),
    }
}

/// The hub first, then the others.
fn heads(rig: &Rig) -> Vec<Eui64> {
    let hub = rig.device(DeviceKind::Chf).map(|hub| hub.eui64);
    hub.into_iter().chain(rig.devices().map(|device| device.eui64)).collect()
}

async fn inventory(user: &ServiceUser, device: Eui64) -> Result<Vec<InventoryDevice>, Trouble> {
    let deadline = Instant::now() + INVENTORY;
    let trouble =
        |error: &dyn std::fmt::Display| Trouble::error(format!("reading the DCC's inventory: {error}"));
    let role = user.users().roles().find(|role| Srv::ReadInventory.roles().contains(role));
    let role = role.ok_or_else(|| trouble(&"no user of the lab may read it"))?;
    let fields = [("DeviceID".to_owned(), device.to_string())].into();
    let body = RequestBody::from_fields(Srv::ReadInventory, &fields).map_err(|error| trouble(&error))?;
    let submitted =
        user.submit(role, Target::Dcc, body, None, deadline).await.map_err(|error| trouble(&error))?;
    let answer =
        user.await_response(&submitted.request_id, deadline).await.map_err(|error| trouble(&error))?;
    match answer.code.is_error() {
        true => Err(trouble(&format!("{device}: answered {}", answer.code))),
        false => Ok(answer.content.into_inventory()),
    }
}

/// What is missing of a device, if anything is.
fn wants(id: Eui64, kind: DeviceKind, found: &BTreeMap<Eui64, InventoryDevice>) -> Option<String> {
    let Some(device) = found.get(&id) else { return Some(format!("{kind} {id} is not in it")) };
    if device.kind != kind {
        return Some(format!("{id} is a {} there, and a {kind} in the lab file", device.kind));
    }
    match device.status {
        Some(DeviceStatus::Commissioned) => None,
        Some(status) => Some(format!("{kind} {id} is {status}")),
        None => Some(format!("{kind} {id} has no status")),
    }
}

fn list(rig: &Rig, found: &BTreeMap<Eui64, InventoryDevice>) -> String {
    let one = |device: &InventoryDevice| {
        let InventoryDevice { id, kind, manufacturer, model, firmware, .. } = device;
        let firmware = firmware.as_deref().unwrap_or("not said");
        format!("{kind} {id}, manufacturer {manufacturer}, model {model}, firmware {firmware}")
    };
    let devices = rig.devices().filter_map(|device| found.get(&device.eui64));
    devices.map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use lab_config::{Document, Lab};

    use super::*;

    const HUB: Eui64 = Eui64::new([0, 0xDB, 0x12, 0x34, 0x56, 0x78, 0x90, 1]);

    fn lab() -> Lab {
        let text = include_str!("../../../lab-config/labs/dcc-test-environment.toml");
        Lab::parse(&Document::new("lab.toml", text)).expect("the shipped lab")
    }

    fn device(kind: DeviceKind, status: Option<DeviceStatus>) -> InventoryDevice {
        let responses = proto_duis::examples::dcc_responses();
        let inventory = responses.into_iter().find_map(|response| match response.body {
            proto_duis::ResponseBody::Dcc(message) => message.content.into_inventory().into_iter().next(),
            _ => None,
        });
        InventoryDevice { id: HUB, kind, status, ..inventory.expect("a device") }
    }

    #[test]
    fn a_device_must_be_there_of_its_kind_and_commissioned() {
        let wanting = |found: Option<InventoryDevice>| {
            let found = found.into_iter().map(|device| (device.id, device)).collect();
            wants(HUB, DeviceKind::Chf, &found)
        };
        assert_eq!(wanting(Some(device(DeviceKind::Chf, Some(DeviceStatus::Commissioned)))), None);
        for (found, words) in [
            (None, "CHF 00-DB-12-34-56-78-90-01 is not in it"),
            (
                Some(device(DeviceKind::Esme, None)),
                "00-DB-12-34-56-78-90-01 is a ESME there, and a CHF in the lab file",
            ),
            (Some(device(DeviceKind::Chf, None)), "CHF 00-DB-12-34-56-78-90-01 has no status"),
            (
                Some(device(DeviceKind::Chf, Some(DeviceStatus::Suspended))),
                "CHF 00-DB-12-34-56-78-90-01 is Suspended",
            ),
        ] {
            assert_eq!(wanting(found).as_deref(), Some(words));
        }
    }

    #[test]
    fn the_hub_is_asked_for_first_and_the_evidence_says_whose_dcc_it_is() {
        let lab = lab();
        let (rig, dcc) = (&lab.rigs[0], lab.dcc.environment().expect("a test environment"));
        assert_eq!(heads(rig).first(), Some(&HUB));
        assert_eq!(claim_keys(dcc, rig).len(), 5);
        let words = words(dcc, "https://192.0.2.7:8081/");
        for part in [
            "https://dcc.example:8079/ by mutual TLS",
            "at https://192.0.2.7:8081/",
            "no S1SP. Not done here: migrations",
        ] {
            assert!(words.contains(part), "{part} in {words}");
        }
        assert!(parts(dcc)["DCC interface"].contains("not the harness's stub"));
    }
}
