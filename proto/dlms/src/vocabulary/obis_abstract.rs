//! Objects of the device itself, OBIS group A = 0 (IEC 62056-6-1, 6; IEC 62056-6-2, 6.2).

use crate::data::Obis;

/// What an abstract object is, in words; its channel and billing period are left to the caller.
pub(super) fn abstract_object(obis: Obis) -> String {
    let [_, _, c, d, e, _] = obis.0;
    let fixed = match (c, d, e) {
        (1, 0, 0) => "clock",
        (1, 1, 0) => "UNIX clock",
        (2, 0, 0) => "modem configuration",
        (2, 1, 0) => "auto connect",
        (2, 2, 0) => "auto answer",
        (0, 1, 0) => "billing period counter",
        (0, 1, 1) => "number of billing periods available",
        (0, 1, 2) => "time of the last billing reset",
        (0, 2, 0) => "firmware identifier",
        (0, 2, 1) => "firmware version",
        (0, 2, 8) => "firmware signature",
        (11, 0, 0) => "special days table",
        (13, 0, 0) => "activity calendar",
        (14, 0, 0) => "register activation",
        (17, 0, 0) => "limiter",
        (21, 0, 0) => "list for local port read-out",
        (22, 0, 0) => "HDLC setup",
        (25, 0, 0) => "TCP-UDP setup",
        (25, 1, 0) => "IPv4 setup",
        (25, 2, 0) => "MAC address setup",
        (25, 3, 0) => "PPP setup",
        (25, 4, 0) => "GPRS modem setup",
        (25, 6, 0) => "GSM diagnostic",
        (40, 0, 0) => "current association",
        (41, 0, 0) => "SAP assignment",
        (42, 0, 0) => "COSEM logical device name",
        (44, 0, 0) => "image transfer",
        (44, 1, 0) => "function control",
        (44, 2, _) => "communication port protection",
        (96, 3, 10) => "disconnect control",
        (96, 3, 20) => "arbitrator",
        (96, 5, 0) => "operating status",
        (96, 6, 0) => "battery use time",
        (96, 6, 1) => "battery charge display",
        (96, 6, 2) => "battery next change date",
        (96, 6, 3) => "battery voltage",
        (96, 6, 6) => "battery estimated remaining use time",
        (96, 8, 0) => "time of operation",
        (96, 9, 0) => "ambient temperature",
        (96, 12, 5) => "communication signal strength",
        (96, 14, 0) => "currently active tariff",
        _ => return numbered(c, d, e),
    };
    fixed.to_owned()
}

fn numbered(c: u8, d: u8, e: u8) -> String {
    match (c, d) {
        (10, 0) => format!("script table {}", script(e)),
        (11, 0) => format!("special days table {e}"),
        (12, 0) => format!("schedule {e}"),
        (13, 0) => format!("activity calendar {e}"),
        (14, 0) => format!("register activation {e}"),
        (15, 0) => format!("single action schedule {}", schedule(e)),
        (16, 0) => format!("register monitor {e}"),
        (16, 1) => format!("parameter monitor {e}"),
        (17, 0) => format!("limiter {e}"),
        (18, 0) => format!("array manager {e}"),
        (19, _) => payment(d, e),
        (20, 0) => format!("local port setup {e}"),
        (24, _) => format!("M-Bus object {d}.{e}"),
        (25, 9) => format!("push setup {e}"),
        (25, _) => format!("network setup {d}.{e}"),
        (35, _) => format!("ZigBee setup {d}.{e}"),
        (40, 0) => format!("association {e}"),
        (43, 0) => format!("security setup {e}"),
        (43, 1) => format!("invocation counter {e}"),
        (43, 2) => format!("data protection {e}"),
        (44, 0) => format!("image transfer {e}"),
        (65, _) => format!("utility table {d}.{e}"),
        (94, _) => format!("country specific object {d}.{e}"),
        (96, _) => of_the_device(d, e),
        (97, 97) => format!("error register {e}"),
        (97, 98) => format!("alarm register {e}"),
        (98, _) => format!("data of billing periods {d}, scheme {e}"),
        (99, 1 | 2) => load_profile(d, e),
        (99, 3) => format!("load profile during test {e}"),
        (99, 97) => format!("power failure event log {e}"),
        (99, 98) => format!("event log {e}"),
        (99, _) => format!("profile {d}.{e}"),
        _ => format!("abstract object {c}.{d}.{e}"),
    }
}

fn script(e: u8) -> String {
    let name = match e {
        0 => "of global meter reset",
        1 => "of billing reset",
        100 => "of tariffication",
        101 => "of test mode",
        102 => "of output signals",
        103 => "of optical test output",
        104 => "of power quality",
        105 => "of load management",
        106 => "of disconnect control",
        107 => "of image activation",
        108 => "of push",
        125 => "of broadcast",
        _ => return e.to_string(),
    };
    name.to_owned()
}

fn schedule(e: u8) -> String {
    let name = match e {
        0 => "of end of billing period",
        1 => "of disconnect control",
        2 => "of image transfer activation",
        3 => "of output control",
        4 => "of push",
        _ => return e.to_string(),
    };
    name.to_owned()
}

/// Group C = 19: payment metering, in tens by what it is.
fn payment(d: u8, e: u8) -> String {
    let name = match d {
        0..=9 => "account",
        10..=19 => "credit",
        20..=29 => "charge",
        40..=49 => "token gateway",
        50..=59 => "account's largest credit limit",
        _ => return format!("payment object {d}.{e}"),
    };
    match d % 10 {
        0 => format!("{name} {e}"),
        account => format!("{name} {e} of account {account}"),
    }
}

fn load_profile(d: u8, e: u8) -> String {
    match e {
        0 => format!("load profile of recording period {d}"),
        _ => format!("load profile of recording period {d}, {e}"),
    }
}

fn of_the_device(d: u8, e: u8) -> String {
    match d {
        1 if e <= 9 => format!("device ID {}", e + 1),
        1 => format!("device ID entry {e}"),
        2 => format!("parameter change entry {e}"),
        3 => format!("input and output status {e}"),
        4 => format!("internal control signals {e}"),
        5 => format!("operating status {e}"),
        6 => format!("battery entry {e}"),
        7 => format!("power failure entry {e}"),
        8 => format!("time of operation, rate {e}"),
        9 => format!("environment entry {e}"),
        10 => format!("status register {e}"),
        11 => format!("event code {e}"),
        12 => format!("communication port entry {e}"),
        13 => format!("consumer message {e}"),
        14 => format!("currently active tariff, entry {e}"),
        15 => format!("event counter {e}"),
        16 => format!("profile entry signature {e}"),
        17 => format!("meter tamper entry {e}"),
        20 => format!("manipulation entry {e}"),
        50..=99 => format!("manufacturer's own entry {d}.{e}"),
        _ => format!("device entry {d}.{e}"),
    }
}
