use super::*;
use crate::examples::{self, Draw};
use crate::pki::Authority;
use crate::{Request, Srv, canonical_form};
use proptest::prelude::*;

fn words(first: &str, second: &str) -> Vec<String> {
    let found = differences(first.as_bytes(), second.as_bytes(), true).unwrap();
    found.iter().map(ToString::to_string).collect()
}

fn log(entries: &[u32]) -> String {
    let entry = |n: &u32| format!("<LogEntry><LogCode>{n}</LogCode></LogEntry>");
    let entries: String = entries.iter().map(entry).collect();
    format!("<Log xmlns=\"{}\">{entries}</Log>", Space::Ra.uri())
}

#[test]
fn one_entry_more_is_one_difference() {
    assert_eq!(words(&log(&[1, 2, 3, 4]), &log(&[1, 9, 2, 3, 4])), ["/Log/LogEntry[2]: only in the second"]);
    assert_eq!(words(&log(&[1, 2, 3, 4]), &log(&[1, 2, 4])), ["/Log/LogEntry[3]: only in the first"]);
    assert_eq!(
        words(&log(&[1, 2, 3]), &log(&[1, 7, 3])),
        [r#"/Log/LogEntry[2]/LogCode: "2" in the first, "7" in the second"#]
    );
    let long: Vec<u32> = (0..2_000).collect();
    let shorter: Vec<u32> = (1..2_000).map(|n| n * 3).collect();
    assert!(words(&log(&long), &log(&shorter)).len() >= 1_999, "too long to align, and still told");
}

#[test]
fn layout_prefixes_and_the_order_of_attributes_do_not_matter() {
    let xml = examples::requests().unwrap().remove(0).to_xml();
    let other = xml.replace("sr:", "").replace("xmlns:sr=", "xmlns=").replace("><", ">\n  <!-- so --><");
    assert_eq!(words(&xml, &other), Vec::<String>::new());
    let index = xml.replace("TOUPrice index=\"2\"", "TOUPrice index=\"3\"");
    assert!(words(&xml, &index)[0].ends_with(r#"TOUPrice[2]/@index: "2" in the first, "3" in the second"#));
}

#[test]
fn two_signatures_over_the_same_octets_differ_and_may_be_left_out() {
    let authority = Authority::new("Lab").unwrap();
    let request = examples::requests().unwrap().remove(0);
    let [one, two] = ["a", "b"].map(|name| request.sign(&authority.issue(name).unwrap()).unwrap());
    let told = words(&one, &two);
    assert!(told.iter().any(|line| line.starts_with("/Request/Signature/SignatureValue: ")), "{told:?}");
    assert!(told.iter().all(|line| line.starts_with("/Request/Signature/")), "{told:?}");
    assert_eq!(differences(one.as_bytes(), two.as_bytes(), false).unwrap(), []);
    assert_eq!(differences(one.as_bytes(), request.to_xml().as_bytes(), false).unwrap(), []);
}

fn drawn(octets: &[u8], n: usize) -> Option<Request> {
    examples::drawn(Srv::ALL[n % Srv::ALL.len()], &mut Draw::new(octets))
}

proptest! {
    /// No difference exactly where the canonical forms are the same.
    #[test]
    fn differences_are_those_of_the_canonical_forms(
        one in prop::collection::vec(any::<u8>(), 0..200),
        other in prop::collection::vec(any::<u8>(), 0..200),
        n in any::<usize>(),
    ) {
        let (Some(one), Some(other)) = (drawn(&one, n), drawn(&other, n)) else { return Ok(()) };
        let (one, other) = (one.to_xml(), other.to_xml());
        let canonical = |xml: &String| canonical_form(xml.as_bytes()).unwrap();
        prop_assert_eq!(words(&one, &other).is_empty(), canonical(&one) == canonical(&other));
        prop_assert_eq!(words(&one, &one), Vec::<String>::new());
    }
}
