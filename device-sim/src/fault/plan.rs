//! A fault file, or the faults of a command line.

use std::path::Path;

use lab_config::{Document, FileError, Item, Table};

use super::Placed;

/// More faults than this in one file is a mistake.
const MOST: usize = 1000;

/// Faults that are armed when the devices start.
///
/// ```toml
/// seed = 7
/// faults = [
///   "rig-1/ESME/optical: truncate after 12 octets on frame 3",
///   "rig-1/CHF/wan: delay 2s odds 1 in 10",
/// ]
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultPlan {
    /// Fixes what chance does; 0 where none is given.
    pub seed: u64,
    /// The faults, in their order.
    pub faults: Vec<Placed>,
}

impl FaultPlan {
    /// Reads a fault file.
    ///
    /// # Errors
    /// [`FileError`] at the first thing that is not as it should be.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        Self::parse(&Document::read(path)?)
    }

    /// Reads a fault file's text.
    ///
    /// # Errors
    /// As [`FaultPlan::load`].
    pub fn parse(document: &Document) -> Result<Self, FileError> {
        document.root(|table: &mut Table<'_>| {
            let seed = table.read("seed", |item| item.integer(0..=i64::MAX, "a seed"))?.unwrap_or_default();
            let list = table.required("faults", "the faults, each as a text")?;
            let items = list.list("the faults, each as a text")?;
            if items.len() > MOST {
                return Err(list.error(
                    format!("{} faults", items.len()),
                    format!("at most {MOST}"),
                    "use less",
                ));
            }
            let faults = items.iter().map(|item| placed(document, item)).collect::<Result<_, _>>()?;
            Ok(Self { seed, faults })
        })
    }
}

/// A complaint about a fault is of the word in its text.
fn placed(document: &Document, item: &Item<'_>) -> Result<Placed, FileError> {
    let text = item.text("a fault, such as \"ESME/optical: silence for 5s\"")?;
    text.parse().map_err(|error: super::GrammarError| {
        // One for the quotation mark; a text with escapes is only pointed at.
        let from = (item.span().start + error.column).min(item.span().end.saturating_sub(1));
        let advice = "the grammar of faults: cargo doc -p device-sim, module fault";
        document.error(from..item.span().end, error.found, error.expected, advice)
    })
}
