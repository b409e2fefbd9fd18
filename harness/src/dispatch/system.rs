//! The parties of the picture, running: service user, DCC stub and S1SP, each with a key of its own, made for this run.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lab_config::{ClientIdentity, DeviceKind, Eui64, Lab, Rig, UserRole};
use proto_duis::pki::Authority;
use proto_duis::{Certificate, DeviceStatus, InventoryDevice, Party, PartyKind, Signer, TrustStore};
use proto_lab::record::{Body, Note, Prepared};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::outside::Outsiders;
use super::{Book, RunError};
use crate::dcc::{
    self, CentralProductsList, Dcc, DccConfig, Enrolment, Inventory, Outside, S1spError, S1spPort, S1spReply,
};
use crate::driver::{Push, RigLinks};
use crate::execute::Ledger as _;
use crate::link::Direction;
use crate::migration::{Declared, Parties};
use crate::s1sp::{Recipients, S1sp, S1spAlertMessage, S1spParts, Unserved};
use crate::service_user::{Config, Limits, ServiceUser, Users};
use crate::tap::MessageTap;

/// How long the S1SP may take for one request: reading a month of half hours through a hub takes seconds.
const S1SP_DEADLINE: Duration = Duration::from_secs(45);

/// How long a device of the rig may sleep; a request to it may meet it asleep twice.
fn sleep_allowance(rig: &Rig) -> Duration {
    let wakes = rig.devices().filter_map(|device| device.model.wake_interval());
    wakes.map(|wake| wake.duration() * 2).max().unwrap_or_default()
}

/// Alerts that may wait between the S1SP and the DCC.
const OUTBOX: usize = 256;

/// The running parties.
pub struct System {
    /// The service user.
    pub user: ServiceUser,
    /// The ways to the devices, with the passwords now in force.
    pub links: RigLinks,
    /// What User Systems outside the harness asked.
    pub(super) outsiders: Outsiders,
    dcc: Arc<Dcc<Port>>,
    s1sp: Arc<S1sp>,
    book: Book,
    _pumps: JoinSet<()>,
}

impl System {
    /// Starts the parties for the rig of these links, and keeps the certificates they sign with in the evidence.
    ///
    /// # Errors
    /// [`RunError::Part`] naming the party that could not be started; [`RunError::Ledger`].
    pub async fn start(
        lab: &Lab,
        links: RigLinks,
        pushes: mpsc::Receiver<Push>,
        mut book: Book,
    ) -> Result<Self, RunError> {
        let keys = Keys::make(lab)?;
        let blob = Some(book.keep(keys.certificates().as_bytes())?);
        let what = "a key and a certificate for each party that signs messages, made for this run unless the lab file names them";
        book.write(Body::Prepared(Prepared { what: what.to_owned(), blob }))?;
        let (outbox, alerts) = mpsc::channel(OUTBOX);
        let s1sp = Arc::new(S1sp::start(S1spParts {
            links: links.clone(),
            pushes,
            signer: keys.s1sp.clone(),
            trust: keys.trust(&[PartyKind::User, PartyKind::Dsp]),
            recipients: recipients(lab)?,
            outbox,
        }));
        let outsiders = Outsiders::new(book.clone(), keys.trust(&[PartyKind::Dsp, PartyKind::S1sp]));
        let allowance = sleep_allowance(links.rig());
        let dcc =
            Arc::new(start_dcc(lab, &keys, Arc::clone(&s1sp), allowance, &outsiders, book.clone()).await?);
        if let Some(url) = dcc.outside_url() {
            let names = lab.dcc.user_systems.iter().map(|system| system.name.to_string());
            let names = names.collect::<Vec<_>>().join(", ");
            let what = format!("the DCC's interface for User Systems, at {url}, for {names}");
            book.write(Body::Prepared(Prepared { what, blob: None }))?;
        }
        let user = start_user(lab, &keys, &dcc, book.clone()).await?;
        let mut pumps = JoinSet::new();
        pumps.spawn(pump(alerts, Arc::clone(&dcc), book.clone()));
        Ok(Self { user, links, outsiders, dcc, s1sp, book, _pumps: pumps })
    }

    /// Waits until nothing asked earlier is on its way to a device any more, and drops what has not left.
    pub async fn settle(&self, limit: Duration) {
        self.s1sp.stop_distributions();
        let quiet = self.dcc.quiesce(limit).await;
        if quiet.dropped > 0 || quiet.still_busy {
            tracing::warn!(?quiet, "requests that nobody waits for any more were given up");
        }
    }

    /// Leaves the devices alone, for the dispatcher to ask them something on the wide area path: what was asked earlier
    /// and nobody waits for any more does not reach them after this.
    pub async fn quiesce(&self, limit: Duration) {
        self.settle(limit).await;
        let resting = tokio::time::timeout(limit, self.s1sp.rest()).await;
        if resting.is_err() {
            tracing::warn!("the S1SP did not come to rest within {limit:?}");
        }
    }

    /// Messages the DCC could not deliver to its user, in words.
    pub fn undelivered(&self) -> Vec<String> {
        let lost = self.dcc.take_undelivered();
        lost.into_iter()
            .map(|lost| format!("not delivered to {}: {}: {}", lost.user, lost.what, lost.reason))
            .collect()
    }

    /// Ends the parties.
    pub async fn stop(self) {
        self.user.stop().await;
    }
}

fn part(part: &'static str, error: impl std::fmt::Display) -> RunError {
    RunError::Part { part, reason: error.to_string() }
}

/// The keys of a run's parties, and who they belong to.
struct Keys {
    users: Users,
    dsp: Signer,
    s1sp: Signer,
    parties: Vec<(Party, Certificate)>,
}

impl Keys {
    fn make(lab: &Lab) -> Result<Self, RunError> {
        let wrong = |e: proto_duis::pki::PkiError| part("lab's certificate authority", e);
        let authority = Authority::new("Lab test authority").map_err(wrong)?;
        let users = Users::issue(&lab.users, &authority).map_err(wrong)?;
        let environment = &lab.environment;
        let (dsp, s1sp) = match &lab.dcc.signing {
            Some(signing) => (signer(&signing.dsp)?, signer(&signing.s1sp)?),
            None => {
                let dsp = authority.issue(&format!("DSP {}", environment.access_control_broker));
                let s1sp = authority.issue(&format!("S1SP {}", environment.s1sp));
                (dsp.map_err(wrong)?, s1sp.map_err(wrong)?)
            }
        };
        let mut parties: Vec<(Party, Certificate)> = users.trusted().collect();
        for system in &lab.dcc.user_systems {
            let certificate = Certificate::from_pem(&read(&system.certificate)?);
            let certificate = certificate
                .map_err(|error| part("User System", format!("{}: {error}", system.certificate.display())))?;
            let party = Party {
                name: format!("{} {}", system.name, system.id),
                kind: PartyKind::User,
                id: system.id,
            };
            parties.push((party, certificate));
        }
        let of = |kind, name: &str, id, signer: &Signer| {
            (Party { name: name.to_owned(), kind, id }, signer.certificate().clone())
        };
        parties.push(of(PartyKind::Dsp, "DSP", environment.access_control_broker, &dsp));
        parties.push(of(PartyKind::S1sp, "S1SP", environment.s1sp, &s1sp));
        Ok(Self { users, dsp, s1sp, parties })
    }

    /// The parties of these kinds, to be believed.
    fn trust(&self, kinds: &[PartyKind]) -> TrustStore {
        let mut trust = TrustStore::new();
        for (party, certificate) in self.parties.iter().filter(|(party, _)| kinds.contains(&party.kind)) {
            trust.add(party.clone(), certificate.clone());
        }
        trust
    }

    /// Every certificate in PEM, each under the name of its party: what `harness duis show --certificate` takes.
    fn certificates(&self) -> String {
        let one = |(party, certificate): &(Party, Certificate)| format!("{party}\n{}", certificate.pem());
        self.parties.iter().map(one).collect()
    }
}

/// Files a lab names for keys.
fn read(file: &std::path::Path) -> Result<String, RunError> {
    std::fs::read_to_string(file).map_err(|error| part("lab's keys", format!("{}: {error}", file.display())))
}

fn signer(identity: &ClientIdentity) -> Result<Signer, RunError> {
    let ClientIdentity { certificate, key } = identity;
    let signer = Signer::from_pem(&read(certificate)?, &read(key)?);
    signer.map_err(|error| {
        part("lab's keys", format!("{} and {}: {error}", certificate.display(), key.display()))
    })
}

/// Whom alerts of devices go to: the lab's suppliers, and the network operator where the lab is one.
fn recipients(lab: &Lab) -> Result<Recipients, RunError> {
    let supplier = |role: UserRole| {
        lab.user(role).ok_or_else(|| {
            part("S1SP", format!("the lab file has no user in role {role}: add one under [users]"))
        })
    };
    let with_outsiders = |own: Option<Eui64>, role: UserRole| -> Vec<Eui64> {
        let systems = lab.dcc.user_systems.iter().filter(move |system| system.roles.contains(&role));
        own.into_iter().chain(systems.map(|system| system.id)).collect()
    };
    let (electricity, gas) = (UserRole::ImportSupplier, UserRole::GasSupplier);
    let network = UserRole::ElectricityDistributor;
    Ok(Recipients {
        electricity: with_outsiders(Some(supplier(electricity)?), electricity),
        gas: with_outsiders(Some(supplier(gas)?), gas),
        electricity_network: with_outsiders(lab.user(network), network),
    })
}

/// The door of User Systems outside the harness, where the lab has any.
fn outside(lab: &Lab, outsiders: &Outsiders) -> Result<Option<Outside>, RunError> {
    let interface = &lab.dcc;
    if interface.user_systems.is_empty() {
        return Ok(None);
    }
    let (mut users, mut listeners) = (dcc::Users::default(), std::collections::BTreeMap::new());
    for system in &interface.user_systems {
        let status = dcc::UserStatus::Active;
        users.insert(dcc::User { id: system.id, roles: system.roles.clone(), status });
        let listener = system.listener.to_string().parse().map_err(|error| part("User System", error))?;
        listeners.insert(system.id, listener);
    }
    let (listen, tls) = (interface.listen, interface.tls.clone());
    Ok(Some(Outside { listen, tls, users, listeners, tap: Arc::new(outsiders.clone()) }))
}

async fn start_dcc(
    lab: &Lab,
    keys: &Keys,
    s1sp: Arc<S1sp>,
    sleep_allowance: Duration,
    outsiders: &Outsiders,
    book: Book,
) -> Result<Dcc<Port>, RunError> {
    let config = DccConfig {
        bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        access_control_broker: lab.environment.access_control_broker,
        signer: keys.dsp.clone(),
        trust: keys.trust(&[PartyKind::User, PartyKind::S1sp]),
        users: dcc::Users::active(lab.users.iter().map(|(role, id)| (*role, *id))),
        doubtful: lab.environment.doubtful_variants.clone(),
        inventory: Inventory::new(),
        tap: Arc::new(S1spEdge(book)),
        products: CentralProductsList::None,
        s1sp_deadline: S1SP_DEADLINE,
        sleep_allowance,
        clock: Arc::new(Timestamp::now),
        outside: outside(lab, outsiders)?,
    };
    Dcc::start(config, Port(s1sp)).await.map_err(|e| part("DCC stub", e))
}

async fn start_user(lab: &Lab, keys: &Keys, dcc: &Dcc<Port>, book: Book) -> Result<ServiceUser, RunError> {
    let user = ServiceUser::start(Config {
        dcc: dcc.url(),
        access_control_broker: lab.environment.access_control_broker,
        users: keys.users.clone(),
        trust: keys.trust(&[PartyKind::Dsp, PartyKind::S1sp]),
        // Microseconds: a later run begins beyond any counter of an earlier one.
        first_counter: u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(1),
        tap: Arc::new(book),
        limits: Limits::default(),
    })
    .await
    .map_err(|e| part("service user", e))?;
    let listener: axum::http::Uri = user.listener_url().parse().map_err(|e| part("service user", e))?;
    for id in lab.users.values() {
        dcc.register_listener(*id, listener.clone()).map_err(|e| part("DCC stub", e))?;
    }
    Ok(user)
}

/// Passes what the S1SP tells unasked on to the DCC, and how far an image is into the evidence.
async fn pump(mut alerts: mpsc::Receiver<S1spAlertMessage>, dcc: Arc<Dcc<Port>>, book: Book) {
    while let Some(alert) = alerts.recv().await {
        let passed = match &alert {
            S1spAlertMessage::Device(signed) => dcc.pass_device_alert(signed.xml().as_bytes()),
            S1spAlertMessage::S1sp(signed) => dcc.pass_s1sp_alert(signed.xml().as_bytes()),
            S1spAlertMessage::Progress(what) => {
                let note = Note { who: "S1SP".to_owned(), what: what.clone() };
                // Evidence that cannot be written stops the run at its next record.
                drop(book.write(Body::Note(note)));
                Ok(())
            }
        };
        if let Err(error) = passed {
            tracing::error!("the DCC passes no alert on: {error}");
        }
    }
}

/// What passes between the DCC and the S1SP goes into the evidence too. What crosses the DCC's other edge is shown by the
/// user there.
struct S1spEdge(Book);

/// The S1SP, as the DCC's tap names it.
const S1SP: &str = "S1SP";

impl MessageTap for S1spEdge {
    fn message(&self, direction: Direction, party: &str, what: &str, bytes: &[u8]) {
        if party == S1SP {
            self.0.message(direction, party, what, bytes);
        }
    }
}

/// The S1SP as the DCC reaches it.
struct Port(Arc<S1sp>);

impl S1spPort for Port {
    async fn serve(&self, countersigned: Bytes) -> Result<S1spReply, S1spError> {
        match self.0.serve(&countersigned).await {
            Ok(answer) => Ok(S1spReply::Answer(Bytes::copy_from_slice(answer.xml().as_bytes()))),
            Err(error @ Unserved::NoAnswer { .. }) => Err(S1spError::NoAnswer(error.to_string())),
            Err(error) => Err(S1spError::Unreachable(error.to_string())),
        }
    }

    async fn distribute(&self, countersigned: Bytes, devices: &BTreeSet<Eui64>) -> Result<(), S1spError> {
        let begun = self.0.distribute(&countersigned, devices);
        begun.map_err(|error| S1spError::Unreachable(error.to_string()))
    }
}

impl Parties for System {
    fn enrolled(&self, device: Eui64) -> bool {
        self.dcc.with_inventory(|inventory| inventory.is_commissioned(device))
    }

    async fn take_control(&mut self) -> Result<String, String> {
        self.s1sp.take_control().await
    }

    async fn give_back(&mut self) -> Result<String, String> {
        self.s1sp.give_back().await
    }

    async fn enrol(&mut self, declared: &Declared) -> Result<(), String> {
        // What the inventory holds before the first device of the installation joins it must be safe on disk.
        self.book.sync().map_err(|e| e.to_string())?;
        let enrolments: Vec<Enrolment> = self.enrolments(declared);
        self.dcc.with_inventory(|inventory| {
            for (count, enrolment) in enrolments.iter().enumerate() {
                if let Err(error) = inventory.enrol(enrolment.clone()) {
                    // All of an installation or nothing of it.
                    enrolments[..count].iter().for_each(|joined| drop(inventory.withdraw(joined.device.id)));
                    return Err(error.to_string());
                }
            }
            Ok(())
        })
    }

    async fn withdraw(&mut self, declared: &Declared) -> Result<(), String> {
        self.dcc.with_inventory(|inventory| {
            for device in declared.devices.values() {
                // One that is not there has left already.
                drop(inventory.withdraw(device.eui64));
            }
        });
        Ok(())
    }
}

impl System {
    fn enrolments(&self, declared: &Declared) -> Vec<Enrolment> {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let hub = declared.devices.get(&DeviceKind::Chf).map(|hub| hub.eui64);
        let enrolment =
            |(kind, device): (&DeviceKind, &crate::migration::checks::DeclaredDevice)| Enrolment {
                device: InventoryDevice {
                    id: device.eui64,
                    kind: *kind,
                    status: Some(DeviceStatus::Commissioned),
                    manufacturer: device.identity.manufacturer.to_string(),
                    model: device.identity.model.to_string(),
                    specification: None,
                    firmware: Some(device.identity.firmware_version.to_string()),
                    commissioned: Some(today),
                    import_mpxn: None,
                    secondary_import_mpan: None,
                    export_mpan: None,
                    variant: None,
                    s1sp: None,
                },
                installation: hub.unwrap_or(device.eui64),
                responsible: self.dcc.users().responsible_for(*kind),
                notified_by: None,
            };
        declared.devices.iter().map(enrolment).collect()
    }
}
