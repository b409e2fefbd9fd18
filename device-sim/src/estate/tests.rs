//! The endpoints as a driver meets them: sockets and pseudo-terminals, with the client sides of proto-dlms.

use lab_config::{ClientSap, Security};
use proto_dlms::Password;
use proto_dlms::apdu::Apdu;
use proto_dlms::client::{ClientSession, ClientSettings, Request, Response, Step};
use proto_dlms::data::{AttributeRef, ClassId, Data, MethodRef};
use proto_dlms::gateway::{Direction, Envelope, PhysicalAddress};
use proto_dlms::wrapper::{Deframer, Message};
use proto_dlms::{hdlc, sign_on};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_serial::{SerialPortBuilderExt, SerialStream};

use super::*;

/// Nothing here takes a second; this only ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(20);

fn lab() -> Lab {
    Lab::embedded().unwrap()
}

async fn started() -> (Lab, Estate) {
    let lab = lab();
    let estate = Estate::start(&lab, SimClock::real(), 1).await.unwrap();
    (lab, estate)
}

fn settings(lab: &Lab, kind: DeviceKind) -> ClientSettings {
    let device = lab.rigs[0].device(kind).unwrap();
    let Some(Security::Low(source)) = device.credentials.client(ClientSap::MANAGEMENT) else {
        panic!("a password")
    };
    let password = Some(Password::new(source.secret().unwrap().expose()));
    ClientSettings { security: password.into(), ..ClientSettings::default() }
}

fn get(class: u16, obis: &str) -> Request {
    let attribute = AttributeRef { class: ClassId(class), obis: obis.parse().unwrap(), attribute: 2 };
    Request::Get { attribute, selective: None }
}

fn script(id: u16) -> Request {
    let method = MethodRef { class: ClassId(9), obis: "0-0:10.0.106".parse().unwrap(), method: 1 };
    Request::Act { method, parameter: Some(Data::U16(id)) }
}

/// The head end on the hub's link.
struct Wan {
    stream: TcpStream,
    deframer: Deframer,
    alerts: Vec<Vec<u8>>,
}

impl Wan {
    async fn connect(estate: &Estate) -> Self {
        let endpoint = estate.endpoints().iter().find(|endpoint| endpoint.kind == DeviceKind::Chf).unwrap();
        let Endpoint::Tcp(authority) = &endpoint.link.endpoint else { panic!("a TCP link") };
        let stream = TcpStream::connect((authority.host(), authority.port())).await.unwrap();
        Self { stream, deframer: Deframer::default(), alerts: Vec::new() }
    }

    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(message) = self.deframer.next_message().unwrap() {
                return Some(message.apdu);
            }
            let mut buffer = [0; 2048];
            let count = timeout(PATIENCE, self.stream.read(&mut buffer)).await.unwrap().ok()?;
            if count == 0 {
                return None;
            }
            self.deframer.receive(&buffer[..count]);
        }
    }

    async fn exchange(&mut self, to: Option<Eui64>, apdu: Vec<u8>) -> Vec<u8> {
        let header = |to: Eui64, apdu| Envelope {
            direction: Direction::Request,
            network_id: 0,
            physical_address: PhysicalAddress::from(to.octets()),
            apdu,
        };
        let apdu = to.map_or(apdu.clone(), |to| header(to, apdu).encode());
        let request = Message { source: 1, destination: 1, apdu };
        self.stream.write_all(&request.encode().unwrap()).await.unwrap();
        loop {
            let apdu = self.next().await.unwrap();
            let inner = match Envelope::is_present(&apdu) {
                true => Envelope::decode(&apdu).unwrap().apdu,
                false => apdu,
            };
            match inner.first() {
                Some(0xc2) => self.alerts.push(inner),
                _ => return inner,
            }
        }
    }

    async fn ask(&mut self, client: &mut ClientSession, to: Option<Eui64>, request: Request) -> Response {
        let mut apdu = client.start(request).unwrap();
        loop {
            match client.receive(&self.exchange(to, apdu).await).unwrap() {
                Step::Send(next) => apdu = next,
                Step::Done(response) => return response,
                other => panic!("{other:?}"),
            }
        }
    }
}

/// A person with an optical head or a cable.
struct Cable {
    stream: SerialStream,
    link: hdlc::Client,
}

impl Cable {
    async fn connect(estate: &Estate, kind: DeviceKind) -> Self {
        let endpoint = estate.endpoints().iter().find(|endpoint| endpoint.kind == kind).unwrap();
        let Endpoint::Serial(path) = &endpoint.link.endpoint else { panic!("a serial link") };
        let mut stream = tokio_serial::new(path.as_str(), 9600).open_native_async().unwrap();
        if endpoint.link.signs_on() {
            sign_on(&mut stream).await;
        }
        let (client, server) = (hdlc::Address::client(1).unwrap(), hdlc::Address::server(1, None).unwrap());
        let mut cable = Self { stream, link: hdlc::Client::new(hdlc::ClientSettings::new(client, server)) };
        cable.link.connect(std::time::Instant::now());
        let event = cable.event().await;
        assert!(matches!(event, hdlc::ClientEvent::Connected(_)), "{event:?}");
        cable
    }

    async fn event(&mut self) -> hdlc::ClientEvent {
        let mut buffer = [0; 512];
        loop {
            while let Some(octets) = self.link.poll_transmit() {
                self.stream.write_all(&octets).await.unwrap();
            }
            if let Some(event) = self.link.poll_event() {
                return event;
            }
            let count = timeout(PATIENCE, self.stream.read(&mut buffer)).await.unwrap().unwrap();
            self.link.receive(&buffer[..count], std::time::Instant::now());
        }
    }

    async fn ask(&mut self, client: &mut ClientSession, request: Request) -> Response {
        let mut apdu = client.start(request).unwrap();
        loop {
            self.link.send(&apdu, std::time::Instant::now()).unwrap();
            let hdlc::ClientEvent::Received(answer) = self.event().await else { panic!("an answer") };
            match client.receive(&answer).unwrap() {
                Step::Send(next) => apdu = next,
                Step::Done(response) => return response,
                other => panic!("{other:?}"),
            }
        }
    }
}

async fn sign_on(stream: &mut SerialStream) {
    let mut client = sign_on::Client::new(sign_on::ClientSettings::default());
    client.start(std::time::Instant::now());
    let mut buffer = [0; 128];
    loop {
        while let Some(octets) = client.poll_transmit() {
            stream.write_all(&octets).await.unwrap();
        }
        match client.poll_event() {
            Some(sign_on::ClientEvent::SignedOn { .. }) => return,
            Some(sign_on::ClientEvent::SetLine(_)) => continue,
            Some(other) => panic!("{other:?}"),
            None => {}
        }
        match timeout(Duration::from_millis(20), stream.read(&mut buffer)).await {
            Ok(read) => client.receive(&buffer[..read.unwrap()], std::time::Instant::now()),
            Err(_) => client.handle_timeout(std::time::Instant::now()),
        }
    }
}

fn esme(lab: &Lab) -> Option<Eui64> {
    lab.rigs[0].device(DeviceKind::Esme).map(|device| device.eui64)
}

#[tokio::test]
async fn the_same_register_by_both_paths() {
    let (lab, estate) = started().await;
    estate.hand("rig-1", DeviceKind::Esme).unwrap().set_load(Some(0)).unwrap();
    let mut wan = Wan::connect(&estate).await;
    let mut far = ClientSession::new(settings(&lab, DeviceKind::Esme));
    assert!(matches!(wan.ask(&mut far, esme(&lab), Request::Associate).await, Response::Associated(_)));
    let by_wan = wan.ask(&mut far, esme(&lab), get(3, "1-0:1.8.0")).await;
    let mut cable = Cable::connect(&estate, DeviceKind::Esme).await;
    let mut near = ClientSession::new(settings(&lab, DeviceKind::Esme));
    assert!(matches!(cable.ask(&mut near, Request::Associate).await, Response::Associated(_)));
    assert_eq!(cable.ask(&mut near, get(3, "1-0:1.8.0")).await, by_wan);
    assert!(matches!(by_wan, Response::Got(Ok(Data::U32(wh))) if wh > 0));
    estate.stop().await;
}

#[tokio::test]
async fn a_month_of_half_hours_comes_through_the_optical_port() {
    let (lab, estate) = started().await;
    let mut cable = Cable::connect(&estate, DeviceKind::Esme).await;
    let mut client = ClientSession::new(settings(&lab, DeviceKind::Esme));
    cable.ask(&mut client, Request::Associate).await;
    let Response::Got(Ok(rows)) = cable.ask(&mut client, get(7, "1-0:99.1.0")).await else { panic!("rows") };
    assert_eq!(rows.elements().unwrap().len(), 1488);
    estate.stop().await;
}

#[tokio::test]
async fn a_port_whose_client_went_away_serves_the_next() {
    let (lab, estate) = started().await;
    for kind in [DeviceKind::Esme, DeviceKind::Gsme, DeviceKind::Esme, DeviceKind::Gsme] {
        let mut cable = Cable::connect(&estate, kind).await;
        let mut client = ClientSession::new(settings(&lab, kind));
        assert!(matches!(cable.ask(&mut client, Request::Associate).await, Response::Associated(_)));
        // Dropped without a disconnect.
    }
    estate.stop().await;
}

#[tokio::test]
async fn armed_from_afar_closed_by_hand_and_told_on_the_way() {
    let (lab, estate) = started().await;
    let hand = estate.hand("rig-1", DeviceKind::Esme).unwrap();
    let mut wan = Wan::connect(&estate).await;
    let mut client = ClientSession::new(settings(&lab, DeviceKind::Esme));
    wan.ask(&mut client, esme(&lab), Request::Associate).await;
    for id in [1, 2] {
        let Response::Acted(acted) = wan.ask(&mut client, esme(&lab), script(id)).await else {
            panic!("done")
        };
        assert_eq!(acted.result, Ok(()));
    }
    assert_eq!(hand.press_keys("A"), Ok(Pressed::Waiting));
    assert_eq!(hand.press_keys("B"), Ok(Pressed::SupplyOn));
    assert_eq!(hand.state().supply, Some(1));
    if wan.alerts.is_empty() {
        let apdu = wan.next().await.unwrap();
        wan.alerts.push(Envelope::decode(&apdu).unwrap().apdu);
    }
    let Ok(Apdu::EventNotification(armed)) = Apdu::decode(&wan.alerts[0]) else { panic!("an alert") };
    assert_eq!(armed.value.elements().unwrap()[0], Data::U16(0x8f32));
    estate.stop().await;
}

#[tokio::test]
async fn pulled_links_close_and_come_back_where_they_were() {
    let (lab, estate) = started().await;
    let hub = estate.hand("rig-1", DeviceKind::Chf).unwrap();
    let meter = estate.hand("rig-1", DeviceKind::Esme).unwrap();
    let mut wan = Wan::connect(&estate).await;
    let mut cable = Cable::connect(&estate, DeviceKind::Esme).await;
    hub.pull_link(Path::Wan).unwrap();
    // The alert of the local port may still be on its way.
    while wan.next().await.is_some() {}
    meter.pull_link(Path::Optical).unwrap();
    let mut buffer = [0; 8];
    let gone = timeout(PATIENCE, cable.stream.read(&mut buffer)).await.unwrap();
    assert!(matches!(gone, Ok(0) | Err(_)), "{gone:?}");
    hub.restore_link(Path::Wan).unwrap();
    meter.restore_link(Path::Optical).unwrap();
    let file = estate.endpoints().iter().find(|endpoint| endpoint.path == Path::Optical).unwrap();
    let Endpoint::Serial(file) = &file.link.endpoint else { panic!("a serial link") };
    let back = async {
        while std::fs::metadata(file.as_str()).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        while TcpStream::connect(address(&estate)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, back).await.unwrap();
    let mut client = ClientSession::new(settings(&lab, DeviceKind::Esme));
    let mut cable = Cable::connect(&estate, DeviceKind::Esme).await;
    assert!(matches!(cable.ask(&mut client, Request::Associate).await, Response::Associated(_)));
    estate.stop().await;
}

fn address(estate: &Estate) -> (String, u16) {
    let endpoint = estate.endpoints().iter().find(|endpoint| endpoint.path == Path::Wan).unwrap();
    let Endpoint::Tcp(authority) = &endpoint.link.endpoint else { panic!("a TCP link") };
    (authority.host().to_owned(), authority.port())
}

#[tokio::test]
async fn what_is_not_the_wrapper_closes_one_connection_and_noise_on_a_cable_is_passed_over() {
    let (lab, estate) = started().await;
    let mut wan = Wan::connect(&estate).await;
    wan.stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(wan.next().await, None);
    let mut cable = Cable::connect(&estate, DeviceKind::Gsme).await;
    let noise: Vec<u8> = (0..3000u32).map(|n| u8::try_from(n * 7 % 256).unwrap()).collect();
    cable.stream.write_all(&noise).await.unwrap();
    drop(cable);
    let mut cable = Cable::connect(&estate, DeviceKind::Gsme).await;
    let mut client = ClientSession::new(settings(&lab, DeviceKind::Gsme));
    assert!(matches!(cable.ask(&mut client, Request::Associate).await, Response::Associated(_)));
    estate.stop().await;
}

#[tokio::test]
async fn connections_are_bounded_in_number() {
    let (_, estate) = started().await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(Wan::connect(&estate).await);
    }
    let mut one_too_many = Wan::connect(&estate).await;
    assert_eq!(one_too_many.next().await, None);
    estate.stop().await;
}

#[tokio::test]
async fn time_passes_by_itself_on_a_stepped_clock() {
    let lab = lab();
    let (clock, stepper) = SimClock::stepped("2026-11-23T09:00:00Z".parse().unwrap());
    let estate = Estate::start(&lab, clock, 1).await.unwrap();
    let hand = estate.hand("rig-1", DeviceKind::Esme).unwrap();
    hand.set_load(Some(3000)).unwrap();
    let before = hand.state().register.unwrap();
    stepper.advance(jiff::SignedDuration::from_hours(2));
    assert_eq!(hand.state().register, Some(before + 6000));
    estate.stop().await;
}

#[tokio::test]
async fn hands_say_what_they_cannot_do() {
    let (_, estate) = started().await;
    let error = estate.hand("rig-9", DeviceKind::Esme).err().unwrap();
    assert_eq!(error.to_string(), "no rig rig-9 is simulated; simulated rigs: rig-1");
    let hub = estate.hand("rig-1", DeviceKind::Chf).unwrap();
    assert_eq!(hub.press_keys("A").unwrap_err().to_string(), "CHF of rig rig-1 has no supply keys");
    assert_eq!(hub.press_keys("AX").unwrap_err(), HandError::Key('X'));
    assert!(matches!(hub.pull_link(Path::Optical), Err(HandError::Link { .. })));
    assert!(hub.flat_battery(true).is_err());
    estate.stop().await;
}

#[tokio::test]
async fn the_folder_of_names_goes_with_the_estate() {
    let (_, estate) = started().await;
    let folder = estate.endpoints().iter().find_map(|endpoint| match &endpoint.link.endpoint {
        Endpoint::Serial(path) => std::path::Path::new(path.as_str()).parent().map(std::path::Path::to_owned),
        _ => None,
    });
    let folder = folder.unwrap();
    assert!(folder.exists());
    estate.stop().await;
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_data_set_is_in_all_devices_of_a_rig_or_in_none() {
    let lab = lab_config::Lab::embedded().unwrap();
    let estate = Estate::start(&lab, SimClock::real(), 1).await.unwrap();
    let read = |text: &str| {
        let document = lab_config::Document::new("set.toml", text);
        lab_config::contents::Load::of_data_set(&document).unwrap()
    };
    let good = read(
        "[[load]]\ndevice = \"ESME\"\nload = 321\nbalance-pence = 777\n[[load]]\ndevice = \"GSME\"\nregisters = { volume-dm3 = 4242 }\nload = 0\n\
         [[load]]\ndevice = \"CHF\"\njoined = [\"GPF\", \"ESME\", \"GSME\"]\n",
    );
    estate.load("rig-1", &good).unwrap();
    let state = |kind| estate.hand("rig-1", kind).unwrap().state();
    assert_eq!(
        (state(DeviceKind::Esme).load, state(DeviceKind::Esme).balance_millipence),
        (Some(321), Some(777_000))
    );
    assert_eq!(state(DeviceKind::Gsme).register, Some(4242));
    let bad = read(
        "[[load]]\ndevice = \"ESME\"\nload = 9\n[[load]]\ndevice = \"GSME\"\nhistory = { half-hours = 20_000, volume-dm3 = { every = 0 } }\n",
    );
    let refusal = estate.load("rig-1", &bad).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "GSME of rig rig-1 is not loaded, nor is any other: 20000 half hours of a profile: the device has room for 19008"
    );
    assert_eq!(state(DeviceKind::Esme).load, Some(321), "the electricity meter is as it was");
    assert!(estate.load("rig-9", &good).is_err());
    estate.stop().await;
}
