//! The exchange: where every file of a migration passes, between migration control and each party.
//!
//! Migration control is in the middle. A party sits in a [`Seat`]: one in this process ([`Member`]) takes a file and has
//! written its answers when it is done; one outside is reached by a door, and answers when it answers. What a party wrote
//! is taken into control's own inbox first, and only then handed on, octet for octet, to those it is for.

pub mod attend;
pub mod door;
mod kept;
mod lost;
mod member;
mod outside;
mod spoil;
mod writer;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proto_migration::{
    Address, Arrived, Body, Digest, FileKind, FileName, FileRefusal, GroupId, Inbox, Step, Trust,
    claimed_kind, parse,
};
use tokio::time::{Instant, timeout_at};

use super::party::{BoxFuture, Outgoing, Refused};
use super::{Code, Finding};
pub use lost::{Loss, LossError};
pub use member::Member;
pub use outside::Outside;
pub use spoil::{Spoil, Spoiler};
pub use writer::{Writer, WriterError};

/// Files that control has taken and nobody has asked for yet. A party that writes more than this unasked is refused.
const MOST_WAITING: usize = 256;
/// Files of one party that are refused within an operation before no more of them are read in it.
const MOST_REFUSED: usize = 64;

/// Sees every file once, for the records.
pub trait FileTap: Send + Sync {
    /// A file was written by control, or taken by it.
    fn passed(&self, seen: &Passed<'_>);

    /// A file was not taken.
    fn refused(&self, seen: &Turned<'_>);
}

/// A file that passed.
#[derive(Debug)]
pub struct Passed<'a> {
    /// Its name.
    pub name: &'a FileName,
    /// Its kind.
    pub kind: FileKind,
    /// Who wrote it.
    pub from: Address,
    /// Whom it is for.
    pub to: &'a [Address],
    /// As it crossed.
    pub octets: &'a [u8],
}

/// A file that was turned away.
#[derive(Debug)]
pub struct Turned<'a> {
    /// From where it came.
    pub from: Address,
    /// Who did not take it.
    pub by: Address,
    /// Why.
    pub why: &'a Finding,
    /// As it came.
    pub octets: &'a [u8],
}

/// A tap that nobody listens at.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFileTap;

impl FileTap for NoFileTap {
    fn passed(&self, _: &Passed<'_>) {}

    fn refused(&self, _: &Turned<'_>) {}
}

/// Why a file did not bring what it was to bring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{by}: {finding}")]
pub struct Failure {
    /// Whose doing it is: who refused, or who was silent.
    pub by: Address,
    /// The code and the words.
    pub finding: Finding,
    /// The kind of the file, where one was refused.
    pub file: Option<FileKind>,
}

impl Failure {
    /// A party refused, or could do nothing.
    pub fn refused(by: Address, refused: Refused, file: Option<FileKind>) -> Self {
        Self { by, finding: refused.into(), file }
    }

    /// A file was not taken.
    pub fn not_taken(by: Address, refusal: &FileRefusal, file: Option<FileKind>) -> Self {
        let finding = Finding { code: refusal.code.code().to_string(), reason: refusal.reason.clone() };
        Self { by, finding, file }
    }
}

/// What a party says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A file of its own.
    File(Vec<u8>),
    /// That it refuses a file it was handed, some time after it was.
    Refuses(Box<Arrived>, Finding),
}

/// A party's place at the exchange.
pub trait Seat: Send + Sync {
    /// Hands the party a file. When this returns it has it; a party in this process has answered then.
    ///
    /// # Errors
    /// [`Failure`]: it does not take it, or cannot be reached.
    fn hand<'a>(
        &'a mut self,
        file: &'a Arrived,
        trust: &'a Trust,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), Failure>>;

    /// What the party says next, waiting for it until `deadline` where the party is outside.
    ///
    /// # Errors
    /// [`Failure`]: nothing can come from it any more.
    fn next(&mut self, deadline: Instant) -> BoxFuture<'_, Result<Option<Said>, Failure>>;

    /// Whether the party, told that a file of its was refused, may write it anew. A component of the harness has said all
    /// there is to say.
    fn writes_anew(&self) -> bool {
        false
    }

    /// Tells the party what became of the file that [`Seat::next`] gave last: taken, or why not.
    fn settle<'a>(&'a mut self, settled: Result<(), &'a Finding>) -> BoxFuture<'a, ()>;

    /// The group has ended: what was kept of its files can go.
    fn close(&mut self, group: &GroupId);
}

/// A file that is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// From whom.
    pub from: Address,
    /// Of which kind.
    pub kind: FileKind,
    /// Of which step, for results.
    pub step: Option<Step>,
    /// Which file it answers; none where any does.
    pub follows: Option<Digest>,
}

impl Wanted {
    fn is(&self, arrived: &Arrived) -> bool {
        let (header, body) = (&arrived.file.header, &arrived.file.body);
        let step = match body {
            Body::Results { step, .. } => Some(*step),
            _ => None,
        };
        header.from == self.from
            && body.kind() == self.kind
            && step == self.step
            && (self.follows.is_none() || header.follows == self.follows)
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Some(step) => write!(f, "{} of {step} from the {}", self.kind, self.from.role),
            None => write!(f, "{} from the {}", self.kind, self.from.role),
        }
    }
}

/// The exchange of one migration control.
pub struct Exchange {
    writer: Writer,
    inbox: Inbox,
    seats: BTreeMap<Address, Box<dyn Seat>>,
    trust: Arc<Trust>,
    tap: Arc<dyn FileTap>,
    waiting: VecDeque<Arrived>,
    /// Files handed on in the operation under way.
    handed: BTreeSet<Digest>,
    /// Of each party whose files were refused in the operation under way, the last refusal and how many there were.
    refused: BTreeMap<Address, (Failure, usize)>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seats: Vec<String> = self.seats.keys().map(Address::to_string).collect();
        f.debug_struct("Exchange")
            .field("control", &self.inbox.owner())
            .field("seats", &seats)
            .finish_non_exhaustive()
    }
}

impl Exchange {
    /// An exchange with nobody in it. Control writes by `writer`, and believes those in `trust`.
    pub fn new(writer: Writer, trust: Arc<Trust>, tap: Arc<dyn FileTap>) -> Self {
        let inbox = Inbox::new(writer.address());
        let (waiting, handed, refused) = (VecDeque::new(), BTreeSet::new(), BTreeMap::new());
        Self { writer, inbox, seats: BTreeMap::new(), trust, tap, waiting, handed, refused }
    }

    /// Seats a party.
    pub fn seat(&mut self, address: Address, seat: Box<dyn Seat>) {
        self.seats.insert(address, seat);
    }

    /// Migration control's address.
    pub const fn control(&self) -> Address {
        self.inbox.owner()
    }

    /// Who is seated.
    pub fn seated(&self) -> impl Iterator<Item = Address> + '_ {
        self.seats.keys().copied()
    }

    /// Forgets what nobody asked for: an operation begins that does not want it.
    pub fn begin(&mut self) {
        self.waiting.clear();
        self.handed.clear();
        self.refused.clear();
    }

    /// The group has ended everywhere.
    pub fn close(&mut self, group: &GroupId) {
        self.inbox.close(group);
        self.seats.values_mut().for_each(|seat| seat.close(group));
    }

    /// Writes a file of control's own. More than one where a script has it replayed.
    ///
    /// # Errors
    /// [`Failure`]: it cannot be numbered or signed.
    pub fn write(&mut self, outgoing: &Outgoing, now: Timestamp) -> Result<Vec<Arrived>, Failure> {
        let control = self.control();
        let kind = outgoing.body.kind();
        let lab = |error: WriterError| {
            Failure::refused(control, Refused::new(Code::Lab, error.to_string()), Some(kind))
        };
        let written = self.writer.write(outgoing, now).map_err(lab)?;
        for arrived in &written {
            self.inbox.sent(&arrived.file, arrived.digest);
            self.tell(arrived);
        }
        Ok(written)
    }

    fn tell(&self, arrived: &Arrived) {
        let header = &arrived.file.header;
        let (kind, octets) = (arrived.file.body.kind(), &*arrived.octets);
        self.tap.passed(&Passed { name: &header.name, kind, from: header.from, to: &header.to, octets });
    }

    /// Hands a file on to one whom it is for, and takes what that one answers at once.
    ///
    /// # Errors
    /// [`Failure`]: it is not taken, an answer is not, or there was no end to it within `patience`.
    pub async fn hand(
        &mut self,
        file: &Arrived,
        to: Address,
        now: Timestamp,
        patience: Duration,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + patience;
        let kind = file.file.body.kind();
        self.handed.insert(file.digest);
        let Some(seat) = self.seats.get_mut(&to) else {
            let refused = Refused::new(Code::NoAnswer, format!("nobody sits at the exchange as {to}"));
            return Err(Failure::refused(to, refused, Some(kind)));
        };
        match timeout_at(deadline, seat.hand(file, &self.trust, now)).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => {
                let turned = Turned {
                    from: file.file.header.from,
                    by: failure.by,
                    why: &failure.finding,
                    octets: &file.octets,
                };
                self.tap.refused(&turned);
                return Err(failure);
            }
            Err(_) => {
                let reason =
                    format!("the {} did not come to an end with a {kind} file in {patience:?}", to.role);
                return Err(Failure::refused(to, Refused::new(Code::NoAnswer, reason), None));
            }
        }
        // What is answered already; who is outside answers later.
        while self.next(to, Instant::now()).await? {}
        Ok(())
    }

    /// The file that is wanted, waiting for it until `patience` is over. A party outside whose file is refused has been told
    /// why and may write it anew until then; if it does not, the refusal is what came of it.
    ///
    /// # Errors
    /// [`Failure`]: it does not come, or what comes is not taken.
    pub async fn expect(&mut self, wanted: Wanted, patience: Duration) -> Result<Arrived, Failure> {
        self.come(&[wanted], patience).await?;
        let at = self.waiting.iter().position(|arrived| wanted.is(arrived));
        at.and_then(|at| self.waiting.remove(at)).ok_or_else(|| silent(&wanted, patience))
    }

    /// Waits as [`Exchange::expect`] does until one of the files of one party that are wanted is there, and says which.
    ///
    /// # Errors
    /// As [`Exchange::expect`].
    pub async fn come(&mut self, wanted: &[Wanted], patience: Duration) -> Result<usize, Failure> {
        let deadline = Instant::now() + patience;
        loop {
            let is_there = |wanted: &Wanted| self.waiting.iter().any(|arrived| wanted.is(arrived));
            if let Some(which) = wanted.iter().position(is_there) {
                return Ok(which);
            }
            let Some(last) = wanted.last() else { return Ok(0) };
            if !self.next(last.from, deadline).await? {
                let refused = self.refused.remove(&last.from).map(|(refused, _)| refused);
                return Err(refused.unwrap_or_else(|| silent(last, patience)));
            }
        }
    }

    /// Takes what a party says next; says whether there was anything.
    async fn next(&mut self, from: Address, deadline: Instant) -> Result<bool, Failure> {
        let Some(seat) = self.seats.get_mut(&from) else { return Ok(false) };
        match seat.next(deadline).await? {
            None => Ok(false),
            Some(Said::Refuses(file, finding)) => self.is_refused(from, &file, finding).map(|()| true),
            Some(Said::File(octets)) => self.said(from, &octets).await.map(|()| true),
        }
    }

    /// A party refuses what it was handed. What it was handed in an operation before this one changes nothing any more.
    fn is_refused(&mut self, by: Address, file: &Arrived, finding: Finding) -> Result<(), Failure> {
        let header = &file.file.header;
        self.tap.refused(&Turned { from: header.from, by, why: &finding, octets: &file.octets });
        match self.handed.contains(&file.digest) {
            true => Err(Failure { by, finding, file: Some(file.file.body.kind()) }),
            false => Ok(()),
        }
    }

    /// A party has written a file, and is told what became of it.
    async fn said(&mut self, from: Address, octets: &[u8]) -> Result<(), Failure> {
        let taken = self.taken(from, octets);
        if let Err(failure) = &taken {
            self.tap.refused(&Turned { from, by: failure.by, why: &failure.finding, octets });
        }
        let mut anew = false;
        if let Some(seat) = self.seats.get_mut(&from) {
            seat.settle(taken.as_ref().map(drop).map_err(|failure| &failure.finding)).await;
            anew = seat.writes_anew();
        }
        match taken {
            Ok(arrived) => {
                self.tell(&arrived);
                self.waiting.push_back(arrived);
                Ok(())
            }
            Err(failure) if anew => self.may_write_anew(from, failure),
            Err(failure) => Err(failure),
        }
    }

    fn may_write_anew(&mut self, from: Address, failure: Failure) -> Result<(), Failure> {
        let (last, count) = self.refused.entry(from).or_insert_with(|| (failure.clone(), 0));
        *last = failure;
        *count += 1;
        if *count < MOST_REFUSED { Ok(()) } else { Err(last.clone()) }
    }

    fn taken(&mut self, from: Address, octets: &[u8]) -> Result<Arrived, Failure> {
        let control = self.control();
        if self.waiting.len() >= MOST_WAITING {
            let reason = format!("{MOST_WAITING} files wait to be asked for; nothing more is taken");
            return Err(Failure::refused(control, Refused::new(Code::FileUnexpected, reason), None));
        }
        // Before the inbox keeps it: brought by its own writer it is no replay.
        if let Ok(file) = parse(octets)
            && file.header.from != from
        {
            let reason = format!("a file of {} came from {from}; expected its own", file.header.from);
            let refused = Refused::new(Code::FileUnexpected, reason);
            return Err(Failure::refused(control, refused, Some(file.body.kind())));
        }
        let arrived = self.inbox.take(octets, &self.trust);
        arrived.map_err(|refusal| Failure::not_taken(control, &refusal, claimed_kind(octets)))
    }
}

fn silent(wanted: &Wanted, patience: Duration) -> Failure {
    let reason = format!("no {wanted} came within {patience:?}");
    Failure::refused(wanted.from, Refused::new(Code::NoAnswer, reason), None)
}

#[cfg(test)]
mod tests;
