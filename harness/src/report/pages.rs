//! The page of a run's records: each readable, with the bytes it refers to.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;

use askama::Template;
use proto_lab::Digest;
use proto_lab::record::{Body, Record, RunId, Sequence, Verdict};

use super::html::{STYLE, class, moment};

/// Where the octets of a blob come from; the caller reads them, this module shows them.
pub type BlobSource<'a> = &'a dyn Fn(&Digest) -> Option<Vec<u8>>;

/// Octets of text shown of a blob; the whole blob is a link away.
const MAX_TEXT: usize = 16 * 1024;

/// Octets shown in hexadecimal of a blob that is no text.
const MAX_HEX: usize = 2 * 1024;

/// A blob as shown.
struct Shown {
    digest: Digest,
    /// Its beginning, or that it is missing.
    text: String,
    /// What is said above it.
    caption: String,
}

/// A record as shown.
struct Row {
    number: Sequence,
    at: String,
    kind: &'static str,
    verdict: Option<(Verdict, &'static str)>,
    fields: Vec<(String, String)>,
    links: Vec<(String, Sequence)>,
    captures: Vec<String>,
    blobs: Vec<Shown>,
}

/// The page down to its first record.
#[derive(Template)]
#[template(path = "records.html")]
struct Head<'a> {
    run: &'a str,
    style: &'static str,
}

/// One record.
#[derive(Template)]
#[template(path = "record.html")]
struct Article {
    row: Row,
}

/// What follows the last record.
const FOOT: &str = "\n</main>\n</body>\n</html>";

/// The page of one run's records, to be written as `records.html` in its folder: record n has the anchor `rn`.
///
/// # Errors
/// What the template or the JSON writer says; records that were read have nothing they could refuse.
pub fn records_html(run: &RunId, records: &[Record], blobs: BlobSource<'_>) -> Result<String, askama::Error> {
    let mut page = String::new();
    write_records(run, records, blobs, &mut page)?;
    Ok(page)
}

/// Writes the same page, one record after the other: a run of any length takes no more room than its largest record.
///
/// # Errors
/// As [`records_html`], and what `page` says.
pub fn write_records<R: Borrow<Record>>(
    run: &RunId,
    records: impl IntoIterator<Item = R>,
    blobs: BlobSource<'_>,
    page: &mut dyn fmt::Write,
) -> Result<(), askama::Error> {
    // A blob is shown at the record that first refers to it, and linked from the others.
    let mut shown: BTreeMap<Digest, Sequence> = BTreeMap::new();
    Head { run: run.as_str(), style: STYLE }.render_into(page)?;
    for record in records {
        let row = row(record.borrow(), blobs, &mut shown);
        let row = row.map_err(|error| askama::Error::Custom(Box::new(error)))?;
        Article { row }.render_into(page)?;
    }
    Ok(page.write_str(FOOT)?)
}

fn row(
    record: &Record,
    blobs: BlobSource<'_>,
    shown: &mut BTreeMap<Digest, Sequence>,
) -> Result<Row, serde_json::Error> {
    let mut links = references(&record.body);
    let mut here = Vec::new();
    for digest in record.body.blobs() {
        match shown.get(&digest) {
            Some(first) => links.push((format!("blob {}, shown at", digest.short()), *first)),
            None => {
                shown.insert(digest, record.sequence);
                here.push(show(digest, blobs(&digest)));
            }
        }
    }
    Ok(Row {
        number: record.sequence,
        at: moment(&record.at),
        kind: record.body.kind(),
        verdict: verdict(&record.body).map(|v| (v, class(v))),
        fields: fields(&record.body)?,
        links,
        captures: captures(&record.body),
        blobs: here,
    })
}

fn verdict(body: &Body) -> Option<Verdict> {
    match body {
        Body::Step(step) => Some(step.verdict),
        Body::ScriptFinished(finished) => Some(finished.verdict),
        Body::ScriptNotRun(_) => Some(Verdict::NotRun),
        Body::RunFinished(finished) => Some(finished.verdict),
        _ => None,
    }
}

/// The records a body refers to.
fn references(body: &Body) -> Vec<(String, Sequence)> {
    let one = |name: &str, n: Sequence| vec![(name.to_owned(), n)];
    match body {
        Body::Message(message) => message.intent.map(|n| one("intent", n)).unwrap_or_default(),
        Body::Observed(observed) => one("intent", observed.intent),
        Body::Step(step) => one("intent", step.intent),
        Body::ScriptFinished(finished) => one("script started", finished.started),
        Body::Alert(alert) => match alert.matched {
            proto_lab::record::AlertMatch::Step(n) => one("expected by", n),
            proto_lab::record::AlertMatch::Unexpected => Vec::new(),
        },
        Body::IssueRaised(issue) => issue.records.iter().map(|n| ("shown by".to_owned(), *n)).collect(),
        Body::Repaired(repaired) => one("last whole record", repaired.last),
        _ => Vec::new(),
    }
}

/// Files of captures a body refers to.
fn captures(body: &Body) -> Vec<String> {
    match body {
        Body::Capture(capture) => vec![capture.file.clone()],
        Body::Observed(observed) => observed.packets.iter().map(|p| p.file.clone()).collect(),
        Body::RunFinished(finished) => finished.captures.iter().map(|c| c.file.clone()).collect(),
        _ => Vec::new(),
    }
}

/// Every field of the body by its path, so that nothing a record says is left out.
fn fields(body: &Body) -> Result<Vec<(String, String)>, serde_json::Error> {
    let value = serde_json::to_value(body)?;
    let mut fields = Vec::new();
    if let Some(inner) = value.get(body.kind()) {
        flatten(String::new(), inner, &mut fields);
    }
    Ok(fields)
}

fn flatten(path: String, value: &serde_json::Value, fields: &mut Vec<(String, String)>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        serde_json::Value::Object(object) => {
            for (name, inner) in object {
                flatten(below(name), inner, fields);
            }
        }
        serde_json::Value::Array(items) => {
            for (n, inner) in items.iter().enumerate() {
                flatten(format!("{path}[{n}]"), inner, fields);
            }
        }
        serde_json::Value::String(text) => fields.push((path, text.clone())),
        other => fields.push((path, other.to_string())),
    }
}

fn show(digest: Digest, octets: Option<Vec<u8>>) -> Shown {
    let Some(octets) = octets else {
        return Shown { digest, text: String::new(), caption: "missing".to_owned() };
    };
    let (text, shown) = match std::str::from_utf8(&octets) {
        Ok(text) if !text.chars().any(|c| c.is_control() && !c.is_whitespace()) => as_text(text),
        _ => as_hex(&octets),
    };
    let caption = match octets.len() {
        all if shown < all => format!("{all} octets, the first {shown} shown"),
        all => format!("{all} octets"),
    };
    Shown { digest, text, caption }
}

fn as_text(text: &str) -> (String, usize) {
    let fits = |(at, c): (usize, char)| at + c.len_utf8();
    let end = text.char_indices().map(fits).take_while(|end| *end <= MAX_TEXT).last().unwrap_or(0);
    (text[..end].to_owned(), end)
}

/// Sixteen octets a line, with their place and what is printable of them.
fn as_hex(octets: &[u8]) -> (String, usize) {
    let shown = &octets[..octets.len().min(MAX_HEX)];
    let mut text = String::with_capacity(shown.len() * 5);
    for (n, line) in shown.chunks(16).enumerate() {
        let hex: Vec<String> = line.iter().map(|b| format!("{b:02x}")).collect();
        let ascii: String = line
            .iter()
            .map(|b| if b.is_ascii_graphic() || *b == b' ' { char::from(*b) } else { '.' })
            .collect();
        text.push_str(&format!("{:04x}  {:<47}  {ascii}\n", n * 16, hex.join(" ")));
    }
    (text, shown.len())
}
