//! What people want of a run while scripts are run, and what becomes of it.

use proto_lab::record::{Actor, Case, Credential, Deed, Outcome, Role};

use super::*;

fn ann() -> Actor {
    Actor { name: "Ann".parse().expect("a name"), role: Role::Engineer, credential: Credential::CommandLine }
}

fn case(number: usize) -> Case {
    plan(false).cases()[number].clone()
}

/// Somebody asks for this script once more during this step.
fn rerun_at(step: usize, number: usize, plays: Vec<Result<i64, Trouble>>) -> (Rig, Steering) {
    let steering = Steering::default();
    let wish = {
        let steering = steering.clone();
        move || steering.rerun(&ann(), &case(number)).expect("a rerun")
    };
    (Rig { plays, wish_at: Some((step, Wish(Box::new(wish)))), ..Rig::default() }, steering)
}

fn deeds(done: &Conducted) -> Vec<(Deed, bool)> {
    let deed = |body: &Body| match body {
        Body::Action(action) => Some((action.what.clone(), action.outcome == Outcome::Done {})),
        _ => None,
    };
    done.bodies.iter().filter_map(deed).collect()
}

#[test]
fn a_script_run_once_more_keeps_its_first_attempt_and_its_pass_is_one_on_a_retry() {
    let (mut rig, steering) = rerun_at(2, 0, vec![Ok(6)]);
    let done = conduct_steered(&mut rig, false, &steering);
    assert_eq!(deeds(&done), [(Deed::Rerun { case: case(0) }, true)]);
    let first = &done.tally.cases()[0];
    let attempts: Vec<Verdict> = first.attempts.iter().map(|attempt| attempt.verdict).collect();
    assert_eq!((attempts, first.passed_on_retry()), (vec![Verdict::Fail, Verdict::Pass], true));
    let numbers: Vec<u32> = done
        .bodies
        .iter()
        .filter_map(|body| match body {
            Body::ScriptStarted(started) if started.case == case(0) => Some(started.attempt),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(done.tally.counts().pass_on_retry, 1);
}

#[test]
fn a_retry_that_fails_after_a_pass_is_a_fail() {
    let (mut rig, steering) = rerun_at(2, 0, vec![Ok(5), Ok(5), Ok(6)]);
    let done = conduct_steered(&mut rig, false, &steering);
    assert_eq!(done.tally.cases()[0].verdict, Verdict::Fail);
    assert_eq!(done.tally.counts().fail, 1);
}

#[test]
fn a_script_that_has_not_been_attempted_cannot_be_run_again() {
    let steering = Steering::default();
    assert!(steering.rerun(&ann(), &case(0)).unwrap_err().contains("no attempt of it has ended"));
    conduct_steered(&mut Rig::default(), false, &steering);
    assert!(steering.rerun(&ann(), &case(0)).unwrap_err().contains("no script of the run begins any more"));
}

#[test]
fn a_rerun_on_a_rig_that_is_not_itself_any_more_is_not_done_and_that_is_said() {
    let (mut rig, steering) = rerun_at(2, 0, vec![Ok(5), Err(Trouble::error("the head fell off"))]);
    rig.differs = Some("ESME does not answer".into());
    let done = conduct_steered(&mut rig, false, &steering);
    assert_eq!(deeds(&done), [(Deed::Rerun { case: case(0) }, false)]);
    assert_eq!(done.tally.cases()[0].attempts.len(), 1);
}

#[test]
fn a_run_that_is_aborted_says_by_whom_and_why_and_is_made_safe() {
    let steering = Steering::default();
    let wish = {
        let steering = steering.clone();
        move || steering.abort(&ann(), "the wrong meter")
    };
    let mut rig = Rig { wish_at: Some((1, Wish(Box::new(wish)))), ..Rig::default() };
    let done = conduct_steered(&mut rig, false, &steering);
    assert_eq!(done.end, RunEnd::Aborted("stopped by Ann (engineer): the wrong meter".to_owned()));
    assert_eq!(deeds(&done), [(Deed::Abort { reason: "the wrong meter".into() }, true)]);
    assert_eq!((rig.safe, steering.safe().map(|safe| safe.reached)), (2, Some(true)));
}
