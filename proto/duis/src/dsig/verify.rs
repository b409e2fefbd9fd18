//! Checking a signature.

use super::{
    Certificate, DsigError, ECDSA_SHA256, ENVELOPED, EXCLUSIVE, Party, SHA256, TrustStore, canonical,
};
use crate::xml::{Cursor, Document, Element, Reading, SchemaError, Space};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::fmt::Display;

/// A document whose signature holds.
pub struct Verified<'t, P = &'t Party> {
    /// Read from the octets that were digested: the document in canonical form, without this signature.
    pub content: Document,
    /// Who signed.
    pub party: P,
    /// The certificate it was signed under.
    pub certificate: &'t Certificate,
}

/// How many `Signature` elements there are in an element, at any depth.
pub(crate) fn signatures_below(element: &Element) -> usize {
    let own = usize::from(element.is(Space::Ds, "Signature"));
    own + element.children.iter().map(signatures_below).sum::<usize>()
}

/// Checks the signature that ends the root element of `document`, which in all holds `expected` signatures.
pub(crate) fn verify<'t>(
    document: &Document,
    expected: usize,
    trust: &'t TrustStore,
) -> Result<Verified<'t>, DsigError> {
    verify_by(document, expected, |issuer, serial| trust.find(issuer, serial))
}

/// As [`verify`], the signer found by the issuer and serial number that the signature names.
pub(crate) fn verify_by<'t, P: Display>(
    document: &Document,
    expected: usize,
    find: impl FnOnce(&str, &str) -> Option<(P, &'t Certificate)>,
) -> Result<Verified<'t, P>, DsigError> {
    let root = document.root();
    let element = root.name.clone();
    let found = signatures_below(root);
    let own = root.children.iter().filter(|child| child.is(Space::Ds, "Signature")).count();
    let last = root.children.last().filter(|last| last.is(Space::Ds, "Signature"));
    let Some(signature) = last.filter(|_| own == 1 && found == expected) else {
        return Err(DsigError::Count { element, found, expected });
    };
    let reading = Reading::root(document);
    let parts = Parts::read(&reading.below(signature))?;
    let (party, certificate) = find(&parts.issuer, &parts.serial).ok_or_else(|| DsigError::Unknown {
        element: element.clone(),
        issuer: parts.issuer.clone(),
        serial: parts.serial.clone(),
    })?;
    let unreadable = |reason| DsigError::Unreadable { element: element.clone(), reason };
    let octets = canonical(&document.without(signature)).map_err(unreadable)?;
    if Sha256::digest(&octets)[..] != parts.digest[..] {
        return Err(DsigError::Digest { element, party: party.to_string() });
    }
    let signed_info = document.detach(&[root, signature, signed_info_of(signature, &element)?]);
    let signed_info = canonical(&signed_info).map_err(unreadable)?;
    if !certificate.holds(&signed_info, &parts.value) {
        return Err(DsigError::Value { element, party: party.to_string() });
    }
    let content = document.parse_like(&octets).map_err(|error| DsigError::unreadable(&element, &error))?;
    Ok(Verified { content, party, certificate })
}

fn signed_info_of<'a>(signature: &'a Element, element: &str) -> Result<&'a Element, DsigError> {
    let found = signature.child(Space::Ds, "SignedInfo");
    found.ok_or_else(|| DsigError::Unreadable {
        element: element.to_owned(),
        reason: "no SignedInfo".to_owned(),
    })
}

/// What a `Signature` of the profile says.
struct Parts {
    digest: Vec<u8>,
    value: Vec<u8>,
    issuer: String,
    serial: String,
}

impl Parts {
    fn read(signature: &Reading<'_>) -> Result<Parts, DsigError> {
        let mut children = signature.children(&[])?;
        let digest = signed_info(&children.required(Space::Ds, "SignedInfo")?)?;
        let value = base64(&children.required(Space::Ds, "SignatureValue")?)?;
        let (issuer, serial) = issuer_serial(&children.required(Space::Ds, "KeyInfo")?)?;
        children.finish()?;
        Ok(Parts { digest, value, issuer, serial })
    }
}

/// Checks every algorithm; the digest it states.
fn signed_info(signed_info: &Reading<'_>) -> Result<Vec<u8>, DsigError> {
    let mut children = signed_info.children(&[])?;
    algorithm(&mut children, "CanonicalizationMethod", EXCLUSIVE)?;
    algorithm(&mut children, "SignatureMethod", ECDSA_SHA256)?;
    let digest = reference(&children.required(Space::Ds, "Reference")?)?;
    children.finish()?;
    Ok(digest)
}

fn reference(reference: &Reading<'_>) -> Result<Vec<u8>, DsigError> {
    let mut children = reference.children(&["URI"])?;
    let uri: String = reference.attribute("URI")?;
    let source = reference.element.attribute("URI").unwrap_or_default();
    if !uri.is_empty() || !source.is_empty() {
        return Err(wrong(reference, "Reference URI", source, ""));
    }
    let transforms = children.required(Space::Ds, "Transforms")?;
    let mut steps = transforms.children(&[])?;
    algorithm(&mut steps, "Transform", ENVELOPED)?;
    algorithm(&mut steps, "Transform", EXCLUSIVE)?;
    steps.finish()?;
    algorithm(&mut children, "DigestMethod", SHA256)?;
    let digest = base64(&children.required(Space::Ds, "DigestValue")?)?;
    children.finish()?;
    Ok(digest)
}

fn algorithm(
    children: &mut Cursor<'_>,
    element: &'static str,
    expected: &'static str,
) -> Result<(), DsigError> {
    let reading = children.required(Space::Ds, element)?;
    reading.children(&["Algorithm"])?.finish()?;
    let found: String = reading.attribute("Algorithm")?;
    if found == expected { Ok(()) } else { Err(wrong(&reading, element, &found, expected)) }
}

fn wrong(reading: &Reading<'_>, what: &'static str, found: &str, expected: &'static str) -> DsigError {
    let at = reading.document.position(reading.element.span().start);
    DsigError::Algorithm { at, what, found: found.chars().take(80).collect(), expected }
}

fn issuer_serial(key_info: &Reading<'_>) -> Result<(String, String), SchemaError> {
    let mut children = key_info.children(&[])?;
    let data = children.required(Space::Ds, "X509Data")?;
    let mut inside = data.children(&[])?;
    let named = inside.required(Space::Ds, "X509IssuerSerial")?;
    let mut names = named.children(&[])?;
    let issuer = names.required(Space::Ds, "X509IssuerName")?.value()?;
    let serial = names.required(Space::Ds, "X509SerialNumber")?.value()?;
    names.finish()?;
    inside.finish()?;
    children.finish()?;
    Ok((issuer, serial))
}

/// Base64 with the line ends its writers put in, `&#13;` among them.
fn base64(reading: &Reading<'_>) -> Result<Vec<u8>, SchemaError> {
    let text = reading.raw_text(&[])?;
    let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD
        .decode(digits)
        .map_err(|error| reading.bad_value("the text", text, format!("expected base64: {error}")))
}
