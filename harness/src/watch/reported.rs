//! The reports of a run, made from its folder: its records and the check of its evidence, and nothing besides.

use std::path::Path;

use jiff::Timestamp;
use proto_lab::Digest;
use proto_lab::record::{Body, Record, RunStarted};

use crate::evidence::{self, EvidenceError, LabKey, RunFolder, Verification};
use crate::gate::{DmctGate, GateInput, Ledger, MigrationTesting, RunRecords, StandardPack};
use crate::report::{self, DmctReport, WitnessReport};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum NotReported {
    /// The files cannot be read, or a line is no record.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The run has no first record.
    #[error("the run has no first record, so there is nothing to report of it")]
    NothingRecorded,
}

/// A run as its reports see it.
#[derive(Debug)]
pub struct Reported {
    folder: RunFolder,
    records: Vec<Record>,
    verification: Verification,
}

impl Reported {
    /// Reads a run and checks its evidence against the lab's own key in the folder `keys`.
    ///
    /// # Errors
    /// [`NotReported`].
    pub fn read(folder: &RunFolder, keys: &Path) -> Result<Self, NotReported> {
        let verification = evidence::verify(folder, &LabKey::trusted(keys)?)?;
        Self::checked(folder, verification)
    }

    /// Reads a run whose evidence has been checked.
    ///
    /// # Errors
    /// [`NotReported`].
    pub fn checked(folder: &RunFolder, verification: Verification) -> Result<Self, NotReported> {
        let records = evidence::read_records(folder)?;
        let reported = Self { folder: folder.clone(), records, verification };
        reported.started()?;
        Ok(reported)
    }

    /// What the run is bound to.
    ///
    /// # Errors
    /// [`NotReported::NothingRecorded`].
    pub fn started(&self) -> Result<&RunStarted, NotReported> {
        match self.records.first().map(|record| &record.body) {
            Some(Body::RunStarted(started)) => Ok(started),
            _ => Err(NotReported::NothingRecorded),
        }
    }

    /// The check of the evidence.
    pub const fn verification(&self) -> &Verification {
        &self.verification
    }

    /// The records.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The DMCT Report, made at this time. `standard` are the packs agreed as standard (20.16).
    pub fn dmct_report(&self, standard: Vec<StandardPack>, at: Timestamp) -> DmctReport {
        let ledger = self.ledger();
        let migration = MigrationTesting::recorded(&ledger);
        let input = GateInput { standard, migration, ..GateInput::default() };
        let gate = DmctGate::decide(&ledger, &input);
        report::make(&ledger, &gate, at)
    }

    /// The witness report, made at this time; none when no script was chosen to be witnessed before the run (13.15).
    pub fn witness_report(&self, at: Timestamp) -> Option<WitnessReport> {
        let signer = self.verification.signer.as_deref().unwrap_or("nobody known");
        WitnessReport::of(&self.ledger(), signer, at)
    }

    fn ledger(&self) -> Ledger {
        let Verification { standing, root, .. } = self.verification;
        Ledger::of(&[RunRecords { records: &self.records, standing, root }])
    }

    /// The page of the records, with the octets of their blobs.
    ///
    /// # Errors
    /// What the template says.
    pub fn records_html(&self) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let run = &self.started()?.run;
        let blob = |digest: &Digest| std::fs::read(self.folder.blob(digest)).ok();
        Ok(report::records_html(run, &self.records, &blob)?)
    }
}
