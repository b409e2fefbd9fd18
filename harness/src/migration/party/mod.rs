//! The parties of a migration, each behind the same door: it takes a file, and answers with files.
//!
//! Migration control sends and receives every file, so every file is recorded once; it cannot alter one, because each is
//! signed by its writer. Which file goes where:
//!
//! ```text
//! authorise   control ──Demand──> supplier ──Authorisation──> Requesting Party, Commissioning Party
//!             (dormant: control writes the Authorisation itself, for the DCC)
//!             control ──Demand──> Requesting Party ──Response──> control
//! prepare     control ──Demand──> SMSO ──Results(Preparation)──> control
//! validate    control ──Demand──> Requesting Party, Commissioning Party, S1SP, DCO
//!             Requesting Party ──Demand──> SMSO ──Estate──> Requesting Party
//!             Requesting Party ──Common──> Commissioning Party, S1SP, DCO;  ──Group──> S1SP, DCO
//!             Commissioning Party ──Results(DataValidation)──> control, who keeps it back
//! contact     control ──Results(DataValidation)──> DCO, S1SP, which each answer Results(Viability)
//!             DCO's Results(Viability) ──> S1SP, Commissioning Party
//!             S1SP ──KeyWrapRequest──> DCO ──WrappedKeys──> S1SP, where devices have keys of a security suite
//!             S1SP ──Results(DeviceContact)──> Commissioning Party
//! commission  control ──Demand──> S1SP ──RequiredFileSet, Commissioning──> Commissioning Party
//!             Commissioning Party ──Results(Commissioning)──> S1SP;  control ──Outcome──> all
//! rollback    control ──Rollback──> Commissioning Party, S1SP, SMSO, each answering Results(Rollback)
//! ```
//!
//! [`devices`] has what the S1SP and the SMSO need of whoever talks to devices; [`wrapping`] what the S1SP makes of keys that the
//! Dual Control Organisation has wrapped.

pub mod commissioning;
pub mod dco;
pub mod devices;
pub mod requesting;
pub mod s1sp;
pub mod smso;
pub mod supplier;
pub mod wrapping;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

use jiff::Timestamp;
use proto_duis::Eui64;
use proto_migration::{Address, Arrived, Body, Digest, FileKind, GroupId, InstallationResult, Ruling};

use super::Code;
pub use devices::{ContactReport, Contacts, DeviceReport, KeyWrap, KnownEstate, NoKeyWrap, Smso};

/// Installations of a group whose devices are talked to at the same time: each has its own hub, and much of the time passes
/// waiting for a gas meter that sleeps.
const AT_A_TIME: usize = 16;

/// Has these done at the same time, so many as [`AT_A_TIME`] says, and gives what they came to in their order.
pub(super) async fn side_by_side<T>(all: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    let mut waiting = all.into_iter().enumerate();
    let mut under_way: Vec<(usize, BoxFuture<'_, T>)> = waiting.by_ref().take(AT_A_TIME).collect();
    let mut done = BTreeMap::new();
    std::future::poll_fn(|context| {
        loop {
            let mut ended = Vec::new();
            under_way.retain_mut(|(place, future)| match future.as_mut().poll(context) {
                Poll::Ready(value) => {
                    ended.push((*place, value));
                    false
                }
                Poll::Pending => true,
            });
            let next: Vec<_> = waiting.by_ref().take(ended.len()).collect();
            done.extend(ended);
            match (under_way.is_empty(), next.is_empty()) {
                (true, true) => return Poll::Ready(()),
                (false, true) => return Poll::Pending,
                (_, false) => under_way.extend(next),
            }
        }
    })
    .await;
    done.into_values().collect()
}

/// A future on the heap, so that parties of different kinds stand in one row.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A party that lives in this process.
pub trait Party: Send + Sync {
    /// Who it is.
    fn address(&self) -> Address;

    /// Takes a file that is for it, whole, its writer's, new and in order. Dropping the future stops the party where it is;
    /// what was begun at devices is then undone by a rollback.
    ///
    /// # Errors
    /// [`Refused`]: it can do nothing with the file. What it finds of single installations stands in its answer instead.
    fn take<'a>(
        &'a mut self,
        file: &'a Arrived,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Outgoing>, Refused>>;

    /// Whether a file with this body has the party do nothing but know what it says, so that one that was restarted may take it
    /// again.
    fn only_knows(&self, body: &Body) -> bool {
        let _ = body;
        true
    }

    /// A file of its own has been written, and this is its digest: what it writes now may name it.
    fn wrote(&mut self, file: &Outgoing, digest: Digest, now: Timestamp) -> Vec<Outgoing> {
        let _ = (file, digest, now);
        Vec::new()
    }
}

/// A file that a party wants written: its name, number and signature come when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Whom it is for.
    pub to: Vec<Address>,
    /// The file it follows from. Every reader must have that one, or it takes this one to be out of order.
    pub follows: Option<Digest>,
    /// The group it is about.
    pub group: GroupId,
    /// What it says.
    pub body: Body,
}

/// Why something was not done, by the check that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", code.published())]
pub struct Refused {
    /// The check.
    pub code: Code,
    /// What was found and what was expected, in words, without secrets.
    pub reason: String,
}

impl Refused {
    /// A refusal by this check.
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// A file of this kind is nothing the party can do anything with.
    pub fn unexpected(party: Address, kind: FileKind) -> Self {
        Self::new(Code::FileUnexpected, format!("the {} does nothing with a {kind} file now", party.role))
    }

    /// As a file says it of one installation.
    pub fn ruling(self) -> Ruling {
        Ruling::Refused { code: self.code.text(), reason: self.reason.into() }
    }
}

/// What a party found of one installation, as its file says it.
pub fn result(installation: Eui64, found: Result<String, Refused>) -> InstallationResult {
    let ruling = match found {
        Ok(said) => Ruling::Accepted { said: said.into(), without: Vec::new() },
        Err(refused) => refused.ruling(),
    };
    InstallationResult { installation, ruling }
}

/// The installations of a file that it lets go on.
pub fn accepted(results: &[InstallationResult]) -> impl Iterator<Item = Eui64> + '_ {
    results.iter().filter(|r| matches!(r.ruling, Ruling::Accepted { .. })).map(|r| r.installation)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_done_side_by_side_takes_no_longer_than_its_rounds_and_keeps_its_order() {
        let slow = |n: u64| -> BoxFuture<'static, u64> {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(if n == 3 { 1 } else { 2 })).await;
                n
            })
        };
        let begun = tokio::time::Instant::now();
        let done = side_by_side((0..40).map(slow).collect()).await;
        assert_eq!(done, (0..40).collect::<Vec<u64>>());
        assert!(begun.elapsed() <= Duration::from_secs(6), "{:?}", begun.elapsed());
        assert!(side_by_side(Vec::<BoxFuture<'_, ()>>::new()).await.is_empty());
    }
}
