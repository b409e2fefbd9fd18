//! The controller's listeners from outside: every port, every refusal, by clients that are not ours (gRPC for Python by
//! reflection, curl, openssl).

mod lab;
mod lapse;
mod ports;
mod readme;
mod scan;
mod spoilt;

use std::io::Read as _;
use std::process::Command;

use base64::Engine as _;
use harness::evidence::CosigningKey;
use jiff::Timestamp;
use lab::{Lab, call, code, curl, plan};
use serde_json::{Value, json};

fn codes(ended: &[Value]) -> String {
    ended.iter().map(code).collect::<Vec<_>>().join(" ")
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
    let refused = served.end();
    assert_eq!(refused.iter().filter(|(by, ..)| by == "eng (engineer)").count(), 6, "{refused:?}");
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
