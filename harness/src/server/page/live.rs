//! A run as server-sent events: record lines and checkpoints, octet for octet.
//!
//! ```text
//! event: records            the lines of records, from number `id` less their count
//! id: 41                    the number of the record that comes next
//! data: {"n":40,...}
//!
//! event: checkpoints        signed notes, one after the other, as they stand in the file
//! data: lab/run-1
//! ...
//!
//! event: edge               everything that is there so far was sent; once for each call
//! data: 41
//!
//! event: end                the last record and the final checkpoint were sent
//! event: fault              the run can be followed no further, and why
//! event: behind             nothing was taken for too long: the client is let go, and may come again from where it was
//! ```
//!
//! Lines are cut at line feeds only and sent as they are, so whoever reads the octets of the stream (and takes line feeds
//! alone for line ends) can hash them. `?from=N` begins at record N; `&notes=OCTETS` at that octet of the checkpoints;
//! `&stay=1` keeps the stream after the end, for a fault that comes later. A
//! client that takes nothing holds two events and no more, is let go after [`TAKEN_WITHIN`], and is told so where it still
//! listens; what it missed stands in the files.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::sync::mpsc::OwnedPermit;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use super::Page;
use super::answer::{Refused, asked, of_page};
use crate::watch::feed::{Chunk, Fault, Feed, Position, Track};

/// How long a client may leave what it was sent untaken.
pub(super) const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// How often a client that there is nothing new for is sent a sign of life.
const ALIVE: Duration = Duration::from_secs(15);
/// One event for the client to take, and the place kept for the last word; beside what the system holds for it.
const WAITING: usize = 2;

/// `/runs/RUN/records`
pub(super) async fn records(
    State(page): State<Page>,
    Path(run): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let place = Arc::clone(&page.watching).try_acquire_owned().map_err(|_| Refused::Busy)?;
    let folder = page.folder(&run).await?;
    // A browser that follows events by itself says in this header how far it has come.
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let from = last.or(asked(&uri, "from")?).unwrap_or(0);
    let notes = asked(&uri, "notes")?.unwrap_or(0);
    let stays = asked(&uri, "stay")?.is_some_and(|stay| stay > 0);
    let feed = page.feed(&folder)?;
    let (to, events) = mpsc::channel(WAITING);
    // A client that takes nothing leaves the queue full, and must still find out that it was let go.
    let last_word = to.clone().reserve_owned().await.map_err(|_| Refused::Busy)?;
    let client = Client { feed, to, stays, _place: place };
    tokio::spawn(client.serve(from, notes, last_word));
    Ok(of_page("text/event-stream", Body::from_stream(ReceiverStream::new(events))))
}

/// An event, in the octets that are sent.
type Event = Result<Bytes, Infallible>;

/// One browser that watches one run.
struct Client {
    feed: Arc<Feed>,
    to: mpsc::Sender<Event>,
    /// Whether it is to be told, after the end, when the files are no longer as they were.
    stays: bool,
    _place: OwnedSemaphorePermit,
}

impl Client {
    async fn serve(self, from: u64, notes: u64, last_word: OwnedPermit<Event>) {
        match self.follow(from, notes).await {
            Ok(()) | Err(Stop::Gone) => {}
            Err(Stop::Fault(what)) => drop(last_word.send(Ok(event("fault", &what)))),
            Err(Stop::Behind) => {
                let what = format!(
                    "nothing was taken for {} s: come again from where you were",
                    TAKEN_WITHIN.as_secs()
                );
                last_word.send(Ok(event("behind", &what)));
            }
        }
    }

    async fn follow(&self, from: u64, notes: u64) -> Result<(), Stop> {
        let mut edge = self.feed.edge().await?;
        let mut record = self.feed.begin(Track::Records, from).await?;
        let mut note = Position { number: 0, offset: notes };
        let (mut caught_up, mut told_of_end) = (false, false);
        loop {
            let seen = edge.borrow_and_update().clone();
            while record.offset < seen.records.offset || note.offset < seen.notes.offset {
                record = self.next(Track::Records, record).await?;
                note = self.next(Track::Notes, note).await?;
            }
            if let Some(fault) = seen.fault {
                return Err(fault.into());
            }
            if !caught_up {
                caught_up = true;
                self.give(event("edge", &record.number.to_string())).await?;
            }
            if seen.ended() && !std::mem::replace(&mut told_of_end, true) {
                self.give(event("end", "the run is complete")).await?;
                if !self.stays {
                    return Ok(());
                }
            }
            tokio::select! {
                changed = edge.changed() => changed.map_err(|_| Stop::Gone)?,
                () = self.to.closed() => return Err(Stop::Gone),
                () = tokio::time::sleep(ALIVE) => self.give(Bytes::from_static(b": here\n\n")).await?,
            }
        }
    }

    /// Gives the chunk that begins here, if there is one, and says where the next begins.
    async fn next(&self, track: Track, from: Position) -> Result<Position, Stop> {
        let Some(chunk) = self.feed.next(track, from).await? else { return Ok(from) };
        self.give(chunk.encoded(|chunk| encode(track, chunk))).await?;
        Ok(chunk.to)
    }

    async fn give(&self, event: Bytes) -> Result<(), Stop> {
        self.to.send_timeout(Ok(event), TAKEN_WITHIN).await.map_err(|error| match error {
            SendTimeoutError::Closed(_) => Stop::Gone,
            SendTimeoutError::Timeout(_) => Stop::Behind,
        })
    }
}

/// Why a client is served no longer.
enum Stop {
    /// It went away.
    Gone,
    /// It takes nothing.
    Behind,
    /// The files are not as they were.
    Fault(String),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault.to_string())
    }
}

/// Lines of a file as one event.
fn encode(track: Track, chunk: &Chunk) -> Bytes {
    let mut event = BytesMut::with_capacity(chunk.octets.len() + chunk.octets.len() / 8 + 64);
    match track {
        Track::Records => event.put_slice(format!("event: records\nid: {}\n", chunk.to.number).as_bytes()),
        Track::Notes => event.put_slice(b"event: checkpoints\n"),
    }
    for line in chunk.octets.split_inclusive(|octet| *octet == b'\n') {
        event.put_slice(b"data: ");
        event.put_slice(line);
    }
    event.put_slice(b"\n");
    event.freeze()
}

fn event(name: &str, what: &str) -> Bytes {
    Bytes::from(format!("event: {name}\ndata: {}\n\n", what.replace(['\n', '\r'], " ")))
}
