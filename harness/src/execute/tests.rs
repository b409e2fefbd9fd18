use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{Document, Lab};
use proptest::prelude::*;
use proto_lab::Digest;
use proto_lab::record::{Actor, Body, Case, Credential, Deed, Outcome, Part, Role, Sequence, Verdict};
use scenarios::{Action, Bindings, Facts, Script, Values};

use super::*;

/// What the bench does with the next step.
#[derive(Debug, Clone)]
enum Play {
    See(i64),
    Trouble(Verdict),
    Hang,
}

#[derive(Debug)]
struct Stage {
    plays: VecDeque<Play>,
    /// Asks to stop when so many plays are left.
    stop_at: Option<(usize, Stop)>,
}

impl Bench for Stage {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn begin(&mut self) {}

    async fn act(&mut self, _: &Action, _: &Bindings, _: Sequence, _: Duration) -> Result<Seen, Trouble> {
        if let Some((left, stop)) = &self.stop_at
            && self.plays.len() == *left
        {
            stop.ask();
        }
        match self.plays.pop_front() {
            Some(Play::See(number)) => {
                let mut values = Values::new();
                values.set("value", number);
                Ok(Seen { from: "optical".to_owned(), values, ..Seen::default() })
            }
            Some(Play::Trouble(verdict)) => Err(Trouble { verdict, reason: "the play says so".to_owned() }),
            Some(Play::Hang) | None => std::future::pending().await,
        }
    }
}

/// Records in memory; fails from a given record on.
#[derive(Debug, Default)]
struct Memory {
    bodies: Vec<Body>,
    sealed: usize,
    full_at: Option<usize>,
}

impl Ledger for Memory {
    fn append(&mut self, body: Body) -> Result<Sequence, LedgerError> {
        if self.full_at.is_some_and(|full| self.bodies.len() >= full) {
            return Err(LedgerError("no space left on device".into()));
        }
        self.bodies.push(body);
        Ok(Sequence(self.bodies.len() as u64 - 1))
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<Digest, LedgerError> {
        Ok(Digest::of(bytes))
    }

    fn sync(&mut self) -> Result<(), LedgerError> {
        Ok(())
    }

    fn seal(&mut self) -> Result<(), LedgerError> {
        self.sealed += 1;
        Ok(())
    }
}

impl Memory {
    /// Part and verdict of each step, in order.
    fn steps(&self) -> Vec<(Part, Verdict)> {
        let mut part = Part::Test;
        let mut steps = Vec::new();
        for body in &self.bodies {
            match body {
                Body::Intent(intent) => part = intent.part,
                Body::Step(step) => steps.push((part, step.verdict)),
                _ => {}
            }
        }
        steps
    }
}

/// A script of so many steps in each part; every step expects a value from 0 to 9.
fn script(set_up: usize, test: usize, clean_up: usize) -> Script {
    let step = |part: &str| {
        format!(
            "[[{part}]]\nobserve = \"active-import\"\nthrough = \"optical\"\nexpect = [{{ at = \"value\", within = [0, 9] }}]\n"
        )
    };
    let text = "title = \"a script\"\ncovers = [\"C1\"]\ndevice = \"ESME\"\n".to_owned()
        + &step("set-up").repeat(set_up)
        + &step("step").repeat(test)
        + &step("clean-up").repeat(clean_up);
    Script::parse("a-script".parse().expect("a name"), &Document::new("a-script.toml", text))
        .expect("a script")
}

fn run(script: &Script, stage: &mut Stage, memory: &mut Memory, stop: &Stop) -> Result<Ended, LedgerError> {
    let lab = Lab::embedded().expect("the embedded lab");
    let facts = Arc::new(Facts::of(&lab, &lab.rigs[0]));
    let case = Case { pack: "pack".into(), script: "a-script".into(), row: None, device: None };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let steering = Steering::new(stop.clone());
    let mut executor = Executor { bench: stage, ledger: memory, steering: &steering, facts };
    runtime.block_on(executor.run(script, None, case, 1)).map(|(ended, _)| ended)
}

fn play(parts: (usize, usize, usize), plays: &[Play]) -> (Ended, Memory) {
    let mut memory = Memory::default();
    let mut stage = Stage { plays: plays.iter().cloned().collect(), stop_at: None };
    let ended =
        run(&script(parts.0, parts.1, parts.2), &mut stage, &mut memory, &Stop::new()).expect("evidence");
    (ended, memory)
}

#[test]
fn a_script_passes_when_every_step_does_and_is_sealed() {
    let (ended, memory) = play((1, 2, 1), &[Play::See(1), Play::See(2), Play::See(3), Play::See(4)]);
    assert_eq!(ended, Ended { verdict: Verdict::Pass, reason: None });
    assert_eq!(memory.sealed, 1);
    let kinds: Vec<&str> = memory.bodies.iter().map(Body::kind).collect();
    assert_eq!(kinds[..4], ["script-started", "intent", "observed", "step"]);
    assert_eq!(kinds.last(), Some(&"script-finished"));
}

#[test]
fn the_first_failed_step_ends_the_test_and_clean_up_runs_still() {
    let (ended, memory) = play((0, 3, 2), &[Play::See(1), Play::See(77), Play::See(1), Play::See(1)]);
    assert_eq!(ended.verdict, Verdict::Fail);
    assert!(ended.reason.as_deref().is_some_and(|r| r.contains("found 77")), "{ended:?}");
    use {Part::*, Verdict::*};
    assert_eq!(memory.steps(), [(Test, Pass), (Test, Fail), (CleanUp, Pass), (CleanUp, Pass)]);
}

#[test]
fn set_up_that_fails_leaves_the_script_inconclusive_because_nothing_was_tested() {
    let (ended, memory) = play((1, 1, 1), &[Play::See(77), Play::See(1)]);
    assert_eq!(ended.verdict, Verdict::Inconclusive);
    assert_eq!(memory.steps(), [(Part::SetUp, Verdict::Fail), (Part::CleanUp, Verdict::Pass)]);
}

#[test]
fn every_clean_up_step_runs_and_a_failed_one_is_the_labs_error() {
    let (ended, memory) =
        play((0, 1, 3), &[Play::See(1), Play::Trouble(Verdict::Fail), Play::See(1), Play::See(1)]);
    assert_eq!(ended.verdict, Verdict::Error);
    assert_eq!(memory.steps().len(), 4);
}

#[test]
fn a_step_that_never_comes_back_is_given_up() {
    let (ended, memory) = play((0, 1, 1), &[Play::Hang, Play::See(1)]);
    assert_eq!(ended.verdict, Verdict::Error);
    assert_eq!(memory.steps(), [(Part::Test, Verdict::Error), (Part::CleanUp, Verdict::Pass)]);
}

#[test]
fn a_person_who_stops_the_run_aborts_the_step_under_way_and_clean_up_runs() {
    let stop = Stop::new();
    let mut memory = Memory::default();
    let mut stage = Stage { plays: [Play::Hang, Play::See(1)].into(), stop_at: Some((2, stop.clone())) };
    let ended = run(&script(0, 2, 1), &mut stage, &mut memory, &stop).expect("evidence");
    assert_eq!(ended.verdict, Verdict::Aborted);
    assert_eq!(memory.steps(), [(Part::Test, Verdict::Aborted), (Part::CleanUp, Verdict::Pass)]);
}

#[test]
fn evidence_that_cannot_be_written_stops_everything() {
    for full_at in 0..9 {
        let mut memory = Memory { full_at: Some(full_at), ..Memory::default() };
        let plays = [Play::See(1), Play::See(1), Play::See(1)].into();
        let ended = run(&script(0, 2, 1), &mut Stage { plays, stop_at: None }, &mut memory, &Stop::new());
        assert!(ended.is_err(), "full at {full_at}: {ended:?}");
        assert_eq!(memory.bodies.len(), full_at);
    }
}

fn ann() -> Actor {
    Actor { name: "Ann".parse().expect("a name"), role: Role::Engineer, credential: Credential::CommandLine }
}

/// Runs a script of three steps beside somebody who steers; gives how it ended and what was recorded.
fn steered<F: Future<Output = ()>>(steer: impl FnOnce(Steering) -> F) -> (Ended, Memory) {
    let lab = Lab::embedded().expect("the embedded lab");
    let facts = Arc::new(Facts::of(&lab, &lab.rigs[0]));
    let case = Case { pack: "pack".into(), script: "a-script".into(), row: None, device: None };
    let (script, steering) = (script(0, 3, 1), Steering::default());
    let mut memory = Memory::default();
    let mut stage = Stage { plays: vec![Play::See(1); 4].into(), stop_at: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let mut executor = Executor { bench: &mut stage, ledger: &mut memory, steering: &steering, facts };
    let ended = runtime.expect("a runtime").block_on(async {
        // Who steers is asked first: the bench answers at once, and the script would be over.
        let ((), ended) = tokio::join!(steer(steering.clone()), executor.run(&script, None, case, 1));
        ended
    });
    (ended.expect("evidence").0, memory)
}

fn deeds(memory: &Memory) -> Vec<Deed> {
    let deed = |body: &Body| match body {
        Body::Action(action) => {
            assert_eq!((&action.by, &action.outcome), (&ann(), &Outcome::Done {}));
            Some(action.what.clone())
        }
        _ => None,
    };
    memory.bodies.iter().filter_map(deed).collect()
}

#[test]
fn a_pause_waits_at_the_next_step_boundary_and_both_ends_of_it_are_records_with_who() {
    let (ended, memory) = steered(|steering| async move {
        steering.pause(&ann());
        assert!(steering.until_paused().await);
        // However long that is, in virtual time.
        tokio::time::sleep(Duration::from_secs(86_400)).await;
        steering.resume(&ann());
    });
    assert_eq!(ended.verdict, Verdict::Pass);
    assert_eq!(deeds(&memory), [Deed::Pause {}, Deed::Resume {}]);
    let pause = memory.bodies.iter().position(|body| matches!(body, Body::Action(_))).expect("an action");
    assert!(matches!(memory.bodies[pause + 1], Body::Action(_)), "nothing is recorded while it waits");
    assert!(
        !matches!(memory.bodies[pause - 1], Body::Intent(_) | Body::Observed(_)),
        "a step is not cut in two"
    );
}

#[test]
fn a_pause_that_is_taken_back_before_the_boundary_never_was() {
    let steering = Steering::default();
    steering.pause(&ann());
    steering.resume(&ann());
    let mut memory = Memory::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(steering.boundary(&mut memory)).expect("evidence");
    assert_eq!(deeds(&memory), []);
}

#[test]
fn who_aborts_a_paused_run_is_recorded_and_clean_up_runs() {
    let (ended, memory) = steered(|steering| async move {
        steering.pause(&ann());
        assert!(steering.until_paused().await);
        steering.abort(&ann(), "the wrong meter");
    });
    assert_eq!(ended.verdict, Verdict::Aborted);
    let reason = ended.reason.expect("a reason");
    assert!(reason.contains("stopped by Ann (engineer): the wrong meter"), "{reason}");
    assert_eq!(deeds(&memory), [Deed::Pause {}, Deed::Abort { reason: "the wrong meter".into() }]);
    assert_eq!(memory.steps().last(), Some(&(Part::CleanUp, Verdict::Pass)));
}

fn a_play() -> impl Strategy<Value = Play> {
    prop_oneof![
        4 => (0_i64..12).prop_map(Play::See),
        1 => prop::sample::select(Verdict::ALL[2..].to_vec()).prop_map(Play::Trouble),
        1 => Just(Play::Hang),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens: a pass means that every step passed; clean-up is never cut short; each intent has one verdict.
    #[test]
    fn no_wrong_pass_and_no_clean_up_left_out(
        parts in (0_usize..3, 1_usize..4, 0_usize..3),
        plays in prop::collection::vec(a_play(), 10),
    ) {
        let (ended, memory) = play(parts, &plays);
        let steps = memory.steps();
        let clean_up = steps.iter().filter(|(part, _)| *part == Part::CleanUp).count();
        prop_assert_eq!(clean_up, parts.2);
        let all_passed = steps.iter().all(|(_, verdict)| *verdict == Verdict::Pass);
        prop_assert_eq!(ended.verdict == Verdict::Pass, all_passed && steps.len() == parts.0 + parts.1 + parts.2);
        let intents = memory.bodies.iter().filter(|b| matches!(b, Body::Intent(_))).count();
        prop_assert_eq!(intents, steps.len());
        prop_assert_eq!(ended.verdict == Verdict::Pass, ended.reason.is_none());
    }
}
