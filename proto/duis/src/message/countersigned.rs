//! The request as the DSP hands it to the S1SP.
//!
//! The DUIS schemas name no message for this hop: it is between the DCC's own systems. The lab models it as an envelope
//! in a namespace of its own that holds the user's signed request octet for octet, says when the DSP accepted it, and
//! is signed whole by the DSP. So the S1SP can check both that the user asked and that the DCC let it through.
//!
//! A read that a schedule makes is not a user's request of its own: the envelope then holds the user's signed Create
//! Schedule, and says which schedule is due on which day. The S1SP makes the request of that itself, so that the DSP cannot
//! ask for anything the user did not.

use super::{MessageError, Opened, ReadMessage, Request, ScheduledReading, Signed, check_version, versioned};
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
    scheduled: Option<ScheduledReading>,
    asked: Request,
}

impl CountersignedRequest {
    /// Approves a signed request.
    ///
    /// # Errors
    /// `request` is not a request.
    pub fn new(request: &[u8], accepted: Timestamp) -> Result<CountersignedRequest, MessageError> {
        CountersignedRequest::of(request, None, accepted)
    }

    /// Approves a read that the schedule of a signed Create Schedule makes.
    ///
    /// # Errors
    /// `request` is not a Create Schedule, or makes no request on that day.
    pub fn scheduled(
        request: &[u8],
        reading: ScheduledReading,
        accepted: Timestamp,
    ) -> Result<CountersignedRequest, MessageError> {
        CountersignedRequest::of(request, Some(reading), accepted)
    }

    fn of(
        request: &[u8],
        scheduled: Option<ScheduledReading>,
        accepted: Timestamp,
    ) -> Result<CountersignedRequest, MessageError> {
        let document = Document::parse(request)?;
        let content: Request = super::read(&document)?;
        let asked = asked(&content, scheduled, &Reading::root(&document))?;
        let xml = document.detach(&[document.root()]);
        Ok(CountersignedRequest { accepted, request: Signed::new(content, xml), scheduled, asked })
    }

    /// The user's request as it was sent.
    pub fn request(&self) -> &Signed<Request> {
        &self.request
    }

    /// The schedule by which it is asked, if it is.
    pub const fn reading(&self) -> Option<ScheduledReading> {
        self.scheduled
    }

    /// What is asked of the device: the user's request, or the one that its schedule makes.
    pub const fn asked(&self) -> &Request {
        &self.asked
    }

    /// The envelope without the DSP's signature.
    pub fn to_xml(&self) -> String {
        let root = versioned(Lab, ELEMENT)
            .with(Element::leaf(Lab, "AcceptedDateTime", self.accepted))
            .with_all(self.scheduled.map(ScheduledReading::to_element));
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

fn asked(
    request: &Request,
    scheduled: Option<ScheduledReading>,
    reading: &Reading<'_>,
) -> Result<Request, SchemaError> {
    let Some(scheduled) = scheduled else { return Ok(request.clone()) };
    let expected = "expected a Create Schedule that makes a request on the day it is due";
    let found = request.srv().as_str();
    scheduled.request(request).ok_or_else(|| reading.bad_value("the request", found, expected))
}

impl ReadMessage for CountersignedRequest {
    const ROOT: (Space, &'static str) = (Lab, ELEMENT);

    fn read(root: &Reading<'_>) -> Result<CountersignedRequest, SchemaError> {
        check_version(root)?;
        let mut parts = root.children(&["schemaVersion"])?;
        let accepted = parts.required(Lab, "AcceptedDateTime")?.date_time_with(&[])?;
        let scheduled = parts.optional(Lab, "ScheduledReading");
        let scheduled = scheduled.map(|reading| ScheduledReading::read(&reading)).transpose()?;
        let inner = parts.required(Sr, "Request")?;
        let content = Request::read(&inner)?;
        let asked = asked(&content, scheduled, &inner)?;
        let request = Signed::new(content, inner.document.detach(&inner.chain()));
        parts.optional(Space::Ds, "Signature");
        parts.finish()?;
        Ok(CountersignedRequest { accepted, request, scheduled, asked })
    }

    fn inner_signatures(&self) -> usize {
        1
    }
}
