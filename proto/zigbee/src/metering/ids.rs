//! Command identifiers that differ between stacks.
//!
//! Snapshots came into the standard late, and meters of the first generation were built from drafts of it: the
//! same command has one identifier in one stack and another in the next. A Device Model says which; this map
//! turns identifiers of the wire into those of the standard on the way in, and back on the way out.

use std::collections::BTreeMap;

use super::{ToClient, ToServer};
use crate::ZigbeeError;
use crate::zcl::{Direction, Frame};

/// Commands whose identifiers are known to differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meaning {
    /// [`ScheduleSnapshot`](super::ScheduleSnapshot).
    ScheduleSnapshot,
    /// [`TakeSnapshot`](super::TakeSnapshot).
    TakeSnapshot,
    /// [`GetSnapshot`](super::GetSnapshot).
    GetSnapshot,
    /// [`ScheduleSnapshotResponse`](super::ScheduleSnapshotResponse).
    ScheduleSnapshotResponse,
    /// [`TakeSnapshotResponse`](super::TakeSnapshotResponse).
    TakeSnapshotResponse,
    /// [`PublishSnapshot`](super::PublishSnapshot).
    PublishSnapshot,
    /// [`ChangeSupply`](super::ChangeSupply).
    ChangeSupply,
    /// [`SupplyStatusResponse`](super::SupplyStatusResponse).
    SupplyStatusResponse,
}

impl Meaning {
    /// Which way it goes.
    pub fn direction(self) -> Direction {
        match self {
            Self::ScheduleSnapshot | Self::TakeSnapshot | Self::GetSnapshot | Self::ChangeSupply => {
                Direction::ToServer
            }
            _ => Direction::ToClient,
        }
    }

    /// Its identifier in the standard.
    pub fn standard(self) -> u8 {
        match self {
            Self::ScheduleSnapshot => super::ScheduleSnapshot::ID,
            Self::TakeSnapshot => super::TakeSnapshot::ID,
            Self::GetSnapshot => super::GetSnapshot::ID,
            Self::ScheduleSnapshotResponse => super::ScheduleSnapshotResponse::ID,
            Self::TakeSnapshotResponse => super::TakeSnapshotResponse::ID,
            Self::PublishSnapshot => super::PublishSnapshot::ID,
            Self::ChangeSupply => super::ChangeSupply::ID,
            Self::SupplyStatusResponse => super::SupplyStatusResponse::ID,
        }
    }
}

/// Which identifiers a stack uses. The default is the standard's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommandIds(BTreeMap<Meaning, u8>);

/// Two commands of one direction would have the same identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "identifier {id:#04x} would stand for both {one:?} and {other:?}, which go the same way; give each its own"
)]
pub struct SameIdentifier {
    /// The identifier.
    pub id: u8,
    /// One command.
    pub one: Meaning,
    /// The other.
    pub other: Meaning,
}

impl CommandIds {
    /// The identifiers of a stack that departs from the standard in these.
    ///
    /// # Errors
    /// `SameIdentifier` when two commands that go the same way are given one identifier.
    pub fn departing(ids: impl IntoIterator<Item = (Meaning, u8)>) -> Result<Self, SameIdentifier> {
        let map: BTreeMap<Meaning, u8> = ids.into_iter().collect();
        for (one, id) in &map {
            let same = map.iter().find(|(other, theirs)| {
                *other > one && *theirs == id && other.direction() == one.direction()
            });
            if let Some((other, _)) = same {
                return Err(SameIdentifier { id: *id, one: *one, other: *other });
            }
        }
        Ok(Self(map))
    }

    /// The command of a frame to a meter or a mirror.
    ///
    /// # Errors
    /// As [`ToServer::of`].
    pub fn to_server(&self, frame: &Frame) -> Result<ToServer, ZigbeeError> {
        frame.expect_cluster_command(Direction::ToServer)?;
        match self.standard(Direction::ToServer, frame.command) {
            Some(id) => ToServer::parse(id, &frame.payload),
            None => Ok(ToServer::Other { id: frame.command, payload: frame.payload.clone() }),
        }
    }

    /// The command of a frame from a meter or a mirror.
    ///
    /// # Errors
    /// As [`ToClient::of`].
    pub fn to_client(&self, frame: &Frame) -> Result<ToClient, ZigbeeError> {
        frame.expect_cluster_command(Direction::ToClient)?;
        match self.standard(Direction::ToClient, frame.command) {
            Some(id) => ToClient::parse(id, &frame.payload),
            None => Ok(ToClient::Other { id: frame.command, payload: frame.payload.clone() }),
        }
    }

    /// The identifier on the wire of a command of the standard.
    pub fn on_wire(&self, direction: Direction, standard: u8) -> u8 {
        let found = self
            .0
            .iter()
            .find(|(meaning, _)| meaning.direction() == direction && meaning.standard() == standard);
        found.map_or(standard, |(_, id)| *id)
    }

    /// A frame with the identifier this stack uses.
    pub fn translate(&self, mut frame: Frame) -> Frame {
        frame.command = self.on_wire(frame.direction, frame.command);
        frame
    }

    /// The command of the standard that an identifier on the wire stands for; none where this stack has moved
    /// that command elsewhere and put no other in its place.
    fn standard(&self, direction: Direction, wire: u8) -> Option<u8> {
        let of_direction = || self.0.iter().filter(move |(meaning, _)| meaning.direction() == direction);
        match of_direction().find(|(_, id)| **id == wire) {
            Some((meaning, _)) => Some(meaning.standard()),
            None => of_direction().all(|(meaning, _)| meaning.standard() != wire).then_some(wire),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{GetSnapshot, TakeSnapshot};
    use super::*;
    use crate::field::UtcTime;

    fn asked() -> ToServer {
        GetSnapshot { earliest: UtcTime(1), latest: UtcTime(2), offset: 0, cause: 1 }.into()
    }

    #[test]
    fn a_stack_that_departs_is_understood() {
        let ids =
            CommandIds::departing([(Meaning::GetSnapshot, 0x04), (Meaning::TakeSnapshot, 0x06)]).unwrap();
        let frame = ids.translate(asked().frame(1));
        assert_eq!(frame.command, 0x04);
        assert_eq!(ids.to_server(&frame).unwrap(), asked());
        let take: ToServer = TakeSnapshot { cause: 1 }.into();
        assert_eq!(ids.to_server(&ids.translate(take.frame(2))).unwrap(), take);
        // The identifier it has moved away from stands for nothing now.
        let mut frame = asked().frame(3);
        frame.command = 0x05;
        assert!(matches!(ids.to_server(&frame).unwrap(), ToServer::Other { id: 0x05, .. }));
        assert_eq!(CommandIds::default().to_server(&asked().frame(4)).unwrap(), asked());
    }

    #[test]
    fn one_identifier_for_two_commands_is_refused() {
        let both = [(Meaning::GetSnapshot, 0x04), (Meaning::TakeSnapshot, 0x04)];
        assert!(CommandIds::departing(both).unwrap_err().to_string().contains("0x04 would stand for both"));
        let ways = [(Meaning::GetSnapshot, 0x04), (Meaning::PublishSnapshot, 0x04)];
        assert!(CommandIds::departing(ways).is_ok());
    }
}
