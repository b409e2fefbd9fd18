//! Calls that were refused, and what else a listener has to tell the lab book: with a bound, for whoever floods a listener
//! must not fill the disk.
//!
//! In each minute the first refused calls are recorded one by one; the rest are counted, and their number is one record.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proto_lab::record::Actor;
use proto_lab::record::book::LabEvent;
use tokio::sync::mpsc;

/// Refused calls recorded one by one within a [`WINDOW`].
pub(super) const ONE_BY_ONE: u32 = 30;
const WINDOW: SignedDuration = SignedDuration::from_mins(1);
/// How often it is looked whether counted calls are to be told.
const LOOK: Duration = Duration::from_secs(10);
/// Events that wait for the book; while it is slow, more of them are counted.
const WAITING: usize = 256;
/// The longest text of a call that is recorded, in characters.
const TEXT: usize = 200;

/// Who keeps the count. Pure: time is an argument.
#[derive(Debug, Default)]
struct Counted {
    since: Option<Timestamp>,
    recorded: u32,
    more: u64,
}

impl Counted {
    /// Whether one more is recorded by itself.
    fn takes(&mut self, now: Timestamp) -> bool {
        if self.since.is_none_or(|since| now.duration_since(since) >= WINDOW) {
            (self.since, self.recorded) = (Some(now), 0);
        }
        let takes = self.recorded < ONE_BY_ONE;
        match takes {
            true => self.recorded += 1,
            false => self.more += 1,
        }
        takes
    }

    /// What was counted and not told, once its window has passed.
    fn told(&mut self, now: Timestamp) -> Option<LabEvent> {
        let passed = self.since.is_some_and(|since| now.duration_since(since) >= WINDOW);
        (passed && self.more > 0).then(|| self.rest())
    }

    fn rest(&mut self) -> LabEvent {
        let more = std::mem::take(&mut self.more);
        LabEvent::CallRefused {
            by: None,
            from: "several".to_owned(),
            call: "several".to_owned(),
            reason: format!("{more} more calls were refused, too many to record each"),
        }
    }
}

/// Where listeners tell what the lab book is to hold.
#[derive(Debug, Clone)]
pub struct Callbook {
    events: mpsc::Sender<LabEvent>,
    counted: Arc<Mutex<Counted>>,
}

/// What was told, for whoever writes the lab book.
#[derive(Debug)]
pub struct Calls {
    events: mpsc::Receiver<LabEvent>,
    counted: Arc<Mutex<Counted>>,
}

/// A call that was refused.
#[derive(Debug)]
pub(super) struct RefusedCall<'a> {
    /// Who called, where they could be told.
    pub(super) by: Option<&'a Actor>,
    /// Where from.
    pub(super) from: String,
    /// What was called.
    pub(super) call: &'a str,
    /// Why it was refused.
    pub(super) reason: &'a str,
}

/// Both ends.
pub fn callbook() -> (Callbook, Calls) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let counted = Arc::new(Mutex::default());
    (Callbook { events: sender, counted: Arc::clone(&counted) }, Calls { events: receiver, counted })
}

impl Callbook {
    /// Tells of a refused call.
    pub(super) fn refused(&self, call: RefusedCall<'_>) {
        let takes = held(&self.counted).takes(Timestamp::now());
        tracing::info!(from = call.from, call = call.call, reason = call.reason, "refused");
        if takes {
            self.tell(LabEvent::CallRefused {
                by: call.by.cloned(),
                from: short(&call.from),
                call: short(call.call),
                reason: short(call.reason),
            });
        }
    }

    /// Tells of anything else. While the book takes nothing it is counted as the refused calls are.
    pub(super) fn tell(&self, event: LabEvent) {
        if self.events.try_send(event).is_err() {
            held(&self.counted).more += 1;
        }
    }
}

impl Calls {
    /// The next event to be recorded; absent when every listener is gone and everything was told.
    pub async fn next(&mut self) -> Option<LabEvent> {
        loop {
            let counted = held(&self.counted).told(Timestamp::now());
            if counted.is_some() {
                return counted;
            }
            match tokio::time::timeout(LOOK, self.events.recv()).await {
                Err(_) => {}
                Ok(Some(event)) => return Some(event),
                Ok(None) => {
                    let mut counted = held(&self.counted);
                    return (counted.more > 0).then(|| counted.rest());
                }
            }
        }
    }
}

fn held(counted: &Mutex<Counted>) -> std::sync::MutexGuard<'_, Counted> {
    counted.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Callers choose these texts: none is longer than need be, and none has a character that moves a terminal.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_is_a_bounded_number_of_records_and_none_is_lost_from_the_count() {
        let (book, mut calls) = callbook();
        for n in 0..100_000 {
            let call = format!("/call/{n}\u{1b}[2J{}", "x".repeat(1000));
            book.refused(RefusedCall { by: None, from: "192.0.2.1:1".into(), call: &call, reason: "no" });
        }
        drop(book);
        let mut told = Vec::new();
        while let Some(event) = calls.next().await {
            told.push(event);
        }
        assert_eq!(told.len(), ONE_BY_ONE as usize + 1);
        let LabEvent::CallRefused { reason, .. } = &told[ONE_BY_ONE as usize] else { panic!() };
        assert_eq!(
            *reason,
            format!("{} more calls were refused, too many to record each", 100_000 - ONE_BY_ONE)
        );
        for event in &told {
            let LabEvent::CallRefused { call, .. } = event else { panic!() };
            assert!(call.chars().count() <= TEXT && !call.contains('\u{1b}'));
        }
    }

    #[test]
    fn each_minute_has_its_own_measure() {
        let mut counted = Counted::default();
        let begin: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        for second in 0..600 {
            let now = begin + SignedDuration::from_secs(second);
            let taken = (0..10).filter(|_| counted.takes(now)).count();
            assert_eq!(taken, if second % 60 < 3 { 10 } else { 0 }, "second {second}");
        }
        let told = counted.told(begin + SignedDuration::from_secs(700));
        assert!(
            matches!(told, Some(LabEvent::CallRefused { reason, .. }) if reason.starts_with("5700 more"))
        );
        assert_eq!(counted.told(begin + SignedDuration::from_secs(800)), None);
    }
}
