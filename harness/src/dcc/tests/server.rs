use axum::http::StatusCode;
use proto_duis::{DccContent, Eui64, PartyKind, Request, Response, ResponseBody, ResponseCode, Srv};

use super::lab::{ESME, GS, GSME, HUB, IS, KEYS, Lab, S1sp, device_alert, request, s1sp_alert};

#[tokio::test]
async fn an_accepted_request_is_answered_later_under_both_signatures() {
    let mut lab = Lab::start(S1sp::Answers).await;
    let asked = request(Srv::ArmSupply, ESME, 7);
    let acknowledgement = lab.ask(&asked).await;
    assert_eq!((acknowledgement.code, acknowledgement.request), (ResponseCode::ACKNOWLEDGED, Some(asked.id)));
    let answer = lab.next().await;
    assert_eq!(answer.message.request, Some(asked.id));
    assert_eq!(answer.message.response, Some(asked.id.response_id()));
    assert_eq!(
        answer.signed_by.iter().map(|p| p.kind).collect::<Vec<_>>(),
        [PartyKind::Dsp, PartyKind::S1sp]
    );
}

#[tokio::test]
async fn requests_of_one_installation_keep_their_order() {
    let mut lab = Lab::start(S1sp::Answers).await;
    for counter in 1..=5 {
        lab.ask(&request(Srv::ArmSupply, ESME, counter)).await;
    }
    for counter in 1..=5 {
        assert_eq!(lab.next().await.message.request.unwrap().counter, counter);
    }
}

#[tokio::test]
async fn a_replayed_request_is_refused_and_a_refused_one_leaves_its_counter() {
    let lab = Lab::start(S1sp::Answers).await;
    assert_eq!(lab.ask(&request(Srv::ArmSupply, GSME, 7)).await.code, ResponseCode::NOT_RESPONSIBLE);
    assert_eq!(lab.ask(&request(Srv::ArmSupply, ESME, 7)).await.code, ResponseCode::ACKNOWLEDGED);
    assert!(lab.ask(&request(Srv::ArmSupply, ESME, 7)).await.code.is_error());
    assert_eq!(lab.ask(&request(Srv::ArmSupply, ESME, 8)).await.code, ResponseCode::ACKNOWLEDGED);
}

#[tokio::test]
async fn the_inventory_is_read_at_once() {
    let lab = Lab::start(S1sp::Answers).await;
    let asked = request(Srv::ReadInventory, Eui64::ACCESS_CONTROL_BROKER, 1);
    let answer = lab.ask(&asked).await;
    assert_eq!(answer.code, ResponseCode::SUCCESS);
    let ResponseBody::Dcc(message) = answer.body else { panic!("not the DCC's own answer") };
    assert_eq!(
        message.content.into_inventory().iter().map(|device| device.id).collect::<Vec<_>>(),
        [ESME, HUB, GSME]
    );
    lab.dcc.with_inventory(|inventory| inventory.withdraw(ESME)).unwrap();
    let asked = request(Srv::ReadInventory, Eui64::ACCESS_CONTROL_BROKER, 2);
    let ResponseBody::Dcc(message) = lab.ask(&asked).await.body else { panic!("not the DCC's own answer") };
    assert_eq!(message.content, DccContent::Nothing);
}

#[tokio::test]
async fn what_is_no_request_is_refused_by_status_with_its_place() {
    let lab = Lab::start(S1sp::Answers).await;
    let xml = request(Srv::ArmSupply, ESME, 1).sign(&KEYS.is).unwrap();
    let (status, said) = lab.post("serviceS", xml.replace("ArmSupply", "LegSupply")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(String::from_utf8_lossy(&said).contains("/Request/Body/LegSupply"));
    let (status, _) = lab.post("serviceS", "<".to_owned()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = lab.post("serviceX", xml).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = lab.post("serviceS", " ".repeat(proto_duis::MAX_OCTETS + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

async fn code_when(s1sp: S1sp) -> ResponseCode {
    let mut lab = Lab::start(s1sp).await;
    let asked = request(Srv::ArmSupply, ESME, 7);
    assert_eq!(lab.ask(&asked).await.code, ResponseCode::ACKNOWLEDGED);
    let answer = lab.next().await.message;
    assert_eq!(answer.request, Some(asked.id));
    answer.code
}

#[tokio::test]
async fn an_s1sp_that_does_not_answer_rightly_is_said_to_the_user() {
    assert_eq!(code_when(S1sp::Unreachable).await, ResponseCode::CANNOT_COMMUNICATE);
    assert_eq!(code_when(S1sp::NoAnswer).await, ResponseCode::NO_RESPONSE);
    assert_eq!(code_when(S1sp::NeverReturns).await, ResponseCode::NO_RESPONSE);
    assert_eq!(code_when(S1sp::Forges).await, ResponseCode::CANNOT_COMMUNICATE);
    assert_eq!(code_when(S1sp::Confuses).await, ResponseCode::CANNOT_COMMUNICATE);
}

#[tokio::test]
async fn alerts_reach_the_user_they_are_for() {
    let mut lab = Lab::start(S1sp::RaisesAlert).await;
    lab.ask(&request(Srv::ArmSupply, ESME, 7)).await;
    assert!(matches!(lab.next().await.message.body, ResponseBody::DccAlert(_)));
    // The supplier responsible, when the alert names nobody known.
    for octets in [device_alert(IS), device_alert(ESME)] {
        lab.dcc.pass_device_alert(&octets).unwrap();
        assert!(
            matches!(lab.next().await.message.body, ResponseBody::Smets1(message) if message.srv.is_none())
        );
    }
    lab.dcc.pass_s1sp_alert(&s1sp_alert(None, Some(ESME))).unwrap();
    assert!(matches!(lab.next().await.message.body, ResponseBody::DccAlert(_)));
}

#[tokio::test]
async fn alerts_that_are_none_or_nobodys_are_refused() {
    let lab = Lab::start(S1sp::Answers).await;
    let alert = String::from_utf8(device_alert(IS).to_vec()).unwrap();
    assert!(lab.dcc.pass_device_alert(alert.replace("opened", "closed").as_bytes()).is_err());
    let error = lab.dcc.pass_s1sp_alert(&s1sp_alert(None, None)).unwrap_err();
    assert_eq!(error.to_string(), "no known user is responsible for the alert");
    assert!(lab.dcc.register_listener(ESME, "http://127.0.0.1/".parse().unwrap()).is_err());
}

async fn undelivered(lab: &Lab) -> crate::dcc::Undelivered {
    for _ in 0..400 {
        if let Some(lost) = lab.dcc.take_undelivered().into_iter().next() {
            return lost;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("nothing is said to be undelivered");
}

#[tokio::test]
async fn a_message_the_listener_refuses_is_given_up_at_once() {
    let lab = Lab::start_with(S1sp::Answers, StatusCode::BAD_REQUEST).await;
    lab.dcc.pass_device_alert(&device_alert(IS)).unwrap();
    let lost = undelivered(&lab).await;
    assert_eq!(lab.dcc.take_undelivered(), []);
    assert_eq!((lost.user, lost.what.as_str()), (IS, "device alert"));
    assert!(lost.reason.contains("400"), "{}", lost.reason);
}

#[tokio::test]
async fn a_message_to_a_listener_that_is_not_there_is_tried_and_given_up() {
    let lab = Lab::start(S1sp::Answers).await;
    lab.dcc.pass_device_alert(&device_alert(GS)).unwrap();
    assert!(undelivered(&lab).await.reason.contains("no listener"));
    let lab = Lab::start(S1sp::Answers).await;
    lab.dcc.register_listener(IS, "http://127.0.0.1:1/".parse().unwrap()).unwrap();
    lab.dcc.pass_device_alert(&device_alert(IS)).unwrap();
    assert!(undelivered(&lab).await.reason.contains("3 attempts"));
}

#[tokio::test]
async fn a_full_queue_turns_requests_away() {
    let lab = Lab::start(S1sp::Stalls).await;
    let signed = |counter| request(Srv::ArmSupply, ESME, counter).sign(&KEYS.is).unwrap();
    let mut statuses = Vec::new();
    for counter in 1..=66 {
        statuses.push(lab.post("serviceS", signed(counter)).await.0);
    }
    // One may be in the S1SP's hands, so the last but one may still find a place.
    assert!(statuses[..64].iter().all(|status| *status == StatusCode::OK));
    assert_eq!(statuses[65], StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_transform_of_a_smets1_request_is_refused_with_e12() {
    let lab = Lab::start(S1sp::Answers).await;
    let transform = proto_duis::CommandVariant::TRANSFORM;
    let asked = Request { command_variant: transform, ..request(Srv::ArmSupply, ESME, 1) };
    let (status, body) = lab.post("serviceT", asked.sign(&KEYS.is).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    let said = Response::open(&body, &KEYS.trust).unwrap().message;
    assert_eq!((said.code, said.request), (ResponseCode::COMMAND_VARIANT, Some(asked.id)));
    // Its counter is unused.
    assert_eq!(lab.ask(&request(Srv::ArmSupply, ESME, 1)).await.code, ResponseCode::ACKNOWLEDGED);
}

#[tokio::test]
async fn a_request_that_finds_no_place_is_told_when_to_come_again() {
    let lab = Lab::start(S1sp::Stalls).await;
    lab.ask(&request(Srv::ArmSupply, ESME, 1)).await;
    let second = request(Srv::ArmSupply, ESME, 2);
    let reply = tokio::select! {
        biased;
        quiet = lab.dcc.quiesce(std::time::Duration::from_secs(60)) => panic!("{quiet:?}"),
        reply = lab.reply("serviceS", second.sign(&KEYS.is).unwrap()) => reply,
    };
    assert_eq!((reply.status, reply.retry_after.as_deref()), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));
    assert_eq!(lab.ask(&second).await.code, ResponseCode::ACKNOWLEDGED);
}
