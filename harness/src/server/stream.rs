//! One client's way through the lines of one run.

use std::time::Duration;

use proto_lab::record::{Body, Record};
use proto_lab::watch::{BATCH, RecordsResponse};
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{aside, status};
use crate::evidence::{EvidenceError, RunFolder};
use crate::watch::Follow;

/// How often a run that is being written is looked at. A step is with the watcher well within a tenth of a second.
const POLL: Duration = Duration::from_millis(40);
/// How long a client may leave a message untaken before its call is ended.
pub(super) const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// One message for the client to take, and the place kept for the last word.
const WAITING: usize = 2;

type Messages = mpsc::Sender<Result<RecordsResponse, Status>>;

/// A place in the lines of a run.
#[derive(Debug)]
pub(super) struct Reading {
    follow: Follow,
    /// Number of the next line of the file.
    next: u64,
    /// Lines before this one are passed over.
    from: u64,
    finished: bool,
}

impl Reading {
    /// At the first line.
    pub(super) fn open(folder: RunFolder, from: u64) -> Result<Self, EvidenceError> {
        Ok(Self { follow: Follow::open(folder)?, next: 0, from, finished: false })
    }

    /// The next lines as messages; absent when there is nothing new.
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
        self.finished = Record::from_line(last).is_ok_and(|r| matches!(r.body, Body::RunFinished(_)));
        Ok((!lines.is_empty()).then_some(messages))
    }
}

/// Adds a line to the last message, or to a new one when that is full.
fn append(messages: &mut Vec<RecordsResponse>, number: u64, line: &[u8]) {
    match messages.last_mut() {
        Some(message) if message.lines.len() < BATCH => message.lines.extend_from_slice(line),
        _ => messages.push(RecordsResponse { first: number, lines: line.to_vec() }),
    }
}

/// Sends lines until the last record, the end of what there is unless the client stays, or the client's leaving.
pub(super) fn start(
    reading: Reading,
    stay: bool,
    place: OwnedSemaphorePermit,
) -> ReceiverStream<Result<RecordsResponse, Status>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let _place = place;
        // A client that takes nothing leaves the queue full, and must still find out that its call was ended.
        let Ok(last_word) = sender.clone().reserve_owned().await else {
            return;
        };
        if let Err(status) = feed(reading, stay, &sender).await {
            last_word.send(Err(status));
        }
    });
    ReceiverStream::new(receiver)
}

async fn feed(mut reading: Reading, stay: bool, to: &Messages) -> Result<(), Status> {
    while !reading.finished {
        let read = aside(move || reading.read().map(|messages| (reading, messages)));
        let (back, messages) = read.await?.map_err(status)?;
        reading = back;
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

async fn give(messages: Vec<RecordsResponse>, to: &Messages) -> Result<(), Status> {
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
