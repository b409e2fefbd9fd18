//! The watch service: records, checkpoints and blobs of runs and lab books, read only.
//!
//! It gives out what the recorder wrote, octet for octet, so a watcher can hash it and need not trust this program. It
//! opens files for reading, knows nothing of runs under way but their files, and so can do nothing to them (13.16(b)). A
//! run is read once, however many watch it ([`crate::watch::feed`]).

mod blob;
mod runs;
mod stream;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use proto_lab::Digest;
use proto_lab::record::RunId;
use proto_lab::watch::{
    BlobRequest, BlobResponse, CheckpointsRequest, CheckpointsResponse, ListBooksRequest, ListBooksResponse,
    ListRunsRequest, ListRunsResponse, RecordsRequest, RecordsResponse, Watch,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::evidence::{EvidenceError, RunFolder};
use crate::watch::feed::{Feed, Feeds};
use blob::Reading;
pub(crate) use runs::Runs;

/// Calls answered at a time at one listener, those that follow a run included.
const CALLS: usize = 512;

/// The service.
#[derive(Debug, Clone)]
pub(super) struct WatchRuns {
    runs: Runs,
    feeds: Feeds,
    calls: Arc<Semaphore>,
    places: usize,
}

impl WatchRuns {
    /// Of these runs, by the feeds that the page has of them too.
    pub(super) fn new(runs: Runs, feeds: Feeds) -> Self {
        Self::with_places(runs, feeds, CALLS)
    }

    fn with_places(runs: Runs, feeds: Feeds, places: usize) -> Self {
        Self { runs, feeds, calls: Arc::new(Semaphore::new(places)), places }
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, Status> {
        let full = |_| {
            let places = self.places;
            Status::resource_exhausted(format!(
                "{places} calls to watch are being answered, as many as may be at one listener: try again later"
            ))
        };
        Arc::clone(&self.calls).try_acquire_owned().map_err(full)
    }

    /// The feed of a run.
    async fn feed(&self, run: &str) -> Result<Arc<Feed>, Status> {
        let folder = self.open(run, Ok).await?;
        self.feeds.of(&folder).map_err(|crowded| Status::resource_exhausted(crowded.to_string()))
    }

    /// Opens something of a run, away from the calls that are being answered.
    async fn open<T: Send + 'static>(
        &self,
        run: &str,
        open: impl FnOnce(RunFolder) -> Result<T, EvidenceError> + Send + 'static,
    ) -> Result<T, Status> {
        let run: RunId = run.parse().map_err(|e| Status::invalid_argument(format!("{e}")))?;
        let runs = self.runs.clone();
        let opening = aside(move || {
            let unknown = || {
                Status::not_found(format!("there is no run `{run}` here: ListRuns and ListBooks name them"))
            };
            open(runs.folder(&run).ok_or_else(unknown)?).map_err(status)
        });
        opening.await?
    }
}

#[tonic::async_trait]
impl Watch for WatchRuns {
    type RecordsStream = ReceiverStream<Result<RecordsResponse, Status>>;
    type CheckpointsStream = ReceiverStream<Result<CheckpointsResponse, Status>>;
    type BlobStream = ReceiverStream<Result<BlobResponse, Status>>;

    async fn list_runs(
        &self,
        request: Request<ListRunsRequest>,
    ) -> Result<Response<ListRunsResponse>, Status> {
        let _place = self.place()?;
        let (runs, limit) = (self.runs.clone(), request.into_inner().limit);
        let runs = aside(move || runs.latest(limit)).await?.map_err(status)?;
        Ok(Response::new(ListRunsResponse { runs }))
    }

    async fn list_books(
        &self,
        request: Request<ListBooksRequest>,
    ) -> Result<Response<ListBooksResponse>, Status> {
        let _place = self.place()?;
        let (runs, limit) = (self.runs.clone(), request.into_inner().limit);
        let books = aside(move || runs.latest_books(limit)).await?.map_err(status)?;
        Ok(Response::new(ListBooksResponse { books }))
    }

    async fn records(
        &self,
        request: Request<RecordsRequest>,
    ) -> Result<Response<Self::RecordsStream>, Status> {
        let place = self.place()?;
        let RecordsRequest { run, from, follow } = request.into_inner();
        let feed = self.feed(&run).await?;
        Ok(Response::new(stream::start(place, move |to| stream::follow(feed, from, follow, to))))
    }

    async fn checkpoints(
        &self,
        request: Request<CheckpointsRequest>,
    ) -> Result<Response<Self::CheckpointsStream>, Status> {
        let place = self.place()?;
        let CheckpointsRequest { run, from, follow } = request.into_inner();
        let feed = self.feed(&run).await?;
        Ok(Response::new(stream::start(place, move |to| stream::follow(feed, from, follow, to))))
    }

    async fn blob(&self, request: Request<BlobRequest>) -> Result<Response<Self::BlobStream>, Status> {
        let place = self.place()?;
        let BlobRequest { run, digest } = request.into_inner();
        let digest: Digest = digest.parse().map_err(|e| Status::invalid_argument(format!("{e}")))?;
        let reading = self.open(&run, move |folder| Reading::open(&folder, &digest)).await?;
        let unknown = || Status::not_found(format!("run `{run}` has no blob {digest}"));
        let reading = reading.ok_or_else(unknown)?;
        Ok(Response::new(stream::start(place, move |to| reading.give(to))))
    }
}

/// Does what may wait for a disk without holding up other calls.
async fn aside<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> Result<T, Status> {
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|e| Status::internal(format!("reading was broken off: {e}")))
}

/// What a client is told when the files are not as they should be.
fn status(error: EvidenceError) -> Status {
    match error {
        EvidenceError::Unreadable { .. } | EvidenceError::NoNote { .. } => {
            Status::data_loss(error.to_string())
        }
        _ => Status::internal(error.to_string()),
    }
}
