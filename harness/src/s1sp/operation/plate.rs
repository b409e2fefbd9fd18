//! 6.2.4 and 11.2: what a device says it is.

use lab_config::{Eui64, Function};
use proto_duis::MmcBody;
use proto_duis::mmc::build::{self, Fuel, Identity};
use proto_zigbee::basic;
use proto_zigbee::zcl::AttributeId;

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::supply;

pub(super) async fn identity(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let (device, manufacturer, model) = if desk.speaks_zcl() {
        let manufacturer = basic_text(desk, basic::MANUFACTURER_NAME).await?;
        (desk.device.eui64, manufacturer, basic_text(desk, basic::MODEL_IDENTIFIER).await?)
    } else {
        let said = desk.text(Function::Identity).await?;
        let device = eui64(&said).unwrap_or(desk.device.eui64);
        (device, desk.text(Function::Manufacturer).await?, desk.text(Function::Model).await?)
    };
    let locks = if desk.speaks_zcl() { None } else { supply::tamper_locks(desk).await? };
    let supply_tamper = locks.map(|locks| (Fuel::of(desk.device.kind), locks));
    // A model too long for MMC is refused rather than cut: cut, it may name another model.
    Ok(build::identity(&Identity { device, model, manufacturer, supply_tamper })?)
}

/// The EUI-64 a device says it has: text with hyphens, or its octets. A device that gives its serial number instead is
/// known by the EUI-64 the S1SP reaches it under.
fn eui64(said: &str) -> Option<Eui64> {
    let octets = || hex::decode(said).ok()?.try_into().ok().map(Eui64::new);
    said.parse().ok().or_else(octets)
}

pub(super) async fn firmware(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    Ok(build::firmware_version(&version(desk).await?)?)
}

/// The version of the firmware that runs.
pub(super) async fn version(desk: &mut Desk) -> Result<String, Refusal> {
    match desk.speaks_zcl() {
        true => basic_text(desk, basic::SOFTWARE_BUILD).await,
        false => desk.text(Function::FirmwareVersion).await,
    }
}

async fn basic_text(desk: &Desk, id: AttributeId) -> Result<String, Refusal> {
    let records = desk.zcl().await?.read_basic(&[id]).await.map_err(|error| Refusal::Reach(error.into()))?;
    let record = records.into_iter().find(|record| record.id == id);
    let text = record.as_ref().and_then(|record| record.value.as_ref().ok()?.as_text());
    let what = || format!("attribute {:04X} of the Basic cluster", id.0);
    text.map(str::to_owned).ok_or_else(|| Refusal::value(what(), &record.map(|record| record.value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_an_eui64_in_text_or_octets_or_something_else() {
        let octets = Eui64::new([0, 0xDB, 0x12, 0x34, 0x56, 0x78, 0x90, 3]);
        assert_eq!(eui64("00-DB-12-34-56-78-90-03"), Some(octets));
        assert_eq!(eui64("00DB123456789003"), Some(octets));
        assert_eq!(eui64("SM12345678"), None);
    }
}
