use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::single_shot_seal_with_rng;
use p256::pkcs8::{EncodePrivateKey as _, LineEnding};
use proptest::prelude::*;

use super::*;
use crate::examples::{ESME, GSME, INSTALLATION, party};
use crate::{PartyRole, Secret, SecretKind};

/// Randomness that is known: these octets. Keys are made of octets, never of numbers.
struct Known<'a>(&'a [u8]);

impl TryRng for Known<'_> {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), Self::Error> {
        let (now, rest) = self.0.split_at(octets.len());
        octets.copy_from_slice(now);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Known<'_> {}

fn octets(digits: &str) -> Vec<u8> {
    hex::decode(digits).unwrap()
}

/// The recipient's key of RFC 9180, A.3.1, which everybody has.
const PUBLISHED: &str = "f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2";

/// RFC 9180, A.3.1: the first encryption of the suite, base mode. If this fails, do not change the test.
#[test]
fn the_suite_is_that_of_rfc_9180_a_3() {
    let ikm_e = octets("4270e54ffd08d79d5928020af4686d8f6b7d35dbe470265f1f5aa22816ce860e");
    let sk_r = octets(PUBLISHED);
    let enc = octets(
        "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4",
    );
    let ciphertext =
        octets("5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434");
    let (info, aad) = (octets("4f6465206f6e2061204772656369616e2055726e"), b"Count-0");
    let plaintext = b"Beauty is truth, truth beauty";
    let key = <DhP256HkdfSha256 as Kem>::PrivateKey::from_bytes(&sk_r).unwrap();
    let (found_enc, found) = single_shot_seal_with_rng::<AesGcm128, HkdfSha256, DhP256HkdfSha256>(
        &OpModeS::Base,
        &DhP256HkdfSha256::sk_to_pk(&key),
        &info,
        plaintext,
        aad,
        &mut Known(&ikm_e),
    )
    .unwrap();
    assert_eq!((found_enc.to_bytes().to_vec(), found), (enc.clone(), ciphertext.clone()));
    let opened = single_shot_open::<AesGcm128, HkdfSha256, DhP256HkdfSha256>(
        &OpModeR::Base,
        &key,
        &EncappedKey::from_bytes(&enc).unwrap(),
        &info,
        &ciphertext,
        aad,
    );
    assert_eq!(opened.unwrap(), plaintext);
}

fn secrets() -> Secrets {
    let of = vec![
        (ESME, Some(1), SecretKind::Password, Secret::new(*b"12345678")),
        (ESME, None, SecretKind::MasterKey, Secret::new([0x11; 16])),
        (GSME, Some(2), SecretKind::EncryptionKey, Secret::new([0x22; 16])),
        (GSME, Some(2), SecretKind::AuthenticationKey, Secret::new([0x33; 16])),
        (ESME, None, SecretKind::VendingKey, Secret::new([0x44; 16])),
    ];
    Secrets { of }
}

/// What another program (pyhpke) sealed in version 1 of this format, to a public key that openssl's library wrote. If this
/// fails, do not change the test: a store on somebody's disk would not open any more.
#[test]
fn what_was_sealed_by_version_1_opens() {
    let key = p256::SecretKey::from_slice(&octets(PUBLISHED)).unwrap();
    let key = OpeningKey::from_pem(&key.to_pkcs8_pem(LineEnding::LF).unwrap()).unwrap();
    let (encapsulated, ciphertext) = include_str!("../../golden/sealed.hex").trim().split_once('\n').unwrap();
    let (encapsulated, ciphertext) = (octets(encapsulated), octets(ciphertext));
    let sealed =
        Sealed { installation: INSTALLATION, recipient: party(PartyRole::S1sp), encapsulated, ciphertext };
    assert_eq!(unseal(&sealed, &key), Ok(secrets()));
    assert_eq!(key.sealing_key().to_pem().unwrap(), include_str!("../../golden/rfc-9180-a-3.pub"));
    assert_eq!(SealingKey::from_pem(include_str!("../../golden/rfc-9180-a-3.pub")), Ok(key.sealing_key()));
}

#[test]
fn it_opens_for_its_party_and_installation_only() {
    let key = OpeningKey::generate().unwrap();
    let s1sp = party(PartyRole::S1sp);
    let sealed = seal(&secrets(), INSTALLATION, s1sp, &key.sealing_key()).unwrap();
    assert_eq!(unseal(&sealed, &key), Ok(secrets()));
    let elsewhere = [
        Sealed { installation: ESME, ..sealed.clone() },
        Sealed { recipient: party(PartyRole::Dco), ..sealed.clone() },
        Sealed { recipient: Address { id: ESME, ..s1sp }, ..sealed.clone() },
        Sealed { ciphertext: sealed.ciphertext[..20].to_vec(), ..sealed.clone() },
        Sealed { ciphertext: Vec::new(), ..sealed.clone() },
    ];
    for sealed in elsewhere {
        assert!(matches!(unseal(&sealed, &key), Err(UnsealError::Closed { .. })));
    }
    let error = unseal(&sealed, &OpeningKey::generate().unwrap()).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "the secrets of 00-DB-12-34-56-78-90-A0 for s1sp 90-B3-D5-1F-30-02-03-00 do not open"
        ),
        "{error}"
    );
    let no_point = Sealed { encapsulated: vec![4; 65], ..sealed.clone() };
    assert!(matches!(unseal(&no_point, &key), Err(UnsealError::Encapsulated { found: 65, .. })));
    let again = seal(&secrets(), INSTALLATION, s1sp, &key.sealing_key()).unwrap();
    assert_ne!(again.ciphertext, sealed.ciphertext, "each sealing has a key of its own");
}

#[test]
fn nothing_secret_is_printed() {
    let key = OpeningKey::generate().unwrap();
    let printed = format!("{key:?} {:?}", secrets());
    let pem = key.to_pem().unwrap();
    assert!(printed.contains("OpeningKey(not shown)") && printed.contains("Secret(not shown)"), "{printed}");
    assert!(!printed.contains("12345678") && !printed.contains(pem.lines().nth(1).unwrap()));
}

#[test]
fn keys_that_are_none_are_refused_with_what_is_expected() {
    let public = OpeningKey::generate().unwrap().sealing_key().to_pem().unwrap();
    let error = OpeningKey::from_pem(&public).unwrap_err().to_string();
    assert!(error.starts_with("not a private key on P-256 in PEM (PKCS#8, `BEGIN PRIVATE KEY`)"), "{error}");
    let private = OpeningKey::generate().unwrap().to_pem().unwrap();
    assert!(SealingKey::from_pem(&private).is_err() && SealingKey::from_pem("").is_err());
}

#[test]
fn more_than_is_sealed_at_a_time_is_refused_by_its_reason() {
    let key = OpeningKey::generate().unwrap().sealing_key();
    let refused = |of: Vec<_>| {
        seal(&Secrets { of }, INSTALLATION, party(PartyRole::S1sp), &key).unwrap_err().to_string()
    };
    let password = |octets: Vec<u8>| (ESME, Some(1), SecretKind::Password, Secret::new(octets));
    let empty = refused(vec![password(Vec::new())]);
    assert!(
        empty.ends_with("a password of 00-DB-12-34-56-78-90-A1 has 0 octets; expected 1 to 256"),
        "{empty}"
    );
    let many = refused(vec![password(vec![1; 256]); 61]);
    assert!(many.ends_with("the secrets have 16409 octets together; expected at most 16368"), "{many}");
}

#[test]
fn contents_read_in_one_way_only() {
    let sound = contents::write(&secrets()).unwrap();
    let fault = |octets: &[u8]| contents::read(octets).unwrap_err().to_string();
    assert_eq!(
        fault(&[&sound[..], &[0]].concat()),
        format!("more than the secrets at octet {}", sound.len())
    );
    assert!(fault(b"S1MS\x02\x00\x00").starts_with("they begin with [53, 31, 4d, 53, 02]"));
    for end in 0..sound.len() {
        assert!(contents::read(&sound[..end]).is_err(), "cut at {end}");
    }
    let mut strange = sound.to_vec();
    strange[15] = 7;
    assert!(fault(&strange).contains("a client that is neither there nor not"));
    strange[15] = 1;
    strange[17] = 9;
    assert!(fault(&strange).contains("a kind of secret that is not known"));
}

fn any_secrets() -> impl Strategy<Value = Secrets> {
    let kind = prop::sample::select(SecretKind::ALL);
    let secret = prop::collection::vec(any::<u8>(), 1..40).prop_map(Secret::new);
    let each = (any::<[u8; 8]>().prop_map(Eui64::new), any::<Option<u8>>(), kind, secret);
    prop::collection::vec(each, 0..12).prop_map(|of| Secrets { of })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_secrets_come_back(secrets in any_secrets(), flip: prop::sample::Index, bit in 0..8u8) {
        let key = OpeningKey::generate().unwrap();
        let mut sealed = seal(&secrets, INSTALLATION, party(PartyRole::Dco), &key.sealing_key()).unwrap();
        prop_assert_eq!(unseal(&sealed, &key), Ok(secrets));
        let at = flip.index(65 + sealed.ciphertext.len());
        match at.checked_sub(65) {
            Some(at) => sealed.ciphertext[at] ^= 1u8 << bit,
            None => sealed.encapsulated[at] ^= 1u8 << bit,
        }
        prop_assert!(unseal(&sealed, &key).is_err());
    }

    #[test]
    fn no_contents_break_the_reader(octets: Vec<u8>) {
        let _ = contents::read(&octets);
        let marked = [&b"S1MS\x01"[..], &octets].concat();
        if let Ok(secrets) = contents::read(&marked) {
            prop_assert_eq!(&contents::write(&secrets).unwrap()[..], &marked[..]);
        }
    }
}
