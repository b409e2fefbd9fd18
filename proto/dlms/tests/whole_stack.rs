//! Every layer at once, through the public interface only: what a driver does at an optical port and through a hub.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic in a test is its message"
)]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proto_dlms::client::{ClientSession, ClientSettings, Request, Response, Step};
use proto_dlms::data::{
    ActionResult, AttributeRef, ClassId, Data, DataAccessResult, MethodRef, Obis, Selective,
};
use proto_dlms::gateway::{Direction, Envelope, PhysicalAddress};
use proto_dlms::server::{
    AssociationPolicy, Credentials, Denial, ObjectModel, ObjectTable, Peer, Rights, ServerSession,
    ServerSettings,
};
use proto_dlms::{Password, hdlc, sign_on, wrapper};

const LOG: AttributeRef =
    AttributeRef { class: ClassId(1), obis: Obis([0, 0, 99, 98, 0, 255]), attribute: 2 };

/// A meter that asks for a password.
struct Meter(ObjectTable);

impl Meter {
    fn new(octets: usize) -> Self {
        let mut table = ObjectTable::new();
        table.insert(LOG, Data::Octets(vec![0x7E; octets]), Rights::ReadWrite);
        Self(table)
    }
}

impl AssociationPolicy for Meter {
    fn admit(&mut self, _peer: Peer, credentials: Credentials<'_>) -> Result<(), Denial> {
        match credentials {
            Credentials::Password(password) if Password::new(*b"12345678").matches(password) => Ok(()),
            Credentials::Password(_) => Err(Denial::AuthenticationFailure),
            Credentials::None | Credentials::Gmac => Err(Denial::AuthenticationRequired),
        }
    }
}

impl ObjectModel for Meter {
    fn get(
        &mut self,
        peer: Peer,
        of: AttributeRef,
        part: Option<&Selective>,
    ) -> Result<Data, DataAccessResult> {
        self.0.get(peer, of, part)
    }

    fn set(
        &mut self,
        peer: Peer,
        of: AttributeRef,
        part: Option<&Selective>,
        value: Data,
    ) -> Result<(), DataAccessResult> {
        self.0.set(peer, of, part, value)
    }

    fn act(
        &mut self,
        peer: Peer,
        method: MethodRef,
        parameter: Option<Data>,
    ) -> Result<Option<Data>, ActionResult> {
        self.0.act(peer, method, parameter)
    }
}

/// A meter's optical port: sign-on, then HDLC, then the association.
struct OpticalPort {
    sign_on: sign_on::Meter,
    link: hdlc::Server,
    session: ServerSession,
    meter: Meter,
}

impl OpticalPort {
    fn new(octets: usize, parameters: hdlc::Parameters) -> Self {
        let identification = sign_on::Identification::decode(b"/LAB5SIM1").unwrap();
        Self {
            sign_on: sign_on::Meter::new(sign_on::MeterSettings::new(identification)),
            link: hdlc::Server::new(hdlc::ServerSettings { parameters, ..hdlc::ServerSettings::default() }),
            session: ServerSession::new(Peer::new(1, 1), ServerSettings::default()),
            meter: Meter::new(octets),
        }
    }

    fn receive(&mut self, octets: &[u8], now: Instant) {
        if self.sign_on.is_signed_on() {
            self.link.receive(octets, now)
        } else {
            self.sign_on.receive(octets, now)
        }
    }

    /// What the port has to say next.
    fn transmit(&mut self) -> Option<Vec<u8>> {
        while let Some(event) = self.link.poll_event() {
            match event {
                hdlc::ServerEvent::Connected { client, server } => {
                    self.session = ServerSession::new(Peer::new(client, server), ServerSettings::default());
                }
                hdlc::ServerEvent::Received(apdu) => match self.session.receive(&apdu, &mut self.meter) {
                    Some(answer) => self.link.send(&answer).unwrap(),
                    None => self.link.pass(),
                },
                hdlc::ServerEvent::Disconnected => self.session.link_lost(),
            }
        }
        loop {
            match self.sign_on.poll_transmit() {
                Some(octets) => return Some(octets),
                None if self.sign_on.poll_event().is_some() => {}
                None => return self.link.poll_transmit(),
            }
        }
    }

    fn timeout(&self) -> Option<Instant> {
        [self.sign_on.poll_timeout(), self.link.poll_timeout()].into_iter().flatten().min()
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.sign_on.handle_timeout(now);
        self.link.handle_timeout(now);
    }
}

/// Our end of the line, with a head that may repeat what is sent through it.
struct Bench {
    port: OpticalPort,
    now: Instant,
    echoes: bool,
    /// Every so many transmissions one is lost; 0 for none.
    loses_every: usize,
    transmissions: usize,
}

/// What both clients of this crate have in common.
trait Station {
    type Event;
    fn receive(&mut self, octets: &[u8], now: Instant);
    fn transmit(&mut self) -> Option<Vec<u8>>;
    fn event(&mut self) -> Option<Self::Event>;
    fn timeout(&self) -> Option<Instant>;
    fn handle_timeout(&mut self, now: Instant);
}

macro_rules! station {
    ($client:ty, $event:ty) => {
        impl Station for $client {
            type Event = $event;
            fn receive(&mut self, octets: &[u8], now: Instant) {
                self.receive(octets, now);
            }
            fn transmit(&mut self) -> Option<Vec<u8>> {
                self.poll_transmit()
            }
            fn event(&mut self) -> Option<$event> {
                self.poll_event()
            }
            fn timeout(&self) -> Option<Instant> {
                self.poll_timeout()
            }
            fn handle_timeout(&mut self, now: Instant) {
                self.handle_timeout(now);
            }
        }
    };
}

station!(sign_on::Client, sign_on::ClientEvent);
station!(hdlc::Client, hdlc::ClientEvent);

impl Bench {
    fn loses(&mut self) -> bool {
        self.transmissions += 1;
        self.loses_every > 0 && self.transmissions.is_multiple_of(self.loses_every)
    }

    /// Runs until our station says something.
    fn run<S: Station>(&mut self, station: &mut S) -> S::Event {
        for _ in 0..20_000 {
            if let Some(event) = station.event() {
                return event;
            }
            let mut moved = false;
            while let Some(octets) = station.transmit() {
                moved = true;
                if self.echoes {
                    station.receive(&octets, self.now);
                }
                if !self.loses() {
                    self.port.receive(&octets, self.now);
                }
            }
            while let Some(octets) = self.port.transmit() {
                moved = true;
                if !self.loses() {
                    station.receive(&octets, self.now);
                }
            }
            if !moved {
                let due = [station.timeout(), self.port.timeout()]
                    .into_iter()
                    .flatten()
                    .min()
                    .expect("nothing is due");
                self.now = self.now.max(due);
                station.handle_timeout(self.now);
                self.port.handle_timeout(self.now);
            }
        }
        panic!("the station says nothing");
    }

    fn ask(&mut self, link: &mut hdlc::Client, session: &mut ClientSession, request: Request) -> Response {
        let mut apdu = session.start(request).unwrap();
        loop {
            link.send(&apdu, self.now).unwrap();
            let event = self.run(link);
            let hdlc::ClientEvent::Received(answer) = event else { panic!("{event:?}") };
            match session.receive(&answer).unwrap() {
                Step::Send(next) => apdu = next,
                Step::Done(response) => return response,
                step => panic!("{step:?}"),
            }
        }
    }
}

/// Signs on, connects, associates, writes and reads a long value and one twice as long, and takes its leave. Gives how
/// long both sides waited for each other.
fn visit(octets: usize, window: u8, max_info: u16, echoes: bool, loses_every: usize) -> Duration {
    let window = hdlc::Window::new(window).unwrap();
    let parameters = hdlc::Parameters::symmetric(hdlc::MaxInfo::new(max_info).unwrap(), window);
    let port = OpticalPort::new(octets, parameters);
    let mut bench = Bench { port, now: Instant::now(), echoes, loses_every: 0, transmissions: 0 };
    let started = bench.now;
    let mut opening = sign_on::Client::new(sign_on::ClientSettings::default());
    opening.start(bench.now);
    let echo = loop {
        match bench.run(&mut opening) {
            sign_on::ClientEvent::SetLine(_) => {}
            sign_on::ClientEvent::SignedOn { echo, .. } => break echo,
            other => panic!("{other:?}"),
        }
    };
    bench.loses_every = loses_every;
    let server = hdlc::Address::server(1, Some(17)).unwrap();
    let settings = hdlc::ClientSettings::new(hdlc::Address::client(1).unwrap(), server);
    let mut link = hdlc::Client::new(hdlc::ClientSettings { parameters, echo, retries: 30, ..settings });
    link.connect(bench.now);
    assert_eq!(bench.run(&mut link), hdlc::ClientEvent::Connected(parameters));
    let password = Some(Password::new(*b"12345678"));
    let mut session = ClientSession::new(ClientSettings {
        security: password.into(),
        max_pdu: 200,
        ..ClientSettings::default()
    });
    assert!(matches!(bench.ask(&mut link, &mut session, Request::Associate), Response::Associated(_)));
    for length in [octets, 2 * octets] {
        let value = Data::Octets(vec![0x7E; length]);
        let set = bench.ask(&mut link, &mut session, Request::Set { attribute: LOG, value: value.clone() });
        assert_eq!(set, Response::Set(Ok(())));
        let got = bench.ask(&mut link, &mut session, Request::Get { attribute: LOG, selective: None });
        assert_eq!(got, Response::Got(Ok(value)));
    }
    assert_eq!(bench.ask(&mut link, &mut session, Request::Release), Response::Released);
    link.disconnect(bench.now);
    assert_eq!(bench.run(&mut link), hdlc::ClientEvent::Disconnected);
    bench.now - started
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_visit_at_the_optical_port(
        octets in 0usize..2000, window in 1u8..=7, max_info in 24u16..300, echoes: bool,
        loses_every in prop_oneof![Just(0_usize), Just(11), Just(17), Just(29)],
    ) {
        visit(octets, window, max_info, echoes, loses_every);
    }
}

/// The sign-on's three pauses and not one time-out.
#[test]
fn a_visit_over_a_good_line_waits_for_no_time_out() {
    assert_eq!(visit(4096, 1, 128, false, 0), Duration::from_millis(200 + 300 + 200));
}

/// A device behind a hub: wrapper, gateway header, APDU, and back.
#[test]
fn a_read_through_a_hub() {
    let address = PhysicalAddress::from([0x00, 0x11, 0x22, 0xFF, 0xFE, 0x33, 0x44, 0x55]);
    let mut device = ObjectTable::new();
    device.insert(LOG, Data::U8(42), Rights::ReadOnly);
    let mut behind = ServerSession::new(Peer::new(16, 1), ServerSettings::default());
    let mut hub = |datagram: &[u8]| {
        let message = wrapper::Message::decode(datagram).unwrap();
        let request = Envelope::decode(&message.apdu).unwrap();
        assert_eq!((request.direction, &request.physical_address), (Direction::Request, &address));
        let apdu = behind.receive(&request.apdu, &mut device).unwrap();
        let response = Envelope { direction: Direction::Response, apdu, ..request };
        let (source, destination) = (message.destination, message.source);
        wrapper::Message { source, destination, apdu: response.encode() }.encode().unwrap()
    };
    let mut client = ClientSession::new(ClientSettings::default());
    let mut ask = |request| {
        let apdu = client.start(request).unwrap();
        let physical_address = address.clone();
        let request = Envelope { direction: Direction::Request, network_id: 0, physical_address, apdu };
        let answer =
            hub(&wrapper::Message { source: 16, destination: 1, apdu: request.encode() }.encode().unwrap());
        let answer = wrapper::Message::decode(&answer).unwrap();
        assert_eq!((answer.source, answer.destination), (1, 16));
        client.receive(&Envelope::decode(&answer.apdu).unwrap().apdu).unwrap()
    };
    assert!(matches!(ask(Request::Associate), Step::Done(Response::Associated(_))));
    let got = ask(Request::Get { attribute: LOG, selective: None });
    assert_eq!(got, Step::Done(Response::Got(Ok(Data::U8(42)))));
}
