//! Any text as a test data set, whole or its loads alone: read, or refused in its place, never a panic.
#![no_main]

use lab_config::Document;
use lab_config::contents::Load;
use libfuzzer_sys::fuzz_target;
use scenarios::DataSet;

fuzz_target!(|text: &str| {
    let document = Document::new("fuzzed.toml", text);
    if let Ok(loads) = Load::of_data_set(&document) {
        assert!(loads.iter().all(|load| load.words().len() < 10_000));
    }
    let refusals = [DataSet::parse(&document).err(), Load::of_data_set(&document).err()];
    for refusal in refusals.into_iter().flatten() {
        assert!(refusal.line > 0 && !refusal.advice.is_empty(), "{refusal}");
    }
});
