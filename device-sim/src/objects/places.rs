//! Where each object is by default, and what may be done with it (general OBIS practice and the GBCS use-case tables;
//! unverified).

use proto_dlms::data::{ClassId, Obis};

use super::directory::{Role, Spec};

const NONE: &[i8] = &[];
const DATA: &[i8] = &[1, 2];
const REGISTER: &[i8] = &[1, 2, 3];
const BUFFER: &[i8] = &[1, 2, 3, 4, 5, 6, 7, 8];
const CHARGE: &[i8] = &[1, 2, 3, 4, 5, 6, 7, 8];
const CREDIT: &[i8] = &[1, 2, 3, 4, 5, 6, 8, 9, 10];

/// Where everything is by default (general OBIS practice and the GBCS use-case tables; unverified).
pub(super) fn usual(role: Role) -> Spec {
    let spec = |class, obis, readable, writable, methods| Spec {
        role,
        class: ClassId(class),
        obis: Obis(obis),
        version: 0,
        readable,
        writable,
        methods,
        scaler: None,
    };
    let data = |obis| spec(1, obis, DATA, NONE, NONE);
    let register = |obis| spec(3, obis, REGISTER, NONE, NONE);
    let buffer = |obis| Spec { version: 1, ..spec(7, obis, BUFFER, NONE, NONE) };
    match role {
        Role::Association => {
            Spec { version: 1, ..spec(15, [0, 0, 40, 0, 0, 255], &[1, 2, 3, 4, 5, 6, 8], &[7], NONE) }
        }
        Role::LogicalDeviceName => data([0, 0, 42, 0, 0, 255]),
        Role::Identity => data([0, 0, 96, 1, 0, 255]),
        Role::Manufacturer => data([0, 0, 96, 1, 1, 255]),
        Role::Model => data([0, 0, 96, 1, 2, 255]),
        Role::HardwareVersion => data([0, 0, 96, 1, 3, 255]),
        Role::ConfigurationVersion => data([0, 0, 96, 1, 4, 255]),
        Role::FirmwareVersion => data([0, 0, 0, 2, 1, 255]),
        Role::Clock => spec(8, [0, 0, 1, 0, 0, 255], &[1, 2, 3, 4, 5, 6, 7, 8, 9], &[2], &[6]),
        Role::EventLog => Spec { methods: &[1], ..buffer([0, 0, 99, 98, 0, 255]) },
        Role::SecurityLog => buffer([0, 0, 99, 98, 1, 255]),
        Role::DeviceLog => buffer([0, 0, 99, 98, 10, 255]),
        Role::ActiveImport => register([1, 0, 1, 8, 0, 255]),
        Role::ActiveExport => register([1, 0, 2, 8, 0, 255]),
        Role::Tier(tier) => register([1, 0, 1, 8, tier.saturating_add(1), 255]),
        Role::IntervalImport => register([1, 0, 1, 29, 0, 255]),
        Role::ActivePower => register([1, 0, 1, 7, 0, 255]),
        Role::Voltage => register([1, 0, 32, 7, 0, 255]),
        Role::GasVolume => register([7, 0, 3, 0, 0, 255]),
        Role::IntervalGas => register([7, 0, 3, 29, 0, 255]),
        Role::Battery => register([0, 0, 96, 6, 1, 255]),
        Role::CalorificValue => spec(3, [7, 0, 54, 0, 0, 255], REGISTER, &[2], NONE),
        Role::ConversionFactor => spec(3, [7, 0, 52, 0, 0, 255], REGISTER, &[2], NONE),
        Role::GasEnergy => register([7, 0, 33, 2, 0, 255]),
        Role::DailyLog => buffer([0, 0, 98, 2, 0, 255]),
        Role::BillingLog => buffer([0, 0, 98, 1, 0, 255]),
        // Of the national group of values, which leaves 44 to Great Britain.
        Role::MirrorRefreshed => data([0, 0, 94, 44, 0, 255]),
        Role::Profile => buffer([1, 0, 99, 1, 0, 255]),
        Role::Calendar => {
            spec(20, [0, 0, 13, 0, 0, 255], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], &[6, 7, 8, 9, 10], &[1])
        }
        Role::Account => {
            let readable = &[1, 2, 3, 4, 5, 6, 7, 8, 15, 16];
            spec(111, [0, 0, 19, 0, 0, 255], readable, &[2], NONE)
        }
        Role::Balance => spec(112, [0, 0, 19, 10, 0, 255], CREDIT, NONE, &[1, 2]),
        Role::EmergencyCredit => spec(112, [0, 0, 19, 10, 1, 255], CREDIT, NONE, &[3]),
        Role::Price => spec(113, [0, 0, 19, 20, 0, 255], CHARGE, &[5, 6, 7], &[1, 2]),
        Role::StandingCharge => spec(113, [0, 0, 19, 20, 4, 255], CHARGE, &[5, 6, 7], &[1, 2]),
        Role::TokenEntry => spec(115, [0, 0, 19, 40, 0, 255], &[1, 2, 3, 4, 5, 6], NONE, &[1]),
        Role::SupplyState => spec(70, [0, 0, 96, 3, 10, 255], &[1, 2, 3, 4], NONE, &[1, 2]),
        Role::OffReason => data([0, 0, 96, 5, 0, 255]),
        Role::SupplyScript => spec(9, [0, 0, 10, 0, 106, 255], &[1, 2], NONE, &[1]),
        Role::SapAssignment => spec(17, [0, 0, 41, 0, 0, 255], DATA, NONE, NONE),
        Role::SecuritySetup(client) => spec(64, [0, 0, 43, 0, client, 255], &[1, 2, 3, 4, 5], NONE, NONE),
        Role::InvocationCounter(client) => data([0, 0, 43, 1, client, 255]),
        Role::Limiter => spec(71, [0, 0, 17, 0, 0, 255], &[1, 2, 3, 4, 6, 7, 11], &[4, 6, 7, 11], NONE),
        role => further(role),
    }
}

/// The same for what goes beyond the everyday objects.
fn further(role: Role) -> Spec {
    let spec = |class, obis, readable, writable, methods| Spec {
        role,
        class: ClassId(class),
        obis: Obis(obis),
        version: 0,
        readable,
        writable,
        methods,
        scaler: None,
    };
    let data = |obis| spec(1, obis, DATA, NONE, NONE);
    let setting = |obis| spec(1, obis, DATA, &[2], NONE);
    let register = |obis| spec(3, obis, REGISTER, NONE, NONE);
    let peak = |obis| spec(4, obis, &[1, 2, 3, 4, 5], NONE, &[1]);
    let demand = |obis| spec(5, obis, &[1, 2, 3, 4, 5, 6, 7, 8, 9], &[8], &[1, 2]);
    let buffer = |obis| Spec { version: 1, ..spec(7, obis, BUFFER, NONE, NONE) };
    let calendar = |obis| spec(20, obis, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], &[6, 7, 8, 9, 10], &[1]);
    let schedule = |obis| spec(22, obis, &[1, 2, 3, 4], &[4], NONE);
    let debt = |obis, writable| spec(113, obis, &[1, 2, 3, 4, 5, 6, 7, 8, 12, 13], writable, &[4, 5]);
    match role {
        Role::LimitCount => data([0, 0, 96, 15, 1, 255]),
        Role::ReactiveImport => register([1, 0, 3, 8, 0, 255]),
        Role::ReactiveExport => register([1, 0, 4, 8, 0, 255]),
        Role::Quadrant(quadrant) => register([1, 0, quadrant.saturating_add(5), 8, 0, 255]),
        Role::Block(block) => register([1, 0, 1, 8, block.saturating_add(129), 255]),
        Role::IntervalExport => register([1, 0, 2, 29, 0, 255]),
        Role::IntervalReactiveImport => register([1, 0, 3, 29, 0, 255]),
        Role::IntervalReactiveExport => register([1, 0, 4, 29, 0, 255]),
        Role::ExportPower => register([1, 0, 2, 7, 0, 255]),
        Role::PeakImport => peak([1, 0, 1, 6, 0, 255]),
        Role::PeakExport => peak([1, 0, 2, 6, 0, 255]),
        Role::DemandImport => demand([1, 0, 1, 4, 0, 255]),
        Role::DemandExport => demand([1, 0, 2, 4, 0, 255]),
        Role::ExportProfile => buffer([0, 0, 99, 1, 1, 255]),
        Role::ReactiveProfile => buffer([0, 0, 99, 1, 2, 255]),
        Role::ExportDailyLog => buffer([0, 0, 98, 1, 10, 255]),
        Role::CreditLog => buffer([0, 0, 98, 1, 5, 255]),
        Role::DebtLog => buffer([0, 0, 98, 1, 4, 255]),
        Role::BillingSchedule => schedule([0, 0, 15, 0, 0, 255]),
        Role::BillingScript => spec(9, [0, 0, 10, 0, 1, 255], &[1, 2], NONE, &[1]),
        Role::TariffScript => spec(9, [0, 0, 10, 0, 100, 255], &[1, 2], NONE, NONE),
        Role::RegisterActivation => spec(6, [0, 0, 14, 0, 0, 255], &[1, 2, 3, 4], NONE, NONE),
        Role::SpecialDays => spec(11, [0, 0, 11, 0, 0, 255], DATA, &[2], &[1, 2]),
        Role::BlockThreshold(block) => {
            spec(21, [0, 0, 16, 0, block.saturating_add(11), 255], &[1, 2, 3, 4], &[2], NONE)
        }
        Role::BlockPrice => spec(113, [0, 0, 19, 20, 5, 255], CHARGE, &[5, 6, 7], &[1, 2]),
        Role::VoltageProfile => Spec { writable: &[4], ..buffer([1, 0, 32, 24, 0, 255]) },
        Role::AverageVoltage => register([1, 0, 32, 25, 0, 255]),
        Role::VoltageThreshold(band) => {
            let (side, e) = band_place(band);
            spec(3, [1, 0, 12, 31 + 4 * side, e, 255], REGISTER, &[2], NONE)
        }
        Role::VoltagePatience(band) => {
            let (side, e) = band_place(band);
            spec(3, [1, 0, 12, 43 + side, e, 255], REGISTER, &[2], NONE)
        }
        Role::VoltageCount(band) => {
            let (side, e) = band_place(band);
            data([1, 0, 12, 32 + 4 * side, e, 255])
        }
        Role::NonDisablement => calendar([0, 0, 13, 0, 1, 255]),
        Role::NonDisablementDays => spec(11, [0, 0, 11, 0, 1, 255], DATA, &[2], &[1, 2]),
        Role::SuspendDisablement => setting([0, 0, 96, 50, 1, 255]),
        Role::DebtBalance => spec(112, [0, 0, 19, 10, 2, 255], CREDIT, NONE, NONE),
        Role::TimeDebt(debt_number) => debt([0, 0, 19, 20, debt_number.saturating_add(1), 255], &[5, 8]),
        Role::PaymentDebt => debt([0, 0, 19, 20, 3, 255], &[13]),
        Role::DebtCap => setting([0, 0, 96, 50, 2, 255]),
        Role::AlertConfiguration => setting([0, 0, 97, 98, 10, 255]),
        Role::ImageTransfer => spec(18, [0, 0, 44, 0, 0, 255], &[1, 2, 3, 4, 5, 6, 7], &[5], &[1, 2, 3, 4]),
        Role::ImageActivation => schedule([0, 0, 15, 0, 2, 255]),
        Role::JoinList => setting([0, 0, 96, 50, 10, 255]),
        // Of what is left only this one is further.
        _ => setting([0, 0, 96, 50, 11, 255]),
    }
}

/// Where a voltage band's objects are: sags and undervoltage on side 0, swells and overvoltage on side 1; E is 0 for
/// the short, 1 for the extreme, 2 for the average.
fn band_place(band: u8) -> (u8, u8) {
    (band % 2, band / 2)
}
