//! The time octets take on a serial line, start and stop bits counted, which a pseudo-terminal does not take.
//!
//! Pure, as the line behind it: octets and time in, octets out. What a client sends at another speed than the meter
//! listens at arrives as a receiver at the wrong speed would take it, and the other way round.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::fault::misread;

/// Bits of a character on the line: start, eight of data and stop, or start, seven of data, parity and stop.
const BITS: u64 = 10;
/// Octets on their way at a time; a client that writes more into the line loses it, as with any port.
const MOST: usize = 1 << 16;
/// Octets go out in pieces that take no longer than this, unless one alone does.
const PIECE: Duration = Duration::from_millis(5);

/// A serial line that takes time.
#[derive(Debug)]
pub(super) struct Pace {
    /// What the client has sent, with when the last of each burst has arrived.
    inward: VecDeque<(Instant, Vec<u8>)>,
    /// When the client's side of the line is free again.
    inward_free: Instant,
    /// What the meter has said, at which speed.
    outward: VecDeque<(u32, u8)>,
    /// When the character that is to leave next begins.
    outward_free: Instant,
}

fn character(baud: u32) -> Duration {
    Duration::from_nanos(BITS * 1_000_000_000 / u64::from(baud.max(1)))
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { inward: VecDeque::new(), inward_free: now, outward: VecDeque::new(), outward_free: now }
    }

    /// The client sends octets at its speed; the meter listens at its own.
    pub(super) fn hear(&mut self, octets: &[u8], sent_at: u32, heard_at: u32, now: Instant) {
        let waiting: usize = self.inward.iter().map(|(_, octets)| octets.len()).sum();
        let octets = &octets[..octets.len().min(MOST.saturating_sub(waiting))];
        let count = u32::try_from(octets.len()).unwrap_or(u32::MAX);
        self.inward_free = self.inward_free.max(now) + character(sent_at).saturating_mul(count);
        let heard = if sent_at == heard_at { octets.to_vec() } else { misread(octets, sent_at, heard_at) };
        self.inward.push_back((self.inward_free, heard));
    }

    /// What has arrived at the meter by now.
    pub(super) fn heard(&mut self, now: Instant) -> Option<Vec<u8>> {
        let arrived = self.inward.front().is_some_and(|(at, _)| *at <= now);
        arrived.then(|| self.inward.pop_front()).flatten().map(|(_, octets)| octets)
    }

    /// The meter says octets at its speed.
    pub(super) fn say(&mut self, octets: &[u8], baud: u32, now: Instant) {
        if self.outward.is_empty() {
            self.outward_free = self.outward_free.max(now);
        }
        let room = MOST.saturating_sub(self.outward.len());
        self.outward.extend(octets.iter().take(room).map(|octet| (baud, *octet)));
    }

    /// What has left the meter by now and not been handed over, as a client takes it that listens at `heard_at`.
    pub(super) fn said(&mut self, heard_at: u32, now: Instant) -> Option<Vec<u8>> {
        let &(baud, _) = self.outward.front()?;
        let (mut octets, time) = (Vec::new(), character(baud));
        while self.outward_free + time <= now {
            match self.outward.front() {
                Some((same, octet)) if *same == baud => octets.push(*octet),
                _ => break,
            }
            self.outward.pop_front();
            self.outward_free += time;
        }
        if octets.is_empty() {
            return None;
        }
        Some(if heard_at == baud { octets } else { misread(&octets, baud, heard_at) })
    }

    /// When something arrives, or is to be handed over.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let inward = self.inward.front().map(|(at, _)| *at);
        let outward = self.outward.front().map(|(baud, _)| {
            let time = character(*baud);
            let left = u32::try_from(self.outward.len()).unwrap_or(u32::MAX);
            let all = self.outward_free + time.saturating_mul(left);
            all.min(self.outward_free + PIECE.max(time))
        });
        [inward, outward].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Lets the line run until nothing is on its way; what arrived on both sides, and how long it took.
    fn run(pace: &mut Pace, client: u32, began: Instant) -> (Vec<u8>, Vec<u8>, Duration) {
        let (mut heard, mut said, mut now) = (Vec::new(), Vec::new(), began);
        while let Some(due) = pace.poll_timeout() {
            now = now.max(due);
            heard.extend(std::iter::from_fn(|| pace.heard(now)).flatten());
            said.extend(std::iter::from_fn(|| pace.said(client, now)).flatten());
        }
        (heard, said, now - began)
    }

    #[test]
    fn a_thousand_octets_at_9600_baud_take_as_long_as_on_a_real_line_each_way() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        pace.hear(&[7; 480], 9600, 9600, now);
        pace.hear(&[8; 480], 9600, 9600, now);
        pace.say(&[9; 960], 9600, now);
        let (heard, said, time) = run(&mut pace, 9600, now);
        assert_eq!((heard.len(), said.len()), (960, 960));
        assert!(time >= Duration::from_millis(999) && time <= Duration::from_millis(1001), "{time:?}");
    }

    #[test]
    fn another_speed_is_not_understood() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        pace.hear(b"/?!\r\n", 9600, 300, now);
        pace.say(b"/LAB5", 300, now);
        let (heard, said, _) = run(&mut pace, 9600, now);
        assert_ne!(heard, b"/?!\r\n");
        assert_ne!(said, b"/LAB5");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_early(
            bursts in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 1..50), 0u64..100), 1..10)
        ) {
            let began = Instant::now();
            let (mut pace, mut now) = (Pace::new(began), began);
            for (octets, pause) in &bursts {
                pace.hear(octets, 2400, 2400, now);
                pace.say(octets, 1200, now);
                now += Duration::from_millis(*pause);
            }
            let all: Vec<u8> = bursts.iter().flat_map(|(octets, _)| octets.clone()).collect();
            let (heard, said, time) = run(&mut pace, 1200, began);
            prop_assert_eq!(&heard, &all);
            prop_assert_eq!(&said, &all);
            let least = character(1200) * u32::try_from(all.len()).unwrap();
            prop_assert!(time >= least);
        }
    }
}
