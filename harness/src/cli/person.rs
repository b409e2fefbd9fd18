//! The person at the terminal, asked to do what only a hand can do.

use std::time::Duration;

use lab_config::DeviceKind;
use scenarios::Act;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::say::complain;
use crate::dispatch::{Answer, Hands};
use crate::execute::Trouble;

/// The person at the terminal. Where nobody sits at one, asking is inconclusive: it cannot be told what the device would do.
#[derive(Debug, Default)]
pub(super) struct Person;

impl Hands for Person {
    fn ask<'a>(
        &'a mut self,
        device: DeviceKind,
        act: &'a Act,
        show: &'a str,
        within: Duration,
    ) -> Answer<'a> {
        Box::pin(async move {
            if !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
                return Err(Trouble::inconclusive(format!("nobody is at a terminal to be asked: {show}")));
            }
            let how = match act {
                Act::PressKeys(_) => "press Enter when it is done, or write why it could not be",
                Act::Confirm => "write yes or no",
            };
            complain!("\n  at the {device}: {show}\n  ({how}; {} s)\n", within.as_secs());
            answer(act, within).await
        })
    }
}

async fn answer(act: &Act, within: Duration) -> Result<String, Trouble> {
    let mut line = String::new();
    let mut terminal = BufReader::new(tokio::io::stdin());
    let read = tokio::time::timeout(within, terminal.read_line(&mut line)).await;
    let said = line.trim().to_ascii_lowercase();
    match (read, act) {
        (Err(_), _) => Err(Trouble::inconclusive(format!("nobody answered within {} s", within.as_secs()))),
        (Ok(Err(error)), _) => Err(Trouble::inconclusive(format!("the terminal cannot be read: {error}"))),
        (Ok(Ok(0)), _) => Err(Trouble::inconclusive("the terminal was closed")),
        (_, Act::PressKeys(_)) if said.is_empty() => Ok("done".to_owned()),
        (_, Act::PressKeys(_)) => Err(Trouble::inconclusive(format!("the person at the rig says: {said}"))),
        (_, Act::Confirm) if said == "yes" || said == "no" => Ok(said),
        (_, Act::Confirm) => {
            Err(Trouble::inconclusive(format!("found the answer {said:?}, expected yes or no")))
        }
    }
}
