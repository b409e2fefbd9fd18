//! What a device holds for its customer: texts, the meter point, the change of tenancy, the privacy PIN (class 1).

use proto_dlms::data::{Data, DataAccessResult, DeviationSign};

use super::encode::{meter_time, never, stamp, text};
use super::role::Role;
use crate::model::core::Core;
use crate::model::customer::{Customer, CustomerRefusal, Text};
use crate::model::journal::Event;

const WRONG: DataAccessResult = DataAccessResult::TypeUnmatched;

/// The text a role is, with what the event log calls it.
fn text_of(role: Role) -> Option<(Text, &'static str)> {
    Some(match role {
        Role::SupplierMessage => (Text::Message, "supplier's message"),
        Role::SupplierName => (Text::SupplierName, "supplier's name"),
        Role::SupplierTelephone => (Text::SupplierTelephone, "supplier's telephone number"),
        Role::MeterPoint => (Text::MeterPoint, "meter point"),
        Role::ExportMeterPoint => (Text::ExportMeterPoint, "meter point of export"),
        Role::IdentificationNumber => (Text::IdentificationNumber, "customer identification number"),
        _ => return None,
    })
}

/// Whether a role is the customer's.
pub(super) fn is_of_customer(role: Role) -> bool {
    text_of(role).is_some() || matches!(role, Role::AccessRestriction | Role::PrivacyPin)
}

/// The value of a role that is the customer's.
pub(super) fn read(customer: &Customer, role: Role, sign: DeviationSign) -> Option<Data> {
    if let Some((of, _)) = text_of(role) {
        return Some(text(customer.text(of)));
    }
    match role {
        Role::AccessRestriction => Some(customer.restricted().map_or_else(never, |at| stamp(at, sign))),
        Role::PrivacyPin => Some(Data::Boolean(customer.has_pin())),
        _ => None,
    }
}

/// Writes one; what was done is logged.
pub(super) fn write(
    customer: &mut Customer,
    core: &mut Core,
    role: Role,
    value: &Data,
    sign: DeviationSign,
) -> Result<(), DataAccessResult> {
    let (done, words) = match (role, text_of(role)) {
        (_, Some((of, name))) => {
            let octets = value.as_octets().ok_or(WRONG)?;
            let words = std::str::from_utf8(octets).map_err(|_| WRONG)?;
            (customer.set_text(of, words), format!("{name} set"))
        }
        (Role::AccessRestriction, None) => {
            let change = meter_time(value, sign).ok_or(WRONG)?;
            (customer.restrict(change, core.shown()), format!("nothing shown before {}", change.timestamp()))
        }
        (_, None) => {
            let Data::Boolean(pin) = *value else { return Err(WRONG) };
            (customer.command_pin(pin), "privacy PIN disabled".to_owned())
        }
    };
    done.map_err(result)?;
    core.log(Event::CommandDone, words);
    Ok(())
}

fn result(refusal: CustomerRefusal) -> DataAccessResult {
    match refusal {
        CustomerRefusal::NotSuch | CustomerRefusal::NotYet => DataAccessResult::ScopeOfAccessViolated,
        CustomerRefusal::AtTheMeter => DataAccessResult::ReadWriteDenied,
    }
}

/// One of two: nought or one, as an enumeration.
pub(super) fn choice(value: &Data) -> Result<bool, DataAccessResult> {
    match value.as_i128().ok_or(WRONG)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DataAccessResult::ScopeOfAccessViolated),
    }
}
