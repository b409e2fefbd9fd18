//! 1.2.1 and 4.11.1: prices, which a meter keeps as unit charges (class 113).

use jiff::Timestamp;
use lab_config::{Function, Object};
use proto_dlms::data::{Data, DateTime, MethodRef};
use proto_duis::mmc::build::{self, Fuel, Tariff};
use proto_duis::{ElectricityPrice, ElectricityTariff, GasTariff, MmcBody, Prices, Srv, UpdatePrice};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use crate::driver::cosem;

/// Attributes and method of a charge.
pub(super) const ACTIVE: i8 = 5;
const PASSIVE: i8 = 6;
const ACTIVATION_TIME: i8 = 7;
const ACTIVATE: i8 = 2;

/// A unit charge structure, taken apart.
pub(super) struct UnitCharge {
    scaling: Data,
    commodity: Data,
    /// The power of ten of a price, in pounds.
    pub(super) price_scale: i8,
    /// Prices by index from 1 on.
    prices: Vec<i64>,
}

impl UnitCharge {
    pub(super) fn from_data(data: &Data) -> Option<UnitCharge> {
        let [scaling, commodity, table] = data.elements()? else { return None };
        let price_scale = i8::try_from(scaling.elements()?.get(1)?.as_i128()?).ok()?;
        let price = |element: &Data| i64::try_from(element.elements()?.get(1)?.as_i128()?).ok();
        let prices = table.elements()?.iter().map(price).collect::<Option<_>>()?;
        Some(UnitCharge { scaling: scaling.clone(), commodity: commodity.clone(), price_scale, prices })
    }

    /// The same structure with these prices.
    pub(super) fn with(&self, prices: &[(u8, i16)]) -> Data {
        let element =
            |(index, price): &(u8, i16)| Data::Structure(vec![Data::Octets(vec![*index]), Data::I16(*price)]);
        let table = Data::Array(prices.iter().map(element).collect());
        Data::Structure(vec![self.scaling.clone(), self.commodity.clone(), table])
    }
}

pub(super) async fn read(desk: &mut Desk, fuel: Fuel) -> Result<MmcBody, Refusal> {
    let (_, price) = charge(desk, Function::Price).await?;
    let (_, standing) = charge(desk, Function::StandingCharge).await?;
    let single = if let [only] = price.prices[..] { u32::try_from(only).ok() } else { None };
    let tariff = Tariff {
        active_price: single,
        standing_charge: standing.prices.first().and_then(|charge| u32::try_from(*charge).ok()),
        standing_charge_scale: (fuel == Fuel::Electricity).then_some(standing.price_scale),
        price_scale: Some(price.price_scale),
        tou_prices: price.prices.iter().filter_map(|price| i32::try_from(*price).ok()).collect(),
        block_prices: Vec::new(),
    };
    Ok(build::tariff(fuel, &tariff)?)
}

pub(super) async fn update(desk: &mut Desk, update: &UpdatePrice) -> Result<MmcBody, Refusal> {
    let (price, held) = charge(desk, Function::Price).await?;
    let (standing, held_standing) = charge(desk, Function::StandingCharge).await?;
    let (prices, charge) = match &update.prices {
        Prices::Electricity(asked) => electricity(asked, held.price_scale, held_standing.price_scale)?,
        Prices::Gas(asked) => gas(asked.standing_charge, &asked.tariff)?,
    };
    // Both are held ready before either is put in force: a refusal up to there leaves the tariff in force as it was, and
    // what is held ready is written over by the next update. The meter has no way to activate both in one step: should it
    // take the first activation, or date, and refuse the second, the new prices stand beside the old standing charge, and
    // the answer's reason names the charge that was refused.
    desk.set(cosem::numbered(&price, PASSIVE), held.with(&prices)).await?;
    desk.set(cosem::numbered(&standing, PASSIVE), held_standing.with(&[(1, charge)])).await?;
    match update.execution {
        Some(at) => date(desk, [&price, &standing], at).await?,
        None => activate(desk, &price, &standing, charge).await?,
    }
    Ok(build::done(Srv::UpdatePricePrimaryElement)?)
}

/// Leaves it to the meter to put the prices in force at `at`.
async fn date(desk: &mut Desk, charges: [&Object; 2], at: Timestamp) -> Result<(), Refusal> {
    let at = DateTime::from_unix(at.as_second(), 0).to_octets().to_vec();
    for charge in charges {
        desk.set(cosem::numbered(charge, ACTIVATION_TIME), Data::Octets(at.clone())).await?;
    }
    Ok(())
}

/// Puts the prices in force now. Some meters activate the standing charge with the prices, and refuse to do so again.
async fn activate(
    desk: &mut Desk,
    price: &Object,
    standing: &Object,
    charge_asked: i16,
) -> Result<(), Refusal> {
    activate_one(desk, price).await?;
    let (_, held) = charge(desk, Function::StandingCharge).await?;
    if held.prices.first() == Some(&i64::from(charge_asked)) {
        return Ok(());
    }
    activate_one(desk, standing).await
}

async fn activate_one(desk: &mut Desk, charge: &Object) -> Result<(), Refusal> {
    let method = MethodRef { method: ACTIVATE, ..cosem::method(charge) };
    desk.act(method, Some(Data::I8(0))).await.map(drop)
}

async fn charge(desk: &mut Desk, function: Function) -> Result<(Object, UnitCharge), Refusal> {
    let object = desk.object(function)?;
    let data = desk.get(cosem::numbered(&object, ACTIVE), None).await?;
    let charge = UnitCharge::from_data(&data).ok_or_else(|| Refusal::value(function, &data))?;
    Ok((object, charge))
}

type Charges = (Vec<(u8, i16)>, i16);

/// Prices in pounds to the power of the request's scales, in the meter's scales. Nothing is rounded.
fn electricity(asked: &ElectricityPrice, scale: i8, standing_scale: i8) -> Result<Charges, Refusal> {
    let ElectricityTariff::Tou(tariff) = &asked.tariff else { return Err(no_blocks()) };
    let price = |(index, price): &(u8, i16)| {
        let steps = rescaled((*price).into(), asked.price_scale, scale);
        Ok((*index, steps.ok_or_else(|| inexact(*price, asked.price_scale, scale))?))
    };
    let prices = tariff.prices.as_slice().iter().map(price).collect::<Result<_, Refusal>>()?;
    let standing = rescaled(asked.standing_charge.into(), asked.standing_charge_scale, standing_scale);
    let inexact = || inexact(asked.standing_charge, asked.standing_charge_scale, standing_scale);
    Ok((prices, standing.ok_or_else(inexact)?))
}

/// Gas prices have no scale in the request: they are in the meter's own, which 4.11.1 tells.
fn gas(standing: u32, tariff: &GasTariff) -> Result<Charges, Refusal> {
    let GasTariff::Tou(tariff) = tariff else { return Err(no_blocks()) };
    let steps = |price: u32| {
        let words =
            || Refusal::NotExpressible(format!("a price of {price} does not fit the meter's 16 bits"));
        i16::try_from(price).map_err(|_| words())
    };
    let prices = tariff.prices.as_slice().iter().map(|(index, price)| Ok((*index, steps(*price)?)));
    Ok((prices.collect::<Result<_, Refusal>>()?, steps(standing)?))
}

pub(super) fn rescaled(value: i64, from: i8, to: i8) -> Option<i16> {
    let power = 10i64.checked_pow((i32::from(from) - i32::from(to)).unsigned_abs())?;
    let steps =
        if from >= to { value.checked_mul(power)? } else { (value % power == 0).then_some(value / power)? };
    i16::try_from(steps).ok()
}

pub(super) fn inexact(value: impl Into<i64>, from: i8, to: i8) -> Refusal {
    let value = value.into();
    let words =
        format!("a price of {value} at scale {from} cannot be held exactly in the meter's scale {to}");
    Refusal::NotExpressible(words)
}

fn no_blocks() -> Refusal {
    Refusal::NotExpressible("the Device Model holds time-of-use prices only, no block prices".into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prices_change_scale_exactly_or_not_at_all() {
        assert_eq!(rescaled(2750, -5, -4), Some(275));
        assert_eq!(rescaled(2751, -5, -4), None);
        assert_eq!(rescaled(53, -2, -4), Some(5300));
        assert_eq!(rescaled(30_000, -2, -4), None);
        assert_eq!(rescaled(1, 127, -128), None);
    }

    proptest! {
        #[test]
        fn a_price_that_changed_scale_changes_back(value: i16, from in -6i8..2, to in -6i8..2) {
            if let Some(there) = rescaled(value.into(), from, to) {
                prop_assert_eq!(rescaled(there.into(), to, from), Some(value));
            }
        }
    }
}
