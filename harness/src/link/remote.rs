//! A serial port behind a serial server that takes its settings over the network (RFC 2217).
//!
//! The protocol is the `rfc2217` crate's; here it meets a socket and deadlines. What reaches the link above is what the
//! serial port carried, without the Telnet around it; what the server said of its port becomes remarks in the capture.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use proto_lab::attach::ModemWires;
use rfc2217::{
    Client, DataBits, Event, FlowControl, NotReady, Parity, PortSettings, Purge, Setting, StopBits,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::error::LinkErrorKind;
use super::line::{Character, Line};
use super::wire::WireError;

const READ: usize = 4096;
/// How long the server may take to say that it has thrown away what it held; some never say.
const PURGED: Duration = Duration::from_millis(500);
/// Remarks kept between two looks.
const REMARKS: usize = 64;
/// Octets of a server's greeting shown in an error.
const GREETING: usize = 120;

/// A serial port behind a serial server.
#[derive(Debug)]
pub(super) struct RemotePort {
    stream: TcpStream,
    client: Client,
    /// Octets of the serial port not yet handed over. At most one read beyond what the caller took.
    received: VecDeque<u8>,
    /// For the server, not yet written.
    outgoing: Vec<u8>,
    remarks: VecDeque<String>,
    purges: u32,
    /// The port knows only eight bits where 7E1 was asked for: the parity bit is made here.
    parity_here: bool,
}

impl RemotePort {
    /// Negotiates and has the port set before `until`.
    pub(super) async fn open(stream: TcpStream, line: Line, until: Instant) -> Result<RemotePort, WireError> {
        let mut port = RemotePort {
            stream,
            client: Client::new(settings(line)),
            received: VecDeque::new(),
            outgoing: Vec::new(),
            remarks: VecDeque::new(),
            purges: 0,
            parity_here: false,
        };
        port.confirm(line, until).await?;
        // Optical heads draw their power from these wires. A server on a pseudo-terminal never confirms them.
        port.client.set_dtr(true);
        port.client.set_rts(true);
        port.flush().await.map_err(|error| WireError::new(LinkErrorKind::Gone, error))?;
        Ok(port)
    }

    /// Has the port set before `until`.
    pub(super) async fn set_line(&mut self, line: Line, until: Instant) -> Result<(), WireError> {
        self.client.set_port_settings(settings(line));
        self.confirm(line, until).await
    }

    /// Waits until the server has confirmed the settings.
    async fn confirm(&mut self, line: Line, until: Instant) -> Result<(), WireError> {
        self.parity_here = false;
        loop {
            self.flush().await.map_err(|error| self.lost(&error))?;
            match self.client.readiness() {
                Ok(()) => return Ok(()),
                Err(NotReady::Mismatched(_)) if self.is_near_enough(line) => return Ok(()),
                Err(mismatch @ NotReady::Mismatched(_)) => {
                    let reported = self.client.reported_settings();
                    let found = format!("{mismatch} (it says {reported:?})");
                    return Err(WireError::new(LinkErrorKind::Setting, found));
                }
                Err(refused @ NotReady::Refused) => {
                    return Err(WireError::new(LinkErrorKind::Setting, refused));
                }
                Err(pending) => match tokio::time::timeout_at(until, self.fill()).await {
                    Ok(Ok(true)) => {}
                    Ok(Ok(false)) => return Err(self.lost(&io::ErrorKind::UnexpectedEof.into())),
                    Ok(Err(error)) => return Err(self.lost(&error)),
                    Err(_) => return Err(WireError::new(LinkErrorKind::CannotOpen, pending)),
                },
            }
        }
    }

    /// A port that knows only eight bits, as a pseudo-terminal does, is near enough to 7E1: with the parity bit made here
    /// the line cannot tell.
    fn is_near_enough(&mut self, line: Line) -> bool {
        let mismatched = self.client.mismatched_settings();
        let framing = |setting| matches!(setting, Setting::DataBits | Setting::Parity);
        self.parity_here = line.character == Character::SevenEven && mismatched.iter().all(framing);
        if self.parity_here {
            self.remark("the serial server keeps eight bits: the parity of 7E1 is made here".to_owned());
        }
        self.parity_here
    }

    /// Has the server throw away what it holds for us.
    pub(super) async fn purge(&mut self) -> io::Result<()> {
        let before = self.purges;
        self.client.purge(Purge::Receive);
        self.flush().await?;
        let end = Instant::now() + PURGED;
        while self.purges == before {
            match tokio::time::timeout_at(end, self.fill()).await {
                Ok(Ok(true)) => self.flush().await?,
                Ok(Ok(false)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    self.remark("the serial server does not confirm a purge".to_owned());
                    break;
                }
            }
        }
        Ok(())
    }

    /// Holds the line in break for `length`.
    pub(super) async fn send_break(&mut self, length: Duration) -> Result<(), WireError> {
        self.client.set_break(true);
        self.pass_on().await?;
        tokio::time::sleep(length).await;
        self.client.set_break(false);
        self.pass_on().await
    }

    /// Raises or lowers DTR and RTS.
    pub(super) async fn set_wires(&mut self, dtr: Option<bool>, rts: Option<bool>) -> Result<(), WireError> {
        dtr.into_iter().for_each(|level| self.client.set_dtr(level));
        rts.into_iter().for_each(|level| self.client.set_rts(level));
        self.pass_on().await
    }

    async fn pass_on(&mut self) -> Result<(), WireError> {
        self.flush().await.map_err(|error| WireError::new(LinkErrorKind::Gone, error))
    }

    /// How the other side's wires stand, as the server last said.
    pub(super) fn modem(&self) -> Result<ModemWires, WireError> {
        let unsaid = || WireError::new(LinkErrorKind::Setting, "the serial server has not said");
        let state = self.client.modem_state().ok_or_else(unsaid)?;
        Ok(ModemWires { cts: state.cts(), dsr: state.dsr(), ri: state.ri(), cd: state.cd() })
    }

    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self.parity_here {
            true => self.client.write_data(&Character::SevenEvenInEight.on_port(octets)),
            false => self.client.write_data(octets),
        }
        self.flush().await
    }

    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.flush().await?;
            if !self.received.is_empty() {
                let count = buffer.len().min(self.received.len());
                for (place, octet) in buffer.iter_mut().zip(self.received.drain(..count)) {
                    *place = octet;
                }
                return Ok(count);
            }
            if !self.fill().await? {
                return Ok(0);
            }
        }
    }

    pub(super) fn remarks(&mut self) -> Vec<String> {
        self.remarks.drain(..).collect()
    }

    /// Takes what the server sent; whether it is still there. May be dropped without loss: only the read waits.
    async fn fill(&mut self) -> io::Result<bool> {
        let mut buffer = [0; READ];
        let count = self.stream.read(&mut buffer).await?;
        let payload = self.client.receive(&buffer[..count]);
        self.received.extend(payload);
        while let Some(event) = self.client.poll_event() {
            self.take(&event);
        }
        Ok(count > 0)
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Purged(_) => self.purges = self.purges.wrapping_add(1),
            // Every setting asked for is confirmed with the same words; the line's own remark says what was set.
            Event::ModemState(_) | Event::Dtr(_) | Event::Rts(_) => {}
            Event::LineState(state) => self.remark(format!("the serial server reports {state:?}")),
            Event::FlowSuspended => self.remark("the serial server asks to wait".to_owned()),
            Event::FlowResumed => self.remark("the serial server takes more".to_owned()),
            _ => {}
        }
    }

    /// Writes what is due. May be dropped without loss: what a write took is gone from the rest at once.
    async fn flush(&mut self) -> io::Result<()> {
        self.outgoing.extend(self.client.take_output());
        while !self.outgoing.is_empty() {
            let count = self.stream.write(&self.outgoing).await?;
            self.outgoing.drain(..count);
        }
        Ok(())
    }

    fn remark(&mut self, words: String) {
        if self.remarks.len() < REMARKS {
            self.remarks.push_back(words);
        }
    }

    /// A server that closes says why in plain text, if it says so at all.
    fn lost(&self, error: &io::Error) -> WireError {
        let text: Vec<u8> = self.received.iter().copied().take(GREETING).collect();
        let text = String::from_utf8_lossy(&text);
        let words: Vec<&str> = text.split_whitespace().collect();
        let said = words.join(" ");
        let kind = match said.to_ascii_lowercase().contains("in use") {
            true => LinkErrorKind::Busy,
            false => LinkErrorKind::CannotOpen,
        };
        match said.is_empty() {
            true => WireError::new(LinkErrorKind::Gone, format!("the serial server closed: {error}")),
            false => WireError::new(kind, format!("the serial server closed and said {said:?}")),
        }
    }
}

fn settings(line: Line) -> PortSettings {
    let (data_bits, parity) = match line.character {
        Character::EightNone | Character::SevenEvenInEight => (DataBits::Eight, Parity::None),
        Character::EightEven => (DataBits::Eight, Parity::Even),
        Character::EightOdd => (DataBits::Eight, Parity::Odd),
        Character::SevenEven => (DataBits::Seven, Parity::Even),
        Character::SevenOdd => (DataBits::Seven, Parity::Odd),
    };
    let flow_control = match line.flow {
        lab_config::FlowControl::None => FlowControl::None,
        lab_config::FlowControl::RtsCts => FlowControl::RtsCts,
        lab_config::FlowControl::XonXoff => FlowControl::XonXoff,
    };
    PortSettings { baud_rate: line.baud, data_bits, parity, stop_bits: StopBits::One, flow_control }
}
