//! ZigBee network control (class 104): the devices a device talks to, or that a hub lets onto its network.

use proto_dlms::data::{ActionResult, Data, DataAccessResult};
use proto_duis::{DeviceKind, Eui64};

use super::chf::device_type;
use crate::model::core::Core;
use crate::model::device_log::{DeviceLog, LogRefusal};
use crate::model::journal::Event;

/// Attribute with the devices there are.
const ACTIVE_DEVICES: i8 = 5;
/// Method that adds a device; the other takes one away.
pub(super) const REGISTER: i8 = 1;

/// The devices of a log, each an EUI-64 and a device type.
pub(super) fn read(log: &DeviceLog, attribute: i8) -> Result<Data, DataAccessResult> {
    match attribute {
        ACTIVE_DEVICES => Ok(devices(log.all())),
        _ => Err(DataAccessResult::ReadWriteDenied),
    }
}

/// Devices, each an EUI-64 and a device type.
pub(super) fn devices(all: impl Iterator<Item = (Eui64, DeviceKind)>) -> Data {
    Data::Array(all.map(|(eui64, kind)| device(eui64, kind)).collect())
}

fn device(eui64: Eui64, kind: DeviceKind) -> Data {
    Data::Structure(vec![Data::Octets(eui64.octets().to_vec()), Data::Enum(device_type(kind))])
}

/// Joins with a device, or unjoins.
pub(super) fn invoke(
    log: &mut DeviceLog,
    core: &mut Core,
    method: i8,
    parameter: Option<&Data>,
) -> Result<(), ActionResult> {
    let parameter = parameter.ok_or(ActionResult::TypeUnmatched)?;
    if core.bench.memory_full {
        return Err(ActionResult::HardwareFault);
    }
    let (changed, event, words) = match method {
        REGISTER => {
            let (eui64, kind) = named(parameter).ok_or(ActionResult::TypeUnmatched)?;
            (log.join(eui64, kind), Event::JoinSucceeded, format!("{kind} {eui64} joined"))
        }
        _ => {
            let eui64 = eui64(parameter).ok_or(ActionResult::TypeUnmatched)?;
            (log.unjoin(eui64), Event::UnjoinSucceeded, format!("{eui64} unjoined"))
        }
    };
    match changed {
        Ok(()) => core.log(event, words),
        Err(refusal) => {
            core.log(Event::CommandRefused, format!("join or unjoin: {refusal}"));
            return Err(result(refusal));
        }
    }
    Ok(())
}

fn result(refusal: LogRefusal) -> ActionResult {
    match refusal {
        LogRefusal::Joined | LogRefusal::Unsuitable => ActionResult::ScopeOfAccessViolated,
        LogRefusal::Full => ActionResult::TemporaryFailure,
        LogRefusal::NotJoined => ActionResult::ObjectUnavailable,
    }
}

/// An EUI-64 as octets.
pub(super) fn eui64(data: &Data) -> Option<Eui64> {
    Some(Eui64::new(<[u8; 8]>::try_from(data.as_octets()?).ok()?))
}

/// An EUI-64 and a device type, with whatever else follows them.
pub(super) fn named(data: &Data) -> Option<(Eui64, DeviceKind)> {
    let [device, number, ..] = data.elements()? else { return None };
    let number = number.as_i128()?;
    let kind = DeviceKind::ALL.iter().find(|kind| i128::from(device_type(**kind)) == number)?;
    Some((eui64(device)?, *kind))
}
