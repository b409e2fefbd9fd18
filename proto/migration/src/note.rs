//! Words for people in a file.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use crate::identity::is_printable;

/// Words for people: one line of at most [`Note::LONGEST`] characters, or none.
///
/// A party says what it found in the words of whatever found it, a device among them. Such words must never keep a finding
/// from being told: [`Note::new`] makes any text fit, while reading one (`FromStr`) refuses what does not.
///
/// ```
/// use proto_migration::Note;
/// let reason = Note::new("found firmware\n\t7;  expected 8 ");
/// assert_eq!(&*reason, "found firmware 7; expected 8");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Note(String);

/// Text that is not a note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected one line of at most {} characters, words joined by single spaces; found {length} characters: {found:?}",
    Note::LONGEST
)]
pub struct NoteError {
    found: String,
    length: usize,
}

impl Note {
    /// The most characters it has.
    pub const LONGEST: usize = 2_000;

    /// These words on one line: white space is made one space, what XML cannot hold is U+FFFD, and what is too long ends in
    /// three dots.
    pub fn new(words: &str) -> Self {
        let printable = |c: char| if is_printable(c) { c } else { '\u{FFFD}' };
        let words: Vec<String> =
            words.split_whitespace().map(|word| word.chars().map(printable).collect()).collect();
        let line = words.join(" ");
        if line.chars().count() <= Self::LONGEST {
            return Self(line);
        }
        let kept: String = line.chars().take(Self::LONGEST - 3).collect();
        Self(format!("{}...", kept.trim_end()))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let note = Self::new(text);
        if note.0 == text {
            return Ok(note);
        }
        Err(NoteError { found: text.chars().take(80).collect(), length: text.chars().count() })
    }
}

impl From<&str> for Note {
    fn from(words: &str) -> Self {
        Self::new(words)
    }
}

impl From<String> for Note {
    fn from(words: String) -> Self {
        Self::new(&words)
    }
}

impl Deref for Note {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let note = Note::new(&"ab ".repeat(1_000));
        assert!(note.ends_with("..."), "{note}");
        assert!(note.chars().count() <= Note::LONGEST);
        assert!("a  b".parse::<Note>().is_err() && "a\nb".parse::<Note>().is_err());
    }

    proptest! {
        #[test]
        fn any_words_become_a_note_that_reads_back(words in any::<String>()) {
            let note = Note::new(&words);
            prop_assert_eq!(note.parse::<Note>(), Ok(note));
        }
    }
}
