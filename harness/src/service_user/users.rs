//! Who the lab is to the DCC: one user for each role, each with its EUI-64, key and certificate.

use std::collections::{BTreeMap, BTreeSet};

use proto_duis::pki::{Authority, PkiError};
use proto_duis::{Certificate, Eui64, Party, PartyKind, Signer, UserRole};

use super::UserError;

/// A user: an EUI-64 and the key that signs in its name.
#[derive(Debug, Clone)]
pub struct User {
    /// Its identity in messages.
    pub id: Eui64,
    /// Its key and certificate.
    pub signer: Signer,
}

/// The users the lab is, by role, and one it is not: a stranger, known to no DCC, for misuse scripts.
#[derive(Debug, Clone)]
pub struct Users {
    by_role: BTreeMap<UserRole, User>,
    stranger: User,
}

impl Users {
    /// Users with the identities of a lab file and fresh keys, certified by `authority`.
    ///
    /// # Errors
    /// A certificate cannot be made.
    pub fn issue(ids: &BTreeMap<UserRole, Eui64>, authority: &Authority) -> Result<Users, PkiError> {
        let of_role = |(role, id): (&UserRole, &Eui64)| {
            let signer = authority.issue(&name(*role, *id))?;
            Ok((*role, User { id: *id, signer }))
        };
        let by_role = ids.iter().map(of_role).collect::<Result<_, PkiError>>()?;
        let id = stranger(ids);
        let signer = authority.issue(&format!("stranger {id}"))?;
        Ok(Users { by_role, stranger: User { id, signer } })
    }

    /// Users with identities and keys that a DCC knows already; the stranger's are made now.
    ///
    /// # Errors
    /// The stranger's certificate cannot be made.
    pub fn known(by_role: BTreeMap<UserRole, User>) -> Result<Users, PkiError> {
        let ids = by_role.iter().map(|(role, user)| (*role, user.id)).collect();
        let id = stranger(&ids);
        let signer = Authority::new("Nobody's authority")?.issue(&format!("stranger {id}"))?;
        Ok(Users { by_role, stranger: User { id, signer } })
    }

    /// What a DCC is to trust: every user's certificate, the stranger's left out.
    pub fn trusted(&self) -> impl Iterator<Item = (Party, Certificate)> + '_ {
        self.by_role.iter().map(|(role, user)| {
            let party = Party { name: name(*role, user.id), kind: PartyKind::User, id: user.id };
            (party, user.signer.certificate().clone())
        })
    }

    /// The user in this role.
    ///
    /// # Errors
    /// The lab has none.
    pub fn user(&self, role: UserRole) -> Result<&User, UserError> {
        self.by_role.get(&role).ok_or_else(|| {
            let known = self.by_role.keys().map(UserRole::to_string).collect::<Vec<_>>().join(", ");
            UserError::NoSuchUser { role, known }
        })
    }

    /// The roles the lab has.
    pub fn roles(&self) -> impl Iterator<Item = UserRole> + '_ {
        self.by_role.keys().copied()
    }

    /// The certificate each user signs by.
    pub fn certificates(&self) -> impl Iterator<Item = (UserRole, &Certificate)> {
        self.by_role.iter().map(|(role, user)| (*role, user.signer.certificate()))
    }

    /// The certificate of the user no DCC knows, for misuse scripts: its authority vouches for it.
    pub fn strangers_certificate(&self) -> &Certificate {
        self.stranger.signer.certificate()
    }

    /// The user no DCC knows.
    pub(super) const fn stranger(&self) -> &User {
        &self.stranger
    }

    /// Every originator a request may have.
    pub(super) fn originators(&self) -> BTreeSet<Eui64> {
        self.by_role.values().map(|user| user.id).chain([self.stranger.id]).collect()
    }
}

fn name(role: UserRole, id: Eui64) -> String {
    format!("{role} {id}")
}

/// An EUI-64 next to the lab's own that none of its users has.
fn stranger(ids: &BTreeMap<UserRole, Eui64>) -> Eui64 {
    let own: BTreeSet<u64> = ids.values().map(|id| u64::from_be_bytes(id.octets())).collect();
    let mut number = own.first().copied().unwrap_or_default().wrapping_add(1);
    while own.contains(&number) {
        number = number.wrapping_add(1);
    }
    Eui64::new(number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stranger_is_none_of_the_users_and_is_not_trusted() {
        let id = |last| Eui64::new([0, 0, 0, 0, 0, 0, 0, last]);
        let roles = [UserRole::ImportSupplier, UserRole::GasSupplier, UserRole::OtherUser];
        let ids: BTreeMap<_, _> = roles.into_iter().zip([id(1), id(2), id(4)]).collect();
        let users = Users::issue(&ids, &Authority::new("Test authority").unwrap()).unwrap();
        assert_eq!(users.stranger().id, id(3));
        let trusted: BTreeSet<Eui64> = users.trusted().map(|(party, _)| party.id).collect();
        assert_eq!(trusted, [id(1), id(2), id(4)].into());
        let error = users.user(UserRole::ElectricityDistributor).unwrap_err().to_string();
        assert!(error.contains("ED") && error.contains("IS"), "{error}");
    }
}
