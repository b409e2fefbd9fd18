//! A meter's serial port: a pseudo-terminal a client opens like any other.
//!
//! The slave's end is held open beside the client's, so that a client coming and going is never an end of
//! file; a client that died leaves the port marked as exclusively its own, which is undone in every idle
//! moment. A fixed name in the estate's folder points at the pseudo-terminal, whose own name changes when the
//! port is unplugged and plugged in again.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{self, Mode, OFlags};
use rustix::termios::{ioctl_tiocnxcl, tcgetattr};
use serialport::SerialPort;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_serial::SerialStream;
use tokio_util::sync::CancellationToken;

use super::line::{Line, LineSettings};
use super::pace::Pace;
use super::site::{Site, now};

/// Longest wait at a time: the port is kept usable this often.
pub(super) const ROUND: Duration = Duration::from_millis(500);
/// A client that takes nothing for so long loses what it was sent.
pub(super) const WRITE: Duration = Duration::from_secs(2);
/// Pause before a port that failed is made anew.
const RECOVERY: Duration = Duration::from_millis(200);

/// A pseudo-terminal with a name that stays.
pub(super) struct Port {
    pub(super) master: SerialStream,
    /// The slave's end, held open; nothing is read from it. Opened plainly: the serial crate would lock it.
    keeper: OwnedFd,
    pub(super) name: PathBuf,
}

impl Port {
    /// Makes a pseudo-terminal and points `name` at it.
    pub(super) fn open(name: &Path) -> io::Result<Self> {
        let (master, slave) = SerialStream::pair()?;
        let target = slave.name().ok_or_else(|| io::Error::other("the pseudo-terminal has no name"))?;
        let keeper = fs::open(&target, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK, Mode::empty())?;
        match std::fs::remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => std::os::unix::fs::symlink(target, name)?,
        }
        Ok(Self { master, keeper, name: name.to_owned() })
    }
}

impl Port {
    /// The speed the client has set its end to; that of the meter where it does not say.
    fn client_baud(&self, line: &Line<'_>) -> u32 {
        tcgetattr(&self.keeper).map_or_else(|_| line.baud(), |settings| settings.output_speed())
    }

    async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        // A client that takes nothing loses it.
        timeout(WRITE, self.master.write_all(octets)).await.unwrap_or(Ok(()))
    }

    /// Undoes what a client that died has left: the port marked as exclusively its own.
    pub(super) fn release(&self) -> io::Result<()> {
        Ok(ioctl_tiocnxcl(&self.keeper)?)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // Left behind, the name would point at nothing; there is nobody to tell.
        let _ = std::fs::remove_file(&self.name);
    }
}

/// Serves until stopped. Unplugged, the pseudo-terminal and its name are gone; plugged in, the name is back.
pub(super) async fn serve(
    site: Arc<Site>,
    first: Port,
    settings: LineSettings,
    mut plugged: watch::Receiver<bool>,
    stop: CancellationToken,
) {
    let name = first.name.clone();
    let mut port = Some(first);
    while !stop.is_cancelled() {
        if let Some(port) = port.take().or_else(|| reopen(&name)) {
            let line = Line::new(&site, settings.clone());
            tokio::select! {
                () = stop.cancelled() => return,
                _ = plugged.wait_for(|plugged| !*plugged) => {}
                error = converse(port, line, settings.paced) => {
                    tracing::warn!(port = %name.display(), %error, "pseudo-terminal failed: making another");
                }
            }
            site.with(|home| home.local_lost(settings.kind));
        }
        tokio::select! {
            () = stop.cancelled() => return,
            back = plugged.wait_for(|plugged| *plugged) => if back.is_err() { return },
        }
        if port.is_none() {
            tokio::time::sleep(RECOVERY.min(ROUND)).await;
        }
    }
}

fn reopen(name: &Path) -> Option<Port> {
    match Port::open(name) {
        Ok(port) => Some(port),
        Err(error) => {
            tracing::warn!(port = %name.display(), %error, "no pseudo-terminal yet");
            None
        }
    }
}

/// Carries octets between the pseudo-terminal and the line until the pseudo-terminal fails.
async fn converse(mut port: Port, mut line: Line<'_>, paced: bool) -> io::Error {
    let mut pace = paced.then(|| Pace::new(now()));
    let mut buffer = [0; 1024];
    loop {
        let due = [line.poll_timeout(), pace.as_ref().and_then(Pace::poll_timeout)];
        let wait = due.into_iter().flatten().min().map(|due| due.saturating_duration_since(now()));
        match timeout(wait.unwrap_or(ROUND).min(ROUND), port.master.read(&mut buffer)).await {
            Ok(Ok(0)) => return io::ErrorKind::UnexpectedEof.into(),
            Ok(Ok(count)) => {
                let octets = buffer.get(..count).unwrap_or_default();
                match &mut pace {
                    Some(pace) => pace.hear(octets, port.client_baud(&line), line.baud(), now()),
                    None => line.receive(octets, now()),
                }
            }
            Ok(Err(error)) => return error,
            Err(_) => {
                if let Err(error) = port.release() {
                    return error;
                }
                line.handle_timeout(now());
            }
        }
        if let Err(error) = say(&mut port, &mut line, &mut pace).await {
            return error;
        }
    }
}

/// Lets the line hear what has arrived and writes what is due.
async fn say(port: &mut Port, line: &mut Line<'_>, pace: &mut Option<Pace>) -> io::Result<()> {
    while let Some(octets) = pace.as_mut().and_then(|pace| pace.heard(now())) {
        line.receive(&octets, now());
    }
    loop {
        let baud = line.baud();
        let Some(out) = line.poll_transmit(now()) else { break };
        match pace {
            Some(pace) => pace.say(&out, baud, now()),
            None => port.write(&out).await?,
        }
    }
    let client = port.client_baud(line);
    while let Some(out) = pace.as_mut().and_then(|pace| pace.said(client, now())) {
        port.write(&out).await?;
    }
    Ok(())
}
