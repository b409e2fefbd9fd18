//! What a communications hub holds for devices that sleep, until they wake and fetch it.
//!
//! A message goes to its device at the device's next wake, and what is for one device keeps its order. The store is bounded
//! by count and by age, both of the hub's Device Model. It is in the hub's working memory: what it holds is lost when the
//! hub loses its mains or restarts.

use std::collections::VecDeque;

use lab_config::StoreAndForward;
use proto_duis::Eui64;

use super::time::Moment;

/// A message that waits for its device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Who sent it: the hub itself for what came from the wide area network.
    pub from: Eui64,
    /// The device it is for.
    pub to: Eui64,
    /// The frame.
    pub octets: Vec<u8>,
    /// Since when it waits.
    pub since: Moment,
}

/// A store without room for another message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no room for another message")]
pub struct NoRoom;

/// The store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    room: usize,
    /// How old a message may become, in milliseconds.
    longest: i64,
    held: VecDeque<Held>,
}

impl Store {
    /// An empty store with these bounds.
    pub fn new(bounds: StoreAndForward) -> Self {
        let longest = i64::try_from(bounds.longest.as_millis()).unwrap_or(i64::MAX);
        Self { room: bounds.messages.into(), longest, held: VecDeque::new() }
    }

    /// Takes a message in.
    ///
    /// # Errors
    /// There is no room: the message is not held.
    pub fn hold(&mut self, message: Held) -> Result<(), NoRoom> {
        if self.held.len() >= self.room {
            return Err(NoRoom);
        }
        self.held.push_back(message);
        Ok(())
    }

    /// What waits for a device, in the order it came in; it is held no longer.
    pub fn fetch(&mut self, to: Eui64) -> Vec<Held> {
        self.take(|held| held.to == to)
    }

    /// Drops what came from `from` for `to`; how many messages that were. Whoever is told of one knows that it never
    /// reaches its device.
    pub fn withdraw(&mut self, from: Eui64, to: Eui64) -> usize {
        self.take(|held| (held.from, held.to) == (from, to)).len()
    }

    /// Drops what is too old at `now`; how many messages that were.
    pub fn expire(&mut self, now: Moment) -> usize {
        let longest = self.longest;
        self.take(|held| now.since(held.since) >= longest).len()
    }

    /// Drops everything; how many messages that were.
    pub fn clear(&mut self) -> usize {
        std::mem::take(&mut self.held).len()
    }

    /// When the oldest message becomes too old.
    pub fn next_expiry(&self) -> Option<Moment> {
        self.held.iter().map(|held| held.since.plus(self.longest)).min()
    }

    /// What it holds, oldest first.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &Held> {
        self.held.iter()
    }

    /// How many messages wait for a device.
    pub fn waiting(&self, to: Eui64) -> usize {
        self.held.iter().filter(|held| held.to == to).count()
    }

    fn take(&mut self, which: impl Fn(&Held) -> bool) -> Vec<Held> {
        let all = std::mem::take(&mut self.held);
        let (taken, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(which);
        self.held = kept.into();
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const HUB: Eui64 = Eui64::new([1; 8]);
    const DISPLAY: Eui64 = Eui64::new([2; 8]);
    const METER: Eui64 = Eui64::new([3; 8]);
    const OTHER: Eui64 = Eui64::new([4; 8]);

    fn store() -> Store {
        Store::new(StoreAndForward { messages: 3, longest: Duration::from_secs(60) })
    }

    fn message(from: Eui64, to: Eui64, octet: u8, at: i64) -> Held {
        Held { from, to, octets: vec![octet], since: Moment::from_millis(at) }
    }

    fn octets(held: &[Held]) -> Vec<u8> {
        held.iter().flat_map(|held| held.octets.clone()).collect()
    }

    #[test]
    fn messages_of_a_device_keep_their_order_and_are_given_once() {
        let mut store = store();
        for (to, octet) in [(METER, 1), (OTHER, 2), (METER, 3)] {
            store.hold(message(HUB, to, octet, 0)).unwrap();
        }
        assert_eq!(store.hold(message(HUB, METER, 4, 0)), Err(NoRoom));
        assert_eq!((store.waiting(METER), octets(&store.fetch(METER))), (2, vec![1, 3]));
        assert_eq!((store.fetch(METER).len(), octets(&store.fetch(OTHER))), (0, vec![2]));
    }

    #[test]
    fn a_message_is_dropped_when_it_is_too_old_and_not_before() {
        let mut store = store();
        store.hold(message(HUB, METER, 1, 0)).unwrap();
        store.hold(message(HUB, METER, 2, 1)).unwrap();
        let due = store.next_expiry().unwrap();
        assert_eq!(store.expire(due.plus(-1)), 0);
        assert_eq!(store.expire(due), 1);
        assert_eq!(octets(&store.fetch(METER)), [2]);
        assert_eq!(store.next_expiry(), None);
    }

    #[test]
    fn withdrawing_takes_what_one_sender_sent_and_nothing_of_a_person_at_the_display() {
        let mut store = store();
        store.hold(message(HUB, METER, 1, 0)).unwrap();
        store.hold(message(DISPLAY, METER, 2, 0)).unwrap();
        assert_eq!((store.withdraw(HUB, METER), store.withdraw(HUB, METER)), (1, 0));
        assert_eq!(octets(&store.fetch(METER)), [2]);
    }

    proptest! {
        /// Whatever is done with it, it never holds more than it has room for, and gives each message once at most.
        #[test]
        fn a_store_is_bounded_and_gives_nothing_twice(deeds in proptest::collection::vec((0u8..5, any::<bool>()), 0..200)) {
            let mut store = store();
            let (mut held, mut gone) = (0usize, 0usize);
            for (at, (deed, to)) in (0i64..).step_by(10_000).zip(deeds) {
                let to = if to { METER } else { OTHER };
                match deed {
                    0 | 1 => held += usize::from(store.hold(message(HUB, to, deed, at)).is_ok()),
                    2 => gone += store.fetch(to).len(),
                    3 => gone += store.withdraw(HUB, to),
                    _ => gone += store.expire(Moment::from_millis(at)),
                }
                prop_assert!(store.all().len() <= 3);
                prop_assert_eq!(store.all().len() + gone, held);
            }
        }
    }
}
