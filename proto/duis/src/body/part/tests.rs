//! Every body put together from parts: any one reads back, from XML and from fields, and a damaged one is refused.

use crate::Srv;
use crate::body::RequestBody;
use crate::examples::{self, Draw};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The least and the most there can be in each variant that can be drawn.
fn extremes() -> Vec<RequestBody> {
    let drawn =
        |srv: &Srv| [Draw::least(), Draw::most()].map(|mut draw| RequestBody::sample(*srv, &mut draw));
    Srv::ALL.iter().flat_map(drawn).flatten().collect()
}

fn read_back(body: &RequestBody) -> String {
    let request = |body| examples::as_request(1, body);
    let xml = request(body.clone()).to_xml();
    let read = crate::Request::parse(xml.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{xml}"));
    assert_eq!(read.body, *body);
    assert_eq!(read.to_xml(), xml);
    xml
}

#[test]
fn the_least_and_the_most_read_back() {
    for body in extremes() {
        read_back(&body);
    }
}

#[test]
fn an_element_too_many_is_refused_with_its_path() {
    for body in extremes() {
        let (srv, element) = (body.srv(), body.srv().body_element());
        let xml = read_back(&body);
        let (open, close) = (format!("<sr:{element}>"), format!("</sr:{element}>"));
        let both = [
            xml.replace(&open, &format!("{open}<sr:Now/>")),
            xml.replace(&close, &format!("<sr:Now/>{close}")),
        ];
        for xml in both.iter().filter(|changed| **changed != xml) {
            let error = crate::Request::parse(xml.as_bytes()).unwrap_err().to_string();
            assert!(
                error.contains(&format!("/Request/Body/{element}/Now: found element Now")),
                "{srv} {error}"
            );
        }
    }
}

#[test]
fn recurring_dates_are_written_as_they_are_said() {
    let date = |text: &str| {
        let fields = [("SpecialDay[1].Date", text)];
        let mut all =
            examples::fields().into_iter().find(|(srv, _)| *srv == Srv::UpdateImportTariffPrimaryElement);
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        all.as_mut().unwrap().1.extend(fields);
        let body = RequestBody::from_fields(Srv::UpdateImportTariffPrimaryElement, &all.unwrap().1);
        body.map(|body| body.to_fields()["SpecialDay[1].Date"].clone())
    };
    for good in ["2026-12-25", "*-12-25", "*-*-last", "*-02-second-last", "*-*-* Monday", "2026-*-01 Sunday"]
    {
        assert_eq!(date(good).as_deref(), Ok(good));
    }
    for bad in [
        "",
        "2013-12-25",
        "26-12-25",
        "*-13-01",
        "*-12-32",
        "*-12-1",
        "*-12-00",
        "*-*-* monday",
        "*-*",
        "*-*-*-*",
    ] {
        assert!(date(bad).unwrap_err().to_string().contains("*-12-25"), "{bad}");
    }
}

/// Variants whose body can be drawn.
fn drawable() -> Vec<Srv> {
    extremes().iter().map(RequestBody::srv).step_by(2).collect()
}

proptest! {
    #[test]
    fn any_body_reads_back_from_xml_and_from_fields(
        srv in prop::sample::select(drawable()), octets in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let body = RequestBody::sample(srv, &mut Draw::new(&octets)).unwrap();
        read_back(&body);
        // What can be there and say nothing, an empty list of alerts, a script has no words for.
        if srv != Srv::ConfigureAlertBehaviour {
            let fields = body.to_fields();
            let again = RequestBody::from_fields(srv, &fields);
            prop_assert_eq!(again.as_ref(), Ok(&body), "{:?}", fields);
        }
    }

    /// One element or attribute damaged: refused with a path into the body, or read as another body.
    #[test]
    fn a_damaged_body_is_refused_or_another(
        srv in prop::sample::select(drawable()), octets in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(), how in 0..3u32,
    ) {
        let body = RequestBody::sample(srv, &mut Draw::new(&octets)).unwrap();
        let xml = examples::damaged(&examples::as_request(1, body.clone()).to_xml(), at.index(1 << 20), how);
        match crate::Request::parse(xml.as_bytes()) {
            Ok(read) => prop_assert_ne!(read.body, body),
            Err(crate::MessageError::Schema(error)) => prop_assert!(error.path.starts_with("/Request/Body"), "{}", error),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn any_fields_are_answered(
        srv in prop::sample::select(drawable()), names in prop::collection::vec(any::<prop::sample::Index>(), 0..6), text in "\\PC{0,20}",
    ) {
        let listed = RequestBody::fields(srv);
        let name = |index: &prop::sample::Index| listed[index.index(listed.len())].name.replace("[n]", "[1]");
        let fields: BTreeMap<String, String> = match listed.is_empty() {
            true => BTreeMap::new(),
            false => names.iter().map(|index| (name(index), text.clone())).collect(),
        };
        let _ = RequestBody::from_fields(srv, &fields);
    }
}
