//! The opening exchange against golden characters, and client against meter in virtual time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::echo::Echo;

fn identification() -> Identification {
    Identification { manufacturer: *b"LAB", baud: Baud::B9600, mode_e: true, text: "SIM1".to_owned() }
}

/// IEC 62056-21, 6.3 and annex E, in the order they go over the line. If this fails, do not change the test.
#[test]
fn golden_exchange() {
    let mut pair = Pair::new(ClientSettings::default(), MeterSettings::new(identification()));
    pair.run();
    let line: Vec<(u32, Framing, &[u8])> = pair
        .line
        .iter()
        .map(|(settings, octets)| (settings.baud.rate(), settings.framing, octets.as_slice()))
        .collect();
    assert_eq!(
        line,
        [
            (300, Framing::SevenEven, b"/?!\r\n".as_slice()),
            (300, Framing::SevenEven, b"/LAB5\\2SIM1\r\n"),
            (300, Framing::SevenEven, b"\x06252\r\n"),
            (9600, Framing::SevenEven, b"\x06252\r\n"),
        ]
    );
    assert_eq!(pair.client_line, LineSettings { baud: Baud::B9600, framing: Framing::EightNone });
    assert_eq!(pair.meter_line, pair.client_line);
}

#[test]
fn a_meter_that_says_it_is_quick_is_not_kept_waiting() {
    let takes = |manufacturer| {
        let settings = MeterSettings::new(Identification { manufacturer, ..identification() });
        let mut pair = Pair::new(ClientSettings::default(), settings);
        let begun = pair.now;
        pair.run();
        pair.now - begun
    };
    let (usual, quick) = (takes(*b"LAB"), takes(*b"LAb"));
    assert_eq!(usual - quick, Duration::from_millis(270));
}

/// Identifications as meters of several makers send them. If this fails, do not change the test.
#[test]
fn golden_identifications() {
    let read = |line: &[u8]| {
        let read = Identification::decode(line).unwrap();
        (read.manufacturer, read.baud.rate(), read.mode_e, read.text)
    };
    assert_eq!(read(b"/ISk5\\2ME382-1003\r\n"), (*b"ISk", 9600, true, "ME382-1003".to_owned()));
    assert_eq!(read(b"/LGZ4ZMF100AC.M23\r\n"), (*b"LGZ", 4800, false, "ZMF100AC.M23".to_owned()));
    assert_eq!(read(b"/ELS6\\@\\2V10.04"), (*b"ELS", 19200, true, "V10.04".to_owned()));
    let error = |line: &[u8]| Identification::decode(line).unwrap_err().to_string();
    assert!(error(b"/ABCDX\r\n").starts_with("baud rate character `D` is not 0 to 6"));
    assert!(error(b"/A1C5X\r\n").contains("is not an identification"));
    assert!(error(b"").contains("is not an identification"));
    assert_eq!(read(b" /lgz5\\2e350 \r\n"), (*b"lgz", 9600, true, "e350".to_owned()));
}

/// What the line between the two does to one transmission.
#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    Drop,
    Spoil(usize),
}

/// A client and a meter on one line, each with its own idea of how the line is set: characters sent at another
/// setting than the receiver's are lost.
struct Pair {
    client: Client,
    meter: Meter,
    client_line: LineSettings,
    meter_line: LineSettings,
    now: Instant,
    faults: VecDeque<Fault>,
    echoes: bool,
    /// Shows the parity bit, as an adapter left at eight bits does.
    parity: bool,
    line: Vec<(LineSettings, Vec<u8>)>,
    outcome: Option<ClientEvent>,
    meter_events: Vec<MeterEvent>,
}

impl Pair {
    fn new(client: ClientSettings, meter: MeterSettings) -> Self {
        Self {
            client: Client::new(client),
            meter: Meter::new(meter),
            client_line: LineSettings::INITIAL,
            meter_line: LineSettings::INITIAL,
            now: Instant::now(),
            faults: VecDeque::new(),
            echoes: false,
            parity: false,
            line: Vec::new(),
            outcome: None,
            meter_events: Vec::new(),
        }
    }

    fn on_the_line(&mut self, settings: LineSettings, octets: Vec<u8>) -> Vec<u8> {
        self.line.push((settings, octets.clone()));
        let mut octets = octets;
        match self.faults.pop_front().unwrap_or(Fault::None) {
            Fault::None => {}
            Fault::Drop => octets.clear(),
            Fault::Spoil(at) => {
                let at = at % octets.len();
                octets[at] ^= 0x15;
            }
        }
        let even = |octet: u8| if octet.count_ones() % 2 == 1 && self.parity { octet | 0x80 } else { octet };
        octets.into_iter().map(even).collect()
    }

    fn exchange(&mut self) -> bool {
        let mut moved = false;
        if let Some(octets) = self.client.poll_transmit() {
            moved = true;
            if self.echoes {
                self.client.receive(&octets, self.now);
            }
            let received = self.on_the_line(self.client_line, octets);
            if self.client_line == self.meter_line {
                self.meter.receive(&received, self.now);
            }
        }
        if let Some(event) = self.client.poll_event() {
            moved = true;
            match event {
                ClientEvent::SetLine(settings) => self.client_line = settings,
                outcome => self.outcome = Some(outcome),
            }
        }
        self.exchange_meter() || moved
    }

    fn exchange_meter(&mut self) -> bool {
        let mut moved = false;
        if let Some(octets) = self.meter.poll_transmit() {
            moved = true;
            let received = self.on_the_line(self.meter_line, octets);
            if self.client_line == self.meter_line {
                self.client.receive(&received, self.now);
            }
        }
        if let Some(event) = self.meter.poll_event() {
            moved = true;
            match event {
                MeterEvent::SetLine(settings) => self.meter_line = settings,
                MeterEvent::ReadOutAsked { .. } => self.meter.read_out(&read_out(), self.now),
                _ => {}
            }
            self.meter_events.push(event);
        }
        moved
    }

    fn run(&mut self) -> ClientEvent {
        self.client.start(self.now);
        self.finish()
    }

    fn finish(&mut self) -> ClientEvent {
        for _ in 0..10_000 {
            let moved = self.exchange();
            match self.outcome.take() {
                Some(outcome) => {
                    while self.exchange() {}
                    return outcome;
                }
                None if moved => continue,
                None => {}
            }
            let due = [self.client.poll_timeout(), self.meter.poll_timeout()].into_iter().flatten().min();
            self.now = self.now.max(due.expect("nothing moves and nothing is due: the exchange hangs"));
            self.client.handle_timeout(self.now);
            self.meter.handle_timeout(self.now);
        }
        panic!("no outcome in 10000 steps");
    }
}

fn signed_on(event: &ClientEvent) -> Option<(Baud, Echo)> {
    match event {
        ClientEvent::SignedOn { baud, echo, .. } => Some((*baud, *echo)),
        _ => None,
    }
}

#[test]
fn the_slower_of_both_speeds_is_taken() {
    for (ours, theirs) in [(Baud::B19200, Baud::B2400), (Baud::B1200, Baud::B9600), (Baud::B300, Baud::B300)]
    {
        let meter = MeterSettings::new(Identification { baud: theirs, ..identification() });
        let mut pair = Pair::new(ClientSettings { max_baud: ours, ..ClientSettings::default() }, meter);
        assert_eq!(signed_on(&pair.run()), Some((ours.min(theirs), Echo::Absent)));
        assert!(pair.meter.is_signed_on());
    }
}

#[test]
fn a_meter_that_does_not_say_it_knows_mode_e_is_asked_all_the_same() {
    let meter = MeterSettings::new(Identification { mode_e: false, ..identification() });
    let mut pair = Pair::new(ClientSettings::default(), meter);
    assert_eq!(signed_on(&pair.run()), Some((Baud::B9600, Echo::Absent)));
}

#[test]
fn a_head_that_repeats_what_is_sent_is_found_out() {
    let mut pair = Pair::new(ClientSettings::default(), MeterSettings::new(identification()));
    pair.echoes = true;
    assert_eq!(signed_on(&pair.run()), Some((Baud::B9600, Echo::Present)));
    assert_eq!(
        pair.line.len(),
        4,
        "the repetition of the acknowledgement was not taken for the confirmation"
    );
}

#[test]
fn only_the_meter_addressed_answers() {
    let settings = |address: &str| ClientSettings {
        address: address.to_owned(),
        retries: 1,
        ..ClientSettings::default()
    };
    let meter = || MeterSettings { address: "0012".to_owned(), ..MeterSettings::new(identification()) };
    assert!(signed_on(&Pair::new(settings("12"), meter()).run()).is_some(), "leading zeros do not count");
    assert!(signed_on(&Pair::new(settings(""), meter()).run()).is_some());
    let event = Pair::new(settings("13"), meter()).run();
    assert_eq!(event, ClientEvent::Failed(SignOnError::NoIdentification { attempts: 2 }));
}

#[test]
fn a_meter_that_does_not_confirm_is_given_up_and_waits_at_300_baud() {
    let mut pair = Pair::new(
        ClientSettings { retries: 2, ..ClientSettings::default() },
        MeterSettings::new(identification()),
    );
    // Request and identification go through, the acknowledgement does not, three times.
    pair.faults = [Fault::None, Fault::None, Fault::Drop].repeat(3).into();
    let started = pair.now;
    let event = pair.run();
    assert_eq!(
        event,
        ClientEvent::Failed(SignOnError::NotConfirmed {
            identification: "/LAB5\\2SIM1".to_owned(),
            baud: Baud::B9600,
            attempts: 3
        })
    );
    assert!(pair.now - started < Duration::from_secs(30));
    assert!(signed_on(&pair.run()).is_some());
}

#[test]
fn a_read_out_instead_of_mode_e_is_named() {
    let now = Instant::now();
    let mut client = Client::new(ClientSettings::default());
    client.start(now);
    client.receive(b"/ABC5METER\r\n", now);
    client.handle_timeout(now + Duration::from_secs(1));
    client.receive(b"\x021-0:1.8.0(0001.234*kWh)\r\n", now);
    let mut last = None;
    loop {
        match client.poll_event() {
            Some(event) => last = Some(event),
            None if client.poll_transmit().is_some() => {}
            None => break,
        }
    }
    assert_eq!(last, Some(ClientEvent::Failed(SignOnError::ReadOut)));
    assert_eq!(client.poll_timeout(), None);
}

fn read_out() -> ReadOut {
    let value =
        |text: &str, unit: Option<&str>| Value { text: text.to_owned(), unit: unit.map(str::to_owned) };
    let set = |address: &str, values: Vec<Value>| DataSet { address: address.to_owned(), values };
    let data_sets = vec![
        set("0.0.0", vec![value("12345678", None)]),
        set("1.8.0", vec![value("000123.456", Some("kWh"))]),
    ];
    ReadOut { data_sets }
}

/// A pair whose client asks for a read-out of a meter that knows mode C.
fn reading_pair() -> Pair {
    let client = ClientSettings { mode: Mode::ReadOut, retries: 3, ..ClientSettings::default() };
    Pair::new(client, MeterSettings { read_out: true, ..MeterSettings::new(identification()) })
}

/// IEC 62056-21, 6.3 in mode C. If this fails, do not change the test.
#[test]
fn golden_read_out() {
    let mut pair = reading_pair();
    let event = pair.run();
    assert!(
        matches!(&event, ClientEvent::ReadOut { read_out: found, .. } if *found == read_out()),
        "{event:?}"
    );
    let (settings, block) = pair.line.pop().unwrap();
    assert_eq!(settings, LineSettings { baud: Baud::B9600, framing: Framing::SevenEven });
    assert_eq!(block, b"\x020.0.0(12345678)\r\n1.8.0(000123.456*kWh)\r\n!\r\n\x03\x43");
    assert_eq!(pair.line.pop().unwrap(), (LineSettings::INITIAL, b"\x06050\r\n".to_vec()));
}

#[test]
fn a_spoilt_read_out_is_asked_for_again_and_a_head_that_echoes_is_borne() {
    let mut pair = reading_pair();
    pair.faults = [Fault::None, Fault::None, Fault::None, Fault::Spoil(7)].into();
    pair.echoes = true;
    let event = pair.run();
    assert!(
        matches!(&event, ClientEvent::ReadOut { read_out: found, .. } if *found == read_out()),
        "{event:?}"
    );
    assert!(pair.line.iter().any(|(_, octets)| octets == b"\x15"), "asked to repeat");
}

#[test]
fn a_meter_that_sends_no_read_out_is_given_up() {
    let mut pair = Pair::new(
        ClientSettings { mode: Mode::ReadOut, retries: 1, ..ClientSettings::default() },
        MeterSettings::new(identification()),
    );
    let event = pair.run();
    assert!(matches!(&event, ClientEvent::Failed(SignOnError::NoReadOut { attempts: 2, .. })), "{event:?}");
}

#[test]
fn a_client_that_asks_for_a_read_out_is_declined() {
    let now = Instant::now();
    let mut meter = Meter::new(MeterSettings::new(identification()));
    meter.receive(b"\0\0\0/?!\r\n", now);
    meter.handle_timeout(now + Duration::from_millis(200));
    assert_eq!(meter.poll_transmit(), Some(b"/LAB5\\2SIM1\r\n".to_vec()));
    meter.receive(b"\x06050\r\n", now);
    assert_eq!(meter.poll_event(), Some(MeterEvent::Declined { mode: b'0' }));
    assert_eq!((meter.poll_transmit(), meter.poll_timeout()), (None, None));
}

#[test]
fn after_hdlc_the_meter_waits_at_300_baud_again() {
    let mut pair = Pair::new(ClientSettings::default(), MeterSettings::new(identification()));
    pair.run();
    pair.meter.receive(b"/?!\r\n", pair.now);
    assert_eq!(pair.meter.poll_timeout(), None, "the line belongs to HDLC");
    pair.meter.restart();
    assert!(signed_on(&pair.run()).is_some());
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![Just(Fault::None), Just(Fault::Drop), any::<usize>().prop_map(Fault::Spoil)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn identifications_round_trip(manufacturer in "[A-Z]{2}[A-Za-z]", baud in 0usize..7, mode_e: bool, text in "[0-9A-Za-z .-]{0,16}[0-9A-Za-z]") {
        let bauds = [Baud::B300, Baud::B600, Baud::B1200, Baud::B2400, Baud::B4800, Baud::B9600, Baud::B19200];
        let manufacturer = <[u8; 3]>::try_from(manufacturer.as_bytes()).unwrap();
        let identification = Identification { manufacturer, baud: bauds[baud], mode_e, text };
        prop_assert_eq!(Identification::decode(&identification.encode()), Ok(identification));
        prop_assert_eq!(Baud::from_rate(bauds[baud].rate()), Some(bauds[baud]));
    }

    /// Whatever the line does to the first transmissions, a read-out is got or given up, and what is got is right.
    #[test]
    fn a_bad_line_never_ends_in_a_wrong_read_out(faults in proptest::collection::vec(fault(), 0..12), echoes: bool, parity: bool) {
        let mut pair = reading_pair();
        pair.faults = faults.into();
        pair.echoes = echoes;
        pair.parity = parity;
        match pair.run() {
            ClientEvent::ReadOut { read_out: found, .. } => prop_assert_eq!(found, read_out()),
            event => prop_assert!(matches!(event, ClientEvent::Failed(_))),
        }
    }

    /// Whatever the line does to the first transmissions, in the end both sides speak HDLC at one setting.
    #[test]
    fn a_bad_line_ends_in_one_setting(faults in proptest::collection::vec(fault(), 0..12), echoes: bool, parity: bool) {
        let known = if echoes { Echo::Present } else { Echo::Absent };
        let settings = ClientSettings { retries: 20, echo: known, ..ClientSettings::default() };
        let mut pair = Pair::new(settings, MeterSettings::new(identification()));
        pair.faults = faults.into();
        pair.echoes = echoes;
        pair.parity = parity;
        let mut event = pair.run();
        // A lost confirmation leaves the meter speaking HDLC: its link times out, and it waits again.
        if signed_on(&event).is_none() {
            pair.meter.restart();
            event = pair.run();
        }
        prop_assert!(signed_on(&event).is_some());
        prop_assert_eq!(pair.client_line, pair.meter_line);
        prop_assert_eq!(pair.client_line.framing, Framing::EightNone);
    }
}
