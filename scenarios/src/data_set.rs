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
//! | `[[load]]` | `balance-pence`, `load` (watts, or litres of gas an hour), `clock-offset`: by the hand at a simulated device; a real one must hold it already |
//! | `[[write]]` | an attribute of `device`, `through` a path, with its `value` by its COSEM type: at simulated and real devices alike |
//! | `[[check]]` | a step of a script that observes: all of them must hold before the run begins |
//!
//! A run that cannot load a data set, or does not find it in the devices, does not begin.

use std::sync::Arc;

use jiff::SignedDuration;
use lab_config::cosem::{AttributeRef, ClassId, Obis};
use lab_config::{DeviceKind, Document, FileError, Item, Name, Path, Table};
use proto_dlms::data::Data;
use proto_lab::Digest;

use crate::{Action, Step, read};

include!(concat!(env!("OUT_DIR"), "/shipped_data_sets.rs"));

/// More loads or writes than this is a mistake.
const MOST: usize = 1000;
/// Furthest a clock may be put wrong: a rig whose clocks are further off is not proved.
const FURTHEST: SignedDuration = SignedDuration::from_secs(9);

/// A test data set.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// Its name.
    pub name: Name,
    /// Its version, as its makers count.
    pub version: String,
    /// What it is, in words.
    pub title: String,
    /// What is loaded by hand.
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

/// What a hand loads into a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The device.
    pub device: DeviceKind,
    /// The meter balance, in pence.
    pub balance_pence: Option<i32>,
    /// The load in watts, or litres of gas an hour.
    pub load: Option<u32>,
    /// How far ahead its clock is.
    pub clock_offset: Option<SignedDuration>,
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
                loads: list(table, "load", load)?,
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

fn load(table: &mut Table<'_>) -> Result<Load, FileError> {
    let whole = |item: &Item<'_>| item.integer(i64::from(i32::MIN)..=i64::from(i32::MAX), "pence");
    let load = Load {
        device: table.required("device", "the device")?.parse("a device kind")?,
        balance_pence: table.read("balance-pence", whole)?,
        load: table.read("load", |item| item.integer(0..=1_000_000, "watts, or litres an hour"))?,
        clock_offset: table.read("clock-offset", offset)?,
    };
    match load {
        Load { balance_pence: None, load: None, clock_offset: None, .. } => {
            Err(table.error("nothing to load", "balance-pence, load or clock-offset", "say what is loaded"))
        }
        load => Ok(load),
    }
}

fn offset(item: &Item<'_>) -> Result<SignedDuration, FileError> {
    let offset: SignedDuration = item.parse("a time, such as \"3s\" or \"-3s\"")?;
    match offset.abs() <= FURTHEST {
        true => Ok(offset),
        false => Err(item.refuse(format!("at most {FURTHEST:#} either way"), "further off no rig is proved")),
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
mod tests {
    use super::*;

    const SOUND: &str = "name = \"n\"\nversion = \"1\"\ntitle = \"t\"\n\n[[load]]\ndevice = \"ESME\"\nload = 5\n\n[[check]]\nobserve = \"active-power-import\"\ndevice = \"ESME\"\nthrough = \"optical\"\nexpect = [{ at = \"value\", is = 5 }]\n";

    fn read(text: &str) -> Result<DataSet, FileError> {
        DataSet::parse(&Document::new("set.toml", text))
    }

    #[test]
    fn the_shipped_data_sets_are_sound_and_named_as_their_files() {
        for document in DataSet::shipped() {
            let set = DataSet::parse(&document).unwrap_or_else(|error| panic!("{error}"));
            assert!(document.name().ends_with(&format!(":{}.toml", set.name)), "{}", document.name());
            assert_eq!(DataSet::shipped_named(set.name.as_str()).expect("shipped").text(), &*set.source);
        }
        assert!(DataSet::shipped_named("none").expect_err("no such").to_string().contains("two-pounds"));
    }

    #[test]
    fn the_example_above_is_a_sound_data_set() {
        let (_, rest) = include_str!("data_set.rs").split_once("//! ```toml\n").expect("the example");
        let (example, _) = rest.split_once("//! ```\n").expect("its end");
        let lines = example.lines().map(|line| line.trim_start_matches("//!").trim_start());
        let set = read(&lines.collect::<Vec<_>>().join("\n")).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((set.loads[0].balance_pence, set.checks.len()), (Some(200), 1));
    }

    #[test]
    fn a_value_is_written_by_its_type_and_by_one_only() {
        let with = |value: &str| {
            read(&SOUND.replace(
                "[[check]]",
                &format!("[[write]]\ndevice = \"ESME\"\nthrough = \"wan\"\nclass = 3\nobis = \"1-0:1.8.0\"\nattribute = 2\nvalue = {value}\n\n[[check]]"),
            ))
        };
        assert_eq!(with("{ long-unsigned = 230 }").expect("a value").writes[0].value, Data::U16(230));
        assert_eq!(
            with("{ octet-string = \"AB\" }").expect("a value").writes[0].value,
            Data::Octets(b"AB".to_vec())
        );
        for wrong in ["{ }", "{ enum = 1, long = 2 }", "{ unsigned = 256 }", "{ unsignd = 5 }", "5"] {
            let error = with(wrong).expect_err(wrong);
            assert_eq!(error.line, 15, "{error}");
        }
    }

    #[test]
    fn what_is_not_looked_at_is_refused_and_so_is_a_step_that_does_more_than_look() {
        let (unchecked, _) = SOUND.split_once("[[check]]").expect("a check");
        assert!(read(unchecked).expect_err("nothing is looked at").to_string().contains("[[check]]"));
        let acts = SOUND.replace(
            "observe = \"active-power-import\"\ndevice = \"ESME\"\nthrough = \"optical\"",
            "wait = \"1s\"",
        );
        assert!(read(&acts).is_err());
        assert!(
            read(&SOUND.replace("load = 5", "clock-offset = \"1h\""))
                .expect_err("too far")
                .to_string()
                .contains("9s")
        );
        assert!(
            read(&SOUND.replace("load = 5\n", ""))
                .expect_err("nothing")
                .to_string()
                .contains("nothing to load")
        );
    }
}
