//! Any octets: never a panic, and what reads as a file reads the same when written again. A file drawn from them too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto_duis::examples::Draw;
use proto_migration::examples::{INSTALLATION, drawn, party};
use proto_migration::{
    FileKind, OpeningKey, PartyRole, Sealed, SeenFile, Trust, describe, open, parse, to_xml, unseal,
};
use std::sync::LazyLock;

static KEY: LazyLock<OpeningKey> = LazyLock::new(|| OpeningKey::generate().expect("a key"));

fuzz_target!(|octets: &[u8]| {
    let _ = open(octets, &Trust::new());
    if let Ok(file) = parse(octets) {
        let _ = describe(&file);
        assert_eq!(parse(to_xml(&file).as_bytes()), Ok(file));
    }
    let kind = FileKind::ALL[octets.len() % FileKind::ALL.len()];
    let file = drawn(kind, &mut Draw::new(octets));
    let _ = describe(&file);
    assert_eq!(parse(to_xml(&file).as_bytes()), Ok(file));
    let _ = std::str::from_utf8(octets).map(str::parse::<SeenFile>);
    let (encapsulated, ciphertext) = octets.split_at(octets.len().min(65));
    let [encapsulated, ciphertext] = [encapsulated, ciphertext].map(<[u8]>::to_vec);
    let recipient = party(PartyRole::S1sp);
    let sealed = Sealed { installation: INSTALLATION, recipient, encapsulated, ciphertext };
    assert!(unseal(&sealed, &KEY).is_err());
});
