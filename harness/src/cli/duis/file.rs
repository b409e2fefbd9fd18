//! Messages and keys from files.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::super::say::complain;
use super::super::{Exit, Failure};

/// The longest file read, in octets: the longest message.
const LONGEST: u64 = proto_duis::MAX_OCTETS as u64;

/// What is in one of several files. One that cannot be read is said, and that it was bad input; the others are gone on with.
pub(super) fn one_of(file: &Path, exit: &mut Exit) -> Option<Vec<u8>> {
    match read(file) {
        Ok(octets) => Some(octets),
        Err(failure) => {
            complain!("{failure}");
            *exit = Exit::BadInput;
            None
        }
    }
}

/// What is in a file, or on standard input for `-`.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let wrong = |e: std::io::Error| Failure::input(format!("{}: {e}", file.display()));
    let mut octets = Vec::new();
    let limit = LONGEST + 1;
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().lock().take(limit).read_to_end(&mut octets),
        false => fs::File::open(file).and_then(|file| file.take(limit).read_to_end(&mut octets)),
    };
    read.map_err(wrong)?;
    if octets.len() as u64 > LONGEST {
        let words = format!("{}: more than {LONGEST} octets, which no message has", file.display());
        return Err(Failure::input(words));
    }
    Ok(octets)
}
