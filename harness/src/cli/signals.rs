//! Ctrl-C and its relatives: the wish to stop a run.

use tokio::signal::unix::{SignalKind, signal};

use super::Failure;
use super::say::complain;
use crate::execute::Stop;

/// From now on Ctrl-C, a termination request and a closed terminal ask the run to stop; the program ends when the rig is safe
/// and the evidence is closed.
pub(super) fn listen(stop: &Stop) -> Result<(), Failure> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut received = signal(kind).map_err(Failure::lab)?;
        let stop = stop.clone();
        tokio::spawn(async move {
            while received.recv().await.is_some() {
                let again = stop.asked();
                stop.ask();
                complain!("{}\n", if again { STILL } else { STOPPING });
            }
        });
    }
    Ok(())
}

const STOPPING: &str = "stopping: cleaning up, making the rig safe, closing the evidence";
const STILL: &str = "already stopping: whatever the devices do, this ends within three minutes";
