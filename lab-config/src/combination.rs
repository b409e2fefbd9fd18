//! Device Model Combinations and their entries in the SMETS1 Eligible Product Combinations List.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use proto_duis::DeviceKind;

use crate::{DeviceModel, Fuel, Name};

crate::vocabulary! {
    /// A Capability Release of the SMETS1 Services.
    pub enum CapabilityRelease {
        /// Initial Operating Capability.
        Ioc = "IOC",
        /// Middle Operating Capability.
        Moc = "MOC",
        /// Final Operating Capability.
        Foc = "FOC",
    }
}

/// A combination of Device Models and a communication services provider that is tested and listed as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceModelCombination {
    /// The lab's name for it.
    pub id: Name,
    /// The Capability Release it belongs to.
    pub release: CapabilityRelease,
    /// Who provides the wide area communications.
    pub communication_services_provider: String,
    /// One Device Model of each kind.
    pub models: BTreeMap<DeviceKind, Arc<DeviceModel>>,
}

crate::vocabulary! {
    /// The kind of SMETS1 Installation an entry stands for.
    pub enum InstallationType {
        /// No supplier operates it through its SMSO.
        Dormant = "dormant",
        /// A supplier operates it through its SMSO.
        Active = "active",
        /// One fuel is active and the other dormant.
        Mixed = "mixed",
    }
}

crate::vocabulary! {
    /// How far an entry has come (SVTAD 20.8).
    pub enum EpclStatus {
        /// To be tested, with dates.
        Planned = "planned",
        /// On the list.
        Listed = "listed",
    }
}

/// An entry, present or planned, of the SMETS1 Eligible Product Combinations List.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EpclEntry {
    /// The lab's name for the entry.
    pub id: Name,
    /// The combination it lists.
    pub combination: Name,
    /// The kind of installation it stands for.
    pub installation_type: InstallationType,
    /// The fuel whose supplier operates its meter through the SMSO, where only one is: of a mixed installation.
    pub active_fuel: Option<Fuel>,
    /// Whether testing of the dormant entry of the combination stands for testing this one (SVTAD 20.9).
    pub tested_as_dormant: bool,
    /// How migration is shown where it is not by DMCT Migration Testing.
    pub mtad: Option<MtadTesting>,
    /// The SMETS1 System Operator whose installations it covers.
    pub smso: String,
    /// How far it has come.
    pub status: EpclStatus,
    /// When testing is planned to start (SVTAD 20.9).
    pub planned_start: Option<Date>,
    /// When testing is planned to be complete; never before the start.
    pub planned_completion: Option<Date>,
    /// When the entry was first added to the list; listed entries only.
    pub first_added: Option<Date>,
}

impl EpclEntry {
    /// Whether the meter of this fuel is operated by its supplier through the SMSO, before it is migrated.
    pub fn is_active(&self, fuel: Fuel) -> bool {
        match self.installation_type {
            InstallationType::Dormant => false,
            InstallationType::Active => true,
            InstallationType::Mixed => self.active_fuel == Some(fuel),
        }
    }
}

/// Migration Testing under the MTAD, which stands in for DMCT Migration Testing (SVTAD 20.14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MtadTesting {
    /// Where the TAB's determination can be read that the Migration Test Phase has been completed (20.14).
    pub tab: String,
    /// Where the Panel's determination can be read that migration testing of the combination has completed (20.27); none
    /// until there is one, and no DMCT Report is issued before.
    pub panel: Option<String>,
}
