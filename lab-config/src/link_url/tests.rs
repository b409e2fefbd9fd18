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
    assert_eq!((url.baud(), url.line.baud), (300, Some(9600)));
    assert_eq!(url.addressing.client.map(ClientSap::get), Some(17));
    assert_eq!(url.addressing.server_address_size, Some(AddressSize::Four));
    for plain in [
        "tcp://host:4059",
        "udp://host:4059",
        "tcp+hdlc://10.0.0.7:9001",
        "rfc2217://server.lab:4001",
        "tcp://[::1]:4059",
        "station://bench-2/optical",
        "station+tcp://bench-2/hub",
        "station+udp://bench-2/hub",
        "station+tcp+hdlc://bench-2/serial-server",
        "sim:",
    ] {
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
    let fixed: LinkUrl = "serial:///dev/ttyS0?sign-on=c&sign-on-baud=9600".parse().expect("a link");
    assert_eq!((fixed.baud(), fixed.parity()), (9600, Parity::Even));
    assert_eq!(direct.retries(), LinkUrl::RETRIES);
    assert_eq!(direct.inter_octet(), LinkUrl::INTER_OCTET);
    assert_eq!(direct.response(), LinkUrl::RESPONSE);
}

#[test]
fn a_simulated_link_keeps_its_settings_at_its_concrete_endpoint() {
    let url: LinkUrl = "sim:?sign-on=e&response=2s&pace=on".parse().expect("a link");
    assert!(url.is_paced());
    assert!(url.is_simulated());
    let concrete = url.at(Endpoint::Serial("/dev/pts/7".parse().expect("a path")));
    assert_eq!(concrete.to_string(), "serial:///dev/pts/7?sign-on=e&response=2s");
    let hub: LinkUrl = "sim:?response=2s&transport=udp".parse().expect("a link");
    assert_eq!(hub.transport(), Transport::Udp);
    assert_eq!(
        hub.at(LinkUrl::udp(([127, 0, 0, 1], 4059).into()).endpoint).to_string(),
        "udp://127.0.0.1:4059?response=2s"
    );
}

#[test]
fn refusals_say_what_to_write() {
    insta::assert_snapshot!(message("http://host:1"), @"a link begins with serial://, rfc2217://, tcp://, udp://, tcp+hdlc://, station:// or sim:, not `http://host:1`");
    insta::assert_snapshot!(message("serial://dev/ttyUSB0"), @"`dev/ttyUSB0` is no device path: write serial:///dev/ttyUSB0, an absolute path without spaces, `?` or `#`");
    insta::assert_snapshot!(message("tcp://host:0"), @"`host:0` is no host and port: write tcp://meter.example:4059 or tcp://[::1]:4059");
    insta::assert_snapshot!(message("sim:?baudd=9600"), @"unknown parameter `baudd`: did you mean `baud`?");
    insta::assert_snapshot!(message("sim:?baud=9601"), @"parameter `baud`: `9601` is not one of 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800");
    insta::assert_snapshot!(message("tcp://h:1?baud=9600"), @"parameter `baud` has no meaning on a tcp link: remove it");
    insta::assert_snapshot!(message("serial:///dev/ttyS0?pace=on"), @"parameter `pace` has no meaning on a serial link: remove it");
    insta::assert_snapshot!(message("tcp://h:1?transport=udp"), @"parameter `transport` has no meaning on a tcp link: remove it");
    insta::assert_snapshot!(message("serial:///dev/ttyS0?flow=xon-xoff"), @"parameter `flow`: xon-xoff loses octets on a serial link, for HDLC frames and the check character of a read-out carry 11 and 13 (hexadecimal) as they are: write none or rts-cts");
    insta::assert_snapshot!(message("sim:?window=8"), @"parameter `window`: `8` is not a number of frames from 1 to 7");
    insta::assert_snapshot!(message("sim:?frame=2031"), @"parameter `frame`: `2031` is not a number of octets from 32 to 2030");
    insta::assert_snapshot!(message("sim:?retries=11"), @"parameter `retries`: `11` is not a number from 0 to 10");
    insta::assert_snapshot!(message("sim:?sign-on=d"), @"parameter `sign-on`: `d` is not known: did you mean `c`? use one of none, c, e, auto");
    insta::assert_snapshot!(message("sim:?client=0"), @"parameter `client`: `0` is not known: a client SAP is a number from 1 to 127");
    insta::assert_snapshot!(message("sim:?response=2m"), @"parameter `response`: `2m` is not a time from 1ms to 600s, such as 250ms or 2s");
    insta::assert_snapshot!(message("sim:?client=1&client=2"), @"parameter `client` is given twice");
    insta::assert_snapshot!(message("station://bench-2"), @"`bench-2` is no station and port: write station://bench-2/optical, the names of the station's offer file");
    insta::assert_snapshot!(message("station+tcp://bench-2/hub?sign-on=e"), @"parameter `sign-on` has no meaning on a station+tcp link: remove it");
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
        authority().prop_map(Endpoint::Udp),
        authority().prop_map(Endpoint::Rfc2217),
        authority().prop_map(Endpoint::TcpHdlc),
        station_port().prop_map(Endpoint::Station),
        Just(Endpoint::Simulated),
    ]
}

fn station_port() -> impl Strategy<Value = StationPort> {
    let carries =
        proptest::sample::select(vec![Carries::Serial, Carries::Tcp, Carries::Udp, Carries::TcpHdlc]);
    ("[a-z0-9][a-z0-9.-]{0,20}", "[a-z0-9][a-z0-9.-]{0,20}", carries).prop_map(|(station, port, carries)| {
        let (station, port) = (station.parse().expect("a name"), port.parse().expect("a name"));
        StationPort { station, port, carries, lease: None }
    })
}

fn line() -> impl Strategy<Value = SerialLine> {
    fn one_of<T: Clone + std::fmt::Debug + 'static>(all: &[T]) -> impl Strategy<Value = Option<T>> {
        proptest::option::of(proptest::sample::select(all.to_vec()))
    }
    let flow = one_of(&[FlowControl::None, FlowControl::RtsCts]);
    let baud = || one_of(&BAUD_RATES);
    (baud(), one_of(Parity::ALL), flow, one_of(SignOn::ALL), baud(), one_of(Echo::ALL)).prop_map(
        |(baud, parity, flow, sign_on, sign_on_baud, echo)| SerialLine {
            baud,
            parity,
            flow,
            sign_on,
            sign_on_baud,
            echo,
        },
    )
}

fn hdlc() -> impl Strategy<Value = HdlcSizes> {
    let window = proptest::option::of((1..=7u8).prop_map(|frames| Window::new(frames).expect("in range")));
    let max_info =
        proptest::option::of((32..=2030u16).prop_map(|octets| MaxInfo::new(octets).expect("in range")));
    (window, max_info).prop_map(|(window, max_info)| HdlcSizes { window, max_info })
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
    let retries = proptest::option::of(0..=MOST_RETRIES);
    (wait(), wait(), retries).prop_map(|(inter_octet, response, retries)| Timeouts {
        inter_octet,
        response,
        retries,
    })
}

/// What a link cannot carry is taken away, as the parser would refuse it.
fn fitted(mut url: LinkUrl) -> LinkUrl {
    let line = url.carries() == Carries::Serial;
    let echo = url.line.echo;
    if !line {
        url.line = SerialLine { echo, ..SerialLine::default() };
    }
    if !line && url.carries() != Carries::TcpHdlc {
        url.line.echo = None;
        url.hdlc = HdlcSizes::default();
        url.addressing.physical = None;
        url.addressing.server_address_size = None;
    }
    if url.endpoint != Endpoint::Simulated {
        url.pace = None;
        url.transport = None;
    }
    url
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(
        endpoint in endpoint(), line in line(), hdlc in hdlc(), addressing in addressing(), timeouts in timeouts(),
        pace in proptest::option::of(proptest::sample::select(Switch::ALL.to_vec())),
        transport in proptest::option::of(proptest::sample::select(Transport::ALL.to_vec()))
    ) {
        let url = fitted(LinkUrl { endpoint, line, hdlc, addressing, timeouts, pace, transport });
        prop_assert_eq!(url.to_string().parse::<LinkUrl>(), Ok(url));
    }

    #[test]
    fn what_is_read_is_printed_the_same_ever_after(text in "(serial:///|tcp://|udp://|rfc2217://|tcp\\+hdlc://|sim:)[a-z0-9:/?&=.-]{0,40}") {
        if let Ok(url) = text.parse::<LinkUrl>() {
            prop_assert_eq!(url.to_string().parse::<LinkUrl>(), Ok(url));
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        let _ = text.parse::<LinkUrl>();
    }
}

#[test]
fn a_port_of_a_station_is_a_serial_line_and_takes_the_lease_of_a_run() {
    let url: LinkUrl = "station://bench-2/optical?sign-on=e&baud=9600".parse().expect("a link");
    assert_eq!((url.baud(), url.parity(), url.signs_on()), (300, Parity::Even, true));
    assert_eq!(url.station().map(ToString::to_string), Some("bench-2".to_owned()));
    let leased = url.clone().leased(LeaseToken(7));
    let Endpoint::Station(port) = &leased.endpoint else { panic!("{leased}") };
    assert_eq!(
        (port.port.as_str(), port.carries, port.lease),
        ("optical", Carries::Serial, Some(LeaseToken(7)))
    );
    assert_eq!(
        leased.to_string(),
        url.to_string(),
        "what people read of a link does not change with its lease"
    );
}
