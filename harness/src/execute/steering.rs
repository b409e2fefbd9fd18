//! What people want of a run under way: that it stops, waits, goes on, or runs a script once more.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use proto_lab::record::{Action, Actor, Body, Case, Deed, Outcome, SafeState};
use tokio::sync::watch;

use super::{Ledger, LedgerError, Stop};

/// At most so many scripts wait to be run once more; who asks for more has lost count.
const MOST_RERUNS: usize = 100;

/// The wishes of people about one run, heard wherever it may act on them. Clones are of the same run.
#[derive(Debug, Clone)]
pub struct Steering {
    stop: Stop,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    course: watch::Sender<Course>,
    wishes: Mutex<Wishes>,
}

/// Whether the run goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Course {
    On,
    /// It is to wait at the next step boundary.
    PauseAsked(Actor),
    /// It waits.
    Paused,
    /// It is to go on.
    ResumeAsked(Actor),
    /// It has come to its end.
    Over,
}

#[derive(Debug, Default)]
struct Wishes {
    /// Who aborted it and why, until that is recorded.
    abort: Option<(Actor, String)>,
    /// Who aborted it and why, in words.
    stopped: Option<String>,
    reruns: VecDeque<(Actor, Case)>,
    /// Scripts of which an attempt has ended.
    attempted: BTreeSet<Case>,
    /// No script begins any more.
    over: bool,
    safe: Option<SafeState>,
}

impl Default for Steering {
    fn default() -> Self {
        Self::new(Stop::new())
    }
}

impl Steering {
    /// Nobody wants anything yet but what `stop` says.
    pub fn new(stop: Stop) -> Self {
        let shared = Shared { course: watch::Sender::new(Course::On), wishes: Mutex::default() };
        Self { stop, shared: Arc::new(shared) }
    }

    /// The wish to stop.
    pub const fn stop(&self) -> &Stop {
        &self.stop
    }

    fn wishes<T>(&self, act: impl FnOnce(&mut Wishes) -> T) -> T {
        act(&mut self.shared.wishes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the run to stop, for this reason.
    pub fn abort(&self, by: &Actor, reason: &str) {
        self.wishes(|wishes| {
            wishes.stopped.get_or_insert_with(|| format!("stopped by {by}: {reason}"));
            wishes.abort.get_or_insert_with(|| (by.clone(), reason.to_owned()));
        });
        self.stop.ask();
    }

    /// Asks the run to stop because the lab cannot go on with it: these are the words of why.
    pub fn halt(&self, words: &str) {
        self.wishes(|wishes| {
            wishes.stopped.get_or_insert_with(|| words.to_owned());
        });
        self.stop.ask();
    }

    /// Asks the run to wait before its next step.
    pub fn pause(&self, by: &Actor) {
        self.shared.course.send_if_modified(|course| match course {
            Course::On | Course::ResumeAsked(_) => {
                *course = Course::PauseAsked(by.clone());
                true
            }
            _ => false,
        });
    }

    /// Asks the run to go on.
    pub fn resume(&self, by: &Actor) {
        self.shared.course.send_if_modified(|course| match course {
            // It has not waited, so there is nothing to go on from.
            Course::PauseAsked(_) => {
                *course = Course::On;
                true
            }
            Course::Paused => {
                *course = Course::ResumeAsked(by.clone());
                true
            }
            _ => false,
        });
    }

    /// Asks for one more attempt of a script, after the script that is under way.
    ///
    /// # Errors
    /// Why there can be none, in words.
    pub fn rerun(&self, by: &Actor, case: &Case) -> Result<(), String> {
        self.wishes(|wishes| {
            if wishes.over || self.stop.asked() {
                return Err("no script of the run begins any more".to_owned());
            }
            if !wishes.attempted.contains(case) {
                return Err("no attempt of it has ended in this run".to_owned());
            }
            if wishes.reruns.len() >= MOST_RERUNS {
                return Err(format!("{MOST_RERUNS} scripts wait to be run again already"));
            }
            wishes.reruns.push_back((by.clone(), case.clone()));
            Ok(())
        })
    }

    /// One more attempt of a script, which somebody was promised by a controller that ended before it was begun.
    pub fn promised(&self, by: Actor, case: Case) {
        self.wishes(|wishes| wishes.reruns.push_back((by, case)));
    }

    /// Waits until the run has come to the boundary where it waits; says whether it does, or the wish has passed.
    pub async fn until_paused(&self) -> bool {
        let mut course = self.shared.course.subscribe();
        let reached = course.wait_for(|course| !matches!(course, Course::PauseAsked(_)));
        reached.await.is_ok_and(|course| *course == Course::Paused)
    }

    /// What the rig's safe state came to after the run.
    pub fn safe(&self) -> Option<SafeState> {
        self.wishes(|wishes| wishes.safe.clone())
    }

    /// Who stopped the run and why, in words.
    pub fn stopped_words(&self) -> String {
        self.wishes(|wishes| wishes.stopped.clone()).unwrap_or_else(|| "stopped by a person".to_owned())
    }

    /// At a step boundary: waits for as long as somebody wants, and writes who wanted it. Returns at once when the run is to
    /// stop, which is recorded then too.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub async fn boundary(&self, ledger: &mut impl Ledger) -> Result<(), LedgerError> {
        while let Some(by) = self.pausing() {
            record(ledger, by, Deed::Pause {})?;
            let mut course = self.shared.course.subscribe();
            let asked = self.shared.course.send_if_modified(|course| {
                let still = matches!(course, Course::PauseAsked(_));
                if still {
                    *course = Course::Paused;
                }
                still
            });
            tokio::select! {
                _ = course.wait_for(|course| *course != Course::Paused), if asked => {}
                () = self.stop.wait() => {}
            }
            if let Some(by) = self.resuming() {
                record(ledger, by, Deed::Resume {})?;
            }
            if self.stop.asked() {
                break;
            }
        }
        self.record_abort(ledger)
    }

    /// Writes who stopped the run, once.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn record_abort(&self, ledger: &mut impl Ledger) -> Result<(), LedgerError> {
        match self.wishes(|wishes| wishes.abort.take()) {
            Some((by, reason)) => record(ledger, by, Deed::Abort { reason }),
            None => Ok(()),
        }
    }

    fn pausing(&self) -> Option<Actor> {
        match &*self.shared.course.borrow() {
            Course::PauseAsked(by) if !self.stop.asked() => Some(by.clone()),
            _ => None,
        }
    }

    fn resuming(&self) -> Option<Actor> {
        let mut who = None;
        self.shared.course.send_if_modified(|course| match course {
            Course::ResumeAsked(by) => {
                who = Some(by.clone());
                *course = Course::On;
                true
            }
            _ => false,
        });
        who
    }

    /// An attempt of this script has ended.
    pub fn attempted(&self, case: Case) {
        self.wishes(|wishes| {
            wishes.attempted.insert(case);
        });
    }

    /// The next script to be run once more, and who asked.
    pub fn next_rerun(&self) -> Option<(Actor, Case)> {
        self.wishes(|wishes| wishes.reruns.pop_front())
    }

    /// No script begins any more, unless one waits to be run again: then it says no, and the run goes on.
    pub fn end(&self) -> bool {
        self.wishes(|wishes| {
            wishes.over = wishes.reruns.is_empty() || self.stop.asked();
            wishes.over
        })
    }

    /// The rig has been made safe after the run.
    pub fn made_safe(&self, safe: SafeState) {
        self.wishes(|wishes| {
            wishes.safe = Some(safe);
            wishes.over = true;
        });
    }

    /// The run has ended: nobody need wait for it to pause.
    pub fn over(&self) {
        self.wishes(|wishes| wishes.over = true);
        self.shared.course.send_replace(Course::Over);
    }
}

fn record(ledger: &mut impl Ledger, by: Actor, what: Deed) -> Result<(), LedgerError> {
    let action = Action { by, what, outcome: Outcome::Done {} };
    ledger.append(Body::Action(Box::new(action))).map(|_| ())
}
