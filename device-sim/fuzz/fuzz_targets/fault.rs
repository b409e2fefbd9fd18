//! The text goes through the same door as the property tests.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| device_sim::nonsense::fault(&String::from_utf8_lossy(input)));
