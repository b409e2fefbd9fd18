//! A controller with both of its listeners, in front of two rigs whose hand answers when the test says.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use device_sim::{Estate, SimClock, StateFolder};
use harness::dispatch::controller::{Controller, Running, Setup};
use harness::dispatch::{Answer, Hands, lab_key};
use harness::evidence::{RunFolder, Standing, read_records, verify};
use harness::server::control::Acts;
use harness::server::page::{Face, Shown, router};
use harness::server::{Access, Door, Server, Services, Settings, callbook};
use harness::watch::feed::Feeds;
use lab_config::{DeviceKind, Lab};
use lab_tests::steered::{two_rigs, write_pack};
use proto_lab::record::{Actor, Body, Credential, Deed, Record, Role, Tally, Verdict};
use scenarios::Act;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The longest anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The hand at both rigs: whoever asks first is answered first, and waits until there is an answer.
#[derive(Clone)]
pub(crate) struct Hand {
    asked: watch::Sender<usize>,
    answers: watch::Sender<Vec<&'static str>>,
}

impl Hand {
    fn new() -> Self {
        Self { asked: watch::Sender::new(0), answers: watch::Sender::default() }
    }

    pub(crate) async fn until_asked(&self, times: usize) {
        let mut asked = self.asked.subscribe();
        let waited = tokio::time::timeout(PATIENCE, asked.wait_for(|asked| *asked >= times)).await;
        waited.unwrap_or_else(|_| panic!("the hand was asked fewer than {times} times")).unwrap();
    }

    pub(crate) fn answer(&self, words: &'static str) {
        self.answers.send_modify(|answers| answers.push(words));
    }
}

impl Hands for Hand {
    fn ask<'a>(&'a mut self, _: DeviceKind, _: &'a Act, _: &'a str, _: Duration) -> Answer<'a> {
        let mut place = 0;
        self.asked.send_modify(|asked| {
            place = *asked;
            *asked += 1;
        });
        let mut answers = self.answers.subscribe();
        Box::pin(async move {
            let answers = answers.wait_for(|answers| answers.len() > place).await.unwrap();
            Ok(answers[place].to_owned())
        })
    }
}

/// The lab under way.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) lab: Lab,
    pub(crate) hand: Hand,
    pub(crate) watch: String,
    pub(crate) control: String,
    estate: Option<Estate>,
    serving: Option<Serving>,
}

/// What runs until it is closed.
struct Serving {
    controller: Controller,
    running: Running,
    serving: JoinHandle<()>,
    stop: CancellationToken,
}

impl Bench {
    /// Starts it. Whoever is on this machine is Ann.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lab = two_rigs(folder.path()).unwrap();
        write_pack(&folder.path().join("pack")).unwrap();
        let state = StateFolder::at(folder.path().join("devices"));
        let estate = Estate::start_keeping(&lab, SimClock::real(), 1, &state).await.unwrap();
        let (lab, hand) = (estate.concrete(lab), Hand::new());
        let runs = folder.path().join("runs");
        let (keys, hands) = (runs.join("keys"), hand.clone());
        let setup = Setup {
            lab: lab.clone(),
            runs: runs.clone(),
            key: lab_key(&keys, &lab).unwrap(),
            keys: keys.clone(),
            hands: Arc::new(move |_| Box::new(hands.clone())),
            vet: |_| Vec::new(),
        };
        let (controller, running) = Controller::start(setup).await.unwrap_or_else(|error| panic!("{error}"));
        let shown = Shown { runs: runs.clone(), keys, standard: Vec::new(), feeds: Feeds::default() };
        let ([watch, control], serving, stop) = serve(controller.clone(), shown).await;
        let serving = Some(Serving { controller, running, serving, stop });
        Self { folder, lab, hand, watch, control, estate: Some(estate), serving }
    }

    fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    pub(crate) fn pack(&self) -> String {
        self.folder.path().join("pack").display().to_string()
    }

    /// The records of a run or a book that has ended, which `verify` finds sound.
    pub(crate) fn records(&self, name: &str) -> Vec<Record> {
        let folder = RunFolder::new(self.runs().join(name));
        let key = lab_key(&self.runs().join("keys"), &self.lab).unwrap();
        let verification = verify(&folder, &[key.verifier()]).unwrap();
        assert_eq!(verification.standing, Standing::Sound, "{verification}");
        read_records(&folder).unwrap()
    }

    /// Ends the runs, the controller and what listens; gives the name of the book.
    pub(crate) async fn close(&mut self) -> String {
        let Some(Serving { controller, running, serving, stop }) = self.serving.take() else {
            panic!("it is closed already")
        };
        let name = "Ann".parse().unwrap();
        let by = Actor { name, role: Role::Engineer, credential: Credential::CommandLine };
        controller.close(&by).await.unwrap();
        stop.cancel();
        let book = controller.book().root().file_name().unwrap().to_string_lossy().into_owned();
        drop(controller);
        for over in [serving, tokio::spawn(async { running.ended().await.unwrap() })] {
            tokio::time::timeout(PATIENCE, over).await.expect("an end").unwrap();
        }
        self.estate.take().unwrap().stop().await;
        book
    }
}

/// Both listeners in front of a controller, and where they are.
async fn serve(controller: Controller, shown: Shown) -> ([String; 2], JoinHandle<()>, CancellationToken) {
    let (callbook, mut calls) = callbook();
    let free = "127.0.0.1:0".parse().unwrap();
    let access = Access::LoopbackWithoutCredentials { name: "Ann".parse().unwrap(), witnesses: Vec::new() };
    let settings =
        Settings { watch: free, control: free, access, runs: shown.runs.clone(), feeds: shown.feeds.clone() };
    let server = Server::bind(settings, callbook).await.unwrap();
    let urls = [Door::Watch, Door::Control].map(|door| server.url(door).unwrap());
    let acts = Acts::new(controller.clone());
    let pages = (router(shown.clone(), Face::Watch), router(shown, Face::Control).merge(acts.buttons()));
    let stop = CancellationToken::new();
    let serving = server.serve(pages.0, pages.1, Services::new(), stop.clone());
    let serving = tokio::spawn(async move {
        let told = async {
            while let Some(event) = calls.next().await {
                // A controller that has ended has no book to write it in.
                let _ = controller.tell(event).await;
            }
        };
        tokio::join!(async { serving.await.unwrap() }, told);
    });
    (urls, serving, stop)
}

/// Who did what to a run, as its records say.
pub(crate) fn deeds(records: &[Record]) -> Vec<(String, Deed)> {
    let deed = |record: &Record| match &record.body {
        Body::Action(action) => Some((action.by.to_string(), action.what.clone())),
        _ => None,
    };
    records.iter().filter_map(deed).collect()
}

/// The verdict of each attempt of each script.
pub(crate) fn attempts(records: &[Record]) -> Vec<(String, Vec<Verdict>)> {
    let tally = Tally::of(records);
    let of = |result: &proto_lab::record::CaseResult| {
        (result.case.script.clone(), result.attempts.iter().map(|attempt| attempt.verdict).collect())
    };
    tally.cases().iter().map(of).collect()
}
