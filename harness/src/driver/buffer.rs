//! Buffers by time: the rows of a profile or log that lie within a period, whatever the meter knows of selective access.
//!
//! A Device Model whose meters give no buffer by range (quirk `no-selective-access-by-range`) is read whole, and the rows of
//! the period are picked out here: the same rows, at the price of a longer read.

use jiff::Timestamp;
use lab_config::{DlmsProfile, Function, Quirk};
use proto_dlms::data::{AttributeRef, CaptureObject, Data, DateTime, Selective};

use super::cosem;
use super::error::DriverError;
use super::session::Session;
use super::values;

/// The rows of `buffer` whose time, their first column, is from `from` to `to`.
///
/// # Errors
/// As [`Session::get`].
pub async fn between(
    session: &mut Session,
    profile: &DlmsProfile,
    buffer: AttributeRef,
    (from, to): (Timestamp, Timestamp),
) -> Result<Data, DriverError> {
    let clock = profile.object(Function::Clock).map(cosem::attribute);
    match clock.filter(|_| !profile.particulars.has(Quirk::NoSelectiveAccessByRange)) {
        Some(clock) => session.get(buffer, Some(range(clock, from, to))).await,
        None => {
            let whole = session.get(buffer, None).await?;
            Ok(within(whole, |time| values::utc(time, cosem::sign(profile)), from, to))
        }
    }
}

/// Moments are sent in UTC, deviation zero, which reads the same whichever way a meter counts the deviation.
fn range(clock: AttributeRef, from: Timestamp, to: Timestamp) -> Selective {
    let restricting = CaptureObject { class: clock.class, obis: clock.obis, attribute: 2, data_index: 0 };
    let moment = |at: Timestamp| Data::Octets(DateTime::from_unix(at.as_second(), 0).to_octets().to_vec());
    Selective::Range { restricting, from: moment(from), to: moment(to), columns: Vec::new() }
}

/// Rows without a time are left out: they lie in no period. What is no buffer stays as it is, for the reader to refuse.
fn within(data: Data, utc: impl Fn(DateTime) -> Option<Timestamp>, from: Timestamp, to: Timestamp) -> Data {
    let Data::Array(rows) = data else { return data };
    let inside = |row: &Data| {
        let time = row.elements().and_then(|columns| columns.first()?.as_date_time());
        time.and_then(&utc).is_some_and(|at| (from..=to).contains(&at))
    };
    Data::Array(rows.into_iter().filter(inside).collect())
}

#[cfg(test)]
mod tests {
    use proto_dlms::data::DeviationSign;

    use super::*;

    #[test]
    fn the_rows_of_a_period_are_picked_out_of_the_whole() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let row = |second: i64| {
            let time = DateTime::from_unix(second, 0).to_octets().to_vec();
            Data::Structure(vec![Data::Octets(time), Data::U32(1)])
        };
        let buffer = Data::Array(vec![row(1800), row(3600), row(5400), Data::Structure(vec![Data::Null])]);
        let picked = within(buffer, |time| values::utc(time, DeviationSign::Standard), at(1801), at(5400));
        assert_eq!(picked, Data::Array(vec![row(3600), row(5400)]));
        assert_eq!(within(Data::Null, |_| None, at(0), at(1)), Data::Null);
    }
}
