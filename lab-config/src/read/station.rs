//! The broker and the stations of a lab file.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proto_duis::DeviceKind;

use super::credentials;
use super::identity;
use crate::ClientIdentity;
use crate::broker::{Broker, BrokerUrl, Login};
use crate::document::{FileError, Item, Table};
use crate::link_url::duration;
use crate::sources::Sources;
use crate::station::{has_keys, has_mains};
use crate::{ActuatorKind, Name, Over, QualityOfService, Rig, RigDevice, SensorKind, Station, Topic};

pub(super) fn broker(item: &Item<'_>, sources: &Sources) -> Result<Broker, FileError> {
    item.table("the MQTT broker of the lab's stations", |table| {
        let url_item = table.required("url", "where the broker is")?;
        let url: BrokerUrl = url_item.parse("the URL of a broker")?;
        let path = |item: &Item<'_>| Ok(sources.path(item.text("a file in PEM")?));
        let authority = table.read("ca", path)?;
        let identity = shown(table, sources)?;
        let secure = matches!(url, BrokerUrl::Tls(_));
        if secure != authority.is_some() || (identity.is_some() && !secure) {
            let expected = "`ca` with an mqtts broker, and no certificates with any other";
            let advice =
                "name the file of the authority that signed the broker's certificate: ca = \"lab-ca.pem\"";
            return Err(url_item.error(format!("`{url}`"), expected, advice));
        }
        let login = login(table, &url, sources)?;
        let keep_alive = table.read("keep-alive", |item| time(item, 1, 600))?.unwrap_or(Broker::KEEP_ALIVE);
        Ok(Broker { url, authority, identity, login, keep_alive })
    })
}

fn shown(table: &mut Table<'_>, sources: &Sources) -> Result<Option<ClientIdentity>, FileError> {
    let path = |item: &Item<'_>| Ok(sources.path(item.text("a file in PEM")?));
    let key = |item: &Item<'_>| identity::private_key(item, sources);
    match (table.read("certificate", path)?, table.read("key", key)?) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(ClientIdentity { certificate, key })),
        _ => Err(table.error("one of `certificate` and `key`", "both or none", "name the other file too")),
    }
}

fn login(table: &mut Table<'_>, url: &BrokerUrl, sources: &Sources) -> Result<Option<Login>, FileError> {
    let user = table.read("user", |item| Ok(item.text("the user")?.to_owned()))?;
    let password = table.read("password", |item| credentials::password(item, sources))?;
    match (user, password) {
        (None, None) if *url == BrokerUrl::Embedded => Ok(Some(Broker::embedded_login())),
        (None, None) => Ok(None),
        (Some(user), Some(password)) => Ok(Some(Login { user, password })),
        _ => Err(table.error("one of `user` and `password`", "both or none", "add the other")),
    }
}

/// A length of time between so many seconds and so many.
pub(super) fn time(item: &Item<'_>, least: u64, most: u64) -> Result<Duration, FileError> {
    let expected = format!("a time from {least}s to {most}s, such as \"5s\"");
    let found = duration(item.text(&expected)?);
    found
        .filter(|found| (Duration::from_secs(least)..=Duration::from_secs(most)).contains(found))
        .ok_or_else(|| item.refuse(expected, "write whole seconds or milliseconds: \"5s\", \"1500ms\""))
}

/// Reads the stations of a rig with these devices.
pub(super) fn stations(
    table: &mut Table<'_>,
    rig: &Name,
    devices: &BTreeMap<DeviceKind, RigDevice>,
) -> Result<Vec<Station>, FileError> {
    let Some(item) = table.optional("station") else { return Ok(Vec::new()) };
    let mut reader = Reader { rig, devices, seen: Seen::default() };
    item.tables("the rig's stations, as [[rig.station]]", |table| reader.station(table))
}

/// What must not be in a rig twice.
#[derive(Default)]
struct Seen {
    names: BTreeSet<Name>,
    actuators: BTreeSet<(DeviceKind, ActuatorKind)>,
    sensors: BTreeSet<(DeviceKind, SensorKind)>,
}

struct Reader<'r> {
    rig: &'r Name,
    devices: &'r BTreeMap<DeviceKind, RigDevice>,
    seen: Seen,
}

impl Reader<'_> {
    fn station(&mut self, table: &mut Table<'_>) -> Result<Station, FileError> {
        let name_item = table.required("name", "the station's name")?;
        let name: Name = name_item.parse("a name")?;
        if !self.seen.names.insert(name.clone()) {
            return Err(name_item.refuse("a name no other station of the rig has", "rename one of them"));
        }
        let prefix =
            table.read("topic", |item| item.parse::<Topic>("the topic all of the station's begin with"))?;
        let prefix = match prefix {
            Some(prefix) => prefix,
            None => format!("{}/{name}", self.rig).parse().map_err(|e: crate::TopicError| {
                name_item.error(format!("`{name}`"), "a name that makes a topic", e.to_string())
            })?,
        };
        let meaning = "whether the station is simulated";
        let simulated = table.read("simulated", |item| item.boolean(meaning))?.unwrap_or(false);
        let over = table.read("over", |item| item.parse("mqtt or grpc"))?.unwrap_or_default();
        let station = Station {
            over,
            status: prefix.below("status"),
            deadline: table.read("deadline", |item| time(item, 1, 60))?.unwrap_or(Station::DEADLINE),
            quality: table
                .read("quality-of-service", |item| item.parse("how messages are delivered"))?
                .unwrap_or(QualityOfService::AtLeastOnce),
            actuators: self.actuators(table, (over, &prefix))?,
            sensors: self.sensors(table, (over, &prefix))?,
            name,
            simulated,
        };
        self.refuse_unsound(table, &station)?;
        Self::refuse_unfit(table, &station)?;
        Ok(station)
    }

    fn actuators(
        &mut self,
        table: &mut Table<'_>,
        at: (Over, &Topic),
    ) -> Result<BTreeMap<(DeviceKind, ActuatorKind), Topic>, FileError> {
        let mut actuators = BTreeMap::new();
        for item in list(table, "actuator")? {
            let (device, kind, topic) = self.part::<ActuatorKind>(&item, at, "mains-relay or keys")?;
            let (fits, why) = match kind {
                ActuatorKind::MainsRelay => (has_mains(device), "a device that lives on the mains"),
                ActuatorKind::Keys => (has_keys(device), "a device with keys"),
            };
            if !fits {
                return Err(item.error(format!("a {kind} at the {device}"), why, "remove the actuator"));
            }
            if !self.seen.actuators.insert((device, kind)) {
                return Err(twice(&item, device, kind));
            }
            actuators.insert((device, kind), topic);
        }
        Ok(actuators)
    }

    fn sensors(
        &mut self,
        table: &mut Table<'_>,
        at: (Over, &Topic),
    ) -> Result<BTreeMap<(DeviceKind, SensorKind), Topic>, FileError> {
        let mut sensors = BTreeMap::new();
        for item in list(table, "sensor")? {
            let expected = "supply-voltage, current or temperature";
            let (device, kind, topic) = self.part::<SensorKind>(&item, at, expected)?;
            if !self.seen.sensors.insert((device, kind)) {
                return Err(twice(&item, device, kind));
            }
            sensors.insert((device, kind), topic);
        }
        Ok(sensors)
    }

    /// An actuator or a sensor: at which device, of which kind, on which topic.
    fn part<K>(
        &self,
        item: &Item<'_>,
        (over, prefix): (Over, &Topic),
        expected: &str,
    ) -> Result<(DeviceKind, K, Topic), FileError>
    where
        K: std::str::FromStr<Err = crate::UnknownWord> + std::fmt::Display,
    {
        item.table("an actuator or sensor, such as { kind = \"keys\", device = \"ESME\" }", |table| {
            let kind: K = table.required("kind", expected)?.parse(expected)?;
            let device_item = table.required("device", "the device it is at")?;
            let device: DeviceKind = device_item.parse("a device kind")?;
            if !self.devices.contains_key(&device) {
                let expected = format!("a device of rig {}", self.rig);
                return Err(device_item.refuse(expected, "remove it, or add the device as [[rig.device]]"));
            }
            let topic = match over {
                Over::Mqtt => table
                    .read("topic", |item| item.parse::<Topic>("its topic"))?
                    .unwrap_or_else(|| prefix.below(device.as_str()).below(&kind.to_string())),
                Over::Grpc => table
                    .read("offered", |item| item.parse::<Topic>("the name the station offers it under"))?
                    .unwrap_or_else(|| Topic::of_levels(device.as_str(), &kind.to_string())),
            };
            Ok((device, kind, topic))
        })
    }

    /// What only stations at a broker have.
    fn refuse_unfit(table: &Table<'_>, station: &Station) -> Result<(), FileError> {
        let found = match station.over {
            Over::Mqtt => return Ok(()),
            Over::Grpc if station.simulated => "a simulated station over gRPC",
            Over::Grpc if !station.sensors.is_empty() => "sensors of a station over gRPC",
            Over::Grpc => return Ok(()),
        };
        let advice = "remove them, or describe a second station, over = \"mqtt\"";
        Err(table.error(found, "a real station with actuators, which offers links besides", advice))
    }

    /// A simulated station acts on simulated devices by their hand; it has none on a real one.
    fn refuse_unsound(&self, table: &Table<'_>, station: &Station) -> Result<(), FileError> {
        if station.actuators.is_empty() && station.sensors.is_empty() {
            let advice = "add actuator = [{ kind = \"keys\", device = \"ESME\" }], or remove the station";
            return Err(table.error("a station without actuators and sensors", "at least one", advice));
        }
        let actuated = station.actuators.keys().map(|(device, _)| device);
        let sensed = station.sensors.keys().map(|(device, _)| device);
        let real = actuated.chain(sensed).find(|kind| self.devices.get(kind).is_some_and(|d| !d.simulated));
        match real.filter(|_| station.simulated) {
            None => Ok(()),
            Some(kind) => Err(table.error(
                format!("a simulated station at the {kind}, which is not simulated"),
                "simulated devices, or a real station",
                "remove `simulated`, or give the device a simulated link",
            )),
        }
    }
}

fn list<'d>(table: &mut Table<'d>, key: &'static str) -> Result<Vec<Item<'d>>, FileError> {
    let found = table.optional(key).map(|item| item.list("a list of tables")).transpose()?;
    Ok(found.unwrap_or_default())
}

fn twice(item: &Item<'_>, device: DeviceKind, kind: impl std::fmt::Display) -> FileError {
    let found = format!("a second {kind} at the {device}");
    item.error(found, "one of a kind at each device", "remove one of them")
}

/// What holds between the broker and the stations of all rigs.
pub(super) fn refuse_unmet(
    table: &Table<'_>,
    broker: Option<&Broker>,
    rigs: &[Rig],
) -> Result<(), FileError> {
    let mut topics = BTreeSet::new();
    let all = rigs.iter().flat_map(|rig| rig.stations.iter().map(move |station| (rig, station)));
    for (rig, station) in all.filter(|(_, station)| station.over == Over::Mqtt) {
        let Some(broker) = broker else {
            let found = format!("station {} of rig {}, and no broker", station.name, rig.name);
            let advice = "add [broker] with url = \"mqtt://host:1883\"";
            return Err(table.error(found, "[broker]: where stations and harness meet", advice));
        };
        let at_hand = station.simulated && rig.is_simulated();
        if broker.is_embedded() && !at_hand {
            let found = format!("an embedded broker, and station {} of rig {}", station.name, rig.name);
            let advice = "name a broker the station reaches: url = \"mqtt://host:1883\"";
            return Err(table.error(found, "only simulated stations, beside their devices", advice));
        }
        if matches!(broker.url, BrokerUrl::Tls(_)) && at_hand {
            let found =
                format!("an mqtts broker, and simulated station {} of rig {}", station.name, rig.name);
            let advice = "simulated stations speak without TLS: use an mqtt:// or the embedded broker";
            return Err(table.error(found, "a broker simulated stations reach", advice));
        }
        if let Some(topic) = station.topics().find(|topic| !topics.insert(topic.clone())) {
            let found =
                format!("topic {topic} a second time, of station {} of rig {}", station.name, rig.name);
            return Err(table.error(found, "a topic for each thing said", "change `topic` of one of them"));
        }
    }
    Ok(())
}
