//! Explained frames as JSON, for programs and for the page: what is said on a terminal, and the tree behind it.

use serde::Serialize;

use super::tree::Node;
use super::{Layer, Told};

/// A frame as JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Json<'a> {
    frame: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packets: Option<(u64, u64)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    sound: bool,
    layers: Vec<JsonLayer<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonLayer<'a> {
    what: &'a str,
    summary: String,
    /// In hexadecimal, `**` for each octet of a password or key.
    octets: String,
    tree: &'a Node,
}

pub(crate) fn json(told: &Told) -> Json<'_> {
    let crossed = told.crossed.as_ref();
    let direction = |sent| if sent { "sent" } else { "received" };
    Json {
        frame: told.number,
        at: crossed.and_then(|crossed| crossed.at).map(|at| at.to_string()),
        link: crossed.map(|crossed| crossed.link.as_str()),
        direction: crossed.and_then(|crossed| crossed.sent).map(direction),
        packets: crossed.map(|crossed| crossed.packets),
        note: crossed.and_then(|crossed| crossed.note.as_deref()),
        sound: told.is_sound(),
        layers: told.layers.iter().map(json_layer).collect(),
    }
}

fn json_layer(layer: &Layer) -> JsonLayer<'_> {
    let mut pairs: Vec<String> = layer.octets.iter().map(|octet| format!("{octet:02X}")).collect();
    hide(&layer.tree, &mut pairs);
    let summary = layer.tree.headline();
    JsonLayer { what: &layer.what, summary, octets: pairs.concat(), tree: &layer.tree }
}

fn hide(node: &Node, pairs: &mut [String]) {
    if node.secret {
        let own = pairs.get_mut(node.at..node.at + node.length).unwrap_or_default();
        own.iter_mut().for_each(|pair| "**".clone_into(pair));
    }
    node.parts.iter().for_each(|part| hide(part, pairs));
}
