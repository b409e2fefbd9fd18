use super::*;
use proptest::prelude::*;

fn refused(xml: &str) -> String {
    Document::parse(xml.as_bytes()).unwrap_err().to_string()
}

fn root(inside: &str) -> String {
    format!("<a xmlns=\"{}\">{inside}</a>", Space::Sr.uri())
}

#[test]
fn a_document_is_read_into_a_tree() {
    let xml = format!(
        "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c -->{}\n",
        root("x<!-- c -->&amp;&#x79;<![CDATA[<z>]]><b c=\"d &lt; e\"/>")
    );
    let document = Document::parse(xml.as_bytes()).unwrap();
    assert_eq!(document.root().text, "x&y<z>");
    assert_eq!(document.root().children[0].attribute("c"), Some("d < e"));
}

#[test]
fn what_no_message_holds_is_refused_with_its_place() {
    let ns = Space::Sr.uri();
    let faults = [
        format!("<!DOCTYPE a [<!ENTITY x \"y\">]>{}", root("&x;")),
        root("&x;"),
        root("&#0;"),
        root("\u{1}"),
        root("<?php ?>"),
        root("]]>"),
        root("<b>"),
        root("</b>"),
        root("<x:b/>"),
        root("<b xmlns=\"urn:x\"/>"),
        root("<b c=\"1\" c=\"2\"/>"),
        root("<b c=\"<\"/>"),
        root("<b xml:lang=\"en\"/>"),
        format!("<a xmlns=\"{ns}\"/><a xmlns=\"{ns}\"/>"),
        format!("{}x", root("")),
        "<a/>".to_owned(),
        String::new(),
        format!("<?xml version=\"1.1\"?>{}", root("")),
        format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{}", root("")),
        format!("\n<?xml version=\"1.0\"?>{}", root("")),
    ];
    insta::assert_snapshot!(faults.map(|xml| refused(&xml)).join("\n"));
}

#[test]
fn limits_hold() {
    let deep = format!("{}{}", "<b>".repeat(MAX_DEPTH), "</b>".repeat(MAX_DEPTH));
    assert!(refused(&root(&deep)).contains("more than 40 levels"));
    let many = "<b/>".repeat(MAX_ELEMENTS);
    assert!(refused(&root(&many)).contains("more than 200000 elements"));
    let long = root(&" ".repeat(MAX_OCTETS));
    assert!(refused(&long).contains("at most 16777216"));
    let attributes: String = (0..40).map(|n| format!(" a{n}=\"\"")).collect();
    assert!(refused(&root(&format!("<b{attributes}/>"))).contains("attributes"));
    assert!(Document::parse(b"<a>\xFF</a>").unwrap_err().to_string().contains("line 1, column 4"));
}

#[test]
fn schema_locations_are_passed_over() {
    let xml = format!(
        "<a xmlns=\"{}\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:schemaLocation=\"x y\" b=\"c\"/>",
        Space::Sr.uri()
    );
    assert_eq!(
        Document::parse(xml.as_bytes()).unwrap().root().attributes,
        [("b".to_owned(), "c".to_owned())]
    );
}

/// A part taken out keeps its own declarations before its ancestors'.
#[test]
fn a_detached_part_carries_the_namespaces_in_scope() {
    let (sr, ra) = (Space::Sr.uri(), Space::Ra.uri());
    let xml = format!(
        "<p:a xmlns:p=\"{sr}\" xmlns=\"{sr}\"><q:b xmlns:q=\"{ra}\" xmlns=\"{ra}\"><c/><p:d/></q:b></p:a>"
    );
    let document = Document::parse(xml.as_bytes()).unwrap();
    let root = document.root();
    let part = document.detach(&[root, &root.children[0]]);
    assert_eq!(part, format!("<q:b xmlns:p=\"{sr}\" xmlns:q=\"{ra}\" xmlns=\"{ra}\"><c/><p:d/></q:b>"));
    let read = Document::parse(part.as_bytes()).unwrap();
    assert!(read.root().children[0].is(Space::Ra, "c") && read.root().children[1].is(Space::Sr, "d"));
    assert_eq!(document.without(&root.children[0]), format!("<p:a xmlns:p=\"{sr}\" xmlns=\"{sr}\"></p:a>"));
}

#[test]
fn date_times_keep_to_the_schema() {
    for good in ["2026-11-21T09:30:00Z", "2026-11-21T09:30:00.5+01:00", "2026-11-21T09:30:00-00:30"] {
        parse_date_time(good).unwrap();
    }
    for bad in [
        "",
        "2026-11-21",
        "2026-11-21T09:30:00",
        "2026-11-21 09:30:00Z",
        "2026-11-21T09:30:60Z",
        "2026-11-21T09:30:00.Z",
        "2026-11-21T09:30:00z",
        "2026-02-30T09:30:00Z",
        "2026-11-21T09:30:00Z[UTC]",
    ] {
        assert!(parse_date_time(bad).is_err(), "{bad}");
    }
}

fn text() -> impl Strategy<Value = String> {
    "[ -~é€\t\n\r]{0,20}"
}

fn elements() -> impl Strategy<Value = Element> {
    let leaf = (text(), text())
        .prop_map(|(text, value)| Element::leaf(Space::Ra, "leaf", text).with_attribute("of", value));
    leaf.prop_recursive(4, 24, 4, |inner| {
        proptest::collection::vec(inner, 1..4)
            .prop_map(|children| Element::new(Space::Sr, "node").with_all(children))
    })
}

/// The same element, wherever it stood.
fn same(a: &Element, b: &Element) -> bool {
    let children =
        a.children.len() == b.children.len() && a.children.iter().zip(&b.children).all(|(a, b)| same(a, b));
    (a.space, &a.name, &a.attributes, &a.text) == (b.space, &b.name, &b.attributes, &b.text) && children
}

proptest! {
    #[test]
    fn what_is_rendered_reads_back(element in elements()) {
        let document = Document::parse(element.to_document().as_bytes()).unwrap();
        prop_assert!(same(document.root(), &element));
    }

    #[test]
    fn any_text_is_answered(xml in "[<>&;/?! a-c:=\"'\\[\\]#x0-9-]{0,60}") {
        let _ = Document::parse(root(&xml).as_bytes());
        let _ = Document::parse(xml.as_bytes());
    }
}
