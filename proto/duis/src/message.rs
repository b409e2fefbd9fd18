//! The messages themselves: what each says, how it is written, read, signed and opened.
//!
//! Every message type has `to_xml` (unsigned), `sign`, `parse` (structure only) and `open` (structure and every
//! signature). A message that was opened was signed by whom it should have been.

mod alert;
mod any;
mod countersigned;
mod firmware;
mod inventory;
mod request;
mod response;
mod schedule;
mod smets1;

#[cfg(test)]
mod templates;
#[cfg(test)]
mod tests;

pub use alert::S1spAlert;
pub use any::Message;
pub use countersigned::CountersignedRequest;
pub use firmware::UpdateFirmwareWarning;
pub use inventory::InventoryDevice;
pub use request::{CommandVariant, CommandVariantError, Request};
pub use response::{
    DccAlertMessage, DccContent, Response, ResponseBody, ResponseMessage, Smets1ResponseMessage,
};
pub use schedule::{ScheduledReading, StoredSchedule};
pub use smets1::{
    ClockStatus, DeviceAlert, ResponsePayload, Smets1Body, Smets1Debug, Smets1Response, Smets1Timestamp,
};

use crate::dsig::{self, DsigError, Party, PartyKind, TrustStore, Verified};
use crate::xml::{Document, Element, Reading, SchemaError, Space, XmlError};
use std::fmt;

/// The version of DUIS and MMC the messages are in.
pub const SCHEMA_VERSION: &str = "5.4";

/// Octets that are not the message they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Not well-formed XML within the limits.
    #[error("{0}")]
    Xml(#[from] XmlError),
    /// Not as the schema says.
    #[error("{0}")]
    Schema(#[from] SchemaError),
    /// Not signed by whom it should be.
    #[error("{0}")]
    Signature(#[from] DsigError),
}

/// A message whose signatures hold, and who made them, outermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened<T> {
    /// What the signed octets say.
    pub message: T,
    /// Who signed, outermost first.
    pub signed_by: Vec<Party>,
}

/// A part signed by one party that travels inside another's message, octet for octet.
#[derive(Clone)]
pub struct Signed<T> {
    content: T,
    xml: String,
}

impl<T> Signed<T> {
    pub(crate) fn new(content: T, xml: String) -> Signed<T> {
        Signed { content, xml }
    }

    /// What the part says. Not to be believed before its signature has been checked.
    pub fn content(&self) -> &T {
        &self.content
    }

    /// The part as a document of its own, signature and all.
    pub fn xml(&self) -> &str {
        &self.xml
    }
}

impl<T: PartialEq> PartialEq for Signed<T> {
    /// Equal when the parts say the same; how they are written is for the signature to judge.
    fn eq(&self, other: &Self) -> bool {
        self.content == other.content
    }
}

impl<T: Eq> Eq for Signed<T> {}

impl<T: fmt::Debug> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signed").field(&self.content).finish()
    }
}

/// Reads one kind of message from the root of a document.
pub(crate) trait ReadMessage: Sized + PartialEq {
    /// The element a message of this kind is.
    const ROOT: (Space, &'static str);

    /// Reads everything but the signature that ends the root element.
    fn read(root: &Reading<'_>) -> Result<Self, SchemaError>;

    /// How many signed parts are inside, each with its one signature.
    fn inner_signatures(&self) -> usize {
        0
    }
}

pub(crate) fn parse<T: ReadMessage>(octets: &[u8]) -> Result<T, MessageError> {
    Ok(read(&Document::parse(octets)?)?)
}

pub(crate) fn read<T: ReadMessage>(document: &Document) -> Result<T, SchemaError> {
    let root = Reading::root(document);
    let (space, name) = T::ROOT;
    if !root.element.is(space, name) {
        let (found, expected) = (root.element.name.clone(), name.to_owned());
        return Err(root.error(crate::xml::SchemaProblem::Unexpected { found, expected }));
    }
    T::read(&root)
}

/// Reads a message and checks the signature that ends it; what is handed back is what the digested octets say.
pub(crate) fn open<'t, T: ReadMessage>(
    octets: &[u8],
    trust: &'t TrustStore,
    kind: PartyKind,
) -> Result<(T, &'t Party), MessageError> {
    let document = Document::parse(octets)?;
    // Read first as it came, so that a fault is reported where its writer sees it.
    let shown: T = read(&document)?;
    let Verified { content, party, .. } = dsig::verify(&document, 1 + shown.inner_signatures(), trust)?;
    let element = T::ROOT.1.to_owned();
    if party.kind != kind {
        let (found, expected) = (party.to_string(), format!("a {kind}"));
        return Err(DsigError::WrongParty { element, found, expected }.into());
    }
    let message: T = read(&content)?;
    if message != shown {
        return Err(DsigError::ContentDiffers { element }.into());
    }
    Ok((message, party))
}

/// An element with `schemaVersion`, to build a message on.
pub(crate) fn versioned(space: Space, name: &str) -> Element {
    Element::new(space, name).with_attribute("schemaVersion", SCHEMA_VERSION)
}

/// Checks `schemaVersion`, which the root of every message must have.
pub(crate) fn check_version(reading: &Reading<'_>) -> Result<(), SchemaError> {
    let version: String = reading.attribute("schemaVersion")?;
    if version == SCHEMA_VERSION {
        return Ok(());
    }
    Err(reading.bad_value("schemaVersion", &version, format!("expected {SCHEMA_VERSION}")))
}
