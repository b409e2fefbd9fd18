//! The HTTPS door of a migration against curl with keys made by openssl: a file handed over, one refused, one handed over twice,
//! and who is not let in; and files posted to a party that is Python's own HTTPS server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use harness::migration::exchange::door::{Came, Door, Https, Listener, Listening, Settled};
use lab_config::{ClientIdentity, PrivateKeySource, TlsFiles};
use lab_tests::files::Files;
use proto_migration::PartyRole;
use tokio::time::Instant;

const ROLE: PartyRole = PartyRole::RequestingParty;

fn tls(files: &Files, name: &str) -> TlsFiles {
    let key = PrivateKeySource::File(files.path(&format!("{name}.key")));
    let identity = ClientIdentity { certificate: files.path(&format!("{name}.pem")), key };
    TlsFiles { authority: files.path("ca.pem"), identity }
}

/// A listener with mutual TLS, and a door that sends to `to`.
async fn door(files: &Files, to: &str) -> (String, Https) {
    let tls = tls(files, "control");
    let listening = Listening::at(None, Some(tls.clone()));
    let listener = Listener::open(&listening, [ROLE]).await.unwrap();
    let door = Https::new(&listener, ROLE, to, Some(&tls), Duration::from_secs(20)).unwrap();
    (listener.url(ROLE), door)
}

/// What curl prints of a POST of this file, the status last; an error where it got no answer.
async fn posts(files: &Files, shown: Option<&str>, url: &str, file: &Path) -> Result<String, String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "60", "--write-out", "%{http_code}", "--cacert"]);
    curl.arg(files.path("ca.pem"));
    if let Some(name) = shown {
        curl.arg("--cert").arg(files.path(&format!("{name}.pem")));
        curl.arg("--key").arg(files.path(&format!("{name}.key")));
    }
    curl.args(["-H", "Content-Type: application/xml", "--data-binary"])
        .arg(format!("@{}", file.display()))
        .arg(url);
    let out = tokio::task::spawn_blocking(move || lab_tests::files::run(&mut curl)).await.unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    if out.status.success() { Ok(text(&out.stdout)) } else { Err(text(&out.stderr)) }
}

fn written(folder: &Path, octets: &[u8]) -> PathBuf {
    let file = folder.join("file.xml");
    std::fs::write(&file, octets).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_hands_a_file_over_and_is_told_what_became_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::make(folder.path(), &["control", "party"]);
    let (url, door) = door(&files, "https://127.0.0.1:1/").await;
    let door = Arc::new(door);
    let reader = tokio::spawn({
        let door = Arc::clone(&door);
        async move {
            let mut read = Vec::new();
            for settled in [Settled::Taken, Settled::refused("LAB-CUT", "it breaks off in line 7")] {
                let came = door.receive(Instant::now() + Duration::from_secs(60)).await.unwrap();
                let Some(Came::File(file)) = came else { panic!("expected a file, found {came:?}") };
                door.settle(&file, &settled).await.unwrap();
                read.push(file.octets);
            }
            read
        }
    });
    // Who shows nothing, or something of another authority, is not even heard.
    let file = written(folder.path(), b"<good/>");
    for stranger in [None, Some("stranger")] {
        let said = posts(&files, stranger, &url, &file).await;
        assert!(said.is_err(), "{said:?}");
    }
    assert_eq!(posts(&files, Some("party"), &url, &file).await.unwrap(), "204");
    assert_eq!(
        posts(&files, Some("party"), &url, &file).await.unwrap(),
        "204",
        "the same file again is one file"
    );
    let file = written(folder.path(), b"<cut");
    let said = posts(&files, Some("party"), &url, &file).await.unwrap();
    assert_eq!(said, "LAB-CUT: it breaks off in line 7\n422");
    assert_eq!(reader.await.unwrap(), [b"<good/>".to_vec(), b"<cut".to_vec()]);
    assert_eq!(door.receive(Instant::now()).await.unwrap(), None);
}

/// Python's HTTPS server: says busy once, takes what is not `<bad/>`, and prints what it took.
struct Party {
    server: Child,
    port: u16,
}

impl Party {
    fn start(files: &Files) -> Party {
        let script = lab_tests::repository().join("tests/tests/migration_party/listener.py");
        let mut server =
            Command::new("python3").arg(script).arg(files.folder()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        Party { server, port: said.trim().parse().unwrap() }
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_behind_a_server_of_python_gets_files_and_says_no() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::make(folder.path(), &["control", "party"]);
    let party = Party::start(&files);
    let (_, door) = door(&files, &format!("https://127.0.0.1:{}/files", party.port)).await;
    let name = "DC-1".parse().unwrap();
    door.send(&name, b"<good/>").await.unwrap();
    let error = door.send(&name, b"<bad/>").await.unwrap_err().to_string();
    assert!(error.contains("422") && error.contains("LAB-SCHEMA: no such element"), "{error}");
}
