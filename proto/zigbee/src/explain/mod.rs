//! Explaining ZigBee frames to people: APS header, ZCL header and command, in words, down to the names of attributes.
//!
//! The same octets the codecs read become a tree of [`Span`]s that covers all of them and never fails: what cannot be read
//! is shown as such with the reason.
//!
//! ```
//! use proto_zigbee::{basic, explain};
//!
//! let span = explain::aps(&basic::read_request(7, &[basic::MANUFACTURER_NAME]));
//! assert_eq!(span.value, "Basic: read attributes manufacturer name");
//! assert!(span.is_sound());
//! ```

mod cursor;
mod dongle;
mod fields;
mod names;
#[cfg(test)]
mod tests;

use cursor::{Cursor, Explained};
pub use dongle::{AshCutter, AshFrame, ash, ezsp};
use fields::fields;
use names::{attribute_name, cluster_name, command_name, foundation_name, status_name};

use crate::SMART_ENERGY_PROFILE;
use crate::value::Value;
use crate::zcl::AttributeId;

/// A stretch of octets, what it is called and what it says. Its parts lie one after the other and fill it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first octet in what was explained.
    pub at: usize,
    /// How many octets; none for a part that is missing.
    pub length: usize,
    /// What the specification calls it.
    pub name: &'static str,
    /// What it says, in words; may be empty.
    pub value: String,
    /// What is wrong with it, where something is.
    pub problem: Option<String>,
    /// What it consists of; empty where it is not divided further.
    pub parts: Vec<Span>,
    /// Octets of another protocol that travel here: a DLMS APDU in a tunnel.
    pub foreign: bool,
    /// A key: its octets are not to be shown.
    pub secret: bool,
}

impl Span {
    /// Whether this and everything within it is in order.
    pub fn is_sound(&self) -> bool {
        self.problem.is_none() && self.parts.iter().all(Span::is_sound)
    }
}

/// Whether octets look like an APS data frame of the Smart Energy profile.
pub fn looks_like_aps(octets: &[u8]) -> bool {
    let profile = SMART_ENERGY_PROFILE.to_le_bytes();
    matches!(octets, [0x00 | 0x40, _, _, _, low, high, _, _, _, ..] if [*low, *high] == profile)
}

/// Explains an APS data frame with the ZCL frame in it.
pub fn aps(octets: &[u8]) -> Span {
    cursor::explain(octets, "APS frame", |cursor| {
        let cluster = cursor.group("APS header", |cursor| {
            let control = cursor.u8("frame control")?;
            let acknowledged = if control & 0x40 == 0 { "" } else { ", acknowledgement wanted" };
            cursor.say(format!("{}{acknowledged}", aps_type(control)));
            if control & 0b1011_1111 != 0 {
                return cursor
                    .stop(format!("found {control:02X}, expected 00 or 40: unicast data, not secured"));
            }
            cursor.u8("destination endpoint")?;
            let cluster = cursor.u16("cluster")?;
            cursor.say(format!("{cluster:04X} {}", cluster_name(cluster).unwrap_or("unknown")));
            let profile = cursor.u16("profile")?;
            let name = if profile == SMART_ENERGY_PROFILE { "Smart Energy" } else { "another profile" };
            cursor.say(format!("{profile:04X} {name}"));
            cursor.u8("source endpoint")?;
            cursor.u8("APS counter")?;
            Ok(cluster)
        })?;
        zcl_frame(cursor, Some(cluster))
    })
}

/// Explains a ZCL frame, of this cluster where it is known.
pub fn zcl(octets: &[u8], cluster: Option<u16>) -> Span {
    cursor::explain(octets, "ZCL frame", |cursor| zcl_frame(cursor, cluster))
}

fn aps_type(control: u8) -> &'static str {
    match control & 0x03 {
        0 => "data",
        1 => "command",
        2 => "acknowledgement",
        _ => "inter-PAN",
    }
}

/// What a ZCL header says.
struct Header {
    is_cluster: bool,
    manufacturer: bool,
    to_client: bool,
    command: u8,
}

fn zcl_frame(cursor: &mut Cursor<'_>, cluster: Option<u16>) -> Explained<()> {
    let header = cursor.group("ZCL header", |cursor| zcl_header(cursor, cluster))?;
    let of = cluster.map_or_else(String::new, |id| match cluster_name(id) {
        Some(name) => format!("{name}: "),
        None => format!("cluster {id:04X}: "),
    });
    let words = match header {
        Header { manufacturer: true, command, .. } => {
            cursor.rest("manufacturer's own payload");
            format!("manufacturer's own command {command:02X}")
        }
        Header { is_cluster: false, .. } => foundation(cursor, &header, cluster)?,
        Header { is_cluster: true, .. } => cluster_command(cursor, &header, cluster)?,
    };
    cursor.title(format!("{of}{words}"));
    Ok(())
}

fn zcl_header(cursor: &mut Cursor<'_>, cluster: Option<u16>) -> Explained<Header> {
    let control = cursor.u8("frame control")?;
    let is_cluster = control & 0x03 == 1;
    let to_client = control & 0x08 != 0;
    let kind = if is_cluster { "cluster command" } else { "foundation command" };
    let way = if to_client { "server to client" } else { "client to server" };
    let answer = if control & 0x10 == 0 { "" } else { ", no default response wanted" };
    cursor.say(format!("{kind}, {way}{answer}"));
    if control & 0x03 > 1 {
        return cursor.stop(format!("frame type {}, expected 0 or 1", control & 0x03));
    }
    let manufacturer = control & 0x04 != 0;
    if manufacturer {
        let code = cursor.u16("manufacturer code")?;
        cursor.say(format!("{code:04X}"));
    }
    cursor.u8("transaction sequence number")?;
    let command = cursor.u8("command")?;
    let name = match (is_cluster, cluster) {
        _ if manufacturer => None,
        (true, Some(cluster)) => command_name(cluster, to_client, command),
        (true, None) => None,
        (false, _) => foundation_name(command),
    };
    cursor.say(format!("{command:02X} {}", name.unwrap_or_default()).trim_end());
    Ok(Header { is_cluster, manufacturer, to_client, command })
}

fn attribute(cursor: &mut Cursor<'_>, cluster: Option<u16>) -> Explained<String> {
    let id = AttributeId(cursor.u16("attribute")?);
    let name = cluster.and_then(|cluster| attribute_name(cluster, id.0));
    let words = name.map_or_else(|| format!("{:04X}", id.0), str::to_owned);
    cursor.say(format!("{:04X} {}", id.0, name.unwrap_or_default()).trim_end());
    Ok(words)
}

fn value(cursor: &mut Cursor<'_>) -> Explained<String> {
    let value = cursor.read("value", |reader| Value::read(reader))?;
    cursor.say(format!("{value} (type {:02X})", value.data_type()));
    Ok(value.to_string())
}

fn status(cursor: &mut Cursor<'_>) -> Explained<u8> {
    let status = cursor.u8("status")?;
    cursor.say(status_words(status));
    Ok(status)
}

fn status_words(status: u8) -> String {
    status_name(status).map_or_else(|| format!("{status:02X}"), |name| format!("{status:02X} {name}"))
}

fn foundation(cursor: &mut Cursor<'_>, header: &Header, cluster: Option<u16>) -> Explained<String> {
    let name = foundation_name(header.command);
    let mut words = Vec::new();
    match header.command {
        0x00 => {
            while !cursor.is_empty() {
                words.push(attribute(cursor, cluster)?);
            }
        }
        0x01 => {
            while !cursor.is_empty() {
                words.push(cursor.group("attribute record", |cursor| record(cursor, cluster))?);
            }
        }
        0x02 | 0x03 | 0x05 | 0x0A => {
            while !cursor.is_empty() {
                words.push(cursor.group("attribute record", |cursor| report(cursor, cluster))?);
            }
        }
        0x04 => {
            while !cursor.is_empty() {
                words.push(written(cursor, cluster)?);
            }
        }
        0x0B => words.push(default_response(cursor, header, cluster)?),
        _ => {
            cursor.rest("payload");
        }
    }
    let name = name.map_or_else(|| format!("foundation command {:02X}", header.command), str::to_owned);
    Ok(format!("{name} {}", words.join(", ")).trim_end().to_owned())
}

fn record(cursor: &mut Cursor<'_>, cluster: Option<u16>) -> Explained<String> {
    let name = attribute(cursor, cluster)?;
    let words = match status(cursor)? {
        0 => format!("{name} = {}", value(cursor)?),
        refused => format!("{name}: {}", status_words(refused)),
    };
    cursor.title(words.clone());
    Ok(words)
}

fn report(cursor: &mut Cursor<'_>, cluster: Option<u16>) -> Explained<String> {
    let name = attribute(cursor, cluster)?;
    let words = format!("{name} = {}", value(cursor)?);
    cursor.title(words.clone());
    Ok(words)
}

/// A write attributes status: a lone success, or a status and the attribute it is for.
fn written(cursor: &mut Cursor<'_>, cluster: Option<u16>) -> Explained<String> {
    let status = status(cursor)?;
    if cursor.is_empty() {
        return Ok(status_words(status));
    }
    Ok(format!("{}: {}", attribute(cursor, cluster)?, status_words(status)))
}

fn default_response(cursor: &mut Cursor<'_>, header: &Header, cluster: Option<u16>) -> Explained<String> {
    let command = cursor.u8("command answered")?;
    let name = cluster.and_then(|cluster| command_name(cluster, !header.to_client, command));
    cursor.say(format!("{command:02X} {}", name.unwrap_or_default()).trim_end());
    let status = status(cursor)?;
    let name = name.map_or_else(|| format!("command {command:02X}"), str::to_owned);
    Ok(format!("to {name}: {}", status_words(status)))
}

fn cluster_command(cursor: &mut Cursor<'_>, header: &Header, cluster: Option<u16>) -> Explained<String> {
    let Some(cluster) = cluster else {
        cursor.rest("payload");
        return Ok(format!("command {:02X} of a cluster not said", header.command));
    };
    let name = command_name(cluster, header.to_client, header.command);
    fields(cursor, cluster, header.to_client, header.command)?;
    Ok(name.map_or_else(|| format!("command {:02X}", header.command), str::to_owned))
}
