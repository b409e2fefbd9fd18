use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::zcl::{Command, Status};

const PEER: Peer = [1; 8];
const OTHER: Peer = [2; 8];

/// Two ends on one wire, in virtual time.
struct Pair {
    client: Client,
    server: Server,
    now: Instant,
}

impl Pair {
    fn new(server: ServerSettings) -> Self {
        Self {
            client: Client::new(ClientSettings::default()),
            server: Server::new(server),
            now: Instant::now(),
        }
    }

    fn open(server: ServerSettings) -> Self {
        let mut pair = Self::new(server);
        pair.client.open(pair.now);
        pair.carry();
        assert!(matches!(pair.client.poll_event(), Some(ClientEvent::Open { .. })));
        assert!(matches!(pair.server.poll_event(), Some(ServerEvent::Opened { peer: PEER, .. })));
        pair
    }

    fn carry(&mut self) {
        loop {
            let mut moved = false;
            while let Some(frame) = self.client.poll_transmit() {
                self.server.receive(PEER, &Frame::parse(&frame.to_bytes()).unwrap(), self.now);
                moved = true;
            }
            while let Some((peer, frame)) = self.server.poll_transmit() {
                assert_eq!(peer, PEER);
                self.client.receive(&Frame::parse(&frame.to_bytes()).unwrap());
                moved = true;
            }
            if !moved {
                return;
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        self.carry();
    }
}

#[test]
fn octets_go_both_ways_until_the_client_closes() {
    let mut pair = Pair::open(ServerSettings::default());
    pair.client.send(b"ask").unwrap();
    pair.carry();
    assert_eq!(pair.server.poll_event(), Some(ServerEvent::Data { tunnel: 0, data: b"ask".to_vec() }));
    pair.server.send(0, b"answer", pair.now).unwrap();
    pair.carry();
    assert_eq!(pair.client.poll_event(), Some(ClientEvent::Data(b"answer".to_vec())));
    pair.client.close();
    pair.carry();
    assert_eq!(pair.server.poll_event(), Some(ServerEvent::Closed { tunnel: 0 }));
    assert_eq!(pair.server.open(), 0);
    assert_eq!(pair.client.send(b"more"), Err(SendError::NotOpen));
}

#[test]
fn an_unused_tunnel_is_closed_and_the_client_told() {
    let mut pair = Pair::open(ServerSettings { close: Duration::from_secs(60), ..ServerSettings::default() });
    pair.wait(Duration::from_secs(59));
    assert!(pair.client.is_open());
    pair.client.send(b"still here").unwrap();
    pair.carry();
    pair.wait(Duration::from_secs(59));
    assert!(pair.client.is_open());
    pair.wait(Duration::from_secs(1));
    assert_eq!(pair.client.poll_event(), Some(ClientEvent::Closed));
    assert_eq!(pair.server.poll_timeout(), None);
}

#[test]
fn a_transfer_larger_than_agreed_is_refused_on_both_sides() {
    let small = ServerSettings { max_incoming: 4, ..ServerSettings::default() };
    let mut pair = Pair::open(small);
    assert_eq!(pair.client.send(b"12345"), Err(SendError::TooLong { octets: 5, limit: 4 }));
    // A client that does not keep to it.
    let rude = TransferToServer { tunnel: 0, data: ToEnd(b"12345".to_vec()) };
    pair.server.receive(PEER, &ToServer::from(rude).frame(9), pair.now);
    pair.carry();
    assert_eq!(pair.client.poll_event(), Some(ClientEvent::Refused(TransferStatus::DataOverflow)));
    assert!(pair.client.is_open());
}

#[test]
fn anothers_tunnel_and_no_tunnel_are_told_apart() {
    let mut pair = Pair::open(ServerSettings::default());
    let mut refusal = |peer: Peer, tunnel: u16| {
        let transfer = TransferToServer { tunnel, data: ToEnd(vec![1]) };
        let mut frame = ToServer::from(transfer).frame(3);
        frame.disable_default_response = true;
        pair.server.receive(peer, &frame, pair.now);
        let (to, answer) = pair.server.poll_transmit().unwrap();
        assert_eq!(to, peer);
        match ToClient::of(&answer).unwrap() {
            ToClient::TransferErrorToClient(error) => error.status,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refusal(OTHER, 0), TransferStatus::WrongDevice);
    assert_eq!(refusal(PEER, 7), TransferStatus::NoSuchTunnel);
    let close = ToServer::from(CloseTunnel { tunnel: 0 }).frame(4);
    pair.server.receive(OTHER, &close, pair.now);
    let (_, answer) = pair.server.poll_transmit().unwrap();
    let status = Command::DefaultResponse { command: CloseTunnel::ID, status: Status::NOT_FOUND };
    assert_eq!(answer.command().unwrap(), status);
}

#[test]
fn a_request_without_answer_is_repeated_and_then_given_up() {
    let now = Instant::now();
    let mut client = Client::new(ClientSettings::default());
    client.open(now);
    let mut asked = 0;
    while let Some(due) = client.poll_timeout() {
        asked += std::iter::from_fn(|| client.poll_transmit()).count();
        client.handle_timeout(due);
    }
    assert_eq!(asked, 3);
    assert_eq!(client.poll_event(), Some(ClientEvent::Failed(TunnelError::NoAnswer { attempts: 3 })));
}

#[test]
fn what_the_server_cannot_do_it_says() {
    let refused = |settings: ClientSettings, server: ServerSettings| {
        let mut pair = Pair { client: Client::new(settings), ..Pair::new(server) };
        pair.client.open(pair.now);
        pair.carry();
        pair.client.poll_event()
    };
    let other = ClientSettings { protocol: Protocol::MBus, ..ClientSettings::default() };
    let no = |status| Some(ClientEvent::Failed(TunnelError::Refused(status)));
    assert_eq!(refused(other, ServerSettings::default()), no(TunnelStatus::ProtocolNotSupported));
    let full = ServerSettings { tunnels: 0, ..ServerSettings::default() };
    assert_eq!(refused(ClientSettings::default(), full), no(TunnelStatus::NoMoreTunnelIds));
}

proptest! {
    /// Whatever arrives, both ends stand, and their queues stay bounded.
    #[test]
    fn no_frames_break_an_end(frames in proptest::collection::vec(
        (any::<bool>(), 0u8..8, proptest::collection::vec(any::<u8>(), 0..8)), 0..300,
    )) {
        let mut pair = Pair::open(ServerSettings { tunnels: 3, ..ServerSettings::default() });
        for (to_server, command, payload) in frames {
            let way = if to_server { Direction::ToServer } else { Direction::ToClient };
            let frame = Frame::cluster(way, 1, command, payload);
            pair.server.receive(PEER, &frame, pair.now);
            pair.client.receive(&frame);
        }
        prop_assert!(pair.server.open() <= 3);
        prop_assert!(std::iter::from_fn(|| pair.server.poll_transmit()).count() <= 64);
        prop_assert!(std::iter::from_fn(|| pair.client.poll_transmit()).count() <= 17);
        prop_assert!(std::iter::from_fn(|| pair.client.poll_event()).count() <= 16);
    }
}
