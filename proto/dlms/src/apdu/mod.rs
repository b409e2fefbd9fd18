//! The application layer's messages (IEC 62056-5-3): association, data exchange, notifications, exceptions.
//!
//! [`Apdu::decode`] reads any message this project speaks and [`Apdu::encode`] writes it; who may say what when is
//! the business of [`client`](crate::client) and [`server`](crate::server).

mod access;
mod access_service;
mod action;
mod association;
mod ciphered;
mod conformance;
mod exception;
mod general_block;
mod get;
mod initiate;
mod notification;
mod set;
#[cfg(test)]
mod tests;

pub use access::{DataBlock, InvokeId};
pub(crate) use access::{put_data_result, read_data_result};
pub use access_service::{AccessOutcome, AccessPart, AccessRequest, AccessResponse, LongInvokeId};
pub use action::{ActionRequest, ActionRequestKind, ActionResponse, ActionResponseKind, ActionReturn};
pub use association::{
    Aare, Aarq, ApplicationContext, AssociationResult, Diagnostic, DiagnosticSource, Mechanism, Release,
};
pub use ciphered::{Ciphered, Envelope, KeySet, OtherSuite, OtherSuiteKind};
pub(crate) use ciphered::{is_ciphered, service_tag};
pub use conformance::Conformance;
pub use exception::{ExceptionResponse, ServiceError, StateError};
pub use general_block::{BlockWindow, GeneralBlock};
pub use get::{GetRequest, GetRequestKind, GetResponse, GetResponseKind};
pub(crate) use initiate::{DLMS_VERSION, VAA_LOGICAL_NAME, read_conformance};
pub use initiate::{InitiateError, InitiateRequest, InitiateResponse, UserInformation};
pub use notification::{DataNotification, EventNotification};
pub use set::{SetRequest, SetRequestKind, SetResponse, SetResponseKind};

use crate::octets::{DecodeError, Reader};

/// One message of the application layer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Apdu {
    /// 60: a client asks for an association.
    Aarq(Aarq),
    /// 61: the server's answer to that.
    Aare(Aare),
    /// 62: a client ends the association.
    Rlrq(Release),
    /// 63: the server's answer to that.
    Rlre(Release),
    /// C0: read.
    GetRequest(GetRequest),
    /// C4: the answer to a read.
    GetResponse(GetResponse),
    /// C1: write.
    SetRequest(SetRequest),
    /// C5: the answer to a write.
    SetResponse(SetResponse),
    /// C3: invoke a method.
    ActionRequest(ActionRequest),
    /// C7: the answer to an invocation.
    ActionResponse(ActionResponse),
    /// C2: a meter tells of an event unasked.
    EventNotification(EventNotification),
    /// 0F: a meter pushes data unasked.
    DataNotification(DataNotification),
    /// D9: several reads, writes and invocations at once.
    AccessRequest(AccessRequest),
    /// DA: the answer to those.
    AccessResponse(AccessResponse),
    /// E0: a block of any message, or an acknowledgement of blocks.
    GeneralBlock(GeneralBlock),
    /// 21 to 4E, C8 to D7, DB, DC: a ciphered message.
    Ciphered(Ciphered),
    /// DD, DF: a message of a security suite this project does not speak.
    OtherSuite(OtherSuite),
    /// D8: the server cannot process a request at all.
    Exception(ExceptionResponse),
}

impl Apdu {
    /// Reads one message that fills `octets`.
    ///
    /// # Errors
    /// A tag this project does not speak, or a message that is cut short, malformed or too long.
    pub fn decode(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        let apdu = Self::read(&mut reader)?;
        reader.finish("APDU")?;
        Ok(apdu)
    }

    /// Reads one message, behind which there may be zeros: some stations fill up their frames with them.
    ///
    /// # Errors
    /// As [`Apdu::decode`].
    pub(crate) fn decode_padded(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        let apdu = Self::read(&mut reader)?;
        if reader.clone().rest().iter().all(|octet| *octet == 0) {
            return Ok(apdu);
        }
        reader.finish("APDU")?;
        Ok(apdu)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let tag = reader.u8("APDU tag")?;
        Ok(match tag {
            0x60 => Apdu::Aarq(Aarq::read(reader)?),
            0x61 => Apdu::Aare(Aare::read(reader)?),
            0x62 => Apdu::Rlrq(Release::read(reader)?),
            0x63 => Apdu::Rlre(Release::read(reader)?),
            0xC0 => Apdu::GetRequest(GetRequest::read(reader)?),
            0xC4 => Apdu::GetResponse(GetResponse::read(reader)?),
            0xC1 => Apdu::SetRequest(SetRequest::read(reader)?),
            0xC5 => Apdu::SetResponse(SetResponse::read(reader)?),
            0xC3 => Apdu::ActionRequest(ActionRequest::read(reader)?),
            0xC7 => Apdu::ActionResponse(ActionResponse::read(reader)?),
            0xC2 => Apdu::EventNotification(EventNotification::read(reader)?),
            0x0F => Apdu::DataNotification(DataNotification::read(reader)?),
            0xD9 => Apdu::AccessRequest(AccessRequest::read(reader)?),
            0xDA => Apdu::AccessResponse(AccessResponse::read(reader)?),
            0xE0 => Apdu::GeneralBlock(GeneralBlock::read(reader)?),
            0xDD => Apdu::OtherSuite(OtherSuite::read(OtherSuiteKind::GeneralCiphering, reader)?),
            0xDF => Apdu::OtherSuite(OtherSuite::read(OtherSuiteKind::GeneralSigning, reader)?),
            tag if is_ciphered(tag) => Apdu::Ciphered(Ciphered::read(tag, reader)?),
            0xD8 => Apdu::Exception(ExceptionResponse::read(reader)?),
            found => {
                let expected =
                    "60 to 63, C0 to C5, C7, C8 to DD, DF, E0 or 0F (short-name services are not spoken)";
                return Err(reader.unexpected("APDU tag", found, expected));
            }
        })
    }

    /// The message as it goes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Apdu::Aarq(aarq) => aarq.encode_to(&mut out),
            Apdu::Aare(aare) => aare.encode_to(&mut out),
            Apdu::Rlrq(release) => release.encode_to(0x62, &mut out),
            Apdu::Rlre(release) => release.encode_to(0x63, &mut out),
            Apdu::GetRequest(request) => request.encode_to(&mut out),
            Apdu::GetResponse(response) => response.encode_to(&mut out),
            Apdu::SetRequest(request) => request.encode_to(&mut out),
            Apdu::SetResponse(response) => response.encode_to(&mut out),
            Apdu::ActionRequest(request) => request.encode_to(&mut out),
            Apdu::ActionResponse(response) => response.encode_to(&mut out),
            Apdu::EventNotification(event) => event.encode_to(&mut out),
            Apdu::DataNotification(push) => push.encode_to(&mut out),
            Apdu::AccessRequest(request) => request.encode_to(&mut out),
            Apdu::AccessResponse(response) => response.encode_to(&mut out),
            Apdu::GeneralBlock(block) => block.encode_to(&mut out),
            Apdu::Ciphered(ciphered) => ciphered.encode_to(&mut out),
            Apdu::OtherSuite(other) => other.encode_to(&mut out),
            Apdu::Exception(exception) => exception.encode_to(&mut out),
        }
        out
    }

    /// What the message is called in the standard, for messages to people.
    pub fn name(&self) -> &'static str {
        match self {
            Apdu::Aarq(_) => "AARQ",
            Apdu::Aare(_) => "AARE",
            Apdu::Rlrq(_) => "RLRQ",
            Apdu::Rlre(_) => "RLRE",
            Apdu::GetRequest(_) => "Get-Request",
            Apdu::GetResponse(_) => "Get-Response",
            Apdu::SetRequest(_) => "Set-Request",
            Apdu::SetResponse(_) => "Set-Response",
            Apdu::ActionRequest(_) => "Action-Request",
            Apdu::ActionResponse(_) => "Action-Response",
            Apdu::EventNotification(_) => "EventNotificationRequest",
            Apdu::DataNotification(_) => "Data-Notification",
            Apdu::AccessRequest(_) => "Access-Request",
            Apdu::AccessResponse(_) => "Access-Response",
            Apdu::GeneralBlock(_) => "General-Block-Transfer",
            Apdu::Ciphered(ciphered) => ciphered.name(),
            Apdu::OtherSuite(other) => other.name(),
            Apdu::Exception(_) => "Exception-Response",
        }
    }
}
