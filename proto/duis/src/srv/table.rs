//! The table of Service Reference Variants: data, not logic.

use super::{DeviceKind, Smets1Use, Unverified, UserRole};
use crate::vocabulary::UserRole::*;

macro_rules! table {
    ($($variant:ident {
        srv: $srv:literal, reference: $reference:literal, name: $name:literal, critical: $critical:literal,
        roles: [$($role:ident),+],
        smets1: $smets1:expr,
    })+) => {
        /// A Service Reference Variant, named for the body element of its request.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Srv {
            $(#[doc = concat!($srv, " ", $name, ".")] $variant,)+
        }

        impl Srv {
            /// Every variant, in the order of the table.
            pub const ALL: &'static [Srv] = &[$(Srv::$variant,)+];

            /// The number of the variant (`4.1.1`).
            pub const fn as_str(self) -> &'static str {
                match self { $(Srv::$variant => $srv,)+ }
            }

            /// The Service Reference it belongs to (`4.1`).
            pub const fn reference(self) -> &'static str {
                match self { $(Srv::$variant => $reference,)+ }
            }

            /// Its name in words.
            pub const fn name(self) -> &'static str {
                match self { $(Srv::$variant => $name,)+ }
            }

            /// Whether a wrong one could cut a supply or a customer's money.
            pub const fn is_critical(self) -> bool {
                match self { $(Srv::$variant => $critical,)+ }
            }

            /// The roles that may send it.
            pub const fn roles(self) -> &'static [UserRole] {
                match self { $(Srv::$variant => &[$($role),+],)+ }
            }

            /// The element below `Body` in its request.
            pub const fn body_element(self) -> &'static str {
                match self { $(Srv::$variant => stringify!($variant),)+ }
            }

            /// How it is used with SMETS1 devices.
            pub const fn smets1(self) -> Unverified<Smets1Use> {
                match self { $(Srv::$variant => $smets1,)+ }
            }
        }
    };
}

const ESME: &[DeviceKind] = &[DeviceKind::Esme];
const METERS: &[DeviceKind] = &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf];
/// Meters that firmware is for: the mirror of one is part of the hub.
const METERS_ALONE: &[DeviceKind] = &[DeviceKind::Esme, DeviceKind::Gsme];
const METERS_AND_HUB: &[DeviceKind] = &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf, DeviceKind::Chf];
const ALL: &[DeviceKind] =
    &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf, DeviceKind::Chf, DeviceKind::Ppmid];

/// A request that goes to a device as a command over the wide area network.
const fn sent_to(targets: &'static [DeviceKind]) -> Unverified<Smets1Use> {
    Unverified(Smets1Use { targets, command_variant: 1, doubtful: false })
}

/// The same, where it is not even sure that SMETS1 devices are sent it.
#[allow(dead_code)]
const fn perhaps_sent_to(targets: &'static [DeviceKind]) -> Unverified<Smets1Use> {
    Unverified(Smets1Use { targets, command_variant: 1, doubtful: true })
}

/// A request that no device sees.
const fn answered_by_the_dcc() -> Unverified<Smets1Use> {
    Unverified(Smets1Use { targets: &[], command_variant: 8, doubtful: false })
}

#[rustfmt::skip]
table! {
    UpdatePricePrimaryElement {
        srv: "1.2.1", reference: "1.2", name: "Update Price (Primary Element)", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    UpdatePaymentMode {
        srv: "1.6", reference: "1.6", name: "Update Payment Mode", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    TopUpDevice {
        srv: "2.2", reference: "2.2", name: "Top Up Device", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ReadInstantaneousImportRegisters {
        srv: "4.1.1", reference: "4.1", name: "Read Instantaneous Import Registers", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter],
        smets1: sent_to(METERS),
    }
    ReadInstantaneousPrepayValues {
        srv: "4.3", reference: "4.3", name: "Read Instantaneous Prepay Values", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ReadActiveImportProfileData {
        srv: "4.8.1", reference: "4.8", name: "Read Active Import Profile Data", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: sent_to(METERS),
    }
    ReadTariffPrimaryElement {
        srv: "4.11.1", reference: "4.11", name: "Read Tariff (Primary Element)", critical: false,
        roles: [ImportSupplier, GasSupplier, OtherUser],
        smets1: sent_to(METERS),
    }
    ReadActivePowerImport {
        srv: "4.16", reference: "4.16", name: "Read Active Power Import", critical: false,
        roles: [ImportSupplier, ElectricityDistributor],
        smets1: sent_to(ESME),
    }
    ReadMeterBalance {
        srv: "4.18", reference: "4.18", name: "Read Meter Balance", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ReadDeviceConfigurationIdentityExcMPxN {
        srv: "6.2.4", reference: "6.2", name: "Read Device Configuration (Identity Exc MPxN)", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: sent_to(METERS_AND_HUB),
    }
    SynchroniseClock {
        srv: "6.11", reference: "6.11", name: "Synchronise Clock", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ReadEventOrSecurityLog {
        srv: "6.13", reference: "6.13", name: "Read Event Or Security Log", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter, RegisteredSupplierAgent],
        smets1: sent_to(METERS_AND_HUB),
    }
    EnableSupply {
        srv: "7.1", reference: "7.1", name: "Enable Supply", critical: true,
        roles: [ImportSupplier],
        smets1: sent_to(ESME),
    }
    DisableSupply {
        srv: "7.2", reference: "7.2", name: "Disable Supply", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ArmSupply {
        srv: "7.3", reference: "7.3", name: "Arm Supply", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS),
    }
    ReadSupplyStatus {
        srv: "7.4", reference: "7.4", name: "Read Supply Status", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter],
        smets1: sent_to(METERS),
    }
    ReadInventory {
        srv: "8.2", reference: "8.2", name: "Read Inventory", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: answered_by_the_dcc(),
    }
    ReadDeviceLog {
        srv: "8.9", reference: "8.9", name: "Read Device Log", critical: false,
        roles: [ImportSupplier, GasSupplier, OtherUser],
        smets1: sent_to(METERS_AND_HUB),
    }
    UpdateFirmware {
        srv: "11.1", reference: "11.1", name: "Update Firmware", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: answered_by_the_dcc(),
    }
    ReadFirmwareVersion {
        srv: "11.2", reference: "11.2", name: "Read Firmware Version", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: sent_to(ALL),
    }
    ActivateFirmware {
        srv: "11.3", reference: "11.3", name: "Activate Firmware", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: sent_to(METERS_ALONE),
    }
}
