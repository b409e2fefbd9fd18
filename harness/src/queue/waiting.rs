//! Plans waiting for their rigs.

use std::collections::{BTreeSet, VecDeque};

use lab_config::Name;

/// At most so many plans wait; a scheduler who queues more has made a mistake.
const MOST: usize = 10_000;

/// Plans, or whatever stands for them, each waiting for the rig it is for. First come, first served for each rig.
#[derive(Debug, Clone)]
pub struct Queue<T> {
    waiting: VecDeque<(Name, T)>,
    held: BTreeSet<Name>,
}

/// The queue takes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue holds {MOST} runs already; wait for some to end")]
pub struct Full;

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), held: BTreeSet::new() }
    }
}

impl<T> Queue<T> {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts something at the end of the queue for its rig.
    ///
    /// # Errors
    /// [`Full`]; the queue is as it was.
    pub fn join(&mut self, rig: Name, entry: T) -> Result<(), Full> {
        if self.waiting.len() >= MOST {
            return Err(Full);
        }
        self.waiting.push_back((rig, entry));
        Ok(())
    }

    /// Takes the first entry whose rig is free, and holds that rig.
    pub fn take(&mut self) -> Option<(Name, T)> {
        let place = self.waiting.iter().position(|(rig, _)| !self.held.contains(rig))?;
        let (rig, entry) = self.waiting.remove(place)?;
        self.held.insert(rig.clone());
        Some((rig, entry))
    }

    /// The rig is free again.
    pub fn give_back(&mut self, rig: &Name) {
        self.held.remove(rig);
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rig(number: u8) -> Name {
        format!("rig-{number}").parse().expect("a name")
    }

    #[test]
    fn a_rig_is_held_by_one_entry_until_it_is_given_back() {
        let mut queue = Queue::new();
        for (number, entry) in [(1, "a"), (1, "b"), (2, "c")] {
            queue.join(rig(number), entry).expect("room");
        }
        assert_eq!(queue.take(), Some((rig(1), "a")));
        assert_eq!(queue.take(), Some((rig(2), "c")));
        assert_eq!(queue.take(), None);
        queue.give_back(&rig(1));
        assert_eq!(queue.take(), Some((rig(1), "b")));
        assert!(queue.is_empty());
    }

    proptest! {
        /// Whatever joins, leaves and ends in whatever order: no rig is held twice, and for each rig the order is kept.
        #[test]
        fn each_rig_serves_in_order_and_one_at_a_time(moves in prop::collection::vec((0_u8..3, 0_u8..4), 0..60)) {
            let mut queue = Queue::new();
            let (mut next, mut held, mut served) = (0_u32, BTreeSet::new(), [Vec::new(), Vec::new(), Vec::new(), Vec::new()]);
            for (what, number) in moves {
                match what {
                    0 => { queue.join(rig(number), next).expect("room"); next += 1; }
                    1 => if let Some((name, entry)) = queue.take() {
                        prop_assert!(held.insert(name.clone()));
                        let place = usize::from(name.as_str().as_bytes()[4] - b'0');
                        served[place].push(entry);
                    },
                    _ => { queue.give_back(&rig(number)); held.remove(&rig(number)); }
                }
            }
            for entries in served {
                prop_assert!(entries.is_sorted());
            }
        }
    }
}
