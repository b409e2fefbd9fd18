//! Migration control killed wherever it stands: what another process finds leads every installation wholly here or wholly
//! there.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::world::{DORMANT, Faults, Keys, World, now};
use crate::migration::{InControl, Installation, Operation, Stage};

/// How often a control is killed.
const KILLED: u64 = 1_000;
/// Killed side by side.
const PARTS: u64 = 4;

/// Goes on with a future for so many steps. What is dropped unfinished stops where it stands, as in a process that is killed.
fn steps<F: Future>(future: F, most: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..most {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
    }
    None
}

/// To the end; nothing in this world waits for anything but its turn.
fn finish<F: Future>(future: F) -> F::Output {
    steps(future, 100_000).expect("an end")
}

#[test]
fn a_control_killed_anywhere_leaves_every_installation_wholly_migrated_or_wholly_with_its_smso() {
    let share =
        |part: u64| std::iter::successors(Some(part), |case| Some(case + PARTS)).take_while(|n| *n < KILLED);
    let found: Vec<Keys> = std::thread::scope(|scope| {
        let parts: Vec<_> =
            (0..PARTS).map(|part| scope.spawn(move || share(part).map(killed).collect::<Vec<_>>())).collect();
        parts.into_iter().flat_map(|part| part.join().expect("a part")).collect()
    });
    let migrated = found.iter().filter(|keys| **keys == Keys::S1sp).count();
    assert!((100..900).contains(&migrated), "{migrated}");
}

/// One control killed, and what another makes of what it left.
fn killed(case: u64) -> Keys {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _entered = runtime.enter();
    let mut random = StdRng::seed_from_u64(case);
    let world = World::new(DORMANT, 1);
    if random.random_bool(0.1) {
        world.fault(Faults { full: true, ..Faults::default() });
    }
    let mut control = world.control();
    // Where it is killed: in which operation, after how many steps of it.
    let (last, at) = (random.random_range(0..5), random.random_range(0..30));
    let operations = [&Operation::FORWARD[..], &[Operation::Rollback]].concat();
    for (n, operation) in operations.into_iter().enumerate() {
        let most = if n == last { at } else { 100_000 };
        match steps(control.operate(operation, now()), most) {
            Some(Ok(_)) if n < last => {}
            _ => break,
        }
    }
    drop(control);
    world.fault(Faults::default());
    let mut control = world.control();
    let said = finish(control.recover(now()));
    let id = world.installations[0];
    let stage = control.member(id).map(Installation::stage).cloned().expect("a member");
    assert!(stage == Stage::WithSmso || stage.class().is_some(), "case {case}: {stage:?}, {said:?}");
    let keys = world.is_whole(id).unwrap_or_else(|torn| panic!("case {case}: {torn}, {stage:?}, {said:?}"));
    let expected = if stage.in_control() == InControl::Dcc { Keys::S1sp } else { Keys::Smso };
    assert_eq!(keys, expected, "case {case}, {last} after {at}: {stage:?}, {said:?}");
    keys
}

/// A recovery that is itself killed is begun anew by the next.
#[test]
fn a_recovery_killed_half_way_is_finished_by_the_next() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _entered = runtime.enter();
    for at in 0..40 {
        let world = World::new(DORMANT, 1);
        let mut control = world.control();
        for operation in [Operation::Authorise, Operation::Validate] {
            finish(control.operate(operation, now())).expect("in order");
        }
        assert!(steps(control.operate(Operation::Contact, now()), 9).is_none());
        drop(control);
        let mut control = world.control();
        drop(steps(control.recover(now()), at));
        drop(control);
        let mut control = world.control();
        finish(control.recover(now()));
        assert_eq!(world.is_whole(world.installations[0]), Ok(Keys::Smso), "killed after {at} steps");
    }
}
