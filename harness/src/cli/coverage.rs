//! `harness coverage`: the traceability matrix of packs, and the heatmap of a run.

use std::collections::BTreeMap;

use proto_lab::record::Verdict;
use serde::Serialize;

use super::arguments::Coverage as Asked;
use super::say::say;
use super::{Exit, Failure, lab, packs, print_json, report};
use crate::report::{Coverage, Covering, DmctReport, Figures, GroupFigures, VariantCovered};
use crate::s1sp;

/// How many scripts of a requirement are named; JSON has them all.
const NAMED: usize = 3;

pub(super) fn coverage(verb: &Asked) -> Result<Exit, Failure> {
    match &verb.run {
        Some(run) => of_run(&report::make(run, &verb.keys)?, verb.json)?,
        None => of_packs(verb)?,
    }
    Ok(Exit::Done)
}

fn of_packs(verb: &Asked) -> Result<(), Failure> {
    let lab = lab::open(verb.lab.lab.as_deref())?;
    let rig = lab::rig(&lab, &verb.lab)?;
    let packs = packs::chosen(&verb.packs, rig.combination.release)?;
    // The DCC stub carries out whatever is the DCC's own.
    let coverage = Coverage::of(&packs, rig, |srv| srv.is_for_the_dcc() || s1sp::carries_out(srv));
    if verb.json {
        return print_json(&coverage);
    }
    say!("Service Reference Variants, on rig {} ({})", rig.name, rig.combination.id);
    coverage.variants.iter().for_each(variant);
    say!("Requirements");
    coverage
        .requirements
        .iter()
        .for_each(|(requirement, scripts)| say!("  {requirement:14} {}", named(scripts)));
    summary(&coverage);
    Ok(())
}

fn variant(covered: &VariantCovered) {
    let VariantCovered { srv, name, target, doubtful, carried_out, scripts } = covered;
    let doubt = if *doubtful { " (unsure that SMETS1 takes it)" } else { "" };
    let missing = if *carried_out { "" } else { "; NOT CARRIED OUT by the harness" };
    say!("  {:8}{target:13}{name}{doubt}{missing}", srv.as_str());
    match scripts.is_empty() {
        true => say!("           NO SCRIPT"),
        false => scripts.iter().for_each(|script| say!("           {}", covering(script))),
    }
}

fn covering(covering: &Covering) -> String {
    let refusal = if covering.refusal_only { ", to see it refused" } else { "" };
    let why = covering.not_applicable.iter().map(|why| format!(", not on this rig: {why}"));
    format!("{}{refusal}{}", covering.script, why.collect::<String>())
}

fn named(scripts: &[String]) -> String {
    let more = scripts.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", scripts.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "))
}

fn summary(coverage: &Coverage) {
    let all = coverage.variants.len();
    let covered = all - coverage.uncovered().count();
    say!("{covered} of {all} variants by target have a script that applies to the rig");
    let list = |words: &str, found: Vec<String>| {
        if !found.is_empty() {
            say!("{words}: {}", found.join(", "));
        }
    };
    let name = |v: &VariantCovered| format!("{} {}", v.srv, v.target);
    list(
        "carried out and without such a script",
        coverage.uncovered().filter(|v| v.carried_out).map(name).collect(),
    );
    let missing = coverage.variants.iter().filter(|v| !v.carried_out);
    list("not carried out", missing.clone().map(name).collect());
    list("not carried out, and a script asks it", missing.filter(|v| v.is_covered()).map(name).collect());
}

/// What the tests of a run came to.
#[derive(Debug, Serialize)]
struct OfRun<'a> {
    groups: &'a [GroupFigures],
    requirements: BTreeMap<&'a str, Vec<Tested<'a>>>,
}

/// A test of a requirement.
#[derive(Debug, Serialize)]
struct Tested<'a> {
    test: String,
    verdict: Verdict,
    records: &'a [crate::gate::RecordRef],
}

fn of_run(report: &DmctReport, json: bool) -> Result<(), Failure> {
    let mut told = OfRun { groups: &report.groups, requirements: BTreeMap::new() };
    for test in report.packs.iter().flat_map(|pack| &pack.tests) {
        for requirement in &test.covers {
            let tested =
                Tested { test: test.case.to_string(), verdict: test.verdict, records: &test.records };
            told.requirements.entry(requirement).or_default().push(tested);
        }
    }
    if json {
        return print_json(&told);
    }
    heatmap(&report.groups, &report.figures);
    say!("Requirements");
    for (requirement, tests) in &told.requirements {
        say!("  {requirement:14} {}", counted(tests));
    }
    Ok(())
}

fn counted(tests: &[Tested<'_>]) -> String {
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    tests.iter().for_each(|test| *counts.entry(test.verdict).or_default() += 1);
    let counts = counts.iter().map(|(verdict, count)| format!("{count} {verdict}"));
    let others = tests.iter().filter(|test| test.verdict != Verdict::Pass).map(|test| test.test.clone());
    let others: Vec<String> = others.collect();
    let others = if others.is_empty() { String::new() } else { format!(": {}", named(&others)) };
    format!("{}{others}", counts.collect::<Vec<_>>().join(", "))
}

fn heatmap(groups: &[GroupFigures], all: &Figures) {
    say!(
        "{:24}{:>8}{:>8}{:>8}{:>8}{:>10}{:>8}",
        "Functional group",
        "planned",
        "run",
        "passed",
        "failed",
        "undecided",
        "not run"
    );
    for row in groups {
        line(row.group.as_deref().unwrap_or("no group recorded"), &row.figures);
    }
    line("all", all);
}

fn line(name: &str, figures: &Figures) {
    let Figures { planned, run, passed, failed, undecided, not_run, .. } = figures;
    say!(
        "{name:24}{:>8}{:>8}{:>8}{:>8}{:>10}{:>8}",
        planned.value,
        run.value,
        passed.value,
        failed.value,
        undecided.value,
        not_run.value
    );
}
