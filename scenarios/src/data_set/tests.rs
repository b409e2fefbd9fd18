//! Data sets: read, and refused in their place.

use super::*;

const SOUND: &str = "name = \"n\"\nversion = \"1\"\ntitle = \"t\"\n\n[[load]]\ndevice = \"ESME\"\nload = 5\n\n[[check]]\nobserve = \"active-power-import\"\ndevice = \"ESME\"\nthrough = \"optical\"\nexpect = [{ at = \"value\", is = 5 }]\n";

fn read(text: &str) -> Result<DataSet, FileError> {
    DataSet::parse(&Document::new("set.toml", text))
}

#[test]
fn the_shipped_data_sets_are_sound_and_named_as_their_files() {
    for document in DataSet::shipped() {
        let set = DataSet::parse(&document).unwrap_or_else(|error| panic!("{error}"));
        assert!(document.name().ends_with(&format!(":{}.toml", set.name)), "{}", document.name());
        assert_eq!(DataSet::shipped_named(set.name.as_str()).expect("shipped").text(), &*set.source);
    }
    assert!(DataSet::shipped_named("none").expect_err("no such").to_string().contains("two-pounds"));
}

#[test]
fn the_example_above_is_a_sound_data_set() {
    let (_, rest) = include_str!("mod.rs").split_once("//! ```toml\n").expect("the example");
    let (example, _) = rest.split_once("//! ```\n").expect("its end");
    let lines = example.lines().map(|line| line.trim_start_matches("//!").trim_start());
    let set = read(&lines.collect::<Vec<_>>().join("\n")).unwrap_or_else(|error| panic!("{error}"));
    let customer = set.loads[0].customer().expect("a meter");
    assert_eq!((customer.balance_pence, set.checks.len()), (Some(200), 1));
}

#[test]
fn a_value_is_written_by_its_type_and_by_one_only() {
    let with = |value: &str| {
        read(&SOUND.replace(
            "[[check]]",
            &format!("[[write]]\ndevice = \"ESME\"\nthrough = \"wan\"\nclass = 3\nobis = \"1-0:1.8.0\"\nattribute = 2\nvalue = {value}\n\n[[check]]"),
        ))
    };
    assert_eq!(with("{ long-unsigned = 230 }").expect("a value").writes[0].value, Data::U16(230));
    assert_eq!(
        with("{ octet-string = \"AB\" }").expect("a value").writes[0].value,
        Data::Octets(b"AB".to_vec())
    );
    for wrong in ["{ }", "{ enum = 1, long = 2 }", "{ unsigned = 256 }", "{ unsignd = 5 }", "5"] {
        let error = with(wrong).expect_err(wrong);
        assert_eq!(error.line, 15, "{error}");
    }
}

#[test]
fn what_is_not_looked_at_is_refused_and_so_is_a_step_that_does_more_than_look() {
    let (unchecked, _) = SOUND.split_once("[[check]]").expect("a check");
    assert!(read(unchecked).expect_err("nothing is looked at").to_string().contains("[[check]]"));
    let acts = SOUND.replace(
        "observe = \"active-power-import\"\ndevice = \"ESME\"\nthrough = \"optical\"",
        "wait = \"1s\"",
    );
    assert!(read(&acts).is_err());
    assert!(
        read(&SOUND.replace("load = 5", "clock-offset = \"1h\""))
            .expect_err("too far")
            .to_string()
            .contains("9s")
    );
    assert!(
        read(&SOUND.replace("load = 5\n", "")).expect_err("nothing").to_string().contains("nothing to load")
    );
}

proptest::proptest! {
    /// What the fuzz target `data_set` does, on shipped data sets with a line in another's place.
    #[test]
    fn a_damaged_data_set_is_read_or_refused_in_its_place(
        which in 0usize..8, line in 0usize..120, with in "\\PC{0,40}",
    ) {
        let documents: Vec<Document> = DataSet::shipped().collect();
        let shipped = &documents[which % documents.len()];
        let mut lines: Vec<&str> = shipped.text().lines().collect();
        let place = line % lines.len();
        lines[place] = &with;
        let text = lines.join("\n");
        let document = Document::new("damaged.toml", text.as_str());
        for refusal in [DataSet::parse(&document).err(), Load::of_data_set(&document).err()].into_iter().flatten() {
            proptest::prop_assert!(!refusal.advice.is_empty(), "{}", refusal);
        }
    }
}
