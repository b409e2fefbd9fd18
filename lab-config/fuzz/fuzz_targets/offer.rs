//! Any text as the offer file of a station: read, or refused in its place, never a panic.
#![no_main]

use lab_config::{Document, Offer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Offer::parse(&Document::new("fuzzed.toml", text)) {
        Ok(offer) => assert!(!offer.rigs().is_empty()),
        Err(refusal) => assert!(refusal.line > 0 && !refusal.advice.is_empty(), "{refusal}"),
    }
});
