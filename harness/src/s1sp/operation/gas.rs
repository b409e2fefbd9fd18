//! 6.2.8, 6.6, 6.7 and 14.1: how a gas meter makes energy of volume, when a flow is uncontrolled, and its network data.

use lab_config::{Function, Object};
use proto_dlms::data::Data;
use proto_duis::body::{CalorificValue, ConversionFactor, GasFlowRate, SupplyLock, UncontrolledFlow};
use proto_duis::body::{UpdateGasConversion, UpdateGasFlow};
use proto_duis::mmc::build::{self, Decimal, GasSettings};
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
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

/// A register with the value it is to have, in its own power of ten.
struct Change {
    register: Object,
    value: u32,
    /// What it has now.
    before: u32,
}

impl Change {
    /// Nothing is rounded: what the register cannot hold exactly is refused.
    async fn planned(
        desk: &mut Desk,
        function: Function,
        (digits, scale): (u32, i8),
    ) -> Result<Change, Refusal> {
        let register = desk.object(function)?;
        let (before, unit) = desk.register(&register).await?;
        let before = u32::try_from(before).map_err(|_| Refusal::value(function, &before))?;
        let value = rescaled(digits, scale, unit.scaler).ok_or_else(|| {
            let asked = Decimal { mantissa: digits.into(), exponent: scale };
            let scaler = unit.scaler;
            Refusal::NotExpressible(format!(
                "{function} of {asked} cannot be held exactly at scaler {scaler}"
            ))
        })?;
        Ok(Change { register, value, before })
    }

    async fn put(&self, desk: &mut Desk, value: u32) -> Result<(), Refusal> {
        desk.set(cosem::attribute(&self.register), Data::U32(value)).await
    }
}

/// `digits` times ten to the power of `from`, in steps of ten to the power of `to`; none where that is not exact.
fn rescaled(digits: u32, from: i8, to: i8) -> Option<u32> {
    let power = 10u32.checked_pow((i32::from(from) - i32::from(to)).unsigned_abs())?;
    match from >= to {
        true => digits.checked_mul(power),
        false => digits.is_multiple_of(power).then_some(digits / power),
    }
}

/// Sets registers one after the other. Where the meter refuses one, those before it get their old values back: settings that
/// belong together are changed all of them or none.
async fn all_or_none(desk: &mut Desk, changes: &[Change]) -> Result<(), Refusal> {
    for (done, change) in changes.iter().enumerate() {
        if let Err(refused) = change.put(desk, change.value).await {
            for earlier in changes.iter().take(done) {
                earlier.put(desk, earlier.before).await?;
            }
            return Err(refused);
        }
    }
    Ok(())
}

pub(super) async fn set_conversion(
    desk: &mut Desk,
    update: &UpdateGasConversion,
) -> Result<MmcBody, Refusal> {
    let value = (update.calorific_value.last_digits(), -(CalorificValue::DIGITS as i8));
    let factor = (update.conversion_factor.last_digits(), -(ConversionFactor::DIGITS as i8));
    let changes = [
        Change::planned(desk, Function::CalorificValue, value).await?,
        Change::planned(desk, Function::ConversionFactor, factor).await?,
    ];
    all_or_none(desk, &changes).await?;
    Ok(build::done(Srv::UpdateDeviceConfigurationGasConversion)?)
}

pub(super) async fn set_flow(desk: &mut Desk, update: &UpdateGasFlow) -> Result<MmcBody, Refusal> {
    let rate = match &update.rate {
        UncontrolledFlow::Whole(rate) => (u32::from(*rate), 0),
        UncontrolledFlow::Decimal(rate) => (u32::from(rate.last_digits()), -(GasFlowRate::DIGITS as i8)),
    };
    let changes = [
        Change::planned(desk, Function::UncontrolledFlow, rate).await?,
        Change::planned(desk, Function::FlowStabilisation, (update.stabilisation.get().into(), 0)).await?,
        Change::planned(desk, Function::FlowMeasurement, (update.measurement.get().into(), 0)).await?,
    ];
    let locks = [
        lock(desk, Function::SupplyDepletionState, update.depletion)?,
        lock(desk, Function::SupplyTamperState, update.tamper)?,
    ];
    all_or_none(desk, &changes).await?;
    for (object, state) in locks.into_iter().flatten() {
        desk.set(cosem::attribute(&object), state).await?;
    }
    Ok(build::done(Srv::UpdateDeviceConfigurationGasFlow)?)
}

/// What an event does to the supply. A meter whose Device Model leaves its valve alone needs not be told to.
fn lock(desk: &Desk, function: Function, state: SupplyLock) -> Result<Option<(Object, Data)>, Refusal> {
    let state_number = Data::Enum(u8::from(state == SupplyLock::Locked));
    match (desk.object(function), state) {
        (Ok(object), _) => Ok(Some((object, state_number))),
        (Err(_), SupplyLock::Unchanged) => Ok(None),
        (Err(refusal), SupplyLock::Locked) => Err(refusal),
    }
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
