//! The one reader of a run's files.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proto_lab::record::{Body, Record};
use tokio::sync::watch;

use super::recent::Recents;
use super::tail::Tail;
use super::{Edge, Fault, Track, unpoisoned};
use crate::evidence::RunFolder;
use crate::evidence::checkpoint::Checkpoint;
use crate::evidence::note::Note;

/// The shortest and the longest rest between two looks at a run that is being written: a step is with a watcher well within a
/// tenth of a second.
const POLL: (Duration, Duration) = (Duration::from_millis(40), Duration::from_millis(80));
/// Watchers who may be given something in a second, while that leaves the shortest rest: more of them wait the longer, and the
/// run they watch has no more to do for a hundred than for fifty.
const GIVEN: u32 = 1250;
/// How often one that has ended is looked at, and any is looked back on, for changes that should not be.
const SELDOM: Duration = Duration::from_secs(1);

/// What reads the files; it lives on a thread for what may wait.
#[derive(Debug)]
pub(super) struct Follower {
    records: Tail,
    notes: Tail,
    recent: Arc<Recents>,
    last_record: bool,
    last_note: bool,
    looked_back: Instant,
}

impl Follower {
    pub(super) fn new(folder: &RunFolder, recent: Arc<Recents>) -> Self {
        let tail = |track| Tail::new(track, folder);
        let (records, notes) = (tail(Track::Records), tail(Track::Notes));
        Self { records, notes, recent, last_record: false, last_note: false, looked_back: Instant::now() }
    }

    /// Reads on, and tells how far, until there is a fault.
    pub(super) async fn follow(mut self, edge: watch::Sender<Edge>) {
        loop {
            let looked = tokio::task::spawn_blocking(move || {
                let fault = self.look().err();
                (self, fault)
            });
            // Only a panic or the end of the runtime breaks this off.
            let Ok((back, fault)) = looked.await else { return };
            self = back;
            let now = self.edge(fault);
            let (is_over, ended) = (now.fault.is_some(), now.ended());
            edge.send_if_modified(|before| {
                let changed = *before != now;
                *before = now;
                changed
            });
            if is_over {
                return;
            }
            tokio::time::sleep(if ended { SELDOM } else { rest(edge.receiver_count()) }).await;
        }
    }

    /// Reads what is new. Checkpoints are read first: the records they sign for were written before them.
    fn look(&mut self) -> Result<(), Fault> {
        while let Some(chunk) = self.notes.poll()? {
            self.last_note = is_final(&chunk.octets);
            unpoisoned(self.recent.of(Track::Notes)).push(Arc::new(chunk));
        }
        while let Some(chunk) = self.records.poll()? {
            let last = chunk.octets.split_inclusive(|o| *o == b'\n').next_back().unwrap_or_default();
            // A line that is no record goes out as it is: whoever hashes the lines must see it.
            self.last_record = Record::from_line(last).is_ok_and(|record| is_last(&record));
            unpoisoned(self.recent.of(Track::Records)).push(Arc::new(chunk));
        }
        self.look_back()
    }

    /// Now and then, whether what everybody was sent still stands there.
    fn look_back(&mut self) -> Result<(), Fault> {
        if self.looked_back.elapsed() < SELDOM {
            return Ok(());
        }
        self.looked_back = Instant::now();
        self.records.look_back()?;
        self.notes.look_back()
    }

    fn edge(&self, fault: Option<Fault>) -> Edge {
        let (records, notes) = (self.records.at, self.notes.at);
        let (last_record, last_note) = (self.last_record, self.last_note);
        Edge { looked: true, records, notes, last_record, last_note, fault }
    }
}

/// How long to rest before the next look, for so many watchers.
fn rest(watchers: usize) -> Duration {
    let watchers = u32::try_from(watchers).unwrap_or(u32::MAX);
    (Duration::from_secs(1) / GIVEN).saturating_mul(watchers).clamp(POLL.0, POLL.1)
}

/// Whether a run or a book ends with this record.
const fn is_last(record: &Record) -> bool {
    matches!(record.body, Body::RunFinished(_) | Body::BookClosed(_))
}

/// Whether the last of these notes is the final checkpoint.
fn is_final(notes: &[u8]) -> bool {
    let mut rest = std::str::from_utf8(notes).unwrap_or_default();
    let mut last = false;
    while let Ok((note, after)) = Note::take(rest) {
        last = Checkpoint::from_text(note.text).is_some_and(|checkpoint| checkpoint.is_final);
        rest = after;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_watchers_wait_a_little_longer_and_never_a_tenth_of_a_second() {
        let rests = [0, 1, 50, 75, 100, 101, 512, usize::MAX].map(|watchers| rest(watchers).as_millis());
        assert_eq!(rests, [40, 40, 40, 60, 80, 80, 80, 80]);
    }
}
