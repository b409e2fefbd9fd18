//! Messages as documents: their canonical form, and a signature on one that somebody wrote.

use crate::dsig::{self, DsigError, Signer};
use crate::message::{Message, MessageError};
use crate::xml::{Document, Element, Space};

/// The exclusive canonical form of a document, without comments (Exclusive XML Canonicalization 1.0): two documents that say
/// the same, octet for octet but for how they were written, have the same one.
///
/// ```
/// use proto_duis::canonical_form;
/// let said = canonical_form(b"<S1SPAlert  schemaVersion='5.4'\nxmlns='http://www.dccinterface.co.uk/ServiceUserGateway'/>")?;
/// assert_eq!(
///     said,
///     "<S1SPAlert xmlns=\"http://www.dccinterface.co.uk/ServiceUserGateway\" schemaVersion=\"5.4\"></S1SPAlert>",
/// );
/// # Ok::<(), proto_duis::MessageError>(())
/// ```
///
/// # Errors
/// Not well-formed, or more than a message of DUIS ever is.
pub fn canonical_form(octets: &[u8]) -> Result<String, MessageError> {
    let document = Document::parse(octets)?;
    let root = document.root();
    let unreadable = |reason| DsigError::Unreadable { element: root.name.clone(), reason };
    let canonical = dsig::canonical(&document.detach(&[root])).map_err(unreadable)?;
    String::from_utf8(canonical).map_err(|error| unreadable(error.to_string()).into())
}

/// A message that is not signed yet, with a signature over all of it as it stands.
///
/// # Errors
/// Not a message, one that is signed already, or the key cannot sign.
pub fn sign_document(octets: &[u8], signer: &Signer) -> Result<String, MessageError> {
    let document = Document::parse(octets)?;
    Message::of(&document, octets)?;
    let root = document.root();
    if is_signed(root) {
        return Err(DsigError::Signed { element: root.name.clone() }.into());
    }
    Ok(dsig::sign(&document.detach(&[root]), signer)?)
}

fn is_signed(element: &Element) -> bool {
    element.child(Space::Ds, "Signature").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::Authority;
    use crate::{Party, PartyKind, Request, TrustStore, examples};

    #[test]
    fn a_document_laid_out_by_hand_is_signed_as_it_stands_and_once_only() {
        let signer = Authority::new("Lab").unwrap().issue("supplier").unwrap();
        let mut trust = TrustStore::new();
        let party = Party { name: "supplier".into(), kind: PartyKind::User, id: examples::USER };
        trust.add(party, signer.certificate().clone());
        let request = examples::requests().unwrap().remove(0);
        let by_hand = request.to_xml().replace("<sr:Body>", "\n  <!-- </ what is asked -->\n  <sr:Body>\n");
        let by_hand = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{by_hand}\n<!-- </end> -->\n");
        let signed = sign_document(by_hand.as_bytes(), &signer).unwrap();
        assert_eq!(Request::open(signed.as_bytes(), &trust).unwrap().message, request);
        let again = sign_document(signed.as_bytes(), &signer).unwrap_err().to_string();
        assert_eq!(again, "Request is signed already; take its Signature out, and it can be signed anew");
    }

    #[test]
    fn what_is_no_message_is_not_signed() {
        let signer = Authority::new("Lab").unwrap().issue("supplier").unwrap();
        let xml = examples::requests().unwrap().remove(0).to_xml().replace("CommandVariant>", "Command>");
        let error = sign_document(xml.as_bytes(), &signer).unwrap_err().to_string();
        assert!(
            error.contains("Request/Header/Command: found element Command; expected CommandVariant"),
            "{error}"
        );
    }

    #[test]
    fn the_canonical_form_does_not_know_how_a_document_was_written() {
        for request in examples::requests().unwrap() {
            let xml = request.to_xml();
            let other = xml.replace("sr:", "").replace("xmlns:sr=", "xmlns=").replace("/>", " />");
            let ours = canonical_form(xml.as_bytes()).unwrap();
            assert_eq!(canonical_form(ours.as_bytes()).unwrap(), ours);
            let plain = |text: String| text.replace("sr:", "").replace("xmlns:sr=", "xmlns=");
            assert_eq!(canonical_form(other.as_bytes()).unwrap(), plain(ours));
        }
    }
}
