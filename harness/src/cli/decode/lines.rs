//! Messages without a capture around them: the layers of each are found out, or are what the command line says.

use proto_dlms::explain::{self as dlms, Conversation, Cutter, Piece, PieceKind, Reveal, Way};
use proto_zigbee::explain as zigbee;

use crate::cli::arguments::TakenFor;
use crate::decode::{Layer, Told, layers, tree};

/// What octets are to be taken for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) layer: Option<TakenFor>,
    pub(super) cluster: Option<u16>,
}

/// Explains each message; questions, segments and blocks are remembered from one to the next.
pub(super) fn tell(messages: &[Vec<u8>], taken: Taken, reveal: Option<&Reveal>) -> Vec<Told> {
    let mut conversation = Conversation::with_keys(reveal.cloned());
    let layers = messages.iter().flat_map(|octets| message(&mut conversation, octets, taken));
    let numbered = (1..).zip(layers.collect::<Vec<_>>());
    numbered.map(|(number, layers)| Told { number, crossed: None, layers }).collect()
}

fn message(conversation: &mut Conversation, octets: &[u8], taken: Taken) -> Vec<Vec<Layer>> {
    let layer = match taken.layer {
        Some(TakenFor::Aps) => return vec![vec![aps(octets)]],
        Some(TakenFor::Zcl) => return vec![vec![zcl(octets, taken.cluster)]],
        None if taken.cluster.is_some() => return vec![vec![zcl(octets, taken.cluster)]],
        None if zigbee::looks_like_aps(octets) => return vec![vec![aps(octets)]],
        Some(TakenFor::SignOn) => dlms::Layer::SignOn,
        Some(TakenFor::Hdlc) => dlms::Layer::Hdlc,
        Some(TakenFor::Wrapper) => dlms::Layer::Wrapper,
        Some(TakenFor::Apdu) => dlms::Layer::Apdu,
        Some(TakenFor::Data) => dlms::Layer::Data,
        None => match dlms::Layer::guess(octets) {
            // A paste of a line may hold several frames.
            Some(dlms::Layer::Hdlc) if octets.first() != Some(&0x7E) => dlms::Layer::Hdlc,
            Some(dlms::Layer::Apdu) => dlms::Layer::Apdu,
            Some(dlms::Layer::Data) => dlms::Layer::Data,
            _ => return pieces(conversation, octets),
        },
    };
    vec![explained(conversation, octets, layer)]
}

fn explained(conversation: &mut Conversation, octets: &[u8], layer: dlms::Layer) -> Vec<Layer> {
    let kind = match layer {
        dlms::Layer::SignOn => PieceKind::SignOn,
        dlms::Layer::Hdlc => PieceKind::Hdlc,
        dlms::Layer::Wrapper => PieceKind::Wrapper,
        dlms::Layer::Apdu => return layers(octets, conversation.explain_message(Way::Response, octets)),
        dlms::Layer::Data => return layers(octets, dlms::explain(octets, layer)),
    };
    let piece = Piece { kind, octets: octets.to_vec(), from: 0 };
    layers(octets, conversation.explain(Way::Response, &piece))
}

/// The frames, wrapped messages and texts of a line.
fn pieces(conversation: &mut Conversation, octets: &[u8]) -> Vec<Vec<Layer>> {
    let mut cutter = Cutter::new();
    cutter.receive(octets);
    let pieces = std::iter::from_fn(|| cutter.finish());
    pieces.map(|piece| layers(&piece.octets, conversation.explain(Way::Response, &piece))).collect()
}

fn aps(octets: &[u8]) -> Layer {
    let tree = tree::of_zigbee(&zigbee::aps(octets), octets);
    Layer { what: tree.name.clone(), octets: octets.to_vec(), tree }
}

fn zcl(octets: &[u8], cluster: Option<u16>) -> Layer {
    let tree = tree::of_zigbee(&zigbee::zcl(octets, cluster), octets);
    Layer { what: tree.name.clone(), octets: octets.to_vec(), tree }
}
