//! The command line of `harness send`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use lab_config::{DeviceKind, UserRole};

use super::{KeyChoice, LabChoice, RUNS};

/// The longest a script may wait for anything.
const LONGEST: Duration = scenarios::deadline::LONGEST;

/// `harness send`
#[derive(Debug, Args)]
pub struct Send {
    /// The Service Reference Variant, such as 4.1.1, or its body element, such as `ReadInventory`
    #[arg(value_name = "SRV")]
    pub srv: String,
    /// The device asked, such as ESME; left out for what the DCC itself answers
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceKind>,
    /// Which lab
    #[command(flatten)]
    pub lab: LabChoice,
    /// In which role; default: one that may, the gas supplier's for gas
    #[arg(long = "as", value_name = "ROLE")]
    pub role: Option<UserRole>,
    /// A field of the body, as scripts write it, `${now+30m}` and `${utrn:1000}` included; may be given more than once
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = super::duis::field)]
    pub fields: Vec<(String, String)>,
    /// How long its answer may take
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = span)]
    pub within: Duration,
    /// How long to listen for alerts after the answer
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = span)]
    pub listen: Duration,
    /// Where run folders go
    #[arg(long, value_name = "FOLDER", default_value = RUNS)]
    pub runs: PathBuf,
    /// Which key
    #[command(flatten)]
    pub keys: KeyChoice,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn span(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
    parsed
        .filter(|span| span.as_millis() > 0 && *span <= LONGEST)
        .ok_or_else(|| "expected a time from 1ms to 1h, such as 60s or 10m".to_owned())
}
