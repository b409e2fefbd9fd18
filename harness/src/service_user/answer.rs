//! What comes back, and the values a script sees of it.

use bytes::Bytes;
use jiff::Timestamp;
use proto_duis::{
    AlertCode, DccContent, DeviceAlert, DeviceIdList, Eui64, InventoryDevice, MmcBody, MmcElement, Party,
    RequestBody, RequestId, ResponseCode, S1spAlert, ScheduleId, Smets1Debug, Smets1Timestamp, Srv,
    StoredSchedule,
};
use scenarios::{Element, Values};

/// The DCC's word on a request, given at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// I99: the answer follows. I0: this was the answer. Else a refusal.
    pub code: ResponseCode,
    /// When the DCC wrote it.
    pub time: Timestamp,
    /// The message as it came.
    pub raw: Bytes,
}

/// The answer to a request; both its signatures held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The request: the user's, or the one the DCC made by a schedule.
    pub request: RequestId,
    /// The schedule by which the DCC asked; none where the user asked.
    pub schedule: Option<ScheduleId>,
    /// What was asked.
    pub srv: Srv,
    /// The DCC's code.
    pub code: ResponseCode,
    /// When the DCC wrote it.
    pub time: Timestamp,
    /// `MessageSuccess`; none where no device answered.
    pub success: Option<bool>,
    /// Why the device or the S1SP failed; empty for a success.
    pub debug: Vec<Smets1Debug>,
    /// The device's data.
    pub data: Option<MmcBody>,
    /// The device's own time.
    pub device_time: Option<Smets1Timestamp>,
    /// What the DCC itself says: the inventory, or the devices an image does not go to.
    pub content: DccContent,
    /// Who signed, outermost first.
    pub signed_by: Vec<Party>,
    /// The message as it came.
    pub raw: Bytes,
}

/// An answer nobody waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Why nobody did.
    pub kind: StrayKind,
    /// The answer.
    pub answer: Answer,
}

/// Why nobody waited for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StrayKind {
    /// It came after the wait for it had been given up.
    Late,
    /// The request had been answered already.
    Duplicate,
    /// The request was refused, or none was sent (or so long ago that it is forgotten).
    Unsolicited,
}

impl std::fmt::Display for StrayKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            StrayKind::Late => "late",
            StrayKind::Duplicate => "duplicate",
            StrayKind::Unsolicited => "unsolicited",
        })
    }
}

impl std::fmt::Display for Stray {
    /// The answer as records name it, such as `late response I0 to 4.1.1, to request …`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Answer { code, srv, request, .. } = &self.answer;
        write!(f, "{} response {code} to {srv}, to request {request}", self.kind)
    }
}

/// An alert; both its signatures held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The device it is about, where it is about one.
    pub device: Option<Eui64>,
    /// The user it is addressed to, where it says: an alert of the S1SP does only when it is about a request.
    pub user: Option<Eui64>,
    /// When the DCC wrote the message.
    pub time: Timestamp,
    /// What it says.
    pub content: AlertContent,
    /// Who signed, outermost first.
    pub signed_by: Vec<Party>,
    /// The message as it came.
    pub raw: Bytes,
}

/// What an alert says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertContent {
    /// A device's.
    Device(DeviceAlert),
    /// The S1SP's own, in DCC alert N55.
    S1sp(S1spAlert),
}

/// The alert a script waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertMatcher {
    /// The code of the device alert.
    pub code: AlertCode,
    /// The device it comes from; any when none.
    pub device: Option<Eui64>,
    /// When the DCC wrote it at the earliest, by the DCC's clock; any time when none.
    pub since: Option<Timestamp>,
}

impl AlertMatcher {
    /// Whether this is the alert.
    pub fn matches(&self, alert: &Alert) -> bool {
        let AlertContent::Device(content) = &alert.content else { return false };
        let from = self.device.is_none_or(|device| alert.device == Some(device));
        let in_time = self.since.is_none_or(|since| alert.time >= since);
        content.code == Some(self.code) && from && in_time
    }
}

impl std::fmt::Display for AlertMatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "device alert {}", self.code)?;
        self.device.map_or(Ok(()), |device| write!(f, " from {device}"))?;
        self.since.map_or(Ok(()), |since| write!(f, ", written since {since}"))
    }
}

/// The answer of a schedule that a script waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledMatcher {
    /// What was read.
    pub srv: Srv,
    /// The device that was read.
    pub device: Eui64,
    /// When the DCC wrote it at the earliest, by the DCC's clock; any time when none.
    pub since: Option<Timestamp>,
}

impl ScheduledMatcher {
    /// Whether this is the answer.
    pub fn matches(&self, answer: &Answer) -> bool {
        let in_time = self.since.is_none_or(|since| answer.time >= since);
        answer.srv == self.srv && answer.request.target == self.device && in_time
    }
}

impl std::fmt::Display for ScheduledMatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an answer to {} from {} that a schedule brings", self.srv, self.device)
    }
}

/// What nobody waited for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Alerts, the oldest first.
    pub alerts: Vec<Alert>,
    /// Answers, the oldest first.
    pub strays: Vec<Stray>,
    /// Answers that a schedule brought, the oldest first.
    pub scheduled: Vec<Answer>,
    /// Older answers that were dropped, because more came than are kept.
    pub strays_dropped: usize,
}

impl Alert {
    /// The code, the device's or the S1SP's; empty for a device alert without one.
    pub fn code(&self) -> String {
        match &self.content {
            AlertContent::Device(alert) => alert.code.map(|code| code.to_string()).unwrap_or_default(),
            AlertContent::S1sp(alert) => alert.code.clone(),
        }
    }

    /// The alert in the field's words, such as `device alert 8F3F from 00-DB-12-34-56-78-90-A0`.
    pub fn name(&self) -> String {
        let name = match &self.content {
            AlertContent::Device(DeviceAlert { code: None, .. }) => "device alert without a code".to_owned(),
            AlertContent::Device(_) => format!("device alert {}", self.code()),
            AlertContent::S1sp(_) => format!("S1SP alert {}", self.code()),
        };
        self.device.map_or_else(|| name.clone(), |device| format!("{name} from {device}"))
    }
}

/// The values of an acknowledgement: `acknowledgement.code`.
pub fn acknowledged(acknowledgement: &Acknowledgement, values: &mut Values) {
    values.set("acknowledgement.code", acknowledgement.code.as_str());
}

/// The values of an answer: `response.code`; `response.success` and `response.debug` where a device answered;
/// `response.` and the path of each element below the answer's own. An inventory is `response.Device[n].…`, the devices that get no
/// firmware the lists of DUIS type `DSPUpdateFirmwareWarning`, such as `response.NotCommissionedDeviceIDList`; schedules are
/// `response.DSPSchedules[n].…` with the fields of Create Schedule. `response.DSPScheduleID` is the schedule that was
/// created, or the one that brought the answer.
pub fn answered(answer: &Answer, values: &mut Values) {
    if let Some(data) = &answer.data {
        values.set_elements("response", &nodes(data.root()));
    }
    values.set_elements("response", &said_by_the_dcc(&answer.content));
    if let Some(schedule) = answer.schedule {
        values.set("response.DSPScheduleID", schedule.get().to_string());
    }
    values.set("response.code", answer.code.as_str());
    if let Some(success) = answer.success {
        values.set("response.success", success);
    }
    if !answer.debug.is_empty() {
        let reasons = answer.debug.iter().map(|reason| format!("{}: {}", reason.code, reason.error));
        values.set("response.debug", reasons.collect::<Vec<_>>().join("; "));
    }
}

/// The values of an alert: `alert.code`, `alert.device`, `alert.description`, `alert.timestamp`.
pub fn alerted(alert: &Alert, values: &mut Values) {
    let (description, time) = match &alert.content {
        AlertContent::Device(alert) => (Some(&alert.description), alert.time),
        AlertContent::S1sp(alert) => (alert.information.as_ref(), alert.time),
    };
    let code = Some(alert.code()).filter(|code| !code.is_empty());
    let texts = [("code", code), ("device", alert.device.map(|device| device.to_string()))];
    for (name, text) in texts.into_iter().chain([("description", description.cloned())]) {
        if let Some(text) = text {
            values.set(format!("alert.{name}"), text);
        }
    }
    values.set("alert.timestamp", time);
}

/// An element of an answer, in the form [`Values::set_elements`] takes.
struct Node {
    name: String,
    text: Option<String>,
    children: Vec<Node>,
}

impl Element for Node {
    fn name(&self) -> &str {
        &self.name
    }

    fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    fn children(&self) -> &[Node] {
        &self.children
    }
}

fn nodes(element: &MmcElement) -> Vec<Node> {
    let node = |child: &MmcElement| Node {
        name: child.name().to_owned(),
        text: child.children().is_empty().then(|| child.text().to_owned()),
        children: nodes(child),
    };
    element.children().iter().map(node).collect()
}

/// The values of what the DCC itself says: `response.` and the path of each element.
pub fn values_of_the_dcc(content: &DccContent) -> Values {
    let mut values = Values::new();
    values.set_elements("response", &said_by_the_dcc(content));
    values
}

fn said_by_the_dcc(content: &DccContent) -> Vec<Node> {
    match content {
        DccContent::Nothing => Vec::new(),
        DccContent::Inventory(devices) => devices.iter().map(device).collect(),
        DccContent::UpdateFirmwareWarning(warning) => {
            let list = |(name, list): (&str, &DeviceIdList)| Node {
                name: name.to_owned(),
                text: Some(list.to_string()),
                children: Vec::new(),
            };
            warning.reasons().map(list).collect()
        }
        DccContent::ScheduleId(id) => vec![leaf("DSPScheduleID", id.get().to_string())],
        DccContent::Schedules(schedules) => schedules.iter().map(schedule).collect(),
    }
}

fn leaf(name: &str, text: String) -> Node {
    Node { name: name.to_owned(), text: Some(text), children: Vec::new() }
}

/// A schedule, its details under the names a script gives them by.
fn schedule(schedule: &StoredSchedule) -> Node {
    let body = RequestBody::CreateSchedule(schedule.details.clone());
    let fields = body.to_fields();
    let details = fields.into_iter().map(|(name, text)| leaf(&name, text));
    let children = std::iter::once(leaf("DSPScheduleID", schedule.id.get().to_string())).chain(details);
    Node { name: "DSPSchedules".to_owned(), text: None, children: children.collect() }
}

/// A device of the inventory with the element names of DUIS type `Device`.
fn device(device: &InventoryDevice) -> Node {
    let leaves = [
        ("DeviceID", Some(device.id.to_string())),
        ("DeviceType", Some(device.kind.to_string())),
        ("DeviceStatus", device.status.map(|status| status.to_string())),
        ("DeviceManufacturer", Some(device.manufacturer.clone())),
        ("DeviceModel", Some(device.model.clone())),
        ("SMETSCHTSVersion", device.specification.clone()),
        ("DeviceFirmwareVersion", device.firmware.clone()),
        ("DateCommissioned", device.commissioned.map(|day| day.to_string())),
        ("ImportMPxN", device.import_mpxn.clone()),
        ("SecondaryImportMPAN", device.secondary_import_mpan.clone()),
        ("ExportMPAN", device.export_mpan.clone()),
        ("ESMEVariant", device.variant.map(|variant| variant.as_str().to_owned())),
        ("S1SP", device.s1sp.clone()),
    ];
    let leaf = |(name, text): (&str, Option<String>)| {
        text.map(|text| Node { name: name.to_owned(), text: Some(text), children: Vec::new() })
    };
    let children = leaves.into_iter().filter_map(leaf).collect();
    Node { name: "Device".to_owned(), text: None, children }
}
