//! Credentials of a device in a lab file.

use std::collections::BTreeMap;

use crate::ClientSap;
use crate::credentials::{Credentials, KeySource, Mechanism, Secret, SecretSource, Security, SharedKeys};
use crate::document::{FileError, Item, Table};
use crate::sources::Sources;

/// Reads `client` and `vending-key`; `simulated` says whether secrets may be made up.
pub(super) fn credentials(
    table: &mut Table<'_>,
    sources: &Sources,
    simulated: bool,
) -> Result<Credentials, FileError> {
    let reader = Reader { sources, simulated };
    Ok(Credentials {
        clients: table.read("client", |item| reader.clients(item))?.unwrap_or_default(),
        vending_key: table.read("vending-key", |item| reader.secret(item, Secret::random_key))?,
    })
}

/// Where a password comes from that is known already, on both sides.
pub(super) fn password(item: &Item<'_>, sources: &Sources) -> Result<SecretSource, FileError> {
    Reader { sources, simulated: false }.secret(item, Secret::random_password)
}

struct Reader<'s> {
    sources: &'s Sources,
    simulated: bool,
}

impl Reader<'_> {
    fn clients(&self, item: &Item<'_>) -> Result<BTreeMap<ClientSap, Security>, FileError> {
        item.open("security by client SAP, such as client.1 = { security = \"none\" }")?
            .entries()
            .into_iter()
            .map(|(sap, security)| Ok((sap.parse("a client SAP")?, self.security(&security)?)))
            .collect()
    }

    fn security(&self, item: &Item<'_>) -> Result<Security, FileError> {
        item.table("a table with `security`", |table| {
            let levels = "`none`, `low` or `gmac`";
            let level = table.required("security", levels)?;
            match level.text(levels)?.parse() {
                Ok(Mechanism::None) => Ok(Security::None),
                Ok(Mechanism::Low) => {
                    let password = table.required("password", "where the password comes from")?;
                    Ok(Security::Low(self.secret(&password, Secret::random_password)?))
                }
                Ok(Mechanism::Gmac) => self.keys(table).map(Security::Gmac),
                Err(_) => Err(level.refuse(levels, "choose the level the device asks of this client")),
            }
        })
    }

    fn keys(&self, table: &mut Table<'_>) -> Result<SharedKeys, FileError> {
        let encryption =
            table.required("encryption-key", "where the global unicast encryption key comes from")?;
        let authentication =
            table.required("authentication-key", "where the authentication key comes from")?;
        let title = table.read("system-title", |item| item.parse("the client's system title"))?;
        let master = table.read("master-key", |item| self.secret(item, Secret::random_suite_key))?;
        let dedicated = table
            .read("dedicated-key", |item| item.boolean("whether each association has a key of its own"))?;
        Ok(SharedKeys {
            system_title: title.unwrap_or(SharedKeys::USUAL_TITLE),
            encryption_key: KeySource(self.secret(&encryption, Secret::random_suite_key)?),
            authentication_key: KeySource(self.secret(&authentication, Secret::random_suite_key)?),
            master_key: master.map(KeySource),
            dedicated_key: dedicated.unwrap_or_default(),
        })
    }

    fn secret(&self, item: &Item<'_>, generate: fn() -> Secret) -> Result<SecretSource, FileError> {
        let expected = "{ env = \"NAME\" }, { file = \"path\" } or { generated = true }";
        let advice = "a secret never stands in the lab file itself: the file is evidence";
        if item.open(expected).is_err() {
            return Err(item.error("a value that is no table", expected, advice));
        }
        item.table(expected, |table| {
            let environment = table.optional("env");
            let file = table.optional("file");
            let generated = table.optional("generated");
            match (environment, file, generated) {
                (Some(name), None, None) => {
                    Ok(SecretSource::Environment(name.text("a variable's name")?.to_owned()))
                }
                (None, Some(path), None) => Ok(SecretSource::File(self.sources.path(path.text("a path")?))),
                (None, None, Some(flag)) if flag.boolean("generated")? => self.generated(&flag, generate),
                _ => Err(table.error("none or several of env, file and generated", expected, advice)),
            }
        })
    }

    fn generated(&self, flag: &Item<'_>, generate: fn() -> Secret) -> Result<SecretSource, FileError> {
        if self.simulated {
            return Ok(SecretSource::Generated(generate()));
        }
        Err(flag.error(
            "a generated secret for a device that is not simulated",
            "{ env = \"NAME\" } or { file = \"path\" }",
            "a real device knows its secret already: name the variable or file that holds it",
        ))
    }
}
