//! Pushes whole and in blocks, late, lost, doubled and forged.

use std::time::Instant;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::apdu::DataNotification;
use crate::data::{Data, DateTime};
use crate::security::{CounterState, Counters, Key, Keys, SystemTitle};

const METER: SystemTitle = SystemTitle(*b"LABMETER");
const BOTH: Protection = Protection::AuthenticatedEncrypted;

fn context(title: SystemTitle) -> SecurityContext {
    let keys = Keys { encryption: Key::new([1; 16]), authentication: Key::new([2; 16]) };
    SecurityContext::new(title, keys, Counters::held_in_memory(CounterState::default()))
}

fn push(octets: usize) -> Notification {
    let time = Some(DateTime::from_unix(1_700_000_000, 0));
    Notification::Data(DataNotification { invoke: 7, time, body: Data::Octets(vec![0xAB; octets]) })
}

fn receiver() -> (Receiver, Instant) {
    (Receiver::new(ReceiverSettings::default()), Instant::now())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_push_arrives_with_pauses_between_its_blocks(octets in 0usize..2000, max_pdu in 30u16..300, ciphered: bool, pause in 0u64..10_000) {
        let mut meter = context(METER);
        let cover = ciphered.then_some((&mut meter, BOTH));
        let frames = frames(push(octets), cover, max_pdu).unwrap();
        let (mut receiver, mut now) = receiver();
        let mut ours = context(SystemTitle([0; 8]));
        prop_assert!(frames.len() < 2 || frames.iter().all(|frame| frame.len() <= usize::from(max_pdu)));
        // All of it must be through within the time for the whole.
        let pause = Duration::from_millis(pause.min(110_000 / frames.len() as u64));
        for frame in frames {
            now += pause;
            receiver.receive(&frame, now, Some(&mut ours));
            receiver.receive(&frame, now, Some(&mut ours)); // The line doubles everything.
        }
        let received = receiver.poll_event().unwrap().unwrap();
        prop_assert_eq!(received.notification, push(octets));
        prop_assert_eq!(received.from, ciphered.then_some(METER));
    }

    #[test]
    fn no_frames_panic_or_pile_up(frames in vec(vec(any::<u8>(), 0..40), 0..90)) {
        let (mut receiver, now) = receiver();
        for frame in &frames {
            receiver.receive(frame, now, None);
            receiver.receive(&[&[0xE0], frame.as_slice()].concat(), now, None);
        }
        let events = std::iter::from_fn(|| receiver.poll_event()).count();
        prop_assert!(events <= 64);
    }
}

#[test]
fn a_push_that_stops_half_way_is_given_up_in_time() {
    let (mut receiver, now) = receiver();
    let frames = frames(push(200), None, 100).unwrap();
    receiver.receive(&frames[0], now, None);
    let due = receiver.poll_timeout().unwrap();
    assert_eq!(due - now, Duration::from_secs(10));
    receiver.handle_timeout(due);
    let error = receiver.poll_event().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "a push in blocks is lost: block 2 did not come within 10s");
    assert_eq!(receiver.poll_timeout(), None);
}

#[test]
fn a_missing_block_loses_the_push_and_the_next_one_arrives() {
    let (mut receiver, now) = receiver();
    let frames = frames(push(250), None, 100).unwrap();
    receiver.receive(&frames[0], now, None);
    receiver.receive(&frames[2], now, None);
    let lost = receiver.poll_event().unwrap().unwrap_err();
    assert_eq!(lost, PushError::Blocks(TransferError::Gap { found: 3, expected: 2 }));
    frames.iter().for_each(|frame| receiver.receive(frame, now, None));
    assert!(receiver.poll_event().unwrap().is_ok());
}

#[test]
fn a_push_without_end_is_stopped() {
    let (mut receiver, now) = receiver();
    let block = |number| {
        let block = GeneralBlock {
            last: false,
            streaming: false,
            window: BlockWindow::NONE,
            number,
            acknowledged: 0,
            data: vec![0; 500],
        };
        Apdu::GeneralBlock(block).encode()
    };
    let stopped = (1..1000).find_map(|number| {
        receiver.receive(&block(number), now, None);
        receiver.poll_event()
    });
    assert_eq!(stopped, Some(Err(PushError::Blocks(TransferError::TooLong { limit: 1 << 16 }))));
}

#[test]
fn replays_forgeries_and_pushes_in_clear_are_told_apart() {
    let (mut receiver, now) = receiver();
    let mut ours = context(SystemTitle([0; 8]));
    let frame = frames(push(10), Some((&mut context(METER), BOTH)), 0).unwrap().remove(0);
    receiver.receive(&frame, now, Some(&mut ours));
    assert_eq!(receiver.poll_event().unwrap().unwrap().protection, Some(BOTH));
    receiver.receive(&frame, now, Some(&mut ours));
    let replayed = receiver.poll_event().unwrap().unwrap_err();
    assert!(matches!(replayed, PushError::Security(SecurityError::Replayed { .. })), "{replayed}");
    receiver.receive(&frame, now, None);
    assert_eq!(receiver.poll_event(), Some(Err(PushError::NoKeys { found: "general-glo-ciphering" })));
    let clear = frames(push(10), None, 0).unwrap().remove(0);
    receiver.receive(&clear, now, Some(&mut ours));
    assert_eq!(receiver.poll_event().unwrap().unwrap().protection, None);
    ours.required = Some(BOTH);
    receiver.receive(&clear, now, Some(&mut ours));
    assert!(matches!(receiver.poll_event(), Some(Err(PushError::Security(SecurityError::Weaker { .. })))));
    receiver.receive(&[0xC4, 1, 0xC1, 0, 0], now, None);
    assert_eq!(receiver.poll_event(), Some(Err(PushError::NotANotification { found: "Get-Response" })));
}
