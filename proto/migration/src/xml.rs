//! Files as XML: each type knows the elements it is made of, and reads them back in their order.
//!
//! Nothing is passed over: an element, attribute or text that has no place, a list longer than its limit and a value that is
//! not of its type are refused with line, column and path. What is written is exactly what is read.

mod body;
mod header;
mod installation;
mod result;

#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::str::FromStr;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use proto_duis::foreign::{Cursor, Document, Element, Reading, Space, parse_date_time};
use proto_duis::{SchemaError, SchemaProblem};

use crate::names::{Term, Word, space, version};
use crate::{File, FileKind};

/// What an element holds: its children in order.
pub(crate) trait Part: Sized {
    fn write(&self) -> Vec<Element>;
    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError>;
}

/// How many of something there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    least: usize,
    most: usize,
}

/// At least one, at most `most`.
pub(crate) const fn some(most: usize) -> Limits {
    Limits { least: 1, most }
}

/// At most `most`.
pub(crate) const fn any(most: usize) -> Limits {
    Limits { least: 0, most }
}

/// The whole file, not signed yet.
pub(crate) fn write(file: &File) -> Element {
    let (attribute, version) = version();
    Element::new(space(), file.body.kind().root())
        .with_attribute(attribute, version)
        .with(part(Term::Header, &file.header))
        .with(Element::new(space(), Term::Body.name()).with_all(body::write(&file.body)))
}

/// The file of a document, whatever its signature.
pub(crate) fn read(document: &Document) -> Result<File, SchemaError> {
    let root = Reading::root(document);
    let kind = kind(&root)?;
    let mut children = root.children(&[version().0])?;
    let header = get(&mut children, Term::Header)?;
    let body = take(&mut children, Term::Body, |body| inside(body, |children| body::read(kind, children)))?;
    children.optional(Space::Ds, "Signature");
    children.finish()?;
    Ok(File { header, body })
}

/// The kind of file that a root element begins.
fn kind(root: &Reading<'_>) -> Result<FileKind, SchemaError> {
    let element = root.element();
    let known = FileKind::ALL.iter().copied().find(|kind| element.is(space(), kind.root()));
    known.ok_or_else(|| {
        let roots: Vec<&str> = FileKind::ALL.iter().map(|kind| kind.root()).collect();
        let (found, expected) = (element.name.clone(), format!("one of {}", roots.join(", ")));
        root.error(SchemaProblem::Unexpected { found, expected })
    })
}

/// The version of the schema that a document says it is in.
pub(crate) fn said_version(document: &Document) -> Result<String, SchemaError> {
    Reading::root(document).attribute(version().0)
}

pub(crate) fn leaf(term: Term, text: impl ToString) -> Element {
    Element::leaf(space(), term.name(), text)
}

pub(crate) fn word(term: Term, word: impl Word) -> Element {
    leaf(term, word.name())
}

pub(crate) fn octets(term: Term, octets: &[u8]) -> Element {
    leaf(term, STANDARD.encode(octets))
}

pub(crate) fn part(term: Term, part: &impl Part) -> Element {
    Element::new(space(), term.name()).with_all(part.write())
}

pub(crate) fn parts<'a, P: Part + 'a>(
    term: Term,
    parts: impl IntoIterator<Item = &'a P>,
) -> impl Iterator<Item = Element> {
    parts.into_iter().map(move |each| part(term, each))
}

pub(crate) fn leaves<'a, T: Display + 'a>(
    term: Term,
    texts: impl IntoIterator<Item = &'a T>,
) -> impl Iterator<Item = Element> {
    texts.into_iter().map(move |text| leaf(term, text))
}

/// The next child, which must be this one, as `read` has it.
pub(crate) fn take<T>(
    children: &mut Cursor<'_>,
    term: Term,
    read: impl FnOnce(&Reading<'_>) -> Result<T, SchemaError>,
) -> Result<T, SchemaError> {
    read(&children.required(space(), term.name())?)
}

/// All that an element holds, and nothing left over.
pub(crate) fn inside<T>(
    reading: &Reading<'_>,
    read: impl FnOnce(&mut Cursor<'_>) -> Result<T, SchemaError>,
) -> Result<T, SchemaError> {
    let mut children = reading.children(&[])?;
    let value = read(&mut children)?;
    children.finish()?;
    Ok(value)
}

/// The next child as a part.
pub(crate) fn get<P: Part>(children: &mut Cursor<'_>, term: Term) -> Result<P, SchemaError> {
    take(children, term, |reading| inside(reading, P::read))
}

/// The next child as a text of its type.
pub(crate) fn text<T: FromStr<Err: Display>>(
    children: &mut Cursor<'_>,
    term: Term,
) -> Result<T, SchemaError> {
    take(children, term, |reading| reading.value())
}

/// The next child as one of a few words.
pub(crate) fn worded<W: Word>(children: &mut Cursor<'_>, term: Term) -> Result<W, SchemaError> {
    take(children, term, |reading| {
        let found: String = reading.value()?;
        let known = W::all().iter().copied().find(|word| word.name() == found);
        known.ok_or_else(|| {
            let names: Vec<&str> = W::all().iter().map(|word| word.name()).collect();
            reading.bad_value("the text", &found, format!("expected one of {}", names.join(", ")))
        })
    })
}

/// The next child as an instant.
pub(crate) fn instant(children: &mut Cursor<'_>, term: Term) -> Result<Timestamp, SchemaError> {
    take(children, term, |reading| {
        let found: String = reading.value()?;
        parse_date_time(&found).map_err(|expected| reading.bad_value("the text", &found, expected))
    })
}

/// The next child as octets, so many of them as `limits` says.
pub(crate) fn read_octets(
    children: &mut Cursor<'_>,
    term: Term,
    limits: Limits,
) -> Result<Vec<u8>, SchemaError> {
    take(children, term, |reading| {
        let found: String = reading.value()?;
        let digits: String = found.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let Limits { least, most } = limits;
        let octets = STANDARD.decode(digits).ok().filter(|octets| (least..=most).contains(&octets.len()));
        octets.ok_or_else(|| {
            reading.bad_value("the text", &found, format!("expected {least} to {most} octets in base64"))
        })
    })
}

/// The children that are this one, as `read` has each.
pub(crate) fn every<T>(
    children: &mut Cursor<'_>,
    term: Term,
    limits: Limits,
    read: impl Fn(&Reading<'_>) -> Result<T, SchemaError>,
) -> Result<Vec<T>, SchemaError> {
    let mut all = Vec::new();
    while all.len() < limits.least || children.peek(space(), term.name()) {
        let reading = children.required(space(), term.name())?;
        if all.len() == limits.most {
            let what = format!("the number of {}", term.name());
            let found = format!("{} or more", limits.most + 1);
            return Err(reading.bad_value(&what, &found, format!("expected at most {}", limits.most)));
        }
        all.push(read(&reading)?);
    }
    Ok(all)
}

pub(crate) fn every_part<P: Part>(
    children: &mut Cursor<'_>,
    term: Term,
    limits: Limits,
) -> Result<Vec<P>, SchemaError> {
    every(children, term, limits, |reading| inside(reading, P::read))
}

pub(crate) fn every_text<T: FromStr<Err: Display>>(
    children: &mut Cursor<'_>,
    term: Term,
    limits: Limits,
) -> Result<Vec<T>, SchemaError> {
    every(children, term, limits, |reading| reading.value())
}

/// Refuses what is there twice: a reader could not tell which of the two is meant.
pub(crate) fn once<T, K: Ord + Display>(
    children: &Cursor<'_>,
    all: &[T],
    key: impl Fn(&T) -> K,
) -> Result<(), SchemaError> {
    let mut seen = std::collections::BTreeSet::new();
    match all.iter().map(key).find(|key| !seen.insert(key.to_string())) {
        None => Ok(()),
        Some(twice) => {
            let found = twice.to_string();
            Err(children.parent().bad_value("the list", &format!("{found} twice"), "expected each once"))
        }
    }
}

/// A whole number as this crate writes it: digits only, no zero before them.
pub(crate) struct Number(pub(crate) u64);

impl FromStr for Number {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
        number
            .map(Number)
            .ok_or("expected a whole number from 0 to 18446744073709551615 without leading zeros")
    }
}
