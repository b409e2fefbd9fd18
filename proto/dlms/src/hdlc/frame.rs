//! One frame: format, addresses, control, information and check sequences (IEC 62056-46, 6.4).

use thiserror::Error;

use super::crc::check_sequence;
use super::{Address, Control, FLAG};
use crate::octets::{DecodeError, Reader};

/// Frame format type 3: the high nibble of the first octet.
const FORMAT: u8 = 0xA0;
/// The bit that says more segments follow.
const SEGMENTED: u8 = 0x08;
/// The longest information field: with it and the longest addresses a frame stays within its 11-bit length.
pub(super) const MAX_INFORMATION: usize = 2030;

/// The information field of a frame: never longer than a frame can carry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Information(Vec<u8>);

impl Information {
    /// These octets; `None` when a frame cannot carry as many.
    pub fn new(octets: Vec<u8>) -> Option<Self> {
        (octets.len() <= MAX_INFORMATION).then_some(Self(octets))
    }

    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The octets, taken out.
    pub fn into_octets(self) -> Vec<u8> {
        self.0
    }

    /// A message cut into fields of at most `size` octets, themselves at most what a frame carries.
    pub(super) fn cut(message: &[u8], size: usize) -> impl Iterator<Item = Self> + '_ {
        message.chunks(size.clamp(1, MAX_INFORMATION)).map(|chunk| Self(chunk.to_vec()))
    }
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The station it is for.
    pub destination: Address,
    /// The station it is from.
    pub source: Address,
    /// What kind of frame it is.
    pub control: Control,
    /// Whether more segments of the message follow.
    pub segmented: bool,
    /// The information field, empty where there is none.
    pub information: Information,
}

/// Why octets between two flags are not a frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    /// A check sequence does not match.
    #[error(
        "{which} check sequence {found:02X?}, computed {computed:02X?}: noise on the line, or wrong baud rate or parity"
    )]
    CheckSequence {
        /// `header` or `frame`.
        which: &'static str,
        /// What the frame carries.
        found: [u8; 2],
        /// What its octets call for.
        computed: [u8; 2],
    },
    /// The fields do not fit the octets.
    #[error(transparent)]
    Fields(#[from] DecodeError),
}

impl Frame {
    /// The frame with its flags.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![FLAG, 0, 0];
        self.destination.encode_to(&mut out);
        self.source.encode_to(&mut out);
        out.push(self.control.octet());
        let information = self.information.octets();
        // Both check sequences are part of the length; the header has one only before an information field.
        let header_check = if information.is_empty() { 0 } else { 2 };
        let length = (out.len() - 1 + header_check + information.len() + 2) & 0x07FF;
        let [high, low] = u16::try_from(length).unwrap_or(0).to_be_bytes();
        out[1] = FORMAT | high | if self.segmented { SEGMENTED } else { 0 };
        out[2] = low;
        if !information.is_empty() {
            out.extend(check_sequence(&out[1..]));
            out.extend_from_slice(information);
        }
        out.extend(check_sequence(&out[1..]));
        out.push(FLAG);
        out
    }

    /// The length field of a frame that starts with these two octets; `None` when no frame does.
    pub(crate) fn length(first: u8, second: u8) -> Option<usize> {
        let length = usize::from(u16::from_be_bytes([first & 0x07, second]));
        // Format, two addresses of one octet, control and check sequence.
        (first & 0xF0 == FORMAT && length >= 7).then_some(length)
    }

    /// Reads the octets between two flags.
    ///
    /// # Errors
    /// Check sequences that do not match, or fields that do not fit.
    pub fn decode(octets: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader::new(octets);
        let [first, second] = reader.array("frame format")?;
        if Self::length(first, second) != Some(octets.len()) {
            return Err(reader
                .unexpected("frame format", second, "format type A and the length of the frame")
                .into());
        }
        let body = reader.left().saturating_sub(2);
        let (checked, found) = octets.split_at(octets.len() - 2);
        verify("frame", checked, [found[0], found[1]])?;
        let mut body = reader.part(body, "frame")?;
        let destination = Address::read(&mut body)?;
        let source = Address::read(&mut body)?;
        let control = Control::from_octet(body.u8("control")?);
        let header = &octets[..body.offset()];
        if !body.is_empty() {
            verify("header", header, body.array("header check sequence")?)?;
        }
        let information = Information(body.rest().to_vec());
        Ok(Self { destination, source, control, segmented: first & SEGMENTED != 0, information })
    }
}

fn verify(which: &'static str, octets: &[u8], found: [u8; 2]) -> Result<(), FrameError> {
    let computed = check_sequence(octets);
    if found == computed { Ok(()) } else { Err(FrameError::CheckSequence { which, found, computed }) }
}

/// What an FRMR says about the frame that was rejected (ISO/IEC 13239, 5.5.3.4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameReject {
    /// The control octet of the frame rejected.
    pub control: u8,
    /// The control octet was not known.
    pub unknown_control: bool,
    /// The information field was longer than agreed.
    pub too_long: bool,
    /// It acknowledged frames never sent.
    pub bad_acknowledgement: bool,
}

impl FrameReject {
    /// The three octets of information, with the sender's next numbers to send and receive.
    pub(super) fn encode(self, ns: u8, nr: u8) -> Information {
        let why = u8::from(self.unknown_control)
            | u8::from(self.too_long) << 2
            | u8::from(self.bad_acknowledgement) << 3;
        Information(vec![self.control, (nr & 7) << 5 | 0x10 | (ns & 7) << 1, why])
    }

    /// Reads the information of an FRMR. Meters send less than the standard asks; absent octets read as 0.
    pub(crate) fn decode(information: &Information) -> Self {
        let octet = |at: usize| information.octets().get(at).copied().unwrap_or(0);
        let why = octet(2);
        Self {
            control: octet(0),
            unknown_control: why & 1 != 0,
            too_long: why & 4 != 0,
            bad_acknowledgement: why & 8 != 0,
        }
    }
}
