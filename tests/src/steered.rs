//! A lab of two rigs of simulated devices and a pack that waits for a hand: what tests need in which people steer runs, so that
//! everything happens when the test says and not when a machine is fast or slow.

use std::path::Path;
use std::process::Command;

use lab_config::Lab;
use scenarios::Pack;

use crate::devices::embedded_lab;
use crate::town::Town;

/// The rigs of the lab.
pub const RIGS: [&str; 2] = ["rig-0", "rig-1"];
/// Set for the test's own program started again, with a state folder of its own.
const AGAIN: &str = "LAB_STEERED_TEST";

/// The embedded lab with two rigs; its file is written into the folder.
///
/// # Errors
/// What stands in the way, in words.
pub fn two_rigs(folder: &Path) -> Result<Lab, String> {
    let file = folder.join("lab.toml");
    let text = Town::of(&embedded_lab()?)?.text(2, |_, rig| rig);
    std::fs::write(&file, text).map_err(|e| format!("{}: {e}", file.display()))?;
    Lab::load(&file).map_err(|e| e.to_string())
}

/// The pack `steered` of three scripts: a look at the meter, one that waits for a hand to say yes, and a look again.
///
/// # Errors
/// What stands in the way, in words.
pub fn write_pack(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).map_err(|e| e.to_string());
    let heading = "id = \"steered\"\ntitle = \"Steered\"\nkind = \"service-reference-variant\"\nrelease = \"IOC\"\n\
                   standard = false\nrationale = \"a test of the controller\"\nagreement = \"none\"\n\
                   requires-enrolled = false\nscripts = [\"first\", \"gate\", \"last\"]\n";
    write("pack.toml", heading.to_owned())?;
    let look = "[[step]]\nobserve = \"active-import\"\nthrough = \"optical\"\nexpect = [{ at = \"value\", at-least = 0, unit = \"Wh\" }]\n";
    let head = |name: &str| {
        format!("title = \"{name}\"\ncovers = [\"C1\"]\ngroup = \"steered\"\ndevice = \"ESME\"\n\n")
    };
    write("first.toml", format!("{}{look}", head("first")))?;
    let ask = "[[step]]\nact = \"confirm\"\nshow = \"Is the gate open?\"\nwithin = \"300s\"\nexpect = [{ at = \"act.answer\", is = \"yes\" }]\n";
    write("gate.toml", format!("{}{ask}\n{look}", head("gate")))?;
    write("last.toml", format!("{}{look}", head("last")))?;
    let lock = Pack::lock(folder).map_err(|e| e.to_string())?;
    write("pack.lock", lock.to_string())
}

/// Has a test done by its own program started again, with a state folder of its own; says whether this is that program.
///
/// # Panics
/// When the test fails there; what it said is the message.
pub fn apart(test: &str) -> bool {
    if std::env::var_os(AGAIN).is_some() {
        return true;
    }
    let done = again(test).unwrap_or_else(|error| panic!("{test}: {error}"));
    assert!(done.status.success(), "{}", crate::shown(&done));
    false
}

fn again(test: &str) -> std::io::Result<std::process::Output> {
    let folder = tempfile::tempdir()?;
    let mut again = Command::new(std::env::current_exe()?);
    again.args(["--exact", test, "--nocapture"]).env(AGAIN, "1");
    again.env("HARNESS_STATE", folder.path().join("state")).env("TMPDIR", folder.path()).output()
}
