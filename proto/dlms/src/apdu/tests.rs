//! Messages against golden bytes and against themselves.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::data::tests::{attribute, data, date_time, method};
use crate::data::{
    AccessSelection, ActionResult, AttributeRef, ClassId, Data, DataAccessResult, MethodRef, Obis,
};
use crate::security::SystemTitle;

/// Reads a golden message and writes it again. If one of these fails, do not change the test.
fn golden(message: &str) -> Apdu {
    let octets = hex::decode(message.replace(' ', "")).unwrap();
    let apdu = Apdu::decode(&octets).unwrap();
    assert_eq!(hex::encode_upper(apdu.encode()), hex::encode_upper(octets));
    apdu
}

/// IEC 62056-5-3, the published association request without security.
#[test]
fn golden_aarq_without_security() {
    let apdu = golden("601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0");
    let Apdu::Aarq(aarq) = apdu else { panic!("{apdu:?}") };
    assert_eq!((aarq.context, aarq.mechanism), (ApplicationContext::LogicalName, None));
    let initiate = InitiateRequest::decode(&aarq.user_information.unwrap()).unwrap();
    assert_eq!((initiate.version, initiate.conformance.bits(), initiate.max_pdu), (6, 0x007E1F, 0x04B0));
}

/// IEC 62056-5-3, the published association request with a password.
#[test]
fn golden_aarq_with_password() {
    let apdu = golden(
        "6036A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363738BE10040E01000000065F1F0400007E1F04B0",
    );
    let Apdu::Aarq(aarq) = &apdu else { panic!("{apdu:?}") };
    assert_eq!(aarq.mechanism, Some(Mechanism::Low));
    assert_eq!(aarq.authentication_value.as_deref(), Some(b"12345678".as_slice()));
    assert!(!format!("{apdu:?}").contains("49, 50"), "a password must not be shown");
}

/// IEC 62056-5-3, the published acceptance.
#[test]
fn golden_aare_accepted() {
    let apdu =
        golden("6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F040000501F01F40007");
    let Apdu::Aare(aare) = apdu else { panic!("{apdu:?}") };
    assert_eq!((aare.result, aare.diagnostic), (AssociationResult::Accepted, Diagnostic::NONE));
    let Ok(UserInformation::Granted(granted)) = UserInformation::decode(&aare.user_information.unwrap())
    else {
        panic!("not granted")
    };
    assert_eq!((granted.conformance.bits(), granted.max_pdu, granted.vaa_name), (0x00501F, 500, 7));
}

/// IEC 62056-5-3, the published refusals: wrong password, and too low a version of xDLMS.
#[test]
fn golden_aare_rejected() {
    let apdu =
        golden("6129A109060760857405080101A203020101A305A10302010DBE10040E0800065F1F040000501F01F40007");
    let Apdu::Aare(aare) = apdu else { panic!("{apdu:?}") };
    assert_eq!(aare.result, AssociationResult::RejectedPermanent);
    assert_eq!(aare.diagnostic, Diagnostic::AUTHENTICATION_FAILURE);
    assert_eq!(aare.diagnostic.to_string(), "authentication failure (13)");
    let apdu = golden("611FA109060760857405080101A203020101A305A103020101BE0604040E010601");
    let Apdu::Aare(aare) = apdu else { panic!("{apdu:?}") };
    let information = UserInformation::decode(&aare.user_information.unwrap());
    assert_eq!(information, Ok(UserInformation::Refused(InitiateError::VersionTooLow)));
}

/// The published refusal cut down to result and diagnostic, which is all that some meters send.
#[test]
fn golden_aare_without_user_information() {
    let apdu = golden("6117A109060760857405080101A203020101A305A10302010D");
    let Apdu::Aare(aare) = apdu else { panic!("{apdu:?}") };
    assert_eq!((aare.mechanism, aare.user_information), (None, None));
}

#[test]
fn an_aare_without_a_result_is_refused() {
    let error = Apdu::decode(&hex::decode("610BA109060760857405080101").unwrap()).unwrap_err();
    assert!(error.to_string().contains("association result"), "{error}");
}

/// IEC 62056-5-3: releases that say only "normal".
#[test]
fn golden_releases() {
    assert_eq!(golden("6203800100"), Apdu::Rlrq(Release::NORMAL));
    assert_eq!(golden("6303800100"), Apdu::Rlre(Release::NORMAL));
    let empty = Release { reason: None, user_information: None };
    assert_eq!(golden("6200"), Apdu::Rlrq(empty));
}

const DATA_128: AttributeRef =
    AttributeRef { class: ClassId(1), obis: Obis([0, 0, 128, 0, 0, 255]), attribute: 2 };

/// IEC 62056-5-3, the published read of a value, in one message and in blocks.
#[test]
fn golden_get() {
    let invoke = InvokeId(0xC1);
    let kind = GetRequestKind::Normal { attribute: DATA_128, selection: None };
    assert_eq!(golden("C001C1 0001 0000800000FF 02 00"), Apdu::GetRequest(GetRequest { invoke, kind }));
    let refused = GetResponseKind::Normal(Err(DataAccessResult::ObjectUndefined));
    assert_eq!(golden("C401C1 01 04"), Apdu::GetResponse(GetResponse { invoke, kind: refused }));
    let value = GetResponseKind::Normal(Ok(Data::U16(0x23DF)));
    assert_eq!(golden("C401C1 00 1223DF"), Apdu::GetResponse(GetResponse { invoke, kind: value }));
    let block = DataBlock { last: false, number: 1, raw: vec![0x09, 0x32, 0x01, 0x02] };
    let kind = GetResponseKind::Block(block);
    assert_eq!(golden("C402C1 00 00000001 00 04 09320102"), Apdu::GetResponse(GetResponse { invoke, kind }));
    let kind = GetRequestKind::Next { block: 1 };
    assert_eq!(golden("C002C1 00000001"), Apdu::GetRequest(GetRequest { invoke, kind }));
    let kind = GetResponseKind::BlockRefused { number: 2, reason: DataAccessResult::DataBlockNumberInvalid };
    assert_eq!(golden("C402C1 01 00000002 01 13"), Apdu::GetResponse(GetResponse { invoke, kind }));
}

/// IEC 62056-6-2, profile generic: a read by range of the clock, and a read by entry.
#[test]
fn golden_selective_access() {
    use crate::data::{CaptureObject, Selective};
    let select = |message| {
        let Apdu::GetRequest(GetRequest { kind: GetRequestKind::Normal { selection, .. }, .. }) =
            golden(message)
        else {
            panic!("not a read")
        };
        Selective::try_from(&selection.unwrap()).unwrap()
    };
    let range = select(
        "C001C1 0007 0100630100FF 02 01 01 0204 0204 120008 09060000010000FF 0F02 120000 \
         090C 07E00A1B04 00000000 8000 00 090C 07E00A1C05 00000000 8000 00 0100",
    );
    let Selective::Range { restricting, columns, from, .. } = range else { panic!("{range:?}") };
    let clock = Obis([0, 0, 1, 0, 0, 255]);
    assert_eq!(restricting, CaptureObject { class: ClassId(8), obis: clock, attribute: 2, data_index: 0 });
    assert_eq!((columns, from.as_date_time().unwrap().date.year), (vec![], 2016));
    let entry = select("C001C1 0007 0100630100FF 02 01 02 0204 0600000001 0600000002 120001 120000");
    assert_eq!(entry, Selective::Entry { from: 1, to: 2, first_column: 1, last_column: 0 });
}

/// IEC 62056-5-3, the published write of a value, in one message and in blocks.
#[test]
fn golden_set() {
    let invoke = InvokeId(0xC1);
    let kind =
        SetRequestKind::Normal { attribute: DATA_128, selection: None, value: Data::Octets(vec![1, 2]) };
    assert_eq!(
        golden("C101C1 0001 0000800000FF 02 00 09020102"),
        Apdu::SetRequest(SetRequest { invoke, kind })
    );
    let done = SetResponseKind::Normal(Ok(()));
    assert_eq!(golden("C501C1 00"), Apdu::SetResponse(SetResponse { invoke, kind: done }));
    let block = DataBlock { last: false, number: 1, raw: vec![0x09, 0x32, 0x01] };
    let kind = SetRequestKind::FirstBlock { attribute: DATA_128, selection: None, block };
    let first = golden("C102C1 0001 0000800000FF 02 00 00 00000001 03 093201");
    assert_eq!(first, Apdu::SetRequest(SetRequest { invoke, kind }));
    let kind = SetResponseKind::Block { number: 1 };
    assert_eq!(golden("C502C1 00000001"), Apdu::SetResponse(SetResponse { invoke, kind }));
    let kind = SetRequestKind::Block(DataBlock { last: true, number: 2, raw: vec![2, 3] });
    assert_eq!(golden("C103C1 01 00000002 02 0203"), Apdu::SetRequest(SetRequest { invoke, kind }));
    let kind = SetResponseKind::LastBlock { result: Ok(()), number: 2 };
    assert_eq!(golden("C503C1 00 00000002"), Apdu::SetResponse(SetResponse { invoke, kind }));
}

/// IEC 62056-5-3, the published third and fourth pass of a GMAC challenge: a method with parameter and return value.
#[test]
fn golden_action() {
    let invoke = InvokeId(0xC0);
    let method = MethodRef { class: ClassId(15), obis: Obis([0, 0, 40, 0, 0, 255]), method: 1 };
    let proof = |hex: &str| Data::Octets(hex::decode(hex).unwrap());
    let parameter = Some(proof("10000000011A52FE7DD3E72748973C1E28"));
    let kind = ActionRequestKind::Normal { method, parameter };
    let request = golden("C301C0 000F 0000280000FF 01 01 0911 10000000011A52FE7DD3E72748973C1E28");
    assert_eq!(request, Apdu::ActionRequest(ActionRequest { invoke, kind }));
    let value = Some(Ok(proof("1000000001FE1466AFB3DBCD4F9389E2B7")));
    let kind = ActionResponseKind::Normal(ActionReturn { result: Ok(()), value });
    let response = golden("C701C0 00 01 00 0911 1000000001FE1466AFB3DBCD4F9389E2B7");
    assert_eq!(response, Apdu::ActionResponse(ActionResponse { invoke, kind }));
    let refused = ActionReturn { result: Err(ActionResult::ReadWriteDenied), value: None };
    let kind = ActionResponseKind::Normal(refused.clone());
    assert_eq!(golden("C701C0 03 00"), Apdu::ActionResponse(ActionResponse { invoke, kind: kind.clone() }));
    // Some meters leave out the last octet.
    let short = Apdu::decode(&[0xC7, 0x01, 0xC0, 0x03]);
    assert_eq!(short, Ok(Apdu::ActionResponse(ActionResponse { invoke, kind })));
}

/// IEC 62056-5-3: exceptions, the one about the invocation counter with the counter expected.
#[test]
fn golden_exceptions() {
    assert_eq!(golden("D80101"), Apdu::Exception(ExceptionResponse::NOT_ASSOCIATED));
    assert_eq!(golden("D80202"), Apdu::Exception(ExceptionResponse::NOT_SUPPORTED));
    let counter = golden("D8020600000102");
    let Apdu::Exception(exception) = counter else { panic!("{counter:?}") };
    assert_eq!(exception.service, ServiceError::InvocationCounter { expected: Some(258) });
    assert_eq!(exception.to_string(), "service unknown, invocation counter, expected 258");
}

/// IEC 62056-5-3: an event with and without its time.
#[test]
fn golden_event_notification() {
    let event = golden("C2 00 0001 0000600B00FF 02 112A");
    let Apdu::EventNotification(event) = event else { panic!("{event:?}") };
    assert_eq!((event.time, event.value), (None, Data::U8(42)));
    let event = golden("C2 01 0C 07DC061D050F220C00FFC480 0007 0000636200FF 02 0202 120001 0900");
    let Apdu::EventNotification(event) = event else { panic!("{event:?}") };
    assert_eq!(event.time.unwrap().date.year, 2012);
}

/// Made with pydlms-client: a read, a write, an invocation and a read by entry in one request, and an answer.
#[test]
fn golden_access() {
    let request = golden(
        "D9 C0000005 00 04 0100030100010800FF02 0200080000010000FF03 0300080000010000FF06
         0400070100630100FF02 02 0204 0600000001 0600000003 120001 120000 04 00 10003C 100000 00"
            .replace('\n', "")
            .as_str(),
    );
    let Apdu::AccessRequest(request) = request else { panic!("{request:?}") };
    assert_eq!((request.invoke.number(), request.invoke.is_confirmed(), request.time), (5, true, None));
    assert!(matches!(&request.parts[1], AccessPart::Set(_, None, Data::I16(60))));
    assert!(matches!(&request.parts[3], AccessPart::Get(_, Some(selection)) if selection.selector == 2));
    let response = golden("DA C0000005 00 00 03 0600000007 00 00 03 0100 0203 0300");
    let Apdu::AccessResponse(response) = response else { panic!("{response:?}") };
    let denied = AccessOutcome::Set(Err(DataAccessResult::ReadWriteDenied));
    let outcomes = [AccessOutcome::Get(Ok(Data::U32(7))), denied, AccessOutcome::Action(Ok(Data::Null))];
    assert_eq!(response.outcomes, outcomes);
}

/// Made with pydlms-client: a block within a window of three, and the acknowledgement of six.
#[test]
fn golden_general_blocks() {
    let Apdu::GeneralBlock(block) = golden("E0 43 0002 0001 02 0102") else { panic!() };
    assert_eq!((block.last, block.streaming, block.window.get(), block.data.len()), (false, true, 3, 2));
    let Apdu::GeneralBlock(block) = golden("E0 83 0007 0006 00") else { panic!() };
    assert_eq!((block.last, block.streaming, block.number, block.acknowledged), (true, false, 7, 6));
}

/// Made with pydlms-client.
#[test]
fn golden_data_notification_with_time() {
    let push = golden("0F 00000005 0C 07EA0B1607010203000000FF 0600000007");
    let Apdu::DataNotification(push) = push else { panic!("{push:?}") };
    assert_eq!((push.time.unwrap().date.year, push.body), (2026, Data::U32(7)));
}

#[test]
fn services_not_spoken_are_named() {
    let error = Apdu::decode(&[0x05, 0x00]).unwrap_err();
    assert_eq!(error.at, 0);
    assert!(error.to_string().contains("found 05"), "{error}");
}

fn invoke() -> impl Strategy<Value = InvokeId> {
    any::<u8>().prop_map(InvokeId)
}

fn block() -> impl Strategy<Value = DataBlock> {
    (any::<bool>(), any::<u32>(), vec(any::<u8>(), 0..300)).prop_map(|(last, number, raw)| DataBlock {
        last,
        number,
        raw,
    })
}

fn selection() -> impl Strategy<Value = Option<AccessSelection>> {
    option::of(
        (any::<u8>(), data()).prop_map(|(selector, parameters)| AccessSelection { selector, parameters }),
    )
}

fn refusal() -> impl Strategy<Value = DataAccessResult> {
    (1..=255_u8).prop_map(|code| DataAccessResult::from_code(code).unwrap())
}

fn data_result() -> impl Strategy<Value = Result<Data, DataAccessResult>> {
    prop_oneof![data().prop_map(Ok), refusal().prop_map(Err)]
}

fn access_result() -> impl Strategy<Value = Result<(), DataAccessResult>> {
    prop_oneof![Just(Ok(())), refusal().prop_map(Err)]
}

fn get() -> impl Strategy<Value = Apdu> {
    let request = prop_oneof![
        (attribute(), selection())
            .prop_map(|(attribute, selection)| GetRequestKind::Normal { attribute, selection }),
        any::<u32>().prop_map(|block| GetRequestKind::Next { block }),
        vec((attribute(), selection()), 0..4).prop_map(GetRequestKind::WithList),
    ];
    let response = prop_oneof![
        data_result().prop_map(GetResponseKind::Normal),
        block().prop_map(GetResponseKind::Block),
        (any::<u32>(), refusal())
            .prop_map(|(number, reason)| GetResponseKind::BlockRefused { number, reason }),
        vec(data_result(), 0..4).prop_map(GetResponseKind::WithList),
    ];
    prop_oneof![
        (invoke(), request).prop_map(|(invoke, kind)| Apdu::GetRequest(GetRequest { invoke, kind })),
        (invoke(), response).prop_map(|(invoke, kind)| Apdu::GetResponse(GetResponse { invoke, kind })),
    ]
}

fn set() -> impl Strategy<Value = Apdu> {
    let request = prop_oneof![
        (attribute(), selection(), data()).prop_map(|(attribute, selection, value)| {
            SetRequestKind::Normal { attribute, selection, value }
        }),
        (attribute(), selection(), block()).prop_map(|(attribute, selection, block)| {
            SetRequestKind::FirstBlock { attribute, selection, block }
        }),
        block().prop_map(SetRequestKind::Block),
        (vec((attribute(), selection()), 0..4), vec(data(), 0..4))
            .prop_map(|(attributes, values)| SetRequestKind::WithList { attributes, values }),
    ];
    let response = prop_oneof![
        access_result().prop_map(SetResponseKind::Normal),
        any::<u32>().prop_map(|number| SetResponseKind::Block { number }),
        (access_result(), any::<u32>())
            .prop_map(|(result, number)| SetResponseKind::LastBlock { result, number }),
        vec(access_result(), 0..4).prop_map(SetResponseKind::WithList),
    ];
    prop_oneof![
        (invoke(), request).prop_map(|(invoke, kind)| Apdu::SetRequest(SetRequest { invoke, kind })),
        (invoke(), response).prop_map(|(invoke, kind)| Apdu::SetResponse(SetResponse { invoke, kind })),
    ]
}

fn action() -> impl Strategy<Value = Apdu> {
    let request = prop_oneof![
        (method(), option::of(data()))
            .prop_map(|(method, parameter)| ActionRequestKind::Normal { method, parameter }),
        any::<u32>().prop_map(|block| ActionRequestKind::Next { block }),
        (vec(method(), 0..4), vec(data(), 0..4))
            .prop_map(|(methods, parameters)| ActionRequestKind::WithList { methods, parameters }),
        (method(), block()).prop_map(|(method, block)| ActionRequestKind::FirstBlock { method, block }),
        block().prop_map(ActionRequestKind::Block),
    ];
    let given = || {
        let result = any::<u8>().prop_map(|code| ActionResult::from_code(code).map_or(Ok(()), Err));
        (result, option::of(data_result())).prop_map(|(result, value)| ActionReturn { result, value })
    };
    let response = prop_oneof![
        given().prop_map(ActionResponseKind::Normal),
        block().prop_map(ActionResponseKind::Block),
        vec(given(), 0..4).prop_map(ActionResponseKind::WithList),
        any::<u32>().prop_map(|number| ActionResponseKind::Next { number }),
    ];
    prop_oneof![
        (invoke(), request).prop_map(|(invoke, kind)| Apdu::ActionRequest(ActionRequest { invoke, kind })),
        (invoke(), response).prop_map(|(invoke, kind)| Apdu::ActionResponse(ActionResponse { invoke, kind })),
    ]
}

fn context() -> impl Strategy<Value = ApplicationContext> {
    use ApplicationContext::{LogicalName, LogicalNameCiphered, ShortName, ShortNameCiphered, Unlisted};
    prop_oneof![
        proptest::sample::select(&[LogicalName, ShortName, LogicalNameCiphered, ShortNameCiphered][..]),
        (5..=255_u8).prop_map(Unlisted),
    ]
}

fn mechanism() -> impl Strategy<Value = Option<Mechanism>> {
    option::of(prop_oneof![
        Just(Mechanism::Lowest),
        Just(Mechanism::Low),
        (2..=255_u8).prop_map(Mechanism::High)
    ])
}

fn acse() -> impl Strategy<Value = Apdu> {
    let octets = || option::of(vec(any::<u8>(), 0..200));
    let result = (0..4_u8).prop_map(|code| match code {
        0 => AssociationResult::Accepted,
        1 => AssociationResult::RejectedPermanent,
        2 => AssociationResult::RejectedTransient,
        other => AssociationResult::Unlisted(other),
    });
    let source = prop_oneof![Just(DiagnosticSource::ServiceUser), Just(DiagnosticSource::ServiceProvider)];
    let diagnostic = (source, any::<u8>()).prop_map(|(source, code)| Diagnostic { source, code });
    let aarq = (context(), octets(), mechanism(), octets(), octets()).prop_map(
        |(context, title, mechanism, value, info)| {
            Apdu::Aarq(Aarq {
                context,
                calling_title: title,
                mechanism,
                authentication_value: value,
                user_information: info,
            })
        },
    );
    let aare = (option::of(context()), result, diagnostic, octets(), mechanism(), octets(), octets())
        .prop_map(
            |(
                context,
                result,
                diagnostic,
                responding_title,
                mechanism,
                authentication_value,
                user_information,
            )| {
                Apdu::Aare(Aare {
                    context,
                    result,
                    diagnostic,
                    responding_title,
                    mechanism,
                    authentication_value,
                    user_information,
                })
            },
        );
    let release = (option::of(any::<u8>()), octets())
        .prop_map(|(reason, user_information)| Release { reason, user_information });
    prop_oneof![aarq, aare, release.clone().prop_map(Apdu::Rlrq), release.prop_map(Apdu::Rlre)]
}

fn long_invoke() -> impl Strategy<Value = LongInvokeId> {
    any::<u32>().prop_map(LongInvokeId)
}

fn access() -> impl Strategy<Value = Apdu> {
    let part = prop_oneof![
        (attribute(), selection()).prop_map(|(attribute, selection)| AccessPart::Get(attribute, selection)),
        (attribute(), selection(), data())
            .prop_map(|(of, selection, data)| AccessPart::Set(of, selection, data)),
        (method(), data()).prop_map(|(method, data)| AccessPart::Action(method, data)),
    ];
    let acted =
        (any::<u8>(), data()).prop_map(|(code, data)| ActionResult::from_code(code).map_or(Ok(data), Err));
    let outcome = prop_oneof![
        data_result().prop_map(AccessOutcome::Get),
        access_result().prop_map(AccessOutcome::Set),
        acted.prop_map(AccessOutcome::Action),
    ];
    prop_oneof![
        (long_invoke(), option::of(date_time()), vec(part, 0..4))
            .prop_map(|(invoke, time, parts)| Apdu::AccessRequest(AccessRequest { invoke, time, parts })),
        (long_invoke(), option::of(date_time()), vec(outcome, 0..4)).prop_map(|(invoke, time, outcomes)| {
            Apdu::AccessResponse(AccessResponse { invoke, time, outcomes })
        }),
    ]
}

fn envelope() -> impl Strategy<Value = Apdu> {
    let contents = || vec(any::<u8>(), 0..200);
    let title = || option::of(any::<[u8; 8]>().prop_map(SystemTitle));
    let glo = [0x21, 0x28, 0x2E, 0xC8, 0xC9, 0xCA, 0xCB, 0xCC, 0xCD, 0xCF];
    let ded = [0x41, 0x48, 0x4E, 0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD7];
    let envelope = prop_oneof![
        proptest::sample::select(glo.to_vec()).prop_map(|tag| (KeySet::Global, Envelope::Service(tag))),
        proptest::sample::select(ded.to_vec()).prop_map(|tag| (KeySet::Dedicated, Envelope::Service(tag))),
        title().prop_map(|title| (KeySet::Global, Envelope::General(title))),
        title().prop_map(|title| (KeySet::Dedicated, Envelope::General(title))),
    ];
    let block = (any::<[bool; 2]>(), 0..=63_u8, any::<u16>(), any::<u16>(), contents()).prop_map(
        |([last, streaming], window, number, acknowledged, data)| {
            let window = BlockWindow::new(window).unwrap();
            Apdu::GeneralBlock(GeneralBlock { last, streaming, window, number, acknowledged, data })
        },
    );
    let kind = prop_oneof![Just(OtherSuiteKind::GeneralCiphering), Just(OtherSuiteKind::GeneralSigning)];
    let other = (kind, contents(), title(), contents()).prop_map(|(kind, transaction, title, rest)| {
        let originator = title.map(|title| title.octets().to_vec()).unwrap_or_default();
        Apdu::OtherSuite(OtherSuite { kind, transaction, originator, recipient: Vec::new(), rest })
    });
    prop_oneof![
        (envelope, contents()).prop_map(|((keys, envelope), contents)| Apdu::Ciphered(Ciphered {
            keys,
            envelope,
            contents
        })),
        block,
        other,
    ]
}

fn unasked() -> impl Strategy<Value = Apdu> {
    let event = (option::of(date_time()), attribute(), data()).prop_map(|(time, attribute, value)| {
        Apdu::EventNotification(EventNotification { time, attribute, value })
    });
    let push = (any::<u32>(), option::of(date_time()), data())
        .prop_map(|(invoke, time, body)| Apdu::DataNotification(DataNotification { invoke, time, body }));
    prop_oneof![event, push]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn messages_round_trip(apdu in prop_oneof![get(), set(), action(), acse(), unasked(), access(), envelope()]) {
        prop_assert_eq!(Apdu::decode(&apdu.encode()), Ok(apdu));
    }

    #[test]
    fn initiate_round_trips(key in option::of(vec(any::<u8>(), 0..20)), version: u8, bits: u32, max_pdu: u16, vaa_name: u16, code: u8) {
        let conformance = Conformance::from_bits(bits);
        let request = InitiateRequest { dedicated_key: key, version, conformance, max_pdu };
        prop_assert_eq!(InitiateRequest::decode(&request.encode()), Ok(request));
        let granted = UserInformation::Granted(InitiateResponse { version, conformance, max_pdu, vaa_name });
        prop_assert_eq!(UserInformation::decode(&granted.encode()), Ok(granted));
        let refused = UserInformation::decode(&[0x0E, 1, 6, code]).unwrap();
        prop_assert_eq!(refused.encode(), [0x0E, 1, 6, code]);
    }

    #[test]
    fn exceptions_round_trip(state: u8, service: u8) {
        let octets = [0xD8, state, service];
        prop_assert_eq!(Apdu::decode(&octets).unwrap().encode(), octets);
    }
}
