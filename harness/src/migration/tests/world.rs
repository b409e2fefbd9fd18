//! A world without wires: installations whose devices have keys of one party or another, an inventory, and the parties around
//! them. It outlives the control that a test kills.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use jiff::Timestamp;
use lab_config::{DeviceKind, Eui64, Lab};
use proto_duis::Signer;
use proto_duis::pki::Authority;
use proto_migration::{
    Address, Commissioned, CommonInstallation, Device, Holder, InstallationKind, MeterPoint, OpeningKey,
    PartyRole, Secret, SecretKind, Secrets, Text, Trust,
};

use crate::migration::checks::EligibleEntry;
use crate::migration::exchange::{Exchange, FileTap, Member, Passed, Spoiler, Turned, Writer};
use crate::migration::journal::Memory;
use crate::migration::party::commissioning::{CommissioningParty, Dsp};
use crate::migration::party::dco::Dco;
use crate::migration::party::requesting::{Correspondents, RequestingParty};
use crate::migration::party::s1sp::S1spParty;
use crate::migration::party::smso::{Misdeclared, SealedTo, SmsoParty};
use crate::migration::party::supplier::ResponsibleSupplier;
use crate::migration::party::wrapping::is_key;
use crate::migration::party::{
    BoxFuture, ContactReport, Contacts, DeviceReport, KeyWrap, KnownEstate, Party, Refused, Smso,
};
use crate::migration::{Code, Control, Group, Journal, Operation, Patience, Roll, checks, text};
use crate::service_user::CounterStore;

/// Who has the keys of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    Smso,
    S1sp,
}

/// What goes wrong at devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Faults {
    /// A device of this kind fails its contact by this code, so many times.
    pub(super) contact: Option<(DeviceKind, Code, u8)>,
    /// Gas fails on the home area network (GT01).
    pub(super) no_gas: bool,
    /// The S1SP cannot give keys back.
    pub(super) stuck: bool,
    /// The SMSO does not reach its devices, for this reason.
    pub(super) unreached: Option<Code>,
    /// The SMSO has no keys to hand over.
    pub(super) no_keys: bool,
    /// The SMSO cannot make devices ready, for this reason.
    pub(super) unprepared: Option<Code>,
    /// The inventory takes nothing.
    pub(super) full: bool,
}

/// What outlives whoever is killed.
#[derive(Debug)]
pub(super) struct State {
    pub(super) keys: BTreeMap<Eui64, Keys>,
    /// What the S1SP keeps, safe on disk, of devices whose keys are not the SMSO's or may not be.
    pub(super) store: BTreeSet<Eui64>,
    /// Devices by installation.
    pub(super) inventory: BTreeMap<Eui64, Vec<Eui64>>,
    pub(super) held: BTreeMap<Eui64, Holder>,
    pub(super) faults: Faults,
    pub(super) prepared: BTreeSet<Eui64>,
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) kind: InstallationKind,
    pub(super) installations: Vec<Eui64>,
    /// Those that the suppliers say they operate.
    pub(super) operated: Vec<Eui64>,
    pub(super) state: Arc<Mutex<State>>,
    pub(super) journals: Memory,
    pub(super) spoiler: Spoiler,
    pub(super) misdeclared: Misdeclared,
    pub(super) files: Arc<Files>,
}

/// Every file that crossed.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) passed: Mutex<Vec<(String, Vec<u8>)>>,
    pub(super) refused: Mutex<Vec<String>>,
}

impl FileTap for Files {
    fn passed(&self, seen: &Passed<'_>) {
        let what = format!("{} from {}", seen.kind, seen.from.role);
        self.passed.lock().expect("files").push((what, seen.octets.to_vec()));
    }

    fn refused(&self, seen: &Turned<'_>) {
        self.refused.lock().expect("files").push(format!("by {}: {}", seen.by.role, seen.why));
    }
}

static LAB: LazyLock<Lab> = LazyLock::new(|| Lab::embedded().expect("the embedded lab"));

/// Keys are made once: what a test costs is files, not keys.
static SIGNERS: LazyLock<BTreeMap<PartyRole, Signer>> = LazyLock::new(|| {
    let authority = Authority::new("Test authority").expect("an authority");
    let issue = |role: &PartyRole| (*role, authority.issue(role.word()).expect("a signer"));
    PartyRole::ALL.iter().map(issue).collect()
});

fn id(of: u8) -> Eui64 {
    Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x03, 0x00, of])
}

/// The suppliers of electricity and of gas.
pub(super) const SUPPLIERS: [Eui64; 2] = [
    Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x01, 0, 0]),
    Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x01, 0, 1]),
];

/// The nth device of the nth installation.
pub(super) fn device(installation: Eui64, at: u8) -> Eui64 {
    let mut octets = installation.octets();
    octets[7] = at;
    Eui64::new(octets)
}

pub(super) fn now() -> Timestamp {
    "2026-11-22T09:00:00Z".parse().expect("a time")
}

impl World {
    pub(super) fn new(kind: InstallationKind, count: u16) -> Self {
        let hub = |n: u16| {
            let [high, low] = n.to_be_bytes();
            Eui64::new([0x00, 0xDB, 0x12, 0x34, 0x56, high, low, 0])
        };
        let installations: Vec<Eui64> = (0..count).map(hub).collect();
        let devices = installations.iter().flat_map(|id| (0..5).map(move |at| device(*id, at)));
        let state = State {
            keys: devices.map(|device| (device, Keys::Smso)).collect(),
            store: BTreeSet::new(),
            inventory: BTreeMap::new(),
            held: BTreeMap::new(),
            faults: Faults::default(),
            prepared: BTreeSet::new(),
        };
        Self {
            kind,
            operated: installations.clone(),
            installations,
            state: Arc::new(Mutex::new(state)),
            journals: Memory::default(),
            spoiler: Spoiler::new(SIGNERS[&PartyRole::Dsp].clone()),
            misdeclared: Misdeclared::default(),
            files: Arc::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("the state")
    }

    pub(super) fn with(self, faults: Faults) -> Self {
        self.state().faults = faults;
        self
    }

    pub(super) fn fault(&self, faults: Faults) {
        self.state().faults = faults;
    }

    pub(super) fn common(&self, installation: Eui64) -> CommonInstallation {
        let models = &LAB.rigs[0].combination.models;
        let devices: Vec<Device> = models
            .iter()
            .zip(0..)
            .map(|((kind, model), at)| {
                let identity = &model.identity;
                let text = |value: &dyn ToString| text::shortened(&value.to_string());
                Device {
                    kind: *kind,
                    id: device(installation, at),
                    manufacturer: text(&identity.manufacturer),
                    model: text(&identity.model),
                    hardware: text(&identity.hardware_version),
                    firmware: text(&identity.firmware_version),
                    configuration: text(&identity.configuration_version),
                }
            })
            .collect();
        let active = |kind: DeviceKind| match self.kind {
            InstallationKind::Dormant => false,
            InstallationKind::Active => true,
            InstallationKind::Mixed => kind == DeviceKind::Esme,
        };
        let meters = devices.iter().filter_map(|device| {
            let supplier = supplier(device.kind)?;
            let number = number(device.id);
            Some(MeterPoint { device: device.id, number, supplier, active: active(device.kind) })
        });
        let meter_points = meters.collect();
        CommonInstallation {
            installation,
            kind: self.kind,
            authorisations: Vec::new(),
            devices,
            meter_points,
        }
    }

    /// The device of this kind.
    pub(super) fn of_kind(&self, installation: Eui64, kind: DeviceKind) -> Eui64 {
        let devices = self.common(installation).devices;
        devices.iter().find(|device| device.kind == kind).expect("a device").id
    }

    /// Control over everything, as a process that just began would have it.
    pub(super) fn control(&self) -> Control {
        let at = |role, of| Address { role, id: id(of) };
        let (control, commissioning) =
            (at(PartyRole::MigrationControl, 1), at(PartyRole::CommissioningParty, 1));
        let (requesting, smso) = (at(PartyRole::RequestingParty, 2), at(PartyRole::Smso, 3));
        let (s1sp, dco) = (at(PartyRole::S1sp, 4), at(PartyRole::Dco, 5));
        let active: &[Eui64] = match self.kind {
            InstallationKind::Dormant => &[],
            InstallationKind::Active => &SUPPLIERS,
            InstallationKind::Mixed => &SUPPLIERS[..1],
        };
        let suppliers: Vec<Address> =
            active.iter().map(|id| Address { role: PartyRole::ResponsibleSupplier, id: *id }).collect();
        let opening = || OpeningKey::generate().expect("a key");
        let (for_s1sp, for_dco) = (opening(), opening());
        let to = SealedTo { s1sp: (s1sp, for_s1sp.sealing_key()), dco: (dco, for_dco.sealing_key()) };
        let dco_seal = (dco, for_dco.sealing_key());
        let organisation =
            Dco::new(dco.id, (control, commissioning), (s1sp, for_s1sp.sealing_key()), for_dco);
        let devices = || Arc::new(self.clone());
        let entry = EligibleEntry::of(&LAB.epcl[0], &LAB.rigs[0].combination).standing_for(self.kind);
        let readers = vec![requesting, s1sp, dco];
        let mut parties: Vec<Box<dyn Party>> = vec![
            Box::new(RequestingParty::new(
                requesting.id,
                text::shortened("Lab SMSO"),
                Correspondents { control, smso, commissioning, s1sp, dco },
            )),
            Box::new(SmsoParty::new(smso.id, (control, requesting), to, devices(), self.misdeclared.clone())),
            Box::new(S1spParty::new(s1sp.id, (control, commissioning), for_s1sp, devices(), dco_seal)),
            Box::new(organisation),
            Box::new(CommissioningParty::new(
                commissioning.id,
                (control, s1sp),
                readers,
                vec![entry],
                devices(),
            )),
        ];
        for supplier in &suppliers {
            let operates = self.operated.iter().map(|id| (*id, self.kind)).collect();
            let readers = vec![control, requesting, commissioning];
            parties.push(Box::new(ResponsibleSupplier::new(supplier.id, readers, operates)));
        }
        let suppliers = match suppliers.is_empty() {
            true => BTreeMap::new(),
            false => self.installations.iter().map(|id| (*id, suppliers.clone())).collect(),
        };
        let roll = Roll { requesting, smso, s1sp, dco, commissioning, suppliers };
        let exchange = self.exchange(control, parties);
        let group = Group::new(text::group("G-TEST"), self.kind, self.installations.clone());
        let journal = Journal::in_memory(self.journals.clone());
        Control::new(group.expect("a group"), roll, exchange, journal, Patience::default())
            .expect("a control")
    }

    fn exchange(&self, control: Address, parties: Vec<Box<dyn Party>>) -> Exchange {
        let mut trust = Trust::new();
        let mut pen = |party: Address| {
            let signer = SIGNERS[&party.role].clone();
            trust.add(party, signer.certificate().clone());
            let store = CounterStore::passing(1);
            Writer::new(party, signer, &store, self.spoiler.clone()).expect("a pen").0
        };
        let own = pen(control);
        let members: Vec<Member> = parties
            .into_iter()
            .map(|party| {
                let writer = pen(party.address());
                Member::new(party, writer)
            })
            .collect();
        let stranger = Address { role: PartyRole::Dsp, id: id(9) };
        drop(pen(stranger));
        let mut exchange = Exchange::new(own, Arc::new(trust), Arc::clone(&self.files) as Arc<dyn FileTap>);
        for member in members {
            exchange.seat(member.address(), Box::new(member));
        }
        exchange
    }

    /// Whether the installation is wholly one party's: no device between, and the inventory as the keys are.
    pub(super) fn is_whole(&self, installation: Eui64) -> Result<Keys, String> {
        let state = self.state();
        let keys: Vec<Keys> = (0..5).map(|at| state.keys[&device(installation, at)]).collect();
        let listed = state.inventory.contains_key(&installation);
        match (keys.iter().all(|k| *k == Keys::Smso), keys.iter().all(|k| *k == Keys::S1sp), listed) {
            (true, _, false) => Ok(Keys::Smso),
            (_, true, true) => Ok(Keys::S1sp),
            _ => Err(format!("keys {keys:?}, in the inventory: {listed}")),
        }
    }

    async fn contact_one(&self, device: &Device) -> DeviceReport {
        let fault = {
            let mut state = self.state();
            let fault = state.faults.contact.filter(|(kind, _, left)| *kind == device.kind && *left > 0);
            if let Some((kind, code, left)) = fault {
                state.faults.contact = Some((kind, code, left - 1));
            }
            fault
        };
        if let Some((_, code, _)) = fault {
            return DeviceReport::Failed(Refused::new(code, "for the test"));
        }
        let gas = matches!(device.kind, DeviceKind::Gsme | DeviceKind::Gpf);
        if gas && self.state().faults.no_gas {
            return DeviceReport::LeftOut(Refused::new(Code::GasHan, "the GSME does not answer"));
        }
        self.state().store.insert(device.id);
        tokio::task::yield_now().await;
        self.state().keys.insert(device.id, Keys::S1sp);
        tokio::task::yield_now().await;
        DeviceReport::Contacted { said: "answers".to_owned() }
    }
}

fn key(of: &Device, octets: &[u8; 16]) -> (Eui64, Option<u8>, SecretKind, Secret) {
    (of.id, Some(1), SecretKind::EncryptionKey, Secret::new(octets.to_vec()))
}

fn supplier(kind: DeviceKind) -> Option<Eui64> {
    match kind {
        DeviceKind::Esme => Some(SUPPLIERS[0]),
        DeviceKind::Gsme => Some(SUPPLIERS[1]),
        _ => None,
    }
}

fn number(meter: Eui64) -> Text {
    text::shortened(&format!("{:013}", u64::from_be_bytes(meter.octets()) % 10_000_000_000_000))
}

impl Contacts for World {
    fn viable(&self, declared: &CommonInstallation, secrets: &Secrets) -> Result<(), Refused> {
        let has = |device: Eui64| secrets.of.iter().any(|(of, ..)| *of == device);
        match declared.devices.iter().find(|device| supplier(device.kind).is_some() && !has(device.id)) {
            None => Ok(()),
            Some(device) => Err(Refused::new(Code::KeysMissing, format!("no key of {}", device.id))),
        }
    }

    /// The hub has a key, so that both halves of dual control are needed in every migration.
    fn new_keys(&self, declared: &CommonInstallation, _: &Secrets) -> Secrets {
        let hub = declared.devices.iter().take(1);
        Secrets { of: hub.map(|device| key(device, b"NEW-KEY-OF-A-HUB")).collect() }
    }

    fn contact<'a>(
        &'a self,
        declared: &'a CommonInstallation,
        secrets: &'a Secrets,
        wrap: &'a dyn KeyWrap,
    ) -> BoxFuture<'a, ContactReport> {
        Box::pin(async move {
            let mut report = ContactReport::default();
            let keys = wrap.made().into_iter().chain([secrets]).flat_map(|secrets| &secrets.of);
            for (device, _, kind, key) in keys.filter(|(_, _, kind, _)| is_key(*kind)) {
                let wrapped = wrap.wrap(*device, key).await;
                assert!(wrapped.is_ok_and(|octets| octets.len() == 24), "the {kind} of {device}");
            }
            for device in &declared.devices {
                tokio::task::yield_now().await;
                let found = self.contact_one(device).await;
                let failed = matches!(found, DeviceReport::Failed(_));
                report.devices.insert(device.id, found);
                if failed {
                    break;
                }
            }
            report
        })
    }

    fn give_back(&self, installation: Eui64) -> BoxFuture<'_, Result<String, String>> {
        Box::pin(async move {
            if self.state().faults.stuck {
                return Err("the CHF does not answer".to_owned());
            }
            let mut given = 0;
            for device in (0..5).map(|at| device(installation, at)) {
                tokio::task::yield_now().await;
                if self.state().store.contains(&device) {
                    self.state().keys.insert(device, Keys::Smso);
                    tokio::task::yield_now().await;
                    self.state().store.remove(&device);
                    given += 1;
                }
            }
            Ok(format!("{given} devices have their passwords back"))
        })
    }

    fn hold<'a>(&'a self, _: Eui64, holders: &'a [(Eui64, Holder)]) -> BoxFuture<'a, ()> {
        Box::pin(async move { self.state().held.extend(holders.iter().copied()) })
    }
}

impl Smso for World {
    fn estate(&self, installation: Eui64) -> BoxFuture<'_, Result<KnownEstate, Refused>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let common = self.common(installation);
            let secret = |device: &Device| {
                (device.id, Some(1), SecretKind::Password, Secret::new(b"SECRET-12".to_vec()))
            };
            let none = self.state().faults.no_keys;
            let hub = common.devices.iter().take(1).map(|device| key(device, b"SECRET-OF-A-HUB!"));
            let of = common.devices.iter().map(secret).chain(hub).filter(|_| !none).collect();
            let masters = common.devices.iter().take(1).map(|device| {
                (device.id, None, SecretKind::MasterKey, Secret::new(b"MASTERKEY-MASTER".to_vec()))
            });
            let for_dco = Secrets { of: masters.collect() };
            Ok(KnownEstate { for_s1sp: Secrets { of }, for_dco, common })
        })
    }

    fn prepare(&self, installation: Eui64) -> BoxFuture<'_, Result<String, Refused>> {
        Box::pin(async move {
            if let Some(code) = self.state().faults.unprepared {
                return Err(Refused::new(code, "for the test"));
            }
            self.state().prepared.insert(installation);
            Ok("5 devices ready".to_owned())
        })
    }

    fn reach(&self, installation: Eui64) -> BoxFuture<'_, Result<String, Refused>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let state = self.state();
            if let Some(code) = state.faults.unreached {
                return Err(Refused::new(code, "for the test"));
            }
            let other = (0..5).map(|at| device(installation, at)).find(|d| state.keys[d] != Keys::Smso);
            match other {
                None => Ok("its SMSO reaches 5 devices".to_owned()),
                Some(device) => Err(Refused::new(Code::DeviceRefused, format!("{device} refuses"))),
            }
        })
    }
}

impl Dsp for World {
    fn registered(&self, meter_point: &Text) -> Option<Eui64> {
        let points = self.installations.iter().flat_map(|id| self.common(*id).meter_points);
        points.into_iter().find(|point| point.number == *meter_point).map(|point| point.supplier)
    }

    fn in_inventory(&self, device: Eui64) -> bool {
        self.state().inventory.values().flatten().any(|listed| *listed == device)
    }

    fn enrol(&self, joins: &Commissioned, _: &CommonInstallation) -> Result<(), String> {
        let mut state = self.state();
        if state.faults.full {
            return Err("the inventory is full".to_owned());
        }
        let devices = joins.devices.iter().map(|device| device.id).collect();
        state.inventory.insert(joins.installation, devices);
        Ok(())
    }

    fn withdraw(&self, installation: Eui64) -> Result<usize, String> {
        Ok(self.state().inventory.remove(&installation).map_or(0, |devices| devices.len()))
    }
}

/// All operations of a migration, until one does not lead on.
pub(super) async fn forward(control: &mut Control) -> Vec<&'static str> {
    let mut stages = Vec::new();
    for operation in Operation::FORWARD {
        if control.operate(operation, now()).await.is_err() {
            break;
        }
        stages.push(stage(control));
    }
    stages
}

/// Where the first installation stands.
pub(super) fn stage(control: &Control) -> &'static str {
    control.group().members().next().expect("a member").1.stage().name()
}

/// The code and the words the first installation stands with.
pub(super) fn finding(control: &Control) -> (String, String) {
    let finding = control.group().members().next().expect("a member").1.stage().finding();
    finding.map(|finding| (finding.code.clone(), finding.reason.clone())).unwrap_or_default()
}

/// What most tests migrate.
pub(super) const DORMANT: InstallationKind = checks::kind(lab_config::InstallationType::Dormant);
