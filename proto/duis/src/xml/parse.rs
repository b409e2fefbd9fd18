//! From octets to a [`Document`], within the limits.

use super::{
    Document, Element, MAX_DEPTH, MAX_ELEMENTS, MAX_OCTETS, Namespace, Position, Space, XmlError, XmlProblem,
    position,
};
use quick_xml::NsReader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::name::{PrefixDeclaration, ResolveResult};

/// Attributes of XML Schema instances that say where a schema is; they carry nothing of the message.
const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
const MAX_ATTRIBUTES: usize = 32;

impl Document {
    /// Reads a document in the namespaces of DUIS.
    pub(crate) fn parse(octets: &[u8]) -> Result<Document, XmlError> {
        Document::parse_with(octets, None)
    }

    /// Reads a document in a namespace that is none of DUIS.
    ///
    /// # Errors
    /// Not well-formed, or beyond the limits; the error says where.
    pub fn parse_in(octets: &[u8], namespace: Namespace) -> Result<Document, XmlError> {
        Document::parse_with(octets, Some(namespace))
    }

    /// Reads what was made of this document, in its namespaces.
    pub(crate) fn parse_like(&self, octets: &[u8]) -> Result<Document, XmlError> {
        Document::parse_with(octets, self.foreign)
    }

    fn parse_with(octets: &[u8], foreign: Option<Namespace>) -> Result<Document, XmlError> {
        let source = text_of(octets)?.to_owned();
        let root = Builder::new(&source, foreign)
            .run()
            .map_err(|(octet, problem)| XmlError { at: position(&source, octet), problem })?;
        Ok(Document { source, root, foreign })
    }
}

fn text_of(octets: &[u8]) -> Result<&str, XmlError> {
    let start = |problem| XmlError { at: Position { line: 1, column: 1 }, problem };
    if octets.len() > MAX_OCTETS {
        return Err(start(XmlProblem::TooLong { octets: octets.len() }));
    }
    let text = std::str::from_utf8(octets).map_err(|error| {
        let valid =
            octets.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or("");
        XmlError { at: position(valid, valid.len()), problem: XmlProblem::NotUtf8 }
    })?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    match text.char_indices().find(|(_, c)| !is_xml_char(*c)) {
        None => Ok(text),
        Some((octet, _)) => {
            let problem = XmlProblem::NotAllowed("a control character");
            Err(XmlError { at: position(text, octet), problem })
        }
    }
}

/// XML 1.0, production 2.
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

type Problem = (usize, XmlProblem);

struct Builder<'a> {
    reader: NsReader<&'a [u8]>,
    /// The one namespace beside those of DUIS.
    foreign: Option<Namespace>,
    /// Elements opened and not yet closed, outermost first.
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
    /// Where the event being read began.
    start: usize,
}

impl<'a> Builder<'a> {
    fn new(source: &'a str, foreign: Option<Namespace>) -> Builder<'a> {
        let mut reader = NsReader::from_str(source);
        let config = reader.config_mut();
        config.enable_all_checks(true);
        config.expand_empty_elements = false;
        Builder { reader, foreign, open: Vec::new(), root: None, elements: 0, start: 0 }
    }

    fn run(mut self) -> Result<Element, Problem> {
        loop {
            self.start = self.offset();
            let event = self.reader.read_event().map_err(|error| self.ill_formed(error))?;
            if !self.take(event)? {
                break;
            }
        }
        let missing = if self.open.is_empty() { "no element" } else { "an element is not closed" };
        let complete = self.root.filter(|_| self.open.is_empty());
        complete.ok_or((self.start, XmlProblem::IllFormed(missing.to_owned())))
    }

    /// Puts one event into the tree; false at the end.
    fn take(&mut self, event: Event<'a>) -> Result<bool, Problem> {
        match event {
            Event::Start(tag) => self.begin(&tag)?,
            Event::Empty(tag) => {
                self.begin(&tag)?;
                self.end()?;
            }
            Event::End(_) => self.end()?,
            Event::Text(text) => {
                if text.contains("]]>") {
                    return Err(self.problem("]]> in text"));
                }
                self.text(&text.xml10_content())?;
            }
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => self.reference(&reference)?,
            Event::Comment(_) => {}
            Event::Decl(declaration) => self.declaration(&declaration)?,
            Event::DocType(_) => return Err((self.start, XmlProblem::NotAllowed("a document type"))),
            Event::PI(_) => return Err((self.start, XmlProblem::NotAllowed("a processing instruction"))),
            Event::Eof => return Ok(false),
        }
        Ok(true)
    }

    fn begin(&mut self, tag: &BytesStart<'a>) -> Result<(), Problem> {
        self.elements += 1;
        for (count, limit, what) in [
            (self.open.len() + 1, MAX_DEPTH, "levels of elements"),
            (self.elements, MAX_ELEMENTS, "elements"),
        ] {
            if count > limit {
                return Err((self.start, XmlProblem::TooMuch { limit, what }));
            }
        }
        if self.root.is_some() {
            return Err(self.problem("more than one root element"));
        }
        let (space, name) = self.resolve(tag)?;
        let mut element = Element::new(space, name);
        element.span.start = self.start;
        element.name_octets = tag.name().0.len();
        self.attributes(tag, &mut element)?;
        self.open.push(element);
        Ok(())
    }

    fn resolve(&self, tag: &BytesStart<'a>) -> Result<(Space, String), Problem> {
        let (namespace, local) = self.reader.resolver().resolve_element(tag.name());
        let local = local.into_inner();
        if !is_name(local) {
            return Err(self.problem(&format!("{local:?} is not a name")));
        }
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => namespace.0.to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(prefix) => {
                return Err(self.problem(&format!("prefix {prefix:?} is not declared")));
            }
        };
        let mut spaces = Space::ALL.into_iter().chain(self.foreign.map(Space::Foreign));
        match spaces.find(|space| space.uri() == namespace) {
            Some(space) => Ok((space, local.to_owned())),
            None => Err((self.start, XmlProblem::Namespace { name: local.to_owned(), namespace })),
        }
    }

    fn attributes(&self, tag: &BytesStart<'a>, element: &mut Element) -> Result<(), Problem> {
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| self.ill_formed(error))?;
            if attribute.value.contains('<') {
                return Err(self.problem("< in an attribute"));
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| self.ill_formed(error))?;
            let value = value.into_owned();
            if element.attributes.len() + element.declared.len() == MAX_ATTRIBUTES {
                let limit = XmlProblem::TooMuch { limit: MAX_ATTRIBUTES, what: "attributes on an element" };
                return Err((self.start, limit));
            }
            match attribute.key.as_namespace_binding() {
                Some(PrefixDeclaration::Default) => element.declared.push((String::new(), value)),
                Some(PrefixDeclaration::Named(prefix)) => element.declared.push((prefix.to_owned(), value)),
                None => self.attribute(attribute.key, value, element)?,
            }
        }
        Ok(())
    }

    fn attribute(
        &self,
        key: quick_xml::name::QName<'_>,
        value: String,
        element: &mut Element,
    ) -> Result<(), Problem> {
        let (namespace, local) = self.reader.resolver().resolve_attribute(key);
        let local = local.into_inner();
        let instance = matches!(namespace, ResolveResult::Bound(namespace) if namespace.0 == SCHEMA_INSTANCE);
        match (namespace, local) {
            (ResolveResult::Unbound, _) if is_name(local) => {
                element.attributes.push((local.to_owned(), value))
            }
            (_, "schemaLocation" | "noNamespaceSchemaLocation") if instance => {}
            _ => return Err(self.problem(&format!("attribute {} is not one of a message", key.0))),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        let Some(mut element) = self.open.pop() else {
            return Err(self.problem("an end tag without a start tag"));
        };
        element.span.end = self.offset();
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Problem> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(self.problem("text outside the root element")),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'a>) -> Result<(), Problem> {
        let character = reference.resolve_char_ref().map_err(|error| self.ill_formed(error))?;
        let name = reference.xml10_content();
        let character = character.or(match &*name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "apos" => Some('\''),
            "quot" => Some('"'),
            _ => None,
        });
        match character {
            Some(character) if is_xml_char(character) => self.text(character.encode_utf8(&mut [0; 4])),
            Some(_) => Err((self.start, XmlProblem::NotAllowed("a reference to a control character"))),
            None => Err((self.start, XmlProblem::Entity(name.chars().take(40).collect()))),
        }
    }

    fn declaration(&self, declaration: &BytesDecl<'a>) -> Result<(), Problem> {
        let version = declaration.version().map_err(|error| self.ill_formed(error))?;
        let encoding = declaration.encoding().transpose().map_err(|error| self.ill_formed(error))?;
        let utf8 = encoding.as_deref().is_none_or(|encoding| encoding.eq_ignore_ascii_case("utf-8"));
        if self.start != 0 {
            return Err(self.problem("an XML declaration after the start"));
        }
        if version != "1.0" || !utf8 {
            let found = format!("version {version} in {}", encoding.as_deref().unwrap_or("UTF-8"));
            return Err((self.start, XmlProblem::Declaration { found }));
        }
        Ok(())
    }

    fn offset(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    fn problem(&self, text: &str) -> Problem {
        (self.start, XmlProblem::IllFormed(text.to_owned()))
    }

    fn ill_formed(&self, error: impl std::fmt::Display) -> Problem {
        (self.start, XmlProblem::IllFormed(error.to_string()))
    }
}

/// A name as DUIS, MMC and XMLDSIG use them: ASCII letters, digits, `_`, `-` and `.`.
fn is_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}
