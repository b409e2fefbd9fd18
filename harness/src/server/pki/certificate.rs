//! What a certificate of the lab's authority says: read once, into types that cannot be wrong.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use proto_lab::Digest;
use proto_lab::record::{ActorName, Role};
use x509_cert::der::asn1::{ObjectIdentifier, PrintableStringRef, Utf8StringRef};
use x509_cert::der::{Any, Decode as _};
use x509_cert::name::Name;

/// X.520 attribute types (ITU-T X.520, 6.2 and 6.4).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANISATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const ORGANISATIONAL_UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");

/// What a certificate makes of whoever shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Somebody with a role in the lab.
    Role(Role),
    /// A bench computer, which may attach and nothing else.
    Station,
    /// The controller itself.
    Server,
}

/// The text names no standing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is no role of a certificate: expected engineer, witness, scheduler, board, station or server"
)]
pub struct StandingError {
    /// The text as it was, cut to 40 characters.
    pub found: String,
}

impl FromStr for Standing {
    type Err = StandingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "station" => Ok(Self::Station),
            "server" => Ok(Self::Server),
            role => role
                .parse()
                .map(Self::Role)
                .map_err(|_| StandingError { found: text.chars().take(40).collect() }),
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Role(role) => role.word(),
            Self::Station => "station",
            Self::Server => "server",
        })
    }
}

/// Whom a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// The common name.
    pub name: ActorName,
    /// The organisational unit.
    pub standing: Standing,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.standing)
    }
}

/// A certificate's serial number, in lower-case hexadecimal digits as `openssl x509 -serial` gives them in capitals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Serial(Vec<u8>);

impl Serial {
    /// A serial number from its octets, the greatest first.
    pub(super) fn new(octets: &[u8]) -> Self {
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        Self(octets[zeros..].to_vec())
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(&self.0))
    }
}

/// A certificate that says nothing this lab understands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// Not DER of an X.509 certificate.
    #[error("not a certificate: {0}")]
    Form(String),
    /// Its subject lacks a part, has it twice, or says something else with it.
    #[error("the certificate's subject `{subject}`: {reason}")]
    Subject {
        /// The subject as it is.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Its validity is no time.
    #[error("the certificate's end of validity is no time this lab reckons with")]
    Validity,
}

/// A certificate as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// Whom it is for.
    pub holder: Holder,
    /// The lab that issued it.
    pub lab: ActorName,
    /// Its serial number.
    pub serial: Serial,
    /// When it is no longer valid.
    pub expires: Timestamp,
    /// SHA-256 over its DER.
    pub fingerprint: Digest,
}

impl Certified {
    /// Reads a certificate. That its signature holds is for the handshake to say.
    ///
    /// # Errors
    /// [`CertificateFault`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateFault> {
        let read =
            x509_cert::Certificate::from_der(der).map_err(|e| CertificateFault::Form(e.to_string()))?;
        let certificate = &read.tbs_certificate;
        let name = parsed(&certificate.subject, COMMON_NAME, "common name (CN)")?;
        let standing = parsed(&certificate.subject, ORGANISATIONAL_UNIT, "organisational unit (OU)")?;
        Ok(Self {
            holder: Holder { name, standing },
            lab: parsed(&certificate.subject, ORGANISATION, "organisation (O)")?,
            serial: Serial::new(certificate.serial_number.as_bytes()),
            expires: timestamp(certificate.validity.not_after)?,
            fingerprint: Digest::of(der),
        })
    }
}

/// The organisation of an authority: the lab's name.
pub(super) fn lab_of(der: &[u8]) -> Result<ActorName, CertificateFault> {
    let read = x509_cert::Certificate::from_der(der).map_err(|e| CertificateFault::Form(e.to_string()))?;
    parsed(&read.tbs_certificate.subject, ORGANISATION, "organisation (O)")
}

pub(super) fn timestamp(time: x509_cert::time::Time) -> Result<Timestamp, CertificateFault> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| CertificateFault::Validity)?;
    Timestamp::from_second(seconds).map_err(|_| CertificateFault::Validity)
}

fn parsed<T: FromStr<Err: fmt::Display>>(
    subject: &Name,
    part: ObjectIdentifier,
    called: &str,
) -> Result<T, CertificateFault> {
    let fault = |reason: String| CertificateFault::Subject { subject: subject.to_string(), reason };
    let found: Vec<String> = subject
        .0
        .iter()
        .flat_map(|names| names.0.iter())
        .filter(|attribute| attribute.oid == part)
        .filter_map(|attribute| text(&attribute.value))
        .collect();
    match found.as_slice() {
        [text] => text.parse().map_err(|e| fault(format!("{called}: {e}"))),
        other => Err(fault(format!("found {} texts as its {called}: expected one", other.len()))),
    }
}

fn text(value: &Any) -> Option<String> {
    let utf8 = value.decode_as::<Utf8StringRef<'_>>().map(|text| text.as_str().to_owned());
    let printable = || value.decode_as::<PrintableStringRef<'_>>().map(|text| text.as_str().to_owned());
    utf8.or_else(|_| printable()).ok()
}
