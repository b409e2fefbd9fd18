//! The Commissioning Party's checks: may this installation be migrated as it was declared, and may what the S1SP has of it
//! join the inventory? Pure; the first check that fails decides.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use lab_config::{DeviceKind, DeviceModelCombination, EpclEntry, Eui64, InstallationType, ModelIdentity};
use proto_migration::{
    Address, AuthorisationId, Commissioned, CommonInstallation, Device, Holder, InstallationKind, MeterPoint,
    PartyRole, Text,
};

use super::{Code, Refused};

/// An entry of the SMETS1 Eligible Product Combinations List, as data validation needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EligibleEntry {
    id: String,
    smso: String,
    kinds: BTreeSet<InstallationKind>,
    models: BTreeMap<DeviceKind, ModelIdentity>,
}

impl EligibleEntry {
    /// The entry of a lab file with the combination it lists.
    pub fn of(entry: &EpclEntry, combination: &DeviceModelCombination) -> Self {
        Self {
            id: entry.id.to_string(),
            smso: entry.smso.clone(),
            kinds: BTreeSet::from([kind(entry.installation_type)]),
            models: combination.models.iter().map(|(kind, model)| (*kind, model.identity.clone())).collect(),
        }
    }

    /// The same entry, standing for installations of this kind too (SVTAD 20.9: testing of dormant ones only may stand for
    /// active and mixed ones).
    #[must_use]
    pub fn standing_for(mut self, kind: InstallationKind) -> Self {
        self.kinds.insert(kind);
        self
    }

    /// Whether the declared installation is one of this entry's.
    fn matches(&self, smso: &Text, declared: &CommonInstallation) -> Result<(), String> {
        let Self { id, kinds, .. } = self;
        if smso.as_str() != self.smso {
            return Err(format!("its SMSO is {smso}; entry {id} expects {}", self.smso));
        }
        if !kinds.contains(&declared.kind) {
            return Err(format!("it is {}; entry {id} stands for {}", declared.kind, words(kinds)));
        }
        declared.devices.iter().try_for_each(|device| self.lists(device))
    }

    fn lists(&self, device: &Device) -> Result<(), String> {
        let (kind, id) = (device.kind, &self.id);
        let Some(expected) = self.models.get(&kind) else {
            return Err(format!("{kind} is declared; entry {id} has none"));
        };
        let pairs = [
            ("manufacturer", &device.manufacturer, expected.manufacturer.to_string()),
            ("model", &device.model, expected.model.to_string()),
            ("hardware version", &device.hardware, expected.hardware_version.to_string()),
            ("firmware version", &device.firmware, expected.firmware_version.to_string()),
        ];
        match pairs.into_iter().find(|(_, found, expected)| found.as_str() != expected) {
            None => Ok(()),
            Some((what, found, expected)) => {
                Err(format!("{kind} {what} is {found}; entry {id} expects {expected}"))
            }
        }
    }

    /// A device every installation of the entry has; displays may be missing.
    fn lacks(&self, declared: &CommonInstallation) -> Option<DeviceKind> {
        let needed = self.models.keys().filter(|kind| !is_display(**kind));
        needed.copied().find(|kind| !declared.devices.iter().any(|device| device.kind == *kind))
    }
}

/// The kind of installation that a lab file calls so.
pub const fn kind(of: InstallationType) -> InstallationKind {
    match of {
        InstallationType::Dormant => InstallationKind::Dormant,
        InstallationType::Active => InstallationKind::Active,
        InstallationType::Mixed => InstallationKind::Mixed,
    }
}

fn words(kinds: &BTreeSet<InstallationKind>) -> String {
    kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(" and ")
}

const fn is_display(kind: DeviceKind) -> bool {
    !matches!(kind, DeviceKind::Chf | DeviceKind::Gpf | DeviceKind::Esme | DeviceKind::Gsme)
}

const fn is_gas(kind: DeviceKind) -> bool {
    matches!(kind, DeviceKind::Gpf | DeviceKind::Gsme)
}

const fn is_meter(kind: DeviceKind) -> bool {
    matches!(kind, DeviceKind::Esme | DeviceKind::Gsme)
}

/// An authorisation as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// Who gave it.
    pub by: Address,
    /// For which installation.
    pub installation: Eui64,
    /// What that was then.
    pub kind: InstallationKind,
    /// From when it holds.
    pub from: Timestamp,
    /// Until when; the moment itself is past it.
    pub until: Timestamp,
}

/// What data validation holds a declared installation against.
pub struct Known<'a> {
    /// The SMSO that declares it.
    pub smso: &'a Text,
    /// The entries it may match.
    pub epcl: &'a [EligibleEntry],
    /// Whether the inventory has this device.
    pub enrolled: &'a dyn Fn(Eui64) -> bool,
    /// The supplier registered for this meter point.
    pub registered: &'a dyn Fn(&Text) -> Option<Eui64>,
    /// The authorisations that were given.
    pub authorisations: &'a BTreeMap<AuthorisationId, Authorisation>,
    /// The time.
    pub now: Timestamp,
}

/// Checks a declared installation, and says which entry it matches.
///
/// # Errors
/// The first check that fails.
pub fn validate(declared: &CommonInstallation, known: &Known<'_>) -> Result<String, Refused> {
    if !declared.devices.iter().any(|device| device.kind == DeviceKind::Chf) {
        let reason = "no communications hub is declared; expected one CHF";
        return Err(Refused::new(Code::NoCommunicationsHub, reason));
    }
    let entry = on_epcl(declared, known)?;
    if let Some(kind) = entry.lacks(declared) {
        let reason = format!("no {kind} is declared; an installation of entry {} has one", entry.id);
        return Err(Refused::new(Code::DevicesIncomplete, reason));
    }
    not_enrolled(declared, known)?;
    meter_points(declared, known)?;
    authorised(declared, known)?;
    Ok(format!("{} devices match EPCL entry {}", declared.devices.len(), entry.id))
}

fn on_epcl<'a>(declared: &CommonInstallation, known: &Known<'a>) -> Result<&'a EligibleEntry, Refused> {
    let mut first = None;
    for entry in known.epcl {
        match entry.matches(known.smso, declared) {
            Ok(()) => return Ok(entry),
            Err(reason) => first = first.or(Some(reason)),
        }
    }
    let reason = first.unwrap_or_else(|| "the list has no entry".to_owned());
    Err(Refused::new(Code::NotOnEpcl, reason))
}

fn not_enrolled(declared: &CommonInstallation, known: &Known<'_>) -> Result<(), Refused> {
    let Some(device) = declared.devices.iter().find(|device| (known.enrolled)(device.id)) else {
        return Ok(());
    };
    let reason =
        format!("{} {} is in the inventory already; expected a device that is not", device.kind, device.id);
    Err(Refused::new(Code::AlreadyEnrolled, reason))
}

fn meter_points(declared: &CommonInstallation, known: &Known<'_>) -> Result<(), Refused> {
    for meter in declared.devices.iter().filter(|device| is_meter(device.kind)) {
        let point = declared.meter_points.iter().find(|point| point.device == meter.id).ok_or_else(|| {
            let reason = format!("{} {} is declared without a meter point", meter.kind, meter.id);
            Refused::new(Code::MeterPointMissing, reason)
        })?;
        registered(point, known)?;
    }
    let stranger =
        declared.meter_points.iter().find(|point| !declared.devices.iter().any(|d| d.id == point.device));
    stranger.map_or(Ok(()), |point| {
        let reason = format!("meter point {} is of {}, which is not declared", point.number, point.device);
        Err(Refused::new(Code::DevicesIncomplete, reason))
    })
}

fn registered(point: &MeterPoint, known: &Known<'_>) -> Result<(), Refused> {
    let number = &point.number;
    match (known.registered)(number) {
        None => {
            let reason = format!("meter point {number} is in no registration data");
            Err(Refused::new(Code::NotRegistered, reason))
        }
        Some(supplier) if supplier != point.supplier => {
            let reason =
                format!("meter point {number}: {} is declared; {supplier} is registered", point.supplier);
            Err(Refused::new(Code::SupplierDiffers, reason))
        }
        Some(_) => Ok(()),
    }
}

/// Every fuel that a supplier operates needs that supplier's authorisation; what is dormant, the DCC's.
fn authorised(declared: &CommonInstallation, known: &Known<'_>) -> Result<(), Refused> {
    kind_agrees(declared)?;
    let mut given = Vec::new();
    for id in &declared.authorisations {
        given.push(holds(id, declared, known)?);
    }
    let needs_dcc = declared.kind != InstallationKind::Active;
    let dcc = given.iter().any(|authorisation| authorisation.by.role == PartyRole::MigrationControl);
    if needs_dcc && !dcc {
        let reason = format!("no authorisation of the DCC is named; a {} one needs it", declared.kind);
        return Err(Refused::new(Code::AuthorisationMissing, reason));
    }
    let active: BTreeSet<Eui64> =
        declared.meter_points.iter().filter(|point| point.active).map(|point| point.supplier).collect();
    for supplier in active {
        let by_supplier = |a: &&&Authorisation| a.by.role == PartyRole::ResponsibleSupplier;
        if given.iter().any(|a| by_supplier(&a) && a.by.id == supplier) {
            continue;
        }
        let (code, found) = match given.iter().find(by_supplier) {
            Some(other) => (Code::AuthorisationOfAnother, format!("it is authorised by {}", other.by)),
            None => (Code::AuthorisationMissing, "no supplier's authorisation is named".to_owned()),
        };
        return Err(Refused::new(code, format!("{found}; expected that of {supplier}, who operates it")));
    }
    Ok(())
}

fn kind_agrees(declared: &CommonInstallation) -> Result<(), Refused> {
    let active = declared.meter_points.iter().filter(|point| point.active).count();
    let found = match active {
        0 => InstallationKind::Dormant,
        all if all == declared.meter_points.len() => InstallationKind::Active,
        _ => InstallationKind::Mixed,
    };
    if found == declared.kind {
        return Ok(());
    }
    let of = declared.meter_points.len();
    let reason = format!(
        "it is declared {}, and suppliers operate {active} of its {of} meters: that is {}",
        declared.kind, found
    );
    Err(Refused::new(Code::AuthorisationForAnother, reason))
}

fn holds<'a>(
    id: &AuthorisationId,
    declared: &CommonInstallation,
    known: &Known<'a>,
) -> Result<&'a Authorisation, Refused> {
    let Some(given) = known.authorisations.get(id) else {
        return Err(Refused::new(Code::AuthorisationMissing, format!("there is no authorisation {id}")));
    };
    if given.installation != declared.installation || given.kind != declared.kind {
        let (of, kind) = (given.installation, given.kind);
        let reason = format!(
            "authorisation {id} is for {of}, {kind}; expected {}, {}",
            declared.installation, declared.kind
        );
        return Err(Refused::new(Code::AuthorisationForAnother, reason));
    }
    if known.now < given.from || known.now >= given.until {
        let reason = format!(
            "authorisation {id} holds from {} until {}; it is {}",
            given.from, given.until, known.now
        );
        return Err(Refused::new(Code::AuthorisationOutOfTime, reason));
    }
    Ok(given)
}

/// Checks what an S1SP brings of a validated installation: all of its devices, or all but those of gas that it said it left
/// out (GT01), with whoever
/// supplies each meter as the holder of its credentials, and the DCC for what is dormant.
///
/// # Errors
/// The first check that fails.
pub fn commissionable(
    declared: &CommonInstallation,
    without: &[Eui64],
    required: &[Eui64],
    joins: &Commissioned,
) -> Result<(), Refused> {
    let incomplete = |reason: String| Err(Refused::new(Code::DevicesIncomplete, reason));
    for device in &joins.devices {
        if !declared.devices.contains(device) {
            return incomplete(format!("{} {} is not as it was validated", device.kind, device.id));
        }
        if !required.contains(&device.id) {
            return incomplete(format!("{} {} is in no required file set", device.kind, device.id));
        }
    }
    for device in declared.devices.iter().filter(|device| !joins.devices.contains(device)) {
        if !without.contains(&device.id) {
            return incomplete(format!("{} {} would be left behind", device.kind, device.id));
        }
        if !is_gas(device.kind) {
            return incomplete(format!("{} {} is left out; only gas may be", device.kind, device.id));
        }
    }
    if let Some(device) = joins.devices.iter().find(|device| without.contains(&device.id)) {
        return incomplete(format!("{} {} joins, and was left out before", device.kind, device.id));
    }
    let held = |point: &MeterPoint| joins.devices.iter().any(|device| device.id == point.device);
    for point in declared.meter_points.iter().filter(|point| held(point)) {
        let expected = holder(point);
        let found = joins.holders.iter().find(|(meter, _)| *meter == point.device).map(|(_, holder)| *holder);
        if found != Some(expected) {
            let reason =
                format!("the credentials of {} are held by {found:?}; expected {expected:?}", point.device);
            return Err(Refused::new(Code::SupplierDiffers, reason));
        }
    }
    Ok(())
}

/// Who holds a meter's credentials once it is migrated.
pub const fn holder(point: &MeterPoint) -> Holder {
    if point.active { Holder::Supplier(point.supplier) } else { Holder::Dcc }
}

#[cfg(test)]
mod tests;
