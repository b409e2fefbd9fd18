//! The digests a pack was agreed with.

use std::collections::BTreeMap;
use std::fmt;

use lab_config::{Document, FileError, Name, nearest};
use proto_lab::Digest;

/// What `pack.lock` holds: the digest of each script, and of the pack as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackLock {
    /// SHA-256 over `pack.toml`'s digest and each script's name and digest, by name.
    pub pack: Digest,
    /// SHA-256 of each script's bytes.
    pub scripts: BTreeMap<Name, Digest>,
}

/// A pack that is not what was agreed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// A script's bytes are not the agreed ones.
    #[error(
        "script `{script}` differs from the agreed one: found SHA-256 {found}, expected {expected}\n  \
         advice: restore the agreed script, or agree to the new one and lock the pack again"
    )]
    Differs {
        /// The script.
        script: Name,
        /// The digest found.
        found: Digest,
        /// The digest agreed.
        expected: Digest,
    },
    /// The pack lists a script the lock does not know.
    #[error(
        "script `{script}` was not agreed: found it in pack.toml, expected only those in pack.lock{near}\n  \
         advice: remove it, or agree to it and lock the pack again"
    )]
    NotAgreed {
        /// The script.
        script: Name,
        /// A script of a similar name that was agreed, in words.
        near: String,
    },
    /// The lock knows a script the pack does not list.
    #[error(
        "script `{script}` was agreed: found it in pack.lock, expected it in pack.toml too\n  \
         advice: list it again, or agree to its removal and lock the pack again"
    )]
    Missing {
        /// The script.
        script: Name,
    },
    /// The scripts are the agreed ones, and `pack.toml` is not.
    #[error(
        "pack.toml differs from the agreed one: the pack's digest is {found}, expected {expected}\n  \
         advice: restore pack.toml, or agree to the change and lock the pack again"
    )]
    HeadingDiffers {
        /// The digest found.
        found: Digest,
        /// The digest agreed.
        expected: Digest,
    },
}

impl PackLock {
    /// The lock of a pack with this `pack.toml` and these scripts.
    pub(super) fn of(heading: Digest, scripts: BTreeMap<Name, Digest>) -> Self {
        let mut bytes = heading.as_bytes().to_vec();
        for (name, digest) in &scripts {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.push(0);
            bytes.extend_from_slice(digest.as_bytes());
        }
        Self { pack: Digest::of(&bytes), scripts }
    }

    /// Reads a lock.
    ///
    /// # Errors
    /// [`FileError`] at the first thing that is not as it should be.
    pub fn parse(document: &Document) -> Result<Self, FileError> {
        let meaning = "a SHA-256 digest";
        document.root(|table| {
            let pack = table.required("pack", "the digest of the pack")?.parse(meaning)?;
            let scripts = table.required("scripts", "the digests of the scripts")?;
            let entries = scripts.open("the digests of the scripts by name")?.entries();
            let entry = |(name, digest): (lab_config::Item<'_>, lab_config::Item<'_>)| {
                Ok((name.parse("the name of a script")?, digest.parse(meaning)?))
            };
            Ok(Self { pack, scripts: entries.into_iter().map(entry).collect::<Result<_, FileError>>()? })
        })
    }

    /// Refuses a pack whose digests, `found`, are not those agreed.
    ///
    /// # Errors
    /// [`LockError`] naming what differs.
    pub(super) fn check(&self, found: &Self) -> Result<(), LockError> {
        for (script, digest) in &found.scripts {
            let script = script.clone();
            match self.scripts.get(&script) {
                Some(expected) if expected == digest => {}
                Some(expected) => {
                    return Err(LockError::Differs { script, found: *digest, expected: *expected });
                }
                None => return Err(self.not_agreed(script)),
            }
        }
        if let Some(script) = self.scripts.keys().find(|script| !found.scripts.contains_key(script)) {
            return Err(LockError::Missing { script: script.clone() });
        }
        match self.pack == found.pack {
            true => Ok(()),
            false => Err(LockError::HeadingDiffers { found: found.pack, expected: self.pack }),
        }
    }

    fn not_agreed(&self, script: Name) -> LockError {
        let near = nearest(script.as_str(), self.scripts.keys().map(Name::as_str));
        let near = near.map(|near| format!(", such as `{near}`")).unwrap_or_default();
        LockError::NotAgreed { script, near }
    }
}

/// The lock file as it is written.
impl fmt::Display for PackLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("# What was agreed. Written when the pack is locked; a script that differs from its digest is refused.\n")?;
        writeln!(f, "pack = \"{}\"\n\n[scripts]", self.pack)?;
        for (name, digest) in &self.scripts {
            writeln!(f, "\"{name}\" = \"{digest}\"")?;
        }
        Ok(())
    }
}
