//! Future-dated requests that the DCC keeps ("DSP" in the `future_dated` column of the Service Reference Variant table).
//! Pure: time is an argument.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use proto_duis::{Eui64, Request, Srv, Unverified};

use super::judge::{Refusal, refusal};

/// The answer to an `ExecutionDateTime` that is past, or too far off. The published tables to hand do not say which code it
/// is.
pub const NOT_HELD: Unverified<&str> = Unverified("E1001");
/// How far off an `ExecutionDateTime` may be.
const FARTHEST: Unverified<SignedDuration> = Unverified(SignedDuration::from_hours(30 * 24));
/// The `ExecutionDateTime` that takes back what is held: 3000-12-31T00:00:00Z.
pub const TAKES_BACK: Unverified<Timestamp> = Unverified(Timestamp::constant(32_535_129_600, 0));
/// How many requests are held for all users.
const MOST: usize = 1024;

/// The requests held. A user has one of a variant for a device: a later one takes the place of an earlier.
#[derive(Debug, Default)]
pub(super) struct Held(BTreeMap<Key, Kept>);

/// User, device, variant.
type Key = (Eui64, Eui64, Srv);

/// A request that is held.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    /// As its user signed it.
    pub(super) octets: Bytes,
    /// What it asks.
    pub(super) request: Request,
    /// When it is to be done.
    pub(super) at: Timestamp,
}

/// What became of a future-dated request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is held until its time.
    Held,
    /// It took back what was held of its kind.
    TakenBack,
    /// There is no room for more.
    Full,
}

fn key(request: &Request) -> Key {
    (request.id.originator, request.id.target, request.srv())
}

/// Whether the DCC keeps this request until later.
pub(super) fn is_for_later(request: &Request) -> Option<Timestamp> {
    request.body.execution().filter(|_| request.srv().future_dating().is_by_the_dcc())
}

impl Held {
    /// Keeps a request that was judged to be its user's to send until `at`.
    pub(super) fn hold(
        &mut self,
        octets: &Bytes,
        request: &Request,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        if at == TAKES_BACK.0 {
            self.0.remove(&key(request));
            return Ok(Outcome::TakenBack);
        }
        if at <= now || now.duration_until(at) > FARTHEST.0 {
            let days = FARTHEST.0.as_hours() / 24;
            let reason = format!("ExecutionDateTime {at} is not within {days} days from {now}");
            return Err(refusal(NOT_HELD, reason));
        }
        if self.0.len() >= MOST && !self.0.contains_key(&key(request)) {
            return Ok(Outcome::Full);
        }
        let kept = Kept { octets: octets.clone(), request: request.clone(), at };
        if let Some(before) = self.0.insert(key(request), kept) {
            tracing::info!(request = %before.request.id, "replaced by {}", request.id);
        }
        Ok(Outcome::Held)
    }

    /// When the next one is to be done.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.values().map(|kept| kept.at).min()
    }

    /// The requests that are to be done by now, in the order of their times.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Vec<Kept> {
        let due: Vec<Key> = self.0.iter().filter(|(_, kept)| kept.at <= now).map(|(key, _)| *key).collect();
        let mut due: Vec<Kept> = due.iter().filter_map(|key| self.0.remove(key)).collect();
        due.sort_by_key(|kept| (kept.at, kept.request.id));
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto_duis::{RequestBody, RequestId};

    const NOW: Timestamp = Timestamp::constant(1_795_253_400, 0);

    fn asked(counter: u64, at: Timestamp) -> Request {
        let fields = [("ExecutionDateTime".to_owned(), at.to_string())].into();
        let body = RequestBody::from_fields(Srv::ReadInstantaneousImportRegisters, &fields).unwrap();
        let id = RequestId { originator: Eui64::new([1; 8]), target: Eui64::new([2; 8]), counter };
        Request::new(id, body)
    }

    fn later(seconds: i64) -> Timestamp {
        NOW + SignedDuration::from_secs(seconds)
    }

    fn hold(held: &mut Held, counter: u64, at: Timestamp) -> Result<Outcome, String> {
        let request = asked(counter, at);
        assert_eq!(is_for_later(&request), Some(at));
        held.hold(&Bytes::new(), &request, at, NOW).map_err(|refusal| refusal.code.to_string())
    }

    fn due(held: &mut Held, at: Timestamp) -> Vec<u64> {
        held.take_due(at).iter().map(|kept| kept.request.id.counter).collect()
    }

    #[test]
    fn a_request_is_held_until_its_time_and_then_done_once() {
        let mut held = Held::default();
        assert_eq!(hold(&mut held, 1, later(60)), Ok(Outcome::Held));
        assert_eq!(held.next(), Some(later(60)));
        assert_eq!(due(&mut held, later(59)), Vec::<u64>::new());
        assert_eq!(due(&mut held, later(60)), [1]);
        assert_eq!((due(&mut held, later(61)), held.next()), (Vec::new(), None));
    }

    #[test]
    fn the_past_and_what_is_too_far_off_are_refused() {
        let mut held = Held::default();
        for at in [later(0), later(-1), later(30 * 86_400 + 1)] {
            assert_eq!(hold(&mut held, 1, at), Err(NOT_HELD.0.to_owned()));
        }
        assert_eq!(hold(&mut held, 1, later(30 * 86_400)), Ok(Outcome::Held));
    }

    #[test]
    fn a_later_request_takes_the_place_and_the_last_day_takes_it_back() {
        let mut held = Held::default();
        hold(&mut held, 1, later(60)).unwrap();
        hold(&mut held, 2, later(120)).unwrap();
        assert_eq!(due(&mut held, later(60)), Vec::<u64>::new());
        assert_eq!(hold(&mut held, 3, TAKES_BACK.0), Ok(Outcome::TakenBack));
        assert_eq!(TAKES_BACK.0.to_string(), "3000-12-31T00:00:00Z");
        assert_eq!(held.next(), None);
    }
}
