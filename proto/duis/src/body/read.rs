//! Group 4, what is read of a meter, and bodies of other groups that have no more in them than these.

use super::EncodedCertificate;
use super::fields::{FieldError, FieldReader, KnownField};
use super::part::{At, Value};
use crate::examples::Draw;
use crate::xml::{Element, Reading, SchemaError};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A body with nothing in it, such as those of 4.11.1, 4.16, 7.1 to 7.4, 9.1 and 14.1. Takes no fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoContent;

impl Value for NoContent {
    fn list(_: &At, _: &mut Vec<KnownField>) {}

    fn given(_: &FieldReader<'_>, _: &At) -> bool {
        false
    }

    fn take(_: &mut FieldReader<'_>, _: &At) -> Result<Self, FieldError> {
        Ok(NoContent)
    }

    fn give(&self, _: &At, _: &mut BTreeMap<String, String>) {}

    fn read(element: &Reading<'_>, attributes: &[&str]) -> Result<Self, SchemaError> {
        element.children(attributes)?.finish()?;
        Ok(NoContent)
    }

    fn write(&self, element: Element) -> Element {
        element
    }

    fn sample(_: &mut Draw<'_>) -> Self {
        NoContent
    }
}

group! {
    /// A read of what a meter holds at a moment, which may be put off: 4.1.1 to 4.3, 4.12.1 to 4.13, 4.15, 4.18 and 11.2.
    ///
    /// Fields: `ExecutionDateTime` (optional).
    #[derive(Copy, Default)]
    OnDemandOrFutureDated {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
    }
    /// The span of a log that is read.
    #[derive(Copy)]
    ReadLogPeriod {
        /// The first moment.
        start: Timestamp = "StartDateTime",
        /// The last moment.
        end: Timestamp = "EndDateTime",
    }
    /// A read of a log, which may be put off: 4.4.4, 4.4.5, 4.6.2, 4.8.2 and 4.8.3.
    ///
    /// Fields: `StartDateTime`, `EndDateTime`, `ExecutionDateTime` (optional).
    #[derive(Copy)]
    ReadLog {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// The period.
        period: ReadLogPeriod = wrap "ReadLogPeriod",
    }
    /// A read of a log that a user the device does not know may make too: 4.4.2, 4.4.3, 4.6.1, 4.8.1, 4.10, 4.14 and 4.17.
    ///
    /// Fields: `StartDateTime`, `EndDateTime`, `ExecutionDateTime` (optional), `KAPublicSecurityCredentials` (optional).
    ReadLogWithCredentials {
        /// When to do it; at once if absent.
        execution: Option<Timestamp> = "ExecutionDateTime",
        /// The period.
        period: ReadLogPeriod = wrap "ReadLogPeriod",
        /// The key agreement certificate of a user the device does not know.
        credentials: Option<EncodedCertificate> = "KAPublicSecurityCredentials",
    }
}
