//! The load limit (class 71), its settings held ready and its counter; and from which power on a load is medium and high.

use proto_dlms::data::{Data, DataAccessResult, DeviationSign};

use super::super::Shell;
use super::super::encode::{Unit, meter_time, scaler_unit, stamp, u32_of};
use super::super::role::Role;
use crate::model::esme::{Esme, LimitAction, Limiter};
use crate::model::power_level::PowerThresholds;
use crate::model::time::MeterTime;

const WRONG: DataAccessResult = DataAccessResult::TypeUnmatched;
const OUT_OF_RANGE: DataAccessResult = DataAccessResult::ScopeOfAccessViolated;

pub(super) fn read(meter: &Esme, role: Role, attribute: i8, shell: &Shell) -> Result<Data, DataAccessResult> {
    Ok(match (role, attribute) {
        (Role::Limiter, _) => return limiter(meter, attribute, shell),
        (Role::LimiterPassive, 2) => passive(meter, shell.sign),
        (Role::LimitCount, 2) => Data::U32(meter.limit.count()),
        (Role::LimitCount, 3) => scaler_unit(0, Unit::Count),
        (Role::PowerThresholds, 2) => Data::Array(meter.power_thresholds.watts().map(Data::U32).to_vec()),
        (Role::PowerThresholds, 3) => active_power(shell),
        // What passing one does, another colour at displays, is no script.
        (Role::PowerThresholds, 4) => Data::Array(Vec::new()),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

/// The active power, as what a monitor watches: class, name and attribute.
fn active_power(shell: &Shell) -> Data {
    let name = shell.directory.name(Role::ActivePower);
    Data::Structure(vec![Data::U16(3), Data::Octets(name.0.to_vec()), Data::I8(2)])
}

/// Class 71: the power monitored, the limit, how long more is borne, after how long the supply comes back by itself
/// (nought: only by keys), in seconds, and the script run when it is passed: 1 disables the supply, 0 does nothing.
fn limiter(meter: &Esme, attribute: i8, shell: &Shell) -> Result<Data, DataAccessResult> {
    let limiter = meter.limit.limiter();
    let name = || Data::Octets(shell.directory.name(Role::SupplyScript).0.to_vec());
    let script = |selector: u16| Data::Structure(vec![name(), Data::U16(selector)]);
    Ok(match attribute {
        2 => active_power(shell),
        3 | 4 => Data::U32(limiter.watts),
        6 => seconds(limiter.millis),
        7 => seconds(limiter.restoration.unwrap_or_default()),
        11 => Data::Structure(vec![script(selector(limiter.action)), script(0)]),
        _ => return Err(DataAccessResult::ReadWriteDenied),
    })
}

fn seconds(millis: i64) -> Data {
    u32_of(millis.unsigned_abs() / 1000)
}

/// The script run when the limit is passed.
fn selector(action: LimitAction) -> u16 {
    u16::from(action == LimitAction::Disable)
}

/// The settings held ready: limit, how long more is borne, restoration, selector of the script, and when they come into
/// force. An empty structure where none are.
fn passive(meter: &Esme, sign: DeviationSign) -> Data {
    let Some((limiter, at)) = meter.limit.passive() else { return Data::Structure(Vec::new()) };
    Data::Structure(vec![
        Data::U32(limiter.watts),
        seconds(limiter.millis),
        seconds(limiter.restoration.unwrap_or_default()),
        Data::U16(selector(limiter.action)),
        stamp(at, sign),
    ])
}

pub(super) fn write(
    meter: &mut Esme,
    role: Role,
    attribute: i8,
    value: &Data,
    sign: DeviationSign,
) -> Result<(), DataAccessResult> {
    match role {
        Role::Limiter => meter.limit.set(changed(meter.limit.limiter(), attribute, value)?),
        Role::LimiterPassive => meter.limit.hold(held(value, sign)?),
        _ => meter.power_thresholds = thresholds(value)?,
    }
    Ok(())
}

/// The settings with one of them changed.
fn changed(limiter: Limiter, attribute: i8, value: &Data) -> Result<Limiter, DataAccessResult> {
    let changed = match attribute {
        11 => Limiter { action: action(value)?, ..limiter },
        4 => Limiter { watts: number(value)?, ..limiter },
        6 => Limiter { millis: millis(value)?, ..limiter },
        _ => Limiter { restoration: restoration(value)?, ..limiter },
    };
    in_range(changed)
}

fn held(value: &Data, sign: DeviationSign) -> Result<Option<(Limiter, MeterTime)>, DataAccessResult> {
    let [watts, over, back, selector, at] = value.elements().ok_or(WRONG)? else {
        return if value.elements() == Some(&[]) { Ok(None) } else { Err(WRONG) };
    };
    let limiter = Limiter {
        watts: number(watts)?,
        millis: millis(over)?,
        restoration: restoration(back)?,
        action: selected(selector)?,
    };
    let at = meter_time(at, sign).ok_or(WRONG)?;
    Ok(Some((in_range(limiter)?, at)))
}

fn in_range(limiter: Limiter) -> Result<Limiter, DataAccessResult> {
    if limiter.is_in_range() { Ok(limiter) } else { Err(OUT_OF_RANGE) }
}

fn number(value: &Data) -> Result<u32, DataAccessResult> {
    u32::try_from(value.as_i128().ok_or(WRONG)?).map_err(|_| OUT_OF_RANGE)
}

fn millis(value: &Data) -> Result<i64, DataAccessResult> {
    Ok(i64::from(number(value)?) * 1000)
}

/// Nought is none: only keys bring the supply back.
fn restoration(value: &Data) -> Result<Option<i64>, DataAccessResult> {
    Ok(Some(millis(value)?).filter(|millis| *millis > 0))
}

/// The action when the limit is passed: of the structure of both, the selector of the first.
fn action(value: &Data) -> Result<LimitAction, DataAccessResult> {
    let [over, _] = value.elements().ok_or(WRONG)? else { return Err(WRONG) };
    let [_, selector] = over.elements().ok_or(WRONG)? else { return Err(WRONG) };
    selected(selector)
}

fn selected(selector: &Data) -> Result<LimitAction, DataAccessResult> {
    match selector.as_i128().ok_or(WRONG)? {
        0 => Ok(LimitAction::Unchanged),
        1 => Ok(LimitAction::Disable),
        _ => Err(OUT_OF_RANGE),
    }
}

/// Two thresholds in watts, rising.
fn thresholds(value: &Data) -> Result<PowerThresholds, DataAccessResult> {
    let [medium, high] = value.elements().ok_or(WRONG)? else { return Err(OUT_OF_RANGE) };
    PowerThresholds::new(number(medium)?, number(high)?).ok_or(OUT_OF_RANGE)
}
