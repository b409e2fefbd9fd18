//! Sockets and tasks around the exchange: one task a connection.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use rumqttc::mqttbytes::Error as CodecError;
use rumqttc::mqttbytes::v4::{ConnAck, ConnectReturnCode, Packet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Shared;
use super::exchange::{ClientKey, Refused};

/// The largest packet taken or sent.
const MAX_PACKET: usize = 64 * 1024;
/// Messages that may wait for one client.
const OUTBOX: usize = 256;
/// A connection must say who it is within this (3.1).
const CONNECT: Duration = Duration::from_secs(5);
/// A client that takes nothing for so long is given up.
const WRITE: Duration = Duration::from_secs(5);
/// How long after a failed accept the next is tried: out of file handles, most likely.
const REST: Duration = Duration::from_millis(100);

pub(super) async fn serve(
    exchange: Shared,
    listener: TcpListener,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, from)) = accepted else {
            tokio::time::sleep(REST).await;
            continue;
        };
        let (exchange, stop) = (exchange.clone(), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                ended = converse(&exchange, stream) => if let Err(error) = ended {
                    tracing::debug!(%from, %error, "a client of the embedded broker was given up");
                },
            }
        });
    }
}

/// Why a connection ended that did not say goodbye.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("it does not speak MQTT 3.1.1: {0}")]
    Codec(#[from] CodecError),
    #[error("the line: {0}")]
    Line(#[from] io::Error),
    #[error("nothing came within {0:?}")]
    Silent(Duration),
    #[error("another client of its name took its place")]
    Displaced,
}

/// One client, from its CONNECT to its end.
async fn converse(exchange: &Shared, stream: TcpStream) -> Result<(), Ended> {
    // Small messages both ways: waiting to fill a segment would only slow them.
    stream.set_nodelay(true)?;
    let mut line = Line { stream, buffer: BytesMut::new() };
    let first = timeout(CONNECT, line.packet()).await.map_err(|_| Ended::Silent(CONNECT))??;
    let Packet::Connect(connect) = first else {
        return Err(Refused::Protocol("the first packet is no CONNECT").into());
    };
    let patience = match connect.keep_alive {
        0 => Duration::MAX,
        seconds => Duration::from_secs(u64::from(seconds)) * 3 / 2,
    };
    let (outbox, waiting) = mpsc::channel(OUTBOX);
    let entered = exchange.with(|exchange| exchange.enter(connect, outbox));
    let code = match &entered {
        Ok(_) => ConnectReturnCode::Success,
        Err(Refused::Entry(code)) => *code,
        Err(_) => ConnectReturnCode::ServiceUnavailable,
    };
    let greeted = line.write(&Packet::ConnAck(ConnAck::new(code, false))).await;
    let guest = Guest { exchange, key: entered?, goodbye: false };
    greeted?;
    guest.stay(line, waiting, patience).await
}

/// A client that was let in. However its connection ends, it leaves the exchange.
struct Guest<'e> {
    exchange: &'e Shared,
    key: ClientKey,
    goodbye: bool,
}

impl Guest<'_> {
    async fn stay(
        mut self,
        mut line: Line,
        mut waiting: mpsc::Receiver<Packet>,
        patience: Duration,
    ) -> Result<(), Ended> {
        let after = |patience: Duration| Instant::now().checked_add(patience);
        let mut deadline = after(patience);
        loop {
            let until = deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
            tokio::select! {
                packet = timeout_at(until, line.packet()) => {
                    let packet = packet.map_err(|_| Ended::Silent(patience))??;
                    deadline = after(patience);
                    if packet == Packet::Disconnect {
                        self.goodbye = true;
                        return Ok(());
                    }
                    self.exchange.with(|exchange| exchange.receive(self.key, packet))?;
                }
                packet = waiting.recv() => match packet {
                    Some(packet) => line.write(&packet).await?,
                    None => return Err(Ended::Displaced),
                },
            }
        }
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        self.exchange.with(|exchange| exchange.leave(self.key, self.goodbye));
    }
}

struct Line {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Line {
    /// The next whole packet. Cancelled, it loses nothing: what was read stays in the buffer.
    async fn packet(&mut self) -> Result<Packet, Ended> {
        loop {
            match Packet::read(&mut self.buffer, MAX_PACKET) {
                Ok(packet) => return Ok(packet),
                Err(CodecError::InsufficientBytes(_)) => {}
                Err(error) => return Err(error.into()),
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
        }
    }

    async fn write(&mut self, packet: &Packet) -> Result<(), Ended> {
        let mut octets = BytesMut::new();
        packet.write(&mut octets, MAX_PACKET)?;
        match timeout(WRITE, self.stream.write_all(&octets)).await {
            Ok(written) => Ok(written?),
            Err(_) => Err(Refused::Slow.into()),
        }
    }
}
