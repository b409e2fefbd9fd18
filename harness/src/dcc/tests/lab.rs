//! A lab for one test: parties with fresh keys, an inventory, a DCC, an S1SP that does as told, and a listener.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use bytes::Bytes;
use jiff::Timestamp;
use lab_config::DeviceKind;
use proto_duis::mmc::build::{self, Fuel};
use proto_duis::pki::Authority;
use proto_duis::{
    AlertCode, CountersignedRequest, DeviceAlert, DeviceStatus, Eui64, InventoryDevice, Opened, Party,
    PartyKind, Request, RequestBody, RequestId, Response, ResponsePayload, S1spAlert, Signer, Smets1Body,
    Smets1Response, Srv, TrustStore, UserRole,
};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::dcc::{
    CentralProductsList, Dcc, DccConfig, Enrolment, Inventory, S1spError, S1spPort, S1spReply, Users,
};
use crate::post::{Poster, Reply};
use crate::tap::NoMessageTap;

pub(super) const IS: Eui64 = Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x01, 0x00, 0x00]);
pub(super) const GS: Eui64 = Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x02, 0x00, 0x00]);
pub(super) const OU: Eui64 = Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x03, 0x00, 0x00]);
pub(super) const HUB: Eui64 = Eui64::new([0, 0xDB, 0, 0, 0, 0, 0, 1]);
pub(super) const ESME: Eui64 = Eui64::new([0, 0xDB, 0, 0, 0, 0, 0, 2]);
pub(super) const GSME: Eui64 = Eui64::new([0, 0xDB, 0, 0, 0, 0, 0, 3]);

pub(super) struct Keys {
    pub(super) is: Signer,
    pub(super) gs: Signer,
    pub(super) ou: Signer,
    pub(super) dsp: Signer,
    pub(super) s1sp: Signer,
    pub(super) stranger: Signer,
    pub(super) trust: TrustStore,
}

pub(super) static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let authority = Authority::new("Lab").unwrap();
    let [is, gs, ou, dsp, s1sp, stranger] =
        ["IS", "GS", "OU", "DSP", "S1SP", "Stranger"].map(|name| authority.issue(name).unwrap());
    let mut trust = TrustStore::new();
    let parties = [
        ("IS", PartyKind::User, IS, &is),
        ("GS", PartyKind::User, GS, &gs),
        ("OU", PartyKind::User, OU, &ou),
        ("DSP", PartyKind::Dsp, Eui64::ACCESS_CONTROL_BROKER, &dsp),
        ("S1SP", PartyKind::S1sp, HUB, &s1sp),
    ];
    for (name, kind, id, signer) in parties {
        trust.add(Party { name: name.to_owned(), kind, id }, signer.certificate().clone());
    }
    Keys { is, gs, ou, dsp, s1sp, stranger, trust }
});

pub(super) fn users() -> Users {
    Users::active([(UserRole::ImportSupplier, IS), (UserRole::GasSupplier, GS), (UserRole::OtherUser, OU)])
}

pub(super) fn inventory() -> Inventory {
    let mut inventory = Inventory::new();
    for (id, kind) in [(HUB, DeviceKind::Chf), (ESME, DeviceKind::Esme), (GSME, DeviceKind::Gsme)] {
        let device = InventoryDevice {
            id,
            kind,
            status: Some(DeviceStatus::Commissioned),
            manufacturer: "1052".to_owned(),
            model: "00A10001".to_owned(),
            specification: None,
            firmware: None,
            commissioned: None,
            import_mpxn: (kind == DeviceKind::Esme).then(|| "1200023305967".to_owned()),
            secondary_import_mpan: None,
            export_mpan: None,
            variant: None,
            s1sp: None,
        };
        let responsible = users().responsible_for(kind);
        let enrolment = Enrolment { device, installation: HUB, responsible, notified_by: None };
        inventory.enrol(enrolment).unwrap();
    }
    inventory
}

pub(super) fn now() -> Timestamp {
    "2026-11-21T09:30:00Z".parse().unwrap()
}

/// A clock that a test sets.
#[derive(Clone)]
pub(super) struct SetClock(Arc<std::sync::Mutex<Timestamp>>);

impl SetClock {
    pub(super) fn new() -> SetClock {
        SetClock(Arc::new(std::sync::Mutex::new(now())))
    }

    pub(super) fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn pass(&self, seconds: i64) {
        *self.0.lock().unwrap() += jiff::SignedDuration::from_secs(seconds);
    }
}

/// A request for the DCC itself, of the import supplier.
pub(super) fn for_the_dcc(srv: Srv, counter: u64, fields: &[(&str, &str)]) -> Request {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let id = RequestId { originator: IS, target: Eui64::ACCESS_CONTROL_BROKER, counter };
    Request::new(id, RequestBody::from_fields(srv, &fields).unwrap())
}

pub(super) fn request(srv: Srv, target: Eui64, counter: u64) -> Request {
    let fields = match srv {
        Srv::ReadInventory => [("DeviceID".to_owned(), ESME.to_string())].into(),
        _ => Default::default(),
    };
    let body = RequestBody::from_fields(srv, &fields).unwrap();
    Request::new(RequestId { originator: IS, target, counter }, body)
}

/// How the pretended S1SP behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum S1sp {
    Answers,
    RaisesAlert,
    Unreachable,
    NoAnswer,
    /// Past the DCC's deadline, which is short then.
    NeverReturns,
    /// For as long as the test takes.
    Stalls,
    /// The answer is signed by the DSP.
    Forges,
    /// The answer is to another counter.
    Confuses,
}

impl S1spPort for S1sp {
    async fn distribute(&self, countersigned: Bytes, devices: &BTreeSet<Eui64>) -> Result<(), S1spError> {
        let opened = CountersignedRequest::open(&countersigned, &KEYS.trust).unwrap();
        assert_eq!(opened.message.request().content().srv(), Srv::UpdateFirmware);
        assert!(!devices.is_empty());
        match self {
            S1sp::Unreachable => Err(S1spError::Unreachable("no carrier".to_owned())),
            _ => Ok(()),
        }
    }

    async fn serve(&self, countersigned: Bytes) -> Result<S1spReply, S1spError> {
        let opened = CountersignedRequest::open(&countersigned, &KEYS.trust).unwrap();
        let request = opened.message.asked().clone();
        let mut id = request.id;
        match self {
            S1sp::Answers | S1sp::Forges => {}
            S1sp::Confuses => id.counter += 1,
            S1sp::RaisesAlert => return Ok(S1spReply::Alert(s1sp_alert(Some(id), None))),
            S1sp::Unreachable => return Err(S1spError::Unreachable("no carrier".to_owned())),
            S1sp::NoAnswer => return Err(S1spError::NoAnswer("asleep".to_owned())),
            S1sp::NeverReturns | S1sp::Stalls => std::future::pending().await,
        }
        let answer = build::failed(request.srv(), Fuel::Electricity).unwrap();
        let answer = Smets1Response::answer(id, ResponsePayload::success(answer));
        let signer = if *self == S1sp::Forges { &KEYS.dsp } else { &KEYS.s1sp };
        Ok(S1spReply::Answer(answer.sign(signer).unwrap().xml().to_owned().into()))
    }
}

pub(super) fn s1sp_alert(request: Option<RequestId>, device: Option<Eui64>) -> Bytes {
    let alert =
        S1spAlert { request, device, code: "S1".to_owned(), information: None, utrn: None, time: now() };
    alert.sign(&KEYS.s1sp).unwrap().xml().to_owned().into()
}

pub(super) fn device_alert(user: Eui64) -> Bytes {
    let description = "cover opened".to_owned();
    let alert = DeviceAlert { code: Some(AlertCode::TAMPER), description, time: now(), payload: None };
    let body = Smets1Body::Alert(alert);
    let message = Smets1Response { device: ESME, user, counter: 1, timestamp: None, body };
    message.sign(&KEYS.s1sp).unwrap().xml().to_owned().into()
}

/// A running DCC, and what its users' listeners get.
pub(super) struct Lab {
    pub(super) dcc: Dcc<S1sp>,
    received: mpsc::Receiver<Bytes>,
    poster: Poster,
    clock: SetClock,
}

/// What the DCC of a test is made of.
pub(super) fn config(s1sp_deadline: Duration) -> DccConfig {
    DccConfig {
        bind: "127.0.0.1:0".parse().unwrap(),
        access_control_broker: Eui64::ACCESS_CONTROL_BROKER,
        signer: KEYS.dsp.clone(),
        trust: KEYS.trust.clone(),
        users: users(),
        doubtful: BTreeSet::new(),
        inventory: inventory(),
        tap: NoMessageTap::shared(),
        products: CentralProductsList::None,
        s1sp_deadline,
        sleep_allowance: Duration::ZERO,
        clock: Arc::new(now),
        outside: None,
    }
}

/// A listener that takes everything and answers with `status`.
async fn listen(status: StatusCode) -> (String, mpsc::Receiver<Bytes>) {
    let (sender, received) = mpsc::channel(64);
    let take = move |body: Bytes| {
        let sender = sender.clone();
        async move {
            sender.send(body).await.unwrap();
            status
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().route("/", post(take))).into_future());
    (url, received)
}

impl Lab {
    pub(super) async fn start(s1sp: S1sp) -> Lab {
        Lab::start_with(s1sp, StatusCode::NO_CONTENT).await
    }

    pub(super) async fn start_with(s1sp: S1sp, status: StatusCode) -> Lab {
        let config = config(Duration::from_millis(if s1sp == S1sp::NeverReturns { 300 } else { 10_000 }));
        let clock = SetClock::new();
        let told = clock.clone();
        let config = DccConfig { clock: Arc::new(move || told.now()), ..config };
        let dcc = Dcc::start(config, s1sp).await.unwrap();
        let (url, received) = listen(status).await;
        dcc.register_listener(IS, url.parse().unwrap()).unwrap();
        Lab { dcc, received, poster: Poster::new(proto_duis::MAX_OCTETS), clock }
    }

    /// Lets time pass, and the DCC look at its clock.
    pub(super) fn pass(&self, seconds: i64) {
        self.clock.pass(seconds);
        crate::dcc::agenda::changed(&self.dcc.shared.agenda_changed);
    }

    /// Sends a message to `service` and gives back the status and what was said.
    pub(super) async fn post(&self, service: &str, xml: String) -> (StatusCode, Bytes) {
        let reply = self.reply(service, xml).await;
        (reply.status, reply.body)
    }

    /// Sends a message to `service` and gives back what was said, with its head.
    pub(super) async fn reply(&self, service: &str, xml: String) -> Reply {
        let uri = format!("{}/api/v1/{service}", self.dcc.url()).parse().unwrap();
        self.poster.post(&uri, xml.into(), Instant::now() + Duration::from_secs(20)).await.unwrap()
    }

    /// Sends a signed request and gives back the acknowledgement, its signature checked.
    pub(super) async fn ask(&self, request: &Request) -> Response {
        self.ask_as(request, &KEYS.is).await
    }

    /// As [`Lab::ask`], signed by another.
    pub(super) async fn ask_as(&self, request: &Request, signer: &Signer) -> Response {
        let service = if request.srv().is_for_the_dcc() { "serviceD" } else { "serviceS" };
        let (status, body) = self.post(service, request.sign(signer).unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
        Response::open(&body, &KEYS.trust).unwrap().message
    }

    /// The next message at the listener, every signature checked.
    pub(super) async fn next(&mut self) -> Opened<Response> {
        let octets = tokio::time::timeout(Duration::from_secs(20), self.received.recv()).await;
        Response::open(&octets.expect("a message in time").unwrap(), &KEYS.trust).unwrap()
    }
}
