//! A bench of two processes: `device-sim serve` as the devices, and a lab file that points the harness at them over the same
//! links a real bench would have. Nothing but wires connects the two.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::devices::{Devices, embedded_lab};
use crate::{harness, program};

/// The password of every management client, as the environment carries it.
pub const PASSWORD: &str = "48151623";
/// The password of the broker the bench's station is at.
pub const BROKER_PASSWORD: &str = "between-the-lines";
/// The vending key, as the environment carries it.
const VENDING_KEY: &str = "0123456789abcdef0123456789abcdef";

/// Running simulated devices, and the lab file that leads to them. The devices end with this value.
pub struct Bench {
    devices: Devices,
    /// Link URL by device and path, as `device-sim serve --json` printed them.
    pub links: Vec<(String, String, String)>,
}

impl Bench {
    /// Starts the devices of the embedded lab.
    ///
    /// # Errors
    /// What stands in the way, in words.
    pub fn start() -> Result<Self, String> {
        Self::start_changed(|_, text| Ok(text))
    }

    /// Starts the devices of the embedded lab, changed by `change`, which may write files beside the lab file. The harness
    /// is not told: its lab file is that of the embedded lab.
    ///
    /// # Errors
    /// What stands in the way, in words.
    pub fn start_changed(
        change: impl FnOnce(&Path, String) -> Result<String, String>,
    ) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
        let simulated = change(folder.path(), embedded_lab_text()?)?;
        std::fs::write(folder.path().join("simulated.toml"), &simulated).map_err(|e| e.to_string())?;
        let mut command = Command::new(program("device-sim")?);
        secrets(&mut command);
        let devices = Devices::serve(command, folder, "simulated.toml")?;
        let links = devices.endpoints.iter().filter_map(link).collect();
        let bench = Self { devices, links };
        bench.write_lab("lab.toml", |text| text)?;
        Ok(bench)
    }

    /// The folder of the bench.
    pub fn folder(&self) -> &Path {
        self.devices.folder()
    }

    /// The lab file that leads to the devices.
    pub fn lab(&self) -> PathBuf {
        self.devices.folder().join("lab.toml")
    }

    /// Writes another lab file that leads to the devices, changed by `change`.
    ///
    /// # Errors
    /// What stands in the way, in words.
    pub fn write_lab(&self, name: &str, change: impl FnOnce(String) -> String) -> Result<PathBuf, String> {
        let mut text = embedded_lab_text()?;
        for (_, path, link) in &self.links {
            let simulated = match path.as_str() {
                "wan" => "links.wan = \"sim:\"",
                "optical" => "links.optical = \"sim:?sign-on=e\"",
                _ => "links.local = \"sim:?baud=9600\"",
            };
            text = text.replace(simulated, &format!("links.{path} = \"{link}\""));
        }
        // To the harness the station is one like any other, at a broker like any other.
        text = text.replace("url = \"embedded\"", &format!("url = \"{}\"", self.devices.broker));
        text = text.replace("name = \"bench\"\nsimulated = true", "name = \"bench\"");
        let path = self.devices.folder().join(name);
        std::fs::write(&path, change(text)).map_err(|e| e.to_string())?;
        Ok(path)
    }

    /// The process of the devices.
    pub fn process(&self) -> u32 {
        self.devices.process()
    }

    /// Where the control port of the devices is.
    pub fn control(&self) -> &str {
        &self.devices.control
    }

    /// Asks at the control port of the devices.
    ///
    /// # Errors
    /// As [`Devices::ctl`].
    pub fn ctl(&self, words: &[&str]) -> Result<String, String> {
        self.devices.ctl(words)
    }

    /// The link of this device on this path.
    pub fn link(&self, device: &str, path: &str) -> Option<&str> {
        let found = self.links.iter().find(|(of, on, _)| of == device && on == path);
        found.map(|(_, _, link)| link.as_str())
    }

    /// A `harness` command that knows the bench's secrets, with the bench's state folder.
    ///
    /// # Errors
    /// As [`program`].
    pub fn harness(&self) -> Result<Command, String> {
        let mut command = harness()?;
        command.env("HARNESS_STATE", self.folder().join("state"));
        secrets(&mut command);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }

    /// Takes every device away at once: sockets close, pseudo-terminals are gone.
    pub fn pull_everything(&mut self) {
        self.devices.pull();
    }
}

fn secrets(command: &mut Command) {
    command.env("BENCH_PASSWORD", PASSWORD).env("BENCH_VENDING_KEY", VENDING_KEY);
    command.env("BENCH_BROKER_PASSWORD", BROKER_PASSWORD);
}

/// The embedded lab with secrets from the environment, so that two processes can share them.
fn embedded_lab_text() -> Result<String, String> {
    let text = embedded_lab()?;
    let text =
        text.replace("vending-key = { generated = true }", "vending-key = { env = \"BENCH_VENDING_KEY\" }");
    let known = "url = \"embedded\"\nuser = \"lab\"\npassword = { env = \"BENCH_BROKER_PASSWORD\" }";
    let text = text.replace("url = \"embedded\"", known);
    Ok(text.replace("password = { generated = true }", "password = { env = \"BENCH_PASSWORD\" }"))
}

/// Device, path and link URL of what `device-sim` said, where that is of a link.
fn link(told: &serde_json::Value) -> Option<(String, String, String)> {
    let text = |key: &str| told[key].as_str().map(str::to_owned);
    Some((text("device")?, text("path")?, text("link")?))
}
