//! The Requesting Party: puts the files of a group together on behalf of the SMSO, and never sees a secret.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proto_duis::Eui64;
use proto_migration::{
    Address, Arrived, AuthorisationId, Body, CommonInstallation, Digest, Estate, FileKind, GroupId,
    PartyRole, Sealed, Text,
};

use super::{BoxFuture, Outgoing, Party, Refused, result};
use crate::migration::Code;

/// Whom the Requesting Party writes to.
#[derive(Debug, Clone)]
pub struct Correspondents {
    /// Migration control.
    pub control: Address,
    /// The SMSO whose installations it brings.
    pub smso: Address,
    /// Who validates.
    pub commissioning: Address,
    /// Who takes the devices over.
    pub s1sp: Address,
    /// The other half of dual control.
    pub dco: Address,
}

/// The Requesting Party.
#[derive(Debug)]
pub struct RequestingParty {
    me: Address,
    with: Correspondents,
    smso_name: Text,
    authorised: BTreeMap<AuthorisationId, Eui64>,
    groups: BTreeMap<GroupId, Brought>,
}

/// What it brings of one group.
#[derive(Debug, Default)]
struct Brought {
    /// The installations it said it would bring, once it has been asked; each attempt is asked for anew.
    answered: BTreeMap<Eui64, Vec<AuthorisationId>>,
    /// The demand that the common file answers.
    demand: Option<Digest>,
    /// What goes into the group file once the common file has its digest.
    sealed: Vec<Sealed>,
}

impl RequestingParty {
    /// Of this SMSO.
    pub fn new(id: Eui64, smso_name: Text, with: Correspondents) -> Self {
        let me = Address { role: PartyRole::RequestingParty, id };
        Self { me, with, smso_name, authorised: BTreeMap::new(), groups: BTreeMap::new() }
    }

    /// The first demand of an attempt is answered; the second, for the same installations, is passed on to the SMSO.
    fn demanded(
        &mut self,
        demanded: &[(Eui64, Vec<AuthorisationId>)],
        file: &Arrived,
    ) -> Result<Vec<Outgoing>, Refused> {
        let group = file.file.header.group.clone();
        let brought = self.groups.entry(group.clone()).or_default();
        let again: Vec<_> = demanded.iter().map(|(id, _)| *id).collect();
        if !again.is_empty() && again.iter().all(|id| brought.answered.contains_key(id)) {
            brought.demand = Some(file.digest);
            let to = vec![self.with.smso, self.with.control];
            let body = Body::Demand { installations: demanded.to_vec() };
            return Ok(vec![Outgoing { to, follows: None, group, body }]);
        }
        let mut installations = Vec::new();
        for (installation, under) in demanded {
            let known = known(&self.authorised, *installation, under);
            if known.is_ok() {
                brought.answered.insert(*installation, under.clone());
            }
            installations.push(result(*installation, known));
        }
        let body = Body::Response { installations };
        Ok(vec![Outgoing { to: vec![self.with.control], follows: Some(file.digest), group, body }])
    }

    fn put_together(&mut self, estates: &[Estate], file: &Arrived) -> Result<Vec<Outgoing>, Refused> {
        let group = file.file.header.group.clone();
        let Some(brought) = self.groups.get_mut(&group) else {
            return Err(Refused::unexpected(self.me, FileKind::Estate));
        };
        let mine = estates.iter().filter(|estate| brought.answered.contains_key(&estate.common.installation));
        let (mut installations, mut sealed) = (Vec::new(), Vec::new());
        for estate in mine {
            let authorisations = brought.answered[&estate.common.installation].clone();
            installations.push(CommonInstallation { authorisations, ..estate.common.clone() });
            sealed.extend(estate.sealed.iter().cloned());
        }
        if installations.is_empty() {
            let reason = format!("the SMSO knows none of the installations of group {group}");
            return Err(Refused::new(Code::NotBrought, reason));
        }
        brought.sealed = sealed;
        let to = vec![self.with.control, self.with.commissioning, self.with.s1sp, self.with.dco];
        let body = Body::Common { smso: self.smso_name.clone(), installations };
        Ok(vec![Outgoing { to, follows: brought.demand, group, body }])
    }

    /// Authorisations come one by one, a mixed installation's from the DCC and from its supplier. The first that comes once the
    /// installation was brought under others is of a new attempt: those and what was said under them are void.
    fn authorised(&mut self, authorisation: &AuthorisationId, installation: Eui64) {
        let brought = self.groups.values_mut().filter_map(|brought| brought.answered.remove(&installation));
        if brought.count() > 0 {
            self.authorised.retain(|_, of| *of != installation);
        }
        self.authorised.insert(authorisation.clone(), installation);
    }

    fn forget(&mut self, group: &GroupId, ended: &BTreeSet<Eui64>) {
        self.authorised.retain(|_, of| !ended.contains(of));
        if let Some(brought) = self.groups.get_mut(group) {
            brought.answered.retain(|of, _| !ended.contains(of));
            if brought.answered.is_empty() {
                self.groups.remove(group);
            }
        }
    }

    fn taken(&mut self, file: &Arrived) -> Result<Vec<Outgoing>, Refused> {
        match &file.file.body {
            Body::Authorisation { authorisation, installation, .. } => {
                self.authorised(authorisation, *installation);
                Ok(Vec::new())
            }
            Body::Demand { installations } => self.demanded(installations, file),
            Body::Estate { installations } => self.put_together(installations, file),
            Body::Results { .. } => Ok(Vec::new()),
            Body::Outcome { installations } => {
                let ended = installations.iter().map(|(result, _)| result.installation).collect();
                self.forget(&file.file.header.group, &ended);
                Ok(Vec::new())
            }
            other => Err(Refused::unexpected(self.me, other.kind())),
        }
    }
}

fn known(
    authorised: &BTreeMap<AuthorisationId, Eui64>,
    installation: Eui64,
    under: &[AuthorisationId],
) -> Result<String, Refused> {
    if under.is_empty() {
        let reason = format!("{installation} is demanded under no authorisation");
        return Err(Refused::new(Code::AuthorisationMissing, reason));
    }
    match under.iter().find(|id| authorised.get(*id) != Some(&installation)) {
        None => Ok("brought".to_owned()),
        Some(id) => {
            let reason = format!("authorisation {id} of {installation} has not been seen");
            Err(Refused::new(Code::AuthorisationMissing, reason))
        }
    }
}

impl Party for RequestingParty {
    fn address(&self) -> Address {
        self.me
    }

    fn take<'a>(
        &'a mut self,
        file: &'a Arrived,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Outgoing>, Refused>> {
        Box::pin(async move { self.taken(file) })
    }

    fn wrote(&mut self, file: &Outgoing, digest: Digest, _: Timestamp) -> Vec<Outgoing> {
        if file.body.kind() != FileKind::Common {
            return Vec::new();
        }
        let sealed = self.groups.get_mut(&file.group).map(|brought| std::mem::take(&mut brought.sealed));
        let body = Body::Group { common: digest, sealed: sealed.unwrap_or_default() };
        let to = vec![self.with.control, self.with.s1sp, self.with.dco];
        vec![Outgoing { to, follows: Some(digest), group: file.group.clone(), body }]
    }
}

#[cfg(test)]
mod tests {
    use proto_migration::{File, Ruling};

    use super::*;

    const HUB: Eui64 = Eui64::new([7; 8]);

    fn at(role: PartyRole) -> Address {
        Address { role, id: Eui64::new([role as u8; 8]) }
    }

    fn party() -> RequestingParty {
        let with = Correspondents {
            control: at(PartyRole::MigrationControl),
            smso: at(PartyRole::Smso),
            commissioning: at(PartyRole::CommissioningParty),
            s1sp: at(PartyRole::S1sp),
            dco: at(PartyRole::Dco),
        };
        RequestingParty::new(at(PartyRole::RequestingParty).id, "an SMSO".parse().expect("a name"), with)
    }

    fn arrived(body: Body) -> Arrived {
        let to = vec![at(PartyRole::RequestingParty)];
        let group = "G1".parse().expect("a name");
        let file =
            File::new(at(PartyRole::MigrationControl), to, group, 1, None, Timestamp::UNIX_EPOCH, body);
        Arrived { file, octets: Vec::new().into(), digest: Digest::of(b"a file") }
    }

    fn authorised(party: &mut RequestingParty, name: &str) {
        let given = Timestamp::UNIX_EPOCH;
        let body = Body::Authorisation {
            authorisation: name.parse().expect("a name"),
            installation: HUB,
            kind: proto_migration::InstallationKind::Mixed,
            from: given,
            until: given,
        };
        assert_eq!(party.taken(&arrived(body)), Ok(Vec::new()));
    }

    /// Whether it brings the installation under these.
    fn brings(party: &mut RequestingParty, under: &[&str]) -> bool {
        let under = under.iter().map(|name| name.parse().expect("a name")).collect();
        let demand = arrived(Body::Demand { installations: vec![(HUB, under)] });
        let said = party.taken(&demand).expect("an answer");
        match &said[0].body {
            Body::Response { installations } => matches!(installations[0].ruling, Ruling::Accepted { .. }),
            other => panic!("{other:?}"),
        }
    }

    /// An attempt whose end nobody told, because control was killed, does not stand in the way of the next.
    #[test]
    fn a_mixed_installation_is_brought_under_both_authorisations_of_each_attempt() {
        let mut party = party();
        for attempt in ["FIRST", "SECOND", "THIRD"] {
            let names = [format!("MA_DCC_{attempt}"), format!("MA_SUPPLIER_{attempt}")];
            names.iter().for_each(|name| authorised(&mut party, name));
            assert!(brings(&mut party, &[&names[0], &names[1]]), "{attempt}");
        }
        assert!(
            !brings(&mut RequestingParty { groups: BTreeMap::new(), ..party }, &["MA_DCC_FIRST"]),
            "it is void"
        );
    }
}
