//! A DCC that is not the harness's own, in a lab file.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use proto_duis::{Eui64, UserRole};

use super::{dcc, identity};
use crate::dcc::{AnswerListener, Believed, DccEnvironment, TlsFiles};
use crate::document::{FileError, Item, Table};
use crate::sources::Sources;
use crate::{ClientIdentity, HttpUrl};

/// Reads the rest of `[dcc]` once it names a `url`.
pub(super) fn environment(
    url_item: &Item<'_>,
    table: &mut Table<'_>,
    sources: &Sources,
    users: &BTreeMap<UserRole, Eui64>,
) -> Result<DccEnvironment, FileError> {
    refuse_stubs_keys(table)?;
    let url: HttpUrl = url_item.parse("where the DCC is, such as https://dcc.example:8079")?;
    let tls = table.read("tls", |item| identity::tls(item, sources))?;
    refuse_open_way(url_item, &url, tls.as_ref())?;
    let meaning = "where answers and alerts come in, as listener = { listen = \"192.0.2.7:8081\" }";
    let listener = table.required("listener", meaning)?;
    let listener = listener.table(meaning, |table| answer_listener(table, sources, tls.as_ref()))?;
    let meaning = "what each user signs with, as signing.IS = { certificate = ..., key = ... }";
    let signing = signing(&table.required("signing", meaning)?, meaning, sources, users)?;
    let meaning = "whose signatures are believed, as believed = { dsp = \"dsp.pem\", s1sp = \"s1sp.pem\" }";
    let believed = table.required("believed", meaning)?.table(meaning, |table| believed(table, sources))?;
    Ok(DccEnvironment { url, tls, listener, signing, believed })
}

/// What belongs to the stub would do nothing here, and who wrote it would not know.
fn refuse_stubs_keys(table: &mut Table<'_>) -> Result<(), FileError> {
    let of_the_stub = ["listen", "user-system"].into_iter().find_map(|key| Some((key, table.optional(key)?)));
    let Some((key, item)) = of_the_stub else { return Ok(()) };
    Err(item.error(
        format!("`{key}` beside `url`"),
        "what belongs to the DCC at `url`, or to the harness's stub, and not both",
        "with `url` the harness starts no stub: remove one of the two (where answers come in is `listener`)",
    ))
}

/// HTTP without TLS stays on this machine.
fn refuse_open_way(item: &Item<'_>, url: &HttpUrl, tls: Option<&TlsFiles>) -> Result<(), FileError> {
    let refused = |found: String, expected: &str, advice: &str| Err(item.error(found, expected, advice));
    match (url.is_secure(), tls) {
        (true, Some(_)) => Ok(()),
        (false, None) if url.is_loopback() => Ok(()),
        (false, None) => refused(
            format!("`{url}`, which leaves this machine without TLS"),
            "https, or a DCC on loopback",
            "anybody on the way could read and change what is said: write https and add `tls`",
        ),
        (true, None) => refused(
            format!("`{url}`, and no `tls`"),
            "`tls` with https",
            "add tls = { ca = ..., certificate = ..., key = ... }: what the lab believes and shows",
        ),
        (false, Some(_)) => refused(
            format!("`{url}` with `tls`"),
            "https with `tls`, or neither",
            "write https, or remove `tls`",
        ),
    }
}

/// What is not said of TLS is as on the way there.
fn answer_listener(
    table: &mut Table<'_>,
    sources: &Sources,
    tls: Option<&TlsFiles>,
) -> Result<AnswerListener, FileError> {
    let meaning = "an address and a port, such as 192.0.2.7:8081";
    let item = table.required("listen", meaning)?;
    let listen: SocketAddr = item.parse(meaning)?;
    if listen.port() == 0 {
        return Err(item.refuse("a port that the DCC knows", "write the port the DCC was told"));
    }
    let tls = table.read("tls", |item| identity::tls(item, sources))?.or_else(|| tls.cloned());
    if tls.is_none() {
        dcc::refuse_open(&item, listen)?;
    }
    Ok(AnswerListener { listen, tls })
}

/// One for each role the lab has, and no other.
fn signing(
    item: &Item<'_>,
    meaning: &str,
    sources: &Sources,
    users: &BTreeMap<UserRole, Eui64>,
) -> Result<BTreeMap<UserRole, ClientIdentity>, FileError> {
    let mut signing = BTreeMap::new();
    for (role_item, pair) in item.open(meaning)?.entries() {
        let role: UserRole = role_item.parse("a user role")?;
        if !users.contains_key(&role) {
            return Err(
                role_item.refuse("a role that stands under [users]", "add it there, or remove it here")
            );
        }
        signing.insert(role, identity::pair(&pair, sources)?);
    }
    let missing = users.keys().find(|role| !signing.contains_key(role));
    missing.map_or(Ok(signing), |role| {
        let advice = format!("add signing.{role} = {{ certificate = ..., key = ... }}");
        Err(item.error(format!("nothing that {role} signs with"), "one for each role under [users]", advice))
    })
}

fn believed(table: &mut Table<'_>, sources: &Sources) -> Result<Believed, FileError> {
    let mut of = |key, whose| files(&table.required(key, whose)?, whose, sources);
    Ok(Believed { dsp: of("dsp", "certificates of the DSP")?, s1sp: of("s1sp", "certificates of the S1SP")? })
}

/// A file, or a list of files.
fn files(item: &Item<'_>, whose: &str, sources: &Sources) -> Result<Vec<PathBuf>, FileError> {
    let Ok(listed) = item.list(whose) else { return Ok(vec![identity::pem(item, sources)?]) };
    match listed.is_empty() {
        false => listed.iter().map(|file| identity::pem(file, sources)).collect(),
        true => Err(item.refuse(whose, "no message could be believed: name a file")),
    }
}
