//! Every method and every page of every port, by everybody who calls there.
//!
//! What there is to call is asked of the server itself: gRPC methods by its reflection, pages of its router. What is mounted
//! tomorrow is called tomorrow, and the tables of who may what change with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::server::pki::{Issued, Pki};
use jiff::Timestamp;
use proto_lab::record::Record;
use proto_lab::record::book::{LabState, RigUse};
use serde_json::{Value, json};

use crate::lab::{Lab, Refused, Served, ask, call, code, curl, issue, plan, refused};

/// What must be as it was: every file of the run.
fn files(folder: &Path) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let contents = entries.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => BTreeSet::from([(path.clone(), std::fs::read(&path).unwrap())]),
    });
    contents.collect()
}

/// Nobody holds a rig, nothing waits, nothing runs, nothing is stopped or quarantined, at whatever record of the book.
pub(crate) fn changes_nothing(book: &[Record]) {
    let mut state = LabState::default();
    for record in book {
        state.take(record);
        let free = state.rigs.values().all(|rig| rig.used == RigUse::Free);
        assert!(free && state.queue.is_empty() && state.runs.is_empty(), "{record:?}");
    }
}

fn everybody(lab: &Lab) -> Vec<(&'static str, Option<Issued>)> {
    let mut all = vec![("nobody", None)];
    for role in ["station", "board", "witness", "scheduler", "engineer"] {
        all.push((role, Some(lab.issue(role, role, 0))));
    }
    all
}

/// How a call ended, in a word.
fn short(ended: &Value) -> &'static str {
    match code(ended) {
        "UNAUTHENTICATED" => "who?",
        "PERMISSION_DENIED" => "no",
        "UNIMPLEMENTED" => "none",
        "INTERNAL" | "INVALID_ARGUMENT" => "what?",
        // Reflection ends a conversation it does not understand, and says nothing.
        "OK" if ended["answers"] == json!([]) => "-",
        other => panic!("{other}: {ended}"),
    }
}

/// Every method of either listener, as reflection describes it to somebody who may ask, and two that nobody mounted.
fn methods(lab: &Lab, served: &Served, engineer: &Issued) -> Vec<String> {
    let described = |url: &str| {
        let ended = call(&[plan(&lab.pki, url, Some(engineer), json!([{ "method": "describe" }]))]);
        serde_json::from_value::<BTreeSet<String>>(ended[0]["answers"].clone()).unwrap()
    };
    let (watch, mut methods) = (described(&served.watch), described(&served.control));
    assert!(watch.is_subset(&methods) && watch.len() < methods.len(), "{watch:?}");
    // What describes the others does not describe itself.
    for named in ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"] {
        methods.insert(format!("{named}/ServerReflectionInfo"));
    }
    methods.extend(["smets1.lab.v1.Watch/Nothing", "smets1.lab.v1.Nothing/Nothing"].map(str::to_owned));
    methods.into_iter().collect()
}

/// A message that is none: whoever has a right to the call is told so, and whoever has not is told that.
const SPOILT: &str = "ffffff";

#[test]
fn every_method_of_every_port_is_refused_to_whoever_has_no_right_and_to_whoever_makes_no_sense() {
    let lab = Lab::new();
    let served = lab.serve(&[]);
    let everybody = everybody(&lab);
    let methods = methods(&lab, &served, everybody.last().unwrap().1.as_ref().unwrap());
    let calls: Value = methods.iter().map(|method| json!({ "method": method, "raw": SPOILT })).collect();
    let before = files(lab.run().root());
    let (mut table, mut refusals) = (format!("{:8}{:64}", "", ""), 0);
    everybody.iter().for_each(|(name, _)| table.push_str(&format!("{name:10}")));
    for (door, url) in [("watch", &served.watch), ("control", &served.control)] {
        let plans =
            everybody.iter().map(|(_, credential)| plan(&lab.pki, url, credential.as_ref(), calls.clone()));
        let ended = call(&plans.collect::<Vec<_>>());
        refusals += ended.iter().filter(|ended| code(ended) != "OK").count();
        for (n, method) in methods.iter().enumerate() {
            table.push_str(&format!("\n{door:8}{method:64}"));
            let row = ended.iter().skip(n).step_by(methods.len());
            row.for_each(|ended| table.push_str(&format!("{:10}", short(ended))));
        }
    }
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(table.join("\n"));
    let book = served.book();
    changes_nothing(&book);
    let refused: Vec<Refused> = book.into_iter().filter_map(refused).collect();
    let counted: usize = refused.iter().map(Refused::count).sum();
    assert_eq!(counted, refusals, "{refused:?}");
    assert_eq!(files(lab.run().root()), before);
}

/// Certificates that count for nothing, by name, with the words of the refusal.
fn worthless(lab: &Lab) -> Vec<(&'static str, Issued, &'static str)> {
    let other = Pki::new(lab.path("other"));
    other.init(&"Test Lab".parse().unwrap(), &[], Timestamp::now()).unwrap();
    let taken_back = lab.issue("gone", "engineer", 0);
    assert!(lab.harness(&["pki", "revoke", "gone"]).status.success());
    vec![
        ("expired", lab.issue("old", "engineer", 10), "expired"),
        (
            "of another authority",
            issue(&other, &lab.path("foreign"), "eve", "engineer", 0),
            "invalid peer certificate",
        ),
        ("taken back", taken_back, "Revoked"),
    ]
}

#[test]
fn certificates_that_count_for_nothing_get_nobody_past_the_handshake() {
    let lab = Lab::new();
    let served = lab.serve(&[]);
    let target = |url: &str| url.rsplit_once('/').unwrap().1.to_owned();
    let mut expected = Vec::new();
    for (_, issued, why) in worthless(&lab) {
        let (certificate, key) = (issued.certificate.to_str().unwrap(), issued.key.to_str().unwrap());
        for url in [&served.watch, &served.control] {
            for path in ["/who", "/runs", "/control/stop-everything", "/smets1.lab.v1.Control/StopEverything"]
            {
                let url = format!("{url}{path}");
                let (status, body) =
                    curl(&lab.pki, &["--cert", certificate, "--key", key, "--request", "POST", &url]);
                assert_eq!((status.as_str(), body.as_str()), ("000", ""));
                expected.push(why);
            }
        }
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-quiet", "-connect", &target(&served.control), "-cert", certificate]);
        openssl.args(["-key", key, "-CAfile"]).arg(lab.pki.authority()).stdin(std::process::Stdio::null());
        let said = openssl.output().unwrap();
        assert!(String::from_utf8_lossy(&said.stderr).contains("alert"), "{said:?}");
        expected.push(why);
    }
    let book = served.book();
    changes_nothing(&book);
    let refused: Vec<Refused> = book.into_iter().filter_map(refused).collect();
    assert_eq!(refused.len(), expected.len(), "{refused:?}");
    for (refused, why) in refused.iter().zip(expected) {
        assert!(refused.call.starts_with("handshake at the ") && refused.reason.contains(why), "{refused:?}");
    }
}

/// A path that is mounted, with something in it that is there.
fn visited(path: &str, lab: &Lab) -> String {
    let digest = proto_lab::Digest::of(b"nothing").to_string();
    let named = [
        ("{run}", "run-1"),
        ("{sequence}", "0"),
        ("{digest}", digest.as_str()),
        ("{act}", "stop-everything"),
        ("{name}", "lab.css"),
    ];
    let path = named.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
    let file = if path.contains("captures") { "run.pcapng" } else { "records.jsonl" };
    let path = path.replace("{file}", file);
    assert!(!path.contains('{') && lab.run().root().exists(), "{path}: say what is to be visited there");
    path
}

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];

#[test]
fn every_page_of_every_port_by_every_method_is_for_whoever_may_and_for_nobody_else() {
    let lab = Lab::new();
    lab.person("Ann", "engineer", "correct horse battery");
    let served = lab.serve(&[]);
    let signed_out = signed_out(&lab, &served);
    let before = files(lab.run().root());
    let mut callers: Vec<_> =
        everybody(&lab).into_iter().map(|(name, issued)| (name, issued, json!({}))).collect();
    callers.insert(1, ("signed-out", None, json!({ "Cookie": signed_out })));
    let (mut table, mut asked, mut turned_away) = (String::new(), 0, 0);
    for (door, url) in [("watch", &served.watch), ("control", &served.control)] {
        let mut paths = served.paths(door);
        paths.push("/nothing/is/here".to_owned());
        let requests: Vec<(&str, String)> =
            paths.iter().flat_map(|path| METHODS.map(|method| (method, visited(path, &lab)))).collect();
        let plans = callers.iter().map(|(_, credential, headers)| {
            let mut plan = plan(&lab.pki, url, credential.as_ref(), json!([]));
            (plan["headers"], plan["requests"]) = (headers.clone(), json!(requests));
            plan
        });
        let statuses: Vec<u64> =
            ask("visitor.py", plans.collect()).iter().map(|status| status.as_u64().unwrap()).collect();
        asked += statuses.len();
        turned_away += statuses.iter().filter(|status| is_refused(**status)).count();
        // Pages that are for the same people in the same ways stand together.
        let mut alike = BTreeMap::<String, Vec<&str>>::new();
        for (n, path) in paths.iter().enumerate() {
            let mut answered = String::new();
            for (c, (name, ..)) in callers.iter().enumerate() {
                let row = &statuses[(c * paths.len() + n) * METHODS.len()..][..METHODS.len()];
                let taken = METHODS.iter().zip(row).filter(|(_, status)| !is_refused(**status));
                let taken: Vec<&str> = taken.map(|(method, _)| *method).collect();
                answered.push_str(&format!("    {name:12}{}\n", taken.join(" ")));
            }
            alike.entry(answered).or_default().push(path);
        }
        for (answered, paths) in alike {
            table.push_str(&format!("{door}: {}\n{answered}\n", paths.join(" ")));
        }
    }
    let table = table.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(table);
    let book = served.book();
    changes_nothing(&book);
    let refused: Vec<Refused> = book.into_iter().filter_map(refused).collect();
    let counted: usize = refused.iter().map(Refused::count).sum();
    assert_eq!(counted, turned_away, "of {asked}");
    assert_eq!(files(lab.run().root()), before);
}

/// What is not there is no refusal; a method that a page has not, and a message it cannot read, are.
fn is_refused(status: u64) -> bool {
    (400..500).contains(&status) && status != 404
}

/// A cookie of a session that was begun and ended again.
fn signed_out(lab: &Lab, served: &Served) -> String {
    let jar = lab.path("jar");
    let jar = jar.to_str().unwrap();
    let (sign_in, sign_out) = (format!("{}/sign-in", served.control), format!("{}/sign-out", served.control));
    let body = json!({ "name": "Ann", "password": "correct horse battery" }).to_string();
    let header = "Content-Type: application/json";
    let signed_in = curl(&lab.pki, &["--cookie-jar", jar, "--header", header, "--data", &body, &sign_in]);
    assert_eq!(signed_in.0, "200", "{}", signed_in.1);
    let kept = std::fs::read_to_string(jar).unwrap();
    let token = kept.split_whitespace().last().unwrap().to_owned();
    assert_eq!(curl(&lab.pki, &["--cookie", jar, "--request", "POST", &sign_out]).0, "200");
    format!("__Host-lab-session={token}")
}
