//! Credentials of a device in a lab file.

use std::collections::BTreeMap;

use crate::ClientSap;
use crate::credentials::{Credentials, Secret, SecretSource, Security};
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
            let level = table.required("security", "`none` or `low`")?;
            match level.text("`none` or `low`")? {
                "none" => Ok(Security::None),
                "low" => {
                    let password = table.required("password", "where the password comes from")?;
                    Ok(Security::Low(self.secret(&password, Secret::random_password)?))
                }
                _ => Err(level.refuse("`none` or `low`", "choose the level the device asks of this client")),
            }
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
