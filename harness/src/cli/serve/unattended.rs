//! Nobody: the controller has no terminal at which a person could be asked.

use std::time::Duration;

use lab_config::DeviceKind;
use scenarios::Act;

use crate::dispatch::{Answer, Hands};
use crate::execute::Trouble;

/// Whoever would be asked to do by hand what no station and no simulator does. Nobody is, so what a step asks of them is
/// inconclusive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unattended;

impl Hands for Unattended {
    fn ask<'a>(&'a mut self, device: DeviceKind, _: &'a Act, show: &'a str, _: Duration) -> Answer<'a> {
        let nobody =
            format!("nobody is asked by the controller, at the {device}: {show}; run it with `harness run`");
        Box::pin(async move { Err(Trouble::inconclusive(nobody)) })
    }
}
