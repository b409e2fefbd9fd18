//! Checkpoints against an implementation of signed notes that is not ours. (The tree is held against RFC 6962 by its
//! definition and the published vectors, beside its code.)

use signed_note::{Note as TheirNote, Signer as _, StandardSigner, StandardVerifier, VerifierList};

use super::*;

fn they_trust(key: &str) -> VerifierList {
    VerifierList::new(vec![Box::new(StandardVerifier::new(key).unwrap())])
}

#[test]
fn others_verify_the_checkpoints_we_sign() {
    let dir = tempfile::tempdir().unwrap();
    let folder = whole_run(dir.path(), key());
    let trusted = std::fs::read_to_string(folder.key()).unwrap();
    let file = std::fs::read_to_string(folder.checkpoints()).unwrap();
    let mut rest = file.as_str();
    let mut verified = 0;
    while !rest.is_empty() {
        let (_, after) = note::Note::take(rest).unwrap();
        let one = &rest[..rest.len() - after.len()];
        let theirs = TheirNote::from_bytes(one.as_bytes()).unwrap();
        let (good, unknown) = theirs.verify(&they_trust(trusted.trim_end())).unwrap();
        assert_eq!((good.len(), unknown.len()), (1, 0));
        verified += 1;
        rest = after;
    }
    assert_eq!(verified, 4);
}

#[test]
fn we_verify_what_others_sign_with_our_key_file() {
    let ours = note::NoteKey::from_seed("lab".parse().unwrap(), &[7; 32]);
    let theirs = StandardSigner::new(ours.to_secret_text().trim_end()).unwrap();
    assert_eq!(theirs.name(), "lab");
    let mut signed = TheirNote::new(b"run\n12\n", &[]).unwrap();
    signed.add_sigs(&[&theirs]).unwrap();
    let octets = signed.to_bytes();
    let (note, rest) = note::Note::take(std::str::from_utf8(&octets).unwrap()).unwrap();
    assert_eq!(rest, "");
    assert_eq!(note.verify(&ours.verifier()), Ok(()));
    assert_eq!(octets, ours.sign("run\n12\n").into_bytes());
}
