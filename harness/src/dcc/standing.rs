//! Where a device stands in the inventory: which requests it may be sent there, and where an answer moves it. Pure.
//!
//! A device is known (`Pending`), then let onto a hub's network (`Whitelisted`, by 8.11), then in service
//! (`Commissioned`): a meter by 8.1.1, a display once it has joined with a meter.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proto_duis::body::LogRequest;
use proto_duis::{DeviceKind, DeviceStatus, Eui64, RequestBody, Srv};

use super::inventory::Inventory;

/// Whether a device that stands so may be sent a request: one in service every one, one on its way there what brings it
/// there.
pub(super) fn takes(srv: Srv, status: Option<DeviceStatus>) -> bool {
    let on_its_way = matches!(
        status,
        Some(DeviceStatus::Pending | DeviceStatus::Whitelisted | DeviceStatus::InstalledNotCommissioned)
    );
    let brings_it_there = matches!(
        srv,
        Srv::CommissionDeviceSynchroniseClock
            | Srv::JoinServiceCritical
            | Srv::JoinServiceNonCritical
            | Srv::UnjoinServiceCritical
            | Srv::UnjoinServiceNonCritical
    );
    status == Some(DeviceStatus::Commissioned) || (on_its_way && brings_it_there)
}

/// Moves the devices that an answer with success moves: the request was of `target`.
pub(super) fn moved(inventory: &mut Inventory, target: Eui64, body: &RequestBody, now: Timestamp) {
    match body {
        RequestBody::CommissionDeviceSynchroniseClock(_) => commission(inventory, target, now),
        RequestBody::JoinServiceCritical(join) | RequestBody::JoinServiceNonCritical(join) => {
            for device in [target, join.other] {
                if kind(inventory, device) == Some(DeviceKind::Ppmid) {
                    commission(inventory, device, now);
                }
            }
        }
        RequestBody::UpdateHANDeviceLog(update) => match update.request {
            LogRequest::Add => put(inventory, update.device, DeviceStatus::Whitelisted),
            LogRequest::Remove => put(inventory, update.device, DeviceStatus::Pending),
        },
        _ => {}
    }
}

fn kind(inventory: &Inventory, device: Eui64) -> Option<DeviceKind> {
    inventory.get(device).map(|enrolment| enrolment.device.kind)
}

fn commission(inventory: &mut Inventory, device: Eui64, now: Timestamp) {
    if !inventory.is_commissioned(device) {
        put(inventory, device, DeviceStatus::Commissioned);
        inventory.set_commissioned(device, now.to_zoned(TimeZone::UTC).date());
    }
}

fn put(inventory: &mut Inventory, device: Eui64, status: DeviceStatus) {
    if let Err(error) = inventory.set_status(device, status) {
        tracing::warn!(%device, %status, "not moved: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proto_duis::InventoryDevice;

    use super::super::inventory::Enrolment;
    use super::*;

    const METER: Eui64 = Eui64::new([3; 8]);
    const DISPLAY: Eui64 = Eui64::new([5; 8]);

    fn inventory(status: DeviceStatus) -> Inventory {
        let mut inventory = Inventory::new();
        for (id, kind) in [(METER, DeviceKind::Esme), (DISPLAY, DeviceKind::Ppmid)] {
            let device = InventoryDevice {
                id,
                kind,
                status: Some(status),
                manufacturer: "1052".to_owned(),
                model: "00A10001".to_owned(),
                specification: None,
                firmware: None,
                commissioned: None,
                import_mpxn: None,
                secondary_import_mpan: None,
                export_mpan: None,
                variant: None,
                s1sp: None,
            };
            let responsible = BTreeSet::new();
            let enrolment = Enrolment { device, installation: METER, responsible, notified_by: None };
            inventory.enrol(enrolment).unwrap();
        }
        inventory
    }

    fn after(
        inventory: &mut Inventory,
        srv: Srv,
        target: Eui64,
        fields: &[(&str, String)],
    ) -> Vec<DeviceStatus> {
        let fields: BTreeMap<_, _> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let body = RequestBody::from_fields(srv, &fields).unwrap();
        moved(inventory, target, &body, Timestamp::UNIX_EPOCH);
        [METER, DISPLAY].map(|id| inventory.get(id).unwrap().device.status.unwrap()).to_vec()
    }

    #[test]
    fn a_meter_comes_into_service_by_its_clock_and_a_display_by_joining() {
        use DeviceStatus::{Commissioned, Pending, Whitelisted};
        let mut inventory = inventory(Pending);
        let clock =
            [("CurrentDateTime", Timestamp::UNIX_EPOCH.to_string()), ("TolerancePeriod", "10".into())];
        let commission = Srv::CommissionDeviceSynchroniseClock;
        assert_eq!(after(&mut inventory, commission, METER, &clock), [Commissioned, Pending]);
        assert_eq!(inventory.get(METER).unwrap().device.commissioned, Some(jiff::civil::date(1970, 1, 1)));
        let list = |request: &str| {
            let [device, kind] = [("DeviceID", DISPLAY.to_string()), ("RequestType", request.to_owned())];
            let [period, code] =
                [("JoinTimePeriod", "60".into()), ("InstallCode", "00112233445566778899AABBCCDDEEFF".into())];
            if request == "Add" { vec![device, kind, period, code] } else { vec![device, kind] }
        };
        let update = Srv::UpdateHANDeviceLog;
        assert_eq!(after(&mut inventory, update, METER, &list("Add")), [Commissioned, Whitelisted]);
        let other = [("OtherDeviceID", DISPLAY.to_string())];
        assert_eq!(after(&mut inventory, Srv::JoinServiceCritical, METER, &other), [Commissioned; 2]);
        assert_eq!(after(&mut inventory, update, METER, &list("Remove")), [Commissioned, Pending]);
    }

    #[test]
    fn a_device_on_its_way_takes_what_brings_it_into_service_and_no_more() {
        for status in
            [DeviceStatus::Pending, DeviceStatus::Whitelisted, DeviceStatus::InstalledNotCommissioned]
        {
            assert!(takes(Srv::CommissionDeviceSynchroniseClock, Some(status)));
            assert!(!takes(Srv::ArmSupply, Some(status)));
        }
        assert!(takes(Srv::ArmSupply, Some(DeviceStatus::Commissioned)));
        assert!(!takes(Srv::CommissionDeviceSynchroniseClock, Some(DeviceStatus::Suspended)));
        assert!(!takes(Srv::CommissionDeviceSynchroniseClock, None));
    }
}
