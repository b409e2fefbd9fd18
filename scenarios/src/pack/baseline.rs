//! What a regression pack came to when it was agreed (SVTAD 7.4, 7.5).
//!
//! ```toml
//! [baseline]
//! run = "20261122T093000Z-1f2e"
//! dcc-systems-version = "DCC stub 1, DUIS 5.4"
//! on = 2026-11-22
//!
//! [[baseline.defect]]
//! script = "read-maximum-demand"
//! verdict = "fail"
//! reason = ["E11"]
//! issue = "TI-7 of that run"
//! ```
//!
//! Every script that is named in no defect passed then. It is part of `pack.toml`, so the pack's lock holds it too.

use lab_config::{FileError, Item, Name, Table};
use proto_lab::record::{Baseline, KnownDefect};

use crate::read::{verdict, words_of};

/// Reads the baseline of a pack with these scripts.
pub(super) fn baseline(item: &Item<'_>, scripts: &[Name]) -> Result<Baseline, FileError> {
    item.table("the run the pack is held against, and its known defects", |table| {
        let defects = |item: &Item<'_>| {
            let each = item.list("known defects")?;
            each.iter().map(|item| item.table("a known defect", |table| defect(table, scripts))).collect()
        };
        Ok(Baseline {
            run: table.text("run", "the run it was taken from, or where that can be found")?,
            dcc_systems: table.text("dcc-systems-version", "the version of the DCC Systems then")?,
            on: table.required("on", "the day")?.date()?,
            defects: table.read("defect", defects)?.unwrap_or_default(),
        })
    })
}

fn defect(table: &mut Table<'_>, scripts: &[Name]) -> Result<KnownDefect, FileError> {
    let script = table.required("script", "the script that did not pass")?;
    let name: Name = script.parse("the name of a script of the pack")?;
    if !scripts.contains(&name) {
        return Err(
            script.refuse("a script of this pack", "list the script in `scripts`, or remove the defect")
        );
    }
    Ok(KnownDefect {
        script: name.to_string(),
        verdict: verdict(&table.required("verdict", "what it came to: inconclusive, fail or error")?)?,
        reason: table.read("reason", words_of)?.unwrap_or_default(),
        issue: table.text("issue", "the Testing Issue it is")?,
    })
}
