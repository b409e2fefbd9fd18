//! What the gas meter tells its mirror when it wakes: attributes of the Metering, Prepayment and Price clusters, and a
//! snapshot for each day that has ended; and what it takes from the home area network.

use proto_zigbee::aps::ApsFrame;

use proto_zigbee::metering::{
    self, PublishSnapshot, RequestMirror, SnapshotPayloadType, SupplyStatus, ToClient, ToServer,
    snapshot_cause,
};
use proto_zigbee::zcl::{AttributeId, Command, Direction, Frame, FrameType};
use proto_zigbee::{ToEnd, UtcTime, Value, prepayment, price};

use super::super::account::PaymentMode;
use super::super::han::connection_command;
use super::super::money::Millipence;
use super::battery::LOW;
use super::logs::DayEntry;
use super::{Gsme, WAKE_WINDOW};

/// Reports that wait to be carried; the oldest goes first.
const WAITING_REPORTS: usize = 12;
/// What a mirror without room answers.
const NO_ENDPOINT: u16 = 0xffff;

impl Gsme {
    /// What it says when it wakes: where it has no mirror yet it asks for one; else how it stands, and the days that have
    /// ended since it last told.
    pub(super) fn speak(&mut self) {
        if !self.mirrored {
            self.say(&ToClient::from(RequestMirror {}));
            return;
        }
        self.report();
        let told = self.day_told;
        let days: Vec<DayEntry> =
            self.logs.days().filter(|day| told.is_none_or(|told| day.at > told)).copied().collect();
        for day in days {
            self.day_told = Some(day.at);
            if let Some(snapshot) = snapshot(day) {
                self.say(&ToClient::from(snapshot));
            }
        }
    }

    /// Takes an APS frame of the home area network in, awake; the answer, where one is due.
    pub fn receive(&mut self, octets: &[u8]) -> Option<Vec<u8>> {
        let aps = ApsFrame::parse(octets).ok()?;
        let frame = Frame::parse(&aps.payload).ok()?;
        if aps.cluster == metering::CLUSTER && frame.frame_type == FrameType::Cluster {
            match self.ids.to_server(&frame) {
                Ok(ToServer::RequestMirrorResponse(answer)) => self.take_mirror(answer.endpoint),
                Ok(ToServer::MirrorRemoved(_)) => self.mirrored = false,
                Ok(ToServer::MirrorReportAttributeResponse(answer))
                    if answer.flags.0.iter().any(|flag| *flag != 0) =>
                {
                    self.stay_awake(WAKE_WINDOW);
                }
                _ => return connection_command(&mut self.connection, &aps, &frame),
            }
            return None;
        }
        connection_command(&mut self.connection, &aps, &frame)
    }

    fn take_mirror(&mut self, endpoint: u16) {
        let first = !self.mirrored && endpoint != NO_ENDPOINT;
        self.mirrored |= first;
        if first {
            // What was before its mirror is the mirror's to know already.
            self.day_told = self.logs.days().last().map(|day| day.at);
            self.speak();
        }
    }

    fn say(&mut self, command: &ToClient) {
        self.sequence = self.sequence.wrapping_add(1);
        let frame = self.ids.translate(command.frame(self.sequence));
        self.push(metering::CLUSTER, &frame);
    }

    /// Queues what the mirror should know: one report for each cluster.
    pub(super) fn report(&mut self) {
        let reports = [
            (metering::CLUSTER, self.metering_attributes()),
            (prepayment::CLUSTER, self.prepayment_attributes()),
            (price::CLUSTER, self.price_attributes()),
        ];
        for (cluster, attributes) in reports {
            self.queue(cluster, attributes);
        }
    }

    fn metering_attributes(&self) -> Vec<(AttributeId, Value)> {
        let supply = match self.connection.supply.control_state() {
            0 => SupplyStatus::Off,
            2 => SupplyStatus::OffArmed,
            _ => SupplyStatus::On,
        };
        let low = if self.battery_percent() <= LOW { metering::STATUS_LOW_BATTERY } else { 0 };
        vec![
            (metering::CURRENT_SUMMATION_DELIVERED, Value::unsigned(6, self.litres())),
            (metering::SUPPLY_STATUS, Value::Enum8(supply.octet())),
            (metering::STATUS, Value::Bitmap { width: 1, value: low.into() }),
            (metering::REMAINING_BATTERY_LIFE, Value::unsigned(1, self.battery_percent().into())),
            (metering::UNIT_OF_MEASURE, Value::Enum8(1)),
            (metering::MULTIPLIER, Value::unsigned(3, 1)),
            (metering::DIVISOR, Value::unsigned(3, 1000)),
            (metering::INSTANTANEOUS_DEMAND, Value::Signed { width: 3, value: self.flow().into() }),
        ]
    }

    fn prepayment_attributes(&self) -> Vec<(AttributeId, Value)> {
        let account = self.connection.account();
        let mode = if account.mode() == PaymentMode::Prepayment { prepayment::PREPAYMENT_ENABLED } else { 0 };
        let balance = Value::Signed { width: 4, value: account.balance().to_i32().into() };
        vec![
            (prepayment::PAYMENT_CONTROL_CONFIGURATION, Value::Bitmap { width: 2, value: mode.into() }),
            (prepayment::CREDIT_REMAINING, balance),
        ]
    }

    fn price_attributes(&self) -> Vec<(AttributeId, Value)> {
        let prices = self.connection.prices();
        let unit = prices.unit.first().copied().unwrap_or_default();
        let value = |price: Millipence| Value::unsigned(4, u64::try_from(price.get()).unwrap_or_default());
        vec![(price::NO_TIER_BLOCK_1_PRICE, value(unit)), (price::STANDING_CHARGE, value(prices.standing))]
    }

    fn queue(&mut self, cluster: u16, attributes: Vec<(AttributeId, Value)>) {
        self.sequence = self.sequence.wrapping_add(1);
        let frame =
            Frame::foundation(Direction::ToClient, self.sequence, &Command::ReportAttributes(attributes));
        self.push(cluster, &frame);
    }

    fn push(&mut self, cluster: u16, frame: &Frame) {
        self.reports.push_back(ApsFrame::smart_energy(cluster, self.sequence, frame.to_bytes()).to_bytes());
        if self.reports.len() > WAITING_REPORTS {
            self.reports.pop_front();
        }
    }
}

/// The register at the end of a day, as a snapshot.
fn snapshot(day: DayEntry) -> Option<PublishSnapshot> {
    let taken = UtcTime::from_unix(day.at.millis().div_euclid(1000))?;
    let [a, b, c, d, e, f, ..] = day.litres.to_le_bytes();
    Some(PublishSnapshot {
        snapshot: taken.0 / 86_400,
        taken,
        found: 1,
        index: 0,
        total: 1,
        cause: snapshot_cause::GENERAL,
        payload_type: SnapshotPayloadType::TiersDeliveredNoBilling,
        payload: ToEnd(vec![a, b, c, d, e, f]),
    })
}
