//! Certificates and private keys in a lab file.

use std::path::PathBuf;

use crate::document::{FileError, Item, Table};
use crate::sources::Sources;
use crate::{ClientIdentity, PrivateKeySource, TlsFiles};

/// Reads `ca`, `certificate` and `key`.
pub(super) fn tls(item: &Item<'_>, sources: &Sources) -> Result<TlsFiles, FileError> {
    item.table("files of TLS: ca, certificate and key", |table| {
        let authority = table.required("ca", "the authority whose certificates are believed")?;
        Ok(TlsFiles { authority: pem(&authority, sources)?, identity: identity(table, sources)? })
    })
}

/// Reads a table of `certificate` and `key`.
pub(super) fn pair(item: &Item<'_>, sources: &Sources) -> Result<ClientIdentity, FileError> {
    item.table("a certificate and its key", |table| identity(table, sources))
}

fn identity(table: &mut Table<'_>, sources: &Sources) -> Result<ClientIdentity, FileError> {
    let certificate = pem(&table.required("certificate", "a certificate")?, sources)?;
    let key = private_key(&table.required("key", "where its private key comes from")?, sources)?;
    Ok(ClientIdentity { certificate, key })
}

/// Reads the name of a file in PEM.
pub(super) fn pem(item: &Item<'_>, sources: &Sources) -> Result<PathBuf, FileError> {
    let expected = "the name of a file in PEM";
    match item.text(expected)? {
        text if text.contains("-----BEGIN ") => {
            Err(item.error("the text of a PEM file", expected, "put it into a file, and name that here"))
        }
        text => Ok(sources.path(text)),
    }
}

/// Reads where a private key comes from: a file by its name, or `{ file = … }`, or `{ env = … }`.
pub(super) fn private_key(item: &Item<'_>, sources: &Sources) -> Result<PrivateKeySource, FileError> {
    let expected = "a file in PEM, { file = \"path\" } or { env = \"NAME\" }";
    let advice = "a key never stands in the lab file itself: the file is evidence";
    if item.open(expected).is_err() {
        return match item.text(expected)? {
            text if text.contains("-----BEGIN ") => Err(item.error("a key", expected, advice)),
            text => Ok(PrivateKeySource::File(sources.path(text))),
        };
    }
    item.table(expected, |table| match (table.optional("file"), table.optional("env")) {
        (Some(file), None) => Ok(PrivateKeySource::File(pem(&file, sources)?)),
        (None, Some(name)) => Ok(PrivateKeySource::Environment(name.text("a variable's name")?.to_owned())),
        _ => Err(table.error("none or both of file and env", expected, advice)),
    })
}
