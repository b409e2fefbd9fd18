//! The program `device-sim`: runs the simulated devices of a lab by themselves.
//!
//! Exit codes: 0 stopped by Ctrl-C or a termination signal, 1 the devices could not be started, 2 wrong arguments
//! or a lab file with mistakes.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use lab_config::contents::Load;
use lab_config::{Document, Lab, Rig, RigDevice, SecretSource, Security};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::control::{self, Control, LONGEST_DATA_SET};
use crate::estate::{Estate, SimEndpoint};
use crate::fault::{FaultPlan, Placed};
use crate::objects::StateFolder;
use crate::sim_clock::{FASTEST, SimClock};

/// Simulated SMETS1 devices on real pseudo-terminals and sockets.
#[derive(Debug, Parser)]
#[command(name = "device-sim", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start every simulated device of a lab, say where each answers, and run until Ctrl-C.
    Serve {
        /// The lab file. Without one, the lab built into the program.
        #[arg(long, value_name = "FILE")]
        lab: Option<PathBuf>,
        /// One JSON object a line in place of the table.
        #[arg(long)]
        json: bool,
        /// How many times as fast as real time the devices live.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(FASTEST)))]
        speed: u32,
        /// Fixes what the households consume.
        #[arg(long, value_name = "N", default_value_t = 1)]
        seed: u64,
        /// Where devices keep what a restart must not lose: invocation counters. Without it $DEVICE_SIM_STATE,
        /// $XDG_STATE_HOME/device-sim or ~/.local/state/device-sim.
        #[arg(long, value_name = "FOLDER")]
        state: Option<PathBuf>,
        #[command(flatten)]
        bench: Bench,
    },
    /// Ask running devices at their control port, such as `device-sim ctl --at 127.0.0.1:4100 fault ESME/optical: silence`.
    Ctl {
        /// Where `device-sim serve --control` listens.
        #[arg(long, value_name = "ADDRESS")]
        at: SocketAddr,
        /// The command; `list`, `state`, `fault`, `faults`, `clear`, `keys`, `token`, `load`, `clock`, `drift`, `mains`, `plug`, and `data-set FILE`.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

/// What goes wrong on purpose, and who may bring more about.
#[derive(Debug, clap::Args)]
struct Bench {
    /// A fault to bring about, such as "rig-1/ESME/optical: truncate after 12 octets on frame 3".
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Placed>,
    /// A file of faults.
    #[arg(long, value_name = "FILE")]
    faults_file: Option<PathBuf>,
    /// Listen here, on loopback, for commands of `device-sim ctl`.
    #[arg(long, value_name = "ADDRESS")]
    control: Option<SocketAddr>,
}

/// A line of what is printed.
#[derive(Debug, Serialize)]
struct Line {
    rig: String,
    device: String,
    eui64: String,
    path: String,
    /// The link URL; of a device behind another, that device's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    through: Option<String>,
}

/// Runs the program with the arguments of the process.
pub async fn run() -> ExitCode {
    // Diagnostics are for stderr: stdout is for programs to read.
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    match Arguments::parse().verb {
        Verb::Serve { lab, json, speed, seed, state, bench } => {
            let read = read(lab).and_then(|lab| Ok((lab, bench.plan()?)));
            let (lab, plan) = match read {
                Ok(read) => read,
                Err(error) => return fail(&error, 2),
            };
            let state = state.map_or_else(StateFolder::usual, StateFolder::at);
            match serve(lab, plan, Serving { json, speed, seed, state, control: bench.control }).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(&error.to_string(), 1),
            }
        }
        Verb::Ctl { at, command } => match command_line(&command) {
            Err(error) => fail(&error, 2),
            Ok(line) => match control::ask(at, &line).await {
                Ok(answer) => tell(&answer),
                Err(error) => fail(&format!("nobody answers at {at}: {error}"), 1),
            },
        },
    }
}

/// The line of a command: words with blanks between them. Of a data set it carries the text, not the name of its file.
fn command_line(words: &[String]) -> Result<String, String> {
    let (file, rest) = match words {
        [verb, rest @ .., file] if verb == "data-set" => (file, rest),
        words => return Ok(words.join(" ")),
    };
    let document = Document::read(std::path::Path::new(file)).map_err(|error| error.to_string())?;
    Load::of_data_set(&document).map_err(|error| error.to_string())?;
    let text = serde_json::Value::from(document.text());
    let line = format!("data-set {} {text}", rest.join(" "));
    match u64::try_from(line.len()) {
        Ok(0..LONGEST_DATA_SET) => Ok(line),
        _ => {
            Err(format!("{file}: a data set of at most {LONGEST_DATA_SET} octets goes over the control port"))
        }
    }
}

/// Prints what the control port answered.
fn tell(answer: &serde_json::Value) -> ExitCode {
    match (answer.get("ok"), answer.get("error")) {
        (Some(said), _) => {
            // With stdout gone there is nobody to tell.
            let _ = writeln!(io::stdout(), "{said}");
            ExitCode::SUCCESS
        }
        (None, Some(error)) => fail(error.as_str().unwrap_or("an error without words"), 1),
        (None, None) => fail("an answer of another kind: is this the control port of device-sim?", 1),
    }
}

impl Bench {
    /// The faults of the file, then those of the command line.
    fn plan(&self) -> Result<FaultPlan, String> {
        let read = self.faults_file.as_deref().map(FaultPlan::load).transpose();
        let mut plan = read.map_err(|error| error.to_string())?.unwrap_or_default();
        plan.faults.extend(self.faults.iter().cloned());
        Ok(plan)
    }
}

/// How to serve.
struct Serving {
    json: bool,
    speed: u32,
    seed: u64,
    state: StateFolder,
    control: Option<SocketAddr>,
}

fn fail(words: &str, code: u8) -> ExitCode {
    // With stderr gone there is nobody to tell.
    let _ = writeln!(io::stderr(), "device-sim: {words}");
    ExitCode::from(code)
}

fn read(file: Option<PathBuf>) -> Result<Lab, String> {
    match file {
        Some(file) => Lab::load(&file).map_err(|error| error.to_string()),
        None => Lab::embedded().map_err(|error| error.to_string()),
    }
}

async fn serve(lab: Lab, plan: FaultPlan, how: Serving) -> Result<(), Box<dyn std::error::Error>> {
    let Serving { json, speed, seed, state, control } = how;
    let clock = if speed == 1 { SimClock::real() } else { SimClock::accelerated(speed) };
    // Before anything is printed: who reads the lines may end us at once.
    let mut terminated = signal(SignalKind::terminate())?;
    let estate = Arc::new(Estate::start_keeping(&lab, clock, seed, &state).await?);
    estate.arm_all(&plan).map_err(|refused| format!("{}: {}", refused.0, refused.1))?;
    let control = match control {
        Some(address) => Some(Control::bind(address).await?),
        None => None,
    };
    warn_of_generated(&lab);
    warn_of_forgetting(&lab, &state);
    let listens = control.as_ref().map(Control::address).transpose()?;
    print(&lines(&estate, &lab), listens, estate.broker(), json)?;
    let served = async {
        match control {
            Some(control) => control.serve(&estate).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
        () = served => {}
    }
    // A command under way holds the devices a moment longer; dropped, they stop as well.
    if let Some(estate) = Arc::into_inner(estate) {
        estate.stop().await;
    }
    Ok(())
}

fn lines(estate: &Estate, lab: &Lab) -> Vec<Line> {
    let own = |endpoint: &SimEndpoint| Line {
        rig: endpoint.rig.clone(),
        device: endpoint.kind.to_string(),
        eui64: endpoint.eui64.to_string(),
        path: endpoint.path.to_string(),
        link: Some(endpoint.link.to_string()),
        through: None,
    };
    let carried = estate.carried(lab).map(|(rig, device, via)| Line {
        rig: rig.name.to_string(),
        device: device.kind.to_string(),
        eui64: device.eui64.to_string(),
        path: lab_config::Path::Wan.to_string(),
        link: None,
        through: Some(via.to_string()),
    });
    let dongles = estate.dongles().iter().map(|dongle| Line {
        rig: dongle.rig.clone(),
        device: "dongle".to_owned(),
        eui64: dongle.eui64.to_string(),
        path: "ezsp".to_owned(),
        link: Some(dongle.url.to_string()),
        through: None,
    });
    estate.endpoints().iter().map(own).chain(carried).chain(dongles).collect()
}

fn print(
    lines: &[Line],
    control: Option<SocketAddr>,
    broker: Option<SocketAddr>,
    json: bool,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in lines {
        if json {
            writeln!(out, "{}", serde_json::to_string(line)?)?;
        } else {
            let through = line.through.as_ref().map(|via| format!("through the {via}"));
            let place = line.link.clone().or(through).unwrap_or_default();
            writeln!(out, "{:<10} {:<6} {} {:<8} {place}", line.rig, line.device, line.eui64, line.path)?;
        }
    }
    match control {
        Some(address) if json => writeln!(out, "{}", serde_json::json!({ "control": address }))?,
        Some(address) => writeln!(out, "control port {address}: device-sim ctl --at {address} list")?,
        None => {}
    }
    if let Some(broker) = broker.map(|at| format!("mqtt://{at}")) {
        match json {
            true => writeln!(out, "{}", serde_json::json!({ "broker": broker }))?,
            false => writeln!(out, "stations meet at {broker}")?,
        }
    }
    if !json {
        writeln!(out, "running; Ctrl-C stops")?;
    }
    out.flush()
}

/// A device that forgets its counters uses them twice.
fn warn_of_forgetting(lab: &Lab, state: &StateFolder) {
    let lasting = |security: &Security| match security {
        Security::Gmac(shared) => !shared.encryption_key.is_generated(),
        Security::None | Security::Low(_) => false,
    };
    let mut devices = lab.rigs.iter().flat_map(Rig::devices);
    if !state.is_some() && devices.any(|device| device.credentials.clients.values().any(lasting)) {
        tracing::warn!(
            "no folder to keep invocation counters in, so they begin anew at each start and a client that remembers them \
             is refused or refuses: give --state FOLDER"
        );
    }
}

/// A generated password never leaves the process it was made in: nobody else can associate with it.
fn warn_of_generated(lab: &Lab) {
    let generated = |rig: &Rig, device: &RigDevice| {
        let clients = device.credentials.clients.iter();
        let of_us = clients.filter(|(_, security)| match security {
            Security::Low(source) => matches!(source, SecretSource::Generated(_)),
            Security::Gmac(shared) => shared.encryption_key.is_generated(),
            Security::None => false,
        });
        of_us.map(|(sap, _)| format!("{} {} client {sap}", rig.name, device.kind)).collect::<Vec<_>>()
    };
    let found: Vec<String> =
        lab.rigs.iter().flat_map(|rig| rig.devices().flat_map(|device| generated(rig, device))).collect();
    if let Some(first) = found.first() {
        let words = "no other program can know it; write { file = \"…\" } or { env = \"…\" } in its place in the lab file";
        tracing::warn!("{} generated password(s) and keys, such as that of {first}: {words}", found.len());
    }
}
