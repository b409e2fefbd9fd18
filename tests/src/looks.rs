//! A bench of devices in a process of their own, and a pack of scripts that only look at the electricity meter: what tests of the
//! controller's evidence have run, over and over, in a few seconds each.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::evidence::{LabKey, RunFolder, Verification, verify};

use crate::bench::Bench;
use crate::shown;

/// Scripts of the pack.
pub const SCRIPTS: usize = 5;
/// Steps of each, one of them its clean-up.
const STEPS: usize = 3;
const LOOK: &str = "observe = \"active-import\"\nthrough = \"optical\"\nexpect = [{ at = \"value\", at-least = 0, unit = \"Wh\" }]\n";

/// The devices, the pack, and where runs go.
pub struct Looks {
    /// The devices.
    pub bench: Bench,
    /// The pack's folder.
    pub pack: PathBuf,
    /// The folder of runs.
    pub runs: PathBuf,
}

impl Looks {
    /// Starts the devices and writes the pack.
    ///
    /// # Errors
    /// What stands in the way, in words.
    pub fn start() -> Result<Self, String> {
        let bench = Bench::start()?;
        let (pack, runs) = (bench.folder().join("pack"), bench.folder().join("runs"));
        write_pack(&pack).map_err(|e| e.to_string())?;
        let looks = Self { bench, pack, runs };
        looks.lock()?;
        Ok(looks)
    }

    /// Agrees to the pack as it is.
    ///
    /// # Errors
    /// What the harness says is wrong with it.
    pub fn lock(&self) -> Result<(), String> {
        let mut command = self.bench.harness()?;
        command.args(["check", "--write-lock", "--pack"]).arg(&self.pack);
        let out = command.output().map_err(|e| e.to_string())?;
        if out.status.success() { Ok(()) } else { Err(shown(&out)) }
    }

    /// `harness run` of the pack.
    ///
    /// # Errors
    /// As [`program`](crate::program).
    pub fn run(&self) -> Result<Command, String> {
        let mut command = self.on_the_bench()?;
        command.arg("--runs").arg(&self.runs);
        Ok(command)
    }

    /// `harness run --resume` of a run of it.
    ///
    /// # Errors
    /// As [`program`](crate::program).
    pub fn resume(&self, run: &Path) -> Result<Command, String> {
        let mut command = self.on_the_bench()?;
        command.arg("--resume").arg(run).arg("--keys").arg(self.runs.join("keys"));
        Ok(command)
    }

    fn on_the_bench(&self) -> Result<Command, String> {
        let mut command = self.bench.harness()?;
        command.args(["run", "--json", "--lab"]).arg(self.bench.lab()).arg("--pack").arg(&self.pack);
        Ok(command)
    }

    /// The evidence of a run, checked by the lab's own key.
    ///
    /// # Errors
    /// There is no such run.
    pub fn verified(&self, run: &Path) -> Result<Verification, String> {
        let trusted = LabKey::trusted(&self.runs.join("keys")).map_err(|e| e.to_string())?;
        verify(&RunFolder::new(run), &trusted).map_err(|e| e.to_string())
    }
}

fn write_pack(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let names: Vec<String> = (0..SCRIPTS).map(|n| format!("look-{n}")).collect();
    let heading = format!(
        "id = \"looks\"\ntitle = \"Looks\"\nkind = \"service-reference-variant\"\nrelease = \"IOC\"\nstandard = false\n\
         rationale = \"a test of the controller\"\nagreement = \"none\"\nrequires-enrolled = false\nscripts = {names:?}\n"
    );
    std::fs::write(folder.join("pack.toml"), heading)?;
    for name in names {
        let mut text =
            format!("title = \"{name}\"\ncovers = [\"C3\"]\ngroup = \"looks\"\ndevice = \"ESME\"\n");
        for part in std::iter::repeat_n("step", STEPS - 1).chain(["clean-up"]) {
            let _ = write!(text, "\n[[{part}]]\n{LOOK}");
        }
        std::fs::write(folder.join(format!("{name}.toml")), text)?;
    }
    Ok(())
}
