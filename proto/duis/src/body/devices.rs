//! Groups 8 and 12, the devices of an installation: the inventory, the logs of hubs and meters, joining and commissioning.

use super::part::Leaf;
use super::{FirmwareVersion, Mpan, Mpxn, Present};
use crate::Eui64;
use crate::examples::Draw;
use jiff::Timestamp;

whole! {
    /// A Unique Property Reference Number.
    Uprn(u64, 1..=999_999_999_999);
    /// How many seconds a device has to join a network.
    JoinTimePeriod(u16, 1..=3_600);
}

texts! {
    /// A post code.
    PostCode(6..=8, Any);
    /// What tells an address from others of its post code.
    AddressIdentifier(0..=30, Any);
    /// The manufacturer of a device; in practice four hexadecimal digits.
    DeviceManufacturer(0..=30, Any);
    /// The model of a device; in practice its model and hardware version as eight hexadecimal digits.
    DeviceModel(0..=30, Any);
    /// The version of SMETS or CHTS a device is made to.
    SpecificationVersion(1..=20, Any);
}

/// What an electricity meter can do, as letters of the technical specifications: A, B or C for one element, two, or
/// several phases, then what it has besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EsmeVariant(&'static str);

impl EsmeVariant {
    /// Every one there is.
    pub const ALL: &'static [EsmeVariant] = &{
        const WORDS: [&str; 25] = [
            "A", "B", "C", "AD", "BD", "CD", "ADE", "BDE", "CDE", "ADF", "BDF", "CDF", "ADEF", "BDEF",
            "CDEF", "ADG", "ADEG", "AF", "BF", "CF", "AEF", "BEF", "CEF", "AG", "AEG",
        ];
        let mut all = [EsmeVariant(""); 25];
        let mut next = 0;
        while next < WORDS.len() {
            all[next] = EsmeVariant(WORDS[next]);
            next += 1;
        }
        all
    };

    /// The letters.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl Leaf for EsmeVariant {
    fn form() -> String {
        EsmeVariant::ALL.iter().map(|variant| variant.as_str()).collect::<Vec<_>>().join(" or ")
    }

    fn parse(text: &str) -> Result<Self, String> {
        let known = EsmeVariant::ALL.iter().find(|variant| variant.as_str() == text);
        known.copied().ok_or_else(|| format!("expected {}", Self::form()))
    }

    fn text(&self) -> String {
        self.0.to_owned()
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        *draw.one_of(EsmeVariant::ALL)
    }
}

word_enum! {
    /// The status a user may give a device other than a communications hub.
    DeviceStatusUpdate, "status a user gives a device" {
        /// Known, not installed.
        Pending = "Pending",
        /// Installed, not commissioned.
        InstalledNotCommissioned = "InstalledNotCommissioned",
    }
}

word_enum! {
    /// The status a user may give a communications hub.
    HubStatusUpdate, "status a user gives a communications hub" {
        /// In use.
        Commissioned = "Commissioned",
        /// Not to be used.
        Withdrawn = "Withdrawn",
        /// Installed, not commissioned.
        InstalledNotCommissioned = "InstalledNotCommissioned",
    }
}

word_enum! {
    /// The type of a device of which the DCC is told (DUIS type `DeviceType`).
    PrenotifiedType, "device type" {
        /// Electricity meter.
        Esme = "ESME",
        /// Gas meter.
        Gsme = "GSME",
        /// Gas proxy function.
        Gpf = "GPF",
        /// Communications hub function.
        Chf = "CHF",
        /// Auxiliary load control switch.
        Hcalcs = "HCALCS",
        /// Prepayment meter interface device.
        Ppmid = "PPMID",
        /// In-home display.
        Ihd = "IHD",
        /// Consumer access device.
        Cad = "CAD",
    }
}

word_enum! {
    /// What 8.11 does to the devices that may join a hub's network.
    LogRequest, "request for a device log" {
        /// Add a device.
        Add = "Add",
        /// Remove a device.
        Remove = "Remove",
    }
}

words!(DeviceStatusUpdate, HubStatusUpdate, PrenotifiedType, LogRequest);

impl Leaf for Eui64 {
    fn form() -> String {
        "an EUI-64, such as 90-B3-D5-1F-30-01-00-00".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|error: crate::Eui64Error| error.to_string())
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        let octet = |_| u8::try_from(draw.between(0, 255)).unwrap_or_default();
        Eui64::new([(); 8].map(octet))
    }
}

/// The key a device is made with, by which a hub knows it: 6 to 16 octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallCode(Vec<u8>);

impl InstallCode {
    /// These octets; none if fewer than 6 or more than 16.
    pub fn new(octets: Vec<u8>) -> Option<InstallCode> {
        (6..=16).contains(&octets.len()).then_some(InstallCode(octets))
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl Leaf for InstallCode {
    fn form() -> String {
        "6 to 16 octets in hexadecimal digits".to_owned()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let digit = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let digits: Option<Vec<u8>> = text.chars().map(digit).collect();
        let code = digits.filter(|digits| digits.len() % 2 == 0).and_then(|digits| {
            InstallCode::new(
                digits.chunks(2).map(|pair| pair.iter().fold(0, |octet, d| octet << 4 | d)).collect(),
            )
        });
        code.ok_or_else(|| format!("expected {}", Self::form()))
    }

    fn text(&self) -> String {
        self.0.iter().map(|octet| format!("{octet:02X}")).collect()
    }

    fn sample(draw: &mut Draw<'_>) -> Self {
        let count = draw.count(6, 16);
        InstallCode((0..count).map(|_| u8::try_from(draw.between(0, 255)).unwrap_or_default()).collect())
    }
}

choice! {
    /// 8.2: what to look for in the inventory, answered by the DCC itself.
    ///
    /// Fields: one of `DeviceID`, `MPxN`, `UPRN`, or `PostCode` and `AddressIdentifier` together.
    InventoryQuery {
        /// The installation with this Unique Property Reference Number.
        Uprn(Uprn) = "UPRN",
        /// The installation with this device.
        Device(Eui64) = "DeviceID",
        /// The installation with this import meter point.
        MpxN(Mpxn) = "MPxN",
        /// The installation at this address.
        Property(PropertyFilter) = wrap "PropertyFilter",
    }
    /// What 8.4 changes.
    InventoryUpdate {
        /// The status of a device that is no hub.
        Status(DeviceStatusUpdate) = "UpdateDeviceStatusExceptCH",
        /// The status of a hub.
        HubStatus(HubStatusUpdate) = "UpdateDeviceStatusCH",
        /// What a device is.
        Details(DeviceDetails) = wrap "UpdateDeviceDetails",
        /// The device is taken out.
        Delete(Present) = "DeleteDevice",
        /// The meter point of a meter.
        MeterPoint(MeteringPoint) = wrap "UpdateMPxN",
    }
    /// A meter point.
    MeteringPoint {
        /// Of import.
        Import(Mpxn) = "ImportMPxN",
        /// Of the second element.
        SecondaryImport(Mpan) = "SecondaryImportMPAN",
        /// Of export.
        Export(Mpan) = "ExportMPAN",
    }
}

group! {
    /// An address.
    PropertyFilter {
        /// Its post code.
        post_code: PostCode = "PostCode",
        /// The address.
        address: AddressIdentifier = "AddressIdentifier",
    }
    /// 8.3: a device that is in use no more.
    ///
    /// Fields: `DeviceID`.
    DecommissionDevice {
        /// The device.
        device: Eui64 = "DeviceID",
    }
    /// 8.4: what the inventory says of a device.
    ///
    /// Fields: `DeviceID`, and one of `UpdateDeviceStatusExceptCH`, `UpdateDeviceStatusCH`, those of [`DeviceDetails`],
    /// `DeleteDevice` (`true`), `ImportMPxN`, `SecondaryImportMPAN`, `ExportMPAN`.
    UpdateInventory {
        /// The device.
        device: Eui64 = "DeviceID",
        /// The change.
        update: InventoryUpdate = choice,
    }
    /// What a device is, as far as it is to be changed.
    ///
    /// Fields, all optional: `DeviceManufacturer`, `DeviceModel`, `SMETSCHTSVersion`, `FirmwareVersion`, `ESMEVariant`.
    DeviceDetails {
        /// Its manufacturer.
        manufacturer: Option<DeviceManufacturer> = "DeviceManufacturer",
        /// Its model.
        model: Option<DeviceModel> = "DeviceModel",
        /// What it is made to.
        specification: Option<SpecificationVersion> = "SMETSCHTSVersion",
        /// Its firmware.
        firmware: Option<FirmwareVersion> = "FirmwareVersion",
        /// What it can do, if it is an electricity meter.
        variant: Option<EsmeVariant> = "ESMEVariant",
    }
    /// 8.7.1 to 8.8.2: another device that this one talks to, or no longer talks to.
    ///
    /// Fields: `OtherDeviceID`.
    JoinOrUnjoinDevice {
        /// The other device.
        other: Eui64 = "OtherDeviceID",
    }
    /// 8.9: the devices that may join, or have joined, a communications hub's network.
    ///
    /// Fields: `ReadSecurityDetails` (`true`, optional), `ExecutionDateTime` (optional).
    ReadDeviceLog {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// Whether to read the devices' security details.
        security_details: Option<Present> = "ReadSecurityDetails",
    }
    /// 8.11: the devices that may join a hub's network.
    ///
    /// Fields: `DeviceID`, `RequestType` (`Add` or `Remove`), `ExecutionDateTime` (optional), and to add a device those of
    /// [`AddDeviceToWhitelist`].
    UpdateHanDeviceLog {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// The device.
        device: Eui64 = "DeviceID",
        /// What to do.
        request: LogRequest = "RequestType",
        /// How a device that is added joins.
        add: Option<AddDeviceToWhitelist> = wrap "AddDeviceToCHFWhitelist",
    }
    /// How a device that is added joins.
    ///
    /// Fields: `JoinTimePeriod`, `InstallCode`, and optionally `ImportMPxN`, `SecondaryImportMPAN`, `ExportMPAN`.
    AddDeviceToWhitelist {
        /// How long it has to.
        period: JoinTimePeriod = "JoinTimePeriod",
        /// What the hub knows it by.
        install_code: InstallCode = "InstallCode",
        /// The meter point of import, if it is a meter.
        import: Option<Mpxn> = "ImportMPxN",
        /// The meter point of the second element.
        secondary_import: Option<Mpan> = "SecondaryImportMPAN",
        /// The meter point of export.
        export: Option<Mpan> = "ExportMPAN",
    }
    /// 8.12.1: a new communications hub takes over the log of an old one.
    ///
    /// Fields: `OldCHFID`.
    RestoreHanDeviceLog {
        /// The old hub.
        old: Eui64 = "OldCHFID",
    }
    /// 8.12.2: a new gas proxy function takes over the log of an old one.
    ///
    /// Fields: `OldGPFID`.
    RestoreGpfDeviceLog {
        /// The old gas proxy function.
        old: Eui64 = "OldGPFID",
    }
    /// 12.2: a device that will be installed.
    ///
    /// Fields: `DeviceID`, `DeviceManufacturer`, `DeviceModel`, `DeviceType`, and optionally `SMETSCHTSVersion`,
    /// `FirmwareVersion`, `ESMEVariant`, `AssociatedGPFDeviceID`.
    DevicePrenotification {
        /// The device.
        device: Eui64 = "DeviceID",
        /// Its manufacturer.
        manufacturer: DeviceManufacturer = "DeviceManufacturer",
        /// Its model.
        model: DeviceModel = "DeviceModel",
        /// Its type.
        kind: PrenotifiedType = "DeviceType",
        /// What it is made to.
        specification: Option<SpecificationVersion> = "SMETSCHTSVersion",
        /// Its firmware.
        firmware: Option<FirmwareVersion> = "FirmwareVersion",
        /// What it can do, if it is an electricity meter.
        variant: Option<EsmeVariant> = "ESMEVariant",
        /// The gas proxy function of the same communications hub.
        gpf: Option<Eui64> = "AssociatedGPFDeviceID",
    }
}
