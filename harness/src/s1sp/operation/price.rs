//! 1.2.1 and 4.11.1: prices, which a meter keeps as unit charges (class 113).

use jiff::Timestamp;
use lab_config::{Function, Object};
use proto_dlms::data::{Data, DateTime, MethodRef};
use proto_duis::body::{BlockPrices, GasPrice};
use proto_duis::mmc::build::{self, Fuel, Tariff};
use proto_duis::{ElectricityPrice, ElectricityTariff, GasTariff, MmcBody, Prices, Srv, UpdatePrice};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::switching;
use super::tariff::sterling;
use crate::driver::cosem;

/// Attributes and method of a charge.
pub(super) const ACTIVE: i8 = 5;
const PASSIVE: i8 = 6;
const ACTIVATION_TIME: i8 = 7;
const ACTIVATE: i8 = 2;
/// Blocks of a set.
const BLOCKS: u8 = 4;

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

    /// The first price.
    pub(super) fn first(&self) -> Option<i64> {
        self.prices.first().copied()
    }

    /// The same structure with these prices.
    pub(super) fn with(&self, prices: &[(u8, i16)]) -> Data {
        let element =
            |(index, price): &(u8, i16)| Data::Structure(vec![Data::Octets(vec![*index]), Data::I16(*price)]);
        let table = Data::Array(prices.iter().map(element).collect());
        Data::Structure(vec![self.scaling.clone(), self.commodity.clone(), table])
    }
}

/// 4.11.1: prices, and where the Device Model has them the calendar and the blocks.
pub(super) async fn read(desk: &mut Desk, fuel: Fuel) -> Result<MmcBody, Refusal> {
    let (_, price) = charge(desk, Function::Price).await?;
    let (_, standing) = charge(desk, Function::StandingCharge).await?;
    let single = if let [only] = price.prices[..] { u32::try_from(only).ok() } else { None };
    let block_prices = match desk.object(Function::BlockPrice) {
        Ok(_) => charge(desk, Function::BlockPrice).await?.1.prices,
        Err(_) => Vec::new(),
    };
    let prices = |prices: &[i64]| prices.iter().filter_map(|price| i32::try_from(*price).ok()).collect();
    let tariff = Tariff {
        active_price: single,
        standing_charge: standing.prices.first().and_then(|charge| u32::try_from(*charge).ok()),
        standing_charge_scale: (fuel == Fuel::Electricity).then_some(standing.price_scale),
        price_scale: Some(price.price_scale),
        tou_prices: prices(&price.prices),
        block_prices: block_prices.chunks(BLOCKS.into()).map(prices).collect(),
        calendar: switching::calendar(desk, fuel).await?,
        thresholds: switching::thresholds(desk, fuel).await?,
    };
    Ok(build::tariff(fuel, &tariff)?)
}

/// 1.2.1.
pub(super) async fn update(desk: &mut Desk, update: &UpdatePrice) -> Result<MmcBody, Refusal> {
    let charges = match &update.prices {
        Prices::Electricity(asked) => of_electricity(desk, asked).await?,
        Prices::Gas(asked) => of_gas(desk, asked).await?,
    };
    // All are held ready before any is put in force: a refusal up to there leaves the tariff in force as it was, and what
    // is held ready is written over by the next update. The meter has no way to activate prices without the rest of the
    // tariff in one step: should it take the first activation, or date, and refuse another, the new prices stand beside the
    // old standing charge, and the answer's reason names the charge that was refused.
    hold(desk, &charges).await?;
    match update.execution {
        Some(at) => date(desk, &charges, at).await?,
        None => activate(desk, &charges).await?,
    }
    Ok(build::done(Srv::UpdatePricePrimaryElement)?)
}

/// A charge as the meter has it, and the prices it is to have, by index from 1 on.
pub(super) struct Charge {
    function: Function,
    object: Object,
    held: UnitCharge,
    prices: Vec<(u8, i16)>,
}

/// Holds charges ready beside those in force.
pub(super) async fn hold(desk: &mut Desk, charges: &[Charge]) -> Result<(), Refusal> {
    for charge in charges {
        desk.set(cosem::numbered(&charge.object, PASSIVE), charge.held.with(&charge.prices)).await?;
    }
    Ok(())
}

/// Leaves it to the meter to put the prices in force at `at`.
async fn date(desk: &mut Desk, charges: &[Charge], at: Timestamp) -> Result<(), Refusal> {
    let at = DateTime::from_unix(at.as_second(), 0).to_octets().to_vec();
    for charge in charges {
        desk.set(cosem::numbered(&charge.object, ACTIVATION_TIME), Data::Octets(at.clone())).await?;
    }
    Ok(())
}

/// Puts the prices in force now. Some meters activate the standing charge with the prices, and refuse to do so again.
async fn activate(desk: &mut Desk, charges: &[Charge]) -> Result<(), Refusal> {
    for (place, asked) in charges.iter().enumerate() {
        if place == 0 || !is_in_force(desk, asked).await? {
            let method = MethodRef { method: ACTIVATE, ..cosem::method(&asked.object) };
            desk.act(method, Some(Data::I8(0))).await?;
        }
    }
    Ok(())
}

async fn is_in_force(desk: &mut Desk, asked: &Charge) -> Result<bool, Refusal> {
    let (_, active) = charge(desk, asked.function).await?;
    let has = |(index, price): &(u8, i16)| {
        let place = usize::from(*index).checked_sub(1);
        place.and_then(|place| active.prices.get(place)) == Some(&i64::from(*price))
    };
    Ok(asked.prices.iter().all(has))
}

async fn charge(desk: &mut Desk, function: Function) -> Result<(Object, UnitCharge), Refusal> {
    let object = desk.object(function)?;
    let data = desk.get(cosem::numbered(&object, ACTIVE), None).await?;
    let charge = UnitCharge::from_data(&data).ok_or_else(|| Refusal::value(function, &data))?;
    Ok((object, charge))
}

/// A charge that is to have these prices, each converted to the meter's scale; none where there are no prices.
async fn planned(
    desk: &mut Desk,
    function: Function,
    prices: &[(u8, i64)],
    steps: impl Fn(i64, i8) -> Result<i16, Refusal>,
) -> Result<Option<Charge>, Refusal> {
    if prices.is_empty() {
        return Ok(None);
    }
    let (object, held) = charge(desk, function).await?;
    let prices = prices.iter().map(|(index, price)| Ok((*index, steps(*price, held.price_scale)?)));
    let prices = prices.collect::<Result<_, Refusal>>()?;
    Ok(Some(Charge { function, object, held, prices }))
}

fn indexed<T: Copy + Into<i64>>(prices: &[(u8, T)]) -> Vec<(u8, i64)> {
    prices.iter().map(|(index, price)| (*index, (*price).into())).collect()
}

/// Prices of blocks set after set: as the meter numbers them.
fn by_block(sets: &[(u8, BlockPrices)]) -> Vec<(u8, i64)> {
    let place = |set: u8, block: u8| (set - 1) * BLOCKS + block;
    let of_set = |(set, prices): &(u8, BlockPrices)| {
        indexed(prices.prices.as_slice())
            .into_iter()
            .map(|(block, price)| (place(*set, block), price))
            .collect()
    };
    sets.iter().map(of_set).collect::<Vec<Vec<_>>>().concat()
}

/// Prices in pounds to the power of the request's scales, in the meter's scales. Nothing is rounded.
pub(super) async fn of_electricity(
    desk: &mut Desk,
    asked: &ElectricityPrice,
) -> Result<Vec<Charge>, Refusal> {
    let (tou, blocks) = match &asked.tariff {
        ElectricityTariff::Tou(tariff) => (indexed(tariff.prices.as_slice()), Vec::new()),
        ElectricityTariff::Block(tariff) => (Vec::new(), by_block(tariff.blocks.as_slice())),
        ElectricityTariff::Hybrid(tariff) => {
            (indexed(tariff.tou.as_slice()), by_block(tariff.blocks.as_slice()))
        }
    };
    let at = |from: i8| {
        move |price: i64, to: i8| rescaled(price, from, to).ok_or_else(|| inexact(price, from, to))
    };
    let standing = [(1, i64::from(asked.standing_charge))];
    let charges = [
        planned(desk, Function::Price, &tou, at(asked.price_scale)).await?,
        planned(desk, Function::BlockPrice, &blocks, at(asked.price_scale)).await?,
        planned(desk, Function::StandingCharge, &standing, at(asked.standing_charge_scale)).await?,
    ];
    Ok(charges.into_iter().flatten().collect())
}

/// Gas prices have no scale in the request: they are in the meter's own, which 4.11.1 tells.
pub(super) async fn of_gas(desk: &mut Desk, asked: &GasPrice) -> Result<Vec<Charge>, Refusal> {
    sterling(asked.currency)?;
    let (tou, blocks) = match &asked.tariff {
        GasTariff::Tou(tariff) => (indexed(tariff.prices.as_slice()), Vec::new()),
        GasTariff::Block(tariff) => {
            let prices = indexed(tariff.prices.as_slice());
            let most = tariff.thresholds.get() + 1;
            if let Some((index, _)) = prices.iter().find(|(index, _)| *index > most) {
                let words = format!("a price for block {index}, where thresholds part {most} blocks");
                return Err(Refusal::NotExpressible(words));
            }
            (Vec::new(), prices)
        }
    };
    let steps = |price: i64, _: i8| {
        let words = || format!("a price of {price} does not fit the meter's 16 bits");
        i16::try_from(price).map_err(|_| Refusal::NotExpressible(words()))
    };
    let standing = [(1, i64::from(asked.standing_charge))];
    let charges = [
        planned(desk, Function::Price, &tou, steps).await?,
        planned(desk, Function::BlockPrice, &blocks, steps).await?,
        planned(desk, Function::StandingCharge, &standing, steps).await?,
    ];
    Ok(charges.into_iter().flatten().collect())
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
