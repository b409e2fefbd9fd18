//! The octets as they come, through the same door as the property tests.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| proto_dlms::nonsense::secured(octets));
