//! Service Requests.

use super::{MessageError, Opened, ReadMessage, check_version, versioned};
use crate::body::RequestBody;
use crate::dsig::{self, DsigError, PartyKind, Signer, TrustStore};
use crate::xml::{Cursor, Element, Reading, SchemaError, Space::Sr};
use crate::{RequestId, Srv};
use std::fmt;
use std::str::FromStr;

/// How the DCC is to treat a request (DUIS type `CommandVariant`, 1 to 9): 1 sends a command over the wide area
/// network, 8 is answered by the DCC itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommandVariant(u8);

/// A number that is not a command variant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a command variant; expected a number from 1 to 9")]
pub struct CommandVariantError {
    found: String,
}

impl CommandVariant {
    /// Send the command over the wide area network.
    pub const WAN: CommandVariant = CommandVariant(1);
    /// Transform a critical request into a pre-command for its user to sign. There is none of that for SMETS1 devices: their
    /// critical requests go as commands, signed.
    pub const TRANSFORM: CommandVariant = CommandVariant(4);
    /// Answered by the DCC itself.
    pub const DCC_ONLY: CommandVariant = CommandVariant(8);

    /// The variant with this number.
    ///
    /// # Errors
    /// The number is not 1 to 9.
    pub fn new(number: u8) -> Result<CommandVariant, CommandVariantError> {
        let known = (1..=9).contains(&number).then_some(CommandVariant(number));
        known.ok_or_else(|| CommandVariantError { found: number.to_string() })
    }

    /// The variant a request for this Service Reference Variant is sent as.
    pub fn for_srv(srv: Srv) -> CommandVariant {
        CommandVariant(srv.smets1().0.command_variant)
    }
}

impl fmt::Display for CommandVariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CommandVariant {
    type Err = CommandVariantError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().ok().and_then(|number| CommandVariant::new(number).ok());
        number.ok_or_else(|| CommandVariantError { found: text.chars().take(40).collect() })
    }
}

/// A Service Request (DUIS element `Request`).
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Who asks, of what, and the counter against replay.
    pub id: RequestId,
    /// Whether this is the first of a sequence of requests.
    pub first_in_sequence: Option<bool>,
    /// The request that must be done before this one.
    pub preceding: Option<RequestId>,
    /// How the DCC is to treat it.
    pub command_variant: CommandVariant,
    /// What is asked.
    pub body: RequestBody,
}

impl Request {
    /// A request on its own, with the command variant its Service Reference Variant calls for.
    pub fn new(id: RequestId, body: RequestBody) -> Request {
        let command_variant = CommandVariant::for_srv(body.srv());
        Request { id, first_in_sequence: None, preceding: None, command_variant, body }
    }

    /// The Service Reference Variant, which the body decides.
    pub fn srv(&self) -> Srv {
        self.body.srv()
    }

    /// The request without a signature.
    pub fn to_xml(&self) -> String {
        let srv = self.srv();
        let header = Element::new(Sr, "Header")
            .with(Element::leaf(Sr, "RequestID", self.id))
            .with_all(self.first_in_sequence.map(|first| Element::leaf(Sr, "FirstInSequence", first)))
            .with_all(self.preceding.map(|id| Element::leaf(Sr, "PrecedingServiceRequestID", id)))
            .with(Element::leaf(Sr, "CommandVariant", self.command_variant))
            .with(Element::leaf(Sr, "ServiceReference", srv.reference()))
            .with(Element::leaf(Sr, "ServiceReferenceVariant", srv));
        let body = Element::new(Sr, "Body").with(self.body.to_element());
        versioned(Sr, "Request").with(header).with(body).to_document()
    }

    /// The request signed by its user.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign(&self, signer: &Signer) -> Result<String, DsigError> {
        dsig::sign(&self.to_xml(), signer)
    }

    /// Reads a request, signed or not, without looking at its signature.
    ///
    /// # Errors
    /// Not well-formed, or not a request of a variant this crate knows.
    pub fn parse(octets: &[u8]) -> Result<Request, MessageError> {
        super::parse(octets)
    }

    /// Reads a request and checks that the user named as its originator signed it.
    ///
    /// # Errors
    /// Not a request, or not signed by its originator.
    pub fn open(octets: &[u8], trust: &TrustStore) -> Result<Opened<Request>, MessageError> {
        let (message, party) = super::open::<Request>(octets, trust, PartyKind::User)?;
        if party.id != message.id.originator {
            let expected = format!("its originator {}", message.id.originator);
            let element = "Request".to_owned();
            return Err(DsigError::WrongParty { element, found: party.to_string(), expected }.into());
        }
        Ok(Opened { message, signed_by: vec![party.clone()] })
    }
}

impl ReadMessage for Request {
    const ROOT: (crate::xml::Space, &'static str) = (Sr, "Request");

    fn read(root: &Reading<'_>) -> Result<Request, SchemaError> {
        check_version(root)?;
        let mut parts = root.children(&["schemaVersion"])?;
        let header = parts.required(Sr, "Header")?;
        let mut fields = header.children(&[])?;
        let id = fields.required(Sr, "RequestID")?.value()?;
        let first_in_sequence =
            fields.optional(Sr, "FirstInSequence").map(|first| first.boolean()).transpose()?;
        let preceding = fields.optional(Sr, "PrecedingServiceRequestID").map(|id| id.value()).transpose()?;
        let command_variant = fields.required(Sr, "CommandVariant")?.value()?;
        let srv = read_srv(&mut fields)?;
        fields.finish()?;
        let body = RequestBody::read(&parts.required(Sr, "Body")?, srv)?;
        parts.optional(crate::xml::Space::Ds, "Signature");
        parts.finish()?;
        Ok(Request { id, first_in_sequence, preceding, command_variant, body })
    }
}

/// `ServiceReference` and `ServiceReferenceVariant`, which must belong together.
pub(super) fn read_srv(fields: &mut Cursor<'_>) -> Result<Srv, SchemaError> {
    let reference: String = fields.required(Sr, "ServiceReference")?.value()?;
    let variant = fields.required(Sr, "ServiceReferenceVariant")?;
    let srv: Srv = variant.value()?;
    if srv.reference() == reference {
        return Ok(srv);
    }
    Err(variant.bad_value(
        "the text",
        srv.as_str(),
        format!("expected a variant of Service Reference {reference}"),
    ))
}
