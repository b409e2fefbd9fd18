//! 6.2.8, 6.6, 6.7 and 14.1: how a gas meter makes energy of volume, when a flow is uncontrolled, and its network data.

use lab_config::Function;
use proto_dlms::data::Data;
use proto_duis::body::{CalorificValue, ConversionFactor, GasFlowRate, SupplyLock, UncontrolledFlow};
use proto_duis::body::{UpdateGasConversion, UpdateGasFlow};
use proto_duis::mmc::build::{self, Decimal, GasSettings};
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::together::{self, Change};
use crate::driver::cosem;

/// Seconds between the entries of the network data log.
const SIX_MINUTES: u32 = 360;
/// The attribute of a buffer by which recording begins: its capture period.
const CAPTURE_PERIOD: i8 = 4;

pub(super) async fn read(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let settings = GasSettings {
        calorific_value: decimal(desk, Function::CalorificValue).await?,
        conversion_factor: decimal(desk, Function::ConversionFactor).await?,
        uncontrolled_flow_rate: decimal(desk, Function::UncontrolledFlow).await?,
        stabilisation_period: seconds(desk, Function::FlowStabilisation).await?,
        measurement_period: seconds(desk, Function::FlowMeasurement).await?,
    };
    if settings == GasSettings::default() {
        return Err(Refusal::NotModelled(Function::CalorificValue));
    }
    Ok(build::gas_settings(settings)?)
}

/// A register's value; none where the Device Model has no such register.
async fn decimal(desk: &mut Desk, function: Function) -> Result<Option<Decimal>, Refusal> {
    let Ok(object) = desk.object(function) else { return Ok(None) };
    let (raw, unit) = desk.register(&object).await?;
    let mantissa = i64::try_from(raw).map_err(|_| Refusal::value(function, &raw))?;
    Ok(Some(Decimal { mantissa, exponent: unit.scaler }))
}

async fn seconds(desk: &mut Desk, function: Function) -> Result<Option<u32>, Refusal> {
    let Some(value) = decimal(desk, function).await? else { return Ok(None) };
    let wrong = || Refusal::value(function, &value);
    let whole = super::table::whole(value.mantissa.into(), value.exponent).ok_or_else(wrong)?;
    u32::try_from(whole).map(Some).map_err(|_| wrong())
}

/// A register's change to a decimal number, `digits` times ten to the power of `scale`. Nothing is rounded: what the register
/// cannot hold exactly is refused.
async fn change(desk: &mut Desk, function: Function, (digits, scale): (u32, i8)) -> Result<Change, Refusal> {
    let register = desk.object(function)?;
    let scaler = desk.scaler(cosem::attribute(&register)).await?.scaler;
    let steps = rescaled(digits, scale, scaler).ok_or_else(|| {
        let asked = Decimal { mantissa: digits.into(), exponent: scale };
        Refusal::NotExpressible(format!("{function} of {asked} cannot be held exactly at scaler {scaler}"))
    })?;
    Change::to_number(desk, &register, register.attribute, steps).await
}

/// `digits` times ten to the power of `from`, in steps of ten to the power of `to`; none where that is not exact.
fn rescaled(digits: u32, from: i8, to: i8) -> Option<u32> {
    let power = 10u32.checked_pow((i32::from(from) - i32::from(to)).unsigned_abs())?;
    match from >= to {
        true => digits.checked_mul(power),
        false => digits.is_multiple_of(power).then_some(digits / power),
    }
}

pub(super) async fn set_conversion(
    desk: &mut Desk,
    update: &UpdateGasConversion,
) -> Result<MmcBody, Refusal> {
    let value = (update.calorific_value.last_digits(), -(CalorificValue::DIGITS as i8));
    let factor = (update.conversion_factor.last_digits(), -(ConversionFactor::DIGITS as i8));
    let changes = [
        change(desk, Function::CalorificValue, value).await?,
        change(desk, Function::ConversionFactor, factor).await?,
    ];
    together::make(desk, &changes).await?;
    Ok(build::done(Srv::UpdateDeviceConfigurationGasConversion)?)
}

pub(super) async fn set_flow(desk: &mut Desk, update: &UpdateGasFlow) -> Result<MmcBody, Refusal> {
    let rate = match &update.rate {
        UncontrolledFlow::Whole(rate) => (u32::from(*rate), 0),
        UncontrolledFlow::Decimal(rate) => (u32::from(rate.last_digits()), -(GasFlowRate::DIGITS as i8)),
    };
    let mut changes = vec![
        change(desk, Function::UncontrolledFlow, rate).await?,
        together::number(desk, Function::FlowStabilisation, update.stabilisation.get().into()).await?,
        together::number(desk, Function::FlowMeasurement, update.measurement.get().into()).await?,
    ];
    for (function, state) in
        [(Function::SupplyDepletionState, update.depletion), (Function::SupplyTamperState, update.tamper)]
    {
        // A meter whose Device Model leaves its valve alone needs not be told to.
        if state == SupplyLock::Locked || desk.object(function).is_ok() {
            changes.push(together::number(desk, function, u32::from(state == SupplyLock::Locked)).await?);
        }
    }
    together::make(desk, &changes).await?;
    Ok(build::done(Srv::UpdateDeviceConfigurationGasFlow)?)
}

/// Recording begins with the capture period; the meter ends it after four hours.
pub(super) async fn record(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let log = desk.object(Function::NetworkDataLog)?;
    desk.object(Function::NetworkDataSample)?;
    desk.set(cosem::numbered(&log, CAPTURE_PERIOD), Data::U32(SIX_MINUTES)).await?;
    let sample = desk.read(Function::NetworkDataSample).await?;
    let number = sample.as_i128().and_then(|number| u32::try_from(number).ok());
    let number = number.ok_or_else(|| Refusal::value(Function::NetworkDataSample, &sample))?;
    Ok(build::sample_recorded(number)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_put_into_a_register_exactly_or_not_at_all() {
        assert_eq!(rescaled(395, -1, -2), Some(3_950));
        assert_eq!(rescaled(5, 0, -4), Some(50_000));
        assert_eq!(rescaled(102_264, -5, -5), Some(102_264));
        assert_eq!(rescaled(102_264, -5, -3), None);
        assert_eq!(rescaled(102_000, -5, -3), Some(1_020));
        assert_eq!(rescaled(u32::MAX, 0, -1), None);
    }
}
