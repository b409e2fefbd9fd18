//! How and when a controller is killed.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::Chance;
use super::told::Told;

/// The longest that a life may last which nothing ends.
const PATIENCE: Duration = Duration::from_secs(300);

/// System calls by which evidence is written, each with how often one thread makes it in a run, about.
const CALLS: [(&str, u64); 8] = [
    ("write", 400),
    ("write", 400),
    ("fdatasync", 30),
    ("fsync", 30),
    ("rename", 30),
    ("openat", 300),
    ("ftruncate", 2),
    ("mkdir", 6),
];

/// When it is to die.
#[derive(Debug, Clone)]
pub(super) enum Death {
    /// At a moment of its life.
    After(Duration),
    /// As soon as so many records of its making have been read, and a moment later.
    Behind { records: u64, then: Duration },
    /// As one of its threads makes this system call for the so manieth time.
    At { call: &'static str, number: u64 },
}

impl Death {
    /// One that chance has, in a life that lasts about so long.
    pub(super) fn by(chance: &mut Chance, usual: Duration) -> Self {
        let micros = |chance: &mut Chance, most: Duration| {
            Duration::from_micros(chance.below(u64::try_from(most.as_micros()).expect("a span")))
        };
        match chance.below(if traceable() { 4 } else { 2 }) {
            0 => Self::After(micros(chance, usual + usual / 4)),
            1 => {
                Self::Behind { records: 1 + chance.below(60), then: micros(chance, Duration::from_millis(2)) }
            }
            _ => {
                let (call, most) = *chance.of(&CALLS);
                // The beginning of a life is worth as much as the rest of it.
                let most = 1 + most / (1 << chance.below(4));
                Self::At { call, number: 1 + chance.below(most) }
            }
        }
    }

    /// The command with what kills it in it.
    pub(super) fn of(&self, command: Command) -> Command {
        let Self::At { call, number } = self else { return command };
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qqq", "-o", "/dev/null", "-e"]).arg(format!("trace={call}"));
        traced.arg("-e").arg(format!("inject={call}:signal=SIGKILL:when={number}"));
        traced.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => traced.env(name, value),
                None => traced.env_remove(name),
            };
        }
        traced
    }
}

/// Whether there is a tracer that may trace here. Without one the kills are by the clock and by what is read alone.
fn traceable() -> bool {
    use std::sync::OnceLock;
    static TRACEABLE: OnceLock<bool> = OnceLock::new();
    *TRACEABLE.get_or_init(|| {
        let mut tried = Command::new("strace");
        tried.args(["-f", "-qqq", "-o", "/dev/null", "-e", "trace=write"]);
        tried.args(["-e", "inject=write:signal=SIGKILL:when=1", "sh", "-c", "echo alive"]);
        let ended = tried.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let killed = ended.is_ok_and(|ended| ended.signal() == Some(9));
        if !killed {
            println!("LEFT OUT: no kills at system calls, because strace is not there or may not trace");
        }
        killed
    })
}

/// A controller under way. What it says on standard error goes to a file.
pub(super) struct Life {
    child: Child,
    death: Option<Death>,
    begun: Instant,
    told_before: u64,
    said: PathBuf,
}

impl Life {
    /// Starts it; without a death it is to end by itself.
    pub(super) fn begin(
        command: Command,
        death: Option<Death>,
        told: &Told,
        stdout: Stdio,
        said: &Path,
    ) -> Self {
        let mut command = match &death {
            Some(death) => death.of(command),
            None => command,
        };
        command.stdout(stdout).stderr(File::create(said).expect("a file"));
        let child = command.spawn().expect("the harness starts");
        Self { child, death, begun: Instant::now(), told_before: told.lines(), said: said.to_path_buf() }
    }

    pub(super) const fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Looks at what can be read, and kills it when its time has come. Gives how it ended, once it has.
    pub(super) fn look(&mut self, told: &mut Told) -> Option<ExitStatus> {
        told.look();
        if let Some(ended) = self.child.try_wait().expect("a child") {
            told.look();
            return Some(ended);
        }
        let lived = self.begun.elapsed();
        assert!(lived < PATIENCE, "{:?} did not end it: {}", self.death, self.said());
        let due = match &self.death {
            Some(Death::After(moment)) => lived >= *moment,
            Some(Death::Behind { records, then }) if told.lines() >= self.told_before + records => {
                std::thread::sleep(*then);
                true
            }
            _ => false,
        };
        if due {
            self.child.kill().expect("SIGKILL");
            let ended = self.child.wait().expect("dead");
            told.look();
            return Some(ended);
        }
        std::thread::sleep(Duration::from_millis(1));
        None
    }

    /// Follows it to its end; says whether it was killed.
    pub(super) fn end(mut self, told: &mut Told) -> Ended {
        loop {
            if let Some(status) = self.look(told) {
                let what = format!("{:?}: {status}: {}", self.death, self.said());
                return Ended { killed: was_killed(status), death: self.death.clone(), what };
            }
        }
    }

    /// Kills it out of turn, and what it traces with it: that would outlive the tracer.
    pub(super) fn end_now(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            let pid = self.child.id();
            let all =
                format!("kill -KILL $(cat /proc/{pid}/task/*/children 2>/dev/null) {pid} 2>/dev/null; true");
            // What has ended meanwhile cannot be killed.
            let _ = Command::new("sh").args(["-c", &all]).status();
        }
    }

    pub(super) fn said(&self) -> String {
        std::fs::read_to_string(&self.said).unwrap_or_default()
    }
}

impl Drop for Life {
    /// Whatever becomes of the test, nothing of it lives on.
    fn drop(&mut self) {
        self.end_now();
    }
}

/// How a life ended.
pub(super) struct Ended {
    pub(super) killed: bool,
    pub(super) death: Option<Death>,
    /// In words, with what it said last.
    pub(super) what: String,
}

pub(super) fn was_killed(status: ExitStatus) -> bool {
    // The tracer ends as what it traced; some end with the number a shell would give.
    status.signal() == Some(9) || status.code() == Some(128 + 9)
}
