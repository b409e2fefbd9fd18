//! The first record of a run: everything it is bound to.

use lab_config::{EpclEntry, Function, Lab, ModelIdentity, Rig, RigDevice};
use proto_lab::Digest;
use proto_lab::record::{
    Agreement, DataSet, DeviceFound, Difference, DmcUnderTest, EntryStoodFor, FORMAT, Identity,
    MtadDetermination, NonStandardPack, PackBound, PackPurpose, RunId, RunStarted, SystemUnderTest,
};
use scenarios::{Pack, PackKind, Standing};

use super::environment;
use super::run::Previous;
use crate::driver::prove::{self, RigProof};
use crate::evidence::LabKey;
use crate::queue::Plan;

/// What the first record is made of.
#[derive(Debug)]
pub(super) struct Bindings<'a> {
    pub(super) run: &'a RunId,
    pub(super) lab: &'a Lab,
    pub(super) rig: &'a Rig,
    pub(super) entry: &'a EpclEntry,
    pub(super) proof: &'a RigProof,
    pub(super) plan: &'a Plan,
    pub(super) data_sets: &'a [scenarios::DataSet],
    pub(super) key: &'a LabKey,
    pub(super) previous: Option<Previous>,
}

impl Bindings<'_> {
    /// The record.
    pub(super) fn record(&self) -> RunStarted {
        RunStarted {
            format: FORMAT,
            run: self.run.clone(),
            harness: build(),
            lab: self.lab.name.to_string(),
            lab_digest: Digest::from_bytes(self.lab.digest.0),
            rig: self.rig.name.to_string(),
            dmc: self.dmc(),
            devices: self.rig.devices().map(|device| self.device(device)).collect(),
            system: self.system(),
            packs: self.plan.packs.iter().map(pack).collect(),
            plan: self.plan.cases(),
            selected: self.plan.selected.clone(),
            witnessed: self.plan.witnessed.clone(),
            data_sets: self.data_sets.iter().map(data_set).collect(),
            key: self.key.signer(),
            previous: self.previous.as_ref().map(|previous| previous.root),
            previous_run: self.previous.as_ref().map(|previous| previous.run.clone()),
        }
    }

    fn dmc(&self) -> DmcUnderTest {
        DmcUnderTest {
            id: self.rig.combination.id.to_string(),
            epcl_entry: self.entry.id.to_string(),
            release: self.rig.combination.release.to_string(),
            installation: self.entry.installation_type.to_string(),
            stands_for: self.lab.stood_for_by(self.entry).map(stood_for).collect(),
            mtad: self
                .entry
                .mtad
                .as_ref()
                .map(|mtad| MtadDetermination { tab: mtad.tab.clone(), panel: mtad.panel.clone() }),
        }
    }

    fn system(&self) -> SystemUnderTest {
        let environment = &self.lab.environment;
        SystemUnderTest {
            dcc_systems: environment.dcc_systems_version.clone(),
            environment: environment.name.clone(),
            parts: self.lab.dcc.environment().map(environment::parts).unwrap_or_default(),
        }
    }

    /// One device, with what was found of it on all its paths.
    fn device(&self, device: &RigDevice) -> DeviceFound {
        let found: Vec<_> = self.proof.devices.iter().filter(|found| found.eui64 == device.eui64).collect();
        let links = found.iter().map(|found| link(self.rig, device, found.path)).collect();
        let differences = found.iter().flat_map(|found| {
            found.differences.iter().map(|difference| Difference {
                what: format!("{} on {}", difference.what, found.path),
                declared: difference.expected.clone(),
                found: difference.found.clone(),
            })
        });
        DeviceFound {
            name: device.kind.to_string(),
            kind: device.kind.to_string(),
            eui64: device.eui64.to_string(),
            links,
            simulated: device.simulated,
            declared: declared(&device.model.identity),
            found: found.iter().find_map(|found| said(found)),
            differences: differences.collect(),
        }
    }
}

fn stood_for(entry: &EpclEntry) -> EntryStoodFor {
    EntryStoodFor {
        epcl_entry: entry.id.to_string(),
        installation: entry.installation_type.to_string(),
        smso: entry.smso.clone(),
    }
}

fn link(rig: &Rig, device: &RigDevice, path: lab_config::Path) -> String {
    if let Some(dongle) = rig.dongle.as_ref().filter(|_| path == lab_config::Path::Han) {
        return format!("{path} {dongle}");
    }
    let route = rig.route(device.kind, path);
    route.map_or_else(|| path.to_string(), |route| format!("{path} {}", route.link()))
}

fn declared(identity: &ModelIdentity) -> Identity {
    Identity {
        manufacturer: identity.manufacturer.to_string(),
        model: identity.model.to_string(),
        hardware: identity.hardware_version.to_string(),
        firmware: identity.firmware_version.to_string(),
        configuration: identity.configuration_version.to_string(),
    }
}

/// In place of what a device has no object for: nobody read it, and nobody may take it for declared.
const NOT_READ: &str = "not read";

/// The program that writes the run, told apart from every other build of it by the digest of its file.
pub(super) fn build() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let file = std::env::current_exe().and_then(std::fs::read);
    match file {
        Ok(octets) => format!("harness {version}, executable SHA-256 {}", Digest::of(&octets)),
        Err(error) => format!("harness {version}, executable not readable: {error}"),
    }
}

/// What the device said of itself.
fn said(found: &prove::DeviceFound) -> Option<Identity> {
    if found.said.is_empty() {
        return None;
    }
    let text = |function| found.said(function).unwrap_or(NOT_READ).to_owned();
    Some(Identity {
        manufacturer: text(Function::Manufacturer),
        model: text(Function::Model),
        hardware: text(Function::HardwareVersion),
        firmware: text(Function::FirmwareVersion),
        configuration: text(Function::ConfigurationVersion),
    })
}

/// Name and version together: two versions of a data set are two data sets.
fn data_set(set: &scenarios::DataSet) -> DataSet {
    DataSet { id: format!("{} {}", set.name, set.version), digest: set.digest }
}

fn pack(pack: &Pack) -> PackBound {
    PackBound {
        id: pack.id.to_string(),
        title: pack.title.clone(),
        purpose: match pack.kind {
            PackKind::Migration => PackPurpose::Migration,
            PackKind::ServiceReferenceVariant => PackPurpose::ServiceReferenceVariant,
        },
        release: pack.release.to_string(),
        lock: pack.digest(),
        non_standard: match &pack.standing {
            Standing::Standard => None,
            Standing::NonStandard(other) => Some(NonStandardPack {
                rationale: other.rationale.clone(),
                agreed: other.agreement.as_ref().map(agreement),
            }),
        },
        baseline: pack.baseline.clone(),
    }
}

fn agreement(agreed: &scenarios::Agreement) -> Agreement {
    Agreement { by: agreed.by.clone(), on: agreed.on, reference: agreed.reference.clone() }
}
