//! Requests to a device that sleeps.
//!
//! The hub holds what is for such a device until it wakes, so the S1SP waits as long as the Device Model says that may take.
//! What must never happen is that a request is carried out after its user was told that it was not. Therefore:
//!
//! - one request at a time is under way to a device (its [`Desk`] is held meanwhile), and before a change is sent the device
//!   has answered a read, so that it is awake;
//! - a request that is given up is withdrawn from the hub. When the hub says that it dropped it, it is not done, and the user
//!   is told so. In every other case the outcome is unknown, and the user is told that;
//! - who asked may stop waiting at any point. What is then left at the hub is withdrawn by a task of its own, and at the
//!   latest before the next request to the device.

use std::sync::Arc;

use jiff::Timestamp;
use proto_duis::{MmcBody, Request};

use super::desk::Desk;
use super::refusal::Refusal;
use super::{Asker, Parts, operation, raise};
use crate::driver::Withdrawal;

/// Does what a request asks on the device of the desk.
pub(super) async fn carry_out(
    parts: &Arc<Parts>,
    desk: &mut Desk,
    request: &Request,
) -> Result<MmcBody, Refusal> {
    desk.begin();
    if !desk.sleeps() {
        let done = operation::carry_out(desk, &request.body, parts.asker(request), Timestamp::now()).await;
        return done.map_err(|refusal| in_doubt(desk, refusal));
    }
    if desk.left_behind {
        take_back(parts, desk).await?;
    }
    desk.wait_for_wake();
    desk.left_behind = true;
    let cut_off = CutOff { parts: parts.clone(), request: Some(request.clone()) };
    let done = awake_then(desk, request, parts.asker(request)).await;
    cut_off.was_not();
    let done = match done {
        Err(refusal) if refusal.is_silence() => Err(given_up(parts, desk, refusal).await),
        done => done.map_err(|refusal| in_doubt(desk, refusal)),
    };
    // A device that answered has nothing left to fetch.
    desk.left_behind &= done.as_ref().is_err_and(|refusal| refusal.not_served().is_some());
    done
}

/// A change goes out only to a device that has just answered a read.
async fn awake_then(desk: &mut Desk, request: &Request, asker: Asker) -> Result<MmcBody, Refusal> {
    if operation::changes(request.srv()) {
        operation::shown(desk).await?;
    }
    operation::carry_out(desk, &request.body, asker, Timestamp::now()).await
}

/// A failure after which nobody knows what the device did says so.
fn in_doubt(desk: &Desk, refusal: Refusal) -> Refusal {
    match refusal.outcome_is_unknown() || (desk.has_changed() && refusal.not_served().is_some()) {
        true => Refusal::OutcomeUnknown(refusal.words()),
        false => refusal,
    }
}

/// The refusal of a request for which nobody waits any more, after it was taken back as far as that goes.
async fn given_up(parts: &Parts, desk: &mut Desk, refusal: Refusal) -> Refusal {
    let withdrawal = take_back(parts, desk).await;
    outcome(refusal, withdrawal, desk.has_changed())
}

/// What is known of a request that was given up: `part_done` when the device has carried out some of it.
fn outcome(refusal: Refusal, withdrawal: Result<Withdrawal, Refusal>, part_done: bool) -> Refusal {
    let words = refusal.words();
    if part_done {
        return Refusal::OutcomeUnknown(format!("{words}; part of what was asked is done"));
    }
    if !refusal.outcome_is_unknown() {
        // Nothing was sent that changes anything: a read that comes too late does no harm.
        return refusal;
    }
    let unknown = |words: String| Refusal::OutcomeUnknown(words);
    match withdrawal {
        Ok(Withdrawal::Dropped) => Refusal::NotDone(
            "no answer; the hub dropped it before the device had it: it is not done".to_owned(),
        ),
        Ok(Withdrawal::NothingHeld) => unknown(format!(
            "{words}; the hub holds it no longer, and whether the device did it is not known"
        )),
        Ok(Withdrawal::NotPossible) => {
            unknown(format!("{words}; the hub may hold it, and the device may do it at its next wake"))
        }
        Err(error) => unknown(format!(
            "{words}; it was not withdrawn from the hub ({}), and the device may do it at its next wake",
            error.words()
        )),
    }
}

/// Has the hub drop what it holds for the device of the desk.
pub(super) async fn take_back(parts: &Parts, desk: &mut Desk) -> Result<Withdrawal, Refusal> {
    // A late answer must find nobody who takes it for the one to the next request.
    desk.leave().await;
    let hub = parts.links.rig().device(lab_config::DeviceKind::Chf);
    let Some(hub) = hub.and_then(|hub| parts.desks.get(&hub.eui64)) else {
        return Ok(Withdrawal::NotPossible);
    };
    let withdrawal = hub.lock().await.withdraw(desk.device.eui64).await?;
    tracing::info!(device = %desk.device.eui64, ?withdrawal, "what the hub held for a sleeping device");
    desk.left_behind = false;
    Ok(withdrawal)
}

/// Notices that the future of a request is dropped before it has ended, and sees to what the request left at the hub.
struct CutOff {
    parts: Arc<Parts>,
    request: Option<Request>,
}

impl CutOff {
    fn was_not(mut self) {
        self.request = None;
    }
}

impl Drop for CutOff {
    fn drop(&mut self) {
        let (Some(request), Ok(runtime)) = (self.request.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        runtime.spawn(afterwards(self.parts.clone(), request));
    }
}

/// Withdraws what a request that was cut off left at the hub, and tells its user what is known of the outcome.
async fn afterwards(parts: Arc<Parts>, request: Request) {
    let Some(desk) = parts.desks.get(&request.id.target) else { return };
    let refusal = {
        let mut desk = desk.lock().await;
        if !desk.left_behind {
            return;
        }
        let asked_in_vain = match desk.has_begun_to_change() {
            true => Refusal::OutcomeUnknown("nobody waits for the answer any more".to_owned()),
            false => Refusal::NotDone("nobody waits for the answer any more; it is not done".to_owned()),
        };
        given_up(&parts, &mut desk, asked_in_vain).await
    };
    raise(&parts, &request, &refusal).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::{Context, DriverError, DriverErrorKind, ReachError};

    fn silence(outcome_unknown: bool) -> Refusal {
        let context = Context { request: "SET".into(), outcome_unknown, ..Context::default() };
        let kind = DriverErrorKind::NoAnswer("after 30 min".into());
        Refusal::Reach(ReachError::Driver(DriverError { kind, context: Box::new(context) }))
    }

    #[test]
    fn only_the_word_of_the_hub_makes_a_change_that_was_sent_not_done() {
        let dropped = outcome(silence(true), Ok(Withdrawal::Dropped), false);
        assert!(matches!(&dropped, Refusal::NotDone(words) if words.contains("not done")), "{dropped}");
        for withdrawal in [Ok(Withdrawal::NothingHeld), Ok(Withdrawal::NotPossible), Err(silence(false))] {
            let unknown = outcome(silence(true), withdrawal, false);
            assert!(matches!(unknown, Refusal::OutcomeUnknown(_)), "{unknown}");
        }
    }

    #[test]
    fn a_read_that_was_not_answered_changed_nothing_whatever_the_hub_says() {
        for withdrawal in [Ok(Withdrawal::Dropped), Ok(Withdrawal::NotPossible), Err(silence(false))] {
            assert!(!outcome(silence(false), withdrawal, false).outcome_is_unknown());
        }
    }

    #[test]
    fn half_of_a_change_is_never_said_not_to_be_done() {
        for sent in [true, false] {
            assert!(outcome(silence(sent), Ok(Withdrawal::Dropped), true).outcome_is_unknown());
        }
    }
}
