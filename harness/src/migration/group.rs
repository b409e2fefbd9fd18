//! A group of installations that are migrated together: one kind, one SMSO. Pure.

use std::collections::BTreeMap;

use proto_duis::Eui64;
use proto_migration::{GroupId, InstallationKind, OutcomeClass};

use super::stage::{Event, Impossible, Installation, Operation, OutOfOrder};

/// Installations of a kind, each with its own stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    id: GroupId,
    kind: InstallationKind,
    members: BTreeMap<Eui64, Installation>,
}

/// A group that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a group has 1 to {most} installations, found {found}: make several groups", most = Group::MOST)]
pub struct GroupSize {
    /// How many there would be.
    pub found: usize,
}

impl Group {
    /// The most installations of one group. A larger batch is several groups, one after another: what is kept of a group in
    /// memory is bounded by this.
    pub const MOST: usize = 100;

    /// A group whose migration has not begun.
    ///
    /// # Errors
    /// [`GroupSize`].
    pub fn new(
        id: GroupId,
        kind: InstallationKind,
        installations: impl IntoIterator<Item = Eui64>,
    ) -> Result<Self, GroupSize> {
        let members: BTreeMap<Eui64, Installation> =
            installations.into_iter().take(Self::MOST + 1).map(|id| (id, Installation::default())).collect();
        match members.len() {
            1..=Self::MOST => Ok(Self { id, kind, members }),
            found => Err(GroupSize { found }),
        }
    }

    /// One of them stands where its journal says.
    pub fn restore(&mut self, installation: Eui64, found: Installation) {
        if let Some(member) = self.members.get_mut(&installation) {
            *member = found;
        }
    }

    /// Its name.
    pub const fn id(&self) -> &GroupId {
        &self.id
    }

    /// What its installations are.
    pub const fn kind(&self) -> InstallationKind {
        self.kind
    }

    /// Its installations.
    pub fn members(&self) -> impl Iterator<Item = (Eui64, &Installation)> {
        self.members.iter().map(|(id, member)| (*id, member))
    }

    /// One of them.
    pub fn member(&self, installation: Eui64) -> Option<&Installation> {
        self.members.get(&installation)
    }

    /// Those for whom this operation comes next. The others are left where they are.
    ///
    /// # Errors
    /// [`OutOfOrder`] when it comes next for none.
    pub fn able(&self, operation: Operation) -> Result<Vec<Eui64>, OutOfOrder> {
        let (mut able, mut first) = (Vec::new(), None);
        for (id, member) in self.members() {
            match member.stage().allows(operation) {
                Ok(()) => able.push(id),
                Err(refused) => first = first.or(Some(refused)),
            }
        }
        match first {
            Some(refused) if able.is_empty() => Err(refused),
            _ => Ok(able),
        }
    }

    /// Takes note of what happened to one of them; an installation that is none of them is not noted.
    ///
    /// # Errors
    /// [`Impossible`].
    pub fn apply(&mut self, installation: Eui64, event: Event) -> Result<(), Impossible> {
        match self.members.get_mut(&installation) {
            Some(member) => member.apply(event),
            None => Ok(()),
        }
    }

    /// How many ended how.
    pub fn outcomes(&self) -> BTreeMap<OutcomeClass, usize> {
        let mut counts = BTreeMap::new();
        for class in self.members.values().filter_map(|member| member.stage().class()) {
            *counts.entry(class).or_default() += 1;
        }
        counts
    }

    /// Whether every installation has ended its attempt.
    pub fn is_over(&self) -> bool {
        self.members.values().all(|member| member.stage().class().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::{Code, Finding, text};

    fn group(installations: u8) -> Result<Group, GroupSize> {
        let ids = (0..installations).map(|n| Eui64::new([n; 8]));
        Group::new(text::group("LAB-1"), InstallationKind::Dormant, ids)
    }

    #[test]
    fn a_group_has_one_to_a_hundred_installations() {
        assert_eq!(group(0), Err(GroupSize { found: 0 }));
        assert_eq!(group(101), Err(GroupSize { found: 101 }));
        assert_eq!(group(100).map(|group| group.members().count()), Ok(100));
    }

    /// One that is refused does not hold the others up, and the operation is for those who are where it comes next.
    #[test]
    fn each_installation_has_its_own_stage() {
        let mut group = group(2).expect("a group");
        let [first, second] = [Eui64::new([0; 8]), Eui64::new([1; 8])];
        for id in [first, second] {
            let authorisations = vec!["MA_LAB".parse().expect("a name")];
            group.apply(id, Event::Authorised { authorisations }).expect("authorised");
        }
        let finding = Finding { code: Code::NotOnEpcl.published().into(), reason: "a test".into() };
        group.apply(first, Event::Refused(finding)).expect("refused");
        group.apply(second, Event::Validated).expect("validated");
        assert_eq!(group.able(Operation::Contact), Ok(vec![second]));
        assert_eq!(group.able(Operation::Authorise), Ok(vec![first]));
        assert!(group.able(Operation::Commission).is_err());
        assert_eq!(group.outcomes(), BTreeMap::from([(OutcomeClass::Refused, 1)]));
        assert!(!group.is_over());
    }
}
