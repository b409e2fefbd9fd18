//! Money as a prepayment meter keeps it.

use std::fmt;
use std::ops::{Add, Neg, Sub};

/// Thousandths of a penny. Sums stop at the ends of the range instead of wrapping.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millipence(i64);

impl Millipence {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many thousandths of a penny.
    pub const fn new(millipence: i64) -> Self {
        Self(millipence)
    }

    /// So many pence.
    pub fn pence(pence: u32) -> Self {
        Self(i64::from(pence) * 1000)
    }

    /// Thousandths of a penny.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// As the 32-bit number of COSEM class 112, at its ends where it lies beyond them.
    pub fn to_i32(self) -> i32 {
        i32::try_from(self.0).unwrap_or(if self.0 < 0 { i32::MIN } else { i32::MAX })
    }
}

impl Add for Millipence {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Millipence {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Millipence {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl fmt::Display for Millipence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let pence = self.0.unsigned_abs() / 1000;
        write!(f, "{sign}£{}.{:02}", pence / 100, pence % 100)
    }
}
