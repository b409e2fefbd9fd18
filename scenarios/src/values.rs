//! What a step saw, by path.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::str::FromStr;

use proto_duis::MmcElement;

use crate::Value;

/// Values by path: `response.success`, `response.LogEntry[2].Timestamp`, `value`.
///
/// A path is element names joined with `.`; an element that occurs more than once carries its index, from 0. An element
/// that occurs once may be asked for with or without `[0]`. `NAME.count` says how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, Value>);

/// An element of a message, as [`Values::set_elements`] lays it out.
pub trait Element {
    /// Its name, without prefix.
    fn name(&self) -> &str;
    /// Its text, if it has any of its own.
    fn text(&self) -> Option<&str>;
    /// The elements inside it, in order.
    fn children(&self) -> &[Self]
    where
        Self: Sized;
}

impl Values {
    /// No values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value at a path; a list is set element by element, with its count.
    pub fn set(&mut self, path: impl Into<String>, value: impl Into<Value>) {
        self.put(path.into(), value.into());
    }

    fn put(&mut self, path: String, value: Value) {
        let Value::List(values) = value else {
            self.0.insert(path, value);
            return;
        };
        let count = i64::try_from(values.len()).unwrap_or(i64::MAX);
        self.0.insert(format!("{path}.count"), Value::from(count));
        for (index, value) in values.into_iter().enumerate() {
            self.put(format!("{path}[{index}]"), value);
        }
    }

    /// Sets elements of a message under a path: text as it stands, repeated elements with index and count.
    pub fn set_elements<E: Element>(&mut self, under: &str, elements: &[E]) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for element in elements {
            *counts.entry(element.name()).or_default() += 1;
        }
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for element in elements {
            let (name, index) = (element.name(), seen.entry(element.name()).or_default());
            let path = match counts.get(name) {
                Some(1) | None => format!("{under}.{name}"),
                Some(_) => format!("{under}.{name}[{index}]"),
            };
            *index += 1;
            self.set_elements(&path, element.children());
            if let Some(text) = element.text() {
                self.set(path, text);
            }
        }
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 1) {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.set(format!("{under}.{name}.count"), count);
        }
    }

    /// Paths and values, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(path, value)| (path.as_str(), value))
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value at exactly this path.
    pub fn at(&self, path: &str) -> Option<&Value> {
        self.0.get(path)
    }

    /// The value at this path; `[0]` may be left out or put in where an element occurs once.
    pub fn get(&self, path: &ValuePath) -> Option<&Value> {
        self.at(&path.text).or_else(|| {
            let without = path.text.replace("[0]", "");
            self.at(&without)
        })
    }

    /// Whether there is a value at this path, or under it.
    pub fn present(&self, path: &ValuePath) -> bool {
        match path.wildcard {
            Some(_) => self.matching(path).next().is_some(),
            None => self.get(path).is_some() || self.holds(&path.text),
        }
    }

    /// Whether a value stands below this path.
    fn holds(&self, path: &str) -> bool {
        let below = |separator: char| {
            let start = format!("{path}{separator}");
            let mut from = self.0.range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded));
            from.next().is_some_and(|(found, _)| found.starts_with(&start))
        };
        below('.') || below('[')
    }

    /// How many elements there are at this path.
    pub fn count(&self, path: &ValuePath) -> usize {
        if path.wildcard.is_some() {
            return self.matching(path).count();
        }
        let counted = self.at(&format!("{}.count", path.text)).and_then(Value::as_number);
        match counted.and_then(|count| usize::try_from(count.to_integer()?).ok()) {
            Some(count) => count,
            None => usize::from(self.present(path)),
        }
    }

    /// The values at every path that `[*]` stands for.
    pub fn matching<'v>(&'v self, path: &'v ValuePath) -> impl Iterator<Item = (&'v str, &'v Value)> {
        let (before, after) = path.around_wildcard();
        self.0
            .range::<str, _>((Bound::Included(before), Bound::Unbounded))
            .map(|(found, value)| (found.as_str(), value))
            .take_while(move |(found, _)| found.starts_with(before))
            .filter(move |(found, _)| is_element(&found[before.len()..], after))
    }
}

/// Whether `rest` is `[digits]` and then `after`, or `after` alone where the element occurs once.
fn is_element(rest: &str, after: &str) -> bool {
    let indexed = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match indexed {
        Some((index, rest)) => index.bytes().all(|byte| byte.is_ascii_digit()) && rest == after,
        None => rest == after,
    }
}

/// An element of a device's answer. Its form fixes where text stands, so an empty one has none.
impl Element for MmcElement {
    fn name(&self) -> &str {
        self.name()
    }

    fn text(&self) -> Option<&str> {
        Some(self.text()).filter(|text| !text.is_empty())
    }

    fn children(&self) -> &[Self] {
        self.children()
    }
}

/// A path of a script, checked once: names, `.`, `[index]`, and at most one `[*]`, which stands for every index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePath {
    text: Box<str>,
    wildcard: Option<usize>,
}

/// Why a text is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write names joined with `.`, each with [index] or at most one with [*], such as response.LogEntry[0].Timestamp"
)]
pub struct PathError;

const WILDCARD: &str = "[*]";

impl ValuePath {
    /// The path as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it holds `[*]`.
    pub fn is_wildcard(&self) -> bool {
        self.wildcard.is_some()
    }

    fn around_wildcard(&self) -> (&str, &str) {
        match self.wildcard {
            Some(at) => (&self.text[..at], &self.text[at + WILDCARD.len()..]),
            None => (&self.text, ""),
        }
    }
}

impl FromStr for ValuePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let sound = text.len() <= 200 && text.split('.').all(is_path_element);
        let wildcard = text.find(WILDCARD);
        let several = text.matches(WILDCARD).count() > 1;
        match sound && !several {
            true => Ok(Self { text: text.into(), wildcard }),
            false => Err(PathError),
        }
    }
}

/// A name, then any number of `[index]` or `[*]`.
fn is_path_element(element: &str) -> bool {
    let (name, mut rest) = element.split_at(element.find('[').unwrap_or(element.len()));
    let named = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    while let Some((index, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        if !digits && index != "*" {
            return false;
        }
        rest = after;
    }
    named && rest.is_empty()
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ValuePath {
        text.parse().expect("a path")
    }

    struct Node(&'static str, Option<&'static str>, Vec<Node>);

    impl Element for Node {
        fn name(&self) -> &str {
            self.0
        }
        fn text(&self) -> Option<&str> {
            self.1
        }
        fn children(&self) -> &[Self] {
            &self.2
        }
    }

    fn log() -> Values {
        let entry = |code| Node("LogEntry", None, vec![Node("LogCode", Some(code), vec![])]);
        let mut values = Values::new();
        let log = Node("Log", None, vec![entry("8F32"), entry("8F51")]);
        values.set_elements("response", &[log, Node("Unit", Some("Wh"), vec![])]);
        values
    }

    #[test]
    fn repeated_elements_have_an_index_and_a_count() {
        let values = log();
        let all: Vec<String> = values.iter().map(|(path, value)| format!("{path}={value}")).collect();
        assert_eq!(
            all,
            [
                "response.Log.LogEntry.count=2",
                "response.Log.LogEntry[0].LogCode=8F32",
                "response.Log.LogEntry[1].LogCode=8F51",
                "response.Unit=Wh",
            ]
        );
    }

    #[test]
    fn an_element_that_occurs_once_answers_to_its_first_index() {
        let values = log();
        assert_eq!(values.get(&path("response.Unit[0]")), Some(&Value::from("Wh")));
        assert_eq!(values.get(&path("response.Unit[1]")), None);
        assert_eq!(values.count(&path("response.Unit")), 1);
        assert_eq!(values.count(&path("response.None")), 0);
        assert_eq!(values.count(&path("response.Log.LogEntry")), 2);
    }

    #[test]
    fn a_wildcard_stands_for_every_index() {
        let values = log();
        let codes = |text: &str| -> Vec<String> {
            values.matching(&path(text)).map(|(_, value)| value.to_string()).collect()
        };
        assert_eq!(codes("response.Log.LogEntry[*].LogCode"), ["8F32", "8F51"]);
        assert_eq!(codes("response.Unit[*]"), ["Wh"]);
        assert!(codes("response.Log.LogEntry[*].Timestamp").is_empty());
        assert!(values.present(&path("response.Log")));
        assert!(!values.present(&path("response.Lo")));
    }

    #[test]
    fn lists_are_laid_out_element_by_element() {
        let mut values = Values::new();
        values.set("value", vec![Value::from(7), Value::List(vec![Value::from(true)])]);
        assert_eq!(values.at("value[1][0]"), Some(&Value::from(true)));
        assert_eq!(values.count(&path("value")), 2);
    }

    #[test]
    fn paths_are_checked_when_read() {
        for bad in ["", ".", "a.", "a..b", "a[", "a[x]", "[0]", "a[*].b[*]", "a b", &"a".repeat(201)] {
            assert_eq!(bad.parse::<ValuePath>(), Err(PathError), "{bad}");
        }
        assert!(path("a[0][1].b[*]").is_wildcard());
    }
}
