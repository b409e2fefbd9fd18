//! Any text as a C2SP signed note, a checkpoint in one, a cosignature, or the key of either: read, or refused.
#![no_main]

use harness::evidence::checkpoint::Checkpoint;
use harness::evidence::note::{Note, NoteKey};
use harness::evidence::{Cosignature, CosignerKey, VerifierKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let key = NoteKey::from_seed("lab".parse().expect("a name"), &[1; 32]).verifier();
    if let Ok((note, rest)) = Note::take(text) {
        assert!(text.starts_with(note.text) && text.ends_with(rest));
        // Nobody signs by chance.
        assert!(note.verify(&key).is_err());
    }
    if let Ok((note, rest)) = Cosignature::take(text) {
        assert!(text.starts_with(note.text) && text.ends_with(rest));
    }
    if let Some(checkpoint) = Checkpoint::from_text(text) {
        assert_eq!(Checkpoint::from_text(&checkpoint.to_text()), Some(checkpoint));
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string().parse::<VerifierKey>().as_ref(), Ok(&key));
    }
    if let Ok(key) = text.parse::<CosignerKey>() {
        assert!(key.to_string().parse::<CosignerKey>().is_ok());
    }
});
