//! A port scan from inside and outside: every socket of a process, as the kernel lists them, is of loopback.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::lab::{Lab, SOON, Served};

/// The states of `/proc/net/tcp` and `/proc/net/udp` in which a socket takes what comes from anywhere: listening; unconnected.
const TABLES: [(&str, &str); 4] = [("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")];

/// Every address at which a process takes what comes, as Linux has it.
fn open(process: u32) -> BTreeSet<SocketAddr> {
    let fds = std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten();
    let sockets: BTreeSet<String> = fds
        .filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok()?.to_str().map(str::to_owned))
        .filter_map(|link| link.strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned))
        .collect();
    let mut found = BTreeSet::new();
    for (table, state) in TABLES {
        let text = std::fs::read_to_string(format!("/proc/{process}/net/{table}")).unwrap_or_default();
        for row in text.lines().skip(1) {
            let columns: Vec<&str> = row.split_whitespace().collect();
            if columns[3] == state && sockets.contains(columns[9]) {
                found.insert(address(columns[1]));
            }
        }
    }
    found
}

/// `0100007F:C383`: words of the machine's own order.
fn address(text: &str) -> SocketAddr {
    let (address, port) = text.split_once(':').unwrap();
    let octets: Vec<u8> = address
        .as_bytes()
        .chunks(8)
        .flat_map(|word| u32::from_str_radix(std::str::from_utf8(word).unwrap(), 16).unwrap().to_ne_bytes())
        .collect();
    let port = u16::from_str_radix(port, 16).unwrap();
    match <[u8; 4]>::try_from(octets.as_slice()) {
        Ok(four) => (IpAddr::from(four), port).into(),
        Err(_) => (IpAddr::from(<[u8; 16]>::try_from(octets.as_slice()).unwrap()), port).into(),
    }
}

/// This machine's address as others know it, where it has one; no packet is sent.
fn outside() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let outside = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()).ok()?;
    Some(outside.ip()).filter(|address| !address.is_loopback())
}

fn is_loopback_only(open: &BTreeSet<SocketAddr>) {
    assert!(open.iter().all(|address| address.ip().is_loopback()), "{open:?}");
    for there in
        outside().into_iter().flat_map(|ip| open.iter().map(move |a| SocketAddr::from((ip, a.port()))))
    {
        assert!(TcpStream::connect_timeout(&there, Duration::from_secs(5)).is_err(), "{there} is open");
    }
}

/// The ports of the defaults are the same for everybody on this machine: wait for whoever has them.
pub(crate) fn with_defaults(lab: &Lab, arguments: &[&str]) -> Served {
    let begun = Instant::now();
    loop {
        match lab.try_serve(arguments) {
            Ok(served) => return served,
            Err(said) if said.contains("in use") && begun.elapsed() < Duration::from_secs(240) => {}
            Err(said) => panic!("{said}"),
        }
    }
}

#[test]
fn a_port_scan_of_the_defaults_finds_nothing_beyond_loopback() {
    let lab = Lab::new();
    // With the devices of the embedded lab behind it, its DCC stub, and the embedded broker it publishes to.
    let served = with_defaults(&lab, &["--mqtt", "embedded", "--mqtt-port", "0"]);
    let listeners = ["https://127.0.0.1:50051", "https://127.0.0.1:50052"];
    assert_eq!([served.watch.as_str(), served.control.as_str()], listeners);
    let open = open(served.process());
    for url in listeners {
        assert!(open.contains(&url.trim_start_matches("https://").parse().unwrap()), "{open:?}");
    }
    assert!(open.len() > 3, "the lab itself and the broker listen as well: {open:?}");
    is_loopback_only(&open);
}

/// What is open at any moment of a run, by a process that is looked at all the time.
fn open_meanwhile(mut command: Command) -> BTreeSet<SocketAddr> {
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let (mut found, begun) = (BTreeSet::new(), Instant::now());
    let status = loop {
        found.extend(open(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(begun.elapsed() < SOON * 5, "it does not end");
        std::thread::yield_now();
    };
    assert!(status.success(), "{status}");
    found
}

#[test]
fn a_port_scan_of_a_run_and_of_simulated_devices_finds_nothing_beyond_loopback() {
    let lab = Lab::new();
    let mut run = lab_tests::harness().unwrap();
    run.current_dir(lab_tests::repository()).env("HARNESS_STATE", lab.path("state"));
    run.args(["run", "--pack", "ioc-service-reference-variant", "--script", "read-active-power", "--runs"]);
    let open_in_run = open_meanwhile({
        run.arg(lab.path("runs"));
        run
    });
    assert!(!open_in_run.is_empty());
    is_loopback_only(&open_in_run);
    let bench = lab_tests::bench::Bench::start().unwrap();
    let devices = open(bench.process());
    assert!(!devices.is_empty());
    is_loopback_only(&devices);
}
