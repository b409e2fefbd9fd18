//! `harness station`, and what `harness serve` publishes

use std::path::PathBuf;

use clap::Args;
use lab_config::{BrokerUrl, HttpUrl};

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

/// Publication over MQTT.
#[derive(Debug, Clone, Args)]
pub struct Published {
    /// Publish run events and the states of rigs and stations at this broker: mqtt://host:1883, mqtts://host:8883, or embedded
    #[arg(long, value_name = "URL")]
    pub mqtt: Option<BrokerUrl>,
    /// The port of the embedded broker on loopback; any free one without
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub mqtt_port: u16,
    /// The user at the broker
    #[arg(long, value_name = "USER", requires = "mqtt_password_env")]
    pub mqtt_user: Option<String>,
    /// Environment variable that holds the password at the broker
    #[arg(long, value_name = "VARIABLE", requires = "mqtt_user")]
    pub mqtt_password_env: Option<String>,
    /// The authority of an mqtts broker, in PEM
    #[arg(long, value_name = "FILE")]
    pub mqtt_ca: Option<PathBuf>,
}
