//! From a file of `device-models/` to a [`DeviceModel`].

use std::collections::{BTreeMap, BTreeSet};

use super::cluster_map::{cluster_map, endpoint};
use super::configuration::settings;
use super::particulars::particulars;
use super::security::security;
use super::{
    Capability, DeviationSign, DeviceModel, DlmsProfile, Fact, Function, ModelIdentity, ModelText, Object,
    Profile, ServerAddress, Setting, ZclProfile,
};
use crate::cosem::ClassId;
use crate::document::{Document, FileError, Item, Table};

impl DeviceModel {
    /// Reads one Device Model file.
    ///
    /// # Errors
    /// [`FileError`] at the first thing that is not as it should be.
    pub fn parse(document: &Document) -> Result<Self, FileError> {
        document.root(|table| {
            let model = Self {
                id: table.required("id", "the lab's name for this Device Model")?.parse("a name")?,
                kind: table.required("kind", "the kind of device")?.parse("a device kind")?,
                identity: identity(table)?,
                capabilities: capabilities(table)?,
                profile: table
                    .required("profile", "how the device is spoken to")?
                    .table("the profile", profile)?,
                clusters: table.read("clusters", cluster_map)?,
                configuration: table.read("configuration", settings)?.unwrap_or_default(),
            };
            refuse_settings_of_nothing(table, &model)?;
            Ok(model)
        })
    }
}

/// Each setting is of a function that the profile has an object for.
fn refuse_settings_of_nothing(table: &Table<'_>, model: &DeviceModel) -> Result<(), FileError> {
    let has = |function| model.profile.dlms().is_some_and(|profile| profile.object(function).is_some());
    match model.configuration.iter().find(|setting| !has(setting.function)) {
        None => Ok(()),
        Some(Setting { function, .. }) => Err(table.error(
            format!("a setting of {function}, for which the profile names no object"),
            "settings of functions in [profile.objects]",
            format!("add {function} to [profile.objects], or take the setting away"),
        )),
    }
}

fn identity(table: &mut Table<'_>) -> Result<ModelIdentity, FileError> {
    let mut text =
        |key, meaning| -> Result<ModelText, FileError> { table.required(key, meaning)?.parse(meaning) };
    Ok(ModelIdentity {
        manufacturer: text("manufacturer", "the manufacturer")?,
        model: text("model", "the model")?,
        hardware_version: text("hardware-version", "the hardware version")?,
        firmware_version: text("firmware-version", "the firmware version")?,
        configuration_version: text("configuration-version", "the configuration version")?,
    })
}

fn capabilities(table: &mut Table<'_>) -> Result<BTreeSet<Capability>, FileError> {
    let list = table.required("capabilities", "a list of what the device can do")?;
    list.list("a list of capabilities")?.iter().map(|item| item.parse("a capability")).collect()
}

fn profile(table: &mut Table<'_>) -> Result<Profile, FileError> {
    let protocol = table.required("protocol", "`dlms` or `zcl`")?;
    match protocol.text("`dlms` or `zcl`")? {
        "dlms" => dlms(table).map(Profile::Dlms),
        "zcl" => zcl(table).map(Profile::Zcl),
        _ => Err(protocol.refuse("`dlms` or `zcl`", "name the protocol the device speaks")),
    }
}

fn zcl(table: &mut Table<'_>) -> Result<ZclProfile, FileError> {
    let item = table.required("endpoint", "the ZigBee endpoint")?;
    Ok(ZclProfile { endpoint: fact(&item, endpoint)? })
}

fn dlms(table: &mut Table<'_>) -> Result<DlmsProfile, FileError> {
    let client = |item: &Item<'_>| {
        fact(item, |table| {
            let sap: u8 = table.required("sap", "the client SAP")?.integer(1..=127, "a client SAP")?;
            crate::ClientSap::new(sap)
                .map_err(|error| table.error(sap.to_string(), "a client SAP", error.to_string()))
        })
    };
    Ok(DlmsProfile {
        public_client: client(&table.required("public-client", "the public client")?)?,
        management_client: client(&table.required("management-client", "the management client")?)?,
        server: fact(&table.required("server", "the logical device")?, server)?,
        application_device: table.read("application-device", |item| fact(item, application_device))?,
        deviation: table.read("clock", |item| fact(item, deviation))?,
        objects: table.read("objects", objects)?.unwrap_or_default(),
        security: table.read("security", security)?.unwrap_or_default(),
        particulars: table.read("particulars", particulars)?.map(Box::new).unwrap_or_default(),
    })
}

fn application_device(table: &mut Table<'_>) -> Result<u16, FileError> {
    let logical = table.required("logical", "the logical device address")?;
    logical.integer(2..=16383, "the address of a logical device other than the management one")
}

fn server(table: &mut Table<'_>) -> Result<ServerAddress, FileError> {
    let logical = table.required("logical", "the logical device address")?;
    Ok(ServerAddress {
        logical: logical.integer(1..=16383, "a logical device address")?,
        physical: table.read("physical", |item| item.integer(0..=16383, "a physical address"))?,
        size: table.read("address-size", |item| item.parse("octets of the address, as text"))?,
    })
}

fn deviation(table: &mut Table<'_>) -> Result<DeviationSign, FileError> {
    let meaning = "which way the deviation counts";
    table.required("deviation", meaning)?.parse(meaning)
}

fn objects(item: &Item<'_>) -> Result<BTreeMap<Function, Fact<Object>>, FileError> {
    item.open("the objects by function")?
        .entries()
        .into_iter()
        .map(|(function, value)| Ok((function.parse("a function")?, fact(&value, object)?)))
        .collect()
}

fn object(table: &mut Table<'_>) -> Result<Object, FileError> {
    let class = table.required("class", "the interface class")?;
    Ok(Object {
        class: ClassId(class.integer(1..=i64::from(u16::MAX), "an interface class")?),
        obis: table.required("obis", "the logical name")?.parse("an OBIS code")?,
        attribute: table.read("attribute", |item| item.integer(1..=127, "an attribute"))?.unwrap_or(2),
        method: table.read("method", |item| item.integer(1..=127, "a method"))?.unwrap_or(1),
        scaler: table.read("scaler", |item| item.integer(-6..=6, "a power of ten"))?,
    })
}

/// A table that also says whether what it holds was verified.
pub(super) fn fact<'d, T>(
    item: &Item<'d>,
    read: impl FnOnce(&mut Table<'d>) -> Result<T, FileError>,
) -> Result<Fact<T>, FileError> {
    item.table("a table with `verified`", |table| {
        let meaning = "whether this was seen on a device of this model";
        let verified = table.required("verified", meaning)?.boolean(meaning)?;
        let value = read(table)?;
        Ok(Fact { value, verified })
    })
}
