//! A serial device server before a meter's port: the same line, for one client at a time, over TCP.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::line::{Line, LineSettings};
use super::serial::{ROUND, WRITE};
use super::site::{Site, now};

/// Listens on loopback, where the system finds room.
pub(super) async fn bind() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves one client after the other until stopped.
pub(super) async fn serve(
    site: Arc<Site>,
    listener: TcpListener,
    settings: LineSettings,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file handles, most likely: wait a little for some to come free.
            tokio::time::sleep(ROUND).await;
            continue;
        };
        let line = Line::new(&site, settings.clone());
        tokio::select! {
            () = stop.cancelled() => return,
            ended = converse(stream, line) => {
                tracing::debug!(?ended, "a client of the device server has gone");
            }
        }
        site.with(|home| home.local_lost(settings.kind));
    }
}

/// Carries octets between the client and the line until the client goes.
async fn converse(mut stream: TcpStream, mut line: Line<'_>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = [0; 1024];
    loop {
        let due = line.poll_timeout().map(|due| due.saturating_duration_since(now()));
        match timeout(due.unwrap_or(ROUND).min(ROUND), stream.read(&mut buffer)).await {
            Ok(Ok(0)) => return Ok(()),
            Ok(Ok(count)) => line.receive(buffer.get(..count).unwrap_or_default(), now()),
            Ok(Err(error)) => return Err(error),
            Err(_) => line.handle_timeout(now()),
        }
        while let Some(out) = line.poll_transmit(now()) {
            timeout(WRITE, stream.write_all(&out)).await??;
        }
    }
}
