//! `device-sim serve` as a child process, ended with its value: where its devices answer, for whoever brings the client.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::{program, repository};

/// Running simulated devices.
pub struct Devices {
    process: Child,
    /// Kept open: a program whose standard output nobody reads any more ends.
    said: BufReader<ChildStdout>,
    folder: TempDir,
    /// What it said of each device and path, as `device-sim serve --json` prints it.
    pub endpoints: Vec<Value>,
    /// Where the station's broker is.
    pub broker: String,
    /// Where the control port is.
    pub control: String,
}

impl Devices {
    /// Serves the embedded lab with these changes of its text, each of which must be there to be made, and these files
    /// beside it.
    ///
    /// # Errors
    /// What stands in the way, in words.
    pub fn start(changes: &[(&str, &str)], files: &[(&str, &str)]) -> Result<Self, String> {
        Self::start_by(Command::new(program("device-sim")?), changes, files)
    }

    /// The same by this program.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_by(
        device_sim: Command,
        changes: &[(&str, &str)],
        files: &[(&str, &str)],
    ) -> Result<Self, String> {
        let mut lab = embedded_lab()?;
        for (from, to) in changes {
            if !lab.contains(from) {
                return Err(format!("the embedded lab no longer says {from}"));
            }
            lab = lab.replace(from, to);
        }
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        for (name, text) in files.iter().copied().chain([("lab.toml", lab.as_str())]) {
            std::fs::write(folder.path().join(name), text).map_err(|e| format!("{name}: {e}"))?;
        }
        Self::serve(device_sim, folder, "lab.toml")
    }

    /// Serves a lab file of this folder, in which the pseudo-terminals come to lie too.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn serve(mut device_sim: Command, folder: TempDir, lab: &str) -> Result<Self, String> {
        device_sim
            .args(["serve", "--json", "--control", "127.0.0.1:0", "--lab"])
            .arg(folder.path().join(lab));
        device_sim.env("TMPDIR", folder.path()).stdout(Stdio::piped());
        // What devices keep lies beside the lab file too, unless the caller wants it elsewhere.
        if !device_sim.get_envs().any(|(name, _)| name == "DEVICE_SIM_STATE") {
            device_sim.env("DEVICE_SIM_STATE", folder.path().join("device-state"));
        }
        let mut process = device_sim.spawn().map_err(|e| format!("device-sim could not be started: {e}"))?;
        let out = process.stdout.take().ok_or("device-sim has no standard output")?;
        let mut devices = Self {
            process,
            said: BufReader::new(out),
            folder,
            endpoints: Vec::new(),
            broker: String::new(),
            control: String::new(),
        };
        devices.listen()?;
        Ok(devices)
    }

    fn listen(&mut self) -> Result<(), String> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.said.read_line(&mut line).map_err(|e| e.to_string())? == 0 {
                return Err("device-sim ended before it had said where its devices are".to_owned());
            }
            let told: Value = serde_json::from_str(&line).map_err(|e| format!("{line}: {e}"))?;
            if let Some(control) = told["control"].as_str() {
                self.control = control.to_owned();
                continue;
            }
            match told["broker"].as_str() {
                None => self.endpoints.push(told),
                // It comes after every device.
                Some(broker) => {
                    self.broker = broker.to_owned();
                    return Ok(());
                }
            }
        }
    }

    /// The link URL of the first device with this path.
    ///
    /// # Panics
    /// When there is none.
    pub fn link(&self, path: &str) -> &str {
        let on = self.endpoints.iter().filter(|line| line["path"] == path);
        let link = on.filter_map(|line| line["link"].as_str()).next();
        link.unwrap_or_else(|| panic!("no {path} link in {:?}", self.endpoints))
    }

    /// The file of a serial link.
    ///
    /// # Panics
    /// When there is none.
    pub fn file(&self, path: &str) -> &str {
        let link = self.link(path);
        let file = link.split_once("://").and_then(|(_, rest)| rest.split('?').next());
        file.unwrap_or_else(|| panic!("{link} is no serial link"))
    }

    /// Asks at the control port with `device-sim ctl`; what it printed, or what it complained of.
    ///
    /// # Errors
    /// What stands in the way, or the devices' own words of refusal.
    pub fn ctl(&self, words: &[&str]) -> Result<String, String> {
        let mut command = Command::new(program("device-sim")?);
        let out = command.args(["ctl", "--at", &self.control]).args(words).output();
        let out = out.map_err(|e| format!("device-sim could not be started: {e}"))?;
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        if out.status.success() { Ok(text(&out.stdout)) } else { Err(text(&out.stderr)) }
    }

    /// The folder with the lab file.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process of the devices.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Takes every device away at once: sockets close, pseudo-terminals are gone.
    pub fn pull(&mut self) {
        // A process that has ended already is gone too.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Devices {
    fn drop(&mut self) {
        self.pull();
    }
}

/// The text of the embedded lab.
///
/// # Errors
/// Why it cannot be read.
pub fn embedded_lab() -> Result<String, String> {
    let path = repository().join("lab-config/labs/embedded.toml");
    std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
}

/// The same lab with a gas meter that wakes every ten seconds, as often as one may, in a Device Model that is written beside
/// the lab file: half an hour is longer than any test waits.
///
/// # Errors
/// What stands in the way, in words.
pub fn with_wakeful_gas(folder: &Path, lab: String) -> Result<String, String> {
    with_gas_that_wakes(folder, 10, lab)
}

/// The same with a gas meter that wakes every so many seconds.
///
/// # Errors
/// What stands in the way, in words.
pub fn with_gas_that_wakes(folder: &Path, seconds: u16, lab: String) -> Result<String, String> {
    const MODEL: &str = "gsme-wakeful.toml";
    let shipped = repository().join("lab-config/device-models/gsme-lab-g4.toml");
    let text = std::fs::read_to_string(&shipped).map_err(|e| format!("{}: {e}", shipped.display()))?;
    let of_its_own = format!("wake-interval = {{ seconds = {seconds}");
    let wakeful = text.replace("wake-interval = { seconds = 1800", &of_its_own);
    if wakeful == text {
        return Err(format!("{} no longer wakes every half hour", shipped.display()));
    }
    std::fs::write(folder.join(MODEL), wakeful).map_err(|e| e.to_string())?;
    Ok(lab.replace("shipped:gsme-lab-g4.toml", MODEL))
}
