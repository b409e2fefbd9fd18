//! Offer files of stations.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::station::time;
use crate::document::{Document, FileError, Item, Table};
use crate::link_url::duration;
use crate::offer::{Does, Key, Offer, OfferedActuator, OfferedPort, Signal, Wiring};
use crate::{Authority, Endpoint, LinkUrl, Name, Topic};

/// Most ports and most actuators of a station.
const MOST: usize = 64;
/// Most octets of a signal.
const LONGEST_SIGNAL: usize = 256;

impl Offer {
    /// Reads an offer file.
    ///
    /// # Errors
    /// [`FileError`] at the first thing that is not as it should be.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        Self::parse(&Document::read(path)?)
    }

    /// Reads an offer from text.
    ///
    /// # Errors
    /// [`FileError`] at the first thing that is not as it should be.
    pub fn parse(document: &Document) -> Result<Self, FileError> {
        document.root(|table| {
            let name = table.required("name", "the station's name")?.parse("a name")?;
            let lease = table.read("lease", |item| time(item, 2, 600))?.unwrap_or(Offer::LEASE);
            let (ports, actuators) = (ports(table)?, actuators(table)?);
            if ports.is_empty() && actuators.is_empty() {
                let advice = "add a [[port]] with name, rig and link, or an [[actuator]]";
                return Err(table.error("a station that offers nothing", "ports or actuators", advice));
            }
            Ok(Offer { name, lease, ports, actuators })
        })
    }
}

fn few<'d>(table: &mut Table<'d>, key: &'static str) -> Result<Vec<Item<'d>>, FileError> {
    let Some(item) = table.optional(key) else { return Ok(Vec::new()) };
    let found = item.list("a list of tables")?;
    match found.len() {
        0..=MOST => Ok(found),
        many => Err(item.error(format!("{many} of them"), format!("at most {MOST}"), "run a second station")),
    }
}

fn rig(table: &mut Table<'_>) -> Result<Name, FileError> {
    table.required("rig", "the rig it is a part of")?.parse("the name of a rig")
}

fn ports(table: &mut Table<'_>) -> Result<BTreeMap<Name, OfferedPort>, FileError> {
    let mut ports = BTreeMap::new();
    for item in few(table, "port")? {
        let (name, port) = item.table("a port", |table| {
            let name: Name = table.required("name", "the port's name")?.parse("a name")?;
            Ok((name, OfferedPort { rig: rig(table)?, link: link(table)? }))
        })?;
        if ports.insert(name.clone(), port).is_some() {
            return Err(item.error(format!("a second port `{name}`"), "a name each", "rename one of them"));
        }
    }
    Ok(ports)
}

/// The settings of a line are the lab file's, so an offer names the place alone.
fn link(table: &mut Table<'_>) -> Result<LinkUrl, FileError> {
    let item = table.required("link", "where the port is")?;
    let link: LinkUrl = item.parse("a link URL without parameters")?;
    match &link.endpoint {
        Endpoint::Simulated | Endpoint::Station(_) => {
            let expected = "a serial port, a serial server or a network address at this bench";
            Err(item.refuse(expected, "write serial:///dev/ttyUSB0, rfc2217://host:port, tcp:// or udp://"))
        }
        endpoint if link == LinkUrl::plain(endpoint.clone()) => Ok(link),
        _ => Err(item.refuse(
            "a link URL without parameters",
            "leave them to the lab file: links.optical = \"station://STATION/PORT?sign-on=e\"",
        )),
    }
}

fn actuators(table: &mut Table<'_>) -> Result<BTreeMap<Topic, OfferedActuator>, FileError> {
    let mut actuators = BTreeMap::new();
    for item in few(table, "actuator")? {
        let (name, actuator) = item.table("an actuator", |table| {
            let name: Topic = table.required("name", "such as ESME/mains-relay")?.parse("a name")?;
            Ok((name, actuator(table)?))
        })?;
        if actuators.insert(name.clone(), actuator).is_some() {
            let found = format!("a second actuator `{name}`");
            return Err(item.error(found, "a name each", "rename one of them"));
        }
    }
    Ok(actuators)
}

fn actuator(table: &mut Table<'_>) -> Result<OfferedActuator, FileError> {
    let rig = rig(table)?;
    let wiring = table.required("at", "how it is reached").and_then(|item| wiring(&item))?;
    let answer = table.read("answer", signal)?;
    let does = if table.has("key") { keys(table)? } else { mains(table)? };
    Ok(OfferedActuator { rig, wiring, answer, does })
}

fn wiring(item: &Item<'_>) -> Result<Wiring, FileError> {
    let expected = "file:///PATH, serial:///dev/ttyUSB1?baud=9600 or tcp://HOST:PORT";
    let text = item.text(expected)?;
    if let Some(path) = text.strip_prefix("file://").filter(|path| path.starts_with('/')) {
        return Ok(Wiring::File(path.into()));
    }
    if let Some(address) = text.strip_prefix("tcp://") {
        let address = Authority::parse(address, None);
        return address.map(Wiring::Tcp).map_err(|error| item.refuse(expected, error.to_string()));
    }
    let link: LinkUrl = item.parse(expected)?;
    match &link.endpoint {
        Endpoint::Serial(path) => Ok(Wiring::Serial { path: path.clone(), baud: link.baud() }),
        _ => Err(item.refuse(expected, "name a file, a serial port or a TCP address")),
    }
}

fn mains(table: &mut Table<'_>) -> Result<Does, FileError> {
    Ok(Does::Mains {
        on: table.required("on", "what switches the mains on").and_then(|item| signal(&item))?,
        off: table.required("off", "what switches the mains off").and_then(|item| signal(&item))?,
        safe: table.read("safe", |item| item.parse("on or off, when nobody holds the rig"))?,
    })
}

fn keys(table: &mut Table<'_>) -> Result<Does, FileError> {
    let meaning = "keys, such as key.A = { down = \"1\", up = \"0\" }";
    let mut keys = BTreeMap::new();
    for (name, item) in table.required("key", meaning)?.open(meaning)?.entries() {
        let key = item.table(meaning, |table| {
            Ok(Key {
                down: table.required("down", "what pushes it").and_then(|item| signal(&item))?,
                up: table.required("up", "what lets it go").and_then(|item| signal(&item))?,
            })
        })?;
        keys.insert(name.text("the key's name")?.to_owned(), key);
    }
    Ok(Does::Keys { keys, press: table.read("press", press)?.unwrap_or(Offer::PRESS) })
}

fn press(item: &Item<'_>) -> Result<Duration, FileError> {
    let expected = "a time from 1ms to 10s";
    let found = duration(item.text(expected)?).filter(|found| *found <= Duration::from_secs(10));
    found.ok_or_else(|| item.refuse(expected, "write \"300ms\" or \"2s\""))
}

/// Octets: text as it stands, or `hex:` and hexadecimal digits.
fn signal(item: &Item<'_>) -> Result<Signal, FileError> {
    let expected = "octets: text, or hex:A00101A2";
    let text = item.text(expected)?;
    let octets = match text.strip_prefix("hex:") {
        Some(digits) => octets(digits),
        None => Some(text.as_bytes().to_vec()),
    };
    octets
        .filter(|octets| (1..=LONGEST_SIGNAL).contains(&octets.len()))
        .map(Signal)
        .ok_or_else(|| item.refuse(expected, format!("write 1 to {LONGEST_SIGNAL} octets")))
}

fn octets(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = digits
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| letter.to_digit(16))
        .collect::<Option<_>>()?;
    let whole = digits.len().is_multiple_of(2);
    whole.then(|| digits.chunks(2).filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Switch;

    const RELAY: &str = "[[actuator]]\nname = \"ESME/mains-relay\"\nrig = \"rig-1\"\non = \"hex:A0 01 01 A2\"\noff = \"hex:A00100A1\"\n";

    fn read(text: &str) -> Result<Offer, FileError> {
        Offer::parse(&Document::new("bench-2.toml", text))
    }

    fn words(text: &str) -> String {
        read(text).expect_err("refused").to_string()
    }

    #[test]
    fn a_relay_board_a_supply_and_a_pin_are_read() {
        let at = |at: &str| format!("name = \"bench-2\"\n{RELAY}safe = \"on\"\nat = \"{at}\"\n");
        let offer = read(&at("serial:///dev/ttyUSB1?baud=9600")).expect("an offer");
        let actuator = offer.actuators.values().next().expect("one");
        let Does::Mains { on, safe, .. } = &actuator.does else { panic!("a relay") };
        assert_eq!((on.0.as_slice(), *safe), (&[0xA0, 1, 1, 0xA2][..], Some(Switch::On)));
        assert!(matches!(&actuator.wiring, Wiring::Serial { baud: 9600, .. }));
        assert!(read(&at("tcp://10.0.0.7:5025")).is_ok());
        assert!(read(&at("file:///sys/class/gpio/gpio17/value")).is_ok());
        assert!(words(&at("file:value")).contains("file:///PATH"));
        assert!(words(&at("udp://h:1")).contains("name a file, a serial port or a TCP address"));
    }

    #[test]
    fn keys_are_pushed_and_let_go() {
        let keys = "name = \"b\"\n[[actuator]]\nname = \"ESME/keys\"\nrig = \"r\"\nat = \"tcp://h:1\"\npress = \"50ms\"\nkey.A = { down = \"A\", up = \"a\" }\n";
        let offer = read(keys).expect("an offer");
        let Does::Keys { keys, press } = &offer.actuators.values().next().expect("one").does else {
            panic!("keys")
        };
        assert_eq!((keys["A"].down.0.as_slice(), *press), (&b"A"[..], Duration::from_millis(50)));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let port =
            |link: &str| format!("name = \"b\"\n[[port]]\nname = \"p\"\nrig = \"r\"\nlink = \"{link}\"\n");
        let relay = format!("name = \"b\"\n{RELAY}at = \"tcp://h:1\"\nsafe = \"open\"");
        for (text, found) in [
            ("name = \"b\"".to_owned(), "1:1: found a station that offers nothing"),
            (port("serial:///dev/ttyUSB0?baud=300"), "5:8: found `serial:///dev/ttyUSB0?baud=300`"),
            (port("station://a/b"), "expected a serial port, a serial server or a network address"),
            (format!("lease = \"1s\"\n{}", port("tcp://h:1")), "1:9: found `1s`"),
            (relay, "use one of on, off"),
        ] {
            let words = words(&text);
            assert!(words.contains(found), "{words}");
        }
    }

    const WHOLE: &str = "name = \"bench-2\"\nlease = \"20s\"\n[[port]]\nname = \"optical\"\nrig = \"rig-1\"\nlink = \"serial:///dev/ttyUSB0\"\n[[actuator]]\nname = \"ESME/keys\"\nrig = \"rig-1\"\nat = \"tcp://127.0.0.1:5025\"\nanswer = \"ok\"\npress = \"300ms\"\nkey.A = { down = \"hex:01\", up = \"hex:00\" }\n";

    proptest::proptest! {
        /// Whatever is put in place of a piece of an offer, it is read or refused in its place.
        #[test]
        fn a_damaged_offer_is_read_or_refused_in_place(at in 0..WHOLE.len(), gone in 0_usize..12, put in "\\PC{0,8}") {
            let text = format!("{}{put}{}", &WHOLE[..at], WHOLE.get(at + gone..).unwrap_or_default());
            match read(&text) {
                Ok(offer) => proptest::prop_assert!(!offer.rigs().is_empty() && offer.lease >= Duration::from_secs(2)),
                Err(error) => proptest::prop_assert!(error.line > 0 && !error.advice.is_empty(), "{error}"),
            }
        }
    }
}
