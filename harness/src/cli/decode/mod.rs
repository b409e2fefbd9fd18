//! `harness decode`: what any octets mean, layer by layer in words.
//!
//! The explaining is done by [`crate::decode`]; here octets are got from wherever people have them ([`input`]), what they
//! are taken for is found out ([`lines`]), and all of it is put on a terminal ([`show`]).

mod input;
mod lines;
mod show;
#[cfg(test)]
mod tests;

use std::path::Path;

use proto_dlms::explain::Reveal;
use proto_dlms::security::Keys;

use self::input::Input;
use self::lines::Taken;
use super::arguments::Decode;
use super::say::say_text;
use super::{Exit, Failure, print_json};
use crate::decode::{Told, flow, json};

pub(super) fn decode(verb: &Decode) -> Result<Exit, Failure> {
    let taken = Taken { layer: verb.layer, cluster: verb.cluster };
    let reveal = reveal(verb)?;
    let mut exit = Exit::Done;
    for input in input::read(&verb.inputs)? {
        let (told, torn, is_capture) = match input {
            Input::Messages(messages) => (lines::tell(&messages, taken, reveal.as_ref()), false, false),
            Input::Capture(capture) => (flow::tell(&capture, reveal.as_ref()), capture.torn, true),
        };
        if told.iter().any(|told| !told.is_sound()) {
            exit = Exit::Failed;
        }
        print(verb, &told, is_capture)?;
        if torn && !verb.json {
            say_text!("the capture ends within a packet: its writer was stopped\n");
        }
    }
    Ok(exit)
}

/// What was sent in these packets of a capture, in words: the link, and the innermost of each frame.
pub(super) fn sent(file: &Path, (first, last): (u64, u64)) -> Result<Vec<(String, String)>, Failure> {
    let wrong = |error: String| Failure::lab(format!("{}: {error}", file.display()));
    let octets = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let capture = crate::evidence::read_packets(&octets).map_err(|error| wrong(error.to_string()))?;
    let words = |told: &Told| {
        let crossed = told.crossed.as_ref().filter(|crossed| crossed.sent == Some(true))?;
        let within = first <= crossed.packets.0 && crossed.packets.1 <= last;
        let headline = told.layers.last().map(|layer| layer.tree.headline()).filter(|_| within)?;
        let innermost = headline.rsplit("; ").next().unwrap_or_default().to_owned();
        Some((crossed.link.clone(), innermost))
    };
    Ok(flow::tell(&capture, None).iter().filter_map(words).collect())
}

/// The keys the options name, read now.
fn reveal(verb: &Decode) -> Result<Option<Reveal>, Failure> {
    let (Some(encryption), Some(authentication)) = (&verb.encryption_key, &verb.authentication_key) else {
        return Ok(None);
    };
    let keys = Keys {
        encryption: encryption.key().map_err(Failure::input)?,
        authentication: authentication.key().map_err(Failure::input)?,
    };
    Ok(Some(Reveal::new(keys, verb.system_titles.clone())))
}

fn print(verb: &Decode, told: &[Told], is_capture: bool) -> Result<(), Failure> {
    let chosen: Vec<&Told> =
        told.iter().filter(|told| verb.frame.is_none_or(|number| number == told.number)).collect();
    if let (Some(number), true) = (verb.frame, chosen.is_empty()) {
        return Err(Failure::input(format!("frame {number}: the input has frames 1 to {}", told.len())));
    }
    if verb.json {
        return chosen.into_iter().try_for_each(|told| print_json(&json(told)));
    }
    let detailed = !is_capture || verb.details || verb.frame.is_some();
    for told in chosen {
        say_text!("{}", if detailed { show::detailed(told) } else { show::brief(told) });
    }
    if is_capture && verb.frame.is_none() {
        say_text!("{}", show::summary(told));
    }
    Ok(())
}
