//! A person's hand at the rig, or an actuator in its place: the only way besides the wire to change a device.

use std::pin::Pin;
use std::time::Duration;

use lab_config::DeviceKind;
use scenarios::{Act, Load};

use crate::execute::Trouble;

/// What came of asking: what the hand did or answered, in words.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<String, Trouble>> + Send + 'a>>;

/// Somebody or something that can be asked to do what only a hand can do.
pub trait Hands: Send + Sync {
    /// Asks; `show` is the text for a person. Whoever is asked may take as long as `within`.
    fn ask<'a>(&'a mut self, device: DeviceKind, act: &'a Act, show: &'a str, within: Duration)
    -> Answer<'a>;

    /// Loads a part of a test data set into a device that has a bench's hand in it; nothing, where it has none.
    fn load(&mut self, _: &Load) -> Option<Result<(), String>> {
        None
    }
}
