//! Files of every kind as version 1.0 of the lab's schema has them, octet for octet. If this fails, do not change the test:
//! somebody's files would not be read any more. A new version is a new folder.

use proto_duis::Certificate;

use crate::examples::{files, party};
use crate::{FileKind, PartyRole, Trust, open, to_xml};

fn golden(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Authorisation => include_str!("../golden/authorisation.xml"),
        FileKind::Demand => include_str!("../golden/demand.xml"),
        FileKind::Response => include_str!("../golden/response.xml"),
        FileKind::Estate => include_str!("../golden/estate.xml"),
        FileKind::Common => include_str!("../golden/common.xml"),
        FileKind::Group => include_str!("../golden/group.xml"),
        FileKind::Results => include_str!("../golden/results.xml"),
        FileKind::RequiredFileSet => include_str!("../golden/required-file-set.xml"),
        FileKind::Commissioning => include_str!("../golden/commissioning.xml"),
        FileKind::Rollback => include_str!("../golden/rollback.xml"),
        FileKind::Outcome => include_str!("../golden/outcome.xml"),
        FileKind::KeyWrapRequest => include_str!("../golden/key-wrap-request.xml"),
        FileKind::WrappedKeys => include_str!("../golden/wrapped-keys.xml"),
    }
}

/// Everybody signs under two certificates, which openssl made: the second for the kinds of file that came later.
fn trust() -> Trust {
    let mut trust = Trust::new();
    for pem in [include_str!("../golden/writers.pem"), include_str!("../golden/later-writers.pem")] {
        let certificate = Certificate::from_pem(pem).unwrap();
        PartyRole::ALL.into_iter().for_each(|role| trust.add(party(role), certificate.clone()));
    }
    trust
}

#[test]
fn files_are_written_as_they_were() {
    for file in files() {
        let golden = golden(file.body.kind());
        let (start, rest) = golden.split_once("<ds:Signature").unwrap();
        let (_, end) = rest.split_once("</ds:Signature>").unwrap();
        assert_eq!(to_xml(&file), format!("{start}{end}"));
    }
}

#[test]
fn files_that_were_written_open() {
    for file in files() {
        assert_eq!(open(golden(file.body.kind()).as_bytes(), &trust()), Ok(file));
    }
}
