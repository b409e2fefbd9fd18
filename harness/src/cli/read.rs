//! `harness read`: one object over any link.

use proto_dlms::data::{AttributeRef, ClassId, Obis};
use serde::Serialize;

use super::arguments::Read;
use super::say::say;
use super::{Exit, Failure, access, print_json};
use crate::driver::read::ReadOut;
use crate::driver::{DriverError, read as driver_read};
use crate::link::NoTap;

#[derive(Debug, Serialize)]
struct Told {
    object: String,
    value: String,
    unit: Option<String>,
    round_trips: Option<u32>,
    seconds: Option<f64>,
    round_trips_per_second: Option<f64>,
}

pub(super) async fn read(verb: &Read) -> Result<Exit, Failure> {
    let url = access::link(&verb.link, &verb.access)?;
    let access = access::access(&url, access::password(&verb.access)?);
    let obis: Obis = verb.obis.parse().map_err(|e| Failure::input(format!("OBIS {:?}: {e}", verb.obis)))?;
    let attribute = AttributeRef { class: ClassId(verb.class), obis, attribute: verb.attribute };
    let out = driver_read::read("read", &url, access, attribute, verb.repeat.unwrap_or(0), NoTap::shared())
        .await
        .map_err(driver)?;
    say(&out, verb.json)?;
    Ok(Exit::Done)
}

/// A driver's error with its hint.
pub(super) fn driver(error: DriverError) -> Failure {
    let hint = error.hint();
    Failure::lab(error).hint(hint)
}

fn say(out: &ReadOut, json: bool) -> Result<(), Failure> {
    let value = out.reading.value.to_string();
    if json {
        return print_json(&Told {
            object: out.attribute.to_string(),
            value,
            unit: out.reading.unit.clone(),
            round_trips: out.pace.map(|p| p.round_trips),
            seconds: out.pace.map(|p| p.time.as_secs_f64()),
            round_trips_per_second: out.pace.map(|p| p.per_second()),
        });
    }
    let unit = out.reading.unit.as_deref().map(|u| format!(" {u}")).unwrap_or_default();
    say!("{}  {value}{unit}", out.attribute);
    if let Some(pace) = out.pace {
        say!("{pace}");
    }
    Ok(())
}
