//! What a client makes of answers that are late, wrong, lenient or hostile.

use super::*;
use crate::Password;
use crate::apdu::{ActionResponse, ActionResponseKind, DataBlock, GetResponse, GetResponseKind};
use crate::server::ServerSettings;
use crate::server::tests::{Ends, IDENTITY, MIRROR};

fn octets(hex: &str) -> Vec<u8> {
    hex::decode(hex.replace(' ', "")).unwrap()
}

fn asking() -> ClientSession {
    let mut client = ClientSession::new(ClientSettings::default());
    client.start(Request::Get { attribute: IDENTITY, selective: None }).unwrap();
    client
}

/// IEC 62056-5-3: the requests as they go on the wire. If this fails, do not change the test.
#[test]
fn golden_requests() {
    let password = Some(Password::new(*b"12345678"));
    let conformance = Conformance::from_bits(0x00_7E1F);
    let mut client = ClientSession::new(ClientSettings {
        security: password.into(),
        conformance,
        max_pdu: 0x04B0,
        ..ClientSettings::default()
    });
    let mut start = |request| {
        let apdu = client.start(request).unwrap();
        client.cancel();
        hex::encode_upper(apdu)
    };
    assert_eq!(
        start(Request::Associate),
        "6036A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363738BE10040E01000000065F1F0400007E1F04B0"
    );
    assert_eq!(start(Request::Release), "6203800100");
    assert_eq!(start(Request::Get { attribute: IDENTITY, selective: None }), "C001C100010000600100FF0200");
    assert_eq!(
        start(Request::Set { attribute: IDENTITY, value: Data::U8(7) }),
        "C101C200010000600100FF02001107"
    );
    assert_eq!(start(Request::Act { method: MIRROR, parameter: None }), "C301C3000900000A006AFF0100");
    assert_eq!(start(Request::GetList(vec![IDENTITY])), "C003C40100010000600100FF0200");
}

#[test]
fn acceptances_that_say_less_than_the_standard_are_taken() {
    let associate = |answer: &str| {
        let mut client = ClientSession::new(ClientSettings::default());
        client.start(Request::Associate).unwrap();
        client.receive(&octets(answer)).unwrap()
    };
    let offered = Association { conformance: Conformance::USUAL, max_pdu: 0 };
    let bare = associate("6117 A109060760857405080101 A203020100 A305A103020100");
    assert_eq!(bare, Step::Done(Response::Associated(offered)));
    assert_eq!(associate("6105 A203020100"), Step::Done(Response::Associated(offered)));
    let full =
        associate("6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F040000501F01F40007");
    let granted = Association { conformance: Conformance::from_bits(0x00_501F), max_pdu: 500 };
    assert_eq!(full, Step::Done(Response::Associated(granted)));
}

#[test]
fn answers_as_field_devices_send_them_are_taken() {
    let associate = |body: &str, padding: &[u8]| {
        let body = octets(body);
        let long_form = [0x61, 0x81, u8::try_from(body.len()).unwrap()];
        let mut client = ClientSession::new(ClientSettings::default());
        client.start(Request::Associate).unwrap();
        client.receive(&[&long_form, body.as_slice(), padding].concat()).unwrap()
    };
    let conformance = Conformance::from_bits(0x00_501F);
    let granted = Step::Done(Response::Associated(Association { conformance, max_pdu: 500 }));
    let disordered = "BE811004 0E0800065F1F040000501F01F40007 A305A103020100 A203020100 BF0100";
    assert_eq!(associate(disordered, &[]), granted);
    let unwrapped = "BE0B 0800065F040000501F01F4 A305A103020100 A203020100";
    assert_eq!(associate(unwrapped, &[]), granted);
    let wrapped = "8909 060760857405080200 A305A103020100 A203020100 BE10040E0800065F1F040000501F01F40007";
    assert_eq!(associate(wrapped, &[0, 0, 0]), granted);
    for answer in ["63", "6300", "6303800101", "6303800100 0000"] {
        let mut client = ClientSession::new(ClientSettings::default());
        client.start(Request::Release).unwrap();
        assert_eq!(client.receive(&octets(answer)), Ok(Step::Done(Response::Released)), "{answer}");
    }
    let padded = asking().receive(&octets("C401C1 00 1102 000000"));
    assert_eq!(padded, Ok(Step::Done(Response::Got(Ok(Data::U8(2))))));
    assert!(asking().receive(&octets("C401C1 00 1102 000001")).is_err());
}

#[test]
fn refusals_of_every_form_are_refusals() {
    let associate = |answer: &str| {
        let mut client = ClientSession::new(ClientSettings::default());
        client.start(Request::Associate).unwrap();
        match client.receive(&octets(answer)).unwrap() {
            Step::Done(Response::Refused(refusal)) => {
                (refusal.is_authentication_failure(), refusal.to_string())
            }
            step => panic!("{step:?}"),
        }
    };
    let (wrong, text) = associate("6117 A109060760857405080101 A203020101 A305A10302010D");
    assert_eq!((wrong, text.as_str()), (true, "association refused: authentication failure (13)"));
    let (_, text) = associate("611F A109060760857405080101 A203020101 A305A103020101 BE0604040E010601");
    assert_eq!(text, "association refused: no reason given (1), xDLMS version too low");
    // Accepted, were it not for a challenge this client cannot meet.
    let (_, text) = associate("6117 A109060760857405080101 A203020100 A305A10302010E");
    assert_eq!(text, "association refused: authentication required (14)");
    let (_, text) = associate("611F A109060760857405080101 A203020100 A305A103020100 BE0604040E010602");
    assert_eq!(text, "association refused: no diagnostic (0), no services in common");
    // User information that cannot be read does not hide the refusal.
    let (wrong, _) = associate("611C A109060760857405080101 A203020101 A305A10302010D BE03040121");
    assert!(wrong);
}

#[test]
fn late_answers_and_pushes_do_not_end_a_request() {
    let mut client = asking();
    client.cancel();
    client.start(Request::Get { attribute: IDENTITY, selective: None }).unwrap();
    let late = client.receive(&octets("C401C1 00 1101")).unwrap();
    assert_eq!(late, Step::Ignored("answer to an earlier request"));
    let push = client.receive(&octets("C2 00 0001 0000600B00FF 02 112A")).unwrap();
    assert!(matches!(push, Step::Notification(Notification::Event(_))));
    let stray = client.receive(&octets("6303800100")).unwrap();
    assert!(matches!(stray, Step::Ignored(_)));
    let answer = client.receive(&octets("C401C2 00 1102")).unwrap();
    assert_eq!(answer, Step::Done(Response::Got(Ok(Data::U8(2)))));
}

#[test]
fn answers_that_do_not_fit_end_the_request_with_a_reason() {
    let fails = |answer: &str| asking().receive(&octets(answer)).unwrap_err().to_string();
    assert_eq!(fails("C503C1 00 00000001"), "Set-Response of another kind arrived, expected Get-Response");
    assert_eq!(fails("C403C1 00"), "Get-Response of another kind arrived, expected Get-Response");
    assert_eq!(fails("C001C1 0001 0000800000FF 02 00"), "Get-Request arrived, expected Get-Response");
    assert_eq!(fails("C402C1 00 00000002 00 00"), "block 2, expected block 1");
    assert!(fails("C401C1 00 12").contains("octet 5, long-unsigned: needs 2 octets"));
    assert!(fails("C402C1 01 00000001 00 01 12").contains("long-unsigned"));
    let mut client = asking();
    client.receive(&octets("C402C1 00 00000002 00 00")).unwrap_err();
    client.start(Request::Release).expect("the failed request is over");
    assert_eq!(client.start(Request::Release), Err(ClientError::Busy));
    let idle = ClientSession::new(ClientSettings::default()).receive(&octets("C401C1 00 00"));
    assert_eq!(idle, Err(ClientError::NothingAsked { found: "Get-Response" }));
}

#[test]
fn a_meter_that_never_ends_a_value_is_stopped() {
    let mut client = ClientSession::new(ClientSettings { max_value: 1000, ..ClientSettings::default() });
    client.start(Request::Get { attribute: IDENTITY, selective: None }).unwrap();
    let failure = (1..).find_map(|number| {
        let kind = GetResponseKind::Block(DataBlock { last: false, number, raw: vec![0; 100] });
        client.receive(&Apdu::GetResponse(GetResponse { invoke: InvokeId(0xC1), kind }).encode()).err()
    });
    assert_eq!(failure, Some(ClientError::Block(BlockError::TooLong { limit: 1000 })));
}

#[test]
fn a_meter_that_asks_for_more_blocks_than_there_are_is_stopped() {
    let mut ends = Ends::associated(1024, 40);
    let next = |session: &mut ClientSession, number| {
        let kind = ActionResponseKind::Next { number };
        session.receive(&Apdu::ActionResponse(ActionResponse { invoke: InvokeId(0xC1), kind }).encode())
    };
    let request = Request::Act { method: MIRROR, parameter: Some(Data::Octets(vec![0; 30])) };
    ends.client.start(request.clone()).unwrap();
    assert!(matches!(next(&mut ends.client, 1), Ok(Step::Send(_))));
    assert!(matches!(next(&mut ends.client, 1), Ok(Step::Ignored(_))), "acknowledged twice");
    assert!(matches!(next(&mut ends.client, 2), Err(ClientError::Unexpected { .. })));
}

#[test]
fn requests_the_meter_cannot_take_are_not_sent() {
    let conformance = Conformance::GET | Conformance::SET;
    let server = ServerSettings { max_pdu: 40, conformance, ..ServerSettings::default() };
    let mut ends = Ends::new(ClientSettings::default(), 16, server);
    ends.ask(Request::Associate);
    let value = Data::Octets(vec![0; 100]);
    let error = ends.client.start(Request::Set { attribute: IDENTITY, value }).unwrap_err();
    assert_eq!(error, ClientError::TooLong { found: 115, limit: 40 });
    assert_eq!(
        ends.get(IDENTITY, None),
        Ok(Data::Octets(b"SIM1".to_vec())),
        "another request may be started"
    );
}
