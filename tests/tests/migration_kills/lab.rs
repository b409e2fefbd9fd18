//! The lab of the kills: two installations, their devices simulated, and parties inside or outside.

use std::fmt::Write as _;
use std::fs;
use std::path::Path as FilePath;

use device_sim::Estate;
use lab_config::Lab;
use lab_tests::devices::{embedded_lab, with_wakeful_gas};
use lab_tests::files::Files;
use lab_tests::town::Town;
use proto_migration::OpeningKey;

use crate::{InstallationType, PartyRole};

/// Installations.
pub(crate) const RIGS: u16 = 2;

/// The parties that are programs of their own in [`Cast::Outside`].
pub(crate) const OUTSIDE: [PartyRole; 4] = [
    PartyRole::RequestingParty,
    PartyRole::CommissioningParty,
    PartyRole::Dco,
    PartyRole::ResponsibleSupplier,
];

/// Every party but control.
pub(crate) const ALL: [PartyRole; 5] = [
    PartyRole::RequestingParty,
    PartyRole::Smso,
    PartyRole::S1sp,
    PartyRole::Dco,
    PartyRole::CommissioningParty,
];

/// Those that stay inside there, and whose keys those outside must know.
const INSIDE: [PartyRole; 3] = [PartyRole::MigrationControl, PartyRole::Smso, PartyRole::S1sp];

/// The supplier of electricity of the embedded lab.
const SUPPLIER: &str = "90-B3-D5-1F-30-01-00-00";

/// Who is where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cast {
    /// Every party is a component of the harness; the electricity meters have keys of security suite 0.
    Inside,
    /// Those of [`OUTSIDE`] are programs of their own.
    Outside,
}

impl Cast {
    /// What the installations are: with a supplier where one takes part.
    pub(crate) const fn kind(self) -> InstallationType {
        match self {
            Self::Inside => InstallationType::Dormant,
            Self::Outside => InstallationType::Mixed,
        }
    }
}

/// The secrets of the lab file, each with the name of its file.
pub(crate) const SECRETS: [(&str, &str); 5] = [
    ("password", "smso-4711-secret"),
    ("vending", "0123456789ABCDEF0123456789ABCDEF"),
    ("encryption", "5AE1C3D4E5F60718293A4B5C6D7E0001"),
    ("authentication", "5AE2C3D4E5F60718293A4B5C6D7E0002"),
    ("master", "5AE3C3D4E5F60718293A4B5C6D7E0003"),
];

/// The embedded lab, whose gas meters wake every ten seconds, as often as one may: waiting for half an hour would be most of the
/// test.
fn town(folder: &FilePath, cast: Cast) -> Town {
    let text = with_wakeful_gas(folder, embedded_lab().expect("the embedded lab")).expect("a gas meter");
    let text = text.replace("password = { generated = true }", "password = { file = \"password\" }");
    let text = text.replace("vending-key = { generated = true }", "vending-key = { file = \"vending\" }");
    let mut town = Town::of(&text).expect("the embedded lab");
    if cast == Cast::Inside {
        (town.head, town.rig) = with_keys(&town.head, &town.rig);
    }
    town
}

/// The electricity meter has keys.
fn with_keys(head: &str, rig: &str) -> (String, String) {
    let (before, meter) = rig.split_once("kind = \"ESME\"").expect("a meter");
    let password = "client.1 = { security = \"low\", password = { file = \"password\" } }";
    let keys = "client.1 = { security = \"gmac\", system-title = \"4C41424B45595331\", encryption-key = { file = \"encryption\" }, \
                authentication-key = { file = \"authentication\" }, master-key = { file = \"master\" } }";
    assert!(meter.contains(password), "the embedded lab is another");
    let rig = [before, "kind = \"ESME\"", &meter.replacen(password, keys, 1)].concat();
    (head.replace("esme-liberty-100", "esme-liberty-100-moc"), rig)
}

/// Writes the lab of the simulated devices.
pub(crate) fn simulated(folder: &FilePath, cast: Cast) -> Lab {
    for (name, secret) in SECRETS {
        fs::write(folder.join(name), secret).expect(name);
    }
    let text = town(folder, cast).text(RIGS, |_, rig| rig);
    write(folder, "simulated.toml", &text)
}

/// Writes the lab file of migration control and of every party: the devices where they answer, and who is where.
pub(crate) fn concrete(folder: &FilePath, cast: Cast, devices: &Estate) -> Lab {
    let mut text = town(folder, cast).leading_to(RIGS, devices.endpoints());
    if cast == Cast::Outside {
        text.push_str(&parties(folder));
    }
    write(folder, "lab.toml", &text)
}

fn write(folder: &FilePath, name: &str, text: &str) -> Lab {
    let path = folder.join(name);
    fs::write(&path, text).expect(name);
    Lab::load(&path).unwrap_or_else(|error| panic!("{error}"))
}

/// Makes the keys of every party, and says who is where.
fn parties(folder: &FilePath) -> String {
    let names: Vec<&str> = OUTSIDE.iter().chain(&INSIDE).map(|role| role.word()).collect();
    let keys = folder.join("parties");
    fs::create_dir_all(&keys).expect("a folder");
    Files::make(&keys, &names);
    let mut text = "\n[migration]\nanswer-within = \"4s\"\n".to_owned();
    for role in OUTSIDE {
        let word = role.word();
        write!(text, "[migration.party.{word}]\nfolder = \"exchange/{word}\"\n").expect("text");
        writeln!(text, "certificate = \"parties/{word}.pem\"").expect("text");
        if let Some(opening) = opening(&keys, role) {
            let seal_to = opening.sealing_key().to_pem().expect("a key");
            fs::write(keys.join(format!("{word}-seal.pem")), seal_to).expect("a file");
            writeln!(text, "seal-to = \"parties/{word}-seal.pem\"").expect("text");
        }
        if role == PartyRole::ResponsibleSupplier {
            writeln!(text, "eui-64 = \"{SUPPLIER}\"").expect("text");
        }
    }
    for role in INSIDE {
        let word = role.word();
        write!(text, "[migration.party.{word}]\ncertificate = \"parties/{word}.pem\"\n").expect("text");
        writeln!(text, "key = {{ file = \"parties/{word}.key\" }}").expect("text");
        if opening(&keys, role).is_some() {
            writeln!(text, "opening-key = {{ file = \"parties/{word}-open.key\" }}").expect("text");
        }
    }
    text
}

/// Makes what a party opens its secrets with, where it gets any.
fn opening(keys: &FilePath, role: PartyRole) -> Option<OpeningKey> {
    if !matches!(role, PartyRole::S1sp | PartyRole::Dco) {
        return None;
    }
    let opening = OpeningKey::generate().expect("a key");
    let pem = opening.to_pem().expect("a key");
    fs::write(keys.join(format!("{}-open.key", role.word())), pem.as_bytes()).expect("a file");
    Some(opening)
}
