//! A TOML table that remembers which keys it was asked for.

use std::ops::Range;

use toml::de::DeTable;

use super::{Document, FileError, Item};
use crate::nearest::nearest;

/// A table being read. Ask for its keys, then [`finish`](Table::finish) it.
#[derive(Debug)]
pub struct Table<'d> {
    document: &'d Document,
    table: &'d DeTable<'d>,
    span: Range<usize>,
    asked: Vec<&'static str>,
}

/// The keys and values of a table whose keys are free, in the order of the file.
pub type Entries<'d> = Vec<(Item<'d>, Item<'d>)>;

impl<'d> Table<'d> {
    pub(super) fn new(document: &'d Document, table: &'d DeTable<'d>, span: Range<usize>) -> Self {
        Self { document, table, span, asked: Vec::new() }
    }

    /// The value of this key, if the table has it.
    pub fn optional(&mut self, key: &'static str) -> Option<Item<'d>> {
        self.asked.push(key);
        let (_, value) = self.table.get_key_value(key)?;
        Some(Item::value(self.document, value))
    }

    /// The value of this key.
    ///
    /// # Errors
    /// [`FileError`] at the table when the key is missing; `meaning` says what it would have held.
    pub fn required(&mut self, key: &'static str, meaning: &str) -> Result<Item<'d>, FileError> {
        self.optional(key).ok_or_else(|| {
            self.error(format!("no `{key}`"), format!("`{key}`: {meaning}"), self.hint_for_missing(key))
        })
    }

    /// Reads the value of this key, or gives `None` when the table has none.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Item<'d>) -> Result<T, FileError>,
    ) -> Result<Option<T>, FileError> {
        self.optional(key).as_ref().map(read).transpose()
    }

    /// The text of this required key.
    ///
    /// # Errors
    /// [`FileError`] when the key is missing, is not a string, or is an empty one.
    pub fn text(&mut self, key: &'static str, meaning: &str) -> Result<String, FileError> {
        Ok(self.required(key, meaning)?.text(meaning)?.to_owned())
    }

    /// Whether the table holds this key; does not count as asking for it.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// A key of the table that looks like one of these names misspelt, and the name it looks like.
    pub fn misspelling<'n>(&self, names: &[&'n str]) -> Option<(&'d str, &'n str)> {
        let keys = self.table.keys().map(|key| key.get_ref().as_ref());
        keys.filter_map(|key| Some((key, nearest(key, names.iter().copied())?))).next()
    }

    /// Every key and value, for a table whose keys are names of the writer's choosing.
    pub fn entries(self) -> Entries<'d> {
        let document = self.document;
        let mut entries: Entries<'d> = self
            .table
            .iter()
            .map(|(key, value)| (Item::key(document, key), Item::value(document, value)))
            .collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
    }

    /// A complaint about the table as a whole.
    pub fn error(
        &self,
        found: impl Into<String>,
        expected: impl Into<String>,
        advice: impl Into<String>,
    ) -> FileError {
        self.document.error(self.span.clone(), found, expected, advice)
    }

    /// Refuses keys nobody asked for.
    ///
    /// # Errors
    /// [`FileError`] at the first unknown key, with the nearest known key as advice.
    pub fn finish(self) -> Result<(), FileError> {
        match self.first_unknown() {
            None => Ok(()),
            Some(key) => {
                let name = key.text("a key")?;
                let advice = match nearest(name, self.asked.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("remove `{name}`, or check which table it belongs to"),
                };
                let expected = format!("one of the keys {}", quoted(&self.asked));
                Err(key.error(format!("`{name}`"), expected, advice))
            }
        }
    }

    fn first_unknown(&self) -> Option<Item<'d>> {
        self.table
            .keys()
            .filter(|key| !self.asked.contains(&key.get_ref().as_ref()))
            .map(|key| Item::key(self.document, key))
            .min_by_key(|key| key.span().start)
    }

    /// A key that is missing may be there misspelt.
    fn hint_for_missing(&self, key: &'static str) -> String {
        let known = |name: &&str| !self.asked.contains(name);
        let names = self.table.keys().map(|name| name.get_ref().as_ref());
        match nearest(key, names.filter(known)) {
            Some(near) => format!("did you mean `{key}` where `{near}` stands?"),
            None => format!("add `{key} = ...` to this table"),
        }
    }
}

/// `a`, `b` and `c`, without repeats, sorted.
fn quoted(names: &[&str]) -> String {
    let sorted: std::collections::BTreeSet<&str> = names.iter().copied().collect();
    let quoted: Vec<String> = sorted.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
