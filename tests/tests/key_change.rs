//! The keys of a client rotated by our driver on a simulated meter behind its hub: the new ones are in force at once and after
//! the devices were started again, the old ones no longer, and a wrong master key changes nothing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test's panic is its message")]

use std::path::Path;

use device_sim::{Estate, SimClock, StateFolder};
use harness::driver::{Access, CounterBook, CounterOwner, Deadlines, Hub, KeyChangeError, Keyset, Session};
use harness::link::{LinkAddress, NoTap};
use lab_config::{ClientSap, ClientSecurity, DeviceKind, Lab};
use lab_tests::devices::embedded_lab;
use proto_dlms::data::{AttributeRef, ClassId, Data};
use proto_dlms::security::{Key, Keys, SystemTitle};
use tokio::sync::mpsc;

const TITLE: SystemTitle = SystemTitle(*b"LABKEYS1");
const MASTER: [u8; 16] = [0xF0; 16];

fn keys(octet: u8) -> Keys {
    Keys { encryption: Key::new([octet; 16]), authentication: Key::new([octet + 1; 16]) }
}

/// The embedded lab with an electricity meter whose management client has keys.
fn lab(folder: &Path) -> Lab {
    let text = embedded_lab().unwrap();
    let model = "esme-liberty-100";
    let (before, meter) = text.split_once("kind = \"ESME\"").unwrap();
    let generated = "client.1 = { security = \"low\", password = { generated = true } }";
    let client = "client.1 = { security = \"gmac\", system-title = \"4C41424B45595331\", encryption-key = { file = \"encryption\" }, \
                  authentication-key = { file = \"authentication\" }, master-key = { file = \"master\" } }";
    assert!(meter.contains(generated) && before.contains(model), "the embedded lab is another");
    let before = before.replace(model, "esme-liberty-100-moc");
    let text = [&before, "kind = \"ESME\"", &meter.replacen(generated, client, 1)].concat();
    let old = keys(0x10);
    let files = [("encryption", *old.encryption.expose()), ("authentication", *old.authentication.expose())];
    for (name, octets) in files.into_iter().chain([("master", MASTER)]) {
        std::fs::write(folder.join(name), hex::encode_upper(octets)).unwrap();
    }
    std::fs::write(folder.join("lab.toml"), text).unwrap();
    Lab::load(&folder.join("lab.toml")).unwrap()
}

/// The running devices, and the way to the meter.
struct Bench {
    estate: Estate,
    hub: Hub,
    deadlines: Deadlines,
    meter: lab_config::Eui64,
}

impl Bench {
    async fn start(folder: &Path) -> Self {
        let (lab, state) = (lab(folder), StateFolder::at(folder.join("state")));
        let estate = Estate::start_keeping(&lab, SimClock::real(), 1, &state).await.unwrap();
        let lab = estate.concrete(lab);
        let rig = lab.rigs.first().unwrap().clone();
        let url = rig.device(DeviceKind::Chf).unwrap().links[&lab_config::Path::Wan].clone();
        let (pushes, _) = mpsc::channel(1);
        let (address, deadlines) = (LinkAddress::of("hub", &url).unwrap(), Deadlines::of(&url));
        let hub = Hub::connect(address, NoTap::shared(), &deadlines, pushes).await.unwrap();
        Self { estate, hub, deadlines, meter: rig.device(DeviceKind::Esme).unwrap().eui64 }
    }

    /// An association of the management client with these keys.
    async fn open(&self, keys: Keys, master: [u8; 16]) -> Result<Session, String> {
        let owner = CounterOwner::new(TITLE, hex::encode(keys.encryption.expose()).as_bytes());
        let keyset = Keyset {
            title: TITLE,
            keys,
            counters: CounterBook::passing(owner),
            asked: ClientSecurity::KEYS,
            public_client: ClientSap::PUBLIC,
            master: Some(Key::new(master)),
            dedicated: false,
        };
        let access = Access::with_keys(ClientSap::MANAGEMENT, keyset);
        let opened = Session::through(&self.hub, Some(self.meter), access, self.deadlines).await;
        opened.map_err(|error| error.to_string())
    }
}

async fn reads(session: &mut Session) {
    let obis = "1-0:1.8.0".parse().unwrap();
    let read = session.get(AttributeRef { class: ClassId(3), obis, attribute: 2 }, None).await.unwrap();
    assert!(matches!(read, Data::U32(_)), "{read:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_rotated_and_the_device_has_them_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let mut session = bench.open(keys(0x10), MASTER).await.unwrap();
    session.change_keys(keys(0x20)).await.unwrap();
    reads(&mut session).await;
    let refused = bench.open(keys(0x10), MASTER).await.unwrap_err();
    assert!(refused.contains("keys do not fit"), "{refused}");
    session.close().await;
    bench.estate.stop().await;

    let bench = Bench::start(folder.path()).await;
    reads(&mut bench.open(keys(0x20), MASTER).await.unwrap()).await;
    assert!(bench.open(keys(0x10), MASTER).await.is_err(), "the lab file's keys are in force again");
    bench.estate.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_master_key_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::start(folder.path()).await;
    let mut session = bench.open(keys(0x10), [0x0F; 16]).await.unwrap();
    let refused = session.change_keys(keys(0x20)).await.unwrap_err();
    assert!(matches!(refused, KeyChangeError::Refused(_)), "{refused}");
    reads(&mut session).await;
    assert!(bench.open(keys(0x20), MASTER).await.is_err());
    bench.estate.stop().await;
}
