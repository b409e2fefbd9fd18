//! `harness duis sign`: a signature on a message somebody wrote. The key is in a file, never on the command line.

use std::path::Path;

use proto_duis::{CertificateError, Signer, sign_document};

use super::super::arguments::DuisSign;
use super::super::say::say;
use super::super::{Exit, Failure, print_json};
use super::file;

pub(super) fn sign(verb: &DuisSign) -> Result<Exit, Failure> {
    let signer = signer(&verb.certificate, &verb.key)?;
    let octets = file::read(&verb.file)?;
    let signed = sign_document(&octets, &signer)
        .map_err(|error| Failure::input(format!("{}: {error}", verb.file.display())))?;
    match verb.json {
        true => {
            let signed_by = signer.certificate().subject();
            print_json(&serde_json::json!({ "file": verb.file, "signed-by": signed_by, "xml": signed }))?;
        }
        false => say!("{signed}"),
    }
    Ok(Exit::Done)
}

fn signer(certificate: &Path, key: &Path) -> Result<Signer, Failure> {
    let text = |file| Ok(String::from_utf8_lossy(&file::read(file)?).into_owned());
    Signer::from_pem(&text(certificate)?, &text(key)?).map_err(|error| {
        let said = |file: &Path| Failure::input(format!("{}: {error}", file.display()));
        match &error {
            CertificateError::Key(_) => said(key).hint(format!(
                "openssl pkcs8 -topk8 -nocrypt -in {} writes a key of another form as PKCS#8",
                key.display()
            )),
            CertificateError::Mismatch { .. } => {
                said(key).hint("give the certificate that was made for this key")
            }
            CertificateError::Certificate(_) | CertificateError::NotP256 { .. } => said(certificate),
        }
    })
}
