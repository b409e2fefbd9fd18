//! Commands about what the co-processor keeps: addresses, groups, keys, neighbours, values of the stack.

use super::super::types::{
    CurrentSecurityState, InitialSecurityState, KeyStruct, MulticastEntry, Neighbour, ProtocolStatus,
    StackStatus,
};
use super::{Command, written};
use crate::bytes::Reader;
use crate::field::{Field, ToEnd, record};
use crate::{Eui64, ZigbeeError};

ezsp! {
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
