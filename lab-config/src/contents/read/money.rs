//! Accounts, debts and tariffs.

use super::super::{CreditLimits, Customer, Debts, Millipence, PaymentDebt, Tariff, TimeDebt, WattHours};
use super::{decimal, list};
use crate::document::{FileError, Item, Table};

/// Most an account, a limit or a debt is, in thousandths of a penny: what its four octets on the wire hold.
const MOST_MONEY: i64 = i32::MAX as i64;
/// Most a kilowatt hour or a day costs, in hundredths of a penny: what the two octets on the wire hold.
const MOST_PRICE: i64 = i16::MAX as i64;
/// Most tariff registers, and blocks of a set, anything has.
const MOST_TARIFFS: usize = 48;
const MOST_BLOCKS: usize = 4;

pub(super) fn customer(table: &mut Table<'_>) -> Result<Customer, FileError> {
    let pence = |item: &Item<'_>| item.integer(-MOST_MONEY / 1000..=MOST_MONEY / 1000, "pence");
    Ok(Customer {
        mode: table.read("payment-mode", |item| item.parse("how the customer pays"))?,
        balance_pence: table.read("balance-pence", pence)?,
        credit: table.read("credit", |item| item.table("limits of the account", credit))?,
        debts: table.read("debts", |item| item.table("debts", debts))?,
        supply: table.read("supply", |item| item.parse("the state of the supply"))?,
    })
}

fn credit(table: &mut Table<'_>) -> Result<CreditLimits, FileError> {
    let any = |item: &Item<'_>| money(item, -MOST_MONEY, "pence");
    let positive = |item: &Item<'_>| money(item, 0, "pence");
    let in_use = |item: &Item<'_>| item.boolean("whether emergency credit is in use");
    Ok(CreditLimits {
        low: table.read("low-pence", any)?,
        disablement: table.read("disablement-pence", any)?,
        emergency_limit: table.read("emergency-limit-pence", positive)?,
        emergency_offer: table.read("emergency-offer-pence", any)?,
        emergency_in_use: table.read("emergency-in-use", in_use)?.unwrap_or(false),
    })
}

fn debts(table: &mut Table<'_>) -> Result<Debts, FileError> {
    let time = |item: &Item<'_>| item.table("a debt collected by time", time_debt);
    let first = table.read("time-1", time)?;
    let second = table.read("time-2", time)?;
    let payment = table.read("payment", |item| item.table("a debt collected from payments", payment_debt))?;
    Ok(Debts { time: [first, second], payment })
}

fn time_debt(table: &mut Table<'_>) -> Result<TimeDebt, FileError> {
    let every = "how often it is collected: hour, day or week";
    Ok(TimeDebt {
        owed: owed(table)?,
        rate: money(&table.required("rate-pence", "what is collected each time")?, 0, "pence each time")?,
        every: table.required("every", every)?.parse(every)?,
    })
}

fn payment_debt(table: &mut Table<'_>) -> Result<PaymentDebt, FileError> {
    let share = "percent of each payment";
    let hundredths = decimal(&table.required("share-percent", share)?, 2, 0..=10_000, share)?;
    Ok(PaymentDebt {
        owed: owed(table)?,
        share: u16::try_from(hundredths).unwrap_or_default(),
        weekly_cap: table.read("weekly-cap-pence", |item| money(item, 0, "pence a week"))?,
    })
}

fn owed(table: &mut Table<'_>) -> Result<Millipence, FileError> {
    money(&table.required("owed-pence", "what is owed")?, 0, "pence owed")
}

/// Pence with three places, from `least` thousandths up.
fn money(item: &Item<'_>, least: i64, meaning: &str) -> Result<Millipence, FileError> {
    decimal(item, 3, least..=MOST_MONEY, meaning).map(Millipence)
}

pub(super) fn tariff(table: &mut Table<'_>) -> Result<Tariff, FileError> {
    let price = |item: &Item<'_>| {
        let hundredths = decimal(item, 2, 0..=MOST_PRICE, "pence")?;
        Ok(Millipence(hundredths * 10))
    };
    Ok(Tariff {
        prices: table
            .read("prices-pence", |item| some(item, MOST_TARIFFS, "prices by tariff register", price))?
            .unwrap_or_default(),
        standing: table.read("standing-charge-pence", price)?,
        block_prices: table
            .read("block-prices-pence", |item| some(item, MOST_BLOCKS, "prices by block", price))?
            .unwrap_or_default(),
        block_ends: table.read("block-ends-wh", block_ends)?,
    })
}

/// At least one and at most so many.
fn some<T>(
    item: &Item<'_>,
    most: usize,
    meaning: &str,
    one: impl Fn(&Item<'_>) -> Result<T, FileError>,
) -> Result<Vec<T>, FileError> {
    let found = list(item, meaning, one)?;
    match (1..=most).contains(&found.len()) {
        true => Ok(found),
        false => Err(item.error(
            format!("{} of them", found.len()),
            format!("{meaning}: 1 to {most}"),
            "leave the key out where nothing is to change",
        )),
    }
}

fn block_ends(item: &Item<'_>) -> Result<Vec<WattHours>, FileError> {
    let end =
        |item: &Item<'_>| item.integer(1..=i64::from(u32::MAX), "watt hours of the period").map(WattHours);
    let ends = list(item, "where each block ends", end)?;
    match ends.len() < MOST_BLOCKS && ends.is_sorted_by(|a, b| a < b) {
        true => Ok(ends),
        false => Err(item.refuse(
            format!("at most {} ends, each above the one before", MOST_BLOCKS - 1),
            "the last block has no end",
        )),
    }
}
