//! Where the executor writes: the run's records, through one writer.

use proto_lab::Digest;
use proto_lab::record::{Body, Sequence};

/// The evidence cannot be written. The run stops: what is not recorded did not happen.
#[derive(Debug, thiserror::Error)]
#[error("evidence cannot be written: {0}")]
pub struct LedgerError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The writer of a run's records. The evidence room's recorder is one; tests have one in memory.
pub trait Ledger: Send {
    /// Writes the next record and says its number.
    ///
    /// # Errors
    /// [`LedgerError`]; every later call fails too.
    fn append(&mut self, body: Body) -> Result<Sequence, LedgerError>;

    /// Keeps these bytes beside the records.
    ///
    /// # Errors
    /// [`LedgerError`].
    fn keep(&mut self, bytes: &[u8]) -> Result<Digest, LedgerError>;

    /// Forces everything written so far to the disk: before a hazardous action.
    ///
    /// # Errors
    /// [`LedgerError`].
    fn sync(&mut self) -> Result<(), LedgerError>;

    /// Binds captures, signs the tree so far and forces it to the disk: at the end of a script.
    ///
    /// # Errors
    /// [`LedgerError`].
    fn seal(&mut self) -> Result<(), LedgerError>;
}
