//! Which events a device tells and logs: arrays of their codes (class 1).

use std::collections::BTreeSet;

use proto_dlms::data::{Data, DataAccessResult};

use super::role::Role;
use crate::model::journal::{Event, Journal};

/// The codes of events.
pub(super) fn codes(events: &BTreeSet<Event>) -> Data {
    Data::Array(events.iter().map(|event| Data::U16(event.code())).collect())
}

/// Sets up what the head end or the home area network is told, or what is not logged. A code that the device has no event
/// for is refused.
pub(super) fn set(journal: &mut Journal, role: Role, value: &Data) -> Result<(), DataAccessResult> {
    let codes = value.elements().ok_or(DataAccessResult::TypeUnmatched)?;
    let events = codes.iter().map(event).collect::<Result<_, _>>()?;
    match role {
        Role::HanAlerts => journal.set_han_alerted(events),
        Role::UnloggedEvents => journal.set_unlogged(events),
        _ => journal.set_alerted(events),
    }
    Ok(())
}

fn event(code: &Data) -> Result<Event, DataAccessResult> {
    let code = code.as_i128().and_then(|code| u16::try_from(code).ok());
    let code = code.ok_or(DataAccessResult::TypeUnmatched)?;
    Event::of_code(code).ok_or(DataAccessResult::ScopeOfAccessViolated)
}
