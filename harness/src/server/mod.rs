//! Watching from elsewhere: a gRPC server over a folder of run folders, read only.
//!
//! It gives out the lines the recorder wrote, octet for octet, so a watcher can hash them and need not trust this program.
//! It opens files for reading, knows nothing of runs under way but their files, and so can do nothing to them
//! (13.16(b)). It has no credentials yet, which is why it answers its own machine only.

mod runs;
mod stream;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use proto_lab::record::RunId;
use proto_lab::watch::{
    ListRunsRequest, ListRunsResponse, RecordsRequest, RecordsResponse, Watch, WatchServer,
};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::evidence::EvidenceError;
use runs::Runs;
use stream::Reading;

/// Calls answered at a time; each holds a file and a few MiB at most.
const CALLS: usize = 32;
/// A connection without traffic is asked for a sign of life this often.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// An address of this machine that no other machine reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopbackAddress(SocketAddr);

/// An address the server does not listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListenAddressError {
    /// Not an address.
    #[error("`{0}` is no address: expected an IP address and a port, such as 127.0.0.1:50051 or [::1]:50051")]
    Format(String),
    /// Other machines may reach it.
    #[error(
        "{0} can be reached from other machines, and credentials are not built yet: listen on a loopback address such as \
         127.0.0.1, and forward the port over ssh to watch from elsewhere"
    )]
    NotLoopback(SocketAddr),
}

impl FromStr for LoopbackAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address: SocketAddr = text.parse().map_err(|_| ListenAddressError::Format(text.to_owned()))?;
        match address.ip().is_loopback() {
            true => Ok(Self(address)),
            false => Err(ListenAddressError::NotLoopback(address)),
        }
    }
}

impl fmt::Display for LoopbackAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The server does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken, or not of this machine.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: LoopbackAddress,
        /// Why.
        source: std::io::Error,
    },
    /// It listened, and broke off.
    #[error("the server broke off: {0}")]
    Serve(#[from] tonic::transport::Error),
}

/// A server that has its address and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    watch: WatchRuns,
}

impl Server {
    /// Takes the address; port 0 is any free one. `runs` is the folder of the run folders.
    ///
    /// # Errors
    /// [`ServeError::Bind`].
    pub async fn bind(address: LoopbackAddress, runs: impl Into<PathBuf>) -> Result<Self, ServeError> {
        let bind = |source| ServeError::Bind { address, source };
        let listener = TcpListener::bind(address.0).await.map_err(bind)?;
        let local = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, address: local, watch: WatchRuns::new(Runs::new(runs)) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until this future is dropped.
    ///
    /// # Errors
    /// [`ServeError::Serve`].
    pub async fn serve(self) -> Result<(), ServeError> {
        let incoming = TcpIncoming::from(self.listener).with_nodelay(Some(true));
        tonic::transport::Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE))
            .max_concurrent_streams(CALLS as u32)
            .add_service(WatchServer::new(self.watch))
            .serve_with_incoming(incoming)
            .await?;
        Ok(())
    }
}

/// The service.
#[derive(Debug, Clone)]
struct WatchRuns {
    runs: Runs,
    calls: Arc<Semaphore>,
}

impl WatchRuns {
    fn new(runs: Runs) -> Self {
        Self { runs, calls: Arc::new(Semaphore::new(CALLS)) }
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, Status> {
        let full =
            |_| Status::resource_exhausted(format!("{CALLS} calls are being answered: try again later"));
        Arc::clone(&self.calls).try_acquire_owned().map_err(full)
    }
}

#[tonic::async_trait]
impl Watch for WatchRuns {
    type RecordsStream = ReceiverStream<Result<RecordsResponse, Status>>;

    async fn list_runs(
        &self,
        request: Request<ListRunsRequest>,
    ) -> Result<Response<ListRunsResponse>, Status> {
        let _place = self.place()?;
        let (runs, limit) = (self.runs.clone(), request.into_inner().limit);
        let runs = aside(move || runs.latest(limit)).await?.map_err(status)?;
        Ok(Response::new(ListRunsResponse { runs }))
    }

    async fn records(
        &self,
        request: Request<RecordsRequest>,
    ) -> Result<Response<Self::RecordsStream>, Status> {
        let place = self.place()?;
        let RecordsRequest { run, from, follow } = request.into_inner();
        let run: RunId = run.parse().map_err(|e| Status::invalid_argument(format!("{e}")))?;
        let runs = self.runs.clone();
        let reading = aside(move || {
            let unknown = || Status::not_found(format!("there is no run `{run}` here: ListRuns names them"));
            Reading::open(runs.folder(&run).ok_or_else(unknown)?, from).map_err(status)
        });
        Ok(Response::new(stream::start(reading.await??, follow, place)))
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
        EvidenceError::Unreadable { .. } => Status::data_loss(error.to_string()),
        _ => Status::internal(error.to_string()),
    }
}
