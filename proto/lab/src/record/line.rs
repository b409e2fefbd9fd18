//! The line of a record: exactly one spelling, written and read without going through a tree of values.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use super::{Body, Record, Sequence};

/// The longest line accepted, in octets, line feed included. Anything larger belongs in a blob.
pub const MAX_LINE: usize = 1 << 20;

/// `2026-11-21T21:14:05.123456Z`
const AT_LENGTH: usize = 27;

static PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// A line that is not a record as this version of the harness writes them.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The line does not end with exactly one line feed at its end.
    #[error("line is cut: expected it to end with a line feed")]
    Torn,
    /// The line is longer than [`MAX_LINE`].
    #[error("line is {found} octets long: expected at most {MAX_LINE}; larger contents belong in a blob")]
    TooLong {
        /// Its length in octets.
        found: usize,
    },
    /// The octets are not UTF-8.
    #[error("line is not UTF-8 from octet {at}")]
    NotUtf8 {
        /// Offset of the first wrong octet in the line.
        at: usize,
    },
    /// The line does not begin with the number and the time.
    #[error("line begins `{found}`: expected `{{\"n\":NUMBER,\"at\":\"TIME\",`")]
    Prefix {
        /// How the line begins.
        found: String,
    },
    /// The body is no known body, or has a field unknown, missing or of a wrong type.
    #[error("body of record {sequence}: {cause}")]
    Body {
        /// The number the line carries.
        sequence: Sequence,
        /// What the JSON reader says; columns count from the body's opening brace.
        cause: serde_json::Error,
    },
    /// The line means a record, but is not spelt as that record is written.
    #[error("record {sequence} is not in its canonical spelling from octet {at}")]
    NotCanonical {
        /// The number the line carries.
        sequence: Sequence,
        /// Offset of the first octet that differs.
        at: usize,
    },
}

impl Record {
    /// A record whose time is cut to the microsecond that its line can carry.
    pub fn new(sequence: Sequence, at: Timestamp, body: Body) -> Self {
        let at = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
        Self { sequence, at, body }
    }

    /// The line of this record, line feed included.
    ///
    /// # Errors
    /// [`LineError::TooLong`] when it passes [`MAX_LINE`].
    pub fn to_line(&self) -> Result<String, LineError> {
        let mut line = Vec::with_capacity(256);
        self.write_line(&mut line)?;
        String::from_utf8(line).map_err(|e| LineError::NotUtf8 { at: e.utf8_error().valid_up_to() })
    }

    /// Appends the line of this record to `line`, line feed included; on an error `line` is as it was.
    ///
    /// # Errors
    /// [`LineError::TooLong`] when it passes [`MAX_LINE`].
    pub fn write_line(&self, line: &mut Vec<u8>) -> Result<(), LineError> {
        let start = line.len();
        let written = self.write_unbounded(line).and_then(|()| match line.len() - start {
            found if found > MAX_LINE => Err(LineError::TooLong { found }),
            _ => Ok(()),
        });
        if written.is_err() {
            line.truncate(start);
        }
        written
    }

    fn write_unbounded(&self, line: &mut Vec<u8>) -> Result<(), LineError> {
        let wrong = |cause| LineError::Body { sequence: self.sequence, cause };
        line.extend_from_slice(b"{\"n\":");
        line.extend_from_slice(self.sequence.0.to_string().as_bytes());
        line.extend_from_slice(b",\"at\":\"");
        let mut at = String::with_capacity(AT_LENGTH);
        PRINTER.print_timestamp(&self.at, &mut at).map_err(|e| wrong(serde::ser::Error::custom(e)))?;
        line.extend_from_slice(at.as_bytes());
        line.extend_from_slice(b"\",");
        // The body is written as `{"kind":{…}}`; its opening brace gives way to the number and time.
        let brace = line.len();
        serde_json::to_writer(&mut *line, &self.body).map_err(wrong)?;
        line.remove(brace);
        line.push(b'\n');
        Ok(())
    }

    /// Reads one line, line feed included.
    ///
    /// # Errors
    /// A [`LineError`] that says what was found and where, when the line is not exactly what [`Record::to_line`]
    /// writes for some record.
    pub fn from_line(line: &[u8]) -> Result<Self, LineError> {
        if line.len() > MAX_LINE {
            return Err(LineError::TooLong { found: line.len() });
        }
        let text = std::str::from_utf8(line).map_err(|e| LineError::NotUtf8 { at: e.valid_up_to() })?;
        let text = text.strip_suffix('\n').ok_or(LineError::Torn)?;
        let (sequence, at, body) =
            split(text).ok_or_else(|| LineError::Prefix { found: text.chars().take(60).collect() })?;
        let body = parse_body(body).map_err(|cause| LineError::Body { sequence, cause })?;
        let record = Self { sequence, at, body };
        record.require_spelling(line)?;
        Ok(record)
    }

    fn require_spelling(&self, line: &[u8]) -> Result<(), LineError> {
        let mut canonical = Vec::with_capacity(line.len());
        self.write_line(&mut canonical)?;
        if canonical == line {
            return Ok(());
        }
        let same = canonical.iter().zip(line).take_while(|(a, b)| a == b).count();
        Err(LineError::NotCanonical { sequence: self.sequence, at: same })
    }
}

/// Number, time, and the body without its opening brace.
fn split(text: &str) -> Option<(Sequence, Timestamp, &str)> {
    let rest = text.strip_prefix("{\"n\":")?;
    let (number, rest) = rest.split_once(",\"at\":\"")?;
    let (at, rest) = rest.split_at_checked(AT_LENGTH)?;
    let body = rest.strip_prefix("\",")?;
    Some((Sequence(number.parse().ok()?), at.parse().ok()?, body))
}

fn parse_body(without_brace: &str) -> Result<Body, serde_json::Error> {
    let mut whole = String::with_capacity(without_brace.len() + 1);
    whole.push('{');
    whole.push_str(without_brace);
    serde_json::from_str(&whole)
}
