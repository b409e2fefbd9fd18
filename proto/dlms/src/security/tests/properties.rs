//! What holds for any message, any damage and any history.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn protection() -> impl Strategy<Value = Protection> {
    use Protection::{Authenticated, AuthenticatedEncrypted, Encrypted};
    proptest::sample::select(&[Authenticated, Encrypted, AuthenticatedEncrypted][..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn messages_come_out_as_they_went_in(message in vec(any::<u8>(), 0..200), protection in protection(), sent in 0..u32::MAX) {
        let sealed = context(METER, sent).protect(protection, &message).unwrap();
        prop_assert_eq!(sealed.len(), message.len() + protection.overhead());
        let opened = context(CLIENT, 0).unprotect(METER, &sealed).unwrap();
        prop_assert_eq!(opened, Opened { protection, counter: InvocationCounter(sent + 1), message });
    }

    #[test]
    fn one_changed_bit_is_found(message in vec(any::<u8>(), 0..60), encrypted: bool, at: prop::sample::Index, bit in 0..8u32) {
        let protection = if encrypted { Protection::AuthenticatedEncrypted } else { Protection::Authenticated };
        let mut sealed = context(METER, 1).protect(protection, &message).unwrap();
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        let mut client = context(CLIENT, 0);
        // The one change no tag can show turns a protected message into one that claims only to be encrypted.
        let claims = (at, 1 << bit) == (0, 0x10) && encrypted;
        if !claims {
            prop_assert!(client.unprotect(METER, &sealed).is_err());
            prop_assert_eq!(client.received(METER), None, "nothing is remembered of it");
        }
    }

    #[test]
    fn no_octets_panic(octets in vec(any::<u8>(), 0..80)) {
        let challenge = Challenge::from([7; 16]);
        let mut context = context(CLIENT, 0);
        let _ = context.unprotect(METER, &octets);
        prop_assert!(context.check_proof(METER, None, &challenge, &octets).is_err());
    }

    /// Whatever is reserved, used, lost in a crash, given back at rest or skipped: no number is used twice.
    #[test]
    fn no_number_is_used_twice(steps in vec((0..5u8, 1..20u32), 1..60)) {
        let mut disk = CounterState::default();
        let mut counters = Counters::restore(disk.clone());
        let mut last = None;
        for (step, count) in steps {
            match step {
                0 => disk = counters.reserve(count),
                1 => disk = counters.settle(),
                2 => counters = Counters::restore(disk.clone()),
                3 => {
                    let _ = counters.resynchronise(InvocationCounter(count * 7));
                }
                _ => for _ in 0..count {
                    let Ok(next) = counters.next() else { break };
                    prop_assert!(last < Some(next));
                    prop_assert!(Some(next) <= disk.sent.max(Some(next)).filter(|_| counters.left() < u32::MAX));
                    last = Some(next);
                },
            }
        }
    }
}

#[test]
fn a_number_is_never_used_before_it_is_reserved() {
    let mut counters = Counters::restore(CounterState::default());
    assert_eq!(counters.next(), Err(CounterError::NotReserved));
    let written = counters.reserve(2);
    assert_eq!(written.sent, Some(InvocationCounter(2)));
    assert_eq!((counters.next(), counters.next()), (Ok(InvocationCounter(1)), Ok(InvocationCounter(2))));
    assert_eq!(counters.next(), Err(CounterError::NotReserved));
}

#[test]
fn the_last_number_is_the_last() {
    let mut context = context(METER, u32::MAX - 1);
    context.protect(Protection::Encrypted, &[]).unwrap();
    let error = context.protect(Protection::Encrypted, &[]).unwrap_err();
    assert_eq!(error, SecurityError::Counter(CounterError::Exhausted));
}

#[test]
fn a_message_is_taken_once_and_an_older_one_never() {
    let mut meter = context(METER, 10);
    let [first, second] = [1, 2].map(|n| meter.protect(Protection::AuthenticatedEncrypted, &[n]).unwrap());
    let mut client = context(CLIENT, 0);
    client.unprotect(METER, &second).unwrap();
    let (found, expected) = (InvocationCounter(11), InvocationCounter(13));
    let replayed = SecurityError::Replayed { from: METER, found, expected };
    let text = replayed.to_string();
    assert_eq!(client.unprotect(METER, &first), Err(replayed));
    assert!(text.starts_with("invocation counter 11 from 4D4D4D0000BC614E, expected 13 or above"), "{text}");
    assert!(client.unprotect(METER, &second).is_err());
}

#[test]
fn resynchronising_moves_on_and_never_back() {
    let mut counters = Counters::restore(CounterState::default());
    let _ = counters.reserve(5);
    counters.resynchronise(InvocationCounter(100)).unwrap();
    assert_eq!(counters.next(), Err(CounterError::NotReserved), "reserve and write down first");
    assert_eq!(counters.reserve(10).sent, Some(InvocationCounter(110)));
    assert_eq!(counters.next(), Ok(InvocationCounter(101)));
    assert!(counters.resynchronise(InvocationCounter(50)).is_err());
}

#[test]
fn what_is_not_spoken_is_said_plainly() {
    let refused = |control: u8| {
        let sealed = [&[control, 0, 0, 0, 1], [0; 20].as_slice()].concat();
        context(CLIENT, 0).unprotect(METER, &sealed).unwrap_err()
    };
    assert_eq!(refused(0xB0), SecurityError::Compressed);
    assert_eq!(refused(0x70), SecurityError::BroadcastKey);
    assert_eq!(refused(0x31), SecurityError::OtherSuite { suite: 1 });
    assert_eq!(refused(0x00), SecurityError::NotProtected);
    assert_eq!(refused(0x30), SecurityError::WrongTag { from: METER });
}

#[test]
fn less_protection_than_required_is_refused() {
    let mut client = context(CLIENT, 0).requiring(Protection::AuthenticatedEncrypted);
    for weaker in [Protection::Authenticated, Protection::Encrypted] {
        let sealed = context(METER, 1).protect(weaker, b"message").unwrap();
        let error = client.unprotect(METER, &sealed).unwrap_err();
        let required = Protection::AuthenticatedEncrypted;
        assert_eq!(error, SecurityError::Weaker { found: Some(weaker), required });
    }
}

#[test]
fn keys_are_never_shown() {
    let shown = format!("{:?}", context(METER, 1));
    assert!(shown.contains("Key(redacted)") && !shown.contains("223") && !shown.contains("D0D1"), "{shown}");
    assert!(!format!("{:?}", Key::try_from([1; 15].as_slice())).contains("1, 1"));
}

#[test]
fn titles_and_challenges_have_their_lengths() {
    assert!("4D4D4D0000BC614".parse::<SystemTitle>().is_err());
    assert!("4D4D4D0000BC61+E".parse::<SystemTitle>().is_err());
    assert_eq!("4d4d4d0000bc614e".parse(), Ok(METER));
    assert!(Challenge::try_from([0; 7].as_slice()).is_err());
    assert!(Challenge::try_from([0; 65].as_slice()).is_err());
}
