//! Test packs: ordered scripts whose bytes are those that were agreed.
//!
//! A pack is a folder: `pack.toml`, one `.toml` file per script, and `pack.lock`, which holds the digest of each script and
//! of the pack as the parties agreed it (SVTAD 13.16(a)). Loading a pack refuses any script that differs and says which.
//! A pack that is not a standard one says why (`rationale`) and who agreed to it (20.17), or that nobody did, and then the
//! gate lets no DMCT Report with it be issued:
//!
//! ```toml
//! standard = false
//! rationale = "the combination has no gas meter"
//! agreement = { by = "TAG", on = 2026-11-01, reference = "minutes of the meeting, item 7" }   # or "none"
//! ```
//!
//! Standard packs differ by Capability Release as their Device Models do, and most of their scripts are the same: a pack may
//! take scripts that are not in its own folder from another pack beside it, `scripts-of = "ioc-service-reference-variant"`,
//! or from the first of several that has them. Its own lock still has the digest of every one, so that a script changed there is refused here until it is agreed to
//! here too.
//!
//! A migration pack says what kind of installation its scripts migrate, `installation = "dormant"` where it says nothing:
//! the EPCL entry of the rig's combination for that kind is what a run of it is for.
//!
//! A regression pack has a [`baseline`] beside.
//!
//! The standard packs are shipped inside the program; a folder on disk loads by the same code.

mod baseline;
mod lock;
mod shipped;

use std::path::Path;

use jiff::civil::Date;
use lab_config::{CapabilityRelease, Document, FileError, InstallationType, Item, Name, Table};
pub use lock::{LockError, PackLock};
use proto_lab::Digest;
use proto_lab::record::Baseline;
pub use shipped::shipped_packs;

use crate::Script;

/// The file that describes a pack.
const PACK_FILE: &str = "pack.toml";
/// The file that holds its digests.
const LOCK_FILE: &str = "pack.lock";
/// More scripts than this is a mistake.
const MOST_SCRIPTS: usize = 1000;

/// A pack, whole and as agreed.
#[derive(Debug, Clone, PartialEq)]
pub struct Pack {
    /// Its name.
    pub id: Name,
    /// What it is, in words.
    pub title: String,
    /// Whether it tests migration or Service Reference Variants.
    pub kind: PackKind,
    /// The Capability Release it is for.
    pub release: CapabilityRelease,
    /// The kind of installation that a migration pack migrates; none of other packs, which are for any.
    pub installation: Option<InstallationType>,
    /// Standard, or agreed to be otherwise.
    pub standing: Standing,
    /// Whether the installation must be enrolled before its scripts run.
    pub requires_enrolled: bool,
    /// The test data sets that must be in the devices.
    pub data_sets: Vec<Name>,
    /// Its scripts, in the order they run.
    pub scripts: Vec<Script>,
    /// What it came to when it was agreed, where it is a regression pack.
    pub baseline: Option<Baseline>,
    /// The digests it was checked against.
    pub lock: PackLock,
}

lab_config::vocabulary! {
    /// What a pack tests.
    pub enum PackKind {
        /// A Dormant DMCT Migration Test Pack (SVTAD 20.15).
        Migration = "migration",
        /// A DMCT Service Reference Variant Test Pack (SVTAD 20.16).
        ServiceReferenceVariant = "service-reference-variant",
    }
}

/// Whether a pack is a standard one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// One of the standard packs of its Capability Release (SVTAD 20.15, 20.16).
    Standard,
    /// Another, for a reason, as agreed (SVTAD 20.17).
    NonStandard(NonStandard),
}

/// Why a pack is not a standard one, and who agreed to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonStandard {
    /// Why the standard pack does not serve.
    pub rationale: String,
    /// The agreement to it; absent when nobody agreed, and then its results go into no DMCT Report that may be issued.
    pub agreement: Option<Agreement>,
}

/// An agreement to a DMCT Non-Standard Test Pack (SVTAD 20.17).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Who agreed: the TAG, or the Secretary of State.
    pub by: String,
    /// The day of the agreement.
    pub on: Date,
    /// Where it can be read: minutes, a letter.
    pub reference: String,
}

/// Why a pack cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PackError {
    /// One of its files is not as it should be.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not what was agreed.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// No pack of this name is shipped.
    #[error("no pack `{name}` is shipped; expected one of {known}")]
    NotShipped {
        /// The name asked for.
        name: String,
        /// Those that are.
        known: String,
    },
}

/// Where the files of a pack come from.
pub trait Files {
    /// The file of this name.
    ///
    /// # Errors
    /// [`FileError`] when there is none.
    fn open(&self, name: &str) -> Result<Document, FileError>;

    /// The file of this name in another pack, which is kept in the same place as this one.
    ///
    /// # Errors
    /// [`FileError`] when there is none.
    fn open_of(&self, pack: &Name, name: &str) -> Result<Document, FileError>;
}

/// A folder on disk; other packs are the folders beside it.
impl Files for Path {
    fn open(&self, name: &str) -> Result<Document, FileError> {
        Document::read(&self.join(name))
    }

    fn open_of(&self, pack: &Name, name: &str) -> Result<Document, FileError> {
        let beside = self.parent().unwrap_or(Path::new(".."));
        Document::read(&beside.join(pack.as_str()).join(name))
    }
}

impl Pack {
    /// Loads a pack from a folder and checks it against its lock.
    ///
    /// # Errors
    /// [`PackError`] when a file is wrong, or a script differs from the agreed one.
    pub fn load(folder: &Path) -> Result<Self, PackError> {
        Self::open(folder)
    }

    /// Loads a pack shipped inside the program, by the name of its folder.
    ///
    /// # Errors
    /// [`PackError::NotShipped`] for an unknown name; the shipped packs themselves are sound.
    pub fn shipped(name: &str) -> Result<Self, PackError> {
        let found = shipped_packs().find(|pack| pack.name() == name);
        let pack = found.ok_or_else(|| PackError::NotShipped {
            name: name.to_owned(),
            known: shipped_packs().map(|pack| pack.name()).collect::<Vec<_>>().join(", "),
        })?;
        Self::open(&pack)
    }

    /// Loads a pack from any files and checks it against its lock.
    ///
    /// # Errors
    /// [`PackError`].
    pub fn open<F: Files + ?Sized>(files: &F) -> Result<Self, PackError> {
        let lock = PackLock::parse(&files.open(LOCK_FILE)?)?;
        let unlocked = Unlocked::open(files)?;
        lock.check(&unlocked.lock())?;
        let Unlocked { heading, documents, .. } = unlocked;
        let scripts = documents
            .iter()
            .map(|(id, document)| Script::parse(id.clone(), document))
            .collect::<Result<Vec<_>, FileError>>()?;
        let Heading { id, title, kind, release, installation, standing, .. } = heading;
        let Heading { requires_enrolled, data_sets, baseline, .. } = heading;
        if standing == Standing::Standard {
            scripts.iter().try_for_each(refuse_expected)?;
        }
        Ok(Self {
            id,
            title,
            kind,
            release,
            installation,
            standing,
            requires_enrolled,
            data_sets,
            scripts,
            baseline,
            lock,
        })
    }

    /// Writes `pack.lock` for the files of a folder as they are now, and gives it. Every script must read without fault:
    /// nobody agrees to a broken script.
    ///
    /// # Errors
    /// [`PackError`] when a file is wrong or the lock cannot be written.
    pub fn lock(folder: &Path) -> Result<PackLock, PackError> {
        let unlocked = Unlocked::open(folder)?;
        for (id, document) in &unlocked.documents {
            Script::parse(id.clone(), document)?;
        }
        let lock = unlocked.lock();
        let path = folder.join(LOCK_FILE);
        std::fs::write(&path, lock.to_string()).map_err(|error| {
            let advice = "check the folder's permissions";
            FileError::whole_file(
                path.display().to_string(),
                error.to_string(),
                "a file that can be written",
                advice,
            )
        })?;
        Ok(lock)
    }

    /// The digest of the pack: of `pack.toml` and of every script.
    pub fn digest(&self) -> Digest {
        self.lock.pack
    }

    /// The script of this name.
    pub fn script(&self, id: &str) -> Option<&Script> {
        self.scripts.iter().find(|script| script.id == *id)
    }
}

/// The files of a pack before they are held against a lock.
struct Unlocked {
    heading: Heading,
    heading_digest: Digest,
    documents: Vec<(Name, Document)>,
}

impl Unlocked {
    fn open<F: Files + ?Sized>(files: &F) -> Result<Self, FileError> {
        let document = files.open(PACK_FILE)?;
        let heading = document.root(Heading::read)?;
        let script = |id: &Name| Ok((id.clone(), heading.open_script(files, id)?));
        let documents = heading.scripts.iter().map(script).collect::<Result<Vec<_>, FileError>>()?;
        Ok(Self { heading, heading_digest: Digest::of(document.text().as_bytes()), documents })
    }

    fn lock(&self) -> PackLock {
        let digest = |(id, document): &(Name, Document)| (id.clone(), Digest::of(document.text().as_bytes()));
        PackLock::of(self.heading_digest, self.documents.iter().map(digest).collect())
    }
}

/// What `pack.toml` says.
struct Heading {
    id: Name,
    title: String,
    kind: PackKind,
    release: CapabilityRelease,
    installation: Option<InstallationType>,
    standing: Standing,
    requires_enrolled: bool,
    data_sets: Vec<Name>,
    /// The packs that scripts are taken from which are not in this one's folder, each tried in turn.
    scripts_of: Vec<Name>,
    scripts: Vec<Name>,
    baseline: Option<Baseline>,
}

impl Heading {
    /// The script of this name: the pack's own, or else that of the first other pack that has it.
    fn open_script<F: Files + ?Sized>(&self, files: &F, id: &Name) -> Result<Document, FileError> {
        let name = format!("{id}.toml");
        self.scripts_of
            .iter()
            .fold(files.open(&name), |found, other| found.or_else(|_| files.open_of(other, &name)))
    }

    fn read(table: &mut Table<'_>) -> Result<Self, FileError> {
        let kind = "what the pack tests: migration or service-reference-variant";
        let release = "the Capability Release: IOC, MOC or FOC";
        let enrolled = "whether the installation must be enrolled first";
        let scripts = scripts(&table.required("scripts", "the names of the scripts, in order")?)?;
        let kind = table.required("kind", kind)?.parse(kind)?;
        Ok(Self {
            id: table.required("id", "the pack's name")?.parse("a name")?,
            title: table.text("title", "what the pack is, in words")?,
            kind,
            release: table.required("release", release)?.parse(release)?,
            installation: installation(table, kind)?,
            standing: standing(table)?,
            requires_enrolled: table.required("requires-enrolled", enrolled)?.boolean(enrolled)?,
            data_sets: table.read("data-sets", data_sets)?.unwrap_or_default(),
            scripts_of: table.read("scripts-of", scripts_of)?.unwrap_or_default(),
            baseline: table.read("baseline", |item| baseline::baseline(item, &scripts))?,
            scripts,
        })
    }
}

fn installation(table: &mut Table<'_>, kind: PackKind) -> Result<Option<InstallationType>, FileError> {
    let written = table.optional("installation");
    match (kind, written) {
        (PackKind::Migration, Some(item)) => item.parse("dormant, active or mixed").map(Some),
        (PackKind::Migration, None) => Ok(Some(InstallationType::Dormant)),
        (PackKind::ServiceReferenceVariant, None) => Ok(None),
        (PackKind::ServiceReferenceVariant, Some(item)) => Err(item.error(
            "`installation` of a pack that migrates none",
            "`installation` of a migration pack only",
            "remove it: Service Reference Variants are tested alike on every kind of installation",
        )),
    }
}

fn standing(table: &mut Table<'_>) -> Result<Standing, FileError> {
    let meaning = "whether it is a standard pack";
    if table.required("standard", meaning)?.boolean(meaning)? {
        return Ok(Standing::Standard);
    }
    Ok(Standing::NonStandard(NonStandard {
        rationale: table.text("rationale", "why the standard pack does not serve (20.17)")?,
        agreement: agreement(&table.required("agreement", AGREEMENT)?)?,
    }))
}

const AGREEMENT: &str =
    "who agreed, when, and where that can be read: { by = …, on = …, reference = … }, or \"none\" (20.17)";

/// What a standard pack is there to show is a pass.
fn refuse_expected(script: &Script) -> Result<(), FileError> {
    match &script.expected {
        None => Ok(()),
        Some(expected) => Err(FileError::whole_file(
            format!("{}.toml", script.id),
            format!("an expected verdict, {}", expected.verdict),
            "none in a standard pack: its scripts are there to pass",
            "remove `expected`, or put the script into a pack that is not standard",
        )),
    }
}

fn agreement(item: &Item<'_>) -> Result<Option<Agreement>, FileError> {
    if item.toml().is_some_and(|value| value.is_str()) {
        let advice = "write `agreement = { by = \"TAG\", on = 2026-11-01, reference = \"minutes\" }`";
        return match item.text(AGREEMENT)? {
            "none" => Ok(None),
            _ => Err(item.refuse("`none`, or a table with `by`, `on` and `reference`", advice)),
        };
    }
    item.table(AGREEMENT, |table| {
        Ok(Some(Agreement {
            by: words(&table.required("by", "who agreed: the TAG, or the Secretary of State")?)?,
            on: table.required("on", "the day of the agreement")?.date()?,
            reference: words(&table.required("reference", "where the agreement can be read")?)?,
        }))
    })
}

/// A text that says something.
fn words(item: &Item<'_>) -> Result<String, FileError> {
    match item.text("a text")?.trim() {
        "" => Err(item.refuse("words", "say it, or write `agreement = \"none\"`")),
        text => Ok(text.to_owned()),
    }
}

fn scripts_of(item: &Item<'_>) -> Result<Vec<Name>, FileError> {
    let meaning = "the name of another pack beside this one, or a list of such names";
    match item.toml().is_some_and(|value| value.is_array()) {
        true => item.list(meaning)?.iter().map(|item| item.parse(meaning)).collect(),
        false => Ok(vec![item.parse(meaning)?]),
    }
}

fn data_sets(item: &Item<'_>) -> Result<Vec<Name>, FileError> {
    let meaning = "the names of the test data sets that must be in the devices";
    item.list(meaning)?.iter().map(|item| item.parse("the name of a data set")).collect()
}

fn scripts(item: &Item<'_>) -> Result<Vec<Name>, FileError> {
    let meaning = "the names of the scripts, in order, without .toml";
    let mut names: Vec<Name> = Vec::new();
    for item in item.list(meaning)? {
        let name: Name = item.parse("the name of a script, without .toml")?;
        if names.contains(&name) {
            return Err(item.refuse("a script that is not listed yet", "list each script once"));
        }
        names.push(name);
    }
    match names.len() {
        1..=MOST_SCRIPTS => Ok(names),
        count => Err(item.error(format!("{count} scripts"), "1 to 1000 scripts", "a pack needs scripts")),
    }
}

#[cfg(test)]
mod tests;
