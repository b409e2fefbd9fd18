//! The command line, as clap reads it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use lab_config::cosem::Obis;
use lab_config::{KeySource, SecretSource, SecurityPolicy};
use proto_dlms::security::SystemTitle;

mod coverage;
mod duis;
mod migrate;
mod send;
mod serve;
mod station;

pub(super) use coverage::Coverage;
pub(super) use duis::{Duis, DuisBuild, DuisDiff, DuisShow, DuisSign, DuisValidate};
pub(super) use migrate::{Migrate, MigrateBatch, MigrateParty, MigrateShow, MigrateVerb};
pub(super) use send::Send;
pub(super) use serve::{
    People, PeopleAdd, PeopleKey, PeopleList, PeopleRemove, Pki, PkiInit, PkiIssue, PkiRevoke, PkiShow, Serve,
};
pub(super) use station::{Published, Station};

/// Where run folders go unless told otherwise.
const RUNS: &str = "runs";

/// Lab controller for the DMCT process: proves a rig, runs the standard test packs on it, leaves evidence and a DMCT Report.
///
/// Without a verb it runs the standard packs on the embedded lab, whose devices are simulated, and prints where the DMCT
/// Report is.
#[derive(Debug, Parser)]
#[command(name = "harness", version, disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Read a lab file and packs, and say everything that is wrong or unverified in them
    Check(Check),
    /// List the test data sets, or say what is in one
    DataSets(DataSets),
    /// Prove a rig against its Device Models, or find out what answers on one link
    Probe(Probe),
    /// Run test packs on a rig and write the DMCT Report
    Run(Run),
    /// Send one Service Request by hand and explain its answer
    Send(Send),
    /// Migrate installations in batches, take them back, or explain migration files
    Migrate(Migrate),
    /// Show a run as its records arrive
    Watch(Watch),
    /// Be the lab's controller: let people and programs watch runs and act on them
    Serve(Serve),
    /// Make the lab's own certificate authority, issue certificates and take them back
    #[command(subcommand)]
    Pki(Pki),
    /// Say who may sign in, and whose cosignatures count
    #[command(subcommand)]
    People(People),
    /// Lend this computer's serial ports, sockets and actuators to the lab's controller
    Station(Station),
    /// Check the evidence of a run without trusting the lab
    Verify(Verify),
    /// Write the DMCT Report of a run again from its records
    Report(Report),
    /// Say what packs cover, or what a run came to by requirement and functional group
    Coverage(Coverage),
    /// Read one attribute of one COSEM object over any link
    Read(Read),
    /// Explain hexadecimal or a capture, layer by layer in words
    Decode(Decode),
    /// Build, sign, explain, validate and compare DUIS messages
    #[command(subcommand)]
    Duis(Duis),
    /// Look at a home area network by a ZigBee dongle
    #[command(subcommand)]
    Zigbee(Zigbee),
}

impl Default for Verb {
    fn default() -> Self {
        Self::Run(Run::default())
    }
}

/// Which lab.
#[derive(Debug, Clone, Default, Args)]
pub struct LabChoice {
    /// The lab file; without it, the embedded lab
    #[arg(long, value_name = "FILE")]
    pub lab: Option<PathBuf>,
    /// The rig, where the lab has several
    #[arg(long, value_name = "NAME")]
    pub rig: Option<String>,
}

/// How evidence is signed and checked.
#[derive(Debug, Clone, Default, Args)]
pub struct KeyChoice {
    /// Folder of the lab's signing key, made on first use; default: `keys` beside the run folders
    #[arg(long, value_name = "FOLDER")]
    pub keys: Option<PathBuf>,
}

/// `harness check`
#[derive(Debug, Args)]
pub struct Check {
    /// The lab file; without it, the embedded lab
    #[arg(value_name = "LAB")]
    pub lab: Option<PathBuf>,
    /// A pack folder to check as well; may be given more than once
    #[arg(long = "pack", value_name = "FOLDER")]
    pub packs: Vec<PathBuf>,
    /// A test data set to check as well, by file; may be given more than once
    #[arg(long = "data-set", value_name = "FILE")]
    pub data_sets: Vec<PathBuf>,
    /// Write the lock of each pack folder given, agreeing to its scripts as they are
    #[arg(long, requires = "packs")]
    pub write_lock: bool,
    /// Name each fact of the Device Models that nobody has seen on a device
    #[arg(long)]
    pub facts: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness data-sets`
#[derive(Debug, Args)]
pub struct DataSets {
    /// The data set to look into, by name or file; without it, those inside the program are listed
    #[arg(value_name = "SET")]
    pub set: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness probe`
#[derive(Debug, Args)]
pub struct Probe {
    /// One link to look at, such as tcp://host:4059 or serial:///dev/ttyUSB0?sign-on=auto; without it, a whole rig
    #[arg(value_name = "LINK", conflicts_with_all = ["lab", "rig"])]
    pub link: Option<String>,
    /// Which lab
    #[command(flatten)]
    pub lab: LabChoice,
    /// How to sign on to the meter at LINK
    #[command(flatten)]
    pub access: Access,
    /// Look for the address of the meter on LINK
    #[arg(long, requires = "link")]
    pub scan: bool,
    /// How long to look, in seconds
    #[arg(long, value_name = "SECONDS", requires = "scan", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub within: u32,
    /// Write what crosses LINK into this new pcapng file
    #[arg(long, value_name = "FILE", requires = "link")]
    pub capture: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness run`
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// Which lab
    #[command(flatten)]
    pub lab: LabChoice,
    /// A pack to run, by name or folder; may be given more than once; default: the standard packs of the combination's release
    #[arg(long = "pack", value_name = "PACK")]
    pub packs: Vec<String>,
    /// Run only this script; may be given more than once. The rest is recorded as not run
    #[arg(long = "script", value_name = "ID")]
    pub scripts: Vec<String>,
    /// A script that will be witnessed; may be given more than once. The choice is recorded before the run begins
    #[arg(long = "witness", value_name = "ID")]
    pub witnessed: Vec<String>,
    /// A test data set to be loaded first, by name or file; may be given more than once. Those a pack requires are loaded anyway
    #[arg(long = "data-set", value_name = "SET")]
    pub data_sets: Vec<String>,
    /// Go on with a run whose controller died, by its folder: with the lab, and the packs, that it was begun with
    #[arg(long, value_name = "RUN", conflicts_with_all = ["rig", "scripts", "runs"])]
    pub resume: Option<PathBuf>,
    /// A fault file for the rig's simulated devices, armed before the first script: wrong behaviours, say, that scripts must find
    #[arg(long, value_name = "FILE")]
    pub faults_file: Option<PathBuf>,
    /// Where run folders go
    #[arg(long, value_name = "FOLDER", default_value = RUNS)]
    pub runs: PathBuf,
    /// Which key
    #[command(flatten)]
    pub keys: KeyChoice,
    /// Print JSON, one line for each event
    #[arg(long)]
    pub json: bool,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            lab: LabChoice::default(),
            packs: Vec::new(),
            scripts: Vec::new(),
            witnessed: Vec::new(),
            data_sets: Vec::new(),
            resume: None,
            faults_file: None,
            runs: PathBuf::from(RUNS),
            keys: KeyChoice::default(),
            json: false,
        }
    }
}

/// `harness watch`
#[derive(Debug, Args)]
pub struct Watch {
    /// The run folder; or where a lab is served, such as https://lab.example:50051 for its latest run, or
    /// https://lab.example:50051/RUN: the evidence is then checked here, and the signed head is kept
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// The verifier key you expect the run to be signed by (a file, or the key itself), where it is served by a lab
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// The lab's authority, in PEM, for a lab served over TLS
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Your certificate, in PEM, issued by that lab to a witness
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub certificate: Option<PathBuf>,
    /// Its private key, in PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key_file: Option<PathBuf>,
    /// Print the records themselves
    #[arg(long)]
    pub json: bool,
}

/// `harness verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// The run folder, or the folder of all runs: then it is also said which run is missing
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// A verifier key you trust (a file, or the key itself); default: the lab's own key in the key folder
    #[arg(long = "key", value_name = "KEY")]
    pub trusted: Vec<String>,
    /// A witness's cosigner key you trust (a file, or the key itself); may be given more than once
    #[arg(long = "witness", value_name = "KEY")]
    pub witnesses: Vec<String>,
    /// A signed head that a witness saved: the run must extend it; may be given more than once
    #[arg(long = "head", value_name = "FILE")]
    pub heads: Vec<PathBuf>,
    /// Which key folder
    #[command(flatten)]
    pub keys: KeyChoice,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness report`
#[derive(Debug, Args)]
pub struct Report {
    /// The run folder
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Where to write the report; default: the run folder
    #[arg(long, value_name = "FOLDER")]
    pub to: Option<PathBuf>,
    /// Which key folder
    #[command(flatten)]
    pub keys: KeyChoice,
    /// Write the witness report instead: what came of the scripts chosen to be witnessed (13.17)
    #[arg(long)]
    pub witness: bool,
    /// Print the report as JSON instead of writing files
    #[arg(long)]
    pub json: bool,
}

/// How to sign on to a meter.
#[derive(Debug, Clone, Default, Args)]
pub struct Access {
    /// Client SAP; default: that of the link URL, else 16 (public), or 1 with a password
    #[arg(long, value_name = "SAP")]
    pub client: Option<u16>,
    /// Server (logical device) address; default: that of the link URL, else 1
    #[arg(long, value_name = "ADDRESS")]
    pub server: Option<u16>,
    /// Environment variable that holds the low-level password, so that it stays out of the shell's history
    #[arg(long, value_name = "VARIABLE", conflicts_with = "password_file")]
    pub password_env: Option<String>,
    /// File that holds the low-level password on its first line
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Keys, for meters with security suite 0
    #[command(flatten)]
    pub keys: Keys,
}

/// Keys of security suite 0. They are never given on the command line itself, which others on the machine can read.
#[derive(Debug, Clone, Default, Args)]
pub struct Keys {
    /// Where the global unicast encryption key is, in 32 hexadecimal digits: env:VARIABLE or file:PATH
    #[arg(long, value_name = "SOURCE", value_parser = key_source, requires = "authentication_key")]
    pub encryption_key: Option<KeySource>,
    /// Where the authentication key is: env:VARIABLE or file:PATH
    #[arg(long, value_name = "SOURCE", value_parser = key_source, requires = "encryption_key")]
    pub authentication_key: Option<KeySource>,
    /// The client's system title, in 16 hexadecimal digits; default: the lab's own, 4C41420000000001
    #[arg(long, value_name = "HEX", requires = "encryption_key")]
    pub system_title: Option<SystemTitle>,
    /// How messages are protected: clear, authenticated, encrypted or authenticated-encrypted (the default)
    #[arg(long, value_name = "HOW", requires = "encryption_key")]
    pub protection: Option<SecurityPolicy>,
    /// The object the public client reads the last invocation counter from, such as 0-0:43.1.1, asked where this machine
    /// has never used these keys
    #[arg(long, value_name = "OBIS", requires = "encryption_key")]
    pub counter_object: Option<Obis>,
}

fn key_source(text: &str) -> Result<KeySource, String> {
    let source = match text.split_once(':') {
        Some(("env", name)) if !name.is_empty() => SecretSource::Environment(name.to_owned()),
        Some(("file", path)) if !path.is_empty() => SecretSource::File(PathBuf::from(path)),
        // What was given may be the key itself: it is not repeated.
        _ => {
            return Err(
                "expected env:VARIABLE or file:PATH; a key never stands on the command line".to_owned()
            );
        }
    };
    Ok(KeySource(source))
}

/// `harness read`
#[derive(Debug, Args)]
pub struct Read {
    /// The link, such as tcp://host:4059, udp://host:4059, rfc2217://host:4001 or serial:///dev/ttyUSB0?sign-on=e
    #[arg(value_name = "LINK")]
    pub link: String,
    /// Interface class, such as 3 for a register
    #[arg(value_name = "CLASS", required_unless_present = "read_out")]
    pub class: Option<u16>,
    /// Logical name, such as 1-0:1.8.0
    #[arg(value_name = "OBIS", required_unless_present = "read_out")]
    pub obis: Option<String>,
    /// Attribute number, such as 2 for a value
    #[arg(value_name = "ATTRIBUTE", allow_negative_numbers = true, required_unless_present = "read_out")]
    pub attribute: Option<i8>,
    /// Have the meter read itself out at its optical port instead (IEC 62056-21 mode C)
    #[arg(long, conflicts_with_all = ["class", "obis", "attribute", "repeat"])]
    pub read_out: bool,
    /// How to sign on
    #[command(flatten)]
    pub access: Access,
    /// Read it N times in one association and print round trips per second and how the line was used
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeat: Option<u32>,
    /// Write what crosses the link into this new pcapng file
    #[arg(long, value_name = "FILE")]
    pub capture: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What octets are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TakenFor {
    /// Text of an optical port (IEC 62056-21)
    SignOn,
    /// An HDLC frame, with or without flags
    Hdlc,
    /// A wrapped message (IEC 62056-47)
    Wrapper,
    /// An APDU, perhaps behind an LLC or gateway header
    Apdu,
    /// A COSEM value
    Data,
    /// A ZigBee APS frame
    Aps,
    /// A ZCL frame without its APS header; name its cluster with --cluster
    Zcl,
}

/// `harness decode`
#[derive(Debug, Args)]
pub struct Decode {
    /// Hexadecimal; or a file: a pcapng capture, or text with one message in hexadecimal a line; or a run folder; or - for
    /// standard input
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<String>,
    /// What to take the octets for, instead of finding out
    #[arg(long = "as", value_name = "LAYER")]
    pub layer: Option<TakenFor>,
    /// The cluster of a ZCL frame, in hexadecimal
    #[arg(long, value_name = "HEX", value_parser = cluster)]
    pub cluster: Option<u16>,
    /// Show every octet of every frame of a capture, not one line a frame
    #[arg(long)]
    pub details: bool,
    /// Show only this frame, every octet of it
    #[arg(long, value_name = "N")]
    pub frame: Option<u64>,
    /// Where the encryption key of ciphered messages is: env:VARIABLE or file:PATH
    #[arg(long, value_name = "SOURCE", value_parser = key_source, requires = "authentication_key")]
    pub encryption_key: Option<KeySource>,
    /// Where their authentication key is: env:VARIABLE or file:PATH
    #[arg(long, value_name = "SOURCE", value_parser = key_source, requires = "encryption_key")]
    pub authentication_key: Option<KeySource>,
    /// A system title whose messages may come without an association before them; may be given more than once
    #[arg(long = "system-title", value_name = "HEX", requires = "encryption_key")]
    pub system_titles: Vec<SystemTitle>,
    /// Print JSON, one line for each frame
    #[arg(long)]
    pub json: bool,
}

/// `harness zigbee`
#[derive(Debug, Subcommand)]
pub enum Zigbee {
    /// Form a network, leaving the one the dongle was in
    Form(ZigbeeForm),
    /// List the devices in the dongle's network
    Devices(ZigbeeDevices),
    /// Read ZCL attributes of a device
    Read(ZigbeeRead),
    /// Leave the network, which is then no more
    Leave(ZigbeeLeave),
}

/// Which dongle, of every verb of `harness zigbee`
#[derive(Debug, Args)]
pub struct ZigbeeDongle {
    /// The dongle, such as ezsp:///dev/ttyUSB0?baud=115200&flow=rts-cts
    #[arg(value_name = "DONGLE")]
    pub link: String,
    /// Keep what crosses its line in this new pcapng file
    #[arg(long, value_name = "FILE")]
    pub capture: Option<PathBuf>,
}

/// `harness zigbee form`
#[derive(Debug, Args)]
pub struct ZigbeeForm {
    /// The dongle, and what is kept of the conversation with it
    #[command(flatten)]
    pub at: ZigbeeDongle,
    /// Channel of the network
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u8).range(11..=26))]
    pub channel: u8,
    /// Short identifier of the network, in hexadecimal
    #[arg(long, value_name = "HEX", default_value = "1A62", value_parser = hexadecimal)]
    pub pan_id: u16,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness zigbee devices`
#[derive(Debug, Args)]
pub struct ZigbeeDevices {
    /// The dongle, and what is kept of the conversation with it
    #[command(flatten)]
    pub at: ZigbeeDongle,
    /// Let devices join for so many seconds first
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u8).range(1..=254))]
    pub permit: Option<u8>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness zigbee read`
#[derive(Debug, Args)]
pub struct ZigbeeRead {
    /// The dongle, and what is kept of the conversation with it
    #[command(flatten)]
    pub at: ZigbeeDongle,
    /// The device's EUI-64, such as 00-DB-12-34-56-78-90-03
    #[arg(long, value_name = "EUI-64")]
    pub device: String,
    /// The endpoint its clusters are on
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=240))]
    pub endpoint: u8,
    /// The cluster, in hexadecimal, such as 0702 for Metering
    #[arg(long, value_name = "HEX", value_parser = hexadecimal)]
    pub cluster: u16,
    /// An attribute, in hexadecimal, such as 0000; may be given more than once
    #[arg(long = "attribute", value_name = "HEX", required = true, value_parser = hexadecimal)]
    pub attributes: Vec<u16>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness zigbee leave`
#[derive(Debug, Args)]
pub struct ZigbeeLeave {
    /// The dongle, and what is kept of the conversation with it
    #[command(flatten)]
    pub at: ZigbeeDongle,
}

fn hexadecimal(text: &str) -> Result<u16, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u16::from_str_radix(digits, 16)
        .map_err(|_| "expected up to four hexadecimal digits, such as 0702".to_owned())
}

fn cluster(text: &str) -> Result<u16, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u16::from_str_radix(digits, 16)
        .map_err(|_| "a cluster is four hexadecimal digits, such as 0702".to_owned())
}
