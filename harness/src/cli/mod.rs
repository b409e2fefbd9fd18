//! The people's door: verbs, what they print, what they exit with.
//!
//! The library knows no terminal. Here its errors gain hints ([`Failure`]), its records become lines, and verdicts become
//! exit codes ([`Exit`]). Every verb has `--json`. Without a verb the embedded lab runs its standard packs.

mod access;
mod arguments;
mod check;
mod coverage;
mod data_sets;
mod decode;
mod duis;
mod failure;
mod lab;
mod lent;
mod migrate;
mod packs;
mod people;
mod person;
mod pki;
mod probe;
mod read;
mod report;
mod run;
mod say;
mod screen;
mod send;
mod serve;
mod signals;
mod station;
mod variant;
mod verify;
mod watch;
mod zigbee;

use std::process::ExitCode;

use clap::Parser;

use self::say::{complain, say};
pub use arguments::{Arguments, Verb};
pub use failure::{Exit, Failure};

/// Reads the command line, does what it says, prints what went wrong.
pub fn main() -> ExitCode {
    start_tracing();
    let arguments = Arguments::parse();
    let ended = runtime().and_then(|runtime| {
        let ended = runtime.block_on(obey(arguments));
        // A blocking read of a dead line must not hold the program after it has said its verdict.
        runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        ended
    });
    match ended {
        Ok(exit) => exit.into(),
        Err(failure) => {
            complain!("{failure}");
            failure.exit().into()
        }
    }
}

/// One JSON document on standard output.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(Failure::lab)?;
    say!("{text}");
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| {
        Failure::new(Exit::Error, e).hint("the operating system refused threads or files: see ulimit -a")
    })
}

fn start_tracing() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("HARNESS_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

async fn obey(arguments: Arguments) -> Result<Exit, Failure> {
    match arguments.verb.unwrap_or_default() {
        Verb::Check(check) => check::check(&check),
        Verb::DataSets(verb) => data_sets::data_sets(&verb),
        Verb::Probe(probe) => probe::probe(&probe).await,
        Verb::Run(run) => run::run(&run).await,
        Verb::Send(verb) => send::send(&verb).await,
        Verb::Migrate(verb) => migrate::migrate(&verb).await,
        Verb::Watch(watch) => watch::watch(&watch).await,
        Verb::Serve(serve) => serve::serve(&serve).await,
        Verb::Pki(verb) => pki::pki(&verb),
        Verb::People(verb) => people::people(&verb),
        Verb::Station(verb) => station::station(&verb).await,
        Verb::Verify(verify) => verify::verify(&verify),
        Verb::Report(report) => report::report(&report),
        Verb::Coverage(verb) => coverage::coverage(&verb),
        Verb::Read(read) => read::read(&read).await,
        Verb::Decode(decode) => decode::decode(&decode),
        Verb::Duis(verb) => duis::duis(&verb),
        Verb::Zigbee(verb) => zigbee::zigbee(&verb).await,
    }
}
