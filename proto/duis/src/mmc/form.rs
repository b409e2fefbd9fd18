//! The language the forms of answers are written in, and the check of a tree against one.

use super::MmcElement;
use crate::Eui64;
use crate::body::{CalendarDate, TimeOfDay, part::Leaf};
use crate::xml::{Reading, SchemaError, SchemaProblem, parse_boolean, parse_date_time};
use base64::{Engine, engine::general_purpose::STANDARD};

/// The form of an element: its attributes and what it holds.
pub(super) struct Form {
    pub(super) attributes: &'static [Attribute],
    pub(super) content: Content,
}

pub(super) struct Attribute {
    name: &'static str,
    text: Text,
    required: bool,
}

pub(super) enum Content {
    Text(Text),
    Children(&'static [Particle]),
}

/// A part of a sequence of children, and how often it may stand there (XML Schema part 1, 3.9).
pub(super) enum Particle {
    Leaf(&'static str, Text, u32, u32),
    Node(&'static str, &'static Form, u32, u32),
    Choice(&'static [Particle], u32, u32),
    Sequence(&'static [Particle], u32, u32),
}

/// What text must be.
#[derive(Clone, Copy)]
pub(super) enum Text {
    Characters(usize, usize),
    Whole(i128, i128),
    Decimal,
    Boolean,
    Date,
    DateTime,
    Time,
    Hex,
    Base64,
    Eui,
    OneOf(&'static [&'static str]),
}

pub(super) const STRING: Text = Text::Characters(0, 2_000);
pub(super) const INTEGER: Text = Text::Whole(i128::MIN, i128::MAX);
pub(super) const NATURAL: Text = Text::Whole(0, i128::MAX);
pub(super) const POSITIVE: Text = Text::Whole(1, i128::MAX);

const SUCCESS: &[Attribute] = &[Attribute { name: "MessageSuccess", text: Text::Boolean, required: false }];

/// An element with children only.
pub(super) const fn form(children: &'static [Particle]) -> Form {
    Form { attributes: &[], content: Content::Children(children) }
}

/// The element of an answer.
pub(super) const fn answer_form(children: &'static [Particle]) -> Form {
    Form { attributes: SUCCESS, content: Content::Children(children) }
}

/// An element with attributes and children.
pub(super) const fn with_attributes(attributes: &'static [Attribute], children: &'static [Particle]) -> Form {
    Form { attributes, content: Content::Children(children) }
}

/// An element with attributes and text.
pub(super) const fn text_with(attributes: &'static [Attribute], text: Text) -> Form {
    Form { attributes, content: Content::Text(text) }
}

/// A leaf.
pub(super) const fn leaf(name: &'static str, text: Text, min: u32, max: u32) -> Particle {
    Particle::Leaf(name, text, min, max)
}

/// An element of some form.
pub(super) const fn node(name: &'static str, form: &'static Form, min: u32, max: u32) -> Particle {
    Particle::Node(name, form, min, max)
}

/// An attribute of an element.
pub(super) const fn attribute(name: &'static str, text: Text, required: bool) -> Attribute {
    Attribute { name, text, required }
}

/// Where a tree departs from its form: which child of which child, and how.
pub(crate) struct Fault {
    /// Indexes of children from the root.
    trail: Vec<usize>,
    pub(super) problem: SchemaProblem,
}

impl Fault {
    fn here(problem: SchemaProblem) -> Fault {
        Fault { trail: Vec::new(), problem }
    }

    pub(super) fn unexpected(found: &str, expected: &str) -> Fault {
        let (found, expected) = (found.to_owned(), expected.to_owned());
        Fault::here(SchemaProblem::Unexpected { found, expected })
    }

    fn under(mut self, child: usize) -> Fault {
        self.trail.insert(0, child);
        self
    }

    /// The same fault seen from the root's only child.
    pub(super) fn below_first(mut self) -> Fault {
        if !self.trail.is_empty() {
            self.trail.remove(0);
        }
        self
    }

    pub(super) fn path(&self, root: &MmcElement) -> String {
        let mut element = root;
        let mut path = root.name.clone();
        for child in self.trail.iter().map_while(|index| step(&mut element, *index)) {
            path.push('/');
            path.push_str(child);
        }
        path
    }

    /// The fault with its place in the text.
    pub(super) fn locate(self, reading: &Reading<'_>) -> SchemaError {
        match self.trail.split_first() {
            Some((index, rest)) => match reading.element.children.get(*index) {
                Some(child) => {
                    Fault { trail: rest.to_vec(), problem: self.problem }.locate(&reading.below(child))
                }
                None => reading.error(self.problem),
            },
            None => reading.error(self.problem),
        }
    }
}

fn step<'a>(element: &mut &'a MmcElement, index: usize) -> Option<&'a str> {
    *element = element.children.get(index)?;
    Some(&element.name)
}

/// Checks an element, at every depth.
pub(super) fn check(element: &MmcElement, form: &Form) -> Result<(), Fault> {
    check_attributes(element, form.attributes)?;
    match &form.content {
        Content::Text(text) => check_text(element, *text),
        Content::Children(particles) => check_children(element, particles),
    }
}

fn check_attributes(element: &MmcElement, known: &[Attribute]) -> Result<(), Fault> {
    for (name, value) in &element.attributes {
        match known.iter().find(|attribute| attribute.name == name) {
            None => return Err(Fault::here(SchemaProblem::Attribute(name.clone()))),
            Some(attribute) => {
                attribute.text.check(value).map_err(|expected| wrong(name, value, expected))?
            }
        }
    }
    let absent =
        known.iter().find(|attribute| attribute.required && element.attribute(attribute.name).is_none());
    absent.map_or(Ok(()), |attribute| Err(Fault::here(SchemaProblem::NoAttribute(attribute.name))))
}

fn wrong(what: &str, found: &str, expected: String) -> Fault {
    let found = found.chars().take(80).collect();
    Fault::here(SchemaProblem::Value { what: what.to_owned(), found, expected })
}

fn check_text(element: &MmcElement, text: Text) -> Result<(), Fault> {
    match element.children.first() {
        Some(child) => Err(Fault::unexpected(&child.name, "text").under(0)),
        None => text.check(&element.text).map_err(|expected| wrong("the text", &element.text, expected)),
    }
}

fn check_children(element: &MmcElement, particles: &[Particle]) -> Result<(), Fault> {
    if !element.text.trim().is_empty() {
        return Err(Fault::here(SchemaProblem::Text(element.text.trim().chars().take(80).collect())));
    }
    let mut next = 0;
    for particle in particles {
        next = particle.take(&element.children, next)?;
    }
    match element.children.get(next) {
        None => Ok(()),
        Some(child) => Err(Fault::unexpected(&child.name, &expected(particles)).under(next)),
    }
}

/// The names that may stand where these particles do, for an error.
fn expected(particles: &[Particle]) -> String {
    let mut names = Vec::new();
    particles.iter().for_each(|particle| particle.names(&mut names));
    if names.is_empty() { "nothing".to_owned() } else { format!("{}, in that order", names.join(", ")) }
}

impl Particle {
    /// Checks the children from `next` on that this particle takes, and says where it stopped.
    fn take(&self, children: &[MmcElement], mut next: usize) -> Result<usize, Fault> {
        let (min, max) = self.times();
        let mut count = 0;
        while count < max && children.get(next).is_some_and(|child| self.starts_with(&child.name)) {
            next = self.take_once(children, next)?;
            count += 1;
        }
        if count >= min || self.takes_nothing() {
            return Ok(next);
        }
        let expected = expected(std::slice::from_ref(self));
        match children.get(next) {
            Some(child) => Err(Fault::unexpected(&child.name, &expected).under(next)),
            None => Err(Fault::here(SchemaProblem::Missing { expected })),
        }
    }

    fn take_once(&self, children: &[MmcElement], next: usize) -> Result<usize, Fault> {
        let Some(child) = children.get(next) else { return Ok(next) };
        match self {
            Particle::Leaf(_, text, ..) => {
                let checked = check_attributes(child, &[]).and_then(|()| check_text(child, *text));
                checked.map(|()| next + 1).map_err(|fault| fault.under(next))
            }
            Particle::Node(_, form, ..) => {
                check(child, form).map(|()| next + 1).map_err(|fault| fault.under(next))
            }
            Particle::Choice(options, ..) => {
                let chosen = options.iter().find(|option| option.starts_with(&child.name));
                chosen.map_or(Ok(next), |option| option.take(children, next))
            }
            Particle::Sequence(parts, ..) => {
                parts.iter().try_fold(next, |next, part| part.take(children, next))
            }
        }
    }

    const fn times(&self) -> (u32, u32) {
        match self {
            Particle::Leaf(_, _, min, max)
            | Particle::Node(_, _, min, max)
            | Particle::Choice(_, min, max)
            | Particle::Sequence(_, min, max) => (*min, *max),
        }
    }

    fn starts_with(&self, found: &str) -> bool {
        match self {
            Particle::Leaf(name, ..) | Particle::Node(name, ..) => *name == found,
            Particle::Choice(options, ..) => options.iter().any(|option| option.starts_with(found)),
            Particle::Sequence(parts, ..) => {
                let optional = parts.iter().take_while(|part| part.takes_nothing()).count();
                parts.iter().take(optional + 1).any(|part| part.starts_with(found))
            }
        }
    }

    /// Whether no child at all will do.
    fn takes_nothing(&self) -> bool {
        self.times().0 == 0
            || match self {
                Particle::Leaf(..) | Particle::Node(..) => false,
                Particle::Choice(options, ..) => options.iter().any(Particle::takes_nothing),
                Particle::Sequence(parts, ..) => parts.iter().all(Particle::takes_nothing),
            }
    }

    fn names(&self, names: &mut Vec<&'static str>) {
        match self {
            Particle::Leaf(name, ..) | Particle::Node(name, ..) => names.push(name),
            Particle::Choice(parts, ..) | Particle::Sequence(parts, ..) => {
                parts.iter().for_each(|part| part.names(names));
            }
        }
    }
}

impl Text {
    fn check(self, text: &str) -> Result<(), String> {
        let trimmed = text.trim();
        let ok =
            |holds: bool, expected: &str| if holds { Ok(()) } else { Err(format!("expected {expected}")) };
        match self {
            Text::Characters(min, max) => {
                let count = text.chars().count();
                ok((min..=max).contains(&count), &format!("{min} to {max} characters"))
            }
            Text::Whole(min, max) => {
                let holds = trimmed.parse().is_ok_and(|number| (min..=max).contains(&number));
                ok(holds, &whole_range(min, max))
            }
            Text::Decimal => ok(is_decimal(trimmed), "a decimal number"),
            Text::Boolean => parse_boolean(trimmed).map(drop).map_err(str::to_owned),
            Text::DateTime => parse_date_time(trimmed).map(drop).map_err(str::to_owned),
            Text::Date => <CalendarDate as Leaf>::parse(trimmed).map(drop),
            Text::Time => <TimeOfDay as Leaf>::parse(trimmed).map(drop),
            Text::Hex => ok(is_hex(trimmed), "an even number of hexadecimal digits"),
            Text::Base64 => ok(STANDARD.decode(trimmed).is_ok(), "base64"),
            Text::Eui => trimmed.parse::<Eui64>().map(drop).map_err(|error| error.to_string()),
            Text::OneOf(words) => ok(words.contains(&text), &words.join(" or ")),
        }
    }
}

fn whole_range(min: i128, max: i128) -> String {
    match (min, max) {
        (i128::MIN, i128::MAX) => "a whole number".to_owned(),
        (min, i128::MAX) => format!("a whole number from {min}"),
        (min, max) => format!("a whole number from {min} to {max}"),
    }
}

/// `xs:decimal`: a sign or none, digits, a point and digits or none.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit())
}
