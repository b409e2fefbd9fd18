//! Who may associate with a device.

use std::collections::BTreeMap;

use lab_config::{Credentials as LabCredentials, DlmsProfile, SecretError, Security};
use proto_dlms::server::{Credentials, Denial};

/// The clients a device knows, with their passwords.
#[derive(Clone)]
pub struct Access {
    clients: BTreeMap<u16, Option<Vec<u8>>>,
    public: u16,
}

impl Access {
    /// The clients the lab file gives the device; secrets are fetched now.
    ///
    /// # Errors
    /// [`SecretError`] when a password cannot be had.
    pub fn new(profile: &DlmsProfile, credentials: &LabCredentials) -> Result<Self, SecretError> {
        let mut clients = BTreeMap::new();
        for (sap, security) in &credentials.clients {
            let password = match security {
                Security::None => None,
                Security::Low(source) => Some(source.secret()?.expose().to_vec()),
            };
            clients.insert(u16::from(sap.get()), password);
        }
        let public = u16::from(profile.public_client.value.get());
        clients.entry(public).or_insert(None);
        Ok(Self { clients, public })
    }

    /// Whether this is the public client, who may only ask who the device is.
    pub fn is_public(&self, client: u16) -> bool {
        client == self.public
    }

    /// Whether this client is known at all.
    pub fn knows(&self, client: u16) -> bool {
        self.clients.contains_key(&client)
    }

    /// Decides on an association.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&self, client: u16, credentials: Credentials<'_>) -> Result<(), Denial> {
        match (self.clients.get(&client), credentials) {
            (None, _) => Err(Denial::ClientUnknown),
            (Some(None), _) => Ok(()),
            (Some(Some(_)), Credentials::None) => Err(Denial::AuthenticationRequired),
            (Some(Some(right)), Credentials::Password(brought)) if same(right, brought) => Ok(()),
            (Some(Some(_)), Credentials::Password(_) | Credentials::Gmac) => {
                Err(Denial::AuthenticationFailure)
            }
        }
    }

    /// Gives every client that has a password another one.
    pub fn change_passwords(&mut self, password: &[u8]) {
        self.clients.values_mut().flatten().for_each(|held| *held = password.to_vec());
    }

    /// Gives one client another password; whether it has one.
    pub fn change_password(&mut self, client: u16, password: Vec<u8>) -> bool {
        match self.clients.get_mut(&client) {
            Some(Some(held)) => {
                *held = password;
                true
            }
            Some(None) | None => false,
        }
    }
}

/// Compares in a time that does not tell where two passwords of one length differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}
