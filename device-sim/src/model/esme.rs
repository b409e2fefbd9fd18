//! The electricity meter: energy, money and supply, minute by minute.

use proto_duis::utrn::VendingKey;

use super::account::{Account, Cause, Level, PaymentMode, Thresholds};
use super::core::Core;
use super::curve::{Curve, Flow, PER_HOUR, mix};
use super::journal::Event;
use super::money::Millipence;
use super::plate::Plate;
use super::profile::{PROFILE_ENTRIES, Profile};
use super::supply::{Key, KeyEffect, OffReason, Supply};
use super::tariff::{Prices, REGISTERS, SwitchingTable};
use super::time::{DAY, HALF_HOUR, MINUTE, MeterTime, Moment};
use super::token::{TokenDesk, TokenRefusal};

/// What a meter is put into service with.
#[derive(Debug, Clone)]
pub struct EsmeSetup {
    /// Identity and versions.
    pub plate: Plate,
    /// Fixes its load for all time.
    pub seed: u64,
    /// How the customer pays.
    pub mode: PaymentMode,
    /// Opening balance.
    pub opening: Millipence,
    /// Limits of the account.
    pub thresholds: Thresholds,
    /// Key its tokens are made with.
    pub vending_key: Option<VendingKey>,
}

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

/// Something held ready to take effect by command or at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passive<T> {
    /// What will be in force.
    pub value: T,
    /// When, by the meter's clock; without a time only by command.
    pub at: Option<MeterTime>,
}

/// Why the supply was not armed or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no credit: the supply stays off until the account is topped up")]
pub struct NoCredit;

/// The meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Esme {
    /// Plate, clock and journal.
    pub core: Core,
    curve: Curve,
    bench_load: Option<u32>,
    import: Flow,
    tiers: [Flow; REGISTERS],
    register: usize,
    /// Energy times price not yet taken off the balance, in watt milliseconds times millipence a kilowatt hour.
    unbilled: u128,
    table: SwitchingTable,
    prices: Prices,
    passive_table: Option<Passive<SwitchingTable>>,
    passive_prices: Option<Passive<Prices>>,
    supply: Supply,
    account: Account,
    level: Level,
    emergency_offered: bool,
    desk: TokenDesk,
    last_token: Option<(MeterTime, Result<u32, TokenRefusal>)>,
    profile: Profile,
    limiter: Limiter,
    over_limit_since: Option<MeterTime>,
    balance_to_show: bool,
}

impl Esme {
    /// A meter that was installed 31 days ago and has lived since: its profile is full.
    pub fn installed(setup: EsmeSetup, now: Moment) -> Self {
        let lived = i64::try_from(PROFILE_ENTRIES).unwrap_or_default() * HALF_HOUR;
        let mut meter = Self::new(&setup, now.plus(-lived));
        meter.advance(now);
        meter.core.journal.forget_alerts();
        meter.account = Account::open(setup.mode, setup.opening, setup.thresholds);
        meter.unbilled = 0;
        meter.judge_credit();
        meter.core.log(Event::Started, format!("in service, firmware {}", setup.plate.firmware));
        meter
    }

    /// A meter fresh from the box, with a customer who pays afterwards.
    fn new(setup: &EsmeSetup, now: Moment) -> Self {
        let reading = 2_000_000 + mix(setup.seed) % 8_000_000;
        let table = SwitchingTable::two_rate();
        let core = Core::new(setup.plate.clone(), now);
        Self {
            register: table.register_at(core.shown().minute_of_day()),
            core,
            curve: Curve::electricity(setup.seed),
            bench_load: None,
            import: Flow::reading(reading),
            tiers: [
                Flow::reading(reading / 4 * 3),
                Flow::reading(reading - reading / 4 * 3),
                Flow::default(),
                Flow::default(),
            ],
            unbilled: 0,
            table,
            prices: Prices::default(),
            passive_table: None,
            passive_prices: None,
            supply: Supply::on(),
            account: Account::open(PaymentMode::Credit, Millipence::ZERO, setup.thresholds),
            level: Level::Normal,
            emergency_offered: false,
            desk: TokenDesk::new(setup.vending_key.clone()),
            last_token: None,
            profile: Profile::starting_at(reading),
            limiter: Limiter::default(),
            over_limit_since: None,
            balance_to_show: false,
        }
    }

    /// Lives until `to`: every full minute on its clock, and the end of a wait for keys, at its own moment.
    pub fn advance(&mut self, to: Moment) {
        loop {
            let tick = self.core.next_tick();
            let lapse = self.supply.lapses_at().unwrap_or(tick);
            let next = tick.min(lapse);
            if next > to {
                break;
            }
            self.consume_until(next);
            if self.supply.lapse(next) {
                self.core.log(Event::CommandRefused, "keys not pressed in time, supply off");
            }
            if next == tick {
                self.tick();
            }
        }
        self.consume_until(to);
    }

    fn consume_until(&mut self, to: Moment) {
        let mut from = self.core.now();
        while from < to {
            let end = to.min(Moment::from_millis((from.minute() + 1) * MINUTE));
            let (watts, millis) = (self.watts_in(from.minute()), end.since(from).unsigned_abs());
            self.import.add(watts, millis);
            if let Some(tier) = self.tiers.get_mut(self.register) {
                tier.add(watts, millis);
            }
            self.unbilled += u128::from(watts) * u128::from(millis) * self.unit_price();
            from = end;
        }
        self.core.bring_to(to);
    }

    fn unit_price(&self) -> u128 {
        let price = self.prices.unit.get(self.register).copied().unwrap_or_default();
        u128::try_from(price.get()).unwrap_or_default()
    }

    fn watts_in(&self, minute: i64) -> u32 {
        match (self.supply.is_on(), self.bench_load) {
            (false, _) => 0,
            (true, Some(watts)) => watts,
            (true, None) => self.curve.rate(minute),
        }
    }

    fn tick(&mut self) {
        let minute = self.core.take_minute();
        self.bill(minute);
        self.activate_due(minute);
        self.register = self.table.register_at(minute.minute_of_day());
        if minute.is_at(HALF_HOUR) {
            self.profile.capture(minute, self.import.units());
            self.balance_to_show = true;
        }
        self.judge_load(minute);
        self.judge_credit();
    }

    fn bill(&mut self, minute: MeterTime) {
        let per_millipence = PER_HOUR * 1000;
        let cost = i64::try_from(self.unbilled / per_millipence).unwrap_or(i64::MAX);
        self.unbilled %= per_millipence;
        self.account.debit(Cause::Consumption, Millipence::new(cost));
        if minute.is_at(DAY) {
            self.account.debit(Cause::StandingCharge, self.prices.standing);
        }
    }

    fn activate_due(&mut self, minute: MeterTime) {
        if is_due(self.passive_table.as_ref(), minute) {
            self.activate_table();
            self.core.log(Event::FutureDatedDone, "switching table activated");
        }
        if is_due(self.passive_prices.as_ref(), minute) {
            self.activate_prices();
            self.core.log(Event::FutureDatedDone, "prices activated");
        }
    }

    fn judge_load(&mut self, minute: MeterTime) {
        let over = self.watts() > self.limiter.watts;
        self.over_limit_since = over.then(|| self.over_limit_since.unwrap_or(minute));
        let borne = self.over_limit_since.map_or(0, |since| minute.millis() - since.millis());
        if over && borne >= self.limiter.millis {
            self.over_limit_since = None;
            self.supply.disable(OffReason::Overload);
            self.supply.arm(self.core.now());
            self.core.log(Event::LoadLimit, "load limit: supply off, then armed");
        }
    }

    /// Compares the credit with what it was: warns once on the way down, cuts off at the end.
    fn judge_credit(&mut self) {
        let level = self.account.level();
        let before = std::mem::replace(&mut self.level, level);
        if level >= Level::Low && before < Level::Low {
            self.core.log(Event::LowCredit, format!("credit low: {}", self.account.balance()));
        }
        let offered = self.account.emergency_offered();
        if offered && !std::mem::replace(&mut self.emergency_offered, offered) {
            self.core.log(Event::EmergencyOffered, "emergency credit on offer");
        }
        self.emergency_offered = offered;
        if level == Level::Exhausted && before < Level::Exhausted {
            self.core.log(Event::BelowDisablement, format!("credit used up: {}", self.account.balance()));
        }
        if level == Level::Exhausted && self.supply.is_on() {
            self.supply.disable(OffReason::NoCredit);
        }
    }
}

fn is_due<T>(passive: Option<&Passive<T>>, minute: MeterTime) -> bool {
    passive.and_then(|passive| passive.at).is_some_and(|at| at <= minute)
}

/// What is asked of the meter and done to it, at the moment it was last brought to.
impl Esme {
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
        self.watts_in(self.core.now().minute())
    }

    /// Voltage in tenths of a volt.
    pub fn decivolts(&self) -> u16 {
        self.curve.decivolts(self.core.now().minute())
    }

    /// The half-hourly profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The supply.
    pub fn supply(&self) -> &Supply {
        &self.supply
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The token entered last: when, and its pence or why it was refused.
    pub fn last_token(&self) -> Option<(MeterTime, Result<u32, TokenRefusal>)> {
        self.last_token
    }

    /// The switching table in force.
    pub fn table(&self) -> &SwitchingTable {
        &self.table
    }

    /// The prices in force.
    pub fn prices(&self) -> &Prices {
        &self.prices
    }

    /// The switching table held ready.
    pub fn passive_table(&self) -> Option<&Passive<SwitchingTable>> {
        self.passive_table.as_ref()
    }

    /// The prices held ready.
    pub fn passive_prices(&self) -> Option<&Passive<Prices>> {
        self.passive_prices.as_ref()
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

    /// Opens the supply by command.
    pub fn disable(&mut self) {
        self.supply.disable(OffReason::Manual);
        self.core.log(Event::CommandDone, "supply disabled");
    }

    /// Arms the supply by command. One that is on stays on.
    ///
    /// # Errors
    /// [`NoCredit`] where the account does not allow a supply.
    pub fn arm(&mut self) -> Result<(), NoCredit> {
        self.must_have_credit()?;
        if self.supply.arm(self.core.now()) {
            self.core.log(Event::SupplyArmed, "supply armed: press A and B");
        }
        Ok(())
    }

    /// Closes the supply by command, without a person.
    ///
    /// # Errors
    /// [`NoCredit`] where the account does not allow a supply.
    pub fn enable(&mut self) -> Result<(), NoCredit> {
        self.must_have_credit()?;
        self.supply.enable();
        self.core.log(Event::CommandDone, "supply enabled");
        Ok(())
    }

    fn must_have_credit(&mut self) -> Result<(), NoCredit> {
        if self.account.level() < Level::Exhausted {
            return Ok(());
        }
        self.core.log(Event::CommandRefused, "supply stays off: no credit");
        Err(NoCredit)
    }

    /// A person presses a key. At a meter that is off for want of credit or for overload, A also takes
    /// emergency credit that is on offer, and arms the supply once there is credit.
    pub fn press(&mut self, key: Key) -> KeyEffect {
        let off_by_itself = matches!(self.supply.reason_code(), 2 | 4) && self.supply.control_state() == 0;
        if off_by_itself && key == Key::A {
            self.take_emergency();
            // Refused is refused: the key then does nothing, and the log says why.
            let _ = self.arm();
        }
        let effect = self.supply.press(key, self.core.now());
        if effect == KeyEffect::Closed {
            self.core.log(Event::KeyDone, "supply closed by keys A and B");
        }
        effect
    }

    /// Takes emergency credit that is on offer; whether it did.
    pub fn take_emergency(&mut self) -> bool {
        let taken = self.account.take_emergency();
        if taken {
            self.core.log(Event::EmergencyActivated, "emergency credit taken");
            self.after_credit();
        }
        taken
    }

    /// Enters a top-up token, digits as octets; the pence it was worth.
    ///
    /// # Errors
    /// The refusal; the balance is as it was.
    pub fn enter_token(&mut self, digits: &[u8]) -> Result<u32, TokenRefusal> {
        let now = self.core.now();
        let was_locked = self.desk.is_locked(now);
        let outcome = self.desk.enter(digits, now, &mut self.account).map(|top_up| top_up.pence);
        self.last_token = Some((self.core.shown(), outcome));
        match outcome {
            Ok(pence) => {
                self.core.log(Event::CreditAdded, format!("credit added: {}", Millipence::pence(pence)));
                self.after_credit();
            }
            Err(refusal) => self.core.log(refusal.event(), format!("token refused: {}", refusal.text())),
        }
        if !was_locked && self.desk.is_locked(now) {
            self.core.log(Event::TokenEntrySuspended, "five wrong tokens: entry locked");
        }
        outcome
    }

    /// A correction of the balance by the supplier.
    pub fn adjust(&mut self, amount: Millipence) {
        self.account.adjust(amount);
        self.core.log(Event::CommandDone, format!("balance adjusted by {amount}"));
        self.after_credit();
    }

    /// Credit is back: a supply that was off for want of it is armed.
    fn after_credit(&mut self) {
        self.balance_to_show = true;
        self.judge_credit();
        let wanting = self.supply.reason_code() == 2;
        if wanting && self.level < Level::Exhausted {
            // There is credit, so arming is not refused.
            let _ = self.arm();
        }
    }

    /// Changes how the customer pays.
    pub fn set_mode(&mut self, mode: PaymentMode) {
        self.account.set_mode(mode);
        self.core.log(Event::CommandDone, format!("payment mode {mode:?}"));
        self.after_credit();
    }

    /// Changes the limits of the account.
    pub fn set_thresholds(&mut self, thresholds: Thresholds) {
        self.account.set_thresholds(thresholds);
        self.judge_credit();
    }

    /// Holds a switching table ready; at a time not after the present it is in force at the next minute.
    pub fn hold_table(&mut self, passive: Passive<SwitchingTable>) {
        self.passive_table = Some(passive);
    }

    /// Holds prices ready.
    pub fn hold_prices(&mut self, passive: Passive<Prices>) {
        self.passive_prices = Some(passive);
    }

    /// Puts the switching table held ready in force; whether there was one.
    pub fn activate_table(&mut self) -> bool {
        let Some(passive) = self.passive_table.take() else { return false };
        self.table = passive.value;
        self.register = self.table.register_at(self.core.shown().minute_of_day());
        true
    }

    /// Puts the prices held ready in force; whether there were any.
    pub fn activate_prices(&mut self) -> bool {
        let Some(passive) = self.passive_prices.take() else { return false };
        self.prices = passive.value;
        true
    }

    /// Whether the display should be told the balance; asked once, it is told.
    pub fn take_balance_to_show(&mut self) -> bool {
        std::mem::take(&mut self.balance_to_show)
    }

    /// A hand at the cover.
    pub fn tamper(&mut self) {
        self.core.log(Event::Tamper, "terminal cover opened");
    }
}

#[cfg(test)]
mod tests;
