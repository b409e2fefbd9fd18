//! The known name a misspelt one is nearest to.

/// The nearest of the known names, if any is near enough to be worth suggesting (at most a third of the letters differ).
///
/// ```
/// assert_eq!(lab_config::nearest("manufaturer", ["model", "manufacturer"]), Some("manufacturer"));
/// assert_eq!(lab_config::nearest("colour", ["model", "manufacturer"]), None);
/// ```
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance, ignoring case, with `_` taken for `-`.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().map(fold).collect();
    let right: Vec<char> = right.chars().map(fold).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, to) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

fn fold(letter: char) -> char {
    match letter {
        '_' => '-',
        letter => letter.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_insertions_deletions_and_substitutions() {
        for (left, right, expected) in
            [("kitten", "sitting", 3), ("", "abc", 3), ("serial", "serial", 0), ("EUI_64", "eui-64", 0)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn a_short_name_may_differ_by_one_letter() {
        assert_eq!(nearest("vai", ["via"]), None);
        assert_eq!(nearest("vi", ["via"]), Some("via"));
    }
}
