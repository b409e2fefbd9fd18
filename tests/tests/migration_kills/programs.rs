//! Programs that are started, waited for, and killed.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

/// How often somebody who waits for a program looks.
const LOOK: Duration = Duration::from_millis(3);

/// A running program; it is killed with this value.
pub(crate) struct Program(Child);

impl Program {
    /// Starts it. What it says on standard output and standard error goes to the end of these files.
    pub(crate) fn start(command: &mut Command, said: &Path) -> Self {
        command.stdin(Stdio::null());
        command.stdout(log(&said.with_extension("out"))).stderr(log(&said.with_extension("err")));
        Self(command.spawn().expect("the program starts"))
    }

    /// Waits for its end, so long at most.
    pub(crate) fn ends_within(&mut self, most: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + most;
        loop {
            if let Some(status) = self.0.try_wait().expect("a child") {
                return Some(status);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            wait(left.min(LOOK));
        }
    }

    /// Kills it by SIGKILL; says whether it was still there.
    pub(crate) fn kill(&mut self) -> bool {
        let there = self.0.try_wait().expect("a child").is_none();
        // One that has ended already is as good.
        let _ = self.0.kill();
        self.0.wait().expect("it ends");
        there
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn log(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("a log")
}

/// Lets a moment pass in which what is to be killed comes somewhere: nothing it does is waited for.
pub(crate) fn wait(moment: Duration) {
    let (_open, never) = sync_channel::<()>(0);
    assert!(never.recv_timeout(moment).is_err(), "nobody sends");
}
