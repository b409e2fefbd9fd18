use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lab_config::{ClientSap, LinkUrl, Secret};
use proto_dlms::data::Data;
use proto_dlms::gateway::Envelope;
use proto_dlms::wrapper::Message;
use proto_duis::Eui64;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::meter::{Guarded, PASSWORD, Sessions, answer, import, long_value, table};
use crate::driver::{Access, Deadlines, DriverError, Hub, Session};
use crate::link::{LinkAddress, NoTap};

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    Good,
    /// Every second datagram to the meter is lost.
    LosesRequests,
    /// Every answer comes twice.
    Doubles,
    /// Before the answer comes one to an earlier request, one for somebody else, and one that is no message at all.
    Strays,
    /// The meter gets everything, and no answer comes back.
    LosesAnswers,
    /// No answer comes back yet.
    Withholds,
    /// What was withheld comes after the next answer, where its request came from.
    LetsGo,
}

/// A meter on a UDP port.
struct Meter {
    url: LinkUrl,
    network: Arc<Mutex<Network>>,
    /// SET requests that reached it.
    sets: Arc<AtomicUsize>,
}

impl Meter {
    async fn start() -> Meter {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let url = LinkUrl::udp(socket.local_addr().unwrap());
        let (network, sets) = (Arc::new(Mutex::new(Network::Good)), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(serve(socket, network.clone(), sets.clone()));
        Meter { url, network, sets }
    }

    fn set(&self, network: Network) {
        *self.network.lock().unwrap() = network;
    }
}

async fn serve(socket: UdpSocket, network: Arc<Mutex<Network>>, sets: Arc<AtomicUsize>) {
    let (mut sessions, mut model) = (Sessions::new(), Guarded(table()));
    let (mut buffer, mut count, mut earlier) = (vec![0; 65_535], 0_u32, Vec::new());
    let mut withheld: Vec<(Vec<u8>, SocketAddr)> = Vec::new();
    while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
        let network = *network.lock().unwrap();
        count += 1;
        if network == Network::LosesRequests && count % 2 == 1 {
            continue;
        }
        let message = Message::decode(&buffer[..length]).unwrap();
        let asked =
            Envelope::decode(&message.apdu).map_or_else(|_| message.apdu.clone(), |envelope| envelope.apdu);
        sets.fetch_add(usize::from(asked[0] == 0xC1), Ordering::SeqCst);
        let reply = answer(&message, &mut sessions, &mut model);
        let other = Message { source: 1, destination: 99, apdu: vec![0xC4] }.encode().unwrap();
        if network == Network::Withholds {
            withheld.push((reply, client));
            continue;
        }
        let datagrams = match network {
            Network::Good | Network::LosesRequests | Network::LetsGo => vec![reply.clone()],
            Network::Doubles => vec![reply.clone(), reply.clone()],
            Network::Strays => vec![earlier, other, vec![1, 2, 3], reply.clone()],
            Network::LosesAnswers | Network::Withholds => Vec::new(),
        };
        for datagram in datagrams.iter().filter(|datagram| !datagram.is_empty()) {
            socket.send_to(datagram, client).await.unwrap();
        }
        if network == Network::LetsGo {
            for (datagram, client) in withheld.drain(..) {
                // Its asker may have closed the port since.
                drop(socket.send_to(&datagram, client).await);
            }
        }
        earlier = reply;
    }
}

async fn open(url: &LinkUrl) -> Result<Session, DriverError> {
    let access = Access::with_password(ClientSap::MANAGEMENT, Secret::new(PASSWORD));
    Session::open("meter", url, access, deadlines(url), NoTap::shared()).await
}

#[tokio::test]
async fn lost_doubled_and_stray_datagrams_are_borne() {
    for network in [Network::Good, Network::LosesRequests, Network::Doubles, Network::Strays] {
        let meter = Meter::start().await;
        meter.set(network);
        let mut session = open(&meter.url).await.unwrap_or_else(|error| panic!("{network:?}: {error}"));
        for _ in 0..20 {
            let value = session.get(import(), None).await;
            assert_eq!(value.unwrap_or_else(|error| panic!("{network:?}: {error}")), Data::U32(12_345_678));
        }
        let long = session.get(long_value(), None).await;
        assert_eq!(long.unwrap_or_else(|error| panic!("{network:?}: {error}")), Data::Octets(vec![7; 5000]));
        session.close().await;
    }
}

#[tokio::test]
async fn what_changes_something_is_never_sent_twice_and_its_outcome_is_said_to_be_unknown() {
    let meter = Meter::start().await;
    let mut session = open(&meter.url).await.unwrap();
    meter.set(Network::LosesAnswers);
    let error = session.set(long_value(), Data::Octets(vec![1])).await.unwrap_err();
    assert!(error.outcome_is_unknown() && error.is_silence(), "{error}");
    assert!(error.to_string().contains("whether the device carried it out is not known"), "{error}");
    assert_eq!(meter.sets.load(Ordering::SeqCst), 1, "sent once");
    let error = session.get(import(), None).await.unwrap_err();
    assert!(!error.outcome_is_unknown() && error.to_string().contains("sent 4 times"), "{error}");
    meter.set(Network::Good);
    assert_eq!(session.get(import(), None).await.unwrap(), Data::U32(12_345_678));
}

#[tokio::test]
async fn a_port_nobody_listens_at_is_said_to_be_one() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let url = LinkUrl::udp(socket.local_addr().unwrap());
    drop(socket);
    let error = open(&url).await.unwrap_err();
    assert!(error.to_string().to_lowercase().contains("refused"), "{error}");
}

const ESME: Eui64 = Eui64::new([0, 0xDB, 0x12, 0x34, 0x56, 0x78, 0x90, 3]);

/// A hub at the meter's port, over which every device is the meter.
async fn hub(meter: &Meter) -> Hub {
    let (pushes, mut queue) = mpsc::channel(4);
    tokio::spawn(async move { while queue.recv().await.is_some() {} });
    let address = LinkAddress::of("rig/CHF/wan", &meter.url).unwrap();
    Hub::connect(address, NoTap::shared(), &deadlines(&meter.url), pushes).await.unwrap()
}

fn deadlines(url: &LinkUrl) -> Deadlines {
    Deadlines { response: Duration::from_millis(150), retries: 3, ..Deadlines::of(url) }
}

async fn through(hub: &Hub, meter: &Meter) -> Result<Session, DriverError> {
    let access = Access::with_password(ClientSap::MANAGEMENT, Secret::new(PASSWORD));
    Session::through(hub, Some(ESME), access, deadlines(&meter.url)).await
}

#[tokio::test]
async fn lost_doubled_and_stray_datagrams_are_borne_behind_a_hub() {
    for network in [Network::Good, Network::LosesRequests, Network::Doubles, Network::Strays] {
        let meter = Meter::start().await;
        meter.set(network);
        let hub = hub(&meter).await;
        let mut session = through(&hub, &meter).await.unwrap_or_else(|error| panic!("{network:?}: {error}"));
        for _ in 0..20 {
            let value = session.get(import(), None).await;
            assert_eq!(value.unwrap_or_else(|error| panic!("{network:?}: {error}")), Data::U32(12_345_678));
        }
        let long = session.get(long_value(), None).await;
        assert_eq!(long.unwrap_or_else(|error| panic!("{network:?}: {error}")), Data::Octets(vec![7; 5000]));
        session.close().await;
    }
}

#[tokio::test]
async fn behind_a_hub_what_changes_something_is_sent_once() {
    let meter = Meter::start().await;
    let hub = hub(&meter).await;
    let mut session = through(&hub, &meter).await.unwrap();
    meter.set(Network::LosesAnswers);
    let error = session.set(long_value(), Data::Octets(vec![1])).await.unwrap_err();
    assert!(error.outcome_is_unknown() && error.is_silence(), "{error}");
    assert_eq!(meter.sets.load(Ordering::SeqCst), 1, "sent once");
    meter.set(Network::Good);
    assert_eq!(session.get(import(), None).await.unwrap(), Data::U32(12_345_678));
}

/// The first request of either session has the same number, and so has its answer.
#[tokio::test]
async fn an_answer_that_comes_after_its_session_is_not_taken_for_that_of_the_next() {
    let meter = Meter::start().await;
    let hub = hub(&meter).await;
    let mut first = through(&hub, &meter).await.unwrap();
    meter.set(Network::Withholds);
    assert!(first.get(import(), None).await.unwrap_err().is_silence());
    drop(first);
    meter.set(Network::LetsGo);
    let mut second = through(&hub, &meter).await.unwrap();
    assert_eq!(second.get(long_value(), None).await.unwrap(), Data::Octets(vec![7; 5000]));
}
