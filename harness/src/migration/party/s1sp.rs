//! The S1SP as a party: opens the secrets it is handed, has its devices contacted, and says which it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use proto_duis::Eui64;
use proto_migration::{
    Address, Arrived, Body, Commissioned, CommonInstallation, Digest, FileName, GroupId, InstallationResult,
    OpeningKey, PartyRole, Ruling, Sealed, SealingKey, Secrets, Step, seal, unseal,
};

use super::wrapping::{self, Prewrapped};
use super::{
    BoxFuture, Contacts, KeyWrap, NoKeyWrap, Outgoing, Party, Refused, accepted, result, side_by_side,
};
use crate::migration::{Code, checks};

/// How often a network that is silent is asked within one attempt.
pub const MOST_CONTACTS: u8 = 3;

/// The S1SP in a migration. What it does at devices, its [`Contacts`] do.
pub struct S1spParty {
    me: Address,
    control: Address,
    commissioning: Address,
    opening: OpeningKey,
    contacts: Arc<dyn Contacts>,
    /// Who wraps keys, and what keys for it are sealed to.
    dco: (Address, SealingKey),
    groups: BTreeMap<GroupId, Group>,
}

/// What it has of one group.
#[derive(Default)]
struct Group {
    files: Vec<(FileName, Digest)>,
    common: Option<Digest>,
    /// What it said of its contacts, which the required file set follows.
    contacts: Option<Digest>,
    members: BTreeMap<Eui64, Member>,
    /// The contacts that wait for wrapped keys.
    waiting: Option<Waiting>,
}

/// Contacts that wait for wrapped keys.
struct Waiting {
    /// What released them, which the results of the contacts follow.
    released: Digest,
    /// The request, once it has its digest.
    request: Option<Digest>,
    viable: Vec<Eui64>,
    /// Of each installation that has keys: the new ones, and what was asked to be wrapped.
    asked: BTreeMap<Eui64, (Secrets, Secrets)>,
}

/// By what keys of each installation are changed; of those that are not there, none has any.
type Wraps = BTreeMap<Eui64, Result<Prewrapped, Refused>>;

/// What it has of one installation.
struct Member {
    declared: CommonInstallation,
    sealed: Option<Sealed>,
    /// Opened once the validation has released it.
    secrets: Option<Secrets>,
    /// The devices it leaves behind, once it has contacted all others.
    contacted: Option<Vec<Eui64>>,
}

impl std::fmt::Debug for S1spParty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S1spParty").field("me", &self.me).finish_non_exhaustive()
    }
}

impl S1spParty {
    /// Of this EUI-64, which opens what is sealed to it by `opening` and has keys wrapped by the `dco`.
    pub fn new(
        id: Eui64,
        (control, commissioning): (Address, Address),
        opening: OpeningKey,
        contacts: Arc<dyn Contacts>,
        dco: (Address, SealingKey),
    ) -> Self {
        let me = Address { role: PartyRole::S1sp, id };
        Self { me, control, commissioning, opening, contacts, dco, groups: BTreeMap::new() }
    }

    fn declared(&mut self, installations: &[CommonInstallation], file: &Arrived) {
        let member = |declared: &CommonInstallation| {
            let declared = declared.clone();
            (declared.installation, Member { declared, sealed: None, secrets: None, contacted: None })
        };
        let group = self.groups.entry(file.file.header.group.clone()).or_default();
        group.common = Some(file.digest);
        group.files = vec![(file.file.header.name.clone(), file.digest)];
        group.members.extend(installations.iter().map(member));
    }

    fn keep(&mut self, common: Digest, sealed: &[Sealed], file: &Arrived) -> Result<(), Refused> {
        let found = self.groups.get_mut(&file.file.header.group);
        let Some(group) = found.filter(|group| group.common == Some(common)) else {
            let reason = "the group file goes with a common file that is not the group's last";
            return Err(Refused::new(Code::FileUnexpected, reason));
        };
        group.files.push((file.file.header.name.clone(), file.digest));
        for sealed in sealed.iter().filter(|sealed| sealed.recipient == self.me) {
            if let Some(member) = group.members.get_mut(&sealed.installation) {
                member.sealed = Some(sealed.clone());
            }
        }
        Ok(())
    }

    /// The validation releases the secrets: they are opened, and looked at whether they are all that is needed.
    fn viability(&mut self, results: &[InstallationResult], file: &Arrived) -> Outgoing {
        let id = file.file.header.group.clone();
        let group = self.groups.entry(id.clone()).or_default();
        let mut found = Vec::new();
        for installation in accepted(results) {
            let member = group.members.get_mut(&installation);
            let viable = member.ok_or_else(|| not_declared(installation)).and_then(|member| {
                let secrets = opened(member, &self.opening)?;
                self.contacts.viable(&member.declared, &secrets)?;
                member.secrets = Some(secrets);
                Ok("every key is there".to_owned())
            });
            found.push(result(installation, viable));
        }
        let body = Body::Results { step: Step::Viability, installations: found };
        Outgoing { to: vec![self.control], follows: Some(file.digest), group: id, body }
    }

    /// Contacts the installations that are viable to the DCO too; first has it wrap new keys of those that have any.
    async fn contact(
        &mut self,
        results: &[InstallationResult],
        file: &Arrived,
    ) -> Result<Vec<Outgoing>, Refused> {
        let (id, released) = (file.file.header.group.clone(), file.digest);
        let viable: Vec<Eui64> = accepted(results).collect();
        let mut asked = BTreeMap::new();
        for installation in &viable {
            if let Some(keys) = self.to_wrap(&id, *installation)? {
                asked.insert(*installation, keys);
            }
        }
        if asked.is_empty() {
            return Ok(vec![self.contact_all(id, released, viable, &Wraps::new()).await]);
        }
        let (address, key) = &self.dco;
        let sealed =
            asked.iter().map(|(installation, (_, request))| seal(request, *installation, *address, key));
        let sealed = sealed.collect::<Result<_, _>>();
        let sealed = sealed.map_err(|error| Refused::new(Code::Lab, error.to_string()))?;
        let to = vec![self.control, *address];
        let group = self.groups.entry(id.clone()).or_default();
        group.waiting = Some(Waiting { released, request: None, viable, asked });
        let body = Body::KeyWrapRequest { sealed };
        Ok(vec![Outgoing { to, follows: Some(released), group: id, body }])
    }

    /// The new keys of an installation, and what is to be wrapped of it; none where no device of it has keys.
    fn to_wrap(&self, group: &GroupId, installation: Eui64) -> Result<Option<(Secrets, Secrets)>, Refused> {
        let member = self.groups.get(group).and_then(|group| group.members.get(&installation));
        let Some((member, handed)) = member.and_then(|member| Some((member, member.secrets.as_ref()?)))
        else {
            // It is not contacted, and its result says why.
            return Ok(None);
        };
        let made = self.contacts.new_keys(&member.declared, handed);
        let request = wrapping::request(&made, handed)?;
        Ok((!request.of.is_empty()).then_some((made, request)))
    }

    /// The DCO has wrapped the keys that were asked for: the contacts that waited for them begin.
    async fn wrapped(
        &mut self,
        results: &[InstallationResult],
        sealed: &[Sealed],
        file: &Arrived,
    ) -> Result<Outgoing, Refused> {
        let id = file.file.header.group.clone();
        let group = self.groups.get_mut(&id);
        let waiting = group.and_then(|group| {
            group
                .waiting
                .take_if(|waiting| waiting.request.is_some() && waiting.request == file.file.header.follows)
        });
        let Some(Waiting { released, viable, asked, .. }) = waiting else {
            let reason = "the wrapped keys answer no request of this S1SP that is open";
            return Err(Refused::new(Code::FileUnexpected, reason));
        };
        let wraps = asked.into_iter().map(|(installation, (made, request))| {
            (installation, self.wrap_of(installation, (made, &request), (results, sealed)))
        });
        let wraps: Wraps = wraps.collect();
        Ok(self.contact_all(id, released, viable, &wraps).await)
    }

    fn wrap_of(
        &self,
        installation: Eui64,
        (made, request): (Secrets, &Secrets),
        (results, sealed): (&[InstallationResult], &[Sealed]),
    ) -> Result<Prewrapped, Refused> {
        let ruling = results.iter().find(|result| result.installation == installation).map(|r| &r.ruling);
        if let Some(Ruling::Refused { code, reason }) = ruling {
            return Err(Refused::new(
                Code::of(code.as_str()).unwrap_or(Code::DualControl),
                reason.to_string(),
            ));
        }
        let sealed =
            sealed.iter().find(|sealed| (sealed.installation, sealed.recipient) == (installation, self.me));
        let sealed = sealed.ok_or_else(|| {
            Refused::new(Code::DualControl, format!("the DCO has wrapped no key of {installation}"))
        })?;
        let answer = unseal(sealed, &self.opening);
        let answer = answer.map_err(|error| Refused::new(Code::KeysUnreadable, error.to_string()))?;
        Prewrapped::of(made, request, answer)
    }

    async fn contact_all(
        &mut self,
        id: GroupId,
        released: Digest,
        viable: Vec<Eui64>,
        wraps: &Wraps,
    ) -> Outgoing {
        let contacts =
            viable.iter().map(|installation| self.contact_one(&id, *installation, wraps.get(installation)));
        let contacts = contacts.collect();
        let rulings = side_by_side(contacts).await;
        let mut found = Vec::new();
        for (installation, ruling) in viable.into_iter().zip(rulings) {
            let member = self.groups.get_mut(&id).and_then(|group| group.members.get_mut(&installation));
            if let (Some(member), Ok(Ruling::Accepted { without, .. })) = (member, &ruling) {
                member.contacted = Some(without.clone());
            }
            found.push(InstallationResult { installation, ruling: ruling.unwrap_or_else(Refused::ruling) });
        }
        let body = Body::Results { step: Step::DeviceContact, installations: found };
        Outgoing { to: vec![self.control, self.commissioning], follows: Some(released), group: id, body }
    }

    fn contact_one<'a>(
        &'a self,
        group: &GroupId,
        installation: Eui64,
        wrap: Option<&'a Result<Prewrapped, Refused>>,
    ) -> BoxFuture<'a, Result<Ruling, Refused>> {
        let member = self.groups.get(group).and_then(|group| group.members.get(&installation));
        Box::pin(async move {
            let member = member.ok_or_else(|| not_declared(installation))?;
            let Some(secrets) = &member.secrets else {
                let reason = format!("the S1SP has not found {installation} viable");
                return Err(Refused::new(Code::NotValidated, reason));
            };
            match wrap {
                None => self.contact_again(&member.declared, secrets, &NoKeyWrap).await,
                Some(Ok(wrap)) => self.contact_again(&member.declared, secrets, wrap).await,
                Some(Err(refused)) => Err(refused.clone()),
            }
        })
    }

    /// Contacts an installation; one whose network is silent again, a few times.
    async fn contact_again(
        &self,
        declared: &CommonInstallation,
        secrets: &Secrets,
        wrap: &dyn KeyWrap,
    ) -> Result<Ruling, Refused> {
        let mut asked = 0;
        loop {
            let report = self.contacts.contact(declared, secrets, wrap).await;
            asked += 1;
            let Some((device, refused)) = report.failure() else {
                let without = report.without();
                return Ok(Ruling::Accepted { said: report.said().into(), without });
            };
            if !refused.code.is_retried() || asked >= MOST_CONTACTS {
                let reason = format!("{device}, asked {asked} times: {}", refused.reason);
                let reason = if asked == 1 { format!("{device}: {}", refused.reason) } else { reason };
                return Err(Refused::new(refused.code, reason));
            }
            tracing::warn!(
                "migration of {}: {device}: {}: asked again",
                declared.installation,
                refused.reason
            );
        }
    }

    /// The installations it has whole, or electricity only; the commissioning file follows once this one has its digest. A
    /// demand for installations it has not contacted yet tells it what will come.
    fn file_set(&self, demanded: impl Iterator<Item = Eui64>, file: &Arrived) -> Option<Outgoing> {
        let id = file.file.header.group.clone();
        let group = self.groups.get(&id)?;
        let has = |installation: Eui64| Some((installation, self.devices(&id, installation)?));
        let installations: Vec<_> = demanded.filter_map(has).collect();
        if installations.is_empty() {
            return None;
        }
        let body = Body::RequiredFileSet { files: group.files.clone(), installations };
        let to = vec![self.control, self.commissioning];
        Some(Outgoing { to, follows: group.contacts, group: id, body })
    }

    fn joining(&self, group: &GroupId, installations: &[(Eui64, Vec<Eui64>)]) -> Vec<Commissioned> {
        let Some(group) = self.groups.get(group) else { return Vec::new() };
        let joins = |(installation, has): &(Eui64, Vec<Eui64>)| {
            let declared = &group.members.get(installation)?.declared;
            let devices =
                declared.devices.iter().filter(|device| has.contains(&device.id)).cloned().collect();
            let points = declared.meter_points.iter().filter(|point| has.contains(&point.device));
            let holders = points.map(|point| (point.device, checks::holder(point))).collect();
            Some(Commissioned { installation: *installation, devices, holders })
        };
        installations.iter().filter_map(joins).collect()
    }

    async fn hold(&mut self, results: &[InstallationResult], group: &GroupId) {
        let has: Vec<_> = accepted(results).filter_map(|id| Some((id, self.devices(group, id)?))).collect();
        for joined in self.joining(group, &has) {
            self.contacts.hold(joined.installation, &joined.holders).await;
        }
    }

    fn devices(&self, group: &GroupId, installation: Eui64) -> Option<Vec<Eui64>> {
        let member = self.groups.get(group)?.members.get(&installation)?;
        let without = member.contacted.as_ref()?;
        let devices = member.declared.devices.iter().map(|device| device.id);
        Some(devices.filter(|device| !without.contains(device)).collect())
    }

    /// What was forgotten, or lost with the process that changed it, is given back all the same: the contacts know.
    async fn give_back(&mut self, leaving: &[InstallationResult], file: &Arrived) -> Outgoing {
        if let Some(group) = self.groups.get_mut(&file.file.header.group) {
            leaving.iter().for_each(|left| drop(group.members.remove(&left.installation)));
        }
        let back = leaving.iter().map(|left| self.contacts.give_back(left.installation)).collect();
        let given = side_by_side(back).await;
        let given = given.into_iter().map(|given| given.map_err(|why| Refused::new(Code::KeyChange, why)));
        let found = leaving.iter().zip(given).map(|(left, given)| result(left.installation, given)).collect();
        let group = file.file.header.group.clone();
        let body = Body::Results { step: Step::Rollback, installations: found };
        Outgoing { to: vec![self.control], follows: Some(file.digest), group, body }
    }

    fn forget(&mut self, group: &GroupId, ended: impl Iterator<Item = Eui64>) {
        if let Some(group) = self.groups.get_mut(group) {
            ended.for_each(|id| drop(group.members.remove(&id)));
        }
        self.groups.retain(|_, group| !group.members.is_empty());
    }

    async fn taken(&mut self, file: &Arrived) -> Result<Vec<Outgoing>, Refused> {
        let group = &file.file.header.group;
        Ok(match &file.file.body {
            Body::Common { installations, .. } => {
                self.declared(installations, file);
                Vec::new()
            }
            Body::Group { common, sealed } => {
                self.keep(*common, sealed, file)?;
                Vec::new()
            }
            Body::Results { step: Step::DataValidation, installations } => {
                vec![self.viability(installations, file)]
            }
            Body::Results { step: Step::Viability, installations } => {
                self.contact(installations, file).await?
            }
            Body::WrappedKeys { installations, sealed } => {
                vec![self.wrapped(installations, sealed, file).await?]
            }
            Body::Results { step: Step::Commissioning, installations } => {
                self.hold(installations, group).await;
                Vec::new()
            }
            Body::Demand { installations } => {
                self.file_set(installations.iter().map(|(id, _)| *id), file).into_iter().collect()
            }
            Body::Rollback { installations } => vec![self.give_back(installations, file).await],
            Body::Outcome { installations } => {
                self.forget(group, installations.iter().map(|(result, _)| result.installation));
                Vec::new()
            }
            other => return Err(Refused::unexpected(self.me, other.kind())),
        })
    }
}

fn not_declared(installation: Eui64) -> Refused {
    Refused::new(Code::NotValidated, format!("{installation} is in no common file the S1SP has"))
}

fn opened(member: &Member, opening: &OpeningKey) -> Result<Secrets, Refused> {
    let Some(sealed) = &member.sealed else {
        let reason = format!("the group file has nothing for the S1SP of {}", member.declared.installation);
        return Err(Refused::new(Code::KeysMissing, reason));
    };
    unseal(sealed, opening).map_err(|error| Refused::new(Code::KeysUnreadable, error.to_string()))
}

impl Party for S1spParty {
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

    fn wrote(&mut self, file: &Outgoing, digest: Digest, _: Timestamp) -> Vec<Outgoing> {
        let installations = match &file.body {
            Body::RequiredFileSet { installations, .. } => installations,
            Body::Results { step: Step::DeviceContact, .. } => {
                if let Some(group) = self.groups.get_mut(&file.group) {
                    group.contacts = Some(digest);
                }
                return Vec::new();
            }
            Body::KeyWrapRequest { .. } => {
                let group = self.groups.get_mut(&file.group);
                if let Some(waiting) = group.and_then(|group| group.waiting.as_mut()) {
                    waiting.request = Some(digest);
                }
                return Vec::new();
            }
            _ => return Vec::new(),
        };
        let body = Body::Commissioning { installations: self.joining(&file.group, installations) };
        let to = vec![self.control, self.commissioning];
        vec![Outgoing { to, follows: Some(digest), group: file.group.clone(), body }]
    }

    fn only_knows(&self, body: &Body) -> bool {
        matches!(
            body,
            Body::Common { .. }
                | Body::Group { .. }
                | Body::Results { step: Step::DataValidation, .. }
                | Body::Outcome { .. }
        )
    }
}
