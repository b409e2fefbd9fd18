//! The Dual Control Organisation: it alone has the master keys, and wraps new keys by them only for installations whose data were
//! validated. So neither it nor the S1SP can change a device's keys by itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proto_dlms::security::{Key, wrap_key};
use proto_duis::Eui64;
use proto_migration::{
    Address, Arrived, Body, GroupId, InstallationResult, OpeningKey, PartyRole, Sealed, SealingKey, Secret,
    SecretKind, Secrets, Step, seal, unseal,
};

use super::wrapping::is_key;
use super::{BoxFuture, Outgoing, Party, Refused, accepted, result};
use crate::migration::Code;

/// The Dual Control Organisation.
pub struct Dco {
    me: Address,
    control: Address,
    /// Who asks for wrapped keys, and what they are sealed to.
    s1sp: (Address, SealingKey),
    /// Who acts on what it finds besides the S1SP.
    commissioning: Address,
    opening: OpeningKey,
    /// What it holds of installations on their way; nothing of it outlives their outcome.
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
    /// The organisation of this EUI-64, which opens what is sealed to it by `opening`, and seals wrapped keys to the S1SP.
    pub fn new(
        id: Eui64,
        (control, commissioning): (Address, Address),
        s1sp: (Address, SealingKey),
        opening: OpeningKey,
    ) -> Self {
        let me = Address { role: PartyRole::Dco, id };
        let (sealed, masters) = (BTreeMap::new(), BTreeMap::new());
        Self { me, control, s1sp, commissioning, opening, sealed, masters }
    }

    fn keep(&mut self, group: &GroupId, sealed: &[Sealed]) {
        for sealed in sealed.iter().filter(|sealed| sealed.recipient == self.me) {
            self.sealed.insert((group.clone(), sealed.installation), sealed.clone());
        }
    }

    /// The validation releases the secrets: from now on keys of these installations are wrapped.
    fn released(&mut self, results: &[InstallationResult], file: &Arrived) -> Outgoing {
        let group = file.file.header.group.clone();
        let viable = |installation| result(installation, self.viable(&group, installation));
        let installations = accepted(results).map(viable).collect();
        let body = Body::Results { step: Step::Viability, installations };
        let to = vec![self.control, self.s1sp.0, self.commissioning];
        Outgoing { to, follows: Some(file.digest), group, body }
    }

    fn viable(&mut self, group: &GroupId, installation: Eui64) -> Result<String, Refused> {
        let sealed = self.sealed.get(&(group.clone(), installation)).ok_or_else(|| {
            let reason = format!("the group file has nothing for the DCO of {installation}");
            Refused::new(Code::KeysMissing, reason)
        })?;
        let secrets = unseal(sealed, &self.opening)
            .map_err(|error| Refused::new(Code::KeysUnreadable, error.to_string()))?;
        let masters = masters(&secrets)?;
        let said = format!("{} master keys", masters.len());
        self.masters.extend(masters.into_iter().map(|(device, key)| (device, Master { installation, key })));
        Ok(said)
    }

    /// Wraps what the S1SP asks for, installation by installation.
    fn wrapped(&self, asked: &[Sealed], file: &Arrived) -> Outgoing {
        let (mut installations, mut sealed) = (Vec::new(), Vec::new());
        for asked in asked {
            let answer = self.wrapped_one(asked);
            let said = answer.as_ref().map(|(_, said)| said.clone()).map_err(Clone::clone);
            installations.push(result(asked.installation, said));
            sealed.extend(answer.ok().map(|(sealed, _)| sealed));
        }
        let (to, group) = (vec![self.control, self.s1sp.0], file.file.header.group.clone());
        let body = Body::WrappedKeys { installations, sealed };
        Outgoing { to, follows: Some(file.digest), group, body }
    }

    fn wrapped_one(&self, asked: &Sealed) -> Result<(Sealed, String), Refused> {
        let installation = asked.installation;
        if asked.recipient != self.me {
            let reason = format!("keys of {installation} are sealed to the {}, not to us", asked.recipient);
            return Err(Refused::new(Code::KeysUnreadable, reason));
        }
        let unreadable =
            |error: &dyn std::fmt::Display| Refused::new(Code::KeysUnreadable, error.to_string());
        let asked = unseal(asked, &self.opening).map_err(|error| unreadable(&error))?;
        let wrapped = asked.of.iter().map(|(device, client, kind, key)| {
            let wrapped = self.wrap(installation, *device, *kind, key)?;
            Ok((*device, *client, *kind, Secret::new(wrapped)))
        });
        let wrapped = Secrets { of: wrapped.collect::<Result<_, Refused>>()? };
        let (address, key) = &self.s1sp;
        let sealed = seal(&wrapped, installation, *address, key);
        let sealed = sealed.map_err(|error| Refused::new(Code::Lab, error.to_string()))?;
        Ok((sealed, format!("{} keys wrapped", wrapped.of.len())))
    }

    /// A key under the master key of its device (RFC 3394, as class 64 takes it).
    fn wrap(
        &self,
        installation: Eui64,
        device: Eui64,
        kind: SecretKind,
        key: &Secret,
    ) -> Result<Vec<u8>, Refused> {
        let key = Key::try_from(key.expose()).ok().filter(|_| is_key(kind)).ok_or_else(|| {
            let reason =
                format!("a {kind} of {device} is no key of security suite 0, 16 octets, to be wrapped");
            Refused::new(Code::DualControl, reason)
        })?;
        let master = self.masters.get(&device).filter(|master| master.installation == installation);
        let master = master.ok_or_else(|| {
            let reason = format!(
                "{device} is of no installation whose validation the DCO has seen, or came without a master key"
            );
            Refused::new(Code::NotValidated, reason)
        })?;
        Ok(wrap_key(&master.key, &key).to_vec())
    }

    fn forget(&mut self, group: &GroupId, ended: impl Iterator<Item = Eui64>) {
        for installation in ended {
            self.sealed.remove(&(group.clone(), installation));
            self.masters.retain(|_, master| master.installation != installation);
        }
    }

    fn taken(&mut self, file: &Arrived) -> Result<Vec<Outgoing>, Refused> {
        let group = &file.file.header.group;
        match &file.file.body {
            Body::Demand { .. } | Body::Common { .. } => Ok(Vec::new()),
            Body::Group { sealed, .. } => {
                self.keep(group, sealed);
                Ok(Vec::new())
            }
            Body::Results { step: Step::DataValidation, installations } => {
                Ok(vec![self.released(installations, file)])
            }
            Body::KeyWrapRequest { sealed } => Ok(vec![self.wrapped(sealed, file)]),
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

    fn only_knows(&self, body: &Body) -> bool {
        !matches!(body, Body::KeyWrapRequest { .. })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proto_migration::{Digest, File, InstallationResult, Note, OutcomeClass, Ruling};

    use super::*;

    const INSTALLATION: Eui64 = Eui64::new([7; 8]);
    const DEVICE: Eui64 = Eui64::new([8; 8]);

    fn address(role: PartyRole) -> Address {
        Address { role, id: Eui64::new([role as u8 + 1; 8]) }
    }

    fn arrived(from: PartyRole, body: Body) -> Arrived {
        let group = "G1".parse().expect("a group");
        let to = vec![address(PartyRole::Dco)];
        let file = File::new(address(from), to, group, 1, None, Timestamp::UNIX_EPOCH, body);
        Arrived { file, octets: Arc::from(&b""[..]), digest: Digest::of(b"") }
    }

    fn opening() -> OpeningKey {
        OpeningKey::generate().expect("a key")
    }

    /// The organisation, what its S1SP opens by, and what it is sealed to.
    fn organisation() -> (Dco, OpeningKey, SealingKey) {
        let (own, of_s1sp) = (opening(), opening());
        let seal_to = own.sealing_key();
        let others = (address(PartyRole::MigrationControl), address(PartyRole::CommissioningParty));
        let s1sp = (address(PartyRole::S1sp), of_s1sp.sealing_key());
        (Dco::new(address(PartyRole::Dco).id, others, s1sp, own), of_s1sp, seal_to)
    }

    fn sealed(secrets: (Eui64, SecretKind, u8), installation: Eui64, to: &SealingKey) -> Sealed {
        let (device, kind, octet) = secrets;
        let secrets = Secrets { of: vec![(device, Some(1), kind, Secret::new(vec![octet; 16]))] };
        seal(&secrets, installation, address(PartyRole::Dco), to).expect("sealed")
    }

    async fn takes(dco: &mut Dco, from: PartyRole, body: Body) -> Vec<Body> {
        let answers = dco.take(&arrived(from, body), Timestamp::UNIX_EPOCH).await.expect("taken");
        answers.into_iter().map(|outgoing| outgoing.body).collect()
    }

    /// What is answered to a request: the code of a refusal, or what is sealed to the S1SP.
    async fn asked(dco: &mut Dco, asked: Sealed) -> Result<Sealed, String> {
        let request = Body::KeyWrapRequest { sealed: vec![asked] };
        let answer = takes(dco, PartyRole::S1sp, request).await.remove(0);
        let Body::WrappedKeys { mut installations, mut sealed } = answer else { panic!("{answer:?}") };
        match installations.remove(0).ruling {
            Ruling::Accepted { .. } => Ok(sealed.remove(0)),
            Ruling::Refused { code, .. } => {
                assert_eq!(sealed, [], "nothing is sealed of what is refused");
                Err(code.to_string())
            }
        }
    }

    /// Neither before the validation is seen nor after the installation's outcome, and never for a device of another.
    #[tokio::test]
    async fn a_key_is_wrapped_only_between_the_validation_and_the_outcome_of_its_installation() {
        let (mut dco, of_s1sp, to) = organisation();
        let common = Digest::of(b"");
        let group = Body::Group {
            common,
            sealed: vec![sealed((DEVICE, SecretKind::MasterKey, 5), INSTALLATION, &to)],
        };
        takes(&mut dco, PartyRole::RequestingParty, group).await;
        let key = |device, installation| sealed((device, SecretKind::EncryptionKey, 6), installation, &to);
        let not_validated = Err(Code::NotValidated.published().to_owned());
        assert_eq!(asked(&mut dco, key(DEVICE, INSTALLATION)).await, not_validated, "no validation yet");

        let ruling = Ruling::Accepted { said: Note::default(), without: Vec::new() };
        let passed = InstallationResult { installation: INSTALLATION, ruling };
        let released = Body::Results { step: Step::DataValidation, installations: vec![passed.clone()] };
        let answers = takes(&mut dco, PartyRole::CommissioningParty, released).await;
        assert_eq!(answers.len(), 1, "it says that it is viable");
        let wrapped = asked(&mut dco, key(DEVICE, INSTALLATION)).await.expect("wrapped");
        let wrapped = unseal(&wrapped, &of_s1sp).expect("sealed to the S1SP");
        let (master, new) = (Key::new([5; 16]), Key::new([6; 16]));
        assert_eq!(proto_dlms::security::unwrap_key(&master, wrapped.of[0].3.expose()), Some(new));
        let others = [key(Eui64::new([9; 8]), INSTALLATION), key(DEVICE, Eui64::new([9; 8]))];
        for other in others {
            assert_eq!(asked(&mut dco, other).await, not_validated, "a device of another");
        }
        let password = sealed((DEVICE, SecretKind::Password, 6), INSTALLATION, &to);
        assert_eq!(asked(&mut dco, password).await, Err(Code::DualControl.published().to_owned()));

        let outcome = Body::Outcome { installations: vec![(passed, OutcomeClass::Migrated)] };
        takes(&mut dco, PartyRole::MigrationControl, outcome).await;
        assert_eq!(asked(&mut dco, key(DEVICE, INSTALLATION)).await, not_validated, "over");
    }

    #[tokio::test]
    async fn what_was_sealed_to_another_key_does_not_open_and_what_is_not_there_is_missing() {
        let (mut dco, ..) = organisation();
        let other = sealed((DEVICE, SecretKind::MasterKey, 5), INSTALLATION, &opening().sealing_key());
        let group: GroupId = "G1".parse().expect("a group");
        assert_eq!(dco.viable(&group, INSTALLATION).expect_err("nothing").code, Code::KeysMissing);
        dco.keep(&group, std::slice::from_ref(&other));
        assert_eq!(dco.viable(&group, INSTALLATION).expect_err("another's").code, Code::KeysUnreadable);
        let unreadable = Err(Code::KeysUnreadable.published().to_owned());
        assert_eq!(asked(&mut dco, other).await, unreadable);
    }
}
