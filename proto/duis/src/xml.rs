//! XML as far as DUIS needs it: elements in three known namespaces, attributes, text.
//!
//! A document is read once into a tree of [`Element`]s that remember where they stood, so that whatever is wrong with
//! a message can be said with its line and column. What DUIS never has (a document type, entities, processing
//! instructions, foreign namespaces) is refused, not skipped. Size, depth and number of elements are limited.

mod cursor;
mod parse;
mod render;

#[cfg(test)]
mod tests;

pub(crate) use cursor::parse_boolean;
pub use cursor::{Cursor, Reading, SchemaError, SchemaProblem, parse_date_time};
pub(crate) use render::escape_attribute;

use std::fmt;
use std::ops::Range;

/// The largest message read, in octets: the largest firmware image of 11.1 is 13.7 million characters of base64, and its
/// list of devices 1.2 million.
pub const MAX_OCTETS: usize = 16 * 1024 * 1024;
/// The deepest nesting of elements read.
pub(crate) const MAX_DEPTH: usize = 40;
/// The most elements read in one message: the longest profile log has 19,056 entries of five elements.
pub(crate) const MAX_ELEMENTS: usize = 200_000;

/// A namespace that is none of DUIS, and the prefix its elements are written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Namespace {
    /// As it is written; in what is read any prefix will do.
    pub prefix: &'static str,
    /// What it is.
    pub uri: &'static str,
}

/// A namespace of the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    /// Requests and responses.
    Sr,
    /// Devices' answers in MMC form.
    Ra,
    /// Signatures.
    Ds,
    /// The lab's own: the countersigned request.
    Lab,
    /// That of a document which is no message of DUIS; no message has it.
    Foreign(Namespace),
}

impl Space {
    /// Those of DUIS messages.
    pub(crate) const ALL: [Space; 4] = [Space::Sr, Space::Ra, Space::Ds, Space::Lab];

    pub(crate) const fn uri(self) -> &'static str {
        match self {
            Space::Sr => "http://www.dccinterface.co.uk/ServiceUserGateway",
            Space::Ra => "http://www.dccinterface.co.uk/ResponseAndAlert",
            Space::Ds => "http://www.w3.org/2000/09/xmldsig#",
            Space::Lab => "urn:smets1-lab:countersigned-service-request",
            Space::Foreign(namespace) => namespace.uri,
        }
    }

    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Space::Sr => "sr",
            Space::Ra => "ra",
            Space::Ds => "ds",
            Space::Lab => "lab",
            Space::Foreign(namespace) => namespace.prefix,
        }
    }
}

/// A place in a document, both counted from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A document that is not well-formed, or holds what no DUIS message holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct XmlError {
    /// Where.
    pub at: Position,
    /// What is wrong.
    pub problem: XmlProblem,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlProblem {
    /// Longer than the limit.
    #[error("the message is {octets} octets; at most {MAX_OCTETS} are read")]
    TooLong {
        /// How long it is.
        octets: usize,
    },
    /// Not UTF-8.
    #[error("the message is not UTF-8 text")]
    NotUtf8,
    /// Declared in another encoding or version.
    #[error("the XML declaration says {found}; expected version 1.0 in UTF-8")]
    Declaration {
        /// What it says.
        found: String,
    },
    /// Not well-formed.
    #[error("not well-formed: {0}")]
    IllFormed(String),
    /// A construct no DUIS message has.
    #[error("{0} is not allowed in a message")]
    NotAllowed(&'static str),
    /// An entity other than the five of XML.
    #[error("entity &{0}; is not one of the five of XML")]
    Entity(String),
    /// An element outside the namespaces of the document.
    #[error("element {name} is in namespace {namespace:?}, which no such document has")]
    Namespace {
        /// The element.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// Nested too deep, or too many elements.
    #[error("more than {limit} {what}")]
    TooMuch {
        /// The limit.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
}

/// An element, its attributes, text and child elements, and where it stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its namespace.
    pub space: Space,
    /// Its name in it.
    pub name: String,
    /// Without namespace declarations, in the order written.
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    /// All character data directly in the element, joined.
    pub(crate) text: String,
    /// Namespace declarations on this very element: prefix (empty for the default one) and URI.
    declared: Vec<(String, String)>,
    /// The octets of the source from `<` of the start tag to `>` of the end tag.
    span: Range<usize>,
    /// Length of the name in the start tag, prefix and all.
    name_octets: usize,
}

impl Element {
    /// An empty element.
    pub fn new(space: Space, name: impl Into<String>) -> Element {
        Element {
            space,
            name: name.into(),
            attributes: Vec::new(),
            children: Vec::new(),
            text: String::new(),
            declared: Vec::new(),
            span: 0..0,
            name_octets: 0,
        }
    }

    /// Whether it is the element of this name in this namespace.
    pub fn is(&self, space: Space, name: &str) -> bool {
        self.space == space && self.name == name
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn child(&self, space: Space, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.is(space, name))
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

/// A well-formed document within the limits, and the text it was read from.
#[derive(Debug, Clone)]
pub struct Document {
    source: String,
    root: Element,
    /// The namespace beside those of DUIS that it may have, and its canonical form with it.
    foreign: Option<Namespace>,
}

impl Document {
    /// Its root element.
    pub fn root(&self) -> &Element {
        &self.root
    }

    pub(crate) fn into_root(self) -> Element {
        self.root
    }

    pub(crate) fn position(&self, octet: usize) -> Position {
        position(&self.source, octet)
    }

    /// The source without one element: what the enveloped-signature transform leaves (XMLDSIG, 6.6.4).
    pub(crate) fn without(&self, element: &Element) -> String {
        let Range { start, end } = element.span();
        format!("{}{}", &self.source[..start], &self.source[end..])
    }

    /// The element at the end of a chain from the root, as a document of its own: the same octets, with the namespace
    /// declarations in scope from its ancestors added to its start tag. Exclusive canonicalisation drops those not
    /// used, so a signature made before the element was put here still holds.
    pub(crate) fn detach(&self, chain: &[&Element]) -> String {
        let Some((element, ancestors)) = chain.split_last() else {
            return self.source.clone();
        };
        let mut in_scope: Vec<(&str, &str)> = Vec::new();
        for (prefix, uri) in ancestors.iter().rev().flat_map(|ancestor| &ancestor.declared) {
            let hidden = element.declared.iter().any(|(own, _)| own == prefix);
            if !hidden && !in_scope.iter().any(|(known, _)| known == prefix) {
                in_scope.push((prefix, uri));
            }
        }
        let after_name = element.span.start + 1 + element.name_octets;
        let mut text = self.source[element.span.start..after_name].to_owned();
        for (prefix, uri) in in_scope {
            let colon = if prefix.is_empty() { "" } else { ":" };
            text.push_str(&format!(" xmlns{colon}{prefix}=\"{}\"", escape_attribute(uri)));
        }
        text.push_str(&self.source[after_name..element.span.end]);
        text
    }
}

fn position(source: &str, octet: usize) -> Position {
    let before = source.get(..octet).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|octet| *octet == b'\n').count() + 1;
    Position { line, column: before[line_start..].chars().count() + 1 }
}
