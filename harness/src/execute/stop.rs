//! The wish to stop, heard wherever the run waits.

use tokio_util::sync::CancellationToken;

/// Tells a run to stop. Clones share the wish; it cannot be taken back.
#[derive(Debug, Clone, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// Nobody has asked to stop yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to stop: the step under way is abandoned, clean-up runs, the rig is made safe, the evidence is closed.
    pub fn ask(&self) {
        self.0.cancel();
    }

    /// Whether somebody asked.
    pub fn asked(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until somebody asks.
    pub async fn wait(&self) {
        self.0.cancelled().await;
    }
}
