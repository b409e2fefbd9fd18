//! Who writes files, for whom, and what each file says of itself.

use std::fmt;

use jiff::Timestamp;
use proto_duis::Eui64;

use crate::{Body, Digest, FileName, GroupId};

/// The part a party plays in a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartyRole {
    /// Says what is to be migrated when, and holds every installation's place in its migration. Part of the DCC.
    MigrationControl,
    /// Puts the files of a group together on behalf of the SMSO.
    RequestingParty,
    /// The SMETS1 System Operator: operates the installations before, and again after a rollback.
    Smso,
    /// The SMETS1 Service Provider: operates the installations after.
    S1sp,
    /// The Dual Control Organisation: without its half no device's keys can be changed.
    Dco,
    /// Checks what is declared and commissions what has arrived.
    CommissioningParty,
    /// The supplier registered for a meter; authorises the migration of an active one.
    ResponsibleSupplier,
    /// The Data Service Provider: the inventory and the interface to DCC users.
    Dsp,
}

impl PartyRole {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::MigrationControl,
        Self::RequestingParty,
        Self::Smso,
        Self::S1sp,
        Self::Dco,
        Self::CommissioningParty,
        Self::ResponsibleSupplier,
        Self::Dsp,
    ];

    /// The role's word in lab files, records and file names.
    pub const fn word(self) -> &'static str {
        match self {
            Self::MigrationControl => "migration-control",
            Self::RequestingParty => "requesting-party",
            Self::Smso => "smso",
            Self::S1sp => "s1sp",
            Self::Dco => "dco",
            Self::CommissioningParty => "commissioning-party",
            Self::ResponsibleSupplier => "responsible-supplier",
            Self::Dsp => "dsp",
        }
    }
}

impl fmt::Display for PartyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A party by what it does and who it is: two suppliers are two parties of one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// What it does.
    pub role: PartyRole,
    /// Who it is.
    pub id: Eui64,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.role, self.id)
    }
}

/// What a file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name, one of its kind for ever.
    pub name: FileName,
    /// Who wrote and signed it.
    pub from: Address,
    /// Whom it is for; nobody else takes it.
    pub to: Vec<Address>,
    /// The group of installations it is about.
    pub group: GroupId,
    /// Counts the files of this writer up, over all groups: a file with a number that was seen is a replay.
    pub number: u64,
    /// The file it follows from, by the digest of its octets; none begins an exchange.
    pub follows: Option<Digest>,
    /// When it was written.
    pub written: Timestamp,
}

/// A file as its reader has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What it says of itself.
    pub header: Header,
    /// What it says.
    pub body: Body,
}

impl File {
    /// A file of this body, with the name that its kind, its writer and its number give it ([`FileName::of`]).
    pub fn new(
        from: Address,
        to: Vec<Address>,
        group: GroupId,
        number: u64,
        follows: Option<Digest>,
        written: Timestamp,
        body: Body,
    ) -> Self {
        let name = FileName::of(&body, from, &group, number, written);
        Self { header: Header { name, from, to, group, number, follows, written }, body }
    }
}
