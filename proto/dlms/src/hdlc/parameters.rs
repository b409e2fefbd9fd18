//! What two stations agree on when they connect (IEC 62056-46, 6.4.4.4.3.2).

use thiserror::Error;

use super::Information;
use super::frame::MAX_INFORMATION;
use crate::octets::{DecodeError, Reader};

/// The longest information field a station sends or takes: 1 to 2030 octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaxInfo(u16);

/// How many frames a station sends before it waits for an acknowledgement: 1 to 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window(u8);

impl MaxInfo {
    /// What holds unless something else is agreed: 128 octets.
    pub const DEFAULT: Self = Self(128);
    /// The most a frame can carry.
    pub const MAX: Self = Self(2030);

    /// So many octets; `None` beyond 1 to 2030.
    pub fn new(octets: u16) -> Option<Self> {
        (1..=Self::MAX.0).contains(&octets).then_some(Self(octets))
    }

    /// The octets.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Window {
    /// What holds unless something else is agreed: one frame.
    pub const ONE: Self = Self(1);
    /// The most eight sequence numbers allow.
    pub const MAX: Self = Self(7);

    /// So many frames; `None` beyond 1 to 7.
    pub fn new(frames: u8) -> Option<Self> {
        (1..=Self::MAX.0).contains(&frames).then_some(Self(frames))
    }

    /// The frames.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// What a station sends and takes, from its own point of view: one side's `tx` is the other's `rx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// Longest information field it sends.
    pub max_info_tx: MaxInfo,
    /// Longest information field it takes.
    pub max_info_rx: MaxInfo,
    /// Frames it sends before it waits.
    pub window_tx: Window,
    /// Frames it takes before it acknowledges.
    pub window_rx: Window,
}

impl Default for Parameters {
    /// What holds where nothing is said: 128 octets and one frame, both ways.
    fn default() -> Self {
        Self {
            max_info_tx: MaxInfo::DEFAULT,
            max_info_rx: MaxInfo::DEFAULT,
            window_tx: Window::ONE,
            window_rx: Window::ONE,
        }
    }
}

/// Parameters no link can be made with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParametersError {
    /// A length or window of 0.
    #[error("parameter {parameter:02X} is 0")]
    Zero {
        /// 05 to 08.
        parameter: u8,
    },
    /// Octets that are not parameters.
    #[error(transparent)]
    Fields(#[from] DecodeError),
}

const FORMAT_IDENTIFIER: u8 = 0x81;
const GROUP_IDENTIFIER: u8 = 0x80;

impl Parameters {
    /// The same sizes both ways.
    pub fn symmetric(max_info: MaxInfo, window: Window) -> Self {
        Self { max_info_tx: max_info, max_info_rx: max_info, window_tx: window, window_rx: window }
    }

    /// What this station may do, given its own limits and what the other has proposed or agreed.
    #[must_use]
    pub fn agreed_with(self, other: Self) -> Self {
        Self {
            max_info_tx: self.max_info_tx.min(other.max_info_rx),
            max_info_rx: self.max_info_rx.min(other.max_info_tx),
            window_tx: self.window_tx.min(other.window_rx),
            window_rx: self.window_rx.min(other.window_tx),
        }
    }

    /// The information field of an SNRM or UA.
    pub fn encode(self) -> Information {
        let mut out = vec![FORMAT_IDENTIFIER, GROUP_IDENTIFIER, 0x14];
        for (parameter, length) in [(0x05, self.max_info_tx), (0x06, self.max_info_rx)] {
            out.extend([parameter, 2]);
            out.extend(length.0.to_be_bytes());
        }
        for (parameter, window) in [(0x07, self.window_tx), (0x08, self.window_rx)] {
            out.extend([parameter, 4, 0, 0, 0, window.0]);
        }
        Information::new(out).unwrap_or_default()
    }

    /// Reads the information field of an SNRM or UA. What it does not say has its default; an empty field says
    /// nothing. Values above what a link can have are taken as the most it can.
    ///
    /// # Errors
    /// A field that is not parameters, or a length or window of 0.
    pub fn decode(information: &Information) -> Result<Self, ParametersError> {
        let mut parameters = Self::default();
        let mut reader = Reader::new(information.octets());
        if reader.is_empty() {
            return Ok(parameters);
        }
        match reader.u8("format identifier")? {
            FORMAT_IDENTIFIER => {}
            found => return Err(reader.unexpected("format identifier", found, "81").into()),
        }
        while !reader.is_empty() {
            let group = reader.u8("group identifier")?;
            let length = usize::from(reader.u8("group length")?);
            let mut fields = reader.part(length, "group")?;
            // Other groups carry what users of the link tell each other.
            while group == GROUP_IDENTIFIER && !fields.is_empty() {
                parameters.read_field(&mut fields)?;
            }
        }
        Ok(parameters)
    }

    fn read_field(&mut self, reader: &mut Reader<'_>) -> Result<(), ParametersError> {
        let parameter = reader.u8("parameter identifier")?;
        let length = usize::from(reader.u8("parameter length")?);
        let octets = reader.take(length, "parameter value")?;
        let value = octets.iter().fold(0_u64, |value, octet| value.wrapping_shl(8) | u64::from(*octet));
        let zero = ParametersError::Zero { parameter };
        let max_info =
            || MaxInfo::new(u16::try_from(value).map_or(MaxInfo::MAX.0, |v| v.min(MaxInfo::MAX.0)));
        let window = || Window::new(u8::try_from(value).map_or(Window::MAX.0, |v| v.min(Window::MAX.0)));
        match parameter {
            0x05 => self.max_info_tx = max_info().ok_or(zero)?,
            0x06 => self.max_info_rx = max_info().ok_or(zero)?,
            0x07 => self.window_tx = window().ok_or(zero)?,
            0x08 => self.window_rx = window().ok_or(zero)?,
            _ => {}
        }
        Ok(())
    }
}

const _: () = assert!(MaxInfo::MAX.0 as usize == MAX_INFORMATION);
