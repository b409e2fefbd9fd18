//! The Gas Proxy Function: what the communications hub remembers of the gas meter between its wakes.

use proto_zigbee::Value;
use proto_zigbee::metering::{self, SupplyStatus};
use proto_zigbee::zcl::AttributeId;

use super::time::Moment;

/// The last values the gas meter reported, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirror {
    /// Litres of gas.
    pub litres: u64,
    /// State of the valve; unknown before the first report.
    pub supply: Option<SupplyStatus>,
    /// Battery left, percent.
    pub battery_percent: u8,
    /// Litres an hour at the time of the report.
    pub flow: i32,
    /// Meter status bits of the Metering cluster.
    pub status: u8,
    /// When the gas meter last reported; none before the first report.
    pub refreshed: Option<Moment>,
}

impl Mirror {
    /// Takes the attributes of one report in. Attributes it does not mirror are passed over.
    pub fn take(&mut self, now: Moment, report: &[(AttributeId, Value)]) {
        for (id, value) in report {
            self.take_one(*id, value);
        }
        self.refreshed = Some(now);
    }

    fn take_one(&mut self, id: AttributeId, value: &Value) {
        let number = value.as_u64().unwrap_or_default();
        let octet = u8::try_from(number).unwrap_or_default();
        match id {
            metering::CURRENT_SUMMATION_DELIVERED => self.litres = number,
            metering::SUPPLY_STATUS => self.supply = SupplyStatus::from_octet(octet),
            metering::REMAINING_BATTERY_LIFE => self.battery_percent = octet,
            metering::STATUS => self.status = octet,
            metering::INSTANTANEOUS_DEMAND => self.flow = i32::try_from(number).unwrap_or_default(),
            _ => {}
        }
    }
}
