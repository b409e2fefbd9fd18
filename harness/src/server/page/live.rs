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
//! ```
//!
//! Lines are cut at line feeds only and sent as they are, so whoever reads the octets of the stream (and takes line feeds
//! alone for line ends) can hash them. `?from=N` begins at record N; `&notes=OCTETS` at that octet of the checkpoints. A
//! client that takes nothing for [`TAKEN_WITHIN`] is let go; it may come again from where it was.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use bytes::{BufMut as _, Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use super::answer::{Refused, asked, of_page};
use super::{Page, aside};
use crate::watch::feed::{Chunk, Fault, Feed, Position, Track};

/// How long a client may leave what it was sent untaken.
pub(super) const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// How often a client that there is nothing new for is sent a sign of life.
const ALIVE: Duration = Duration::from_secs(15);
/// Events that wait for a client, beside what the system holds for it.
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
    let (to, events) = mpsc::channel(WAITING);
    let client = Client { feed: page.feed(&folder), to, _place: place };
    tokio::spawn(client.serve(from, notes));
    Ok(of_page("text/event-stream", Body::from_stream(ReceiverStream::new(events))))
}

/// One browser that watches one run.
struct Client {
    feed: Arc<Feed>,
    to: mpsc::Sender<Result<Bytes, Infallible>>,
    _place: OwnedSemaphorePermit,
}

/// The client went away, or takes nothing.
struct Gone;

impl Client {
    async fn serve(self, from: u64, notes: u64) {
        if let Err(Stop::Fault(what)) = self.follow(from, notes).await {
            // Whoever is gone is not told.
            let _ = self.give(event("fault", &what)).await;
        }
    }

    async fn follow(&self, from: u64, notes: u64) -> Result<(), Stop> {
        let mut edge = self.feed.edge();
        edge.wait_for(|edge| edge.looked || edge.fault.is_some()).await.map_err(|_| Stop::Gone)?;
        let mut record = self.begin(from).await?;
        let mut note = Position { number: 0, offset: notes };
        let mut caught_up = false;
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
            if seen.ended {
                return Ok(self.give(event("end", "the run is complete")).await?);
            }
            tokio::select! {
                changed = edge.changed() => changed.map_err(|_| Stop::Gone)?,
                () = self.to.closed() => return Err(Stop::Gone),
                () = tokio::time::sleep(ALIVE) => self.give(Bytes::from_static(b": here\n\n")).await?,
            }
        }
    }

    /// Where record `from` begins. A client that has seen more than there is has seen another history.
    async fn begin(&self, from: u64) -> Result<Position, Stop> {
        let feed = Arc::clone(&self.feed);
        let at = aside(move || feed.locate(from)).await.map_err(|_| Stop::Gone)??;
        at.ok_or_else(|| {
            let here = self.feed.edge().borrow().records.number;
            Stop::Fault(format!("asked from record {from}, and there are {here}: records are missing"))
        })
    }

    /// Gives the chunk that begins here, if there is one, and says where the next begins.
    async fn next(&self, track: Track, from: Position) -> Result<Position, Stop> {
        let feed = Arc::clone(&self.feed);
        let chunk = aside(move || feed.chunk(track, from)).await.map_err(|_| Stop::Gone)??;
        let Some(chunk) = chunk else { return Ok(from) };
        self.give(chunk.encoded(|chunk| encode(track, chunk))).await?;
        Ok(chunk.to)
    }

    async fn give(&self, event: Bytes) -> Result<(), Gone> {
        self.to.send_timeout(Ok(event), TAKEN_WITHIN).await.map_err(|_| Gone)
    }
}

/// Why a client is served no longer.
enum Stop {
    Gone,
    Fault(String),
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
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
