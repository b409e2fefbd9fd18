//! Profiles and logs (class 7).

use lab_config::{Particulars, ProfileColumn};
use proto_dlms::data::{CaptureObject, Data};

use super::super::encode::{column, never, rescaled, stamp, u32_of};
use super::super::role::Role;
use super::super::{Buffer, Shell, connection};
use crate::model::demand::Peak;
use crate::model::esme::{BillingRead, Channel, DailyRead, Esme, TermsRead};
use crate::model::profile::{Capture, PROFILE_ENTRIES, Profile};
use crate::model::tariff::{BLOCK_REGISTERS, REGISTERS};

/// Seconds of a day.
const DAY: u32 = 86_400;

pub(super) fn buffer(meter: &Esme, role: Role, shell: &Shell) -> Option<Buffer> {
    let logs = meter.logs();
    Some(match role {
        Role::Profile => half_hours(meter.profile(), [Role::IntervalImport, Role::ActiveImport], shell),
        Role::ExportProfile => {
            half_hours(logs.profile(Channel::Export), [Role::IntervalExport, Role::ActiveExport], shell)
        }
        Role::ReactiveProfile => reactive(meter, shell),
        Role::DailyLog => daily(meter, shell),
        Role::ExportDailyLog => daily_export(meter, shell),
        Role::BillingLog => billing(meter, shell),
        Role::TermsLog => terms(meter, shell),
        Role::VoltageProfile => voltage(meter, shell),
        role => return connection::buffer(&meter.connection, role, shell),
    })
}

/// The half-hourly profile: end of the half hour, what flowed in it, what the register then showed, in the order of
/// the Device Model.
pub(in super::super) fn half_hours(
    profile: &Profile,
    [interval, reading]: [Role; 2],
    shell: &Shell,
) -> Buffer {
    let usual = if reading == Role::GasVolume { -3 } else { 0 };
    let scaler = shell.directory.scaler(reading, usual);
    let order = shell.particulars().map_or(&[][..], Particulars::profile_columns);
    let value = |capture: &Capture, column: &ProfileColumn| match column {
        ProfileColumn::Time => stamp(capture.at, shell.sign),
        ProfileColumn::Interval => u32_of(capture.interval),
        ProfileColumn::Reading => u32_of(rescaled(capture.reading, usual, scaler)),
        ProfileColumn::Status => Data::U8(capture.status),
    };
    let row =
        |capture: &Capture| Data::Structure(order.iter().map(|column| value(capture, column)).collect());
    let object = |of: &ProfileColumn| match of {
        ProfileColumn::Time => time(shell),
        ProfileColumn::Interval => register(shell, interval),
        ProfileColumn::Reading => register(shell, reading),
        ProfileColumn::Status => column(1, shell.directory.name(Role::ProfileStatus), 2),
    };
    Buffer {
        columns: order.iter().map(object).collect(),
        rows: profile.all().map(row).collect(),
        capacity: PROFILE_ENTRIES,
        period: 1800,
    }
}

fn time(shell: &Shell) -> CaptureObject {
    column(8, shell.directory.name(Role::Clock), 2)
}

fn register(shell: &Shell, role: Role) -> CaptureObject {
    column(3, shell.directory.name(role), 2)
}

/// Reactive import and export of each half hour.
fn reactive(meter: &Esme, shell: &Shell) -> Buffer {
    let logs = meter.logs();
    let pairs = logs.profile(Channel::ReactiveImport).all().zip(logs.profile(Channel::ReactiveExport).all());
    let rows = pairs.map(|(import, export)| {
        Data::Structure(vec![stamp(import.at, shell.sign), u32_of(import.interval), u32_of(export.interval)])
    });
    Buffer {
        columns: vec![
            time(shell),
            register(shell, Role::IntervalReactiveImport),
            register(shell, Role::IntervalReactiveExport),
        ],
        rows: rows.collect(),
        capacity: PROFILE_ENTRIES,
        period: 1800,
    }
}

/// Time, import, and every tariff register and block.
fn read_columns(shell: &Shell) -> Vec<CaptureObject> {
    let count = |count: usize| 0..u8::try_from(count).unwrap_or_default();
    let tiers = count(REGISTERS).map(|tier| register(shell, Role::Tier(tier)));
    let blocks = count(BLOCK_REGISTERS).map(|block| register(shell, Role::Block(block)));
    [time(shell), register(shell, Role::ActiveImport)].into_iter().chain(tiers).chain(blocks).collect()
}

fn read_row(read: &DailyRead, shell: &Shell) -> Vec<Data> {
    let tier = |register| u32_of(read.tiers.get(register).copied().unwrap_or_default());
    let tiers = (0..REGISTERS).map(tier);
    let block = |block| u32_of(read.blocks.get(block).copied().unwrap_or_default());
    let blocks = (0..BLOCK_REGISTERS).map(block);
    [stamp(read.at, shell.sign), u32_of(read.import)].into_iter().chain(tiers).chain(blocks).collect()
}

fn daily(meter: &Esme, shell: &Shell) -> Buffer {
    let log = meter.logs().daily();
    let rows = log.all().map(|read| Data::Structure(read_row(read, shell))).collect();
    Buffer { columns: read_columns(shell), rows, capacity: log.depth(), period: DAY }
}

fn daily_export(meter: &Esme, shell: &Shell) -> Buffer {
    let log = meter.logs().daily();
    let row = |read: &DailyRead| Data::Structure(vec![stamp(read.at, shell.sign), u32_of(read.export)]);
    let columns = vec![time(shell), register(shell, Role::ActiveExport)];
    Buffer { columns, rows: log.all().map(row).collect(), capacity: log.depth(), period: DAY }
}

/// The registers, export, both largest demands with their times, and the balance, at the end of each period.
fn billing(meter: &Esme, shell: &Shell) -> Buffer {
    let log = meter.logs().billing();
    let watts = |peak: Option<Peak>| Data::U32(peak.map_or(0, |peak| peak.watts));
    let at = |peak: Option<Peak>| peak.map_or_else(never, |peak| stamp(peak.at, shell.sign));
    let row = |entry: &BillingRead| {
        let mut row = read_row(&entry.read, shell);
        row.extend([u32_of(entry.read.export), watts(entry.import_peak), at(entry.import_peak)]);
        row.extend([watts(entry.export_peak), at(entry.export_peak), Data::I32(entry.balance.to_i32())]);
        Data::Structure(row)
    };
    let mut columns = read_columns(shell);
    columns.push(register(shell, Role::ActiveExport));
    for role in [Role::PeakImport, Role::PeakExport] {
        let name = shell.directory.name(role);
        columns.extend([column(4, name, 2), column(4, name, 5)]);
    }
    columns.push(column(112, shell.directory.name(Role::Balance), 2));
    Buffer { columns, rows: log.all().map(row).collect(), capacity: log.depth(), period: 0 }
}

/// The registers and the balance when the payment mode or the prices changed.
fn terms(meter: &Esme, shell: &Shell) -> Buffer {
    let log = meter.terms().log();
    let row = |entry: &TermsRead| {
        let mut row = read_row(&entry.read, shell);
        row.push(Data::I32(entry.balance.to_i32()));
        Data::Structure(row)
    };
    let mut columns = read_columns(shell);
    columns.push(column(112, shell.directory.name(Role::Balance), 2));
    Buffer { columns, rows: log.all().map(row).collect(), capacity: log.depth(), period: 0 }
}

fn voltage(meter: &Esme, shell: &Shell) -> Buffer {
    let profile = meter.quality.profile();
    let rows = profile
        .all()
        .map(|average| Data::Structure(vec![stamp(average.at, shell.sign), Data::U16(average.decivolts)]));
    Buffer {
        columns: vec![time(shell), register(shell, Role::AverageVoltage)],
        rows: rows.collect(),
        capacity: profile.depth(),
        period: u32::from(meter.quality.period_minutes()) * 60,
    }
}
