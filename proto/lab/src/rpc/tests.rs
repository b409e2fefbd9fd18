//! Golden messages, and no octets that bring a reader down.

use std::fmt::Write as _;

use proptest::prelude::*;
use prost::Message;

use crate::attach::StationFrame;
use crate::control::*;
use crate::cosign::*;
use crate::queue::*;
use crate::watch::*;

fn line(out: &mut String, name: &str, message: &impl Message) {
    writeln!(out, "{name} {}", hex::encode(message.encode_to_vec())).unwrap();
}

fn s(text: &str) -> String {
    text.to_owned()
}

/// Every field of every request and answer of the watch listener has a value that tells it from the others.
fn watching() -> String {
    let mut out = String::new();
    let run = || s("r1");
    line(&mut out, "ListRunsRequest", &ListRunsRequest { limit: 7 });
    let summary = RunSummary {
        run: run(),
        rig: s("rig"),
        dmc: s("dmc"),
        began: s("began"),
        records: 5,
        finished: true,
        verdict: s("pass"),
    };
    line(&mut out, "ListRunsResponse", &ListRunsResponse { runs: vec![summary] });
    line(&mut out, "ListBooksRequest", &ListBooksRequest { limit: 7 });
    let book = BookSummary { book: s("book-1"), began: s("began"), records: 3, finished: true };
    line(&mut out, "ListBooksResponse", &ListBooksResponse { books: vec![book] });
    line(&mut out, "RecordsRequest", &RecordsRequest { run: run(), from: 300, follow: true });
    line(&mut out, "RecordsResponse", &RecordsResponse { first: 300, lines: b"{}\n"[..].into() });
    line(&mut out, "CheckpointsRequest", &CheckpointsRequest { run: run(), from: 2, follow: true });
    line(&mut out, "CheckpointsResponse", &CheckpointsResponse { first: 2, notes: b"n\n"[..].into() });
    line(&mut out, "BlobRequest", &BlobRequest { run: run(), digest: s("ab") });
    line(&mut out, "BlobResponse", &BlobResponse { octets: vec![0, 255] });
    line(&mut out, "SubmitRequest", &SubmitRequest { run: run(), note: b"n\n".to_vec() });
    line(&mut out, "SubmitResponse", &SubmitResponse { size: 4, witness: s("w+00"), already: true });
    line(&mut out, "ListCosignaturesRequest", &ListCosignaturesRequest { run: run() });
    line(&mut out, "ListCosignaturesResponse", &ListCosignaturesResponse { notes: b"n\n".to_vec() });
    out
}

fn acting() -> String {
    let mut out = String::new();
    let (run, rig, reason, device) = (|| s("r1"), || s("rig"), || s("why"), || s("00-01"));
    let acted = Acted { book: s("book-1"), records: vec![9, 10], entry: 12 };
    line(&mut out, "Acted", &acted);
    line(&mut out, "PauseRequest", &PauseRequest { run: run() });
    line(&mut out, "ResumeRequest", &ResumeRequest { run: run() });
    line(&mut out, "AbortRequest", &AbortRequest { run: run(), reason: reason() });
    line(&mut out, "StopEverythingRequest", &StopEverythingRequest { reason: reason() });
    line(&mut out, "LiftStopRequest", &LiftStopRequest {});
    let rerun =
        RerunRequest { run: run(), pack: s("p"), script: s("s"), row: Some(s("r")), device: Some(s("ESME")) };
    line(&mut out, "RerunRequest", &rerun);
    line(&mut out, "HoldRigRequest", &HoldRigRequest { rig: rig(), reason: reason(), lease_seconds: 600 });
    line(&mut out, "GiveBackRigRequest", &GiveBackRigRequest { rig: rig() });
    line(&mut out, "QuarantineRequest", &QuarantineRequest { device: device(), reason: reason() });
    line(&mut out, "LiftQuarantineRequest", &LiftQuarantineRequest { device: device() });
    let join = JoinRequest {
        rig: rig(),
        packs: vec![s("p")],
        scripts: vec![s("s")],
        data_sets: vec![s("d")],
        witnessed: vec![],
    };
    line(&mut out, "JoinRequest", &join);
    line(&mut out, "LeaveRequest", &LeaveRequest { entry: 12 });
    line(&mut out, "ListRequest", &ListRequest {});
    let entry = QueueEntry {
        entry: 12,
        rig: rig(),
        packs: vec![s("p")],
        scripts: vec![s("s")],
        who: s("who"),
        since: s("since"),
        witnessed: vec![],
    };
    let state = RigState {
        rig: rig(),
        state: s("held"),
        holder: s("who"),
        reason: reason(),
        until: s("until"),
        quarantined: vec![device()],
    };
    let list = ListResponse { book: s("book-1"), waiting: vec![entry], rigs: vec![state] };
    line(&mut out, "ListResponse", &list);
    out
}

/// Golden. If this fails, do not change the test: programs of other versions would no longer understand this one.
#[test]
fn golden_messages_of_the_watch_listener() {
    insta::assert_snapshot!("watch", watching());
}

/// Golden. If this fails, do not change the test: programs of other versions would no longer understand this one.
#[test]
fn golden_messages_of_the_control_listener() {
    insta::assert_snapshot!("control", acting());
}

/// Golden, as the others are: what came with the choice of scripts to be witnessed.
#[test]
fn golden_messages_of_witnessed_scripts() {
    let mut out = String::new();
    let witnessed = || vec![s("w"), s("v")];
    line(
        &mut out,
        "JoinRequest",
        &JoinRequest { rig: s("rig"), witnessed: witnessed(), ..JoinRequest::default() },
    );
    line(&mut out, "QueueEntry", &QueueEntry { entry: 12, witnessed: witnessed(), ..QueueEntry::default() });
    insta::assert_snapshot!(out, @r"
    JoinRequest 0a037269672a01772a0176
    QueueEntry 080c3a01773a0176
    ");
}

#[test]
fn every_service_is_described_in_the_package_of_its_version() {
    let set = prost_types::FileDescriptorSet::decode(crate::rpc::DESCRIPTORS).unwrap();
    let mut services: Vec<String> = set
        .file
        .iter()
        .flat_map(|file| file.service.iter().map(|s| format!("{}.{}", file.package(), s.name())))
        .collect();
    services.sort();
    let expected = ["Control", "Cosign", "Queue", "Station", "Watch"];
    assert_eq!(services, expected.map(|name| format!("smets1.lab.v1.{name}")));
}

/// A witness's credential opens this service: nothing a client streams in could ever be more than a request.
#[test]
fn watching_takes_no_stream_from_a_client() {
    let set = prost_types::FileDescriptorSet::decode(crate::rpc::DESCRIPTORS).unwrap();
    for service in set.file.iter().flat_map(|file| &file.service) {
        let streams_in = service.method.iter().any(|method| method.client_streaming());
        assert_eq!(streams_in, service.name() == "Station", "{}", service.name());
    }
}

/// Every message and every field of the `.proto` files says what it is.
#[test]
fn every_message_field_and_method_is_documented() {
    let set = prost_types::FileDescriptorSet::decode(crate::rpc::DESCRIPTORS).unwrap();
    for file in &set.file {
        let documented = file.source_code_info.as_ref().unwrap();
        let comment = |path: &[i32]| {
            let found = documented.location.iter().find(|location| location.path == path);
            found.is_some_and(|location| location.leading_comments.is_some())
        };
        for (n, message) in (0..).zip(&file.message_type) {
            let named = |end: &str| message.name().ends_with(end);
            assert!(
                comment(&[4, n]) || named("Request") || named("Response"),
                "{} is not documented",
                message.name()
            );
            for (f, field) in (0..).zip(&message.field) {
                assert!(comment(&[4, n, 2, f]), "{}.{} is not documented", message.name(), field.name());
            }
        }
        for (n, service) in (0..).zip(&file.service) {
            for (m, method) in (0..).zip(&service.method) {
                assert!(comment(&[6, n, 2, m]), "{}.{} is not documented", service.name(), method.name());
            }
        }
    }
}

fn back<M: Message + Default + PartialEq>(message: &M) -> M {
    M::decode(message.encode_to_vec().as_slice()).unwrap()
}

proptest! {
    #[test]
    fn requests_read_back(run in ".{0,40}", from: u64, follow: bool, note: Vec<u8>, words in prop::collection::vec(".{0,20}", 0..5)) {
        let records = RecordsRequest { run: run.clone(), from, follow };
        prop_assert_eq!(back(&records), records);
        let submit = SubmitRequest { run: run.clone(), note };
        prop_assert_eq!(back(&submit), submit);
        let join = JoinRequest {
            rig: run,
            packs: words.clone(),
            scripts: words.clone(),
            data_sets: words.clone(),
            witnessed: words,
        };
        prop_assert_eq!(back(&join), join);
    }

    /// Whatever octets come: a message or an error, and a message means the same when it is written again.
    #[test]
    fn no_octets_bring_a_reader_down(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(message) = StationFrame::decode(octets.as_slice()) {
            prop_assert_eq!(back(&message), message);
        }
        if let Ok(message) = JoinRequest::decode(octets.as_slice()) {
            prop_assert_eq!(back(&message), message);
        }
    }
}
