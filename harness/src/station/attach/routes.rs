//! Which channel of a station belongs to which program at the controller's door. Pure.
//!
//! Frames are passed on under other channel numbers and not kept. The credit of each stream is watched both ways, so that an
//! end that does not keep to it is found out here, and what is on its way through the controller stays bounded.

use std::collections::BTreeMap;

use proto_lab::attach::flow::{Overrun, Sending};
use proto_lab::attach::{Channel, Fault, FaultKind, Frame, MadeSafe, PartName, Says};

/// Channels a program at the door may have at a time, and all of them together.
const PER_DOOR: usize = 32;
const IN_ALL: usize = 256;

/// A program at the controller's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Door(pub(super) u64);

/// An end that does not keep to the language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misspoken {
    #[error(transparent)]
    Overrun(#[from] Overrun),
    #[error("{0} does not belong there")]
    OutOfPlace(&'static str),
    #[error("more channels than it may have")]
    TooMany,
}

#[derive(Debug)]
struct Route {
    door: Door,
    channel: Channel,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A stream: what the door may still send to the station, and the station to the door.
    Stream {
        down: Sending,
        up: Sending,
    },
    Act,
    Lease(PartName),
}

/// The routes of one station's session.
#[derive(Debug, Default)]
pub(super) struct Routes {
    by_station: BTreeMap<Channel, Route>,
    by_door: BTreeMap<(Door, Channel), Channel>,
    last: u32,
}

impl Routes {
    /// What a program says, as the station is to hear it; none for a channel that has ended meanwhile.
    ///
    /// # Errors
    /// [`Misspoken`]: the program is to be turned out.
    pub(super) fn door_says(&mut self, door: Door, frame: Frame) -> Result<Option<Frame>, Misspoken> {
        let Frame { channel, says } = frame;
        if let Some(kind) = self.beginning(door, channel, &says)? {
            let of_station = self.begin(door, channel, kind)?;
            return Ok(Some(Frame::new(of_station, says)));
        }
        let Some(of_station) = self.by_door.get(&(door, channel)).copied() else { return Ok(None) };
        let Some(route) = self.by_station.get_mut(&of_station) else { return Ok(None) };
        match (&mut route.kind, &says) {
            (Kind::Stream { down, .. }, Says::Data(octets)) => down.spend(octets.len())?,
            (Kind::Stream { up, .. }, Says::Credit(more)) => up.grant(*more)?,
            (Kind::Stream { .. }, Says::Ask(_)) | (Kind::Lease(_), Says::Lease(_) | Says::Release) => {}
            (Kind::Stream { .. }, Says::Close(_)) => self.end(of_station),
            _ => return Err(Misspoken::OutOfPlace("what it said")),
        }
        Ok(Some(Frame::new(of_station, says)))
    }

    /// The kind of channel that this begins, if it begins one.
    fn beginning(&self, door: Door, channel: Channel, says: &Says) -> Result<Option<Kind>, Misspoken> {
        let open = self.by_door.contains_key(&(door, channel));
        let kind = match says {
            Says::Open(open) => {
                let mut up = Sending::default();
                up.grant(open.credit)?;
                Kind::Stream { down: Sending::default(), up }
            }
            Says::Actuate(_) => Kind::Act,
            Says::Lease(lease) if !open => Kind::Lease(lease.rig.clone()),
            _ => return Ok(None),
        };
        match open || channel == Channel::SESSION {
            true => Err(Misspoken::OutOfPlace("a channel that is there already")),
            false => Ok(Some(kind)),
        }
    }

    fn begin(&mut self, door: Door, channel: Channel, kind: Kind) -> Result<Channel, Misspoken> {
        let of_door = self.by_door.range((door, Channel(0))..=(door, Channel(u32::MAX))).count();
        if of_door >= PER_DOOR || self.by_station.len() >= IN_ALL {
            return Err(Misspoken::TooMany);
        }
        // A session would have to begin a channel a second for more than a hundred years to run out of numbers.
        self.last = self.last.checked_add(1).ok_or(Misspoken::TooMany)?;
        let of_station = Channel(self.last);
        self.by_station.insert(of_station, Route { door, channel, kind });
        self.by_door.insert((door, channel), of_station);
        Ok(of_station)
    }

    fn end(&mut self, of_station: Channel) {
        if let Some(route) = self.by_station.remove(&of_station) {
            self.by_door.remove(&(route.door, route.channel));
        }
    }

    /// What the station says on a channel, and who is to hear it; none for a channel that has ended meanwhile.
    ///
    /// # Errors
    /// [`Misspoken`]: the session with the station is to end.
    pub(super) fn station_says(&mut self, frame: Frame) -> Result<Option<(Door, Frame)>, Misspoken> {
        let Frame { channel: of_station, says } = frame;
        let Some(route) = self.by_station.get_mut(&of_station) else { return Ok(None) };
        let (door, channel) = (route.door, route.channel);
        match (&mut route.kind, &says) {
            (Kind::Stream { down, .. }, Says::Opened(credit)) => down.grant(*credit)?,
            (Kind::Stream { down, .. }, Says::Credit(more)) => down.grant(*more)?,
            (Kind::Stream { up, .. }, Says::Data(octets)) => up.spend(octets.len())?,
            (Kind::Stream { .. }, Says::Answer(_) | Says::Remark(_))
            | (Kind::Lease(_), Says::Leased(Ok(_))) => {}
            (Kind::Stream { .. }, Says::Close(_))
            | (Kind::Act, Says::Actuated(_))
            | (Kind::Lease(_), Says::Leased(Err(_)) | Says::Released(_)) => self.end(of_station),
            _ => return Err(Misspoken::OutOfPlace("what it said")),
        }
        Ok(Some((door, Frame::new(channel, says))))
    }

    /// The programs that hold this rig's lease or had it, to whom it is told that the station made it safe by itself.
    pub(super) fn told_of(&self, made: &MadeSafe) -> Vec<Door> {
        let of_rig = |route: &&Route| matches!(&route.kind, Kind::Lease(rig) if *rig == made.rig);
        self.by_station.values().filter(of_rig).map(|route| route.door).collect()
    }

    /// A program has left the door: what the station is to hear of it. A lease is left to run out, for whoever crashed did not
    /// say that the rig is safe.
    pub(super) fn door_closed(&mut self, door: Door) -> Vec<Frame> {
        let of_door: Vec<Channel> = self
            .by_door
            .range((door, Channel(0))..=(door, Channel(u32::MAX)))
            .map(|(_, of_station)| *of_station)
            .collect();
        let streams = of_door.iter().filter(|channel| {
            let route = self.by_station.get(channel);
            route.is_some_and(|route| matches!(route.kind, Kind::Stream { .. }))
        });
        let closing = streams.map(|channel| Frame::new(*channel, Says::Close(None))).collect();
        of_door.into_iter().for_each(|channel| self.end(channel));
        closing
    }

    /// The station is lost: the end of every channel, for whom it is.
    pub(super) fn lost(&mut self, reason: &str) -> Vec<(Door, Frame)> {
        self.by_door.clear();
        let ended = std::mem::take(&mut self.by_station).into_values();
        ended
            .map(|Route { door, channel, kind }| {
                let fault = Fault::new(FaultKind::Gone, reason);
                let says = match kind {
                    Kind::Stream { .. } => Says::Close(Some(fault)),
                    Kind::Act => Says::Actuated(Err(fault)),
                    Kind::Lease(_) => Says::Leased(Err(fault)),
                };
                (door, Frame::new(channel, says))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proto_lab::attach::flow::WINDOW;
    use proto_lab::attach::{Carried, LeaseAsked, Open, Token};
    use std::time::Duration;

    fn open() -> Says {
        Says::Open(Open {
            port: "optical".parse().unwrap(),
            carries: Carried::Stream,
            token: None,
            within: Duration::from_secs(1),
            credit: WINDOW,
        })
    }

    fn lease() -> Says {
        let (rig, holder) = ("rig-1".parse().unwrap(), "a run".to_owned());
        Says::Lease(LeaseAsked { rig, token: Token(1), holder, term: Duration::from_secs(1) })
    }

    fn down(routes: &mut Routes, door: u64, channel: u32, says: Says) -> Option<Frame> {
        routes.door_says(Door(door), Frame::new(Channel(channel), says)).unwrap()
    }

    #[test]
    fn two_programs_may_use_the_same_number_and_hear_only_their_own() {
        let mut routes = Routes::default();
        let first = down(&mut routes, 1, 1, open()).unwrap().channel;
        let second = down(&mut routes, 2, 1, open()).unwrap().channel;
        assert_ne!(first, second);
        let heard = routes.station_says(Frame::new(second, Says::Opened(WINDOW))).unwrap().unwrap();
        assert_eq!(heard, (Door(2), Frame::new(Channel(1), Says::Opened(WINDOW))));
        assert_eq!(routes.door_closed(Door(2)), [Frame::new(second, Says::Close(None))]);
        assert_eq!(routes.station_says(Frame::new(second, Says::Data(vec![1]))), Ok(None), "nobody is there");
    }

    #[test]
    fn who_sends_without_credit_is_found_out_on_either_side() {
        let mut routes = Routes::default();
        let channel = down(&mut routes, 1, 1, open()).unwrap().channel;
        let early = routes.door_says(Door(1), Frame::new(Channel(1), Says::Data(vec![0; 10])));
        assert!(matches!(early, Err(Misspoken::Overrun(_))), "the station has granted nothing yet");
        let data = || Frame::new(channel, Says::Data(vec![0; 60_000]));
        assert!(routes.station_says(data()).is_ok());
        assert!(routes.station_says(data()).is_ok());
        assert!(matches!(routes.station_says(data()), Err(Misspoken::Overrun(_))));
    }

    #[test]
    fn a_lease_outlives_the_program_that_leaves_without_giving_it_back() {
        let mut routes = Routes::default();
        let channel = down(&mut routes, 1, 1, lease()).unwrap().channel;
        assert_eq!(down(&mut routes, 1, 1, lease()).unwrap().channel, channel, "a renewal is on its channel");
        assert!(routes.door_closed(Door(1)).is_empty(), "the station hears nothing, and it runs out");
    }

    proptest! {
        /// However programs come, open, act and leave: a lost station ends every channel that is there, once, and nothing
        /// that comes late reaches anybody.
        #[test]
        fn a_lost_station_ends_every_stream(steps in proptest::collection::vec((0u64..4, 1u32..6, 0u8..4), 0..80)) {
            let mut routes = Routes::default();
            let mut open_now = std::collections::BTreeSet::new();
            let mut at_station = Vec::new();
            for (door, channel, step) in steps {
                let says = match step {
                    0 => open(),
                    1 => lease(),
                    2 => Says::Close(None),
                    _ => {
                        routes.door_closed(Door(door));
                        open_now.retain(|(of, _)| *of != door);
                        continue;
                    }
                };
                let (begins, ends) = (step < 2, step == 2);
                let was_open = open_now.contains(&(door, channel));
                match routes.door_says(Door(door), Frame::new(Channel(channel), says)) {
                    Ok(Some(frame)) if begins => {
                        at_station.push(frame.channel);
                        open_now.insert((door, channel));
                    }
                    Ok(Some(_)) if ends => { open_now.remove(&(door, channel)); }
                    Ok(_) => {}
                    // Out of place; whoever spoke is turned out.
                    Err(_) => {
                        prop_assert!(was_open);
                        routes.door_closed(Door(door));
                        open_now.retain(|(of, _)| *of != door);
                    }
                }
            }
            let ended: Vec<(u64, u32)> = routes
                .lost("the cable was cut")
                .into_iter()
                .map(|(door, frame)| (door.0, frame.channel.0))
                .collect();
            prop_assert_eq!(ended.len(), open_now.len());
            prop_assert_eq!(ended.into_iter().collect::<std::collections::BTreeSet<_>>(), open_now);
            for channel in at_station {
                prop_assert_eq!(routes.station_says(Frame::new(channel, Says::Data(vec![1]))), Ok(None));
            }
        }
    }
}
