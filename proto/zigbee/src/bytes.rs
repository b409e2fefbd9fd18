//! A cursor over received octets: every read is checked, nothing is allocated ahead of the data.

use crate::ZigbeeError;

/// Reads little-endian fields from a slice and remembers where it is for the error message.
pub(crate) struct Reader<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        let rest = self.all.get(self.at..).unwrap_or_default();
        self.at = self.all.len();
        rest
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at >= self.all.len()
    }

    pub(crate) fn take(&mut self, what: &'static str, needed: usize) -> Result<&'a [u8], ZigbeeError> {
        let left = self.all.len().saturating_sub(self.at);
        let end = self.at.saturating_add(needed);
        let Some(slice) = self.all.get(self.at..end) else {
            return Err(ZigbeeError::Short { what, offset: self.at, needed, left });
        };
        self.at = end;
        Ok(slice)
    }

    /// An unsigned little-endian number of `width` octets (at most 8).
    pub(crate) fn unsigned(&mut self, what: &'static str, width: usize) -> Result<u64, ZigbeeError> {
        Ok(self.take(what, width)?.iter().rev().fold(0, |sum, octet| (sum << 8) | u64::from(*octet)))
    }

    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], ZigbeeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(what, N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, ZigbeeError> {
        Ok(self.take(what, 1)?.first().copied().unwrap_or_default())
    }

    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, ZigbeeError> {
        let octets = self.take(what, 2)?;
        Ok(octets.iter().rev().fold(0, |sum, octet| (sum << 8) | u16::from(*octet)))
    }

    pub(crate) fn finish(self, what: &'static str) -> Result<(), ZigbeeError> {
        match self.all.len().saturating_sub(self.at) {
            0 => Ok(()),
            count => Err(ZigbeeError::Trailing { what, count }),
        }
    }
}

/// Appends the low `width` octets of `value`, low octet first.
pub(crate) fn put(out: &mut Vec<u8>, value: u64, width: usize) {
    out.extend(value.to_le_bytes().into_iter().take(width));
}
