use super::*;
use crate::canonical_form;
use crate::examples::{self, TIME, USER};
use crate::message::{
    CountersignedRequest, MessageError, Request, Response, ResponseBody, Smets1Body, Smets1Response,
};
use crate::pki::Authority;
use proptest::prelude::*;
use std::sync::LazyLock;

/// The parties of a lab, with keys made for this test run.
struct Parties {
    user: Signer,
    dsp: Signer,
    s1sp: Signer,
    stranger: Signer,
    trust: TrustStore,
}

static PARTIES: LazyLock<Parties> = LazyLock::new(|| {
    let authority = Authority::new("Lab, with a comma").unwrap();
    let [user, dsp, s1sp, stranger] =
        ["User", "DSP", "S1SP", "Stranger"].map(|name| authority.issue(name).unwrap());
    let mut trust = TrustStore::new();
    for (signer, kind) in [(&user, PartyKind::User), (&dsp, PartyKind::Dsp), (&s1sp, PartyKind::S1sp)] {
        let party = Party { name: kind.to_string(), kind, id: USER };
        trust.add(party, signer.certificate().clone());
    }
    Parties { user, dsp, s1sp, stranger, trust }
});

fn request() -> Request {
    examples::requests().unwrap().remove(0)
}

fn signed_request() -> String {
    request().sign(&PARTIES.user).unwrap()
}

fn device_message() -> Smets1Response {
    examples::device_messages().unwrap().remove(0)
}

fn signed_response() -> String {
    let request = request();
    let inner = device_message().sign(&PARTIES.s1sp).unwrap();
    Response::answer(request.id, request.srv(), inner, TIME).sign(&PARTIES.dsp).unwrap()
}

fn refusal(result: Result<impl std::fmt::Debug, MessageError>) -> DsigError {
    match result.unwrap_err() {
        MessageError::Signature(error) => error,
        other => panic!("refused for another reason: {other}"),
    }
}

fn open_request(xml: &str) -> DsigError {
    refusal(Request::open(xml.as_bytes(), &PARTIES.trust))
}

fn open_response(xml: &str) -> DsigError {
    refusal(Response::open(xml.as_bytes(), &PARTIES.trust))
}

#[test]
fn every_message_opens_to_what_was_signed() {
    let Parties { user, dsp, s1sp, trust, .. } = &*PARTIES;
    for request in examples::requests().unwrap() {
        let xml = request.sign(user).unwrap();
        assert_eq!(Request::open(xml.as_bytes(), trust).unwrap().message, request);
        let countersigned = CountersignedRequest::new(xml.as_bytes(), TIME).unwrap();
        let opened = CountersignedRequest::open(countersigned.sign(dsp).unwrap().as_bytes(), trust).unwrap();
        assert_eq!(*opened.message.request().content(), request);
        assert_eq!(
            opened.signed_by.iter().map(|party| party.kind).collect::<Vec<_>>(),
            [PartyKind::Dsp, PartyKind::User]
        );
    }
    for message in examples::device_messages().unwrap() {
        let signed = message.sign(s1sp).unwrap();
        let response = match signed.content().body {
            Smets1Body::Response(_) => Response::answer(request().id, request().srv(), signed, TIME),
            Smets1Body::Alert(_) => Response::device_alert(signed, TIME),
        };
        let opened = Response::open(response.sign(dsp).unwrap().as_bytes(), trust).unwrap();
        assert_eq!(opened.message, response);
        assert_eq!(
            opened.signed_by.iter().map(|party| party.kind).collect::<Vec<_>>(),
            [PartyKind::Dsp, PartyKind::S1sp]
        );
    }
    for alert in examples::s1sp_alerts().unwrap() {
        let response = Response::s1sp_alert(alert.sign(s1sp).unwrap(), TIME);
        assert_eq!(Response::open(response.sign(dsp).unwrap().as_bytes(), trust).unwrap().message, response);
    }
    for response in examples::dcc_responses() {
        assert_eq!(Response::open(response.sign(dsp).unwrap().as_bytes(), trust).unwrap().message, response);
    }
}

#[test]
fn changed_content_is_refused() {
    let xml = signed_request().replace("2750", "2751");
    assert!(matches!(open_request(&xml), DsigError::Digest { .. }));
    let xml = signed_response().replace("123456", "123457");
    assert!(matches!(open_response(&xml), DsigError::Digest { element, .. } if element == "Response"));
}

/// A DSP cannot put words into a device's mouth: its own signature over a changed answer does not help.
#[test]
fn an_answer_changed_before_the_dcc_signed_is_refused() {
    let request = request();
    let inner = device_message().sign(&PARTIES.s1sp).unwrap();
    let changed = Smets1Response::parse(inner.xml().replace("123456", "123457").as_bytes()).unwrap();
    let xml = Response::answer(request.id, request.srv(), changed, TIME).sign(&PARTIES.dsp).unwrap();
    let error = open_response(&xml);
    assert!(
        matches!(&error, DsigError::Digest { element, .. } if element == "SMETS1SignedResponse"),
        "{error}"
    );
}

#[test]
fn a_stranger_or_the_wrong_party_is_refused() {
    let Parties { user, dsp, s1sp, stranger, .. } = &*PARTIES;
    let xml = request().sign(stranger).unwrap();
    assert!(matches!(open_request(&xml), DsigError::Unknown { .. }));
    let xml = request().sign(dsp).unwrap();
    assert!(matches!(open_request(&xml), DsigError::WrongParty { .. }));
    let other =
        Request { id: crate::RequestId { originator: examples::DEVICE, ..request().id }, ..request() };
    assert!(matches!(open_request(&other.sign(user).unwrap()), DsigError::WrongParty { .. }));
    let answer = |inner: &Signer, outer: &Signer| {
        let inner = device_message().sign(inner).unwrap();
        Response::answer(request().id, request().srv(), inner, TIME).sign(outer).unwrap()
    };
    assert!(matches!(open_response(&answer(dsp, dsp)), DsigError::WrongParty { .. }));
    assert!(matches!(open_response(&answer(s1sp, s1sp)), DsigError::WrongParty { .. }));
}

/// The certificate named is another's: the key does not fit.
#[test]
fn a_borrowed_name_is_refused() {
    let named = |signer: &Signer| format!("{}<", signer.certificate().serial());
    let xml = request().sign(&PARTIES.stranger).unwrap();
    let xml = xml.replace(&named(&PARTIES.stranger), &named(&PARTIES.user));
    assert!(matches!(open_request(&xml), DsigError::Value { .. }));
}

/// The signature of an element: its start and end in the text, the last one if there are several.
fn last_signature(xml: &str) -> std::ops::Range<usize> {
    xml.rfind("<ds:Signature ").unwrap()..xml.rfind("</ds:Signature>").unwrap() + "</ds:Signature>".len()
}

#[test]
fn missing_doubled_and_moved_signatures_are_refused() {
    let xml = signed_response();
    let outer = last_signature(&xml);
    let (before, signature, after) = (&xml[..outer.start], &xml[outer.clone()], &xml[outer.end..]);
    let without = format!("{before}{after}");
    assert!(matches!(open_response(&without), DsigError::Count { found: 1, expected: 2, .. }));
    let doubled = format!("{before}{signature}{signature}{after}");
    assert!(Response::open(doubled.as_bytes(), &PARTIES.trust).is_err());
    let body = xml.find("<sr:Body>").unwrap();
    let moved = format!("{}{signature}{}{after}", &xml[..body], &xml[body..outer.start]);
    assert!(Response::open(moved.as_bytes(), &PARTIES.trust).is_err());
    let swapped =
        xml.replacen("<ds:Signature ", "<ds:Object ", 1).replacen("</ds:Signature>", "</ds:Object>", 1);
    assert!(Response::open(swapped.as_bytes(), &PARTIES.trust).is_err());
}

/// The classic wrapping attack: the signed request kept inside, another in its place.
#[test]
fn a_wrapped_request_is_refused() {
    let xml = signed_request();
    let signature = &xml[last_signature(&xml)];
    let body = &xml[xml.find("<sr:Body>").unwrap()..last_signature(&xml).start];
    let evil = body.replace("2750", "1");
    let wrapped = xml.replace(body, &evil).replace(signature, &format!("{signature}{body}"));
    assert!(Request::open(wrapped.as_bytes(), &PARTIES.trust).is_err());
    let inside = xml.replace(body, &format!("{evil}<ds:Object>{body}</ds:Object>"));
    assert!(Request::open(inside.as_bytes(), &PARTIES.trust).is_err());
}

#[test]
fn other_algorithms_and_references_are_refused_by_name() {
    let xml = signed_request();
    for (from, to) in [
        ("xml-exc-c14n#\"/><ds:SignatureMethod", "xml-exc-c14n#WithComments\"/><ds:SignatureMethod"),
        ("#ecdsa-sha256", "#hmac-sha256"),
        ("xmlenc#sha256", "xmldsig#sha1"),
        ("URI=\"\"", "URI=\"#other\""),
        ("URI=\"\"", "URI=\" \""),
        ("xmldsig#enveloped-signature", "xmldsig#base64"),
    ] {
        let changed = xml.replace(from, to);
        assert_ne!(changed, xml, "{from}");
        assert!(matches!(open_request(&changed), DsigError::Algorithm { .. }), "{from}");
    }
    let two = xml.replace("</ds:SignedInfo>", "<ds:Reference URI=\"\"/></ds:SignedInfo>");
    assert!(matches!(open_request(&two), DsigError::Structure(_)));
    let brought = xml.replace(
        "<ds:X509IssuerSerial>",
        "<ds:X509Certificate>AAAA</ds:X509Certificate><ds:X509IssuerSerial>",
    );
    assert!(matches!(open_request(&brought), DsigError::Structure(_)));
}

#[test]
fn line_ends_in_the_signature_value_are_taken() {
    let xml = signed_request();
    let value = xml.find("<ds:SignatureValue>").unwrap() + "<ds:SignatureValue>".len();
    let wrapped = format!("{}&#13;\n{}", &xml[..value + 20], &xml[value + 20..]);
    Request::open(wrapped.as_bytes(), &PARTIES.trust).unwrap();
}

#[test]
fn a_key_and_certificate_that_do_not_belong_together_are_refused() {
    let authority = Authority::new("Lab").unwrap();
    let ((certificate, _), (_, key)) = (authority.issue_pem("A").unwrap(), authority.issue_pem("B").unwrap());
    assert!(matches!(Signer::from_pem(&certificate, &key), Err(CertificateError::Mismatch { .. })));
    assert!(matches!(Signer::from_pem(&key, &key), Err(CertificateError::Certificate(_))));
    let again = Certificate::from_der(Certificate::from_pem(&certificate).unwrap().der()).unwrap();
    assert_eq!(again.subject(), "CN=A");
}

/// What a message that opens says, whoever is asked.
fn opens(octets: &[u8]) -> Option<Response> {
    Response::open(octets, &PARTIES.trust).ok().map(|opened| opened.message)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_flipped_octet_never_opens(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        static XML: LazyLock<String> = LazyLock::new(signed_response);
        let mut octets = XML.clone().into_bytes();
        let at = at.index(octets.len());
        octets[at] ^= 1 << bit;
        // A namespace declaration that nothing uses is no part of what was signed: its canonical form has none.
        let same = || canonical_form(&octets).ok() == canonical_form(XML.as_bytes()).ok();
        prop_assert!(opens(&octets).is_none() || same(), "octet {at} bit {bit} of {}", *XML);
    }

    #[test]
    fn a_cut_message_never_opens(at in any::<prop::sample::Index>()) {
        static XML: LazyLock<String> = LazyLock::new(signed_response);
        prop_assert!(opens(&XML.as_bytes()[..at.index(XML.len())]).is_none());
    }
}

#[test]
fn an_inventory_needs_no_inner_signature_and_may_have_none() {
    let inventory = examples::dcc_responses().pop().unwrap();
    let xml = inventory.sign(&PARTIES.dsp).unwrap();
    let opened = Response::open(xml.as_bytes(), &PARTIES.trust).unwrap();
    assert_eq!(opened.signed_by.len(), 1);
    assert!(matches!(opened.message.body, ResponseBody::Dcc(_)));
}
