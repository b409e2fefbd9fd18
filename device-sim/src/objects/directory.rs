//! Which objects a device has, where they are, and what may be done with them.
//!
//! The Device Model's profile says where a function is found; what it does not say is at its usual place.

use std::collections::BTreeMap;

use lab_config::{DlmsProfile, Mechanism, ProfileColumn};
use proto_dlms::data::{ClassId, Obis};
use proto_duis::DeviceKind;

use super::functions::role_of;
use super::places::usual;
use super::role::Role;
use crate::model::tariff::{BLOCK_REGISTERS, BLOCK_SETS, BLOCKS, GAS_REGISTERS, REGISTERS};

/// An object as it is found and may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// What it is for.
    pub role: Role,
    /// Interface class.
    pub class: ClassId,
    /// Logical name.
    pub obis: Obis,
    /// Version of the class.
    pub version: u8,
    /// Attributes that can be read.
    pub readable: &'static [i8],
    /// Attributes that can be written.
    pub writable: &'static [i8],
    /// Methods there are.
    pub methods: &'static [i8],
    /// The power of ten its value is given in, where the Device Model has another than usual.
    pub scaler: Option<i8>,
}

impl Spec {
    /// Whether the public client may read it: who the device is, and the time.
    pub fn is_public(&self) -> bool {
        use Role::{
            Association, Clock, FirmwareVersion, Identity, InvocationCounter, LogicalDeviceName,
            Manufacturer, Model, SapAssignment,
        };
        matches!(
            self.role,
            Association
                | Clock
                | FirmwareVersion
                | Identity
                | InvocationCounter(_)
                | LogicalDeviceName
                | Manufacturer
                | Model
                | SapAssignment
        )
    }
}

/// Objects every device has.
const COMMON: &[Role] = &[
    Role::Association,
    Role::LogicalDeviceName,
    Role::SapAssignment,
    Role::Identity,
    Role::Manufacturer,
    Role::Model,
    Role::HardwareVersion,
    Role::FirmwareVersion,
    Role::ConfigurationVersion,
    Role::ConfigurationBlock,
    Role::Clock,
    Role::EventLog,
    Role::SecurityLog,
    Role::AlertConfiguration,
    Role::ImageTransfer,
    Role::ImageActivation,
];

/// Objects of devices that a customer has to do with.
const CUSTOMER: &[Role] = &[
    Role::MeterPoint,
    Role::SupplierMessage,
    Role::SupplierName,
    Role::SupplierTelephone,
    Role::AccessRestriction,
    Role::PrivacyPin,
    Role::IdentificationNumber,
    Role::NetworkControl,
];

const ESME: &[Role] = &[
    Role::ExportMeterPoint,
    Role::ActiveImport,
    Role::ActiveExport,
    Role::ReactiveImport,
    Role::ReactiveExport,
    Role::IntervalImport,
    Role::IntervalExport,
    Role::IntervalReactiveImport,
    Role::IntervalReactiveExport,
    Role::ExportPower,
    Role::PeakImport,
    Role::PeakExport,
    Role::DemandImport,
    Role::DemandExport,
    Role::ExportProfile,
    Role::ReactiveProfile,
    Role::DailyLog,
    Role::ExportDailyLog,
    Role::BillingLog,
    Role::TermsLog,
    Role::CreditLog,
    Role::DebtLog,
    Role::BillingSchedule,
    Role::BillingScript,
    Role::TariffScript,
    Role::RegisterActivation,
    Role::SpecialDays,
    Role::BlockPrice,
    Role::PassiveSpecialDays,
    Role::BlockReset,
    Role::DailyBlockReset,
    Role::VoltageProfile,
    Role::AverageVoltage,
    Role::NonDisablement,
    Role::NonDisablementDays,
    Role::SuspendDisablement,
    Role::DebtBalance,
    Role::TimeDebt(0),
    Role::TimeDebt(1),
    Role::PaymentDebt,
    Role::DebtCap,
    Role::LimitCount,
    Role::ActivePower,
    Role::Voltage,
    Role::Profile,
    Role::Calendar,
    Role::Account,
    Role::Balance,
    Role::EmergencyCredit,
    Role::Price,
    Role::StandingCharge,
    Role::TokenEntry,
    Role::SupplyState,
    Role::OffReason,
    Role::SupplyScript,
    Role::Limiter,
    Role::LimiterPassive,
    Role::PowerThresholds,
    Role::DemandWindow,
    Role::PeakImportInWindow,
    Role::TamperState,
    Role::HanAlerts,
    Role::UnloggedEvents,
];

const GSME: &[Role] = &[
    Role::Calendar,
    Role::SpecialDays,
    Role::PassiveSpecialDays,
    Role::BlockPrice,
    Role::BlockThreshold(0),
    Role::PassiveBlockThreshold(0),
    Role::BillingPeriods,
    Role::UncontrolledFlow,
    Role::FlowStabilisation,
    Role::FlowMeasurement,
    Role::DepletionState,
    Role::TamperState,
    Role::NetworkDataLog,
    Role::NetworkDataSample,
    Role::CreditLog,
    Role::DebtLog,
    Role::NonDisablement,
    Role::NonDisablementDays,
    Role::SuspendDisablement,
    Role::DebtBalance,
    Role::TimeDebt(0),
    Role::TimeDebt(1),
    Role::PaymentDebt,
    Role::DebtCap,
    Role::GasVolume,
    Role::IntervalGas,
    Role::Battery,
    Role::CalorificValue,
    Role::ConversionFactor,
    Role::GasEnergy,
    Role::Profile,
    Role::DailyLog,
    Role::BillingLog,
    Role::Account,
    Role::Balance,
    Role::EmergencyCredit,
    Role::Price,
    Role::StandingCharge,
    Role::TokenEntry,
    Role::SupplyState,
    Role::OffReason,
    Role::SupplyScript,
    Role::HanAlerts,
    Role::UnloggedEvents,
];

const GPF: &[Role] = &[
    Role::GasVolume,
    Role::IntervalGas,
    Role::Battery,
    Role::MirrorRefreshed,
    Role::Profile,
    Role::DailyLog,
    Role::Account,
    Role::Balance,
    Role::Price,
    Role::StandingCharge,
    Role::SupplyState,
];

/// Objects both meters have that put configuration in force, and tell of the account.
const CONFIGURABLE: &[Role] = &[
    Role::ActivationScript,
    Role::Activation(0),
    Role::Activation(1),
    Role::Activation(2),
    Role::PassiveNonDisablementDays,
    Role::CreditSettings,
    Role::PassiveCreditSettings,
    Role::ModeSettings,
    Role::PassiveModeSettings,
    Role::AccountDays,
];

fn up_to(count: usize) -> std::ops::Range<u8> {
    0..u8::try_from(count).unwrap_or_default()
}

/// Objects a gas meter has several of.
fn numbered_of_gas() -> impl Iterator<Item = Role> {
    up_to(GAS_REGISTERS).map(Role::GasTier).chain(up_to(BLOCKS).map(Role::GasBlockCounter))
}

/// Objects an electricity meter has several of.
fn numbered() -> impl Iterator<Item = Role> {
    let tiers = up_to(REGISTERS).map(Role::Tier);
    let sets =
        up_to(BLOCK_SETS).flat_map(|set| [Role::BlockThreshold(set), Role::PassiveBlockThreshold(set)]);
    let blocks = up_to(BLOCK_REGISTERS).flat_map(|block| [Role::Block(block), Role::BlockCounter(block)]);
    let bands = (0..6).flat_map(|band| [Role::VoltageThreshold(band), Role::VoltageCount(band)]);
    let patience = (0..4).map(Role::VoltagePatience);
    tiers.chain(sets).chain(blocks).chain(bands).chain(patience).chain((0..4).map(Role::Quadrant))
}

fn roles(kind: DeviceKind) -> impl Iterator<Item = Role> {
    let own: &[Role] = match kind {
        DeviceKind::Chf => {
            &[Role::DeviceLog, Role::JoinList, Role::PermitJoin, Role::HeldMessages, Role::NetworkControl]
        }
        DeviceKind::Gpf => GPF,
        DeviceKind::Esme => ESME,
        DeviceKind::Gsme => GSME,
        DeviceKind::Ppmid | DeviceKind::Ihd => &[],
    };
    let meters = matches!(kind, DeviceKind::Esme | DeviceKind::Gsme);
    let configurable = CONFIGURABLE.iter().filter(move |_| meters);
    let customer = CUSTOMER.iter().filter(move |_| meters || kind == DeviceKind::Gpf);
    let electricity = numbered().filter(move |_| kind == DeviceKind::Esme);
    let gas = numbered_of_gas().filter(move |_| kind == DeviceKind::Gsme);
    COMMON.iter().chain(own).chain(configurable).chain(customer).copied().chain(electricity).chain(gas)
}

/// The role after this one among several of a kind; none after what is not one of several.
fn following(role: Role) -> Option<Role> {
    Some(match role {
        Role::Block(block) => Role::Block(block.checked_add(1)?),
        Role::BlockCounter(block) => Role::BlockCounter(block.checked_add(1)?),
        Role::GasTier(tier) => Role::GasTier(tier.checked_add(1)?),
        Role::GasBlockCounter(block) => Role::GasBlockCounter(block.checked_add(1)?),
        Role::BlockThreshold(set) => Role::BlockThreshold(set.checked_add(1)?),
        Role::PassiveBlockThreshold(set) => Role::PassiveBlockThreshold(set.checked_add(1)?),
        _ => return None,
    })
}

/// Places the objects that follow the first of several, one after the other in group E.
fn place_following(specs: &mut BTreeMap<Role, Spec>, first: Role) {
    let Some(Spec { obis: Obis([a, b, c, d, mut e, f]), .. }) = specs.get(&first).copied() else { return };
    let mut role = first;
    while let Some(spec) = following(role).and_then(|next| specs.get_mut(&next)) {
        (role, e) = (spec.role, e.wrapping_add(1));
        spec.obis = Obis([a, b, c, d, e, f]);
    }
}

/// The security objects of each client that has keys, placed as the Device Model says.
fn security(profile: &DlmsProfile) -> Vec<(Role, Spec)> {
    let mut specs = Vec::new();
    for (client, fact) in profile.security.iter().filter(|(_, fact)| fact.value.mechanism == Mechanism::Gmac)
    {
        let place = |role, obis: Option<lab_config::cosem::Obis>| {
            let spec = usual(role);
            (role, Spec { obis: obis.unwrap_or(spec.obis), ..spec })
        };
        specs.push(place(Role::SecuritySetup(client.get()), fact.value.security_setup));
        specs.push(place(Role::InvocationCounter(client.get()), fact.value.invocation_counter));
    }
    specs
}

/// The objects of one device.
#[derive(Debug, Clone)]
pub struct Directory {
    by_name: BTreeMap<Obis, Spec>,
    by_role: BTreeMap<Role, Obis>,
}

impl Directory {
    /// The objects of a device of this kind, placed as its Device Model says.
    pub fn new(kind: DeviceKind, profile: &DlmsProfile) -> Self {
        let mut specs: BTreeMap<Role, Spec> = roles(kind).map(|role| (role, usual(role))).collect();
        for (function, object) in &profile.objects {
            if let Some(spec) = role_of(*function).and_then(|role| specs.get_mut(&role)) {
                spec.obis = Obis(object.value.obis.0);
                spec.scaler = object.value.scaler;
                let role = spec.role;
                place_following(&mut specs, role);
            }
        }
        specs.extend(security(profile));
        if profile.particulars.profile_columns().contains(&ProfileColumn::Status) {
            specs.insert(Role::ProfileStatus, usual(Role::ProfileStatus));
        }
        Self {
            by_role: specs.values().map(|spec| (spec.role, spec.obis)).collect(),
            by_name: specs.into_values().map(|spec| (spec.obis, spec)).collect(),
        }
    }

    /// The object of this name.
    pub fn find(&self, obis: Obis) -> Option<&Spec> {
        self.by_name.get(&obis)
    }

    /// The name of the object with this role; that of the usual place for one the device does not have.
    pub fn name(&self, role: Role) -> Obis {
        self.by_role.get(&role).copied().unwrap_or(usual(role).obis)
    }

    /// The power of ten the value of the object with this role is given in, `usual` unless the Device Model has another.
    pub fn scaler(&self, role: Role, usual: i8) -> i8 {
        self.by_role.get(&role).and_then(|obis| self.find(*obis)?.scaler).unwrap_or(usual)
    }

    /// Every object, by name.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Spec> {
        self.by_name.values()
    }
}

#[cfg(test)]
mod tests {
    use lab_config::{Lab, Profile};

    use super::*;

    #[test]
    fn the_shipped_models_find_their_functions() {
        let cohorts =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../lab-config/labs/cohorts.toml");
        let (embedded, cohorts) = (Lab::embedded().unwrap(), Lab::load(&cohorts).unwrap());
        for model in embedded.models.values().chain(cohorts.models.values()) {
            let Profile::Dlms(profile) = &model.profile else { continue };
            let directory = Directory::new(model.kind, profile);
            for (function, object) in &profile.objects {
                let spec = directory.find(Obis(object.value.obis.0));
                let spec = spec.unwrap_or_else(|| panic!("{} has no {function}", model.id));
                assert_eq!(role_of(*function), Some(spec.role), "{}: {function} is hidden", model.id);
                assert!(spec.readable.contains(&object.value.attribute) || object.value.attribute == 2);
            }
        }
    }
}
