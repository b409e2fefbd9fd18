//! Files as they cross between parties: signed by their writer, and opened by whoever knows the writer's certificate.
//!
//! The signature is enveloped XMLDSIG in the profile of DUIS ([`proto_duis::dsig`]) over the whole document. Opening goes
//! outside in: octets are XML within limits, the signature holds under a certificate that is known, the document is in our
//! version of the schema and as it says, and the certificate is that of the party which the header names as the writer.
//! What is handed back is read from the octets that were digested.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use proto_duis::foreign::{self, Document};
use proto_duis::{Certificate, DsigError, SchemaError, Signer, XmlError};

use crate::names::{namespace, version};
use crate::{Address, File, FileRefusalCode, xml};

/// The certificates of every party that files are taken from.
///
/// ```
/// use proto_duis::pki::Authority;
/// use proto_migration::{Address, PartyRole, Trust};
/// let smso = Address { role: PartyRole::Smso, id: "90-B3-D5-1F-30-02-00-00".parse()? };
/// let mut trust = Trust::new();
/// trust.add(smso, Authority::new("Lab")?.issue("SMSO")?.certificate().clone());
/// assert!(trust.knows(smso));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Trust {
    known: BTreeMap<Address, Vec<Certificate>>,
}

impl Trust {
    /// Nobody is trusted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `certificate` for one of `party`. A party may have several, and a certificate may be of several parties: one
    /// organisation that plays more than one part.
    pub fn add(&mut self, party: Address, certificate: Certificate) {
        self.known.entry(party).or_default().push(certificate);
    }

    /// Whether any certificate of this party is known.
    pub fn knows(&self, party: Address) -> bool {
        self.known.contains_key(&party)
    }

    /// Every party whose certificate this is, and the certificate.
    fn find(&self, issuer: &str, serial: &str) -> Option<(Holders, &Certificate)> {
        let named = |certificate: &&Certificate| certificate.is_named_by(issuer, serial);
        let held = || self.known.iter().filter_map(|(party, held)| Some((*party, held.iter().find(named)?)));
        let (_, certificate) = held().next()?;
        Some((Holders(held().map(|(party, _)| party).collect()), certificate))
    }
}

/// The parties that one certificate is of.
struct Holders(BTreeSet<Address>);

impl fmt::Display for Holders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parties: Vec<String> = self.0.iter().map(Address::to_string).collect();
        f.write_str(&parties.join(" and "))
    }
}

/// A file that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Its readers would refuse it.
    #[error("{name} would be refused by its readers: {error}")]
    Refused {
        /// Its name.
        name: String,
        /// Why, with the place in the document.
        error: Box<SchemaError>,
    },
    /// It is more than a document may be.
    #[error("{name} is more than its readers take: {error}")]
    TooMuch {
        /// Its name.
        name: String,
        /// What is too much.
        error: XmlError,
    },
    /// Its readers would read something else.
    #[error("{name} does not read back as it is; it holds what a file cannot say")]
    Different {
        /// Its name.
        name: String,
    },
    /// The key cannot sign.
    #[error("{name} cannot be signed: {error}")]
    Signature {
        /// Its name.
        name: String,
        /// Why.
        error: Box<DsigError>,
    },
}

/// The octets of a file, signed. They are read back before they are handed out, so that what is written can be opened.
///
/// ```
/// use proto_duis::pki::Authority;
/// use proto_migration::{Address, Body, File, PartyRole, Trust, open, write};
/// let control = Address { role: PartyRole::MigrationControl, id: "90-B3-D5-1F-30-02-00-00".parse()? };
/// let requesting = Address { role: PartyRole::RequestingParty, id: "90-B3-D5-1F-30-03-00-00".parse()? };
/// let installation = "00-DB-12-34-56-78-90-A0".parse()?;
/// let body = Body::Demand { installations: vec![(installation, vec!["MA_1".parse()?])] };
/// let written = "2026-11-22T10:30:00Z".parse()?;
/// let file = File::new(control, vec![requesting], "G1".parse()?, 7, None, written, body);
/// assert_eq!(file.header.name.as_str(), "DC-G1_90B3D51F30020000_7");
///
/// let signer = Authority::new("Lab")?.issue("control")?;
/// let mut trust = Trust::new();
/// trust.add(control, signer.certificate().clone());
/// assert_eq!(open(&write(&file, &signer)?, &trust)?, file);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The file holds more than a file may, or what its readers would refuse; or the key cannot sign.
pub fn write(file: &File, signer: &Signer) -> Result<Vec<u8>, WriteError> {
    let name = || file.header.name.to_string();
    let signed = foreign::sign(&xml::write(file), signer);
    let octets =
        signed.map_err(|error| WriteError::Signature { name: name(), error: error.into() })?.into_bytes();
    let document = Document::parse_in(&octets, namespace());
    let document = document.map_err(|error| WriteError::TooMuch { name: name(), error })?;
    let read =
        xml::read(&document).map_err(|error| WriteError::Refused { name: name(), error: error.into() })?;
    if read == *file { Ok(octets) } else { Err(WriteError::Different { name: name() }) }
}

/// The file as XML, not signed: for a signature of somebody else's making.
pub fn to_xml(file: &File) -> String {
    xml::write(file).to_document()
}

/// The file of these octets, whatever its signature. Not to be believed: [`open`] it before anything is done by it.
///
/// # Errors
/// Not XML, or not as our version of the schema says.
pub fn parse(octets: &[u8]) -> Result<File, OpenError> {
    let document = document(octets)?;
    check_version(&document)?;
    Ok(xml::read(&document)?)
}

/// Octets that are no file of a party we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The document ends early.
    #[error(
        "{octets} octets that do not end with the end of the document they begin ({error}); expected the whole file, have it sent again"
    )]
    Cut {
        /// Octets there are.
        octets: usize,
        /// Where reading ended.
        error: XmlError,
    },
    /// Not XML, or beyond the limits.
    #[error(transparent)]
    Xml(XmlError),
    /// Another version of the schema.
    #[error("in version {found:?} of the schema; expected {expected}")]
    Version {
        /// The version it says.
        found: String,
        /// Ours.
        expected: &'static str,
    },
    /// Not as the schema says.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The signature is missing, not of the profile, of an unknown certificate or does not hold.
    #[error(transparent)]
    Signature(#[from] DsigError),
    /// Signed by somebody else than the writer it names.
    #[error("signed by {found}; expected {expected}, the writer that its header names")]
    Writer {
        /// Whose certificate it was signed under.
        found: String,
        /// The writer it names.
        expected: Address,
    },
}

impl OpenError {
    /// Why the file is refused, as a code.
    pub const fn code(&self) -> FileRefusalCode {
        match self {
            Self::Cut { .. } => FileRefusalCode::Cut,
            Self::Version { .. } => FileRefusalCode::Version,
            Self::Writer { .. } => FileRefusalCode::WrongWriter,
            Self::Signature(DsigError::Unknown { .. }) => FileRefusalCode::UnknownWriter,
            Self::Signature(
                DsigError::Digest { .. } | DsigError::Value { .. } | DsigError::ContentDiffers { .. },
            ) => FileRefusalCode::Altered,
            Self::Xml(_) | Self::Schema(_) | Self::Signature(_) => FileRefusalCode::Schema,
        }
    }
}

/// The file of these octets, if its writer is known and signed it as it is.
///
/// # Errors
/// See [`OpenError`]; its [`OpenError::code`] is what a party answers with.
pub fn open(octets: &[u8], trust: &Trust) -> Result<File, OpenError> {
    let document = document(octets)?;
    let held = foreign::verify(&document, |issuer, serial| trust.find(issuer, serial))?;
    check_version(&document)?;
    // Read first as it came, so that a fault is reported where its writer sees it.
    let shown = xml::read(&document)?;
    let file = xml::read(&held.content)?;
    if file != shown {
        let element = document.root().name.clone();
        return Err(DsigError::ContentDiffers { element }.into());
    }
    let expected = file.header.from;
    if !held.party.0.contains(&expected) {
        return Err(OpenError::Writer { found: held.party.to_string(), expected });
    }
    Ok(file)
}

fn document(octets: &[u8]) -> Result<Document, OpenError> {
    Document::parse_in(octets, namespace()).map_err(|error| malformed(octets, error))
}

fn check_version(document: &Document) -> Result<(), OpenError> {
    let (found, expected) = (xml::said_version(document)?, version().1);
    if found == expected { Ok(()) } else { Err(OpenError::Version { found, expected }) }
}

/// A file that ends before its root element does was cut on its way; anything else that is no XML is something else.
fn malformed(octets: &[u8], error: XmlError) -> OpenError {
    if is_cut(octets) { OpenError::Cut { octets: octets.len(), error } } else { OpenError::Xml(error) }
}

fn is_cut(octets: &[u8]) -> bool {
    let text = String::from_utf8_lossy(octets);
    let text = text.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-' | '.');
    let mut tags = text.split('<').skip(1);
    let root =
        tags.find(|tag| tag.starts_with(is_name)).map(|tag| tag.split(|c| !is_name(c)).next().unwrap_or(tag));
    let last = text.rfind("</").map(|at| text[at + 2..].trim_end_matches('>').trim_end());
    let whole = text.ends_with('>') && root.is_some() && root == last;
    (text.is_empty() || text.starts_with('<')) && !whole
}
