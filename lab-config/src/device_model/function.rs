//! The functions of a metering device, named once for profiles and scripts.

crate::vocabulary! {
    /// A function of a device that an object of its profile serves.
    pub enum Function {
        /// Identity: the EUI-64, serial number or model text the device reports.
        Identity = "identity",
        /// Logical device name.
        LogicalDeviceName = "logical-device-name",
        /// Manufacturer.
        Manufacturer = "manufacturer",
        /// Model.
        Model = "model",
        /// Hardware version.
        HardwareVersion = "hardware-version",
        /// Firmware version.
        FirmwareVersion = "firmware-version",
        /// Configuration version.
        ConfigurationVersion = "configuration-version",
        /// Settings of a configuration version, with it, written as one block.
        ConfigurationBlock = "configuration-block",
        /// Clock.
        Clock = "clock",
        /// Cumulative active energy imported.
        ActiveImport = "active-import",
        /// Cumulative active energy exported.
        ActiveExport = "active-export",
        /// Cumulative reactive energy imported.
        ReactiveImport = "reactive-import",
        /// Cumulative reactive energy exported.
        ReactiveExport = "reactive-export",
        /// Active power imported, now.
        ActivePowerImport = "active-power-import",
        /// Meter point: MPAN of import, or MPRN.
        MeterPoint = "meter-point",
        /// Meter point of export.
        ExportMeterPoint = "export-meter-point",
        /// Cumulative gas volume.
        GasVolume = "gas-volume",
        /// Half-hourly profile of energy imported, or of gas consumed.
        HalfHourlyProfile = "half-hourly-profile",
        /// Daily log.
        DailyLog = "daily-log",
        /// Daily log of export.
        DailyLogExport = "daily-log-export",
        /// Log of billing periods: registers and demand at their ends.
        BillingLog = "billing-log",
        /// Log of an electricity meter: registers and balance when payment mode or prices changed.
        ModeOrTariffLog = "mode-or-tariff-log",
        /// Log of top-ups.
        PrepaymentCreditLog = "prepayment-credit-log",
        /// Log of payments towards debts.
        DebtPaymentLog = "debt-payment-log",
        /// Half-hourly profile of energy exported.
        ExportProfile = "half-hourly-profile-export",
        /// Half-hourly profile of reactive energy.
        ReactiveProfile = "half-hourly-profile-reactive",
        /// Profile of average voltage.
        VoltageProfile = "voltage-profile",
        /// Threshold above which the average voltage is told.
        AverageOverVoltageThreshold = "average-over-voltage-threshold",
        /// Threshold below which the average voltage is told.
        AverageUnderVoltageThreshold = "average-under-voltage-threshold",
        /// Threshold of extreme over-voltage.
        ExtremeOverVoltageThreshold = "extreme-over-voltage-threshold",
        /// Threshold of extreme under-voltage.
        ExtremeUnderVoltageThreshold = "extreme-under-voltage-threshold",
        /// Threshold of a voltage swell.
        VoltageSwellThreshold = "voltage-swell-threshold",
        /// Threshold of a voltage sag.
        VoltageSagThreshold = "voltage-sag-threshold",
        /// How long the voltage is above the extreme threshold before it is told.
        ExtremeOverVoltagePeriod = "extreme-over-voltage-period",
        /// How long the voltage is below the extreme threshold before it is told.
        ExtremeUnderVoltagePeriod = "extreme-under-voltage-period",
        /// How long a voltage swell lasts before it is told.
        VoltageSwellPeriod = "voltage-swell-period",
        /// How long a voltage sag lasts before it is told.
        VoltageSagPeriod = "voltage-sag-period",
        /// How often the average voltage rose above its threshold.
        AverageOverVoltageCounter = "average-over-voltage-counter",
        /// How often the average voltage fell below its threshold.
        AverageUnderVoltageCounter = "average-under-voltage-counter",
        /// How often there was an extreme over-voltage.
        ExtremeOverVoltageCounter = "extreme-over-voltage-counter",
        /// How often there was an extreme under-voltage.
        ExtremeUnderVoltageCounter = "extreme-under-voltage-counter",
        /// How often there was a voltage swell.
        VoltageSwellCounter = "voltage-swell-counter",
        /// How often there was a voltage sag.
        VoltageSagCounter = "voltage-sag-counter",
        /// Maximum demand of import.
        MaximumDemandImport = "maximum-demand-import",
        /// Maximum demand of export.
        MaximumDemandExport = "maximum-demand-export",
        /// The part of a day whose maximum demand of import is kept by itself.
        MaximumDemandPeriod = "maximum-demand-period",
        /// Maximum demand of import in that part of a day.
        MaximumDemandImportInPeriod = "maximum-demand-import-in-period",
        /// Calorific value of the gas, in megajoules a cubic metre.
        CalorificValue = "calorific-value",
        /// Factor from the volume of gas at the meter to that at reference conditions.
        ConversionFactor = "conversion-factor",
        /// Flow above which gas flows uncontrolled after the valve was opened.
        UncontrolledFlow = "uncontrolled-flow",
        /// How long a flow of gas is let settle before it is measured.
        FlowStabilisation = "flow-stabilisation",
        /// How long a flow of gas is measured.
        FlowMeasurement = "flow-measurement",
        /// What a flat battery does to the supply.
        SupplyDepletionState = "supply-depletion-state",
        /// Log of the gas volume every six minutes, for four hours from a command on.
        NetworkDataLog = "network-data-log",
        /// Number of the recording in the network data log.
        NetworkDataSample = "network-data-sample",
        /// Load limit.
        LoadLimit = "load-limit",
        /// How often the load limit was passed.
        LoadLimitCounter = "load-limit-counter",
        /// Settings of the load limit that the meter puts in force at a time.
        LoadLimitPassive = "load-limit-passive",
        /// From which power on a load is medium, and high.
        PowerThresholds = "power-thresholds",
        /// End of the billing period.
        BillingSchedule = "billing-schedule",
        /// Event log.
        EventLog = "event-log",
        /// Security log.
        SecurityLog = "security-log",
        /// Log of the devices on the home area network.
        DeviceLog = "device-log",
        /// Activity calendar of the tariff.
        ActivityCalendar = "activity-calendar",
        /// Special days of the tariff.
        SpecialDays = "special-days",
        /// Register activation: which register an activity of the calendar selects.
        RegisterActivation = "register-activation",
        /// Prices of the tariff's blocks, set after set.
        BlockPrice = "block-price",
        /// Special days of the tariff held ready.
        SpecialDaysPassive = "special-days-passive",
        /// Ends of the blocks of each set: the object of the first set; those of the others follow it.
        BlockThresholds = "block-thresholds",
        /// The same, held ready.
        BlockThresholdsPassive = "block-thresholds-passive",
        /// Consumption in each block: the object of the first block; those of the others follow it, set after set.
        BlockRegisters = "block-registers",
        /// The same since the block period began.
        BlockCounters = "block-counters",
        /// Gas in each tariff: the object of the first; those of the others follow it.
        GasTariffRegisters = "gas-tariff-registers",
        /// Gas in each block since the block period began: the object of the first block; those of the others follow it.
        GasBlockCounters = "gas-block-counters",
        /// Script that begins a block period.
        BlockCounterReset = "block-counter-reset",
        /// Whether a block period begins each day.
        DailyBlockReset = "daily-block-reset",
        /// Scripts that put configuration held ready in force: 1 the tariff, 2 that of prepayment, 3 the payment mode.
        ActivationScript = "activation-script",
        /// When the tariff held ready comes into force.
        TariffActivation = "tariff-activation",
        /// When the prepayment configuration held ready comes into force.
        PrepaymentActivation = "prepayment-activation",
        /// When the payment mode held ready comes into force.
        PaymentModeActivation = "payment-mode-activation",
        /// Limits of the credit: debt recovery cap, emergency credit limit and threshold, low credit threshold, largest
        /// balance, largest credit of a token.
        PrepaymentConfiguration = "prepayment-configuration",
        /// The same, held ready.
        PrepaymentConfigurationPassive = "prepayment-configuration-passive",
        /// Payment mode, whether debt collection is suspended while disabled, and in emergency, and disablement threshold.
        PaymentModeSettings = "payment-mode-settings",
        /// The same, held ready.
        PaymentModeSettingsPassive = "payment-mode-settings-passive",
        /// Log of the account at the end of each day.
        PrepaymentDailyLog = "prepayment-daily-log",
        /// When billing periods of a gas meter begin: the first, and how long each is.
        BillingPeriods = "billing-periods",
        /// Periods in which want of credit does not disable the supply.
        NonDisablementCalendar = "non-disablement-calendar",
        /// Special days of those periods.
        NonDisablementSpecialDays = "non-disablement-special-days",
        /// The same, held ready.
        NonDisablementSpecialDaysPassive = "non-disablement-special-days-passive",
        /// Prices of the tariff.
        Price = "price",
        /// Standing charge.
        StandingCharge = "standing-charge",
        /// Account: payment mode and status.
        Account = "account",
        /// Meter balance, in thousandths of a penny.
        MeterBalance = "meter-balance",
        /// Emergency credit.
        EmergencyCredit = "emergency-credit",
        /// What is owed in debts.
        Debt = "debt",
        /// First debt collected by time.
        TimeDebt1 = "time-debt-1",
        /// Second debt collected by time.
        TimeDebt2 = "time-debt-2",
        /// Debt collected from payments.
        PaymentDebt = "payment-debt",
        /// Token entry.
        TokenEntry = "token-entry",
        /// Supply state.
        SupplyState = "supply-state",
        /// Script table that disables, arms and enables supply.
        SupplyScript = "supply-script",
        /// What tamper does to the supply.
        SupplyTamperState = "supply-tamper-state",
        /// Message of the supplier.
        SupplierMessage = "supplier-message",
        /// Name of the supplier.
        SupplierName = "supplier-name",
        /// Telephone number of the supplier.
        SupplierTelephone = "supplier-telephone-number",
        /// Change of tenancy, before which nothing is shown to the customer.
        AccessRestriction = "access-restriction",
        /// Whether a PIN guards what the meter's display shows.
        PrivacyPin = "privacy-pin",
        /// Number by which the customer shows who they are.
        CustomerIdentificationNumber = "customer-identification-number",
        /// Transfer of firmware images.
        ImageTransfer = "image-transfer",
        /// When a firmware image is put to work.
        ImageActivation = "image-activation",
        /// Which events the head end is told.
        AlertConfiguration = "alert-configuration",
        /// Which events the home area network is told.
        HanAlertConfiguration = "han-alert-configuration",
        /// Which events are not written into a log.
        UnloggedEvents = "unlogged-events",
        /// Which devices a device talks to, or a hub lets onto its network: joining and unjoining.
        NetworkControl = "network-control",
        /// Devices that may join the home area network.
        JoinList = "join-list",
        /// For how long devices may join the home area network.
        PermitJoin = "permit-join",
        /// What the hub holds for devices that sleep; writing a device's EUI-64 drops what is held for it.
        HeldMessages = "held-messages",
    }
}
