//! The meter that is not ours with keys: high-level security 5, every message ciphered, and the counters going on from one
//! association to the next.

use harness::driver::{CounterBook, CounterOwner, Keyset};
use lab_config::ClientSecurity;
use lab_tests::{harness, shown};
use proto_dlms::data::{CaptureObject, DateTime, MethodRef};
use proto_dlms::security::{Key, Keys};

use super::peer::{AUTHENTICATION, ENCRYPTION};
use super::*;

const TITLE: &str = "4C41420000000001";

/// A client with keys whose counters are its own, whatever else runs on this machine.
fn with_keys() -> Access {
    let key = |digits: &str| {
        let octets = hex::decode(digits).expect("hexadecimal digits");
        Key::try_from(octets.as_slice()).expect("sixteen octets")
    };
    let title = TITLE.parse().expect("a system title");
    let keys = Keyset {
        title,
        keys: Keys { encryption: key(ENCRYPTION), authentication: key(AUTHENTICATION) },
        counters: CounterBook::passing(CounterOwner::new(title, ENCRYPTION.as_bytes())),
        asked: ClientSecurity::KEYS,
        public_client: ClientSap::PUBLIC,
        master: None,
        dedicated: false,
    };
    Access::with_keys(ClientSap::new(5).expect("a client SAP"), keys)
}

/// The first and the third row of the profile, by entry and then between their times.
async fn some_rows(session: &mut Session) {
    let profile = attribute(7, "1-0:99.1.0", 2);
    let first = Selective::Entry { from: 1, to: 3, first_column: 1, last_column: 0 };
    let by_entry = session.get(profile, Some(first)).await.expect("rows by entry");
    let rows = by_entry.elements().expect("an array").to_vec();
    let time = |row: usize| rows[row].elements().expect("columns")[0].clone();
    let clock = CaptureObject {
        class: ClassId(8),
        obis: "0-0:1.0.0".parse().expect("an OBIS code"),
        attribute: 2,
        data_index: 0,
    };
    let between = Selective::Range { restricting: clock, from: time(0), to: time(2), columns: Vec::new() };
    let by_range = session.get(profile, Some(between)).await.expect("rows by range");
    assert_eq!((rows.len(), by_range), (3, by_entry));
}

/// Everything a visit does: register, clock, profile, a write, an invocation, release.
async fn visits(url: &LinkUrl, access: Access) {
    let mut session = open(url, access).await.expect("an association");
    assert_eq!(session.get(import(), None).await.expect("a register"), Data::U32(12_345_678));
    let clock = attribute(8, "0-0:1.0.0", 2);
    assert!(session.get(clock, None).await.expect("a clock").as_date_time().is_some());
    let rows = session.get(attribute(7, "1-0:99.1.0", 2), None).await.expect("a profile");
    assert_eq!(rows.elements().map(<[Data]>::len), Some(96));
    some_rows(&mut session).await;
    let time = Data::Octets(DateTime::from_unix(1_800_000_000, 0).to_octets().to_vec());
    session.set(clock, time.clone()).await.expect("the clock is set");
    assert_eq!(session.get(clock, None).await.expect("a clock"), time);
    let obis = "0-0:96.3.10".parse().expect("an OBIS code");
    let disconnect = MethodRef { class: ClassId(70), obis, method: 1 };
    session.act(disconnect, Some(Data::I8(0))).await.expect("the supply is switched off");
    session.close().await;
}

#[tokio::test]
async fn keys_over_every_kind_of_link_and_from_one_association_to_the_next() {
    let (wrapper, hdlc, serial) = (
        ForeignMeter::with_keys(&[]),
        ForeignMeter::with_keys(&["--hdlc"]),
        ForeignMeter::with_keys(&["--hdlc"]),
    );
    let line = SerialLine::to(serial.port);
    for url in [wrapper.url("tcp", ""), hdlc.url("tcp+hdlc", ""), line.url("?baud=9600")] {
        let access = with_keys();
        visits(&url, access.clone()).await;
        visits(&url, access).await;
    }
}

/// `harness read` with keys from files, as a lab engineer types it; the second program goes on where the first ended.
#[test]
fn read_and_probed_with_keys_from_files_and_refused_with_a_wrong_one() {
    let meter = ForeignMeter::with_keys(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        format!("file:{}", path.display())
    };
    let authentication = write("authentication", AUTHENTICATION);
    let url = meter.url("tcp", "").to_string();
    let ask = |verb: &[&str], encryption: &str| {
        let mut harness = harness().expect("the harness builds");
        harness.env("HARNESS_STATE", folder.path()).args(verb).args(["--client", "5"]);
        harness.args(["--system-title", TITLE, "--encryption-key", encryption]);
        harness.args(["--authentication-key", &authentication]).output().expect("the harness starts")
    };
    let read = |encryption: &str| ask(&["read", &url, "3", "1-0:1.8.0", "2"], encryption);
    let right = write("encryption", ENCRYPTION);
    for _ in 0..2 {
        let out = read(&right);
        assert!(String::from_utf8_lossy(&out.stdout).contains("12345678 Wh"), "{}", shown(&out));
    }
    let out = ask(&["probe", &url], &right);
    assert!(out.status.success(), "{}", shown(&out));
    let out = read(&write("wrong", &ENCRYPTION.replace('0', "F")));
    assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
}
