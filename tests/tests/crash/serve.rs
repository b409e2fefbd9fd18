//! `harness serve`, killed while a scheduler and an engineer call it: what it acknowledged is done by the one that comes after.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use harness::evidence::{LabKey, RunFolder, Standing, read_records, verify_chain};
use lab_tests::looks::{Looks, SCRIPTS};
use proto_lab::control::{Acted, ControlClient, RerunRequest};
use proto_lab::queue::{JoinRequest, QueueClient};
use proto_lab::record::book::{LabEvent, LabState};
use proto_lab::record::{Body, Deed, Outcome, Record, Tally};
use tokio::runtime::{Builder, Runtime};
use tonic::transport::{Channel, Endpoint};

use super::death::{Death, Life};
use super::told::{Told, folders, never_broken, nothing_doubled};
use super::{Chance, KILLS, in_lanes, number};

/// The longest that one call may take, and the start.
const CALL: Duration = Duration::from_secs(20);
/// The longest that what is left may take at the end.
const LEFT: Duration = Duration::from_secs(280);
/// How long a controller that is to die is given to do something, at most.
const LIFE: Duration = Duration::from_secs(12);
/// So many scripts of one run are asked for once more.
const RERUNS: usize = 2;
/// So many entries may wait or run at a time, so that the end is not far away.
const WAITING: usize = 2;

/// Something that was asked for and acknowledged.
#[derive(Debug, Clone)]
enum Promise {
    Entry { acted: Acted },
    Rerun { acted: Acted, run: String, script: String },
}

#[derive(Debug, Default)]
struct Count {
    kills: u64,
    lives: u64,
    at_calls: u64,
    before_it_served: u64,
    torn: u64,
    entries: usize,
    reruns: usize,
    runs: usize,
}

struct Lane {
    lab: Looks,
    told: Told,
    chance: Chance,
    calls: Runtime,
    promises: Vec<Promise>,
    count: Count,
}

/// What somebody outside knows of the lab from its books.
fn state(runs: &Path) -> LabState {
    let mut books = folders(runs).into_iter().filter(|folder| is_book(folder));
    let records = books.next_back().map(|book| read_records(&RunFolder::new(book)).expect("records"));
    LabState::of(&records.unwrap_or_default())
}

fn is_book(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("book-"))
}

/// Reads what it says first: where it listens.
fn listens(life: &mut Life) -> Receiver<String> {
    let (send, receive) = channel();
    let stdout = life.child().stdout.take().expect("a pipe");
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines();
        if let Some(Ok(first)) = lines.next() {
            // Nobody waits any more for one that died.
            let _ = send.send(first);
        }
        lines.for_each(drop);
    });
    receive
}

impl Lane {
    fn begin(chance: Chance) -> Self {
        let lab = Looks::start().expect("a bench");
        std::fs::create_dir_all(&lab.runs).expect("a folder");
        let calls = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let told = Told::new(&lab.runs);
        Self { lab, told, chance, calls, promises: Vec::new(), count: Count::default() }
    }

    fn command(&self) -> Command {
        let mut command = self.lab.bench.harness().expect("a command");
        command.args(["serve", "--json", "--watch", "127.0.0.1:0", "--control", "127.0.0.1:0"]);
        command.arg("--loopback-without-credentials").arg("--lab").arg(self.lab.bench.lab());
        command.arg("--runs").arg(&self.lab.runs);
        command
    }

    /// One controller; without a death it is left to do what was promised.
    fn live(&mut self, death: Option<Death>) {
        let last = death.is_none();
        let at_call = matches!(death, Some(Death::At { .. }));
        let said = self.lab.bench.folder().join("said");
        let mut life = Life::begin(self.command(), death, &self.told, Stdio::piped(), &said);
        let first = listens(&mut life);
        let (mut channel, begun) = (None, Instant::now());
        let ended = loop {
            if let Some(ended) = life.look(&mut self.told) {
                break ended;
            }
            if channel.is_none() {
                channel = first.try_recv().ok().and_then(|line| self.connect(&line));
            } else if !last {
                self.act(channel.clone().expect("a channel"));
            }
            let done = last && self.is_done();
            assert!(
                !last || begun.elapsed() < LEFT,
                "it is not done: {:#?}\n{}",
                state(&self.lab.runs),
                life.said()
            );
            if done {
                let pid = life.child().id().to_string();
                assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
            } else if !last && begun.elapsed() > LIFE {
                // The call it was to die at was never made.
                life.end_now();
            }
        };
        let killed = super::death::was_killed(ended);
        let what = format!("kill {} of this lane: {ended:?}: {}", self.count.kills, life.said());
        assert!(killed || last && ended.success(), "{what}");
        self.count.lives += 1;
        self.count.kills += u64::from(killed);
        self.count.at_calls += u64::from(killed && at_call);
        self.count.before_it_served += u64::from(channel.is_none());
        self.after(&what);
    }

    fn after(&mut self, what: &str) {
        self.told.is_kept(what);
        for folder in folders(&self.lab.runs) {
            let verification = never_broken(&self.lab.runs, &folder, what);
            self.count.torn += verification.torn.len() as u64;
            let ended = verification.standing == Standing::Sound;
            if !is_book(&folder) {
                nothing_doubled(&read_records(&RunFolder::new(&folder)).expect("records"), what);
            } else if ended {
                // Closed books are many.
                self.told.forget(&folder);
            }
        }
    }

    fn connect(&self, line: &str) -> Option<Channel> {
        let told: serde_json::Value = serde_json::from_str(line).ok()?;
        let endpoint = Endpoint::from_shared(told["control"].as_str()?.to_owned()).ok()?.timeout(CALL);
        self.calls.block_on(endpoint.connect()).ok()
    }

    /// Asks for something; only what is acknowledged counts.
    fn act(&mut self, channel: Channel) {
        let state = state(&self.lab.runs);
        let busy = state.queue.len() + state.runs.len();
        let run = state.runs.keys().next().map(ToString::to_string);
        match (self.chance.below(40), run) {
            (0..10, _) if busy < WAITING => {
                let rig = state.rigs.keys().next().cloned().unwrap_or_default();
                let packs = vec![self.lab.pack.display().to_string()];
                let asked = JoinRequest { rig, packs, ..JoinRequest::default() };
                let acted = self.calls.block_on(async { QueueClient::new(channel).join(asked).await });
                self.promises.extend(acted.ok().map(|acted| Promise::Entry { acted: acted.into_inner() }));
            }
            (10, Some(run)) if self.reruns_of(&run) < RERUNS => {
                let script = format!("look-{}", self.chance.below(SCRIPTS as u64));
                let asked = RerunRequest {
                    run: run.clone(),
                    pack: "looks".into(),
                    script: script.clone(),
                    device: Some("ESME".into()),
                    ..RerunRequest::default()
                };
                let acted = self.calls.block_on(async { ControlClient::new(channel).rerun(asked).await });
                let promise = |acted: Acted| Promise::Rerun { acted, run, script };
                self.promises.extend(acted.ok().map(|acted| promise(acted.into_inner())));
            }
            _ => {}
        }
    }

    fn reruns_of(&self, run: &str) -> usize {
        let of = |promise: &&Promise| matches!(promise, Promise::Rerun { run: of, .. } if of == run);
        self.promises.iter().filter(of).count()
    }

    fn is_done(&self) -> bool {
        let state = state(&self.lab.runs);
        state.ready && state.queue.is_empty() && state.runs.is_empty()
    }

    /// Everything acknowledged was done, once, and everything verifies.
    fn end(mut self) -> Count {
        self.live(None);
        let runs = self.lab.runs.clone();
        let trusted = LabKey::trusted(&runs.join("keys")).expect("a key");
        let chain = verify_chain(&runs, &trusted).expect("runs");
        let unsound: Vec<_> = chain.links.iter().filter(|link| !link.verification.is_sound()).collect();
        let books: BTreeMap<String, Vec<Record>> =
            folders(&runs).into_iter().filter(|folder| is_book(folder)).map(read).collect();
        let ends: Vec<_> = books.values().flatten().filter(|record| ended_without_verdict(record)).collect();
        assert!(chain.is_sound(), "{unsound:#?} {:#?} {ends:#?}", chain.missing);
        let began: Vec<(u64, String)> = books.values().flatten().filter_map(began).collect();
        for promise in &self.promises {
            match promise {
                Promise::Entry { acted } => {
                    assert!(
                        recorded(
                            &books,
                            acted,
                            |event| matches!(event, LabEvent::QueueJoined { entry, .. } if entry.0 == acted.entry)
                        ),
                        "{promise:?}"
                    );
                    let mut of: Vec<&String> =
                        began.iter().filter(|(entry, _)| *entry == acted.entry).map(|(_, run)| run).collect();
                    of.dedup();
                    let run = of.iter().rev().find(|run| runs.join(run.as_str()).exists());
                    let run = run.unwrap_or_else(|| panic!("{promise:?} was never run: {of:?}"));
                    let records = read(runs.join(run.as_str())).1;
                    assert_eq!(Tally::of(&records).cases().len(), SCRIPTS, "{promise:?}");
                    let there = of.iter().filter(|run| runs.join(run.as_str()).exists()).count();
                    assert_eq!(there, 1, "{promise:?} was run more than once: {of:?}");
                    self.count.entries += 1;
                }
                Promise::Rerun { acted, run, script } => {
                    assert!(
                        recorded(
                            &books,
                            acted,
                            |event| matches!(event, LabEvent::RerunAsked { run: of, .. } if of.as_str() == run)
                        ),
                        "{promise:?}"
                    );
                    let same = |other: &&Promise| matches!(other, Promise::Rerun { run: r, script: s, .. } if (r, s) == (run, script));
                    let promised = self.promises.iter().filter(same).count();
                    let kept = kept(&read(runs.join(run)).1, script);
                    assert!(kept >= promised, "{promise:?}: promised {promised}, kept {kept}");
                    self.count.reruns += 1;
                }
            }
        }
        self.count.runs = lab_tests::run_folders(&runs).len();
        self.count
    }
}

fn read(folder: PathBuf) -> (String, Vec<Record>) {
    let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
    (name, read_records(&RunFolder::new(&folder)).expect("records"))
}

/// Whether a record says that a run ended and has no verdict.
fn ended_without_verdict(record: &Record) -> bool {
    matches!(&record.body, Body::Lab(event) if matches!(**event, LabEvent::RunEnded { verdict: None, .. }))
}

fn began(record: &Record) -> Option<(u64, String)> {
    match &record.body {
        Body::Lab(event) => match &**event {
            LabEvent::RunBegan { run, entry, .. } => Some((entry.0, run.to_string())),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the record that the answer names says so, in the book that it names.
fn recorded(books: &BTreeMap<String, Vec<Record>>, acted: &Acted, says: impl Fn(&LabEvent) -> bool) -> bool {
    let book = books.get(&acted.book).unwrap_or_else(|| panic!("{} is gone", acted.book));
    acted.records.iter().any(|number| {
        let record = usize::try_from(*number).ok().and_then(|number| book.get(number));
        record.is_some_and(|record| matches!(&record.body, Body::Lab(event) if says(event)))
    })
}

/// Attempts of a script after its first, and times that somebody was told there would be none.
fn kept(records: &[Record], script: &str) -> usize {
    let tally = Tally::of(records);
    let attempts: usize = tally
        .cases()
        .iter()
        .filter(|result| result.case.script == script)
        .map(|result| result.attempts.len().saturating_sub(1))
        .sum();
    let refused = records.iter().filter(|record| match &record.body {
        Body::Action(action) => {
            matches!((&action.what, &action.outcome), (Deed::Rerun { case }, Outcome::NotDone { .. }) if case.script == script)
        }
        _ => false,
    });
    attempts + refused.count()
}

#[test]
fn a_controller_that_is_killed_over_and_over_keeps_what_it_acknowledged() {
    let kills = number("LAB_CRASH_KILLS", KILLS) / 4;
    let begun = Instant::now();
    let counts = in_lanes(kills, |share, chance| {
        let mut lane = Lane::begin(chance);
        while lane.count.kills < share {
            let death = Death::by(&mut lane.chance, LIFE);
            lane.live(Some(death));
            if lane.count.kills.is_multiple_of(50) {
                println!("{:?} after {:?}", lane.count, begun.elapsed());
            }
        }
        lane.end()
    });
    println!("harness serve, killed: {counts:?} in {:?}", begun.elapsed());
}
