//! Basic cluster (0000): what a device says it is.

use crate::ZigbeeError;
use crate::aps::ApsFrame;
use crate::zcl::{AttributeId, Command, Direction, Frame, ReadRecord};

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0000;
/// ZCL version, u8.
pub const ZCL_VERSION: AttributeId = AttributeId(0x0000);
/// Application version, u8.
pub const APPLICATION_VERSION: AttributeId = AttributeId(0x0001);
/// Hardware version, u8.
pub const HARDWARE_VERSION: AttributeId = AttributeId(0x0003);
/// Manufacturer name, character string of up to 32.
pub const MANUFACTURER_NAME: AttributeId = AttributeId(0x0004);
/// Model identifier, character string of up to 32.
pub const MODEL_IDENTIFIER: AttributeId = AttributeId(0x0005);
/// Date code, character string of up to 16.
pub const DATE_CODE: AttributeId = AttributeId(0x0006);
/// Power source, enumeration.
pub const POWER_SOURCE: AttributeId = AttributeId(0x0007);
/// Software build identifier, character string of up to 16: the firmware version.
pub const SOFTWARE_BUILD: AttributeId = AttributeId(0x4000);

/// The octets of an APS frame that reads Basic attributes of a device's endpoint 1. `sequence` is both the
/// ZCL transaction number and the APS counter.
pub fn read_request(sequence: u8, ids: &[AttributeId]) -> Vec<u8> {
    read_request_of(CLUSTER, sequence, ids)
}

/// As [`read_request`] for any cluster.
pub fn read_request_of(cluster: u16, sequence: u8, ids: &[AttributeId]) -> Vec<u8> {
    let frame = Frame::foundation(Direction::ToServer, sequence, &Command::ReadAttributes(ids.to_vec()));
    ApsFrame::smart_energy(cluster, sequence, frame.to_bytes()).to_bytes()
}

/// The records of the answer to [`read_request`].
///
/// # Errors
/// [`ZigbeeError::Mismatch`] when the answer is of another cluster or transaction, [`ZigbeeError::Command`]
/// when it is not a read attributes response, or whatever is wrong with its octets.
pub fn read_response(sequence: u8, octets: &[u8]) -> Result<Vec<ReadRecord>, ZigbeeError> {
    read_response_of(CLUSTER, sequence, octets)
}

/// As [`read_response`] for any cluster.
///
/// # Errors
/// As [`read_response`].
pub fn read_response_of(cluster: u16, sequence: u8, octets: &[u8]) -> Result<Vec<ReadRecord>, ZigbeeError> {
    let aps = ApsFrame::parse(octets)?;
    expect_same("cluster of the answer", aps.cluster, cluster)?;
    let frame = Frame::parse(&aps.payload)?;
    expect_same("transaction of the answer", frame.sequence.into(), sequence.into())?;
    match frame.command()? {
        Command::ReadAttributesResponse(records) => Ok(records),
        _ => Err(ZigbeeError::Command { command: frame.command }),
    }
}

fn expect_same(what: &'static str, found: u16, expected: u16) -> Result<(), ZigbeeError> {
    if found == expected { Ok(()) } else { Err(ZigbeeError::Mismatch { what, found, expected }) }
}
