//! `harness read`: one object over any link, or a meter's read-out.

use std::path::Path;

use proto_dlms::data::{AttributeRef, ClassId, Obis};
use proto_dlms::sign_on::DataSet;
use serde::Serialize;

use super::arguments::Read;
use super::say::{say, say_text};
use super::{Exit, Failure, access, print_json};
use crate::driver::line::{self, MeterReadOut};
use crate::driver::read::ReadOut;
use crate::driver::{DriverError, read as driver_read};
use crate::evidence::Capture;
use crate::link::{NoTap, SharedTap, Traffic};

#[derive(Debug, Serialize)]
struct Told {
    object: String,
    value: String,
    unit: Option<String>,
    round_trips: u32,
    seconds: f64,
    round_trips_per_second: f64,
    #[serde(flatten)]
    moved: Moved,
    line_use: Option<f64>,
}

/// What crossed the link.
#[derive(Debug, Default, Serialize)]
struct Moved {
    octets_sent: Option<u64>,
    octets_received: Option<u64>,
    seconds_on_the_wire: Option<f64>,
}

impl Moved {
    fn of(traffic: Option<Traffic>) -> Self {
        Self {
            octets_sent: traffic.map(|traffic| traffic.sent),
            octets_received: traffic.map(|traffic| traffic.received),
            seconds_on_the_wire: traffic.and_then(|traffic| traffic.on_wire).map(|time| time.as_secs_f64()),
        }
    }
}

#[derive(Debug, Serialize)]
struct ReadOutTold {
    identification: String,
    baud: u32,
    data_sets: Vec<DataSetTold>,
    seconds: f64,
    #[serde(flatten)]
    moved: Moved,
}

#[derive(Debug, Serialize)]
struct DataSetTold {
    address: String,
    values: Vec<ValueTold>,
}

#[derive(Debug, Serialize)]
struct ValueTold {
    value: String,
    unit: Option<String>,
}

pub(super) async fn read(verb: &Read) -> Result<Exit, Failure> {
    let url = access::link(&verb.link, &verb.access)?;
    let tap = tap(verb.capture.as_deref())?;
    let (Some(class), Some(obis), Some(attribute)) = (verb.class, &verb.obis, verb.attribute) else {
        let read_out = line::read_out("read", &url, tap).await.map_err(driver)?;
        say_read_out(&read_out, verb.json)?;
        return Ok(Exit::Done);
    };
    let access = access::access(&url, access::password(&verb.access)?, access::keys(&verb.access.keys)?);
    let obis: Obis = obis.parse().map_err(|e| Failure::input(format!("OBIS {obis:?}: {e}")))?;
    let attribute = AttributeRef { class: ClassId(class), obis, attribute };
    let repeat = verb.repeat.unwrap_or(0);
    let out = driver_read::read("read", &url, access, attribute, repeat, tap).await.map_err(driver)?;
    say(&out, verb)?;
    Ok(Exit::Done)
}

/// The capture file asked for, or none.
pub(super) fn tap(capture: Option<&Path>) -> Result<SharedTap, Failure> {
    match capture {
        None => Ok(NoTap::shared()),
        Some(path) => Ok(std::sync::Arc::new(Capture::apart(path).map_err(Failure::lab)?)),
    }
}

/// A driver's error with its hint.
pub(super) fn driver(error: DriverError) -> Failure {
    let hint = error.hint();
    Failure::lab(error).hint(hint)
}

fn say(out: &ReadOut, verb: &Read) -> Result<(), Failure> {
    let value = out.reading.value.to_string();
    if verb.json {
        return print_json(&Told {
            object: out.attribute.to_string(),
            value,
            unit: out.reading.unit.clone(),
            round_trips: out.pace.round_trips,
            seconds: out.pace.time.as_secs_f64(),
            round_trips_per_second: out.pace.per_second(),
            moved: Moved::of(out.pace.traffic),
            line_use: out.pace.line_use(),
        });
    }
    let unit = out.reading.unit.as_deref().map(|u| format!(" {u}")).unwrap_or_default();
    say!("{}  {value}{unit}", out.attribute);
    if verb.repeat.is_some() {
        say!("{}", out.pace);
    }
    Ok(())
}

fn say_read_out(out: &MeterReadOut, json: bool) -> Result<(), Failure> {
    if !json {
        say_text!("{out}");
        return Ok(());
    }
    print_json(&ReadOutTold {
        identification: out.identification.clone(),
        baud: out.baud,
        data_sets: out.read_out.data_sets.iter().map(told).collect(),
        seconds: out.time.as_secs_f64(),
        moved: Moved::of(Some(out.traffic)),
    })
}

fn told(set: &DataSet) -> DataSetTold {
    let values = set.values.iter().map(|v| ValueTold { value: v.text.clone(), unit: v.unit.clone() });
    DataSetTold { address: set.address.clone(), values: values.collect() }
}
