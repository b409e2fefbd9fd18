//! Every Smart Energy command this project builds, read by Wireshark's dissectors, which are nobody's of ours: the command
//! must have the name we gave it, every field must be there, and nothing may be left over or missing.

use std::process::Command;

use proto_zigbee::aps::ApsFrame;
use proto_zigbee::{Counted, ToEnd, U24, U48, UtcTime};
use proto_zigbee::{drlc, key_establishment, messaging, metering, prepayment, price, tunneling};
use serde_json::Value;

use crate::air::capture;

fn u24(value: u32) -> U24 {
    U24::new(value).unwrap()
}

/// What Wireshark says of each frame.
fn dissected(frames: &[ApsFrame]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("air.pcap");
    std::fs::write(&file, capture(frames)).unwrap();
    let out = Command::new("tshark")
        .args(["-n", "-T", "json", "-r"])
        .arg(&file)
        .output()
        .unwrap_or_else(|error| panic!("tshark could not be started ({error}); tests/run installs it"));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// All fields of a dissection that belong to a Smart Energy cluster, in order, with what they show.
fn fields(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if let (true, Some(text)) = (name.starts_with("zbee_zcl_se."), inner.as_str()) {
                    found.push((name.clone(), text.to_owned()));
                }
                fields(inner, found);
            }
        }
        Value::Array(all) => all.iter().for_each(|inner| fields(inner, found)),
        _ => {}
    }
}

/// The dissection of each frame has no fault and has these fields.
fn expect(cases: Vec<(ApsFrame, &[(&str, &str)])>) {
    let (frames, wanted): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let told = dissected(&frames);
    assert_eq!(told.len(), frames.len());
    for ((frame, told), wanted) in frames.iter().zip(&told).zip(wanted) {
        let octets = hex::encode(frame.to_bytes());
        let layers = &told["_source"]["layers"];
        let text = layers.to_string();
        assert!(!text.contains("_ws.malformed"), "{octets}: {layers:#}");
        assert!(layers.get("data").is_none(), "octets left over in {octets}: {layers:#}");
        let mut found = Vec::new();
        fields(layers, &mut found);
        for (name, value) in wanted {
            let name = format!("zbee_zcl_se.{name}");
            assert!(
                found.iter().any(|(found, shown)| *found == name && shown == value),
                "{octets}: no {name} = {value} in {found:#?}"
            );
        }
    }
}

#[test]
fn wireshark_reads_our_price_commands() {
    use price::*;
    let start = UtcTime(800_000_000);
    let publish = PublishPrice {
        provider: 1,
        rate_label: b"DAY".to_vec(),
        issuer_event: 2,
        current_time: start,
        unit_of_measure: 0,
        currency: 826,
        trailing_digit_and_tier: 0x21,
        tiers_and_register: 0x21,
        start,
        minutes: 0xffff,
        price: 1555,
        price_ratio: Some(0xff),
        generation_price: Some(u32::MAX),
        generation_price_ratio: Some(0xff),
        alternate_cost: Some(u32::MAX),
        alternate_cost_unit: Some(0xff),
        alternate_cost_trailing_digit: Some(0xff),
        block_thresholds: Some(0xff),
        control: Some(0),
    };
    let tariff = PublishTariffInformation {
        provider: 1,
        issuer_event: 2,
        issuer_tariff: 3,
        start,
        tariff_type_and_scheme: 0,
        label: b"LAB".to_vec(),
        price_tiers: 2,
        block_thresholds: 1,
        unit_of_measure: 0,
        currency: 826,
        price_trailing_digit: 0x20,
        standing_charge: 2500,
        tier_block_mode: 0xff,
        threshold_multiplier: u24(1),
        threshold_divisor: u24(1000),
    };
    let prices =
        ToEnd(vec![TierPrice { tier_or_block: 1, price: 10 }, TierPrice { tier_or_block: 2, price: 20 }]);
    let matrix = PublishPriceMatrix {
        provider: 1,
        issuer_event: 2,
        start,
        issuer_tariff: 3,
        index: 0,
        total: 1,
        control: 1,
        prices,
    };
    let thresholds = ToEnd(vec![TierThresholds {
        tier: 1,
        thresholds: vec![U48::new(77).unwrap(), U48::new(99).unwrap()],
    }]);
    let blocks = PublishBlockThresholds {
        provider: 1,
        issuer_event: 2,
        start,
        issuer_tariff: 3,
        index: 0,
        total: 1,
        control: 0,
        thresholds,
    };
    let tx = "price.cmd.srv_tx.id";
    let rx = "price.cmd.srv_rx.id";
    expect(vec![
        (ToClient::from(publish).smart_energy(1), &[(tx, "0x00")]),
        (
            ToClient::from(PublishConversionFactor {
                issuer_event: 1,
                start,
                factor: 10226,
                trailing_digit: 0x40,
            })
            .smart_energy(2),
            &[(tx, "0x02"), ("price.conversion_factor", "10226")],
        ),
        (
            ToClient::from(PublishCalorificValue {
                issuer_event: 1,
                start,
                value: 393,
                unit: 1,
                trailing_digit: 0x10,
            })
            .smart_energy(3),
            &[(tx, "0x03"), ("price.calorific_value", "393")],
        ),
        (
            ToClient::from(tariff).smart_energy(4),
            &[
                (tx, "0x04"),
                ("price.tariff_information.tariff_label", "LAB"),
                ("price.tariff_information.standing_charge", "2500"),
                ("price.tariff_information.block_threshold_divisor", "1000"),
            ],
        ),
        (ToClient::from(matrix).smart_energy(5), &[(tx, "0x05"), ("price.price_matrix.price", "20")]),
        (ToClient::from(blocks).smart_energy(6), &[(tx, "0x06"), ("price.block_threshold", "99")]),
        (ToServer::from(GetCurrentPrice { options: 1 }).smart_energy(7), &[(rx, "0x00")]),
        (ToServer::from(GetScheduledPrices { start, events: 2 }).smart_energy(8), &[(rx, "0x01")]),
    ]);
}

#[test]
fn wireshark_reads_our_load_control_and_messaging_commands() {
    use messaging::{CancelMessage, DisplayMessage, MessageConfirmation};
    let start = UtcTime(800_000_000);
    let event = drlc::LoadControlEvent {
        issuer_event: 7,
        device_class: 4,
        enrolment_group: 0,
        start,
        minutes: 30,
        criticality: 3,
        cooling_offset: 0xff,
        heating_offset: 0xff,
        cooling_set_point: i16::MIN,
        heating_set_point: i16::MIN,
        load_adjustment: -20,
        duty_cycle: 50,
        control: 3,
    };
    let cancel = drlc::CancelLoadControlEvent {
        issuer_event: 7,
        device_class: 4,
        enrolment_group: 0,
        control: 1,
        effective: start,
    };
    let reported = drlc::ReportEventStatus {
        issuer_event: 7,
        status: drlc::EventStatus::Started,
        since: start,
        criticality: 3,
        cooling_set_point: i16::MIN,
        heating_set_point: i16::MIN,
        load_adjustment: -20,
        duty_cycle: 50,
        control: 3,
        signature_type: 0,
        signature: Some([0xff; 42]),
    };
    let message = DisplayMessage {
        id: 9,
        control: messaging::CONFIRMATION_REQUIRED,
        start,
        minutes: 60,
        text: b"Low credit".to_vec(),
        extended_control: None,
    };
    let confirmed = MessageConfirmation { id: 9, confirmed: start, answer: None, response: None };
    expect(vec![
        (
            drlc::ToClient::from(event).smart_energy(1),
            &[
                ("drlc.cmd.srv_tx.id", "0x00"),
                ("drlc.average_load_adjustment_percentage", "-20"),
                ("drlc.duty_cycle", "0x32"),
            ],
        ),
        (drlc::ToClient::from(cancel).smart_energy(2), &[("drlc.cmd.srv_tx.id", "0x01")]),
        (
            drlc::ToServer::from(reported).smart_energy(3),
            &[("drlc.cmd.srv_rx.id", "0x00"), ("drlc.report_event.event_status", "0x02")],
        ),
        (
            messaging::ToClient::from(message).smart_energy(4),
            &[("msg.cmd.srv_tx.id", "0x00"), ("msg.message", "Low credit"), ("msg.message.duration", "60")],
        ),
        (
            messaging::ToClient::from(CancelMessage { id: 9, control: 0 }).smart_energy(5),
            &[("msg.cmd.srv_tx.id", "0x01"), ("msg.message.id", "0x00000009")],
        ),
        (
            messaging::ToServer::from(confirmed).smart_energy(6),
            &[("msg.cmd.srv_rx.id", "0x01"), ("msg.message.id", "0x00000009")],
        ),
    ]);
}

#[test]
fn wireshark_reads_our_metering_commands() {
    use metering::*;
    let now = UtcTime(800_000_000);
    let profile = GetProfileResponse {
        end: now,
        status: ProfileStatus::Success,
        interval: ProfileInterval::Minutes30,
        intervals: Counted(vec![u24(5), u24(6)]),
    };
    let mirror = ConfigureMirror {
        issuer_event: 1,
        reporting_interval: u24(1800),
        notification_reporting: 1,
        notification_scheme: 2,
    };
    let supply = ChangeSupply {
        provider: 1,
        issuer_event: 2,
        requested: now,
        implementation: UtcTime::NOW,
        proposed: ProposedSupply::OffArmed,
        control: 1,
    };
    let standing = SupplyStatusResponse {
        provider: 1,
        issuer_event: 2,
        implementation: now,
        status: ProposedSupply::On,
    };
    let snapshot = GetSnapshot {
        earliest: UtcTime(1),
        latest: now,
        offset: 0,
        cause: snapshot_cause::END_OF_BILLING_PERIOD,
    };
    let (tx, rx) = ("met.cmd.srv_tx.id", "met.cmd.srv_rx.id");
    expect(vec![
        (ToServer::from(GetProfile { channel: 0, end: now, periods: 2 }).smart_energy(1), &[(rx, "0x00")]),
        (ToClient::from(profile).smart_energy(2), &[(tx, "0x00")]),
        (ToClient::from(RequestMirror {}).smart_energy(3), &[(tx, "0x01")]),
        (ToServer::from(RequestMirrorResponse { endpoint: 2 }).smart_energy(4), &[(rx, "0x01")]),
        (ToClient::from(mirror).smart_energy(5), &[(tx, "0x08")]),
        (ToClient::from(RemoveMirror {}).smart_energy(6), &[(tx, "0x02")]),
        (ToServer::from(MirrorRemoved { endpoint: 2 }).smart_energy(7), &[(rx, "0x02")]),
        (ToServer::from(snapshot).smart_energy(8), &[(rx, "0x06")]),
        (ToServer::from(supply).smart_energy(9), &[(rx, "0x0b")]),
        (ToClient::from(standing).smart_energy(10), &[(tx, "0x0c")]),
    ]);
}

#[test]
fn wireshark_reads_our_tunneling_commands() {
    use tunneling::*;
    let request = RequestTunnel {
        protocol: Protocol::DlmsCosem,
        manufacturer: STANDARD_PROTOCOL,
        flow_control: 0,
        max_incoming: Some(1500),
    };
    let opened = RequestTunnelResponse { tunnel: 3, status: TunnelStatus::Success, max_incoming: Some(512) };
    let refused = TransferErrorToClient { tunnel: 3, status: TransferStatus::DataOverflow };
    let (tx, rx) = ("tun.cmd.srv_tx.id", "tun.cmd.srv_rx.id");
    expect(vec![
        (ToServer::from(request).smart_energy(1), &[(rx, "0x00"), ("tun.max_in_transfer_size", "0x05dc")]),
        (
            ToClient::from(opened).smart_energy(2),
            &[(tx, "0x00"), ("tun.tunnel_id", "0x0003"), ("tun.max_in_transfer_size", "0x0200")],
        ),
        (ToClient::from(refused).smart_energy(3), &[(tx, "0x02"), ("tun.transfer_data_status", "0x02")]),
        (ToServer::from(CloseTunnel { tunnel: 3 }).smart_energy(4), &[(rx, "0x01")]),
        (ToServer::from(GetSupportedProtocols { offset: 0 }).smart_energy(5), &[(rx, "0x06")]),
        (ToClient::from(TunnelClosureNotification { tunnel: 3 }).smart_energy(6), &[(tx, "0x06")]),
    ]);
}

#[test]
fn wireshark_reads_our_prepayment_commands() {
    use prepayment::*;
    let now = UtcTime(800_000_000);
    let credit = SelectAvailableEmergencyCredit {
        issued: now,
        originating_device: OriginatingDevice::InHomeDisplay,
        site: None,
        serial_number: None,
    };
    let debt = ChangeDebt {
        issuer_event: 1,
        label: b"METER".to_vec(),
        amount: 5000,
        recovery_method: 0,
        amount_type: 1,
        recovery_start: now,
        collection_time: 60,
        recovery_frequency: 1,
        recovery_amount: 100,
        recovery_percentage: 0,
    };
    let top_up = ConsumerTopUp {
        originating_device: OriginatingDevice::InHomeDisplay,
        code: b"12345678901234567890".to_vec(),
    };
    let mode = ChangePaymentMode {
        provider: 1,
        issuer_event: 2,
        implementation: now,
        configuration: 2,
        cut_off: -100,
    };
    let answered = ConsumerTopUpResponse {
        result: TopUpResult::Accepted,
        value: 1000,
        source: OriginatingDevice::InHomeDisplay,
        credit_remaining: 1500,
    };
    let entry = TopUp { code: b"1234".to_vec(), amount: 7, time: now };
    let log = PublishTopUpLog { index: 0, total: 1, top_ups: ToEnd(vec![entry]) };
    let (tx, rx) = ("pp.cmd.srv_tx.id", "pp.cmd.srv_rx.id");
    expect(vec![
        (ToServer::from(credit).smart_energy(1), &[(rx, "0x00")]),
        (
            ToServer::from(debt).smart_energy(2),
            &[
                (rx, "0x02"),
                ("pp.change_debt.debt_amount", "5000"),
                ("pp.change_debt.recovery_amount", "100"),
            ],
        ),
        (ToServer::from(top_up).smart_energy(3), &[(rx, "0x04")]),
        (
            ToServer::from(CreditAdjustment { issuer_event: 1, start: now, adjustment_type: 0, value: -5 })
                .smart_energy(4),
            &[(rx, "0x05"), ("pp.credit_adjustment.credit_adjustment_value", "-5")],
        ),
        (
            ToServer::from(mode).smart_energy(5),
            &[(rx, "0x06"), ("pp.change_payment_mode.cut_off_value", "-100")],
        ),
        (
            ToClient::from(answered).smart_energy(6),
            &[(tx, "0x03"), ("pp.consumer_top_up_response.credit_remaining", "1500")],
        ),
        (ToClient::from(log).smart_energy(7), &[(tx, "0x05"), ("pp.publish_top_up_log.top_up_amount", "7")]),
    ]);
}

#[test]
fn wireshark_reads_our_key_establishment_commands() {
    use key_establishment::*;
    let certificate = ImplicitCertificate {
        reconstruction: [2; 22],
        subject: [0, 0xdb, 0x12, 0x34, 0x56, 0x78, 0x90, 1],
        issuer: [4; 8],
        profile: [5; 10],
    };
    let initiate =
        InitiateKeyEstablishment { suites: SUITE_1, ephemeral_seconds: 5, confirm_seconds: 6, certificate };
    let end = TerminateByResponder { status: Termination::UnknownIssuer, wait_seconds: 255, suites: SUITE_1 };
    let (tx, rx) = ("ke.cmd.srv_tx.id", "ke.cmd.srv_rx.id");
    expect(vec![
        (
            ToServer::from(initiate).smart_energy(1),
            &[(rx, "0x00"), ("ke.init.ephemeral.time", "5"), ("ke.init.confirm.time", "6")],
        ),
        (ToClient::from(end).smart_energy(2), &[(tx, "0x03"), ("ke.terminate.status", "0x01")]),
        (ToServer::from(ConfirmKey { code: [7; 16] }).smart_energy(3), &[(rx, "0x02")]),
    ]);
}
