//! Messaging cluster (0703): texts for a display (Smart Energy 1.4, annex D.5).

use crate::ZigbeeError;
use crate::bytes::Reader;
use crate::field::{Field, UtcTime, commands};

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0703;
/// Display message command, server to client.
pub const DISPLAY_MESSAGE: u8 = DisplayMessage::ID;
/// Cancel message command, server to client.
pub const CANCEL_MESSAGE: u8 = CancelMessage::ID;
/// Bit of a message's control octet: a person must confirm it.
pub const CONFIRMATION_REQUIRED: u8 = 0x80;
/// Bit of a message's control octet: the confirmation may carry an answer.
pub const ENHANCED_CONFIRMATION_REQUIRED: u8 = 0x20;

commands! {
    /// Commands that a display sends.
    ToServer: ToServer of CLUSTER;
    /// What is the last message?
    0x00 GetLastMessage {}
    /// A person has confirmed a message.
    0x01 MessageConfirmation {
        /// The message.
        id: u32,
        /// When it was confirmed.
        confirmed: UtcTime,
        /// Bit 0: the answer was no (0) or yes (1).
        answer: Option<u8>,
        /// What the person answered, up to 21 octets.
        response: Option<Vec<u8>>,
    }
    /// Which messages were cancelled?
    0x02 GetMessageCancellation {
        /// From when.
        earliest: UtcTime,
    }
}

commands! {
    /// Commands that a display is sent.
    ToClient: ToClient of CLUSTER;
    /// A text to show.
    0x00 DisplayMessage {
        /// Unique number of the message.
        id: u32,
        /// Transmission mechanism (bits 0 and 1), importance (2 and 3), [`CONFIRMATION_REQUIRED`].
        control: u8,
        /// From when to show it.
        start: UtcTime,
        /// Minutes to show it; ffff until changed.
        minutes: u16,
        /// The text, as octets: a device may be sent anything.
        text: Vec<u8>,
        /// Bit 0: the message has been confirmed.
        extended_control: Option<u8>,
    }
    /// A message is not to be shown any longer.
    0x01 CancelMessage {
        /// The message.
        id: u32,
        /// As of the message.
        control: u8,
    }
    /// A text to show once a person has entered a PIN.
    0x02 DisplayProtectedMessage {
        /// Unique number of the message.
        id: u32,
        /// As of [`DisplayMessage`].
        control: u8,
        /// From when to show it.
        start: UtcTime,
        /// Minutes to show it; ffff until changed.
        minutes: u16,
        /// The text.
        text: Vec<u8>,
        /// Bit 0: the message has been confirmed.
        extended_control: Option<u8>,
    }
    /// No message is to be shown any longer.
    0x03 CancelAllMessages {
        /// From when.
        implementation: UtcTime,
    }
}

impl DisplayMessage {
    /// A text to be shown at once.
    pub fn now(id: u32, minutes: u16, text: &[u8]) -> Self {
        Self { id, control: 0, start: UtcTime::NOW, minutes, text: text.to_vec(), extended_control: None }
    }

    /// Whether a person must confirm it.
    pub fn wants_confirmation(&self) -> bool {
        self.control & CONFIRMATION_REQUIRED != 0
    }

    /// Reads the payload of the command.
    ///
    /// # Errors
    /// [`ZigbeeError::Short`] when it is cut. Octets after the text are allowed: later revisions add fields.
    pub fn parse(payload: &[u8]) -> Result<Self, ZigbeeError> {
        Self::read(&mut Reader::new(payload), "message")
    }

    /// The octets of an APS frame that shows the message on a device's endpoint 1.
    pub fn request(&self, sequence: u8) -> Vec<u8> {
        ToClient::from(self.clone()).smart_energy(sequence).to_bytes()
    }
}
