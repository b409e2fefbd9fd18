use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use lab_config::Secret;
use proptest::prelude::*;
use proto_dlms::security::{Key, Keys};

use super::*;

const HUB: Eui64 = Eui64::new([0, 0xDB, 1, 2, 3, 4, 5, 6]);
const METER: Place = (Eui64::new([0, 0xDB, 1, 2, 3, 4, 5, 7]), ClientSap::MANAGEMENT);
const OTHER: Place = (HUB, ClientSap::MANAGEMENT);

fn password(text: &str) -> Own {
    Own::Password(Secret::new(text.as_bytes().to_vec()))
}

fn keys(octet: u8) -> Own {
    Own::Keys(Keys { encryption: Key::new([octet; 16]), authentication: Key::new([octet + 1; 16]) })
}

fn file(folder: &Path) -> PathBuf {
    folder.join("migration/secrets/00DB010203040506.jsonl")
}

fn open(folder: &Path) -> SecretStore {
    SecretStore::open(folder, HUB).expect("a store")
}

/// With what a keyring filled from the store would try a device, the likeliest first.
fn tried(store: &SecretStore, place: Place) -> Vec<Credential> {
    let keyring = Keyring::default();
    store.fill(&keyring);
    let (likeliest, others) = keyring.possible(place.0, place.1);
    std::iter::once(likeliest).chain(others).collect()
}

#[test]
fn every_credential_a_device_may_have_is_there_after_a_kill_at_any_point() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = |text| Credential::Own(password(text));
    let mut store = open(folder.path());
    assert_eq!(tried(&store, METER), [Credential::LabFile]);
    store.hand(METER, password("handed-1"), None, true).expect("written");
    drop(store);
    let mut store = open(folder.path());
    assert_eq!(tried(&store, METER), [own("handed-1")]);
    store.propose(METER, password("candid-1")).expect("written");
    drop(store);
    let mut store = open(folder.path());
    assert_eq!(tried(&store, METER), [own("candid-1"), own("handed-1")]);
    store.prove(METER, &password("candid-1")).expect("written");
    drop(store);
    let mut store = open(folder.path());
    assert_eq!(tried(&store, METER), [own("candid-1")]);
    assert_eq!(store.held(METER).map(|held| held.handed.clone()), Some(password("handed-1")));
    store.propose(METER, password("handed-1")).expect("written");
    store.prove(METER, &password("handed-1")).expect("written");
    store.returned(METER).expect("written");
    drop(store);
    assert_eq!(tried(&open(folder.path()), METER), [Credential::LabFile]);
    assert_eq!(
        fs::read_to_string(file(folder.path())).expect("a file"),
        "",
        "nothing is held, and nothing kept"
    );
}

#[test]
fn keys_are_kept_with_the_way_back_and_no_secret_is_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    let way_back = Some([vec![0xAA; 24], vec![0xBB; 24]]);
    store.hand(METER, keys(0x41), way_back.clone(), true).expect("written");
    store.hand(OTHER, password("handed-2"), None, true).expect("written");
    store.propose(METER, keys(0x51)).expect("written");
    drop(store);
    let store = open(folder.path());
    let held = store.held(METER).expect("held");
    assert_eq!((held.handed.clone(), held.way_back.clone()), (keys(0x41), way_back));
    let written = fs::read(file(folder.path())).expect("a file");
    for secret in [&[0x41; 16][..], &[0x42; 16], &[0x51; 16], &[0x52; 16], b"handed-2"] {
        for form in
            [secret.to_vec(), hex::encode(secret).into_bytes(), hex::encode_upper(secret).into_bytes()]
        {
            assert!(!written.windows(form.len()).any(|window| window == form));
        }
    }
    let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&file(folder.path())), 0o600);
    assert_eq!(mode(&folder.path().join("migration/store-key.pem")), 0o600);
    assert_eq!(mode(&folder.path().join("migration")), 0o700);
}

#[test]
fn what_dies_with_the_process_is_not_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    store.hand(METER, password("passing1"), None, false).expect("held");
    store.propose(METER, password("passing2")).expect("held");
    store.hand(OTHER, password("handed-2"), None, true).expect("written");
    store.returned(METER).expect("forgotten");
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.places(), [OTHER]);
}

#[test]
fn a_second_s1sp_is_kept_out_until_the_first_has_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = open(folder.path());
    let error = SecretStore::open(folder.path(), HUB).expect_err("it is busy");
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    drop(first);
    open(folder.path());
}

#[test]
fn a_foreign_key_a_key_for_all_to_read_and_a_bad_line_are_named_and_touch_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    store.hand(METER, password("handed-1"), None, true).expect("written");
    drop(store);
    let before = fs::read(file(folder.path())).expect("a file");
    let key = folder.path().join("migration/store-key.pem");
    let own = fs::read(&key).expect("a key");

    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("changed");
    let error = SecretStore::open(folder.path(), HUB).expect_err("others may read it").to_string();
    assert!(error.contains("mode 644") && error.contains("chmod 600"), "{error}");

    fs::remove_file(&key).expect("removed");
    let error = SecretStore::open(folder.path(), HUB).expect_err("another key");
    assert!(matches!(error, StoreError::ForeignKey { line: 1, .. }), "{error}");
    assert!(error.to_string().contains("store-key.pem"), "{error}");

    fs::write(&key, "no key").expect("written");
    let error = SecretStore::open(folder.path(), HUB).expect_err("no key").to_string();
    assert!(error.contains("put back the file as it was"), "{error}");

    fs::write(&key, own).expect("written");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("changed");
    assert_eq!(fs::read(file(folder.path())).expect("a file"), before);
    drop(open(folder.path()));

    fs::write(file(folder.path()), [&before[..], b"{\"number\":2}\n"].concat()).expect("written");
    let error = SecretStore::open(folder.path(), HUB).expect_err("no line");
    assert!(matches!(error, StoreError::Corrupt { line: 2, .. }), "{error}");
}

#[test]
fn a_full_disk_is_an_error_before_anything_is_sent_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut store = open(folder.path());
    store.hand(METER, password("handed-1"), None, true).expect("written");
    // A descriptor that only reads stands for a disk that takes nothing more.
    let kept = store.kept.as_mut().expect("a file");
    kept.file.stop_writing();
    let error = store.propose(METER, password("candid-1")).expect_err("no room");
    assert!(matches!(&error, StoreError::File { doing: "write", .. }), "{error}");
    assert!(error.to_string().contains("no device is sent"), "{error}");
    assert_eq!(tried(&store, METER), [Credential::Own(password("handed-1"))]);
    drop(store);
    assert_eq!(tried(&open(folder.path()), METER), [Credential::Own(password("handed-1"))]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Cut anywhere, the file holds what its whole lines say, and goes on from there.
    #[test]
    fn a_torn_line_was_never_acted_upon(cut in 0.0f64..=1.0) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = open(folder.path());
        store.hand(METER, password("handed-1"), None, true).expect("written");
        store.propose(METER, password("candid-1")).expect("written");
        store.prove(METER, &password("candid-1")).expect("written");
        drop(store);
        let path = file(folder.path());
        let whole = fs::read(&path).expect("a file");
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short file")]
        let at = (cut * whole.len() as f64) as usize;
        fs::write(&path, &whole[..at]).expect("written");
        let own = |text| Credential::Own(password(text));
        let expected = match whole[..at].iter().filter(|octet| **octet == b'\n').count() {
            0 => vec![Credential::LabFile],
            1 => vec![own("handed-1")],
            2 => vec![own("candid-1"), own("handed-1")],
            _ => vec![own("candid-1")],
        };
        let mut store = open(folder.path());
        prop_assert_eq!(tried(&store, METER), expected.clone());
        store.hand(OTHER, password("handed-2"), None, true).expect("written");
        drop(store);
        let store = open(folder.path());
        prop_assert_eq!(tried(&store, METER), expected);
        prop_assert_eq!(tried(&store, OTHER), vec![own("handed-2")]);
    }

    #[test]
    fn any_octets_are_a_store_or_an_error(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let folder = tempfile::tempdir().expect("a folder");
        drop(open(folder.path()));
        fs::write(file(folder.path()), octets).expect("written");
        let _ = SecretStore::open(folder.path(), HUB);
    }
}
