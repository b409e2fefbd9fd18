//! Values too long for one APDU, cut into blocks and put together again. Both ends of an association use this.

use thiserror::Error;

use crate::apdu::DataBlock;
use crate::octets::length_size;

/// An encoded value to be sent block by block. Any block can be had again: the far end may ask twice.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    encoded: Vec<u8>,
    /// Octets of value in every block but the last. At least 1.
    chunk: usize,
}

impl Outgoing {
    /// Cuts `encoded` so that block and `overhead` fit `max_pdu` octets; `None` where not one octet would fit.
    pub(crate) fn new(encoded: Vec<u8>, max_pdu: usize, overhead: usize) -> Option<Self> {
        let chunk = max_pdu.checked_sub(overhead + length_size(max_pdu)).filter(|chunk| *chunk > 0)?;
        Some(Self { encoded, chunk })
    }

    /// Block `number`, counted from 1; `None` beyond the last.
    pub(crate) fn block(&self, number: u32) -> Option<DataBlock> {
        let start = usize::try_from(number.checked_sub(1)?).ok()?.checked_mul(self.chunk)?;
        let rest = self.encoded.get(start..).filter(|rest| !rest.is_empty() || number == 1)?;
        let raw = &rest[..rest.len().min(self.chunk)];
        Some(DataBlock { last: raw.len() == rest.len(), number, raw: raw.to_vec() })
    }
}

/// Blocks put together as they arrive.
#[derive(Debug, Clone)]
pub(crate) struct Assembly {
    value: Vec<u8>,
    /// Number of the block that must come next.
    next: u32,
    limit: usize,
}

/// Why a block does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BlockError {
    /// The number is not the next one.
    #[error("block {found}, expected block {expected}")]
    Number {
        /// The number found.
        found: u32,
        /// The number expected.
        expected: u32,
    },
    /// The value grows beyond what this side takes.
    #[error("value longer than {limit} octets; raise the limit if the object is really that big")]
    TooLong {
        /// The limit of this side.
        limit: usize,
    },
}

impl Assembly {
    pub(crate) fn new(limit: usize) -> Self {
        Self { value: Vec::new(), next: 1, limit }
    }

    /// Adds a block. One sent twice is taken once.
    pub(crate) fn add(&mut self, block: &DataBlock) -> Result<(), BlockError> {
        if block.number.checked_add(1) == Some(self.next) && self.next > 1 {
            return Ok(());
        }
        if block.number != self.next {
            return Err(BlockError::Number { found: block.number, expected: self.next });
        }
        if self.value.len() + block.raw.len() > self.limit {
            return Err(BlockError::TooLong { limit: self.limit });
        }
        self.value.extend_from_slice(&block.raw);
        self.next = self.next.saturating_add(1);
        Ok(())
    }

    pub(crate) fn value(&self) -> &[u8] {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_put_together_give_the_value(value in vec(any::<u8>(), 0..600), max in 15usize..300, twice in any::<bool>()) {
            let outgoing = Outgoing::new(value.clone(), max, 10).unwrap();
            let mut assembly = Assembly::new(600);
            for number in 1.. {
                let block = outgoing.block(number).unwrap();
                assembly.add(&block).unwrap();
                if twice {
                    assembly.add(&block).unwrap();
                }
                prop_assert!(block.raw.len() + length_size(block.raw.len()) + 10 <= max);
                if block.last {
                    prop_assert!(outgoing.block(number + 1).is_none());
                    break;
                }
            }
            prop_assert_eq!(assembly.value(), value);
        }
    }

    #[test]
    fn a_block_out_of_turn_or_too_much_is_refused() {
        let block = |number, octets| DataBlock { last: false, number, raw: vec![0; octets] };
        let mut assembly = Assembly::new(10);
        assert_eq!(assembly.add(&block(2, 1)), Err(BlockError::Number { found: 2, expected: 1 }));
        assembly.add(&block(1, 10)).unwrap();
        assert_eq!(assembly.add(&block(2, 1)), Err(BlockError::TooLong { limit: 10 }));
    }
}
