//! Reading one object over any link: the verb `read LINK CLASS OBIS ATTRIBUTE [--repeat N]`.

use std::fmt;
use std::time::Duration;

use lab_config::LinkUrl;
use proto_dlms::data::{AttributeRef, ClassId, Data, DeviationSign};
use tokio::time::Instant;

use super::access::{Access, Deadlines};
use super::error::DriverError;
use super::session::Session;
use super::values::{self, Reading, ScalerUnit};
use crate::link::{SharedTap, Traffic};

/// Most round trips of one `--repeat`.
pub const MOST_REPEATS: u32 = 1_000_000;

/// The answer to `read`.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadOut {
    /// What was read.
    pub attribute: AttributeRef,
    /// As it came.
    pub data: Data,
    /// As people see it.
    pub reading: Reading,
    /// How it went on the link: the repeated reads where there were any, else the one.
    pub pace: Pace,
}

/// How fast repeated reads went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Round trips made.
    pub round_trips: u32,
    /// In this time, association and release not counted.
    pub time: Duration,
    /// What they moved over the link.
    pub traffic: Option<Traffic>,
}

impl Pace {
    /// Round trips per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        f64::from(self.round_trips) / self.time.as_secs_f64().max(f64::EPSILON)
    }

    /// The share of the time in which octets were on the serial line, from 0 to 1; none on links without one.
    #[must_use]
    pub fn line_use(&self) -> Option<f64> {
        let on_wire = self.traffic?.on_wire?;
        Some(on_wire.as_secs_f64() / self.time.as_secs_f64().max(f64::EPSILON))
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, time) = (self.round_trips, self.time.as_secs_f64());
        write!(f, "{count} round trips in {time:.2} s: {:.0} per second", self.per_second())?;
        let Some(traffic) = self.traffic else { return Ok(()) };
        write!(f, "; {} octets sent, {} received", traffic.sent, traffic.received)?;
        match (traffic.on_wire, self.line_use()) {
            (Some(on_wire), Some(used)) => {
                let on_wire = on_wire.as_secs_f64();
                write!(f, ", {on_wire:.2} s on the wire: line use {:.1} %", used * 100.0)
            }
            _ => Ok(()),
        }
    }
}

/// Reads `attribute` at `url`; `repeat` times more than nothing, at most [`MOST_REPEATS`]. A register's value is scaled
/// by its scaler and unit, which costs one more read.
///
/// # Errors
/// Whatever stands between the harness and the value.
pub async fn read(
    name: &str,
    url: &LinkUrl,
    access: Access,
    attribute: AttributeRef,
    repeat: u32,
    tap: SharedTap,
) -> Result<ReadOut, DriverError> {
    let mut session = Session::open(name, url, access, Deadlines::of(url), tap).await?;
    let result = read_in(&mut session, attribute, repeat).await;
    session.close().await;
    result
}

async fn read_in(
    session: &mut Session,
    attribute: AttributeRef,
    repeat: u32,
) -> Result<ReadOut, DriverError> {
    let (data, once) = measured(session, attribute, 1).await?;
    let scaler = scaler_unit(session, attribute).await?;
    let pace = match repeat.min(MOST_REPEATS) {
        0 | 1 => once,
        times => measured(session, attribute, times).await?.1,
    };
    let reading = values::reading(&data, attribute.class, scaler, DeviationSign::Standard);
    Ok(ReadOut { attribute, data, reading, pace })
}

/// Reads so many times; the last value.
async fn measured(
    session: &mut Session,
    attribute: AttributeRef,
    times: u32,
) -> Result<(Data, Pace), DriverError> {
    let (begun, before) = (Instant::now(), session.traffic());
    for _ in 1..times {
        session.get(attribute, None).await?;
    }
    let data = session.get(attribute, None).await?;
    let time = begun.elapsed();
    let traffic = session.traffic().zip(before).map(|(after, before)| after.since(before));
    Ok((data, Pace { round_trips: times, time, traffic }))
}

/// The scaler and unit that belong to the value attribute of a register (class 3 or 4); none for anything else, or where
/// the device does not let this client read them.
///
/// # Errors
/// Anything but a refusal by the device.
pub async fn scaler_unit(
    session: &mut Session,
    attribute: AttributeRef,
) -> Result<Option<ScalerUnit>, DriverError> {
    if !matches!(attribute.class, ClassId(3 | 4)) || attribute.attribute != 2 {
        return Ok(None);
    }
    match session.get(AttributeRef { attribute: 3, ..attribute }, None).await {
        Ok(data) => Ok(ScalerUnit::from_data(&data)),
        Err(error) if error.breaks_session() => Err(error),
        Err(_) => Ok(None),
    }
}
