//! Group 6, a device's configuration: load limiting, voltage, gas, maximum demand, meter points, tamper. Thresholds and
//! periods are in the meter's own unit where this module names none: the schema does not.

use super::leaf::{Present, TimeOfDay};
use super::part::Several;
use jiff::Timestamp;

word_enum! {
    /// What happens to the supply on an event.
    SupplyResponse, "supply state" {
        /// It is cut.
        Disable = "Disable",
        /// It stays as it is.
        Unchanged = "Unchanged",
    }
}

word_enum! {
    /// What happens to the supply on tamper or a flat battery.
    SupplyLock, "supply state" {
        /// It stays as it is.
        Unchanged = "Unchanged",
        /// It is cut and locked.
        Locked = "Locked",
    }
}

words!(SupplyResponse, SupplyLock);

whole! {
    /// A phase of a polyphase meter.
    Phase(u8, 1..=3);
    /// How long a gas flow is let settle before it is measured.
    StabilisationPeriod(u8, 1..=255);
    /// How long a gas flow is measured.
    MeasurementPeriod(u16, 1..=65_535);
}

decimals! {
    /// The calorific value of gas.
    CalorificValue(u32, 1);
    /// The factor from the volume of gas at the meter to that at reference conditions.
    ConversionFactor(u32, 5);
    /// A flow of gas that is uncontrolled.
    GasFlowRate(u16, 4);
}

texts! {
    /// A meter point of electricity (MPAN).
    Mpan(13..=13, Any);
    /// A meter point of gas (MPRN).
    Mprn(1..=10, Any);
    /// A meter point of either.
    Mpxn(1..=13, Any);
}

group! {
    /// 6.4.1: limiting the load.
    ///
    /// Fields: `LoadLimitPeriod`, `LoadLimitPowerThreshold`, `LoadLimitRestorationPeriod`, `LoadLimitSupplyState` (`Disable`
    /// or `Unchanged`), `ExecutionDateTime` (optional).
    LoadLimitingGeneralSettings {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// How long the load may be over the threshold.
        period: u32 = "LoadLimitPeriod",
        /// The threshold.
        power_threshold: u32 = "LoadLimitPowerThreshold",
        /// How long until supply is restored.
        restoration_period: u32 = "LoadLimitRestorationPeriod",
        /// What happens to the supply.
        supply: SupplyResponse = "LoadLimitSupplyState",
    }
    /// Thresholds of the RMS voltage and how long it must be beyond them.
    RmsVoltageSettings {
        /// Extreme over-voltage: how long.
        extreme_over_period: u32 = "RMSExtremeOverVoltageMeasurementPeriod",
        /// Extreme over-voltage: above what.
        extreme_over: u32 = "RMSExtremeOverVoltageThreshold",
        /// Extreme under-voltage: how long.
        extreme_under_period: u32 = "RMSExtremeUnderVoltageMeasurementPeriod",
        /// Extreme under-voltage: below what.
        extreme_under: u32 = "RMSExtremeUnderVoltageThreshold",
        /// Sag: how long.
        sag_period: u32 = "RMSVoltageSagMeasurementPeriod",
        /// Sag: below what.
        sag: u32 = "RMSVoltageSagThreshold",
        /// Swell: how long.
        swell_period: u32 = "RMSVoltageSwellMeasurementPeriod",
        /// Swell: above what.
        swell: u32 = "RMSVoltageSwellThreshold",
    }
    /// Thresholds of the average RMS voltage.
    AverageRmsVoltageSettings {
        /// Above which it is too high.
        over: u32 = "AverageRMSOverVoltageThreshold",
        /// Below which it is too low.
        under: u32 = "AverageRMSUnderVoltageThreshold",
        /// Over how long it is averaged.
        period: u32 = "AverageRMSVoltageMeasurementPeriod",
    }
    /// Thresholds of the average RMS voltage of one phase.
    PhaseVoltageSettings {
        /// The phase.
        phase: Phase = "Phase",
        /// Its thresholds.
        settings: AverageRmsVoltageSettings = wrap "PhaseVoltageSettings",
    }
    /// 6.5: voltage thresholds.
    ///
    /// Fields: the elements of `RMSVoltageSettings` by their names; for a single-phase meter
    /// `AverageRMSOverVoltageThreshold`, `AverageRMSUnderVoltageThreshold` and `AverageRMSVoltageMeasurementPeriod`, for a
    /// polyphase one the same after `PolyPhaseVoltageSettings[n]` with `.Phase`, three times;
    /// `RMSVoltageCountersNotReset` (`true`, optional), `ExecutionDateTime` (optional).
    UpdateVoltageConfiguration {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// Thresholds of the RMS voltage.
        rms: RmsVoltageSettings = wrap "RMSVoltageSettings",
        /// Thresholds of the average RMS voltage.
        average: AverageVoltage = choice,
        /// Whether the counters go on.
        counters_not_reset: Option<Present> = "RMSVoltageCountersNotReset",
    }
    /// 6.6: how gas volume becomes energy.
    ///
    /// Fields: `CalorificValue`, `ConversionFactor`.
    UpdateGasConversion {
        /// The calorific value.
        calorific_value: CalorificValue = "CalorificValue",
        /// The conversion factor.
        conversion_factor: ConversionFactor = "ConversionFactor",
    }
    /// 6.7: when a gas flow is uncontrolled, and what a flat battery or tamper does to the supply.
    ///
    /// Fields: `UncontrolledGasFlowRate` or `UncontrolledGasFlowRateDecimal`, `SupplyDepletionState` and
    /// `SupplyTamperState` (`Unchanged` or `Locked`), `StabilisationPeriod`, `MeasurementPeriod`.
    UpdateGasFlow {
        /// Above which flow it is uncontrolled.
        rate: UncontrolledFlow = choice,
        /// What a flat battery does.
        depletion: SupplyLock = "SupplyDepletionState",
        /// What tamper does.
        tamper: SupplyLock = "SupplyTamperState",
        /// How long the flow is let settle.
        stabilisation: StabilisationPeriod = "StabilisationPeriod",
        /// How long it is measured.
        measurement: MeasurementPeriod = "MeasurementPeriod",
    }
    /// 6.12: from which power on the load is shown as medium and as high.
    ///
    /// Fields: `LowMediumPowerThreshold`, `MediumHighPowerThreshold`, `ExecutionDateTime` (optional).
    InstantaneousPowerThresholds {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// From low to medium.
        low_medium: u32 = "LowMediumPowerThreshold",
        /// From medium to high.
        medium_high: u32 = "MediumHighPowerThreshold",
    }
    /// A part of a day.
    MaximumDemandPeriod {
        /// From when.
        start: TimeOfDay = "StartTime",
        /// To when.
        end: TimeOfDay = "EndTime",
    }
    /// 6.18.1: the part of a day whose maximum demand is kept.
    ///
    /// Fields: `StartTime`, `EndTime`, `ExecutionDateTime` (optional).
    MaximumDemandTimePeriod {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// The part of a day.
        period: MaximumDemandPeriod = wrap "MaximumDemandTimePeriodSchedule",
    }
    /// 6.18.2: which maximum demand registers are reset.
    ///
    /// Fields, each `true` or left out: `MaxDemandActivePowerImportValue`, `MaxDemandActivePowerExportValue`,
    /// `MaxDemandConfigTimeActivePowerImportValue`; `ExecutionDateTime` (optional).
    ResetMaximumDemand {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// Of import.
        import: Option<Present> = "MaxDemandActivePowerImportValue",
        /// Of export.
        export: Option<Present> = "MaxDemandActivePowerExportValue",
        /// Of import in the part of the day of 6.18.1.
        configured_time_import: Option<Present> = "MaxDemandConfigTimeActivePowerImportValue",
    }
    /// Meter points of electricity import.
    ImportMpans {
        /// The meter point.
        primary: Mpan = "ImportMPAN",
        /// That of the secondary element.
        secondary: Option<Mpan> = "SecondaryImportMPAN",
    }
    /// 6.20.1: the meter point of import.
    ///
    /// Fields: `ImportMPAN` and `SecondaryImportMPAN` (optional), or `ImportMPRN`; `ExecutionDateTime` (optional).
    SetImportMpxn {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// The meter point.
        meter_point: MeterPoint = choice,
    }
    /// 6.20.2: the meter point of export.
    ///
    /// Fields: `ExportMPAN`, `ExecutionDateTime` (optional).
    SetExportMpan {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// The meter point.
        mpan: Mpan = "ExportMPAN",
    }
    /// 6.25: what tamper does to the electricity supply.
    ///
    /// Fields: `SupplyTamperState` (`Locked` or `Unchanged`).
    SetSupplyTamperState {
        /// What it does.
        state: SupplyLock = "SupplyTamperState",
    }
    /// 6.26: whether the tariff block counters start anew each day.
    ///
    /// Fields: `DailyTariffBlockCounterMatrixReset` (`true` or `false`).
    DailyBlockCounterReset {
        /// Whether they do.
        daily: bool = "DailyTariffBlockCounterMatrixReset",
    }
}

choice! {
    /// Thresholds of the average RMS voltage.
    AverageVoltage {
        /// Of a single-phase meter.
        SinglePhase(AverageRmsVoltageSettings) = wrap "SinglePhaseVoltageSettings",
        /// Of each phase of a polyphase meter.
        PolyPhase(Several<PhaseVoltageSettings, 3, 3>) = "PolyPhaseVoltageSettings",
    }
    /// A flow of gas that is uncontrolled, in one of two precisions.
    UncontrolledFlow {
        /// In whole units.
        Whole(u16) = "UncontrolledGasFlowRate",
        /// With four digits after the point.
        Decimal(GasFlowRate) = "UncontrolledGasFlowRateDecimal",
    }
    /// A meter point of import.
    MeterPoint {
        /// Of electricity.
        Electricity(ImportMpans) = wrap "ImportMPANs",
        /// Of gas.
        Gas(Mprn) = "ImportMPRN",
    }
}
