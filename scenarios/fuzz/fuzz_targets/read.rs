//! Any text as a script, a pack's lock, a lab or a Device Model: read, or refused in its place, never a panic.
#![no_main]

use lab_config::{DeviceModel, Document, Lab};
use libfuzzer_sys::fuzz_target;
use scenarios::{PackLock, Script};

fuzz_target!(|text: &str| {
    let document = Document::new("fuzzed.toml", text);
    let id = "fuzzed".parse().expect("a name");
    let refusals = [
        Script::parse(id, &document).err(),
        PackLock::parse(&document).err(),
        Lab::parse(&document).err(),
        DeviceModel::parse(&document).err(),
    ];
    for refusal in refusals.into_iter().flatten() {
        assert!(refusal.line > 0 && !refusal.advice.is_empty(), "{refusal}");
    }
});
