//! What a configuration version stands for: settings that a device of a model has, written to it as one block.
//!
//! The block is the value of the object of the function `configuration-block` (a Data object, class 1, attribute 2):
//!
//! ```text
//! structure {
//!     octet-string                       the configuration version, 1 to 30 characters
//!     array of structure {               the settings, in order
//!         octet-string[6]                logical name of an object
//!         integer                        number of its attribute
//!         CHOICE                         the value
//!     }
//! }
//! ```
//!
//! A device takes all of it or none: the version is what it says of itself once every setting is in force. Real meters
//! have tools of their makers for this; the object is the lab's own, and simulated devices have it.

use super::{DeviceModel, Function};
use crate::cosem::Data;
use crate::document::{FileError, Item};

/// The most settings of a block.
pub const MOST_SETTINGS: usize = 64;

/// A setting that goes with the configuration version of a Device Model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What is set.
    pub function: Function,
    /// To what.
    pub value: SettingValue,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingValue {
    /// A boolean.
    Flag(bool),
    /// A double-long-unsigned.
    Number(u32),
    /// An octet-string of characters.
    Text(String),
}

impl DeviceModel {
    /// The block that brings a device of this model to its configuration version. Settings of functions that the profile
    /// does not have are not in it: reading the model has refused them.
    pub fn configuration_block(&self) -> Data {
        let object = |function| self.profile.dlms().and_then(|profile| profile.object(function));
        let setting = |setting: &Setting| {
            let attribute = object(setting.function)?.attribute();
            let name = Data::Octets(attribute.obis.0.to_vec());
            Some(Data::Structure(vec![name, Data::I8(attribute.attribute), setting.value.data()]))
        };
        let version = self.identity.configuration_version.as_str().as_bytes().to_vec();
        let settings = self.configuration.iter().filter_map(setting).collect();
        Data::Structure(vec![Data::Octets(version), Data::Array(settings)])
    }
}

impl SettingValue {
    fn data(&self) -> Data {
        match self {
            Self::Flag(flag) => Data::Boolean(*flag),
            Self::Number(number) => Data::U32(*number),
            Self::Text(text) => Data::Octets(text.as_bytes().to_vec()),
        }
    }
}

pub(super) fn settings(item: &Item<'_>) -> Result<Vec<Setting>, FileError> {
    let meaning = "the settings that the configuration version stands for, as [[configuration]]";
    let settings = item.tables(meaning, |table| {
        let function = table.required("function", "what is set")?.parse("a function")?;
        let value = value(&table.required("value", "what it is set to")?)?;
        Ok(Setting { function, value })
    })?;
    match settings.len() {
        0..=MOST_SETTINGS => Ok(settings),
        found => Err(item.error(
            format!("{found} settings"),
            format!("{MOST_SETTINGS} at most"),
            "leave out what devices of this model have anyway",
        )),
    }
}

fn value(item: &Item<'_>) -> Result<SettingValue, FileError> {
    let meaning = "true, false, a number or a text";
    if let Ok(flag) = item.boolean(meaning) {
        return Ok(SettingValue::Flag(flag));
    }
    if let Ok(text) = item.text(meaning) {
        return Ok(SettingValue::Text(text.to_owned()));
    }
    item.integer(0..=i64::from(u32::MAX), meaning).map(SettingValue::Number)
}
