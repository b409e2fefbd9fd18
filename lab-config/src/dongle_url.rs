//! ZigBee dongles, written as URLs.
//!
//! | URL | dongle |
//! |---|---|
//! | `ezsp:///dev/ttyUSB0?baud=115200&flow=rts-cts` | a network co-processor that speaks EZSP over ASH on a serial port |
//! | `sim:` | a simulated one, with the simulated devices of its rig within reach |
//! | `sim:?network=formed` | the same, that has formed its network already, and those devices are in it |
//!
//! Dongles come with firmware for one of two lines: 115200 baud with RTS/CTS, or 57600 baud with XON/XOFF. A wrong
//! guess looks like a dead dongle, so `flow` must be said; `baud` is 115200, with `xon-xoff` 57600, unless said.
//! `response` is the longest wait for the response to a command, as `10s`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::link_url::{BAUD_RATES, FlowControl, LinkUrlError, SerialPath, duration};
use crate::nearest::nearest;

/// Where a dongle is, and how its line is set.
///
/// ```
/// use lab_config::{DongleUrl, FlowControl};
///
/// let url: DongleUrl = "ezsp:///dev/ttyUSB0?flow=xon-xoff".parse()?;
/// assert!(matches!(&url, DongleUrl::Serial(line) if line.flow == FlowControl::XonXoff && line.baud == 57_600));
/// assert_eq!(url.to_string(), "ezsp:///dev/ttyUSB0?baud=57600&flow=xon-xoff");
/// # Ok::<(), lab_config::DongleUrlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DongleUrl {
    /// On a serial port.
    Serial(DongleLine),
    /// Simulated: whoever starts it says where it answers.
    Simulated(SimulatedNetwork),
}

crate::vocabulary! {
    /// The network a simulated dongle begins with.
    pub enum SimulatedNetwork {
        /// None, as a dongle comes from its maker.
        None = "none",
        /// One that it formed earlier, with the rig's devices in it.
        Formed = "formed",
    }
}

/// The serial line of a dongle.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DongleLine {
    /// The port.
    pub path: SerialPath,
    /// Speed in baud, one of [`BAUD_RATES`].
    pub baud: u32,
    /// Flow control.
    pub flow: FlowControl,
    /// Longest wait for the response to a command.
    pub response: Duration,
}

impl DongleUrl {
    /// Wait for the response to a command, when the URL does not say.
    pub const RESPONSE: Duration = Duration::from_secs(10);
    const SCHEME: &'static str = "ezsp://";

    /// Whether a text is meant to be one rather than a link to a meter.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("ezsp:")
    }

    /// A dongle on a pseudo-terminal.
    ///
    /// # Errors
    /// The name is none a URL can hold.
    pub fn pseudo_terminal(name: &str) -> Result<Self, DongleUrlError> {
        format!("{}{name}?flow=none", Self::SCHEME).parse()
    }
}

/// Why a text is no dongle URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DongleUrlError {
    /// It begins with no known scheme.
    #[error("a dongle begins with ezsp:// or is sim:, not `{0}`; write ezsp:///dev/ttyUSB0?flow=rts-cts")]
    Scheme(String),
    /// The device path.
    #[error(transparent)]
    Path(#[from] LinkUrlError),
    /// The flow control is not said.
    #[error(
        "no flow control: write flow=rts-cts (usually at 115200 baud) or flow=xon-xoff (usually at 57600 baud), as the \
         dongle's firmware has it"
    )]
    NoFlow,
    /// A parameter without `=`, or twice.
    #[error("parameter `{0}` is to be said once, as name=value")]
    Parameter(String),
    /// A parameter nobody knows.
    #[error("unknown parameter `{name}`: {advice}")]
    Unknown {
        /// The name found.
        name: String,
        /// The nearest known one, or all of them.
        advice: String,
    },
    /// A parameter whose value is refused.
    #[error("parameter `{name}`: `{found}` is not {expected}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// The value found.
        found: String,
        /// What it should be.
        expected: String,
    },
}

/// What the parameters of a URL say.
#[derive(Default)]
struct Said {
    baud: Option<u32>,
    flow: Option<FlowControl>,
    response: Option<Duration>,
}

impl Said {
    fn hear(&mut self, parameter: &str) -> Result<(), DongleUrlError> {
        let again = || DongleUrlError::Parameter(parameter.to_owned());
        let (name, value) = parameter.split_once('=').ok_or_else(again)?;
        let new = match name {
            "baud" => self.baud.replace(baud(value)?).is_none(),
            "flow" => self.flow.replace(flow(value)?).is_none(),
            "response" => self.response.replace(response(value)?).is_none(),
            other => return Err(unknown(other)),
        };
        if new { Ok(()) } else { Err(again()) }
    }
}

/// What stands behind `sim:`.
fn simulated(rest: &str) -> Result<DongleUrl, DongleUrlError> {
    let network = match rest.strip_prefix('?').map(|parameter| parameter.split_once('=')) {
        None if rest.is_empty() => SimulatedNetwork::None,
        Some(Some(("network", value))) => {
            value.parse().map_err(|error: crate::UnknownWord| refused("network", value, error.known))?
        }
        _ => return Err(DongleUrlError::Parameter(rest.chars().take(40).collect())),
    };
    Ok(DongleUrl::Simulated(network))
}

fn baud(value: &str) -> Result<u32, DongleUrlError> {
    let known = value.parse().ok().filter(|baud| BAUD_RATES.contains(baud));
    known.ok_or_else(|| refused("baud", value, format!("one of {BAUD_RATES:?}")))
}

fn flow(value: &str) -> Result<FlowControl, DongleUrlError> {
    value.parse().map_err(|error: crate::UnknownWord| refused("flow", value, error.known))
}

fn response(value: &str) -> Result<Duration, DongleUrlError> {
    duration(value).ok_or_else(|| refused("response", value, "a time such as 10s or 500ms".to_owned()))
}

fn refused(name: &'static str, found: &str, expected: String) -> DongleUrlError {
    DongleUrlError::Value { name, found: found.chars().take(40).collect(), expected }
}

fn unknown(name: &str) -> DongleUrlError {
    let known = ["baud", "flow", "response"];
    let advice = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("a dongle has {}", known.join(", ")),
    };
    DongleUrlError::Unknown { name: name.chars().take(40).collect(), advice }
}

impl FromStr for DongleUrl {
    type Err = DongleUrlError;

    fn from_str(text: &str) -> Result<Self, DongleUrlError> {
        if let Some(rest) = text.strip_prefix("sim:") {
            return simulated(rest);
        }
        let rest = text
            .strip_prefix(Self::SCHEME)
            .ok_or_else(|| DongleUrlError::Scheme(text.chars().take(40).collect()))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut said = Said::default();
        for parameter in query.split('&').filter(|_| !query.is_empty()) {
            said.hear(parameter)?;
        }
        let path = path.parse()?;
        let flow = said.flow.ok_or(DongleUrlError::NoFlow)?;
        let usual = if flow == FlowControl::XonXoff { 57_600 } else { 115_200 };
        Ok(Self::Serial(DongleLine {
            path,
            baud: said.baud.unwrap_or(usual),
            flow,
            response: said.response.unwrap_or(Self::RESPONSE),
        }))
    }
}

impl fmt::Display for DongleUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = match self {
            Self::Serial(line) => line,
            Self::Simulated(SimulatedNetwork::None) => return f.write_str("sim:"),
            Self::Simulated(network) => return write!(f, "sim:?network={network}"),
        };
        write!(f, "{}{}?baud={}&flow={}", Self::SCHEME, line.path.as_str(), line.baud, line.flow)?;
        match line.response {
            Self::RESPONSE => Ok(()),
            other => write!(f, "&response={}ms", other.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dongle_reads_back_as_it_is_written() {
        for text in [
            "sim:",
            "sim:?network=formed",
            "ezsp:///dev/ttyUSB0?baud=115200&flow=rts-cts",
            "ezsp:///dev/ttyACM0?baud=460800&flow=none&response=500ms",
        ] {
            assert_eq!(text.parse::<DongleUrl>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        let why = |text: &str| text.parse::<DongleUrl>().unwrap_err().to_string();
        assert!(why("ezsp:///dev/ttyUSB0").contains("write flow=rts-cts (usually at 115200 baud)"));
        assert!(why("serial:///dev/ttyUSB0").contains("begins with ezsp://"));
        assert!(why("ezsp://ttyUSB0?flow=none").contains("no device path"));
        let unknown = why("ezsp:///dev/x?flwo=none");
        assert_eq!(unknown, "unknown parameter `flwo`: a dongle has baud, flow, response");
        assert!(why("sim:?network=mesh").contains("parameter `network`: `mesh` is not none, formed"));
        assert!(why("sim:x").contains("to be said once"));
        assert!(why("ezsp:///dev/x?flow=hardware").contains("is not none, rts-cts, xon-xoff"));
        assert!(why("ezsp:///dev/x?flow=none&baud=1").contains("parameter `baud`: `1` is not one of"));
        assert!(why("ezsp:///dev/x?flow=none&flow=none").contains("to be said once"));
        assert!(why("ezsp:///dev/x?flow=none&response=soon").contains("a time such as 10s"));
    }
}
