//! Explaining octets to people: layer by layer, in words, down to the names of objects.
//!
//! The codecs of this crate either read a message or say why not. Here the same octets become a tree of [`Span`]s that
//! covers all of them and never fails: what cannot be read is shown as such with the reason, and what stands around it is
//! explained all the same. Explaining is pure; whoever shows the tree has the terminal.
//!
//! - [`explain`] takes one message, whose layers it finds by itself or is told;
//! - a [`Cutter`] cuts the octets of a line or stream into [`Piece`]s, and a [`Conversation`] explains them one by one,
//!   remembers which question an answer belongs to, and puts segments and blocks together.
//!
//! ```
//! use proto_dlms::explain::{Layer, explain};
//!
//! let request = [0xC0, 0x01, 0xC1, 0x00, 0x03, 0x01, 0x00, 0x01, 0x08, 0x00, 0xFF, 0x02, 0x00];
//! let span = explain(&request, Layer::Apdu).span;
//! assert_eq!(span.value, "Get-Request 1-0:1.8.0.255 active energy import total, Register, attribute 2 value");
//! assert!(span.is_sound());
//! ```

mod acse;
mod apdu;
mod ciphered;
mod conversation;
mod data;
mod link;
mod pieces;
mod reveal;
mod sign_on;
mod span;
#[cfg(test)]
mod tests;
mod walk;

pub use conversation::{Conversation, Explained, Way, Whole};
pub use pieces::{Cutter, Piece, PieceKind};
pub use reveal::Reveal;
pub use span::Span;

use self::walk::walk;

/// What octets are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// A message of IEC 62056-21.
    SignOn,
    /// An HDLC frame, with or without flags.
    Hdlc,
    /// A wrapped message.
    Wrapper,
    /// An APDU, perhaps behind an LLC or gateway header.
    Apdu,
    /// A value.
    Data,
}

impl Layer {
    /// What octets look like; `None` when like nothing this crate speaks.
    pub fn guess(octets: &[u8]) -> Option<Self> {
        let first = *octets.first()?;
        match octets {
            [crate::hdlc::FLAG, ..] => Some(Self::Hdlc),
            _ if link::is_frame(octets) => Some(Self::Hdlc),
            [0, 1, _, _, _, _, high, low, rest @ ..]
                if rest.len() == usize::from(u16::from_be_bytes([*high, *low])) =>
            {
                Some(Self::Wrapper)
            }
            [0xE6 | 0xE7, ..] => Some(Self::Apdu),
            // As initiate messages these begin like values and ZCL frames do: only what reads as one is one.
            [0x01 | 0x08 | 0x0E, ..] if apdu_reads(octets) => Some(Self::Apdu),
            [0x01 | 0x08 | 0x0E, ..] => Self::text_or_data(octets),
            _ if apdu::tag_name(first).is_some() => Some(Self::Apdu),
            _ => Self::text_or_data(octets),
        }
    }

    fn text_or_data(octets: &[u8]) -> Option<Self> {
        if crate::data::Data::decode(octets).is_ok() {
            return Some(Self::Data);
        }
        let first = octets.first().map(|octet| sign_on::character(*octet))?;
        matches!(first, b'/' | 0x01 | 0x02 | 0x06 | 0x15).then_some(Self::SignOn)
    }
}

fn apdu_reads(octets: &[u8]) -> bool {
    conversation::lone_apdu(octets).is_sound()
}

/// Explains one message taken for what `layer` says.
pub fn explain(octets: &[u8], layer: Layer) -> Explained {
    let piece = |kind| Piece { kind, octets: octets.to_vec(), from: 0 };
    let mut conversation = Conversation::new();
    match layer {
        Layer::SignOn => conversation.explain(Way::Request, &piece(PieceKind::SignOn)),
        Layer::Hdlc => conversation.explain(Way::Request, &piece(PieceKind::Hdlc)),
        Layer::Wrapper => conversation.explain(Way::Request, &piece(PieceKind::Wrapper)),
        Layer::Apdu if matches!(octets.first(), Some(0xE6 | 0xE7)) => {
            conversation.explain_message(Way::Request, octets)
        }
        Layer::Apdu => Explained { span: conversation::lone_apdu(octets), whole: Vec::new() },
        Layer::Data => {
            let span = walk(octets, "value", |walk| {
                let words = data::value(walk, None)?;
                walk.title(words);
                Ok(())
            });
            Explained { span, whole: Vec::new() }
        }
    }
}
