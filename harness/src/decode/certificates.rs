//! The certificates of a run: blocks of PEM, each under a heading that names its party.

use proto_duis::{Certificate, CertificateError, Eui64, Party, PartyKind, TrustStore};

/// How a certificate in PEM ends.
pub(crate) const END: &str = "-----END CERTIFICATE-----";

/// The certificates of a text, each with the party its heading line names, or else its subject.
///
/// # Errors
/// The first block that is no certificate.
pub(crate) fn certificates(text: &str) -> Result<Vec<(Party, Certificate)>, CertificateError> {
    let blocks = text.split_inclusive(END).filter(|block| block.contains(END));
    let read = blocks.map(|block| {
        let certificate = Certificate::from_pem(block)?;
        let heading = block.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let party = party(heading).unwrap_or_else(|| unnamed(&certificate));
        Ok((party, certificate))
    });
    read.collect()
}

/// Trust in the certificates of these texts, as the records of a run hold them; texts that are none are passed over.
pub(crate) fn trust<'a>(texts: impl Iterator<Item = &'a str>) -> TrustStore {
    let mut trust = TrustStore::new();
    for (party, certificate) in texts.filter_map(|text| certificates(text).ok()).flatten() {
        trust.add(party, certificate);
    }
    trust
}

/// `NAME (KIND EUI-64)`, as the certificates of a run are headed.
fn party(heading: &str) -> Option<Party> {
    let (name, rest) = heading.strip_suffix(')')?.rsplit_once(" (")?;
    let (kind, id) = rest.split_once(' ')?;
    let kind = [PartyKind::User, PartyKind::Dsp, PartyKind::S1sp]
        .into_iter()
        .find(|known| known.to_string() == kind)?;
    Some(Party { name: name.to_owned(), kind, id: id.parse().ok()? })
}

fn unnamed(certificate: &Certificate) -> Party {
    Party { name: certificate.subject().to_owned(), kind: PartyKind::User, id: Eui64::new([0; 8]) }
}
