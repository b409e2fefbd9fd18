//! The command line of `harness duis`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lab_config::Eui64;

/// `harness duis`
#[derive(Debug, Subcommand)]
pub enum Duis {
    /// Say what each message is, whether it is well-formed, and whether its signatures hold
    Show(DuisShow),
    /// Print an unsigned Service Request in its canonical form
    Build(DuisBuild),
    /// Sign a message as it stands and print it
    Sign(DuisSign),
    /// Read messages as the schema has them, and say where one breaks it. Signatures are not looked at: that is show
    Validate(DuisValidate),
    /// Say element by element how two messages differ; exits with 1 where they do
    Diff(DuisDiff),
}

/// `harness duis show`
#[derive(Debug, Args)]
pub struct DuisShow {
    /// Message files; - for standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Certificates to check signatures with: PEM files, or folders of them
    #[arg(long = "certificate", value_name = "FILE")]
    pub certificates: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness duis build`
#[derive(Debug, Args)]
pub struct DuisBuild {
    /// The Service Reference Variant, such as 4.1.1, or its body element, such as `ReadInventory`
    #[arg(value_name = "SRV")]
    pub srv: String,
    /// Who asks; default: the embedded lab's user in a role that may
    #[arg(long, value_name = "EUI-64")]
    pub user: Option<Eui64>,
    /// The device asked; default: one of the embedded lab's, or its DCC for what only that answers
    #[arg(long, value_name = "EUI-64")]
    pub target: Option<Eui64>,
    /// The originator counter; default: the microseconds since 1970, as a run begins
    #[arg(long, value_name = "N")]
    pub counter: Option<u64>,
    /// A field of the body, as scripts write it, such as `TolerancePeriod=10`; may be given more than once
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = field)]
    pub fields: Vec<(String, String)>,
    /// Explain every field of the variant instead
    #[arg(long, conflicts_with_all = ["user", "target", "counter", "fields"])]
    pub list_fields: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness duis sign`
#[derive(Debug, Args)]
pub struct DuisSign {
    /// The message; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The private key, on P-256: a PEM file (PKCS#8)
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Its certificate, which the signature names: a PEM file
    #[arg(long, value_name = "FILE")]
    pub certificate: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness duis validate`
#[derive(Debug, Args)]
pub struct DuisValidate {
    /// Message files; - for standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Hold them against the published schema too (duis54.xsd in this folder), by xmllint
    #[arg(long, value_name = "FOLDER")]
    pub schemas: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `harness duis diff`
#[derive(Debug, Args)]
pub struct DuisDiff {
    /// The one message; - for standard input
    #[arg(value_name = "A")]
    pub first: PathBuf,
    /// The other
    #[arg(value_name = "B")]
    pub second: PathBuf,
    /// Leave signatures out: two over the same octets differ
    #[arg(long)]
    pub without_signatures: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `NAME=VALUE`; the value may be empty and may hold `=`.
pub(in crate::cli) fn field(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as TolerancePeriod=10".to_owned()),
    }
}
