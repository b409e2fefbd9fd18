//! The controller of a lab: one task that owns every rig, the queue, and the runs under way.
//!
//! ```text
//!  doors ── act(by, action) ──> Controller ── decide (queue room, pure) ──> records of the lab book ──> effects
//!  (gRPC, page, command line)      ▲                                          │
//!                                  └── state: a fold over those records ◄─────┘
//! ```
//!
//! Nothing is done that is not first a record of the book, and nothing is known but what its records come to: a controller that
//! is killed and started again folds the book it finds, restates what was left standing in a new one, goes on with the runs
//! that were under way, and takes calls from then on. A controller that cannot write its book ends its runs and does nothing
//! more.

mod start;
mod task;
mod work;

use std::path::PathBuf;
use std::sync::Arc;

use lab_config::Lab;
use proto_lab::record::book::{EntryId, LabEvent, LabState};
use proto_lab::record::{Actor, Sequence};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::Hands;
use crate::evidence::{EvidenceError, LabKey, RunFolder};
use crate::execute::LedgerError;
pub use crate::queue::{Action, Asked, Lease, LeaseError, Refusal, RefusalKind};
use task::Call;
pub use work::Vet;

/// Calls that may wait for the controller; who calls faster waits.
const CALLS: usize = 64;

/// Who presses keys at a rig of this name.
pub type HandsFor = Arc<dyn Fn(&str) -> Box<dyn Hands> + Send + Sync>;

/// What a controller is given.
#[derive(Clone)]
pub struct Setup {
    /// The lab, its links concrete.
    pub lab: Lab,
    /// Where run folders and books go.
    pub runs: PathBuf,
    /// The folder of the lab's keys, where what must outlive a run is kept.
    pub keys: PathBuf,
    /// The key that signs.
    pub key: LabKey,
    /// Who presses keys.
    pub hands: HandsFor,
    /// What is wrong with a pack besides what its own format says.
    pub vet: Vet,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Setup({}, {})", self.lab.name, self.runs.display())
    }
}

/// Why there is no controller, or none any more.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// The book of the last controller cannot be read or closed, or the new one not begun or gone on with.
    #[error("the lab's book: {0}")]
    Book(#[from] EvidenceError),
    /// A run's name could not be made.
    #[error(transparent)]
    Name(#[from] super::RunError),
    /// A record could not be written while runs were ended.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The task ended in a way nobody foresaw.
    #[error("the controller failed: {0}")]
    Failed(String),
}

/// What an act came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// The records of the book that say so, in order.
    pub records: Vec<Sequence>,
    /// The number of the entry that joined the queue, where one did.
    pub entry: Option<EntryId>,
}

/// The handle to a lab's controller. Clones are of the same one; it goes on for as long as one is kept, and is to be ended
/// with [`Controller::close`].
#[derive(Debug, Clone)]
pub struct Controller {
    calls: mpsc::Sender<Call>,
    state: watch::Receiver<Arc<LabState>>,
    book: RunFolder,
}

/// The task of a controller.
#[derive(Debug)]
pub struct Running(JoinHandle<Result<(), ControllerError>>);

impl Running {
    /// Waits until the controller has ended: every run, every rig safe, its book closed.
    ///
    /// # Errors
    /// [`ControllerError`]: its book could not be written, and what it stopped for.
    pub async fn ended(self) -> Result<(), ControllerError> {
        self.0.await.unwrap_or_else(|e| Err(ControllerError::Failed(e.to_string())))
    }
}

impl Controller {
    /// Starts the controller of a lab: closes the book of the one before, restates what that left standing, and goes on with
    /// its runs.
    ///
    /// # Errors
    /// [`ControllerError`], when another controller has the lab, or its book cannot be relied on.
    pub async fn start(setup: Setup) -> Result<(Self, Running), ControllerError> {
        let (send, calls) = mpsc::channel(CALLS);
        let core = start::start(setup).await?;
        let controller = Self { calls: send, state: core.published(), book: core.folder() };
        Ok((controller, Running(tokio::spawn(core.run(calls)))))
    }

    /// Does something to the lab, in somebody's name.
    ///
    /// # Errors
    /// [`Refusal`]: nothing was changed but that the book says who was refused what.
    pub async fn act(&self, by: &Actor, action: Action) -> Result<Acted, Refusal> {
        self.call(|reply| Call::Act { by: by.clone(), action, reply }).await
    }

    /// Has something written into the book that a door or a station has seen ([`LabEvent::is_told`]).
    ///
    /// # Errors
    /// [`Refusal`], for events that are of the controller's own making, and when the book cannot be written.
    pub async fn tell(&self, event: LabEvent) -> Result<Sequence, Refusal> {
        self.call(|reply| Call::Tell { event, reply }).await
    }

    /// Ends every run, makes every rig safe, closes the book. What waits in the queue waits for the next controller.
    ///
    /// # Errors
    /// [`Refusal::Ended`] when it has ended already.
    pub async fn close(&self, by: &Actor) -> Result<(), Refusal> {
        self.call(|reply| Call::Close { by: by.clone(), reply }).await
    }

    /// The lab as the book's records have it now, and whenever that changes.
    pub fn state(&self) -> watch::Receiver<Arc<LabState>> {
        self.state.clone()
    }

    /// The folder of the book, for those who watch.
    pub const fn book(&self) -> &RunFolder {
        &self.book
    }

    async fn call<T>(
        &self,
        call: impl FnOnce(oneshot::Sender<Result<T, Refusal>>) -> Call,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.calls.send(call(reply)).await.map_err(|_| Refusal::Ended)?;
        answer.await.unwrap_or(Err(Refusal::Ended))
    }
}
