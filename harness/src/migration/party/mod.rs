//! The parties of a migration, and what they need of each other and of those who talk to devices.

pub mod devices;

use std::future::Future;
use std::pin::Pin;

use super::Code;
pub use devices::{ContactReport, Contacts, DeviceReport, KeyWrap, KnownEstate, NoKeyWrap, Smso};
use proto_duis::Eui64;
use proto_migration::{InstallationResult, Ruling};

/// A future on the heap, so that parties of different kinds stand in one row.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why something was not done, by the check that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", code.published())]
pub struct Refused {
    /// The check.
    pub code: Code,
    /// What was found and what was expected, in words, without secrets.
    pub reason: String,
}

impl Refused {
    /// A refusal by this check.
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// As a file says it of one installation.
    pub fn ruling(self) -> Ruling {
        Ruling::Refused { code: self.code.text(), reason: self.reason.into() }
    }
}

/// What a party found of one installation, as its file says it.
pub fn result(installation: Eui64, found: Result<String, Refused>) -> InstallationResult {
    let ruling = match found {
        Ok(said) => Ruling::Accepted { said: said.into(), without: Vec::new() },
        Err(refused) => refused.ruling(),
    };
    InstallationResult { installation, ruling }
}

/// The installations of a file that it lets go on.
pub fn accepted(results: &[InstallationResult]) -> impl Iterator<Item = Eui64> + '_ {
    results.iter().filter(|r| matches!(r.ruling, Ruling::Accepted { .. })).map(|r| r.installation)
}
