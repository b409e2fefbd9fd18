//! From the command line's link URL and sign-on options to what the driver takes.

use lab_config::{ClientSap, LinkUrl, Secret, SecretSource};

use super::Failure;
use super::arguments::Access as Choice;
use crate::driver::Access;

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

/// Who the harness is to the meter: the client of the URL, else the public one, else with a password the management one.
pub(super) fn access(url: &LinkUrl, password: Option<Secret>) -> Access {
    let access = match password {
        Some(password) => Access::with_password(ClientSap::MANAGEMENT, password),
        None => Access::open(ClientSap::PUBLIC),
    };
    access.at(url)
}
