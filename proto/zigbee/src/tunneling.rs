//! Tunneling cluster (0704): another protocol's messages, such as DLMS/COSEM, between two devices.

use crate::ZigbeeError;
use crate::aps::ApsFrame;
use crate::bytes::{Reader, put};
use crate::zcl::{Direction, Frame, FrameType};

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0704;
/// Transfer data, client to server.
pub const TRANSFER_DATA_TO_SERVER: u8 = 0x02;
/// Transfer data, server to client.
pub const TRANSFER_DATA_TO_CLIENT: u8 = 0x01;

/// A transfer data command: one message of the tunnelled protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferData {
    /// Which way it goes.
    pub direction: Direction,
    /// The tunnel, as agreed when it was opened.
    pub tunnel: u16,
    /// The message.
    pub data: Vec<u8>,
}

impl TransferData {
    /// The octets of an APS frame that carries the message. The message is not cut: fragmentation is the
    /// APS sublayer's below.
    pub fn to_bytes(&self, sequence: u8) -> Vec<u8> {
        let command = match self.direction {
            Direction::ToServer => TRANSFER_DATA_TO_SERVER,
            Direction::ToClient => TRANSFER_DATA_TO_CLIENT,
        };
        let mut payload = Vec::new();
        put(&mut payload, self.tunnel.into(), 2);
        payload.extend(&self.data);
        let mut frame = Frame::cluster(self.direction, sequence, command, payload);
        frame.disable_default_response = true;
        ApsFrame::smart_energy(CLUSTER, sequence, frame.to_bytes()).to_bytes()
    }

    /// Reads the ZCL frame of an APS frame of this cluster.
    ///
    /// # Errors
    /// [`ZigbeeError::Command`] for another command, [`ZigbeeError::Short`] for a cut frame.
    pub fn parse(octets: &[u8]) -> Result<Self, ZigbeeError> {
        let frame = Frame::parse(octets)?;
        let wanted = match frame.direction {
            Direction::ToServer => TRANSFER_DATA_TO_SERVER,
            Direction::ToClient => TRANSFER_DATA_TO_CLIENT,
        };
        if frame.frame_type != FrameType::Cluster || frame.command != wanted {
            return Err(ZigbeeError::Command { command: frame.command });
        }
        let mut reader = Reader::new(&frame.payload);
        let tunnel = reader.u16("tunnel identifier")?;
        Ok(Self { direction: frame.direction, tunnel, data: reader.rest().to_vec() })
    }
}
