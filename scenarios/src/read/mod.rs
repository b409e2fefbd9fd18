//! From the text of a script to a [`Script`].
//!
//! Everything that reading can find wrong is found here: a misspelt key, a name nothing binds, a pattern that is no
//! regular expression, a field the variant does not have. What is left to go wrong when a script runs is the world.

mod expectation;
mod migration;
mod operand;
mod scope;
mod step;

use std::collections::{BTreeMap, BTreeSet};

use lab_config::{Ability, DeviceKind, Document, FileError, Item, Name, Table};
use proto_lab::Digest;
use proto_lab::record::Verdict;

use crate::{Expected, Row, Script, Value};
use scope::Scope;

/// More steps or rows than this is a mistake, or an attack on whoever reads the script.
const MOST: usize = 1000;

impl Script {
    /// Reads a script; `id` is the name of its file without `.toml`.
    ///
    /// # Errors
    /// [`FileError`] at the first thing that is not as it should be.
    pub fn parse(id: Name, document: &Document) -> Result<Self, FileError> {
        document.root(|table| {
            let rows = table.read("row", rows)?.unwrap_or_default();
            let mut scope = Scope::of_rows(&rows);
            let set_up = steps(table, "set-up", &mut scope)?;
            // Clean-up runs even when the test stopped half-way: it may use only what set-up and the row bind.
            let mut scope_of_clean_up = scope.clone();
            Ok(Self {
                id,
                title: table.text("title", "what the script shows, in words")?,
                covers: table.read("covers", covers)?.unwrap_or_default(),
                group: table.read("group", |item| Ok(item.text("a functional group")?.to_owned()))?,
                device: table
                    .required("device", "the kind of device the script is about")?
                    .parse("a device kind")?,
                applies_when: table.read("applies-when", applies_when)?.unwrap_or_default(),
                rows,
                set_up,
                steps: test(table, &mut scope)?,
                clean_up: steps(table, "clean-up", &mut scope_of_clean_up)?,
                expected: table.read("expected", expected)?,
                digest: Digest::of(document.text().as_bytes()),
                source: document.text().into(),
            })
        })
    }
}

fn test(table: &mut Table<'_>, scope: &mut Scope) -> Result<Vec<crate::Step>, FileError> {
    let found = steps(table, "step", scope)?;
    match found.is_empty() {
        false => Ok(found),
        true => Err(table.error("no steps", "at least one [[step]]", "a script without steps tests nothing")),
    }
}

fn steps(table: &mut Table<'_>, key: &'static str, scope: &mut Scope) -> Result<Vec<crate::Step>, FileError> {
    let Some(item) = table.optional(key) else { return Ok(Vec::new()) };
    let items = bounded(&item, "steps")?;
    items.iter().map(|item| step::step(item, scope)).collect()
}

/// Steps outside any script, which may name nothing but what every script may.
pub(crate) fn steps_alone(table: &mut Table<'_>, key: &'static str) -> Result<Vec<crate::Step>, FileError> {
    steps(table, key, &mut Scope::default())
}

fn bounded<'d>(item: &Item<'d>, what: &str) -> Result<Vec<Item<'d>>, FileError> {
    let items = item.list(&format!("{what}, each under its own [[header]]"))?;
    match items.len() {
        0..=MOST => Ok(items),
        many => Err(item.error(format!("{many} {what}"), format!("at most {MOST}"), "split the script")),
    }
}

fn expected(item: &Item<'_>) -> Result<Expected, FileError> {
    let meaning =
        "the verdict the script is there to show: { verdict = \"error\", reason = [\"no answer\"] }";
    item.table(meaning, |table| {
        let verdict = table.required("verdict", "pass, inconclusive, fail or error")?;
        Ok(Expected {
            verdict: self::verdict(&verdict)?,
            reason: table.read("reason", words_of)?.unwrap_or_default(),
        })
    })
}

/// Words that a reason must have in it.
pub(crate) fn words_of(item: &Item<'_>) -> Result<Vec<String>, FileError> {
    item.list("words of the reason")?.iter().map(|item| Ok(item.text("words")?.to_owned())).collect()
}

/// What a script comes to.
pub(crate) fn verdict(item: &Item<'_>) -> Result<Verdict, FileError> {
    let expected = "pass, inconclusive, fail or error";
    match item.text(expected)? {
        "pass" => Ok(Verdict::Pass),
        "inconclusive" => Ok(Verdict::Inconclusive),
        "fail" => Ok(Verdict::Fail),
        "error" => Ok(Verdict::Error),
        _ => Err(item.refuse(expected, "a script ends in one of these")),
    }
}

fn covers(item: &Item<'_>) -> Result<Vec<String>, FileError> {
    let meaning = "the requirements the script covers, such as \"SVTAD 20.16\"";
    item.list(meaning)?.iter().map(|item| Ok(item.text(meaning)?.to_owned())).collect()
}

fn applies_when(item: &Item<'_>) -> Result<BTreeMap<DeviceKind, BTreeSet<Ability>>, FileError> {
    let meaning =
        "capabilities and functions by device kind, such as { ESME = [\"prepayment\", \"load-limit\"] }";
    let abilities = |item: &Item<'_>| -> Result<BTreeSet<Ability>, FileError> {
        item.list(meaning)?.iter().map(|item| item.parse("a capability or a function")).collect()
    };
    item.open(meaning)?
        .entries()
        .into_iter()
        .map(|(kind, list)| Ok((kind.parse("a device kind")?, abilities(&list)?)))
        .collect()
}

/// Rows must bind the same names, so that every `${name}` is bound in all of them.
fn rows(item: &Item<'_>) -> Result<Vec<Row>, FileError> {
    let mut rows: Vec<Row> = Vec::new();
    for item in bounded(item, "rows")? {
        let row = row(&item)?;
        if rows.iter().any(|other| other.name == row.name) {
            return Err(item.error(
                format!("a second row `{}`", row.name),
                "rows with different names",
                "rename one",
            ));
        }
        if rows.first().is_some_and(|first| names(first) != names(&row)) {
            let expected = names(&rows[0]).into_iter().collect::<Vec<_>>().join(", ");
            let found = names(&row).into_iter().collect::<Vec<_>>().join(", ");
            let advice = "give every row of the table the same columns";
            return Err(item.error(
                format!("the columns {found}"),
                format!("those of the first row: {expected}"),
                advice,
            ));
        }
        rows.push(row);
    }
    Ok(rows)
}

fn names(row: &Row) -> BTreeSet<&str> {
    row.values.iter().map(|(name, _)| &**name).collect()
}

fn row(item: &Item<'_>) -> Result<Row, FileError> {
    let (mut name, mut device, mut values) = (None, None, Vec::new());
    for (key, value) in item.open("a row: its name and the values it binds")?.entries() {
        match key.text("a name")? {
            "name" => name = Some(value.parse::<Name>("the row's name")?),
            "device" => device = Some(value.parse::<DeviceKind>("a device kind")?),
            column => {
                scope::refuse_reserved(&key, column)?;
                values.push((column.into(), literal(&value)?));
            }
        }
    }
    let missing = || item.error("a row without `name`", "`name`: what to call the row", "add a name");
    Ok(Row { name: name.ok_or_else(missing)?, device, values })
}

fn literal(item: &Item<'_>) -> Result<Value, FileError> {
    match operand::operand(item, &Scope::default())? {
        crate::Operand::Literal(value) => Ok(value),
        _ => Err(item.refuse("a value without references", "rows bind plain values")),
    }
}

#[cfg(test)]
mod tests;
