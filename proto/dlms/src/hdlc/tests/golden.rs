//! Frames from public examples. If one of these fails, do not change the test.

use std::time::Instant;

use super::super::*;

fn decode(line: &str) -> Frame {
    let mut deframer = Deframer::new();
    deframer.receive(&hex::decode(line).unwrap());
    let frame = deframer.next_frame().unwrap();
    assert_eq!(hex::encode_upper(frame.encode()), line);
    assert_eq!(deframer.discarded(), 0);
    frame
}

/// IEC 62056-46, the published example of connecting without proposals.
#[test]
fn connect_without_proposals() {
    let frame = decode("7EA00A00020023219318717E");
    assert_eq!(frame.destination, Address::sized(1, 17, AddressSize::Four).unwrap());
    assert_eq!(frame.source, Address::client(16).unwrap());
    assert_eq!(frame.control, Control::unnumbered(Unnumbered::Connect));
    assert!(frame.information.octets().is_empty());
}

/// IEC 62056-46, the published answer to that: 128 octets and a window of 1, both ways.
#[test]
fn connect_answered_with_the_defaults() {
    let line = "7EA023210002002373F6C58180140502008006020080070400000001080400000001CE6A7E";
    let frame = decode(line);
    assert_eq!(frame.control, Control::unnumbered(Unnumbered::Acknowledge));
    assert_eq!(Parameters::decode(&frame.information), Ok(Parameters::default()));
    assert_eq!(Parameters::default().encode(), frame.information);
}

/// The two frames above, as a client and a server of ours exchange them.
#[test]
fn our_stations_exchange_the_published_frames() {
    let now = Instant::now();
    let server = Address::sized(1, 17, AddressSize::Four).unwrap();
    let mut client = Client::new(ClientSettings::new(Address::client(16).unwrap(), server));
    let mut meter = Server::new(ServerSettings::default());
    client.connect(now);
    let asked = client.poll_transmit().unwrap();
    assert_eq!(hex::encode_upper(&asked), "7EA00A00020023219318717E");
    meter.receive(&asked, now);
    let answered = meter.poll_transmit().unwrap();
    let expected = "7EA023210002002373F6C58180140502008006020080070400000001080400000001CE6A7E";
    assert_eq!(hex::encode_upper(&answered), expected);
    client.receive(&answered, now);
    assert_eq!(client.poll_event(), Some(ClientEvent::Connected(Parameters::default())));
    assert_eq!(meter.poll_event(), Some(ServerEvent::Connected { client: 16, server: 1 }));
}

/// IEC 62056-46, the published association request in its frame.
#[test]
fn association_request() {
    let line =
        "7EA02E0002002321107ECBE6E600601DA109060760857405080101BE10040E01000000065F1F040000301DFFFFD4C57E";
    let frame = decode(line);
    assert_eq!(frame.control, Control::Information { nr: 0, ns: 0, poll: true });
    assert!(!frame.segmented);
    assert_eq!(without_llc(frame.information.into_octets())[..2], [0x60, 0x1D]);
}

/// A public trace of a meter: a check sequence that contains the flag octet.
#[test]
fn a_flag_in_a_check_sequence_is_no_flag() {
    let frame = decode("7EA013210352C7C1E6E700C401C10012DF23697E7E");
    assert_eq!(frame.destination, Address::client(16).unwrap());
    assert_eq!(frame.source, Address::server(1, None).unwrap());
    assert_eq!(frame.control, Control::Information { nr: 2, ns: 1, poll: true });
    assert_eq!(without_llc(frame.information.into_octets()), hex::decode("C401C10012DF23").unwrap());
}

/// ISO/IEC 13239: the control octets of the frames IEC 62056-46 uses, with their poll or final bits.
#[test]
fn control_octets() {
    let unnumbered =
        [(0x93, Unnumbered::Connect), (0x73, Unnumbered::Acknowledge), (0x53, Unnumbered::Disconnect)];
    let more =
        [(0x1F, Unnumbered::Disconnected), (0x97, Unnumbered::FrameReject), (0x13, Unnumbered::Information)];
    for (octet, kind) in unnumbered.into_iter().chain(more) {
        assert_eq!(Control::from_octet(octet), Control::unnumbered(kind));
        assert_eq!(Control::unnumbered(kind).octet(), octet);
    }
    assert_eq!(Control::from_octet(0x31), Control::ReceiveReady { nr: 1, poll: true });
    assert_eq!(Control::from_octet(0x55), Control::ReceiveNotReady { nr: 2, poll: true });
    assert_eq!(Control::from_octet(0x54), Control::Information { nr: 2, ns: 2, poll: true });
    assert_eq!(Control::from_octet(0x79), Control::Reject { nr: 3, poll: true });
    assert_eq!(Control::from_octet(0x0D), Control::Unknown(0x0D));
}

/// Addresses as IEC 62056-46 writes them.
#[test]
fn addresses() {
    let written = |address: Address| {
        let mut out = Vec::new();
        address.encode_to(&mut out);
        hex::encode_upper(out)
    };
    assert_eq!(written(Address::client(16).unwrap()), "21");
    assert_eq!(written(Address::server(1, None).unwrap()), "03");
    assert_eq!(written(Address::server(1, Some(17)).unwrap()), "0223");
    assert_eq!(written(Address::sized(1, 17, AddressSize::Four).unwrap()), "00020023");
    assert_eq!(written(Address::server(1, Some(0x3FFF)).unwrap()), "0002FEFF");
    assert!(Address::server(1, Some(0x4000)).is_err());
    assert!(Address::sized(0x80, 0, AddressSize::One).is_err());
}
