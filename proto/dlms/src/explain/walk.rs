//! Walking over octets and noting what each stretch means.
//!
//! The codecs' own reading functions do the reading; the walk notes which octets each took. Where one cannot go on, the
//! octets it balked at become a span with the problem, the walk stops there, and whoever bounded it goes on behind.

use std::borrow::Cow;

use super::Span;
use crate::octets::{DecodeError, Reader};

/// The walk cannot go on here; why stands in the span noted last.
#[derive(Debug)]
pub(super) struct Stop;

pub(super) type Walked<T = ()> = Result<T, Stop>;

/// A walk over octets.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    octets: &'a [u8],
    at: usize,
    /// The spans of the group being noted.
    parts: Vec<Span>,
    /// What the group being noted says.
    title: String,
}

/// Walks over `octets` and gives the span of all of them. Whatever the walk leaves over is noted as a problem.
pub(super) fn walk(
    octets: &[u8],
    name: impl Into<Cow<'static, str>>,
    route: impl FnOnce(&mut Walk<'_>) -> Walked,
) -> Span {
    let mut walk = Walk { octets, at: 0, parts: Vec::new(), title: String::new() };
    let walked = route(&mut walk);
    walk.end(walked.is_ok());
    span(0, octets.len(), name.into(), walk.title, walk.parts)
}

fn span(at: usize, length: usize, name: Cow<'static, str>, value: String, parts: Vec<Span>) -> Span {
    Span { at, length, name, value, problem: None, parts, foreign: false, secret: false }
}

impl<'a> Walk<'a> {
    pub(super) fn left(&self) -> &'a [u8] {
        &self.octets[self.at..]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left().is_empty()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.left().first().copied()
    }

    /// All octets of the group that bounds the walk, from the very beginning.
    pub(super) fn all(&self) -> &'a [u8] {
        self.octets
    }

    /// All octets from the beginning to here.
    pub(super) fn so_far(&self) -> &'a [u8] {
        &self.octets[..self.at]
    }

    /// Notes the octets that `read` takes. The value is yet to be said.
    pub(super) fn read<T>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
    ) -> Walked<T> {
        let mut reader = Reader::new(self.left());
        match read(&mut reader) {
            Ok(value) => {
                self.note(reader.offset(), name);
                Ok(value)
            }
            Err(error) => {
                self.note(self.left().len(), name);
                self.problem(match error.at {
                    0 => error.fault.to_string(),
                    at => format!("octet {at} of it, {}: {}", error.part, error.fault),
                });
                Err(Stop)
            }
        }
    }

    fn note(&mut self, length: usize, name: impl Into<Cow<'static, str>>) {
        self.parts.push(span(self.at, length, name.into(), String::new(), Vec::new()));
        self.at += length;
    }

    /// The next octet, said as a number.
    pub(super) fn u8(&mut self, name: &'static str) -> Walked<u8> {
        let value = self.read(name, |reader| reader.u8(name))?;
        self.say(value.to_string());
        Ok(value)
    }

    pub(super) fn u16(&mut self, name: &'static str) -> Walked<u16> {
        let value = self.read(name, |reader| reader.u16(name))?;
        self.say(value.to_string());
        Ok(value)
    }

    pub(super) fn u32(&mut self, name: &'static str) -> Walked<u32> {
        let value = self.read(name, |reader| reader.u32(name))?;
        self.say(value.to_string());
        Ok(value)
    }

    /// A flag octet, said as one of two words.
    pub(super) fn flag(&mut self, name: &'static str, set: &str, clear: &str) -> Walked<bool> {
        let value = self.read(name, |reader| reader.flag(name))?;
        self.say(if value { set } else { clear });
        Ok(value)
    }

    pub(super) fn length(&mut self, name: &'static str) -> Walked<usize> {
        let value = self.read(name, |reader| reader.length(name))?;
        self.say(value.to_string());
        Ok(value)
    }

    /// The next `count` octets as they are.
    pub(super) fn take(&mut self, count: usize, name: impl Into<Cow<'static, str>>) -> Walked<&'a [u8]> {
        self.read(name, |reader| reader.take(count, "octets"))
    }

    /// Everything that is left, as it is.
    pub(super) fn rest(&mut self, name: impl Into<Cow<'static, str>>) -> &'a [u8] {
        let rest = self.left();
        self.note(rest.len(), name);
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

    /// The octets noted last are wrong, and so the walk stops.
    pub(super) fn stop<T>(&mut self, problem: impl Into<String>) -> Walked<T> {
        self.problem(problem);
        Err(Stop)
    }

    /// The octets noted last belong to a protocol this crate does not speak.
    pub(super) fn foreign(&mut self) {
        if let Some(last) = self.parts.last_mut() {
            last.foreign = true;
        }
    }

    /// The octets noted last are a password or key.
    pub(super) fn secret(&mut self) {
        if let Some(last) = self.parts.last_mut() {
            last.secret = true;
        }
    }

    /// What the group being noted says.
    pub(super) fn title(&mut self, title: impl Into<String>) {
        self.title = title.into();
    }

    /// Notes what `route` walks over as one group.
    pub(super) fn group<T>(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        route: impl FnOnce(&mut Self) -> Walked<T>,
    ) -> Walked<T> {
        let outer = (std::mem::take(&mut self.parts), std::mem::take(&mut self.title), self.at);
        let walked = route(self);
        self.close(outer, name.into());
        walked
    }

    fn close(&mut self, outer: (Vec<Span>, String, usize), name: Cow<'static, str>) {
        let (parts, title, at) = outer;
        let parts = std::mem::replace(&mut self.parts, parts);
        let title = std::mem::replace(&mut self.title, title);
        self.parts.push(span(at, self.at - at, name, title, parts));
    }

    /// Notes the next `count` octets as one group; `route` cannot leave it, and where it stops the walk goes on behind it.
    /// Where fewer octets are left, the group has what there is and the walk stops after it.
    pub(super) fn bounded<T>(
        &mut self,
        count: usize,
        name: impl Into<Cow<'static, str>>,
        route: impl FnOnce(&mut Self) -> Walked<T>,
    ) -> Walked<Option<T>> {
        let left = self.left().len();
        let whole = self.octets;
        let outer = (std::mem::take(&mut self.parts), std::mem::take(&mut self.title), self.at);
        self.octets = &whole[..self.at + count.min(left)];
        let walked = route(self);
        self.end(walked.is_ok());
        self.octets = whole;
        self.close(outer, name.into());
        if count > left {
            return self
                .stop(format!("needs {count} octets, {left} left; it was cut short or its length is wrong"));
        }
        Ok(walked.ok())
    }

    /// Notes whatever the walk has left over.
    fn end(&mut self, finished: bool) {
        if self.is_empty() {
            return;
        }
        let count = self.rest(if finished { "left over" } else { "not understood" }).len();
        let what = if finished { "after the end" } else { "after what could not be understood" };
        self.problem(format!("{count} octets {what}"));
    }
}
