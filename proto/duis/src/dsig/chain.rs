//! What a certificate says of its holder, and who vouches for it: what whoever takes a new one over the wire must check
//! (RFC 5280; SMKI Organisation Certificates).

use super::Certificate;
use crate::Eui64;
use bergshamra::crypto::digest;
use jiff::Timestamp;
use x509_cert::der::asn1::{BitStringRef, UintRef};
use x509_cert::der::{Decode, Encode, Reader, SliceReader};
use x509_cert::ext::pkix::KeyUsage;

/// `ecdsa-with-SHA256`, the one algorithm certificates are signed with here.
const ECDSA_WITH_SHA256: &str = "1.2.840.10045.4.3.2";
/// `x500UniqueIdentifier`, where an SMKI certificate has the EUI-64 of its holder.
const UNIQUE_IDENTIFIER: &str = "2.5.4.45";
/// `commonName`, where the lab's own have it.
const COMMON_NAME: &str = "2.5.4.3";
/// SHA-1, by which MMC names certificates; nothing is trusted by it.
const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
/// The longest way from a certificate to a trust anchor.
const LONGEST: usize = 4;

/// What a certificate's key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// Signatures.
    DigitalSignature,
    /// Key agreement.
    KeyAgreement,
}

impl Certificate {
    fn parsed(&self) -> Option<x509_cert::Certificate> {
        x509_cert::Certificate::from_der(self.der()).ok()
    }

    /// The EUI-64 of its holder, from the subject's unique identifier (SMKI) or common name (the lab's own).
    pub fn holder(&self) -> Option<Eui64> {
        let parsed = self.parsed()?;
        let mut attributes = parsed.tbs_certificate.subject.0.iter().flat_map(|names| names.0.iter());
        attributes.find_map(|attribute| match attribute.oid.to_string().as_str() {
            UNIQUE_IDENTIFIER => {
                let octets = attribute.value.decode_as::<BitStringRef<'_>>().ok()?.as_bytes()?;
                Some(Eui64::new(octets.try_into().ok()?))
            }
            COMMON_NAME => {
                let text = std::str::from_utf8(attribute.value.value()).ok()?;
                text.split_whitespace().find_map(|word| word.parse().ok())
            }
            _ => None,
        })
    }

    /// Whether the key of `issuer` signed it.
    pub fn is_issued_by(&self, issuer: &Certificate) -> bool {
        let Some(parsed) = self.parsed() else { return false };
        let signed = parsed.tbs_certificate.to_der().ok();
        let signature = parsed.signature.as_bytes().and_then(fixed);
        let holds = signed.zip(signature).is_some_and(|(octets, value)| issuer.holds(&octets, &value));
        let algorithm = parsed.signature_algorithm.oid.to_string();
        algorithm == ECDSA_WITH_SHA256 && self.issuer() == issuer.subject() && holds
    }

    /// Whether it is valid at that moment.
    pub fn is_valid_at(&self, moment: Timestamp) -> bool {
        let Some(parsed) = self.parsed() else { return false };
        let validity = parsed.tbs_certificate.validity;
        let seconds = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs());
        let (Ok(from), Ok(to)) = (seconds(validity.not_before), seconds(validity.not_after)) else {
            return false;
        };
        (from..=to).contains(&moment.as_second())
    }

    /// Whether its key is for this. One that names no purpose is for none.
    pub fn is_for(&self, purpose: KeyPurpose) -> bool {
        let usage = self.parsed().and_then(|parsed| parsed.tbs_certificate.get::<KeyUsage>().ok().flatten());
        usage.is_some_and(|(_, usage)| match purpose {
            KeyPurpose::DigitalSignature => usage.digital_signature(),
            KeyPurpose::KeyAgreement => usage.key_agreement(),
        })
    }

    /// Its SHA-1, by which answers name it (MMC type `SHA1`); none where it cannot be made.
    pub fn sha1(&self) -> Option<Vec<u8>> {
        digest::digest(SHA1, self.der()).ok()
    }

    /// The certificates that vouch for it up to one of `anchors`, found among `path`: the nearest first. None if there is
    /// no such way.
    pub fn chain<'a>(
        &self,
        path: &'a [Certificate],
        anchors: &'a [Certificate],
    ) -> Option<Vec<&'a Certificate>> {
        let mut way: Vec<&Certificate> = Vec::new();
        let is_anchor = |found: &Certificate| anchors.iter().any(|anchor| anchor.der() == found.der());
        while way.len() < LONGEST {
            let last = way.last().copied().unwrap_or(self);
            let next = anchors.iter().chain(path).find(|issuer| {
                last.is_issued_by(issuer) && way.iter().all(|passed| passed.der() != issuer.der())
            })?;
            way.push(next);
            if is_anchor(next) {
                return Some(way);
            }
        }
        None
    }
}

/// The signature of a certificate, two whole numbers in DER, as the 64 octets that a key verifies.
fn fixed(signature: &[u8]) -> Option<Vec<u8>> {
    let mut reader = SliceReader::new(signature).ok()?;
    let numbers = reader.sequence(|inside| Ok([UintRef::decode(inside)?, UintRef::decode(inside)?])).ok()?;
    let mut octets = Vec::new();
    for number in numbers {
        let digits = number.as_bytes();
        octets.resize(octets.len() + 32usize.checked_sub(digits.len())?, 0);
        octets.extend_from_slice(digits);
    }
    reader.is_finished().then_some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::Authority;
    use proptest::prelude::*;

    fn root(authority: &Authority) -> Certificate {
        Certificate::from_pem(authority.pem()).unwrap()
    }

    #[test]
    fn a_certificate_is_vouched_for_by_its_authority_only() {
        let (lab, other) = (Authority::new("Lab").unwrap(), Authority::new("Lab").unwrap());
        let user = lab.issue("IS 90-B3-D5-1F-30-01-00-00").unwrap().certificate().clone();
        assert!(user.is_issued_by(&root(&lab)) && !user.is_issued_by(&root(&other)));
        assert!(!user.is_issued_by(&user) && root(&lab).is_issued_by(&root(&lab)));
        assert_eq!(user.chain(&[], &[root(&other), root(&lab)]).unwrap().len(), 1);
        let brought = [root(&lab)];
        assert!(user.chain(&brought, &[root(&other)]).is_none(), "a path that a message brings is no anchor");
        assert_eq!(user.holder(), Some(crate::examples::USER));
        assert_eq!(root(&lab).holder(), None);
    }

    #[test]
    fn it_says_when_and_what_it_is_for() {
        let lab = Authority::new("Lab").unwrap();
        let user = lab.issue("user").unwrap().certificate().clone();
        assert!(user.is_valid_at(crate::examples::TIME));
        assert!(!user.is_valid_at(Timestamp::MIN) && !user.is_valid_at(Timestamp::MAX));
        assert!(user.is_for(KeyPurpose::DigitalSignature) && !user.is_for(KeyPurpose::KeyAgreement));
        assert_eq!(user.sha1().unwrap().len(), 20);
    }

    proptest! {
        #[test]
        fn no_octets_break_the_reading_of_a_signature(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(fixed(&octets).is_none_or(|value| value.len() == 64));
        }
    }
}
