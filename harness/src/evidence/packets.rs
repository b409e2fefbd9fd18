//! Reading captures back: the packets of a pcapng file, each with its link, direction, time and comment.
//!
//! Reads what [`Capture`](super::Capture) writes, and what other programs write in the same form: either byte order, any
//! resolution of time, several sections. A capture whose end is torn off, as a killed controller leaves it, gives the
//! packets before the tear.

use jiff::Timestamp;
use thiserror::Error;

use crate::link::Direction;

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1A2B_3C4D;
const LITTLE: [u8; 4] = BYTE_ORDER.to_le_bytes();
const BIG: [u8; 4] = BYTE_ORDER.to_be_bytes();

/// One packet of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Its number in the file, counted from 1 as packet viewers do.
    pub number: u64,
    /// Name of the link, or its number where it has none.
    pub link: String,
    /// The link's type number (LINKTYPE).
    pub link_type: u16,
    /// When it was seen; none for a time beyond any calendar.
    pub at: Option<Timestamp>,
    /// Which way it went, where the capture says.
    pub direction: Option<Direction>,
    /// The comment, where there is one.
    pub note: Option<String>,
    /// Its octets.
    pub octets: Vec<u8>,
}

impl Packet {
    /// Whether the harness sent it, where the capture says so.
    pub fn is_sent(&self) -> Option<bool> {
        self.direction.map(|direction| direction == Direction::Sent)
    }
}

/// What a capture holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packets {
    /// The packets, in the order of the file.
    pub packets: Vec<Packet>,
    /// The file ends within a block.
    pub torn: bool,
}

/// Why octets are not a capture.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CaptureFault {
    /// Not pcapng at all.
    #[error("offset 0: found {found}, expected 0A0D0D0A, with which a pcapng file begins")]
    NotPcapng {
        /// The first octets.
        found: String,
    },
    /// A block that is not as the format has it.
    #[error("offset {at}: {what}")]
    Block {
        /// Offset of the block.
        at: usize,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// Whether a file that begins so is a pcapng capture.
#[must_use]
pub fn is_pcapng(octets: &[u8]) -> bool {
    octets.starts_with(&SECTION.to_be_bytes())
}

/// Reads a capture.
///
/// # Errors
/// Octets that are no pcapng file, or one whose blocks are broken before its end.
pub fn read_packets(octets: &[u8]) -> Result<Packets, CaptureFault> {
    if !is_pcapng(octets) {
        let found = octets.iter().take(4).map(|octet| format!("{octet:02X}")).collect();
        return Err(CaptureFault::NotPcapng { found });
    }
    let mut section = Section::default();
    let mut read = Packets::default();
    let mut at = 0;
    while at < octets.len() {
        let rest = octets.get(at..).unwrap_or_default();
        let Some((kind, body, length)) = block(rest, at, &mut section)? else {
            read.torn = true;
            break;
        };
        match kind {
            INTERFACE => section.interfaces.push(interface(body, &section, at)?),
            PACKET => {
                let number = read.packets.len() as u64 + 1;
                read.packets.push(packet(body, &section, at, number)?);
            }
            _ => {}
        }
        at += length;
    }
    Ok(read)
}

#[derive(Debug, Default)]
struct Section {
    is_big: bool,
    interfaces: Vec<Interface>,
}

#[derive(Debug, Clone)]
struct Interface {
    name: Option<String>,
    link_type: u16,
    /// Parts of a second that times count.
    per_second: u128,
}

impl Section {
    fn u16(&self, octets: &[u8], at: usize) -> Option<u16> {
        let octets = <[u8; 2]>::try_from(octets.get(at..at.checked_add(2)?)?).ok()?;
        Some(if self.is_big { u16::from_be_bytes(octets) } else { u16::from_le_bytes(octets) })
    }

    fn u32(&self, octets: &[u8], at: usize) -> Option<u32> {
        let octets = <[u8; 4]>::try_from(octets.get(at..at.checked_add(4)?)?).ok()?;
        Some(if self.is_big { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) })
    }

    /// The options of a block, as code and value.
    fn options<'a>(&self, mut octets: &'a [u8]) -> Vec<(u16, &'a [u8])> {
        let mut options = Vec::new();
        while let (Some(code), Some(length)) = (self.u16(octets, 0), self.u16(octets, 2)) {
            let length = usize::from(length);
            let Some(value) = octets.get(4..4 + length).filter(|_| code != 0) else { break };
            options.push((code, value));
            octets = octets.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        }
        options
    }
}

/// Kind, body, whole length in octets.
type Block<'a> = (u32, &'a [u8], usize);

/// The block at the start of `octets`; `None` where the file ends within it.
fn block<'a>(octets: &'a [u8], at: usize, section: &mut Section) -> Result<Option<Block<'a>>, CaptureFault> {
    let fault = |what| CaptureFault::Block { at, what };
    if octets.starts_with(&SECTION.to_be_bytes()) {
        let is_big = match octets.get(8..12) {
            None => return Ok(None),
            Some(order) if order == BIG => true,
            Some(order) if order == LITTLE => false,
            Some(_) => return Err(fault("the section's byte order mark is neither 1A2B3C4D nor 4D3C2B1A")),
        };
        *section = Section { is_big, interfaces: Vec::new() };
    }
    let (Some(kind), Some(length)) = (section.u32(octets, 0), section.u32(octets, 4)) else {
        return Ok(None);
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length < 12 || !length.is_multiple_of(4) {
        return Err(fault("a block's length is not a multiple of 4 of at least 12"));
    }
    let Some(body) = octets.get(8..length - 4) else { return Ok(None) };
    if octets.len() < length {
        return Ok(None);
    }
    Ok(Some((kind, body, length)))
}

fn interface(body: &[u8], section: &Section, at: usize) -> Result<Interface, CaptureFault> {
    let short = CaptureFault::Block { at, what: "an interface description without its link type" };
    let link_type = section.u16(body, 0).ok_or(short)?;
    let mut interface = Interface { name: None, link_type, per_second: 1_000_000 };
    for (code, value) in section.options(body.get(8..).unwrap_or_default()) {
        match (code, value) {
            (2, name) => interface.name = Some(String::from_utf8_lossy(name).into_owned()),
            (9, [resolution, ..]) => interface.per_second = per_second(*resolution),
            _ => {}
        }
    }
    Ok(interface)
}

/// if_tsresol: a power of ten, or of two with the highest bit.
fn per_second(resolution: u8) -> u128 {
    let power = u32::from(resolution & 0x7F);
    let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(power).unwrap_or(u128::MAX)
}

fn packet(body: &[u8], section: &Section, at: usize, number: u64) -> Result<Packet, CaptureFault> {
    let fault = |what| CaptureFault::Block { at, what };
    let short = || fault("a packet block shorter than its fields");
    let id = section.u32(body, 0).ok_or_else(short)? as usize;
    let interface =
        section.interfaces.get(id).ok_or_else(|| fault("a packet on an interface not described"))?;
    let high = u64::from(section.u32(body, 4).ok_or_else(short)?);
    let low = u64::from(section.u32(body, 8).ok_or_else(short)?);
    let length = section.u32(body, 12).ok_or_else(short)? as usize;
    let octets = body.get(20..).and_then(|data| data.get(..length)).ok_or_else(short)?.to_vec();
    let options = body.get(20 + length.next_multiple_of(4)..).unwrap_or_default();
    let mut packet = Packet {
        number,
        link: interface.name.clone().unwrap_or_else(|| format!("interface {id}")),
        link_type: interface.link_type,
        at: moment((high << 32) | low, interface.per_second),
        direction: None,
        note: None,
        octets,
    };
    for (code, value) in section.options(options) {
        match code {
            1 => packet.note = Some(String::from_utf8_lossy(value).into_owned()),
            2 => packet.direction = section.u32(value, 0).and_then(direction),
            _ => {}
        }
    }
    Ok(packet)
}

fn direction(flags: u32) -> Option<Direction> {
    match flags & 3 {
        1 => Some(Direction::Received),
        2 => Some(Direction::Sent),
        _ => None,
    }
}

fn moment(count: u64, per_second: u128) -> Option<Timestamp> {
    let nanoseconds = u128::from(count).checked_mul(1_000_000_000)? / per_second.max(1);
    Timestamp::from_nanosecond(i128::try_from(nanoseconds).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::evidence::Capture;
    use crate::evidence::capture::LinkKind;
    use crate::link::Tap as _;

    fn written() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let capture = Capture::create(folder.path(), "run.pcapng").unwrap();
        let at = "2026-11-21T21:14:05.123456789Z".parse().unwrap();
        capture.link("optical", "serial:///dev/ttyUSB0", LinkKind::Serial);
        capture.frame("optical", Direction::Sent, at, b"/?!\r\n", Some("sign-on"));
        capture.frame("wan", Direction::Received, at, &[0, 1, 2], None);
        std::fs::read(folder.path().join("run.pcapng")).unwrap()
    }

    #[test]
    fn what_was_written_is_read_back() {
        let read = read_packets(&written()).unwrap();
        assert!(!read.torn);
        let [first, second] = read.packets.as_slice() else { panic!("{read:?}") };
        assert_eq!((first.link.as_str(), first.link_type, first.number), ("optical", 147, 1));
        assert_eq!(first.at.unwrap().to_string(), "2026-11-21T21:14:05.123456789Z");
        assert_eq!((first.direction, first.note.as_deref()), (Some(Direction::Sent), Some("sign-on")));
        assert_eq!(first.octets, b"/?!\r\n");
        assert_eq!((second.link.as_str(), second.direction), ("wan", Some(Direction::Received)));
    }

    #[test]
    fn a_torn_capture_gives_the_packets_before_the_tear() {
        let whole = written();
        let read = read_packets(&whole[..whole.len() - 5]).unwrap();
        assert_eq!((read.packets.len(), read.torn), (1, true));
    }

    #[test]
    fn what_is_no_capture_is_refused_with_what_was_found() {
        let error = read_packets(b"/?!\r\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "offset 0: found 2F3F210D, expected 0A0D0D0A, with which a pcapng file begins"
        );
    }

    proptest! {
        #[test]
        fn nonsense_is_read_without_a_panic(
            rest in vec(any::<u8>(), 0..200), cut in 0usize..300, at in 0usize..300, octet: u8
        ) {
            let mut file = written();
            let cut = cut.min(file.len());
            if let Some(changed) = file.get_mut(at) {
                *changed = octet;
            }
            file.truncate(cut);
            file.extend(rest);
            let _ = read_packets(&file);
        }
    }
}
