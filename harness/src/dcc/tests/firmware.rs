//! 11.1 at the DCC: images by their list, devices by their standing, and what the user is told.

use std::collections::BTreeMap;
use std::time::Duration;

use proto_duis::{
    DccContent, DeviceIdList, DeviceStatus, Eui64, FirmwareImage, Request, RequestBody, RequestId, Response,
    ResponseBody, ResponseCode, UpdateFirmware, UpdateFirmwareWarning,
};

use super::lab::{ESME, GSME, HUB, IS, Lab, S1sp, config, inventory, request, users};
use crate::dcc::firmware::{Distribution, check};
use crate::dcc::{CentralProductsList, Dcc, Inventory, NO_DEVICE, NOT_LISTED, OTHER_VERSION, Product};

const STRANGER: Eui64 = Eui64::new([9; 8]);

fn update(devices: &[Eui64]) -> UpdateFirmware {
    UpdateFirmware {
        image: FirmwareImage::new(b"image".to_vec()).unwrap(),
        version: "P4X2G05".parse().unwrap(),
        devices: DeviceIdList::new(devices.iter().copied()).unwrap(),
    }
}

fn asked(counter: u64, devices: &[Eui64]) -> Request {
    let id = RequestId { originator: IS, target: Eui64::ACCESS_CONTROL_BROKER, counter };
    Request::new(id, RequestBody::UpdateFirmware(update(devices)))
}

fn listed(version: &str, model: &str) -> CentralProductsList {
    let product = Product { manufacturer: "1052".into(), model: model.into(), version: version.into() };
    CentralProductsList::Images(BTreeMap::from([(update(&[ESME]).image.hash(), product)]))
}

fn judged(
    devices: &[Eui64],
    inventory: &Inventory,
    list: &CentralProductsList,
) -> Result<Distribution, String> {
    let users = users();
    let found = check(&asked(1, devices), &update(devices), (users.get(IS).unwrap(), inventory, list));
    found.map_err(|refusal| refusal.code.to_string())
}

#[test]
fn an_image_is_looked_up_by_its_hash_version_and_model() {
    let verdict = |list: &CentralProductsList| judged(&[ESME], &inventory(), list).map(|_| ());
    assert_eq!(verdict(&CentralProductsList::None), Ok(()));
    assert_eq!(verdict(&listed("P4X2G05", "00A10001")), Ok(()));
    assert_eq!(verdict(&CentralProductsList::Images(BTreeMap::new())), Err(NOT_LISTED.0.to_owned()));
    assert_eq!(verdict(&listed("P4X2G06", "00A10001")), Err(OTHER_VERSION.0.to_owned()));
    assert_eq!(verdict(&listed("P4X2G05", "00A10002")), Err(NO_DEVICE.0.to_owned()));
}

#[test]
fn each_device_that_gets_no_image_is_named_with_the_reason() {
    let mut inventory = inventory();
    let list = |devices: &[Eui64]| DeviceIdList::new(devices.iter().copied());
    let found = judged(&[ESME, STRANGER, GSME, HUB], &inventory, &CentralProductsList::None).unwrap();
    let warning = found.warning.unwrap();
    assert_eq!(found.devices, [(HUB, [ESME].into())].into());
    // The gas meter is another supplier's.
    assert_eq!(warning.invalid, list(&[STRANGER, GSME]));
    assert_eq!(warning.not_applicable, list(&[HUB]), "11.1 is for meters");
    inventory.set_status(ESME, DeviceStatus::Suspended).unwrap();
    let none = judged(&[ESME], &inventory, &CentralProductsList::None);
    assert_eq!(none, Err(NO_DEVICE.0.to_owned()));
}

#[tokio::test]
async fn an_image_is_taken_at_once_and_its_warning_lists_the_devices() {
    let lab = Lab::start(S1sp::Answers).await;
    assert_eq!(lab.ask(&asked(1, &[ESME])).await.code, ResponseCode::SUCCESS);
    let Response { code, body: ResponseBody::Dcc(message), .. } = lab.ask(&asked(2, &[ESME, STRANGER])).await
    else {
        panic!("not the DCC's own answer")
    };
    assert_eq!(code, ResponseCode::FIRMWARE_WARNING);
    let invalid = DeviceIdList::new([STRANGER]);
    let warning = UpdateFirmwareWarning { invalid, ..Default::default() };
    assert_eq!(message.content, DccContent::UpdateFirmwareWarning(warning));
    let command = request(proto_duis::Srv::ArmSupply, ESME, 2);
    assert!(lab.ask(&command).await.code.is_error(), "the counter is used");
}

#[tokio::test]
async fn an_image_that_the_s1sp_does_not_take_is_said_to_have_been_lost() {
    let mut lab = Lab::start(S1sp::Unreachable).await;
    assert_eq!(lab.ask(&asked(1, &[ESME])).await.code, ResponseCode::SUCCESS);
    assert_eq!(lab.next().await.message.code, ResponseCode::CANNOT_COMMUNICATE);
}

#[tokio::test]
async fn a_dcc_starts_with_a_list_of_products() {
    let config =
        crate::dcc::DccConfig { products: listed("P4X2G06", "00A10001"), ..config(Duration::from_secs(1)) };
    let dcc = Dcc::start(config, S1sp::Answers).await.unwrap();
    dcc.with_inventory(|inventory| {
        inventory.set_firmware(ESME, "P4X2G05".to_owned());
        inventory.set_firmware(STRANGER, "P4X2G05".to_owned());
        assert_eq!(inventory.get(ESME).unwrap().device.firmware.as_deref(), Some("P4X2G05"));
    });
}
