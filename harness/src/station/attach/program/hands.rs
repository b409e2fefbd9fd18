//! What a station's actuators do: signals sent to a pin, a relay board or a supply, one thing after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use lab_config::{Does, OfferedActuator, Signal, Switch, Topic, Wiring};
use proto_lab::attach::{Channel, Fault, FaultKind, PartName, Token};
use proto_lab::station::{Deed, Mains};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::link::{Line, Link, LinkAddress, NoTap, Target};

/// Tasks that may wait.
const TASKS: usize = 64;
/// How long one actuator may take when a rig is made safe, and how often it is tried.
const SAFE: Duration = Duration::from_secs(5);
const SAFE_TRIES: u32 = 3;

/// Something to be done.
#[derive(Debug)]
pub(super) enum Task {
    /// One act, asked for on a channel.
    Act { channel: Channel, name: Topic, deed: Deed, until: Instant },
    /// The station's part of a rig is brought to its safe state.
    Safe { rig: PartName, token: Token, cause: String, asked: Option<Channel> },
}

/// What came of a task.
#[derive(Debug)]
pub(super) enum Told {
    Acted {
        channel: Channel,
        result: Result<String, Fault>,
    },
    Safe {
        rig: PartName,
        token: Token,
        cause: String,
        asked: Option<Channel>,
        result: Result<String, String>,
    },
}

/// What was given to the task that has the actuators.
#[derive(Debug)]
pub(super) struct Deeds {
    tasks: mpsc::Sender<Task>,
    under_way: usize,
}

impl Deeds {
    pub(super) fn start(actuators: BTreeMap<Topic, OfferedActuator>, told: mpsc::Sender<Told>) -> Self {
        let (tasks, mut waiting) = mpsc::channel::<Task>(TASKS);
        tokio::spawn(async move {
            while let Some(task) = waiting.recv().await {
                if told.send(carry_out(&actuators, task).await).await.is_err() {
                    return;
                }
            }
        });
        Self { tasks, under_way: 0 }
    }

    /// Begins a task; whether there is room for it.
    pub(super) fn begin(&mut self, task: Task) -> bool {
        let begun = self.tasks.try_send(task).is_ok();
        self.under_way += usize::from(begun);
        begun
    }

    pub(super) fn ended(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    pub(super) fn under_way(&self) -> bool {
        self.under_way > 0
    }
}

async fn carry_out(actuators: &BTreeMap<Topic, OfferedActuator>, task: Task) -> Told {
    match task {
        Task::Act { channel, name, deed, until } => {
            let result = match actuators.get(&name) {
                Some(actuator) => act(actuator, &deed, until).await,
                None => Err(Fault::new(FaultKind::CannotOpen, format!("no actuator {name}"))),
            };
            Told::Acted { channel, result }
        }
        Task::Safe { rig, token, cause, asked } => {
            let of_rig = actuators.iter().filter(|(_, actuator)| actuator.rig.as_str() == rig.as_str());
            let (mut done, mut stuck) = (vec!["ports closed".to_owned()], Vec::new());
            for (name, actuator) in of_rig {
                match safe(actuator).await {
                    Ok(words) => done.push(format!("{name}: {words}")),
                    Err(fault) => stuck.push(format!("{name}: {fault}")),
                }
            }
            let result = if stuck.is_empty() { Ok(done.join(", ")) } else { Err(stuck.join("; ")) };
            Told::Safe { rig, token, cause, asked, result }
        }
    }
}

/// What an actuator is, for people.
pub(super) fn in_words(actuator: &OfferedActuator) -> String {
    let does = match &actuator.does {
        Does::Mains { .. } => "mains relay",
        Does::Keys { .. } => "keys",
    };
    let at = match &actuator.wiring {
        Wiring::File(path) => format!("file {}", path.display()),
        Wiring::Serial { path, .. } => format!("serial {}", path.as_str()),
        Wiring::Tcp(address) => format!("tcp {address}"),
    };
    format!("{does} at {at}")
}

async fn act(actuator: &OfferedActuator, deed: &Deed, until: Instant) -> Result<String, Fault> {
    match (deed, &actuator.does) {
        (Deed::Mains(Mains::On), Does::Mains { on, .. }) => signal(actuator, on, until).await?,
        (Deed::Mains(Mains::Off), Does::Mains { off, .. }) => signal(actuator, off, until).await?,
        (Deed::Press(names), Does::Keys { keys, press }) => {
            let key = |name: &String| {
                let unknown = || Fault::new(FaultKind::Setting, format!("there is no key {name:?} here"));
                keys.get(name).ok_or_else(unknown)
            };
            let pressed: Vec<_> = names.names().iter().map(key).collect::<Result<_, _>>()?;
            let mut down = Ok(());
            for key in &pressed {
                down = down.and(signal(actuator, &key.down, until).await);
            }
            tokio::time::sleep(*press).await;
            // Whatever became of pushing them: none stays down.
            let mut up = Ok(());
            for key in &pressed {
                up = up.and(signal(actuator, &key.up, until.max(Instant::now() + SAFE)).await);
            }
            down.and(up)?;
        }
        _ => return Err(Fault::new(FaultKind::Setting, format!("{deed} is not what this actuator does"))),
    }
    Ok(deed.to_string())
}

/// Mains as declared, keys released; tried again where it fails, for nobody else is there to do it.
async fn safe(actuator: &OfferedActuator) -> Result<String, Fault> {
    let (signals, words): (Vec<&Signal>, &str) = match &actuator.does {
        Does::Mains { on, safe: Some(Switch::On), .. } => (vec![on], "mains on"),
        Does::Mains { off, safe: Some(Switch::Off), .. } => (vec![off], "mains off"),
        Does::Mains { safe: None, .. } => {
            return Ok("left as it is, for no safe state is declared".to_owned());
        }
        Does::Keys { keys, .. } => (keys.values().map(|key| &key.up).collect(), "keys released"),
    };
    for each in signals {
        let mut tries = 1;
        while let Err(fault) = signal(actuator, each, Instant::now() + SAFE).await {
            if tries == SAFE_TRIES {
                return Err(fault);
            }
            tries += 1;
        }
    }
    Ok(words.to_owned())
}

/// Sends a signal, and waits for what must come back.
async fn signal(actuator: &OfferedActuator, signal: &Signal, until: Instant) -> Result<(), Fault> {
    let failed = |found: String| Fault::new(FaultKind::NoAnswer, format!("{}: {found}", in_words(actuator)));
    let target = match &actuator.wiring {
        Wiring::File(path) => {
            let written = timeout_at(until, tokio::fs::write(path, &signal.0)).await;
            return match written {
                Ok(written) => written.map_err(|error| failed(error.to_string())),
                Err(_) => Err(failed("it takes nothing".to_owned())),
            };
        }
        Wiring::Serial { path, baud } => {
            Target::Serial { path: path.as_str().to_owned(), line: Line::hdlc(*baud) }
        }
        Wiring::Tcp(address) => Target::Tcp { host: address.host().to_owned(), port: address.port() },
    };
    let address = LinkAddress { name: "actuator".to_owned(), url: in_words(actuator), target };
    let sent = async {
        let limit = until.saturating_duration_since(Instant::now());
        let mut link = address.open(NoTap::shared(), limit).await?;
        link.send(&signal.0, until).await?;
        match &actuator.answer {
            Some(answer) => answered(&mut link, answer, until).await,
            None => Ok(()),
        }
    };
    sent.await.map_err(|error: crate::link::LinkError| failed(error.found))
}

/// Waits until the answer has come among whatever comes.
async fn answered(link: &mut Link, answer: &Signal, until: Instant) -> Result<(), crate::link::LinkError> {
    let mut come: Vec<u8> = Vec::new();
    loop {
        come.extend_from_slice(link.receive("the actuator's answer", until).await?);
        if come.windows(answer.0.len()).any(|window| window == answer.0) {
            return Ok(());
        }
        let kept = come.len().saturating_sub(answer.0.len());
        come.drain(..kept);
    }
}
