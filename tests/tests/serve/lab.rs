//! A lab that is served: an authority, people, a run to watch, and the program itself.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use harness::evidence::{LabKey, Recorder, RunEnd, RunFolder, read_records};
use harness::server::pki::{Holder, Issued, Pki};
use jiff::{SignedDuration, Timestamp};
use proto_lab::record::book::LabEvent;
use proto_lab::record::{Body, Record, RunStarted};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long the program may take to say where it listens, and to end.
pub(crate) const SOON: Duration = Duration::from_secs(60);

pub(crate) struct Lab {
    pub(crate) dir: TempDir,
    pub(crate) pki: Pki,
}

/// The program under way, and where it listens.
pub(crate) struct Served {
    child: Child,
    pub(crate) watch: String,
    pub(crate) control: String,
    pub(crate) book: PathBuf,
    /// What it says to itself.
    log: PathBuf,
}

impl Lab {
    /// An empty folder.
    pub(crate) fn bare() -> Self {
        let dir = TempDir::new().unwrap();
        let pki = Pki::new(dir.path().join("pki"));
        Self { dir, pki }
    }

    /// An authority, and one finished run named `run-1`.
    pub(crate) fn new() -> Self {
        let lab = Self::bare();
        lab.pki.init(&"Test Lab".parse().unwrap(), &[], Timestamp::now()).unwrap();
        let key = LabKey::ephemeral("lab".parse().unwrap());
        let recorder = Recorder::create(lab.run(), started(), key).unwrap();
        recorder.finish(RunEnd::Completed).unwrap();
        lab
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn run(&self) -> RunFolder {
        RunFolder::new(self.path("runs").join("run-1"))
    }

    /// A certificate of this lab, in use for a day from so many days ago.
    pub(crate) fn issue(&self, name: &str, role: &str, days_ago: i64) -> Issued {
        issue(&self.pki, &self.path("issued"), name, role, days_ago)
    }

    /// Runs a verb of the program to its end.
    pub(crate) fn harness(&self, arguments: &[&str]) -> Output {
        let program = lab_tests::program("harness").unwrap();
        Command::new(program).args(arguments).current_dir(self.dir.path()).output().unwrap()
    }

    /// Adds somebody who signs in.
    pub(crate) fn person(&self, name: &str, role: &str, password: &str) {
        std::fs::write(self.path("password"), password).unwrap();
        let arguments = ["people", "add", name, "--role", role, "--password-file", "password"];
        let ended = self.harness(&arguments);
        assert!(ended.status.success(), "{ended:?}");
    }

    pub(crate) fn serve(&self, more: &[&str]) -> Served {
        let mut arguments = vec!["--watch", "127.0.0.1:0", "--control", "127.0.0.1:0"];
        arguments.extend(more);
        self.try_serve(&arguments).unwrap_or_else(|said| panic!("{said}"))
    }

    /// Starts the program; what it said when it would not.
    pub(crate) fn try_serve(&self, arguments: &[&str]) -> Result<Served, String> {
        let mut child = Command::new(lab_tests::program("harness").unwrap())
            .args(["serve", "--json"])
            .args(arguments)
            .env("HARNESS_STATE", self.path("state"))
            .env("HARNESS_LOG", "harness::server=debug,warn")
            .current_dir(self.dir.path())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(self.path("serve.log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(told) = serde_json::from_str::<Value>(&line) else {
            child.wait().unwrap();
            return Err(std::fs::read_to_string(self.path("serve.log")).unwrap());
        };
        let url = |key: &str| told[key].as_str().unwrap().to_owned();
        let book = self.dir.path().join(url("book"));
        Ok(Served { child, watch: url("watch"), control: url("control"), book, log: self.path("serve.log") })
    }
}

pub(crate) fn issue(pki: &Pki, to: &Path, name: &str, role: &str, days_ago: i64) -> Issued {
    let holder = Holder { name: name.parse().unwrap(), standing: role.parse().unwrap() };
    let from = Timestamp::now() - SignedDuration::from_hours(24 * days_ago);
    pki.issue(&holder, 1, to, from).unwrap()
}

/// The first record of a run, from the line of one.
fn started() -> RunStarted {
    serde_json::from_value(json!({
        "format": 1, "run": "run-1", "harness": "h", "lab": "lab",
        "lab-digest": proto_lab::Digest::of(b"lab").to_string(), "rig": "rig",
        "dmc": { "id": "d", "epcl-entry": "e", "release": "IOC", "installation": "dormant" },
        "devices": [], "system": { "dcc-systems": "1", "environment": "e" }, "packs": [], "plan": [],
        "key": { "verifier": "", "ephemeral": true },
    }))
    .unwrap()
}

impl Served {
    /// The name of its lab book, by which it is watched as a run is.
    pub(crate) fn book_name(&self) -> String {
        self.book.file_name().unwrap().to_string_lossy().into_owned()
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// The paths of the pages at a listener, as its router has them.
    pub(crate) fn paths(&self, door: &str) -> Vec<String> {
        let log = std::fs::read_to_string(&self.log).unwrap();
        let said = format!("pages at the {door} listener: ");
        let list = log.lines().find_map(|line| Some(line.split_once(&said)?.1)).expect(&log);
        list.split(' ').map(str::to_owned).collect()
    }

    /// Ends the program as an operator does; gives the calls it has recorded as refused: who, what, why.
    pub(crate) fn end(self) -> Vec<(String, String, String)> {
        let refused = self.book().into_iter().filter_map(refused);
        refused.map(|refused| (refused.by, refused.call, refused.reason)).collect()
    }

    /// Ends the program as an operator does; gives its lab book.
    pub(crate) fn book(mut self) -> Vec<Record> {
        self.terminate();
        let records = read_records(&RunFolder::new(&self.book)).unwrap();
        assert!(matches!(records.last().unwrap().body, Body::BookClosed(_)));
        records
    }

    fn terminate(&mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < SOON, "the program does not end");
            std::thread::yield_now();
        }
    }
}

/// A call that was refused, as the book has it.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) by: String,
    pub(crate) from: String,
    pub(crate) call: String,
    pub(crate) reason: String,
}

impl Refused {
    /// How many calls this record stands for.
    pub(crate) fn count(&self) -> usize {
        match self.from.as_str() {
            "several" => self.reason.split(' ').next().unwrap().parse().unwrap(),
            _ => 1,
        }
    }
}

pub(crate) fn refused(record: Record) -> Option<Refused> {
    let Body::Lab(event) = record.body else { return None };
    let LabEvent::CallRefused { by, from, call, reason } = *event else { return None };
    Some(Refused { by: by.map(|by| by.to_string()).unwrap_or_default(), from, call, reason })
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the gRPC peer is asked to do at one listener, with one credential.
pub(crate) fn plan(pki: &Pki, url: &str, credential: Option<&Issued>, calls: Value) -> Value {
    let mut plan = json!({ "target": url.rsplit_once('/').unwrap().1, "calls": calls });
    if url.starts_with("https") {
        plan["ca"] = json!(pki.authority());
    }
    if let Some(issued) = credential {
        plan["cert"] = json!(issued.certificate);
        plan["key"] = json!(issued.key);
    }
    plan
}

/// Has the gRPC peer do it; how each call ended.
pub(crate) fn call(plans: &[Value]) -> Vec<Value> {
    ask("caller.py", json!(plans))
}

/// Has a peer written in Python do something, and tell how each part of it ended.
pub(crate) fn ask(script: &str, plan: Value) -> Vec<Value> {
    let peers = lab_tests::peers().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve").join(script);
    let mut child = Command::new(peers.join("python"))
        .arg(script)
        .env("GRPC_VERBOSITY", "NONE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    serde_json::from_slice(&ended.stdout).unwrap()
}

pub(crate) fn code(ended: &Value) -> &str {
    ended["code"].as_str().unwrap()
}

/// What curl gets: status and body.
pub(crate) fn curl(pki: &Pki, arguments: &[&str]) -> (String, String) {
    let authority = pki.authority();
    let ended = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "60", "--write-out", "\n%{http_code}", "--cacert"])
        .arg(authority)
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    let (body, status) = said.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}
