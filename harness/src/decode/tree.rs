//! One tree out of the explanations of two protocol families, each of which carries the other in places.

use proto_dlms::explain as dlms;
use proto_zigbee::explain as zigbee;
use serde::Serialize;

/// How often one protocol is looked for within the other: APDUs travel in ZCL frames, and ZCL frames behind the gateway
/// header.
const DEPTH: usize = 4;

/// A stretch of octets and what it means.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Node {
    pub(crate) at: usize,
    pub(crate) length: usize,
    pub(crate) name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
    /// A password or key: its octets are not shown.
    #[serde(skip)]
    pub(crate) secret: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Node>,
}

impl Node {
    pub(crate) fn is_sound(&self) -> bool {
        self.problem.is_none() && self.parts.iter().all(Node::is_sound)
    }

    /// The most telling words of the tree: its own, then those of the layers within it.
    pub(crate) fn headline(&self) -> String {
        let mut words = vec![self.value.as_str()];
        self.layers(&mut words);
        words.retain(|word| !word.is_empty());
        words.join("; ")
    }

    fn layers<'a>(&'a self, words: &mut Vec<&'a str>) {
        for part in &self.parts {
            if matches!(part.name.as_str(), "gateway header" | "APDU" | "APS frame" | "negotiation") {
                words.push(&part.value);
            }
            // An association's own words name the services it carries already at length.
            if part.name != "APDU" || part.parts.iter().any(|part| part.name == "APS frame") {
                part.layers(words);
            }
        }
    }

    /// Every problem in the tree, each with the name of what has it.
    pub(crate) fn problems(&self) -> Vec<String> {
        let own = self.problem.iter().map(|problem| format!("{}: {problem}", self.name));
        own.chain(self.parts.iter().flat_map(Node::problems)).collect()
    }
}

/// The explanation of DLMS octets, with what they carry of ZigBee.
pub(crate) fn of_dlms(span: &dlms::Span, octets: &[u8]) -> Node {
    from_dlms(span, octets, 0, 0)
}

/// The explanation of ZigBee octets, with what they carry of DLMS.
pub(crate) fn of_zigbee(span: &zigbee::Span, octets: &[u8]) -> Node {
    from_zigbee(span, octets, 0, 0)
}

fn carried(octets: &[u8], at: usize, length: usize) -> &[u8] {
    octets.get(at..at + length).unwrap_or_default()
}

/// `base` is where the octets the span counts from begin in the whole.
fn from_dlms(span: &dlms::Span, octets: &[u8], base: usize, depth: usize) -> Node {
    let mut node = Node {
        at: base + span.at,
        length: span.length,
        name: span.name.to_string(),
        value: span.value.clone(),
        problem: span.problem.clone(),
        secret: span.secret,
        parts: span.parts.iter().map(|part| from_dlms(part, octets, base, depth)).collect(),
    };
    if span.foreign && depth < DEPTH {
        let inner = carried(octets, node.at, node.length);
        if zigbee::looks_like_aps(inner) {
            return from_zigbee(&zigbee::aps(inner), octets, node.at, depth + 1);
        }
        node.problem = Some("not understood: neither an APDU nor a Smart Energy frame".to_owned());
    }
    node
}

fn from_zigbee(span: &zigbee::Span, octets: &[u8], base: usize, depth: usize) -> Node {
    let mut node = Node {
        at: base + span.at,
        length: span.length,
        name: span.name.to_owned(),
        value: span.value.clone(),
        problem: span.problem.clone(),
        secret: span.secret,
        parts: span.parts.iter().map(|part| from_zigbee(part, octets, base, depth)).collect(),
    };
    if span.foreign && depth < DEPTH {
        let inner = dlms::explain(carried(octets, node.at, node.length), dlms::Layer::Apdu).span;
        let inner = from_dlms(&inner, octets, node.at, depth + 1);
        node.value = inner.value.clone();
        node.parts = vec![Node { name: "APDU".to_owned(), ..inner }];
    }
    node
}
