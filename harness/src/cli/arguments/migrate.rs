//! The command line of `harness migrate`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use lab_config::{Eui64, InstallationType, PartyRole};

use super::{KeyChoice, RUNS};
use crate::migration::exchange::Loss;

/// `harness migrate`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Migrate {
    /// Something else than a batch
    #[command(subcommand)]
    pub verb: Option<MigrateVerb>,
    /// A batch
    #[command(flatten)]
    pub batch: MigrateBatch,
}

/// What else there is.
#[derive(Debug, Subcommand)]
pub enum MigrateVerb {
    /// Explain migration files, and say whether their signatures hold
    Show(MigrateShow),
    /// Run one party of migrations as a program of its own, which exchanges files by a folder or over HTTPS
    Party(MigrateParty),
}

/// A batch of installations.
#[derive(Debug, Args)]
pub struct MigrateBatch {
    /// The lab file; without it, the embedded lab
    #[arg(long, value_name = "FILE")]
    pub lab: Option<PathBuf>,
    /// A rig whose installation is meant; may be given more than once; default: the only one
    #[arg(long = "rig", value_name = "NAME")]
    pub rigs: Vec<String>,
    /// The installations of all rigs
    #[arg(long, conflicts_with = "rigs")]
    pub all: bool,
    /// What the installations are: dormant, active or mixed; default: the first kind that the lab's EPCL has for each combination
    #[arg(long, value_name = "KIND")]
    pub kind: Option<InstallationType>,
    /// Installations of a group
    #[arg(long, value_name = "N", default_value = "10", value_parser = group_size)]
    pub group_size: NonZeroUsize,
    /// Groups under way at once; one after another where a party is outside
    #[arg(long, value_name = "N", default_value = "4", value_parser = at_once)]
    pub at_once: NonZeroUsize,
    /// How often an installation is tried whose attempt fails
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub attempts: u8,
    /// Have the SMSO bring dormant devices to the firmware and configuration of their entry first
    #[arg(long)]
    pub prepare: bool,
    /// Try installations again that were excluded after failures
    #[arg(long)]
    pub lift: bool,
    /// Rehearse the loss of a party: in each group it is lost while it works on its Nth file, so long after it was handed that,
    /// and answers nothing any more; `--recover` brings the installations to one side then
    #[arg(long, value_name = "PARTY@N[+MILLISECONDSms]")]
    pub lose: Option<Loss>,
    /// Leave the installations migrated, instead of taking each back to its SMSO once that is proved
    #[arg(long)]
    pub keep: bool,
    /// Finish, or take back, what a controller that ended on the way has left; nothing else is migrated
    #[arg(long, conflicts_with_all = ["keep", "take_back", "prepare", "lose"])]
    pub recover: bool,
    /// Take installations back to their SMSO that were left migrated
    #[arg(long, conflicts_with_all = ["keep", "prepare"])]
    pub take_back: bool,
    /// Where run folders go
    #[arg(long, value_name = "FOLDER", default_value = RUNS)]
    pub runs: PathBuf,
    /// Which key
    #[command(flatten)]
    pub keys: KeyChoice,
    /// Print JSON, one line for each record
    #[arg(long)]
    pub json: bool,
}

/// `harness migrate show`
#[derive(Debug, Args)]
pub struct MigrateShow {
    /// Migration files
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Certificates to check signatures with: PEM files, each certificate under a line with its party, such as
    /// `smso 90-B3-D5-1F-30-03-00-02`
    #[arg(long = "certificate", value_name = "FILE")]
    pub certificates: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness migrate party`
#[derive(Debug, Args)]
pub struct MigrateParty {
    /// Its role, such as requesting-party
    #[arg(value_name = "ROLE", value_parser = role)]
    pub role: PartyRole,
    /// The lab file of migration control, in which the party is outside
    #[arg(long, value_name = "FILE")]
    pub lab: PathBuf,
    /// The folder it exchanges files by: it reads `in` and writes `out`; default: as the lab file has it
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Where it listens for files over HTTPS; default: host and port of its url in the lab file
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "folder")]
    pub listen: Option<SocketAddr>,
    /// Whose certificates it believes over HTTPS, in PEM
    #[arg(long, value_name = "FILE", requires_all = ["tls_certificate", "tls_key"])]
    pub tls_ca: Option<PathBuf>,
    /// The certificate it shows over HTTPS, in PEM
    #[arg(long, value_name = "FILE", requires_all = ["tls_ca", "tls_key"])]
    pub tls_certificate: Option<PathBuf>,
    /// The key of that certificate, in PEM
    #[arg(long, value_name = "FILE", requires_all = ["tls_ca", "tls_certificate"])]
    pub tls_key: Option<PathBuf>,
    /// The key it signs with, in PEM; its certificate is that of the lab file
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The key it opens secrets with, in PEM; for the S1SP and the DCO
    #[arg(long, value_name = "FILE")]
    pub opening_key: Option<PathBuf>,
    /// Which supplier it is, where the lab file does not say
    #[arg(long, value_name = "EUI-64")]
    pub id: Option<Eui64>,
    /// What the installations are: dormant, active or mixed; default: as for a batch
    #[arg(long, value_name = "KIND")]
    pub kind: Option<InstallationType>,
    /// Print JSON, one line for each file
    #[arg(long)]
    pub json: bool,
}

fn within(text: &str, most: usize) -> Result<NonZeroUsize, String> {
    let number = text.parse::<NonZeroUsize>().ok().filter(|number| number.get() <= most);
    number.ok_or_else(|| format!("expected a number from 1 to {most}"))
}

fn group_size(text: &str) -> Result<NonZeroUsize, String> {
    within(text, crate::migration::Group::MOST)
}

fn at_once(text: &str) -> Result<NonZeroUsize, String> {
    within(text, 64)
}

fn role(text: &str) -> Result<PartyRole, String> {
    let others = PartyRole::ALL.into_iter().filter(|role| *role != PartyRole::MigrationControl);
    let known: Vec<PartyRole> = others.collect();
    known.iter().copied().find(|role| role.word() == text).ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|role| role.word()).collect();
        format!("expected one of {}", words.join(", "))
    })
}
