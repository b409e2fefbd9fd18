//! The lab at this moment, folded from its book: rigs, queue, runs under way, stations.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::Response;
use proto_lab::record::Record;
use proto_lab::record::book::LabState;

use super::Page;
use super::answer::{Refused, json};
use crate::evidence::RunFolder;
use crate::server::watch::Runs;
use crate::watch::feed::{Feed, Feeds, Position, Track};

/// The fold as far as it has come; it goes on from there when it is asked for again.
#[derive(Debug, Default)]
pub(super) struct Fold(Mutex<Option<Open>>);

/// The book that is folded.
#[derive(Debug)]
struct Open {
    folder: RunFolder,
    feed: Arc<Feed>,
    at: Position,
    state: LabState,
}

/// `/lab`
pub(super) async fn lab(State(page): State<Page>) -> Result<Response, Refused> {
    let feed = page.lab.open(&page.runs, &page.shown.feeds)?;
    feed.edge().await.map_err(Refused::fault)?;
    let folding = Arc::clone(&page.lab);
    let state = page.heavily(move || folding.fold()).await??;
    json(&state)
}

impl Fold {
    /// The feed of the latest book.
    fn open(&self, runs: &Runs, feeds: &Feeds) -> Result<Arc<Feed>, Refused> {
        let books = runs.latest_books(1).map_err(Refused::evidence)?;
        let unkept =
            || Refused::NotThere("no controller keeps a book here: rigs and queue are not known".to_owned());
        let latest =
            books.first().and_then(|book| runs.folder(&book.book.parse().ok()?)).ok_or_else(unkept)?;
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = open.as_ref().filter(|open| open.folder == latest) {
            return Ok(Arc::clone(&open.feed));
        }
        let feed = feeds.of(&latest)?;
        let begun = Open {
            folder: latest,
            feed: Arc::clone(&feed),
            at: Position::default(),
            state: LabState::default(),
        };
        *open = Some(begun);
        Ok(feed)
    }

    fn fold(&self) -> Result<LabState, Refused> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(open) = open.as_mut() else { return Err(Refused::Busy) };
        while let Some(chunk) = open.feed.chunk(Track::Records, open.at).map_err(Refused::fault)? {
            for line in chunk.octets.split_inclusive(|octet| *octet == b'\n') {
                let record =
                    Record::from_line(line).map_err(|e| Refused::Broken(format!("the lab's book: {e}")))?;
                open.state.take(&record);
            }
            open.at = chunk.to;
        }
        Ok(open.state.clone())
    }
}
