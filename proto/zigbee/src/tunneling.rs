//! Tunneling cluster (0704): another protocol's messages, such as DLMS/COSEM, between two devices (Smart
//! Energy 1.4, annex D.6).
//!
//! [`Client`] and [`Server`] are the two ends of a tunnel as state machines: frames and the time go in, frames and
//! events come out.

use std::time::Duration;

use crate::ZigbeeError;
use crate::aps::ApsFrame;
use crate::bytes::{Reader, put};
use crate::field::{Counted, ToEnd, commands, octet, record};
use crate::zcl::{AttributeId, Direction, Frame, FrameType};

mod client;
mod server;
#[cfg(test)]
mod tests;

pub use client::{Client, ClientEvent, ClientSettings, SendError, TunnelError};
pub use server::{Peer, Server, ServerEvent, ServerSettings};

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0704;
/// Seconds without traffic after which the server closes a tunnel, u16.
pub const CLOSE_TUNNEL_TIMEOUT: AttributeId = AttributeId(0x0000);
/// The close time-out where a server names none.
pub const DEFAULT_CLOSE_TIMEOUT: Duration = Duration::from_secs(0xffff);
/// The largest transfer where a side names none, in octets.
pub const DEFAULT_MAX_TRANSFER: u16 = 1500;
/// Tunnel identifier of an answer that opens none.
pub const NO_TUNNEL: u16 = 0xffff;
/// Manufacturer code of a protocol of the standard's own.
pub const STANDARD_PROTOCOL: u16 = 0xffff;
/// Transfer data, client to server.
pub const TRANSFER_DATA_TO_SERVER: u8 = 0x02;
/// Transfer data, server to client.
pub const TRANSFER_DATA_TO_CLIENT: u8 = 0x01;

octet! {
    /// What a tunnel carries.
    Protocol {
        /// DLMS/COSEM, IEC 62056.
        0x00 DlmsCosem,
        /// IEC 61107, now IEC 62056-21.
        0x01 Iec61107,
        /// ANSI C12.
        0x02 AnsiC12,
        /// M-Bus.
        0x03 MBus,
        /// SML.
        0x04 Sml,
        /// ClimateTalk.
        0x05 ClimateTalk,
        /// Great Britain Home-Grid Remote Protocol, of the second generation of meters.
        0x06 GbHrgp,
    }
}

octet! {
    /// How a request for a tunnel ended.
    TunnelStatus {
        /// It is open.
        0x00 Success,
        /// The server has no time for one now.
        0x01 Busy,
        /// All its tunnels are in use.
        0x02 NoMoreTunnelIds,
        /// It does not carry that protocol.
        0x03 ProtocolNotSupported,
        /// It cannot control the flow.
        0x04 FlowControlNotSupported,
    }
}

octet! {
    /// Why a transfer was not taken in.
    TransferStatus {
        /// There is no such tunnel.
        0x00 NoSuchTunnel,
        /// The tunnel is another device's.
        0x01 WrongDevice,
        /// The transfer is larger than was agreed.
        0x02 DataOverflow,
    }
}

commands! {
    /// Commands that the side that asks sends.
    ToServer: ToServer of CLUSTER;
    /// Open a tunnel.
    0x00 RequestTunnel {
        /// What it will carry.
        protocol: Protocol,
        /// Manufacturer code of a protocol of a manufacturer's own, else [`STANDARD_PROTOCOL`].
        manufacturer: u16,
        /// 01: with flow control.
        flow_control: u8,
        /// The largest transfer the asker takes, in octets.
        max_incoming: Option<u16>,
    }
    /// Close a tunnel.
    0x01 CloseTunnel {
        /// Which.
        tunnel: u16,
    }
    /// Octets of the protocol.
    0x02 TransferToServer {
        /// By which tunnel.
        tunnel: u16,
        /// The octets.
        data: ToEnd<u8>,
    }
    /// A transfer was not taken in.
    0x03 TransferErrorToServer {
        /// By which tunnel.
        tunnel: u16,
        /// Why.
        status: TransferStatus,
    }
    /// How much more may be sent.
    0x04 AckTransferToServer {
        /// By which tunnel.
        tunnel: u16,
        /// Octets.
        left: u16,
    }
    /// More may be sent again.
    0x05 ReadyToServer {
        /// By which tunnel.
        tunnel: u16,
        /// Octets.
        left: u16,
    }
    /// Which protocols do you carry?
    0x06 GetSupportedProtocols {
        /// From which in the list.
        offset: u8,
    }
}

commands! {
    /// Commands that the side with the protocol sends.
    ToClient: ToClient of CLUSTER;
    /// How a request for a tunnel ended.
    0x00 RequestTunnelResponse {
        /// Which tunnel, [`NO_TUNNEL`] for none.
        tunnel: u16,
        /// How.
        status: TunnelStatus,
        /// The largest transfer the server takes, in octets.
        max_incoming: Option<u16>,
    }
    /// Octets of the protocol.
    0x01 TransferToClient {
        /// By which tunnel.
        tunnel: u16,
        /// The octets.
        data: ToEnd<u8>,
    }
    /// A transfer was not taken in.
    0x02 TransferErrorToClient {
        /// By which tunnel.
        tunnel: u16,
        /// Why.
        status: TransferStatus,
    }
    /// How much more may be sent.
    0x03 AckTransferToClient {
        /// By which tunnel.
        tunnel: u16,
        /// Octets.
        left: u16,
    }
    /// More may be sent again.
    0x04 ReadyToClient {
        /// By which tunnel.
        tunnel: u16,
        /// Octets.
        left: u16,
    }
    /// The protocols carried.
    0x05 SupportedProtocolsResponse {
        /// 01: there are no more.
        complete: u8,
        /// The protocols.
        protocols: Counted<SupportedProtocol>,
    }
    /// The server has closed a tunnel that was not used.
    0x06 TunnelClosureNotification {
        /// Which.
        tunnel: u16,
    }
}

record! {
    /// A protocol a server carries.
    SupportedProtocol {
        /// Manufacturer code, [`STANDARD_PROTOCOL`] for the standard's own.
        manufacturer: u16,
        /// The protocol.
        protocol: Protocol,
    }
}

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
