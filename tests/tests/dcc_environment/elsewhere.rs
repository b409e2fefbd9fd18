//! Another harness, whose stub is the DCC; the lab that is pointed at a DCC; and its runs.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};

use lab_tests::devices::{Devices, embedded_lab};
use lab_tests::files::Files;
use lab_tests::shown;
use serde_json::Value;

const ROLES: [(&str, &str); 4] = [("IS", "is"), ("GS", "gs"), ("ED", "ed"), ("OU", "ou")];

/// A password both labs know, for every client of every device.
const GENERATED: &str = "password = { generated = true }";
const KNOWN: &str = "password = { file = \"password\" }";
const VENDING: &str = "vending-key = { generated = true }\n";

/// Simulated devices in a process of their own, for the DCC's side and the lab's own ports alike.
pub(crate) fn devices() -> Devices {
    let changes = [(GENERATED, KNOWN), (VENDING, "")];
    Devices::start(&changes, &[("password", "open4me8")]).unwrap_or_else(|error| panic!("{error}"))
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn identity(number: usize) -> String {
    format!("90-B3-D5-1F-30-0A-00-0{number}")
}

/// Writes a pack of these scripts, agreed as they are.
pub(crate) fn pack(folder: &Path, name: &str, scripts: &[(&str, &str)]) {
    let pack = folder.join(name);
    std::fs::create_dir(&pack).unwrap();
    let names = scripts.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let head = format!(
        "id = \"{name}\"\ntitle = \"Scripts of a test\"\nkind = \"service-reference-variant\"\nrelease = \"IOC\"\n\
         standard = false\nrationale = \"they show a DCC of somebody else's\"\nagreement = \"none\"\n\
         requires-enrolled = true\nscripts = [{names}]\n"
    );
    std::fs::write(pack.join("pack.toml"), head).unwrap();
    for (script, text) in scripts {
        std::fs::write(pack.join(format!("{script}.toml")), text).unwrap();
    }
    let out = harness(folder, &["check", "--pack", name, "--write-lock"]);
    assert!(out.status.success(), "{}", shown(&out));
}

/// `harness` with these words, in this folder, with a state of its own.
pub(crate) fn harness(folder: &Path, words: &[&str]) -> Output {
    command(folder).args(words).output().unwrap()
}

fn command(folder: &Path) -> std::process::Command {
    let mut command = lab_tests::harness().unwrap_or_else(|error| panic!("{error}"));
    command.current_dir(folder).env("HARNESS_STATE", folder.join("state"));
    command
}

/// Another harness with its stub and its door for User Systems. It ends with its value.
pub(crate) struct Elsewhere {
    process: Child,
    /// Kept open: a program whose standard output nobody reads any more ends.
    _said: BufReader<std::process::ChildStdout>,
    pub(crate) url: String,
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Elsewhere {
    /// Starts it with these devices behind it; the lab's users listen at this port. Its door stands open for as long as its
    /// script waits, which is longer than any test.
    pub(crate) fn start(files: &Files, devices: &Devices, listener: u16) -> Elsewhere {
        let folder = files.folder();
        std::fs::write(folder.join("password"), "open4me8").unwrap();
        std::fs::write(folder.join("stub.toml"), stub_lab(devices, listener)).unwrap();
        let mut process = command(folder)
            .env("HARNESS_STATE", folder.join("state-of-the-dcc"))
            .args(["run", "--lab", "stub.toml", "--pack", "door", "--json", "--runs", "runs-of-the-dcc"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let url = door(&mut said);
        Elsewhere { process, _said: said, url }
    }
}

/// Where its door is, once a script waits there.
fn door(said: &mut BufReader<std::process::ChildStdout>) -> String {
    let (mut line, mut url) = (String::new(), None);
    loop {
        line.clear();
        assert_ne!(
            said.read_line(&mut line).unwrap(),
            0,
            "the other harness ended before its door stood open"
        );
        let record: Value = serde_json::from_str(&line).unwrap();
        if let Some(at) = record["prepared"]["what"]
            .as_str()
            .and_then(|what| what.strip_prefix("the DCC's interface for User Systems, at "))
        {
            url = at.split(',').next().map(|url| format!("{url}/"));
        }
        if record["intent"]["action"].as_str().is_some_and(|action| action.contains("wait for request")) {
            return url.expect("the door was said");
        }
    }
}

/// The embedded lab with these devices on its wide area path only, and the lab's users as outside User Systems.
fn stub_lab(devices: &Devices, listener: u16) -> String {
    let mut lab = embedded_lab().unwrap_or_else(|error| panic!("{error}"));
    let wan = format!("links.wan = \"{}\"\nsimulated = true", devices.link("wan"));
    for (from, to) in [
        (GENERATED, KNOWN),
        (VENDING, ""),
        ("links.wan = \"sim:\"", &wan),
        ("links.optical = \"sim:?sign-on=e\"\n", "simulated = true\n"),
        ("links.local = \"sim:?baud=9600\"\n", "simulated = true\n"),
        // The lab looks at its meters by their local ports, with what its own file names.
        ("safe-state = { supply = \"enabled\", payment-mode = \"credit\" }\n", "credentials = \"kept\"\n"),
    ] {
        assert!(lab.contains(from), "the embedded lab no longer says {from}");
        lab = lab.replace(from, to);
    }
    // The station's broker is the devices' own.
    let station = lab.find("# What presses keys").expect("the station of the embedded lab");
    lab.truncate(station);
    let mut dcc = "\n[dcc]\ntls = { ca = \"ca.pem\", certificate = \"dcc.pem\", key = \"dcc.key\" }\n\
                   signing.dsp = { certificate = \"dsp.pem\", key = \"dsp.key\" }\n\
                   signing.s1sp = { certificate = \"s1sp.pem\", key = { file = \"s1sp.key\" } }\n"
        .to_owned();
    for (number, (role, name)) in ROLES.into_iter().enumerate() {
        dcc += &format!(
            "\n[[dcc.user-system]]\nname = \"lab-{name}\"\neui-64 = \"{}\"\nroles = [\"{role}\"]\n\
             certificate = \"{name}.pem\"\nlistener = \"https://127.0.0.1:{listener}/\"\n",
            identity(number)
        );
    }
    lab + &dcc
}

/// Writes `lab.toml`: the shipped lab for a DCC test environment with its arrows filled in, and these ports of its own.
pub(crate) fn lab_of(files: &Files, url: &str, listener: u16, ports: &[(&str, &str, &str)]) {
    let shipped = lab_tests::repository().join("lab-config/labs/dcc-test-environment.toml");
    let mut lab = std::fs::read_to_string(shipped).unwrap();
    let mut fill = |from: &str, to: &str| {
        assert!(lab.contains(from), "the shipped lab no longer says {from}");
        lab = lab.replace(from, to);
    };
    fill("https://dcc.example:8079", url);
    fill("dcc-authority.pem", "ca.pem");
    fill("192.0.2.7:8081", &format!("127.0.0.1:{listener}"));
    fill("{ env = \"ED_SIGNING_KEY\" }", "{ file = \"ed.key\" }");
    fill("{ env = \"OU_SIGNING_KEY\" }", "{ file = \"ou.key\" }");
    for number in 0..ROLES.len() {
        fill(&format!("90-B3-D5-1F-30-01-00-0{number}"), &identity(number));
    }
    for meter in ["ESME", "GSME"] {
        fill(&format!("password = {{ env = \"{meter}_PASSWORD\" }}"), KNOWN);
    }
    let written = [
        ("ESME", "optical", "serial:///dev/ttyUSB0?sign-on=e"),
        ("GSME", "local", "serial:///dev/ttyUSB1?baud=9600"),
    ];
    for (meter, path, link) in written {
        let port = ports.iter().find(|(kind, ..)| *kind == meter);
        let line = port.map(|(_, path, link)| format!("links.{path} = \"{link}\"\nsimulated = true"));
        fill(&format!("links.{path} = \"{link}\""), &line.unwrap_or_default());
    }
    let lab = lab.lines().filter(|line| !line.starts_with("vending-key")).collect::<Vec<_>>().join("\n");
    std::fs::write(files.path("password"), "open4me8").unwrap();
    std::fs::write(files.path("lab.toml"), lab).unwrap();
}

/// A run that has ended.
pub(crate) struct Run {
    pub(crate) out: Output,
    pub(crate) folder: PathBuf,
    records: Vec<Value>,
}

/// Runs a pack on `lab.toml` of this folder.
pub(crate) fn run(folder: &Path, pack: &str) -> Run {
    let out = harness(folder, &["run", "--lab", "lab.toml", "--pack", pack, "--runs", "runs"]);
    let found = lab_tests::run_folders(&folder.join("runs")).into_iter().next_back();
    let found = found.unwrap_or_else(|| panic!("{}", shown(&out)));
    let text = std::fs::read_to_string(found.join("records.jsonl")).unwrap();
    let records = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Run { out, folder: found, records }
}

/// Whether `harness verify` finds the evidence sound.
pub(crate) fn verify(run: &Path) -> bool {
    harness(run, &["verify", run.to_str().unwrap()]).status.success()
}

impl Run {
    /// The bodies of records of this kind.
    pub(crate) fn bodies(&self, kind: &'static str) -> impl Iterator<Item = &Value> {
        self.records.iter().filter_map(move |record| record.get(kind))
    }

    /// The verdicts of its scripts.
    pub(crate) fn verdicts(&self) -> impl Iterator<Item = &str> {
        self.bodies("script-finished").filter_map(|body| body["verdict"].as_str())
    }

    /// The counters of what the electricity supplier asked, as its requests have them.
    pub(crate) fn counters(&self) -> Vec<u64> {
        let user = format!(">{}:", identity(0));
        let sent = self.bodies("message").filter(|body| body["direction"] == "sent");
        let blobs = sent.filter_map(|body| body["blob"].as_str());
        let texts = blobs.filter_map(|blob| std::fs::read_to_string(self.blob(blob)).ok());
        let counter = |text: String| {
            let request = text.split("RequestID").nth(1)?.strip_prefix(user.as_str())?.to_owned();
            request.split([':', '<']).nth(1)?.parse().ok()
        };
        texts.filter_map(counter).collect()
    }

    fn blob(&self, digest: &str) -> PathBuf {
        self.folder.join("blobs").join(digest)
    }
}
