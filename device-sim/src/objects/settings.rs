//! Configuration held ready and put in force whole: scripts and schedules, ends of blocks, limits of the credit, the payment
//! mode; and the log of the account.

use proto_dlms::data::{ActionResult, Data, DataAccessResult, DateTime, DeviationSign};

use super::encode::{column, meter_time, stamp, u32_of};
use super::role::Role;
use super::{Buffer, Shell};
use crate::model::account::PaymentMode;
use crate::model::activation::{CreditSettings, ModeSettings, Part};
use crate::model::blocks::BlockEnds;
use crate::model::calendar::CalendarError;
use crate::model::connection::{AccountDay, Connection};
use crate::model::money::Millipence;
use crate::model::time::MeterTime;

type Read = Result<Data, DataAccessResult>;
const WRONG: DataAccessResult = DataAccessResult::TypeUnmatched;
const TOO_MUCH: DataAccessResult = DataAccessResult::ScopeOfAccessViolated;

pub(super) fn read(connection: &Connection, role: Role, attribute: i8, shell: &Shell) -> Read {
    match role {
        Role::ActivationScript => Ok(scripts()),
        Role::Activation(part) => schedule(connection, part, attribute, shell),
        Role::CreditSettings => Ok(credit(connection.credit_settings())),
        Role::PassiveCreditSettings => Ok(credit(connection.held_credit_settings())),
        Role::ModeSettings => Ok(mode(connection.mode_settings())),
        Role::PassiveModeSettings => Ok(mode(connection.held_mode_settings())),
        _ => Err(DataAccessResult::ObjectUnavailable),
    }
}

/// Script n puts part n in force.
fn scripts() -> Data {
    let script = |number: u16| Data::Structure(vec![Data::U16(number), Data::Array(Vec::new())]);
    Data::Array((1..).take(Part::ALL.len()).map(script).collect())
}

/// Method 1 of the script table. What does not fit together is refused: other reason.
pub(super) fn run(
    parameter: Option<&Data>,
    activate: impl FnOnce(Part) -> Result<(), CalendarError>,
) -> Result<(), ActionResult> {
    let script = parameter.and_then(Data::as_i128).ok_or(ActionResult::TypeUnmatched)?;
    let part = Part::of_script(script).ok_or(ActionResult::ScopeOfAccessViolated)?;
    activate(part).map_err(|_| ActionResult::OtherReason)
}

fn part(number: u8) -> Result<Part, DataAccessResult> {
    Part::ALL.get(usize::from(number)).copied().ok_or(DataAccessResult::ObjectUnavailable)
}

/// Class 22: the script of the part, once, at a time in UTC.
fn schedule(connection: &Connection, number: u8, attribute: i8, shell: &Shell) -> Read {
    Ok(match attribute {
        2 => {
            let table = shell.directory.name(Role::ActivationScript);
            Data::Structure(vec![Data::Octets(table.0.to_vec()), Data::U16(u16::from(number) + 1)])
        }
        3 => Data::Enum(1),
        4 => {
            let at = connection.activations.at(part(number)?);
            Data::Array(at.map(execution_time).into_iter().collect())
        }
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// Time and date apart, as class 22 has them.
fn execution_time(at: MeterTime) -> Data {
    let octets = DateTime::from_unix(at.millis().div_euclid(1000), 0).to_octets();
    let (date, rest) = octets.split_at(5);
    let time = rest.get(..4).unwrap_or_default();
    Data::Structure(vec![Data::Octets(time.to_vec()), Data::Octets(date.to_vec())])
}

/// Dates a part: one time, or none to take the date away. A tariff or calendar that could not be put in force is refused
/// when it is dated, and not when nobody looks any more.
pub(super) fn date(
    connection: &mut Connection,
    number: u8,
    value: &Data,
    check_tariff: impl FnOnce() -> Result<(), CalendarError>,
) -> Result<(), DataAccessResult> {
    let part = part(number)?;
    let at = match value.elements().ok_or(WRONG)? {
        [] => None,
        [only] => Some(time_of(only).ok_or(WRONG)?),
        _ => return Err(TOO_MUCH),
    };
    let fits = match part {
        _ if at.is_none() => Ok(()),
        Part::Tariff => check_tariff(),
        Part::Prepayment => connection.non_disablement.check_held(),
        Part::PaymentMode => Ok(()),
    };
    fits.map_err(|_| TOO_MUCH)?;
    connection.activations.date(part, at);
    Ok(())
}

fn time_of(entry: &Data) -> Option<MeterTime> {
    let [time, date] = entry.elements()? else { return None };
    let (time, date): ([u8; 4], [u8; 5]) =
        (time.as_octets()?.try_into().ok()?, date.as_octets()?.try_into().ok()?);
    // Deviation and status nought: the time is UTC.
    let octets = [&date[..], &time[..], &[0, 0, 0]].concat();
    meter_time(&Data::Octets(octets), DeviationSign::Standard)
}

/// Class 21: where the blocks of a set end but the last, in the unit of the register monitored.
pub(super) fn threshold(ends: Option<&BlockEnds>, attribute: i8, monitored: Role, shell: &Shell) -> Read {
    let ends = ends.ok_or(DataAccessResult::ObjectUnavailable)?;
    Ok(match attribute {
        2 => Data::Array(ends.as_slice().iter().map(|end| u32_of(*end)).collect()),
        3 => {
            let monitored = shell.directory.name(monitored);
            Data::Structure(vec![Data::U16(3), Data::Octets(monitored.0.to_vec()), Data::I8(2)])
        }
        // What passing one does, the next block, is the meter's own.
        4 => Data::Array(Vec::new()),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

pub(super) fn block_ends(value: &Data) -> Result<BlockEnds, DataAccessResult> {
    let end = |end: &Data| {
        let end = end.as_i128().ok_or(WRONG)?;
        u32::try_from(end).map(u64::from).map_err(|_| TOO_MUCH)
    };
    let ends = value.elements().ok_or(WRONG)?.iter().map(end).collect::<Result<_, _>>()?;
    BlockEnds::new(ends).map_err(|_| TOO_MUCH)
}

pub(super) fn taken(taken: bool) -> Result<(), DataAccessResult> {
    if taken { Ok(()) } else { Err(DataAccessResult::ObjectUnavailable) }
}

/// Debt recovery cap or nothing for none, emergency credit limit and threshold, low credit threshold, largest balance,
/// largest credit of a token.
fn credit(settings: CreditSettings) -> Data {
    let amount = |amount: Millipence| Data::I32(amount.to_i32());
    let limits = [
        settings.emergency_limit,
        settings.emergency_offer,
        settings.low_credit,
        settings.balance_limit,
        settings.token_limit,
    ];
    let cap = settings.weekly_cap.map_or(Data::Null, amount);
    Data::Structure(std::iter::once(cap).chain(limits.map(amount)).collect())
}

/// Mode, whether debts by time wait while disabled, and in emergency, and the disablement threshold.
fn mode(settings: ModeSettings) -> Data {
    let mode = match settings.mode {
        PaymentMode::Credit => 1,
        PaymentMode::Prepayment => 2,
    };
    Data::Structure(vec![
        Data::Enum(mode),
        Data::Boolean(settings.wait_when_disabled),
        Data::Boolean(settings.wait_in_emergency),
        Data::I32(settings.disablement.to_i32()),
    ])
}

/// Holds limits of the credit or a payment mode ready.
pub(super) fn hold(connection: &mut Connection, role: Role, value: &Data) -> Result<(), DataAccessResult> {
    let parts = value.elements().ok_or(WRONG)?;
    if role == Role::PassiveCreditSettings {
        let settings = credit_of(parts).ok_or(WRONG)?;
        connection.hold_credit_settings(settings.checked().map_err(|_| TOO_MUCH)?);
    } else {
        connection.hold_mode_settings(mode_of(parts).ok_or(WRONG)?);
    }
    Ok(())
}

fn amount(value: &Data) -> Option<Millipence> {
    value.as_i128().and_then(|amount| i32::try_from(amount).ok()).map(|amount| Millipence::new(amount.into()))
}

fn credit_of(parts: &[Data]) -> Option<CreditSettings> {
    let [cap, limits @ ..] = parts else { return None };
    let weekly_cap = if *cap == Data::Null { None } else { Some(amount(cap)?) };
    let limits: Vec<Millipence> = limits.iter().map(amount).collect::<Option<_>>()?;
    let [emergency_limit, emergency_offer, low_credit, balance_limit, token_limit] = limits[..] else {
        return None;
    };
    Some(CreditSettings {
        weekly_cap,
        emergency_limit,
        emergency_offer,
        low_credit,
        balance_limit,
        token_limit,
    })
}

fn mode_of(parts: &[Data]) -> Option<ModeSettings> {
    let [mode, Data::Boolean(wait_when_disabled), Data::Boolean(wait_in_emergency), disablement] = parts
    else {
        return None;
    };
    let mode = match mode.as_i128()? {
        1 => PaymentMode::Credit,
        2 => PaymentMode::Prepayment,
        _ => return None,
    };
    let (wait_when_disabled, wait_in_emergency) = (*wait_when_disabled, *wait_in_emergency);
    Some(ModeSettings { mode, wait_when_disabled, wait_in_emergency, disablement: amount(disablement)? })
}

/// The log of the account: midnight, balance, emergency credit left, what was owed in each debt.
pub(super) fn buffer(connection: &Connection, role: Role, shell: &Shell) -> Option<Buffer> {
    if role != Role::AccountDays {
        return None;
    }
    let log = connection.account_days();
    let amount = |amount: Millipence| Data::I32(amount.to_i32());
    let row = |day: &AccountDay| {
        let amounts = [day.balance, day.emergency].into_iter().chain(day.owed).map(amount);
        Data::Structure(std::iter::once(stamp(day.at, shell.sign)).chain(amounts).collect())
    };
    let of = |class, role, attribute| column(class, shell.directory.name(role), attribute);
    Some(Buffer {
        columns: vec![
            of(8, Role::Clock, 2),
            of(112, Role::Balance, 2),
            of(112, Role::EmergencyCredit, 2),
            of(113, Role::TimeDebt(0), 12),
            of(113, Role::TimeDebt(1), 12),
            of(113, Role::PaymentDebt, 12),
        ],
        rows: log.all().map(row).collect(),
        capacity: log.depth(),
        period: 86_400,
    })
}
