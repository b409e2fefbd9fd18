//! Checkpoints: what the lab signs at intervals, at script ends, and once more at the very end.
//!
//! The text is a C2SP tlog-checkpoint (origin, tree size, root) with extension lines: `leaves` lists the first
//! [`SHORT_LEAF`] octets of the leaf hash of each record since the checkpoint before, which lets verification name the
//! first wrong record where a root alone only says that one of many is wrong; `final` says that the run ends here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto_lab::Digest;
use proto_lab::record::RunId;

use super::note::KeyName;
use super::tree::SHORT_LEAF;

/// A checkpoint's contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Key name and run, `lab/run`: one key signs many runs, and each is a tree of its own.
    pub origin: String,
    /// Records covered.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Digest,
    /// Short leaf hashes of the records since the checkpoint before.
    pub leaves: Vec<[u8; SHORT_LEAF]>,
    /// Whether the run ends here.
    pub is_final: bool,
}

/// The origin of a run's checkpoints.
pub fn origin(key: &KeyName, run: &RunId) -> String {
    format!("{key}/{run}")
}

/// The short form of a leaf hash.
pub fn short_leaf(leaf: &[u8; 32]) -> [u8; SHORT_LEAF] {
    let mut short = [0; SHORT_LEAF];
    short.copy_from_slice(&leaf[..SHORT_LEAF]);
    short
}

impl Checkpoint {
    /// The text to be signed.
    pub fn to_text(&self) -> String {
        let root = STANDARD.encode(self.root.as_bytes());
        let mut text = format!("{}\n{}\n{root}\n", self.origin, self.size);
        if !self.leaves.is_empty() {
            text.push_str("leaves ");
            text.push_str(&STANDARD.encode(self.leaves.as_flattened()));
            text.push('\n');
        }
        if self.is_final {
            text.push_str("final\n");
        }
        text
    }

    /// Reads a checkpoint's text; absent when it is not exactly what [`Checkpoint::to_text`] writes.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let origin = lines.next()?.to_owned();
        let size = lines.next()?.parse().ok()?;
        let root: [u8; 32] = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let mut checkpoint =
            Self { origin, size, root: Digest::from_bytes(root), leaves: Vec::new(), is_final: false };
        for line in lines {
            match line.strip_prefix("leaves ") {
                Some(encoded) => checkpoint.leaves = short_leaves(encoded)?,
                None => checkpoint.is_final = line == "final",
            }
        }
        (checkpoint.to_text() == text).then_some(checkpoint)
    }
}

fn short_leaves(encoded: &str) -> Option<Vec<[u8; SHORT_LEAF]>> {
    let octets = STANDARD.decode(encoded).ok()?;
    let (leaves, rest) = octets.as_chunks::<SHORT_LEAF>();
    rest.is_empty().then(|| leaves.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "lab/run-1".into(),
            size: 2,
            root: Digest::of(b"x"),
            leaves: vec![[1; 8], [2; 8]],
            is_final: true,
        }
    }

    /// Golden. If this fails, do not change the test: old evidence would no longer verify.
    #[test]
    fn the_text_is_a_tlog_checkpoint_with_extension_lines() {
        assert_eq!(
            checkpoint().to_text(),
            "lab/run-1\n2\nLXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=\nleaves AQEBAQEBAQECAgICAgICAg==\nfinal\n"
        );
    }

    #[test]
    fn only_its_own_spelling_reads_back() {
        let text = checkpoint().to_text();
        assert_eq!(Checkpoint::from_text(&text), Some(checkpoint()));
        for wrong in [
            text.replace("\n2\n", "\n02\n"),
            text.replace("final", "Final"),
            text.replace("leaves", "leafs"),
            format!("{text}final\n"),
            text.trim_end().to_owned(),
        ] {
            assert_eq!(Checkpoint::from_text(&wrong), None, "{wrong}");
        }
    }
}
