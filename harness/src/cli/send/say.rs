//! An explained request on a terminal.

use proto_lab::record::PacketRange;

use super::super::Failure;
use super::super::decode;
use super::super::say::say;
use super::explain::{Answered, Asked, Code, Outcome, Told, ValueTold};
use crate::evidence::RunFolder;

/// How many values of an answer are shown; JSON has them all.
const VALUES: usize = 60;

/// How many of the messages on the line are named.
const NAMED: usize = 6;

/// What went over the line in these packets, in a sentence. A device may speak unasked, so that there are packets and no
/// message to any device among them.
pub(super) fn line(folder: &RunFolder, packets: &PacketRange) -> Result<String, Failure> {
    let PacketRange { file, first, last } = packets;
    let sent = decode::sent(&folder.captures().join(file), (*first, *last))?;
    if sent.is_empty() {
        return Ok(format!(
            "nothing went to a device (packets {first} to {last} of {file} came of themselves)"
        ));
    }
    let mut links: Vec<&str> = sent.iter().map(|(link, _)| link.as_str()).collect();
    links.dedup();
    let named: Vec<&str> = sent.iter().take(NAMED).map(|(_, words)| words.as_str()).collect();
    let more = match sent.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let (named, links) = (named.join("; "), links.join(", "));
    Ok(format!(
        "{} messages sent on {links}: {named}{more} (packets {first} to {last} of {file})",
        sent.len()
    ))
}

pub(super) fn say(told: &Told) {
    told.action.iter().for_each(|action| say!("Sent         {action}"));
    told.request.iter().for_each(asked);
    match (&told.acknowledgement, told.outcome) {
        (Some(code), Outcome::Refused) => say!("Refused      {}", words(code)),
        (Some(code), _) => say!("Accepted     {}", words(code)),
        (None, _) => {}
    }
    told.answer.iter().for_each(answered);
    if let (Outcome::Unanswered, reason) = (told.outcome, &told.reason) {
        say!("No answer    {}", reason.as_deref().unwrap_or("none came"));
    }
    match told.alerts.as_slice() {
        [] => say!("Alerts       none came with it"),
        alerts => {
            alerts.iter().for_each(|alert| say!("Alert        {}; record {}", alert.words, alert.record))
        }
    }
    say!("On the line  {}", told.line.as_deref().unwrap_or("nothing went to a device"));
    told.afterwards.iter().for_each(|state| say!("Afterwards   {state}"));
    say!("Evidence     harness verify {} (one request by hand: part of no DMCT Report)", told.run);
}

fn asked(asked: &Asked) {
    let Asked { id, fields, record, .. } = asked;
    fields.iter().for_each(|(name, value)| say!("             {name} = {value}"));
    say!("             {id}; record {record}");
}

fn words(code: &Code) -> String {
    let meaning = code.meaning.map(|meaning| format!(", {meaning}")).unwrap_or_default();
    format!("{}{meaning}; record {}", code.code, code.record)
}

fn answered(answer: &Answered) {
    let done = match answer.success {
        Some(true) => "; the device did it",
        Some(false) => "; the device did NOT do it",
        None => "",
    };
    say!("Answer       {}{done}", words(&answer.code));
    answer.debug.iter().for_each(|reason| say!("             because {reason}"));
    answer.device_time.iter().for_each(|time| say!("             at {time} by the device's clock"));
    answer.values.iter().take(VALUES).for_each(value);
    if let Some(more) = answer.values.len().checked_sub(VALUES).filter(|more| *more > 0) {
        say!("             and {more} more values: --json has them all");
    }
}

fn value(told: &ValueTold) {
    let unit = told.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
    say!("             {} = {}{unit}", told.path, told.value);
}
