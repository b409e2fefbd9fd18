//! The courier against brokers that misbehave as no real one can be asked to, in virtual time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lab_config::{DeviceKind, Lab, QualityOfService, SensorKind};
use proto_lab::station::{Acknowledgement, Command, Deed, Keys, Outcome, Status};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::session::{Broker, Heard, Lost, Session};
use super::{StationError, Stations};
use crate::tap::NoMessageTap;

const KEYS: &str = "rig-1/bench/ESME/keys";
const STATUS: &str = "rig-1/bench/status";

/// What a test's broker does with what it is told.
trait Manners: Send {
    /// What a session hears after a message; `session` counts connections from 0.
    fn published(&mut self, session: usize, topic: &str, payload: &[u8]) -> Vec<Result<Heard, Lost>>;
    /// What it hears once it has subscribed.
    fn subscribed(&mut self, _session: usize) -> Vec<Result<Heard, Lost>> {
        vec![Ok(Heard::Subscribed), Ok(online(true))]
    }
    /// Whether it is let in.
    fn connected(&mut self, _session: usize) -> Result<(), Lost> {
        Ok(())
    }
}

type Shared<M> = Arc<Mutex<M>>;

struct TestBroker<M> {
    manners: Shared<M>,
    sessions: usize,
}

struct TestSession<M> {
    manners: Shared<M>,
    number: usize,
    send: mpsc::Sender<Result<Heard, Lost>>,
    heard: mpsc::Receiver<Result<Heard, Lost>>,
}

impl<M: Manners + 'static> Broker for TestBroker<M> {
    type Session = TestSession<M>;

    fn connect(&mut self) -> JoinHandle<Result<TestSession<M>, Lost>> {
        let (number, manners) = (self.sessions, Arc::clone(&self.manners));
        self.sessions += 1;
        tokio::spawn(async move {
            manners.lock().unwrap_or_else(PoisonError::into_inner).connected(number)?;
            let (send, heard) = mpsc::channel(64);
            Ok(TestSession { manners, number, send, heard })
        })
    }
}

impl<M: Manners> TestSession<M> {
    fn told(&self, all: Vec<Result<Heard, Lost>>) {
        all.into_iter().for_each(|one| self.send.try_send(one).expect("room"));
    }
}

impl<M: Manners + 'static> Session for TestSession<M> {
    fn subscribe(&mut self, topics: &[String]) -> Result<(), Lost> {
        assert!(topics.iter().any(|topic| topic == STATUS));
        let told = self.manners.lock().unwrap_or_else(PoisonError::into_inner).subscribed(self.number);
        self.told(told);
        Ok(())
    }

    fn publish(&mut self, topic: &str, payload: &[u8], _: QualityOfService) -> Result<(), Lost> {
        let mut manners = self.manners.lock().unwrap_or_else(PoisonError::into_inner);
        let told = manners.published(self.number, topic, payload);
        drop(manners);
        self.told(told);
        Ok(())
    }

    async fn next(&mut self) -> Result<Heard, Lost> {
        match self.heard.recv().await {
            Some(heard) => heard,
            None => std::future::pending().await,
        }
    }
}

fn message(topic: &str, payload: Vec<u8>) -> Heard {
    Heard::Message { topic: topic.to_owned(), payload, retained: false }
}

fn online(online: bool) -> Heard {
    message(STATUS, Status { online, about: None }.to_payload())
}

fn done(payload: &[u8]) -> Heard {
    let id = Command::parse(payload).expect("a command").id;
    let done = Acknowledgement { id, outcome: Outcome::Done, detail: Some("pressed".to_owned()) };
    message(&format!("{KEYS}/acknowledgement"), done.to_payload())
}

fn stations<M: Manners + 'static>(manners: M) -> (Stations, Shared<M>) {
    let lab = Lab::embedded().expect("the embedded lab");
    let manners = Arc::new(Mutex::new(manners));
    let broker = TestBroker { manners: Arc::clone(&manners), sessions: 0 };
    (Stations::with(lab.rigs[0].stations.clone(), "mqtt://test".to_owned(), 7, broker), manners)
}

fn press() -> Deed {
    Deed::Press(Keys::try_from(vec!["A".to_owned()]).expect("keys"))
}

async fn pressed(stations: &mut Stations) -> Result<String, StationError> {
    stations.act(DeviceKind::Esme, press(), Duration::from_secs(60), &NoMessageTap).await
}

/// A broker and a station as they should be.
struct Sound;

impl Manners for Sound {
    fn published(&mut self, _: usize, topic: &str, payload: &[u8]) -> Vec<Result<Heard, Lost>> {
        assert_eq!(topic, format!("{KEYS}/command"));
        vec![Ok(Heard::Taken), Ok(done(payload))]
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_is_pressed_and_acknowledged() {
    let (mut stations, _) = stations(Sound);
    stations.all_there(Duration::from_secs(1)).await.expect("there");
    for _ in 0..40 {
        assert_eq!(pressed(&mut stations).await.expect("pressed"), "pressed");
    }
    let none = stations.act(DeviceKind::Gpf, press(), Duration::from_secs(1), &NoMessageTap).await;
    assert!(matches!(none, Err(StationError::NoActuator { .. })));
}

/// A broker that takes nothing on its first connection: the wedge of a session it has forgotten.
#[derive(Default)]
struct Wedged(Vec<Vec<u8>>);

impl Manners for Wedged {
    fn published(&mut self, session: usize, _: &str, payload: &[u8]) -> Vec<Result<Heard, Lost>> {
        self.0.push(payload.to_vec());
        if session == 0 { Vec::new() } else { vec![Ok(Heard::Taken), Ok(done(payload))] }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_takes_nothing_is_given_up_and_the_same_command_said_again() {
    let (mut stations, manners) = stations(Wedged::default());
    let began = Instant::now();
    assert_eq!(pressed(&mut stations).await.expect("pressed"), "pressed");
    assert!(began.elapsed() < Duration::from_secs(5), "within the station's own deadline");
    let said = manners.lock().expect("said").0.clone();
    assert_eq!(said.len(), 2);
    assert_eq!(said[0], said[1], "under the same identifier, so that it is done once");
}

/// A broker whose connection breaks after each message, acknowledged or not.
struct Breaking;

impl Manners for Breaking {
    fn published(&mut self, session: usize, _: &str, payload: &[u8]) -> Vec<Result<Heard, Lost>> {
        match session {
            0..2 => vec![Err(Lost::Broken("reset".to_owned()))],
            _ => vec![Ok(Heard::Taken), Ok(done(payload))],
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_acknowledged_before_the_line_broke_is_said_again() {
    let (mut stations, _) = stations(Breaking);
    assert_eq!(pressed(&mut stations).await.expect("pressed"), "pressed");
}

/// A station that takes a command and never answers.
#[derive(Default)]
struct Silent(usize);

impl Manners for Silent {
    fn published(&mut self, _: usize, _: &str, _: &[u8]) -> Vec<Result<Heard, Lost>> {
        self.0 += 1;
        vec![Ok(Heard::Taken)]
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_station_ends_in_clear_words_at_its_deadline_and_nothing_is_said_after_it() {
    let (mut stations, manners) = stations(Silent::default());
    let began = Instant::now();
    let error = pressed(&mut stations).await.expect_err("silent").to_string();
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert!(
        error.starts_with(
            "station bench did not acknowledge `press A` at the ESME within 5s; it is said to be online"
        ),
        "{error}"
    );
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(manners.lock().expect("said").0, 1);
}

/// A station that dies, as its will says, and comes back a second later without what it was told.
#[derive(Default)]
struct Dying(usize);

impl Manners for Dying {
    fn published(&mut self, _: usize, _: &str, payload: &[u8]) -> Vec<Result<Heard, Lost>> {
        self.0 += 1;
        match self.0 {
            1 => vec![Ok(Heard::Taken), Ok(online(false)), Ok(online(true))],
            _ => vec![Ok(Heard::Taken), Ok(done(payload))],
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_station_that_comes_back_is_told_again_what_it_missed() {
    let (mut stations, manners) = stations(Dying::default());
    assert_eq!(pressed(&mut stations).await.expect("pressed"), "pressed");
    assert_eq!(manners.lock().expect("said").0, 2);
}

/// A station that is gone and stays so.
struct Gone;

impl Manners for Gone {
    fn published(&mut self, _: usize, topic: &str, _: &[u8]) -> Vec<Result<Heard, Lost>> {
        panic!("said to a station that is not there: {topic}");
    }

    fn subscribed(&mut self, _: usize) -> Vec<Result<Heard, Lost>> {
        vec![Ok(Heard::Subscribed), Ok(online(false))]
    }
}

#[tokio::test(start_paused = true)]
async fn a_station_that_is_gone_is_known_and_told_nothing() {
    let (mut stations, _) = stations(Gone);
    let absent = stations.all_there(Duration::from_secs(1)).await.expect_err("absent").to_string();
    assert!(absent.starts_with("station bench is offline: nothing on rig-1/bench/status says"), "{absent}");
    let silent = pressed(&mut stations).await.expect_err("silent").to_string();
    assert!(silent.contains("it went offline"), "{silent}");
}

/// A broker that lets nobody in.
#[derive(Default)]
struct Closed(usize);

impl Manners for Closed {
    fn published(&mut self, _: usize, _: &str, _: &[u8]) -> Vec<Result<Heard, Lost>> {
        Vec::new()
    }

    fn connected(&mut self, _: usize) -> Result<(), Lost> {
        self.0 += 1;
        Err(Lost::Refused("bad user name or password".to_owned()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_said_at_once_and_not_tried_in_haste() {
    let (stations, manners) = stations(Closed::default());
    let began = Instant::now();
    let error = stations.all_there(Duration::from_secs(10)).await.expect_err("refused").to_string();
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(
        error.contains("bad user name or password; correct `user` and `password` under [broker]"),
        "{error}"
    );
    tokio::time::sleep(Duration::from_secs(35)).await;
    assert!(manners.lock().expect("tried").0 <= 5);
}

/// A broker that is not there.
#[derive(Default)]
struct Away(usize);

impl Manners for Away {
    fn published(&mut self, _: usize, _: &str, _: &[u8]) -> Vec<Result<Heard, Lost>> {
        Vec::new()
    }

    fn connected(&mut self, _: usize) -> Result<(), Lost> {
        self.0 += 1;
        Err(Lost::Broken("connection refused".to_owned()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_away_is_looked_for_with_growing_rests() {
    let (mut stations, manners) = stations(Away::default());
    let error = stations.all_there(Duration::from_secs(10)).await.expect_err("away").to_string();
    assert!(error.contains("was not reached within 10s: connection refused; check `url`"), "{error}");
    let tried = manners.lock().expect("tried").0;
    assert!((5..=12).contains(&tried), "{tried} times in ten seconds");
    assert!(
        pressed(&mut stations).await.expect_err("away").to_string().contains("no connection to the broker")
    );
}

/// A station that says nonsense, refuses, and acknowledges what nobody asked.
struct Odd;

impl Manners for Odd {
    fn published(&mut self, _: usize, _: &str, payload: &[u8]) -> Vec<Result<Heard, Lost>> {
        let id = Command::parse(payload).expect("a command").id;
        let topic = format!("{KEYS}/acknowledgement");
        let stranger =
            Acknowledgement { id: "other".parse().expect("an id"), outcome: Outcome::Done, detail: None };
        let refused =
            Acknowledgement { id, outcome: Outcome::Refused, detail: Some("the finger is stuck".to_owned()) };
        vec![
            Ok(message(&topic, b"\xFF\xFE".to_vec())),
            Ok(message(STATUS, b"{}".to_vec())),
            Ok(message("elsewhere", b"x".to_vec())),
            Ok(message(&topic, stranger.to_payload())),
            Ok(Heard::Taken),
            Ok(message(&topic, refused.to_payload())),
        ]
    }
}

#[tokio::test(start_paused = true)]
async fn nonsense_is_passed_over_and_a_refusal_is_said_in_the_stations_words() {
    let (mut stations, _) = stations(Odd);
    let error = pressed(&mut stations).await.expect_err("refused").to_string();
    assert_eq!(error, "station bench refuses to act on the ESME: the finger is stuck");
}

#[tokio::test(start_paused = true)]
async fn a_sensor_is_read_as_it_is_now_and_not_as_it_was_remembered() {
    let (stations, _) = stations(Silent::default());
    let none =
        stations.sense(DeviceKind::Esme, SensorKind::SupplyVoltage, Duration::from_secs(1), &NoMessageTap);
    let error = none.await.expect_err("nothing read yet").to_string();
    assert!(error.starts_with("station bench read no supply-voltage at the ESME"), "{error}");
    let reading = {
        let board = Arc::clone(&stations.board);
        let told = tokio::spawn(async move {
            let sensor = "rig-1/bench/ESME/supply-voltage";
            tokio::time::sleep(Duration::from_millis(200)).await;
            board.hear(sensor, b"240.1", true).expect("heard");
            tokio::time::sleep(Duration::from_millis(200)).await;
            board.hear(sensor, br#"{"value":0,"unit":"V"}"#, false).expect("heard");
        });
        let sensed = stations
            .sense(DeviceKind::Esme, SensorKind::SupplyVoltage, Duration::from_secs(5), &NoMessageTap)
            .await
            .expect("sensed");
        told.await.expect("told");
        sensed.reading
    };
    assert_eq!(reading.value, 0.0);
}
