//! The SMSO as a party: says what it knows of its installations, makes them ready, and takes them back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use proto_duis::{DeviceKind, Eui64};
use proto_migration::{
    Address, Arrived, Body, CommonInstallation, Device, Estate, InstallationResult, PartyRole, SealError,
    Sealed, SealingKey, Secrets, Step, Text, seal,
};

use super::{BoxFuture, KnownEstate, Outgoing, Party, Refused, Smso, result, side_by_side};
use crate::migration::Code;

/// Part of a Device Model, as an SMSO may have it wrong in its books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// Manufacturer.
    Manufacturer,
    /// Model.
    Model,
    /// Hardware version.
    Hardware,
    /// Firmware version.
    Firmware,
    /// Configuration version.
    Configuration,
}

/// What an SMSO declares of a device that is not so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// Part of its Device Model.
    Model(Property, Text),
    /// Its meter point.
    MeterPoint(Text),
    /// The supplier of its meter point.
    Supplier(Eui64),
    /// It is not declared at all.
    LeftOut,
}

/// What a script has an SMSO declare wrongly. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Misdeclared(Arc<Mutex<Vec<(DeviceKind, Wrong)>>>);

impl Misdeclared {
    /// From now on these, and no others.
    pub fn set(&self, wrong: Vec<(DeviceKind, Wrong)>) {
        *self.locked() = wrong;
    }

    fn applied(&self, mut common: CommonInstallation) -> CommonInstallation {
        for (kind, wrong) in self.locked().iter() {
            let of_kind = |device: &&mut Device| device.kind == *kind;
            if let Some(device) = common.devices.iter_mut().find(of_kind) {
                let points = common.meter_points.iter_mut().filter(|point| point.device == device.id);
                match wrong {
                    Wrong::Model(property, value) => *property.of(device) = value.clone(),
                    Wrong::MeterPoint(number) => points.for_each(|point| point.number = number.clone()),
                    Wrong::Supplier(supplier) => points.for_each(|point| point.supplier = *supplier),
                    Wrong::LeftOut => {}
                }
            }
            if *wrong == Wrong::LeftOut {
                let left: Vec<Eui64> =
                    common.devices.iter().filter(|d| d.kind == *kind).map(|d| d.id).collect();
                common.devices.retain(|device| !left.contains(&device.id));
                common.meter_points.retain(|point| !left.contains(&point.device));
            }
        }
        common
    }

    fn locked(&self) -> MutexGuard<'_, Vec<(DeviceKind, Wrong)>> {
        // A list is whole whatever a panicking holder did.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Property {
    const fn of(self, device: &mut Device) -> &mut Text {
        match self {
            Self::Manufacturer => &mut device.manufacturer,
            Self::Model => &mut device.model,
            Self::Hardware => &mut device.hardware,
            Self::Firmware => &mut device.firmware,
            Self::Configuration => &mut device.configuration,
        }
    }
}

/// Those whom an SMSO seals secrets to.
pub struct SealedTo {
    /// The S1SP.
    pub s1sp: (Address, SealingKey),
    /// The Dual Control Organisation.
    pub dco: (Address, SealingKey),
}

/// The SMSO in a migration. What it does at devices, its [`Smso`] does.
pub struct SmsoParty {
    me: Address,
    control: Address,
    requesting: Address,
    to: SealedTo,
    devices: Arc<dyn Smso>,
    misdeclared: Misdeclared,
}

impl std::fmt::Debug for SmsoParty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmsoParty").field("me", &self.me).finish_non_exhaustive()
    }
}

impl SmsoParty {
    /// Of this EUI-64.
    pub fn new(
        id: Eui64,
        (control, requesting): (Address, Address),
        to: SealedTo,
        devices: Arc<dyn Smso>,
        misdeclared: Misdeclared,
    ) -> Self {
        let me = Address { role: PartyRole::Smso, id };
        Self { me, control, requesting, to, devices, misdeclared }
    }

    /// The Requesting Party asks for what is known, migration control for what is to be made ready.
    async fn demanded(&self, wanted: &[Eui64], file: &Arrived) -> Result<Outgoing, Refused> {
        let (group, follows) = (file.file.header.group.clone(), Some(file.digest));
        if file.file.header.from == self.control {
            let prepared = wanted.iter().map(|id| self.devices.prepare(*id)).collect();
            let prepared = side_by_side(prepared).await;
            let installations = wanted.iter().zip(prepared).map(|(id, found)| result(*id, found)).collect();
            let body = Body::Results { step: Step::Preparation, installations };
            return Ok(Outgoing { to: vec![self.control], follows, group, body });
        }
        let mut installations = Vec::new();
        for id in wanted {
            // One that is not its own is left out; whoever asked sees that it is missing.
            if let Ok(known) = self.devices.estate(*id).await {
                installations.push(self.sealed(known)?);
            }
        }
        if installations.is_empty() {
            let reason = format!("none of the installations of group {group} is this SMSO's");
            return Err(Refused::new(Code::NotBrought, reason));
        }
        let body = Body::Estate { installations };
        Ok(Outgoing { to: vec![self.requesting, self.control], follows, group, body })
    }

    fn sealed(&self, known: KnownEstate) -> Result<Estate, Refused> {
        let KnownEstate { common, for_s1sp, for_dco } = known;
        let installation = common.installation;
        let one = |secrets: &Secrets, (address, key): &(Address, SealingKey)| -> Result<Sealed, SealError> {
            seal(secrets, installation, *address, key)
        };
        let unsealed = |error: SealError| Refused::new(Code::Lab, format!("{installation}: {error}"));
        let sealed = vec![
            one(&for_s1sp, &self.to.s1sp).map_err(unsealed)?,
            one(&for_dco, &self.to.dco).map_err(unsealed)?,
        ];
        Ok(Estate { common: self.misdeclared.applied(common), sealed })
    }

    async fn taken_back(&self, leaving: &[InstallationResult], file: &Arrived) -> Outgoing {
        let reached = leaving.iter().map(|left| self.devices.reach(left.installation)).collect();
        let reached = side_by_side(reached).await;
        let found = leaving.iter().zip(reached).map(|(left, found)| result(left.installation, found));
        let installations = found.collect();
        let body = Body::Results { step: Step::Rollback, installations };
        let group = file.file.header.group.clone();
        Outgoing { to: vec![self.control], follows: Some(file.digest), group, body }
    }

    async fn taken(&self, file: &Arrived) -> Result<Vec<Outgoing>, Refused> {
        match &file.file.body {
            Body::Demand { installations } => {
                let wanted: Vec<Eui64> = installations.iter().map(|(id, _)| *id).collect();
                Ok(vec![self.demanded(&wanted, file).await?])
            }
            Body::Rollback { installations } => Ok(vec![self.taken_back(installations, file).await]),
            Body::Outcome { .. } => Ok(Vec::new()),
            other => Err(Refused::unexpected(self.me, other.kind())),
        }
    }
}

impl Party for SmsoParty {
    fn address(&self) -> Address {
        self.me
    }

    fn take<'a>(
        &'a mut self,
        file: &'a Arrived,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Outgoing>, Refused>> {
        Box::pin(self.taken(file))
    }

    fn only_knows(&self, body: &Body) -> bool {
        matches!(body, Body::Outcome { .. })
    }
}
