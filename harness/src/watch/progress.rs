//! From records to lines that a person follows. Pure: the same records give the same lines, live or years later.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proto_lab::record::{
    AlertMatch, Body, Counts, Intent, Part, Record, RunFinished, RunStarted, ScriptFinished, ScriptStarted,
    Sequence, StepVerdict, Tally, Verdict,
};

/// What a line is about, so that a terminal can place and colour it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// The run begins or ends.
    Run,
    /// The rig and its devices.
    Rig,
    /// A script begins, ends, or will not be run.
    Script,
    /// A step ended.
    Step,
    /// An expectation that did not hold.
    Expectation,
    /// An alert, a migration stage, a Testing Issue, a remark.
    Event,
}

/// One line of progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressLine {
    /// The record it comes from.
    pub sequence: Sequence,
    /// When that was written.
    pub at: Timestamp,
    /// What it is about.
    pub kind: LineKind,
    /// The verdict it tells, if it tells one.
    pub verdict: Option<Verdict>,
    /// The words, without time, verdict or indentation.
    pub text: String,
}

/// The state of a run as far as its records have been seen.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    tally: Tally,
    planned: usize,
    script: Option<OpenScript>,
    step: Option<(Sequence, String)>,
    began: Option<Timestamp>,
    finished: Option<RunFinished>,
    titles: BTreeMap<Sequence, String>,
    /// Scripts chosen to be witnessed before the run began (13.15).
    witnessed: Vec<String>,
}

/// The script now running.
#[derive(Debug, Clone)]
struct OpenScript {
    started: Sequence,
    title: String,
    ordinal: usize,
}

impl Progress {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Scripts by verdict so far.
    pub fn counts(&self) -> Counts {
        self.tally.counts()
    }

    /// Scripts that have their verdict, and scripts planned.
    pub fn done(&self) -> (usize, usize) {
        let open = usize::from(self.script.is_some());
        let decided = self.tally.cases().iter().filter(|c| c.decided.is_some()).count();
        (decided.saturating_sub(open), self.planned)
    }

    /// Title of the script now running.
    pub fn script(&self) -> Option<&str> {
        self.script.as_ref().map(|s| s.title.as_str())
    }

    /// What the step now running does.
    pub fn step(&self) -> Option<&str> {
        self.step.as_ref().map(|(_, action)| action.as_str())
    }

    /// How the run ended.
    pub const fn finished(&self) -> Option<&RunFinished> {
        self.finished.as_ref()
    }

    /// Takes in the next record and gives what there is to tell of it; most records tell nothing by themselves.
    pub fn apply(&mut self, record: &Record) -> Vec<ProgressLine> {
        self.tally.apply(record.sequence, &record.body);
        self.told(record)
            .into_iter()
            .map(|(kind, verdict, text)| ProgressLine {
                sequence: record.sequence,
                at: record.at,
                kind,
                verdict,
                text,
            })
            .collect()
    }

    fn told(&mut self, record: &Record) -> Vec<Told> {
        match &record.body {
            Body::RunStarted(started) => self.run_started(record.at, started),
            Body::ScriptStarted(started) => self.script_started(record.sequence, started),
            Body::Intent(intent) => self.intent(record.sequence, intent),
            Body::Step(step) => self.step_ended(step),
            Body::ScriptFinished(finished) => self.script_finished(finished),
            Body::RunFinished(finished) => self.run_finished(record.at, finished),
            Body::ScriptNotRun(n) => {
                let text = format!("{}: {}", n.case, n.reason);
                vec![(LineKind::Script, Some(Verdict::NotRun), text)]
            }
            other => event(other).map(|text| (LineKind::Event, None, text)).into_iter().collect(),
        }
    }

    fn run_started(&mut self, at: Timestamp, started: &RunStarted) -> Vec<Told> {
        self.began = Some(at);
        self.planned = started.plan.len();
        self.witnessed.clone_from(&started.witnessed);
        let dmc = &started.dmc;
        let mut told = vec![say(
            LineKind::Run,
            format!(
                "run {} on rig {}: {} ({}, {}), {} scripts",
                started.run, started.rig, dmc.id, dmc.release, dmc.installation, self.planned
            ),
        )];
        if !started.witnessed.is_empty() {
            told.push(say(LineKind::Run, format!("to be witnessed: {}", started.witnessed.join(", "))));
        }
        for device in &started.devices {
            let simulated = if device.simulated { ", simulated" } else { "" };
            let text = match &device.found {
                None => format!("{} {}: no answer", device.name, device.eui64),
                Some(found) => format!(
                    "{} {}: {} {}, firmware {}{simulated}",
                    device.name, device.eui64, found.manufacturer, found.model, found.firmware
                ),
            };
            told.push(say(LineKind::Rig, text));
            told.extend(device.differences.iter().map(|d| {
                let text = format!("{}: {}: expected {}, found {}", device.name, d.what, d.declared, d.found);
                (LineKind::Rig, Some(Verdict::Error), text)
            }));
        }
        told
    }

    fn script_started(&mut self, sequence: Sequence, started: &ScriptStarted) -> Vec<Told> {
        let place = self.tally.cases().iter().position(|c| c.case == started.case);
        let ordinal = place.map_or(0, |n| n + 1);
        let retry = match started.attempt {
            0 | 1 => String::new(),
            n => format!(", attempt {n}"),
        };
        let witnessed = if self.witnessed.contains(&started.case.script) { ", witnessed" } else { "" };
        let (case, title) = (&started.case, &started.title);
        let text = format!("[{ordinal}/{}] {case}: {title}{retry}{witnessed}", self.planned);
        self.script = Some(OpenScript { started: sequence, title: started.title.clone(), ordinal });
        self.titles.insert(sequence, format!("{case}{witnessed}"));
        vec![say(LineKind::Script, text)]
    }

    fn intent(&mut self, sequence: Sequence, intent: &Intent) -> Vec<Told> {
        let part = match intent.part {
            Part::SetUp => "set-up, ",
            Part::Test => "",
            Part::CleanUp => "clean-up, ",
        };
        self.step = Some((sequence, format!("{part}step {}: {}", intent.step, intent.action)));
        Vec::new()
    }

    fn step_ended(&mut self, step: &StepVerdict) -> Vec<Told> {
        let action = match self.step.take() {
            Some((intent, action)) if intent == step.intent => action,
            _ => format!("step of record {}", step.intent),
        };
        let reason = step.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
        let mut told = vec![(LineKind::Step, Some(step.verdict), format!("{action}{reason}"))];
        told.extend(step.failed.iter().map(|f| {
            let text = format!("{}: expected {}, found {}", f.path, f.expected, f.found);
            say(LineKind::Expectation, text)
        }));
        told
    }

    fn script_finished(&mut self, finished: &ScriptFinished) -> Vec<Told> {
        let open = self.script.take_if(|s| s.started == finished.started);
        let ordinal = open.map_or(0, |s| s.ordinal);
        let name = self.titles.remove(&finished.started).unwrap_or_default();
        let reason = finished.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
        let text = format!("[{ordinal}/{}] {name}{reason}", self.planned);
        vec![(LineKind::Script, Some(finished.verdict), text)]
    }

    fn run_finished(&mut self, at: Timestamp, finished: &RunFinished) -> Vec<Told> {
        self.finished = Some(finished.clone());
        let counts = &finished.counts;
        let seconds = at.duration_since(self.began.unwrap_or(at)).as_secs_f64();
        let mut text = format!("{} run", counts.run());
        for verdict in Verdict::ALL {
            if counts.of(verdict) > 0 {
                text.push_str(&format!(", {} {verdict}", counts.of(verdict)));
            }
        }
        if counts.pass_on_retry > 0 {
            text.push_str(&format!(" ({} passed on a retry)", counts.pass_on_retry));
        }
        text.push_str(&format!(", in {seconds:.1} s"));
        if let Some(reason) = &finished.reason {
            text.push_str(&format!(": {reason}"));
        }
        vec![(LineKind::Run, Some(finished.verdict), text)]
    }
}

type Told = (LineKind, Option<Verdict>, String);

const fn say(kind: LineKind, text: String) -> Told {
    (kind, None, text)
}

/// The words of a record that is an event by itself.
fn event(body: &Body) -> Option<String> {
    Some(match body {
        Body::Prepared(p) => format!("prepared: {}", p.what),
        Body::Alert(a) => match a.matched {
            AlertMatch::Step(_) => format!("alert {} of {}, as expected", a.code, a.device),
            AlertMatch::Unexpected => format!("alert {} of {}, which nothing expected", a.code, a.device),
        },
        Body::Migration(m) => format!("migration of {}: {}, {}", m.installation, m.stage, m.detail),
        Body::SafeState(s) if s.reached => format!("rig is in its safe state: {}", s.detail),
        Body::SafeState(s) => format!("RIG IS NOT IN ITS SAFE STATE: {}", s.detail),
        Body::Note(n) => format!("{}: {}", n.who, n.what),
        Body::IssueRaised(i) => {
            format!("Testing Issue {} raised, severity {}: {}", i.id, u8::from(i.severity), i.summary)
        }
        Body::IssueResolved(i) => format!("Testing Issue {} resolved by {}: {}", i.id, i.by, i.how),
        Body::Repaired(r) => format!("reopened after its writer died; {} torn octets put aside", r.octets),
        _ => return None,
    })
}
