//! Stations at other benches: `harness station` as a process of its own, with a real pseudo-terminal of a `device-sim` process,
//! attached to `harness serve`, a third. A whole run over it, stations and controllers killed, readers that do not read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

mod secure;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use lab_tests::bench::Bench;
use proto_lab::attach::flow::WINDOW;
use proto_lab::attach::{
    Actuate, Carried, Channel, FaultKind, Frame, FrameReader, LeaseAsked, Open, PartName, Says, Token,
    to_octets,
};
use proto_lab::station::{Deed, Mains};
use serde_json::Value;

/// Longer than anything takes on a machine that does everything else as well.
const LONG: Duration = Duration::from_secs(120);
/// The lease the station of these tests grants.
const LEASE: Duration = Duration::from_secs(6);

/// A program of ours, its lines as they come; killed with this value.
struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::sync_channel(10_000);
        std::thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Running { child, lines }
    }

    /// The first line from now on that holds these words.
    fn says(&self, words: &str) -> String {
        let (until, mut seen) = (Instant::now() + LONG, Vec::new());
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no {words:?} in {seen:#?}"));
            if line.contains(words) {
                return line;
            }
            seen.push(line);
        }
    }

    /// As the kernel does it when nothing else helps.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Memory that it has now, in octets.
    fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap() * 1024
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A bench whose electricity meter's optical port, and the relay of its mains, are at a station.
struct Elsewhere {
    bench: Bench,
    runs: PathBuf,
    lab: PathBuf,
    offer: PathBuf,
}

impl Elsewhere {
    fn new() -> Elsewhere {
        let bench = Bench::start().unwrap();
        let runs = bench.folder().join("runs");
        std::fs::create_dir_all(&runs).unwrap();
        let optical = bench.link("ESME", "optical").unwrap().to_owned();
        let port = optical.split('?').next().unwrap().to_owned();
        let offer = bench.folder().join("bench-2.toml");
        let relay = "name = \"ESME/mains-relay\"\nrig = \"rig-1\"\non = \"mains ESME on\\n\"\noff = \"mains ESME off\\n\"\nanswer = \"ok\"\nsafe = \"on\"";
        let text = format!(
            "name = \"bench-2\"\nlease = \"{}s\"\n[[port]]\nname = \"optical\"\nrig = \"rig-1\"\nlink = \"{port}\"\n[[actuator]]\n{relay}\nat = \"tcp://{}\"\n",
            LEASE.as_secs(),
            bench.control()
        );
        std::fs::write(&offer, text).unwrap();
        let lab = bench
            .write_lab("elsewhere.toml", |text| {
                let relay = "  { kind = \"mains-relay\", device = \"ESME\" },\n";
                assert!(text.contains(&optical) && text.contains(relay), "{text}");
                let there = "[[rig.station]]\nname = \"bench-2\"\nover = \"grpc\"\nactuator = [{ kind = \"mains-relay\", device = \"ESME\" }]\n\n";
                let text = text.replace(&optical, "station://bench-2/optical?sign-on=e").replace(relay, "");
                text.replace("# Where stations and harness meet", &format!("{there}# Where stations and harness meet"))
            })
            .unwrap();
        Elsewhere { bench, runs, lab, offer }
    }

    /// `harness serve`, and where it listens.
    fn controller(&self, listen: &str) -> (Running, String) {
        let mut command = self.bench.harness().unwrap();
        command.args(["serve", "--json", "--loopback-without-credentials", "--watch", "127.0.0.1:0"]);
        command.args(["--control", listen, "--lab"]).arg(&self.lab).arg("--runs").arg(&self.runs);
        let running = Running::start(command);
        let told: Value = serde_json::from_str(&running.says("\"control\"")).unwrap();
        let address = told["control"].as_str().unwrap().to_owned();
        (running, address)
    }

    /// `harness station`, attached.
    fn station(&self, controller: &str) -> Running {
        let running = Running::start(self.dialling(controller));
        running.says("attached to http");
        running
    }

    fn dialling(&self, controller: &str) -> Command {
        let mut command = self.bench.harness().unwrap();
        command.args(["station", "--controller", controller, "--offer"]).arg(&self.offer);
        command.arg("--state").arg(self.bench.folder().join("of-the-station"));
        command
    }

    fn run(&self, scripts: &[&str]) -> Command {
        let mut command = self.bench.harness().unwrap();
        command.current_dir(lab_tests::repository()).arg("run").arg("--lab").arg(&self.lab);
        command.arg("--runs").arg(&self.runs).args(["--pack", "ioc-service-reference-variant"]);
        for script in scripts {
            command.args(["--script", script]);
        }
        command
    }

    fn door(&self) -> Door {
        Door::open(&self.bench.folder().join("state/stations.sock"), "bench-2")
    }

    /// Whether there is voltage at the meter's load terminals, as the meter itself has it.
    fn has_mains(&self) -> bool {
        let state: Value = serde_json::from_str(&self.bench.ctl(&["state", "ESME"]).unwrap()).unwrap();
        state["terminal_decivolts"].as_u64().unwrap_or_else(|| panic!("{state:#}")) > 0
    }
}

/// A program at the controller's door, spoken to by hand.
struct Door {
    stream: UnixStream,
    reader: FrameReader,
}

fn name(text: &str) -> PartName {
    text.parse().unwrap()
}

impl Door {
    fn open(path: &Path, station: &str) -> Door {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let mut door = Door { stream, reader: FrameReader::default() };
        door.say(0, Says::Call(name(station)));
        door
    }

    fn say(&mut self, channel: u32, says: Says) {
        self.stream.write_all(&to_octets(Frame::new(Channel(channel), says))).unwrap();
    }

    fn hear(&mut self) -> Says {
        loop {
            if let Some(frame) = self.reader.next_frame().unwrap() {
                return frame.says;
            }
            let mut buffer = [0; 4096];
            let count = self.stream.read(&mut buffer).unwrap();
            assert!(count > 0, "the door was closed");
            self.reader.push(&buffer[..count]);
        }
    }

    fn lease(&mut self, channel: u32, token: u64) -> Says {
        let (rig, holder, term) = (name("rig-1"), format!("test {token}"), LONG);
        self.say(channel, Says::Lease(LeaseAsked { rig, token: Token(token), holder, term }));
        self.hear()
    }

    fn mains(&mut self, channel: u32, token: u64, mains: Mains) -> Says {
        let actuator = name("ESME/mains-relay");
        let (token, within, deed) = (Token(token), Duration::from_secs(20), Deed::Mains(mains));
        self.say(channel, Says::Actuate(Actuate { actuator, token, within, deed }));
        self.hear()
    }
}

fn records(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("records.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn notes(run: &Path) -> Vec<String> {
    let of_stations = |record: &Value| {
        let note = record.get("note").filter(|note| note["who"] == "stations")?;
        note["what"].as_str().map(str::to_owned)
    };
    records(run).iter().filter_map(of_stations).collect()
}

#[test]
fn a_run_over_a_station_passes_and_its_capture_shows_the_stations_link() {
    let lab = Elsewhere::new();
    let (_controller, address) = lab.controller("127.0.0.1:0");
    let _station = lab.station(&address);
    let out = lab.run(&["read-active-power", "read-import-registers"]).output().unwrap();
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    let run = lab_tests::run_folders(&lab.runs).pop().unwrap();
    let given_back = notes(&run).pop().unwrap();
    assert_eq!(given_back, "lease given back: station bench-2: ports closed, ESME/mains-relay: mains on");
    let out = Command::new("tshark")
        .arg("-n")
        .arg("-r")
        .arg(run.join("captures/run.pcapng"))
        .args(["-T", "fields", "-E", "separator=\t", "-e", "frame.interface_name"])
        .args([
            "-e",
            "frame.interface_description",
            "-e",
            "frame.packet_flags_direction",
            "-e",
            "frame.comment",
        ])
        .output()
        .unwrap_or_else(|error| panic!("tshark ({error}); tests/run installs it"));
    let text = String::from_utf8(out.stdout).unwrap();
    let of_link: Vec<&str> = text.lines().filter(|line| line.starts_with("rig-1/ESME/optical")).collect();
    assert!(of_link.iter().all(|line| line.contains("station://bench-2/optical?sign-on=e")), "{of_link:#?}");
    for seen in ["0x00000001", "0x00000002", "line set to 9600 baud 8N1"] {
        assert!(of_link.iter().any(|line| line.contains(seen)), "no {seen} in {of_link:#?}");
    }
}

#[test]
fn a_station_killed_in_a_run_is_a_lost_link_with_a_verdict_and_a_station_that_comes_back_serves_the_next_run()
{
    let lab = Elsewhere::new();
    let (_controller, address) = lab.controller("127.0.0.1:0");
    let mut station = lab.station(&address);
    let mut running = Running::start({
        let mut run =
            lab.run(&["read-active-power", "read-import-registers", "read-network-data", "read-daily-log"]);
        run.arg("--json");
        run
    });
    running.says("script-started");
    station.kill();
    running.says("run-finished");
    assert!(!running.child.wait().unwrap().success());
    let run = lab_tests::run_folders(&lab.runs).pop().unwrap();
    let all = records(&run);
    let last = &all.last().unwrap()["run-finished"];
    assert_ne!(last["verdict"], "pass", "{last:#}");
    let told = notes(&run).join("\n");
    assert!(told.contains("the lease of rig-1 is lost: station bench-2 is lost"), "{told}");
    let safe = all.iter().rev().find_map(|record| record.get("safe-state")).unwrap();
    assert_eq!(safe["reached"], false, "{safe:#}");
    assert!(safe["detail"].as_str().unwrap().contains("station bench-2 is lost"), "{safe:#}");
    let _station = lab.station(&address);
    let out = lab.run(&["read-active-power"]).output().unwrap();
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
}

#[test]
fn a_station_whose_controller_is_killed_makes_its_part_safe_and_takes_no_older_lease() {
    let lab = Elsewhere::new();
    let (mut controller, address) = lab.controller("127.0.0.1:0");
    let station = lab.station(&address);
    let mut door = lab.door();
    assert_eq!(door.lease(1, 100), Says::Leased(Ok(LEASE)), "no longer than the station grants");
    assert!(
        matches!(door.mains(2, 99, Mains::Off), Says::Actuated(Err(fault)) if fault.kind == FaultKind::Lease)
    );
    assert_eq!(door.mains(3, 100, Mains::Off), Says::Actuated(Ok("mains off".to_owned())));
    assert!(!lab.has_mains());
    controller.kill();
    let told = station.says("its part of rig-1 was made safe");
    assert!(
        told.contains("the controller was lost") && told.contains("ESME/mains-relay: mains on"),
        "{told}"
    );
    assert!(lab.has_mains());
    let (_controller, _) = lab.controller(address.trim_start_matches("http://"));
    station.says("attached to http");
    let mut door = lab.door();
    assert!(
        matches!(door.lease(1, 100), Says::Leased(Err(fault)) if fault.reason.contains("has ended here"))
    );
    assert_eq!(door.lease(2, 101), Says::Leased(Ok(LEASE)));
}

#[test]
fn a_lease_that_nobody_renews_runs_out_and_the_station_makes_its_part_safe() {
    let lab = Elsewhere::new();
    let (_controller, address) = lab.controller("127.0.0.1:0");
    let mut station = lab.station(&address);
    let mut door = lab.door();
    assert_eq!(door.lease(1, 100), Says::Leased(Ok(LEASE)));
    assert_eq!(door.mains(2, 100, Mains::Off), Says::Actuated(Ok("mains off".to_owned())));
    // Whoever crashes gives nothing back.
    let left = Instant::now();
    drop(door);
    let told = station.says("its part of rig-1 was made safe");
    assert!(left.elapsed() + Duration::from_secs(1) > LEASE, "it is the holder's until it runs out");
    assert!(told.contains("the lease ran out"), "{told}");
    assert!(lab.has_mains());
    // The station remembers over a restart which numbers have been in force.
    station.kill();
    let _station = lab.station(&address);
    let mut door = lab.door();
    assert!(matches!(door.lease(1, 100), Says::Leased(Err(fault)) if fault.kind == FaultKind::Lease));
    assert_eq!(door.lease(2, 101), Says::Leased(Ok(LEASE)));
}

#[test]
fn a_reader_that_does_not_read_stops_the_sender_and_fills_nobodys_memory() {
    let lab = Elsewhere::new();
    let talker = TcpListener::bind("127.0.0.1:0").unwrap();
    let talks_at = talker.local_addr().unwrap();
    let text = std::fs::read_to_string(&lab.offer).unwrap();
    let text = format!("{text}\n[[port]]\nname = \"talker\"\nrig = \"rig-9\"\nlink = \"tcp://{talks_at}\"\n");
    std::fs::write(&lab.offer, text).unwrap();
    let (controller, address) = lab.controller("127.0.0.1:0");
    let station = lab.station(&address);
    let mut door = lab.door();
    let within = Duration::from_secs(20);
    let open = Open { port: name("talker"), carries: Carried::Stream, token: None, within, credit: WINDOW };
    door.say(1, Says::Open(open));
    assert_eq!(door.hear(), Says::Opened(WINDOW));
    let (mut stream, _) = talker.accept().unwrap();
    let written = flood(&mut stream);
    // Twice the window, what three sockets keep, and no more, however long it went on.
    assert!(written < 40 << 20, "{written} octets were taken of a reader that does not read");
    for program in [&controller, &station] {
        assert!(program.memory() < 150 << 20, "{} octets", program.memory());
    }
    // Who reads again goes on where it stopped.
    let mut expected = 0u8;
    let mut heard = 0;
    while heard < WINDOW as usize - 64 * 1024 {
        let Says::Data(octets) = door.hear() else { continue };
        for octet in &octets {
            assert_eq!(*octet, expected);
            expected = expected.wrapping_add(1);
        }
        heard += octets.len();
    }
}

/// Writes until nothing is taken for a while; how much was.
fn flood(stream: &mut TcpStream) -> usize {
    stream.set_write_timeout(Some(Duration::from_secs(3))).unwrap();
    let all: Vec<u8> = (0..=u8::MAX).cycle().take(64 * 1024).collect();
    let mut written = 0;
    loop {
        match stream.write(&all[written % 256..]) {
            Ok(count) => written += count,
            Err(_) => return written,
        }
        assert!(written < 1 << 30, "nothing stops it");
    }
}

/// A mosquitto of this test's own; killed with this value.
struct Mosquitto(Child, u16);

impl Mosquitto {
    fn start(folder: &Path) -> Mosquitto {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = folder.join("mosquitto.conf");
        std::fs::write(
            &config,
            format!("persistence false\nlistener {port} 127.0.0.1\nallow_anonymous true\n"),
        )
        .unwrap();
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("mosquitto");
        command.env("PATH", path).arg("-c").arg(config).stderr(Stdio::null()).stdout(Stdio::null());
        let child =
            command.spawn().unwrap_or_else(|error| panic!("mosquitto ({error}); tests/run installs it"));
        let until = Instant::now() + LONG;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "mosquitto does not listen");
            std::thread::yield_now();
        }
        Mosquitto(child, port)
    }

    /// `mosquitto_sub` of everything the lab publishes.
    fn listen(&self, more: &[&str]) -> Running {
        let mut command = Command::new("stdbuf");
        command.args([
            "-oL",
            "mosquitto_sub",
            "-h",
            "127.0.0.1",
            "-v",
            "-q",
            "1",
            "-t",
            "smets1-lab/v1/#",
            "-p",
        ]);
        command.arg(self.1.to_string()).args(more);
        Running::start(command)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn mosquitto_sub_hears_a_run_and_the_last_will_of_a_controller_that_was_killed() {
    let bench = Bench::start().unwrap();
    let runs = bench.folder().join("runs");
    std::fs::create_dir_all(&runs).unwrap();
    let mosquitto = Mosquitto::start(bench.folder());
    let heard = mosquitto.listen(&[]);
    let mut command = bench.harness().unwrap();
    command.args(["serve", "--json", "--loopback-without-credentials", "--watch", "127.0.0.1:0"]);
    command.args(["--control", "127.0.0.1:0", "--lab"]).arg(bench.lab()).arg("--runs").arg(&runs);
    command.arg("--mqtt").arg(format!("mqtt://127.0.0.1:{}", mosquitto.1));
    let mut controller = Running::start(command);
    heard.says(r#"smets1-lab/v1/embedded/status {"online":true}"#);
    let mut run = bench.harness().unwrap();
    run.current_dir(lab_tests::repository())
        .arg("run")
        .arg("--lab")
        .arg(bench.lab())
        .arg("--runs")
        .arg(&runs);
    run.args(["--pack", "ioc-service-reference-variant", "--script", "read-active-power"]);
    let out = run.output().unwrap();
    assert!(out.status.success(), "{}", lab_tests::shown(&out));
    let begun = heard.says("\"event\":\"run-started\"");
    assert!(begun.contains("\"rig\":\"rig-1\""), "{begun}");
    let script = heard.says("\"event\":\"script-finished\"");
    assert!(script.contains("\"verdict\":\"pass\""), "{script}");
    let ended = heard.says("\"finished\":true");
    assert!(ended.contains("/state ") && ended.contains("\"verdict\":\"pass\""), "{ended}");
    controller.kill();
    heard.says(r#"smets1-lab/v1/embedded/status {"online":false}"#);
    // Who comes later finds how everything stands, kept by the broker, in whatever order it tells it.
    let later = mosquitto.listen(&[]);
    let (mut wanted, until) = (vec!["{\"online\":false}", "\"finished\":true"], Instant::now() + LONG);
    while !wanted.is_empty() {
        let line = later.lines.recv_timeout(until.saturating_duration_since(Instant::now()));
        let line = line.unwrap_or_else(|_| panic!("not kept: {wanted:?}"));
        wanted.retain(|words| !line.contains(words));
    }
}
