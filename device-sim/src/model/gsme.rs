//! The gas meter: it sleeps, and wakes on a timer or for its local port; what it has to say it says then.

use std::collections::VecDeque;

use proto_zigbee::Value;
use proto_zigbee::aps::ApsFrame;
use proto_zigbee::metering::{self, SupplyStatus};
use proto_zigbee::zcl::{Command, Direction, Frame};

use super::core::Core;
use super::curve::{Curve, Flow, mix};
use super::journal::Event;
use super::plate::Plate;
use super::profile::{PROFILE_ENTRIES, Profile};
use super::supply::{Key, KeyEffect, OffReason, Supply};
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
const WAITING_REPORTS: usize = 8;

/// What a gas meter is put into service with.
#[derive(Debug, Clone)]
pub struct GsmeSetup {
    /// Identity and versions.
    pub plate: Plate,
    /// Fixes its flow for all time.
    pub seed: u64,
    /// Milliseconds from one waking to the next.
    pub wake_period: i64,
}

/// The meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gsme {
    /// Plate, clock and journal.
    pub core: Core,
    curve: Curve,
    bench_flow: Option<u32>,
    volume: Flow,
    valve: Supply,
    profile: Profile,
    battery_fitted: Moment,
    flat: bool,
    low_battery_told: bool,
    wake_period: i64,
    next_wake: Moment,
    awake_until: Moment,
    reports: VecDeque<Vec<u8>>,
    sequence: u8,
}

impl Gsme {
    /// A meter that was installed 31 days ago and has lived since.
    pub fn installed(setup: GsmeSetup, now: Moment) -> Self {
        let lived = i64::try_from(PROFILE_ENTRIES).unwrap_or_default() * HALF_HOUR;
        let born = now.plus(-lived);
        let reading = 1_000_000 + mix(setup.seed) % 3_000_000;
        let mut meter = Self {
            core: Core::new(setup.plate, born),
            curve: Curve::gas(setup.seed),
            bench_flow: None,
            volume: Flow::reading(reading),
            valve: Supply::on(),
            profile: Profile::starting_at(reading),
            battery_fitted: born,
            flat: false,
            low_battery_told: false,
            wake_period: setup.wake_period.max(WAKE_WINDOW * 2),
            next_wake: born,
            awake_until: born,
            reports: VecDeque::new(),
            sequence: 0,
        };
        meter.advance(now.plus(-1));
        meter.core.journal.forget_alerts();
        meter.next_wake = now;
        meter.advance(now);
        meter.core.log(Event::Started, format!("in service, firmware {}", meter.core.plate.firmware));
        meter
    }

    /// Lives until `to`.
    pub fn advance(&mut self, to: Moment) {
        loop {
            let tick = self.core.next_tick();
            let wake = self.next_wake;
            let next = self.valve.lapses_at().unwrap_or(tick).min(tick).min(wake);
            if next > to {
                break;
            }
            self.flow_until(next);
            self.valve.lapse(next);
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
        let mut from = self.core.now();
        while from < to {
            let end = to.min(Moment::from_millis((from.minute() + 1) * MINUTE));
            self.volume.add(self.flow_in(from.minute()), end.since(from).unsigned_abs());
            from = end;
        }
        self.core.bring_to(to);
    }

    fn flow_in(&self, minute: i64) -> u32 {
        match (self.valve.is_on(), self.bench_flow) {
            (false, _) => 0,
            (true, Some(litres)) => litres,
            (true, None) => self.curve.rate(minute),
        }
    }

    fn tick(&mut self) {
        let minute = self.core.take_minute();
        if minute.is_at(HALF_HOUR) {
            self.profile.capture(minute, self.volume.units());
        }
        if self.battery_percent() <= LOW_BATTERY && !self.low_battery_told {
            self.low_battery_told = true;
            self.core.log(Event::LowBattery, format!("battery at {} %", self.battery_percent()));
        }
    }

    fn wake(&mut self) {
        self.next_wake = self.core.now().plus(self.wake_period);
        if !self.flat {
            self.stay_awake(WAKE_WINDOW);
            self.report();
        }
    }

    fn stay_awake(&mut self, millis: i64) {
        self.awake_until = self.awake_until.max(self.core.now().plus(millis));
    }

    /// Queues what the mirror should know, as a Metering report.
    fn report(&mut self) {
        let supply = match self.valve.control_state() {
            0 => SupplyStatus::Off,
            2 => SupplyStatus::OffArmed,
            _ => SupplyStatus::On,
        };
        let low = if self.battery_percent() <= LOW_BATTERY { metering::STATUS_LOW_BATTERY } else { 0 };
        let attributes = vec![
            (metering::CURRENT_SUMMATION_DELIVERED, Value::unsigned(6, self.litres())),
            (metering::SUPPLY_STATUS, Value::Enum8(supply.octet())),
            (metering::STATUS, Value::Bitmap { width: 1, value: low.into() }),
            (metering::REMAINING_BATTERY_LIFE, Value::unsigned(1, self.battery_percent().into())),
            (metering::UNIT_OF_MEASURE, Value::Enum8(1)),
            (metering::MULTIPLIER, Value::unsigned(3, 1)),
            (metering::DIVISOR, Value::unsigned(3, 1000)),
            (metering::INSTANTANEOUS_DEMAND, Value::Signed { width: 3, value: self.flow().into() }),
        ];
        self.sequence = self.sequence.wrapping_add(1);
        let frame =
            Frame::foundation(Direction::ToClient, self.sequence, &Command::ReportAttributes(attributes));
        self.reports
            .push_back(ApsFrame::smart_energy(metering::CLUSTER, self.sequence, frame.to_bytes()).to_bytes());
        if self.reports.len() > WAITING_REPORTS {
            self.reports.pop_front();
        }
    }
}

/// What is asked of the meter and done to it, at the moment it was last brought to.
impl Gsme {
    /// Litres of gas.
    pub fn litres(&self) -> u64 {
        self.volume.units()
    }

    /// Litres an hour.
    pub fn flow(&self) -> u32 {
        self.flow_in(self.core.now().minute())
    }

    /// The half-hourly profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The valve.
    pub fn valve(&self) -> &Supply {
        &self.valve
    }

    /// Battery left, percent.
    pub fn battery_percent(&self) -> u8 {
        let used = self.core.now().since(self.battery_fitted).saturating_mul(100) / BATTERY_LIFE;
        if self.flat { 0 } else { 100 - u8::try_from(used.clamp(0, 100)).unwrap_or(100) }
    }

    /// Whether it listens to the HAN now.
    pub fn is_awake(&self) -> bool {
        !self.flat && self.core.now() < self.awake_until
    }

    /// Whether it does anything at all.
    pub fn is_alive(&self) -> bool {
        !self.flat
    }

    /// When it wakes next by its timer.
    pub fn next_wake(&self) -> Moment {
        self.next_wake
    }

    /// The next APS frame it sends to the hub.
    pub fn take_report(&mut self) -> Option<Vec<u8>> {
        self.reports.pop_front()
    }

    /// Something came in at the local port: it wakes, and the mirror learns where it stands.
    pub fn wake_by_local_port(&mut self) {
        if self.is_alive() && !self.is_awake() {
            self.report();
        }
        self.stay_awake(LOCAL_WINDOW);
    }

    /// The battery goes flat, or a full one is fitted.
    pub fn set_flat(&mut self, flat: bool) {
        if self.flat && !flat {
            self.battery_fitted = self.core.now();
            self.low_battery_told = false;
            self.next_wake = self.core.now();
        }
        self.flat = flat;
    }

    /// A flow of the test bench in litres an hour in place of the household's.
    pub fn set_flow(&mut self, litres: Option<u32>) {
        self.bench_flow = litres;
    }

    /// Closes the valve by command.
    pub fn disable(&mut self) {
        self.valve.disable(OffReason::Manual);
        self.core.log(Event::CommandDone, "valve closed");
    }

    /// Arms the valve by command. An open one stays open.
    pub fn arm(&mut self) {
        if self.valve.arm(self.core.now()) {
            self.core.log(Event::SupplyArmed, "valve armed: press A and B");
        }
    }

    /// A person presses a key.
    pub fn press(&mut self, key: Key) -> KeyEffect {
        let effect = if self.flat { KeyEffect::None } else { self.valve.press(key, self.core.now()) };
        if effect == KeyEffect::Closed {
            self.core.log(Event::KeyDone, "valve opened by keys A and B");
        }
        effect
    }

    /// A hand at the cover.
    pub fn tamper(&mut self) {
        self.core.log(Event::Tamper, "cover opened");
    }
}

#[cfg(test)]
mod tests {
    use proto_duis::{DeviceKind, Eui64};

    use super::super::mirror::Mirror;
    use super::*;

    const NOW: Moment = Moment::from_millis(1_780_000_000_000);

    fn meter() -> Gsme {
        let plate = Plate {
            kind: DeviceKind::Gsme,
            eui64: Eui64::new([4; 8]),
            manufacturer: "Maker".into(),
            model: "G1".into(),
            hardware: "1".into(),
            firmware: "1.0".into(),
            configuration: "1".into(),
        };
        Gsme::installed(GsmeSetup { plate, seed: 1, wake_period: HALF_HOUR }, NOW)
    }

    fn take_reports(meter: &mut Gsme, mirror: &mut Mirror) -> usize {
        let mut count = 0;
        while let Some(octets) = meter.take_report() {
            let frame = Frame::parse(&ApsFrame::parse(&octets).unwrap().payload).unwrap();
            let Command::ReportAttributes(report) = frame.command().unwrap() else { panic!("a report") };
            mirror.take(meter.core.now(), &report);
            count += 1;
        }
        count
    }

    #[test]
    fn it_wakes_at_installation_then_every_period_and_the_mirror_follows() {
        let (mut meter, mut mirror) = (meter(), Mirror::default());
        assert!(meter.is_awake());
        take_reports(&mut meter, &mut mirror);
        assert_eq!((mirror.litres, mirror.supply), (meter.litres(), Some(SupplyStatus::On)));
        meter.advance(NOW.plus(WAKE_WINDOW));
        assert!(!meter.is_awake());
        meter.set_flow(Some(6000));
        meter.advance(NOW.plus(HALF_HOUR - 1));
        assert_eq!(take_reports(&mut meter, &mut mirror), 0);
        let stale = mirror.litres;
        meter.advance(NOW.plus(HALF_HOUR));
        assert_eq!(take_reports(&mut meter, &mut mirror), 1);
        assert!((2990..=3000).contains(&(mirror.litres - stale)), "{}", mirror.litres - stale);
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
        meter.disable();
        assert_eq!(meter.flow(), 0);
        meter.arm();
        assert_eq!(meter.press(Key::B), KeyEffect::Waiting);
        assert_eq!(meter.press(Key::A), KeyEffect::Closed);
    }
}
