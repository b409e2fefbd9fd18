use super::*;

fn complaint(text: &str, read: impl FnOnce(&mut Table<'_>) -> Result<(), FileError>) -> String {
    Document::new("rig.toml", text).root(read).expect_err("refused").to_string()
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    insta::assert_snapshot!(
        complaint("name = 'a'\nmanufaturer = 'b'\n", |table| {
            table.text("name", "the name")?;
            table.optional("manufacturer");
            Ok(())
        }),
        @r"
    rig.toml:2:1: found `manufaturer`, expected one of the keys `manufacturer`, `name`
      advice: did you mean `manufacturer`?
    "
    );
}

#[test]
fn a_missing_key_is_named_at_its_table() {
    insta::assert_snapshot!(
        complaint("[[rig]]\nnam = 'a'\n", |table| {
            let rigs = table.required("rig", "the rigs")?;
            rigs.tables("rigs", |rig| rig.text("name", "the rig's name"))?;
            Ok(())
        }),
        @r"
    rig.toml:1:1: found no `name`, expected `name`: the rig's name
      advice: did you mean `name` where `nam` stands?
    "
    );
}

#[test]
fn a_wrong_type_says_which_it_is() {
    insta::assert_snapshot!(
        complaint("baud = '9600'", |table| {
            let baud = table.required("baud", "the speed")?;
            baud.integer::<u32>(300..=115_200, "the speed in baud")?;
            Ok(())
        }),
        @r"
    rig.toml:1:8: found a string, expected the speed in baud, from 300 to 115200
      advice: write a whole number, without quotes
    "
    );
}

#[test]
fn broken_toml_is_refused_at_its_place() {
    let error =
        Document::new("rig.toml", "name = 'a'\nrig = [1,, 2]\n").root(|_| Ok(())).expect_err("refused");
    assert_eq!((error.line, error.column), (2, 10));
}

#[test]
fn columns_count_characters() {
    let error = Document::new("rig.toml", "a = { \"é\" = 1, c = 3 }")
        .root(|table| {
            let inner = table.required("a", "a table")?;
            inner.table("inner", |inner| {
                inner.optional("é");
                Ok(())
            })
        })
        .expect_err("refused");
    assert_eq!((error.line, error.column), (1, 16));
}

#[test]
fn a_missing_file_says_so() {
    let error = Document::read(Path::new("no-such-lab.toml")).expect_err("refused");
    assert_eq!(error.file, "no-such-lab.toml");
    assert_eq!(error.expected, "a readable file");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = Document::new("any", text).root(|table| {
            table.optional("a");
            Ok(())
        });
    }
}
