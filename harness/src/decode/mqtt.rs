//! What a rig and its stations say over MQTT, in words: the capture of a broker's link holds one packet (MQTT 3.1.1,
//! clause 2) in each of its own.

use bytes::BytesMut;
use rumqttc::mqttbytes::v4::Packet;

use super::{Layer, tree};

/// Longer packets than any station sends are not read.
const LONGEST: usize = 1 << 20;

/// Whether packets of this link are MQTT.
pub(super) fn is_spoken_on(link: &str) -> bool {
    link.ends_with("/broker")
}

/// One packet, explained.
pub(super) fn layer(octets: &[u8]) -> Layer {
    let mut rest = BytesMut::from(octets);
    let (value, problem) = match Packet::read(&mut rest, LONGEST) {
        Ok(packet) if rest.is_empty() => (words(&packet), None),
        Ok(packet) => (words(&packet), Some(format!("{} octets stand behind the packet", rest.len()))),
        Err(error) => (String::new(), Some(format!("not understood as an MQTT packet: {error}"))),
    };
    let name = "MQTT packet".to_owned();
    let tree =
        tree::Node { at: 0, length: octets.len(), name, value, problem, secret: false, parts: Vec::new() };
    Layer { what: tree.name.clone(), octets: octets.to_vec(), tree }
}

fn words(packet: &Packet) -> String {
    match packet {
        Packet::Publish(publish) => {
            let retained = if publish.retain { ", retained" } else { "" };
            let payload = String::from_utf8_lossy(&publish.payload);
            format!("PUBLISH to {}, {:?}{retained}: {}", publish.topic, publish.qos, payload.escape_debug())
        }
        Packet::PubAck(ack) => format!("PUBACK of {}", ack.pkid),
        Packet::Subscribe(subscribe) => {
            let filters: Vec<&str> = subscribe.filters.iter().map(|filter| filter.path.as_str()).collect();
            format!("SUBSCRIBE to {}", filters.join(", "))
        }
        Packet::SubAck(ack) => format!("SUBACK of {}: {:?}", ack.pkid, ack.return_codes),
        Packet::ConnAck(ack) => format!("CONNACK: {:?}", ack.code),
        // A connection request holds the password, and is in no capture of ours.
        Packet::Connect(_) => "CONNECT".to_owned(),
        other => format!("{other:?}").to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_in_words() {
        let told = |octets: &[u8]| layer(octets).tree.headline();
        assert_eq!(told(&[0xC0, 0]), "PINGREQ");
        assert_eq!(told(&[0x40, 2, 0, 7]), "PUBACK of 7");
        let publish = b"\x32\x0b\x00\x03a/b\x00\x01{\n}\x00";
        assert_eq!(told(publish), "PUBLISH to a/b, AtLeastOnce: {\\n}\\0");
    }

    #[test]
    fn what_is_no_packet_is_said_to_be_none() {
        for octets in [&[0x00_u8, 0][..], &[0x32, 200], &[], &[0xC0, 0, 0xC0, 0]] {
            assert!(!layer(octets).tree.is_sound(), "{octets:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_told_of(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            proptest::prop_assert_eq!(layer(&octets).octets, octets);
        }
    }
}
