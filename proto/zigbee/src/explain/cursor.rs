//! Reading octets and noting what each stretch means.

use super::Span;
use crate::ZigbeeError;
use crate::bytes::Reader;

/// Reading cannot go on; why stands in the span noted last.
#[derive(Debug)]
pub(super) struct Stop;

pub(super) type Explained<T> = Result<T, Stop>;

/// A place in octets, and what has been noted of those before it.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    octets: &'a [u8],
    at: usize,
    parts: Vec<Span>,
    title: String,
}

fn span(at: usize, length: usize, name: &'static str, value: String, parts: Vec<Span>) -> Span {
    Span { at, length, name, value, problem: None, parts, foreign: false, secret: false }
}

/// Octets explained as one.
pub(super) fn whole(length: usize, name: &'static str, value: String) -> Span {
    span(0, length, name, value, Vec::new())
}

/// Explains all of `octets`; what `read` leaves over is noted as a problem.
pub(super) fn explain(
    octets: &[u8],
    name: &'static str,
    read: impl FnOnce(&mut Cursor<'_>) -> Explained<()>,
) -> Span {
    let mut cursor = Cursor { octets, at: 0, parts: Vec::new(), title: String::new() };
    let finished = read(&mut cursor).is_ok();
    if !cursor.is_empty() {
        let count = cursor.rest(if finished { "left over" } else { "not understood" }).len();
        let what = if finished { "after the end" } else { "after what could not be understood" };
        cursor.problem(format!("{count} octets {what}"));
    }
    span(0, octets.len(), name, cursor.title, cursor.parts)
}

impl<'a> Cursor<'a> {
    fn left(&self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left().is_empty()
    }

    /// The octets not noted yet.
    pub(super) fn peek(&self) -> &'a [u8] {
        self.left()
    }

    /// What the group being noted says so far.
    pub(super) fn titled(&self) -> String {
        self.title.clone()
    }

    /// Notes the octets that `read` takes.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, ZigbeeError>,
    ) -> Explained<T> {
        let mut reader = Reader::new(self.left());
        match read(&mut reader) {
            Ok(value) => {
                self.note(reader.offset(), name);
                Ok(value)
            }
            Err(error) => {
                self.note(self.left().len(), name);
                self.problem(error.to_string());
                Err(Stop)
            }
        }
    }

    fn note(&mut self, length: usize, name: &'static str) {
        self.parts.push(span(self.at, length, name, String::new(), Vec::new()));
        self.at += length;
    }

    pub(super) fn u8(&mut self, name: &'static str) -> Explained<u8> {
        let value = self.read(name, |reader| reader.u8(name))?;
        self.say(value.to_string());
        Ok(value)
    }

    pub(super) fn u16(&mut self, name: &'static str) -> Explained<u16> {
        let value = self.read(name, |reader| reader.u16(name))?;
        self.say(value.to_string());
        Ok(value)
    }

    /// Everything that is left, in hexadecimal.
    pub(super) fn rest(&mut self, name: &'static str) -> &'a [u8] {
        let rest = self.left();
        self.note(rest.len(), name);
        self.say(hex(rest));
        rest
    }

    /// What the span noted last says.
    pub(super) fn say(&mut self, value: impl Into<String>) {
        if let Some(last) = self.parts.last_mut() {
            last.value = value.into();
        }
    }

    /// What is wrong with the span noted last.
    pub(super) fn problem(&mut self, problem: impl Into<String>) {
        if let Some(last) = self.parts.last_mut() {
            last.problem = Some(problem.into());
        }
    }

    /// The octets noted last are wrong, and reading stops.
    pub(super) fn stop<T>(&mut self, problem: impl Into<String>) -> Explained<T> {
        self.problem(problem);
        Err(Stop)
    }

    /// The octets noted last belong to another protocol.
    pub(super) fn foreign(&mut self) {
        if let Some(last) = self.parts.last_mut() {
            last.foreign = true;
        }
    }

    /// What the group being noted says.
    pub(super) fn title(&mut self, title: impl Into<String>) {
        self.title = title.into();
    }

    /// Notes what `read` takes as one group.
    pub(super) fn group<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self) -> Explained<T>,
    ) -> Explained<T> {
        let (parts, title, at) = (std::mem::take(&mut self.parts), std::mem::take(&mut self.title), self.at);
        let read = read(self);
        let parts = std::mem::replace(&mut self.parts, parts);
        let title = std::mem::replace(&mut self.title, title);
        self.parts.push(span(at, self.at - at, name, title, parts));
        read
    }
}

/// Most octets shown in hexadecimal.
const SHOWN: usize = 32;

pub(super) fn hex(octets: &[u8]) -> String {
    let mut words: String = octets.iter().take(SHOWN).map(|octet| format!("{octet:02X}")).collect();
    if octets.len() > SHOWN {
        words.push_str(&format!("... ({} octets)", octets.len()));
    }
    words
}
