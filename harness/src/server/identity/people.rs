//! The people of a lab: who may sign in, in which role, and whose cosignatures count.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use proto_lab::record::{ActorName, Role};
use serde::{Deserialize, Serialize};

use crate::evidence::CosignerKey;
use crate::server::pki::PkiError;
use crate::server::pki::files::{self, Readers};

/// Shortest and longest password, in characters: long enough to be guessed by nobody, short enough to be hashed at once.
const PASSWORD: std::ops::RangeInclusive<usize> = 12..=200;
/// At most so many people; more is no file of people.
const MOST: usize = 10_000;

/// Somebody the lab knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Person {
    /// Their name.
    pub name: ActorName,
    /// Their role.
    pub role: Role,
    /// Their password as an argon2id hash (RFC 9106); without one they do not sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// The keys their cosignatures are made with, `name+hash+base64`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    cosigner_keys: Vec<String>,
}

/// Why people cannot be read, added or removed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The file cannot be read or written, or others can read it.
    #[error(transparent)]
    File(#[from] PkiError),
    /// The file holds something else than people.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        reason: String,
    },
    /// Somebody of this name is there.
    #[error("{0} is among the people already: remove them first")]
    There(ActorName),
    /// Nobody of this name is there.
    #[error("{0} is not among the people: `harness people list` names them")]
    NotThere(ActorName),
    /// A password must be long enough.
    #[error("a password of {found} characters: expected {} to {}", PASSWORD.start(), PASSWORD.end())]
    Password {
        /// Its length.
        found: usize,
    },
    /// Somebody without a password and without a key can do nothing.
    #[error("{0} would have neither a password to sign in with nor a key to cosign with: give one of them")]
    Nothing(ActorName),
    /// Only a witness cosigns.
    #[error("{0} is no witness: only a witness's cosignatures count")]
    NoWitness(ActorName),
    /// The password could not be hashed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

impl Person {
    /// Somebody new.
    ///
    /// # Errors
    /// [`PeopleError::Password`], [`PeopleError::Nothing`], [`PeopleError::NoWitness`], [`PeopleError::Hash`].
    pub fn new(
        name: ActorName,
        role: Role,
        password: Option<&str>,
        keys: &[CosignerKey],
    ) -> Result<Self, PeopleError> {
        if password.is_none() && keys.is_empty() {
            return Err(PeopleError::Nothing(name));
        }
        if !keys.is_empty() && role != Role::Witness {
            return Err(PeopleError::NoWitness(name));
        }
        let password = password.map(hash).transpose()?;
        Ok(Self { name, role, password, cosigner_keys: keys.iter().map(ToString::to_string).collect() })
    }

    /// Whether they can sign in.
    pub const fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// The keys their cosignatures are made with. One that cannot be read was refused when the file was.
    pub fn cosigner_keys(&self) -> Vec<CosignerKey> {
        self.cosigner_keys.iter().filter_map(|key| key.parse().ok()).collect()
    }
}

/// Argon2id with the least that RFC 9106 and OWASP recommend for sign-ins: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

fn hash(password: &str) -> Result<String, PeopleError> {
    let found = password.chars().count();
    if !PASSWORD.contains(&found) {
        return Err(PeopleError::Password { found });
    }
    let wrong = |e: argon2::password_hash::Error| PeopleError::Hash(e.to_string());
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).map_err(wrong)?;
    Ok(argon2().hash_password(password.as_bytes(), &salt).map_err(wrong)?.to_string())
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    person: Vec<Person>,
}

/// Everybody a lab knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    people: BTreeMap<ActorName, Person>,
}

impl People {
    /// Reads a file of people; one that is not there has none.
    ///
    /// # Errors
    /// [`PeopleError::File`], [`PeopleError::Content`].
    pub fn read(path: &Path) -> Result<Self, PeopleError> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = files::read_private(path)?;
        Self::parse(&text).map_err(|reason| PeopleError::Content { path: path.to_owned(), reason })
    }

    /// Reads the text of such a file.
    ///
    /// # Errors
    /// What was found and what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: Document = toml::from_str(text).map_err(|e| e.to_string())?;
        if document.person.len() > MOST {
            return Err(format!("{} people: expected at most {MOST}", document.person.len()));
        }
        let mut people = BTreeMap::new();
        for person in document.person {
            if let Some(Err(e)) = person.password.as_deref().map(PasswordHash::new) {
                return Err(format!("the password of {}: {e}", person.name));
            }
            for key in &person.cosigner_keys {
                key.parse::<CosignerKey>().map_err(|e| format!("a key of {}: {e}", person.name))?;
            }
            if let Some(twice) = people.insert(person.name.clone(), person) {
                return Err(format!("{} is there twice", twice.name));
            }
        }
        Ok(Self { people })
    }

    /// Changes the people of a file, one change at a time: what somebody else changes meanwhile is kept.
    ///
    /// # Errors
    /// [`PeopleError::File`], [`PeopleError::Content`], and those of the change; then the file is as it was.
    pub fn change<T>(
        path: &Path,
        change: impl FnOnce(&mut Self) -> Result<T, PeopleError>,
    ) -> Result<T, PeopleError> {
        let _lock = files::lock_beside(path)?;
        let mut people = Self::read(path)?;
        let changed = change(&mut people)?;
        people.write(path)?;
        Ok(changed)
    }

    /// Writes the file, readable by its owner alone.
    pub(super) fn write(&self, path: &Path) -> Result<(), PeopleError> {
        let document = Document { person: self.people.values().cloned().collect() };
        let text = toml::to_string(&document)
            .map_err(|e| PeopleError::Content { path: path.to_owned(), reason: e.to_string() })?;
        Ok(files::replace(path, &text, Readers::Owner)?)
    }

    /// Adds somebody.
    ///
    /// # Errors
    /// [`PeopleError::There`].
    pub fn add(&mut self, person: Person) -> Result<(), PeopleError> {
        if self.people.contains_key(&person.name) {
            return Err(PeopleError::There(person.name));
        }
        self.people.insert(person.name.clone(), person);
        Ok(())
    }

    /// Removes somebody: their sessions end, and what they cosign counts no more.
    ///
    /// # Errors
    /// [`PeopleError::NotThere`].
    pub fn remove(&mut self, name: &ActorName) -> Result<Person, PeopleError> {
        self.people.remove(name).ok_or_else(|| PeopleError::NotThere(name.clone()))
    }

    /// Everybody, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    /// Has a witness's cosignatures count who is among the people already; their sessions go on. Says whether the key is new.
    ///
    /// # Errors
    /// [`PeopleError::NotThere`], [`PeopleError::NoWitness`].
    pub fn add_key(&mut self, name: &ActorName, key: &CosignerKey) -> Result<bool, PeopleError> {
        let person = self.people.get_mut(name).ok_or_else(|| PeopleError::NotThere(name.clone()))?;
        if person.role != Role::Witness {
            return Err(PeopleError::NoWitness(name.clone()));
        }
        let key = key.to_string();
        let is_new = !person.cosigner_keys.contains(&key);
        if is_new {
            person.cosigner_keys.push(key);
        }
        Ok(is_new)
    }

    /// Whether somebody still has the role they had.
    pub(super) fn has(&self, name: &ActorName, role: Role) -> bool {
        self.people.get(name).is_some_and(|person| person.role == role)
    }

    /// The role of whoever has this name and this password. It takes as long when nobody has the name.
    pub(super) fn signed_in(&self, name: &ActorName, password: &str) -> Option<Role> {
        let person = self.people.get(name);
        let kept = person.and_then(|person| person.password.as_deref()).unwrap_or(NOBODYS);
        let matches = PasswordHash::new(kept)
            .is_ok_and(|kept| argon2().verify_password(password.as_bytes(), &kept).is_ok());
        person.filter(|person| matches && person.password.is_some()).map(|person| person.role)
    }
}

/// A hash nobody's password has been made to give, of the same cost as the others.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The file of people as it is now, read again when it has changed.
#[derive(Debug)]
pub(super) struct PeopleFile {
    path: PathBuf,
    read: Mutex<Option<(Stamp, People)>>,
}

/// By this a change is noticed: when the file was written, and how long it is. A new file is a new inode.
type Stamp = (Option<SystemTime>, u64, u64);

impl PeopleFile {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), read: Mutex::new(None) }
    }

    /// The people. When the file can no longer be read there is nobody.
    pub(super) fn current(&self) -> People {
        let stamp = self.stamp();
        let mut read = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match read.as_ref() {
            Some((at, people)) if *at == stamp => people.clone(),
            _ => {
                let people = People::read(&self.path).unwrap_or_else(|error| {
                    tracing::error!(%error, "nobody can sign in");
                    People::default()
                });
                *read = Some((stamp, people.clone()));
                people
            }
        }
    }

    fn stamp(&self) -> Stamp {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = std::fs::metadata(&self.path).ok();
        metadata.map_or((None, 0, 0), |m| (m.modified().ok(), m.len(), m.ino()))
    }
}
