use super::*;
use proptest::prelude::*;

#[test]
fn lower_case_is_read_and_upper_case_written() {
    let eui: Eui64 = "90-b3-d5-1f-30-00-00-02".parse().unwrap();
    assert_eq!(eui, Eui64::ACCESS_CONTROL_BROKER);
    assert_eq!(eui.to_string(), "90-B3-D5-1F-30-00-00-02");
}

#[test]
fn what_is_not_an_eui_is_refused_with_the_expected_form() {
    for bad in [
        "",
        "90",
        "90-B3-D5-1F-30-00-00",
        "90-B3-D5-1F-30-00-00-02-03",
        "+0-B3-D5-1F-30-00-00-02",
        "9-0B3-D5-1F-30-00-00-02",
    ] {
        let error = bad.parse::<Eui64>().unwrap_err().to_string();
        assert!(error.contains("eight pairs"), "{error}");
    }
}

#[test]
fn a_counter_keeps_to_the_schema() {
    let id = |counter: &str| {
        format!("90-B3-D5-1F-30-01-00-00:00-DB-12-34-56-78-90-A0:{counter}").parse::<RequestId>()
    };
    assert_eq!(id("18446744073709551615").unwrap().counter, u64::MAX);
    assert_eq!(id("0").unwrap().counter, 0);
    for bad in ["", "007", "00", "-1", "+1", "18446744073709551616", " 1", "1:2"] {
        assert!(id(bad).is_err(), "{bad:?}");
    }
}

fn euis() -> impl Strategy<Value = Eui64> {
    any::<[u8; 8]>().prop_map(Eui64::new)
}

proptest! {
    #[test]
    fn identifiers_survive_their_text(originator in euis(), target in euis(), counter in any::<u64>()) {
        let id = RequestId { originator, target, counter };
        prop_assert_eq!(id.to_string().parse::<RequestId>().unwrap(), id);
        prop_assert_eq!(id.response_id().to_string().parse::<ResponseId>().unwrap().request_id(), id);
    }

    #[test]
    fn any_text_is_answered(text in ".{0,80}") {
        let _ = text.parse::<Eui64>();
        let _ = text.parse::<RequestId>();
    }
}
