//! How the migrations of the runs ended: migrated, refused, rolled back or excluded, installation by installation.
//!
//! Made of the records of migrations alone. What a migration passed through on its way counts nowhere: only the record that
//! ended it does, and of one that is under way still there is none.

use std::collections::BTreeMap;

use proto_lab::record::MigrationClass;
use serde::{Deserialize, Serialize};

use super::document::Figure;
use crate::gate::{Ledger, MigrationEntry, RecordRef};

/// How migrations ended, by the four result classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Migrations {
    /// The DCC got the installation, whole or electricity only.
    pub migrated: Figure,
    /// A check refused it before any device was touched.
    pub refused: Figure,
    /// It was begun, and came back to its SMSO whole.
    pub rolled_back: Figure,
    /// It will not be tried again.
    pub excluded: Figure,
    /// Each installation, in the order of its EUI-64.
    pub installations: Vec<InstallationMigrated>,
}

/// How the migrations of one installation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct InstallationMigrated {
    /// The installation, by the EUI-64 of its communications hub.
    pub installation: String,
    /// The ways they ended, each counted, in the order in which each was first seen.
    pub ended: Vec<MigrationEnded>,
}

/// One way in which migrations of an installation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct MigrationEnded {
    /// The result class.
    pub class: MigrationClass,
    /// The code of the check that decided it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What was found when it first ended so, in words.
    pub reason: String,
    /// How often.
    pub times: Figure,
}

impl Migrations {
    /// Of the runs of a ledger; none where no migration ended.
    pub(super) fn of(ledger: &Ledger) -> Option<Self> {
        let ended: Vec<(&MigrationEntry, MigrationClass)> =
            ledger.migrations.iter().filter_map(|entry| Some((entry, entry.class?))).collect();
        if ended.is_empty() {
            return None;
        }
        let bounds: Vec<RecordRef> = ledger.runs.iter().flat_map(|run| [run.first(), run.last()]).collect();
        let figure = |class: MigrationClass| {
            let of_class = ended.iter().filter(|(_, of)| *of == class);
            Figure::of(of_class.map(|(entry, _)| entry.at.clone()), &bounds)
        };
        Some(Self {
            migrated: figure(MigrationClass::Migrated),
            refused: figure(MigrationClass::Refused),
            rolled_back: figure(MigrationClass::RolledBack),
            excluded: figure(MigrationClass::Excluded),
            installations: installations(&ended),
        })
    }

    /// The four classes with their names, in the order of the table.
    pub(super) fn classes(&self) -> [(MigrationClass, &Figure); 4] {
        [
            (MigrationClass::Migrated, &self.migrated),
            (MigrationClass::Refused, &self.refused),
            (MigrationClass::RolledBack, &self.rolled_back),
            (MigrationClass::Excluded, &self.excluded),
        ]
    }
}

fn installations(ended: &[(&MigrationEntry, MigrationClass)]) -> Vec<InstallationMigrated> {
    let mut by_installation: BTreeMap<&str, Vec<MigrationEnded>> = BTreeMap::new();
    for (entry, class) in ended {
        let ways = by_installation.entry(&entry.installation).or_default();
        let same = |way: &&mut MigrationEnded| (way.class, &way.code) == (*class, &entry.code);
        match ways.iter_mut().find(same) {
            Some(way) => {
                way.times.value += 1;
                way.times.records.push(entry.at.clone());
            }
            None => ways.push(MigrationEnded {
                class: *class,
                code: entry.code.clone(),
                reason: entry.detail.clone(),
                times: Figure { value: 1, records: vec![entry.at.clone()] },
            }),
        }
    }
    let installation = |(installation, ended): (&str, Vec<MigrationEnded>)| InstallationMigrated {
        installation: installation.to_owned(),
        ended,
    };
    by_installation.into_iter().map(installation).collect()
}
