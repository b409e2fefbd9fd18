//! The parts bodies are made of: one type says what an element holds, and from it come the fields of a script, the reading
//! of XML and the writing.
//!
//! A [`Leaf`] is text; a group of named elements (`group!`) or one of several elements (`choice!`) is declared in `shape`.
//! Each is a [`Value`], the content of one element. How often an element stands is said by the type around it: itself
//! once, `Option` at most once, [`Several`] and [`Numbered`] within the bounds of the schema. A body made of these cannot
//! break the schema, because no other value of the types exists.
//!
//! The fields of a script are named for the elements that hold text. Elements that only wrap others are left out of a name
//! unless a repetition or an alternative must be told apart: `DayProfile[1].ProfileSchedule[2].StartTime`.

use super::fields::{FieldError, FieldReader, KnownField};
use crate::examples::Draw;
use crate::xml::{Cursor, Element, Reading, SchemaError, Space::Sr};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt::Display;

#[cfg(test)]
mod tests;

/// Where a part stands among the fields of a script.
#[derive(Debug, Clone)]
pub(crate) struct At {
    before: String,
    element: String,
    inline: bool,
    required: bool,
}

impl At {
    /// The whole body.
    pub(crate) fn body() -> At {
        At { before: String::new(), element: String::new(), inline: true, required: true }
    }

    /// An element inside; its name is part of the names of the fields below it.
    pub(crate) fn child(&self, element: &str) -> At {
        let before = if self.inline { self.before.clone() } else { format!("{}.", self.name()) };
        At { before, element: element.to_owned(), inline: false, required: self.required }
    }

    /// An element inside that only wraps: its name is left out of the names of the fields below it.
    pub(crate) fn wrapper(&self, element: &str) -> At {
        At { inline: true, ..self.child(element) }
    }

    pub(crate) fn optional(mut self) -> At {
        self.required = false;
        self
    }

    fn nth(&self, n: impl Display) -> At {
        At { element: format!("{}[{n}]", self.element), inline: false, ..self.clone() }
    }

    pub(crate) fn name(&self) -> String {
        format!("{}{}", self.before, self.element)
    }

    pub(crate) fn field(&self, form: String) -> KnownField {
        KnownField { name: self.name(), form, required: self.required }
    }
}

/// The content of one element.
pub(crate) trait Value: Sized {
    /// The fields a script may give for it.
    fn list(at: &At, known: &mut Vec<KnownField>);

    /// Whether a script gives any of them.
    fn given(fields: &FieldReader<'_>, at: &At) -> bool;

    /// Takes its fields.
    fn take(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError>;

    /// Gives its fields, as a script would.
    fn give(&self, at: &At, fields: &mut BTreeMap<String, String>);

    /// Reads the element, which may have these attributes.
    fn read(element: &Reading<'_>, attributes: &[&str]) -> Result<Self, SchemaError>;

    /// Puts it into the element.
    fn write(&self, element: Element) -> Element;

    /// When it is to be done, where it says so.
    fn execution(&self) -> Option<Timestamp> {
        None
    }

    /// Some value.
    fn sample(draw: &mut Draw<'_>) -> Self;
}

/// What stands under one element name inside another: the element once, at most once, or several times.
pub(crate) trait Part: Sized {
    /// As [`Value::list`].
    fn list(at: &At, known: &mut Vec<KnownField>);

    /// As [`Value::given`].
    fn given(fields: &FieldReader<'_>, at: &At) -> bool;

    /// As [`Value::take`].
    fn take(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError>;

    /// As [`Value::give`].
    fn give(&self, at: &At, fields: &mut BTreeMap<String, String>);

    /// Takes the elements of this name that come next.
    fn read(children: &mut Cursor<'_>, name: &str) -> Result<Self, SchemaError>;

    /// The elements, all of this name.
    fn write(&self, name: &str) -> Vec<Element>;

    /// Some value.
    fn sample(draw: &mut Draw<'_>) -> Self;
}

impl<V: Value> Part for V {
    fn list(at: &At, known: &mut Vec<KnownField>) {
        V::list(at, known);
    }

    fn given(fields: &FieldReader<'_>, at: &At) -> bool {
        V::given(fields, at)
    }

    fn take(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError> {
        V::take(fields, at)
    }

    fn give(&self, at: &At, fields: &mut BTreeMap<String, String>) {
        V::give(self, at, fields);
    }

    fn read(children: &mut Cursor<'_>, name: &str) -> Result<Self, SchemaError> {
        V::read(&children.required(Sr, name)?, &[])
    }

    fn write(&self, name: &str) -> Vec<Element> {
        vec![self.write(Element::new(Sr, name))]
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        V::sample(draw)
    }
}

impl<V: Value> Part for Option<V> {
    fn list(at: &At, known: &mut Vec<KnownField>) {
        V::list(&at.clone().optional(), known);
    }

    fn given(fields: &FieldReader<'_>, at: &At) -> bool {
        V::given(fields, at)
    }

    fn take(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError> {
        V::given(fields, at).then(|| V::take(fields, at)).transpose()
    }

    fn give(&self, at: &At, fields: &mut BTreeMap<String, String>) {
        self.iter().for_each(|value| value.give(at, fields));
    }

    fn read(children: &mut Cursor<'_>, name: &str) -> Result<Self, SchemaError> {
        children.optional(Sr, name).map(|element| V::read(&element, &[])).transpose()
    }

    fn write(&self, name: &str) -> Vec<Element> {
        self.iter().map(|value| value.write(Element::new(Sr, name))).collect()
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        draw.flag().then(|| V::sample(draw))
    }
}

/// One of several elements that stands in a group directly.
pub(crate) trait Choice: Sized {
    /// As [`Value::list`]; `at` is that of the group.
    fn list_choice(at: &At, known: &mut Vec<KnownField>);

    /// As [`Value::given`].
    fn given_choice(fields: &FieldReader<'_>, at: &At) -> bool;

    /// As [`Value::take`].
    fn take_choice(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError>;

    /// As [`Value::give`].
    fn give_choice(&self, at: &At, fields: &mut BTreeMap<String, String>);

    /// Whether the next element is one of them.
    fn comes_next(children: &Cursor<'_>) -> bool;

    /// Takes the element that comes next.
    fn read_choice(children: &mut Cursor<'_>) -> Result<Self, SchemaError>;

    /// The elements chosen.
    fn write_choice(&self) -> Vec<Element>;

    /// Some value.
    fn sample_choice(draw: &mut Draw<'_>) -> Self;
}

impl<C: Choice> Choice for Option<C> {
    fn list_choice(at: &At, known: &mut Vec<KnownField>) {
        C::list_choice(at, known);
    }

    fn given_choice(fields: &FieldReader<'_>, at: &At) -> bool {
        C::given_choice(fields, at)
    }

    fn take_choice(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError> {
        C::given_choice(fields, at).then(|| C::take_choice(fields, at)).transpose()
    }

    fn give_choice(&self, at: &At, fields: &mut BTreeMap<String, String>) {
        self.iter().for_each(|choice| choice.give_choice(at, fields));
    }

    fn comes_next(children: &Cursor<'_>) -> bool {
        C::comes_next(children)
    }

    fn read_choice(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        C::comes_next(children).then(|| C::read_choice(children)).transpose()
    }

    fn write_choice(&self) -> Vec<Element> {
        self.as_ref().map(C::write_choice).unwrap_or_default()
    }

    fn sample_choice(draw: &mut Draw<'_>) -> Self {
        draw.flag().then(|| C::sample_choice(draw))
    }
}

/// A number of things the schema does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{found} given; expected {min} to {max}, with an index from 1 to {max} where they have one")]
pub struct CountError {
    /// How many, or the index that is out of range.
    pub found: usize,
    /// The least.
    pub min: usize,
    /// The most.
    pub max: usize,
}

/// An element that stands `MIN` to `MAX` times. A script counts from 1: `Season[1]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Several<V, const MIN: usize, const MAX: usize>(Vec<V>);

impl<V, const MIN: usize, const MAX: usize> Several<V, MIN, MAX> {
    /// These.
    ///
    /// # Errors
    /// Fewer than `MIN` or more than `MAX`.
    pub fn new(values: Vec<V>) -> Result<Self, CountError> {
        let found = values.len();
        let counted = (MIN..=MAX).contains(&found);
        if counted { Ok(Several(values)) } else { Err(CountError { found, min: MIN, max: MAX }) }
    }

    /// In the order of the message.
    pub fn as_slice(&self) -> &[V] {
        &self.0
    }
}

impl<V: Value, const MIN: usize, const MAX: usize> Part for Several<V, MIN, MAX> {
    fn list(at: &At, known: &mut Vec<KnownField>) {
        let at = at.nth("n");
        V::list(&if MIN == 0 { at.optional() } else { at }, known);
    }

    fn given(fields: &FieldReader<'_>, at: &At) -> bool {
        (1..=MAX).any(|n| V::given(fields, &at.nth(n)))
    }

    /// A gap between two that are given is refused as missing.
    fn take(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError> {
        let last = (1..=MAX).rev().find(|n| V::given(fields, &at.nth(n))).unwrap_or(0);
        let values = (1..=last.max(MIN)).map(|n| V::take(fields, &at.nth(n)));
        Ok(Several(values.collect::<Result<_, _>>()?))
    }

    fn give(&self, at: &At, fields: &mut BTreeMap<String, String>) {
        (1..).zip(&self.0).for_each(|(n, value): (usize, _)| value.give(&at.nth(n), fields));
    }

    fn read(children: &mut Cursor<'_>, name: &str) -> Result<Self, SchemaError> {
        let mut values = Vec::new();
        while values.len() < MIN || (values.len() < MAX && children.peek(Sr, name)) {
            values.push(V::read(&children.required(Sr, name)?, &[])?);
        }
        Ok(Several(values))
    }

    fn write(&self, name: &str) -> Vec<Element> {
        self.0.iter().map(|value| value.write(Element::new(Sr, name))).collect()
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        Several((0..draw.count(MIN, MAX)).map(|_| V::sample(draw)).collect())
    }
}

/// An element that stands `MIN` to `LAST` times, each with a DUIS attribute `index` from 1 to `LAST`, by which a script
/// names it: `TOUPrice[3]`. A message that gives an index twice is kept as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered<V, const MIN: usize, const LAST: u8>(Vec<(u8, V)>);

const INDEX: &str = "index";

impl<V, const MIN: usize, const LAST: u8> Numbered<V, MIN, LAST> {
    /// These, each with its index.
    ///
    /// # Errors
    /// Fewer than `MIN`, more than `LAST`, or an index that is not from 1 to `LAST`.
    pub fn new(values: Vec<(u8, V)>) -> Result<Self, CountError> {
        let error = |found| CountError { found, min: MIN, max: LAST.into() };
        if let Some((index, _)) = values.iter().find(|(index, _)| !(1..=LAST).contains(index)) {
            return Err(error(usize::from(*index)));
        }
        let counted = (MIN..=usize::from(LAST)).contains(&values.len());
        if counted { Ok(Numbered(values)) } else { Err(error(values.len())) }
    }

    /// In the order of the message, each with its index.
    pub fn as_slice(&self) -> &[(u8, V)] {
        &self.0
    }
}

impl<V: Value, const MIN: usize, const LAST: u8> Part for Numbered<V, MIN, LAST> {
    fn list(at: &At, known: &mut Vec<KnownField>) {
        let at = at.nth("n");
        V::list(&if MIN == 0 { at.optional() } else { at }, known);
    }

    fn given(fields: &FieldReader<'_>, at: &At) -> bool {
        (1..=LAST).any(|n| V::given(fields, &at.nth(n)))
    }

    fn take(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError> {
        let mut values = Vec::new();
        for index in 1..=LAST {
            // Where every index must be there, taking it says which is missing.
            if MIN == usize::from(LAST) || V::given(fields, &at.nth(index)) {
                values.push((index, V::take(fields, &at.nth(index))?));
            }
        }
        if values.len() < MIN {
            V::take(fields, &at.nth(1))?;
        }
        Ok(Numbered(values))
    }

    fn give(&self, at: &At, fields: &mut BTreeMap<String, String>) {
        self.0.iter().for_each(|(index, value)| value.give(&at.nth(index), fields));
    }

    fn read(children: &mut Cursor<'_>, name: &str) -> Result<Self, SchemaError> {
        let mut values = Vec::new();
        let most = usize::from(LAST);
        while values.len() < MIN || (values.len() < most && children.peek(Sr, name)) {
            let element = children.required(Sr, name)?;
            let index: u8 = element.attribute(INDEX)?;
            if !(1..=LAST).contains(&index) {
                let found = index.to_string();
                return Err(element.bad_value(INDEX, &found, format!("expected 1 to {LAST}")));
            }
            values.push((index, V::read(&element, &[INDEX])?));
        }
        Ok(Numbered(values))
    }

    fn write(&self, name: &str) -> Vec<Element> {
        let element = |index| Element::new(Sr, name).with_attribute(INDEX, index);
        self.0.iter().map(|(index, value)| value.write(element(index))).collect()
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        let count = draw.count(MIN, LAST.into());
        Numbered((1..=LAST).take(count).map(|index| (index, V::sample(draw))).collect())
    }
}

/// Text of one form.
pub(crate) trait Leaf: Sized {
    /// Whether white space around it belongs to it (`xs:string` and what derives from it).
    const EXACT: bool = false;

    /// What it looks like, in words.
    fn form() -> String;

    /// Reads it; the error says what was expected.
    fn parse(text: &str) -> Result<Self, String>;

    /// As it is written.
    fn text(&self) -> String;

    /// Some value.
    fn sample(draw: &mut Draw<'_>) -> Self;
}

impl<L: Leaf> Value for L {
    fn list(at: &At, known: &mut Vec<KnownField>) {
        known.push(at.field(L::form()));
    }

    fn given(fields: &FieldReader<'_>, at: &At) -> bool {
        fields.has(&at.name())
    }

    fn take(fields: &mut FieldReader<'_>, at: &At) -> Result<Self, FieldError> {
        let name = at.name();
        let text = fields.text(&name).ok_or_else(|| fields.missing(&name, &L::form()))?;
        L::parse(text).map_err(|expected| fields.invalid(&name, text, expected))
    }

    fn give(&self, at: &At, fields: &mut BTreeMap<String, String>) {
        fields.insert(at.name(), self.text());
    }

    fn read(element: &Reading<'_>, attributes: &[&str]) -> Result<Self, SchemaError> {
        let text = element.raw_text(attributes)?;
        let text = if L::EXACT { text } else { text.trim() };
        L::parse(text).map_err(|expected| element.bad_value("the text", text, expected))
    }

    fn write(&self, element: Element) -> Element {
        element.with_text(self.text())
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        L::sample(draw)
    }
}
