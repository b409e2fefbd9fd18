//! Devices as the Smart Metering Inventory lists them.

use crate::body::EsmeVariant;
use crate::body::part::Leaf;
use crate::xml::{Cursor, Element, Reading, SchemaError, Space::Sr};
use crate::{DeviceKind, DeviceStatus, Eui64};

/// One device in the answer to Read Inventory (DUIS type `Device`, the part that applies to SMETS1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryDevice {
    /// Its identity.
    pub id: Eui64,
    /// What it is.
    pub kind: DeviceKind,
    /// Where it stands.
    pub status: Option<DeviceStatus>,
    /// Its manufacturer, at most 30 characters; in practice four hexadecimal digits.
    pub manufacturer: String,
    /// Its model, at most 30 characters; in practice eight hexadecimal digits.
    pub model: String,
    /// The version of SMETS or CHTS it is made to, 1 to 20 characters.
    pub specification: Option<String>,
    /// Its firmware version, 1 to 8 characters.
    pub firmware: Option<String>,
    /// The day it was commissioned.
    pub commissioned: Option<jiff::civil::Date>,
    /// The import meter point, 1 to 13 characters.
    pub import_mpxn: Option<String>,
    /// The meter point of the second element, 13 characters.
    pub secondary_import_mpan: Option<String>,
    /// The export meter point, 13 characters.
    pub export_mpan: Option<String>,
    /// What it can do, if it is an electricity meter.
    pub variant: Option<EsmeVariant>,
    /// The S1SP that serves it.
    pub s1sp: Option<String>,
}

impl InventoryDevice {
    pub(crate) fn to_element(&self) -> Element {
        let leaf = |name, value: &Option<String>| value.as_ref().map(|value| Element::leaf(Sr, name, value));
        Element::new(Sr, "Device")
            .with(Element::leaf(Sr, "DeviceID", self.id))
            .with(Element::leaf(Sr, "DeviceType", self.kind))
            .with_all(self.status.map(|status| Element::leaf(Sr, "DeviceStatus", status)))
            .with(Element::leaf(Sr, "DeviceManufacturer", &self.manufacturer))
            .with(Element::leaf(Sr, "DeviceModel", &self.model))
            .with_all(leaf("SMETSCHTSVersion", &self.specification))
            .with_all(leaf("DeviceFirmwareVersion", &self.firmware))
            .with_all(self.commissioned.map(|day| Element::leaf(Sr, "DateCommissioned", day)))
            .with_all(leaf("ImportMPxN", &self.import_mpxn))
            .with_all(leaf("SecondaryImportMPAN", &self.secondary_import_mpan))
            .with_all(leaf("ExportMPAN", &self.export_mpan))
            .with_all(self.variant.map(|variant| Element::leaf(Sr, "ESMEVariant", variant.as_str())))
            .with(Element::leaf(Sr, "CSPRegion", "SMETS1"))
            .with_all(leaf("S1SP", &self.s1sp))
    }

    pub(crate) fn read(device: &Reading<'_>) -> Result<InventoryDevice, SchemaError> {
        let mut fields = device.children(&[])?;
        let id = fields.required(Sr, "DeviceID")?.value()?;
        let kind = fields.required(Sr, "DeviceType")?.value()?;
        let status = fields.optional(Sr, "DeviceStatus").map(|status| status.value()).transpose()?;
        let manufacturer = limited(&fields.required(Sr, "DeviceManufacturer")?, 0, 30)?;
        let model = limited(&fields.required(Sr, "DeviceModel")?, 0, 30)?;
        let specification = text(&mut fields, "SMETSCHTSVersion", 1, 20)?;
        let firmware = text(&mut fields, "DeviceFirmwareVersion", 1, 8)?;
        let commissioned = fields.optional(Sr, "DateCommissioned").map(|day| day.value()).transpose()?;
        let import_mpxn = text(&mut fields, "ImportMPxN", 1, 13)?;
        let secondary_import_mpan = text(&mut fields, "SecondaryImportMPAN", 13, 13)?;
        let export_mpan = text(&mut fields, "ExportMPAN", 13, 13)?;
        let variant = fields.optional(Sr, "ESMEVariant").map(|word| variant(&word)).transpose()?;
        let region = fields.required(Sr, "CSPRegion")?;
        let name = region.raw_text(&[])?;
        if name != "SMETS1" {
            return Err(region.bad_value(
                "the text",
                name,
                "expected SMETS1: other regions are not served here",
            ));
        }
        let s1sp = text(&mut fields, "S1SP", 0, 80)?;
        fields.finish()?;
        Ok(InventoryDevice {
            id,
            kind,
            status,
            manufacturer,
            model,
            specification,
            firmware,
            commissioned,
            import_mpxn,
            secondary_import_mpan,
            export_mpan,
            variant,
            s1sp,
        })
    }
}

fn variant(reading: &Reading<'_>) -> Result<EsmeVariant, SchemaError> {
    let text = reading.raw_text(&[])?;
    EsmeVariant::parse(text).map_err(|expected| reading.bad_value("the text", text, expected))
}

/// Text that may be absent.
fn text(fields: &mut Cursor<'_>, name: &str, min: usize, max: usize) -> Result<Option<String>, SchemaError> {
    fields.optional(Sr, name).map(|text| limited(&text, min, max)).transpose()
}

/// Text of at least `min` and at most `max` characters.
pub(crate) fn limited(reading: &Reading<'_>, min: usize, max: usize) -> Result<String, SchemaError> {
    let text = reading.raw_text(&[])?;
    if (min..=max).contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    Err(reading.bad_value("the text", text, format!("expected {min} to {max} characters")))
}
