//! 4.13, how a meter is set up for prepayment. Data, not logic.

use super::shared::{DAY_OF_MONTH, DAY_OF_WEEK, GAS_DATE_WITH_WILDCARDS, MONTH, YEAR};
use crate::mmc::form::Particle::{Choice, Sequence};
use crate::mmc::form::Text::{Boolean, Date, OneOf, Time, Whole};
use crate::mmc::form::{Form, INTEGER, answer_form, attribute, form, leaf, node, text_with, with_attributes};

const GAS_NON_DISABLEMENT_TIME_START_ACTION: Form =
    with_attributes(&[attribute("index", Whole(1, 3), true)], &[
    leaf("StartTime", Time, 0, 1),
    leaf("NonDisablementAction", OneOf(&["START", "STOP"]), 0, 1),
]);
const GAS_NON_DISABLEMENT_DAY_PROFILE: Form = form(&[
    node("TimeStartAction", &GAS_NON_DISABLEMENT_TIME_START_ACTION, 0, 3),
    leaf("GasDayName", Whole(1, 5), 0, 1),
]);
const GAS_NON_DISABLEMENT_DAY_PROFILES: Form = form(&[
    node("GasNonDisablementDayProfile", &GAS_NON_DISABLEMENT_DAY_PROFILE, 0, 5),
]);
const GAS_REFERENCED_DAY_NAME_NON_DISABLEMENT: Form =
    text_with(&[attribute("index", Whole(1, 7), true)], Whole(1, 5));
const WEEK_PROFILE_GAS_NON_DISABLEMENT: Form = form(&[
    leaf("WeekName", Whole(1, 2), 1, 1),
    node("ReferencedDayName", &GAS_REFERENCED_DAY_NAME_NON_DISABLEMENT, 7, 7),
]);
const GAS_WEEK_PROFILES_NON_DISABLEMENT: Form = form(&[
    node("WeekProfile", &WEEK_PROFILE_GAS_NON_DISABLEMENT, 0, 2),
]);
const GAS_SEASON_NON_DISABLEMENT: Form = form(&[
    node("SeasonStartDate", &GAS_DATE_WITH_WILDCARDS, 0, 1),
    leaf("ReferencedWeekName", Whole(1, 2), 0, 1),
]);
const GAS_SEASONS_NON_DISABLEMENT: Form = form(&[
    node("Season", &GAS_SEASON_NON_DISABLEMENT, 0, 3),
]);
const GAS_SPECIAL_DAY_NON_DISABLEMENT: Form = form(&[
    Sequence(&[
        node("Date", &GAS_DATE_WITH_WILDCARDS, 0, 1),
        leaf("ReferencedDayName", Whole(1, 5), 0, 1),
    ], 0, 1),
]);
const GAS_SPECIAL_DAYS_NON_DISABLEMENT: Form = form(&[
    node("SpecialDay", &GAS_SPECIAL_DAY_NON_DISABLEMENT, 0, 20),
]);
const GAS_NON_DISABLEMENT_CALENDAR: Form = form(&[
    node("DayProfiles", &GAS_NON_DISABLEMENT_DAY_PROFILES, 0, 1),
    node("WeekProfiles", &GAS_WEEK_PROFILES_NON_DISABLEMENT, 0, 1),
    node("SeasonProfiles", &GAS_SEASONS_NON_DISABLEMENT, 0, 1),
    node("SpecialDays", &GAS_SPECIAL_DAYS_NON_DISABLEMENT, 0, 1),
]);
const GAS_DEBT_RECOVERY: Form = form(&[
    leaf("DebtRecoveryRate", INTEGER, 0, 1),
    leaf("DebtRecoveryRatePeriod", OneOf(&["HOURLY", "DAILY"]), 0, 1),
]);
const READ_PREPAYMENT_CONFIGURATION_GAS: Form = form(&[
    node("NonDisablementCalendar", &GAS_NON_DISABLEMENT_CALENDAR, 0, 1),
    node("DebtRecovery1", &GAS_DEBT_RECOVERY, 0, 1),
    node("DebtRecovery2", &GAS_DEBT_RECOVERY, 0, 1),
]);
const ELEC_SPECIAL_DAYS_PREPAYMENT_SPECIAL_DAY: Form =
    with_attributes(&[attribute("index", Whole(1, 20), false)], &[
    node("Year", &YEAR, 1, 1),
    node("Month", &MONTH, 1, 1),
    node("DayOfMonth", &DAY_OF_MONTH, 1, 1),
    node("DayOfWeek", &DAY_OF_WEEK, 1, 1),
]);
const ELEC_SPECIAL_DAYS_PREPAYMENT: Form = form(&[
    node("SpecialDay", &ELEC_SPECIAL_DAYS_PREPAYMENT_SPECIAL_DAY, 0, 20),
]);
const SPECIAL_DAY_APPLICABILITY: Form = form(&[
    leaf("SpecialDayID", Whole(1, 20), 1, 1),
]);
const SPECIAL_DAYS_APPLICABILITY: Form = form(&[
    node("SpecialDayApplicability", &SPECIAL_DAY_APPLICABILITY, 0, 20),
]);
const DAY_OF_WEEK_APPLICABILITY: Form = form(&[
    leaf("DayOfWeekID", OneOf(&[
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]), 1, 1),
]);
const DAYS_OF_WEEK_APPLICABILITY: Form = form(&[
    node("DayOfWeekApplicability", &DAY_OF_WEEK_APPLICABILITY, 0, 7),
]);
const SCHEDULE_DATES_AND_TIME_WITHOUT_WILDCARDS: Form = form(&[
    leaf("SwitchTime", Time, 0, 1),
    leaf("StartDate", Date, 0, 1),
    leaf("EndDate", Date, 0, 1),
]);
const ELECTRICITY_NON_DISABLEMENT_SCHEDULE: Form = form(&[
    leaf("NonDisablementScript", OneOf(&["START", "STOP"]), 0, 1),
    node("SpecialDaysApplicability", &SPECIAL_DAYS_APPLICABILITY, 0, 1),
    node("DaysOfWeekApplicability", &DAYS_OF_WEEK_APPLICABILITY, 0, 1),
    node("ScheduleDatesAndTime", &SCHEDULE_DATES_AND_TIME_WITHOUT_WILDCARDS, 0, 1),
]);
const ELECTRICITY_NON_DISABLEMENT_CALENDAR: Form = form(&[
    node("ElectricitySpecialDays", &ELEC_SPECIAL_DAYS_PREPAYMENT, 0, 1),
    node("ElectricityNonDisablementSchedule", &ELECTRICITY_NON_DISABLEMENT_SCHEDULE, 0, 22),
]);
const ELEC_DEBT_RECOVERY: Form = form(&[
    leaf("DebtRecoveryRate", INTEGER, 0, 1),
    leaf("DebtRecoveryRatePriceScale", Whole(-128, 127), 0, 1),
    leaf("DebtRecoveryRatePeriod", OneOf(&["HOURLY", "DAILY"]), 0, 1),
]);
const READ_PREPAYMENT_CONFIGURATION_ELECTRICITY: Form = form(&[
    leaf("PaymentMode", OneOf(&["Credit", "Prepayment"]), 0, 1),
    node("NonDisablementCalendar", &ELECTRICITY_NON_DISABLEMENT_CALENDAR, 0, 1),
    node("DebtRecovery1", &ELEC_DEBT_RECOVERY, 0, 1),
    node("DebtRecovery2", &ELEC_DEBT_RECOVERY, 0, 1),
]);
pub(in crate::mmc) const READ_PREPAYMENT_CONFIGURATION_RSP: Form = answer_form(&[
    leaf("DebtRecoveryPerPayment", INTEGER, 0, 1),
    leaf("DebtRecoveryRateCap", INTEGER, 0, 1),
    leaf("DisablementThreshold", INTEGER, 0, 1),
    leaf("EmergencyCreditLimit", INTEGER, 0, 1),
    leaf("EmergencyCreditThreshold", INTEGER, 0, 1),
    leaf("LowCreditThreshold", INTEGER, 0, 1),
    leaf("CreditMaxCreditThreshold", INTEGER, 0, 1),
    leaf("MaxCreditMaxMeterBalance", INTEGER, 0, 1),
    leaf("SuspendDebtDisabled", Boolean, 0, 1),
    leaf("SuspendDebtEmergency", Boolean, 0, 1),
    Choice(&[
        node("Gas", &READ_PREPAYMENT_CONFIGURATION_GAS, 1, 1),
        node("Electricity", &READ_PREPAYMENT_CONFIGURATION_ELECTRICITY, 1, 1),
    ], 0, 1),
]);
