//! What travels inside an association request and its answer: the xDLMS initiate service.

use thiserror::Error;

use super::Conformance;
use crate::octets::{DecodeError, Reader, put_string};

/// The version of xDLMS there is.
pub(crate) const DLMS_VERSION: u8 = 6;
/// The name of the variable access specification for logical names.
pub(crate) const VAA_LOGICAL_NAME: u16 = 7;

/// 01: what the client offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitiateRequest {
    /// A key for this association only; used by ciphered associations.
    pub dedicated_key: Option<Vec<u8>>,
    /// Version of xDLMS, 6.
    pub version: u8,
    /// Services the client may use.
    pub conformance: Conformance,
    /// Longest APDU the client takes; 0 means no limit.
    pub max_pdu: u16,
}

/// 08: what the server grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitiateResponse {
    /// Version of xDLMS, 6.
    pub version: u8,
    /// Services both may use.
    pub conformance: Conformance,
    /// Longest APDU the server takes; 0 means no limit.
    pub max_pdu: u16,
    /// 0007 for logical names, FA00 for short names.
    pub vaa_name: u16,
}

/// Why the server cannot work with what the client offers (`initiate` errors of a ConfirmedServiceError).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InitiateError {
    /// 0: another reason.
    #[error("other reason")]
    Other,
    /// 1: the client's version of xDLMS is too low.
    #[error("xDLMS version too low")]
    VersionTooLow,
    /// 2: no service in common.
    #[error("no services in common")]
    IncompatibleConformance,
    /// 3: the client takes too short an APDU.
    #[error("maximum APDU size too short")]
    PduSizeTooShort,
    /// 4: the server's own handler refused.
    #[error("refused by the VDE handler")]
    RefusedByVdeHandler,
    /// A code the standard does not list, or an error of another service.
    #[error("unlisted error {0:02X}")]
    Unlisted(u8),
}

/// The answer's user information: what is granted, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserInformation {
    /// An InitiateResponse.
    Granted(InitiateResponse),
    /// A ConfirmedServiceError.
    Refused(InitiateError),
}

impl InitiateError {
    fn code(self) -> u8 {
        match self {
            InitiateError::Other => 0,
            InitiateError::VersionTooLow => 1,
            InitiateError::IncompatibleConformance => 2,
            InitiateError::PduSizeTooShort => 3,
            InitiateError::RefusedByVdeHandler => 4,
            InitiateError::Unlisted(code) => code,
        }
    }

    fn from_code(code: u8) -> Self {
        let listed = [
            Self::Other,
            Self::VersionTooLow,
            Self::IncompatibleConformance,
            Self::PduSizeTooShort,
            Self::RefusedByVdeHandler,
        ];
        listed.get(usize::from(code)).copied().unwrap_or(Self::Unlisted(code))
    }
}

impl InitiateRequest {
    /// Reads the user information of an AARQ.
    ///
    /// # Errors
    /// Octets that are not a plain InitiateRequest, a ciphered one among them.
    pub fn decode(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        match reader.u8("initiate tag")? {
            1 => {}
            found => {
                return Err(reader.unexpected("initiate tag", found, "01 (InitiateRequest, not ciphered)"));
            }
        }
        let key = reader.flag("dedicated key flag")?;
        let dedicated_key = if key { Some(reader.string("dedicated key")?.to_vec()) } else { None };
        // response-allowed is TRUE by default; the value follows only where it is not the default.
        if reader.flag("response allowed flag")? {
            reader.flag("response allowed")?;
        }
        skip_quality(&mut reader)?;
        let version = reader.u8("xDLMS version")?;
        let conformance = read_conformance(&mut reader)?;
        let max_pdu = reader.u16("client maximum APDU size")?;
        reader.finish("InitiateRequest")?;
        Ok(Self { dedicated_key, version, conformance, max_pdu })
    }

    /// The octets for the user information of an AARQ.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![1];
        out.push(u8::from(self.dedicated_key.is_some()));
        if let Some(key) = &self.dedicated_key {
            put_string(&mut out, key);
        }
        out.extend([0, 0, self.version]);
        put_conformance(&mut out, self.conformance);
        out.extend(self.max_pdu.to_be_bytes());
        out
    }
}

impl UserInformation {
    /// Reads the user information of an AARE.
    ///
    /// # Errors
    /// Octets that are neither an InitiateResponse nor a ConfirmedServiceError.
    pub fn decode(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        let information = match reader.u8("initiate tag")? {
            0x08 => Self::Granted(InitiateResponse::read(&mut reader)?),
            0x0E => Self::Refused(read_error(&mut reader)?),
            found => {
                let expected = "08 (InitiateResponse) or 0E (ConfirmedServiceError)";
                return Err(reader.unexpected("initiate tag", found, expected));
            }
        };
        reader.finish("user information")?;
        Ok(information)
    }

    /// The octets for the user information of an AARE.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Refused(error) => vec![0x0E, 1, 6, error.code()],
            Self::Granted(response) => {
                let mut out = vec![8, 0, response.version];
                put_conformance(&mut out, response.conformance);
                out.extend(response.max_pdu.to_be_bytes());
                out.extend(response.vaa_name.to_be_bytes());
                out
            }
        }
    }
}

impl InitiateResponse {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        skip_quality(reader)?;
        let version = reader.u8("xDLMS version")?;
        let conformance = read_conformance(reader)?;
        let max_pdu = reader.u16("server maximum APDU size")?;
        // Meters that know only logical names leave this out.
        let vaa_name = if reader.is_empty() { VAA_LOGICAL_NAME } else { reader.u16("VAA name")? };
        Ok(Self { version, conformance, max_pdu, vaa_name })
    }
}

/// `ConfirmedServiceError`: confirmed service, service error choice, error.
fn read_error(reader: &mut Reader<'_>) -> Result<InitiateError, DecodeError> {
    let [_service, choice, code] = reader.array("ConfirmedServiceError")?;
    Ok(if choice == 6 { InitiateError::from_code(code) } else { InitiateError::Unlisted(code) })
}

fn skip_quality(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    if reader.flag("quality of service flag")? {
        reader.u8("quality of service")?;
    }
    Ok(())
}

/// The one part in BER: tag 5F1F (5F alone from some meters), length 4, unused bits, 24 bits.
pub(crate) fn read_conformance(reader: &mut Reader<'_>) -> Result<Conformance, DecodeError> {
    match reader.u8("conformance tag")? {
        0x5F => {}
        found => return Err(reader.unexpected("conformance tag", found, "5F1F")),
    }
    if reader.peek() == Some(0x1F) {
        reader.u8("conformance tag")?;
    }
    match reader.u8("conformance length")? {
        4 => {}
        found => return Err(reader.unexpected("conformance length", found, "04")),
    }
    let [_unused_bits, high, middle, low] = reader.array("conformance")?;
    Ok(Conformance::from_bits(u32::from_be_bytes([0, high, middle, low])))
}

fn put_conformance(out: &mut Vec<u8>, conformance: Conformance) {
    let [_, high, middle, low] = conformance.bits().to_be_bytes();
    out.extend([0x5F, 0x1F, 4, 0, high, middle, low]);
}
