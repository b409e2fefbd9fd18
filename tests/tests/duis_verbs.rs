//! `harness duis` as a user has it: what one verb prints the next takes, and xmllint and xmlsec1 agree with it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use lab_tests::{duis_schemas, harness, shown};
use proto_duis::pki::Authority;
use serde_json::Value;
use tempfile::TempDir;

struct Desk {
    folder: TempDir,
}

impl Desk {
    /// A folder with a user's key and certificate.
    fn new() -> Desk {
        let desk = Desk { folder: TempDir::new().unwrap() };
        let authority = Authority::new("Test authority").unwrap();
        let (certificate, key) = authority.issue_pem("supplier").unwrap();
        desk.write("authority.pem", authority.pem());
        desk.write("user.pem", &certificate);
        desk.write("user.key", &key);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// `harness duis ARGUMENTS`, in the folder, with this on standard input.
    fn duis(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = harness().unwrap();
        command.arg("duis").args(arguments).current_dir(self.folder.path());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn says(&self, arguments: &[&str]) -> String {
        let out = self.duis(arguments, "");
        assert!(out.status.success(), "{}", shown(&out));
        String::from_utf8(out.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_slice(&self.duis(arguments, "").stdout).unwrap()
    }

    fn refused(&self, arguments: &[&str], exit: i32) -> String {
        let out = self.duis(arguments, "");
        assert_eq!(out.status.code(), Some(exit), "{}", shown(&out));
        format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
    }
}

const CLOCK: [&str; 12] = [
    "build",
    "6.11",
    "--user",
    "90-B3-D5-1F-30-01-00-00",
    "--target",
    "00-DB-12-34-56-78-90-A0",
    "--counter",
    "7",
    "--field",
    "CurrentDateTime=2026-11-21T09:30:00Z",
    "--field",
    "TolerancePeriod=10",
];

fn xmlsec_verifies(desk: &Desk, file: &Path) -> bool {
    let mut command = Command::new("xmlsec1");
    command.args(["--verify", "--enabled-key-data", "x509", "--trusted-pem"]).arg(desk.path("authority.pem"));
    command.arg("--untrusted-pem").arg(desk.path("user.pem")).arg(file);
    command.output().expect("xmlsec1; tests/run installs it").status.success()
}

#[test]
fn a_request_is_built_signed_shown_and_taken_by_xmllint_and_xmlsec1() {
    let desk = Desk::new();
    let built = desk.says(&CLOCK);
    assert!(
        built.starts_with("<sr:Request xmlns:sr=") && built.contains("<sr:TolerancePeriod>10</sr:"),
        "{built}"
    );
    let signed = desk.duis(&["sign", "-", "--key", "user.key", "--certificate", "user.pem"], &built);
    assert!(signed.status.success(), "{}", shown(&signed));
    let file = desk.write("signed.xml", &String::from_utf8(signed.stdout).unwrap());
    assert!(xmlsec_verifies(&desk, &file));
    let told = desk.says(&["show", "signed.xml", "--certificate", "user.pem"]);
    assert!(told.contains("Service Request 6.11") && told.contains("holds"), "{told}");
    if let Some(schemas) = duis_schemas() {
        let schemas = schemas.to_str().unwrap().to_owned();
        let told = desk.says(&["validate", "signed.xml", "--schemas", &schemas]);
        assert!(told.contains("signed.xml: valid: Service Request 6.11"), "{told}");
        assert!(told.contains("xmllint by duis54.xsd: valid"), "{told}");
    }
    let again = desk.refused(&["sign", "signed.xml", "--key", "user.key", "--certificate", "user.pem"], 2);
    assert!(again.contains("signed already"), "{again}");
}

#[test]
fn a_key_is_never_taken_from_the_command_line_and_a_wrong_one_is_said_to_be_wrong() {
    let desk = Desk::new();
    desk.write("request.xml", &desk.says(&CLOCK));
    let other = Authority::new("Other").unwrap().issue_pem("other").unwrap().1;
    desk.write("other.key", &other);
    let wrong = desk.refused(&["sign", "request.xml", "--key", "other.key", "--certificate", "user.pem"], 2);
    assert!(
        wrong.contains("other.key: the private key is not that of the certificate of CN=supplier"),
        "{wrong}"
    );
    let none = desk.refused(&["sign", "request.xml", "--key", "user.pem", "--certificate", "user.pem"], 2);
    assert!(none.contains("user.pem: not a PKCS#8 private key") && none.contains("openssl pkcs8"), "{none}");
}

#[test]
fn fields_are_explained_and_unknown_ones_refused_with_the_nearest() {
    let desk = Desk::new();
    let told = desk.says(&["build", "6.11", "--list-fields"]);
    assert!(told.contains("TolerancePeriod: seconds from 0 to 86400; required"), "{told}");
    let told = desk.json(&["build", "SynchroniseClock", "--list-fields", "--json"]);
    assert_eq!(told[1]["name"], "TolerancePeriod", "{told}");
    assert_eq!((&told[1]["unit"], &told[1]["required"]), (&"seconds".into(), &true.into()));
    let unknown = desk.refused(
        &[
            "build",
            "6.11",
            "--field",
            "CurrentDateTime=2026-11-21T09:30:00Z",
            "--field",
            "TolerancePeriods=1",
        ],
        2,
    );
    assert!(unknown.contains("did you mean TolerancePeriod?"), "{unknown}");
    let unknown =
        desk.refused(&["build", "2.2", "--field", "UTRN=02500000420427214348", "--field", "Utrm=1"], 2);
    assert!(unknown.contains("has no field Utrm") && unknown.contains("did you mean UTRN?"), "{unknown}");
    let unknown = desk.refused(&["build", "4.1"], 2);
    assert!(unknown.contains("did you mean 4.1.1,"), "{unknown}");
}

#[test]
fn a_fault_is_told_by_path_found_and_expected_and_xmllint_refuses_it_too() {
    let desk = Desk::new();
    let xml = desk.says(&CLOCK);
    desk.write("range.xml", &xml.replace(">10<", ">86401<"));
    desk.write("unknown.xml", &xml.replace("sr:TolerancePeriod>", "sr:Tolerance>"));
    let path = "/Request/Body/SynchroniseClock/TolerancePeriod";
    let told = desk.json(&["validate", "range.xml", "--json"]);
    assert_eq!((&told["valid"], &told["fault"]["path"]), (&false.into(), &path.into()), "{told}");
    assert_eq!(told["fault"]["found"], "the text \"86401\"", "{told}");
    assert!(told["fault"]["expected"].as_str().unwrap().contains("86400"), "{told}");
    let told = desk.json(&["validate", "unknown.xml", "--json"]);
    assert_eq!(told["fault"]["path"], "/Request/Body/SynchroniseClock/Tolerance", "{told}");
    assert_eq!(
        (&told["fault"]["found"], &told["fault"]["expected"]),
        (&"element Tolerance".into(), &"TolerancePeriod".into())
    );
    if let Some(schemas) = duis_schemas() {
        let schemas = schemas.to_str().unwrap().to_owned();
        let told = desk.refused(&["validate", "range.xml", "unknown.xml", "--schemas", &schemas], 1);
        assert_eq!(told.matches("xmllint by duis54.xsd: NOT VALID").count(), 2, "{told}");
    }
    let nothing = desk.refused(&["validate", "range.xml", "--schemas", "."], 2);
    assert!(nothing.contains("duis54.xsd is not there"), "{nothing}");
}

#[test]
fn differences_are_told_element_by_element() {
    let desk = Desk::new();
    let xml = desk.says(&CLOCK);
    desk.write("a.xml", &xml);
    desk.write("b.xml", &xml.replace(">10<", ">20<"));
    desk.write("laid-out.xml", &xml.replace("><", ">\n<"));
    let told = desk.refused(&["diff", "a.xml", "b.xml"], 1);
    let line = r#"/Request/Body/SynchroniseClock/TolerancePeriod: "10" in the first, "20" in the second"#;
    assert_eq!(told.trim(), line);
    let told = desk.json(&["diff", "a.xml", "b.xml", "--json"]);
    assert_eq!((&told["same"], &told["differences"][0]["second"]), (&false.into(), &"20".into()), "{told}");
    assert!(desk.says(&["diff", "a.xml", "a.xml"]).contains("canonical forms are equal"));
    let told = desk.json(&["diff", "a.xml", "laid-out.xml", "--json"]);
    assert_eq!((&told["same"], &told["canonical-forms-equal"]), (&true.into(), &false.into()), "{told}");
}
