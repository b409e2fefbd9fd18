//! The embedded lab: simulated devices brought up in this process, on real pseudo-terminals and sockets.
//!
//! The only room that knows the simulator. It turns the `sim:` links of a lab into the links of running devices, and lends
//! the hand that presses their keys; from there on a simulated device is a device like any other. What such a device must
//! not lose, its invocation counters, is kept beside the harness's own: in `devices` of its state folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use device_sim::fault::{FaultError, FaultId, FaultPlan, Placed};
use device_sim::{Estate, Hand, HandError, Pressed, SimClock, StartError, StateFolder};
use lab_config::contents::Load;
use lab_config::{DeviceKind, FileError, Lab};
use scenarios::{Act, Action, Pack};

use crate::dispatch::{Answer, Hands};
use crate::execute::Trouble;

/// The seed of simulated loads: the same lab shows the same curves at the same time of day, run after run.
const SEED: u64 = 20;

/// The running simulated devices of a lab; none, for a lab that has none.
pub struct Embedded(Option<Estate>);

/// Starts the simulated devices of the lab's rigs, if `rig` has any, and gives the lab with the links they answer on.
///
/// # Errors
/// [`StartError`]: no pseudo-terminal, no port.
pub async fn bring_up(lab: Lab, rig: &str) -> Result<(Lab, Embedded), StartError> {
    if !lab.rig(rig).is_some_and(lab_config::Rig::is_simulated) {
        return Ok((lab, Embedded(None)));
    }
    let state = crate::driver::state_folder().map(|folder| StateFolder::at(folder.join("devices")));
    let estate = Estate::start_keeping(&lab, SimClock::real(), SEED, &state.unwrap_or_default()).await?;
    Ok((estate.concrete(lab), Embedded(Some(estate))))
}

/// The broker inside the program, which simulated stations meet at and dashboards may listen to. Dropped, it stops.
#[derive(Debug)]
pub struct EmbeddedBroker(device_sim::broker::Broker);

impl EmbeddedBroker {
    /// Starts it at this port of the loopback, any free one for port 0, for who logs in so.
    ///
    /// # Errors
    /// The port cannot be had.
    pub async fn start(port: u16, user: &str, password: &[u8]) -> std::io::Result<Self> {
        device_sim::broker::Broker::start(port, user, password).await.map(Self)
    }

    /// Where it listens.
    pub const fn address(&self) -> std::net::SocketAddr {
        self.0.address()
    }
}

/// Reads a fault file.
///
/// # Errors
/// What is wrong with it, and where.
pub fn fault_plan(file: &Path) -> Result<FaultPlan, FileError> {
    FaultPlan::load(file)
}

impl Embedded {
    /// No simulated devices.
    pub fn none() -> Self {
        Self(None)
    }

    /// Whoever presses keys on this rig: the simulator's hand for simulated devices, `person` for the others.
    pub fn hands(&self, rig: &str, person: Box<dyn Hands>) -> Box<dyn Hands> {
        let hand = |kind: &DeviceKind| Some((*kind, self.0.as_ref()?.hand(rig, *kind).ok()?));
        let hands = DeviceKind::ALL.iter().filter_map(hand).collect();
        Box::new(SimulatedHands { hands, person, armed: Vec::new() })
    }

    /// Arms the faults of a file, before anything is run.
    ///
    /// # Errors
    /// The fault no device of the lab can have, or that there are no simulated devices.
    pub fn arm(&self, plan: &FaultPlan) -> Result<(), String> {
        let Some(estate) = &self.0 else {
            return Err("the rig has no simulated devices to have faults".to_owned());
        };
        estate.arm_all(plan).map_err(|wrong| format!("{}: {}", wrong.0, wrong.1))
    }

    /// Stops the devices.
    pub async fn stop(self) {
        if let Some(estate) = self.0 {
            estate.stop().await;
        }
    }
}

struct SimulatedHands {
    hands: BTreeMap<DeviceKind, Hand>,
    person: Box<dyn Hands>,
    /// The faults that scripts brought about. Those of a fault file are not theirs to undo.
    armed: Vec<FaultId>,
}

impl Hands for SimulatedHands {
    fn ask<'a>(
        &'a mut self,
        device: DeviceKind,
        act: &'a Act,
        show: &'a str,
        within: Duration,
    ) -> Answer<'a> {
        match (self.hands.get(&device), act) {
            (Some(hand), Act::PressKeys(keys)) => {
                let pressed = hand.press_keys(&keys.concat()).map_err(trouble).map(words);
                Box::pin(async move { pressed })
            }
            (_, Act::Fault(text)) => match self.fault(text) {
                Err(trouble) => Box::pin(async move { Err(trouble) }),
                Ok(Some(said)) => Box::pin(async move { Ok(said) }),
                Ok(None) => self.person.ask(device, act, show, within),
            },
            (_, Act::ClearFaults) => match self.hands.values().next() {
                Some(hand) => {
                    let undone = self.armed.drain(..).filter(|id| hand.clear_fault(*id)).count();
                    let said = format!("{undone} faults undone");
                    Box::pin(async move { Ok(said) })
                }
                None => self.person.ask(device, act, show, within),
            },
            (Some(hand), Act::SwitchMains { on }) => {
                let words = if *on { "mains on" } else { "mains off" };
                let switched = hand.mains(*on).map(|()| words.to_owned()).map_err(trouble);
                Box::pin(async move { switched })
            }
            _ => self.person.ask(device, act, show, within),
        }
    }

    fn load(&mut self, loads: &[Load]) -> Result<Vec<Load>, String> {
        let simulated = |load: &Load| self.hands.contains_key(&load.device());
        let (here, left): (Vec<Load>, Vec<Load>) = loads.iter().cloned().partition(simulated);
        if let Some(hand) = self.hands.values().next().filter(|_| !here.is_empty()) {
            hand.load(&here).map_err(|error| error.to_string())?;
        }
        Ok(left)
    }

    fn tell(&mut self, words: &str) {
        self.person.tell(words);
    }
}

impl SimulatedHands {
    /// Brings a fault about at a simulated device; nothing said, where the device is a real one.
    fn fault(&mut self, text: &str) -> Result<Option<String>, Trouble> {
        let placed: Placed = text.parse().map_err(|e| Trouble::error(format!("fault {text:?}: {e}")))?;
        let Some(hand) = self.hands.get(&placed.device) else { return Ok(None) };
        let armed = hand.arm(&placed).map_err(|e: FaultError| Trouble::error(format!("{placed}: {e}")))?;
        self.armed.push(armed);
        Ok(Some(format!("fault {armed} armed: {placed}")))
    }
}

/// What is wrong with the faults that the scripts of a pack bring about: script, line, and why.
pub fn unsound_faults(pack: &Pack) -> Vec<String> {
    let steps = pack.scripts.iter().flat_map(|script| script.all_steps().map(move |step| (script, step)));
    steps
        .filter_map(|(script, step)| match &step.action {
            Action::Ask(ask) => match &ask.act {
                Act::Fault(text) => {
                    let error = text.parse::<Placed>().err()?;
                    Some(format!("{}/{}.toml:{}: fault {text:?}: {error}", pack.id, script.id, step.line))
                }
                _ => None,
            },
            _ => None,
        })
        .collect()
}

fn trouble(error: HandError) -> Trouble {
    Trouble::error(error.to_string())
}

/// What pressing came to. A key that nothing waits for is pressed all the same: the script finds out by looking.
fn words(pressed: Pressed) -> String {
    match pressed {
        Pressed::Nothing => "pressed; the device waited for no key",
        Pressed::Waiting => "pressed; the device waits for the other key",
        Pressed::SupplyOn => "pressed; the load switch closed",
    }
    .to_owned()
}
