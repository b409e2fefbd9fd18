//! `harness duis validate`: messages read as the schema has them, by this program and, when asked, by xmllint.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use proto_duis::{Message, MessageError, Position, SchemaError, SchemaProblem, TrustStore, describe};
use serde::Serialize;

use super::super::arguments::DuisValidate;
use super::super::say::say;
use super::super::{Exit, Failure, print_json};
use super::file;

/// The schema of everything a user and the DCC exchange.
const SCHEMA: &str = "duis54.xsd";

/// How many lines of xmllint's are shown.
const LINES: usize = 5;

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Told<'a> {
    file: &'a Path,
    valid: bool,
    /// What it is; none for what is no message.
    message: Option<String>,
    fault: Option<Fault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<BySchema>,
}

/// Where and how a document is not a message.
#[derive(Debug, Serialize)]
struct Fault {
    line: Option<usize>,
    column: Option<usize>,
    path: Option<String>,
    found: Option<String>,
    expected: Option<String>,
    words: String,
}

/// What xmllint says by the published schema.
#[derive(Debug, Serialize)]
struct BySchema {
    /// None where it was not asked.
    valid: Option<bool>,
    says: Vec<String>,
}

pub(super) fn validate(verb: &DuisValidate) -> Result<Exit, Failure> {
    let schema = verb.schemas.as_ref().map(|folder| folder.join(SCHEMA));
    if let Some(missing) = schema.as_ref().filter(|schema| !schema.is_file()) {
        return Err(Failure::input(format!("{} is not there", missing.display()))
            .hint("--schemas takes the folder of the published DUIS 5.4 schemas"));
    }
    let mut exit = Exit::Done;
    for file in &verb.files {
        let Some(octets) = file::one_of(file, &mut exit) else { continue };
        let told = told(file, &octets, schema.as_deref());
        let refused = told.schema.as_ref().is_some_and(|schema| schema.valid == Some(false));
        if (!told.valid || refused) && exit == Exit::Done {
            exit = Exit::Failed;
        }
        match verb.json {
            true => print_json(&told)?,
            false => lines(&told),
        }
    }
    Ok(exit)
}

fn told<'a>(file: &'a Path, octets: &[u8], schema: Option<&Path>) -> Told<'a> {
    let read = Message::parse(octets);
    let countersigned = matches!(read, Ok(Message::Countersigned(_)));
    let schema = schema.map(|schema| match countersigned {
        true => BySchema::not_asked("the published schemas have no countersigned Service Request"),
        false => by_schema(schema, file, octets),
    });
    let fault = read.as_ref().err().map(Fault::of);
    let message = read.ok().map(|_| describe(octets, &TrustStore::new()).summary);
    Told { file, valid: fault.is_none(), message, fault, schema }
}

fn lines(told: &Told<'_>) {
    let file = told.file.display();
    match (&told.message, &told.fault) {
        (Some(message), _) => say!("{file}: valid: {message}"),
        (None, Some(fault)) => say!("{file}: NOT VALID: {}", fault.words),
        (None, None) => {}
    }
    let Some(schema) = &told.schema else { return };
    match schema.valid {
        Some(true) => say!("  xmllint by {SCHEMA}: valid"),
        Some(false) => say!("  xmllint by {SCHEMA}: NOT VALID"),
        None => say!("  xmllint by {SCHEMA}: not asked"),
    }
    schema.says.iter().for_each(|line| say!("    {line}"));
}

impl Fault {
    fn of(error: &MessageError) -> Self {
        let words = error.to_string();
        let place = |at: &Position| (Some(at.line), Some(at.column));
        let nothing = Self { line: None, column: None, path: None, found: None, expected: None, words };
        match error {
            MessageError::Xml(error) => {
                let (line, column) = place(&error.at);
                Self { line, column, found: Some(error.problem.to_string()), ..nothing }
            }
            MessageError::Schema(SchemaError { at, path, problem }) => {
                let ((line, column), (found, expected)) = (place(at), sides(problem));
                Self { line, column, path: Some(path.clone()), found, expected, ..nothing }
            }
            MessageError::Signature(_) => nothing,
        }
    }
}

/// What was found, and what was expected.
fn sides(problem: &SchemaProblem) -> (Option<String>, Option<String>) {
    match problem {
        SchemaProblem::Unexpected { found, expected } => {
            (Some(format!("element {found}")), Some(expected.clone()))
        }
        SchemaProblem::Missing { expected } => (Some("the end".to_owned()), Some(expected.clone())),
        SchemaProblem::Value { what, found, expected } => {
            let expected = expected.strip_prefix("expected ").unwrap_or(expected);
            (Some(format!("{what} {found:?}")), Some(expected.to_owned()))
        }
        SchemaProblem::NoAttribute(name) => (None, Some(format!("attribute {name}"))),
        SchemaProblem::Attribute(name) => (Some(format!("attribute {name}")), None),
        SchemaProblem::Text(text) => (Some(format!("text {text:?}")), Some("elements only".to_owned())),
    }
}

impl BySchema {
    fn not_asked(why: impl Into<String>) -> Self {
        Self { valid: None, says: vec![why.into()] }
    }
}

/// The octets that were read go to xmllint, not the file: it may be standard input, or change meanwhile.
fn by_schema(schema: &Path, file: &Path, octets: &[u8]) -> BySchema {
    let asked = asked(schema, octets);
    let out = match asked {
        Ok(out) => out,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return BySchema::not_asked("xmllint is not installed; Debian has it in libxml2-utils");
        }
        Err(error) => return BySchema::not_asked(format!("xmllint could not be asked: {error}")),
    };
    let name = file.display().to_string();
    let said = String::from_utf8_lossy(&out.stderr).replace("-:", &format!("{name}:"));
    let says = said.lines().filter(|line| line.contains("error")).take(LINES).map(str::to_owned).collect();
    BySchema { valid: Some(out.status.success()), says }
}

fn asked(schema: &Path, octets: &[u8]) -> std::io::Result<std::process::Output> {
    let mut command = Command::new("xmllint");
    command.args(["--noout", "--nonet", "--schema"]).arg(schema).arg("-");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let input = child.stdin.take();
    // Written beside the reading: it may say more than a pipe holds before it has read all it is given. One that stops
    // reading says why in what it prints.
    std::thread::scope(|scope| {
        scope.spawn(move || input.map(|mut input| input.write_all(octets)));
        child.wait_with_output()
    })
}
