//! A party in this process, at its seat: what it takes passes its own inbox, what it says is numbered and signed as its.

use std::collections::VecDeque;

use jiff::Timestamp;
use proto_migration::{Address, Arrived, GroupId, Inbox, Trust};
use tokio::time::Instant;

use super::{Failure, Said, Seat, Writer, WriterError};
use crate::migration::party::{BoxFuture, Outgoing, Party, Refused};
use crate::migration::{Code, Finding};

/// Files that one file may lead to. A party that answers with more has gone wrong.
const MOST_ANSWERS: usize = 256;

/// A party with its inbox and its key.
pub struct Member {
    party: Box<dyn Party>,
    writer: Writer,
    inbox: Inbox,
    outbox: VecDeque<Vec<u8>>,
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Member").field("party", &self.party.address()).finish_non_exhaustive()
    }
}

impl Member {
    /// A party that writes by `writer`, which is of its address.
    pub fn new(party: Box<dyn Party>, writer: Writer) -> Self {
        let inbox = Inbox::new(party.address());
        Self { party, writer, inbox, outbox: VecDeque::new() }
    }

    /// Goes on with an inbox that was kept.
    #[must_use]
    pub fn with_inbox(self, inbox: Inbox) -> Self {
        Self { inbox, ..self }
    }

    /// Takes a file again that it took before it was restarted, so that it knows what the file says; what it answered then it
    /// does not answer again. A file that had it do something is not taken again.
    ///
    /// # Errors
    /// [`Refused`]: it would refuse the file now.
    pub async fn recall(&mut self, file: &Arrived, now: Timestamp) -> Result<(), Refused> {
        if !self.party.only_knows(&file.file.body) {
            return Ok(());
        }
        self.party.take(file, now).await.map(drop)
    }

    /// Who it is.
    pub fn address(&self) -> Address {
        self.party.address()
    }

    /// Its inbox, to be kept.
    pub const fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Takes the octets of a file and puts what the party answers into its outbox.
    ///
    /// # Errors
    /// [`Failure`]: the inbox or the party does not take it.
    pub async fn take(&mut self, octets: &[u8], trust: &Trust, now: Timestamp) -> Result<(), Failure> {
        let me = self.party.address();
        let arrived = self.inbox.take(octets, trust);
        let arrived = arrived.map_err(|refusal| Failure::not_taken(me, &refusal, None))?;
        let kind = arrived.file.body.kind();
        let answers = self.party.take(&arrived, now).await;
        let answers = answers.map_err(|refused| Failure::refused(me, refused, Some(kind)))?;
        self.write(answers, now).map_err(|refused| Failure::refused(me, refused, Some(kind)))
    }

    /// Writes what the party says, and what it says once that has its digest.
    fn write(&mut self, answers: Vec<Outgoing>, now: Timestamp) -> Result<(), Refused> {
        let lab = |error: WriterError| Refused::new(Code::Lab, error.to_string());
        let mut left = VecDeque::from(answers);
        while let Some(outgoing) = left.pop_front() {
            if self.outbox.len() >= MOST_ANSWERS {
                let reason =
                    format!("the {} answers with more than {MOST_ANSWERS} files", self.writer.address());
                return Err(Refused::new(Code::Lab, reason));
            }
            let written = self.writer.write(&outgoing, now).map_err(lab)?;
            let Some(first) = written.first() else { continue };
            self.inbox.sent(&first.file, first.digest);
            left.extend(self.party.wrote(&outgoing, first.digest, now));
            self.outbox.extend(written.iter().map(|file| file.octets.to_vec()));
        }
        Ok(())
    }

    /// The next file it has written.
    pub fn written(&mut self) -> Option<Vec<u8>> {
        self.outbox.pop_front()
    }
}

impl Seat for Member {
    fn hand<'a>(
        &'a mut self,
        file: &'a Arrived,
        trust: &'a Trust,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        // What an operation that was given up left behind answers nothing any more.
        self.outbox.clear();
        Box::pin(async move {
            let taken = self.take(&file.octets, trust, now).await;
            taken.map_err(|failure| Failure { file: failure.file.or(Some(file.file.body.kind())), ..failure })
        })
    }

    fn next(&mut self, _: Instant) -> BoxFuture<'_, Result<Option<Said>, Failure>> {
        let next = self.written().map(Said::File);
        Box::pin(async move { Ok(next) })
    }

    fn settle<'a>(&'a mut self, _: Result<(), &'a Finding>) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    fn close(&mut self, group: &GroupId) {
        self.inbox.close(group);
    }
}
