//! A User System outside the harness (SVTAD 5.2(b), row E10), made of curl, xmlsec1, openssl and Python only: it sends requests
//! of its own over mutual TLS, gets signed answers and an alert, and the run's records hold all of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

mod party;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use lab_tests::devices::embedded_lab;
use lab_tests::files::Files;
use party::{Listener, Party};
use serde_json::Value;
use tempfile::TempDir;

const USER: &str = "90-B3-D5-1F-30-0A-00-01";
const BROKER: &str = "90-B3-D5-1F-30-00-00-02";
const CHF: &str = "00-DB-12-34-56-78-90-01";
const ESME: &str = "00-DB-12-34-56-78-90-03";
const GSME: &str = "00-DB-12-34-56-78-90-04";

/// A run of the pack `eligibility`, as it is told line by line.
struct Run {
    harness: Child,
    said: BufReader<ChildStdout>,
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.harness.kill();
        let _ = self.harness.wait();
    }
}

impl Run {
    fn start(folder: &Path, listener: u16) -> Run {
        let dcc = format!(
            "\n[dcc]\ntls = {{ ca = \"ca.pem\", certificate = \"dcc.pem\", key = \"dcc.key\" }}\n\
             signing.dsp = {{ certificate = \"dsp.pem\", key = \"dsp.key\" }}\n\
             signing.s1sp = {{ certificate = \"s1sp.pem\", key = \"s1sp.key\" }}\n\n\
             [[dcc.user-system]]\nname = \"supplier-a\"\neui-64 = \"{USER}\"\nroles = [\"IS\"]\n\
             certificate = \"user.pem\"\nlistener = \"https://127.0.0.1:{listener}/\"\n\n[[combination]]\n"
        );
        let lab = embedded_lab().unwrap_or_else(|error| panic!("{error}"));
        std::fs::write(folder.join("lab.toml"), lab.replacen("\n[[combination]]\n", &dcc, 1)).unwrap();
        let mut harness = lab_tests::harness()
            .unwrap_or_else(|error| panic!("{error}"))
            .current_dir(folder)
            .args(["run", "--lab", "lab.toml", "--pack", "eligibility", "--json", "--runs", "runs"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(harness.stdout.take().unwrap());
        Run { harness, said }
    }

    /// The next record for which `meant` finds something.
    fn until<T>(&mut self, what: &str, meant: impl Fn(&Value) -> Option<T>) -> T {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.said.read_line(&mut line).unwrap(), 0, "the run ended before {what}");
            if let Some(found) = meant(&serde_json::from_str(&line).unwrap()) {
                return found;
            }
        }
    }

    /// Where the DCC's door is.
    fn door(&mut self) -> String {
        self.until("the door of User Systems opened", |record| {
            let what = record["prepared"]["what"].as_str()?;
            let url = what.strip_prefix("the DCC's interface for User Systems, at ")?;
            Some(url.split(',').next()?.to_owned())
        })
    }

    /// Until a step waits for such a request.
    fn waits_for(&mut self, srv: &str) {
        self.until(srv, |record| {
            record["intent"]["action"].as_str()?.contains(&format!("wait for request {srv} ")).then_some(())
        });
    }

    /// The verdict of the script under way.
    fn verdict(&mut self) -> String {
        self.until("a verdict", |record| Some(record["script-finished"]["verdict"].as_str()?.to_owned()))
    }
}

#[test]
fn a_user_system_of_curl_and_xmlsec1_has_its_answers_and_alerts() {
    let folder = TempDir::new().unwrap();
    let files = Files::make(folder.path(), &["dcc", "dsp", "s1sp", "user"]);
    let listener = Listener::start(&files);
    let mut run = Run::start(folder.path(), listener.port);
    let mut user = Party { files: &files, door: run.door(), counter: 1 };

    run.waits_for("8.2");
    let inventory = format!("<sr:ReadInventory><sr:DeviceID>{CHF}</sr:DeviceID></sr:ReadInventory>");
    let found = user.asks("serviceD", BROKER, "8.2", "8.2", 8, &inventory);
    assert!(found.contains(">I0<") && found.contains(ESME), "{found}");
    assert_eq!(run.verdict(), "pass");

    run.waits_for("4.1.1");
    let registers = "<sr:ReadInstantaneousImportRegisters/>";
    let word = user.asks("serviceS", ESME, "4.1", "4.1.1", 1, registers);
    assert!(word.contains(">I99<"), "{word}");
    let answer = listener.until(&files, "ReadInstantaneousImportRegistersRsp MessageSuccess=\"true\"");
    assert!(answer.contains(&format!("{USER}:{ESME}:{}", user.counter - 1)), "{answer}");
    assert_eq!(run.verdict(), "pass");

    run.waits_for("4.1.1");
    let word = user.asks("serviceS", GSME, "4.1", "4.1.1", 1, registers);
    assert!(word.contains(">E4<"), "{word}");
    assert_eq!(run.verdict(), "pass");

    run.waits_for("7.2");
    user.asks("serviceS", ESME, "7.2", "7.2", 1, "<sr:DisableSupply/>");
    listener.until(&files, "DisableSupplyRsp");
    run.waits_for("7.3");
    user.asks("serviceS", ESME, "7.3", "7.3", 1, "<sr:ArmSupply/>");
    let alert = listener.until(&files, "8F32");
    assert!(alert.contains(USER), "{alert}");
    assert_eq!(run.verdict(), "pass");
    let exit = run.harness.wait().unwrap();
    assert!(exit.success(), "{exit}");
}

#[test]
fn who_may_not_come_in_is_turned_away_and_changes_nothing() {
    let folder = TempDir::new().unwrap();
    let files = Files::make(folder.path(), &["dcc", "dsp", "s1sp", "user"]);
    let listener = Listener::start(&files);
    let mut run = Run::start(folder.path(), listener.port);
    let mut user = Party { files: &files, door: run.door(), counter: 1 };
    run.waits_for("8.2");
    let body = format!("<sr:ReadInventory><sr:DeviceID>{CHF}</sr:DeviceID></sr:ReadInventory>");
    let request = user.signed("user", USER, BROKER, "8.2", "8.2", 8, &body);
    // Without a certificate, with one of another authority, and without TLS.
    for shown in [None, Some("stranger")] {
        let said = user.posts(shown, "serviceD", &request);
        assert!(said.is_err(), "{said:?}");
    }
    let plain = Party { files: &files, door: user.door.replace("https:", "http:"), counter: 1 };
    assert!(plain.posts(Some("user"), "serviceD", &request).is_err());
    // A user of the lab's own is nobody at this door, and a signature of somebody else's does not hold.
    let borrowed = user.signed("user", "90-B3-D5-1F-30-01-00-00", BROKER, "8.2", "8.2", 8, &body);
    let said = user.posts(Some("user"), "serviceD", &borrowed).unwrap();
    assert!(said.contains(">E1<"), "{said}");
    let forged = user.signed("s1sp", USER, BROKER, "8.2", "8.2", 8, &body);
    let said = user.posts(Some("user"), "serviceD", &forged).unwrap();
    assert!(said.contains(">E100<"), "{said}");
    // None of it is what the script waits for.
    let found = user.asks("serviceD", BROKER, "8.2", "8.2", 8, &body);
    assert!(found.contains(">I0<"), "{found}");
    // And the same request a second time is a replay.
    let again = user.again("serviceD");
    assert!(again.contains(">E100<"), "{again}");
    // There is a door for transforms, at which nothing becomes a pre-command: SMETS1 knows none.
    let transform = user.asks("serviceT", ESME, "7.2", "7.2", 4, "<sr:DisableSupply/>");
    assert!(transform.contains(">E12<"), "{transform}");
    let command = user.asks("serviceT", ESME, "7.2", "7.2", 1, "<sr:DisableSupply/>");
    assert!(command.contains(">E13<"), "{command}");
    run.waits_for("4.1.1");
}
