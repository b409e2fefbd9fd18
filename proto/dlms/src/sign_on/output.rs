//! What a station has to say, in order: octets and events in one queue, so that neither overtakes the other.

use std::collections::VecDeque;

#[derive(Debug)]
enum Item<E> {
    Octets(Vec<u8>),
    Event(E),
}

#[derive(Debug)]
pub(super) struct Output<E>(VecDeque<Item<E>>);

impl<E> Output<E> {
    pub(super) fn new() -> Self {
        Self(VecDeque::new())
    }

    pub(super) fn send(&mut self, octets: &[u8]) {
        self.0.push_back(Item::Octets(octets.to_vec()));
    }

    pub(super) fn tell(&mut self, event: E) {
        self.0.push_back(Item::Event(event));
    }

    pub(super) fn octets(&mut self) -> Option<Vec<u8>> {
        match self.0.pop_front() {
            Some(Item::Octets(octets)) => Some(octets),
            Some(event) => {
                self.0.push_front(event);
                None
            }
            None => None,
        }
    }

    pub(super) fn event(&mut self) -> Option<E> {
        match self.0.pop_front() {
            Some(Item::Event(event)) => Some(event),
            Some(octets) => {
                self.0.push_front(octets);
                None
            }
            None => None,
        }
    }
}
