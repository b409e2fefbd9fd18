//! Expectations of a step.

use lab_config::{FileError, Item, Table};
use proto_duis::Srv;

use super::operand::{amount, number};
use super::scope::Scope;
use super::step::no_token;
use crate::{Check, Expectation, Operand, Outcome, Value};

/// The keys of which an expectation has exactly one (a range may have both of its own).
const CHECKS: [&str; 8] = ["is", "is-not", "within", "at-least", "at-most", "matches", "present", "count"];

pub(super) fn expectations(item: &Item<'_>, scope: &Scope) -> Result<Vec<Expectation>, FileError> {
    item.tables("expectations, such as { at = \"response.success\", is = true }", |table| {
        expectation(table, scope)
    })
}

fn expectation(table: &mut Table<'_>, scope: &Scope) -> Result<Expectation, FileError> {
    let at = table.required("at", "the path of the value")?;
    refuse_several(table)?;
    let check = check(table, scope)?;
    let times = table.read("times", number)?;
    let unit = table.read("unit", |item| match at.text("a path")? {
        "value" => Ok(item.text("a unit")?.into()),
        _ => Err(item
            .refuse("a unit beside `at = \"value\"` only", "expect the unit of a message at its own path")),
    })?;
    Ok(Expectation { path: at.parse("a path")?, unit, times, check })
}

fn refuse_several(table: &Table<'_>) -> Result<(), FileError> {
    let found: Vec<&str> = CHECKS.into_iter().filter(|check| table.has(check)).collect();
    match &found[..] {
        [_] | ["at-least", "at-most"] => Ok(()),
        [] => Err(table.error(
            "an expectation without a check",
            format!("one of {}", CHECKS.join(", ")),
            "say what is expected of the value, such as is = true",
        )),
        several => Err(table.error(several.join(" and "), "one check", "write an expectation for each")),
    }
}

fn check(table: &mut Table<'_>, scope: &Scope) -> Result<Check, FileError> {
    if let Some(item) = table.optional("is") {
        return Ok(Check::Is {
            expected: no_token(&item, scope)?,
            plus: table.read("plus", amount)?,
            tolerance: table.read("tolerance", amount)?,
        });
    }
    if let Some(item) = table.optional("is-not") {
        return Ok(Check::IsNot(no_token(&item, scope)?));
    }
    if let Some(item) = table.optional("within") {
        return within(&item, scope);
    }
    if let Some(item) = table.optional("matches") {
        return Ok(Check::Matches(item.parse("a regular expression that the whole text matches")?));
    }
    if let Some(item) = table.optional("present") {
        return Ok(Check::Present(item.boolean("whether there is a value")?));
    }
    if let Some(item) = table.optional("count") {
        return count(&item);
    }
    Ok(Check::Range {
        low: table.read("at-least", |item| no_token(item, scope))?,
        high: table.read("at-most", |item| no_token(item, scope))?,
    })
}

fn within(item: &Item<'_>, scope: &Scope) -> Result<Check, FileError> {
    let expected = "the lowest and the highest value, as [low, high]";
    let [low, high] = &item.list(expected)?[..] else {
        return Err(item.refuse(expected, "write two values"));
    };
    let (low, high) = (no_token(low, scope)?, no_token(high, scope)?);
    if let (Operand::Literal(low), Operand::Literal(high)) = (&low, &high)
        && low.compare(high).is_none_or(std::cmp::Ordering::is_gt)
    {
        return Err(item.refuse(expected, "write the lower one first, and both of one type"));
    }
    Ok(Check::Range { low: Some(low), high: Some(high) })
}

fn count(item: &Item<'_>) -> Result<Check, FileError> {
    let number = |item: &Item<'_>| item.integer::<usize>(0..=1_000_000, "how many");
    if item.toml().is_none_or(|value| !value.is_array()) {
        let exact = number(item)?;
        return Ok(Check::Count { low: exact, high: exact });
    }
    let expected = "how many: a number, [fewest, most] or [fewest]";
    let (low, high) = match &item.list(expected)?[..] {
        [low] => (number(low)?, usize::MAX),
        [low, high] => (number(low)?, number(high)?),
        _ => return Err(item.refuse(expected, "write one or two numbers")),
    };
    match low <= high {
        true => Ok(Check::Count { low, high }),
        false => Err(item.refuse(expected, "write the smaller number first")),
    }
}

/// What an outcome stands for, in front of what the step writes itself.
pub(super) fn implied(srv: Srv, outcome: Outcome) -> Vec<Expectation> {
    let answered = [("acknowledgement.code", Value::from("I99")), ("response.code", Value::from("I0"))];
    match (outcome, srv.is_for_the_dcc()) {
        (Outcome::Success | Outcome::Failed, true) => all_are([("acknowledgement.code", Value::from("I0"))]),
        (Outcome::Success, false) => {
            let mut all = all_are(answered);
            all.extend(all_are([("response.success", Value::from(true))]));
            all
        }
        (Outcome::Failed, false) => {
            let mut all = all_are(answered);
            all.extend(all_are([("response.success", Value::from(false))]));
            all
        }
        (Outcome::Refused, _) => refused(),
        (Outcome::Any, _) => Vec::new(),
    }
}

/// What an outcome says of an answer that a schedule brings: there is no acknowledgement.
pub(super) fn implied_by_schedule(outcome: Outcome) -> Vec<Expectation> {
    let done = match outcome {
        Outcome::Success => true,
        Outcome::Failed => false,
        Outcome::Refused | Outcome::Any => return Vec::new(),
    };
    all_are([("response.code", Value::from("I0")), ("response.success", Value::from(done))])
}

fn all_are<const N: usize>(expected: [(&str, Value); N]) -> Vec<Expectation> {
    let one = |(path, value): (&str, Value)| {
        let check = Check::Is { expected: Operand::Literal(value), plus: None, tolerance: None };
        Some(Expectation { path: path.parse().ok()?, unit: None, times: None, check })
    };
    expected.into_iter().filter_map(one).collect()
}

fn refused() -> Vec<Expectation> {
    let one = |pattern: &str| {
        let check = Check::Matches(pattern.parse().ok()?);
        Some(Expectation { path: "acknowledgement.code".parse().ok()?, unit: None, times: None, check })
    };
    one("E[0-9]+").into_iter().collect()
}
