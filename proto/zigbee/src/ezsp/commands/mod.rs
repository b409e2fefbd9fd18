//! Commands, their responses, and callbacks.
//!
//! Those of a session, its network and its messages stand here; `tables` has those about what the co-processor keeps.

mod callbacks;

pub use callbacks::*;
pub use tables::*;

use super::types::{
    ApsHeader, ChildData, NetworkParameters, NetworkState, NodeType, ProtocolStatus, StackStatus,
};
use crate::bytes::Reader;
use crate::field::{Field, ToEnd, record};
use crate::{Eui64, ZigbeeError};

/// Something a host asks, and what it is answered.
pub trait Command: Sized {
    /// Identifier of command and response.
    const ID: u16;
    /// What the protocol calls it.
    const NAME: &'static str;
    /// What is answered.
    type Response: Sized;

    /// Octets of the parameters.
    fn to_bytes(&self) -> Vec<u8>;

    /// Reads the parameters.
    ///
    /// # Errors
    /// [`ZigbeeError::Short`] when they are cut.
    fn parse(octets: &[u8]) -> Result<Self, ZigbeeError>;

    /// Octets of a response.
    fn response_to_bytes(response: &Self::Response) -> Vec<u8>;

    /// Reads a response. Octets after the last known field are allowed.
    ///
    /// # Errors
    /// [`ZigbeeError::Short`] when it is cut.
    fn parse_response(octets: &[u8]) -> Result<Self::Response, ZigbeeError>;
}

macro_rules! ezsp {
    ($(
        $(#[$doc:meta])* $id:literal $name:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        } -> $response:ident {
            $($(#[$answer_doc:meta])* $answer:ident: $answer_type:ty,)*
        }
    )*) => { $(
        record! { $(#[$doc])* $name { $($(#[$field_doc])* $field: $type,)* } }
        record! {
            #[doc = concat!("What is answered to [`", stringify!($name), "`].")]
            $response { $($(#[$answer_doc])* $answer: $answer_type,)* }
        }

        impl Command for $name {
            const ID: u16 = $id;
            const NAME: &'static str = stringify!($name);
            type Response = $response;

            fn to_bytes(&self) -> Vec<u8> {
                written(self)
            }

            fn parse(octets: &[u8]) -> Result<Self, ZigbeeError> {
                Field::read(&mut Reader::new(octets), stringify!($name))
            }

            fn response_to_bytes(response: &Self::Response) -> Vec<u8> {
                written(response)
            }

            fn parse_response(octets: &[u8]) -> Result<Self::Response, ZigbeeError> {
                Field::read(&mut Reader::new(octets), stringify!($response))
            }
        }
    )* };
}

// After the macro, which it uses.
mod tables;

fn written(fields: &impl Field) -> Vec<u8> {
    let mut out = Vec::new();
    fields.write(&mut out);
    out
}

/// Identifier of the answer to a command that cannot be carried out at all.
pub const INVALID_COMMAND: u16 = 0x0058;

ezsp! {
    /// Agrees on the version of the protocol; the first command of a session.
    0x0000 AskVersion {
        /// The version the host would speak.
        desired: u8,
    } -> AskVersionResponse {
        /// The version the co-processor speaks.
        version: u8,
        /// 02: a mesh.
        stack_type: u8,
        /// Version of the stack, a nibble a part.
        stack_version: u16,
    }
    /// Announces an endpoint of the host.
    0x0002 AddEndpoint {
        /// Which.
        endpoint: u8,
        /// Profile of its clusters.
        profile: u16,
        /// Kind of device in that profile.
        device: u16,
        /// Version of that kind.
        version: u8,
        /// How many clusters it serves.
        servers: u8,
        /// How many it uses.
        clients: u8,
        /// Those it serves, then those it uses.
        clusters: ToEnd<u16>,
    } -> AddEndpointResponse {
        /// How it ended.
        status: ProtocolStatus,
    }
    /// Nothing; keeps the line warm.
    0x0005 Nop {} -> NopResponse {}
    /// Says octets back.
    0x0081 Echo {
        /// The octets.
        data: Vec<u8>,
    } -> EchoResponse {
        /// They.
        echo: Vec<u8>,
    }
    /// Reads a manufacturing token.
    0x000b GetManufacturingToken {
        /// Which.
        token: u8,
    } -> GetManufacturingTokenResponse {
        /// Its octets, ff where never written.
        data: Vec<u8>,
    }
    /// Writes a manufacturing token, once.
    0x000c SetManufacturingToken {
        /// Which.
        token: u8,
        /// Its octets.
        data: Vec<u8>,
    } -> SetManufacturingTokenResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Writes a token of the host's own.
    0x0009 SetToken {
        /// Which.
        token: u8,
        /// Its octets.
        data: [u8; 8],
    } -> SetTokenResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Reads a token of the host's own.
    0x000a GetToken {
        /// Which.
        token: u8,
    } -> GetTokenResponse {
        /// How it ended.
        status: StackStatus,
        /// Its octets.
        data: [u8; 8],
    }
    /// Makes the node a concentrator, or no longer.
    0x0010 SetConcentrator {
        /// Whether.
        on: u8,
        /// How much it remembers.
        kind: u16,
        /// Seconds between its route requests at least.
        minimum: u16,
        /// Seconds between its route requests at most.
        maximum: u16,
        /// Route errors before one.
        route_errors: u8,
        /// Lost messages before one.
        delivery_failures: u8,
        /// How far it reaches.
        hops: u8,
    } -> SetConcentratorResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Sets the manufacturer code in the node descriptor.
    0x0015 SetManufacturerCode {
        /// The code.
        code: u16,
    } -> SetManufacturerCodeResponse {}
    /// Goes back into the network the node was in.
    0x0017 NetworkInit {
        /// Options.
        options: u16,
    } -> NetworkInitResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// How does the node stand to its network?
    0x0018 GetNetworkState {} -> GetNetworkStateResponse {
        /// How.
        state: NetworkState,
    }
    /// Looks for energy or networks on channels.
    0x001a StartScan {
        /// 00 energy, 01 networks.
        kind: u8,
        /// Channels, one bit each.
        channels: u32,
        /// How long on each, as an exponent of two.
        duration: u8,
    } -> StartScanResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Looks no longer.
    0x001d StopScan {} -> StopScanResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Forms a network.
    0x001e FormNetwork {
        /// Which.
        parameters: NetworkParameters,
    } -> FormNetworkResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Leaves the network.
    0x0020 LeaveNetwork {} -> LeaveNetworkResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Lets devices join for a time.
    0x0022 PermitJoining {
        /// Seconds; 0 none, ff without end.
        seconds: u8,
    } -> PermitJoiningResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// What is the node's address?
    0x0026 GetEui64 {} -> GetEui64Response {
        /// It.
        eui64: Eui64,
    }
    /// What is the node's short address?
    0x0027 GetNodeId {} -> GetNodeIdResponse {
        /// It; fffe in no network.
        address: u16,
    }
    /// Which network is the node in?
    0x0028 GetNetworkParameters {} -> GetNetworkParametersResponse {
        /// How it ended.
        status: StackStatus,
        /// What the node is there.
        node_type: NodeType,
        /// The network.
        parameters: NetworkParameters,
    }
    /// How many children has the node, and which parent?
    0x0029 GetParentChildParameters {} -> GetParentChildParametersResponse {
        /// Children.
        children: u8,
        /// Its parent.
        parent: Eui64,
        /// Short address of its parent.
        parent_address: u16,
    }
    /// How long may a message be?
    0x0033 MaximumPayloadLength {} -> MaximumPayloadLengthResponse {
        /// Octets.
        octets: u8,
    }
    /// Sends a message to one device.
    0x0034 SendUnicast {
        /// 00: the destination is a short address.
        kind: u8,
        /// To whom.
        destination: u16,
        /// Where there.
        aps: ApsHeader,
        /// Comes back in [`MessageSent`].
        tag: u8,
        /// The message.
        message: Vec<u8>,
    } -> SendUnicastResponse {
        /// How it ended.
        status: StackStatus,
        /// Number the stack has given it.
        sequence: u8,
    }
    /// Sends a message to all.
    0x0036 SendBroadcast {
        /// To all of which kind.
        destination: u16,
        /// Where there.
        aps: ApsHeader,
        /// How far.
        radius: u8,
        /// Comes back in [`MessageSent`].
        tag: u8,
        /// The message.
        message: Vec<u8>,
    } -> SendBroadcastResponse {
        /// How it ended.
        status: StackStatus,
        /// Number the stack has given it.
        sequence: u8,
    }
    /// Sends a message to a group.
    0x0038 SendMulticast {
        /// To which group, and where there.
        aps: ApsHeader,
        /// How far.
        hops: u8,
        /// How far beyond the group.
        nonmember_radius: u8,
        /// Comes back in [`MessageSent`].
        tag: u8,
        /// The message.
        message: Vec<u8>,
    } -> SendMulticastResponse {
        /// How it ended.
        status: StackStatus,
        /// Number the stack has given it.
        sequence: u8,
    }
    /// A random number.
    0x0049 GetRandomNumber {} -> GetRandomNumberResponse {
        /// How it ended.
        status: StackStatus,
        /// The number.
        value: u16,
    }
    /// Which device is a child?
    0x004a GetChildData {
        /// Entry of the table.
        index: u8,
    } -> GetChildDataResponse {
        /// How it ended.
        status: StackStatus,
        /// The child.
        child: ChildData,
    }
    /// How is the stack configured?
    0x0052 GetConfigurationValue {
        /// In what.
        id: u8,
    } -> GetConfigurationValueResponse {
        /// How it ended.
        status: ProtocolStatus,
        /// Its value.
        value: u16,
    }
    /// Configures the stack.
    0x0053 SetConfigurationValue {
        /// In what.
        id: u8,
        /// Its value.
        value: u16,
    } -> SetConfigurationValueResponse {
        /// How it ended.
        status: ProtocolStatus,
    }
    /// What is the node to do by itself when asked something?
    0x0055 SetPolicy {
        /// Asked what.
        policy: u8,
        /// What it does.
        decision: u8,
    } -> SetPolicyResponse {
        /// How it ended.
        status: ProtocolStatus,
    }
    /// What does the node do by itself when asked something?
    0x0056 GetPolicy {
        /// Asked what.
        policy: u8,
    } -> GetPolicyResponse {
        /// How it ended.
        status: ProtocolStatus,
        /// What it does.
        decision: u8,
    }
    /// When routes are asked for.
    0x005a SetSourceRouteDiscoveryMode {
        /// Mode.
        mode: u8,
    } -> SetSourceRouteDiscoveryModeResponse {
        /// Milliseconds to the next.
        remaining: u32,
    }
}
