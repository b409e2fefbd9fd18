//! The cosign service: a witness hands in what it has signed, and can do nothing else.
//!
//! Programs call it by gRPC; a witness's page posts `{"run": …, "note": …}` to `/cosign`. Both come to the same.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response as HttpResponse, StatusCode};
use axum::routing::post;
use proto_lab::cosign::{
    Cosign, ListCosignaturesRequest, ListCosignaturesResponse, MAX_NOTE, SubmitRequest, SubmitResponse,
};
use proto_lab::record::book::LabEvent;
use proto_lab::record::{Actor, ActorName, RunId};
use serde::Deserialize;
use tonic::{Code, Request, Response, Status};

use super::callbook::Callbook;
use super::guard::Why;
use super::identity::{By, SignIn, actor};
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

impl CosignRuns {
    /// Where a witness's page posts.
    pub(super) fn routes(self) -> super::Pages {
        super::Pages::new().route("/cosign", post(posted)).with_state(self)
    }

    /// Keeps what a witness has signed, with the run and in the lab book.
    async fn keep(&self, by: Actor, submitted: SubmitRequest) -> Result<SubmitResponse, Status> {
        let SubmitRequest { run, note } = submitted;
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
        let answer = SubmitResponse { size: kept.size, witness: kept.key, already: kept.already };
        if !kept.already {
            let (size, root, signature) = (kept.size, kept.root, kept.line);
            self.callbook.tell(LabEvent::HeadCosigned { run, size, root, by, signature });
        }
        Ok(answer)
    }
}

/// What a page posts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    run: String,
    note: String,
}

async fn posted(State(cosign): State<CosignRuns>, By(by): By, request: HttpRequest) -> HttpResponse<Body> {
    let kept = match read(request).await {
        Ok(Posted { run, note }) => cosign.keep(by, SubmitRequest { run, note: note.into_bytes() }).await,
        Err(reason) => Err(Status::invalid_argument(reason)),
    };
    match kept {
        Ok(SubmitResponse { size, witness, already }) => {
            let told = serde_json::json!({ "size": size, "witness": witness, "already": already });
            let mut response = HttpResponse::new(Body::from(told.to_string()));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(status) => Why::refused(http_status(status.code()), status.message().to_owned()),
    }
}

async fn read(request: HttpRequest) -> Result<Posted, String> {
    // No form of another site can send this type without asking first.
    let is_json = |value: &HeaderValue| value.as_bytes().starts_with(b"application/json");
    if !request.headers().get(CONTENT_TYPE).is_some_and(is_json) {
        return Err("expected application/json".to_owned());
    }
    // A note in JSON is up to twice as long for its escapes, and a little more for what is around it.
    let body =
        crate::http::body(request.into_body(), 2 * MAX_NOTE + 1024).await.map_err(|e| e.to_string())?;
    serde_json::from_slice(&body).map_err(|e| e.to_string())
}

const fn http_status(code: Code) -> StatusCode {
    match code {
        Code::InvalidArgument => StatusCode::BAD_REQUEST,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::ResourceExhausted => StatusCode::INSUFFICIENT_STORAGE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[tonic::async_trait]
impl Cosign for CosignRuns {
    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<SubmitResponse>, Status> {
        let by = actor(&request)?;
        self.keep(by, request.into_inner()).await.map(Response::new)
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
