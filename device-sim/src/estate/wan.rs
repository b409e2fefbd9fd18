//! The hub's wide area network link: a TCP listener that speaks the DLMS wrapper. [`datagrams`](super::datagrams) serves
//! the UDP port of the same number.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lab_config::Path;
use proto_dlms::wrapper::Deframer;
use proto_duis::DeviceKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::site::{Site, now, reach};
use crate::fault::{From, Outbox, Outgoing};
use crate::home::{Home, WanId};

/// How many ports are tried until one is free for TCP and UDP.
const TRIES: u32 = 32;
/// Connections at a time; a hub has one, a lab looks in with a few more.
const CONNECTIONS: usize = 8;
/// A connection on which nothing arrives for so long is closed.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// A message that has begun must be whole in this time.
const WHOLE_MESSAGE: Duration = Duration::from_secs(30);
/// A client that takes nothing for so long is given up.
const WRITE: Duration = Duration::from_secs(10);
/// How often a port that was restored is tried to be bound again.
pub(super) const REBIND: Duration = Duration::from_millis(100);

/// Binds a TCP and a UDP port of one number where the system finds room for both.
pub(super) async fn bind() -> io::Result<(TcpListener, UdpSocket)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..TRIES {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        match UdpSocket::bind(listener.local_addr()?).await {
            Ok(socket) => return Ok((listener, socket)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Serves until stopped; unplugged or out of power, it closes everything, and listens at the same address when it
/// is back.
pub(super) async fn serve(
    site: Arc<Site>,
    listener: TcpListener,
    mut plugged: watch::Receiver<bool>,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let Ok(address) = listener.local_addr() else { return };
    let mut listener = Some(listener);
    while !stop.is_cancelled() {
        let socket = match listener.take() {
            Some(listener) => listener,
            None => match rebind(address, &stop).await {
                Some(listener) => listener,
                None => return,
            },
        };
        let session = stop.child_token();
        accept(&site, socket, &mut plugged, &session, &tasks).await;
        session.cancel();
        tokio::select! {
            () = stop.cancelled() => return,
            back = restored(&site, &mut plugged) => if !back { return },
        }
    }
}

/// Waits until the link is plugged in and its hub has power; false when the estate is gone.
pub(super) async fn restored(site: &Site, plugged: &mut watch::Receiver<bool>) -> bool {
    loop {
        if plugged.wait_for(|plugged| *plugged).await.is_err() {
            return false;
        }
        let mut stirred = site.stirring();
        if site.take(|home| home.wan_is_up()) {
            return true;
        }
        tokio::select! {
            _ = stirred.changed() => {}
            gone = plugged.changed() => if gone.is_err() { return false },
        }
    }
}

/// Waits until the hub's power is spent.
pub(super) async fn darkness(site: &Site) {
    let mut stirred = site.stirring();
    while site.take(|home| home.wan_is_up()) {
        if stirred.changed().await.is_err() {
            return;
        }
    }
}

async fn rebind(address: SocketAddr, stop: &CancellationToken) -> Option<TcpListener> {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return Some(listener),
            Err(error) => tracing::warn!(%address, %error, "cannot listen again yet"),
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(REBIND) => {}
        }
    }
}

/// The next connection's number, in this process.
pub(super) fn next_id() -> WanId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    WanId(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Accepts until stopped, unplugged or out of power.
async fn accept(
    site: &Arc<Site>,
    listener: TcpListener,
    plugged: &mut watch::Receiver<bool>,
    session: &CancellationToken,
    tasks: &TaskTracker,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = session.cancelled() => return,
            _ = plugged.wait_for(|plugged| !*plugged) => return,
            () = darkness(site) => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file handles, most likely: wait a little for some to come free.
            tokio::time::sleep(REBIND).await;
            continue;
        };
        // Without room the stream is dropped, which closes it.
        if let Ok(permit) = room.clone().try_acquire_owned() {
            let (site, session) = (site.clone(), session.clone());
            let wan = next_id();
            tasks.spawn(async move {
                converse(&site, wan, stream, session).await;
                site.with(|home| home.wan_closed(wan));
                drop(permit);
            });
        }
    }
}

/// The port of the hub's link, for its faults.
pub(super) const PORT: (DeviceKind, Path) = (DeviceKind::Chf, Path::Wan);

async fn converse(site: &Site, wan: WanId, mut stream: TcpStream, session: CancellationToken) {
    // Small messages both ways: waiting to fill a segment would only slow them.
    let _ = stream.set_nodelay(true);
    let mut stirred = site.stirring();
    site.with(|home| home.wan_opened(wan));
    let (mut deframer, mut outbox) = (Deframer::default(), Outbox::default());
    let mut buffer = [0; 4096];
    loop {
        stirred.mark_unchanged();
        collect(site, wan, &mut outbox);
        if !send_due(site, &mut outbox, &mut stream).await {
            return;
        }
        let patience = if deframer.is_mid_message() { WHOLE_MESSAGE } else { IDLE };
        tokio::select! {
            () = session.cancelled() => return,
            _ = stirred.changed() => {}
            () = reach(outbox.poll_timeout()) => {}
            read = timeout(patience, stream.read(&mut buffer)) => match read {
                Ok(Ok(count)) if count > 0 => {
                    deframer.receive(&site.hear(PORT, buffer.get(..count).unwrap_or_default()));
                    if !take_messages(site, wan, &mut deframer) {
                        return;
                    }
                }
                _ => return,
            },
        }
    }
}

/// Hands whole messages to the hub; whether the stream is still one of wrapped messages.
fn take_messages(site: &Site, wan: WanId, deframer: &mut Deframer) -> bool {
    loop {
        match deframer.next_message() {
            Ok(Some(message)) => site.with(|home| home.receive_from_wan(wan, &message)),
            Ok(None) => return true,
            Err(error) => {
                tracing::info!(rig = site.name, %error, "closing a connection that does not speak the wrapper");
                return false;
            }
        }
    }
}

/// Puts what waits for this connection through the faults of the link.
pub(super) fn collect(site: &Site, wan: WanId, outbox: &mut Outbox) {
    let next = |home: &mut Home| home.take_for_wan(wan).map(|message| (home.sender(&message), message));
    while let Some((origin, message)) = site.take(next) {
        if let Ok(octets) = message.encode() {
            site.send(From { port: PORT, origin }, octets, outbox);
        }
    }
}

/// Writes what is due; whether the client took it and the hub holds the connection.
async fn send_due(site: &Site, outbox: &mut Outbox, stream: &mut TcpStream) -> bool {
    while let Some(outgoing) = outbox.poll(now()) {
        match outgoing {
            Outgoing::Octets(octets) => match timeout(WRITE, stream.write_all(&octets)).await {
                Ok(Ok(())) => {}
                _ => return false,
            },
            Outgoing::Reset(device) => {
                site.with(|home| home.restart(device));
                if device == DeviceKind::Chf {
                    return false;
                }
            }
        }
    }
    true
}
