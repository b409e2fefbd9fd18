//! The first octet says how many octets arrive at a time; the rest go through the same door as the property tests.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Some((cut, octets)) = input.split_first() {
        proto_zigbee::nonsense::ash(octets, usize::from(*cut));
    }
});
