//! How far a batch usually goes, and moments on its way.
//!
//! Much of the time of a program passes before its first record and after its last. So most moments are not of time but of
//! what is written: records and captures grow with every file that passes and every octet that crosses a link.

use std::time::Duration;

use crate::bench::Purpose;
use crate::chance::Chance;

/// How long one batch takes, and how many octets of records and captures it writes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Course {
    pub(crate) time: Duration,
    pub(crate) octets: u64,
}

/// What batches usually take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usual {
    pub(crate) keep: Course,
    pub(crate) take_back: Course,
}

/// When a blow falls: when so much is written, and at the latest after that time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) octets: u64,
    pub(crate) at_the_latest: Duration,
}

impl Usual {
    fn of(&self, purpose: Purpose) -> Course {
        let Self { keep, take_back } = *self;
        match purpose {
            Purpose::Keep => keep,
            Purpose::TakeBack | Purpose::Recover => take_back,
            Purpose::Prove => {
                Course { time: keep.time + take_back.time, octets: keep.octets + take_back.octets }
            }
        }
    }

    /// A moment on the way of such a batch: of four, one of time and three of what is written.
    pub(crate) fn moment(&self, chance: &mut Chance, purpose: Purpose) -> Moment {
        let Course { time, octets } = self.of(purpose);
        match chance.below(4) {
            0 => Moment { octets: u64::MAX, at_the_latest: chance.moment(time) },
            _ => Moment { octets: chance.below(octets.max(1)), at_the_latest: time },
        }
    }
}
