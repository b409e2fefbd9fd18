//! Who has a serial port open, as far as this user may know.

use std::fs;
use std::path::Path;

/// Most processes looked at: a machine with more is not worth the wait for a better error message.
const PROCESSES: usize = 65_536;

/// The process that has the port at `path` open, in words; none where the system does not say. A process of another
/// user shows its files to the administrator only.
pub(super) fn of(path: &str) -> Option<String> {
    let port = fs::canonicalize(path).ok()?;
    let own = std::process::id();
    let processes = fs::read_dir("/proc").ok()?.flatten().take(PROCESSES);
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| has_open(*id, &port)).map(|id| in_words(id, own)).next()
}

fn has_open(process: u32, port: &Path) -> bool {
    let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    files.filter_map(|file| fs::read_link(file.path()).ok()).any(|file| file == port)
}

fn in_words(process: u32, own: u32) -> String {
    if process == own {
        return "another part of this program".to_owned();
    }
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    format!("process {process} ({})", name.trim())
}
