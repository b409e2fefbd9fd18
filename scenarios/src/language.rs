//! The script language.
//!
//! A script is a TOML file. Its heading says what it is; each `[[step]]` does one thing; `[[set-up]]` and `[[clean-up]]`
//! hold steps of the same kind and always run. With a data table, `[[row]]`, the script runs once per row.
//!
//! ```toml
//! title = "The import register reads the same by the DCC and at the optical port"
//! covers = ["SVTAD 20.16", "DUIS 4.1.1"]
//! group = "readings"
//! device = "ESME"
//! applies-when = { ESME = ["electricity", "optical-port"] }
//!
//! [[step]]
//! request = "4.1.1"
//! as = "IS"
//! bind = { import = "response.Electricity.ActiveImportRegister.Value" }
//!
//! [[step]]
//! observe = "active-import"
//! through = "optical"
//! expect = [{ at = "value", is = "${import}", tolerance = 5, unit = "Wh" }]
//! ```
//!
//! `applies-when` names, for each device, what its Device Model must have: capabilities, as the model's file lists them,
//! and functions, for which its profile must name an object. A script that needs more than a combination has is not
//! applicable to it, which is recorded with the reason.
//!
//! # Steps
//!
//! A step has exactly one of these keys, which says what it does:
//!
//! | key | what the step does | other keys | deadline unless `within` says otherwise |
//! |---|---|---|---|
//! | `request = "4.1.1"` | sends a Service Request and waits for its answer | `as` (user role), `device`, `fields`, `misuse`, `outcome` | 60 s |
//! | `user-system = "4.1.1"` | waits until a User System outside the harness has sent such a request, and has its answer | `device`, `outcome` | 600 s |
//! | `scheduled = "4.8.1"` | waits for an answer that a DCC schedule (5.1) has brought since the script began and no step has taken yet | `device`, `outcome` | 60 s |
//! | `observe = "active-import"`, `{ class, obis, attribute }` or `{ cluster, attribute }` | reads the device by a second path | `through` (`wan`, `optical`, `local`, `han`), `device`, `select`, `columns` | 30 s |
//! | `sense = "supply-voltage"`, `"current"` or `"temperature"` | reads a sensor of the rig's station: the first reading that comes from then on | `device` | 30 s, and the station's own deadline |
//! | `alert = "8F32"` | waits for a device alert that came since the script began and no step has matched yet | `device` | 60 s |
//! | `act = "press-keys"`, `"mains-off"`, `"mains-on"` or `"confirm"` | asks the rig's station where it has the actuator, else a person | `show` (the text shown), `keys`, `device` | 120 s |
//! | `act = "fault"` or `"clear-faults"` | brings a fault about, or undoes them all | `fault` (such as `"ESME/optical: silence"`), `show`, `device` | 120 s |
//! | `migrate = "authorise"` | one operation of a migration: `authorise`, `prepare`, `validate`, `contact`, `commission`, `rollback`, `lift` | `declare`, `spoil` | 120 s |
//! | `smso = "reach"` | the SMSO tries the device with the credentials it had before the migration | `device` | 30 s |
//! | `wait = "5s"` | lets time pass | | its own length |
//! | `check = "words"` | compares what is bound already | | 1 s |
//!
//! Every step may have `say` (what it does, in words), `expect` and `bind`. Where `device` is left out, the device is that
//! of the row, else of the script. No deadline is longer than an hour.
//!
//! A fault is brought about by the simulator where the device is simulated; at a real one a person is asked. Its grammar
//! is that of the simulator (`device-sim`, module `fault`). A script that brings a fault about undoes it in its clean-up.
//! What is no fault of a device, but what it is there to notice, is brought about and undone in the same way: a load
//! (`"ESME: load 8001 W"`), a voltage (`"ESME: voltage 262.5 V"`), an opened cover (`"ESME: cover-open"`). There `show` says
//! what a person at a real device is to do.
//!
//! Through `han` a device is read on its home area network by the rig's ZigBee dongle (`dongle` in the lab file), at the
//! clusters its Device Model names under `[clusters]`: a function there has the value and unit it has on the other paths.
//! Energy is in Wh and power in W, whatever multiplier and divisor the meter has; a supply state is that of COSEM (0
//! disconnected, 1 connected, 2 ready to be connected); a price is in pounds, its unit such as `GBP/kWh`. An attribute by
//! number, `{ cluster = "0702", attribute = "0000" }`, is shown as it was sent. Where a rig has no dongle such a script is
//! not run, and the record says why. It only reads.
//!
//! # Migrations
//!
//! Parties exchange files in each operation; `prepare` may be left out. What failed five times, or has no keys or no wide area
//! network, is excluded, and nothing is tried again before `lift`, which stands for a person who decided so. The pack says which kind of installation is migrated
//! (`installation = "dormant"`, `"active"` or `"mixed"`), and the scripts of one pack are as good for another's.
//!
//! What data validation is to refuse is declared wrongly: `declare = { ESME = { firmware-version = "X" } }`, by parts of a
//! Device Model, `meter-point` and `supplier` (an EUI-64); `GSME = "left-out"` is not declared at all. A file that a party is to
//! refuse is spoilt on its way: `spoil = { file = "common", how = "altered" }`. Files are `authorisation`, `demand`,
//! `response`, `estate`, `common`, `group`, `results`, `required-file-set`, `commissioning` and `rollback`; the first of the
//! operation is meant, or the first that the party `from` writes. How: `altered`, `cut`, `replayed`, `out-of-order`,
//! `for-another` and `wrong-signer`.
//!
//! # Expected verdicts
//!
//! A script may say which verdict it is there to show: `expected = { verdict = "error", reason = ["no answer"] }`, with words
//! of the reason. The verdict of a run is not touched by it: a script that meets silence ends in an error, expected or not,
//! and no gate reads it. Whoever tests the lab itself holds one against the other. No script of a standard pack has it.
//!
//! # Outcomes of a request
//!
//! `outcome` stands for expectations that come before those the step writes: `success` (the default: acknowledged with I99,
//! answered with I0, `response.success` true; for a request to the DCC itself, I0), `failed` (acknowledged, answered, and
//! `response.success` false), `refused` (the acknowledgement is an error code), `any` (nothing).
//!
//! # What a step sees
//!
//! | step | paths |
//! |---|---|
//! | request | `acknowledgement.code`; `response.code`, `response.success`, `response.debug`; `response.` and the element names below the body's answer; `request.` and the fields as sent |
//! | scheduled | as `response.` of a request, and `response.DSPScheduleID`; `request.user`, the EUI-64 it is for |
//! | observe | `value`, `unit`; `value[0]`, `value.count` for arrays and structures; `value[0].interval` for a column named in `columns` |
//! | sense | `value`, `unit` |
//! | alert | `alert.code`, `alert.device`, `alert.description`, `alert.timestamp` |
//! | act | `act.done`, `act.answer` |
//! | migrate | `migration.state`; `migration.code` and `migration.reason` where something stands in the way, `migration.file` where that is a file; `migration.without`, how many devices stay with the SMSO; `migration.failed-attempts` |
//! | smso | `smso.outcome` (`answered` or `refused`), `smso.reason` |
//!
//! Repeated elements carry an index from 0 (`response.Log.LogEntry[2].LogCode`), and `NAME.count` is their number. `[*]`
//! stands for every index: an expectation there holds when one of the values meets it.
//!
//! The rows of a profile or log differ from one Device Model to the next in the order of their columns and in the steps
//! their numbers count in. `columns = ["interval", "active-import"]` has columns seen by name, in the unit of the register
//! they were captured from: `time`, `interval`, `reading` and `status` as the half-hourly profile has them (`interval` of
//! another profile is its first register), and any function whose object the meter captures. The rows as the meter sends
//! them stay at `value[0][1]`.
//!
//! # Expectations
//!
//! `{ at = PATH, ... }` with one of: `is`, with `plus` and `tolerance` (numbers, or time spans such as `"5s"`); `is-not`;
//! `within = [low, high]`; `at-least`, `at-most`; `matches` (a regular expression that the whole text matches);
//! `present = true` or `false`; `count = 5`, `[1, 5]` or `[1]`. `times` multiplies the value found first; `unit` is the
//! unit of an observed register. How values of different types compare: [`Value`](crate::Value).
//!
//! # Names
//!
//! `bind = { name = PATH }` gives a value a name, and `${name}` is that value from then on; the columns of a row are names
//! too. Built in: `${device}`, `${device.CHF}` (EUI-64), `${model.firmware-version}`, `${model.CHF.firmware-version}` (what
//! the Device Model says), `${user.IS}` (EUI-64), `${certificate.IS}`,
//! `${certificate.IS.renewed}`, `${certificate.authority}`, `${certificate.stranger}` (certificates made for the run, in base64: the
//! one the user signs by, another of its own, the root of both, that of a party no DCC knows), `${now}`, `${now-1d}`, `${now+30m}` (the moment the step begins),
//! `${now:date}`, `${now+3s:time}` (the day of such a moment, and its time of day, UTC), and, in
//! the fields of a request only, `${utrn:1000}` (a fresh token of 1000 pence for the device requested of). A name nothing
//! binds is refused when the script is read. Clean-up may use only names of the row and of set-up.

#[cfg(test)]
mod tests {
    use lab_config::Document;

    use crate::Script;

    #[test]
    fn the_example_above_is_a_sound_script() {
        let (_, rest) = include_str!("language.rs").split_once("//! ```toml\n").expect("the example");
        let (example, _) = rest.split_once("//! ```\n").expect("its end");
        let lines = example.lines().map(|line| line.trim_start_matches("//!").trim_start());
        let text = lines.collect::<Vec<_>>().join("\n");
        let id = "example".parse().expect("a name");
        let script = Script::parse(id, &Document::new("example.toml", text));
        assert_eq!(script.unwrap_or_else(|error| panic!("{error}")).steps.len(), 2);
    }
}
