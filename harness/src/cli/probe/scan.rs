//! `harness probe LINK --scan`: where on a link is a meter, who may speak to it, and what to write in the lab file.

use std::io::IsTerminal as _;
use std::time::Duration;

use lab_config::{ClientSap, LinkUrl, SignOn};
use serde::Serialize;

use super::super::arguments::Probe;
use super::super::say::{complain, say, say_text};
use super::super::{Exit, Failure, access, print_json, read};
use super::MEETING;
use crate::driver::line::find_line;
use crate::driver::meet::{self, MeterFound};
use crate::driver::scan::{self, Progress, Scanned};

/// How often progress is told on a terminal, and where nobody watches.
const TOLD: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

pub(super) async fn probe(verb: &Probe, link: &str) -> Result<Exit, Failure> {
    let mut url = access::link(link, &verb.access)?;
    let offer = super::offer(&verb.access)?;
    let tap = read::tap(verb.capture.as_deref())?;
    if url.sign_on() == SignOn::Auto {
        let access = access::access(&url, None, None);
        url = find_line("probe", &url, &access, tap.clone()).await.map_err(read::driver)?.url;
    }
    let limit = Duration::from_secs(verb.within.into());
    let mut teller = Teller::new(verb.json);
    let scanned = scan::scan("probe", &url, tap.clone(), limit, |progress| teller.tell(progress)).await;
    teller.end();
    let scanned = scanned.map_err(read::driver)?;
    let met = match scanned.found.first().map(|found| found.url.parse::<LinkUrl>()) {
        Some(Ok(found)) => {
            Some(meet::meet("probe", &found, &offer, tap, MEETING).await.map_err(read::driver)?)
        }
        _ => None,
    };
    let found = !scanned.found.is_empty();
    let told = Told { use_url: met.as_ref().and_then(use_url), scanned, meter: met };
    match verb.json {
        true => print_json(&told)?,
        false => told.say(limit),
    }
    Ok(if found { Exit::Done } else { Exit::Error })
}

#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    scanned: Scanned,
    /// The link URL to use, with the first client that is let in.
    use_url: Option<String>,
    meter: Option<MeterFound>,
}

/// The URL of the meter with the first client that was let in.
fn use_url(met: &MeterFound) -> Option<String> {
    let client = met.clients.iter().find(|client| client.answers)?.client;
    let mut url: LinkUrl = met.link.parse().ok()?;
    url.addressing.client = ClientSap::new(client).ok();
    Some(url.to_string())
}

impl Told {
    fn say(&self, limit: Duration) {
        let Scanned { tried, of, found, .. } = &self.scanned;
        for address in found {
            let physical =
                address.physical.map(|physical| format!(", physical {physical}")).unwrap_or_default();
            let size =
                address.address_size.as_ref().map(|size| format!(", {size} octets")).unwrap_or_default();
            let (server, client, answer) = (address.server, address.client, &address.answer);
            say!("server {server}{physical}{size}: {answer} (asked by client {client})");
        }
        match &self.meter {
            Some(meter) => say_text!("{meter}"),
            None => {
                say!("nothing answered at {tried} of {of} addresses within {} s", limit.as_secs());
                say!(
                    "check cable, speed and sign-on (sign-on=auto finds those); look longer with --within SECONDS"
                );
            }
        }
        match (&self.use_url, found.first()) {
            (Some(url), _) => say!("use  {url}"),
            (None, Some(found)) => {
                say!(
                    "it lets in none of the clients tried; with its password: harness probe '{}' --password-env NAME",
                    found.url
                );
            }
            (None, None) => {}
        }
    }
}

/// Tells how far the search has come: over and over in one line on a terminal, now and then where it is kept.
struct Teller {
    terminal: bool,
    quiet: bool,
    last: Duration,
    told: bool,
}

impl Teller {
    fn new(json: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { terminal, quiet: json && terminal, last: Duration::ZERO, told: false }
    }

    fn tell(&mut self, progress: Progress) {
        let every = if self.terminal { TOLD.0 } else { TOLD.1 };
        if self.quiet || progress.elapsed < self.last + every {
            return;
        }
        (self.last, self.told) = (progress.elapsed, true);
        let Progress { tried, of, elapsed } = progress;
        let end = if self.terminal { "\r" } else { "\n" };
        complain!("scanning: {tried} of {of} addresses, {} s{end}", elapsed.as_secs());
    }

    fn end(&self) {
        if self.terminal && self.told {
            complain!("\n");
        }
    }
}
