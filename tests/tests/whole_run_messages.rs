//! Every message of a whole run, as its evidence has it, held against programs that are not ours: requests, countersigned
//! requests, the S1SP's answers, the DCC's responses and alerts are valid by the published schema (xmllint), and every
//! signature is by whom it should be (xmlsec1), those inside another message as documents of their own.
//!
//! The key that must have signed follows from what a message is and whom it is from, never from what it says of its key.
//! The schemas have no message for the hop from the DSP to the S1SP: of a countersigned request only the request inside is
//! held against them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use lab_tests::{duis_schemas, harness, run_folders, shown};
use proto_duis::{Certificate, Eui64, Message, PartyKind, Request, ResponseBody};
use proto_lab::record::{Body, Message as Passed, Record};
use tempfile::TempDir;

/// Files given to one call of a program.
const BATCH: usize = 150;

/// Who must have signed a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Signer {
    User(Eui64),
    Dsp,
    S1sp,
}

/// What xmlsec1 must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Expected {
    Holds,
    /// Made wrong on purpose.
    Broken,
    /// By the stranger of the misuse scripts, whose certificate nobody has.
    Unknown,
}

/// A signed document of the run.
struct Signed {
    file: PathBuf,
    xml: String,
    /// What the record calls the message.
    what: String,
    signer: Signer,
    expected: Expected,
    /// Whether the published schemas have such a document.
    in_schema: bool,
}

/// The run, once for all tests.
struct Whole {
    folder: TempDir,
    documents: Vec<Signed>,
    /// Certificate files, and serial numbers.
    certificates: BTreeMap<Signer, (PathBuf, String)>,
}

fn whole() -> &'static Whole {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    WHOLE.get_or_init(run)
}

/// The standard packs, and what is sent wrong on purpose. Other packs have scripts of these, or the same scripts at other meters.
const PACKS: [&str; 3] = ["ioc-dormant-migration", "ioc-service-reference-variant", "security-misuse"];

/// The run that `LAB_RUN` names, to hold one that was made before, or else one of the packs on the embedded lab.
fn run() -> Whole {
    let folder = TempDir::new().unwrap();
    match std::env::var_os("LAB_RUN") {
        Some(made) => read(folder, Path::new(&made)),
        None => {
            let run = play(&folder.path().join("runs"));
            read(folder, &run)
        }
    }
}

fn play(runs: &Path) -> PathBuf {
    let mut command = harness().unwrap();
    command.arg("run");
    for pack in PACKS {
        command.args(["--pack", pack]);
    }
    let out = command.arg("--runs").arg(runs).output().unwrap();
    assert!(out.status.success(), "{}", shown(&out));
    let [run] = &run_folders(runs)[..] else { panic!("one run") };
    run.clone()
}

fn read(folder: TempDir, run: &Path) -> Whole {
    let records = std::fs::read_to_string(run.join("records.jsonl")).unwrap();
    let records: Vec<Record> =
        records.split_inclusive('\n').map(|line| Record::from_line(line.as_bytes()).unwrap()).collect();
    let blob = |digest: &proto_lab::Digest| {
        std::fs::read(harness::evidence::RunFolder::new(run).blob(digest)).unwrap()
    };
    let mut whole = Whole { folder, documents: Vec::new(), certificates: BTreeMap::new() };
    for record in &records {
        match &record.body {
            Body::Prepared(prepared) if whole.certificates.is_empty() => {
                whole.keep_certificates(&String::from_utf8(blob(prepared.blob.as_ref().unwrap())).unwrap());
            }
            // What passes between stations and the lab is no DUIS.
            Body::Message(passed) if ["DCC", "S1SP"].contains(&passed.party.as_str()) => {
                whole.keep(&blob(&passed.blob), passed, record.sequence.0)
            }
            _ => {}
        }
    }
    whole
}

impl Whole {
    fn keep_certificates(&mut self, pem: &str) {
        const END: &str = "-----END CERTIFICATE-----";
        for (n, block) in pem.split_inclusive(END).filter(|block| block.contains(END)).enumerate() {
            let certificate = Certificate::from_pem(block).unwrap();
            let heading = block.lines().map(str::trim).find(|line| !line.is_empty()).unwrap();
            let (kind, id) =
                heading.trim_end_matches(')').rsplit_once(" (").unwrap().1.split_once(' ').unwrap();
            let signer = match kind {
                kind if kind == PartyKind::Dsp.to_string() => Signer::Dsp,
                kind if kind == PartyKind::S1sp.to_string() => Signer::S1sp,
                _ => Signer::User(id.parse().unwrap()),
            };
            let file = self.folder.path().join(format!("certificate-{n}.pem"));
            std::fs::write(&file, certificate.pem()).unwrap();
            self.certificates.insert(signer, (file, certificate.serial().to_owned()));
        }
    }

    /// A message, and the signed message inside it.
    fn keep(&mut self, octets: &[u8], passed: &Passed, record: u64) {
        let xml = String::from_utf8(octets.to_vec()).unwrap();
        let what = format!("{}, record {record}", passed.what);
        let of_user = |request: &Request| Signer::User(request.id.originator);
        let message = Message::parse(octets).unwrap_or_else(|error| panic!("{what}: {error}\n{xml}"));
        let (signer, inside) = match &message {
            Message::Request(request) => (of_user(request), None),
            Message::Countersigned(message) => {
                let request = message.request();
                (Signer::Dsp, Some((of_user(request.content()), request.xml().to_owned())))
            }
            Message::Response(response) => match &response.body {
                ResponseBody::Dcc(_) => (Signer::Dsp, None),
                ResponseBody::Smets1(message) => {
                    (Signer::Dsp, Some((Signer::S1sp, message.signed.xml().to_owned())))
                }
                ResponseBody::DccAlert(message) => {
                    (Signer::Dsp, Some((Signer::S1sp, message.alert.xml().to_owned())))
                }
            },
            Message::Smets1(_) | Message::S1spAlert(_) => (Signer::S1sp, None),
        };
        let in_schema = !matches!(message, Message::Countersigned(_));
        if let Some((signer, xml)) = inside {
            self.document(xml, format!("inside {what}"), signer, true);
        }
        self.document(xml, what, signer, in_schema);
    }

    fn document(&mut self, xml: String, what: String, signer: Signer, in_schema: bool) {
        let expected = match &what {
            what if what.contains("(bad-signature)") || what.contains("(tampered)") => Expected::Broken,
            what if what.contains("(unknown-user)") => Expected::Unknown,
            _ => Expected::Holds,
        };
        let file = self.folder.path().join(format!("document-{}.xml", self.documents.len()));
        std::fs::write(&file, &xml).unwrap();
        self.documents.push(Signed { file, xml, what, signer, expected, in_schema });
    }

    fn of<'a>(&'a self, words: &'a str) -> impl Iterator<Item = &'a Signed> {
        self.documents.iter().filter(move |document| document.what.contains(words))
    }
}

/// Does something to every batch, two at a time.
fn in_batches<T: Sync>(all: &[T], each: impl Fn(&[T]) + Sync) {
    let batches: Vec<&[T]> = all.chunks(BATCH).collect();
    std::thread::scope(|scope| {
        let (each, batches) = (&each, &batches);
        let workers = (0..2).map(|worker| {
            scope.spawn(move || batches.iter().skip(worker).step_by(2).for_each(|batch| each(batch)))
        });
        let workers: Vec<_> = workers.collect();
        workers
            .into_iter()
            .for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
    });
}

#[test]
fn every_message_of_a_whole_run_is_valid_by_the_published_schema() {
    let Some(schemas) = duis_schemas() else { return };
    let (whole, schema) = (whole(), schemas.join("duis54.xsd"));
    let (covered, without): (Vec<&Signed>, Vec<&Signed>) =
        whole.documents.iter().partition(|document| document.in_schema);
    in_batches(&covered, |batch| {
        let mut command = Command::new("xmllint");
        command.args(["--noout", "--nonet", "--schema"]).arg(&schema);
        let out = command.args(batch.iter().map(|document| &document.file)).output().expect("xmllint");
        let said = String::from_utf8_lossy(&out.stderr);
        for document in batch {
            let valid = format!("{} validates", document.file.display());
            assert!(said.lines().any(|line| line == valid), "{}: {}\n{said}", document.what, document.xml);
        }
    });
    println!(
        "{} documents valid by the schema; it has none of the {} countersigned requests, whose requests it has",
        covered.len(),
        without.len()
    );
    for words in
        ["service request 4.1.1", "acknowledgement I99", "response I0", "device answer", "device alert"]
    {
        assert!(whole.of(words).any(|document| document.in_schema), "{words}: none in the run");
    }
    assert!(covered.len() > 400 && !without.is_empty(), "{} and {}", covered.len(), without.len());
    assert!(without.iter().all(|document| document.what.starts_with("countersigned")));
}

/// The signature that ends the root element of each of these, by the key of this certificate alone.
fn xmlsec1(certificate: &Path, files: &[&Path]) -> (bool, usize) {
    let mut command = Command::new("xmlsec1");
    command.args(["--verify", "--enabled-key-data", "key-name", "--pubkey-cert-pem"]).arg(certificate);
    command.args(["--node-xpath", "/*/*[local-name()='Signature']"]).args(files);
    let out = command.output().expect("xmlsec1");
    let said = String::from_utf8_lossy(&out.stderr);
    (out.status.success(), said.lines().filter(|line| *line == "OK").count())
}

#[test]
fn every_signature_of_a_whole_run_is_verified_by_xmlsec1() {
    let whole = whole();
    let mut by_signer: BTreeMap<(&Signer, Expected), Vec<&Signed>> = BTreeMap::new();
    for document in &whole.documents {
        by_signer.entry((&document.signer, document.expected)).or_default().push(document);
    }
    let (mut held, mut broken, mut strangers) = (0, 0, 0);
    for ((signer, expected), documents) in by_signer {
        let Some((certificate, serial)) = whole.certificates.get(signer) else {
            assert_eq!(expected, Expected::Unknown, "nobody has the certificate of {signer:?}");
            strangers += documents.len();
            continue;
        };
        for document in &documents {
            let names = format!("X509SerialNumber>{serial}<");
            assert!(document.xml.contains(&names), "{} names another key: {}", document.what, document.xml);
        }
        match expected {
            Expected::Broken => {
                for document in &documents {
                    let (good, _) = xmlsec1(certificate, &[&document.file]);
                    assert!(!good, "{}: xmlsec1 took what was made wrong", document.what);
                }
                broken += documents.len();
            }
            Expected::Holds | Expected::Unknown => {
                in_batches(&documents, |batch| {
                    let files: Vec<&Path> = batch.iter().map(|document| document.file.as_path()).collect();
                    if xmlsec1(certificate, &files) != (true, files.len()) {
                        let one = batch.iter().find(|document| !xmlsec1(certificate, &[&document.file]).0);
                        panic!("{:?}", one.map(|document| (&document.what, &document.xml)));
                    }
                });
                held += documents.len();
            }
        }
    }
    println!("{held} signatures hold; {broken} made wrong are refused; {strangers} by strangers");
    assert!(held > 500 && broken > 0 && strangers > 0, "{held}, {broken}, {strangers}");
}
