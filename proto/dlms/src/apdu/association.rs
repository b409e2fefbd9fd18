//! Opening and closing an association: the ACSE messages AARQ, AARE, RLRQ and RLRE, in BER.

use std::fmt;

use crate::octets::{DecodeError, Reader, length_size, put_length, put_string};

/// The DLMS UA's arc of object identifiers: joint-iso-ccitt(2) country(16) 756 5 8.
const DLMS_UA: [u8; 5] = [0x60, 0x85, 0x74, 0x05, 0x08];

/// Which way of naming objects, ciphered or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplicationContext {
    /// 1: logical names.
    LogicalName,
    /// 2: short names.
    ShortName,
    /// 3: logical names, ciphered.
    LogicalNameCiphered,
    /// 4: short names, ciphered.
    ShortNameCiphered,
    /// Another number under the DLMS UA's arc.
    Unlisted(u8),
}

/// How the client proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// 0: not at all.
    Lowest,
    /// 1: a password (LLS).
    Low,
    /// 2 to 7: a challenge (HLS), by the number of the mechanism; 5 is GMAC.
    High(u8),
}

impl Mechanism {
    /// 5: a challenge answered with GMAC.
    pub const GMAC: Self = Self::High(5);
}

/// 60: a client asks for an association.
#[derive(Clone, PartialEq, Eq)]
pub struct Aarq {
    /// Which way of naming objects.
    pub context: ApplicationContext,
    /// The client's system title, where it says.
    pub calling_title: Option<Vec<u8>>,
    /// How the client proves who it is; absent means not at all.
    pub mechanism: Option<Mechanism>,
    /// The password or challenge.
    pub authentication_value: Option<Vec<u8>>,
    /// An InitiateRequest, perhaps ciphered.
    pub user_information: Option<Vec<u8>>,
}

impl fmt::Debug for Aarq {
    /// Everything but the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aarq")
            .field("context", &self.context)
            .field("calling_title", &self.calling_title)
            .field("mechanism", &self.mechanism)
            .field("authentication_value", &self.authentication_value.as_ref().map(|_| "redacted"))
            .field("user_information", &self.user_information)
            .finish()
    }
}

/// Whether an association was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssociationResult {
    /// 0: accepted.
    Accepted,
    /// 1: rejected, and asking again will not help.
    RejectedPermanent,
    /// 2: rejected for now.
    RejectedTransient,
    /// Another code.
    Unlisted(u8),
}

/// Which part of the server gave the diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiagnosticSource {
    /// The user of the association service.
    ServiceUser,
    /// The provider of it.
    ServiceProvider,
}

/// Why an association was rejected, or what is still to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diagnostic {
    /// Who says so.
    pub source: DiagnosticSource,
    /// The code; its meaning depends on the source.
    pub code: u8,
}

impl Diagnostic {
    /// Nothing to say.
    pub const NONE: Self = Self::user(0);
    /// No reason given.
    pub const NO_REASON: Self = Self::user(1);
    /// The application context is not supported.
    pub const CONTEXT_NOT_SUPPORTED: Self = Self::user(2);
    /// The mechanism is not recognised.
    pub const MECHANISM_NOT_RECOGNISED: Self = Self::user(11);
    /// A mechanism must be named.
    pub const MECHANISM_REQUIRED: Self = Self::user(12);
    /// The system title is missing or unknown.
    pub const CALLING_TITLE_NOT_RECOGNISED: Self = Self::user(3);
    /// The password is wrong.
    pub const AUTHENTICATION_FAILURE: Self = Self::user(13);
    /// A password is required.
    pub const AUTHENTICATION_REQUIRED: Self = Self::user(14);

    const fn user(code: u8) -> Self {
        Self { source: DiagnosticSource::ServiceUser, code }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (self.source, self.code) {
            (_, 0) => "no diagnostic",
            (_, 1) => "no reason given",
            (DiagnosticSource::ServiceUser, 2) => "application context name not supported",
            (DiagnosticSource::ServiceUser, 3) => "calling AP title not recognised",
            (DiagnosticSource::ServiceUser, 11) => "authentication mechanism name not recognised",
            (DiagnosticSource::ServiceUser, 12) => "authentication mechanism name required",
            (DiagnosticSource::ServiceUser, 13) => "authentication failure",
            (DiagnosticSource::ServiceUser, 14) => "authentication required",
            (DiagnosticSource::ServiceProvider, 2) => "no common ACSE version",
            _ => "unlisted diagnostic",
        };
        write!(f, "{text} ({})", self.code)
    }
}

/// 61: the server's answer to an AARQ.
///
/// Meters leave out what the standard asks for, so everything but the result may be absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aare {
    /// Which way of naming objects.
    pub context: Option<ApplicationContext>,
    /// Accepted or not.
    pub result: AssociationResult,
    /// Why not.
    pub diagnostic: Diagnostic,
    /// The server's system title, where it says.
    pub responding_title: Option<Vec<u8>>,
    /// The mechanism, where it says.
    pub mechanism: Option<Mechanism>,
    /// The server's challenge.
    pub authentication_value: Option<Vec<u8>>,
    /// An InitiateResponse or ConfirmedServiceError.
    pub user_information: Option<Vec<u8>>,
}

/// 62 and 63: the end of an association, or the answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// 0 normal; 1 urgent or not finished; 30 user defined.
    pub reason: Option<u8>,
    /// User information, where there is any.
    pub user_information: Option<Vec<u8>>,
}

impl ApplicationContext {
    fn number(self) -> u8 {
        match self {
            Self::LogicalName => 1,
            Self::ShortName => 2,
            Self::LogicalNameCiphered => 3,
            Self::ShortNameCiphered => 4,
            Self::Unlisted(number) => number,
        }
    }

    fn from_number(number: u8) -> Self {
        match number {
            1 => Self::LogicalName,
            2 => Self::ShortName,
            3 => Self::LogicalNameCiphered,
            4 => Self::ShortNameCiphered,
            other => Self::Unlisted(other),
        }
    }
}

impl Mechanism {
    fn number(self) -> u8 {
        match self {
            Self::Lowest => 0,
            Self::Low => 1,
            Self::High(number) => number,
        }
    }

    fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Lowest,
            1 => Self::Low,
            number => Self::High(number),
        }
    }
}

impl AssociationResult {
    fn code(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::RejectedPermanent => 1,
            Self::RejectedTransient => 2,
            Self::Unlisted(code) => code,
        }
    }

    fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Accepted,
            1 => Self::RejectedPermanent,
            2 => Self::RejectedTransient,
            code => Self::Unlisted(code),
        }
    }
}

/// A field of a BER sequence: its tag, and a reader over its contents.
fn read_field<'a>(reader: &mut Reader<'a>) -> Result<(u8, Reader<'a>), DecodeError> {
    let tag = reader.u8("ACSE field tag")?;
    let length = reader.length("ACSE field length")?;
    Ok((tag, reader.part(length, "ACSE field")?))
}

fn put_field(out: &mut Vec<u8>, tag: u8, contents: &[u8]) {
    out.push(tag);
    put_string(out, contents);
}

/// The contents of a field that must have this inner tag.
fn read_inner<'a>(
    field: &mut Reader<'a>,
    tag: u8,
    part: &'static str,
    expected: &'static str,
) -> Result<Reader<'a>, DecodeError> {
    match read_field(field)? {
        (found, contents) if found == tag => Ok(contents),
        (found, _) => Err(field.unexpected(part, found, expected)),
    }
}

/// A small integer of one octet in its BER wrapping.
fn read_integer(field: &mut Reader<'_>, part: &'static str) -> Result<u8, DecodeError> {
    read_inner(field, 2, part, "02 (INTEGER)")?.u8(part)
}

/// The last two arcs of a DLMS UA object identifier.
fn read_dlms_oid(reader: &mut Reader<'_>, kind: u8, part: &'static str) -> Result<u8, DecodeError> {
    let octets: [u8; 7] = reader.array(part)?;
    if octets[..5] != DLMS_UA || octets[5] != kind {
        return Err(reader.unexpected(part, octets[5], "an object identifier of the DLMS UA"));
    }
    Ok(octets[6])
}

fn dlms_oid(kind: u8, number: u8) -> [u8; 7] {
    let [a, b, c, d, e] = DLMS_UA;
    [a, b, c, d, e, kind, number]
}

fn read_context(field: &mut Reader<'_>) -> Result<ApplicationContext, DecodeError> {
    let part = "application context name";
    let mut oid = read_inner(field, 6, part, "06 (OBJECT IDENTIFIER)")?;
    Ok(ApplicationContext::from_number(read_dlms_oid(&mut oid, 1, part)?))
}

fn put_context(out: &mut Vec<u8>, context: ApplicationContext) {
    let mut name = vec![6];
    put_string(&mut name, &dlms_oid(1, context.number()));
    put_field(out, 0xA1, &name);
}

/// The object identifier bare, or in the wrapping it should not have here.
fn read_mechanism(field: &mut Reader<'_>) -> Result<Mechanism, DecodeError> {
    if field.peek() == Some(6) {
        field.take(2, "mechanism name")?;
    }
    Ok(Mechanism::from_number(read_dlms_oid(field, 2, "mechanism name")?))
}

/// An octet string in its explicit wrapping, or without it: some stations leave it out.
fn read_octets(field: &mut Reader<'_>) -> Vec<u8> {
    let mut wrapped = field.clone();
    match read_field(&mut wrapped) {
        Ok((4, mut contents)) if wrapped.is_empty() => contents.rest().to_vec(),
        _ => field.rest().to_vec(),
    }
}

fn put_octets(out: &mut Vec<u8>, tag: u8, octets: &[u8]) {
    let mut inner = vec![4];
    put_string(&mut inner, octets);
    put_field(out, tag, &inner);
}

/// An authentication value is a choice: 80 is the character string every meter uses.
fn read_authentication(field: &mut Reader<'_>) -> Result<Vec<u8>, DecodeError> {
    Ok(read_inner(field, 0x80, "authentication value", "80 (character string)")?.rest().to_vec())
}

fn put_authentication(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    let mut inner = vec![0x80];
    put_string(&mut inner, value);
    put_field(out, tag, &inner);
}

/// The whole message behind its tag.
fn read_body<'a>(reader: &mut Reader<'a>) -> Result<Reader<'a>, DecodeError> {
    let length = reader.length("ACSE length")?;
    reader.part(length, "ACSE message")
}

fn put_message(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    out.reserve(1 + length_size(body.len()) + body.len());
    out.push(tag);
    put_length(out, body.len());
    out.extend_from_slice(body);
}

impl Aarq {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut body = read_body(reader)?;
        let mut aarq = Self {
            context: ApplicationContext::Unlisted(0),
            calling_title: None,
            mechanism: None,
            authentication_value: None,
            user_information: None,
        };
        while !body.is_empty() {
            let (tag, mut field) = read_field(&mut body)?;
            match tag {
                0xA1 => aarq.context = read_context(&mut field)?,
                0xA6 => aarq.calling_title = Some(read_octets(&mut field)),
                0x8B => aarq.mechanism = Some(read_mechanism(&mut field)?),
                0xAC => aarq.authentication_value = Some(read_authentication(&mut field)?),
                0xBE => aarq.user_information = Some(read_octets(&mut field)),
                // Version, called names, requirements and implementation information change nothing here.
                _ => {}
            }
        }
        Ok(aarq)
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        let mut body = Vec::new();
        put_context(&mut body, self.context);
        if let Some(title) = &self.calling_title {
            put_octets(&mut body, 0xA6, title);
        }
        if let Some(mechanism) = self.mechanism {
            put_field(&mut body, 0x8A, &[0x07, 0x80]);
            put_field(&mut body, 0x8B, &dlms_oid(2, mechanism.number()));
        }
        if let Some(value) = &self.authentication_value {
            put_authentication(&mut body, 0xAC, value);
        }
        if let Some(information) = &self.user_information {
            put_octets(&mut body, 0xBE, information);
        }
        put_message(out, 0x60, &body);
    }
}

impl Aare {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut body = read_body(reader)?;
        let mut result = None;
        let mut aare = Self {
            context: None,
            result: AssociationResult::RejectedPermanent,
            diagnostic: Diagnostic::NONE,
            responding_title: None,
            mechanism: None,
            authentication_value: None,
            user_information: None,
        };
        while !body.is_empty() {
            let (tag, mut field) = read_field(&mut body)?;
            match tag {
                0xA1 => aare.context = Some(read_context(&mut field)?),
                0xA2 => result = Some(read_integer(&mut field, "association result")?),
                0xA3 => aare.diagnostic = read_diagnostic(&mut field)?,
                0xA4 => aare.responding_title = Some(read_octets(&mut field)),
                0x89 => aare.mechanism = Some(read_mechanism(&mut field)?),
                0xAA => aare.authentication_value = Some(read_authentication(&mut field)?),
                0xBE => aare.user_information = Some(read_octets(&mut field)),
                _ => {}
            }
        }
        let missing = crate::Fault::Truncated { needed: 5, left: 0 };
        let result = result.ok_or_else(|| body.error("association result (A2)", missing))?;
        Ok(Self { result: AssociationResult::from_code(result), ..aare })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        let mut body = Vec::new();
        if let Some(context) = self.context {
            put_context(&mut body, context);
        }
        put_field(&mut body, 0xA2, &[2, 1, self.result.code()]);
        let source = match self.diagnostic.source {
            DiagnosticSource::ServiceUser => 0xA1,
            DiagnosticSource::ServiceProvider => 0xA2,
        };
        put_field(&mut body, 0xA3, &[source, 3, 2, 1, self.diagnostic.code]);
        if let Some(title) = &self.responding_title {
            put_octets(&mut body, 0xA4, title);
        }
        if let Some(mechanism) = self.mechanism {
            put_field(&mut body, 0x88, &[0x07, 0x80]);
            put_field(&mut body, 0x89, &dlms_oid(2, mechanism.number()));
        }
        if let Some(value) = &self.authentication_value {
            put_authentication(&mut body, 0xAA, value);
        }
        if let Some(information) = &self.user_information {
            put_octets(&mut body, 0xBE, information);
        }
        put_message(out, 0x61, &body);
    }
}

fn read_diagnostic(field: &mut Reader<'_>) -> Result<Diagnostic, DecodeError> {
    let (tag, mut contents) = read_field(field)?;
    let source = match tag {
        0xA1 => DiagnosticSource::ServiceUser,
        0xA2 => DiagnosticSource::ServiceProvider,
        found => {
            return Err(field.unexpected("diagnostic", found, "A1 (service user) or A2 (service provider)"));
        }
    };
    Ok(Diagnostic { source, code: read_integer(&mut contents, "diagnostic")? })
}

impl Release {
    /// A normal release that carries nothing.
    pub const NORMAL: Self = Self { reason: Some(0), user_information: None };

    /// A tag with nothing behind it, not even a length, is a release that says nothing.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut release = Self { reason: None, user_information: None };
        if reader.is_empty() {
            return Ok(release);
        }
        let mut body = read_body(reader)?;
        while !body.is_empty() {
            let (tag, mut field) = read_field(&mut body)?;
            match tag {
                0x80 => release.reason = Some(field.u8("release reason")?),
                0xBE => release.user_information = Some(read_octets(&mut field)),
                _ => {}
            }
        }
        Ok(release)
    }

    pub(super) fn encode_to(&self, tag: u8, out: &mut Vec<u8>) {
        let mut body = Vec::new();
        if let Some(reason) = self.reason {
            put_field(&mut body, 0x80, &[reason]);
        }
        if let Some(information) = &self.user_information {
            put_octets(&mut body, 0xBE, information);
        }
        put_message(out, tag, &body);
    }
}
