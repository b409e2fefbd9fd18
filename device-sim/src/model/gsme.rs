//! The gas meter: it sleeps, and wakes on a timer or for its local port; what it has to say it says then.

use std::collections::VecDeque;

use proto_zigbee::aps::ApsFrame;
use proto_zigbee::metering::{self, SupplyStatus};
use proto_zigbee::zcl::{AttributeId, Command, Direction, Frame};
use proto_zigbee::{Value, prepayment, price};

use super::account::PaymentMode;
use super::connection::{Connection, Contract};
use super::curve::{Curve, Flow, mix};
use super::journal::Event;
use super::money::Millipence;
use super::profile::{PROFILE_ENTRIES, Profile};
use super::supply::{Key, KeyEffect};
use super::time::{DAY, HALF_HOUR, MINUTE, Moment};

/// How long it listens after waking by its timer.
pub const WAKE_WINDOW: i64 = 5_000;
/// How long it stays awake after something on its local port.
pub const LOCAL_WINDOW: i64 = 2 * MINUTE;
/// Battery life.
const BATTERY_LIFE: i64 = 3650 * DAY;
/// Battery percentage at which it warns.
const LOW_BATTERY: u8 = 10;
/// Reports that wait to be carried; the oldest goes first.
const WAITING_REPORTS: usize = 12;

/// Units of use times price that make a millipence: 3.6e9 for a kilowatt hour, at 11.25 kWh a cubic metre
/// (39.6 MJ/m3 at a volume correction of 1.0227).
const PER_MILLIPENCE: u128 = 320_000_000;

/// The meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gsme {
    /// Plate, clock, journal, account and valve.
    pub connection: Connection,
    curve: Curve,
    bench_flow: Option<u32>,
    volume: Flow,
    profile: Profile,
    battery_fitted: Moment,
    flat: bool,
    /// It never wakes for the home area network.
    asleep: bool,
    low_battery_told: bool,
    wake_period: i64,
    next_wake: Moment,
    awake_until: Moment,
    reports: VecDeque<Vec<u8>>,
    sequence: u8,
}

impl Gsme {
    /// A meter that was installed 31 days ago and has lived since. The seed fixes its flow; it wakes at every
    /// multiple of `wake_period` milliseconds, and once now.
    pub fn installed(contract: &Contract, seed: u64, wake_period: i64, now: Moment) -> Self {
        let lived = i64::try_from(PROFILE_ENTRIES).unwrap_or_default() * HALF_HOUR;
        let mut meter = Self::new(contract, seed, wake_period, now.plus(-lived));
        meter.advance(now);
        meter.connection.begin(contract);
        meter.reports.clear();
        meter.wake();
        meter
    }

    fn new(contract: &Contract, seed: u64, wake_period: i64, born: Moment) -> Self {
        let reading = 1_000_000 + mix(seed) % 3_000_000;
        Self {
            connection: Connection::new(contract, born, PER_MILLIPENCE),
            curve: Curve::gas(seed),
            bench_flow: None,
            volume: Flow::reading(reading),
            profile: Profile::starting_at(reading),
            battery_fitted: born,
            flat: false,
            asleep: false,
            low_battery_told: false,
            wake_period: wake_period.max(WAKE_WINDOW * 2),
            next_wake: born,
            awake_until: born,
            reports: VecDeque::new(),
            sequence: 0,
        }
    }

    /// Lives until `to`.
    pub fn advance(&mut self, to: Moment) {
        loop {
            let tick = self.connection.core.next_tick();
            let wake = self.next_wake;
            let next = self.next_event();
            if next > to {
                break;
            }
            self.flow_until(next);
            self.connection.lapse(next);
            if next == wake {
                self.wake();
            }
            if next == tick {
                self.tick();
            }
        }
        self.flow_until(to);
    }

    fn flow_until(&mut self, to: Moment) {
        let mut from = self.connection.core.now();
        while from < to {
            let end = to.min(Moment::from_millis((from.minute() + 1) * MINUTE));
            let (flow, millis) = (self.flow_in(from.minute()), end.since(from).unsigned_abs());
            self.volume.add(flow, millis);
            self.connection.count(flow, millis, 0);
            from = end;
        }
        self.connection.core.bring_to(to);
    }

    fn flow_in(&self, minute: i64) -> u32 {
        match (self.connection.supply.is_on(), self.bench_flow) {
            (false, _) => 0,
            (true, Some(litres)) => litres,
            (true, None) => self.curve.rate(minute),
        }
    }

    fn tick(&mut self) {
        let minute = self.connection.core.take_minute();
        self.connection.minute(minute);
        if minute.is_at(HALF_HOUR) {
            self.profile.capture(minute, self.volume.units());
        }
        if self.battery_percent() <= LOW_BATTERY && !self.low_battery_told {
            self.low_battery_told = true;
            let percent = self.battery_percent();
            self.connection.core.log(Event::LowBattery, format!("battery at {percent} %"));
        }
        self.connection.judge_credit();
    }

    fn wake(&mut self) {
        let now = self.connection.core.now().millis();
        self.next_wake = Moment::from_millis((now.div_euclid(self.wake_period) + 1) * self.wake_period);
        if !self.flat {
            self.stay_awake(WAKE_WINDOW);
            self.report();
        }
    }

    fn stay_awake(&mut self, millis: i64) {
        self.awake_until = self.awake_until.max(self.connection.core.now().plus(millis));
    }

    /// Queues what the mirror should know: one report for each cluster.
    fn report(&mut self) {
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
        let low = if self.battery_percent() <= LOW_BATTERY { metering::STATUS_LOW_BATTERY } else { 0 };
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
        let [unit, ..] = prices.unit;
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

/// What is asked of the meter and done to it, at the moment it was last brought to.
impl Gsme {
    /// When something happens to it by itself.
    pub fn next_event(&self) -> Moment {
        let tick = self.connection.core.next_tick();
        self.connection.supply.lapses_at().unwrap_or(tick).min(tick).min(self.next_wake)
    }

    /// Litres of gas.
    pub fn litres(&self) -> u64 {
        self.volume.units()
    }

    /// Litres an hour.
    pub fn flow(&self) -> u32 {
        self.flow_in(self.connection.core.now().minute())
    }

    /// The half-hourly profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Battery left, percent.
    pub fn battery_percent(&self) -> u8 {
        let used = self.connection.core.now().since(self.battery_fitted).saturating_mul(100) / BATTERY_LIFE;
        if self.flat { 0 } else { 100 - u8::try_from(used.clamp(0, 100)).unwrap_or(100) }
    }

    /// Whether it listens to the HAN now.
    pub fn is_awake(&self) -> bool {
        !self.flat && !self.asleep && self.connection.core.now() < self.awake_until
    }

    /// Whether it does anything at all.
    pub fn is_alive(&self) -> bool {
        !self.flat
    }

    /// When it wakes next by its timer.
    pub fn next_wake(&self) -> Moment {
        self.next_wake
    }

    /// The next APS frame it sends to the hub; none while it sleeps without end.
    pub fn take_report(&mut self) -> Option<Vec<u8>> {
        if self.asleep {
            return None;
        }
        self.reports.pop_front()
    }

    /// Something came in at the local port: it wakes, and the mirror learns where it stands.
    pub fn wake_by_local_port(&mut self) {
        if self.is_alive() && !self.is_awake() {
            self.report();
        }
        self.stay_awake(LOCAL_WINDOW);
    }

    /// It stops waking for the home area network, or wakes again at its next time.
    pub fn set_asleep(&mut self, asleep: bool) {
        self.asleep = asleep;
    }

    /// The battery goes flat, or a full one is fitted.
    pub fn set_flat(&mut self, flat: bool) {
        if self.flat && !flat {
            self.battery_fitted = self.connection.core.now();
            self.low_battery_told = false;
            self.next_wake = self.connection.core.now();
        }
        self.flat = flat;
    }

    /// A flow of the test bench in litres an hour in place of the household's.
    pub fn set_flow(&mut self, litres: Option<u32>) {
        self.bench_flow = litres;
    }

    /// A person presses a key; a meter without battery does not notice.
    pub fn press(&mut self, key: Key) -> KeyEffect {
        if self.flat { KeyEffect::None } else { self.connection.press(key) }
    }
}

#[cfg(test)]
mod tests {
    use proto_duis::DeviceKind;

    use super::super::mirror::Mirror;
    use super::super::tests::{NOW, contract};
    use super::*;

    fn meter() -> Gsme {
        Gsme::installed(&contract(DeviceKind::Gsme), 1, HALF_HOUR, NOW)
    }

    fn take_reports(meter: &mut Gsme, mirror: &mut Mirror) -> usize {
        let mut count = 0;
        while let Some(octets) = meter.take_report() {
            mirror.receive(&meter.connection.core, &octets);
            count += 1;
        }
        count
    }

    #[test]
    fn it_wakes_at_installation_then_every_period_and_the_mirror_follows() {
        let (mut meter, mut mirror) = (meter(), Mirror::default());
        assert!(meter.is_awake());
        take_reports(&mut meter, &mut mirror);
        assert_eq!((mirror.litres(), mirror.supply()), (meter.litres(), Some(SupplyStatus::On)));
        meter.set_flow(Some(6000));
        let wake = meter.next_wake();
        meter.advance(wake.plus(-1));
        assert!(!meter.is_awake());
        assert_eq!(take_reports(&mut meter, &mut mirror), 0);
        let stale = mirror.litres();
        meter.advance(wake);
        assert_eq!(take_reports(&mut meter, &mut mirror), 3);
        assert_eq!((mirror.litres(), meter.next_wake()), (meter.litres(), wake.plus(HALF_HOUR)));
        assert!(mirror.litres() > stale);
    }

    #[test]
    fn its_local_port_wakes_it_and_a_flat_battery_does_not() {
        let mut meter = meter();
        meter.advance(NOW.plus(MINUTE));
        meter.wake_by_local_port();
        assert!(meter.is_awake());
        meter.set_flat(true);
        meter.wake_by_local_port();
        assert!(!meter.is_awake() && meter.battery_percent() == 0);
        meter.set_flat(false);
        meter.advance(NOW.plus(2 * MINUTE));
        assert!(meter.is_awake() && meter.battery_percent() == 100);
    }

    #[test]
    fn the_valve_opens_only_by_keys() {
        let mut meter = meter();
        meter.connection.disable();
        assert_eq!(meter.flow(), 0);
        meter.connection.arm().unwrap();
        assert_eq!(meter.press(Key::B), KeyEffect::Waiting);
        assert_eq!(meter.press(Key::A), KeyEffect::Closed);
    }
}
