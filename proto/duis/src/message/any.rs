//! A message of whatever kind.

use super::{CountersignedRequest, MessageError, Request, Response, S1spAlert, Signed, Smets1Response};
use crate::xml::{Document, Space};

/// Any message of this crate, told by its root element.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// What a user asks.
    Request(Box<Request>),
    /// A request as the DSP hands it to the S1SP.
    Countersigned(Box<CountersignedRequest>),
    /// What the DCC says to a user.
    Response(Box<Response>),
    /// A device's answer or alert as the S1SP says it.
    Smets1(Box<Signed<Smets1Response>>),
    /// The S1SP's own alert.
    S1spAlert(Box<Signed<S1spAlert>>),
}

impl Message {
    /// Reads a message, signed or not, without looking at its signatures.
    ///
    /// ```
    /// use proto_duis::Message;
    /// let error = Message::parse(b"<Letter/>").unwrap_err();
    /// assert!(error.to_string().contains("Letter"));
    /// ```
    ///
    /// # Errors
    /// Not well-formed, or no message this crate knows; the error says where, what was found and what was expected.
    pub fn parse(octets: &[u8]) -> Result<Message, MessageError> {
        Message::of(&Document::parse(octets)?, octets)
    }

    /// The message of a document already read from these octets.
    pub(crate) fn of(document: &Document, octets: &[u8]) -> Result<Message, MessageError> {
        let root = document.root();
        Ok(match (root.space, root.name.as_str()) {
            (Space::Sr, "Response") => Message::Response(Box::new(super::read(document)?)),
            (Space::Sr, "SMETS1SignedResponse") => Message::Smets1(Box::new(Smets1Response::parse(octets)?)),
            (Space::Sr, "S1SPAlert") => Message::S1spAlert(Box::new(S1spAlert::parse(octets)?)),
            (Space::Lab, _) => Message::Countersigned(Box::new(super::read(document)?)),
            _ => Message::Request(Box::new(super::read(document)?)),
        })
    }
}
