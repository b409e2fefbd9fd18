//! What a lab publishes over MQTT for dashboards: a fold from records to messages. Nothing is published that is not first a
//! record, and nothing that a record does not say in words anyway.
//!
//! Every topic begins with `smets1-lab/v1/LAB/`, LAB being the lab's name; payloads are JSON objects. Readers pass over members
//! they do not know: within `v1` members are added and none is taken away or changes its meaning.
//!
//! | topic below that | retained | payload |
//! |---|---|---|
//! | `status` | yes | `{"online":true}`; the last will is `{"online":false}` |
//! | `runs/RUN/events` | no | a record at a glance: `{"n":4,"at":"…","event":"script-finished","case":"pack/script@ESME","verdict":"pass"}` |
//! | `runs/RUN/state` | yes | how far the run is: `{"run":"…","rig":"rig-1","records":5,"case":null,"verdict":"pass","counts":{…},…}` |
//! | `rigs/RIG/state` | yes | `{"rig":"rig-1","use":"running","run":"…","safe":null,…}` |
//! | `stations/STATION/state` | yes | `{"station":"bench-2","online":true,…}` |
//! | `lab/events` | no | a record of the lab's book at a glance |
//!
//! Of a run that is followed from its first record the retained state is always that of its last record published.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::record::book::{LabEvent, LabState, RigUse};
use crate::record::{Body, Record, RunId, Tally};

#[cfg(test)]
mod tests;

/// Version of the topics and payloads.
pub const VERSION: &str = "v1";

/// A message to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The whole topic.
    pub topic: String,
    /// JSON.
    pub payload: Vec<u8>,
    /// Whether the broker is to keep it for those who come later.
    pub retained: bool,
}

/// The beginning of a lab's topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics(String);

impl Topics {
    /// Those of this lab. A name of a lab, a rig or a run has no character that MQTT gives a meaning.
    #[must_use]
    pub fn of(lab: &str) -> Self {
        Self(format!("smets1-lab/{VERSION}/{}", level(lab)))
    }

    /// Where it is said whether the lab is there.
    #[must_use]
    pub fn status(&self) -> String {
        format!("{}/status", self.0)
    }

    /// The lab is there, or its last will: that it is not.
    #[must_use]
    pub fn online(&self, online: bool) -> Publication {
        self.publication("status", &json!({ "online": online }), true)
    }

    fn publication(&self, below: &str, payload: &impl Serialize, retained: bool) -> Publication {
        // None of the payloads holds what JSON has no words for.
        let payload = serde_json::to_vec(payload).unwrap_or_default();
        Publication { topic: format!("{}/{below}", self.0), payload, retained }
    }
}

/// A level of a topic: what MQTT gives a meaning is taken out of names that came from elsewhere.
fn level(name: &str) -> String {
    let plain = |letter: char| if matches!(letter, '/' | '+' | '#' | '\0') { '_' } else { letter };
    name.chars().take(100).map(plain).collect()
}

/// One run, as it is published.
#[derive(Debug, Clone)]
pub struct RunFold {
    topics: Topics,
    run: String,
    rig: String,
    began: String,
    records: u64,
    case: Option<String>,
    tally: Tally,
    verdict: Option<String>,
    safe: Option<bool>,
}

impl RunFold {
    /// Nothing of this run is known yet.
    #[must_use]
    pub fn new(topics: Topics, run: &RunId) -> Self {
        Self {
            topics,
            run: run.to_string(),
            rig: String::new(),
            began: String::new(),
            records: 0,
            case: None,
            tally: Tally::new(),
            verdict: None,
            safe: None,
        }
    }

    /// What is to be published of the next record; every record is to be given, in order.
    pub fn take(&mut self, record: &Record) -> Vec<Publication> {
        self.records = record.sequence.0 + 1;
        self.tally.apply(record.sequence, &record.body);
        let Some(glance) = glance(&record.body) else { return Vec::new() };
        match &record.body {
            Body::RunStarted(started) => {
                (self.rig, self.began) = (started.rig.clone(), record.at.to_string());
            }
            Body::ScriptStarted(started) => self.case = Some(started.case.to_string()),
            Body::ScriptFinished(_) => self.case = None,
            Body::SafeState(safe) => self.safe = Some(safe.reached),
            Body::RunFinished(finished) => self.verdict = Some(finished.verdict.to_string()),
            _ => {}
        }
        let below = format!("runs/{}", level(&self.run));
        let event = self.topics.publication(&format!("{below}/events"), &event(record, glance), false);
        let state = self.topics.publication(&format!("{below}/state"), &self.state(), true);
        vec![event, state]
    }

    fn state(&self) -> Value {
        json!({
            "run": self.run, "rig": self.rig, "began": self.began, "records": self.records, "case": self.case,
            "counts": self.tally.counts(), "safe": self.safe, "finished": self.verdict.is_some(),
            "verdict": self.verdict,
        })
    }
}

fn event(record: &Record, glance: Map<String, Value>) -> Value {
    let mut event = Map::new();
    event.insert("n".to_owned(), record.sequence.0.into());
    event.insert("at".to_owned(), record.at.to_string().into());
    event.insert("event".to_owned(), record.body.kind().into());
    event.extend(glance);
    Value::Object(event)
}

/// What a record says at a glance; none for those of which there are many a second, and which only a watcher wants.
fn glance(body: &Body) -> Option<Map<String, Value>> {
    let said = match body {
        Body::RunStarted(started) => json!({
            "run": started.run.as_str(), "rig": started.rig, "combination": started.dmc.id, "planned": started.plan.len(),
        }),
        Body::ScriptStarted(started) => {
            json!({ "case": started.case.to_string(), "attempt": started.attempt, "title": started.title })
        }
        Body::ScriptFinished(finished) => {
            json!({ "verdict": finished.verdict.to_string(), "reason": finished.reason })
        }
        Body::ScriptNotRun(skipped) => {
            json!({ "case": skipped.case.to_string(), "reason": skipped.reason })
        }
        Body::Alert(alert) => json!({ "code": alert.code, "device": alert.device }),
        Body::SafeState(safe) => json!({ "reached": safe.reached, "detail": safe.detail }),
        Body::IssueRaised(issue) => json!({ "issue": issue.id, "summary": issue.summary }),
        Body::IssueResolved(_) | Body::Repaired(_) | Body::Action(_) | Body::Migration(_) => json!({}),
        Body::Note(note) => json!({ "who": note.who, "what": note.what }),
        Body::RunFinished(finished) => json!({
            "verdict": finished.verdict.to_string(), "reason": finished.reason, "counts": finished.counts,
        }),
        _ => return None,
    };
    match said {
        Value::Object(said) => Some(said),
        _ => None,
    }
}

/// A lab's book, as it is published.
#[derive(Debug, Clone)]
pub struct BookFold {
    topics: Topics,
    state: LabState,
    /// What was published last of each rig and station.
    said: BTreeMap<String, Value>,
}

impl BookFold {
    /// Nothing of the book is known yet.
    #[must_use]
    pub fn new(topics: Topics) -> Self {
        Self { topics, state: LabState::default(), said: BTreeMap::new() }
    }

    /// What is to be published of the next record; every record is to be given, in order.
    pub fn take(&mut self, record: &Record) -> Vec<Publication> {
        self.state.take(record);
        let mut all = Vec::new();
        if let Body::Lab(lab) = &record.body {
            let event = event(record, lab_glance(lab));
            all.push(self.topics.publication("lab/events", &event, false));
        }
        for (below, state) in self.states() {
            if self.said.get(&below) != Some(&state) {
                all.push(self.topics.publication(&below, &state, true));
                self.said.insert(below, state);
            }
        }
        all
    }

    fn states(&self) -> Vec<(String, Value)> {
        let rigs = self.state.rigs.iter().map(|(name, rig)| {
            let (used, run, reason) = match &rig.used {
                RigUse::Free => ("free", None, None),
                RigUse::Held { reason, .. } => ("held", None, Some(reason.clone())),
                RigUse::Running { run } => ("running", Some(run.to_string()), None),
            };
            let safe = rig.safe.as_ref();
            let state = json!({
                "rig": name, "use": used, "run": run, "reason": reason,
                "safe": safe.map(|safe| safe.reached), "safe-detail": safe.map(|safe| safe.detail.clone()),
            });
            (format!("rigs/{}/state", level(name)), state)
        });
        let there = self.state.stations.iter().map(|(name, station)| {
            let since = station.since.to_string();
            let state = json!({ "station": name, "online": true, "links": station.links, "since": since });
            (format!("stations/{}/state", level(name)), state)
        });
        let gone = self.said.iter().filter_map(|(below, said)| {
            let name = said.get("station")?.as_str()?;
            let gone = !self.state.stations.contains_key(name);
            gone.then(|| (below.clone(), json!({ "station": name, "online": false })))
        });
        rigs.chain(there).chain(gone).collect()
    }
}

/// What an event of the book is called, with what it says of rigs, runs and stations; who did it is in the book itself.
fn lab_glance(event: &LabEvent) -> Map<String, Value> {
    let mut glance = Map::new();
    let Ok(Value::Object(said)) = serde_json::to_value(event) else { return glance };
    for (kind, fields) in said {
        glance.insert("lab".to_owned(), kind.into());
        for member in ["rig", "run", "station", "reason", "verdict"] {
            if let Some(value @ Value::String(_)) = fields.get(member) {
                glance.insert(member.to_owned(), value.clone());
            }
        }
    }
    glance
}
