//! One complaint about a file.

/// Why a file was refused: where, what was found, what was expected, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: found {found}, expected {expected}\n  advice: {advice}", place(file, *line, *column))]
pub struct FileError {
    /// The file as the reader named it.
    pub file: String,
    /// Line, from 1; 0 when the complaint is of the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0 when the complaint is of the file as a whole.
    pub column: usize,
    /// What stands there.
    pub found: String,
    /// What should stand there.
    pub expected: String,
    /// What the reader of this error does next.
    pub advice: String,
}

/// The place of a complaint; of the file as a whole, the file.
fn place(file: &str, line: usize, column: usize) -> String {
    match line {
        0 => file.to_owned(),
        _ => format!("{file}:{line}:{column}"),
    }
}

impl FileError {
    /// A complaint about a file that has no place inside it, such as a file that cannot be opened.
    pub fn whole_file(
        file: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
            found: found.into(),
            expected: expected.into(),
            advice: advice.into(),
        }
    }
}
