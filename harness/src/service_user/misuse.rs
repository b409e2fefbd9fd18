//! Requests that are wrong on purpose (SVTAD 6.2, 6.3(b)), each wrong in one way only.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proto_duis::{DsigError, Request, Signer};
use scenarios::Misuse;

/// The request as it goes out: signed, or made wrong after that.
pub(super) fn sign(request: &Request, signer: &Signer, misuse: Option<Misuse>) -> Result<String, DsigError> {
    let signed = request.sign(signer)?;
    match misuse {
        None | Some(Misuse::ReplayedCounter | Misuse::UnknownUser) => Ok(signed),
        Some(Misuse::BadSignature) => bad_signature(&signed).ok_or_else(unexpected_form),
        Some(Misuse::Tampered) => tampered(request, &signed).ok_or_else(unexpected_form),
    }
}

fn unexpected_form() -> DsigError {
    DsigError::Signing("the signed request is not of the form that could be made wrong".to_owned())
}

/// The request with one bit of its signature turned over: the digest holds, the signature does not.
fn bad_signature(signed: &str) -> Option<String> {
    const TAG: &str = "SignatureValue>";
    let start = signed.find(TAG)? + TAG.len();
    let (before, rest) = signed.split_at(start);
    let (value, after) = rest.split_at(rest.find('<')?);
    let mut octets = STANDARD.decode(value).ok()?;
    *octets.last_mut()? ^= 1;
    Some(format!("{before}{}{after}", STANDARD.encode(octets)))
}

/// The request with `FirstInSequence` put in or turned over after it was signed. Every variant has room for that element
/// and none means anything else by it, so that nothing but the signature can give the change away.
fn tampered(request: &Request, signed: &str) -> Option<String> {
    let (before, after) = around_signature(&request.to_xml());
    let signature = signed.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
    let first_in_sequence = Some(!request.first_in_sequence.unwrap_or(false));
    let (before, after) = around_signature(&Request { first_in_sequence, ..request.clone() }.to_xml());
    Some(format!("{before}{signature}{after}"))
}

/// A document before and from its last end tag, where its signature goes.
fn around_signature(xml: &str) -> (String, String) {
    let (before, after) = xml.split_at(xml.rfind("</").unwrap_or(xml.len()));
    (before.to_owned(), after.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto_duis::pki::Authority;
    use proto_duis::{MessageError, Party, PartyKind, TrustStore, examples};

    #[test]
    fn each_is_wrong_in_its_own_way_only() {
        let signer = Authority::new("Test authority").unwrap().issue("user").unwrap();
        let mut trust = TrustStore::new();
        let party = Party { name: "user".into(), kind: PartyKind::User, id: examples::USER };
        trust.add(party, signer.certificate().clone());
        for request in examples::requests().unwrap() {
            let open = |misuse| {
                let xml = sign(&request, &signer, misuse).unwrap();
                assert!(Request::parse(xml.as_bytes()).is_ok());
                Request::open(xml.as_bytes(), &trust)
            };
            assert_eq!(open(None).unwrap().message, request);
            let bad = open(Some(Misuse::BadSignature)).unwrap_err();
            assert!(matches!(bad, MessageError::Signature(DsigError::Value { .. })), "{bad}");
            let tampered = open(Some(Misuse::Tampered)).unwrap_err();
            assert!(matches!(tampered, MessageError::Signature(DsigError::Digest { .. })), "{tampered}");
        }
    }
}
