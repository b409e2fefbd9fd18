//! General block transfer and ACCESS through both ends of an association, through the public interface only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic in a test is its message"
)]

use proptest::prelude::*;
use proto_dlms::apdu::Conformance;
use proto_dlms::client::{
    AccessOutcome, AccessPart, BlockWindow, ClientSession, ClientSettings, Request, Response, Step,
};
use proto_dlms::data::{AttributeRef, ClassId, Data, DataAccessResult, Obis};
use proto_dlms::server::{ObjectTable, Peer, Rights, ServerSession, ServerSettings};

const LOG: AttributeRef = at([0, 0, 99, 98, 0, 255]);
const FIXED: AttributeRef = at([0, 0, 96, 1, 0, 255]);
const ABSENT: AttributeRef = at([0, 0, 96, 1, 9, 255]);

const fn at(obis: [u8; 6]) -> AttributeRef {
    AttributeRef { class: ClassId(1), obis: Obis(obis), attribute: 2 }
}

struct Ends {
    client: ClientSession,
    server: ServerSession,
    meter: ObjectTable,
    max_pdu: usize,
    /// Loses one APDU in so many, by chance; 0 for none.
    loses_one_in: u64,
    noise: u64,
    apdus: usize,
}

impl Ends {
    fn new(conformance: Conformance, window: u8, max_pdu: u16) -> Self {
        let window = BlockWindow::new(window).unwrap();
        let client = ClientSettings { conformance, window, max_pdu, ..ClientSettings::default() };
        let server =
            ServerSettings { conformance: Conformance::SPOKEN, window, max_pdu, ..ServerSettings::default() };
        let mut meter = ObjectTable::new();
        meter.insert(LOG, Data::Octets(vec![0; 700]), Rights::ReadWrite);
        meter.insert(FIXED, Data::U8(7), Rights::ReadOnly);
        let mut ends = Self {
            client: ClientSession::new(client),
            server: ServerSession::new(Peer::new(16, 1), server),
            meter,
            max_pdu: max_pdu.into(),
            loses_one_in: 0,
            noise: 1,
            apdus: 0,
        };
        assert!(matches!(ends.ask(Request::Associate), Response::Associated(_)));
        ends
    }

    fn arrives(&mut self, apdu: &[u8]) -> bool {
        self.apdus += 1;
        self.noise =
            self.noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        assert!(apdu[0] < 0xC0 || apdu.len() <= self.max_pdu, "{} octets", apdu.len());
        // Not every so many in turn: that can fall in step with the windows and lose one block for ever.
        self.loses_one_in == 0 || !(self.noise >> 33).is_multiple_of(self.loses_one_in)
    }

    fn ask(&mut self, request: Request) -> Response {
        let mut to_send = Some(self.client.start(request).unwrap());
        for _ in 0..5000 {
            let mut answers = Vec::new();
            while let Some(apdu) = to_send.take().or_else(|| self.client.poll_transmit()) {
                if self.arrives(&apdu) {
                    let first = self.server.receive(&apdu, &mut self.meter);
                    answers.extend(first);
                    answers.extend(std::iter::from_fn(|| self.server.poll_transmit()));
                }
            }
            for answer in answers {
                if !self.arrives(&answer) {
                    continue;
                }
                match self.client.receive(&answer).unwrap() {
                    Step::Done(response) => return response,
                    Step::Send(apdu) => to_send = Some(apdu),
                    Step::Wait | Step::Ignored(_) => {}
                    Step::Notification(push) => panic!("{push:?}"),
                }
            }
            if to_send.is_none() {
                to_send = Some(self.client.repeat().unwrap().expect("nothing to repeat"));
            }
        }
        panic!("no end");
    }
}

fn general() -> Conformance {
    Conformance::GET
        | Conformance::SET
        | Conformance::ACCESS
        | Conformance::GENERAL_BLOCK_TRANSFER
        | Conformance::MULTIPLE_REFERENCES
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn values_come_through_in_blocks_over_a_line_that_loses_some(
        length in 0usize..1500, window in 2u8..=63, max_pdu in 30u16..400, loses_one_in in prop_oneof![Just(0u64), 7u64..40],
        noise in any::<u64>(),
    ) {
        let mut ends = Ends::new(general(), window, max_pdu);
        (ends.loses_one_in, ends.noise) = (loses_one_in, noise);
        let value = Data::Octets((0..length).map(|n| n as u8).collect());
        prop_assert_eq!(ends.ask(Request::Set { attribute: LOG, value: value.clone() }), Response::Set(Ok(())));
        prop_assert_eq!(ends.ask(Request::Get { attribute: LOG, selective: None }), Response::Got(Ok(value.clone())));
        let several = ends.ask(Request::GetList(vec![LOG, FIXED]));
        prop_assert_eq!(several, Response::GotList(vec![Ok(value), Ok(Data::U8(7))]));
    }
}

#[test]
fn a_window_takes_one_acknowledgement() {
    let mut ends = Ends::new(general(), 8, 110);
    ends.apdus = 0;
    ends.ask(Request::Get { attribute: LOG, selective: None });
    // 707 octets in blocks of 103: one of request, seven of answer.
    assert_eq!(ends.apdus, 8);
}

#[test]
fn the_blocks_of_a_service_come_before_general_ones() {
    let mut ends = Ends::new(Conformance::SPOKEN, 1, 110);
    let apdu = ends.client.start(Request::Get { attribute: LOG, selective: None }).unwrap();
    assert_eq!(ends.server.receive(&apdu, &mut ends.meter).unwrap()[..2], [0xC4, 0x02]);
}

#[test]
fn blocks_that_were_not_agreed_are_refused() {
    let mut ends = Ends::new(Conformance::USUAL, 1, 110);
    let answer = ends.server.receive(&[0xE0, 0x81, 0, 1, 0, 0, 1, 0xC0], &mut ends.meter).unwrap();
    assert_eq!(answer, [0xD8, 2, 2]);
}

/// A request whose answer was lost is not carried out twice: the answer is sent again.
#[test]
fn the_same_request_in_blocks_is_carried_out_once() {
    let mut ends = Ends::new(general(), 2, 110);
    let value = |n| Data::Octets(vec![n; 700]);
    let first = ends.client.start(Request::Set { attribute: FIXED, value: Data::U8(1) }).unwrap();
    let refused = ends.server.receive(&first, &mut ends.meter).unwrap();
    ends.meter.insert(FIXED, value(1), Rights::ReadWrite);
    assert_eq!(ends.server.receive(&first, &mut ends.meter), Some(refused), "the answer of before");
}

#[test]
fn access_reads_writes_and_says_what_failed() {
    let parts = || {
        vec![
            AccessPart::Get(FIXED, None),
            AccessPart::Get(ABSENT, None),
            AccessPart::Set(LOG, None, Data::Octets(vec![1; 300])),
            AccessPart::Get(LOG, None),
        ]
    };
    let mut ends = Ends::new(general(), 2, 110);
    let Response::Accessed(outcomes) = ends.ask(Request::Access { parts: parts(), break_on_error: false })
    else {
        panic!()
    };
    let absent = AccessOutcome::Get(Err(DataAccessResult::ObjectUndefined));
    let expected = [
        AccessOutcome::Get(Ok(Data::U8(7))),
        absent.clone(),
        AccessOutcome::Set(Ok(())),
        AccessOutcome::Get(Ok(Data::Octets(vec![1; 300]))),
    ];
    assert_eq!(outcomes, expected);
    let Response::Accessed(outcomes) = ends.ask(Request::Access { parts: parts(), break_on_error: true })
    else {
        panic!()
    };
    let left_out = AccessOutcome::Set(Err(DataAccessResult::OtherReason));
    assert_eq!(outcomes[1..3], [absent, left_out]);
}

#[test]
fn access_too_long_for_one_apdu_without_blocks_is_refused() {
    let mut ends = Ends::new(Conformance::USUAL | Conformance::ACCESS, 1, 110);
    let parts = vec![AccessPart::Get(LOG, None)];
    let answer = ends.ask(Request::Access { parts, break_on_error: false });
    let Response::Exception(exception) = answer else { panic!("{answer:?}") };
    assert_eq!(exception.to_string(), "service not allowed, APDU too long");
}
