//! A lab whose parties stand outside: keys made by openssl, a lab file, and programs that are parties.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use lab_tests::devices::{embedded_lab, with_wakeful_gas};
use lab_tests::files::{Files, done, run};
use lab_tests::{harness, program, repository, run_folders, shown};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The lab's own identities of the parties, as files have them: role, EUI-64, and the name of its keys.
pub(crate) const PARTIES: [(&str, &str, &str); 6] = [
    ("MigrationControl", "90-B3-D5-1F-30-00-00-02", "control"),
    ("RequestingParty", "90-B3-D5-1F-30-03-00-01", "requesting"),
    ("SMSO", "90-B3-D5-1F-30-03-00-02", "smso"),
    ("S1SP", "90-B3-D5-1F-30-02-00-00", "s1sp"),
    ("DCO", "90-B3-D5-1F-30-03-00-03", "dco"),
    ("CommissioningParty", "90-B3-D5-1F-30-00-00-02", "commissioning"),
];
/// The roles as a lab file has them, in the same order.
pub(crate) const ROLES: [&str; 6] =
    ["migration-control", "requesting-party", "smso", "s1sp", "dco", "commissioning-party"];

/// The supplier of electricity of the embedded lab.
pub(crate) const SUPPLIER: &str = "90-B3-D5-1F-30-01-00-00";

/// How long anything that is certain to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a party is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Folder,
    Https,
}

/// Keys, a lab, and where everything is.
pub(crate) struct Town {
    pub(crate) folder: TempDir,
    pub(crate) files: Files,
    /// Where control listens.
    pub(crate) control: u16,
    /// Seconds a party has to answer.
    pub(crate) answer_within: u32,
    /// The lab that is migrated.
    pub(crate) lab: String,
}

/// A port that nobody has now, out of the range that the system gives out by itself.
pub(crate) fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 8_000).expect("a port");
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let tried = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed));
    tried.take(2_000).find(free).expect("a free port")
}

impl Town {
    pub(crate) fn new() -> Town {
        let folder = tempfile::tempdir().expect("a folder");
        let keys = folder.path().join("keys");
        std::fs::create_dir(&keys).expect("a folder");
        let names = PARTIES.map(|(_, _, name)| name);
        let files = Files::make(&keys, &names);
        let lab = with_wakeful_gas(folder.path(), embedded_lab().expect("the embedded lab"));
        let lab = lab.expect("a gas meter");
        let town = Town { folder, files, control: port(), answer_within: 60, lab };
        for name in ["s1sp", "dco"] {
            town.sealing_keys(name);
        }
        town
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same with the lab of the cohorts, which has devices with keys of a security suite.
    pub(crate) fn with_keys() -> Town {
        let mut town = Town::new();
        let cohorts = repository().join("lab-config/labs/cohorts.toml");
        town.lab = std::fs::read_to_string(cohorts).expect("the lab of the cohorts");
        town
    }

    /// What secrets for a party are sealed to, and what it opens them with.
    fn sealing_keys(&self, name: &str) {
        let [open, seal] = ["open", "seal"].map(|end| self.files.path(&format!("{name}-{end}.pem")));
        let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
        done(Command::new("openssl").arg("genpkey").args(curve).arg("-out").arg(&open));
        done(Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(&open).arg("-out").arg(&seal));
    }

    /// The lab with one party outside; all others sign with fixed keys, so that it can know them.
    pub(crate) fn write_lab(&self, outside: &str, door: &str) -> PathBuf {
        let mut text = self.lab.clone();
        let tls =
            "tls = { ca = \"keys/ca.pem\", certificate = \"keys/control.pem\", key = \"keys/control.key\" }";
        text.push_str(&format!(
            "\n[migration]\nanswer-within = \"{}s\"\nlisten = \"127.0.0.1:{}\"\n{tls}\n",
            self.answer_within, self.control
        ));
        for (role, (_, _, name)) in ROLES.iter().zip(PARTIES) {
            text.push_str(&format!("\n[migration.party.{role}]\ncertificate = \"keys/{name}.pem\"\n"));
            let secret = ["s1sp", "dco"].contains(role);
            if secret {
                text.push_str(&format!("seal-to = \"keys/{name}-seal.pem\"\n"));
            }
            match *role == outside {
                true => text.push_str(door),
                false => text.push_str(&format!("key = \"keys/{name}.key\"\n")),
            }
            if secret && *role != outside {
                text.push_str(&format!("opening-key = \"keys/{name}-open.pem\"\n"));
            }
        }
        if outside == "responsible-supplier" {
            text.push_str(
                "\n[migration.party.responsible-supplier]\ncertificate = \"keys/requesting.pem\"\n",
            );
            text.push_str(&format!("eui-64 = \"{SUPPLIER}\"\n{door}"));
        }
        let lab = self.path("lab.toml");
        std::fs::write(&lab, text).expect("a lab file");
        lab
    }

    /// A party of the harness as a program of its own.
    pub(crate) fn program(&self, role: &'static str, by: By) -> Running {
        let door = match by {
            By::Folder => "folder = \"exchange\"\n".to_owned(),
            By::Https => format!("url = \"https://127.0.0.1:{}/files\"\n", port()),
        };
        let lab = self.write_lab(role, &door);
        let at = ROLES.iter().position(|known| *known == role);
        let name = at.map_or("requesting", |at| PARTIES[at].2);
        let (key, opening) =
            (self.files.path(&format!("{name}.key")), self.files.path(&format!("{name}-open.pem")));
        let [ca, shown, shown_key] = ["ca.pem", "smso.pem", "smso.key"].map(|file| self.files.path(file));
        let (program, state) = (program("harness").expect("the harness builds"), self.path("state-of-party"));
        let running = Running::start(move || {
            let mut command = Command::new(&program);
            command
                .env("HARNESS_STATE", &state)
                .args(["migrate", "party", role, "--json", "--lab"])
                .arg(&lab);
            command.arg("--key").arg(&key);
            if role == "responsible-supplier" {
                command.args(["--kind", "mixed"]);
            }
            if opening.exists() {
                command.arg("--opening-key").arg(&opening);
            }
            if by == By::Https {
                command.arg("--tls-ca").arg(&ca).arg("--tls-certificate").arg(&shown);
                command.arg("--tls-key").arg(&shown_key);
            }
            command
        });
        running.waits_for(1, |line| line["party"] == role);
        running
    }

    /// `harness migrate` on that lab, to its end.
    pub(crate) fn migrates(&self, words: &[&str]) -> Migrated {
        let mut command = self.harness();
        command.arg("migrate").args(words).arg("--lab").arg(self.path("lab.toml"));
        let out = run(command.arg("--runs").arg(self.path("runs")));
        let found = run_folders(&self.path("runs"));
        let last = found.last().unwrap_or_else(|| panic!("no run: {}", shown(&out)));
        let records = File::open(last.join("records.jsonl")).expect("records");
        let lines = BufReader::new(records).lines().map(|line| line.expect("a line"));
        let records = lines.map(|line| serde_json::from_str(&line).expect("JSON")).collect();
        Migrated { out, records }
    }

    pub(crate) fn harness(&self) -> Command {
        let mut command = harness().expect("the harness builds");
        command.env("HARNESS_STATE", self.path("state"));
        command
    }

    /// What the Python party is told, with what it does wrong on purpose.
    fn config(&self, door: &Value, wrong: &Value) -> PathBuf {
        let (role, id, own) = PARTIES[1];
        let known: Vec<Value> = PARTIES.iter().map(|(role, id, name)| json!([role, id, name])).collect();
        let mut config = json!({
            "me": [role, id], "own": own, "parties": known, "keys": self.files.folder(),
            "schemas": repository().join("proto/migration/schemas"), "state": self.path("python.json"),
            "number": 1, "smso": "Lab SMSO", "door": door,
        });
        for (key, value) in wrong.as_object().expect("an object") {
            config[key] = value.clone();
        }
        let path = self.path("python-config.json");
        std::fs::write(&path, config.to_string()).expect("a file");
        path
    }

    /// Starts the Requesting Party of Python, and writes the lab file in which it is outside.
    pub(crate) fn python(&self, by: By, wrong: &Value) -> Running {
        let control = format!("https://127.0.0.1:{}/requesting-party", self.control);
        let door = match by {
            By::Folder => json!({ "folder": self.path("exchange") }),
            By::Https => json!({ "port": port(), "post": control }),
        };
        let config = self.config(&door, wrong);
        let script = repository().join("tests/tests/migration_party/party.py");
        let start = move || {
            let mut command = Command::new("python3");
            command.arg(&script).arg(&config);
            command
        };
        let running = Running::start(start);
        running.waits_for(1, |line| line["began"].is_number());
        self.write_lab(
            "requesting-party",
            &match by {
                By::Folder => "folder = \"exchange\"\n".to_owned(),
                By::Https => format!("url = \"https://127.0.0.1:{}/files\"\n", door["port"]),
            },
        );
        running
    }
}

/// What a party has said, line by line.
#[derive(Default)]
struct Heard {
    lines: Mutex<Vec<Value>>,
    more: Condvar,
}

/// A party under way. It ends when this is dropped.
pub(crate) struct Running {
    child: Child,
    start: Box<dyn Fn() -> Command + Send>,
    heard: Arc<Heard>,
}

impl Running {
    pub(crate) fn start(start: impl Fn() -> Command + Send + 'static) -> Running {
        let (start, heard): (Box<dyn Fn() -> Command + Send>, _) = (Box::new(start), Arc::default());
        Running { child: spawned(&start, &heard), start, heard }
    }

    /// Kills it without a warning, and starts it anew.
    pub(crate) fn is_killed_and_begins_anew(&mut self) {
        self.end();
        self.child = spawned(&self.start, &self.heard);
    }

    fn end(&mut self) {
        // One that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> Vec<Value> {
        self.heard.lines.lock().expect("no panic").clone()
    }

    /// Waits until it has said so many lines of which this is true.
    pub(crate) fn waits_for(&self, times: usize, is: impl Fn(&Value) -> bool) {
        let lines = self.heard.lines.lock().expect("no panic");
        let missing = |lines: &mut Vec<Value>| lines.iter().filter(|line| is(line)).count() < times;
        let waited = self.heard.more.wait_timeout_while(lines, PATIENCE, missing).expect("no panic");
        assert!(!waited.1.timed_out(), "not said in {PATIENCE:?}; said is {:?}", *waited.0);
    }

    /// What became of each file it wrote, by its kind and how it was spoilt.
    pub(crate) fn became(&self, wrote: &str) -> Vec<String> {
        let of = |line: &&Value| line["wrote"] == wrote;
        let became = |line: &Value| line["became"].as_str().unwrap_or_default().to_owned();
        self.said().iter().filter(of).map(became).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

fn spawned(start: &dyn Fn() -> Command, heard: &Arc<Heard>) -> Child {
    let mut command = start();
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    let (out, heard) = (child.stdout.take().expect("a pipe"), Arc::clone(heard));
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
            heard.lines.lock().expect("no panic").push(line);
            heard.more.notify_all();
        }
    });
    child
}

/// A batch that ended.
pub(crate) struct Migrated {
    pub(crate) out: Output,
    pub(crate) records: Vec<Value>,
}

impl Migrated {
    /// Everything it printed.
    pub(crate) fn shown(&self) -> String {
        shown(&self.out)
    }

    /// How each attempt ended: its class, its code and the words.
    pub(crate) fn ends(&self) -> Vec<(String, String, String)> {
        let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
        let events = self.records.iter().map(|record| &record["migration"]);
        let events = events.filter(|event| event["class"].is_string());
        events.map(|event| (text(event, "class"), text(event, "code"), text(event, "detail"))).collect()
    }

    /// The records of files that were refused: by whom, and why.
    pub(crate) fn refusals(&self) -> Vec<String> {
        let what = self.records.iter().filter_map(|record| record["message"]["what"].as_str());
        what.filter_map(|what| what.strip_prefix("migration file refused by the "))
            .map(str::to_owned)
            .collect()
    }
}
