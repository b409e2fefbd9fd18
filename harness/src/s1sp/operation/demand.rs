//! 4.12, 6.18, 6.2.5 and 6.12: maximum demand, the part of a day it is kept of, and from which power on a load is high.

use jiff::civil::Time;
use lab_config::Function;
use proto_dlms::data::{Data, MethodRef};
use proto_duis::body::{
    InstantaneousPowerThresholds, MaximumDemandTimePeriod, ResetMaximumDemand, TimeOfDay,
};
use proto_duis::mmc::build::{self, MaximumDemand};
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::register::{WATT, whole};
use super::together::{self, Change, like};
use crate::driver::{cosem, values};

/// Attribute and method of an extended register (class 4).
const CAPTURE_TIME: i8 = 5;
const RESET: i8 = 1;
/// Attribute of a register monitor (class 21).
const THRESHOLDS: i8 = 2;

/// 4.12.1: the demand at any time, and that of the configured part of the day where the Device Model keeps one.
pub(super) async fn import(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let demand = maximum(desk, Function::MaximumDemandImport).await?;
    let configured = match desk.object(Function::MaximumDemandPeriod) {
        Ok(_) => {
            let demand = maximum(desk, Function::MaximumDemandImportInPeriod).await?;
            Some((demand, period(desk).await?))
        }
        Err(_) => None,
    };
    Ok(build::maximum_demand_import(Some(demand), configured)?)
}

/// 4.12.2.
pub(super) async fn export(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    Ok(build::maximum_demand_export(maximum(desk, Function::MaximumDemandExport).await?)?)
}

async fn maximum(desk: &mut Desk, function: Function) -> Result<MaximumDemand, Refusal> {
    let watts = whole(desk, function, WATT).await?;
    let object = desk.object(function)?;
    let captured = desk.get(cosem::numbered(&object, CAPTURE_TIME), None).await?;
    let captured = captured.as_date_time().and_then(|time| values::utc(time, desk.sign()));
    Ok(MaximumDemand { watts, captured, reset: None })
}

/// The part of the day: two times of day in UTC.
async fn period(desk: &mut Desk) -> Result<[Time; 2], Refusal> {
    let function = Function::MaximumDemandPeriod;
    let data = desk.read(function).await?;
    let time = |data: &Data| {
        let [hour, minute, second, _] = *data.as_octets()? else { return None };
        let part = |octet: u8| i8::try_from(octet).ok();
        Time::new(part(hour)?, part(minute)?, part(second)?, 0).ok()
    };
    let times = match data.elements() {
        Some([start, end]) => time(start).zip(time(end)),
        _ => None,
    };
    times.map(|(start, end)| [start, end]).ok_or_else(|| Refusal::value(function, &data))
}

/// 6.18.1.
pub(super) async fn set_period(desk: &mut Desk, set: &MaximumDemandTimePeriod) -> Result<MmcBody, Refusal> {
    let object = desk.object(Function::MaximumDemandPeriod)?;
    let times = [octets(set.period.start)?, octets(set.period.end)?];
    let part = Data::Structure(times.map(|time| Data::Octets(time.to_vec())).to_vec());
    desk.set(cosem::attribute(&object), part).await?;
    Ok(build::done(Srv::SetMaximumDemandConfigurableTimePeriod)?)
}

/// Hour, minute, second and hundredths.
fn octets(time: TimeOfDay) -> Result<[u8; 4], Refusal> {
    let at = time.time();
    if !time.is_utc() || at.subsec_nanosecond() != 0 {
        let words = format!("the time {at}: the meter takes whole seconds of UTC");
        return Err(Refusal::NotExpressible(words));
    }
    Ok([at.hour(), at.minute(), at.second(), 0].map(i8::unsigned_abs))
}

/// 6.18.2.
pub(super) async fn reset(desk: &mut Desk, reset: &ResetMaximumDemand) -> Result<MmcBody, Refusal> {
    let named = [
        (Function::MaximumDemandImport, reset.import),
        (Function::MaximumDemandExport, reset.export),
        (Function::MaximumDemandImportInPeriod, reset.configured_time_import),
    ];
    let named = named.into_iter().filter(|(_, named)| named.is_some());
    let objects = named.map(|(function, _)| desk.object(function)).collect::<Result<Vec<_>, _>>()?;
    if objects.is_empty() {
        return Err(Refusal::NotExpressible("no register is named that is to be reset".to_owned()));
    }
    for object in &objects {
        desk.act(MethodRef { method: RESET, ..cosem::method(object) }, Some(Data::I8(0))).await?;
    }
    Ok(build::done(Srv::ResetMaximumDemandRegisters)?)
}

/// 6.2.5: in the steps of the meter's active power, as 6.12 sets them.
pub(super) async fn power_thresholds(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let function = Function::PowerThresholds;
    let object = desk.object(function)?;
    let data = desk.get(cosem::numbered(&object, THRESHOLDS), None).await?;
    let number = |data: &Data| data.as_i128().and_then(|number| i64::try_from(number).ok());
    let thresholds = match data.elements() {
        Some([medium, high]) => number(medium).zip(number(high)),
        _ => None,
    };
    let (medium, high) = thresholds.ok_or_else(|| Refusal::value(function, &data))?;
    Ok(build::power_thresholds(Some(medium), Some(high))?)
}

/// 6.12: both at once.
pub(super) async fn set_power_thresholds(
    desk: &mut Desk,
    set: &InstantaneousPowerThresholds,
) -> Result<MmcBody, Refusal> {
    let object = desk.object(Function::PowerThresholds)?;
    let attribute = cosem::numbered(&object, THRESHOLDS);
    let change = Change::from_held(desk, attribute, |held| {
        let wrong = || Refusal::value(Function::PowerThresholds, held);
        let [medium, high] = held.elements().ok_or_else(wrong)? else { return Err(wrong()) };
        Ok(Data::Array(vec![like(medium, set.low_medium)?, like(high, set.medium_high)?]))
    });
    let change = change.await?;
    together::make(desk, &[change]).await?;
    Ok(build::done(Srv::UpdateDeviceConfigurationInstantaneousPowerThreshold)?)
}
