//! `harness duis diff`: how two messages differ, element by element.

use std::path::Path;

use proto_duis::{Difference, canonical_form, differences};
use serde::Serialize;

use super::super::arguments::DuisDiff;
use super::super::say::say;
use super::super::{Exit, Failure, print_json};
use super::file;

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Told<'a> {
    first: &'a Path,
    second: &'a Path,
    same: bool,
    canonical_forms_equal: bool,
    differences: &'a [Difference],
}

pub(super) fn diff(verb: &DuisDiff) -> Result<Exit, Failure> {
    let (first, second) = (&verb.first, &verb.second);
    let (one, other) = (file::read(first)?, file::read(second)?);
    let (form, other_form) = (canonical(first, &one)?, canonical(second, &other)?);
    // Both are well-formed, as was just seen.
    let found = differences(&one, &other, !verb.without_signatures).map_err(Failure::input)?;
    let (same, equal) = (found.is_empty(), form == other_form);
    if verb.json {
        let told = Told { first, second, same, canonical_forms_equal: equal, differences: &found };
        print_json(&told)?;
    } else {
        found.iter().for_each(|difference| say!("{difference}"));
        if same {
            say!("{}", sameness(equal, verb.without_signatures));
        }
    }
    Ok(if same { Exit::Done } else { Exit::Failed })
}

const fn sameness(equal: bool, without_signatures: bool) -> &'static str {
    match (equal, without_signatures) {
        (true, _) => "no difference: their canonical forms are equal",
        (false, true) => "no difference but in signatures, prefixes and white space between elements",
        (false, false) => "no difference but in prefixes and white space between elements",
    }
}

fn canonical(file: &Path, octets: &[u8]) -> Result<String, Failure> {
    canonical_form(octets).map_err(|error| Failure::input(format!("{}: {error}", file.display())))
}
