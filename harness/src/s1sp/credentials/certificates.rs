//! Whether the certificates of a request may be held for the party that sent it. Pure.

use jiff::Timestamp;
use lab_config::Eui64;
use proto_duis::mmc::build;
use proto_duis::{
    Certificate, CertificationPath, EncodedCertificate, KeyPurpose, KnownPartyCertificates,
    NewPartyCertificates,
};

use super::USES;
use super::held::Checked;
use crate::s1sp::refusal::Refusal;

/// The certificates of a request.
pub(super) struct Asked<'a> {
    /// In the order of [`USES`].
    certificates: [Option<&'a EncodedCertificate>; 3],
    path: &'a CertificationPath,
    check_times: bool,
}

impl<'a> Asked<'a> {
    /// Those of a party that takes a device over.
    pub(super) fn new(
        new: &'a NewPartyCertificates,
        path: &'a CertificationPath,
        check_times: bool,
    ) -> Asked<'a> {
        let certificates =
            [Some(&new.digital_signing), new.key_agreement.as_ref(), new.key_agreement_top_up.as_ref()];
        Asked { certificates, path, check_times }
    }

    /// Those of a party that renews its own.
    pub(super) fn renewed(
        new: &'a KnownPartyCertificates,
        path: &'a CertificationPath,
        check_times: bool,
    ) -> Asked<'a> {
        let certificates = [&new.digital_signing, &new.key_agreement, &new.key_agreement_top_up];
        Asked { certificates: certificates.map(Option::as_ref), path, check_times }
    }

    /// The certificates, once each is for its purpose, names `party`, and leads to one of `anchors`.
    pub(super) fn checked(
        &self,
        party: Eui64,
        anchors: &[Certificate],
        now: Timestamp,
    ) -> Result<Checked, Refusal> {
        let path: Vec<Certificate> =
            self.path.certificates.as_slice().iter().map(read).collect::<Result<_, _>>()?;
        let mut checked: Checked = [None, None, None];
        for ((asked, place), certificate_use) in self.certificates.iter().zip(&mut checked).zip(USES) {
            let Some(asked) = asked else { continue };
            let certificate = read(asked)?;
            let wrong = |why: String| Refusal::Credentials(format!("{certificate_use} certificate: {why}"));
            let purpose = match certificate_use {
                build::CertificateUse::DigitalSigning => KeyPurpose::DigitalSignature,
                _ => KeyPurpose::KeyAgreement,
            };
            if !certificate.is_for(purpose) {
                return Err(wrong("its key is not for that".to_owned()));
            }
            if certificate.holder() != Some(party) {
                let holder = certificate.holder().map_or_else(|| "nobody".to_owned(), |id| id.to_string());
                return Err(wrong(format!("it is of {holder}; expected {party}")));
            }
            let way = certificate.chain(&path, anchors);
            let way = way.ok_or_else(|| wrong("no known root vouches for it".to_owned()))?;
            let old = std::iter::once(&certificate).chain(way).find(|found| !found.is_valid_at(now));
            if let Some(old) = old.filter(|_| self.check_times) {
                return Err(wrong(format!("{} is not valid at {now}", old.subject())));
            }
            *place = Some(certificate);
        }
        match checked.iter().any(Option::is_some) {
            true => Ok(checked),
            false => Err(Refusal::Credentials("no certificate to replace one by".to_owned())),
        }
    }
}

fn read(encoded: &EncodedCertificate) -> Result<Certificate, Refusal> {
    Certificate::from_der(encoded.der()).map_err(|error| Refusal::Credentials(error.to_string()))
}
