//! What the records of a run say of its one request by hand.

use std::path::Path;

use proto_duis::{
    AlertCode, DccContent, MmcElement, Request, RequestId, Response, ResponseBody, ResponseCode, Smets1Body,
    Smets1Response,
};
use proto_lab::Digest;
use proto_lab::record::{Body, Direction, Intent, Message, PacketRange, Part, Record, Sequence};
use scenarios::Value;
use serde::Serialize;

use crate::service_user::answer;

/// The blobs of a run.
pub(super) type Blob<'a> = &'a dyn Fn(&Digest) -> Option<Vec<u8>>;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    /// The device, or the DCC itself, did what was asked.
    Done,
    /// The DCC refused it.
    Refused,
    /// It was taken and not done.
    Failed,
    /// Nobody answered.
    Unanswered,
}

/// All there is to say. Whatever is said names its record.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Told {
    pub(super) run: String,
    pub(super) outcome: Outcome,
    /// Why there is no answer.
    pub(super) reason: Option<String>,
    /// What was done, as the record of the intent has it.
    pub(super) action: Option<String>,
    pub(super) request: Option<Asked>,
    pub(super) acknowledgement: Option<Code>,
    pub(super) answer: Option<Answered>,
    pub(super) alerts: Vec<AlertTold>,
    /// What went over the line, in a sentence.
    pub(super) line: Option<String>,
    pub(super) packets: Option<PacketRange>,
    /// How the rig was left.
    pub(super) afterwards: Option<String>,
}

/// The request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Asked {
    #[serde(rename = "service-reference-variant")]
    pub(super) srv: &'static str,
    pub(super) name: &'static str,
    pub(super) user: String,
    pub(super) target: String,
    #[serde(rename = "request-id")]
    pub(super) id: String,
    pub(super) fields: std::collections::BTreeMap<String, String>,
    pub(super) record: u64,
}

/// A code of the DCC's.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Code {
    pub(super) code: String,
    pub(super) meaning: Option<&'static str>,
    pub(super) record: u64,
}

/// The answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Answered {
    #[serde(flatten)]
    pub(super) code: Code,
    /// `MessageSuccess`; none where no device answered.
    pub(super) success: Option<bool>,
    /// Why not.
    pub(super) debug: Vec<String>,
    pub(super) values: Vec<ValueTold>,
    pub(super) device_time: Option<String>,
}

/// A value of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ValueTold {
    pub(super) path: String,
    pub(super) value: String,
    pub(super) unit: Option<String>,
}

/// An alert.
#[derive(Debug, Serialize)]
pub(super) struct AlertTold {
    pub(super) code: String,
    pub(super) words: String,
    pub(super) record: u64,
}

/// Reads the records of a run of one request.
pub(super) fn told(run: &Path, records: &[Record], blob: Blob<'_>) -> Told {
    let mut told = Told {
        run: run.display().to_string(),
        outcome: Outcome::Unanswered,
        reason: None,
        action: None,
        request: None,
        acknowledgement: None,
        answer: None,
        alerts: Vec::new(),
        line: None,
        packets: None,
        afterwards: None,
    };
    let mut reading = Reading { told: &mut told, blob, intent: None, id: None, over: false };
    records.iter().for_each(|record| reading.take(record));
    told.outcome = outcome(&told);
    told
}

fn outcome(told: &Told) -> Outcome {
    let is_error = |code: &Code| code.code.parse::<ResponseCode>().is_ok_and(ResponseCode::is_error);
    match (&told.acknowledgement, &told.answer) {
        (_, Some(answer)) if answer.success == Some(false) || is_error(&answer.code) => Outcome::Failed,
        (_, Some(_)) => Outcome::Done,
        (Some(code), None) if is_error(code) => Outcome::Refused,
        _ => Outcome::Unanswered,
    }
}

struct Reading<'a> {
    told: &'a mut Told,
    blob: Blob<'a>,
    /// The intent to send the request, once it is there.
    intent: Option<Sequence>,
    id: Option<RequestId>,
    /// Whether the script has ended: what comes then does not come with the request.
    over: bool,
}

impl Reading<'_> {
    fn take(&mut self, record: &Record) {
        match &record.body {
            Body::Intent(Intent { part: Part::Test, step: 1, action, .. }) => {
                self.intent = Some(record.sequence);
                self.told.action = Some(action.clone());
            }
            Body::Message(message) if self.intent.is_some() && !self.over => {
                self.message(record.sequence, message);
            }
            Body::Observed(seen) if Some(seen.intent) == self.intent => {
                self.told.packets.clone_from(&seen.packets);
            }
            Body::ScriptFinished(finished) => {
                self.over = true;
                self.told.reason.clone_from(&finished.reason);
            }
            Body::ScriptNotRun(not) => self.told.reason = Some(not.reason.clone()),
            Body::SafeState(state) if self.over => self.told.afterwards = Some(state.detail.clone()),
            Body::RunFinished(finished) if self.told.reason.is_none() => {
                self.told.reason.clone_from(&finished.reason);
            }
            _ => {}
        }
    }

    fn message(&mut self, record: Sequence, message: &Message) {
        let Some(octets) = (self.blob)(&message.blob).filter(|_| message.party == "DCC") else { return };
        match message.direction {
            Direction::Sent => {
                if let Ok(request) = Request::parse(&octets) {
                    self.id = Some(request.id);
                    self.told.request = Some(asked(&request, record));
                }
            }
            Direction::Received => {
                if let Ok(response) = Response::parse(&octets) {
                    self.response(record, &response);
                }
            }
        }
    }

    fn response(&mut self, record: Sequence, response: &Response) {
        let own = response.request.is_some() && response.request == self.id;
        match &response.body {
            ResponseBody::Dcc(message) if own => {
                let code = code(response.code, record);
                let is_answer = self.told.acknowledgement.is_some()
                    || !(response.code == ResponseCode::ACKNOWLEDGED || response.code.is_error());
                self.told.acknowledgement.get_or_insert_with(|| code.clone());
                if is_answer {
                    self.told.answer = Some(by_the_dcc(code, &message.content));
                }
            }
            ResponseBody::Smets1(message) => match &message.signed.content().body {
                Smets1Body::Alert(_) => {
                    self.told.alerts.extend(device_alert(message.signed.content(), record));
                }
                Smets1Body::Response(_) if own => {
                    let code = code(response.code, record);
                    self.told.answer = Some(by_a_device(code, message.signed.content()));
                }
                Smets1Body::Response(_) => {}
            },
            ResponseBody::DccAlert(message) => {
                let alert = message.alert.content();
                let about = alert.device.map(|device| format!(" about {device}")).unwrap_or_default();
                let more = alert.information.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
                let words = format!("S1SP alert {}{about}{more}", alert.code);
                self.told.alerts.push(AlertTold { code: alert.code.clone(), words, record: record.0 });
            }
            ResponseBody::Dcc(_) => {}
        }
    }
}

fn asked(request: &Request, record: Sequence) -> Asked {
    let srv = request.srv();
    Asked {
        srv: srv.as_str(),
        name: srv.name(),
        user: request.id.originator.to_string(),
        target: request.id.target.to_string(),
        id: request.id.to_string(),
        fields: request.body.to_fields(),
        record: record.0,
    }
}

fn code(code: ResponseCode, record: Sequence) -> Code {
    Code { code: code.to_string(), meaning: code.meaning(), record: record.0 }
}

fn by_the_dcc(code: Code, content: &DccContent) -> Answered {
    let value = |(path, value): (&str, &Value)| ValueTold {
        path: path.strip_prefix("response.").unwrap_or(path).to_owned(),
        value: value.to_string(),
        unit: None,
    };
    let values = answer::values_of_the_dcc(content).iter().map(value).collect();
    Answered { code, success: None, debug: Vec::new(), values, device_time: None }
}

fn by_a_device(code: Code, message: &Smets1Response) -> Answered {
    let Smets1Body::Response(payload) = &message.body else {
        return by_the_dcc(code, &DccContent::Nothing);
    };
    let mut values = Vec::new();
    if let Some(data) = &payload.data {
        flatten(data.root(), "", &mut values);
    }
    Answered {
        code,
        success: Some(payload.succeeded()),
        debug: payload.debug.iter().map(|reason| format!("{}: {}", reason.code, reason.error)).collect(),
        values,
        device_time: message.timestamp.map(|stamp| stamp.time.to_string()),
    }
}

/// Every leaf below an element, by its path; the unit beside a value goes with it.
fn flatten(element: &MmcElement, above: &str, values: &mut Vec<ValueTold>) {
    let is_unit = |child: &MmcElement| child.children().is_empty() && child.name().ends_with("Unit");
    let unit = element.children().iter().find(|child| is_unit(child)).map(|unit| unit.text().to_owned());
    let mut places = std::collections::BTreeMap::new();
    for child in element.children() {
        let several = element.children().iter().filter(|other| other.name() == child.name()).count() > 1;
        let place: &mut usize = places.entry(child.name()).or_default();
        let name = if several { format!("{}[{place}]", child.name()) } else { child.name().to_owned() };
        *place += 1;
        let path = if above.is_empty() { name } else { format!("{above}.{name}") };
        match child.children().is_empty() {
            true if is_unit(child) => {}
            true => {
                let unit = unit.clone().or_else(|| usual_unit(child.name()).map(str::to_owned));
                values.push(ValueTold { path, value: child.text().to_owned(), unit });
            }
            false => flatten(child, &path, values),
        }
    }
}

/// Units of elements that MMC names none for.
fn usual_unit(element: &str) -> Option<&'static str> {
    const SUMS: [&str; 4] =
        ["MeterBalance", "EmergencyCreditBalance", "PaymentDebtRegister", "AccumulatedDebtRegister"];
    SUMS.contains(&element).then_some("as the device counts money: for electricity thousandths of a penny")
}

fn device_alert(message: &Smets1Response, record: Sequence) -> Option<AlertTold> {
    let Smets1Body::Alert(alert) = &message.body else { return None };
    let code = alert.code.map(|code| code.to_string()).unwrap_or_default();
    let meaning = alert.code.and_then(AlertCode::meaning).map(|words| format!(" ({words})"));
    let (device, time, said) = (message.device, alert.time, &alert.description);
    let words = format!("device alert {code}{} from {device} at {time}: {said}", meaning.unwrap_or_default());
    Some(AlertTold { code, words, record: record.0 })
}
