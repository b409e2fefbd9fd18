//! Any octets as a certificate of the lab's authority, or as its file of people: read, or refused in words.
#![no_main]

use harness::server::identity::People;
use harness::server::pki::Certified;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    if let Err(fault) = Certified::from_der(octets) {
        assert!(!fault.to_string().is_empty());
    }
    if let Ok(text) = std::str::from_utf8(octets)
        && let Err(reason) = People::parse(text)
    {
        assert!(!reason.is_empty());
    }
});
