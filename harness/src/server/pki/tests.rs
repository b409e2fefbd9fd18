//! The authority held against openssl: what it says of certificates and lists is what we say.

use std::path::Path;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use proto_lab::record::Role;

use super::*;

fn openssl(arguments: &[&str]) -> (bool, String) {
    let ended = Command::new("openssl").args(arguments).output().expect("openssl is on the machine");
    let said = [ended.stdout, ended.stderr].concat();
    (ended.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn lab(dir: &Path) -> Pki {
    let pki = Pki::new(dir.join("pki"));
    let hosts = ["lab.example".parse().unwrap(), "192.0.2.7".parse().unwrap()];
    pki.init(&"Embedded Lab".parse().unwrap(), &hosts, Timestamp::now()).unwrap();
    pki
}

fn holder(name: &str, standing: &str) -> Holder {
    Holder { name: name.parse().unwrap(), standing: standing.parse().unwrap() }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Whether openssl takes a certificate for this purpose, with the list of those taken back.
fn verified(pki: &Pki, certificate: &Path, purpose: &str) -> (bool, String) {
    let (authority, revoked) = (pki.authority(), pki.revoked());
    let mut arguments = vec!["verify", "-x509_strict", "-crl_check", "-purpose", purpose];
    arguments.extend(["-CAfile", text(&authority), "-CRLfile", text(&revoked), text(certificate)]);
    openssl(&arguments)
}

#[test]
fn openssl_verifies_what_is_issued_and_shows_who_and_in_which_role() {
    let dir = tempfile::tempdir().unwrap();
    let pki = lab(dir.path());
    let to = dir.path().join("out");
    let issued = pki.issue(&holder("Ann O'Neil", "witness"), 30, &to, Timestamp::now()).unwrap();
    assert_eq!(issued.certificate, to.join("Ann-O-Neil.pem"));
    assert!(verified(&pki, &issued.certificate, "sslclient").0);
    assert!(!verified(&pki, &issued.certificate, "sslserver").0);
    assert!(verified(&pki, &pki.server(), "sslserver").0);
    assert!(!verified(&pki, &pki.server(), "sslclient").0);
    let shown = openssl(&[
        "x509",
        "-in",
        text(&issued.certificate),
        "-noout",
        "-nameopt",
        "RFC2253",
        "-subject",
        "-serial",
    ])
    .1;
    assert!(shown.contains("CN=Ann O'Neil,OU=witness,O=Embedded Lab"), "{shown}");
    assert!(shown.to_lowercase().contains(&issued.certified.serial.to_string()), "{shown}");
    let hosts = openssl(&["x509", "-in", text(&pki.server()), "-noout", "-ext", "subjectAltName"]).1;
    for host in ["DNS:localhost", "IP Address:127.0.0.1", "DNS:lab.example", "IP Address:192.0.2.7"] {
        assert!(hosts.contains(host), "{hosts}");
    }
    let key = openssl(&["pkey", "-in", text(&issued.key), "-noout", "-text"]).1;
    assert!(key.contains("prime256v1"), "{key}");
}

#[test]
fn what_is_taken_back_openssl_refuses_from_then_on() {
    let dir = tempfile::tempdir().unwrap();
    let pki = lab(dir.path());
    let issue = |name: &str| pki.issue(&holder(name, "engineer"), 30, dir.path(), Timestamp::now()).unwrap();
    let (ann, ben) = (issue("ann"), issue("ben"));
    assert_eq!(pki.revoke("ann", Timestamp::now()).unwrap(), std::slice::from_ref(&ann.certified));
    let (taken, said) = verified(&pki, &ann.certificate, "sslclient");
    assert!(!taken && said.contains("revoked"), "{said}");
    assert!(verified(&pki, &ben.certificate, "sslclient").0);
    assert!(matches!(pki.revoke("ann", Timestamp::now()), Err(PkiError::Unknown { .. })));
    let serial = ben.certified.serial.to_string().to_uppercase();
    pki.revoke(&serial, Timestamp::now()).unwrap();
    for certificate in [&ann.certificate, &ben.certificate] {
        assert!(!verified(&pki, certificate, "sslclient").0);
    }
    let shown = pki.show().unwrap();
    let names: Vec<_> = shown.iter().map(|i| (i.certified.holder.to_string(), i.revoked.is_some())).collect();
    let expected = [("ann (engineer)", true), ("ben (engineer)", true), ("controller (server)", false)];
    assert_eq!(names, expected.map(|(name, revoked)| (name.to_owned(), revoked)));
}

#[test]
fn private_keys_are_the_owners_alone_and_an_exposed_one_is_not_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let pki = lab(dir.path());
    let issued = pki.issue(&holder("ann", "board"), 30, dir.path(), Timestamp::now()).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let authority = pki.folder().join("authority.key");
    for key in [&issued.key, &pki.server_key(), &authority] {
        assert_eq!(mode(key), 0o600, "{}", key.display());
    }
    std::fs::set_permissions(&authority, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = pki.issue(&holder("ben", "board"), 30, dir.path(), Timestamp::now()).unwrap_err();
    assert!(matches!(error, PkiError::Exposed { mode: 0o640, .. }), "{error}");
}

#[test]
fn nothing_is_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let pki = lab(dir.path());
    let before = std::fs::read(pki.authority()).unwrap();
    let again = pki.init(&"other".parse().unwrap(), &[], Timestamp::now());
    assert!(matches!(again, Err(PkiError::Exists { .. })));
    assert_eq!(std::fs::read(pki.authority()).unwrap(), before);
    pki.issue(&holder("ann", "board"), 30, dir.path(), Timestamp::now()).unwrap();
    let again = pki.issue(&holder("ann", "engineer"), 30, dir.path(), Timestamp::now());
    assert!(matches!(again, Err(PkiError::Exists { .. })));
}

#[test]
fn a_certificate_reads_back_with_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let pki = Pki::new(dir.path().join("pki"));
    pki.init(&"lab".parse().unwrap(), &[], now).unwrap();
    let issued = pki.issue(&holder("bench-3", "station"), 2, dir.path(), now).unwrap();
    assert_eq!(issued.certified.expires, now + SignedDuration::from_hours(48));
    assert_eq!(issued.certified.holder, holder("bench-3", "station"));
    assert_eq!(issued.certified.lab.as_str(), "lab");
    let (taken, said) = verified(&pki, &issued.certificate, "sslclient");
    assert_eq!(taken, Timestamp::now() < issued.certified.expires, "{said}");
}

/// Certificates that others made say what they like: nothing but a lab's own subject is taken.
#[test]
fn a_subject_that_says_something_else_is_refused_with_its_words() {
    let subjects: [(&[(rcgen::DnType, &str)], &str); 4] = [
        (&[(rcgen::DnType::CommonName, "ann")], "organisational unit"),
        (
            &[
                (rcgen::DnType::CommonName, "ann"),
                (rcgen::DnType::OrganizationalUnitName, "root"),
                (rcgen::DnType::OrganizationName, "lab"),
            ],
            "`root` is no role",
        ),
        (
            &[
                (rcgen::DnType::CommonName, "a\nb"),
                (rcgen::DnType::OrganizationalUnitName, "board"),
                (rcgen::DnType::OrganizationName, "lab"),
            ],
            "common name",
        ),
        (&[], "common name"),
    ];
    let key = rcgen::KeyPair::generate().unwrap();
    for (subject, said) in subjects {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (part, text) in subject {
            params.distinguished_name.push(part.clone(), *text);
        }
        let made = params.self_signed(&key).unwrap();
        let error = Certified::from_der(made.der()).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}

proptest::proptest! {
    #[test]
    fn no_octets_bring_the_reader_down(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let _ = Certified::from_der(&octets);
    }

    #[test]
    fn hosts_are_names_or_addresses(text in ".{0,30}") {
        if let Ok(Host::Name(name)) = text.parse::<Host>() {
            proptest::prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.'));
        }
    }
}

#[test]
fn standings_read_back() {
    for standing in Role::ALL.map(Standing::Role).into_iter().chain([Standing::Station, Standing::Server]) {
        assert_eq!(standing.to_string().parse(), Ok(standing));
    }
    assert!("Engineer".parse::<Standing>().is_err());
}
