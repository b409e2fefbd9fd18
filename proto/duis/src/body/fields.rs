//! Named fields of a script, taken one by one; what is left over is refused.

use crate::Srv;
use crate::xml::{parse_boolean, parse_date_time};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::str::FromStr;

/// A field a script may give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownField {
    /// Its name: DUIS element names joined by dots. `[n]` stands for the element's `index`, or where it has none for its
    /// place, counted from 1.
    pub name: String,
    /// What it must look like.
    pub form: String,
    /// Whether it, or one of its alternatives, must be there.
    pub required: bool,
}

/// A field of a body that lists its fields by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(super) name: &'static str,
    pub(super) form: &'static str,
    required: bool,
}

impl Field {
    pub(super) const fn required(name: &'static str, form: &'static str) -> Field {
        Field { name, form, required: true }
    }

    pub(super) const fn optional(name: &'static str, form: &'static str) -> Field {
        Field { name, form, required: false }
    }
}

impl From<&Field> for KnownField {
    fn from(field: &Field) -> KnownField {
        let Field { name, form, required } = *field;
        KnownField { name: name.to_owned(), form: form.to_owned(), required }
    }
}

/// Fields that make no body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// A field that must be there is not.
    #[error("Service Reference Variant {srv} needs field {field}: {expected}")]
    Missing {
        /// The variant.
        srv: Srv,
        /// The field.
        field: String,
        /// What it should be.
        expected: String,
    },
    /// A field the variant does not have.
    #[error("Service Reference Variant {srv} has no field {field}; it takes {known}")]
    Unknown {
        /// The variant.
        srv: Srv,
        /// The field.
        field: String,
        /// The fields it has.
        known: String,
    },
    /// A field the variant has, and that does not go with the others.
    #[error(
        "field {field} of Service Reference Variant {srv} does not go with the others: it belongs to an alternative, or its index is too high"
    )]
    Misplaced {
        /// The variant.
        srv: Srv,
        /// The field.
        field: String,
    },
    /// A field that is not of its form.
    #[error("field {field} of Service Reference Variant {srv} is {found:?}; {expected}")]
    Invalid {
        /// The variant.
        srv: Srv,
        /// The field.
        field: String,
        /// What it says.
        found: String,
        /// What it should be.
        expected: String,
    },
}

pub(crate) struct FieldReader<'a> {
    srv: Srv,
    fields: &'a BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl<'a> FieldReader<'a> {
    pub(super) fn new(srv: Srv, fields: &'a BTreeMap<String, String>) -> FieldReader<'a> {
        FieldReader { srv, fields, taken: BTreeSet::new() }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Whether a field has this name, or one that goes on from it with an index or a dot.
    pub(super) fn mentions(&self, name: &str) -> bool {
        let longer = |found: &String| {
            found.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.fields
            .range(name.to_owned()..)
            .take_while(|(found, _)| found.starts_with(name))
            .any(|(n, _)| longer(n))
    }

    pub(super) fn text(&mut self, name: &str) -> Option<&'a str> {
        let (name, value) = self.fields.get_key_value(name)?;
        self.taken.insert(name.clone());
        Some(value)
    }

    pub(super) fn optional<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<Option<T>, FieldError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|error: T::Err| self.invalid(name, text, error))
    }

    pub(super) fn required<T: FromStr<Err: Display>>(
        &mut self,
        name: &str,
        form: &str,
    ) -> Result<T, FieldError> {
        self.optional(name)?.ok_or_else(|| self.missing(name, form))
    }

    pub(super) fn optional_date_time(&mut self, name: &str) -> Result<Option<Timestamp>, FieldError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        parse_date_time(text).map(Some).map_err(|error| self.invalid(name, text, error))
    }

    pub(super) fn required_date_time(&mut self, name: &str) -> Result<Timestamp, FieldError> {
        self.optional_date_time(name)?.ok_or_else(|| self.missing(name, super::parts::DATE_TIME))
    }

    pub(super) fn optional_boolean(&mut self, name: &str) -> Result<Option<bool>, FieldError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        parse_boolean(text).map(Some).map_err(|error| self.invalid(name, text, error))
    }

    pub(super) fn required_boolean(&mut self, name: &str) -> Result<bool, FieldError> {
        self.optional_boolean(name)?.ok_or_else(|| self.missing(name, "true or false"))
    }

    pub(super) fn missing(&self, field: &str, expected: &str) -> FieldError {
        FieldError::Missing { srv: self.srv, field: field.to_owned(), expected: expected.to_owned() }
    }

    pub(super) fn invalid(&self, field: &str, found: &str, expected: impl Display) -> FieldError {
        let found = found.chars().take(80).collect();
        FieldError::Invalid { srv: self.srv, field: field.to_owned(), found, expected: expected.to_string() }
    }

    /// None of several alternatives was given.
    pub(super) fn none_of(&self, alternatives: &[KnownField]) -> FieldError {
        let Some((first, rest)) = alternatives.split_first() else { return self.missing("", "") };
        let mut others: Vec<&str> = rest.iter().map(|field| field.name.as_str()).collect();
        others.retain(|name| *name != first.name);
        others.sort_unstable();
        others.dedup();
        others.truncate(8);
        let instead =
            if others.is_empty() { String::new() } else { format!(", or instead {}", others.join(", ")) };
        self.missing(&first.name, &format!("{}{instead}", first.form))
    }

    /// Refuses a field nobody took.
    pub(super) fn finish(&self, known: &[KnownField]) -> Result<(), FieldError> {
        let Some(field) = self.fields.keys().find(|name| !self.taken.contains(*name)) else { return Ok(()) };
        if known.iter().any(|known| without_indices(&known.name) == without_indices(field)) {
            return Err(FieldError::Misplaced { srv: self.srv, field: field.clone() });
        }
        let known: Vec<&str> = known.iter().map(|field| field.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(FieldError::Unknown { srv: self.srv, field: field.clone(), known })
    }
}

/// `TOUPrice[12]` and `TOUPrice[n]` are both `TOUPrice[]`.
pub(super) fn without_indices(name: &str) -> String {
    let mut parts = name.split(['[', ']']);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    while parts.next().is_some() {
        kept.push_str("[]");
        kept.push_str(parts.next().unwrap_or_default());
    }
    kept
}
