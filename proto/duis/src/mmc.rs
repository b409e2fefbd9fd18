//! MMC: a device's answer as a tree of named elements.
//!
//! An answer is `<Body>Rsp MessageSuccess="true">` with elements whose names, order and text the MMC schema fixes for
//! each Service Reference Variant. A tree that is built or read is checked against that form, so an answer that exists
//! is one the schema takes. [`build`] makes the answers an S1SP gives; [`MmcBody::find`] looks one value up by path.
//!
//! ```
//! use proto_duis::mmc::{MmcBody, build};
//! let answer = build::import_registers_electricity(Some(123_456), None)?;
//! assert_eq!(answer.find("Electricity.ActiveImportRegister.Value")?.as_deref(), Some("123456"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[rustfmt::skip]
mod alerts;
#[rustfmt::skip]
mod answers;
pub mod build;
mod form;
mod path;

#[cfg(test)]
mod tests;

pub use path::PathError;

use crate::Srv;
use crate::xml::{Element, Reading, SchemaError, SchemaProblem, Space::Ra, parse_boolean};
use form::Fault;

/// An element of an answer: text or children, and attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MmcElement {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<MmcElement>,
}

impl MmcElement {
    /// An element without anything in it yet.
    pub fn new(name: impl Into<String>) -> MmcElement {
        MmcElement { name: name.into(), attributes: Vec::new(), text: String::new(), children: Vec::new() }
    }

    /// An element with text.
    pub fn leaf(name: impl Into<String>, text: impl ToString) -> MmcElement {
        MmcElement { text: text.to_string(), ..MmcElement::new(name) }
    }

    /// The element with one more child.
    #[must_use]
    pub fn with(mut self, child: MmcElement) -> MmcElement {
        self.children.push(child);
        self
    }

    /// The element with more children.
    #[must_use]
    pub fn with_all(mut self, children: impl IntoIterator<Item = MmcElement>) -> MmcElement {
        self.children.extend(children);
        self
    }

    /// The element with one more attribute.
    #[must_use]
    pub fn with_attribute(mut self, name: impl Into<String>, value: impl ToString) -> MmcElement {
        self.attributes.push((name.into(), value.to_string()));
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text; empty when it has children.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its children in order.
    pub fn children(&self) -> &[MmcElement] {
        &self.children
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn to_element(&self) -> Element {
        let mut element = Element::leaf(Ra, &self.name, &self.text);
        element.attributes.clone_from(&self.attributes);
        element.with_all(self.children.iter().map(MmcElement::to_element))
    }

    fn from_element(reading: &Reading<'_>) -> Result<MmcElement, SchemaError> {
        let element = reading.element;
        if element.space != Ra {
            let (found, expected) = (element.name.clone(), "an element of MMC".to_owned());
            return Err(reading.error(SchemaProblem::Unexpected { found, expected }));
        }
        let children = element.children.iter().map(|child| MmcElement::from_element(&reading.below(child)));
        let children: Vec<MmcElement> = children.collect::<Result<_, _>>()?;
        // White space between elements is layout; the text of a leaf is kept as it is.
        let layout = !children.is_empty() && element.text.trim().is_empty();
        let text = if layout { String::new() } else { element.text.clone() };
        Ok(MmcElement { name: element.name.clone(), attributes: element.attributes.clone(), text, children })
    }

    /// Reads what a device alert carries.
    pub(crate) fn read_alert_payload(reading: &Reading<'_>) -> Result<MmcElement, SchemaError> {
        let payload = MmcElement::new("Payload").with(MmcElement::from_element(reading)?);
        form::check(&payload, &alerts::DEVICE_ALERT_MESSAGE_PAYLOAD)
            .map_err(|fault| fault.below_first().locate(reading))?;
        Ok(payload.children.into_iter().next().unwrap_or_else(|| MmcElement::new("Payload")))
    }
}

/// A part of an answer that has the elements of a part of a request: MMC repeats some types of DUIS.
pub(crate) fn from_request(name: &str, value: &impl crate::body::part::Value) -> MmcElement {
    fn convert(element: Element) -> MmcElement {
        let Element { name, attributes, text, children, .. } = element;
        MmcElement { name, attributes, text, children: children.into_iter().map(convert).collect() }
    }
    convert(value.write(Element::new(Ra, name)))
}

/// An answer that is not of its form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct FormError {
    /// The element names from the answer down, joined by `/`.
    pub path: String,
    /// What is wrong there.
    pub problem: SchemaProblem,
}

/// The answer to one Service Request (a child of `SMETSData`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MmcBody {
    srv: Srv,
    root: MmcElement,
}

impl MmcBody {
    /// An answer with this content.
    ///
    /// # Errors
    /// The variant is answered by the DCC itself, or the content is not of the form of its answer.
    pub fn new(
        srv: Srv,
        success: bool,
        content: impl IntoIterator<Item = MmcElement>,
    ) -> Result<MmcBody, FormError> {
        let name = srv.response_element().unwrap_or_default();
        let root = MmcElement::new(name).with_attribute("MessageSuccess", success).with_all(content);
        let body = MmcBody { srv, root };
        match body.fault() {
            None => Ok(body),
            Some(fault) => Err(FormError { path: fault.path(&body.root), problem: fault.problem }),
        }
    }

    fn fault(&self) -> Option<Fault> {
        match answers::answer(self.srv) {
            Some(form) => form::check(&self.root, form).err(),
            None => Some(Fault::unexpected(self.srv.body_element(), "a variant that a device answers")),
        }
    }

    /// The variant it answers.
    pub fn srv(&self) -> Srv {
        self.srv
    }

    /// `MessageSuccess`: whether the device did what was asked.
    pub fn success(&self) -> Option<bool> {
        self.root.attribute("MessageSuccess").and_then(|text| parse_boolean(text.trim()).ok())
    }

    /// The answer's element.
    pub fn root(&self) -> &MmcElement {
        &self.root
    }

    /// The text at a path below the answer's element: element names joined by `.`. The nth of several elements of one
    /// name is `Name[0]`, how many there are `Name.count`, an attribute `@name`.
    ///
    /// None when there is no such element, or it holds elements and no text.
    ///
    /// # Errors
    /// The path is not of this form, or names one of several elements without saying which.
    pub fn find(&self, path: &str) -> Result<Option<String>, PathError> {
        path::find(&self.root, path)
    }

    pub(crate) fn to_element(&self) -> Element {
        self.root.to_element()
    }

    /// Reads the child of `SMETSData`.
    pub(crate) fn read(reading: &Reading<'_>) -> Result<MmcBody, SchemaError> {
        let root = MmcElement::from_element(reading)?;
        let body = Srv::from_response_element(&root.name).map(|srv| MmcBody { srv, root });
        let Some(body) = body else {
            let found = reading.element.name.clone();
            let expected = "the answer of a Service Reference Variant this lab speaks".to_owned();
            return Err(reading.error(SchemaProblem::Unexpected { found, expected }));
        };
        body.fault().map_or(Ok(()), |fault| Err(fault.locate(reading)))?;
        Ok(body)
    }
}
