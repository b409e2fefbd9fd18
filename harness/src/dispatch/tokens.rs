//! The sequence numbers of top-up tokens, kept across runs: a meter refuses a token whose number it has seen.

use std::fs;
use std::path::{Path, PathBuf};

use lab_config::{Rig, SecretSource};

use super::RunError;

/// Where the next number of a rig is kept.
#[derive(Debug)]
pub(super) struct Tokens {
    /// None where nothing need be kept: the meters' vending keys were made for this run, and so were the meters.
    path: Option<PathBuf>,
    /// The first number this run may use.
    pub(super) first: u32,
}

impl Tokens {
    /// The numbers of this rig, kept in this folder beside the lab's key.
    ///
    /// # Errors
    /// [`RunError::Part`] when the file is there and holds no number.
    pub(super) fn of(rig: &Rig, folder: &Path) -> Result<Self, RunError> {
        let kept = rig.devices().filter_map(|device| device.credentials.vending_key.as_ref());
        if kept.into_iter().all(|source| matches!(source, SecretSource::Generated(_))) {
            return Ok(Self { path: None, first: 1 });
        }
        let path = folder.join(format!("next-token-{}", rig.name));
        let first = match fs::read_to_string(&path) {
            Ok(text) => text
                .trim()
                .parse()
                .map_err(|e| wrong(&path, &format!("found {text:?}, expected a number ({e})")))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 1,
            Err(error) => return Err(wrong(&path, &error.to_string())),
        };
        Ok(Self { path: Some(path), first })
    }

    /// Keeps the next number. Called before the token with the number before it is used, so that a crash loses a number
    /// and never uses one twice.
    ///
    /// # Errors
    /// Why it could not be kept, in words.
    pub(super) fn keep(&self, next: u32) -> Result<(), String> {
        let Some(path) = &self.path else { return Ok(()) };
        let fresh = path.with_extension("new");
        fs::write(&fresh, format!("{next}\n"))
            .and_then(|()| fs::rename(&fresh, path))
            .map_err(|e| format!("{}: {e}", path.display()))
    }
}

fn wrong(path: &Path, reason: &str) -> RunError {
    RunError::Part { part: "vending desk", reason: format!("{}: {reason}", path.display()) }
}

#[cfg(test)]
mod tests {
    use lab_config::{Document, Lab};

    use super::*;

    #[test]
    fn numbers_go_on_where_the_last_run_ended_unless_the_meters_are_new() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = include_str!("../../../lab-config/labs/embedded.toml");
        let made = Lab::embedded().expect("the embedded lab");
        assert_eq!(Tokens::of(&made.rigs[0], folder.path()).expect("numbers").first, 1);

        let text = text.replace("vending-key = { generated = true }", "vending-key = { env = \"KEY\" }");
        let kept = Lab::parse(&Document::new("lab.toml", text)).expect("a lab");
        let tokens = Tokens::of(&kept.rigs[0], folder.path()).expect("numbers");
        tokens.keep(42).expect("kept");
        assert_eq!(Tokens::of(&kept.rigs[0], folder.path()).expect("numbers").first, 42);
        std::fs::write(folder.path().join("next-token-rig-1"), "many").expect("a file");
        let error = Tokens::of(&kept.rigs[0], folder.path()).expect_err("no number").to_string();
        assert!(error.contains("many"), "{error}");
    }
}
