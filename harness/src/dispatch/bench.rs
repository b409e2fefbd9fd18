//! A rig as scripts reach it: requests by way of the service user, the truth by a second path, a person's hand.

mod migrate;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{DeviceKind, Eui64, Path, Rig, RigDevice, WakeInterval};
use proto_duis::{AlertCode, RequestBody, ResponseCode};
use proto_lab::record::{AlertMatch, AlertSeen, Body, PacketRange, SafeState, Sequence, Verdict};
use scenarios::{Action, Ask, Bindings, Observe, Request, Scheduled, UserSystem, Values};
use tokio::time::Instant;

use super::actuate::Actuators;
use super::migrating::Migrating;
use super::outside::Outsiders;
use super::run::shortly;
use super::tokens::Tokens;
use super::{Book, Hands, RunBench, System, safe, second_path};
use crate::driver::prove;
use crate::evidence::Capture;
use crate::execute::{Bench, Ledger as _, Seen, Trouble};
use crate::migration::Operation;
use crate::s1sp::OUTCOME_UNKNOWN;
use crate::service_user::{
    Alert, AlertMatcher, Leftovers, ScheduledMatcher, Target, UserError, VendingDesk, answer,
};
use crate::station::Stations;
use crate::station::attach::Held;

/// How long a hand, a party or a device may take when the dispatcher itself asks, outside any script.
const OWN_PATIENCE: Duration = Duration::from_secs(60);

/// How much later than the answer the S1SP's alert about it may come.
const ALERT_LAG: Duration = Duration::from_secs(2);

/// The rig of a run.
pub struct RigBench {
    rig: Arc<Rig>,
    system: System,
    /// The migration of its installation; none where the DCC is somebody else's.
    migration: Option<Migrating>,
    vending: VendingDesk,
    tokens: Tokens,
    actuators: Actuators,
    capture: Capture,
    book: Book,
    /// Looks at a device by its local port whose report has not come: a meter reports that its port was used, and the
    /// report is of our own doing. One look explains one report, of this script or the one before.
    looks: Vec<Look>,
    /// When the script under way began; alerts the DCC wrote before that are not its.
    began: Option<Timestamp>,
    /// What was left over besides alerts and is not recorded yet, in words.
    strays: Vec<String>,
    /// Whether somebody else's DCC said that it has the installation.
    found_elsewhere: bool,
    /// Whether the script under way was told that a device could not be reached.
    out_of_reach: bool,
}

/// One look at a device by its local port.
#[derive(Debug, Clone, Copy)]
struct Look {
    device: Eui64,
    intent: Sequence,
    /// How many scripts have ended since.
    scripts: u8,
}

/// What a bench is made of besides the running parties.
pub(super) struct Parts {
    pub(super) rig: Arc<Rig>,
    pub(super) migration: Option<Migrating>,
    pub(super) hands: Box<dyn Hands>,
    pub(super) stations: Option<Stations>,
    pub(super) held: Option<Held>,
    pub(super) vending: VendingDesk,
    pub(super) tokens: Tokens,
    pub(super) capture: Capture,
    pub(super) book: Book,
}

impl RigBench {
    /// The bench of a rig whose parties are running.
    pub(super) fn new(parts: Parts, system: System) -> Self {
        let Parts { rig, migration, hands, stations, held, vending, tokens, capture, book } = parts;
        Self {
            rig,
            system,
            migration,
            vending,
            tokens,
            actuators: Actuators::new(hands, stations, held, book.clone()),
            capture,
            book,
            looks: Vec::new(),
            began: None,
            strays: Vec::new(),
            found_elsewhere: false,
            out_of_reach: false,
        }
    }

    /// Gives the rig's leases at stations of other benches back, if it has any, and records what they say of it.
    pub(super) async fn give_back(&mut self) -> Result<(), crate::execute::LedgerError> {
        match self.actuators.held() {
            Some(held) => super::run::give_back(held, &self.book).await,
            None => Ok(()),
        }
    }

    /// Ends the parties.
    pub async fn stop(self) {
        self.system.stop().await;
    }

    fn device(&self, named: Option<DeviceKind>, bindings: &Bindings) -> Result<&RigDevice, Trouble> {
        let kind = named.or(bindings.target()).ok_or_else(|| Trouble::error("the step names no device"))?;
        self.rig.device(kind).ok_or_else(|| Trouble::error(format!("rig {} has no {kind}", self.rig.name)))
    }

    async fn request(
        &mut self,
        request: &Request,
        bindings: &Bindings,
        within: Duration,
    ) -> Result<Seen, Trouble> {
        let deadline = Instant::now() + within;
        let fields =
            request.resolve(bindings, &mut self.vending).map_err(|e| Trouble::error(e.to_string()))?;
        self.tokens.keep(self.vending.next_sequence()).map_err(Trouble::error)?;
        let body = RequestBody::from_fields(request.srv, &fields)
            .map_err(|e| Trouble::error(format!("the script's fields do not make a {}: {e}", request.srv)))?;
        let target = match request.srv.is_for_the_dcc() {
            true => Target::Dcc,
            false => Target::Device(self.device(request.device, bindings)?.eui64),
        };
        let asleep = match target {
            Target::Device(eui64) => self.rig.by_eui64(eui64).and_then(|device| device.model.wake_interval()),
            Target::Dcc => None,
        };
        let mut values = Values::new();
        Request::record(&fields, &mut values);
        let user = &self.system.user;
        let submitted =
            user.submit(request.role, target, body, request.misuse, deadline).await.map_err(user_trouble)?;
        answer::acknowledged(&submitted.acknowledgement, &mut values);
        if submitted.is_accepted() {
            let id = submitted.request_id;
            let answer = user.await_response(&id, deadline).await;
            let answer = answer.map_err(|error| in_doubt(asleep, user_trouble(error)))?;
            let unserved = answer.success.is_none() && answer.code.is_error();
            self.out_of_reach |= answer.code == ResponseCode::CANNOT_COMMUNICATE;
            let said = match unserved {
                true => user.s1sp_alert_about(&id, Instant::now() + ALERT_LAG).await,
                false => None,
            };
            if said.as_deref() == Some(OUTCOME_UNKNOWN) {
                let words = "the S1SP says that nobody knows whether it was done";
                return Err(Trouble::inconclusive(format!("answered {}: {words}", answer.code)));
            }
            answer::answered(&answer, &mut values);
        }
        Ok(Seen { from: "service user".to_owned(), values, ..Seen::default() })
    }

    /// Waits for what a User System outside the harness asks.
    async fn user_system(
        &self,
        asked: &UserSystem,
        bindings: &Bindings,
        within: Duration,
    ) -> Result<Seen, Trouble> {
        let device = match asked.srv.is_for_the_dcc() {
            true => None,
            false => Some(self.device(asked.device, bindings)?.eui64),
        };
        let elsewhere = "User Systems send to the DCC of this lab, which is somebody else's, and not here";
        let outsiders = self.system.outsiders().ok_or_else(|| Trouble::error(elsewhere))?;
        let found = outsiders.next(asked.srv, device, Instant::now() + within).await;
        let Some(exchange) = found else {
            let reason = format!(
                "no User System asked {} and was answered within {within:?}; meanwhile: {}",
                asked.srv,
                outsiders.meanwhile()
            );
            return Err(Trouble { verdict: Verdict::Fail, reason });
        };
        let mut values = Values::new();
        values.set("request.user", exchange.id.originator.to_string());
        exchange.acknowledgement.iter().for_each(|word| answer::acknowledged(word, &mut values));
        exchange.answer.iter().for_each(|answer| answer::answered(answer, &mut values));
        Ok(Seen { from: format!("User System {}", exchange.id.originator), values, ..Seen::default() })
    }

    /// Waits for an answer that a schedule of the DCC brings.
    async fn scheduled(
        &self,
        awaited: &Scheduled,
        bindings: &Bindings,
        within: Duration,
    ) -> Result<Seen, Trouble> {
        let device = self.device(awaited.device, bindings)?.eui64;
        let matcher = ScheduledMatcher { srv: awaited.srv, device, since: self.began };
        let answer = self.system.user.await_scheduled(matcher, Instant::now() + within).await;
        let answer = answer.map_err(user_trouble)?;
        let mut values = Values::new();
        values.set("request.user", answer.request.originator.to_string());
        answer::answered(&answer, &mut values);
        Ok(Seen { from: "service user".to_owned(), values, ..Seen::default() })
    }

    async fn observe(
        &self,
        observe: &Observe,
        bindings: &Bindings,
        within: Duration,
    ) -> Result<Seen, Trouble> {
        let device = self.device(observe.device, bindings)?;
        let reading = second_path::read(&self.system.links, device, observe, bindings);
        let values = tokio::time::timeout(within, reading).await.unwrap_or_else(|_| {
            Err(Trouble::error(format!(
                "the {} was not read on its {} path within {within:?}",
                device.kind, observe.through
            )))
        })?;
        Ok(Seen { from: format!("{}/{}", device.kind, observe.through), values, ..Seen::default() })
    }

    async fn alert(
        &mut self,
        matcher: AlertMatcher,
        intent: Sequence,
        within: Duration,
    ) -> Result<Seen, Trouble> {
        let alert =
            self.system.user.await_alert(matcher, Instant::now() + within).await.map_err(user_trouble)?;
        let seen = self.alert_record(&alert, AlertMatch::Step(intent));
        self.book.write(Body::Alert(seen)).map_err(evidence_trouble)?;
        let mut values = Values::new();
        answer::alerted(&alert, &mut values);
        Ok(Seen { from: "service user".to_owned(), values, ..Seen::default() })
    }

    fn alert_record(&mut self, alert: &Alert, matched: AlertMatch) -> AlertSeen {
        AlertSeen {
            code: alert.code(),
            device: alert.device.map_or_else(|| "the DCC".to_owned(), |device| device.to_string()),
            matched,
            // The evidence cannot be written: the record that follows fails for the same reason and says so.
            blob: self.book.keep(&alert.raw).ok(),
        }
    }

    async fn ask(&mut self, ask: &Ask, bindings: &Bindings, within: Duration) -> Result<Seen, Trouble> {
        let kind = self.device(ask.device, bindings)?.kind;
        self.actuators.ask(kind, &ask.act, &ask.show, within).await
    }

    /// What crossed the rig's links since so many packets.
    fn packets_since(&self, before: u64) -> Option<PacketRange> {
        let last = self.capture.packets();
        (last > before).then(|| PacketRange { file: self.capture.file_name(), first: before + 1, last })
    }
}

/// A refusal is an answer; this is for what is none. A lab without the user, or no DCC, is the lab's error; a DCC that
/// takes a request and never answers it, or an alert that does not come, fails the script.
fn user_trouble(error: UserError) -> Trouble {
    let verdict = match &error {
        UserError::NoAnswer { .. }
        | UserError::NoAlert { .. }
        | UserError::NoScheduled { .. }
        | UserError::Refused { .. } => Verdict::Fail,
        _ => Verdict::Error,
    };
    Trouble { verdict, reason: error.to_string() }
}

/// Who stops waiting for a device that sleeps does not know what it does when it wakes.
fn in_doubt(asleep: Option<WakeInterval>, trouble: Trouble) -> Trouble {
    match (asleep, trouble.verdict) {
        (Some(wake), Verdict::Fail) => Trouble::inconclusive(format!(
            "{}; the device wakes every {wake} and may do then what was asked: say `within` for longer than that, or wake it",
            trouble.reason
        )),
        _ => trouble,
    }
}

fn evidence_trouble(error: crate::execute::LedgerError) -> Trouble {
    Trouble::error(error.to_string())
}

impl Bench for RigBench {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn begin(&mut self) {
        // What the script before asked and gave up must not reach a device in the middle of this one.
        self.system.user.give_up_all();
        self.system.outsiders().into_iter().for_each(Outsiders::forget);
        self.system.settle(OWN_PATIENCE / 2).await;
        // What came since the last script ended is not this one's, and is recorded all the same. A record that cannot be
        // written stops the recorder, and with it the run, at the next.
        for alert in self.alerts_left().await {
            drop(self.book.write(Body::Alert(alert)));
        }
        self.begin_migrations();
        self.out_of_reach = false;
        self.began = Some(Timestamp::now());
    }

    async fn act(
        &mut self,
        action: &Action,
        bindings: &Bindings,
        intent: Sequence,
        within: Duration,
    ) -> Result<Seen, Trouble> {
        let _belonging = self.book.belonging_to(intent);
        let before = self.capture.packets();
        let seen = match action {
            Action::Request(request) => self.request(request, bindings, within).await,
            Action::UserSystem(asked) => self.user_system(asked, bindings, within).await,
            Action::Scheduled(answer) => self.scheduled(answer, bindings, within).await,
            Action::Observe(observe) => {
                // Nobody sees that a dongle has asked.
                if matches!(observe.through, Path::Optical | Path::Local) {
                    let device = self.device(observe.device, bindings)?.eui64;
                    self.looks.push(Look { device, intent, scripts: 0 });
                }
                self.observe(observe, bindings, within).await
            }
            Action::Alert { code, device } => {
                let device = Some(self.device(*device, bindings)?.eui64);
                self.alert(AlertMatcher { code: *code, device, since: self.began }, intent, within).await
            }
            Action::Ask(ask) => self.ask(ask, bindings, within).await,
            Action::Sense { sensor, device } => {
                let kind = self.device(*device, bindings)?.kind;
                self.actuators.sense(kind, *sensor, within).await
            }
            Action::Migrate(migrate) => self.migrate(migrate, bindings).await,
            Action::Smso(attempt) => self.smso_tries(attempt, bindings, within).await,
            Action::Wait(time) => {
                tokio::time::sleep(*time).await;
                Ok(Seen { from: "the lab's clock".to_owned(), ..Seen::default() })
            }
            Action::Check => Ok(Seen { from: "what is bound".to_owned(), ..Seen::default() }),
        };
        seen.map(|seen| Seen { packets: self.packets_since(before), ..seen })
    }
}

impl RunBench for RigBench {
    async fn enrol(&mut self) -> Result<String, Trouble> {
        if self.found_elsewhere {
            return Ok(String::new());
        }
        if let Some(found) = self.system.enrolled_elsewhere().await {
            self.found_elsewhere = found.is_ok();
            return found;
        }
        self.migrate_whole().await
    }

    async fn alerts_left(&mut self) -> Vec<AlertSeen> {
        let Leftovers { alerts, strays, scheduled, strays_dropped } = self.system.user.take_leftovers();
        self.strays.extend(scheduled.iter().map(|answer| {
            let id = answer.schedule.map_or(0, proto_duis::ScheduleId::get);
            format!("an answer nobody waited for: {} to {}, by schedule {id}", answer.code, answer.srv)
        }));
        self.strays.extend(strays.iter().map(|stray| format!("an answer nobody waited for: {stray}")));
        if strays_dropped > 0 {
            self.strays.push(format!("{strays_dropped} more answers nobody waited for, too many to keep"));
        }
        let mut left = Vec::new();
        for alert in &alerts {
            let cause = self.caused_by(alert);
            left.push(self.alert_record(alert, cause));
        }
        self.looks.retain(|look| look.scripts == 0);
        self.looks.iter_mut().for_each(|look| look.scripts += 1);
        left
    }

    async fn strays_left(&mut self) -> Vec<String> {
        self.strays.extend(self.system.undelivered());
        std::mem::take(&mut self.strays)
    }

    fn out_of_reach(&self) -> bool {
        self.out_of_reach
    }

    async fn still_proved(&mut self) -> Result<(), String> {
        let proving = async {
            self.system.quiesce(OWN_PATIENCE).await;
            prove::prove(&self.system.links, OWN_PATIENCE).await
        };
        let proof = tokio::time::timeout(2 * OWN_PATIENCE, proving).await;
        let proof = proof.map_err(|_| format!("it was not proved again within {:?}", 2 * OWN_PATIENCE))?;
        let differences: Vec<String> = proof.differences().collect();
        if differences.is_empty() { Ok(()) } else { Err(shortly(&differences)) }
    }

    async fn make_safe(&mut self) -> SafeState {
        let mut done = BTreeMap::new();
        // A device without mains answers nothing: they come first.
        if let Some(made) = self.actuators.make_safe().await {
            done.insert("stations", made);
        }
        let supply = async {
            self.system.quiesce(OWN_PATIENCE / 2).await;
            safe::make(&self.system.links).await
        };
        let made = tokio::time::timeout(OWN_PATIENCE, supply).await;
        done.insert("devices", made.unwrap_or_else(|_| Err(format!("not reached within {OWN_PATIENCE:?}"))));
        if self.migration.as_ref().is_some_and(|migration| migration.standing().is_some()) {
            let given = tokio::time::timeout(OWN_PATIENCE, self.operate(Operation::Rollback)).await;
            done.insert("installation", self.given_back(given.is_ok()));
        }
        let reached = done.values().all(Result::is_ok);
        let words = done.into_iter().map(|(what, made)| format!("{what}: {}", made.unwrap_or_else(|e| e)));
        SafeState { reached, detail: words.collect::<Vec<_>>().join("; ") }
    }
}

impl RigBench {
    /// The step that caused an alert which no step waited for, where there is one.
    fn caused_by(&mut self, alert: &Alert) -> AlertMatch {
        let own = alert.code() == AlertCode::LOCAL_PORT_USED.to_string();
        let look = self.looks.iter().position(|look| own && alert.device == Some(look.device));
        look.map_or(AlertMatch::Unexpected, |look| AlertMatch::Step(self.looks.remove(look).intent))
    }
}
