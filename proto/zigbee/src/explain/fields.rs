//! The fields of cluster commands, as far as an HAN of SMETS1 devices uses them.

use super::cursor::{Cursor, Explained, hex};

/// How a field is read and said.
#[derive(Debug, Clone, Copy)]
enum Field {
    /// An unsigned number of so many octets.
    Number(usize),
    /// A bitmap or identifier of so many octets, in hexadecimal.
    Bits(usize),
    /// Seconds since 2000-01-01T00:00:00Z; 0 is now.
    Time,
    /// A string with a length octet.
    Text,
    /// A DLMS APDU, to the end.
    Tunnelled,
}

use Field::{Bits, Number, Text, Time, Tunnelled};

type Layout = &'static [(&'static str, Field)];

/// Cluster, whether the command goes to the client, command, fields.
static LAYOUTS: &[(u16, bool, u8, Layout)] = &[
    (0x0700, false, 0x00, &[("options", Bits(1))]),
    (0x0700, false, 0x01, &[("start time", Time), ("number of events", Number(1))]),
    (
        0x0700,
        true,
        0x00,
        &[
            ("provider id", Number(4)),
            ("rate label", Text),
            ("issuer event id", Number(4)),
            ("current time", Time),
            ("unit of measure", Bits(1)),
            ("currency", Number(2)),
            ("trailing digit and tier", Bits(1)),
            ("number of tiers and tier", Bits(1)),
            ("start time", Time),
            ("duration in minutes", Number(2)),
            ("price", Number(4)),
        ],
    ),
    (
        0x0703,
        true,
        0x00,
        &[
            ("message id", Number(4)),
            ("message control", Bits(1)),
            ("start time", Time),
            ("duration in minutes", Number(2)),
            ("message", Text),
        ],
    ),
    (0x0703, true, 0x01, &[("message id", Number(4)), ("message control", Bits(1))]),
    (0x0703, false, 0x00, &[]),
    (0x0703, false, 0x01, &[("message id", Number(4)), ("confirmation time", Time)]),
    (
        0x0704,
        false,
        0x00,
        &[
            ("protocol", Number(1)),
            ("manufacturer code", Bits(2)),
            ("flow control", Number(1)),
            ("longest transfer", Number(2)),
        ],
    ),
    (
        0x0704,
        true,
        0x00,
        &[("tunnel", Number(2)), ("tunnel status", Number(1)), ("longest transfer", Number(2))],
    ),
    (0x0704, false, 0x01, &[("tunnel", Number(2))]),
    (0x0704, false, 0x02, &[("tunnel", Number(2)), ("data", Tunnelled)]),
    (0x0704, true, 0x01, &[("tunnel", Number(2)), ("data", Tunnelled)]),
    (
        0x0702,
        false,
        0x0B,
        &[
            ("provider id", Number(4)),
            ("issuer event id", Number(4)),
            ("request time", Time),
            ("implementation time", Time),
            ("proposed supply status", Bits(1)),
            ("supply control bits", Bits(1)),
        ],
    ),
    (0x0705, false, 0x04, &[("originating device", Number(1)), ("top-up code", Text)]),
    (
        0x0705,
        true,
        0x03,
        &[
            ("result", Number(1)),
            ("top-up value", Number(4)),
            ("source", Number(1)),
            ("credit remaining", Number(4)),
        ],
    ),
];

/// The fields of a cluster command; a payload whose fields are not known is shown as it is.
pub(super) fn fields(cursor: &mut Cursor<'_>, cluster: u16, to_client: bool, command: u8) -> Explained<()> {
    let row = LAYOUTS.iter().find(|row| (row.0, row.1, row.2) == (cluster, to_client, command));
    let Some((.., layout)) = row else {
        if !cursor.is_empty() {
            cursor.rest("payload");
        }
        return Ok(());
    };
    for (name, field) in *layout {
        // Later editions of the profile added fields at the end; older devices leave them out.
        if cursor.is_empty() {
            return Ok(());
        }
        one(cursor, name, *field)?;
    }
    if !cursor.is_empty() {
        cursor.rest("further fields");
    }
    Ok(())
}

fn one(cursor: &mut Cursor<'_>, name: &'static str, field: Field) -> Explained<()> {
    match field {
        Number(width) => {
            let value = cursor.read(name, |reader| reader.unsigned(name, width))?;
            cursor.say(value.to_string());
        }
        Bits(width) => {
            let value = cursor.read(name, |reader| reader.unsigned(name, width))?;
            cursor.say(format!("{value:0digits$X}", digits = width * 2));
        }
        Time => {
            let value = cursor.read(name, |reader| reader.unsigned(name, 4))?;
            cursor.say(match value {
                0 => "now".to_owned(),
                0xFFFF_FFFF => "not known".to_owned(),
                seconds => format!("{seconds} s after 2000-01-01T00:00:00Z"),
            });
        }
        Text => text(cursor, name)?,
        Tunnelled => {
            cursor.rest(name);
            cursor.foreign();
        }
    }
    Ok(())
}

fn text(cursor: &mut Cursor<'_>, name: &'static str) -> Explained<()> {
    let octets = cursor.read(name, |reader| {
        let length = usize::from(reader.u8(name)?);
        reader.take(name, if length == 0xFF { 0 } else { length })
    })?;
    let printable = octets.iter().all(|octet| (0x20..0x7F).contains(octet));
    cursor.say(if printable { format!("{:?}", String::from_utf8_lossy(octets)) } else { hex(octets) });
    Ok(())
}
