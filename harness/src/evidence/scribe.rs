//! A thread that does what a disk may hold up for ever, so that whoever waits for it waits no longer than a deadline.
//!
//! A write to a disk that hangs (a server of files that is gone, a broken cable) does not fail: it does not return, and no
//! signal ends it. The recorder has such calls made by a scribe, which it gives up on: the record is then not acknowledged, the
//! run stops closed, its rig is made safe, and the scribe is left behind where it is.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use super::EvidenceError;

type Work = Box<dyn FnOnce() + Send>;

/// The handle to the thread, which ends with the last clone unless a disk holds it.
#[derive(Debug, Clone)]
pub(super) struct Scribe {
    work: SyncSender<Work>,
    folder: PathBuf,
    /// The longest that one thing may take.
    pub(super) most: Duration,
}

impl Scribe {
    /// Begins to work on what is in this folder.
    ///
    /// # Errors
    /// [`EvidenceError::Io`] when the system has no thread to give.
    pub(super) fn start(folder: &Path, most: Duration) -> Result<Self, EvidenceError> {
        // One that is done with what was waited for takes the next at once; one that is not is given no more.
        let (work, given) = sync_channel::<Work>(1);
        let thread = std::thread::Builder::new().name("evidence".to_owned());
        let started = thread.spawn(move || given.iter().for_each(|work| work()));
        started.map_err(EvidenceError::io("start a thread to write", folder))?;
        Ok(Self { work, folder: folder.to_path_buf(), most })
    }

    /// The folder has this name from now on.
    pub(super) fn moved_to(&mut self, folder: &Path) {
        self.folder = folder.to_path_buf();
    }

    /// Has it done, and waits for what comes of it. Everything that `act` holds is let go before this returns.
    ///
    /// # Errors
    /// [`EvidenceError::Stuck`] when it is not done within the deadline; whether it will be some day, nobody can tell.
    pub(super) fn does<T: Send + 'static>(
        &self,
        act: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, EvidenceError> {
        let (reply, answer) = sync_channel(1);
        let work: Work = Box::new(move || {
            let done = act();
            // Nobody waits any more for what came too late.
            drop(reply.send(done));
        });
        let stuck = || EvidenceError::Stuck { path: self.folder.clone(), most: self.most };
        self.work.try_send(work).map_err(|_| stuck())?;
        answer.recv_timeout(self.most).map_err(|_| stuck())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_returns_is_waited_for_until_the_deadline_and_what_follows_not_at_all() {
        let mut scribe = Scribe::start(Path::new("runs/run-1"), Duration::from_secs(60)).unwrap();
        assert_eq!(scribe.does(|| 7).unwrap(), 7);
        scribe.most = Duration::from_millis(20);
        let (held, holds) = sync_channel::<()>(1);
        let error = scribe.does(move || holds.recv().is_ok()).unwrap_err().to_string();
        assert_eq!(
            error,
            "the disk has not taken what was written to runs/run-1 within 20ms: it hangs, or is too slow to be relied on"
        );
        scribe.most = Duration::from_secs(60);
        let given_up = std::time::Instant::now();
        // The first waits behind what hangs, and there is no room for a second.
        scribe.most = Duration::from_millis(20);
        assert!(scribe.does(|| ()).is_err() && scribe.does(|| ()).is_err());
        assert!(given_up.elapsed() < Duration::from_secs(30));
        drop(held);
    }
}
