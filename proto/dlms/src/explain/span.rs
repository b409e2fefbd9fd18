//! A stretch of octets and what it means.

use std::borrow::Cow;

/// A stretch of octets, what it is called and what it says.
///
/// The parts of a span lie one after the other and fill it: every octet belongs to exactly one span that has no parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first octet in what was explained.
    pub at: usize,
    /// How many octets; none for a part that is missing.
    pub length: usize,
    /// What the standard calls it.
    pub name: Cow<'static, str>,
    /// What it says, in words; may be empty.
    pub value: String,
    /// What is wrong with it, where something is.
    pub problem: Option<String>,
    /// What it consists of; empty where it is not divided further.
    pub parts: Vec<Span>,
    /// A protocol of its own that these octets belong to, which this crate does not speak.
    pub foreign: bool,
    /// A password or key: whoever shows octets does not show these.
    pub secret: bool,
}

impl Span {
    /// Itself and everything within it that has something wrong, outermost first.
    pub fn problems(&self) -> Vec<&Span> {
        let mut found = Vec::new();
        self.collect_problems(&mut found);
        found
    }

    fn collect_problems<'a>(&'a self, found: &mut Vec<&'a Span>) {
        if self.problem.is_some() {
            found.push(self);
        }
        self.parts.iter().for_each(|part| part.collect_problems(found));
    }

    /// Whether this and everything within it is in order.
    pub fn is_sound(&self) -> bool {
        self.problem.is_none() && self.parts.iter().all(Span::is_sound)
    }

    /// The spans without parts, in the order of their octets.
    pub fn leaves(&self) -> Vec<&Span> {
        if self.parts.is_empty() {
            return vec![self];
        }
        self.parts.iter().flat_map(Span::leaves).collect()
    }
}
