//! Who a message is from and to: EUI-64 identifiers and the request and response identifiers made of them.
//!
//! A request is named by originator, target and counter together; correlation on any less confuses two users' requests.

use std::fmt;
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// An EUI-64: the identity of a device, a user or a DCC system, eight octets (IEEE 802; DUIS type `EUI`).
///
/// ```
/// use proto_duis::Eui64;
/// let device: Eui64 = "00-db-12-34-56-78-90-a0".parse()?;
/// assert_eq!(device.to_string(), "00-DB-12-34-56-78-90-A0");
/// # Ok::<(), proto_duis::Eui64Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Eui64([u8; 8]);

impl Eui64 {
    /// The access control broker: the target of every request that is for the DCC itself and not for a device
    /// (the value of published DUIS test data).
    pub const ACCESS_CONTROL_BROKER: Eui64 = Eui64([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x00, 0x00, 0x02]);

    /// The identifier with these octets, most significant first.
    pub const fn new(octets: [u8; 8]) -> Eui64 {
        Eui64(octets)
    }

    /// The octets, most significant first.
    pub const fn octets(self) -> [u8; 8] {
        self.0
    }
}

impl From<[u8; 8]> for Eui64 {
    fn from(octets: [u8; 8]) -> Self {
        Eui64(octets)
    }
}

impl fmt::Display for Eui64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g, h, i] = self.0;
        f.pad(&format!("{a:02X}-{b:02X}-{c:02X}-{d:02X}-{e:02X}-{g:02X}-{h:02X}-{i:02X}"))
    }
}

impl fmt::Debug for Eui64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Text that is not an EUI-64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{found:?} is not an EUI-64; expected eight pairs of hexadecimal digits joined by hyphens, such as 90-B3-D5-1F-30-01-00-00"
)]
pub struct Eui64Error {
    found: String,
}

impl FromStr for Eui64 {
    type Err = Eui64Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_eui(text).ok_or_else(|| Eui64Error { found: text.chars().take(40).collect() })
    }
}

fn parse_eui(text: &str) -> Option<Eui64> {
    let mut octets = [0; 8];
    let mut pairs = text.split('-');
    for octet in &mut octets {
        let pair = pairs.next()?;
        if pair.len() != 2 || !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        *octet = u8::from_str_radix(pair, 16).ok()?;
    }
    pairs.next().is_none().then_some(Eui64(octets))
}

serde_as_text!(Eui64);

/// Devices as one text, joined by commas: 1 to [`DeviceIdList::MOST`] (DUIS type `DeviceIDList`).
///
/// ```
/// use proto_duis::DeviceIdList;
/// let list: DeviceIdList = "00-DB-12-34-56-78-90-A0,00-db-12-34-56-78-90-a1".parse()?;
/// assert_eq!(list.devices().len(), 2);
/// assert_eq!(list.to_string(), "00-DB-12-34-56-78-90-A0,00-DB-12-34-56-78-90-A1");
/// # Ok::<(), proto_duis::DeviceIdListError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceIdList(Vec<Eui64>);

impl DeviceIdList {
    /// The most devices in a list: the schema's longest text.
    pub const MOST: usize = 50_000;

    /// A list of these devices, in their order; none where there are none, or too many.
    pub fn new(devices: impl IntoIterator<Item = Eui64>) -> Option<DeviceIdList> {
        let devices: Vec<Eui64> = devices.into_iter().take(Self::MOST + 1).collect();
        (1..=Self::MOST).contains(&devices.len()).then_some(DeviceIdList(devices))
    }

    /// The devices, in order.
    pub fn devices(&self) -> &[Eui64] {
        &self.0
    }
}

impl fmt::Display for DeviceIdList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, device) in self.0.iter().enumerate() {
            write!(f, "{}{device}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// Text that is not a list of devices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceIdListError {
    /// One of them is not an EUI-64.
    #[error(transparent)]
    Eui(#[from] Eui64Error),
    /// Too many.
    #[error("expected at most {} devices", DeviceIdList::MOST)]
    TooMany,
}

impl FromStr for DeviceIdList {
    type Err = DeviceIdListError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let devices: Vec<Eui64> =
            text.split(',').take(Self::MOST + 1).map(str::parse).collect::<Result<_, _>>()?;
        DeviceIdList::new(devices).ok_or(DeviceIdListError::TooMany)
    }
}

/// The name of a Service Request: originator, target and a counter that strictly increases per originator
/// (DUIS type `RequestIDType`; the counter is the protection against replay).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    /// The user that sends the request.
    pub originator: Eui64,
    /// The device it is for, or [`Eui64::ACCESS_CONTROL_BROKER`].
    pub target: Eui64,
    /// Larger than every counter this originator used before.
    pub counter: u64,
}

impl RequestId {
    /// The identifier of the response to this request: the parties swapped, the counter kept.
    pub const fn response_id(self) -> ResponseId {
        ResponseId { originator: self.target, target: self.originator, counter: self.counter }
    }
}

/// The name of a response: the request's identifier with originator and target swapped (DUIS type `ResponseIDType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResponseId {
    /// The device that answers.
    pub originator: Eui64,
    /// The user that asked.
    pub target: Eui64,
    /// The counter of the request, or the device's own for an alert.
    pub counter: u64,
}

impl ResponseId {
    /// The request this answers.
    pub const fn request_id(self) -> RequestId {
        RequestId { originator: self.target, target: self.originator, counter: self.counter }
    }
}

/// Text that is not a request or response identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageIdError {
    /// Not three parts.
    #[error("{found:?} has {parts} parts; expected originator:target:counter")]
    Parts {
        /// The text, cut at 80 characters.
        found: String,
        /// How many parts were there.
        parts: usize,
    },
    /// One of the first two parts is not an EUI-64.
    #[error("{part}: {source}")]
    Eui {
        /// `originator` or `target`.
        part: &'static str,
        /// What is wrong with it.
        source: Eui64Error,
    },
    /// The counter is not a number the schema allows.
    #[error("counter {found:?} is not a whole number from 0 to 18446744073709551615 without leading zeros")]
    Counter {
        /// The text, cut at 80 characters.
        found: String,
    },
}

fn parse_parts(text: &str) -> Result<(Eui64, Eui64, u64), MessageIdError> {
    let short = |text: &str| text.chars().take(80).collect::<String>();
    let parts: Vec<&str> = text.splitn(4, ':').collect();
    let [originator, target, counter] = parts[..] else {
        return Err(MessageIdError::Parts { found: short(text), parts: text.split(':').count() });
    };
    let eui = |part, text: &str| text.parse().map_err(|source| MessageIdError::Eui { part, source });
    let canonical =
        counter == "0" || (!counter.starts_with('0') && counter.bytes().all(|b| b.is_ascii_digit()));
    let number = counter.parse().ok().filter(|_| canonical);
    let number = number.ok_or_else(|| MessageIdError::Counter { found: short(counter) })?;
    Ok((eui("originator", originator)?, eui("target", target)?, number))
}

macro_rules! message_id_text {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}:{}:{}", self.originator, self.target, self.counter)
            }
        }

        impl FromStr for $type {
            type Err = MessageIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let (originator, target, counter) = parse_parts(text)?;
                Ok($type { originator, target, counter })
            }
        }

        serde_as_text!($type);
    };
}

message_id_text!(RequestId);
message_id_text!(ResponseId);
