//! `harness migrate show`: what a migration file says, and whether its signature holds.

use std::path::{Path, PathBuf};

use proto_duis::{Certificate, Eui64};
use proto_migration::{Address, File, OpenError, PartyRole, Trust, describe, open, parse};
use serde::Serialize;

use super::super::arguments::MigrateShow;
use super::super::say::say;
use super::super::{Exit, Failure, print_json};

/// How a certificate in PEM ends.
const END: &str = "-----END CERTIFICATE-----";

#[derive(Debug, Serialize)]
struct Told<'a> {
    file: &'a Path,
    holds: bool,
    /// Why the signature, or the file, does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<Fault>,
    /// What the file says, whoever signed it.
    says: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Fault {
    code: String,
    reason: String,
}

impl From<OpenError> for Fault {
    fn from(error: OpenError) -> Self {
        Self { code: error.code().code().to_string(), reason: error.to_string() }
    }
}

pub(super) fn show(verb: &MigrateShow) -> Result<Exit, Failure> {
    let trust = trust(&verb.certificates)?;
    let mut exit = Exit::Done;
    for file in &verb.files {
        let octets =
            std::fs::read(file).map_err(|error| Failure::input(format!("{}: {error}", file.display())))?;
        let told = told(file, &octets, &trust);
        if !told.holds {
            exit = Exit::Failed;
        }
        match verb.json {
            true => print_json(&told)?,
            false => lines(&told).iter().for_each(|line| say!("{line}")),
        }
    }
    Ok(exit)
}

fn told<'a>(file: &'a Path, octets: &[u8], trust: &Trust) -> Told<'a> {
    let says = |file: &File| describe(file);
    match open(octets, trust) {
        Ok(opened) => Told { file, holds: true, fault: None, says: says(&opened) },
        Err(error) => {
            let says = parse(octets).as_ref().map(says).unwrap_or_default();
            Told { file, holds: false, fault: Some(error.into()), says }
        }
    }
}

fn lines(told: &Told<'_>) -> Vec<String> {
    let verdict = match &told.fault {
        None => "its signature holds".to_owned(),
        Some(fault) => format!("NOT TAKEN, {}: {}", fault.code, fault.reason),
    };
    let head = format!("{}: {verdict}", told.file.display());
    std::iter::once(head).chain(told.says.iter().map(|line| format!("  {line}"))).collect()
}

/// Every certificate in these files, each of the party that the line above it names.
fn trust(files: &[PathBuf]) -> Result<Trust, Failure> {
    let mut trust = Trust::new();
    for file in files {
        let wrong = |reason: String| {
            let failure = Failure::input(format!("{}: {reason}", file.display()));
            failure.hint(
                "above each certificate stands a line with its party, such as: smso 90-B3-D5-1F-30-03-00-02",
            )
        };
        let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        for block in text.split_inclusive(END).filter(|block| block.contains(END)) {
            let (party, certificate) = certified(block).map_err(wrong)?;
            trust.add(party, certificate);
        }
    }
    Ok(trust)
}

fn certified(block: &str) -> Result<(Address, Certificate), String> {
    let certificate = Certificate::from_pem(block).map_err(|error| error.to_string())?;
    let heading = block.split("-----BEGIN").next().unwrap_or_default();
    let heading = heading.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Ok((
        address(heading)
            .ok_or_else(|| format!("found {heading:?} above a certificate, expected its party"))?,
        certificate,
    ))
}

fn address(text: &str) -> Option<Address> {
    let (role, id) = text.trim().split_once(' ')?;
    let role = PartyRole::ALL.into_iter().find(|known| known.word() == role)?;
    Some(Address { role, id: id.trim().parse::<Eui64>().ok()? })
}

#[cfg(test)]
mod tests {
    use proto_duis::pki::Authority;
    use proto_migration::{Body, write};

    use super::*;

    fn signed() -> (Vec<u8>, String) {
        let control = address("migration-control 90-B3-D5-1F-30-02-00-00").expect("an address");
        let requesting = address("requesting-party 90-B3-D5-1F-30-03-00-00").expect("an address");
        let installation = "00-DB-12-34-56-78-90-A0".parse().expect("an EUI-64");
        let body =
            Body::Demand { installations: vec![(installation, vec!["MA_1".parse().expect("a name")])] };
        let written = "2026-11-22T10:30:00Z".parse().expect("a time");
        let group = "G1".parse().expect("a name");
        let file = File::new(control, vec![requesting], group, 7, None, written, body);
        let signer = Authority::new("Lab").and_then(|lab| lab.issue("control")).expect("a key");
        let certificate = format!("{control}\n{}", signer.certificate().pem());
        (write(&file, &signer).expect("a file"), certificate)
    }

    #[test]
    fn a_file_is_told_whole_with_whether_its_signature_holds() {
        let (octets, certificate) = signed();
        let folder = tempfile::tempdir().expect("a folder");
        let pem = folder.path().join("parties.pem");
        std::fs::write(&pem, certificate).expect("a file");
        let trusted = trust(&[pem]).expect("certificates");
        insta::assert_snapshot!(lines(&told(Path::new("DC.xml"), &octets, &trusted)).join("\n"), @r"
        DC.xml: its signature holds
          demand DC-G1_90B3D51F30020000_7, number 7 of group G1
          from migration-control 90-B3-D5-1F-30-02-00-00, written 2026-11-22T10:30:00Z
          to requesting-party 90-B3-D5-1F-30-03-00-00
          follows no file
          00-DB-12-34-56-78-90-A0 under MA_1
        ");
        let unknown = told(Path::new("DC.xml"), &octets, &Trust::new());
        assert!(!unknown.holds && unknown.says.len() == 5, "{unknown:?}");
        let altered = String::from_utf8(octets.clone()).expect("text").replace("MA_1", "MA_2");
        let altered = told(Path::new("DC.xml"), altered.as_bytes(), &trusted);
        assert_eq!(altered.fault.map(|fault| fault.code), Some("LAB-F02".to_owned()));
        let cut = told(Path::new("DC.xml"), &octets[..octets.len() / 2], &trusted);
        assert!(cut.says.is_empty() && cut.fault.is_some_and(|fault| fault.code == "LAB-F01"));
    }

    #[test]
    fn a_certificate_of_nobody_is_refused() {
        let (_, certificate) = signed();
        let folder = tempfile::tempdir().expect("a folder");
        let pem = folder.path().join("parties.pem");
        std::fs::write(&pem, certificate.replace("migration-control", "nobody")).expect("a file");
        let failure = trust(&[pem]).expect_err("nobody").to_string();
        assert!(
            failure.contains("found \"nobody 90-B3-D5-1F-30-02-00-00\" above a certificate"),
            "{failure}"
        );
    }
}
