//! Files people write, read once, with every complaint naming its place.
//!
//! A lab file, a Device Model or a script is a [`Document`]: a name and a text. [`Document::root`] gives a [`Table`] that is
//! asked for the keys it may hold; whatever was never asked for is refused by [`Table::finish`], with the nearest known key as
//! advice. Every refusal is a [`FileError`]: file, line, column, what was found, what was expected, what to do.

mod error;
mod item;
mod table;

pub use error::FileError;
pub use item::Item;
pub use table::{Entries, Table};

use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use toml::de::DeTable;

/// The longest file that is read: a lab or a script is a few kilobytes, and a wrong path must not fill the memory.
pub const LONGEST_DOCUMENT: u64 = 4 * 1024 * 1024;

/// A file as it was read: its name as people know it, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    name: String,
    text: String,
}

impl Document {
    /// A document of this name and text; the name is what errors print.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`FileError`] naming the file when it cannot be read, is not UTF-8, or is longer than [`LONGEST_DOCUMENT`].
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let name = path.display().to_string();
        let refused = |found: String, expected: &str, advice: &str| {
            FileError::whole_file(&name, found, expected, advice)
        };
        let bytes = read_bounded(path).map_err(|error| {
            let advice = "check the path and its permissions";
            refused(error.to_string(), "a readable file", advice)
        })?;
        if bytes.len() as u64 > LONGEST_DOCUMENT {
            let advice = "check that the path names the file you meant";
            return Err(refused("a longer file".into(), "a file of at most 4 MiB", advice));
        }
        let text = String::from_utf8(bytes)
            .map_err(|error| refused(error.to_string(), "text in UTF-8", "save the file as UTF-8"))?;
        Ok(Self::new(name, text))
    }

    /// The name errors print.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text as read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the bytes as read.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.text.as_bytes()).into()
    }

    /// Parses the text as TOML and hands its root table to `read`, then refuses keys `read` never asked for.
    ///
    /// # Errors
    /// The first complaint: of the TOML syntax, of `read`, or of an unknown key.
    pub fn root<T>(&self, read: impl FnOnce(&mut Table<'_>) -> Result<T, FileError>) -> Result<T, FileError> {
        let parsed = DeTable::parse(&self.text).map_err(|error| self.syntax(&error))?;
        let mut table = Table::new(self, parsed.get_ref(), 0..0);
        let value = read(&mut table)?;
        table.finish()?;
        Ok(value)
    }

    /// A complaint about this span of the text.
    pub fn error(
        &self,
        span: Range<usize>,
        found: impl Into<String>,
        expected: impl Into<String>,
        advice: impl Into<String>,
    ) -> FileError {
        let (line, column) = self.place(span.start);
        FileError {
            file: self.name.clone(),
            line,
            column,
            found: found.into(),
            expected: expected.into(),
            advice: advice.into(),
        }
    }

    /// Line and column, both from 1, the column counted in characters.
    pub(crate) fn place(&self, offset: usize) -> (usize, usize) {
        let before: &str = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }

    fn syntax(&self, error: &toml::de::Error) -> FileError {
        let span = error.span().unwrap_or(0..0);
        let text = self.text.get(span.clone()).unwrap_or_default();
        let found = match text {
            "" => "something that is not TOML".to_owned(),
            text => format!("`{}`", text.escape_debug().take(40).collect::<String>()),
        };
        self.error(
            span,
            found,
            error.message(),
            "correct the TOML at this place; strings need quotes, tables need [brackets]",
        )
    }
}

/// The file's bytes, one more than allowed at most, so that an endless file (a device, a pipe) ends too.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST_DOCUMENT + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
