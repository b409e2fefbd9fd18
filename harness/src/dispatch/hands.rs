//! A person's hand at the rig, or an actuator in its place: the only way besides the wire to change a device.

use std::pin::Pin;
use std::time::Duration;

use lab_config::DeviceKind;
use lab_config::contents::Load;
use scenarios::Act;

use crate::execute::Trouble;

/// What came of asking: what the hand did or answered, in words.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<String, Trouble>> + Send + 'a>>;

/// Somebody or something that can be asked to do what only a hand can do.
pub trait Hands: Send + Sync {
    /// Asks; `show` is the text for a person. Whoever is asked may take as long as `within`.
    fn ask<'a>(&'a mut self, device: DeviceKind, act: &'a Act, show: &'a str, within: Duration)
    -> Answer<'a>;

    /// Loads what a test data set says into the devices that have a bench's hand in them: all of it, or nothing. What it
    /// gives back is of devices that have none.
    ///
    /// # Errors
    /// What a device has no room for, in words.
    fn load(&mut self, loads: &[Load]) -> Result<Vec<Load>, String> {
        Ok(loads.to_vec())
    }

    /// Tells whoever is at the rig something that needs no answer.
    fn tell(&mut self, _: &str) {}
}
