//! A signed file with octets put over it: an inbox takes what was signed, or nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto_duis::pki::Authority;
use proto_migration::examples::{files, party};
use proto_migration::{File, Inbox, PartyRole, Trust, write};
use std::sync::LazyLock;

static SIGNED: LazyLock<(Vec<u8>, File, Trust)> = LazyLock::new(|| {
    // A demand may begin an exchange once it follows nothing.
    let mut file = files().remove(1);
    file.header.follows = None;
    let signer = Authority::new("Lab").expect("a key").issue("control").expect("a certificate");
    let mut trust = Trust::new();
    trust.add(file.header.from, signer.certificate().clone());
    (write(&file, &signer).expect("signed"), file, trust)
});

fuzz_target!(|input: (u16, Vec<u8>)| {
    let (signed, file, trust) = &*SIGNED;
    let (at, over) = (usize::from(input.0) % signed.len(), input.1);
    let mut octets = signed.clone();
    let end = (at + over.len()).min(octets.len());
    octets[at..end].copy_from_slice(&over[..end - at]);
    let mut inbox = Inbox::new(party(PartyRole::RequestingParty));
    match inbox.take(&octets, trust) {
        Ok(arrived) => {
            assert_eq!(arrived.file, *file);
            assert!(inbox.take(&octets, trust).is_err());
        }
        Err(_) => assert_eq!(inbox.seen().count(), 0),
    }
});
