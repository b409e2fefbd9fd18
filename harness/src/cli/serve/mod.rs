//! `harness serve`: the lab's controller for people and programs.

mod unattended;

use std::path::Path;
use std::sync::Arc;

use proto_lab::control::ControlServer;
use proto_lab::queue::QueueServer;
use proto_lab::record::book::LabEvent;
use proto_lab::record::{Actor, ActorName, Credential, Role};
use proto_lab::rpc::MAX_REQUEST;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::arguments::Serve;
use super::say::{complain, say};
use super::verify::key_folder;
use super::{Exit, Failure, lab, lent, print_json, report};
use crate::dispatch;
use crate::dispatch::controller::{Controller, ControllerError, Running, Setup};
use crate::embedded::{self, Embedded};
use crate::server::control::Acts;
use crate::server::page::{self, Face, Shown};
use crate::server::pki::Pki;
use crate::server::{Access, Calls, Door, ServeError, Server, Services, Settings, callbook};
use crate::watch::feed::Feeds;
use unattended::Unattended;

pub(super) async fn serve(verb: &Serve) -> Result<Exit, Failure> {
    std::fs::create_dir_all(&verb.runs).map_err(|error| {
        Failure::input(format!("{} is no folder, and cannot be made: {error}", verb.runs.display()))
            .hint("give the folder of run folders with --runs")
    })?;
    let by = operator()?;
    let (callbook, calls) = callbook();
    let access = access(verb, &by.name)?;
    let (runs, feeds) = (verb.runs.clone(), Feeds::default());
    let settings = Settings {
        watch: verb.watch,
        control: verb.control,
        access,
        runs: runs.clone(),
        feeds: feeds.clone(),
    };
    // The addresses come first: a lab whose port is taken has opened no book.
    let server = Server::bind(settings, callbook).await.map_err(failure)?;
    let stop = stop_on_signals()?;
    let (controller, running, estate) = controller(verb).await?;
    say_where(verb, &server, controller.book().root())?;
    let keys = key_folder(&verb.runs, &verb.keys);
    let shown = Shown { runs, keys, standard: report::standard()?, feeds };
    let (log, told) = lent::for_the_book();
    let stations = lent::stations(log).await?;
    tokio::spawn(tell_of_stations(told, controller.clone()));
    let name = controller.state().borrow().lab.clone();
    let _publishing = lent::publish(&verb.published, &name, &verb.runs).await?;
    let served = attend((server, stations), shown, controller, running, calls, &by, stop).await;
    if let Some(estate) = Arc::into_inner(estate) {
        estate.stop().await;
    }
    served.map(|()| Exit::Done)
}

/// Whoever started the program, as records name them.
fn operator() -> Result<Actor, Failure> {
    let name = std::env::var("USER").ok().and_then(|name| name.parse().ok());
    let name = match name {
        Some(name) => name,
        None => "operator".parse().map_err(Failure::lab)?,
    };
    Ok(Actor { name, role: Role::Engineer, credential: Credential::CommandLine })
}

fn access(verb: &Serve, name: &ActorName) -> Result<Access, Failure> {
    if verb.loopback_without_credentials {
        let (name, witnesses) = (name.clone(), verb.witnesses.clone());
        return Ok(Access::LoopbackWithoutCredentials { name, witnesses });
    }
    let pki = Pki::new(&verb.pki);
    if !pki.authority().exists() {
        let found = format!("there is no authority in {}", verb.pki.display());
        return Err(Failure::input(found)
            .hint("make one with `harness pki init --lab NAME`, and name its folder with --pki")
            .hint("to ask nobody on this machine who they are: --loopback-without-credentials"));
    }
    let people = verb.people.clone().unwrap_or_else(|| verb.pki.join("people.toml"));
    Ok(Access::Credentials { pki, people })
}

async fn controller(verb: &Serve) -> Result<(Controller, Running, Arc<Embedded>), Failure> {
    let declared = lab::open(verb.lab.lab.as_deref())?;
    let simulated = declared.rigs.iter().find(|rig| rig.is_simulated());
    let simulated = simulated.map(|rig| rig.name.to_string()).unwrap_or_default();
    let (lab, estate) = embedded::bring_up(declared, &simulated).await.map_err(Failure::lab)?;
    let estate = Arc::new(estate);
    let keys = key_folder(&verb.runs, &verb.keys);
    let hands = Arc::clone(&estate);
    let setup = Setup {
        key: dispatch::lab_key(&keys, &lab).map_err(Failure::lab)?,
        lab,
        runs: verb.runs.clone(),
        keys,
        hands: Arc::new(move |rig: &str| hands.hands(rig, Box::new(Unattended))),
        vet: embedded::unsound_faults,
    };
    let (controller, running) = Controller::start(setup).await.map_err(no_controller)?;
    Ok((controller, running, estate))
}

/// Serves until it is told to stop or the controller can do no more; then ends every run, and the book last of all.
async fn attend(
    (server, stations): (Server, lent::Stations),
    shown: Shown,
    controller: Controller,
    running: Running,
    calls: Calls,
    by: &Actor,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let acts = Acts::new(controller.clone());
    let watch = page::router(shown.clone(), Face::Watch);
    let control = page::router(shown, Face::Control).merge(acts.buttons());
    let services = Services::new()
        .with(ControlServer::new(acts.clone()).max_decoding_message_size(MAX_REQUEST))
        .with(QueueServer::new(acts).max_decoding_message_size(MAX_REQUEST))
        .with(stations);
    let mut ended = std::pin::pin!(running.ended());
    let serving = server.serve(watch, control, services, stop.clone());
    let serving = async { tokio::join!(serving, tell(calls, &controller)) };
    tokio::select! {
        (served, ()) = serving => {
            // Every run is ended and every rig made safe, whatever the listeners came to.
            let closed = controller.close(by).await;
            drop(controller);
            ended.await.map_err(no_controller)?;
            closed.map_err(Failure::lab)?;
            served.map_err(failure)
        }
        early = ended.as_mut() => {
            stop.cancel();
            early.map_err(no_controller)
        }
    }
}

/// What the listeners have to tell goes into the book. When it takes no more the controller ends, and says why.
async fn tell(mut calls: Calls, controller: &Controller) {
    while let Some(event) = calls.next().await {
        if let Err(refusal) = controller.tell(event).await {
            complain!("not recorded: {refusal}\n");
        }
    }
}

/// What comes to pass with stations goes into the book.
async fn tell_of_stations(mut told: mpsc::Receiver<LabEvent>, controller: Controller) {
    while let Some(event) = told.recv().await {
        if let Err(refusal) = controller.tell(event).await {
            complain!("not recorded: {refusal}\n");
        }
    }
}

fn say_where(verb: &Serve, server: &Server, book: &Path) -> Result<(), Failure> {
    let watch = server.url(Door::Watch).map_err(Failure::lab)?;
    let control = server.url(Door::Control).map_err(Failure::lab)?;
    let book = book.display();
    if verb.json {
        let book = book.to_string();
        return print_json(&serde_json::json!({ "watch": watch, "control": control, "book": book }));
    }
    say!("witnesses and boards watch at {watch}");
    say!("engineers, schedulers and stations call at {control}");
    say!("the lab book is {book}");
    if verb.loopback_without_credentials {
        say!("nobody on this machine is asked who they are");
    }
    Ok(())
}

/// Ctrl-C and its relatives end what is served.
fn stop_on_signals() -> Result<CancellationToken, Failure> {
    let token = CancellationToken::new();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let (mut received, asked) = (signal(kind).map_err(Failure::lab)?, token.clone());
        tokio::spawn(async move {
            while received.recv().await.is_some() {
                complain!("stopping: ending every run, making the rigs safe, closing the lab book\n");
                asked.cancel();
            }
        });
    }
    Ok(token)
}

fn no_controller(error: ControllerError) -> Failure {
    Failure::lab(error)
        .hint("one controller has a lab at a time; `harness verify` says what is wrong with a lab book")
}

fn failure(error: ServeError) -> Failure {
    match error {
        ServeError::Bind { .. } => Failure::lab(error).hint("choose another port with --watch or --control"),
        ServeError::NotLoopback { .. } => Failure::input(error)
            .hint("make an authority with `harness pki init` to be reached from elsewhere"),
        ServeError::Pki(_) | ServeError::Reflection(_) => Failure::lab(error),
    }
}
