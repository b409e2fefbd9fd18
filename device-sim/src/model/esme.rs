//! The electricity meter: energy by register, minute by minute.

use super::connection::{Connection, Contract, Passive};
use super::curve::{Curve, Flow, PER_HOUR, mix};
use super::journal::Event;
use super::profile::{PROFILE_ENTRIES, Profile};
use super::tariff::{REGISTERS, SwitchingTable};
use super::time::{HALF_HOUR, MINUTE, MeterTime, Moment};

/// Load limit: above `watts` for `millis` the supply goes off and is armed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limiter {
    /// Largest load.
    pub watts: u32,
    /// How long more is borne.
    pub millis: i64,
}

impl Default for Limiter {
    /// 100 A at 230 V for two minutes.
    fn default() -> Self {
        Self { watts: 23_000, millis: 2 * MINUTE }
    }
}

/// The meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Esme {
    /// Plate, clock, journal, account and switch.
    pub connection: Connection,
    curve: Curve,
    bench_load: Option<u32>,
    import: Flow,
    tiers: [Flow; REGISTERS],
    register: usize,
    table: SwitchingTable,
    passive_table: Option<Passive<SwitchingTable>>,
    profile: Profile,
    limiter: Limiter,
    over_limit_since: Option<MeterTime>,
}

impl Esme {
    /// A meter that was installed 31 days ago and has lived since: its profile is full. The seed fixes its load.
    pub fn installed(contract: &Contract, seed: u64, now: Moment) -> Self {
        let lived = i64::try_from(PROFILE_ENTRIES).unwrap_or_default() * HALF_HOUR;
        let mut meter = Self::new(contract, seed, now.plus(-lived));
        meter.advance(now);
        meter.connection.begin(contract);
        meter
    }

    fn new(contract: &Contract, seed: u64, now: Moment) -> Self {
        let reading = 2_000_000 + mix(seed) % 8_000_000;
        let night = reading / 4;
        let table = SwitchingTable::two_rate();
        let connection = Connection::new(contract, now, PER_HOUR * 1000);
        Self {
            register: table.register_at(connection.core.shown().minute_of_day()),
            connection,
            curve: Curve::electricity(seed),
            bench_load: None,
            import: Flow::reading(reading),
            tiers: [Flow::reading(reading - night), Flow::reading(night), Flow::default(), Flow::default()],
            table,
            passive_table: None,
            profile: Profile::starting_at(reading),
            limiter: Limiter::default(),
            over_limit_since: None,
        }
    }

    /// Lives until `to`: every full minute on its clock, and the end of a wait for keys, at its own moment.
    pub fn advance(&mut self, to: Moment) {
        if self.connection.core.wait_out(to) {
            return;
        }
        loop {
            let (tick, next) = (self.connection.core.next_tick(), self.next_event());
            if next > to {
                break;
            }
            self.consume_until(next);
            self.connection.lapse(next);
            if next == tick {
                self.tick();
            }
        }
        self.consume_until(to);
    }

    fn consume_until(&mut self, to: Moment) {
        let mut from = self.connection.core.now();
        while from < to {
            let end = to.min(Moment::from_millis((from.minute() + 1) * MINUTE));
            let (watts, millis) = (self.watts_in(from.minute()), end.since(from).unsigned_abs());
            self.import.add(watts, millis);
            if let Some(tier) = self.tiers.get_mut(self.register) {
                tier.add(watts, millis);
            }
            self.connection.count(watts, millis, self.register);
            from = end;
        }
        self.connection.core.bring_to(to);
    }

    fn watts_in(&self, minute: i64) -> u32 {
        match (self.connection.supply.is_on(), self.bench_load) {
            (false, _) => 0,
            (true, Some(watts)) => watts,
            (true, None) => self.curve.rate(minute),
        }
    }

    fn tick(&mut self) {
        let minute = self.connection.core.take_minute();
        self.connection.minute(minute);
        if self.passive_table.as_ref().is_some_and(|passive| passive.is_due(minute)) {
            self.activate_table();
            self.connection.core.log(Event::FutureDatedDone, "switching table activated");
        }
        self.register = self.table.register_at(minute.minute_of_day());
        if minute.is_at(HALF_HOUR) {
            self.profile.capture(minute, self.import.units());
            self.connection.show_balance();
        }
        self.judge_load(minute);
        self.connection.judge_credit();
    }

    fn judge_load(&mut self, minute: MeterTime) {
        let over = self.watts() > self.limiter.watts;
        self.over_limit_since = over.then(|| self.over_limit_since.unwrap_or(minute));
        let borne = self.over_limit_since.map_or(0, |since| minute.millis() - since.millis());
        if over && borne >= self.limiter.millis {
            self.over_limit_since = None;
            self.connection.overload();
        }
    }
}

/// What is asked of the meter and done to it, at the moment it was last brought to.
impl Esme {
    /// When something happens to it by itself.
    pub fn next_event(&self) -> Moment {
        if let Some(next) = self.connection.core.next_in_outage() {
            return next;
        }
        let tick = self.connection.core.next_tick();
        self.connection.supply.lapses_at().map_or(tick, |lapse| lapse.min(tick))
    }

    /// Total active import in watt hours.
    pub fn import_wh(&self) -> u64 {
        self.import.units()
    }

    /// A tariff register in watt hours, 0 being tariff 1.
    pub fn tier_wh(&self, register: usize) -> Option<u64> {
        self.tiers.get(register).map(|tier| tier.units())
    }

    /// The tariff register that counts now, 0 being tariff 1.
    pub fn register(&self) -> usize {
        self.register
    }

    /// Load in watts.
    pub fn watts(&self) -> u32 {
        self.watts_in(self.connection.core.now().minute())
    }

    /// Voltage at the load terminals in tenths of a volt: what a voltmeter behind the meter shows.
    pub fn terminal_decivolts(&self) -> u16 {
        if self.connection.supply.is_on() { self.decivolts() } else { 0 }
    }

    /// Mains voltage in tenths of a volt.
    pub fn decivolts(&self) -> u16 {
        if !self.connection.core.is_powered() {
            return 0;
        }
        self.curve.decivolts(self.connection.core.now().minute())
    }

    /// The half-hourly profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The switching table in force.
    pub fn table(&self) -> &SwitchingTable {
        &self.table
    }

    /// The switching table held ready.
    pub fn passive_table(&self) -> Option<&Passive<SwitchingTable>> {
        self.passive_table.as_ref()
    }

    /// The load limit.
    pub fn limiter(&self) -> Limiter {
        self.limiter
    }

    /// Another load limit.
    pub fn set_limiter(&mut self, limiter: Limiter) {
        self.limiter = limiter;
    }

    /// A load of the test bench in place of the household's; none gives the household back.
    pub fn set_load(&mut self, watts: Option<u32>) {
        self.bench_load = watts;
    }

    /// Holds a switching table ready; at a time not after the present it is in force at the next minute.
    pub fn hold_table(&mut self, passive: Passive<SwitchingTable>) {
        self.passive_table = Some(passive);
    }

    /// Puts the switching table held ready in force; whether there was one.
    pub fn activate_table(&mut self) -> bool {
        let Some(passive) = self.passive_table.take() else { return false };
        self.table = passive.value;
        self.register = self.table.register_at(self.connection.core.shown().minute_of_day());
        true
    }
}

#[cfg(test)]
mod tests;
