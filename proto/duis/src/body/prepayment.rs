//! Group 2, prepayment: limits, thresholds and debts. Amounts are thousandths of a penny for electricity; for gas they are
//! in the meter's own unit, the schema names none.

use super::calendar::{ElectricityNonDisablementCalendar, GasNonDisablementCalendar};
use jiff::Timestamp;

group! {
    /// How an electricity meter keeps credit.
    ElectricityPrepayConfiguration {
        /// The most that debts take of a week, or another period of the meter's.
        debt_recovery_rate_cap: u16 = "DebtRecoveryRateCap",
        /// How much emergency credit there is.
        emergency_credit_limit: i32 = "EmergencyCreditLimit",
        /// Below which balance emergency credit may be taken.
        emergency_credit_threshold: i32 = "EmergencyCreditThreshold",
        /// Below which balance the customer is warned.
        low_credit_threshold: i32 = "LowCreditThreshold",
        /// When supply must not be cut.
        calendar: ElectricityNonDisablementCalendar = wrap "ElectricityNonDisablementCalendar",
        /// The most the balance may be.
        max_meter_balance: i32 = "MaxMeterBalance",
        /// The most one token may be worth.
        max_credit_threshold: i32 = "MaxCreditThreshold",
    }
    /// How a gas meter keeps credit.
    GasPrepayConfiguration {
        /// The most that debts take of a week, or another period of the meter's.
        debt_recovery_rate_cap: i32 = "DebtRecoveryRateCap",
        /// How much emergency credit there is.
        emergency_credit_limit: u32 = "EmergencyCreditLimit",
        /// Below which balance emergency credit may be taken.
        emergency_credit_threshold: u32 = "EmergencyCreditThreshold",
        /// Below which balance the customer is warned.
        low_credit_threshold: u32 = "LowCreditThreshold",
        /// When supply must not be cut.
        calendar: GasNonDisablementCalendar = wrap "GasNonDisablementCalendar",
        /// The most the balance may be.
        max_meter_balance: u32 = "MaxMeterBalance",
        /// The most one token may be worth.
        max_credit_threshold: u32 = "MaxCreditThreshold",
    }
    /// 2.1: how a meter keeps credit in prepayment mode.
    ///
    /// Fields: `ExecutionDateTime` (optional), `DebtRecoveryRateCap`, `EmergencyCreditLimit`, `EmergencyCreditThreshold`,
    /// `LowCreditThreshold`, `MaxMeterBalance`, `MaxCreditThreshold`, and the calendar: for electricity
    /// `ElectricityNonDisablementSchedule[n]` with `.NonDisablementScript` (`START` or `STOP`), `.SwitchTime`, `.StartDate`,
    /// `.EndDate`, `.DayOfWeekApplicability[d].DayOfWeekID`, `.SpecialDayApplicability[d].SpecialDayID`, and
    /// `SpecialDay[n].Date`; for gas `GasNonDisablementDayProfile[d].TimeStartAction[n].StartTime` and
    /// `.NonDisablementAction`, and weeks, seasons and special days as in 1.1.1.
    UpdatePrepayConfiguration {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// What holds then.
        configuration: PrepayConfiguration = choice,
    }
    /// How an electricity meter collects a debt over time.
    ElectricityDebtRecovery {
        /// How much each time.
        rate: i16 = "DebtRecoveryRate",
        /// The power of ten of the rate.
        price_scale: i8 = "DebtRecoveryRatePriceScale",
        /// How often.
        period: RecoveryPeriod = "DebtRecoveryRatePeriod",
    }
    /// How a gas meter collects a debt over time.
    GasDebtRecovery {
        /// How much each time.
        rate: i32 = "DebtRecoveryRate",
        /// How often.
        period: RecoveryPeriod = "DebtRecoveryRatePeriod",
    }
    /// 2.3: debts and how they are collected.
    ///
    /// Fields: `TimeDebtRegister1`, `TimeDebtRegister2`, `PaymentDebtRegister`, `DebtRecoveryPerPayment`, and for both
    /// `ElecDebtRecovery1` and `ElecDebtRecovery2` `.DebtRecoveryRate`, `.DebtRecoveryRatePriceScale` and
    /// `.DebtRecoveryRatePeriod` (`HOURLY` or `DAILY`); or for both `GasDebtRecovery1` and `GasDebtRecovery2` the same
    /// without a scale.
    UpdateDebt {
        /// Added to the first debt collected over time.
        time_debt_1: i32 = "TimeDebtRegister1",
        /// Added to the second debt collected over time.
        time_debt_2: i32 = "TimeDebtRegister2",
        /// Added to the debt collected from payments.
        payment_debt: i32 = "PaymentDebtRegister",
        /// The share of a payment that goes to the debt.
        per_payment: RecoveryPerPayment = "DebtRecoveryPerPayment",
        /// How debts are collected over time.
        recovery: DebtRecovery = choice,
    }
}

choice! {
    /// How a meter keeps credit.
    PrepayConfiguration {
        /// An electricity meter.
        Electricity(ElectricityPrepayConfiguration) = wrap "UpdatePrepayConfigElectricity"
            if ["ElectricityNonDisablementSchedule"],
        /// A gas meter.
        Gas(GasPrepayConfiguration) = wrap "UpdatePrepayConfigGas" if ["GasNonDisablementDayProfile"],
    }
}

word_enum! {
    /// How often a debt is collected.
    RecoveryPeriod, "recovery period" {
        /// Every hour.
        Hourly = "HOURLY",
        /// Every day.
        Daily = "DAILY",
    }
}

words!(RecoveryPeriod);

whole! {
    /// The share of a payment that goes to a debt, in hundredths of a per cent.
    RecoveryPerPayment(u16, 0..=10_000);
}

pair_choice! {
    /// How two debts are collected over time.
    DebtRecovery {
        /// By an electricity meter.
        Electricity(ElectricityDebtRecovery, ElectricityDebtRecovery) = "ElecDebtRecovery1", "ElecDebtRecovery2";
        /// By a gas meter.
        Gas(GasDebtRecovery, GasDebtRecovery) = "GasDebtRecovery1", "GasDebtRecovery2";
    }
}
