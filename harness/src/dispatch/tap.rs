//! One tap for every link of a run, from before its folder exists.
//!
//! A rig is proved before the run's first record is written, because that record says what was found. What crosses the links
//! meanwhile belongs to the evidence too: it is held here, and goes into the capture first once there is one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::evidence::Capture;
use crate::link::{Direction, LinkKind, Tap};

/// At most so many octets are held before the run begins; proving a rig takes some ten thousand. What comes after is counted.
const MOST_HELD: usize = 4 << 20;

/// The tap. Clones are the same tap.
#[derive(Debug, Clone, Default)]
pub struct RunTap(Arc<Mutex<State>>);

#[derive(Debug)]
enum State {
    Holding { links: BTreeMap<String, (String, LinkKind)>, frames: VecDeque<Frame>, octets: usize, lost: u64 },
    Writing(Capture),
}

impl Default for State {
    fn default() -> Self {
        Self::Holding { links: BTreeMap::new(), frames: VecDeque::new(), octets: 0, lost: 0 }
    }
}

#[derive(Debug)]
struct Frame {
    link: String,
    direction: Direction,
    at: Timestamp,
    bytes: Vec<u8>,
    note: Option<String>,
}

impl RunTap {
    /// A tap that holds what it hears.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on everything goes into the capture, what was held first. Says how many frames were too many to hold.
    pub fn write_to(&self, capture: Capture) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = std::mem::replace(&mut *state, State::Writing(capture.clone()));
        let State::Holding { links, frames, lost, .. } = held else { return 0 };
        for (name, (url, kind)) in links {
            capture.link(&name, &url, kind);
        }
        for frame in frames {
            capture.frame(&frame.link, frame.direction, frame.at, &frame.bytes, frame.note.as_deref());
        }
        lost
    }
}

impl Tap for RunTap {
    fn link(&self, link: &str, url: &str, kind: LinkKind) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Writing(capture) => capture.link(link, url, kind),
            State::Holding { links, .. } => {
                links.entry(link.to_owned()).or_insert_with(|| (url.to_owned(), kind));
            }
        }
    }

    fn frame(&self, link: &str, direction: Direction, at: Timestamp, bytes: &[u8], note: Option<&str>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Writing(capture) => capture.frame(link, direction, at, bytes, note),
            State::Holding { octets, lost, .. } if *octets + bytes.len() > MOST_HELD => *lost += 1,
            State::Holding { frames, octets, .. } => {
                *octets += bytes.len();
                let (link, note) = (link.to_owned(), note.map(str::to_owned));
                frames.push_back(Frame { link, direction, at, bytes: bytes.to_vec(), note });
            }
        }
    }
}
