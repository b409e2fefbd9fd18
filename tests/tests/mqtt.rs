//! Stations over MQTT, held against Debian's mosquitto: as the broker, and its clients as the independent peers of both ours
//! and the embedded broker. A station that dies or says nothing, a broker killed and restarted, a wrong password, TLS.

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use device_sim::broker::Broker as Embedded;
use device_sim::{Estate, SimClock};
use harness::link::NoTap;
use harness::station::{StationError, Stations};
use harness::tap::NoMessageTap;
use lab_config::{DeviceKind, Lab, SensorKind};
use lab_tests::bench::Bench;
use lab_tests::shown;
use proto_lab::station::{Acknowledgement, Command as StationCommand, Deed, Keys, Mains, Outcome};
use serde_json::Value;

type Fallible<T> = Result<T, Box<dyn Error>>;

const LONG: Duration = Duration::from_secs(10);

/// A port nobody listens at.
fn free_port() -> Fallible<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn advice(tool: &str, error: &std::io::Error) -> String {
    format!("{tool} could not be started ({error}); tests/run installs it")
}

/// Waits until somebody listens at a port.
fn listens(port: u16) -> Fallible<()> {
    let until = Instant::now() + LONG;
    while Instant::now() < until {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::yield_now();
    }
    Err(format!("nobody listens at {port}").into())
}

/// A running mosquitto.
struct Mosquitto {
    child: Child,
    port: u16,
    config: PathBuf,
}

impl Mosquitto {
    /// Starts one with these lines in its configuration, and waits until it listens.
    fn start(folder: &Path, more: &str) -> Fallible<Self> {
        let port = free_port()?;
        let config = folder.join(format!("mosquitto-{port}.conf"));
        // Persistence off: a broker that is killed forgets.
        std::fs::write(&config, format!("persistence false\nlistener {port} 127.0.0.1\n{more}\n"))?;
        let child = Self::spawn(&config)?;
        let broker = Self { child, port, config };
        broker.wait()?;
        Ok(broker)
    }

    fn spawn(config: &Path) -> Fallible<Child> {
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("mosquitto");
        command.env("PATH", path).arg("-c").arg(config).stderr(Stdio::null()).stdout(Stdio::null());
        Ok(command.spawn().map_err(|error| advice("mosquitto", &error))?)
    }

    fn wait(&self) -> Fallible<()> {
        listens(self.port)
    }

    fn kill(&mut self) -> Fallible<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn restart(&mut self) -> Fallible<()> {
        self.child = Self::spawn(&self.config)?;
        self.wait()
    }

    fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A mosquitto client that listens, its lines as they come.
struct Listener {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Listener {
    fn start(port: u16, topics: &[&str], more: &[&str]) -> Fallible<Self> {
        // Line by line: into a pipe it would keep what it says until there is much of it.
        let mut command = Command::new("stdbuf");
        command.args(["-oL", "mosquitto_sub"]);
        command.args(["-h", "127.0.0.1", "-d", "-v", "-q", "1", "-p"]).arg(port.to_string()).args(more);
        for topic in topics {
            command.args(["-t", topic]);
        }
        let mut child =
            command.stdout(Stdio::piped()).spawn().map_err(|error| advice("mosquitto_sub", &error))?;
        let said = BufReader::new(child.stdout.take().ok_or("its output")?);
        let (send, lines) = mpsc::sync_channel(1000);
        std::thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        let listener = Self { child, lines };
        // What is said before the broker has its subscription it would never hear.
        listener.line("Subscribed ")?;
        Ok(listener)
    }

    /// The first line from now on that begins so, without its beginning.
    fn line(&self, beginning: &str) -> Fallible<String> {
        let until = Instant::now() + LONG;
        let mut seen = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).map_err(|_| format!("no {beginning:?} in {seen:#?}"))?;
            if let Some(rest) = line.strip_prefix(beginning) {
                return Ok(rest.trim().to_owned());
            }
            seen.push(line);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn publish(port: u16, topic: &str, payload: &str, more: &[&str]) -> Fallible<()> {
    let out = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-q", "1", "-p"])
        .arg(port.to_string())
        .args(["-t", topic, "-m", payload])
        .args(more)
        .output()
        .map_err(|error| advice("mosquitto_pub", &error))?;
    if out.status.success() { Ok(()) } else { Err(shown(&out).into()) }
}

/// The embedded lab with `[broker]` as told; `simulated` says whether its station is.
fn lab(folder: &Path, broker: &str, simulated: bool) -> Fallible<Lab> {
    let text = std::fs::read_to_string(lab_tests::repository().join("lab-config/labs/embedded.toml"))?;
    let mut text = text.replace("url = \"embedded\"", broker);
    if !simulated {
        text = text.replace("name = \"bench\"\nsimulated = true", "name = \"bench\"\ndeadline = \"2s\"");
    }
    let path = folder.join("lab.toml");
    std::fs::write(&path, text)?;
    Ok(Lab::load(&path)?)
}

fn url(broker: &str) -> String {
    format!("url = \"{broker}\"")
}

async fn connect(lab: &Lab) -> Fallible<Stations> {
    let stations = Stations::connect(&lab.rigs[0], lab.broker.as_ref(), NoTap::shared()).await?;
    Ok(stations.ok_or("the rig has a station")?)
}

fn press(names: &[&str]) -> Fallible<Deed> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    Ok(Deed::Press(Keys::try_from(names)?))
}

async fn switch(stations: &mut Stations, mains: Mains) -> Result<String, StationError> {
    stations.act(DeviceKind::Esme, Deed::Mains(mains), LONG, &NoMessageTap).await
}

async fn volts(stations: &Stations) -> Result<f64, StationError> {
    let sensed = stations.sense(DeviceKind::Esme, SensorKind::SupplyVoltage, LONG, &NoMessageTap).await?;
    Ok(sensed.reading.value)
}

/// Everything a simulated station does, on the broker it is told of.
async fn a_whole_conversation(lab: Lab, seen: Option<Listener>) -> Fallible<()> {
    let estate = Estate::start(&lab, SimClock::real(), 1).await?;
    let lab = estate.concrete(lab);
    let mut stations = connect(&lab).await?;
    let hand = estate.hand("rig-1", DeviceKind::Esme)?;
    let said = stations.act(DeviceKind::Esme, press(&["A", "B"])?, LONG, &NoMessageTap).await?;
    assert_eq!(said, "pressed; the device waited for no key");
    assert!((207.0..253.0).contains(&volts(&stations).await?), "the supply is on");
    assert_eq!(switch(&mut stations, Mains::Off).await?, "mains off");
    assert_eq!(volts(&stations).await?, 0.0);
    assert_eq!(switch(&mut stations, Mains::Off).await?, "mains off", "off twice is off");
    assert_eq!(switch(&mut stations, Mains::On).await?, "mains on");
    assert!(volts(&stations).await? > 200.0);
    assert_eq!(stations.mains(DeviceKind::Esme), Some(Mains::On));
    let refused = stations.act(DeviceKind::Esme, press(&["X"])?, LONG, &NoMessageTap).await;
    let words = refused.expect_err("a meter has no key X").to_string();
    assert_eq!(words, "station bench refuses to act on the ESME: a meter has keys A and B, found 'X'");
    if let Some(seen) = seen {
        // The independent client heard what was said, both ways.
        let command = StationCommand::parse(seen.line("rig-1/bench/ESME/keys/command ")?.as_bytes())?;
        assert_eq!(command.deed, press(&["A", "B"])?);
        let answer = seen.line("rig-1/bench/ESME/keys/acknowledgement ")?;
        let answer = Acknowledgement::parse(answer.as_bytes())?;
        assert_eq!((answer.id, answer.outcome), (command.id, Outcome::Done));
        seen.line(r#"rig-1/bench/ESME/mains-relay/state {"mains":"off"}"#)?;
    }
    assert!(hand.state().supply.is_some());
    estate.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_station_serves_at_the_embedded_broker() -> Fallible<()> {
    a_whole_conversation(Lab::embedded()?, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_station_serves_at_mosquitto_and_mosquitto_sub_hears_every_word() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let broker = Mosquitto::start(folder.path(), "allow_anonymous true")?;
    let seen = Listener::start(broker.port, &["rig-1/bench/ESME/#"], &[])?;
    a_whole_conversation(lab(folder.path(), &url(&broker.url()), true)?, Some(seen)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_pub_is_a_station() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let broker = Mosquitto::start(folder.path(), "allow_anonymous true")?;
    let lab = lab(folder.path(), &url(&broker.url()), false)?;
    publish(broker.port, "rig-1/bench/status", r#"{"online":true,"about":"a shell script"}"#, &["-r"])?;
    // Remembered by the broker from before, and no reading of now.
    publish(broker.port, "rig-1/bench/ESME/supply-voltage", "239.5", &["-r"])?;
    let commands = Listener::start(broker.port, &["rig-1/bench/+/+/command"], &[])?;
    let mut stations = connect(&lab).await?;
    let port = broker.port;
    let station = std::thread::spawn(move || -> Result<StationCommand, String> {
        let payload = commands.line("rig-1/bench/GSME/keys/command ").map_err(|e| e.to_string())?;
        let command = StationCommand::parse(payload.as_bytes()).map_err(|e| e.to_string())?;
        let answer = format!(r#"{{"id":"{}","outcome":"done","detail":"by hand","rssi":-61}}"#, command.id);
        publish(port, "rig-1/bench/GSME/keys/acknowledgement", &answer, &[]).map_err(|e| e.to_string())?;
        Ok(command)
    });
    let said = stations.act(DeviceKind::Gsme, press(&["A"])?, LONG, &NoMessageTap).await?;
    assert_eq!(said, "by hand");
    let command = station.join().map_err(|_| "the station panicked")??;
    assert!(command.expires.is_some(), "a station with a clock can refuse what comes late");
    let sensing = volts(&stations);
    let told = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        publish(port, "rig-1/bench/ESME/supply-voltage", "12.5", &[]).map_err(|e| e.to_string())
    };
    let (sensed, told) = tokio::join!(sensing, told);
    told?;
    assert_eq!(sensed?, 12.5);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_that_says_nothing_ends_in_a_verdict_at_its_deadline() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let broker = Mosquitto::start(folder.path(), "allow_anonymous true")?;
    let lab = lab(folder.path(), &url(&broker.url()), false)?;
    publish(broker.port, "rig-1/bench/status", r#"{"online":true}"#, &["-r"])?;
    let mut stations = connect(&lab).await?;
    let began = Instant::now();
    let silent = switch(&mut stations, Mains::Off).await.expect_err("nobody answers").to_string();
    assert!(began.elapsed() < Duration::from_secs(4), "its deadline is two seconds: {:?}", began.elapsed());
    assert!(
        silent.starts_with("station bench did not acknowledge `mains off` at the ESME within 2s"),
        "{silent}"
    );
    publish(broker.port, "rig-1/bench/status", r#"{"online":false}"#, &["-r"])?;
    let gone = switch(&mut stations, Mains::Off).await.expect_err("it is gone").to_string();
    assert!(gone.contains("it went offline"), "{gone}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_that_dies_is_known_by_its_will() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let broker = Mosquitto::start(folder.path(), "allow_anonymous true")?;
    let lab = lab(folder.path(), &url(&broker.url()), true)?;
    let estate = Estate::start(&lab, SimClock::real(), 1).await?;
    let status = Listener::start(broker.port, &["rig-1/bench/status"], &[])?;
    assert!(status.line("rig-1/bench/status ")?.starts_with(r#"{"online":true"#));
    estate.stop().await;
    assert_eq!(status.line("rig-1/bench/status ")?, r#"{"online":false}"#);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_and_restarted_in_the_middle_is_found_again() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let mut broker = Mosquitto::start(folder.path(), "allow_anonymous true")?;
    let lab = lab(folder.path(), &url(&broker.url()), true)?;
    let estate = Estate::start(&lab, SimClock::real(), 1).await?;
    let mut stations = connect(&estate.concrete(lab)).await?;
    assert_eq!(switch(&mut stations, Mains::Off).await?, "mains off");
    broker.kill()?;
    let back =
        tokio::task::spawn_blocking(move || broker.restart().map(|()| broker).map_err(|e| e.to_string()));
    // Told while the broker is away, and done when it is back, within the station's own deadline of five seconds.
    assert_eq!(switch(&mut stations, Mains::On).await?, "mains on");
    let mut broker = back.await??;
    broker.kill()?;
    let began = Instant::now();
    let away = switch(&mut stations, Mains::Off).await.expect_err("no broker").to_string();
    assert!(
        began.elapsed() < Duration::from_secs(7) && away.contains("no connection to the broker"),
        "{away}"
    );
    estate.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_at_once() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    let passwords = folder.path().join("passwords");
    let made =
        Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["lab", "right"]).output();
    let made = made.map_err(|error| advice("mosquitto_passwd", &error))?;
    assert!(made.status.success(), "{}", shown(&made));
    // Started by root, mosquitto becomes its own user before it reads the file.
    readable(&passwords)?;
    readable(folder.path())?;
    let more = format!("allow_anonymous false\npassword_file {}", passwords.display());
    let broker = Mosquitto::start(folder.path(), &more)?;
    for (password, right) in [("right", true), ("wrong", false)] {
        std::fs::write(folder.path().join("password"), password)?;
        let login = format!("{}\nuser = \"lab\"\npassword = {{ file = \"password\" }}", url(&broker.url()));
        let lab = lab(folder.path(), &login, false)?;
        publish(
            broker.port,
            "rig-1/bench/status",
            r#"{"online":true}"#,
            &["-r", "-u", "lab", "-P", "right"],
        )?;
        let began = Instant::now();
        match (connect(&lab).await, right) {
            (Ok(_), true) => {}
            (Err(error), false) => {
                let words = error.to_string();
                assert!(words.contains("lets the harness not in") && words.contains("[broker]"), "{words}");
                assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
            }
            (Ok(_), false) => panic!("let in with a wrong password"),
            (Err(error), true) => return Err(error),
        }
    }
    Ok(())
}

fn readable(path: &Path) -> Fallible<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if path.is_dir() { 0o755 } else { 0o644 };
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?)
}

fn openssl(folder: &Path, arguments: &str) -> Fallible<()> {
    let out = Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder).output();
    let out = out.map_err(|error| advice("openssl", &error))?;
    if out.status.success() { Ok(()) } else { Err(format!("openssl {arguments}: {}", shown(&out)).into()) }
}

/// An authority, a broker's certificate for `localhost`, and a client's.
fn certificates(folder: &Path) -> Fallible<()> {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(folder, &format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=lab-ca"))?;
    for (name, subject) in [("broker", "/CN=localhost"), ("client", "/CN=harness")] {
        openssl(folder, &format!("req {key} -keyout {name}.key -out {name}.csr -subj {subject}"))?;
        std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n")?;
        let by = "-CA ca.pem -CAkey ca.key -CAcreateserial -extfile names";
        openssl(folder, &format!("x509 -req -in {name}.csr {by} -out {name}.pem -days 2"))?;
    }
    for file in ["ca.pem", "broker.pem", "broker.key"] {
        readable(&folder.join(file))?;
    }
    readable(folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtts_with_certificates_both_ways_reaches_a_station_and_a_stranger_is_not_believed() -> Fallible<()>
{
    let folder = tempfile::tempdir()?;
    let (path, text) = (folder.path(), folder.path().display());
    certificates(path)?;
    let plain = free_port()?;
    let more = format!(
        "cafile {text}/ca.pem\ncertfile {text}/broker.pem\nkeyfile {text}/broker.key\nrequire_certificate true\n\
         allow_anonymous true\nlistener {plain} 127.0.0.1\nallow_anonymous true"
    );
    let broker = Mosquitto::start(path, &more)?;
    listens(plain)?;
    publish(plain, "rig-1/bench/status", r#"{"online":true}"#, &["-r"])?;
    let secure = format!("url = \"mqtts://localhost:{}\"", broker.port);
    let known = format!("{secure}\nca = \"ca.pem\"\ncertificate = \"client.pem\"\nkey = \"client.key\"");
    connect(&lab(path, &known, false)?).await?;
    // Another authority's word is not taken for the broker's certificate.
    openssl(
        path,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout o.key -out other.pem -days 2 -subj /CN=o",
    )?;
    let stranger = known.replace("ca.pem", "other.pem");
    let error = connect(&lab(path, &stranger, false)?).await.map(drop).expect_err("not believed").to_string();
    assert!(error.contains("certificate"), "{error}");
    let missing = known.replace("ca.pem", "nowhere.pem");
    let error = connect(&lab(path, &missing, false)?).await.map(drop).expect_err("no file").to_string();
    assert!(error.contains("nowhere.pem"), "{error}");
    Ok(())
}

/// Mosquitto's clients against our broker: publications of every quality, retained messages, wills, wrong passwords.
#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_clients_are_served_by_the_embedded_broker() -> Fallible<()> {
    let broker = Embedded::start(0, "lab", b"secret").await?;
    let port = broker.address().port();
    let login = ["-u", "lab", "-P", "secret"];
    let with = |more: &[&'static str]| -> Vec<&'static str> { [&login[..], more].concat() };
    publish(port, "kept/a", "remembered", &with(&["-r"]))?;
    let seen = Listener::start(port, &["kept/#", "said/+", "will"], &with(&[]))?;
    assert_eq!(seen.line("kept/a ")?, "remembered");
    for quality in ["0", "1", "2"] {
        // The last -q counts.
        publish(port, "said/x", quality, &with(&["-q", quality]))?;
        assert_eq!(seen.line("said/x ")?, quality);
    }
    let mut dying =
        Listener::start(port, &["said/x"], &with(&["--will-topic", "will", "--will-payload", "gone"]))?;
    publish(port, "said/x", "once more", &with(&[]))?;
    assert_eq!(dying.line("said/x ")?, "once more");
    dying.child.kill()?;
    assert_eq!(seen.line("will ")?, "gone");
    assert!(publish(port, "said/x", "no", &["-u", "lab", "-P", "wrong"]).is_err(), "a wrong password");
    assert!(publish(port, "said/x", "no", &[]).is_err(), "no password");
    broker.stop().await;
    Ok(())
}

/// The controller's own broker serves dashboards of other makers: they find how everything stands, whenever they come, and find
/// it again once a controller that was killed is started anew. A broker that dies with its controller sends no will; that of a
/// controller at a broker of its own is heard in the tests of stations.
#[test]
fn mosquitto_sub_is_served_by_the_broker_of_a_controller_and_again_after_that_was_killed() -> Fallible<()> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("runs"))?;
    let port = free_port()?;
    let mut controller = controller(folder.path(), port)?;
    listens(port)?;
    let password = std::fs::read_to_string(folder.path().join("state/mqtt-password"))?;
    let login = ["-u", "lab", "-P", password.trim()];
    let topic = "smets1-lab/v1/embedded/status";
    let seen = Listener::start(port, &["smets1-lab/v1/#"], &login)?;
    assert_eq!(seen.line(&format!("{topic} "))?, r#"{"online":true}"#);
    // Who comes later is told what was said before.
    let later = Listener::start(port, &[topic], &login)?;
    assert_eq!(later.line(&format!("{topic} "))?, r#"{"online":true}"#);
    controller.kill()?;
    controller.wait()?;
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the broker dies with its controller");
    let mut controller = self::controller(folder.path(), port)?;
    assert_eq!(seen.line(&format!("{topic} "))?, r#"{"online":true}"#);
    controller.kill()?;
    controller.wait()?;
    Ok(())
}

/// `harness serve` of the embedded lab with its own broker at this port.
fn controller(folder: &Path, port: u16) -> Fallible<Child> {
    let mut command = Command::new(lab_tests::program("harness")?);
    command.args(["serve", "--loopback-without-credentials", "--watch", "127.0.0.1:0", "--runs", "runs"]);
    command.args(["--control", "127.0.0.1:0", "--mqtt", "embedded", "--mqtt-port"]).arg(port.to_string());
    command.env("HARNESS_STATE", folder.join("state")).current_dir(folder).stdout(Stdio::null());
    Ok(command.spawn()?)
}

/// Supply and mains by the whole program, the station in another process: intent, observation and message are records.
#[test]
fn a_script_switches_mains_and_sees_the_voltage_go_and_the_evidence_says_so() -> Fallible<()> {
    let bench = Bench::start()?;
    let pack = bench.folder().join("bench");
    std::fs::create_dir(&pack)?;
    std::fs::write(pack.join("pack.toml"), PACK)?;
    std::fs::write(pack.join("mains.toml"), SCRIPT)?;
    let locked = bench.harness()?.args(["check", "--write-lock", "--pack"]).arg(&pack).output()?;
    assert!(locked.status.success(), "{}", shown(&locked));
    let runs = bench.folder().join("runs");
    let mut run = bench.harness()?;
    let out = run
        .arg("run")
        .arg("--lab")
        .arg(bench.lab())
        .arg("--pack")
        .arg(&pack)
        .arg("--runs")
        .arg(&runs)
        .output()?;
    assert!(out.status.success(), "{}", shown(&out));
    let folder = lab_tests::run_folders(&runs).pop().ok_or("a run")?;
    let records = std::fs::read_to_string(folder.join("records.jsonl"))?;
    let records: Vec<Value> = records.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let intent =
        records.iter().find(|record| record["intent"]["action"].to_string().contains("Take the mains away"));
    let number = &intent.ok_or("an intent")?["n"];
    let messages: Vec<&Value> =
        records.iter().filter(|record| record["message"]["intent"] == *number).collect();
    let what: Vec<&str> = messages.iter().filter_map(|record| record["message"]["what"].as_str()).collect();
    assert_eq!(
        what,
        [
            "command mains off on rig-1/bench/ESME/mains-relay/command",
            "acknowledgement on rig-1/bench/ESME/mains-relay/acknowledgement",
        ]
    );
    let observed =
        records.iter().find(|record| record["observed"]["intent"] == *number).ok_or("an observation")?;
    assert_eq!(observed["observed"]["from"], "a station at the ESME");
    let safe = records.iter().filter_map(|record| record["safe-state"]["detail"].as_str()).next_back();
    assert!(safe.is_some_and(|words| words.contains("ESME: mains on")), "{safe:?}");
    // On the wire it is MQTT, and the password is not in the evidence.
    let capture = std::fs::read(folder.join("captures/run.pcapng"))?;
    let holds = |needle: &[u8]| capture.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"rig-1/bench/ESME/mains-relay/command") && holds(b"rig-1/broker"));
    assert!(!holds(lab_tests::bench::BROKER_PASSWORD.as_bytes()));
    Ok(())
}

const PACK: &str = r#"
id = "bench"
title = "What the bench's station does"
kind = "service-reference-variant"
release = "IOC"
standard = false
rationale = "the bench itself is under test"
agreement = "none"
requires-enrolled = false
scripts = ["mains"]
"#;

const SCRIPT: &str = r#"
title = "Without mains there is no voltage at the load terminals"
covers = ["lab"]
group = "bench"
device = "ESME"

[[step]]
sense = "supply-voltage"
expect = [{ at = "value", within = [207, 253] }, { at = "unit", is = "V" }]

[[step]]
act = "mains-off"
show = "Take the mains away"
expect = [{ at = "act.answer", is = "mains off" }]

[[step]]
sense = "supply-voltage"
expect = [{ at = "value", is = 0 }]
"#;
