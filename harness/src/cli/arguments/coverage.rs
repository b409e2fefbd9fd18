//! The command line of `harness coverage`.

use std::path::PathBuf;

use clap::Args;

use super::{KeyChoice, LabChoice};

/// `harness coverage`
#[derive(Debug, Args)]
pub struct Coverage {
    /// A run folder: requirements and functional groups by what its tests came to, from its records; without it, what packs
    /// cover
    #[arg(value_name = "RUN", conflicts_with = "packs")]
    pub run: Option<PathBuf>,
    /// A pack, by name or folder; may be given more than once; default: the standard packs of the combination's release
    #[arg(long = "pack", value_name = "PACK")]
    pub packs: Vec<String>,
    /// Which lab: scripts that do not apply to its rig cover nothing there
    #[command(flatten)]
    pub lab: LabChoice,
    /// Which key folder the run's evidence is checked with
    #[command(flatten)]
    pub keys: KeyChoice,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
