//! The embedded lab's devices, an S1SP in front of them, and the keys of a user and the DCC to ask it with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use device_sim::{Estate, SimClock};
use harness::driver::{Push, RigLinks, rig};
use harness::link::NoTap;
use harness::s1sp::{Asleep, PartiesByFuel, S1sp, S1spAlertMessage, S1spParts, SecretStore, Unserved};
use jiff::Timestamp;
use lab_config::{DeviceKind, Eui64, Lab, UserRole};
use proto_duis::pki::Authority;
use proto_duis::{
    Certificate, CountersignedRequest, MmcBody, Party, PartyKind, Request, RequestBody, RequestId,
    ResponsePayload, Signer, Smets1Body, Smets1Response, Srv, TrustStore,
};
use tokio::sync::mpsc;

const RIG: &str = "rig-1";

pub(crate) struct Bench {
    pub(crate) estate: Estate,
    pub(crate) links: RigLinks,
    pub(crate) s1sp: S1sp,
    alerts: mpsc::Receiver<S1spAlertMessage>,
    user: Signer,
    dsp: Signer,
    root: Certificate,
    pub(crate) user_id: Eui64,
    counter: AtomicU64,
}

impl Bench {
    pub(crate) async fn start() -> Bench {
        Bench::of(devices().await)
    }

    /// The same with devices of another lab, that live by another clock.
    pub(crate) async fn start_with(lab: Lab, clock: SimClock) -> Bench {
        Bench::of(devices_of(lab, clock).await)
    }

    fn of((links, pushes, estate, lab): Devices) -> Bench {
        let authority = Authority::new("Test signing authority").expect("keys");
        let issue = |name: &str| authority.issue(name).expect("a key");
        let user_id = lab.user(UserRole::ImportSupplier).expect("a user of the lab");
        let (user, dsp, signer) = (issue(&format!("supplier {user_id}")), issue("DSP"), issue("S1SP"));
        let mut trust = TrustStore::new();
        for (name, kind, id, key) in [
            ("supplier", PartyKind::User, user_id, &user),
            ("DSP", PartyKind::Dsp, lab.environment.access_control_broker, &dsp),
        ] {
            trust.add(Party { name: name.into(), kind, id }, key.certificate().clone());
        }
        let (outbox, alerts) = mpsc::channel(32);
        // One user asks everything here, of both fuels.
        let suppliers = PartiesByFuel { electricity: vec![user_id], gas: vec![user_id] };
        let network = lab.user(UserRole::ElectricityDistributor).expect("a user of the lab");
        let network_operators = PartiesByFuel { electricity: vec![network], gas: Vec::new() };
        let root = Certificate::from_pem(authority.pem()).expect("a certificate");
        let anchors = vec![root.clone()];
        let links_of = links.clone();
        let parts = S1spParts {
            links: links_of,
            pushes,
            signer,
            trust,
            suppliers,
            network_operators,
            anchors,
            store: SecretStore::passing(),
            asleep: Asleep::LeftAlone,
            outbox,
        };
        let s1sp = S1sp::start(parts);
        Bench { estate, links, s1sp, alerts, user, dsp, root, user_id, counter: AtomicU64::new(1) }
    }

    /// The certificates of the user and of the root that vouches for it, in base64.
    pub(crate) fn certificates(&self) -> [String; 2] {
        let armour = |line: &&str| !line.starts_with("-----");
        [self.user.certificate(), &self.root]
            .map(|certificate| certificate.pem().lines().filter(armour).collect())
    }

    pub(crate) fn eui64(&self, kind: DeviceKind) -> Eui64 {
        self.links.rig().device(kind).expect("a device of the rig").eui64
    }

    pub(crate) fn hand(&self, kind: DeviceKind) -> device_sim::Hand {
        self.estate.hand(RIG, kind).expect("a simulated device")
    }

    /// What the S1SP says to a request.
    pub(crate) async fn serve(
        &self,
        kind: DeviceKind,
        srv: Srv,
        fields: &[(&str, &str)],
    ) -> Result<Smets1Response, Unserved> {
        let countersigned = self.countersigned(kind, srv, fields, &self.dsp);
        self.s1sp.serve(countersigned.as_bytes()).await.map(|signed| signed.content().clone())
    }

    /// A request countersigned by somebody who is not the DSP.
    pub(crate) async fn serve_forged(&self, kind: DeviceKind, srv: Srv) -> Result<(), Unserved> {
        let countersigned = self.countersigned(kind, srv, &[], &self.user);
        self.s1sp.serve(countersigned.as_bytes()).await.map(drop)
    }

    fn countersigned(&self, kind: DeviceKind, srv: Srv, fields: &[(&str, &str)], dsp: &Signer) -> String {
        let fields: BTreeMap<String, String> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = RequestBody::from_fields(srv, &fields).expect("a body");
        let counter = self.counter.fetch_add(1, Ordering::Relaxed);
        let id = RequestId { originator: self.user_id, target: self.eui64(kind), counter };
        let request = Request::new(id, body).sign(&self.user).expect("a signature");
        let countersigned =
            CountersignedRequest::new(request.as_bytes(), Timestamp::now()).expect("a request");
        countersigned.sign(dsp).expect("a signature")
    }

    /// The data of a request that succeeds.
    pub(crate) async fn ask(&self, kind: DeviceKind, srv: Srv, fields: &[(&str, &str)]) -> MmcBody {
        let payload = payload(self.serve(kind, srv, fields).await.expect("an answer"));
        assert!(payload.succeeded(), "{kind} {srv}: {:?}", payload.debug);
        payload.data.expect("data")
    }

    /// The reason of a request the device refuses.
    pub(crate) async fn refused(&self, kind: DeviceKind, srv: Srv, fields: &[(&str, &str)]) -> (i64, String) {
        let payload = payload(self.serve(kind, srv, fields).await.expect("an answer"));
        assert!(!payload.succeeded(), "{kind} {srv} succeeded");
        let reason = payload.debug.first().expect("a reason");
        (reason.code, reason.error.clone())
    }

    pub(crate) async fn alert(&mut self) -> S1spAlertMessage {
        let alert = tokio::time::timeout(Duration::from_secs(10), self.alerts.recv()).await;
        alert.expect("an alert in time").expect("the S1SP runs")
    }

    /// Waits for a device alert with this code; others may come before it.
    pub(crate) async fn device_alert(&mut self, code: u16) -> (Eui64, String) {
        self.device_alert_of([code]).await
    }

    /// The same with any of some codes.
    pub(crate) async fn device_alert_of<const N: usize>(&mut self, codes: [u16; N]) -> (Eui64, String) {
        loop {
            let S1spAlertMessage::Device(alert) = self.alert().await else { continue };
            let Smets1Body::Alert(content) = &alert.content().body else { continue };
            if content.code.is_some_and(|found| codes.contains(&found.0)) {
                return (alert.content().device, content.description.clone());
            }
        }
    }

    /// Waits for an alert of the S1SP itself.
    pub(crate) async fn s1sp_alert(&mut self) -> proto_duis::S1spAlert {
        loop {
            if let S1spAlertMessage::S1sp(alert) = self.alert().await {
                return alert.content().clone();
            }
        }
    }
}

/// The ways to the devices of a lab, what they send unasked, the devices, and the lab with their links.
type Devices = (RigLinks, mpsc::Receiver<Push>, Estate, Lab);

/// The embedded lab's devices, started, and the ways to them.
pub(crate) async fn devices() -> Devices {
    devices_of(Lab::embedded().expect("the embedded lab"), SimClock::real()).await
}

async fn devices_of(lab: Lab, clock: SimClock) -> Devices {
    let estate = Estate::start(&lab, clock, 7).await.expect("the devices start");
    let lab = estate.concrete(lab);
    let rig = Arc::new(lab.rig(RIG).expect("the rig").clone());
    let (sender, pushes) = mpsc::channel(64);
    let chf = rig.device(DeviceKind::Chf).expect("a hub");
    let hub = rig::connect_hub(&rig, chf, NoTap::shared(), sender).await.expect("a connection");
    (RigLinks::new(rig.clone(), Some(hub), NoTap::shared()), pushes, estate, lab)
}

fn payload(response: Smets1Response) -> ResponsePayload {
    match response.body {
        Smets1Body::Response(payload) => payload,
        Smets1Body::Alert(alert) => panic!("an alert in place of an answer: {alert:?}"),
    }
}

pub(crate) fn text(body: &MmcBody, path: &str) -> String {
    body.find(path).expect("a path").unwrap_or_else(|| panic!("{path} is not in {body:?}"))
}
