//! What a trivial step costs, all told, with evidence on: time per step and octets of records per step, over 10,000 steps.
//!
//! The steps observe a value from a bench that answers at once, hold it against an expectation and bind it; every record is
//! written, hashed into the tree and, at the end of each script, signed and synced, as in a real run. Run it with
//! `cargo bench -p lab-tests --bench step_cost`; it prints figures and passes or fails nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::dispatch::Book;
use harness::evidence::{LabKey, Recorder, RunEnd, RunFolder};
use harness::execute::{Bench, Executor, Seen, Steering, Trouble};
use lab_config::{Document, Lab};
use proto_lab::Digest;
use proto_lab::record::{Case, DmcUnderTest, FORMAT, RunStarted, Sequence, SystemUnderTest};
use scenarios::{Action, Bindings, Facts, Script, Values};

const STEPS: usize = 500;
const SCRIPTS: usize = 20;

/// A bench on which every action is done before it is asked for.
struct AtOnce;

impl Bench for AtOnce {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    async fn begin(&mut self) {}

    async fn act(&mut self, _: &Action, _: &Bindings, _: Sequence, _: Duration) -> Result<Seen, Trouble> {
        let mut values = Values::new();
        values.set("value", 230_i64);
        Ok(Seen { from: "optical".to_owned(), values, ..Seen::default() })
    }
}

fn script() -> Script {
    let heading = "title = \"steps\"\ncovers = [\"C2\"]\ndevice = \"ESME\"\n";
    let step = "[[step]]\nobserve = \"active-import\"\nthrough = \"optical\"\nexpect = [{ at = \"value\", within = [0, 1000] }]\n";
    let text = heading.to_owned() + &step.repeat(STEPS);
    let name = "steps".parse().expect("a name");
    Script::parse(name, &Document::new("steps.toml", text)).expect("a script")
}

/// A first record of a run that is of nothing.
fn first(key: &LabKey) -> RunStarted {
    RunStarted {
        format: FORMAT,
        run: "bench".parse().expect("a run's name"),
        harness: "bench".into(),
        lab: "bench".into(),
        lab_digest: Digest::of(b""),
        rig: "rig-1".into(),
        dmc: DmcUnderTest {
            id: "none".into(),
            epcl_entry: "none".into(),
            release: "IOC".into(),
            installation: "dormant".into(),
            stands_for: vec![],
            mtad: None,
        },
        devices: Vec::new(),
        system: SystemUnderTest {
            dcc_systems: "none".into(),
            environment: "bench".into(),
            parts: BTreeMap::new(),
        },
        packs: Vec::new(),
        plan: Vec::new(),
        selected: Vec::new(),
        witnessed: Vec::new(),
        data_sets: Vec::new(),
        key: key.signer(),
        previous: None,
        previous_run: None,
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = Lab::embedded().expect("the embedded lab");
    let facts = Arc::new(Facts::of(&lab, &lab.rigs[0]));
    let run = RunFolder::new(folder.path().join("run"));
    let key = LabKey::ephemeral("bench".parse().expect("a name"));
    let recorder = Recorder::create(run.clone(), first(&key), key).expect("a run folder");
    let book = Book::new(recorder);
    let script = script();
    let case = Case { pack: "bench".into(), script: "steps".into(), row: None, device: None };

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let steering = Steering::default();
    let begun = Instant::now();
    for attempt in 1..=SCRIPTS {
        let (mut bench, mut ledger) = (AtOnce, book.clone());
        let mut executor = Executor {
            bench: &mut bench,
            ledger: &mut ledger,
            steering: &steering,
            facts: Arc::clone(&facts),
        };
        let attempt = u32::try_from(attempt).expect("small");
        runtime.block_on(executor.run(&script, None, case.clone(), attempt)).expect("evidence");
    }
    let took = begun.elapsed();
    book.finish(RunEnd::Completed).expect("evidence");

    let octets = std::fs::metadata(run.records()).expect("records").len();
    let steps = (STEPS * SCRIPTS) as f64;
    println!(
        "{steps} steps: {:.2} µs a step, {:.0} octets of records a step",
        took.as_secs_f64() * 1e6 / steps,
        octets as f64 / steps
    );
}
