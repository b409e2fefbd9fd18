//! The cosign service: a witness hands in what it has signed, and can do nothing else.

use std::sync::Arc;

use proto_lab::cosign::{
    Cosign, ListCosignaturesRequest, ListCosignaturesResponse, MAX_NOTE, SubmitRequest, SubmitResponse,
};
use proto_lab::record::book::LabEvent;
use proto_lab::record::{ActorName, RunId};
use tonic::{Request, Response, Status};

use super::callbook::Callbook;
use super::identity::{SignIn, actor};
use super::watch::Runs;
use crate::evidence::{CosignatureFault, CosignerKey, RunFolder, keep_cosignature, read_cosignatures};

/// Whose keys count.
#[derive(Debug, Clone)]
pub(super) enum Witnesses {
    /// A witness's own, as the file of people has them.
    OfPeople(Arc<SignIn>),
    /// These, of whoever is on this machine.
    OnLoopback(Arc<[CosignerKey]>),
}

impl Witnesses {
    fn keys(&self, name: &ActorName) -> Vec<CosignerKey> {
        match self {
            Self::OfPeople(people) => people.cosigner_keys(name),
            Self::OnLoopback(keys) => keys.to_vec(),
        }
    }
}

/// The service.
#[derive(Debug, Clone)]
pub(super) struct CosignRuns {
    runs: Runs,
    witnesses: Witnesses,
    callbook: Callbook,
}

impl CosignRuns {
    pub(super) const fn new(runs: Runs, witnesses: Witnesses, callbook: Callbook) -> Self {
        Self { runs, witnesses, callbook }
    }

    #[allow(clippy::result_large_err, reason = "what every method of a service returns")]
    fn folder(&self, run: &str) -> Result<(RunId, RunFolder), Status> {
        let run: RunId = run.parse().map_err(|e| Status::invalid_argument(format!("{e}")))?;
        let folder = self.runs.folder(&run);
        let folder = folder.ok_or_else(|| Status::not_found(format!("there is no run `{run}` here")))?;
        Ok((run, folder))
    }
}

#[tonic::async_trait]
impl Cosign for CosignRuns {
    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitResponse>, Status> {
        let by = actor(&request)?;
        let SubmitRequest { run, note } = request.into_inner();
        if note.len() > MAX_NOTE {
            return Err(Status::invalid_argument(format!("a note has at most {MAX_NOTE} octets")));
        }
        let keys = self.witnesses.keys(&by.name);
        let this = self.clone();
        let keeping = tokio::task::spawn_blocking(move || {
            let (run, folder) = this.folder(&run)?;
            keep_cosignature(&folder, &note, &keys).map(|kept| (run, kept)).map_err(status)
        });
        let (run, kept) = keeping.await.map_err(|e| Status::internal(e.to_string()))??;
        if !kept.already {
            let (size, root, signature) = (kept.size, kept.root, kept.line);
            self.callbook.tell(LabEvent::HeadCosigned { run, size, root, by, signature });
        }
        Ok(Response::new(SubmitResponse { size: kept.size, witness: kept.key, already: kept.already }))
    }

    async fn list_cosignatures(
        &self,
        request: Request<ListCosignaturesRequest>,
    ) -> Result<Response<ListCosignaturesResponse>, Status> {
        let this = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let (_, folder) = this.folder(&request.into_inner().run)?;
            read_cosignatures(&folder).map_err(|e| Status::internal(e.to_string()))
        });
        let notes = reading.await.map_err(|e| Status::internal(e.to_string()))??;
        Ok(Response::new(ListCosignaturesResponse { notes: notes.into_bytes() }))
    }
}

fn status(fault: CosignatureFault) -> Status {
    let text = fault.to_string();
    match fault {
        CosignatureFault::Form => Status::invalid_argument(text),
        CosignatureFault::UnknownKey { .. } | CosignatureFault::Signature { .. } => {
            Status::permission_denied(text)
        }
        CosignatureFault::NoCheckpoint { .. } => Status::invalid_argument(text),
        CosignatureFault::Full => Status::resource_exhausted(text),
        CosignatureFault::Evidence(_) => Status::internal(text),
    }
}
