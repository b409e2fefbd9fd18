//! Who a meter says it is: `/XXXZ\W identification CR LF` (IEC 62056-21, 6.3.2).

use std::fmt;

use thiserror::Error;

/// A speed of the exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Baud {
    /// 300 baud.
    B300,
    /// 600 baud.
    B600,
    /// 1200 baud.
    B1200,
    /// 2400 baud.
    B2400,
    /// 4800 baud.
    B4800,
    /// 9600 baud.
    B9600,
    /// 19200 baud.
    B19200,
}

const BAUDS: [(Baud, u8, u32); 7] = [
    (Baud::B300, b'0', 300),
    (Baud::B600, b'1', 600),
    (Baud::B1200, b'2', 1200),
    (Baud::B2400, b'3', 2400),
    (Baud::B4800, b'4', 4800),
    (Baud::B9600, b'5', 9600),
    (Baud::B19200, b'6', 19200),
];

impl Baud {
    /// Bits a second.
    pub fn rate(self) -> u32 {
        BAUDS.iter().find(|row| row.0 == self).map_or(300, |row| row.2)
    }

    /// The speed of so many bits a second, where the standard has it.
    pub fn from_rate(rate: u32) -> Option<Self> {
        BAUDS.iter().find(|row| row.2 == rate).map(|row| row.0)
    }

    /// The character that stands for it.
    pub(super) fn character(self) -> u8 {
        BAUDS.iter().find(|row| row.0 == self).map_or(b'0', |row| row.1)
    }

    pub(crate) fn from_character(character: u8) -> Option<Self> {
        BAUDS.iter().find(|row| row.1 == character).map(|row| row.0)
    }
}

impl fmt::Display for Baud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} baud", self.rate())
    }
}

/// Who a meter says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identification {
    /// Three letters of the manufacturer; a small third letter means it reacts in 20 ms rather than 200.
    pub manufacturer: [u8; 3],
    /// The fastest speed it offers.
    pub baud: Baud,
    /// Whether it says that it knows mode E. Some meters know it and do not say so.
    pub mode_e: bool,
    /// Its own words: printable ASCII, without escape sequences.
    pub text: String,
}

/// Why an identification cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentificationError {
    /// Too short, or not starting with `/` and three letters.
    #[error(
        "`{found}` is not an identification: expected /, three letters, a baud rate character and a text"
    )]
    Malformed {
        /// What was found, printable characters only.
        found: String,
    },
    /// The baud rate character is not one of mode C.
    #[error(
        "baud rate character `{found}` is not 0 to 6; the meter may speak mode A, B or D, which have no mode E"
    )]
    BaudRate {
        /// The character found.
        found: char,
    },
}

impl Identification {
    /// Whether the meter says, by a small third letter, that 20 ms are enough between a message and its answer, for it and
    /// for whoever answers it (IEC 62056-21, 6.3.2).
    pub const fn is_quick(&self) -> bool {
        self.manufacturer[2].is_ascii_lowercase()
    }

    /// The line as the meter sends it.
    pub fn encode(&self) -> Vec<u8> {
        let mut line = vec![b'/'];
        line.extend(self.manufacturer);
        line.push(self.baud.character());
        if self.mode_e {
            line.extend(b"\\2");
        }
        line.extend(self.text.bytes());
        line.extend(b"\r\n");
        line
    }

    /// Reads a line, with or without its line end. Lenient: letters of either case, blanks around it, and a meter that
    /// knows mode E and does not say so are all borne.
    ///
    /// # Errors
    /// A line that is no identification, or one without a speed of mode C.
    pub fn decode(line: &[u8]) -> Result<Self, IdentificationError> {
        let line = line.trim_ascii();
        let [b'/', a, b, c, baud, rest @ ..] = line else { return Err(malformed(line)) };
        let manufacturer = [*a, *b, *c];
        if !manufacturer.iter().all(u8::is_ascii_alphabetic) {
            return Err(malformed(line));
        }
        let error = IdentificationError::BaudRate { found: char::from(*baud) };
        let baud = Baud::from_character(*baud).ok_or(error)?;
        let (mode_e, rest) = escapes(rest);
        Ok(Self { manufacturer, baud, mode_e, text: printable(rest) })
    }
}

/// As the meter sends it, without the line end.
impl fmt::Display for Identification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(String::from_utf8_lossy(&self.encode()).trim_end())
    }
}

/// Takes the escape sequences off the front: a backslash and a character each, `\2` for mode E.
fn escapes(mut rest: &[u8]) -> (bool, &[u8]) {
    let mut mode_e = false;
    while let [b'\\', which, after @ ..] = rest {
        mode_e |= *which == b'2';
        rest = after;
    }
    (mode_e, rest)
}

fn printable(octets: &[u8]) -> String {
    octets.iter().filter(|octet| (0x20..0x7F).contains(*octet)).map(|octet| char::from(*octet)).collect()
}

fn malformed(line: &[u8]) -> IdentificationError {
    IdentificationError::Malformed { found: printable(line) }
}
