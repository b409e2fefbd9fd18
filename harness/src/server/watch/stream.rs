//! One client's way through the lines, the checkpoints or a blob of one run.
//!
//! Lines and checkpoints come from the feed that all who watch the run share, page and gRPC alike. A client holds a place in
//! it and two messages, no more: one that takes nothing falls behind, its octets stay in the file and nowhere else, and after
//! [`TAKEN_WITHIN`] its call is ended. The last word, which has a place of its own, says why and from where to go on.

use std::sync::Arc;
use std::time::Duration;

use proto_lab::watch::{CheckpointsResponse, RecordsResponse};
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::watch::feed::{Chunk, Fault, Feed, Position, Track};

/// How long a client may leave a message untaken before its call is ended.
pub(super) const TAKEN_WITHIN: Duration = Duration::from_secs(60);
/// One message for the client to take, and the place kept for the last word.
pub(super) const WAITING: usize = 2;

/// What a client is sent of one of the files of a run.
pub(super) trait Message: Send + 'static {
    /// Which file.
    const TRACK: Track;

    /// These lines or notes. The octets are those everybody is sent, not a copy of them.
    fn of(chunk: &Chunk) -> Self;
}

impl Message for RecordsResponse {
    const TRACK: Track = Track::Records;

    fn of(chunk: &Chunk) -> Self {
        Self { first: chunk.from.number, lines: chunk.octets.clone() }
    }
}

impl Message for CheckpointsResponse {
    const TRACK: Track = Track::Notes;

    fn of(chunk: &Chunk) -> Self {
        Self { first: chunk.from.number, notes: chunk.octets.clone() }
    }
}

/// Where a client's messages go.
pub(super) type Messages<M> = mpsc::Sender<Result<M, Status>>;

/// What a call answers with: messages until `give` has no more, then why it ended, where that was not the end.
pub(super) fn start<M, F>(
    place: OwnedSemaphorePermit,
    give: impl FnOnce(Messages<M>) -> F + Send + 'static,
) -> ReceiverStream<Result<M, Status>>
where
    M: Send + 'static,
    F: Future<Output = Result<(), Status>> + Send,
{
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let _place = place;
        // A client that takes nothing leaves the queue full, and must still find out that its call was ended.
        let Ok(last_word) = sender.clone().reserve_owned().await else {
            return;
        };
        if let Err(status) = give(sender).await {
            last_word.send(Err(status));
        }
    });
    ReceiverStream::new(receiver)
}

/// Gives a client what stands in a run from a number on: until the last there is, or for a client that stays until the last
/// there will be.
pub(super) async fn follow<M: Message>(
    feed: Arc<Feed>,
    from: u64,
    stay: bool,
    to: Messages<M>,
) -> Result<(), Status> {
    let mut edge = feed.edge().await.map_err(status)?;
    let mut at = feed.begin(M::TRACK, from).await.map_err(status)?;
    loop {
        let seen = edge.borrow_and_update().clone();
        at = follow_to(&feed, at, seen.of(M::TRACK), &to).await?;
        if let Some(fault) = seen.fault {
            return Err(status(fault));
        }
        if !stay || seen.is_last(M::TRACK) {
            return Ok(());
        }
        tokio::select! {
            changed = edge.changed() => changed.map_err(|_| Status::unavailable("the lab's server ends"))?,
            () = to.closed() => return Ok(()),
        }
    }
}

async fn follow_to<M: Message>(
    feed: &Arc<Feed>,
    mut at: Position,
    until: Position,
    to: &Messages<M>,
) -> Result<Position, Status> {
    while at.offset < until.offset
        && let Some(chunk) = feed.next(M::TRACK, at).await.map_err(status)?
    {
        at = chunk.to;
        give(M::of(&chunk), to).await?;
    }
    Ok(at)
}

/// Gives a client one message.
pub(super) async fn give<M>(message: M, to: &Messages<M>) -> Result<(), Status> {
    to.send_timeout(Ok(message), TAKEN_WITHIN).await.map_err(|error| match error {
        SendTimeoutError::Closed(_) => Status::cancelled("the client went away"),
        SendTimeoutError::Timeout(_) => Status::deadline_exceeded(format!(
            "nothing was taken for {} s, so this call was ended: ask again from where you have come to",
            TAKEN_WITHIN.as_secs()
        )),
    })
}

/// What a client is told when the files are not as they should be.
fn status(fault: Fault) -> Status {
    match fault {
        Fault::Unreadable(_) => Status::internal(fault.to_string()),
        _ => Status::data_loss(fault.to_string()),
    }
}
