//! Octets made by others. If one of these fails, do not change the test.

use super::*;
use crate::apdu::{Apdu, Ciphered, Envelope, KeySet};

const GET_TIME: &str = "C0010000080000010000FF0200";

/// What gurux-dlms and pydlms-client make of one request under the same keys, and what anyone with those keys reads.
fn holds(protection: Protection, sealed: &str) {
    let message = octets(GET_TIME);
    let made = context(METER, 0x0123_4566).protect(protection, &message).unwrap();
    assert_eq!(made, octets(sealed));
    let opened = context(CLIENT, 0).unprotect(METER, &made).unwrap();
    assert_eq!(opened, Opened { protection, counter: InvocationCounter(0x0123_4567), message });
}

#[test]
fn messages_as_gurux_dlms_and_pydlms_client_make_them() {
    let header = |control: &str| format!("{control}01234567");
    let tagged = "C0010000080000010000FF0200 06725D910F9221D263877516";
    holds(Protection::Authenticated, &(header("10") + tagged));
    holds(Protection::Encrypted, &(header("20") + "411312FF935A47566827C467BC"));
    // dlms-cosem makes this one too; it knows no other protection.
    let both = "411312FF935A47566827C467BC 7D825C3BE4A77C3FCC056B6B";
    holds(Protection::AuthenticatedEncrypted, &(header("30") + both));
}

#[test]
fn envelopes_as_gurux_dlms_makes_them() {
    let contents = octets("2001234567411312FF935A47566827C467BC");
    let service = octets("C8122001234567411312FF935A47566827C467BC");
    let general = octets("DB084D4D4D0000BC614E122001234567411312FF935A47566827C467BC");
    for (octets, envelope) in [(service, Envelope::Service(0xC8)), (general, Envelope::General(Some(METER)))]
    {
        let ciphered = Ciphered { keys: KeySet::Global, envelope, contents: contents.clone() };
        assert_eq!(ciphered.encode(), octets);
        assert_eq!(Apdu::decode(&octets), Ok(Apdu::Ciphered(ciphered)));
    }
}

/// Both passes of high-level security 5, as pydlms-client makes both and dlms-cosem the first.
#[test]
fn proofs_as_pydlms_client_and_dlms_cosem_make_them() {
    let challenge = |text: &[u8]| Challenge::try_from(text).unwrap();
    let (ours, theirs) = (challenge(b"K56iVagY"), challenge(b"P6wRJ21F"));
    let mut client = context(CLIENT, 0);
    let mut meter = context(METER, 0x0123_4566);
    let pass_3 = client.prove(&theirs).unwrap();
    assert_eq!(pass_3, octets("10 00000001 1A52FE7DD3E72748973C1E28"));
    meter.check_proof(CLIENT, None, &theirs, &pass_3).unwrap();
    let pass_4 = meter.prove(&ours).unwrap();
    assert_eq!(pass_4, octets("10 01234567 FE1466AFB3DBCD4F9389E2B7"));
    client.check_proof(METER, None, &ours, &pass_4).unwrap();
}

/// The initiate request with a dedicated key and its response, the examples implementations are commonly held against.
#[test]
fn initiate_as_it_is_commonly_shown() {
    let request = octets("01011000112233445566778899AABBCCDDEEFF0000065F1F0400007E1F04B0");
    let sealed = octets(
        "21303001234567801302FF8A7874133D414CED25B42534D28DB0047720606B175BD52211BE6841DB204D39EE6FDB8E356855",
    );
    // This example has the meter's title in the place of the client's.
    let contents = context(METER, 0x0123_4566).protect(Protection::AuthenticatedEncrypted, &request).unwrap();
    let ciphered = Ciphered { keys: KeySet::Global, envelope: Envelope::Service(0x21), contents };
    assert_eq!(ciphered.encode(), sealed);
    let response = octets("0800065F1F0400007C1F04000007");
    let contents =
        context(METER, 0x0123_4566).protect(Protection::AuthenticatedEncrypted, &response).unwrap();
    let ciphered = Ciphered { keys: KeySet::Global, envelope: Envelope::Service(0x28), contents };
    assert_eq!(
        ciphered.encode(),
        octets("281F3001234567891214A0845E475714383F65BC19745CA235906525E4F3E1C893")
    );
}
