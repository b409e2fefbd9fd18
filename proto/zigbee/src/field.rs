//! Fields of cluster commands, and the declaration from which their readers and writers are made.
//!
//! A command is its fields in order, so it is declared once, as a table, and read and written by the same
//! list. What a revision later than ours appends is passed over; what an earlier one has not yet is an
//! [`Option`], absent from the first missing field on.

use crate::ZigbeeError;
use crate::bytes::{Reader, put};
use crate::value::put_string;

/// One field of a command on the wire.
pub(crate) trait Field: Sized {
    /// Reads the field; `what` names it in errors.
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError>;

    /// Writes the field. False when it is absent: nothing may follow it then.
    fn write(&self, out: &mut Vec<u8>) -> bool;
}

macro_rules! integers {
    ($($type:ty),*) => { $(
        impl Field for $type {
            fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
                reader.array(what).map(<$type>::from_le_bytes)
            }

            fn write(&self, out: &mut Vec<u8>) -> bool {
                out.extend(self.to_le_bytes());
                true
            }
        }
    )* };
}

integers!(u8, i8, u16, i16, u32, i32);

/// A number of three octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct U24(u32);

impl U24 {
    /// The number, where three octets hold it.
    pub fn new(value: u32) -> Option<Self> {
        (value < 1 << 24).then_some(Self(value))
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Field for U24 {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        let [low, middle, high] = reader.array(what)?;
        Ok(Self(u32::from_le_bytes([low, middle, high, 0])))
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        put(out, self.0.into(), 3);
        true
    }
}

/// A number of six octets: summations and block thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct U48(u64);

impl U48 {
    /// The number, where six octets hold it.
    pub fn new(value: u64) -> Option<Self> {
        (value < 1 << 48).then_some(Self(value))
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl Field for U48 {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        reader.unsigned(what, 6).map(Self)
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        put(out, self.0, 6);
        true
    }
}

/// Seconds since 2000-01-01T00:00:00Z. In a command 0 often means now, and ffffffff not known or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct UtcTime(pub u32);

impl UtcTime {
    /// Now, in a command.
    pub const NOW: Self = Self(0);
    /// Not known, or never.
    pub const UNKNOWN: Self = Self(u32::MAX);
    /// Seconds from the Unix epoch to the epoch of ZigBee times.
    pub const EPOCH: i64 = 946_684_800;

    /// The time of seconds since the Unix epoch; none before 2000 and after 2136.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        u32::try_from(seconds.checked_sub(Self::EPOCH)?).ok().map(Self)
    }

    /// Seconds since the Unix epoch.
    pub fn to_unix(self) -> i64 {
        Self::EPOCH + i64::from(self.0)
    }
}

impl Field for UtcTime {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        u32::read(reader, what).map(Self)
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        self.0.write(out)
    }
}

/// An octet or character string with a length octet. Longer than 254 octets it is cut when written; ff, a
/// string that is not defined, reads as an empty one.
impl Field for Vec<u8> {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        match reader.u8(what)? {
            0xff => Ok(Self::new()),
            length => Ok(reader.take(what, length.into())?.to_vec()),
        }
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        put_string(out, self);
        true
    }
}

impl<const N: usize> Field for [u8; N] {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        reader.array(what)
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        out.extend(self);
        true
    }
}

/// A field that an earlier revision has not: absent where the command ends before it.
impl<T: Field> Field for Option<T> {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        if reader.is_empty() { Ok(None) } else { T::read(reader, what).map(Some) }
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        self.as_ref().is_some_and(|field| field.write(out))
    }
}

/// Items to the end of the command, without a count. `ToEnd<u8>` is a part this crate keeps as octets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ToEnd<T>(pub Vec<T>);

impl<T: Field> Field for ToEnd<T> {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        let mut items = Vec::new();
        while !reader.is_empty() {
            items.push(T::read(reader, what)?);
        }
        Ok(Self(items))
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        self.0.iter().all(|item| item.write(out))
    }
}

/// Items after an octet that counts them. More than 255 are cut when written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted<T>(pub Vec<T>);

impl<T: Field> Field for Counted<T> {
    fn read(reader: &mut Reader<'_>, what: &'static str) -> Result<Self, ZigbeeError> {
        let count = reader.u8(what)?;
        (0..count).map(|_| T::read(reader, what)).collect::<Result<_, _>>().map(Self)
    }

    fn write(&self, out: &mut Vec<u8>) -> bool {
        let count = u8::try_from(self.0.len()).unwrap_or(u8::MAX);
        out.push(count);
        self.0.iter().take(count.into()).all(|item| item.write(out))
    }
}

/// A group of fields with a name.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl $crate::field::Field for $name {
            #[allow(unused_variables, reason = "a command without fields reads nothing")]
            fn read(
                reader: &mut $crate::bytes::Reader<'_>,
                _: &'static str,
            ) -> Result<Self, $crate::ZigbeeError> {
                Ok(Self {
                    $($field: $crate::field::Field::read(
                        reader,
                        concat!(stringify!($name), " ", stringify!($field)),
                    )?,)*
                })
            }

            #[allow(unused_variables, reason = "a command without fields writes nothing")]
            fn write(&self, out: &mut Vec<u8>) -> bool {
                true $(&& $crate::field::Field::write(&self.$field, out))*
            }
        }
    };
}

/// The commands of a cluster in one direction: a record for each, and an enumeration of them all.
macro_rules! commands {
    (
        $(#[$doc:meta])*
        $all:ident: $direction:ident of $cluster:ident;
        $($(#[$command_doc:meta])* $id:literal $name:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        })*
    ) => {
        $($crate::field::record! {
            $(#[$command_doc])*
            $name { $($(#[$field_doc])* $field: $type,)* }
        }

        impl $name {
            #[doc = concat!("Identifier of the command, ", stringify!($id), ".")]
            pub const ID: u8 = $id;
        }

        impl From<$name> for $all {
            fn from(command: $name) -> Self {
                Self::$name(command)
            }
        })*

        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $all {
            $($(#[$command_doc])* $name($name),)*
            /// A command this crate does not know, as it came.
            Other {
                /// Its identifier.
                id: u8,
                /// Its octets.
                payload: Vec<u8>,
            },
        }

        impl $all {
            /// Where the commands go.
            pub const DIRECTION: $crate::zcl::Direction = $crate::zcl::Direction::$direction;
            /// The cluster they belong to.
            pub const CLUSTER: u16 = $cluster;

            /// The command of an identifier and its octets. Octets after the last known field are allowed:
            /// later revisions append some.
            ///
            /// # Errors
            /// [`ZigbeeError::Short`](crate::ZigbeeError::Short) when it is cut in a field.
            pub fn parse(id: u8, payload: &[u8]) -> Result<Self, $crate::ZigbeeError> {
                #[allow(unused_mut, reason = "not every direction of a cluster has a command with fields")]
                let mut reader = $crate::bytes::Reader::new(payload);
                match id {
                    $($id => $crate::field::Field::read(&mut reader, stringify!($name)).map(Self::$name),)*
                    _ => Ok(Self::Other { id, payload: payload.to_vec() }),
                }
            }

            /// The command of a frame.
            ///
            /// # Errors
            /// [`ZigbeeError::Command`](crate::ZigbeeError::Command) when the frame carries a foundation
            /// command, goes the other way or is specific to a manufacturer; otherwise as [`Self::parse`].
            pub fn of(frame: &$crate::zcl::Frame) -> Result<Self, $crate::ZigbeeError> {
                frame.expect_cluster_command(Self::DIRECTION)?;
                Self::parse(frame.command, &frame.payload)
            }

            /// Its identifier.
            pub fn id(&self) -> u8 {
                match self {
                    $(Self::$name(_) => $id,)*
                    Self::Other { id, .. } => *id,
                }
            }

            /// What it is called in the standard.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                    Self::Other { .. } => "a command not known here",
                }
            }

            /// Its octets.
            pub fn payload(&self) -> Vec<u8> {
                let mut out = Vec::new();
                match self {
                    $(Self::$name(command) => {
                        let _ = $crate::field::Field::write(command, &mut out);
                    })*
                    Self::Other { payload, .. } => out.extend(payload),
                }
                out
            }

            /// The ZCL frame that carries it and wants a default response.
            pub fn frame(&self, sequence: u8) -> $crate::zcl::Frame {
                $crate::zcl::Frame::cluster(Self::DIRECTION, sequence, self.id(), self.payload())
            }

            /// The APS frame that carries it between endpoints 1 of two devices. `sequence` is both the ZCL
            /// transaction number and the APS counter.
            pub fn smart_energy(&self, sequence: u8) -> $crate::aps::ApsFrame {
                $crate::aps::ApsFrame::smart_energy(Self::CLUSTER, sequence, self.frame(sequence).to_bytes())
            }
        }
    };
}

/// An enumeration of one octet whose reserved values are kept.
macro_rules! octet {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:literal $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$value_doc])* $variant,)*
            /// A value this crate has no name for.
            Other(u8),
        }

        impl From<u8> for $name {
            fn from(octet: u8) -> Self {
                match octet {
                    $($value => Self::$variant,)*
                    other => Self::Other(other),
                }
            }
        }

        impl $name {
            /// The octet on the wire.
            pub fn octet(self) -> u8 {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Other(other) => other,
                }
            }
        }

        impl $crate::field::Field for $name {
            fn read(
                reader: &mut $crate::bytes::Reader<'_>,
                what: &'static str,
            ) -> Result<Self, $crate::ZigbeeError> {
                reader.u8(what).map(Self::from)
            }

            fn write(&self, out: &mut Vec<u8>) -> bool {
                out.push(self.octet());
                true
            }
        }
    };
}

pub(crate) use {commands, octet, record};
