//! The controller's listeners from outside: every port, every refusal, by clients that are not ours (gRPC for Python by
//! reflection, curl, openssl).

mod lab;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use harness::evidence::CosigningKey;
use harness::server::pki::Pki;
use jiff::Timestamp;
use lab::{Lab, Served, call, code, curl, issue, plan};
use serde_json::{Value, json};

/// One call of each kind, its request empty: nobody is helped by reflection.
fn every_call() -> Value {
    let methods = [
        "Watch/ListRuns",
        "Watch/Records",
        "Cosign/ListCosignatures",
        "Cosign/Submit",
        "Queue/Join",
        "Control/StopEverything",
        "Station/Attach",
    ];
    methods.iter().map(|method| json!({ "method": method, "raw": "" })).collect()
}

fn codes(ended: &[Value]) -> String {
    ended.iter().map(code).collect::<Vec<_>>().join(" ")
}

/// What must be as it was: every file of the run.
fn files(folder: &Path) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let contents = entries.flat_map(|path| match path.is_dir() {
        true => files(&path),
        false => BTreeSet::from([(path.clone(), std::fs::read(&path).unwrap())]),
    });
    contents.collect()
}

#[test]
fn a_watcher_is_served_by_reflection_and_sees_no_service_that_is_not_there() {
    let lab = Lab::new();
    let served = lab.serve(&[]);
    let witness = lab.issue("ann", "witness", 0);
    let calls = json!([
        { "method": "list" },
        { "method": "Watch/ListRuns" },
        { "method": "Watch/ListBooks" },
        { "method": "Watch/Records", "request": { "run": "run-1", "follow": true } },
        { "method": "Watch/Checkpoints", "request": { "run": "run-1", "follow": true } },
    ]);
    let ended = call(&[plan(&lab.pki, &served.watch, Some(&witness), calls)]);
    assert_eq!(codes(&ended), "OK OK OK OK OK", "{ended:?}");
    let services = ["grpc.health.v1.Health", "smets1.lab.v1.Cosign", "smets1.lab.v1.Watch"];
    let listed: Vec<&str> =
        ended[0]["answers"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let listed: Vec<_> = listed.into_iter().filter(|name| !name.starts_with("grpc.reflection.")).collect();
    assert_eq!(listed, services);
    assert_eq!(ended[1]["answers"][0]["runs"][0]["run"], "run-1");
    assert_eq!(ended[2]["answers"][0]["books"].as_array().unwrap().len(), 1);
    let octets = |answers: &Value, field: &str| -> Vec<u8> {
        let pieces =
            answers.as_array().unwrap().iter().map(|answer| answer[field].as_str().unwrap().to_owned());
        pieces.flat_map(|piece| base64::engine::general_purpose::STANDARD.decode(piece).unwrap()).collect()
    };
    assert_eq!(octets(&ended[3]["answers"], "lines"), std::fs::read(lab.run().records()).unwrap());
    assert_eq!(octets(&ended[4]["answers"], "notes"), std::fs::read(lab.run().checkpoints()).unwrap());
    assert_eq!(served.end(), []);
}

/// Whoever calls, at whichever listener: what they have no right to is refused, recorded, and changes nothing.
#[test]
fn every_call_without_a_right_is_refused_recorded_and_changes_nothing() {
    let lab = Lab::new();
    let other = Pki::new(lab.path("other"));
    other.init(&"Test Lab".parse().unwrap(), &[], Timestamp::now()).unwrap();
    let credentials = [
        ("nobody", None),
        ("witness", Some(lab.issue("ann", "witness", 0))),
        ("board", Some(lab.issue("wall", "board", 0))),
        ("station", Some(lab.issue("bench-3", "station", 0))),
        ("expired", Some(lab.issue("old", "engineer", 10))),
        ("foreign", Some(issue(&other, &lab.path("foreign"), "eve", "engineer", 0))),
    ];
    let before = files(lab.run().root());
    let mut table = String::new();
    for door in ["watch", "control"] {
        for (name, credential) in &credentials {
            let served = lab.serve(&[]);
            let url = if door == "watch" { &served.watch } else { &served.control };
            // What a station has a right to is shown elsewhere.
            let own = (*name, door) == ("station", "control");
            let calls =
                every_call().as_array().unwrap().iter().take(if own { 6 } else { 7 }).cloned().collect();
            let ended = call(&[plan(&lab.pki, url, credential.as_ref(), calls)]);
            let row: Vec<&str> = ended.iter().map(short).collect();
            table.push_str(&format!("{door:8} {name:8} {}\n", row.join(" ")));
            let refused = served.end();
            match row.contains(&"TLS") {
                true => {
                    let why =
                        if *name == "expired" { "certificate expired" } else { "invalid peer certificate" };
                    assert!(refused.iter().any(|(.., reason)| reason.contains(why)), "{refused:?}");
                }
                false => {
                    let count = row.iter().filter(|ended| **ended != "ok").count();
                    assert_eq!(refused.len(), count, "{name} at {door}: {refused:?}");
                    let known = credential.as_ref().filter(|_| *name != "station");
                    let by = known.map(|issued| issued.certified.holder.to_string()).unwrap_or_default();
                    assert!(refused.iter().all(|(who, ..)| *who == by), "{refused:?}");
                }
            }
        }
    }
    insta::assert_snapshot!(table);
    assert_eq!(files(lab.run().root()), before);
}

/// How a call ended, in a word.
fn short(ended: &Value) -> &'static str {
    match code(ended) {
        "UNAUTHENTICATED" => "who?",
        "PERMISSION_DENIED" => "no",
        "UNAVAILABLE" => "TLS",
        "UNIMPLEMENTED" => "none",
        "INVALID_ARGUMENT" => "what?",
        "OK" => "ok",
        other => panic!("{other}: {ended}"),
    }
}

/// Engineers act, schedulers queue; whatever becomes of it is in the book, and what makes no sense is refused.
#[test]
fn engineers_and_schedulers_act_by_their_certificates() {
    let lab = Lab::new();
    let (engineer, scheduler) = (lab.issue("eng", "engineer", 0), lab.issue("sam", "scheduler", 0));
    let served = lab.serve(&[]);
    let acts = json!([
        { "method": "list" },
        { "method": "Control/HoldRig", "request": { "rig": "rig-1", "reason": "wiring", "leaseSeconds": 600 } },
        { "method": "Queue/List" },
        { "method": "Control/GiveBackRig", "request": { "rig": "rig-1" } },
        { "method": "Control/GiveBackRig", "request": { "rig": "rig-1" } },
        { "method": "Control/HoldRig", "request": { "rig": "rig-1", "reason": "x", "leaseSeconds": 5 } },
        { "method": "Control/Pause", "request": { "run": "no-such-run" } },
        { "method": "Control/Abort", "request": { "run": "../run" } },
        { "method": "Control/Quarantine", "request": { "device": "a meter", "reason": "x" } },
    ]);
    let queues = json!([
        { "method": "Queue/Leave", "request": { "entry": "77" } },
        { "method": "Control/StopEverything", "request": { "reason": "I say so" } },
    ]);
    let ended = call(&[
        plan(&lab.pki, &served.control, Some(&engineer), acts),
        plan(&lab.pki, &served.control, Some(&scheduler), queues),
    ]);
    let expected = "OK OK OK OK FAILED_PRECONDITION INVALID_ARGUMENT NOT_FOUND INVALID_ARGUMENT INVALID_ARGUMENT \
                    NOT_FOUND PERMISSION_DENIED";
    assert_eq!(codes(&ended), expected, "{ended:?}");
    let services = ended[0]["answers"].to_string();
    assert!(
        services.contains("smets1.lab.v1.Control") && services.contains("smets1.lab.v1.Queue"),
        "{services}"
    );
    let rig = &ended[2]["answers"][0]["rigs"][0];
    assert_eq!(
        (&rig["rig"], &rig["state"], &rig["holder"]),
        (&json!("rig-1"), &json!("held"), &json!("eng (engineer)"))
    );
    let refused = served.end();
    assert_eq!(refused.iter().filter(|(by, ..)| by == "eng (engineer)").count(), 5, "{refused:?}");
    assert_eq!(refused.iter().filter(|(by, ..)| by == "sam (scheduler)").count(), 2, "{refused:?}");
}

#[test]
fn malformed_calls_are_refused_and_recorded() {
    let lab = Lab::new();
    let served = lab.serve(&[]);
    let engineer = lab.issue("eng", "engineer", 0);
    let calls = json!([
        { "method": "Watch/Records", "raw": "ffffffff" },
        { "method": "Watch/Records", "raw": "0a02ffff" },
        { "method": "Watch/Records", "request": { "run": "../../etc" } },
        { "method": "Watch/Blob", "request": { "run": "run-1", "digest": "../records.jsonl" } },
        { "method": "Watch/Nothing", "raw": "" },
        { "method": "Watch/Records", "raw": format!("0a{}{}", "ffff7f", "61".repeat(0x1f_ffff)) },
    ]);
    let ended = call(&[plan(&lab.pki, &served.watch, Some(&engineer), calls)]);
    assert_eq!(
        codes(&ended),
        "INTERNAL INTERNAL INVALID_ARGUMENT INVALID_ARGUMENT UNIMPLEMENTED OUT_OF_RANGE",
        "{ended:?}"
    );
    // What is no TLS, and no HTTP in TLS.
    let target: SocketAddr = served.watch.rsplit_once('/').unwrap().1.parse().unwrap();
    let mut plain = TcpStream::connect(target).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let _ = plain.read(&mut [0; 64]);
    let refused = served.end();
    assert_eq!(refused.iter().filter(|(by, ..)| by == "eng (engineer)").count(), 6, "{refused:?}");
    assert!(refused.iter().any(|(_, call, _)| call == "handshake at the watch listener"), "{refused:?}");
}

#[test]
fn a_certificate_taken_back_counts_no_more_from_the_next_handshake() {
    let lab = Lab::new();
    let served = lab.serve(&[]);
    let witness = lab.issue("ann", "witness", 0);
    let listing =
        || plan(&lab.pki, &served.watch, Some(&witness), json!([{ "method": "Watch/ListRuns", "raw": "" }]));
    assert_eq!(codes(&call(&[listing()])), "OK");
    let ended = lab.harness(&["pki", "revoke", "ann"]);
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(codes(&call(&[listing()])), "UNAVAILABLE");
    let refused = served.end();
    assert!(refused.iter().any(|(.., reason)| reason.contains("Revoked")), "{refused:?}");
}

#[test]
fn openssl_and_curl_find_mutual_tls_as_they_know_it() {
    let lab = Lab::new();
    let served = lab.serve(&[]);
    let board = lab.issue("wall", "board", 0);
    let target = served.watch.rsplit_once('/').unwrap().1;
    let mut openssl = Command::new("openssl")
        .args([
            "s_client",
            "-nameopt",
            "RFC2253",
            "-verify_return_error",
            "-verify_ip",
            "127.0.0.1",
            "-connect",
            target,
            "-CAfile",
        ])
        .arg(lab.pki.authority())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut said = String::new();
    openssl.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    openssl.wait().unwrap();
    assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
    assert!(
        said.contains("CN=Test Lab authority,O=Test Lab"),
        "it asks for a certificate of the authority: {said}"
    );
    let (certificate, key) = (board.certificate.to_str().unwrap(), board.key.to_str().unwrap());
    let who = format!("{}/who", served.watch);
    for version in ["--http1.1", "--http2"] {
        let (status, body) = curl(&lab.pki, &[version, "--cert", certificate, "--key", key, &who]);
        assert_eq!((status.as_str(), body.as_str()), ("200", r#"{"name":"wall","role":"board"}"#));
        assert_eq!(curl(&lab.pki, &[version, &who]).0, "401");
    }
}

fn sign_in(lab: &Lab, url: &str, name: &str, password: &str, more: &[&str]) -> (String, String) {
    let body = json!({ "name": name, "password": password }).to_string();
    let url = format!("{url}/sign-in");
    let mut arguments = vec!["--header", "Content-Type: application/json", "--data", body.as_str()];
    arguments.extend(more);
    arguments.push(&url);
    curl(&lab.pki, &arguments)
}

#[test]
fn people_sign_in_stay_and_are_gone_once_they_are_removed() {
    let lab = Lab::new();
    lab.person("Ann", "witness", "correct horse battery");
    let served = lab.serve(&[]);
    let jar = lab.path("cookies");
    let jar = jar.to_str().unwrap();
    let (status, body) = sign_in(&lab, &served.watch, "Ann", "correct horse battery", &["--cookie-jar", jar]);
    assert_eq!(status, "200", "{body}");
    let kept = std::fs::read_to_string(jar).unwrap();
    assert!(
        kept.contains("#HttpOnly_127.0.0.1\tFALSE\t/\tTRUE\t") && kept.contains("__Host-lab-session"),
        "{kept}"
    );
    let who = |more: &[&str]| {
        let url = format!("{}/who", served.watch);
        let mut arguments = vec!["--cookie", jar];
        arguments.extend(more);
        arguments.push(&url);
        curl(&lab.pki, &arguments)
    };
    assert_eq!(who(&[]), ("200".into(), r#"{"name":"Ann","role":"witness"}"#.into()));
    // A witness has no right at the control listener, however they are known; a browser sends the cookie there too.
    let at_control = format!("{}/who", served.control);
    assert_eq!(curl(&lab.pki, &["--cookie", jar, &at_control]).0, "403");
    assert_eq!(sign_in(&lab, &served.control, "Ann", "correct horse battery", &[]).0, "401");
    // An act of a page that is not of this listener.
    let cosign = format!("{}/cosign", served.watch);
    let origin = ["--cookie", jar, "--header", "Origin: https://127.0.0.1:1", "--data", "x", &cosign];
    assert_eq!(curl(&lab.pki, &origin).0, "403");
    let ended = lab.harness(&["people", "remove", "Ann"]);
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(who(&[]).0, "401");
}

#[test]
fn whoever_guesses_passwords_is_not_heard_for_long() {
    let lab = Lab::new();
    lab.person("Ann", "engineer", "correct horse battery");
    let served = lab.serve(&[]);
    let mut statuses = Vec::new();
    for guess in 0..12 {
        statuses.push(sign_in(&lab, &served.control, "Ann", &format!("guess number {guess}"), &[]).0);
    }
    assert_eq!(statuses[..10], ["401"; 10]);
    assert_eq!(statuses[10..], ["429"; 2]);
    assert_eq!(sign_in(&lab, &served.control, "Ann", "correct horse battery", &[]).0, "429");
    let refused = served.end();
    assert_eq!(refused.iter().filter(|(_, call, _)| call == "POST /sign-in").count(), 13, "{refused:?}");
}

#[test]
fn a_flood_of_refused_calls_is_counted_and_does_not_fill_the_disk() {
    let lab = Lab::new();
    let served = lab.serve(&[]);
    let target: SocketAddr = served.control.rsplit_once('/').unwrap().1.parse().unwrap();
    for _ in 0..400 {
        let mut stream = TcpStream::connect(target).unwrap();
        let _ = stream.write_all(b"not TLS at all, and no HTTP either\r\n\r\n");
        let _ = stream.read(&mut [0; 64]);
    }
    let refused = served.end();
    assert!(refused.len() <= 2 * 31, "{} records", refused.len());
    let one_by_one = refused.iter().filter(|(_, call, _)| call != "several").count();
    let counted: usize = refused
        .iter()
        .filter(|(_, call, _)| call == "several")
        .filter_map(|(.., reason)| reason.split_once(' ')?.0.parse::<usize>().ok())
        .sum();
    assert_eq!(one_by_one + counted, 400);
}

#[test]
fn a_witness_cosigns_what_is_there_and_nothing_else_and_verify_shows_it() {
    let lab = Lab::new();
    let key = CosigningKey::from_seed("test/ann".parse().unwrap(), &[7; 32]);
    let cosigner = key.cosigner().to_string();
    let added = lab.harness(&["people", "add", "ann", "--role", "witness", "--cosigner-key", &cosigner]);
    assert!(added.status.success(), "{added:?}");
    let (ann, ben) = (lab.issue("ann", "witness", 0), lab.issue("ben", "witness", 0));
    let engineer = lab.issue("eng", "engineer", 0);
    let served = lab.serve(&[]);
    let checkpoints = std::fs::read_to_string(lab.run().checkpoints()).unwrap();
    let last = checkpoints.rfind("lab/run-1\n").unwrap();
    let text = &checkpoints[last..];
    let text = &text[..text.find("\n\n").unwrap() + 1];
    let submit = |note: &str| {
        let note = base64::engine::general_purpose::STANDARD.encode(note);
        json!([{ "method": "Cosign/Submit", "request": { "run": "run-1", "note": note } }])
    };
    let good = key.cosign(text, Timestamp::now());
    let elsewhere = key.cosign(&text.replace("lab/run-1", "lab/run-2"), Timestamp::now());
    let stranger =
        CosigningKey::from_seed("test/ann".parse().unwrap(), &[8; 32]).cosign(text, Timestamp::now());
    let ended = call(&[
        plan(&lab.pki, &served.watch, Some(&engineer), submit(&good)),
        plan(&lab.pki, &served.watch, Some(&ben), submit(&good)),
        plan(&lab.pki, &served.watch, Some(&ann), submit(&stranger)),
        plan(&lab.pki, &served.watch, Some(&ann), submit(&elsewhere)),
        plan(&lab.pki, &served.watch, Some(&ann), submit("words")),
    ]);
    let expected = "PERMISSION_DENIED PERMISSION_DENIED PERMISSION_DENIED INVALID_ARGUMENT INVALID_ARGUMENT";
    assert_eq!(codes(&ended), expected, "{ended:?}");
    assert!(!lab.run().cosignatures().exists());
    let twice = plan(&lab.pki, &served.watch, Some(&ann), submit(&good));
    let ended = call(&[twice.clone(), twice]);
    assert_eq!(codes(&ended), "OK OK", "{ended:?}");
    assert_eq!(ended[1]["answers"][0]["already"], true);
    assert_eq!(std::fs::read_to_string(lab.run().cosignatures()).unwrap(), good);
    assert_eq!(served.end().len(), 5);
    let run_key = std::fs::read_to_string(lab.run().key()).unwrap();
    let verify = |more: &[&str]| {
        let mut arguments = vec!["verify", "runs/run-1", "--key", run_key.trim()];
        arguments.extend(more);
        let ended = lab.harness(&arguments);
        (ended.status.code(), String::from_utf8_lossy(&ended.stdout).into_owned())
    };
    let (exit, said) = verify(&["--witness", &cosigner]);
    assert!(
        exit == Some(0) && said.contains("cosigned by test/ann+") && !said.contains("not known"),
        "{said}"
    );
    assert!(verify(&[]).1.contains("that key is not known here"));
    // A head that a known witness saw and that is not in the run: one of two histories is false.
    std::fs::write(lab.run().cosignatures(), format!("{good}{elsewhere}")).unwrap();
    let (exit, said) = verify(&["--witness", &cosigner]);
    assert!(exit == Some(1) && said.contains("COSIGNED WRONGLY"), "{said}");
}

#[test]
fn without_credentials_only_on_loopback_and_only_when_asked() {
    let lab = Lab::new();
    for (arguments, said) in [
        (&["--pki", "nowhere"][..], "there is no authority in nowhere"),
        (
            &["--loopback-without-credentials", "--watch", "0.0.0.0:0", "--control", "127.0.0.1:0"],
            "other machines",
        ),
        (
            &["--loopback-without-credentials", "--watch", "127.0.0.1:0", "--control", "[::]:0"],
            "other machines",
        ),
        (&["--loopback-without-credentials", "--pki", "pki"], "cannot be used with"),
    ] {
        let refused = lab.try_serve(arguments).err().expect("it serves");
        assert!(refused.contains(said), "{refused}");
    }
    let served = lab.serve(&["--loopback-without-credentials"]);
    let listing = json!([{ "method": "list" }, { "method": "Watch/ListRuns" }]);
    assert_eq!(codes(&call(&[plan(&lab.pki, &served.watch, None, listing)])), "OK OK");
}

/// Every address a process listens on, as Linux has it.
fn listening(process: u32) -> Vec<SocketAddr> {
    let sockets: BTreeSet<String> = std::fs::read_dir(format!("/proc/{process}/fd"))
        .unwrap()
        .filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok()?.to_str().map(str::to_owned))
        .filter_map(|link| link.strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned))
        .collect();
    let mut found = Vec::new();
    for table in ["tcp", "tcp6"] {
        let text = std::fs::read_to_string(format!("/proc/{process}/net/{table}")).unwrap_or_default();
        for row in text.lines().skip(1) {
            let columns: Vec<&str> = row.split_whitespace().collect();
            // 0A: LISTEN.
            if columns[3] == "0A" && sockets.contains(columns[9]) {
                found.push(address(columns[1]));
            }
        }
    }
    found
}

/// `0100007F:C383`: words of the machine's own order.
fn address(text: &str) -> SocketAddr {
    let (address, port) = text.split_once(':').unwrap();
    let octets: Vec<u8> = address
        .as_bytes()
        .chunks(8)
        .flat_map(|word| u32::from_str_radix(std::str::from_utf8(word).unwrap(), 16).unwrap().to_ne_bytes())
        .collect();
    let port = u16::from_str_radix(port, 16).unwrap();
    match <[u8; 4]>::try_from(octets.as_slice()) {
        Ok(four) => (IpAddr::from(four), port).into(),
        Err(_) => (IpAddr::from(<[u8; 16]>::try_from(octets.as_slice()).unwrap()), port).into(),
    }
}

/// The ports of the defaults are the same for everybody on this machine: wait for whoever has them.
fn with_defaults(lab: &Lab) -> Served {
    let begun = Instant::now();
    loop {
        match lab.try_serve(&[]) {
            Ok(served) => return served,
            Err(said) if said.contains("in use") && begun.elapsed() < Duration::from_secs(120) => {}
            Err(said) => panic!("{said}"),
        }
    }
}

#[test]
fn a_port_scan_of_the_defaults_finds_nothing_beyond_loopback() {
    let lab = Lab::new();
    let served = with_defaults(&lab);
    assert_eq!(
        (served.watch.as_str(), served.control.as_str()),
        ("https://127.0.0.1:50051", "https://127.0.0.1:50052")
    );
    let listening = listening(served.process());
    for url in [&served.watch, &served.control] {
        let port: u16 = url.rsplit_once(':').unwrap().1.parse().unwrap();
        assert!(listening.iter().any(|address| address.port() == port), "{listening:?}");
    }
    assert!(listening.iter().all(|address| address.ip().is_loopback()), "{listening:?}");
    // This machine's address as others know it, where it has one; no packet is sent.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let outside = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr());
    for address in outside.into_iter().filter(|address| !address.ip().is_loopback()) {
        for port in listening.iter().map(SocketAddr::port) {
            let there = SocketAddr::from((address.ip(), port));
            assert!(TcpStream::connect_timeout(&there, Duration::from_secs(5)).is_err(), "{there} is open");
        }
    }
}
