//! 2.3: debts and how they are collected, which a meter keeps as charges (class 113).

use lab_config::{Function, Object};
use proto_dlms::data::{Data, MethodRef};
use proto_duis::body::{DebtRecovery, RecoveryPeriod, UpdateDebt};
use proto_duis::mmc::build;
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::price::{ACTIVE, UnitCharge, inexact, rescaled};
use crate::driver::cosem;

/// Attributes and method of a charge: its period in seconds, the share of a payment it takes in hundredths of a per cent,
/// and a change of what is owed.
const PERIOD: i8 = 8;
const SHARE: i8 = 13;
const UPDATE_TOTAL: i8 = 4;

/// How one debt is collected over time, in the request's terms.
struct Terms {
    rate: i64,
    /// The power of ten of the rate, in pounds; the meter's own where there is none.
    scale: Option<i8>,
    period: RecoveryPeriod,
}

fn terms(recovery: &DebtRecovery) -> [Terms; 2] {
    match recovery {
        DebtRecovery::Electricity(first, second) => [first, second].map(|terms| Terms {
            rate: terms.rate.into(),
            scale: Some(terms.price_scale),
            period: terms.period,
        }),
        DebtRecovery::Gas(first, second) => {
            [first, second].map(|terms| Terms { rate: terms.rate.into(), scale: None, period: terms.period })
        }
    }
}

/// One debt as the meter will be told of it.
struct Planned {
    debt: Object,
    rate: Data,
    seconds: u32,
    change: i32,
}

/// What cannot be expressed is refused before anything is changed. The meter has no way to change all its debts in one
/// step: should it refuse one of them, the answer's reason names it, and those before it are changed.
pub(super) async fn update(desk: &mut Desk, update: &UpdateDebt) -> Result<MmcBody, Refusal> {
    let payment = desk.object(Function::PaymentDebt)?;
    let debts = [(Function::TimeDebt1, update.time_debt_1), (Function::TimeDebt2, update.time_debt_2)];
    let mut planned = Vec::new();
    for ((function, change), terms) in debts.into_iter().zip(terms(&update.recovery)) {
        planned.push(plan(desk, function, &terms, change).await?);
    }
    for Planned { debt, rate, seconds, change } in planned {
        desk.set(cosem::numbered(&debt, ACTIVE), rate).await?;
        desk.set(cosem::numbered(&debt, PERIOD), Data::U32(seconds)).await?;
        owe(desk, &debt, change).await?;
    }
    desk.set(cosem::numbered(&payment, SHARE), Data::U16(update.per_payment.get())).await?;
    owe(desk, &payment, update.payment_debt).await?;
    Ok(build::done(Srv::UpdateDebt)?)
}

async fn plan(desk: &mut Desk, function: Function, terms: &Terms, change: i32) -> Result<Planned, Refusal> {
    let debt = desk.object(function)?;
    let data = desk.get(cosem::numbered(&debt, ACTIVE), None).await?;
    let held = UnitCharge::from_data(&data).ok_or_else(|| Refusal::value(function, &data))?;
    let scale = terms.scale.unwrap_or(held.price_scale);
    let rate = rescaled(terms.rate, scale, held.price_scale);
    let rate = rate.ok_or_else(|| inexact(terms.rate, scale, held.price_scale))?;
    let seconds = match terms.period {
        RecoveryPeriod::Hourly => 3_600,
        RecoveryPeriod::Daily => 86_400,
    };
    Ok(Planned { debt, rate: held.with(&[(1, rate)]), seconds, change })
}

async fn owe(desk: &mut Desk, debt: &Object, change: i32) -> Result<(), Refusal> {
    let method = MethodRef { method: UPDATE_TOTAL, ..cosem::method(debt) };
    desk.act(method, Some(Data::I32(change))).await.map(drop)
}
