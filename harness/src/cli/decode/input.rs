//! Where octets come from: the command line, a file, a run folder, standard input.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::cli::Failure;
use crate::evidence::{Packets, RunFolder, is_pcapng, read_packets};

/// The longest input read; a capture beyond it is better cut first.
const LONGEST: u64 = 512 << 20;

/// What there is to explain.
pub(super) enum Input {
    /// Messages, one after the other.
    Messages(Vec<Vec<u8>>),
    /// A capture.
    Capture(Packets),
}

/// Every input the arguments name: a file, a run folder or `-` each, or all of them together as hexadecimal.
pub(super) fn read(inputs: &[String]) -> Result<Vec<Input>, Failure> {
    let is_place = |given: &String| given == "-" || Path::new(given).exists();
    if inputs.iter().any(is_place) {
        return inputs
            .iter()
            .map(|given| place(given))
            .collect::<Result<Vec<_>, _>>()
            .map(|all| all.into_iter().flatten().collect());
    }
    let text = inputs.join(" ");
    if text.trim_start().starts_with('<') {
        return Err(duis("the command line"));
    }
    let octets = hexadecimal(&text).map_err(|fault| {
        let failure = Failure::input(format!("{text:?} is neither a file nor hexadecimal: {fault}"));
        failure.hint("write hexadecimal as 7EA0..., 7E A0 ..., 0x7E 0xA0 ... or 7E:A0:...")
    })?;
    Ok(vec![Input::Messages(vec![octets])])
}

fn place(given: &str) -> Result<Vec<Input>, Failure> {
    if given == "-" {
        let mut octets = Vec::new();
        let read = std::io::stdin().lock().take(LONGEST).read_to_end(&mut octets);
        read.map_err(|e| Failure::input(format!("standard input: {e}")))?;
        return Ok(vec![parse("standard input", &octets)?]);
    }
    let path = Path::new(given);
    if path.is_dir() {
        captures(path)?.iter().map(|path| file(path)).collect()
    } else {
        Ok(vec![file(path)?])
    }
}

/// The captures of a run folder.
fn captures(run: &Path) -> Result<Vec<PathBuf>, Failure> {
    let folder = RunFolder::new(run).captures();
    let wrong = |e: std::io::Error| {
        let failure = Failure::input(format!("{}: {e}", folder.display()));
        failure.hint("a folder is taken for a run, whose captures stand in its folder `captures`")
    };
    let entries = std::fs::read_dir(&folder).map_err(wrong)?.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    let mut found: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    found.retain(|path| path.extension().is_some_and(|extension| extension == "pcapng"));
    found.sort();
    match found.is_empty() {
        true => Err(Failure::input(format!("{}: no capture in it", folder.display()))),
        false => Ok(found),
    }
}

fn file(path: &Path) -> Result<Input, Failure> {
    let wrong = |e: std::io::Error| Failure::input(format!("{}: {e}", path.display()));
    let length = std::fs::metadata(path).map_err(wrong)?.len();
    if length > LONGEST {
        let failure = format!("{}: {length} octets, expected at most {LONGEST}", path.display());
        return Err(Failure::input(failure).hint("cut a long capture: editcap -c 100000 IN OUT"));
    }
    parse(&path.display().to_string(), &std::fs::read(path).map_err(wrong)?)
}

fn parse(name: &str, octets: &[u8]) -> Result<Input, Failure> {
    if is_pcapng(octets) {
        let read = read_packets(octets).map_err(|e| Failure::input(format!("{name}: {e}")))?;
        return Ok(Input::Capture(read));
    }
    if matches!(octets, [0xD4, 0xC3, 0xB2, 0xA1, ..] | [0xA1, 0xB2, 0xC3, 0xD4, ..]) {
        return Err(Failure::input(format!("{name}: a capture in the old pcap form, expected pcapng"))
            .hint("editcap -F pcapng IN OUT writes it again in that form"));
    }
    let text = String::from_utf8_lossy(octets);
    if text.trim_start().starts_with('<') {
        return Err(duis(name));
    }
    messages(name, &text)
}

fn duis(name: &str) -> Failure {
    Failure::input(format!("{name}: XML, expected hexadecimal or a pcapng capture"))
        .hint("DUIS messages are shown by `harness duis show FILE`")
}

/// One message a line; empty lines and what follows `#` are left out.
fn messages(name: &str, text: &str) -> Result<Input, Failure> {
    let mut messages = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let octets = hexadecimal(line).map_err(|fault| {
            let at = format!("{name}:{}:{}", index + 1, fault.column);
            Failure::input(format!("{at}: {fault}"))
                .hint("one message in hexadecimal a line; # begins a comment")
        })?;
        if !octets.is_empty() {
            messages.push(octets);
        }
    }
    match messages.is_empty() {
        true => Err(Failure::input(format!("{name}: no message in it"))),
        false => Ok(Input::Messages(messages)),
    }
}

/// Text that is not hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    #[error("column {0}: found {1:?}, expected hexadecimal digits")]
    Character(usize, char),
    #[error("column {0}: a single digit, expected two for each octet")]
    Single(usize),
}

/// A fault and the column it stands in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub(super) struct HexFault {
    column: usize,
    fault: Wrong,
}

/// Octets in hexadecimal: with or without spaces, colons, commas, dashes and `0x`.
pub(super) fn hexadecimal(text: &str) -> Result<Vec<u8>, HexFault> {
    let mut octets = Vec::new();
    let mut high: Option<(usize, u8)> = None;
    let characters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while let Some(character) = characters.get(at) {
        let column = at + 1;
        let is_prefix = *character == '0' && matches!(characters.get(at + 1), Some('x' | 'X'));
        match (character.to_digit(16), high) {
            _ if is_prefix && high.is_none() => at += 1,
            (Some(digit), Some((_, high_digit))) => {
                octets.push(high_digit << 4 | u8::try_from(digit).unwrap_or(0));
                high = None;
            }
            (Some(digit), None) => high = Some((column, u8::try_from(digit).unwrap_or(0))),
            (None, Some((column, _))) if is_separator(*character) => {
                return Err(HexFault { column, fault: Wrong::Single(column) });
            }
            (None, None) if is_separator(*character) => {}
            _ => return Err(HexFault { column, fault: Wrong::Character(column, *character) }),
        }
        at += 1;
    }
    match high {
        Some((column, _)) => Err(HexFault { column, fault: Wrong::Single(column) }),
        None => Ok(octets),
    }
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, ':' | ',' | '-' | ';' | '[' | ']' | '{' | '}' | '"')
}
