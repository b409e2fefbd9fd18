use std::collections::VecDeque;

use proptest::prelude::*;
use prost::Message as _;

use super::flow::{Receiving, Sending, WINDOW, cost};
use super::*;
use crate::station::{Keys, Mains};

fn named(text: &str) -> PartName {
    text.parse().expect("a name")
}

fn made_safe() -> MadeSafe {
    MadeSafe {
        rig: named("rig-1"),
        token: Token(7),
        cause: "the controller was lost".into(),
        detail: "ESME/mains-relay: mains on".into(),
        reached: true,
        at: "2026-11-22T14:00:00Z".parse().expect("a time"),
    }
}

/// One frame of each kind, as both ends say them.
fn every_kind() -> Vec<Frame> {
    let line = LineSettings { baud: 300, character: Character::SevenEven, flow: Flow::None };
    let offered =
        |name: &str, about: &str| Offered { name: named(name), rig: named("rig-1"), about: about.to_owned() };
    let within = Duration::from_secs(5);
    let fault = || Fault::new(FaultKind::Lease, "lease 6 is older than 7");
    let ask = |what| Says::Ask(Ask { within, what });
    let keys = Keys::try_from(vec!["A".to_owned(), "B".to_owned()]).expect("keys");
    let act =
        |deed| Says::Actuate(Actuate { actuator: named("ESME/mains-relay"), token: Token(7), within, deed });
    let session = [
        Says::Hello(Hello {
            station: named("bench-2"),
            about: "harness 0.1.0".into(),
            ports: vec![offered("optical", "serial:///dev/ttyUSB0")],
            actuators: vec![offered("ESME/mains-relay", "a relay")],
            made_safe: vec![made_safe()],
        }),
        Says::Welcome,
        Says::Heartbeat,
        Says::MadeSafe(made_safe()),
        Says::Call(named("bench-2")),
    ];
    let open = |carries| {
        Says::Open(Open { port: named("optical"), carries, token: Some(Token(7)), within, credit: WINDOW })
    };
    let wires = ModemWires { cts: true, dsr: false, ri: false, cd: true };
    let channel = [
        open(Carried::Serial(line)),
        open(Carried::Stream),
        open(Carried::Datagrams),
        Says::Opened(WINDOW),
        Says::Data(b"/?!\r\n".to_vec()),
        Says::Credit(4096),
        ask(Asked::SetLine(LineSettings { baud: 9600, character: Character::EightNone, flow: Flow::RtsCts })),
        ask(Asked::Purge),
        ask(Asked::Break(Duration::from_millis(250))),
        ask(Asked::SetWires { dtr: Some(true), rts: None }),
        ask(Asked::Modem),
        Says::Answer(Ok(Answer::Done)),
        Says::Answer(Ok(Answer::Modem(wires))),
        Says::Answer(Err(Fault::new(FaultKind::Setting, "7O1 is not for this port"))),
        Says::Remark("line set to 9600 baud 8N1".into()),
        Says::Close(None),
        Says::Close(Some(Fault::new(FaultKind::Gone, "the cable was pulled"))),
        act(Deed::Mains(Mains::Off)),
        act(Deed::Press(keys)),
        Says::Actuated(Ok("mains off".into())),
        Says::Actuated(Err(fault())),
        Says::Lease(LeaseAsked {
            rig: named("rig-1"),
            token: Token(7),
            holder: "run 20261122T140000Z-1f3a".into(),
            term: Duration::from_secs(20),
        }),
        Says::Leased(Ok(Duration::from_secs(20))),
        Says::Leased(Err(fault())),
        Says::Release,
        Says::Released(made_safe()),
    ];
    let of_session = session.into_iter().map(Frame::session);
    of_session.chain(channel.into_iter().map(|says| Frame::new(Channel(3), says))).collect()
}

#[test]
fn what_is_said_is_what_is_heard_however_the_octets_come() {
    let frames = every_kind();
    let octets: Vec<u8> = frames.iter().cloned().flat_map(to_octets).collect();
    for piece in [1, 3, 4096] {
        let mut reader = FrameReader::default();
        let mut heard = Vec::new();
        for octets in octets.chunks(piece) {
            reader.push(octets);
            while let Some(frame) = reader.next_frame().expect("a frame") {
                heard.push(frame);
            }
        }
        assert_eq!(heard, frames);
    }
}

/// If this fails, do not change the test: a station of an older release would no longer be understood.
#[test]
fn golden_octets_of_version_1() {
    let lines: Vec<String> = every_kind()
        .into_iter()
        .map(|frame| hex::encode(StationFrame::from(frame).encode_to_vec()))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_is_no_frame_is_refused_with_the_field() {
    let wrong = |says| Frame::try_from(StationFrame { channel: 1, says }).expect_err("refused").to_string();
    use crate::rpc::generated as wire;
    use crate::rpc::generated::station_frame::Says as Wire;
    assert!(wrong(None).starts_with("says: found"));
    let hello = wire::StationHello { version: 2, ..Default::default() };
    assert!(wrong(Some(Wire::Hello(hello))).contains("the same release at both ends"));
    let call = wire::StationCall { station: "bench 2".into() };
    assert_eq!(wrong(Some(Wire::Call(call))), "call.station: found \"bench 2\", expected a name");
    let lease = wire::StationLease { rig: "rig-1".into(), ..Default::default() };
    assert_eq!(
        wrong(Some(Wire::Lease(lease))),
        "lease.token: found 0, expected the number of a lease, from 1"
    );
    let data = wire::StationData { octets: vec![0; 65_536] };
    assert!(wrong(Some(Wire::Data(data))).starts_with("data.octets: found 65536"));
    let mut reader = FrameReader::default();
    reader.push(&[0xFF; 8]);
    assert!(matches!(reader.next_frame(), Err(FrameError::TooLong { .. })));
}

/// What happens between two ends of one direction of a stream, with messages and grants on their way.
#[derive(Debug, Clone)]
enum Step {
    Send(usize),
    Deliver,
    HandOn,
    Grant,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0usize..=MOST_OCTETS).prop_map(Step::Send),
        (0usize..200).prop_map(Step::Send),
        Just(Step::Deliver),
        Just(Step::HandOn),
        Just(Step::Grant),
    ]
}

proptest! {
    #[test]
    fn no_octets_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut reader = FrameReader::default();
        reader.push(&octets);
        while let Ok(Some(_)) = reader.next_frame() {}
    }

    /// A frame some of whose octets are others, come in pieces: read as one that is written the same again, or refused.
    #[test]
    fn a_damaged_frame_is_read_or_refused(
        which in 0..every_kind().len(),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
        piece in 1_usize..40,
    ) {
        let mut octets = to_octets(every_kind().swap_remove(which));
        damage.iter().for_each(|(at, octet)| *at.get_mut(&mut octets) = *octet);
        let mut reader = FrameReader::default();
        for piece in octets.chunks(piece) {
            reader.push(piece);
            match reader.next_frame() {
                Ok(Some(frame)) => {
                    let mut again = FrameReader::default();
                    again.push(&to_octets(frame.clone()));
                    prop_assert_eq!(again.next_frame().expect("read back"), Some(frame));
                }
                Ok(None) => {}
                Err(error) => {
                    prop_assert!(!error.to_string().is_empty());
                    break;
                }
            }
        }
    }

    /// Whatever the order of things, the receiver holds no more than it granted, both together no more than a window, and an
    /// honest sender is never refused.
    #[test]
    fn no_interleaving_makes_a_side_hold_more_than_the_credit(steps in proptest::collection::vec(step(), 0..400)) {
        let (mut sending, mut receiving) = (Sending::default(), Receiving::default());
        sending.grant(WINDOW).expect("the first grant");
        let (mut under_way, mut held, mut grants) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        for step in steps {
            match step {
                Step::Send(wanted) => if let Some(room) = sending.room() {
                    let octets = wanted.min(room);
                    prop_assert!(sending.spend(octets).is_ok());
                    under_way.push_back(octets);
                },
                Step::Deliver => if let Some(octets) = under_way.pop_front() {
                    prop_assert!(receiving.take(octets).is_ok());
                    held.push_back(octets);
                },
                Step::HandOn => if let Some(octets) = held.pop_front() {
                    grants.extend(receiving.hand_on(octets));
                },
                Step::Grant => if let Some(more) = grants.pop_front() {
                    prop_assert!(sending.grant(more).is_ok());
                },
            }
            let here: u32 = held.iter().map(|octets| cost(*octets)).sum();
            let there: u32 = under_way.iter().map(|octets| cost(*octets)).sum();
            prop_assert_eq!(receiving.held(), here);
            prop_assert!(here + there <= WINDOW, "{} here and {} under way", here, there);
        }
        // However it stood, when everything is delivered and handed on the sender can go on with the longest message.
        while let Some(octets) = under_way.pop_front() {
            prop_assert!(receiving.take(octets).is_ok());
            held.push_back(octets);
        }
        while let Some(octets) = held.pop_front() {
            grants.extend(receiving.hand_on(octets));
        }
        while let Some(more) = grants.pop_front() {
            prop_assert!(sending.grant(more).is_ok());
        }
        prop_assert_eq!(sending.room(), Some(MOST_OCTETS));
    }

    #[test]
    fn who_sends_or_grants_too_much_is_found_out(octets in 0usize..MOST_OCTETS, more in 1u32..u32::MAX) {
        let mut receiving = Receiving::default();
        let sent = std::iter::repeat_with(|| receiving.take(octets)).take(3000).find(Result::is_err);
        prop_assert!(sent.is_some() && receiving.held() <= WINDOW);
        let mut sending = Sending::default();
        sending.grant(WINDOW).expect("a window");
        prop_assert!(sending.grant(more).is_err());
    }
}
