//! What a step does with a migration: one of its operations, what is declared wrongly on purpose, which file is spoilt on its
//! way, and an SMSO that tries its devices.

use std::fmt;

use lab_config::{DeviceKind, PartyRole};
use proto_migration::FileKind;

use crate::{ModelField, Operand};

/// One operation of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrate {
    /// Which.
    pub operation: Migration,
    /// What the installation is declared to be other than it is.
    pub declare: Vec<Declared>,
    /// What happens to a file that crosses in this operation.
    pub spoil: Option<Spoil>,
}

lab_config::vocabulary! {
    /// The operations of a migration (TMAD).
    pub enum Migration {
        /// The migration is authorised, and the Requesting Party says that it brings the installation.
        Authorise = "authorise",
        /// The SMSO brings the devices to the firmware and configuration of their EPCL entry.
        Prepare = "prepare",
        /// The installation's data are validated.
        Validate = "validate",
        /// The S1SP talks to every device and takes control of it.
        Contact = "contact",
        /// The devices join the inventory as commissioned.
        Commission = "commission",
        /// Everything done so far is undone.
        Rollback = "rollback",
        /// A person lets an excluded installation be tried again.
        Lift = "lift",
    }
}

/// A deliberately wrong declaration of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The device.
    pub device: DeviceKind,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is declared of a device that is not so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// A part of its Device Model.
    Model(ModelField, Operand),
    /// Its meter point.
    MeterPoint(Operand),
    /// The supplier of its meter point, by EUI-64.
    Supplier(Operand),
    /// It is not declared at all.
    LeftOut,
}

/// What happens to a file on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spoil {
    /// The kind of file: the first of it that crosses in the operation.
    pub file: FileKind,
    /// Of whom, where several parties write such a file in one operation.
    pub from: Option<PartyRole>,
    /// What is done to it.
    pub how: Spoiling,
}

lab_config::vocabulary! {
    /// What can be wrong with a file that arrives.
    pub enum Spoiling {
        /// Part of it was changed after it was signed.
        Altered = "altered",
        /// It ends in the middle.
        Cut = "cut",
        /// It is one that has arrived before.
        Replayed = "replayed",
        /// It comes before the file it follows from.
        OutOfOrder = "out-of-order",
        /// It is for another party.
        ForAnother = "for-another",
        /// Somebody signed it who is not its writer.
        WrongSigner = "wrong-signer",
    }
}

impl Migration {
    /// The files that cross in this operation.
    pub const fn files(self) -> &'static [FileKind] {
        use FileKind as File;
        match self {
            Self::Authorise => &[File::Demand, File::Authorisation, File::Response],
            Self::Prepare => &[File::Demand, File::Results],
            Self::Validate => &[File::Demand, File::Estate, File::Common, File::Group, File::Results],
            Self::Contact => &[File::Results, File::KeyWrapRequest, File::WrappedKeys],
            Self::Commission => &[File::Demand, File::RequiredFileSet, File::Commissioning, File::Results],
            Self::Rollback => &[File::Rollback, File::Results],
            Self::Lift => &[],
        }
    }
}

impl fmt::Display for Migrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "migration: {}", self.operation)?;
        for declared in &self.declare {
            write!(f, ", {} declared wrongly", declared.device)?;
        }
        match &self.spoil {
            Some(Spoil { file, from: Some(from), how }) => write!(f, ", the {file} file of the {from} {how}"),
            Some(Spoil { file, from: None, how }) => write!(f, ", the {file} file {how}"),
            None => Ok(()),
        }
    }
}

/// The SMSO tries a device with the credentials it had before the migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmsoAttempt {
    /// The device; the script's device when not said.
    pub device: Option<DeviceKind>,
}
