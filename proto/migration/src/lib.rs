//! The files that the parties of a migration of SMETS1 Installations exchange (TMAD), without I/O and without a clock.
//!
//! A [`File`] has a [`Header`], which says from whom, for whom, after which other file and with which number, and a
//! [`Body`] of one of thirteen kinds. It crosses between parties as a signed XML document.
//!
//! ```text
//! File ── write ──> octets, signed by the writer ──> Inbox::take of each party it is for ──> Arrived
//!                                                     │ opens, for us, not seen before, in order
//! Secrets ── seal to the recipient's key ──> Sealed, in a file ── unseal ──> Secrets
//! ```
//!
//! The published schemas of these files are not known to the lab. What is known is which party tells which what, and
//! that is what the types here say. Names of elements and files, and codes, are data, marked unverified there:
//! `data/names.toml`, `data/codes.toml`, and the XML Schemas in `schemas/`, which a test holds to the names.

mod body;
mod code;
mod describe;
pub mod examples;
mod identity;
mod inbox;
pub mod limits;
mod names;
mod note;
mod party;
mod seal;
mod signed;
mod words;
mod xml;

#[cfg(test)]
mod golden;

pub use body::{
    Body, Commissioned, CommonInstallation, Device, Estate, FileKind, Holder, InstallationKind,
    InstallationResult, MeterPoint, OutcomeClass, Ruling, Sealed, Secret, SecretKind, Secrets, Step,
};
pub use code::FileRefusalCode;
pub use describe::describe;
pub use identity::{AuthorisationId, Digest, DigestError, FileName, GroupId, Text, TextError};
pub use inbox::{Arrived, FileRefusal, Inbox, SeenFile, SeenFileError};
pub use names::claimed_kind;
pub use names::{SchemaName, schema_names};
pub use note::{Note, NoteError};
pub use party::{Address, File, Header, PartyRole};
pub use seal::{ContentsError, KeyError, OpeningKey, SealError, SealingKey, UnsealError, seal, unseal};
pub use signed::{OpenError, Trust, WriteError, open, parse, to_xml, write};
