//! Names people give to rigs, Device Models, combinations and the like.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A name: 1 to 64 letters, digits, `-`, `_` or `.`; it is printed, compared and used in file names as it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Why a text is no [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use 1 to 64 letters, digits, `-`, `_` or `.`, beginning with a letter or digit")]
pub struct NameError;

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let begins_well = text.starts_with(|first: char| first.is_ascii_alphanumeric());
        if begins_well && text.len() <= 64 && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(NameError)
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_for_file_names() {
        for good in ["a", "rig-1", "SECURE_L100.v2", "7"] {
            assert_eq!(good.parse::<Name>().map(|name| name.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "-a", "..", "a b", "a/b", "é", &"x".repeat(65)] {
            assert_eq!(bad.parse::<Name>(), Err(NameError), "{bad}");
        }
    }
}
