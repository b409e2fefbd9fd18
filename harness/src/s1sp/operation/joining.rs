//! 8.7.1 to 8.8.2, 8.11, 8.12.1 and 8.12.2: which devices talk to one another.
//!
//! A meter and the gas proxy keep a device log of their own (class 104, ZigBee network control): 8.7 and 8.8 change it. A
//! display keeps bindings. The hub keeps the list of those that may be on its network at all: 8.11 changes that.

use lab_config::{DeviceKind, Eui64, Function};
use proto_dlms::data::{ActionResult, Data, MethodRef};
use proto_duis::body::{AddDeviceToWhitelist, LogRequest, UpdateHanDeviceLog};
use proto_duis::mmc::build::{self, JoinOutcome};
use proto_duis::{MmcBody, Srv};
use proto_zigbee::zdo;

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use crate::driver::{DriverErrorKind, ReachError, cosem};

/// Methods of ZigBee network control: a device is added, or taken away.
const REGISTER: i8 = 1;
const UNREGISTER: i8 = 2;
/// Seconds for which a hub whose log was restored lets the devices of the log in.
const REJOIN: u16 = 60;

pub(super) async fn join(desk: &mut Desk, srv: Srv, other: Eui64) -> Result<MmcBody, Refusal> {
    let kind = known(desk, other).map_err(not_joined)?;
    match desk.speaks_zcl() {
        true => bind(desk, other, true).await?,
        false => control(desk, REGISTER, device(other, kind)).await.map_err(not_joined)?,
    }
    Ok(build::joined(srv, JoinOutcome::Success)?)
}

pub(super) async fn unjoin(desk: &mut Desk, srv: Srv, other: Eui64) -> Result<MmcBody, Refusal> {
    match desk.speaks_zcl() {
        true => bind(desk, other, false).await?,
        false => control(desk, UNREGISTER, octets(other)).await.map_err(not_joined)?,
    }
    Ok(build::joined(srv, JoinOutcome::Success)?)
}

/// The type of a device, which a log must have: of those of its installation the S1SP knows it.
fn known(desk: &Desk, other: Eui64) -> Result<DeviceKind, Refusal> {
    let unknown = || Refusal::NotExpressible(format!("{other} is no device of this installation"));
    desk.kind_of(other).ok_or_else(unknown)
}

fn octets(device: Eui64) -> Data {
    Data::Octets(device.octets().to_vec())
}

fn device(eui64: Eui64, kind: DeviceKind) -> Data {
    Data::Structure(vec![octets(eui64), Data::Enum(type_number(kind))])
}

/// The device type numbers of a device log (after the GBCS device log use case).
fn type_number(kind: DeviceKind) -> u8 {
    match kind {
        DeviceKind::Gsme => 0,
        DeviceKind::Esme => 1,
        DeviceKind::Chf => 2,
        DeviceKind::Gpf => 3,
        DeviceKind::Ppmid => 5,
        DeviceKind::Ihd => 6,
    }
}

fn kind_of_number(number: i128) -> Option<DeviceKind> {
    DeviceKind::ALL.iter().copied().find(|kind| i128::from(type_number(*kind)) == number)
}

async fn control(desk: &mut Desk, method: i8, parameter: Data) -> Result<(), Refusal> {
    let object = desk.object(Function::NetworkControl)?;
    let method = MethodRef { method, ..cosem::method(&object) };
    desk.act(method, Some(parameter)).await.map(drop)
}

/// What a refusal says in the words of an answer about joining. What is no refusal of the device stays what it is.
fn not_joined(why: Refusal) -> Refusal {
    let outcome = match &why {
        Refusal::Reach(ReachError::Driver(error)) => match &error.kind {
            DriverErrorKind::Action(ActionResult::ScopeOfAccessViolated) => {
                JoinOutcome::IncompatibleWithExistingEntry
            }
            DriverErrorKind::Action(ActionResult::TemporaryFailure) => JoinOutcome::DeviceLogFull,
            DriverErrorKind::Action(ActionResult::HardwareFault) => JoinOutcome::WriteFailure,
            DriverErrorKind::Action(ActionResult::ObjectUnavailable) => {
                JoinOutcome::OtherDeviceNotInDeviceLog
            }
            _ => JoinOutcome::OtherFailure,
        },
        _ => JoinOutcome::OtherFailure,
    };
    Refusal::NotJoined { outcome, why: Box::new(why) }
}

async fn bind(desk: &mut Desk, other: Eui64, bind: bool) -> Result<(), Refusal> {
    let outcome = match desk.bind(other, bind).await? {
        zdo::SUCCESS => return Ok(()),
        zdo::TABLE_FULL => JoinOutcome::DeviceLogFull,
        zdo::NO_ENTRY => JoinOutcome::OtherDeviceNotInDeviceLog,
        _ => JoinOutcome::OtherFailure,
    };
    let words = format!("the device answered {outcome} to {} {other}", if bind { "bind" } else { "unbind" });
    Err(Refusal::NotJoined { outcome, why: Box::new(Refusal::NotExpressible(words)) })
}

/// 8.11.
pub(super) async fn update_list(desk: &mut Desk, update: &UpdateHanDeviceLog) -> Result<MmcBody, Refusal> {
    match (update.request, &update.add) {
        (LogRequest::Remove, _) => control(desk, UNREGISTER, octets(update.device)).await?,
        (LogRequest::Add, Some(add)) => {
            let kind = known(desk, update.device)?;
            control(desk, REGISTER, listing(update.device, kind, add)).await?;
        }
        (LogRequest::Add, None) => {
            let words = "a device is added with JoinTimePeriod and InstallCode";
            return Err(Refusal::NotExpressible(words.to_owned()));
        }
    }
    Ok(build::done(Srv::UpdateHANDeviceLog)?)
}

fn listing(eui64: Eui64, kind: DeviceKind, add: &AddDeviceToWhitelist) -> Data {
    let code = Data::Octets(add.install_code.octets().to_vec());
    let number = Data::Enum(type_number(kind));
    Data::Structure(vec![octets(eui64), number, code, Data::U16(add.period.get())])
}

/// 8.9 of a meter or the proxy: the devices it talks to. The S1SP keeps what it read, for a restoration.
pub(super) async fn devices(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let data = desk.read(Function::NetworkControl).await?;
    let devices = entries(&data)?;
    desk.keep_log(data);
    Ok(build::device_log(&devices)?)
}

/// What the S1SP keeps of a hub's list, where the hub has one.
pub(super) async fn keep_list(desk: &mut Desk) -> Result<(), Refusal> {
    if desk.object(Function::JoinList).is_ok() {
        let list = desk.read(Function::JoinList).await?;
        desk.keep_log(list);
    }
    Ok(())
}

fn entries(data: &Data) -> Result<Vec<(Eui64, DeviceKind)>, Refusal> {
    let wrong = || Refusal::value("a device log", data);
    let entry = |entry: &Data| {
        let [eui64, number, ..] = entry.elements()? else { return None };
        let eui64 = <[u8; 8]>::try_from(eui64.as_octets()?).ok()?;
        Some((Eui64::from(eui64), kind_of_number(number.as_i128()?)?))
    };
    data.elements().ok_or_else(wrong)?.iter().map(|data| entry(data).ok_or_else(wrong)).collect()
}

/// The log of the old device. An S1SP has only that of the device itself, as it was last read by 8.9: the one of a device
/// that was replaced went with the SMSO's records.
fn kept(desk: &Desk, old: Eui64) -> Result<Data, Refusal> {
    let kept = desk.kept_log().filter(|_| old == desk.device.eui64).cloned();
    kept.ok_or_else(|| Refusal::NotExpressible(format!("this S1SP holds no device log of {old}")))
}

/// 8.12.1: the list is put back whole, and its devices have a minute to join again.
pub(super) async fn restore_list(desk: &mut Desk, old: Eui64) -> Result<MmcBody, Refusal> {
    let list = kept(desk, old)?;
    let (joins, permits) = (desk.object(Function::JoinList)?, desk.object(Function::PermitJoin)?);
    desk.set(cosem::attribute(&joins), list).await?;
    desk.set(cosem::attribute(&permits), Data::U16(REJOIN)).await?;
    Ok(build::done(Srv::RestoreHANDeviceLog)?)
}

/// 8.12.2: each device is joined again, and the answer says what came of each.
pub(super) async fn restore_log(desk: &mut Desk, old: Eui64) -> Result<MmcBody, Refusal> {
    let mut outcomes = Vec::new();
    for (eui64, kind) in entries(&kept(desk, old)?)? {
        let outcome = match control(desk, REGISTER, device(eui64, kind)).await.map_err(not_joined) {
            Ok(()) => JoinOutcome::Success,
            Err(Refusal::NotJoined { outcome, why }) if why.not_served().is_none() => outcome,
            Err(refusal) => return Err(refusal),
        };
        outcomes.push((eui64, kind, outcome));
    }
    Ok(build::restored(&outcomes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_numbers_are_those_of_the_devices_and_back() {
        for kind in DeviceKind::ALL {
            assert_eq!(kind_of_number(type_number(*kind).into()), Some(*kind));
        }
        assert_eq!(kind_of_number(99), None);
    }

    #[test]
    fn a_log_is_read_or_refused_whole() {
        let display = Eui64::new([5; 8]);
        let log = Data::Array(vec![device(display, DeviceKind::Ppmid)]);
        assert_eq!(entries(&log).unwrap(), [(display, DeviceKind::Ppmid)]);
        assert!(entries(&Data::Array(vec![octets(display)])).is_err());
        assert!(entries(&Data::Null).is_err());
    }
}
