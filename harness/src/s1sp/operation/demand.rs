//! 4.12 and 4.15: maximum demand and load limit.

use lab_config::Function;
use proto_dlms::data::Data;
use proto_duis::MmcBody;
use proto_duis::mmc::build::{self, LoadLimit, MaximumDemand};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::register::{WATT, whole};
use crate::driver::{cosem, values};

/// Attribute of an extended register (class 4).
const CAPTURE_TIME: i8 = 5;
/// Attributes of a limiter (class 71).
const THRESHOLD_NORMAL: i8 = 4;
const OVER_THRESHOLD: i8 = 6;
const UNDER_THRESHOLD: i8 = 7;
const ACTIONS: i8 = 11;
/// The script that disables the supply.
const DISABLE: i128 = 1;

/// 4.12.1: the demand at any time. No Device Model of the lab has a register for a configured time of day.
pub(super) async fn import(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let demand = maximum(desk, Function::MaximumDemandImport).await?;
    Ok(build::maximum_demand_import(Some(demand), None)?)
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

/// 4.15.
pub(super) async fn load_limit(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let object = desk.object(Function::LoadLimit)?;
    let [threshold, period, restoration] = [THRESHOLD_NORMAL, OVER_THRESHOLD, UNDER_THRESHOLD];
    let threshold = desk.get(cosem::numbered(&object, threshold), None).await?;
    let period = seconds(&desk.get(cosem::numbered(&object, period), None).await?)?;
    let restoration = seconds(&desk.get(cosem::numbered(&object, restoration), None).await?)?;
    let actions = desk.get(cosem::numbered(&object, ACTIONS), None).await?;
    let threshold = threshold.as_i128().and_then(|watts| i64::try_from(watts).ok());
    let limit = LoadLimit {
        counter: None,
        threshold,
        period: Some(period),
        restoration: Some(restoration),
        disables: disables(&actions),
    };
    Ok(build::load_limit(limit)?)
}

fn seconds(data: &Data) -> Result<u32, Refusal> {
    let seconds = data.as_i128().and_then(|seconds| u32::try_from(seconds).ok());
    seconds.ok_or_else(|| Refusal::value(Function::LoadLimit, data))
}

/// Whether the script run when the limit is passed disables the supply.
fn disables(actions: &Data) -> Option<bool> {
    let over = actions.elements()?.first()?.elements()?.get(1)?.as_i128()?;
    Some(over == DISABLE)
}
