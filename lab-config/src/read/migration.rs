//! `[migration]` of a lab file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use proto_migration::PartyRole;

use super::{dcc, identity};
use crate::document::{FileError, Item, Table};
use crate::sources::Sources;
use crate::vocabulary::UnknownWord;
use crate::{Door, HttpUrl, MigrationLimits, MigrationParties, MigrationParty, PartyFiles};

/// The parties that get secrets, and so have keys to open them with.
const GET_SECRETS: [PartyRole; 2] = [PartyRole::S1sp, PartyRole::Dco];

/// Reads `[migration]`.
pub(super) fn migration(item: &Item<'_>, sources: &Sources) -> Result<MigrationParties, FileError> {
    item.table("who takes part in migrations, and their limits", |table| {
        let limits = limits(table)?;
        let listen_item = table.optional("listen");
        let address = "an address and a port, such as 192.0.2.7:8090";
        let listen: Option<SocketAddr> = listen_item.as_ref().map(|item| item.parse(address)).transpose()?;
        let tls = table.read("tls", |item| identity::tls(item, sources))?;
        if let (Some(item), Some(at), None) = (&listen_item, listen, &tls) {
            dcc::refuse_open(item, at)?;
        }
        let parties = table.read("party", |item| parties(item, sources))?.unwrap_or_default();
        let read = MigrationParties { limits, listen, tls, parties };
        refuse_no_way_back(table, &read)?;
        Ok(read)
    })
}

fn limits(table: &mut Table<'_>) -> Result<MigrationLimits, FileError> {
    let usual = MigrationLimits::default();
    Ok(MigrationLimits {
        answer_within: table.read("answer-within", duration)?.unwrap_or(usual.answer_within),
    })
}

fn duration(item: &Item<'_>) -> Result<Duration, FileError> {
    let expected = "a time from 1ms to 600s, such as \"60s\"";
    let read = crate::link_url::duration(item.text(expected)?);
    read.ok_or_else(|| item.refuse(expected, "write a number and ms or s"))
}

fn parties(item: &Item<'_>, sources: &Sources) -> Result<BTreeMap<PartyRole, MigrationParty>, FileError> {
    let meaning = "parties by their role, as [migration.party.requesting-party]";
    let each = item.open(meaning)?.entries();
    each.into_iter().map(|(role, item)| one(&role, &item, sources)).collect()
}

fn one(
    role_item: &Item<'_>,
    item: &Item<'_>,
    sources: &Sources,
) -> Result<(PartyRole, MigrationParty), FileError> {
    let role = role(role_item)?;
    item.table("a party of migrations", |table| {
        let id = table.read("eui-64", |item| item.parse("an EUI-64"))?;
        let door = door(table, sources)?;
        if let (PartyRole::MigrationControl, false) = (role, door == Door::Inside) {
            return Err(role_item.refuse(
                "a party other than migration control",
                "the harness is migration control: leave out `folder` and `url`",
            ));
        }
        let files = PartyFiles {
            certificate: table.read("certificate", |item| identity::pem(item, sources))?,
            key: table.read("key", |item| identity::private_key(item, sources))?,
            seal_to: table.read("seal-to", |item| identity::pem(item, sources))?,
            opening_key: table.read("opening-key", |item| identity::private_key(item, sources))?,
        };
        refuse_half_of_it(table, role, &door, &files)?;
        Ok((role, MigrationParty { id, door, files }))
    })
}

fn role(item: &Item<'_>) -> Result<PartyRole, FileError> {
    let word = item.text("the role of a party")?;
    let found = PartyRole::ALL.into_iter().find(|role| role.word() == word);
    found.ok_or_else(|| {
        let known = PartyRole::ALL.map(PartyRole::word);
        item.refuse("the role of a party", UnknownWord::among(word, &known).to_string())
    })
}

fn door(table: &mut Table<'_>, sources: &Sources) -> Result<Door, FileError> {
    match (table.optional("folder"), table.optional("url")) {
        (None, None) => Ok(Door::Inside),
        (Some(folder), None) => {
            Ok(Door::Folder(sources.path(folder.text("the folder it exchanges files by")?)))
        }
        (None, Some(url)) => https(&url).map(Door::Https),
        (Some(_), Some(url)) => Err(url.error("both `folder` and `url`", "one door", "remove one of them")),
    }
}

/// Files of migrations cross a network under TLS or not at all.
fn https(item: &Item<'_>) -> Result<HttpUrl, FileError> {
    let url: HttpUrl = item.parse("where its files are posted, such as https://smso.lab:8443/files")?;
    match url.is_secure() {
        true => Ok(url),
        false => Err(item.refuse("https", "files of migrations do not cross a network without TLS")),
    }
}

/// A party outside needs what its files are believed by, and one that gets secrets what they are sealed to; one inside needs
/// both halves of its keys or none.
fn refuse_half_of_it(
    table: &Table<'_>,
    role: PartyRole,
    door: &Door,
    files: &PartyFiles,
) -> Result<(), FileError> {
    let outside = *door != Door::Inside;
    let secrets = GET_SECRETS.contains(&role);
    let complaint = match files {
        PartyFiles { certificate: None, .. } if outside => Some((
            "no `certificate`",
            "what the files of a party outside are signed under",
            "name its certificate",
        )),
        PartyFiles { key: Some(_), .. } | PartyFiles { opening_key: Some(_), .. } if outside => Some((
            "a private key of a party outside",
            "no private key of somebody else",
            "remove `key` and `opening-key`: they stay with the party",
        )),
        PartyFiles { certificate, key, .. } if !outside && certificate.is_some() != key.is_some() => {
            Some(("only one of `certificate` and `key`", "both, or neither", "name both, or have them made"))
        }
        PartyFiles { seal_to: None, .. } if outside && secrets => Some((
            "no `seal-to`",
            "the public key that secrets for it are sealed to",
            "name the file of that key",
        )),
        PartyFiles { seal_to, opening_key, .. }
            if !secrets && (seal_to.is_some() || opening_key.is_some()) =>
        {
            Some((
                "a key to seal secrets to",
                "none: this party gets no secrets",
                "remove it: only s1sp and dco have one",
            ))
        }
        PartyFiles { seal_to: Some(_), opening_key: None, .. } if !outside => Some((
            "`seal-to` of a party inside, and no `opening-key`",
            "what it opens them by; those outside who seal to it have `seal-to` then",
            "name its opening key, or remove `seal-to`",
        )),
        _ => None,
    };
    match complaint {
        None => Ok(()),
        Some((found, expected, advice)) => {
            Err(table.error(format!("{found} of the {role}"), expected, advice))
        }
    }
}

/// A party behind a URL posts its files back, and both sides show who they are.
fn refuse_no_way_back(table: &Table<'_>, read: &MigrationParties) -> Result<(), FileError> {
    let by_url = read.parties.iter().find(|(_, party)| matches!(party.door, Door::Https(_)));
    let Some((role, _)) = by_url else { return Ok(()) };
    let missing = match (read.listen, &read.tls) {
        (Some(_), Some(_)) => return Ok(()),
        (None, _) => ("listen", "where it hands over its files: listen = \"192.0.2.7:8090\""),
        (_, None) => ("tls", "mutual TLS: tls = { ca = ..., certificate = ..., key = ... }"),
    };
    Err(table.error(
        format!("the {role} behind a URL, and no `{}`", missing.0),
        missing.1,
        "add it to [migration]",
    ))
}

#[cfg(test)]
mod tests;
