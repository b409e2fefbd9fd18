//! What a lab file says of the installation on a rig: what everybody in its migration goes by, in a run of scripts as in a batch.

use std::collections::{BTreeMap, BTreeSet};

use lab_config::{DeviceKind, EpclEntry, Eui64, Lab, MeterPointNumber, Rig, RigDevice};
use proto_migration::{Address, MeterPoint, PartyRole};

use crate::migration::checks::EligibleEntry;
use crate::migration::text;

/// A rig, and the entry its installation is migrated under.
pub(super) type Entered<'l> = (&'l Rig, &'l EpclEntry);

/// The name of an installation: the EUI-64 of its communications hub. One without is refused by data validation before its
/// name matters.
pub(super) fn installation(rig: &Rig) -> Eui64 {
    let named = rig.device(DeviceKind::Chf).or(rig.devices().next());
    named.map_or(Eui64::new([0; 8]), |device| device.eui64)
}

/// The meter points of a rig, with the suppliers its SMSO knows of: those that are registered.
pub(super) fn meter_points(lab: &Lab, (rig, entry): Entered<'_>) -> Vec<MeterPoint> {
    let point = |device: &RigDevice| {
        let number: &MeterPointNumber = device.meter_point.as_ref()?;
        let supplier = lab.registration(number)?.supplier;
        let active = entry.is_active(number.fuel());
        Some(MeterPoint { device: device.eui64, number: text::shortened(number.as_str()), supplier, active })
    };
    rig.devices().filter_map(point).collect()
}

/// The suppliers that operate a meter of each installation, for those that have any.
pub(super) fn operated(lab: &Lab, rigs: &[Entered<'_>]) -> BTreeMap<Eui64, Vec<Address>> {
    let of = |(rig, entry): &Entered<'_>| (installation(rig), operating(lab, (rig, entry)));
    rigs.iter().map(of).filter(|(_, suppliers)| !suppliers.is_empty()).collect()
}

/// The suppliers that operate a meter of the installation on a rig.
pub(super) fn operating(lab: &Lab, entered: Entered<'_>) -> Vec<Address> {
    let active = meter_points(lab, entered).into_iter().filter(|point| point.active);
    let ids: BTreeSet<Eui64> = active.map(|point| point.supplier).collect();
    ids.into_iter().map(|id| Address { role: PartyRole::ResponsibleSupplier, id }).collect()
}

/// The entries of these rigs, and those they stand for, each once.
pub(super) fn eligible(lab: &Lab, rigs: &[Entered<'_>]) -> Vec<EligibleEntry> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (rig, entry) in rigs.iter().filter(|(_, entry)| seen.insert(entry.id.clone())) {
        let entries = std::iter::once(*entry).chain(lab.stood_for_by(entry));
        all.extend(entries.map(|entry| EligibleEntry::of(entry, &rig.combination)));
    }
    all
}
