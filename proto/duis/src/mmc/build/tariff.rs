//! The tariff a meter holds: 4.11.1.

use super::{Fuel, indexed, optional};
use crate::Srv;
use crate::body::{ElectricitySpecialDays, ElectricitySwitchingTable, GasSpecialDays, GasSwitchingTable};
use crate::mmc::{FormError, MmcBody, MmcElement, from_request};

/// When prices switch, and on which days otherwise: as 1.1.1 asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TariffCalendar {
    /// Of an electricity meter.
    Electricity(ElectricitySwitchingTable, ElectricitySpecialDays),
    /// Of a gas meter.
    Gas(GasSwitchingTable, GasSpecialDays),
}

/// What 4.11.1 reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tariff {
    /// The price in force.
    pub active_price: Option<u32>,
    /// Per day.
    pub standing_charge: Option<u32>,
    /// The power of ten of the standing charge (electricity).
    pub standing_charge_scale: Option<i8>,
    /// The power of ten of the prices.
    pub price_scale: Option<i8>,
    /// Time-of-use prices from index 1 on.
    pub tou_prices: Vec<i32>,
    /// Block prices from index 1 on, of each set from index 1 on. A gas meter has one set.
    pub block_prices: Vec<Vec<i32>>,
    /// When prices switch, where the Device Model has a calendar.
    pub calendar: Option<TariffCalendar>,
    /// The thresholds between the blocks of each set, in the unit of 1.1.1.
    pub thresholds: Vec<Vec<u64>>,
}

/// 4.11.1.
///
/// # Errors
/// A price, scale or number of prices that the schema does not take.
pub fn tariff(fuel: Fuel, tariff: &Tariff) -> Result<MmcBody, FormError> {
    let content = match fuel {
        Fuel::Electricity => electricity(tariff),
        Fuel::Gas => gas(tariff),
    };
    MmcBody::new(Srv::ReadTariffPrimaryElement, true, [content])
}

fn electricity(tariff: &Tariff) -> MmcElement {
    let prices = |(set, prices): (usize, &Vec<i32>)| {
        MmcElement::new("TariffBlockPrices")
            .with_attribute("index", set + 1)
            .with_all(indexed("BlockPrice", prices))
    };
    let blocks = wrapped("TariffBlockPriceMatrix", tariff.block_prices.iter().enumerate().map(prices));
    let ends = |(set, ends): (usize, &Vec<u64>)| {
        MmcElement::new("ElecTariffThresholds")
            .with_attribute("index", set + 1)
            .with_all(indexed("BlockThreshold", ends))
    };
    MmcElement::new("Electricity")
        .with_all(optional("PrimaryActiveTariffPrice", tariff.active_price))
        .with(MmcElement::leaf("CurrencyUnitsLabel", "GBP"))
        .with_all(optional("StandingCharge", tariff.standing_charge))
        .with_all(optional("StandingChargeScale", tariff.standing_charge_scale))
        .with_all(optional("PriceScale", tariff.price_scale))
        .with_all(blocks)
        .with_all(wrapped("TariffTOUPriceMatrix", indexed("TariffTOUPrice", &tariff.tou_prices)))
        .with_all(calendar(tariff))
        .with_all(wrapped("TariffThresholdMatrix", tariff.thresholds.iter().enumerate().map(ends)))
}

fn gas(tariff: &Tariff) -> MmcElement {
    let ends: Vec<u64> = tariff.thresholds.iter().flatten().copied().collect();
    let block_prices: Vec<i32> = tariff.block_prices.iter().flatten().copied().collect();
    MmcElement::new("Gas")
        .with_all(optional("PrimaryActiveTariffPrice", tariff.active_price))
        .with_all(optional("PrimaryActiveTariffPriceScale", tariff.price_scale))
        .with(MmcElement::leaf("CurrencyUnitsLabel", "GBP"))
        .with_all(optional("StandingCharge", tariff.standing_charge))
        .with_all(calendar(tariff))
        .with_all(wrapped("TariffThresholds", indexed("BlockThreshold", &ends)))
        .with_all(wrapped("TOUTariff", indexed("TariffTOUPrice", &tariff.tou_prices)))
        .with_all(wrapped("BlockTariff", indexed("BlockPrice", &block_prices)))
}

/// The wrapper with what is in it, if there is anything.
fn wrapped(wrapper: &str, elements: impl IntoIterator<Item = MmcElement>) -> Option<MmcElement> {
    let mut elements = elements.into_iter().peekable();
    elements.peek().is_some().then_some(())?;
    Some(MmcElement::new(wrapper).with_all(elements))
}

fn calendar(tariff: &Tariff) -> Vec<MmcElement> {
    const TABLE: &str = "TariffSwitchingTable";
    const SPECIAL_DAYS: &str = "TariffSwitchingTableSpecialDays";
    let special = [("ReferencedDayName", "ReferencedDay")];
    match &tariff.calendar {
        None => Vec::new(),
        Some(TariffCalendar::Electricity(table, days)) => vec![
            renamed(
                from_request(TABLE, table),
                &[("DayName", "Day"), ("ReferencedDayName", "ReferencedElecDay")],
            ),
            renamed(from_request(SPECIAL_DAYS, days), &special),
        ],
        Some(TariffCalendar::Gas(table, days)) => {
            vec![
                renamed(from_request(TABLE, table), &special),
                renamed(from_request(SPECIAL_DAYS, days), &special),
            ]
        }
    }
}

/// The same elements where MMC has other names for them than DUIS.
fn renamed(mut element: MmcElement, names: &[(&str, &str)]) -> MmcElement {
    if let Some((_, mmc)) = names.iter().find(|(duis, _)| *duis == element.name) {
        (*mmc).clone_into(&mut element.name);
    }
    element.children = element.children.into_iter().map(|child| renamed(child, names)).collect();
    element
}
