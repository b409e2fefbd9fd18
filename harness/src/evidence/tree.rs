//! The RFC 6962 Merkle tree over record lines, grown one leaf at a time.
//!
//! Only the roots of the complete subtrees on the right edge are kept (at most 64), so a run of any length costs the same
//! memory, and a root is at most 64 hashes away.

use proto_lab::Digest;
use sha2::{Digest as _, Sha256};

/// How many octets of each leaf hash a checkpoint lists, to name the first wrong record.
pub const SHORT_LEAF: usize = 8;

/// The tree so far.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Roots of the complete subtrees, largest first; their sizes are the binary digits of `size`.
    edge: Vec<[u8; 32]>,
    size: u64,
}

/// The hash of a leaf, SHA-256 over 0x00 and the octets of the line, line feed included (RFC 6962 section 2.1).
pub fn leaf_hash(line: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(line).finalize().into()
}

/// The hash of an inner node, SHA-256 over 0x01 and its two children (RFC 6962 section 2.1).
fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

impl Tree {
    /// Adds a leaf by its [`leaf_hash`].
    pub fn push(&mut self, leaf: [u8; 32]) {
        let mut hash = leaf;
        // Every trailing one in the old size is a complete subtree that the new leaf completes into a larger one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.edge.push(hash);
        self.size += 1;
    }

    /// How many leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root; of an empty tree, the digest of nothing.
    pub fn root(&self) -> Digest {
        let mut right_to_left = self.edge.iter().rev();
        match right_to_left.next() {
            None => Digest::of(b""),
            Some(last) => {
                Digest::from_bytes(right_to_left.fold(*last, |right, left| node_hash(left, &right)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962 by its definition: split at the largest power of two below the size.
    fn by_definition(leaves: &[[u8; 32]]) -> [u8; 32] {
        match leaves {
            [] => Sha256::digest(b"").into(),
            [one] => *one,
            many => {
                let half = many.len().next_power_of_two() / 2;
                node_hash(&by_definition(&many[..half]), &by_definition(&many[half..]))
            }
        }
    }

    #[test]
    fn grown_and_defined_roots_agree_at_every_size() {
        let mut tree = Tree::default();
        let mut leaves = Vec::new();
        for n in 0..130u32 {
            assert_eq!(tree.root().as_bytes(), &by_definition(&leaves), "size {n}");
            let leaf = leaf_hash(&n.to_be_bytes());
            tree.push(leaf);
            leaves.push(leaf);
        }
    }

    /// Published test vectors of the Certificate Transparency implementations. If this fails, do not change the test.
    #[test]
    fn roots_of_the_published_leaves() {
        let leaves = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let mut tree = Tree::default();
        for leaf in leaves {
            tree.push(leaf_hash(&hex::decode(leaf).unwrap()));
        }
        let root = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";
        assert_eq!(tree.root().to_string(), root);
    }
}
