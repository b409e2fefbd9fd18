//! Whatever request a user has: it is read, described in words, and written again as the same document; an element nobody knows
//! is refused with its path, wherever it stands, and never dropped.

use crate::examples::{self, Draw};
use crate::{MessageError, Request, SchemaProblem, Srv, TrustStore, canonical_form, describe};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn canonical(xml: &str) -> String {
    canonical_form(xml.as_bytes()).unwrap()
}

/// What the description says of the body, field by field.
const FIELDS_SHOWN: usize = 12;

fn described(request: &Request) {
    let summary = describe(request.to_xml().as_bytes(), &TrustStore::new()).summary;
    let srv = request.srv();
    assert!(summary.starts_with(&format!("Service Request {srv} {}", srv.name())), "{summary}");
    let fields = request.body.to_fields();
    for (name, value) in fields.iter().take(FIELDS_SHOWN) {
        let value: String = value.chars().take(80).collect();
        assert!(summary.contains(&format!("{name} {value}")), "{name}: {summary}");
    }
    if let Some(more) = fields.len().checked_sub(FIELDS_SHOWN).filter(|more| *more > 0) {
        assert!(summary.ends_with(&format!(" and {more} more")), "{summary}");
    }
}

/// Where an element of the body begins.
fn places(xml: &str) -> Vec<usize> {
    let start = xml.find("<sr:Body>").unwrap() + "<sr:Body>".len();
    let end = xml.find("</sr:Body>").unwrap();
    xml[start..=end].match_indices("<sr:").map(|(at, _)| start + at).chain([end]).collect()
}

#[test]
fn every_variant_can_be_drawn_and_every_example_is_described() {
    let known: BTreeSet<Srv> = Srv::ALL
        .iter()
        .filter_map(|srv| examples::drawn(*srv, &mut Draw::most()).map(|request| request.srv()))
        .collect();
    assert_eq!(known.len(), Srv::ALL.len());
    examples::requests().unwrap().iter().for_each(described);
}

proptest! {
    #[test]
    fn any_request_is_described_and_written_again_as_the_same_document(
        srv in prop::sample::select(Srv::ALL), octets in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let request = examples::drawn(srv, &mut Draw::new(&octets)).unwrap();
        described(&request);
        let xml = request.to_xml();
        let read = Request::parse(xml.as_bytes()).unwrap();
        prop_assert_eq!(canonical(&read.to_xml()), canonical(&xml));
        // As a person would lay it out, with a default namespace and comments.
        let by_hand = xml.replace("sr:", "").replace("xmlns:sr=", "xmlns=");
        let by_hand = format!("<?xml version=\"1.0\"?>\n<!-- by hand -->\n{}\n", by_hand.replace("><Body>", ">\n  <Body>"));
        let read = Request::parse(by_hand.as_bytes()).unwrap();
        prop_assert_eq!(&read, &request);
        prop_assert_eq!(canonical(&read.to_xml()), canonical(&xml));
    }

    #[test]
    fn an_unknown_element_anywhere_is_refused_by_its_path(
        srv in prop::sample::select(Srv::ALL), octets in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
    ) {
        let xml = examples::drawn(srv, &mut Draw::new(&octets)).unwrap().to_xml();
        let places = places(&xml);
        let (before, after) = xml.split_at(places[at.index(places.len())]);
        let damaged = format!("{before}<sr:Nonsense/>{after}");
        let Err(MessageError::Schema(error)) = Request::parse(damaged.as_bytes()) else {
            return Err(TestCaseError::fail(format!("taken: {damaged}")));
        };
        prop_assert!(error.path.starts_with("/Request/Body") && error.path.ends_with("/Nonsense"), "{error}");
        let named = matches!(&error.problem, SchemaProblem::Unexpected { found, .. } if found == "Nonsense");
        prop_assert!(named, "{error}");
    }

    /// What is taken after damage is written again as it was read: nothing of it is dropped.
    #[test]
    fn what_is_taken_is_written_again_whole(
        srv in prop::sample::select(Srv::ALL), octets in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(), how in 0..3_u32,
    ) {
        let request = examples::drawn(srv, &mut Draw::new(&octets)).unwrap();
        let damaged = examples::damaged(&request.to_xml(), at.index(1 << 20), how);
        if let Ok(read) = Request::parse(damaged.as_bytes()) {
            prop_assert_eq!(canonical(&read.to_xml()), canonical(&damaged));
        }
    }
}
