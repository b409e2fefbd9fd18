//! The Responsible Supplier: lets the installations it operates be migrated.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use proto_duis::Eui64;
use proto_migration::{Address, Arrived, AuthorisationId, Body, InstallationKind, PartyRole};

use super::{BoxFuture, Outgoing, Party, Refused};
use crate::migration::Code;

/// How long an authorisation holds.
pub const HOLDS: Duration = Duration::from_secs(30 * 24 * 3600);

/// A supplier of active installations.
#[derive(Debug)]
pub struct ResponsibleSupplier {
    me: Address,
    readers: Vec<Address>,
    operates: BTreeMap<Eui64, InstallationKind>,
}

impl ResponsibleSupplier {
    /// The supplier of this EUI-64 with the installations it operates a meter of. Its authorisations are for `readers`.
    pub fn new(id: Eui64, readers: Vec<Address>, operates: BTreeMap<Eui64, InstallationKind>) -> Self {
        Self { me: Address { role: PartyRole::ResponsibleSupplier, id }, readers, operates }
    }

    fn authorise(&self, installation: Eui64, file: &Arrived, now: Timestamp) -> Result<Outgoing, Refused> {
        let Some(kind) = self.operates.get(&installation) else {
            let reason = format!("{} operates no meter of {installation}", self.me);
            return Err(Refused::new(Code::AuthorisationMissing, reason));
        };
        let body = authorisation(self.me.id, installation, *kind, now)?;
        let group = file.file.header.group.clone();
        // Its readers have not seen the demand, so it follows from nothing.
        Ok(Outgoing { to: self.readers.clone(), follows: None, group, body })
    }
}

/// An authorisation that holds from now on.
///
/// # Errors
/// [`Code::Lab`] at the end of all time.
pub fn authorisation(
    provider: Eui64,
    installation: Eui64,
    kind: InstallationKind,
    now: Timestamp,
) -> Result<Body, Refused> {
    let until = now.checked_add(HOLDS).map_err(|error| Refused::new(Code::Lab, error.to_string()))?;
    let authorisation = AuthorisationId::of(provider, installation, now);
    Ok(Body::Authorisation { authorisation, installation, kind, from: now, until })
}

impl Party for ResponsibleSupplier {
    fn address(&self) -> Address {
        self.me
    }

    fn take<'a>(
        &'a mut self,
        file: &'a Arrived,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Outgoing>, Refused>> {
        Box::pin(async move {
            match &file.file.body {
                Body::Demand { installations } => {
                    installations.iter().map(|(id, _)| self.authorise(*id, file, now)).collect()
                }
                Body::Outcome { .. } => Ok(Vec::new()),
                other => Err(Refused::unexpected(self.me, other.kind())),
            }
        })
    }
}
