//! What devices of a model show of themselves on their home area network: the ZigBee cluster attributes behind functions.
//!
//! The network is met by a dongle of the rig ([`crate::DongleUrl`]) as a second path, which only reads. Where each function is
//! found, differs from model to model as its COSEM objects do, so it is data, and each fact says whether it was verified.

use std::collections::BTreeMap;
use std::fmt;

use super::read::fact;
use super::{Fact, Function};
use crate::document::{FileError, Item, Table};

/// Where the functions of a device are found on its home area network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterMap {
    /// The endpoint its clusters are on.
    pub endpoint: Fact<u8>,
    /// Where each function is found.
    pub functions: BTreeMap<Function, Fact<ClusterObject>>,
}

/// Where one function is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterObject {
    /// What is asked.
    pub question: ClusterQuestion,
    /// The power of ten that makes the function's usual unit of its value, where no cluster says it: credit in pence is
    /// given in thousandths of a penny with 3.
    pub scaler: Option<i8>,
}

/// What is asked of a cluster. Every one of them only reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterQuestion {
    /// The value of an attribute.
    Attribute(ClusterAttribute),
    /// The price in force: GetCurrentPrice of the Price cluster, whose price is no attribute.
    CurrentPrice,
}

/// An attribute of a cluster, written as both numbers in hexadecimal: `0702/0000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterAttribute {
    /// The cluster.
    pub cluster: u16,
    /// The attribute.
    pub attribute: u16,
}

impl ClusterAttribute {
    /// Reads `cluster` and `attribute` of a table, four hexadecimal digits each.
    ///
    /// # Errors
    /// [`FileError`] where one is missing or none.
    pub fn read(table: &mut Table<'_>) -> Result<Self, FileError> {
        Ok(Self {
            cluster: number(&table.required("cluster", CLUSTER)?, CLUSTER)?,
            attribute: number(&table.required("attribute", ATTRIBUTE)?, ATTRIBUTE)?,
        })
    }
}

impl fmt::Display for ClusterAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}/{:04X}", self.cluster, self.attribute)
    }
}

impl fmt::Display for ClusterQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(attribute) => attribute.fmt(f),
            Self::CurrentPrice => f.write_str(CURRENT_PRICE),
        }
    }
}

impl ClusterMap {
    /// Where this function is found, if the device shows it.
    pub fn function(&self, function: Function) -> Option<ClusterObject> {
        self.functions.get(&function).map(|fact| fact.value)
    }

    /// Each fact in words, and whether it was verified.
    pub(super) fn facts(&self) -> impl Iterator<Item = (String, bool)> + '_ {
        let function = |(function, fact): (&Function, &Fact<ClusterObject>)| {
            (format!("{function} on the home area network at {}", fact.value.question), fact.verified)
        };
        let endpoint = ("endpoint on the home area network".to_owned(), self.endpoint.verified);
        std::iter::once(endpoint).chain(self.functions.iter().map(function))
    }
}

const CLUSTER: &str = "the cluster in four hexadecimal digits, such as \"0702\"";
const ATTRIBUTE: &str = "the attribute in four hexadecimal digits, such as \"0000\"";
const COMMAND: &str = "`current-price`, the only command that reads what no attribute has";
const CURRENT_PRICE: &str = "current-price";

pub(super) fn cluster_map(item: &Item<'_>) -> Result<ClusterMap, FileError> {
    item.table("what the device shows on its home area network", |table| {
        Ok(ClusterMap {
            endpoint: fact(&table.required("endpoint", "the ZigBee endpoint")?, endpoint)?,
            functions: table.read("functions", functions)?.unwrap_or_default(),
        })
    })
}

/// The endpoint of a device, 1 to 240 (ZigBee specification, 2.2.4).
pub(super) fn endpoint(table: &mut Table<'_>) -> Result<u8, FileError> {
    table.required("value", "the ZigBee endpoint")?.integer(1..=240, "a ZigBee endpoint")
}

fn functions(item: &Item<'_>) -> Result<BTreeMap<Function, Fact<ClusterObject>>, FileError> {
    item.open("clusters and attributes by function")?
        .entries()
        .into_iter()
        .map(|(function, value)| Ok((function.parse("a function")?, fact(&value, object)?)))
        .collect()
}

fn object(table: &mut Table<'_>) -> Result<ClusterObject, FileError> {
    let question = match table.optional("command") {
        None => ClusterQuestion::Attribute(ClusterAttribute::read(table)?),
        Some(command) if command.text(COMMAND)? == CURRENT_PRICE => ClusterQuestion::CurrentPrice,
        Some(command) => return Err(command.refuse(COMMAND, "name an attribute in its place")),
    };
    let scaler = table.read("scaler", |item| item.integer(-6..=6, "a power of ten"))?;
    Ok(ClusterObject { question, scaler })
}

fn number(item: &Item<'_>, meaning: &str) -> Result<u16, FileError> {
    let text = item.text(meaning)?;
    let sound = text.len() == 4 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u16::from_str_radix(text, 16).ok().filter(|_| sound);
    number.ok_or_else(|| item.refuse(meaning, "write four hexadecimal digits in quotes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    fn read(text: &str) -> Result<ClusterMap, String> {
        let document = Document::new("model.toml", format!("[clusters]\n{text}"));
        let map = document.root(|table| cluster_map(&table.required("clusters", "the map")?));
        map.map_err(|error| error.to_string())
    }

    #[test]
    fn a_map_says_what_is_asked_and_what_nobody_has_verified() {
        let map = read(
            "endpoint = { value = 2, verified = true }\n\
             functions.active-import = { cluster = \"0702\", attribute = \"0000\", verified = true }\n\
             functions.meter-balance = { cluster = \"0705\", attribute = \"0001\", scaler = 3, verified = false }\n\
             functions.price = { command = \"current-price\", verified = false }",
        )
        .unwrap();
        let balance = map.function(Function::MeterBalance).unwrap();
        assert_eq!((balance.question.to_string(), balance.scaler), ("0705/0001".to_owned(), Some(3)));
        assert_eq!(map.function(Function::Price).unwrap().question, ClusterQuestion::CurrentPrice);
        assert_eq!(map.function(Function::Clock), None);
        let facts: Vec<_> = map.facts().collect();
        assert_eq!(facts[0], ("endpoint on the home area network".to_owned(), true));
        assert!(facts.contains(&("active-import on the home area network at 0702/0000".to_owned(), true)));
        assert!(facts.contains(&("price on the home area network at current-price".to_owned(), false)));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        let endpoint = "endpoint = { value = 1, verified = true }\n";
        let why = |line: &str| read(&format!("{endpoint}functions.active-import = {line}")).unwrap_err();
        assert!(
            why("{ cluster = 1794, attribute = \"0000\", verified = true }")
                .contains("four hexadecimal digits")
        );
        assert!(why("{ cluster = \"+702\", attribute = \"0000\", verified = true }").contains("\"0702\""));
        assert!(why("{ cluster = \"0702\", verified = true }").contains("attribute"));
        assert!(why("{ command = \"change-supply\", verified = true }").contains("`current-price`"));
        assert!(why("{ cluster = \"0702\", attribute = \"0000\" }").contains("verified"));
        assert!(
            read("endpoint = { value = 241, verified = true }").unwrap_err().contains("a ZigBee endpoint")
        );
    }
}
