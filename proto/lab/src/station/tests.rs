use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn command(id: &str, deed: Deed) -> Command {
    Command { id: id.parse().expect("an identifier"), expires: None, deed }
}

fn press(names: &[&str]) -> Deed {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    Deed::Press(Keys::try_from(names).expect("keys"))
}

fn text(payload: Vec<u8>) -> String {
    String::from_utf8(payload).expect("text")
}

/// What stations in labs are built to. If this fails, do not change the test.
#[test]
fn the_payloads_stations_are_built_to() {
    let off = Command {
        expires: "2026-11-22T10:00:05Z".parse().ok(),
        ..command("7f3a-1", Deed::Mains(Mains::Off))
    };
    assert_eq!(text(off.to_payload()), r#"{"id":"7f3a-1","expires":"2026-11-22T10:00:05Z","mains":"off"}"#);
    let keys = command("7f3a-2", press(&["A", "B"]));
    assert_eq!(text(keys.to_payload()), r#"{"id":"7f3a-2","press":["A","B"]}"#);
    let done = Acknowledgement { id: keys.id.clone(), outcome: Outcome::Done, detail: None };
    assert_eq!(text(done.to_payload()), r#"{"id":"7f3a-2","outcome":"done"}"#);
    assert_eq!(text(MainsState { mains: Mains::On }.to_payload()), r#"{"mains":"on"}"#);
    assert_eq!(text(Status { online: false, about: None }.to_payload()), r#"{"online":false}"#);
    let reading = Reading { value: 239.8, unit: Some("V".to_owned()), at: None };
    assert_eq!(text(reading.to_payload()), r#"{"value":239.8,"unit":"V"}"#);
}

#[test]
fn what_stations_say_besides_is_passed_over() {
    let status =
        Status::parse(br#"{"online":true,"about":"bench relay 2.1","uptime":12}"#).expect("a status");
    assert_eq!(status.about.as_deref(), Some("bench relay 2.1"));
    assert_eq!(Reading::parse(b" 0 ").expect("a reading").value, 0.0);
    let done = Acknowledgement::parse(br#"{"id":"a","outcome":"refused","detail":"no such key","rssi":-70}"#);
    assert_eq!(done.expect("an acknowledgement").outcome, Outcome::Refused);
}

#[test]
fn what_is_no_payload_is_refused_with_an_example() {
    let words = |error: PayloadError| error.to_string();
    let error =
        words(Command::parse(br#"{"id":"a b","mains":"off"}"#).expect_err("a blank in the identifier"));
    assert!(
        error.contains("1 to 64 letters") && error.contains(r#"{"id":"7f3a-1","mains":"off"}"#),
        "{error}"
    );
    assert!(words(Command::parse(br#"{"id":"a"}"#).expect_err("nothing to do")).contains("found `{"));
    assert!(words(Command::parse(br#"{"id":"a","press":[]}"#).expect_err("no key")).contains("one to eight"));
    assert!(words(Status::parse(&[b'x'; 5000]).expect_err("long")).contains("5000 octets"));
    assert!(Reading::parse(b"\"239.8 V\"").is_err());
    assert!(Reading::parse(b"1e999").is_err(), "no number a sensor reads");
}

#[test]
fn a_command_that_comes_twice_is_done_once_and_acknowledged_twice() {
    let mut answered = Answered::default();
    let mut pressed = 0;
    let command = command("a", press(&["A"]));
    let mut come = || {
        answered.answer(&command, Timestamp::UNIX_EPOCH, || {
            pressed += 1;
            Ok("pressed".to_owned())
        })
    };
    assert_eq!(come(), come());
    assert_eq!(pressed, 1);
}

#[test]
fn a_command_that_comes_late_is_not_done() {
    let late = Command { expires: Some(Timestamp::UNIX_EPOCH), ..command("a", Deed::Mains(Mains::Off)) };
    let now = "2026-11-22T10:00:00Z".parse().expect("a time");
    let answer = Answered::default().answer(&late, now, || Err("done all the same".to_owned()));
    assert_eq!(answer.outcome, Outcome::Refused);
    assert!(answer.detail.is_some_and(|detail| detail.contains("it came at 2026-11-22")));
}

#[test]
fn the_memory_of_commands_is_bounded() {
    let mut answered = Answered::default();
    for number in 0..1000 {
        let command = command(&number.to_string(), press(&["A"]));
        answered.answer(&command, Timestamp::UNIX_EPOCH, || Ok(String::new()));
    }
    assert_eq!(answered.0.len(), 64);
}

proptest! {
    #[test]
    fn commands_survive_the_way_through_a_payload(
        id in "[A-Za-z0-9._-]{1,64}",
        seconds in proptest::option::of(0i64..4_000_000_000),
        deed in prop_oneof![
            Just(Deed::Mains(Mains::On)),
            Just(Deed::Mains(Mains::Off)),
            proptest::collection::vec("[A-Za-z0-9-]{1,16}", 1..=8)
                .prop_map(|names| Deed::Press(Keys::try_from(names).expect("keys"))),
        ],
    ) {
        let expires = seconds.map(|s| Timestamp::from_second(s).expect("a time"));
        let command = Command { id: id.parse().expect("an identifier"), expires, deed };
        prop_assert_eq!(Command::parse(&command.to_payload()).expect("read back"), command);
    }

    #[test]
    fn readings_survive_the_way_through_a_payload(value in -1e9f64..1e9, unit in proptest::option::of("[A-Za-z°]{1,3}")) {
        let reading = Reading { value, unit, at: None };
        same(&Reading::parse(&reading.to_payload()).expect("read back"), &reading);
    }

    /// The fuzz target's entry, with random octets.
    #[test]
    fn no_payload_brings_a_reader_down(payload in proptest::collection::vec(any::<u8>(), 0..300)) {
        any_payload(&payload);
    }

    #[test]
    fn no_damaged_payload_brings_a_reader_down(at in 0usize..60, byte: u8) {
        let mut payload = br#"{"id":"7f3a-1","expires":"2026-11-22T10:00:05Z","mains":"off"}"#.to_vec();
        payload[at] = byte;
        any_payload(&payload);
    }
}

/// The same to the last bit but one: a sensor's digits are far fewer than a number's.
fn same(one: &Reading, other: &Reading) {
    assert_eq!((&one.unit, one.at), (&other.unit, other.at));
    assert!((one.value - other.value).abs() <= 2.0 * f64::EPSILON * one.value.abs(), "{one:?} {other:?}");
}

/// Whatever is read is written as something that reads the same.
fn any_payload(payload: &[u8]) {
    if let Ok(command) = Command::parse(payload) {
        assert_eq!(Command::parse(&command.to_payload()).expect("read back"), command);
    }
    if let Ok(acknowledgement) = Acknowledgement::parse(payload) {
        let again = Acknowledgement::parse(&acknowledgement.to_payload());
        assert_eq!(again.expect("read back"), acknowledgement);
    }
    if let Ok(reading) = Reading::parse(payload) {
        same(&Reading::parse(&reading.to_payload()).expect("read back"), &reading);
    }
    drop((Status::parse(payload), MainsState::parse(payload)));
}
