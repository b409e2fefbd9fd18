//! To the S1SP and back, for one request.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use proto_duis::{
    CountersignedRequest, Eui64, MessageError, Request, Response, ResponseCode, S1spAlert, ScheduledReading,
    Signed, Smets1Response,
};

use super::server::Shared;
use crate::link::Direction;

/// What an S1SP sends back: a document that it signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum S1spReply {
    /// A `SMETS1SignedResponse`.
    Answer(Bytes),
    /// An `S1SPAlert`, in place of an answer.
    Alert(Bytes),
}

/// An S1SP that sent nothing back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum S1spError {
    /// The S1SP, or the device, cannot be reached: E20.
    #[error("cannot communicate: {0}")]
    Unreachable(String),
    /// The device was reached and did not answer: E21.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

/// The way to a SMETS1 Service Provider.
pub trait S1spPort: Send + Sync + 'static {
    /// Serves a countersigned request. The DCC waits no longer than its deadline, or than somebody who quiesces it has
    /// patience for, and then drops the future.
    fn serve(&self, countersigned: Bytes) -> impl Future<Output = Result<S1spReply, S1spError>> + Send;

    /// Takes the image of a countersigned Update Firmware, to bring it to these of its devices in its own time. An S1SP
    /// that takes none need not say so.
    fn distribute(
        &self,
        _countersigned: Bytes,
        _devices: &BTreeSet<Eui64>,
    ) -> impl Future<Output = Result<(), S1spError>> + Send {
        async { Err(S1spError::Unreachable("this S1SP takes no firmware".to_owned())) }
    }
}

/// A request that was accepted.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) octets: Bytes,
    pub(super) request: Request,
    /// How long the S1SP may take for it.
    pub(super) deadline: Duration,
    pub(super) task: Task,
    /// When it is too late to begin, for what the DCC kept until its time.
    pub(super) not_after: Option<Timestamp>,
}

impl Job {
    /// Whether it is too late to begin.
    pub(super) fn is_too_late(&self, now: Timestamp) -> bool {
        self.not_after.is_some_and(|last| now > last)
    }
}

/// What the S1SP is to do with a request.
#[derive(Debug, Clone)]
pub(super) enum Task {
    /// Ask the device it targets.
    Command,
    /// Take its image to these devices.
    Distribute(BTreeSet<Eui64>),
    /// Ask for a schedule: the octets are the signed Create Schedule.
    Scheduled(ScheduledReading),
}

/// What the user is told of a request that has no answer of a device.
pub(super) fn failed(job: &Job, code: ResponseCode, now: Timestamp) -> Response {
    let (id, srv) = (job.request.id, job.request.srv());
    match job.task {
        Task::Scheduled(reading) => Response::scheduled_failure(reading.schedule, id, srv, code, now),
        Task::Command | Task::Distribute(_) => Response::acknowledgement(id, srv, code, now),
    }
}

/// What the user is told of a request that could not be begun in time.
pub(super) fn too_late(job: &Job, now: Timestamp) -> Response {
    let code = match job.task {
        Task::Scheduled(_) => ResponseCode::CANNOT_COMMUNICATE,
        Task::Command | Task::Distribute(_) => ResponseCode::FUTURE_DATED_TIMEOUT,
    };
    failed(job, code, now)
}

/// What the user gets for a request, whatever the S1SP does; nothing for an image that is on its way.
pub(super) async fn serve<P: S1spPort>(shared: &Arc<Shared<P>>, job: &Job) -> Option<Response> {
    let request = &job.request;
    let now = shared.now();
    if job.is_too_late(now) {
        return Some(too_late(job, now));
    }
    let (reason, code) = match exchange(shared, job).await {
        Ok(Reply::Answer(answer)) => {
            shared.learn(request, answer.content());
            let (srv, now) = (request.srv(), shared.now());
            return Some(match job.task {
                Task::Scheduled(reading) => Response::scheduled(reading.schedule, srv, answer, now),
                Task::Command | Task::Distribute(_) => Response::answer(request.id, srv, answer, now),
            });
        }
        Ok(Reply::Alert(alert)) => return Some(Response::s1sp_alert(alert, shared.now())),
        Ok(Reply::Taken) => return None,
        Err(Failure::Deadline) => {
            let reason = format!("no answer from the S1SP within {:?}", job.deadline);
            (reason, ResponseCode::NO_RESPONSE)
        }
        Err(Failure::S1sp(S1spError::NoAnswer(reason))) => (reason, ResponseCode::NO_RESPONSE),
        Err(Failure::S1sp(S1spError::Unreachable(reason))) => (reason, ResponseCode::CANNOT_COMMUNICATE),
        Err(Failure::Invalid(reason)) => (reason, ResponseCode::CANNOT_COMMUNICATE),
    };
    tracing::warn!(request = %request.id, %code, reason, "the S1SP gave no answer");
    Some(failed(job, code, shared.now()))
}

enum Failure {
    Deadline,
    S1sp(S1spError),
    /// The S1SP answered something that may not go to a user.
    Invalid(String),
}

enum Reply {
    Answer(Signed<Smets1Response>),
    Alert(Signed<S1spAlert>),
    Taken,
}

async fn exchange<P: S1spPort>(shared: &Arc<Shared<P>>, job: &Job) -> Result<Reply, Failure> {
    let invalid = |error: MessageError| Failure::Invalid(error.to_string());
    let countersigned = match job.task {
        Task::Scheduled(reading) => CountersignedRequest::scheduled(&job.octets, reading, shared.now()),
        Task::Command | Task::Distribute(_) => CountersignedRequest::new(&job.octets, shared.now()),
    };
    let countersigned = countersigned.map_err(invalid)?;
    let octets = countersigned.sign(&shared.signer).map_err(|error| invalid(error.into()))?;
    let what = format!("countersigned service request {}", job.request.srv());
    shared.tap.message(Direction::Sent, "S1SP", &what, octets.as_bytes());
    if let Task::Distribute(devices) = &job.task {
        let taken = shared.port.distribute(Bytes::from(octets), devices);
        let taken = tokio::time::timeout(job.deadline, taken).await;
        return taken.map_err(|_| Failure::Deadline)?.map(|()| Reply::Taken).map_err(Failure::S1sp);
    }
    let served = shared.port.serve(Bytes::from(octets));
    let reply = tokio::time::timeout(job.deadline, served).await;
    match reply.map_err(|_| Failure::Deadline)?.map_err(Failure::S1sp)? {
        S1spReply::Answer(octets) => {
            shared.tap.message(Direction::Received, "S1SP", "device answer", &octets);
            answer(shared, &job.request, &octets).map(Reply::Answer)
        }
        S1spReply::Alert(octets) => {
            shared.tap.message(Direction::Received, "S1SP", "S1SP alert", &octets);
            let alert = S1spAlert::parse(&octets).map_err(invalid)?;
            alert.verify(&shared.trust).map_err(invalid)?;
            Ok(Reply::Alert(alert))
        }
    }
}

/// An answer that is the S1SP's, and to this request.
fn answer<P>(
    shared: &Shared<P>,
    request: &Request,
    octets: &[u8],
) -> Result<Signed<Smets1Response>, Failure> {
    let invalid = |error: MessageError| Failure::Invalid(error.to_string());
    let answer = Smets1Response::parse(octets).map_err(invalid)?;
    answer.verify(&shared.trust).map_err(invalid)?;
    let Smets1Response { device, user, counter, .. } = *answer.content();
    let id = request.id;
    if answer.is_alert() || (device, user, counter) != (id.target, id.originator, id.counter) {
        let found = format!("{device} to {user}, counter {counter}");
        return Err(Failure::Invalid(format!("the answer is from {found}; expected one to {id}")));
    }
    Ok(answer)
}
