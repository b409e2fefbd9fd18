//! What a test bench has done to a device and notes of it. Nothing of this is on any wire.

use lab_config::cosem::Obis;

use super::misbehaviour::Misbehaviour;

/// Notes kept until somebody takes them; one exchange asks for far fewer.
const NOTES: usize = 64;

/// The bench's side of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bench {
    /// Its memory is full: it refuses what it would have to store, and logs nothing.
    pub memory_full: bool,
    /// A firmware image it is given does not verify.
    pub bad_image: bool,
    /// What it does wrongly.
    pub misbehaviour: Misbehaviour,
    asked: Vec<(Obis, i8)>,
}

impl Bench {
    /// Somebody asks for an attribute or a method of an object.
    pub fn note(&mut self, obis: Obis, number: i8) {
        if self.asked.len() < NOTES {
            self.asked.push((obis, number));
        }
    }

    /// What was asked for since this was last called.
    pub fn take_asked(&mut self) -> Vec<(Obis, i8)> {
        std::mem::take(&mut self.asked)
    }
}
