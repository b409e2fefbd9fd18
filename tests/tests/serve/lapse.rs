//! Whoever is believed no more is cut off, whatever streams to them; and what is changed beside a server that runs counts.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::json;

use crate::lab::{Lab, SOON, Served, call, code, curl, plan, refused};

/// curl, to which the records of the lab book stream for as long as the server lets them.
struct Streaming(Child);

impl Streaming {
    /// Begun: the first record is here.
    fn of(lab: &Lab, served: &Served, who: &[&str]) -> Streaming {
        let book = served.book_name();
        let url = format!("{}/runs/{book}/records", served.control);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--no-buffer", "--max-time", "600", "--cacert"]).arg(lab.pki.authority());
        let mut child = curl.args(who).arg(url).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("event: "), "{line}");
        Streaming(child)
    }

    fn is_under_way(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Waits until it is cut off, which is soon.
    fn cut_off(mut self) {
        let begun = Instant::now();
        while self.is_under_way() {
            assert!(begun.elapsed() < SOON, "it streams on");
            std::thread::yield_now();
        }
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_certificate_taken_back_closes_what_streams_over_it_and_counts_at_no_handshake() {
    let lab = Lab::new();
    let served = lab.serve(&[]);
    let (gone, stays) = (lab.issue("gone", "engineer", 0), lab.issue("stays", "engineer", 0));
    let shows = |issued: &harness::server::pki::Issued| {
        [&issued.certificate, &issued.key].map(|path| path.to_str().unwrap().to_owned())
    };
    let streaming = |[certificate, key]: &[String; 2]| {
        Streaming::of(&lab, &served, &["--cert", certificate, "--key", key])
    };
    let (streams, mut goes_on) = (streaming(&shows(&gone)), streaming(&shows(&stays)));
    let listing =
        || plan(&lab.pki, &served.watch, Some(&gone), json!([{ "method": "Watch/ListRuns", "raw": "" }]));
    assert_eq!(code(&call(&[listing()])[0]), "OK");
    let ended = lab.harness(&["pki", "revoke", "gone"]);
    assert!(ended.status.success(), "{ended:?}");
    streams.cut_off();
    assert!(goes_on.is_under_way());
    assert_eq!(code(&call(&[listing()])[0]), "UNAVAILABLE");
    drop(goes_on);
    let refused: Vec<_> = served.book().into_iter().filter_map(refused).collect();
    for (call, reason) in [
        ("connection at the control listener", "gone (engineer): the certificate was taken back"),
        ("handshake at the watch listener", "Revoked"),
    ] {
        let told = |r: &crate::lab::Refused| r.call == call && r.reason.contains(reason);
        assert!(refused.iter().any(told), "{refused:?}");
    }
}

#[test]
fn who_signs_out_or_is_removed_is_cut_off_at_once() {
    let lab = Lab::new();
    let served = lab.serve(&[]);
    // Whoever is added while the server runs signs in.
    let jars = ["Ann", "Ben", "Cat"].map(|name| {
        lab.person(name, "engineer", "correct horse battery");
        let jar = lab.path(name).to_str().unwrap().to_owned();
        let body = json!({ "name": name, "password": "correct horse battery" }).to_string();
        let (header, url) = ("Content-Type: application/json", format!("{}/sign-in", served.control));
        let said = curl(&lab.pki, &["--cookie-jar", &jar, "--header", header, "--data", &body, &url]);
        assert_eq!(said.0, "200", "{}", said.1);
        jar
    });
    let [ann, ben, mut cat] = jars.each_ref().map(|jar| Streaming::of(&lab, &served, &["--cookie", jar]));
    let sign_out = format!("{}/sign-out", served.control);
    assert_eq!(curl(&lab.pki, &["--cookie", &jars[0], "--request", "POST", &sign_out]).0, "200");
    ann.cut_off();
    assert!(lab.harness(&["people", "remove", "Ben"]).status.success());
    let who = format!("{}/who", served.control);
    assert_eq!(curl(&lab.pki, &["--cookie", &jars[1], &who]).0, "401");
    ben.cut_off();
    assert!(cat.is_under_way());
    assert_eq!(curl(&lab.pki, &["--cookie", &jars[2], &who]).0, "200");
}

#[test]
fn people_and_certificates_added_at_the_same_time_are_all_there() {
    let lab = Lab::new();
    std::fs::write(lab.path("password"), "correct horse battery").unwrap();
    let names: Vec<String> = (0..8).map(|n| format!("person-{n}")).collect();
    let start = |arguments: &[&str]| {
        let mut command = Command::new(lab_tests::program("harness").unwrap());
        command.args(arguments).current_dir(lab.dir.path()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let mut all = Vec::new();
    for name in &names {
        all.push(start(&["people", "add", name, "--role", "witness", "--password-file", "password"]));
        all.push(start(&["pki", "issue", name, "--role", "witness"]));
        all.push(start(&["pki", "issue", "the-same", "--role", "witness"]));
    }
    let succeeded = all.iter_mut().filter_map(|child| child.wait().unwrap().success().then_some(())).count();
    assert_eq!(succeeded, 2 * names.len() + 1, "one of the eight has the name that all of them wanted");
    let listed = |arguments: &[&str]| String::from_utf8(lab.harness(arguments).stdout).unwrap();
    let (people, certificates) = (listed(&["people", "list"]), listed(&["pki", "show"]));
    for name in &names {
        assert!(people.contains(&format!("{name}: signs in")), "{people}");
        assert!(certificates.contains(&format!("{name} (witness)")), "{certificates}");
    }
    assert_eq!(certificates.matches("the-same (witness)").count(), 1, "{certificates}");
}
