//! What crosses the line to a ZigBee dongle, in words: frames of ASH, EZSP commands in them, and the ZCL frames in those.

use proto_zigbee::explain;

use super::{Layer, tree};

/// Whether packets of this link are those of a dongle: `rig-1/dongle`, or `dongle` of `harness zigbee`.
pub(super) fn is_spoken_on(link: &str) -> bool {
    link == "dongle" || link.ends_with("/dongle")
}

/// The layers of octets that a flag ends: the frame on the line, and the command it carries.
pub(super) fn layers(octets: &[u8]) -> Vec<Layer> {
    let frame = explain::ash(octets);
    let tree = tree::of_zigbee(&frame.span, octets);
    let own = Layer { what: tree.name.clone(), octets: octets.to_vec(), tree };
    let carried = frame.payload.map(|payload| {
        let tree = tree::of_zigbee(&explain::ezsp(&payload), &payload);
        Layer { what: tree.name.clone(), octets: payload, tree }
    });
    std::iter::once(own).chain(carried).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_dongle_is_taken_for_one() {
        assert!(is_spoken_on("rig-1/dongle") && is_spoken_on("dongle"));
        assert!(!is_spoken_on("rig-1/ESME/optical") && !is_spoken_on("rig-1/broker"));
    }

    #[test]
    fn a_reset_is_one_layer_and_damage_is_said() {
        let layers = layers(&[0x1a, 0xc0, 0x38, 0xbc, 0x7e]);
        assert_eq!(layers.len(), 1);
        assert!(layers[0].tree.is_sound() && layers[0].tree.value.starts_with("RST"));
        assert!(!super::layers(&[0xc0, 0x38, 0xbd, 0x7e])[0].tree.is_sound());
    }
}
