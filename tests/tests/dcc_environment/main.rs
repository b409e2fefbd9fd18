//! The harness pointed at a DCC that is not its own, by URL and credentials, over mutual TLS both ways: once at the stub of another
//! harness, with simulated devices behind it, and once at one of Python, xmlsec1 and xmllint that misbehaves on purpose.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

mod elsewhere;
mod stand_in;

use std::path::Path;

use elsewhere::{Elsewhere, devices, lab_of};
use lab_tests::files::Files;
use lab_tests::shown;
use serde_json::Value;
use stand_in::StandIn;
use tempfile::TempDir;

/// The parties whose keys a test has in files.
const PARTIES: [&str; 8] = ["dcc", "dsp", "s1sp", "lab", "is", "gs", "ed", "ou"];

const READ: &str = r#"title = "The register by way of the DCC, and at the optical port"
covers = ["DUIS 4.1.1"]
group = "readings"
device = "ESME"

[[step]]
request = "4.1.1"
as = "IS"
bind = { import = "response.Electricity.ActiveImportRegister.Value" }

[[step]]
observe = "active-import"
through = "optical"
expect = [{ at = "value", is = "${import}", tolerance = 100, unit = "Wh" }]
"#;

const SUPPLY: &str = r#"title = "Supply off and armed, seen at the meter, with its alert"
covers = ["DUIS 7.2", "DUIS 7.3"]
group = "supply"
device = "ESME"

[[step]]
request = "7.2"
as = "IS"

[[step]]
observe = "supply-state"
through = "optical"
expect = [{ at = "value", is = 0 }]

[[step]]
request = "7.3"
as = "IS"

[[step]]
alert = "8F32"
within = "20s"

[[clean-up]]
request = "7.1"
as = "IS"
"#;

const REFUSED: &str = r#"title = "What is forged, changed, replayed or a stranger's is refused"
covers = ["SVTAD 6.2"]
group = "security"
device = "ESME"

[[set-up]]
request = "7.4"
as = "IS"

[[step]]
request = "7.4"
as = "IS"
misuse = "bad-signature"
outcome = "refused"
expect = [{ at = "acknowledgement.code", is = "E100" }]

[[step]]
request = "7.4"
as = "IS"
misuse = "tampered"
outcome = "refused"
expect = [{ at = "acknowledgement.code", is = "E100" }]

[[step]]
request = "7.4"
as = "IS"
misuse = "replayed-counter"
outcome = "refused"
expect = [{ at = "acknowledgement.code", is = "E100" }]

[[step]]
request = "7.4"
as = "IS"
misuse = "unknown-user"
outcome = "refused"
expect = [{ at = "acknowledgement.code", is = "E1" }]
"#;

const WAITS: &str = r#"title = "The door stands open"
covers = ["SVTAD 5.2(b)"]
group = "readings"
device = "ESME"

[[step]]
user-system = "4.17"
within = "10m"
"#;

const ONLY_ASKS: &str = r#"title = "The register by way of the DCC"
covers = ["DUIS 4.1.1"]
group = "readings"
device = "ESME"

[[step]]
request = "4.1.1"
as = "IS"
within = "30s"
expect = [{ at = "response.Electricity.ActiveImportRegister.Value", is = 123456 }]
"#;

#[test]
fn scripts_run_through_the_stub_of_another_harness_by_url_and_credentials() {
    let devices = devices();
    let folder = TempDir::new().unwrap();
    let files = Files::make(folder.path(), &PARTIES);
    let listener = elsewhere::free_port();
    elsewhere::pack(folder.path(), "door", &[("waits", WAITS)]);
    elsewhere::pack(folder.path(), "asks", &[("read", READ), ("supply", SUPPLY), ("refused", REFUSED)]);
    let dcc = Elsewhere::start(&files, &devices, listener);
    let ports = [("ESME", "optical", devices.link("optical")), ("GSME", "local", devices.link("local"))];
    lab_of(&files, &dcc.url, listener, &ports);

    let first = elsewhere::run(folder.path(), "asks");
    assert!(first.out.status.success(), "{}", shown(&first.out));
    let verdicts: Vec<&str> = first.verdicts().collect();
    assert_eq!(verdicts, ["pass", "pass", "pass"]);
    let started = first.bodies("run-started").next().unwrap();
    assert_eq!(started["system"]["environment"], "UIT-A");
    assert!(started["system"]["parts"]["DCC interface"].as_str().unwrap().starts_with(&dcc.url), "{started}");
    let prepared: Vec<&str> = first.bodies("prepared").filter_map(|body| body["what"].as_str()).collect();
    let says =
        |part: &str| assert!(prepared.iter().any(|what| what.contains(part)), "{part} in {prepared:?}");
    says("by mutual TLS, and answers and alerts come in at https://127.0.0.1:");
    says("the harness runs no DCC stub and no S1SP");
    says("the DCC's inventory has the installation: CHF 00-DB-12-34-56-78-90-01");
    let notes: Vec<&str> = first.bodies("note").filter_map(|body| body["what"].as_str()).collect();
    assert!(notes.iter().any(|what| what.contains("was kept here before: its requests to")), "{notes:?}");
    assert!(elsewhere::verify(&first.folder), "the evidence of the run is not sound");

    // A restart counts on above what was used, with nothing to be said of it.
    let again = elsewhere::run(folder.path(), "asks");
    assert!(again.out.status.success(), "{}", shown(&again.out));
    let (before, after) = (first.counters(), again.counters());
    assert!(before.iter().max().unwrap() < after.iter().min().unwrap(), "{before:?} {after:?}");
    assert_eq!(again.bodies("note").filter(|body| body["who"] == "service user").count(), 0);

    // Nothing that only a stub does is tried.
    let migration = elsewhere::run(folder.path(), "ioc-dormant-migration");
    let reasons: Vec<&str> =
        migration.bodies("script-not-run").filter_map(|body| body["reason"].as_str()).collect();
    assert!(!reasons.is_empty() && migration.verdicts().count() == 0, "{}", shown(&migration.out));
    assert!(
        reasons.iter().all(|reason| reason.contains("through a migration, which the DCC at https://")),
        "{reasons:?}"
    );
    let data = elsewhere::harness(
        folder.path(),
        &["run", "--lab", "lab.toml", "--pack", "asks", "--data-set", "quiet-house"],
    );
    assert!(
        !data.status.success() && shown(&data).contains("into which the lab puts none"),
        "{}",
        shown(&data)
    );
}

#[test]
fn check_says_what_a_lab_with_a_dcc_of_somebody_elses_does_not_do() {
    let lab = lab_tests::repository().join("lab-config/labs/dcc-test-environment.toml");
    let out = elsewhere::harness(Path::new("."), &["check", lab.to_str().unwrap()]);
    assert!(out.status.success(), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    for part in [
        "DCC https://dcc.example:8079/, in place of the stub; answers and alerts come in at https://192.0.2.7:8081/",
        "signs as OU under ",
        "key from environment variable OU_SIGNING_KEY",
        "believes the S1SP by ",
        "not done: migrations",
        "not run, ioc-dormant-migration: ",
        "no second path: what the DCC says of CHF of rig-1, GPF of rig-1, PPMID of rig-1 is not seen at the device",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn a_dcc_of_python_and_xmlsec1_is_believed_only_where_both_signatures_hold() {
    let folder = TempDir::new().unwrap();
    let files = Files::make(folder.path(), &PARTIES);
    let listener = elsewhere::free_port();
    let short = ONLY_ASKS.replace("30s", "2s");
    elsewhere::pack(
        folder.path(),
        "asks",
        &[("answered", ONLY_ASKS), ("late", &short), ("again", ONLY_ASKS)],
    );
    let dcc = StandIn::start(&files, listener);
    lab_of(&files, &format!("https://127.0.0.1:{}/", dcc.port), listener, &[]);
    let run = elsewhere::run(folder.path(), "asks");
    let verdicts: Vec<&str> = run.verdicts().collect();
    assert_eq!(verdicts, ["pass", "fail", "pass"], "{}", shown(&run.out));

    let told = dcc.told();
    let requests: Vec<&Value> = told.iter().filter(|line| line["request"].is_string()).collect();
    assert!(requests.iter().all(|line| line["fault"].is_null()), "{requests:?}");
    let addresses: Vec<&str> = requests.iter().filter_map(|line| line["address"].as_str()).collect();
    assert_eq!(addresses[0], "/api/v1/serviceD");
    assert!(addresses[1..].iter().all(|address| *address == "/api/v1/serviceS"), "{addresses:?}");
    let posted: Vec<(&str, u64)> =
        told.iter().filter_map(|line| Some((line["posted"].as_str()?, line["status"].as_u64()?))).collect();
    let expected = [
        ("inner", 400),
        ("outer", 400),
        ("bare", 0),
        ("good", 204),
        ("duplicate", 204),
        ("unsolicited", 204),
        ("late", 204),
        ("good", 204),
    ];
    assert_eq!(posted, expected, "{told:?}");

    // All of it is in the evidence, as what it was.
    let messages: Vec<&str> = run.bodies("message").filter_map(|body| body["what"].as_str()).collect();
    let notes: Vec<&str> = run.bodies("note").filter_map(|body| body["what"].as_str()).collect();
    let throttled = "throttled: HTTP status 429, to be asked again after 1 s";
    let again = "service request 4.1.1 (again after HTTP status 429)";
    for what in [
        throttled,
        again,
        "duplicate response I0 to 4.1.1",
        "unsolicited response I0 to 4.1.1",
        "late response I0 to 4.1.1",
    ] {
        assert_eq!(messages.iter().filter(|message| **message == what).count(), 1, "{what} in {messages:?}");
    }
    assert_eq!(
        messages.iter().filter(|message| message.starts_with("message refused: ")).count(),
        2,
        "{messages:?}"
    );
    for kind in ["late", "duplicate", "unsolicited"] {
        let what = format!("an answer nobody waited for: {kind} response I0 to 4.1.1, to request ");
        assert_eq!(notes.iter().filter(|note| note.starts_with(&what)).count(), 1, "{what} in {notes:?}");
    }
}
