//! Credentials as migration files carry them, and as the driver uses them.

use lab_config::{ClientSap, Eui64, Secret as Password};
use proto_dlms::security::{Key, Keys};
use proto_migration::{Secret, SecretKind, Secrets};

use crate::driver::Own;

/// One entry of [`Secrets`].
type Entry = (Eui64, Option<u8>, SecretKind, Secret);

/// The entries of a credential.
pub(crate) fn secrets(own: &Own, device: Eui64, client: ClientSap) -> Vec<Entry> {
    let entry = |kind, octets: &[u8]| (device, Some(client.get()), kind, Secret::new(octets.to_vec()));
    match own {
        Own::Password(password) => vec![entry(SecretKind::Password, password.expose())],
        Own::Keys(keys) => vec![
            entry(SecretKind::EncryptionKey, keys.encryption.expose()),
            entry(SecretKind::AuthenticationKey, keys.authentication.expose()),
        ],
    }
}

/// The credential of a client among others: keys where both are there, else a password.
pub(crate) fn of(secrets: &Secrets, device: Eui64, client: ClientSap) -> Option<Own> {
    let find = |kind| {
        let mut entries = secrets.of.iter();
        let of = |entry: &&Entry| (entry.0, entry.1, entry.2) == (device, Some(client.get()), kind);
        entries.find(of).map(|entry| entry.3.expose())
    };
    let key = |kind| find(kind).and_then(|octets| Key::try_from(octets).ok());
    match (key(SecretKind::EncryptionKey), key(SecretKind::AuthenticationKey)) {
        (Some(encryption), Some(authentication)) => Some(Own::Keys(Keys { encryption, authentication })),
        _ => find(SecretKind::Password).map(|password| Own::Password(Password::new(password.to_vec()))),
    }
}
