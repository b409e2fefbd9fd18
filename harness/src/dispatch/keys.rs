//! Who signs what in a run: keys made for the run, or those a lab file names.

use std::collections::BTreeMap;
use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lab_config::{ClientIdentity, DccEnvironment, DccInterface, Eui64, Lab, PrivateKeySource, UserRole};
use proto_duis::pki::{Authority, PkiError};
use proto_duis::{Certificate, Party, PartyKind, Signer, TrustStore};
use scenarios::{CertificateName, Value};

use super::RunError;
use crate::service_user::{User, Users};

/// The parties of a run, each with its certificate, and the keys of the users the lab is.
pub(super) struct Keys {
    pub(super) users: Users,
    /// The certificates that scripts may name.
    pub(super) named: BTreeMap<CertificateName, Value>,
    /// The roots that new certificates of users must lead to.
    pub(super) anchors: Vec<Certificate>,
    parties: Vec<(Party, Certificate)>,
}

/// The keys the harness's own DCC stub and S1SP sign with.
pub(super) struct StubSigners {
    pub(super) dsp: Signer,
    pub(super) s1sp: Signer,
}

impl Keys {
    /// Keys for a run with the stub: fresh ones, save those the lab file names. The authority they are of may issue more.
    pub(super) fn with_stub(
        lab: &Lab,
        interface: &DccInterface,
    ) -> Result<(Self, StubSigners, Authority), RunError> {
        let authority = Authority::new("Lab test authority").map_err(unmade)?;
        let users = Users::issue(&lab.users, &authority).map_err(unmade)?;
        let environment = &lab.environment;
        let (dsp, s1sp) = match &interface.signing {
            Some(signing) => (signer(&signing.dsp)?, signer(&signing.s1sp)?),
            None => {
                let dsp = authority.issue(&format!("DSP {}", environment.access_control_broker));
                let s1sp = authority.issue(&format!("S1SP {}", environment.s1sp));
                (dsp.map_err(unmade)?, s1sp.map_err(unmade)?)
            }
        };
        let mut parties: Vec<(Party, Certificate)> = users.trusted().collect();
        for system in &interface.user_systems {
            let name = format!("{} {}", system.name, system.id);
            let party = Party { name, kind: PartyKind::User, id: system.id };
            parties.push((party, certificate(&system.certificate)?));
        }
        parties.push((dsp_party(lab), dsp.certificate().clone()));
        parties.push((s1sp_party(lab), s1sp.certificate().clone()));
        let root = Certificate::from_pem(authority.pem());
        let root = root.map_err(|error| part("lab's certificate authority", error))?;
        let mut named = named(&users);
        named.insert(CertificateName::Authority, value(&root));
        named.insert(CertificateName::Stranger, value(users.strangers_certificate()));
        for (role, id) in &lab.users {
            let renewed = authority.issue(&format!("{role} {id}")).map_err(unmade)?;
            named.insert(CertificateName::Renewed(*role), value(renewed.certificate()));
        }
        Ok((Self { users, named, anchors: vec![root], parties }, StubSigners { dsp, s1sp }, authority))
    }

    /// The keys the lab file names for somebody else's DCC, and the certificates it says are believed.
    pub(super) fn for_environment(lab: &Lab, dcc: &DccEnvironment) -> Result<Self, RunError> {
        let mut by_role = BTreeMap::new();
        for (role, identity) in &dcc.signing {
            // A lab file whose roles and keys do not go together is not read.
            let id = lab.user(*role).ok_or_else(|| part("lab's keys", format!("no user in role {role}")))?;
            by_role.insert(*role, User { id, signer: signer(identity)? });
        }
        let users = Users::known(by_role).map_err(unmade)?;
        let mut parties: Vec<(Party, Certificate)> = users.trusted().collect();
        let believed = [(&dcc.believed.dsp, dsp_party(lab)), (&dcc.believed.s1sp, s1sp_party(lab))];
        for (files, party) in believed {
            for file in files {
                parties.push((party.clone(), certificate(file)?));
            }
        }
        Ok(Self { named: named(&users), users, anchors: Vec::new(), parties })
    }

    /// The parties of these kinds, to be believed.
    pub(super) fn trust(&self, kinds: &[PartyKind]) -> TrustStore {
        let mut trust = TrustStore::new();
        for (party, certificate) in self.parties.iter().filter(|(party, _)| kinds.contains(&party.kind)) {
            trust.add(party.clone(), certificate.clone());
        }
        trust
    }

    /// Every certificate in PEM, each under the name of its party: what `harness duis show --certificate` takes.
    pub(super) fn certificates(&self) -> String {
        let one = |(party, certificate): &(Party, Certificate)| format!("{party}\n{}", certificate.pem());
        self.parties.iter().map(one).collect()
    }
}

/// The certificates the lab's users sign by.
fn named(users: &Users) -> BTreeMap<CertificateName, Value> {
    let one =
        |(role, certificate): (UserRole, &Certificate)| (CertificateName::User(role), value(certificate));
    users.certificates().map(one).collect()
}

/// A certificate as a request has it.
fn value(certificate: &Certificate) -> Value {
    Value::from(STANDARD.encode(certificate.der()))
}

fn dsp_party(lab: &Lab) -> Party {
    party(PartyKind::Dsp, "DSP", lab.environment.access_control_broker)
}

fn s1sp_party(lab: &Lab) -> Party {
    party(PartyKind::S1sp, "S1SP", lab.environment.s1sp)
}

fn party(kind: PartyKind, name: &str, id: Eui64) -> Party {
    Party { name: name.to_owned(), kind, id }
}

fn unmade(error: PkiError) -> RunError {
    part("lab's certificate authority", error)
}

/// A party that could not be started.
pub(super) fn part(part: &'static str, error: impl std::fmt::Display) -> RunError {
    RunError::Part { part, reason: error.to_string() }
}

fn read(file: &Path) -> Result<String, RunError> {
    std::fs::read_to_string(file).map_err(|error| part("lab's keys", format!("{}: {error}", file.display())))
}

pub(super) fn certificate(file: &Path) -> Result<Certificate, RunError> {
    let certificate = Certificate::from_pem(&read(file)?);
    certificate.map_err(|error| part("lab's keys", format!("{}: {error}", file.display())))
}

/// The text of a private key.
pub(super) fn pem(key: &PrivateKeySource) -> Result<String, RunError> {
    let pem = key.pem().map_err(|error| part("lab's keys", error))?;
    Ok(pem.expose().to_owned())
}

pub(super) fn signer(identity: &ClientIdentity) -> Result<Signer, RunError> {
    let ClientIdentity { certificate, key } = identity;
    let pem = key.pem().map_err(|error| part("lab's keys", error))?;
    let signer = Signer::from_pem(&read(certificate)?, pem.expose());
    signer.map_err(|error| part("lab's keys", format!("{} and {key}: {error}", certificate.display())))
}
