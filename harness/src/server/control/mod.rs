//! The control and queue services: each call is an act of whoever called, and the controller says what comes of it.
//!
//! The controller records every act, taken or refused; what cannot even be read as one is refused here and told to the
//! callbook as every refused call is.

mod buttons;

pub use buttons::paths as button_paths;

use lab_config::Eui64;
use proto_lab::control::{
    AbortRequest, Acted, Control, GiveBackRigRequest, HoldRigRequest, LiftQuarantineRequest, LiftStopRequest,
    PauseRequest, QuarantineRequest, RerunRequest, ResumeRequest, StopEverythingRequest,
};
use proto_lab::queue::{JoinRequest, LeaveRequest, ListRequest, ListResponse, Queue, QueueEntry, RigState};
use proto_lab::record::book::{Entry, EntryId, LabState, RigUse, RunStage};
use proto_lab::record::{Case, RunId};
use tonic::metadata::MetadataValue;
use tonic::{Request, Response, Status};

use super::guard::RECORDED;
use super::identity::actor;
use crate::dispatch::controller::{Action, Asked, Controller, Lease, Refusal, RefusalKind};

/// Things named in one call, at most: packs, scripts, data sets.
const NAMED: usize = 1000;

/// Both services, in front of one controller.
#[derive(Debug, Clone)]
pub struct Acts {
    controller: Controller,
}

impl Acts {
    /// The services of this controller.
    pub const fn new(controller: Controller) -> Self {
        Self { controller }
    }

    /// The buttons of pages at the control listener, in front of the same controller.
    pub fn buttons(&self) -> super::Pages {
        buttons::routes(self.clone())
    }

    async fn act<T>(&self, request: &Request<T>, action: Action) -> Result<Response<Acted>, Status> {
        let by = actor(request)?;
        let acted = self.controller.act(&by, action).await.map_err(|refusal| status(&refusal))?;
        let book = self.controller.book().root().file_name().unwrap_or_default();
        Ok(Response::new(Acted {
            book: book.to_string_lossy().into_owned(),
            records: acted.records.iter().map(|sequence| sequence.0).collect(),
            entry: acted.entry.map_or(0, |entry| entry.0),
        }))
    }
}

/// A refusal in the caller's terms. It is in the lab book already.
fn status(refusal: &Refusal) -> Status {
    let text = refusal.to_string();
    let mut status = match refusal.kind() {
        RefusalKind::NotAllowed => Status::permission_denied(text),
        RefusalKind::NotFound => Status::not_found(text),
        RefusalKind::Conflict => Status::failed_precondition(text),
        RefusalKind::BadInput => Status::invalid_argument(text),
        RefusalKind::Unavailable => Status::unavailable(text),
    };
    status.metadata_mut().insert(RECORDED, MetadataValue::from_static("yes"));
    status
}

#[allow(clippy::result_large_err, reason = "what every method of a service returns")]
fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Status> {
    text.parse().map_err(|e: T::Err| Status::invalid_argument(e.to_string()))
}

#[tonic::async_trait]
impl Control for Acts {
    async fn pause(&self, request: Request<PauseRequest>) -> Result<Response<Acted>, Status> {
        let run: RunId = parsed(&request.get_ref().run)?;
        self.act(&request, Action::Pause(run)).await
    }

    async fn resume(&self, request: Request<ResumeRequest>) -> Result<Response<Acted>, Status> {
        let run: RunId = parsed(&request.get_ref().run)?;
        self.act(&request, Action::Resume(run)).await
    }

    async fn abort(&self, request: Request<AbortRequest>) -> Result<Response<Acted>, Status> {
        let AbortRequest { run, reason } = request.get_ref().clone();
        self.act(&request, Action::Abort { run: parsed(&run)?, reason }).await
    }

    async fn stop_everything(
        &self,
        request: Request<StopEverythingRequest>,
    ) -> Result<Response<Acted>, Status> {
        let reason = request.get_ref().reason.clone();
        self.act(&request, Action::StopEverything { reason }).await
    }

    async fn lift_stop(&self, request: Request<LiftStopRequest>) -> Result<Response<Acted>, Status> {
        self.act(&request, Action::LiftStop).await
    }

    async fn rerun(&self, request: Request<RerunRequest>) -> Result<Response<Acted>, Status> {
        let asked = request.get_ref().clone();
        let case = Case { pack: asked.pack, script: asked.script, row: asked.row, device: asked.device };
        self.act(&request, Action::Rerun { run: parsed(&asked.run)?, case }).await
    }

    async fn hold_rig(&self, request: Request<HoldRigRequest>) -> Result<Response<Acted>, Status> {
        let HoldRigRequest { rig, reason, lease_seconds } = request.get_ref().clone();
        let lease = match lease_seconds {
            0 => Lease::default(),
            seconds => {
                Lease::of_seconds(seconds.into()).map_err(|e| Status::invalid_argument(e.to_string()))?
            }
        };
        self.act(&request, Action::Hold { rig, reason, lease }).await
    }

    async fn give_back_rig(&self, request: Request<GiveBackRigRequest>) -> Result<Response<Acted>, Status> {
        let rig = request.get_ref().rig.clone();
        self.act(&request, Action::GiveBack { rig }).await
    }

    async fn quarantine(&self, request: Request<QuarantineRequest>) -> Result<Response<Acted>, Status> {
        let QuarantineRequest { device, reason } = request.get_ref().clone();
        let device: Eui64 = parsed(&device)?;
        self.act(&request, Action::Quarantine { device, reason }).await
    }

    async fn lift_quarantine(
        &self,
        request: Request<LiftQuarantineRequest>,
    ) -> Result<Response<Acted>, Status> {
        let device: Eui64 = parsed(&request.get_ref().device)?;
        self.act(&request, Action::LiftQuarantine { device }).await
    }
}

#[tonic::async_trait]
impl Queue for Acts {
    async fn join(&self, request: Request<JoinRequest>) -> Result<Response<Acted>, Status> {
        let JoinRequest { rig, packs, scripts, data_sets, witnessed } = request.get_ref().clone();
        if [&packs, &scripts, &data_sets, &witnessed].iter().any(|named| named.len() > NAMED) {
            return Err(Status::invalid_argument(format!("at most {NAMED} packs, scripts or data sets")));
        }
        self.act(&request, Action::Join(Asked { rig, packs, scripts, data_sets, witnessed })).await
    }

    async fn leave(&self, request: Request<LeaveRequest>) -> Result<Response<Acted>, Status> {
        let entry = EntryId(request.get_ref().entry);
        self.act(&request, Action::Leave(entry)).await
    }

    async fn list(&self, _: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        let state = std::sync::Arc::clone(&self.controller.state().borrow());
        Ok(Response::new(listed(&state)))
    }
}

/// The lab's state as it goes over the wire.
fn listed(state: &LabState) -> ListResponse {
    ListResponse {
        book: state.book.as_ref().map(ToString::to_string).unwrap_or_default(),
        waiting: state.queue.iter().map(entry).collect(),
        rigs: state.rigs.keys().map(|rig| rig_state(state, rig)).collect(),
    }
}

fn entry(entry: &Entry) -> QueueEntry {
    QueueEntry {
        entry: entry.id.0,
        rig: entry.work.rig.clone(),
        packs: entry.work.packs.iter().map(|pack| pack.source.clone()).collect(),
        scripts: entry.work.scripts.clone(),
        who: entry.by.to_string(),
        since: entry.since.to_string(),
        witnessed: entry.work.witnessed.clone(),
    }
}

fn rig_state(state: &LabState, rig: &str) -> RigState {
    let mut told = RigState {
        rig: rig.to_owned(),
        state: "free".to_owned(),
        quarantined: state.quarantined_on(rig).into_iter().map(ToOwned::to_owned).collect(),
        ..RigState::default()
    };
    match state.rigs.get(rig).map(|rig| &rig.used) {
        None | Some(RigUse::Free) => {}
        Some(RigUse::Held { by, reason, until }) => {
            (told.state, told.holder, told.reason) = ("held".to_owned(), by.to_string(), reason.clone());
            told.until = until.to_string();
        }
        Some(RigUse::Running { run }) => {
            told.state = state.runs.get(run).map_or("running", |under_way| stage(under_way.stage)).to_owned();
            told.holder = run.to_string();
        }
    }
    told
}

const fn stage(stage: RunStage) -> &'static str {
    match stage {
        RunStage::Running => "running",
        RunStage::Pausing => "pausing",
        RunStage::Paused => "paused",
        RunStage::Stopping => "stopping",
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proto_lab::record::book::{BookOpened, LabEvent, RigDeclared, Work};
    use proto_lab::record::{Actor, Body, Credential, FORMAT, Record, Role, Sequence, SignerKey};

    use super::*;

    fn ann() -> Actor {
        Actor { name: "ann".parse().unwrap(), role: Role::Engineer, credential: Credential::SignIn }
    }

    fn state(events: Vec<LabEvent>) -> LabState {
        let rig = |name: &str| RigDeclared { name: name.into(), combination: "d".into(), devices: vec![] };
        let opened = BookOpened {
            format: FORMAT,
            book: "book-1".parse().unwrap(),
            harness: "h".into(),
            lab: "lab".into(),
            lab_digest: proto_lab::Digest::of(b"lab"),
            rigs: ["a", "b", "c"].map(rig).to_vec(),
            key: SignerKey { verifier: String::new(), ephemeral: true },
            previous: None,
            next_entry: EntryId(1),
        };
        let first = Body::BookOpened(Box::new(opened));
        let bodies = std::iter::once(first).chain(events.into_iter().map(|event| Body::Lab(Box::new(event))));
        let at: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let records: Vec<Record> =
            (0..).zip(bodies).map(|(n, body)| Record::new(Sequence(n), at, body)).collect();
        LabState::of(&records)
    }

    #[test]
    fn the_list_is_what_the_book_comes_to() {
        let work = |rig: &str| Work {
            rig: rig.into(),
            packs: vec![],
            scripts: vec![],
            data_sets: vec![],
            witnessed: vec!["s".into()],
        };
        let until: Timestamp = "2026-11-22T13:00:00Z".parse().unwrap();
        let run: RunId = "r1".parse().unwrap();
        let told = listed(&state(vec![
            LabEvent::RigHeld { rig: "b".into(), by: ann(), reason: "wiring".into(), until },
            LabEvent::RunBegan { run: run.clone(), entry: EntryId(1), work: work("c"), by: ann() },
            LabEvent::PauseAsked { run, by: ann() },
            LabEvent::QueueJoined { entry: EntryId(2), work: work("c"), by: ann() },
        ]));
        let rigs: Vec<_> = told.rigs.iter().map(|r| (&*r.rig, &*r.state, &*r.holder, &*r.until)).collect();
        let expected = [
            ("a", "free", "", ""),
            ("b", "held", "ann (engineer)", "2026-11-22T13:00:00Z"),
            ("c", "pausing", "r1", ""),
        ];
        assert_eq!(rigs, expected);
        let waiting: Vec<_> =
            told.waiting.iter().map(|e| (e.entry, &*e.rig, &*e.who, e.witnessed.concat())).collect();
        assert_eq!(waiting, [(2, "c", "ann (engineer)", "s".to_owned())]);
        assert_eq!(told.book, "book-1");
    }
}
