//! The commands of README's "Running a lab", as they are printed there, in a folder with nothing but a lab file in it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::lab::{Lab, curl};

/// The commands of the section, without what is said of them.
fn commands() -> Vec<Vec<String>> {
    let readme = std::fs::read_to_string(lab_tests::repository().join("README.md")).unwrap();
    let section = readme.split("\n## Running a lab\n").nth(1).unwrap();
    let block = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let commands = block.lines().map(|line| line.split(" #").next().unwrap());
    commands.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn the_commands_of_the_readme_run_a_lab() {
    let lab = Lab::bare();
    std::fs::copy(lab_tests::repository().join("lab-config/labs/embedded.toml"), lab.path("lab.toml"))
        .unwrap();
    let mut said = BTreeMap::new();
    let commands = commands();
    let [before @ .., serve] = commands.as_slice() else { panic!("no commands") };
    for command in before {
        assert_eq!(command[0], "harness");
        let mut child = Command::new(lab_tests::program("harness").unwrap())
            .args(&command[1..])
            .current_dir(lab.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Whatever is asked for is a password.
        let _ = child.stdin.take().unwrap().write_all(b"correct horse battery\n");
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{command:?}: {ended:?}");
        said.insert(command[1..3].join(" "), String::from_utf8(ended.stdout).unwrap());
    }
    for (verb, told) in [
        ("pki init", "next: harness pki issue NAME --role ROLE, harness people add NAME --role ROLE"),
        ("pki issue", "certificate ./bench-laptop.pem, private key ./bench-laptop.key"),
        ("people add", "engineer-1 (engineer) added to pki/people.toml"),
    ] {
        assert!(said[verb].contains(told), "{said:?}");
    }
    assert_eq!(serve[..2], ["harness", "serve"]);
    let arguments: Vec<&str> = serve[2..].iter().map(String::as_str).collect();
    let served = crate::scan::with_defaults(&lab, &arguments);
    let shows = ["--cert", "bench-laptop.pem", "--key", "bench-laptop.key"];
    let shows = shows.map(|part| match part.strip_prefix("--") {
        Some(_) => part.to_owned(),
        None => lab.path(part).to_str().unwrap().to_owned(),
    });
    let who = format!("{}/who", served.control);
    let arguments: Vec<&str> = shows.iter().map(String::as_str).chain([who.as_str()]).collect();
    let (status, body) = curl(&lab.pki, &arguments);
    assert_eq!((status.as_str(), body.as_str()), ("200", r#"{"name":"bench-laptop","role":"engineer"}"#));
    let sign_in = format!("{}/sign-in", served.control);
    let body = r#"{"name":"engineer-1","password":"correct horse battery"}"#;
    let signed_in = curl(&lab.pki, &["--header", "Content-Type: application/json", "--data", body, &sign_in]);
    assert_eq!(signed_in.0, "200", "{}", signed_in.1);
}
