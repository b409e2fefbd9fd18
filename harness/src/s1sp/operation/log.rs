//! 3.3, 6.13 and 8.9: logs, and the rows every buffer is made of.

use jiff::Timestamp;
use lab_config::Function;
use proto_dlms::data::{Data, DeviationSign, MethodRef};
use proto_duis::body::{ClearEventLog, EsmeEventLog};
use proto_duis::mmc::build::{self, LogEntry};
use proto_duis::{AlertCode, Eui64, LogToRead, MmcBody, ReadEventOrSecurityLog, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use crate::driver::{cosem, values};

/// Most entries an answer holds (MMC type `LogType`); the latest are given.
const ENTRIES: usize = 100;
/// Most characters of an entry's words (MMC type `EventCodeDescription`).
const WORDS: usize = 200;

pub(super) async fn events(desk: &mut Desk, read: &ReadEventOrSecurityLog) -> Result<MmcBody, Refusal> {
    let function = match read.log {
        LogToRead::Event | LogToRead::GsmeEvent => Function::EventLog,
        LogToRead::Security | LogToRead::GsmeSecurity => Function::SecurityLog,
        other => return Err(Refusal::NotExpressible(format!("the Device Model has no {other} log"))),
    };
    let object = desk.object(function)?;
    let data = desk.between(cosem::attribute(&object), read.period.start, read.period.end).await?;
    let entries = Rows::of(&data, desk.sign())?.map(|row| entry(&row));
    let entries: Vec<LogEntry> = entries.collect::<Result<_, _>>()?;
    let latest = &entries[entries.len().saturating_sub(ENTRIES)..];
    Ok(build::event_log(latest)?)
}

/// Clears the event log of the meter; the meter notes that it was cleared.
pub(super) async fn clear(desk: &mut Desk, clear: &ClearEventLog) -> Result<MmcBody, Refusal> {
    /// Method of a buffer (class 7): reset.
    const RESET: i8 = 1;
    if clear.log == Some(EsmeEventLog::Alcs) {
        return Err(Refusal::NotExpressible("the Device Model has no ALCS log".into()));
    }
    let method = MethodRef { method: RESET, ..cosem::method(&desk.object(Function::EventLog)?) };
    desk.act(method, Some(Data::I8(0))).await?;
    Ok(build::done(Srv::ClearEventLog)?)
}

fn entry(row: &Row<'_>) -> Result<LogEntry, Refusal> {
    let code = u16::try_from(row.number(1)?).map_err(|_| row.wrong())?;
    let words = row.octets(2).map(values::text)?;
    let meaning = words.chars().take(WORDS).collect();
    Ok(LogEntry { time: row.time()?, code: AlertCode(code), meaning })
}

/// The devices of the home area network, as the hub knows them, and when it last heard each.
pub(super) async fn devices(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let data = desk.read(Function::DeviceLog).await?;
    let contacts = Rows::of(&data, desk.sign())?.map(|row| {
        let eui64: [u8; 8] = row.octets(0)?.try_into().map_err(|_| row.wrong())?;
        Ok((Eui64::from(eui64), row.time_at(2)))
    });
    let contacts: Vec<_> = contacts.collect::<Result<_, Refusal>>()?;
    super::joining::keep_list(desk).await?;
    Ok(build::chf_device_log(&contacts)?)
}

/// The rows of a buffer, each a structure.
pub(super) struct Rows<'a> {
    rows: std::slice::Iter<'a, Data>,
    sign: DeviationSign,
}

impl<'a> Rows<'a> {
    pub(super) fn of(data: &'a Data, sign: DeviationSign) -> Result<Rows<'a>, Refusal> {
        let rows = data.elements().ok_or_else(|| Refusal::value("a buffer", data))?;
        Ok(Rows { rows: rows.iter(), sign })
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        self.rows.next().map(|data| Row { data, sign: self.sign })
    }
}

/// One row of a buffer.
pub(super) struct Row<'a> {
    data: &'a Data,
    sign: DeviationSign,
}

impl Row<'_> {
    /// The time in the first column.
    pub(super) fn time(&self) -> Result<Timestamp, Refusal> {
        self.time_at(0).ok_or_else(|| self.wrong())
    }

    /// The time in a column; none where it is none.
    fn time_at(&self, column: usize) -> Option<Timestamp> {
        let time = self.column(column)?.as_date_time()?;
        values::utc(time, self.sign)
    }

    pub(super) fn number(&self, column: usize) -> Result<i128, Refusal> {
        self.column(column).and_then(Data::as_i128).ok_or_else(|| self.wrong())
    }

    /// The number in the last column.
    pub(super) fn last_number(&self) -> Result<i128, Refusal> {
        let last = self.data.elements().and_then(|columns| columns.last()?.as_i128());
        last.ok_or_else(|| self.wrong())
    }

    fn octets(&self, column: usize) -> Result<&[u8], Refusal> {
        self.column(column).and_then(Data::as_octets).ok_or_else(|| self.wrong())
    }

    fn column(&self, column: usize) -> Option<&Data> {
        self.data.elements()?.get(column)
    }

    pub(super) fn wrong(&self) -> Refusal {
        Refusal::value("a row of a buffer", self.data)
    }
}
