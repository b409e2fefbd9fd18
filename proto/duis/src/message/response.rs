//! Responses of the DCC: acknowledgements, answers, alerts.

use super::request::read_srv;
use super::schedule::{id_element, read_id, read_optional_id};
use super::{
    InventoryDevice, MessageError, Opened, ReadMessage, S1spAlert, Signed, Smets1Body, Smets1Response,
    StoredSchedule, UpdateFirmwareWarning, check_version, versioned,
};
use crate::body::ScheduleId;
use crate::dsig::{self, DsigError, PartyKind, Signer, TrustStore};
use crate::xml::{Cursor, Element, Reading, SchemaError, Space, Space::Sr};
use crate::{RequestId, ResponseCode, ResponseId, Srv};
use jiff::Timestamp;

/// The DCC alert that carries an alert of an S1SP.
const S1SP_ALERT: &str = "N55";
/// The longest inventory answer of the schema.
const MAX_DEVICES: usize = 17;

/// What the DCC sends a user (DUIS element `Response`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The request it answers. Absent in an alert, and in an answer that a schedule brought.
    pub request: Option<RequestId>,
    /// The device's answer it carries. Absent in an acknowledgement.
    pub response: Option<ResponseId>,
    /// How the DCC judged the request, or success for an alert.
    pub code: ResponseCode,
    /// When the DCC wrote it.
    pub time: Timestamp,
    /// What it carries.
    pub body: ResponseBody,
}

/// What a response carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseBody {
    /// The DCC's own answer: an acknowledgement, a refusal, an inventory.
    Dcc(ResponseMessage),
    /// A device's answer or alert, signed by the S1SP.
    Smets1(Smets1ResponseMessage),
    /// An alert of the DCC.
    DccAlert(DccAlertMessage),
}

/// The DCC's own answer to a request (DUIS type `ResponseMessage`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseMessage {
    /// What was asked.
    pub srv: Srv,
    /// What it says beyond its code.
    pub content: DccContent,
}

/// What the DCC's own answer says beyond its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DccContent {
    /// Nothing.
    Nothing,
    /// The answer to 8.2, Read Inventory: 1 to 17 devices.
    Inventory(Vec<InventoryDevice>),
    /// The answer to 11.1, Update Firmware, where the image does not go to every device that was named.
    UpdateFirmwareWarning(UpdateFirmwareWarning),
    /// The answer to 5.1, Create Schedule: the DCC's number for it. Also what names the schedule whose read has no answer.
    ScheduleId(ScheduleId),
    /// The answer to 5.2, Read Schedule: 1 to [`StoredSchedule::MOST`] schedules.
    Schedules(Vec<StoredSchedule>),
}

/// A device's answer or alert in the DCC's envelope (DUIS type `SMETS1ResponseMessage`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smets1ResponseMessage {
    /// What was asked. Absent for an alert.
    pub srv: Option<Srv>,
    /// The schedule that asked. Absent for an alert, and where a user asked.
    pub schedule: Option<ScheduleId>,
    /// The answer, in the S1SP's hand.
    pub signed: Signed<Smets1Response>,
}

/// An alert of the DCC that carries one of an S1SP, code N55 (DUIS type `DCCAlertMessage`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DccAlertMessage {
    /// The alert, in the S1SP's hand.
    pub alert: Signed<S1spAlert>,
}

impl Response {
    /// An acknowledgement or a refusal.
    pub fn acknowledgement(request: RequestId, srv: Srv, code: ResponseCode, time: Timestamp) -> Response {
        let body = ResponseBody::Dcc(ResponseMessage { srv, content: DccContent::Nothing });
        Response { request: Some(request), response: None, code, time, body }
    }

    /// The DCC's own answer to Read Inventory.
    pub fn inventory(request: RequestId, inventory: Vec<InventoryDevice>, time: Timestamp) -> Response {
        let content = match inventory.is_empty() {
            true => DccContent::Nothing,
            false => DccContent::Inventory(inventory),
        };
        let body = ResponseBody::Dcc(ResponseMessage { srv: Srv::ReadInventory, content });
        Response { request: Some(request), response: None, code: ResponseCode::SUCCESS, time, body }
    }

    /// The DCC's own answer to Update Firmware, where the image does not go to every device that was named.
    pub fn firmware_warning(
        request: RequestId,
        code: ResponseCode,
        warning: UpdateFirmwareWarning,
        time: Timestamp,
    ) -> Response {
        let content = DccContent::UpdateFirmwareWarning(warning);
        let body = ResponseBody::Dcc(ResponseMessage { srv: Srv::UpdateFirmware, content });
        Response { request: Some(request), response: None, code, time, body }
    }

    /// The DCC's own answer, with something to say.
    pub fn own(request: RequestId, srv: Srv, content: DccContent, time: Timestamp) -> Response {
        let body = ResponseBody::Dcc(ResponseMessage { srv, content });
        Response { request: Some(request), response: None, code: ResponseCode::SUCCESS, time, body }
    }

    /// A device's answer to a read that a schedule made.
    pub fn scheduled(
        schedule: ScheduleId,
        srv: Srv,
        signed: Signed<Smets1Response>,
        time: Timestamp,
    ) -> Response {
        let Smets1Response { device, user, counter, .. } = *signed.content();
        let response = Some(ResponseId { originator: device, target: user, counter });
        let schedule = Some(schedule);
        let body = ResponseBody::Smets1(Smets1ResponseMessage { srv: Some(srv), schedule, signed });
        Response { request: None, response, code: ResponseCode::SUCCESS, time, body }
    }

    /// That a read which a schedule made has no answer of a device.
    pub fn scheduled_failure(
        schedule: ScheduleId,
        reading: RequestId,
        srv: Srv,
        code: ResponseCode,
        time: Timestamp,
    ) -> Response {
        let body = ResponseBody::Dcc(ResponseMessage { srv, content: DccContent::ScheduleId(schedule) });
        Response { request: None, response: Some(reading.response_id()), code, time, body }
    }

    /// A device's answer.
    pub fn answer(request: RequestId, srv: Srv, signed: Signed<Smets1Response>, time: Timestamp) -> Response {
        let body = ResponseBody::Smets1(Smets1ResponseMessage { srv: Some(srv), schedule: None, signed });
        let response = Some(request.response_id());
        Response { request: Some(request), response, code: ResponseCode::SUCCESS, time, body }
    }

    /// A device's alert.
    pub fn device_alert(signed: Signed<Smets1Response>, time: Timestamp) -> Response {
        let Smets1Response { device, user, counter, .. } = *signed.content();
        let response = Some(ResponseId { originator: device, target: user, counter });
        let body = ResponseBody::Smets1(Smets1ResponseMessage { srv: None, schedule: None, signed });
        Response { request: None, response, code: ResponseCode::SUCCESS, time, body }
    }

    /// An alert of an S1SP, in DCC alert N55.
    pub fn s1sp_alert(alert: Signed<S1spAlert>, time: Timestamp) -> Response {
        let request = alert.content().request;
        let body = ResponseBody::DccAlert(DccAlertMessage { alert });
        Response { request, response: None, code: ResponseCode::SUCCESS, time, body }
    }

    /// The response without the DCC's signature.
    pub fn to_xml(&self) -> String {
        let header = Element::new(Sr, "Header")
            .with_all(self.request.map(|id| Element::leaf(Sr, "RequestID", id)))
            .with_all(self.response.map(|id| Element::leaf(Sr, "ResponseID", id)))
            .with(Element::leaf(Sr, "ResponseCode", self.code))
            .with(Element::leaf(Sr, "ResponseDateTime", self.time));
        let (body, path, verbatim): (Element, &[&str], &str) = match &self.body {
            ResponseBody::Dcc(message) => (message.to_element(), &[], ""),
            ResponseBody::Smets1(message) => {
                (message.to_element(), &["Body", "SMETS1ResponseMessage"], message.signed.xml())
            }
            ResponseBody::DccAlert(message) => {
                let path = &["Body", "DCCAlertMessage", "DCCAlert", "S1SPAlertDSP"];
                (message.to_element(), path, message.alert.xml())
            }
        };
        let root = versioned(Sr, "Response").with(header).with(Element::new(Sr, "Body").with(body));
        root.to_document_with(path, verbatim)
    }

    /// The response signed by the DCC.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign(&self, signer: &Signer) -> Result<String, DsigError> {
        dsig::sign(&self.to_xml(), signer)
    }

    /// Reads a response without looking at its signatures.
    ///
    /// # Errors
    /// Not well-formed, or not a response of a kind a SMETS1 user gets.
    pub fn parse(octets: &[u8]) -> Result<Response, MessageError> {
        super::parse(octets)
    }

    /// Reads a response and checks the DCC's signature on it and the S1SP's on what it carries.
    ///
    /// # Errors
    /// Not a response, or one of the signatures does not hold.
    pub fn open(octets: &[u8], trust: &TrustStore) -> Result<Opened<Response>, MessageError> {
        let (message, dsp) = super::open::<Response>(octets, trust, PartyKind::Dsp)?;
        let mut signed_by = vec![dsp.clone()];
        match &message.body {
            ResponseBody::Dcc(_) => {}
            ResponseBody::Smets1(inner) => signed_by.push(open_part(&inner.signed, trust)?),
            ResponseBody::DccAlert(inner) => signed_by.push(open_part(&inner.alert, trust)?),
        }
        Ok(Opened { message, signed_by })
    }
}

/// Checks the S1SP's signature on a part of a message, taken out as a document of its own.
fn open_part<T: ReadMessage>(part: &Signed<T>, trust: &TrustStore) -> Result<dsig::Party, MessageError> {
    let (content, party) = super::open::<T>(part.xml().as_bytes(), trust, PartyKind::S1sp)?;
    if content == *part.content() {
        return Ok(party.clone());
    }
    Err(DsigError::ContentDiffers { element: T::ROOT.1.to_owned() }.into())
}

impl Signed<Smets1Response> {
    /// Checks the S1SP's signature.
    ///
    /// # Errors
    /// The part is not signed by an S1SP.
    pub fn verify(&self, trust: &TrustStore) -> Result<dsig::Party, MessageError> {
        open_part(self, trust)
    }

    /// Whether this is an alert and not an answer.
    pub fn is_alert(&self) -> bool {
        matches!(self.content().body, Smets1Body::Alert(_))
    }
}

impl Signed<S1spAlert> {
    /// Checks the S1SP's signature.
    ///
    /// # Errors
    /// The part is not signed by an S1SP.
    pub fn verify(&self, trust: &TrustStore) -> Result<dsig::Party, MessageError> {
        open_part(self, trust)
    }
}

impl ReadMessage for Response {
    const ROOT: (Space, &'static str) = (Sr, "Response");

    fn read(root: &Reading<'_>) -> Result<Response, SchemaError> {
        check_version(root)?;
        let mut parts = root.children(&["schemaVersion"])?;
        let header = parts.required(Sr, "Header")?;
        let mut fields = header.children(&[])?;
        let request = fields.optional(Sr, "RequestID").map(|id| id.value()).transpose()?;
        let response = fields.optional(Sr, "ResponseID").map(|id| id.value()).transpose()?;
        let code = fields.required(Sr, "ResponseCode")?.value()?;
        let time = fields.required(Sr, "ResponseDateTime")?.date_time_with(&[])?;
        fields.finish()?;
        let body = ResponseBody::read(&parts.required(Sr, "Body")?)?;
        parts.optional(Space::Ds, "Signature");
        parts.finish()?;
        Ok(Response { request, response, code, time, body })
    }

    fn inner_signatures(&self) -> usize {
        usize::from(!matches!(self.body, ResponseBody::Dcc(_)))
    }
}

impl ResponseBody {
    fn read(body: &Reading<'_>) -> Result<ResponseBody, SchemaError> {
        let mut choice = body.children(&[])?;
        let read = if choice.peek(Sr, "ResponseMessage") {
            ResponseBody::Dcc(ResponseMessage::read(&choice.required(Sr, "ResponseMessage")?)?)
        } else if choice.peek(Sr, "SMETS1ResponseMessage") {
            ResponseBody::Smets1(Smets1ResponseMessage::read(&choice.required(Sr, "SMETS1ResponseMessage")?)?)
        } else if choice.peek(Sr, "DCCAlertMessage") {
            ResponseBody::DccAlert(DccAlertMessage::read(&choice.required(Sr, "DCCAlertMessage")?)?)
        } else {
            return Err(choice.unexpected("ResponseMessage, SMETS1ResponseMessage or DCCAlertMessage"));
        };
        choice.finish()?;
        Ok(read)
    }
}

fn srv_elements(srv: Srv) -> [Element; 2] {
    [
        Element::leaf(Sr, "ServiceReference", srv.reference()),
        Element::leaf(Sr, "ServiceReferenceVariant", srv),
    ]
}

impl ResponseMessage {
    fn to_element(&self) -> Element {
        Element::new(Sr, "ResponseMessage")
            .with_all(srv_elements(self.srv))
            .with_all(self.content.to_element())
    }

    fn read(message: &Reading<'_>) -> Result<ResponseMessage, SchemaError> {
        let mut parts = message.children(&[])?;
        let srv = read_srv(&mut parts)?;
        let content = DccContent::read(&mut parts)?;
        parts.finish()?;
        Ok(ResponseMessage { srv, content })
    }
}

impl DccContent {
    /// The devices of an inventory.
    pub fn into_inventory(self) -> Vec<InventoryDevice> {
        match self {
            DccContent::Inventory(devices) => devices,
            _ => Vec::new(),
        }
    }

    fn to_element(&self) -> Option<Element> {
        match self {
            DccContent::Nothing => None,
            DccContent::Inventory(devices) => {
                let devices = devices.iter().map(InventoryDevice::to_element);
                Some(Element::new(Sr, "DSPInventory").with_all(devices))
            }
            DccContent::UpdateFirmwareWarning(warning) => Some(warning.to_element()),
            DccContent::ScheduleId(id) => Some(id_element(*id)),
            DccContent::Schedules(schedules) => Some(StoredSchedule::list_element(schedules)),
        }
    }

    fn read(parts: &mut Cursor<'_>) -> Result<DccContent, SchemaError> {
        if let Some(list) = parts.optional(Sr, "DSPInventory") {
            return read_inventory(&list).map(DccContent::Inventory);
        }
        if let Some(list) = parts.optional(Sr, "DSPSchedulesRead") {
            return StoredSchedule::read_list(&list).map(DccContent::Schedules);
        }
        if parts.peek(Sr, "DSPScheduleID") {
            return read_id(parts).map(DccContent::ScheduleId);
        }
        let warning = parts.optional(Sr, "DSPUpdateFirmwareWarning");
        let warning = warning.map(|warning| UpdateFirmwareWarning::read(&warning)).transpose()?;
        Ok(warning.map_or(DccContent::Nothing, DccContent::UpdateFirmwareWarning))
    }
}

fn read_inventory(list: &Reading<'_>) -> Result<Vec<InventoryDevice>, SchemaError> {
    let mut inventory = Vec::new();
    let mut devices = list.children(&[])?;
    while inventory.len() < MAX_DEVICES && devices.peek(Sr, "Device") {
        inventory.push(InventoryDevice::read(&devices.required(Sr, "Device")?)?);
    }
    if inventory.is_empty() {
        return Err(devices.unexpected("Device"));
    }
    devices.finish()?;
    Ok(inventory)
}

impl Smets1ResponseMessage {
    fn to_element(&self) -> Element {
        let srv = self.srv.map(srv_elements);
        Element::new(Sr, "SMETS1ResponseMessage")
            .with_all(srv.into_iter().flatten())
            .with_all(self.schedule.map(id_element))
    }

    fn read(message: &Reading<'_>) -> Result<Smets1ResponseMessage, SchemaError> {
        let mut parts = message.children(&[])?;
        let srv = if parts.peek(Sr, "ServiceReference") { Some(read_srv(&mut parts)?) } else { None };
        let schedule = read_optional_id(&mut parts)?;
        let signed = read_signed(&mut parts)?;
        parts.finish()?;
        Ok(Smets1ResponseMessage { srv, schedule, signed })
    }
}

impl DccAlertMessage {
    fn to_element(&self) -> Element {
        let alert = Element::new(Sr, "DCCAlert").with(Element::new(Sr, "S1SPAlertDSP"));
        Element::new(Sr, "DCCAlertMessage").with(Element::leaf(Sr, "DCCAlertCode", S1SP_ALERT)).with(alert)
    }

    fn read(message: &Reading<'_>) -> Result<DccAlertMessage, SchemaError> {
        let mut parts = message.children(&[])?;
        let code = parts.required(Sr, "DCCAlertCode")?;
        let text = code.raw_text(&[])?;
        if text != S1SP_ALERT {
            return Err(code.bad_value(
                "the text",
                text,
                "expected N55: other DCC alerts are not served here",
            ));
        }
        let alert = parts.required(Sr, "DCCAlert")?;
        let mut choice = alert.children(&[])?;
        let wrapper = choice.required(Sr, "S1SPAlertDSP")?;
        let mut inside = wrapper.children(&[])?;
        let alert = read_signed(&mut inside)?;
        inside.finish()?;
        choice.finish()?;
        parts.finish()?;
        Ok(DccAlertMessage { alert })
    }
}

/// A signed part: what it says, and its octets as a document of its own.
fn read_signed<T: ReadMessage>(parts: &mut Cursor<'_>) -> Result<Signed<T>, SchemaError> {
    let (space, name) = T::ROOT;
    let part = parts.required(space, name)?;
    Ok(Signed::new(T::read(&part)?, part.document.detach(&part.chain())))
}
