//! Quantities with their units.

use std::fmt;

macro_rules! quantity {
    ($(#[$about:meta])* $name:ident, $unit:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{} {}", self.0, $unit)
            }
        }
    };
}

quantity!(
    /// Active energy.
    WattHours, "Wh"
);
quantity!(
    /// Reactive energy.
    VarHours, "varh"
);
quantity!(
    /// Volume of gas; a litre is a cubic decimetre.
    Litres, "dm3"
);

/// Money in thousandths of a penny; negative is owed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millipence(pub i64);

impl fmt::Display for Millipence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (pence, rest) = (self.0.unsigned_abs() / 1000, self.0.unsigned_abs() % 1000);
        match rest {
            0 => write!(f, "{sign}{pence} p"),
            rest => write!(f, "{sign}{pence}.{} p", format!("{rest:03}").trim_end_matches('0')),
        }
    }
}
