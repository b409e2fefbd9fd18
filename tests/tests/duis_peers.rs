//! DUIS messages held against programs that are not ours: xmllint checks them against the published 5.4 schemas, xmlsec1
//! checks our signatures and makes some for us to check, and what was tampered with is refused on both sides.

use proto_duis::examples::Draw;
use proto_duis::pki::Authority;
use proto_duis::{
    CountersignedRequest, DccContent, FutureDating, Party, PartyKind, Request, Response, ResponseBody,
    Signer, Smets1Body, Smets1Response, Srv, StoredSchedule, TrustStore, describe, examples,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A lab's parties, their keys also in files for xmlsec1, and a folder for its messages.
struct Lab {
    folder: TempDir,
    user: Signer,
    dsp: Signer,
    s1sp: Signer,
    trust: TrustStore,
}

const NAMES: [&str; 3] = ["User", "DSP", "S1SP"];

impl Lab {
    fn new() -> Lab {
        let folder = TempDir::new().unwrap();
        let authority = Authority::new("Lab signing authority").unwrap();
        std::fs::write(folder.path().join("authority.pem"), authority.pem()).unwrap();
        let mut trust = TrustStore::new();
        let kinds = [PartyKind::User, PartyKind::Dsp, PartyKind::S1sp];
        let mut signers = NAMES.into_iter().zip(kinds).map(|(name, kind)| {
            let (certificate, key) = authority.issue_pem(name).unwrap();
            std::fs::write(folder.path().join(format!("{name}.pem")), &certificate).unwrap();
            std::fs::write(folder.path().join(format!("{name}.key")), &key).unwrap();
            let signer = Signer::from_pem(&certificate, &key).unwrap();
            let party = Party { name: name.to_owned(), kind, id: examples::USER };
            trust.add(party, signer.certificate().clone());
            signer
        });
        let [user, dsp, s1sp] = [(); 3].map(|()| signers.next().unwrap());
        drop(signers);
        Lab { folder, user, dsp, s1sp, trust }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, xml: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, xml).unwrap();
        path
    }

    /// Whether xmlsec1 takes the signature that ends the root element, trusting the lab's authority only.
    fn xmlsec_verifies(&self, name: &str, xml: &str) -> bool {
        let path = self.write(name, xml);
        let mut command = Command::new("xmlsec1");
        command
            .args(["--verify", "--enabled-key-data", "x509", "--trusted-pem"])
            .arg(self.path("authority.pem"));
        for party in NAMES {
            command.arg("--untrusted-pem").arg(self.path(&format!("{party}.pem")));
        }
        let root = "/*/*[local-name()='Signature']";
        run(command.args(["--node-xpath", root]).arg(path)).status.success()
    }

    /// A signature of xmlsec1's making over a document without one.
    fn xmlsec_signs(&self, party: &str, xml: &str) -> String {
        let end = xml.rfind("</").unwrap();
        let path = self.write("template.xml", &format!("{}{TEMPLATE}{}", &xml[..end], &xml[end..]));
        let (key, certificate) = (self.path(&format!("{party}.key")), self.path(&format!("{party}.pem")));
        let key = format!("{},{}", key.display(), certificate.display());
        let output = run(Command::new("xmlsec1").args(["--sign", "--privkey-pem", &key]).arg(path));
        assert!(output.status.success(), "xmlsec1 did not sign: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

const TEMPLATE: &str = r#"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>
<ds:Reference URI=""><ds:Transforms>
<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>
</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509IssuerSerial/></ds:X509Data></ds:KeyInfo></ds:Signature>"#;

fn run(command: &mut Command) -> Output {
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .output()
        .unwrap_or_else(|error| panic!("{program} cannot be started ({error}); run tests/run once"))
}

/// Every message a DCC system or user sends in DUIS, signed: its name, text, and whether it is in the schemas.
fn messages(lab: &Lab) -> Vec<(String, String)> {
    let mut messages = Vec::new();
    for (n, request) in examples::requests().unwrap().iter().enumerate() {
        messages.push((format!("request-{n}-{}", request.srv()), request.sign(&lab.user).unwrap()));
    }
    for (n, response) in responses(lab).iter().enumerate() {
        messages.push((format!("response-{n}"), response.sign(&lab.dsp).unwrap()));
    }
    messages
}

fn responses(lab: &Lab) -> Vec<Response> {
    let request = examples::requests().unwrap().remove(0);
    let mut responses = examples::dcc_responses();
    for message in examples::device_messages().unwrap() {
        let srv = match &message.body {
            Smets1Body::Response(payload) => payload.data.as_ref().map_or(request.srv(), |data| data.srv()),
            Smets1Body::Alert(_) => request.srv(),
        };
        let signed = message.sign(&lab.s1sp).unwrap();
        responses.push(match signed.is_alert() {
            true => Response::device_alert(signed, examples::TIME),
            false => Response::answer(request.id, srv, signed, examples::TIME),
        });
    }
    responses.extend(scheduled(lab));
    for alert in examples::s1sp_alerts().unwrap() {
        responses.push(Response::s1sp_alert(alert.sign(&lab.s1sp).unwrap(), examples::TIME));
    }
    responses
}

/// Answers that schedules brought, the schedules drawn at random.
fn scheduled(lab: &Lab) -> Vec<Response> {
    let octets = octets(53, 4_000);
    let ids = examples::schedules(8, &mut Draw::new(&octets)).into_iter().map(|schedule| schedule.id);
    let answers = examples::device_messages()
        .unwrap()
        .into_iter()
        .filter(|message| matches!(&message.body, Smets1Body::Response(payload) if payload.data.is_some()));
    let answer = |(id, message): (_, Smets1Response)| {
        let srv = match &message.body {
            Smets1Body::Response(payload) => payload.data.as_ref().map(|data| data.srv()),
            Smets1Body::Alert(_) => None,
        };
        Response::scheduled(id, srv.unwrap(), message.sign(&lab.s1sp).unwrap(), examples::TIME)
    };
    ids.zip(answers).map(answer).collect()
}

/// The lists of schedules that the schema takes are those that we write, up to the most there may be.
#[test]
fn any_list_of_schedules_is_valid_by_the_published_schema() {
    let Some(schemas) = lab_tests::duis_schemas() else { return };
    let lab = Lab::new();
    let id = examples::requests().unwrap().remove(0).id;
    let list = |seed: u64| {
        let count = if seed == 0 { StoredSchedule::MOST } else { 1 + (seed % 7) as usize };
        let schedules = examples::schedules(count, &mut Draw::new(&octets(seed, 9_000)));
        let content = DccContent::Schedules(schedules);
        Response::own(id, Srv::ReadSchedule, content, examples::TIME)
    };
    let lists: Vec<Response> = (0..24).map(list).collect();
    let documents: Vec<String> = lists.iter().map(|list| list.sign(&lab.dsp).unwrap()).collect();
    assert!(valid(&lab, &schemas.join("duis54.xsd"), &documents).into_iter().all(|valid| valid));
    for (list, xml) in lists.iter().zip(&documents) {
        assert_eq!(Response::parse(xml.as_bytes()).unwrap(), *list);
    }
}

/// Who keeps a future-dated request is said by the published table, variant for variant.
#[test]
fn who_keeps_a_future_dated_request_is_that_of_the_published_table() {
    let Some(schemas) = lab_tests::duis_schemas() else { return };
    let table = std::fs::read_to_string(schemas.join("service-reference-variants.csv")).unwrap();
    let mut found = 0;
    for line in table.lines().skip(1) {
        let Some(srv) = line.split(',').next().and_then(|srv| srv.parse::<Srv>().ok()) else { continue };
        let column = match srv.future_dating() {
            FutureDating::None => "No",
            FutureDating::Device => "Device",
            FutureDating::Dcc => "DSP",
            FutureDating::DccAndDevice => "DSP & Device",
        };
        // The first four columns hold no commas within the variants of the lab.
        assert_eq!(line.split(',').nth(4), Some(column), "{line}");
        found += 1;
    }
    assert_eq!(found, Srv::ALL.len());
}

fn xmllint(schema: &Path, files: &[PathBuf]) -> Output {
    run(Command::new("xmllint").args(["--noout", "--nonet", "--schema"]).arg(schema).args(files))
}

#[test]
fn every_message_is_valid_by_the_published_schemas() {
    let Some(schemas) = lab_tests::duis_schemas() else { return };
    let lab = Lab::new();
    let schema = schemas.join("duis54.xsd");
    let mut files: Vec<PathBuf> =
        messages(&lab).iter().map(|(name, xml)| lab.write(&format!("{name}.xml"), xml)).collect();
    for (n, message) in examples::device_messages().unwrap().into_iter().enumerate() {
        files.push(lab.write(&format!("device-{n}.xml"), message.sign(&lab.s1sp).unwrap().xml()));
    }
    for (n, alert) in examples::s1sp_alerts().unwrap().into_iter().enumerate() {
        files.push(lab.write(&format!("s1sp-alert-{n}.xml"), alert.sign(&lab.s1sp).unwrap().xml()));
    }
    let output = xmllint(&schema, &files);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let valid = String::from_utf8_lossy(&output.stderr).matches(" validates").count();
    assert_eq!(valid, files.len(), "xmllint named fewer messages than it was given");
}

/// Octets that look random and are the same each time (Knuth's constants for a linear congruence).
fn octets(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}

/// Requests of every variant whose body can be drawn, their bodies drawn at random.
fn drawn(of_each: u64) -> Vec<Request> {
    let seeded =
        Srv::ALL.iter().zip(1u64..).flat_map(|(srv, n)| (0..of_each).map(move |k| (*srv, n * 1_000 + k)));
    seeded.filter_map(|(srv, seed)| examples::drawn(srv, &mut Draw::new(&octets(seed, 600)))).collect()
}

/// Which of the documents the schema takes, in one call of xmllint.
fn valid(lab: &Lab, schema: &Path, documents: &[String]) -> Vec<bool> {
    let files: Vec<PathBuf> =
        documents.iter().enumerate().map(|(n, xml)| lab.write(&format!("drawn-{n}.xml"), xml)).collect();
    let said = String::from_utf8_lossy(&xmllint(schema, &files).stderr).into_owned();
    let lines: BTreeSet<&str> = said.lines().collect();
    let says = |file: &Path, what: &str| lines.contains(format!("{} {what}", file.display()).as_str());
    let verdict = |file: &PathBuf| {
        let (good, bad) = (says(file, "validates"), says(file, "fails to validate"));
        assert!(good != bad, "xmllint says nothing of {}", file.display());
        good
    };
    files.iter().map(verdict).collect()
}

#[test]
fn any_body_is_valid_by_the_published_schema() {
    let Some(schemas) = lab_tests::duis_schemas() else { return };
    let lab = Lab::new();
    let requests = drawn(6);
    let documents: Vec<String> = requests.iter().map(|request| request.sign(&lab.user).unwrap()).collect();
    let valid = valid(&lab, &schemas.join("duis54.xsd"), &documents);
    let refused: Vec<&String> =
        documents.iter().zip(valid).filter(|(_, valid)| !valid).map(|(xml, _)| xml).collect();
    println!("{} requests drawn at random, {} refused by the schema", documents.len(), refused.len());
    assert!(refused.is_empty() && documents.len() > 150, "{:?}", refused.first());
}

/// An element taken out, renamed or given nonsense: the schema and we agree on every one.
#[test]
fn the_schema_and_we_agree_on_damaged_bodies() {
    let Some(schemas) = lab_tests::duis_schemas() else { return };
    let lab = Lab::new();
    let mut documents = Vec::new();
    for (n, request) in (0u32..).zip(drawn(4)) {
        let xml = request.sign(&lab.user).unwrap();
        let at = |k: u64| usize::from_le_bytes(octets(u64::from(n) * 3 + k, 8).try_into().unwrap());
        documents.extend((0..3).map(|how| examples::damaged(&xml, at(how.into()), how)));
    }
    let valid = valid(&lab, &schemas.join("duis54.xsd"), &documents);
    let ours: Vec<bool> = documents.iter().map(|xml| Request::parse(xml.as_bytes()).is_ok()).collect();
    let apart: Vec<(&String, bool)> = documents
        .iter()
        .zip(valid)
        .zip(&ours)
        .filter(|((_, valid), ours)| valid != *ours)
        .map(|(pair, _)| pair)
        .collect();
    let taken = ours.iter().filter(|taken| **taken).count();
    println!(
        "{} damaged requests, {taken} still requests, {} judged differently",
        documents.len(),
        apart.len()
    );
    assert!(apart.is_empty(), "{} of {}: {:?}", apart.len(), documents.len(), apart.first());
    assert!(taken > 20 && taken < documents.len() / 2, "{taken}");
}

/// The schema refuses what we refuse: else its consent above would mean little.
#[test]
fn what_we_refuse_the_schema_refuses() {
    let Some(schemas) = lab_tests::duis_schemas() else { return };
    let lab = Lab::new();
    let schema = schemas.join("duis54.xsd");
    let request = examples::requests().unwrap().remove(0).sign(&lab.user).unwrap();
    let answer = examples::device_messages().unwrap().remove(0).sign(&lab.s1sp).unwrap();
    for (from, to) in
        [("TOUPrice index=\"2\"", "TOUPrice index=\"49\""), ("CommandVariant>", "CommandVariants>")]
    {
        let changed = request.replace(from, to);
        assert!(Request::parse(changed.as_bytes()).is_err(), "{to}");
        assert!(!xmllint(&schema, &[lab.write("refused.xml", &changed)]).status.success(), "{to}");
    }
    for (from, to) in [
        (">123456<", ">12 kWh<"),
        ("ra:ActiveEnergyUnit", "ra:Unit"),
        ("<ra:Value>123456</ra:Value>", "<ra:Value>1</ra:Value><ra:Value>1</ra:Value>"),
    ] {
        let changed = answer.xml().replace(from, to);
        assert!(Smets1Response::parse(changed.as_bytes()).is_err(), "{to}");
        assert!(!xmllint(&schema, &[lab.write("refused.xml", &changed)]).status.success(), "{to}");
    }
}

#[test]
fn xmlsec1_verifies_every_signature_of_ours() {
    let lab = Lab::new();
    for (name, xml) in messages(&lab) {
        assert!(lab.xmlsec_verifies("ours.xml", &xml), "{name}");
    }
    for response in responses(&lab) {
        // The inner part as it comes out of the DCC's message, not as it went in.
        let sent = Response::parse(response.sign(&lab.dsp).unwrap().as_bytes()).unwrap();
        let inner = match &sent.body {
            ResponseBody::Dcc(_) => continue,
            ResponseBody::Smets1(message) => message.signed.xml(),
            ResponseBody::DccAlert(message) => message.alert.xml(),
        };
        assert!(lab.xmlsec_verifies("inner.xml", inner), "{inner}");
    }
    let request = examples::requests().unwrap().remove(0).sign(&lab.user).unwrap();
    let countersigned = CountersignedRequest::new(request.as_bytes(), examples::TIME).unwrap();
    assert!(lab.xmlsec_verifies("countersigned.xml", &countersigned.sign(&lab.dsp).unwrap()));
    assert!(lab.xmlsec_verifies("inner-request.xml", countersigned.request().xml()));
}

#[test]
fn signatures_of_xmlsec1_open_with_us() {
    let lab = Lab::new();
    for request in examples::requests().unwrap() {
        let signed = lab.xmlsec_signs("User", &request.to_xml());
        assert_eq!(Request::open(signed.as_bytes(), &lab.trust).unwrap().message, request);
    }
    let request = examples::requests().unwrap().remove(0);
    let inner = examples::device_messages().unwrap().remove(0);
    let inner = Smets1Response::parse(lab.xmlsec_signs("S1SP", &inner.to_xml()).as_bytes()).unwrap();
    assert!(describe(inner.xml().as_bytes(), &lab.trust).is_sound());
    let response = Response::answer(request.id, request.srv(), inner, examples::TIME);
    let opened = Response::open(response.sign(&lab.dsp).unwrap().as_bytes(), &lab.trust).unwrap();
    assert_eq!(opened.message, response);
    let alert = examples::s1sp_alerts().unwrap().remove(1);
    let alert = proto_duis::S1spAlert::parse(lab.xmlsec_signs("S1SP", &alert.to_xml()).as_bytes()).unwrap();
    assert!(alert.verify(&lab.trust).is_ok());
}

#[test]
fn both_refuse_what_was_tampered_with() {
    let lab = Lab::new();
    let request = examples::requests().unwrap().remove(0);
    let ours = request.sign(&lab.user).unwrap();
    let theirs = lab.xmlsec_signs("User", &request.to_xml());
    for signed in [&ours, &theirs] {
        assert!(lab.xmlsec_verifies("sound.xml", signed));
        for tampered in tampered(&lab, signed) {
            assert_ne!(tampered, *signed);
            assert!(!lab.xmlsec_verifies("tampered.xml", &tampered), "xmlsec1 took {tampered}");
            assert!(Request::open(tampered.as_bytes(), &lab.trust).is_err(), "we took {tampered}");
        }
    }
}

/// The content, the digest, the value and the named certificate, each changed alone.
fn tampered(lab: &Lab, signed: &str) -> Vec<String> {
    let swap_in = |element: &str| {
        let at = signed.find(&format!("<ds:{element}>")).unwrap() + element.len() + 5 + 6;
        let other = if &signed[at..=at] == "A" { "B" } else { "A" };
        format!("{}{other}{}", &signed[..at], &signed[at + 1..])
    };
    let (mine, other) = (lab.user.certificate().serial(), lab.dsp.certificate().serial());
    vec![
        signed.replace(">2750<", ">2751<"),
        signed.replace(":1</sr:RequestID>", ":2</sr:RequestID>"),
        swap_in("DigestValue"),
        swap_in("SignatureValue"),
        signed.replace(mine, other),
    ]
}
