//! `harness station`

use std::path::PathBuf;

use clap::Args;
use lab_config::HttpUrl;

/// `harness station`
#[derive(Debug, Args)]
pub struct Station {
    /// The lab's controller: the control listener of `harness serve`
    #[arg(long, value_name = "URL")]
    pub controller: HttpUrl,
    /// What is offered, and what the safe state of it is
    #[arg(long, value_name = "FILE")]
    pub offer: PathBuf,
    /// The lab's authority, in PEM, for a controller over TLS
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// This station's certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// Its private key, in PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
    /// Where the numbers of leases are kept over restarts; default: `stations` in the state folder
    #[arg(long, value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// Check the offer file and say what it offers, without dialling
    #[arg(long)]
    pub check: bool,
    /// Print what comes to pass as JSON, one line each
    #[arg(long)]
    pub json: bool,
}
