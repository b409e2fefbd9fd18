//! The mode C read-out: `STX data sets ! CR LF ETX BCC` (IEC 62056-21, 6.3.3 and 6.6).

use std::fmt;

use thiserror::Error;

const START: u8 = 0x02;
const END: u8 = 0x03;
/// Asks for the block again.
pub(super) const REPEAT: u8 = 0x15;

/// Characters of a read-out at most; the longest seen on real meters have some ten thousand.
const MOST_CHARACTERS: usize = 1 << 16;
/// Noise before the block at most: a meter that has not begun by then is not going to.
const MOST_NOISE: usize = 1 << 12;

/// What a meter reads out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOut {
    /// In the order the meter sends them.
    pub data_sets: Vec<DataSet>,
}

/// One data set: `address(value*unit)(value*unit)…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// What it is, such as `1-0:1.8.0` or `1.8.0`; empty where the meter sends none.
    pub address: String,
    /// Its values, mostly one.
    pub values: Vec<Value>,
}

/// A value with its unit, as the meter writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The digits, or whatever the meter puts there.
    pub text: String,
    /// The unit, where there is one.
    pub unit: Option<String>,
}

/// Why characters are no read-out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadOutError {
    /// The block check character does not match.
    #[error(
        "the read-out's block check character is {found:02X}, computed {computed:02X}: noise on the line"
    )]
    Check {
        /// What the meter sent.
        found: u8,
        /// What its characters call for.
        computed: u8,
    },
    /// It never begins, or never ends.
    #[error(
        "{characters} characters came and made no read-out: expected STX, data sets, ETX and a check character"
    )]
    Endless {
        /// Characters received.
        characters: usize,
    },
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        self.unit.iter().try_for_each(|unit| write!(f, " {unit}"))
    }
}

impl ReadOut {
    /// The block as a meter sends it. Characters that would end a value are left out of it.
    pub fn encode(&self) -> Vec<u8> {
        let mut block = vec![START];
        for set in &self.data_sets {
            block.extend(set.address.bytes().filter(|octet| is_plain(*octet)));
            for value in &set.values {
                block.push(b'(');
                block.extend(value.text.bytes().filter(|octet| is_plain(*octet) && *octet != b'*'));
                if let Some(unit) = &value.unit {
                    block.push(b'*');
                    block.extend(unit.bytes().filter(|octet| is_plain(*octet)));
                }
                block.push(b')');
            }
            block.extend(b"\r\n");
        }
        block.extend(b"!\r\n");
        block.push(END);
        block.push(check(&block[1..]));
        block
    }

    /// Reads what stands between STX and ETX. Lenient: data sets may share a line or be spread over several, and what is no
    /// data set is passed over.
    pub fn parse(characters: &[u8]) -> Self {
        let mut read_out = Self::default();
        let mut rest = characters;
        let mut gap = true;
        while let Some(open) = rest.iter().position(|character| *character == b'(') {
            let address = last_line(&rest[..open]);
            let Some(close) = rest[open..].iter().position(|character| *character == b')') else { break };
            let value = value(&rest[open + 1..open + close]);
            match read_out.data_sets.last_mut() {
                Some(set) if address.is_empty() && !gap => set.values.push(value),
                _ => read_out.data_sets.push(DataSet { address, values: vec![value] }),
            }
            rest = &rest[open + close + 1..];
            gap = rest.starts_with(b"\r") || rest.starts_with(b"\n");
        }
        read_out
    }
}

/// What stands after the last line end, printable characters only.
fn last_line(characters: &[u8]) -> String {
    let start = characters.iter().rposition(|character| matches!(character, b'\r' | b'\n'));
    text(&characters[start.map_or(0, |end| end + 1)..])
}

fn value(characters: &[u8]) -> Value {
    match characters.iter().position(|character| *character == b'*') {
        Some(star) => Value { text: text(&characters[..star]), unit: Some(text(&characters[star + 1..])) },
        None => Value { text: text(characters), unit: None },
    }
}

fn text(characters: &[u8]) -> String {
    let printable = characters.iter().filter(|character| (0x20..0x7F).contains(*character));
    printable.map(|character| char::from(*character)).collect::<String>().trim().to_owned()
}

fn is_plain(octet: u8) -> bool {
    (0x20..0x7F).contains(&octet) && !matches!(octet, b'(' | b')' | b'/' | b'!')
}

/// All characters after STX, ETX included, by exclusive or (IEC 1155, 6.6.4).
fn check(characters: &[u8]) -> u8 {
    characters.iter().fold(0, |check, character| check ^ (character & 0x7F))
}

/// Gathers a read-out as it comes.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    /// From STX on; empty before it.
    block: Vec<u8>,
    noise: usize,
}

impl Gathering {
    /// Takes a character without its parity; the outcome once there is one.
    pub(super) fn take(&mut self, character: u8) -> Option<Result<ReadOut, ReadOutError>> {
        if self.block.is_empty() {
            self.noise += usize::from(character != START);
            if character == START {
                self.block.push(character);
            }
            return (self.noise > MOST_NOISE)
                .then_some(Err(ReadOutError::Endless { characters: self.noise }));
        }
        if self.block.last() == Some(&END) {
            let (computed, block) = (check(&self.block[1..]), std::mem::take(&mut self.block));
            return Some(match character == computed {
                true => Ok(ReadOut::parse(&block[1..block.len() - 1])),
                false => Err(ReadOutError::Check { found: character, computed }),
            });
        }
        self.block.push(character);
        let characters = self.block.len();
        (characters > MOST_CHARACTERS).then_some(Err(ReadOutError::Endless { characters }))
    }

    /// Whether the block has begun.
    pub(super) fn has_begun(&self) -> bool {
        !self.block.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(address: &str, values: &[(&str, Option<&str>)]) -> DataSet {
        let value = |(text, unit): &(&str, Option<&str>)| Value {
            text: (*text).to_owned(),
            unit: unit.map(str::to_owned),
        };
        DataSet { address: address.to_owned(), values: values.iter().map(value).collect() }
    }

    fn gather(characters: &[u8]) -> Option<Result<ReadOut, ReadOutError>> {
        let mut gathering = Gathering::default();
        characters.iter().find_map(|character| gathering.take(*character & 0x7F))
    }

    /// A read-out as meters of several makers send it. If this fails, do not change the test.
    #[test]
    fn golden_block() {
        let block = b"\x02F.F(00)\r\n0.0.0(12345678)\r\n1.8.0(000123.456*kWh)\r\n1.6.1(00.123*kW)(2611220030)\r\n!\r\n\x03";
        let read_out = ReadOut::parse(&block[1..block.len() - 1]);
        assert_eq!(
            read_out.data_sets,
            [
                set("F.F", &[("00", None)]),
                set("0.0.0", &[("12345678", None)]),
                set("1.8.0", &[("000123.456", Some("kWh"))]),
                set("1.6.1", &[("00.123", Some("kW")), ("2611220030", None)]),
            ]
        );
        assert_eq!(read_out.encode()[..block.len()], block[..]);
        assert_eq!(gather(&read_out.encode()), Some(Ok(read_out)));
    }

    #[test]
    fn several_sets_on_a_line_sets_without_address_and_stray_characters_are_borne() {
        let read_out = ReadOut::parse(b"\0 1.8.1( 12*kWh )1.8.2(34)\r\n(56)\r\nnonsense\r\n!");
        assert_eq!(
            read_out.data_sets,
            [set("1.8.1", &[("12", Some("kWh"))]), set("1.8.2", &[("34", None)]), set("", &[("56", None)])]
        );
        assert_eq!(ReadOut::parse(b"1.8.0(12"), ReadOut::default());
    }

    #[test]
    fn a_spoilt_block_and_one_that_never_begins_are_said_to_be_so() {
        let mut block = ReadOut { data_sets: vec![set("1.8.0", &[("1", None)])] }.encode();
        let last = block.len() - 1;
        block[last] ^= 1;
        assert!(matches!(gather(&block), Some(Err(ReadOutError::Check { .. }))));
        assert_eq!(gather(&[0x55; MOST_NOISE]), None);
        let endless = gather(&[0x55; MOST_NOISE + 1]);
        assert_eq!(endless, Some(Err(ReadOutError::Endless { characters: MOST_NOISE + 1 })));
        assert!(matches!(gather(&[&[START][..], &[b'1'; MOST_CHARACTERS]].concat()), Some(Err(_))));
    }

    proptest! {
        #[test]
        fn read_outs_round_trip(sets in proptest::collection::vec(
            ("[0-9A-F.:-]{1,12}", proptest::collection::vec(("[0-9A-Z.]{0,12}", proptest::option::of("[A-Za-z]{1,5}")), 1..4)), 0..8)
        ) {
            let data_sets = sets.into_iter().map(|(address, values)| DataSet {
                address,
                values: values.into_iter().map(|(text, unit)| Value { text, unit }).collect(),
            }).collect();
            let read_out = ReadOut { data_sets };
            prop_assert_eq!(gather(&read_out.encode()), Some(Ok(read_out)));
        }

        #[test]
        fn no_characters_panic(characters in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = ReadOut::parse(&characters);
            let _ = gather(&[&[START], characters.as_slice()].concat());
        }
    }
}
