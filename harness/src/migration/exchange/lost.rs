//! A party that is lost on its way, to rehearse what becomes of the installations then: of one that is a component of the harness
//! nothing but the harness can be killed.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use proto_migration::{Address, Arrived, GroupId, PartyRole, Trust};
use tokio::time::{Instant, timeout};

use super::{Failure, Said, Seat};
use crate::migration::party::{BoxFuture, Refused};
use crate::migration::{Code, Finding};

/// The longest that a party may work before it is lost.
const LONGEST: Duration = Duration::from_secs(600);

/// Which party is lost, and when: while it works on its nth file, so long after that was handed to it. From then on it does
/// nothing and answers nothing.
///
/// ```
/// use harness::migration::exchange::Loss;
/// let loss: Loss = "s1sp@5+120ms".parse()?;
/// assert_eq!(loss.to_string(), "s1sp@5+120ms");
/// assert!("s1sp@0".parse::<Loss>().is_err());
/// assert!("migration-control@1".parse::<Loss>().is_err());
/// # Ok::<(), harness::migration::exchange::LossError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    role: PartyRole,
    file: u32,
    after: Duration,
}

/// What is no loss of a party.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("found {0:?}, expected a party, its file from 1 and a time: s1sp@5+120ms, or smso@1")]
pub struct LossError(String);

impl FromStr for Loss {
    type Err = LossError;

    fn from_str(text: &str) -> Result<Self, LossError> {
        let read = || {
            let (role, rest) = text.split_once('@')?;
            let (file, after) = rest.split_once('+').unwrap_or((rest, "0ms"));
            let parties = PartyRole::ALL.into_iter();
            let mut parties =
                parties.filter(|role| !matches!(role, PartyRole::MigrationControl | PartyRole::Dsp));
            let after = Duration::from_millis(after.strip_suffix("ms")?.parse().ok()?);
            let file = file.parse().ok().filter(|file| *file > 0)?;
            let role = parties.find(|known| known.word() == role)?;
            (after <= LONGEST).then_some(Self { role, file, after })
        };
        read().ok_or_else(|| LossError(text.to_owned()))
    }
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { role, file, after } = self;
        write!(f, "{}@{file}+{}ms", role.word(), after.as_millis())
    }
}

impl Loss {
    /// The party.
    pub const fn role(self) -> PartyRole {
        self.role
    }

    /// The seat of a party, which is lost if it is this one.
    #[must_use]
    pub fn seat(self, address: Address, seat: Box<dyn Seat>) -> Box<dyn Seat> {
        match address.role == self.role {
            true => Box::new(Mortal { address, seat: Some(seat), loss: self, taken: 0 }),
            false => seat,
        }
    }
}

/// The seat of a party that is lost some time.
struct Mortal {
    address: Address,
    /// None once it is lost.
    seat: Option<Box<dyn Seat>>,
    loss: Loss,
    taken: u32,
}

impl Mortal {
    fn lost(&self, file: &Arrived) -> Failure {
        let reason = format!("the {} is lost: this is a rehearsal", self.address.role);
        Failure::refused(self.address, Refused::new(Code::NoAnswer, reason), Some(file.file.body.kind()))
    }
}

impl Seat for Mortal {
    fn hand<'a>(
        &'a mut self,
        file: &'a Arrived,
        trust: &'a Trust,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.taken = self.taken.saturating_add(1);
            let Some(seat) = &mut self.seat else { return Err(self.lost(file)) };
            if self.taken < self.loss.file {
                return seat.hand(file, trust, now).await;
            }
            // What it had under way ends where it is, as in a process that is killed.
            drop(timeout(self.loss.after, seat.hand(file, trust, now)).await);
            self.seat = None;
            Err(self.lost(file))
        })
    }

    fn next(&mut self, deadline: Instant) -> BoxFuture<'_, Result<Option<Said>, Failure>> {
        match &mut self.seat {
            Some(seat) => seat.next(deadline),
            None => Box::pin(async { Ok(None) }),
        }
    }

    fn writes_anew(&self) -> bool {
        self.seat.as_ref().is_some_and(|seat| seat.writes_anew())
    }

    fn settle<'a>(&'a mut self, settled: Result<(), &'a Finding>) -> BoxFuture<'a, ()> {
        match &mut self.seat {
            Some(seat) => seat.settle(settled),
            None => Box::pin(async {}),
        }
    }

    fn close(&mut self, group: &GroupId) {
        if let Some(seat) = &mut self.seat {
            seat.close(group);
        }
    }
}
