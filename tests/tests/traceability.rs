//! Our own Test Traceability Matrix: every requirement row names the tests that demonstrate it, and those tests exist.

#![allow(clippy::expect_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The rows there are, by letter, with how many.
const ROWS: [(char, usize); 6] = [('A', 5), ('B', 9), ('C', 5), ('D', 9), ('E', 13), ('F', 4)];

/// The rows that must be demonstrated by now.
const DEMONSTRATED: [&str; 10] = ["A2", "A3", "A4", "B1", "B2", "B3", "C1", "C2", "D9", "E12"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Matrix {
    row: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    must: String,
    /// `FILE::FUNCTION`, the file from the workspace's root.
    #[serde(default)]
    tests: Vec<String>,
    /// What is not demonstrated yet.
    planned: Option<String>,
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn matrix() -> Vec<Row> {
    let text = std::fs::read_to_string(workspace().join("tests/traceability.toml")).expect("the matrix");
    let matrix: Matrix =
        toml::from_str(&text).unwrap_or_else(|error| panic!("tests/traceability.toml: {error}"));
    matrix.row
}

#[test]
fn every_row_is_there_once_and_says_where_it_stands() {
    let rows = matrix();
    let expected: BTreeSet<String> = ROWS
        .into_iter()
        .flat_map(|(letter, count)| (1..=count).map(move |number| format!("{letter}{number}")))
        .collect();
    let found: BTreeSet<String> = rows.iter().map(|row| row.id.clone()).collect();
    assert_eq!(found, expected);
    assert_eq!(rows.len(), expected.len(), "a row twice");
    for row in &rows {
        assert!(!row.must.is_empty(), "{} does not say what must work", row.id);
        assert!(!row.tests.is_empty() || row.planned.is_some(), "{} has neither tests nor a plan", row.id);
    }
}

#[test]
fn what_must_be_demonstrated_by_now_is() {
    let rows: BTreeMap<String, Row> = matrix().into_iter().map(|row| (row.id.clone(), row)).collect();
    for id in DEMONSTRATED {
        assert!(!rows[id].tests.is_empty(), "{id} names no tests");
    }
}

#[test]
fn every_test_named_exists() {
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    for row in matrix() {
        for test in &row.tests {
            let (file, function) =
                test.split_once("::").unwrap_or_else(|| panic!("{}: `{test}` is not FILE::FUNCTION", row.id));
            let text = files.entry(workspace().join(file)).or_insert_with_key(|path| {
                std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {file}: {error}", row.id))
            });
            assert!(is_test(text, function), "{}: {file} has no test `{function}`", row.id);
        }
    }
}

/// Whether the file has a function of this name under a test attribute.
fn is_test(text: &str, function: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declares = |line: &&str| {
        let declaration = line.strip_prefix("async ").unwrap_or(line);
        declaration
            .strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(function))
            .is_some_and(|rest| rest.starts_with('('))
    };
    let Some(at) = lines.iter().position(declares) else { return false };
    lines[..at]
        .iter()
        .rev()
        .take_while(|line| !line.is_empty() && **line != "}")
        .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
}

#[test]
fn a_function_counts_as_a_test_only_under_its_attribute() {
    let text = "#[test]\nfn a_test() {\n}\n\nfn no_test() {\n}\n\n#[tokio::test]\nasync fn another() {\n}\n";
    assert!(is_test(text, "a_test") && is_test(text, "another"));
    assert!(!is_test(text, "no_test") && !is_test(text, "a") && !is_test(text, "missing"));
}
