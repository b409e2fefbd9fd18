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
        /// Event log.
        EventLog = "event-log",
        /// Security log.
        SecurityLog = "security-log",
        /// Log of the devices on the home area network.
        DeviceLog = "device-log",
        /// Activity calendar of the tariff.
        ActivityCalendar = "activity-calendar",
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
        /// Token entry.
        TokenEntry = "token-entry",
        /// Supply state.
        SupplyState = "supply-state",
        /// Script table that disables, arms and enables supply.
        SupplyScript = "supply-script",
    }
}
