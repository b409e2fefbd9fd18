//! Frames as they would go over the air, for a packet viewer: a capture file of IEEE 802.15.4 frames without security,
//! each with one ZCL frame in it.

use proto_zigbee::aps::ApsFrame;

/// Link type of IEEE 802.15.4 frames without their check sequence.
const IEEE_802_15_4: u32 = 230;
const PAN: u16 = 0x1a62;

/// A capture file (classic pcap) of these frames, in order.
pub(crate) fn capture(frames: &[ApsFrame]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 0x0000_ffff, IEEE_802_15_4] {
        file.extend(word.to_le_bytes());
    }
    for (frame, sequence) in frames.iter().zip(0u8..) {
        let octets = on_air(frame, sequence);
        let length = u32::try_from(octets.len()).unwrap();
        for word in [u32::from(sequence), 0, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(octets);
    }
    file
}

/// Medium access, network, application support: as short as each may be.
fn on_air(frame: &ApsFrame, sequence: u8) -> Vec<u8> {
    let (destination, source) = (0x0000_u16, 0x1234_u16);
    let mut octets = Vec::new();
    // A data frame within one network, short addresses.
    octets.extend(0x8841_u16.to_le_bytes());
    octets.push(sequence);
    for word in [PAN, destination, source] {
        octets.extend(word.to_le_bytes());
    }
    // A network data frame of protocol version 2.
    octets.extend(0x0008_u16.to_le_bytes());
    for word in [destination, source] {
        octets.extend(word.to_le_bytes());
    }
    octets.extend([30, sequence]);
    octets.extend(frame.to_bytes());
    octets
}
