//! A client and a meter that share keys, every APDU in between in the test's hands.

use proptest::prelude::*;

use super::*;
use crate::Password;
use crate::apdu::{Apdu, ExceptionResponse, ServiceError, StateError};
use crate::client::{
    Authentication, Ciphering, ClientError, ClientSession, ClientSettings, Request, Response, Step, Suite0,
};
use crate::data::{ActionResult, AttributeRef, ClassId, Data, DataAccessResult, MethodRef, Obis, Selective};
use crate::server::{
    AssociationPolicy, Credentials, Denial, ObjectModel, ObjectTable, Peer, Rights, ServerSession,
    ServerSettings,
};

const LOG: AttributeRef =
    AttributeRef { class: ClassId(1), obis: Obis([0, 0, 99, 98, 0, 255]), attribute: 2 };

/// A meter with keys: client 1 must prove that it has them too, client 2 has them and a password.
struct Meter {
    table: ObjectTable,
    context: SecurityContext,
    challenges: u8,
    breaches: Vec<SecurityError>,
}

impl Meter {
    fn new() -> Self {
        let mut table = ObjectTable::new();
        table.insert(LOG, Data::Octets(vec![0x5A; 300]), Rights::ReadWrite);
        Self { table, context: context(METER, 500), challenges: 0, breaches: Vec::new() }
    }
}

impl AssociationPolicy for Meter {
    fn admit(&mut self, peer: Peer, credentials: Credentials<'_>) -> Result<(), Denial> {
        match (peer.client, credentials) {
            (1, Credentials::Gmac) => Ok(()),
            (2, Credentials::Password(b"12345678")) => Ok(()),
            (2, Credentials::None) => Ok(()),
            (1, _) => Err(Denial::AuthenticationRequired),
            _ => Err(Denial::ClientUnknown),
        }
    }

    fn security(&mut self, peer: Peer) -> Option<&mut SecurityContext> {
        Some(&mut self.context).filter(|_| peer.client < 3)
    }

    fn challenge(&mut self, _peer: Peer) -> Option<Challenge> {
        self.challenges += 1;
        Some(Challenge::from([self.challenges; 16]))
    }

    fn breached(&mut self, _peer: Peer, why: &SecurityError) {
        self.breaches.push(why.clone());
    }
}

impl ObjectModel for Meter {
    fn get(
        &mut self,
        peer: Peer,
        of: AttributeRef,
        part: Option<&Selective>,
    ) -> Result<Data, DataAccessResult> {
        self.table.get(peer, of, part)
    }

    fn set(
        &mut self,
        peer: Peer,
        of: AttributeRef,
        part: Option<&Selective>,
        value: Data,
    ) -> Result<(), DataAccessResult> {
        self.table.set(peer, of, part, value)
    }

    fn act(&mut self, _: Peer, _: MethodRef, parameter: Option<Data>) -> Result<Option<Data>, ActionResult> {
        Ok(parameter)
    }
}

struct Ends {
    client: ClientSession,
    server: ServerSession,
    meter: Meter,
    /// Every APDU, in order.
    wire: Vec<Vec<u8>>,
}

fn suite(authentication: Authentication, ciphering: Option<Ciphering>) -> Suite0 {
    Suite0 { context: context(CLIENT, 100), authentication, ciphering }
}

fn gmac() -> Authentication {
    Authentication::Gmac(Challenge::from([0xC5; 16]))
}

fn ciphering(protection: Protection, general: bool, dedicated: bool) -> Option<Ciphering> {
    let dedicated_key = dedicated.then(|| Key::new([0xDE; 16]));
    Some(Ciphering { protection, general, dedicated_key })
}

const BOTH: Protection = Protection::AuthenticatedEncrypted;

impl Ends {
    fn new(suite: Suite0, client: u16, max_pdu: u16) -> Self {
        let settings = ClientSettings { security: suite.into(), max_pdu, ..ClientSettings::default() };
        let server = ServerSettings { max_pdu, ..ServerSettings::default() };
        Self {
            client: ClientSession::new(settings),
            server: ServerSession::new(Peer::new(client, 1), server),
            meter: Meter::new(),
            wire: Vec::new(),
        }
    }

    fn ask(&mut self, request: Request) -> Result<Response, ClientError> {
        let mut apdu = self.client.start(request)?;
        loop {
            self.wire.push(apdu.clone());
            let answer = self.server.receive(&apdu, &mut self.meter).unwrap();
            self.wire.push(answer.clone());
            match self.client.receive(&answer)? {
                Step::Send(next) => apdu = next,
                Step::Done(response) => return Ok(response),
                step => panic!("{step:?}"),
            }
        }
    }

    fn associate(&mut self) {
        let response = self.ask(Request::Associate).unwrap();
        assert!(matches!(response, Response::Associated(_)), "{response:?}");
        assert!(self.server.is_associated());
    }

    fn get(&mut self) -> Response {
        self.ask(Request::Get { attribute: LOG, selective: None }).unwrap()
    }

    fn tags(&self) -> Vec<u8> {
        self.wire.iter().map(|apdu| apdu[0]).collect()
    }
}

#[test]
fn high_level_security_with_messages_in_clear() {
    let mut ends = Ends::new(suite(gmac(), None), 1, 1024);
    ends.associate();
    assert_eq!(ends.get(), Response::Got(Ok(Data::Octets(vec![0x5A; 300]))));
    assert_eq!(ends.ask(Request::Release), Ok(Response::Released));
    assert_eq!(ends.tags(), [0x60, 0x61, 0xC3, 0xC7, 0xC0, 0xC4, 0x62, 0x63]);
}

#[test]
fn high_level_security_with_each_envelope() {
    let tags = |general, dedicated| {
        let mut ends = Ends::new(suite(gmac(), ciphering(BOTH, general, dedicated)), 1, 1024);
        ends.associate();
        assert_eq!(ends.get(), Response::Got(Ok(Data::Octets(vec![0x5A; 300]))));
        ends.tags()[2..].to_vec()
    };
    assert_eq!(tags(false, false), [0xCB, 0xCF, 0xC8, 0xCC]);
    assert_eq!(tags(false, true), [0xD3, 0xD7, 0xD0, 0xD4]);
    assert_eq!(tags(true, false), [0xDB, 0xDB, 0xDB, 0xDB]);
    assert_eq!(tags(true, true), [0xDC, 0xDC, 0xDC, 0xDC]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Long values both ways, whatever the protection and the longest APDU: none is longer than its receiver takes.
    #[test]
    fn long_values_fit_their_envelopes(
        protection in proptest::sample::select(&[Protection::Authenticated, Protection::Encrypted, BOTH][..]),
        general: bool, dedicated: bool, max_pdu in 60u16..300, length in 0usize..600,
    ) {
        let dedicated = dedicated && protection != Protection::Authenticated;
        let mut ends = Ends::new(suite(gmac(), ciphering(protection, general, dedicated)), 1, max_pdu);
        ends.associate();
        ends.wire.clear();
        let value = Data::Octets(vec![7; length]);
        let set = ends.ask(Request::Set { attribute: LOG, value: value.clone() });
        prop_assert_eq!(set, Ok(Response::Set(Ok(()))));
        prop_assert_eq!(ends.get(), Response::Got(Ok(value.clone())));
        let method = MethodRef { class: ClassId(9), obis: LOG.obis, method: 1 };
        let acted = ends.ask(Request::Act { method, parameter: Some(value.clone()) });
        let Ok(Response::Acted(given)) = acted else { panic!("{acted:?}") };
        prop_assert_eq!(given.value, Some(Ok(value)));
        for apdu in &ends.wire {
            prop_assert!(apdu.len() <= usize::from(max_pdu), "{} octets", apdu.len());
        }
    }
}

#[test]
fn low_level_security_within_a_ciphered_association() {
    let low = Authentication::Low(Password::new(*b"12345678"));
    let mut ends = Ends::new(suite(low, ciphering(BOTH, false, false)), 2, 1024);
    ends.associate();
    assert_eq!(ends.tags(), [0x60, 0x61]);
    assert!(matches!(ends.get(), Response::Got(Ok(_))));
}

#[test]
fn a_ciphered_association_is_released_by_whom_it_belongs_to() {
    let mut ends = Ends::new(suite(gmac(), ciphering(BOTH, false, true)), 1, 1024);
    ends.associate();
    assert_eq!(ends.ask(Request::Release), Ok(Response::Released));
    let released = ends.wire.last().unwrap().clone();
    assert!(
        Apdu::decode(&released)
            .is_ok_and(|apdu| matches!(apdu, Apdu::Rlre(rlre) if rlre.user_information.is_some()))
    );
    assert!(!ends.server.is_associated());
    ends.client.renew(Challenge::from([0xC7; 16]), None);
    ends.associate();
    ends.client.start(Request::Release).unwrap();
    let mut forged = released;
    *forged.last_mut().unwrap() ^= 1;
    assert!(matches!(
        ends.client.receive(&forged),
        Err(ClientError::Security(SecurityError::WrongTag { .. }))
    ));
}

#[test]
fn other_keys_are_refused_by_both() {
    let mut other = suite(gmac(), None);
    let keys = Keys { encryption: Key::new([9; 16]), ..keys() };
    other.context = SecurityContext::new(CLIENT, keys, Counters::held_in_memory(CounterState::default()));
    let mut ends = Ends::new(other, 1, 1024);
    let Ok(Response::Refused(refusal)) = ends.ask(Request::Associate) else { panic!() };
    assert!(refusal.is_authentication_failure());
    assert!(!ends.server.is_associated());
    assert_eq!(ends.meter.breaches, [SecurityError::WrongTag { from: CLIENT }]);
    let after = ends.server.receive(&[0xC0, 1, 0xC1, 0, 1, 0, 0, 99, 98, 0, 255, 2, 0], &mut ends.meter);
    assert_eq!(after, Some(Apdu::Exception(ExceptionResponse::NOT_ASSOCIATED).encode()));
}

#[test]
fn a_meter_without_the_keys_is_found_out() {
    let mut ends = Ends::new(suite(gmac(), None), 1, 1024);
    let aarq = ends.client.start(Request::Associate).unwrap();
    let aare = ends.server.receive(&aarq, &mut ends.meter).unwrap();
    let Ok(Step::Send(proof)) = ends.client.receive(&aare) else { panic!() };
    let mut answer = ends.server.receive(&proof, &mut ends.meter).unwrap();
    *answer.last_mut().unwrap() ^= 1;
    let error = ends.client.receive(&answer).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the meter did not prove that it has the keys: the authentication tag is wrong"),
        "{error}"
    );
    assert_eq!(ends.client.association(), None);
}

#[test]
fn a_reflected_challenge_is_not_answered() {
    let mut client = ClientSession::new(ClientSettings {
        security: suite(gmac(), None).into(),
        ..ClientSettings::default()
    });
    client.start(Request::Associate).unwrap();
    let mut ends = Ends::new(suite(gmac(), None), 1, 1024);
    ends.meter.challenges = 0xC4;
    let aarq = ends.client.start(Request::Associate).unwrap();
    let aare = ends.server.receive(&aarq, &mut ends.meter).unwrap();
    let error = client.receive(&aare).unwrap_err();
    assert!(matches!(error, ClientError::NotProven { .. }), "{error}");
}

#[test]
fn nothing_is_served_before_the_proof() {
    let mut ends = Ends::new(suite(gmac(), None), 1, 1024);
    let aarq = ends.client.start(Request::Associate).unwrap();
    ends.server.receive(&aarq, &mut ends.meter).unwrap();
    let get = [0xC0, 1, 0xC1, 0, 1, 0, 0, 99, 98, 0, 255, 2, 0];
    let answer = ends.server.receive(&get, &mut ends.meter);
    assert_eq!(answer, Some(Apdu::Exception(ExceptionResponse::NOT_ASSOCIATED).encode()));
    assert!(!ends.server.is_associated());
}

#[test]
fn replayed_requests_and_associations_are_refused_with_the_number_expected() {
    let mut ends = Ends::new(suite(gmac(), ciphering(BOTH, false, false)), 1, 1024);
    ends.associate();
    ends.get();
    let sent = ends.wire.clone();
    let exception = |expected| {
        let service = ServiceError::InvocationCounter { expected: Some(expected) };
        Some(Apdu::Exception(ExceptionResponse { state: StateError::ServiceUnknown, service }).encode())
    };
    // 101 the initiate request, 102 the proof, 103 the message it came in, 104 the read.
    assert_eq!(ends.server.receive(&sent[4], &mut ends.meter), exception(105));
    assert_eq!(ends.server.receive(&sent[0], &mut ends.meter), exception(105));
    assert!(matches!(
        ends.meter.breaches[..],
        [SecurityError::Replayed { .. }, SecurityError::Replayed { .. }]
    ));
}

#[test]
fn a_client_that_lost_count_follows_the_meter() {
    let mut ends = Ends::new(suite(gmac(), ciphering(BOTH, false, false)), 1, 1024);
    ends.meter.context.counters.note(CLIENT, InvocationCounter(4000)).unwrap();
    let Ok(Response::Exception(exception)) = ends.ask(Request::Associate) else { panic!() };
    let ServiceError::InvocationCounter { expected: Some(expected) } = exception.service else { panic!() };
    assert_eq!(expected, 4001);
    let context = ends.client.context().unwrap();
    context.counters.resynchronise(InvocationCounter(expected)).unwrap();
    assert!(matches!(ends.ask(Request::Associate), Err(ClientError::NotFresh)));
    ends.client.renew(Challenge::from([0xC6; 16]), None);
    ends.associate();
}

#[test]
fn an_answer_received_twice_is_passed_over() {
    let mut ends = Ends::new(suite(gmac(), ciphering(BOTH, false, false)), 1, 1024);
    ends.associate();
    ends.get();
    let late = ends.wire.last().unwrap().clone();
    ends.client.start(Request::Get { attribute: LOG, selective: None }).unwrap();
    assert!(matches!(ends.client.receive(&late), Ok(Step::Ignored(_))));
}

#[test]
fn an_answer_in_clear_within_a_ciphered_association_is_not_believed() {
    let mut ends = Ends::new(suite(gmac(), ciphering(BOTH, false, false)), 1, 1024);
    ends.associate();
    ends.client.start(Request::Get { attribute: LOG, selective: None }).unwrap();
    let error = ends.client.receive(&[0xC4, 1, 0xC2, 0, 0x11, 1]).unwrap_err();
    assert_eq!(error, ClientError::Security(SecurityError::Weaker { found: None, required: BOTH }));
}

#[test]
fn a_meter_that_requires_protection_takes_nothing_less() {
    let start = |ciphering| {
        let mut ends = Ends::new(suite(gmac(), ciphering), 1, 1024);
        ends.meter.context.required = Some(BOTH);
        let response = ends.ask(Request::Associate);
        (ends, response)
    };
    let (_, refused) = start(None);
    let Ok(Response::Refused(refusal)) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal.to_string(), "association refused: application context name not supported (2)");
    let (_, refused) = start(ciphering(Protection::Encrypted, false, false));
    assert!(matches!(refused, Ok(Response::Refused(_))), "{refused:?}");
    let (mut ends, _) = start(ciphering(BOTH, false, false));
    let get = [0xC0, 1, 0xC1, 0, 1, 0, 0, 99, 98, 0, 255, 2, 0];
    let answer = ends.server.receive(&get, &mut ends.meter);
    assert_eq!(answer, Some(Apdu::Exception(ExceptionResponse::NOT_ASSOCIATED).encode()));
}

#[test]
fn without_keys_there_is_no_ciphering_and_no_proof() {
    for ciphering in [None, ciphering(BOTH, false, false)] {
        let mut ends = Ends::new(suite(gmac(), ciphering), 3, 1024);
        let refused = ends.ask(Request::Associate);
        assert!(matches!(refused, Ok(Response::Refused(_))), "{refused:?}");
    }
}

#[test]
fn a_dedicated_key_in_clear_is_not_taken() {
    let mut ends = Ends::new(suite(gmac(), ciphering(Protection::Authenticated, false, true)), 1, 1024);
    let refused = ends.ask(Request::Associate);
    assert!(matches!(refused, Ok(Response::Refused(_))), "{refused:?}");
}

#[test]
fn numbers_that_are_not_reserved_are_not_sent() {
    let mut suite = suite(gmac(), ciphering(BOTH, false, false));
    suite.context = SecurityContext::new(CLIENT, keys(), Counters::restore(CounterState::default()));
    let mut ends = Ends::new(suite, 1, 1024);
    let error = ends.client.start(Request::Associate).unwrap_err();
    assert_eq!(error, ClientError::Security(CounterError::NotReserved.into()));
    let _ = ends.client.context().unwrap().counters.reserve(10);
    ends.client.renew(Challenge::from([0xC6; 16]), None);
    ends.associate();
    let context = ends.client.into_context().unwrap();
    assert_eq!(context.counters.state().sent, Some(InvocationCounter(3)));
    assert!(context.counters.state().received.contains_key(&METER));
}

/// A doubled request is refused after it was answered, and the refusal comes while the next one waits.
#[test]
fn the_refusal_of_a_copy_is_not_taken_for_the_next_answer() {
    for dedicated in [false, true] {
        let mut ends = Ends::new(suite(gmac(), ciphering(BOTH, false, dedicated)), 1, 1024);
        ends.associate();
        ends.get();
        let copy = ends.wire[ends.wire.len() - 2].clone();
        let refusal = ends.server.receive(&copy, &mut ends.meter).unwrap();
        let next = ends.client.start(Request::Get { attribute: LOG, selective: None }).unwrap();
        assert!(matches!(ends.client.receive(&refusal), Ok(Step::Ignored(_))));
        let answer = ends.server.receive(&next, &mut ends.meter).unwrap();
        assert!(matches!(ends.client.receive(&answer), Ok(Step::Done(Response::Got(Ok(_))))));
    }
}

/// The same words of a meter that has lost count are an answer: it expects a number the client is not at yet.
#[test]
fn the_refusal_of_the_request_itself_ends_it() {
    let mut ends = Ends::new(suite(gmac(), ciphering(BOTH, false, false)), 1, 1024);
    ends.associate();
    ends.meter.context.counters.note(CLIENT, InvocationCounter(4000)).unwrap();
    let Response::Exception(exception) = ends.get() else { panic!() };
    assert_eq!(exception.service, ServiceError::InvocationCounter { expected: Some(4001) });
}
