//! Commands: read from a line, and carried out.

use std::str::FromStr;

use jiff::SignedDuration;
use lab_config::contents::Load;
use lab_config::{DeviceKind, Document, FileError, Name, Path};
use serde_json::{Value, json};

use crate::estate::{Estate, Hand, HandError};
use crate::fault::{FaultError, FaultId, Placed, place};

/// Furthest a clock is moved, in seconds: ten years.
const FURTHEST: u64 = 10 * 366 * 24 * 3600;

/// Something to be done at the devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Which devices there are.
    List,
    /// What a device is like inside.
    State(At),
    /// A fault is brought about.
    Fault(Box<Placed>),
    /// Which faults there are.
    Faults(Option<Name>),
    /// One fault is undone, or all.
    Clear(Option<Name>, Option<FaultId>),
    /// Keys are pressed.
    Keys(At, String),
    /// A token is typed.
    Token(At, String),
    /// A load is put on; none gives the household back.
    Load(At, Option<u32>),
    /// A clock jumps.
    Clock(At, SignedDuration),
    /// A clock gains, in parts per million.
    Drift(At, i32),
    /// Mains are given or taken.
    Mains(At, bool),
    /// A cable is put in or pulled.
    Plug(At, Path, bool),
    /// A rig is loaded with a test data set; the only rig, where none is named.
    DataSet(Option<Name>, Vec<Load>),
}

/// A device; of the only rig, where none is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The rig.
    pub rig: Option<Name>,
    /// The device.
    pub device: DeviceKind,
}

/// Why a command is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Not one of the commands.
    #[error(
        "no command: {0:?}; there are list, state, fault, faults, clear, keys, token, load, clock, drift, mains, plug, data-set"
    )]
    Unknown(String),
    /// A command with something else than it takes.
    #[error("{command}: found {found:?}, expected {expected}")]
    Argument {
        /// The command.
        command: &'static str,
        /// What was found.
        found: String,
        /// What it takes.
        expected: &'static str,
    },
    /// What was sent is no data set.
    #[error(transparent)]
    DataSet(#[from] FileError),
    /// The fault cannot be.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// The device cannot do it.
    #[error(transparent)]
    Hand(#[from] HandError),
}

impl FromStr for Command {
    type Err = CommandError;

    fn from_str(line: &str) -> Result<Self, CommandError> {
        let line = line.trim();
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        let (first, second) =
            rest.split_once(' ').map_or((rest, ""), |(first, second)| (first, second.trim()));
        match verb {
            "list" => Ok(Self::List),
            "state" => Ok(Self::State(at("state", rest)?)),
            "fault" => Ok(Self::Fault(Box::new(rest.parse().map_err(FaultError::from)?))),
            "faults" => Ok(Self::Faults(rig("faults", rest)?)),
            "clear" => clear(first, second),
            "keys" => Ok(Self::Keys(at("keys", first)?, second.to_owned())),
            "token" => Ok(Self::Token(at("token", first)?, second.to_owned())),
            "load" => Ok(Self::Load(at("load", first)?, load(second)?)),
            "clock" => Ok(Self::Clock(at("clock", first)?, jump(second)?)),
            "drift" => {
                let expected = "parts per million";
                Ok(Self::Drift(
                    at("drift", first)?,
                    second.parse().map_err(|_| wrong("drift", second, expected))?,
                ))
            }
            "mains" => Ok(Self::Mains(at("mains", first)?, switch("mains", second)?)),
            "plug" => plug(first, second),
            "data-set" => data_set(rest),
            other => Err(CommandError::Unknown(other.chars().take(40).collect())),
        }
    }
}

fn wrong(command: &'static str, found: &str, expected: &'static str) -> CommandError {
    CommandError::Argument { command, found: found.chars().take(80).collect(), expected }
}

fn at(command: &'static str, text: &str) -> Result<At, CommandError> {
    match place(text) {
        Ok((rig, device, None)) => Ok(At { rig, device }),
        _ => Err(wrong(command, text, "a device, such as ESME or rig-1/ESME")),
    }
}

fn rig(command: &'static str, text: &str) -> Result<Option<Name>, CommandError> {
    let parsed = (!text.is_empty()).then(|| text.parse()).transpose();
    parsed.map_err(|_| wrong(command, text, "the name of a rig"))
}

/// `clear`, `clear rig-1`, `clear 3`, `clear rig-1 3`.
fn clear(first: &str, second: &str) -> Result<Command, CommandError> {
    let number =
        |text: &str| text.parse().map(FaultId).map_err(|_| wrong("clear", text, "the number of a fault"));
    match (number(first), second) {
        (Ok(id), "") => Ok(Command::Clear(None, Some(id))),
        (_, "") => Ok(Command::Clear(rig("clear", first)?, None)),
        (_, second) => Ok(Command::Clear(rig("clear", first)?, Some(number(second)?))),
    }
}

fn load(text: &str) -> Result<Option<u32>, CommandError> {
    match text {
        "household" => Ok(None),
        number => number.parse().map(Some).map_err(|_| wrong("load", text, "a number, or `household`")),
    }
}

fn jump(text: &str) -> Result<SignedDuration, CommandError> {
    let jump: Option<SignedDuration> = text.trim_start_matches('+').parse().ok();
    jump.filter(|jump| jump.unsigned_abs().as_secs() <= FURTHEST)
        .ok_or_else(|| wrong("clock", text, "a time of at most ten years, such as 90s or -2h"))
}

fn switch(command: &'static str, text: &str) -> Result<bool, CommandError> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(wrong(command, text, "on or off")),
    }
}

fn plug(first: &str, second: &str) -> Result<Command, CommandError> {
    match place(first) {
        Ok((rig, device, Some(path))) => Ok(Command::Plug(At { rig, device }, path, switch("plug", second)?)),
        _ => Err(wrong("plug", first, "a port, such as ESME/optical")),
    }
}

/// `data-set "..."` or `data-set rig-1 "..."`: the text of a data set, as a string of JSON.
fn data_set(rest: &str) -> Result<Command, CommandError> {
    let (named, text) = match rest.split_once('"') {
        Some((named, _)) => (named, rest.get(named.len()..).unwrap_or_default()),
        None => return Err(wrong("data-set", rest, "the text of a data set, as a string of JSON")),
    };
    let text: String = serde_json::from_str(text)
        .map_err(|_| wrong("data-set", text, "the text of a data set, as a string of JSON"))?;
    let loads = Load::of_data_set(&Document::new("data set", text))?;
    Ok(Command::DataSet(rig("data-set", named.trim())?, loads))
}

impl Command {
    /// Carries it out; what there is to say of it.
    ///
    /// # Errors
    /// [`CommandError`]: no such rig or device, or nothing it can do.
    pub fn carry_out(&self, estate: &Estate) -> Result<Value, CommandError> {
        match self {
            Self::List => Ok(list(estate)),
            Self::State(at) => Ok(json!(hand(estate, at)?.state())),
            Self::Fault(placed) => {
                let (rig, id) = estate.arm(placed)?;
                Ok(json!({ "rig": rig, "number": id.0, "fault": placed.to_string() }))
            }
            Self::Faults(rig) => Ok(json!(estate.faults(&estate.the_rig(rig.as_ref())?)?)),
            Self::Clear(rig, which) => {
                let cleared = estate.clear(&estate.the_rig(rig.as_ref())?, *which)?;
                Ok(json!({ "cleared": cleared }))
            }
            Self::Keys(at, keys) => Ok(json!(format!("{:?}", hand(estate, at)?.press_keys(keys)?))),
            Self::Token(at, digits) => Ok(match hand(estate, at)?.enter_token(digits)? {
                Ok(pence) => json!({ "pence": pence }),
                Err(refusal) => json!({ "refused": refusal }),
            }),
            Self::Load(at, load) => Ok(json!(hand(estate, at)?.set_load(*load)?)),
            Self::Clock(at, by) => {
                let millis = i64::try_from(by.as_millis()).unwrap_or_default();
                Ok(json!(hand(estate, at)?.jump_clock(millis)?))
            }
            Self::Drift(at, ppm) => Ok(json!(hand(estate, at)?.drift_clock(*ppm)?)),
            Self::Mains(at, on) => Ok(json!(hand(estate, at)?.mains(*on)?)),
            Self::DataSet(rig, loads) => {
                let rig = estate.the_rig(rig.as_ref())?;
                estate.load(&rig, loads)?;
                let devices: Vec<String> = loads.iter().map(|load| load.device().to_string()).collect();
                Ok(json!({ "rig": rig, "loaded": devices }))
            }
            Self::Plug(at, path, true) => Ok(json!(hand(estate, at)?.restore_link(*path)?)),
            Self::Plug(at, path, false) => Ok(json!(hand(estate, at)?.pull_link(*path)?)),
        }
    }
}

fn hand(estate: &Estate, at: &At) -> Result<Hand, CommandError> {
    Ok(estate.hand(&estate.the_rig(at.rig.as_ref())?, at.device)?)
}

fn list(estate: &Estate) -> Value {
    let one = |(rig, kind): (&str, DeviceKind)| {
        let here = estate.endpoints().iter().filter(|endpoint| endpoint.rig == rig && endpoint.kind == kind);
        let links: Vec<Value> = here
            .map(|endpoint| json!({ "path": endpoint.path.to_string(), "link": endpoint.link.to_string() }))
            .collect();
        json!({ "rig": rig, "device": kind.to_string(), "links": links })
    };
    estate.devices().into_iter().map(one).collect()
}
