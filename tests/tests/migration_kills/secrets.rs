//! Every secret there is, and where it must not stand: those of the lab file, and those that the S1SP makes, which its own store
//! gives to whoever has the store's key.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use lab_config::Eui64;
use proto_migration::{Address, OpeningKey, PartyRole, Sealed, unseal};
use serde_json::Value;

use crate::lab::SECRETS;

/// The only file in which a private key stands that is looked for.
const STORE_KEY: &str = "store-key.pem";
/// Octets of a digest, which may begin with anything: what is shorter is no secret.
const SHORTEST: usize = 8;

/// The secrets.
pub(crate) struct Secrets {
    of_lab: BTreeSet<Vec<u8>>,
    of_s1sp: BTreeSet<Vec<u8>>,
}

/// What is looked for, by its first two octets.
struct Needles {
    first: Vec<bool>,
    all: BTreeMap<[u8; 2], Vec<Vec<u8>>>,
}

impl Secrets {
    /// Those of the lab file and of the parties' keys.
    pub(crate) fn of_lab(folder: &Path) -> Self {
        let mut of_lab = BTreeSet::new();
        for (_, secret) in SECRETS {
            of_lab.insert(secret.as_bytes().to_vec());
            of_lab.extend(hex::decode(secret));
        }
        let keys = fs::read_dir(folder.join("parties")).into_iter().flatten();
        for path in keys.map(|entry| entry.expect("an entry").path()) {
            if path.extension().is_some_and(|end| end == "key") {
                of_lab.extend(body(&fs::read_to_string(&path).expect("a key")));
            }
        }
        Self { of_lab, of_s1sp: BTreeSet::new() }
    }

    /// Those that the S1SP keeps now, and the key of its store.
    pub(crate) fn of_s1sp(&mut self, state: &Path) {
        let folder = state.join("migration");
        let Ok(pem) = fs::read_to_string(folder.join(STORE_KEY)) else { return };
        self.of_lab.extend(body(&pem));
        let key = OpeningKey::from_pem(&pem).expect("the key of the store");
        for entry in fs::read_dir(folder.join("secrets")).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("a store");
            let installation = installation(&path);
            // The last line may be half written.
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            for sealed in lines.filter_map(|line| sealed(&line, installation)) {
                let opened = unseal(&sealed, &key).expect("what the store has sealed");
                self.of_s1sp.extend(opened.of.iter().map(|(.., secret)| secret.expose().to_vec()));
            }
        }
    }

    /// What was looked for is not looked for again.
    pub(crate) fn forget_those_of_s1sp(&mut self) {
        self.of_s1sp.clear();
    }

    /// Every place in the files of this folder at which a secret stands.
    pub(crate) fn look(&self, folder: &Path) -> Vec<String> {
        let needles = Needles::of(self.of_lab.iter().chain(&self.of_s1sp));
        assert!(self.of_lab.len() > SECRETS.len(), "{} secrets are none", self.of_lab.len());
        let mut found = Vec::new();
        for path in files(folder) {
            if path.file_name().is_some_and(|name| name == STORE_KEY) {
                continue;
            }
            let octets = fs::read(&path).expect("a file");
            let looked_at = match harness::evidence::is_pcapng(&octets) {
                true => without_packets(&octets),
                false => octets,
            };
            if let Some(at) = needles.first_in(&looked_at) {
                let before = String::from_utf8_lossy(&looked_at[at.saturating_sub(200)..at]).into_owned();
                found.push(format!("a secret in {}, behind: {before}", path.display()));
            }
        }
        found
    }
}

impl Needles {
    fn of<'a>(secrets: impl Iterator<Item = &'a Vec<u8>>) -> Self {
        let mut needles = Self { first: vec![false; 1 << 16], all: BTreeMap::new() };
        for needle in secrets.filter(|secret| secret.len() >= SHORTEST).flat_map(|secret| forms(secret)) {
            let first = [needle[0], needle[1]];
            needles.first[usize::from(u16::from_be_bytes(first))] = true;
            needles.all.entry(first).or_default().push(needle);
        }
        needles
    }

    fn first_in(&self, octets: &[u8]) -> Option<usize> {
        octets.windows(2).enumerate().find_map(|(at, first)| {
            let first = [first[0], first[1]];
            let likely = self.first[usize::from(u16::from_be_bytes(first))];
            (likely && self.all[&first].iter().any(|needle| octets[at..].starts_with(needle))).then_some(at)
        })
    }
}

/// As it is, in hexadecimal, in base64 and as octets are printed in Rust.
fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let decimal: Vec<String> = secret.iter().map(u8::to_string).collect();
    let mut forms = vec![
        secret.to_vec(),
        hex::encode(secret).into_bytes(),
        hex::encode_upper(secret).into_bytes(),
        BASE64_STANDARD_NO_PAD.encode(secret).into_bytes(),
        BASE64_URL_SAFE_NO_PAD.encode(secret).into_bytes(),
        decimal.join(", ").into_bytes(),
    ];
    forms.dedup();
    forms
}

/// The lines of a PEM file between its bounds, but the first, which is the same for every key of its kind.
fn body(pem: &str) -> impl Iterator<Item = Vec<u8>> + '_ {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    lines.skip(1).map(|line| line.as_bytes().to_vec())
}

fn installation(path: &Path) -> Eui64 {
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let octets = hex::decode(name).expect("an EUI-64");
    Eui64::new(octets.try_into().expect("eight octets"))
}

fn sealed(line: &Value, installation: Eui64) -> Option<Sealed> {
    let octets = |name: &str| hex::decode(line["sealed"][name].as_str()?).ok();
    let recipient = Address { role: PartyRole::S1sp, id: installation };
    let (encapsulated, ciphertext) = (octets("encapsulated")?, octets("ciphertext")?);
    Some(Sealed { installation, recipient, encapsulated, ciphertext })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        match path.is_dir() {
            true => {
                left.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("one").path()))
            }
            false if path.exists() => found.push(path),
            false => {}
        }
    }
    found
}

/// Removes the files of a folder that is there.
pub(crate) fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        fs::remove_file(entry.expect("an entry").path()).expect("a file");
    }
}

/// A capture without the octets of its packets, which are what crossed the links: a password of low level security does so in
/// clear. Names, descriptions and comments are left.
fn without_packets(octets: &[u8]) -> Vec<u8> {
    const PACKET: u32 = 6;
    // Type and length of a block before it, and its length again behind it; of a packet, its interface, time and lengths.
    const HEAD: usize = 8;
    const FOOT: usize = 4;
    const OF_PACKET: usize = 20;
    let word =
        |at: usize| octets.get(at..at + 4).map(|word| u32::from_le_bytes(word.try_into().expect("four")));
    let (mut left, mut at) = (Vec::new(), 0);
    while let (Some(kind), Some(length)) = (word(at), word(at + 4)) {
        let end = at + usize::try_from(length).expect("a length");
        // What a killed controller left torn is looked at whole, and so is what is no packet.
        let body = octets.get(at + HEAD..end.saturating_sub(FOOT)).unwrap_or(&octets[at..]);
        match (kind, word(at + HEAD + 12)) {
            (PACKET, Some(captured)) if end <= octets.len() => {
                let padded = usize::try_from(captured).expect("a length").next_multiple_of(4);
                left.extend(&body[OF_PACKET + padded..]);
            }
            (PACKET, _) => break,
            _ => left.extend(body),
        }
        at = end.max(at + HEAD);
    }
    left
}
