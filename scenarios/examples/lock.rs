//! Locks packs: `cargo run -p scenarios --example lock -- FOLDER...` writes each folder's `pack.lock`.

use std::path::Path;
use std::process::ExitCode;

use scenarios::Pack;

fn main() -> ExitCode {
    let mut failed = false;
    for folder in std::env::args().skip(1) {
        match Pack::lock(Path::new(&folder)) {
            Ok(lock) => println!("{folder}: {} scripts, pack {}", lock.scripts.len(), lock.pack),
            Err(error) => {
                eprintln!("{error}");
                failed = true;
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
