//! Which names are bound at a place in a script.

use std::collections::BTreeSet;

use lab_config::{FileError, Item, nearest};

use crate::Row;

/// Words that begin a built-in reference and so cannot be bound.
const RESERVED: [&str; 5] = ["device", "model", "user", "now", "utrn"];

/// The names bound so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope(BTreeSet<String>);

impl Scope {
    /// The columns of the data table, which are the same in every row.
    pub(super) fn of_rows(rows: &[Row]) -> Self {
        let columns = rows.first().into_iter().flat_map(|row| &row.values);
        Self(columns.map(|(name, _)| name.to_string()).collect())
    }

    /// Binds a name that was not bound yet.
    pub(super) fn bind(&mut self, item: &Item<'_>) -> Result<Box<str>, FileError> {
        let name = item.text("a name")?;
        refuse_reserved(item, name)?;
        match self.0.insert(name.to_owned()) {
            true => Ok(name.into()),
            false => Err(item.error(
                format!("`{name}`, which is bound already"),
                "a name that is not bound yet",
                "choose another name, so that each means one thing",
            )),
        }
    }

    /// Refuses a name that nothing before this place binds.
    pub(super) fn refuse_unbound(&self, item: &Item<'_>, name: &str) -> Result<(), FileError> {
        if self.0.contains(name) {
            return Ok(());
        }
        let known = self.0.iter().map(String::as_str);
        let advice = match nearest(name, known.chain(RESERVED)) {
            Some(near) => format!("did you mean `${{{near}}}`?"),
            None => "bind it in an earlier step, or in the data table".to_owned(),
        };
        let expected = "a name bound by an earlier step or by the row";
        Err(item.error(format!("`${{{name}}}`, which nothing binds"), expected, advice))
    }
}

/// Refuses a name that could not be told from a built-in reference or a path.
pub(super) fn refuse_reserved(item: &Item<'_>, name: &str) -> Result<(), FileError> {
    let well_made = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    if begins_well && name.len() <= 64 && name.bytes().all(well_made) && !RESERVED.contains(&name) {
        return Ok(());
    }
    Err(item.error(
        format!("`{name}`"),
        "a name of lower case letters, digits and `-`",
        format!("names begin with a letter, and {} are built in", RESERVED.join(", ")),
    ))
}
