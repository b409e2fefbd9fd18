//! Any octets: never a panic, and what reads as a message reads the same when written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto_duis::{Request, Response, S1spAlert, Smets1Response, TrustStore, describe};

fuzz_target!(|octets: &[u8]| {
    let _ = describe(octets, &TrustStore::new());
    if let Ok(request) = Request::parse(octets) {
        assert_eq!(Request::parse(request.to_xml().as_bytes()), Ok(request));
    }
    if let Ok(response) = Response::parse(octets) {
        assert_eq!(Response::parse(response.to_xml().as_bytes()), Ok(response));
    }
    if let Ok(message) = Smets1Response::parse(octets) {
        let again = Smets1Response::parse(message.content().to_xml().as_bytes());
        assert_eq!(again.as_ref(), Ok(&message));
    }
    let _ = S1spAlert::parse(octets);
});
