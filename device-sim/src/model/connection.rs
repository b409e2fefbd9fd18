//! The customer's connection, electricity or gas: account, prices, tokens, and the switch that opens and closes it.

mod load;
mod prices;
mod settings;

pub(super) use load::fits;

use proto_duis::utrn::VendingKey;

use super::account::{Account, Cause, Level, PaymentMode, Thresholds};
use super::activation::{Activations, CreditSettings, ModeSettings};
use super::calendar::{Calendar, Timetable};
use super::core::Core;
use super::curve::Flow;
use super::customer::Customer;
use super::debt::{Debt, Debts, Every};
use super::device_log::DeviceLog;
use super::journal::Event;
use super::money::Millipence;
use super::plate::Plate;
use super::profile::Ring;
use super::supply::{Key, KeyEffect, OffReason, Supply};
use super::tariff::{BLOCKS, BlockPrices, GAS_BLOCK_SETS, GAS_REGISTERS, Prices, SwitchingTable, UnitPrices};
use super::time::{DAY, MeterTime, Moment};
use super::token::{TokenDesk, TokenRefusal, WRONG_IN_A_ROW};

/// Top-ups and debt payments a meter remembers, each.
const PAYMENTS: usize = 10;
/// Days the log of the account keeps.
const ACCOUNT_DAYS: usize = 31;
/// What the non-disablement calendar selects while the supply stays on without credit.
const NOT_TO_BE_DISABLED: usize = 1;

/// What a meter is put into service with.
#[derive(Debug, Clone)]
pub struct Contract {
    /// Identity and versions.
    pub plate: Plate,
    /// How the customer pays.
    pub mode: PaymentMode,
    /// Opening balance.
    pub opening: Millipence,
    /// Limits of the account.
    pub thresholds: Thresholds,
    /// What a unit and a day cost.
    pub prices: Prices,
    /// Key its tokens are made with.
    pub vending_key: Option<VendingKey>,
}

/// Something held ready to take effect by command or at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passive<T> {
    /// What will be in force.
    pub value: T,
    /// When, by the meter's clock; without a time only by command.
    pub at: Option<MeterTime>,
}

impl<T> Passive<T> {
    /// Whether its time has come.
    pub(super) fn is_due(&self, minute: MeterTime) -> bool {
        self.at.is_some_and(|at| at <= minute)
    }
}

/// A top-up, as the meter remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopUpEntry {
    /// When.
    pub at: MeterTime,
    /// What it was worth.
    pub amount: Millipence,
    /// The token's sequence number.
    pub sequence: u32,
}

/// A payment towards a debt, as the meter remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebtEntry {
    /// When.
    pub at: MeterTime,
    /// Which debt.
    pub debt: Debt,
    /// What was paid.
    pub amount: Millipence,
}

/// How the account stood at the end of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountDay {
    /// Midnight, UTC.
    pub at: MeterTime,
    /// The balance.
    pub balance: Millipence,
    /// Emergency credit left.
    pub emergency: Millipence,
    /// What was owed in each debt by time, and in the one by payment.
    pub owed: [Millipence; 3],
}

/// Why the supply was not armed or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no credit: the supply stays off until the account is topped up")]
pub struct NoCredit;

/// The connection. Deeds happen at the moment its meter was last brought to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Plate, clock and journal of the meter.
    pub core: Core,
    /// What it holds for its customer.
    pub customer: Customer,
    /// The devices it talks to on the home area network.
    pub devices: DeviceLog,
    pub(super) supply: Supply,
    account: Account,
    prices: Prices,
    /// Tariff registers there are prices for.
    registers: usize,
    /// Blocks there are prices for.
    blocks: usize,
    passive_unit: Option<Passive<UnitPrices>>,
    passive_block: Option<Passive<BlockPrices>>,
    passive_standing: Option<Passive<Millipence>>,
    /// Use times price not yet taken off the balance, in units of which `per_millipence` make a millipence.
    unbilled: u128,
    per_millipence: u128,
    level: Level,
    emergency_offered: bool,
    /// While it selects `NOT_TO_BE_DISABLED`, want of credit does not open the supply.
    pub non_disablement: Timetable,
    disablement_suspended: bool,
    /// Whether it was told that the supply stays on without credit.
    suspension_told: bool,
    top_ups: Ring<TopUpEntry>,
    debt_payments: Ring<DebtEntry>,
    desk: TokenDesk,
    last_token: Option<(MeterTime, Result<u32, TokenRefusal>)>,
    balance_to_show: bool,
    /// Whether tamper opens the supply.
    tamper_locks: bool,
    account_days: Ring<AccountDay>,
    /// When what is held ready comes into force.
    pub activations: Activations,
    held_credit: Option<CreditSettings>,
    held_mode: Option<ModeSettings>,
}

impl Connection {
    /// A connection that is on, of a customer who so far pays afterwards.
    pub(super) fn new(contract: &Contract, now: Moment, per_millipence: u128) -> Self {
        let core = Core::new(contract.plate.clone(), now);
        let always = Calendar::every_day(SwitchingTable::always());
        Self {
            non_disablement: Timetable::new(always, core.shown()).with_selections(NOT_TO_BE_DISABLED + 1),
            disablement_suspended: false,
            suspension_told: false,
            top_ups: Ring::new(PAYMENTS),
            debt_payments: Ring::new(PAYMENTS),
            customer: Customer::of(&contract.plate),
            devices: DeviceLog::new(contract.plate.kind),
            core,
            registers: GAS_REGISTERS,
            blocks: GAS_BLOCK_SETS * BLOCKS,
            account_days: Ring::new(ACCOUNT_DAYS),
            activations: Activations::default(),
            held_credit: None,
            held_mode: None,
            passive_block: None,
            supply: Supply::on(),
            account: Account::open(PaymentMode::Credit, Millipence::ZERO, contract.thresholds),
            prices: contract.prices.clone(),
            passive_unit: None,
            passive_standing: None,
            unbilled: 0,
            per_millipence,
            level: Level::Normal,
            emergency_offered: false,
            desk: TokenDesk::new(contract.vending_key.clone()),
            last_token: None,
            balance_to_show: true,
            tamper_locks: false,
        }
    }

    /// The customer's account opens as the contract says; what happened before is past.
    pub(super) fn begin(&mut self, contract: &Contract) {
        self.core.journal.forget_alerts();
        self.account = Account::open(contract.mode, contract.opening, contract.thresholds);
        self.unbilled = 0;
        self.core.log(Event::Started, format!("in service, firmware {}", contract.plate.firmware));
        self.judge_credit();
    }

    /// The connection of a meter with so many tariff registers and blocks.
    pub(super) fn with_registers(self, registers: usize, blocks: usize) -> Self {
        Self { registers, blocks, ..self }
    }

    /// Counts use at the price of a tariff register: a rate for so many milliseconds.
    pub(super) fn count(&mut self, rate: u32, millis: u64, register: usize) {
        self.count_units(u128::from(rate) * u128::from(millis), register);
    }

    /// Counts use worked out elsewhere at the price of a tariff register: in units of which as many make a kilowatt hour
    /// as make a millipence at a price of one.
    pub(super) fn count_units(&mut self, units: u128, register: usize) {
        self.charge(units, self.prices.unit.get(register).copied().unwrap_or_default());
    }

    /// Counts use at the price of a block, by its number in all sets.
    pub(super) fn count_block(&mut self, flow: Flow, block: usize) {
        self.count_block_units(flow.raw(), block);
    }

    /// The same for use worked out elsewhere, as [`Connection::count_units`] has it.
    pub(super) fn count_block_units(&mut self, units: u128, block: usize) {
        self.charge(units, self.prices.block.get(block).copied().unwrap_or_default());
    }

    fn charge(&mut self, units: u128, price: Millipence) {
        let price = u128::try_from(price.get()).unwrap_or_default();
        self.unbilled = self.unbilled.saturating_add(units.saturating_mul(price));
    }

    /// What a full minute brings: the bill, the standing charge at midnight, debts that are due, prices whose time
    /// has come.
    pub(super) fn minute(&mut self, minute: MeterTime) {
        let cost = i64::try_from(self.unbilled / self.per_millipence).unwrap_or(i64::MAX);
        self.unbilled %= self.per_millipence;
        self.account.debit(Cause::Consumption, Millipence::new(cost));
        if minute.is_at(DAY) {
            self.account.debit(Cause::StandingCharge, self.prices.standing);
        }
        if Every::Hour.is_due(minute) {
            self.collect_debts(minute);
        }
        self.turn_calendar(minute);
        self.activate_prices_due(minute);
        self.core.activate_due();
        if minute.is_at(DAY) {
            self.account_days.push(self.account_day(minute));
        }
    }

    fn account_day(&self, at: MeterTime) -> AccountDay {
        let debts = self.account.debts();
        let [first, second] = debts.time;
        let owed = [first.owed, second.owed, debts.payment.owed];
        AccountDay { at, balance: self.account.balance(), emergency: self.account.emergency_left(), owed }
    }

    /// How the account stood at the end of the last days, oldest first.
    pub const fn account_days(&self) -> &Ring<AccountDay> {
        &self.account_days
    }

    fn collect_debts(&mut self, minute: MeterTime) {
        if Every::Week.is_due(minute) {
            self.account.begin_week();
        }
        let disabled = self.supply.reason_code() == OffReason::NoCredit.code();
        for (debt, amount) in self.account.collect_debts(minute, disabled) {
            self.debt_paid(debt, amount);
        }
    }

    fn debt_paid(&mut self, debt: Debt, amount: Millipence) {
        self.debt_payments.push(DebtEntry { at: self.core.shown(), debt, amount });
        let debts = self.account.debts();
        let [first, second] = debts.time;
        let (left, event) = match debt {
            Debt::Time1 => (first.owed, Event::TimeDebt1Collected),
            Debt::Time2 => (second.owed, Event::TimeDebt2Collected),
            Debt::Payment => (debts.payment.owed, Event::PaymentDebtCollected),
        };
        if left <= Millipence::ZERO {
            self.core.log(event, format!("debt paid, last {amount}"));
        }
    }

    fn turn_calendar(&mut self, minute: MeterTime) {
        match self.non_disablement.turn(minute) {
            Some(Ok(())) => self.core.log(Event::FutureDatedDone, "non-disablement calendar activated"),
            Some(Err(error)) => {
                self.core.log(Event::FutureDatedFailed, format!("non-disablement calendar: {error}"))
            }
            None => {}
        }
    }

    /// Ends a wait for keys that is over.
    pub(super) fn lapse(&mut self, now: Moment) {
        if self.supply.lapse(now) {
            self.core.log(Event::CommandRefused, "keys not pressed in time, supply off");
        }
    }

    /// Too much load: off, then armed.
    pub(super) fn overload(&mut self) {
        self.supply.disable(OffReason::Overload);
        self.supply.arm(self.core.now());
        self.core.log(Event::LoadLimit, "load limit: supply off, then armed");
    }

    /// The restoration period of the load limit is over: the supply comes back if it is still off for overload.
    pub(super) fn restore_after_overload(&mut self) {
        if self.supply.reason_code() == OffReason::Overload.code() {
            self.supply.enable();
            self.core.log(Event::LoadLimitRestored, "load limit: supply back");
        }
    }

    /// Compares the credit with what it was: warns once on the way down, cuts off at the end.
    pub(super) fn judge_credit(&mut self) {
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
            if self.account.emergency_taken() {
                self.core.log(Event::EmergencyExhausted, "emergency credit used up");
            }
            self.core.log(Event::BelowDisablement, format!("credit used up: {}", self.account.balance()));
        }
        self.judge_supply();
    }

    /// Without credit the supply goes off, unless that is suspended.
    fn judge_supply(&mut self) {
        let wanting = self.level == Level::Exhausted && self.supply.is_on();
        if wanting && self.may_disable() {
            self.supply.disable(OffReason::NoCredit);
        } else if wanting && !self.suspension_told {
            self.core.log(Event::DisablementSuspended, "no credit: supply stays on, disablement suspended");
        }
        self.suspension_told = wanting && !self.may_disable();
    }

    /// Whether want of credit may open the supply now: not in a non-disablement period, nor while suspended.
    pub fn may_disable(&self) -> bool {
        !self.disablement_suspended && self.non_disablement.selected() != NOT_TO_BE_DISABLED
    }

    /// Whether disablement for want of credit is suspended by command.
    pub const fn disablement_suspended(&self) -> bool {
        self.disablement_suspended
    }

    /// Suspends disablement for want of credit, or takes it up again.
    pub fn suspend_disablement(&mut self, suspended: bool) {
        self.disablement_suspended = suspended;
        let what = if suspended { "suspended" } else { "taken up again" };
        self.core.log(Event::CommandDone, format!("disablement {what}"));
        self.judge_supply();
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

    /// The last top-ups, oldest first.
    pub const fn top_ups(&self) -> &Ring<TopUpEntry> {
        &self.top_ups
    }

    /// The last payments towards debts, oldest first.
    pub const fn debt_payments(&self) -> &Ring<DebtEntry> {
        &self.debt_payments
    }

    /// Other debts.
    pub fn set_debts(&mut self, debts: Debts) {
        self.account.set_debts(debts);
        self.core.log(Event::CommandDone, "debts set");
    }

    /// Tariff registers there are prices for.
    pub const fn registers(&self) -> usize {
        self.registers
    }

    /// Blocks there are prices for.
    pub const fn blocks(&self) -> usize {
        self.blocks
    }

    /// The prices in force.
    pub fn prices(&self) -> &Prices {
        &self.prices
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
        if self.account.level() < Level::Exhausted || !self.may_disable() {
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

    /// A person at a display closes a supply that is armed; whether it was.
    pub fn close_by_display(&mut self) -> bool {
        let armed = self.supply.control_state() == 2;
        if armed {
            self.supply.enable();
            self.core.log(Event::KeyDone, "supply closed at the display");
        }
        armed
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
        let entered = self.desk.enter(digits, now, &mut self.account);
        let outcome = entered.map(|credited| credited.pence);
        self.last_token = Some((self.core.shown(), outcome));
        match entered {
            Ok(credited) => {
                let amount = Millipence::pence(credited.pence);
                self.top_ups.push(TopUpEntry { at: self.core.shown(), amount, sequence: credited.sequence });
                self.core.log(Event::CreditAdded, format!("credit added: {amount}"));
                if credited.to_debt > Millipence::ZERO {
                    self.debt_paid(Debt::Payment, credited.to_debt);
                }
                self.after_credit();
            }
            Err(refusal) => self.core.log(refusal.event(), format!("token refused: {}", refusal.text())),
        }
        if !was_locked && self.desk.is_locked(now) {
            self.core.log(Event::TokenEntrySuspended, "five wrong tokens: entry locked");
        }
        outcome
    }

    /// Five wrong tokens are entered, which locks the entry; or the lock is taken off.
    pub fn lock_tokens(&mut self, locked: bool) {
        self.desk.unlock();
        for _ in 0..if locked { WRONG_IN_A_ROW } else { 0 } {
            // Refused, as it is meant to be.
            let _ = self.enter_token(b"0");
        }
    }

    /// From now on a token that was entered before is credited again, or no longer.
    pub fn credit_used_tokens(&mut self, on: bool) {
        self.desk.credit_used(on);
    }

    /// Another vending key; the one before.
    pub fn replace_key(&mut self, key: Option<VendingKey>) -> Option<VendingKey> {
        self.desk.replace_key(key)
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

    /// The display is to be told the balance.
    pub fn show_balance(&mut self) {
        self.balance_to_show = true;
    }

    /// Whether the display should be told the balance; asked once, it is told.
    pub fn take_balance_to_show(&mut self) -> bool {
        std::mem::take(&mut self.balance_to_show)
    }

    /// An engineer's supply UTRN opens the supply. How such tokens are made is their makers' secret; the bench gives
    /// their effect.
    pub fn disable_by_token(&mut self) {
        self.supply.disable(OffReason::SupplyToken);
        self.core.log(Event::KeyDone, "supply disabled by supply UTRN");
    }

    /// Whether tamper opens the supply and locks it: keys do not bring it back, only a command.
    pub const fn tamper_locks(&self) -> bool {
        self.tamper_locks
    }

    /// Sets what tamper does to the supply.
    pub fn set_tamper_locks(&mut self, locks: bool) {
        self.tamper_locks = locks;
        let what = if locks { "locks the supply" } else { "leaves the supply as it is" };
        self.core.log(Event::CommandDone, format!("tamper {what}"));
    }

    /// A hand at the cover.
    pub fn tamper(&mut self) {
        if self.tamper_locks {
            self.supply.disable(OffReason::Event);
        }
        let what =
            if self.tamper_locks { "terminal cover opened: supply locked" } else { "terminal cover opened" };
        self.core.log(Event::Tamper, what);
    }
}
