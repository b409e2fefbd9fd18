//! A connection to a broker: the trait the courier works with, and the MQTT client that is one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lab_config::{BrokerUrl, QualityOfService};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Packet, QoS,
    SubscribeFilter, SubscribeReasonCode, Transport,
};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::error::StationError;
use super::relay::{Relay, Target};
use super::tls;
use crate::link::{LinkKind, SharedTap};

/// What may wait between the event loop and the courier, and between the courier and the event loop.
const QUEUE: usize = 64;
/// The largest packet taken.
const MAX_PACKET: usize = 64 * 1024;

/// Something that connects to a broker.
pub(super) trait Broker: Send + 'static {
    /// A connection.
    type Session: Session;

    /// Begins to connect. Ends within a bounded time.
    fn connect(&mut self) -> JoinHandle<Result<Self::Session, Lost>>;
}

/// A connection to a broker. Dropped, it ends.
pub(super) trait Session: Send + 'static {
    /// Asks for these topics; [`Heard::Subscribed`] says that they are listened on.
    fn subscribe(&mut self, topics: &[String]) -> Result<(), Lost>;

    /// Sends a message. With quality of service 1, [`Heard::Taken`] says that the broker has it.
    fn publish(&mut self, topic: &str, payload: &[u8], quality: QualityOfService) -> Result<(), Lost>;

    /// What comes next. Cancelled, it loses nothing.
    fn next(&mut self) -> impl Future<Output = Result<Heard, Lost>> + Send;
}

/// What a session hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// Every topic is listened on.
    Subscribed,
    /// The broker has the message.
    Taken,
    /// A message.
    Message {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Vec<u8>,
        /// Whether the broker told it from memory.
        retained: bool,
    },
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    /// The broker does not let the harness in; asking again soon makes no sense.
    #[error("{0}")]
    Refused(String),
    /// Anything else.
    #[error("{0}")]
    Broken(String),
}

/// A broker reached with rumqttc, through a relay of our own.
pub(super) struct RumqttBroker {
    options: MqttOptions,
    target: Target,
    tap: SharedTap,
}

impl RumqttBroker {
    /// The broker of a lab file, for a client of this name.
    ///
    /// # Errors
    /// [`StationError`] when its password or certificates cannot be had.
    pub(super) fn new(
        rig: &str,
        broker: &lab_config::Broker,
        name: String,
        tap: SharedTap,
    ) -> Result<Self, StationError> {
        let place = broker.url.to_string();
        let mut options = MqttOptions::new(name, "", 0);
        options.set_keep_alive(broker.keep_alive.max(Duration::from_secs(1)));
        options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
        if let Some(login) = &broker.login {
            let secret = login.password.secret();
            let secret = secret.map_err(|error| StationError::Secret { broker: place.clone(), error })?;
            options.set_credentials(&login.user, String::from_utf8_lossy(secret.expose()));
        }
        let tls = match &broker.url {
            BrokerUrl::Tls(at) => Some(tls::connector(at.host(), broker)?),
            BrokerUrl::Plain(_) | BrokerUrl::Embedded => None,
        };
        let address = match &broker.url {
            BrokerUrl::Plain(at) | BrokerUrl::Tls(at) => (at.host().to_owned(), at.port()),
            // Whoever brings up the devices puts a place in its place; left as it is, nothing answers.
            BrokerUrl::Embedded => ("localhost".to_owned(), 0),
        };
        let link = format!("{rig}/broker");
        // User and password have keys of their own: the URL names neither.
        tap.link(&link, &place, LinkKind::Network);
        Ok(Self { options, target: Target { address, tls, link }, tap })
    }
}

impl RumqttBroker {
    /// The same, with a last will that the broker keeps.
    pub(super) fn with_will(mut self, topic: &str, payload: Vec<u8>) -> Self {
        self.options.set_last_will(LastWill::new(topic, payload, QoS::AtLeastOnce, true));
        self
    }
}

impl Broker for RumqttBroker {
    type Session = RumqttSession;

    fn connect(&mut self) -> JoinHandle<Result<RumqttSession, Lost>> {
        let (options, target, tap) = (self.options.clone(), self.target.clone(), Arc::clone(&self.tap));
        tokio::spawn(open(options, target, tap))
    }
}

async fn open(options: MqttOptions, target: Target, tap: SharedTap) -> Result<RumqttSession, Lost> {
    let (path, relay) = Relay::open(target, tap).await.map_err(|error| Lost::Broken(error.to_string()))?;
    let options = at(options, path);
    let (client, mut events) = AsyncClient::new(options, QUEUE);
    // The client's own limit on connecting is five seconds.
    match events.poll().await {
        Ok(Event::Incoming(Packet::ConnAck(_))) => {}
        Ok(other) => return Err(Lost::Broken(format!("found {other:?}, expected CONNACK"))),
        Err(error) => return Err(lost(&error)),
    }
    let (send, heard) = mpsc::channel(QUEUE);
    let task = tokio::spawn(async move {
        let ended = pump(&mut events, &send).await;
        // Nobody listens: the session was dropped.
        drop(send.send(Err(ended)).await);
        drop(relay);
    });
    Ok(RumqttSession { client, heard, task })
}

/// The options for a client that connects by the relay's socket.
fn at(options: MqttOptions, path: PathBuf) -> MqttOptions {
    let mut own = MqttOptions::new(options.client_id(), path.to_string_lossy(), 0);
    own.set_transport(Transport::Unix);
    own.set_keep_alive(options.keep_alive());
    own.set_max_packet_size(MAX_PACKET, MAX_PACKET);
    if let Some(will) = options.last_will() {
        own.set_last_will(will);
    }
    if let Some(login) = options.credentials() {
        own.set_credentials(login.username, login.password);
    }
    own
}

/// Passes on what is heard until the connection ends; why it did.
async fn pump(events: &mut EventLoop, send: &mpsc::Sender<Result<Heard, Lost>>) -> Lost {
    loop {
        let heard = match events.poll().await {
            Err(error) => return lost(&error),
            Ok(Event::Incoming(Packet::SubAck(answer))) => {
                if answer.return_codes.contains(&SubscribeReasonCode::Failure) {
                    return Lost::Refused(
                        "it does not let the harness listen on the stations' topics".to_owned(),
                    );
                }
                Heard::Subscribed
            }
            Ok(Event::Incoming(Packet::PubAck(_))) => Heard::Taken,
            Ok(Event::Incoming(Packet::Publish(publish))) => Heard::Message {
                topic: publish.topic,
                payload: publish.payload.to_vec(),
                retained: publish.retain,
            },
            Ok(_) => continue,
        };
        if send.send(Ok(heard)).await.is_err() {
            return Lost::Broken("nobody listens any more".to_owned());
        }
    }
}

fn lost(error: &ConnectionError) -> Lost {
    match error {
        ConnectionError::ConnectionRefused(
            code @ (ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized),
        ) => Lost::Refused(match code {
            ConnectReturnCode::NotAuthorized => "not authorised".to_owned(),
            _ => "bad user name or password".to_owned(),
        }),
        other => Lost::Broken(other.to_string()),
    }
}

/// A connection by rumqttc. Its event loop is a task of its own, so that nothing it has half done is ever cancelled.
pub(super) struct RumqttSession {
    client: AsyncClient,
    heard: mpsc::Receiver<Result<Heard, Lost>>,
    task: JoinHandle<()>,
}

impl RumqttSession {
    /// Sends a message with quality of service 1, which the broker is to keep where that is asked.
    pub(super) fn publish_retained(
        &mut self,
        topic: &str,
        payload: &[u8],
        retained: bool,
    ) -> Result<(), Lost> {
        let published = self.client.try_publish(topic, QoS::AtLeastOnce, retained, payload);
        published.map_err(|error| Lost::Broken(error.to_string()))
    }
}

impl Session for RumqttSession {
    fn subscribe(&mut self, topics: &[String]) -> Result<(), Lost> {
        let filters = topics.iter().map(|topic| SubscribeFilter::new(topic.clone(), QoS::AtLeastOnce));
        self.client.try_subscribe_many(filters).map_err(|error| Lost::Broken(error.to_string()))
    }

    fn publish(&mut self, topic: &str, payload: &[u8], quality: QualityOfService) -> Result<(), Lost> {
        let quality = match quality {
            QualityOfService::AtMostOnce => QoS::AtMostOnce,
            QualityOfService::AtLeastOnce => QoS::AtLeastOnce,
        };
        let published = self.client.try_publish(topic, quality, false, payload);
        published.map_err(|error| Lost::Broken(error.to_string()))
    }

    async fn next(&mut self) -> Result<Heard, Lost> {
        match self.heard.recv().await {
            Some(heard) => heard,
            None => Err(Lost::Broken("the MQTT client ended".to_owned())),
        }
    }
}

impl Drop for RumqttSession {
    fn drop(&mut self) {
        self.task.abort();
    }
}
