//! No secret of a device is in anything that is written or said: the store, descriptions of what crossed the links, the log,
//! reports and errors. What crosses a link is another matter: a password of low level security does so in clear.

use std::io;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use device_sim::SimClock;
use harness::driver::{Credential, Own};
use harness::link::{Direction, LinkKind, Tap};
use harness::migration::party::{Contacts, Smso};
use jiff::Timestamp;
use lab_config::DeviceKind::{Chf, Esme};
use lab_config::Path;
use proto_migration::Secrets;

use super::bench::{Bench, Dco, Running, lab_in};

/// Everything that is said, one after the other.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    fn add(&self, octets: &[u8]) {
        let mut said = self.0.lock().expect("no panic");
        said.extend_from_slice(octets);
        said.push(b'\n');
    }
}

impl Tap for Said {
    fn link(&self, link: &str, url: &str, _: LinkKind) {
        self.add(format!("{link} {url}").as_bytes());
    }

    fn frame(&self, link: &str, _: Direction, _: Timestamp, _: &[u8], note: Option<&str>) {
        self.add(format!("{link} {}", note.unwrap_or_default()).as_bytes());
    }
}

impl io::Write for Said {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.add(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn files(folder: &FilePath, into: &Said) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => files(&path, into),
            false => into.add(&std::fs::read(&path).expect("a file")),
        }
    }
}

/// The secrets handed over, and those the devices have now.
fn all(bench: &Bench, handed: [&Secrets; 2], running: &Running) -> Vec<Vec<u8>> {
    let mut secrets: Vec<Vec<u8>> = handed
        .into_iter()
        .flat_map(|secrets| &secrets.of)
        .map(|(.., secret)| secret.expose().to_vec())
        .collect();
    for device in bench.dlms() {
        let client = device.client(Path::Wan).expect("a client");
        let (likeliest, others) = running.links.keyring().possible(device.eui64, client);
        for credential in std::iter::once(likeliest).chain(others) {
            match credential {
                Credential::Own(Own::Password(password)) => secrets.push(password.expose().to_vec()),
                Credential::Own(Own::Keys(keys)) => {
                    secrets
                        .extend([keys.encryption.expose().to_vec(), keys.authentication.expose().to_vec()]);
                }
                Credential::LabFile => {}
            }
        }
    }
    secrets
}

fn forms(secret: &[u8]) -> [Vec<u8>; 6] {
    let decimal: Vec<String> = secret.iter().map(u8::to_string).collect();
    [
        secret.to_vec(),
        hex::encode(secret).into_bytes(),
        hex::encode_upper(secret).into_bytes(),
        BASE64_STANDARD.encode(secret).into_bytes(),
        BASE64_URL_SAFE_NO_PAD.encode(secret).into_bytes(),
        decimal.join(", ").into_bytes(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_anything_that_is_written() {
    let said = Said::default();
    let writer = said.clone();
    let log = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // Of this process: this test's devices and S1SP run on several threads.
    tracing::subscriber::set_global_default(log).expect("the only one");
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab_in(folder.path(), "cohorts.toml", &[]);
    let tap = Arc::new(said.clone());
    let bench = Bench::of(lab, "moc-secure", folder, SimClock::real(), tap).await;
    let known = bench.known().await;
    said.add(format!("{known:?}").as_bytes());

    let running = bench.s1sp();
    let report = bench.contacted(&running).await;
    assert!(report.failure().is_none(), "{}", report.said());
    said.add(format!("{report:?} {}", report.said()).as_bytes());
    let error = bench.by_smso(Esme, Path::Wan).await.expect_err("the old keys");
    said.add(format!("{error} {error:?}").as_bytes());
    let mut secrets = all(&bench, [&known.for_s1sp, &known.for_dco], &running);
    files(&bench.folder.path().join("state"), &said);

    // A device that does not come back is named, and so is what it sticks at.
    bench.hand(Chf).change_password(b"other-pw").expect("passwords");
    let stuck =
        Contacts::give_back(&*running.s1sp, bench.installation()).await.expect_err("the hub has another");
    said.add(stuck.as_bytes());
    let again = running.contact(&known.common, &known.for_s1sp, &Dco::of(&known)).await;
    said.add(format!("{again:?}").as_bytes());
    said.add(format!("{:?}", bench.smso.reach(bench.installation()).await).as_bytes());
    said.add(format!("{:?} {:?}", running.s1sp, running.links.keyring()).as_bytes());
    secrets.extend(all(&bench, [&known.for_s1sp, &known.for_dco], &running));
    drop(running);
    files(&bench.folder.path().join("state"), &said);

    let said = said.0.lock().expect("no panic");
    assert!(said.len() > 10_000, "{} octets: nothing was looked at", said.len());
    secrets.sort();
    secrets.dedup();
    assert!(secrets.len() > 10, "{}", secrets.len());
    for secret in &secrets {
        for form in forms(secret) {
            let at = said.windows(form.len()).position(|window| window == form);
            let around = at.map(|at| String::from_utf8_lossy(&said[at.saturating_sub(200)..at]).into_owned());
            assert!(at.is_none(), "a secret stands behind: {}", around.unwrap_or_default());
        }
    }
}
