//! 1.2.1: the prices of a tariff.

use super::Content;
use super::fields::{Field, FieldError, FieldReader};
use super::parts::{DATE_TIME, execution_element, read_execution};
use crate::xml::{Cursor, Element, Reading, SchemaError, Space::Sr};
use jiff::Timestamp;
use std::fmt::Display;
use std::str::FromStr;

/// 1.2.1: new prices for the tariff in force.
///
/// Fields of both: `StandingCharge`, `ExecutionDateTime` (optional), `TOUPrice[n]`. Electricity, in units of ten to the
/// power of the scale: `StandingChargeScale`, `PriceScale`, `BlockPrices[b].BlockPrice[n]`. Gas, known by its
/// `CurrencyUnits` (`GBP` or `ECB`): `BlockPrice[n]` with `NumberOfThresholds`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpdatePrice {
    /// When to do it; at once if absent.
    pub execution: Option<Timestamp>,
    /// The prices.
    pub prices: Prices,
}

/// The prices of one fuel.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prices {
    /// `ElectricityPriceElements`.
    Electricity(ElectricityPrice),
    /// `GasPriceElements`.
    Gas(GasPrice),
}

/// Prices of electricity.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectricityPrice {
    /// Per day.
    pub standing_charge: i16,
    /// The power of ten of the standing charge.
    pub standing_charge_scale: i8,
    /// The power of ten of the prices.
    pub price_scale: i8,
    /// The prices.
    pub tariff: ElectricityTariff,
}

/// How electricity prices depend on use and time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ElectricityTariff {
    /// By consumption: 1 to 8 sets. Empty for a time-of-use tariff.
    pub blocks: Vec<BlockPrices>,
    /// By time of use: 1 to 48 prices. Empty for a block tariff; with both it is a hybrid tariff.
    pub tou: Vec<IndexedPrice<i16>>,
}

/// One set of block prices.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockPrices {
    /// The set, 1 to 8.
    pub index: u8,
    /// 1 to 4 prices.
    pub prices: Vec<IndexedPrice<i16>>,
}

/// A price and its place in the matrix, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexedPrice<T> {
    /// The DUIS attribute `index`.
    pub index: u8,
    /// The price.
    pub price: T,
}

/// Prices of gas.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GasPrice {
    /// The currency.
    pub currency: CurrencyUnits,
    /// Per day.
    pub standing_charge: u32,
    /// The prices.
    pub tariff: GasTariff,
}

/// How gas prices depend on use or time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GasTariff {
    /// By consumption.
    Block {
        /// 1 to 4 prices.
        prices: Vec<IndexedPrice<u32>>,
        /// How many thresholds part them, 1 to 3.
        thresholds: u8,
    },
    /// By time of use: 1 to 4 prices.
    Tou(Vec<IndexedPrice<u32>>),
}

word_enum! {
    /// The currency of a gas tariff.
    CurrencyUnits, "currency" {
        /// Pounds sterling.
        Gbp = "GBP",
        /// Euro.
        Ecb = "ECB",
    }
}

const BLOCK_SETS: u8 = 8;
const BLOCKS: u8 = 4;
const ELECTRICITY_TOU: u8 = 48;
const GAS_TOU: u8 = 4;

impl Content for UpdatePrice {
    const FIELDS: &'static [Field] = &[
        Field::optional("ExecutionDateTime", DATE_TIME),
        Field::required("StandingCharge", "a whole number"),
        Field::optional("StandingChargeScale", "a power of ten from -128 to 127, for electricity"),
        Field::optional("PriceScale", "a power of ten from -128 to 127, for electricity"),
        Field::optional("CurrencyUnits", "GBP or ECB, for gas"),
        Field::optional("TOUPrice[n]", "a whole number; n from 1 to 48 for electricity, 1 to 4 for gas"),
        Field::optional(
            "BlockPrices[b].BlockPrice[n]",
            "a whole number, for electricity; b from 1 to 8, n from 1 to 4",
        ),
        Field::optional("BlockPrice[n]", "a whole number, for gas; n from 1 to 4"),
        Field::optional("NumberOfThresholds", "1 to 3, with BlockPrice[n] for gas"),
    ];

    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let execution = fields.optional_date_time("ExecutionDateTime")?;
        let prices = if fields.has("CurrencyUnits") {
            Prices::Gas(GasPrice::from_fields(fields)?)
        } else {
            Prices::Electricity(ElectricityPrice::from_fields(fields)?)
        };
        Ok(UpdatePrice { execution, prices })
    }

    fn read(body: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut children = body.children(&[])?;
        let execution = read_execution(&mut children)?;
        let elements = children.required(Sr, "PriceElements")?;
        let mut choice = elements.children(&[])?;
        let prices = if choice.peek(Sr, "GasPriceElements") {
            Prices::Gas(GasPrice::read(&choice.required(Sr, "GasPriceElements")?)?)
        } else {
            Prices::Electricity(ElectricityPrice::read(&choice.required(Sr, "ElectricityPriceElements")?)?)
        };
        choice.finish()?;
        children.finish()?;
        Ok(UpdatePrice { execution, prices })
    }

    fn children(&self) -> Vec<Element> {
        let prices = match &self.prices {
            Prices::Electricity(price) => price.to_element(),
            Prices::Gas(price) => price.to_element(),
        };
        let elements = Element::new(Sr, "PriceElements").with(prices);
        execution_element(self.execution).into_iter().chain([elements]).collect()
    }

    fn execution(&self) -> Option<Timestamp> {
        self.execution
    }
}

impl ElectricityPrice {
    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let standing_charge = fields.required("StandingCharge", "a whole number")?;
        let standing_charge_scale = fields.required("StandingChargeScale", "a power of ten")?;
        let price_scale = fields.required("PriceScale", "a power of ten")?;
        let tou = take_indexed(fields, ELECTRICITY_TOU, |n| format!("TOUPrice[{n}]"))?;
        let mut blocks = Vec::new();
        for index in 1..=BLOCK_SETS {
            let prices = take_indexed(fields, BLOCKS, |n| format!("BlockPrices[{index}].BlockPrice[{n}]"))?;
            if !prices.is_empty() {
                blocks.push(BlockPrices { index, prices });
            }
        }
        if tou.is_empty() && blocks.is_empty() {
            return Err(
                fields.missing("TOUPrice[1]", "a whole number, or BlockPrices[1].BlockPrice[1] instead")
            );
        }
        let tariff = ElectricityTariff { blocks, tou };
        Ok(ElectricityPrice { standing_charge, standing_charge_scale, price_scale, tariff })
    }

    fn read(elements: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut fields = elements.children(&[])?;
        let standing_charge = fields.required(Sr, "StandingCharge")?.value()?;
        let standing_charge_scale = fields.required(Sr, "StandingChargeScale")?.value()?;
        let price_scale = fields.required(Sr, "PriceScale")?.value()?;
        let tariff = read_electricity_tariff(&fields.any("BlockTariff, TOUTariff or HybridTariff")?)?;
        fields.finish()?;
        Ok(ElectricityPrice { standing_charge, standing_charge_scale, price_scale, tariff })
    }

    fn to_element(&self) -> Element {
        let ElectricityTariff { blocks, tou } = &self.tariff;
        let name = match (blocks.is_empty(), tou.is_empty()) {
            (true, _) => "TOUTariff",
            (false, true) => "BlockTariff",
            (false, false) => "HybridTariff",
        };
        let blocks = blocks.iter().map(|set| {
            let prices = indexed("BlockPrice", &set.prices);
            Element::new(Sr, "BlockPrices").with_attribute("index", set.index).with_all(prices)
        });
        Element::new(Sr, "ElectricityPriceElements")
            .with(Element::leaf(Sr, "StandingCharge", self.standing_charge))
            .with(Element::leaf(Sr, "StandingChargeScale", self.standing_charge_scale))
            .with(Element::leaf(Sr, "PriceScale", self.price_scale))
            .with(Element::new(Sr, name).with_all(blocks).with_all(indexed("TOUPrice", tou)))
    }
}

fn read_electricity_tariff(tariff: &Reading<'_>) -> Result<ElectricityTariff, SchemaError> {
    let (has_blocks, has_tou) = match tariff.element.name.as_str() {
        "BlockTariff" => (true, false),
        "TOUTariff" => (false, true),
        "HybridTariff" => (true, true),
        other => {
            let (found, expected) = (other.to_owned(), "BlockTariff, TOUTariff or HybridTariff".to_owned());
            return Err(tariff.error(crate::xml::SchemaProblem::Unexpected { found, expected }));
        }
    };
    let mut children = tariff.children(&[])?;
    let mut blocks = Vec::new();
    while has_blocks && blocks.len() < usize::from(BLOCK_SETS) && children.peek(Sr, "BlockPrices") {
        let set = children.required(Sr, "BlockPrices")?;
        let mut inside = set.children(&["index"])?;
        let prices = read_indexed(&mut inside, "BlockPrice", BLOCKS)?;
        inside.finish()?;
        blocks.push(BlockPrices { index: read_index(&set, BLOCK_SETS)?, prices });
    }
    if has_blocks && blocks.is_empty() {
        return Err(children.unexpected("BlockPrices"));
    }
    let tou = if has_tou { read_indexed(&mut children, "TOUPrice", ELECTRICITY_TOU)? } else { Vec::new() };
    children.finish()?;
    Ok(ElectricityTariff { blocks, tou })
}

impl GasPrice {
    fn from_fields(fields: &mut FieldReader<'_>) -> Result<Self, FieldError> {
        let currency = fields.required("CurrencyUnits", "GBP or ECB")?;
        let standing_charge = fields.required("StandingCharge", "a whole number")?;
        let prices = take_indexed(fields, BLOCKS, |n| format!("BlockPrice[{n}]"))?;
        let tariff = if prices.is_empty() {
            let tou = take_indexed(fields, GAS_TOU, |n| format!("TOUPrice[{n}]"))?;
            if tou.is_empty() {
                return Err(fields.missing("TOUPrice[1]", "a whole number, or BlockPrice[1] instead"));
            }
            GasTariff::Tou(tou)
        } else {
            let text: String = fields.required("NumberOfThresholds", "1 to 3")?;
            let thresholds =
                thresholds(&text).map_err(|error| fields.invalid("NumberOfThresholds", &text, error))?;
            GasTariff::Block { prices, thresholds }
        };
        Ok(GasPrice { currency, standing_charge, tariff })
    }

    fn read(elements: &Reading<'_>) -> Result<Self, SchemaError> {
        let mut fields = elements.children(&[])?;
        let currency = fields.required(Sr, "CurrencyUnits")?.value()?;
        let standing_charge = fields.required(Sr, "StandingCharge")?.value()?;
        let tariff = if fields.peek(Sr, "TOUTariff") {
            let tariff = fields.required(Sr, "TOUTariff")?;
            let mut inside = tariff.children(&[])?;
            let prices = read_indexed(&mut inside, "TOUPrice", GAS_TOU)?;
            inside.finish()?;
            GasTariff::Tou(prices)
        } else {
            let tariff = fields.required(Sr, "BlockTariff")?;
            let mut inside = tariff.children(&[])?;
            let prices = read_indexed(&mut inside, "BlockPrice", BLOCKS)?;
            let count = inside.required(Sr, "NumberOfThresholds")?;
            let text = count.raw_text(&[])?.trim();
            let thresholds = thresholds(text).map_err(|error| count.bad_value("the text", text, error))?;
            inside.finish()?;
            GasTariff::Block { prices, thresholds }
        };
        fields.finish()?;
        Ok(GasPrice { currency, standing_charge, tariff })
    }

    fn to_element(&self) -> Element {
        let tariff = match &self.tariff {
            GasTariff::Tou(prices) => Element::new(Sr, "TOUTariff").with_all(indexed("TOUPrice", prices)),
            GasTariff::Block { prices, thresholds } => Element::new(Sr, "BlockTariff")
                .with_all(indexed("BlockPrice", prices))
                .with(Element::leaf(Sr, "NumberOfThresholds", thresholds)),
        };
        Element::new(Sr, "GasPriceElements")
            .with(Element::leaf(Sr, "CurrencyUnits", self.currency))
            .with(Element::leaf(Sr, "StandingCharge", self.standing_charge))
            .with(tariff)
    }
}

fn thresholds(text: &str) -> Result<u8, &'static str> {
    text.parse().ok().filter(|count| (1..=3).contains(count)).ok_or("expected 1 to 3")
}

fn indexed<T: Display>(name: &str, prices: &[IndexedPrice<T>]) -> Vec<Element> {
    let leaf =
        |price: &IndexedPrice<T>| Element::leaf(Sr, name, &price.price).with_attribute("index", price.index);
    prices.iter().map(leaf).collect()
}

/// The fields `name(1)` to `name(last)` that are there.
fn take_indexed<T: FromStr<Err: Display>>(
    fields: &mut FieldReader<'_>,
    last: u8,
    name: impl Fn(u8) -> String,
) -> Result<Vec<IndexedPrice<T>>, FieldError> {
    let mut prices = Vec::new();
    for index in 1..=last {
        if let Some(price) = fields.optional(&name(index))? {
            prices.push(IndexedPrice { index, price });
        }
    }
    Ok(prices)
}

/// One to `last` elements of this name, each with an index from 1 to `last`.
fn read_indexed<T: FromStr<Err: Display>>(
    children: &mut Cursor<'_>,
    name: &str,
    last: u8,
) -> Result<Vec<IndexedPrice<T>>, SchemaError> {
    let mut prices = Vec::new();
    while prices.len() < usize::from(last) && children.peek(Sr, name) {
        let element = children.required(Sr, name)?;
        prices.push(IndexedPrice {
            index: read_index(&element, last)?,
            price: element.value_with(&["index"])?,
        });
    }
    if prices.is_empty() { Err(children.unexpected(name)) } else { Ok(prices) }
}

fn read_index(element: &Reading<'_>, last: u8) -> Result<u8, SchemaError> {
    let index: u8 = element.attribute("index")?;
    if (1..=last).contains(&index) {
        return Ok(index);
    }
    Err(element.bad_value("index", &index.to_string(), format!("expected 1 to {last}")))
}
