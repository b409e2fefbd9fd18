//! The octets go through the same door as the property tests.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| proto_zigbee::nonsense::ezsp(input));
