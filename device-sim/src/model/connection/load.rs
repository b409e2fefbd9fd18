//! The customer's part of a test data set.

use lab_config::contents::{self, Customer};

use super::super::account::{Account, Level, PaymentMode, Thresholds};
use super::super::debt::{Debts, Every, PaymentDebt, TimeDebt};
use super::super::loading::LoadRefusal;
use super::super::money::Millipence;
use super::super::profile::Ring;
use super::super::supply::{OffReason, Supply};
use super::super::tariff::BLOCKS;
use super::{ACCOUNT_DAYS, Connection};

impl Connection {
    /// Loads account and supply, as if they had come about long ago.
    ///
    /// # Errors
    /// What could not have come about.
    pub(in super::super) fn load(&mut self, customer: &Customer) -> Result<(), LoadRefusal> {
        let of_account = Customer { supply: None, ..*customer };
        if of_account != Customer::default() {
            self.account = account(&self.account, customer)?;
            self.unbilled = 0;
            // Of an account that came about otherwise than it lived there is no log.
            self.account_days = Ring::new(ACCOUNT_DAYS);
        }
        self.settle();
        self.load_supply(customer.supply)?;
        self.balance_to_show = true;
        Ok(())
    }

    /// What has been told of the credit stands as if it had been told.
    fn settle(&mut self) {
        self.level = self.account.level();
        self.emergency_offered = self.account.emergency_offered();
        self.suspension_told = self.level == Level::Exhausted && !self.may_disable();
    }

    fn load_supply(&mut self, supply: Option<contents::Supply>) -> Result<(), LoadRefusal> {
        let must_be_off = self.level == Level::Exhausted && self.may_disable();
        match supply {
            Some(contents::Supply::On | contents::Supply::Armed) if must_be_off => {
                return Err(LoadRefusal::NoCredit(self.account.balance()));
            }
            Some(contents::Supply::On) => self.supply = Supply::on(),
            Some(contents::Supply::Armed) => {
                self.supply.disable(OffReason::Manual);
                self.supply.arm(self.core.now());
            }
            Some(contents::Supply::Off) if must_be_off => {
                self.supply.disable(OffReason::NoCredit);
            }
            Some(contents::Supply::Off) => {
                self.supply.disable(OffReason::Manual);
            }
            None if must_be_off && self.supply.is_on() => {
                self.supply.disable(OffReason::NoCredit);
            }
            // Credit that has come arms a supply that was off for want of it.
            None if !must_be_off && self.supply.reason_code() == OffReason::NoCredit.code() => {
                self.supply.arm(self.core.now());
            }
            None => {}
        }
        Ok(())
    }

    /// Loads prices; those that are not given stay.
    ///
    /// # Errors
    /// More than there are registers or blocks.
    pub(in super::super) fn load_prices(&mut self, tariff: &contents::Tariff) -> Result<(), LoadRefusal> {
        fits("prices by tariff register", tariff.prices.len(), self.registers)?;
        fits("prices by block", tariff.block_prices.len(), BLOCKS)?;
        let mut prices = self.prices.clone();
        let put = |places: &mut [Millipence], given: &[contents::Millipence]| {
            places.iter_mut().zip(given).for_each(|(place, price)| *place = Millipence::new(price.0));
        };
        put(&mut prices.unit, &tariff.prices);
        prices.block.chunks_mut(BLOCKS).for_each(|set| put(set, &tariff.block_prices));
        prices.standing = tariff.standing.map_or(prices.standing, |standing| Millipence::new(standing.0));
        self.prices = prices;
        Ok(())
    }
}

/// Refuses more than there is room for.
pub(in super::super) fn fits(what: &'static str, found: usize, room: usize) -> Result<(), LoadRefusal> {
    if found > room { Err(LoadRefusal::Room { what, found, room }) } else { Ok(()) }
}

/// An account opened with what it holds now: what has not been said is as it was.
fn account(was: &Account, customer: &Customer) -> Result<Account, LoadRefusal> {
    let mode = match customer.mode {
        Some(lab_config::PaymentMode::Credit) => PaymentMode::Credit,
        Some(lab_config::PaymentMode::Prepayment) => PaymentMode::Prepayment,
        None => was.mode(),
    };
    let pence = |pence: i32| Millipence::new(i64::from(pence) * 1000);
    let balance = customer.balance_pence.map_or(was.balance(), pence);
    let thresholds = thresholds(was.thresholds(), customer.credit);
    let in_use = customer.credit.map_or(was.emergency_taken(), |credit| credit.emergency_in_use);
    let offer = thresholds.emergency_offer;
    let can_be = mode == PaymentMode::Prepayment && balance < offer;
    if customer.credit.is_some() && in_use && !can_be {
        return Err(LoadRefusal::NoEmergency { balance, offer });
    }
    let debts = customer.debts.map_or_else(|| was.debts().clone(), |debts| self::debts(was.debts(), debts));
    Ok(Account::open(mode, balance, thresholds).owing(debts, in_use && can_be))
}

fn thresholds(was: Thresholds, credit: Option<contents::CreditLimits>) -> Thresholds {
    let Some(credit) = credit else { return was };
    let or = |given: Option<contents::Millipence>, was: Millipence| {
        given.map_or(was, |given| Millipence::new(given.0))
    };
    Thresholds {
        low_credit: or(credit.low, was.low_credit),
        disablement: or(credit.disablement, was.disablement),
        emergency_limit: or(credit.emergency_limit, was.emergency_limit),
        emergency_offer: or(credit.emergency_offer, was.emergency_offer),
        ..was
    }
}

/// The debts of a data set are all there are.
fn debts(was: &Debts, debts: contents::Debts) -> Debts {
    let money = |amount: contents::Millipence| Millipence::new(amount.0);
    let time = |debt: contents::TimeDebt| TimeDebt {
        owed: money(debt.owed),
        rate: money(debt.rate),
        every: match debt.every {
            contents::Every::Hour => Every::Hour,
            contents::Every::Day => Every::Day,
            contents::Every::Week => Every::Week,
        },
    };
    let payment = |debt: contents::PaymentDebt| {
        PaymentDebt::new(money(debt.owed), debt.share, debt.weekly_cap.map(money))
    };
    Debts {
        wait_when_disabled: was.wait_when_disabled,
        time: debts.time.map(|debt| debt.map(time).unwrap_or_default()),
        payment: debts.payment.map(payment).unwrap_or_default(),
        wait_in_emergency: was.wait_in_emergency,
    }
}
