use std::time::{Duration, Instant};

use lab_config::{DeviceKind, Lab};
use proptest::prelude::*;
use proto_zigbee::ezsp::commands::*;
use proto_zigbee::ezsp::{
    ApsHeader, Host, HostError, HostEvent, HostSettings, InitialSecurityState, NetworkParameters,
    NetworkState, StackStatus, security_bits,
};
use proto_zigbee::zcl::foundation::Reporting;
use proto_zigbee::zcl::{self, Direction, Frame, ReadRecord, Status};
use proto_zigbee::{Eui64, SMART_ENERGY_PROFILE, Value, basic, metering, zdo};

use super::*;
use crate::home::Home;
use crate::model::tests::NOW;

/// A host, the line, the co-processor and a home within reach, in virtual time.
pub(super) struct Bench {
    host: Host,
    ncp: Ncp,
    pub(super) home: Home,
    reports: Reports,
    tunnels: Tunnels,
    pub(super) lab: Lab,
    now: Instant,
    pub(super) heard: Vec<Callback>,
}

impl Bench {
    pub(super) fn new() -> Self {
        let lab = Lab::embedded().unwrap();
        let home = Home::build(&lab.rigs[0], NOW, 1).unwrap();
        let eui64 = Eui64([0, 0xdb, 0xd0, 0, 0, 0, 0, 1]);
        let identity = Identity { eui64, manufacturer: "maker".to_owned(), board: "board".to_owned() };
        let mut bench = Self {
            host: Host::new(HostSettings::default()),
            ncp: Ncp::new(identity),
            home,
            reports: Reports::default(),
            tunnels: Tunnels::default(),
            lab,
            now: Instant::now(),
            heard: Vec::new(),
        };
        bench.restart();
        bench
    }

    /// A bench whose co-processor begins with a network.
    pub(super) fn formed() -> Self {
        let mut bench = Self::new();
        let identity = bench.ncp.identity.clone();
        let radio = HomeRadio {
            home: &mut bench.home,
            reports: &mut bench.reports,
            tunnels: &mut bench.tunnels,
            now: bench.now,
        };
        bench.ncp = Ncp::new(identity).with_network(&radio);
        bench.restart();
        bench
    }

    pub(super) fn restart(&mut self) {
        self.host.start(self.now);
        self.carry();
        assert!(matches!(self.host.poll_event(), Some(HostEvent::Ready(version)) if version.protocol == 8));
    }

    /// A bench whose co-processor has formed a network that all devices have joined.
    pub(super) fn joined() -> Self {
        let mut bench = Self::new();
        bench.form();
        assert_eq!(bench.ask(PermitJoining { seconds: 60 }).unwrap().status, StackStatus::Success);
        bench.live(Duration::from_secs(2));
        assert_eq!(bench.joins(), 4);
        bench
    }

    fn form(&mut self) {
        let state = InitialSecurityState {
            bitmask: security_bits::HAVE_NETWORK_KEY | security_bits::HASHED_LINK_KEY,
            preconfigured_key: *b"ZigBeeAlliance09",
            network_key: [7; 16],
            key_sequence: 0,
            trust_centre: Eui64::NONE,
        };
        assert_eq!(self.ask(SetInitialSecurityState { state }).unwrap().status, StackStatus::Success);
        assert_eq!(self.ask(FormNetwork { parameters: network() }).unwrap().status, StackStatus::Success);
        assert!(self.heard.iter().any(|callback| matches!(
            callback,
            Callback::StackStatus(StackStatusChanged { status: StackStatus::NetworkUp })
        )));
    }

    fn joins(&self) -> usize {
        self.heard.iter().filter(|callback| matches!(callback, Callback::TrustCentreJoin(_))).count()
    }

    fn carry(&mut self) {
        loop {
            let mut moved = false;
            let radio = &mut HomeRadio {
                home: &mut self.home,
                reports: &mut self.reports,
                tunnels: &mut self.tunnels,
                now: self.now,
            };
            while let Some(octets) = self.host.poll_transmit() {
                self.ncp.receive(&octets, self.now, radio);
                moved = true;
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

    /// Lets time pass, in steps of a tenth of a second.
    pub(super) fn live(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(100);
            self.home.advance(self.home.now().plus(100));
            self.host.handle_timeout(self.now);
            let radio = &mut HomeRadio {
                home: &mut self.home,
                reports: &mut self.reports,
                tunnels: &mut self.tunnels,
                now: self.now,
            };
            self.ncp.handle_timeout(self.now, radio);
            self.carry();
        }
        self.collect();
    }

    fn collect(&mut self) -> Option<Result<Vec<u8>, HostError>> {
        let mut answer = None;
        while let Some(event) = self.host.poll_event() {
            match event {
                HostEvent::Callback(callback) => self.heard.push(callback),
                HostEvent::Response(octets) => answer = Some(Ok(octets)),
                HostEvent::Failed(error) => answer = Some(Err(error)),
                HostEvent::Ready(_) => {}
            }
        }
        answer
    }

    pub(super) fn ask<C: Command>(&mut self, command: C) -> Result<C::Response, HostError> {
        self.host.send(&command, self.now).unwrap();
        self.carry();
        Ok(C::parse_response(&self.collect().unwrap()?).unwrap())
    }

    pub(super) fn address(&mut self, kind: DeviceKind) -> u16 {
        let eui64 = Eui64(self.lab.rigs[0].device(kind).unwrap().eui64.octets());
        self.ask(LookupNodeId { eui64 }).unwrap().address
    }

    /// Sends a frame to a device; what was told of it, and what came back.
    pub(super) fn send(
        &mut self,
        to: u16,
        profile: u16,
        cluster: u16,
        message: Vec<u8>,
    ) -> (StackStatus, Vec<Vec<u8>>) {
        self.heard.clear();
        let endpoint = if profile == zdo::PROFILE { 0 } else { 1 };
        let aps = ApsHeader {
            profile,
            cluster,
            source_endpoint: endpoint,
            destination_endpoint: endpoint,
            options: 0,
            group: 0,
            sequence: 0,
        };
        let sent = self.ask(SendUnicast { kind: 0, destination: to, aps, tag: 9, message }).unwrap();
        assert_eq!(sent.status, StackStatus::Success);
        let mut status = None;
        let mut messages = Vec::new();
        for callback in self.heard.drain(..) {
            match callback {
                Callback::MessageSent(told) if told.tag == 9 => status = Some(told.status),
                Callback::IncomingMessage(incoming) if incoming.sender == to => {
                    messages.push(incoming.message)
                }
                other => panic!("{other:?}"),
            }
        }
        (status.unwrap(), messages)
    }

    fn read(&mut self, to: u16, cluster: u16, ids: &[zcl::AttributeId]) -> Vec<ReadRecord> {
        let frame = Frame::foundation(Direction::ToServer, 5, &zcl::Command::ReadAttributes(ids.to_vec()));
        let (_, mut answers) = self.send(to, SMART_ENERGY_PROFILE, cluster, frame.to_bytes());
        match Frame::parse(&answers.remove(0)).unwrap().command().unwrap() {
            zcl::Command::ReadAttributesResponse(records) => records,
            other => panic!("{other:?}"),
        }
    }
}

fn network() -> NetworkParameters {
    NetworkParameters {
        extended_pan_id: [1; 8],
        pan_id: 0x1a62,
        tx_power: 8,
        channel: 15,
        join_method: 0,
        manager: 0,
        update_id: 0,
        channels: 0x07ff_f800,
    }
}

#[test]
fn a_network_is_formed_kept_over_a_reset_and_left() {
    let mut bench = Bench::new();
    let state = |bench: &mut Bench| bench.ask(GetNetworkState {}).unwrap().state;
    assert_eq!(state(&mut bench), NetworkState::NoNetwork);
    assert_eq!(bench.ask(NetworkInit { options: 0 }).unwrap().status, StackStatus::NotJoined);
    assert_eq!(bench.ask(FormNetwork { parameters: network() }).unwrap().status, StackStatus::InvalidCall);
    bench.form();
    assert_eq!(state(&mut bench), NetworkState::Joined);
    bench.restart();
    assert_eq!(state(&mut bench), NetworkState::NoNetwork);
    assert_eq!(bench.ask(NetworkInit { options: 0 }).unwrap().status, StackStatus::Success);
    assert_eq!(bench.ask(GetNetworkParameters {}).unwrap().parameters, network());
    assert_eq!(bench.ask(GetKey { key_type: 3 }).unwrap().key.key, [7; 16]);
    assert_eq!(bench.ask(LeaveNetwork {}).unwrap().status, StackStatus::Success);
    assert_eq!(bench.ask(NetworkInit { options: 0 }).unwrap().status, StackStatus::NotJoined);
}

#[test]
fn a_network_that_cannot_be_is_refused() {
    let mut bench = Bench::new();
    let state = bench.ask(PermitJoining { seconds: 1 }).unwrap().status;
    assert_eq!(state, StackStatus::InvalidCall);
    let parameters = NetworkParameters { channel: 27, ..network() };
    assert_eq!(bench.ask(FormNetwork { parameters }).unwrap().status, StackStatus::BadArgument);
    let unknown = bench.ask(RemoveDevice { address: 1, eui64: Eui64::NONE, target: Eui64::NONE }).unwrap();
    assert_eq!(unknown.status, StackStatus::NotFound);
}

#[test]
fn devices_join_once_while_they_may_and_say_what_they_have() {
    let mut bench = Bench::joined();
    bench.live(Duration::from_secs(61));
    assert_eq!(bench.joins(), 4);
    let esme = bench.address(DeviceKind::Esme);
    let [low, high] = esme.to_le_bytes();
    let (status, answers) = bench.send(esme, zdo::PROFILE, zdo::ACTIVE_ENDPOINTS, vec![1, low, high]);
    assert_eq!((status, answers), (StackStatus::Success, vec![vec![1, 0, low, high, 1, 1]]));
    let neighbours = bench.ask(NeighbourCount {}).unwrap().count;
    let children = bench.ask(GetParentChildParameters {}).unwrap().children;
    assert_eq!((neighbours, children), (3, 1));
    let gone = Eui64(bench.lab.rigs[0].device(DeviceKind::Ppmid).unwrap().eui64.octets());
    let left = bench.ask(RemoveDevice { address: 0, eui64: gone, target: gone }).unwrap();
    assert_eq!(left.status, StackStatus::Success);
    assert_eq!(bench.ask(NeighbourCount {}).unwrap().count, 2);
}

#[test]
fn a_meter_and_the_gas_proxy_answer_what_their_models_know() {
    let mut bench = Bench::joined();
    let esme = bench.address(DeviceKind::Esme);
    let ids = [metering::CURRENT_SUMMATION_DELIVERED, metering::SUPPLY_STATUS, metering::SITE_ID];
    let records = bench.read(esme, metering::CLUSTER, &ids);
    let shown = bench.home.esme.as_ref().unwrap().device.import_wh();
    assert_eq!(records[0].value, Ok(Value::unsigned(6, shown)));
    assert_eq!(records[1].value, Ok(Value::Enum8(metering::SupplyStatus::On.octet())));
    assert_eq!(records[2].value, Err(Status::UNSUPPORTED_ATTRIBUTE));
    let ppmid = bench.address(DeviceKind::Ppmid);
    let records = bench.read(ppmid, basic::CLUSTER, &[basic::MODEL_IDENTIFIER]);
    let model = &bench.lab.rigs[0].device(DeviceKind::Ppmid).unwrap().model.identity.model;
    assert_eq!(records[0].value.as_ref().unwrap().as_text(), Some(model.as_str()));
    // The gas proxy has values once the gas meter has reported.
    bench.home.advance(bench.home.now().plus(2 * crate::model::time::HALF_HOUR));
    let gpf = bench.address(DeviceKind::Gpf);
    let records = bench.read(gpf, metering::CLUSTER, &[metering::METERING_DEVICE_TYPE, metering::DIVISOR]);
    assert_eq!(records[0].value, Ok(Value::bitmap(1, metering::MIRRORED_GAS_METERING.into())));
    assert_eq!(records[1].value, Ok(Value::unsigned(3, 1000)));
}

#[test]
fn who_does_not_hear_is_said_to_be_not_reached() {
    let mut bench = Bench::joined();
    // The gas meter goes back to sleep.
    bench.live(Duration::from_secs(120));
    let read = basic::read_request(1, &[basic::MODEL_IDENTIFIER]);
    let gsme = bench.address(DeviceKind::Gsme);
    let (status, answers) = bench.send(gsme, SMART_ENERGY_PROFILE, basic::CLUSTER, read.clone());
    assert_eq!((status, answers.len()), (StackStatus::DeliveryFailed, 0));
    let (status, _) = bench.send(0x7777, SMART_ENERGY_PROFILE, basic::CLUSTER, read.clone());
    assert_eq!(status, StackStatus::DeliveryFailed);
    bench.home.set_mains(DeviceKind::Esme, false);
    let esme = bench.address(DeviceKind::Esme);
    let (status, _) = bench.send(esme, SMART_ENERGY_PROFILE, basic::CLUSTER, read);
    assert_eq!(status, StackStatus::DeliveryFailed);
}

#[test]
fn a_meter_reports_as_it_was_told() {
    let mut bench = Bench::joined();
    let esme = bench.address(DeviceKind::Esme);
    let reporting = Reporting::Send {
        id: metering::CURRENT_SUMMATION_DELIVERED,
        data_type: 0x25,
        minimum: 1,
        maximum: 10,
        change: Some(Value::unsigned(6, 1_000_000)),
    };
    let wrong = Reporting::Send {
        id: metering::SUPPLY_STATUS,
        data_type: 0x20,
        minimum: 0,
        maximum: 10,
        change: Some(Value::unsigned(1, 1)),
    };
    let configure = zcl::Command::ConfigureReporting(vec![reporting, wrong]);
    let frame = Frame::foundation(Direction::ToServer, 3, &configure);
    let (_, answers) = bench.send(esme, SMART_ENERGY_PROFILE, metering::CLUSTER, frame.to_bytes());
    match Frame::parse(&answers[0]).unwrap().command().unwrap() {
        zcl::Command::ConfigureReportingResponse(refused) => {
            let refused: Vec<_> = refused.iter().map(|refused| (refused.status, refused.id)).collect();
            assert_eq!(refused, [(Status::INVALID_DATA_TYPE, metering::SUPPLY_STATUS)]);
        }
        other => panic!("{other:?}"),
    }
    bench.heard.clear();
    bench.live(Duration::from_secs(35));
    let reports = bench.heard.iter().filter(|callback| match callback {
        Callback::IncomingMessage(incoming) => matches!(
            Frame::parse(&incoming.message).unwrap().command().unwrap(),
            zcl::Command::ReportAttributes(values) if values[0].0 == metering::CURRENT_SUMMATION_DELIVERED
        ),
        _ => false,
    });
    assert_eq!(reports.count(), 3);
}

#[test]
fn before_a_version_is_agreed_on_nothing_else_is_answered() {
    use proto_zigbee::ash::{self, Link, Role};
    use proto_zigbee::ezsp;
    let mut bench = Bench::new();
    let mut line = Link::new(Role::Host, ash::Settings::default());
    line.reset(bench.now);
    let nop = ezsp::Frame {
        format: ezsp::Format::Extended,
        sequence: 1,
        direction: ezsp::Direction::Command,
        id: Nop::ID,
        parameters: vec![],
    };
    let mut payloads = Vec::new();
    let mut sent = false;
    loop {
        let radio = &mut HomeRadio {
            home: &mut bench.home,
            reports: &mut bench.reports,
            tunnels: &mut bench.tunnels,
            now: bench.now,
        };
        let mut moved = false;
        while let Some(octets) = line.poll_transmit() {
            bench.ncp.receive(&octets, bench.now, radio);
            moved = true;
        }
        while let Some(octets) = bench.ncp.poll_transmit() {
            line.receive(&octets, bench.now);
            moved = true;
        }
        while let Some(event) = line.poll_event() {
            match event {
                ash::Event::Payload(payload) => payloads.push(payload),
                _ => sent = line.send(&nop.to_bytes(), bench.now).is_ok(),
            }
        }
        if !moved {
            break;
        }
    }
    assert!(sent);
    assert_eq!(payloads, [vec![1, 0x80, 1, 0x58, 0, 0x30]]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Whatever a host asks, the co-processor answers with something and stands.
    #[test]
    fn no_command_breaks_it(commands in proptest::collection::vec(
        (0u16..0x100, proptest::collection::vec(any::<u8>(), 0..40)), 1..60,
    )) {
        use proto_zigbee::ash::{self, Link, Role};
        use proto_zigbee::ezsp::{self, Format};
        let mut bench = Bench::joined();
        let mut line = Link::new(Role::Host, ash::Settings { window: 7, ..ash::Settings::default() });
        line.reset(bench.now);
        let frame = |format, id, parameters| {
            ezsp::Frame { format, sequence: 1, direction: ezsp::Direction::Command, id, parameters }.to_bytes()
        };
        let version = [frame(Format::Legacy, 0, vec![8]), frame(Format::Extended, 0, vec![8])];
        let rest = commands.into_iter().map(|(id, parameters)| frame(Format::Extended, id, parameters));
        let mut payloads: std::collections::VecDeque<Vec<u8>> = version.into_iter().chain(rest).collect();
        let asked = payloads.len();
        let mut answers = 0;
        for _ in 0..2000 {
            let radio = &mut HomeRadio {
                home: &mut bench.home,
                reports: &mut bench.reports,
                tunnels: &mut bench.tunnels,
                now: bench.now,
            };
            if let Some(payload) = payloads.front() && line.send(payload, bench.now).is_ok() {
                payloads.pop_front();
            }
            while let Some(octets) = line.poll_transmit() {
                bench.ncp.receive(&octets, bench.now, radio);
            }
            while let Some(octets) = bench.ncp.poll_transmit() {
                line.receive(&octets, bench.now);
            }
            while let Some(event) = line.poll_event() {
                if let ash::Event::Payload(payload) = event {
                    answers += usize::from(payload[1] & 0x98 == 0x80);
                }
            }
            if answers == asked {
                break;
            }
        }
        prop_assert_eq!(answers, asked);
    }
}
