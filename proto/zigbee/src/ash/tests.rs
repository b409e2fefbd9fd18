use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn framed(octets: &[u8]) -> Vec<Result<Frame, FrameError>> {
    let mut deframer = Deframer::new();
    octets.iter().filter_map(|octet| deframer.receive(*octet)).collect()
}

/// Octets made by an independent peer, bellows 1.2.1 of PyPI (`bellows.ash`). If this fails, do not change the test.
#[test]
fn frames_are_those_of_bellows() {
    let data =
        |number, again, ack, payload: &[u8]| Frame::Data { number, again, ack, payload: payload.to_vec() };
    let sixty_four: Vec<u8> = (0..64).collect();
    for (octets, frame) in [
        ("254221a856a6097e", data(2, false, 5, &[0, 0, 0, 2])),
        (
            "784220aa572e10b45e9c432fa1599f47935e36b9feda729deade7a93e76222b9f4edff4dacdbe2fdf2fa40a66d0f84c2590b94d8\
             46b674ae7b1e2a8bdb4c05223104d57e",
            data(7, true, 0, &sixty_four),
        ),
        ("007d5e4efb4e566b141b7e", data(0, false, 0, &[0x3c, 0x6f, 0x53, 0x1a, 0x7c, 0x7e])),
        ("8160597e", Frame::Ack { ack: 1, not_ready: false }),
        ("8f81977e", Frame::Ack { ack: 7, not_ready: true }),
        ("a634dc7e", Frame::Nak { ack: 6, not_ready: false }),
        ("aaf5507e", Frame::Nak { ack: 2, not_ready: true }),
        ("c038bc7e", Frame::Reset),
        ("c1020b0a527e", Frame::ResetAck { code: reset_code::SOFTWARE }),
        ("c20251a8bd7e", Frame::Error { code: reset_code::ACK_TIMEOUTS }),
    ] {
        assert_eq!(hex::encode(frame.to_bytes()), octets);
        assert_eq!(framed(&hex::decode(octets).unwrap()), [Ok(frame)]);
    }
}

#[test]
fn what_is_no_frame_says_why() {
    let why = |octets: &[u8]| framed(octets).remove(0).unwrap_err().to_string();
    assert_eq!(
        why(b"\x81\x60\x58\x7e"),
        "check sequence 6058, expected 6059; the frame was damaged on the line"
    );
    assert!(why(b"\x81\x60\x18\x59\x7e").contains("substitute"));
    assert_eq!(why(b"\x81\x7e"), "a frame of 1 octet(s); expected at least 3");
    assert!(why(&[&[0x01; 400][..], &[FLAG]].concat()).contains("at most 131"));
    // What was cancelled is no frame, and flags in a row have none between them.
    assert_eq!(framed(b"\x81\x60\x1a\x7e\x7e"), []);
}

/// Two ends and the line between them, in virtual time. The line loses what `lose` says.
struct Pair {
    host: Link,
    ncp: Link,
    now: Instant,
    to_ncp: Vec<Vec<u8>>,
    to_host: Vec<Vec<u8>>,
}

impl Pair {
    fn new(settings: Settings) -> Self {
        Self {
            host: Link::new(Role::Host, settings.clone()),
            ncp: Link::new(Role::Ncp, settings),
            now: Instant::now(),
            to_ncp: Vec::new(),
            to_host: Vec::new(),
        }
    }

    fn up(settings: Settings) -> Self {
        let mut pair = Self::new(settings);
        pair.host.reset(pair.now);
        pair.carry(&mut |_| true);
        let up = Some(Event::Up { code: reset_code::SOFTWARE });
        assert_eq!((pair.host.poll_event(), pair.ncp.poll_event()), (up.clone(), up));
        pair
    }

    /// Carries what there is until both ends are quiet; `keep` is asked of every piece of octets.
    fn carry(&mut self, keep: &mut impl FnMut(&mut Vec<u8>) -> bool) {
        loop {
            self.to_ncp.extend(std::iter::from_fn(|| self.host.poll_transmit()));
            self.to_host.extend(std::iter::from_fn(|| self.ncp.poll_transmit()));
            if self.to_ncp.is_empty() && self.to_host.is_empty() {
                return;
            }
            for mut octets in std::mem::take(&mut self.to_ncp) {
                if keep(&mut octets) {
                    self.ncp.receive(&octets, self.now);
                }
            }
            for mut octets in std::mem::take(&mut self.to_host) {
                if keep(&mut octets) {
                    self.host.receive(&octets, self.now);
                }
            }
        }
    }

    /// Lets the time come at which the next end has something to do; whether there is one.
    fn wait(&mut self) -> bool {
        let Some(due) = [self.host.poll_timeout(), self.ncp.poll_timeout()].into_iter().flatten().min()
        else {
            return false;
        };
        self.now = due;
        self.host.handle_timeout(due);
        self.ncp.handle_timeout(due);
        true
    }

    fn payloads(link: &mut Link) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| link.poll_event())
            .filter_map(|event| match event {
                Event::Payload(payload) => Some(payload),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn payloads_go_both_ways_in_order() {
    for window in 1..=7 {
        let mut pair = Pair::up(Settings { window, ..Settings::default() });
        for n in 0..20u8 {
            pair.host.send(&[n; 3], pair.now).unwrap();
            pair.ncp.send(&[n; 9], pair.now).unwrap();
        }
        pair.carry(&mut |_| true);
        assert_eq!(Pair::payloads(&mut pair.ncp), (0..20).map(|n| vec![n; 3]).collect::<Vec<_>>());
        assert_eq!(Pair::payloads(&mut pair.host), (0..20).map(|n| vec![n; 9]).collect::<Vec<_>>());
        assert_eq!(pair.host.poll_timeout(), None);
    }
}

#[test]
fn a_lost_frame_is_sent_again_and_a_damaged_one_asked_for_again() {
    let mut pair = Pair::up(Settings::default());
    pair.host.send(b"lost", pair.now).unwrap();
    let mut lost = false;
    pair.carry(&mut |_| std::mem::replace(&mut lost, true));
    assert_eq!(Pair::payloads(&mut pair.ncp), Vec::<Vec<u8>>::new());
    assert!(pair.wait());
    pair.carry(&mut |_| true);
    assert_eq!(Pair::payloads(&mut pair.ncp), [b"lost"]);
    pair.host.send(b"damaged", pair.now).unwrap();
    let mut damaged = false;
    pair.carry(&mut |octets| {
        if !std::mem::replace(&mut damaged, true) {
            octets[2] ^= 0x01;
        }
        true
    });
    assert_eq!(Pair::payloads(&mut pair.ncp), [b"damaged"]);
}

#[test]
fn a_lost_acknowledgement_doubles_nothing() {
    let mut pair = Pair::up(Settings::default());
    pair.host.send(b"once", pair.now).unwrap();
    let mut frames = 0;
    pair.carry(&mut |_| {
        frames += 1;
        frames != 2
    });
    assert!(pair.wait());
    pair.carry(&mut |_| true);
    assert_eq!(Pair::payloads(&mut pair.ncp), [b"once"]);
    assert_eq!(pair.host.poll_timeout(), None);
}

#[test]
fn a_dead_line_is_given_up_and_a_reset_brings_it_back() {
    let mut pair = Pair::up(Settings::default());
    pair.host.send(b"?", pair.now).unwrap();
    let begun = pair.now;
    while pair.host.state() == State::Up {
        pair.carry(&mut |_| false);
        assert!(pair.wait());
    }
    assert_eq!(pair.now - begun, Duration::from_millis(1600) * 5);
    let down = LinkError::NoAcknowledgement { attempts: 5 };
    assert_eq!(pair.host.poll_event(), Some(Event::Down(down)));
    assert_eq!(pair.host.send(b"!", pair.now), Err(SendError::NotUp));
    pair.carry(&mut |_| false);
    pair.host.reset(pair.now);
    pair.carry(&mut |_| true);
    assert_eq!(pair.host.state(), State::Up);
}

#[test]
fn a_reset_nobody_answers_is_given_up() {
    let mut pair = Pair::new(Settings::default());
    pair.host.reset(pair.now);
    loop {
        pair.carry(&mut |_| false);
        if !pair.wait() {
            break;
        }
    }
    assert_eq!(pair.host.poll_event(), Some(Event::Down(LinkError::NoReset { resets: 3 })));
}

#[test]
fn a_co_processor_that_hears_no_acknowledgement_stops_and_says_so() {
    let mut pair = Pair::up(Settings::default());
    pair.ncp.send(b"heard?", pair.now).unwrap();
    while pair.ncp.state() == State::Up {
        pair.carry(&mut |_| false);
        assert!(pair.wait());
    }
    pair.host.send(b"anyone?", pair.now).unwrap();
    pair.carry(&mut |_| true);
    let stopped = LinkError::Stopped { code: reset_code::ACK_TIMEOUTS };
    assert_eq!(pair.host.poll_event(), Some(Event::Down(stopped)));
}

#[test]
fn not_ready_holds_payloads_back_for_its_time() {
    let mut pair = Pair::up(Settings::default());
    pair.ncp.receive(&Frame::Ack { ack: 0, not_ready: true }.to_bytes(), pair.now);
    pair.ncp.send(b"later", pair.now).unwrap();
    pair.carry(&mut |_| true);
    assert_eq!(Pair::payloads(&mut pair.host), Vec::<Vec<u8>>::new());
    assert!(pair.wait());
    pair.carry(&mut |_| true);
    assert_eq!(Pair::payloads(&mut pair.host), [b"later"]);
}

fn frame() -> impl Strategy<Value = Frame> {
    let payload = proptest::collection::vec(any::<u8>(), 0..=MAX_PAYLOAD);
    prop_oneof![
        (0u8..8, any::<bool>(), 0u8..8, payload).prop_map(|(number, again, ack, payload)| Frame::Data {
            number,
            again,
            ack,
            payload
        }),
        (0u8..8, any::<bool>()).prop_map(|(ack, not_ready)| Frame::Ack { ack, not_ready }),
        (0u8..8, any::<bool>()).prop_map(|(ack, not_ready)| Frame::Nak { ack, not_ready }),
        Just(Frame::Reset),
        any::<u8>().prop_map(|code| Frame::ResetAck { code }),
        any::<u8>().prop_map(|code| Frame::Error { code }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_back(frames in proptest::collection::vec(frame(), 0..6)) {
        let octets: Vec<u8> = frames.iter().flat_map(Frame::to_bytes).collect();
        let read: Result<Vec<_>, _> = framed(&octets).into_iter().collect();
        prop_assert_eq!(read.unwrap(), frames);
    }

    /// On a line that loses and damages, what arrives is a beginning of what was sent, in order and once; and there is
    /// an end to it.
    #[test]
    fn a_bad_line_loses_nothing_it_does_not_own_up_to(
        fates in proptest::collection::vec(0u8..10, 1..60), window in 1u8..=7, count in 1u8..20,
    ) {
        let mut pair = Pair::up(Settings { window, ..Settings::default() });
        for n in 0..count {
            pair.host.send(&[n, n], pair.now).unwrap();
        }
        let mut fates = fates.iter().cycle();
        for _ in 0..400 {
            pair.carry(&mut |octets| match fates.next() {
                Some(0) => false,
                Some(1) => {
                    octets[0] ^= 0x10;
                    true
                }
                _ => true,
            });
            if !pair.wait() {
                break;
            }
        }
        let arrived = Pair::payloads(&mut pair.ncp);
        let sent: Vec<Vec<u8>> = (0..count).map(|n| vec![n, n]).collect();
        prop_assert!(arrived.len() <= sent.len());
        prop_assert_eq!(&arrived[..], &sent[..arrived.len()]);
        prop_assert!(arrived.len() == sent.len() || pair.host.state() == State::Down);
    }

    #[test]
    fn no_octets_break_an_end(octets in proptest::collection::vec(any::<u8>(), 0..400), to_host: bool) {
        let mut pair = Pair::up(Settings::default());
        let link = if to_host { &mut pair.host } else { &mut pair.ncp };
        link.receive(&octets, pair.now);
        prop_assert!(std::iter::from_fn(|| link.poll_transmit()).count() <= 256);
    }
}
