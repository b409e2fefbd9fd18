//! What the terminal shows.

use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;

use super::input::hexadecimal;
use super::lines::Taken;
use super::*;
use crate::decode::tree;
use crate::evidence::{Packet, Packets};
use crate::link::Direction;

const FOUND_OUT: Taken = Taken { layer: None, cluster: None };

fn detailed(text: &str) -> String {
    let told = lines::tell(&[hexadecimal(text).unwrap()], FOUND_OUT, None);
    told.iter().map(show::detailed).collect()
}

fn headlines(text: &str) -> Vec<String> {
    let told = lines::tell(&[hexadecimal(text).unwrap()], FOUND_OUT, None);
    told.iter().flat_map(|told| told.layers.iter().map(|layer| layer.tree.headline())).collect()
}

/// IEC 62056-46, the published example of connecting.
#[test]
fn a_frame_is_shown_octet_by_octet() {
    insta::assert_snapshot!(detailed("7EA00A00020023219318717E"), @r"
    HDLC frame: 16 to 1/17: SNRM connect, P/F
      0000  7E                          opening flag
      0001  A0 0A                       frame format: type 10, 10 octets, last or only segment
      0003                              frame: 16 to 1/17: SNRM connect, P/F
      0003  00 02 00 23                   destination address: 1/17
      0007  21                            source address: 16
      0008  93                            control: SNRM connect, P/F
      0009  18 71                       FCS: right
      000B  7E                          closing flag
    ");
}

#[test]
fn a_password_is_not_shown() {
    let aarq = "6036A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363738BE10040E01000000065F1F0400007E1F04B0";
    let shown = detailed(aarq);
    assert!(shown.contains("(8 octets)"), "{shown}");
    assert!(!shown.contains("31 32 33"), "{shown}");
    let told = lines::tell(&[hexadecimal(aarq).unwrap()], FOUND_OUT, None);
    let json = serde_json::to_string(&super::json(&told[0])).unwrap();
    assert!(json.contains(&"**".repeat(8)) && !json.contains("31323334"), "{json}");
}

#[test]
fn a_display_behind_the_hub_is_explained_down_to_its_attributes() {
    let read = proto_zigbee::basic::read_request(7, &[proto_zigbee::basic::MANUFACTURER_NAME]);
    let mut text = format!("0001 0001 0001 {:04X} E6 00 08 00DB123456789003 ", 11 + read.len());
    read.iter().for_each(|octet| write!(text, "{octet:02X}").unwrap());
    assert_eq!(
        headlines(&text),
        ["1 to 1; request to 00-DB-12-34-56-78-90-03 on network 0; Basic: read attributes manufacturer name"]
    );
}

#[test]
fn what_cannot_be_understood_is_said_and_the_rest_is_explained() {
    let told = lines::tell(&[hexadecimal("7EA00A00020023219318727E").unwrap()], FOUND_OUT, None);
    assert!(!told[0].is_sound());
    insta::assert_snapshot!(show::brief(&told[0]), @r"
    HDLC frame: 16 to 1/17: SNRM connect, P/F
            !! FCS: found 18 72, expected 18 71: noise on the line, or wrong baud rate or parity
    ");
}

#[test]
fn hexadecimal_is_taken_as_people_write_it() {
    for text in ["7EA00A", "7e a0 0a", "0x7E 0xA0,0x0A", "7E:A0:0A", "7e-a0-0a", "[7E, A0, 0A]"] {
        assert_eq!(hexadecimal(text).unwrap(), [0x7E, 0xA0, 0x0A], "{text}");
    }
    assert_eq!(
        hexadecimal("7E A").unwrap_err().to_string(),
        "column 4: a single digit, expected two for each octet"
    );
    assert_eq!(
        hexadecimal("7E zz").unwrap_err().to_string(),
        "column 4: found 'z', expected hexadecimal digits"
    );
}

fn packet(number: u64, sent: bool, octets: &[u8], note: Option<&str>) -> Packet {
    Packet {
        number,
        link: "optical".to_owned(),
        link_type: 147,
        at: Some("2026-11-21T21:14:05.123456Z".parse().unwrap()),
        direction: Some(if sent { Direction::Sent } else { Direction::Received }),
        note: note.map(str::to_owned),
        octets: octets.to_vec(),
    }
}

/// Sign-on, then a frame whose first half came with one read and the rest, with another frame, in the next.
#[test]
fn a_capture_is_followed_over_several_reads() {
    let snrm = hexadecimal("7EA00A00020023219318717E").unwrap();
    let ua =
        hexadecimal("7EA023210002002373F6C58180140502008006020080070400000001080400000001CE6A7E").unwrap();
    let both = [&ua[10..], &[0x55]].concat();
    let capture = Packets {
        packets: vec![
            packet(1, true, &[], Some("link opened")),
            packet(2, true, b"/?!\r\n", None),
            packet(3, true, &snrm, Some("again")),
            packet(4, false, &ua[..10], None),
            packet(5, false, &both, None),
        ],
        torn: false,
    };
    let told = flow::tell(&capture, None);
    let text: String = told.iter().map(show::brief).collect();
    insta::assert_snapshot!(text + &show::summary(&told), @r"
        1  21:14:05.123456  optical ->  packet 1  (link opened)
        2  21:14:05.123456  optical ->  packet 2  IEC 62056-21: sign-on request to any meter
        3  21:14:05.123456  optical ->  packet 3  (again) HDLC frame: 16 to 1/17: SNRM connect, P/F
        4  21:14:05.123456  optical <-  packets 4 to 5  HDLC frame: 1/17 to 16: UA agreed, P/F; longest information sent 128, longest information received 128, window sent 1, window received 1
        5  21:14:05.123456  optical <-  packet 5  octets, 1 octets
            !! octets: not understood: no HDLC frame, wrapped message or sign-on text begins here
    4 frames on optical: 1 with something wrong (marked !!)
    ");
}

/// The span's octets are within what they are shown of, whatever protocol carries which.
fn assert_within(node: &tree::Node, length: usize) {
    assert!(node.at + node.length <= length, "{node:?}");
    node.parts.iter().for_each(|part| assert_within(part, length));
}

proptest! {
    #[test]
    fn nonsense_is_explained_and_shown_without_a_panic(
        start in prop_oneof![
            Just(vec![]), Just(vec![0xE6, 0, 1, 9, 0, 1, 2, 7, 9, 1, 1, 1]), Just(vec![0, 1, 4, 7, 9, 1, 1, 1, 1, 1, 2, 0, 0])
        ],
        rest in vec(any::<u8>(), 0..60)
    ) {
        let octets = [start, rest].concat();
        for told in lines::tell(&[octets], FOUND_OUT, None) {
            let _ = (show::detailed(&told), show::brief(&told), serde_json::to_string(&super::json(&told)).unwrap());
            for layer in &told.layers {
                assert_within(&layer.tree, layer.octets.len());
            }
        }
    }

    #[test]
    fn hexadecimal_round_trips(octets in vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(hexadecimal(&hex::encode(&octets)), Ok(octets));
    }
}
