//! Texts of files, made from texts that may be longer or hold what a file cannot.

use proto_migration::{GroupId, Text};

/// What stands for a text of which nothing can be written.
const NONE: &str = "-";

/// The text as far as a file can hold it.
pub fn shortened(text: &str) -> Text {
    let kept: String =
        text.chars().filter(|c| !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}')).collect();
    let kept: String = kept.trim().chars().take(Text::LONGEST).collect();
    let kept = kept.trim_end();
    parsed(if kept.is_empty() { NONE } else { kept })
}

/// The name of a group, as far as one can be made of the text.
pub fn group(text: &str) -> GroupId {
    let letter = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let name: String = text.chars().map(letter).collect();
    let name: String = name.trim_start_matches(['-', '_', '.']).chars().take(GroupId::LONGEST).collect();
    parsed(if name.is_empty() { "G" } else { &name })
}

#[expect(
    clippy::expect_used,
    reason = "made of what such a text is made of, trimmed, not empty and short enough"
)]
fn parsed<T: std::str::FromStr<Err = proto_migration::TextError>>(text: &str) -> T {
    text.parse().expect("a text that a file can hold")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_makes_a_text_and_a_good_one_stays(any in any::<String>()) {
            let made = shortened(&any);
            prop_assert!(any.parse::<Text>().is_err() || made.as_str() == any);
            let group = group(&any);
            prop_assert!(any.parse::<GroupId>().is_err() || group.as_str() == any);
        }
    }
}
