//! States and structures of commands.

use crate::Eui64;
use crate::field::{octet, record};

octet! {
    /// How the stack has carried a command out (EmberStatus).
    StackStatus {
        /// Done.
        0x00 Success,
        /// It went wrong for good.
        0x01 Fatal,
        /// An argument cannot be.
        0x02 BadArgument,
        /// There is nothing of that kind.
        0x03 NotFound,
        /// The message did not reach its device.
        0x66 DeliveryFailed,
        /// It cannot be done in this state.
        0x70 InvalidCall,
        /// Too many messages are on their way.
        0x72 MaxMessageLimitReached,
        /// The message is too long.
        0x74 MessageTooLong,
        /// The network is up.
        0x90 NetworkUp,
        /// The network is down.
        0x91 NetworkDown,
        /// The node is in no network.
        0x93 NotJoined,
        /// There are not that many entries.
        0xb1 IndexOutOfRange,
        /// The entry is empty.
        0xb6 TableEntryErased,
    }
}

octet! {
    /// How the protocol has carried a command out (EzspStatus).
    ProtocolStatus {
        /// Done.
        0x00 Success,
        /// No version has been agreed on yet.
        0x30 VersionNotSet,
        /// There is no such command.
        0x31 InvalidFrameId,
        /// That frame goes the other way.
        0x32 WrongDirection,
        /// A value cannot be.
        0x36 InvalidValue,
        /// There is no such configuration, value or policy.
        0x37 InvalidId,
        /// It cannot be done in this state.
        0x38 InvalidCall,
        /// The frame ends before its fields.
        0x3f CommandTooShort,
    }
}

octet! {
    /// How the node stands to its network.
    NetworkState {
        /// In none.
        0x00 NoNetwork,
        /// About to join.
        0x01 Joining,
        /// In one.
        0x02 Joined,
        /// In one, without its parent.
        0x03 JoinedNoParent,
        /// About to leave.
        0x04 Leaving,
    }
}

octet! {
    /// What a node is in its network.
    NodeType {
        /// Nobody has said.
        0x00 Unknown,
        /// It forms the network.
        0x01 Coordinator,
        /// It passes frames on.
        0x02 Router,
        /// It listens always.
        0x03 EndDevice,
        /// It sleeps.
        0x04 SleepyEndDevice,
    }
}

record! {
    /// Where a message goes: the header of an APS frame.
    ApsHeader {
        /// Profile.
        profile: u16,
        /// Cluster.
        cluster: u16,
        /// Endpoint of the sender.
        source_endpoint: u8,
        /// Endpoint of the receiver.
        destination_endpoint: u8,
        /// See [`aps_option`].
        options: u16,
        /// Group of a multicast; number of the part of a message in parts.
        group: u16,
        /// Number the stack gives it.
        sequence: u8,
    }
}

/// Options of an [`ApsHeader`], one bit each.
pub mod aps_option {
    /// Encrypted with the link key.
    pub const ENCRYPTION: u16 = 0x0020;
    /// Sent again when it is not acknowledged.
    pub const RETRY: u16 = 0x0040;
    /// A route is looked for where none is known.
    pub const ENABLE_ROUTE_DISCOVERY: u16 = 0x0100;
}

record! {
    /// A network and how it is reached.
    NetworkParameters {
        /// Its long identifier.
        extended_pan_id: [u8; 8],
        /// Its short identifier.
        pan_id: u16,
        /// In dBm.
        tx_power: i8,
        /// 11 to 26.
        channel: u8,
        /// How nodes join.
        join_method: u8,
        /// Who manages it.
        manager: u16,
        /// Number of its last change.
        update_id: u8,
        /// Channels it may move to, one bit each.
        channels: u32,
    }
}

record! {
    /// How a network to be formed is secured.
    InitialSecurityState {
        /// See [`security_bits`].
        bitmask: u16,
        /// Link key of the trust centre.
        preconfigured_key: [u8; 16],
        /// Key of the network.
        network_key: [u8; 16],
        /// Number of the network key.
        key_sequence: u8,
        /// The trust centre.
        trust_centre: Eui64,
    }
}

/// Bits of an [`InitialSecurityState`].
pub mod security_bits {
    /// One link key for all.
    pub const GLOBAL_LINK_KEY: u16 = 0x0004;
    /// The trust centre is named.
    pub const HAVE_TRUST_CENTRE: u16 = 0x0040;
    /// Link keys are made from one by the address of the device.
    pub const HASHED_LINK_KEY: u16 = 0x0084;
    /// The link key is given.
    pub const HAVE_PRECONFIGURED_KEY: u16 = 0x0100;
    /// The network key is given.
    pub const HAVE_NETWORK_KEY: u16 = 0x0200;
    /// A device must know the link key to get the network key.
    pub const REQUIRE_ENCRYPTED_KEY: u16 = 0x0800;
    /// Frame counters go on from where they were.
    pub const NO_FRAME_COUNTER_RESET: u16 = 0x1000;
}

record! {
    /// How the network is secured.
    CurrentSecurityState {
        /// Bit 2: one link key for all; bit 4: there is one; bits 2 and 7: link keys are made from one.
        bitmask: u16,
        /// The trust centre.
        trust_centre: Eui64,
    }
}

record! {
    /// A key and its counters.
    KeyStruct {
        /// Bit 0: it has a number; bits 1 and 2: counters; bit 3: a partner; bit 4: it is authorised.
        bitmask: u16,
        /// 01 link key of the trust centre, 03 network key.
        key_type: u8,
        /// The key.
        key: [u8; 16],
        /// Frames sent with it.
        outgoing_frame_counter: u32,
        /// Frames received with it.
        incoming_frame_counter: u32,
        /// Its number.
        sequence: u8,
        /// Whose it is too.
        partner: Eui64,
    }
}

record! {
    /// A device that reaches the network by this one.
    ChildData {
        /// The device.
        eui64: Eui64,
        /// What it is.
        node_type: NodeType,
        /// Its short address.
        address: u16,
        /// The radio it uses.
        phy: u8,
        /// Its transmit power.
        power: u8,
        /// When it is given up.
        timeout: u8,
    }
}

record! {
    /// A device within reach that passes frames on.
    Neighbour {
        /// Its short address.
        address: u16,
        /// How well it is heard, 0 to 255.
        average_lqi: u8,
        /// Cost of the way from it.
        in_cost: u8,
        /// Cost of the way to it.
        out_cost: u8,
        /// How long ago it was heard.
        age: u8,
        /// The device.
        eui64: Eui64,
    }
}

record! {
    /// A group the node listens to.
    MulticastEntry {
        /// The group; no endpoint stands for none.
        group: u16,
        /// Endpoint that is in it.
        endpoint: u8,
        /// Which network.
        network: u8,
    }
}
