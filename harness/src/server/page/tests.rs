//! Over real loopback, as a browser asks.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use proto_lab::record::{Body as RecordBody, Note};

use super::*;
use crate::evidence::tree::{Tree, leaf_hash};
use crate::evidence::{LabKey, Recorder, RunEnd, RunFolder};
use crate::gate::sample;
use crate::http::Server;

const SOON: Duration = Duration::from_secs(30);

fn recorder(runs: &std::path::Path, run: &str) -> Recorder {
    let key = LabKey::ephemeral("lab".parse().unwrap());
    Recorder::create(RunFolder::new(runs.join(run)), sample::first(run), key).unwrap()
}

fn note(what: impl Into<String>) -> RecordBody {
    RecordBody::Note(Note { who: "test".into(), what: what.into() })
}

fn shown(runs: &std::path::Path) -> Shown {
    Shown { runs: runs.to_owned(), keys: runs.join("keys"), standard: Vec::new(), feeds: Feeds::default() }
}

/// A browser, and the server it asks.
struct Browser {
    server: Server,
    client: Client<HttpConnector, Body>,
}

impl Browser {
    async fn of(runs: &std::path::Path) -> Self {
        let server = Server::start(router(shown(runs), Face::Watch).into(), 64).await.unwrap();
        Self { server, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    async fn ask(&self, path: &str) -> axum::http::Response<hyper::body::Incoming> {
        let uri = format!("http://{}{path}", self.server.address());
        self.client.request(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn whole(&self, path: &str) -> (StatusCode, Vec<u8>) {
        let response = self.ask(path).await;
        let status = response.status();
        let body = tokio::time::timeout(SOON, response.into_body().collect()).await.unwrap().unwrap();
        (status, body.to_bytes().to_vec())
    }
}

/// The data of every event of a name, as octets.
fn data(stream: &[u8], name: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut event = Vec::new();
    for line in stream.split_inclusive(|octet| *octet == b'\n') {
        if let Some(named) = line.strip_prefix(b"event: ") {
            event = named.trim_ascii().to_vec();
        }
        if let Some(data) = line.strip_prefix(b"data: ")
            && event == name.as_bytes()
        {
            octets.extend_from_slice(data);
        }
    }
    octets
}

#[tokio::test]
async fn a_run_is_sent_octet_for_octet_with_its_checkpoints() {
    let runs = tempfile::tempdir().unwrap();
    let mut recorder = recorder(runs.path(), "run-1");
    for n in 0..300 {
        recorder.append(note(format!("{n:2000}"))).unwrap();
    }
    let root = recorder.finish(RunEnd::Completed).unwrap().1;
    let browser = Browser::of(runs.path()).await;
    let (status, stream) = browser.whole("/runs/run-1/records").await;
    assert_eq!(status, StatusCode::OK);
    let folder = RunFolder::new(runs.path().join("run-1"));
    let lines = data(&stream, "records");
    assert_eq!(lines, std::fs::read(folder.records()).unwrap());
    assert_eq!(data(&stream, "checkpoints"), std::fs::read(folder.checkpoints()).unwrap());
    assert_eq!(data(&stream, "end"), b"the run is complete\n");
    let mut tree = Tree::default();
    lines.split_inclusive(|octet| *octet == b'\n').for_each(|line| tree.push(leaf_hash(line)));
    assert_eq!(tree.root(), root);
}

#[tokio::test]
async fn whoever_comes_again_goes_on_where_it_was() {
    let runs = tempfile::tempdir().unwrap();
    let mut recorder = recorder(runs.path(), "run-1");
    for n in 0..20 {
        recorder.append(note(format!("{n}"))).unwrap();
    }
    recorder.finish(RunEnd::Completed).unwrap();
    let browser = Browser::of(runs.path()).await;
    let notes = std::fs::metadata(runs.path().join("run-1/checkpoints")).unwrap().len();
    let (_, stream) = browser.whole(&format!("/runs/run-1/records?from=20&notes={notes}")).await;
    let lines = String::from_utf8(data(&stream, "records")).unwrap();
    assert_eq!(lines.lines().count(), 2);
    assert!(lines.starts_with("{\"n\":20,"));
    assert_eq!(data(&stream, "checkpoints"), b"");
    let (_, stream) = browser.whole("/runs/run-1/records?from=23").await;
    assert_eq!(data(&stream, "fault"), b"asked from record 23, and there are 22: records are missing\n");
}

#[tokio::test]
async fn a_live_run_arrives_as_it_is_written_and_a_cut_one_is_a_fault() {
    let runs = tempfile::tempdir().unwrap();
    let mut recorder = recorder(runs.path(), "run-1");
    let browser = Browser::of(runs.path()).await;
    let mut body = browser.ask("/runs/run-1/records").await.into_body();
    let mut seen = Vec::new();
    let mut until = async |name: &str, wanted: &[u8]| {
        while !data(&seen, name).windows(wanted.len()).any(|part| part == wanted) {
            let frame = tokio::time::timeout(SOON, body.frame()).await.unwrap().unwrap().unwrap();
            seen.extend_from_slice(frame.data_ref().unwrap());
        }
    };
    until("edge", b"1\n").await;
    recorder.append(note("a step, say")).unwrap();
    until("records", b"a step, say").await;
    let file = std::fs::OpenOptions::new().write(true).open(runs.path().join("run-1/records.jsonl")).unwrap();
    file.set_len(10).unwrap();
    until("fault", b"records.jsonl became shorter: 10 octets").await;
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_nothing_is_let_go_and_gives_its_place_back() {
    let runs = tempfile::tempdir().unwrap();
    let mut recorder = recorder(runs.path(), "run-1");
    for n in 0..20 {
        recorder.append(note(format!("{n:60000}"))).unwrap();
    }
    let watching = Arc::new(Semaphore::new(1));
    let page = Page {
        runs: Runs::new(runs.path()),
        shown: Arc::new(shown(runs.path())),
        face: Face::Watch,
        watching: Arc::clone(&watching),
        heavy: Arc::new(Semaphore::new(HEAVY)),
        told: Arc::new(Told::default()),
        lab: Arc::default(),
    };
    let ask = || {
        let uri: Uri = "/runs/run-1/records".parse().unwrap();
        live::records(State(page.clone()), Path("run-1".to_owned()), uri, axum::http::HeaderMap::new())
    };
    let unread = ask().await.unwrap();
    assert!(matches!(ask().await, Err(Refused::Busy)));
    let place = tokio::time::timeout(2 * live::TAKEN_WITHIN, watching.acquire()).await;
    drop(place.unwrap().unwrap());
    // It listens again: what waited for it, and why there is no more.
    let told = unread.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(data(&told, "behind"), b"nothing was taken for 30 s: come again from where you were\n");
}

#[tokio::test]
async fn no_answer_lets_the_browser_ask_another_host() {
    let runs = tempfile::tempdir().unwrap();
    drop(recorder(runs.path(), "run-1"));
    let browser = Browser::of(runs.path()).await;
    for path in
        ["/", "/runs/run-1/", "/assets/run.js", "/assets/page.css", "/runs", "/packs", "/session", "/none"]
    {
        let response = browser.ask(path).await;
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("http"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
        let text = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&text).replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("//cdn") && !text.contains("http://") && !text.contains("https://"), "{path}");
        assert!(
            !text.contains("<style") && !text.contains(" style=") && !text.contains(" onclick="),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_words() {
    let runs = tempfile::tempdir().unwrap();
    let inner = runs.path().join("inner");
    drop(recorder(runs.path(), "outside"));
    drop(recorder(&inner, "run-1"));
    std::fs::write(inner.join("run-1/secret"), "no").unwrap();
    let browser = Browser::of(&inner).await;
    for (path, status) in [
        ("/runs/run-2/", 404),
        ("/runs/..%2Foutside/records.jsonl", 400),
        ("/runs/run-1/secret", 404),
        ("/runs/run-1/captures/..%2Fkey.pub", 400),
        ("/runs/run-1/captures/none.pcapng", 404),
        ("/runs/run-1/blobs/abc", 400),
        ("/runs/run-1/records?from=x", 400),
        ("/runs/run-1/decoded/99", 404),
        ("/runs/run-1/report.html", 404),
        ("/control/pause", 404),
    ] {
        let (found, text) = browser.whole(path).await;
        assert_eq!(found.as_u16(), status, "{path}: {}", String::from_utf8_lossy(&text));
        assert!(!text.is_empty());
    }
    let post = |path: &str| {
        let uri = format!("http://{}{path}", browser.server.address());
        browser.client.request(Request::post(uri).body(Body::empty()).unwrap())
    };
    assert_eq!(post("/control/abort").await.unwrap().status(), StatusCode::NOT_FOUND);
    assert_eq!(post("/runs").await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn messages_and_documents_of_a_finished_run_are_shown() {
    let runs = tempfile::tempdir().unwrap();
    let mut recorder = recorder(runs.path(), "run-1");
    let blob = recorder.blob(b"press A+B").unwrap();
    let message = proto_lab::record::Message {
        direction: proto_lab::record::Direction::Sent,
        party: "bench".into(),
        what: "command".into(),
        blob,
        intent: None,
    };
    recorder.append(RecordBody::Message(message)).unwrap();
    recorder.finish(RunEnd::Completed).unwrap();
    let browser = Browser::of(runs.path()).await;
    let told: serde_json::Value =
        serde_json::from_slice(&browser.whole("/runs/run-1/decoded/1").await.1).unwrap();
    assert_eq!(told["messages"][0]["says"][0], "press A+B");
    assert_eq!(told["messages"][0]["whole"], true);
    assert_eq!(browser.whole(&format!("/runs/run-1/blobs/{blob}")).await.1, b"press A+B");
    let response = browser.ask("/runs/run-1/report.html").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers()["content-security-policy"].to_str().unwrap().contains("style-src 'sha256-"));
    let (status, records) = browser.whole("/runs/run-1/records.html").await;
    assert_eq!(status, StatusCode::OK);
    assert!(String::from_utf8(records).unwrap().contains("id=\"r1\""));
    let listed: serde_json::Value = serde_json::from_slice(&browser.whole("/runs").await.1).unwrap();
    assert_eq!((&listed[0]["run"], &listed[0]["records"]), (&"run-1".into(), &3.into()));
}
