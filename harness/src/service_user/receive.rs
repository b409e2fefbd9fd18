//! From octets to an acknowledgement, an answer or an alert, or to the reason why not. Pure.

use bytes::Bytes;
use proto_duis::{
    DccContent, Eui64, Party, RequestId, Response, ResponseBody, ResponseCode, ResponseId, ResponseMessage,
    Smets1Body, Smets1Response, Smets1ResponseMessage, Srv, TrustStore,
};

use super::answer::{Acknowledgement, Alert, AlertContent, Answer};
use super::error::Rejection;

/// What came to the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Received {
    Answer(Box<Answer>),
    Alert(Box<Alert>),
}

impl Received {
    /// What it is, in the field's words.
    pub(super) fn name(&self) -> String {
        match self {
            Received::Answer(answer) => match answer.schedule {
                None => format!("response {} to {}", answer.code, answer.srv),
                Some(id) => format!("response {} to {} by schedule {}", answer.code, answer.srv, id.get()),
            },
            Received::Alert(alert) => alert.name(),
        }
    }
}

/// A response with the parts every kind of it has.
struct Envelope {
    message: Response,
    signed_by: Vec<Party>,
    raw: Bytes,
}

/// Reads what came to the listener: both signatures, and that every identifier in it says the same.
pub(super) fn read(
    raw: &Bytes,
    trust: &TrustStore,
    is_ours: impl Fn(Eui64) -> bool,
) -> Result<Received, Rejection> {
    let opened = Response::open(raw, trust)?;
    let envelope = Envelope { message: opened.message, signed_by: opened.signed_by, raw: raw.clone() };
    let user = addressee(&envelope.message);
    if let Some(user) = user.filter(|user| !is_ours(*user)) {
        let expected = "a user of this lab".to_owned();
        return Err(Rejection::Mismatch { what: "the addressee", found: user.to_string(), expected });
    }
    match envelope.message.body.clone() {
        ResponseBody::Dcc(message) => dcc_answer(envelope, message),
        ResponseBody::Smets1(message) => smets1(envelope, &message),
        ResponseBody::DccAlert(message) => {
            let content = message.alert.content().clone();
            let user = user.or(content.request.map(|request| request.originator));
            Ok(alert(envelope, content.device, user, AlertContent::S1sp(content)))
        }
    }
}

/// Reads the synchronous reply to `request`; with I0 or a warning it is the answer at once.
pub(super) fn acknowledgement(
    raw: &Bytes,
    trust: &TrustStore,
    request: RequestId,
    srv: Srv,
) -> Result<(Acknowledgement, Option<Answer>), Rejection> {
    let opened = Response::open(raw, trust)?;
    let envelope = Envelope { message: opened.message, signed_by: opened.signed_by, raw: raw.clone() };
    let ResponseBody::Dcc(message) = envelope.message.body.clone() else {
        let (found, expected) = ("of a device or an alert".to_owned(), "the DCC's own".to_owned());
        return Err(Rejection::Mismatch { what: "the reply", found, expected });
    };
    // A refusal may name no request: the DCC may not have been able to read which it was.
    if envelope.message.request.is_some() || !envelope.message.code.is_error() {
        Rejection::unless_same("RequestID", &shown(envelope.message.request), &request.to_string())?;
    }
    Rejection::unless_same("ServiceReferenceVariant", &message.srv, &srv)?;
    let Response { code, time, .. } = envelope.message;
    let answers = code == ResponseCode::SUCCESS || code.is_warning();
    let answer = answers.then(|| answer(envelope, request, srv, message.content));
    Ok((Acknowledgement { code, time, raw: raw.clone() }, answer))
}

fn shown(id: Option<impl ToString>) -> String {
    id.map_or_else(|| "absent".to_owned(), |id| id.to_string())
}

/// The user a message is for, where it says.
fn addressee(message: &Response) -> Option<Eui64> {
    match &message.body {
        ResponseBody::Smets1(inner) => Some(inner.signed.content().user),
        // What has no answer of a device may name the device's answer all the same, as the read of a schedule does.
        _ => {
            message.request.or(message.response.map(ResponseId::request_id)).map(|request| request.originator)
        }
    }
}

fn answer(envelope: Envelope, request: RequestId, srv: Srv, content: DccContent) -> Answer {
    let Envelope { message: Response { code, time, .. }, signed_by, raw } = envelope;
    let (success, debug, data, device_time) = (None, Vec::new(), None, None);
    let schedule = None;
    Answer { request, schedule, srv, code, time, success, debug, data, device_time, content, signed_by, raw }
}

fn alert(envelope: Envelope, device: Option<Eui64>, user: Option<Eui64>, content: AlertContent) -> Received {
    let Envelope { message, signed_by, raw } = envelope;
    Received::Alert(Box::new(Alert { device, user, time: message.time, content, signed_by, raw }))
}

/// The DCC's own answer that was not given at once, such as E20 when the device cannot be reached.
fn dcc_answer(envelope: Envelope, message: ResponseMessage) -> Result<Received, Rejection> {
    if let (DccContent::ScheduleId(id), None, Some(response)) =
        (&message.content, envelope.message.request, envelope.message.response)
    {
        let plain = answer(envelope, response.request_id(), message.srv, DccContent::Nothing);
        return Ok(Received::Answer(Box::new(Answer { schedule: Some(*id), ..plain })));
    }
    let request = envelope.message.request.ok_or_else(|| Rejection::Mismatch {
        what: "RequestID",
        found: "absent".to_owned(),
        expected: "that of the request it answers".to_owned(),
    })?;
    Ok(Received::Answer(Box::new(answer(envelope, request, message.srv, message.content))))
}

fn smets1(envelope: Envelope, message: &Smets1ResponseMessage) -> Result<Received, Rejection> {
    let inner = message.signed.content();
    let Smets1Response { device, user, counter, timestamp, .. } = *inner;
    let response = ResponseId { originator: device, target: user, counter };
    Rejection::unless_same("ResponseID", &shown(envelope.message.response), &response.to_string())?;
    let payload = match &inner.body {
        Smets1Body::Alert(content) => {
            return Ok(alert(envelope, Some(device), Some(user), AlertContent::Device(content.clone())));
        }
        Smets1Body::Response(payload) => payload.clone(),
    };
    let request = response.request_id();
    // Nobody sent a request for what a schedule brings.
    if message.schedule.is_none() || envelope.message.request.is_some() {
        Rejection::unless_same("RequestID", &shown(envelope.message.request), &request.to_string())?;
    }
    let srv = variant(message, payload.data.as_ref().map(proto_duis::MmcBody::srv))?;
    let success = Some(payload.succeeded());
    let plain = answer(envelope, request, srv, DccContent::Nothing);
    let (debug, data, device_time) = (payload.debug, payload.data, timestamp);
    let schedule = message.schedule;
    Ok(Received::Answer(Box::new(Answer { schedule, success, debug, data, device_time, ..plain })))
}

/// The variant that was asked, which the envelope and the data must agree on.
fn variant(message: &Smets1ResponseMessage, data: Option<Srv>) -> Result<Srv, Rejection> {
    let srv = message.srv.ok_or_else(|| Rejection::Mismatch {
        what: "ServiceReferenceVariant",
        found: "absent".to_owned(),
        expected: "that of the request it answers".to_owned(),
    })?;
    Rejection::unless_same("the variant of the data", &data.unwrap_or(srv), &srv)?;
    Ok(srv)
}
