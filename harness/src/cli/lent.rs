//! What `harness serve` does besides answering watchers: stations attach there, and what comes to pass is published.

use std::path::Path;
use std::sync::Arc;

use lab_config::{Broker, BrokerUrl, Login, SecretSource};
use proto_lab::attach::{LONGEST_FRAME, StationServer};
use proto_lab::record::book::LabEvent;
use tokio::sync::mpsc;
use tonic::service::interceptor::InterceptedService;
use tonic::{Request, Status};

use super::Failure;
use super::arguments::Published;
use super::say::{complain, say};
use crate::driver::state_folder;
use crate::embedded::EmbeddedBroker;
use crate::server::identity::{Caller, Who};
use crate::station::attach::{CertifiedName, Exchange, ExchangeError, StationEvent, StationLog};
use crate::station::publish::Publisher;

/// The user of the embedded broker.
const USER: &str = "lab";
/// Octets of its password.
const PASSWORD: usize = 16;
/// What came to pass with stations that may wait for the lab book.
const EVENTS: usize = 1024;

/// Passes what comes to pass with stations on to the lab book.
struct ForTheBook(mpsc::Sender<LabEvent>);

impl StationLog for ForTheBook {
    fn note(&self, event: &StationEvent) {
        let noted = self.0.try_send(match event.clone() {
            StationEvent::Attached { station, offers, .. } => {
                LabEvent::StationCame { station, links: offers }
            }
            StationEvent::Lost { station, reason } => LabEvent::StationWent { station, reason },
            StationEvent::MadeSafe { station, made } => {
                let (rig, token, reached) = (made.rig.to_string(), made.token.0, made.reached);
                let detail = format!("{}; {}", made.cause, made.detail);
                LabEvent::StationMadeSafe { station, rig, token, reached, detail }
            }
        });
        if noted.is_err() {
            complain!("not recorded, for the lab book does not keep up: {event}\n");
        }
    }
}

/// What comes to pass with stations, for the lab book.
pub(super) fn for_the_book() -> (Arc<dyn StationLog>, mpsc::Receiver<LabEvent>) {
    let (tell, told) = mpsc::channel(EVENTS);
    (Arc::new(ForTheBook(tell)), told)
}

/// The service at which stations attach under the names their certificates have.
pub(super) type Stations = InterceptedService<StationServer<Exchange>, fn(Request<()>) -> Called>;
type Called = Result<Request<()>, Status>;

/// The service at which stations attach; what comes to pass with them goes into `log`.
pub(super) async fn stations(log: Arc<dyn StationLog>) -> Result<Stations, Failure> {
    let exchange = Exchange::open(log).await;
    let exchange = exchange.map_err(|error| {
        let hint = match error {
            ExchangeError::Long { .. } => "set HARNESS_STATE to a folder with a shorter path",
            _ => "set HARNESS_STATE to a folder of this controller's own",
        };
        Failure::lab(error).hint(hint)
    })?;
    let server = StationServer::new(exchange).max_decoding_message_size(LONGEST_FRAME);
    Ok(InterceptedService::new(server, named))
}

/// Tells the exchange by what name a station is certified.
#[allow(clippy::result_large_err, clippy::unnecessary_wraps, reason = "what an interceptor returns")]
fn named(mut request: Request<()>) -> Called {
    let who = request.extensions().get::<Caller>().map(|caller| caller.who.clone());
    if let Some(Who::Station(name)) = who {
        request.extensions_mut().insert(CertifiedName(name));
    }
    Ok(request)
}

/// Publication under way, with the broker where it is the embedded one.
#[derive(Debug)]
pub(super) struct Publishing {
    _publisher: Publisher,
    _broker: Option<EmbeddedBroker>,
}

/// Begins to publish, where that was asked for.
pub(super) async fn publish(
    asked: &Published,
    lab: &str,
    runs: &Path,
) -> Result<Option<Publishing>, Failure> {
    let Some(url) = &asked.mqtt else { return Ok(None) };
    let (broker, embedded) = match url {
        BrokerUrl::Embedded => embedded(asked).await?,
        url => (elsewhere(asked, url.clone()), None),
    };
    let publisher = Publisher::start(lab, &broker, runs.to_owned());
    let publisher = publisher.map_err(Failure::input)?;
    Ok(Some(Publishing { _publisher: publisher, _broker: embedded }))
}

fn elsewhere(asked: &Published, url: BrokerUrl) -> Broker {
    let login = asked.mqtt_user.clone().zip(asked.mqtt_password_env.clone());
    let login = login.map(|(user, variable)| Login { user, password: SecretSource::Environment(variable) });
    let authority = asked.mqtt_ca.clone();
    Broker { url, authority, identity: None, login, keep_alive: Broker::KEEP_ALIVE }
}

/// The embedded broker lets in who knows the password in a file of this user's alone.
async fn embedded(asked: &Published) -> Result<(Broker, Option<EmbeddedBroker>), Failure> {
    let nowhere = || Failure::lab("no folder for the embedded broker's password: set HARNESS_STATE to one");
    let file = state_folder().ok_or_else(nowhere)?.join("mqtt-password");
    let password = password(&file).map_err(|e| Failure::lab(format!("{}: {e}", file.display())))?;
    let broker = EmbeddedBroker::start(asked.mqtt_port, USER, password.as_bytes()).await;
    let broker = broker.map_err(|e| Failure::lab(e).hint("choose another port with --mqtt-port"))?;
    say!("mqtt://{} user {USER}, password in {}", broker.address(), file.display());
    let url = format!("mqtt://{}", broker.address()).parse().map_err(Failure::lab)?;
    let login = Some(Login { user: USER.to_owned(), password: SecretSource::File(file) });
    let met = Broker { url, authority: None, identity: None, login, keep_alive: Broker::KEEP_ALIVE };
    Ok((met, Some(broker)))
}

/// The password, made on first use.
fn password(file: &Path) -> std::io::Result<String> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Ok(known) = std::fs::read_to_string(file) {
        return Ok(known.trim_end().to_owned());
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let made = hex::encode(rand::random::<[u8; PASSWORD]>());
    let mut new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    new.write_all(made.as_bytes())?;
    Ok(made)
}
