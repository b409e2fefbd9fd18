//! How a serial line is set, and how long octets take on it.

use std::fmt;
use std::time::Duration;

use lab_config::{FlowControl, LinkUrl, Parity};

/// Character format and speed of a serial line. Always one stop bit: no meter port has more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Speed in baud.
    pub baud: u32,
    /// Data bits and parity.
    pub character: Character,
    /// Flow control.
    pub flow: FlowControl,
}

/// Data bits and parity of a serial character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Character {
    /// Eight data bits, no parity: HDLC.
    EightNone,
    /// Eight data bits, even parity.
    EightEven,
    /// Eight data bits, odd parity.
    EightOdd,
    /// Seven data bits, even parity: IEC 62056-21 sign-on.
    SevenEven,
    /// Seven data bits, odd parity.
    SevenOdd,
    /// Seven data bits and even parity on a port that only knows eight bits: the harness makes the parity bit, and the
    /// line cannot tell.
    SevenEvenInEight,
}

impl Line {
    /// 8N1 at `baud`, as HDLC runs.
    #[must_use]
    pub fn hdlc(baud: u32) -> Line {
        Line { baud, character: Character::EightNone, flow: FlowControl::None }
    }

    /// 7E1 at `baud`, as the IEC 62056-21 sign-on runs.
    #[must_use]
    pub fn sign_on(baud: u32) -> Line {
        Line { baud, character: Character::SevenEven, flow: FlowControl::None }
    }

    /// As a link URL has it begin.
    #[must_use]
    pub fn of(url: &LinkUrl) -> Line {
        let character = match (url.parity(), url.signs_on()) {
            (Parity::Even, _) => Character::SevenEven,
            (Parity::None, true) => Character::SevenEvenInEight,
            (Parity::None, false) => Character::EightNone,
        };
        Line { baud: url.baud(), character, flow: url.flow() }
    }

    /// The time `octets` take on the line, start and stop bits counted.
    #[must_use]
    pub fn transmission(&self, octets: usize) -> Duration {
        let bits = u64::try_from(octets).unwrap_or(u64::MAX).saturating_mul(self.character.bits());
        Duration::from_nanos(bits.saturating_mul(1_000_000_000) / u64::from(self.baud.max(1)))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let character = match self.character {
            Character::EightNone => "8N1",
            Character::EightEven => "8E1",
            Character::EightOdd => "8O1",
            Character::SevenEven => "7E1",
            Character::SevenOdd => "7O1",
            Character::SevenEvenInEight => "8N1 with the parity of 7E1",
        };
        write!(f, "{} baud {character}", self.baud)?;
        match self.flow {
            FlowControl::None => Ok(()),
            flow => write!(f, " {flow}"),
        }
    }
}

impl Character {
    /// Bits of one character on the line: start, data, parity and one stop bit.
    fn bits(self) -> u64 {
        match self {
            Character::EightNone
            | Character::SevenEven
            | Character::SevenOdd
            | Character::SevenEvenInEight => 10,
            Character::EightEven | Character::EightOdd => 11,
        }
    }

    /// What the port is given to make `octets` leave it in this format.
    pub(super) fn on_port(self, octets: &[u8]) -> std::borrow::Cow<'_, [u8]> {
        match self {
            Character::SevenEvenInEight => octets.iter().map(|octet| with_even_parity(*octet)).collect(),
            _ => octets.into(),
        }
    }
}

fn with_even_parity(octet: u8) -> u8 {
    let character = octet & 0x7F;
    if character.count_ones() % 2 == 1 { character | 0x80 } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_take_ten_bits_at_8n1_and_7e1_and_eleven_at_8e1() {
        assert_eq!(Line::hdlc(9600).transmission(960), Duration::from_secs(1));
        assert_eq!(Line::sign_on(300).transmission(30), Duration::from_secs(1));
        let with_parity = Line { character: Character::EightEven, ..Line::hdlc(1100) };
        assert_eq!(with_parity.transmission(100), Duration::from_secs(1));
    }

    #[test]
    fn parity_made_here_is_even() {
        let line = Character::SevenEvenInEight.on_port(b"/?!\r\n");
        assert_eq!(line.as_ref(), [0xAF, 0x3F, 0x21, 0x8D, 0x0A]);
        assert!(line.iter().all(|octet| octet.count_ones() % 2 == 0));
        assert_eq!(Character::EightNone.on_port(b"/?!").as_ref(), b"/?!");
    }
}
