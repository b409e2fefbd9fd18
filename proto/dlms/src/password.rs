//! Low-level security passwords.

use std::fmt;

/// A password. Never shown: its debug form says only that there is one.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Vec<u8>);

impl Password {
    /// A password of these octets, most often 8 ASCII digits or letters.
    pub fn new(octets: impl Into<Vec<u8>>) -> Self {
        Self(octets.into())
    }

    /// The octets, to put into an AARQ.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Whether `candidate` is this password. Takes as long for a wrong first octet as for a wrong last one.
    pub fn matches(&self, candidate: &[u8]) -> bool {
        let differing = self.0.iter().zip(candidate).fold(0, |differing, (a, b)| differing | (a ^ b));
        self.0.len() == candidate.len() && differing == 0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_octets_match() {
        let password = Password::new(*b"12345678");
        assert!(password.matches(b"12345678"));
        assert!(!password.matches(b"12345679"));
        assert!(!password.matches(b"1234567"));
        assert!(!password.matches(b"123456789"));
        assert_eq!(format!("{password:?}"), "Password(redacted)");
    }
}
