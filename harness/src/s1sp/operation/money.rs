//! 1.5, 1.6, 2.2, 2.5, 4.3, 4.18 and 6.2.9: payment mode, tokens, balances and emergency credit. Amounts are thousandths of a penny, as the device has them.

use jiff::Timestamp;
use lab_config::Function;
use proto_dlms::data::{Data, MethodRef};
use proto_duis::body::{BalanceChange, UpdateMeterBalance, UpdatePaymentMode};
use proto_duis::mmc::build::{self, Fuel, ModeOfPayment, PrepayValues};
use proto_duis::{MmcBody, PaymentMode, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::activation::{self, Part};
use crate::driver::{DriverErrorKind, ReachError, cosem, values};

/// Account modes of class 111, attribute 2.
const CREDIT: u8 = 1;
const PREPAYMENT: u8 = 2;
/// Methods of a credit (class 112): change it by an amount, set it to one, take it.
const UPDATE_AMOUNT: i8 = 1;
const SET_AMOUNT: i8 = 2;
const INVOKE_CREDIT: i8 = 3;
/// Attributes of the token gateway (class 115).
const TOKEN_DESCRIPTION: i8 = 4;
const TOKEN_STATUS: i8 = 6;

/// How the customer pays, and what goes with it.
pub(super) struct ModeSettings {
    mode: u8,
    pub(super) suspend_debt_disabled: bool,
    pub(super) suspend_debt_emergency: bool,
    pub(super) disablement_threshold: i32,
}

impl ModeSettings {
    pub(super) async fn read(desk: &mut Desk) -> Result<ModeSettings, Refusal> {
        let data = desk.read(Function::PaymentModeSettings).await?;
        ModeSettings::of(&data).ok_or_else(|| Refusal::value(Function::PaymentModeSettings, &data))
    }

    fn of(data: &Data) -> Option<ModeSettings> {
        let [mode, Data::Boolean(disabled), Data::Boolean(emergency), threshold] = data.elements()? else {
            return None;
        };
        Some(ModeSettings {
            mode: u8::try_from(mode.as_i128()?).ok()?,
            suspend_debt_disabled: *disabled,
            suspend_debt_emergency: *emergency,
            disablement_threshold: i32::try_from(threshold.as_i128()?).ok()?,
        })
    }

    fn data(&self) -> Data {
        Data::Structure(vec![
            Data::Enum(self.mode),
            Data::Boolean(self.suspend_debt_disabled),
            Data::Boolean(self.suspend_debt_emergency),
            Data::I32(self.disablement_threshold),
        ])
    }

    pub(super) fn is_prepayment(&self) -> bool {
        self.mode == PREPAYMENT
    }
}

/// 1.6: where the Device Model holds a mode ready with what goes with it, that is put in force whole, now or by the meter
/// at a time; else the account's mode is written, and nothing may go with it.
pub(super) async fn set_mode(
    desk: &mut Desk,
    update: &UpdatePaymentMode,
    now: Timestamp,
) -> Result<MmcBody, Refusal> {
    let later = update.execution.filter(|at| *at > now);
    match desk.object(Function::PaymentModeSettingsPassive) {
        Ok(held) => {
            activation::must_be_modelled(desk, Part::PaymentMode)?;
            let settings = settings(desk, update.mode).await?;
            desk.set(cosem::attribute(&held), settings.data()).await?;
            activation::put_in_force(desk, Part::PaymentMode, later).await?;
        }
        Err(_) if later.is_some() => {
            let words = "the Device Model has no schedule for a payment mode; ask on demand";
            return Err(Refusal::NotExpressible(words.to_owned()));
        }
        Err(_) => write_mode(desk, account_mode(update.mode)?).await?,
    }
    Ok(build::done(Srv::UpdatePaymentMode)?)
}

/// In credit mode what goes with prepayment stays as it is.
async fn settings(desk: &mut Desk, mode: PaymentMode) -> Result<ModeSettings, Refusal> {
    let held = ModeSettings::read(desk).await?;
    Ok(match mode {
        PaymentMode::Credit => ModeSettings { mode: CREDIT, ..held },
        PaymentMode::Prepayment { suspend_debt_disabled, suspend_debt_emergency, disablement_threshold } => {
            ModeSettings {
                mode: PREPAYMENT,
                suspend_debt_disabled,
                suspend_debt_emergency,
                disablement_threshold,
            }
        }
    })
}

async fn write_mode(desk: &mut Desk, mode: u8) -> Result<(), Refusal> {
    let object = desk.object(Function::Account)?;
    let attribute = cosem::attribute(&object);
    let held = desk.get(attribute, None).await?;
    let status = held.elements().and_then(|parts| parts.get(1)).cloned();
    let status = status.ok_or_else(|| Refusal::value(attribute, &held))?;
    desk.set(attribute, Data::Structure(vec![Data::Enum(mode), status])).await
}

/// What goes with prepayment mode has no object in this Device Model: it is refused rather than left out.
fn account_mode(mode: PaymentMode) -> Result<u8, Refusal> {
    let refused = |what| {
        let words = format!("the Device Model has no object for {what}; ask for its default");
        Err(Refusal::NotExpressible(words))
    };
    match mode {
        PaymentMode::Credit => Ok(CREDIT),
        PaymentMode::Prepayment { suspend_debt_disabled: true, .. } => refused("SuspendDebtDisabled"),
        PaymentMode::Prepayment { suspend_debt_emergency: true, .. } => refused("SuspendDebtEmergency"),
        PaymentMode::Prepayment { disablement_threshold: 0, .. } => Ok(PREPAYMENT),
        PaymentMode::Prepayment { .. } => refused("DisablementThreshold other than 0"),
    }
}

/// A meter has the balance of the mode it is in; that of the other is refused, and not changed unseen.
pub(super) async fn change_balance(desk: &mut Desk, change: &UpdateMeterBalance) -> Result<MmcBody, Refusal> {
    let (asked, change) = match change {
        UpdateMeterBalance::Credit(change) => (CREDIT, change),
        UpdateMeterBalance::Prepayment(change) => (PREPAYMENT, change),
    };
    let mode = mode(desk).await?;
    if mode != asked {
        let words = format!("the meter is in {} mode and has no other balance", mode_name(mode));
        return Err(Refusal::NotExpressible(words));
    }
    let (method, amount) = match change {
        BalanceChange::Adjust(amount) => (UPDATE_AMOUNT, *amount),
        BalanceChange::Reset(_) => (SET_AMOUNT, 0),
    };
    let method = MethodRef { method, ..cosem::method(&desk.object(Function::MeterBalance)?) };
    desk.act(method, Some(Data::I32(amount))).await?;
    Ok(build::done(Srv::UpdateMeterBalance)?)
}

/// The meter refuses where none is on offer.
pub(super) async fn take_emergency_credit(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let credit = desk.object(Function::EmergencyCredit)?;
    let method = MethodRef { method: INVOKE_CREDIT, ..cosem::method(&credit) };
    desk.act(method, Some(Data::I8(0))).await?;
    Ok(build::done(Srv::ActivateEmergencyCredit)?)
}

/// 6.2.9. Whether debts go on is left out where the Device Model names no object for it.
pub(super) async fn payment_mode(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let mode = match mode(desk).await? {
        CREDIT => ModeOfPayment::Credit,
        PREPAYMENT => ModeOfPayment::Prepayment,
        other => return Err(Refusal::value("the account mode", &other)),
    };
    let suspended = match desk.object(Function::PaymentModeSettings) {
        Ok(_) => Some(ModeSettings::read(desk).await?),
        Err(_) => None,
    };
    let emergency = suspended.as_ref().map(|settings| settings.suspend_debt_emergency);
    let disabled = suspended.as_ref().map(|settings| settings.suspend_debt_disabled);
    Ok(build::payment_mode(mode, emergency, disabled)?)
}

fn mode_name(mode: u8) -> &'static str {
    match mode {
        CREDIT => "credit",
        PREPAYMENT => "prepayment",
        _ => "another",
    }
}

pub(super) async fn top_up(desk: &mut Desk, digits: &str) -> Result<MmcBody, Refusal> {
    let object = desk.object(Function::TokenEntry)?;
    let entered = desk.act(cosem::method(&object), Some(Data::Octets(digits.as_bytes().to_vec()))).await;
    match entered {
        Ok(_) => Ok(build::done(Srv::TopUpDevice)?),
        Err(refused) if is_action_result(&refused) => Err(why_refused(desk, refused).await),
        Err(other) => Err(other),
    }
}

fn is_action_result(refusal: &Refusal) -> bool {
    let Refusal::Reach(ReachError::Driver(error)) = refusal else { return false };
    matches!(error.kind, DriverErrorKind::Action(_))
}

/// What the meter says of the token it just refused; its bare action result where it says nothing.
async fn why_refused(desk: &mut Desk, refused: Refusal) -> Refusal {
    let Ok(object) = desk.object(Function::TokenEntry) else { return refused };
    let status = desk.get(cosem::numbered(&object, TOKEN_STATUS), None).await;
    let status = status.ok().and_then(|data| data.elements()?.first()?.as_i128());
    let said = desk.get(cosem::numbered(&object, TOKEN_DESCRIPTION), None).await;
    let words = said.ok().and_then(|data| Some(values::text(data.elements()?.first()?.as_octets()?)));
    match (words, status) {
        (Some(words), Some(status)) => Refusal::Token(format!("{words} (token status {status})")),
        (Some(words), None) => Refusal::Token(words),
        _ => refused,
    }
}

pub(super) async fn prepay_values(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let meter_balance = Some(amount(desk, Function::MeterBalance).await?);
    let emergency_credit_balance = match desk.object(Function::EmergencyCredit) {
        Ok(_) => Some(amount(desk, Function::EmergencyCredit).await?),
        Err(_) => None,
    };
    let values = PrepayValues { meter_balance, emergency_credit_balance, ..PrepayValues::default() };
    Ok(build::prepay_values(values)?)
}

pub(super) async fn balance(desk: &mut Desk, fuel: Fuel) -> Result<MmcBody, Refusal> {
    let balance = amount(desk, Function::MeterBalance).await?;
    if fuel == Fuel::Gas && mode(desk).await? == PREPAYMENT {
        return Ok(build::meter_balance(None, Some(balance))?);
    }
    Ok(build::meter_balance(Some(balance), None)?)
}

async fn mode(desk: &mut Desk) -> Result<u8, Refusal> {
    let data = desk.read(Function::Account).await?;
    let mode = data.elements().and_then(|parts| parts.first()?.as_i128());
    mode.and_then(|mode| u8::try_from(mode).ok()).ok_or_else(|| Refusal::value(Function::Account, &data))
}

async fn amount(desk: &mut Desk, function: Function) -> Result<i64, Refusal> {
    let data = desk.read(function).await?;
    let amount = data.as_i128().and_then(|amount| i64::try_from(amount).ok());
    amount.ok_or_else(|| Refusal::value(function, &data))
}
