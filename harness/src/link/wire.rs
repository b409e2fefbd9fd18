//! The two byte streams a link can stand on, opened with a deadline.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_serial::{ClearBuffer, DataBits, FlowControl, Parity, SerialPort, SerialStream, StopBits};

use super::error::LinkErrorKind;

/// How often a port is asked whether it has sent everything.
const DRAIN_POLL: Duration = Duration::from_millis(2);

/// Character format and speed of a serial line. Always one stop bit, never flow control: no meter port uses either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Speed in baud.
    pub baud: u32,
    /// Data bits and parity.
    pub character: Character,
}

/// Data bits and parity of a serial character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Character {
    /// Eight data bits, no parity: HDLC.
    EightNone,
    /// Eight data bits, even parity.
    EightEven,
    /// Eight data bits, odd parity.
    EightOdd,
    /// Seven data bits, even parity: IEC 62056-21 sign-on.
    SevenEven,
    /// Seven data bits, odd parity.
    SevenOdd,
}

impl Line {
    /// 8N1 at `baud`, as HDLC runs.
    #[must_use]
    pub fn hdlc(baud: u32) -> Line {
        Line { baud, character: Character::EightNone }
    }

    /// 7E1 at `baud`, as the IEC 62056-21 sign-on runs.
    #[must_use]
    pub fn sign_on(baud: u32) -> Line {
        Line { baud, character: Character::SevenEven }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let character = match self.character {
            Character::EightNone => "8N1",
            Character::EightEven => "8E1",
            Character::EightOdd => "8O1",
            Character::SevenEven => "7E1",
            Character::SevenOdd => "7O1",
        };
        write!(f, "{} baud {character}", self.baud)
    }
}

impl Character {
    fn data_bits(self) -> DataBits {
        match self {
            Character::EightNone | Character::EightEven | Character::EightOdd => DataBits::Eight,
            Character::SevenEven | Character::SevenOdd => DataBits::Seven,
        }
    }

    fn parity(self) -> Parity {
        match self {
            Character::EightNone => Parity::None,
            Character::EightEven | Character::SevenEven => Parity::Even,
            Character::EightOdd | Character::SevenOdd => Parity::Odd,
        }
    }
}

/// Octets a serial port keeps in a buffer of its own, as a rule.
const PORT_BUFFER: usize = 16;

/// An open byte stream.
#[derive(Debug)]
pub(super) enum Wire {
    /// A serial port or pseudo-terminal.
    Serial(Box<SerialStream>),
    /// A TCP connection.
    Tcp(TcpStream),
}

/// Why a wire did not open.
#[derive(Debug)]
pub(super) struct WireError {
    pub(super) kind: LinkErrorKind,
    pub(super) found: String,
}

impl Wire {
    /// Opens the serial port at `path` exclusively.
    pub(super) fn serial(path: &str, line: Line) -> Result<Wire, WireError> {
        let builder = tokio_serial::new(path, line.baud)
            .data_bits(line.character.data_bits())
            .parity(line.character.parity())
            .stop_bits(StopBits::One)
            .flow_control(FlowControl::None);
        SerialStream::open(&builder).map(|port| Wire::Serial(Box::new(port))).map_err(serial_error)
    }

    /// Connects to `host:port` within `limit`.
    pub(super) async fn tcp(host: &str, port: u16, limit: Duration) -> Result<Wire, WireError> {
        let connect = TcpStream::connect((host, port));
        let stream = tokio::time::timeout(limit, connect)
            .await
            .map_err(|_| WireError { kind: LinkErrorKind::CannotOpen, found: "no answer".into() })?
            .map_err(|error| WireError { kind: LinkErrorKind::CannotOpen, found: error.to_string() })?;
        // Requests are small and answered one at a time: waiting to fill a segment only adds delay.
        stream
            .set_nodelay(true)
            .map_err(|error| WireError { kind: LinkErrorKind::CannotOpen, found: error.to_string() })?;
        Ok(Wire::Tcp(stream))
    }

    /// Changes speed and character format; a TCP connection has none, and says so by doing nothing.
    pub(super) fn set_line(&mut self, line: Line) -> Result<(), WireError> {
        let Wire::Serial(port) = self else { return Ok(()) };
        port.set_baud_rate(line.baud)
            .and_then(|()| port.set_data_bits(line.character.data_bits()))
            .and_then(|()| port.set_parity(line.character.parity()))
            .map_err(|error| match error.kind() {
                tokio_serial::ErrorKind::InvalidInput => {
                    WireError { kind: LinkErrorKind::Setting, found: error.to_string() }
                }
                // A port that takes no settings any more is one whose cable was pulled.
                _ => WireError { kind: LinkErrorKind::Gone, found: error.to_string() },
            })
    }

    /// Waits until what was written has left a serial port; a TCP connection keeps no line waiting.
    /// `recent` octets at most can be in the port's own buffer still.
    pub(super) async fn drained(&self, recent: usize) -> io::Result<()> {
        let Wire::Serial(port) = self else { return Ok(()) };
        while port.bytes_to_write().map_err(io::Error::from)? > 0 {
            tokio::time::sleep(DRAIN_POLL).await;
        }
        // What left the operating system last may still be in the port's own buffer, at 10 bits an octet.
        let baud = port.baud_rate().map_err(io::Error::from)?.max(1);
        let octets = u32::try_from(recent.min(PORT_BUFFER)).unwrap_or_default();
        tokio::time::sleep(Duration::from_secs(10) * octets / baud).await;
        Ok(())
    }

    /// Throws away what the operating system has received and not handed over.
    pub(super) fn discard_input(&mut self) -> io::Result<()> {
        match self {
            Wire::Serial(port) => port.clear(ClearBuffer::Input).map_err(io::Error::from),
            Wire::Tcp(_) => Ok(()),
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Wire::Serial(port) => write(port.as_mut(), bytes).await,
            Wire::Tcp(stream) => write(stream, bytes).await,
        }
    }

    /// Reads what has come; zero means the other side closed.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Serial(port) => read(port.as_mut(), buffer).await,
            Wire::Tcp(stream) => read(stream, buffer).await,
        }
    }
}

// No flush: on a serial port it holds the thread until the last bit is on the line, see `Wire::drained`.
async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await
}

async fn read(stream: &mut (impl AsyncRead + Unpin), buffer: &mut [u8]) -> io::Result<usize> {
    stream.read(buffer).await
}

fn serial_error(error: tokio_serial::Error) -> WireError {
    use tokio_serial::ErrorKind;
    let kind = match error.kind() {
        // serialport reports both a foreign exclusive open and a foreign lock as "no device".
        ErrorKind::NoDevice | ErrorKind::Io(io::ErrorKind::WouldBlock) => LinkErrorKind::Busy,
        ErrorKind::InvalidInput => LinkErrorKind::Setting,
        _ => LinkErrorKind::CannotOpen,
    };
    WireError { kind, found: error.to_string() }
}
