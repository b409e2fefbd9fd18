//! What a co-processor tells unasked.

use super::super::types::{ApsHeader, StackStatus};
use super::written;
use crate::bytes::Reader;
use crate::field::{Field, record};
use crate::{Eui64, ZigbeeError};

record! {
    /// The network has come up or gone down.
    StackStatusChanged {
        /// Which.
        status: StackStatus,
    }
}

record! {
    /// A message has reached its device, or has not.
    MessageSent {
        /// As sent.
        kind: u8,
        /// As sent.
        destination: u16,
        /// As sent.
        aps: ApsHeader,
        /// As sent.
        tag: u8,
        /// Whether it arrived.
        status: StackStatus,
        /// The message, where the policy says so.
        message: Vec<u8>,
    }
}

record! {
    /// A message has come.
    IncomingMessage {
        /// 00 to this node alone, 02 to a group, 04 to all.
        kind: u8,
        /// Where from and to.
        aps: ApsHeader,
        /// How well it was heard, 0 to 255.
        lqi: u8,
        /// How strong, in dBm.
        rssi: i8,
        /// From whom.
        sender: u16,
        /// Entry of the binding table, ff for none.
        binding: u8,
        /// Entry of the address table, ff for none.
        address: u8,
        /// The message.
        message: Vec<u8>,
    }
}

record! {
    /// A device has joined the network or left it, as the trust centre sees it.
    TrustCentreJoin {
        /// Its short address.
        address: u16,
        /// The device.
        eui64: Eui64,
        /// 00 joined again, 01 joined, 02 left.
        status: u8,
        /// 02: it was not let in.
        decision: u8,
        /// By whom it reaches the network.
        parent: u16,
    }
}

record! {
    /// How much energy was found on a channel.
    EnergyScanResult {
        /// The channel.
        channel: u8,
        /// The strongest, in dBm.
        rssi: i8,
    }
}

record! {
    /// A scan has ended.
    ScanComplete {
        /// The channel it failed on.
        channel: u8,
        /// How it ended.
        status: StackStatus,
    }
}

/// What a co-processor tells unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callback {
    /// The network has come up or gone down.
    StackStatus(StackStatusChanged),
    /// A message has reached its device, or has not.
    MessageSent(MessageSent),
    /// A message has come.
    IncomingMessage(IncomingMessage),
    /// A device has joined or left.
    TrustCentreJoin(TrustCentreJoin),
    /// How much energy was found on a channel.
    EnergyScanResult(EnergyScanResult),
    /// A scan has ended.
    ScanComplete(ScanComplete),
    /// Another, as it came.
    Other {
        /// Its identifier.
        id: u16,
        /// Its octets.
        parameters: Vec<u8>,
    },
}

impl Callback {
    const STACK_STATUS: u16 = 0x0019;
    const TRUST_CENTRE_JOIN: u16 = 0x0024;
    const SCAN_COMPLETE: u16 = 0x001c;
    const MESSAGE_SENT: u16 = 0x003f;
    const ENERGY_SCAN_RESULT: u16 = 0x0048;
    const INCOMING_MESSAGE: u16 = 0x0045;

    /// The callback of an identifier and its octets.
    ///
    /// # Errors
    /// [`ZigbeeError::Short`] when a field is cut.
    pub fn parse(id: u16, parameters: &[u8]) -> Result<Self, ZigbeeError> {
        let mut reader = Reader::new(parameters);
        Ok(match id {
            Self::STACK_STATUS => Self::StackStatus(Field::read(&mut reader, "StackStatus")?),
            Self::TRUST_CENTRE_JOIN => Self::TrustCentreJoin(Field::read(&mut reader, "TrustCentreJoin")?),
            Self::MESSAGE_SENT => Self::MessageSent(Field::read(&mut reader, "MessageSent")?),
            Self::INCOMING_MESSAGE => Self::IncomingMessage(Field::read(&mut reader, "IncomingMessage")?),
            Self::ENERGY_SCAN_RESULT => Self::EnergyScanResult(Field::read(&mut reader, "EnergyScanResult")?),
            Self::SCAN_COMPLETE => Self::ScanComplete(Field::read(&mut reader, "ScanComplete")?),
            _ => Self::Other { id, parameters: parameters.to_vec() },
        })
    }

    /// Its identifier.
    pub fn id(&self) -> u16 {
        match self {
            Self::EnergyScanResult(_) => Self::ENERGY_SCAN_RESULT,
            Self::ScanComplete(_) => Self::SCAN_COMPLETE,
            Self::StackStatus(_) => Self::STACK_STATUS,
            Self::TrustCentreJoin(_) => Self::TRUST_CENTRE_JOIN,
            Self::MessageSent(_) => Self::MESSAGE_SENT,
            Self::IncomingMessage(_) => Self::INCOMING_MESSAGE,
            Self::Other { id, .. } => *id,
        }
    }

    /// Its octets.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::EnergyScanResult(callback) => written(callback),
            Self::ScanComplete(callback) => written(callback),
            Self::StackStatus(callback) => written(callback),
            Self::TrustCentreJoin(callback) => written(callback),
            Self::MessageSent(callback) => written(callback),
            Self::IncomingMessage(callback) => written(callback),
            Self::Other { parameters, .. } => parameters.clone(),
        }
    }
}
