//! What a wire fault makes of one frame.

use std::time::Duration;

use super::WireFault;
use super::dice::Dice;
use super::misread::misread;

/// A frame on its way out, as far as the faults have got with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fate {
    /// What comes, each so much later.
    pub(super) pieces: Vec<Piece>,
    /// It waits for its successor.
    pub(super) held: bool,
    /// The device restarts once what there is has come.
    pub(super) reset: bool,
}

/// Octets that come together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) after: Duration,
    pub(super) octets: Vec<u8>,
}

impl Fate {
    pub(super) fn of(octets: Vec<u8>) -> Self {
        Self { pieces: vec![Piece { after: Duration::ZERO, octets }], held: false, reset: false }
    }

    /// Lets a fault strike.
    pub(super) fn strike(&mut self, fault: &WireFault, dice: &mut Dice) {
        match fault {
            WireFault::Silence => self.pieces.clear(),
            WireFault::Delay(time) => self.pieces.iter_mut().for_each(|piece| piece.after += *time),
            WireFault::Duplicate => {
                let again = self.pieces.clone();
                self.pieces.extend(again);
            }
            WireFault::Reorder => self.held = true,
            WireFault::Reset { after } => {
                self.each(|octets| octets.truncate(usize::from(*after)));
                self.reset = true;
            }
            other => self.each(|octets| spoil(octets, other, dice)),
        }
        self.pieces.retain(|piece| !piece.octets.is_empty());
    }

    fn each(&mut self, mut change: impl FnMut(&mut Vec<u8>)) {
        self.pieces.iter_mut().for_each(|piece| change(&mut piece.octets));
    }
}

/// The faults that change octets in their place.
fn spoil(octets: &mut Vec<u8>, fault: &WireFault, dice: &mut Dice) {
    match fault {
        WireFault::Noise { octets: count, inside } => {
            let at = if *inside { octets.len() / 2 } else { 0 };
            octets.splice(at..at, dice.octets(*count));
        }
        WireFault::BitErrors { one_in } => {
            for octet in octets.iter_mut() {
                *octet ^= (0..8).fold(0, |errors, bit| errors | u8::from(dice.one_in(*one_in)) << bit);
            }
        }
        WireFault::BitError { octet, bit } => {
            octets.get_mut(usize::from(*octet)).into_iter().for_each(|octet| *octet ^= 1 << (bit & 7));
        }
        WireFault::Truncate { after } => octets.truncate(usize::from(*after)),
        WireFault::WrongSpeed { sent, read } => *octets = misread(octets, *sent, *read),
        WireFault::WrongChecksum => wrong_checksum(octets),
        WireFault::Silence
        | WireFault::Delay(_)
        | WireFault::Duplicate
        | WireFault::Reorder
        | WireFault::Reset { .. } => {}
    }
}

/// The flag around an HDLC frame.
const FLAG: u8 = 0x7e;

/// The last octet of the frame check sequence, before the closing flag, is another. What is no HDLC frame has none.
fn wrong_checksum(octets: &mut [u8]) {
    if let [FLAG, .., last, FLAG] = octets {
        *last ^= 0x55;
    }
}
