//! A party as a program of its own: at a door, with its inbox, its key and its pen, until it is told to stop.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use proto_migration::{FileName, Inbox, SeenFile, Trust, open};
use tokio::time::Instant;

use super::door::{Door, DoorError, Settled};
use super::{Failure, Member};

/// How long one look for a file takes, between two looks whether to stop.
const LOOK: Duration = Duration::from_millis(500);

/// What a party did with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attended {
    /// It took it, and answered with these.
    Took {
        /// What the door calls it.
        name: String,
        /// The answers.
        answers: Vec<FileName>,
    },
    /// It refused it.
    Refused {
        /// What the door calls it.
        name: String,
        /// Code and reason.
        why: String,
    },
}

/// Why a party cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AttendError {
    /// By the door.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// What it has seen cannot be kept, and without that a file could be taken twice.
    #[error("{path}: {reason}")]
    Seen {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// A party at its door.
pub struct Attendant<'a> {
    member: Member,
    door: &'a dyn Door,
    trust: &'a Trust,
    /// Where what it has seen is kept.
    seen: PathBuf,
}

impl<'a> Attendant<'a> {
    /// Puts `member` behind `door`; what it has seen is kept in the file `seen`, and read from there first.
    ///
    /// # Errors
    /// [`AttendError::Seen`].
    pub fn new(
        member: Member,
        door: &'a dyn Door,
        trust: &'a Trust,
        seen: PathBuf,
    ) -> Result<Self, AttendError> {
        let inbox = Inbox::with_seen(member.address(), read(&seen)?);
        Ok(Self { member: member.with_inbox(inbox), door, trust, seen })
    }

    /// Takes files, one after another, and tells `told` of each, until `stop` says so.
    ///
    /// # Errors
    /// [`AttendError`].
    pub async fn attend(
        &mut self,
        mut told: impl FnMut(&Attended),
        stop: impl Fn() -> bool,
    ) -> Result<(), AttendError> {
        while !stop() {
            if let Some(attended) = self.next(Instant::now() + LOOK).await? {
                told(&attended);
            }
        }
        Ok(())
    }

    /// The next file, if one comes before the deadline. What answers it has gone out before the file is put away.
    async fn next(&mut self, deadline: Instant) -> Result<Option<Attended>, AttendError> {
        let Some(received) = self.door.receive(deadline).await? else { return Ok(None) };
        let name = received.name.clone();
        let taken = self.member.take(&received.octets, self.trust, Timestamp::now()).await;
        let attended = match taken {
            Ok(()) => Attended::Took { name, answers: self.answer().await? },
            Err(Failure { finding, .. }) => Attended::Refused { name, why: finding.to_string() },
        };
        write(&self.seen, self.member.inbox())?;
        let settled = match &attended {
            Attended::Took { .. } => Settled::Taken,
            Attended::Refused { why, .. } => {
                let (code, reason) = why.split_once(": ").unwrap_or(("", why));
                Settled::refused(code, reason)
            }
        };
        self.door.settle(&received, &settled).await?;
        Ok(Some(attended))
    }

    async fn answer(&mut self) -> Result<Vec<FileName>, AttendError> {
        let mut answers = Vec::new();
        while let Some(octets) = self.member.written() {
            // Its own file opens: it trusts itself.
            let Ok(file) = open(&octets, self.trust) else { continue };
            self.door.send(&file.header.name, &octets).await?;
            answers.push(file.header.name);
        }
        Ok(answers)
    }
}

fn fault(path: &Path) -> impl Fn(String) -> AttendError {
    let path = path.to_owned();
    move |reason| AttendError::Seen { path: path.clone(), reason }
}

fn read(path: &Path) -> Result<Vec<SeenFile>, AttendError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fault(path)(error.to_string())),
    };
    text.lines()
        .map(|line| {
            line.parse().map_err(|error: proto_migration::SeenFileError| fault(path)(error.to_string()))
        })
        .collect()
}

/// Written whole or not at all.
fn write(path: &Path, inbox: &Inbox) -> Result<(), AttendError> {
    let lines: Vec<String> = inbox.seen().map(|seen| format!("{seen}\n")).collect();
    let fresh = path.with_extension("new");
    let written = fs::write(&fresh, lines.concat()).and_then(|()| fs::rename(&fresh, path));
    written.map_err(|error| fault(path)(error.to_string()))
}
