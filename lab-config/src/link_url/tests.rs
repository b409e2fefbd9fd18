use proptest::prelude::*;

use super::*;

fn message(text: &str) -> String {
    text.parse::<LinkUrl>().expect_err("refused").to_string()
}

#[test]
fn the_forms_of_a_lab_file_are_read() {
    let url: LinkUrl =
        "serial:///dev/ttyUSB0?baud=9600&sign-on=e&client=17&server-address-size=4&physical=17"
            .parse()
            .expect("a link");
    assert!(url.signs_on());
    assert_eq!(url.baud(), 9600);
    assert_eq!(url.addressing.client.map(ClientSap::get), Some(17));
    assert_eq!(url.addressing.server_address_size, Some(AddressSize::Four));
    for plain in ["tcp://host:4059", "tcp+hdlc://10.0.0.7:9001", "tcp://[::1]:4059", "sim:"] {
        assert_eq!(plain.parse::<LinkUrl>().expect("a link").to_string(), plain);
    }
    assert_eq!("tcp://meter".parse::<LinkUrl>().expect("a link").to_string(), "tcp://meter:4059");
}

#[test]
fn defaults_follow_the_sign_on() {
    let direct: LinkUrl = "serial:///dev/ttyS0".parse().expect("a link");
    assert_eq!((direct.baud(), direct.parity()), (9600, Parity::None));
    let optical: LinkUrl = "serial:///dev/ttyS0?sign-on=e".parse().expect("a link");
    assert_eq!((optical.baud(), optical.parity()), (300, Parity::Even));
    assert_eq!(direct.inter_octet(), LinkUrl::INTER_OCTET);
    assert_eq!(direct.response(), LinkUrl::RESPONSE);
}

#[test]
fn a_simulated_link_keeps_its_settings_at_its_concrete_endpoint() {
    let url: LinkUrl = "sim:?sign-on=e&response=2s".parse().expect("a link");
    assert!(url.is_simulated());
    let concrete = url.at(Endpoint::Serial("/dev/pts/7".parse().expect("a path")));
    assert_eq!(concrete.to_string(), "serial:///dev/pts/7?sign-on=e&response=2s");
}

#[test]
fn refusals_say_what_to_write() {
    insta::assert_snapshot!(message("udp://host:1"), @"a link begins with serial://, tcp://, tcp+hdlc:// or sim:, not `udp://host:1`");
    insta::assert_snapshot!(message("serial://dev/ttyUSB0"), @"`dev/ttyUSB0` is no device path: write serial:///dev/ttyUSB0, an absolute path without spaces, `?` or `#`");
    insta::assert_snapshot!(message("tcp://host:0"), @"`host:0` is no host and port: write tcp://meter.example:4059 or tcp://[::1]:4059");
    insta::assert_snapshot!(message("sim:?baudd=9600"), @"unknown parameter `baudd`: did you mean `baud`?");
    insta::assert_snapshot!(message("sim:?baud=9601"), @"parameter `baud`: `9601` is not one of 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800");
    insta::assert_snapshot!(message("tcp://h:1?baud=9600"), @"parameter `baud` has no meaning on a tcp link: remove it");
    insta::assert_snapshot!(message("sim:?client=0"), @"parameter `client`: `0` is not known: a client SAP is a number from 1 to 127");
    insta::assert_snapshot!(message("sim:?response=2m"), @"parameter `response`: `2m` is not a time from 1ms to 600s, such as 250ms or 2s");
    insta::assert_snapshot!(message("sim:?client=1&client=2"), @"parameter `client` is given twice");
    insta::assert_snapshot!(message("sim:?client"), @"parameter `client` has no value: write name=value");
}

fn authority() -> impl Strategy<Value = Authority> {
    let host = prop_oneof!["[a-z0-9][a-z0-9.-]{0,20}", Just("::1".to_owned()), Just("fe80::7".to_owned())];
    (host, 1..=u16::MAX).prop_map(|(host, port)| Authority { host, port })
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    prop_oneof![
        "/[a-zA-Z0-9/._-]{1,30}".prop_map(|path| Endpoint::Serial(SerialPath(path))),
        authority().prop_map(Endpoint::Tcp),
        authority().prop_map(Endpoint::TcpHdlc),
        Just(Endpoint::Simulated),
    ]
}

fn line() -> impl Strategy<Value = SerialLine> {
    let baud = proptest::option::of(proptest::sample::select(BAUD_RATES.to_vec()));
    let parity = proptest::option::of(proptest::sample::select(Parity::ALL.to_vec()));
    let sign_on = proptest::option::of(proptest::sample::select(SignOn::ALL.to_vec()));
    (baud, parity, sign_on).prop_map(|(baud, parity, sign_on)| SerialLine { baud, parity, sign_on })
}

fn addressing() -> impl Strategy<Value = Addressing> {
    let client = proptest::option::of((1..=127u8).prop_map(|sap| ClientSap::new(sap).expect("in range")));
    let server = proptest::option::of(1..=16383u16);
    let physical = proptest::option::of(0..=16383u16);
    let size = proptest::option::of(proptest::sample::select(AddressSize::ALL.to_vec()));
    (client, server, physical, size).prop_map(|(client, server, physical, server_address_size)| Addressing {
        client,
        server,
        physical,
        server_address_size,
    })
}

fn timeouts() -> impl Strategy<Value = Timeouts> {
    let wait = || proptest::option::of((1..=600_000u64).prop_map(Duration::from_millis));
    (wait(), wait()).prop_map(|(inter_octet, response)| Timeouts { inter_octet, response })
}

/// What a TCP link cannot carry is taken away, as the parser would refuse it.
fn fitted(mut url: LinkUrl) -> LinkUrl {
    if matches!(url.endpoint, Endpoint::Tcp(_) | Endpoint::TcpHdlc(_)) {
        url.line = SerialLine::default();
    }
    if matches!(url.endpoint, Endpoint::Tcp(_)) {
        url.addressing.physical = None;
        url.addressing.server_address_size = None;
    }
    url
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(
        endpoint in endpoint(), line in line(), addressing in addressing(), timeouts in timeouts()
    ) {
        let url = fitted(LinkUrl { endpoint, line, addressing, timeouts });
        prop_assert_eq!(url.to_string().parse::<LinkUrl>(), Ok(url));
    }

    #[test]
    fn what_is_read_is_printed_the_same_ever_after(text in "(serial:///|tcp://|tcp\\+hdlc://|sim:)[a-z0-9:/?&=.-]{0,40}") {
        if let Ok(url) = text.parse::<LinkUrl>() {
            prop_assert_eq!(url.to_string().parse::<LinkUrl>(), Ok(url));
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        let _ = text.parse::<LinkUrl>();
    }
}
