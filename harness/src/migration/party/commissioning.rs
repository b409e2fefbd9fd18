//! The Commissioning Party, with the DSP at its side: checks what is declared, and puts what has arrived into the inventory.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use proto_duis::Eui64;
use proto_migration::{
    Address, Arrived, AuthorisationId, Body, Commissioned, CommonInstallation, GroupId, InstallationResult,
    PartyRole, Ruling, Step, Text,
};

use super::{BoxFuture, Outgoing, Party, Refused, result};
use crate::migration::Code;
use crate::migration::checks::{self, Authorisation, EligibleEntry, Known};

/// The Data Service Provider, as the Commissioning Party asks it: registration data and the inventory.
pub trait Dsp: Send + Sync {
    /// The supplier registered for a meter point that is supplied.
    fn registered(&self, meter_point: &Text) -> Option<Eui64>;

    /// Whether the inventory has this device.
    fn in_inventory(&self, device: Eui64) -> bool;

    /// Puts an installation's devices into the inventory, commissioned: all of them or none. One that was there before from
    /// the same migration is no error.
    ///
    /// # Errors
    /// Why not, in words.
    fn enrol(&self, joins: &Commissioned, declared: &CommonInstallation) -> Result<(), String>;

    /// Takes whatever a migration put there of an installation out of it, and says how many devices that were. An
    /// installation that is not there has left already.
    ///
    /// # Errors
    /// Why not, in words.
    fn withdraw(&self, installation: Eui64) -> Result<usize, String>;
}

/// The Commissioning Party.
pub struct CommissioningParty {
    me: Address,
    control: Address,
    /// Who learns what came of a validation.
    readers: Vec<Address>,
    s1sp: Address,
    epcl: Vec<EligibleEntry>,
    dsp: Arc<dyn Dsp>,
    authorisations: BTreeMap<AuthorisationId, Authorisation>,
    groups: BTreeMap<GroupId, Seen>,
}

/// What it has seen of one group.
#[derive(Debug, Default)]
struct Seen {
    /// What passed data validation, as it was declared.
    validated: BTreeMap<Eui64, CommonInstallation>,
    /// What the S1SP has contacted, with the devices it left out.
    contacted: BTreeMap<Eui64, Vec<Eui64>>,
    /// What the S1SP says it has.
    required: BTreeMap<Eui64, Vec<Eui64>>,
}

impl std::fmt::Debug for CommissioningParty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CommissioningParty").field("me", &self.me).finish_non_exhaustive()
    }
}

impl CommissioningParty {
    /// Of this EUI-64. `readers` are those who act on a validation; `epcl` are the entries it may match.
    pub fn new(
        id: Eui64,
        (control, s1sp): (Address, Address),
        readers: Vec<Address>,
        epcl: Vec<EligibleEntry>,
        dsp: Arc<dyn Dsp>,
    ) -> Self {
        let me = Address { role: PartyRole::CommissioningParty, id };
        let (authorisations, groups) = (BTreeMap::new(), BTreeMap::new());
        Self { me, control, readers, s1sp, epcl, dsp, authorisations, groups }
    }

    fn authorised(&mut self, file: &Arrived) {
        let Body::Authorisation { authorisation, installation, kind, from, until } = &file.file.body else {
            return;
        };
        let (installation, kind, from, until) = (*installation, *kind, *from, *until);
        let given = Authorisation { by: file.file.header.from, installation, kind, from, until };
        self.authorisations.insert(authorisation.clone(), given);
    }

    fn validate(
        &mut self,
        smso: &Text,
        declared: &[CommonInstallation],
        file: &Arrived,
        now: Timestamp,
    ) -> Outgoing {
        let group = file.file.header.group.clone();
        let known = Known {
            smso,
            epcl: &self.epcl,
            enrolled: &|device| self.dsp.in_inventory(device),
            registered: &|point| self.dsp.registered(point),
            authorisations: &self.authorisations,
            now,
        };
        let found: Vec<_> = declared.iter().map(|one| (one, checks::validate(one, &known))).collect();
        let seen = self.groups.entry(group.clone()).or_default();
        for (one, _) in found.iter().filter(|(_, found)| found.is_ok()) {
            seen.validated.insert(one.installation, (*one).clone());
            seen.contacted.remove(&one.installation);
            seen.required.remove(&one.installation);
        }
        let installations = found.into_iter().map(|(one, found)| result(one.installation, found)).collect();
        let body = Body::Results { step: Step::DataValidation, installations };
        let to = std::iter::once(self.control).chain(self.readers.iter().copied()).collect();
        Outgoing { to, follows: Some(file.digest), group, body }
    }

    fn commission(&self, joins: &[Commissioned], file: &Arrived) -> Outgoing {
        let group = file.file.header.group.clone();
        let seen = self.groups.get(&group);
        let installations =
            joins.iter().map(|joins| result(joins.installation, self.joined(joins, seen))).collect();
        let body = Body::Results { step: Step::Commissioning, installations };
        Outgoing { to: vec![self.control, self.s1sp], follows: Some(file.digest), group, body }
    }

    fn joined(&self, joins: &Commissioned, seen: Option<&Seen>) -> Result<String, Refused> {
        let declared = seen.and_then(|seen| seen.validated.get(&joins.installation)).ok_or_else(|| {
            let reason = format!("{} has not passed data validation", joins.installation);
            Refused::new(Code::NotValidated, reason)
        })?;
        let without = seen.and_then(|seen| seen.contacted.get(&joins.installation)).ok_or_else(|| {
            let reason = format!("the S1SP has not said that it contacted {}", joins.installation);
            Refused::new(Code::NotValidated, reason)
        })?;
        let required = seen.and_then(|seen| seen.required.get(&joins.installation));
        checks::commissionable(declared, without, required.map_or(&[], Vec::as_slice), joins)?;
        let enrolled = self.dsp.enrol(joins, declared);
        enrolled.map_err(|reason| Refused::new(Code::Inventory, reason))?;
        Ok(format!("{} devices commissioned in the inventory", joins.devices.len()))
    }

    fn withdraw(&self, leaving: &[InstallationResult], file: &Arrived) -> Outgoing {
        let withdrawn = |installation: Eui64| match self.dsp.withdraw(installation) {
            Ok(0) => Ok("the inventory has none of its devices".to_owned()),
            Ok(_) => Ok("devices left the inventory".to_owned()),
            Err(reason) => Err(Refused::new(Code::Inventory, reason)),
        };
        let installations =
            leaving.iter().map(|left| result(left.installation, withdrawn(left.installation))).collect();
        let body = Body::Results { step: Step::Rollback, installations };
        let group = file.file.header.group.clone();
        Outgoing { to: vec![self.control], follows: Some(file.digest), group, body }
    }

    fn forget(&mut self, group: &GroupId, ended: &[Eui64]) {
        self.authorisations.retain(|_, given| !ended.contains(&given.installation));
        if let Some(seen) = self.groups.get_mut(group) {
            seen.validated.retain(|id, _| !ended.contains(id));
            seen.contacted.retain(|id, _| !ended.contains(id));
            seen.required.retain(|id, _| !ended.contains(id));
        }
        self.groups.retain(|_, seen| !seen.validated.is_empty());
    }

    fn taken(&mut self, file: &Arrived, now: Timestamp) -> Result<Vec<Outgoing>, Refused> {
        let group = &file.file.header.group;
        Ok(match &file.file.body {
            Body::Authorisation { .. } => {
                self.authorised(file);
                Vec::new()
            }
            Body::Demand { .. } | Body::Results { step: Step::Viability, .. } => Vec::new(),
            Body::Results { step: Step::DeviceContact, installations } => {
                let seen = self.groups.entry(group.clone()).or_default();
                seen.contacted.extend(installations.iter().filter_map(contacted));
                Vec::new()
            }
            Body::Common { smso, installations } => vec![self.validate(smso, installations, file, now)],
            Body::RequiredFileSet { installations, .. } => {
                let seen = self.groups.entry(group.clone()).or_default();
                seen.required.extend(installations.iter().cloned());
                Vec::new()
            }
            Body::Commissioning { installations } => vec![self.commission(installations, file)],
            Body::Rollback { installations } => vec![self.withdraw(installations, file)],
            Body::Outcome { installations } => {
                let ended: Vec<Eui64> = installations.iter().map(|(result, _)| result.installation).collect();
                self.forget(group, &ended);
                Vec::new()
            }
            other => return Err(Refused::unexpected(self.me, other.kind())),
        })
    }
}

/// The devices left out of an installation that was contacted.
fn contacted(result: &InstallationResult) -> Option<(Eui64, Vec<Eui64>)> {
    match &result.ruling {
        Ruling::Accepted { without, .. } => Some((result.installation, without.clone())),
        Ruling::Refused { .. } => None,
    }
}

impl Party for CommissioningParty {
    fn address(&self) -> Address {
        self.me
    }

    fn take<'a>(
        &'a mut self,
        file: &'a Arrived,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Outgoing>, Refused>> {
        Box::pin(async move { self.taken(file, now) })
    }

    fn only_knows(&self, body: &Body) -> bool {
        !matches!(body, Body::Commissioning { .. } | Body::Rollback { .. })
    }
}
