//! What can be had from a serial line before any DLMS: how it begins, and the mode C read-out.

use std::fmt;
use std::time::Duration;

use lab_config::{LinkUrl, SignOn};
use proto_dlms::sign_on::{Mode, ReadOut};
use tokio::time::Instant;

use super::access::{Access, Deadlines};
pub use super::channel::find::{MOST as LONGEST_SEARCH, Tried};
use super::channel::{ChannelError, Opening, Waits, find, open_link, sign_on};
use super::error::{Context, DriverError};
use crate::link::{Link, LinkAddress, LinkError, LinkErrorKind, SharedTap, Traffic};

/// The longest a read-out may take: a few thousand characters at 300 baud.
const READ_OUT: Duration = Duration::from_secs(600);
/// How long a meter that was found may take to be let go again.
const FAREWELL: Duration = Duration::from_secs(3);

/// A meter's read-out.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterReadOut {
    /// What the meter says of itself.
    pub identification: String,
    /// The speed agreed, in baud.
    pub baud: u32,
    /// What it read out.
    pub read_out: ReadOut,
    /// How long it took, from the request on.
    pub time: Duration,
    /// What crossed the link.
    pub traffic: Traffic,
}

/// How a line begins.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LineFound {
    /// The link URL to write into the lab file.
    pub link: String,
    /// What the meter says of itself, where it signs on.
    pub identification: Option<String>,
    /// Everything tried, the last with success.
    pub tried: Vec<Tried>,
    /// The same URL, to go on with.
    #[serde(skip)]
    pub url: LinkUrl,
}

/// Has the meter at `url` read itself out in IEC 62056-21 mode C, whatever the URL says of the sign-on.
///
/// # Errors
/// The link, or the sign-on.
pub async fn read_out(name: &str, url: &LinkUrl, tap: SharedTap) -> Result<MeterReadOut, DriverError> {
    let mut url = url.clone();
    url.line.sign_on = Some(SignOn::ModeC);
    let act = async |link: &mut Link, deadlines: &Deadlines| {
        let waits = Waits { until: Instant::now() + READ_OUT, ..Waits::starting_now(deadlines) };
        let begun = Instant::now();
        let opening = Opening::of(&url, Mode::ReadOut);
        let signed_on = sign_on(link, opening, deadlines, &waits).await?;
        Ok(MeterReadOut {
            identification: signed_on.identification,
            baud: signed_on.baud,
            read_out: signed_on.read_out,
            time: begun.elapsed(),
            traffic: link.traffic(),
        })
    };
    on_line(name, &url, &tap, "read-out", act).await
}

/// Finds out how the line at `url` begins, within [`LONGEST_SEARCH`], and leaves the meter as it was.
///
/// # Errors
/// The link, or that nothing answers in any way.
pub async fn find_line(
    name: &str,
    url: &LinkUrl,
    access: &Access,
    tap: SharedTap,
) -> Result<LineFound, DriverError> {
    let act = async |link: &mut Link, deadlines: &Deadlines| {
        let found = find::find(link, url, access, deadlines).await?;
        if let Some(signed_on) = &found.signed_on {
            find::let_go(link, &found.url, access, deadlines, signed_on.echo, Instant::now() + FAREWELL)
                .await;
        }
        Ok(LineFound {
            link: found.url.to_string(),
            identification: found.signed_on.map(|signed_on| signed_on.identification),
            tried: found.tried,
            url: found.url,
        })
    };
    on_line(name, url, &tap, "finding out how the line begins", act).await
}

/// Opens the link, acts on its line, and says where an error happened.
async fn on_line<T>(
    name: &str,
    url: &LinkUrl,
    tap: &SharedTap,
    doing: &str,
    act: impl AsyncFnOnce(&mut Link, &Deadlines) -> Result<T, ChannelError>,
) -> Result<T, DriverError> {
    let deadlines = Deadlines::of(url);
    let context = |frame| Context {
        link: name.to_owned(),
        url: url.to_string(),
        request: doing.to_owned(),
        frame,
        ..Context::default()
    };
    let opened = async {
        let address = LinkAddress::of(name, url)?;
        if address.target.line().is_none() {
            return Err(no_line(&address));
        }
        let mut link = open_link(&address, tap, &deadlines).await?;
        link.discard().await?;
        Ok(link)
    };
    let mut link = opened.await.map_err(|error| DriverError::new(error, context(None)))?;
    act(&mut link, &deadlines).await.map_err(|error| DriverError::new(error.kind, context(error.frame)))
}

fn no_line(address: &LinkAddress) -> LinkError {
    let expected = "a serial line (serial:// or rfc2217://), for a sign-on changes speed and parity";
    address.error(LinkErrorKind::Setting, expected, "a link without one", Duration::ZERO)
}

impl fmt::Display for LineFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for tried in &self.tried {
            writeln!(f, "  {}: {}", tried.way, tried.found)?;
        }
        writeln!(f, "write in the lab file: {}", self.link)
    }
}

impl fmt::Display for MeterReadOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  at {} baud", self.identification, self.baud)?;
        for set in &self.read_out.data_sets {
            let values: Vec<String> = set.values.iter().map(ToString::to_string).collect();
            writeln!(f, "  {:<16} {}", set.address, values.join("  "))?;
        }
        Ok(())
    }
}
