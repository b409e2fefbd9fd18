//! The serial line of a ZigBee dongle: octets with a deadline, shown to the tap.
//!
//! Apart from the links to meters, because nothing of those fits: no sign-on, no DLMS address, and flow control, which no
//! meter port uses, is the first thing to get right here. What is shown to the tap bears in words what frames it ends,
//! because packet viewers know nothing of the protocol.

use std::time::Duration;

use jiff::Timestamp;
use lab_config::{DongleLine, FlowControl as Flow};
use proto_zigbee::explain::{self, AshCutter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use tokio_serial::{FlowControl, SerialStream};

#[cfg(doc)]
use super::Target;
use super::{Direction, LinkKind, SharedTap};

/// Most octets one read hands over.
const READ_BUFFER: usize = 1024;
/// Longest wait for the port to take what is written.
const WRITE: Duration = Duration::from_secs(5);

/// An open line to a dongle.
pub struct DonglePort {
    name: String,
    port: SerialStream,
    tap: SharedTap,
    /// What has come since the last frame ended.
    come: AshCutter,
}

/// What frames say, for people who look at them in a packet viewer; nothing where none has ended.
fn words(pieces: &[Vec<u8>]) -> Option<String> {
    let told = pieces.iter().map(|piece| {
        let frame = explain::ash(piece);
        let carried = frame.payload.map(|payload| format!(": {}", explain::ezsp(&payload).value));
        let own = frame.span.problem.map_or(frame.span.value, |problem| format!("damaged: {problem}"));
        format!("{own}{}", carried.unwrap_or_default())
    });
    Some(told.collect::<Vec<_>>().join("; ")).filter(|told| !told.is_empty())
}

/// Why octets do not reach a dongle or come from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DonglePortError {
    /// The port cannot be opened.
    #[error("{path} cannot be opened: {reason}")]
    Open {
        /// The port.
        path: String,
        /// The operating system's reason.
        reason: String,
    },
    /// The port has failed, or was unplugged.
    #[error("the port has failed: {0}")]
    Failed(String),
    /// The port takes nothing.
    #[error(
        "the port takes nothing; with flow=rts-cts the dongle must raise CTS, so look at its flow control"
    )]
    Stuck,
}

impl DonglePort {
    /// The key under which the port is locked, as [`Target::physical_key`].
    #[must_use]
    pub fn physical_key(line: &DongleLine) -> String {
        super::serial_key(line.path.as_str())
    }

    /// Opens the port exclusively; the tap is told of the link by `url`.
    ///
    /// # Errors
    /// [`DonglePortError::Open`].
    pub fn open(name: &str, url: &str, line: &DongleLine, tap: SharedTap) -> Result<Self, DonglePortError> {
        let flow = match line.flow {
            Flow::None => FlowControl::None,
            Flow::RtsCts => FlowControl::Hardware,
            Flow::XonXoff => FlowControl::Software,
        };
        let builder = tokio_serial::new(line.path.as_str(), line.baud).flow_control(flow);
        let port = SerialStream::open(&builder).map_err(|error| DonglePortError::Open {
            path: line.path.as_str().to_owned(),
            reason: error.to_string(),
        })?;
        tap.link(name, url, LinkKind::Serial);
        let words = format!("dongle opened at {} baud, flow {}", line.baud, line.flow);
        tap.frame(name, Direction::Sent, Timestamp::now(), &[], Some(&words));
        Ok(Self { name: name.to_owned(), port, tap, come: AshCutter::default() })
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// [`DonglePortError::Stuck`] when the port takes nothing, [`DonglePortError::Failed`] when it is gone.
    pub async fn write(&mut self, octets: &[u8]) -> Result<(), DonglePortError> {
        let note = words(&AshCutter::default().receive(octets));
        self.tap.frame(&self.name, Direction::Sent, Timestamp::now(), octets, note.as_deref());
        match timeout_at(Instant::now() + WRITE, self.port.write_all(octets)).await {
            Ok(written) => written.map_err(|error| DonglePortError::Failed(error.to_string())),
            Err(_) => Err(DonglePortError::Stuck),
        }
    }

    /// Whatever has come; nothing when none does before `until`.
    ///
    /// # Errors
    /// [`DonglePortError::Failed`] when the port is gone.
    pub async fn read(&mut self, until: Instant) -> Result<Vec<u8>, DonglePortError> {
        let mut buffer = [0; READ_BUFFER];
        let failed = |words: String| Err(DonglePortError::Failed(words));
        match timeout_at(until, self.port.read(&mut buffer)).await {
            Err(_) => Ok(Vec::new()),
            Ok(Ok(0)) => failed("it was closed from the other side".to_owned()),
            Ok(Err(error)) => failed(error.to_string()),
            Ok(Ok(count)) => {
                let octets = buffer.get(..count).unwrap_or_default();
                let note = words(&self.come.receive(octets));
                self.tap.frame(&self.name, Direction::Received, Timestamp::now(), octets, note.as_deref());
                Ok(octets.to_vec())
            }
        }
    }
}

impl std::fmt::Debug for DonglePort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DonglePort").field("name", &self.name).finish_non_exhaustive()
    }
}
