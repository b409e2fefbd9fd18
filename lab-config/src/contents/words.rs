//! What a load says, in words: for the engineer who prepares a real device, and for whoever looks at a data set.

use super::{Calendar, Contents, Customer, Electricity, Events, Gas, History, Load, Registers, Tariff};

impl Load {
    /// What the device is to hold, one thing a line.
    pub fn words(&self) -> Vec<String> {
        let mut words = match &self.contents {
            Contents::Electricity(meter) => electricity(meter),
            Contents::Gas(meter) => gas(meter),
            Contents::Network(Some(joined)) => {
                let kinds: Vec<String> = joined.iter().map(ToString::to_string).collect();
                vec![format!("on its network: {}", kinds.join(", "))]
            }
            Contents::Network(None) | Contents::Mirror => Vec::new(),
        };
        words.extend(self.clock_offset.map(|offset| {
            let way = if offset.is_negative() { "behind" } else { "ahead" };
            format!("clock {:#} {way}", offset.abs())
        }));
        words.extend(self.events.iter().flatten().map(events));
        words
    }
}

fn electricity(meter: &Electricity) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(meter.registers.as_ref().map(registers));
    words.extend(meter.tariff.iter().flat_map(tariff));
    words.extend(meter.calendar.as_ref().map(calendar));
    words.extend(customer(&meter.customer));
    words.extend(meter.history.as_ref().map(history));
    words.extend(
        meter
            .household
            .map(|of| format!("load curve {}{}", of.seed, if of.solar { ", with solar panels" } else { "" })),
    );
    words.extend(meter.load.map(|watts| format!("a load of {watts} W")));
    words.extend(meter.generation.map(|watts| format!("generation of {watts} W")));
    words
}

fn gas(meter: &Gas) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(meter.volume.map(|volume| format!("volume {volume}")));
    words.extend(meter.tariff.iter().flat_map(tariff));
    words.extend(meter.conversion.map(|with| {
        let (value, factor) = (with.calorific_value, with.factor);
        format!(
            "calorific value {}.{:02} MJ/m3, factor {}.{:05}",
            value / 100,
            value % 100,
            factor / 100_000,
            factor % 100_000
        )
    }));
    words.extend(customer(&meter.customer));
    words.extend(meter.history.as_ref().map(history));
    words.extend(meter.household.map(|of| format!("load curve {}", of.seed)));
    words.extend(meter.flow.map(|litres| format!("a flow of {litres} dm3 an hour")));
    words
}

fn registers(registers: &Registers) -> String {
    let mut words = vec![format!("import {}", registers.import)];
    let mut tell = |what: &str, value: u64, unit: &str| {
        words.extend((value > 0).then(|| format!("{what} {value} {unit}")));
    };
    tell("export", registers.export.0, "Wh");
    tell("reactive import", registers.reactive_import.0, "varh");
    tell("reactive export", registers.reactive_export.0, "varh");
    for (number, tier) in registers.tariffs.iter().enumerate() {
        tell(&format!("tariff {}", number + 1), tier.0, "Wh");
    }
    for (number, block) in registers.blocks.iter().enumerate() {
        tell(&format!("block {}", number + 1), block.0, "Wh");
    }
    words.join(", ")
}

fn tariff(tariff: &Tariff) -> Vec<String> {
    let join =
        |what: &str, parts: Vec<String>| (!parts.is_empty()).then(|| format!("{what} {}", parts.join(", ")));
    let money = |prices: &[super::Millipence]| prices.iter().map(ToString::to_string).collect();
    let ends = tariff.block_ends.as_ref().map(|ends| match ends.as_slice() {
        [] => "no blocks".to_owned(),
        ends => {
            format!("blocks end at {}", ends.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
    });
    let words = [
        join("prices by tariff", money(&tariff.prices)),
        tariff.standing.map(|standing| format!("standing charge {standing}")),
        join("prices by block", money(&tariff.block_prices)),
        ends,
    ];
    words.into_iter().flatten().collect()
}

fn calendar(calendar: &Calendar) -> String {
    let Calendar { name, days, weeks, seasons, special_days } = calendar;
    format!(
        "calendar {name}: {} days, {} weeks, {} seasons, {} special days",
        days.len(),
        weeks.len(),
        seasons.len(),
        special_days.len()
    )
}

fn customer(customer: &Customer) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(customer.mode.map(|mode| format!("payment mode {mode}")));
    words.extend(customer.balance_pence.map(|pence| format!("balance {pence} p")));
    if let Some(credit) = customer.credit {
        let mut tell = |what: &str, amount: Option<super::Millipence>| {
            words.extend(amount.map(|amount| format!("{what} {amount}")));
        };
        tell("low credit threshold", credit.low);
        tell("disablement threshold", credit.disablement);
        tell("emergency credit limit", credit.emergency_limit);
        tell("emergency credit threshold", credit.emergency_offer);
        words.extend(credit.emergency_in_use.then(|| "emergency credit in use".to_owned()));
    }
    if let Some(debts) = customer.debts {
        for (number, debt) in debts.time.into_iter().enumerate() {
            words.extend(debt.map(|debt| {
                format!("time debt {}: {} owed, {} each {}", number + 1, debt.owed, debt.rate, debt.every)
            }));
        }
        words.extend(debts.payment.map(|debt| {
            format!(
                "payment debt: {} owed, {}.{:02} % of payments",
                debt.owed,
                debt.share / 100,
                debt.share % 100
            )
        }));
    }
    words.extend(customer.supply.map(|supply| format!("supply {supply}")));
    words
}

fn history(history: &History) -> String {
    let gaps: u32 = history.gaps.iter().map(|gap| gap.half_hours).sum();
    let gaps = if gaps > 0 { format!(", {gaps} of them missing") } else { String::new() };
    format!("{} half hours behind it{gaps}", history.half_hours)
}

fn events(events: &Events) -> String {
    format!("{} of event {:04X}, the last {} minutes ago", events.count, events.code, events.minutes_ago)
}
