//! The DCC and the service user of this harness, each the other's peer, over loopback HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proto_duis::mmc::build;
use proto_duis::pki::Authority;
use proto_duis::{
    AlertCode, CountersignedRequest, DeviceAlert, Eui64, Party, PartyKind, RequestBody, ResponseCode,
    ResponsePayload, Signer, Smets1Body, Smets1Response, Srv, TrustStore, UserRole,
};
use scenarios::Misuse;
use tokio::time::Instant;

use super::lab::{ESME, GS, GSME, HUB, IS, OU, inventory, now, users};
use crate::dcc::{Dcc, DccConfig, S1spError, S1spPort, S1spReply};
use crate::service_user::{self, AlertMatcher, Limits, ServiceUser, Submitted, Target, UserError};
use crate::tap::NoMessageTap;

/// An S1SP whose electricity meter has counted 42 Wh, and whose gas meter is out of reach.
struct Port {
    trust: TrustStore,
    signer: Signer,
}

impl S1spPort for Port {
    async fn serve(&self, countersigned: Bytes) -> Result<S1spReply, S1spError> {
        let opened = CountersignedRequest::open(&countersigned, &self.trust).unwrap();
        let id = opened.message.request().content().id;
        if id.target == GSME {
            return Err(S1spError::Unreachable("the gas meter sleeps".to_owned()));
        }
        let data = build::import_registers_electricity(Some(42), None).unwrap();
        let answer = Smets1Response::answer(id, ResponsePayload::success(data)).sign(&self.signer).unwrap();
        Ok(S1spReply::Answer(answer.xml().to_owned().into()))
    }
}

struct Pair {
    dcc: Dcc<Port>,
    user: ServiceUser,
    s1sp: Signer,
}

async fn pair() -> Pair {
    let authority = Authority::new("Lab").unwrap();
    let ids = [(UserRole::ImportSupplier, IS), (UserRole::GasSupplier, GS), (UserRole::OtherUser, OU)];
    let lab_users = service_user::Users::issue(&BTreeMap::from(ids), &authority).unwrap();
    let [dsp, s1sp] = ["DSP", "S1SP"].map(|name| authority.issue(name).unwrap());
    let mut trust = TrustStore::new();
    lab_users.trusted().for_each(|(party, certificate)| trust.add(party, certificate));
    for (kind, signer) in [(PartyKind::Dsp, &dsp), (PartyKind::S1sp, &s1sp)] {
        let party = Party { name: kind.to_string(), kind, id: Eui64::ACCESS_CONTROL_BROKER };
        trust.add(party, signer.certificate().clone());
    }
    let config = DccConfig {
        bind: "127.0.0.1:0".parse().unwrap(),
        access_control_broker: Eui64::ACCESS_CONTROL_BROKER,
        signer: dsp,
        trust: trust.clone(),
        users: users(),
        doubtful: std::collections::BTreeSet::new(),
        inventory: inventory(),
        tap: NoMessageTap::shared(),
        products: crate::dcc::CentralProductsList::None,
        s1sp_deadline: Duration::from_secs(10),
        sleep_allowance: Duration::ZERO,
        clock: Arc::new(now),
        outside: None,
    };
    let port = Port { trust: trust.clone(), signer: s1sp.clone() };
    let dcc = Dcc::start(config, port).await.unwrap();
    let config = service_user::Config {
        dcc: dcc.url(),
        access_control_broker: Eui64::ACCESS_CONTROL_BROKER,
        users: lab_users,
        trust,
        tls: None,
        listener: lab_config::AnswerListener { listen: (std::net::Ipv4Addr::LOCALHOST, 0).into(), tls: None },
        counters: service_user::CounterStore::passing(1),
        tap: NoMessageTap::shared(),
        limits: Limits::default(),
    };
    let user = ServiceUser::start(config).await.unwrap();
    for (_, id) in ids {
        dcc.register_listener(id, user.listener_url().parse().unwrap()).unwrap();
    }
    Pair { dcc, user, s1sp }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

impl Pair {
    async fn submit(&self, role: UserRole, target: Eui64, misuse: Option<Misuse>) -> Submitted {
        let body = RequestBody::from_fields(Srv::ReadInstantaneousImportRegisters, &BTreeMap::new()).unwrap();
        self.user.submit(role, Target::Device(target), body, misuse, soon()).await.unwrap()
    }

    async fn refusal(&self, role: UserRole, target: Eui64, misuse: Option<Misuse>) -> ResponseCode {
        let submitted = self.submit(role, target, misuse).await;
        let error = self.user.await_response(&submitted.request_id, soon()).await.unwrap_err();
        let code = submitted.acknowledgement.code;
        assert!(matches!(error, UserError::Refused { code: refused, .. } if refused == code), "{error}");
        code
    }
}

#[tokio::test]
async fn a_request_is_answered_with_the_meters_value() {
    let pair = pair().await;
    let submitted = pair.submit(UserRole::ImportSupplier, ESME, None).await;
    assert_eq!(submitted.acknowledgement.code, ResponseCode::ACKNOWLEDGED);
    let answer = pair.user.await_response(&submitted.request_id, soon()).await.unwrap();
    assert_eq!((answer.code, answer.success), (ResponseCode::SUCCESS, Some(true)));
    let value = answer.data.unwrap().find("Electricity.ActiveImportRegister.Value").unwrap();
    assert_eq!(value.as_deref(), Some("42"));
}

#[tokio::test]
async fn every_misuse_is_refused_with_its_code_and_honest_requests_go_on() {
    let pair = pair().await;
    let is = UserRole::ImportSupplier;
    assert!(pair.submit(is, ESME, None).await.is_accepted());
    for misuse in [Misuse::BadSignature, Misuse::Tampered] {
        assert_eq!(pair.refusal(is, ESME, Some(misuse)).await.as_str(), crate::dcc::BAD_SIGNATURE.0);
    }
    assert_eq!(pair.refusal(is, ESME, Some(Misuse::UnknownUser)).await, ResponseCode::INVALID_USER);
    assert_eq!(pair.refusal(UserRole::OtherUser, ESME, None).await, ResponseCode::ROLE_NOT_ALLOWED);
    assert_eq!(pair.refusal(is, GSME, None).await, ResponseCode::NOT_RESPONSIBLE);
    assert_eq!(pair.refusal(is, HUB, None).await, ResponseCode::DEVICE_TYPE);
    assert!(pair.submit(is, ESME, None).await.is_accepted());
}

#[tokio::test]
async fn a_counter_that_was_used_is_refused_as_a_replay() {
    let pair = pair().await;
    let is = UserRole::ImportSupplier;
    let first = pair.submit(is, ESME, None).await;
    pair.user.await_response(&first.request_id, soon()).await.unwrap();
    assert_eq!(
        pair.refusal(is, ESME, Some(Misuse::ReplayedCounter)).await.as_str(),
        crate::dcc::ANTI_REPLAY.0
    );
}

#[tokio::test]
async fn a_device_out_of_reach_is_an_answer_with_e20() {
    let pair = pair().await;
    let submitted = pair.submit(UserRole::GasSupplier, GSME, None).await;
    let answer = pair.user.await_response(&submitted.request_id, soon()).await.unwrap();
    assert_eq!((answer.code, answer.success), (ResponseCode::CANNOT_COMMUNICATE, None));
}

#[tokio::test]
async fn the_inventory_is_answered_at_once_also_when_it_finds_nothing() {
    let pair = pair().await;
    for (device, count) in [(ESME, 3), (IS, 0)] {
        let fields = [("DeviceID".to_owned(), device.to_string())].into();
        let body = RequestBody::from_fields(Srv::ReadInventory, &fields).unwrap();
        let submitted = pair.user.submit(UserRole::OtherUser, Target::Dcc, body, None, soon()).await.unwrap();
        assert_eq!(submitted.acknowledgement.code, ResponseCode::SUCCESS);
        let answer = pair.user.await_response(&submitted.request_id, soon()).await.unwrap();
        assert_eq!(answer.content.into_inventory().len(), count);
    }
}

#[tokio::test]
async fn an_alert_is_matched_and_another_is_kept() {
    let pair = pair().await;
    for (counter, code) in [(1, AlertCode::TAMPER), (2, AlertCode::LOW_CREDIT)] {
        let description = "noticed".to_owned();
        let alert = DeviceAlert { code: Some(code), description, time: now(), payload: None };
        let body = Smets1Body::Alert(alert);
        let message = Smets1Response { device: ESME, user: IS, counter, timestamp: None, body };
        pair.dcc.pass_device_alert(message.sign(&pair.s1sp).unwrap().xml().as_bytes()).unwrap();
    }
    let matcher = AlertMatcher { code: AlertCode::LOW_CREDIT, device: Some(ESME), since: None };
    let alert = pair.user.await_alert(matcher, soon()).await.unwrap();
    assert_eq!((alert.device, alert.user), (Some(ESME), Some(IS)));
    assert_eq!(pair.user.take_leftovers().alerts.len(), 1);
    assert_eq!(pair.dcc.take_undelivered(), []);
}
