//! The run's recorder, shared by those who have something to record: the executor, and the taps of messages and alerts.

use std::sync::{Arc, Mutex, PoisonError};

use proto_lab::Digest;
use proto_lab::record::{Body, Direction, Message, RunFinished, Sequence};

use crate::evidence::{EvidenceError, Recorder, RunEnd};
use crate::execute::{Ledger, LedgerError};
use crate::link;
use crate::tap::MessageTap;

/// A recorder in several hands. Clones are the same book; each record is written whole before the next.
#[derive(Debug, Clone)]
pub struct Book(Arc<Mutex<Open>>);

#[derive(Debug)]
struct Open {
    /// None once the run is finished: what comes later is late.
    recorder: Option<Recorder>,
    /// The intent under way, to which messages belong.
    intent: Option<Sequence>,
}

impl Book {
    /// A book around this recorder.
    pub fn new(recorder: Recorder) -> Self {
        Self(Arc::new(Mutex::new(Open { recorder: Some(recorder), intent: None })))
    }

    /// Messages belong to this intent for as long as what is given back is kept.
    #[must_use]
    pub fn belonging_to(&self, intent: Sequence) -> Belonging {
        self.with(|open| open.intent = Some(intent));
        Belonging(self.clone())
    }

    /// Writes a record.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn write(&self, body: Body) -> Result<Sequence, LedgerError> {
        self.recording(|recorder| recorder.append(body))
    }

    /// Keeps a message and writes its record, with the intent it belongs to.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn write_message(
        &self,
        bytes: &[u8],
        message: impl FnOnce(Digest) -> Message,
    ) -> Result<Sequence, LedgerError> {
        self.with(|open| {
            let recorder = open.recorder.as_mut().ok_or_else(finished)?;
            let blob = recorder.blob(bytes).map_err(wrap)?;
            let message = Message { intent: open.intent, ..message(blob) };
            recorder.append(Body::Message(message)).map_err(wrap)
        })
    }

    /// Closes the run with its last record and final checkpoint.
    ///
    /// # Errors
    /// [`LedgerError`]; the run stays open then, and open is never passed.
    pub fn finish(&self, end: RunEnd) -> Result<RunFinished, LedgerError> {
        let recorder = self.with(|open| open.recorder.take()).ok_or_else(finished)?;
        let (finished, _root) = recorder.finish(end).map_err(wrap)?;
        Ok(finished)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Open) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn recording<T>(
        &self,
        act: impl FnOnce(&mut Recorder) -> Result<T, EvidenceError>,
    ) -> Result<T, LedgerError> {
        self.with(|open| match &mut open.recorder {
            Some(recorder) => act(recorder).map_err(wrap),
            None => Err(finished()),
        })
    }
}

/// While this is kept, messages belong to an intent; dropped, however a step ends, they belong to none.
#[derive(Debug)]
pub struct Belonging(Book);

impl Drop for Belonging {
    fn drop(&mut self) {
        self.0.with(|open| open.intent = None);
    }
}

fn wrap(error: EvidenceError) -> LedgerError {
    LedgerError(Box::new(error))
}

fn finished() -> LedgerError {
    LedgerError("the run is finished".into())
}

impl Ledger for Book {
    fn append(&mut self, body: Body) -> Result<Sequence, LedgerError> {
        self.write(body)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<Digest, LedgerError> {
        self.recording(|recorder| recorder.blob(bytes))
    }

    fn sync(&mut self) -> Result<(), LedgerError> {
        self.recording(Recorder::sync)
    }

    fn seal(&mut self) -> Result<(), LedgerError> {
        self.recording(Recorder::checkpoint)
    }
}

impl MessageTap for Book {
    /// A message that cannot be recorded stops the recorder, and with it the run, at its next record.
    fn message(&self, direction: link::Direction, party: &str, what: &str, bytes: &[u8]) {
        let direction = match direction {
            link::Direction::Sent => Direction::Sent,
            link::Direction::Received => Direction::Received,
        };
        let (party, what) = (party.to_owned(), what.to_owned());
        let written =
            self.write_message(bytes, |blob| Message { direction, party, what, blob, intent: None });
        if let Err(error) = written {
            tracing::error!("a message was not recorded: {error}");
        }
    }
}
