//! The gas meter: it sleeps, and wakes on a timer or for its local port; what it has to say it says then.
//!
//! | part | what it is |
//! |---|---|
//! | [`battery`] | what time, wakes and the valve draw, and what happens when it is flat |
//! | [`conversion`] | from volume to energy, exactly |
//! | [`valve`] | the watch over the valve: uncontrolled flow, flow through a closed valve |
//! | [`logs`] | daily log and billing periods |
//! | [`network_data`] | the register every six minutes, for four hours from a command on |
//! | `report` | what it tells its mirror when it wakes |

pub mod battery;
pub mod conversion;
mod load;
pub mod logs;
pub mod network_data;
mod report;
pub mod valve;

use std::collections::VecDeque;

use proto_zigbee::metering::CommandIds;

use super::activation::Part;
use super::blocks::Blocks;
use super::calendar::{Calendar, CalendarError, Timetable};
use super::connection::{Connection, Contract};
use super::curve::{Curve, Flow, mix};
use super::journal::Event;
use super::profile::{LIVED_ENTRIES, Profile};
use super::supply::{Key, KeyEffect, OffReason};
use super::tariff::{GAS_BLOCK_SETS, GAS_REGISTERS, GAS_SELECTIONS, Selection, SwitchingTable};
use super::time::{HALF_HOUR, MINUTE, MeterTime, Moment};
use battery::{Battery, LOW, OnFlat};
use conversion::{Conversion, UNITS_PER_KWH, watt_hours};
use logs::{BillingPeriods, Logs, Standing};
use network_data::{NetworkData, NetworkEntry};
use valve::{Finding, FlowLimits, Watch};

/// How long it listens after waking by its timer.
pub const WAKE_WINDOW: i64 = 5_000;
/// How long it stays awake after something on its local port.
pub const LOCAL_WINDOW: i64 = 2 * MINUTE;

/// The meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gsme {
    /// Plate, clock, journal, account and valve.
    pub connection: Connection,
    /// The activity calendar: which tariff register counts when.
    pub tariff: Timetable,
    /// The blocks of the tariff.
    pub blocks: Blocks,
    /// Volume by tariff register.
    tiers: [Flow; GAS_REGISTERS],
    curve: Curve,
    bench_flow: Option<u32>,
    /// What gets through the closed valve, in litres an hour.
    leak: u32,
    volume: Flow,
    conversion: Conversion,
    /// Energy since it was made, in billing units.
    energy: u128,
    profile: Profile,
    logs: Logs,
    battery: Battery,
    on_flat: OnFlat,
    /// Whether it is to close its valve when its battery is flat.
    locks_when_flat: bool,
    /// Whether it was flat when it was last looked at.
    dead: bool,
    /// It never wakes for the home area network.
    asleep: bool,
    low_battery_told: bool,
    watch: Watch,
    network_data: NetworkData,
    wake_period: i64,
    next_wake: Moment,
    awake_until: Moment,
    reports: VecDeque<Vec<u8>>,
    sequence: u8,
    /// Whether the hub mirrors it.
    mirrored: bool,
    /// The last day whose register the mirror was told.
    day_told: Option<MeterTime>,
    /// The numbers its stack has for snapshots.
    ids: CommandIds,
}

impl Gsme {
    /// A meter that was installed 31 days ago and has lived since. The seed fixes its flow; it wakes at every
    /// multiple of `wake_period` milliseconds, and once now.
    pub fn installed(contract: &Contract, seed: u64, wake_period: i64, now: Moment) -> Self {
        let lived = i64::try_from(LIVED_ENTRIES).unwrap_or_default() * HALF_HOUR;
        let mut meter = Self::new(contract, seed, wake_period, now.plus(-lived));
        meter.advance(now);
        meter.connection.begin(contract);
        meter.logs = Logs::new(contract.mode, contract.prices.clone()).with_past_of(meter.logs);
        meter.reports.clear();
        meter.wake();
        meter
    }

    /// The same meter with this behaviour when its battery goes flat.
    #[must_use]
    pub fn with_flat_behaviour(self, on_flat: OnFlat) -> Self {
        Self { on_flat, ..self }
    }

    /// The same meter with these numbers for snapshots, of a stack that departs from the standard.
    #[must_use]
    pub fn with_snapshot_ids(self, ids: CommandIds) -> Self {
        Self { ids, ..self }
    }

    fn new(contract: &Contract, seed: u64, wake_period: i64, born: Moment) -> Self {
        let reading = 1_000_000 + mix(seed) % 3_000_000;
        let connection = Connection::new(contract, born, UNITS_PER_KWH);
        let always = Calendar::every_day(SwitchingTable::always());
        let mut tiers = [Flow::default(); GAS_REGISTERS];
        tiers[0] = Flow::reading(reading);
        Self {
            tariff: Timetable::new(always, connection.core.shown()).with_selections(GAS_SELECTIONS),
            blocks: Blocks::new(GAS_BLOCK_SETS),
            tiers,
            logs: Logs::new(connection.account().mode(), contract.prices.clone()),
            connection,
            curve: Curve::gas(seed),
            bench_flow: None,
            leak: 0,
            volume: Flow::reading(reading),
            conversion: Conversion::default(),
            energy: 0,
            profile: Profile::starting_at(reading),
            battery: Battery::full(born),
            on_flat: OnFlat::default(),
            locks_when_flat: true,
            dead: false,
            asleep: false,
            low_battery_told: false,
            watch: Watch::over_open_valve(),
            network_data: NetworkData::default(),
            wake_period: wake_period.max(WAKE_WINDOW * 2),
            next_wake: born,
            awake_until: born,
            reports: VecDeque::new(),
            sequence: 0,
            mirrored: false,
            day_told: None,
            ids: CommandIds::default(),
        }
    }

    /// Lives until `to`.
    pub fn advance(&mut self, to: Moment) {
        // What was done to it since it last lived was done at the moment it stands at.
        self.look_at_valve();
        self.look_at_terms();
        loop {
            let tick = self.connection.core.next_tick();
            let wake = self.next_wake;
            let look = self.watch.next_look(self.connection.core.now());
            let next = self.next_event();
            if next > to {
                break;
            }
            self.flow_until(next);
            self.connection.lapse(next);
            self.activate_due();
            self.look_at_terms();
            if next == wake {
                self.wake();
            }
            if next == tick {
                self.tick();
            } else if look == Some(next) && !self.dead {
                self.judge_flow();
                self.look_at_valve();
            }
        }
        self.flow_until(to);
    }

    /// The index is driven by the gas: it counts without a battery too. Nobody bills that.
    fn flow_until(&mut self, to: Moment) {
        let mut from = self.connection.core.now();
        while from < to {
            let end = to.min(Moment::from_millis((from.minute() + 1) * MINUTE));
            let (flow, millis) = (self.flow_in(from.minute()), end.since(from).unsigned_abs());
            self.volume.add(flow, millis);
            if !self.dead {
                self.count(flow, millis);
            }
            from = end;
        }
        self.connection.core.bring_to(to);
    }

    fn count(&mut self, flow: u32, millis: u64) {
        self.energy = self.energy.saturating_add(self.conversion.energy(flow, millis));
        let mut used = Flow::default();
        used.add(flow, millis);
        match Selection::of(self.tariff.selected(), GAS_REGISTERS) {
            Selection::Register(register) => {
                self.tiers.iter_mut().skip(register).take(1).for_each(|tier| tier.join(used));
                self.connection.count_units(self.conversion.energy(flow, millis), register);
            }
            Selection::Blocks(set) => {
                let (conversion, connection) = (self.conversion, &mut self.connection);
                self.blocks.split(set, used, |block, part| {
                    connection.count_block_units(conversion.energy_of(part), block);
                });
            }
        }
    }

    fn flow_in(&self, minute: i64) -> u32 {
        match (self.connection.supply.is_on(), self.bench_flow) {
            (false, _) => self.leak,
            (true, Some(litres)) => litres,
            (true, None) => self.curve.rate(minute),
        }
    }

    fn tick(&mut self) {
        let minute = self.connection.core.take_minute();
        if self.dead {
            return;
        }
        self.connection.minute(minute);
        self.turn_tariff(minute);
        if minute.is_at(HALF_HOUR) {
            let flags = self.connection.core.take_flags();
            // Lost where there is no room, as an electricity meter's.
            if !self.connection.core.bench.memory_full {
                self.profile.capture(minute, self.volume.units(), flags);
            }
        }
        self.network_data.minute(NetworkEntry { at: minute, litres: self.volume.units() });
        self.judge_battery();
        self.judge_flow();
        self.connection.judge_credit();
        self.look_at_valve();
        let standing = standing(&self.connection, &self.volume, self.energy);
        self.logs.minute(minute, standing);
    }

    /// Other prices or another payment mode end a billing period where they come into force.
    fn look_at_terms(&mut self) {
        if !self.dead {
            let standing = standing(&self.connection, &self.volume, self.energy);
            self.logs.settle(self.connection.core.shown(), standing);
        }
    }

    fn turn_tariff(&mut self, minute: MeterTime) {
        match self.tariff.turn(minute) {
            Some(Ok(())) => self.connection.core.log(Event::FutureDatedDone, "activity calendar activated"),
            Some(Err(error)) => {
                self.connection.core.log(Event::FutureDatedFailed, format!("activity calendar: {error}"));
            }
            None => {}
        }
    }

    /// Puts in force what was dated for now. A meter without battery does nothing more.
    fn activate_due(&mut self) {
        let shown = self.connection.core.shown();
        for part in self.connection.activations.take_due(shown) {
            if !self.dead {
                let outcome = self.activate(part);
                self.connection.tell_dated(part, &outcome);
            }
        }
    }

    /// Warns once when the battery runs low, and dies when there is nothing left.
    fn judge_battery(&mut self) {
        let percent = self.battery_percent();
        if percent <= LOW && !self.low_battery_told {
            self.low_battery_told = true;
            self.connection.core.log(Event::LowBattery, format!("battery at {percent} %"));
        }
        if percent == 0 {
            self.die();
        }
    }

    /// The last of the charge goes into the log and, where the meter is made so, into closing the valve.
    fn die(&mut self) {
        self.dead = true;
        let closes = self.locks_when_flat && self.on_flat == OnFlat::Close && self.connection.supply.is_on();
        if closes {
            self.connection.supply.disable(OffReason::Event);
            self.watch.look(false, self.connection.core.now());
        }
        let words = if closes { "battery flat: valve closed" } else { "battery flat: valve left as it is" };
        self.connection.core.log(Event::GasPowerLoss, words);
    }

    /// An open pipe is closed off and armed for a person who looks; a valve that does not close is told.
    fn judge_flow(&mut self) {
        match self.watch.judge(self.flow(), self.connection.core.now()) {
            Some(Finding::Uncontrolled { flow }) => {
                self.connection.supply.disable(OffReason::Event);
                self.connection.supply.arm(self.connection.core.now());
                let words = format!("{flow} l/h after opening: valve closed, then armed");
                self.connection.core.log(Event::UncontrolledFlow, words);
            }
            Some(Finding::Leak { flow }) => {
                self.connection
                    .core
                    .log(Event::DisconnectFailure, format!("{flow} l/h with the valve closed"));
            }
            None => {}
        }
    }

    /// Every movement of the valve costs charge.
    fn look_at_valve(&mut self) {
        let (open, now) = (self.connection.supply.is_on(), self.connection.core.now());
        if self.watch.look(open, now) {
            self.battery.draw(battery::VALVE);
        }
    }

    fn wake(&mut self) {
        let now = self.connection.core.now().millis();
        self.next_wake = Moment::from_millis((now.div_euclid(self.wake_period) + 1) * self.wake_period);
        if !self.dead && !self.asleep {
            self.battery.draw(battery::WAKE);
            self.stay_awake(WAKE_WINDOW);
            self.speak();
        }
    }

    /// Something reached it awake: it listens for what follows.
    pub fn attend(&mut self) {
        self.stay_awake(WAKE_WINDOW);
    }

    fn stay_awake(&mut self, millis: i64) {
        self.awake_until = self.awake_until.max(self.connection.core.now().plus(millis));
    }
}

fn standing<'a>(connection: &'a Connection, volume: &Flow, energy: u128) -> Standing<'a> {
    let account = connection.account();
    Standing {
        litres: volume.units(),
        watt_hours: watt_hours(energy),
        balance: account.balance(),
        mode: account.mode(),
        prices: connection.prices(),
    }
}

/// What is asked of the meter and done to it, at the moment it was last brought to.
impl Gsme {
    /// When something happens to it by itself.
    pub fn next_event(&self) -> Moment {
        let tick = self.connection.core.next_tick();
        let look = self.watch.next_look(self.connection.core.now());
        let by_itself = [self.connection.supply.lapses_at(), self.connection.next_activation(), look];
        by_itself.into_iter().flatten().fold(tick.min(self.next_wake), Moment::min)
    }

    /// Litres of gas.
    pub fn litres(&self) -> u64 {
        self.volume.units()
    }

    /// Litres of gas by tariff register, 0 being tariff 1.
    pub fn tier(&self, register: usize) -> Option<u64> {
        self.tiers.get(register).map(|tier| tier.units())
    }

    /// Puts a part of the configuration that is held ready in force by command; a refusal is in the log.
    ///
    /// # Errors
    /// What does not fit together; everything stays as it was.
    pub fn activate_by_command(&mut self, part: Part) -> Result<(), CalendarError> {
        self.activate(part).inspect_err(|error| self.connection.tell_refused(part, error))
    }

    /// Puts a part of the configuration that is held ready in force.
    ///
    /// # Errors
    /// What does not fit together; everything stays as it was.
    pub fn activate(&mut self, part: Part) -> Result<(), CalendarError> {
        self.connection.put_in_force(part, &mut self.tariff, &mut self.blocks)
    }

    /// Ends billing periods by this calendar from now on.
    pub fn set_billing(&mut self, billing: BillingPeriods) {
        self.logs.set_billing(billing);
        self.connection.core.log(Event::CommandDone, "billing calendar set");
    }

    /// Energy since it was made, in watt hours.
    pub fn watt_hours(&self) -> u64 {
        watt_hours(self.energy)
    }

    /// What it converts volume to energy with.
    pub fn conversion(&self) -> Conversion {
        self.conversion
    }

    /// Converts so from now on; what has flowed stays as it was counted.
    pub fn set_conversion(&mut self, conversion: Conversion) {
        self.conversion = conversion;
        let (value, factor) = (conversion.calorific_value(), conversion.factor());
        let words = format!("conversion set: {value}/100 MJ/m3, factor {factor}/100000");
        self.connection.core.log(Event::CommandDone, words);
    }

    /// From which flow on, and when, a flow is uncontrolled.
    pub fn flow_limits(&self) -> FlowLimits {
        self.watch.limits
    }

    /// Other limits, from the next opening of the valve on.
    pub fn set_flow_limits(&mut self, limits: FlowLimits) {
        self.watch.limits = limits;
        let (rate, settle, measure) = (limits.rate(), limits.stabilisation(), limits.measurement());
        let words = format!("uncontrolled flow: {rate}/10000 m3/h after {settle} s, for {measure} s");
        self.connection.core.log(Event::CommandDone, words);
    }

    /// Whether it is to close its valve when its battery is flat.
    pub const fn locks_when_flat(&self) -> bool {
        self.locks_when_flat
    }

    /// Has it close its valve when its battery is flat, or leave it as it is.
    pub fn set_locks_when_flat(&mut self, locks: bool) {
        self.locks_when_flat = locks;
        let what = if locks { "closes the valve" } else { "leaves the valve as it is" };
        self.connection.core.log(Event::CommandDone, format!("flat battery: {what}"));
    }

    /// The network data log.
    pub const fn network_data(&self) -> &NetworkData {
        &self.network_data
    }

    /// Records network data from now on, or no longer.
    pub fn record_network_data(&mut self, on: bool) {
        let entry = NetworkEntry { at: self.connection.core.shown(), litres: self.litres() };
        let words = if on {
            format!("network data: recording {} begun", self.network_data.begin(entry))
        } else {
            self.network_data.end();
            "network data: recording ended".to_owned()
        };
        self.connection.core.log(Event::CommandDone, words);
    }

    /// Litres an hour.
    pub fn flow(&self) -> u32 {
        self.flow_in(self.connection.core.now().minute())
    }

    /// The half-hourly profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The daily log and the billing periods.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Battery left, percent.
    pub fn battery_percent(&self) -> u8 {
        self.battery.percent(self.connection.core.now())
    }

    /// Whether it listens to the HAN now.
    pub fn is_awake(&self) -> bool {
        !self.dead && !self.asleep && self.connection.core.now() < self.awake_until
    }

    /// Whether it does anything at all.
    pub fn is_alive(&self) -> bool {
        !self.dead
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
            self.battery.draw(battery::LOCAL);
            self.speak();
        }
        self.stay_awake(LOCAL_WINDOW);
    }

    /// It stops waking for the home area network, or wakes again at its next time.
    pub fn set_asleep(&mut self, asleep: bool) {
        self.asleep = asleep;
    }

    /// The battery goes flat, or a full one is fitted. A closed valve stays closed until it is armed and opened.
    pub fn set_flat(&mut self, flat: bool) {
        let now = self.connection.core.now();
        if flat {
            self.battery.set_empty(true, now);
            if !self.dead {
                self.die();
            }
        } else if self.dead {
            self.battery.set_empty(false, now);
            (self.dead, self.low_battery_told, self.next_wake) = (false, false, now);
            self.connection.core.log(Event::BatteryReset, "a full battery was fitted");
        }
    }

    /// Draws so many microampere hours: what a day, or a thousand, would draw.
    pub fn drain(&mut self, microampere_hours: u64) {
        self.battery.draw(microampere_hours);
    }

    /// A flow of the test bench in litres an hour in place of the household's.
    pub fn set_flow(&mut self, litres: Option<u32>) {
        self.bench_flow = litres;
    }

    /// What gets through the closed valve from now on, in litres an hour.
    pub fn set_leak(&mut self, litres: u32) {
        self.leak = litres;
    }

    /// A person presses a key; a meter without battery does not notice.
    pub fn press(&mut self, key: Key) -> KeyEffect {
        if self.dead { KeyEffect::None } else { self.connection.press(key) }
    }
}

#[cfg(test)]
mod tests;
