//! Test data sets: what is in the devices when a run begins (SVTAD 8.1(g), 9.1(b)).
//!
//! A data set is a TOML file. It says what is loaded, and how it is seen at the devices that it is there:
//!
//! ```toml
//! name = "two-pounds"
//! version = "1"
//! title = "A household down to its last two pounds"
//!
//! [[load]]
//! device = "ESME"
//! balance-pence = 200
//!
//! [[check]]
//! observe = "meter-balance"
//! device = "ESME"
//! through = "optical"
//! expect = [{ at = "value", is = 200000, tolerance = 2000 }]
//! ```
//!
//! | table | what it does |
//! |---|---|
//! | `[[load]]` | what a device holds ([`lab_config::contents`]): registers, tariff, account, logs, history. By the hand at a simulated device, all of the set or nothing; at a real one by wire where it can be written, and told to the engineer where not |
//! | `[[write]]` | an attribute of `device`, `through` a path, with its `value` by its COSEM type: at simulated and real devices alike |
//! | `[[check]]` | a step of a script that observes: all of them must hold before the run begins |
//!
//! A run that cannot load a data set, or does not find it in the devices, does not begin.

use std::sync::Arc;

use lab_config::contents::Load;
use lab_config::cosem::{AttributeRef, ClassId, Obis};
use lab_config::{DeviceKind, Document, FileError, Item, Name, Path, Table};
use proto_dlms::data::Data;
use proto_lab::Digest;

use crate::{Action, Step, read};

include!(concat!(env!("OUT_DIR"), "/shipped_data_sets.rs"));

/// More writes than this is a mistake.
const MOST: usize = 1000;

/// A test data set.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// Its name.
    pub name: Name,
    /// Its version, as its makers count.
    pub version: String,
    /// What it is, in words.
    pub title: String,
    /// What the devices hold.
    pub loads: Vec<Load>,
    /// What is written.
    pub writes: Vec<Write>,
    /// How it is seen that it is there.
    pub checks: Vec<Step>,
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
    /// The file's text.
    pub source: Arc<str>,
}

/// An attribute that is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// The device.
    pub device: DeviceKind,
    /// The path it is written by.
    pub through: Path,
    /// The attribute.
    pub attribute: AttributeRef,
    /// Its value.
    pub value: Data,
}

/// No data set of this name is shipped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no data set `{name}` is shipped; expected one of {known}, or the path of a file")]
pub struct NotShipped {
    /// The name asked for.
    pub name: String,
    /// Those that are.
    pub known: String,
}

impl DataSet {
    /// Reads a data set.
    ///
    /// # Errors
    /// [`FileError`] at the first thing that is not as it should be.
    pub fn parse(document: &Document) -> Result<Self, FileError> {
        document.root(|table| {
            let set = Self {
                name: table.required("name", "the data set's name")?.parse("a name")?,
                version: table.text("version", "its version, such as \"1\"")?,
                title: table.text("title", "what the data set is, in words")?,
                loads: table.read("load", |item| Load::list(item))?.unwrap_or_default(),
                writes: list(table, "write", write)?,
                checks: read::steps_alone(table, "check")?,
                digest: Digest::of(document.text().as_bytes()),
                source: document.text().into(),
            };
            refuse_unchecked(table, &set)?;
            Ok(set)
        })
    }

    /// The text of every shipped data set, each as a document.
    pub fn shipped() -> impl Iterator<Item = Document> {
        SHIPPED_DATA_SETS.iter().map(|(name, text)| Document::new(format!("shipped:{name}"), *text))
    }

    /// The shipped data set of this name.
    ///
    /// # Errors
    /// [`NotShipped`].
    pub fn shipped_named(name: &str) -> Result<Document, NotShipped> {
        let file = format!("{name}.toml");
        let known = || {
            let names = SHIPPED_DATA_SETS.iter().map(|(name, _)| name.trim_end_matches(".toml"));
            names.collect::<Vec<_>>().join(", ")
        };
        let found = SHIPPED_DATA_SETS.iter().find(|(shipped, _)| *shipped == file);
        found
            .map(|(name, text)| Document::new(format!("shipped:{name}"), *text))
            .ok_or_else(|| NotShipped { name: name.to_owned(), known: known() })
    }
}

/// What nobody looks at may be there or not.
fn refuse_unchecked(table: &Table<'_>, set: &DataSet) -> Result<(), FileError> {
    let only_looks = |step: &Step| matches!(step.action, Action::Observe(_)) && !step.expect.is_empty();
    match set.checks.is_empty() || !set.checks.iter().all(only_looks) {
        false => Ok(()),
        true => Err(table.error(
            "a data set that is not looked at in the devices",
            "[[check]] tables that `observe` and `expect`",
            "say how it is seen that the data are there",
        )),
    }
}

fn list<T>(
    table: &mut Table<'_>,
    key: &'static str,
    one: impl FnMut(&mut Table<'_>) -> Result<T, FileError>,
) -> Result<Vec<T>, FileError> {
    let Some(item) = table.optional(key) else { return Ok(Vec::new()) };
    match item.list("tables")?.len() {
        0..=MOST => item.tables("tables", one),
        many => Err(item.error(format!("{many} of them"), format!("at most {MOST}"), "split the data set")),
    }
}

fn write(table: &mut Table<'_>) -> Result<Write, FileError> {
    let through = "the path it is written by: wan, optical or local";
    let class = table.required("class", "the interface class")?;
    let number = table.required("attribute", "the attribute")?;
    Ok(Write {
        device: table.required("device", "the device")?.parse("a device kind")?,
        through: table.required("through", through)?.parse(through)?,
        attribute: AttributeRef {
            class: ClassId(class.integer(1..=i64::from(u16::MAX), "an interface class")?),
            obis: table.required("obis", "the logical name")?.parse::<Obis>("an OBIS code")?,
            attribute: number.integer(1..=127, "an attribute")?,
        },
        value: table.required("value", "its value by its COSEM type")?.table("a value", value)?,
    })
}

/// A value under the name of its COSEM type (IEC 62056-62, 4.1.5).
fn value(table: &mut Table<'_>) -> Result<Data, FileError> {
    let whole = |item: &Item<'_>| item.integer::<i64>(i64::MIN..=i64::MAX, "a whole number");
    let found = [
        table.read("boolean", |item| item.boolean("a boolean"))?.map(Data::Boolean),
        table.read("enum", |item| item.integer(0..=255, "an enum"))?.map(Data::Enum),
        table.read("integer", |item| item.integer(-128..=127, "an integer"))?.map(Data::I8),
        table.read("unsigned", |item| item.integer(0..=255, "an unsigned"))?.map(Data::U8),
        table.read("long", |item| item.integer(-32_768..=32_767, "a long"))?.map(Data::I16),
        table.read("long-unsigned", |item| item.integer(0..=65_535, "a long-unsigned"))?.map(Data::U16),
        table
            .read("double-long", |item| item.integer(-2_147_483_648..=2_147_483_647, "a double-long"))?
            .map(Data::I32),
        table
            .read("double-long-unsigned", |item| item.integer(0..=4_294_967_295, "a double-long-unsigned"))?
            .map(Data::U32),
        table.read("long64", whole)?.map(Data::I64),
        table.read("octet-string", |item| Ok(item.text("a text")?.as_bytes().to_vec()))?.map(Data::Octets),
    ];
    let mut found = found.into_iter().flatten();
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(table.error(
            "no value, or several",
            "exactly one of boolean, enum, integer, unsigned, long, long-unsigned, double-long, double-long-unsigned, long64, octet-string",
            "write it as { long-unsigned = 230 }",
        )),
    }
}

#[cfg(test)]
mod tests;
