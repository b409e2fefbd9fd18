//! What a device says it is.

use proto_dlms::data::Obis;
use proto_duis::{DeviceKind, Eui64};

/// Identity and versions of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plate {
    /// What it is.
    pub kind: DeviceKind,
    /// Who it is.
    pub eui64: Eui64,
    /// Maker's name.
    pub manufacturer: String,
    /// Model name.
    pub model: String,
    /// Hardware version.
    pub hardware: String,
    /// Version of the firmware that runs.
    pub firmware: String,
    /// Version of the configuration loaded.
    pub configuration: String,
    /// The attributes that were set with it.
    pub configured: Vec<(Obis, i8)>,
}
