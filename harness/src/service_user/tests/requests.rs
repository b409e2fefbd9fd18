//! Requests and what the DCC says of them at once.

use super::*;
use proto_duis::{DsigError, MessageError};

#[tokio::test]
async fn a_request_is_signed_acknowledged_and_answered() {
    let desks = desks(Manner::Code("I99")).await;
    let submitted = desks.submit(None).await.unwrap();
    let id = submitted.request_id;
    assert_eq!(id, RequestId { originator: examples::USER, target: METER, counter: 100 });
    let (path, xml) = desks.dcc.seen().remove(0);
    assert_eq!(path, "/api/v1/serviceS");
    let mut trust = TrustStore::new();
    desks.users.trusted().for_each(|(party, certificate)| trust.add(party, certificate));
    let request = Request::open(xml.as_bytes(), &trust).unwrap().message;
    assert_eq!((request.id, request.command_variant.to_string()), (id, "1".to_owned()));
    let xml = desks.answer(id);
    assert_eq!(desks.post(xml.clone()).await, (204, String::new()));
    let answer = desks.user.await_response(&id, soon()).await.unwrap();
    assert_eq!((answer.code, answer.success, answer.raw), (ResponseCode::SUCCESS, Some(true), xml.into()));
    let signers: Vec<String> = answer.signed_by.into_iter().map(|party| party.name).collect();
    assert_eq!(signers, ["DSP", "S1SP"]);
    assert_eq!(
        *desks.words.0.lock().unwrap(),
        [
            "Sent DCC: service request 4.1.1",
            "Received DCC: acknowledgement I99",
            "Received DCC: response I0 to 4.1.1"
        ]
    );
    desks.user.stop().await;
}

#[tokio::test]
async fn the_values_of_a_request_are_those_the_language_names() {
    let desks = desks(Manner::Code("I99")).await;
    let submitted = desks.submit(None).await.unwrap();
    desks.post(desks.answer(submitted.request_id)).await;
    let answer = desks.user.await_response(&submitted.request_id, soon()).await.unwrap();
    let mut values = scenarios::Values::new();
    answer::acknowledged(&submitted.acknowledgement, &mut values);
    answer::answered(&answer, &mut values);
    let all: Vec<String> = values.iter().map(|(path, value)| format!("{path}={value}")).collect();
    assert_eq!(
        all,
        [
            "acknowledgement.code=I99",
            "response.Electricity.ActiveImportRegister.ActiveEnergyUnit=Wh",
            "response.Electricity.ActiveImportRegister.Value=123456",
            "response.code=I0",
            "response.success=true",
        ]
    );
}

#[tokio::test]
async fn the_dcc_answers_for_itself_at_once() {
    let desks = desks(Manner::Inventory).await;
    let fields = [("DeviceID".to_owned(), METER.to_string())].into();
    let body = RequestBody::from_fields(Srv::ReadInventory, &fields).unwrap();
    let submitted = desks.user.submit(SUPPLIER, Target::Dcc, body, None, soon()).await.unwrap();
    assert_eq!(submitted.request_id.target, Eui64::ACCESS_CONTROL_BROKER);
    let (path, xml) = desks.dcc.seen().remove(0);
    assert_eq!(path, "/api/v1/serviceD");
    assert_eq!(Request::parse(xml.as_bytes()).unwrap().command_variant.to_string(), "8");
    let answer = desks.user.await_response(&submitted.request_id, shortly()).await.unwrap();
    let mut values = scenarios::Values::new();
    answer::answered(&answer, &mut values);
    assert_eq!(values.at("response.Device[0].DeviceType").unwrap().to_string(), "ESME");
    assert_eq!(values.at("response.Device.count").unwrap().to_string(), "2");
    assert_eq!((values.at("response.success"), values.at("response.code")), (None, Some(&"I0".into())));
}

#[tokio::test]
async fn a_refusal_is_an_acknowledgement_that_no_answer_follows() {
    let desks = desks(Manner::Code("E19")).await;
    let submitted = desks.submit(None).await.unwrap();
    assert_eq!(submitted.acknowledgement.code, ResponseCode::UNKNOWN_DEVICE);
    assert!(!submitted.is_accepted());
    let error = desks.user.await_response(&submitted.request_id, soon()).await.unwrap_err();
    assert!(matches!(error, UserError::Refused { code: ResponseCode::UNKNOWN_DEVICE, .. }), "{error}");
    assert_eq!(desks.post(desks.answer(submitted.request_id)).await.0, 204);
    assert_eq!(desks.user.take_stray_answers()[0].kind, StrayKind::Unsolicited);
    // A counter the DCC refused is not used up, so there is nothing to replay.
    let replayed = desks.submit(Some(Misuse::ReplayedCounter)).await.unwrap_err();
    assert!(matches!(replayed, UserError::NothingToReplay { .. }), "{replayed}");
}

#[tokio::test]
async fn misuse_goes_out_as_asked() {
    let desks = desks(Manner::Code("I99")).await;
    let mut trust = TrustStore::new();
    desks.users.trusted().for_each(|(party, certificate)| trust.add(party, certificate));
    let error = desks.submit(Some(Misuse::ReplayedCounter)).await.unwrap_err();
    assert!(matches!(error, UserError::NothingToReplay { .. }), "{error}");
    let first = desks.accepted().await;
    desks.user.give_up_all();
    let misuses = [Misuse::BadSignature, Misuse::Tampered, Misuse::UnknownUser, Misuse::ReplayedCounter];
    for misuse in misuses {
        desks.submit(Some(misuse)).await.unwrap();
        desks.user.give_up_all();
    }
    let opened: Vec<_> =
        desks.dcc.seen().iter().map(|(_, xml)| Request::open(xml.as_bytes(), &trust)).collect();
    assert_eq!(opened[0].as_ref().unwrap().message.id, first);
    assert!(matches!(opened[1], Err(MessageError::Signature(DsigError::Value { .. }))));
    assert!(matches!(opened[2], Err(MessageError::Signature(DsigError::Digest { .. }))));
    assert!(matches!(opened[3], Err(MessageError::Signature(DsigError::Unknown { .. }))));
    assert_eq!(opened[4].as_ref().unwrap().message.id.counter, desks.dcc.ids()[2].counter);
    assert_eq!(desks.submit(Some(Misuse::ReplayedCounter)).await.unwrap().request_id, desks.dcc.ids()[2]);
    assert!(desks.words.0.lock().unwrap().contains(&"Sent DCC: service request 4.1.1 (tampered)".to_owned()));
}

#[tokio::test]
async fn a_dcc_that_is_down_is_named_with_what_was_sent() {
    let desks = desks(Manner::Silent).await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let config = Config {
        dcc: format!("http://{nobody}"),
        access_control_broker: Eui64::ACCESS_CONTROL_BROKER,
        users: desks.users.clone(),
        trust: TrustStore::new(),
        tls: None,
        listener: AnswerListener { listen: (std::net::Ipv4Addr::LOCALHOST, 0).into(), tls: None },
        counters: CounterStore::passing(7),
        tap: crate::tap::NoMessageTap::shared(),
        limits: Limits::default(),
    };
    let user = ServiceUser::start(config.clone()).await.unwrap();
    let submitted = user.submit(SUPPLIER, Target::Device(METER), read_registers(), None, soon()).await;
    let error = submitted.unwrap_err().to_string();
    for part in ["4.1.1", ":7 to", &nobody.to_string(), "/api/v1/serviceS", "no connection", "refused"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    for bad in ["127.0.0.1:1", "https://127.0.0.1", "", "http://", "http://h?x=1"] {
        let started = ServiceUser::start(Config { dcc: bad.to_owned(), ..config.clone() }).await;
        assert!(matches!(started, Err(UserError::Address { .. })), "{bad:?}");
    }
}

#[tokio::test]
async fn a_silent_dcc_costs_the_deadline_and_no_more() {
    let desks = desks(Manner::Silent).await;
    let submit =
        |deadline| desks.user.submit(SUPPLIER, Target::Device(METER), read_registers(), None, deadline);
    let (one, other) = tokio::join!(submit(shortly() + Duration::from_millis(200)), submit(shortly()));
    assert!(matches!(one, Err(UserError::Exchange { found: Found::Nothing, .. })), "{one:?}");
    assert!(matches!(other, Err(UserError::Exchange { found: Found::NotItsTurn, .. })), "{other:?}");
    // What comes for it later is late.
    let id = desks.dcc.ids()[0];
    assert_eq!(desks.post(desks.answer(id)).await.0, 204);
    assert_eq!(desks.user.take_stray_answers()[0].kind, StrayKind::Late);
}

#[tokio::test]
async fn only_an_acknowledgement_of_this_request_counts() {
    let unsigned = examples::dcc_responses().remove(0).to_xml();
    let manners = [
        (Manner::ForAnother, "RequestID is 90-B3-D5-1F-30-01-00-00:00-DB-12-34-56-78-90-A0:1; expected"),
        (Manner::Raw(200, String::new()), "reply that is refused"),
        (Manner::Raw(200, unsigned), "must end with its one Signature"),
        (Manner::Raw(500, "out of order".to_owned()), "HTTP status 500 \"out of order\""),
        (Manner::Raw(200, "x".repeat(5 << 20)), "more than 4194304 octets"),
    ];
    for (manner, expected) in manners {
        let desks = desks(manner).await;
        let error = desks.submit(None).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected} in {error}");
    }
}

#[tokio::test]
async fn a_role_the_lab_does_not_have_is_refused_before_anything_is_sent() {
    let desks = desks(Manner::Code("I99")).await;
    let role = UserRole::ElectricityDistributor;
    let submitted = desks.user.submit(role, Target::Dcc, read_registers(), None, soon()).await;
    assert!(matches!(submitted, Err(UserError::NoSuchUser { .. })));
    assert!(desks.dcc.seen().is_empty());
}
