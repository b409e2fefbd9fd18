//! What must hold for any frame, any octets and any line that is good in the end.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::*;
use super::pair::{Fault, Pair, answer_to, settings};

fn address() -> impl Strategy<Value = Address> {
    let sized = |size| move |(upper, lower)| Address::sized(upper, lower, size).unwrap();
    prop_oneof![
        (0..=0x7F_u16).prop_map(|upper| Address::server(upper, None).unwrap()),
        (0..=0x7F_u16, 0..=0x7F_u16).prop_map(sized(AddressSize::Two)),
        (0..=0x3FFF_u16, 0..=0x3FFF_u16).prop_map(sized(AddressSize::Four)),
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    let information = vec(any::<u8>(), 0..300);
    (address(), address(), any::<u8>(), any::<bool>(), information).prop_map(
        |(destination, source, control, segmented, information)| Frame {
            destination,
            source,
            control: Control::from_octet(control),
            segmented,
            information: Information::new(information).unwrap(),
        },
    )
}

fn parameters() -> impl Strategy<Value = Parameters> {
    let info =
        || prop_oneof![1..=20_u16, 64..=300_u16, Just(2030)].prop_map(|octets| MaxInfo::new(octets).unwrap());
    let window = || (1..=7_u8).prop_map(|frames| Window::new(frames).unwrap());
    (info(), info(), window(), window()).prop_map(|(max_info_tx, max_info_rx, window_tx, window_rx)| {
        Parameters { max_info_tx, max_info_rx, window_tx, window_rx }
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::None),
        2 => Just(Fault::Drop),
        2 => Just(Fault::Twice),
        2 => any::<usize>().prop_map(Fault::Flip),
        1 => any::<usize>().prop_map(Fault::Cut),
        1 => vec(prop_oneof![Just(0x7E), Just(0xA0), any::<u8>()], 1..12).prop_map(Fault::Noise),
    ]
}

proptest! {
    #[test]
    fn control_octets_round_trip(octet: u8) {
        prop_assert_eq!(Control::from_octet(octet).octet(), octet);
    }

    #[test]
    fn frames_round_trip(frame in frame()) {
        let encoded = frame.encode();
        prop_assert_eq!(Frame::decode(&encoded[1..encoded.len() - 1]), Ok(frame));
    }

    #[test]
    fn parameters_round_trip(parameters in parameters()) {
        prop_assert_eq!(Parameters::decode(&parameters.encode()), Ok(parameters));
    }

    /// Frames are found however they are cut, with a flag between them or one shared.
    #[test]
    fn frames_are_found_in_a_stream(frames in vec(frame(), 1..6), shared: bool, cut in 1usize..50) {
        let mut line = Vec::new();
        for frame in &frames {
            let encoded = frame.encode();
            let from = usize::from(shared && !line.is_empty());
            line.extend_from_slice(&encoded[from..]);
        }
        let (mut deframer, mut found) = (Deframer::new(), Vec::new());
        for chunk in line.chunks(cut) {
            deframer.receive(chunk);
            found.extend(std::iter::from_fn(|| deframer.next_frame()));
        }
        prop_assert_eq!(found, frames);
    }

    /// After any noise the next good frame is found, at the latest when the line has been silent.
    #[test]
    fn a_good_frame_is_found_after_noise(noise in vec(prop_oneof![Just(0x7E), Just(0xA0), any::<u8>()], 0..60), frame in frame()) {
        let mut deframer = Deframer::new();
        deframer.receive(&noise);
        deframer.receive(&frame.encode());
        let mut found: Vec<Frame> = std::iter::from_fn(|| deframer.next_frame()).collect();
        while deframer.is_mid_frame() {
            deframer.give_up();
            found.extend(std::iter::from_fn(|| deframer.next_frame()));
        }
        prop_assert_eq!(found.last(), Some(&frame));
    }

    /// Whatever the line does to the first frames, every message arrives once and in order, and so does its answer.
    #[test]
    fn messages_arrive_once_over_a_bad_line(
        ours in parameters(),
        theirs in parameters(),
        messages in vec(vec(any::<u8>(), 1..120), 1..4),
        faults in vec(fault(), 0..14),
        chunk in 1usize..40,
        echoes: bool,
    ) {
        let server = ServerSettings { parameters: theirs, ..ServerSettings::default() };
        let mut pair = Pair::new(settings(ours, 100), server);
        pair.chunk = chunk;
        pair.echoes = echoes;
        prop_assert_eq!(pair.connect(), ClientEvent::Connected(ours.agreed_with(theirs)));
        pair.faults = faults.into();
        for message in &messages {
            prop_assert_eq!(pair.ask(message), ClientEvent::Received(answer_to(message)));
        }
        prop_assert_eq!(pair.heard_by_meter, messages);
    }

    /// A line that loses everything ends in a failure within a bounded time, whatever is being done.
    #[test]
    fn a_dead_line_is_given_up(good in 0usize..12, ours in parameters()) {
        let mut pair = Pair::new(settings(ours, 3), ServerSettings::default());
        let started = pair.now;
        let dead = std::iter::repeat_n(Fault::Drop, 2000);
        pair.faults = std::iter::repeat_n(Fault::None, good).chain(dead).collect();
        let mut event = pair.connect();
        while !matches!(event, ClientEvent::Failed(_)) {
            event = pair.ask(&[0; 30]);
        }
        let no_answer = matches!(event, ClientEvent::Failed(LinkFailure::NoAnswer { .. }));
        prop_assert!(no_answer);
        prop_assert!(pair.now - started < Duration::from_secs(60));
    }
}

#[test]
fn a_client_not_connected_keeps_no_timer() {
    let now = Instant::now();
    let mut client = Client::new(settings(Parameters::default(), 3));
    assert_eq!(client.poll_timeout(), None);
    client.receive(&hex::decode("7EA023210002002373F6C5").unwrap(), now);
    let due = client.poll_timeout().unwrap();
    client.handle_timeout(due);
    assert_eq!((client.poll_timeout(), client.poll_event()), (None, None));
    assert!(client.discarded() > 0);
}
