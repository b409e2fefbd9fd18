//! Making a signature.

use super::{DsigError, ECDSA_SHA256, ENVELOPED, EXCLUSIVE, SHA256, Signer, canonical};
use crate::xml::{Element, Space};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

/// `document`, which has one root element and an end tag to it, with a signature over all of it as the last child.
pub(crate) fn sign(document: &str, signer: &Signer) -> Result<String, DsigError> {
    let end_tag =
        document.rfind("</").ok_or_else(|| DsigError::Signing("the document has no content".to_owned()))?;
    let octets = canonical(document).map_err(DsigError::Signing)?;
    let signed_info = signed_info(&STANDARD.encode(Sha256::digest(octets)));
    let to_sign = canonical(&signed_info.to_document()).map_err(DsigError::Signing)?;
    let value = STANDARD.encode(signer.sign(&to_sign)?);
    let signature = Element::new(Space::Ds, "Signature")
        .with(signed_info)
        .with(Element::leaf(Space::Ds, "SignatureValue", value))
        .with(key_info(signer));
    Ok(format!("{}{}{}", &document[..end_tag], signature.to_document(), &document[end_tag..]))
}

fn signed_info(digest: &str) -> Element {
    let transforms = Element::new(Space::Ds, "Transforms")
        .with(algorithm("Transform", ENVELOPED))
        .with(algorithm("Transform", EXCLUSIVE));
    let reference = Element::new(Space::Ds, "Reference")
        .with_attribute("URI", "")
        .with(transforms)
        .with(algorithm("DigestMethod", SHA256))
        .with(Element::leaf(Space::Ds, "DigestValue", digest));
    Element::new(Space::Ds, "SignedInfo")
        .with(algorithm("CanonicalizationMethod", EXCLUSIVE))
        .with(algorithm("SignatureMethod", ECDSA_SHA256))
        .with(reference)
}

fn algorithm(element: &str, uri: &str) -> Element {
    Element::new(Space::Ds, element).with_attribute("Algorithm", uri)
}

fn key_info(signer: &Signer) -> Element {
    let certificate = signer.certificate();
    let named = Element::new(Space::Ds, "X509IssuerSerial")
        .with(Element::leaf(Space::Ds, "X509IssuerName", certificate.issuer()))
        .with(Element::leaf(Space::Ds, "X509SerialNumber", certificate.serial()));
    Element::new(Space::Ds, "KeyInfo").with(Element::new(Space::Ds, "X509Data").with(named))
}
