//! Where the harness keeps what must outlive it.

use std::path::PathBuf;

/// `$HARNESS_STATE`, `$XDG_STATE_HOME/harness` or `~/.local/state/harness`; none where the environment names no such place.
#[must_use]
pub fn state_folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("HARNESS_STATE")
        .or_else(|| variable("XDG_STATE_HOME").map(|state| state.join("harness")))
        .or_else(|| variable("HOME").map(|home| home.join(".local/state/harness")))
}

/// Where the controller of this machine passes frames on between its stations and the programs here: a socket of this name
/// in the state folder.
#[must_use]
pub(crate) fn stations_door() -> Option<PathBuf> {
    Some(state_folder()?.join("stations.sock"))
}
