//! 1.2.1, and part of 1.1.1: the prices of a tariff.

use super::calendar::ThresholdCount;
use super::part::Numbered;
use jiff::Timestamp;

word_enum! {
    /// The currency of a tariff.
    CurrencyUnits, "currency" {
        /// Pounds sterling.
        Gbp = "GBP",
        /// Euro.
        Ecb = "ECB",
    }
}

words!(CurrencyUnits);

group! {
    /// 1.2.1: new prices for the tariff in force.
    ///
    /// Fields of both: `StandingCharge`, `ExecutionDateTime` (optional), `TOUPrice[n]`. Electricity, known by its
    /// `StandingChargeScale` and in units of ten to the power of the scale: `PriceScale`,
    /// `BlockPrices[b].BlockPrice[n]`. Gas, known by its `CurrencyUnits` (`GBP` or `ECB`): `BlockPrice[n]` with
    /// `NumberOfThresholds`.
    UpdatePrice {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// The prices.
        prices: Prices = wrap "PriceElements",
    }
    /// Prices of electricity.
    ElectricityPrice {
        /// Per day.
        standing_charge: i16 = "StandingCharge",
        /// The power of ten of the standing charge.
        standing_charge_scale: i8 = "StandingChargeScale",
        /// The power of ten of the prices.
        price_scale: i8 = "PriceScale",
        /// The prices.
        tariff: ElectricityTariff = choice,
    }
    /// One set of block prices.
    BlockPrices {
        /// Each.
        prices: Numbered<i16, 1, 4> = "BlockPrice",
    }
    /// Prices of electricity by consumption.
    ElectricityBlockTariff {
        /// Sets of block prices.
        blocks: Numbered<BlockPrices, 1, 8> = "BlockPrices",
    }
    /// Prices of electricity by time of use.
    ElectricityTouTariff {
        /// Each.
        prices: Numbered<i16, 1, 48> = "TOUPrice",
    }
    /// Prices of electricity by consumption and by time of use.
    HybridTariff {
        /// Sets of block prices.
        blocks: Numbered<BlockPrices, 1, 8> = "BlockPrices",
        /// Prices by time of use.
        tou: Numbered<i16, 1, 48> = "TOUPrice",
    }
    /// Prices of gas.
    GasPrice {
        /// The currency.
        currency: CurrencyUnits = "CurrencyUnits",
        /// Per day.
        standing_charge: u32 = "StandingCharge",
        /// The prices.
        tariff: GasTariff = choice,
    }
    /// Prices of gas by consumption.
    GasBlockTariff {
        /// Each.
        prices: Numbered<u32, 1, 4> = "BlockPrice",
        /// How many thresholds part them.
        thresholds: ThresholdCount = "NumberOfThresholds",
    }
    /// Prices of gas by time of use.
    GasTouTariff {
        /// Each.
        prices: Numbered<u32, 1, 4> = "TOUPrice",
    }
}

choice! {
    /// The prices of one fuel.
    Prices {
        /// Electricity.
        Electricity(ElectricityPrice) = wrap "ElectricityPriceElements" if ["StandingChargeScale"],
        /// Gas.
        Gas(GasPrice) = wrap "GasPriceElements" if ["CurrencyUnits"],
    }
    /// How electricity prices depend on use and time.
    ElectricityTariff {
        /// By both.
        Hybrid(HybridTariff) = wrap "HybridTariff" if ["BlockPrices", "TOUPrice"],
        /// By consumption.
        Block(ElectricityBlockTariff) = wrap "BlockTariff",
        /// By time of use.
        Tou(ElectricityTouTariff) = wrap "TOUTariff",
    }
    /// How gas prices depend on use or time.
    GasTariff {
        /// By consumption.
        Block(GasBlockTariff) = wrap "BlockTariff",
        /// By time of use.
        Tou(GasTouTariff) = wrap "TOUTariff",
    }
}
