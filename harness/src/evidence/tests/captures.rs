//! Capture files, octet for octet; that packet viewers read them is tested end to end.

use super::*;

#[test]
fn golden_octets_of_a_small_capture() {
    let dir = tempfile::tempdir().unwrap();
    let capture = Capture::create(dir.path(), "c.pcapng").unwrap();
    capture.link("optical", "serial:///dev/ttyUSB0", LinkKind::Serial);
    capture.frame("optical", Way::Sent, at(0), b"/?!", Some("sign-on"));
    let octets = std::fs::read(dir.path().join("c.pcapng")).unwrap();
    let bound = capture.bound();
    assert_eq!((bound.length, bound.sha256, bound.packets), (octets.len() as u64, Digest::of(&octets), 1));
    // Interface description: type 1, LINKTYPE_USER0, name, description, nanoseconds. If this fails, do not change the test.
    let interface = "01000000480000009300000000000000\
                     02000700\
                     6f70746963616c00\
                     03001500\
                     73657269616c3a2f2f2f6465762f74747955534230000000\
                     0900010009000000\
                     0000000048000000";
    assert!(hex::encode(&octets).contains(interface), "{}", hex::encode(&octets));
}

#[test]
fn a_long_burst_becomes_several_packets_and_nothing_follows_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let capture = Capture::create(dir.path(), "c.pcapng").unwrap();
    capture.frame("wan", Way::Received, at(0), &vec![0; 600_000], None);
    assert_eq!(capture.packets(), 3);
    let bound = capture.close();
    capture.frame("wan", Way::Received, at(1), b"late", None);
    assert_eq!(capture.bound(), bound);
    assert_eq!(capture::bind_whole(dir.path(), "c.pcapng".into()).unwrap(), bound);
}
