//! Reading a tree as a schema says: children in order, nothing left over, every value of its type.

use super::{Document, Element, Position, Space};
use jiff::Timestamp;
use std::fmt::Display;
use std::str::FromStr;

/// Where a well-formed document is not the message it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {path}: {problem}")]
pub struct SchemaError {
    /// Where in the text.
    pub at: Position,
    /// The element names from the root, joined by `/`.
    pub path: String,
    /// What is wrong there.
    pub problem: SchemaProblem,
}

/// What is wrong with an element.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaProblem {
    /// Another element stands where one was due.
    #[error("found element {found}; expected {expected}")]
    Unexpected {
        /// The element found.
        found: String,
        /// What was due.
        expected: String,
    },
    /// An element is missing.
    #[error("ends where {expected} was expected")]
    Missing {
        /// What was due.
        expected: String,
    },
    /// Text of an element or attribute is not of its type.
    #[error("{what} is {found:?}; {expected}")]
    Value {
        /// `the text`, or an attribute's name.
        what: String,
        /// What it says, cut at 80 characters.
        found: String,
        /// What is expected.
        expected: String,
    },
    /// An attribute is missing.
    #[error("attribute {0} is missing")]
    NoAttribute(&'static str),
    /// An attribute the schema does not have.
    #[error("attribute {0} is not expected here")]
    Attribute(String),
    /// Text between elements.
    #[error("text {0:?} between elements")]
    Text(String),
}

/// One element of a document and the names that lead to it.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    pub(crate) document: &'a Document,
    pub(crate) element: &'a Element,
    parent: Option<&'a Reading<'a>>,
}

impl<'a> Reading<'a> {
    /// The root of a document.
    pub fn root(document: &'a Document) -> Reading<'a> {
        Reading { document, element: document.root(), parent: None }
    }

    /// The element.
    pub fn element(&self) -> &'a Element {
        self.element
    }

    pub(crate) fn below<'b>(&'b self, element: &'b Element) -> Reading<'b> {
        Reading { document: self.document, element, parent: Some(self) }
    }

    /// The error of this problem with the element.
    pub fn error(&self, problem: SchemaProblem) -> SchemaError {
        let at = self.document.position(self.element.span().start);
        SchemaError { at, path: self.path(), problem }
    }

    fn path(&self) -> String {
        match self.parent {
            Some(parent) => format!("{}/{}", parent.path(), self.element.name),
            None => format!("/{}", self.element.name),
        }
    }

    /// The ancestors from the root, and the element.
    pub(crate) fn chain(&self) -> Vec<&'a Element> {
        let mut chain = self.parent.map(|parent| parent.chain()).unwrap_or_default();
        chain.push(self.element);
        chain
    }

    /// The children, read in order. Refuses attributes other than `attributes`, and text.
    ///
    /// # Errors
    /// Text, or another attribute.
    pub fn children<'b>(&'b self, attributes: &[&str]) -> Result<Cursor<'b>, SchemaError> {
        self.only_attributes(attributes)?;
        if !self.element.text.trim().is_empty() {
            return Err(self.error(SchemaProblem::Text(short(self.element.text.trim()))));
        }
        Ok(Cursor { reading: *self, next: 0 })
    }

    /// Refuses any child, text or attribute.
    pub(crate) fn empty(&self) -> Result<(), SchemaError> {
        self.children(&[])?.finish()
    }

    fn only_attributes(&self, allowed: &[&str]) -> Result<(), SchemaError> {
        let stranger = self.element.attributes.iter().find(|(name, _)| !allowed.contains(&name.as_str()));
        stranger.map_or(Ok(()), |(name, _)| Err(self.error(SchemaProblem::Attribute(name.clone()))))
    }

    /// The text of a leaf as it stands. Refuses children, and attributes other than `attributes`.
    pub(crate) fn raw_text(&self, attributes: &[&str]) -> Result<&'a str, SchemaError> {
        self.only_attributes(attributes)?;
        match self.element.children.first() {
            None => Ok(&self.element.text),
            Some(child) => {
                let (found, expected) = (child.name.clone(), "text".to_owned());
                Err(self.below(child).error(SchemaProblem::Unexpected { found, expected }))
            }
        }
    }

    /// The text of a leaf, white space around it dropped, as a value.
    ///
    /// # Errors
    /// Children, attributes, or a text that is not of the type.
    pub fn value<T: FromStr<Err: Display>>(&self) -> Result<T, SchemaError> {
        self.value_with(&[])
    }

    pub(crate) fn value_with<T: FromStr<Err: Display>>(&self, attributes: &[&str]) -> Result<T, SchemaError> {
        let text = self.raw_text(attributes)?.trim();
        text.parse().map_err(|error: T::Err| self.bad_value("the text", text, error))
    }

    pub(crate) fn date_time_with(&self, attributes: &[&str]) -> Result<Timestamp, SchemaError> {
        let text = self.raw_text(attributes)?.trim();
        parse_date_time(text).map_err(|error| self.bad_value("the text", text, error))
    }

    pub(crate) fn boolean(&self) -> Result<bool, SchemaError> {
        let text = self.raw_text(&[])?.trim();
        parse_boolean(text).map_err(|error| self.bad_value("the text", text, error))
    }

    /// An attribute, which must be there, as a value.
    ///
    /// # Errors
    /// It is missing, or not of the type.
    pub fn attribute<T: FromStr<Err: Display>>(&self, name: &'static str) -> Result<T, SchemaError> {
        let text =
            self.element.attribute(name).ok_or_else(|| self.error(SchemaProblem::NoAttribute(name)))?;
        text.trim().parse().map_err(|error: T::Err| self.bad_value(name, text, error))
    }

    /// The error of a text, or of the attribute `what`, that is not what is expected.
    pub fn bad_value(&self, what: &str, found: &str, expected: impl Display) -> SchemaError {
        let (what, found, expected) = (what.to_owned(), short(found), expected.to_string());
        self.error(SchemaProblem::Value { what, found, expected })
    }
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

/// The children of one element, taken in the order of the schema.
pub struct Cursor<'a> {
    reading: Reading<'a>,
    next: usize,
}

impl<'a> Cursor<'a> {
    /// The element whose children they are.
    pub fn parent(&self) -> &Reading<'a> {
        &self.reading
    }

    /// The next child, if it has this name.
    pub fn optional(&mut self, space: Space, name: &str) -> Option<Reading<'_>> {
        let child = self.reading.element.children.get(self.next).filter(|child| child.is(space, name))?;
        self.next += 1;
        Some(self.reading.below(child))
    }

    /// The next child, which must have this name.
    ///
    /// # Errors
    /// Another child, or none.
    pub fn required(&mut self, space: Space, name: &str) -> Result<Reading<'_>, SchemaError> {
        if !self.peek(space, name) {
            return Err(self.unexpected(name));
        }
        self.next += 1;
        Ok(self.reading.below(&self.reading.element.children[self.next - 1]))
    }

    /// Whether the next child has this name.
    pub fn peek(&self, space: Space, name: &str) -> bool {
        self.reading.element.children.get(self.next).is_some_and(|child| child.is(space, name))
    }

    /// The next child, whatever its name.
    pub(crate) fn any(&mut self, expected: &str) -> Result<Reading<'_>, SchemaError> {
        match self.reading.element.children.get(self.next) {
            Some(child) => {
                self.next += 1;
                Ok(self.reading.below(child))
            }
            None => Err(self.unexpected(expected)),
        }
    }

    /// The error of standing before the wrong child, or the end.
    pub(crate) fn unexpected(&self, expected: &str) -> SchemaError {
        let expected = expected.to_owned();
        match self.reading.element.children.get(self.next) {
            Some(child) => {
                let found = child.name.clone();
                self.reading.below(child).error(SchemaProblem::Unexpected { found, expected })
            }
            None => self.reading.error(SchemaProblem::Missing { expected }),
        }
    }

    /// Refuses children not yet taken.
    ///
    /// # Errors
    /// One is left.
    pub fn finish(self) -> Result<(), SchemaError> {
        if self.next < self.reading.element.children.len() {
            return Err(self.unexpected("the end"));
        }
        Ok(())
    }
}

/// `xs:boolean`: `true`, `false`, `1` or `0`.
pub(crate) fn parse_boolean(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("expected true or false"),
    }
}

/// `xs:dateTime` with its offset from UTC: without one it names no instant.
///
/// # Errors
/// Not of that form, or no such date.
pub fn parse_date_time(text: &str) -> Result<Timestamp, &'static str> {
    const EXPECTED: &str = "expected a date and time with its offset, such as 2026-11-21T09:30:00Z";
    let well_formed = has_date_time_form(text.as_bytes());
    text.parse().ok().filter(|_| well_formed).ok_or(EXPECTED)
}

/// `YYYY-MM-DDThh:mm:ss`, a fraction or none, `Z` or `±hh:mm` (XML Schema part 2, 3.2.7).
fn has_date_time_form(text: &[u8]) -> bool {
    const PATTERN: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let matches = |text: &[u8], pattern: &[u8]| {
        text.len() == pattern.len()
            && text.iter().zip(pattern).all(|(t, p)| if *p == b'd' { t.is_ascii_digit() } else { t == p })
    };
    let Some((start, rest)) = text.split_at_checked(PATTERN.len()) else { return false };
    let zone = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 { return false } else { &fraction[digits..] }
        }
        zone => zone,
    };
    let zoned = zone == b"Z" || matches(zone, b"+dd:dd") || matches(zone, b"-dd:dd");
    matches(start, PATTERN) && !start.ends_with(b":60") && zoned
}
