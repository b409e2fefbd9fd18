//! Account, credit, charges, tokens and supply, for electricity and gas alike.

use proto_dlms::data::{ActionResult, BitString, Data, DataAccessResult, DeviationSign};

use super::directory::Spec;
use super::encode::{meter_time, stamp, text};
use super::role::Role;
use super::{Buffer, Shell, calendar, customer, debt, network, settings};
use crate::model::account::{Level, PaymentMode};
use crate::model::connection::{Connection, NoCredit, Passive};
use crate::model::money::Millipence;
use crate::model::time::MeterTime;

/// A charge on the wire counts hundredths of a penny: price scale -4 of a pound.
const PRICE_SCALE: i8 = -4;
const MILLIPENCE_PER_STEP: i64 = 10;

/// The scripts of the supply.
const DISABLE: i128 = 1;
const ARM: i128 = 2;
const ENABLE: i128 = 3;

pub(super) fn read(
    connection: &Connection,
    spec: &Spec,
    attribute: i8,
    shell: &Shell,
) -> Result<Data, DataAccessResult> {
    let sign = shell.sign;
    match spec.role {
        Role::Account => account(connection, attribute),
        Role::Balance => credit(connection, attribute, 0),
        Role::EmergencyCredit => emergency(connection, attribute),
        Role::Price | Role::StandingCharge => charge(connection, spec.role, attribute, sign),
        Role::TokenEntry => token(connection, attribute, sign),
        Role::SupplyState => {
            supply(connection.supply().is_on(), connection.supply().control_state(), attribute)
        }
        Role::OffReason => Ok(Data::Enum(connection.supply().reason_code())),
        Role::SupplyScript => Ok(scripts()),
        Role::TamperState => Ok(Data::Enum(u8::from(connection.tamper_locks()))),
        Role::BlockPrice => charge(connection, spec.role, attribute, sign),
        Role::NonDisablement => calendar::read(&connection.non_disablement, attribute, sign),
        Role::NonDisablementDays => Ok(calendar::special_days(connection.non_disablement.special_days())),
        Role::PassiveNonDisablementDays => {
            Ok(calendar::special_days(connection.non_disablement.held_special_days()))
        }
        Role::ActivationScript
        | Role::Activation(_)
        | Role::CreditSettings
        | Role::PassiveCreditSettings
        | Role::ModeSettings
        | Role::PassiveModeSettings => settings::read(connection, spec.role, attribute, shell),
        Role::NetworkControl => network::read(&connection.devices, attribute),
        role => match customer::read(&connection.customer, role, sign) {
            Some(value) => Ok(value),
            None => debt::read(connection, role, attribute),
        },
    }
}

pub(super) fn buffer(connection: &Connection, role: Role, shell: &Shell) -> Option<Buffer> {
    settings::buffer(connection, role, shell).or_else(|| debt::buffer(connection, role, shell))
}

/// Class 111.
fn account(connection: &Connection, attribute: i8) -> Result<Data, DataAccessResult> {
    let account = connection.account();
    let thresholds = account.thresholds();
    let owed = (-account.balance()).max(Millipence::ZERO);
    let bits =
        |level: Level| BitString::new(vec![level < Level::Exhausted, level >= Level::Low, false, false]);
    account_attribute(
        attribute,
        account.mode(),
        [account.available(), owed, thresholds.disablement, owed, thresholds.low_credit],
        bits(account.level()),
    )
}

/// Attributes of class 111. The amounts: available credit, amount to clear, clearance threshold, aggregated debt,
/// low credit threshold.
pub(super) fn account_attribute(
    attribute: i8,
    mode: PaymentMode,
    amounts: [Millipence; 5],
    status: BitString,
) -> Result<Data, DataAccessResult> {
    const ACTIVE: u8 = 2;
    let [available, to_clear, clearance, debt, low] = amounts.map(|amount| Data::I32(amount.to_i32()));
    let mode = match mode {
        PaymentMode::Credit => 1,
        PaymentMode::Prepayment => 2,
    };
    Ok(match attribute {
        2 => Data::Structure(vec![Data::Enum(mode), Data::Enum(ACTIVE)]),
        3 => Data::U8(1),
        4 => Data::BitString(status),
        5 => available,
        6 => to_clear,
        7 => clearance,
        8 => debt,
        // Thousandths of a penny: pounds to the power of -5.
        15 => Data::Structure(vec![Data::Utf8("GBP".into()), Data::I8(-5), Data::Enum(0)]),
        16 => low,
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// Class 112 for the token credit.
fn credit(connection: &Connection, attribute: i8, kind: u8) -> Result<Data, DataAccessResult> {
    let account = connection.account();
    let thresholds = account.thresholds();
    let in_use = if account.level() < Level::Exhausted { 2 } else { 4 };
    credit_attribute(
        attribute,
        kind,
        account.balance(),
        thresholds.low_credit,
        thresholds.disablement,
        in_use,
    )
}

fn emergency(connection: &Connection, attribute: i8) -> Result<Data, DataAccessResult> {
    let account = connection.account();
    let thresholds = account.thresholds();
    let status = match (account.emergency_taken(), account.emergency_offered()) {
        (true, _) => 2,
        (false, true) => 1,
        (false, false) => 0,
    };
    let left = account.emergency_left();
    match attribute {
        9 => Ok(Data::I32(thresholds.emergency_limit.to_i32())),
        10 => Ok(Data::I32(thresholds.emergency_offer.to_i32())),
        other => credit_attribute(other, 2, left, Millipence::ZERO, Millipence::ZERO, status),
    }
}

/// Attributes of class 112.
pub(super) fn credit_attribute(
    attribute: i8,
    kind: u8,
    amount: Millipence,
    warning: Millipence,
    limit: Millipence,
    status: u8,
) -> Result<Data, DataAccessResult> {
    Ok(match attribute {
        2 => Data::I32(amount.to_i32()),
        3 => Data::Enum(kind),
        4 => Data::U8(1 + kind),
        5 => Data::I32(warning.to_i32()),
        6 => Data::I32(limit.to_i32()),
        8 => Data::Enum(status),
        9 | 10 => Data::I32(0),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// Class 113: a price for each register, or the one of a day, in hundredths of a penny.
fn charge(
    connection: &Connection,
    role: Role,
    attribute: i8,
    sign: DeviationSign,
) -> Result<Data, DataAccessResult> {
    let (held, at) = held(connection, role);
    match attribute {
        6 => Ok(unit_charge(&held)),
        7 => Ok(at.map_or_else(|| Data::Octets(vec![0xff; 12]), |at| stamp(at, sign))),
        other => charge_attribute(other, &active(connection, role)),
    }
}

fn active(connection: &Connection, role: Role) -> Vec<Millipence> {
    let prices = connection.prices();
    match role {
        Role::Price => prices.unit.iter().take(connection.registers()).copied().collect(),
        Role::BlockPrice => prices.block.iter().take(connection.blocks()).copied().collect(),
        _ => vec![prices.standing],
    }
}

/// What is held ready and for when; where nothing is, what is in force.
fn held(connection: &Connection, role: Role) -> (Vec<Millipence>, Option<MeterTime>) {
    let held = match role {
        Role::Price => connection.passive_unit_prices().map(|passive| {
            (passive.value.iter().take(connection.registers()).copied().collect(), passive.at)
        }),
        Role::BlockPrice => connection
            .passive_block_prices()
            .map(|passive| (passive.value.iter().take(connection.blocks()).copied().collect(), passive.at)),
        _ => connection.passive_standing_charge().map(|passive| (vec![passive.value], passive.at)),
    };
    held.unwrap_or_else(|| (active(connection, role), None))
}

/// Attributes of class 113 that do not depend on what is held ready.
pub(super) fn charge_attribute(attribute: i8, prices: &[Millipence]) -> Result<Data, DataAccessResult> {
    Ok(match attribute {
        2 => Data::I32(0),
        3 => Data::Enum(if prices.len() > 1 { 0 } else { 1 }),
        4 => Data::U8(1),
        5 | 6 => unit_charge(prices),
        7 => Data::Octets(vec![0xff; 12]),
        8 => Data::U32(if prices.len() > 1 { 60 } else { 86_400 }),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

fn unit_charge(prices: &[Millipence]) -> Data {
    let element = |(index, price): (usize, &Millipence)| {
        let steps = i16::try_from(price.get() / MILLIPENCE_PER_STEP).unwrap_or(i16::MAX);
        let index = u8::try_from(index + 1).unwrap_or(u8::MAX);
        Data::Structure(vec![Data::Octets(vec![index]), Data::I16(steps)])
    };
    Data::Structure(vec![
        Data::Structure(vec![Data::I8(0), Data::I8(PRICE_SCALE)]),
        Data::Structure(vec![Data::U16(0), Data::Octets(vec![0; 6]), Data::I8(0)]),
        Data::Array(prices.iter().enumerate().map(element).collect()),
    ])
}

/// Class 115.
fn token(connection: &Connection, attribute: i8, sign: DeviationSign) -> Result<Data, DataAccessResult> {
    let last = connection.last_token();
    let words = last.map_or(String::new(), |(_, outcome)| match outcome {
        Ok(pence) => format!("accepted: {}", Millipence::pence(pence)),
        Err(refusal) => refusal.text().to_owned(),
    });
    let status = last.map_or(0, |(_, outcome)| outcome.map_or_else(|refusal| refusal.status(), |_| 3));
    Ok(match attribute {
        // The digits are not kept: they are as good as money.
        2 => Data::Octets(Vec::new()),
        3 => last.map_or_else(|| Data::Octets(vec![0xff; 12]), |(at, _)| stamp(at, sign)),
        4 => Data::Array(vec![text(&words)]),
        5 => Data::Enum(0),
        6 => Data::Structure(vec![Data::Enum(status), Data::BitString(BitString::new(Vec::new()))]),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// Attributes of class 70. Control mode 4: remote disconnection, reconnection by remote arming and local keys.
pub(super) fn supply(on: bool, state: u8, attribute: i8) -> Result<Data, DataAccessResult> {
    Ok(match attribute {
        2 => Data::Boolean(on),
        3 => Data::Enum(state),
        4 => Data::Enum(4),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// Attribute 2 of class 9: the ids of the scripts; what they do is the meter's own.
fn scripts() -> Data {
    let script = |id: u16| Data::Structure(vec![Data::U16(id), Data::Array(Vec::new())]);
    Data::Array([1, 2, 3].into_iter().map(script).collect())
}

pub(super) fn write(
    connection: &mut Connection,
    spec: &Spec,
    attribute: i8,
    value: &Data,
    sign: DeviationSign,
) -> Result<(), DataAccessResult> {
    if customer::is_of_customer(spec.role) {
        return customer::write(&mut connection.customer, &mut connection.core, spec.role, value, sign);
    }
    match (spec.role, attribute) {
        (Role::Account, 2) => {
            connection.set_mode(payment_mode(value).ok_or(DataAccessResult::TypeUnmatched)?);
            Ok(())
        }
        (Role::Price | Role::BlockPrice | Role::StandingCharge, 5 | 6) => {
            hold(connection, spec.role, charges(value)?)?;
            if attribute == 5 {
                activate(connection, spec.role);
            }
            Ok(())
        }
        (Role::Price | Role::BlockPrice | Role::StandingCharge, 7) => {
            date(connection, spec.role, value, sign)
        }
        (Role::TamperState, _) => {
            connection.set_tamper_locks(match value.as_i128() {
                Some(0) => false,
                Some(1) => true,
                Some(_) => return Err(DataAccessResult::ScopeOfAccessViolated),
                None => return Err(DataAccessResult::TypeUnmatched),
            });
            Ok(())
        }
        (Role::NonDisablement, _) => calendar::write(&mut connection.non_disablement, attribute, value, sign),
        (Role::PassiveNonDisablementDays, _) => {
            calendar::hold_special_days(&mut connection.non_disablement, value)
        }
        (Role::NonDisablementDays, _) => {
            let shown = connection.core.shown();
            calendar::write_special_days(&mut connection.non_disablement, value, shown)
        }
        (Role::PassiveCreditSettings | Role::PassiveModeSettings, _) => {
            settings::hold(connection, spec.role, value)
        }
        _ => debt::write(connection, spec, attribute, value),
    }
}

/// The mode alone, or with the account status, which only says what it is.
fn payment_mode(value: &Data) -> Option<PaymentMode> {
    let mode = value.elements().map_or(Some(value), <[Data]>::first)?;
    match mode.as_i128()? {
        1 => Some(PaymentMode::Credit),
        2 => Some(PaymentMode::Prepayment),
        _ => None,
    }
}

/// The charges of a unit charge structure, or of its charge table alone, by index.
pub(super) fn charges(value: &Data) -> Result<Vec<(usize, Millipence)>, DataAccessResult> {
    let wrong = DataAccessResult::TypeUnmatched;
    let table = match value {
        Data::Structure(parts) => parts.get(2).ok_or(wrong)?,
        table => table,
    };
    table.elements().ok_or(wrong)?.iter().map(|element| charge_element(element).ok_or(wrong)).collect()
}

fn charge_element(element: &Data) -> Option<(usize, Millipence)> {
    let [index, steps] = element.elements()? else { return None };
    let index = usize::from(*index.as_octets()?.first()?).checked_sub(1)?;
    let steps = i64::from(i16::try_from(steps.as_i128()?).ok()?);
    Some((index, Millipence::new(steps * MILLIPENCE_PER_STEP)))
}

/// Holds new charges ready beside what is held or in force already. Negative prices are refused.
fn hold(
    connection: &mut Connection,
    role: Role,
    charges: Vec<(usize, Millipence)>,
) -> Result<(), DataAccessResult> {
    let (mut values, at) = held(connection, role);
    for (index, price) in charges {
        let place = values.get_mut(index).filter(|_| price >= Millipence::ZERO);
        *place.ok_or(DataAccessResult::ScopeOfAccessViolated)? = price;
    }
    put(connection, role, &values, at)
}

fn put(
    connection: &mut Connection,
    role: Role,
    values: &[Millipence],
    at: Option<MeterTime>,
) -> Result<(), DataAccessResult> {
    let wrong = DataAccessResult::TypeUnmatched;
    match role {
        Role::Price => {
            let mut value = connection.prices().unit;
            value.iter_mut().zip(values).for_each(|(place, price)| *place = *price);
            connection.hold_unit_prices(Passive { value, at });
        }
        Role::BlockPrice => {
            let mut value = connection.prices().block;
            value.iter_mut().zip(values).for_each(|(place, price)| *place = *price);
            connection.hold_block_prices(Passive { value, at });
        }
        _ => {
            let value = values.first().copied().ok_or(wrong)?;
            connection.hold_standing_charge(Passive { value, at });
        }
    }
    Ok(())
}

fn activate(connection: &mut Connection, role: Role) -> bool {
    match role {
        Role::Price => connection.activate_unit_prices(),
        Role::BlockPrice => connection.activate_block_prices(),
        _ => connection.activate_standing_charge(),
    }
}

/// Dates the charges held ready. All octets FF take the date away.
fn date(
    connection: &mut Connection,
    role: Role,
    value: &Data,
    sign: DeviationSign,
) -> Result<(), DataAccessResult> {
    let never =
        value.as_octets().is_some_and(|octets| octets.len() == 12 && octets.iter().all(|o| *o == 0xff));
    let at = meter_time(value, sign);
    if at.is_none() && !never {
        return Err(DataAccessResult::TypeUnmatched);
    }
    let (values, _) = held(connection, role);
    put(connection, role, &values, at)
}

pub(super) fn invoke(
    connection: &mut Connection,
    spec: &Spec,
    method: i8,
    parameter: Option<&Data>,
) -> Result<(), ActionResult> {
    match (spec.role, method) {
        (Role::NetworkControl, _) => {
            network::invoke(&mut connection.devices, &mut connection.core, method, parameter)
        }
        (Role::Price | Role::BlockPrice | Role::StandingCharge, 1) => {
            let charges =
                parameter.and_then(|value| charges(value).ok()).ok_or(ActionResult::TypeUnmatched)?;
            hold(connection, spec.role, charges).map_err(|_| ActionResult::ScopeOfAccessViolated)
        }
        (Role::Price | Role::BlockPrice | Role::StandingCharge, 2) => done(activate(connection, spec.role)),
        (Role::Balance, 1) => {
            connection.adjust(amount(parameter)?);
            Ok(())
        }
        (Role::Balance, 2) => {
            let change = amount(parameter)? - connection.account().balance();
            connection.adjust(change);
            Ok(())
        }
        (Role::EmergencyCredit, 3) => done(connection.take_emergency()),
        (Role::TokenEntry, 1) => {
            let digits = parameter.and_then(Data::as_octets).ok_or(ActionResult::TypeUnmatched)?;
            connection.enter_token(digits).map(drop).map_err(|_| ActionResult::OtherReason)
        }
        (Role::SupplyState, 1) => run(connection, DISABLE),
        (Role::SupplyState, 2) => run(connection, ARM),
        (Role::SupplyScript, 1) => {
            run(connection, parameter.and_then(Data::as_i128).ok_or(ActionResult::TypeUnmatched)?)
        }
        (Role::TimeDebt(_) | Role::PaymentDebt, 4 | 5) => {
            debt::invoke(connection, spec.role, method, parameter)
        }
        (Role::NonDisablement, 1) => {
            let shown = connection.core.shown();
            calendar::activate(&mut connection.non_disablement, shown)
        }
        (Role::NonDisablementDays, 1 | 2) => {
            let shown = connection.core.shown();
            calendar::change_special_days(&mut connection.non_disablement, method, parameter, shown)
        }
        _ => Err(ActionResult::ReadWriteDenied),
    }
}

fn done(done: bool) -> Result<(), ActionResult> {
    if done { Ok(()) } else { Err(ActionResult::ObjectUnavailable) }
}

pub(super) fn amount(parameter: Option<&Data>) -> Result<Millipence, ActionResult> {
    let amount = parameter.and_then(Data::as_i128).ok_or(ActionResult::TypeUnmatched)?;
    i64::try_from(amount).map(Millipence::new).map_err(|_| ActionResult::ScopeOfAccessViolated)
}

/// Runs a script of the supply. Without credit the supply stays off: other reason.
fn run(connection: &mut Connection, script: i128) -> Result<(), ActionResult> {
    let no_credit = |_: NoCredit| ActionResult::OtherReason;
    match script {
        DISABLE => {
            connection.disable();
            Ok(())
        }
        ARM => connection.arm().map_err(no_credit),
        ENABLE => connection.enable().map_err(no_credit),
        _ => Err(ActionResult::ScopeOfAccessViolated),
    }
}
