//! Capture files against the lengths and digests that records bind.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};

use proto_lab::record::CaptureBound;

use super::{Findings, Hashing, Place};
use crate::evidence::{EvidenceError, RunFolder};

/// Every bound of one file, in order of records.
type Bounds<'a> = Vec<(u64, &'a CaptureBound)>;

pub(super) fn check(
    folder: &RunFolder,
    bounds: &[(u64, CaptureBound)],
    finished: bool,
    findings: &mut Findings,
) -> Result<(), EvidenceError> {
    let mut files: BTreeMap<&str, Bounds<'_>> = BTreeMap::new();
    for (n, bound) in bounds {
        files.entry(&bound.file).or_default().push((*n, bound));
    }
    for (file, bounds) in &files {
        check_file(folder, file, bounds, finished, findings)?;
    }
    if finished {
        unbound(folder, &files, findings)?;
    }
    Ok(())
}

fn check_file(
    folder: &RunFolder,
    file: &str,
    bounds: &Bounds<'_>,
    finished: bool,
    findings: &mut Findings,
) -> Result<(), EvidenceError> {
    let path = folder.captures().join(file);
    if file.contains('/') || file.starts_with('.') {
        findings.add(Place::Capture(file.to_owned()), "is not a name of a file in the captures folder");
        return Ok(());
    }
    let mut opened = match File::open(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            findings.add(Place::Capture(file.to_owned()), "is missing");
            return Ok(());
        }
        opened => opened.map_err(EvidenceError::io("open", &path))?,
    };
    let mut hash = Hashing::default();
    let mut length = 0;
    for (n, bound) in bounds {
        let wanted = bound.length.saturating_sub(length);
        length += io::copy(&mut opened.by_ref().take(wanted), &mut hash)
            .map_err(EvidenceError::io("read", &path))?;
        let found = hash.digest();
        if (length, found) != (bound.length, bound.sha256) {
            let what = format!("the first {} octets of capture {file} are not those it binds", bound.length);
            findings.add(Place::Record(*n), what);
            return Ok(());
        }
    }
    let more = io::copy(&mut opened, &mut io::sink()).map_err(EvidenceError::io("read", &path))?;
    if finished && more > 0 {
        findings.add(
            Place::Capture(file.to_owned()),
            format!("{more} octets follow those that the last record binds"),
        );
    }
    Ok(())
}

/// A finished run binds every capture file there is.
fn unbound(
    folder: &RunFolder,
    files: &BTreeMap<&str, Bounds<'_>>,
    findings: &mut Findings,
) -> Result<(), EvidenceError> {
    let captures = folder.captures();
    for entry in fs::read_dir(&captures).map_err(EvidenceError::io("list", &captures))? {
        let name = entry.map_err(EvidenceError::io("list", &captures))?.file_name();
        let name = name.to_string_lossy().into_owned();
        if !files.contains_key(name.as_str()) {
            findings.add(Place::Capture(name), "no record binds it");
        }
    }
    Ok(())
}
