//! What octets mean, layer by layer in words: for `harness decode`, and for the page that shows a run.
//!
//! The protocols explain themselves (`proto_dlms::explain`, `proto_zigbee::explain`); here the two explanations are joined
//! into one tree ([`tree`]), captures are followed link by link ([`flow`]), what stations say is read (`mqtt`), and what a
//! record's message says is told ([`message`]). Nothing here reads a file or a clock.

pub(crate) mod certificates;
mod dongle;
pub(crate) mod flow;
mod json;
pub(crate) mod message;
mod mqtt;
pub(crate) mod tree;

use proto_dlms::explain as dlms;

pub(crate) use json::json;

/// One frame, message or event, explained.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// Its number among those of this input, counted from 1.
    pub(crate) number: u64,
    /// When, where and which way it crossed a link, in a capture.
    pub(crate) crossed: Option<Crossed>,
    /// Octets with their explanation; first the frame itself, then what it made whole.
    pub(crate) layers: Vec<Layer>,
}

/// Where a frame of a capture stands.
#[derive(Debug, Clone)]
pub(crate) struct Crossed {
    pub(crate) link: String,
    pub(crate) at: Option<jiff::Timestamp>,
    pub(crate) sent: Option<bool>,
    /// First and last packet that carried it.
    pub(crate) packets: (u64, u64),
    /// The comment of the capture, or what happened on the line.
    pub(crate) note: Option<String>,
}

/// Octets and what they mean.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) what: String,
    pub(crate) octets: Vec<u8>,
    pub(crate) tree: tree::Node,
}

impl Told {
    pub(crate) fn is_sound(&self) -> bool {
        self.layers.iter().all(|layer| layer.tree.is_sound())
    }
}

/// A frame's layers: itself, and what it made whole.
pub(crate) fn layers(octets: &[u8], explained: dlms::Explained) -> Vec<Layer> {
    let tree = tree::of_dlms(&explained.span, octets);
    let own = Layer { what: explained.span.name.to_string(), octets: octets.to_vec(), tree };
    let whole = explained.whole.into_iter().map(|whole| Layer {
        tree: tree::of_dlms(&whole.span, &whole.octets),
        what: whole.what,
        octets: whole.octets,
    });
    std::iter::once(own).chain(whole).collect()
}
