//! Documents that are no messages of DUIS, read as strictly and signed in the same profile: the files of a migration.
//!
//! ```
//! use proto_duis::foreign::{Document, Element, Namespace, Reading, Space, sign, verify};
//! use proto_duis::pki::Authority;
//!
//! const LETTERS: Namespace = Namespace { prefix: "l", uri: "urn:example:letters" };
//! let signer = Authority::new("Lab")?.issue("writer")?;
//! let letter = Element::leaf(Space::Foreign(LETTERS), "Letter", "Good morning");
//!
//! let signed = sign(&letter, &signer)?;
//! let document = Document::parse_in(signed.as_bytes(), LETTERS)?;
//! let held = verify(&document, |issuer, serial| {
//!     let known = signer.certificate();
//!     known.is_named_by(issuer, serial).then_some(("the writer", known))
//! })?;
//! assert_eq!(held.party, "the writer");
//! assert_eq!(Reading::root(&held.content).value::<String>()?, "Good morning");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt::Display;

pub use crate::dsig::Verified;
use crate::dsig::{self, Certificate, DsigError, Signer};
pub use crate::xml::{Cursor, Document, Element, Namespace, Reading, Space, parse_date_time};

/// The document with a signature over all of it as the last child of its root.
///
/// # Errors
/// The key cannot sign, or the root has no content.
pub fn sign(root: &Element, signer: &Signer) -> Result<String, DsigError> {
    dsig::sign(&root.to_document(), signer)
}

/// Checks the one signature of a document, which must end it. `find` knows the certificates that are trusted, by the issuer
/// and serial number that the signature names, and whose they are.
///
/// # Errors
/// No signature or more than one, one that is not of the profile or does not hold, or a certificate that `find` does not know.
pub fn verify<'t, P: Display>(
    document: &Document,
    find: impl FnOnce(&str, &str) -> Option<(P, &'t Certificate)>,
) -> Result<Verified<'t, P>, DsigError> {
    dsig::verify_by(document, 1, find)
}
