//! People with credentials, over TLS: who signs in, what is refused a witness's browser, and what it signs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use harness::evidence::{RunFolder, read_records};
use harness::server::control::button_paths;
use prost::Message as _;
use proto_lab::record::Body;
use proto_lab::record::book::LabEvent;
use serde_json::json;

use crate::browser::Browser;
use crate::lab::{Lab, Served};

const PASSWORD: &str = "correct horse battery";

/// Opens a page, is sent to sign in, does so, and comes back to the page that was asked for.
fn sign_in(browser: &mut Browser, page: &str, name: &str) {
    browser.open(page);
    browser.until("location.pathname === '/sign-in'");
    browser.fill("name", name);
    browser.fill("password", PASSWORD);
    browser.push("Sign in");
    browser.until(&format!("location.href === {page:?}"));
    browser.until_says("who", &format!("{name},"));
}

/// What is under a folder.
fn files(folder: &Path) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let contents = entries.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => BTreeSet::from([(path.clone(), std::fs::read(&path).unwrap())]),
    });
    contents.collect()
}

/// Everything by which something could be changed: the buttons of the router, and the calls of the services that act.
fn every_control() -> Vec<(String, &'static str)> {
    let set = prost_types::FileDescriptorSet::decode(proto_lab::rpc::DESCRIPTORS).unwrap();
    let services =
        set.file.iter().flat_map(|file| file.service.iter().map(|service| (file.package(), service)));
    let calls = services.filter(|(_, service)| !["Watch", "Cosign"].contains(&service.name()));
    let calls = calls.flat_map(|(package, service)| {
        let path = move |method: &str| format!("/{package}.{}/{method}", service.name());
        service.method.iter().map(move |method| (path(method.name()), "application/grpc"))
    });
    button_paths().map(|path| (path, "application/json")).chain(calls).collect()
}

/// What becomes of each of them when the page that is open asks; no handler is reached, so the bodies need mean nothing.
const TRY_THEM_ALL: &str = "(async (calls) => {
    const told = [];
    for (const [path, type] of calls) {
        const answer = await fetch(path, { method: 'POST', headers: { 'content-type': type }, body: type.endsWith('json') ? '{}' : new Uint8Array(5) });
        told.push(answer.headers.get('grpc-status') ?? String(answer.status));
    }
    return told;
})";

/// The calls a book has as refused: who, what, why; those that were only counted are that many.
fn refused(book: &Path) -> (Vec<(String, String, String)>, usize) {
    let (mut one_by_one, mut counted) = (Vec::new(), 0);
    for record in read_records(&RunFolder::new(book)).unwrap() {
        let Body::Lab(event) = record.body else { continue };
        let LabEvent::CallRefused { by, call, reason, .. } = *event else { continue };
        match call.as_str() {
            "several" => counted += reason.split_once(' ').unwrap().0.parse::<usize>().unwrap(),
            _ => one_by_one.push((by.map(|by| by.to_string()).unwrap_or_default(), call, reason)),
        }
    }
    (one_by_one, counted)
}

fn ended(served: Served) -> PathBuf {
    let book = served.book.clone();
    served.end();
    book
}

#[test]
fn a_witness_signs_in_and_is_refused_every_control_at_both_listeners() {
    let lab = Lab::new();
    lab.person("Ann", "witness", PASSWORD);
    let served = lab.serve(&[]);
    let before = files(lab.run().root());
    let page = format!("{}/runs/run-1/", served.watch);
    let mut browser = Browser::trusting(&served.watch);
    browser.open(&page);
    browser.until("location.pathname === '/sign-in'");
    browser.until_there_is("heading", "Sign in to the lab");
    browser.fill("name", "Ann");
    browser.fill("password", "correct horse battering");
    browser.push("Sign in");
    browser.until_says("told", "Not signed in: no such name and password for this listener.");
    browser.until_there_is("alert", "");
    sign_in(&mut browser, &page, "Ann");
    browser.until_says("who", "Ann, witness");
    browser.until_says("evidence-line", "The run is complete");
    assert_eq!(browser.eval("document.getElementById('control').hidden"), true);

    let every = every_control();
    let none: Vec<&str> =
        every.iter().map(|(_, kind)| if *kind == "application/grpc" { "7" } else { "403" }).collect();
    let try_them_all = format!("{TRY_THEM_ALL}({})", json!(every));
    assert_eq!(browser.eval(&try_them_all), json!(none), "{every:?}");
    // The page itself lets its browser ask no other listener, with or without the answer.
    let elsewhere = format!(
        "fetch({:?}, {{ method: 'POST', mode: 'no-cors', credentials: 'include' }}).then(() => 'asked', () => 'not asked')",
        format!("{}/control/pause", served.control)
    );
    assert_eq!(browser.eval(&elsewhere), "not asked");
    // The cookie goes to every port of the host; there it opens nothing.
    browser.open(&format!("{}/", served.control));
    browser.until(
        "document.body?.innerText.includes('witnesses and boards have no right at the control listener')",
    );
    assert_eq!(browser.eval(&try_them_all), json!(none), "{every:?}");

    browser.open(&page);
    browser.push("Sign out");
    browser.until("location.pathname === '/sign-in'");
    assert_eq!(browser.eval("fetch('/runs').then(answer => answer.status)"), 401);
    sign_in(&mut browser, &page, "Ann");
    browser.open(&format!("{}/", served.watch));
    browser.until_says("history", "run-1");
    assert!(lab.harness(&["people", "remove", "Ann"]).status.success());
    browser.until_says("ended", "Your session has ended.");
    browser.until_there_is("link", "Sign in again");

    let (one_by_one, counted) = refused(&ended(served));
    // The password, one page, and what was asked once nobody was signed in any more, are refused calls too.
    assert!(one_by_one.len() + counted >= 2 * every.len() + 3, "{one_by_one:?}");
    let has = |by: &str, call: &str, words: &str| {
        one_by_one.iter().any(|(who, what, why)| who == by && what == call && why.contains(words))
    };
    assert!(has("", "POST /sign-in", "no such name and password"), "{one_by_one:?}");
    for path in button_paths() {
        assert!(
            has("Ann (witness)", &format!("POST {path}"), "this is not for Ann (witness)"),
            "{path}: {one_by_one:?}"
        );
    }
    assert_eq!(files(lab.run().root()), before);
}

#[test]
fn an_engineer_signs_in_at_the_control_listener_and_acts_by_name() {
    let lab = Lab::new();
    lab.person("Eve", "engineer", PASSWORD);
    let served = lab.serve(&[]);
    let mut browser = Browser::trusting(&served.control);
    sign_in(&mut browser, &format!("{}/", served.control), "Eve");
    browser.until_says("rigs", "In its safe state.");
    browser.push("Hold…");
    browser.because("a new meter");
    browser.until_says("rigs", "Held by Eve until");
    browser.until_says("rigs", "60 min left: a new meter");
    assert_eq!(browser.errors(), Vec::<String>::new());
    let records = read_records(&RunFolder::new(ended(served))).unwrap();
    let held = records.iter().find_map(|record| match &record.body {
        Body::Lab(event) => match &**event {
            LabEvent::RigHeld { by, .. } => Some(serde_json::to_value(by).unwrap()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(held, Some(json!({ "name": "Eve", "role": "engineer", "credential": "sign-in" })));
}

#[test]
fn a_witness_cosigns_the_head_their_browser_checked_with_a_key_that_never_leaves_it() {
    let lab = Lab::new();
    lab.person("Ann", "witness", PASSWORD);
    let served = lab.serve(&[]);
    let page = format!("{}/runs/run-1/", served.watch);
    let mut browser = Browser::trusting(&served.watch);
    sign_in(&mut browser, &page, "Ann");
    browser.until_says("evidence-line", "The run is complete");
    browser.push("Make my key");
    browser.until_says("cosigned", "Your key is made. The lab must register it");
    browser.push("Cosign this head: 2 records");
    browser.until_says("cosigned", "Not cosigned:");
    assert!(!lab.run().cosignatures().exists());

    let key = browser.eval("document.getElementById('cosigner-key').textContent");
    let key = key.as_str().unwrap();
    assert!(key.starts_with("witness/ann+"), "{key}");
    let registered = lab.harness(&["people", "key", "Ann", key]);
    assert!(registered.status.success(), "{registered:?}");
    browser.push("Cosign this head: 2 records");
    browser.until_says("cosigned", "You have cosigned the head over 2 records");
    let kept = std::fs::read_to_string(lab.run().cosignatures()).unwrap();

    // The key is this browser's, also when the page is loaded again, and nobody can take it out.
    browser.open("about:blank");
    browser.open(&page);
    browser.push("Cosign this head: 2 records");
    browser.until_says("cosigned", "You had cosigned already the head over 2 records");
    assert_eq!(std::fs::read_to_string(lab.run().cosignatures()).unwrap(), kept);
    let taken_out = "(async () => {
        const asked = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = reject; });
        const database = await asked(indexedDB.open('lab-witness', 1));
        const key = await asked(database.transaction('keys').objectStore('keys').get('Ann'));
        return crypto.subtle.exportKey('pkcs8', key.privateKey).then(() => 'taken', (error) => error.name);
    })()";
    assert_eq!(browser.eval(taken_out), "InvalidAccessError");
    let post = |body: &str| {
        format!(
            "fetch('/cosign', {{ method: 'POST', headers: {{ 'content-type': 'application/json' }}, body: {body} }}).then(answer => answer.status)"
        )
    };
    assert_eq!(browser.eval(&post("JSON.stringify({ run: 'run-1', note: 'words' })")), 400);
    let elsewhere = json!({ "run": "run-1", "note": kept.replace("lab/run-1", "lab/run-2") }).to_string();
    assert_eq!(browser.eval(&post(&format!("{elsewhere:?}"))), 403);

    let run_key = std::fs::read_to_string(lab.run().key()).unwrap();
    let verified = lab.harness(&["verify", "runs/run-1", "--key", run_key.trim(), "--witness", key]);
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(
        verified.status.success() && said.contains("cosigned by witness/ann+") && !said.contains("not known"),
        "{said}"
    );

    // A head whose records do not hold is nothing to put one's name to.
    let sound = std::fs::read_to_string(lab.run().records()).unwrap();
    std::fs::write(lab.run().records(), sound.replace("\"environment\":\"e\"", "\"environment\":\"f\""))
        .unwrap();
    browser.open("about:blank");
    browser.open(&page);
    browser.until_says("alarm", "ALARM:");
    browser.until("[...document.querySelectorAll('#cosign button')].some(button => button.innerText === 'Cosign this head' && button.disabled)");
    std::fs::write(lab.run().records(), sound).unwrap();

    let book = ended(served);
    let records = read_records(&RunFolder::new(&book)).unwrap();
    let by_whom = records.iter().filter_map(|record| match &record.body {
        Body::Lab(event) => match &**event {
            LabEvent::HeadCosigned { by, run, size, .. } => Some(format!("{by} {run} {size}")),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(by_whom.collect::<Vec<_>>(), ["Ann (witness) run-1 2"]);
    let (refused, _) = refused(&book);
    assert_eq!(refused.iter().filter(|(_, call, _)| call == "POST /cosign").count(), 3, "{refused:?}");
}
