//! 4.15, 6.4.1 and 6.4.2: the load limit (class 71) and its counter.

use jiff::Timestamp;
use lab_config::{Function, Object};
use proto_dlms::data::{Data, DateTime, MethodRef};
use proto_duis::body::{LoadLimitingGeneralSettings, SupplyResponse};
use proto_duis::mmc::build::{self, LoadLimit};
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::together::{self, Change, like};
use super::voltage;
use crate::driver::cosem;

/// Attributes of a limiter.
const THRESHOLD_NORMAL: i8 = 4;
const OVER_THRESHOLD: i8 = 6;
const UNDER_THRESHOLD: i8 = 7;
const ACTIONS: i8 = 11;
/// The scripts of the supply: what the limiter runs to disable it, and what it runs to leave it as it is.
const DISABLE: u16 = 1;
const NONE: u16 = 0;
/// Method of a register (class 3).
const RESET: i8 = 1;

/// 4.15.
pub(super) async fn read(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let object = desk.object(Function::LoadLimit)?;
    let threshold = desk.get(cosem::numbered(&object, THRESHOLD_NORMAL), None).await?;
    let period = seconds(&desk.get(cosem::numbered(&object, OVER_THRESHOLD), None).await?)?;
    let restoration = seconds(&desk.get(cosem::numbered(&object, UNDER_THRESHOLD), None).await?)?;
    let actions = desk.get(cosem::numbered(&object, ACTIONS), None).await?;
    let counter = voltage::held(desk, Function::LoadLimitCounter).await?;
    let limit = LoadLimit {
        counter: counter.map(i64::from),
        threshold: threshold.as_i128().and_then(|watts| i64::try_from(watts).ok()),
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
    Some(over == i128::from(DISABLE))
}

/// 6.4.1: at once, or held ready by the meter for its time.
pub(super) async fn update(
    desk: &mut Desk,
    settings: &LoadLimitingGeneralSettings,
    now: Timestamp,
) -> Result<MmcBody, Refusal> {
    match settings.execution.filter(|at| *at > now) {
        Some(at) => date(desk, settings, at).await?,
        None => set(desk, settings).await?,
    }
    Ok(build::done(Srv::UpdateDeviceConfigurationLoadLimitingGeneralSettings)?)
}

async fn set(desk: &mut Desk, settings: &LoadLimitingGeneralSettings) -> Result<(), Refusal> {
    let object = desk.object(Function::LoadLimit)?;
    let mut changes = Vec::new();
    for (attribute, number) in [
        (THRESHOLD_NORMAL, settings.power_threshold),
        (OVER_THRESHOLD, settings.period),
        (UNDER_THRESHOLD, settings.restoration_period),
    ] {
        changes.push(Change::to_number(desk, &object, attribute, number).await?);
    }
    let action = actions(desk, &object, settings.supply).await?;
    match settings.supply {
        // The supply must not go off by a limit it is no longer to go off by, nor by the one before.
        SupplyResponse::Unchanged => changes.insert(0, action),
        SupplyResponse::Disable => changes.push(action),
    }
    together::make(desk, &changes).await
}

fn script(supply: SupplyResponse) -> u16 {
    match supply {
        SupplyResponse::Disable => DISABLE,
        SupplyResponse::Unchanged => NONE,
    }
}

/// The actions held, with another script when the limit is passed.
async fn actions(desk: &mut Desk, object: &Object, supply: SupplyResponse) -> Result<Change, Refusal> {
    let attribute = cosem::numbered(object, ACTIONS);
    Change::from_held(desk, attribute, |held| {
        let wrong = || Refusal::value(Function::LoadLimit, held);
        let [over, under] = held.elements().ok_or_else(wrong)? else { return Err(wrong()) };
        let [table, selector] = over.elements().ok_or_else(wrong)? else { return Err(wrong()) };
        let over = Data::Structure(vec![table.clone(), like(selector, script(supply).into())?]);
        Ok(Data::Structure(vec![over, under.clone()]))
    })
    .await
}

/// The settings and their time in one structure, so that the meter takes all of them or none.
async fn date(desk: &mut Desk, settings: &LoadLimitingGeneralSettings, at: Timestamp) -> Result<(), Refusal> {
    let object = desk.object(Function::LoadLimitPassive)?;
    let at = DateTime::from_unix(at.as_second(), 0).to_octets();
    let passive = Data::Structure(vec![
        Data::U32(settings.power_threshold),
        Data::U32(settings.period),
        Data::U32(settings.restoration_period),
        Data::U16(script(settings.supply)),
        Data::Octets(at.to_vec()),
    ]);
    desk.set(cosem::attribute(&object), passive).await
}

/// 6.4.2.
pub(super) async fn reset_counter(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let counter = desk.object(Function::LoadLimitCounter)?;
    desk.act(MethodRef { method: RESET, ..cosem::method(&counter) }, Some(Data::I8(0))).await?;
    Ok(build::done(Srv::UpdateDeviceConfigurationLoadLimitingCounterReset)?)
}
