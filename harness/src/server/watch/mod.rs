//! The watch service: records, checkpoints and blobs of runs and lab books, read only.
//!
//! It gives out what the recorder wrote, octet for octet, so a watcher can hash it and need not trust this program. It
//! opens files for reading, knows nothing of runs under way but their files, and so can do nothing to them (13.16(b)).

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
use blob::Reading;
pub(crate) use runs::Runs;
use stream::{Lines, Notes};

/// Calls answered at a time; each holds a file and a few MiB at most.
const CALLS: usize = 512;

/// The service.
#[derive(Debug, Clone)]
pub(super) struct WatchRuns {
    runs: Runs,
    calls: Arc<Semaphore>,
}

impl WatchRuns {
    pub(super) fn new(runs: Runs) -> Self {
        Self::with_places(runs, CALLS)
    }

    fn with_places(runs: Runs, places: usize) -> Self {
        Self { runs, calls: Arc::new(Semaphore::new(places)) }
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, Status> {
        let full =
            |_| Status::resource_exhausted("as many calls as may be are being answered: try again later");
        Arc::clone(&self.calls).try_acquire_owned().map_err(full)
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
        let lines = self.open(&run, move |folder| Lines::open(folder, from)).await?;
        Ok(Response::new(stream::start(lines, follow, place)))
    }

    async fn checkpoints(
        &self,
        request: Request<CheckpointsRequest>,
    ) -> Result<Response<Self::CheckpointsStream>, Status> {
        let place = self.place()?;
        let CheckpointsRequest { run, from, follow } = request.into_inner();
        let notes = self.open(&run, move |folder| Notes::open(folder, from)).await?;
        Ok(Response::new(stream::start(notes, follow, place)))
    }

    async fn blob(&self, request: Request<BlobRequest>) -> Result<Response<Self::BlobStream>, Status> {
        let place = self.place()?;
        let BlobRequest { run, digest } = request.into_inner();
        let digest: Digest = digest.parse().map_err(|e| Status::invalid_argument(format!("{e}")))?;
        let reading = self.open(&run, move |folder| Reading::open(&folder, &digest)).await?;
        let unknown = || Status::not_found(format!("run `{run}` has no blob {digest}"));
        Ok(Response::new(stream::start(reading.ok_or_else(unknown)?, false, place)))
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
