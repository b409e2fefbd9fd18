//! Class 18, image transfer, and the schedule of its activation.

use proto_dlms::data::{ActionResult, BitString, Data, DataAccessResult, DateTime, DeviationSign};

use super::Shell;
use super::calendar::date;
use super::role::Role;
use crate::model::core::Core;
use crate::model::firmware::ImageRefusal;

type Read = Result<Data, DataAccessResult>;

/// Attributes of class 18.
pub(super) fn transfer(core: &Core, attribute: i8) -> Read {
    let transfer = &core.firmware;
    let (identifier, size, digest) = transfer.image();
    Ok(match attribute {
        2 => Data::U32(transfer.block()),
        3 => Data::BitString(BitString::new(transfer.blocks().collect())),
        4 => Data::U32(transfer.first_missing()),
        5 => Data::Boolean(transfer.is_enabled()),
        6 => Data::Enum(transfer.status().number()),
        7 => {
            let octets = |octets: &[u8]| Data::Octets(octets.to_vec());
            let info = Data::Structure(vec![Data::U32(size), octets(identifier), octets(digest)]);
            Data::Array(if digest.is_empty() { Vec::new() } else { vec![info] })
        }
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// Attributes of class 22: method 4 of the image transfer, once.
pub(super) fn schedule(core: &Core, attribute: i8, shell: &Shell) -> Read {
    Ok(match attribute {
        2 => {
            let transfer = shell.directory.name(Role::ImageTransfer);
            Data::Structure(vec![Data::Octets(transfer.0.to_vec()), Data::U16(4)])
        }
        3 => Data::Enum(1),
        4 => execution_time(core),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// Time and date apart, as class 22 has them, in UTC; none while nothing is dated.
fn execution_time(core: &Core) -> Data {
    let Some(at) = core.firmware.activate_at() else { return Data::Array(Vec::new()) };
    let octets = DateTime::from_unix(at.millis().div_euclid(1000), 0).to_octets();
    let (date, rest) = octets.split_at(5);
    let time = rest.get(..4).unwrap_or_default();
    Data::Array(vec![Data::Structure(vec![Data::Octets(time.to_vec()), Data::Octets(date.to_vec())])])
}

/// Dates the activation: one time and date in UTC, or none to take it back.
pub(super) fn set_schedule(
    core: &mut Core,
    value: &Data,
    sign: DeviationSign,
) -> Result<(), DataAccessResult> {
    let wrong = DataAccessResult::TypeUnmatched;
    let at = match value.elements().ok_or(wrong)? {
        [] => None,
        [only] => {
            let [time, day] = only.elements().ok_or(wrong)? else { return Err(wrong) };
            let (time, day) = (time.as_octets().ok_or(wrong)?, day.as_octets().ok_or(wrong)?);
            let ([_, _, _, _], [_, _, _, _, _]) = (time, day) else { return Err(wrong) };
            // Deviation and status nought: the time is UTC.
            let octets = [day, time, &[0, 0, 0]].concat();
            date(&Data::Octets(octets), sign)?
        }
        _ => return Err(DataAccessResult::ScopeOfAccessViolated),
    };
    core.firmware.date(at);
    Ok(())
}

pub(super) fn invoke(core: &mut Core, method: i8, parameter: Option<&Data>) -> Result<(), ActionResult> {
    let wrong = ActionResult::TypeUnmatched;
    let done = match method {
        1 => {
            let Some([identifier, size]) = parameter.and_then(Data::elements) else { return Err(wrong) };
            let size = size.as_i128().and_then(|size| u32::try_from(size).ok()).ok_or(wrong)?;
            core.begin_firmware(identifier.as_octets().ok_or(wrong)?, size)
        }
        2 => {
            let Some([number, octets]) = parameter.and_then(Data::elements) else { return Err(wrong) };
            let number = number.as_i128().and_then(|number| u32::try_from(number).ok()).ok_or(wrong)?;
            core.firmware.take_block(number, octets.as_octets().ok_or(wrong)?)
        }
        3 => core.verify_firmware(),
        _ => core.activate_firmware(),
    };
    done.map_err(|refusal| match refusal {
        ImageRefusal::Size { .. } | ImageRefusal::Identifier(_) | ImageRefusal::Block { .. } => {
            ActionResult::ScopeOfAccessViolated
        }
        ImageRefusal::Disabled | ImageRefusal::State => ActionResult::ObjectUnavailable,
        ImageRefusal::Missing(_) => ActionResult::TemporaryFailure,
        ImageRefusal::NoRoom => ActionResult::HardwareFault,
        ImageRefusal::Image(_)
        | ImageRefusal::Spoilt
        | ImageRefusal::OtherModel(_)
        | ImageRefusal::Downgrade { .. } => ActionResult::OtherReason,
    })
}
