//! Arguments of `harness serve`, `harness pki` and `harness people`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use proto_lab::record::{ActorName, Role};

use super::{KeyChoice, LabChoice, Published, RUNS};
use crate::evidence::CosignerKey;
use crate::server::pki::{Host, Standing};

/// Where the lab's authority is unless told otherwise.
const PKI: &str = "pki";

/// `harness serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Which lab
    #[command(flatten)]
    pub lab: LabChoice,
    /// Where the run folders are
    #[arg(long, value_name = "FOLDER", default_value = RUNS)]
    pub runs: PathBuf,
    /// Which key
    #[command(flatten)]
    pub keys: KeyChoice,
    /// Where witnesses and boards watch; port 0 for any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:50051")]
    pub watch: SocketAddr,
    /// Where engineers, schedulers and stations call; port 0 for any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:50052")]
    pub control: SocketAddr,
    /// Folder of the lab's authority, made by `harness pki init`
    #[arg(long, value_name = "FOLDER", default_value = PKI)]
    pub pki: PathBuf,
    /// File of the people; default: `people.toml` in the authority's folder
    #[arg(long, value_name = "FILE")]
    pub people: Option<PathBuf>,
    /// Ask nobody on this machine for credentials; both addresses must be loopback
    #[arg(long, conflicts_with_all = ["pki", "people"])]
    pub loopback_without_credentials: bool,
    /// A witness's cosigner key that counts where nobody is asked for credentials; may be given more than once
    #[arg(long = "witness", value_name = "KEY", requires = "loopback_without_credentials")]
    pub witnesses: Vec<CosignerKey>,
    /// What is published for dashboards
    #[command(flatten)]
    pub published: Published,
    /// Print the addresses as JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness pki`
#[derive(Debug, Subcommand)]
pub enum Pki {
    /// Make the lab's authority, and the controller's certificate
    Init(PkiInit),
    /// Issue a certificate for a program, with the role it has
    Issue(PkiIssue),
    /// Take back a certificate; the controller knows at the next handshake
    Revoke(PkiRevoke),
    /// List the certificates issued
    Show(PkiShow),
}

/// `harness pki init`
#[derive(Debug, Args)]
pub struct PkiInit {
    /// Folder of the authority
    #[arg(long, value_name = "FOLDER", default_value = PKI)]
    pub pki: PathBuf,
    /// The lab's name
    #[arg(long, value_name = "NAME")]
    pub lab: ActorName,
    /// A name or address by which programs reach the controller, besides localhost; may be given more than once
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<Host>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness pki issue`
#[derive(Debug, Args)]
pub struct PkiIssue {
    /// Who shows the certificate
    #[arg(value_name = "NAME")]
    pub name: ActorName,
    /// As what: engineer, witness, scheduler, board or station; server renews the controller's own
    #[arg(long, value_name = "ROLE")]
    pub role: Standing,
    /// Folder of the authority
    #[arg(long, value_name = "FOLDER", default_value = PKI)]
    pub pki: PathBuf,
    /// Folder for the certificate and its key; default: here
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub to: PathBuf,
    /// How many days it is valid
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub days: u32,
    /// With `--role server`: a name or address by which programs reach the controller; may be given more than once
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<Host>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness pki revoke`
#[derive(Debug, Args)]
pub struct PkiRevoke {
    /// The name on the certificate, which takes back all of that name, or its serial number
    #[arg(value_name = "NAME|SERIAL")]
    pub which: String,
    /// Folder of the authority
    #[arg(long, value_name = "FOLDER", default_value = PKI)]
    pub pki: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness pki show`
#[derive(Debug, Args)]
pub struct PkiShow {
    /// Folder of the authority
    #[arg(long, value_name = "FOLDER", default_value = PKI)]
    pub pki: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness people`
#[derive(Debug, Subcommand)]
pub enum People {
    /// Add somebody
    Add(PeopleAdd),
    /// Register a key that a witness among them cosigns with; their page shows it
    Key(PeopleKey),
    /// Remove somebody; their sessions end
    Remove(PeopleRemove),
    /// List everybody
    List(PeopleList),
}

/// Which file of people.
#[derive(Debug, Args)]
pub struct PeopleAt {
    /// File of the people
    #[arg(long = "people", value_name = "FILE", default_value = "pki/people.toml")]
    pub path: PathBuf,
}

/// `harness people add`
#[derive(Debug, Args)]
pub struct PeopleAdd {
    /// Their name
    #[arg(value_name = "NAME")]
    pub name: ActorName,
    /// Their role: engineer, witness, scheduler or board
    #[arg(long, value_name = "ROLE")]
    pub role: Role,
    /// Which file
    #[command(flatten)]
    pub at: PeopleAt,
    /// Environment variable that holds their password, so that it stays out of the shell's history
    #[arg(long, value_name = "VARIABLE", conflicts_with = "password_file")]
    pub password_env: Option<String>,
    /// File that holds their password on its first line; /dev/stdin to type it
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// A key they cosign with (name+hash+base64); may be given more than once
    #[arg(long = "cosigner-key", value_name = "KEY")]
    pub cosigner_keys: Vec<CosignerKey>,
}

/// `harness people key`
#[derive(Debug, Args)]
pub struct PeopleKey {
    /// Their name
    #[arg(value_name = "NAME")]
    pub name: ActorName,
    /// The key they cosign with (name+hash+base64)
    #[arg(value_name = "KEY")]
    pub key: CosignerKey,
    /// Which file
    #[command(flatten)]
    pub at: PeopleAt,
}

/// `harness people remove`
#[derive(Debug, Args)]
pub struct PeopleRemove {
    /// Their name
    #[arg(value_name = "NAME")]
    pub name: ActorName,
    /// Which file
    #[command(flatten)]
    pub at: PeopleAt,
}

/// `harness people list`
#[derive(Debug, Args)]
pub struct PeopleList {
    /// Which file
    #[command(flatten)]
    pub at: PeopleAt,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
