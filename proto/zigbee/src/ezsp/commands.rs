//! Commands, their responses, and callbacks.

use super::types::{
    ApsHeader, ChildData, CurrentSecurityState, InitialSecurityState, KeyStruct, MulticastEntry, Neighbour,
    NetworkParameters, NetworkState, NodeType, ProtocolStatus, StackStatus,
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
    /// Which short address has a device?
    0x0060 LookupNodeId {
        /// The device.
        eui64: Eui64,
    } -> LookupNodeIdResponse {
        /// Its short address; ffff when not known.
        address: u16,
    }
    /// Which device has a short address?
    0x0061 LookupEui64 {
        /// The address.
        address: u16,
    } -> LookupEui64Response {
        /// How it ended.
        status: StackStatus,
        /// The device.
        eui64: Eui64,
    }
    /// Which group is at an entry?
    0x0063 GetMulticastTableEntry {
        /// Entry of the table.
        index: u8,
    } -> GetMulticastTableEntryResponse {
        /// How it ended.
        status: StackStatus,
        /// The entry.
        value: MulticastEntry,
    }
    /// Puts a group at an entry.
    0x0064 SetMulticastTableEntry {
        /// Entry of the table.
        index: u8,
        /// The entry.
        value: MulticastEntry,
    } -> SetMulticastTableEntryResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Keeps a link key shared with a device.
    0x0066 AddOrUpdateKeyTableEntry {
        /// The device.
        address: Eui64,
        /// Whether it is a link key.
        link_key: u8,
        /// The key.
        key: [u8; 16],
    } -> AddOrUpdateKeyTableEntryResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Which device is at an entry of the address table?
    0x005e GetAddressTableEui64 {
        /// Entry of the table.
        index: u8,
    } -> GetAddressTableEui64Response {
        /// The device; all ff for none.
        eui64: Eui64,
    }
    /// Which short address is at an entry of the address table?
    0x005f GetAddressTableNodeId {
        /// Entry of the table.
        index: u8,
    } -> GetAddressTableNodeIdResponse {
        /// The address; ffff for none.
        address: u16,
    }
    /// Puts a device at an entry of the address table.
    0x0082 ReplaceAddressTableEntry {
        /// Entry of the table.
        index: u8,
        /// The device.
        eui64: Eui64,
        /// Its short address.
        address: u16,
        /// Whether it sleeps.
        extended_timeout: u8,
    } -> ReplaceAddressTableEntryResponse {
        /// How it ended.
        status: StackStatus,
        /// The device that was there.
        old_eui64: Eui64,
        /// Its short address.
        old_address: u16,
        /// Whether it sleeps.
        old_extended_timeout: u8,
    }
    /// Waits longer for a device that sleeps.
    0x007e SetExtendedTimeout {
        /// The device.
        eui64: Eui64,
        /// Whether.
        extended_timeout: u8,
    } -> SetExtendedTimeoutResponse {}
    /// Does it wait longer for a device?
    0x007f GetExtendedTimeout {
        /// The device.
        eui64: Eui64,
    } -> GetExtendedTimeoutResponse {
        /// Whether.
        extended_timeout: u8,
    }
    /// Has a device leave.
    0x00a8 RemoveDevice {
        /// Short address to send it to.
        address: u16,
        /// Device to send it to.
        eui64: Eui64,
        /// Device that leaves.
        target: Eui64,
    } -> RemoveDeviceResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Counters, which begin again.
    0x0065 ReadAndClearCounters {} -> ReadAndClearCountersResponse {
        /// Each.
        values: ToEnd<u16>,
    }
    /// How the network to be formed is secured.
    0x0068 SetInitialSecurityState {
        /// How.
        state: InitialSecurityState,
    } -> SetInitialSecurityStateResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// How is the network secured?
    0x0069 GetCurrentSecurityState {} -> GetCurrentSecurityStateResponse {
        /// How it ended.
        status: StackStatus,
        /// How.
        state: CurrentSecurityState,
    }
    /// What is a key?
    0x006a GetKey {
        /// 01 link key of the trust centre, 03 network key.
        key_type: u8,
    } -> GetKeyResponse {
        /// How it ended.
        status: StackStatus,
        /// The key.
        key: KeyStruct,
    }
    /// Forgets keys of devices about to join.
    0x006b ClearTransientLinkKeys {} -> ClearTransientLinkKeysResponse {}
    /// Which link key is at an entry?
    0x0071 GetKeyTableEntry {
        /// Entry of the table.
        index: u8,
    } -> GetKeyTableEntryResponse {
        /// How it ended.
        status: StackStatus,
        /// The key.
        key: KeyStruct,
    }
    /// At which entry is a device's link key?
    0x0075 FindKeyTableEntry {
        /// The device.
        address: Eui64,
        /// Whether it is a link key.
        link_key: u8,
    } -> FindKeyTableEntryResponse {
        /// The entry; ff when there is none.
        index: u8,
    }
    /// Forgets the link key at an entry.
    0x0076 EraseKeyTableEntry {
        /// Entry of the table.
        index: u8,
    } -> EraseKeyTableEntryResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Which device is a neighbour?
    0x0079 GetNeighbour {
        /// Entry of the table.
        index: u8,
    } -> GetNeighbourResponse {
        /// How it ended.
        status: StackStatus,
        /// The neighbour.
        neighbour: Neighbour,
    }
    /// How many neighbours are there?
    0x007a NeighbourCount {} -> NeighbourCountResponse {
        /// How many.
        count: u8,
    }
    /// Sets the power of the radio.
    0x0099 SetRadioPower {
        /// In dBm.
        power: i8,
    } -> SetRadioPowerResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Reads a value of the stack.
    0x00aa GetValue {
        /// Which.
        id: u8,
    } -> GetValueResponse {
        /// How it ended.
        status: ProtocolStatus,
        /// Its octets.
        value: Vec<u8>,
    }
    /// Writes a value of the stack.
    0x00ab SetValue {
        /// Which.
        id: u8,
        /// Its octets.
        value: Vec<u8>,
    } -> SetValueResponse {
        /// How it ended.
        status: ProtocolStatus,
    }
    /// Keeps the key of a device about to join.
    0x00af AddTransientLinkKey {
        /// The device; all ff for any.
        partner: Eui64,
        /// The key.
        key: [u8; 16],
    } -> AddTransientLinkKeyResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Forgets all link keys.
    0x00b1 ClearKeyTable {} -> ClearKeyTableResponse {
        /// How it ended.
        status: StackStatus,
    }
    /// Counters.
    0x00f1 ReadCounters {} -> ReadCountersResponse {
        /// Each.
        values: ToEnd<u16>,
    }
}

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
