//! Secrets sealed here and opened by a Python HPKE, and the other way, under keys that openssl made.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use proto_duis::Eui64;
use proto_migration::examples::{ESME, GSME, INSTALLATION, party};
use proto_migration::{OpeningKey, PartyRole, Sealed, SealingKey, Secret, SecretKind, Secrets, seal, unseal};
use tempfile::TempDir;

use crate::run;

/// A key pair of openssl's making, its two files in the folder.
fn key(folder: &Path) -> (OpeningKey, SealingKey) {
    let [private, public] = ["key.pem", "public.pem"].map(|name| folder.join(name));
    let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"];
    assert!(run(Command::new("openssl").arg("genpkey").args(curve).arg(&private)).status.success());
    assert!(
        run(Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(&private).arg("-out").arg(&public))
            .status
            .success()
    );
    let [private, public] = [private, public].map(|file| std::fs::read_to_string(file).unwrap());
    (OpeningKey::from_pem(&private).unwrap(), SealingKey::from_pem(&public).unwrap())
}

/// What the peer prints, line by line, for octets it is given.
fn peer(what: &str, key: &Path, more: &[Vec<u8>], octets: &[u8]) -> Vec<Vec<u8>> {
    let python = lab_tests::peers().unwrap().join("python");
    let script = lab_tests::repository().join("tests/tests/migration_peers/peer.py");
    let mut child = Command::new(python)
        .arg(script)
        .args([what.as_ref(), key.as_os_str()])
        .args(more.iter().map(hex::encode))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(hex::encode(octets).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the Python HPKE does not {what}");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| hex::decode(line).unwrap()).collect()
}

/// What the two sides must agree on beside the keys: `info` and `aad`, written out here anew.
fn bound_to(role: &str, id: Eui64, installation: Eui64) -> [Vec<u8>; 2] {
    let info = [b"SMETS1 migration secrets 1\0", role.as_bytes(), b"\0", &id.octets()[..]].concat();
    [info, installation.octets().to_vec()]
}

/// One password and one key of no client, and the octets they are (`contents`).
fn secrets() -> (Secrets, Vec<u8>) {
    let of = vec![
        (ESME, Some(1), SecretKind::Password, Secret::new(*b"s3cret-1")),
        (GSME, None, SecretKind::MasterKey, Secret::new([0x5A; 16])),
    ];
    let mut octets = b"S1MS\x01\x00\x02".to_vec();
    octets.extend([&ESME.octets()[..], b"\x01\x01\x01\x00\x08s3cret-1"].concat());
    octets.extend([&GSME.octets()[..], b"\x00\x04\x00\x10", &[0x5A; 16]].concat());
    (Secrets { of }, octets)
}

#[test]
fn a_python_hpke_opens_what_we_seal() {
    let folder = TempDir::new().unwrap();
    let (_, public) = key(folder.path());
    let (secrets, octets) = secrets();
    let s1sp = party(PartyRole::S1sp);
    let sealed = seal(&secrets, INSTALLATION, s1sp, &public).unwrap();
    let [info, aad] = bound_to("s1sp", s1sp.id, INSTALLATION);
    let opened =
        peer("open", &folder.path().join("key.pem"), &[info, aad, sealed.encapsulated], &sealed.ciphertext);
    assert_eq!(opened, [octets]);
}

#[test]
fn what_a_python_hpke_seals_opens_with_us() {
    let folder = TempDir::new().unwrap();
    let (private, _) = key(folder.path());
    let (secrets, octets) = secrets();
    let dco = party(PartyRole::Dco);
    let bound = bound_to("dco", dco.id, INSTALLATION);
    let lines = peer("seal", &folder.path().join("public.pem"), &bound, &octets);
    let [encapsulated, ciphertext] = lines.try_into().unwrap();
    let sealed = Sealed { installation: INSTALLATION, recipient: dco, encapsulated, ciphertext };
    assert_eq!(unseal(&sealed, &private), Ok(secrets));
}

#[test]
fn openssl_reads_the_keys_we_make() {
    let folder = TempDir::new().unwrap();
    let key = OpeningKey::generate().unwrap();
    let file = folder.path().join("ours.pem");
    std::fs::write(&file, key.to_pem().unwrap().as_bytes()).unwrap();
    let output = run(Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(&file));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), key.sealing_key().to_pem().unwrap());
}
