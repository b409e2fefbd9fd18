//! Reading and writing the octets every codec here is made of.
//!
//! A length read from the wire is only ever compared with what has arrived; it never reserves memory.

use thiserror::Error;

/// Why octets could not be read as what they should be.
///
/// `at` counts from the first octet of the message handed to the decoder.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("octet {at}, {part}: {fault}")]
pub struct DecodeError {
    /// Offset of the octet where reading stopped.
    pub at: usize,
    /// The part of the message being read.
    pub part: &'static str,
    /// What was wrong there.
    pub fault: Fault,
}

/// What was wrong at the place a [`DecodeError`] names.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The message ends before the part does.
    #[error("needs {needed} octets, {left} left; the message was cut short or its length is wrong")]
    Truncated {
        /// Octets the part needs.
        needed: usize,
        /// Octets there were.
        left: usize,
    },
    /// An octet has a value the standard gives no meaning here.
    #[error("found {found:02X}, expected {expected}")]
    Unexpected {
        /// The octet found.
        found: u8,
        /// What the standard allows.
        expected: &'static str,
    },
    /// Octets remain after the end of the message.
    #[error("{left} octets left over after the end of the message")]
    Trailing {
        /// Octets left over.
        left: usize,
    },
    /// A value nests or repeats beyond the limit of this decoder.
    #[error("more than {limit} {of}; refused to protect memory")]
    Limit {
        /// The limit.
        limit: usize,
        /// What it counts.
        of: &'static str,
    },
    /// Text that is not valid UTF-8.
    #[error("not valid UTF-8")]
    NotUtf8,
}

/// A place in received octets. Every read either advances or says what was missing.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
    /// Where `octets` begins in the whole message, so that errors in nested parts name the outer offset.
    base: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self { octets, at: 0, base: 0 }
    }

    /// Offset of the next octet in the whole message.
    pub(crate) fn offset(&self) -> usize {
        self.base + self.at
    }

    pub(crate) fn left(&self) -> usize {
        self.octets.len() - self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.left() == 0
    }

    pub(crate) fn error(&self, part: &'static str, fault: Fault) -> DecodeError {
        DecodeError { at: self.offset(), part, fault }
    }

    /// The error for an octet just read that has no meaning here.
    pub(crate) fn unexpected(&self, part: &'static str, found: u8, expected: &'static str) -> DecodeError {
        DecodeError {
            at: self.offset().saturating_sub(1),
            part,
            fault: Fault::Unexpected { found, expected },
        }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    pub(crate) fn take(&mut self, count: usize, part: &'static str) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.octets.len());
        let Some(end) = end else {
            return Err(self.error(part, Fault::Truncated { needed: count, left: self.left() }));
        };
        let taken = &self.octets[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// A reader over the next `count` octets, which this one then skips.
    pub(crate) fn part(&mut self, count: usize, part: &'static str) -> Result<Reader<'a>, DecodeError> {
        let base = self.offset();
        Ok(Reader { octets: self.take(count, part)?, at: 0, base })
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = &self.octets[self.at..];
        self.at = self.octets.len();
        rest
    }

    pub(crate) fn array<const N: usize>(&mut self, part: &'static str) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, part)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self, part: &'static str) -> Result<u8, DecodeError> {
        Ok(self.array::<1>(part)?[0])
    }

    pub(crate) fn u16(&mut self, part: &'static str) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array(part)?))
    }

    pub(crate) fn u32(&mut self, part: &'static str) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array(part)?))
    }

    /// A flag octet: 00 is false; anything else is true, as A-XDR has it.
    pub(crate) fn flag(&mut self, part: &'static str) -> Result<bool, DecodeError> {
        Ok(self.u8(part)? != 0)
    }

    /// A length in the form A-XDR and BER share: one octet below 80, else 80 + n and n octets.
    pub(crate) fn length(&mut self, part: &'static str) -> Result<usize, DecodeError> {
        let first = self.u8(part)?;
        match first {
            0..=0x7F => Ok(usize::from(first)),
            0x81..=0x84 => {
                let octets = self.take(usize::from(first & 0x0F), part)?;
                Ok(octets.iter().fold(0, |length, octet| (length << 8) | usize::from(*octet)))
            }
            _ => Err(self.unexpected(part, first, "a length of 00 to 7F, or 81 to 84 with that many octets")),
        }
    }

    /// An octet string: its length, then its octets.
    pub(crate) fn string(&mut self, part: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.length(part)?;
        self.take(length, part)
    }

    /// Checks that nothing is left.
    pub(crate) fn finish(&self, part: &'static str) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { Err(self.error(part, Fault::Trailing { left: self.left() })) }
    }
}

/// Appends a length in the shortest form.
pub(crate) fn put_length(out: &mut Vec<u8>, length: usize) {
    let octets = length.to_be_bytes();
    match length {
        0..=0x7F => out.push(octets[octets.len() - 1]),
        _ => {
            let first = octets.iter().position(|octet| *octet != 0).unwrap_or(octets.len() - 1);
            let count = octets.len() - first;
            out.push(0x80 | u8::try_from(count).unwrap_or(0x08));
            out.extend_from_slice(&octets[first..]);
        }
    }
}

/// Appends an octet string with its length.
pub(crate) fn put_string(out: &mut Vec<u8>, octets: &[u8]) {
    put_length(out, octets.len());
    out.extend_from_slice(octets);
}

/// How many octets [`put_length`] writes.
pub(crate) fn length_size(length: usize) -> usize {
    match length {
        0..=0x7F => 1,
        0x80..=0xFF => 2,
        0x100..=0xFFFF => 3,
        0x1_0000..=0xFF_FFFF => 4,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lengths_round_trip(length in 0usize..0x200_0000) {
            let mut out = Vec::new();
            put_length(&mut out, length);
            prop_assert_eq!(out.len(), length_size(length));
            prop_assert_eq!(Reader::new(&out).length("length"), Ok(length));
        }
    }

    #[test]
    fn an_error_in_a_nested_part_names_the_outer_offset() {
        let mut outer = Reader::new(&[0xAA, 0xBB, 0x01]);
        outer.take(2, "header").unwrap();
        let mut inner = outer.part(1, "body").unwrap();
        let error = inner.u32("count").unwrap_err();
        assert_eq!(
            error.to_string(),
            "octet 2, count: needs 4 octets, 1 left; the message was cut short or its length is wrong"
        );
    }
}
