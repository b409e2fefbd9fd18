//! What a station is told to do, and its answer.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Mains, PayloadError, read, write};

/// What tells one command from every other: 1 to 64 letters, digits, `-`, `_` or `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommandId(String);

/// A text that is no [`CommandId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an identifier of a command has 1 to 64 letters, digits, `-`, `_` or `.`")]
pub struct CommandIdError;

impl CommandId {
    /// The identifier of a command by its number among those of whoever has this mark.
    #[must_use]
    pub fn numbered(mark: u64, number: u64) -> Self {
        Self(format!("{mark:016x}-{number}"))
    }
}

impl FromStr for CommandId {
    type Err = CommandIdError;

    fn from_str(text: &str) -> Result<Self, CommandIdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        match (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            true => Ok(Self(text.to_owned())),
            false => Err(CommandIdError),
        }
    }
}

impl TryFrom<String> for CommandId {
    type Error = CommandIdError;

    fn try_from(text: String) -> Result<Self, CommandIdError> {
        text.parse()
    }
}

impl From<CommandId> for String {
    fn from(id: CommandId) -> Self {
        id.0
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Keys pressed together: one to eight, each named by 1 to 16 letters, digits or `-`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Keys(Vec<String>);

/// Names that are no [`Keys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("one to eight keys are pressed together, each named by 1 to 16 letters, digits or `-`")]
pub struct KeysError;

impl Keys {
    /// The names, in the order given.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<Vec<String>> for Keys {
    type Error = KeysError;

    fn try_from(names: Vec<String>) -> Result<Self, KeysError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let named = |name: &String| (1..=16).contains(&name.len()) && name.bytes().all(allowed);
        match (1..=8).contains(&names.len()) && names.iter().all(named) {
            true => Ok(Self(names)),
            false => Err(KeysError),
        }
    }
}

impl From<Keys> for Vec<String> {
    fn from(keys: Keys) -> Self {
        keys.0
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("+"))
    }
}

/// What an actuator is told to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Switch the mains of the device. Doing it twice is doing it once.
    Mains(Mains),
    /// Press keys of the device.
    Press(Keys),
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mains(mains) => write!(f, "mains {mains}"),
            Self::Press(keys) => write!(f, "press {keys}"),
        }
    }
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Which command it is; however often it comes, it is done once.
    pub id: CommandId,
    /// When nobody waits for it any more; a station with a clock refuses it afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// What to do.
    #[serde(flatten)]
    pub deed: Deed,
}

impl Command {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`PayloadError`] for anything that is no command.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        read(payload, r#"a command such as {"id":"7f3a-1","mains":"off"} or {"id":"7f3a-2","press":["A"]}"#)
    }

    /// The payload.
    pub fn to_payload(&self) -> Vec<u8> {
        write(self)
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not done; `detail` says why.
    Refused,
}

/// A station's answer to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The command.
    pub id: CommandId,
    /// How it ended.
    pub outcome: Outcome,
    /// What came of it, or why it was refused, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Acknowledgement {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`PayloadError`] for anything that is no acknowledgement.
    pub fn parse(payload: &[u8]) -> Result<Self, PayloadError> {
        read(payload, r#"an acknowledgement such as {"id":"7f3a-1","outcome":"done"}"#)
    }

    /// The payload.
    pub fn to_payload(&self) -> Vec<u8> {
        write(self)
    }
}
