//! Any octets as a payload of a station: read, and written as something that reads the same, or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto_lab::station::{Acknowledgement, Command, MainsState, Reading, Status};

fuzz_target!(|payload: &[u8]| {
    if let Ok(command) = Command::parse(payload) {
        assert_eq!(Command::parse(&command.to_payload()).expect("read back"), command);
    }
    if let Ok(acknowledgement) = Acknowledgement::parse(payload) {
        let again = Acknowledgement::parse(&acknowledgement.to_payload());
        assert_eq!(again.expect("read back"), acknowledgement);
    }
    if let Ok(reading) = Reading::parse(payload) {
        let again = Reading::parse(&reading.to_payload()).expect("read back");
        assert!((again.value - reading.value).abs() <= 2.0 * f64::EPSILON * reading.value.abs());
    }
    drop((Status::parse(payload), MainsState::parse(payload)));
});
