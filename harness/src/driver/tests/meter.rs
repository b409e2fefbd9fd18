//! A small meter on a socket: the server state machine of `proto-dlms` behind the wrapper, with a hand on its faults.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use lab_config::LinkUrl;
use proto_dlms::data::{
    ActionResult, AttributeRef, ClassId, Data, DataAccessResult, MethodRef, Obis, Selective,
};
use proto_dlms::gateway::{Direction, Envelope};
use proto_dlms::server::{
    AssociationPolicy, Credentials, Denial, ObjectModel, ObjectTable, Peer, Rights, ServerSession,
    ServerSettings,
};
use proto_dlms::wrapper::{Deframer, Message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the meter does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Silent,
    ClosesInTheMiddle,
    SpeaksHdlc,
    ForgetsAssociations,
    TalksWithoutEnd,
    /// Loses the last APDU of the next answer, and works then.
    LosesOne,
}

pub(super) const PASSWORD: &[u8] = b"letmein8";

/// An object table that asks client 1 for a password.
pub(super) struct Guarded(pub(super) ObjectTable);

impl AssociationPolicy for Guarded {
    fn admit(&mut self, peer: Peer, credentials: Credentials<'_>) -> Result<(), Denial> {
        match credentials {
            Credentials::None if peer.client != 1 => Ok(()),
            Credentials::Password(password) if password == PASSWORD => Ok(()),
            _ => Err(Denial::AuthenticationFailure),
        }
    }
}

impl ObjectModel for Guarded {
    fn get(
        &mut self,
        peer: Peer,
        attribute: AttributeRef,
        selective: Option<&Selective>,
    ) -> Result<Data, DataAccessResult> {
        self.0.get(peer, attribute, selective)
    }

    fn set(
        &mut self,
        peer: Peer,
        attribute: AttributeRef,
        selective: Option<&Selective>,
        value: Data,
    ) -> Result<(), DataAccessResult> {
        self.0.set(peer, attribute, selective, value)
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

pub(super) fn attribute(class: u16, obis: &str, attribute: i8) -> AttributeRef {
    let obis: Obis = obis.parse().unwrap();
    AttributeRef { class: ClassId(class), obis, attribute }
}

pub(super) fn import() -> AttributeRef {
    attribute(3, "1-0:1.8.0", 2)
}

pub(super) fn long_value() -> AttributeRef {
    attribute(1, "0-0:96.99.0", 2)
}

pub(super) fn table() -> ObjectTable {
    let mut table = ObjectTable::new();
    table.insert(import(), Data::U32(12_345_678), Rights::ReadOnly);
    let scaler = Data::Structure(vec![Data::I8(-3), Data::Enum(30)]);
    table.insert(attribute(3, "1-0:1.8.0", 3), scaler, Rights::ReadOnly);
    table.insert(attribute(1, "0-0:42.0.0", 2), Data::Octets(b"METER1".to_vec()), Rights::ReadOnly);
    table.insert(long_value(), Data::Octets(vec![7; 5000]), Rights::ReadWrite);
    table
}

/// The far end of a TCP link: a meter, or a hub with meters behind it.
pub(super) struct Meter {
    pub(super) url: LinkUrl,
    pub(super) fault: Arc<Mutex<Fault>>,
    pub(super) connections: Arc<AtomicUsize>,
    pub(super) pushes: mpsc::Sender<Vec<u8>>,
}

impl Meter {
    pub(super) async fn start() -> Meter {
        Meter::with(ServerSettings::default()).await
    }

    pub(super) async fn with(settings: ServerSettings) -> Meter {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = LinkUrl::tcp(listener.local_addr().unwrap());
        let fault = Arc::new(Mutex::new(Fault::None));
        let connections = Arc::new(AtomicUsize::new(0));
        let (pushes, mut queue) = mpsc::channel::<Vec<u8>>(8);
        let (hand, count) = (fault.clone(), connections.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                serve(stream, (hand.clone(), settings), &mut queue).await;
            }
        });
        Meter { url, fault, connections, pushes }
    }

    pub(super) fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }
}

/// One association for each device behind the connection and each client.
pub(super) type Sessions = BTreeMap<(Option<Vec<u8>>, u16), ServerSession>;

async fn serve(
    mut stream: TcpStream,
    (fault, settings): (Arc<Mutex<Fault>>, ServerSettings),
    pushes: &mut mpsc::Receiver<Vec<u8>>,
) {
    let (mut deframer, mut sessions, mut model) = (Deframer::default(), Sessions::new(), Guarded(table()));
    let mut buffer = [0; 4096];
    loop {
        let count = tokio::select! {
            count = stream.read(&mut buffer) => count.unwrap_or(0),
            Some(push) = pushes.recv() => {
                let _ = stream.write_all(&push).await;
                continue;
            }
        };
        if count == 0 {
            return;
        }
        deframer.receive(&buffer[..count]);
        while let Ok(Some(message)) = deframer.next_message() {
            let present = *fault.lock().unwrap();
            match present {
                Fault::Silent => continue,
                Fault::ClosesInTheMiddle => {
                    let _ = stream.write_all(&[0, 1, 0, 1, 0]).await;
                    return;
                }
                Fault::SpeaksHdlc => {
                    let _ = stream.write_all(&[0x7E, 0xA0, 0x0A, 0x00]).await;
                    continue;
                }
                Fault::ForgetsAssociations => sessions.clear(),
                Fault::TalksWithoutEnd => {
                    // An event notification of a null value of a clock, for the client.
                    let apdu = [0xC2, 0, 0, 8, 0, 0, 1, 0, 0, 255, 2, 0].to_vec();
                    let event = Message { source: 1, destination: message.source, apdu }.encode().unwrap();
                    while stream.write_all(&event).await.is_ok() {
                        tokio::task::yield_now().await;
                    }
                    return;
                }
                Fault::None | Fault::LosesOne => {}
            }
            let mut answers = answers(&message, &mut sessions, &mut model, settings);
            if present == Fault::LosesOne && answers.pop().is_some() {
                *fault.lock().unwrap() = Fault::None;
            }
            for answer in answers {
                let _ = stream.write_all(&answer).await;
            }
        }
    }
}

pub(super) fn answer(message: &Message, sessions: &mut Sessions, model: &mut Guarded) -> Vec<u8> {
    answers(message, sessions, model, ServerSettings::default()).remove(0)
}

fn answers(
    message: &Message,
    sessions: &mut Sessions,
    model: &mut Guarded,
    settings: ServerSettings,
) -> Vec<Vec<u8>> {
    let (device, apdu) = match Envelope::is_present(&message.apdu) {
        true => {
            let envelope = Envelope::decode(&message.apdu).unwrap();
            (Some(envelope.physical_address.clone()), envelope.apdu)
        }
        false => (None, message.apdu.clone()),
    };
    let key = (device.as_ref().map(|address| address.octets().to_vec()), message.source);
    let peer = Peer::new(message.source, message.destination);
    let session = sessions.entry(key).or_insert_with(|| ServerSession::new(peer, settings));
    let first = session.receive(&apdu, model);
    let apdus: Vec<_> = first.into_iter().chain(std::iter::from_fn(|| session.poll_transmit())).collect();
    let wrapped = |apdu| {
        let apdu = match device.clone() {
            Some(physical_address) => {
                Envelope { direction: Direction::Response, network_id: 0, physical_address, apdu }.encode()
            }
            None => apdu,
        };
        Message { source: message.destination, destination: message.source, apdu }.encode().unwrap()
    };
    apdus.into_iter().map(wrapped).collect()
}
