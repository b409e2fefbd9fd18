//! The Dual Control Organisation: it alone has the master keys, and lends them only for installations whose data were
//! validated. So neither it nor the S1SP can change a device's keys by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use proto_dlms::security::{Key, wrap_key};
use proto_duis::Eui64;
use proto_migration::{
    Address, Arrived, Body, GroupId, InstallationResult, OpeningKey, PartyRole, Sealed, Secret, SecretKind,
    Secrets, Step, unseal,
};

use super::{BoxFuture, KeyWrap, Outgoing, Party, Refused, accepted, result};
use crate::migration::Code;

/// The Dual Control Organisation. Clones are the same one: one takes files, another is lent to the S1SP as its [`KeyWrap`].
#[derive(Clone)]
pub struct Dco {
    me: Address,
    control: Address,
    /// Who acts on what it finds: the S1SP, and whoever follows the S1SP's files.
    readers: Vec<Address>,
    opening: Arc<OpeningKey>,
    held: Arc<Mutex<Held>>,
}

/// What it holds of installations on their way; nothing of it outlives their outcome.
#[derive(Default)]
struct Held {
    sealed: BTreeMap<(GroupId, Eui64), Sealed>,
    /// The master keys of devices whose installation was validated.
    masters: BTreeMap<Eui64, Master>,
}

struct Master {
    installation: Eui64,
    key: Key,
}

impl std::fmt::Debug for Dco {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dco").field("me", &self.me).finish_non_exhaustive()
    }
}

impl Dco {
    /// The organisation of this EUI-64, which opens what is sealed to it by `opening`.
    pub fn new(id: Eui64, control: Address, readers: Vec<Address>, opening: OpeningKey) -> Self {
        let me = Address { role: PartyRole::Dco, id };
        Self { me, control, readers, opening: Arc::new(opening), held: Arc::default() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // What is held is whole whatever a panicking holder did.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, group: &GroupId, sealed: &[Sealed]) {
        let mut held = self.held();
        for sealed in sealed.iter().filter(|sealed| sealed.recipient == self.me) {
            held.sealed.insert((group.clone(), sealed.installation), sealed.clone());
        }
    }

    /// The validation releases the secrets: from now on the master keys of these installations are lent.
    fn released(&self, group: &GroupId, results: &[InstallationResult]) -> Vec<InstallationResult> {
        accepted(results).map(|installation| result(installation, self.viable(group, installation))).collect()
    }

    fn viable(&self, group: &GroupId, installation: Eui64) -> Result<String, Refused> {
        let sealed = self.held().sealed.get(&(group.clone(), installation)).cloned();
        let sealed = sealed.ok_or_else(|| {
            let reason = format!("the group file has nothing for the DCO of {installation}");
            Refused::new(Code::KeysMissing, reason)
        })?;
        let secrets = unseal(&sealed, &self.opening)
            .map_err(|error| Refused::new(Code::KeysUnreadable, error.to_string()))?;
        let masters = masters(&secrets)?;
        let said = format!("{} master keys", masters.len());
        let mut held = self.held();
        for (device, key) in masters {
            held.masters.insert(device, Master { installation, key });
        }
        Ok(said)
    }

    fn forget(&self, group: &GroupId, ended: impl Iterator<Item = Eui64>) {
        let mut held = self.held();
        for installation in ended {
            held.sealed.remove(&(group.clone(), installation));
            held.masters.retain(|_, master| master.installation != installation);
        }
    }

    fn taken(&self, file: &Arrived) -> Result<Vec<Outgoing>, Refused> {
        let group = &file.file.header.group;
        match &file.file.body {
            Body::Demand { .. } | Body::Common { .. } => Ok(Vec::new()),
            Body::Group { sealed, .. } => {
                self.keep(group, sealed);
                Ok(Vec::new())
            }
            Body::Results { step: Step::DataValidation, installations } => {
                let body = Body::Results {
                    step: Step::Viability,
                    installations: self.released(group, installations),
                };
                let to = std::iter::once(self.control).chain(self.readers.iter().copied()).collect();
                Ok(vec![Outgoing { to, follows: Some(file.digest), group: group.clone(), body }])
            }
            Body::Outcome { installations } => {
                self.forget(group, installations.iter().map(|(result, _)| result.installation));
                Ok(Vec::new())
            }
            other => Err(Refused::unexpected(self.me, other.kind())),
        }
    }
}

fn masters(secrets: &Secrets) -> Result<Vec<(Eui64, Key)>, Refused> {
    let masters = secrets.of.iter().filter(|(_, _, kind, _)| *kind == SecretKind::MasterKey);
    let key = |(device, _, _, secret): &(Eui64, Option<u8>, SecretKind, Secret)| {
        let key = Key::try_from(secret.expose()).map_err(|error| {
            Refused::new(Code::KeysUnreadable, format!("the master key of {device} is {error}"))
        });
        Ok((*device, key?))
    };
    masters.map(key).collect()
}

impl Party for Dco {
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
}

impl KeyWrap for Dco {
    fn wrap<'a>(&'a self, device: Eui64, key: &'a Secret) -> BoxFuture<'a, Result<Vec<u8>, Refused>> {
        Box::pin(async move {
            let key = Key::try_from(key.expose());
            let key = key.map_err(|error| Refused::new(Code::DualControl, error.to_string()))?;
            let held = self.held();
            let master = held.masters.get(&device).ok_or_else(|| {
                let reason = format!(
                    "{device} is of no installation whose validation the DCO has seen, or came without a master key"
                );
                Refused::new(Code::NotValidated, reason)
            })?;
            Ok(wrap_key(&master.key, &key).to_vec())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proto_migration::{File, InstallationResult, Note, Ruling, seal};

    use super::*;

    fn address(role: PartyRole) -> Address {
        Address { role, id: Eui64::new([role as u8 + 1; 8]) }
    }

    fn arrived(from: PartyRole, body: Body) -> Arrived {
        let group = "G1".parse().expect("a group");
        let to = vec![address(PartyRole::Dco)];
        let file = File::new(address(from), to, group, 1, None, Timestamp::UNIX_EPOCH, body);
        Arrived { file, octets: Arc::from(&b""[..]), digest: proto_migration::Digest::of(b"") }
    }

    /// Neither before the validation is seen nor after the installation's outcome, and never for a device of another.
    #[tokio::test]
    async fn a_key_is_wrapped_only_between_the_validation_and_the_outcome_of_its_installation() {
        let (installation, device) = (Eui64::new([7; 8]), Eui64::new([8; 8]));
        let opening = OpeningKey::generate().expect("a key");
        let master = Secret::new(vec![5; 16]);
        let secrets = Secrets { of: vec![(device, None, SecretKind::MasterKey, master)] };
        let me = address(PartyRole::Dco);
        let sealed = seal(&secrets, installation, me, &opening.sealing_key()).expect("sealed");
        let mut dco = Dco::new(me.id, address(PartyRole::MigrationControl), Vec::new(), opening);
        let new = Secret::new(vec![6; 16]);
        let now = Timestamp::UNIX_EPOCH;
        let group = Body::Group { common: proto_migration::Digest::of(b""), sealed: vec![sealed] };
        dco.take(&arrived(PartyRole::RequestingParty, group), now).await.expect("taken");
        let early = dco.wrap(device, &new).await.expect_err("no validation yet");
        assert_eq!(early.code, Code::NotValidated);

        let passed = Ruling::Accepted { said: Note::default(), without: Vec::new() };
        let result = InstallationResult { installation, ruling: passed };
        let step = Step::DataValidation;
        let released = Body::Results { step, installations: vec![result.clone()] };
        let answers = dco.take(&arrived(PartyRole::CommissioningParty, released), now).await.expect("taken");
        assert_eq!(answers.len(), 1, "it says that it is viable");
        let wrapped = dco.wrap(device, &new).await.expect("wrapped");
        let (master, new_key) = (Key::new([5; 16]), Key::new([6; 16]));
        assert_eq!(proto_dlms::security::unwrap_key(&master, &wrapped), Some(new_key));
        assert!(dco.wrap(Eui64::new([9; 8]), &new).await.is_err(), "a device of nobody's");

        let class = proto_migration::OutcomeClass::Migrated;
        let outcome = Body::Outcome { installations: vec![(result, class)] };
        dco.take(&arrived(PartyRole::MigrationControl, outcome), now).await.expect("taken");
        assert_eq!(dco.wrap(device, &new).await.expect_err("over").code, Code::NotValidated);
    }

    #[tokio::test]
    async fn what_was_sealed_to_another_key_does_not_open_and_what_is_not_there_is_missing() {
        let installation = Eui64::new([7; 8]);
        let [own, other] = [(); 2].map(|()| OpeningKey::generate().expect("a key"));
        let me = address(PartyRole::Dco);
        let sealed = seal(&Secrets::default(), installation, me, &other.sealing_key()).expect("sealed");
        let dco = Dco::new(me.id, address(PartyRole::MigrationControl), Vec::new(), own);
        let group: GroupId = "G1".parse().expect("a group");
        assert_eq!(dco.viable(&group, installation).expect_err("nothing").code, Code::KeysMissing);
        dco.keep(&group, &[sealed]);
        assert_eq!(dco.viable(&group, installation).expect_err("another's").code, Code::KeysUnreadable);
    }
}
