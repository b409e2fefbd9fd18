use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::messaging::DisplayMessage;
use crate::tunneling::TransferData;
use crate::zcl::{Command, Direction, Frame, ReadRecord, Status};
use crate::{aps::ApsFrame, basic, messaging, metering, tunneling};

fn assert_fills(span: &Span) {
    let mut at = span.at;
    for part in &span.parts {
        assert_eq!(part.at, at, "{span:?}");
        at += part.length;
        assert_fills(part);
    }
    assert!(span.parts.is_empty() || at == span.at + span.length, "{span:?}");
}

fn sound(octets: &[u8]) -> Span {
    assert!(looks_like_aps(octets));
    let span = aps(octets);
    assert_fills(&span);
    assert!(span.is_sound(), "{span:?}");
    span
}

#[test]
fn values_are_said_with_their_attributes() {
    let command = Command::ReadAttributesResponse(vec![
        ReadRecord { id: metering::CURRENT_SUMMATION_DELIVERED, value: Ok(Value::unsigned(6, 12_345)) },
        ReadRecord { id: metering::SUPPLY_STATUS, value: Err(Status::UNSUPPORTED_ATTRIBUTE) },
    ]);
    let frame = Frame::foundation(Direction::ToClient, 7, &command);
    let span = sound(&ApsFrame::smart_energy(metering::CLUSTER, 7, frame.to_bytes()).to_bytes());
    assert_eq!(
        span.value,
        "Metering: read attributes response current summation delivered = 12345, supply status: 86 unsupported attribute"
    );
}

#[test]
fn a_message_for_the_display_is_said_with_its_text() {
    let message = DisplayMessage::now(5, 10, b"Hello");
    let span = sound(&message.request(3));
    assert_eq!(span.value, "Messaging: DisplayMessage");
    let text = span.parts.last().unwrap();
    assert_eq!((text.name, text.value.as_str()), ("message", "\"Hello\""));
    assert_eq!(cluster_name(messaging::CLUSTER), Some("Messaging"));
}

#[test]
fn what_a_tunnel_carries_is_marked_as_another_protocols() {
    let data = TransferData { direction: Direction::ToServer, tunnel: 1, data: vec![0xC0, 1, 0xC1] };
    let span = sound(&data.to_bytes(9));
    assert_eq!(span.value, "Tunneling: TransferData");
    assert!(span.parts.last().unwrap().foreign);
    assert_eq!(cluster_name(tunneling::CLUSTER), Some("Tunneling"));
}

#[test]
fn a_frame_cut_short_is_explained_as_far_as_it_goes() {
    let whole = basic::read_request(7, &[basic::MANUFACTURER_NAME]);
    let span = aps(&whole[..whole.len() - 1]);
    assert_fills(&span);
    let cut = span.parts.last().unwrap();
    assert!(cut.problem.as_ref().unwrap().contains("cut short"), "{cut:?}");
}

proptest! {
    #[test]
    fn every_octet_is_explained_once(
        cluster in prop_oneof![Just(0x0702_u16), Just(0x0704), Just(0x0705), Just(0x0703), Just(0x0700), any::<u16>()],
        octets in vec(prop_oneof![2 => any::<u8>(), 3 => 0_u8..0x0C], 0..40),
        kept in 0_usize..9,
    ) {
        let frame = ApsFrame::smart_energy(cluster, 1, octets.clone()).to_bytes();
        for octets in [&frame[..], &frame[..kept.min(frame.len())], &octets] {
            for span in [aps(octets), zcl(octets, Some(cluster)), zcl(octets, None)] {
                prop_assert_eq!(span.length, octets.len());
                assert_fills(&span);
            }
        }
    }
}
