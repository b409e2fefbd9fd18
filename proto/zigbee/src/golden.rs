//! Octets made by an independent peer, zigpy 2.4.0 of PyPI (`zigpy.zcl.foundation`, `zigpy.zcl.clusters.smartenergy`):
//! each must read as the command it was made from, and that command must be written as the same octets.
//!
//! If this fails, do not change the test.

use crate::metering::{
    ChangeSupply, ConfigureMirror, ConfigureNotificationFlags, FlagAllocation, GetNotifiedMessage,
    GetProfile, GetProfileResponse, GetSnapshot, LocalChangeSupply, MirrorRemoved,
    MirrorReportAttributeResponse, ProfileInterval, ProfileStatus, ProposedSupply, PublishSnapshot,
    RemoveMirror, RequestFastPollMode, RequestMirror, RequestMirrorResponse, ScheduleSnapshot,
    SetSupplyStatus, SetUncontrolledFlowThreshold, SnapshotConfirmation, SnapshotPayloadType,
    SnapshotSchedule, SupplyStatusResponse, TakeSnapshot, TakeSnapshotResponse, ToClient, ToServer,
};
use crate::value::{Collection, CollectionKind, Float};
use crate::zcl::foundation::{Discovered, Reporting, ReportingRole, ReportingStatus, WriteFailure};
use crate::zcl::{AttributeId, Command, Direction, Frame, ReadRecord, Status};
use crate::{Counted, ToEnd, U24, UtcTime, Value};

fn u24(value: u32) -> U24 {
    U24::new(value).unwrap()
}

fn to_server(octets: &str, command: impl Into<ToServer>) {
    let command = command.into();
    let frame = Frame::parse(&hex::decode(octets).unwrap()).unwrap();
    assert_eq!(ToServer::of(&frame).unwrap(), command, "{octets}");
    assert_eq!(hex::encode(command.frame(0x2a).to_bytes()), octets);
}

fn to_client(octets: &str, command: impl Into<ToClient>) {
    let command = command.into();
    let frame = Frame::parse(&hex::decode(octets).unwrap()).unwrap();
    assert_eq!(ToClient::of(&frame).unwrap(), command, "{octets}");
    assert_eq!(hex::encode(command.frame(0x2a).to_bytes()), octets);
}

fn foundation(octets: &str, direction: Direction, command: &Command) {
    let frame = Frame::parse(&hex::decode(octets).unwrap()).unwrap();
    assert_eq!(frame.command().unwrap(), *command, "{octets}");
    let built = Frame { manufacturer: frame.manufacturer, ..Frame::foundation(direction, 0x2a, command) };
    assert_eq!(hex::encode(built.to_bytes()), octets);
}

#[test]
fn metering_commands_to_the_meter_are_zigpys() {
    to_server("012a00014433221105", GetProfile { channel: 1, end: UtcTime(0x1122_3344), periods: 5 });
    to_server("012a010302", RequestMirrorResponse { endpoint: 0x0203 });
    to_server("012a02ffff", MirrorRemoved { endpoint: 0xffff });
    to_server("012a03050f", RequestFastPollMode { update_seconds: 5, minutes: 15 });
    let schedule = SnapshotSchedule {
        schedule: 1,
        start: UtcTime(2),
        recurrence: u24(0x12_3456),
        payload_type: SnapshotPayloadType::TiersDelivered,
        cause: 2,
    };
    to_server(
        "012a0401000000000101020000005634120002000000",
        ScheduleSnapshot { issuer_event: 1, index: 0, total: 1, schedules: ToEnd(vec![schedule]) },
    );
    to_server("012a0500040000", TakeSnapshot { cause: 0x400 });
    to_server(
        "012a0601000000ffffffff0203040000",
        GetSnapshot { earliest: UtcTime(1), latest: UtcTime::UNKNOWN, offset: 2, cause: 0x403 },
    );
    to_server(
        "012a09011000000020000000",
        MirrorReportAttributeResponse { scheme: 1, flags: ToEnd(vec![0x10, 0x20]) },
    );
}

#[test]
fn supply_commands_are_zigpys() {
    to_server(
        "012a0b070000000800000009000000000000000101",
        ChangeSupply {
            provider: 7,
            issuer_event: 8,
            requested: UtcTime(9),
            implementation: UtcTime::NOW,
            proposed: ProposedSupply::OffArmed,
            control: 1,
        },
    );
    to_server("012a0c02", LocalChangeSupply { proposed: ProposedSupply::On });
    to_server(
        "012a0d03000000000102ff",
        SetSupplyStatus {
            issuer_event: 3,
            tamper: ProposedSupply::Off,
            depletion: ProposedSupply::OffArmed,
            uncontrolled_flow: ProposedSupply::On,
            load_limit: ProposedSupply::Other(0xff),
        },
    );
    to_server(
        "012a0e010000000200000003000104000500060700",
        SetUncontrolledFlowThreshold {
            provider: 1,
            issuer_event: 2,
            threshold: 3,
            unit_of_measure: 1,
            multiplier: 4,
            divisor: 5,
            stabilisation: 6,
            measurement: 7,
        },
    );
    to_client(
        "092a0c01000000020000000300000002",
        SupplyStatusResponse {
            provider: 1,
            issuer_event: 2,
            implementation: UtcTime(3),
            status: ProposedSupply::On,
        },
    );
}

#[test]
fn metering_commands_from_the_meter_are_zigpys() {
    to_client(
        "092a0088776655000202030201ffffff",
        GetProfileResponse {
            end: UtcTime(0x5566_7788),
            status: ProfileStatus::Success,
            interval: ProfileInterval::Minutes30,
            intervals: Counted(vec![u24(0x01_0203), u24(0xff_ffff)]),
        },
    );
    to_client("092a01", RequestMirror {});
    to_client("092a02", RemoveMirror {});
    to_client(
        "092a050403020101",
        TakeSnapshotResponse { snapshot: 0x0102_0304, confirmation: SnapshotConfirmation::CauseNotSupported },
    );
    to_client(
        "092a06090000000a00000001000102000000040102",
        PublishSnapshot {
            snapshot: 9,
            taken: UtcTime(10),
            found: 1,
            index: 0,
            total: 1,
            cause: 2,
            payload_type: SnapshotPayloadType::TiersDeliveredNoBilling,
            payload: ToEnd(vec![1, 2]),
        },
    );
    to_client(
        "092a08010000000807000102",
        ConfigureMirror {
            issuer_event: 1,
            reporting_interval: u24(1800),
            notification_reporting: 1,
            notification_scheme: 2,
        },
    );
    let allocation = FlagAllocation { cluster: 0x0702, manufacturer: 0xffff, commands: Counted(vec![1, 2]) };
    to_client(
        "092a0a010000000203000207ffff020102",
        ConfigureNotificationFlags {
            issuer_event: 1,
            notification_scheme: 2,
            flag_attribute: 3,
            allocations: ToEnd(vec![allocation]),
        },
    );
    to_client(
        "092a0b01050006000000",
        GetNotifiedMessage { notification_scheme: 1, flag_attribute: 5, flags: 6 },
    );
}

#[test]
fn reads_and_writes_are_zigpys() {
    let (ask, tell) = (Direction::ToServer, Direction::ToClient);
    let id = AttributeId;
    foundation("102a0000000003", ask, &Command::ReadAttributes(vec![id(0), id(0x300)]));
    foundation(
        "182a0100000025060504030201010086",
        tell,
        &Command::ReadAttributesResponse(vec![
            ReadRecord { id: id(0), value: Ok(Value::unsigned(6, 0x0102_0304_0506)) },
            ReadRecord { id: id(1), value: Err(Status::UNSUPPORTED_ATTRIBUTE) },
        ]),
    );
    foundation(
        "1434122a021000420361626311002afeffff",
        ask,
        &Command::WriteAttributes(vec![(id(0x10), Value::text("abc")), (id(0x11), Value::signed(3, -2))]),
    );
    foundation("182a0400", tell, &Command::WriteAttributesResponse(vec![]));
    let failure = WriteFailure { status: Status::READ_ONLY, id: id(0x10) };
    foundation("182a04881000", tell, &Command::WriteAttributesResponse(vec![failure]));
    let malformed = Command::DefaultResponse { command: 0x0b, status: Status::MALFORMED_COMMAND };
    foundation("182a0b0b80", tell, &malformed);
}

#[test]
fn reporting_commands_are_zigpys() {
    let id = AttributeId;
    let summation = Reporting::Send {
        id: id(0),
        data_type: 0x25,
        minimum: 10,
        maximum: 600,
        change: Some(Value::unsigned(6, 1)),
    };
    let supply = Reporting::Send { id: id(0x14), data_type: 0x30, minimum: 0, maximum: 0xffff, change: None };
    let demand = Reporting::Expect { id: id(0x400), timeout: 60 };
    foundation(
        "102a06000000250a005802010000000000001400300000ffff0100043c00",
        Direction::ToServer,
        &Command::ConfigureReporting(vec![summation, supply, demand]),
    );
    let refused =
        ReportingStatus { status: Status::UNREPORTABLE_ATTRIBUTE, role: ReportingRole::Sends, id: id(0x300) };
    foundation("182a078c000003", Direction::ToClient, &Command::ConfigureReportingResponse(vec![refused]));
    foundation(
        "102a08001400",
        Direction::ToServer,
        &Command::ReadReportingConfiguration(vec![(ReportingRole::Sends, id(0x14))]),
    );
    foundation(
        "182a0a0000254d000000000014003002",
        Direction::ToClient,
        &Command::ReportAttributes(vec![(id(0), Value::unsigned(6, 77)), (id(0x14), Value::Enum8(2))]),
    );
}

#[test]
fn discovery_commands_are_zigpys() {
    let (ask, tell) = (Direction::ToServer, Direction::ToClient);
    let id = AttributeId;
    foundation("102a0c000010", ask, &Command::DiscoverAttributes { start: id(0), most: 16 });
    let found = |id, data_type| Discovered { id, data_type, access: None };
    let attributes = vec![found(id(0), 0x25), found(id(0x14), 0x30)];
    foundation(
        "182a0d01000025140030",
        tell,
        &Command::DiscoverAttributesResponse { complete: true, attributes },
    );
    foundation("102a110008", ask, &Command::DiscoverCommands { generated: false, start: 0, most: 8 });
    let commands = vec![0, 6];
    foundation(
        "182a12010006",
        tell,
        &Command::DiscoverCommandsResponse { generated: false, complete: true, commands },
    );
    let attributes = vec![Discovered { id: id(0x14), data_type: 0x30, access: Some(5) }];
    foundation(
        "182a160014003005",
        tell,
        &Command::DiscoverAttributesExtendedResponse { complete: false, attributes },
    );
}

#[test]
fn values_are_zigpys() {
    let eui64 = [0x00, 0xdb, 0x12, 0x34, 0x56, 0x78, 0x90, 0x01];
    let key: Vec<u8> = (0..16).collect();
    let octets =
        Collection::new(CollectionKind::Array, 0x20, (1..=3).map(|n| Value::unsigned(1, n)).collect());
    for (octets, value) in [
        ("4c02002101001001", Value::Structure(vec![Value::unsigned(2, 1), Value::Boolean(true)])),
        ("48200300010203", Value::Collection(octets.unwrap())),
        ("390000c03f", Value::Float(Float::Single(1.5_f32.to_bits()))),
        ("f1000102030405060708090a0b0c0d0e0f", Value::Key(key.try_into().unwrap())),
        ("f0019078563412db00", Value::Ieee(eui64)),
    ] {
        let report = Command::ReportAttributes(vec![(AttributeId(0), value)]);
        assert_eq!(hex::encode(report.payload()), format!("0000{octets}"));
        assert_eq!(Command::parse(0x0a, &report.payload()).unwrap(), report);
    }
}
