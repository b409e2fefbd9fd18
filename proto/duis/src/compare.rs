//! Two documents held against each other, element by element.
//!
//! What does not matter to a message does not matter here: prefixes, the order of attributes, white space and comments between
//! elements. Repeated elements are aligned, so that one entry more in a log is one difference and not one for each entry
//! after it.

use crate::message::MessageError;
use crate::xml::{Document, Element, Space};
use std::collections::BTreeMap;
use std::fmt;

/// How many pairs of elements are tried when those of two long lists are aligned; longer ones are paired by their places.
const PAIRS_TRIED: usize = 1 << 20;

/// How much of a text is shown.
const SHOWN: usize = 80;

/// One difference between two documents.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The element names from the root, a `/` before each, each of several with its index or its place; an attribute with `@`.
    pub path: String,
    /// What the first says; none where it has nothing there.
    pub first: Option<String>,
    /// What the second says.
    pub second: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { path, first, second } = self;
        match (first, second) {
            (Some(first), Some(second)) => {
                write!(f, "{path}: {first:?} in the first, {second:?} in the second")
            }
            (Some(first), None) => write!(f, "{path}: only in the first{}", saying(first)),
            (None, Some(second)) => write!(f, "{path}: only in the second{}", saying(second)),
            (None, None) => write!(f, "{path}"),
        }
    }
}

fn saying(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(", {text:?}") }
}

/// Where two documents differ, in the order of the first. `signatures` says whether those count: two signatures by the same
/// key over the same octets differ.
///
/// ```
/// use proto_duis::{differences, examples};
/// let request = examples::requests()?.remove(0).to_xml();
/// let other = request.replace("<sr:CommandVariant>1<", "<sr:CommandVariant>8<");
/// let found = differences(request.as_bytes(), other.as_bytes(), true)?;
/// assert_eq!(found[0].to_string(), r#"/Request/Header/CommandVariant: "1" in the first, "8" in the second"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// One of the documents is not well-formed.
pub fn differences(first: &[u8], second: &[u8], signatures: bool) -> Result<Vec<Difference>, MessageError> {
    let (mut first, mut second) = (Document::parse(first)?.into_root(), Document::parse(second)?.into_root());
    if !signatures {
        without_signatures(&mut first);
        without_signatures(&mut second);
    }
    let mut comparison = Comparison { path: Vec::new(), found: Vec::new() };
    comparison.roots(&first, &second);
    Ok(comparison.found)
}

fn without_signatures(element: &mut Element) {
    element.children.retain(|child| !child.is(Space::Ds, "Signature"));
    element.children.iter_mut().for_each(without_signatures);
}

struct Comparison {
    path: Vec<String>,
    found: Vec<Difference>,
}

impl Comparison {
    fn roots(&mut self, first: &Element, second: &Element) {
        if same_name(first, second) {
            return self.under(first.name.clone(), |this| this.elements(first, second));
        }
        self.note(first.name.clone(), Some(shown(first)), None);
        self.note(second.name.clone(), None, Some(shown(second)));
    }

    fn under(&mut self, name: String, compare: impl FnOnce(&mut Self)) {
        self.path.push(name);
        compare(self);
        self.path.pop();
    }

    fn note(&mut self, name: String, first: Option<String>, second: Option<String>) {
        let path = self.path.iter().cloned().chain([name]).filter(|name| !name.is_empty());
        self.found.push(Difference { path: path.map(|name| format!("/{name}")).collect(), first, second });
    }

    /// Two elements of one name.
    fn elements(&mut self, first: &Element, second: &Element) {
        self.attributes(first, second);
        let (text, other) = (own_text(first), own_text(second));
        if text != other {
            self.note(String::new(), Some(cut(text)), Some(cut(other)));
        }
        for (left, right) in pairs(&first.children, &second.children) {
            match (left, right) {
                (Some(n), Some(m)) => {
                    let (one, other) = (&first.children[n], &second.children[m]);
                    self.under(name(&first.children, n), |this| this.elements(one, other));
                }
                (Some(n), None) => self.note(name(&first.children, n), Some(shown(&first.children[n])), None),
                (None, Some(m)) => {
                    self.note(name(&second.children, m), None, Some(shown(&second.children[m])))
                }
                (None, None) => {}
            }
        }
    }

    fn attributes(&mut self, first: &Element, second: &Element) {
        let sorted = |element: &Element| element.attributes.iter().cloned().collect::<BTreeMap<_, _>>();
        let (ours, theirs) = (sorted(first), sorted(second));
        for name in ours.keys().chain(theirs.keys().filter(|name| !ours.contains_key(*name))) {
            let (value, other) = (ours.get(name), theirs.get(name));
            if value != other {
                self.note(format!("@{name}"), value.map(|v| cut(v)), other.map(|v| cut(v)));
            }
        }
    }
}

/// The element's own name, with its index, or else its place among those of its name, where there are several.
fn name(siblings: &[Element], place: usize) -> String {
    let element = &siblings[place];
    if let Some(index) = element.attribute("index") {
        return format!("{}[{index}]", element.name);
    }
    let alike = |other: &&Element| same_name(element, other);
    match siblings.iter().filter(alike).count() {
        0 | 1 => element.name.clone(),
        _ => format!("{}[{}]", element.name, siblings[..=place].iter().filter(alike).count()),
    }
}

fn same_name(first: &Element, second: &Element) -> bool {
    first.is(second.space, &second.name)
}

/// Text where there is any; what is between elements does not count.
fn own_text(element: &Element) -> &str {
    if element.children.is_empty() { &element.text } else { element.text.trim() }
}

fn shown(element: &Element) -> String {
    cut(own_text(element))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

/// Whether two elements say the same.
fn same(first: &Element, second: &Element) -> bool {
    let attributes = |element: &Element| element.attributes.iter().cloned().collect::<BTreeMap<_, _>>();
    same_name(first, second)
        && own_text(first) == own_text(second)
        && attributes(first) == attributes(second)
        && first.children.len() == second.children.len()
        && first.children.iter().zip(&second.children).all(|(one, other)| same(one, other))
}

type Pair = (Option<usize>, Option<usize>);

/// Which child of the first belongs to which of the second: those that say the same, in order, and between them those of
/// the same name.
fn pairs(first: &[Element], second: &[Element]) -> Vec<Pair> {
    let ahead = first.iter().zip(second).take_while(|(one, other)| same(one, other)).count();
    let (rest, others) = (&first[ahead..], &second[ahead..]);
    let behind =
        rest.iter().rev().zip(others.iter().rev()).take_while(|(one, other)| same(one, other)).count();
    let (rest, others) = (&rest[..rest.len() - behind], &others[..others.len() - behind]);
    let mut pairs: Vec<Pair> = (0..ahead).map(|n| (Some(n), Some(n))).collect();
    let (mut left, mut right) = (0, 0);
    for (n, m) in anchors(rest, others).into_iter().chain([(rest.len(), others.len())]) {
        between(rest, others, left..n, right..m, ahead, &mut pairs);
        if n < rest.len() {
            pairs.push((Some(ahead + n), Some(ahead + m)));
        }
        (left, right) = (n + 1, m + 1);
    }
    let (n, m) = (first.len() - behind, second.len() - behind);
    pairs.extend((0..behind).map(|k| (Some(n + k), Some(m + k))));
    pairs
}

/// The longest common subsequence of elements that say the same, as places in both.
fn anchors(first: &[Element], second: &[Element]) -> Vec<(usize, usize)> {
    if first.len().saturating_mul(second.len()) > PAIRS_TRIED {
        return Vec::new();
    }
    let width = second.len() + 1;
    let mut longest = vec![0_u32; (first.len() + 1) * width];
    let equal: Vec<Vec<bool>> =
        first.iter().map(|one| second.iter().map(|other| same(one, other)).collect()).collect();
    for n in (0..first.len()).rev() {
        for m in (0..second.len()).rev() {
            let (below, right) = (longest[(n + 1) * width + m], longest[n * width + m + 1]);
            longest[n * width + m] = match equal[n][m] {
                true => longest[(n + 1) * width + m + 1] + 1,
                false => below.max(right),
            };
        }
    }
    let (mut n, mut m, mut found) = (0, 0, Vec::new());
    while n < first.len() && m < second.len() {
        if equal[n][m] {
            found.push((n, m));
            (n, m) = (n + 1, m + 1);
        } else if longest[(n + 1) * width + m] >= longest[n * width + m + 1] {
            n += 1;
        } else {
            m += 1;
        }
    }
    found
}

/// Elements between two anchors: the first of each name with the first of that name on the other side, and so on.
fn between(
    first: &[Element],
    second: &[Element],
    left: std::ops::Range<usize>,
    right: std::ops::Range<usize>,
    ahead: usize,
    pairs: &mut Vec<Pair>,
) {
    let mut free: Vec<usize> = right.collect();
    for n in left {
        let partner = free.iter().position(|m| same_name(&first[n], &second[*m])).map(|k| free.remove(k));
        pairs.push((Some(ahead + n), partner.map(|m| ahead + m)));
    }
    pairs.extend(free.into_iter().map(|m| (None, Some(ahead + m))));
}

#[cfg(test)]
mod tests;
