//! What a message that a record refers to says: a DUIS message, a migration file, or any other text.

use proto_duis::{SignatureDescription, TrustStore};
use serde::Serialize;

/// Characters shown of a text that is neither a DUIS message nor a migration file.
const SHOWN: usize = 400;

/// A message, told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct MessageTold {
    /// What kind of message.
    pub(crate) what: &'static str,
    /// What it says, the gist first.
    pub(crate) says: Vec<String>,
    /// Why it is not what it seems to be; and each signature that does not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<String>,
}

/// Tells a message; its signatures are held against the certificates of the run.
pub(crate) fn tell(octets: &[u8], trust: &TrustStore) -> MessageTold {
    match std::str::from_utf8(octets) {
        Ok(text) if text.trim_start().starts_with('<') => xml(octets, trust),
        Ok(text) if !text.chars().any(|c| c.is_control() && !c.is_whitespace()) => {
            let what = if text.trim_start().starts_with('{') { "JSON" } else { "text" };
            MessageTold { what, says: vec![text.chars().take(SHOWN).collect()], problems: Vec::new() }
        }
        _ => {
            let says = vec![format!("{} octets that are no text", octets.len())];
            MessageTold { what: "octets", says, problems: Vec::new() }
        }
    }
}

fn xml(octets: &[u8], trust: &TrustStore) -> MessageTold {
    if let Ok(file) = proto_migration::parse(octets) {
        let says = proto_migration::describe(&file);
        return MessageTold { what: "migration file", says, problems: Vec::new() };
    }
    let description = proto_duis::describe(octets, trust);
    let holds = |signature: &SignatureDescription| match (&signature.signer, &signature.fault) {
        (Some(signer), None) => Some(format!("signature on {} by {signer} holds", signature.element)),
        _ => None,
    };
    let broken = |signature: &SignatureDescription| {
        let fault = signature.fault.as_ref()?;
        Some(format!("signature on {} does not hold: {fault}", signature.element))
    };
    let signed = description.signatures.iter().filter_map(holds);
    let says = std::iter::once(description.summary.clone()).chain(signed).collect();
    let problems = description.fault.iter().cloned().chain(description.signatures.iter().filter_map(broken));
    MessageTold { what: "DUIS message", says, problems: problems.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(octets: &[u8]) -> MessageTold {
        tell(octets, &TrustStore::new())
    }

    #[test]
    fn what_is_neither_duis_nor_migration_is_shown_as_what_it_is() {
        assert_eq!(told(b"press A+B").what, "text");
        assert_eq!(told(b"{\"key\":\"A\"}").what, "JSON");
        assert_eq!(told(&[0, 1, 2]).says, ["3 octets that are no text"]);
        let broken = told(b"<a><b></a>");
        assert_eq!((broken.what, broken.problems.is_empty()), ("DUIS message", false));
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_told_of(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            proptest::prop_assert!(!told(&octets).says.is_empty());
        }
    }
}
