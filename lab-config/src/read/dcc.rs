//! The DCC in a lab file: the stub's interface and the User Systems outside the harness, or somebody else's DCC.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use proto_duis::{Eui64, UserRole};

use super::{dcc_environment, identity};
use crate::dcc::{Dcc, DccInterface, Signing, UserSystem};
use crate::document::{FileError, Item, Table};
use crate::sources::Sources;
use crate::{HttpUrl, Name};

/// Reads `[dcc]`: with `url` it is somebody else's.
pub(super) fn dcc(
    item: &Item<'_>,
    sources: &Sources,
    users: &BTreeMap<UserRole, Eui64>,
) -> Result<Dcc, FileError> {
    item.table("the DCC's interface for users", |table| match table.optional("url") {
        Some(url) => dcc_environment::environment(&url, table, sources, users).map(Dcc::Environment),
        None => interface(table, sources, users).map(Dcc::Stub),
    })
}

fn interface(
    table: &mut Table<'_>,
    sources: &Sources,
    users: &BTreeMap<UserRole, Eui64>,
) -> Result<DccInterface, FileError> {
    let listen = table.optional("listen");
    let at = listen.as_ref().map(|item| item.parse("an address and a port, such as 127.0.0.1:8079"));
    let interface = DccInterface {
        listen: at.transpose()?.unwrap_or(DccInterface::default().listen),
        tls: table.read("tls", |item| identity::tls(item, sources))?,
        signing: table.read("signing", |item| signing(item, sources))?,
        user_systems: user_systems(table, sources, users)?,
    };
    refuse_unreachable(table, &interface)?;
    match listen.filter(|_| interface.tls.is_none()) {
        None => Ok(interface),
        Some(listen) => refuse_open(&listen, interface.listen).map(|()| interface),
    }
}

/// A door without TLS stays on loopback.
pub(super) fn refuse_open(item: &Item<'_>, listen: SocketAddr) -> Result<(), FileError> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    Err(item.error(
        format!("`{listen}` without `tls`"),
        "a loopback address, or TLS",
        "anybody could send messages there: add tls = { ca = ..., certificate = ..., key = ... }",
    ))
}

/// A listener over TLS is posted to with what the DCC shows at its own door.
fn refuse_unreachable(table: &Table<'_>, interface: &DccInterface) -> Result<(), FileError> {
    let secure = interface.user_systems.iter().find(|system| system.listener.is_secure());
    match secure.filter(|_| interface.tls.is_none()) {
        None => Ok(()),
        Some(system) => {
            let found = format!("`{}` listens at {}, and no `tls`", system.name, system.listener);
            let advice = "add tls = { ca = ..., certificate = ..., key = ... }";
            Err(table.error(found, "`tls` for a listener over https", advice))
        }
    }
}

fn signing(item: &Item<'_>, sources: &Sources) -> Result<Signing, FileError> {
    item.table("the keys of the DSP and the S1SP", |table| {
        let mut one = |key, whose| identity::pair(&table.required(key, whose)?, sources);
        Ok(Signing {
            dsp: one("dsp", "what the DSP signs with")?,
            s1sp: one("s1sp", "what the S1SP signs with")?,
        })
    })
}

fn user_systems(
    table: &mut Table<'_>,
    sources: &Sources,
    users: &BTreeMap<UserRole, Eui64>,
) -> Result<Vec<UserSystem>, FileError> {
    let Some(item) = table.optional("user-system") else { return Ok(Vec::new()) };
    let mut taken: BTreeSet<Eui64> = users.values().copied().collect();
    let mut names = BTreeSet::new();
    item.tables("User Systems outside the harness, as [[dcc.user-system]]", |table| {
        let name_item = table.required("name", "what the lab calls it")?;
        let name: Name = name_item.parse("a name")?;
        if !names.insert(name.clone()) {
            return Err(name_item.refuse("a name no other User System has", "rename one of them"));
        }
        let id_item = table.required("eui-64", "its identity in messages")?;
        let id: Eui64 = id_item.parse("an EUI-64")?;
        if !taken.insert(id) {
            let advice = "whose answers they are could not be told: give each user an EUI-64 of its own";
            return Err(id_item.refuse("an EUI-64 no other user of the DCC has", advice));
        }
        let listener = "where it gets answers and alerts, such as https://supplier.lab:8081/";
        Ok(UserSystem {
            name,
            id,
            roles: roles(table)?,
            certificate: identity::pem(
                &table.required("certificate", "what its requests are signed under")?,
                sources,
            )?,
            listener: table.required("listener", listener)?.parse::<HttpUrl>(listener)?,
        })
    })
}

fn roles(table: &mut Table<'_>) -> Result<BTreeSet<UserRole>, FileError> {
    let meaning = "the user roles it has, such as [\"IS\"]";
    let item = table.required("roles", meaning)?;
    let roles = item.list(meaning)?;
    match roles.is_empty() {
        false => roles.iter().map(|role| role.parse("a user role")).collect(),
        true => Err(item.refuse(meaning, "a user without a role may send nothing: name one")),
    }
}
