//! The door: programs of this machine come here, each naming the station it wants to speak to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proto_lab::attach::{Fault, FaultKind, Frame, FrameReader, PartName, Says, to_octets};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::exchange::Shared;
use super::routes::Door;
use super::session::{AtDoor, DoorSaid};

/// Programs, and streams of programs, at the door at a time.
const PLACES: usize = 256;
/// How long a program may take to say which station it means.
const CALL: Duration = Duration::from_secs(5);
/// Frames that may wait for a program: more than the credit of its streams can be in. A program for which more wait does
/// not read, and is turned out.
pub(super) const WAITING: usize = 4096;
const READ: usize = 16 * 1024;
/// How long to wait before accepting again when the system has no descriptors left.
const BREATH: Duration = Duration::from_millis(50);

/// Takes programs in until `closed`.
pub(super) async fn serve(listener: UnixListener, shared: Arc<Shared>, closed: CancellationToken) {
    let (places, next) = (Arc::new(Semaphore::new(PLACES)), Arc::new(AtomicU64::new(1)));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = closed.cancelled() => return,
        };
        let Ok((stream, _)) = stream else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        let (shared, closed) = (Arc::clone(&shared), closed.clone());
        let door = Door(next.fetch_add(1, Ordering::Relaxed));
        tokio::spawn(async move {
            let _place = place;
            tokio::select! {
                () = one(door, stream, &shared) => {}
                () = closed.cancelled() => {}
            }
        });
    }
}

/// One program, from its call until it or its station goes.
async fn one(door: Door, mut stream: UnixStream, shared: &Shared) {
    let mut reader = FrameReader::default();
    let session = match timeout(CALL, call(&mut stream, &mut reader)).await {
        Ok(Some(station)) => shared.session(&station),
        _ => return,
    };
    match session {
        Ok(session) => pass(door, (stream, reader), session).await,
        Err(reason) => refuse(&mut stream, reason).await,
    }
}

async fn call(stream: &mut UnixStream, reader: &mut FrameReader) -> Option<PartName> {
    let mut buffer = [0; READ];
    loop {
        match reader.next_frame() {
            Ok(Some(Frame { says: Says::Call(station), .. })) => return Some(station),
            Ok(None) => {}
            _ => return None,
        }
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => reader.push(buffer.get(..count)?),
            _ => return None,
        }
    }
}

async fn refuse(stream: &mut UnixStream, reason: String) {
    let fault = Fault::new(FaultKind::CannotOpen, reason);
    let octets = to_octets(Frame::session(Says::Close(Some(fault))));
    // Who does not stay to hear it has nothing from it.
    let _ = timeout(CALL, stream.write_all(&octets)).await;
}

async fn pass(door: Door, (stream, reader): (UnixStream, FrameReader), session: mpsc::Sender<AtDoor>) {
    let (read, write) = stream.into_split();
    let (to_door, frames) = mpsc::channel(WAITING);
    let came = AtDoor { door, said: DoorSaid::Came(to_door) };
    if session.send(came).await.is_err() {
        return;
    }
    // The station's last words are written even when nothing more is read.
    let (writing, reading) = (write_all(write, frames), read_all(door, read, reader, &session));
    tokio::pin!(writing);
    tokio::select! {
        () = reading => {
            let _ = session.send(AtDoor { door, said: DoorSaid::Left }).await;
            writing.await;
        }
        () = &mut writing => {
            let _ = session.send(AtDoor { door, said: DoorSaid::Left }).await;
        }
    }
}

async fn read_all(
    door: Door,
    mut stream: OwnedReadHalf,
    mut reader: FrameReader,
    session: &mpsc::Sender<AtDoor>,
) {
    let mut buffer = vec![0; READ];
    loop {
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => {
                    if session.send(AtDoor { door, said: DoorSaid::Frame(frame) }).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => reader.push(buffer.get(..count).unwrap_or_default()),
            _ => return,
        }
    }
}

/// Writes until the session lets go of the program.
async fn write_all(mut stream: OwnedWriteHalf, mut frames: mpsc::Receiver<Frame>) {
    while let Some(frame) = frames.recv().await {
        if stream.write_all(&to_octets(frame)).await.is_err() {
            return;
        }
    }
}
