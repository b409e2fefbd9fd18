//! Keys from outside: `harness read` with high-level security 5 and ciphered messages against `device-sim serve`, over
//! restarts of the harness, with wrong keys, a counter that fell behind, and a counter file that is damaged.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lab_tests::devices::Devices;
use serde_json::Value;

const ENCRYPTION: &str = "000102030405060708090A0B0C0D0E0F";
const AUTHENTICATION: &str = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF";

/// The embedded lab's devices, the hub's management client with keys.
struct Bench(Devices);

impl Bench {
    fn start() -> Self {
        Self::start_by(Command::new(lab_tests::program("device-sim").unwrap()))
    }

    fn start_by(device_sim: Command) -> Self {
        let hub = "links.wan = \"sim:\"\nclient.16 = { security = \"none\" }\n";
        let password = format!("{hub}client.1 = {{ security = \"low\", password = {{ generated = true }} }}");
        let keys = "client.1 = { security = \"gmac\", encryption-key = { file = \"encryption\" }, \
                    authentication-key = { file = \"authentication\" } }";
        let encryption = format!("{ENCRYPTION}\n");
        let files = [("encryption", encryption.as_str()), ("authentication", AUTHENTICATION)];
        Self(
            Devices::start_by(device_sim, &[(&password, &[hub, keys].concat())], &files)
                .unwrap_or_else(|error| panic!("{error}")),
        )
    }

    /// Reads the hub's hardware version, which the public client may not.
    fn read(&self, encryption_key: &str) -> Output {
        self.read_with(encryption_key, &self.0.folder().join("state"))
    }

    /// The same by a harness that keeps its counters there.
    fn read_with(&self, encryption_key: &str, state: &Path) -> Output {
        lab_tests::harness()
            .unwrap()
            .args(["read", self.0.link("wan"), "1", "0-0:96.1.3", "2", "--encryption-key", "env:KEY"])
            .arg("--authentication-key")
            .arg(format!("file:{}", self.0.folder().join("authentication").display()))
            .env("KEY", encryption_key)
            .env("HARNESS_STATE", state)
            .output()
            .unwrap()
    }

    /// The file with the counter of the right keys, and the number in it.
    fn counter(&self) -> (PathBuf, u64) {
        let files = std::fs::read_dir(self.0.folder().join("state/counters")).unwrap();
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        assert_eq!(files.len(), 1, "{files:?}");
        let text = std::fs::read_to_string(&files[0]).unwrap();
        let written: Value = serde_json::from_str(&text).unwrap();
        (files[0].clone(), written["used"].as_u64().unwrap())
    }
}

fn told(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[test]
fn a_meter_is_read_with_keys_and_the_counter_outlives_the_harness_its_loss_and_its_damage() {
    let bench = Bench::start();
    let first = bench.read(ENCRYPTION);
    assert!(first.status.success(), "{}", lab_tests::shown(&first));
    let (file, used) = bench.counter();
    let again = bench.read(ENCRYPTION);
    assert!(again.status.success(), "{}", lab_tests::shown(&again));
    assert!(bench.counter().1 > used, "numbers were used without writing them down");

    // A counter restored from an old copy: the hub says what it expects, and is followed.
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace(&bench.counter().1.to_string(), "1")).unwrap();
    let behind = bench.read(ENCRYPTION);
    assert!(behind.status.success(), "{}", lab_tests::shown(&behind));
    assert!(bench.counter().1 > used);

    std::fs::write(&file, "{\"title\":\"4C414").unwrap();
    let damaged = bench.read(ENCRYPTION);
    assert_eq!(damaged.status.code(), Some(3), "{}", lab_tests::shown(&damaged));
    let words = told(&damaged);
    assert!(words.contains("expected an invocation counter of 4C41420000000001"), "{words}");
    assert!(words.contains("as the public client"), "what to do is not said: {words}");
}

/// What a device has in its state folder of the key it has: what it may have sent, and what it received.
fn kept(folder: &Path) -> (u64, u64) {
    let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|extension| extension == "json"));
    let written: Value = serde_json::from_str(&std::fs::read_to_string(file.unwrap()).unwrap()).unwrap();
    let counters = written["counters"].as_object().unwrap();
    assert_eq!(counters.len(), 1, "{written}");
    let numbers = counters.values().next().unwrap();
    let received = numbers["received"]["4C41420000000001"].as_u64().unwrap();
    (numbers["sent"].as_u64().unwrap(), received)
}

#[test]
fn a_device_killed_and_started_again_goes_on_with_its_counters() {
    let folder = tempfile::tempdir().unwrap();
    let (device, harness) = (folder.path().join("device"), folder.path().join("harness"));
    let start = || {
        let mut device_sim = Command::new(lab_tests::program("device-sim").unwrap());
        device_sim.env("DEVICE_SIM_STATE", &device);
        Bench::start_by(device_sim)
    };
    let first = start();
    let read = first.read_with(ENCRYPTION, &harness);
    assert!(read.status.success(), "{}", lab_tests::shown(&read));
    let (sent, received) = kept(&device);
    assert!(sent > 0 && received > 0, "{sent} sent, {received} received");
    // Killed where it stands: nothing is tidied up.
    drop(first);

    let again = start();
    let read = again.read_with(ENCRYPTION, &harness);
    assert!(read.status.success(), "{}", lab_tests::shown(&read));
    assert!(!told(&read).contains("invocation counter"), "{}", told(&read));
    let (sent_then, received_then) = kept(&device);
    assert!(sent_then > sent, "numbers of the first start are used again: {sent} then {sent_then}");
    assert!(received_then > received, "{received} then {received_then}");

    // A harness that lost its own counters is told what the device has had since before the restart, and follows.
    let lost = again.read_with(ENCRYPTION, &folder.path().join("other"));
    assert!(lost.status.success(), "{}", lab_tests::shown(&lost));
    assert!(kept(&device).1 > received_then);
}

#[test]
fn wrong_keys_end_in_a_clear_refusal() {
    let bench = Bench::start();
    let wrong = bench.read("FF0102030405060708090A0B0C0D0E0F");
    assert_eq!(wrong.status.code(), Some(3), "{}", lab_tests::shown(&wrong));
    assert!(told(&wrong).contains("the keys do not fit"), "{}", told(&wrong));
    let short = bench.read("0001");
    assert_eq!(short.status.code(), Some(2), "{}", lab_tests::shown(&short));
    let words = told(&short);
    assert!(words.contains("environment variable KEY") && words.contains("32 hexadecimal digits"), "{words}");
    assert!(!words.contains("0001"), "part of a key is shown: {words}");
}
