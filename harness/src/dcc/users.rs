//! The users the DCC knows.

use std::collections::{BTreeMap, BTreeSet};

use lab_config::DeviceKind;
use proto_duis::{Eui64, Srv, UserRole};

/// Whether a user may use the DCC's services at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UserStatus {
    /// It has completed its entry processes.
    #[default]
    Active,
    /// It has been suspended: every request of its is refused with E3.
    Suspended,
}

/// A DCC user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its identity in messages.
    pub id: Eui64,
    /// The roles it has. A request does not name one: any that fits will do.
    pub roles: BTreeSet<UserRole>,
    /// Whether it may send at all.
    pub status: UserStatus,
}

impl User {
    /// Whether one of its roles may send a request of this variant.
    pub fn may_send(&self, srv: Srv) -> bool {
        srv.roles().iter().any(|role| self.roles.contains(role))
    }
}

/// The users the DCC knows, by identity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Users {
    known: BTreeMap<Eui64, User>,
}

impl Users {
    /// Active users, each identity with every role it has.
    pub fn active(by_role: impl IntoIterator<Item = (UserRole, Eui64)>) -> Users {
        let mut users = Users::default();
        for (role, id) in by_role {
            let user = users.known.entry(id).or_insert_with(|| User {
                id,
                roles: BTreeSet::new(),
                status: UserStatus::Active,
            });
            user.roles.insert(role);
        }
        users
    }

    /// Adds a user, or puts it in place of one of the same identity.
    pub fn insert(&mut self, user: User) {
        self.known.insert(user.id, user);
    }

    /// The user of this identity.
    pub fn get(&self, id: Eui64) -> Option<&User> {
        self.known.get(&id)
    }

    /// Every user.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.known.values()
    }

    /// The suppliers responsible for a device of this kind: of electricity for an electricity meter, of gas for a gas meter
    /// and its mirror, of either for what both meters share.
    pub fn responsible_for(&self, kind: DeviceKind) -> BTreeSet<Eui64> {
        let holds = |user: &&User| user.roles.iter().any(|role| supplies(*role, kind));
        self.iter().filter(holds).map(|user| user.id).collect()
    }
}

/// Whether this is the role of a supplier.
pub(super) const fn is_supplier(role: UserRole) -> bool {
    matches!(role, UserRole::ImportSupplier | UserRole::ExportSupplier | UserRole::GasSupplier)
}

/// Whether a supplier in this role is responsible for a device of this kind.
fn supplies(role: UserRole, kind: DeviceKind) -> bool {
    match role {
        UserRole::ImportSupplier | UserRole::ExportSupplier => {
            !matches!(kind, DeviceKind::Gsme | DeviceKind::Gpf)
        }
        UserRole::GasSupplier => kind != DeviceKind::Esme,
        _ => false,
    }
}

/// Whether a user in this role may ask something of a device, given who is responsible for it (SEC H3).
pub(super) fn authorised(
    user: &User,
    role: UserRole,
    kind: DeviceKind,
    responsible: &BTreeSet<Eui64>,
) -> bool {
    match role {
        UserRole::ImportSupplier | UserRole::ExportSupplier | UserRole::GasSupplier => {
            supplies(role, kind) && responsible.contains(&user.id)
        }
        UserRole::ElectricityDistributor => !matches!(kind, DeviceKind::Gsme | DeviceKind::Gpf),
        UserRole::GasTransporter => kind != DeviceKind::Esme,
        UserRole::RegisteredSupplierAgent | UserRole::OtherUser => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IS: Eui64 = Eui64::new([1; 8]);
    const GS: Eui64 = Eui64::new([2; 8]);

    #[test]
    fn suppliers_answer_for_their_fuel_and_for_what_is_shared() {
        let users = Users::active([
            (UserRole::ImportSupplier, IS),
            (UserRole::GasSupplier, GS),
            (UserRole::OtherUser, Eui64::new([3; 8])),
        ]);
        assert_eq!(users.responsible_for(DeviceKind::Esme), BTreeSet::from([IS]));
        assert_eq!(users.responsible_for(DeviceKind::Gpf), BTreeSet::from([GS]));
        assert_eq!(users.responsible_for(DeviceKind::Chf), BTreeSet::from([IS, GS]));
    }

    #[test]
    fn one_identity_may_have_several_roles() {
        let users = Users::active([(UserRole::ImportSupplier, IS), (UserRole::GasSupplier, IS)]);
        assert_eq!(users.iter().count(), 1);
        assert_eq!(users.responsible_for(DeviceKind::Gsme), BTreeSet::from([IS]));
    }
}
