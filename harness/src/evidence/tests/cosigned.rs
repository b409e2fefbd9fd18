//! Cosignatures: what is kept, what is not, and what `verify` says of them.

use std::process::Command;

use ed25519_dalek::pkcs8::EncodePublicKey as _;
use proptest::prelude::*;

use super::*;
use crate::evidence::checkpoint::Checkpoint;
use crate::evidence::note::{Note, NoteKey};
use crate::evidence::{
    Cosignature, CosignatureFault, CosignerStanding, CosigningKey, LabKey, RunEnd, cosigners,
    keep_cosignature, read_cosignatures,
};
use crate::gate::sample;

fn witness(name: &str, seed: u8) -> CosigningKey {
    CosigningKey::from_seed(name.parse().unwrap(), &[seed; 32])
}

fn at() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A finished run of three checkpoints and more; gives the texts of its checkpoints.
fn run(dir: &std::path::Path) -> (RunFolder, Vec<String>) {
    let folder = RunFolder::new(dir.join("run-1"));
    let key = LabKey::ephemeral("lab".parse().unwrap());
    let mut recorder = Recorder::create(folder.clone(), sample::first("run-1"), key).unwrap();
    recorder.checkpoint().unwrap();
    recorder.finish(RunEnd::Completed).unwrap();
    let notes = std::fs::read_to_string(folder.checkpoints()).unwrap();
    let mut texts = Vec::new();
    let mut rest = notes.as_str();
    while let Ok((note, after)) = crate::evidence::note::Note::take(rest) {
        texts.push(note.text.to_owned());
        rest = after;
    }
    (folder, texts)
}

/// Golden. If this fails, do not change the test: cosignatures made before would no longer hold.
#[test]
fn a_cosignature_is_as_c2sp_has_it() {
    let ann = witness("witness.example/ann", 7);
    insta::assert_snapshot!(format!("{}\n\n{}", ann.cosigner(), ann.cosign("lab/run-1\n2\nAAAA\n", at())), @r"
    witness.example/ann+a7a8ace6+BOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs

    lab/run-1
    2
    AAAA

    — witness.example/ann p6is5gAAAABrAtlA5cWXaQv9kKef950T/hF3mu/Xaby7akEAO9V2GDXjCXdIfAio0XrM5NgiZjxD1GjF/7s+M4anoKH4D3voHxoUCw==
    ");
}

/// The signature over `cosignature/v1`, the time and the text, held against openssl.
#[test]
fn openssl_verifies_the_signature_over_the_cosigned_message() {
    let dir = tempfile::tempdir().unwrap();
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    let note = witness("ann", 7).cosign("lab/run-1\n2\nAAAA\n", at());
    let line = note.lines().last().unwrap().rsplit_once(' ').unwrap().1.to_owned();
    let octets = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, line).unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let pem = key.verifying_key().to_public_key_pem(Default::default()).unwrap();
    std::fs::write(path("key"), pem).unwrap();
    std::fs::write(path("signature"), &octets[12..]).unwrap();
    let seconds = at().as_second();
    std::fs::write(path("message"), format!("cosignature/v1\ntime {seconds}\nlab/run-1\n2\nAAAA\n")).unwrap();
    let (key, signature, message) = (path("key"), path("signature"), path("message"));
    let mut arguments = vec!["pkeyutl", "-verify", "-pubin", "-inkey", key.as_str(), "-rawin"];
    arguments.extend(["-in", message.as_str(), "-sigfile", signature.as_str()]);
    let ended = Command::new("openssl").args(arguments).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
}

#[test]
fn what_a_known_witness_signs_of_this_run_is_kept_once_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, texts) = run(dir.path());
    let (ann, ben) = (witness("ann", 1), witness("ben", 2));
    let last = texts.last().unwrap();
    let kept = keep_cosignature(&folder, ann.cosign(last, at()).as_bytes(), &[ann.cosigner()]).unwrap();
    assert!(!kept.already && kept.size > 0);
    let later = at() + jiff::SignedDuration::from_secs(60);
    let again = keep_cosignature(&folder, ann.cosign(last, later).as_bytes(), &[ann.cosigner()]).unwrap();
    assert!(again.already);
    keep_cosignature(&folder, ben.cosign(&texts[0], at()).as_bytes(), &[ben.cosigner()]).unwrap();
    let standings = |keys: &[_]| -> Vec<_> {
        cosigners(&folder, keys).unwrap().cosigners.into_iter().map(|c| (c.size, c.standing)).collect()
    };
    let expected = [(kept.size, CosignerStanding::Holds), (1, CosignerStanding::KeyUnknown)];
    assert_eq!(standings(&[ann.cosigner()]), expected);
    // The evidence itself is as it was.
    assert!(crate::evidence::verify(&folder, &[]).unwrap().findings.is_empty());
}

#[test]
fn what_nobody_known_signed_or_what_is_not_of_this_run_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, texts) = run(dir.path());
    let (ann, ben) = (witness("ann", 1), witness("ben", 2));
    let keep = |note: &str| keep_cosignature(&folder, note.as_bytes(), &[ann.cosigner()]);
    let good = ann.cosign(&texts[0], at());
    assert!(matches!(keep(&ben.cosign(&texts[0], at())), Err(CosignatureFault::UnknownKey { .. })));
    let stolen = witness("ann", 2).cosign(&texts[0], at());
    assert!(matches!(keep(&stolen), Err(CosignatureFault::UnknownKey { .. })));
    let elsewhere = texts[0].replace("run-1", "run-2");
    let elsewhere = keep(&ann.cosign(&elsewhere, at()));
    assert!(matches!(elsewhere, Err(CosignatureFault::NoCheckpoint { size: 1 })));
    assert!(matches!(keep(&ann.cosign("words\n", at())), Err(CosignatureFault::Form)));
    assert!(matches!(keep(&format!("{good}{good}")), Err(CosignatureFault::Form)));
    let changed = good.replacen("run-1", "run-9", 1);
    assert!(matches!(keep(&changed), Err(CosignatureFault::Signature { .. })));
    assert_eq!(read_cosignatures(&folder).unwrap(), "");
}

#[test]
fn a_changed_file_of_cosignatures_hides_nobody_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, texts) = run(dir.path());
    let ann = witness("ann", 1);
    let notes = [ann.cosign(&texts[0], at()), ann.cosign(&texts[1], at())].concat();
    for place in 0..notes.len() {
        let mut changed = notes.clone().into_bytes();
        changed[place] ^= 1 << (place % 7);
        std::fs::write(folder.cosignatures(), changed).unwrap();
        let found = cosigners(&folder, &[ann.cosigner()]).unwrap();
        let holds = found.cosigners.iter().filter(|c| c.standing == CosignerStanding::Holds).count();
        let odd = found.cosigners.len() - holds;
        assert!(holds < 2 && (odd > 0 || found.unreadable > 0), "octet {place}: {found:?}");
    }
    // Half of one is what a writer leaves that dies.
    for cut in 1..notes.len() {
        std::fs::write(folder.cosignatures(), &notes.as_bytes()[..cut]).unwrap();
        let found = cosigners(&folder, &[ann.cosigner()]).unwrap();
        let holding = |c: &crate::evidence::Cosigner| c.standing == CosignerStanding::Holds;
        assert!(found.unreadable == 0 && found.cosigners.iter().all(holding), "cut at {cut}: {found:?}");
    }
}

#[test]
fn what_a_crash_left_half_written_is_cut_off_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, texts) = run(dir.path());
    let ann = witness("ann", 1);
    let (first, second) = (ann.cosign(&texts[0], at()), ann.cosign(&texts[1], at()));
    std::fs::write(folder.cosignatures(), format!("{first}{}", &second[..second.len() / 2])).unwrap();
    keep_cosignature(&folder, second.as_bytes(), &[ann.cosigner()]).unwrap();
    assert_eq!(read_cosignatures(&folder).unwrap(), format!("{first}{second}"));
}

proptest! {
    #[test]
    fn a_cosignature_reads_back_and_no_text_brings_the_reader_down(text in "\\PC{0,60}", seconds in 0_i64..4_000_000_000) {
        let _ = Cosignature::take(&text);
        let _ = Cosignature::take(&format!("a\n\n— {text}\n"));
        let ann = witness("ann", 3);
        let line = format!("{}\n", text.replace('\n', " ").trim());
        prop_assume!(line != "\n");
        let note = ann.cosign(&line, Timestamp::from_second(seconds).unwrap());
        let (read, rest) = Cosignature::take(&note).unwrap();
        prop_assert_eq!((read.text, rest, read.at.as_second()), (line.as_str(), "", seconds));
        prop_assert!(read.verify(&ann.cosigner()).is_ok());
    }

    /// One character of a signed checkpoint is another: no note any more, or one whose signature does not hold.
    #[test]
    fn a_damaged_checkpoint_is_never_taken_for_the_labs(
        size: u64, is_final: bool, leaves in proptest::collection::vec(any::<[u8; 8]>(), 0..3),
        at: proptest::sample::Index, other in any::<char>(),
    ) {
        let key = NoteKey::from_seed("lab".parse().unwrap(), &[9; 32]);
        let checkpoint = Checkpoint { origin: "lab/run-1".into(), size, root: proto_lab::Digest::of(b"x"), leaves, is_final };
        let text = checkpoint.to_text();
        prop_assert_eq!(Checkpoint::from_text(&text), Some(checkpoint));
        let note = key.sign(&text);
        let mut letters: Vec<char> = note.chars().collect();
        *at.get_mut(&mut letters) = other;
        let damaged: String = letters.into_iter().collect();
        let _ = Checkpoint::from_text(&damaged);
        if let Ok((read, _)) = Note::take(&damaged) && read.verify(&key.verifier()).is_ok() {
            prop_assert_eq!(read.text, text);
        }
    }
}
