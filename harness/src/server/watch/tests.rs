//! Over real loopback, with the generated client: what is watched is what was written.

use std::path::Path;
use std::time::Duration;

use proto_lab::record::Note;
use proto_lab::watch::{WatchClient, WatchServer};
use tokio::net::TcpListener;
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use super::*;
use crate::evidence::tree::{Tree, leaf_hash};
use crate::evidence::{LabKey, Recorder, RunEnd, RunFolder, previous_root};
use crate::gate::sample;

const SOON: Duration = Duration::from_secs(20);
const PLACES: usize = 32;

fn recorder(runs: &Path, run: &str) -> Recorder {
    let key = LabKey::ephemeral("lab".parse().unwrap());
    Recorder::create(RunFolder::new(runs.join(run)), sample::first(run), key).unwrap()
}

fn note(what: impl Into<String>) -> proto_lab::record::Body {
    proto_lab::record::Body::Note(Note { who: "test".into(), what: what.into() })
}

/// A finished run of so many notes, each so many octets long; gives the root of its final checkpoint.
fn finished(runs: &Path, run: &str, notes: usize, length: usize) -> proto_lab::Digest {
    let mut recorder = recorder(runs, run);
    for n in 0..notes {
        recorder.append(note(format!("{n:length$}"))).unwrap();
    }
    recorder.finish(RunEnd::Completed).unwrap().1
}

async fn served(runs: &Path) -> (Endpoint, Arc<Semaphore>) {
    let watch = WatchRuns::with_places(Runs::new(runs), Feeds::default(), PLACES);
    let calls = Arc::clone(&watch.calls);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let service = WatchServer::new(watch);
    tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
    (Endpoint::from_shared(format!("http://{address}")).unwrap(), calls)
}

async fn connect(endpoint: &Endpoint) -> WatchClient<Channel> {
    WatchClient::new(endpoint.connect().await.unwrap())
}

fn asked(run: &str, from: u64, follow: bool) -> RecordsRequest {
    RecordsRequest { run: run.into(), from, follow }
}

async fn all(client: &mut WatchClient<Channel>, request: RecordsRequest) -> Vec<RecordsResponse> {
    let stream = client.records(request).await.unwrap().into_inner();
    tokio::time::timeout(SOON, stream.collect::<Result<_, _>>()).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_lines_of_a_finished_run_hash_to_the_root_of_its_final_checkpoint() {
    let runs = tempfile::tempdir().unwrap();
    let root = finished(runs.path(), "run-1", 60, 60_000);
    let mut client = connect(&served(runs.path()).await.0).await;
    let messages = all(&mut client, asked("run-1", 0, true)).await;
    assert!(messages.len() > 2 && messages.iter().all(|m| m.lines.len() < 2 * proto_lab::watch::BATCH));
    let mut tree = Tree::default();
    for message in &messages {
        assert_eq!(message.first, tree.size());
        message.lines.split_inclusive(|o| *o == b'\n').for_each(|line| tree.push(leaf_hash(line)));
    }
    assert_eq!(tree.root(), root);
    assert_eq!(previous_root(&RunFolder::new(runs.path().join("run-1"))).unwrap(), Some(root));
}

#[tokio::test]
async fn records_are_given_from_the_number_asked_for() {
    let runs = tempfile::tempdir().unwrap();
    finished(runs.path(), "run-1", 60, 60_000);
    let mut client = connect(&served(runs.path()).await.0).await;
    let numbers = |messages: Vec<RecordsResponse>| -> Vec<u64> {
        messages.iter().flat_map(|m| m.records().unwrap()).map(|r| r.sequence.0).collect()
    };
    assert_eq!(numbers(all(&mut client, asked("run-1", 30, false)).await), Vec::from_iter(30..62));
    assert_eq!(all(&mut client, asked("run-1", 62, true)).await, []);
    for from in [63, u64::MAX] {
        let mut stream = client.records(asked("run-1", from, true)).await.unwrap().into_inner();
        let status = stream.message().await.unwrap_err();
        assert_eq!(status.code(), Code::DataLoss);
        let words = format!("asked from record {from}, and there are 62: records are missing");
        assert_eq!(status.message(), words, "whoever has seen more has seen another history");
    }
}

#[tokio::test]
async fn a_live_run_is_followed_to_its_last_record() {
    let runs = tempfile::tempdir().unwrap();
    let mut recorder = recorder(runs.path(), "run-1");
    let mut client = connect(&served(runs.path()).await.0).await;
    assert_eq!(all(&mut client, asked("run-1", 0, false)).await.len(), 1);
    let mut stream = client.records(asked("run-1", 1, true)).await.unwrap().into_inner();
    for n in 1..4 {
        recorder.append(note(format!("{n}"))).unwrap();
        let message = tokio::time::timeout(SOON, stream.message()).await.unwrap().unwrap().unwrap();
        assert_eq!((message.first, message.records().unwrap().len()), (n, 1));
    }
    recorder.finish(RunEnd::Completed).unwrap();
    let rest: Vec<_> = tokio::time::timeout(SOON, stream.collect()).await.unwrap();
    assert_eq!(rest.len(), 1);
}

#[tokio::test]
async fn a_client_that_leaves_gives_its_place_back() {
    let runs = tempfile::tempdir().unwrap();
    let _open = recorder(runs.path(), "run-1");
    let (endpoint, calls) = served(runs.path()).await;
    let mut client = connect(&endpoint).await;
    let mut streams = Vec::new();
    for _ in 0..PLACES {
        let mut stream = client.records(asked("run-1", 0, true)).await.unwrap().into_inner();
        stream.message().await.unwrap().unwrap();
        streams.push(stream);
    }
    let one_more = connect(&endpoint).await.list_runs(ListRunsRequest::default()).await;
    let status = one_more.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let words = "32 calls to watch are being answered, as many as may be at one listener: try again later";
    assert_eq!(status.message(), words);
    drop(streams);
    let every_place = calls.acquire_many(PLACES as u32);
    drop(tokio::time::timeout(SOON, every_place).await.unwrap().unwrap());
}

#[tokio::test]
async fn a_name_that_is_no_run_is_refused() {
    let runs = tempfile::tempdir().unwrap();
    let inner = runs.path().join("inner");
    finished(runs.path(), "outside", 1, 1);
    finished(&inner, "run-1", 1, 1);
    let mut client = connect(&served(&inner).await.0).await;
    for (name, code) in [
        ("run-2", Code::NotFound),
        ("../outside", Code::InvalidArgument),
        ("..", Code::InvalidArgument),
        ("/etc", Code::InvalidArgument),
        ("", Code::InvalidArgument),
    ] {
        let status = client.records(asked(name, 0, false)).await.unwrap_err();
        assert_eq!(status.code(), code, "{name}: {status}");
    }
}

#[tokio::test]
async fn runs_are_listed_latest_first_and_what_is_no_run_is_left_out() {
    let runs = tempfile::tempdir().unwrap();
    finished(runs.path(), "b-first", 300, 50);
    let mut open = recorder(runs.path(), "a-second");
    open.append(note("x".repeat(200_000))).unwrap();
    std::fs::create_dir(runs.path().join("keys")).unwrap();
    std::fs::create_dir(runs.path().join("other")).unwrap();
    std::fs::write(runs.path().join("other/records.jsonl"), "no record\n").unwrap();
    std::fs::write(runs.path().join("file"), "").unwrap();
    let mut client = connect(&served(runs.path()).await.0).await;
    let mut list = async |limit| client.list_runs(ListRunsRequest { limit }).await.unwrap().into_inner().runs;
    let told = list(0).await;
    let glance: Vec<_> =
        told.iter().map(|r| (r.run.as_str(), r.records, r.finished, r.verdict.as_str())).collect();
    assert_eq!(glance, [("a-second", 2, false, ""), ("b-first", 302, true, "not run")]);
    let started = sample::first("a-second");
    assert_eq!((&told[0].rig, &told[0].dmc), (&started.rig, &started.dmc.id));
    assert!(told[0].began.parse::<jiff::Timestamp>().unwrap() > told[1].began.parse().unwrap());
    assert_eq!(list(1).await, told[..1]);
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_up_nobody() {
    let runs = tempfile::tempdir().unwrap();
    finished(runs.path(), "run-1", 130, 60_000);
    let (endpoint, _) = served(runs.path()).await;
    let _unread = connect(&endpoint).await.records(asked("run-1", 0, true)).await.unwrap();
    let mut client = connect(&endpoint).await;
    let messages = all(&mut client, asked("run-1", 0, true)).await;
    assert_eq!(messages.iter().map(|m| m.records().unwrap().len()).sum::<usize>(), 132);
}

/// Whoever takes nothing holds two messages of the octets that everybody is sent, and its place, until it is let go.
#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_holds_two_messages_is_let_go_and_told_why() {
    let runs = tempfile::tempdir().unwrap();
    let mut recorder = recorder(runs.path(), "run-1");
    let feeds = Feeds::default();
    let watch = WatchRuns::with_places(Runs::new(runs.path()), feeds.clone(), PLACES);
    let mut unread = watch.records(Request::new(asked("run-1", 0, true))).await.unwrap().into_inner();
    let mut read = watch.records(Request::new(asked("run-1", 0, true))).await.unwrap().into_inner();
    let mut seen = 0;
    // The writer goes on, and whoever reads has every record, while another reads nothing.
    for n in 1..200 {
        recorder.append(note(format!("{n:20000}"))).unwrap();
        while seen < n + 1 {
            seen += read.next().await.unwrap().unwrap().records().unwrap().len();
        }
    }
    assert!(unread.as_mut().len() < stream::WAITING, "one message, and the place of the last word");
    let feed = feeds.of(&RunFolder::new(runs.path().join("run-1"))).unwrap();
    assert!(feed.octets_kept() <= 2 << 20, "{} octets are kept", feed.octets_kept());
    tokio::time::sleep(2 * stream::TAKEN_WITHIN).await;
    assert_eq!(watch.calls.available_permits(), PLACES - 1, "its place is free");
    // It comes back: what it was sent at first, and why there is no more.
    let first = unread.next().await.unwrap().unwrap();
    let status = unread.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let words = "nothing was taken for 60 s, so this call was ended: ask again from where you have come to";
    assert_eq!(status.message(), words);
    assert!(unread.next().await.is_none());
    // And goes on from there, out of the file.
    let from = first.first + first.records().unwrap().len() as u64;
    let rest = watch.records(Request::new(asked("run-1", from, false))).await.unwrap().into_inner();
    let rest: Vec<_> = rest.collect::<Result<Vec<_>, _>>().await.unwrap();
    let records: Vec<u64> = rest.iter().flat_map(|m| m.records().unwrap()).map(|r| r.sequence.0).collect();
    assert_eq!(records, Vec::from_iter(from..200));
}

/// One reading for all: the octets of the latest records are in memory once, whoever is sent them.
#[tokio::test]
async fn all_who_follow_are_sent_the_same_octets() {
    let runs = tempfile::tempdir().unwrap();
    let mut recorder = recorder(runs.path(), "run-1");
    let watch = WatchRuns::with_places(Runs::new(runs.path()), Feeds::default(), PLACES);
    let mut streams = Vec::new();
    for _ in 0..8 {
        let mut stream = watch.records(Request::new(asked("run-1", 0, true))).await.unwrap().into_inner();
        assert_eq!(stream.next().await.unwrap().unwrap().first, 0);
        streams.push(stream);
    }
    recorder.append(note("for all")).unwrap();
    let mut places = std::collections::BTreeSet::new();
    for stream in &mut streams {
        let message = tokio::time::timeout(SOON, stream.next()).await.unwrap().unwrap().unwrap();
        assert_eq!((message.first, message.records().unwrap().len()), (1, 1));
        places.insert(message.lines.as_ptr() as usize);
    }
    assert_eq!(places.len(), 1);
}

#[tokio::test]
async fn runs_are_watched_so_many_at_a_time_and_one_more_is_refused_in_words() {
    let runs = tempfile::tempdir().unwrap();
    let feeds = Feeds::default();
    let names: Vec<String> = (0..129).map(|n| format!("run-{n}")).collect();
    names.iter().for_each(|name| drop(recorder(runs.path(), name)));
    let watch = WatchRuns::with_places(Runs::new(runs.path()), feeds, 200);
    let mut streams = Vec::new();
    for name in &names[..128] {
        streams.push(watch.records(Request::new(asked(name, 0, true))).await.unwrap());
    }
    let status = watch.records(Request::new(asked(&names[128], 0, true))).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let words = "128 runs are being watched, as many as may be at a time: try again later";
    assert_eq!(status.message(), words);
    // One that is watched already may be watched by one more.
    watch.records(Request::new(asked(&names[0], 0, true))).await.unwrap();
}

#[tokio::test]
async fn checkpoints_come_as_they_are_signed_and_end_with_the_final_one() {
    let runs = tempfile::tempdir().unwrap();
    let mut recorder = recorder(runs.path(), "run-1");
    let mut client = connect(&served(runs.path()).await.0).await;
    let asked = |from, follow| CheckpointsRequest { run: "run-1".into(), from, follow };
    let mut stream = client.checkpoints(asked(0, true)).await.unwrap().into_inner();
    let mut notes = Vec::new();
    for n in 0..3 {
        let message = tokio::time::timeout(SOON, stream.message()).await.unwrap().unwrap().unwrap();
        assert_eq!(message.first, n);
        notes.extend(message.notes);
        recorder.append(note(format!("{n}"))).unwrap();
        recorder.checkpoint().unwrap();
    }
    recorder.finish(RunEnd::Completed).unwrap();
    let rest: Vec<_> = tokio::time::timeout(SOON, stream.collect()).await.unwrap();
    for message in rest {
        notes.extend(message.unwrap().notes);
    }
    let written = std::fs::read(RunFolder::new(runs.path().join("run-1")).checkpoints()).unwrap();
    assert_eq!(notes, written);
    let late = client.checkpoints(asked(4, true)).await.unwrap().into_inner();
    let late: Vec<_> = late.collect::<Result<_, _>>().await.unwrap();
    assert_eq!(late.len(), 1);
    assert_eq!(late[0].first, 4);
    assert!(written.ends_with(&late[0].notes) && late[0].notes.windows(5).any(|w| w == b"final"));
}

#[tokio::test]
async fn a_blob_comes_whole_and_none_but_the_blobs_of_a_run_do() {
    let runs = tempfile::tempdir().unwrap();
    let mut recorder = recorder(runs.path(), "run-1");
    let large = vec![7; 700_000];
    let digest = recorder.blob(&large).unwrap();
    let mut client = connect(&served(runs.path()).await.0).await;
    let asked = |digest: String| BlobRequest { run: "run-1".into(), digest };
    let stream = client.blob(asked(digest.to_string())).await.unwrap().into_inner();
    let pieces: Vec<_> = tokio::time::timeout(SOON, stream.collect::<Result<_, _>>()).await.unwrap().unwrap();
    assert!(pieces.len() > 2);
    let octets: Vec<u8> = pieces.into_iter().flat_map(|piece: BlobResponse| piece.octets).collect();
    assert_eq!(octets, large);
    let absent = Digest::of(b"absent").to_string();
    for (digest, code) in [
        (absent.as_str(), Code::NotFound),
        ("../records.jsonl", Code::InvalidArgument),
        ("", Code::InvalidArgument),
    ] {
        assert_eq!(client.blob(asked(digest.to_owned())).await.unwrap_err().code(), code, "{digest}");
    }
}
