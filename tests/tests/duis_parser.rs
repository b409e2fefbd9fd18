//! Our requests as the parser of the DCC's own innovation team reads them (`@smartdcc/duis-parser`, made for its test box): it
//! takes every one, agrees what it is, whom it is from and for, and finds in it what we put there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use lab_tests::{node_modules, repository};
use proto_duis::examples::Draw;
use proto_duis::pki::Authority;
use proto_duis::{Request, Srv, examples};
use serde_json::Value;

/// Octets that look random and are the same each time (Knuth's constants for a linear congruence).
fn octets(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}

/// Requests of every variant: the examples, and each variant drawn several times where it can be.
fn requests(of_each: u64) -> Vec<Request> {
    let drawn = Srv::ALL.iter().zip(1u64..).flat_map(|(srv, n)| {
        (0..of_each).filter_map(move |k| examples::drawn(*srv, &mut Draw::new(&octets(n * 1_000 + k, 600))))
    });
    let all: Vec<Request> = examples::requests().unwrap().into_iter().chain(drawn).collect();
    let known: BTreeSet<Srv> = all.iter().map(Request::srv).collect();
    assert_eq!(known.len(), Srv::ALL.len(), "a variant without any request");
    all
}

/// What the parser makes of these documents.
fn parsed(documents: &[String]) -> Vec<Value> {
    let modules = node_modules().unwrap_or_else(|error| panic!("{error}"));
    let folder = tempfile::tempdir().unwrap();
    let files = documents.iter().enumerate().map(|(n, xml)| {
        let file = folder.path().join(format!("request-{n}.xml"));
        std::fs::write(&file, xml).unwrap();
        format!("{}\n", file.display())
    });
    let files: String = files.collect();
    let mut node = Command::new("node");
    node.arg(repository().join("tests/npm/read-requests.js")).env("NODE_PATH", modules);
    let mut child =
        node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node; tests/run installs it");
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(files.as_bytes()).unwrap());
    let out = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(out.status.success());
    let lines: Vec<Value> = String::from_utf8(out.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), documents.len());
    lines
}

/// Every text anywhere in what the parser found.
fn texts<'a>(value: &'a Value, into: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) => drop(into.insert(text)),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| texts(field, into)),
        _ => {}
    }
}

/// Whether a value of a script is one text of the document: not a date of several elements, nor an element that says something
/// by being there, nor text with characters that the parser trims or turns into others.
fn stands_as_it_is(field: &str, value: &str) -> bool {
    let a_date = field.ends_with("Date") || field.contains("Date.");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-:+.".contains(c);
    !a_date && value != "true" && value.chars().all(plain)
}

#[test]
fn the_parser_of_the_dcc_agrees_what_each_request_is() {
    let signer = Authority::new("Lab").unwrap().issue("User").unwrap();
    let requests = requests(5);
    let documents: Vec<String> = requests
        .iter()
        .enumerate()
        .map(|(n, request)| if n % 2 == 0 { request.to_xml() } else { request.sign(&signer).unwrap() })
        .collect();
    let mut values = 0;
    for (request, told) in requests.iter().zip(&parsed(&documents)) {
        let (srv, id) = (request.srv(), request.id);
        let text = |key: &str| told[key].as_str().unwrap_or_else(|| panic!("{srv} {key}: {told}")).to_owned();
        assert_eq!((&told["request"], &told["same"]), (&true.into(), &true.into()), "{srv}: {told}");
        assert_eq!(text("originator").to_uppercase(), id.originator.to_string(), "{srv}");
        assert_eq!(text("target").to_uppercase(), id.target.to_string(), "{srv}");
        assert_eq!(text("counter"), id.counter.to_string(), "{srv}");
        assert_eq!(told["commandVariant"].to_string(), request.command_variant.to_string(), "{srv}");
        assert_eq!(
            (text("reference").as_str(), told["body"].to_string()),
            (srv.reference(), format!("[{:?}]", srv.body_element())),
            "{srv}"
        );
        assert_eq!(told["variant"]["Service Reference Variant"], srv.as_str(), "{told}");
        let mut found = BTreeSet::new();
        texts(&told["content"], &mut found);
        let fields = request.body.to_fields();
        for (_, value) in fields.iter().filter(|(name, value)| stands_as_it_is(name, value)) {
            assert!(found.contains(value.as_str()), "{srv}: {value:?} is not in {told}");
            values += 1;
        }
    }
    println!("{} requests of {} variants, {values} values found in them", requests.len(), Srv::ALL.len());
    assert!(values > 1_000, "{values}");
}

/// Our table of variants against the one the parser takes from the words of DUIS.
#[test]
fn the_parser_of_the_dcc_agrees_on_names_criticality_and_roles() {
    let requests = requests(1);
    let documents: Vec<String> = requests.iter().map(Request::to_xml).collect();
    for (request, told) in requests.iter().zip(&parsed(&documents)) {
        let (srv, theirs) = (request.srv(), &told["variant"]);
        // Its table has 6.20 as a number, which is 6.2.
        let reference = theirs["Service Reference"].as_str().unwrap();
        let number =
            |text: &str| text.split('.').map(|part| part.trim_end_matches('0')).collect::<Vec<_>>().join(".");
        assert_eq!(number(reference), number(srv.reference()), "{theirs}");
        assert_eq!(theirs["Critical"] == "Yes", srv.is_critical(), "{theirs}");
        assert_eq!(theirs["Non-Device Request"] == "Yes", srv.is_for_the_dcc(), "{theirs}");
        let roles: BTreeSet<&str> =
            theirs["Eligible User Roles"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let ours: BTreeSet<&str> = srv.roles().iter().map(|role| role.as_str()).collect();
        assert_eq!(roles, ours, "{srv}: {theirs}");
        // Its names have the remarks of the document's table after them.
        let name = theirs["Service Request Name"].as_str().unwrap();
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(name.starts_with(srv.name()), "{name:?}, ours {:?}", srv.name());
    }
}
