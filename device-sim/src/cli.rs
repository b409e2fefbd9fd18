//! The program `device-sim`: runs the simulated devices of a lab by themselves.
//!
//! Exit codes: 0 stopped by Ctrl-C or a termination signal, 1 the devices could not be started, 2 wrong arguments
//! or a lab file with mistakes.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lab_config::{Lab, Rig, RigDevice, SecretSource, Security};
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use crate::estate::{Estate, SimEndpoint};
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
    },
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
    let Verb::Serve { lab, json, speed, seed } = Arguments::parse().verb;
    let lab = match read(lab) {
        Ok(lab) => lab,
        Err(error) => return fail(&error, 2),
    };
    match serve(lab, json, speed, seed).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string(), 1),
    }
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

async fn serve(lab: Lab, json: bool, speed: u32, seed: u64) -> Result<(), Box<dyn std::error::Error>> {
    let clock = if speed == 1 { SimClock::real() } else { SimClock::accelerated(speed) };
    // Before anything is printed: who reads the lines may end us at once.
    let mut terminated = signal(SignalKind::terminate())?;
    let estate = Estate::start(&lab, clock, seed).await?;
    warn_of_generated(&lab);
    print(&lines(&estate, &lab), json)?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    estate.stop().await;
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
    estate.endpoints().iter().map(own).chain(carried).collect()
}

fn print(lines: &[Line], json: bool) -> io::Result<()> {
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
    if !json {
        writeln!(out, "running; Ctrl-C stops")?;
    }
    out.flush()
}

/// A generated password never leaves the process it was made in: nobody else can associate with it.
fn warn_of_generated(lab: &Lab) {
    let generated = |rig: &Rig, device: &RigDevice| {
        let clients = device.credentials.clients.iter();
        let of_us =
            clients.filter(|(_, security)| matches!(security, Security::Low(SecretSource::Generated(_))));
        of_us.map(|(sap, _)| format!("{} {} client {sap}", rig.name, device.kind)).collect::<Vec<_>>()
    };
    let found: Vec<String> =
        lab.rigs.iter().flat_map(|rig| rig.devices().flat_map(|device| generated(rig, device))).collect();
    if let Some(first) = found.first() {
        let words = "no other program can know it; write password = { file = \"…\" } or { env = \"…\" } in the lab file";
        tracing::warn!("{} generated password(s), such as that of {first}: {words}", found.len());
    }
}
