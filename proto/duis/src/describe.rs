//! A message in words: what it is, what it says, who signed it and whether each signature holds.

use crate::dsig::{self, PartyKind, TrustStore};
use crate::message::{
    DccContent, Message, Request, Response, ResponseBody, S1spAlert, Smets1Body, Smets1Response,
};
use crate::xml::{Document, Element, Reading, Space};

#[cfg(test)]
mod tests;

/// A message, described.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Description {
    /// What it is and says, in one sentence; for octets that are no message, what they are.
    pub summary: String,
    /// Why it is not a message this lab knows, with line and column.
    pub fault: Option<String>,
    /// Every signature in it, outermost first.
    pub signatures: Vec<SignatureDescription>,
}

impl Description {
    /// Whether it is a message, signed, and every signature holds.
    pub fn is_sound(&self) -> bool {
        let holds = self.signatures.iter().all(|signature| signature.fault.is_none());
        self.fault.is_none() && !self.signatures.is_empty() && holds
    }
}

/// One signature, described.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SignatureDescription {
    /// The element it signs.
    pub element: String,
    /// Who made it, if it holds.
    pub signer: Option<String>,
    /// Why it does not hold, if it does not.
    pub fault: Option<String>,
}

/// Describes octets that are said to be a message, given the certificates that are trusted.
pub fn describe(octets: &[u8], trust: &TrustStore) -> Description {
    let document = match Document::parse(octets) {
        Ok(document) => document,
        Err(error) => {
            let summary = "not well-formed".to_owned();
            return Description { summary, fault: Some(error.to_string()), signatures: Vec::new() };
        }
    };
    let (summary, fault) = match Message::of(&document, octets) {
        Ok(message) => (summarise(&message), None),
        Err(error) => {
            (format!("well-formed, root element {}", document.root().name), Some(error.to_string()))
        }
    };
    Description { summary, fault, signatures: signatures(&document, trust) }
}

fn summarise(message: &Message) -> String {
    match message {
        Message::Request(message) => request(message),
        Message::Countersigned(message) => match message.reading() {
            None => format!("countersigned {}", request(message.asked())),
            Some(reading) => format!(
                "countersigned by schedule {}, due {}: {}",
                reading.schedule.get(),
                reading.due,
                request(message.asked())
            ),
        },
        Message::Response(message) => response(message),
        Message::Smets1(message) => smets1(message.content()),
        Message::S1spAlert(message) => s1sp_alert(message.content()),
    }
}

fn request(request: &Request) -> String {
    let srv = request.srv();
    let (id, variant) = (request.id, request.command_variant);
    format!("Service Request {srv} {}, command variant {variant}, {id}{}", srv.name(), body(request))
}

/// What the body says, field by field; a long one is cut.
fn body(request: &Request) -> String {
    const SHOWN: usize = 12;
    let fields = request.body.to_fields();
    let shown: Vec<String> =
        fields.iter().take(SHOWN).map(|(name, value)| format!("{name} {}", cut(value))).collect();
    match fields.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        _ if shown.is_empty() => String::new(),
        None => format!(": {}", shown.join(", ")),
        Some(more) => format!(": {} and {more} more", shown.join(", ")),
    }
}

/// A value short enough for a line: the largest firmware image has millions of characters.
fn cut(value: &str) -> String {
    const MOST: usize = 80;
    match value.char_indices().nth(MOST) {
        None => value.to_owned(),
        Some((end, _)) => format!("{}... ({} characters)", &value[..end], value.chars().count()),
    }
}

fn response(response: &Response) -> String {
    let code = match response.code.meaning() {
        Some(meaning) => format!("{} ({meaning})", response.code),
        None => response.code.to_string(),
    };
    let to = response.request.map(|id| format!(" to {id}")).unwrap_or_default();
    match &response.body {
        ResponseBody::Dcc(message) => match &message.content {
            DccContent::Nothing => {
                format!("DCC response {code}{to}, Service Reference Variant {}", message.srv)
            }
            DccContent::Inventory(devices) => {
                format!("DCC response {code}{to}: inventory of {} devices", devices.len())
            }
            DccContent::UpdateFirmwareWarning(warning) => {
                let reasons: Vec<String> =
                    warning.reasons().map(|(name, list)| format!("{name} {list}")).collect();
                format!("DCC response {code}{to}: firmware not sent to {}", reasons.join("; "))
            }
            DccContent::ScheduleId(id) => {
                format!(
                    "DCC response {code}{to}, Service Reference Variant {}: schedule {}",
                    message.srv,
                    id.get()
                )
            }
            DccContent::Schedules(schedules) => {
                format!("DCC response {code}{to}: {} schedules", schedules.len())
            }
        },
        ResponseBody::Smets1(message) => {
            let by = message.schedule.map(|id| format!(" by schedule {}", id.get())).unwrap_or_default();
            format!("DCC response {code}{to}{by}: {}", smets1(message.signed.content()))
        }
        ResponseBody::DccAlert(message) => format!("DCC alert N55: {}", s1sp_alert(message.alert.content())),
    }
}

fn smets1(response: &Smets1Response) -> String {
    let Smets1Response { device, user, counter, body, .. } = response;
    let parties = format!("from {device} to {user}, counter {counter}");
    match body {
        Smets1Body::Alert(alert) => {
            let code = alert.code.map(|code| format!(" {code}")).unwrap_or_default();
            format!("device alert{code} {parties}: {}", alert.description)
        }
        Smets1Body::Response(payload) => {
            let what = payload.data.as_ref().map_or("no data", |data| data.root().name());
            let outcome = if payload.succeeded() { "succeeded" } else { "failed" };
            let reasons: Vec<String> =
                payload.debug.iter().map(|reason| format!("{} {}", reason.code, reason.error)).collect();
            let reasons =
                if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) };
            format!("device answer {what} {parties}: {outcome}{reasons}")
        }
    }
}

fn s1sp_alert(alert: &S1spAlert) -> String {
    let about = alert.device.map(|device| format!(" about {device}")).unwrap_or_default();
    let information = alert.information.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    format!("S1SP alert {}{about}{information}", alert.code)
}

/// Every element that ends with a signature, outermost first, each checked as a document of its own.
fn signatures(document: &Document, trust: &TrustStore) -> Vec<SignatureDescription> {
    let mut found = Vec::new();
    visit(&Reading::root(document), &mut |reading| {
        if reading.element.child(Space::Ds, "Signature").is_some() {
            found.push(check(document, &reading.chain(), trust));
        }
    });
    found
}

fn visit(reading: &Reading<'_>, each: &mut impl FnMut(&Reading<'_>)) {
    each(reading);
    for child in &reading.element.children {
        visit(&reading.below(child), each);
    }
}

fn check(document: &Document, chain: &[&Element], trust: &TrustStore) -> SignatureDescription {
    let element = chain.last().map(|element| element.name.clone()).unwrap_or_default();
    let outcome = Document::parse(document.detach(chain).as_bytes())
        .map_err(|error| error.to_string())
        .and_then(|part| {
            let signatures = dsig::signatures_below(part.root());
            let verified = dsig::verify(&part, signatures, trust).map_err(|error| error.to_string())?;
            let certificate = verified.certificate;
            may_sign(&element, verified.party.kind)?;
            let (issuer, serial) = (certificate.issuer(), certificate.serial());
            Ok(format!("{}, certificate {issuer} serial {serial}", verified.party))
        });
    match outcome {
        Ok(signer) => SignatureDescription { element, signer: Some(signer), fault: None },
        Err(fault) => SignatureDescription { element, signer: None, fault: Some(fault) },
    }
}

/// Who signs what: users requests, the S1SP devices' words and its own, the DSP the rest.
fn may_sign(element: &str, kind: PartyKind) -> Result<(), String> {
    let expected = match element {
        "Request" => PartyKind::User,
        "SMETS1SignedResponse" | "S1SPAlert" => PartyKind::S1sp,
        _ => PartyKind::Dsp,
    };
    if kind == expected { Ok(()) } else { Err(format!("signed by a {kind}; expected a {expected}")) }
}
