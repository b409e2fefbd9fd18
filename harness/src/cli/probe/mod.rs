//! `harness probe`: is the rig what the lab file says; or, on one link, what meter is this, and at which address.

mod rig;
mod scan;

use std::time::Duration;

use lab_config::{DongleUrl, SignOn};
use serde::Serialize;

use super::arguments::{Access, Probe};
use super::say::say_text;
use super::{Exit, Failure, access, print_json, read, zigbee};
use crate::driver::line::{LineFound, find_line};
use crate::driver::meet::{self, MeterFound, Offer};

/// How long meeting an unknown meter may take: six clients, each silent for its patience, over a slow sign-on.
const MEETING: Duration = Duration::from_secs(60);

pub(super) async fn probe(verb: &Probe) -> Result<Exit, Failure> {
    match &verb.link {
        Some(link) if DongleUrl::is_meant(link) => zigbee::probe(verb, link).await,
        Some(link) if verb.scan => scan::probe(verb, link).await,
        Some(link) => meter(verb, link).await,
        None => rig::probe(verb).await,
    }
}

async fn meter(verb: &Probe, link: &str) -> Result<Exit, Failure> {
    let mut url = access::link(link, &verb.access)?;
    let offer = offer(&verb.access)?;
    let tap = read::tap(verb.capture.as_deref())?;
    let mut line = None;
    if url.sign_on() == SignOn::Auto {
        let access = access::access(&url, None, None);
        let found = find_line("probe", &url, &access, tap.clone()).await.map_err(read::driver)?;
        url = found.url.clone();
        line = Some(found);
    }
    if line.is_some() && url.sign_on() == SignOn::ModeC {
        // Nothing more can be asked of it than to read itself out.
        return say_met(verb.json, &Met { line, meter: None }).map(|()| Exit::Done);
    }
    let met = meet::meet("probe", &url, &offer, tap, MEETING).await.map_err(read::driver)?;
    let is_met = met.is_met();
    say_met(verb.json, &Met { line, meter: Some(met) })?;
    Ok(if is_met { Exit::Done } else { Exit::Error })
}

/// The password or keys the options name, read now.
fn offer(choice: &Access) -> Result<Offer, Failure> {
    Ok(Offer { password: access::password(choice)?, keys: access::keys(&choice.keys)? })
}

/// How the line begins, where that was to be found out, and the meter on it.
#[derive(Debug, Serialize)]
struct Met {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<LineFound>,
    #[serde(flatten)]
    meter: Option<MeterFound>,
}

fn say_met(json: bool, met: &Met) -> Result<(), Failure> {
    if json {
        return print_json(met);
    }
    met.line.iter().for_each(|line| say_text!("{line}"));
    met.meter.iter().for_each(|meter| say_text!("{meter}"));
    Ok(())
}
