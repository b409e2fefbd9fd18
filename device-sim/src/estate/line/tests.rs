//! The ways of the modelled meters at their local ports, each met by the protocol's own client.

use lab_config::{Lab, Rig};
use proto_dlms::echo::Echo;
use proto_dlms::hdlc::{Address, AddressSize, Client, ClientEvent, ClientSettings, MaxInfo, Window};
use proto_dlms::sign_on::{Client as SignOn, ClientEvent as SignOnEvent, ClientSettings as SignOnSettings};

use super::*;
use crate::home::Home;
use crate::model::tests::NOW;
use crate::sim_clock::SimClock;

fn cohorts() -> Lab {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../lab-config/labs/cohorts.toml");
    Lab::load(&file).unwrap()
}

fn site(rig: &Rig) -> Site {
    let (clock, _) = SimClock::stepped(jiff::Timestamp::from_millisecond(NOW.millis()).unwrap());
    Site::new(rig.name.to_string(), clock, Home::build(rig, NOW, 1).unwrap(), &[], 1)
}

fn settings(rig: &Rig, kind: DeviceKind) -> LineSettings {
    let device = rig.device(kind).unwrap();
    let (path, url) = device.links.iter().next().unwrap();
    super::super::line_settings(device, *path, url)
}

/// Both ends of a line, and the time on it.
struct Pair<'a> {
    line: Line<'a>,
    now: Instant,
}

impl Pair<'_> {
    /// What the line says to these octets, waiting until it is quiet.
    fn say(&mut self, octets: &[u8]) -> Vec<u8> {
        self.line.receive(octets, self.now);
        let mut said = self.taken();
        for _ in 0..20 {
            let Some(due) = self.line.poll_timeout().filter(|due| *due < self.now + Duration::from_secs(2))
            else {
                break;
            };
            self.now = self.now.max(due);
            self.line.handle_timeout(self.now);
            said.extend(self.taken());
        }
        said
    }

    fn taken(&mut self) -> Vec<u8> {
        let now = self.now;
        std::iter::from_fn(|| self.line.poll_transmit(now)).flatten().collect()
    }

    /// Signs on; the identification as the client understood it.
    fn sign_on(&mut self) -> (Identification, Echo) {
        let mut client = SignOn::new(SignOnSettings::default());
        client.start(self.now);
        for _ in 0..50 {
            while let Some(octets) = client.poll_transmit() {
                let said = self.say(&octets);
                client.receive(&said, self.now);
            }
            while let Some(event) = client.poll_event() {
                if let SignOnEvent::SignedOn { identification, echo, .. } = event {
                    return (identification, echo);
                }
            }
            self.now = client.poll_timeout().map_or(self.now, |due| due.max(self.now));
            client.handle_timeout(self.now);
        }
        panic!("no sign-on")
    }

    /// Connects as a client that offers the most; what was agreed, and how long the answer took.
    fn connect(&mut self, server: Address, echo: Echo) -> (Parameters, Duration) {
        let client = Address::client(1).unwrap();
        let most = Parameters::symmetric(MaxInfo::MAX, Window::MAX);
        let settings = ClientSettings { parameters: most, echo, ..ClientSettings::new(client, server) };
        let mut client = Client::new(settings);
        client.connect(self.now);
        let begun = self.now;
        while let Some(frame) = client.poll_transmit() {
            let said = self.say(&frame);
            client.receive(&said, self.now);
        }
        match client.poll_event() {
            Some(ClientEvent::Connected(agreed)) => (agreed, self.now - begun),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_meter_without_the_mode_e_marker_signs_on_all_the_same() {
    let lab = cohorts();
    let rig = lab.rig("ioc-aclara").unwrap();
    let site = site(rig);
    let mut pair = Pair { line: Line::new(&site, settings(rig, DeviceKind::Esme)), now: Instant::now() };
    let (identification, _) = pair.sign_on();
    assert_eq!((identification.manufacturer, identification.mode_e), (*b"ACL", false));
    let server = Address::sized(1, 17, AddressSize::Two).unwrap();
    assert_eq!(pair.connect(server, Echo::Unknown).0.max_info_tx, MaxInfo::DEFAULT);
}

#[test]
fn an_echoing_head_gives_back_every_octet_also_before_a_dead_meter() {
    let lab = cohorts();
    let rig = lab.rig("moc-mds").unwrap();
    let site = site(rig);
    let mut pair = Pair { line: Line::new(&site, settings(rig, DeviceKind::Esme)), now: Instant::now() };
    let (identification, echo) = pair.sign_on();
    assert_eq!((identification.baud, echo), (Baud::B4800, Echo::Present));
    let server = Address::sized(16, 1, AddressSize::Four).unwrap();
    let (agreed, _) = pair.connect(server, echo);
    assert_eq!((agreed.max_info_rx.get(), agreed.window_rx), (64, Window::ONE));
    site.with(|home| home.esme.as_mut().unwrap().silent = true);
    assert_eq!(pair.say(b"/?!\r\n"), b"/?!\r\n");
}

#[test]
fn a_slow_meter_answers_late_and_in_large_frames() {
    let lab = cohorts();
    let rig = lab.rig("foc").unwrap();
    let site = site(rig);
    let mut pair = Pair { line: Line::new(&site, settings(rig, DeviceKind::Esme)), now: Instant::now() };
    pair.sign_on();
    let server = Address::sized(1, 17, AddressSize::Two).unwrap();
    let (agreed, took) = pair.connect(server, Echo::Unknown);
    assert_eq!((agreed.max_info_rx.get(), agreed.window_rx.get()), (512, 3));
    assert_eq!(took, Duration::from_millis(40));
}

#[test]
fn the_meters_end_changes_speed_with_a_sign_on_and_back_after_the_connection_or_without_one() {
    let lab = cohorts();
    let rig = lab.rig("ioc-aclara").unwrap();
    let site = site(rig);
    let mut pair = Pair { line: Line::new(&site, settings(rig, DeviceKind::Esme)), now: Instant::now() };
    assert_eq!(pair.line.baud(), 300);
    let (identification, _) = pair.sign_on();
    assert_eq!(pair.line.baud(), identification.baud.rate());
    pair.now += UNCONNECTED;
    pair.line.handle_timeout(pair.now);
    assert_eq!((pair.taken(), pair.line.baud()), (Vec::new(), 300));
    pair.sign_on();
    let server = Address::sized(1, 17, AddressSize::Two).unwrap();
    pair.connect(server, Echo::Absent);
    pair.now += UNCONNECTED;
    pair.line.handle_timeout(pair.now);
    assert_eq!(pair.line.baud(), identification.baud.rate(), "a connection holds the speed");
    let mut client = Client::new(ClientSettings::new(Address::client(1).unwrap(), server));
    client.disconnect(pair.now);
    pair.line.receive(&client.poll_transmit().unwrap(), pair.now);
    assert_eq!(pair.line.baud(), identification.baud.rate(), "its end is confirmed at its speed");
    assert!(!pair.taken().is_empty());
    assert_eq!(pair.line.baud(), 300);
}
