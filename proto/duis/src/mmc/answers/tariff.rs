//! 4.11.1, the tariff a meter holds. Data, not logic.

use super::shared::{DATE, EMPTY, GAS_DATE_WITH_WILDCARDS};
use crate::mmc::form::Particle::Choice;
use crate::mmc::form::Text::{Characters, Decimal, OneOf, Time, Whole};
use crate::mmc::form::{Form, answer_form, attribute, form, leaf, node, text_with, with_attributes};

const ELEC_BLOCK_PRICE: Form = text_with(&[attribute("index", Whole(1, 4), true)], Whole(-32_768, 32_767));
const ELEC_TARIFF_BLOCK_PRICE_MATRIX_PRIMARY_ELEMENT: Form =
    with_attributes(&[attribute("index", Whole(1, 8), true)], &[
    node("BlockPrice", &ELEC_BLOCK_PRICE, 0, 4),
]);
const ELEC_TARIFF_BLOCK_PRICE_MATRIX: Form = form(&[
    node("TariffBlockPrices", &ELEC_TARIFF_BLOCK_PRICE_MATRIX_PRIMARY_ELEMENT, 0, 8),
]);
const ELEC_PRIMARY_TOU_PRICE: Form =
    text_with(&[attribute("index", Whole(1, 48), true)], Whole(-32_768, 32_767));
const ELEC_TARIFF_TOU_PRICE_MATRIX: Form = form(&[
    node("TariffTOUPrice", &ELEC_PRIMARY_TOU_PRICE, 0, 48),
]);
const ELEC_PROFILE_SCHEDULE_PRIMARY_ELEMENT: Form = form(&[
    leaf("StartTime", Time, 1, 1),
    Choice(&[
        leaf("TOUTariffAction", Whole(1, 48), 1, 1),
        leaf("BlockTariffAction", Whole(1, 8), 1, 1),
    ], 1, 1),
]);
const ELEC_DAY_PROFILE_PRIMARY_ELEMENT: Form = form(&[
    leaf("Day", Whole(1, 16), 0, 1),
    node("ProfileSchedule", &ELEC_PROFILE_SCHEDULE_PRIMARY_ELEMENT, 0, 48),
]);
const ELEC_DAY_PROFILES: Form = form(&[
    node("DayProfile", &ELEC_DAY_PROFILE_PRIMARY_ELEMENT, 0, 16),
]);
const ELEC_REFERENCED_DAY_NAME: Form = text_with(&[attribute("index", Whole(1, 7), true)], Whole(1, 16));
const ELEC_WEEK_PROFILE: Form = form(&[
    leaf("WeekName", Whole(1, 4), 0, 1),
    node("ReferencedElecDay", &ELEC_REFERENCED_DAY_NAME, 0, 7),
]);
const ELEC_WEEK_PROFILES: Form = form(&[
    node("WeekProfile", &ELEC_WEEK_PROFILE, 0, 4),
]);
const ELEC_SEASON_PRIMARY_ELEMENT: Form = form(&[
    leaf("SeasonName", Characters(0, 8), 0, 1),
    node("SeasonStartDate", &DATE, 0, 1),
    leaf("ReferencedWeekName", Whole(1, 4), 0, 1),
]);
const ELEC_SEASONS_PRIMARY_ELEMENT: Form = form(&[
    node("Season", &ELEC_SEASON_PRIMARY_ELEMENT, 0, 4),
]);
const ELEC_TARIFF_SWITCHING_TABLE_PRIMARY_ELEMENT: Form = form(&[
    node("DayProfiles", &ELEC_DAY_PROFILES, 0, 1),
    node("WeekProfiles", &ELEC_WEEK_PROFILES, 0, 1),
    node("Seasons", &ELEC_SEASONS_PRIMARY_ELEMENT, 0, 1),
]);
const ELEC_SPECIAL_DAYS_PRIMARY_ELEMENT: Form = form(&[
    node("Date", &DATE, 1, 1),
    leaf("ReferencedDay", Whole(1, 16), 1, 1),
]);
const ELEC_TARIFF_SWITCHING_TABLE_SPECIAL_DAYS_PRIMARY_ELEMENT: Form = form(&[
    node("SpecialDay", &ELEC_SPECIAL_DAYS_PRIMARY_ELEMENT, 0, 50),
]);
const ELEC_TARIFF_THRESHOLDS_BLOCK_THRESHOLD: Form =
    text_with(&[attribute("index", Whole(1, 3), true)], Whole(0, 4_294_967_295));
const ELEC_TARIFF_THRESHOLDS: Form = with_attributes(&[attribute("index", Whole(1, 8), true)], &[
    node("BlockThreshold", &ELEC_TARIFF_THRESHOLDS_BLOCK_THRESHOLD, 0, 3),
]);
const ELEC_TARIFF_THRESHOLD_MATRIX: Form = form(&[
    node("ElecTariffThresholds", &ELEC_TARIFF_THRESHOLDS, 0, 8),
]);
const READ_TARIFF_PRIMARY_ELEMENT_ELECTRICITY: Form = form(&[
    leaf("PrimaryActiveTariffPrice", Whole(0, 4_294_967_295), 0, 1),
    leaf("CurrencyUnitsLabel", OneOf(&["GBP", "ECB"]), 0, 1),
    leaf("CurrencyUnitsName", OneOf(&["Millipence", "Millicent"]), 0, 1),
    leaf("StandingCharge", Whole(-32_768, 32_767), 0, 1),
    leaf("StandingChargeScale", Whole(-128, 127), 0, 1),
    leaf("PriceScale", Whole(-128, 127), 0, 1),
    node("TariffBlockPriceMatrix", &ELEC_TARIFF_BLOCK_PRICE_MATRIX, 0, 1),
    node("TariffTOUPriceMatrix", &ELEC_TARIFF_TOU_PRICE_MATRIX, 0, 1),
    node("TariffSwitchingTable", &ELEC_TARIFF_SWITCHING_TABLE_PRIMARY_ELEMENT, 0, 1),
    node("TariffSwitchingTableSpecialDays", &ELEC_TARIFF_SWITCHING_TABLE_SPECIAL_DAYS_PRIMARY_ELEMENT, 0, 1),
    node("TariffThresholdMatrix", &ELEC_TARIFF_THRESHOLD_MATRIX, 0, 1),
]);
const GAS_DAY_PROFILE: Form = form(&[
    leaf("DayName", Whole(1, 4), 1, 1),
    Choice(&[
        leaf("TOUTariffAction", Whole(1, 4), 0, 1),
        node("BlockTariff", &EMPTY, 0, 1),
    ], 1, 1),
]);
const GAS_DAY_PROFILES: Form = form(&[
    node("DayProfile", &GAS_DAY_PROFILE, 0, 4),
]);
const GAS_REFERENCED_DAY_NAME: Form = text_with(&[attribute("index", Whole(1, 7), true)], Whole(1, 4));
const GAS_WEEK_PROFILE: Form = form(&[
    leaf("WeekName", Whole(1, 2), 0, 1),
    node("ReferencedDay", &GAS_REFERENCED_DAY_NAME, 0, 7),
]);
const GAS_WEEK_PROFILES: Form = form(&[
    node("WeekProfile", &GAS_WEEK_PROFILE, 0, 2),
]);
const GAS_SEASON: Form = form(&[
    node("SeasonStartDate", &GAS_DATE_WITH_WILDCARDS, 0, 1),
    leaf("ReferencedWeekName", Whole(1, 2), 0, 1),
]);
const GAS_SEASONS: Form = form(&[
    node("Season", &GAS_SEASON, 0, 3),
]);
const GAS_TARIFF_SWITCHING_TABLE: Form = form(&[
    node("DayProfiles", &GAS_DAY_PROFILES, 0, 1),
    node("WeekProfiles", &GAS_WEEK_PROFILES, 0, 1),
    node("Seasons", &GAS_SEASONS, 0, 1),
]);
const GAS_SPECIAL_DAY: Form = form(&[
    node("Date", &GAS_DATE_WITH_WILDCARDS, 0, 1),
    leaf("ReferencedDay", Whole(1, 4), 0, 1),
]);
const GAS_TARIFF_SWITCHING_TABLE_SPECIAL_DAYS: Form = form(&[
    node("SpecialDay", &GAS_SPECIAL_DAY, 0, 20),
]);
const GAS_THRESHOLD: Form = text_with(&[attribute("index", Whole(1, 3), true)], Decimal);
const GAS_TARIFF_THRESHOLDS: Form = form(&[
    node("BlockThreshold", &GAS_THRESHOLD, 0, 3),
]);
const GAS_TOU_PRICE: Form = text_with(&[attribute("index", Whole(1, 4), true)], Whole(0, 4_294_967_295));
const GAS_TARIFF_TOU_PRICE_MATRIX: Form = form(&[
    node("TariffTOUPrice", &GAS_TOU_PRICE, 0, 4),
]);
const GAS_TARIFF_BLOCK_PRICES: Form = form(&[
    node("BlockPrice", &GAS_TOU_PRICE, 0, 4),
]);
const READ_TARIFF_PRIMARY_ELEMENT_GAS: Form = form(&[
    leaf("PrimaryActiveTariffPrice", Whole(0, 4_294_967_295), 0, 1),
    leaf("PrimaryActiveTariffPriceScale", Whole(-128, 127), 0, 1),
    leaf("CurrencyUnitsLabel", OneOf(&["GBP", "ECB"]), 0, 1),
    leaf("StandingCharge", Whole(0, 4_294_967_295), 0, 1),
    node("TariffSwitchingTable", &GAS_TARIFF_SWITCHING_TABLE, 0, 1),
    node("TariffSwitchingTableSpecialDays", &GAS_TARIFF_SWITCHING_TABLE_SPECIAL_DAYS, 0, 1),
    node("TariffThresholds", &GAS_TARIFF_THRESHOLDS, 0, 1),
    node("TOUTariff", &GAS_TARIFF_TOU_PRICE_MATRIX, 0, 1),
    node("BlockTariff", &GAS_TARIFF_BLOCK_PRICES, 0, 1),
]);
pub(in crate::mmc) const READ_TARIFF_PRIMARY_ELEMENT_RSP: Form = answer_form(&[
    Choice(&[
        node("Electricity", &READ_TARIFF_PRIMARY_ELEMENT_ELECTRICITY, 1, 1),
        node("Gas", &READ_TARIFF_PRIMARY_ELEMENT_GAS, 1, 1),
    ], 1, 1),
]);
