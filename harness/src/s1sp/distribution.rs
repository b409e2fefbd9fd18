//! 11.1 at the S1SP: an image on its way to each of the devices it is for, while requests go on being served.
//!
//! A distribution outlives the request that brought it. What breaks it off, a link that is lost, a device that starts
//! over or sleeps, is waited out for so long, and then it goes on where it was. The user hears of the outcome by the
//! device's alert, 8F72 or 8F1C, and by an alert of the S1SP where there is none to come from the device.

use std::sync::Arc;
use std::time::Duration;

use lab_config::{DeviceKind, Eui64};
use proto_duis::{RequestId, UpdateFirmware};
use tokio::time::{Instant, sleep};

use super::operation::firmware::{Transfer, Verification};
use super::refusal::Refusal;
use super::{Parts, S1spAlertMessage, alerts};

/// How long an image may be on its way: a gas meter that wakes every half hour is given a few chances.
const PATIENCE: Duration = Duration::from_secs(2 * 3600);
/// How long after a break the transfer goes on; twice as long after each break, up to the longest.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Progress is told each time another of so many parts of the image is there.
const PARTS: usize = 4;

/// Takes an image to a device.
pub(super) async fn distribute(
    parts: Arc<Parts>,
    request: RequestId,
    update: Arc<UpdateFirmware>,
    device: Eui64,
) {
    let Some(desk) = parts.desks.get(&device) else { return };
    let kind = desk.lock().await.device.kind;
    let teller = Teller { parts: &parts, name: format!("firmware {} for {kind} {device}", update.version) };
    let mut transfer = Transfer::new(desk, &update.image, &update.version);
    let deadline = Instant::now() + PATIENCE;
    let mut pause = PAUSE;
    loop {
        let mut told = 0;
        let mut progress = |there: usize, all: usize| {
            let part = there * PARTS / all.max(1);
            if part > std::mem::replace(&mut told, part) || there == 0 {
                teller.tell(format!("{there} of {all} blocks"));
            }
        };
        let refusal = match transfer.go_on(&mut progress).await {
            Ok(Verification::Verified) => return teller.tell("verified".to_owned()),
            Ok(Verification::Failed(result)) => return teller.tell(format!("not verified: {result}")),
            Err(refusal) => refusal,
        };
        let passing = refusal.not_served().is_some() && Instant::now() + pause < deadline;
        if !passing {
            return give_up(&parts, &teller, (request, device, kind), &refusal).await;
        }
        teller.tell(format!("broken off, goes on in {pause:?}: {}", refusal.words()));
        transfer.forget_session().await;
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

async fn give_up(
    parts: &Parts,
    teller: &Teller<'_>,
    (request, device, kind): (RequestId, Eui64, DeviceKind),
    refusal: &Refusal,
) {
    teller.tell(format!("given up: {}", refusal.words()));
    let words = format!("{kind}: {}", refusal.words());
    let alert = alerts::alert(alerts::FIRMWARE_NOT_DISTRIBUTED, Some(request), Some(device), words);
    parts.hand_over(S1spAlertMessage::s1sp(alert, &parts.signer)).await;
}

/// Tells how far a distribution is.
struct Teller<'a> {
    parts: &'a Parts,
    name: String,
}

impl Teller<'_> {
    /// Progress that nobody takes is dropped: the transfer does not wait for it.
    fn tell(&self, words: String) {
        let words = format!("{}: {words}", self.name);
        tracing::info!("{words}");
        drop(self.parts.outbox.try_send(S1spAlertMessage::Progress(words)));
    }
}
