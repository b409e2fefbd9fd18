//! Explanations on a terminal, and as JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::decode::tree::Node;
use crate::decode::{Crossed, Layer, Told};

/// Octets shown at the start of a line.
const SHOWN: usize = 8;
/// Width of the octets: two digits each, a space between, and room for what is cut.
const WIDTH: usize = 3 * SHOWN + 3;

/// One frame in a line, with its problems below.
pub(super) fn brief(told: &Told) -> String {
    let mut text = place(told);
    match told.layers.as_slice() {
        [] => {
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        [first, whole @ ..] => {
            let _ = writeln!(text, "{}", summary_of(first));
            for layer in whole {
                let _ = writeln!(text, "        {}: {}", layer.what, layer.tree.headline());
            }
        }
    }
    for problem in told.layers.iter().flat_map(|layer| layer.tree.problems()) {
        let _ = writeln!(text, "        !! {problem}");
    }
    text
}

fn summary_of(layer: &Layer) -> String {
    match layer.tree.headline() {
        words if words.is_empty() => format!("{}, {} octets", layer.what, layer.octets.len()),
        words => format!("{}: {words}", layer.what),
    }
}

/// Number, time, link, direction and comment of a frame of a capture; nothing for one without.
fn place(told: &Told) -> String {
    let Some(Crossed { link, at, sent, packets, note }) = &told.crossed else { return String::new() };
    let at = at.map_or_else(|| "time unknown".to_owned(), |at| at.strftime("%H:%M:%S%.6f").to_string());
    let way = match sent {
        Some(true) => "->",
        Some(false) => "<-",
        None => "--",
    };
    let packets = match packets {
        (first, last) if first == last => format!("packet {first}"),
        (first, last) => format!("packets {first} to {last}"),
    };
    let note = note.as_ref().map(|note| format!("({note}) ")).unwrap_or_default();
    format!("{:>5}  {at}  {link} {way}  {packets}  {note}", told.number)
}

/// Every octet of a frame, and of what it made whole.
pub(super) fn detailed(told: &Told) -> String {
    let mut text = String::new();
    let place = place(told);
    if !place.is_empty() {
        let _ = writeln!(text, "{}", place.trim_end());
    }
    for layer in &told.layers {
        let _ = writeln!(text, "{}", summary_of(layer));
        if let Some(problem) = &layer.tree.problem {
            let _ = writeln!(text, "  !! {problem}");
        }
        for part in &layer.tree.parts {
            node(&mut text, part, &layer.octets, 0);
        }
    }
    text.push('\n');
    text
}

fn node(text: &mut String, part: &Node, octets: &[u8], depth: usize) {
    let octets_shown = if part.parts.is_empty() { shown(part, octets) } else { String::new() };
    let indent = "  ".repeat(depth);
    let colon = if part.value.is_empty() { "" } else { ": " };
    let _ =
        writeln!(text, "  {:04X}  {octets_shown:WIDTH$} {indent}{}{colon}{}", part.at, part.name, part.value);
    if let Some(problem) = &part.problem {
        let _ = writeln!(text, "  {:4}  {:WIDTH$} {indent}!! {problem}", "", "");
    }
    part.parts.iter().for_each(|inner| node(text, inner, octets, depth + 1));
}

fn shown(part: &Node, octets: &[u8]) -> String {
    if part.secret {
        return format!("({} octets)", part.length);
    }
    let own = octets.get(part.at..part.at + part.length).unwrap_or_default();
    let pairs: Vec<String> = own.iter().take(SHOWN).map(|octet| format!("{octet:02X}")).collect();
    let cut = if own.len() > SHOWN { ".." } else { "" };
    format!("{}{cut}", pairs.join(" "))
}

/// What a capture held.
pub(super) fn summary(told: &[Told]) -> String {
    let frames = told.iter().filter(|told| !told.layers.is_empty()).count();
    let unsound = told.iter().filter(|told| !told.is_sound()).count();
    let links: BTreeSet<&str> =
        told.iter().filter_map(|told| told.crossed.as_ref().map(|crossed| crossed.link.as_str())).collect();
    let links: Vec<&str> = links.into_iter().collect();
    let wrong = match unsound {
        0 => "nothing wrong in them".to_owned(),
        1 => "1 with something wrong (marked !!)".to_owned(),
        count => format!("{count} with something wrong (marked !!)"),
    };
    format!("{frames} frames on {}: {wrong}\n", links.join(", "))
}
