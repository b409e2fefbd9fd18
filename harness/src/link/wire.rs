//! The streams a link can stand on, opened with a deadline.

use std::io;
use std::time::Duration;

use lab_config::{FlowControl, StationPort};
use proto_lab::attach::{Asked, ModemWires};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::Instant;
use tokio_serial::{ClearBuffer, DataBits, Parity, SerialPort, SerialStream, StopBits};

use super::attached::AttachedPort;
use super::error::LinkErrorKind;
use super::holder;
use super::line::{Character, Line};
use super::remote::RemotePort;

/// How often a port is asked whether it has sent everything.
const DRAIN_POLL: Duration = Duration::from_millis(2);
/// Octets a serial port keeps in a buffer of its own, as a rule.
const PORT_BUFFER: u32 = 16;
/// What the network and a serial server may add to the time octets take to leave the server's port.
const REMOTE_DELAY: Duration = Duration::from_millis(5);

/// An open stream of octets, or of datagrams.
#[derive(Debug)]
pub(super) enum Wire {
    /// A serial port or pseudo-terminal.
    Serial(Box<SerialStream>),
    /// A TCP connection.
    Tcp(TcpStream),
    /// A UDP socket connected to its one peer: the system hands over nothing from anybody else.
    Udp(UdpSocket),
    /// A serial port behind a serial server.
    Remote(Box<RemotePort>),
    /// A port of a station at another bench.
    Attached(Box<AttachedPort>),
}

/// Why a wire did not open, or does not take its settings.
#[derive(Debug)]
pub(super) struct WireError {
    pub(super) kind: LinkErrorKind,
    pub(super) found: String,
}

impl WireError {
    pub(super) fn new(kind: LinkErrorKind, found: impl ToString) -> WireError {
        WireError { kind, found: found.to_string() }
    }
}

/// How often a busy serial port is tried again, and how long after the last try.
const BUSY_TRIES: u32 = 4;
const BUSY_PAUSE: Duration = Duration::from_millis(25);

impl Wire {
    /// Opens the serial port at `path` exclusively. A program this one starts holds its locks for the moment before it is
    /// that program: a port that is busy is tried again within a few moments.
    pub(super) async fn serial(path: &str, line: Line) -> Result<Wire, WireError> {
        for _ in 0..BUSY_TRIES {
            match Wire::serial_now(path, line) {
                Err(error) if error.kind == LinkErrorKind::Busy => tokio::time::sleep(BUSY_PAUSE).await,
                opened => return opened,
            }
        }
        Wire::serial_now(path, line)
    }

    fn serial_now(path: &str, line: Line) -> Result<Wire, WireError> {
        let builder = tokio_serial::new(path, line.baud)
            .data_bits(data_bits(line.character))
            .parity(parity(line.character))
            .stop_bits(StopBits::One)
            .flow_control(flow(line.flow));
        let open = SerialStream::open(&builder);
        open.map(|port| Wire::Serial(Box::new(port))).map_err(|error| opening_error(path, &error))
    }

    /// Connects to `host:port` within `limit`.
    pub(super) async fn tcp(host: &str, port: u16, limit: Duration) -> Result<Wire, WireError> {
        connect(host, port, limit).await.map(Wire::Tcp)
    }

    /// Binds a socket and connects it to `host:port`, which sends nothing: whether anybody is there only an answer says.
    pub(super) async fn udp(host: &str, port: u16, limit: Duration) -> Result<Wire, WireError> {
        let opened = tokio::time::timeout(limit, udp_socket(host, port)).await;
        let socket = opened
            .map_err(|_| WireError::new(LinkErrorKind::CannotOpen, "no answer from the name service"))?
            .map_err(|error| WireError::new(LinkErrorKind::CannotOpen, error))?;
        Ok(Wire::Udp(socket))
    }

    /// Connects to a serial server and has its port set within `limit`.
    pub(super) async fn remote(
        host: &str,
        port: u16,
        line: Line,
        limit: Duration,
    ) -> Result<Wire, WireError> {
        let end = Instant::now() + limit;
        let stream = connect(host, port, limit).await?;
        RemotePort::open(stream, line, end).await.map(|port| Wire::Remote(Box::new(port)))
    }

    /// Opens a port of a station within `limit`.
    pub(super) async fn attached(
        port: &StationPort,
        line: Option<Line>,
        limit: Duration,
    ) -> Result<Wire, WireError> {
        AttachedPort::open(port, line, limit).await.map(|port| Wire::Attached(Box::new(port)))
    }

    /// Whether it carries datagrams.
    pub(super) fn is_datagrams(&self) -> bool {
        match self {
            Wire::Udp(_) => true,
            Wire::Attached(port) => port.is_datagrams(),
            Wire::Serial(_) | Wire::Tcp(_) | Wire::Remote(_) => false,
        }
    }

    /// Holds the line in break for `length`.
    pub(super) async fn send_break(&mut self, length: Duration, until: Instant) -> Result<(), WireError> {
        match self {
            Wire::Serial(port) => {
                port.set_break().map_err(setting_error)?;
                tokio::time::sleep(length).await;
                port.clear_break().map_err(setting_error)
            }
            Wire::Remote(port) => port.send_break(length).await,
            Wire::Attached(port) => port.ask(Asked::Break(length), until).await.map(drop),
            Wire::Tcp(_) | Wire::Udp(_) => Err(no_line()),
        }
    }

    /// Raises or lowers DTR and RTS; what is none stays as it is.
    pub(super) async fn set_wires(
        &mut self,
        (dtr, rts): (Option<bool>, Option<bool>),
        until: Instant,
    ) -> Result<(), WireError> {
        match self {
            Wire::Serial(port) => {
                let dtr = dtr.map(|level| port.write_data_terminal_ready(level)).transpose();
                let rts = rts.map(|level| port.write_request_to_send(level)).transpose();
                dtr.and(rts).map(drop).map_err(setting_error)
            }
            Wire::Remote(port) => port.set_wires(dtr, rts).await,
            Wire::Attached(port) => port.ask(Asked::SetWires { dtr, rts }, until).await.map(drop),
            Wire::Tcp(_) | Wire::Udp(_) => Err(no_line()),
        }
    }

    /// How the wires stand that the other side drives.
    pub(super) async fn modem(&mut self, until: Instant) -> Result<ModemWires, WireError> {
        match self {
            Wire::Serial(port) => Ok(ModemWires {
                cts: port.read_clear_to_send().map_err(setting_error)?,
                dsr: port.read_data_set_ready().map_err(setting_error)?,
                ri: port.read_ring_indicator().map_err(setting_error)?,
                cd: port.read_carrier_detect().map_err(setting_error)?,
            }),
            Wire::Remote(port) => port.modem(),
            Wire::Attached(port) => port.modem(until).await,
            Wire::Tcp(_) | Wire::Udp(_) => Err(no_line()),
        }
    }

    /// Changes speed and character format; a link without a serial line has none, and says so by doing nothing.
    pub(super) async fn set_line(&mut self, line: Line, until: Instant) -> Result<(), WireError> {
        match self {
            Wire::Serial(port) => port
                .set_baud_rate(line.baud)
                .and_then(|()| port.set_data_bits(data_bits(line.character)))
                .and_then(|()| port.set_parity(parity(line.character)))
                .map_err(setting_error),
            Wire::Remote(port) => port.set_line(line, until).await,
            Wire::Attached(port) => port.set_line(line, until).await,
            Wire::Tcp(_) | Wire::Udp(_) => Ok(()),
        }
    }

    /// Waits until what was written has left a serial port, and no longer: a quick meter answers at the new speed 20 ms
    /// after. By the line's speed all has left at `gone`; other links keep no line waiting.
    pub(super) async fn drained(&self, gone: Instant) -> io::Result<()> {
        match self {
            // A station waits itself, where the line is.
            Wire::Tcp(_) | Wire::Udp(_) | Wire::Attached(_) => {}
            Wire::Serial(port) => {
                while port.bytes_to_write().map_err(io::Error::from)? > 0 {
                    tokio::time::sleep(DRAIN_POLL).await;
                }
                // What left the operating system last may still be in the port's own buffer, at 10 bits an octet.
                let baud = port.baud_rate().map_err(io::Error::from)?.max(1);
                let buffered = Duration::from_secs(10) * PORT_BUFFER / baud;
                tokio::time::sleep_until(gone.min(Instant::now() + buffered)).await;
            }
            // The server does not say when its port is empty; the speed of the line does.
            Wire::Remote(_) => tokio::time::sleep_until(gone + REMOTE_DELAY).await,
        }
        Ok(())
    }

    /// Throws away what the operating system, or the serial server, has received and not handed over.
    pub(super) async fn discard_input(&mut self) -> io::Result<()> {
        match self {
            Wire::Serial(port) => port.clear(ClearBuffer::Input).map_err(io::Error::from),
            Wire::Remote(port) => port.purge().await,
            Wire::Attached(port) => port.purge().await,
            Wire::Tcp(_) | Wire::Udp(_) => Ok(()),
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Wire::Serial(port) => write(port.as_mut(), bytes).await,
            Wire::Tcp(stream) => write(stream, bytes).await,
            Wire::Udp(socket) => socket.send(bytes).await.map(|_| ()),
            Wire::Remote(port) => port.write(bytes).await,
            Wire::Attached(port) => port.write(bytes).await,
        }
    }

    /// Reads what has come; zero means the other side closed. May be dropped half way without losing octets.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Serial(port) => read(port.as_mut(), buffer).await,
            Wire::Tcp(stream) => read(stream, buffer).await,
            Wire::Udp(socket) => datagram(socket, buffer).await,
            Wire::Remote(port) => port.read(buffer).await,
            Wire::Attached(port) => port.read(buffer).await,
        }
    }

    /// What the stream has to remark for the capture, oldest first.
    pub(super) fn remarks(&mut self) -> Vec<String> {
        match self {
            Wire::Remote(port) => port.remarks(),
            Wire::Attached(port) => port.remarks(),
            _ => Vec::new(),
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

/// One datagram. An empty one says nothing, and zero octets would read as an end.
async fn datagram(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match socket.recv(buffer).await? {
            0 => {}
            count => return Ok(count),
        }
    }
}

async fn connect(host: &str, port: u16, limit: Duration) -> Result<TcpStream, WireError> {
    let stream = tokio::time::timeout(limit, TcpStream::connect((host, port)))
        .await
        .map_err(|_| WireError::new(LinkErrorKind::CannotOpen, "no answer"))?
        .map_err(|error| WireError::new(LinkErrorKind::CannotOpen, error))?;
    // Requests are small and answered one at a time: waiting to fill a segment only adds delay.
    stream.set_nodelay(true).map_err(|error| WireError::new(LinkErrorKind::CannotOpen, error))?;
    Ok(stream)
}

async fn udp_socket(host: &str, port: u16) -> io::Result<UdpSocket> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
    for address in tokio::net::lookup_host((host, port)).await? {
        let any: &str = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).await?;
        match socket.connect(address).await {
            Ok(()) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn data_bits(character: Character) -> DataBits {
    match character {
        Character::SevenEven | Character::SevenOdd => DataBits::Seven,
        _ => DataBits::Eight,
    }
}

fn parity(character: Character) -> Parity {
    match character {
        Character::EightNone | Character::SevenEvenInEight => Parity::None,
        Character::EightEven | Character::SevenEven => Parity::Even,
        Character::EightOdd | Character::SevenOdd => Parity::Odd,
    }
}

fn flow(flow: FlowControl) -> tokio_serial::FlowControl {
    match flow {
        FlowControl::None => tokio_serial::FlowControl::None,
        FlowControl::RtsCts => tokio_serial::FlowControl::Hardware,
        FlowControl::XonXoff => tokio_serial::FlowControl::Software,
    }
}

fn no_line() -> WireError {
    WireError::new(LinkErrorKind::Setting, "a link without a serial line")
}

fn setting_error(error: tokio_serial::Error) -> WireError {
    match error.kind() {
        tokio_serial::ErrorKind::InvalidInput => WireError::new(LinkErrorKind::Setting, error),
        // A port that takes no settings any more is one whose cable was pulled.
        _ => WireError::new(LinkErrorKind::Gone, error),
    }
}

fn opening_error(path: &str, error: &tokio_serial::Error) -> WireError {
    use tokio_serial::ErrorKind;
    match error.kind() {
        // serialport reports both a foreign exclusive open and a foreign lock as "no device".
        ErrorKind::NoDevice | ErrorKind::Io(io::ErrorKind::WouldBlock) => {
            let holder = holder::of(path).map(|who| format!("; {who} has it open")).unwrap_or_default();
            WireError::new(LinkErrorKind::Busy, format!("{error}{holder}"))
        }
        ErrorKind::InvalidInput => WireError::new(LinkErrorKind::Setting, error),
        _ => WireError::new(LinkErrorKind::CannotOpen, error),
    }
}
