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

#[rustfmt::skip]
table! {
    UpdatePricePrimaryElement {
        srv: "1.2.1", reference: "1.2", name: "Update Price (Primary Element)", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    UpdatePaymentMode {
        srv: "1.6", reference: "1.6", name: "Update Payment Mode", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    TopUpDevice {
        srv: "2.2", reference: "2.2", name: "Top Up Device", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    ReadInstantaneousImportRegisters {
        srv: "4.1.1", reference: "4.1", name: "Read Instantaneous Import Registers", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    ReadInstantaneousPrepayValues {
        srv: "4.3", reference: "4.3", name: "Read Instantaneous Prepay Values", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    ReadActiveImportProfileData {
        srv: "4.8.1", reference: "4.8", name: "Read Active Import Profile Data", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    ReadTariffPrimaryElement {
        srv: "4.11.1", reference: "4.11", name: "Read Tariff (Primary Element)", critical: false,
        roles: [ImportSupplier, GasSupplier, OtherUser],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    ReadActivePowerImport {
        srv: "4.16", reference: "4.16", name: "Read Active Power Import", critical: false,
        roles: [ImportSupplier, ElectricityDistributor],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme], command_variant: 1 }),
    }
    ReadMeterBalance {
        srv: "4.18", reference: "4.18", name: "Read Meter Balance", critical: false,
        roles: [ImportSupplier, GasSupplier],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    ReadDeviceConfigurationIdentityExcMPxN {
        srv: "6.2.4", reference: "6.2", name: "Read Device Configuration (Identity Exc MPxN)", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf, DeviceKind::Chf], command_variant: 1 }),
    }
    SynchroniseClock {
        srv: "6.11", reference: "6.11", name: "Synchronise Clock", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    ReadEventOrSecurityLog {
        srv: "6.13", reference: "6.13", name: "Read Event Or Security Log", critical: false,
        roles: [ImportSupplier, GasSupplier, ElectricityDistributor, GasTransporter, RegisteredSupplierAgent],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf, DeviceKind::Chf], command_variant: 1 }),
    }
    EnableSupply {
        srv: "7.1", reference: "7.1", name: "Enable Supply", critical: true,
        roles: [ImportSupplier],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme], command_variant: 1 }),
    }
    DisableSupply {
        srv: "7.2", reference: "7.2", name: "Disable Supply", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    ArmSupply {
        srv: "7.3", reference: "7.3", name: "Arm Supply", critical: true,
        roles: [ImportSupplier, GasSupplier],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    ReadSupplyStatus {
        srv: "7.4", reference: "7.4", name: "Read Supply Status", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    ReadInventory {
        srv: "8.2", reference: "8.2", name: "Read Inventory", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: Unverified(Smets1Use { targets: &[], command_variant: 8 }),
    }
    ReadDeviceLog {
        srv: "8.9", reference: "8.9", name: "Read Device Log", critical: false,
        roles: [ImportSupplier, GasSupplier, OtherUser],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Chf, DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf], command_variant: 1 }),
    }
    ReadFirmwareVersion {
        srv: "11.2", reference: "11.2", name: "Read Firmware Version", critical: false,
        roles: [ImportSupplier, ExportSupplier, GasSupplier, RegisteredSupplierAgent, ElectricityDistributor, GasTransporter, OtherUser],
        smets1: Unverified(Smets1Use { targets: &[DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Gpf, DeviceKind::Chf, DeviceKind::Ppmid], command_variant: 1 }),
    }
}
