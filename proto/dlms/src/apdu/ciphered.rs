//! Ciphered messages as they go on the wire: the envelope, not what is in it (IEC 62056-5-3, 5.7 and 8.2).
//!
//! The same content travels in one of two envelopes. The *service-specific* one has a tag of its own for each
//! service (`glo-get-request` C8 and so on) and names nobody: both ends learnt each other's system title when they
//! associated. The *general* one (`general-glo-ciphering` DB, `general-ded-ciphering` DC) takes any service and says
//! whose system title went into it. What is inside is the business of [`security`](crate::security).
//!
//! | envelope | tags, global key | tags, dedicated key |
//! |---|---|---|
//! | initiate request, response; confirmed service error | 21, 28, 2E | 41, 48, 4E |
//! | get, set, event notification, action: request | C8, C9, CA, CB | D0, D1, D2, D3 |
//! | get, set, action: response | CC, CD, CF | D4, D5, D7 |
//! | any service | DB | DC |
//!
//! `general-ciphering` (DD) and `general-signing` (DF) carry key agreement and signatures, which security suite 0
//! has not: they are read so far as to say what they are, and refused.

use crate::octets::{DecodeError, Reader, put_string};
use crate::security::SystemTitle;

/// Which key a message is ciphered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeySet {
    /// The global unicast encryption key, which lasts from one association to the next.
    Global,
    /// The dedicated key, which the client made for this association.
    Dedicated,
}

/// Which envelope a message travels in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// The one of its service, with the tag it has under the global or dedicated key.
    Service(u8),
    /// `general-glo-ciphering` or `general-ded-ciphering`, with the sender's system title where it says.
    General(Option<SystemTitle>),
}

/// A ciphered message: what is known of it without a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ciphered {
    /// Which key it is ciphered with.
    pub keys: KeySet,
    /// Which envelope it travels in.
    pub envelope: Envelope,
    /// Security control octet, invocation counter, and what the cipher made.
    pub contents: Vec<u8>,
}

/// `glo` and `ded` tag of each service that has them, by the tag of the plain message.
const SERVICES: [(u8, u8, u8); 10] = [
    (0x01, 0x21, 0x41),
    (0x08, 0x28, 0x48),
    (0x0E, 0x2E, 0x4E),
    (0xC0, 0xC8, 0xD0),
    (0xC1, 0xC9, 0xD1),
    (0xC2, 0xCA, 0xD2),
    (0xC3, 0xCB, 0xD3),
    (0xC4, 0xCC, 0xD4),
    (0xC5, 0xCD, 0xD5),
    (0xC7, 0xCF, 0xD7),
];

const GENERAL_GLO: u8 = 0xDB;
const GENERAL_DED: u8 = 0xDC;

/// The tag of the service-specific envelope for a plain message; `None` for services that have only the general one.
pub(crate) fn service_tag(plain: u8, keys: KeySet) -> Option<u8> {
    let (_, glo, ded) = SERVICES.iter().find(|(tag, ..)| *tag == plain)?;
    Some(if keys == KeySet::Global { *glo } else { *ded })
}

/// The plain tag and the keys of a service-specific envelope.
fn service_of(tag: u8) -> Option<(u8, KeySet)> {
    SERVICES.iter().find_map(|(plain, glo, ded)| match tag {
        _ if tag == *glo => Some((*plain, KeySet::Global)),
        _ if tag == *ded => Some((*plain, KeySet::Dedicated)),
        _ => None,
    })
}

/// Whether a tag is that of a ciphered message.
pub(crate) fn is_ciphered(tag: u8) -> bool {
    matches!(tag, GENERAL_GLO | GENERAL_DED) || service_of(tag).is_some()
}

impl Ciphered {
    /// Reads a ciphered message that fills `octets`, an initiate request within an AARQ among them.
    ///
    /// # Errors
    /// A tag that is not one of a ciphered message, a system title that is not 8 octets, or a length that is wrong.
    pub fn decode(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        let tag = reader.u8("APDU tag")?;
        let ciphered = Self::read(tag, &mut reader)?;
        reader.finish("ciphered APDU")?;
        Ok(ciphered)
    }

    pub(super) fn read(tag: u8, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (keys, envelope) = match tag {
            GENERAL_GLO => (KeySet::Global, Envelope::General(read_title(reader)?)),
            GENERAL_DED => (KeySet::Dedicated, Envelope::General(read_title(reader)?)),
            _ => match service_of(tag) {
                Some((_, keys)) => (keys, Envelope::Service(tag)),
                None => return Err(reader.unexpected("APDU tag", tag, "a glo-, ded- or general tag")),
            },
        };
        Ok(Self { keys, envelope, contents: reader.string("ciphered contents")?.to_vec() })
    }

    /// The octets as they go on the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.contents.len() + 14);
        self.encode_to(&mut out);
        out
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        match self.envelope {
            Envelope::Service(tag) => out.push(tag),
            Envelope::General(title) => {
                out.push(if self.keys == KeySet::Global { GENERAL_GLO } else { GENERAL_DED });
                put_string(out, title.as_ref().map_or(&[], SystemTitle::octets));
            }
        }
        put_string(out, &self.contents);
    }

    /// Whether a plain message with this tag may come out of the envelope.
    pub(crate) fn may_hold(&self, plain: u8) -> bool {
        match self.envelope {
            Envelope::General(_) => true,
            Envelope::Service(tag) => service_of(tag).is_some_and(|(of, _)| of == plain),
        }
    }

    /// What the message is called in the standard, for messages to people.
    pub fn name(&self) -> &'static str {
        match (self.keys, self.envelope) {
            (KeySet::Global, Envelope::General(_)) => "general-glo-ciphering",
            (KeySet::Dedicated, Envelope::General(_)) => "general-ded-ciphering",
            (_, Envelope::Service(tag)) => service_name(tag),
        }
    }
}

fn service_name(tag: u8) -> &'static str {
    match tag {
        0x21 => "glo-initiate-request",
        0x28 => "glo-initiate-response",
        0x2E => "glo-confirmed-service-error",
        0x41 => "ded-initiate-request",
        0x48 => "ded-initiate-response",
        0x4E => "ded-confirmed-service-error",
        0xC8 => "glo-get-request",
        0xC9 => "glo-set-request",
        0xCA => "glo-event-notification-request",
        0xCB => "glo-action-request",
        0xCC => "glo-get-response",
        0xCD => "glo-set-response",
        0xCF => "glo-action-response",
        0xD0 => "ded-get-request",
        0xD1 => "ded-set-request",
        0xD2 => "ded-event-notification-request",
        0xD3 => "ded-action-request",
        0xD4 => "ded-get-response",
        0xD5 => "ded-set-response",
        0xD7 => "ded-action-response",
        _ => "ciphered APDU",
    }
}

/// The system title of a general envelope: 8 octets, or none where the association has told it.
fn read_title(reader: &mut Reader<'_>) -> Result<Option<SystemTitle>, DecodeError> {
    match reader.u8("system title length")? {
        0 => Ok(None),
        8 => Ok(Some(SystemTitle(reader.array("system title")?))),
        found => Err(reader.unexpected("system title length", found, "00 (none) or 08")),
    }
}

/// A message of another security suite than 0: its header, enough to say what it is and from whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherSuite {
    /// `general-ciphering` (DD) or `general-signing` (DF).
    pub kind: OtherSuiteKind,
    /// The sender's transaction.
    pub transaction: Vec<u8>,
    /// The sender's system title, as sent.
    pub originator: Vec<u8>,
    /// The recipient's system title, as sent.
    pub recipient: Vec<u8>,
    /// Everything behind the header's titles, unread.
    pub rest: Vec<u8>,
}

/// Which message of another security suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherSuiteKind {
    /// DD: ciphered under a key that is wrapped or agreed on in the message.
    GeneralCiphering,
    /// DF: signed.
    GeneralSigning,
}

impl OtherSuite {
    pub(super) fn read(kind: OtherSuiteKind, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            kind,
            transaction: reader.string("transaction id")?.to_vec(),
            originator: reader.string("originator system title")?.to_vec(),
            recipient: reader.string("recipient system title")?.to_vec(),
            rest: reader.rest().to_vec(),
        })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        out.push(match self.kind {
            OtherSuiteKind::GeneralCiphering => 0xDD,
            OtherSuiteKind::GeneralSigning => 0xDF,
        });
        for field in [&self.transaction, &self.originator, &self.recipient] {
            put_string(out, field);
        }
        out.extend_from_slice(&self.rest);
    }

    /// What the message is called in the standard, for messages to people.
    pub fn name(&self) -> &'static str {
        match self.kind {
            OtherSuiteKind::GeneralCiphering => "general-ciphering",
            OtherSuiteKind::GeneralSigning => "general-signing",
        }
    }
}
