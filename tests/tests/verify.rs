//! `harness verify` against everything that may be done to evidence, as whoever checks it sees it: what it says, and the exit code
//! that scripts go by.
//!
//! Each test does to a sound run what its name says. What cannot be seen in the run itself is seen by what a witness kept of it,
//! or by the runs that came after.

#![allow(clippy::expect_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::evidence::{CosigningKey, LabKey, Recorder, RunEnd, RunFolder, keep_cosignature};
use harness::link::{Direction as Way, Tap as _};
use jiff::Timestamp;
use lab_tests::shown;
use proto_lab::Digest;
use proto_lab::record::book::{BookOpened, EntryId, LabEvent};
use proto_lab::record::{Body, Direction, FORMAT, Message, Note, RunStarted, SignerKey, Verdict};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder of runs, and the key of the lab whose they are.
struct Runs {
    dir: TempDir,
    key: LabKey,
}

impl Runs {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let key =
            LabKey::open(&dir.path().join("runs/keys"), &"lab".parse().expect("a name")).expect("a key");
        Self { dir, key }
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("runs")
    }

    fn run(&self, name: &str) -> RunFolder {
        RunFolder::new(self.folder().join(name))
    }

    /// Begins a run that binds the one before it: a message, a packet, and a checkpoint over both.
    fn begin(&self, name: &str, previous: Option<(&str, Digest)>, key: &LabKey) -> Recorder {
        let mut recorder =
            Recorder::create(self.run(name), first(name, previous), key.clone()).expect("a run begins");
        let blob = recorder.blob(b"<Request/>").expect("a blob");
        let message = Message {
            direction: Direction::Sent,
            party: "DCC".into(),
            what: "service request".into(),
            blob,
            intent: None,
        };
        recorder.append(Body::Message(message)).expect("a record");
        recorder.capture().frame("wan", Way::Sent, Timestamp::now(), b"\x7e\xa0", None);
        recorder.checkpoint().expect("a checkpoint");
        recorder
    }

    /// A finished run; gives what the next binds.
    fn finished(&self, name: &str, previous: Option<(&str, Digest)>) -> Digest {
        let mut recorder = self.begin(name, previous, &self.key);
        recorder.append(note("looked at the meter")).expect("a record");
        recorder.finish(RunEnd::Completed).expect("an end").1
    }

    /// `harness verify`, from where nothing else is.
    fn verify(&self, what: &str, more: &[&str]) -> Output {
        let mut command = lab_tests::harness().expect("a command");
        command.current_dir(self.folder()).args(["verify", what]).args(more);
        command.output().expect("the harness starts")
    }

    /// It must end so and say each of these.
    #[track_caller]
    fn says(&self, what: &str, more: &[&str], code: i32, words: &[&str]) -> String {
        let out = self.verify(what, more);
        let said = shown(&out);
        assert_eq!(out.status.code(), Some(code), "{said}");
        words.iter().for_each(|word| assert!(said.contains(word), "{word:?} is not in: {said}"));
        said
    }

    /// What a witness keeps of a run: its last checkpoint.
    fn save_head(&self, run: &str) -> String {
        let notes = fs::read_to_string(self.run(run).checkpoints()).expect("checkpoints");
        let head = last_note(&notes).1.to_owned();
        let path = self.dir.path().join(format!("{run}.head"));
        fs::write(&path, head).expect("a head");
        path.display().to_string()
    }
}

/// Everything before the last note, and that.
fn last_note(notes: &str) -> (&str, &str) {
    let signature = notes.rfind("\n— ").expect("a signature");
    let before = notes[..signature].rfind("\n— ").map_or(0, |at| {
        let line = at + 1;
        line + notes[line..].find('\n').expect("a line") + 1
    });
    notes.split_at(before)
}

fn first(name: &str, previous: Option<(&str, Digest)>) -> RunStarted {
    let mut started = json!({
        "format": FORMAT, "run": name, "harness": "h", "lab": "lab",
        "lab-digest": Digest::of(b"lab").to_string(), "rig": "rig",
        "dmc": { "id": "d", "epcl-entry": "e", "release": "IOC", "installation": "dormant" },
        "devices": [], "system": { "dcc-systems": "1", "environment": "e" }, "packs": [], "plan": [],
        "key": { "verifier": "", "ephemeral": false },
    });
    if let Some((run, root)) = previous {
        started["previous"] = json!(root.to_string());
        started["previous-run"] = json!(run);
    }
    serde_json::from_value(started).expect("a first record")
}

fn note(what: &str) -> Body {
    Body::Note(Note { who: "test".into(), what: what.into() })
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("a file");
    assert!(text.contains(from), "{from:?} is not in {}", path.display());
    fs::write(path, text.replacen(from, to, 1)).expect("a file");
}

fn only_file_in(folder: &Path) -> PathBuf {
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.pop().expect("a file")
}

#[test]
fn edit() {
    let runs = Runs::new();
    runs.finished("run-1", None);
    runs.says("run-1", &[], 0, &["run run-1: sound", "the lab's own key"]);
    replace(&runs.run("run-1").records(), "looked at the meter", "looked at the motor");
    runs.says("run-1", &[], 1, &["broken", "first wrong: record 3: is not the record that was signed for"]);
    let out = runs.verify("run-1", &["--json"]);
    let told: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!((&told["sound"], &told["standing"]), (&json!(false), &json!("broken")), "{told}");
    assert_eq!(told["findings"][0]["place"]["record"], 3, "{told}");
}

/// The lab itself, which has the key, cuts a run behind an earlier checkpoint and goes on with it to another end: a tree that
/// holds by itself. Whoever kept a head of what it was sees two histories.
#[test]
fn truncation_then_continuation() {
    let runs = Runs::new();
    runs.finished("run-1", None);
    let head = runs.save_head("run-1");
    runs.says("run-1", &["--head", &head], 0, &["the run extends it"]);
    let folder = runs.run("run-1");
    let notes = fs::read_to_string(folder.checkpoints()).expect("checkpoints");
    let records = fs::read_to_string(folder.records()).expect("records");
    let kept: String = records.split_inclusive('\n').take(3).collect();

    // Cut, and not gone on with: what is signed for is missing.
    fs::write(folder.records(), &kept).expect("records");
    runs.says("run-1", &[], 1, &["broken", "missing", "are signed for, 3 are here"]);

    fs::write(folder.checkpoints(), last_note(&notes).0).expect("checkpoints");
    runs.says("run-1", &[], 1, &["open: no final checkpoint"]);
    let mut resumed = Recorder::resume(folder, runs.key.clone()).expect("resumed").recorder;
    resumed.append(note("looked at nothing")).expect("a record");
    resumed.finish(RunEnd::Completed).expect("an end");
    runs.says("run-1", &[], 0, &["sound"]);
    runs.says("run-1", &["--head", &head], 1, &["THE RUN HAS ANOTHER HISTORY"]);
}

#[test]
fn re_sealing_with_a_newer_key() {
    let runs = Runs::new();
    runs.finished("run-1", None);
    let old = runs.key.verifier().to_string();
    let head = runs.save_head("run-1");
    fs::remove_dir_all(runs.folder()).expect("gone");
    // The lab makes itself a newer key and signs the whole run anew.
    let resealed = Runs {
        key: LabKey::open(&runs.folder().join("keys"), &"lab".parse().expect("a name")).expect("a key"),
        dir: runs.dir,
    };
    resealed.finished("run-1", None);
    let newer = resealed.key.verifier().to_string();
    resealed.says("run-1", &[], 0, &["sound"]);
    resealed.says("run-1", &["--key", &old], 1, &["broken", "first wrong: key", &newer, &old]);
    resealed.says("run-1", &["--key", &old, "--head", &head], 1, &["THE RUN HAS ANOTHER HISTORY"]);
}

#[test]
fn unsigned_file() {
    let runs = Runs::new();
    runs.finished("run-1", None);
    fs::write(runs.run("run-1").checkpoints(), "").expect("checkpoints");
    runs.says("run-1", &[], 1, &["broken", "nothing in this run is signed"]);
    fs::remove_file(runs.run("run-1").checkpoints()).expect("checkpoints");
    runs.says("run-1", &[], 1, &["broken", "nothing in this run is signed"]);
}

#[test]
fn wrong_key() {
    let runs = Runs::new();
    runs.finished("run-1", None);
    let other = LabKey::ephemeral("other-lab".parse().expect("a name")).verifier().to_string();
    runs.says("run-1", &["--key", &other], 1, &["broken", "first wrong: key", &other]);
    // The key of another lab in the run itself, too.
    fs::write(runs.run("run-1").key(), format!("{other}\n")).expect("a key");
    runs.says("run-1", &[], 1, &["key.pub is not the key that the first record names"]);
    fs::remove_file(runs.run("run-1").key()).expect("a key");
    runs.says("run-1", &[], 1, &["broken", "first wrong: key"]);
    // Nobody to trust: whoever made the run may have made the key as well.
    fs::write(runs.run("run-1").key(), format!("{}\n", runs.key.verifier())).expect("a key");
    fs::remove_dir_all(runs.folder().join("keys")).expect("gone");
    runs.says(
        "run-1",
        &[],
        1,
        &["sound but signer unknown", "get the lab's verifier key from the lab itself"],
    );
}

/// A run that is being written while it is checked is open, whatever its writer is at, and sound once it has ended.
#[test]
fn live_log() {
    let runs = Runs::new();
    let mut recorder = runs.begin("run-1", None, &runs.key);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = 0_u64;
            while !done.load(Ordering::Acquire) {
                recorder.append(note(&"long ".repeat(2000))).expect("a record");
                written += 1;
                if written.is_multiple_of(7) {
                    recorder.checkpoint().expect("a checkpoint");
                }
                std::thread::yield_now();
                // The disk of the machine is not for this test alone.
                if written > 3000 {
                    break;
                }
            }
            recorder.finish(RunEnd::Completed).expect("an end");
        });
        for _ in 0..5 {
            let said = shown(&runs.verify("run-1", &[]));
            assert!(
                said.contains("open: no final checkpoint") || said.contains("run run-1: sound"),
                "{said}"
            );
        }
        done.store(true, Ordering::Release);
        writer.join().expect("written");
    });
    runs.says("run-1", &[], 0, &["run run-1: sound"]);
}

#[test]
fn a_torn_line_of_a_dead_writer() {
    let runs = Runs::new();
    drop(runs.begin("run-1", None, &runs.key));
    let records = runs.run("run-1").records();
    fs::write(&records, [&fs::read(&records).expect("records")[..], b"{\"n\":4,\"at\":"].concat())
        .expect("records");
    let words = [
        "open: no final checkpoint",
        "remark: 12 octets of a line that never ended follow record 2",
        "nobody was told of it",
        "harness run --resume",
    ];
    let said = runs.says("run-1", &[], 1, &words);
    assert!(!said.contains("broken") && !said.contains("first wrong"), "{said}");
}

/// A run that was deleted whole is named by the run after it, or by the lab's book, or by whoever kept a head of it.
#[test]
fn whole_run_deleted() {
    let runs = Runs::new();
    let first = runs.finished("run-1", None);
    let second = runs.finished("run-2", Some(("run-1", first)));
    let third = runs.finished("run-3", Some(("run-2", second)));
    runs.finished("run-4", Some(("run-3", third)));
    let opened = BookOpened {
        format: FORMAT,
        book: "book-1".parse().expect("a name"),
        harness: "h".into(),
        lab: "lab".into(),
        lab_digest: Digest::of(b"lab"),
        rigs: vec![],
        key: SignerKey { verifier: String::new(), ephemeral: false },
        next_entry: EntryId(1),
        previous: None,
    };
    let mut book = Recorder::create(runs.run("book-1"), opened, runs.key.clone()).expect("a book");
    let ended = LabEvent::RunEnded {
        run: "run-3".parse().expect("a name"),
        verdict: Some(Verdict::Pass),
        reason: None,
    };
    book.append(Body::Lab(Box::new(ended))).expect("a record");
    book.close("the test is over").expect("an end");
    let head = runs.save_head("run-4");
    let keep = |run: &str, to: &Path| fs::rename(runs.run(run).root(), to).expect("moved");
    let away = runs.dir.path().join("away");

    let begins = "the chain begins with run-1: it binds nothing before it";
    runs.says(
        ".",
        &["--head", &head],
        0,
        &["run run-4: sound", "book book-1: sound", begins, "the run extends it"],
    );
    keep("run-2", &away);
    let said =
        runs.says(".", &[], 1, &["MISSING: run run-2", &second.to_string(), "run-3 speaks of it", begins]);
    assert!(!said.contains("broken"), "what is left is as it was: {said}");
    let out = runs.verify(".", &["--json"]);
    let told: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!((&told["sound"], &told["missing"][0]["name"]), (&json!(false), &json!("run-2")), "{told}");
    fs::rename(&away, runs.run("run-2").root()).expect("moved");

    // The run that the last one binds is in the book as well; it is missing once.
    keep("run-3", &away);
    let said = runs.says(".", &[], 1, &["MISSING: run run-3"]);
    assert_eq!(said.matches("MISSING").count(), 1, "{said}");
    fs::remove_dir_all(runs.run("run-4").root()).expect("gone");
    runs.says(".", &[], 1, &["MISSING: run run-3: book-1 speaks of it"]);
    runs.says(".", &["--head", &head], 1, &["MISSING: lab/run-4, of whose first 5 records"]);
    fs::rename(&away, runs.run("run-3").root()).expect("moved");
    // The last of the chain is spoken of by nobody but who kept its head.
    runs.says(".", &[], 0, &["run run-3: sound"]);
    runs.says(".", &["--head", &head], 1, &["MISSING: lab/run-4"]);
}

/// A run put in the place of another, with its name, is not the one that the next binds.
#[test]
fn whole_run_replaced() {
    let runs = Runs::new();
    let root = runs.finished("run-1", None);
    runs.finished("run-2", Some(("run-1", root)));
    runs.says(".", &[], 0, &["run run-2: sound"]);
    fs::remove_dir_all(runs.run("run-1").root()).expect("gone");
    runs.finished("run-1", None);
    runs.says(".", &[], 1, &["MISSING: run run-1", "run-2 speaks of it, and it is not here as it was"]);
}

#[test]
fn blob_edited() {
    let runs = Runs::new();
    runs.finished("run-1", None);
    replace(&only_file_in(&runs.run("run-1").blobs()), "Request", "Reqvest");
    runs.says("run-1", &[], 1, &["broken", "first wrong: record 1: its blob", "has been changed"]);
    fs::write(runs.run("run-1").blobs().join("more"), "more").expect("a file");
    runs.says("run-1", &[], 1, &["blob more: no record refers to it"]);
}

#[test]
fn capture_edited() {
    let runs = Runs::new();
    runs.finished("run-1", None);
    let capture = only_file_in(&runs.run("run-1").captures());
    let whole = fs::read(&capture).expect("a capture");
    let mut changed = whole.clone();
    *changed.last_mut().expect("octets") ^= 1;
    fs::write(&capture, changed).expect("a capture");
    runs.says(
        "run-1",
        &[],
        1,
        &["broken", "first wrong: record 2", "octets of capture run.pcapng are not those it binds"],
    );
    fs::write(&capture, [&whole[..], b"more"].concat()).expect("a capture");
    runs.says("run-1", &[], 1, &["capture run.pcapng: 4 octets follow those that the last record binds"]);
    fs::remove_file(&capture).expect("gone");
    runs.says("run-1", &[], 1, &["capture run.pcapng: is missing"]);
}

#[test]
fn cosignature_edited() {
    let runs = Runs::new();
    runs.finished("run-1", None);
    let folder = runs.run("run-1");
    let witness = CosigningKey::from_seed("ann".parse().expect("a name"), &[7; 32]);
    let notes = fs::read_to_string(folder.checkpoints()).expect("checkpoints");
    let text = last_note(&notes).1.split_once("\n\n").expect("a note").0;
    let note = witness.cosign(&format!("{text}\n"), Timestamp::now());
    keep_cosignature(&folder, note.as_bytes(), &[witness.cosigner()]).expect("kept");
    let known = witness.cosigner().to_string();
    runs.says("run-1", &["--witness", &known], 0, &["cosigned by ann"]);
    let kept = fs::read_to_string(folder.cosignatures()).expect("cosignatures");
    // Its text, its signature, its form.
    replace(&folder.cosignatures(), "lab/run-1\n5\n", "lab/run-1\n4\n");
    runs.says("run-1", &["--witness", &known], 1, &["COSIGNED WRONGLY by ann"]);
    let signature = kept.trim_end().len() - 8;
    let mut changed = kept.clone().into_bytes();
    changed[signature] = if changed[signature] == b'A' { b'B' } else { b'A' };
    fs::write(folder.cosignatures(), changed).expect("cosignatures");
    runs.says("run-1", &["--witness", &known], 1, &["COSIGNED WRONGLY by ann"]);
    fs::write(folder.cosignatures(), kept.replacen("— ann", "- ann", 1)).expect("cosignatures");
    runs.says("run-1", &["--witness", &known], 1, &["THE COSIGNATURES WERE CHANGED"]);
}
