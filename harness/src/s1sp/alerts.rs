//! What devices report of their own accord, and what the S1SP itself has to report.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use proto_dlms::apdu::EventNotification;
use proto_dlms::client::Notification;
use proto_dlms::data::DeviationSign;
use proto_duis::{
    AlertCode, DeviceAlert, DeviceKind, Eui64, RequestId, S1spAlert, Smets1Body, Smets1Response, Srv,
};
use tokio::sync::mpsc;

use super::refusal::Refusal;
use super::{Parts, S1spAlertMessage};
use crate::driver::{Push, cosem, values};

/// Most characters of an alert's words (MMC type of `AlertDescription`).
const WORDS: usize = 250;

/// Turns what comes unasked into alerts until the connection to the hub is given up.
pub(super) async fn forward(parts: &Parts, mut pushes: mpsc::Receiver<Push>) {
    while let Some(push) = pushes.recv().await {
        match device_alerts(parts, &push) {
            Ok(alerts) => {
                for alert in alerts {
                    parts.hand_over(S1spAlertMessage::device(alert, &parts.signer)).await;
                }
            }
            Err(words) => {
                let alert = alert(ALERT_UNREADABLE, None, push.device, words);
                parts.hand_over(S1spAlertMessage::s1sp(alert, &parts.signer)).await;
            }
        }
    }
}

/// 8F3E: unauthorised communication attempted. What the S1SP tries itself, to see it refused, is no news to anybody.
const UNAUTHORISED: AlertCode = AlertCode(0x8f3e);
/// A device's report that makes no sense.
const ALERT_UNREADABLE: &str = "ALERT_UNREADABLE";
/// A device could not be talked to.
const DEVICE_UNREACHABLE: &str = "DEVICE_UNREACHABLE";
/// A device could be talked to, and yet there is no answer of its to give: the words say what the lab lacks.
const REQUEST_NOT_SERVED: &str = "REQUEST_NOT_SERVED";
/// What was asked may be done or not, now or at the next wake of a device that sleeps: nobody knows.
pub const OUTCOME_UNKNOWN: &str = "OUTCOME_UNKNOWN";
/// A firmware image did not reach its device, or was not taken by it.
pub(super) const FIRMWARE_NOT_DISTRIBUTED: &str = "FIRMWARE_NOT_DISTRIBUTED";
/// The number a customer was given, by 9.1, to show who they are.
pub const IDENTIFICATION_NUMBER: &str = "IDENTIFICATION_NUMBER";
/// A meter refused a token.
const UTRN_REFUSED: &str = "UTRN_REFUSED";

/// The alert that goes with a refusal, where the user should hear of it beyond the answer.
pub(super) fn of_refusal(
    refusal: &Refusal,
    request: RequestId,
    srv: Srv,
    utrn: Option<String>,
) -> Option<S1spAlert> {
    let code = match refusal {
        Refusal::Token(_) => UTRN_REFUSED,
        Refusal::OutcomeUnknown(_) => OUTCOME_UNKNOWN,
        other if other.is_silence() => DEVICE_UNREACHABLE,
        other if other.not_served().is_some() => REQUEST_NOT_SERVED,
        _ => return None,
    };
    let words = format!("{}: {}", srv.name(), refusal.words());
    let alert = alert(code, Some(request), Some(request.target), words);
    Some(S1spAlert { utrn: utrn.and_then(|digits| digits.parse().ok()), ..alert })
}

pub(super) fn alert(
    code: &str,
    request: Option<RequestId>,
    device: Option<Eui64>,
    information: String,
) -> S1spAlert {
    let time = Timestamp::now();
    S1spAlert { request, device, code: code.to_owned(), information: Some(information), utrn: None, time }
}

/// One alert for each user who hears of it.
fn device_alerts(parts: &Parts, push: &Push) -> Result<Vec<Smets1Response>, String> {
    let rig = parts.links.rig();
    let device = match push.device {
        Some(eui64) => rig.by_eui64(eui64),
        None => rig.device(DeviceKind::Chf),
    };
    let device =
        device.ok_or_else(|| format!("from {:?}, which is not of this installation", push.device))?;
    let event = event(push)?;
    let sign = device.model.profile.dlms().map(cosem::sign).unwrap_or_default();
    let (code, time, words) = content(&event, sign).ok_or_else(|| format!("{:?}", event.value))?;
    if code == UNAUTHORISED && parts.take_refusal(device.eui64) {
        return Ok(Vec::new());
    }
    let alert = DeviceAlert { code: Some(code), description: words, time, payload: None };
    let to = |user: &Eui64| Smets1Response {
        device: device.eui64,
        user: *user,
        counter: parts.alerts.fetch_add(1, Ordering::Relaxed),
        timestamp: None,
        body: Smets1Body::Alert(alert.clone()),
    };
    Ok(parts.credentials().addressees(device.eui64, code).into_iter().map(|user| to(&user)).collect())
}

fn event(push: &Push) -> Result<EventNotification, String> {
    match &push.received {
        Ok(Notification::Event(event)) => Ok(event.clone()),
        Ok(Notification::Data(_)) => Err("a push that is no event".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Code, time and words of an event.
fn content(event: &EventNotification, sign: DeviationSign) -> Option<(AlertCode, Timestamp, String)> {
    let [code, time, words] = event.value.elements()? else { return None };
    let code = u16::try_from(code.as_i128()?).ok()?;
    let time = values::utc(time.as_date_time()?, sign)?;
    let words = words.as_octets().map(said)?;
    Some((AlertCode(code), time, words.chars().take(WORDS).collect()))
}

/// What a device says in an alert: text, which may hold a pound sign, or what it is in hexadecimal.
fn said(octets: &[u8]) -> String {
    let text = std::str::from_utf8(octets).ok().filter(|text| !text.chars().any(char::is_control));
    text.map_or_else(|| values::text(octets), str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proto_dlms::data::{AttributeRef, ClassId, Data, DateTime, Obis};
    use proto_dlms::push::PushError;

    use super::*;

    fn notification(value: Data) -> EventNotification {
        let attribute = AttributeRef { class: ClassId(7), obis: Obis([0, 0, 99, 98, 0, 255]), attribute: 2 };
        EventNotification { time: None, attribute, value }
    }

    #[test]
    fn an_event_is_a_code_a_time_and_words() {
        let time = DateTime::from_unix(1_795_253_400, 0).to_octets().to_vec();
        let value = Data::Structure(vec![
            Data::U16(0x8F32),
            Data::Octets(time),
            Data::Octets(b"supply armed".to_vec()),
        ]);
        let (code, time, words) = content(&notification(value), Default::default()).unwrap();
        assert_eq!((code, words.as_str()), (AlertCode::SUPPLY_ARMED, "supply armed"));
        assert_eq!(time.to_string(), "2026-11-21T09:30:00Z");
        assert_eq!(content(&notification(Data::U16(1)), Default::default()), None);
    }

    #[test]
    fn a_push_that_stayed_incomplete_is_told_with_what_is_missing() {
        let late = PushError::Late { expected: 2, waited: Duration::from_secs(10) };
        let push = Push { device: None, at: Timestamp::UNIX_EPOCH, received: Err(late) };
        let words = event(&push).unwrap_err();
        assert!(words.contains("block 2 did not come within 10s"), "{words}");
    }
}
