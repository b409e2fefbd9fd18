//! One client's way through the lines, the checkpoints or a blob of one run.

use std::time::Duration;

use proto_lab::record::{Body, Record};
use proto_lab::watch::{BATCH, CheckpointsResponse, RecordsResponse};
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{aside, status};
use crate::evidence::{EvidenceError, RunFolder};
use crate::watch::{Follow, FollowNotes};

/// How often a run that is being written is looked at. A step is with the watcher well within a tenth of a second.
const POLL: Duration = Duration::from_millis(40);
/// How long a client may leave a message untaken before its call is ended.
pub(super) const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// One message for the client to take, and the place kept for the last word.
const WAITING: usize = 2;

/// What a client follows: it gives messages until it is finished.
pub(super) trait Source: Send + 'static {
    /// What goes to the client.
    type Message: Send + 'static;

    /// The next messages; absent when there is nothing new. It may wait for the disk.
    fn read(&mut self) -> Result<Option<Vec<Self::Message>>, EvidenceError>;

    /// Whether nothing more will come.
    fn is_finished(&self) -> bool;
}

/// A place in the lines of a run.
#[derive(Debug)]
pub(super) struct Lines {
    follow: Follow,
    /// Number of the next line of the file.
    next: u64,
    /// Lines before this one are passed over.
    from: u64,
    finished: bool,
}

impl Lines {
    /// At the first line.
    pub(super) fn open(folder: RunFolder, from: u64) -> Result<Self, EvidenceError> {
        Ok(Self { follow: Follow::open(folder)?, next: 0, from, finished: false })
    }
}

impl Source for Lines {
    type Message = RecordsResponse;

    fn read(&mut self) -> Result<Option<Vec<RecordsResponse>>, EvidenceError> {
        let lines = self.follow.poll_lines()?;
        let mut messages: Vec<RecordsResponse> = Vec::new();
        let mut last: &[u8] = &[];
        for line in lines.split_inclusive(|octet| *octet == b'\n') {
            if self.next >= self.from {
                append(&mut messages, self.next, line);
            }
            self.next += 1;
            last = line;
        }
        // A line that is no record goes out as it is: whoever hashes the lines must see it.
        let ends = |r: Record| matches!(r.body, Body::RunFinished(_) | Body::BookClosed(_));
        self.finished = Record::from_line(last).is_ok_and(ends);
        Ok((!lines.is_empty()).then_some(messages))
    }

    fn is_finished(&self) -> bool {
        self.finished
    }
}

/// Adds a line to the last message, or to a new one when that is full.
fn append(messages: &mut Vec<RecordsResponse>, number: u64, line: &[u8]) {
    match messages.last_mut() {
        Some(message) if message.lines.len() < BATCH => message.lines.extend_from_slice(line),
        _ => messages.push(RecordsResponse { first: number, lines: line.to_vec() }),
    }
}

/// A place in the checkpoints of a run.
#[derive(Debug)]
pub(super) struct Notes {
    follow: FollowNotes,
    next: u64,
    /// Checkpoints before this one are passed over.
    from: u64,
}

impl Notes {
    /// At the first checkpoint.
    pub(super) fn open(folder: RunFolder, from: u64) -> Result<Self, EvidenceError> {
        Ok(Self { follow: FollowNotes::open(folder)?, next: 0, from })
    }
}

impl Source for Notes {
    type Message = CheckpointsResponse;

    /// One poll reads no more than one message may have.
    fn read(&mut self) -> Result<Option<Vec<CheckpointsResponse>>, EvidenceError> {
        let notes = self.follow.poll()?;
        let first = self.next.max(self.from);
        let passed = usize::try_from(first - self.next).unwrap_or(usize::MAX).min(notes.len());
        self.next += notes.len() as u64;
        let wanted = notes[passed..].concat().into_bytes();
        let message = (!wanted.is_empty()).then_some(CheckpointsResponse { first, notes: wanted });
        Ok((!notes.is_empty()).then(|| message.into_iter().collect()))
    }

    fn is_finished(&self) -> bool {
        self.follow.is_finished()
    }
}

type Messages<M> = mpsc::Sender<Result<M, Status>>;

/// Sends messages until the last, the end of what there is unless the client stays, or the client's leaving.
pub(super) fn start<S: Source>(
    source: S,
    stay: bool,
    place: OwnedSemaphorePermit,
) -> ReceiverStream<Result<S::Message, Status>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let _place = place;
        // A client that takes nothing leaves the queue full, and must still find out that its call was ended.
        let Ok(last_word) = sender.clone().reserve_owned().await else {
            return;
        };
        if let Err(status) = feed(source, stay, &sender).await {
            last_word.send(Err(status));
        }
    });
    ReceiverStream::new(receiver)
}

async fn feed<S: Source>(mut source: S, stay: bool, to: &Messages<S::Message>) -> Result<(), Status> {
    while !source.is_finished() {
        let read = aside(move || source.read().map(|messages| (source, messages)));
        let (back, messages) = read.await?.map_err(status)?;
        source = back;
        match messages {
            Some(messages) => give(messages, to).await?,
            None if !stay => return Ok(()),
            None => tokio::select! {
                () = to.closed() => return Ok(()),
                () = tokio::time::sleep(POLL) => {}
            },
        }
    }
    Ok(())
}

async fn give<M>(messages: Vec<M>, to: &Messages<M>) -> Result<(), Status> {
    for message in messages {
        to.send_timeout(Ok(message), TAKEN_WITHIN).await.map_err(|error| match error {
            SendTimeoutError::Closed(_) => Status::cancelled("the client went away"),
            SendTimeoutError::Timeout(_) => Status::deadline_exceeded(format!(
                "no records were taken for {} s: ask again from the record you have come to",
                TAKEN_WITHIN.as_secs()
            )),
        })?;
    }
    Ok(())
}
