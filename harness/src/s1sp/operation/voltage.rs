//! 6.2.1, 6.5 and 6.27: which voltages a meter tells of, after how long, and how often there were such.
//!
//! Thresholds and periods are in the meter's own steps, both ways: the schema names no unit.

use lab_config::{Function, Object};
use proto_dlms::data::{Data, MethodRef};
use proto_duis::body::{
    AverageRmsVoltageSettings, AverageVoltage, RmsVoltageSettings, UpdateVoltageConfiguration,
};
use proto_duis::mmc::build::{self, VoltageSettings};
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::together::{self, Change};
use crate::driver::cosem;

/// Attribute of the voltage profile (class 7): over how many seconds it averages.
const CAPTURE_PERIOD: i8 = 4;
/// Method of a register (class 3).
const RESET: i8 = 1;
/// Every counter of voltages out of their band.
const COUNTERS: [Function; 6] = [
    Function::AverageOverVoltageCounter,
    Function::AverageUnderVoltageCounter,
    Function::ExtremeOverVoltageCounter,
    Function::ExtremeUnderVoltageCounter,
    Function::VoltageSwellCounter,
    Function::VoltageSagCounter,
];

/// 6.2.1.
pub(super) async fn read(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    // A Device Model without this one has no voltage settings.
    desk.object(Function::AverageOverVoltageThreshold)?;
    let over = held(desk, Function::AverageOverVoltageThreshold).await?;
    let under = held(desk, Function::AverageUnderVoltageThreshold).await?;
    let settings = VoltageSettings {
        average: vec![(over, under)],
        extreme_over: (
            held(desk, Function::ExtremeOverVoltagePeriod).await?,
            held(desk, Function::ExtremeOverVoltageThreshold).await?,
        ),
        extreme_under: (
            held(desk, Function::ExtremeUnderVoltagePeriod).await?,
            held(desk, Function::ExtremeUnderVoltageThreshold).await?,
        ),
        sag: (
            held(desk, Function::VoltageSagPeriod).await?,
            held(desk, Function::VoltageSagThreshold).await?,
        ),
        swell: (
            held(desk, Function::VoltageSwellPeriod).await?,
            held(desk, Function::VoltageSwellThreshold).await?,
        ),
    };
    Ok(build::voltage(&settings)?)
}

/// What the meter holds; none where its Device Model has no such function.
pub(super) async fn held(desk: &mut Desk, function: Function) -> Result<Option<u32>, Refusal> {
    if desk.object(function).is_err() {
        return Ok(None);
    }
    let data = desk.read(function).await?;
    let number = data.as_i128().and_then(|number| u32::try_from(number).ok());
    number.map(Some).ok_or_else(|| Refusal::value(function, &data))
}

/// 6.5: all of the settings, or none of them; then the counters start anew, unless they are to go on.
pub(super) async fn update(desk: &mut Desk, update: &UpdateVoltageConfiguration) -> Result<MmcBody, Refusal> {
    let AverageVoltage::SinglePhase(average) = &update.average else {
        let words = "settings of three phases: the Device Model is of a single-phase meter";
        return Err(Refusal::NotExpressible(words.to_owned()));
    };
    let mut changes = Vec::new();
    for (function, number) in thresholds(&update.rms, average) {
        changes.push(together::number(desk, function, number).await?);
    }
    // Last: another averaging period wipes the profile, which nothing brings back.
    let profile = desk.object(Function::VoltageProfile)?;
    changes.push(Change::to_number(desk, &profile, CAPTURE_PERIOD, average.period).await?);
    together::make(desk, &changes).await?;
    if update.counters_not_reset.is_none() {
        reset(desk, &counters(desk)).await?;
    }
    Ok(build::done(Srv::UpdateDeviceConfigurationVoltage)?)
}

fn thresholds(rms: &RmsVoltageSettings, average: &AverageRmsVoltageSettings) -> [(Function, u32); 10] {
    [
        (Function::AverageOverVoltageThreshold, average.over),
        (Function::AverageUnderVoltageThreshold, average.under),
        (Function::ExtremeOverVoltageThreshold, rms.extreme_over),
        (Function::ExtremeOverVoltagePeriod, rms.extreme_over_period),
        (Function::ExtremeUnderVoltageThreshold, rms.extreme_under),
        (Function::ExtremeUnderVoltagePeriod, rms.extreme_under_period),
        (Function::VoltageSwellThreshold, rms.swell),
        (Function::VoltageSwellPeriod, rms.swell_period),
        (Function::VoltageSagThreshold, rms.sag),
        (Function::VoltageSagPeriod, rms.sag_period),
    ]
}

/// 6.27.
pub(super) async fn reset_counters(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let counters = counters(desk);
    if counters.is_empty() {
        return Err(Refusal::NotModelled(Function::AverageOverVoltageCounter));
    }
    reset(desk, &counters).await?;
    Ok(build::done(Srv::UpdateDeviceConfigurationRMSVoltageCounterReset)?)
}

/// The counters the Device Model has.
fn counters(desk: &Desk) -> Vec<Object> {
    COUNTERS.into_iter().filter_map(|function| desk.object(function).ok()).collect()
}

async fn reset(desk: &mut Desk, counters: &[Object]) -> Result<(), Refusal> {
    for counter in counters {
        let method = MethodRef { method: RESET, ..cosem::method(counter) };
        desk.act(method, Some(Data::I8(0))).await?;
    }
    Ok(())
}
