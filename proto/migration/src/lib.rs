//! The files that the parties of a migration of SMETS1 Installations exchange (TMAD), without I/O and without a clock.
//!
//! A [`File`] has a [`Header`], which says from whom, for whom, after which other file and with which number, and a
//! [`Body`] of one of eleven kinds. It crosses between parties as a signed XML document.
//!
//! The published schemas of these files are not known to the lab. What is known is which party tells which what, and
//! that is what the types here say. Names of elements and files, and codes, are data, marked unverified there.

mod body;
mod identity;
mod note;
mod party;
mod words;

pub use body::{
    Body, Commissioned, CommonInstallation, Device, Estate, FileKind, Holder, InstallationKind,
    InstallationResult, MeterPoint, OutcomeClass, Ruling, Sealed, Secret, SecretKind, Secrets, Step,
};
pub use identity::{AuthorisationId, Digest, DigestError, FileName, GroupId, Text, TextError};
pub use note::{Note, NoteError};
pub use party::{Address, File, Header, PartyRole};
