//! Which answer belongs to which request. Pure: no clock, no tasks.
//!
//! A request is open from before it is sent, because its answer may overtake its acknowledgement. It closes when its
//! answer is taken or the wait is given up. An answer to a closed request, or to none, is kept as what it is. Every
//! collection has a limit. An alert that does not fit is refused, and the DCC keeps it and tries again; of answers nobody
//! waits for the last ones are kept and the others counted.

use std::collections::{BTreeMap, VecDeque};

use proto_duis::{RequestId, ResponseCode, Srv};
use tokio::time::Instant;

use super::answer::{
    Alert, AlertContent, AlertMatcher, Answer, Leftovers, ScheduledMatcher, Stray, StrayKind,
};
use super::error::Rejection;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests that may wait for their answers.
    pub open: usize,
    /// Closed requests remembered, to tell a late or second answer from an unsolicited one.
    pub closed: usize,
    /// Alerts nobody has taken.
    pub alerts: usize,
    /// Stray answers nobody has taken: the last ones.
    pub strays: usize,
    /// Answers that schedules brought and nobody has taken.
    pub scheduled: usize,
    /// Octets of one message.
    pub message_octets: usize,
    /// Connections to the listener at a time.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        let message_octets = 4 << 20;
        Limits {
            open: 1024,
            closed: 4096,
            alerts: 1024,
            strays: 256,
            scheduled: 256,
            message_octets,
            connections: 32,
        }
    }
}

/// Open and closed requests, alerts and strays.
#[derive(Debug)]
pub(super) struct Inbox {
    limits: Limits,
    open: BTreeMap<RequestId, Open>,
    closed: BTreeMap<RequestId, StrayKind>,
    /// The keys of `closed`, oldest first; one that was closed twice stands in it twice.
    closed_order: VecDeque<RequestId>,
    alerts: VecDeque<Alert>,
    scheduled: VecDeque<Answer>,
    strays: VecDeque<Stray>,
    /// Strays that were dropped since somebody took the strays.
    strays_dropped: usize,
}

/// A request whose answer nobody has taken.
#[derive(Debug)]
struct Open {
    srv: Srv,
    sent: Instant,
    state: State,
}

#[derive(Debug)]
enum State {
    Awaited,
    Answered(Box<Answer>),
    Refused(ResponseCode),
}

/// Why a request cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CannotOpen {
    TooMany(usize),
    StillOpen,
}

/// Why an answer or an alert is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// There is no room for more alerts, or answers of schedules: 503, try again.
    NoRoom,
    /// It does not belong to the request it names: 400.
    Rejected(Rejection),
}

/// How a wait for an answer stands.
#[derive(Debug)]
pub(super) enum Waiting {
    Answered(Box<Answer>),
    Refused(ResponseCode),
    Since { srv: Srv, sent: Instant },
    NotOpen,
}

impl Inbox {
    pub(super) const fn new(limits: Limits) -> Inbox {
        Inbox {
            limits,
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
            closed_order: VecDeque::new(),
            alerts: VecDeque::new(),
            scheduled: VecDeque::new(),
            strays: VecDeque::new(),
            strays_dropped: 0,
        }
    }

    /// A request is about to be sent.
    pub(super) fn open(&mut self, request: RequestId, srv: Srv, sent: Instant) -> Result<(), CannotOpen> {
        if self.open.contains_key(&request) {
            return Err(CannotOpen::StillOpen);
        }
        if self.open.len() >= self.limits.open {
            return Err(CannotOpen::TooMany(self.limits.open));
        }
        self.open.insert(request, Open { srv, sent, state: State::Awaited });
        Ok(())
    }

    /// The DCC refused a request; an answer that overtook the refusal stays.
    pub(super) fn refuse(&mut self, request: &RequestId, code: ResponseCode) {
        if let Some(Open { state: state @ State::Awaited, .. }) = self.open.get_mut(request) {
            *state = State::Refused(code);
        }
    }

    /// What an answer would be if it came now; none when it is waited for, or comes by a schedule.
    pub(super) fn stray_kind(&self, answer: &Answer) -> Option<StrayKind> {
        let request = &answer.request;
        if answer.schedule.is_some() {
            return None;
        }
        match self.open.get(request).map(|open| &open.state) {
            Some(State::Awaited) => None,
            Some(State::Answered(_)) => Some(StrayKind::Duplicate),
            Some(State::Refused(_)) => Some(StrayKind::Unsolicited),
            None => Some(self.closed.get(request).copied().unwrap_or(StrayKind::Unsolicited)),
        }
    }

    /// An answer came.
    pub(super) fn deliver(&mut self, answer: Answer) -> Result<(), NotTaken> {
        if answer.schedule.is_some() {
            return self.by_schedule(answer);
        }
        if let Some(kind) = self.stray_kind(&answer) {
            self.stray(Stray { kind, answer });
            return Ok(());
        }
        if let Some(open) = self.open.get_mut(&answer.request) {
            Rejection::unless_same("ServiceReferenceVariant", &answer.srv, &open.srv)
                .map_err(NotTaken::Rejected)?;
            open.state = State::Answered(Box::new(answer));
        }
        Ok(())
    }

    /// An answer came that nobody sent a request for: a schedule brought it.
    fn by_schedule(&mut self, answer: Answer) -> Result<(), NotTaken> {
        if self.scheduled.len() >= self.limits.scheduled {
            return Err(NotTaken::NoRoom);
        }
        self.scheduled.push_back(answer);
        Ok(())
    }

    /// Takes the oldest answer of a schedule that matches.
    pub(super) fn take_scheduled(&mut self, matcher: &ScheduledMatcher) -> Option<Answer> {
        let at = self.scheduled.iter().position(|answer| matcher.matches(answer))?;
        self.scheduled.remove(at)
    }

    /// Keeps a stray; the oldest goes when there is no room.
    fn stray(&mut self, stray: Stray) {
        self.strays.push_back(stray);
        while self.strays.len() > self.limits.strays {
            self.strays.pop_front();
            self.strays_dropped = self.strays_dropped.saturating_add(1);
        }
    }

    /// Takes a request's answer or refusal, if it is there, and closes the request.
    pub(super) fn take(&mut self, request: &RequestId) -> Waiting {
        let (taken, kind) = match self.open.remove(request) {
            None => return Waiting::NotOpen,
            Some(open @ Open { state: State::Awaited, srv, sent }) => {
                self.open.insert(*request, open);
                return Waiting::Since { srv, sent };
            }
            Some(Open { state: State::Answered(answer), .. }) => {
                (Waiting::Answered(answer), StrayKind::Duplicate)
            }
            Some(Open { state: State::Refused(code), .. }) => {
                (Waiting::Refused(code), StrayKind::Unsolicited)
            }
        };
        self.close(*request, kind);
        taken
    }

    /// Gives up the wait for an answer. One that is there already and nobody took becomes a stray.
    pub(super) fn give_up(&mut self, request: &RequestId) {
        let Some(open) = self.open.remove(request) else { return };
        let kind = match open.state {
            State::Awaited => StrayKind::Late,
            State::Refused(_) => StrayKind::Unsolicited,
            State::Answered(answer) => {
                self.stray(Stray { kind: StrayKind::Late, answer: *answer });
                StrayKind::Duplicate
            }
        };
        self.close(*request, kind);
    }

    /// Gives up every wait.
    pub(super) fn give_up_all(&mut self) {
        let open: Vec<RequestId> = self.open.keys().copied().collect();
        open.iter().for_each(|request| self.give_up(request));
    }

    /// Remembers what a further answer to this request would be.
    fn close(&mut self, request: RequestId, kind: StrayKind) {
        self.closed.insert(request, kind);
        self.closed_order.push_back(request);
        while self.closed_order.len() > self.limits.closed {
            if let Some(oldest) = self.closed_order.pop_front() {
                self.closed.remove(&oldest);
            }
        }
    }

    /// An alert came.
    pub(super) fn alert(&mut self, alert: Alert) -> Result<(), NotTaken> {
        if self.alerts.len() >= self.limits.alerts {
            return Err(NotTaken::NoRoom);
        }
        self.alerts.push_back(alert);
        Ok(())
    }

    /// Takes the oldest alert that matches.
    pub(super) fn take_alert(&mut self, matcher: &AlertMatcher) -> Option<Alert> {
        let at = self.alerts.iter().position(|alert| matcher.matches(alert))?;
        self.alerts.remove(at)
    }

    /// The code of the S1SP's own alert about a request, which is left for others to take.
    pub(super) fn s1sp_alert(&self, request: &RequestId) -> Option<String> {
        self.alerts.iter().find_map(|alert| match &alert.content {
            AlertContent::S1sp(said) if said.request == Some(*request) => Some(said.code.clone()),
            _ => None,
        })
    }

    /// Takes every alert.
    pub(super) fn take_alerts(&mut self) -> Vec<Alert> {
        self.alerts.drain(..).collect()
    }

    /// Takes all that nobody waited for.
    pub(super) fn take_leftovers(&mut self) -> Leftovers {
        let strays_dropped = std::mem::take(&mut self.strays_dropped);
        let scheduled = self.scheduled.drain(..).collect();
        Leftovers { alerts: self.take_alerts(), strays: self.take_strays(), scheduled, strays_dropped }
    }

    /// Takes every stray answer.
    pub(super) fn take_strays(&mut self) -> Vec<Stray> {
        self.strays.drain(..).collect()
    }

    /// The alerts nobody has taken, the oldest first.
    pub(super) fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter()
    }

    /// Alerts, strays and answers of schedules nobody has taken.
    pub(super) fn untaken(&self) -> usize {
        self.alerts.len() + self.strays.len() + self.scheduled.len()
    }
}
