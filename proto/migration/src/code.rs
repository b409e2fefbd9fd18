//! Why a file is not taken: the reasons in code, their codes and words in `data/codes.toml`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::Text;

/// The codes as they stand in the data.
const DATA: &str = include_str!("../data/codes.toml");

static CODES: LazyLock<Codes> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the data is part of the program; a test reads it")]
    read(DATA).expect("the embedded codes")
});

type Codes = BTreeMap<FileRefusalCode, Known>;

/// A code, what it means, and whether a published source has it.
#[derive(Debug)]
struct Known {
    code: Text,
    words: String,
    verified: bool,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $reason:ident = $key:literal,)+) => {
        /// Why a file is not taken.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FileRefusalCode {
            $($(#[$doc])* $reason,)+
        }

        impl FileRefusalCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$reason,)+];

            /// Its word, which is its key in the data.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$reason => $key,)+
                }
            }
        }
    };
}

reasons! {
    /// The file ends early.
    Cut = "cut",
    /// What was signed is not what arrived.
    Altered = "altered",
    /// It was taken before, or its number was used before.
    Replayed = "replayed",
    /// It is older than what was taken from its writer, or follows what it cannot follow.
    OutOfOrder = "out-of-order",
    /// It is for others.
    NotForUs = "not-for-us",
    /// It is signed under a certificate that is not known.
    UnknownWriter = "unknown-writer",
    /// It is signed by another party than the one it names as its writer.
    WrongWriter = "wrong-writer",
    /// It is of a kind that a party of this role does not write.
    NotTheirs = "not-theirs",
    /// It is not as the schema says.
    Schema = "schema",
    /// It is in another version of the schema.
    Version = "version",
    /// Whole and in order, and nothing that its reader can do anything with now.
    Unexpected = "unexpected",
    /// What lies where files are exchanged, and is none: by its name, or because it is empty or no plain file.
    Foreign = "foreign",
    /// It has more octets than a file has.
    TooLong = "too-long",
    /// The inbox has no room for it.
    Full = "full",
}

impl FileRefusalCode {
    /// The code that is told, such as `LAB-F01`.
    pub fn code(self) -> &'static Text {
        &CODES[&self].code
    }

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        &CODES[&self].words
    }

    /// Whether a published source has the code; else it is the lab's own.
    pub fn is_verified(self) -> bool {
        CODES[&self].verified
    }
}

impl fmt::Display for FileRefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code(), self.meaning())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    code: String,
    words: String,
    verified: bool,
}

/// Every code once, and no other.
fn read(data: &str) -> Result<Codes, String> {
    let mut entries: BTreeMap<String, Entry> = toml::from_str(data).map_err(|error| error.to_string())?;
    let codes = FileRefusalCode::ALL.iter().map(|reason| {
        let Entry { code, words, verified } =
            entries.remove(reason.word()).ok_or_else(|| format!("{} is missing", reason.word()))?;
        let code = code.parse().map_err(|error| format!("{}: {error}", reason.word()))?;
        Ok((*reason, Known { code, words, verified }))
    });
    let codes = codes.collect::<Result<Codes, String>>()?;
    entries.keys().next().map_or(Ok(codes), |strange| Err(format!("{strange} is not known")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_code_of_its_own_and_none_is_verified() {
        let codes = read(DATA).unwrap();
        let told: std::collections::BTreeSet<&Text> = codes.values().map(|known| &known.code).collect();
        assert_eq!(told.len(), FileRefusalCode::ALL.len());
        assert!(FileRefusalCode::ALL.iter().all(|code| code.code().as_str().starts_with("LAB-F")));
        assert!(FileRefusalCode::ALL.iter().all(|code| !code.is_verified()));
        assert_eq!(FileRefusalCode::Cut.to_string(), "LAB-F01 (the file is cut)");
    }

    #[test]
    fn codes_that_are_missing_or_not_known_are_refused() {
        assert_eq!(read(&DATA.replace("[cut]", "[torn]")).unwrap_err(), "cut is missing");
        let more = format!("{DATA}\n[torn]\ncode = \"X\"\nwords = \"\"\nverified = false\n");
        assert_eq!(read(&more).unwrap_err(), "torn is not known");
    }
}
