//! A rig's dongle on its pseudo-terminal.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use lab_config::SimulatedNetwork;
use proto_zigbee::Eui64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::serial::Port;
use super::site::{Site, now};
use crate::dongle::{HomeRadio, Identity, Ncp, Reports, Tunnels};
use crate::home::Home;

/// Longest wait at a time: this often devices are asked what they have to report.
const ROUND: Duration = Duration::from_millis(250);
/// A client that takes nothing for so long loses what it was sent.
const WRITE: Duration = Duration::from_secs(2);
/// Pause before a port that failed is made anew.
const RECOVERY: Duration = Duration::from_millis(200);
/// The first octets of the EUI-64 of simulated dongles.
const PREFIX: [u8; 4] = [0x00, 0xdb, 0xd0, 0x00];

/// What the dongle of a rig is: its EUI-64 is made of the rig's name, so that it is another one in each rig and the same
/// each time.
pub(super) fn identity(rig: &str) -> Identity {
    let seed =
        rig.bytes().fold(0x811c_9dc5_u32, |hash, octet| (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193));
    let ([a, b, c, d], [e, f, g, h]) = (PREFIX, seed.to_be_bytes());
    Identity {
        eui64: Eui64([a, b, c, d, e, f, g, h]),
        manufacturer: "device-sim".to_owned(),
        board: "EZSP 8".to_owned(),
    }
}

/// What a dongle is connected with by air.
#[derive(Debug, Default)]
struct Air {
    reports: Reports,
    tunnels: Tunnels,
}

impl Air {
    fn of<'a>(&'a mut self, home: &'a mut Home) -> HomeRadio<'a> {
        HomeRadio { home, reports: &mut self.reports, tunnels: &mut self.tunnels, now: now() }
    }
}

/// Serves until stopped.
pub(super) async fn serve(
    site: Arc<Site>,
    first: Port,
    (identity, network): (Identity, SimulatedNetwork),
    stop: CancellationToken,
) {
    let name = first.name.clone();
    let mut port = Some(first);
    let mut air = Air::default();
    let mut ncp = Ncp::new(identity);
    if network == SimulatedNetwork::Formed {
        ncp = site.with(|home| ncp.with_network(&air.of(home)));
    }
    while !stop.is_cancelled() {
        if let Some(port) = port.take().or_else(|| Port::open(&name).ok()) {
            tokio::select! {
                () = stop.cancelled() => return,
                error = converse(&site, port, &mut ncp, &mut air) => {
                    tracing::warn!(port = %name.display(), %error, "dongle's pseudo-terminal failed: making another");
                }
            }
        }
        tokio::time::sleep(RECOVERY).await;
    }
}

/// Carries octets between the pseudo-terminal and the co-processor until the pseudo-terminal fails.
async fn converse(site: &Site, mut port: Port, ncp: &mut Ncp, air: &mut Air) -> io::Error {
    let mut buffer = [0; 1024];
    loop {
        let due = ncp.poll_timeout().map(|due| due.saturating_duration_since(now()));
        match timeout(due.unwrap_or(ROUND).min(ROUND), port.master.read(&mut buffer)).await {
            Ok(Ok(0)) => return io::ErrorKind::UnexpectedEof.into(),
            Ok(Ok(count)) => {
                let octets = buffer.get(..count).unwrap_or_default();
                site.with(|home| ncp.receive(octets, now(), &mut air.of(home)));
            }
            Ok(Err(error)) => return error,
            Err(_) => {
                if let Err(error) = port.release() {
                    return error;
                }
                site.with(|home| ncp.handle_timeout(now(), &mut air.of(home)));
            }
        }
        while let Some(out) = ncp.poll_transmit() {
            if let Ok(Err(error)) = timeout(WRITE, port.master.write_all(&out)).await {
                return error;
            }
        }
    }
}
