//! From the command line's link URL and sign-on options to what the driver takes.

use lab_config::{ClientSap, ClientSecurity, LinkUrl, Secret, SecretSource, SharedKeys};

use super::Failure;
use super::arguments::{Access as Choice, Keys};
use crate::driver::{Access, Keyset};

/// The link URL as given, with the client and server of the command line in it.
pub(super) fn link(given: &str, choice: &Choice) -> Result<LinkUrl, Failure> {
    let mut url: LinkUrl = given.parse().map_err(|e| {
        Failure::input(format!("link {given:?}: {e}"))
            .hint("links look like tcp://host:4059, tcp+hdlc://host:4059, serial:///dev/ttyUSB0?baud=9600&sign-on=e")
    })?;
    if url.is_simulated() {
        return Err(Failure::input("a sim: link stands only in a lab file")
            .hint("`device-sim serve` prints the links its devices answer on"));
    }
    if let Some(client) = choice.client {
        url.addressing.client = Some(sap(client)?);
    }
    url.addressing.server = choice.server.or(url.addressing.server);
    Ok(url)
}

fn sap(number: u16) -> Result<ClientSap, Failure> {
    let sap = u8::try_from(number).ok().and_then(|n| ClientSap::new(n).ok());
    sap.ok_or_else(|| Failure::input(format!("client {number}: a client SAP is a number from 1 to 127")))
}

/// The password the options name, read now.
pub(super) fn password(choice: &Choice) -> Result<Option<Secret>, Failure> {
    let source = match (&choice.password_env, &choice.password_file) {
        (Some(name), _) => SecretSource::Environment(name.clone()),
        (None, Some(path)) => SecretSource::File(path.clone()),
        (None, None) => return Ok(None),
    };
    source.secret().map(Some).map_err(Failure::input)
}

/// The keys the options name, read now.
pub(super) fn keys(choice: &Keys) -> Result<Option<Keyset>, Failure> {
    let (Some(encryption), Some(authentication)) = (&choice.encryption_key, &choice.authentication_key)
    else {
        return Ok(None);
    };
    let shared = SharedKeys {
        master_key: None,
        dedicated_key: false,
        system_title: choice.system_title.unwrap_or(SharedKeys::USUAL_TITLE),
        encryption_key: encryption.clone(),
        authentication_key: authentication.clone(),
    };
    let asked = ClientSecurity {
        policy: choice.protection.unwrap_or(ClientSecurity::KEYS.policy),
        invocation_counter: choice.counter_object,
        ..ClientSecurity::KEYS
    };
    Keyset::new(&shared, asked, ClientSap::PUBLIC).map(Some).map_err(Failure::input)
}

/// Who the harness is to the meter: the client of the URL, else the public one, else with a password the management one.
pub(super) fn access(url: &LinkUrl, password: Option<Secret>, keys: Option<Keyset>) -> Access {
    let access = match (password, keys) {
        (None, None) => Access::open(ClientSap::PUBLIC),
        (Some(password), None) => Access::with_password(ClientSap::MANAGEMENT, password),
        (password, Some(keys)) => Access { password, ..Access::with_keys(ClientSap::MANAGEMENT, keys) },
    };
    access.at(url)
}
