//! What a meter says unasked: event notifications and pushes.

use crate::data::{AttributeRef, Data, DateTime};
use crate::octets::{DecodeError, Reader, put_string};

/// C2: an event, as the attribute it shows in (`EventNotificationRequest`).
#[derive(Debug, Clone, PartialEq)]
pub struct EventNotification {
    /// When it happened, where the meter says.
    pub time: Option<DateTime>,
    /// The attribute the value belongs to.
    pub attribute: AttributeRef,
    /// The value.
    pub value: Data,
}

/// 0F: data pushed by a meter (`Data-Notification`).
#[derive(Debug, Clone, PartialEq)]
pub struct DataNotification {
    /// The long invoke id and priority, as sent.
    pub invoke: u32,
    /// When it was sent, where the meter says.
    pub time: Option<DateTime>,
    /// The data.
    pub body: Data,
}

impl EventNotification {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let present = reader.flag("time flag")?;
        let time = if present { read_time(reader)? } else { None };
        Ok(Self { time, attribute: AttributeRef::read(reader)?, value: Data::read(reader)? })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        out.push(0xC2);
        out.push(u8::from(self.time.is_some()));
        if let Some(time) = self.time {
            put_string(out, &time.to_octets());
        }
        self.attribute.encode_to(out);
        self.value.encode_to(out);
    }
}

impl DataNotification {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            invoke: reader.u32("long invoke id")?,
            time: read_time(reader)?,
            body: Data::read(reader)?,
        })
    }

    pub(super) fn encode_to(&self, out: &mut Vec<u8>) {
        out.push(0x0F);
        out.extend(self.invoke.to_be_bytes());
        put_time(out, self.time);
        self.body.encode_to(out);
    }
}

pub(super) fn put_time(out: &mut Vec<u8>, time: Option<DateTime>) {
    let time = time.map(DateTime::to_octets);
    put_string(out, time.as_ref().map_or(&[], <[u8; 12]>::as_slice));
}

/// An octet string that is a date-time, or empty for none; some meters put the type before it, which is not called for.
pub(super) fn read_time(reader: &mut Reader<'_>) -> Result<Option<DateTime>, DecodeError> {
    if reader.peek() == Some(9) {
        reader.u8("time type")?;
    }
    match reader.u8("time length")? {
        0 => Ok(None),
        12 => Ok(Some(DateTime::from_octets(reader.array("time")?))),
        found => Err(reader.unexpected("time length", found, "00 (none) or 0C (12 octets)")),
    }
}
