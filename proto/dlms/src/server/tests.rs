//! What a server refuses and grants, and both ends of an association against each other.

use proptest::prelude::*;

use super::*;
use crate::Password;
use crate::apdu::{DataBlock, GetRequest, GetRequestKind, InvokeId, SetRequest, SetRequestKind};
use crate::client::{ClientSession, ClientSettings, Request, Response, Step};
use crate::data::{CaptureObject, ClassId, DateTime, Obis};

pub(crate) const IDENTITY: AttributeRef = at(1, [0, 0, 96, 1, 0, 255], 2);
const IMPORT: AttributeRef = at(3, [1, 0, 1, 8, 0, 255], 2);
const CLOCK: AttributeRef = at(8, [0, 0, 1, 0, 0, 255], 2);
const PROFILE: AttributeRef = at(7, [1, 0, 99, 1, 0, 255], 2);
const SECRET: AttributeRef = at(1, [0, 0, 96, 1, 9, 255], 2);
/// A method that returns its parameter.
pub(crate) const MIRROR: MethodRef =
    MethodRef { class: ClassId(9), obis: Obis([0, 0, 10, 0, 106, 255]), method: 1 };

const fn at(class: u16, obis: [u8; 6], attribute: i8) -> AttributeRef {
    AttributeRef { class: ClassId(class), obis: Obis(obis), attribute }
}

/// A small meter: public client 16, client 17 by password, a profile of ten half hours.
pub(crate) struct Meter {
    table: ObjectTable,
    password: Password,
}

impl Meter {
    pub(crate) fn new() -> Self {
        let mut table = ObjectTable::new();
        table.insert(IDENTITY, Data::Octets(b"SIM1".to_vec()), Rights::ReadWrite);
        table.insert(IMPORT, Data::U32(123_456), Rights::ReadOnly);
        table.insert(CLOCK, Data::Octets(DateTime::from_unix(0, 0).to_octets().to_vec()), Rights::ReadWrite);
        table.insert(SECRET, Data::U8(1), Rights::WriteOnly);
        table.insert(PROFILE, Data::Array(vec![]), Rights::ReadOnly);
        Self { table, password: Password::new(*b"12345678") }
    }
}

fn half_hours() -> (Vec<Data>, [CaptureObject; 2]) {
    let column =
        |of: AttributeRef| CaptureObject { class: of.class, obis: of.obis, attribute: 2, data_index: 0 };
    let row = |n: u32| {
        let start = DateTime::from_unix(i64::from(n) * 1800, 0).to_octets().to_vec();
        Data::Structure(vec![Data::Octets(start), Data::U32(n)])
    };
    ((1..=10).map(row).collect(), [column(CLOCK), column(IMPORT)])
}

impl AssociationPolicy for Meter {
    fn admit(&mut self, peer: Peer, credentials: Credentials<'_>) -> Result<(), Denial> {
        match (peer.client, credentials) {
            (16, Credentials::None) => Ok(()),
            (17, Credentials::None) => Err(Denial::AuthenticationRequired),
            (17, Credentials::Password(password)) if self.password.matches(password) => Ok(()),
            (17, Credentials::Password(_)) => Err(Denial::AuthenticationFailure),
            _ => Err(Denial::ClientUnknown),
        }
    }
}

impl ObjectModel for Meter {
    fn get(
        &mut self,
        peer: Peer,
        of: AttributeRef,
        selective: Option<&Selective>,
    ) -> Result<Data, DataAccessResult> {
        if of == PROFILE {
            let (rows, columns) = half_hours();
            return select(&rows, &columns, selective);
        }
        self.table.get(peer, of, selective)
    }

    fn set(
        &mut self,
        peer: Peer,
        of: AttributeRef,
        selective: Option<&Selective>,
        value: Data,
    ) -> Result<(), DataAccessResult> {
        self.table.set(peer, of, selective, value)
    }

    fn act(
        &mut self,
        peer: Peer,
        method: MethodRef,
        parameter: Option<Data>,
    ) -> Result<Option<Data>, ActionResult> {
        if method == MIRROR { Ok(parameter) } else { self.table.act(peer, method, parameter) }
    }
}

/// A client, a server and a meter, with every APDU held to what its receiver takes.
pub(crate) struct Ends {
    pub(crate) client: ClientSession,
    pub(crate) server: ServerSession,
    pub(crate) meter: Meter,
    client_takes: usize,
    server_takes: usize,
    /// APDUs from the client.
    pub(crate) sent: usize,
}

impl Ends {
    pub(crate) fn new(client: ClientSettings, sap: u16, server: ServerSettings) -> Self {
        Self {
            client_takes: client.max_pdu.into(),
            server_takes: server.max_pdu.into(),
            client: ClientSession::new(client),
            server: ServerSession::new(Peer::new(sap, 1), server),
            meter: Meter::new(),
            sent: 0,
        }
    }

    pub(crate) fn associated(client_takes: u16, server_takes: u16) -> Self {
        let client = ClientSettings { max_pdu: client_takes, ..ClientSettings::default() };
        let server = ServerSettings { max_pdu: server_takes, ..ServerSettings::default() };
        let mut ends = Self::new(client, 16, server);
        let associated = ends.ask(Request::Associate);
        assert!(matches!(associated, Response::Associated(_)), "{associated:?}");
        ends
    }

    pub(crate) fn ask(&mut self, request: Request) -> Response {
        let associating = request == Request::Associate;
        let mut apdu = self.client.start(request).unwrap();
        loop {
            self.sent += 1;
            assert!(associating || apdu.len() <= self.server_takes, "{} octets to the server", apdu.len());
            let answer = self.server.receive(&apdu, &mut self.meter).unwrap();
            assert!(
                associating || answer.len() <= self.client_takes,
                "{} octets to the client",
                answer.len()
            );
            match self.client.receive(&answer).unwrap() {
                Step::Send(next) => apdu = next,
                Step::Done(response) => return response,
                step => panic!("{step:?}"),
            }
        }
    }

    pub(crate) fn get(
        &mut self,
        attribute: AttributeRef,
        selective: Option<Selective>,
    ) -> Result<Data, DataAccessResult> {
        match self.ask(Request::Get { attribute, selective }) {
            Response::Got(result) => result,
            response => panic!("{response:?}"),
        }
    }

    pub(crate) fn set(&mut self, attribute: AttributeRef, value: Data) -> Result<(), DataAccessResult> {
        match self.ask(Request::Set { attribute, value }) {
            Response::Set(result) => result,
            response => panic!("{response:?}"),
        }
    }
}

fn refusal(sap: u16, password: Option<&[u8]>) -> String {
    let password = password.map(Password::new);
    let mut ends = Ends::new(
        ClientSettings { security: password.into(), ..ClientSettings::default() },
        sap,
        ServerSettings::default(),
    );
    match ends.ask(Request::Associate) {
        Response::Refused(refusal) => {
            assert!(!ends.server.is_associated() && ends.client.association().is_none());
            refusal.to_string()
        }
        Response::Associated(_) => "associated".to_owned(),
        response => panic!("{response:?}"),
    }
}

#[test]
fn who_may_associate() {
    assert_eq!(refusal(16, None), "associated");
    assert_eq!(refusal(17, Some(b"12345678")), "associated");
    assert_eq!(refusal(17, Some(b"12345679")), "association refused: authentication failure (13)");
    assert_eq!(refusal(17, Some(b"")), "association refused: authentication failure (13)");
    assert_eq!(refusal(17, None), "association refused: authentication mechanism name required (12)");
    assert_eq!(refusal(99, None), "association refused: no reason given (1)");
}

/// The bytes of a refused password: result 1, diagnostic 0D. If this fails, do not change the test.
#[test]
fn golden_wrong_password() {
    let mut server = ServerSession::new(Peer::new(17, 1), ServerSettings::default());
    let request = "6036A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363739BE10040E01000000065F1F0400007E1F04B0";
    let answer = server.receive(&hex::decode(request).unwrap(), &mut Meter::new()).unwrap();
    assert_eq!(hex::encode_upper(answer), "6117A109060760857405080101A203020101A305A10302010D");
}

#[test]
fn offers_no_server_can_work_with_are_refused() {
    let offer = |conformance, max_pdu| {
        let client = ClientSettings { conformance, max_pdu, ..ClientSettings::default() };
        match Ends::new(client, 16, ServerSettings::default()).ask(Request::Associate) {
            Response::Refused(refusal) => refusal.initiate.unwrap().to_string(),
            response => panic!("{response:?}"),
        }
    };
    assert_eq!(offer(Conformance::EVENT_NOTIFICATION, 1024), "no services in common");
    assert_eq!(offer(Conformance::SPOKEN, 11), "maximum APDU size too short");
}

#[test]
fn other_contexts_mechanisms_and_versions_are_refused() {
    let diagnostic = |request: &str| {
        let mut server = ServerSession::new(Peer::new(16, 1), ServerSettings::default());
        let answer = server.receive(&hex::decode(request).unwrap(), &mut Meter::new()).unwrap();
        let Ok(Apdu::Aare(aare)) = Apdu::decode(&answer) else { panic!("not an AARE") };
        aare.diagnostic.code
    };
    // Short names; a GMAC challenge; xDLMS version 5; no user information.
    assert_eq!(diagnostic("601DA109060760857405080102BE10040E01000000065F1F0400007E1F04B0"), 2);
    assert_eq!(
        diagnostic("6026A1090607608574050801018B0760857405080205BE10040E01000000065F1F0400007E1F04B0"),
        11
    );
    assert_eq!(diagnostic("601DA109060760857405080101BE10040E01000000055F1F0400007E1F04B0"), 1);
    assert_eq!(diagnostic("600BA109060760857405080101"), 1);
}

#[test]
fn services_are_the_ones_both_sides_have() {
    let client =
        ClientSettings { conformance: Conformance::from_bits(0xFF_FFFF), ..ClientSettings::default() };
    let conformance = Conformance::GET | Conformance::ACTION;
    let server = ServerSettings { conformance, ..ServerSettings::default() };
    let mut ends = Ends::new(client, 16, server);
    let Response::Associated(association) = ends.ask(Request::Associate) else { panic!("refused") };
    assert_eq!((association.conformance, association.max_pdu), (conformance, 1024));
    let set = ends.ask(Request::Set { attribute: IDENTITY, value: Data::Null });
    assert_eq!(set, Response::Exception(ExceptionResponse::NOT_SUPPORTED));
    let list = ends.ask(Request::GetList(vec![IDENTITY]));
    assert_eq!(list, Response::Exception(ExceptionResponse::NOT_SUPPORTED));
    let entry = Selective::Entry { from: 1, to: 1, first_column: 1, last_column: 0 };
    assert_eq!(ends.get(PROFILE, Some(entry)), Err(DataAccessResult::ScopeOfAccessViolated));
    assert_eq!(ends.get(IMPORT, None), Ok(Data::U32(123_456)));
}

#[test]
fn nothing_is_served_without_an_association() {
    let mut ends = Ends::new(ClientSettings::default(), 16, ServerSettings::default());
    let exception = Response::Exception(ExceptionResponse::NOT_ASSOCIATED);
    assert_eq!(ends.ask(Request::Get { attribute: IMPORT, selective: None }), exception);
    assert_eq!(ends.ask(Request::Act { method: MIRROR, parameter: None }), exception);
    ends.ask(Request::Associate);
    assert_eq!(ends.get(IMPORT, None), Ok(Data::U32(123_456)));
    assert_eq!(ends.ask(Request::Release), Response::Released);
    assert_eq!(ends.ask(Request::Get { attribute: IMPORT, selective: None }), exception);
    ends.ask(Request::Associate);
    ends.server.link_lost();
    assert_eq!(ends.ask(Request::Get { attribute: IMPORT, selective: None }), exception);
    assert_eq!(ends.client.association(), None);
}

#[test]
fn a_server_refuses_what_a_meter_refuses() {
    let mut ends = Ends::associated(1024, 1024);
    assert_eq!(ends.get(at(3, [1, 0, 77, 8, 0, 255], 2), None), Err(DataAccessResult::ObjectUndefined));
    assert_eq!(ends.get(at(4, IMPORT.obis.0, 2), None), Err(DataAccessResult::ObjectClassInconsistent));
    assert_eq!(ends.get(at(3, IMPORT.obis.0, 9), None), Err(DataAccessResult::ReadWriteDenied));
    assert_eq!(ends.get(SECRET, None), Err(DataAccessResult::ReadWriteDenied));
    assert_eq!(ends.set(IMPORT, Data::U32(0)), Err(DataAccessResult::ReadWriteDenied));
    assert_eq!(ends.set(IDENTITY, Data::U8(0)), Err(DataAccessResult::TypeUnmatched));
    let entry = Selective::Entry { from: 1, to: 1, first_column: 3, last_column: 1 };
    assert_eq!(ends.get(PROFILE, Some(entry)), Err(DataAccessResult::ScopeOfAccessViolated));
    let method = MethodRef { class: ClassId(3), obis: IMPORT.obis, method: 1 };
    let Response::Acted(given) = ends.ask(Request::Act { method, parameter: None }) else {
        panic!("not acted")
    };
    assert_eq!((given.result, given.value), (Err(ActionResult::ReadWriteDenied), None));
    assert_eq!(ends.get(at(3, IMPORT.obis.0, 1), None), Ok(Data::Octets(IMPORT.obis.0.to_vec())));
}

#[test]
fn lists_are_answered_one_by_one() {
    let mut ends = Ends::associated(1024, 1024);
    let list = vec![IMPORT, SECRET, IDENTITY];
    let expected = vec![
        Ok(Data::U32(123_456)),
        Err(DataAccessResult::ReadWriteDenied),
        Ok(Data::Octets(b"SIM1".to_vec())),
    ];
    assert_eq!(ends.ask(Request::GetList(list.clone())), Response::GotList(expected.clone()));
    let mut narrow = Ends::associated(14, 1024);
    assert_eq!(narrow.ask(Request::GetList(list)), Response::GotList(expected));
    let set = SetRequestKind::WithList {
        attributes: vec![(IDENTITY, None), (IMPORT, None), (CLOCK, None)],
        values: vec![Data::Octets(b"X".to_vec()), Data::U32(1)],
    };
    let request = Apdu::SetRequest(SetRequest { invoke: InvokeId::confirmed(1), kind: set });
    let answer = ends.server.receive(&request.encode(), &mut ends.meter).unwrap();
    // Written; read only; no value.
    assert_eq!(hex::encode_upper(answer), "C505C10300030C");
}

#[test]
fn unreadable_and_unasked_messages() {
    let mut ends = Ends::associated(1024, 1024);
    let mut answer = |hex: &str| {
        let answer = ends.server.receive(&hex::decode(hex).unwrap(), &mut ends.meter);
        answer.map(hex::encode_upper)
    };
    assert_eq!(answer("DB08").as_deref(), Some("D80202"), "ciphered: not supported");
    assert_eq!(answer("C001").as_deref(), Some("D80202"), "cut short");
    assert_eq!(answer("C401C1010B"), None, "an answer is not for a server");
    assert_eq!(answer("C101810001000060010 0FF0200090141".replace(' ', "").as_str()), None, "unconfirmed");
    assert_eq!(
        answer("C001810001000060 0100FF0200".replace(' ', "").as_str()).as_deref(),
        Some("C4018100090141")
    );
}

#[test]
fn blocks_out_of_turn_are_refused() {
    let mut ends = Ends::associated(30, 1024);
    let mut get = |kind| {
        let request = Apdu::GetRequest(GetRequest { invoke: InvokeId::confirmed(5), kind });
        hex::encode_upper(ends.server.receive(&request.encode(), &mut ends.meter).unwrap())
    };
    assert_eq!(get(GetRequestKind::Next { block: 1 }), "C402C501000000010110", "no long get in progress");
    let first = get(GetRequestKind::Normal { attribute: PROFILE, selection: None });
    assert!(first.starts_with("C402C500000000010014"), "{first}");
    let second = get(GetRequestKind::Next { block: 1 });
    assert_eq!(second, get(GetRequestKind::Next { block: 1 }), "asked twice, answered twice");
    assert_eq!(get(GetRequestKind::Next { block: 0 }), "C402C501000000000113", "block number invalid");
    assert_eq!(get(GetRequestKind::Next { block: 1 }), "C402C501000000010110", "and the transfer is over");
}

#[test]
fn written_blocks_out_of_turn_are_refused() {
    let mut ends = Ends::associated(1024, 1024);
    let mut set = |kind| {
        let request = Apdu::SetRequest(SetRequest { invoke: InvokeId::confirmed(5), kind });
        hex::encode_upper(ends.server.receive(&request.encode(), &mut ends.meter).unwrap())
    };
    let block = |last, number, raw: &[u8]| DataBlock { last, number, raw: raw.to_vec() };
    let first = |block| SetRequestKind::FirstBlock { attribute: IDENTITY, selection: None, block };
    assert_eq!(
        set(SetRequestKind::Block(block(false, 2, b""))),
        "C503C51200000002",
        "no long set in progress"
    );
    assert_eq!(set(first(block(false, 1, &[9, 2]))), "C502C500000001");
    assert_eq!(set(SetRequestKind::Block(block(false, 3, b"A"))), "C503C51300000003", "block number invalid");
    assert_eq!(set(first(block(false, 1, &[9, 2]))), "C502C500000001");
    assert_eq!(
        set(SetRequestKind::Block(block(true, 2, b"A"))),
        "C503C50C00000002",
        "cut short: type unmatched"
    );
    assert_eq!(set(first(block(false, 1, &[0; 40_000]))), "C502C500000001");
    assert_eq!(
        set(SetRequestKind::Block(block(false, 2, &[0; 40_000]))),
        "C503C51100000002",
        "long set aborted"
    );
    assert_eq!(set(first(block(true, 1, &[9, 1, 0x41]))), "C503C50000000001", "one block is enough");
}

#[test]
fn profiles_are_cut_by_range_and_entry() {
    let mut ends = Ends::associated(64, 1024);
    let (rows, [clock, import]) = half_hours();
    let time = |n: i64| Data::Octets(DateTime::from_unix(n * 1800, 0).to_octets().to_vec());
    let mut range = |from, to, columns| {
        ends.get(PROFILE, Some(Selective::Range { restricting: clock, from, to, columns }))
    };
    assert_eq!(range(time(3), time(5), vec![]), Ok(Data::Array(rows[2..5].to_vec())));
    assert_eq!(range(time(20), time(30), vec![]), Ok(Data::Array(vec![])));
    let one = Data::Array(vec![Data::Structure(vec![Data::U32(4)])]);
    assert_eq!(range(time(4), time(4), vec![import]), Ok(one));
    assert_eq!(range(Data::Null, time(4), vec![]), Err(DataAccessResult::TypeUnmatched));
    // The same moment told in summer time.
    let summer = Data::DateTime(DateTime::from_unix(4 * 1800, -60));
    assert_eq!(range(summer.clone(), summer, vec![]), Ok(Data::Array(rows[3..4].to_vec())));
    let stranger = CaptureObject { data_index: 1, ..clock };
    assert_eq!(range(time(1), time(2), vec![stranger]), Err(DataAccessResult::ScopeOfAccessViolated));
    let mut entry = |from, to, first_column, last_column| {
        ends.get(PROFILE, Some(Selective::Entry { from, to, first_column, last_column }))
    };
    assert_eq!(entry(2, 3, 1, 0), Ok(Data::Array(rows[1..3].to_vec())));
    assert_eq!(entry(9, 0, 1, 2), Ok(Data::Array(rows[8..].to_vec())));
    assert_eq!(entry(9, 400, 1, 0), Ok(Data::Array(rows[8..].to_vec())));
    assert_eq!(entry(11, 400, 1, 0), Ok(Data::Array(vec![])));
    assert_eq!(entry(0, 1, 1, 0), Err(DataAccessResult::ScopeOfAccessViolated));
    assert_eq!(entry(3, 2, 1, 0), Err(DataAccessResult::ScopeOfAccessViolated));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Values of any length go both ways through APDUs of any length.
    #[test]
    fn long_values_go_both_ways(
        client_takes in 14u16..200, server_takes in 36u16..200,
        written in proptest::collection::vec(any::<u8>(), 0..1500), mirrored in proptest::collection::vec(any::<u8>(), 0..1500),
    ) {
        let mut ends = Ends::associated(client_takes, server_takes);
        prop_assert_eq!(ends.set(IDENTITY, Data::Octets(written.clone())), Ok(()));
        prop_assert_eq!(ends.get(IDENTITY, None), Ok(Data::Octets(written)));
        let parameter = Some(Data::Octets(mirrored));
        let Response::Acted(given) = ends.ask(Request::Act { method: MIRROR, parameter: parameter.clone() }) else { panic!("not acted") };
        prop_assert_eq!((given.result, given.value), (Ok(()), parameter.map(Ok)));
    }

    /// Whatever rows and selection, cutting a profile gives a part of it or a refusal.
    #[test]
    fn cutting_a_profile_never_panics(from: u32, to: u32, first_column: u16, last_column: u16, low in crate::data::tests::data(), high in crate::data::tests::data()) {
        let (rows, columns) = half_hours();
        let entry = Selective::Entry { from, to, first_column, last_column };
        if let Ok(Data::Array(selected)) = select(&rows, &columns, Some(&entry)) {
            prop_assert!(selected.len() <= rows.len());
        }
        let range = Selective::Range { restricting: columns[1], from: low, to: high, columns: vec![] };
        let _ = select(&rows, &columns, Some(&range));
    }
}
