//! What the objects of the devices are for, whatever their names are.

/// What an object is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The association a client is in.
    Association,
    /// Logical device name.
    LogicalDeviceName,
    /// EUI-64.
    Identity,
    /// Manufacturer.
    Manufacturer,
    /// Model.
    Model,
    /// Hardware version.
    HardwareVersion,
    /// Firmware version.
    FirmwareVersion,
    /// Configuration version.
    ConfigurationVersion,
    /// Settings of a configuration version, written as one block.
    ConfigurationBlock,
    /// Clock.
    Clock,
    /// Event log.
    EventLog,
    /// Security log.
    SecurityLog,
    /// Devices on the home area network.
    DeviceLog,
    /// Active energy imported.
    ActiveImport,
    /// Active energy exported.
    ActiveExport,
    /// Active energy imported in one tariff, 0 being tariff 1.
    Tier(u8),
    /// Active energy of the last half hour.
    IntervalImport,
    /// Active power.
    ActivePower,
    /// Voltage.
    Voltage,
    /// Gas volume.
    GasVolume,
    /// Gas volume of the last half hour.
    IntervalGas,
    /// Battery left.
    Battery,
    /// Calorific value.
    CalorificValue,
    /// Volume conversion factor.
    ConversionFactor,
    /// Energy of the gas.
    GasEnergy,
    /// Daily log of the registers.
    DailyLog,
    /// Log of billing periods.
    BillingLog,
    /// When a mirror was last refreshed.
    MirrorRefreshed,
    /// Half-hourly profile.
    Profile,
    /// Status of the last half hour of the profile, where the profile has a column for it.
    ProfileStatus,
    /// Activity calendar.
    Calendar,
    /// Account.
    Account,
    /// Balance.
    Balance,
    /// Emergency credit.
    EmergencyCredit,
    /// Price of a unit.
    Price,
    /// Price of a day.
    StandingCharge,
    /// Token entry.
    TokenEntry,
    /// Supply state.
    SupplyState,
    /// Why the supply is off.
    OffReason,
    /// Script table of the supply.
    SupplyScript,
    /// Load limit.
    Limiter,
    /// Which logical devices there are.
    SapAssignment,
    /// How messages of a client, named by its SAP, are protected.
    SecuritySetup(u8),
    /// The invocation counter last received from a client, named by its SAP.
    InvocationCounter(u8),
    /// How often the load limit was passed.
    LimitCount,
    /// Reactive energy imported.
    ReactiveImport,
    /// Reactive energy exported.
    ReactiveExport,
    /// Reactive energy in a quadrant, 0 being quadrant 1.
    Quadrant(u8),
    /// Active energy imported in one block, set after set, 0 being block 1 of the first.
    Block(u8),
    /// The same since the block period began.
    BlockCounter(u8),
    /// Gas volume in one tariff, 0 being tariff 1.
    GasTier(u8),
    /// Gas volume in one block since the block period began.
    GasBlockCounter(u8),
    /// Active energy exported in the last half hour.
    IntervalExport,
    /// Reactive energy imported in the last half hour.
    IntervalReactiveImport,
    /// Reactive energy exported in the last half hour.
    IntervalReactiveExport,
    /// Active power exported.
    ExportPower,
    /// Largest demand of import.
    PeakImport,
    /// Largest demand of export.
    PeakExport,
    /// Demand of import.
    DemandImport,
    /// Demand of export.
    DemandExport,
    /// Half-hourly profile of export.
    ExportProfile,
    /// Half-hourly profile of reactive energy.
    ReactiveProfile,
    /// Daily log of export.
    ExportDailyLog,
    /// Log of changes of payment mode or prices.
    TermsLog,
    /// Log of top-ups.
    CreditLog,
    /// Log of payments towards debts.
    DebtLog,
    /// When billing periods end.
    BillingSchedule,
    /// Script that ends a billing period.
    BillingScript,
    /// Scripts of the tariff registers.
    TariffScript,
    /// Which register an activity selects.
    RegisterActivation,
    /// Special days of the tariff.
    SpecialDays,
    /// Ends of the blocks of a set, 0 being the first.
    BlockThreshold(u8),
    /// The same, held ready.
    PassiveBlockThreshold(u8),
    /// Special days of the tariff held ready.
    PassiveSpecialDays,
    /// Script that begins a block period.
    BlockReset,
    /// Whether a block period begins each day.
    DailyBlockReset,
    /// Scripts that put configuration held ready in force.
    ActivationScript,
    /// When a part of it, 0 being the tariff, comes into force.
    Activation(u8),
    /// Limits of the credit.
    CreditSettings,
    /// The same, held ready.
    PassiveCreditSettings,
    /// Payment mode and what goes with it.
    ModeSettings,
    /// The same, held ready.
    PassiveModeSettings,
    /// Log of the account at the end of each day.
    AccountDays,
    /// When billing periods of a gas meter begin.
    BillingPeriods,
    /// Prices of blocks.
    BlockPrice,
    /// Profile of average voltage.
    VoltageProfile,
    /// Last average voltage.
    AverageVoltage,
    /// Threshold of a voltage band.
    VoltageThreshold(u8),
    /// How long a voltage out of a band is borne.
    VoltagePatience(u8),
    /// How often the voltage was out of a band.
    VoltageCount(u8),
    /// Non-disablement periods.
    NonDisablement,
    /// Special days of the non-disablement periods.
    NonDisablementDays,
    /// The same, held ready.
    PassiveNonDisablementDays,
    /// Whether disablement for want of credit is suspended.
    SuspendDisablement,
    /// What is owed in debts.
    DebtBalance,
    /// A debt collected by time, 0 being the first.
    TimeDebt(u8),
    /// The debt collected from payments.
    PaymentDebt,
    /// The weekly cap of the debt collected from payments.
    DebtCap,
    /// Settings of the load limit held ready for a time.
    LimiterPassive,
    /// From which power on a load is medium, and high.
    PowerThresholds,
    /// The part of a day whose largest demand is kept by itself.
    DemandWindow,
    /// Largest demand of import in that part of a day.
    PeakImportInWindow,
    /// What tamper does to the supply.
    TamperState,
    /// Which events the head end is told.
    AlertConfiguration,
    /// Which events the home area network is told.
    HanAlerts,
    /// Which events are not logged.
    UnloggedEvents,
    /// Transfer of firmware images.
    ImageTransfer,
    /// When a firmware image is put to work.
    ImageActivation,
    /// Meter point of import, or of gas.
    MeterPoint,
    /// Meter point of export.
    ExportMeterPoint,
    /// Flow above which gas flows uncontrolled.
    UncontrolledFlow,
    /// How long a flow of gas is let settle.
    FlowStabilisation,
    /// How long a flow of gas is measured.
    FlowMeasurement,
    /// What a flat battery does to the supply.
    DepletionState,
    /// Log of the gas volume every six minutes.
    NetworkDataLog,
    /// Number of its recording.
    NetworkDataSample,
    /// Message of the supplier.
    SupplierMessage,
    /// Name of the supplier.
    SupplierName,
    /// Telephone number of the supplier.
    SupplierTelephone,
    /// Change of tenancy before which nothing is shown.
    AccessRestriction,
    /// Whether a PIN guards the display.
    PrivacyPin,
    /// Number of the customer.
    IdentificationNumber,
    /// Joining and unjoining.
    NetworkControl,
    /// Devices that may join the home area network.
    JoinList,
    /// For how long devices may join.
    PermitJoin,
    /// What the hub holds for devices that sleep.
    HeldMessages,
}

impl Role {
    /// Whether an application logical device has it: what is measured, and what every logical device must have.
    pub fn is_of_application(self) -> bool {
        use Role::{
            ActiveExport, ActiveImport, ActivePower, Association, Clock, GasVolume, LogicalDeviceName,
            Profile, Tier,
        };
        matches!(
            self,
            ActiveExport
                | ActiveImport
                | ActivePower
                | Association
                | Clock
                | GasVolume
                | LogicalDeviceName
                | Profile
                | Tier(_)
        )
    }
}
