//! From elements to text: one line, no indentation, explicit prefixes.

use super::{Element, Space};
use std::borrow::Cow;

impl Element {
    /// A leaf with text.
    pub fn leaf(space: Space, name: &str, text: impl ToString) -> Element {
        Element { text: text.to_string(), ..Element::new(space, name) }
    }

    pub(crate) fn with_text(mut self, text: String) -> Element {
        self.text = text;
        self
    }

    /// With one more attribute.
    pub fn with_attribute(mut self, name: &str, value: impl ToString) -> Element {
        self.attributes.push((name.to_owned(), value.to_string()));
        self
    }

    /// With one more child.
    pub fn with(mut self, child: Element) -> Element {
        self.children.push(child);
        self
    }

    /// With more children, in their order.
    pub fn with_all(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.children.extend(children);
        self
    }

    /// The element as a document, its namespaces declared on it.
    pub fn to_document(&self) -> String {
        self.to_document_with(&[], "")
    }

    /// The element as a document with `verbatim` put before the end tag of the descendant at `path`.
    ///
    /// A signed part goes into another message octet for octet: rendering it anew could break its signature.
    pub(crate) fn to_document_with(&self, path: &[&str], verbatim: &str) -> String {
        let mut spaces = Vec::new();
        self.spaces(&mut spaces);
        let mut declarations = String::new();
        spaces.sort_unstable();
        for space in spaces {
            declarations.push_str(&format!(" xmlns:{}=\"{}\"", space.prefix(), space.uri()));
        }
        let mut text = String::with_capacity(1024 + verbatim.len());
        self.render(&mut text, &declarations, Some((path, verbatim)));
        text
    }

    fn spaces(&self, found: &mut Vec<Space>) {
        if !found.contains(&self.space) {
            found.push(self.space);
        }
        self.children.iter().for_each(|child| child.spaces(found));
    }

    fn render(&self, text: &mut String, declarations: &str, verbatim: Option<(&[&str], &str)>) {
        let (prefix, name) = (self.space.prefix(), &self.name);
        text.push_str(&format!("<{prefix}:{name}{declarations}"));
        for (attribute, value) in &self.attributes {
            text.push_str(&format!(" {attribute}=\"{}\"", escape_attribute(value)));
        }
        let verbatim = verbatim.filter(|(_, verbatim)| !verbatim.is_empty());
        if self.children.is_empty() && self.text.is_empty() && verbatim.is_none() {
            return text.push_str("/>");
        }
        text.push('>');
        text.push_str(&escape_text(&self.text));
        for child in &self.children {
            let below = verbatim.and_then(|(path, verbatim)| match path.split_first() {
                Some((step, rest)) if *step == child.name => Some((rest, verbatim)),
                _ => None,
            });
            child.render(text, "", below);
        }
        if let Some(([], verbatim)) = verbatim {
            text.push_str(verbatim);
        }
        text.push_str(&format!("</{prefix}:{name}>"));
    }
}

/// Text as canonical XML writes it, so that what is signed reads as what is sent.
fn escape_text(text: &str) -> Cow<'_, str> {
    escape(text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#xD;"),
        _ => None,
    })
}

/// An attribute value as canonical XML writes it.
pub(crate) fn escape_attribute(text: &str) -> Cow<'_, str> {
    escape(text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '"' => Some("&quot;"),
        '\t' => Some("&#x9;"),
        '\n' => Some("&#xA;"),
        '\r' => Some("&#xD;"),
        _ => None,
    })
}

fn escape(text: &str, replacement: impl Fn(char) -> Option<&'static str>) -> Cow<'_, str> {
    if text.chars().all(|c| replacement(c).is_none()) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match replacement(c) {
            Some(reference) => escaped.push_str(reference),
            None => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}
