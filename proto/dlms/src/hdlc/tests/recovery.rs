//! Single mishaps, one by one: what exactly goes over the line.

use std::time::Duration;

use super::super::*;
use super::pair::{Fault, Pair, answer_to, settings};

fn connected(parameters: Parameters) -> Pair {
    let server = ServerSettings { parameters, ..ServerSettings::default() };
    let mut pair = Pair::new(settings(parameters, 5), server);
    pair.connect();
    pair.frames = 0;
    pair
}

fn small(window: u8) -> Parameters {
    Parameters::symmetric(MaxInfo::new(16).unwrap(), Window::new(window).unwrap())
}

/// 3 octets of LLC and 29 of message are 2 segments; 3 and 87 are 6.
#[test]
fn with_a_window_of_one_every_segment_is_acknowledged() {
    let mut pair = connected(small(1));
    pair.ask(&[1; 29]);
    // I, RR, I | I, RR, I, RR, I, RR, I, RR, I, RR, I
    assert_eq!(pair.frames, 3 + 11);
}

#[test]
fn with_a_window_of_three_every_third_segment_is_acknowledged() {
    let mut pair = connected(small(3));
    pair.ask(&[1; 29]);
    // I, I | I, I, I, RR, I, I, I
    assert_eq!(pair.frames, 2 + 7);
}

#[test]
fn a_lost_request_is_found_out_by_a_poll_and_sent_again() {
    let mut pair = connected(Parameters::default());
    pair.faults.push_back(Fault::Drop);
    assert_eq!(pair.ask(b"again"), ClientEvent::Received(answer_to(b"again")));
    // I lost, RR, RR, I, I
    assert_eq!((pair.frames, pair.heard_by_meter.len()), (5, 1));
}

#[test]
fn a_lost_answer_is_sent_again_and_the_request_is_not_repeated() {
    let mut pair = connected(Parameters::default());
    pair.faults.extend([Fault::None, Fault::Drop]);
    assert_eq!(pair.ask(b"once"), ClientEvent::Received(answer_to(b"once")));
    // I, I lost, RR, I
    assert_eq!((pair.frames, pair.heard_by_meter.len()), (4, 1));
}

#[test]
fn half_a_frame_does_not_swallow_the_next() {
    let mut pair = connected(Parameters::default());
    pair.faults.push_back(Fault::Cut(10));
    assert_eq!(pair.ask(b"half"), ClientEvent::Received(answer_to(b"half")));
}

#[test]
fn a_silent_client_is_disconnected_and_may_connect_again() {
    let mut pair = connected(Parameters::default());
    let due = pair.server.poll_timeout().unwrap();
    assert_eq!(due - pair.now, Duration::from_secs(120));
    pair.now = due;
    pair.server.handle_timeout(due);
    assert!(!pair.server.is_connected());
    let server = Address::server(1, Some(17)).unwrap();
    assert_eq!(pair.ask(b"late"), ClientEvent::Failed(LinkFailure::ServerDisconnected { server }));
    assert_eq!(pair.connect(), ClientEvent::Connected(Parameters::default()));
    assert_eq!(pair.ask(b"again"), ClientEvent::Received(answer_to(b"again")));
}

#[test]
fn disconnecting_ends_both_ends() {
    let mut pair = connected(Parameters::default());
    pair.client.disconnect(pair.now);
    assert_eq!(pair.run(), ClientEvent::Disconnected);
    assert!(!pair.client.is_connected() && !pair.server.is_connected());
    assert_eq!(pair.server_events.last(), Some(&ServerEvent::Disconnected));
    assert_eq!(pair.client.send(b"x", pair.now), Err(SendError::NotConnected));
    // The server's DM is as good as a UA.
    pair.client.disconnect(pair.now);
    assert_eq!(pair.run(), ClientEvent::Disconnected);
}

/// A server that answers nothing to a request is polled, and given up after so many polls.
#[test]
fn a_server_that_never_answers_is_given_up() {
    let mut pair = connected(Parameters::default());
    pair.client.send(b"x", pair.now).unwrap();
    let mut polls = 0;
    let failure = loop {
        while let Some(frame) = pair.client.poll_transmit() {
            pair.server.receive(&frame, pair.now);
            pair.server.pass();
        }
        while let Some(frame) = pair.server.poll_transmit() {
            pair.client.receive(&frame, pair.now);
        }
        match pair.client.poll_event() {
            Some(event) => break event,
            None => polls += 1,
        }
        pair.now = pair.client.poll_timeout().unwrap();
        pair.client.handle_timeout(pair.now);
    };
    let server = Address::server(1, Some(17)).unwrap();
    assert_eq!(failure, ClientEvent::Failed(LinkFailure::Busy { server, polls: 60 }));
    assert_eq!(polls, 60);
}

/// Client 1 and server 1 have the same octet for an address, and an RR of one is an RR of the other.
#[test]
fn a_server_of_the_same_address_is_no_echo() {
    let one = Address::client(1).unwrap();
    let mut pair = Pair::new(ClientSettings::new(one, one), ServerSettings::default());
    assert_eq!(pair.connect(), ClientEvent::Connected(Parameters::default()));
    pair.faults.extend([Fault::Drop, Fault::Drop, Fault::None]);
    assert_eq!(pair.ask(b"one"), ClientEvent::Received(answer_to(b"one")));
    // I lost, RR lost, I, I: the second time of asking is the request itself.
    assert_eq!((pair.frames, pair.heard_by_meter.len()), (2 + 4, 1));
}

fn frame_of(control: Control, information: Vec<u8>) -> Vec<u8> {
    let (destination, source) = (Address::server(1, Some(17)).unwrap(), Address::client(16).unwrap());
    let information = Information::new(information).unwrap();
    Frame { destination, source, control, segmented: false, information }.encode()
}

fn rejected_for(control: Control, information: Vec<u8>) -> FrameReject {
    let mut pair = connected(small(1));
    pair.server.receive(&frame_of(control, information), pair.now);
    let answer = pair.server.poll_transmit().unwrap();
    let answer = Frame::decode(&answer[1..answer.len() - 1]).unwrap();
    assert_eq!(answer.control, Control::unnumbered(Unnumbered::FrameReject));
    pair.client.send(b"x", pair.now).unwrap();
    let event = pair.run();
    let ClientEvent::Failed(LinkFailure::FrameRejected { reject, .. }) = event else { panic!("{event:?}") };
    assert_eq!(pair.connect(), ClientEvent::Connected(small(1)));
    reject
}

#[test]
fn frames_a_server_cannot_accept_are_rejected_until_the_client_connects_again() {
    let reject = rejected_for(Control::Unknown(0x1D), vec![]);
    assert_eq!((reject.control, reject.unknown_control), (0x1D, true));
    let reject = rejected_for(Control::Information { nr: 0, ns: 0, poll: true }, vec![0; 17]);
    assert!(reject.too_long);
    let reject = rejected_for(Control::ReceiveReady { nr: 5, poll: true }, vec![]);
    assert!(reject.bad_acknowledgement);
}

#[test]
fn another_client_is_not_served_on_this_link() {
    let mut pair = connected(Parameters::default());
    let (destination, source) = (Address::server(1, Some(17)).unwrap(), Address::client(1).unwrap());
    let control = Control::Information { nr: 0, ns: 0, poll: true };
    let information = Information::new(vec![0xE6, 0xE6, 0x00, 0xC0]).unwrap();
    let stray = Frame { destination, source, control, segmented: false, information };
    pair.server.receive(&stray.encode(), pair.now);
    let answer = pair.server.poll_transmit().unwrap();
    let answer = Frame::decode(&answer[1..answer.len() - 1]).unwrap();
    assert_eq!((answer.destination, answer.control), (source, Control::unnumbered(Unnumbered::Disconnected)));
    assert!(pair.server.is_connected());
}

#[test]
fn a_push_outside_the_sequence_is_passed_on() {
    let mut pair = connected(Parameters::default());
    let control = Control::Unnumbered { kind: Unnumbered::Information, poll: false };
    let (destination, source) = (Address::client(16).unwrap(), Address::server(1, Some(17)).unwrap());
    let information = Information::new(vec![0xE6, 0xE7, 0x00, 0xC2, 0x00]).unwrap();
    let push = Frame { destination, source, control, segmented: false, information };
    pair.client.receive(&push.encode(), pair.now);
    assert_eq!(pair.client.poll_event(), Some(ClientEvent::Unnumbered(vec![0xC2, 0x00])));
}

#[test]
fn a_server_answers_only_to_its_addresses_of_any_size() {
    let pair = connected(Parameters::default());
    for (upper, lower, size, answers) in [
        (1, 0, AddressSize::One, true),
        (1, 17, AddressSize::Two, true),
        (1, 17, AddressSize::Four, true),
        (2, 17, AddressSize::Two, false),
        (1, 18, AddressSize::Four, false),
    ] {
        let mut server = Server::new(ServerSettings::default());
        let destination = Address::sized(upper, lower, size).unwrap();
        let source = Address::client(16).unwrap();
        let control = Control::unnumbered(Unnumbered::Connect);
        let information = Information::default();
        let connect = Frame { destination, source, control, segmented: false, information };
        server.receive(&connect.encode(), pair.now);
        let answer = server.poll_transmit().map(|f| Frame::decode(&f[1..f.len() - 1]).unwrap().source);
        assert_eq!(answer, answers.then_some(destination));
    }
}

#[test]
fn messages_beyond_the_limit_end_the_link() {
    let server = ServerSettings { parameters: small(7), ..ServerSettings::default() };
    let mut limited = settings(small(7), 5);
    limited.max_message = 100;
    let mut pair = Pair::new(limited, server);
    pair.connect();
    assert_eq!(pair.ask(&[0; 50]), ClientEvent::Failed(LinkFailure::TooLong { limit: 100 }));
}

/// At 300 baud an octet takes 33 ms: the request and the longest answer are waited for on top of the response time.
#[test]
fn a_slow_line_is_waited_for() {
    let octet_time = Duration::from_millis(33);
    let settings = ClientSettings { octet_time, ..settings(Parameters::default(), 5) };
    let (response, now) = (settings.response_timeout, std::time::Instant::now());
    let mut client = Client::new(settings);
    client.connect(now);
    let asked = u32::try_from(client.poll_transmit().unwrap().len()).unwrap();
    let due = client.poll_timeout().unwrap();
    assert!(due >= now + response + octet_time * (asked + 128), "{:?}", due - now);
}
