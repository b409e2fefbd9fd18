//! Stations over mutual TLS: a run over one, a station that is not who it says it is, and one whose certificate is taken back.

use std::net::{TcpListener, UdpSocket};
use std::process::Stdio;

use harness::evidence::{RunFolder, read_records};
use lab_tests::serial_server::SerialServer;
use proto_lab::attach::{Character, Flow, LineSettings};
use proto_lab::record::Body;
use proto_lab::record::book::LabEvent;

use super::*;

/// A bench whose controller has an authority, and believes nobody without a certificate.
struct Secure {
    there: Elsewhere,
    controller: Running,
    url: String,
    book: PathBuf,
}

impl Secure {
    fn start() -> Secure {
        Self::of(Elsewhere::new())
    }

    fn of(there: Elsewhere) -> Secure {
        let (folder, runs) = (there.bench.folder(), &there.runs);
        pki(&there, &["init", "--lab", "test-lab"]);
        let mut command = there.bench.harness().unwrap();
        command.current_dir(folder).args([
            "serve",
            "--json",
            "--watch",
            "127.0.0.1:0",
            "--control",
            "127.0.0.1:0",
        ]);
        command.arg("--lab").arg(&there.lab).arg("--runs").arg(runs);
        let controller = Running::start(command);
        let told: Value = serde_json::from_str(&controller.says("\"control\"")).unwrap();
        let text = |key: &str| told[key].as_str().unwrap().to_owned();
        let (url, book) = (text("control"), folder.join(text("book")));
        assert!(url.starts_with("https://"), "{url}");
        Secure { there, controller, url, book }
    }

    /// `harness station` with the certificate of this name.
    fn dialling(&self, name: &str) -> Command {
        let folder = self.there.bench.folder();
        let mut command = self.there.dialling(&self.url);
        command.arg("--ca").arg(folder.join("pki/authority.pem"));
        command.arg("--certificate").arg(folder.join(format!("{name}.pem")));
        command.arg("--key").arg(folder.join(format!("{name}.key")));
        command
    }

    /// `harness station` with a certificate made for it, attached.
    fn station(&self) -> Running {
        pki(&self.there, &["issue", "bench-2", "--role", "station"]);
        let station = Running::start(self.dialling("bench-2"));
        station.says("attached to https");
        station
    }

    /// Ends the controller as an operator does; what the lab book says.
    fn book(mut self) -> Vec<LabEvent> {
        let pid = self.controller.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.controller.child.wait().unwrap();
        let records = read_records(&RunFolder::new(&self.book)).unwrap();
        let events = records.into_iter().filter_map(|record| match record.body {
            Body::Lab(event) => Some(*event),
            _ => None,
        });
        events.collect()
    }
}

fn pki(there: &Elsewhere, arguments: &[&str]) {
    let mut command = there.bench.harness().unwrap();
    let out = command.current_dir(there.bench.folder()).arg("pki").args(arguments).output().unwrap();
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
}

#[test]
fn a_run_over_a_station_of_mutual_tls_passes() {
    let lab = Secure::start();
    let _station = lab.station();
    let out = lab.there.run(&["read-active-power"]).output().unwrap();
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    let run = lab_tests::run_folders(&lab.there.runs).pop().unwrap();
    assert!(
        notes(&run).iter().any(|note| note.contains("lease given back: station bench-2")),
        "{:?}",
        notes(&run)
    );
    let came =
        |event: &LabEvent| matches!(event, LabEvent::StationCame { station, .. } if station == "bench-2");
    assert!(lab.book().iter().any(came));
}

#[test]
fn a_station_is_who_its_certificate_says_and_nobody_else_attaches() {
    let lab = Secure::start();
    pki(&lab.there, &["issue", "bench-3", "--role", "station"]);
    pki(&lab.there, &["issue", "ann", "--role", "engineer"]);
    for (certificate, said) in [
        ("bench-3", "it says it is station bench-2, and its certificate is for bench-3"),
        ("ann", "it is for stations"),
    ] {
        let station = Running::start(lab.dialling(certificate));
        station.says(said);
    }
    let mut without = lab.there.dialling(&lab.url);
    without.arg("--ca").arg(lab.there.bench.folder().join("pki/authority.pem"));
    Running::start(without).says("nobody is known by this call");
    let book = lab.book();
    assert!(!book.iter().any(|event| matches!(event, LabEvent::StationCame { .. })), "{book:?}");
    for said in ["its certificate is for bench-3", "it is for stations", "nobody is known"] {
        let told = |event: &LabEvent| match event {
            LabEvent::CallRefused { call, reason, .. } => {
                call == "POST /smets1.lab.v1.Station/Attach" && reason.contains(said)
            }
            _ => false,
        };
        assert!(book.iter().any(told), "{said}: {book:?}");
    }
}

#[test]
fn a_station_whose_certificate_is_taken_back_is_lost_and_makes_its_part_safe() {
    let lab = Secure::start();
    let station = lab.station();
    let mut door = lab.there.door();
    assert_eq!(door.lease(1, 100), Says::Leased(Ok(LEASE)));
    assert_eq!(door.mains(2, 100, Mains::Off), Says::Actuated(Ok("mains off".to_owned())));
    assert!(!lab.there.has_mains());
    pki(&lab.there, &["revoke", "bench-2"]);
    let told = station.says("its part of rig-1 was made safe");
    assert!(
        told.contains("the controller was lost") && told.contains("ESME/mains-relay: mains on"),
        "{told}"
    );
    assert!(lab.there.has_mains());
    // It goes on dialling, and is not let in.
    let refused = station.says("CertificateRevoked");
    assert!(refused.starts_with("not attached: https://"), "{refused}");
    let said = lab.there.door().hear();
    assert!(matches!(&said, Says::Close(Some(fault)) if fault.reason.contains("is lost")), "{said:?}");
    let book = lab.book();
    let went =
        |event: &LabEvent| matches!(event, LabEvent::StationWent { station, .. } if station == "bench-2");
    assert!(book.iter().any(went), "{book:?}");
    let closed = |event: &LabEvent| match event {
        LabEvent::CallRefused { reason, .. } => reason == "bench-2 (station): the certificate was taken back",
        _ => false,
    };
    assert!(book.iter().any(closed), "{book:?}");
}

/// A door at which a port was opened.
fn opened(lab: &Secure, port: &str, carries: Carried) -> Door {
    let mut door = lab.there.door();
    let within = Duration::from_secs(60);
    door.say(1, Says::Open(Open { port: name(port), carries, token: None, within, credit: WINDOW }));
    let said = door.hear();
    assert!(matches!(said, Says::Opened(_)), "{port}: {said:?}");
    door
}

impl Door {
    /// The octets that come next, so many of them.
    fn data(&mut self, wanted: usize) -> Vec<u8> {
        let mut heard = Vec::new();
        while heard.len() < wanted {
            match self.hear() {
                Says::Data(octets) => heard.extend(octets),
                Says::Credit(_) | Says::Remark(_) => {}
                other => panic!("{other:?}"),
            }
        }
        heard
    }

    /// The stream ends, for the other side is gone.
    fn is_closed(&mut self) {
        loop {
            match self.hear() {
                Says::Credit(_) | Says::Remark(_) | Says::Data(_) => {}
                Says::Close(Some(fault)) => return assert_eq!(fault.kind, FaultKind::Gone, "{fault:?}"),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// The optical port of a meter, as IEC 62056-21 begins it.
const LINE: LineSettings = LineSettings { baud: 300, character: Character::SevenEven, flow: Flow::None };

#[test]
fn whatever_link_of_a_station_breaks_is_a_lost_link_and_no_more() {
    let there = Elsewhere::new();
    let (meter, server) =
        (UdpSocket::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let optical = there.bench.link("ESME", "optical").unwrap().split('?').next().unwrap().to_owned();
    let serial_server = SerialServer::start(optical.trim_start_matches("serial://"));
    let links = [
        ("datagrams", format!("udp://{}", meter.local_addr().unwrap())),
        ("stream", format!("tcp://{}", server.local_addr().unwrap())),
        ("far-line", format!("rfc2217://127.0.0.1:{}", serial_server.port)),
    ];
    let mut text = std::fs::read_to_string(&there.offer).unwrap();
    for (name, link) in links {
        text.push_str(&format!("[[port]]\nname = \"{name}\"\nrig = \"rig-9\"\nlink = \"{link}\"\n"));
    }
    std::fs::write(&there.offer, text).unwrap();
    let mut lab = Secure::of(there);
    let _station = lab.station();

    // Datagrams go whole, both ways.
    let mut door = opened(&lab, "datagrams", Carried::Datagrams);
    door.say(1, Says::Data(b"ask".to_vec()));
    let mut buffer = [0; 64];
    meter.set_read_timeout(Some(LONG)).unwrap();
    let (count, from) = meter.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"ask");
    meter.send_to(b"answer", from).unwrap();
    assert_eq!(door.data(6), b"answer");

    // A stream that breaks off is closed with its reason, and the same port opens again.
    for round in 0..2 {
        let mut door = opened(&lab, "stream", Carried::Stream);
        let (mut far, _) = server.accept().unwrap();
        far.write_all(&[round; 5]).unwrap();
        assert_eq!(door.data(5), [round; 5]);
        drop(far);
        door.is_closed();
    }

    // A serial server that dies, and a serial port whose other end is pulled.
    let mut door = opened(&lab, "far-line", Carried::Serial(LINE));
    door.say(1, Says::Data(b"/?!\r\n".to_vec()));
    assert_eq!(door.data(1)[0], b'/');
    drop(serial_server);
    door.is_closed();
    let mut door = opened(&lab, "optical", Carried::Serial(LINE));
    door.say(1, Says::Data(b"/?!\r\n".to_vec()));
    assert_eq!(door.data(1)[0], b'/');
    lab.there.bench.pull_everything();
    door.is_closed();

    // The station itself is there as before.
    assert_eq!(lab.there.door().lease(1, 100), Says::Leased(Ok(LEASE)));
}

#[test]
fn a_controller_whose_state_folder_is_too_deep_for_a_socket_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a-folder-with-a-long-name".repeat(4));
    let mut command = lab_tests::harness().unwrap();
    command.args([
        "serve",
        "--loopback-without-credentials",
        "--watch",
        "127.0.0.1:0",
        "--control",
        "127.0.0.1:0",
    ]);
    command.arg("--runs").arg(folder.path().join("runs")).env("HARNESS_STATE", &deep);
    let out = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(said.contains("the system takes at most 107"), "{said}");
    assert!(said.contains("set HARNESS_STATE to a folder with a shorter path"), "{said}");
}
