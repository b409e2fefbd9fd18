//! Group 1, products: the import tariff and the balance. Prices alone are in `price`.

use super::calendar::{
    ElectricitySpecialDays, ElectricitySwitchingTable, ElectricityThresholdMatrix, GasSpecialDays,
    GasSwitchingTable, GasThresholdMatrix,
};
use super::leaf::Present;
use super::price::{CurrencyUnits, ElectricityPrice, GasPrice};
use jiff::Timestamp;

group! {
    /// What an electricity tariff is but its prices.
    ElectricityTariffElements {
        /// The currency.
        currency: CurrencyUnits = "CurrencyUnits",
        /// When prices switch.
        switching: ElectricitySwitchingTable = wrap "SwitchingTable",
        /// On which days otherwise.
        special_days: ElectricitySpecialDays = wrap "SpecialDays",
        /// At which consumption blocks switch.
        thresholds: ElectricityThresholdMatrix = wrap "ThresholdMatrix",
    }
    /// What a gas tariff is but its prices.
    GasTariffElements {
        /// When prices switch.
        switching: GasSwitchingTable = wrap "SwitchingTable",
        /// On which days otherwise.
        special_days: GasSpecialDays = wrap "SpecialDays",
        /// At which consumption blocks switch.
        thresholds: GasThresholdMatrix = wrap "ThresholdMatrix",
    }
    /// Prices of an electricity tariff.
    ElectricityPrices {
        /// The prices.
        price: ElectricityPrice = wrap "ElectricityPriceElements",
    }
    /// Prices of a gas tariff.
    GasPrices {
        /// The prices.
        price: GasPrice = wrap "GasPriceElements",
    }
    /// 1.1.1: a new tariff. The schema would let a gas tariff have prices of electricity; here both are of one fuel.
    ///
    /// Fields: those of 1.2.1 for the prices, `ExecutionDateTime` (optional), and the switching table by
    /// `DayProfile[d].DayName`, `WeekProfile[w].WeekName` with `WeekProfile[w].ReferencedDayName[1]` to `[7]` (Monday
    /// first), `Season[s].SeasonStartDate`, `Season[s].ReferencedWeekName`, `SpecialDay[n].Date` (a date with `*` for what
    /// is open) and `SpecialDay[n].ReferencedDayName`. Electricity adds `CurrencyUnits`,
    /// `DayProfile[d].ProfileSchedule[n].StartTime` with `.TOUTariffAction` or `.BlockTariffAction`,
    /// `Season[s].SeasonName` and `Thresholds[b].BlockThreshold[n]` of all eight sets; gas `DayProfile[d].TOUTariffAction`
    /// or `.BlockTariff` (`true`) and `BlockThreshold[n]`. Electricity is known by `StandingChargeScale`.
    UpdateImportTariff {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// The tariff.
        tariff: ImportTariff = choice,
    }
}

choice! {
    /// A change of a balance.
    BalanceChange {
        /// By so much, in the unit 4.18 reads.
        Adjust(i32) = "AdjustMeterBalance",
        /// To nothing.
        Reset(Present) = "ResetMeterBalance",
    }
    /// 1.5: the balance is changed.
    ///
    /// Fields: one of `PrepaymentMode.AdjustMeterBalance`, `PrepaymentMode.ResetMeterBalance` (`true`), and the same after
    /// `CreditMode`.
    UpdateMeterBalance {
        /// That of prepayment mode.
        Prepayment(BalanceChange) = "PrepaymentMode",
        /// That of credit mode.
        Credit(BalanceChange) = "CreditMode",
    }
}

pair_choice! {
    /// A tariff of one fuel.
    ImportTariff {
        /// Of an electricity meter.
        Electricity(ElectricityTariffElements, ElectricityPrices) =
            wrap "ElecTariffElements", wrap "PriceElements" if ["StandingChargeScale"];
        /// Of a gas meter.
        Gas(GasTariffElements, GasPrices) =
            wrap "GasTariffElements", wrap "PriceElements" if ["CurrencyUnits"];
    }
}
