//! Calendars: switching tables, special days, non-disablement, billing.

use super::leaf::{CalendarDate, Present, TimeOfDay};
use super::part::{Numbered, Several};
use super::recurring_date::{DayOfWeek, GasRecurringDate, Month, RecurringDate};
use jiff::Timestamp;

whole! {
    /// A day of a month that every month has.
    BillingDay(u8, 1..=28);
    /// A day profile of an electricity tariff.
    ElectricityDayName(u8, 1..=16);
    /// A day profile of a gas tariff.
    GasDayName(u8, 1..=4);
    /// A day profile of a gas meter's non-disablement calendar.
    GasNonDisablementDayName(u8, 1..=5);
    /// A week profile of an electricity tariff.
    ElectricityWeekName(u8, 1..=4);
    /// A week profile of a gas tariff.
    GasWeekName(u8, 1..=2);
    /// A time-of-use register and its price for electricity.
    ElectricityTou(u8, 1..=48);
    /// A set of block registers and their prices for electricity.
    ElectricityBlockSet(u8, 1..=8);
    /// A time-of-use register and its price for gas.
    GasTou(u8, 1..=4);
    /// A special day of a non-disablement calendar, by its place.
    SpecialDayId(u8, 1..=20);
    /// Blocks parted by consumption at so many thresholds.
    ThresholdCount(u8, 1..=3);
    /// A threshold between blocks of gas consumption, in the meter's own unit: the schema names none.
    GasThreshold(u64, 0..=281_474_976_710_655);
}

texts! {
    /// The name of a season.
    SeasonName(0..=8, Any);
}

choice! {
    /// Which prices and registers a part of a day has.
    ElectricityAction {
        /// A time-of-use register.
        Tou(ElectricityTou) = "TOUTariffAction",
        /// A set of blocks.
        Block(ElectricityBlockSet) = "BlockTariffAction",
    }
    /// Which prices and registers a day has.
    GasAction {
        /// A time-of-use register.
        Tou(GasTou) = "TOUTariffAction",
        /// The blocks.
        Block(Present) = "BlockTariff",
    }
}

group! {
    /// From when in a day which prices hold.
    ElectricityProfileSchedule {
        /// From when.
        start: TimeOfDay = "StartTime",
        /// Which prices.
        action: ElectricityAction = choice,
    }
    /// A day of an electricity tariff.
    ElectricityDayProfile {
        /// Its name.
        name: ElectricityDayName = "DayName",
        /// Its parts.
        schedule: Several<ElectricityProfileSchedule, 1, 48> = "ProfileSchedule",
    }
    /// A week of an electricity tariff.
    ElectricityWeekProfile {
        /// Its name.
        name: ElectricityWeekName = "WeekName",
        /// The day profiles of its days, Monday first.
        days: Numbered<ElectricityDayName, 7, 7> = "ReferencedDayName",
    }
    /// A season of an electricity tariff.
    ElectricitySeason {
        /// Its name.
        name: SeasonName = "SeasonName",
        /// When it begins.
        start: RecurringDate = "SeasonStartDate",
        /// The week profile of its weeks.
        week: ElectricityWeekName = "ReferencedWeekName",
    }
    /// The day profiles of an electricity tariff.
    ElectricityDayProfiles {
        /// Each.
        profiles: Several<ElectricityDayProfile, 1, 16> = "DayProfile",
    }
    /// The week profiles of an electricity tariff.
    ElectricityWeekProfiles {
        /// Each.
        profiles: Several<ElectricityWeekProfile, 1, 4> = "WeekProfile",
    }
    /// The seasons of an electricity tariff.
    ElectricitySeasons {
        /// Each.
        seasons: Several<ElectricitySeason, 1, 4> = "Season",
    }
    /// When an electricity tariff switches its prices.
    ElectricitySwitchingTable {
        /// Days.
        days: ElectricityDayProfiles = wrap "DayProfiles",
        /// Weeks.
        weeks: ElectricityWeekProfiles = wrap "WeekProfiles",
        /// Seasons.
        seasons: ElectricitySeasons = wrap "Seasons",
    }
    /// A day of an electricity tariff that is not as its season says.
    ElectricitySpecialDay {
        /// The day.
        date: RecurringDate = "Date",
        /// Its day profile.
        day: ElectricityDayName = "ReferencedDayName",
    }
    /// The special days of an electricity tariff.
    ElectricitySpecialDays {
        /// Each.
        days: Several<ElectricitySpecialDay, 0, 50> = "SpecialDay",
    }
    /// The thresholds between the blocks of one set.
    ElectricityThresholds {
        /// Each, in watt hours or the meter's own unit: the schema names none.
        blocks: Numbered<u32, 1, 3> = "BlockThreshold",
    }
    /// The thresholds of all eight sets of blocks.
    ElectricityThresholdMatrix {
        /// Each set.
        sets: Numbered<ElectricityThresholds, 8, 8> = "Thresholds",
    }
    /// A day of a gas tariff.
    GasDayProfile {
        /// Its name.
        name: GasDayName = "DayName",
        /// Its prices.
        action: GasAction = choice,
    }
    /// A week of a gas tariff.
    GasWeekProfile {
        /// Its name.
        name: GasWeekName = "WeekName",
        /// The day profiles of its days, Monday first.
        days: Numbered<GasDayName, 7, 7> = "ReferencedDayName",
    }
    /// A season of a gas tariff.
    GasSeason {
        /// When it begins.
        start: GasRecurringDate = "SeasonStartDate",
        /// The week profile of its weeks.
        week: GasWeekName = "ReferencedWeekName",
    }
    /// The day profiles of a gas tariff.
    GasDayProfiles {
        /// Each.
        profiles: Several<GasDayProfile, 1, 4> = "DayProfile",
    }
    /// The week profiles of a gas tariff.
    GasWeekProfiles {
        /// Each.
        profiles: Several<GasWeekProfile, 1, 2> = "WeekProfile",
    }
    /// The seasons of a gas tariff.
    GasSeasons {
        /// Each.
        seasons: Several<GasSeason, 1, 3> = "Season",
    }
    /// When a gas tariff switches its prices.
    GasSwitchingTable {
        /// Days.
        days: GasDayProfiles = wrap "DayProfiles",
        /// Weeks.
        weeks: GasWeekProfiles = wrap "WeekProfiles",
        /// Seasons.
        seasons: GasSeasons = wrap "Seasons",
    }
    /// A day of a gas tariff that is not as its season says.
    GasSpecialDay {
        /// The day.
        date: GasRecurringDate = "Date",
        /// Its day profile.
        day: GasDayName = "ReferencedDayName",
    }
    /// The special days of a gas tariff.
    GasSpecialDays {
        /// Each.
        days: Several<GasSpecialDay, 0, 20> = "SpecialDay",
    }
    /// The thresholds between the blocks of a gas tariff.
    GasThresholdMatrix {
        /// Each.
        blocks: Numbered<GasThreshold, 1, 3> = "BlockThreshold",
    }
}

word_enum! {
    /// Whether supply must not be cut from a moment on, or may be cut again.
    NonDisablement, "non-disablement action" {
        /// It must not be cut.
        Start = "START",
        /// It may be cut.
        Stop = "STOP",
    }
}

word_enum! {
    /// A day of the week by name.
    DayName, "day of the week" {
        /// Monday.
        Monday = "Monday",
        /// Tuesday.
        Tuesday = "Tuesday",
        /// Wednesday.
        Wednesday = "Wednesday",
        /// Thursday.
        Thursday = "Thursday",
        /// Friday.
        Friday = "Friday",
        /// Saturday.
        Saturday = "Saturday",
        /// Sunday.
        Sunday = "Sunday",
    }
}

word_enum! {
    /// How often a gas meter's billing period begins anew.
    Periodicity, "periodicity" {
        /// Every day.
        Daily = "Daily",
        /// Every week.
        Weekly = "Weekly",
        /// Every month.
        Monthly = "Monthly",
        /// Every three months.
        Quarterly = "Quarterly",
        /// Every six months.
        SixMonthly = "SixMonthly",
        /// Every year.
        Yearly = "Yearly",
    }
}

words!(NonDisablement, DayName, Periodicity);

group! {
    /// A special day of a non-disablement calendar.
    NonDisablementSpecialDay {
        /// The day.
        date: RecurringDate = "Date",
    }
    /// The special days of a non-disablement calendar.
    NonDisablementSpecialDays {
        /// Each with its number, by which schedules name it.
        days: Numbered<NonDisablementSpecialDay, 0, 20> = "SpecialDay",
    }
    /// A special day on which a schedule applies.
    SpecialDayApplicability {
        /// Its number.
        id: SpecialDayId = "SpecialDayID",
    }
    /// The special days on which a schedule applies.
    SpecialDaysApplicability {
        /// Each.
        days: Several<SpecialDayApplicability, 0, 20> = "SpecialDayApplicability",
    }
    /// A day of the week on which a schedule applies.
    DayOfWeekApplicability {
        /// Its name.
        id: DayName = "DayOfWeekID",
    }
    /// The days of the week on which a schedule applies.
    DaysOfWeekApplicability {
        /// Each.
        days: Several<DayOfWeekApplicability, 0, 7> = "DayOfWeekApplicability",
    }
    /// When a schedule applies.
    ScheduleDatesAndTime {
        /// At what time.
        time: TimeOfDay = "SwitchTime",
        /// From which day.
        start: CalendarDate = "StartDate",
        /// To which day.
        end: CalendarDate = "EndDate",
    }
    /// One line of an electricity meter's non-disablement calendar.
    NonDisablementSchedule {
        /// What happens.
        action: NonDisablement = "NonDisablementScript",
        /// On which special days.
        special_days: SpecialDaysApplicability = wrap "SpecialDaysApplicability",
        /// On which days of the week.
        days_of_week: DaysOfWeekApplicability = wrap "DaysOfWeekApplicability",
        /// When.
        when: ScheduleDatesAndTime = wrap "ScheduleDatesAndTime",
    }
    /// When an electricity meter must not cut supply for want of credit.
    ElectricityNonDisablementCalendar {
        /// Special days.
        special_days: NonDisablementSpecialDays = wrap "ElectricitySpecialDays",
        /// What holds when.
        schedules: Several<NonDisablementSchedule, 1, 22> = "ElectricityNonDisablementSchedule",
    }
    /// From when in a day a gas meter must not cut supply, or may again.
    GasNonDisablementAction {
        /// From when.
        start: TimeOfDay = "StartTime",
        /// What happens.
        action: NonDisablement = "NonDisablementAction",
    }
    /// A day of a gas meter's non-disablement calendar.
    GasNonDisablementDayProfile {
        /// Its parts.
        actions: Several<GasNonDisablementAction, 1, 3> = "TimeStartAction",
        /// Its name.
        name: GasNonDisablementDayName = "GasDayName",
    }
    /// The days of a gas meter's non-disablement calendar.
    GasNonDisablementDayProfiles {
        /// Each.
        profiles: Several<GasNonDisablementDayProfile, 1, 5> = "GasNonDisablementDayProfile",
    }
    /// A week of a gas meter's non-disablement calendar.
    GasNonDisablementWeekProfile {
        /// Its name.
        name: GasWeekName = "WeekName",
        /// The day profiles of its days, Monday first.
        days: Numbered<GasNonDisablementDayName, 7, 7> = "ReferencedDayName",
    }
    /// The weeks of a gas meter's non-disablement calendar.
    GasNonDisablementWeekProfiles {
        /// Each.
        profiles: Several<GasNonDisablementWeekProfile, 1, 2> = "WeekProfile",
    }
    /// A special day of a gas meter's non-disablement calendar.
    GasNonDisablementSpecialDay {
        /// The day.
        date: GasRecurringDate = "Date",
        /// Its day profile.
        day: GasNonDisablementDayName = "ReferencedDayName",
    }
    /// The special days of a gas meter's non-disablement calendar.
    GasNonDisablementSpecialDays {
        /// Each.
        days: Several<GasNonDisablementSpecialDay, 0, 20> = "SpecialDay",
    }
    /// When a gas meter must not cut supply for want of credit.
    GasNonDisablementCalendar {
        /// Days.
        days: GasNonDisablementDayProfiles = wrap "DayProfiles",
        /// Weeks.
        weeks: GasNonDisablementWeekProfiles = wrap "WeekProfiles",
        /// Seasons.
        seasons: GasSeasons = wrap "SeasonProfiles",
        /// Special days.
        special_days: GasNonDisablementSpecialDays = wrap "SpecialDays",
    }
    /// The day and month from which a billing period runs.
    BillingStart {
        /// The day.
        day: BillingDay = "DayOfMonth",
        /// The first month.
        month: Month = "BillingPeriodStartMonth",
    }
    /// When an electricity meter's billing periods begin.
    ElectricityBillingCalendar {
        /// At what time.
        time: TimeOfDay = "BillingTime",
        /// On which days.
        period: BillingPeriod = choice,
    }
    /// When a gas meter's billing periods begin.
    GasBillingCalendar {
        /// The first.
        start: Timestamp = "BillingPeriodStart",
        /// How often from then on.
        periodicity: Periodicity = "Periodicity",
    }
}

choice! {
    /// On which days an electricity meter's billing periods begin.
    BillingPeriod {
        /// Every day.
        Daily(Present) = "Daily",
        /// On this day of the week.
        Weekly(DayOfWeek) = "Weekly",
        /// On this day of the month.
        Monthly(BillingDay) = "Monthly",
        /// Every three months.
        Quarterly(BillingStart) = "Quarterly",
        /// Every six months.
        SixMonthly(BillingStart) = "SixMonthly",
        /// Every year.
        Yearly(BillingStart) = "Yearly",
    }
    /// 6.8: when billing periods begin.
    ///
    /// Fields for electricity: `BillingTime` and one of `Daily` (`true`), `Weekly` (1 for Monday), `Monthly`, or
    /// `Quarterly.DayOfMonth` with `Quarterly.BillingPeriodStartMonth`, and so for `SixMonthly` and `Yearly`. For gas:
    /// `BillingPeriodStart`, `Periodicity`.
    BillingCalendar {
        /// For an electricity meter.
        Electricity(ElectricityBillingCalendar) = wrap "ElectricityBillingCalendar",
        /// For a gas meter.
        Gas(GasBillingCalendar) = wrap "GasBillingCalendar",
    }
}
