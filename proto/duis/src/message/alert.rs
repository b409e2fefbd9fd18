//! Alerts of the S1SP itself.

use super::inventory::limited;
use super::{MessageError, ReadMessage, Signed, check_version, versioned};
use crate::dsig::{self, DsigError, Signer};
use crate::utrn::TokenDigits;
use crate::xml::{Element, Reading, SchemaError, Space, Space::Sr};
use crate::{Eui64, RequestId};
use jiff::Timestamp;

/// The longest alert code and additional information read; the schema sets no limit.
const MAX_CODE: usize = 80;
const MAX_INFORMATION: usize = 2_000;

/// Something an S1SP tells a user outside the answer to a request (DUIS element `S1SPAlert`). It reaches the user inside
/// a DCC alert with code N55.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S1spAlert {
    /// The request it is about.
    pub request: Option<RequestId>,
    /// The device it is about.
    pub device: Option<Eui64>,
    /// The S1SP's own code.
    pub code: String,
    /// More, in words.
    pub information: Option<String>,
    /// The token it is about.
    pub utrn: Option<TokenDigits>,
    /// When it was raised.
    pub time: Timestamp,
}

impl S1spAlert {
    /// The alert without a signature.
    pub fn to_xml(&self) -> String {
        let root = versioned(Sr, "S1SPAlert")
            .with_all(self.request.map(|id| Element::leaf(Sr, "RequestID", id)))
            .with_all(self.device.map(|id| Element::leaf(Sr, "DeviceID", id)))
            .with(Element::leaf(Sr, "S1SPAlertCode", &self.code))
            .with_all(self.information.as_ref().map(|text| Element::leaf(Sr, "AdditionalInformation", text)))
            .with_all(self.utrn.map(|utrn| Element::leaf(Sr, "UTRN", utrn)))
            .with(Element::leaf(Sr, "DateTime", self.time));
        root.to_document()
    }

    /// The alert signed by the S1SP, ready to go into a DCC alert.
    ///
    /// # Errors
    /// The key cannot sign.
    pub fn sign(self, signer: &Signer) -> Result<Signed<S1spAlert>, DsigError> {
        let xml = dsig::sign(&self.to_xml(), signer)?;
        Ok(Signed::new(self, xml))
    }

    /// Reads an alert on its own without looking at its signature.
    ///
    /// # Errors
    /// Not well-formed, or not an S1SP alert.
    pub fn parse(octets: &[u8]) -> Result<Signed<S1spAlert>, MessageError> {
        let document = crate::xml::Document::parse(octets)?;
        let alert = super::read(&document)?;
        let root = document.root();
        Ok(Signed::new(alert, document.detach(&[root])))
    }
}

impl ReadMessage for S1spAlert {
    const ROOT: (Space, &'static str) = (Sr, "S1SPAlert");

    fn read(root: &Reading<'_>) -> Result<S1spAlert, SchemaError> {
        check_version(root)?;
        let mut fields = root.children(&["schemaVersion"])?;
        let request = fields.optional(Sr, "RequestID").map(|id| id.value()).transpose()?;
        let device = fields.optional(Sr, "DeviceID").map(|id| id.value()).transpose()?;
        let code = limited(&fields.required(Sr, "S1SPAlertCode")?, 0, MAX_CODE)?;
        let information = fields.optional(Sr, "AdditionalInformation");
        let information = information.map(|text| limited(&text, 0, MAX_INFORMATION)).transpose()?;
        let utrn = fields.optional(Sr, "UTRN").map(|utrn| utrn.value()).transpose()?;
        let time = fields.required(Sr, "DateTime")?.date_time_with(&[])?;
        fields.optional(Space::Ds, "Signature");
        fields.finish()?;
        Ok(S1spAlert { request, device, code, information, utrn, time })
    }
}
