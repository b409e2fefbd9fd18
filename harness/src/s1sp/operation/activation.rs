//! Configuration held ready in a meter and put in force whole: by script (class 9) at once, or by a schedule of the meter's
//! own (class 22) at a time.

use jiff::Timestamp;
use lab_config::Function;
use proto_dlms::data::{Data, DateTime};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use crate::driver::cosem;

/// A part of the configuration that changes as one; its number is that of its script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Calendar, special days, ends of blocks, prices and standing charge.
    Tariff = 1,
    /// Limits of the credit and the non-disablement calendar.
    Prepayment = 2,
    /// How the customer pays, and what goes with it.
    PaymentMode = 3,
}

impl Part {
    const fn schedule(self) -> Function {
        match self {
            Part::Tariff => Function::TariffActivation,
            Part::Prepayment => Function::PrepaymentActivation,
            Part::PaymentMode => Function::PaymentModeActivation,
        }
    }
}

/// Refuses a Device Model that cannot put the part in force.
pub(super) fn must_be_modelled(desk: &Desk, part: Part) -> Result<(), Refusal> {
    desk.object(Function::ActivationScript)?;
    desk.object(part.schedule()).map(drop)
}

/// Puts what is held ready in force now, or leaves it to the meter to do so at `at`.
pub(super) async fn put_in_force(desk: &mut Desk, part: Part, at: Option<Timestamp>) -> Result<(), Refusal> {
    match at {
        Some(at) => {
            let schedule = desk.object(part.schedule())?;
            desk.set(cosem::attribute(&schedule), Data::Array(vec![execution_time(at)])).await
        }
        None => {
            let script = desk.object(Function::ActivationScript)?;
            desk.act(cosem::method(&script), Some(Data::U16(part as u16))).await.map(drop)
        }
    }
}

/// Time and date apart, in UTC, as class 22 has them.
fn execution_time(at: Timestamp) -> Data {
    let octets = DateTime::from_unix(at.as_second(), 0).to_octets();
    let (date, rest) = octets.split_at(5);
    let time = rest.get(..4).unwrap_or_default();
    Data::Structure(vec![Data::Octets(time.to_vec()), Data::Octets(date.to_vec())])
}
