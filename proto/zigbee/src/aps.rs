//! Application Support sublayer data frame (ZigBee specification, 2.2.5): which endpoint, which cluster,
//! which profile. Unicast data frames only, without extended header; security is below it.

use crate::bytes::{Reader, put};
use crate::{SMART_ENERGY_PROFILE, ZigbeeError};

const FRAME_TYPE: u8 = 0b0000_0011;
/// Delivery mode, acknowledgement format and security: all zero in a plain unicast.
const DELIVERY_AND_SECURITY: u8 = 0b0011_1100;
const EXTENDED_HEADER: u8 = 0b1000_0000;
const ACK_REQUEST: u8 = 0b0100_0000;

/// One APS data frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApsFrame {
    /// The sender asks for an APS acknowledgement.
    pub ack_request: bool,
    /// Endpoint addressed.
    pub destination_endpoint: u8,
    /// Cluster identifier.
    pub cluster: u16,
    /// Profile identifier, [`SMART_ENERGY_PROFILE`] in a meter's network.
    pub profile: u16,
    /// Endpoint of the sender.
    pub source_endpoint: u8,
    /// APS counter, matches a frame with its acknowledgement.
    pub counter: u8,
    /// The ZCL frame.
    pub payload: Vec<u8>,
}

impl ApsFrame {
    /// A Smart Energy frame between endpoints 1 of two devices.
    pub fn smart_energy(cluster: u16, counter: u8, payload: Vec<u8>) -> Self {
        Self {
            ack_request: false,
            destination_endpoint: 1,
            cluster,
            profile: SMART_ENERGY_PROFILE,
            source_endpoint: 1,
            counter,
            payload,
        }
    }

    /// The answer's frame: endpoints swapped, same cluster and profile, same counter.
    pub fn reply(&self, payload: Vec<u8>) -> Self {
        Self {
            ack_request: false,
            destination_endpoint: self.source_endpoint,
            source_endpoint: self.destination_endpoint,
            payload,
            ..*self
        }
    }

    /// Reads one frame; the whole slice is the frame.
    ///
    /// # Errors
    /// [`ZigbeeError::FrameControl`] for anything but a unicast, unsecured data frame without extended
    /// header, [`ZigbeeError::Short`] where the header is cut.
    pub fn parse(octets: &[u8]) -> Result<Self, ZigbeeError> {
        let mut reader = Reader::new(octets);
        let control = reader.u8("APS frame control")?;
        if control & (FRAME_TYPE | DELIVERY_AND_SECURITY | EXTENDED_HEADER) != 0 {
            return Err(ZigbeeError::FrameControl {
                layer: "APS",
                found: control,
                expected: "a unicast data frame without security and extended header (00 or 40)",
            });
        }
        Ok(Self {
            ack_request: control & ACK_REQUEST != 0,
            destination_endpoint: reader.u8("APS destination endpoint")?,
            cluster: reader.u16("APS cluster identifier")?,
            profile: reader.u16("APS profile identifier")?,
            source_endpoint: reader.u8("APS source endpoint")?,
            counter: reader.u8("APS counter")?,
            payload: reader.rest().to_vec(),
        })
    }

    /// The octets of the frame.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![if self.ack_request { ACK_REQUEST } else { 0 }, self.destination_endpoint];
        put(&mut out, u64::from(self.cluster), 2);
        put(&mut out, u64::from(self.profile), 2);
        out.extend([self.source_endpoint, self.counter]);
        out.extend(&self.payload);
        out
    }
}
