//! Any expectation against any value: judged, or refused when it is read, and a mismatch is put in words.
#![no_main]

use lab_config::Document;
use libfuzzer_sys::fuzz_target;
use scenarios::{Bindings, Script, Values, evaluate};

fuzz_target!(|input: (&str, &str, &str)| {
    let (expectation, path, value) = input;
    let text = format!("title = 't'\ndevice = 'ESME'\n[[step]]\ncheck = 'c'\nexpect = [{expectation}]\n");
    let id = "fuzzed".parse().expect("a name");
    let Ok(script) = Script::parse(id, &Document::new("fuzzed.toml", text)) else { return };
    let mut values = Values::new();
    values.set(path, value);
    for expectation in script.steps.iter().flat_map(|step| &step.expect) {
        if let Err(mismatch) = evaluate(expectation, &values, &Bindings::default()) {
            assert!(!mismatch.expected.is_empty() && !mismatch.found.is_empty(), "{mismatch}");
        }
    }
});
