//! A device's answer or alert as the S1SP signs it.

use super::inventory::limited;
use super::{MessageError, ReadMessage, Signed, check_version, versioned};
use crate::dsig::{self, DsigError, Signer};
use crate::mmc::{MmcBody, MmcElement};
use crate::xml::{Element, Reading, SchemaError, SchemaProblem, Space, Space::Ra, Space::Sr, parse_boolean};
use crate::{AlertCode, Eui64, RequestId};
use jiff::Timestamp;
use std::num::NonZeroU32;

word_enum! {
    /// What a device said of its clock (MMC attribute `ClockStatus`).
    ClockStatus, "clock status" {
        /// Right within its tolerance.
        Reliable = "reliable",
        /// Known to be wrong.
        Invalid = "invalid",
        /// Not known to be right.
        Unreliable = "unreliable",
    }
}

/// The device's own time in its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Smets1Timestamp {
    /// The time.
    pub time: Timestamp,
    /// Whether the gas meter stamped it, and not its mirror.
    pub is_from_gsme: Option<bool>,
    /// What the device said of its clock.
    pub clock_status: Option<ClockStatus>,
}

/// One reason a device or the S1SP gave for a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smets1Debug {
    /// The S1SP's number for it.
    pub code: i64,
    /// In words, at most 250 characters.
    pub error: String,
    /// Which of the steps the S1SP took on the device it is about, from 1 (MMC attribute `Position`).
    pub position: NonZeroU32,
}

/// The data and reasons of an answer (MMC type `ResponsePayload`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponsePayload {
    /// `SMETSData`: the answer in MMC form.
    pub data: Option<MmcBody>,
    /// `DebugInfo/SMETS1Debug`: why it failed. Empty for a success.
    pub debug: Vec<Smets1Debug>,
}

/// What a device reports of its own accord (MMC type `DeviceAlertContentType`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAlert {
    /// Its code.
    pub code: Option<AlertCode>,
    /// In words, at most 250 characters.
    pub description: String,
    /// When the device raised it.
    pub time: Timestamp,
    /// More, in a form that depends on the alert.
    pub payload: Option<MmcElement>,
}

/// An answer or an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Smets1Body {
    /// The answer to a request.
    Response(ResponsePayload),
    /// An alert.
    Alert(DeviceAlert),
}

/// What a device says to a user, in the S1SP's hand (DUIS element `SMETS1Response`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smets1Response {
    /// The device.
    pub device: Eui64,
    /// The user.
    pub user: Eui64,
    /// The counter of the request, or the S1SP's own for an alert.
    pub counter: u64,
    /// The device's own time.
    pub timestamp: Option<Smets1Timestamp>,
    /// What it says.
    pub body: Smets1Body,
}

impl Smets1Response {
    /// The answer to a request.
    pub fn answer(request: RequestId, payload: ResponsePayload) -> Smets1Response {
        let RequestId { originator, target, counter } = request;
        let body = Smets1Body::Response(payload);
        Smets1Response { device: target, user: originator, counter, timestamp: None, body }
    }

    /// The answer without a signature, as a document `SMETS1SignedResponse`.
    pub fn to_xml(&self) -> String {
        let header = Element::new(Sr, "Header")
            .with(Element::leaf(Ra, "BusinessOriginatorID", self.device))
            .with(Element::leaf(Ra, "BusinessTargetID", self.user))
            .with(Element::leaf(Ra, "OriginatorCounter", self.counter))
            .with_all(self.timestamp.map(|timestamp| timestamp.to_element()));
        let body = match &self.body {
            Smets1Body::Response(payload) => payload.to_element(),
            Smets1Body::Alert(alert) => Element::new(Sr, "DeviceAlertMessage").with(alert.to_element()),
        };
        let response =
            Element::new(Sr, "SMETS1Response").with(header).with(Element::new(Sr, "Body").with(body));
        versioned(Sr, "SMETS1SignedResponse").with(response).to_document()
    }

    /// The answer signed by the S1SP, ready to go into the DCC's response.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign(self, signer: &Signer) -> Result<Signed<Smets1Response>, DsigError> {
        let xml = dsig::sign(&self.to_xml(), signer)?;
        Ok(Signed::new(self, xml))
    }

    /// Reads a `SMETS1SignedResponse` on its own without looking at its signature.
    ///
    /// # Errors
    /// Not well-formed, or not a signed response.
    pub fn parse(octets: &[u8]) -> Result<Signed<Smets1Response>, MessageError> {
        let document = crate::xml::Document::parse(octets)?;
        let response = super::read(&document)?;
        Ok(Signed::new(response, document.detach(&[document.root()])))
    }
}

impl ReadMessage for Smets1Response {
    const ROOT: (Space, &'static str) = (Sr, "SMETS1SignedResponse");

    fn read(root: &Reading<'_>) -> Result<Smets1Response, SchemaError> {
        check_version(root)?;
        let mut parts = root.children(&["schemaVersion"])?;
        let response = parts.required(Sr, "SMETS1Response")?;
        let mut inside = response.children(&[])?;
        let header = inside.required(Sr, "Header")?;
        let mut fields = header.children(&[])?;
        let device = fields.required(Ra, "BusinessOriginatorID")?.value()?;
        let user = fields.required(Ra, "BusinessTargetID")?.value()?;
        let counter = fields.required(Ra, "OriginatorCounter")?.value()?;
        let timestamp =
            fields.optional(Ra, "Timestamp").map(|time| Smets1Timestamp::read(&time)).transpose()?;
        fields.finish()?;
        let body = read_body(&inside.required(Sr, "Body")?)?;
        inside.finish()?;
        parts.optional(Space::Ds, "Signature");
        parts.finish()?;
        Ok(Smets1Response { device, user, counter, timestamp, body })
    }
}

fn read_body(body: &Reading<'_>) -> Result<Smets1Body, SchemaError> {
    let mut choice = body.children(&[])?;
    let read = if choice.peek(Sr, "DeviceAlertMessage") {
        let message = choice.required(Sr, "DeviceAlertMessage")?;
        let mut content = message.children(&[])?;
        let alert = DeviceAlert::read(&content.required(Ra, "DeviceAlertContent")?)?;
        content.finish()?;
        Smets1Body::Alert(alert)
    } else if choice.peek(Sr, "ResponseMessage") {
        Smets1Body::Response(ResponsePayload::read(&choice.required(Sr, "ResponseMessage")?)?)
    } else {
        return Err(choice.unexpected("ResponseMessage or DeviceAlertMessage"));
    };
    choice.finish()?;
    Ok(read)
}

impl Smets1Timestamp {
    fn to_element(self) -> Element {
        let mut element = Element::leaf(Ra, "Timestamp", self.time);
        if let Some(gsme) = self.is_from_gsme {
            element = element.with_attribute("isFromGSME", gsme);
        }
        if let Some(status) = self.clock_status {
            element = element.with_attribute("ClockStatus", status);
        }
        element
    }

    fn read(timestamp: &Reading<'_>) -> Result<Smets1Timestamp, SchemaError> {
        let time = timestamp.date_time_with(&["isFromGSME", "ClockStatus"])?;
        let gsme = timestamp.element.attribute("isFromGSME");
        let gsme = gsme.map(|text| {
            parse_boolean(text.trim()).map_err(|error| timestamp.bad_value("isFromGSME", text, error))
        });
        let stated = timestamp.element.attribute("ClockStatus").is_some();
        let clock_status = stated.then(|| timestamp.attribute("ClockStatus")).transpose()?;
        Ok(Smets1Timestamp { time, is_from_gsme: gsme.transpose()?, clock_status })
    }
}

impl ResponsePayload {
    /// A success with its data.
    pub fn success(data: MmcBody) -> ResponsePayload {
        ResponsePayload { data: Some(data), debug: Vec::new() }
    }

    /// Whether the device did what was asked: `MessageSuccess`, false when there is no data.
    pub fn succeeded(&self) -> bool {
        self.data.as_ref().is_some_and(|data| data.success() == Some(true))
    }

    fn to_element(&self) -> Element {
        let data = self.data.as_ref().map(|data| Element::new(Ra, "SMETSData").with(data.to_element()));
        let reasons = self.debug.iter().map(|reason| {
            Element::new(Ra, "SMETS1Response")
                .with_attribute("ResponseCode", reason.code)
                .with_attribute("Position", reason.position)
                .with(Element::leaf(Ra, "Error", &reason.error))
        });
        let debug = Element::new(Ra, "SMETS1Debug").with_all(reasons);
        let debug = (!self.debug.is_empty()).then(|| Element::new(Ra, "DebugInfo").with(debug));
        Element::new(Sr, "ResponseMessage").with_all(data).with_all(debug)
    }

    fn read(message: &Reading<'_>) -> Result<ResponsePayload, SchemaError> {
        let mut parts = message.children(&[])?;
        let data = match parts.optional(Ra, "SMETSData") {
            None => None,
            Some(data) => {
                let mut inside = data.children(&[])?;
                let body = MmcBody::read(&inside.any("the answer of a Service Reference Variant")?)?;
                inside.finish()?;
                Some(body)
            }
        };
        let debug = parts.optional(Ra, "DebugInfo").map(|debug| read_debug(&debug)).transpose()?;
        parts.finish()?;
        Ok(ResponsePayload { data, debug: debug.unwrap_or_default() })
    }
}

fn read_debug(debug: &Reading<'_>) -> Result<Vec<Smets1Debug>, SchemaError> {
    let mut choice = debug.children(&[])?;
    let list = choice.required(Ra, "SMETS1Debug")?;
    let mut reasons = Vec::new();
    let mut items = list.children(&[])?;
    while let Some(item) = items.optional(Ra, "SMETS1Response") {
        let mut inside = item.children(&["ResponseCode", "Position"])?;
        let code = item.attribute("ResponseCode")?;
        let position = item.attribute("Position")?;
        let error = limited(&inside.required(Ra, "Error")?, 0, 250)?;
        inside.finish()?;
        reasons.push(Smets1Debug { code, error, position });
    }
    items.finish()?;
    choice.finish()?;
    if reasons.is_empty() {
        let expected = "SMETS1Response".to_owned();
        return Err(debug.error(SchemaProblem::Missing { expected }));
    }
    Ok(reasons)
}

impl DeviceAlert {
    fn to_element(&self) -> Element {
        let payload = self.payload.as_ref();
        Element::new(Ra, "DeviceAlertContent")
            .with_all(self.code.map(|code| Element::leaf(Ra, "GBCSHexAlertCode", code)))
            .with(Element::leaf(Ra, "AlertDescription", &self.description))
            .with(Element::leaf(Ra, "Timestamp", self.time))
            .with_all(payload.map(|payload| Element::new(Ra, "Payload").with(payload.to_element())))
    }

    fn read(content: &Reading<'_>) -> Result<DeviceAlert, SchemaError> {
        let mut fields = content.children(&[])?;
        let code = fields.optional(Ra, "GBCSHexAlertCode").map(|code| code.value()).transpose()?;
        let description = limited(&fields.required(Ra, "AlertDescription")?, 0, 250)?;
        let time = fields.required(Ra, "Timestamp")?.date_time_with(&[])?;
        let payload = match fields.optional(Ra, "Payload") {
            None => None,
            Some(payload) => {
                let mut choice = payload.children(&[])?;
                let element = MmcElement::read_alert_payload(&choice.any("the payload of an alert")?)?;
                choice.finish()?;
                Some(element)
            }
        };
        fields.finish()?;
        Ok(DeviceAlert { code, description, time, payload })
    }
}
