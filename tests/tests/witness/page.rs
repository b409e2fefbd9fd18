//! The page of a run, of the lab, and the alarm.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use harness::evidence::{LabKey, Recorder, RunEnd, RunFolder, verify};
use harness::gate::StandardPack;
use harness::server::page::{Face, Listening, Shown, router};
use harness::watch::feed::Feeds;
use lab_tests::program;
use proto_lab::Digest;
use proto_lab::record::{
    AlertMatch, AlertSeen, Body, Case, DeviceFound, Direction, DmcUnderTest, FORMAT, FailedExpectation,
    Identity, Intent, Message, Note, Observation, PackBound, PackPurpose, Part, RunStarted, ScriptFinished,
    ScriptStarted, SignerKey, StepVerdict, SystemUnderTest, Verdict,
};
use serde_json::json;

use crate::browser::Browser;

const SCRIPT: &str = "title = \"Credit mode is what the meter says\"\n\n[[set-up]]\nask = \"4.1.1\"\n\n[[step]]\nsay = \"first\"\n\n\
                      [[step]]\nsay = \"second\"\nexpect = []\n";

/// Every way in which an engineer would drive a lab.
const CONTROLS: [&str; 10] = [
    "pause",
    "resume",
    "abort",
    "rerun",
    "hold",
    "give-back",
    "quarantine",
    "lift-quarantine",
    "stop-everything",
    "join",
];

pub(crate) fn note(what: &str) -> Body {
    Body::Note(Note { who: "lab".into(), what: what.into() })
}

fn identity() -> Identity {
    Identity { manufacturer: "Secure Meters".into(), model: "Liberty 100".into(), ..Identity::default() }
}

fn case(script: &str) -> Case {
    Case { pack: "ioc-service-reference-variant".into(), script: script.into(), row: None, device: None }
}

fn first(run: &str, key: &LabKey) -> RunStarted {
    let device = DeviceFound {
        name: "ESME".into(),
        kind: "ESME".into(),
        eui64: "90-B3-D5-1F-30-00-00-02".into(),
        links: vec!["tcp://127.0.0.1:4059".into()],
        simulated: true,
        declared: identity(),
        found: Some(identity()),
        differences: vec![],
    };
    let pack = |id: &str, lock: &[u8]| PackBound {
        id: id.into(),
        title: format!("Pack {id}"),
        purpose: PackPurpose::ServiceReferenceVariant,
        release: "IOC".into(),
        lock: Digest::of(lock),
        non_standard: None,
        baseline: None,
    };
    RunStarted {
        format: FORMAT,
        run: run.parse().unwrap(),
        harness: "harness 0.1.0".into(),
        lab: "bench".into(),
        lab_digest: Digest::of(b"lab"),
        rig: "rig-1".into(),
        dmc: DmcUnderTest {
            id: "ioc-liberty-100".into(),
            epcl_entry: "epcl-1".into(),
            release: "IOC".into(),
            installation: "dormant".into(),
            stands_for: vec![],
            mtad: None,
        },
        devices: vec![device],
        system: SystemUnderTest {
            dcc_systems: "R1.5".into(),
            environment: "SIT-B".into(),
            parts: BTreeMap::new(),
        },
        packs: vec![pack("ioc-service-reference-variant", b"agreed"), pack("changed", b"changed")],
        plan: vec![case("credit-mode"), case("top-up")],
        selected: vec![],
        witnessed: vec!["top-up".into()],
        data_sets: vec![],
        key: SignerKey { ephemeral: true, ..key.signer() },
        previous: None,
        previous_run: None,
    }
}

pub(crate) fn recorder(runs: &Path, run: &str, key: &LabKey) -> Recorder {
    Recorder::create(RunFolder::new(runs.join(run)), first(run, key), key.clone()).unwrap()
}

fn ephemeral() -> LabKey {
    LabKey::ephemeral("bench".parse().unwrap())
}

/// The page over these runs; the agreed pack is the one whose lock is the digest of `agreed`.
pub(crate) async fn served(runs: &Path) -> (Listening, SocketAddr) {
    let agreed = StandardPack {
        purpose: PackPurpose::ServiceReferenceVariant,
        release: "IOC".into(),
        lock: Digest::of(b"agreed"),
    };
    let shown = Shown {
        runs: runs.to_owned(),
        keys: runs.join("keys"),
        standard: vec![agreed],
        feeds: Feeds::default(),
    };
    let page = Listening::start("127.0.0.1:0".parse().unwrap(), router(shown, Face::Watch)).await.unwrap();
    let address = page.address();
    (page, address)
}

/// Nothing went wrong in the page, and no other host was asked for anything.
fn kept_to_itself(browser: &mut Browser, address: SocketAddr) {
    let own = format!("http://{address}/");
    for request in browser.requests() {
        assert!(
            request.starts_with(&own) || request.starts_with("blob:") || request.starts_with("data:"),
            "{request}"
        );
    }
    assert_eq!(browser.errors(), Vec::<String>::new());
}

fn begin_script(recorder: &mut Recorder) -> proto_lab::record::Sequence {
    let digest = recorder.blob(SCRIPT.as_bytes()).unwrap();
    let started = ScriptStarted {
        case: case("credit-mode"),
        attempt: 1,
        title: "Credit mode is what the meter says".into(),
        digest,
        covers: vec!["SVTAD 20.16".into()],
        group: Some("prepayment".into()),
    };
    recorder.append(Body::ScriptStarted(Box::new(started))).unwrap()
}

fn intent(recorder: &mut Recorder, part: Part, step: u32, action: &str) -> proto_lab::record::Sequence {
    recorder.append(Body::Intent(Intent { part, step, action: action.into(), stimulus: None })).unwrap()
}

fn step(intent: proto_lab::record::Sequence, verdict: Verdict) -> Body {
    let failed = FailedExpectation {
        path: "payment-mode".into(),
        expected: "credit".into(),
        found: "prepayment".into(),
    };
    let failed = if verdict == Verdict::Pass { vec![] } else { vec![failed] };
    Body::Step(StepVerdict { intent, verdict, reason: None, failed })
}

fn message(recorder: &mut Recorder, intent: proto_lab::record::Sequence) {
    let blob = recorder.blob(b"<a:Read xmlns:a=\"urn:x\"><a:Mode>credit</a:Mode></a:Read>").unwrap();
    let message = Message {
        direction: Direction::Sent,
        party: "DCC".into(),
        what: "service request 4.1.1".into(),
        blob,
        intent: Some(intent),
    };
    recorder.append(Body::Message(message)).unwrap();
    let values = BTreeMap::from([("payment-mode".to_owned(), "prepayment".to_owned())]);
    let from = "ESME/optical".to_owned();
    let observed = Observation { intent, from, values, blobs: vec![], packets: None };
    recorder.append(Body::Observed(observed)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_sees_steps_arrive_and_checks_the_head_and_is_refused_every_control() {
    let runs = tempfile::tempdir().unwrap();
    let key = ephemeral();
    let mut written = recorder(runs.path(), "run-1", &key);
    let (_page, address) = served(runs.path()).await;
    let mut browser = Browser::start();
    browser.open(&format!("http://{address}/"));
    browser.until_says("live", "ioc-liberty-100");
    browser.eval("document.querySelector('#live a').click()");
    browser.until_says("run-title", "ioc-liberty-100, IOC dormant");
    browser.until_says("packs", "This is the agreed pack: the standard one of IOC");
    browser.until_says("packs", "This DIFFERS from the standard pack");
    browser.until_says("rig", "Secure Meters Liberty 100");

    let script = begin_script(&mut written);
    let set_up = intent(&mut written, Part::SetUp, 1, "ask for the payment mode");
    browser.until_says("script-title", "Credit mode is what the meter says");
    browser.until_says("script-digest", "the text below hashes to it");
    browser.until("document.querySelector('.line.now')?.innerText.includes('[[set-up]]')");
    written.append(step(set_up, Verdict::Pass)).unwrap();
    let second = intent(&mut written, Part::Test, 2, "read the payment mode");
    browser.until("document.querySelector('.line.now')?.innerText.includes('[[step]]')");
    assert_eq!(
        browser.eval("[...document.querySelectorAll('.line.now')].map(l => l.innerText).join('')"),
        "[[step]]\nsay = \"second\"\nexpect = []\n\n"
    );
    message(&mut written, second);
    browser.until_says("steps", "service request 4.1.1");
    browser.until_says("steps", "prepayment");
    browser.eval("document.querySelector('details.crossed summary').click()");
    browser.until_says("steps", "These octets are those the record names");
    browser.until_says("steps", "Mode: credit");
    let alert =
        AlertSeen { code: "81A5".into(), device: "ESME".into(), matched: AlertMatch::Unexpected, blob: None };
    written.append(Body::Alert(alert)).unwrap();
    browser.until_says("alerts", "81A5 of ESME: nothing expected it");
    written.append(step(second, Verdict::Fail)).unwrap();
    browser.until_says("steps", "payment-mode\tcredit\tprepayment");
    browser.until_says("aloud", "fail");
    let finished =
        ScriptFinished { started: script, verdict: Verdict::Fail, reason: Some("it is prepayment".into()) };
    written.append(Body::ScriptFinished(finished)).unwrap();
    browser.until_says("counts", "1 ✗ fail");
    browser.until_says("evidence-line", "signatures hold");

    for control in CONTROLS {
        let asked =
            format!("fetch('/control/{control}', {{method: 'POST', body: '{{}}'}}).then(r => r.status)");
        assert_eq!(browser.eval(&asked), 404, "{control}");
    }
    assert_eq!(browser.eval("document.getElementById('control').hidden"), true);
    assert_eq!(browser.eval("fetch('/runs', {method: 'DELETE'}).then(r => r.status)"), 405);

    let root = written.finish(RunEnd::Completed).unwrap().1;
    browser.until_says("evidence-line", "The run is complete");
    assert_eq!(browser.text("head-root"), root.to_string());
    browser.until_says("head-held", "in this browser");
    assert_eq!(browser.eval("fetch('report.html').then(r => r.status)"), 200);
    browser.until_says("papers", "Witness report");
    assert_eq!(browser.eval("fetch('witness.json').then(r => r.json()).then(r => r.counts['not-run'])"), 1);
    kept_to_itself(&mut browser, address);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_the_embedded_lab_is_followed_to_its_end() {
    let runs = tempfile::tempdir().unwrap();
    let (_page, address) = served(runs.path()).await;
    let mut browser = Browser::start();
    browser.open(&format!("http://{address}/"));
    let mut command = Command::new(program("harness").unwrap());
    command.args([
        "run",
        "--pack",
        "ioc-dormant-migration",
        "--script",
        "validation",
        "--witness",
        "validation",
    ]);
    command.args(["--json", "--runs"]).arg(runs.path()).env("XDG_STATE_HOME", runs.path().join("state"));
    let run = tokio::task::spawn_blocking(move || command.output());
    browser.until("document.querySelector('#history a') !== null");
    browser.eval("document.querySelector('#history a').click()");
    browser.until_says("evidence-line", "The run is complete");
    browser.until_says("cases", "data of an installation that matches its EPCL entry are accepted");
    let output = run.await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    browser.until_says("counts", "1 ✓ pass");
    let folder = browser.eval("location.pathname.split('/')[2]");
    let verified = verify(&RunFolder::new(runs.path().join(folder.as_str().unwrap())), &[]).unwrap();
    assert_eq!(browser.text("head-root"), verified.root.to_string());
    assert_eq!(browser.text("head-size"), verified.records.to_string());

    let held =
        browser.eval("JSON.parse(localStorage.getItem('head/' + location.pathname.split('/')[2])).note");
    let head = runs.path().join("saved.head");
    std::fs::write(&head, held.as_str().unwrap()).unwrap();
    let run = runs.path().join(folder.as_str().unwrap());
    let harness = |verb: &[&str]| {
        let output = Command::new(program("harness").unwrap()).args(verb).arg(&run).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (is_done, said) = harness(&["verify", "--head", head.to_str().unwrap()]);
    assert!(is_done && said.contains("the run extends it"), "{said}");
    let (is_done, said) = harness(&["report", "--witness", "--json"]);
    assert!(is_done, "{said}");
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&report["counts"]["passed"], &report["ratio"]),
        (&json!(1), &json!({ "witnessed": 1, "run": 1 }))
    );
    kept_to_itself(&mut browser, address);
}

/// A finished run of a few notes.
fn finished(runs: &Path, run: &str, key: &LabKey, notes: &[&str]) {
    let mut written = recorder(runs, run, key);
    for what in notes {
        written.append(note(what)).unwrap();
    }
    written.finish(RunEnd::Completed).unwrap();
}

/// Loads the page again and waits for what it comes to.
fn comes_to(browser: &mut Browser, address: SocketAddr, state: &str) {
    browser.open("about:blank");
    browser.open(&format!("http://{address}/runs/run-1/"));
    browser.until(&format!("document.getElementById('evidence')?.dataset.state === {state:?}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_altered_is_an_alarm_that_cannot_be_overlooked() {
    let runs = tempfile::tempdir().unwrap();
    let key = ephemeral();
    finished(runs.path(), "run-1", &key, &["one", "two", "three"]);
    let folder = RunFolder::new(runs.path().join("run-1"));
    let (_page, address) = served(runs.path()).await;
    let mut browser = Browser::start();
    comes_to(&mut browser, address, "complete");

    let sound = std::fs::read_to_string(folder.records()).unwrap();
    std::fs::write(folder.records(), sound.replace("\"two\"", "\"TWO\"")).unwrap();
    comes_to(&mut browser, address, "alarm");
    browser.until_says("alarm", "ALARM: A record was altered");
    browser.until_says("alarm", "Record 2 is not the one that was signed for");
    assert_eq!(browser.eval("document.title"), "ALARM: A record was altered");
    assert_eq!(browser.eval("document.activeElement.id"), "alarm");
    assert!(browser.accessibility().iter().any(|(role, _)| role == "alert"));
    let covers = "(() => { const at = document.getElementById('alarm').getBoundingClientRect(); return at.width * at.height / innerWidth / innerHeight; })()";
    assert!(browser.eval(covers).as_f64().unwrap() > 0.15);
    assert!(!browser.text("events").contains("TWO"), "what was altered is not shown");

    std::fs::write(folder.records(), &sound).unwrap();
    comes_to(&mut browser, address, "complete");
    kept_to_itself(&mut browser, address);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_altered_behind_an_open_page_is_an_alarm_without_loading_it_again() {
    let runs = tempfile::tempdir().unwrap();
    let key = ephemeral();
    finished(runs.path(), "run-1", &key, &["one", "two", "three"]);
    let mut open = recorder(runs.path(), "run-2", &key);
    open.append(note("two")).unwrap();
    let (_page, address) = served(runs.path()).await;
    for (run, line) in [("run-1", "The run is complete"), ("run-2", "more not signed yet")] {
        let mut browser = Browser::start();
        browser.open(&format!("http://{address}/runs/{run}/"));
        browser.until_says("evidence-line", line);
        let records = RunFolder::new(runs.path().join(run)).records();
        let sound = std::fs::read_to_string(&records).unwrap();
        let mut file = std::fs::OpenOptions::new().write(true).open(&records).unwrap();
        file.write_all(sound.replace("\"two\"", "\"TWO\"").as_bytes()).unwrap();
        browser.until_says("alarm", "ALARM: The files of the run changed");
        browser.until_says("alarm", "records.jsonl was altered after it was read");
        kept_to_itself(&mut browser, address);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_history_is_found_by_whoever_holds_the_head_of_the_first() {
    let runs = tempfile::tempdir().unwrap();
    let key = ephemeral();
    finished(runs.path(), "run-1", &key, &["one", "two", "three"]);
    let (_page, address) = served(runs.path()).await;
    let mut browser = Browser::start();
    comes_to(&mut browser, address, "complete");

    // The lab's own key signs another history: nothing but the head the witness holds can tell.
    let again = |notes: &[&str]| {
        std::fs::remove_dir_all(runs.path().join("run-1")).unwrap();
        finished(runs.path(), "run-1", &key, notes);
    };
    again(&["one", "another", "three"]);
    comes_to(&mut browser, address, "alarm");
    browser.until_says("alarm", "the lab has shown two histories");
    again(&["one"]);
    comes_to(&mut browser, address, "alarm");
    browser.until_says("alarm", "The run is shorter than it was");

    std::fs::remove_dir_all(runs.path().join("run-1")).unwrap();
    browser.open(&format!("http://{address}/"));
    browser.until_says("alarm", "A run is missing");
    kept_to_itself(&mut browser, address);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_the_one_expected_is_an_alarm() {
    let runs = tempfile::tempdir().unwrap();
    let key = ephemeral();
    finished(runs.path(), "run-1", &key, &["one"]);
    let (_page, address) = served(runs.path()).await;
    let mut browser = Browser::start();
    comes_to(&mut browser, address, "complete");
    browser.until_says("trust", "anybody could have made it");
    let expect = |key: &str| {
        format!(
            "(() => {{ document.getElementById('expected').value = {key:?}; document.querySelector('#expect-key button').click(); }})()"
        )
    };
    browser.eval(&expect(&key.verifier().to_string()));
    browser.until_says("trust", "This is the key you expect");
    browser.eval(&expect(&ephemeral().verifier().to_string()));
    browser.until_says("alarm", "This is not the key you expect");
    comes_to(&mut browser, address, "alarm");
    kept_to_itself(&mut browser, address);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_walked_by_keyboard_and_read_by_a_screen_reader() {
    let runs = tempfile::tempdir().unwrap();
    let key = ephemeral();
    let mut written = recorder(runs.path(), "run-1", &key);
    let script = begin_script(&mut written);
    let set_up = intent(&mut written, Part::SetUp, 1, "ask for the payment mode");
    message(&mut written, set_up);
    written.append(step(set_up, Verdict::Pass)).unwrap();
    written
        .append(Body::ScriptFinished(ScriptFinished {
            started: script,
            verdict: Verdict::Pass,
            reason: None,
        }))
        .unwrap();
    written.finish(RunEnd::Completed).unwrap();
    let (_page, address) = served(runs.path()).await;
    let mut browser = Browser::start();
    comes_to(&mut browser, address, "complete");
    browser.until_says("steps", "service request 4.1.1");

    let focus = "(() => { const at = document.activeElement; return at.innerText || at.id; })()";
    let mut walked = Vec::new();
    for _ in 0..8 {
        browser.press("Tab");
        walked.push(
            browser.eval(focus).as_str().unwrap_or_default().lines().next().unwrap_or_default().to_owned(),
        );
    }
    assert_eq!(walked[..3], ["Skip to the script under way", "Lab", "all planned"], "{walked:?}");
    assert!(walked[3].starts_with("Credit mode is what the meter says"), "{walked:?}");
    assert!(
        walked.iter().any(|at| at.contains("service request 4.1.1") || at.contains("record 2")),
        "{walked:?}"
    );
    browser.eval("document.querySelector('.skip').focus()");
    browser.press("Enter");
    browser.until("location.hash === '#now'");
    browser.eval("document.querySelector('#cases li:nth-child(2) button').focus()");
    browser.press("Enter");
    browser.until_says("script-title", "top-up");
    browser.press("f");
    browser.until_says("script-title", "Credit mode");
    browser.press("w");
    browser.until("document.body.classList.contains('wall')");
    browser.press("w");

    let tree = browser.accessibility();
    let has = |role: &str, name: &str| tree.iter().any(|(r, n)| r == role && n.contains(name));
    for (role, name) in [
        ("banner", ""),
        ("navigation", "Scripts"),
        ("main", ""),
        ("complementary", "What the run is bound to"),
        ("status", ""),
        ("heading", "ioc-liberty-100"),
        ("heading", "Signed head"),
        ("progressbar", "Scripts decided"),
        ("textbox", "The key you expect"),
        ("combobox", "Show"),
        ("button", "Save the head you hold"),
        ("region", "Script text"),
    ] {
        assert!(has(role, name), "no {role} {name:?} in {tree:?}");
    }
    for (role, name) in tree
        .iter()
        .filter(|(role, _)| ["button", "link", "textbox", "combobox", "heading"].contains(&role.as_str()))
    {
        assert!(!name.trim().is_empty(), "a {role} without a name");
    }
    for scheme in ["light", "dark"] {
        browser.scheme(scheme);
        let faint = browser.eval(CONTRAST);
        assert_eq!(faint, json!([]), "{scheme}: {faint}");
    }
    kept_to_itself(&mut browser, address);
}

/// Every text whose contrast to what is behind it is below 4.5 to 1 (WCAG 2.2, 1.4.3).
const CONTRAST: &str = r"(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return canvas.getImageData(0, 0, 1, 1).data; };
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (element) => { for (let at = element; at; at = at.parentElement) { const found = rgba(getComputedStyle(at).backgroundColor); if (found[3] === 255) return found; } return [255, 255, 255]; };
    const poor = [];
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!own || element.disabled || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
        const [one, other] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (ratio < 4.5) poor.push(`${element.className || element.tagName}: ${element.innerText.slice(0, 30)} ${ratio.toFixed(2)}`);
    }
    return poor;
})()";
