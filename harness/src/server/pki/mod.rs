//! A lab's own certificate authority: who a program is, and in which role.
//!
//! ```text
//! PKI/authority.pem   the authority's certificate; programs trust the controller by it
//! PKI/authority.key   its private key, for the owner's eyes alone; move it away from a controller that need not issue
//! PKI/server.pem      the controller's certificate, and its key beside it
//! PKI/revoked.crl     certificates taken back (RFC 5280 CRL, signed by the authority), read at each handshake
//! PKI/issued/*.pem    every certificate issued, by serial number
//! ```
//!
//! Keys are ECDSA on P-256. A certificate's subject says whom it is for: the common name is who, the organisational unit in
//! which role, the organisation which lab, so that `openssl x509 -subject` tells a person the same.

mod authority;
mod certificate;
pub(super) mod files;

#[cfg(test)]
mod tests;

pub use authority::{Host, Issued, IssuedCertificate, Pki};
pub use certificate::{CertificateFault, Certified, Holder, Serial, Standing, StandingError};

use std::path::PathBuf;

/// Something about the lab's authority that cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The file system refuses.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that is never written over is there.
    #[error("{} exists already: it is not written over", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others can read a private key or the file of people.
    #[error("{} can be read by others (mode {mode:o}): expected 600; if nobody copied it, `chmod 600` it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file holds something else than it should.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        reason: String,
    },
    /// A certificate could not be made.
    #[error("cannot make {what}: {reason}")]
    Make {
        /// What.
        what: String,
        /// Why.
        reason: String,
    },
    /// No certificate of this name or serial number was issued, or all were taken back.
    #[error("no certificate in use is `{which}`: `harness pki show` lists them by name and serial number")]
    Unknown {
        /// What was asked for.
        which: String,
    },
}

impl PkiError {
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    fn make(what: impl Into<String>) -> impl FnOnce(rcgen::Error) -> Self {
        let what = what.into();
        move |error| Self::Make { what, reason: error.to_string() }
    }
}
