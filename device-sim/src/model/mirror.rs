//! The Gas Proxy Function: what the communications hub remembers of the gas meter between its wakes.

use proto_zigbee::aps::ApsFrame;
use proto_zigbee::metering::{self, SupplyStatus};
use proto_zigbee::zcl::{AttributeId, Command, Frame};
use proto_zigbee::{Value, prepayment, price};

use super::account::PaymentMode;
use super::core::Core;
use super::money::Millipence;
use super::profile::Profile;
use super::time::{HALF_HOUR, MeterTime, Moment};

/// The last values the gas meter reported, when, and the half hours they make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirror {
    litres: u64,
    supply: Option<SupplyStatus>,
    battery_percent: u8,
    flow: u32,
    mode: Option<PaymentMode>,
    balance: Millipence,
    unit_price: Millipence,
    standing_charge: Millipence,
    profile: Profile,
    refreshed: Option<Moment>,
}

impl Mirror {
    /// A mirror that has followed its meter for as long as that has a profile.
    pub fn following(profile: &Profile) -> Self {
        Self { profile: profile.clone(), ..Self::default() }
    }

    /// Takes a frame of the gas meter in, at the hub's time. Frames that are no report, and attributes it does
    /// not mirror, are passed over; whether it was a report.
    pub fn receive(&mut self, hub: &Core, octets: &[u8]) -> bool {
        let Ok(aps) = ApsFrame::parse(octets) else { return false };
        let Ok(Command::ReportAttributes(report)) =
            Frame::parse(&aps.payload).and_then(|frame| frame.command())
        else {
            return false;
        };
        for (id, value) in &report {
            self.take(aps.cluster, *id, value);
        }
        self.capture(hub.shown());
        self.refreshed = Some(hub.now());
        true
    }

    fn take(&mut self, cluster: u16, id: AttributeId, value: &Value) {
        let number = value.as_u64().unwrap_or_default();
        let octet = u8::try_from(number).unwrap_or_default();
        match (cluster, id) {
            (metering::CLUSTER, metering::CURRENT_SUMMATION_DELIVERED) => self.litres = number,
            (metering::CLUSTER, metering::SUPPLY_STATUS) => self.supply = SupplyStatus::from_octet(octet),
            (metering::CLUSTER, metering::REMAINING_BATTERY_LIFE) => self.battery_percent = octet,
            (metering::CLUSTER, metering::INSTANTANEOUS_DEMAND) => {
                self.flow = u32::try_from(number).unwrap_or_default();
            }
            (prepayment::CLUSTER, prepayment::CREDIT_REMAINING) => self.balance = money(value),
            (prepayment::CLUSTER, prepayment::PAYMENT_CONTROL_CONFIGURATION) => {
                self.mode = Some(mode(number))
            }
            (price::CLUSTER, price::NO_TIER_BLOCK_1_PRICE) => self.unit_price = money(value),
            (price::CLUSTER, price::STANDING_CHARGE) => self.standing_charge = money(value),
            _ => {}
        }
    }

    /// The first report in a half hour is the reading at its beginning, as near as a mirror can know it.
    fn capture(&mut self, shown: MeterTime) {
        let begun = shown.next(HALF_HOUR).plus(-HALF_HOUR);
        let known = self.profile.all().last().is_some_and(|last| last.at >= begun);
        if !known && self.litres > 0 {
            self.profile.capture(begun, self.litres);
        }
    }

    /// Litres of gas.
    pub fn litres(&self) -> u64 {
        self.litres
    }

    /// State of the valve; unknown before the first report.
    pub fn supply(&self) -> Option<SupplyStatus> {
        self.supply
    }

    /// Battery left, percent.
    pub fn battery_percent(&self) -> u8 {
        self.battery_percent
    }

    /// Litres an hour at the time of the report.
    pub fn flow(&self) -> u32 {
        self.flow
    }

    /// How the customer pays; unknown before the first report.
    pub fn mode(&self) -> Option<PaymentMode> {
        self.mode
    }

    /// The customer's balance.
    pub fn balance(&self) -> Millipence {
        self.balance
    }

    /// Price of a kilowatt hour.
    pub fn unit_price(&self) -> Millipence {
        self.unit_price
    }

    /// Price of a day.
    pub fn standing_charge(&self) -> Millipence {
        self.standing_charge
    }

    /// The half hours.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// When the gas meter last reported; none before the first report.
    pub fn refreshed(&self) -> Option<Moment> {
        self.refreshed
    }
}

fn mode(bits: u64) -> PaymentMode {
    if bits & u64::from(prepayment::PREPAYMENT_ENABLED) == 0 {
        PaymentMode::Credit
    } else {
        PaymentMode::Prepayment
    }
}

fn money(value: &Value) -> Millipence {
    match *value {
        Value::Signed { value, .. } => Millipence::new(value),
        ref other => Millipence::new(i64::try_from(other.as_u64().unwrap_or_default()).unwrap_or_default()),
    }
}
