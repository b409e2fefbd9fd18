//! From a lab file, and the Device Model files it names, to a [`Lab`].

mod combination;
mod credentials;
mod dcc;
mod dcc_environment;
mod identity;
mod migration;
mod offer;
mod registration;
mod rig;
mod station;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use proto_duis::{Eui64, Srv, UserRole};
use sha2::{Digest as _, Sha256};

use crate::document::{Document, FileError, Item, Table};
use crate::sources::{EMBEDDED_LAB, Sources};
use crate::{DeviceModel, Environment, Lab, LabDigest, Name};

type Models = BTreeMap<Name, Arc<DeviceModel>>;

impl Lab {
    /// Reads a lab file and the Device Model files it names, relative to it.
    ///
    /// # Errors
    /// [`FileError`] at the first thing that is not as it should be.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        read(&Document::read(path)?, &Sources::beside(path))
    }

    /// The lab shipped inside the program: one rig with every device simulated.
    ///
    /// # Errors
    /// None in a build that passed its tests; the shipped files are read like any others.
    pub fn embedded() -> Result<Self, FileError> {
        read(&Document::new("embedded.toml", EMBEDDED_LAB), &Sources::Shipped)
    }

    /// Reads a lab from text that names shipped Device Models only.
    ///
    /// # Errors
    /// [`FileError`] at the first thing that is not as it should be.
    pub fn parse(document: &Document) -> Result<Self, FileError> {
        read(document, &Sources::Shipped)
    }
}

fn read(document: &Document, sources: &Sources) -> Result<Lab, FileError> {
    let mut digest = DigestOfFiles::default();
    digest.add(document);
    let mut lab = document.root(|table| {
        let models = models(table, sources, &mut digest)?;
        let combinations = combination::combinations(table, &models)?;
        let broker = table.read("broker", |item| station::broker(item, sources))?;
        let users = users(table)?;
        let dcc = table.read("dcc", |item| dcc::dcc(item, sources, &users))?.unwrap_or_default();
        let rigs = rig::rigs(table, &combinations, &rig::Means { sources, dcc: &dcc })?;
        station::refuse_unmet(table, broker.as_ref(), &rigs)?;
        Ok(Lab {
            name: table.required("name", "the lab's name")?.parse("a name")?,
            environment: table
                .required("environment", "the test environment")?
                .table("the test environment", environment)?,
            registrations: registration::registrations(table, &users)?,
            migration: table
                .read("migration", |item| migration::migration(item, sources))?
                .unwrap_or_default(),
            users,
            dcc,
            epcl: combination::epcl(table, &combinations)?,
            broker,
            rigs,
            models,
            combinations,
            digest: LabDigest([0; 32]),
        })
    })?;
    lab.digest = digest.finish();
    Ok(lab)
}

/// SHA-256 over each file's length and bytes, in the order they were named.
#[derive(Default)]
struct DigestOfFiles(Sha256);

impl DigestOfFiles {
    fn add(&mut self, document: &Document) {
        let bytes = document.text().as_bytes();
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    fn finish(self) -> LabDigest {
        LabDigest(self.0.finalize().into())
    }
}

fn models(table: &mut Table<'_>, sources: &Sources, digest: &mut DigestOfFiles) -> Result<Models, FileError> {
    let meaning = "a list of Device Model files";
    let mut models = Models::new();
    for item in table.required("device-models", meaning)?.list(meaning)? {
        let written = item.text("a Device Model file")?;
        let document = sources.open(written).map_err(|error| named_here(&item, error))?;
        digest.add(&document);
        let model = DeviceModel::parse(&document)?;
        let id = model.id.clone();
        if models.insert(id.clone(), Arc::new(model)).is_some() {
            let found = format!("a second Device Model `{id}`");
            return Err(item.error(found, "Device Models with different ids", "remove one of them"));
        }
    }
    Ok(models)
}

/// A file that cannot be opened is a complaint about the line that names it.
fn named_here(item: &Item<'_>, error: FileError) -> FileError {
    match error.line {
        0 => item.error(format!("`{}`: {}", error.file, error.found), error.expected, error.advice),
        _ => error,
    }
}

fn environment(table: &mut Table<'_>) -> Result<Environment, FileError> {
    let broker = "the EUI-64 of the access control broker";
    let s1sp = "the EUI-64 of the SMETS1 Service Provider";
    Ok(Environment {
        name: table.text("name", "the environment's name")?,
        dcc_systems_version: table.text("dcc-systems-version", "the version of the DCC Systems")?,
        access_control_broker: table.required("access-control-broker", broker)?.parse(broker)?,
        s1sp: table.required("s1sp", s1sp)?.parse(s1sp)?,
        doubtful_variants: doubtful_variants(table)?,
    })
}

/// Only what is doubtful is listed: a request no one doubts is taken without.
fn doubtful_variants(table: &mut Table<'_>) -> Result<BTreeSet<Srv>, FileError> {
    let meaning = "Service Reference Variants of which it is not sure that SMETS1 devices are sent them";
    let Some(listed) = table.optional("doubtful-variants") else { return Ok(BTreeSet::new()) };
    let variant = |item: Item<'_>| -> Result<Srv, FileError> {
        let srv: Srv = item.parse(meaning)?;
        let advice = format!("leave {srv} out: it is taken without being listed");
        if srv.is_doubtful() { Ok(srv) } else { Err(item.refuse("a doubtful variant", advice)) }
    };
    listed.list(meaning)?.into_iter().map(variant).collect()
}

fn users(table: &mut Table<'_>) -> Result<BTreeMap<UserRole, Eui64>, FileError> {
    let meaning = "the EUI-64 the lab acts under, by user role";
    let entries = table.required("users", meaning)?.open(meaning)?.entries();
    entries
        .into_iter()
        .map(|(role, eui64)| Ok((role.parse("a user role")?, eui64.parse("an EUI-64")?)))
        .collect()
}

/// Looks a name up among those defined, or says which is meant.
fn look_up<'m, T>(item: &Item<'_>, what: &str, defined: &'m BTreeMap<Name, T>) -> Result<&'m T, FileError> {
    let name: Name = item.parse(what)?;
    defined.get(&name).ok_or_else(|| {
        let names = || defined.keys().map(Name::as_str);
        let advice = match crate::nearest::nearest(name.as_str(), names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("defined are: {}", names().collect::<Vec<_>>().join(", ")),
        };
        item.error(format!("`{name}`, which is not defined"), what, advice)
    })
}

#[cfg(test)]
mod tests;
