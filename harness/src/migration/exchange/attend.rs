//! A party as a program of its own: at a door, with its inbox, its key and its pen, until it is told to stop.
//!
//! ```text
//! door ──file──> inbox, party ──> kept on disk: the file, its answers, the inbox ──> sender told ──> answers out by the door
//! ```
//!
//! The sender is told before the answers go out: by a door of POSTs it waits to be told, and hears nothing until then.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proto_migration::{Arrived, Digest, FileName, Inbox, Trust, open};
use tokio::time::Instant;

use super::door::{Came, Door, DoorError, Received, Settled};
pub use super::kept::KeptError;
use super::kept::{Answer, Kept};
use super::{Failure, Member};

/// How long one look for a file takes, between two looks whether an answer can be handed over that could not be before.
const LOOK: Duration = Duration::from_millis(500);
/// What is refused without a code of anybody's.
const UNSAID: &str = "refused";

/// What a party did with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attended {
    /// It took it, and answers with these.
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
    /// A file of its own was refused.
    IsRefused {
        /// The file.
        name: FileName,
        /// Code and reason, as the other side said them.
        why: String,
    },
}

/// Why a party cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum AttendError {
    /// By the door.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// What it knows cannot be kept.
    #[error(transparent)]
    Kept(#[from] KeptError),
}

/// A party at its door.
pub struct Attendant<'a> {
    member: Member,
    door: &'a dyn Door,
    trust: &'a Trust,
    kept: Kept,
    /// The file that was taken last before this began: killed before its sender was told, it is sent that one once more.
    last: Option<Digest>,
    told: VecDeque<Attended>,
}

impl<'a> Attendant<'a> {
    /// Puts `member` behind `door`. What it has seen and knows is kept in `folder`, and read from there first.
    ///
    /// # Errors
    /// [`AttendError::Kept`].
    pub async fn open(
        member: Member,
        door: &'a dyn Door,
        trust: &'a Trust,
        folder: PathBuf,
    ) -> Result<Self, AttendError> {
        let kept = Kept::open(folder)?;
        let inbox = Inbox::with_seen(member.address(), kept.seen()?);
        let mut member = member.with_inbox(inbox);
        let known = kept.known()?;
        let last = known.last().map(|octets| Digest::of(octets));
        for octets in known {
            // One whose writer is not believed any more is not believed now.
            let Ok(file) = open(&octets, trust) else { continue };
            let digest = Digest::of(&octets);
            let arrived = Arrived { file, octets: Arc::from(octets), digest };
            if let Err(refused) = member.recall(&arrived, Timestamp::now()).await {
                tracing::warn!("{} is refused now: {refused}", arrived.file.header.name);
            }
        }
        Ok(Self { member, door, trust, kept, last, told: VecDeque::new() })
    }

    /// Takes files, one after another, and tells `told` of each, until the caller drops this. Answers are handed over
    /// meanwhile: whoever is to take one may be waiting for this party to take a file.
    ///
    /// # Errors
    /// [`AttendError`].
    pub async fn attend(&mut self, mut told: impl FnMut(&Attended)) -> Result<(), AttendError> {
        let door = self.door;
        let look = || door.receive(Instant::now() + LOOK);
        let (mut receiving, mut sending) = (look(), None);
        loop {
            if sending.is_none() {
                sending = self.kept.first_answer()?.map(|answer| Box::pin(hand_over(door, answer)));
            }
            let handed_over = async {
                match &mut sending {
                    Some(sending) => sending.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                (answer, sent) = handed_over => {
                    sending = None;
                    self.handed_over(&answer, sent)?;
                }
                came = &mut receiving => {
                    receiving = look();
                    match came? {
                        None => {}
                        Some(Came::File(received)) => self.take(received).await?,
                        Some(Came::Refused { name, settled }) => self.is_refused(name, &settled),
                    }
                }
            }
            self.told.drain(..).for_each(|attended| told(&attended));
        }
    }

    /// Takes a file. Dropping this leaves it at the door.
    async fn take(&mut self, received: Received) -> Result<(), AttendError> {
        let name = received.name.clone();
        let is_last = |last: &mut Digest| *last == Digest::of(&received.octets);
        if self.last.take_if(is_last).is_some() {
            self.door.settle(&received, &Settled::Taken).await?;
            self.told.push_back(Attended::Took { name, answers: Vec::new() });
            return Ok(());
        }
        let taken = self.member.take(&received.octets, self.trust, Timestamp::now()).await;
        let settled = match &taken {
            Ok(()) => {
                self.kept.keep_known(&received.octets)?;
                Settled::Taken
            }
            Err(Failure { finding, .. }) => Settled::refused(&finding.code, &finding.reason),
        };
        let answers = self.keep_answers()?;
        self.kept.keep_seen(self.member.inbox())?;
        self.door.settle(&received, &settled).await?;
        self.told.push_back(match taken {
            Ok(()) => Attended::Took { name, answers },
            Err(Failure { finding, .. }) => Attended::Refused { name, why: finding.to_string() },
        });
        Ok(())
    }

    fn keep_answers(&mut self) -> Result<Vec<FileName>, AttendError> {
        let mut answers = Vec::new();
        while let Some(octets) = self.member.written() {
            // Its own file opens: it trusts itself.
            let Ok(file) = open(&octets, self.trust) else { continue };
            self.kept.keep_answer(file.header.number, &file.header.name, &octets)?;
            answers.push(file.header.name);
        }
        Ok(answers)
    }

    /// One that the other side could not be told waits on.
    fn handed_over(&mut self, answer: &Answer, sent: Result<(), DoorError>) -> Result<(), AttendError> {
        match sent {
            Ok(()) => {}
            Err(error @ DoorError::Unreachable { .. }) => {
                tracing::warn!("{error}");
                return Ok(());
            }
            Err(DoorError::Refused { text, .. }) => {
                self.told.push_back(Attended::IsRefused { name: answer.name.clone(), why: text });
            }
            Err(other) => return Err(other.into()),
        }
        Ok(self.kept.forget_answer(answer)?)
    }

    fn is_refused(&mut self, name: FileName, settled: &Settled) {
        let why = match settled {
            Settled::Refused { code, reason } => format!("{code}: {reason}"),
            Settled::Taken => UNSAID.to_owned(),
        };
        self.told.push_back(Attended::IsRefused { name, why });
    }
}

async fn hand_over(door: &dyn Door, answer: Answer) -> (Answer, Result<(), DoorError>) {
    let sent = door.send(&answer.name, &answer.octets).await;
    (answer, sent)
}
