//! The person at the terminal, asked to do what only a hand can do.

use std::io::BufRead as _;
use std::time::Duration;

use lab_config::DeviceKind;
use scenarios::Act;
use tokio::sync::mpsc;

use super::say::complain;
use crate::dispatch::{Answer, Hands};
use crate::execute::Trouble;

/// Lines typed ahead that are kept; what is typed before a question is thrown away when it is asked.
const LINES: usize = 64;

/// The person at the terminal. Where nobody sits at one, asking is inconclusive: it cannot be told what the device would do.
///
/// One thread reads the terminal for as long as the program runs, so that no abandoned question swallows the answer to
/// the next.
#[derive(Debug, Default)]
pub(super) struct Person {
    lines: Option<mpsc::Receiver<String>>,
}

impl Hands for Person {
    fn tell(&mut self, words: &str) {
        complain!("{words}\n");
    }

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
            let lines = self.lines.get_or_insert_with(read_terminal);
            // Typed before the question was asked: it answers nothing.
            while lines.try_recv().is_ok() {}
            let how = match act {
                Act::PressKeys(_) | Act::SwitchMains { .. } | Act::Fault(_) | Act::ClearFaults => {
                    "press Enter when it is done, or write why it could not be"
                }
                Act::Confirm => "write yes or no",
            };
            complain!("\n  at the {device}: {show}\n  ({how}; {} s)\n", within.as_secs());
            match tokio::time::timeout(within, lines.recv()).await {
                Err(_) => {
                    Err(Trouble::inconclusive(format!("nobody answered within {} s", within.as_secs())))
                }
                Ok(None) => Err(Trouble::inconclusive("the terminal was closed")),
                Ok(Some(line)) => judge(act, &line.trim().to_ascii_lowercase()),
            }
        })
    }
}

fn judge(act: &Act, said: &str) -> Result<String, Trouble> {
    match act {
        Act::PressKeys(_) | Act::SwitchMains { .. } | Act::Fault(_) | Act::ClearFaults if said.is_empty() => {
            Ok("done".to_owned())
        }
        Act::PressKeys(_) | Act::SwitchMains { .. } | Act::Fault(_) | Act::ClearFaults => {
            Err(Trouble::inconclusive(format!("the person at the rig says: {said}")))
        }
        Act::Confirm if said == "yes" || said == "no" => Ok(said.to_owned()),
        Act::Confirm => Err(Trouble::inconclusive(format!("found the answer {said:?}, expected yes or no"))),
    }
}

/// The lines of the terminal, as they are typed. The thread ends with the program, or when the terminal does.
fn read_terminal() -> mpsc::Receiver<String> {
    let (send, lines) = mpsc::channel(LINES);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            // Nobody asks, and many lines wait already: this one answers nothing.
            if let Err(mpsc::error::TrySendError::Closed(_)) = send.try_send(line) {
                return;
            }
        }
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_means_done_and_anything_else_is_said_by_the_person() {
        let keys = Act::PressKeys(vec!["A".into(), "B".into()]);
        assert_eq!(judge(&keys, "").expect("done"), "done");
        assert!(judge(&keys, "key b is stuck").expect_err("not done").reason.contains("key b is stuck"));
        assert_eq!(judge(&Act::Confirm, "no").expect("an answer"), "no");
        assert!(judge(&Act::Confirm, "").is_err());
    }
}
