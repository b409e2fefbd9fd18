use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::commands::*;
use super::*;
use crate::ash::{self, Link, LinkError, Role};
use crate::{Eui64, ToEnd};

const HUB: Eui64 = Eui64([0x00, 0xdb, 0x12, 0x34, 0x56, 0x78, 0x90, 0x01]);
const CHILD: Eui64 = Eui64([0x00, 0xdb, 0x12, 0x34, 0x56, 0x78, 0x90, 0x02]);

fn network() -> NetworkParameters {
    NetworkParameters {
        extended_pan_id: [8, 7, 6, 5, 4, 3, 2, 1],
        pan_id: 0x1a62,
        tx_power: 8,
        channel: 15,
        join_method: 0,
        manager: 0,
        update_id: 0,
        channels: 0x07ff_f800,
    }
}

fn aps() -> ApsHeader {
    let options = aps_option::RETRY | aps_option::ENABLE_ROUTE_DISCOVERY;
    ApsHeader {
        profile: 0x0109,
        cluster: 0x0702,
        source_endpoint: 1,
        destination_endpoint: 2,
        options,
        group: 0,
        sequence: 9,
    }
}

/// The frame of a command is these octets, and they read as the command.
fn command<C: Command + PartialEq + std::fmt::Debug>(
    format: Format,
    sequence: u8,
    octets: &str,
    command: &C,
) {
    let parameters = command.to_bytes();
    let frame = Frame { format, sequence, direction: Direction::Command, id: C::ID, parameters };
    assert_eq!(hex::encode(frame.to_bytes()), octets, "{}", C::NAME);
    let read = Frame::parse(format, &hex::decode(octets).unwrap()).unwrap();
    assert_eq!(read, frame);
    assert_eq!(&C::parse(&read.parameters).unwrap(), command);
}

fn response<C: Command>(octets: &str, response: &C::Response)
where
    C::Response: PartialEq + std::fmt::Debug,
{
    assert_eq!(hex::encode(C::response_to_bytes(response)), octets, "{}", C::NAME);
    assert_eq!(&C::parse_response(&hex::decode(octets).unwrap()).unwrap(), response);
}

/// Octets made by an independent peer, bellows 1.2.1 of PyPI (`bellows.ezsp.v4`, `bellows.ezsp.v8`). If this fails, do
/// not change the test.
#[test]
fn commands_are_those_of_bellows() {
    command(Format::Legacy, 1, "01000004", &AskVersion { desired: 4 });
    command(Format::Extended, 2, "020001000008", &AskVersion { desired: 8 });
    command(
        Format::Extended,
        2,
        "0200011e000807060504030201621a080f0000000000f8ff07",
        &FormNetwork { parameters: network() },
    );
    let message = vec![0, 1, 0];
    command(
        Format::Extended,
        2,
        "020001340000341209010207010240010000090703000100",
        &SendUnicast { kind: 0, destination: 0x1234, aps: aps(), tag: 7, message },
    );
    let clusters = ToEnd(vec![0x0000, 0x0700, 0x0702]);
    command(
        Format::Extended,
        2,
        "02000102000109010005000102000000070207",
        &AddEndpoint {
            endpoint: 1,
            profile: 0x0109,
            device: 0x0500,
            version: 0,
            servers: 1,
            clients: 2,
            clusters,
        },
    );
    let state = InitialSecurityState {
        bitmask: 0x1b04,
        preconfigured_key: *b"ZigBeeAlliance09",
        network_key: std::array::from_fn(|n| u8::try_from(n).unwrap()),
        key_sequence: 0,
        trust_centre: HUB,
    };
    command(
        Format::Extended,
        2,
        "0200016800041b5a6967426565416c6c69616e63653039000102030405060708090a0b0c0d0e0f00019078563412db00",
        &SetInitialSecurityState { state },
    );
}

/// As above.
#[test]
fn responses_are_those_of_bellows() {
    response::<GetNetworkParameters>(
        "00010807060504030201621a080f0000000000f8ff07",
        &GetNetworkParametersResponse {
            status: StackStatus::Success,
            node_type: NodeType::Coordinator,
            parameters: network(),
        },
    );
    let child = ChildData {
        eui64: CHILD,
        node_type: NodeType::SleepyEndDevice,
        address: 0x1234,
        phy: 0,
        power: 0,
        timeout: 8,
    };
    response::<GetChildData>(
        "00029078563412db00043412000008",
        &GetChildDataResponse { status: StackStatus::Success, child },
    );
    let neighbour = Neighbour { address: 1, average_lqi: 2, in_cost: 3, out_cost: 4, age: 5, eui64: CHILD };
    response::<GetNeighbour>(
        "00010002030405029078563412db00",
        &GetNeighbourResponse { status: StackStatus::Success, neighbour },
    );
    let key = KeyStruct {
        bitmask: 0x1b,
        key_type: 3,
        key: std::array::from_fn(|n| u8::try_from(n).unwrap()),
        outgoing_frame_counter: 1,
        incoming_frame_counter: 2,
        sequence: 3,
        partner: HUB,
    };
    response::<GetKey>(
        "001b0003000102030405060708090a0b0c0d0e0f010000000200000003019078563412db00",
        &GetKeyResponse { status: StackStatus::Success, key },
    );
    response::<GetValue>(
        "00020102",
        &GetValueResponse { status: ProtocolStatus::Success, value: vec![1, 2] },
    );
}

/// As above.
#[test]
fn callbacks_are_those_of_bellows() {
    let incoming = IncomingMessage {
        kind: 0,
        aps: aps(),
        lqi: 255,
        rssi: -40,
        sender: 0x1234,
        binding: 0xff,
        address: 0xff,
        message: vec![0x18, 0x01],
    };
    let sent = MessageSent {
        kind: 0,
        destination: 0x1234,
        aps: aps(),
        tag: 7,
        status: StackStatus::DeliveryFailed,
        message: vec![],
    };
    let joined = TrustCentreJoin { address: 0x1234, eui64: CHILD, status: 1, decision: 0, parent: 0 };
    for (octets, callback) in [
        ("000901020701024001000009ffd83412ffff021801", Callback::IncomingMessage(incoming)),
        ("0034120901020701024001000009076600", Callback::MessageSent(sent)),
        ("3412029078563412db0001000000", Callback::TrustCentreJoin(joined)),
    ] {
        assert_eq!(hex::encode(callback.to_bytes()), octets);
        assert_eq!(Callback::parse(callback.id(), &hex::decode(octets).unwrap()).unwrap(), callback);
    }
}

/// A co-processor that answers what the test says, on a perfect line and in virtual time.
struct Bench {
    host: Host,
    ncp: Link,
    now: Instant,
}

type Answer<'a> = &'a mut dyn FnMut(&Frame) -> Vec<Frame>;

impl Bench {
    fn new() -> Self {
        let mut bench = Self {
            host: Host::new(HostSettings::default()),
            ncp: Link::new(Role::Ncp, ash::Settings::default()),
            now: Instant::now(),
        };
        bench.host.start(bench.now);
        bench
    }

    fn carry(&mut self, answer: Answer<'_>) {
        loop {
            let mut moved = false;
            while let Some(octets) = self.host.poll_transmit() {
                self.ncp.receive(&octets, self.now);
                moved = true;
            }
            while let Some(event) = self.ncp.poll_event() {
                let ash::Event::Payload(payload) = event else { continue };
                let format = if payload.get(2) == Some(&0) { Format::Legacy } else { Format::Extended };
                for frame in answer(&Frame::parse(format, &payload).unwrap()) {
                    self.ncp.send(&frame.to_bytes(), self.now).unwrap();
                }
            }
            while let Some(octets) = self.ncp.poll_transmit() {
                self.host.receive(&octets, self.now);
                moved = true;
            }
            if !moved {
                return;
            }
        }
    }
}

fn answer_to(command: &Frame, id: u16, parameters: Vec<u8>) -> Frame {
    Frame { direction: Direction::Response, id, parameters, ..command.clone() }
}

/// Says that it is a co-processor of a version, and nothing else.
fn of_version(version: u8) -> impl FnMut(&Frame) -> Vec<Frame> {
    move |frame| match frame.id {
        AskVersion::ID => {
            let response = AskVersionResponse { version, stack_type: 2, stack_version: 0x67a0 };
            vec![answer_to(frame, AskVersion::ID, AskVersion::response_to_bytes(&response))]
        }
        _ => vec![],
    }
}

#[test]
fn a_session_begins_with_the_version_and_then_takes_commands() {
    let mut bench = Bench::new();
    bench.carry(&mut of_version(8));
    let version = Version { protocol: 8, stack_type: 2, stack: 0x67a0 };
    assert_eq!(bench.host.poll_event(), Some(HostEvent::Ready(version)));
    assert_eq!(version.to_string(), "EZSP 8, stack 6.7.10.0");
    bench.host.send(&GetEui64 {}, bench.now).unwrap();
    assert_eq!(bench.host.send(&Nop {}, bench.now), Err(HostError::NotReady));
    bench.carry(&mut |frame| {
        let status = Callback::StackStatus(StackStatusChanged { status: StackStatus::NetworkUp });
        let mut callback = answer_to(frame, status.id(), status.to_bytes());
        callback.direction = Direction::Callback;
        let response = GetEui64::response_to_bytes(&GetEui64Response { eui64: HUB });
        vec![callback, answer_to(frame, GetEui64::ID, response)]
    });
    assert!(matches!(bench.host.poll_event(), Some(HostEvent::Callback(Callback::StackStatus(_)))));
    let Some(HostEvent::Response(response)) = bench.host.poll_event() else { panic!() };
    assert_eq!(GetEui64::parse_response(&response).unwrap().eui64, HUB);
}

#[test]
fn a_version_we_do_not_speak_ends_the_session() {
    for version in [4, 14] {
        let mut bench = Bench::new();
        bench.carry(&mut of_version(version));
        assert_eq!(bench.host.poll_event(), Some(HostEvent::Failed(HostError::Version(version))));
        assert!(!bench.host.is_ready());
    }
}

#[test]
fn a_command_that_is_refused_or_not_answered_fails_and_the_session_goes_on() {
    let mut bench = Bench::new();
    bench.carry(&mut of_version(9));
    bench.host.poll_event();
    bench.host.send(&GetNodeId {}, bench.now).unwrap();
    bench.carry(&mut |frame| vec![answer_to(frame, INVALID_COMMAND, vec![0x31])]);
    let refused = HostError::Refused { id: GetNodeId::ID, status: ProtocolStatus::InvalidFrameId };
    assert_eq!(bench.host.poll_event(), Some(HostEvent::Failed(refused)));
    bench.host.send(&GetNodeId {}, bench.now).unwrap();
    bench.carry(&mut |_| vec![]);
    bench.now = bench.host.poll_timeout().unwrap();
    bench.host.handle_timeout(bench.now);
    let silent = HostError::NoResponse { id: GetNodeId::ID, waited: Duration::from_secs(10) };
    assert_eq!(bench.host.poll_event(), Some(HostEvent::Failed(silent)));
    assert!(bench.host.is_ready());
}

#[test]
fn no_co_processor_is_said_as_what_to_look_at() {
    let mut host = Host::new(HostSettings::default());
    host.start(Instant::now());
    while let Some(due) = host.poll_timeout() {
        host.handle_timeout(due);
    }
    let Some(HostEvent::Failed(error)) = host.poll_event() else { panic!() };
    assert_eq!(error, HostError::Link(LinkError::NoReset { resets: 3 }));
    assert!(error.to_string().contains("are speed and flow control its own?"));
}

proptest! {
    #[test]
    fn no_payload_breaks_a_session(
        payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..60), ready: bool,
    ) {
        let mut bench = Bench::new();
        if ready {
            bench.carry(&mut of_version(8));
            bench.host.send(&GetNodeId {}, bench.now).unwrap();
        }
        bench.carry(&mut |_| vec![]);
        for payload in payloads {
            let _ = bench.ncp.send(&payload, bench.now);
            bench.carry(&mut |_| vec![]);
        }
        prop_assert!(std::iter::from_fn(|| bench.host.poll_event()).count() <= 128);
    }
}
