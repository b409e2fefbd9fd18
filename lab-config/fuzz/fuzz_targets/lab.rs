//! Any text as a lab file: read, or refused in its place, never a panic.
#![no_main]

use lab_config::{Document, Lab};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(refusal) = Lab::parse(&Document::new("fuzzed.toml", text)) {
        assert!(refusal.line > 0 && !refusal.advice.is_empty(), "{refusal}");
    }
});
