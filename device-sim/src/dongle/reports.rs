//! Attributes devices were told to report, and to whom it is due.

use std::collections::BTreeMap;

use proto_zigbee::aps::ApsFrame;
use proto_zigbee::zcl::foundation::{Reporting, ReportingAnswer, ReportingRole, ReportingStatus};
use proto_zigbee::zcl::{AttributeId, Command, Direction, Frame, Status};
use proto_zigbee::{Eui64, Value};

use crate::home::Home;
use crate::model::time::Moment;

/// Attributes all devices of a home report together; more are refused.
const MOST: usize = 64;
/// An interval that never ends.
const NEVER: u16 = 0xffff;

type Key = (Eui64, u16, AttributeId);

/// How one attribute is reported, and what was reported last.
#[derive(Debug, Clone)]
struct Subscription {
    minimum: u16,
    maximum: u16,
    change: Option<Value>,
    endpoints: (u8, u8),
    reported: Option<(Moment, Value)>,
}

/// What the devices of a home report.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    subscriptions: BTreeMap<Key, Subscription>,
    sequence: u8,
}

impl Reports {
    /// Takes a configuration of reports, or a question after one, for a device: the answer. None for other frames.
    pub(super) fn configure(&mut self, home: &Home, device: Eui64, octets: &[u8]) -> Option<Vec<u8>> {
        let aps = ApsFrame::parse(octets).ok()?;
        let frame = Frame::parse(&aps.payload).ok()?;
        let answer = match frame.command().ok()? {
            Command::ConfigureReporting(records) => {
                let refused = records
                    .into_iter()
                    .filter_map(|record| self.take(home, device, &aps, record).err())
                    .collect();
                Command::ConfigureReportingResponse(refused)
            }
            Command::ReadReportingConfiguration(asked) => {
                let told = asked.into_iter().map(|(role, id)| self.told((device, aps.cluster, id), role));
                Command::ReadReportingConfigurationResponse(told.collect())
            }
            _ => return None,
        };
        Some(aps.reply(frame.answer(&answer).to_bytes()).to_bytes())
    }

    fn take(
        &mut self,
        home: &Home,
        device: Eui64,
        aps: &ApsFrame,
        record: Reporting,
    ) -> Result<(), ReportingStatus> {
        let Reporting::Send { id, data_type, minimum, maximum, change } = record else { return Ok(()) };
        let refuse = |status| Err(ReportingStatus { status, role: ReportingRole::Sends, id });
        let kind = home.kind_of(device.0.into());
        let value = kind.and_then(|kind| home.zcl_attribute(kind, aps.cluster, id));
        let key = (device, aps.cluster, id);
        match value {
            None => refuse(Status::UNSUPPORTED_ATTRIBUTE),
            Some(value) if value.data_type() != data_type => refuse(Status::INVALID_DATA_TYPE),
            Some(_) if maximum != NEVER && maximum != 0 && maximum < minimum => refuse(Status::INVALID_VALUE),
            Some(_) if maximum == NEVER => {
                self.subscriptions.remove(&key);
                Ok(())
            }
            Some(_) if self.subscriptions.len() >= MOST && !self.subscriptions.contains_key(&key) => {
                refuse(Status::INSUFFICIENT_SPACE)
            }
            Some(value) => {
                let endpoints = (aps.source_endpoint, aps.destination_endpoint);
                let reported = Some((home.now(), value));
                let subscription = Subscription { minimum, maximum, change, endpoints, reported };
                self.subscriptions.insert(key, subscription);
                Ok(())
            }
        }
    }

    fn told(&self, key: Key, role: ReportingRole) -> ReportingAnswer {
        let id = key.2;
        let found = self.subscriptions.get(&key).filter(|_| role == ReportingRole::Sends);
        let configured = match found {
            None => Err(ReportingStatus { status: Status::NOT_FOUND, role, id }),
            Some(known) => Ok(Reporting::Send {
                id,
                data_type: known.reported.as_ref().map_or(0, |(_, value)| value.data_type()),
                minimum: known.minimum,
                maximum: known.maximum,
                change: known.change.clone(),
            }),
        };
        ReportingAnswer { configured }
    }

    /// The reports that are due now, of devices that can send.
    pub(super) fn due(&mut self, home: &Home) -> Vec<(Eui64, Vec<u8>)> {
        let now = home.now();
        let mut frames = Vec::new();
        for ((device, cluster, id), subscription) in &mut self.subscriptions {
            let Some(kind) = home.kind_of(device.0.into()).filter(|kind| home.hears_radio(*kind)) else {
                continue;
            };
            let Some(value) = home.zcl_attribute(kind, *cluster, *id) else { continue };
            if !subscription.is_due(now, &value) {
                continue;
            }
            self.sequence = self.sequence.wrapping_add(1);
            let report = Command::ReportAttributes(vec![(*id, value.clone())]);
            let frame = Frame::foundation(Direction::ToClient, self.sequence, &report);
            let mut aps = ApsFrame::smart_energy(*cluster, self.sequence, frame.to_bytes());
            (aps.destination_endpoint, aps.source_endpoint) = subscription.endpoints;
            subscription.reported = Some((now, value));
            frames.push((*device, aps.to_bytes()));
        }
        frames
    }
}

impl Subscription {
    fn is_due(&self, now: Moment, value: &Value) -> bool {
        let Some((at, last)) = &self.reported else { return true };
        let waited = now.since(*at);
        let over = |seconds: u16| waited >= i64::from(seconds) * 1000;
        let periodic = self.maximum != 0 && over(self.maximum);
        periodic || (over(self.minimum) && self.has_changed(last, value))
    }

    /// Whether the value has changed by as much as it must; a value without amounts, at all.
    fn has_changed(&self, last: &Value, value: &Value) -> bool {
        let amount = self.change.as_ref().and_then(Value::as_i64).map(i64::unsigned_abs);
        match (amount, last.as_i64(), value.as_i64()) {
            (Some(amount), Some(last), Some(value)) => value != last && value.abs_diff(last) >= amount,
            _ => last != value,
        }
    }
}
