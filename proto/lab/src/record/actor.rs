//! Who acts on a lab: a person or a program, in one role, known by a credential.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Digest;

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// The name of a person or a program, as the lab's authority or its sign-in knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ActorName(String);

impl ActorName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text cannot name anybody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} names nobody: expected 1 to {LONGEST_NAME} characters, none of them a control character, no space at either end"
)]
pub struct ActorNameError {
    /// The text as it was, cut to 120 characters.
    pub found: String,
}

impl FromStr for ActorName {
    type Err = ActorNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = text.chars().count();
        let fits = (1..=LONGEST_NAME).contains(&length) && text.trim() == text;
        match fits && !text.chars().any(char::is_control) {
            true => Ok(Self(text.to_owned())),
            false => Err(ActorNameError { found: text.chars().take(120).collect() }),
        }
    }
}

impl TryFrom<String> for ActorName {
    type Error = ActorNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ActorName> for String {
    fn from(name: ActorName) -> Self {
        name.0
    }
}

impl fmt::Display for ActorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What somebody is to the lab. A credential carries exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs the lab: may do everything but witness.
    Engineer,
    /// Watches runs and cosigns what was recorded of them; has no way to act on one (13.17).
    Witness,
    /// Puts runs into the queue and takes them out again.
    Scheduler,
    /// A screen on a wall: watches, and nothing else.
    Board,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Engineer, Self::Witness, Self::Scheduler, Self::Board];

    /// The role as records and certificates name it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Engineer => "engineer",
            Self::Witness => "witness",
            Self::Scheduler => "scheduler",
            Self::Board => "board",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// No role has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is no role: expected engineer, witness, scheduler or board")]
pub struct UnknownRole {
    /// The text as it was, cut to 40 characters.
    pub found: String,
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|role| role.word() == text);
        known.ok_or_else(|| UnknownRole { found: text.chars().take(40).collect() })
    }
}

/// What somebody was known by when they acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// A certificate of the lab's authority: SHA-256 over its DER.
    Certificate(Digest),
    /// A password at the lab's sign-in.
    SignIn,
    /// The account on the controller's own machine that runs the program.
    CommandLine,
    /// None: the controller was told to ask for none on loopback.
    Loopback,
}

/// Somebody who acts, or tries to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Actor {
    /// Who.
    pub name: ActorName,
    /// As what.
    pub role: Role,
    /// Known by what.
    pub credential: Credential,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.role)
    }
}
