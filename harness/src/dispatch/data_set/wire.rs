//! What of a test data set can be written to a real device: payment mode, unit prices, standing charge.
//!
//! The rest of it (registers, logs, balances, a past) no meter lets anybody write: a person prepares the device, and the
//! checks find out. What a device refuses to have written is left to that person too.

use lab_config::contents::{Load, Millipence, Tariff};
use lab_config::{DlmsProfile, Function, Object, Path, PaymentMode, RigDevice};
use proto_dlms::data::{Data, MethodRef};

use super::PATIENCE;
use crate::driver::{Client, DriverError, RigLinks, Session, cosem, rig};

/// The paths a device is written by, the most direct first.
const PATHS: [Path; 3] = [Path::Optical, Path::Local, Path::Wan];
/// Attributes and method of a charge (class 113): in force, held ready, and putting in force what is held ready.
const ACTIVE: i8 = 5;
const PASSIVE: i8 = 6;
const ACTIVATE: i8 = 2;

/// Writes what can be written; what was.
///
/// # Errors
/// The device cannot be reached, or a write was left in doubt.
pub(super) async fn put(
    links: &RigLinks,
    device: &RigDevice,
    load: &Load,
) -> Result<Vec<&'static str>, String> {
    let (tariff, mode) = wanted(load);
    if tariff.is_none() && mode.is_none() {
        return Ok(Vec::new());
    }
    let profile = rig::profile(device).map_err(|error| error.to_string())?;
    let routed = |path: &Path| links.rig().route(device.kind, *path).is_some();
    let path = PATHS.into_iter().find(routed).ok_or_else(|| format!("the {} has no path", device.kind))?;
    let writing = async {
        let session = links.open(device, path, Client::Management).await;
        let mut session = session.map_err(|error| error.to_string())?;
        let written = write(&mut session, profile, tariff, mode).await;
        session.close().await;
        written
    };
    let late = |_| format!("the {} was not written in {PATIENCE:?}", device.kind);
    tokio::time::timeout(PATIENCE, writing).await.map_err(late)?
}

fn wanted(load: &Load) -> (Option<&Tariff>, Option<PaymentMode>) {
    use lab_config::contents::Contents;
    let tariff = match &load.contents {
        Contents::Electricity(meter) => meter.tariff.as_ref(),
        Contents::Gas(meter) => meter.tariff.as_ref(),
        Contents::Network(_) | Contents::Mirror => None,
    };
    (tariff, load.customer().and_then(|customer| customer.mode))
}

async fn write(
    session: &mut Session,
    profile: &DlmsProfile,
    tariff: Option<&Tariff>,
    mode: Option<PaymentMode>,
) -> Result<Vec<&'static str>, String> {
    let mut written = Vec::new();
    if let Some((mode, object)) = mode.zip(profile.object(Function::Account)) {
        let outcome = payment_mode(session, object, mode).await;
        written.extend(taken(outcome)?.then_some("payment mode"));
    }
    let Some(tariff) = tariff else { return Ok(written) };
    let standing: Vec<Millipence> = tariff.standing.into_iter().collect();
    let charges = [
        ("prices by tariff", Function::Price, &tariff.prices),
        ("prices by block", Function::BlockPrice, &tariff.block_prices),
        ("standing charge", Function::StandingCharge, &standing),
    ];
    for (what, function, prices) in charges {
        let Some(object) = profile.object(function).filter(|_| !prices.is_empty()) else { continue };
        let outcome = charge(session, object, prices).await;
        written.extend(taken(outcome)?.then_some(what));
    }
    Ok(written)
}

/// Whether the device took what was written. A refusal is its answer; anything else is none.
fn taken(outcome: Result<bool, DriverError>) -> Result<bool, String> {
    match outcome {
        Ok(taken) => Ok(taken),
        Err(refused) if !refused.breaks_session() => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// The mode with the account status as the device gives it.
async fn payment_mode(
    session: &mut Session,
    object: &Object,
    mode: PaymentMode,
) -> Result<bool, DriverError> {
    let attribute = cosem::attribute(object);
    let held = session.get(attribute, None).await?;
    let Some([_, status]) = held.elements() else { return Ok(false) };
    let mode = Data::Enum(match mode {
        PaymentMode::Credit => 1,
        PaymentMode::Prepayment => 2,
    });
    session.set(attribute, Data::Structure(vec![mode, status.clone()])).await.map(|()| true)
}

/// The prices in the meter's own scale, held ready and put in force.
async fn charge(session: &mut Session, object: &Object, prices: &[Millipence]) -> Result<bool, DriverError> {
    let held = session.get(cosem::numbered(object, ACTIVE), None).await?;
    let Some(charge) = with_prices(&held, prices) else { return Ok(false) };
    session.set(cosem::numbered(object, PASSIVE), charge).await?;
    let activate = MethodRef { method: ACTIVATE, ..cosem::method(object) };
    session.act(activate, Some(Data::I8(0))).await.map(|_| true)
}

/// A unit charge structure with these prices; none, where the meter's scale cannot hold them exactly.
fn with_prices(held: &Data, prices: &[Millipence]) -> Option<Data> {
    let [scaling, commodity, _] = held.elements()? else { return None };
    let scale = i8::try_from(scaling.elements()?.get(1)?.as_i128()?).ok()?;
    let element = |(index, price): (u8, &Millipence)| {
        Some(Data::Structure(vec![Data::Octets(vec![index]), Data::I16(steps(*price, scale)?)]))
    };
    let table = (1..=u8::MAX).zip(prices).map(element).collect::<Option<_>>()?;
    Some(Data::Structure(vec![scaling.clone(), commodity.clone(), Data::Array(table)]))
}

/// A price in pounds to the power of ten `scale`; a thousandth of a penny is 10^-5 pounds.
fn steps(price: Millipence, scale: i8) -> Option<i16> {
    let above = u32::try_from(i32::from(scale) + 5).ok()?;
    let unit = 10i64.checked_pow(above)?;
    i16::try_from((price.0 % unit == 0).then_some(price.0 / unit)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(scale: i8) -> Data {
        Data::Structure(vec![
            Data::Structure(vec![Data::I8(0), Data::I8(scale)]),
            Data::Structure(vec![Data::U16(0), Data::Octets(vec![0; 6]), Data::I8(0)]),
            Data::Array(Vec::new()),
        ])
    }

    #[test]
    fn prices_are_written_exactly_in_the_scale_of_the_meter_or_not_at_all() {
        let prices = [Millipence(27_500), Millipence(9_800)];
        let written = with_prices(&held(-4), &prices).expect("hundredths of a penny");
        let table =
            written.elements().and_then(|parts| parts.get(2)).and_then(Data::elements).expect("a table");
        let second = Data::Structure(vec![Data::Octets(vec![2]), Data::I16(980)]);
        assert_eq!((table.len(), &table[1]), (2, &second));
        assert_eq!(with_prices(&held(-2), &prices), None, "whole pence do not hold 27.5 p");
        assert_eq!(with_prices(&held(-6), &prices), None, "finer than a thousandth is not known");
        assert_eq!(with_prices(&Data::Null, &prices), None);
    }
}
