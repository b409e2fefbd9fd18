use super::*;
use crate::examples::{self, TIME, USER};
use crate::pki::Authority;
use crate::{CountersignedRequest, Party, Signer};

fn lab() -> (Signer, Signer, Signer, TrustStore) {
    let authority = Authority::new("Lab").unwrap();
    let [user, dsp, s1sp] = ["User", "DSP", "S1SP"].map(|name| authority.issue(name).unwrap());
    let mut trust = TrustStore::new();
    for (name, signer, kind) in [
        ("supplier", &user, PartyKind::User),
        ("dsp", &dsp, PartyKind::Dsp),
        ("s1sp", &s1sp, PartyKind::S1sp),
    ] {
        trust.add(Party { name: name.to_owned(), kind, id: USER }, signer.certificate().clone());
    }
    (user, dsp, s1sp, trust)
}

#[test]
fn every_kind_is_described() {
    let trust = TrustStore::new();
    let request = examples::requests().unwrap().remove(0);
    let countersigned = CountersignedRequest::new(request.to_xml().as_bytes(), TIME).unwrap();
    let mut lines = vec![request.to_xml(), countersigned.to_xml()];
    let messages = examples::device_messages().unwrap();
    lines.extend(
        [&messages[0], &messages[messages.len() - 3], &messages[messages.len() - 2]].map(|m| m.to_xml()),
    );
    lines.extend(examples::s1sp_alerts().unwrap().iter().map(|alert| alert.to_xml()));
    lines.extend(examples::dcc_responses().iter().map(|response| response.to_xml()));
    let lines: Vec<String> = lines.iter().map(|xml| describe(xml.as_bytes(), &trust).summary).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn each_signature_is_judged_by_its_parent() {
    let (user, dsp, s1sp, trust) = lab();
    let request = examples::requests().unwrap().remove(0);
    let inner = examples::device_messages().unwrap().remove(0).sign(&s1sp).unwrap();
    let xml = Response::answer(request.id, request.srv(), inner, TIME).sign(&dsp).unwrap();
    let sound = describe(xml.as_bytes(), &trust);
    assert!(sound.is_sound(), "{sound:?}");
    assert_eq!(
        sound.signatures.iter().map(|s| s.element.as_str()).collect::<Vec<_>>(),
        ["Response", "SMETS1SignedResponse"]
    );
    let outer_only =
        describe(xml.replacen("ResponseDateTime>2026", "ResponseDateTime>2025", 1).as_bytes(), &trust);
    assert!(outer_only.signatures[0].fault.as_ref().unwrap().contains("was changed after"));
    let wrong = request.sign(&dsp).unwrap();
    let wrong = describe(wrong.as_bytes(), &trust);
    assert_eq!(wrong.signatures[0].fault.as_deref(), Some("signed by a DSP; expected a user"));
    let countersigned = CountersignedRequest::new(request.sign(&user).unwrap().as_bytes(), TIME).unwrap();
    assert!(describe(countersigned.sign(&dsp).unwrap().as_bytes(), &trust).is_sound());
}

#[test]
fn what_is_no_message_is_said_to_be_none() {
    let trust = TrustStore::new();
    let fault = describe(b"<a>\n<b></a>", &trust).fault.unwrap();
    assert!(fault.starts_with("line "), "{fault}");
    let xml = format!("<Letter xmlns=\"{}\"/>", Space::Sr.uri());
    let letter = describe(xml.as_bytes(), &trust);
    assert_eq!(letter.summary, "well-formed, root element Letter");
    assert!(letter.fault.unwrap().contains("expected Request") && letter.signatures.is_empty());
}
