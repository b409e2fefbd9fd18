//! The files of a migration held against programs that are not ours: xmllint checks them against the schemas that lie beside the
//! crate, xmlsec1 checks our signatures and makes some for us to check, and a Python HPKE opens what we seal and seals what we
//! open.

mod sealed;

use proto_duis::Signer;
use proto_duis::examples::{Draw, damaged_between};
use proto_duis::pki::Authority;
use proto_migration::examples::{drawn, files, party};
use proto_migration::{File, FileKind, PartyRole, Trust, open, parse, to_xml, write};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// One writer, its key also in files for xmlsec1, and a folder for its files. It plays every part.
struct Lab {
    folder: TempDir,
    signer: Signer,
    trust: Trust,
}

impl Lab {
    fn new() -> Lab {
        let folder = TempDir::new().unwrap();
        let authority = Authority::new("Lab signing authority").unwrap();
        let (certificate, key) = authority.issue_pem("writer").unwrap();
        for (name, text) in
            [("authority.pem", authority.pem()), ("writer.pem", &certificate), ("writer.key", &key)]
        {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let signer = Signer::from_pem(&certificate, &key).unwrap();
        let mut trust = Trust::new();
        PartyRole::ALL.into_iter().for_each(|role| trust.add(party(role), signer.certificate().clone()));
        Lab { folder, signer, trust }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, xml: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, xml).unwrap();
        path
    }

    fn signed(&self, file: &File) -> String {
        String::from_utf8(write(file, &self.signer).unwrap()).unwrap()
    }

    /// Whether xmlsec1 takes the signature of a file, trusting the lab's authority only.
    fn xmlsec_verifies(&self, xml: &str) -> bool {
        let path = self.write("verify.xml", xml);
        let mut command = Command::new("xmlsec1");
        command
            .args(["--verify", "--enabled-key-data", "x509", "--trusted-pem"])
            .arg(self.path("authority.pem"));
        command.arg("--untrusted-pem").arg(self.path("writer.pem"));
        run(command.arg(path)).status.success()
    }

    /// A signature of xmlsec1's making over a file without one.
    fn xmlsec_signs(&self, xml: &str) -> String {
        let end = xml.rfind("</").unwrap();
        let path = self.write("template.xml", &format!("{}{TEMPLATE}{}", &xml[..end], &xml[end..]));
        let key = format!("{},{}", self.path("writer.key").display(), self.path("writer.pem").display());
        let output = run(Command::new("xmlsec1").args(["--sign", "--privkey-pem", &key]).arg(path));
        assert!(output.status.success(), "xmlsec1 did not sign: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Which of the documents the schema of a kind takes, in one call of xmllint.
    fn valid(&self, kind: FileKind, documents: &[String]) -> Vec<bool> {
        let named = |(n, xml): (usize, &String)| self.write(&format!("{kind}-{n}.xml"), xml);
        let files: Vec<PathBuf> = documents.iter().enumerate().map(named).collect();
        let schema = schemas().join(format!("{kind}.xsd"));
        let output =
            run(Command::new("xmllint").args(["--noout", "--nonet", "--schema"]).arg(schema).args(&files));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines: BTreeSet<&str> = said.lines().collect();
        let says = |file: &Path, what: &str| lines.contains(format!("{} {what}", file.display()).as_str());
        let verdict = |file: &PathBuf| {
            let (good, bad) = (says(file, "validates"), says(file, "fails to validate"));
            assert!(good != bad, "xmllint says nothing of {}: {said}", file.display());
            good
        };
        files.iter().map(verdict).collect()
    }
}

const TEMPLATE: &str = r#"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>
<ds:Reference URI=""><ds:Transforms>
<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>
</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509IssuerSerial/></ds:X509Data></ds:KeyInfo></ds:Signature>"#;

fn schemas() -> PathBuf {
    lab_tests::repository().join("proto/migration/schemas")
}

fn run(command: &mut Command) -> Output {
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .output()
        .unwrap_or_else(|error| panic!("{program} cannot be started ({error}); run tests/run once"))
}

/// Octets that look random and are the same each time (Knuth's constants for a linear congruence).
fn octets(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}

/// Files of a kind, drawn at random.
fn some(kind: FileKind, count: u64) -> Vec<File> {
    (0..count).map(|seed| drawn(kind, &mut Draw::new(&octets(seed * 97 + 1, 900)))).collect()
}

#[test]
fn every_kind_of_file_is_valid_by_its_schema_and_xmlsec1_takes_its_signature() {
    let lab = Lab::new();
    for file in files() {
        let signed = lab.signed(&file);
        assert_eq!(lab.valid(file.body.kind(), &[signed.clone(), to_xml(&file)]), [true, true], "{signed}");
        assert!(lab.xmlsec_verifies(&signed), "{signed}");
    }
}

#[test]
fn any_file_is_valid_by_its_schema() {
    let lab = Lab::new();
    for kind in FileKind::ALL {
        let documents: Vec<String> = some(*kind, 12).iter().map(|file| lab.signed(file)).collect();
        for (valid, xml) in lab.valid(*kind, &documents).into_iter().zip(&documents) {
            assert!(valid, "{xml}");
        }
    }
}

/// An element taken out, renamed or given nonsense: the schemas and we agree on every one.
#[test]
fn the_schemas_and_we_agree_on_damaged_files() {
    let lab = Lab::new();
    let (mut all, mut taken) = (0, 0);
    for kind in FileKind::ALL {
        let mut documents = Vec::new();
        for (n, file) in (0u32..).zip(some(*kind, 10)) {
            let xml = lab.signed(&file);
            let end = xml.find("</mig:Body>").unwrap();
            let start = xml.find("<mig:Header>").unwrap();
            let at = |k: u32| usize::from_le_bytes(octets((n * 3 + k).into(), 8).try_into().unwrap());
            documents.extend((0..3).map(|how| damaged_between(&xml, start, end, "mig", at(how), how)));
        }
        for (valid, xml) in lab.valid(*kind, &documents).into_iter().zip(&documents) {
            let ours = parse(xml.as_bytes());
            assert_eq!(valid, ours.is_ok(), "{ours:?} {xml}");
            assert!(open(xml.as_bytes(), &lab.trust).is_err());
            all += 1;
            taken += usize::from(valid);
        }
    }
    println!("{all} damaged files, {taken} still files");
    assert!(taken > 10 && taken < all / 2, "{taken} of {all}");
}

/// The schemas refuse what we refuse: else their consent above would mean little.
#[test]
fn what_we_refuse_the_schemas_refuse() {
    let lab = Lab::new();
    for (kind, from, to) in [
        (FileKind::Common, "schemaVersion=\"1.0\"", "schemaVersion=\"1.1\""),
        (FileKind::Common, "schemaVersion=\"1.0\"", "schemaVersion=\"1.0\" lang=\"en\""),
        (FileKind::Common, ">Mixed<", ">Half<"),
        (FileKind::Common, ">ESME<", ">HCALCS<"),
        (FileKind::Common, ">5<", ">05<"),
        (FileKind::Common, ">true<", ">1<"),
        (FileKind::Common, "T10:35:00Z", "T10:35:00"),
        (FileKind::Common, ">G1<", ">../G1<"),
        (FileKind::Common, ">A1 B2<", "><"),
        (FileKind::Group, "AAECAwQF", "AAEC"),
        (FileKind::Commissioning, "<mig:DCC/>", "<mig:DCC>yes</mig:DCC>"),
        (FileKind::Response, "<mig:Accepted>", "<mig:Accepted verbal=\"yes\">"),
        (FileKind::Outcome, "every device answers", &"x".repeat(2_001)),
    ] {
        let file = files().into_iter().find(|file| file.body.kind() == kind).unwrap();
        let xml = to_xml(&file);
        let changed = xml.replacen(from, to, 1);
        assert_ne!(changed, xml, "{from}");
        assert!(parse(changed.as_bytes()).is_err(), "we took {to}");
        assert_eq!(lab.valid(kind, &[changed]), [false], "xmllint took {to}");
    }
}

#[test]
fn files_signed_by_xmlsec1_open_with_us() {
    let lab = Lab::new();
    for file in files() {
        let signed = lab.xmlsec_signs(&to_xml(&file));
        assert_eq!(open(signed.as_bytes(), &lab.trust), Ok(file));
    }
}

#[test]
fn both_refuse_a_file_that_was_tampered_with() {
    let lab = Lab::new();
    let file = files().remove(4);
    for signed in [lab.signed(&file), lab.xmlsec_signs(&to_xml(&file))] {
        let other_digit = |element: &str| {
            let at = signed.find(&format!("<ds:{element}>")).unwrap() + element.len() + 5 + 6;
            let other = if &signed[at..=at] == "A" { "B" } else { "A" };
            format!("{}{other}{}", &signed[..at], &signed[at + 1..])
        };
        assert!(lab.xmlsec_verifies(&signed) && open(signed.as_bytes(), &lab.trust).is_ok());
        for tampered in [
            signed.replace(">8.0.1<", ">8.0.2<"),
            signed.replace("<mig:FileNumber>5<", "<mig:FileNumber>6<"),
            other_digit("DigestValue"),
            other_digit("SignatureValue"),
        ] {
            assert_ne!(tampered, signed);
            assert!(!lab.xmlsec_verifies(&tampered), "xmlsec1 took {tampered}");
            assert!(open(tampered.as_bytes(), &lab.trust).is_err(), "we took {tampered}");
        }
    }
}
