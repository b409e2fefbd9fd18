//! A simulated station: presses keys, switches mains and reads voltages of simulated devices, over real MQTT.
//!
//! It acts by the [`Hand`] and knows nothing of the harness; whoever speaks its topics may use it. It says that it is there,
//! leaves a last will that it is gone, tells how its relays stand, and reads its sensors once a second and whenever they
//! change. A broker it loses it looks for again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use lab_config::{ActuatorKind, BrokerUrl, DeviceKind, QualityOfService, SensorKind, Station, Topic};
use proto_lab::station::{Answered, Command, Deed, Mains, MainsState, Reading, Status};
use rumqttc::{AsyncClient, ClientError, Event, EventLoop, LastWill, MqttOptions, Packet, QoS};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::site::Site;
use super::{Hand, HandError, Pressed};

/// How often every sensor is read out though it has not changed.
const REPORT: Duration = Duration::from_secs(1);
/// Shortest and longest rest before a broker that was lost is looked for again.
const RESTS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Messages that may wait for the broker; more than one round of all sensors of a rig.
const WAITING: usize = 64;
/// Taken as ambient temperature, in degrees Celsius: the simulated lab is air-conditioned.
const AMBIENT: f64 = 21.0;

/// How a simulated station comes to its broker.
#[derive(Debug, Clone)]
pub(super) struct BrokerAccess {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) login: Option<(String, String)>,
    pub(super) keep_alive: Duration,
}

impl BrokerAccess {
    /// Where the broker of a lab file is and who the stations are to it; the place of an embedded one is still to be
    /// known. One that speaks TLS is not reached, and the lab file says so before.
    pub(super) fn of(broker: &lab_config::Broker) -> Result<Self, String> {
        let (host, port) = match &broker.url {
            BrokerUrl::Plain(at) | BrokerUrl::Tls(at) => (at.host().to_owned(), at.port()),
            BrokerUrl::Embedded => (String::new(), 0),
        };
        let login = match &broker.login {
            None => None,
            Some(login) => {
                let secret = login.password.secret().map_err(|error| error.to_string())?;
                let password = String::from_utf8(secret.expose().to_vec());
                Some((login.user.clone(), password.map_err(|_| "the password is no text".to_owned())?))
            }
        };
        Ok(Self { host, port, login, keep_alive: broker.keep_alive })
    }
}

/// One simulated station.
pub(super) struct SimStation {
    site: Arc<Site>,
    station: Station,
    answered: Answered,
    mains: BTreeMap<DeviceKind, Mains>,
    /// What each sensor was last said to read.
    told: BTreeMap<(DeviceKind, SensorKind), f64>,
}

impl SimStation {
    pub(super) fn new(site: Arc<Site>, station: Station) -> Self {
        let relays = station.actuators.keys().filter(|(_, kind)| *kind == ActuatorKind::MainsRelay);
        let mains = relays.map(|(device, _)| (*device, Mains::On)).collect();
        Self { site, station, answered: Answered::default(), mains, told: BTreeMap::new() }
    }

    /// Serves until stopped.
    pub(super) async fn serve(mut self, access: BrokerAccess, stop: CancellationToken) {
        let mut rest = RESTS.0;
        while !stop.is_cancelled() {
            let began = Instant::now();
            let (client, events) = AsyncClient::new(self.options(&access), WAITING);
            tokio::select! {
                () = stop.cancelled() => {
                    // Goodbye is said by the line's end: a station that is switched off is one that is gone.
                    return;
                }
                ended = self.attend(client, events) => if let Err(error) = ended {
                    tracing::info!(station = %self.station.name, %error, "looking for the broker again");
                },
            }
            rest = if began.elapsed() > RESTS.1 { RESTS.0 } else { (rest * 2).min(RESTS.1) };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(rest) => {}
            }
        }
    }

    fn options(&self, access: &BrokerAccess) -> MqttOptions {
        let name = format!("station-{}-{}-{:08x}", self.site.name, self.station.name, rand::random::<u32>());
        let mut options = MqttOptions::new(name, access.host.as_str(), access.port);
        let gone = Status { online: false, about: None }.to_payload();
        options.set_last_will(LastWill::new(self.station.status.as_str(), gone, self.quality(), true));
        options.set_keep_alive(access.keep_alive);
        if let Some((user, password)) = &access.login {
            options.set_credentials(user, password);
        }
        options
    }

    fn quality(&self) -> QoS {
        match self.station.quality {
            QualityOfService::AtMostOnce => QoS::AtMostOnce,
            QualityOfService::AtLeastOnce => QoS::AtLeastOnce,
        }
    }

    /// One connection, to its end.
    async fn attend(&mut self, client: AsyncClient, mut events: EventLoop) -> Result<(), StationError> {
        let mut stirred = self.site.stirring();
        let mut report = interval(REPORT);
        report.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut greeted = false;
        loop {
            tokio::select! {
                event = events.poll() => match event? {
                    Event::Incoming(Packet::ConnAck(_)) => {
                        self.listen(&client)?;
                    }
                    Event::Incoming(Packet::SubAck(_)) if !greeted => {
                        greeted = true;
                        self.greet(&client)?;
                    }
                    Event::Incoming(Packet::Publish(publish)) => {
                        self.obey(&client, &publish.topic, &publish.payload)?;
                    }
                    _ => {}
                },
                _ = report.tick(), if greeted => self.read_out(&client, true)?,
                _ = stirred.changed(), if greeted => self.read_out(&client, false)?,
            }
        }
    }

    /// Listens for commands; only then does it say that it takes them.
    fn listen(&self, client: &AsyncClient) -> Result<(), ClientError> {
        let filters = self
            .station
            .actuators
            .values()
            .map(|topic| rumqttc::SubscribeFilter::new(topic.command().to_string(), self.quality()));
        let filters: Vec<_> = filters.collect();
        match filters.is_empty() {
            // Nothing to listen for, and the broker's answer is waited for all the same.
            true => client.try_subscribe(self.station.status.as_str(), self.quality()),
            false => client.try_subscribe_many(filters),
        }
    }

    fn greet(&self, client: &AsyncClient) -> Result<(), ClientError> {
        let about = Some(format!("device-sim {}, simulated", env!("CARGO_PKG_VERSION")));
        let status = Status { online: true, about };
        client.try_publish(self.station.status.as_str(), self.quality(), true, status.to_payload())?;
        self.mains.keys().try_for_each(|device| self.tell_mains(client, *device))
    }

    fn tell_mains(&self, client: &AsyncClient, device: DeviceKind) -> Result<(), ClientError> {
        let relay = self.station.actuators.get(&(device, ActuatorKind::MainsRelay));
        let (Some(topic), Some(mains)) = (relay, self.mains.get(&device)) else { return Ok(()) };
        let state = MainsState { mains: *mains };
        client.try_publish(topic.state().as_str(), self.quality(), true, state.to_payload())
    }

    /// Does what it is told, once, and says what came of it, each time it is told.
    fn obey(&mut self, client: &AsyncClient, topic: &str, payload: &[u8]) -> Result<(), ClientError> {
        let told = self.station.actuators.iter().find(|(_, own)| own.command().as_str() == topic);
        let Some((&(device, kind), own)) = told else { return Ok(()) };
        let own: Topic = own.clone();
        let command = match Command::parse(payload) {
            Ok(command) => command,
            Err(error) => {
                // Without an identifier there is nobody to answer.
                tracing::warn!(station = %self.station.name, topic, %error, "no command");
                return Ok(());
            }
        };
        let Self { answered, site, mains, .. } = self;
        let act = || act(site, device, kind, &command.deed, mains);
        let answer = answered.answer(&command, Timestamp::now(), act);
        client.try_publish(own.acknowledgement().as_str(), self.quality(), false, answer.to_payload())?;
        self.tell_mains(client, device)
    }

    /// Publishes what the sensors read: all of them, or those that read otherwise than they were last said to.
    fn read_out(&mut self, client: &AsyncClient, all: bool) -> Result<(), ClientError> {
        for ((device, kind), topic) in &self.station.sensors {
            let Some(value) = read(&self.site, *device, *kind) else { continue };
            let told = self.told.insert((*device, *kind), value);
            if all || told != Some(value) {
                let unit = Some(kind.unit().to_owned());
                let reading = Reading { value, unit, at: Some(Timestamp::now()) };
                client.try_publish(topic.as_str(), QoS::AtMostOnce, true, reading.to_payload())?;
            }
        }
        Ok(())
    }
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum StationError {
    #[error(transparent)]
    Connection(#[from] rumqttc::ConnectionError),
    #[error("its messages are not taken: {0}")]
    Full(#[from] ClientError),
}

/// What came of a deed at a device, in words, or why it was not done.
fn act(
    site: &Arc<Site>,
    device: DeviceKind,
    kind: ActuatorKind,
    deed: &Deed,
    mains: &mut BTreeMap<DeviceKind, Mains>,
) -> Result<String, String> {
    let hand = Hand::new(site.clone(), device);
    let words = |error: HandError| error.to_string();
    match (kind, deed) {
        (ActuatorKind::Keys, Deed::Press(keys)) => {
            hand.press_keys(&keys.names().concat()).map(pressed).map(str::to_owned).map_err(words)
        }
        (ActuatorKind::MainsRelay, Deed::Mains(to)) => {
            hand.mains(*to == Mains::On).map_err(words)?;
            mains.insert(device, *to);
            Ok(format!("mains {to}"))
        }
        (kind, deed) => Err(format!("found {deed}, expected something for {kind} to do")),
    }
}

/// What pressing came to. A key that nothing waits for is pressed all the same.
const fn pressed(pressed: Pressed) -> &'static str {
    match pressed {
        Pressed::Nothing => "pressed; the device waited for no key",
        Pressed::Waiting => "pressed; the device waits for the other key",
        Pressed::SupplyOn => "pressed; the load switch closed",
    }
}

/// What a sensor at a device reads; none where there is nothing to clip it to.
fn read(site: &Site, device: DeviceKind, kind: SensorKind) -> Option<f64> {
    site.take(|home| {
        let esme = home.esme.as_ref().filter(|_| device == DeviceKind::Esme).map(|esme| &esme.device);
        match kind {
            SensorKind::SupplyVoltage => esme.map(|esme| f64::from(esme.terminal_decivolts()) / 10.0),
            SensorKind::Current => esme.map(|esme| match esme.terminal_decivolts() {
                0 => 0.0,
                decivolts => (f64::from(esme.watts()) * 1000.0 / f64::from(decivolts)).round() / 100.0,
            }),
            SensorKind::Temperature => Some(AMBIENT),
        }
    })
}
