//! Where each object is by default, and what may be done with it (general OBIS practice and the GBCS use-case tables;
//! unverified).

use proto_dlms::data::{ClassId, Obis};

use super::directory::Spec;
use super::role::Role;

const NONE: &[i8] = &[];
const DATA: &[i8] = &[1, 2];
const REGISTER: &[i8] = &[1, 2, 3];
const BUFFER: &[i8] = &[1, 2, 3, 4, 5, 6, 7, 8];
const CHARGE: &[i8] = &[1, 2, 3, 4, 5, 6, 7, 8];
const CREDIT: &[i8] = &[1, 2, 3, 4, 5, 6, 8, 9, 10];

/// An object for a role, of the class and at the name that its place has.
struct Place(Role);

impl Place {
    fn spec(
        &self,
        class: u16,
        obis: [u8; 6],
        readable: &'static [i8],
        writable: &'static [i8],
        methods: &'static [i8],
    ) -> Spec {
        let (class, obis) = (ClassId(class), Obis(obis));
        Spec { role: self.0, class, obis, version: 0, readable, writable, methods, scaler: None }
    }

    /// A value that cannot be written.
    fn data(&self, obis: [u8; 6]) -> Spec {
        self.spec(1, obis, DATA, NONE, NONE)
    }

    /// A value that can.
    fn setting(&self, obis: [u8; 6]) -> Spec {
        self.spec(1, obis, DATA, &[2], NONE)
    }

    fn register(&self, obis: [u8; 6]) -> Spec {
        self.spec(3, obis, REGISTER, NONE, NONE)
    }

    /// A register that counts, and starts over by its method reset.
    fn counter(&self, obis: [u8; 6]) -> Spec {
        self.spec(3, obis, REGISTER, NONE, &[1])
    }

    /// The largest demand and when it was.
    fn peak(&self, obis: [u8; 6]) -> Spec {
        self.spec(4, obis, &[1, 2, 3, 4, 5], NONE, &[1])
    }

    fn demand(&self, obis: [u8; 6]) -> Spec {
        self.spec(5, obis, &[1, 2, 3, 4, 5, 6, 7, 8, 9], &[8], &[1, 2])
    }

    fn buffer(&self, obis: [u8; 6]) -> Spec {
        Spec { version: 1, ..self.spec(7, obis, BUFFER, NONE, NONE) }
    }

    fn calendar(&self, obis: [u8; 6]) -> Spec {
        self.spec(20, obis, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], &[6, 7, 8, 9, 10], &[1])
    }

    fn schedule(&self, obis: [u8; 6]) -> Spec {
        self.spec(22, obis, &[1, 2, 3, 4], &[4], NONE)
    }

    fn debt(&self, obis: [u8; 6], writable: &'static [i8]) -> Spec {
        self.spec(113, obis, &[1, 2, 3, 4, 5, 6, 7, 8, 12, 13], writable, &[4, 5])
    }
}

/// Where everything is by default (general OBIS practice and the GBCS use-case tables; unverified).
pub(super) fn usual(role: Role) -> Spec {
    let at = Place(role);
    match role {
        Role::Association => {
            Spec { version: 1, ..at.spec(15, [0, 0, 40, 0, 0, 255], &[1, 2, 3, 4, 5, 6, 8], &[7], NONE) }
        }
        Role::LogicalDeviceName => at.data([0, 0, 42, 0, 0, 255]),
        Role::Identity => at.data([0, 0, 96, 1, 0, 255]),
        Role::Manufacturer => at.data([0, 0, 96, 1, 1, 255]),
        Role::Model => at.data([0, 0, 96, 1, 2, 255]),
        Role::HardwareVersion => at.data([0, 0, 96, 1, 3, 255]),
        Role::ConfigurationVersion => at.data([0, 0, 96, 1, 4, 255]),
        Role::ConfigurationBlock => at.setting([0, 0, 96, 50, 60, 255]),
        Role::FirmwareVersion => at.data([0, 0, 0, 2, 1, 255]),
        Role::Clock => at.spec(8, [0, 0, 1, 0, 0, 255], &[1, 2, 3, 4, 5, 6, 7, 8, 9], &[2], &[6]),
        Role::EventLog => Spec { methods: &[1], ..at.buffer([0, 0, 99, 98, 0, 255]) },
        Role::SecurityLog => at.buffer([0, 0, 99, 98, 1, 255]),
        Role::DeviceLog => at.buffer([0, 0, 99, 98, 10, 255]),
        // Profile status of load profile 1 (IEC 62056-6-1).
        Role::ProfileStatus => at.data([0, 0, 96, 10, 1, 255]),
        Role::ActiveImport => at.register([1, 0, 1, 8, 0, 255]),
        Role::ActiveExport => at.register([1, 0, 2, 8, 0, 255]),
        Role::Tier(tier) => at.register([1, 0, 1, 8, tier.saturating_add(1), 255]),
        Role::IntervalImport => at.register([1, 0, 1, 29, 0, 255]),
        Role::ActivePower => at.register([1, 0, 1, 7, 0, 255]),
        Role::Voltage => at.register([1, 0, 32, 7, 0, 255]),
        Role::GasVolume => at.register([7, 0, 3, 0, 0, 255]),
        Role::IntervalGas => at.register([7, 0, 3, 29, 0, 255]),
        Role::Battery => at.register([0, 0, 96, 6, 1, 255]),
        Role::CalorificValue => at.spec(3, [7, 0, 54, 0, 0, 255], REGISTER, &[2], NONE),
        Role::ConversionFactor => at.spec(3, [7, 0, 52, 0, 0, 255], REGISTER, &[2], NONE),
        Role::GasEnergy => at.register([7, 0, 33, 2, 0, 255]),
        Role::DailyLog => at.buffer([0, 0, 98, 2, 0, 255]),
        Role::BillingLog => at.buffer([0, 0, 98, 1, 0, 255]),
        // Of the national group of values, which leaves 44 to Great Britain.
        Role::MirrorRefreshed => at.data([0, 0, 94, 44, 0, 255]),
        Role::Profile => at.buffer([1, 0, 99, 1, 0, 255]),
        Role::Calendar => {
            at.spec(20, [0, 0, 13, 0, 0, 255], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], &[6, 7, 8, 9, 10], &[1])
        }
        Role::Account => {
            let readable = &[1, 2, 3, 4, 5, 6, 7, 8, 15, 16];
            at.spec(111, [0, 0, 19, 0, 0, 255], readable, &[2], NONE)
        }
        Role::Balance => at.spec(112, [0, 0, 19, 10, 0, 255], CREDIT, NONE, &[1, 2]),
        Role::EmergencyCredit => at.spec(112, [0, 0, 19, 10, 1, 255], CREDIT, NONE, &[3]),
        Role::Price => at.spec(113, [0, 0, 19, 20, 0, 255], CHARGE, &[5, 6, 7], &[1, 2]),
        Role::StandingCharge => at.spec(113, [0, 0, 19, 20, 4, 255], CHARGE, &[5, 6, 7], &[1, 2]),
        Role::TokenEntry => at.spec(115, [0, 0, 19, 40, 0, 255], &[1, 2, 3, 4, 5, 6], NONE, &[1]),
        Role::SupplyState => at.spec(70, [0, 0, 96, 3, 10, 255], &[1, 2, 3, 4], NONE, &[1, 2]),
        Role::OffReason => at.data([0, 0, 96, 5, 0, 255]),
        Role::SupplyScript => at.spec(9, [0, 0, 10, 0, 106, 255], &[1, 2], NONE, &[1]),
        Role::SapAssignment => at.spec(17, [0, 0, 41, 0, 0, 255], DATA, NONE, NONE),
        Role::SecuritySetup(client) => at.spec(64, [0, 0, 43, 0, client, 255], &[1, 2, 3, 4, 5], NONE, &[2]),
        Role::InvocationCounter(client) => at.data([0, 0, 43, 1, client, 255]),
        Role::Limiter => at.spec(71, [0, 0, 17, 0, 0, 255], &[1, 2, 3, 4, 6, 7, 11], &[4, 6, 7, 11], NONE),
        role => further(role),
    }
}

/// The same for what goes beyond the everyday objects.
fn further(role: Role) -> Spec {
    let at = Place(role);
    match role {
        Role::LimitCount => at.counter([0, 0, 96, 15, 1, 255]),
        Role::LimiterPassive => at.setting([0, 0, 96, 50, 20, 255]),
        Role::PowerThresholds => at.spec(21, [0, 0, 16, 0, 1, 255], &[1, 2, 3, 4], &[2], NONE),
        Role::DemandWindow => at.setting([0, 0, 96, 50, 21, 255]),
        Role::PeakImportInWindow => at.peak([1, 0, 1, 6, 1, 255]),
        Role::TamperState => at.setting([0, 0, 96, 50, 22, 255]),
        Role::HanAlerts => at.setting([0, 0, 97, 98, 12, 255]),
        Role::UnloggedEvents => at.setting([0, 0, 97, 98, 13, 255]),
        Role::ReactiveImport => at.register([1, 0, 3, 8, 0, 255]),
        Role::ReactiveExport => at.register([1, 0, 4, 8, 0, 255]),
        Role::Quadrant(quadrant) => at.register([1, 0, quadrant.saturating_add(5), 8, 0, 255]),
        Role::Block(block) => at.register([1, 0, 1, 8, block.saturating_add(129), 255]),
        // Time integral 2: since the block period began.
        Role::BlockCounter(block) => at.register([1, 0, 1, 9, block.saturating_add(129), 255]),
        Role::GasTier(tier) => at.register([7, 0, 3, 0, tier.saturating_add(1), 255]),
        Role::GasBlockCounter(block) => at.register([7, 0, 3, 9, block.saturating_add(129), 255]),
        Role::IntervalExport => at.register([1, 0, 2, 29, 0, 255]),
        Role::IntervalReactiveImport => at.register([1, 0, 3, 29, 0, 255]),
        Role::IntervalReactiveExport => at.register([1, 0, 4, 29, 0, 255]),
        Role::ExportPower => at.register([1, 0, 2, 7, 0, 255]),
        Role::PeakImport => at.peak([1, 0, 1, 6, 0, 255]),
        Role::PeakExport => at.peak([1, 0, 2, 6, 0, 255]),
        Role::DemandImport => at.demand([1, 0, 1, 4, 0, 255]),
        Role::DemandExport => at.demand([1, 0, 2, 4, 0, 255]),
        Role::ExportProfile => at.buffer([0, 0, 99, 1, 1, 255]),
        Role::ReactiveProfile => at.buffer([0, 0, 99, 1, 2, 255]),
        Role::ExportDailyLog => at.buffer([0, 0, 98, 1, 10, 255]),
        Role::TermsLog => at.buffer([0, 0, 98, 1, 2, 255]),
        Role::CreditLog => at.buffer([0, 0, 98, 1, 5, 255]),
        Role::DebtLog => at.buffer([0, 0, 98, 1, 4, 255]),
        Role::BillingSchedule => at.schedule([0, 0, 15, 0, 0, 255]),
        Role::BillingScript => at.spec(9, [0, 0, 10, 0, 1, 255], &[1, 2], NONE, &[1]),
        Role::TariffScript => at.spec(9, [0, 0, 10, 0, 100, 255], &[1, 2], NONE, NONE),
        Role::RegisterActivation => at.spec(6, [0, 0, 14, 0, 0, 255], &[1, 2, 3, 4], NONE, NONE),
        Role::SpecialDays => at.spec(11, [0, 0, 11, 0, 0, 255], DATA, &[2], &[1, 2]),
        Role::BlockThreshold(set) => {
            at.spec(21, [0, 0, 16, 0, set.saturating_add(11), 255], &[1, 2, 3, 4], &[2], NONE)
        }
        role => configuration(role),
    }
}

/// The same for what a meter is set up with.
fn configuration(role: Role) -> Spec {
    let at = Place(role);
    match role {
        Role::PassiveBlockThreshold(set) => {
            at.spec(21, [0, 0, 16, 1, set.saturating_add(11), 255], &[1, 2, 3, 4], &[2], NONE)
        }
        Role::PassiveNonDisablementDays => at.spec(11, [0, 0, 11, 0, 11, 255], DATA, &[2], NONE),
        Role::PassiveSpecialDays => at.spec(11, [0, 0, 11, 0, 10, 255], DATA, &[2], NONE),
        Role::BlockReset => at.spec(9, [0, 0, 10, 0, 111, 255], &[1, 2], NONE, &[1]),
        Role::DailyBlockReset => at.setting([0, 0, 96, 51, 1, 255]),
        Role::ActivationScript => at.spec(9, [0, 0, 10, 0, 110, 255], &[1, 2], NONE, &[1]),
        Role::Activation(part) => at.schedule([0, 0, 15, 0, part.saturating_add(10), 255]),
        Role::CreditSettings => at.data([0, 0, 96, 51, 2, 255]),
        Role::PassiveCreditSettings => at.setting([0, 0, 96, 51, 3, 255]),
        Role::ModeSettings => at.data([0, 0, 96, 51, 4, 255]),
        Role::PassiveModeSettings => at.setting([0, 0, 96, 51, 5, 255]),
        Role::AccountDays => at.buffer([0, 0, 98, 2, 1, 255]),
        Role::BillingPeriods => at.setting([0, 0, 96, 51, 6, 255]),
        Role::BlockPrice => at.spec(113, [0, 0, 19, 20, 5, 255], CHARGE, &[5, 6, 7], &[1, 2]),
        Role::VoltageProfile => Spec { writable: &[4], ..at.buffer([1, 0, 32, 24, 0, 255]) },
        Role::AverageVoltage => at.register([1, 0, 32, 25, 0, 255]),
        Role::VoltageThreshold(band) => {
            let (side, e) = band_place(band);
            at.spec(3, [1, 0, 12, 31 + 4 * side, e, 255], REGISTER, &[2], NONE)
        }
        Role::VoltagePatience(band) => {
            let (side, e) = band_place(band);
            at.spec(3, [1, 0, 12, 43 + side, e, 255], REGISTER, &[2], NONE)
        }
        Role::VoltageCount(band) => {
            let (side, e) = band_place(band);
            at.counter([1, 0, 12, 32 + 4 * side, e, 255])
        }
        Role::NonDisablement => at.calendar([0, 0, 13, 0, 1, 255]),
        Role::NonDisablementDays => at.spec(11, [0, 0, 11, 0, 1, 255], DATA, &[2], &[1, 2]),
        Role::SuspendDisablement => at.setting([0, 0, 96, 50, 1, 255]),
        Role::DebtBalance => at.spec(112, [0, 0, 19, 10, 2, 255], CREDIT, NONE, NONE),
        Role::TimeDebt(debt_number) => at.debt([0, 0, 19, 20, debt_number.saturating_add(1), 255], &[5, 8]),
        Role::PaymentDebt => at.debt([0, 0, 19, 20, 3, 255], &[13]),
        Role::DebtCap => at.setting([0, 0, 96, 50, 2, 255]),
        Role::AlertConfiguration => at.setting([0, 0, 97, 98, 10, 255]),
        Role::ImageTransfer => {
            at.spec(18, [0, 0, 44, 0, 0, 255], &[1, 2, 3, 4, 5, 6, 7], &[5], &[1, 2, 3, 4])
        }
        Role::ImageActivation => at.schedule([0, 0, 15, 0, 2, 255]),
        // Metering point identifiers, and the consumer message of the meter's display (IEC 62056-6-1).
        Role::MeterPoint => at.setting([0, 0, 96, 1, 10, 255]),
        Role::ExportMeterPoint => at.setting([0, 0, 96, 1, 11, 255]),
        Role::SupplierMessage => at.setting([0, 0, 96, 13, 1, 255]),
        Role::SupplierName => at.setting([0, 0, 96, 50, 40, 255]),
        Role::SupplierTelephone => at.setting([0, 0, 96, 50, 41, 255]),
        Role::AccessRestriction => at.setting([0, 0, 96, 50, 42, 255]),
        Role::PrivacyPin => at.setting([0, 0, 96, 50, 43, 255]),
        Role::IdentificationNumber => at.setting([0, 0, 96, 50, 44, 255]),
        Role::UncontrolledFlow => at.spec(3, [7, 0, 96, 50, 1, 255], REGISTER, &[2], NONE),
        Role::FlowStabilisation => at.spec(3, [7, 0, 96, 50, 2, 255], REGISTER, &[2], NONE),
        Role::FlowMeasurement => at.spec(3, [7, 0, 96, 50, 3, 255], REGISTER, &[2], NONE),
        Role::DepletionState => at.setting([0, 0, 96, 50, 45, 255]),
        Role::NetworkDataLog => Spec { writable: &[4], ..at.buffer([7, 0, 99, 2, 0, 255]) },
        Role::NetworkDataSample => at.data([7, 0, 96, 50, 4, 255]),
        // ZigBee network control: register and unregister a device, and those that are.
        Role::NetworkControl => at.spec(104, [0, 0, 35, 4, 0, 255], &[1, 5], NONE, &[1, 2]),
        Role::JoinList => at.setting([0, 0, 96, 50, 10, 255]),
        Role::PermitJoin => at.setting([0, 0, 96, 50, 11, 255]),
        // Of what is left only this one is further.
        _ => at.setting([0, 0, 96, 50, 12, 255]),
    }
}

/// Where a voltage band's objects are: sags and undervoltage on side 0, swells and overvoltage on side 1; E is 0 for
/// the short, 1 for the extreme, 2 for the average.
fn band_place(band: u8) -> (u8, u8) {
    (band % 2, band / 2)
}
