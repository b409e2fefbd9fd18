//! The home area network as the hub's device log has it: which devices have joined, which are missing, which nobody declared.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use lab_config::{DeviceKind, DeviceModel, Eui64, Function, Name, Path, Profile, RigDevice};
use proto_dlms::data::{Data, DeviationSign};
use tokio::time::{Instant, timeout_at};

use super::{BASIC, DeviceFound, Difference, IDENTITY, expected, shown};
use crate::driver::access::{Access, Deadlines};
use crate::driver::rig::{self, Client, ReachError, RigLinks};
use crate::driver::session::Session;
use crate::driver::zcl::ZclReader;
use crate::driver::{cosem, values};

/// Devices of one log that are looked at; a hub keeps sixteen.
const MOST: usize = 64;

/// A device the hub says has joined its network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its EUI-64.
    pub eui64: Eui64,
    /// What the hub takes it for; none for a number that is no kind of ours.
    pub kind: Option<DeviceKind>,
    /// When the hub last heard it.
    pub last: Option<Timestamp>,
}

/// A device on the network that the lab file does not have, and what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// As the hub has it.
    pub contact: Contact,
    /// What it said, by function; only what was answered.
    pub said: Vec<(Function, String)>,
    /// The Device Model of the lab whose manufacturer and model it names.
    pub likely: Option<Name>,
    /// Why it did not say more, in words.
    pub unread: Option<String>,
}

/// The hub's device log; none where the rig has no hub, or its Device Model does not say where the log is.
pub(crate) async fn contacts(links: &RigLinks) -> Option<Result<Vec<Contact>, ReachError>> {
    let hub = links.rig().device(DeviceKind::Chf)?;
    links.hub()?;
    let profile = hub.model.profile.dlms()?;
    let log = cosem::attribute(profile.object(Function::DeviceLog)?);
    let read = async {
        let mut session = links.open(hub, Path::Wan, Client::Management).await?;
        let read = session.get(log, None).await;
        session.close().await;
        Ok(rows(&read?, cosem::sign(profile)))
    };
    Some(read.await)
}

/// Rows of EUI-64, kind and time; what is none is passed over.
fn rows(log: &Data, sign: DeviationSign) -> Vec<Contact> {
    let rows = log.elements().unwrap_or_default().iter().take(MOST);
    rows.filter_map(|row| contact(row.elements()?, sign)).collect()
}

fn contact(columns: &[Data], sign: DeviationSign) -> Option<Contact> {
    let octets: [u8; 8] = columns.first()?.as_octets()?.try_into().ok()?;
    let kind = columns.get(1).and_then(Data::as_i128).and_then(kind);
    let last = columns.get(2).and_then(Data::as_date_time).and_then(|time| values::utc(time, sign));
    Some(Contact { eui64: Eui64::from(octets), kind, last })
}

/// The device type numbers of the device log (after the GBCS device log use case).
const fn kind(number: i128) -> Option<DeviceKind> {
    match number {
        0 => Some(DeviceKind::Gsme),
        1 => Some(DeviceKind::Esme),
        2 => Some(DeviceKind::Chf),
        3 => Some(DeviceKind::Gpf),
        5 => Some(DeviceKind::Ppmid),
        6 => Some(DeviceKind::Ihd),
        _ => None,
    }
}

/// Holds the hub's log against the devices the lab file has behind it; gives those it does not have.
pub(super) fn compare(devices: &mut [DeviceFound], links: &RigLinks, contacts: &[Contact]) -> Vec<Contact> {
    let joined: BTreeMap<Eui64, &Contact> = contacts.iter().map(|contact| (contact.eui64, contact)).collect();
    let behind = |device: &RigDevice| device.via == Some(DeviceKind::Chf);
    for device in links.rig().devices().filter(|device| behind(device)) {
        let found = devices.iter_mut().find(|found| found.eui64 == device.eui64 && found.path == Path::Wan);
        let Some(found) = found else { continue };
        match joined.get(&device.eui64).map(|contact| contact.kind) {
            None => found.differences.push(Difference::new(
                "home area network",
                "joined, in the hub's device log",
                "not in it; join the device, or correct its eui-64 in the lab file",
            )),
            Some(Some(kind)) if kind != device.kind => {
                found.differences.push(Difference::new("kind in the hub's device log", device.kind, kind));
            }
            Some(_) => {}
        }
    }
    let known = |contact: &&Contact| links.rig().by_eui64(contact.eui64).is_some();
    let strangers: Vec<Contact> = contacts.iter().filter(|contact| !known(contact)).cloned().collect();
    if !strangers.is_empty()
        && let Some(hub) = devices.iter_mut().find(|found| found.kind == DeviceKind::Chf)
    {
        let words: Vec<String> = strangers.iter().map(Contact::words).collect();
        let expected = "only devices of the lab file";
        hub.differences.push(Difference::new("home area network", expected, words.join(", ")));
    }
    strangers
}

impl Contact {
    /// Its kind and EUI-64.
    #[must_use]
    pub fn words(&self) -> String {
        let kind = self.kind.map_or_else(|| "device of unknown kind".to_owned(), |kind| kind.to_string());
        format!("{kind} {}", self.eui64)
    }
}

/// Asks a device nobody declared what it is, as the public client and without a password: several wrong ones lock some
/// meters. Tried is every Device Model the lab knows of its kind, until one fits or the time is over.
pub async fn identify(
    links: &RigLinks,
    contact: &Contact,
    models: &BTreeMap<Name, Arc<DeviceModel>>,
    end: Instant,
) -> Stranger {
    let mut stranger = Stranger { contact: contact.clone(), said: Vec::new(), likely: None, unread: None };
    let fits = |model: &&Arc<DeviceModel>| contact.kind.is_none_or(|kind| kind == model.kind);
    for model in models.values().filter(fits) {
        let said = match timeout_at(end, ask(links, contact.eui64, model)).await {
            Ok(Ok(said)) => said,
            Ok(Err(error)) => {
                stranger.unread = Some(error.to_string());
                continue;
            }
            Err(_) => {
                stranger.unread = Some("not all was asked in the time a probe may take".to_owned());
                break;
            }
        };
        let likely = is_like(model, &said);
        if said.len() > stranger.said.len() || likely {
            (stranger.said, stranger.unread) = (said, None);
        }
        if likely {
            stranger.likely = Some(model.id.clone());
            break;
        }
    }
    stranger
}

fn is_like(model: &DeviceModel, said: &[(Function, String)]) -> bool {
    [Function::Manufacturer, Function::Model].into_iter().all(|function| {
        let said = said.iter().find(|(of, _)| *of == function).map(|(_, text)| text.as_str());
        said.is_some() && said == expected(&model.identity, function)
    })
}

async fn ask(
    links: &RigLinks,
    eui64: Eui64,
    model: &DeviceModel,
) -> Result<Vec<(Function, String)>, ReachError> {
    let (Some(hub), Some(route)) = (links.hub(), links.rig().route(DeviceKind::Chf, Path::Wan)) else {
        return Err(ReachError::NoHub(eui64.to_string()));
    };
    let deadlines = Deadlines { retries: 0, ..Deadlines::of(route.link()) };
    let mut said = Vec::new();
    match &model.profile {
        Profile::Zcl(_) => {
            let mut reader = ZclReader::new(hub, eui64, deadlines).await?;
            for record in reader.read_basic(&BASIC.map(|(id, _)| id)).await? {
                let function = BASIC.iter().find(|(id, _)| *id == record.id).map(|(_, function)| *function);
                if let (Some(function), Ok(value)) = (function, &record.value) {
                    said.push((function, shown(value)));
                }
            }
        }
        Profile::Dlms(profile) => {
            let server = profile.server.value;
            let access =
                Access { server: server.logical, ..Access::open(rig::client_sap(profile, Client::Public)) };
            let mut session = Session::through(hub, Some(eui64), access, deadlines).await?;
            for function in IDENTITY {
                let Some(object) = profile.object(function) else { continue };
                // What this client may not read, or what is not there, is not said.
                if let Ok(data) = session.get(cosem::attribute(object), None).await {
                    said.push((function, values::value(&data, cosem::sign(profile)).to_string()));
                }
            }
            session.close().await;
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use proto_dlms::data::DateTime;

    use super::*;

    fn row(octets: Vec<u8>, kind: u8) -> Data {
        let time = DateTime::from_unix(1_790_000_000, 0).to_octets().to_vec();
        Data::Structure(vec![Data::Octets(octets), Data::Enum(kind), Data::Octets(time)])
    }

    #[test]
    fn a_log_is_read_leniently() {
        let odd = [row(vec![1; 7], 1), Data::Null, row(vec![2; 8], 99), row(vec![3; 8], 5)];
        let found = rows(&Data::Array(odd.to_vec()), DeviationSign::Standard);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].kind, None);
        assert_eq!(found[1].kind, Some(DeviceKind::Ppmid));
        assert_eq!(found[1].last.map(Timestamp::as_second), Some(1_790_000_000));
        assert_eq!(found[0].words(), "device of unknown kind 02-02-02-02-02-02-02-02");
    }
}
