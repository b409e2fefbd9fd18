//! The electricity meter: energy by register, minute by minute, and everything that hangs on it.
//!
//! It lives from event to event: full minutes of its clock (tariff, demand, profiles, bills), full minutes of true
//! time (the household's load changes there), the end of a wait for keys, a limit or threshold that has been passed
//! for long enough. Between two events everything is constant, so counting is one multiplication.

mod load;
mod logs;
mod terms;

pub use super::load_limit::{LimitAction, Limiter};
pub use logs::{BILLING_ENTRIES, BillingRead, Channel, DAILY_ENTRIES, DailyRead, Logs};
pub use terms::{TERMS_ENTRIES, Terms, TermsRead};

use super::activation::Part;
use super::blocks::Blocks;
use super::calendar::CalendarError;
use super::calendar::{Calendar, DatePattern, Timetable};
use super::connection::{Connection, Contract};
use super::curve::{Curve, PER_HOUR, Power, mix};
use super::demand::Demand;
use super::demand_window::DemandWindow;
use super::energy::Registers;
use super::journal::Event;
use super::load_limit::LoadLimit;
use super::money::Millipence;
use super::power_level::{PowerLevel, PowerThresholds};
use super::profile::{LIVED_ENTRIES, Profile};
use super::tariff::{BLOCK_REGISTERS, BLOCK_SETS, BLOCKS, REGISTERS, Selection, SwitchingTable};
use super::time::{DAY, HALF_HOUR, MINUTE, MeterTime, Moment};
use super::voltage::Quality;

/// Most dates a billing time has: one for each month.
pub const BILLING_DATES: usize = 12;

/// When a billing period ends: a minute of the UTC day on certain dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingTime {
    /// Minute of the UTC day, 0 to 1439.
    pub minute: u16,
    /// The dates, [`BILLING_DATES`] at most.
    pub dates: Vec<DatePattern>,
}

/// What a test bench puts behind or before the meter in place of household and mains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Bench {
    load: Option<u32>,
    generation: Option<u32>,
    decivolts: Option<u16>,
}

/// The meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Esme {
    /// Plate, clock, journal, account and switch.
    pub connection: Connection,
    /// The activity calendar: which tariff register counts when.
    pub tariff: Timetable,
    /// The sets of blocks of the tariff.
    pub blocks: Blocks,
    /// Demand of import.
    pub import_demand: Demand,
    /// Demand of export.
    pub export_demand: Demand,
    /// The largest demand of import in a part of the day.
    pub demand_window: DemandWindow,
    /// From which power on a load is medium, and high.
    pub power_thresholds: PowerThresholds,
    /// The voltage monitor.
    pub quality: Quality,
    /// The load limit.
    pub limit: LoadLimit,
    /// When billing periods end.
    pub billing: BillingTime,
    curve: Curve,
    bench: Bench,
    registers: Registers,
    logs: Logs,
    terms: Terms,
}

impl Esme {
    /// A meter that was installed 31 days ago and has lived since: its profile is full. The seed fixes its load.
    pub fn installed(contract: &Contract, seed: u64, now: Moment) -> Self {
        let lived = i64::try_from(LIVED_ENTRIES).unwrap_or_default() * HALF_HOUR;
        let mut meter = Self::new(contract, seed, now.plus(-lived));
        meter.advance(now);
        meter.connection.begin(contract);
        meter.begin_terms();
        meter
    }

    fn new(contract: &Contract, seed: u64, now: Moment) -> Self {
        let reading = 2_000_000 + mix(seed) % 8_000_000;
        let connection =
            Connection::new(contract, now, PER_HOUR * 1000).with_registers(REGISTERS, BLOCK_REGISTERS);
        let shown = connection.core.shown();
        Self {
            connection,
            tariff: Timetable::new(Calendar::every_day(SwitchingTable::two_rate()), shown),
            blocks: Blocks::new(BLOCK_SETS),
            import_demand: Demand::new(shown),
            export_demand: Demand::new(shown),
            demand_window: DemandWindow::new(),
            power_thresholds: PowerThresholds::default(),
            quality: Quality::new(),
            limit: LoadLimit::new(Limiter::default()),
            billing: BillingTime { minute: 0, dates: vec![DatePattern::monthly(1)] },
            curve: Curve::electricity(seed),
            bench: Bench::default(),
            registers: Registers::reading(reading, reading / 4),
            logs: Logs::starting_at(reading),
            terms: Terms::new(contract.mode, contract.prices.clone()),
        }
    }

    /// Lives until `to`; what happens on the way happens at its own moment. Without mains nothing does.
    pub fn advance(&mut self, to: Moment) {
        if self.connection.core.wait_out(to) {
            return;
        }
        loop {
            self.note();
            self.look_at_terms();
            let next = self.next_event();
            if next > to {
                break;
            }
            let tick = self.connection.core.next_tick();
            self.consume_until(next);
            self.settle(next);
            if next >= tick {
                self.tick();
            }
        }
        self.consume_until(to);
    }

    /// What its limits and thresholds have to do with from now on.
    fn note(&mut self) {
        let now = self.connection.core.now();
        let (watts, decivolts) = (self.power_in(now.minute()).import, self.decivolts());
        self.limit.note(watts, now);
        self.quality.note(decivolts, now);
    }

    /// Other prices or another payment mode are in the log from the moment they come into force.
    fn look_at_terms(&mut self) {
        let (connection, registers) = (&self.connection, &self.registers);
        let account = connection.account();
        self.terms.settle(account.mode(), connection.prices(), || TermsRead {
            read: DailyRead::of(connection.core.shown(), registers),
            balance: account.balance(),
        });
    }

    /// The terms that stand are those from the beginning.
    fn begin_terms(&mut self) {
        let connection = &self.connection;
        self.terms = Terms::new(connection.account().mode(), connection.prices().clone());
    }

    /// Counts until `to`, through which nothing changes.
    fn consume_until(&mut self, to: Moment) {
        let now = self.connection.core.now();
        let Ok(millis @ 1..) = u64::try_from(to.since(now)) else { return };
        let power = self.power_in(now.minute());
        self.count_energy(power, millis);
        self.import_demand.count(power.import, millis);
        self.export_demand.count(power.export, millis);
        self.quality.count(self.decivolts(), millis);
        self.connection.core.bring_to(to);
    }

    fn count_energy(&mut self, power: Power, millis: u64) {
        let import = self.registers.count(power, millis, self.register());
        match self.selection() {
            Selection::Register(register) => self.connection.count(power.import, millis, register),
            Selection::Blocks(set) => {
                let (registers, connection) = (&mut self.registers, &mut self.connection);
                self.blocks.split(set, import, |block, part| {
                    registers.count_block(set * BLOCKS + block, part);
                    connection.count_block(part, set * BLOCKS + block);
                });
            }
        }
    }

    fn power_in(&self, minute: i64) -> Power {
        if !self.connection.supply.is_on() {
            return Power::default();
        }
        match (self.bench.load, self.bench.generation) {
            (Some(load), generation) => Power::of(load, generation.unwrap_or_default()),
            (None, generation) => {
                let generation = generation.unwrap_or_else(|| self.curve.generation(minute));
                Power::of(self.curve.rate(minute), generation)
            }
        }
    }

    /// What is due at `now` apart from the clock's minute.
    fn settle(&mut self, now: Moment) {
        let connection = &mut self.connection;
        connection.lapse(now);
        connection.core.activate_due();
        let shown = connection.core.shown();
        self.quality.turn(now, &mut connection.core.journal, shown);
        if self.limit.take_over(shown) {
            connection.core.log(Event::FutureDatedDone, "load limit settings in force");
        }
        if self.limit.trips(now) {
            match self.limit.limiter().action {
                LimitAction::Disable => connection.overload(),
                LimitAction::Unchanged => connection.core.log(Event::LoadAboveLimit, "load above its limit"),
            }
        }
        if self.limit.restores(now) {
            connection.restore_after_overload();
        }
        for part in self.connection.activations.take_due(shown) {
            let outcome = self.activate(part);
            self.connection.tell_dated(part, &outcome);
        }
    }

    /// A full minute of the meter's clock.
    fn tick(&mut self) {
        let minute = self.connection.core.take_minute();
        self.connection.minute(minute);
        match self.tariff.turn(minute) {
            Some(Ok(())) => self.connection.core.log(Event::FutureDatedDone, "activity calendar activated"),
            Some(Err(error)) => {
                self.connection.core.log(Event::FutureDatedFailed, format!("activity calendar: {error}"));
            }
            None => {}
        }
        self.quality.minute(minute, &mut self.connection.core.journal);
        if let Some((measured, period)) = self.import_demand.minute(minute) {
            self.demand_window.see(measured, period);
        }
        self.export_demand.minute(minute);
        if minute.is_at(HALF_HOUR) {
            let flags = self.connection.core.take_flags();
            // A capture without room is lost; only in a full ring does the oldest make way (IEC 62056-6-2, class 7).
            if !self.connection.core.bench.memory_full {
                self.logs.capture(minute, &self.registers, flags);
            }
            self.connection.show_balance();
        }
        if minute.is_at(DAY) {
            self.logs.read_day(minute, &self.registers);
            if self.blocks.are_daily() {
                self.blocks.begin_period();
            }
        }
        if self.billing.is_at(minute) {
            self.end_billing_period();
        }
        self.connection.judge_credit();
    }
}

impl BillingTime {
    /// Whether a billing period ends after `begin` and at `end` at the latest.
    fn ends_in(&self, begin: MeterTime, end: MeterTime) -> bool {
        let midnight = end.plus(-MINUTE).next(DAY).plus(-DAY);
        let of_day = i64::from(self.minute) * MINUTE;
        let candidates = [midnight.plus(of_day), midnight.plus(DAY + of_day)];
        candidates.into_iter().any(|at| at > begin && at <= end && self.is_at(at))
    }

    fn is_at(&self, minute: MeterTime) -> bool {
        let date = || minute.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date();
        minute.minute_of_day() == self.minute && self.dates.iter().any(|dates| dates.matches(date()))
    }
}

/// What is asked of the meter and done to it, at the moment it was last brought to.
impl Esme {
    /// When something happens to it by itself.
    pub fn next_event(&self) -> Moment {
        let core = &self.connection.core;
        if !core.is_powered() {
            return core.next_in_outage().unwrap_or(core.now().plus(MINUTE));
        }
        let minute = Moment::from_millis((core.now().minute() + 1) * MINUTE);
        let by_itself = [
            self.connection.supply.lapses_at(),
            self.limit.next_event(),
            self.quality.next_event(),
            core.next_activation(),
            self.connection.next_activation(),
            self.limit.passive().map(|(_, at)| core.reaches(at)),
        ];
        by_itself.into_iter().flatten().fold(core.next_tick().min(minute), Moment::min)
    }

    /// The energy registers.
    pub const fn registers(&self) -> &Registers {
        &self.registers
    }

    /// Profiles and logs.
    pub const fn logs(&self) -> &Logs {
        &self.logs
    }

    /// The log of changes of the payment mode and the prices.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Total active import in watt hours.
    pub fn import_wh(&self) -> u64 {
        self.registers.import()
    }

    /// What counts now, and at which prices.
    pub const fn selection(&self) -> Selection {
        Selection::of(self.tariff.selected(), REGISTERS)
    }

    /// The tariff register that counts now, 0 being tariff 1.
    pub const fn register(&self) -> usize {
        self.selection().register()
    }

    /// What a kilowatt hour costs now.
    pub fn price(&self) -> Millipence {
        let prices = self.connection.prices();
        let price = match self.selection() {
            Selection::Register(register) => prices.unit.get(register),
            Selection::Blocks(set) => prices.block.get(set * BLOCKS + self.blocks.current(set)),
        };
        price.copied().unwrap_or_default()
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

    /// Has a block period be a day, or last until it is ended otherwise.
    pub fn set_daily_blocks(&mut self, daily: bool) {
        self.blocks.set_daily(daily);
        let what = if daily { "begin anew each day" } else { "go on from day to day" };
        self.connection.core.log(Event::CommandDone, format!("block counters {what}"));
    }

    /// Ends billing periods at these times from now on.
    pub fn set_billing(&mut self, billing: BillingTime) {
        self.billing = billing;
        self.connection.core.log(Event::CommandDone, "billing calendar set");
    }

    /// Begins a block period by command: every block counter is nought.
    pub fn reset_blocks(&mut self) {
        self.blocks.begin_period();
        self.connection.core.log(Event::CommandDone, "block counters reset");
    }

    /// What flows now.
    pub fn power(&self) -> Power {
        if self.connection.core.is_powered() {
            self.power_in(self.connection.core.now().minute())
        } else {
            Power::default()
        }
    }

    /// Load in watts.
    pub fn watts(&self) -> u32 {
        self.power().import
    }

    /// How high the load is.
    pub fn power_level(&self) -> PowerLevel {
        self.power_thresholds.level(self.watts())
    }

    /// Voltage at the load terminals in tenths of a volt: what a voltmeter behind the meter shows.
    pub fn terminal_decivolts(&self) -> u16 {
        if self.connection.supply.is_on() { self.decivolts() } else { 0 }
    }

    /// Mains voltage in tenths of a volt.
    pub fn decivolts(&self) -> u16 {
        let core = &self.connection.core;
        if !core.is_powered() {
            return 0;
        }
        self.bench.decivolts.unwrap_or_else(|| self.curve.decivolts(core.now().minute()))
    }

    /// The half-hourly profile of import.
    pub const fn profile(&self) -> &Profile {
        self.logs.profile(Channel::Import)
    }

    /// A load of the test bench in place of the household's; none gives the household back.
    pub fn set_load(&mut self, watts: Option<u32>) {
        self.bench.load = watts;
    }

    /// The load of the test bench, where there is one.
    pub const fn bench_load(&self) -> Option<u32> {
        self.bench.load
    }

    /// The voltage of the test bench in tenths of a volt, where there is one.
    pub const fn bench_decivolts(&self) -> Option<u16> {
        self.bench.decivolts
    }

    /// Generation behind the meter in place of the household's.
    pub fn set_generation(&mut self, watts: Option<u32>) {
        self.bench.generation = watts;
    }

    /// A voltage of the test bench in tenths of a volt, in place of the mains'.
    pub fn set_decivolts(&mut self, decivolts: Option<u16>) {
        self.bench.decivolts = decivolts;
    }

    /// Ends the billing period: an entry of the billing log; demand and blocks begin anew.
    pub fn end_billing_period(&mut self) {
        let at = self.connection.core.shown();
        let read = BillingRead {
            read: DailyRead::of(at, &self.registers),
            import_peak: self.import_demand.peak(),
            export_peak: self.export_demand.peak(),
            balance: self.connection.account().balance(),
        };
        self.logs.bill(read);
        self.import_demand.reset();
        self.export_demand.reset();
        self.demand_window.reset();
        self.blocks.begin_period();
        self.connection.core.log(Event::BillingUpdated, "billing period ended");
    }

    /// The mains were away: what was being measured over a time is worth nothing.
    pub fn interrupted(&mut self) {
        let shown = self.connection.core.shown();
        self.quality.interrupted();
        self.limit.interrupted();
        self.import_demand.begin(shown);
        self.export_demand.begin(shown);
    }
}

#[cfg(test)]
mod tests;
