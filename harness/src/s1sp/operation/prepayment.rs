//! 2.1 and 4.13: limits of the credit and the non-disablement calendar of a meter. Amounts are thousandths of a penny, as the
//! device has them.

use lab_config::Function;
use proto_dlms::data::Data;
use proto_duis::body::{PrepayConfiguration, UpdatePrepayConfiguration};
use proto_duis::mmc::build::{self, DebtRecovery, DebtRecoveryPeriod, Fuel, PrepaymentConfiguration};
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::activation::{self, Part};
use super::money::ModeSettings;
use super::non_disablement;
use super::price::{ACTIVE, UnitCharge};
use crate::driver::cosem;

/// Debt recovery cap, emergency credit limit and threshold, low credit threshold, largest balance, largest credit.
type Limits = [i64; 6];

/// 2.1: held ready, and put in force together.
pub(super) async fn update(desk: &mut Desk, update: &UpdatePrepayConfiguration) -> Result<MmcBody, Refusal> {
    let fuel = Fuel::of(desk.device.kind);
    let (limits, calendar) = match &update.configuration {
        PrepayConfiguration::Electricity(asked) if fuel == Fuel::Electricity => {
            let limits = [
                asked.debt_recovery_rate_cap.into(),
                asked.emergency_credit_limit.into(),
                asked.emergency_credit_threshold.into(),
                asked.low_credit_threshold.into(),
                asked.max_meter_balance.into(),
                asked.max_credit_threshold.into(),
            ];
            (limits, non_disablement::electricity(&asked.calendar)?)
        }
        PrepayConfiguration::Gas(asked) if fuel == Fuel::Gas => {
            let limits = [
                asked.debt_recovery_rate_cap.into(),
                asked.emergency_credit_limit.into(),
                asked.emergency_credit_threshold.into(),
                asked.low_credit_threshold.into(),
                asked.max_meter_balance.into(),
                asked.max_credit_threshold.into(),
            ];
            (limits, non_disablement::gas(&asked.calendar)?)
        }
        _ => return Err(Refusal::NotExpressible("the configuration is of the other fuel".into())),
    };
    let limits = limits_data(limits)?;
    // What the Device Model lacks is known before anything is written.
    let held = desk.object(Function::PrepaymentConfigurationPassive)?;
    activation::must_be_modelled(desk, Part::Prepayment)?;
    non_disablement::hold(desk, calendar).await?;
    desk.set(cosem::attribute(&held), limits).await?;
    activation::put_in_force(desk, Part::Prepayment, update.execution).await?;
    Ok(build::done(Srv::UpdatePrepayConfiguration)?)
}

fn limits_data(limits: Limits) -> Result<Data, Refusal> {
    let amount = |amount: i64| {
        let words = || format!("an amount of {amount} does not fit the meter's 32 bits");
        i32::try_from(amount).map(Data::I32).map_err(|_| Refusal::NotExpressible(words()))
    };
    Ok(Data::Structure(limits.into_iter().map(amount).collect::<Result<_, _>>()?))
}

/// 4.13.
pub(super) async fn read(desk: &mut Desk, fuel: Fuel) -> Result<MmcBody, Refusal> {
    let data = desk.read(Function::PrepaymentConfiguration).await?;
    let limits = limits_of(&data).ok_or_else(|| Refusal::value(Function::PrepaymentConfiguration, &data))?;
    let [cap, emergency_limit, emergency_threshold, low_credit, max_balance, max_credit] = limits;
    let mode = ModeSettings::read(desk).await?;
    let calendar = non_disablement::read(desk, fuel).await?;
    let configuration = PrepaymentConfiguration {
        debt_recovery_per_payment: share(desk).await?,
        debt_recovery_rate_cap: cap,
        disablement_threshold: Some(mode.disablement_threshold.into()),
        emergency_credit_limit: emergency_limit,
        emergency_credit_threshold: emergency_threshold,
        low_credit_threshold: low_credit,
        max_credit,
        max_balance,
        suspend_debt_disabled: Some(mode.suspend_debt_disabled),
        suspend_debt_emergency: Some(mode.suspend_debt_emergency),
        prepayment_mode: Some(mode.is_prepayment()),
        non_disablement: calendar.electricity,
        gas_calendar: calendar.gas,
        debt_recovery: [
            recovery(desk, Function::TimeDebt1, fuel).await?,
            recovery(desk, Function::TimeDebt2, fuel).await?,
        ],
    };
    Ok(build::prepayment_configuration(fuel, &configuration)?)
}

/// Each limit; a debt recovery cap that is none is left out.
fn limits_of(data: &Data) -> Option<[Option<i64>; 6]> {
    let limit = |limit: &Data| match limit {
        Data::Null => Some(None),
        limit => Some(Some(i64::try_from(limit.as_i128()?).ok()?)),
    };
    let limits: Vec<Option<i64>> = data.elements()?.iter().map(limit).collect::<Option<_>>()?;
    limits.try_into().ok()
}

/// The share of each payment that goes to the debt collected from payments, in hundredths of a per cent.
async fn share(desk: &mut Desk) -> Result<Option<i64>, Refusal> {
    /// The attribute of a charge that says which share of a payment it takes.
    const SHARE: i8 = 13;
    let Ok(debt) = desk.object(Function::PaymentDebt) else { return Ok(None) };
    let data = desk.get(cosem::numbered(&debt, SHARE), None).await?;
    let share = data.as_i128().and_then(|share| i64::try_from(share).ok());
    share.map(Some).ok_or_else(|| Refusal::value(Function::PaymentDebt, &data))
}

/// How a debt is collected over time; none where the Device Model has no such debt, or collects it by the week, for which
/// the answer has no word.
async fn recovery(desk: &mut Desk, function: Function, fuel: Fuel) -> Result<Option<DebtRecovery>, Refusal> {
    /// The attribute of a charge that says how many seconds lie between its collections.
    const PERIOD: i8 = 8;
    let Ok(debt) = desk.object(function) else { return Ok(None) };
    let charge = desk.get(cosem::numbered(&debt, ACTIVE), None).await?;
    let charge = UnitCharge::from_data(&charge).ok_or_else(|| Refusal::value(function, &charge))?;
    let seconds = desk.get(cosem::numbered(&debt, PERIOD), None).await?;
    let period = match seconds.as_i128() {
        Some(3_600) => DebtRecoveryPeriod::Hourly,
        Some(86_400) => DebtRecoveryPeriod::Daily,
        _ => return Ok(None),
    };
    let Some(rate) = charge.first() else { return Ok(None) };
    let scale = (fuel == Fuel::Electricity).then_some(charge.price_scale);
    Ok(Some(DebtRecovery { rate, scale, period }))
}
