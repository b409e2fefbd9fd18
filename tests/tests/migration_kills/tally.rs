//! What was killed at which step, and where the installations were then.

use std::collections::BTreeMap;
use std::fmt;

use crate::bench::{Side, Victim};

/// Counts by what was killed and by the step an installation was at.
#[derive(Default)]
pub(crate) struct Tally(BTreeMap<(String, String), [usize; 3]>);

impl Tally {
    /// A kill: where each installation stood, and on which side it is after recovery.
    pub(crate) fn count(&mut self, victim: Victim, twice: bool, stood: &[String], are: &[Side]) {
        let again = if twice { ", and of its recovery" } else { "" };
        for (stood, is) in stood.iter().zip(are) {
            let counts = self.0.entry((format!("{}{again}", victim.word()), stood.clone())).or_default();
            counts[*is as usize] += 1;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |[victim, step, smso, dcc, without]: [&dyn fmt::Display; 5]| {
            writeln!(f, "{victim:<48} {step:<22} {smso:>9} {dcc:>9} {without:>12}")
        };
        row([&"kill of", &"last in the journal", &"with SMSO", &"migrated", &"without gas"])?;
        for ((victim, step), [smso, dcc, without]) in &self.0 {
            row([victim, step, smso, dcc, without])?;
        }
        let total = |side: Side| self.0.values().map(|counts| counts[side as usize]).sum::<usize>();
        let [smso, dcc, without] = [Side::Smso, Side::Dcc, Side::DccWithoutGas].map(total);
        row([&"installations in all", &"", &smso, &dcc, &without])
    }
}
