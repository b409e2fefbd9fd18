//! What the schema calls things: `data/names.toml`, read once.
//!
//! The rest of the crate says [`Term`]s and the words of its own types. So a schema that is published later is dropped in as
//! data, and what of it is known to be so is marked there.

mod term;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use proto_duis::Eui64;
use proto_duis::foreign::{Namespace, Space};
use serde::Deserialize;

use crate::{
    Address, AuthorisationId, Body, FileKind, FileName, GroupId, InstallationKind, OutcomeClass, PartyRole,
    Step,
};
pub(crate) use term::Term;

/// The names as they stand in the data.
pub(crate) const DATA: &str = include_str!("../data/names.toml");

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the data is part of the program; a test reads it")]
    Names::read(DATA).expect("the embedded names")
});

/// A name, and whether a published source has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    is: String,
    verified: bool,
}

pub(crate) type Table = BTreeMap<String, Entry>;

/// The data as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Data {
    schema: Schema,
    root: Table,
    element: Table,
    role: Table,
    installation_kind: Table,
    step: Table,
    outcome: Table,
    file_name: Table,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Schema {
    namespace: Entry,
    prefix: Entry,
    version: Entry,
    version_attribute: Entry,
}

/// The data with every name there, and none too many.
#[derive(Debug)]
struct Names {
    data: Data,
}

impl Names {
    fn read(text: &str) -> Result<Self, String> {
        let data: Data = toml::from_str(text).map_err(|error| error.to_string())?;
        let kinds = || FileKind::ALL.iter().map(|kind| kind.word()).collect();
        whole("root", &data.root, kinds())?;
        whole("element", &data.element, Term::ALL.iter().map(|term| term.key()).collect())?;
        whole("role", &data.role, words::<PartyRole>())?;
        whole("installation-kind", &data.installation_kind, words::<InstallationKind>())?;
        whole("step", &data.step, words::<Step>())?;
        whole("outcome", &data.outcome, words::<OutcomeClass>())?;
        whole("file-name", &data.file_name, kinds())?;
        Ok(Self { data })
    }
}

fn words<W: Word>() -> Vec<&'static str> {
    W::all().iter().map(|word| word.key()).collect()
}

/// Whether a table has these keys and no other, and no two names alike.
fn whole(table: &str, found: &Table, wanted: Vec<&'static str>) -> Result<(), String> {
    let missing = wanted.iter().find(|key| !found.contains_key(**key));
    let strange = found.keys().find(|key| !wanted.contains(&key.as_str()));
    let twice = found.values().find(|entry| found.values().filter(|other| other.is == entry.is).count() > 1);
    match (missing, strange, twice) {
        (Some(key), ..) => Err(format!("[{table}]: {key} is missing")),
        (_, Some(key), _) => Err(format!("[{table}]: {key} is not known")),
        (_, _, Some(entry)) => Err(format!("[{table}]: {:?} is there twice", entry.is)),
        (None, None, None) => Ok(()),
    }
}

fn named(table: &'static Table, key: &'static str) -> &'static str {
    table.get(key).map_or(key, |entry| &entry.is)
}

/// A name of the schema: what the lab calls a thing, what the schema calls it, and whether a published source says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaName {
    /// Where it stands in the data: `element`, `role`, `file-name` and so on.
    pub table: &'static str,
    /// The lab's word.
    pub word: &'static str,
    /// The schema's.
    pub is: &'static str,
    /// Whether a published source has it.
    pub verified: bool,
}

/// Every name that files are written with, so that a report can say which of them are the lab's own guess.
///
/// ```
/// let names = proto_migration::schema_names();
/// let verified: Vec<_> = names.iter().filter(|name| name.verified).map(|name| (name.table, name.word)).collect();
/// assert_eq!(verified, [("file-name", "authorisation")]);
/// ```
pub fn schema_names() -> Vec<SchemaName> {
    let data: &'static Data = &NAMES.data;
    let Schema { namespace, prefix, version, version_attribute } = &data.schema;
    let schema = [
        ("namespace", namespace),
        ("prefix", prefix),
        ("version", version),
        ("version-attribute", version_attribute),
    ];
    let tables = [
        ("root", &data.root),
        ("element", &data.element),
        ("role", &data.role),
        ("installation-kind", &data.installation_kind),
        ("step", &data.step),
        ("outcome", &data.outcome),
        ("file-name", &data.file_name),
    ];
    let name = |table, word, entry: &'static Entry| SchemaName {
        table,
        word,
        is: &entry.is,
        verified: entry.verified,
    };
    let of = |(table, entries): (&'static str, &'static Table)| {
        entries.iter().map(move |(word, entry)| name(table, word.as_str(), entry))
    };
    schema
        .into_iter()
        .map(|(word, entry)| name("schema", word, entry))
        .chain(tables.into_iter().flat_map(of))
        .collect()
}

/// The namespace of the files.
pub(crate) fn namespace() -> Namespace {
    let Schema { prefix, namespace, .. } = &NAMES.data.schema;
    Namespace { prefix: &prefix.is, uri: &namespace.is }
}

/// The namespace as elements have it.
pub(crate) fn space() -> Space {
    Space::Foreign(namespace())
}

/// The version of the schema, and the attribute of the root element that says it.
pub(crate) fn version() -> (&'static str, &'static str) {
    let Schema { version_attribute, version, .. } = &NAMES.data.schema;
    (&version_attribute.is, &version.is)
}

impl Term {
    /// What the schema calls it.
    pub(crate) fn name(self) -> &'static str {
        named(&NAMES.data.element, self.key())
    }
}

impl FileKind {
    /// The root element of a file of this kind.
    pub(crate) fn root(self) -> &'static str {
        named(&NAMES.data.root, self.word())
    }
}

/// The kind that octets say they are by the name of their root element; none where even that cannot be read. Nothing of it
/// is verified: it is for the words about a file that was not taken.
///
/// ```
/// use proto_migration::{FileKind, claimed_kind};
/// assert_eq!(claimed_kind(b"<sm:MigrationCommonFile xmlns:sm=\"x\"><sm:Hea"), Some(FileKind::Common));
/// assert_eq!(claimed_kind(b"MigrationCommonFile"), None);
/// ```
pub fn claimed_kind(octets: &[u8]) -> Option<FileKind> {
    let beginning = octets.get(..ROOT_WITHIN).unwrap_or(octets);
    let text = String::from_utf8_lossy(beginning);
    let root = text.split('<').skip(1).find(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic()))?;
    let name = root.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next()?;
    let local = name.rsplit(':').next()?;
    FileKind::ALL.iter().copied().find(|kind| kind.root() == local)
}

/// Octets within which a root element begins, declaration and comments before it included.
const ROOT_WITHIN: usize = 4_096;

/// A value that is one of a few words.
pub(crate) trait Word: Copy + 'static {
    fn all() -> &'static [Self];
    fn key(self) -> &'static str;
    fn table() -> &'static Table;

    /// The word of the schema.
    fn name(self) -> &'static str {
        named(Self::table(), self.key())
    }
}

macro_rules! words {
    ($($name:ident, $table:ident;)+) => {$(
        impl Word for $name {
            fn all() -> &'static [Self] {
                &Self::ALL
            }

            fn key(self) -> &'static str {
                self.word()
            }

            fn table() -> &'static Table {
                &NAMES.data.$table
            }
        }
    )+};
}

words! {
    PartyRole, role;
    InstallationKind, installation_kind;
    Step, step;
    OutcomeClass, outcome;
}

impl FileName {
    /// The name of a file with this body, which this party writes.
    ///
    /// Two authorisations of one installation by one provider within a second have one name: its known form has no more in it.
    /// Every other name counts the writer's files.
    pub fn of(body: &Body, from: Address, group: &GroupId, number: u64, written: Timestamp) -> Self {
        let installation = match body {
            Body::Authorisation { installation, .. } => Some(*installation),
            _ => None,
        };
        let fields = [("{group}", group.to_string()), ("{number}", number.to_string())];
        Self::composed(composed(body.kind(), from.id, installation, written, &fields))
    }
}

impl AuthorisationId {
    /// The name of an authorisation by this provider of this installation at this moment, which is that of its file: `MA_` form
    /// (TMAD).
    ///
    /// ```
    /// use proto_migration::AuthorisationId;
    /// let provider = "90-B3-D5-1F-30-01-00-00".parse()?;
    /// let installation = "00-DB-12-34-56-78-90-A0".parse()?;
    /// let id = AuthorisationId::of(provider, installation, "2026-11-22T10:30:00Z".parse()?);
    /// assert_eq!(id.as_str(), "MA_90B3D51F30010000_00DB1234567890A0_20261122_103000");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(provider: Eui64, installation: Eui64, moment: Timestamp) -> Self {
        Self::composed(composed(FileKind::Authorisation, provider, Some(installation), moment, &[]))
    }
}

/// The pattern of a kind of file with its fields filled in.
fn composed(
    kind: FileKind,
    writer: Eui64,
    installation: Option<Eui64>,
    written: Timestamp,
    more: &[(&str, String)],
) -> String {
    let fields = [
        ("{writer}", digits(writer)),
        ("{installation}", installation.map(digits).unwrap_or_default()),
        ("{date}", written.strftime("%Y%m%d").to_string()),
        ("{time}", written.strftime("%H%M%S").to_string()),
    ];
    let pattern = named(&NAMES.data.file_name, kind.word()).to_owned();
    fields.iter().chain(more).fold(pattern, |name, (field, value)| name.replace(field, value))
}

/// An EUI-64 as names have it.
fn digits(id: Eui64) -> String {
    id.to_string().replace('-', "")
}
