//! Who is trusted to sign what.

use super::Certificate;
use crate::Eui64;
use std::collections::BTreeMap;
use std::fmt;

/// The part a signer plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartyKind {
    /// A DCC user: signs Service Requests.
    User,
    /// The DCC's Data Service Provider: countersigns requests, signs responses.
    Dsp,
    /// A SMETS1 Service Provider: signs devices' answers and its own alerts.
    S1sp,
}

impl fmt::Display for PartyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            PartyKind::User => "user",
            PartyKind::Dsp => "DSP",
            PartyKind::S1sp => "S1SP",
        })
    }
}

/// A known signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// What people call it.
    pub name: String,
    /// The part it plays.
    pub kind: PartyKind,
    /// Its identity in messages.
    pub id: Eui64,
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.name, self.kind, self.id)
    }
}

/// The certificates a verifier accepts, found by issuer and serial number as a `KeyInfo` names them. A certificate that
/// a message brings along is never believed.
#[derive(Debug, Clone, Default)]
pub struct TrustStore {
    known: BTreeMap<(String, String), (Party, Certificate)>,
}

impl TrustStore {
    /// A store that trusts no one.
    pub fn new() -> TrustStore {
        TrustStore::default()
    }

    /// Trusts `certificate` to be `party`. A party may have several.
    pub fn add(&mut self, party: Party, certificate: Certificate) {
        let key = (normal(certificate.issuer()), certificate.serial().to_owned());
        self.known.insert(key, (party, certificate));
    }

    /// The party and certificate with this issuer and serial number.
    pub fn find(&self, issuer: &str, serial: &str) -> Option<(&Party, &Certificate)> {
        self.known.get(&(normal(issuer), serial.to_owned())).map(|(party, certificate)| (party, certificate))
    }

    /// Every party and its certificate.
    pub fn iter(&self) -> impl Iterator<Item = (&Party, &Certificate)> {
        self.known.values().map(|(party, certificate)| (party, certificate))
    }
}

/// A distinguished name without the white space that writers differ in putting round commas.
pub(super) fn normal(name: &str) -> String {
    name.split(',').map(str::trim).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn white_space_round_commas_does_not_matter() {
        assert_eq!(normal(" CN=U1, OU=07 "), normal("CN=U1,OU=07"));
        assert_ne!(normal("CN=U1,OU=07"), normal("CN=u1,OU=07"));
    }
}
