//! Rigs of a lab file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proto_duis::{DeviceKind, Eui64};

use super::combination::Combinations;
use super::{credentials, look_up, registration, station};
use crate::document::{FileError, Item, Table};
use crate::sources::Sources;
use crate::{
    AsFound, Capability, Dcc, DccEnvironment, DeviceModelCombination, LinkUrl, MeterPointNumber, Name, Path,
    Rig, RigDevice, SafeState,
};

type Devices = BTreeMap<DeviceKind, RigDevice>;

/// What rigs are read with: where files are, and whose DCC leads to the devices.
pub(super) struct Means<'s> {
    pub(super) sources: &'s Sources,
    pub(super) dcc: &'s Dcc,
}

pub(super) fn rigs(
    table: &mut Table<'_>,
    combinations: &Combinations,
    means: &Means<'_>,
) -> Result<Vec<Rig>, FileError> {
    let meaning = "rigs, as [[rig]]";
    let mut seen = Seen::default();
    table.required("rig", meaning)?.tables(meaning, |table| rig(table, combinations, means, &mut seen))
}

/// What must not be in a lab twice.
#[derive(Default)]
struct Seen {
    names: BTreeSet<Name>,
    identities: BTreeSet<Eui64>,
    meter_points: BTreeSet<MeterPointNumber>,
}

fn rig(
    table: &mut Table<'_>,
    combinations: &Combinations,
    means: &Means<'_>,
    seen: &mut Seen,
) -> Result<Rig, FileError> {
    let name_item = table.required("name", "the rig's name")?;
    let name: Name = name_item.parse("a name")?;
    if !seen.names.insert(name.clone()) {
        return Err(name_item.refuse("a name no other rig has", "rename one of the rigs"));
    }
    let combination = table.required("combination", "the combination the rig is")?;
    let combination = Arc::clone(look_up(&combination, "a combination", combinations)?);
    let safe_state = table.read("safe-state", safe_state)?.unwrap_or_default();
    let credentials =
        table.read("credentials", |item| item.parse("changed or kept, by a migration"))?.unwrap_or_default();
    let devices = devices(table, &combination, means, seen)?;
    refuse_missing_devices(table, &combination, &devices)?;
    let stations = station::stations(table, &name, &devices)?;
    let dongle = table.read("dongle", |item| item.parse("a dongle URL"))?;
    Ok(Rig::new(name, combination, (safe_state, credentials), devices, stations, dongle))
}

fn safe_state(item: &Item<'_>) -> Result<SafeState, FileError> {
    item.table("what the rig is brought to when a run ends", |table| {
        Ok(SafeState {
            supply: table.read("supply", |item| item.parse("enabled or disabled"))?,
            payment_mode: table.read("payment-mode", |item| item.parse("credit or prepayment"))?,
        })
    })
}

fn refuse_missing_devices(
    table: &Table<'_>,
    combination: &DeviceModelCombination,
    devices: &Devices,
) -> Result<(), FileError> {
    let missing = combination.models.keys().find(|kind| !devices.contains_key(kind));
    missing.map_or(Ok(()), |kind| {
        Err(table.error(
            format!("no {kind}"),
            format!("a [[rig.device]] for each kind of the combination `{}`", combination.id),
            format!("add the {kind}, or use a combination without one"),
        ))
    })
}

fn devices(
    table: &mut Table<'_>,
    combination: &DeviceModelCombination,
    means: &Means<'_>,
    seen: &mut Seen,
) -> Result<Devices, FileError> {
    let meaning = "the rig's devices, as [[rig.device]]";
    let items = table.required("device", meaning)?.list(meaning)?;
    let outlines = items
        .iter()
        .map(|item| Ok((item, outline(item, combination)?)))
        .collect::<Result<Vec<_>, FileError>>()?;
    let carriers: BTreeMap<DeviceKind, &Outline> =
        outlines.iter().map(|(_, outline)| (outline.kind, outline)).collect();
    let mut devices = Devices::new();
    for (item, outline) in &outlines {
        let device = device(item, outline, &carriers, combination, means)?;
        if !seen.identities.insert(device.eui64) {
            let found = format!("EUI-64 {} a second time", device.eui64);
            return Err(item.error(found, "a different EUI-64 for each device", "correct one of them"));
        }
        if let Some(number) =
            device.meter_point.clone().filter(|number| !seen.meter_points.insert(number.clone()))
        {
            let found = format!("meter point {number} a second time");
            return Err(item.error(
                found,
                "one meter at each meter point",
                "give one of them its own `meter-point`",
            ));
        }
        if devices.insert(device.kind, device).is_some() {
            let found = format!("a second {}", outline.kind);
            return Err(item.error(found, "at most one device of each kind", "describe a second rig"));
        }
    }
    Ok(devices)
}

/// The part of a device that must be known before the others can be judged.
struct Outline {
    kind: DeviceKind,
    links: BTreeMap<Path, LinkUrl>,
    routes: bool,
}

fn outline(item: &Item<'_>, combination: &DeviceModelCombination) -> Result<Outline, FileError> {
    let mut table = item.open("a device")?;
    let kind_item = table.required("kind", "the kind of device")?;
    let kind: DeviceKind = kind_item.parse("a device kind")?;
    let Some(model) = combination.models.get(&kind) else {
        return Err(kind_item.refuse(
            format!("a kind the combination `{}` has", combination.id),
            "remove the device, or add its Device Model to the combination",
        ));
    };
    let links = table.read("links", links)?.unwrap_or_default();
    let routes = model.can(Capability::Router);
    Ok(Outline { kind, links, routes })
}

fn links(item: &Item<'_>) -> Result<BTreeMap<Path, LinkUrl>, FileError> {
    item.open("link URLs by path, such as links.optical = \"serial:///dev/ttyUSB0?sign-on=e\"")?
        .entries()
        .into_iter()
        .map(|(path, url)| {
            let path = link_path(&path)?;
            Ok((path, link(path, &url)?))
        })
        .collect()
}

fn link(path: Path, url: &Item<'_>) -> Result<LinkUrl, FileError> {
    let link: LinkUrl = url.parse("a link URL")?;
    match (path, link.transport) {
        (Path::Wan, _) | (_, None) => Ok(link),
        (_, Some(_)) => Err(url.error(
            format!("`transport` on the {path} link"),
            "a link that carries the DLMS wrapper, which of simulated links only `wan` does",
            "remove it",
        )),
    }
}

/// The home area network is no link of one device: a dongle leads to all of them.
fn link_path(item: &Item<'_>) -> Result<Path, FileError> {
    match item.parse("a path")? {
        Path::Han => {
            Err(item.refuse("wan, optical or local", "write `dongle = \"ezsp://...\"` in the [[rig]]"))
        }
        path => Ok(path),
    }
}

fn device(
    item: &Item<'_>,
    outline: &Outline,
    carriers: &BTreeMap<DeviceKind, &Outline>,
    combination: &DeviceModelCombination,
    means: &Means<'_>,
) -> Result<RigDevice, FileError> {
    let kind = outline.kind;
    item.table("a device", |table| {
        // The outline has read these; here they are asked for so that they count as known.
        table.optional("kind");
        table.optional("links");
        if let Some(environment) = means.dcc.environment() {
            refuse_second_way(table, outline, environment)?;
        }
        let via = table.read("via", |via| carrier(via, kind, carriers))?;
        let simulated = is_simulated(outline, via.and_then(|via| carriers.get(&via).copied()));
        let meaning = "whether the device is simulated, though its links look real";
        let declared = table.optional("simulated").map(|item| item.boolean(meaning)).transpose()?;
        let declared_simulated = declared.unwrap_or(false);
        let eui64 = table.required("eui-64", "the device's EUI-64")?.parse("an EUI-64")?;
        let model = combination.models.get(&kind).cloned();
        let device = RigDevice {
            kind,
            eui64,
            model: model.ok_or_else(|| table.error(kind.as_str(), "a kind of the combination", "add it"))?,
            links: outline.links.clone(),
            via,
            simulated: simulated || declared_simulated,
            meter_point: registration::meter_point(table, kind, eui64)?,
            credentials: credentials::credentials(table, means.sources, simulated)?,
            as_found: table.read("as-found", as_found)?.unwrap_or_default(),
        };
        refuse_unreachable(table, &device, means.dcc)?;
        refuse_missing_credentials(table, &device)?;
        refuse_other_mechanism(table, &device)?;
        Ok(device)
    })
}

fn as_found(item: &Item<'_>) -> Result<AsFound, FileError> {
    item.table("the versions the device has before its SMSO prepares it", |table| {
        let version = |item: &Item<'_>| item.parse("1 to 30 printable characters");
        Ok(AsFound {
            firmware_version: table.read("firmware-version", version)?,
            configuration_version: table.read("configuration-version", version)?,
        })
    })
}

fn carrier(
    via: &Item<'_>,
    kind: DeviceKind,
    carriers: &BTreeMap<DeviceKind, &Outline>,
) -> Result<DeviceKind, FileError> {
    let carrier: DeviceKind = via.parse("the device that carries the traffic, such as CHF")?;
    let fits = |found: &&&Outline| found.routes && found.links.contains_key(&Path::Wan);
    match carriers.get(&carrier).filter(fits) {
        Some(_) if carrier != kind => Ok(carrier),
        _ => Err(via.refuse(
            "another device of this rig with a `wan` link and the capability `router`",
            "name the communications hub, and give it its `links.wan`",
        )),
    }
}

/// Whether only simulated links lead to the device.
fn is_simulated(outline: &Outline, carrier: Option<&Outline>) -> bool {
    let own = outline.links.values();
    let carried = carrier.into_iter().flat_map(|carrier| carrier.links.values());
    let mut links = own.chain(carried).peekable();
    // A device that no link leads to is whatever its DCC has there.
    links.peek().is_some() && links.all(LinkUrl::is_simulated)
}

/// One path to a device: where the DCC is somebody else's, its S1SP alone is on the wide area path, and devices simulated by
/// this process are none of that DCC's.
fn refuse_second_way(table: &Table<'_>, outline: &Outline, dcc: &DccEnvironment) -> Result<(), FileError> {
    let found = match outline.links.iter().find(|(path, link)| **path == Path::Wan || link.is_simulated()) {
        Some((path, link)) => format!("`links.{path}` = `{link}`"),
        None if table.has("via") => "`via`".to_owned(),
        None => return Ok(()),
    };
    let expected =
        format!("no way to the {} besides the DCC at {}, save its own port", outline.kind, dcc.url);
    let advice = "remove it: the wide area path is that DCC's, and so are its devices; links.optical and links.local \
                  of what stands in this lab may stay";
    Err(table.error(found, expected, advice))
}

fn refuse_unreachable(table: &Table<'_>, device: &RigDevice, dcc: &Dcc) -> Result<(), FileError> {
    if device.via.is_some() && device.links.contains_key(&Path::Wan) {
        return Err(table.error(
            "both `via` and `links.wan`",
            "one way to the device on the wide area path",
            "remove one of them",
        ));
    }
    if device.via.is_none() && device.links.is_empty() && dcc.stub().is_some() {
        return Err(table.error(
            format!("a {} no path leads to", device.kind),
            "`links` or `via`",
            "add `via = \"CHF\"` or a link URL",
        ));
    }
    Ok(())
}

/// Each client the harness will be must be one the file gives credentials for.
fn refuse_missing_credentials(table: &Table<'_>, device: &RigDevice) -> Result<(), FileError> {
    let wan = device.via.map(|_| Path::Wan);
    let missing = device
        .links
        .keys()
        .copied()
        .chain(wan)
        .filter_map(|path| device.client(path))
        .find(|client| device.credentials.client(*client).is_none());
    missing.map_or(Ok(()), |client| {
        Err(table.error(
            format!("no credentials of client {client}"),
            format!("`client.{client}`, as which the harness speaks to the {}", device.kind),
            format!("add client.{client} = {{ security = \"none\" }}, or \"low\" with a password"),
        ))
    })
}

/// A client proves itself in the way its Device Model knows, where that says.
fn refuse_other_mechanism(table: &Table<'_>, device: &RigDevice) -> Result<(), FileError> {
    let Some(profile) = device.model.profile.dlms() else { return Ok(()) };
    for (client, security) in &device.credentials.clients {
        let Some(asked) = profile.security(*client).map(|asked| asked.mechanism) else { continue };
        if asked != security.mechanism() {
            return Err(table.error(
                format!("security `{}` for client {client}", security.mechanism()),
                format!("`{asked}`, which the Device Model {} asks of this client", device.model.id),
                "change the security of the client, or what [profile.security] of the Device Model says",
            ));
        }
    }
    Ok(())
}
