//! Meeting a meter nobody has described yet: `probe LINK`. Which clients it answers, what it calls itself, how many
//! objects it shows, what time it thinks it is. Only reads.

use std::fmt;
use std::time::Duration;

use lab_config::{ClientSap, LinkUrl, Secret};
use proto_dlms::data::{AttributeRef, ClassId, Data, DeviationSign, Obis};
use tokio::time::Instant;

use super::access::{Access, Deadlines, Keyset};
use super::error::{DriverError, DriverErrorKind};
use super::session::Session;
use super::values;
use crate::link::{LinkErrorKind, SharedTap};

/// Clients tried when the link URL names none: public, management, and those reading clients commonly are.
const CLIENTS: [u8; 6] = [16, 1, 17, 32, 48, 2];
/// A meter that answers at all does so within this; a longer wait for each client would make a probe a night's work.
const PATIENCE: Duration = Duration::from_millis(1500);
/// The same where the meter has to identify itself at 300 baud first: thirty characters take a second.
const PATIENCE_AT_300_BAUD: Duration = Duration::from_millis(3500);

const LOGICAL_DEVICE_NAME: AttributeRef = attribute(1, [0, 0, 42, 0, 0, 255]);
const SERIAL_NUMBER: AttributeRef = attribute(1, [0, 0, 96, 1, 0, 255]);
const OBJECT_LIST: AttributeRef = attribute(15, [0, 0, 40, 0, 0, 255]);
const CLOCK: AttributeRef = attribute(8, [0, 0, 1, 0, 0, 255]);

const fn attribute(class: u16, obis: [u8; 6]) -> AttributeRef {
    AttributeRef { class: ClassId(class), obis: Obis(obis), attribute: 2 }
}

/// What was found at a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct MeterFound {
    /// The link URL.
    pub link: String,
    /// What the meter said of itself in the IEC 62056-21 sign-on.
    pub identification: Option<String>,
    /// Each client tried, in order, and what came of it.
    pub clients: Vec<ClientFound>,
    /// Logical device name.
    pub logical_device_name: Option<String>,
    /// Serial number (0-0:96.1.0).
    pub serial_number: Option<String>,
    /// How many objects the association shows.
    pub objects: Option<usize>,
    /// Its clock, in UTC where it says enough.
    pub clock: Option<String>,
    /// What could not be read, and why.
    pub unread: Vec<String>,
}

/// One client tried.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ClientFound {
    /// Client SAP.
    pub client: u8,
    /// Server address.
    pub server: u16,
    /// Whether it let this client in.
    pub answers: bool,
    /// What it said, in words.
    pub found: String,
}

impl MeterFound {
    /// Whether any client was let in.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.clients.iter().any(|client| client.answers)
    }
}

/// What a person offers to get in with.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// A low-level password.
    pub password: Option<Secret>,
    /// Keys of security suite 0, preferred where both are offered.
    pub keys: Option<Keyset>,
}

/// Probes the meter at `url`, for `limit` at most. The offer is made to the client the URL names, else to the management
/// client only: several wrong passwords lock some meters.
///
/// # Errors
/// Only what makes going on pointless: the link cannot be opened, is busy or vanished.
pub async fn meet(
    name: &str,
    url: &LinkUrl,
    offer: &Offer,
    tap: SharedTap,
    limit: Duration,
) -> Result<MeterFound, DriverError> {
    let end = Instant::now() + limit;
    let mut found = MeterFound { link: url.to_string(), ..MeterFound::default() };
    let mut known = false;
    for client in clients(url) {
        if Instant::now() >= end {
            found.unread.push("the time a probe may take is over; name a client in the link URL".into());
            break;
        }
        let access = access(client, url, offer);
        let visit = visit(name, url, access, tap.clone(), &mut found, &mut known);
        match tokio::time::timeout_at(end, visit).await {
            Ok(Err(error)) if is_hopeless(&error) && !found.is_met() => return Err(error),
            Ok(_) => {}
            Err(_) => found.unread.push(format!("client {client}: not done in the time a probe may take")),
        }
    }
    Ok(found)
}

fn clients(url: &LinkUrl) -> Vec<ClientSap> {
    match url.addressing.client {
        Some(client) => vec![client],
        None => CLIENTS.iter().filter_map(|sap| ClientSap::new(*sap).ok()).collect(),
    }
}

fn access(client: ClientSap, url: &LinkUrl, offer: &Offer) -> Access {
    let is_asked = url.addressing.client.is_some() || client == ClientSap::MANAGEMENT;
    let access = match offer {
        _ if !is_asked => Access::open(client),
        Offer { keys: Some(keys), .. } => Access::with_keys(client, keys.clone()),
        Offer { password: Some(password), .. } => Access::with_password(client, password.clone()),
        Offer { .. } => Access::open(client),
    };
    access.at(url)
}

fn is_hopeless(error: &DriverError) -> bool {
    let DriverErrorKind::Link(link) = &error.kind else { return false };
    matches!(link.kind, LinkErrorKind::CannotOpen | LinkErrorKind::Busy | LinkErrorKind::Setting)
}

async fn visit(
    name: &str,
    url: &LinkUrl,
    access: Access,
    tap: SharedTap,
    found: &mut MeterFound,
    known: &mut bool,
) -> Result<(), DriverError> {
    let (client, server) = (access.client.get(), access.server);
    let opened = Session::open(name, url, access, deadlines(url), tap).await;
    let words = match &opened {
        Ok(_) => "associates".to_owned(),
        Err(error) => error.kind.to_string(),
    };
    found.clients.push(ClientFound { client, server, answers: opened.is_ok(), found: words });
    let mut session = opened?;
    found.identification = session.identification().map(str::to_owned).or(found.identification.take());
    if !*known {
        *known = true;
        ask(&mut session, found).await;
    }
    session.close().await;
    Ok(())
}

fn deadlines(url: &LinkUrl) -> Deadlines {
    let usual = Deadlines::of(url);
    let patience = if url.signs_on() { PATIENCE_AT_300_BAUD } else { PATIENCE };
    Deadlines { response: usual.response.min(patience), retries: 0, ..usual }
}

async fn ask(session: &mut Session, found: &mut MeterFound) {
    found.logical_device_name = text(session, LOGICAL_DEVICE_NAME, "logical device name", found).await;
    found.serial_number = text(session, SERIAL_NUMBER, "serial number", found).await;
    let list = read(session, OBJECT_LIST, "object list", found).await;
    found.objects = list.and_then(|list| list.elements().map(<[Data]>::len));
    let clock = read(session, CLOCK, "clock", found).await;
    found.clock =
        clock.map(|data| values::reading(&data, CLOCK.class, None, DeviationSign::Standard).to_string());
}

async fn text(
    session: &mut Session,
    attribute: AttributeRef,
    what: &str,
    found: &mut MeterFound,
) -> Option<String> {
    let data = read(session, attribute, what, found).await?;
    Some(values::value(&data, DeviationSign::Standard).to_string())
}

async fn read(
    session: &mut Session,
    attribute: AttributeRef,
    what: &str,
    found: &mut MeterFound,
) -> Option<Data> {
    match session.get(attribute, None).await {
        Ok(data) => Some(data),
        Err(error) => {
            found.unread.push(format!("{what} ({attribute}): {}", error.kind));
            None
        }
    }
}

impl fmt::Display for MeterFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.link)?;
        let objects = self.objects.map(|count| count.to_string());
        let lines = [
            ("identification", &self.identification),
            ("logical device name", &self.logical_device_name),
            ("serial number", &self.serial_number),
            ("objects", &objects),
            ("clock", &self.clock),
        ];
        for (what, value) in lines.iter().filter_map(|(what, value)| Some((what, value.as_ref()?))) {
            writeln!(f, "  {what}: {value}")?;
        }
        for client in &self.clients {
            writeln!(f, "  client {} to server {}: {}", client.client, client.server, client.found)?;
        }
        for words in &self.unread {
            writeln!(f, "  not read: {words}")?;
        }
        Ok(())
    }
}
