//! The control octet: what kind of frame this is, and its sequence numbers (IEC 62056-46, 6.4.3).

/// What kind of frame this is. `poll` is the poll bit from a client, the final bit from a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// I: part of a message.
    Information {
        /// Number of the next frame expected from the other side.
        nr: u8,
        /// Number of this frame.
        ns: u8,
        /// Poll or final bit.
        poll: bool,
    },
    /// RR: ready for more.
    ReceiveReady {
        /// Number of the next frame expected from the other side.
        nr: u8,
        /// Poll or final bit.
        poll: bool,
    },
    /// RNR: not ready now.
    ReceiveNotReady {
        /// Number of the next frame expected from the other side.
        nr: u8,
        /// Poll or final bit.
        poll: bool,
    },
    /// REJ: something is missing. IEC 62056-46 does without it, some meters do not.
    Reject {
        /// Number of the frame missing.
        nr: u8,
        /// Poll or final bit.
        poll: bool,
    },
    /// A frame without sequence numbers.
    Unnumbered {
        /// Which.
        kind: Unnumbered,
        /// Poll or final bit.
        poll: bool,
    },
    /// A control octet this link does not have.
    Unknown(u8),
}

/// The frames without sequence numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unnumbered {
    /// SNRM: connect.
    Connect,
    /// DISC: disconnect.
    Disconnect,
    /// UA: agreed.
    Acknowledge,
    /// DM: not connected.
    Disconnected,
    /// FRMR: a frame that cannot be accepted has arrived.
    FrameReject,
    /// UI: a message outside the sequence.
    Information,
}

const POLL: u8 = 0x10;

const UNNUMBERED: [(u8, Unnumbered); 6] = [
    (0x83, Unnumbered::Connect),
    (0x43, Unnumbered::Disconnect),
    (0x63, Unnumbered::Acknowledge),
    (0x0F, Unnumbered::Disconnected),
    (0x87, Unnumbered::FrameReject),
    (0x03, Unnumbered::Information),
];

impl Control {
    pub(super) fn unnumbered(kind: Unnumbered) -> Self {
        Self::Unnumbered { kind, poll: true }
    }

    /// Whether the poll or final bit is set.
    pub fn poll(self) -> bool {
        match self {
            Control::Information { poll, .. }
            | Control::ReceiveReady { poll, .. }
            | Control::ReceiveNotReady { poll, .. }
            | Control::Reject { poll, .. }
            | Control::Unnumbered { poll, .. } => poll,
            Control::Unknown(octet) => octet & POLL != 0,
        }
    }

    /// The octet on the line.
    pub fn octet(self) -> u8 {
        let poll = if self.poll() { POLL } else { 0 };
        match self {
            Control::Information { nr, ns, .. } => ((nr & 7) << 5) | poll | ((ns & 7) << 1),
            Control::ReceiveReady { nr, .. } => ((nr & 7) << 5) | poll | 0x01,
            Control::ReceiveNotReady { nr, .. } => ((nr & 7) << 5) | poll | 0x05,
            Control::Reject { nr, .. } => ((nr & 7) << 5) | poll | 0x09,
            Control::Unnumbered { kind, .. } => {
                UNNUMBERED.iter().find(|row| row.1 == kind).map_or(0, |row| row.0) | poll
            }
            Control::Unknown(octet) => octet,
        }
    }

    /// The meaning of an octet on the line.
    pub fn from_octet(octet: u8) -> Self {
        let (nr, poll) = (octet >> 5, octet & POLL != 0);
        let unnumbered = UNNUMBERED.iter().find(|row| row.0 == octet & !POLL);
        match (octet & 0x0F, unnumbered) {
            (low, _) if low & 1 == 0 => Control::Information { nr, ns: (octet >> 1) & 7, poll },
            (0x01, _) => Control::ReceiveReady { nr, poll },
            (0x05, _) => Control::ReceiveNotReady { nr, poll },
            (0x09, _) => Control::Reject { nr, poll },
            (_, Some((_, kind))) => Control::Unnumbered { kind: *kind, poll },
            (_, None) => Control::Unknown(octet),
        }
    }
}
