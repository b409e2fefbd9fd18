//! `harness watch URL` over mutual TLS: who is believed, what is said to who is not, and a connection that is cut.

#[path = "serve/lab.rs"]
#[allow(dead_code, reason = "the tests of the listeners use the rest")]
mod lab;

use std::io::{BufRead as _, BufReader};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use harness::evidence::{LabKey, Recorder, RunEnd, RunFolder, read_records};
use harness::server::pki::{Issued, Pki};
use jiff::Timestamp;
use lab::{Lab, issue};
use proto_lab::record::{Body, Note};

const SOON: Duration = Duration::from_secs(60);

/// `harness watch`, with a state folder of the witness's own.
fn watch(lab: &Lab, url: &str) -> Command {
    let mut command = Command::new(lab_tests::program("harness").unwrap());
    command.args(["watch", url]).env("HARNESS_STATE", lab.path("witness")).current_dir(lab.dir.path());
    command
}

fn trusting<'c>(command: &'c mut Command, authority: &Path) -> &'c mut Command {
    command.arg("--ca").arg(authority)
}

fn showing<'c>(command: &'c mut Command, issued: &Issued) -> &'c mut Command {
    command.arg("--certificate").arg(&issued.certificate).arg("--key-file").arg(&issued.key)
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[test]
fn a_witness_watches_over_mutual_tls_and_holds_the_head() {
    let lab = Lab::new();
    let served = lab.serve(&[]);
    let witness = lab.issue("ann", "witness", 0);
    for url in [served.watch.clone(), format!("{}/run-1", served.watch)] {
        let mut command = watch(&lab, &url);
        let out = showing(trusting(&mut command, &lab.pki.authority()), &witness).output().unwrap();
        assert!(out.status.success(), "{}", lab_tests::shown(&out));
        let told = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(told.contains("2 records are signed, and the signatures hold"), "{told}");
    }
    let head = std::fs::read_to_string(lab.path("witness/heads/run-1.head")).unwrap();
    assert!(head.contains("/run-1\n2\n"), "{head}");
    assert_eq!(served.end(), []);
}

#[test]
fn whoever_is_not_believed_is_told_what_to_do() {
    let lab = Lab::new();
    let other = Pki::new(lab.path("other"));
    other.init(&"Test Lab".parse().unwrap(), &[], Timestamp::now()).unwrap();
    let (ours, theirs) = (lab.pki.authority(), other.authority());
    let witness = lab.issue("ann", "witness", 0);
    let station = lab.issue("bench-3", "station", 0);
    let expired = lab.issue("old", "witness", 10);
    let foreign = issue(&other, &lab.path("foreign"), "eve", "witness", 0);
    let served = lab.serve(&[]);
    let (watching, control) = (served.watch.as_str(), served.control.as_str());
    for (url, authority, shown, exit, words) in [
        (watching, None, None, 2, "https needs the lab's authority: --ca FILE"),
        (watching, Some(&theirs), Some(&witness), 3, "is not of the authority given with --ca"),
        (watching, Some(&ours), None, 3, "show who you are: --certificate FILE --key-file FILE"),
        (watching, Some(&ours), Some(&station), 3, "harness pki issue NAME --role witness"),
        (control, Some(&ours), Some(&witness), 3, "have no right at the control listener"),
        (watching, Some(&ours), Some(&expired), 2, "this certificate expired at"),
        (watching, Some(&ours), Some(&foreign), 3, "of that lab's authority"),
        ("http://192.0.2.1:50051", None, None, 2, "plain http is for a controller on this machine"),
    ] {
        let mut command = watch(&lab, url);
        if let Some(authority) = authority {
            trusting(&mut command, authority);
        }
        if let Some(issued) = shown {
            showing(&mut command, issued);
        }
        let out = command.output().unwrap();
        assert_eq!(out.status.code(), Some(exit), "{words}: {}", lab_tests::shown(&out));
        assert!(said(&out).contains(words), "{words}: {}", said(&out));
    }
    // Whose certificate was taken back is let in no more.
    lab.pki.revoke("ann", Timestamp::now()).unwrap();
    let mut command = watch(&lab, watching);
    let out = showing(trusting(&mut command, &ours), &witness).output().unwrap();
    assert_eq!(out.status.code(), Some(3), "{}", lab_tests::shown(&out));
    assert!(said(&out).contains("taken back"), "{}", said(&out));
}

/// A wire that can be cut: what connects here is led on.
struct Wire {
    port: u16,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    fn to(url: &str) -> Self {
        let to = url.rsplit_once('/').unwrap().1.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Self { port: listener.local_addr().unwrap().port(), open: Arc::default() };
        let open = Arc::clone(&wire.open);
        std::thread::spawn(move || {
            while let Ok((near, _)) = listener.accept() {
                let Ok(far) = TcpStream::connect(&to) else { continue };
                open.lock().unwrap().extend([near.try_clone().unwrap(), far.try_clone().unwrap()]);
                lead(near.try_clone().unwrap(), far.try_clone().unwrap());
                lead(far, near);
            }
        });
        wire
    }

    fn cut(&self) {
        self.open.lock().unwrap().drain(..).for_each(|end| drop(end.shutdown(Shutdown::Both)));
    }
}

fn lead(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

fn remark(recorder: &mut Recorder, number: u64) {
    let note = Note { who: "test".into(), what: format!("remark {number}") };
    recorder.append(Body::Note(note)).unwrap();
}

#[test]
fn a_connection_that_is_cut_is_made_again_and_every_record_comes_once() {
    let lab = Lab::new();
    let Body::RunStarted(mut first) = read_records(&lab.run()).unwrap().swap_remove(0).body else {
        panic!("a run begins with its first record")
    };
    first.run = "run-2".parse().unwrap();
    let folder = RunFolder::new(lab.path("runs/run-2"));
    let key = LabKey::ephemeral("lab".parse().unwrap());
    let mut recorder = Recorder::create(folder.clone(), *first, key).unwrap();
    let served = lab.serve(&[]);
    let witness = lab.issue("ann", "witness", 0);
    let wire = Wire::to(&served.watch);
    let mut command = watch(&lab, &format!("https://127.0.0.1:{}/run-2", wire.port));
    let command = showing(trusting(&mut command, &lab.pki.authority()), &witness).arg("--json");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (send, lines) = mpsc::sync_channel(100);
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    let mut seen: Vec<u64> = Vec::new();
    let mut until = |number: u64| {
        let end = Instant::now() + SOON;
        while seen.last() != Some(&number) {
            let line = lines.recv_timeout(end.saturating_duration_since(Instant::now())).expect("a record");
            let record: Option<serde_json::Value> = serde_json::from_str(&line).ok();
            seen.extend(record.and_then(|record| record["n"].as_u64()));
        }
    };
    until(0);
    for cut in 0..3u64 {
        remark(&mut recorder, 2 * cut);
        until(2 * cut + 1);
        wire.cut();
        remark(&mut recorder, 2 * cut + 1);
        recorder.checkpoint().unwrap();
        until(2 * cut + 2);
    }
    recorder.finish(RunEnd::Completed).unwrap();
    until(7);
    assert_eq!(seen, Vec::from_iter(0..=7));
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", said(&ended));
    assert_eq!(said(&ended).matches("asking again from record").count(), 3, "{}", said(&ended));
    let head = std::fs::read_to_string(lab.path("witness/heads/run-2.head")).unwrap();
    assert!(std::fs::read_to_string(folder.checkpoints()).unwrap().ends_with(&head), "the last head is held");
}
