//! The request as the DSP hands it to the S1SP.
//!
//! The DUIS schemas name no message for this hop: it is between the DCC's own systems. The lab models it as an envelope
//! in a namespace of its own that holds the user's signed request octet for octet, says when the DSP accepted it, and
//! is signed whole by the DSP. So the S1SP can check both that the user asked and that the DCC let it through.

use super::{MessageError, Opened, ReadMessage, Request, Signed, check_version, versioned};
use crate::dsig::{self, DsigError, PartyKind, Signer, TrustStore};
use crate::xml::{Document, Element, Reading, SchemaError, Space, Space::Lab, Space::Sr};
use jiff::Timestamp;

const ELEMENT: &str = "CountersignedServiceRequest";

/// A user's request with the DSP's approval.
#[derive(Debug, Clone, PartialEq)]
pub struct CountersignedRequest {
    /// When the DSP accepted the request.
    pub accepted: Timestamp,
    request: Signed<Request>,
}

impl CountersignedRequest {
    /// Approves a signed request.
    ///
    /// # Errors
    /// `request` is not a request.
    pub fn new(request: &[u8], accepted: Timestamp) -> Result<CountersignedRequest, MessageError> {
        let document = Document::parse(request)?;
        let content: Request = super::read(&document)?;
        let xml = document.detach(&[document.root()]);
        Ok(CountersignedRequest { accepted, request: Signed::new(content, xml) })
    }

    /// The user's request as it was sent.
    pub fn request(&self) -> &Signed<Request> {
        &self.request
    }

    /// The envelope without the DSP's signature.
    pub fn to_xml(&self) -> String {
        let root = versioned(Lab, ELEMENT).with(Element::leaf(Lab, "AcceptedDateTime", self.accepted));
        root.to_document_with(&[], self.request.xml())
    }

    /// The envelope signed by the DSP.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign(&self, signer: &Signer) -> Result<String, DsigError> {
        dsig::sign(&self.to_xml(), signer)
    }

    /// Reads an envelope without looking at its signatures.
    ///
    /// # Errors
    /// Not well-formed, or not a countersigned request.
    pub fn parse(octets: &[u8]) -> Result<CountersignedRequest, MessageError> {
        super::parse(octets)
    }

    /// Reads an envelope and checks the DSP's signature on it and the user's on the request.
    ///
    /// # Errors
    /// Not a countersigned request, or one of the signatures does not hold.
    pub fn open(octets: &[u8], trust: &TrustStore) -> Result<Opened<CountersignedRequest>, MessageError> {
        let (message, dsp) = super::open::<CountersignedRequest>(octets, trust, PartyKind::Dsp)?;
        let inner = Request::open(message.request.xml().as_bytes(), trust)?;
        let signed_by = std::iter::once(dsp.clone()).chain(inner.signed_by).collect();
        Ok(Opened { message, signed_by })
    }
}

impl ReadMessage for CountersignedRequest {
    const ROOT: (Space, &'static str) = (Lab, ELEMENT);

    fn read(root: &Reading<'_>) -> Result<CountersignedRequest, SchemaError> {
        check_version(root)?;
        let mut parts = root.children(&["schemaVersion"])?;
        let accepted = parts.required(Lab, "AcceptedDateTime")?.date_time_with(&[])?;
        let inner = parts.required(Sr, "Request")?;
        let request = Signed::new(Request::read(&inner)?, inner.document.detach(&inner.chain()));
        parts.optional(Space::Ds, "Signature");
        parts.finish()?;
        Ok(CountersignedRequest { accepted, request })
    }

    fn inner_signatures(&self) -> usize {
        1
    }
}
