use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_serial::{SerialPort, SerialStream};

use super::*;

type Seen = (Direction, Vec<u8>, Option<String>);

#[derive(Default)]
struct Kept(Mutex<Vec<Seen>>);

impl Tap for Kept {
    fn frame(&self, _link: &str, direction: Direction, _at: Timestamp, bytes: &[u8], note: Option<&str>) {
        self.0.lock().unwrap().push((direction, bytes.to_vec(), note.map(str::to_owned)));
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(2)
}

fn tcp_address(port: u16) -> LinkAddress {
    let target = Target::Tcp { host: "127.0.0.1".into(), port };
    LinkAddress { name: "meter".into(), url: format!("tcp://127.0.0.1:{port}"), target }
}

fn serial_address(path: String) -> LinkAddress {
    let url = format!("serial://{path}?baud=9600");
    LinkAddress { name: "optical".into(), url, target: Target::Serial { path, line: Line::hdlc(9600) } }
}

/// A pseudo-terminal whose slave side is closed, so that the link under test is its only opener.
fn pseudo_terminal() -> (SerialStream, String) {
    let (master, slave) = SerialStream::pair().unwrap();
    let path = slave.name().unwrap();
    drop(slave);
    (master, path)
}

#[tokio::test]
async fn both_ways_over_tcp_and_all_of_it_reaches_the_tap() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tap = Arc::new(Kept::default());
    let mut link = tcp_address(port).open(tap.clone(), Duration::from_secs(2)).await.unwrap();
    let (mut device, _) = listener.accept().await.unwrap();
    link.send(b"ask", soon()).await.unwrap();
    let mut asked = [0; 3];
    device.read_exact(&mut asked).await.unwrap();
    device.write_all(b"tell").await.unwrap();
    assert_eq!(link.receive("an answer", soon()).await.unwrap(), b"tell");
    let kept = tap.0.lock().unwrap().clone();
    assert_eq!(kept[0].2.as_deref(), Some("link opened"));
    assert_eq!(kept[1], (Direction::Sent, b"ask".to_vec(), None));
    assert_eq!(kept[2], (Direction::Received, b"tell".to_vec(), None));
}

#[tokio::test]
async fn closed_socket_is_gone_and_says_what_was_awaited() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut link = tcp_address(port).open(NoTap::shared(), Duration::from_secs(2)).await.unwrap();
    drop(listener.accept().await.unwrap());
    let error = link.receive("an AARE", soon()).await.unwrap_err();
    assert_eq!(error.kind, LinkErrorKind::Gone);
    let words = error.to_string();
    assert!(words.contains("meter") && words.contains("an AARE") && words.contains("closed"), "{words}");
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut link = tcp_address(port).open(NoTap::shared(), Duration::from_secs(2)).await.unwrap();
    let _device = listener.accept().await.unwrap();
    let error = link.receive("an AARE", Instant::now() + Duration::from_millis(60)).await.unwrap_err();
    assert_eq!(error.kind, LinkErrorKind::NoAnswer);
    assert!(error.to_string().contains("found nothing after 6"), "{error}");
}

#[tokio::test]
async fn refused_connection_cannot_open() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = tcp_address(port).open(NoTap::shared(), Duration::from_secs(2)).await.unwrap_err();
    assert_eq!(error.kind, LinkErrorKind::CannotOpen);
    assert!(error.to_string().to_lowercase().contains("refused"), "{error}");
}

#[tokio::test]
async fn pseudo_terminal_carries_bytes_through_a_change_of_line_and_back() {
    let (mut master, path) = pseudo_terminal();
    let mut link = serial_address(path).open(NoTap::shared(), Duration::from_secs(1)).await.unwrap();
    link.set_line(Line::sign_on(300), soon()).await.unwrap();
    link.send(b"/?!\r\n", soon()).await.unwrap();
    let mut asked = [0; 5];
    master.read_exact(&mut asked).await.unwrap();
    link.set_line(Line::hdlc(9600), soon()).await.unwrap();
    master.write_all(&[0x7E, 0xA0, 0x00, 0xFF, 0x11, 0x13]).await.unwrap();
    assert_eq!(link.receive("octets", soon()).await.unwrap(), [0x7E, 0xA0, 0x00, 0xFF, 0x11, 0x13]);
}

#[tokio::test]
async fn a_vanished_pseudo_terminal_is_gone_and_then_cannot_open() {
    let (master, path) = pseudo_terminal();
    let mut link = serial_address(path).open(NoTap::shared(), Duration::from_secs(1)).await.unwrap();
    drop(master);
    assert_eq!(link.receive("a frame", soon()).await.unwrap_err().kind, LinkErrorKind::Gone);
    let address = link.address();
    drop(link);
    let error = address.open(NoTap::shared(), Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.kind, LinkErrorKind::CannotOpen, "{error}");
}

#[tokio::test]
async fn a_port_somebody_else_has_open_is_busy() {
    let (_master, path) = pseudo_terminal();
    let address = serial_address(path);
    let _first = address.open(NoTap::shared(), Duration::from_secs(1)).await.unwrap();
    let error = address.open(NoTap::shared(), Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(error.kind, LinkErrorKind::Busy, "{error}");
    if cfg!(target_os = "linux") {
        assert!(error.to_string().contains("another part of this program has it open"), "{error}");
    }
}

#[tokio::test]
async fn what_nobody_asked_for_is_discarded_in_sight_of_the_tap() {
    let (mut master, path) = pseudo_terminal();
    let tap = Arc::new(Kept::default());
    let mut link = serial_address(path).open(tap.clone(), Duration::from_secs(1)).await.unwrap();
    master.write_all(b"junk").await.unwrap();
    tokio::task::yield_now().await;
    link.discard().await.unwrap();
    let kept = tap.0.lock().unwrap().clone();
    assert!(kept.iter().any(|(_, bytes, note)| bytes == b"junk" && note.is_some()), "{kept:?}");
}

#[test]
fn one_physical_link_has_one_key() {
    let upper = Target::Tcp { host: "Meter.Lab".into(), port: 4059 };
    let lower = Target::Tcp { host: "meter.lab".into(), port: 4059 };
    assert_eq!(upper.physical_key(), lower.physical_key());
    let folder = tempfile::tempdir().unwrap();
    let port = folder.path().join("port");
    std::fs::write(&port, "").unwrap();
    let alias = folder.path().join("alias");
    std::os::unix::fs::symlink(&port, &alias).unwrap();
    let key = |path: &std::path::Path| {
        Target::Serial { path: path.display().to_string(), line: Line::hdlc(9600) }.physical_key()
    };
    assert_eq!(key(&port), key(&alias));
}
