//! 3.1, 3.2, 3.4, 3.5 and 9.1: what a meter holds for its customer, each a value of its own (class 1).

use lab_config::Function;
use proto_dlms::data::{Data, DateTime};
use proto_duis::body::{DisplayMessage, RestrictAccessForChangeOfTenancy, UpdateSupplierName};
use proto_duis::mmc::build;
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::together::{self, Change};
use crate::driver::cosem;

/// A customer identification number has four digits.
const NUMBERS: u32 = 10_000;

pub(super) async fn message(desk: &mut Desk, shown: &DisplayMessage) -> Result<MmcBody, Refusal> {
    put(desk, Function::SupplierMessage, text(shown.message.as_str())).await?;
    Ok(build::done(Srv::DisplayMessage)?)
}

pub(super) async fn restrict(
    desk: &mut Desk,
    change: &RestrictAccessForChangeOfTenancy,
) -> Result<MmcBody, Refusal> {
    let at = DateTime::from_unix(change.restriction.as_second(), 0).to_octets();
    put(desk, Function::AccessRestriction, Data::Octets(at.to_vec())).await?;
    Ok(build::done(Srv::RestrictAccessForChangeOfTenancy)?)
}

/// Name and number change together: half a supplier is worse than the old one.
pub(super) async fn supplier(desk: &mut Desk, supplier: &UpdateSupplierName) -> Result<MmcBody, Refusal> {
    let changes = [
        change(desk, Function::SupplierName, supplier.name.as_str()).await?,
        change(desk, Function::SupplierTelephone, supplier.telephone.as_str()).await?,
    ];
    together::make(desk, &changes).await?;
    Ok(build::done(Srv::UpdateSupplierName)?)
}

async fn change(desk: &mut Desk, function: Function, words: &str) -> Result<Change, Refusal> {
    let object = desk.object(function)?;
    Change::from_held(desk, cosem::attribute(&object), |_| Ok(text(words))).await
}

pub(super) async fn disable_pin(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    put(desk, Function::PrivacyPin, Data::Boolean(false)).await?;
    Ok(build::done(Srv::DisablePrivacyPIN)?)
}

/// The answer's form has no place for the number: it is shown at the meter, and the user is told it in an alert of the
/// S1SP ([`IDENTIFICATION_NUMBER`](crate::s1sp::IDENTIFICATION_NUMBER)).
pub(super) async fn identify(desk: &mut Desk) -> Result<MmcBody, Refusal> {
    let number = format!("{:04}", rand::random_range(0..NUMBERS));
    put(desk, Function::CustomerIdentificationNumber, text(&number)).await?;
    desk.tell_user(number);
    Ok(build::done(Srv::RequestCustomerIdentificationNumber)?)
}

fn text(words: &str) -> Data {
    Data::Octets(words.as_bytes().to_vec())
}

async fn put(desk: &mut Desk, function: Function, value: Data) -> Result<(), Refusal> {
    let object = desk.object(function)?;
    desk.set(cosem::attribute(&object), value).await
}
