//! A signed response with octets put over it: it opens to what was signed, or not at all.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto_duis::pki::Authority;
use proto_duis::{Party, PartyKind, Response, TrustStore, examples};
use std::sync::LazyLock;

static SIGNED: LazyLock<(Vec<u8>, Response, TrustStore)> = LazyLock::new(|| {
    let authority = Authority::new("Lab").expect("a key");
    let [dsp, s1sp] = ["DSP", "S1SP"].map(|name| authority.issue(name).expect("a certificate"));
    let mut trust = TrustStore::new();
    for (signer, kind) in [(&dsp, PartyKind::Dsp), (&s1sp, PartyKind::S1sp)] {
        let party = Party { name: kind.to_string(), kind, id: examples::USER };
        trust.add(party, signer.certificate().clone());
    }
    let message = examples::device_messages().expect("examples").remove(0).sign(&s1sp).expect("signed");
    let response = Response::device_alert(message, examples::TIME);
    (response.sign(&dsp).expect("signed").into_bytes(), response, trust)
});

fuzz_target!(|input: (u16, Vec<u8>)| {
    let (signed, response, trust) = &*SIGNED;
    let (at, over) = (usize::from(input.0) % signed.len(), input.1);
    let mut octets = signed.clone();
    let end = (at + over.len()).min(octets.len());
    octets[at..end].copy_from_slice(&over[..end - at]);
    if let Ok(opened) = Response::open(&octets, trust) {
        assert_eq!(&opened.message, response);
    }
});
