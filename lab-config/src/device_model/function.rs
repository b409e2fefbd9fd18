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
        /// Maximum demand of import.
        MaximumDemandImport = "maximum-demand-import",
        /// Maximum demand of export.
        MaximumDemandExport = "maximum-demand-export",
        /// Load limit.
        LoadLimit = "load-limit",
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
        /// Prices of the tariff's blocks.
        BlockPrice = "block-price",
        /// Periods in which want of credit does not disable the supply.
        NonDisablementCalendar = "non-disablement-calendar",
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
        /// Transfer of firmware images.
        ImageTransfer = "image-transfer",
        /// When a firmware image is put to work.
        ImageActivation = "image-activation",
        /// Which events the head end is told.
        AlertConfiguration = "alert-configuration",
        /// Devices that may join the home area network.
        JoinList = "join-list",
        /// For how long devices may join the home area network.
        PermitJoin = "permit-join",
        /// What the hub holds for devices that sleep; writing a device's EUI-64 drops what is held for it.
        HeldMessages = "held-messages",
    }
}
