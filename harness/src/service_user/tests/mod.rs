//! A service user over real loopback HTTP against a small DCC that answers as it is told.

mod counters;
mod inbox;
mod listening;
mod requests;
mod throttled;
mod waiting;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::routing::post;
use proto_duis::mmc::build;
use proto_duis::pki::Authority;
use proto_duis::{
    DeviceAlert, MmcBody, ResponsePayload, Signer, Smets1Body, Smets1Response, examples, examples::TIME,
};
use proto_duis::{Party, PartyKind, Response};

use super::*;

const SUPPLIER: UserRole = UserRole::ImportSupplier;
const METER: Eui64 = examples::DEVICE;

/// The test's tap: what went which way, in words.
#[derive(Default)]
struct Words(Mutex<Vec<String>>);

impl crate::tap::MessageTap for Words {
    fn message(&self, direction: Direction, party: &str, what: &str, bytes: &[u8]) {
        let empty = if bytes.is_empty() { ", no octets" } else { "" };
        self.0.lock().unwrap().push(format!("{direction:?} {party}: {what}{empty}"));
    }
}

/// How the DCC replies to a request at once.
#[derive(Clone)]
enum Manner {
    /// With this code, signed.
    Code(&'static str),
    /// With an inventory, and so with I0.
    Inventory,
    /// As it would to another request.
    ForAnother,
    /// With these octets and this status.
    Raw(u16, String),
    /// Never.
    Silent,
    /// So often with this status and this `Retry-After`, then with I99.
    Throttles(usize, u16, &'static str),
}

struct FakeDcc {
    signer: Signer,
    manner: Manner,
    /// Path and octets of every request, in order of arrival.
    seen: Mutex<Vec<(String, String)>>,
}

impl FakeDcc {
    async fn serve(self: &Arc<FakeDcc>) -> Server {
        let take = |State(dcc): State<Arc<FakeDcc>>, to: Uri, body: String| async move {
            let before = {
                let mut seen = dcc.seen.lock().unwrap();
                seen.push((to.path().to_owned(), body.clone()));
                seen.len()
            };
            if let Manner::Throttles(times, status, pause) = &dcc.manner
                && before <= *times
            {
                let status = StatusCode::from_u16(*status).unwrap();
                return (status, [(axum::http::header::RETRY_AFTER, *pause)], "too many".to_owned());
            }
            let (status, said) = dcc.reply(&Request::parse(body.as_bytes()).unwrap()).await;
            (status, [(axum::http::header::RETRY_AFTER, "")], said)
        };
        Server::start(Router::new().fallback(post(take)).with_state(Arc::clone(self)), 16).await.unwrap()
    }

    async fn reply(&self, request: &Request) -> (StatusCode, String) {
        let acknowledge =
            |id, code: &str| Response::acknowledgement(id, request.srv(), code.parse().unwrap(), TIME);
        let response = match &self.manner {
            Manner::Code(code) => acknowledge(request.id, code),
            Manner::Throttles(..) => acknowledge(request.id, "I99"),
            Manner::ForAnother => acknowledge(RequestId { counter: 1, ..request.id }, "I99"),
            Manner::Inventory => match examples::dcc_responses().pop().unwrap().body {
                proto_duis::ResponseBody::Dcc(message) => {
                    Response::inventory(request.id, message.content.into_inventory(), TIME)
                }
                other => panic!("{other:?}"),
            },
            Manner::Raw(status, text) => return (StatusCode::from_u16(*status).unwrap(), text.clone()),
            Manner::Silent => std::future::pending().await,
        };
        (StatusCode::OK, response.sign(&self.signer).unwrap())
    }

    fn seen(&self) -> Vec<(String, String)> {
        self.seen.lock().unwrap().clone()
    }

    fn ids(&self) -> Vec<RequestId> {
        self.seen().iter().map(|(_, xml)| Request::parse(xml.as_bytes()).unwrap().id).collect()
    }
}

/// A service user, its DCC, and those who sign.
struct Desks {
    user: ServiceUser,
    dcc: Arc<FakeDcc>,
    dsp: Signer,
    s1sp: Signer,
    users: Users,
    words: Arc<Words>,
    _server: Server,
}

fn user_ids() -> BTreeMap<UserRole, Eui64> {
    let other = Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x02, 0x00, 0x00]);
    [(SUPPLIER, examples::USER), (UserRole::GasSupplier, other)].into()
}

fn party(kind: PartyKind) -> Party {
    Party { name: kind.to_string(), kind, id: Eui64::new([0; 8]) }
}

async fn desks(manner: Manner) -> Desks {
    desks_with(manner, Limits::default()).await
}

async fn desks_with(manner: Manner, limits: Limits) -> Desks {
    let authority = Authority::new("Test authority").unwrap();
    let users = Users::issue(&user_ids(), &authority).unwrap();
    let (dsp, s1sp) = (authority.issue("DSP").unwrap(), authority.issue("S1SP").unwrap());
    let mut trust = TrustStore::new();
    trust.add(party(PartyKind::Dsp), dsp.certificate().clone());
    trust.add(party(PartyKind::S1sp), s1sp.certificate().clone());
    let dcc = Arc::new(FakeDcc { signer: dsp.clone(), manner, seen: Mutex::default() });
    let server = dcc.serve().await;
    let words = Arc::new(Words::default());
    let config = Config {
        dcc: format!("http://{}", server.address()),
        access_control_broker: Eui64::ACCESS_CONTROL_BROKER,
        users: users.clone(),
        trust,
        tls: None,
        listener: AnswerListener { listen: (std::net::Ipv4Addr::LOCALHOST, 0).into(), tls: None },
        counters: CounterStore::passing(100),
        tap: words.clone(),
        limits,
    };
    let user = ServiceUser::start(config).await.unwrap();
    Desks { user, dcc, dsp, s1sp, users, words, _server: server }
}

/// Long enough for anything that happens.
fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// A deadline for what does not happen.
fn shortly() -> Instant {
    Instant::now() + Duration::from_millis(60)
}

fn read_registers() -> RequestBody {
    RequestBody::from_fields(Srv::ReadInstantaneousImportRegisters, &BTreeMap::new()).unwrap()
}

fn registers() -> MmcBody {
    build::import_registers_electricity(Some(123_456), None).unwrap()
}

impl Desks {
    async fn submit(&self, misuse: Option<Misuse>) -> Result<Submitted, UserError> {
        self.user.submit(SUPPLIER, Target::Device(METER), read_registers(), misuse, soon()).await
    }

    /// A request the DCC accepted.
    async fn accepted(&self) -> RequestId {
        let submitted = self.submit(None).await.unwrap();
        assert!(submitted.is_accepted());
        submitted.request_id
    }

    fn answer_from(&self, dsp: &Signer, s1sp: &Signer, id: RequestId, data: MmcBody) -> String {
        let srv = data.srv();
        let signed = Smets1Response::answer(id, ResponsePayload::success(data)).sign(s1sp).unwrap();
        Response::answer(id, srv, signed, TIME).sign(dsp).unwrap()
    }

    fn answer(&self, id: RequestId) -> String {
        self.answer_from(&self.dsp, &self.s1sp, id, registers())
    }

    fn device_alert(&self, user: Eui64, alert: DeviceAlert, counter: u64) -> String {
        let body = Smets1Body::Alert(alert);
        let response = Smets1Response { device: METER, user, counter, timestamp: None, body };
        Response::device_alert(response.sign(&self.s1sp).unwrap(), TIME).sign(&self.dsp).unwrap()
    }

    /// Posts to the listener as the DCC does.
    async fn post(&self, octets: impl Into<Bytes>) -> (u16, String) {
        let poster = Dcc::new(self.user.listener_url().trim_end_matches('/'), None, 1 << 16).unwrap();
        match poster.post(&self.user.listener_url(), octets.into(), soon()).await {
            Ok(Said::Message(empty)) if empty.is_empty() => (204, String::new()),
            Err(Found::Status { status, text }) => (status, text),
            other => panic!("{other:?}"),
        }
    }
}
