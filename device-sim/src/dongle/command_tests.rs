//! Commands of clusters, asked by the dongle: a device answers as it does on the hub's network.

use std::time::Duration;

use lab_config::DeviceKind;
use proto_dlms::apdu::{Apdu, AssociationResult};
use proto_dlms::wrapper::Message;
use proto_zigbee::ezsp::StackStatus;
use proto_zigbee::ezsp::commands::{Callback, LookupNodeId, NetworkInit};
use proto_zigbee::messaging::{self, CONFIRMATION_REQUIRED, DisplayMessage};
use proto_zigbee::metering::{self, GetProfile, GetSnapshot, ProfileStatus, snapshot_cause};
use proto_zigbee::price::{self, GetCurrentPrice};
use proto_zigbee::tunneling::{self, Protocol, RequestTunnel, TransferToServer, TunnelStatus};
use proto_zigbee::zcl::{Command, Frame, Status};
use proto_zigbee::{Eui64, SMART_ENERGY_PROFILE, ToEnd, UtcTime, key_establishment};

use super::tests::Bench;
use crate::model::time::HALF_HOUR;

impl Bench {
    /// The one answer of a device to a command.
    fn command(&mut self, kind: DeviceKind, cluster: u16, frame: &Frame) -> Frame {
        let to = self.address(kind);
        let (status, answers) = self.send(to, SMART_ENERGY_PROFILE, cluster, frame.to_bytes());
        assert_eq!((status, answers.len()), (StackStatus::Success, 1));
        Frame::parse(&answers[0]).unwrap()
    }

    /// Frames that came by themselves in a cluster.
    fn came(&mut self, cluster: u16) -> Vec<Frame> {
        self.heard.clear();
        self.live(Duration::from_millis(300));
        let of = |callback: &Callback| match callback {
            Callback::IncomingMessage(incoming) if incoming.aps.cluster == cluster => {
                Some(Frame::parse(&incoming.message).unwrap())
            }
            _ => None,
        };
        self.heard.iter().filter_map(of).collect()
    }
}

fn refused(frame: &Frame, expected: Status) {
    match frame.command() {
        Ok(Command::DefaultResponse { status, .. }) => assert_eq!(status, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_formed_network_has_every_device_in_it_from_the_start() {
    let mut bench = Bench::formed();
    assert_eq!(bench.ask(NetworkInit { options: 0 }).unwrap().status, StackStatus::Success);
    for device in bench.lab.rigs[0]
        .devices()
        .filter(|device| device.kind != DeviceKind::Chf)
        .cloned()
        .collect::<Vec<_>>()
    {
        let eui64 = Eui64(device.eui64.octets());
        assert_ne!(bench.ask(LookupNodeId { eui64 }).unwrap().address, 0xffff, "{}", device.kind);
    }
}

#[test]
fn the_price_in_force_is_published_to_whoever_asks() {
    let mut bench = Bench::joined();
    let asked = price::ToServer::from(GetCurrentPrice { options: 0 }).frame(9);
    let answer = bench.command(DeviceKind::Esme, price::CLUSTER, &asked);
    let Ok(price::ToClient::PublishPrice(published)) = price::ToClient::of(&answer) else {
        panic!("{answer:?}")
    };
    let esme = &bench.home.esme.as_ref().unwrap().device;
    let expected = esme.connection.prices().unit[esme.register()].get();
    assert_eq!((answer.sequence, i64::from(published.price), published.currency), (9, expected, 826));
    bench.home.advance(bench.home.now().plus(2 * HALF_HOUR));
    let answer = bench.command(DeviceKind::Gpf, price::CLUSTER, &asked);
    assert!(
        matches!(price::ToClient::of(&answer), Ok(price::ToClient::PublishPrice(gas)) if gas.unit_of_measure == 1)
    );
}

#[test]
fn a_profile_comes_latest_first_and_no_longer_than_a_frame() {
    let mut bench = Bench::joined();
    let mut ask = |kind, channel, end, periods| {
        let asked = metering::ToServer::from(GetProfile { channel, end, periods }).frame(3);
        match metering::ToClient::of(&bench.command(kind, metering::CLUSTER, &asked)) {
            Ok(metering::ToClient::GetProfileResponse(answer)) => answer,
            other => panic!("{other:?}"),
        }
    };
    let latest = ask(DeviceKind::Esme, 0, UtcTime::NOW, 3);
    assert_eq!((latest.status, latest.intervals.0.len()), (ProfileStatus::Success, 3));
    let before = ask(DeviceKind::Esme, 0, UtcTime(latest.end.0 - 1800), 2);
    assert_eq!(before.intervals.0, latest.intervals.0[1..]);
    let many = ask(DeviceKind::Esme, 1, UtcTime::NOW, 200);
    assert_eq!((many.status, many.intervals.0.len()), (ProfileStatus::MorePeriodsThanReturned, 22));
    assert_eq!(ask(DeviceKind::Esme, 2, UtcTime::NOW, 1).status, ProfileStatus::UndefinedChannel);
    assert_eq!(ask(DeviceKind::Esme, 0, UtcTime(1), 1).status, ProfileStatus::NoIntervals);
    assert_eq!(ask(DeviceKind::Gpf, 0, UtcTime::NOW, 1).status, ProfileStatus::Success);
    assert_eq!(ask(DeviceKind::Gpf, 1, UtcTime::NOW, 1).status, ProfileStatus::ChannelNotSupported);
}

#[test]
fn a_snapshot_is_asked_for_and_published_under_the_numbers_of_the_model() {
    let mut bench = Bench::joined();
    let ids = bench.home.snapshot_ids_of(DeviceKind::Gpf);
    let ask = |cause, offset| {
        let asked = GetSnapshot { earliest: UtcTime(0), latest: UtcTime::NOW, offset, cause };
        ids.translate(metering::ToServer::from(asked).frame(4))
    };
    let answer = bench.command(DeviceKind::Gpf, metering::CLUSTER, &ask(snapshot_cause::GENERAL, 0));
    let Ok(metering::ToClient::PublishSnapshot(found)) = ids.to_client(&answer) else { panic!("{answer:?}") };
    let mirror = &bench.home.proxy.as_ref().unwrap().device.mirror;
    assert_eq!(usize::from(found.found), mirror.days().len());
    let litres = mirror.days().next().unwrap().litres.to_le_bytes();
    assert_eq!(found.payload.0, [&litres[..6], &[0]].concat());
    let last = u8::try_from(mirror.days().len()).unwrap();
    let none = bench.command(DeviceKind::Gpf, metering::CLUSTER, &ask(snapshot_cause::GENERAL, last));
    refused(&none, Status::NOT_FOUND);
    let none = bench.command(DeviceKind::Gpf, metering::CLUSTER, &ask(snapshot_cause::CHANGE_OF_TENANCY, 0));
    refused(&none, Status::NOT_FOUND);
}

#[test]
fn nothing_from_before_a_change_of_tenancy_is_given_to_the_house() {
    let mut bench = Bench::joined();
    let connection = &mut bench.home.esme.as_mut().unwrap().device.connection;
    let shown = connection.core.shown();
    connection.customer.restrict(shown.plus(-3 * HALF_HOUR), shown).unwrap();
    let proxy = &mut bench.home.proxy.as_mut().unwrap().device;
    proxy.customer.restrict(proxy.core.shown(), proxy.core.shown()).unwrap();
    let ask = |channel| GetProfile { channel, end: UtcTime::NOW, periods: 8 };
    let asked = metering::ToServer::from(ask(0)).frame(3);
    let answer = bench.command(DeviceKind::Esme, metering::CLUSTER, &asked);
    let Ok(metering::ToClient::GetProfileResponse(profile)) = metering::ToClient::of(&answer) else {
        panic!("{answer:?}")
    };
    assert_eq!(profile.intervals.0.len(), 3, "the half hours that ended since");
    let ids = bench.home.snapshot_ids_of(DeviceKind::Gpf);
    let general = snapshot_cause::GENERAL;
    let asked = GetSnapshot { earliest: UtcTime(0), latest: UtcTime::NOW, offset: 0, cause: general };
    let asked = ids.translate(metering::ToServer::from(asked).frame(4));
    refused(&bench.command(DeviceKind::Gpf, metering::CLUSTER, &asked), Status::NOT_FOUND);
}

#[test]
fn a_message_of_the_dongle_is_confirmed_to_the_dongle() {
    let mut bench = Bench::joined();
    let message = DisplayMessage { control: CONFIRMATION_REQUIRED, ..DisplayMessage::now(9, 5, b"Reply") };
    let shown =
        bench.command(DeviceKind::Ppmid, messaging::CLUSTER, &messaging::ToClient::from(message).frame(6));
    refused(&shown, Status::SUCCESS);
    assert_eq!(bench.came(messaging::CLUSTER), []);
    bench.home.display.as_mut().unwrap().device.confirm(UtcTime(7)).unwrap();
    bench.home.carry();
    let came = bench.came(messaging::CLUSTER);
    let confirmed = came.iter().map(messaging::ToServer::of).collect::<Vec<_>>();
    assert!(
        matches!(&confirmed[..], [Ok(messaging::ToServer::MessageConfirmation(told))] if told.id == 9),
        "{confirmed:?}"
    );
}

/// AARQ of the public client without ciphering, as published examples have it.
const AARQ: [u8; 31] = [
    0x60, 0x1d, 0xa1, 0x09, 0x06, 0x07, 0x60, 0x85, 0x74, 0x05, 0x08, 0x01, 0x01, 0xbe, 0x10, 0x04, 0x0e,
    0x01, 0x00, 0x00, 0x00, 0x06, 0x5f, 0x1f, 0x04, 0x00, 0x00, 0x7e, 0x1f, 0x04, 0xb0,
];

#[test]
fn a_tunnel_carries_dlms_to_a_meter_and_back() {
    let mut bench = Bench::joined();
    let esme = bench.address(DeviceKind::Esme);
    let put = |bench: &mut Bench, command: tunneling::ToServer| {
        let mut frame = command.frame(1);
        frame.disable_default_response = true;
        let (status, _) = bench.send(esme, SMART_ENERGY_PROFILE, tunneling::CLUSTER, frame.to_bytes());
        assert_eq!(status, StackStatus::Success);
        bench.came(tunneling::CLUSTER)
    };
    let request = |protocol| RequestTunnel {
        protocol,
        manufacturer: 0xffff,
        flow_control: 0,
        max_incoming: Some(1500),
    };
    let opened = put(&mut bench, request(Protocol::DlmsCosem).into());
    let Ok(tunneling::ToClient::RequestTunnelResponse(opened)) = tunneling::ToClient::of(&opened[0]) else {
        panic!("{opened:?}")
    };
    assert_eq!(opened.status, TunnelStatus::Success);
    let refused = put(&mut bench, request(Protocol::MBus).into());
    assert!(matches!(
        tunneling::ToClient::of(&refused[0]),
        Ok(tunneling::ToClient::RequestTunnelResponse(refused)) if refused.status == TunnelStatus::ProtocolNotSupported
    ));
    let message = Message { source: 16, destination: 1, apdu: AARQ.to_vec() }.encode().unwrap();
    // In two halves, as a radio carries a long one.
    let (first, second) = message.split_at(20);
    let transfer = |data: &[u8]| TransferToServer { tunnel: opened.tunnel, data: ToEnd(data.to_vec()) };
    assert_eq!(put(&mut bench, transfer(first).into()), []);
    let answers = put(&mut bench, transfer(second).into());
    let data: Vec<u8> = answers
        .iter()
        .flat_map(|answer| match tunneling::ToClient::of(answer) {
            Ok(tunneling::ToClient::TransferToClient(transfer)) => transfer.data.0,
            other => panic!("{other:?}"),
        })
        .collect();
    let answer = Message::decode(&data).unwrap();
    assert_eq!((answer.source, answer.destination), (1, 16));
    assert!(
        matches!(Apdu::decode(&answer.apdu), Ok(Apdu::Aare(aare)) if aare.result == AssociationResult::Accepted),
        "{answer:?}"
    );
}

#[test]
fn a_key_is_refused_in_the_words_of_the_cluster() {
    use key_establishment::{
        ImplicitCertificate, InitiateKeyEstablishment, SUITE_1, Termination, ToClient, ToServer,
    };
    let mut bench = Bench::joined();
    let certificate =
        ImplicitCertificate { reconstruction: [2; 22], subject: [1; 8], issuer: [4; 8], profile: [5; 10] };
    let asked =
        InitiateKeyEstablishment { suites: SUITE_1, ephemeral_seconds: 5, confirm_seconds: 6, certificate };
    for kind in [DeviceKind::Esme, DeviceKind::Gpf] {
        let answer = bench.command(kind, key_establishment::CLUSTER, &ToServer::from(asked.clone()).frame(2));
        assert!(matches!(
            ToClient::of(&answer),
            Ok(ToClient::TerminateByResponder(end)) if end.status == Termination::UnknownIssuer
        ));
    }
}
