//! 12.2, 8.4 and 8.3 as rules of the inventory, whoever sends them.

use proptest::prelude::*;
use proto_duis::{RequestBody, Srv, UserRole};

use super::change::*;
use super::*;
use crate::dcc::users::{User, UserStatus};
use lab_config::DeviceKind;

const METER: Eui64 = Eui64::new([1; 8]);
const HUB: Eui64 = Eui64::new([2; 8]);
const PROXY: Eui64 = Eui64::new([3; 8]);

fn user(last: u8, role: UserRole) -> User {
    User { id: Eui64::new([9, 9, 9, 9, 9, 9, 9, last]), roles: [role].into(), status: UserStatus::Active }
}

fn supplier() -> User {
    user(1, UserRole::ImportSupplier)
}

fn other() -> User {
    user(2, UserRole::OtherUser)
}

fn body(srv: Srv, fields: &[(&str, &str)]) -> RequestBody {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    RequestBody::from_fields(srv, &fields).unwrap()
}

/// What becomes of one of the three requests: the code of its refusal, or nothing.
fn tried(inventory: &mut Inventory, user: &User, asked: &RequestBody) -> Option<&'static str> {
    let done = match asked {
        RequestBody::DevicePrenotification(notice) => inventory.prenotify(notice, user),
        RequestBody::UpdateInventory(update) => inventory.update(update, user),
        RequestBody::DecommissionDevice(device) => inventory.decommission(device, user),
        other => panic!("{other:?}"),
    };
    done.err().map(|refusal| refusal.code.as_str())
}

fn notice(id: Eui64, kind: &str, more: &[(&str, &str)]) -> RequestBody {
    let id = id.to_string();
    let mut fields =
        vec![("DeviceID", id.as_str()), ("DeviceManufacturer", "1052"), ("DeviceModel", "00A10001")];
    fields.push(("DeviceType", kind));
    fields.extend(more);
    body(Srv::DevicePrenotification, &fields)
}

fn update(id: Eui64, name: &str, value: &str) -> RequestBody {
    body(Srv::UpdateInventory, &[("DeviceID", &id.to_string()), (name, value)])
}

fn decommission(id: Eui64) -> RequestBody {
    body(Srv::DecommissionDevice, &[("DeviceID", &id.to_string())])
}

fn status(inventory: &Inventory, id: Eui64) -> Option<DeviceStatus> {
    inventory.get(id)?.device.status
}

#[test]
fn a_meter_goes_through_its_life() {
    let (mut inventory, is) = (Inventory::new(), supplier());
    let steps = [
        (notice(METER, "ESME", &[("ESMEVariant", "A")]), DeviceStatus::Pending),
        (update(METER, "FirmwareVersion", "P4X2G02"), DeviceStatus::Pending),
        (update(METER, "ImportMPxN", "1900000000001"), DeviceStatus::Pending),
        (
            update(METER, "UpdateDeviceStatusExceptCH", "InstalledNotCommissioned"),
            DeviceStatus::InstalledNotCommissioned,
        ),
        (decommission(METER), DeviceStatus::Decommissioned),
        (update(METER, "UpdateDeviceStatusExceptCH", "Pending"), DeviceStatus::Pending),
    ];
    for (step, expected) in steps {
        assert_eq!(tried(&mut inventory, &is, &step), None, "{step:?}");
        assert_eq!(status(&inventory, METER), Some(expected));
    }
    let device = &inventory.get(METER).unwrap().device;
    assert_eq!((device.firmware.as_deref(), device.import_mpxn.as_deref()), (Some("P4X2G02"), None));
    assert_eq!(tried(&mut inventory, &is, &update(METER, "DeleteDevice", "true")), None);
    assert!(inventory.get(METER).is_none());
}

#[test]
fn a_status_is_given_only_where_it_follows() {
    let (mut inventory, is) = (Inventory::new(), supplier());
    tried(&mut inventory, &is, &notice(METER, "ESME", &[]));
    let pending = update(METER, "UpdateDeviceStatusExceptCH", "Pending");
    assert_eq!(tried(&mut inventory, &is, &pending), Some(NOT_THE_NEXT_STATUS.0));
    assert_eq!(tried(&mut inventory, &is, &decommission(METER)), Some(NOT_TO_BE_DECOMMISSIONED.0));
    let hub = update(METER, "UpdateDeviceStatusCH", "Withdrawn");
    assert_eq!(tried(&mut inventory, &is, &hub), Some(NOT_FOR_ITS_TYPE.0));
    inventory.set_status(METER, DeviceStatus::Commissioned).unwrap();
    for change in [update(METER, "DeleteDevice", "true"), update(METER, "DeviceModel", "other")] {
        assert_eq!(tried(&mut inventory, &is, &change), Some(NOT_IN_THIS_STATUS.0));
    }
    assert_eq!(tried(&mut inventory, &is, &decommission(METER)), None);
}

#[test]
fn a_hub_comes_with_its_proxy_and_leaves_otherwise() {
    let (mut inventory, is) = (Inventory::new(), supplier());
    let proxy = PROXY.to_string();
    assert_eq!(tried(&mut inventory, &is, &notice(HUB, "CHF", &[("AssociatedGPFDeviceID", &proxy)])), None);
    let both = inventory.find(&InventoryQuery::Device(HUB));
    assert_eq!(both.iter().map(|device| device.kind).collect::<Vec<_>>(), [DeviceKind::Chf, DeviceKind::Gpf]);
    assert_eq!(tried(&mut inventory, &is, &decommission(HUB)), Some("E11"));
    let installed = update(HUB, "UpdateDeviceStatusCH", "InstalledNotCommissioned");
    assert_eq!(tried(&mut inventory, &is, &installed), None);
    assert_eq!(tried(&mut inventory, &is, &update(HUB, "UpdateDeviceStatusCH", "Commissioned")), None);
    let withdrawn = update(HUB, "UpdateDeviceStatusCH", "Withdrawn");
    assert_eq!(tried(&mut inventory, &is, &withdrawn), Some(NOT_THE_NEXT_STATUS.0));
}

#[test]
fn contradictions_strangers_and_doubles_are_refused() {
    let (mut inventory, is) = (Inventory::new(), supplier());
    let proxy = [("AssociatedGPFDeviceID", "03-03-03-03-03-03-03-03")];
    assert_eq!(tried(&mut inventory, &is, &notice(METER, "ESME", &proxy)), Some(NOT_OF_ITS_TYPE.0));
    assert_eq!(tried(&mut inventory, &is, &notice(PROXY, "CHF", &proxy)), Some(NOT_OF_ITS_TYPE.0));
    assert_eq!(tried(&mut inventory, &is, &notice(METER, "HCALCS", &[])), Some(NOT_OF_ITS_TYPE.0));
    assert_eq!(
        tried(&mut inventory, &is, &notice(METER, "PPMID", &[("ESMEVariant", "A")])),
        Some(NOT_OF_ITS_TYPE.0)
    );
    assert_eq!(tried(&mut inventory, &is, &decommission(METER)), Some("E19"));
    assert_eq!(tried(&mut inventory, &other(), &notice(METER, "ESME", &[])), None);
    assert_eq!(tried(&mut inventory, &is, &notice(METER, "ESME", &[])), Some(KNOWN_ALREADY.0));
    assert_eq!(tried(&mut inventory, &is, &update(METER, "DeleteDevice", "true")), Some("E4"));
    let mpxn = |id| update(id, "ImportMPxN", "1900000000001");
    assert_eq!(tried(&mut inventory, &other(), &mpxn(METER)), None);
    tried(&mut inventory, &is, &notice(HUB, "ESME", &[]));
    assert_eq!(tried(&mut inventory, &is, &mpxn(HUB)), Some(MPXN_TAKEN.0));
    tried(&mut inventory, &is, &notice(PROXY, "PPMID", &[]));
    assert_eq!(tried(&mut inventory, &is, &update(PROXY, "ImportMPxN", "1")), Some(NOT_FOR_ITS_TYPE.0));
}

#[test]
fn an_inventory_has_an_end() {
    let (mut inventory, is) = (Inventory::new(), supplier());
    let id = |n: usize| Eui64::new((n as u64).to_be_bytes());
    for n in 0..MAX_DEVICES {
        assert_eq!(tried(&mut inventory, &is, &notice(id(n), "IHD", &[])), None);
    }
    assert_eq!(tried(&mut inventory, &is, &notice(id(MAX_DEVICES), "IHD", &[])), Some(NO_ROOM.0));
}

fn any_request() -> impl Strategy<Value = RequestBody> {
    let id = proptest::sample::select(&[METER, HUB, PROXY][..]);
    let kind = proptest::sample::select(&["ESME", "GSME", "CHF", "GPF", "PPMID"][..]);
    let change = proptest::sample::select(
        &[
            ("UpdateDeviceStatusExceptCH", "Pending"),
            ("UpdateDeviceStatusExceptCH", "InstalledNotCommissioned"),
            ("UpdateDeviceStatusCH", "InstalledNotCommissioned"),
            ("UpdateDeviceStatusCH", "Commissioned"),
            ("UpdateDeviceStatusCH", "Withdrawn"),
            ("ImportMPxN", "1900000000001"),
            ("DeleteDevice", "true"),
        ][..],
    );
    prop_oneof![
        (id.clone(), kind).prop_map(|(id, kind)| notice(id, kind, &[])),
        (id.clone(), change).prop_map(|(id, (name, value))| update(id, name, value)),
        id.prop_map(decommission),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is asked in whatever order: no meter is in use that nobody commissioned, a meter point is one device's, and
    /// what is refused changes nothing.
    #[test]
    fn the_inventory_stays_whole(asked in proptest::collection::vec(any_request(), 0..40)) {
        let (mut inventory, is) = (Inventory::new(), supplier());
        for asked in asked {
            let before = inventory.clone();
            let refused = tried(&mut inventory, &is, &asked).is_some();
            prop_assert!(!refused || before == inventory, "{:?}", asked);
            let devices: Vec<&InventoryDevice> = inventory.devices.values().map(|e| &e.device).collect();
            let in_use = |device: &&&InventoryDevice| device.status == Some(DeviceStatus::Commissioned);
            prop_assert!(devices.iter().filter(in_use).all(|device| device.kind == DeviceKind::Chf));
            let points = devices.iter().filter(|d| d.kind != DeviceKind::Gpf && d.import_mpxn.is_some());
            prop_assert!(points.count() <= 1);
        }
    }
}
