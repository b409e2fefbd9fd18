//! Debts, their logs, and what holds disablement back.

use proto_dlms::data::{ActionResult, Data, DataAccessResult};

use super::directory::Spec;
use super::encode::{column, stamp, u32_of};
use super::role::Role;
use super::{Buffer, Shell, connection};
use crate::model::connection::{Connection, DebtEntry, TopUpEntry};
use crate::model::debt::{Debt, Debts, Every};
use crate::model::money::Millipence;

type Read = Result<Data, DataAccessResult>;
const WRONG: DataAccessResult = DataAccessResult::TypeUnmatched;
const TOO_MUCH: DataAccessResult = DataAccessResult::ScopeOfAccessViolated;

pub(super) fn read(connection: &Connection, role: Role, attribute: i8) -> Read {
    let debts = connection.account().debts();
    match role {
        Role::DebtBalance => {
            let owed = -debts.owed();
            connection::credit_attribute(attribute, 3, owed, Millipence::ZERO, Millipence::ZERO, 2)
        }
        Role::TimeDebt(which) => time_debt(connection, which, attribute),
        Role::PaymentDebt => payment_debt(debts, attribute),
        Role::DebtCap => Ok(debts.payment.weekly_cap.map_or(Data::Null, |cap| Data::I32(cap.to_i32()))),
        Role::SuspendDisablement => Ok(Data::Boolean(connection.disablement_suspended())),
        _ => Err(DataAccessResult::ObjectUnavailable),
    }
}

/// What was paid towards a debt so far, as far as the log remembers.
fn paid(connection: &Connection, debt: Debt) -> Millipence {
    let of = connection.debt_payments().all().filter(|entry| entry.debt == debt);
    of.fold(Millipence::ZERO, |sum, entry| sum + entry.amount)
}

/// Class 113, a charge by time: its rate, its period, and what is still owed.
fn time_debt(connection: &Connection, which: u8, attribute: i8) -> Read {
    let debts = connection.account().debts();
    let debt = debts.time.get(usize::from(which)).ok_or(DataAccessResult::ObjectUnavailable)?;
    let log = if which == 0 { Debt::Time1 } else { Debt::Time2 };
    Ok(match attribute {
        2 => Data::I32(paid(connection, log).to_i32()),
        3 => Data::Enum(1),
        4 => Data::U8(2 + which),
        8 => Data::U32(debt.every.seconds()),
        12 => Data::I32(debt.owed.to_i32()),
        13 => Data::U16(0),
        other => return connection::charge_attribute(other, &[debt.rate]),
    })
}

/// Class 113, a charge by payment: the share of each in hundredths of a percent, and what is still owed.
fn payment_debt(debts: &Debts, attribute: i8) -> Read {
    Ok(match attribute {
        3 => Data::Enum(2),
        4 => Data::U8(4),
        8 => Data::U32(0),
        12 => Data::I32(debts.payment.owed.to_i32()),
        13 => Data::U16(debts.payment.share),
        other => return connection::charge_attribute(other, &[Millipence::ZERO]),
    })
}

pub(super) fn write(
    connection: &mut Connection,
    spec: &Spec,
    attribute: i8,
    value: &Data,
) -> Result<(), DataAccessResult> {
    if spec.role == Role::SuspendDisablement {
        let Data::Boolean(suspended) = *value else { return Err(WRONG) };
        connection.suspend_disablement(suspended);
        return Ok(());
    }
    let mut debts = connection.account().debts().clone();
    match (spec.role, attribute) {
        (Role::TimeDebt(which), 5) => {
            let charges = connection::charges(value)?;
            let rate = charges.first().filter(|(_, rate)| *rate >= Millipence::ZERO).ok_or(TOO_MUCH)?.1;
            debts.time.get_mut(usize::from(which)).ok_or(TOO_MUCH)?.rate = rate;
        }
        (Role::TimeDebt(which), 8) => {
            let seconds = value.as_i128().ok_or(WRONG)?;
            let every = u32::try_from(seconds).ok().and_then(Every::of_seconds).ok_or(TOO_MUCH)?;
            debts.time.get_mut(usize::from(which)).ok_or(TOO_MUCH)?.every = every;
        }
        (Role::PaymentDebt, 13) => {
            let share = value.as_i128().ok_or(WRONG)?;
            debts.payment.share =
                u16::try_from(share).ok().filter(|share| *share <= 10_000).ok_or(TOO_MUCH)?;
        }
        (Role::DebtCap, 2) => debts.payment.weekly_cap = cap(value)?,
        _ => return Err(DataAccessResult::ReadWriteDenied),
    }
    connection.set_debts(debts);
    Ok(())
}

/// An amount, or nothing for no cap.
fn cap(value: &Data) -> Result<Option<Millipence>, DataAccessResult> {
    if *value == Data::Null {
        return Ok(None);
    }
    let cap = value.as_i128().ok_or(WRONG)?;
    Ok(Some(Millipence::new(u32::try_from(cap).map_err(|_| TOO_MUCH)?.into())))
}

/// Methods 4 and 5 of class 113: changes what is owed by an amount, or sets it.
pub(super) fn invoke(
    connection: &mut Connection,
    role: Role,
    method: i8,
    parameter: Option<&Data>,
) -> Result<(), ActionResult> {
    let amount = connection::amount(parameter)?;
    let mut debts = connection.account().debts().clone();
    let owed = match role {
        Role::TimeDebt(which) => debts.time.get_mut(usize::from(which)).map(|debt| &mut debt.owed),
        _ => Some(&mut debts.payment.owed),
    };
    let owed = owed.ok_or(ActionResult::ObjectUnavailable)?;
    let changed = if method == 4 { *owed + amount } else { amount };
    if changed < Millipence::ZERO {
        return Err(ActionResult::ScopeOfAccessViolated);
    }
    *owed = changed;
    connection.set_debts(debts);
    Ok(())
}

/// The logs of top-ups and of payments towards debts.
pub(super) fn buffer(connection: &Connection, role: Role, shell: &Shell) -> Option<Buffer> {
    let name = |role| shell.directory.name(role);
    let clock = column(8, name(Role::Clock), 2);
    match role {
        Role::CreditLog => {
            let log = connection.top_ups();
            let row = |entry: &TopUpEntry| {
                let amount = Data::I32(entry.amount.to_i32());
                Data::Structure(vec![stamp(entry.at, shell.sign), amount, u32_of(entry.sequence.into())])
            };
            let own = name(Role::CreditLog);
            let columns = vec![clock, column(7, own, -1), column(7, own, -2)];
            Some(Buffer { columns, rows: log.all().map(row).collect(), capacity: log.depth(), period: 0 })
        }
        Role::DebtLog => {
            let log = connection.debt_payments();
            let row = |entry: &DebtEntry| {
                let which = Data::Enum(match entry.debt {
                    Debt::Time1 => 1,
                    Debt::Time2 => 2,
                    Debt::Payment => 3,
                });
                Data::Structure(vec![stamp(entry.at, shell.sign), which, Data::I32(entry.amount.to_i32())])
            };
            let own = name(Role::DebtLog);
            let columns = vec![clock, column(7, own, -1), column(7, own, -2)];
            Some(Buffer { columns, rows: log.all().map(row).collect(), capacity: log.depth(), period: 0 })
        }
        _ => None,
    }
}
