//! What the end-to-end tests share: where the programs, peers and schemas are, and nothing about how the system works inside.
//!
//! The tests in `tests/tests` use the programs as a user does. A peer that is not there is a failed test with advice, never
//! a test left out in silence; only the DUIS schemas, which the project does not ship, may be absent, and then it is said.

pub mod bench;
pub mod crowd;
pub mod devices;
pub mod files;
pub mod looks;
pub mod serial_server;
pub mod steered;
pub mod town;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The root folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The path of one of the project's programs, built on first use so that a test never meets an older one.
///
/// # Errors
/// What cargo said when it could not build it.
pub fn program(name: &'static str) -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = BUILT.get_or_init(build_programs).clone()?;
    Ok(folder.join(name))
}

fn build_programs() -> Result<PathBuf, String> {
    let test = std::env::current_exe().map_err(|e| e.to_string())?;
    let folder = test.ancestors().nth(2).ok_or("a test binary stands in target/debug/deps")?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--bins", "-p", "harness", "-p", "device-sim"]);
    // A benchmark stands in target/release, and so do the programs it measures.
    cargo.args(folder.ends_with("release").then_some("--release"));
    let out =
        cargo.current_dir(repository()).output().map_err(|e| format!("cargo could not be started: {e}"))?;
    if !out.status.success() {
        return Err(String::from_utf8_lossy(&out.stderr).into_owned());
    }
    Ok(folder.to_path_buf())
}

/// The folder with the independent Python peers (`pydlms`, `python` with gurux-dlms).
///
/// # Errors
/// Advice, when `tests/run` has not installed them.
pub fn peers() -> Result<PathBuf, String> {
    let folder = match std::env::var_os("LAB_PEERS") {
        Some(named) => PathBuf::from(named),
        None => repository().join("target/peers/bin"),
    };
    if folder.join("pydlms").exists() {
        return Ok(folder);
    }
    Err(format!(
        "no peers in {}: run tests/run once, or set LAB_PEERS to a venv's bin folder",
        folder.display()
    ))
}

/// The folder with the independent JavaScript peers.
///
/// # Errors
/// Advice, when `tests/run` has not installed them.
pub fn node_modules() -> Result<PathBuf, String> {
    let folder = match std::env::var_os("LAB_NPM") {
        Some(named) => PathBuf::from(named),
        None => repository().join("target/npm/node_modules"),
    };
    if folder.join("@smartdcc/duis-parser").exists() {
        return Ok(folder);
    }
    Err(format!(
        "no JavaScript peers in {}: run tests/run once, or set LAB_NPM to a node_modules folder",
        folder.display()
    ))
}

/// The folder with the DUIS 5.4 schemas, or nothing (said loudly) where they are not on this machine.
pub fn duis_schemas() -> Option<PathBuf> {
    let folder = match std::env::var_os("LAB_DUIS_SCHEMAS") {
        Some(named) => PathBuf::from(named),
        None => repository().join("../shared/duis"),
    };
    if folder.join("duis54.xsd").exists() {
        return Some(folder);
    }
    eprintln!(
        "LEFT OUT: no DUIS schemas in {}; set LAB_DUIS_SCHEMAS to check against them",
        folder.display()
    );
    None
}

/// A `harness` command, ready for its arguments, with a state folder of its own: nothing of the machine's user is touched, and
/// tests whose devices bear the same names do not meet.
///
/// # Errors
/// As [`program`].
pub fn harness() -> Result<Command, String> {
    static COMMANDS: AtomicU32 = AtomicU32::new(0);
    let number = COMMANDS.fetch_add(1, Ordering::Relaxed);
    let state = repository().join(format!("target/tmp/state-{}-{number}", std::process::id()));
    let mut command = Command::new(program("harness")?);
    command.env("HARNESS_STATE", state);
    Ok(command)
}

/// What a program printed, for a failed assertion.
pub fn shown(out: &std::process::Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("exit {:?}\n{}\n--- stderr\n{}", out.status.code(), text(&out.stdout), text(&out.stderr))
}

/// The run folders under this folder of runs, oldest first; lab books and what had not begun are none.
pub fn run_folders(runs: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(runs).into_iter().flatten();
    let folders = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let named = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let is_run = |name: String| !name.starts_with('.') && !name.starts_with("book-");
    let runs = folders.filter(|path| named(path).is_some_and(is_run));
    let mut found: Vec<_> = runs.filter(|path| path.join("records.jsonl").exists()).collect();
    found.sort();
    found
}
