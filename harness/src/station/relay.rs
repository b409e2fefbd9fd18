//! The way to the broker, beneath the MQTT client: TCP or TLS, and the tap that shows every packet to the evidence.
//!
//! The client connects to a socket in a folder of this user alone; the relay carries the octets on. So TLS is made by the
//! library kept best for it, whatever the client was built with, and the capture holds the packets as they were on the wire,
//! all but the one that carries the password.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rumqttc::mqttbytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::tls::Secure;
use crate::link::{Direction, SharedTap};

/// How long TCP and TLS may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the client may take to come to its socket.
const ACCEPT: Duration = Duration::from_secs(5);
/// A packet longer than this is shown in pieces as it comes.
const SHOWN_WHOLE: usize = 64 * 1024;

/// Where a relay leads.
#[derive(Clone)]
pub(super) struct Target {
    /// Host and port.
    pub(super) address: (String, u16),
    /// TLS, where the broker speaks it.
    pub(super) tls: Option<Secure>,
    /// The link's name in the capture.
    pub(super) link: String,
}

/// A running relay. Dropped, both connections end.
pub(super) struct Relay {
    task: JoinHandle<()>,
    _folder: Folder,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A folder of this user alone, with the socket in it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is a name nobody listens at.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Relay {
    /// Connects to the broker and listens for one client at the socket given back.
    ///
    /// # Errors
    /// No connection, no TLS, or no socket.
    pub(super) async fn open(target: Target, tap: SharedTap) -> io::Result<(PathBuf, Self)> {
        let upstream = timeout(CONNECT, connect(&target)).await;
        let upstream = upstream.map_err(|_| io::Error::other(format!("no answer within {CONNECT:?}")))??;
        let folder = folder()?;
        let socket = folder.0.join("broker");
        let listener = UnixListener::bind(&socket)?;
        let task = tokio::spawn(async move {
            if let Ok(Ok((client, _))) = timeout(ACCEPT, listener.accept()).await {
                carry(client, upstream, &target.link, &tap).await;
            }
        });
        Ok((socket, Self { task, _folder: folder }))
    }
}

/// Either kind of connection.
trait Octets: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Octets for T {}

async fn connect(target: &Target) -> io::Result<Box<dyn Octets>> {
    let (host, port) = &target.address;
    let stream = TcpStream::connect((host.as_str(), *port)).await?;
    stream.set_nodelay(true)?;
    match &target.tls {
        None => Ok(Box::new(stream)),
        Some(tls) => Ok(Box::new(tls.connector.connect(tls.name.clone(), stream).await?)),
    }
}

fn folder() -> io::Result<Folder> {
    let name = format!("harness-broker-{}-{:016x}", std::process::id(), rand::random::<u64>());
    let path = std::env::temp_dir().join(name);
    DirBuilder::new().mode(0o700).create(&path)?;
    Ok(Folder(path))
}

/// Carries octets both ways until either side ends.
async fn carry(client: UnixStream, upstream: Box<dyn Octets>, link: &str, tap: &SharedTap) {
    let (from_client, to_client) = client.into_split();
    let (from_broker, to_broker) = tokio::io::split(upstream);
    let shown =
        |direction| Shown { link: link.to_owned(), direction, tap: Arc::clone(tap), begun: Vec::new() };
    tokio::select! {
        () = copy(from_client, to_broker, shown(Direction::Sent)) => {}
        () = copy(from_broker, to_client, shown(Direction::Received)) => {}
    }
    tap.frame(link, Direction::Received, Timestamp::now(), &[], Some("connection to the broker ended"));
}

async fn copy(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut shown: Shown) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let octets = buffer.get(..count).unwrap_or_default();
        shown.show(octets);
        if to.write_all(octets).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
}

/// Shows one direction to the tap, packet by packet.
struct Shown {
    link: String,
    direction: Direction,
    tap: SharedTap,
    begun: Vec<u8>,
}

/// CONNECT, in the high half of a packet's first octet (MQTT 3.1.1, 2.2.1).
const CONNECT_PACKET: u8 = 1;

impl Shown {
    fn show(&mut self, octets: &[u8]) {
        self.begun.extend_from_slice(octets);
        while let Some(length) = whole(&self.begun) {
            let packet: Vec<u8> = self.begun.drain(..length).collect();
            self.frame(&packet);
        }
        if self.begun.len() > SHOWN_WHOLE {
            let piece = std::mem::take(&mut self.begun);
            self.frame(&piece);
        }
    }

    fn frame(&self, packet: &[u8]) {
        let secret = packet.first().is_some_and(|first| first >> 4 == CONNECT_PACKET);
        let (packet, note) = match secret {
            true => (&[][..], Some("CONNECT, not kept because it holds the password")),
            false => (packet, None),
        };
        self.tap.frame(&self.link, self.direction, Timestamp::now(), packet, note);
    }
}

/// The length of the packet these octets begin with, once it is whole.
fn whole(octets: &[u8]) -> Option<usize> {
    let header = mqttbytes::check(octets.iter(), SHOWN_WHOLE).ok()?;
    Some(header.frame_length())
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::link::Tap;

    #[derive(Default)]
    struct Kept(Mutex<Vec<(Vec<u8>, Option<String>)>>);

    impl Tap for Kept {
        fn frame(&self, _: &str, _: Direction, _: Timestamp, bytes: &[u8], note: Option<&str>) {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push((bytes.to_vec(), note.map(str::to_owned)));
        }
    }

    #[test]
    fn every_packet_is_shown_whole_but_never_the_password() {
        let tap = Arc::new(Kept::default());
        let shared: SharedTap = tap.clone();
        let mut shown =
            Shown { link: "l".to_owned(), direction: Direction::Sent, tap: shared, begun: Vec::new() };
        let connect = [&[0x10, 6][..], b"secret"].concat();
        let octets = [&connect[..], &[0xC0, 0], &[0x30, 3, 0, 1], b"t"].concat();
        for octet in octets {
            shown.show(&[octet]);
        }
        let kept = tap.0.lock().expect("kept");
        assert_eq!(kept[0], (Vec::new(), Some("CONNECT, not kept because it holds the password".to_owned())));
        assert_eq!(kept[1].0, [0xC0, 0]);
        assert_eq!(kept[2].0, [0x30, 3, 0, 1, b't']);
    }

    #[test]
    fn noise_is_shown_in_bounded_pieces() {
        let tap = Arc::new(Kept::default());
        let shared: SharedTap = tap.clone();
        let mut shown =
            Shown { link: "l".to_owned(), direction: Direction::Received, tap: shared, begun: Vec::new() };
        for _ in 0..40 {
            shown.show(&[0xFF; 4096]);
        }
        assert!(shown.begun.len() <= SHOWN_WHOLE);
        assert!(!tap.0.lock().expect("kept").is_empty());
    }
}
