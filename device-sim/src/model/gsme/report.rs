//! What the gas meter tells its mirror when it wakes: attributes of the Metering, Prepayment and Price clusters.

use proto_zigbee::aps::ApsFrame;
use proto_zigbee::metering::{self, SupplyStatus};
use proto_zigbee::zcl::{AttributeId, Command, Direction, Frame};
use proto_zigbee::{Value, prepayment, price};

use super::super::account::PaymentMode;
use super::super::money::Millipence;
use super::Gsme;
use super::battery::LOW;

/// Reports that wait to be carried; the oldest goes first.
const WAITING_REPORTS: usize = 12;

impl Gsme {
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
        self.reports.push_back(ApsFrame::smart_energy(cluster, self.sequence, frame.to_bytes()).to_bytes());
        if self.reports.len() > WAITING_REPORTS {
            self.reports.pop_front();
        }
    }
}
