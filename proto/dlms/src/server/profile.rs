//! Selective access to the buffer of a profile (IEC 62056-6-2, profile generic, attribute 2).

use std::cmp::Ordering;

use crate::data::{CaptureObject, Data, DataAccessResult, DeviationSign, Selective};

/// The part of a profile buffer a client asks for.
///
/// `rows` are the entries, oldest first, each a structure with a value for each of `columns`.
///
/// # Errors
/// What a meter answers: scope of access violated for a column the profile does not have or ends the wrong way
/// round, type unmatched for a range that cannot be compared with its column.
pub fn select(
    rows: &[Data],
    columns: &[CaptureObject],
    selective: Option<&Selective>,
) -> Result<Data, DataAccessResult> {
    match selective {
        None => Ok(Data::Array(rows.to_vec())),
        Some(Selective::Range { restricting, from, to, columns: wanted }) => {
            let restricting = position(columns, restricting)?;
            let wanted: Vec<usize> = match wanted.as_slice() {
                [] => (0..columns.len()).collect(),
                wanted => wanted.iter().map(|column| position(columns, column)).collect::<Result<_, _>>()?,
            };
            by_range(rows, restricting, from, to, &wanted)
        }
        Some(Selective::Entry { from, to, first_column, last_column }) => {
            let rows = numbered(rows.len(), (*from).into(), (*to).into())?.map(|row| &rows[row]);
            let wanted: Vec<usize> =
                numbered(columns.len(), (*first_column).into(), (*last_column).into())?.collect();
            rows.map(|row| project(row, &wanted)).collect::<Result<_, _>>().map(Data::Array)
        }
    }
}

fn position(columns: &[CaptureObject], wanted: &CaptureObject) -> Result<usize, DataAccessResult> {
    columns.iter().position(|column| column == wanted).ok_or(DataAccessResult::ScopeOfAccessViolated)
}

/// Positions from 0 for numbers from 1, both ends included, 0 as an end for the last, cut to what there is.
fn numbered(count: usize, from: u64, to: u64) -> Result<std::ops::Range<usize>, DataAccessResult> {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    let to = if to == 0 { count } else { to };
    if from == 0 || (from > to && to != count) {
        return Err(DataAccessResult::ScopeOfAccessViolated);
    }
    let end = usize::try_from(to.min(count)).unwrap_or(usize::MAX);
    Ok(usize::try_from(from - 1).unwrap_or(usize::MAX).min(end)..end)
}

fn by_range(
    rows: &[Data],
    restricting: usize,
    from: &Data,
    to: &Data,
    wanted: &[usize],
) -> Result<Data, DataAccessResult> {
    let mut selected = Vec::new();
    for row in rows {
        let value =
            row.elements().and_then(|row| row.get(restricting)).ok_or(DataAccessResult::HardwareFault)?;
        let low = compare(value, from).ok_or(DataAccessResult::TypeUnmatched)?;
        let high = compare(value, to).ok_or(DataAccessResult::TypeUnmatched)?;
        if low != Ordering::Less && high != Ordering::Greater {
            selected.push(project(row, wanted)?);
        }
    }
    Ok(Data::Array(selected))
}

fn project(row: &Data, wanted: &[usize]) -> Result<Data, DataAccessResult> {
    let row = row.elements().ok_or(DataAccessResult::HardwareFault)?;
    let values = wanted.iter().map(|column| row.get(*column).cloned().ok_or(DataAccessResult::HardwareFault));
    values.collect::<Result<_, _>>().map(Data::Structure)
}

/// Orders two values of one kind: numbers as numbers, times as moments, strings octet by octet.
fn compare(a: &Data, b: &Data) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (a.as_i128(), b.as_i128()) {
        return Some(a.cmp(&b));
    }
    let moment = |value: &Data| value.as_date_time().and_then(|time| time.to_unix(DeviationSign::Standard));
    if let (Some(a), Some(b)) = (moment(a), moment(b)) {
        return Some(a.cmp(&b));
    }
    Some(a.as_octets()?.cmp(b.as_octets()?))
}
