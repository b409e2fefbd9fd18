//! What an OBIS code names, read group by group (IEC 62056-6-1).
//!
//! Group A is the medium, B the channel, C the quantity, D how it was measured or processed, E the tariff or a further
//! distinction, F the billing period. For electricity and gas C, D and E are put together from their own words; what is
//! not a medium but the device (A = 0) has names of its own.

use super::obis_abstract::abstract_object;
use crate::data::Obis;

/// Medium of abstract objects.
const ABSTRACT: u8 = 0;
const ELECTRICITY: u8 = 1;
const GAS: u8 = 7;
/// Group F where no billing period is meant.
const CURRENT: u8 = 255;

/// What the object with this code is, in words: `active energy import total`, `clock`, `event log 1`.
///
/// Never fails: a code the standard gives no name is described by its groups.
///
/// ```
/// use proto_dlms::vocabulary::object_name;
///
/// assert_eq!(object_name("1-0:1.8.0".parse()?), "active energy import total");
/// assert_eq!(object_name("1-0:21.8.3".parse()?), "active energy import L1 rate 3");
/// assert_eq!(object_name("1-0:32.7.0".parse()?), "voltage L1 instantaneous");
/// assert_eq!(object_name("0-0:1.0.0".parse()?), "clock");
/// assert_eq!(object_name("7-0:3.0.0".parse()?), "gas, forward absolute meter volume, index");
/// # Ok::<(), proto_dlms::data::ObisError>(())
/// ```
pub fn object_name(obis: Obis) -> String {
    let [medium, channel, quantity, ..] = obis.0;
    let mut name = match (medium, quantity) {
        (_, 128..=199 | 240) => format!("manufacturer's own object {quantity}"),
        (ABSTRACT, _) => abstract_object(obis),
        (_, 94) => format!("country specific object {}", tail(obis)),
        (ELECTRICITY | GAS, 96..=99) => service_object(obis),
        (ELECTRICITY, _) => electricity(obis),
        (GAS, _) => gas(obis),
        _ => other_medium(obis),
    };
    if !(channel == 0 || medium == ABSTRACT && quantity == 94) {
        name.push_str(&format!(", channel {channel}"));
    }
    if obis.0[5] != CURRENT {
        name.push_str(&billing_period(obis.0[5]));
    }
    name
}

fn tail(obis: Obis) -> String {
    format!("{}.{}", obis.0[3], obis.0[4])
}

/// Group F: 0 to 99 and 101 are values stored at billing resets.
fn billing_period(f: u8) -> String {
    match f {
        0..=99 => format!(", billing period {f}"),
        101 => ", last billing period".to_owned(),
        102..=125 => format!(", {} billing periods ago", f - 100),
        126 => ", unspecified number of billing periods".to_owned(),
        _ => format!(", F {f}"),
    }
}

fn other_medium(obis: Obis) -> String {
    let medium = match obis.0[0] {
        4 => "heat cost allocator",
        5 => "cooling",
        6 => "heat",
        8 => "cold water",
        9 => "hot water",
        15 => "other medium",
        _ => return format!("object of medium {}", obis.0[0]),
    };
    format!("{medium}, C {} D {} E {}", obis.0[2], obis.0[3], obis.0[4])
}

/// Error registers, lists and profiles of a medium share their names with the device's own.
fn service_object(obis: Obis) -> String {
    let [medium, _, c, d, e, f] = obis.0;
    let name = abstract_object(Obis([0, 0, c, d, e, f]));
    if medium == GAS { format!("gas, {name}") } else { name }
}

// ---- electricity -----------------------------------------------------------------------------------------------------

/// A quantity of group C and the phase it is of.
struct Quantity {
    name: &'static str,
    /// Power, whose time integral is energy; voltage and current have none.
    is_power: bool,
    /// The word that follows `power` or `energy`.
    way: &'static str,
    phase: &'static str,
}

/// C for the sum of the phases; 20 more for each phase.
const POWERS: [(&str, &str); 20] = [
    ("active", "import"),
    ("active", "export"),
    ("reactive", "import"),
    ("reactive", "export"),
    ("reactive", "quadrant I"),
    ("reactive", "quadrant II"),
    ("reactive", "quadrant III"),
    ("reactive", "quadrant IV"),
    ("apparent", "import"),
    ("apparent", "export"),
    ("current", ""),
    ("voltage", ""),
    ("power factor", ""),
    ("supply frequency", ""),
    ("active", "import plus export"),
    ("active", "import less export"),
    ("active", "quadrant I"),
    ("active", "quadrant II"),
    ("active", "quadrant III"),
    ("active", "quadrant IV"),
];

fn quantity(c: u8) -> Option<Quantity> {
    let phase = match c {
        1..=20 => "",
        21..=40 => "L1",
        41..=60 => "L2",
        61..=80 => "L3",
        91 => return Some(Quantity { name: "current", is_power: false, way: "", phase: "neutral" }),
        92 => return Some(Quantity { name: "voltage", is_power: false, way: "", phase: "neutral" }),
        _ => return None,
    };
    let (name, way) = *POWERS.get(usize::from((c - 1) % 20))?;
    Some(Quantity { name, is_power: !matches!((c - 1) % 20, 10..=13), way, phase })
}

fn electricity(obis: Obis) -> String {
    let [_, _, c, d, e, _] = obis.0;
    let Some(quantity) = quantity(c) else { return electricity_other(obis) };
    let Quantity { name, is_power, way, phase } = quantity;
    let noun = match (is_power, is_integral(d)) {
        (true, true) => "energy",
        (true, false) => "power",
        (false, _) => "",
    };
    let rate = match (e, d) {
        (0, 8) if is_power => "total".to_owned(),
        (0, _) => String::new(),
        (1..=63, _) if is_power => format!("rate {e}"),
        (_, 7 | 24) => format!("harmonic or part {e}"),
        _ => format!("E {e}"),
    };
    let how = if d == 8 { "" } else { processing(d) };
    let how = if how.is_empty() && d != 8 { format!("D {d}") } else { how.to_owned() };
    [name, noun, way, phase, &how, &rate]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn electricity_other(obis: Obis) -> String {
    let [_, _, c, d, e, _] = obis.0;
    match (c, d, e) {
        (0, 0, 0..=9) => format!("electricity ID {}", e + 1),
        (0, 1, _) => format!("billing period counters and times {e}"),
        (0, 2, 0) => "configuration program version".to_owned(),
        (0, 2, _) => format!("program entry {e}"),
        (0, 3, 0) => "active energy metrological LED constant".to_owned(),
        (0, 3, 1) => "reactive energy metrological LED constant".to_owned(),
        (0, 4, 2) => "current transformer ratio, numerator".to_owned(),
        (0, 4, 3) => "voltage transformer ratio, numerator".to_owned(),
        (0, 8, 0) => "measurement period 1".to_owned(),
        (0, 8, 4) => "recording interval 1".to_owned(),
        (0, 8, 5) => "recording interval 2".to_owned(),
        (0, 9, 1) => "local time".to_owned(),
        (0, 9, 2) => "local date".to_owned(),
        (0, ..) => format!("general purpose object {}", tail(obis)),
        (81, 7, _) => format!("angle {e} instantaneous"),
        (82, ..) => format!("unitless quantity D {d} E {e}"),
        (83, ..) => format!("loss quantity D {d} E {e}"),
        _ => format!("electricity quantity C {c} D {d} E {e}"),
    }
}

/// Whether D names an integral over time.
fn is_integral(d: u8) -> bool {
    matches!(d, 8..=10 | 17..=20 | 29 | 30)
}

/// Group D for electricity: how the quantity was measured or processed.
fn processing(d: u8) -> &'static str {
    match d {
        0 => "billing period average",
        1 => "cumulative minimum 1",
        2 => "cumulative maximum 1",
        3 => "minimum 1",
        4 => "current average 1",
        5 => "last average 1",
        6 => "maximum 1",
        7 => "instantaneous",
        8 => "time integral 1",
        9 => "since the last billing reset",
        10 => "time integral 3",
        11 => "cumulative minimum 2",
        12 => "cumulative maximum 2",
        13 => "minimum 2",
        14 => "current average 2",
        15 => "last average 2",
        16 => "maximum 2",
        17 => "time integral 7",
        18 => "time integral 8",
        19 => "time integral 9",
        20 => "time integral 10",
        21 => "cumulative minimum 3",
        22 => "cumulative maximum 3",
        23 => "minimum 3",
        24 => "current average 3",
        25 => "last average 3",
        26 => "maximum 3",
        27 => "current average 5",
        28 => "current average 6",
        29 => "in recording interval 1",
        30 => "in recording interval 2",
        31 => "under limit threshold",
        32 => "under limit occurrences",
        33 => "under limit duration",
        34 => "under limit magnitude",
        35 => "over limit threshold",
        36 => "over limit occurrences",
        37 => "over limit duration",
        38 => "over limit magnitude",
        39 => "missing threshold",
        40 => "missing occurrences",
        41 => "missing duration",
        42 => "missing magnitude",
        43 => "time threshold for under limit",
        44 => "time threshold for over limit",
        45 => "time threshold for missing",
        55 => "test average",
        58 => "test time integral",
        _ => "",
    }
}

// ---- gas -------------------------------------------------------------------------------------------------------------

fn gas(obis: Obis) -> String {
    let [_, _, c, d, e, _] = obis.0;
    let Some(quantity) = gas_quantity(c) else { return gas_other(obis) };
    let how = match d {
        0 => "index".to_owned(),
        7 => "instantaneous".to_owned(),
        _ => format!("D {d}"),
    };
    let rate = if e == 0 { String::new() } else { format!(", rate {e}") };
    format!("gas, {quantity}, {how}{rate}")
}

fn gas_quantity(c: u8) -> Option<&'static str> {
    Some(match c {
        1 => "forward undisturbed meter volume",
        2 => "forward disturbed meter volume",
        3 => "forward absolute meter volume",
        4 => "reverse undisturbed meter volume",
        5 => "reverse disturbed meter volume",
        6 => "reverse absolute meter volume",
        11 => "forward undisturbed converter volume",
        12 => "forward disturbed converter volume",
        13 => "forward absolute converter volume",
        14 => "reverse undisturbed converter volume",
        15 => "reverse disturbed converter volume",
        16 => "reverse absolute converter volume",
        21 => "forward undisturbed logger volume",
        22 => "forward disturbed logger volume",
        23 => "forward absolute logger volume",
        31 => "forward undisturbed energy",
        32 => "forward disturbed energy",
        33 => "forward absolute energy",
        41 => "absolute temperature",
        42 => "absolute pressure",
        43 => "flow rate",
        44 => "velocity of sound",
        45 => "density of gas",
        46 => "relative density",
        47 => "gauge pressure",
        48 => "differential pressure",
        49 => "density of air",
        51 => "correction factor",
        52 => "conversion factor",
        53 => "compressibility factor",
        54 => "superior calorific value",
        55 => "gas law deviation coefficient",
        70 => "natural gas analysis",
        _ => return None,
    })
}

fn gas_other(obis: Obis) -> String {
    let [_, _, c, d, e, _] = obis.0;
    match (c, d, e) {
        (0, 0, 0..=9) => format!("gas ID {}", e + 1),
        (0, 2, _) => format!("gas, program entry {e}"),
        (0, 9, _) => format!("gas, time entry {e}"),
        (0, ..) => format!("gas, general purpose object {}", tail(obis)),
        _ => format!("gas quantity C {c} D {d} E {e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(obis: &str) -> String {
        object_name(obis.parse().unwrap())
    }

    #[test]
    fn what_a_smets1_meter_holds_has_a_name() {
        let named = [
            ("1-0:1.8.2", "active energy import rate 2"),
            ("1-0:2.8.0", "active energy export total"),
            ("1-0:3.8.0", "reactive energy import total"),
            ("1-0:4.8.0", "reactive energy export total"),
            ("1-0:1.7.0", "active power import instantaneous"),
            ("1-0:1.6.0", "active power import maximum 1"),
            ("1-0:12.7.0", "voltage instantaneous"),
            ("1-0:32.24.0", "voltage L1 current average 3"),
            ("1-0:99.1.0", "load profile of recording period 1"),
            ("7-0:99.1.0", "gas, load profile of recording period 1"),
            ("7-0:54.7.0", "gas, superior calorific value, instantaneous"),
            ("0-0:98.1.5", "data of billing periods 1, scheme 5"),
            ("0-0:99.98.1", "event log 1"),
            ("0-0:96.3.10", "disconnect control"),
            ("0-0:19.20.4", "charge 4"),
            ("0-0:43.1.0", "invocation counter 0"),
            ("1-0:1.8.0.1", "active energy import total, billing period 1"),
            ("0-1:24.1.0", "M-Bus object 1.0, channel 1"),
        ];
        for (obis, expected) in named {
            assert_eq!(name(obis), expected, "{obis}");
        }
    }

    proptest! {
        #[test]
        fn every_code_has_words(groups: [u8; 6]) {
            prop_assert!(!object_name(Obis(groups)).is_empty());
        }
    }
}
