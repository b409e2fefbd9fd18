//! The conductor on a bench that does what it is told: what is run, what is not and why, and that the rig is always made safe.

mod resumed;
mod steered;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{Document, Lab};
use proto_lab::record::{AlertSeen, Body, RunStarted, SafeState, Sequence, Tally, Verdict};
use scenarios::{Action, Bindings, Facts, Files, Pack, Values};

use super::first::Bindings as First;
use super::*;
use crate::driver::prove::RigProof;
use crate::evidence::{LabKey, Recorder, RunEnd, RunFolder, read_records};
use crate::execute::{Bench, Seen, Steering, Stop, Trouble};
use crate::queue::{Plan, Selection};

/// What the bench does with each step, in order; then it answers everything with 5.
#[derive(Debug, Default)]
struct Rig {
    plays: Vec<Result<i64, Trouble>>,
    /// How often it was made safe.
    safe: u32,
    safe_fails: bool,
    differs: Option<String>,
    out_of_reach: bool,
    enrolments: u32,
    enrol_fails: bool,
    stop_at: Option<(usize, Stop)>,
    wish_at: Option<(usize, Wish)>,
    steps: usize,
}

/// What somebody wants while a step is under way.
struct Wish(Box<dyn Fn() + Send>);

impl std::fmt::Debug for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wish")
    }
}

impl Bench for Rig {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn begin(&mut self) {}

    async fn act(&mut self, _: &Action, _: &Bindings, _: Sequence, _: Duration) -> Result<Seen, Trouble> {
        self.steps += 1;
        if let Some((at, stop)) = &self.stop_at
            && *at == self.steps
        {
            stop.ask();
        }
        if let Some((at, Wish(wish))) = &self.wish_at
            && *at == self.steps
        {
            wish();
        }
        let value = if self.plays.is_empty() { Ok(5) } else { self.plays.remove(0) };
        let mut values = Values::new();
        values.set("value", value?);
        Ok(Seen { from: "optical".to_owned(), values, ..Seen::default() })
    }
}

impl RunBench for Rig {
    async fn enrol(&mut self) -> Result<String, Trouble> {
        self.enrolments += 1;
        match self.enrol_fails {
            true => Err(Trouble::error("the hub is asleep")),
            false => Ok("enrolled".to_owned()),
        }
    }

    async fn alerts_left(&mut self) -> Vec<AlertSeen> {
        Vec::new()
    }

    async fn strays_left(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn out_of_reach(&self) -> bool {
        self.out_of_reach
    }

    async fn still_proved(&mut self) -> Result<(), String> {
        self.differs.clone().map_or(Ok(()), Err)
    }

    async fn make_safe(&mut self) -> SafeState {
        self.safe += 1;
        SafeState { reached: !self.safe_fails, detail: "the bench says so".to_owned() }
    }
}

/// A pack of three scripts of one step each, which expects 5; the third needs a capability no meter here has.
#[derive(Debug, Clone, Copy)]
struct Folder {
    enrolled: bool,
}

impl Files for Folder {
    fn open(&self, name: &str) -> Result<Document, lab_config::FileError> {
        let enrolled = self.enrolled;
        let heading = format!(
            "id = \"pack\"\ntitle = \"a pack\"\nkind = \"migration\"\nrelease = \"IOC\"\nstandard = true\nrequires-enrolled = {enrolled}\nscripts = [\"one\", \"two\", \"three\"]\n"
        );
        let needs = if name == "three.toml" { "applies-when = { ESME = [\"router\"] }\n" } else { "" };
        let script = format!(
            "title = \"{name}\"\ncovers = [\"C1\"]\ndevice = \"ESME\"\n{needs}\n[[step]]\nobserve = \"active-import\"\nthrough = \"optical\"\nexpect = [{{ at = \"value\", is = 5 }}]\n"
        );
        let text = match name {
            "pack.toml" => heading,
            "pack.lock" => self.lock(&heading),
            _ => script,
        };
        Ok(Document::new(name, text))
    }

    fn open_of(&self, _pack: &lab_config::Name, name: &str) -> Result<Document, lab_config::FileError> {
        self.open(name)
    }
}

impl Folder {
    /// The lock as `harness check --write-lock` would write it, had this been a folder.
    fn lock(self, heading: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("pack.toml"), heading).expect("a file");
        for name in ["one.toml", "two.toml", "three.toml"] {
            std::fs::write(folder.path().join(name), self.open(name).expect("a script").text())
                .expect("a file");
        }
        Pack::lock(folder.path()).expect("a lock").to_string()
    }
}

struct Conducted {
    end: RunEnd,
    bodies: Vec<Body>,
    tally: Tally,
}

impl Conducted {
    fn verdicts(&self) -> Vec<Verdict> {
        let verdict = |body: &Body| match body {
            Body::ScriptFinished(finished) => Some(finished.verdict),
            Body::ScriptNotRun(_) => Some(Verdict::NotRun),
            _ => None,
        };
        self.bodies.iter().filter_map(verdict).collect()
    }

    fn reasons(&self) -> Vec<&str> {
        let not_run = self.bodies.iter().filter_map(|body| match body {
            Body::ScriptNotRun(not_run) => Some(not_run.reason.as_str()),
            _ => None,
        });
        not_run.collect()
    }
}

fn first(lab: &Lab, plan: &Plan, key: &LabKey) -> RunStarted {
    let run = "a-run".parse().expect("a name");
    let proof = RigProof { rig: "rig-1".to_owned(), devices: Vec::new(), strangers: Vec::new() };
    let (rig, entry) = (&lab.rigs[0], &lab.epcl[0]);
    First { run: &run, lab, rig, entry, proof: &proof, plan, data_sets: &[], key, previous: None }.record()
}

fn plan(enrolled: bool) -> Plan {
    let lab = Lab::embedded().expect("the embedded lab");
    let pack = Pack::open(&Folder { enrolled }).expect("a pack");
    Plan::new(vec![pack], &lab.rigs[0], &Selection::default()).expect("a plan")
}

/// Virtual time: what waits for a minute takes none.
fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime")
}

fn conduct_on(rig: &mut Rig, enrolled: bool, stop: &Stop) -> Conducted {
    conduct_steered(rig, enrolled, &Steering::new(stop.clone()))
}

fn conduct_steered(rig: &mut Rig, enrolled: bool, steering: &Steering) -> Conducted {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = Lab::embedded().expect("the embedded lab");
    let plan = plan(enrolled);
    let run = RunFolder::new(folder.path().join("run"));
    let key = LabKey::ephemeral("test".parse().expect("a name"));
    let started = first(&lab, &plan, &key);
    let book = Book::new(Recorder::create(run.clone(), started, key).expect("a run folder"));
    let facts = Arc::new(Facts::of(&lab, &lab.rigs[0]));
    let conducting = conduct(&plan, rig, &book, facts, steering, Done::default());
    let end = runtime().block_on(conducting).expect("evidence");
    book.finish(end.clone()).expect("evidence");
    let records = read_records(&run).expect("records");
    let bodies = records.iter().map(|record| record.body.clone()).collect();
    Conducted { end, bodies, tally: Tally::of(&records) }
}

#[test]
fn a_plan_is_run_in_order_and_what_does_not_apply_is_said_to() {
    let mut rig = Rig::default();
    let done = conduct_on(&mut rig, false, &Stop::new());
    assert_eq!(done.end, RunEnd::Completed);
    assert_eq!(done.verdicts(), [Verdict::Pass, Verdict::Pass, Verdict::NotRun]);
    assert!(done.reasons()[0].contains("router"), "{:?}", done.reasons());
    assert_eq!((rig.safe, rig.enrolments), (2, 0), "made safe before and after");
}

#[test]
fn a_failed_script_is_a_testing_issue_that_points_at_its_record_and_the_run_goes_on() {
    let mut rig = Rig { plays: vec![Ok(6)], ..Rig::default() };
    let done = conduct_on(&mut rig, false, &Stop::new());
    assert_eq!(done.verdicts()[..2], [Verdict::Fail, Verdict::Pass]);
    let issue = done.bodies.iter().find_map(|body| match body {
        Body::IssueRaised(issue) => Some(issue),
        _ => None,
    });
    let issue = issue.expect("an issue");
    assert!(issue.summary.contains("found 6"), "{}", issue.summary);
    let at = usize::try_from(issue.records[0].0).expect("small");
    assert!(matches!(done.bodies[at], Body::ScriptFinished(_)));
}

#[test]
fn after_an_error_of_the_lab_the_rig_is_proved_again_and_blocks_the_rest_when_it_differs() {
    let plays = vec![Err(Trouble::error("the optical head fell off"))];
    let mut rig =
        Rig { plays: plays.clone(), differs: Some("ESME does not answer".into()), ..Rig::default() };
    let done = conduct_on(&mut rig, false, &Stop::new());
    assert_eq!(done.verdicts(), [Verdict::Error, Verdict::NotRun, Verdict::NotRun]);
    assert!(done.reasons()[0].contains("ESME does not answer"), "{:?}", done.reasons());
    assert!(matches!(done.end, RunEnd::Failed(_)));

    let mut rig = Rig { plays, ..Rig::default() };
    let done = conduct_on(&mut rig, false, &Stop::new());
    assert_eq!(
        done.verdicts()[..2],
        [Verdict::Error, Verdict::Pass],
        "the rig is what it was, so the run goes on"
    );
}

#[test]
fn after_a_failure_for_a_device_out_of_reach_the_rig_is_proved_again_too() {
    for (out_of_reach, next) in [(true, Verdict::NotRun), (false, Verdict::Pass)] {
        let differs = Some("the hub is gone".into());
        let mut rig = Rig { plays: vec![Ok(6)], out_of_reach, differs, ..Rig::default() };
        let done = conduct_on(&mut rig, false, &Stop::new());
        assert_eq!(done.verdicts()[..2], [Verdict::Fail, next]);
    }
}

#[test]
fn a_rig_that_cannot_be_made_safe_runs_nothing_and_fails_the_run() {
    let mut rig = Rig { safe_fails: true, ..Rig::default() };
    let done = conduct_on(&mut rig, false, &Stop::new());
    assert!(matches!(done.end, RunEnd::Failed(_)));
    assert_eq!(done.verdicts(), [Verdict::NotRun; 3]);
    assert_eq!(rig.steps, 0);
}

#[test]
fn a_pack_that_needs_an_enrolled_installation_gets_one_or_is_blocked() {
    let mut rig = Rig::default();
    let done = conduct_on(&mut rig, true, &Stop::new());
    assert_eq!(done.verdicts()[..2], [Verdict::Pass, Verdict::Pass]);
    let mut rig = Rig { enrol_fails: true, ..Rig::default() };
    let done = conduct_on(&mut rig, true, &Stop::new());
    assert_eq!(done.verdicts(), [Verdict::NotRun; 3]);
    assert!(done.reasons()[0].contains("the hub is asleep"), "{:?}", done.reasons());
}

#[test]
fn a_person_who_stops_the_run_gets_a_safe_rig_and_the_rest_is_not_run() {
    let stop = Stop::new();
    let mut rig = Rig { stop_at: Some((1, stop.clone())), ..Rig::default() };
    let done = conduct_on(&mut rig, false, &stop);
    assert!(matches!(done.end, RunEnd::Aborted(_)));
    assert_eq!(done.verdicts()[1..], [Verdict::NotRun, Verdict::NotRun]);
    assert_eq!(rig.safe, 2);
}
