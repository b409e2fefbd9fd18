//! One value (or key) of a TOML file, with its place.

use std::ops::Range;
use std::str::FromStr;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeString, DeValue};

use super::{Document, FileError, Table};

/// A value or a key, still in its place in the file.
#[derive(Debug, Clone)]
pub struct Item<'d> {
    document: &'d Document,
    content: Content<'d>,
}

#[derive(Debug, Clone)]
enum Content<'d> {
    Key(&'d Spanned<DeString<'d>>),
    Value(&'d Spanned<DeValue<'d>>),
}

impl<'d> Item<'d> {
    pub(super) fn key(document: &'d Document, key: &'d Spanned<DeString<'d>>) -> Self {
        Self { document, content: Content::Key(key) }
    }

    pub(super) fn value(document: &'d Document, value: &'d Spanned<DeValue<'d>>) -> Self {
        Self { document, content: Content::Value(value) }
    }

    /// Where it stands in the text.
    pub fn span(&self) -> Range<usize> {
        match self.content {
            Content::Key(key) => key.span(),
            Content::Value(value) => value.span(),
        }
    }

    /// The line it begins at, from 1.
    pub fn line(&self) -> usize {
        self.document.place(self.span().start).0
    }

    /// The TOML value, for a reader that takes several types; a key is a string.
    pub fn toml(&self) -> Option<&'d DeValue<'d>> {
        match self.content {
            Content::Key(_) => None,
            Content::Value(value) => Some(value.get_ref()),
        }
    }

    /// A non-empty string.
    ///
    /// # Errors
    /// [`FileError`] when it is something else.
    pub fn text(&self, meaning: &str) -> Result<&'d str, FileError> {
        let text = match self.content {
            Content::Key(key) => Some(key.get_ref().as_ref()),
            Content::Value(value) => value.get_ref().as_str(),
        };
        match text {
            Some("") => Err(self.error("an empty string", meaning, "give it a value")),
            Some(text) => Ok(text),
            None => Err(self.wrong_type(meaning, "write it as a string, in quotes")),
        }
    }

    /// A string, parsed.
    ///
    /// # Errors
    /// [`FileError`] when it is no string, or the parser refuses it: its error becomes the advice.
    pub fn parse<T>(&self, meaning: &str) -> Result<T, FileError>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        let text = self.text(meaning)?;
        text.parse().map_err(|error: T::Err| self.error(format!("`{text}`"), meaning, error.to_string()))
    }

    /// An integer within the range.
    ///
    /// # Errors
    /// [`FileError`] when it is something else or outside the range.
    pub fn integer<T>(&self, range: std::ops::RangeInclusive<i64>, meaning: &str) -> Result<T, FileError>
    where
        T: TryFrom<i64>,
    {
        let expected = || format!("{meaning}, from {} to {}", range.start(), range.end());
        let Some(integer) = self.toml().and_then(DeValue::as_integer) else {
            return Err(self.wrong_type(&expected(), "write a whole number, without quotes"));
        };
        let value = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        value
            .filter(|value| range.contains(value))
            .and_then(|value| T::try_from(value).ok())
            .ok_or_else(|| self.error(integer.to_string(), expected(), "use a number in this range"))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// [`FileError`] when it is something else.
    pub fn boolean(&self, meaning: &str) -> Result<bool, FileError> {
        let expected = format!("{meaning}: true or false");
        self.toml()
            .and_then(DeValue::as_bool)
            .ok_or_else(|| self.wrong_type(&expected, "write true or false, without quotes"))
    }

    /// A day, without a time.
    ///
    /// # Errors
    /// [`FileError`] when it is something else.
    pub fn date(&self) -> Result<Date, FileError> {
        let written = self.toml().and_then(DeValue::as_datetime).map(ToString::to_string);
        let refuse =
            || self.refuse("a date, such as 2026-12-01", "write it as year-month-day, without quotes");
        written.ok_or_else(refuse)?.parse().map_err(|_| refuse())
    }

    /// The entries of a list, in order.
    ///
    /// # Errors
    /// [`FileError`] when it is no list.
    pub fn list(&self, meaning: &str) -> Result<Vec<Item<'d>>, FileError> {
        let list = self.toml().and_then(DeValue::as_array);
        let Some(list) = list else {
            return Err(self.wrong_type(meaning, "write a list, in [square brackets]"));
        };
        Ok(list.iter().map(|value| Item::value(self.document, value)).collect())
    }

    /// A table, for [`Table::entries`] or reading by hand; the caller finishes it.
    ///
    /// # Errors
    /// [`FileError`] when it is no table.
    pub fn open(&self, meaning: &str) -> Result<Table<'d>, FileError> {
        match self.toml().and_then(DeValue::as_table) {
            Some(table) => Ok(Table::new(self.document, table, self.span())),
            None => Err(self.wrong_type(meaning, "write a table, in {braces} or under a [header]")),
        }
    }

    /// Reads a table and refuses keys `read` never asked for.
    ///
    /// # Errors
    /// [`FileError`] when it is no table, and those of `read`.
    pub fn table<T>(
        &self,
        meaning: &str,
        read: impl FnOnce(&mut Table<'d>) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        let mut table = self.open(meaning)?;
        let value = read(&mut table)?;
        table.finish()?;
        Ok(value)
    }

    /// Reads each table of a list of tables (`[[...]]`).
    ///
    /// # Errors
    /// [`FileError`] when it is no list of tables, and those of `read`.
    pub fn tables<T>(
        &self,
        meaning: &str,
        mut read: impl FnMut(&mut Table<'d>) -> Result<T, FileError>,
    ) -> Result<Vec<T>, FileError> {
        self.list(meaning)?.iter().map(|item| item.table(meaning, &mut read)).collect()
    }

    /// A complaint about this value.
    pub fn error(
        &self,
        found: impl Into<String>,
        expected: impl Into<String>,
        advice: impl Into<String>,
    ) -> FileError {
        self.document.error(self.span(), found, expected, advice)
    }

    /// A complaint that quotes the value as it stands in the file.
    pub fn refuse(&self, expected: impl Into<String>, advice: impl Into<String>) -> FileError {
        let text = self.document.text().get(self.span()).unwrap_or_default();
        let found: String = text.trim_matches(['"', '\'']).chars().take(60).collect();
        self.error(format!("`{found}`"), expected, advice)
    }

    fn wrong_type(&self, expected: &str, advice: &str) -> FileError {
        let found = self.toml().map_or("string", DeValue::type_str);
        let article = if found.starts_with(['a', 'i']) { "an" } else { "a" };
        self.error(format!("{article} {found}"), expected, advice)
    }
}
