//! What files, groups and authorisations are known by.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

/// A text of a file: 1 to 64 printable characters without line ends, no white space around them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(String);

/// The name of a file: safe as the name of one in any folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(String);

/// The authorisation under which an installation is migrated: `MA_<provider>_<EUI-64>_<date>_<time>` (TMAD).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthorisationId(String);

/// A group of installations that are migrated together, one of its kind for its SMSO.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(String);

/// A text that is none, or a name that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {longest} {expected}; found {found:?}, {length} characters")]
pub struct TextError {
    found: String,
    length: usize,
    longest: usize,
    expected: &'static str,
}

/// What a text is made of, so that a reader on the other side cannot have it otherwise.
struct Form {
    longest: usize,
    expected: &'static str,
    fits: fn(&str) -> bool,
}

impl Form {
    const fn text(longest: usize) -> Self {
        let expected = "printable characters, none of them a line end, without white space around them";
        Self { longest, expected, fits: |text| text.trim() == text && text.chars().all(is_printable) }
    }

    /// Names become parts of paths: nothing that leads out of a folder or hides in it.
    const fn name(longest: usize) -> Self {
        let expected =
            "letters and digits of ASCII, '-', '_' and '.', of which the first is a letter or a digit";
        let fits = |text: &str| {
            text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
                && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        };
        Self { longest, expected, fits }
    }

    fn checked(&self, text: &str) -> Result<String, TextError> {
        let length = text.chars().count();
        if (1..=self.longest).contains(&length) && (self.fits)(text) {
            return Ok(text.to_owned());
        }
        let found = text.chars().take(self.longest.min(80)).collect();
        Err(TextError { found, length, longest: self.longest, expected: self.expected })
    }
}

/// Whether a character can stand in a file and be seen: XML has no U+FFFE and U+FFFF.
pub(crate) fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

macro_rules! texts {
    ($($name:ident = $form:ident($longest:literal);)*) => {$(
        impl $name {
            /// The most characters it has.
            pub const LONGEST: usize = $longest;

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                Form::$form(Self::LONGEST).checked(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    )*};
}

texts! {
    Text = text(64);
    FileName = name(96);
    AuthorisationId = name(96);
    GroupId = name(32);
}

impl FileName {
    /// A name put together of parts that are names; a test holds that what comes of the data is one.
    pub(crate) const fn composed(name: String) -> Self {
        Self(name)
    }
}

impl AuthorisationId {
    /// As [`FileName::composed`].
    pub(crate) const fn composed(name: String) -> Self {
        Self(name)
    }
}

/// SHA-256 over the octets of a file as they crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of these octets.
    pub fn of(octets: &[u8]) -> Self {
        Self(sha2::Sha256::digest(octets).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// Text that is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a SHA-256; expected 64 hexadecimal digits in lower case")]
pub struct DigestError {
    found: String,
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        digest(text).ok_or_else(|| DigestError { found: text.chars().take(80).collect() })
    }
}

fn digest(text: &str) -> Option<Digest> {
    let hexadecimal = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut octets = [0; 32];
    for (octet, pair) in octets.iter_mut().zip(text.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    hexadecimal.then_some(Digest(octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_leads_nowhere_but_to_a_file_of_its_folder() {
        for bad in ["", ".", "..", ".hidden", "a/b", "a\\b", "a b", "ä", "a\0", "-rf", &"a".repeat(97)] {
            assert!(bad.parse::<FileName>().is_err(), "{bad:?}");
        }
        let error = "../x".parse::<FileName>().unwrap_err().to_string();
        assert_eq!(
            error,
            "expected 1 to 96 letters and digits of ASCII, '-', '_' and '.', of which the first is a letter or a digit; \
             found \"../x\", 4 characters"
        );
        assert!("MA_90B3D51F30010000_00DB1234567890A0_20261122_103000".parse::<FileName>().is_ok());
    }

    #[test]
    fn a_text_is_seen_whole() {
        for bad in ["", " a", "a ", "a\nb", "a\u{85}b", "\u{FFFF}", &"a".repeat(65)] {
            assert!(bad.parse::<Text>().is_err(), "{bad:?}");
        }
        assert_eq!("Zähler 1.2 <a&b>".parse::<Text>().unwrap().as_str(), "Zähler 1.2 <a&b>");
    }

    proptest! {
        #[test]
        fn a_digest_reads_back(octets: [u8; 32]) {
            let digest = Digest(octets);
            prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
            prop_assert!(digest.to_string().replace('0', "O").parse::<Digest>().is_err() || !digest.to_string().contains('0'));
        }

        #[test]
        fn no_text_breaks_a_parser(text in any::<String>()) {
            let _ = (text.parse::<Text>(), text.parse::<FileName>(), text.parse::<Digest>());
        }
    }
}
